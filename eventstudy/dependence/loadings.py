"""The loadings of CARs on daily errors: how much each day's error counts in the CAR of an event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..utility import FloatArray, IntArray


def loadings_on(
    sample: AbnormalReturns, window: Window, axis: IntArray | None = None
) -> FloatArray:
    """Return the loadings of n CARs on calendar columns, shape (n, T).

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    window : Window
    axis : (T,) int array, optional
        Columns; by default all that the loadings have.
    """
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
    """Weights of the daily errors of n events in their CARs over a window.

    By convention ``overlap="share"`` that is 1 on the sessions that the window covers and 0
    elsewhere, the limit for long estimation windows: the cosine of two is the share of common
    sessions.

    Attributes
    ----------
    values : (n, L) floats
    positions : (n, L) ints
        Calendar columns of the values; negative where there is no session.
    hidden : pairs of an event and columns
        Sessions that a CAR covers in addition to the days of the window: 1 each.
    before : int
        Number of the L that are estimation days; the days of the CAR itself follow.
    """

    values: FloatArray
    positions: IntArray
    hidden: list[tuple[int, IntArray]]
    before: int = 0

    @classmethod
    def of(cls, sample: AbnormalReturns, window: Window) -> Loadings:
        """Return the loadings of the CARs of events.

        Parameters
        ----------
        sample : AbnormalReturns
        window : Window
        """
        hidden = sample.hidden(window)
        if sample.conventions.overlap == "share":
            covered = sample.positions_over(window)
            return cls(np.ones(covered.shape), covered, hidden)
        pull, event = sample.loading_parts(window)
        weights = np.einsum("nj,nlj->nl", pull, sample.x_estimation)
        estimation = np.where(np.isfinite(sample.resid), weights, 0.0)
        values = np.hstack([estimation, event])
        return cls(values, sample.windows.positions, hidden, estimation.shape[1])

    def on(self, columns: range, events: IntArray) -> FloatArray:
        """Return the loadings of some events on adjacent calendar columns, (events, columns).

        Parameters
        ----------
        columns : range
        events : (e,) int array
        """
        out = laid(self.values[events], self.positions[events], columns)
        for i, sessions in self.hidden:
            out[np.ix_(events == i, np.isin(columns, sessions).nonzero()[0])] = 1.0
        return out

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
        first, last = ends_of(self.positions)
        for i, sessions in self.hidden:
            first[i], last[i] = min(first[i], *sessions), max(last[i], *sessions)
        return first, last


def ends_of(positions: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first and the last column of each event, (n,) each.

    Parameters
    ----------
    positions : (n, L) int array
        Calendar columns; negative where there is none.
    """
    never = np.iinfo(positions.dtype).max
    return np.where(positions >= 0, positions, never).min(axis=1), positions.max(axis=1)


def laid(values: FloatArray, positions: IntArray, columns: range) -> FloatArray:
    """Return values of events on adjacent calendar columns, 0 elsewhere, (n, columns, ...).

    Parameters
    ----------
    values : (n, L, ...) float array
    positions : (n, L) int array
        Calendar columns of the values; those outside are left out.
    columns : range
    """
    out = np.zeros((len(values), len(columns) + 1, *values.shape[2:]))
    place = positions - columns.start
    place[(place < 0) | (place >= len(columns))] = -1
    out[np.arange(len(values))[:, None], place] = values
    return out[:, :-1]
