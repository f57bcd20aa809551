"""One frozen record of everything that determines a study, read from options or a TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import prod
from typing import Any, ClassVar, Literal

from ..abnormal import Conventions
from ..calendars import CalendarChoice, Window
from ..errors import ConfigError, hide_secrets
from ..models import CovType, Engine
from ..quality import ReturnKind
from ..returns import BenchmarkPolicy, Measure
from ..windows import HALT_DRIFT
from ..words import make_error
from .settings import Setting, plain_value, read, within

Halt = Literal["calendar", "shift"]
Repeat = Literal["mask", "first", "keep-all"]

# Specifications that a table and a figure can show.
MOST_SPECIFICATIONS = 2000
# Days of the shorter estimation window.
SHORTER = 120
# Tests, leakage before and drift after the announcement (docs/methods/dates.md).
ENDS = (0, 0), (0, 1), (-1, 1), (-3, 3), (-5, 5), (-10, 10), (-10, -2), (2, 10)
USUAL = tuple(Window(*ends) for ends in ENDS)


@dataclass(frozen=True, slots=True)
class Grid:
    """Lists of choices; the specifications are all of their combinations.

    The choice of the study itself always counts, and stands alone where a list is empty.

    Attributes
    ----------
    model : tuple of str
        Models of normal returns.
    estimation : tuple of Window
        Estimation windows.
    car : tuple of Window
        Windows of the effect; empty = those of the settings, else the four usual ones.
    sample : tuple of str
        Where-expressions over the columns of the events, such as "direction == 'adverse'" or
        "without flagged"; "" = all events of the answer.
    halt : tuple of {"calendar", "shift"}
        Treatments of halts.
    """

    # What is varied where nothing is named.
    MODELS: ClassVar = ("market", "market_adjusted", "constant_mean")
    CARS: ClassVar = (Window(0, 0), Window(0, 1), Window(-1, 1), Window(0, 5))

    model: tuple[str, ...] = ()
    estimation: tuple[Window, ...] = ()
    car: tuple[Window, ...] = ()
    sample: tuple[str, ...] = ()
    halt: tuple[Halt, ...] = ()

    @classmethod
    def of(cls, lists: Mapping[str, Any]) -> Grid:
        """Return the grid of lists as TOML has them.

        Raises
        ------
        ConfigError
            For an unknown name, a value of the wrong type, or too many specifications.
        """
        grid = cls(**read(cls, lists))
        n = prod(len(choices) or 1 for choices in grid.to_dict().values())
        if n > MOST_SPECIFICATIONS:
            most = MOST_SPECIFICATIONS
            raise make_error(ConfigError, "setting.specifications", value=f"{n:,}", most=most)
        return grid

    def to_dict(self) -> dict[str, list[str]]:
        """Return the lists that are not empty as TOML has them."""
        lists = {f.name: plain_value(getattr(self, f.name)) for f in fields(self)}
        return {name: choices for name, choices in lists.items() if choices}


def usual_grid(estimation: Window, event: Window, measure: Measure) -> dict[str, list[str]]:
    """Return what is varied where nothing is named: three models, two estimation windows, windows.

    Parameters
    ----------
    estimation : Window
        That of the study; the shorter one has its last 120 days.
    event : Window
        Which holds all windows of the effect.
    measure : {"return", "volume", "turnover", "volatility"}
        Only returns have other models.
    """
    shorter = Window(estimation.stop - SHORTER + 1, estimation.stop)
    estimations = (estimation, shorter) if len(estimation) > SHORTER else ()
    models = Grid.MODELS if measure == "return" else ()
    return Grid(models, estimations, tuple(w for w in Grid.CARS if w in event)).to_dict()


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """All settings of a study; two runs with equal settings and equal data give equal numbers.

    Values may be written as in a study file: a window as ``(0, 1)`` or ``"0:1"``.

    Attributes
    ----------
    prices : str
        ``auto``, ``yahoo``, ``sample``, ``store`` or a path; of several, such as
        ``yahoo,files:backup``, each symbol has the first that covers its windows.
    fill : str
        A further source of prices, for sessions that the source of a symbol lacks; "" = none.
    returns : str
        A file of returns to be used instead of prices; "" = none.
    benchmark : str
        Index for all events, a portfolio ``A;B;C``, or ``peers`` for the column of that name; "" =
        the column ``benchmark``, else the index of the exchange or its stand-in.
    benchmark_policy : {"fallback", "strict"}
        If the index in the column ``benchmark`` lacks prices: take an index of the exchange, or
        drop the event ("strict").
    size : str
        Market values for weights and losses: ``yahoo``, or a file; "" = the column ``mcap``.
    currency : str
        What returns are converted to: an ISO code, or ``local``.
    measure : {"return", "volume", "turnover", "volatility"}
        What is studied: returns, log volume, log turnover, or log range-based variance.
    model : str
        Name of a registered model; "" = ``market``, or ``constant_mean`` for other measures.
    model_options : tuple of str
        Options of the model, such as ``lags=2``.
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"}
        Covariance of the parameters.
    factors : tuple of str
        Files of factors, or names of Ken French's data library such as ``ff5:daily``.
    series : tuple of str
        Series that a model needs and that are the same for all events, such as ``world=URTH``.
    estimation : Window
        Days whose returns the model is fitted to, in trading days, event day = 0.
    event : Window
        Days that abnormal returns are computed for; it is widened to hold the windows tested.
    windows : tuple of Window
        Windows tested, the first is the main one; empty = the defaults that fit into the event
        window.
    tests : tuple of str
        Names of registered tests; empty = all.
    by : str
        Column that splits the events; "" = ``group`` or ``direction`` if it has several values;
        "none" = no groups. The answer is about the group with most rows that can be tested.
    ticker, date : str
        The columns of the events with the ticker and the announcement; "" = ``ticker`` and
        ``announced_at``.
    firm : str
        Column that names the firm: if its listings share an announcement, the first counts.
    calendar : {"exchange", "data"}
        Sessions of the exchange, or the dates of the data.
    kind : {"simple", "log"}
        Kind of returns.
    engine : {"statsmodels", "batch"}
        How models are fitted: event by event, or all at once; the numbers agree to rounding.
    min_estimation : int
        Events with fewer complete estimation days are flagged.
    calibrate : int
        Most other dates on which a run repeats its main test, for up to 200 events; with a column
        ``peers`` also on other firms; 0 = none.
    regress : tuple of str
        Columns of the events on which the CARs are regressed.
    regress_cov : {"HC3", "HC0", "HC1", "HC2", "nonrobust", "date"}
        Errors to compare with those that decide: of independent events, or by event date.
    halt : {"calendar", "shift"}
        Let an event's clock run through a halt, or start it when trading resumes ("shift").
    halt_drift : int
        Most sessions of a halt for which the expected return counts alpha; for "shift".
    repeat : {"mask", "first", "keep-all"}
        Several events of one firm: mask their windows in estimation, keep the first, or do neither.
    confounders : str
        A file of other news; "" = none.
    confounder_days : int
        Sessions around the main window in which other news confounds an event.
    find_confounders : bool
        Flag events near which the prices have other news: dividends, splits, jumps of index or
        exchange rate, or another event of the firm. None is dropped for it.
    drop_confounded : bool
        Leave confounded events out.
    event_pages : int
        Number of pages of single events, for those that moved most; 0 = none.
    title : str
        Title of the report; "" = made from the events, such as ``54 announcements, 22 companies``.
    figures : {"", "titled", "plain"}
        Write figures as well (SVG, PDF and PNG), with titles and sources, or plain, for a paper
        that has its own captions; true = titled, "" = none.
    scar, overlap, missing, limits, min_history, fpc, draws, seed
        See :class:`Conventions`.
    grid : mapping of str to list
        Choices of :class:`Grid` by name, for ``tables/specifications.csv``; empty = the usual
        grid, for up to 200 events.

    Examples
    --------
    >>> import eventstudy as es
    >>> config = es.StudyConfig(prices="sample", event="-5:5", windows=[(0, 1)])
    >>> config.event, config.main
    (Window(start=-5, stop=5), Window(start=0, stop=1))
    """

    prices: str = "auto"
    fill: str = ""
    returns: str = ""
    benchmark: str = ""
    benchmark_policy: BenchmarkPolicy = "fallback"
    currency: str = "local"
    size: str = ""
    measure: Measure = "return"
    model: str = ""
    model_options: tuple[str, ...] = ()
    cov_type: CovType = "nonrobust"
    factors: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    estimation: Window = Window.ESTIMATION
    event: Window = Window.EVENT
    windows: tuple[Window, ...] = ()
    tests: tuple[str, ...] = ()
    by: str = ""
    ticker: str = ""
    date: str = ""
    firm: str = ""
    calendar: CalendarChoice = "exchange"
    kind: ReturnKind = "simple"
    engine: Engine = "statsmodels"
    min_estimation: int = 100
    halt: Halt = "calendar"
    halt_drift: int = HALT_DRIFT
    repeat: Repeat = "mask"
    confounders: str = ""
    confounder_days: int = 1
    find_confounders: bool = False
    drop_confounded: bool = False
    calibrate: int = Conventions.CALIBRATE
    regress: tuple[str, ...] = ()
    regress_cov: Literal["HC3", "HC0", "HC1", "HC2", "nonrobust", "date"] = "HC3"
    event_pages: int = 100
    figures: Literal["", "titled", "plain"] = ""
    title: str = ""
    scar: Literal["exact", "sum"] = "exact"
    overlap: Literal["exact", "share"] = "exact"
    missing: Literal["drop", "rescale", "zero"] = "drop"
    limits: Literal["extend", "none", "drop"] = "extend"
    min_history: int = Conventions.HISTORY
    fpc: bool = False
    draws: int = Conventions.DRAWS
    seed: int = Conventions.SEED
    grid: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, setting in Setting.of(StudyConfig).items():
            object.__setattr__(self, name, setting.read(getattr(self, name)))
        every = (self.event, *self.windows)
        widest = Window(min(w.start for w in every), max(w.stop for w in every))
        object.__setattr__(self, "event", widest)
        if self.estimation.stop >= self.event.start:
            where = "event" if self.estimation == Window.ESTIMATION else "estimation"
            pair = f"{self.estimation} and {self.event}"
            raise make_error(ConfigError, "setting.overlap", where=where, value=pair)
        if self.currency != "local" and not re.fullmatch("[A-Z]{3}", self.currency):
            raise self._refused("currency")
        if 0 < self.calibrate < Conventions.FEWEST_PLACEBOS:
            raise self._refused("calibrate", least=Conventions.FEWEST_PLACEBOS)
        self._check_data()
        self.conventions  # noqa: B018 - checks them
        self.named_series  # noqa: B018
        if self.grid:
            self._check_grid()

    @property
    def normal_model(self) -> str:
        """Name of the model of normal returns."""
        return self.model or ("market" if self.measure == "return" else "constant_mean")

    @property
    def columns(self) -> dict[str, str] | None:
        """Which columns of the events stand for the two needed ones; None where nobody says it."""
        is_said = self.ticker or self.date
        return {"ticker": self.ticker, "announced_at": self.date} if is_said else None

    @property
    def conventions(self) -> Conventions:
        """What tests do where authors differ."""
        return Conventions(**{f.name: getattr(self, f.name) for f in fields(Conventions)})

    @property
    def named_series(self) -> dict[str, str]:
        """Tickers by name of the series."""
        pairs = [text.partition("=") for text in self.series]
        for (name, _, ticker), text in zip(pairs, self.series, strict=True):
            if not (name and ticker):
                raise make_error(ConfigError, "setting.series", where="series", value=text)
        return {name: ticker for name, _, ticker in pairs}

    @property
    def tested(self) -> tuple[Window, ...]:
        """The windows that are tested, without repetition."""
        usual = tuple(window for window in USUAL if window in self.event)
        return tuple(dict.fromkeys(self.windows)) or usual or (self.event,)

    @property
    def main(self) -> Window:
        """The window of the headline: the first one asked for, else [0,1] if it is tested."""
        if self.windows or Window.MAIN not in self.tested:
            return self.tested[0]
        return Window.MAIN

    @property
    def choices(self) -> Grid:
        """The grid of the settings, or the usual one."""
        return Grid.of(self.grid or usual_grid(self.estimation, self.event, self.measure))

    def with_model(self, name: str) -> StudyConfig:
        """Return the settings of the study alone with a model; options are of its model only."""
        options = self.model_options if name == self.normal_model else ()
        return replace(self, grid={}, model=name, model_options=options)

    def with_options(self, options: Mapping[str, Any]) -> StudyConfig:
        """Return the settings with `options` in their place, as TOML or the command line has them.

        Raises
        ------
        ConfigError
            For an unknown name (with the closest one) or a value of the wrong type.
        """
        return replace(self, **read(StudyConfig, options))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values (windows as ``"START:STOP"``) for JSON or TOML, without secrets."""
        values = {f.name: plain_value(getattr(self, f.name)) for f in fields(self)}
        for name in ("prices", "fill"):
            if ":" in values[name]:  # what follows is for the price source of another package
                values[name] = hide_secrets(values[name])
        return values if self.grid else {k: v for k, v in values.items() if k != "grid"}

    def _check_data(self) -> None:
        """Refuse what the data of a study cannot be asked for."""
        if self.returns and self.measure != "return":
            raise self._refused("measure")
        if self.fill and (self.returns or self.measure != "return"):
            raise self._refused("fill")
        if self.currency != "local" and (self.returns or self.measure != "return"):
            raise self._refused("currency", "no_rates" if self.returns else "no_currency")

    def _refused(self, name: str, code: str = "", **facts: Any) -> ConfigError:
        """Return the error for a setting, by its name unless a code says more."""
        value = getattr(self, name)
        return make_error(ConfigError, f"setting.{code or name}", where=name, value=value, **facts)

    def _check_grid(self) -> None:
        with within("grid"):
            grid = Grid.of(self.grid)
            object.__setattr__(self, "grid", grid.to_dict())
            for estimation in grid.estimation:
                replace(self, grid={}, estimation=estimation)
            for window in grid.car:
                if window not in self.event:
                    facts: Any = {"where": "car", "value": str(window), "event": self.event}
                    raise make_error(ConfigError, "setting.outside", **facts)
