"""Where the returns of each event are in the panel, and laying them out on its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .joint import Joint, jointly
from .typing import AnyArray, BoolArray, DateArray, IntArray

if TYPE_CHECKING:
    from .returns import ReturnsPanel

# Rows of a panel that stand for "none": no such series, or a place that is left empty on purpose.
NO_ROW, EMPTY = -1, -2
# So many series are looked at as a whole, to know that they have no gap.
FEW_ROWS = 8
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
        """Return the columns of `days` around each day 0, (n, L); -1 beyond the sessions of the calendar."""
        clocks = np.unique(self.clock)
        if len(clocks) == 1:
            return _columns(self.panel.calendars[self.names[clocks[0]]], self.place[:, None] + days)
        out = np.full((len(self.place), len(days)), -1, dtype=np.int64)
        for k in clocks:
            mine = np.flatnonzero(self.clock == k)
            out[mine] = _columns(self.panel.calendars[self.names[k]], self.place[mine, None] + days)
        return out

    def laid(self) -> dict[str, AnyArray]:
        """Return positions, returns, spans, length and factors of all days, and the number masked."""
        positions, panel = self.at(self.days), self.panel
        own = _Cells.of(panel, self.rows, positions)
        length = own.take(panel.spans)
        spans = self._clocked(length)
        moved = {lag: self.at(self.days + lag) if lag else positions for lag in dict.fromkeys(self.lags)}
        factors = np.empty((*positions.shape, len(self.lags)))
        gaps: dict[int, IntArray] = {}
        for j, lag in enumerate(self.lags):
            cells = _Cells.of(panel, self.factor_rows[:, j], moved[lag])
            factors[:, :, j] = cells.take(panel.values)
            if not cells.one_day(panel):
                gaps[j] = self._clocked(cells.take(panel.spans))
        laid = Joint(own.take(panel.values), spans, length, factors)
        self._bridge(laid, gaps)
        return {"positions": positions, **laid._asdict(), "masked": self._masked(laid)}

    def _clocked(self, length: IntArray) -> IntArray:
        """Return days of the clock: on one of traded sessions a return takes one, whatever it spans."""
        if not self._traded.any():
            return length.copy()
        return np.where(self._traded[self.clock][:, None], length > 0, length)

    @property
    def _traded(self) -> BoolArray:
        """Which clocks are of traded sessions."""
        return np.array([TRADED in name for name in self.names], dtype=bool)

    def _bridge(self, laid: Joint, gaps: dict[int, IntArray]) -> None:
        """Join returns over several sessions, in place; estimation days have none unless kept."""
        one_day = laid.spans == 1
        for own in gaps.values():
            one_day &= own == 1
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
            if self._traded.any():
                single &= laid.length[:, before] == 1
            np.copyto(laid.returns[:, before], np.nan, where=~single)
            for j in range(len(self.lags)):
                np.copyto(laid.factors[:, before, j], np.nan, where=~single)
            laid.spans[:, before] = laid.length[:, before] = single

    def _masked(self, laid: Joint) -> IntArray:
        """Leave out the days of the mask, in place, and return how many of each event had a return."""
        if not self.mask.shape[1]:
            return np.zeros(len(self.rows), np.int64)
        before = slice(0, self.L1)
        mask = np.unpackbits(self.mask, axis=1, count=self.L1).view(bool)
        mask &= np.isfinite(laid.returns[:, before])
        for own, nothing in ((laid.returns, np.nan), (laid.spans, 0), (laid.length, 0)):
            np.copyto(own[:, before], nothing, where=mask)
        count: IntArray = mask.sum(axis=1)
        return count


BY_EVENT = ("clock", "place", "rows", "factor_rows")


def numbered(names: Sequence[str]) -> tuple[list[str], IntArray]:
    """Return the names once, in order of appearance, and the number of each, shape (n,)."""
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return list(number), np.fromiter(map(number.__getitem__, names), np.int64, len(names))


def places(panel: ReturnsPanel, names: Sequence[str], clock: IntArray, day0: DateArray) -> IntArray:
    """Return which session of its clock each day 0 (n,) is, or the next one; NOWHERE outside of the data."""
    out = np.full(len(day0), NOWHERE, dtype=np.int64)
    for k, name in enumerate(names):
        dates, mine = panel.sessions[panel.calendars[name]], np.flatnonzero(clock == k)
        if len(dates):
            inside = (day0[mine] >= dates[0]) & (day0[mine] <= dates[-1])
            out[mine] = np.where(inside, np.searchsorted(dates, day0[mine]), NOWHERE)
    return out


def _columns(own: IntArray, index: IntArray) -> IntArray:
    """Return the columns of the panel of the sessions `index` of a calendar; -1 where it has none."""
    if not index.size or (index[:, 0].min() >= 0 and index[:, -1].max() < len(own)):
        # Columns one after the other need no look-up.
        return index + own[0] if len(own) and own[-1] - own[0] < len(own) else own.take(index)
    known = (index >= 0) & (index < len(own))
    return np.where(known, own[np.clip(index, 0, len(own) - 1)] if len(own) else -1, -1)


class _Cells(NamedTuple):
    """One row of a panel per event, at its positions.

    Attributes
    ----------
    rows : (n,) int array
    positions, at : (n, L) int arrays
        Columns, and places in the flat panel, or in its one row if there is only one.
    known : bool
        Whether no row and no position is -1.
    """

    rows: IntArray
    positions: IntArray
    at: IntArray
    known: bool

    @classmethod
    def of(cls, panel: ReturnsPanel, rows: IntArray, positions: IntArray) -> _Cells:
        known = positions.size > 0 and panel.values.size > 0 and rows.min() >= 0 and positions.min() >= 0
        if known and (rows == rows[0]).all():
            return cls(rows[:1], positions, positions, True)
        at = np.maximum(rows, 0)[:, None] * panel.values.shape[1] + positions
        return cls(rows, positions, at, bool(known))

    def take(self, source: AnyArray) -> AnyArray:
        """Return values, or spans. NaN, or 0, where row or position is -1; 0, or 1, in an empty place."""
        if self.known:
            return (source[self.rows[0]] if len(self.rows) == 1 else source.ravel()).take(self.at)
        absent, empty = (np.nan, 0.0) if source.dtype.kind == "f" else (0, 1)
        out = source.ravel().take(self.at) if source.size else np.full(self.at.shape, absent, source.dtype)
        out[self.rows < 0] = absent
        out[self.rows == EMPTY] = empty
        out[self.positions < 0] = absent
        return out

    def one_day(self, panel: ReturnsPanel) -> bool:
        """Tell whether all returns are known to span one session, as those of an index mostly do."""
        rows = np.unique(self.rows) if self.known else self.rows
        if not self.known or len(rows) > FEW_ROWS:
            return False
        return bool((panel.spans[rows, self.positions.min() : self.positions.max() + 1] == 1).all())
