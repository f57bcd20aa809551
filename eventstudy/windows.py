"""Windows in event time, and the returns and factors of every event laid out on them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from .errors import ConfigError
from .typing import BoolArray, DateArray, FloatArray, IntArray, Measure, ReturnKind

if TYPE_CHECKING:
    from .returns import ReturnsPanel


# Rows of a panel that stand for "none": no such series, or a place that is left empty on purpose.
NO_ROW, EMPTY = -1, -2
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
        if (
            not hasattr(value, "__len__")
            or len(value) != 2
            or any(isinstance(v, bool) or int(v) != v for v in value)
        ):
            raise ConfigError("not a window", value=value, remedy="give two whole numbers, such as (-1, 1)")
        return cls(int(value[0]), int(value[1]))

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


@dataclass(frozen=True, eq=False)
class EventWindows:
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
    """

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

    def __post_init__(self) -> None:
        if len(self.masked) != len(self.returns):
            object.__setattr__(self, "masked", np.zeros(len(self.returns), np.int64))

    def __len__(self) -> int:
        return len(self.returns)

    @property
    def dates(self) -> DateArray:
        """Session of each event-window day, shape (n, L2); NaT beyond the data."""
        pos = self.positions[:, len(self.estimation) :]
        return np.where(pos >= 0, self.sessions[pos], np.datetime64("NaT", "D"))

    def take(self, rows: IntArray | BoolArray) -> EventWindows:
        """Return the windows of some events, by position or mask."""
        per_event = (
            "returns",
            "spans",
            "length",
            "factors",
            "positions",
            "day0",
            "hours",
            "calendar",
            "masked",
        )
        return replace(
            self, **{f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name in per_event}
        )


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
    if estimation.stop >= event.start:
        raise ConfigError(
            "the estimation window must end before the event window starts",
            value=f"{estimation} and {event}",
        )
    days, L1 = np.concatenate([estimation.days, event.days]), len(estimation)
    positions = _positions(panel, calendars, day0, days)
    returns, length = _gather(panel, rows, positions), _gather_spans(panel, rows, positions)
    # On a clock of traded sessions every return takes one day, however many sessions it spans.
    traded = np.array([TRADED in name for name in calendars])[:, None]
    spans = np.where(traded, length > 0, length)
    at = {
        lag: positions if lag == 0 else _positions(panel, calendars, day0, days + lag) for lag in {0, *lags}
    }
    moved = [at[lag] for lag in lags or [0] * factor_rows.shape[1]]
    pairs = [
        (_gather(panel, r, p), _gather_spans(panel, r, p)) for r, p in zip(factor_rows.T, moved, strict=True)
    ]
    shape = (*positions.shape, factor_rows.shape[1])
    factors = np.stack([f for f, _ in pairs], axis=2) if pairs else np.empty(shape)
    factor_spans = np.stack([s for _, s in pairs], axis=2) if pairs else np.empty(shape, dtype=np.int64)
    factor_spans = np.where(traded[:, :, None], factor_spans > 0, factor_spans)
    one_day = (spans == 1) & (factor_spans == 1).all(axis=2)
    log = panel.kind == "log"
    for part in (slice(0, L1), slice(L1, None)) if keep_spans else (slice(L1, None),):
        for i in np.flatnonzero(~one_day[:, part].all(axis=1)):
            own = (i, part)
            returns[own], spans[own], length[own], factors[own] = _jointly(
                returns[own], spans[own], length[own], factors[own], factor_spans[own], log=log
            )
    if not keep_spans:
        single = one_day[:, :L1] & (length[:, :L1] == 1)
        returns[:, :L1] = np.where(single, returns[:, :L1], np.nan)
        factors[:, :L1] = np.where(single[:, :, None], factors[:, :L1], np.nan)
        spans[:, :L1], length[:, :L1] = single, single
    exchanges = [name.partition(TRADED)[0] for name in calendars]
    names = list(dict.fromkeys(exchanges))
    return EventWindows(
        estimation, event, returns, spans, length, factors, positions,
        day0=_positions(panel, calendars, day0, np.zeros(1, np.int64))[:, 0], sessions=panel.sessions,
        hours=np.array([panel.hours.get(c, (0.0, 24.0)) for c in exchanges]).reshape(-1, 2),
        calendar=np.array([names.index(c) for c in exchanges], dtype=np.int64),
        calendars=tuple(panel.calendars[name] for name in names), kind=panel.kind,
        measure=panel.measure,
    )  # fmt: skip


def _positions(panel: ReturnsPanel, calendars: list[str], day0: DateArray, days: IntArray) -> IntArray:
    out = np.full((len(day0), len(days)), -1, dtype=np.int64)
    for name in set(calendars):
        own = panel.calendars[name]
        mine = np.array([c == name for c in calendars])
        dates = panel.sessions[own]
        if len(own) == 0:
            continue
        index = np.searchsorted(dates, day0[mine])[:, None] + days
        inside = (day0[mine] >= dates[0]) & (day0[mine] <= dates[-1])
        good = inside[:, None] & (index >= 0) & (index < len(own))
        out[mine] = np.where(good, own[np.clip(index, 0, len(own) - 1)], -1)
    return out


def _gather(panel: ReturnsPanel, rows: IntArray, positions: IntArray) -> FloatArray:
    """Return the values of one row per event at its positions, NaN where either is -1."""
    known = (rows >= 0)[:, None] & (positions >= 0)
    out = np.where((rows == EMPTY)[:, None] & (positions >= 0), 0.0, np.nan)
    event, _ = np.nonzero(known)
    out[known] = panel.values[rows[event], positions[known]]
    return out


def _gather_spans(panel: ReturnsPanel, rows: IntArray, positions: IntArray) -> IntArray:
    """As :func:`_gather` for the spans; 0 where either is -1."""
    known = (rows >= 0)[:, None] & (positions >= 0)
    out: IntArray = ((rows == EMPTY)[:, None] & (positions >= 0)).astype(np.int64)
    event, _ = np.nonzero(known)
    out[known] = panel.spans[rows[event], positions[known]]
    return out


def _jointly(
    returns: FloatArray,
    spans: IntArray,
    length: IntArray,
    factors: FloatArray,
    factor_spans: IntArray,
    *,
    log: bool,
) -> tuple[FloatArray, IntArray, IntArray, FloatArray]:
    """Return one event's returns and factors over the days on which all of them have a price.

    Where the firm or a factor lacks a session, the next day that all have spans the sessions since the
    last such day: the firm's return is compounded over them, factors are summed. What began before
    the first day can enter no window and is missing.

    Parameters
    ----------
    returns, spans, length : (L2,) arrays
    factors, factor_spans : (L2, f) arrays
    """
    out, sums = np.full(len(returns), np.nan), np.full(factors.shape, np.nan)
    joint, sessions = np.zeros(len(returns), np.int64), np.zeros(len(returns), np.int64)
    last = -1
    for t in map(int, np.flatnonzero((spans > 0) & (factor_spans > 0).all(axis=1))):
        n = 1 if spans[t] == 1 and (factor_spans[t] == 1).all() else t - last
        run = slice(t - n + 1, t + 1)
        if covers(spans[run]) and all(covers(own) for own in factor_spans[run].T):
            own = returns[run][spans[run] > 0]
            out[t] = own.sum() if log else np.prod(1 + own) - 1
            joint[t], sums[t] = n, np.where(factor_spans[run] > 0, factors[run], 0.0).sum(axis=0)
            sessions[t] = length[run].sum()
        last = t
    return out, joint, sessions, sums


def covers(spans: IntArray) -> bool:
    """Tell whether the returns of a run of days span exactly these days."""
    seen = np.flatnonzero(spans > 0)
    return bool((seen - spans[seen] + 1 >= 0).all() and spans.sum() == len(spans))
