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

    The choice of the study itself is always among the choices. If a list is empty, the choice of
    the study is the only one.

    Attributes
    ----------
    model : tuple of str
        Models of normal returns.
    estimation : tuple of Window
        Estimation windows.
    car : tuple of Window
        Windows of the effect; empty = the windows of the settings, or else the four usual windows.
    sample : tuple of str
        Conditions on the columns of the events, such as "direction == 'adverse'" or "without
        flagged"; "" = all events of the answer.
    halt : tuple of {"calendar", "shift"}
        Ways to count days during a trading halt, as for the setting `halt`.
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
    """All settings of a study.

    Two studies with equal settings and equal data give equal numbers.

    Values may be written as in a study file: a window as ``(0, 1)`` or ``"0:1"``.

    Attributes
    ----------
    prices : str
        Source of prices: ``auto``, ``yahoo``, ``sample``, ``store`` or a path. Several sources are
        separated by commas, such as ``yahoo,files:backup``. Each symbol takes the first source that
        has prices for all its windows.
    fill : str
        A second source of prices; "" = none. The second source fills sessions on which the main
        source of a symbol has no price.
    returns : str
        File of returns to use instead of prices; "" = none.
    benchmark : str
        Benchmark of all events: an index, a portfolio ``A;B;C``, or ``peers`` for the firms in the
        column ``peers``; "" = the index in the column ``benchmark``. An event without such an index
        gets the index of its exchange, or a replacement of this index.
    benchmark_policy : {"fallback", "strict"}
        What to do if the index in the column ``benchmark`` lacks prices: take an index of the
        exchange ("fallback"), or drop the event ("strict").
    size : str
        Source of the market values for weights and losses: ``yahoo`` or a file; "" = the column
        ``mcap``.
    currency : str
        Currency of the returns: an ISO code, or ``local`` for the currency of each exchange.
    measure : {"return", "volume", "turnover", "volatility"}
        Quantity that is studied: returns, log volume, log turnover, or the log of a variance from
        daily highs and lows.
    model : str
        Name of the model of normal returns; "" = ``market`` for returns, ``constant_mean`` for
        other measures.
    model_options : tuple of str
        Options of the model, such as ``lags=2``.
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"}
        Kind of the covariance matrix of the model's parameters.
    factors : tuple of str
        Files of factors, or names of Ken French's data library such as ``ff5:daily``.
    series : tuple of str
        Further series that the model needs, the same for all events, such as ``world=URTH``.
    estimation : Window
        Days on whose returns the model is estimated, counted in trading days from the event day 0.
    event : Window
        Days for which abnormal returns are computed. The event window is widened if it does not
        contain all tested windows.
    windows : tuple of Window
        Windows to test; the first is the main window. Empty = the default windows that fit into the
        event window.
    tests : tuple of str
        Names of the tests to compute; empty = all tests.
    by : str
        Column that splits the events into groups; "" = ``group`` or ``direction``, if the column
        has several values; "none" = no groups. The main answer is about the group with the most
        events that can be tested.
    ticker, date : str
        Names of the columns with the ticker and the announcement date; "" = ``ticker`` and
        ``announced_at``.
    firm : str
        Column that names the firm of each listing. If several listings of a firm share an
        announcement, only the first listing counts.
    calendar : {"exchange", "data"}
        Trading days: the sessions of the exchange ("exchange"), or the dates of the data ("data").
    kind : {"simple", "log"}
        Kind of the returns: simple ("simple") or logarithmic ("log").
    engine : {"statsmodels", "batch"}
        How models are fitted: event by event ("statsmodels"), or all events at once ("batch"). Both
        ways give the same numbers up to rounding.
    min_estimation : int
        Number of estimation days. Events with fewer complete estimation days are flagged.
    calibrate : int
        Largest number of other dates on which a run repeats its main test, to count false alarms; 0
        = none. The test is repeated in studies of up to 200 events. With a column ``peers`` the
        test is also repeated on other firms.
    regress : tuple of str
        Columns of the events that explain the CARs in a regression.
    regress_cov : {"HC3", "HC0", "HC1", "HC2", "nonrobust", "date"}
        Kind of standard errors that a regression shows next to the standard errors that decide.
        "HC3" and the like treat events as independent; "date" clusters them by event date.
    halt : {"calendar", "shift"}
        How to count days during a trading halt: count all sessions ("calendar"), or skip halted
        sessions and start counting when trading resumes ("shift").
    halt_drift : int
        Largest number of halted sessions for which the expected return includes alpha, the constant
        of the model. The setting applies only if ``halt`` is "shift".
    repeat : {"mask", "first", "keep-all"}
        How to treat several events of one firm. "mask" leaves event windows of other events out of
        the estimation. "first" keeps only the first of overlapping events. "keep-all" keeps all
        days and all events.
    confounders : str
        File of other news; "" = none.
    confounder_days : int
        Number of sessions before and after the main window. Other news within these sessions
        confounds an event.
    find_confounders : bool
        Flag events that have other news nearby: dividends, splits, jumps of the index or exchange
        rate, or another event of the firm. The program finds the other news in the prices and in
        the events. A flagged event is not dropped.
    drop_confounded : bool
        Leave out confounded events, which have other news nearby.
    event_pages : int
        Number of pages about single events. The events with the largest moves get a page; 0 = none.
    title : str
        Title of the report; "" = a title made from the events, such as ``54 announcements, 22
        companies``.
    figures : {"", "titled", "plain"}
        Whether to write figure files (SVG, PDF and PNG). "titled" or true = the figures have titles
        and sources; "plain" = the figures have no titles and no sources, for a paper with its own
        captions; "" = no files.
    scar, overlap, missing, limits, min_history, fpc, draws, seed
        Choices of the tests, explained in :class:`Conventions`.
    grid : mapping of str to list
        Choices whose combinations are computed for the file ``tables/specifications.csv``: lists by
        name, as in ``[grid]`` of a study file. Empty = the usual choices, in studies of up to 200
        events.

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
        """Names of the columns for the ticker and the date; None if no names are set."""
        is_said = self.ticker or self.date
        return {"ticker": self.ticker, "announced_at": self.date} if is_said else None

    @property
    def conventions(self) -> Conventions:
        """The choices where published methods of a test differ, as a Conventions object."""
        return Conventions(**{f.name: getattr(self, f.name) for f in fields(Conventions)})

    @property
    def named_series(self) -> dict[str, str]:
        """Ticker of each series in `series`, by the name of the series."""
        pairs = [text.partition("=") for text in self.series]
        for (name, _, ticker), text in zip(pairs, self.series, strict=True):
            if not (name and ticker):
                raise make_error(ConfigError, "setting.series", where="series", value=text)
        return {name: ticker for name, _, ticker in pairs}

    @property
    def tested(self) -> tuple[Window, ...]:
        """The windows that are tested, each window once."""
        usual = tuple(window for window in USUAL if window in self.event)
        return tuple(dict.fromkeys(self.windows)) or usual or (self.event,)

    @property
    def main(self) -> Window:
        """The main window: the first window of `windows`; by default [0,1] if [0,1] is tested."""
        if self.windows or Window.MAIN not in self.tested:
            return self.tested[0]
        return Window.MAIN

    @property
    def choices(self) -> Grid:
        """The grid of other choices in the settings, by default the usual grid."""
        return Grid.of(self.grid or usual_grid(self.estimation, self.event, self.measure))

    def with_model(self, name: str) -> StudyConfig:
        """Return the settings with the model `name` and without a grid.

        The options of the model are kept only if the settings already have the model `name`.
        """
        options = self.model_options if name == self.normal_model else ()
        return replace(self, grid={}, model=name, model_options=options)

    def with_options(self, options: Mapping[str, Any]) -> StudyConfig:
        """Return the settings with `options` replaced.

        The options are named as in a study file or on the command line.

        Raises
        ------
        ConfigError
            If a name is unknown or a value has the wrong type. The message suggests the closest
            known name.
        """
        return replace(self, **read(StudyConfig, options))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values for JSON or TOML, without secrets such as passwords.

        A window is written ``"START:STOP"``.
        """
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
