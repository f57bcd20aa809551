"""The study itself: events and returns in, results out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .abnormal import AbnormalReturns
from .config import ESTIMATION, EVENT, StudyConfig
from .conventions import Conventions
from .errors import ConfigError
from .factors import checked_factors, read_factors
from .layout import Layout, lay_out
from .loading import FACTOR, benchmarks_of, load_returns, members, read_returns
from .measures import require_intercept
from .models import LinearModel, make_model
from .results import EventStudyResults
from .returns import ReturnsPanel
from .typing import DateArray, Engine, ObjectArray
from .windows import Window

if TYPE_CHECKING:
    import pandas as pd

    from .events import Events

STUDY_FLAGS = ("short_estimation", "multi_day_return", "incomplete_window", "missing_days", "fallback_model")


@dataclass(frozen=True, eq=False)
class EventStudy:
    """A study of announcements, ready to be fitted.

    Parameters
    ----------
    events : Events
    returns : ReturnsPanel
        Must hold the events' tickers and benchmarks; what it lacks drops the event, with a reason.
    model : str or LinearModel
        Name of a registered model, or an instance.
    estimation, event : Window or (start, stop)
        In trading days of each event's exchange; the event day is 0.
    benchmark : str
        One index for all events; by default the events' own or their exchanges'.
    engine : {"statsmodels", "batch"}
        Least squares event by event, or all at once; the numbers agree to rounding.
    min_estimation : int
        Events with fewer complete estimation days are flagged ``short_estimation``.
    factors : DataFrame, optional
        Decimal returns of factors, dates x names, for models that need them (:func:`read_factors`).
    series : mapping of str to ticker
        Further series of the model that are the same for all events, such as ``{"world": "URTH"}``.
    conventions : Conventions
        What tests do where authors differ.
    """

    events: Events
    returns: ReturnsPanel
    model: str | LinearModel = "market"
    estimation: Window | tuple[int, int] = ESTIMATION
    event: Window | tuple[int, int] = EVENT
    benchmark: str = ""
    engine: Engine = "statsmodels"
    min_estimation: int = 100
    factors: pd.DataFrame | None = None
    series: Mapping[str, str] = field(default_factory=dict)
    conventions: Conventions = field(default_factory=Conventions)

    def fit(self) -> EventStudyResults:
        """Estimate the model for every event and return abnormal returns and what follows from them.

        Raises
        ------
        ConfigError
            If the model needs a series that there is not.
        """
        panel, benchmarks = self.returns, benchmarks_of(self.events, self.benchmark)
        model = make_model(self.model) if isinstance(self.model, str) else self.model
        columns: list[str] = []
        if self.factors is not None:
            table = checked_factors(self.factors)
            columns, panel = list(table.columns), panel.with_factors(table, FACTOR)
        model = model.bound(columns)
        require_intercept(model.parameters, panel.measure, model.name)
        table = self.events.table.assign(benchmark=benchmarks)
        calendars = [panel.calendar_of(code) for code in table["exchange"]]
        day0 = [panel.session_of(c, d) for c, d in zip(calendars, _dates(table["day0"]), strict=True)]
        table["day0"] = np.array(day0, dtype="datetime64[s]")
        repeats = _repeats(table)
        layout = lay_out(
            panel,
            self.events,
            model,
            calendars,
            benchmark=self.benchmark,
            series=self.series,
            columns=columns,
        )
        layout = replace(layout, rows=np.where(repeats == "", layout.rows, -1))
        windows = layout.around(
            _dates(table["day0"]), estimation=Window.of(self.estimation), event=Window.of(self.event)
        )
        abnormal = replace(model.fit(windows, engine=self.engine), conventions=self.conventions)
        table = with_status(table, abnormal, layout, minimum=self.min_estimation, repeats=repeats)
        return EventStudyResults(abnormal, table, layout.panel, model, self.engine, layout)


def run_study(
    events: Events,
    config: StudyConfig | None = None,
    *,
    offline: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> EventStudyResults:
    """Get the returns that `config` names and fit the study: what ``eventstudy run`` does before it writes.

    Parameters
    ----------
    events : Events
    config : StudyConfig, optional
    offline : bool
        Never use the network.
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.
    """
    config = config or StudyConfig()
    factors = read_factors(config.factors) if config.factors else None
    model = make_model(config.normal_model, config.model_options, cov_type=config.cov_type)
    model = model.bound(() if factors is None else list(factors.columns))
    what: Any = {
        "benchmark": config.benchmark, "calendar": config.calendar, "kind": config.kind,
        "model": model, "series": config.named_series,
    }  # fmt: skip
    if config.returns:
        if config.measure != "return":
            raise ConfigError(
                "a file of returns holds no other measure", where="measure", value=config.measure
            )
        panel = read_returns(config.returns, events, **what)
    else:
        panel = load_returns(
            events, config.prices, estimation=config.estimation, event=config.event, measure=config.measure,
            placebo=config.placebo, offline=offline, progress=progress, **what,
        )  # fmt: skip
    study = EventStudy(
        events, panel, model=model, estimation=config.estimation, event=config.event,
        benchmark=config.benchmark, engine=config.engine, min_estimation=config.min_estimation,
        factors=factors, series=config.named_series, conventions=config.conventions,
    )  # fmt: skip
    return study.fit()


def with_status(
    table: pd.DataFrame,
    abnormal: AbnormalReturns,
    layout: Layout,
    *,
    minimum: int,
    repeats: ObjectArray | None = None,
) -> pd.DataFrame:
    """Add status (ok or dropped), reason, flags and nobs; every event ends with one status."""
    panel = layout.panel
    usable = (abnormal.problem == "") & (abnormal.spans > 0).any(axis=1)
    reasons, flags = [], []
    row: Any
    for i, row in enumerate(table.itertuples(index=False)):
        own = {name: symbols[i] for name, symbols in layout.symbols.items()}
        reason = "" if usable[i] else _reason(i, row, abnormal, panel, own)
        reasons.append(reason if repeats is None else repeats[i] or reason)
        # An events.csv that a run wrote has the flags of that run: those of this one replace them.
        words = [word for word in row.flags.split(";") if word and word not in STUDY_FLAGS]
        seen = panel.last_session(row.ticker, panel.calendar_of(row.exchange))
        flags.append(";".join(words + (_flags(i, abnormal, minimum, seen) if usable[i] else [])))
    return table.assign(
        status=np.where(usable, "ok", "dropped"), reason=reasons, flags=flags, nobs=abnormal.nobs.astype(int)
    )


def _reason(
    i: int, event: Any, abnormal: AbnormalReturns, panel: ReturnsPanel, needs: Mapping[str, str]
) -> str:
    """Say why event i cannot be used; the first of several causes is the one to mend first."""
    calendar = panel.calendar_of(event.exchange)
    if needs.get("market", "none") == "":
        return "no benchmark: give one in the column benchmark or with --benchmark"
    blank = next((name for name, text in needs.items() if not text), "")
    if blank:
        return f"the column {blank} is blank, and the model needs it"
    data = "price" if panel.measure == "return" else panel.measure
    symbols = {event.ticker: f"no {data} data"}
    for name, text in needs.items():
        words = "the benchmark" if name == "market" else name
        for symbol in [text] if panel.row(text, calendar) >= 0 else members(text):
            symbols.setdefault(symbol, f"no {data} data for {words}")
    for symbol, lack in symbols.items():
        if panel.row(symbol, calendar) < 0:
            return f"{lack}: {panel.failures.get(symbol, f'{symbol} is not in the data')}"
        beyond = _beyond(panel, panel.row(symbol, calendar), event.day0)
        if beyond and symbol.startswith(FACTOR):
            return f"the factor {symbol.removeprefix(FACTOR)} {beyond.replace('prices', 'values')}"
        if beyond:
            return f"{lack}: {symbol} {beyond}"
    if abnormal.problem[i]:
        return str(abnormal.problem[i])
    return "no abnormal return in the event window: trading was halted, or prices are missing"


def _beyond(panel: ReturnsPanel, row: int, day0: pd.Timestamp) -> str:
    seen = np.flatnonzero(panel.spans[row] > 0)
    if len(seen) == 0:
        return "has no two prices on sessions of the exchange"
    first, last = panel.sessions[seen[[0, -1]]]
    if not first <= np.datetime64(day0, "D") <= last:
        return f"has prices from {first} to {last}, day 0 is {day0.date()}"
    return ""


def _flags(i: int, abnormal: AbnormalReturns, minimum: int, last: np.datetime64) -> list[str]:
    """Words for what a reader should know of one event; `last` is the last session that has a return."""
    spans, final = abnormal.spans[i], abnormal.windows.dates[i, -1]
    provisional = bool(np.isnat(final) or final > last)
    conditions = (
        abnormal.nobs[i] < minimum,
        (spans > 1).any(),
        provisional,
        not provisional and not abnormal.valid(abnormal.event)[i],
        abnormal.remark[i] != "",
    )
    return [name for name, holds in zip(STUDY_FLAGS, conditions, strict=True) if holds]


def _dates(days: pd.Series[pd.Timestamp]) -> DateArray:
    return days.to_numpy().astype("datetime64[D]")


def _repeats(table: pd.DataFrame) -> ObjectArray:
    """Say which events are on the listing and session of an earlier one; "" for all others."""
    first: dict[tuple[str, object], str] = {}
    out = np.full(len(table), "", dtype=object)
    for i, key in enumerate(zip(table["ticker"], _dates(table["day0"]), strict=True)):
        if key in first:
            out[i] = f"same listing and session as event {first[key]}"
        first.setdefault(key, str(table["event_id"].iloc[i]))
    return out
