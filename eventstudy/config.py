"""One frozen record of everything that determines a study, read from options or a TOML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from .conventions import DRAWS, SEED, Conventions
from .errors import ConfigError
from .registry import did_you_mean
from .typing import CalendarChoice, CovType, Engine, Halt, Measure, Repeat, ReturnKind
from .windows import Window

ESTIMATION = Window(-250, -31)
EVENT = Window(-10, 10)
# Tests, leakage before and drift after the announcement (docs/methods.md, 1).
WINDOWS = tuple(
    Window(*w) for w in [(0, 0), (0, 1), (-1, 1), (-3, 3), (-5, 5), (-10, 10), (-10, -2), (2, 10)]
)
# Many announcements carry no hour: day 0 or day 1 is the first reaction (docs/methods.md, 1.3).
MAIN_WINDOW = Window(0, 1)


# A two-sided p of 5 % needs this many draws to be possible at all.
FEWEST_PLACEBOS = 39
# Options whose setting has another name.
COMMAND_NAMES = {"window": "event", "car": "windows", "test": "tests", "cov": "cov_type"}
LISTS = ("tests", "model_options", "factors", "series", "regress")


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """All settings of a study; two runs with equal settings and equal data give equal numbers.

    Attributes
    ----------
    prices : str
        ``auto``, ``yahoo``, ``sample``, ``store`` or a path.
    returns : str
        A file of returns to be used instead of prices; "" = none.
    benchmark : str
        Index for all events, a portfolio ``A;B;C``, or ``peers`` for the column of that name; "" = the column
        ``benchmark``, else the exchange's default and what stands in for it.
    currency : str
        What returns are converted to: an ISO code, or ``local``.
    measure : {"return", "volume", "turnover", "volatility"}
        What is studied.
    model : str
        Name of a registered model; "" = ``market`` for returns, ``constant_mean`` for other measures.
    model_options : tuple of str
        Options of the model, such as ``lags=2``.
    cov_type : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "HAC"}
        Covariance of the parameters.
    factors : tuple of str
        Files of factors.
    series : tuple of str
        Series that a model needs and that are the same for all events, such as ``world=URTH``.
    estimation, event : Window
        In trading days, event day = 0.
    windows : tuple of Window
        Windows tested; empty = the defaults that fit into the event window.
    tests : tuple of str
        Names of registered tests; empty = all.
    by : str
        Column that splits the events into groups; "" = ``group`` or ``direction`` if the file has one
        with several values; "none" = no groups.
    calendar : {"exchange", "data"}
        Where sessions come from.
    kind : {"simple", "log"}
        Returns.
    engine : {"statsmodels", "batch"}
    min_estimation : int
        Events with fewer complete estimation days are flagged.
    placebo : int
        Placebo studies on other dates, and on the firms in the column ``peers``; 0 = none. Prices are fetched
        as many sessions further back.
    regress : tuple of str
        Columns of the events on which the CARs are regressed.
    halt : {"calendar", "shift"}
        What a halt does to the clock of an event.
    repeat : {"mask", "first", "keep-all"}
        What is done about several events of one firm.
    confounders : str
        A file of other news; "" = none.
    confounder_days : int
        Sessions around the main window in which other news confound an event.
    drop_confounded : bool
        Whether confounded events are left out.
    scar, overlap, missing, limits, fpc, draws, seed
        See :class:`Conventions`.
    """

    prices: str = "auto"
    returns: str = ""
    benchmark: str = ""
    currency: str = "local"
    measure: Measure = "return"
    model: str = ""
    model_options: tuple[str, ...] = ()
    cov_type: CovType = "nonrobust"
    factors: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    estimation: Window = ESTIMATION
    event: Window = EVENT
    windows: tuple[Window, ...] = ()
    tests: tuple[str, ...] = ()
    by: str = ""
    calendar: CalendarChoice = "exchange"
    kind: ReturnKind = "simple"
    engine: Engine = "statsmodels"
    min_estimation: int = 100
    halt: Halt = "calendar"
    repeat: Repeat = "mask"
    confounders: str = ""
    confounder_days: int = 1
    drop_confounded: bool = False
    placebo: int = 0
    regress: tuple[str, ...] = ()
    scar: Literal["exact", "sum"] = "exact"
    overlap: Literal["exact", "share"] = "exact"
    missing: Literal["drop", "rescale", "zero"] = "drop"
    limits: Literal["extend", "none", "drop"] = "extend"
    fpc: bool = False
    draws: int = DRAWS
    seed: int = SEED

    def __post_init__(self) -> None:
        if self.estimation.stop >= self.event.start:
            raise ConfigError(
                "the estimation window must end before the event window starts",
                value=f"{self.estimation} and {self.event}",
                remedy="for example --estimation -250:-31 --window -10:10",
            )
        for window in self.windows:
            if window not in self.event:
                raise ConfigError(
                    "a window to be tested reaches beyond the event window",
                    value=str(window),
                    remedy=f"keep it inside {self.event}, or widen the event window with --window",
                )
        kinds = {
            "calendar": CalendarChoice, "kind": ReturnKind, "engine": Engine, "measure": Measure,
            "cov_type": CovType, "halt": Halt, "repeat": Repeat,
        }  # fmt: skip
        for name, choices in kinds.items():
            if getattr(self, name) not in get_args(choices):
                known = ", ".join(get_args(choices))
                raise ConfigError(
                    "unknown choice", where=name, value=getattr(self, name), remedy=f"use {known}"
                )

        if self.currency != "local" and not re.fullmatch("[A-Z]{3}", self.currency):
            remedy = "use local, or an ISO code such as USD or EUR"
            raise ConfigError("not a currency", where="currency", value=self.currency, remedy=remedy)
        if 0 < self.placebo < FEWEST_PLACEBOS:
            raise ConfigError(
                "too few placebo studies for a p-value below 5 %", where="placebo", value=self.placebo,
                remedy=f"ask for {FEWEST_PLACEBOS} or more",
            )  # fmt: skip
        self.conventions  # noqa: B018 - checks them
        self.named_series  # noqa: B018

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
                raise ConfigError("not a series", where="series", value=text, remedy="write NAME=TICKER")
        return {name: ticker for name, _, ticker in pairs}

    @property
    def tested(self) -> tuple[Window, ...]:
        """The windows that are tested, without repetition."""
        return (
            tuple(dict.fromkeys(self.windows))
            or tuple(w for w in WINDOWS if w in self.event)
            or (self.event,)
        )

    @property
    def main(self) -> Window:
        """The window of the headline: the first one asked for, else [0,1] if it is tested."""
        if self.windows or MAIN_WINDOW not in self.tested:
            return self.tested[0]
        return MAIN_WINDOW

    def with_options(self, options: Mapping[str, Any]) -> StudyConfig:
        """Return the settings with `options` in their place; values as TOML or the command line has them.

        Raises
        ------
        ConfigError
            For an unknown name (with the closest one) or a value of the wrong type.
        """
        known = {f.name for f in fields(self)}
        for name in options:
            if name not in known:
                hint = COMMAND_NAMES.get(name, "")
                hint = f"did you mean {hint!r}?" if hint else did_you_mean(name, sorted(known))
                raise ConfigError("unknown setting", value=name, remedy=hint)
        return replace(self, **{name: _read(name, value) for name, value in options.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values (windows as ``"START:STOP"``), ready for JSON or TOML."""
        plain = asdict(self)
        plain |= {
            name: f"{w.start}:{w.stop}"
            for name, w in (("estimation", self.estimation), ("event", self.event))
        }
        plain["windows"] = [f"{w.start}:{w.stop}" for w in self.windows]
        plain |= {name: list(getattr(self, name)) for name in LISTS}
        return plain


def read_toml(path: str | Path) -> dict[str, Any]:
    """Return the settings of a TOML file.

    Raises
    ------
    ConfigError
        If the file is missing or is not TOML (with the line).
    """
    import tomllib

    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            "cannot read the study file", where=str(path), remedy=error.strerror or ""
        ) from None
    except UnicodeDecodeError:
        raise ConfigError("the study file is not UTF-8", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the study file is not TOML: {error}", where=str(path)) from None


def _read(name: str, value: Any) -> Any:
    """Return the value of a setting in its own type, or say what is wrong with it."""
    if name in ("estimation", "event"):
        return Window.of(value if isinstance(value, list) else _text(name, value))
    if name == "windows":
        return tuple(Window.of(v) for v in _texts(name, value))
    if name in LISTS:
        return tuple(dict.fromkeys(_texts(name, value)))
    if name in ("min_estimation", "draws", "seed", "placebo", "confounder_days"):
        least = 1 if name in ("min_estimation", "draws") else 0
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            what = "number of days" if name == "min_estimation" else "whole number"
            raise ConfigError(f"not a {what}", where=name, value=value)
        return value
    if name in ("fpc", "drop_confounded"):
        if not isinstance(value, bool):
            raise ConfigError("not true or false", where=name, value=value)
        return value
    return _text(name, value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, (str, Path)):
        raise ConfigError("not a text", where=name, value=value, remedy="put it in quotes")
    return str(value)


def _texts(name: str, value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, (list, tuple)):
        raise ConfigError("not a list of texts", where=name, value=value, remedy='write ["...", "..."]')
    return [_text(name, v) for v in value]
