"""The study itself: events and returns in, results out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .abnormal import AbnormalReturns
from .config import ESTIMATION, EVENT, StudyConfig
from .loading import benchmarks_of, load_returns, read_returns
from .models import MODELS, LinearModel
from .results import EventStudyResults
from .returns import ReturnsPanel
from .typing import DateArray, Engine, IntArray, ObjectArray
from .windows import Window, build_windows

if TYPE_CHECKING:
    import pandas as pd

    from .events import Events

STUDY_FLAGS = ("short_estimation", "multi_day_return", "incomplete_window", "missing_days")


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
    """

    events: Events
    returns: ReturnsPanel
    model: str | LinearModel = "market"
    estimation: Window | tuple[int, int] = ESTIMATION
    event: Window | tuple[int, int] = EVENT
    benchmark: str = ""
    engine: Engine = "statsmodels"
    min_estimation: int = 100

    def fit(self) -> EventStudyResults:
        """Estimate the model for every event and return abnormal returns and what follows from them."""
        model = MODELS[self.model]() if isinstance(self.model, str) else self.model
        panel, benchmarks = self.returns, benchmarks_of(self.events, self.benchmark)
        table = self.events.table.assign(benchmark=benchmarks)
        calendars = [panel.calendar_of(code) for code in table["exchange"]]
        day0 = [panel.session_of(c, d) for c, d in zip(calendars, _dates(table["day0"]), strict=True)]
        table["day0"] = np.array(day0, dtype="datetime64[s]")
        repeats = _repeats(table)
        rows = _rows(panel, table["ticker"], calendars)
        factors = [_rows(panel, benchmarks, calendars) for _ in model.factors]
        windows = build_windows(
            panel, calendars=calendars, day0=_dates(table["day0"]), rows=np.where(repeats == "", rows, -1),
            factor_rows=np.array(factors, dtype=np.int64).reshape(-1, len(rows)).T,
            estimation=Window.of(self.estimation), event=Window.of(self.event),
        )  # fmt: skip
        abnormal = model.fit(windows, engine=self.engine)
        table = with_status(
            table,
            abnormal,
            panel,
            needs_benchmark=bool(factors),
            minimum=self.min_estimation,
            repeats=repeats,
        )
        return EventStudyResults(abnormal, table, panel, model, self.engine)


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
    benchmark, calendar, kind = config.benchmark, config.calendar, config.kind
    if config.returns:
        panel = read_returns(config.returns, events, benchmark=benchmark, calendar=calendar, kind=kind)
    else:
        panel = load_returns(
            events, config.prices, benchmark=benchmark, estimation=config.estimation, event=config.event,
            calendar=calendar, kind=kind, offline=offline, progress=progress,
        )  # fmt: skip
    study = EventStudy(
        events, panel, model=config.model, estimation=config.estimation, event=config.event,
        benchmark=benchmark, engine=config.engine, min_estimation=config.min_estimation,
    )  # fmt: skip
    return study.fit()


def with_status(
    table: pd.DataFrame,
    abnormal: AbnormalReturns,
    panel: ReturnsPanel,
    *,
    needs_benchmark: bool,
    minimum: int,
    repeats: ObjectArray | None = None,
) -> pd.DataFrame:
    """Add status (ok or dropped), reason, flags and nobs; every event ends with one status."""
    usable = (abnormal.problem == "") & (abnormal.spans > 0).any(axis=1)
    reasons, flags = [], []
    row: Any
    for i, row in enumerate(table.itertuples(index=False)):
        reason = "" if usable[i] else _reason(i, row, abnormal, panel, needs_benchmark=needs_benchmark)
        reasons.append(reason if repeats is None else repeats[i] or reason)
        # An events.csv that a run wrote has the flags of that run: those of this one replace them.
        own = [word for word in row.flags.split(";") if word and word not in STUDY_FLAGS]
        seen = panel.last_session(row.ticker, panel.calendar_of(row.exchange))
        flags.append(";".join(own + (_flags(i, abnormal, minimum, seen) if usable[i] else [])))
    return table.assign(
        status=np.where(usable, "ok", "dropped"), reason=reasons, flags=flags, nobs=abnormal.nobs.astype(int)
    )


def _reason(
    i: int, event: Any, abnormal: AbnormalReturns, panel: ReturnsPanel, *, needs_benchmark: bool
) -> str:
    """Say why event i cannot be used; the first of several causes is the one to mend first."""
    calendar = panel.calendar_of(event.exchange)
    if needs_benchmark and not event.benchmark:
        return "no benchmark: give one in the column benchmark or with --benchmark"
    symbols = {event.ticker: "no price data"}
    if needs_benchmark:
        symbols.setdefault(event.benchmark, "no price data for the benchmark")
    for symbol, lack in symbols.items():
        if panel.row(symbol, calendar) < 0:
            return f"{lack}: {panel.failures.get(symbol, f'{symbol} is not in the data')}"
        beyond = _beyond(panel, panel.row(symbol, calendar), event.day0)
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


def _rows(panel: ReturnsPanel, symbols: Iterable[str], calendars: list[str]) -> IntArray:
    return np.array([panel.row(s, c) for s, c in zip(symbols, calendars, strict=True)], dtype=np.int64)
