"""Mean correlations of many draws of one sample at once: the pattern of dates is that of all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..utility import BoolArray, FloatArray, IntArray
from .loadings import Loadings
from .pair_sums import PairSum, summed_up
from .pairs import (
    Apart,
    cosines_of,
    groups_apart,
    groups_together,
    least_common,
    never_together,
    pearson,
    stands_still,
    with_late_moves,
)

# What is laid side by side of each event: residuals, their presence, their squares, and loadings.
X, THERE, SQUARE, LOADING = range(4)
LAYERS = 4
Layers = Sequence[FloatArray] | FloatArray


def preset_correlations(
    stack: AbnormalReturns, window: Window, samples: list[AbnormalReturns], in_draw: BoolArray,
    place: IntArray, axis: IntArray,
) -> BoolArray:  # fmt: skip
    """Give draws their mean correlation, the numbers of :func:`mean_correlation`.

    Parameters
    ----------
    stack : AbnormalReturns
        n events of each of B draws, draw by draw.
    window : Window
    samples : list of AbnormalReturns
        The events of each draw.
    in_draw : (B, n) bool array
    place : (B, n) int array
        Day 0 of each event on the clock in which dates were shifted.
    axis : (T,) int array
        Place on that clock of each column of the panel.

    Returns
    -------
    (B,) bool array
        False for those that have to be computed one by one: where sessions have left the clock, and
        draws without an event of an exchange that is never open together with another.

    Notes
    -----
    Two events are as far apart in every draw, but for the draws in which the shift carries one of
    them across the ends: sums over their common sessions are products of slices, for all draws.
    """
    (B, n), loadings = place.shape, Loadings.of(stack, window)
    if loadings.hidden:
        return np.zeros(B, dtype=bool)
    one_draw = stack.take(slice(0, n))
    lags = [_Lag.of(pair, lag, axis) for pair in groups_apart(one_draw) for lag in (-1, 1)]
    still = stands_still(stack).reshape(B, n)
    pairs = groups_together(one_draw) if still.any() else ()
    late = [_Lag.of(pair, 1, axis) for pair in pairs]
    room = max((lag.reach for lag in (*lags, *late)), default=0)
    first, layers = _layers(stack, loadings, place, axis, window, room)
    layers[~in_draw.T] = 0.0
    length = np.sqrt(loadings.squares).reshape(B, n)
    need = least_common(stack)
    main = _Pairs.of((layers, layers), place, np.triu_indices(n, 1), length, need)
    if still.any():
        shut = never_together(one_draw.windows.hours)
        main = main.with_late_moves(late, layers, place, first, length, need, still, shut)
    lagged = [lag.pairs(layers, place, first, length, need) for lag in lags]
    day0 = stack.windows.day0.reshape(B, n)
    together = _Pairs(*main[:3], (day0[:, main.i] == day0[:, main.j]).astype(float))
    calendar = one_draw.windows.calendar
    full = np.all([in_draw[:, calendar == c].any(axis=1) for c in np.unique(calendar)], axis=0)
    done = np.asarray(full | (not lags))
    for b in np.flatnonzero(done).tolist():
        all_pairs, same_date, *apart = (p.sum_of(b, in_draw[b]) for p in (main, together, *lagged))
        later = float(np.nansum([pairs.total for pairs in apart]))
        summed_up(all_pairs, same_date, len(samples[b]), later).keep(samples[b], window)
    return done


class _Pairs(NamedTuple):
    """Pairs of events, (pairs,) each, with their rho and weight in each draw, (B, pairs)."""

    i: IntArray
    j: IntArray
    rho: FloatArray
    weight: FloatArray

    @classmethod
    def of(
        cls, sides: tuple[Layers, Layers], place: IntArray,
        pairs: tuple[IntArray, IntArray], length: FloatArray, need: int,
    ) -> _Pairs:  # fmt: skip
        i, j, sums = _sums(*sides, place, pairs)

        def total(a: int, b: int) -> FloatArray:
            """Return the sums of products of two layers, (B, pairs)."""
            return sums[:, :, a, b].T

        rho = pearson(
            total(X, X), total(THERE, THERE), (total(X, THERE), total(THERE, X)),
            (total(SQUARE, THERE), total(THERE, SQUARE)), need,
        )  # fmt: skip
        return cls(i, j, rho, cosines_of(total(LOADING, LOADING), length[:, i] * length[:, j]))

    def with_late_moves(
        self, late: list[_Lag], layers: FloatArray, place: IntArray, first: int,
        length: FloatArray, need: int, still: BoolArray, shut: BoolArray,
    ) -> _Pairs:  # fmt: skip
        """Return the pairs with the moves that come a session late (:func:`with_late_moves`)."""
        next_day = np.full((len(layers), len(layers), len(place)), np.nan)
        for lag in late:
            pairs = lag.pairs(layers, place, first, length, need)
            next_day[pairs.i, pairs.j] = pairs.rho.T
        either = (still[:, self.i] | still[:, self.j]) & ~shut[self.i, self.j]
        both = next_day[self.i, self.j].T, next_day[self.j, self.i].T
        return self._replace(rho=with_late_moves(self.rho, either, *both))

    def sum_of(self, b: int, in_draw: BoolArray) -> PairSum:
        """Return the sum over the pairs that draw b keeps."""
        total = PairSum()
        counted = in_draw[self.i] & in_draw[self.j]
        total.add(self.rho[b, counted], self.weight[b, counted])
        return total


class _Lag(NamedTuple):
    """Events of two exchanges, one of them a session later.

    `following` is, for each place on the clock that is a session of the one, the next session of
    the other, else -1; `rows_later` says whether that is the group of the rows.
    """

    rows: IntArray
    columns: IntArray
    following: IntArray
    rows_later: bool

    @classmethod
    def of(cls, pair: Apart, lag: int, axis: IntArray) -> _Lag:
        of_rows, of_columns = pair.adjacent(lag)
        sides = axis[pair.row_sessions[of_rows]], axis[pair.column_sessions[of_columns]]
        earlier, later = sides if lag > 0 else sides[::-1]
        following = np.full(int(axis.max()) + 1, -1)
        following[earlier] = later
        return cls(pair.rows, pair.columns, following, lag < 0)

    @property
    def reach(self) -> int:
        """Most sessions of the clock between a session and the following one."""
        return int((self.following - np.arange(len(self.following))).max())

    def pairs(
        self, layers: FloatArray, place: IntArray, first: int, length: FloatArray, need: int
    ) -> _Pairs:
        """Return the pairs of the two groups, each session against the following one."""
        later = self.rows if self.rows_later else self.columns
        zero = place.T[later][:, :, None] + first
        at = zero + np.arange(layers.shape[3])
        inside = (at >= 0) & (at < len(self.following))
        to = np.where(inside, self.following[np.where(inside, at, 0)], -1) - zero
        exists = (to >= 0) & (to < layers.shape[3]) & (to + zero >= 0)
        laid = np.take_along_axis(layers[later], np.where(exists, to, 0)[:, :, None], axis=3)
        shifted = list(layers)
        for event, days in zip(later, np.where(exists[:, :, None], laid, 0.0), strict=True):
            shifted[event] = days
        sides: tuple[Layers, Layers] = (layers, shifted)
        if self.rows_later:
            sides = sides[::-1]
        i, j = (grid.ravel() for grid in np.meshgrid(self.rows, self.columns, indexing="ij"))
        return _Pairs.of(sides, place, (i, j), length, need)


def _layers(
    stack: AbnormalReturns, loadings: Loadings, place: IntArray, axis: IntArray, window: Window,
    room: int,
) -> tuple[int, FloatArray]:  # fmt: skip
    """Return the first day, with room before it, and the layers by day, (n, B, LAYERS, days)."""
    (B, n), windows, present = place.shape, stack.windows, np.isfinite(stack.resid)
    resid = np.where(present, stack.resid, 0.0)
    values = (resid, present, resid**2, loadings.values)
    event = windows.event.days if loadings.before else window.days
    days = (windows.estimation.days, event)
    covered = (days[0], np.concatenate(days) if loadings.before else event)
    positions = (windows.estimation_positions, loadings.positions)
    first = days[0][0]
    last = event[-1]
    is_one_clock = len(windows.calendars) == 1 and all((at >= 0).all() for at in positions)
    if not is_one_clock:
        # A day is where its session is on the clock of all.
        zero = place.reshape(-1, 1)
        relative = [np.where(at >= 0, axis[at] - zero, 0) for at in positions]
        first, last = (int(f(list(map(f, relative)))) for f in (np.min, np.max))
    first -= room
    out = np.zeros((n, B, LAYERS, last - first + 1))
    for layer, array in enumerate(values):
        k = int(layer == LOADING)
        if is_one_clock:
            by_event = array.reshape(B, n, -1).transpose(1, 0, 2)
            cuts = np.flatnonzero(np.diff(covered[k]) != 1) + 1
            for start, stop in pairwise([0, *cuts.tolist(), len(covered[k])]):
                begin = covered[k][start] - first
                out[:, :, layer, begin : begin + stop - start] = by_event[:, :, start:stop]
            continue
        row, day = np.nonzero((positions[k] >= 0) & (array != 0))
        out[row % n, row // n, layer, relative[k][row, day] - first] = array[row, day]
    return int(first), out


def _sums(
    rows: Layers, columns: Layers, place: IntArray, pairs: tuple[IntArray, IntArray]
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the pairs that are near in a draw, and sums over their common sessions.

    Parameters
    ----------
    rows, columns : n float arrays (B, LAYERS, days)
        Layers of the first and of the second of a pair.
    place : (B, n) int array
    pairs : two (m,) int arrays

    Returns
    -------
    i, j : (pairs,) int arrays
    sums : (pairs, B, LAYERS, LAYERS) float array
        Of the products of their layers.
    """
    B = len(rows[0])
    width = rows[0].shape[2]
    (i, j) = pairs
    gap = place[:, i] - place[:, j]
    near = (abs(gap) < width).any(axis=0)
    i = i[near]
    j = j[near]
    gap = gap[:, near]
    out = np.zeros((len(i), B, LAYERS, LAYERS))
    steady = (gap == gap[0]).all(axis=0).tolist()
    before, after = (np.maximum(days, 0).tolist() for days in (gap[0], -gap[0]))
    for pair, (a, b) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        if steady[pair]:
            early = before[pair]
            late = after[pair]
            first = rows[a][:, :, late : width - early]
            out[pair] = first @ columns[b][:, :, early : width - late].transpose(0, 2, 1)
            continue
        for days in np.unique(gap[:, pair]).tolist():
            draws = gap[:, pair] == days
            early = max(days, 0)
            late = max(-days, 0)
            if abs(days) < width:
                first = rows[a][draws, :, late : width - early]
                second = columns[b][draws, :, early : width - late]
                out[pair, draws] = first @ second.transpose(0, 2, 1)
    return i, j, out
