"""Daily price limits: the closes that were as far from the last one as an exchange allows."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..typing import BoolArray, DateArray, FloatArray, IntArray

if TYPE_CHECKING:
    from ..events.table import Events

# (price from which it holds, tick)
Ticks = tuple[tuple[float, float], ...]
CENT: Ticks = ((0, 0.01),)
# Ticks of Taiwan and Korea are from memory; those of Korea changed on 2023-01-25.
TAIWAN: Ticks = ((0, 0.01), (10, 0.05), (50, 0.1), (100, 0.5), (500, 1), (1000, 5))
KOREA_OLD: Ticks = ((0, 1), (1000, 5), (5000, 10), (10000, 50), (50000, 100), (100000, 500), (500000, 1000))
KOREA: Ticks = ((0, 1), (2000, 5), (5000, 10), (20000, 50), (50000, 100), (200000, 500), (500000, 1000))


@dataclass(frozen=True, slots=True)
class LimitRule:
    """What a board allows a close to move from the last one, from one day on.

    Attributes
    ----------
    board : str
        Rules of one board follow each other in time.
    symbols : str
        Regular expression that the whole symbol matches.
    since : str
        First day, YYYY-MM-DD. Before its first rule a board has no known limit.
    percent : float
        Largest move as a share: 0.1.
    free : int
        Sessions after the listing that have no limit; the first session of all is one of them.
    st : bool
        Whether the rule is for shares under special treatment (ST, *ST).
    ticks : tuple of (price, tick)
        Steps of the price: the tick from each price on.
    inward : bool
        Whether limit prices are rounded towards the last close; otherwise half up.
    """

    board: str
    symbols: str
    since: str
    percent: float
    free: int = 0
    st: bool = False
    ticks: Ticks = CENT
    inward: bool = False


MAIN = r"60[0135]\d{3}\.SS|00[0-3]\d{3}\.SZ"
CHINEXT = r"30[0-2]\d{3}\.SZ"
KRX = r"\d{6}\.K[SQ]"
TWSE = r"[1-9]\d{3}\.TWO?"

# The first match decides on the board. Not here, and so without a limit: Hong Kong, New York, London and all
# others; Tokyo, whose limits are amounts of yen; B shares; indices and exchange rates.
# Main board, ST, STAR and ChiNext from the exchanges' rules; from memory: Beijing, Taiwan, Korea, the first
# day of every rule before 2015, and the free first sessions of boards other than STAR and ChiNext.
LIMITS: tuple[LimitRule, ...] = (
    LimitRule("main ST", MAIN, "1998-04-22", 0.05, st=True),
    LimitRule("main ST", MAIN, "2026-07-06", 0.10, st=True),
    LimitRule("main", MAIN, "1996-12-16", 0.10, free=1),
    LimitRule("main", MAIN, "2023-04-10", 0.10, free=5),
    LimitRule("STAR", r"68[89]\d{3}\.SS", "2019-07-22", 0.20, free=5),
    LimitRule("ChiNext", CHINEXT, "2009-10-30", 0.10, free=1),
    LimitRule("ChiNext", CHINEXT, "2020-08-24", 0.20, free=5),
    LimitRule("Beijing", r"(?!899)\d{6}\.BJ", "2021-11-15", 0.30, free=1),
    LimitRule("Taiwan", TWSE, "1989-10-11", 0.07, free=1, ticks=TAIWAN, inward=True),
    LimitRule("Taiwan", TWSE, "2005-03-01", 0.07, free=5, ticks=TAIWAN, inward=True),
    LimitRule("Taiwan", TWSE, "2015-06-01", 0.10, free=5, ticks=TAIWAN, inward=True),
    LimitRule("Korea", KRX, "1998-12-07", 0.15, free=1, ticks=KOREA_OLD, inward=True),
    LimitRule("Korea", KRX, "2015-06-15", 0.30, free=1, ticks=KOREA_OLD, inward=True),
    LimitRule("Korea", KRX, "2023-01-25", 0.30, free=1, ticks=KOREA, inward=True),
)
# A move of an adjusted price is at the limit within half a tick of the price, at least and at most within:
LEAST, MOST = 0.0006, 0.006


@dataclass(frozen=True, eq=False, slots=True)
class LimitDays:
    """What price limits did to one symbol on each of its T rows.

    Attributes
    ----------
    state : (T,) int array
        +1 or -1: closed at the upper or lower limit; +2 or -2: traded at no other price; 0: neither.
    approx : (T,) bool array
        Judged from the return because there is no unadjusted close on the tick.
    beyond : (T,) float array
        The return where the close lies outside the limits, else NaN.
    """

    state: IntArray
    approx: BoolArray
    beyond: FloatArray

    @property
    def at_limit(self) -> IntArray:
        """+1 up, -1 down, 0 not at a limit."""
        return np.sign(self.state)

    @property
    def locked(self) -> BoolArray:
        """Whether open, high, low and close were the limit."""
        return np.asarray(np.abs(self.state) == 2)


def rules_of(symbol: str, rules: Sequence[LimitRule] = LIMITS, *, st: bool = False) -> tuple[LimitRule, ...]:
    """Return the rules of the first board that a symbol matches, in order of time; () = no limit known."""
    own = [r for r in rules if (st or not r.st) and _pattern(r.symbols).fullmatch(symbol)]
    return tuple(sorted((r for r in own if r.board == own[0].board), key=lambda r: r.since))


def special_treatment(events: Events) -> frozenset[str]:
    """Return the tickers under special treatment.

    Their column ``st`` says yes, or their ``company`` begins with ST or *ST. A ticker with one such event
    counts as such throughout.
    """
    table, found = events.table, set()
    if "st" in table:
        words = table["st"].astype(str).str.strip().str.lower()
        found |= set(table["ticker"][words.isin(("yes", "y", "true", "1"))])
    if "company" in table:
        names = table["company"].astype(str).str.strip()
        found |= set(table["ticker"][names.str.match(r"S?\*?ST(?![A-Za-z])")])
    return frozenset(map(str, found))


def limit_price(
    last: FloatArray, move: FloatArray | float, ticks: Ticks = CENT, *, inward: bool = False
) -> FloatArray:
    """Return the limit price ``last (1 + move)`` on the tick, rounded half up or towards `last`.

    A tick is that of the unrounded limit price. Closes that a source keeps in single precision are
    brought back onto the tick first.
    """
    step = tick_of(last, ticks)
    target = np.round(last / step) * step * (1 + np.asarray(move))
    step = tick_of(target, ticks)
    steps = target / step
    if inward:
        rounded = np.where(np.asarray(move) > 0, np.floor(steps + 1e-6), np.ceil(steps - 1e-6))
    else:
        rounded = np.floor(steps + 0.5 + 1e-6)
    return np.asarray(rounded * step, dtype=float)


def tick_of(price: FloatArray, ticks: Ticks = CENT) -> FloatArray:
    """Return the tick at each price."""
    starts, steps = np.array(ticks, dtype=float).T
    at = np.searchsorted(starts, np.asarray(price) + 1e-9, side="right") - 1
    return np.asarray(steps[np.maximum(at, 0)], dtype=float)


def daily_limits(
    dates: DateArray,
    close: FloatArray,
    rules: Sequence[LimitRule],
    *,
    adjusted: FloatArray | None = None,
    ohl: tuple[FloatArray, FloatArray, FloatArray] | None = None,
    unseen: BoolArray | None = None,
    listed: bool = False,
) -> LimitDays:
    """Return on which days one symbol closed at a price limit.

    The limit price is last close x (1 +- percent) on the tick. On a day that the adjustment of prices
    changes, the last close is that without the dividend. Where closes are not on the tick, because they
    are adjusted or because it is such a day, the return decides: abs(R) within half a tick of percent.

    Parameters
    ----------
    dates, close : (T,) arrays
        Closes before adjustment; NaN = no trade, which the limit of the next day is not counted from.
    rules : sequence of LimitRule
        Of the symbol's board, in order of time.
    adjusted : (T,) float array, optional
    ohl : three (T,) float arrays, optional
        Open, high and low; without them no day is known to be locked.
    unseen : (T,) bool array, optional
        Whether the source has left out sessions before a row. Then no close is beyond the limit.
    listed : bool
        Whether the first row is the first session after the listing.
    """
    n = len(dates)
    state, approx, beyond = np.zeros(n, np.int64), np.zeros(n, bool), np.full(n, np.nan)
    result = LimitDays(state, approx, beyond)
    seen = np.flatnonzero((close > 0) & (close < np.inf))
    if not rules or len(seen) < 2:
        return result
    last, now = seen[:-1], seen[1:]
    reference, plain = close[last], np.ones(len(now), dtype=bool)
    if adjusted is not None:
        change = (adjusted[last] / close[last]) / (adjusted[now] / close[now])
        plain = ~(np.abs(change - 1) > 1e-4)
        reference = np.where(plain, reference, reference * change)
    moves = close[now] / reference - 1
    near = np.flatnonzero(np.abs(moves) > min(r.percent for r in rules) - MOST)
    starts = np.array([r.since for r in rules], dtype="datetime64[D]")
    which = np.searchsorted(starts, dates[now[near]], side="right") - 1
    for k in np.unique(which[which >= 0]):
        rule, at = rules[k], near[which == k]
        at = at[at + 1 >= rule.free] if listed else at
        row, ref, move, own = now[at], reference[at], moves[at], close[now[at]]
        limit = limit_price(ref, np.sign(move) * rule.percent, rule.ticks, inward=rule.inward)
        step = tick_of(limit, rule.ticks)
        exact = plain[at] & _on_tick(own, rule.ticks) & _on_tick(ref, rule.ticks) & _raw(close[seen], rule)
        wide = np.clip((1.0 if rule.inward else 0.55) * step / ref, LEAST, MOST)
        excess = np.abs(move) - rule.percent
        hit = np.where(exact, np.abs(own - limit) < 0.3 * step, np.abs(excess) <= wide)
        over = np.where(exact, np.sign(move) * (own - limit) > 0.7 * step, excess > wide)
        state[row] = np.sign(move).astype(np.int64) * hit * (1 + _one_price(row, own, ohl))
        approx[row] = hit & ~exact
        beyond[row] = np.where(over & ~(unseen[row] if unseen is not None else False), move, np.nan)
    return result


def _one_price(
    rows: IntArray, close: FloatArray, ohl: tuple[FloatArray, FloatArray, FloatArray] | None
) -> BoolArray:
    if ohl is None:
        return np.zeros(len(rows), dtype=bool)
    return np.asarray(np.all([np.isclose(own[rows], close, rtol=1e-5, atol=0.0) for own in ohl], axis=0))


def _on_tick(price: FloatArray, ticks: Ticks) -> BoolArray:
    """Tell which prices lie on the tick, as well as single precision can tell."""
    steps = price / tick_of(price, ticks)
    return np.asarray(np.abs(steps - np.round(steps)) < 2e-4 + 1e-7 * steps)


def _raw(close: FloatArray, rule: LimitRule) -> bool:
    """Tell whether most closes lie on the tick: some adjusted ones do by chance."""
    return bool(_on_tick(close, rule.ticks).mean() >= 0.5)


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
