"""Faults of prices, returns and market values: what each is, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from ..utility import Flag
from ..words import say

# More faults of one kind and symbol than LONGEST become one; a note names NAMED days.
LONGEST, NAMED = 50, 3
MISSING, FLAGGED, SPANNED = "missing", "flagged, unaltered", "missing; the next return spans it"
# The return of the day is taken out, and no later one spans it.
BROKEN = "the return of the day is missing"


class Span(NamedTuple):
    """Days from `first` to `last`, with the detail of the `n` faults that were seen on them."""

    first: np.datetime64
    last: np.datetime64
    detail: str
    n: int = 1


class ReturnFault(StrEnum):
    """A kind of fault of returns, in the order of docs/faults.md.

    The sentences of the catalogue have their names.

    Attributes
    ----------
    action : str
        What is done about it.
    flags : tuple of Flag
        Of the events that it touches.
    """

    action: str
    flags: tuple[Flag, ...]

    INFINITE = "infinite_return", MISSING, Flag.QUARANTINED
    LOSS = "impossible_loss", MISSING, Flag.QUARANTINED
    CODE = "missing_code", MISSING, Flag.SUSPECT_MISSING_CODE
    LONE = "impossible_return", MISSING, Flag.QUARANTINED
    PERCENT = "percent_column", MISSING, Flag.QUARANTINED, Flag.SUSPECT_UNIT
    SUSPECT = "suspect_return", FLAGGED, Flag.SUSPECT_UNIT
    LARGE = "suspect_column", FLAGGED, Flag.SUSPECT_UNIT

    def __new__(cls, name: str, action: str = "", *flags: Flag) -> ReturnFault:
        """Return a kind."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.action = action
        kind.flags = flags
        return kind

    @staticmethod
    def all_flags() -> tuple[Flag, ...]:
        """Return the flags that faults of returns raise."""
        return (Flag.QUARANTINED, Flag.SUSPECT_UNIT, Flag.SUSPECT_MISSING_CODE)


@dataclass(frozen=True, slots=True)
class SeriesFault:
    """A fault of the prices or returns of one symbol.

    Attributes
    ----------
    symbol : str
    date, last : str
        First and last day, YYYY-MM-DD.
    kind : str
        Name in `FAULTS`, or a `ReturnFault`.
    detail : str
        What was seen.
    action : str
        What was done about it.
    n : int
        How many it is in words: a suspension is one, but each of its sessions is a missing one.
    """

    symbol: str
    date: str
    last: str
    kind: str
    detail: str
    action: str
    n: int = 1

    @property
    def is_impossible(self) -> bool:
        """Whether it proves a return impossible, which is missing for it."""
        return self.action in (MISSING, BROKEN)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The flags of the events that it touches, but for doubts."""
        if self.kind in set(ReturnFault):
            return ReturnFault(self.kind).flags
        return (Flag.QUARANTINED,) * (self.action == BROKEN)


def as_faults(symbol: str, kind: str, action: str, spans: list[Span]) -> list[SeriesFault]:
    """Return faults of one kind, at most `LONGEST`: the last of a longer list are one.

    Parameters
    ----------
    symbol, kind, action : str
        As for `SeriesFault`.
    spans : list of Span
        The days on which it was seen.

    Returns
    -------
    list of SeriesFault
    """
    if len(spans) > LONGEST:
        later = spans[LONGEST - 1 :]
        detail = f"{len(later)} of them, the first: {later[0].detail}"
        n = sum(span.n for span in later)
        spans = [*spans[: LONGEST - 1], Span(later[0].first, later[-1].last, detail, n)]
    return [SeriesFault(symbol, str(a), str(b), kind, text, action, n) for a, b, text, n in spans]


def notice_of(kind: str, n: int, named: list[str], where: str) -> str:
    """Return the notice on n values with one kind of fault, the first of which are named.

    Parameters
    ----------
    kind : str
        Name of the kind of fault.
    n : int
    named : list of str
        The first values in words.
    where : str
        Name of the file.
    """
    cells = ", ".join(named)
    if n > len(named):
        cells = say("returns_gate.more", cells=cells, n=n - len(named))
    code = "flagged" if kind.startswith("suspect") else "missing"
    texts = {"faults": say(f"fault.{kind}", n=n), "remedy": say(f"fault.remedy.{kind}")}
    return say(f"returns_gate.{code}", where=where, n=n, cells=cells, **texts)
