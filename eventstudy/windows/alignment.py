"""Where the returns of each event are in the panel, and laying them out on its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from ..utility.typing import AnyArray, BoolArray, DateArray, FloatArray, IntArray
from .multi_session import Joint, jointly
from .panel_slices import Columns

if TYPE_CHECKING:
    from ..returns import ReturnsPanel

# The place of a day 0 outside of the data: so far that no window reaches into them.
NOWHERE = -(2**40)
# Joins the names of an exchange and a symbol to that of the symbol's own clock of traded sessions.
TRADED = "|"


@dataclass(frozen=True, eq=False)
class Laying:
    """What it takes to lay the returns and factors of n events out on their days.

    Attributes
    ----------
    panel : ReturnsPanel
    names : list of str
        Clocks, keys of ``panel.calendars``.
    clock : (n,) int array
        Which of `names` each event runs on.
    place : (n,) int array
        Which session of its clock each day 0 is; far below 0 where it is none of the data.
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

    def take(self, which: IntArray | BoolArray | slice) -> Laying:
        """Return the laying of some events."""
        own = {f.name: getattr(self, f.name)[which] for f in fields(self) if f.name in BY_EVENT}
        return replace(self, **own, mask=self.mask[which] if len(self.mask) else self.mask)

    def at(self, days: IntArray) -> IntArray:
        """Return the columns of `days` around each day 0, (n, L); -1 beyond the sessions of the
        calendar."""
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
            own = self.panel.calendars[self.names[k]]
            mine = np.flatnonzero((self.clock == k) & (lo >= 0) & (hi < len(own)))
            first[mine] = own[lo[mine]]
            straight[mine] = own[hi[mine]] - first[mine] == days[-1] - days[0]
        if straight.all():
            return Columns(days, first)
        odd = np.flatnonzero(~straight)
        return Columns(days, np.where(straight, first, 0), odd, self.take(odd).at(days))

    def laid(self) -> dict[str, AnyArray]:
        """Return returns, spans, length and factors of all days, and the number masked."""
        panel, own = self.panel, self.columns(self.days)
        length = own.take(panel.spans, self.rows)
        moved = {
            lag: self.columns(self.days + lag) if lag else own for lag in dict.fromkeys(self.lags)
        }
        series: list[FloatArray] = []
        gaps: dict[int, IntArray] = {}
        for j, lag in enumerate(self.lags):
            rows = self.factor_rows[:, j]
            series.append(moved[lag].take(panel.values, rows))
            if not moved[lag].one_day(panel.spans, rows):
                gaps[j] = self._clocked(moved[lag].take(panel.spans, rows))
        factors = _beside(series, length.shape)
        given = Joint(own.take(panel.values, self.rows), self._clocked(length), length, factors)
        laid = self._bridged(given, gaps)
        return {**laid._asdict(), "masked": self._masked(laid)}

    def _clocked(self, length: IntArray) -> IntArray:
        """Return days of the clock: on one of traded sessions a return takes one, whatever it
        spans."""
        if not self._traded.any():
            return length
        return np.where(self._traded[self.clock][:, None], length > 0, length)

    @property
    def _traded(self) -> BoolArray:
        """Which clocks are of traded sessions."""
        return np.array([TRADED in name for name in self.names], dtype=bool)

    def _bridged(self, laid: Joint, gaps: dict[int, IntArray]) -> Joint:
        """Join returns over several sessions, in place; estimation days have none unless kept."""
        one_day = laid.spans == 1
        for own in gaps.values():
            one_day &= own == 1
        traded = self._traded.any()
        if one_day.all() and not traded:
            return laid
        # Until here days and sessions may be one array.
        laid = laid._replace(length=laid.length.copy())
        before, after = slice(0, self.L1), slice(self.L1, None)
        for part in (before, after) if self.keep_spans else (after,):
            rest = np.flatnonzero(~one_day[:, part].all(axis=1))
            if len(rest):
                given = Joint(*(own[rest, part] for own in laid))
                factor_spans = np.ones(given.factors.shape, dtype=np.int64)
                for j, own in gaps.items():
                    factor_spans[:, :, j] = own[rest, part]
                found = jointly(given, factor_spans, log=self.panel.kind == "log")
                for whole, own in zip(laid, found, strict=True):
                    whole[rest, part] = own
        if not self.keep_spans:
            single = one_day[:, before]
            if traded:
                single &= laid.length[:, before] == 1
            np.copyto(laid.returns[:, before], np.nan, where=~single)
            for j in range(len(self.lags)):
                np.copyto(laid.factors[:, before, j], np.nan, where=~single)
            laid.spans[:, before] = laid.length[:, before] = single
        return laid

    def _masked(self, laid: Joint) -> IntArray:
        """Leave out the days of the mask, in place, and return how many of each event had a
        return."""
        if not self.mask.shape[1]:
            return np.zeros(len(self.rows), np.int64)
        before = slice(0, self.L1)
        mask = np.unpackbits(self.mask, axis=1, count=self.L1).view(bool)
        mask &= np.isfinite(laid.returns[:, before])
        for own, nothing in ((laid.returns, np.nan), (laid.spans, 0), (laid.length, 0)):
            np.copyto(own[:, before], nothing, where=mask)
        count: IntArray = mask.sum(axis=1)
        return count


def _beside(series: list[FloatArray], shape: tuple[int, ...]) -> FloatArray:
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
    """Return which session of its clock each day 0 (n,) is, or the next one; NOWHERE outside of the
    data."""
    out = np.full(len(day0), NOWHERE, dtype=np.int64)
    for k, name in enumerate(names):
        dates, mine = panel.sessions[panel.calendars[name]], np.flatnonzero(clock == k)
        if len(dates):
            inside = (day0[mine] >= dates[0]) & (day0[mine] <= dates[-1])
            out[mine] = np.where(inside, np.searchsorted(dates, day0[mine]), NOWHERE)
    return out


def _columns(own: IntArray, index: IntArray) -> IntArray:
    """Return the columns of the panel of the sessions `index` of a calendar; -1 where it has
    none."""
    if not index.size or (index[:, 0].min() >= 0 and index[:, -1].max() < len(own)):
        # Columns one after the other need no look-up.
        return index + own[0] if len(own) and own[-1] - own[0] < len(own) else own.take(index)
    known = (index >= 0) & (index < len(own))
    return np.where(known, own[np.clip(index, 0, len(own) - 1)] if len(own) else -1, -1)
