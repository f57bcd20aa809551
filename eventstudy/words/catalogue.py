"""The words of the tool: sentences by code, with numbers, dates and plurals set in one place."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from ..errors import EventStudyError
from . import numbers

E = TypeVar("E", bound=EventStudyError)
LANGUAGE = "en"
# What can stand behind the colon of a field, beside the format specifications of Python.
FORMATS: Mapping[str, Callable[[Any], str]] = {
    "percent": numbers.percent,
    "size": numbers.size_text,
    "rough": numbers.rough_percent,
    "share": numbers.share_text,
    "p": numbers.p_prose,
    "p3": numbers.p_is,
    "window": numbers.window_text,
    "day": numbers.day,
    "date": numbers.date_prose,
    "iso": numbers.date_iso,
    "list": numbers.listed,
    "commas": ", ".join,
    "lead": lambda text: f"{text} " if text else "",
    "word": numbers.number_word,
    "capital": numbers.capitalised,
    "word_capital": lambda n: numbers.number_word(n, capital=True),
    "r": lambda value: numbers.signed(value, 3, sign=False),
    "number": lambda value: numbers.signed(value, sign=False),
    "value": lambda value: numbers.percent(value, unit=False),
    "pvalue": numbers.pvalue,
    "price": numbers.price,
    "span": lambda ends: numbers.span(*ends),
    "expected": numbers.expected,
    "signed": numbers.signed,
    "causes": lambda codes: " and ".join(say(f"cause.{code}") for code in codes),
}


class Reason(str):
    """A reason as code and facts; as a string it is the sentence of the catalogue.

    Attributes
    ----------
    code : str
        Key below ``[reason]`` in the catalogue.
    facts : dict
        What the sentence names, as plain values.

    Examples
    --------
    >>> why = Reason("no_trade", symbol="AMD", n=1)
    >>> str(why)
    'AMD: 1 close without volume and without change taken as no trade'
    >>> why.code, why.facts
    ('no_trade', {'symbol': 'AMD', 'n': 1})
    """

    code: str
    facts: dict[str, Any]

    def __new__(cls, code: str, **facts: Any) -> Reason:
        reason = super().__new__(cls, say(f"reason.{code}", **facts))
        reason.code, reason.facts = code, facts
        return reason

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.code,), self.facts

    @classmethod
    def of(cls, text: str) -> Reason:
        """Return a text as a reason: one without a code of its own has the code ``other``."""
        return text if isinstance(text, cls) else cls("other", text=str(text))

    @property
    def head(self) -> str:
        """What many events share: the reason without the details of one event."""
        return _variant(self, "head") or str(self)

    @property
    def brief(self) -> str:
        """The reason without the numbers of one window."""
        return _variant(self, "brief") or str(self)

    @property
    def example(self) -> str:
        """What one event adds to the head; "" where that says it all."""
        return str(self.facts.get("why", "")) or _variant(self, "example")

    @property
    def remedy(self) -> str:
        """What to do about it; "" where nothing is known to help."""
        return _variant(self, "remedy")


def _variant(reason: Reason, kind: str) -> str:
    return say_if_any(f"reason.{reason.code}.{kind}", **reason.facts)


def _field(value: Any, form: str) -> str:
    """Return a field as text, by a name of :data:`FORMATS`, a format of Python, or its number.

    ``{n:#event}`` is a number with its noun ("1 event", "2 events"; ``#index|indices`` for another
    plural), ``{n:?has|have}`` one of two texts by whether n is 1; a ``#`` in them is the number.
    """
    kind, (one, _, several) = form[:1], form[1:].partition("|")
    if kind == "#":
        return f"{value:,} {one if value == 1 else several or f'{one}s'}"
    if kind == "?":
        return (one if value == 1 else several).replace("#", f"{value:,}")
    return FORMATS[form](value) if form in FORMATS else format(value, form)


@cache
def sentences(language: str = LANGUAGE) -> Mapping[str, str]:
    """Return the sentences of a language by code, such as ``answer.moved``."""
    text = files("eventstudy").joinpath("data", f"words.{language}.toml").read_text("utf-8")
    return dict(_flat("", tomllib.loads(text)))


def _flat(above: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        code = f"{above}.{key}" if above else key
        if isinstance(value, str):
            pairs.append((code.removesuffix(".text"), value))
        else:
            pairs += _flat(code, value)
    return pairs


def say(code: str, **facts: Any) -> str:
    """Return the sentence of a code with its facts in place.

    Parameters
    ----------
    code : str
        Key of the catalogue, such as ``path.total``.
    **facts
        What the fields of the sentence name; facts that it does not name are left out.

    Raises
    ------
    KeyError
        For a code that the catalogue lacks, or a fact that is missing: an error of the program.

    Examples
    --------
    >>> say("terminal.more_groups", n=1)
    '1 more group in the report.'
    """
    return "".join(
        text + (_field(facts[name], form or "") if name else "")
        for text, name, form, _ in _pieces(sentences()[code])
    )


def say_if_any(code: str, **facts: Any) -> str:
    """Return the sentence of a code as `say` does; "" for a code that the catalogue lacks."""
    return say(code, **facts) if has(code) else ""


def make_error(
    kind: type[E], code: str, *, where: str = "", value: Any = None, remedy: str = "", **facts: Any
) -> E:
    """Return an error whose problem and remedy are sentences of the catalogue.

    Parameters
    ----------
    kind : type
        Subclass of `EventStudyError`.
    code : str
        Key of the problem; that of its remedy, if there is one, ends in ``.remedy`` too.
    where, value, remedy
        As for `EventStudyError`; a remedy that is given takes the place of the catalogue's.
    **facts
        What the fields of both sentences name.

    Examples
    --------
    >>> str(make_error(EventStudyError, "wrong.not_date", value="7 May"))
    "not a date, got '7 May'; write YYYY-MM-DD"
    """
    remedy = remedy or say_if_any(f"{code}.remedy", **facts)
    return kind(say(code, **facts), where=where, value=value, remedy=remedy)


@cache
def _pieces(sentence: str) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return a sentence as texts, each with the field after it."""
    return list(string.Formatter().parse(sentence))


def has(code: str) -> bool:
    """Return whether the catalogue has a code."""
    return code in sentences()


NO_REASON = Reason.of("")
