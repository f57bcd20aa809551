"""Loadings of CARs on the daily errors, laid out on the calendar, and how far those of two events
overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.chunks import chunks
from ..utility.typing import FloatArray, IntArray

# Events of a block of pairs.
BLOCK = 200
ROUNDING = 1e-10


def loadings_on(
    sample: AbnormalReturns, window: Window, axis: IntArray | None = None
) -> FloatArray:
    """Lay the loadings of n CARs out on calendar columns `axis`, or on all that they have; shape
    (n, T)."""
    loadings = Loadings.of(sample, window)
    first, last = loadings.ends
    columns = range(int(first.min()), int(last.max()) + 1)
    laid = loadings.on(columns, np.arange(len(sample)))
    if axis is None:
        return laid
    inside = (axis >= columns.start) & (axis < columns.stop)
    out = np.zeros((len(sample), len(axis)))
    out[:, inside] = laid[:, axis[inside] - columns.start]
    return out


@dataclass(frozen=True, eq=False)
class Loadings:
    """What the CARs of n events over a window make of the daily errors.

    By convention ``overlap="share"`` that is 1 on the sessions that the window covers and 0
    elsewhere, the limit for long estimation windows: the cosine of two is the share of common
    sessions.

    Attributes
    ----------
    values : (n, L) floats
    positions : (n, L) ints
        Calendar columns of the values; negative where there is no session.
    hidden : pairs of an event and columns
        Sessions that a CAR covers beside the days of the window: 1 each.
    before : int
        How many of the L are estimation days; the others are those of the CAR itself.
    """

    values: FloatArray
    positions: IntArray
    hidden: list[tuple[int, IntArray]]
    before: int = 0

    @classmethod
    def of(cls, sample: AbnormalReturns, window: Window) -> Loadings:
        """Return the loadings of the CARs of `sample` over `window`."""
        hidden = sample.hidden(window)
        if sample.conventions.overlap == "share":
            covered = sample.windows.over("event_positions", sample.columns(window))
            return cls(np.ones(covered.shape), covered, hidden)
        parts = sample.loadings(window)
        return cls(np.hstack(parts), sample.windows.positions, hidden, parts[0].shape[1])

    def on(self, columns: range, events: IntArray) -> FloatArray:
        """Lay those of some events out on adjacent calendar columns, shape (events, columns)."""
        out = np.zeros((len(events), len(columns) + 1))
        place = self.positions[events] - columns.start
        place[(place < 0) | (place >= len(columns))] = -1
        out[np.arange(len(events))[:, None], place] = self.values[events]
        for i, sessions in self.hidden:
            out[np.ix_(events == i, np.isin(columns, sessions).nonzero()[0])] = 1.0
        return out[:, :-1]

    @property
    def squares(self) -> FloatArray:
        """Squared length of the loadings of each event."""
        out: FloatArray = (np.where(self.positions >= 0, self.values, 0.0) ** 2).sum(axis=1)
        for i, sessions in self.hidden:
            out[i] += len(sessions)
        return out

    @property
    def ends(self) -> tuple[IntArray, IntArray]:
        """First and last column of each event."""
        first = np.where(
            self.positions >= 0, self.positions, np.iinfo(self.positions.dtype).max
        ).min(axis=1)
        last = self.positions.max(axis=1)
        for i, sessions in self.hidden:
            first[i], last[i] = min(first[i], *sessions), max(last[i], *sessions)
        return first, last


@dataclass(frozen=True, eq=False)
class LoadingSums:
    """Loadings over their length, l_i / |l_i|, added up over events, on T sessions.

    Attributes
    ----------
    all, own : (T,) float arrays
        Sums of all loadings, and of those of the days of the CARs alone.
    squares : (2,) float array
        Sums over events of the squared lengths of these.
    """

    all: FloatArray
    own: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, sample: AbnormalReturns, window: Window) -> LoadingSums:
        """Return the sums over the events of a sample, chunk by chunk."""
        T = len(sample.windows.sessions)
        total, squares = np.zeros((2, T)), np.zeros(2)
        for sums, own in sample.map(lambda events: _added(events, window, T)):
            total += sums
            squares += own
        return cls(total[0], total[1], squares)

    def pairs(self) -> tuple[float, float]:
        """Return the sum of o_ij over all pairs i != j, cut in two: the days of the CARs, and all
        else."""
        every, own = self.all @ self.all - self.squares[0], self.own @ self.own - self.squares[1]
        return float(own), float(every - own)

    def pairs_with(self, other: LoadingSums, at: tuple[IntArray, IntArray]) -> tuple[float, float]:
        """Return the same over the pairs of one event each, sessions `at` of both belonging
        together."""
        here, there = at
        every, own = self.all[here] @ other.all[there], self.own[here] @ other.own[there]
        return float(own), float(every - own)


def _added(sample: AbnormalReturns, window: Window, T: int) -> tuple[FloatArray, FloatArray]:
    """Return the sums of LoadingSums, (2, T) and (2,), of a chunk of events."""
    loadings = Loadings.of(sample, window)
    length = np.sqrt(loadings.squares)[:, None]
    unit = np.divide(loadings.values, length, out=np.zeros(loadings.values.shape), where=length > 0)
    unit[loadings.positions < 0] = 0.0
    sums, squares = np.zeros((2, T)), np.zeros(2)
    for k, days in enumerate((slice(None), slice(loadings.before, None))):
        at, own = np.maximum(loadings.positions[:, days], 0).ravel(), unit[:, days].ravel()
        sums[k], squares[k] = np.bincount(at, own, T), own @ own
    for i, sessions in loadings.hidden:
        sums[:, sessions] += 1 / length[i]
        squares += len(sessions) / length[i] ** 2
    return sums, squares


def overlaps(
    sample: AbnormalReturns, window: Window
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Yield some events, those that follow, themselves first, and the cosines of their loadings.

    Each pair comes once in the upper triangle of one block; pairs that come in none have no common
    session.
    """
    loadings = Loadings.of(sample, window)
    squares, (first, last) = loadings.squares, loadings.ends
    for rows, near in neighbours(first, last):
        columns = range(int(first[rows].min()), int(last[rows].max()) + 1)
        laid = loadings.on(columns, near)
        product = laid[: len(rows)] @ laid.T
        yield rows, near, cosines(product, squares[rows], squares[near])


def neighbours(first: IntArray, last: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield blocks of events, and those that may share a session with one of them: these, then
    later ones.

    `first` and `last` are the ends of each event's sessions.
    """
    order = np.argsort(first, kind="stable")
    for part in chunks(len(first), BLOCK):
        rows = order[part]
        reach = int(np.searchsorted(first[order], last[rows].max(), side="right"))
        yield rows, order[part.start : max(reach, part.start + len(rows))]


def cosines(product: FloatArray, square_a: FloatArray, square_b: FloatArray) -> FloatArray:
    """Return inner products (n_a, n_b) over the lengths of the vectors, 0 where one has none."""
    norm = np.outer(np.sqrt(square_a), np.sqrt(square_b))
    cosine: FloatArray = np.divide(product, norm, out=np.zeros(norm.shape), where=norm > 0)
    # Loadings are orthogonal to the regressors: what is zero by construction comes out as 1e-17.
    return np.where(np.abs(cosine) > ROUNDING, cosine, 0.0)
