"""Daily price limits: the closes that were as far from the last one as an exchange allows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...calendars.exchanges import bundled_rows
from ...utility.typing import BoolArray, DateArray, FloatArray, IntArray

# (price from which it holds, tick)
Ticks = tuple[tuple[float, float], ...]
CENT: Ticks = ((0, 0.01),)


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
        Largest move as a share: 0.1. Not used where there are amounts.
    free : int
        Sessions after the listing that have no limit; the first session of all is one of them.
    st : bool
        Whether the rule is for shares under special treatment (ST, *ST).
    ticks : tuple of (price, tick)
        Steps of the price: the tick from each price on.
    inward : bool
        Whether limit prices are rounded towards the last close; otherwise half up.
    amounts : tuple of (price, amount)
        Largest move in the currency of the price, from each last close on; () = a share of it.
    widened : bool
        Whether the exchange widens the limit of a share on some days: then no close is beyond it.
    strict : bool
        Whether a close beyond the limit is proof of a fault, as far as closes are on the tick.
    """

    board: str
    symbols: str
    since: str
    percent: float
    free: int = 0
    st: bool = False
    ticks: Ticks = CENT
    inward: bool = False
    amounts: Ticks = ()
    widened: bool = False
    strict: bool = False

    def share(self, last: FloatArray) -> FloatArray:
        """Return the largest move from each last close as a share of it."""
        if not self.amounts:
            return np.full(len(last), self.percent)
        return tick_of(last, self.amounts) / last


def _steps(cell: str) -> Ticks:
    """Return the steps of a cell such as ``0:0.01 10:0.05``."""
    pairs = (step.split(":") for step in cell.split())
    return tuple((float(price), float(step)) for price, step in pairs)


def _rule(row: dict[str, str]) -> LimitRule:
    flags: Any = {name: row[name] == "yes" for name in ("st", "inward", "widened", "strict")}
    ticks, amounts = _steps(row["ticks"]) or CENT, _steps(row["amounts"])
    move, free = float(row["limit"]), int(row["free"])
    names = row["board"], row["symbols"], row["since"]
    return LimitRule(*names, move, free, ticks=ticks, amounts=amounts, **flags)


# A row a rule, with its source; ticks are 0.01 where none are given. The first match decides on the
# board. Not there, and so without a limit: Hong Kong, New York, London and all others; indices and
# exchange rates.
LIMITS = tuple(map(_rule, bundled_rows("price_limits.csv")))
# A move of an adjusted price is at the limit within half a tick of the price, or within these
# bounds of that half tick.
NARROWEST, WIDEST = 0.0006, 0.006


@dataclass(frozen=True, eq=False, slots=True)
class LimitDays:
    """What price limits did to one symbol on each of its T rows.

    Attributes
    ----------
    state : (T,) int array
        +1 or -1: closed at the upper or lower limit; +2 or -2: traded at no other price; 0:
        neither.
    approx : (T,) bool array
        Judged from the return because there is no unadjusted close on the tick.
    beyond : (T,) float array
        The return where the close lies outside the limits, else NaN.
    proven : (T,) bool array
        Whether that is certain: a strict rule, closes on the tick, a trade in the session before
        (never where `unseen` is not known), and not in the first sessions of the data that a
        listing may have free.
    """

    state: IntArray
    approx: BoolArray
    beyond: FloatArray
    proven: BoolArray

    @property
    def at_limit(self) -> IntArray:
        """+1 up, -1 down, 0 not at a limit."""
        return np.sign(self.state)


def rules_of(
    symbol: str, rules: Sequence[LimitRule] = LIMITS, *, st: bool = False
) -> tuple[LimitRule, ...]:
    """Return the rules of the first board that a symbol matches, in order of time.

    Parameters
    ----------
    symbol : str
    rules : sequence of LimitRule
    st : bool
        Whether the share is under special treatment (ST, *ST).

    Returns
    -------
    tuple of LimitRule
        Empty where no limit is known.
    """
    matches = [r for r in rules if (st or not r.st) and re.fullmatch(r.symbols, symbol)]
    return tuple(sorted((r for r in matches if r.board == matches[0].board), key=lambda r: r.since))


def limit_price(
    last: FloatArray, move: FloatArray | float, ticks: Ticks = CENT, *, inward: bool = False
) -> FloatArray:
    """Return the limit price of each last close on the tick, rounded half up or towards it.

    Parameters
    ----------
    last : (n,) float array
        Last closes in the currency of the prices.
    move : (n,) float array or float
        Largest move as a share, with its sign: -0.1.
    ticks : tuple of (price, tick)
    inward : bool
        Round towards `last`.

    Returns
    -------
    (n,) float array

    Notes
    -----
    .. math:: P^L_t = \\mathrm{round}(P_{t-1} (1 + m))

    on the tick of the unrounded limit price. Closes that a source keeps in single precision are
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
    """Return the tick at each price.

    Parameters
    ----------
    price : (n,) float array
    ticks : tuple of (price, tick)

    Returns
    -------
    (n,) float array
    """
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

    The limit price is last close x (1 +- percent) on the tick. On a day that the adjustment of
    prices changes, the last close is that without the dividend. Where closes are not on the tick,
    because they are adjusted or because it is such a day, the return decides: abs(R) within half a
    tick of percent.

    Parameters
    ----------
    dates, close : (T,) arrays
        Closes before adjustment; NaN = no trade, which the limit of the next day is not counted
        from.
    rules : sequence of LimitRule
        Of the symbol's board, in order of time.
    adjusted : (T,) float array, optional
    ohl : three (T,) float arrays, optional
        Open, high and low; without them no day is known to be locked.
    unseen : (T,) bool array, optional
        Whether the source has left out sessions before a row. Then no close is beyond the limit.
    listed : bool
        Whether the first row is the first session after the listing.

    Returns
    -------
    LimitDays
        All zero, and NaN, where there are no rules or fewer than two closes.
    """
    n = len(dates)
    state, approx, beyond = np.zeros(n, np.int64), np.zeros(n, bool), np.full(n, np.nan)
    proven = np.zeros(n, bool)
    result = LimitDays(state, approx, beyond, proven)
    traded = np.flatnonzero((close > 0) & (close < np.inf))
    if not rules or len(traded) < 2:
        return result
    last, now = traded[:-1], traded[1:]
    reference, unadjusted = close[last], np.ones(len(now), dtype=bool)
    if adjusted is not None:
        change = (adjusted[last] / close[last]) / (adjusted[now] / close[now])
        unadjusted = ~(np.abs(change - 1) > 1e-4)
        reference = np.where(unadjusted, reference, reference * change)
    moves = close[now] / reference - 1
    near = np.flatnonzero(np.abs(moves) > min(r.percent for r in rules) - WIDEST)
    starts = np.array([r.since for r in rules], dtype="datetime64[D]")
    in_force = np.searchsorted(starts, dates[now[near]], side="right") - 1
    for k in np.unique(in_force[in_force >= 0]):
        rule, at = rules[k], near[in_force == k]
        at = at[at + 1 >= rule.free] if listed else at
        row, ref, move, price = now[at], reference[at], moves[at], close[now[at]]
        share = rule.share(ref)
        limit = limit_price(ref, np.sign(move) * share, rule.ticks, inward=rule.inward)
        step = tick_of(limit, rule.ticks)
        exact = unadjusted[at] & _on_tick(price, rule.ticks) & _on_tick(ref, rule.ticks)
        # Some adjusted closes lie on the tick by chance.
        exact &= _on_tick(close[traded], rule.ticks).mean() >= 0.5
        wide = np.clip((1.0 if rule.inward else 0.55) * step / ref, NARROWEST, WIDEST)
        excess = np.abs(move) - share
        hit = np.where(exact, np.abs(price - limit) < 0.3 * step, np.abs(excess) <= wide)
        over = np.where(exact, np.sign(move) * (price - limit) > 0.7 * step, excess > wide)
        over &= not rule.widened
        state[row] = np.sign(move).astype(np.int64) * hit * (1 + _one_price(row, price, ohl))
        approx[row] = hit & ~exact
        if unseen is not None:
            over &= ~unseen[row]
            proven[row] = over & exact & (row - last[at] == 1) & (row >= rule.free) & rule.strict
        beyond[row] = np.where(over, move, np.nan)
    return result


def _one_price(
    rows: IntArray, close: FloatArray, ohl: tuple[FloatArray, FloatArray, FloatArray] | None
) -> BoolArray:
    if ohl is None:
        return np.zeros(len(rows), dtype=bool)
    equal = [np.isclose(price[rows], close, rtol=1e-5, atol=0.0) for price in ohl]
    return np.asarray(np.all(equal, axis=0))


def _on_tick(price: FloatArray, ticks: Ticks) -> BoolArray:
    """Return which prices lie on the tick, as well as single precision can tell."""
    steps = price / tick_of(price, ticks)
    return np.asarray(np.abs(steps - np.round(steps)) < 2e-4 + 1e-7 * steps)
