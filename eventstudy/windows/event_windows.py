"""Windows in event time, and the returns and factors of every event laid out on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..calendars import Window
from ..errors import ConfigError, TooManyError
from ..quality import ReturnKind
from ..returns import Measure
from ..utility import HOLDABLE, AnyArray, BoolArray, DateArray, FloatArray, IntArray, chunks, joined
from ..words import make_error
from .alignment import TRADED, Laying, numbered, places

if TYPE_CHECKING:
    from ..returns import ReturnsPanel


# A halt of up to a week counts alpha for all of its sessions, a longer one for a week.
HALT_DRIFT = 5


@dataclass(frozen=True, eq=False, repr=False)
class StudyWindows:
    """What the windows of all events of a study have in common."""

    estimation: Window
    event: Window
    sessions: DateArray
    calendars: tuple[IntArray, ...]
    kind: ReturnKind = "simple"
    measure: Measure = "return"
    halt_drift: int = HALT_DRIFT
    source: Laying | None = None


class EventWindows(StudyWindows):
    """Returns of the shares, and of the factors of the model, on the days around the events.

    A factor is a return that the model uses as a regressor, such as the return of the market. Most
    arrays have one row per event and one column per day: first the days of the estimation window
    (estimation days), then the days of the event window (event days).

    Attributes
    ----------
    estimation, event : Window
        Estimation window and event window.
    sessions : (T,) datetime64[D] array
        All dates on which at least one exchange is open, in ascending order.
    calendars : tuple of int arrays
        One array for each exchange. It has the dates on which the exchange is open, as positions in
        the array `sessions`.
    halt_drift : int
        After a long closure of the exchange, or a trading halt with the setting ``halt="shift"``, a
        return covers sessions that are not event days. Its normal return contains alpha, the
        constant of the model, for at most `halt_drift` sessions.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["NVDA", "AMD"], "announced_at": ["2022-10-07"] * 2})
    >>> windows = es.run_study(news, es.StudyConfig(prices="sample")).abnormal.windows
    >>> isinstance(windows, es.EventWindows), windows.returns.shape
    (True, (2, 241))
    """

    def __init__(
        self, study: StudyWindows, arrays: Mapping[str, AnyArray], *, laying: Laying | None = None,
        whole: EventWindows | None = None, rows: IntArray | slice = slice(None),
    ) -> None:  # fmt: skip
        super().__init__(**{name: getattr(study, name) for name in OF_THE_STUDY})
        self.laying = laying
        self._whole = whole
        self._rows = rows
        self._arrays = dict(arrays)

    @classmethod
    def of(cls, **fields: Any) -> EventWindows:
        """Return windows that are built from arrays; each array is kept in memory.

        Parameters
        ----------
        **fields
            The attributes by name. `masked`, `other_news` and `source_rows` have defaults.
        """
        study = StudyWindows(**{k: v for k, v in fields.items() if k in OF_THE_STUDY})
        n = len(fields["day0"])
        arrays = {
            "masked": np.zeros(n, np.int64), "other_news": np.zeros((n, 0), dtype=bool),
            "source_rows": np.arange(n), **{k: v for k, v in fields.items() if k in BY_EVENT},
        }  # fmt: skip
        return cls(study, arrays)

    def __len__(self) -> int:
        return len(self.day0)

    @property
    def returns(self) -> FloatArray:
        """Decimal returns of the shares, shape (events, days). A missing return is NaN.

        In the event window, the first return after h sessions without a price covers h + 1
        sessions. In the estimation window, a return over several sessions is NaN (except for the
        model ``trade_to_trade``).
        """
        return self._array("returns")

    @property
    def spans(self) -> IntArray:
        """Number of days that each return covers, shape (events, days).

        For a missing return, the number is 0.
        """
        return self._array("spans")

    @property
    def length(self) -> IntArray:
        """Number of trading sessions that each return covers, shape (events, days).

        For a missing return, the number is 0. The number is larger than :attr:`spans` in two cases:

        - The return covers a trading halt whose sessions are not event days (setting
          ``halt="shift"``).
        - The exchange was closed for more than ten weekdays. These weekdays count as sessions.
        """
        return self._array("length")

    @property
    def factors(self) -> FloatArray:
        """Returns of the factors, such as the market, shape (events, days, factors).

        If the return of the share covers several sessions, the return of a factor is the sum of its
        returns in these sessions.
        """
        return self._array("factors")

    @property
    def positions(self) -> IntArray:
        """Position of the date of each day in the array `sessions`, shape (events, days).

        The position is -1 if the day is before or after the data.
        """
        return self._array("positions")

    @property
    def event_positions(self) -> IntArray:
        """Position of the date of each event day in `sessions`, shape (events, event days).

        The position is -1 if the day is before or after the data.
        """
        return self._array("event_positions")

    @property
    def day0(self) -> IntArray:
        """Position of the date of day 0 of each event in the array `sessions`, shape (events,).

        The position is -1 if day 0 is before or after the data.
        """
        return self._array("day0")

    @property
    def hours(self) -> FloatArray:
        """Usual opening and closing hour of each event's exchange in UTC, shape (events, 2)."""
        return self._array("hours")

    @property
    def calendar(self) -> IntArray:
        """Position of the calendar of each event in the tuple `calendars`, shape (events,)."""
        return self._array("calendar")

    @property
    def masked(self) -> IntArray:
        """Number of estimation days that the program leaves out for each event, shape (events,).

        These days lie in the event window of another event of the firm. Days without a return are
        not counted.
        """
        return self._array("masked")

    @property
    def other_news(self) -> BoolArray:
        """Whether each day lies in the event window of another event of the firm (True or False).

        The array has a column for each day between the estimation window and the event window, and
        for each event day. If no firm has several events, the array has no columns.
        """
        return self._array("other_news")

    @property
    def source_rows(self) -> IntArray:
        """Row numbers of these events in `source`, shape (n,)."""
        return self._array("source_rows")

    def _array(self, name: str) -> AnyArray:
        """Return an array by event: held here, taken from the whole, or laid out on demand."""
        if name in self._arrays:
            return self._arrays[name]
        if self._whole is None or name not in self._whole._arrays:
            return self._laid_out(name)
        array = self._whole._arrays[name][self._rows]
        if array.nbytes <= LASTING:
            self._arrays[name] = array
        return array

    def _laid_out(self, name: str) -> AnyArray:
        """Lay out the array `name`, and keep it.

        Raises
        ------
        TooManyError
            If the days of so many events do not fit into memory.
        """
        if name == "event_positions":
            self._arrays[name] = self.positions[:, len(self.estimation) :]
            return self._arrays[name]
        assert self.laying is not None  # noqa: S101
        if len(self) > HOLDABLE:
            raise make_error(TooManyError, "wrong.not_held", n=len(self), most=HOLDABLE)
        if name == "positions":
            self._arrays[name] = self.laying.at(self.laying.days)
        else:
            self._arrays.update(self.laying.laid())
        return self._arrays[name]

    @property
    def dates(self) -> DateArray:
        """Date of each event day, shape (events, event days).

        The date is NaT (no date) if the day is before or after the data.
        """
        pos = self.event_positions
        return np.where(pos >= 0, self.sessions[pos], np.datetime64("NaT", "D"))

    @property
    def drift(self) -> IntArray:
        """Number by which the model multiplies alpha in each normal return, shape (events, days).

        Alpha is the constant of the model for one session. For a return over n sessions, the number
        is usually n. If some of these sessions are not event days, it is at most `halt_drift`.
        """
        bridges = (self.length > self.spans) & (self.length > self.halt_drift)
        return np.where(bridges, self.halt_drift, np.maximum(self.length, 1))

    @property
    def keeps_days(self) -> bool:
        """Whether arrays with a column per day are kept in memory.

        Otherwise these arrays are computed when they are needed.
        """
        return self.laying is None

    @property
    def estimation_positions(self) -> IntArray:
        """Position of each estimation day in `sessions`, shape (events, estimation days)."""
        if self.laying is None:
            return self.positions[:, : len(self.estimation)]
        before = self.laying.before
        return before.at(before.days)

    @property
    def event_returns(self) -> FloatArray:
        """Decimal returns of the shares on the event days, shape (events, event days)."""
        L1 = len(self.estimation)
        return np.vstack([self.take(rows).returns[:, L1:] for rows in chunks(len(self))])

    @cached_property
    def reach(self) -> IntArray:
        """First and last column of `sessions` of each event's days, (n, 2); -1 without any."""
        out = np.empty((len(self), 2), np.int64)
        beyond = len(self.sessions)
        for rows in chunks(len(self)):
            at = self.take(rows).positions
            first = np.where(at >= 0, at, beyond).min(axis=1)
            out[rows, 0] = np.where(first < beyond, first, -1)
            out[rows, 1] = at.max(axis=1)
        return out

    def take(self, rows: IntArray | BoolArray | slice) -> EventWindows:
        """Return an EventWindows object with some of the events.

        The argument `rows` selects the events: an array of their numbers in this object (the first
        is 0), a boolean mask, or a slice.
        """
        whole = self if self._whole is None else self._whole
        if whole is self and isinstance(rows, slice):
            # A slice of the whole has views of its arrays, no copies.
            of_whole: IntArray | slice = rows
        else:
            of_whole = np.arange(len(whole))[self._rows][rows]
        laying = None if self.laying is None else self.laying.take(rows)
        return EventWindows(self, {}, laying=laying, whole=whole, rows=of_whole)

    def altered(self, **changes: Any) -> EventWindows:
        """Return the windows with some attributes replaced.

        Parameters
        ----------
        **changes
            New values of attributes by name. No other stored attribute may depend on a replaced
            one. A new `positions` also gives the new `event_positions`.
        """
        common = {name: value for name, value in changes.items() if name in OF_THE_STUDY}
        arrays = {name: value for name, value in changes.items() if name in BY_EVENT}
        whole = self if self._whole is None else self._whole
        held = {name: self._array(name) for name in whole._arrays}
        if "positions" in arrays:
            held.pop("event_positions", None)
        return EventWindows(self._in_common(**common), held | arrays, laying=self.laying)

    def _in_common(self, **changes: Any) -> StudyWindows:
        """Return what these windows have in common with all of the study, with changes."""
        return StudyWindows(**{name: getattr(self, name) for name in OF_THE_STUDY} | changes)

    def _on_demand(self, study: StudyWindows, laying: Laying, **arrays: AnyArray) -> EventWindows:
        """Return windows of these events whose days are laid out when they are asked for."""
        held = {name: self._array(name) for name in ALWAYS_KEPT}
        return EventWindows(study, held | arrays, laying=laying)

    def without_gap(self) -> EventWindows:
        """Return the windows with an event window that begins right after the estimation window.

        Raises
        ------
        ConfigError
            If the attribute `source` of these windows is None.
        """
        if self.event.start == self.estimation.stop + 1:
            return self
        if self.source is None:
            raise ConfigError("these windows do not know where their returns came from")
        event = Window(self.estimation.stop + 1, self.event.stop)
        laying = self.source.take(self.source_rows).until(event)
        days = laying.at(event.days)
        study = self._in_common(event=event)
        return self._on_demand(study, laying, event_positions=days, masked=self.masked)

    def index_returns(self) -> tuple[FloatArray, IntArray]:
        """Return the returns of each event's index and the sessions that each return spans.

        The returns and the numbers of sessions are two arrays of shape (n, L1+L2). A missing return
        is NaN. Models without a market use the returns of the index.
        """
        if self.source is None:
            return np.full(self.returns.shape, np.nan), self.length
        laid = self.source.take(self.source_rows).until(self.event).of_market.laid()
        return laid["returns"], laid["length"]

    @property
    def before(self) -> EventWindows:
        """The windows without their event days, or the same windows if all days are in memory."""
        return self if self.laying is None else self._on_demand(self, self.laying.before)

    def without(self, mask: BoolArray) -> EventWindows:
        """Return the windows without the estimation days that a mask of shape (n, L1) selects.

        The method can be called only once. `masked` then counts the left-out days that had a
        return.
        """
        if self.laying is not None:
            laying = replace(self.laying, mask=np.packbits(mask, axis=1))
            return self._on_demand(self, laying)
        L1 = len(self.estimation)
        mask = mask & np.isfinite(self.returns[:, :L1])
        returns = self.returns.copy()
        spans = self.spans.copy()
        length = self.length.copy()
        returns[:, :L1][mask] = np.nan
        spans[:, :L1][mask] = 0
        length[:, :L1][mask] = 0
        n_masked = mask.sum(axis=1)
        return self.altered(returns=returns, spans=spans, length=length, masked=n_masked)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the arrays, and not the panel that they are laid out from."""
        arrays = {name: self._array(name) for name in BY_EVENT}
        return vars(EventWindows(self._in_common(source=None), arrays))


# The arrays with a row for each event, and those of windows whose days are laid out on demand.
BY_EVENT = (
    "returns", "spans", "length", "factors", "positions", "day0", "hours", "calendar", "masked",
    "event_positions", "other_news", "source_rows",
)  # fmt: skip
ALWAYS_KEPT = ("day0", "hours", "calendar", "event_positions", "other_news", "source_rows")
OF_THE_STUDY = tuple(f.name for f in fields(StudyWindows))
# Rows of more bytes are taken again whenever they are asked for: every window has a sample of its
# own, and their copies would be many times the study.
LASTING = 1 << 21


def build_windows(
    panel: ReturnsPanel, *, calendars: list[str], day0: DateArray, rows: IntArray,
    factor_rows: IntArray, estimation: Window, event: Window, lags: Sequence[int] = (),
    keep_spans: bool = False, keep_days: bool = True, halt_drift: int = HALT_DRIFT,
    market_rows: IntArray | None = None,
) -> EventWindows:  # fmt: skip
    """Lay the returns of every event on its windows, counted in sessions of its exchange.

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
    keep_days : bool
        Whether the arrays of days are kept in memory; else they are laid out on demand.
    halt_drift : int
        See :class:`EventWindows`.
    market_rows : (n,) int array, optional
        Rows that hold the index of each event, for a model that has no market among its factors.

    Returns
    -------
    EventWindows
    """
    estimation.require_before(event)
    names, clock = numbered(calendars)
    if market_rows is None:
        market_rows = np.full(len(rows), -1)
    laying = Laying(
        panel, names, clock, places(panel, names, clock, day0), rows, factor_rows,
        np.r_[estimation.days, event.days], len(estimation),
        tuple(lags) or (0,) * factor_rows.shape[1], keep_spans, market_rows,
    )  # fmt: skip
    bases = [name.partition(TRADED)[0] for name in names]
    exchanges, base = numbered(bases)
    hours = np.array([panel.hours.get(name, (0.0, 24.0)) for name in bases]).reshape(-1, 2)
    study = StudyWindows(
        estimation, event, panel.sessions, tuple(panel.calendars[name] for name in exchanges),
        panel.kind, panel.measure, halt_drift, laying,
    )  # fmt: skip
    arrays: dict[str, AnyArray] = {
        "day0": laying.at(np.zeros(1, np.int64))[:, 0], "hours": hours[clock],
        "calendar": base[clock], "other_news": np.zeros((len(rows), 0), dtype=bool),
        "source_rows": np.arange(len(rows)),
    }  # fmt: skip
    if not keep_days:
        arrays["event_positions"] = laying.at(event.days)
        return EventWindows(study, arrays, laying=laying)
    blocks = (laying.take(block) for block in chunks(len(rows)))
    days = ({"positions": block.at(block.days), **block.laid()} for block in blocks)
    return EventWindows(study, arrays | joined(len(rows), days))
