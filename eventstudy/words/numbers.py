"""The words of a measure, and the one formatter of all outputs: numbers, p-values, dates, lists."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .texts import MINUS, MISSING, NBSP

_WORDS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one measure, and how its numbers are written.

    Numbers that have no unit are written alike for every measure: by the static methods.

    In the catalogue the name of a method is a format: ``{n:word}``.

    Attributes
    ----------
    datum : str
        What is missing on a day without a value.
    above, below : str
        Label of the count of events whose mean sign is that of the sample.
    scale : float
        Shown is the value times this.
    unit, head, axis : str
        Behind a number, in a table head, and in a caption.
    what, formula, source : str
        What the abnormal values are, with its definition and where it is from; "" for returns.
    symbol : str
        Letter of the value in formulas.
    quantity : str
        What exp(value) multiplies.
    """

    datum: str = "price"
    above: str = "Did better than implied"
    below: str = "Did worse than implied"
    scale: float = 100.0
    unit: str = "%"
    head: str = "%"
    axis: str = "percent"
    what: str = ""
    formula: str = ""
    source: str = ""
    symbol: str = "R"
    quantity: str = ""

    def adapt(self, text: str) -> str:
        """Return a text that was written for returns and prices in the words of the measure."""
        if not self.what:
            return text
        return text.replace("abnormal return", "abnormal value").replace("price", self.datum)

    def percent(
        self, value: float, *, sign: bool = True, unit: bool = True, decimals: int = 2
    ) -> str:
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
        text = self.signed(self.scale * value, decimals, sign=sign)
        return text + self.unit if unit and text != MISSING else text

    def rough(self, value: float) -> str:
        """Format an effect for a sentence: ``−7.8%``."""
        least = 1 if self.unit == "%" else 2
        return self.percent(value, decimals=self._decimals(value, least))

    def size(self, value: float) -> str:
        """Format the size of an effect for a sentence, without its sign: ``7.8%``."""
        return self.rough(abs(value)).removeprefix("+")

    def span(self, low: float, high: float, *, unit: bool = True) -> str:
        """Format an interval of returns: ``−2.04% to +0.01%``.

        Parameters
        ----------
        low, high : float
            Decimal returns. So many digits are shown that each lies on its side of zero.
        unit : bool
            Whether the unit follows.

        Returns
        -------
        str
            A dash if an end is NaN.
        """
        if not (math.isfinite(low) and math.isfinite(high)):
            return MISSING
        is_percent = self.unit == "%"
        first = self.percent(low, unit=unit and is_percent, decimals=self._decimals(low, 2))
        last = self.percent(high, unit=unit, decimals=self._decimals(high, 2))
        return f"{first} to {last}"

    def in_ascii(self, value: float) -> str:
        """Return a value with its unit in plain ASCII: ``+1.23%``."""
        return f"{self.scale * value:+.2f}{self.unit}"

    def within(self, reach: float) -> str:
        """Return a distance to both sides of zero with its unit: ``±5.6%``."""
        return f"±{self.scale * reach:.1f}{self.unit}"

    def meaning(self, value: float, length: int) -> str:
        """Return the change of the quantity behind a sum of logs: ``volume 52% above normal``.

        Parameters
        ----------
        value : float
            Sum of abnormal logs.
        length : int
            Days that it is the sum of.

        Returns
        -------
        str
            "" for returns.

        Notes
        -----
        The mean of logarithms is that of a geometric mean, exp(value / length).
        """
        if not self.quantity or not math.isfinite(value):
            return ""
        factor = math.exp(value / length)
        daily = " a day" if length > 1 else ""
        if factor >= 2:
            return f"{self.quantity} {factor:.1f} times normal{daily}"
        side = "below" if factor < 1 else "above"
        return f"{self.quantity} {100 * abs(factor - 1):.0f}% {side} normal{daily}"

    @staticmethod
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

    @staticmethod
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

    @staticmethod
    def p(p: float) -> str:
        """Write out a p-value unbroken: two decimals, three near 0.05 and below 0.01."""
        decimals = 3 if p < 0.01 or 0.045 <= p < 0.055 else 2
        return Words.p_is(p, decimals).replace(" ", "\u00a0")

    @staticmethod
    def p_is(p: float, decimals: int = 3) -> str:
        """Write out a p-value: ``p = 0.061``, ``p < 0.001``.

        Parameters
        ----------
        p : float
        decimals : int
            As in `pvalue`.

        Returns
        -------
        str
        """
        text = Words.pvalue(p, decimals)
        return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"

    @staticmethod
    def share(share: float) -> str:
        """Format a share as whole percent, with one digit below 10%: ``23%``, ``7%``, ``0.4%``.

        NaN, the share of nothing, is a dash.
        """
        if math.isnan(share):
            return MISSING
        if share >= 0.095 or share == 0:
            return f"{100 * share:.0f}%"
        return f"{100 * share:.1g}%"

    @staticmethod
    def word(n: int, *, capital: bool = False) -> str:
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

    @staticmethod
    def count(n: int, noun: str, plural: str = "") -> str:
        """Return ``1 event``, ``2 events``; by default the plural ends in -s."""
        return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"

    @staticmethod
    def expected(number: float) -> str:
        """Return how many are expected: ``3,802``, ``3.2``, ``0.15``."""
        return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"

    @staticmethod
    def day(tau: int) -> str:
        """Format an event day: ``−1``, ``0``, ``+1``."""
        return Words.signed(tau, 0)

    @staticmethod
    def window(window: Any) -> str:
        """Format a ``Window``, or its first and last day: ``[−1, 1]``."""
        ends = window if isinstance(window, Sequence) else (window.start, window.stop)
        start, stop = (Words.signed(day, 0, sign=False) for day in ends)
        return f"[{start},{NBSP}{stop}]"

    @staticmethod
    def date(value: object) -> str:
        """Format a date for a sentence: ``1 Sep 2022``."""
        day = _date(value)
        return f"{day.day}{NBSP}{_MONTHS[day.month - 1]}{NBSP}{day.year}" if day else MISSING

    @staticmethod
    def iso(value: object) -> str:
        """Format a date for a table: ``2022-09-01``."""
        day = _date(value)
        return day.isoformat() if day else MISSING

    @staticmethod
    def listed(items: Iterable[str]) -> str:
        """Join with commas and a last "and"."""
        *head, last = list(items)
        return f"{', '.join(head)} and {last}" if head else last

    @staticmethod
    def some(texts: Iterable[str], limit: int = 3) -> str:
        """Return the first texts in one, with dots where there are more than `limit`.

        Parameters
        ----------
        texts : iterable of str
            Duplicates count once.
        limit : int

        Returns
        -------
        str
        """
        listed = list(dict.fromkeys(texts))
        return ", ".join(listed[:limit]) + (", ..." if len(listed) > limit else "")

    @staticmethod
    def and_more(texts: Iterable[str], total: int = 0) -> str:
        """Return the first three texts in one, and the number of the remaining ones.

        Parameters
        ----------
        texts : iterable of str
        total : int
            Number of all, if there are more than `texts`.

        Returns
        -------
        str
        """
        items = list(texts)
        named = items[:3]
        more = max(total, len(items)) - len(named)
        return ", ".join(named) + f" and {more} more" * (more > 0)

    def _decimals(self, value: float, least: int) -> int:
        """Return how many decimals show a value that is not 0 as such; at least `least`."""
        shown = abs(self.scale * value)
        return next((d for d in range(least, 7) if round(shown, d)), least)


@lru_cache(4096)
def _date(value: object) -> dt.date | None:
    import numpy as np

    stamp = np.datetime64(value, "D")  # type: ignore[call-overload]
    return None if np.isnat(stamp) else stamp.astype(dt.date)


def _log(quantity: str, formula: str, source: str) -> Words:
    upper = quantity.capitalize()
    return Words(
        datum=quantity, above=f"{upper} above normal", below=f"{upper} below normal", scale=1.0,
        unit=" log points", head="log pts", axis="log points", what=f"log {quantity}",
        formula=formula, source=source, symbol="v", quantity=quantity,
    )  # fmt: skip


VOLUMES = "Campbell and Wasley (1996)"
RANGES = "Parkinson (1980)"
# By measure. The formulas are set like those of models.
_MEASURES: Mapping[str, Words] = {
    "return": Words(),
    "volume": _log("volume", "v_it = ln volume_it", VOLUMES),
    "turnover": _log("turnover", "v_it = ln(100 volume_it / shares_i + 0.000255)", VOLUMES),
    "volatility": _log("variance", "v_it = ln[(ln high_it − ln low_it)² / (4 ln 2)]", RANGES),
}
_SPOKEN: ContextVar[Words] = ContextVar("words", default=_MEASURES["return"])


def words(measure: str = "") -> Words:
    """Return the words of a measure, by default that of the study that is being written about."""
    return _MEASURES[measure] if measure else _SPOKEN.get()


@contextmanager
def speaking_of(measure: str) -> Iterator[None]:
    """Write in the words of a measure."""
    token = _SPOKEN.set(_MEASURES[measure])
    try:
        yield
    finally:
        _SPOKEN.reset(token)
