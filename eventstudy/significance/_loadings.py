"""Loadings of CARs on the daily errors, laid out on the calendar, and how far those of two events overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..abnormal import AbnormalReturns
from ..chunks import chunks
from ..typing import FloatArray, IntArray
from ..windows import Window

# Events of a block of pairs.
BLOCK = 200
ROUNDING = 1e-10


def loadings_on(sample: AbnormalReturns, window: Window, axis: IntArray | None = None) -> FloatArray:
    """Lay the loadings of n CARs out on calendar columns `axis`, or on all that they have; shape (n, T)."""
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

    By convention ``overlap="share"`` that is 1 on the sessions that the window covers and 0 elsewhere, the
    limit for long estimation windows: the cosine of two is the share of common sessions.

    Attributes
    ----------
    values : (n, L) floats
    positions : (n, L) ints
        Calendar columns of the values; negative where there is no session.
    hidden : pairs of an event and columns
        Sessions that a CAR covers beside the days of the window: 1 each.
    """

    values: FloatArray
    positions: IntArray
    hidden: list[tuple[int, IntArray]]

    @classmethod
    def of(cls, sample: AbnormalReturns, window: Window) -> Loadings:
        """Return the loadings of the CARs of `sample` over `window`."""
        hidden = sample.hidden(window)
        if sample.conventions.overlap == "share":
            covered = sample.windows.over("event_positions", sample.columns(window))
            return cls(np.ones(covered.shape), covered, hidden)
        return cls(np.hstack(sample.loadings(window)), sample.windows.positions, hidden)

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
        first = np.where(self.positions >= 0, self.positions, np.iinfo(self.positions.dtype).max).min(axis=1)
        last = self.positions.max(axis=1)
        for i, sessions in self.hidden:
            first[i], last[i] = min(first[i], *sessions), max(last[i], *sessions)
        return first, last


def overlaps(sample: AbnormalReturns, window: Window) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Yield some events, those that follow, themselves first, and the cosines of their loadings.

    Each pair comes once in the upper triangle of one block; pairs that come in none have no common session.
    """
    loadings = Loadings.of(sample, window)
    squares, (first, last) = loadings.squares, loadings.ends
    for rows, near in neighbours(first, last):
        columns = range(int(first[rows].min()), int(last[rows].max()) + 1)
        laid = loadings.on(columns, near)
        product = laid[: len(rows)] @ laid.T
        yield rows, near, cosines(product, squares[rows], squares[near])


def neighbours(first: IntArray, last: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield blocks of events, and those that may share a session with one of them: these, then later ones.

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
