"""How numbers, p-values, dates and windows are written: the one formatter of all outputs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from .units import words

MISSING = "–"
MINUS = "\u2212"
NBSP = "\u00a0"
LONGEST_CELL = 240
_WORDS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_GREEK = {"alpha": "α", "beta": "β", "mu": "μ", "gamma": "γ", "sigma": "σ"}
LEVEL = 0.05
# Of the stars.
LEVELS = (0.01, LEVEL, 0.1)


def pvalue(p: float, decimals: int = 3, levels: tuple[float, ...] = (LEVEL,)) -> str:
    """Format a p-value: ``0.061``, ``<0.001``; below one of `levels` by less than that,
    ``0.0497``."""
    if not np.isfinite(p):
        return MISSING
    least = 10.0**-decimals
    if p < least:
        return f"<{least:.{decimals}f}"
    while any(p < level <= round(p, decimals) for level in levels):
        decimals += 1
    return f"{p:.{decimals}f}"


def p_is(p: float, decimals: int = 3) -> str:
    """Write out a p-value: ``p = 0.061``, ``p < 0.001``."""
    text = pvalue(p, decimals)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def p_prose(p: float) -> str:
    """Write a p-value for a sentence: two decimals, three near 0.05 and below 0.01; it does not
    break."""
    decimals = 3 if p < 0.01 or 0.045 <= p < 0.055 else 2
    return p_is(p, decimals).replace(" ", "\u00a0")


def stars(p: float) -> str:
    """Return the stars of text output: ``***`` below 0.01, ``**`` below 0.05, ``*`` below 0.1."""
    return "*" * sum(p < level for level in LEVELS)


class Span(Protocol):
    """Something with a first and a last day, such as a window."""

    @property
    def start(self) -> int: ...

    @property
    def stop(self) -> int: ...


def signed(value: float, decimals: int = 2, *, sign: bool = True) -> str:
    """Format a number with a true minus and, unless it is zero, a sign: ``+0.30``, ``−1.02``,
    ``0.00``."""
    if not np.isfinite(value):
        return MISSING
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def percent(value: float, *, sign: bool = True, unit: bool = True, decimals: int = 2) -> str:
    """Format a decimal return in percent: ``−1.02%``, or ``−1.02`` without the unit; else in log
    points."""
    text = signed(words().scale * value, decimals, sign=sign)
    return text + words().unit if unit and text != MISSING else text


def bound(value: float, *, unit: bool = True) -> str:
    """Format an end of an interval as :func:`percent` does, with the digits that tell its side of
    zero."""
    size = abs(words().scale * value)
    decimals = next((d for d in range(2, 7) if round(size, d)), 2)
    return percent(value, unit=unit, decimals=decimals)


def span(low: float, high: float, *, unit: bool = True) -> str:
    """Format an interval of returns: ``−2.04% to +0.01%``."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return MISSING
    return f"{bound(low, unit=unit and words().unit == '%')} to {bound(high, unit=unit)}"


def day(tau: int) -> str:
    """Format an event day: ``−1``, ``0``, ``+1``."""
    return signed(tau, 0)


def window_text(window: Span) -> str:
    """Format a window: ``[−1, 1]``."""
    start, stop = (signed(v, 0, sign=False) for v in (window.start, window.stop))
    return f"[{start},{NBSP}{stop}]"


def date_iso(value: object) -> str:
    """Format a date for a table: ``2022-09-01``."""
    date = _date(value)
    return date.isoformat() if date else MISSING


def date_prose(value: object) -> str:
    """Format a date for a sentence: ``1 Sep 2022``."""
    date = _date(value)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{date.day}{NBSP}{months[date.month - 1]}{NBSP}{date.year}" if date else MISSING


def _date(value: object) -> dt.date | None:
    stamp = np.datetime64(value, "D")  # type: ignore[call-overload]
    return None if np.isnat(stamp) else stamp.astype(dt.date)


def count(n: int, noun: str) -> str:
    """Return ``1 event``, ``2 events``."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


def capitalised(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name such as a host or a
    file."""
    first = text.split(maxsplit=1)[:1]
    named = any(
        re.search(r"[a-z0-9][./_:@=^\\][\w.]|[/_:@=^\\]|[a-z][A-Z]", word) for word in first
    )
    return text if named else text[:1].upper() + text[1:]


def expected(number: float) -> str:
    """Return how many are expected: ``3,802``, ``3.2``, ``0.15``."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def number_word(n: int, *, capital: bool = False) -> str:
    """Return a small number in words, a large one in digits."""
    word = _WORDS[n] if n < len(_WORDS) else f"{n:,}"
    return word.capitalize() if capital else word


def listed(items: Iterable[str]) -> str:
    """Join with commas and a last "and"."""
    *head, last = list(items)
    return f"{', '.join(head)} and {last}" if head else last


def level_text(level: float) -> str:
    """Format a level of significance: ``5%``."""
    return f"{100 * level:g}%"


def clipped(value: object, length: int = LONGEST_CELL) -> str:
    """Return a cell of the events file as one line of bounded length."""
    text = " ".join(str(value).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def cell_text(value: object) -> str:
    """Return a cell as text; "" for what is blank or missing."""
    return "" if value is None or value != value else str(value).strip()


def parameter_letter(text: str) -> str:
    """Write the names of Greek letters as letters."""
    return re.sub(r"[a-z]{2,}", lambda m: _GREEK.get(m[0], m[0]), text)
