"""The place of each event's returns in the panel, and their layout on its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ..utility.typing import AnyArray, BoolArray, DateArray, FloatArray, IntArray
from .multi_session import Joint, jointly
from .panel_slices import Columns

if TYPE_CHECKING:
    from ..returns import ReturnsPanel

# The place of a day 0 outside of the data: no window reaches from here into them.
NOWHERE = -(2**40)
# Joins the names of an exchange and a symbol to the name of the symbol's clock of traded sessions.
TRADED = "|"


@dataclass(frozen=True, eq=False)
class Laying:
    """Places from which the returns and factors of n events are laid out on their days.

    Attributes
    ----------
    panel : ReturnsPanel
    names : list of str
        Clocks, keys of ``panel.calendars``.
    clock : (n,) int array
        Index among `names` of the clock of each event.
    place : (n,) int array
        Session of its clock of each day 0; far below 0 where it is outside of the data.
    rows, factor_rows : (n,) and (n, f) int arrays
        Rows of the panel.
    days : (L1+L2,) int array
        Estimation days and event days.
    L1 : int
    lags : tuple of f int
    keep_spans : bool
        Whether returns over several sessions stay in the estimation window.
    mask : (n, ceil(L1/8)) uint8 array
        Estimation days that are left out, a bit each; of no columns where none is.
    """

    panel: ReturnsPanel
    names: list[str]
    clock: IntArray
    place: IntArray
    rows: IntArray
    factor_rows: IntArray
    days: IntArray
    L1: int
    lags: tuple[int, ...]
    keep_spans: bool
    mask: AnyArray = field(default_factory=lambda: np.empty((0, 0), np.uint8))

    @property
    def before(self) -> Laying:
        """The laying of the estimation days only."""
        return replace(self, days=self.days[: self.L1])

    def take(self, rows: IntArray | BoolArray | slice) -> Laying:
        """Return the laying of some events."""
        arrays = {name: getattr(self, name)[rows] for name in BY_EVENT}
        return replace(self, **arrays, mask=self.mask[rows] if len(self.mask) else self.mask)

    def at(self, days: IntArray) -> IntArray:
        """Return the columns of `days` around each day 0, (n, L); -1 beyond the calendar."""
        clocks = np.unique(self.clock)
        if len(clocks) == 1:
            return _columns(self.panel.calendars[self.names[clocks[0]]], self.place[:, None] + days)
        out = np.full((len(self.place), len(days)), -1, dtype=np.int64)
        for k in clocks:
            mine = np.flatnonzero(self.clock == k)
            out[mine] = _columns(self.panel.calendars[self.names[k]], self.place[mine, None] + days)
        return out

    def columns(self, days: IntArray) -> Columns:
        """Return where `days` are among the columns of the panel, ascending days."""
        lo, hi = self.place + days[0], self.place + days[-1]
        first, straight = np.zeros(len(lo), np.int64), np.zeros(len(lo), dtype=bool)
        for k in np.unique(self.clock):
            calendar = self.panel.calendars[self.names[k]]
            mine = np.flatnonzero((self.clock == k) & (lo >= 0) & (hi < len(calendar)))
            first[mine] = calendar[lo[mine]]
            straight[mine] = calendar[hi[mine]] - first[mine] == days[-1] - days[0]
        if straight.all():
            return Columns(days, first)
        odd = np.flatnonzero(~straight)
        return Columns(days, np.where(straight, first, 0), odd, self.take(odd).at(days))

    def laid(self) -> dict[str, AnyArray]:
        """Return returns, spans, length and factors of all days, and the number masked."""
        panel, today = self.panel, self.columns(self.days)
        length = today.take(panel.spans, self.rows)
        columns = {lag: self.columns(self.days + lag) if lag else today for lag in set(self.lags)}
        series: list[FloatArray] = []
        gaps: dict[int, IntArray] = {}
        for j, lag in enumerate(self.lags):
            rows, days = self.factor_rows[:, j], columns[lag]
            series.append(days.take(panel.values, rows))
            if not days.one_day(panel.spans, rows):
                gaps[j] = self._clocked(days.take(panel.spans, rows))
        factors = _side_by_side(series, length.shape)
        returns = today.take(panel.values, self.rows)
        laid = self._bridged(Joint(returns, self._clocked(length), length, factors), gaps)
        return {**laid._asdict(), "masked": self._masked(laid)}

    def _clocked(self, length: IntArray) -> IntArray:
        """Return days of the clock; on a clock of traded sessions every return takes one."""
        if not self._traded.any():
            return length
        return np.where(self._traded[self.clock][:, None], length > 0, length)

    @property
    def _traded(self) -> BoolArray:
        """Clocks of traded sessions, shape (clocks,)."""
        return np.array([TRADED in name for name in self.names], dtype=bool)

    def _bridged(self, laid: Joint, gaps: dict[int, IntArray]) -> Joint:
        """Join returns over several sessions, in place; estimation days have none unless kept."""
        one_day = laid.spans == 1
        for spans in gaps.values():
            one_day &= spans == 1
        traded = self._traded.any()
        if one_day.all() and not traded:
            return laid
        # Until here days and sessions may be one array.
        laid = laid._replace(length=laid.length.copy())
        before, after = slice(0, self.L1), slice(self.L1, None)
        for days in (before, after) if self.keep_spans else (after,):
            rows = np.flatnonzero(~one_day[:, days].all(axis=1))
            if len(rows):
                self._join(laid, gaps, rows, days)
        if not self.keep_spans:
            single = one_day[:, before]
            if traded:
                single &= laid.length[:, before] == 1
            np.copyto(laid.returns[:, before], np.nan, where=~single)
            for j in range(len(self.lags)):
                np.copyto(laid.factors[:, before, j], np.nan, where=~single)
            laid.spans[:, before] = laid.length[:, before] = single
        return laid

    def _join(self, laid: Joint, gaps: dict[int, IntArray], rows: IntArray, days: slice) -> None:
        """Join the days of some events in place."""
        separate = Joint(*(array[rows, days] for array in laid))
        factor_spans = np.ones(separate.factors.shape, dtype=np.int64)
        for j, spans in gaps.items():
            factor_spans[:, :, j] = spans[rows, days]
        joint = jointly(separate, factor_spans, log=self.panel.kind == "log")
        for target, array in zip(laid, joint, strict=True):
            target[rows, days] = array

    def _masked(self, laid: Joint) -> IntArray:
        """Leave out the days of the mask, in place; return those with a return of each event."""
        if not self.mask.shape[1]:
            return np.zeros(len(self.rows), np.int64)
        before = slice(0, self.L1)
        mask = np.unpackbits(self.mask, axis=1, count=self.L1).view(bool)
        mask &= np.isfinite(laid.returns[:, before])
        for array, nothing in ((laid.returns, np.nan), (laid.spans, 0), (laid.length, 0)):
            np.copyto(array[:, before], nothing, where=mask)
        count: IntArray = mask.sum(axis=1)
        return count


def _side_by_side(series: list[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    """Return f arrays (n, L) as one (n, L, f), without a copy of a single one."""
    if len(series) == 1:
        return series[0][:, :, None]
    return np.stack(series, axis=2) if series else np.empty((*shape, 0))


BY_EVENT = ("clock", "place", "rows", "factor_rows")


def numbered(names: Sequence[str]) -> tuple[list[str], IntArray]:
    """Return the names once, in order of appearance, and the number of each, shape (n,)."""
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return list(number), np.fromiter(map(number.__getitem__, names), np.int64, len(names))


def places(panel: ReturnsPanel, names: Sequence[str], clock: IntArray, day0: DateArray) -> IntArray:
    """Return the session of its clock of each day 0, or the next one, shape (n,).

    Parameters
    ----------
    panel : ReturnsPanel
    names : sequence of str
        Clocks.
    clock : (n,) int array
        Index among `names` of the clock of each event.
    day0 : (n,) datetime64[D] array

    Returns
    -------
    (n,) int array
        NOWHERE for a day outside of the data.
    """
    out = np.full(len(day0), NOWHERE, dtype=np.int64)
    for k, name in enumerate(names):
        dates, mine = panel.sessions[panel.calendars[name]], np.flatnonzero(clock == k)
        if len(dates):
            inside = (day0[mine] >= dates[0]) & (day0[mine] <= dates[-1])
            out[mine] = np.where(inside, np.searchsorted(dates, day0[mine]), NOWHERE)
    return out


def _columns(calendar: IntArray, index: IntArray) -> IntArray:
    """Return the columns of the panel of sessions of a calendar; -1 where it has none."""
    if not len(calendar):
        return np.full_like(index, -1)
    if not index.size or (index[:, 0].min() >= 0 and index[:, -1].max() < len(calendar)):
        # Columns one after the other need no look-up.
        straight = calendar[-1] - calendar[0] < len(calendar)
        return index + calendar[0] if straight else calendar.take(index)
    inside = (index >= 0) & (index < len(calendar))
    return np.where(inside, calendar[np.clip(index, 0, len(calendar) - 1)], -1)
