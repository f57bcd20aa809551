"""The place of each event's returns in the panel, and their layout on its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..calendars import Window
from ..utility import AnyArray, BoolArray, DateArray, IntArray

if TYPE_CHECKING:
    from ..returns import ReturnsPanel

# The place of a day 0 outside of the data: no window reaches from here into them.
NOWHERE = -(2**40)
# Joins the names of an exchange and a symbol to the name of the symbol's clock of traded sessions.
TRADED = "|"
# The row of a place that is empty on purpose; -1 is the row of a series that does not exist.
EMPTY = -2


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
    market_rows : (n,) int array
        Rows of the panel that hold the index of each event, which not every model needs.
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
    market_rows: IntArray
    mask: AnyArray = field(default_factory=lambda: np.empty((0, 0), np.uint8))

    @property
    def before(self) -> Laying:
        """The laying of the estimation days only."""
        return replace(self, days=self.days[: self.L1])

    def until(self, event: Window) -> Laying:
        """Return the laying of the same estimation days and of other event days."""
        days = np.r_[self.days[: self.L1], event.days]
        return replace(self, days=days)

    @property
    def of_market(self) -> Laying:
        """The laying of the index of each event, in place of the firm's returns."""
        no_factors = np.empty((len(self.rows), 0), np.int64)
        return replace(self, rows=self.market_rows, factor_rows=no_factors, lags=())

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

    def laid(self) -> dict[str, AnyArray]:
        """Return returns, spans, length and factors of all days, and the number masked."""
        panel, at = self.panel, {lag: self.at(self.days + lag) for lag in {0, *self.lags}}
        length = _taken(panel.spans, self.rows, at[0])
        lagged = list(zip(self.lags, self.factor_rows.T, strict=True))
        factors = [_taken(panel.values, rows, at[lag]) for lag, rows in lagged]
        gaps = [self._clocked(_taken(panel.spans, rows, at[lag])) for lag, rows in lagged]
        series = Joint(
            _taken(panel.values, self.rows, at[0]), self._clocked(length), length,
            _side_by_side(factors, length.shape),
        )  # fmt: skip
        laid = self._lengthened(self._bridged(series, gaps))
        return {**laid._asdict(), "masked": self._masked(laid)}

    def _lengthened(self, laid: Joint) -> Joint:
        """Count the weekdays of a closed exchange in the length of the returns that span them.

        Estimation days have no such return unless returns over several sessions stay.
        """
        weekdays = self._weekdays_closed(laid.spans)
        if weekdays is None:
            return laid
        laid = laid._replace(length=laid.length + weekdays)
        if self.keep_spans:
            return laid
        is_long = weekdays > 0
        is_long[:, self.L1 :] = False
        laid = laid._replace(spans=laid.spans.copy())
        for array, nothing in zip(laid, (np.nan, 0, 0, np.nan), strict=True):
            array[is_long] = nothing
        return laid

    def _weekdays_closed(self, spans: IntArray) -> IntArray | None:
        """Return the weekdays that an exchange was closed within each return, (n, L); None = 0."""
        closed = self.panel.closed
        out = None
        for k, name in enumerate(self.names):
            base = name.partition(TRADED)[0]
            rows = np.flatnonzero(self.clock == k)
            if base not in closed or not len(rows):
                continue
            out = np.zeros(spans.shape, np.int64) if out is None else out
            for segment in (slice(0, self.L1), slice(self.L1, None)):
                days = self.days[segment]
                if len(days):
                    at = self.take(rows).at(np.r_[days[0] - 1, days])
                    until = closed[base][np.maximum(at, 0)]
                    out[rows, segment] = _within(until, spans[rows, segment])
        return out if out is not None and out.any() else None

    def _clocked(self, length: IntArray) -> IntArray:
        """Return days of the clock; on a clock of traded sessions every return takes one."""
        if not self._traded.any():
            return length
        return np.where(self._traded[self.clock][:, None], length > 0, length)

    @property
    def _traded(self) -> BoolArray:
        """Clocks of traded sessions, shape (clocks,)."""
        return np.array([TRADED in name for name in self.names], dtype=bool)

    def _bridged(self, laid: Joint, gaps: list[IntArray]) -> Joint:
        """Join returns over several sessions, in place; estimation days have none unless kept."""
        one_day = laid.spans == 1
        for spans in gaps:
            one_day &= spans == 1
        traded = self._traded.any()
        if one_day.all() and not traded:
            return laid
        # Until here days and sessions may be one array.
        laid = laid._replace(length=laid.length.copy())
        before = slice(0, self.L1)
        after = slice(self.L1, None)
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

    def _join(self, laid: Joint, gaps: list[IntArray], rows: IntArray, days: slice) -> None:
        """Join the days of some events in place."""
        separate = Joint(*(array[rows, days] for array in laid))
        factor_spans = _side_by_side([spans[rows, days] for spans in gaps], separate.spans.shape)
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
        return np.asarray(mask.sum(axis=1))


def _side_by_side(series: list[AnyArray], shape: tuple[int, ...]) -> AnyArray:
    """Return f arrays (n, L) as one (n, L, f), without a copy of a single one."""
    if len(series) == 1:
        return series[0][:, :, None]
    return np.stack(series, axis=2) if series else np.empty((*shape, 0))


def _within(until: IntArray, spans: IntArray) -> IntArray:
    """Return what is counted within each return, (n, L).

    Parameters
    ----------
    until : (n, 1+L) int array
        The count up to the day before the first, and up to each day.
    spans : (n, L) int array
        Days that each return spans; 0 where there is none.
    """
    first = np.maximum(np.arange(1, until.shape[1]) - spans, 0)
    since = np.take_along_axis(until, first, axis=1)
    return np.where(spans > 0, until[:, 1:] - since, 0)


BY_EVENT = ("clock", "place", "rows", "factor_rows", "market_rows")


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
        dates = panel.sessions[panel.calendars[name]]
        mine = np.flatnonzero(clock == k)
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


def _taken(source: AnyArray, rows: IntArray, at: IntArray) -> AnyArray:
    """Return values, or spans, of a panel for a row per event, shape (n, L).

    Parameters
    ----------
    source : (rows, T) array
        Values or spans.
    rows : (n,) int array
    at : (n, L) int array
        Columns of the panel.

    Returns
    -------
    (n, L) array
        NaN, or 0 for spans, where row or column is -1; 0, or 1, in an empty place.
    """
    absent, empty = (np.nan, 0.0) if source.dtype.kind == "f" else (0, 1)
    if not source.size:
        out = np.full(at.shape, absent, source.dtype)
    else:
        out = source.take(np.maximum(rows, 0)[:, None] * source.shape[1] + at)
        if at.min(initial=0) < 0:
            out[at < 0] = absent
    out[rows < 0] = absent
    out[rows == EMPTY] = empty
    return out


class Joint(NamedTuple):
    """Returns (n, L), the days and the sessions that each spans (n, L), and factors (n, L, f)."""

    returns: AnyArray
    spans: AnyArray
    length: AnyArray
    factors: AnyArray


class Runs(NamedTuple):
    """The days of n events cut behind every joint day: ends of each run, in flat order."""

    first: IntArray
    last: IntArray

    @classmethod
    def of(cls, joint: BoolArray) -> Runs:
        """Return the runs of events whose joint days (n, L) are marked."""
        begins = np.ones(joint.shape, dtype=bool)
        begins[:, 1:] = joint[:, :-1]
        first = np.flatnonzero(begins)
        return cls(first, np.append(first[1:], joint.size) - 1)

    def covered(self, spans: IntArray) -> BoolArray:
        """Return which runs the returns of a series (n, L) span exactly."""
        flat = spans.ravel()
        begins = np.where(flat > 0, np.arange(flat.size) - flat + 1, flat.size)
        exact = np.add.reduceat(flat, self.first) == self.last - self.first + 1
        return np.asarray(exact & (np.minimum.reduceat(begins, self.first) >= self.first))


def jointly(series: Joint, factor_spans: IntArray, *, log: bool) -> Joint:
    """Return returns and factors over the days on which all series of an event have a price.

    Parameters
    ----------
    series : Joint
        The returns of n events and each factor by itself.
    factor_spans : (n, L, f) int array
        Days that each factor return spans; 0 where it is missing.
    log : bool
        Whether returns are summed instead of compounded.

    Notes
    -----
    Where the firm or a factor lacks a session, the next day that all have spans the sessions since
    the last such day: the firm's return is compounded over them, factors are summed. A return that
    began before the first day can enter no window and is missing.
    """
    priced = series.spans > 0
    factor_priced = factor_spans > 0
    joint = priced & factor_priced.all(axis=2)
    runs = Runs.of(joint)
    exact = runs.covered(series.spans)
    for spans in np.moveaxis(factor_spans, 2, 0):
        exact &= runs.covered(spans)
    # A day on which all returns span one session stands for itself, whatever lies before it.
    single = ((series.spans == 1) & (factor_spans == 1).all(axis=2)).ravel()[runs.last]
    used = joint.ravel()[runs.last] & (single | exact)
    add, neutral = (np.add, 0.0) if log else (np.multiply, 1.0)
    growth = np.where(priced, series.returns + neutral, neutral).ravel()
    factors = np.where(factor_priced, series.factors, 0.0)
    factors = factors.reshape(priced.size, factor_spans.shape[2])
    sums = (
        add.reduceat(growth, runs.first) - neutral, runs.last - runs.first + 1,
        np.add.reduceat(series.length.ravel(), runs.first),
        np.add.reduceat(factors, runs.first, axis=0),
    )  # fmt: skip
    pairs = zip(sums, series, strict=True)
    return Joint(*(_placed(total, runs.last, used, single, days) for total, days in pairs))


def covers(spans: IntArray) -> bool:
    """Return whether the returns of a run of days span exactly these days."""
    priced = np.flatnonzero(spans > 0)
    return bool((priced - spans[priced] + 1 >= 0).all() and spans.sum() == len(spans))


def _placed(
    sums: AnyArray, last: IntArray, used: BoolArray, single: BoolArray, days: AnyArray
) -> AnyArray:
    """Return the sums of the runs that are `used` on their last days; single days as they are."""
    out = np.full_like(days, np.nan if days.dtype.kind == "f" else 0)
    shape = (days.shape[0] * days.shape[1], *days.shape[2:])
    flat = out.reshape(shape)
    values = days.reshape(shape)
    flat[last[used]] = sums[used]
    flat[last[used & single]] = values[last[used & single]]
    return out
