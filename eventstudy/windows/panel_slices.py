"""Taking the days of many events out of a panel: in one block where they lie one after the
other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..utility.typing import AnyArray, IntArray

# The row of a place that is left empty on purpose; -1 is that of a series that does not exist.
EMPTY = -2
# So many series are looked at as a whole, to know that they have no gap.
FEW_ROWS = 8


@dataclass(frozen=True, eq=False)
class Columns:
    """Where the days of n events are among the T columns of a panel.

    Attributes
    ----------
    days : (L,) int array
        Days in event time, ascending.
    first : (n,) int array
        Column of the first day, with that of every other day as far behind it as the day is; 0
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
        """Return values, or spans, of a panel (rows, T) for a row per event (n,), shape (n, L).

        NaN, or 0, where row or column is -1; 0, or 1, in an empty place.
        """
        absent, empty = (np.nan, 0.0) if source.dtype.kind == "f" else (0, 1)
        if not source.size:
            out = np.full((len(rows), len(self.days)), absent, source.dtype)
        else:
            own = np.maximum(rows, 0)
            out = self._blocks(source, own)
            if len(self.odd):
                out[self.odd] = np.where(
                    self.columns >= 0, source[own[self.odd, None], self.columns], absent
                )
        out[rows < 0] = absent
        out[rows == EMPTY] = empty
        return out

    def _blocks(self, source: AnyArray, rows: IntArray) -> AnyArray:
        """Copy the days of each event as they lie; anything where they are odd."""
        if len(self.odd) == len(rows):
            return np.empty((len(rows), len(self.days)), source.dtype)
        breaks = np.flatnonzero(self.days[1:] - self.days[:-1] > 1) + 1
        parts = []
        for own in np.split(self.days, breaks):
            block = np.lib.stride_tricks.sliding_window_view(source, len(own), axis=1)
            parts.append(block[rows, self.first + (own[0] - self.days[0])])
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def one_day(self, spans: AnyArray, rows: IntArray) -> bool:
        """Tell whether all returns are known to span one session, as those of an index mostly
        do."""
        if len(self.odd) or not len(rows) or rows.min() < 0:
            return False
        few = np.unique(rows)
        reach = slice(self.first.min(), self.first.max() + (self.days[-1] - self.days[0]) + 1)
        return len(few) <= FEW_ROWS and bool((spans[few, reach] == 1).all())
