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

    You can write a value as in Python or as in a study file (a TOML file of settings). For example,
    ``(0, 1)`` and ``"0:1"`` are the same window.

    Attributes
    ----------
    prices : str
        Source of the prices: ``yahoo``, ``sample`` (example prices in the package), ``store``
        (prices kept from earlier downloads), ``auto`` (kept prices, updated from Yahoo) or a path.
        You can name several sources, separated by commas, such as ``yahoo,files:backup``, where
        ``backup`` is a path. All prices of a symbol then come from one source: the first that has
        prices on all days of the windows.
    fill : str
        Second source of prices, for sessions on which the first source has no price of a share; ""
        = no second source.
    returns : str
        File of daily returns that the study uses instead of prices; "" = no file.
    benchmark : str
        Benchmark of all events: the ticker of an index, or a portfolio of tickers such as
        ``A;B;C``. With ``peers``, the benchmark of each event is the portfolio of the firms in the
        column ``peers`` of the events. By default, each event uses the index in the column
        ``benchmark`` of the events, or else an index of its exchange.
    benchmark_policy : {"fallback", "strict"}
        What to do if the index in the column ``benchmark`` of the events lacks prices. With
        "fallback", the event uses an index of its exchange instead. With "strict", the event keeps
        its index, and the program drops the event if the index has too few prices.
    size : str
        Source of the market values of the firms: ``yahoo`` or a file; "" = the column ``mcap`` of
        the events. The program needs market values for value weights and for losses in money.
    currency : str
        Currency of the returns: a code such as ``USD``, or ``local`` for the currency of each
        exchange.
    measure : {"return", "volume", "turnover", "volatility"}
        Daily quantity that the study measures: the return, or the logarithm of trading volume,
        turnover or volatility. The volatility is a variance computed from the high and the low of
        the day.
    model : str
        Name of the model of normal returns; "" = ``market`` for returns and ``constant_mean`` for
        other measures.
    model_options : tuple of str
        Options of the model, such as ``lags=2`` for the Dimson model.
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"}
        Estimator of the covariance matrix of the model's parameters, by its name in statsmodels.
    factors : tuple of str
        Files of daily factor returns, or names of data sets in Kenneth French's data library, such
        as ``ff5:daily``.
    series : tuple of str
        Return series that the model needs besides the market, such as ``world=URTH`` for a world
        index. All events use the same series.
    estimation : Window
        Estimation window: the trading days on which the model is estimated, counted from day 0
        (the first session on which the share could react to the news).
    event : Window
        Event window: the trading days for which abnormal returns are computed, counted from day 0.
        If a tested window reaches beyond the event window, the program widens the event window.
    windows : tuple of Window
        Windows to test. The first window is the main window. If you name no window, the program
        tests those of its default windows that fit into the event window.
    tests : tuple of str
        Names of the significance tests to compute beside the main test. If you name no test, the
        program computes all tests.
    by : str
        Column that splits the events into groups; "" = ``group`` if this column has several values,
        otherwise ``direction`` if it has several values. With "none", there are no groups. The main
        answer of the report is about one group: of the groups that have a result, the one with the
        most events.
    ticker : str
        Column with the ticker of the share; "" = ``ticker``, ``symbol`` or an identifier such as
        ``permno``.
    date : str
        Column with the date of the announcement; "" = ``announced_at``, ``date`` or ``event_date``.
    firm : str
        Column that names the firm of each share. If the events file has the same announcement for
        several shares of a firm, the study uses only one of these shares: the first that has a CAR
        over the main window.
    calendar : {"exchange", "data"}
        Which days are trading days: the sessions of the exchange ("exchange"), or the dates in the
        price data ("data").
    kind : {"simple", "log"}
        Whether returns are simple or logarithmic.
    engine : {"statsmodels", "batch"}
        How the model is estimated: one event after another ("statsmodels"), or all events at once
        ("batch"). Both engines give the same numbers up to rounding.
    min_estimation : int
        Smallest number of complete estimation days. An event that has fewer gets a flag, but stays
        in the study.
    calibrate : int
        How many times, at most, the program repeats the main test on other dates, without
        announcements; 0 = never, otherwise at least 39. The repetitions measure the rate of false
        alarms. The program repeats the test only in studies of up to 200 events. If the events have
        a column ``peers``, the program also repeats the study with other firms: it assigns each
        announcement at random to its firm or to one of the peers.
    regress : tuple of str
        Columns of the events file that explain the CARs in a regression across events.
    regress_cov : {"HC3", "HC0", "HC1", "HC2", "nonrobust", "date"}
        Second kind of standard errors in the table of the regression (see ``regress``), beside the
        kind that the program chooses. With "date", these errors are clustered by the date of day 0.
        All other choices treat the events as independent.
    halt : {"calendar", "shift"}
        How to count event days during a trading halt of a share. With "calendar", every session of
        the exchange is an event day. With "shift", only sessions with trading in the share are
        event days.
    halt_drift : int
        With ``halt = "shift"``, the normal return over a trading halt contains alpha, the constant
        of the model, for at most this number of sessions.
    repeat : {"mask", "first", "keep-all"}
        How to treat several events of one firm. With "mask", the estimation leaves out the days in
        the event window of another event of the firm. With "first", the program also drops each
        event whose event window overlaps that of an earlier event that it has kept. With
        "keep-all", the study uses all days and all events.
    confounders : str
        File with other news about the firms; "" = no file.
    confounder_days : int
        Number of sessions before and after the main window in which the program looks for other
        news. An event with other news in the main window or in these sessions is called confounded.
    find_confounders : bool
        Search the prices and the events for other news. Other news is a dividend, a split, a jump
        of the index or of the exchange rate, or another event of the firm. An event with other news
        in the main window, or at most ``confounder_days`` sessions from it, gets a flag, but stays
        in the study.
    drop_confounded : bool
        Drop the events that are confounded by news in the file `confounders` or in the column
        ``confounders`` of the events. Events with news that only `find_confounders` finds stay in
        the study.
    event_pages : int
        Largest number of pages about single events in the report; 0 = no pages. The events with the
        largest absolute CARs over the main window get a page.
    title : str
        Title of the report; "" = a title that the program makes from the events, such as ``54
        announcements, 22 companies``.
    figures : {"", "titled", "plain"}
        Form of the figures that are written as SVG, PDF and PNG files; "" = no files. With "titled"
        (or true), the figures have titles and sources. With "plain", they have neither, for a paper
        with its own captions.
    scar, overlap, missing, limits, min_history, fpc, draws, seed
        Settings of the significance tests. The class :class:`Conventions` explains them.
    grid : mapping of str to list
        Further values of some settings, such as ``{"model": ["market", "market_adjusted"]}``. The
        program repeats the study for every combination of the values, and writes the results to the
        file ``tables/specifications.csv``. Without a grid, it repeats only studies of up to 200
        events, with other models, a shorter estimation window and other windows of the CAR.

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
        """Name of the model of normal returns that the study uses."""
        return self.model or ("market" if self.measure == "return" else "constant_mean")

    @property
    def columns(self) -> dict[str, str] | None:
        """Names of the columns for the ticker and the date; None if no names are set."""
        is_said = self.ticker or self.date
        return {"ticker": self.ticker, "announced_at": self.date} if is_said else None

    @property
    def conventions(self) -> Conventions:
        """The settings of the significance tests as a Conventions object."""
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
        """The windows that the study tests, without repetitions."""
        usual = tuple(window for window in USUAL if window in self.event)
        return tuple(dict.fromkeys(self.windows)) or usual or (self.event,)

    @property
    def main(self) -> Window:
        """The main window of the study.

        It is the first window in `windows`. If `windows` is empty, it is [0,1], or the first tested
        window if the study does not test [0,1].
        """
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
        """Return a copy of the settings in which some settings have new values.

        The mapping `options` has the new value of each setting by the name of the setting. You can
        write a value as in Python or as in a study file.

        Raises
        ------
        ConfigError
            If a name is unknown or a value has the wrong type. The message suggests a known name
            with a similar spelling.
        """
        return replace(self, **read(StudyConfig, options))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dictionary, without secrets such as passwords.

        The values can be written to a JSON or TOML file. A window is the text ``"START:STOP"``.
        """
        values = {f.name: plain_value(getattr(self, f.name)) for f in fields(self)}
        for name in ("prices", "fill", "title"):
            if ":" in values[name]:  # may hold the address of a price source, or another one
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
