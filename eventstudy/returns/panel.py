"""Returns of symbols on the sessions of each exchange, from prices or from what the user holds
already."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ..calendars.exchanges import EXCHANGES, exchange_of
from ..errors import DataError
from ..prices.quality.fault_kinds import Fault, faults_of, near, notes_of
from ..prices.quality.price_limits import LIMITS, LimitRule, rules_of
from ..prices.quality.quotes import NO_DATES, Quotes, by_symbol
from ..utility.typing import DateArray, FloatArray, IntArray, Measure, ReturnKind, SmallIntArray
from .closes import usable_closes
from .measures import lack, measured
from .sessions import between, break_at, compounded, on_sessions, returns_of, usual_hours
from .table import FrameTable, Key, ReturnsTable, laid_out

if TYPE_CHECKING:
    import pandas as pd

    from ..calendars.sessions import Sessions
    from ..prices import Prices

DATA_CALENDAR = "data"
# The calendar that each exchange keeps: Shenzhen's is Shanghai's.
CLOCKS = {e.code: e.calendar for e in EXCHANGES.values() if e.calendar}


@dataclass(frozen=True, eq=False, repr=False)
class ReturnsPanel:
    """Decimal returns of every symbol on the union of all sessions, symbol-major.

    Attributes
    ----------
    keys : tuple of (symbol, calendar)
        What each row holds. One symbol has a row for each calendar that it is needed on: an index
        that serves two exchanges is compounded over the sessions of each.
    values : (n_rows, T) float array
        Decimal returns; the return stamped t runs from the last observed close to the close of t.
        NaN = missing, never 0.
    spans : (n_rows, T) int16 or int32 array
        Sessions that each return spans: 1 normally, h+1 after h missing sessions, 0 where missing.
    sessions : (T,) datetime64[D] array
    calendars : mapping of str to int array
        Columns of `sessions` on which each calendar is open.
    hours : mapping of str to (open, close)
        Usual opening hours in UTC, for exchanges that are never open together.
    kind : {"simple", "log"}
        Of returns.
    measure : {"return", "volume", "turnover", "volatility"}
        What the values are; all but returns are logarithms, each of one session.
    failures : mapping of str to str
        Why a symbol that was asked for has no row.
    notes : tuple of str
        What was put aside while the panel was built.
    prices : DataFrame, optional
        The long table that the returns were made of.
    fetched : Prices, optional
        What the source of prices answered, failures included.
    asked : mapping of str to (first, last)
        The days that it was asked for each symbol.
    unanswered : frozenset of str
        Symbols that it did not answer for: another index is no stand-in for one of these.
    faults : tuple of Fault
        Every fault that was seen in the prices or returns, and what was done about it
        (docs/faults.md).
    limits : (n_rows, T) int8 array, optional
        +1 or -1 where a close is at the upper or lower price limit, +2 or -2 where nothing was
        traded at another price, 0 elsewhere; None where no symbol has a limit that is known.
    """

    keys: tuple[Key, ...]
    values: FloatArray
    spans: SmallIntArray
    sessions: DateArray
    calendars: Mapping[str, IntArray]
    hours: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    kind: ReturnKind = "simple"
    measure: Measure = "return"
    failures: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    prices: pd.DataFrame | None = None
    fetched: Prices | None = None
    asked: Mapping[str, tuple[date, date]] = field(default_factory=dict)
    unanswered: frozenset[str] = frozenset()
    provenance: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    limits: SmallIntArray | None = None
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", {key: i for i, key in enumerate(self.keys)})

    def __repr__(self) -> str:
        return f"<{self.measure}s of {len(self.symbols)} symbols on {len(self.sessions)} sessions>"

    def _repr_html_(self) -> str:
        span = f", {self.sessions[0]} to {self.sessions[-1]}" if len(self.sessions) else ""
        lacking = f"; without data: {', '.join(self.failures)}" if self.failures else ""
        return f"<p>{escape(repr(self)[1:-1] + span + lacking)}</p>"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that have a row, in order of first appearance."""
        return tuple(dict.fromkeys(symbol for symbol, _ in self.keys))

    def row(self, symbol: str, calendar: str) -> int:
        """Return the row of `symbol` on `calendar`, or -1."""
        rows: dict[Key, int] = self.__dict__["_rows"]
        return rows.get((symbol, calendar), -1)

    def last_session(self, symbol: str, calendar: str) -> np.datetime64:
        """Return the last session on which `symbol` has a return, or NaT."""
        row = self.row(symbol, calendar)
        seen = np.flatnonzero(self.spans[row] > 0) if row >= 0 else np.empty(0, np.intp)
        return np.datetime64(self.sessions[seen[-1]] if len(seen) else "NaT", "D")

    def faults_near(self, symbol: str, first: object, last: object) -> tuple[Fault, ...]:
        """Return the faults of a symbol that touch the days from `first` to `last`, both
        inclusive."""
        by_symbol: dict[str, list[Fault]] = self.__dict__.get("_faults", {})
        if not by_symbol:
            for fault in self.faults:
                by_symbol.setdefault(fault.symbol, []).append(fault)
            object.__setattr__(self, "_faults", by_symbol)
        return near(by_symbol.get(symbol, ()), first, last)

    def sessions_of(self, calendars: Sequence[str], days: DateArray) -> DateArray:
        """Return the first session of each calendar on or after its day, (n,); that day if there is
        none."""
        out, names = days.astype("datetime64[D]"), np.array(calendars, dtype=object)
        for name in dict.fromkeys(calendars):
            mine = np.flatnonzero(names == name)
            own = self.sessions[self.calendars.get(name, np.empty(0, np.int64))]
            at = np.searchsorted(own, out[mine])
            known = at < len(own)
            out[mine[known]] = own[at[known]]
        return out

    def session_of(self, calendar: str, day: np.datetime64) -> np.datetime64:
        """Return the first session of a calendar on or after `day`; `day` itself where there is
        none."""
        return self.sessions_of([calendar], np.array([day]))[0]  # type: ignore[no-any-return]

    def calendar_of(self, exchange: str) -> str:
        """Return the calendar that events of `exchange` run on: its own, or the data's."""
        return exchange if exchange in self.calendars else DATA_CALENDAR

    @classmethod
    def from_prices(
        cls,
        table: pd.DataFrame,
        *,
        keys: Iterable[Key],
        sessions: Mapping[str, Sessions],
        kind: ReturnKind = "simple",
        measure: Measure = "return",
        shares: Mapping[str, float] | None = None,
        failures: Mapping[str, str] | None = None,
        st: Collection[str] = (),
        limits: Sequence[LimitRule] = LIMITS,
        **extra: object,
    ) -> ReturnsPanel:
        """Build the panel from a long table of prices.

        Parameters
        ----------
        table : DataFrame
            Columns symbol, date, close, adj_close, and for halts and price limits open, high, low,
            volume; NaN = no price. A symbol whose adj_close is blank throughout is used at its
            close.
        keys : iterable of (symbol, calendar)
            The rows wanted; symbols absent from `table` get none.
        sessions : mapping of calendar name to Sessions
        kind : {"simple", "log"}
        measure : {"return", "volume", "turnover", "volatility"}
        shares : mapping of symbol to float, optional
            Shares outstanding, for the turnover.
        failures : mapping of symbol to str, optional
            Why symbols are not in `table`. Those whose prices do not have the measure are added.
        st : collection of str
            Symbols under special treatment, which have limits of their own.
        limits : sequence of LimitRule
            Price limits; own rules go before those of ``eventstudy.limits.LIMITS``.
        """
        if table.empty:
            raise DataError("there is no price at all", remedy="see the reason of each ticker")
        keys = list(keys)
        firms = {symbol for symbol, _ in keys}
        series, notes, lacking, faults = {}, [], {}, list[Fault]()
        found = {name: (quotes, rows) for name, quotes, rows in by_symbol(table)}
        first = min(quotes.dates[0] for quotes, _ in found.values())
        last = max(quotes.dates[-1] for quotes, _ in found.values())
        dates_of = {name: between(s.dates, first, last) for name, s in sessions.items()}
        homes = _homes(keys)
        for symbol, (plain, rows) in found.items():
            quotes = replace(
                plain, sessions=dates_of.get(homes.get(symbol, ""), NO_DATES),
                rules=rules_of(symbol, limits, st=symbol in st),
            )  # fmt: skip
            found[symbol] = quotes, rows
            if measure == "return":
                series[symbol], own = usable_closes(quotes)
                faults += faults_of(quotes) if symbol in firms else ()
                notes += own if symbol in firms else []
            else:
                part, number = table.iloc[rows], (shares or {}).get(symbol, np.nan)
                series[symbol] = measured(part, measure, number)
                if not np.isfinite(series[symbol][1]).any():
                    lacking[symbol] = lack(part, measure, number)
        union = np.unique(np.concatenate(list(dates_of.values())))
        calendars = {name: np.searchsorted(union, dates) for name, dates in dates_of.items()}
        wanted = [key for key in dict.fromkeys(keys) if key[0] in series and key[0] not in lacking]
        values = np.full((len(wanted), len(union)), np.nan)
        spans = np.zeros((len(wanted), len(union)), dtype=_whole(len(union)))
        states = np.zeros((len(wanted), len(union)), dtype=np.int8)
        known = any(found[symbol][0].rules for symbol, _ in wanted)
        for i, (symbol, calendar) in enumerate(wanted):
            quotes, days, at = found[symbol][0], dates_of[calendar], calendars[calendar]
            price, outside = on_sessions(*series[symbol], days)
            level = measure != "return"
            laid = (
                (price, np.isfinite(price).astype(np.int64))
                if level
                else returns_of(price, kind=kind)
            )
            if not level:
                break_at(*laid, days, quotes.broken)
            values[i, at], spans[i, at] = laid
            if quotes.rules:
                states[i, at] = on_sessions(
                    quotes.dates, quotes.limits.state.astype(float), days, 0.0
                )[0]
            notes += _put_aside(symbol, calendar, outside)
        return cls(
            keys=tuple(wanted), values=values, spans=spans, sessions=union, calendars=calendars,
            hours={name: usual_hours(s) for name, s in sessions.items()}, measure=measure,
            kind=kind if measure == "return" else "simple", prices=table, faults=tuple(faults),
            notes=(*notes, *notes_of(faults), *_judged(found, wanted)),
            limits=states if known else None,
            failures={**(failures or {}), **lacking}, **extra,  # type: ignore[arg-type]
        )  # fmt: skip

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        kind: ReturnKind = "simple",
        keys: Iterable[Key] | None = None,
        sessions: Mapping[str, Sessions] | None = None,
        **extra: Any,
    ) -> ReturnsPanel:
        """Build the panel from returns that the user holds already (CRSP, Datastream ...).

        Parameters
        ----------
        frame : DataFrame
            Wide (dates as index or first column, one column a symbol) or long (date, ticker, ret);
            decimal returns, NaN = missing. Every return is taken to span one session.
        kind : {"simple", "log"}
            What the returns are; they are not converted.
        keys, sessions : optional
            As in :meth:`from_prices`. Without them the sessions are the dates of the data.
        """
        table = FrameTable(frame)
        if not len(table.dates) or not table.symbols:
            raise DataError(
                "there is no return at all", remedy="give dates x tickers, or date, ticker, ret"
            )
        return cls.from_table(table, kind=kind, keys=keys, sessions=sessions, **extra)

    @classmethod
    def from_table(
        cls,
        table: ReturnsTable,
        *,
        kind: ReturnKind = "simple",
        keys: Iterable[Key] | None = None,
        sessions: Mapping[str, Sessions] | None = None,
        where: str = "returns",
        failures: Mapping[str, str] | None = None,
        **extra: object,
    ) -> ReturnsPanel:
        """Build the panel as :meth:`from_frame` does, from a table that is read some symbols at a
        time.

        Parameters
        ----------
        table : ReturnsTable
        kind, keys, sessions : optional
            As in :meth:`from_frame`.
        where : str
            The file, for what is said of its faults.
        failures : mapping of str to str, optional
            Why symbols are not in `table`. Those whose returns are no decimals are added.
        """
        dates = table.dates
        if sessions is None:
            dates_of = {DATA_CALENDAR: dates}
        else:
            dates_of = {name: between(s.dates, dates[0], dates[-1]) for name, s in sessions.items()}
        if keys is None:
            keys = [(symbol, name) for name in dates_of for symbol in table.symbols]
        wanted = [
            key for key in dict.fromkeys(keys) if key[0] in table.symbols and key[1] in dates_of
        ]
        if not wanted:
            raise DataError(
                "there is no return at all", remedy="give dates x tickers, or date, ticker, ret"
            )
        union = np.unique(np.concatenate(list(dates_of.values())))
        calendars = {name: np.searchsorted(union, own) for name, own in dates_of.items()}
        values, outside, verdict = laid_out(
            table, wanted, dates_of, calendars, len(union), kind, where
        )
        if verdict.failures:
            sound = np.array([symbol not in verdict.failures for symbol, _ in wanted])
            wanted = [key for key in wanted if key[0] not in verdict.failures]
            values, outside = values[sound], outside[sound]
        notes = [
            note
            for key, n in zip(wanted, outside, strict=True)
            for note in _put_aside(*key, int(n))
        ]
        hours = {name: usual_hours(s) for name, s in (sessions or {}).items()}
        spans = np.isfinite(values, out=np.empty(values.shape, _whole(len(union))))
        return cls(
            keys=tuple(wanted), values=values, spans=spans, sessions=union, calendars=calendars,
            hours=hours,
            kind=kind, notes=tuple(notes), notices=tuple(verdict.notices), faults=verdict.faults,
            failures={**(failures or {}), **verdict.failures}, **extra,  # type: ignore[arg-type]
        )  # fmt: skip

    def with_rows(self, rows: Mapping[Key, tuple[FloatArray, IntArray]]) -> ReturnsPanel:
        """Return the panel with further rows: (values, spans) on `sessions` for each key it does
        not have.

        No price limit is known for them.
        """
        new = {key: own for key, own in rows.items() if key not in self.keys}
        if not new:
            return self
        values, spans = (
            np.vstack([old, *(own[j].astype(old.dtype) for own in new.values())])
            for j, old in enumerate((self.values, self.spans))
        )
        none = np.zeros((len(new), len(self.sessions)), dtype=np.int8)
        limits = None if self.limits is None else np.vstack([self.limits, none])
        return replace(self, keys=(*self.keys, *new), values=values, spans=spans, limits=limits)

    def with_factors(self, frame: pd.DataFrame, prefix: str) -> ReturnsPanel:
        """Return the panel with the columns of a factor table (dates x factors, decimal) on each
        calendar.

        A factor is compounded over the sessions of the calendar; where its own market was closed
        the next value spans the sessions since the last one.
        """
        dates = frame.index.to_numpy().astype("datetime64[D]")
        rows = {}
        for calendar, own in self.calendars.items():
            for name in frame.columns:
                values, spans = (
                    np.full(len(self.sessions), np.nan),
                    np.zeros(len(self.sessions), np.int64),
                )
                simple = frame[name].to_numpy(float)
                taken = np.log1p(simple) if self.kind == "log" else simple
                values[own], _ = compounded(dates, taken, self.sessions[own], self.kind)
                seen = np.flatnonzero(np.isfinite(values[own]))
                spans[own[seen]] = np.diff(seen, prepend=seen[:1] - 1)
                rows[f"{prefix}{name}", calendar] = (values, spans)
        return self.with_rows(rows)

    def with_portfolios(self, keys: Iterable[Key]) -> ReturnsPanel:
        """Return the panel with an equal-weight portfolio for each key whose symbol is ``A;B;C``.

        Its return is the mean over the members that have a return of one session; members without a
        row are left out.
        """
        rows = {}
        for text, calendar in dict.fromkeys(key for key in keys if ";" in key[0]):
            own = np.array([self.row(symbol.strip(), calendar) for symbol in text.split(";")])
            own = own[own >= 0]
            if len(own):
                values = np.where(self.spans[own] == 1, self.values[own], np.nan)
                rows[text, calendar] = _equal_weight(
                    np.expm1(values) if self.kind == "log" else values, self.kind
                )
        return self.with_rows(rows)


def _equal_weight(values: FloatArray, kind: ReturnKind) -> tuple[FloatArray, IntArray]:
    """Return the mean of simple returns (m, T) over the members present, and where there is one."""
    count = np.isfinite(values).sum(axis=0)
    mean = np.where(count > 0, np.nansum(values, axis=0) / np.maximum(count, 1), np.nan)
    return (np.log1p(mean) if kind == "log" else mean), (count > 0).astype(np.int64)


def _whole(longest: int) -> type[np.signedinteger[Any]]:
    """Return the type of the spans of a panel with so many sessions."""
    return np.int16 if longest <= np.iinfo(np.int16).max else np.int32


def _homes(keys: Iterable[Key]) -> dict[str, str]:
    """Return the calendar of each symbol's own exchange, or of the data; none for what has no
    exchange."""
    return {
        symbol: calendar
        for symbol, calendar in keys
        if calendar == DATA_CALENDAR
        or ("=" not in symbol and _clock(symbol) == CLOCKS.get(calendar, ""))
    }


def _clock(symbol: str) -> str | None:
    try:
        exchange = exchange_of(symbol)
    except DataError:
        return None
    return exchange.calendar if exchange else None


def _judged(found: Mapping[str, tuple[Quotes, IntArray]], keys: Iterable[Key]) -> list[str]:
    """Say for which symbols price limits were judged from returns."""
    symbols = dict.fromkeys(symbol for symbol, _ in keys)
    approx = [s for s in symbols if found[s][0].rules and found[s][0].limits.approx.any()]
    if not approx:
        return []
    names = ", ".join(approx[:3]) + ", ..." * (len(approx) > 3)
    return [f"price limits judged from returns (approx), as closes are not those quoted: {names}"]


def _put_aside(symbol: str, calendar: str, outside: int) -> list[str]:
    values = "value" if outside == 1 else "values"
    return [f"{symbol}: {outside} {values} on days that {calendar} was closed"] if outside else []
