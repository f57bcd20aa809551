"""Splits and bonus issues that a source did not apply, judged by their traces (docs/faults.md).

Each traded row whose price moves by more than `LEAST` and `MULTIPLE` sigma gets the log-odds that
it is an unadjusted action at the likeliest ratio of `RATIOS`, against news. Densities are Student's
t with 5 degrees of freedom, as (centre, scale); news of the move itself is a t with 3. A trace that
the data lack adds nothing.

=========  ========================================================  ============  ===========
trace      what is measured                                          action        news
=========  ========================================================  ============  ===========
move       log move of the close or the open less the market's,      (0, sigma)    t3, sigma
           from the log ratio under an action
`LEVEL`    log of the median volume of 20 days from that day to      (0, 0.35)     (0.25, 0.4)
           that of 20 before, times the ratio under an action
`VOLUME`   the same of that day's volume                             (0.1, 0.5)    (1.1, 0.9)
`RANGE`    log of the day's range to its median of 20 days           (0, 0.45)     (1.1, 0.5)
`AFTER`    log of the median size of 10 moves after it to 20 before  (0, 0.45)     (0.5, 0.6)
=========  ========================================================  ============  ===========

sigma is the median size of the 60 moves before / 0.6745, `FLOOR` at least, times the root of the
weekdays since the last trade. One source in five (`ADJUSTED`) has volumes that are adjusted where
its prices are not. An action on a given day is `PRIORS` times as likely as none, of 3 for 2 and n
for 1 more so than of other ratios. A close beyond a price limit is `BEYOND` to one no news. The
scales were measured on splits planted in real series (benchmarks/price_gate.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from ..utility import BoolArray, DateArray, FloatArray, IntArray

RATIOS = np.array([
    1.1, 1.2, 1.25, 1.3, 4 / 3, 1.4, 1.5, 1.6, 1.7, 1.75, 1.8, 1.9, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10,
    12, 15, 20, 25, 30, 40, 50, 100,
])  # fmt: skip
PRIORS = np.where((RATIOS % 1 == 0) | (RATIOS == 1.5), 6e-4, 2e-4)
LEAST, MULTIPLE, FLOOR, ADJUSTED, BEYOND = np.log(1.08), 3, 0.005, 0.2, 50.0
LEVEL, VOLUME = ((0.0, 0.35), (0.25, 0.4)), ((0.1, 0.5), (1.1, 0.9))
RANGE, AFTER = ((0.0, 0.45), (1.1, 0.5)), ((0.0, 0.45), (0.5, 0.6))
# The median of the size of a standard normal number.
SIZE = 0.6745
# Days of history, of volume on either side, and of moves afterwards; the fewest of each that count.
BEFORE, DAYS, NEXT = 60, 20, 10
FEWEST, SOME = 20, 10
# Prices on either side that have to lie on the side of the new level, or of the old one.
STAYS = 5
# An action is proven by such log-odds, at such a ratio or beyond a price limit, where there is
# volume, neither volume, range nor the next 10 moves are against it, these moves are at least a
# third of the usual size (a share that is bid for hardly moves), and the last trade is at most two
# weeks old; or if the close is certainly beyond a limit; or from log-odds `REOPENED` on at such a
# ratio, if it is the first price after at most two weeks without one. Else it is suspect from
# log-odds `DOUBT` on, or `BLIND` without volume, unless volume, range and the next moves say by
# `NEWS` in all that it is news.
SURE, REOPENED, DOUBT, BLIND, AGAINST, NEWS = 4.0, 2.0, 0.5, 2.5, -1.0, -4.0
LARGE, FACTOR, RECENT = 1.9, 3.0, np.timedelta64(14, "D")
# A step of any ratio is suspect where volume, range and the next moves have such log-odds against
# news; one that the next row takes back but for this share, from such a multiple of sigma on, where
# volume is at most `BUSY` times the usual and the range at most half of the move.
UNMOVED, BACK, STEEP, BUSY = 3.0, 0.25, 5.0, 2.0
# A fall at the open may be a dividend from such a size on, and so many times the usual gap, if the
# market falls by less than a third of it and the close keeps half of it. The usual gap is `FLOOR`
# at least. Volume and range have to speak for it.
OPENING = np.log(1.03)
GAPS = 7.0
STILL = 1 / 3
HALF = 1 / 2
# Adjusted close over close changes from here on, and from so many usual moves; a third of it is
# the most that the close moves where it is alone, and what is left of a split in the close.
CHANGE = np.log(1.03)
TIMES = 5.0
THIRD = 1 / 3
# The adjusted close is above the close; a reverse split.
ABOVE = np.log(1.005)
REVERSE = np.log(1.3)


class Bars(NamedTuple):
    """The rows of a symbol that were traded, each array (n,); prices are those of returns."""

    dates: DateArray
    price: FloatArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


class Actions(NamedTuple):
    """Rows that look like an unadjusted action, with log-odds of `DOUBT` or more, each array (k,).

    Attributes
    ----------
    rows : int array
    ratios : float array
        Old price over new price: 2 for a split of 2 for 1.
    proven : bool array
    """

    rows: IntArray
    ratios: FloatArray
    proven: BoolArray

    def take(self, at: BoolArray) -> Actions:
        """Return some of them."""
        return Actions(self.rows[at], self.ratios[at], self.proven[at])


class Adjustments(NamedTuple):
    """Rows of which the adjusted close over the close changed, each array (k,).

    Attributes
    ----------
    rows, before : int array
        A row with both closes, and the last one before it.
    lone : bool array
        The adjusted close moved and the close did not.
    impossible : bool array
        The ratio fell, or is above 1 afterwards.
    reverse : bool array
        A reverse split moved the close.
    """

    rows: IntArray
    before: IntArray
    lone: BoolArray
    impossible: BoolArray
    reverse: BoolArray

    @property
    def lone_rows(self) -> IntArray:
        """The rows whose adjusted close moved and whose close did not."""
        return self.rows[self.lone]


def find_adjustments(close: FloatArray, adj_close: FloatArray) -> Adjustments:
    """Return the rows of which the adjusted close over the close changed by 3 % or more.

    Parameters
    ----------
    close, adj_close : (T,) float arrays
        NaN = missing.

    Returns
    -------
    Adjustments
    """
    rows = np.flatnonzero((close > 0) & (adj_close > 0) & (close < np.inf) & (adj_close < np.inf))
    ratio = np.log(adj_close[rows] / close[rows])
    moves = np.diff(np.log(close[rows]))
    changes = np.diff(ratio)
    usual = float(np.median(np.abs(moves))) if len(moves) else 0.0
    at = np.flatnonzero(np.abs(changes) >= max(CHANGE, TIMES * usual))
    change = changes[at]
    move = moves[at]
    return Adjustments(
        rows[at + 1], rows[at],
        lone=np.abs(move) < THIRD * np.abs(change),
        impossible=(change < 0) | (ratio[at + 1] > ABOVE),
        reverse=(change < -REVERSE) & (np.abs(move + change) < -THIRD * change),
    )  # fmt: skip


def find_steps(bars: Bars, market: Callable[[IntArray], FloatArray]) -> tuple[IntArray, IntArray]:
    """Return the rows that move against the market on a day like any other.

    Parameters
    ----------
    bars : Bars
    market : callable
        As for `find_actions`.

    Returns
    -------
    for_good, back : int arrays
        Rows that part two levels, and rows that the next one takes back.
    """
    level = np.log(bars.price)
    moves = np.diff(level, prepend=np.nan)
    at = np.flatnonzero(np.abs(moves) > LEAST)
    if not len(at):
        return at, at
    sizes = np.abs(moves)
    after = np.append(moves[1:], np.nan)[at]
    sigma = _sigma(sizes, bars.dates, at)
    common = market(at)
    large = np.abs(moves[at] - common) > np.maximum(LEAST, MULTIPLE * sigma)
    volumes, has_volume = _of_volumes(bars.volume, at, np.zeros(len(at)))
    traces = volumes + _of_range(bars, at) + _of_sizes(sizes, at)[0]
    for_good = large & (common != 0) & has_volume & (traces >= UNMOVED)
    for_good &= _settled(bars, level, at)
    with np.errstate(invalid="ignore", divide="ignore"):
        busy = bars.volume[at] / row_medians(_windows(bars.volume, at, -DAYS, 0), SOME) / BUSY
        wide = np.log(bars.high[at] / bars.low[at]) / sizes[at] * 2
    back = np.abs(moves[at] + after) < np.minimum(BACK * sizes[at], MULTIPLE * sigma)
    back &= large & (sizes[at] > STEEP * sigma) & (np.fmax(busy, wide) <= 1)
    return at[for_good], at[back]


def add_dividends(close: FloatArray, start: FloatArray, dividends: FloatArray) -> FloatArray | None:
    r"""Return closes less the dividends that came after them; None where they are adjusted already.

    Parameters
    ----------
    close, start : (n,) float arrays
        Closes and opens; NaN = missing.
    dividends : (n,) float array
        For a share, on the first day without it; 0 or NaN on other days.

    Returns
    -------
    (n,) float array or None
        None also where the dividends are too small to tell.

    Notes
    -----
    The slope of moves r on dividends d over the last close, through the origin, is -1 for raw
    closes and 0 for adjusted ones; s is the usual size of a move / 0.6745. Moves end at the open
    where there is one. Closes are raw if

    .. math:: b = -\sum r_i d_i / \sum d_i^2, \quad b > 1/2, \quad b > 2 s / \sqrt{\sum d_i^2}

    and then

    .. math:: P^{adj}_t = P_t \prod_{u > t} (1 - D_u / P_{u-1})
    """
    priced = np.flatnonzero((close > 0) & (close < np.inf))
    before = priced[:-1]
    rows = priced[1:]
    ends = np.where(start[rows] > 0, start[rows], close[rows])
    moves = np.log(ends / close[before])
    yields = np.nan_to_num(dividends[rows]) / close[before]
    total = float((yields**2).sum())
    if total <= 0:
        return None
    slope = -float((moves * yields).sum()) / total
    usual = float(np.median(np.abs(moves))) / SIZE
    if slope <= HALF or slope <= 2 * usual / np.sqrt(total):
        return None
    factor = np.ones(len(close))
    factor[rows] = 1 - np.clip(yields, 0.0, 0.99)
    later = np.cumprod(factor[::-1])[::-1]
    return np.asarray(close * np.append(later[1:], 1.0))


def find_dividends(bars: Bars, market: Callable[[IntArray], FloatArray]) -> IntArray:
    """Return the rows of closes without adjustment whose fall may be a dividend.

    Volume and range say by `LEVEL`, `VOLUME` and `RANGE`, each of them, that the day is like any
    other, as that of a split. Most of these falls are news all the same
    (benchmarks/dividends.py).

    Parameters
    ----------
    bars : Bars
    market : callable
        As for `find_actions`.

    Returns
    -------
    int array
        Empty without opens, volumes or ranges; no row on which the market is not known, nor one of
        the last days, whose later volumes are not known.
    """
    level = np.log(bars.price)
    moves = np.diff(level, prepend=np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = np.log(bars.open) - level + moves
    at = np.flatnonzero(gaps < -OPENING)
    if not len(at):
        return at
    usual = row_medians(_windows(np.abs(gaps), at, -BEFORE, 0), FEWEST) / SIZE
    is_large = -gaps[at] > GAPS * np.maximum(usual, FLOOR)
    common = market(at)
    is_still = (common != 0) & (common > STILL * gaps[at])
    volumes, has_volume = _of_volumes(bars.volume, at, np.zeros(len(at)))
    is_usual = has_volume & (volumes > 0) & (_of_range(bars, at) > 0)
    return np.asarray(at[is_large & is_still & is_usual & (moves[at] < HALF * gaps[at])])


def find_actions(
    bars: Bars, market: Callable[[IntArray], FloatArray], beyond: BoolArray, proven: BoolArray,
    reopened: BoolArray,
) -> Actions:  # fmt: skip
    """Return the rows of a symbol that look like an action which its source did not apply.

    Parameters
    ----------
    bars : Bars
    market : callable
        Takes rows (k,) and returns the log moves of the market to them from the rows before; 0 is
        not known.
    beyond, proven : (n,) bool array
        Closes beyond a price limit, and those that are so for certain.
    reopened : (n,) bool array
        First prices after sessions without one.

    Returns
    -------
    Actions
        Rows whose log-odds are `DOUBT` or more, and whose price parts two levels: that day's range
        and the next 5 prices are on one side of the middle, the 5 before on the other.
    """
    level, days = np.log(bars.price), bars.dates
    moves = np.diff(level, prepend=np.nan)
    at = np.flatnonzero(np.abs(moves) > LEAST)
    if not len(at):
        return Actions(at, np.empty(0), np.zeros(0, dtype=bool))
    sigma = _sigma(np.abs(moves), days, at)
    may_be = (np.abs(moves[at]) > MULTIPLE * sigma) & _settled(bars, level, at)
    at = at[may_be]
    sigma = sigma[may_be]
    logs, odds = _likeliest(bars, at, moves[at] - market(at), sigma)
    volumes, has_volume = _of_volumes(bars.volume, at, logs)
    later, calm = _of_sizes(np.abs(moves), at)
    traces = np.array([volumes, _of_range(bars, at), later])
    scores = odds + traces.sum(axis=0) + np.log(BEYOND) * beyond[at]
    sure = (scores >= SURE) & (beyond[at] | (np.exp(np.abs(logs)) > LARGE - 0.01)) & has_volume
    is_recent = days[at] - days[at - 1] <= RECENT
    sure &= (traces > AGAINST).all(axis=0) & calm & is_recent
    suspect = scores >= np.where(has_volume, DOUBT, BLIND)
    suspect &= (traces.sum(axis=0) > NEWS) | beyond[at]
    # Shares stand still for some days while an exchange splits them.
    sure |= (
        suspect
        & (scores >= REOPENED)
        & reopened[at]
        & is_recent
        & (np.exp(np.abs(logs)) > LARGE - 0.01)
    )
    return Actions(at, np.exp(logs), sure | proven[at]).take(suspect)


def _sigma(sizes: FloatArray, days: DateArray, at: IntArray) -> FloatArray:
    """Return the usual size of a move since the last trade; NaN without a history."""
    usual = row_medians(_windows(sizes, at, -BEFORE, 0), FEWEST) / SIZE
    elapsed = np.busday_count(days[at - 1], days[at]).clip(1)
    return np.asarray(np.maximum(usual, FLOOR) * np.sqrt(elapsed))


def _likeliest(
    bars: Bars, at: IntArray, moves: FloatArray, sigma: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the log of the likeliest ratio by close or open, and the log-odds of the move."""
    with np.errstate(invalid="ignore", divide="ignore"):
        opens = moves + np.log(bars.open[at] / bars.close[at])
    grid = -np.sign(moves)[:, None] * np.log(RATIOS)
    distance = np.fmin(np.abs(grid + moves[:, None]), np.abs(grid + opens[:, None]))
    odds = _student(distance, 5, sigma[:, None]) + np.log(PRIORS)
    best = odds.argmax(axis=1)
    return grid[np.arange(len(at)), best], odds.max(axis=1) - _student(moves, 3, sigma)


def _of_volumes(volume: FloatArray, at: IntArray, logs: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the log-odds of the volumes, which moved with the ratio or were adjusted, and whether
    there are any."""
    amount = np.log(np.where((volume > 0) & (volume < np.inf), volume, np.nan))
    before = row_medians(_windows(amount, at, -DAYS, 0), SOME)
    later = row_medians(_windows(amount, at, 0, DAYS), SOME) - before
    day = amount[at] - before
    adjusting = _odds(later, LEVEL, logs) + _odds(day, VOLUME, logs)
    unmoved = _odds(later, LEVEL) + _odds(day, VOLUME)
    odds = np.logaddexp(adjusting + np.log(1 - ADJUSTED), unmoved + np.log(ADJUSTED))
    return odds, np.isfinite(later)


def _of_range(bars: Bars, at: IntArray) -> FloatArray:
    """Return the log-odds of the day's range."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ranges = np.log(bars.high / bars.low)
        return _odds(np.log(ranges[at] / row_medians(_windows(ranges, at, -DAYS, 0), SOME)), RANGE)


def _of_sizes(sizes: FloatArray, at: IntArray) -> tuple[FloatArray, BoolArray]:
    """Return the log-odds of the next moves, and whether they are known and not far too small."""
    usual = np.maximum(row_medians(_windows(sizes, at, -DAYS, 0), SOME), SIZE * FLOOR)
    with np.errstate(divide="ignore"):
        wild = np.log(row_medians(_windows(sizes, at + 1, 0, NEXT), SOME) / usual)
    return _odds(wild, AFTER), wild >= -np.log(FACTOR)


def _odds(
    values: FloatArray, laws: tuple[tuple[float, float], ...], ratio: FloatArray | float = 0.0
) -> FloatArray:
    """Return the log-odds of values, less `ratio` under an action, by two laws; 0 where missing."""
    (action, scale), (news, width) = laws
    values = np.where(np.isfinite(values), values, np.nan)
    odds = _student(values - ratio - action, 5, scale) - _student(values - news, 5, width)
    return np.nan_to_num(odds)


def _student(values: FloatArray, df: int, scale: FloatArray | float) -> FloatArray:
    """Return the log density of Student's t around 0."""
    constant = _constant(df)
    square = (values / scale) ** 2
    return np.asarray(constant - (df + 1) / 2 * np.log1p(square / df) - np.log(scale))


@cache
def _constant(df: int) -> float:
    """Return the log of the factor of the density of Student's t."""
    from scipy.special import poch

    return float(np.log(poch(0.5 * df, 0.5)) - 0.5 * (np.log(df) + np.log(np.pi)))


def _windows(values: FloatArray, at: IntArray, first: int, stop: int) -> FloatArray:
    """Return the values from `at` + first to `at` + stop, stop not among them; NaN beyond them."""
    index = at[:, None] + np.arange(first, stop)
    inside = (index >= 0) & (index < len(values))
    return np.where(inside, values[np.clip(index, 0, len(values) - 1)], np.nan)


def row_medians(values: FloatArray, fewest: int = 1) -> FloatArray:
    """Return the median of each row.

    Parameters
    ----------
    values : (m, n) float array
        NaN = missing.
    fewest : int
        A row of fewer finite values has none.

    Returns
    -------
    (m,) float array
    """
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=1)
    n = np.isfinite(ordered).sum(axis=1)
    low, high = (np.take_along_axis(ordered, np.maximum(k, 0)[:, None] // 2, 1) for k in (n - 1, n))
    return np.where(n >= fewest, (low + high)[:, 0] / 2, np.nan)


def _settled(bars: Bars, level: FloatArray, at: IntArray) -> BoolArray:
    """Return which jumps part two levels: prices before, and that day and after, on a side."""
    move = level[at] - level[at - 1]
    sign = np.sign(move)
    middle = level[at] - move / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        edge = np.log(np.where(move > 0, bars.low[at], bars.high[at]) / bars.close[at]) + level[at]
    before = 2 * middle[:, None] - _windows(level, at, -STAYS, 0)
    sides = np.c_[edge, before, _windows(level, at + 1, 0, STAYS)]
    return np.asarray(~((sides - middle[:, None]) * sign[:, None] < 0).any(axis=1))
