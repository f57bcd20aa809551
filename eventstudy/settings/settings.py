"""What settings are: their names, kinds, limits and meaning, read from dataclasses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from datetime import date
from functools import cache, partial
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ..calendars import Window
from ..errors import ConfigError, EventStudyError
from ..utility import did_you_mean
from ..words import make_error

# Options whose setting has another name.
COMMAND_NAMES = {
    "event_window": "event", "window": "windows", "car": "windows", "test": "tests",
    "cov": "cov_type", "csv": "events",
}  # fmt: skip
# What true means where a setting is a word; false is "".
TRUE = {"figures": "titled"}
# Whole numbers that cannot be 0.
POSITIVE = ("min_estimation", "draws")
# Trading days from an event, some 80 years, beyond which there is no window.
FARTHEST = 20_000
# The largest whole numbers: sessions with prices, and draws that are held at a time.
LARGEST = {
    "draws": 10**7,
    **dict.fromkeys(("calibrate", "confounder_days", "halt_drift"), FARTHEST),
}


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

    @classmethod
    @cache
    def of(cls, record: type) -> Mapping[str, Setting]:
        """Return the settings that the fields of a dataclass are, by name, in their order."""
        kinds = get_type_hints(record)
        about = _described(record.__doc__ or "")
        out = {}
        for f in fields(record):
            kind = kinds[f.name]
            several = get_origin(kind) is tuple
            if several:
                kind = get_args(kind)[0]
            words = get_args(kind) if get_origin(kind) is Literal else ()
            simple = str if words else {Mapping: dict}.get(get_origin(kind), kind)
            default = f.default if f.default_factory is MISSING else f.default_factory()
            out[f.name] = cls(f.name, simple, several, default, about.get(f.name, ""), tuple(words))
        return out

    @staticmethod
    def by_name(values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values by the names of a study file; for some the command line has others."""
        named = {COMMAND_NAMES.get(name, name): value for name, value in values.items()}
        if len(named) < len(values):
            raise ConfigError("one setting is given by two names", value=", ".join(values))
        return named

    @property
    def plain_default(self) -> Any:
        """Its default as JSON and TOML have it."""
        return plain_value(self.default)

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
            raise make_error(ConfigError, "setting.no_list", where=self.name, value=value)
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
        if isinstance(value, bool) and self.name in TRUE:
            return TRUE[self.name] * value
        if not isinstance(value, (str, Path, date)):
            code = "setting.is_table" if hasattr(value, "columns") else "setting.no_text"
            if self.name == "events" and isinstance(value, list):
                code = "setting.one_list"
            raise make_error(ConfigError, code, where=self.name, value=value)
        if self.choices and value not in self.choices:
            hint = did_you_mean(str(value), self.choices)
            facts: Any = {"where": self.name, "value": value, "choices": self.choices}
            raise make_error(ConfigError, "setting.no_choice", hint=hint, **facts)
        return str(value)


def plain_value(value: Any) -> Any:
    """Return a setting as JSON and TOML have it."""
    if isinstance(value, Window):
        return f"{value.start}:{value.stop}"
    return list(map(plain_value, value)) if isinstance(value, tuple) else value


def _near(window: Window) -> Window:
    if window.start < -FARTHEST or window.stop > FARTHEST:
        raise make_error(ConfigError, "setting.far", value=str(window), farthest=FARTHEST)
    return window


_KINDS: dict[type, str] = {
    bool: "true or false", int: "a whole number", float: "a number", dict: "a table",
}  # fmt: skip


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
    settings = Setting.of(record)
    names = [*settings, *(name for record_type in further for name in Setting.of(record_type))]
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
