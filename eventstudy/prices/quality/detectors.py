"""Detectors of the faults of prices: each takes the rows of one symbol and returns the days it
sees."""

from __future__ import annotations

import numpy as np

from ...utility.typing import BoolArray, FloatArray
from .quotes import LATE, Quotes, Seen, runs

SPLITS, SPLIT_WIDTH = np.log([2, 3, 4, 5, 7, 8, 10, 15, 20, 25, 30, 50]), np.log(1.015)
# Prices after a jump that must stay there, equal closes in a row, prices that a history needs.
STAYS, EQUAL, HISTORY = 5, 5, 100
# Closes lie outside the range of their day by rounding up to this share.
RANGE = 0.005
STEEP = np.log(2.9)


def suspension(q: Quotes) -> list[Seen]:
    """Return the halts whose sessions repeat the last close."""
    return q.seen(
        ((a, b) for a, b in runs(q.stale) if b > a),
        lambda a, b: f"{b - a + 1} rows repeat a close without volume",
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + "s" * (number > 1)


def no_trade(q: Quotes) -> list[Seen]:
    """Return single rows that repeat the last close."""
    return q.seen(
        ((a, b) for a, b in runs(q.stale) if b == a),
        lambda a, b: f"close {q.close[a]:g} repeated without volume",
    )


def missing_session(q: Quotes) -> list[Seen]:
    """Return the sessions between two rows."""
    if q.complete:
        return []
    inside = (q.sessions > q.dates[0]) & (q.sessions < q.dates[-1])
    lacking = runs(inside & ~np.isin(q.sessions, q.dates))
    return [
        Seen(q.sessions[a], q.sessions[b], f"{_count(b - a + 1, 'session')} without a row")
        for a, b in lacking
    ]


def closed_day(q: Quotes) -> list[Seen]:
    """Return prices on days that are no session."""
    if q.complete:
        return []
    known = (q.dates >= q.sessions[0]) & (q.dates <= q.sessions[-1]) & np.isfinite(q.raw)
    return q.seen(
        runs(known & ~np.isin(q.dates, q.sessions)),
        lambda a, b: f"close {q.close[b]:g}, no session",
    )


def duplicate_date(q: Quotes) -> list[Seen]:
    """Return dates that occur again."""
    again = np.zeros(len(q.dates), dtype=bool)
    again[1:] = q.dates[1:] == q.dates[:-1]
    return q.seen(runs(again), lambda a, b: "two rows of one date")


def not_positive(q: Quotes) -> list[Seen]:
    """Return prices that are not in (0, inf)."""
    price = q.adj_close if q.adjusted else q.close
    return q.seen(runs(np.isnan(q.raw) & ~np.isnan(price)), lambda a, b: f"price {price[a]:g}")


def no_price(q: Quotes) -> list[Seen]:
    """Return rows without a close."""
    blank = np.isnan(q.close) & np.isnan(q.adj_close)
    return q.seen(runs(blank), lambda a, b: "a row without a close")


def no_adjusted(q: Quotes) -> list[Seen]:
    """Return the whole span of a symbol without adjusted closes."""
    if q.adjusted or not np.isfinite(q.close).any():
        return []
    return [Seen(q.dates[0], q.dates[-1], "no adjusted close at all")]


def adjusted_gap(q: Quotes) -> list[Seen]:
    """Return closes without an adjusted close, where there are others."""
    gap = (
        np.isfinite(q.close) & np.isnan(q.adj_close) if q.adjusted else np.zeros(len(q.dates), bool)
    )
    return q.seen(runs(gap), lambda a, b: f"close {q.close[a]:g} without an adjusted close")


def spike(q: Quotes) -> list[Seen]:
    """Return prices that are soon taken back."""
    return q.seen(runs(q.spikes), lambda a, b: f"price {q.raw[a]:g} after {_before(q, a):g}")


def unit_change(q: Quotes) -> list[Seen]:
    """Return changes of the unit, and other moves that no share makes."""
    rows = q.jumps[0][q.units]
    return q.seen(
        zip(rows, rows, strict=True), lambda a, b: f"price {q.raw[a]:g} after {_before(q, a):g}"
    )


def suspect_split(q: Quotes) -> list[Seen]:
    """Return jumps that look like a split."""
    found = _splits(q)
    return q.seen(
        zip(found, found, strict=True), lambda a, b: f"price {q.raw[a]:g} after {_before(q, a):g}"
    )


def _splits(q: Quotes) -> list[int]:
    rows, *moves = q.jumps
    if not len(rows):
        return []
    off = np.fmin(*(np.abs(np.abs(m)[:, None] - SPLITS).min(axis=1) for m in moves))
    like = np.flatnonzero((off < SPLIT_WIDTH) & ~q.units)
    return [int(rows[i]) for i in like if _settled(q, rows[i], moves[0][i])]


def suspect_jump(q: Quotes) -> list[Seen]:
    """Return steep rises that are neither a change of unit nor a split."""
    rows, moves, _ = q.jumps
    splits = _splits(q)
    found = [rows[i] for i in np.flatnonzero((moves > STEEP) & ~q.units) if rows[i] not in splits]
    return q.seen(
        zip(found, found, strict=True), lambda a, b: f"price {q.raw[a]:g} after {_before(q, a):g}"
    )


def _settled(q: Quotes, row: int, move: float) -> bool:
    """Tell whether a jump parts two levels: prices before and after, and that day, lie on one side
    each."""
    middle = np.log(q.raw[row]) - move / 2
    before, after = (
        np.log(q.price[max(row - STAYS, 0) : row]),
        np.log(q.price[row + 1 : row + 1 + STAYS]),
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        edge = np.log((q.low if move > 0 else q.high)[row] / q.close[row]) + np.log(q.raw[row])
    new_side = np.r_[after, edge, 2 * middle - before]
    return not ((new_side - middle) * np.sign(move) < 0).any()


def _before(q: Quotes, row: int) -> float:
    return float(q.raw[:row][np.isfinite(q.price[:row])][-1])


def beyond_limit(q: Quotes) -> list[Seen]:
    """Return closes outside the price limits."""
    if not q.rules:
        return []
    over = q.limits.beyond
    rows = np.flatnonzero(np.isfinite(over) & ~np.isin(q.dates, q.broken))
    return q.seen(zip(rows, rows, strict=True), lambda a, b: f"{over[a]:+.1%} in one session")


def stale_price(q: Quotes) -> list[Seen]:
    """Return runs of equal closes that are no halt."""
    same = np.zeros(len(q.dates), dtype=bool)
    same[1:] = (q.close[1:] == q.close[:-1]) & ~q.stale[1:] & ~_moved(q.high, q.low)
    found = ((a - 1, b) for a, b in runs(same) if b - a + 2 >= EQUAL)
    return q.seen(found, lambda a, b: f"{b - a + 1} equal closes of {q.close[a]:g}")


def _moved(high: FloatArray, low: FloatArray) -> BoolArray:
    """Tell which rows but the first have a range, and another than the one before: the close is a
    chance."""
    return np.asarray((high > low)[1:] & ((high[1:] != high[:-1]) | (low[1:] != low[:-1])))


def outside_range(q: Quotes) -> list[Seen]:
    """Return closes outside the range of their day."""
    outside = (q.close > q.high * (1 + RANGE)) | (q.close < q.low * (1 - RANGE))
    return q.seen(
        runs(outside), lambda a, b: f"close {q.close[a]:g}, range {q.low[a]:g} to {q.high[a]:g}"
    )


def late_start(q: Quotes) -> list[Seen]:
    """Return the sessions before a listing."""
    if not q.begins:
        return []
    last = q.sessions[np.searchsorted(q.sessions, q.dates[0]) - 1]
    return [Seen(q.sessions[0], last, f"first price on {q.dates[0]}")]


def ended(q: Quotes) -> list[Seen]:
    """Return the sessions after the last price."""
    seen = np.flatnonzero(np.isfinite(q.price))
    if len(q.sessions) <= LATE or not len(seen) or q.dates[seen[-1]] >= q.sessions[-1 - LATE]:
        return []
    last = q.dates[seen[-1]]
    first = q.sessions[np.searchsorted(q.sessions, last, side="right")]
    return [Seen(first, q.sessions[-1], f"last price on {last}")]


def short_history(q: Quotes) -> list[Seen]:
    """Return the whole span of a symbol with few prices."""
    count = int(np.isfinite(q.price).sum())
    return [Seen(q.dates[0], q.dates[-1], f"{count} prices in all")] if count < HISTORY else []
