"""How numbers, p-values, dates and windows are written: the one formatter of all outputs."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

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
# In a name, such as of a file, and in no other word.
_NAME = re.compile(r"[a-z0-9][./_:@=^\\][\w.]|[/_:@=^\\]|[a-z][A-Z]")
LEVEL = 0.05
LARGE = {1e12: "trillion", 1e9: "billion", 1e6: "million"}
# Of the stars.
LEVELS = (0.01, LEVEL, 0.1)


def pvalue(p: float, decimals: int = 3, levels: tuple[float, ...] = (LEVEL,)) -> str:
    """Format a p-value: ``0.061``, ``<0.001``.

    Parameters
    ----------
    p : float
    decimals : int
        More are shown where rounding would lift `p` to one of `levels`: ``0.0497``.
    levels : tuple of float
        Levels of significance.

    Returns
    -------
    str
        A dash for NaN.
    """
    if not math.isfinite(p):
        return MISSING
    least = 10.0**-decimals
    if p < least:
        return f"<{least:.{decimals}f}"
    while any(p < level <= round(p, decimals) for level in levels):
        decimals += 1
    return f"{p:.{decimals}f}"


def p_is(p: float, decimals: int = 3) -> str:
    """Write out a p-value: ``p = 0.061``, ``p < 0.001``.

    Parameters
    ----------
    p : float
    decimals : int
        As in :func:`pvalue`.

    Returns
    -------
    str
    """
    text = pvalue(p, decimals)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def p_prose(p: float) -> str:
    """Write a p-value for a sentence: two decimals, three near 0.05 and below 0.01; unbroken."""
    decimals = 3 if p < 0.01 or 0.045 <= p < 0.055 else 2
    return p_is(p, decimals).replace(" ", "\u00a0")


def stars(p: float) -> str:
    """Return the stars of text output: ``***`` below 0.01, ``**`` below 0.05, ``*`` below 0.1."""
    return "*" * sum(p < level for level in LEVELS)


def signed(value: float, decimals: int = 2, *, sign: bool = True) -> str:
    """Format a number with its sign and a true minus: ``+0.30``, ``−1.02``, ``0.00``.

    Parameters
    ----------
    value : float
    decimals : int
    sign : bool
        Whether a positive number has a plus.

    Returns
    -------
    str
        A dash for NaN.
    """
    if not math.isfinite(value):
        return MISSING
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def percent(value: float, *, sign: bool = True, unit: bool = True, decimals: int = 2) -> str:
    """Format a decimal return in percent, or in log points: ``−1.02%``.

    Parameters
    ----------
    value : float
        Decimal return.
    sign : bool
        Whether a positive number has a plus.
    unit : bool
        Whether the unit follows.
    decimals : int

    Returns
    -------
    str
        A dash for NaN.
    """
    text = signed(words().scale * value, decimals, sign=sign)
    return text + words().unit if unit and text != MISSING else text


def bound(value: float, *, unit: bool = True) -> str:
    """Format an end of an interval, with enough digits to show on which side of zero it lies.

    Parameters
    ----------
    value : float
        Decimal return.
    unit : bool
        Whether the unit follows.

    Returns
    -------
    str
        A dash for NaN.
    """
    size = abs(words().scale * value)
    decimals = next((d for d in range(2, 7) if round(size, d)), 2)
    return percent(value, unit=unit, decimals=decimals)


def span(low: float, high: float, *, unit: bool = True) -> str:
    """Format an interval of returns: ``−2.04% to +0.01%``.

    Parameters
    ----------
    low, high : float
        Decimal returns.
    unit : bool
        Whether the unit follows.

    Returns
    -------
    str
        A dash if an end is NaN.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"{bound(low, unit=unit and words().unit == '%')} to {bound(high, unit=unit)}"


def price(value: float) -> str:
    """Format a price with as many digits as its size needs: ``1,234.50``, ``0.0123``."""
    return f"{value:,.{2 if abs(value) >= 1 else 4}f}" if math.isfinite(value) else MISSING


def day(tau: int) -> str:
    """Format an event day: ``−1``, ``0``, ``+1``."""
    return signed(tau, 0)


def window_text(window: Any) -> str:
    """Format a ``Window``, or its first and last day: ``[−1, 1]``."""
    ends = window if isinstance(window, Sequence) else (window.start, window.stop)
    start, stop = (signed(day, 0, sign=False) for day in ends)
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


@lru_cache(4096)
def _date(value: object) -> dt.date | None:
    import numpy as np

    stamp = np.datetime64(value, "D")  # type: ignore[call-overload]
    return None if np.isnat(stamp) else stamp.astype(dt.date)


def count(n: int, noun: str) -> str:
    """Return ``1 event``, ``2 events``.

    Parameters
    ----------
    n : int
    noun : str
        In the singular, with a plural in -s.

    Returns
    -------
    str
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"


def capitalised(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name such as of a file."""
    is_name = any(map(_NAME.search, text.split(maxsplit=1)[:1]))
    return text if is_name else text[:1].upper() + text[1:]


def uncapitalised(text: str) -> str:
    """Return words within a sentence: a capital before small letters is that of a beginning."""
    is_beginning = text[:1].isupper() and text[1:2].islower()
    return text[:1].lower() + text[1:] if is_beginning else text


def expected(number: float) -> str:
    """Return how many are expected: ``3,802``, ``3.2``, ``0.15``."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def number_word(n: int, *, capital: bool = False) -> str:
    """Return a number up to twelve in words, a larger one in digits.

    Parameters
    ----------
    n : int
        At least 0.
    capital : bool
        Whether the word begins with a capital letter.

    Returns
    -------
    str
    """
    word = _WORDS[n] if n < len(_WORDS) else f"{n:,}"
    return word.capitalize() if capital else word


def listed(items: Iterable[str]) -> str:
    """Join with commas and a last "and"."""
    *head, last = list(items)
    return f"{', '.join(head)} and {last}" if head else last


def clipped(value: object, length: int = LONGEST_CELL) -> str:
    """Return a cell of the events file as one line of bounded length.

    Parameters
    ----------
    value : object
    length : int
        Most characters; a longer text ends in ``…``.

    Returns
    -------
    str
    """
    text = " ".join(str(value).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def cell_text(value: object) -> str:
    """Return a cell as text; "" for what is blank or missing."""
    return "" if value is None or value != value else str(value).strip()


def parameter_letter(text: str) -> str:
    """Write the names of Greek letters as letters."""
    return re.sub(r"[a-z]{2,}", lambda m: _GREEK.get(m[0], m[0]), text)


def decimals_of(value: float) -> int:
    """Return the decimals of an effect in a sentence: one in percent, more where it would be 0."""
    shown = abs(words().scale * value)
    least = 1 if words().unit == "%" else 2
    return next((d for d in range(least, 7) if round(shown, d)), least)


def rough_percent(value: float) -> str:
    """Format an effect for a sentence: ``−7.8%``."""
    return percent(value, decimals=decimals_of(value))


def size_text(value: float) -> str:
    """Format the size of an effect for a sentence, without its sign: ``7.8%``."""
    return percent(abs(value), sign=False, decimals=decimals_of(value))


def share_text(share: float) -> str:
    """Format a share as whole percent, with one digit below 10%: ``23%``, ``7%``, ``0.4%``.

    NaN, the share of nothing, is a dash.
    """
    if math.isnan(share):
        return MISSING
    if share >= 0.095 or share == 0:
        return f"{100 * share:.0f}%"
    return f"{100 * share:.1g}%"


# What a console may lack, with its likeness in ASCII.
_ASCII = str.maketrans({
    MINUS: "-", NBSP: " ", MISSING: "-", "≥": ">=", "≤": "<=", "×": "x", "…": "...", "²": "2",
    "±": "+-",
})  # fmt: skip


def ascii_text(text: str) -> str:
    """Return text with signs that any console can show; letters of names stay."""
    return text.translate(_ASCII)


def amount(value: float) -> str:
    """Format an amount of money: ``+950``, ``−43,200``, ``−43.7 billion``."""
    size = abs(value)
    unit = next((unit for unit in LARGE if size >= unit), 1.0)
    if unit == 1:
        return signed(value, 0) if size < 1000 else f"{signed(value, 0)[0]}{size:,.0f}"
    return f"{signed(value / unit, max(0, 2 - int(math.log10(size / unit))))}{NBSP}{LARGE[unit]}"


def name_some(words: Iterable[str], limit: int = 3) -> str:
    """Return the first words in a text, with dots where there are more than `limit`.

    Parameters
    ----------
    words : iterable of str
        Duplicates count once.
    limit : int

    Returns
    -------
    str
    """
    listed = list(dict.fromkeys(words))
    return ", ".join(listed[:limit]) + (", ..." if len(listed) > limit else "")
