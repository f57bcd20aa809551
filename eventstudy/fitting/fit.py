"""Fitting a study: its inputs, checked once, and the steps from them to its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..abnormal.conventions import Conventions
from ..calendars.window import ESTIMATION, EVENT, Window, require_apart
from ..errors import ConfigError
from ..events.grouping import grouped
from ..events.table import Events, events_from_frame, read_events
from ..models import LinearModel, make_model
from ..models.censored import censored
from ..returns import ReturnsPanel
from ..returns.benchmarks import settled
from ..returns.currency import factor_currency
from ..returns.factor_files import checked_factors, read_factors
from ..returns.load import FACTOR, load_returns
from ..returns.measures import require_intercept, require_prices
from ..returns.returns_files import read_returns
from ..returns.series import MARKET
from ..utility.blas import one_thread
from ..utility.chunks import KEPT
from ..utility.log import note
from ..utility.typing import BenchmarkPolicy, Engine, Halt, IntArray, ObjectArray, Repeat
from .config import StudyConfig
from .confounding import confounded_by, read_confounders, reasons_of, with_confounders
from .fitted import FittedStudy
from .halts import resumed
from .overlapping_events import masked, overlapping
from .price_limits import with_bounds, with_runs
from .series_rows import lay_out
from .settings import settings_of, within
from .status import dates_of, repeated_by_shift, repeats_of, with_status

if TYPE_CHECKING:
    import pandas as pd

    from ..prices import PriceProvider

# Settings of a study that are read as those of a study file are.
CHECKED = ("estimation", "event", "engine", "min_estimation", "halt", "repeat", "benchmark_policy")


@dataclass(frozen=True, eq=False, repr=False)
class StudyInputs:
    """The inputs of a study, read and checked; its fields are the parameters of ``EventStudy``."""

    events: Events
    returns: ReturnsPanel
    model: str | LinearModel = "market"
    estimation: Window | tuple[int, int] = ESTIMATION
    event: Window | tuple[int, int] = EVENT
    benchmark: str = ""
    benchmark_policy: BenchmarkPolicy = "fallback"
    engine: Engine = "statsmodels"
    min_estimation: int = 100
    factors: pd.DataFrame | None = None
    series: Mapping[str, str] = field(default_factory=dict)
    conventions: Conventions = field(default_factory=Conventions)
    halt: Halt = "calendar"
    repeat: Repeat = "mask"
    left_out: Sequence[str] = ()

    def __post_init__(self) -> None:
        settings = settings_of(StudyConfig)
        read = {name: settings[name].read(getattr(self, name)) for name in CHECKED}
        require_apart(read["estimation"], read["event"])
        _require_model(self.model)
        read |= {"events": events_given(self.events), "returns": _panel(self.returns)}
        for name, value in read.items():
            object.__setattr__(self, name, value)

    def fitted(self) -> FittedStudy:
        """Estimate the model for every event and return abnormal returns and what follows from
        them.

        Raises
        ------
        ConfigError
            If the model needs a series that there is not.
        """
        around: Any = {"estimation": Window.of(self.estimation), "event": Window.of(self.event)}
        tobit = self.conventions.limits == "censored"
        said = (*self.returns.notices, *self.events.notices)
        returns = replace(self.returns, notices=tuple(dict.fromkeys(said)))
        table, panel = settled(
            self.events, returns, benchmark=self.benchmark, policy=self.benchmark_policy, **around
        )
        model = make_model(self.model) if isinstance(self.model, str) else self.model
        columns, panel = self._with_factors(panel)
        model = model.bound(columns)
        around["kept"] = len(table) <= KEPT or tobit or not model.least_squares
        require_intercept(model.parameters, panel.measure, model.name)
        require_prices(self.conventions.limits, panel.measure)
        calendars = [panel.calendar_of(code) for code in table["exchange"].tolist()]
        table["day0"] = panel.sessions_of(calendars, dates_of(table["day0"])).astype(
            "datetime64[s]"
        )
        repeats = repeats_of(table)
        happened = repeats == ""
        if self.left_out:
            repeats = np.where(repeats == "", np.array(self.left_out, dtype=object), repeats)
        layout = lay_out(
            panel, self.events, model, calendars, benchmarks=list(table["benchmark"]),
            series=self.series,
            columns=columns,
        )  # fmt: skip
        firms, days = table["ticker"].to_numpy(object), dates_of(table["day0"])
        layout = replace(layout, rows=np.where(repeats == "", layout.rows, -1))
        windows = layout.around(days, **around)
        if self.halt == "shift":
            layout, days = resumed(layout, windows, days)
            table["day0"] = days.astype("datetime64[s]")
            repeats = repeated_by_shift(table, repeats)
            layout = replace(layout, rows=np.where(repeats == "", layout.rows, -1))
            windows = layout.around(days, **around)
        first = self.repeat == "first"
        overlap = overlapping(windows, firms, layout.rows >= 0, kept_only=first)
        if first:
            repeats = np.where(overlap >= 0, self._within(overlap), repeats)
            layout = replace(layout, rows=np.where(overlap >= 0, -1, layout.rows))
            windows = layout.around(days, **around)
        if self.repeat != "keep-all":
            # An event that is left out was news all the same.
            windows = masked(windows, firms, happened)
        if tobit:
            model, windows = censored(model), with_bounds(windows, layout)
        with one_thread():
            abnormal = model.fit(windows, engine=self.engine).altered(conventions=self.conventions)
            if panel.measure == "return":
                abnormal = with_runs(abnormal, model, layout, days, engine=self.engine)
        table = with_status(
            table, abnormal, layout, minimum=self.min_estimation, left_out=repeats, overlap=overlap
        )
        return FittedStudy(abnormal, table, layout.panel, model, self.engine, layout)

    def _with_factors(self, panel: ReturnsPanel) -> tuple[list[str], ReturnsPanel]:
        """Return the names of the factors, and the panel with them."""
        if self.factors is None:
            return [], panel
        own = checked_factors(self.factors)
        return list(own.columns), panel.with_factors(own, FACTOR)

    def _within(self, overlap: IntArray) -> ObjectArray:
        """Say which event of the same firm each event of `overlap` lies within."""
        ids = self.events.table["event_id"].to_numpy(object)
        return np.array(
            [f"within the event window of event {ids[j]} of the same firm" for j in overlap], object
        )


def events_given(given: Any) -> Events:
    """Return events, read from a file or a frame where it is one."""
    if isinstance(given, Events):
        return given
    if isinstance(given, (str, Path)):
        return read_events(given)
    if hasattr(given, "columns"):
        return events_from_frame(given)
    remedy = "give read_events(path) or events_from_frame(frame)"
    raise ConfigError("not events", where="events", value=type(given).__name__, remedy=remedy)


def _panel(given: Any) -> ReturnsPanel:
    """Return returns, of a frame where it is one."""
    if isinstance(given, ReturnsPanel):
        return given
    if hasattr(given, "columns"):
        return ReturnsPanel.from_frame(given)
    remedy = "give load_returns(events, provider=...), read_returns(path, events) or a DataFrame"
    raise ConfigError("not returns", where="returns", value=type(given).__name__, remedy=remedy)


def _require_model(model: Any) -> None:
    if not isinstance(model, LinearModel):
        with within("model"):
            make_model(model)


def fit_config(
    events: Events,
    config: StudyConfig,
    prices: str | PriceProvider,
    *,
    offline: bool = False,
    store: str = "",
    vintage: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> FittedStudy:
    """Get the returns from `prices` and fit the study; its variants are left alone."""
    events = grouped(events, config.by)
    factors = read_factors(config.factors) if config.factors else None
    model = model_of(config, factors)
    if factors is not None and not _uses(model, factors):
        factors = None
    news = read_confounders(config.confounders) if config.confounders else []
    what: Any = {
        "benchmark": config.benchmark, "benchmark_policy": config.benchmark_policy, "model": model,
        "series": config.named_series, "calendar": config.calendar, "kind": config.kind,
    }  # fmt: skip
    if config.returns:
        panel = read_returns(config.returns, events, **what)
    else:
        panel = load_returns(
            events, prices, estimation=config.estimation, event=config.event,
            measure=config.measure,
            currency=config.currency, placebo=config.placebo, offline=offline,
            store=store, vintage=vintage, progress=progress, **what,
        )  # fmt: skip
    if factors is not None:
        said = factor_currency(config.currency, events.table["exchange"])
        panel = replace(panel, notices=(*panel.notices, *said))
    note(
        "prices_loaded",
        symbols=len(panel.provenance) or len(panel.keys),
        failed=len(panel.failures),
    )
    study = StudyInputs(
        events, panel, model=model, estimation=config.estimation, event=config.event,
        halt=config.halt, repeat=config.repeat, engine=config.engine,
        min_estimation=config.min_estimation,
        benchmark=config.benchmark, benchmark_policy=config.benchmark_policy, factors=factors,
        series=config.named_series, conventions=config.conventions,
    )  # fmt: skip
    results = study.fitted()
    texts = confounded_by(results, news, config.main, days=config.confounder_days)
    if config.drop_confounded and any(texts):
        results = replace(study, left_out=reasons_of(texts)).fitted()
    note("study_fitted", model=model.name, events=len(events), used=len(results))
    return with_confounders(results, texts) if any(texts) else results


def model_of(config: StudyConfig, factors: pd.DataFrame | None) -> LinearModel:
    """Return the model of a study, bound to the factors of its files."""
    model = make_model(config.normal_model, config.model_options, cov_type=config.cov_type)
    return model.bound(() if factors is None else list(factors.columns))


def _uses(model: LinearModel, factors: pd.DataFrame) -> bool:
    return bool({f.name for f in model.factors} & set(factors.columns))


def require_used(config: StudyConfig) -> None:
    """Refuse factor files and series that neither the study nor a variant of it uses."""
    factors = read_factors(config.factors) if config.factors else None
    models = [model_of(config, factors)]
    for name, own in config.studies.items():
        with within(f"variants.{name}"):
            models.append(model_of(own, factors))
    needed = {factor.name for model in models for factor in model.factors} - {MARKET.name}
    named = [own.named_series for own in (config, *config.studies.values())]
    unused = [
        f"{name}={ticker}" for own in named for name, ticker in own.items() if name not in needed
    ]
    if unused:
        series = ", ".join(sorted(needed)) or "no further series"
        raise ConfigError(
            f"the model {models[0].name} uses no such series", where="series",
            value=", ".join(dict.fromkeys(unused)),
            remedy=f"leave it out; it uses {series}, and its index is --benchmark",
        )  # fmt: skip
    if factors is not None and not any(_uses(model, factors) for model in models):
        raise ConfigError(
            f"the model {models[0].name} uses no factor of these files", where="factors",
            value=", ".join(config.factors), remedy="name one that does, such as --model ff3",
        )  # fmt: skip
