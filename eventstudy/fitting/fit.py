"""Fitting a study: the steps from its inputs to its record, and events of a firm that overlap."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..abnormal import Conventions
from ..calendars import Exchange, Window
from ..errors import ConfigError, DataError
from ..events import Events
from ..files import frame_of
from ..models import MODELS, Engine, LinearModel
from ..prices import PriceProvider
from ..quality import ReturnFault, SeriesFault
from ..returns import (
    BenchmarkPolicy,
    Benchmarks,
    Factor,
    Measure,
    Rates,
    ReturnsPanel,
    Sources,
    checked_factors,
    gate_of,
    load_returns,
    read_returns,
)
from ..settings import Halt, Repeat, Setting, StudyConfig, within
from ..utility import KEPT, DateArray, IntArray, ObjectArray, note, one_thread
from ..windows import HALT_DRIFT, EventWindows
from ..words import Reason, make_error, say
from .fitted import FittedStudy
from .found_news import confounded_by, find_news, with_confounders, without_announcing_donors
from .inputs import StudyInputs
from .layout import Layout, lay_out, resume_after_halts, with_runs
from .market_days import is_index_cut, note_markets, stops_of
from .other_events import find_other_news, find_overlaps, mask_other_events
from .other_listings import find_other_listings
from .status import dates_of, note_long_windows, repeated_by_shift, repeats_of, with_status

Source = str | PriceProvider
# Settings of a study that are read as those of a study file are.
CHECKED = (
    "estimation", "event", "engine", "min_estimation", "halt", "halt_drift", "repeat",
    "benchmark_policy",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class UnfittedStudy:
    """A study before it is fitted; its fields are the parameters of ``EventStudy``."""

    events: Events
    returns: ReturnsPanel
    model: str | LinearModel = "market"
    estimation: Window | tuple[int, int] = Window.ESTIMATION
    event: Window | tuple[int, int] = Window.EVENT
    benchmark: str = ""
    benchmark_policy: BenchmarkPolicy = "fallback"
    engine: Engine = "statsmodels"
    min_estimation: int = 100
    factors: pd.DataFrame | None = None
    series: Mapping[str, str] = field(default_factory=dict)
    conventions: Conventions = field(default_factory=Conventions)
    halt: Halt = "calendar"
    halt_drift: int = HALT_DRIFT
    repeat: Repeat = "mask"
    left_out: Sequence[str] = ()
    main: Window | tuple[int, int] | None = None

    def __post_init__(self) -> None:
        settings = Setting.of(StudyConfig)
        read = {name: settings[name].read(getattr(self, name)) for name in CHECKED}
        read["estimation"].require_before(read["event"])
        if not isinstance(self.model, LinearModel):
            with within("model"):
                MODELS.make(self.model)
        read["events"] = Events.given(self.events)
        read["returns"] = _panel(self.returns, read["events"])
        for name, value in read.items():
            object.__setattr__(self, name, value)

    def fitted(self) -> FittedStudy:
        """Return the record of the study: its model is estimated for every event.

        Where the index of its only event is not free, the share is measured against the index
        itself, until the first day on which both are (docs/methods/market-days.md).

        Raises
        ------
        ConfigError
            If the model needs a series that there is not.
        """
        study = self._fitted()
        if not is_index_cut(study):
            return study
        cut = replace(self, model="market_adjusted", series={}, factors=None)
        return replace(cut._fitted(until_free=True), instead_of=study.model.name)

    def _fitted(self, *, until_free: bool = False) -> FittedStudy:
        """Return the record by the model as it is; windows end where share and index are free."""
        around: Any = {"estimation": Window.of(self.estimation), "event": Window.of(self.event)}
        table, panel = self._with_benchmarks()
        model, columns, panel = self._bound_model(panel)
        around["keep_estimation"] = len(table) <= KEPT or not model.least_squares
        calendars = [panel.calendar_of(code) for code in table["exchange"].tolist()]
        days = panel.sessions_of(calendars, dates_of(table["day0"]))
        table["day0"] = listed = days.astype("datetime64[s]")
        sources = Sources(table["benchmark"].tolist(), self.series, columns)
        layout = lay_out(panel, self.events, model, calendars, sources)
        if until_free:
            layout = replace(layout, stops=stops_of(layout))
        layout, windows, excluded, overlap = self._aligned(table, layout, days, around)
        with one_thread():
            abnormal = model.fit(windows, engine=self.engine)
            abnormal = replace(abnormal, conventions=self.conventions)
            if panel.measure == "return":
                days = dates_of(table["day0"])
                abnormal = with_runs(abnormal, model, layout, days, engine=self.engine)
        notes: Any = {"minimum": self.min_estimation, "left_out": excluded, "overlap": overlap}
        first = None if self.main is None else Window.of(self.main)
        usual = StudyConfig(estimation=around["estimation"], event=around["event"]).main
        notes["main"] = first or usual
        table = with_status(table, abnormal, layout, **notes)
        table["day0"] = table["day0"].where(table["status"] == "ok", listed)
        long = note_long_windows(abnormal, table["flags"], notes["main"], model)
        markets = note_markets(table, abnormal, layout, notes["main"], model)
        panel = replace(layout.panel, notices=(*layout.panel.notices, *long, *markets))
        other = replace(self, halt="calendar" if self.halt == "shift" else "shift")
        return FittedStudy(
            abnormal, table, panel, model, self.engine, layout,
            other_clock=other.fitted, refit=self._fitted_by, first_window=first,
        )  # fmt: skip

    def _fitted_by(self, config: StudyConfig) -> FittedStudy:
        """Return the study with the choices of a specification."""
        name = self.model if isinstance(self.model, str) else self.model.name
        model = self.model if config.normal_model == name else config.normal_model
        around: Any = {"estimation": config.estimation, "halt": config.halt, "main": config.main}
        return replace(self, model=model, engine=config.engine, **around).fitted()

    def _aligned(
        self, table: pd.DataFrame, layout: Layout, days: DateArray, around: Mapping[str, Any]
    ) -> tuple[Layout, EventWindows, ObjectArray, IntArray]:
        """Return layout, windows, reasons to exclude events, and the event that each overlaps.

        Where halts leave the clock, day0 of `table` is changed in place.
        """
        firms = table["ticker"].to_numpy(object)
        duplicates = repeats_of(table)
        # Of the type object: reasons keep their codes.
        excluded = np.array(self.left_out or [""] * len(table), dtype=object)
        excluded = np.where(duplicates == "", excluded, duplicates)
        layout = layout.without(excluded)
        windows = layout.around(days, **around)
        if self.halt == "shift":
            layout = replace(layout, halt_drift=self.halt_drift)
            layout, days = resume_after_halts(layout, windows, days)
            table["day0"] = days.astype("datetime64[s]")
            excluded = repeated_by_shift(table, excluded)
            layout = layout.without(excluded)
            windows = layout.around(days, **around)
        first = self.repeat == "first"
        overlap = find_overlaps(windows, firms, layout.rows >= 0, kept_only=first)
        if first:
            excluded = np.where(overlap >= 0, self._within(overlap), excluded)
            layout = layout.without(excluded)
            windows = layout.around(days, **around)
        # An event that is left out was news all the same.
        news = np.where(duplicates == "", firms, "")
        if layout.donors.any():
            layout = without_announcing_donors(layout, windows, news)
            windows = layout.around(days, **around)
        if self.repeat != "keep-all":
            windows = mask_other_events(windows, firms, duplicates == "")
        windows = windows.altered(other_news=find_other_news(windows, firms, duplicates == ""))
        layout = replace(layout, treated=(news, windows.event_positions))
        return layout, windows, excluded, overlap

    def _with_benchmarks(self) -> tuple[pd.DataFrame, ReturnsPanel]:
        """Return the table of the events with their benchmarks, and the panel with all notices."""
        notices = dict.fromkeys((*self.returns.notices, *self.events.notices))
        panel = replace(self.returns, notices=tuple(notices))
        windows = Window.of(self.estimation), Window.of(self.event)
        benchmarks = Benchmarks(self.events, self.benchmark, self.benchmark_policy)
        return benchmarks.settle(panel, windows)

    def _bound_model(self, panel: ReturnsPanel) -> tuple[LinearModel, list[str], ReturnsPanel]:
        """Return the model bound to the factors, their names, and the panel with them."""
        model = MODELS.make(self.model) if isinstance(self.model, str) else self.model
        columns = list[str]()
        faults = list[SeriesFault]()
        if self.factors is not None:
            factors = checked_factors(self.factors)
            columns = list(factors.columns)
            (notices, faults) = gate_of(factors)
            panel = panel.with_factors(factors, Factor.PREFIX)
            gate: Any = {"notices": (*panel.notices, *notices), "faults": (*panel.faults, *faults)}
            panel = replace(panel, **gate)
        model = model.bound(columns)
        _require_decimals(faults, [factor.name for factor in model.factors])
        _require_measured(model, self.conventions.limits, panel.measure)
        return model, columns, panel

    def _within(self, overlap: IntArray) -> ObjectArray:
        """Return which event of the firm each event lies within; "" where that is none (-1)."""
        ids = self.events.table["event_id"].to_numpy(object)
        reasons = [Reason("overlapped", event=str(ids[j])) if j >= 0 else "" for j in overlap]
        return np.array(reasons, dtype=object)


def _require_decimals(faults: Iterable[SeriesFault], names: Container[str]) -> None:
    """Raise DataError if a fault is that one of the named factors is not in decimals."""
    for fault in faults:
        if fault.kind == ReturnFault.PERCENT and fault.symbol in names:
            cell: Any = {"where": fault.symbol, "value": fault.detail}
            raise make_error(DataError, "wrong.percent_factor", **cell)


def _require_measured(model: LinearModel, limits: str, measure: Measure) -> None:
    """Refuse choices that suit returns alone for another measure.

    A log volume differs from another by the size of the firm: only returns may be compared as they
    are, without an intercept. A close at a limit is not yet the price; the volume of that day is
    the volume.
    """
    if measure == "return":
        return
    facts: Any = {"measure": measure}
    if "alpha" not in model.parameters:
        raise make_error(
            ConfigError, "wrong.no_intercept", where="model", value=model.name, **facts
        )
    if limits == "drop":
        raise make_error(ConfigError, "wrong.limits", where="limits", value=limits, **facts)


def _panel(returns: Any, events: Events) -> ReturnsPanel:
    """Return returns, made of a frame where `returns` is one: its dates are the sessions."""
    if isinstance(returns, ReturnsPanel):
        return returns
    remedy = "give load_returns(events, provider=...), read_returns(path, events) or a DataFrame"
    panel = ReturnsPanel.from_frame(frame_of(returns, "returns", remedy))
    notices = [say("results.own_dates")] if events.calendar == "exchange" else []
    return replace(panel, notices=(*panel.notices, *notices))


def note_currency(currency: str, exchanges: Iterable[str]) -> list[str]:
    """Return a notice if the returns are not in dollars, which factors from files usually are.

    Parameters
    ----------
    currency : str
        An ISO code, or ``local``.
    exchanges : iterable of str
        Market identifier codes of the events.
    """
    homes = filter(None, map(Exchange.of_code, exchanges))
    used = {currency} if currency != Rates.LOCAL else {home.currency for home in homes}
    foreign = sorted(used - {"USD", ""})
    return [say("currency.factors", currencies=foreign)] if foreign else []


class _SeveralModels(NamedTuple):
    """The series of several models."""

    factors: tuple[Factor, ...]


def fit_config(
    inputs: StudyInputs, config: StudyConfig, prices: Source, *,
    progress: Callable[[int, int], None] | None = None,
) -> FittedStudy:  # fmt: skip
    """Return the study of `config`, fitted, with the returns that its grid needs besides.

    Parameters
    ----------
    inputs : StudyInputs
    config : StudyConfig
    prices : str or PriceProvider
        Where prices are from, as for :func:`load_returns`.
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.
    """
    events, models = inputs.events.with_bare_cells(config.by), [config.normal_model]
    models += [name for name in config.grid.get("model", ()) if name not in models]
    every = [inputs.model_of(config.with_model(name)) for name in models]
    data: Any = {
        "benchmark": config.benchmark, "benchmark_policy": config.benchmark_policy,
        "model": _SeveralModels(tuple(dict.fromkeys(f for model in every for f in model.factors))),
        "series": config.named_series, "calendar": config.calendar, "kind": config.kind,
    }  # fmt: skip
    if config.returns:
        panel = read_returns(inputs.tables.get("returns", config.returns), events, **data)
    else:
        starts = [Window.of(text).start for text in config.grid.get("estimation", ())]
        panel = load_returns(
            events, prices, estimation=config.estimation, event=config.event,
            measure=config.measure, currency=config.currency,
            further=max(0, config.estimation.start - min(starts, default=0)),
            calibrate=None if config.calibrate else False,
            offline=inputs.offline, store=inputs.store, vintage=inputs.vintage, fill=config.fill,
            progress=progress, **data,
        )  # fmt: skip
    symbols = len(panel.provenance) or len(panel.keys)
    note("prices_loaded", symbols=symbols, failed=len(panel.failures))
    study = fit_panel(inputs, config, events, panel)
    note("study_fitted", model=study.model.name, events=len(study.events), used=len(study))
    # No setting gives a firm prices that it has not.
    table = events.table[~events.table["ticker"].isin(panel.failures)]
    priced = replace(events, table=table.reset_index(drop=True)) if len(table) else events
    return replace(study, refit=lambda settings: fit_panel(inputs, settings, priced, panel))


def fit_panel(
    inputs: StudyInputs, config: StudyConfig, events: Events, returns: ReturnsPanel
) -> FittedStudy:
    """Return the study of `config`, fitted to returns that are there already.

    Parameters
    ----------
    inputs : StudyInputs
    config : StudyConfig
        The settings of the inputs, or those of a specification.
    events : Events
    returns : ReturnsPanel
        With the series of the model.
    """
    model, panel = inputs.model_of(config), returns
    if (factors := inputs.factors_of(model)) is not None:
        notices = note_currency(config.currency, events.table["exchange"])
        panel = replace(panel, notices=(*panel.notices, *notices))
    same: Any = {n: getattr(config, n) for n in (*CHECKED, "benchmark", "main", "conventions")}
    data: Any = {"series": config.named_series, "factors": factors}
    unfitted = UnfittedStudy(events, panel, model, **same, **data)
    study = unfitted.fitted()
    texts = confounded_by(study, inputs.news, config.main, days=config.confounder_days)
    left_out: list[str] = [""] * len(texts)
    if config.drop_confounded and any(texts):
        left_out = [Reason("confounded", news=text) if text else "" for text in texts]
        study = replace(unfitted, left_out=left_out).fitted()
    if config.firm and any(again := find_other_listings(study, config.firm, config.main)):
        left_out = [why or listing for why, listing in zip(left_out, again, strict=True)]
        study = replace(unfitted, left_out=left_out).fitted()
    if config.find_confounders:
        pairs = zip(texts, find_news(study, config), strict=True)
        texts = np.array(["; ".join(filter(None, pair)) for pair in pairs], dtype=object)
    return with_confounders(study, texts) if any(texts) else study
