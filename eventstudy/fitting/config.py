"""One frozen record of everything that determines a study, read from options or a TOML file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import date
from functools import cache, partial
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ..abnormal.conventions import CALIBRATE, DRAWS, FEWEST_PLACEBOS, HISTORY, SEED, Conventions
from ..calendars.window import ESTIMATION, EVENT, MAIN_WINDOW, WINDOWS, Window, plain_value
from ..errors import ConfigError, EventStudyError
from ..utility import typing as kinds
from ..utility.registry import did_you_mean
from ..windows.event_windows import HALT_DRIFT

# What all variants of a study have in common: its data, and what is computed for the study alone.
SHARED = (
    "prices", "returns", "size", "factors", "confounders", "measure", "placebo", "calibrate",
    "regress", "regress_cov", "variants", "event_pages", "interactive", "figures",
)  # fmt: skip
VARIANT_NAME = r"\w[\w\- ]{0,39}"
# The study itself among its variants.
MAIN = "main"


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """All settings of a study; two runs with equal settings and equal data give equal numbers.

    Values may be written as in a study file: a window as ``(0, 1)`` or ``"0:1"``.

    Attributes
    ----------
    prices : str
        ``auto``, ``yahoo``, ``sample``, ``store`` or a path.
    returns : str
        A file of returns to be used instead of prices; "" = none.
    benchmark : str
        Index for all events, a portfolio ``A;B;C``, or ``peers`` for the column of that name; "" =
        the column ``benchmark``, else the exchange's default and what stands in for it.
    benchmark_policy : {"fallback", "strict"}
        Whether an index of the exchange replaces one that the column ``benchmark`` names where this
        lacks prices; "strict" drops the event instead.
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
        Files of factors.
    series : tuple of str
        Series that a model needs and that are the same for all events, such as ``world=URTH``.
    estimation : Window
        Days whose returns the model is fitted to, in trading days, event day = 0.
    event : Window
        Days that abnormal returns are computed for.
    windows : tuple of Window
        Windows tested, the first leads; empty = the defaults that fit into the event window.
    tests : tuple of str
        Names of registered tests; empty = all.
    by : str
        Column that splits the events; "" = ``group`` or ``direction`` if it has several values;
        "none" = no groups. The answer is about the group with most rows that can be tested.
    firm : str
        Column that names the firm: of its listings with one ``announced_at`` the first counts.
    calendar : {"exchange", "data"}
        Sessions of the exchange, or the dates of the data.
    kind : {"simple", "log"}
        Kind of returns.
    engine : {"statsmodels", "batch"}
        How models are fitted: event by event, or all at once; the numbers agree to rounding.
    min_estimation : int
        Events with fewer complete estimation days are flagged.
    placebo : int
        Placebo studies on other dates, and on the firms in the column ``peers``; 0 = none.
    calibrate : int
        Other dates on which a run repeats its main test, at most, for up to 200 events; 0 = none.
    regress : tuple of str
        Columns of the events on which the CARs are regressed.
    regress_cov : {"HC3", "HC0", "HC1", "HC2", "nonrobust", "date"}
        Errors of that regression: of independent events, or clustered by event date.
    halt : {"calendar", "shift"}
        Whether an event's clock runs through a halt, or day 0 is when trading resumes.
    halt_drift : int
        Sessions of a halt for which the expected return counts alpha, at most; for "shift".
    repeat : {"mask", "first", "keep-all"}
        Several events of one firm: mask their windows in estimation, keep the first, or do neither.
    confounders : str
        A file of other news; "" = none.
    confounder_days : int
        Sessions around the main window in which other news confound an event.
    drop_confounded : bool
        Whether confounded events are left out.
    event_pages : int
        Pages of single events: of those that moved most, as many as this; 0 = none.
    interactive : bool
        Whether a page to explore is written as well (extra ``interactive``).
    figures : bool
        Whether figures for papers are written as well (SVG, PDF and PNG).
    scar, overlap, missing, limits, min_history, fpc, draws, seed
        See :class:`Conventions`.
    variants : mapping of str to mapping
        Settings by name of a variant, for ``tables/variants.csv``.

    Examples
    --------
    >>> import eventstudy as es
    >>> config = es.StudyConfig(prices="sample", event="-5:5", windows=[(0, 1)])
    >>> config.event, config.main
    (Window(start=-5, stop=5), Window(start=0, stop=1))
    """

    prices: str = "auto"
    returns: str = ""
    benchmark: str = ""
    benchmark_policy: kinds.BenchmarkPolicy = "fallback"
    currency: str = "local"
    size: str = ""
    measure: kinds.Measure = "return"
    model: str = ""
    model_options: tuple[str, ...] = ()
    cov_type: kinds.CovType = "nonrobust"
    factors: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    estimation: Window = ESTIMATION
    event: Window = EVENT
    windows: tuple[Window, ...] = ()
    tests: tuple[str, ...] = ()
    by: str = ""
    firm: str = ""
    calendar: kinds.CalendarChoice = "exchange"
    kind: kinds.ReturnKind = "simple"
    engine: kinds.Engine = "statsmodels"
    min_estimation: int = 100
    halt: kinds.Halt = "calendar"
    halt_drift: int = HALT_DRIFT
    repeat: kinds.Repeat = "mask"
    confounders: str = ""
    confounder_days: int = 1
    drop_confounded: bool = False
    placebo: int = 0
    calibrate: int = CALIBRATE
    regress: tuple[str, ...] = ()
    regress_cov: Literal["HC3", "HC0", "HC1", "HC2", "nonrobust", "date"] = "HC3"
    event_pages: int = 500
    interactive: bool = False
    figures: bool = False
    scar: Literal["exact", "sum"] = "exact"
    overlap: Literal["exact", "share"] = "exact"
    missing: Literal["drop", "rescale", "zero"] = "drop"
    limits: Literal["extend", "none", "drop", "censored"] = "extend"
    min_history: int = HISTORY
    fpc: bool = False
    draws: int = DRAWS
    seed: int = SEED
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, setting in settings_of(StudyConfig).items():
            object.__setattr__(self, name, setting.read(getattr(self, name)))
        if self.estimation.stop >= self.event.start:
            reason = "the estimation window must end before the event window starts"
            where = "event" if self.estimation == ESTIMATION else "estimation"
            remedy = "for example --estimation -250:-31 --window -10:10"
            pair = f"{self.estimation} and {self.event}"
            raise ConfigError(reason, where=where, value=pair, remedy=remedy)
        for window in self.windows:
            if window not in self.event:
                reason = "a window to be tested reaches beyond the event window"
                remedy = f"keep it inside {self.event}, or widen the event window with --window"
                raise ConfigError(reason, where="windows", value=str(window), remedy=remedy)
        if self.currency != "local" and not re.fullmatch("[A-Z]{3}", self.currency):
            code, remedy = self.currency, "use local, or an ISO code such as USD or EUR"
            raise ConfigError("not a currency", where="currency", value=code, remedy=remedy)
        for name in ("placebo", "calibrate"):
            if 0 < (n := getattr(self, name)) < FEWEST_PLACEBOS:
                reason = "too few placebo studies: one as extreme would put p above 5 %"
                remedy = f"ask for {FEWEST_PLACEBOS} or more"
                raise ConfigError(reason, where=name, value=n, remedy=remedy)
        self._check_data()
        self.conventions  # noqa: B018 - checks them
        self.named_series  # noqa: B018
        self._check_variants()

    @property
    def normal_model(self) -> str:
        """Name of the model of normal returns."""
        return self.model or ("market" if self.measure == "return" else "constant_mean")

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
                remedy = "write NAME=TICKER"
                raise ConfigError("not a series", where="series", value=text, remedy=remedy)
        return {name: ticker for name, _, ticker in pairs}

    @property
    def tested(self) -> tuple[Window, ...]:
        """The windows that are tested, without repetition."""
        usual = tuple(window for window in WINDOWS if window in self.event)
        return tuple(dict.fromkeys(self.windows)) or usual or (self.event,)

    @property
    def main(self) -> Window:
        """The window of the headline: the first one asked for, else [0,1] if it is tested."""
        if self.windows or MAIN_WINDOW not in self.tested:
            return self.tested[0]
        return MAIN_WINDOW

    @property
    def studies(self) -> dict[str, StudyConfig]:
        """The settings of each variant: those of the study, with its own in their place."""
        out = {}
        for name, settings in self.variants.items():
            with within(f"variants.{name}"):
                out[name] = replace(self, variants={}, size="").with_options(settings)
        return out

    def with_options(self, options: Mapping[str, Any]) -> StudyConfig:
        """Return the settings with `options` in their place, as TOML or the command line has them.

        Raises
        ------
        ConfigError
            For an unknown name (with the closest one) or a value of the wrong type.
        """
        return replace(self, **read(StudyConfig, options))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values (windows as ``"START:STOP"``), ready for JSON or TOML."""
        values = {f.name: plain_value(getattr(self, f.name)) for f in fields(self)}
        variants = {name: dict(settings) for name, settings in self.variants.items()}
        return values | {"variants": variants}

    def _check_data(self) -> None:
        """Refuse what the data of a study cannot be asked for."""
        if self.returns and self.measure != "return":
            reason = "a file of returns holds no other measure"
            raise ConfigError(reason, where="measure", value=str(self.measure))
        if self.currency != "local" and (self.returns or self.measure != "return"):
            reason = "a file of returns holds no exchange rates"
            reason = reason if self.returns else "only returns have a currency"
            raise ConfigError(reason, where="currency", value=self.currency)

    def _check_variants(self) -> None:
        for name, settings in self.variants.items():
            with within(f"variants.{name}"):
                if not re.fullmatch(VARIANT_NAME, name) or name == MAIN:
                    remedy = "use letters, digits, '-' and '_'"
                    raise ConfigError("not a name for a variant", remedy=remedy)
                if not isinstance(settings, Mapping):
                    remedy = 'write { model = "..." }'
                    raise ConfigError("not a table of settings", value=settings, remedy=remedy)
                for key in settings:
                    if key in SHARED:
                        remedy = "it is the study's; only a study of its own can have another"
                        raise ConfigError("a variant cannot set this", where=key, remedy=remedy)
        self.studies  # noqa: B018 - checks them


# Options whose setting has another name.
COMMAND_NAMES = {
    "window": "event", "car": "windows", "test": "tests", "cov": "cov_type", "csv": "events",
}  # fmt: skip
# Whole numbers that cannot be 0.
POSITIVE = ("min_estimation", "draws")
# Trading days from an event, some 80 years, beyond which there is no window.
FARTHEST = 20_000
# The largest whole numbers: sessions with prices, and draws that are held at a time.
_FAR = ("placebo", "calibrate", "confounder_days", "halt_drift")
LARGEST = {"draws": 10**7, **dict.fromkeys(_FAR, FARTHEST)}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a study or of a run.

    Attributes
    ----------
    name : str
    kind : type
        ``str``, ``int``, ``float``, ``bool``, ``dict`` or :class:`Window`.
    several : bool
        Whether it is a list of `kind`.
    default : object
    about : str
        What it means, as the docstring of its dataclass says.
    choices : tuple of str
        The words it can be; empty = any.
    """

    name: str
    kind: type
    several: bool
    default: Any
    about: str
    choices: tuple[str, ...]

    @property
    def limits(self) -> tuple[int, int | None]:
        """The smallest and the largest whole number it can be."""
        return int(self.name in POSITIVE), LARGEST.get(self.name)

    def read(self, value: Any) -> Any:
        """Return `value`, as TOML or the command line has it, in the type of the setting.

        Raises
        ------
        ConfigError
            If it is of another type, or none of the choices.
        """
        if not self.several:
            return self._one(value)
        if self.kind is Window:
            with within(self.name):
                return tuple(dict.fromkeys(map(_near, Window.several(value))))
        if not isinstance(value, (str, list, tuple)):
            remedy = 'write ["...", "..."]'
            raise ConfigError("not a list of texts", where=self.name, value=value, remedy=remedy)
        members = [value] if isinstance(value, str) else value
        return tuple(dict.fromkeys(self._one(member) for member in members))

    def _one(self, value: Any) -> Any:
        if self.kind is Window:
            with within(self.name):
                return _near(Window.of(value))
        if self.kind is str:
            return self._text(value)
        refusal = partial(ConfigError, where=self.name, value=value)
        number = isinstance(value, (int, float) if self.kind is float else self.kind)
        if not number or (self.kind in (int, float) and isinstance(value, bool)):
            raise refusal(f"not {_KINDS[self.kind]}")
        lowest, highest = self.limits
        if self.kind is int and value < lowest:
            raise refusal("too small", remedy=f"at least {lowest}")
        if self.kind is int and highest is not None and value > highest:
            raise refusal("too large", remedy=f"at most {highest:,}")
        return value

    def _text(self, value: Any) -> str:
        if not isinstance(value, (str, Path, date)):
            raise ConfigError("not a text", where=self.name, value=value, remedy="put it in quotes")
        if self.choices and value not in self.choices:
            hint = did_you_mean(str(value), list(self.choices))
            remedy = f"{hint} use {', '.join(self.choices)}".strip()
            raise ConfigError("unknown choice", where=self.name, value=value, remedy=remedy)
        return str(value)


def _near(window: Window) -> Window:
    if window.start < -FARTHEST or window.stop > FARTHEST:
        remedy = f"keep within {FARTHEST:,} trading days of the event"
        raise ConfigError("a window reaches too far", value=str(window), remedy=remedy)
    return window


_KINDS: dict[type, str] = {
    bool: "true or false", int: "a whole number", float: "a number", dict: "a table",
}  # fmt: skip


@cache
def settings_of(record: type) -> Mapping[str, Setting]:
    """Return the settings that the fields of a dataclass are, by name, in their order."""
    kinds, about = get_type_hints(record), _described(record.__doc__ or "")
    out = {}
    for f in fields(record):
        kind, several = kinds[f.name], get_origin(kinds[f.name]) is tuple
        if several:
            kind = get_args(kind)[0]
        words = get_args(kind) if get_origin(kind) is Literal else ()
        simple = str if words else {Mapping: dict}.get(get_origin(kind), kind)
        default = f.default if f.default_factory is MISSING else f.default_factory()
        out[f.name] = Setting(f.name, simple, several, default, about.get(f.name, ""), tuple(words))
    return out


def read(record: type, options: Mapping[str, Any], *further: type) -> dict[str, Any]:
    """Return values in their own types.

    Parameters
    ----------
    record : type
        The dataclass whose settings they are.
    options : mapping of str to object
    *further : type
        Further dataclasses whose settings may be meant by an unknown name.

    Raises
    ------
    ConfigError
        For an unknown name (with the closest one) or a value of the wrong type.
    """
    settings = settings_of(record)
    names = [*settings, *(name for record_type in further for name in settings_of(record_type))]
    return {name: _known(name, settings, names).read(value) for name, value in options.items()}


def _known(name: str, settings: Mapping[str, Setting], names: list[str]) -> Setting:
    if name in settings:
        return settings[name]
    command = COMMAND_NAMES.get(name.lstrip("-"), "")
    hint = f"did you mean {command!r}?" if command else did_you_mean(name.replace("-", "_"), names)
    raise ConfigError("unknown setting", where=name, remedy=hint)


@contextmanager
def within(where: str) -> Iterator[None]:
    """Say of errors raised inside that they are of `where`, before what they say themselves."""
    try:
        yield
    except EventStudyError as error:
        error.where = f"{where}.{error.where}" if error.where else where
        raise


def _described(docstring: str) -> dict[str, str]:
    """Return what a numpydoc docstring says of each attribute, in one line."""
    attributes = cleandoc(docstring).partition("Attributes\n----------\n")[2].partition("\n\n")[0]
    # Without the marks of reStructuredText.
    text = re.sub(r":\w+:`~?\.?([^`]+)`|``([^`]+)``|`([^`]+)`", r"\1\2\3", attributes)
    out: dict[str, str] = {}
    for names, about in re.findall(r"^(\w[\w, ]*?)(?: : .*)?\n((?: .*\n?)+)", text, re.MULTILINE):
        out |= dict.fromkeys(names.split(", "), " ".join(about.split()))
    return out
