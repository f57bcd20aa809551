"""The words of the tool: sentences by code, with numbers, dates and plurals set in one place."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, TypeVar

from ..errors import EventStudyError
from .numbers import Words, words
from .texts import capitalised

E = TypeVar("E", bound=EventStudyError)
LANGUAGE = "en"
# What can stand behind the colon of a field, beside methods of `Words` and formats of Python.
FORMATS: Mapping[str, Callable[[Any], str]] = {
    "commas": ", ".join,
    "lead": lambda text: f"{text} " if text else "",
    "capital": capitalised,
    "word_capital": lambda n: Words.word(n, capital=True),
    "r": lambda value: Words.signed(value, 3, sign=False),
    "total": lambda counts: f"{sum(counts.values()):,}",
    "number": lambda value: Words.signed(value, sign=False),
    "value": lambda value: words().percent(value, unit=False),
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

    NONE: ClassVar[Reason]
    code: str
    facts: dict[str, Any]

    def __new__(cls, code: str, **facts: Any) -> Reason:
        reason = super().__new__(cls, say(f"reason.{code}", **facts))
        reason.code = code
        reason.facts = facts
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
    return _say_if_any(f"reason.{reason.code}.{kind}", reason.facts)


def _say_if_any(code: str, facts: Mapping[str, Any]) -> str:
    return say(code, **facts) if has(code) else ""


def _field(value: Any, form: str) -> str:
    """Return a field as text, by a method of `Words`, a name of :data:`FORMATS`, or as Python does.

    ``{n:#event}`` is a number with its noun ("1 event", "2 events"; ``#index|indices`` for another
    plural), ``{n:?has|have}`` one of two texts by whether n is 1; a ``#`` in them is the number.
    """
    kind = form[:1]
    one, _, several = form[1:].partition("|")
    if kind == "#":
        return Words.count(value, one, several)
    if kind == "?":
        return (one if value == 1 else several).replace("#", f"{value:,}")
    write = FORMATS[form] if form in FORMATS else getattr(words(), form, None)
    return write(value) if write else format(value, form)


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


def find_hint(code: str, **facts: Any) -> str:
    """Return the sentence of a code, or "": one that is only the name of another leads to that.

    Parameters
    ----------
    code : str
        A section and a name that somebody tried in it, such as ``names.pval``.
    **facts
        As for `say`.
    """
    hint = _say_if_any(code, facts)
    return _say_if_any(f"{code.partition('.')[0]}.{hint}", facts) or hint


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
    remedy = remedy or _say_if_any(f"{code}.remedy", facts)
    return kind(say(code, **facts), where=where, value=value, remedy=remedy)


@cache
def _pieces(sentence: str) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return a sentence as texts, each with the field after it."""
    return list(string.Formatter().parse(sentence))


def has(code: str) -> bool:
    """Return whether the catalogue has a code."""
    return code in sentences()


Reason.NONE = Reason.of("")
