"""Windows in event time, and the returns and factors of every event laid out on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from .chunks import chunks, joined
from .cut import ByEvent
from .errors import ConfigError
from .joint import Joint, jointly
from .typing import AnyArray, BoolArray, DateArray, FloatArray, IntArray, Measure, ReturnKind

if TYPE_CHECKING:
    from .returns import ReturnsPanel


# Rows of a panel that stand for "none": no such series, or a place that is left empty on purpose.
NO_ROW, EMPTY = -1, -2
# So many series are looked at as a whole, to know that they have no gap.
FEW_ROWS = 8
# Joins the names of an exchange and a symbol to that of the symbol's own clock of traded sessions.
TRADED = "|"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A closed interval of trading days in event time; the event day is 0.

    Raises
    ------
    ConfigError
        If `start` is later than `stop`, or a text is not ``START:STOP``.
    """

    start: int
    stop: int

    def __post_init__(self) -> None:
        if self.start > self.stop:
            raise ConfigError("a window ends before it starts", value=str(self), remedy="write START:STOP")

    @classmethod
    def of(cls, value: Window | tuple[int, int] | list[int] | str) -> Window:
        """Return `value` as a Window; accepts ``(0, 1)``, ``"0:1"`` and ``"[0,1]"``."""
        if isinstance(value, Window):
            return value
        if isinstance(value, str):
            match = re.fullmatch(r"\s*\[?\s*([+-]?\d{1,6})\s*[:,]\s*([+-]?\d{1,6})\s*\]?\s*", value)
            if match is None:
                raise ConfigError(
                    "not a window", value=value, remedy="write START:STOP in trading days, such as -1:1"
                )
            return cls(int(match[1]), int(match[2]))
        if not (_whole_numbers(value) and len(value) == 2):
            raise ConfigError("not a window", value=value, remedy="give two whole numbers, such as (-1, 1)")
        return cls(int(value[0]), int(value[1]))

    @classmethod
    def several(cls, value: Window | tuple[int, int] | str | Iterable[Any]) -> tuple[Window, ...]:
        """Return one window, or several, in a tuple; ``(0, 1)`` is one."""
        if isinstance(value, (Window, str)) or not isinstance(value, Iterable):
            return (cls.of(value),)
        members = list(value)
        return (cls.of(members),) if _whole_numbers(members) else tuple(map(cls.of, members))

    @property
    def days(self) -> IntArray:
        """Event days from start to stop, shape (L,)."""
        return np.arange(self.start, self.stop + 1)

    def __len__(self) -> int:
        return self.stop - self.start + 1

    def __contains__(self, other: object) -> bool:
        if isinstance(other, Window):
            return self.start <= other.start and other.stop <= self.stop
        return isinstance(other, int) and self.start <= other <= self.stop

    def __str__(self) -> str:
        return f"[{self.start},{self.stop}]"


def _whole_numbers(value: object) -> bool:
    """Tell whether `value` is a row of whole numbers, at least one."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and all(isinstance(v, Real) and not isinstance(v, bool) and v == v // 1 for v in value)
    )


@dataclass(frozen=True, eq=False)
class EventWindows(ByEvent):
    """Returns and factors of n events on the estimation and event windows.

    Attributes
    ----------
    estimation, event : Window
        Windows of length L1 and L2; the columns below are the L1 days followed by the L2 days.
    returns : (n, L1+L2) float array
        Decimal returns, NaN where missing. In the event window a return that follows h missing
        sessions spans h+1 sessions; in the estimation window such returns are NaN unless kept on request.
    spans : (n, L1+L2) int array
        Days of the event's clock that each return spans; 0 where missing.
    length : (n, L1+L2) int array
        Sessions that each return spans (n in docs/methods.md): the same, unless halted sessions have left
        the clock.
    factors : (n, L1+L2, f) float array
        Factor returns, summed over the sessions that the return spans.
    positions : (n, L1+L2) int array
        Column of `sessions` of each day; -1 beyond the data.
    day0 : (n,) int array
        Column of `sessions` of each event's day 0; -1 beyond the data.
    sessions : (T,) datetime64[D] array
        The union of all sessions, ascending.
    hours : (n, 2) float array
        Opening and closing of each event's exchange in UTC hours of the session's date.
    calendar : (n,) int array
        Which of `calendars` the exchange of each event is.
    calendars : tuple of int arrays
        Columns of `sessions` on which each calendar is open.
    masked : (n,) int array
        Estimation days with a return that were left out for other events of the firm.
    bounds : (n, L1) float array
        Returns of estimation days that are only known to lie beyond them, as the close is at a price limit;
        NaN elsewhere.
    """

    by_event: ClassVar = (
        "returns", "spans", "length", "factors", "positions", "day0", "hours", "calendar", "masked",
        "bounds",
    )  # fmt: skip

    estimation: Window
    event: Window
    returns: FloatArray
    spans: IntArray
    length: IntArray
    factors: FloatArray
    positions: IntArray
    day0: IntArray
    sessions: DateArray
    hours: FloatArray
    calendar: IntArray
    calendars: tuple[IntArray, ...]
    kind: ReturnKind = "simple"
    measure: Measure = "return"
    masked: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    bounds: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        if len(self.masked) != len(self.returns):
            object.__setattr__(self, "masked", np.zeros(len(self.returns), np.int64))
        if len(self.bounds) != len(self.returns):
            none = np.full((len(self.returns), len(self.estimation)), np.nan)
            object.__setattr__(self, "bounds", none)

    def __len__(self) -> int:
        return len(self.returns)

    @property
    def dates(self) -> DateArray:
        """Session of each event-window day, shape (n, L2); NaT beyond the data."""
        pos = self.positions[:, len(self.estimation) :]
        return np.where(pos >= 0, self.sessions[pos], np.datetime64("NaT", "D"))

    def take(self, rows: IntArray | BoolArray | slice) -> EventWindows:
        """Return the windows of some events, by position, mask or slice."""
        return self.cut(rows)


def require_apart(estimation: Window, event: Window) -> None:
    """Refuse an estimation window that does not end before the event window starts."""
    if estimation.stop >= event.start:
        what = "the estimation window must end before the event window starts"
        raise ConfigError(what, value=f"{estimation} and {event}")


def build_windows(
    panel: ReturnsPanel,
    *,
    calendars: list[str],
    day0: DateArray,
    rows: IntArray,
    factor_rows: IntArray,
    estimation: Window,
    event: Window,
    lags: Sequence[int] = (),
    keep_spans: bool = False,
) -> EventWindows:
    """Lay the returns of every event on its windows, counted in sessions of its own exchange.

    Parameters
    ----------
    panel : ReturnsPanel
    calendars : list of str
        Calendar of each event, a key of ``panel.calendars``.
    day0 : (n,) datetime64[D] array
    rows : (n,) int array
        Row of the panel that holds the firm; -1 if there is none.
    factor_rows : (n, f) int array
        Rows that hold the factors; -1 if there is none, -2 for a place that is 0 throughout.
    estimation, event : Window
        The estimation window must end before the event window starts.
    lags : sequence of f int, optional
        Sessions by which each factor is moved: -1 lays the factor of the session before on a day.
    keep_spans : bool
        Whether returns over several sessions stay in the estimation window (trade-to-trade).

    Returns
    -------
    EventWindows
    """
    require_apart(estimation, event)
    names, own = _numbered(calendars)
    asked = _Asked(
        panel, names, own, day0, rows, factor_rows, np.r_[estimation.days, event.days], len(estimation),
        tuple(lags) or (0,) * factor_rows.shape[1], keep_spans,
    )  # fmt: skip
    bases = [name.partition(TRADED)[0] for name in names]
    exchanges, base = _numbered(bases)
    hours = np.array([panel.hours.get(name, (0.0, 24.0)) for name in bases]).reshape(-1, 2)
    return EventWindows(
        estimation, event, **joined(len(rows), (asked.laid(part) for part in chunks(len(rows)))),
        day0=_positions(panel, names, own, day0, np.zeros(1, np.int64))[:, 0], sessions=panel.sessions,
        hours=hours[own], calendar=base[own], kind=panel.kind, measure=panel.measure,
        calendars=tuple(panel.calendars[name] for name in exchanges),
    )  # fmt: skip


class _Asked(NamedTuple):
    """What :func:`build_windows` is asked for, the calendars by number."""

    panel: ReturnsPanel
    names: list[str]
    calendar: IntArray
    day0: DateArray
    rows: IntArray
    factor_rows: IntArray
    days: IntArray
    L1: int
    lags: tuple[int, ...]
    keep_spans: bool

    def laid(self, part: slice) -> dict[str, AnyArray]:
        """Return what the windows of some events hold on their days."""
        positions, panel = self._at(part, 0), self.panel
        own = _Cells.of(panel, self.rows[part], positions)
        length = own.take(panel.spans).astype(np.int64)
        spans = self._clocked(length, part)
        moved = {lag: self._at(part, lag) if lag else positions for lag in dict.fromkeys(self.lags)}
        factors = np.empty((*positions.shape, len(self.lags)))
        factor_spans = np.empty(factors.shape, dtype=np.int64)
        for j, lag in enumerate(self.lags):
            cells = _Cells.of(panel, self.factor_rows[part, j], moved[lag])
            factors[:, :, j] = cells.take(panel.values)
            factor_spans[:, :, j] = (
                1 if cells.one_day(panel) else self._clocked(cells.take(panel.spans), part)
            )
        laid = Joint(own.take(panel.values), spans, length, factors)
        self._bridge(laid, factor_spans)
        return {"positions": positions, **laid._asdict()}

    def _at(self, part: slice, lag: int) -> IntArray:
        return _positions(self.panel, self.names, self.calendar[part], self.day0[part], self.days + lag)

    def _clocked(self, length: IntArray, part: slice) -> IntArray:
        """Return days of the clock: on one of traded sessions a return takes one, whatever it spans."""
        traded = np.array([TRADED in name for name in self.names], dtype=bool)[self.calendar[part]]
        return np.where(traded[:, None], length > 0, length) if traded.any() else length.copy()

    def _bridge(self, laid: Joint, factor_spans: IntArray) -> None:
        """Join returns over several sessions, in place; estimation days have none unless kept."""
        one_day = laid.spans == 1
        for own in np.moveaxis(factor_spans, 2, 0):
            one_day &= own == 1
        before, L1 = slice(0, self.L1), self.L1
        for part in (before, slice(L1, None)) if self.keep_spans else (slice(L1, None),):
            rest = np.flatnonzero(~one_day[:, part].all(axis=1))
            if len(rest):
                given = Joint(*(own[rest, part] for own in laid))
                found = jointly(given, factor_spans[rest, part], log=self.panel.kind == "log")
                for whole, own in zip(laid, found, strict=True):
                    whole[rest, part] = own
        if not self.keep_spans:
            single = one_day[:, before] & (laid.length[:, before] == 1)
            np.copyto(laid.returns[:, before], np.nan, where=~single)
            np.copyto(laid.factors[:, before], np.nan, where=~single[:, :, None])
            laid.spans[:, before] = laid.length[:, before] = single


def _numbered(names: Sequence[str]) -> tuple[list[str], IntArray]:
    """Return the names once, in order of appearance, and the number of each, shape (n,)."""
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return list(number), np.fromiter(map(number.__getitem__, names), np.int64, len(names))


def _positions(
    panel: ReturnsPanel, names: list[str], calendar: IntArray, day0: DateArray, days: IntArray
) -> IntArray:
    """Return the columns of `days` around each event's day 0, -1 beyond the sessions of its calendar."""
    out = np.full((len(day0), len(days)), -1, dtype=np.int64)
    for k in np.unique(calendar):
        own, mine = panel.calendars[names[k]], np.flatnonzero(calendar == k)
        dates = panel.sessions[own]
        if len(own) == 0:
            continue
        index = np.searchsorted(dates, day0[mine])[:, None] + days
        inside = (day0[mine] >= dates[0]) & (day0[mine] <= dates[-1])
        if inside.all() and index[:, 0].min() >= 0 and index[:, -1].max() < len(own):
            found = own.take(index)
        else:
            good = inside[:, None] & (index >= 0) & (index < len(own))
            found = np.where(good, own[np.clip(index, 0, len(own) - 1)], -1)
        if len(mine) == len(out):
            return found
        out[mine] = found
    return out


class _Cells(NamedTuple):
    """One row of a panel per event, at its positions.

    Attributes
    ----------
    rows : (n,) int array
    positions, at : (n, L) int arrays
        Columns, and places in the flat panel.
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
        return cls(
            rows, positions, np.maximum(rows, 0)[:, None] * panel.values.shape[1] + positions, bool(known)
        )

    def take(self, source: AnyArray) -> AnyArray:
        """Return values, or spans. NaN, or 0, where row or position is -1; 0, or 1, in an empty place."""
        if self.known:
            return source.ravel().take(self.at)
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
