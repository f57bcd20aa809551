"""Faults of returns: their detection in one column, and their treatment (docs/faults.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ..utility import BoolArray, FloatArray, SmallIntArray
from .faults import ReturnFault

ReturnKind = Literal["simple", "log"]

# Daily returns of indices are below this size on most days; in percent they are above it.
LARGE_MEDIAN = 0.1
# Half of all daily returns above this size: no market, but percent of volatile shares, or prices.
LARGEST_MEDIAN = 1.0
# Numbers beyond this are as good as infinite, and sums of them would be.
HUGE = 1e100
# Returns that a column needs before its unit, and before its history, can be judged.
FEWEST, HISTORY = 30, 60
# A lone return doubles the price or leaves less than exp(-3) of it, is 150 times the median of its
# column (60 times as a logarithm) and 9 times the next; a suspect one 50 and 3 times.
RISE, FALL = 1.0, 3.0
SURE, IN_LOGS, ISOLATED = 150, 60, 9
DOUBT, APART = 50, 3
# A real move of that size changes a share: it is wild afterwards, or calm after a bid. So the 10
# returns after it (5 at least) are compared with the 250 before: medians within a factor of 3, the
# first 5 at most 8 times the median.
BEFORE, AFTER, FEWEST_AFTER, FACTOR = 250, 10, 5, 3
NEXT, ORDINARY = 5, 8
# 100 times the last price, by 150 times the median size as a logarithm too: whatever follows.
BEYOND = 99.0
# Shares of a column below -100 %, of ordinary and of large size, and of lone returns.
MANY_LOSSES, SOME_LOSSES, MANY_LONE, SEVERAL = 0.01, 0.001, 0.02, 3
# Log returns of such a size, which wander as a random walk does: no day takes back the last.
LARGE_LOG, WANDERS = 0.3, 0.9
# One value is a code if it makes up this share of the absurd ones.
MOSTLY = 0.8
# What a column of returns has for a missing one; CRSP: -44 to -99, or letters in cells of text.
CODES = np.array([
    -44, -55, -66, -77, -88, -99, -999, -9999, -99999, -9.99, -99.9, -99.99, -999.9, -999.99,
    99, 999, 9999, 99999, 99.99, 999.99,
])  # fmt: skip
LETTERS = {"E": -44.0, "D": -55.0, "C": -66.0, "B": -77.0, "A": -88.0}
# -99 in percent: a code where the next days are ordinary, otherwise a loss of 99 %.
HUNDREDTH = -0.99
# The marks of values; 0 = no mark.
INFINITE, LOSS, CODE, LONE, SUSPECT = range(1, 6)
MARKS: Mapping[int, ReturnFault] = {
    INFINITE: ReturnFault.INFINITE, LOSS: ReturnFault.LOSS, CODE: ReturnFault.CODE,
    LONE: ReturnFault.LONE, SUSPECT: ReturnFault.SUSPECT,
}  # fmt: skip


class MissingCodes:
    """What a table has for a missing number.

    Attributes
    ----------
    NUMBERS : (n,) float array
    TEXTS : dict of str to float
        Letters in cells of text, also as SAS writes them, and the numbers that they mean; a point
        alone is a missing value of SAS and Stata.
    """

    NUMBERS = CODES
    TEXTS = LETTERS | {f".{letter}": code for letter, code in LETTERS.items()} | {".": -99.0}


@dataclass(frozen=True, eq=False)
class ReturnColumn:
    """The returns of one symbol, (T,) in the order of their dates; NaN = missing."""

    values: FloatArray
    kind: ReturnKind

    @cached_property
    def marks(self) -> SmallIntArray:
        """The mark of each value (T,)."""
        out = np.zeros(len(self.values), np.int8)
        apart = self._wide & (self._moves >= APART * self._next_to(self._wide))
        for mark, mask in (
            (SUSPECT, apart | self._hundredths), (LONE, self._lone), (LOSS, self._losses),
            (CODE, self._codes), (INFINITE, np.isinf(self.values)),
        ):  # fmt: skip
            out[mask] = mark
        return out

    @cached_property
    def numbers(self) -> FloatArray:
        """The values that are neither missing, infinite nor a code."""
        return self.values[np.isfinite(self.values) & ~self._codes]

    @cached_property
    def median(self) -> float:
        """The median size of `numbers`."""
        return float(np.median(np.abs(self.numbers))) if len(self.numbers) else 0.0

    @cached_property
    def not_decimal(self) -> bool:
        """Whether these can be no decimal returns: percent, basis points, prices, or a mixture."""
        n = len(self.numbers)
        if n < FEWEST:
            return False
        losses, lone = (np.count_nonzero(self.marks == mark) for mark in (LOSS, LONE))
        least = (SOME_LOSSES if self.median > LARGE_MEDIAN else MANY_LOSSES) * n
        path = np.cumsum(self.numbers - self.numbers.mean())
        in_large_logs = self.kind == "log" and self.median >= LARGE_LOG
        return bool(
            not_returns(self.median, negative=bool((self.numbers < 0).any()))
            or losses >= max(least, SEVERAL)
            or lone > max(MANY_LONE * n, SEVERAL)
            or (in_large_logs and np.ptp(path) >= WANDERS * np.sqrt(n))
        )

    @cached_property
    def _usual(self) -> BoolArray:
        return np.isfinite(self.values) & ~np.isin(self.values, CODES)

    @cached_property
    def _hundredths(self) -> BoolArray:
        return self._usual & np.isclose(self.values, HUNDREDTH, rtol=0, atol=1e-9)

    @cached_property
    def _losses(self) -> BoolArray:
        """Simple returns below -100 %, or of -100 % although there are later ones."""
        if self.kind == "log":
            return np.zeros(len(self.values), dtype=bool)
        usual = np.flatnonzero(self._usual)
        out = self._usual & (self.values <= -1)
        if len(usual) and self.values[usual[-1]] == -1:
            out[usual[-1]] = False
        return out

    @cached_property
    def _sound(self) -> BoolArray:
        """The values that a share can have had, judged one by one."""
        possible = (self.values > -1) | (self.kind == "log")
        return np.asarray(self._usual & possible & ~self._hundredths)

    @cached_property
    def _scale(self) -> float:
        """The median size of the returns that are not 0; infinite without a history."""
        sizes = np.abs(self.values[self._sound])
        sizes = sizes[sizes > 0]
        return float(np.median(sizes)) if len(sizes) >= HISTORY else np.inf

    @cached_property
    def _moves(self) -> FloatArray:
        """How far the price moves: rises in multiples of the last price, falls as logarithms."""
        if self.kind == "log":
            return np.where(self.values > 0, np.expm1(np.minimum(self.values, 700)), -self.values)
        falls = -np.log1p(np.clip(self.values, np.nextafter(-1, 0), 0))
        return np.where(self.values > 0, self.values, falls)

    @cached_property
    def _logs(self) -> FloatArray:
        return np.where(self.values > 0, np.log1p(self._moves), self._moves)

    @cached_property
    def _wide(self) -> BoolArray:
        floor = np.where(self.values > 0, RISE, FALL)
        return np.asarray(self._sound & (self._moves >= np.maximum(floor, DOUBT * self._scale)))

    @cached_property
    def _sure(self) -> BoolArray:
        is_far = self._logs >= IN_LOGS * self._scale
        return self._wide & (self._moves >= SURE * self._scale) & is_far

    def _next_to(self, mask: BoolArray) -> float:
        """Return the largest move that is not in `mask`."""
        return float(np.max(self._moves[self._sound & ~mask], initial=0.0))

    @cached_property
    def _lone(self) -> BoolArray:
        out = self._sure & (self._moves >= ISOLATED * self._next_to(self._sure))
        beyond = (self._moves > BEYOND) & (self._logs > SURE * self._scale)
        for row in np.flatnonzero(out & ~beyond).tolist():
            before, after = self._around(row)
            out[row] = (
                self._moves[row] >= SURE * before
                and before <= FACTOR * np.median(after) <= FACTOR**2 * before
                and after[:NEXT].max() <= ORDINARY * before
            )
        return out

    def _around(self, row: int) -> tuple[float, FloatArray]:
        """Return the median size of the returns before a row, and the sizes of those after it.

        The median is inf without a history. Returns of 0 do not count.
        """
        at = np.flatnonzero(self._sound & ~self._sure & (self.values != 0))
        place = int(np.searchsorted(at, row))
        sizes = np.abs(self.values[at])
        before = sizes[max(place - BEFORE, 0) : place]
        after = sizes[place : place + AFTER]
        if len(before) < HISTORY or len(after) < FEWEST_AFTER:
            return np.inf, np.zeros(1)
        return float(np.median(before)), after

    @cached_property
    def _codes(self) -> BoolArray:
        out = np.isin(self.values, CODES) | self._repeated
        apart = self._hundredths & (self._moves >= APART * self._next_to(self._sure))
        for row in np.flatnonzero(apart).tolist():
            before, after = self._around(row)
            out[row] = np.isfinite(before) and np.median(after) <= FACTOR * before
        return out

    @cached_property
    def _repeated(self) -> BoolArray:
        """Which values are one absurd number that recurs."""
        absurd = self.values[self._losses | self._lone]
        if len(absurd) < SEVERAL:
            return np.zeros(len(self.values), dtype=bool)
        numbers, counts = np.unique(absurd, return_counts=True)
        often = counts.max() >= max(SEVERAL, MOSTLY * len(absurd))
        return np.asarray(self._usual & (self.values == numbers[counts.argmax()]) & often)


def not_returns(median: float, *, negative: bool) -> bool:
    """Return whether numbers cannot be daily returns.

    Parameters
    ----------
    median : float
        Their median size.
    negative : bool
        Whether any is negative.

    Returns
    -------
    bool
    """
    return median > LARGEST_MEDIAN or (median > LARGE_MEDIAN and not negative)
