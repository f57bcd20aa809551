"""Taking the days of many events out of a panel, in one block where they are adjacent."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..utility.typing import AnyArray, IntArray

# The row of a place that is empty on purpose; -1 is the row of a series that does not exist.
EMPTY = -2
# Up to so many series are searched for gaps in one go.
FEW_ROWS = 8


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of the days of n events among the T columns of a panel.

    Attributes
    ----------
    days : (L,) int array
        Days in event time, ascending.
    first : (n,) int array
        Column of the first day, from which the columns of the days are as distant as the days; 0
        where `odd`.
    odd : (m,) int array
        Events whose days do not lie like that, or partly beyond the data.
    columns : (m, L) int array
        The columns of their days; -1 beyond the data.
    """

    days: IntArray
    first: IntArray
    odd: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    columns: IntArray = field(default_factory=lambda: np.empty((0, 0), np.int64))

    def take(self, source: AnyArray, rows: IntArray) -> AnyArray:
        """Return values, or spans, of a panel for a row per event, shape (n, L).

        Parameters
        ----------
        source : (rows, T) array
            Values or spans.
        rows : (n,) int array

        Returns
        -------
        (n, L) array
            NaN, or 0 for spans, where row or column is -1; 0, or 1, in an empty place.
        """
        absent, empty = (np.nan, 0.0) if source.dtype.kind == "f" else (0, 1)
        if not source.size:
            out = np.full((len(rows), len(self.days)), absent, source.dtype)
        else:
            valid = np.maximum(rows, 0)
            out = self._blocks(source, valid)
            if len(self.odd):
                values = source[valid[self.odd, None], self.columns]
                out[self.odd] = np.where(self.columns >= 0, values, absent)
        out[rows < 0] = absent
        out[rows == EMPTY] = empty
        return out

    def _blocks(self, source: AnyArray, rows: IntArray) -> AnyArray:
        """Copy the days of each event as they lie; anything where they are odd."""
        if len(self.odd) == len(rows):
            return np.empty((len(rows), len(self.days)), source.dtype)
        breaks = np.flatnonzero(self.days[1:] - self.days[:-1] > 1) + 1
        blocks = []
        for days in np.split(self.days, breaks):
            view = np.lib.stride_tricks.sliding_window_view(source, len(days), axis=1)
            blocks.append(view[rows, self.first + (days[0] - self.days[0])])
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)

    def one_day(self, spans: AnyArray, rows: IntArray) -> bool:
        """Return whether all returns surely span one session, as those of an index mostly do.

        Parameters
        ----------
        spans : (rows, T) int array
        rows : (n,) int array
        """
        if len(self.odd) or not len(rows) or rows.min() < 0:
            return False
        series = np.unique(rows)
        reach = slice(self.first.min(), self.first.max() + (self.days[-1] - self.days[0]) + 1)
        return len(series) <= FEW_ROWS and bool((spans[series, reach] == 1).all())
