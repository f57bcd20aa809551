"""Windows in event time, and the returns and factors of every event laid out on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..calendars import Window
from ..errors import ConfigError, TooManyError
from ..quality import ReturnKind
from ..returns import Measure
from ..utility import HOLDABLE, BoolArray, DateArray, FloatArray, IntArray, chunks, joined
from .alignment import TRADED, Laying, numbered, places

if TYPE_CHECKING:
    from ..returns import ReturnsPanel


# A halt of up to a week counts alpha for all of its sessions, a longer one for a week.
HALT_DRIFT = 5


@dataclass(frozen=True, eq=False)
class EventWindows:
    """Returns and factors of n events on the estimation and event windows.

    Attributes
    ----------
    estimation, event : Window
        Windows of length L1 and L2; the columns below are the L1 days followed by the L2 days.
    returns : (n, L1+L2) float array
        Decimal returns, NaN where missing. In the event window a return that follows h missing
        sessions spans h+1 sessions; in the estimation window such returns are NaN unless the model
        asks for them.
    spans : (n, L1+L2) int array
        Days of the event's clock that each return spans; 0 where missing.
    length : (n, L1+L2) int array
        Sessions that each return spans (n in docs/methods/missing-days.md): the same, unless
        halted sessions have left the clock.
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
        Estimation days with a return that were left out for further events of the firm.
    laying : Laying, optional
        Lays the arrays of days out on demand; None where they are kept in memory.
    event_positions : (n, L2) int array
        The event days of `positions`; always kept.
    halt_drift : int
        Most sessions of a return over a halt for which :attr:`drift` counts.
    source : Laying, optional
        Where the returns of the study were laid out from; it lays out other days of its events.
    source_rows : (n,) int array
        Rows of these events there.
    other_news : (n, G+L2) bool array
        Days from the end of the estimation window on that lie in the event window of another event
        of the firm; of no columns where nobody has looked.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["NVDA", "AMD"], "announced_at": ["2022-10-07"] * 2})
    >>> windows = es.run_study(news, es.StudyConfig(prices="sample")).abnormal.windows
    >>> isinstance(windows, es.EventWindows), windows.returns.shape
    (True, (2, 241))
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
    other_news: BoolArray = field(default_factory=lambda: np.zeros((0, 0), bool))
    source_rows: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    laying: Laying | None = None
    source: Laying | None = None
    halt_drift: int = HALT_DRIFT

    if TYPE_CHECKING:
        event_positions: IntArray = field(init=False)

    def __post_init__(self) -> None:
        if len(self.masked) != len(self.returns):
            object.__setattr__(self, "masked", np.zeros(len(self.returns), np.int64))
        if len(self.other_news) != len(self.returns):
            object.__setattr__(self, "other_news", np.zeros((len(self.returns), 0), bool))
        if len(self.source_rows) != len(self.returns):
            object.__setattr__(self, "source_rows", np.arange(len(self.returns)))

    def __len__(self) -> int:
        return len(self.day0)

    @property
    def dates(self) -> DateArray:
        """Session of each event-window day, shape (n, L2); NaT beyond the data."""
        pos = self.event_positions
        return np.where(pos >= 0, self.sessions[pos], np.datetime64("NaT", "D"))

    @property
    def drift(self) -> IntArray:
        """Sessions of each return that count for alpha, shape (n, L1+L2).

        All of its sessions, at least 1; `halt_drift` at most where halted sessions have left the
        clock (docs/methods/missing-days.md).
        """
        bridges = (self.length > self.spans) & (self.length > self.halt_drift)
        return np.where(bridges, self.halt_drift, np.maximum(self.length, 1))

    @property
    def keeps_days(self) -> bool:
        """Whether the arrays of days are kept in memory, and not laid out on demand."""
        return self.laying is None

    @property
    def estimation_positions(self) -> IntArray:
        """The estimation days of `positions`, (n, L1)."""
        if self.laying is None:
            return self.positions[:, : len(self.estimation)]
        before = self.laying.before
        return before.at(before.days)

    @property
    def event_returns(self) -> FloatArray:
        """The event days of `returns`, (n, L2)."""
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
        """Return the windows of some events, by position, mask or slice."""
        whole: EventWindows = vars(self).get("_whole", self)
        of_whole = rows
        if whole is not self or not isinstance(rows, slice):
            positions = np.arange(len(whole))[vars(self).get("_rows", slice(None))]
            of_whole = positions[rows]
        held = {name: array for name, array in vars(self).items() if name in OF_THE_STUDY}
        laying = None if self.laying is None else self.laying.take(rows)
        return EventWindows.holding(**held, laying=laying, _whole=whole, _rows=of_whole)

    @classmethod
    def holding(cls, **held: Any) -> EventWindows:
        """Return windows that hold just this, and take or lay out the rest when it is asked for."""
        new = object.__new__(cls)
        vars(new).update(held)
        return new

    def altered(self, **changes: Any) -> EventWindows:
        """Return the windows with other fields, on which nothing else that they hold depends."""
        return EventWindows.holding(**vars(self) | changes)

    def without_gap(self) -> EventWindows:
        """Return the windows with event days from the end of the estimation window on.

        Raises
        ------
        ConfigError
            If these windows do not know where their returns came from.
        """
        if self.event.start == self.estimation.stop + 1:
            return self
        if self.source is None:
            raise ConfigError("these windows do not know where their returns came from")
        event = Window(self.estimation.stop + 1, self.event.stop)
        laying = self.source.take(self.source_rows).until(event)
        held = {name: getattr(self, name) for name in ALWAYS_KEPT}
        held |= {"event": event, "event_positions": laying.at(event.days)}
        return EventWindows.holding(**held, laying=laying, masked=self.masked)

    def index_returns(self) -> tuple[FloatArray, IntArray]:
        """Return the returns of the index of each event on these days, and their sessions, (n, L).

        Of a model that has no market; NaN where the index has no return.
        """
        if self.source is None:
            return np.full(self.returns.shape, np.nan), self.length
        laid = self.source.take(self.source_rows).until(self.event).of_market.laid()
        return laid["returns"], laid["length"]

    @property
    def before(self) -> EventWindows:
        """The windows without their event days, unless all are kept in memory."""
        return self if self.laying is None else self.altered(laying=self.laying.before)

    def without(self, mask: BoolArray) -> EventWindows:
        """Return the windows without some estimation days (n, L1), to be called once.

        `masked` counts the days left out that had a return.
        """
        if self.laying is not None:
            held = {name: getattr(self, name) for name in ALWAYS_KEPT}
            return EventWindows.holding(
                **held, laying=replace(self.laying, mask=np.packbits(mask, axis=1))
            )
        L1 = len(self.estimation)
        mask = mask & np.isfinite(self.returns[:, :L1])
        returns = self.returns.copy()
        spans = self.spans.copy()
        length = self.length.copy()
        returns[:, :L1][mask], spans[:, :L1][mask], length[:, :L1][mask] = np.nan, 0, 0
        return replace(self, returns=returns, spans=spans, length=length, masked=mask.sum(axis=1))

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the arrays, and not the panel that they are laid out from."""
        held = {name: getattr(self, name) for name in (*OF_THE_STUDY, *BY_EVENT)}
        return {**held, "laying": None, "source": None}

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Return an array by event that these windows take from the whole, or lay out."""
            if name not in BY_EVENT:
                raise AttributeError(f"event windows have no {name}")
            whole = vars(self).get("_whole")
            if whole is None or name not in vars(whole):
                return self._laid_out(name)
            array = vars(whole)[name][vars(self)["_rows"]]
            if array.nbytes <= LASTING:
                vars(self)[name] = array
            return array

    def _laid_out(self, name: str) -> Any:
        """Lay out the array `name`, and keep it.

        Raises
        ------
        TooManyError
            If the days of so many events do not fit into memory.
        """
        if name == "event_positions":
            vars(self)[name] = self.positions[:, len(self.estimation) :]
            return vars(self)[name]
        if self.laying is None:
            raise AttributeError(f"these event windows have no {name}")
        if len(self) > HOLDABLE:
            problem = f"needs the estimation days of {len(self):,} events at once"
            raise TooManyError(problem, remedy=f"at most {HOLDABLE:,} fit in memory")
        if name == "positions":
            vars(self)[name] = self.laying.at(self.laying.days)
        else:
            vars(self).update(self.laying.laid())
        return vars(self)[name]


# The arrays with a row for each event, and what all events of a study have in common.
BY_EVENT = (
    "returns", "spans", "length", "factors", "positions", "day0", "hours", "calendar", "masked",
    "event_positions", "other_news", "source_rows",
)  # fmt: skip
OF_THE_STUDY = (
    "estimation", "event", "sessions", "calendars", "kind", "measure", "halt_drift", "source",
)  # fmt: skip
# Rows of more bytes are taken again whenever they are asked for: every window has a sample of its
# own, and their copies would be many times the study.
LASTING = 1 << 21
# The fields of windows whose days are laid out on demand.
ALWAYS_KEPT = (
    *OF_THE_STUDY, "day0", "hours", "calendar", "event_positions", "other_news", "source_rows",
)  # fmt: skip


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
    keep_days: bool = True,
    halt_drift: int = HALT_DRIFT,
    market_rows: IntArray | None = None,
) -> EventWindows:
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
    held: dict[str, Any] = {
        "estimation": estimation, "event": event, "day0": laying.at(np.zeros(1, np.int64))[:, 0],
        "sessions": panel.sessions, "hours": hours[clock], "calendar": base[clock],
        "kind": panel.kind,
        "calendars": tuple(panel.calendars[name] for name in exchanges), "measure": panel.measure,
        "halt_drift": halt_drift, "source": laying,
    }  # fmt: skip
    if not keep_days:
        nobody_looked = np.zeros((len(rows), 0), dtype=bool)
        held |= {"event_positions": laying.at(event.days), "other_news": nobody_looked}
        held |= {"source_rows": np.arange(len(rows))}
        return EventWindows.holding(**held, laying=laying)
    blocks = (laying.take(block) for block in chunks(len(rows)))
    arrays = ({"positions": block.at(block.days), **block.laid()} for block in blocks)
    return EventWindows(**held, **joined(len(rows), arrays))
