"""Returns of symbols on the sessions of each exchange, from prices or from returns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from ..calendars import Sessions, weekdays_closed
from ..errors import DataError
from ..prices import Prices
from ..quality import LimitRule, Quotes, ReturnKind, SeriesDates, SeriesFault, SeriesFaults
from ..utility import DateArray, FloatArray, IntArray, SmallIntArray, pd
from ..words import make_error
from . import sessions as laying
from .market_notes import find_odd_rows, note_closed_days, note_markets, refuse_dates
from .measures import Measure, compute_measure, explain_lack
from .table import FrameTable


@dataclass(frozen=True, eq=False, repr=False)
class ReturnsPanel:
    """Daily returns of shares and indices on the sessions of their exchanges.

    A symbol is the ticker of a share or an index. The array `values` has one row for each pair of a
    symbol and a trading calendar, and one column for each date in `sessions`.

    Attributes
    ----------
    keys : tuple of (symbol, calendar)
        Symbol and calendar of each row of `values`. An index has several rows if the shares of the
        study trade on several calendars.
    values : (n_rows, T) float array
        Decimal returns. The return of a session is the change from the last known close before the
        session to the close of the session. A missing return is NaN.
    spans : (n_rows, T) int16 or int32 array
        Number of sessions that each return covers. After h sessions without a price, the next
        return covers h + 1 sessions. For a missing return, the number is 0.
    sessions : (T,) datetime64[D] array
        All dates on which at least one exchange is open, in ascending order.
    calendars : mapping of str to int array
        The dates on which the exchange of each calendar is open, as positions in the array
        `sessions`.
    hours : mapping of str to (open, close)
        Usual opening and closing hour of the exchange of each calendar, in UTC.
    kind : {"simple", "log"}
        Whether the returns are simple or logarithmic.
    measure : {"return", "volume", "turnover", "volatility"}
        What `values` has: returns, or logarithms of the daily volume, turnover or volatility.
    failures : mapping of str to str
        For each symbol without a row, the reason why it has none.
    notes : tuple of str
        Messages about the data, for example about prices that the program did not use.
    prices : DataFrame, optional
        The prices from which the returns were computed, with one row per symbol and date.
    faults : tuple of SeriesFault
        The price-data issues that the program found, and what it did about each of them
        (docs/faults.md).
    limits : (n_rows, T) int8 array, optional
        Whether each session closed at a price limit of the exchange: 1 = at the upper limit, -1 =
        at the lower limit, 0 = at none. The number is 2 or -2 if all prices of the session were at
        the limit. The attribute is None if no price limits are known.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> frame = pd.DataFrame({"AMD": [0.01, -0.02]}, index=pd.bdate_range("2022-10-06", periods=2))
    >>> es.ReturnsPanel.from_frame(frame).values
    array([[ 0.01, -0.02]])
    """

    keys: tuple[laying.Key, ...]
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
    requested: Mapping[str, tuple[date, date]] = field(default_factory=dict)
    windows: Mapping[str, Sequence[tuple[date, date]]] = field(default_factory=dict)
    unanswered: frozenset[str] = frozenset()
    provenance: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    limits: SmallIntArray | None = None
    faults: tuple[SeriesFault, ...] = ()
    failures_on: Mapping[laying.Key, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{self.measure}s of {len(self.symbols)} symbols on {len(self.sessions)} sessions>"

    def _repr_html_(self) -> str:
        span = f", {self.sessions[0]} to {self.sessions[-1]}" if len(self.sessions) else ""
        lacking = f"; {len(self.failures)} without data, see failures" if self.failures else ""
        return f"<p>{escape(repr(self)[1:-1] + span + lacking)}</p>"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that have a row in the panel, in order of first appearance."""
        return tuple(dict.fromkeys(symbol for symbol, _ in self.keys))

    def row(self, symbol: str, calendar: str) -> int:
        """Return the row of the array `values` that has the returns of a symbol on a calendar.

        Parameters
        ----------
        symbol, calendar : str
            The ticker and the calendar, as in `keys`.

        Returns
        -------
        int
            The row number; -1 if the symbol has no row on this calendar.
        """
        return self._rows.get((symbol, calendar), -1)

    @cached_property
    def _rows(self) -> dict[laying.Key, int]:
        return {key: i for i, key in enumerate(self.keys)}

    def last_session(self, symbol: str, calendar: str) -> np.datetime64:
        """Return the last date on which a symbol has a return.

        Parameters
        ----------
        symbol, calendar : str
            The ticker and the calendar, as in `keys`.

        Returns
        -------
        datetime64
            The date; NaT if the symbol has no return on this calendar.
        """
        row = self.row(symbol, calendar)
        present = np.flatnonzero(self.spans[row] > 0) if row >= 0 else np.empty(0, np.intp)
        return np.datetime64(self.sessions[present[-1]] if len(present) else "NaT", "D")

    def faults_near(self, symbol: str, first: object, last: object) -> tuple[SeriesFault, ...]:
        """Return the price-data issues of a symbol in a period.

        Parameters
        ----------
        symbol : str
        first, last : date or datetime64
            First and last day of the period, both included.

        Returns
        -------
        tuple of SeriesFault
        """
        return self._faults.near(symbol, first, last)

    @cached_property
    def _faults(self) -> SeriesFaults:
        return SeriesFaults(self.faults)

    @cached_property
    def closed(self) -> dict[str, IntArray]:
        """Weekdays on which an exchange was closed, counted up to each session, shape (T,) each.

        The weekdays up to each column of `sessions` are counted. An exchange has an entry only if
        it was once closed for longer than any holiday.
        """
        out = {}
        for name, columns in self.calendars.items():
            closed = weekdays_closed(self.sessions[columns])
            if closed.any():
                out[name] = np.zeros(len(self.sessions), np.int64)
                out[name][columns] = closed
                out[name] = np.cumsum(out[name])
        return out

    def sessions_of(self, calendars: Sequence[str], days: DateArray) -> DateArray:
        """Return, for each calendar and day, the first session on or after that day.

        Parameters
        ----------
        calendars : sequence of n str
        days : (n,) datetime64 array

        Returns
        -------
        (n,) datetime64 array
            The sessions. A day outside its calendar is returned unchanged.
        """
        out = days.astype("datetime64[D]")
        names = np.array(calendars, dtype=object)
        for name in self.calendars.keys() & set(calendars):
            rows = np.flatnonzero(names == name)
            open_days = self.sessions[self.calendars[name]]
            at, after = (np.searchsorted(open_days, out[rows], side) for side in ("left", "right"))
            is_covered = (at < len(open_days)) & (after > 0)
            out[rows[is_covered]] = open_days[at[is_covered]]
        return out

    def calendar_of(self, exchange: str) -> str:
        """Return the name of the calendar for events on `exchange`.

        The calendar is the calendar of `exchange`. If the panel lacks this calendar, the days of
        the data are the calendar.
        """
        return exchange if exchange in self.calendars else laying.DATA_CALENDAR

    @classmethod
    def from_prices(
        cls, table: pd.DataFrame, *, keys: Iterable[laying.Key], sessions: Mapping[str, Sessions],
        kind: ReturnKind = "simple", measure: Measure = "return",
        shares: Mapping[str, float] | None = None, failures: Mapping[str, str] | None = None,
        st: Collection[str] = (), limits: Sequence[LimitRule] = LimitRule.ALL,
        others: pd.DataFrame | None = None, **extra: object,
    ) -> ReturnsPanel:  # fmt: skip
        """Compute returns from a table of prices that has one row per symbol and date.

        Parameters
        ----------
        table : DataFrame
            Prices in the columns symbol, date, close and adj_close (the close adjusted for
            dividends and splits). To find trading halts and price limits, the program also needs
            the columns open, high, low and volume. A missing price is NaN. If adj_close is empty in
            all rows of a symbol, the program uses the column close.
        keys : iterable of (symbol, calendar)
            The symbol and the calendar of each row to compute. A symbol without prices in `table`
            gets no row.
        sessions : mapping of calendar name to Sessions
            The trading sessions of each calendar. For New York, for example, they are
            ``eventstudy.calendars.Sessions.of("XNYS")``.
        kind : {"simple", "log"}
            Whether to compute simple or logarithmic returns.
        measure : {"return", "volume", "turnover", "volatility"}
            What to compute: returns, or logarithms of the daily volume, turnover or volatility.
        shares : mapping of symbol to float, optional
            Shares outstanding of each symbol, needed for the turnover.
        failures : mapping of symbol to str, optional
            For each symbol without prices in `table`, the reason why it has none. The panel keeps
            these reasons in its attribute `failures`.
        st : collection of str
            Symbols of Chinese shares under special treatment (ST), which have their own price
            limits.
        limits : sequence of LimitRule
            Rules for price limits. To add a rule to the built-in rules, write ``limits=(own,
            *LimitRule.ALL)``, where ``own`` is your rule.
        others : DataFrame, optional
            Prices of the same symbols from other sources. The columns are those of `table`,
            ``source`` (name of the source) and ``is_fill`` (whether the row may fill a gap in
            `table`).
        **extra
            Attributes of the panel that this method does not compute, by name.

        Returns
        -------
        ReturnsPanel

        Raises
        ------
        DataError
            If `table` is empty.
        """
        if table.empty:
            raise make_error(DataError, "wrong.no_price")
        keys = list(keys)
        returns = kind if measure == "return" else None
        firms, series, notes = {symbol for symbol, _ in keys}, {}, list[str]()
        symbols = list(Quotes.by_symbol(table))
        lacking = dict[str, str]()
        seen = list[SeriesFault]()
        prices = [quotes for quotes, _ in symbols]
        if others is not None:
            said = Quotes.of_others(others)
            prices = [replace(quotes, others=said.get(quotes.symbol, ())) for quotes in prices]
        clock = laying.clock_of(prices, sessions, keys)
        homes = laying.home_calendars(keys)
        quotes_of = laying.with_markets(prices, keys, clock, st=st, limits=limits)
        for bare, rows in symbols:
            symbol = bare.symbol
            quotes = quotes_of[symbol]
            days = SeriesDates(quotes.dates, quotes.sessions)
            why = days.explain_swapped()
            moved = laying.moved_prices(quotes)
            if why := why or days.explain_closed(moved, homes.get(symbol, "")):
                lacking[symbol] = why
            elif returns:
                series[symbol] = quotes.dates, quotes.price
                if symbol in firms:
                    seen += SeriesFaults.of(quotes)
                    notes += laying.note_closes(quotes)
            else:
                data = table.iloc[rows], measure, (shares or {}).get(symbol, np.nan)
                series[symbol] = compute_measure(*data)
                if not np.isfinite(series[symbol][1]).any():
                    lacking[symbol] = explain_lack(*data)
        wanted = [key for key in dict.fromkeys(keys) if key[0] in series and key[0] not in lacking]
        shape = len(wanted), len(clock.sessions)
        values = np.full(shape, np.nan)
        states = np.zeros(shape, dtype=np.int8)
        spans = np.zeros(shape, dtype=laying.span_type(shape[1]))
        for i, (symbol, calendar) in enumerate(wanted):
            at = clock.columns[calendar]
            laid = (series[symbol], quotes_of[symbol])
            *row, outside = laying.lay_row(*laid, clock.dates[calendar], returns)
            values[i, at], spans[i, at], states[i, at] = row
            notes += note_closed_days(symbol, calendar, outside, len(quotes_of[symbol].dates))
        origin: Mapping[str, Any] = extra.get("provenance", {})  # type: ignore[assignment]
        sources = {symbol: entry["source"] for symbol, entry in origin.items()}
        faults = SeriesFaults(seen)
        notes += [*faults.notes(), *note_markets(quotes_of, wanted, sessions, sources)]
        has_limits = any(quotes_of[symbol].rules for symbol, _ in wanted)
        return cls(
            keys=tuple(wanted), values=values, spans=spans, sessions=clock.sessions,
            calendars=clock.columns, measure=measure, notes=tuple(notes), faults=faults,
            hours={name: laying.usual_hours(s) for name, s in sessions.items()},
            kind=returns or "simple", prices=table,
            limits=states if has_limits or states.any() else None,
            failures={**(failures or {}), **lacking}, **extra,  # type: ignore[arg-type]
        )  # fmt: skip

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, kind: ReturnKind = "simple",
        keys: Iterable[laying.Key] | None = None, sessions: Mapping[str, Sessions] | None = None,
        **extra: Any,
    ) -> ReturnsPanel:  # fmt: skip
        """Return a panel made from returns that you already have, such as returns from CRSP.

        Parameters
        ----------
        frame : DataFrame
            A table of decimal returns, wide or long. A wide table has one column per symbol,
            and its dates are the row labels (index) or the first column. A long table has the
            columns date, ticker and ret. A missing return is NaN. The program assumes that every
            return covers one session.
        kind : {"simple", "log"}
            Whether the returns in `frame` are simple or logarithmic. The program does not convert
            the returns.
        keys, sessions : optional
            The same as for :meth:`from_prices`. Without `sessions`, every date in `frame` is a
            session. Without `keys`, the panel has a row for each symbol and each calendar.
        **extra
            Attributes of the panel that this method does not compute, by name.

        Returns
        -------
        ReturnsPanel

        Raises
        ------
        DataError
            If `frame` has no returns, two cells for the same ticker and date, or a cell that is not
            a number.
        """
        table = FrameTable(frame)
        if not len(table.dates) or not table.symbols:
            raise make_error(DataError, "wrong.no_return")
        return cls.from_table(table, kind=kind, keys=keys, sessions=sessions, **extra)

    @classmethod
    def from_table(
        cls, table: laying.ReturnsTable, *, kind: ReturnKind = "simple",
        keys: Iterable[laying.Key] | None = None, sessions: Mapping[str, Sessions] | None = None,
        where: str = "returns", failures: Mapping[str, str] | None = None, **extra: object,
    ) -> ReturnsPanel:  # fmt: skip
        """Return a panel from a table of returns that is read a few symbols at a time.

        Parameters
        ----------
        table : ReturnsTable
        kind, keys, sessions : optional
            Arguments as in :meth:`from_frame`.
        where : str
            Name of the file, for messages about its returns.
        failures : mapping of str to str, optional
            Reasons why symbols are not in `table`. The panel adds symbols whose returns are not
            decimals.
        **extra
            Attributes of the panel that this method does not compute, by name.

        Returns
        -------
        ReturnsPanel

        Raises
        ------
        DataError
            If the table has none of the requested rows.
        """
        dates = table.dates
        if not dates.size:
            raise make_error(DataError, "wrong.no_rows", where=where)
        dates_of = {laying.DATA_CALENDAR: dates}
        if sessions is not None:
            ends = dates[0], dates[-1]
            dates_of = {name: laying.between(s.dates, *ends) for name, s in sessions.items()}
        if keys is None:
            keys = [(symbol, name) for name in dates_of for symbol in table.symbols]
        keys = list(keys)
        wanted = [(s, c) for s, c in dict.fromkeys(keys) if s in table.symbols and c in dates_of]
        if not wanted:
            raise make_error(DataError, "wrong.no_return")
        clock = laying.Clock.of(dates_of, keys)
        refuse_dates(dates, clock, where)
        values, outside, verdict = laying.lay_table(table, wanted, clock, kind, where)
        if verdict.failures:
            sound = np.array([symbol not in verdict.failures for symbol, _ in wanted])
            wanted = [key for key in wanted if key[0] not in verdict.failures]
            values = values[sound]
            outside = outside[sound]
        odd = find_odd_rows(values, wanted, clock)
        strays = zip(wanted, outside, strict=True)
        notes = [n for key, k in strays for n in note_closed_days(*key, int(k), len(dates))]
        notes += odd.notes()
        spans = np.isfinite(values, out=np.empty(values.shape, laying.span_type(values.shape[1])))
        return cls(
            keys=tuple(wanted), values=values, spans=spans, sessions=clock.sessions,
            calendars=clock.columns, kind=kind, notes=tuple(notes),
            hours={name: laying.usual_hours(s) for name, s in (sessions or {}).items()},
            notices=tuple(verdict.notices), faults=(*verdict.faults, *odd),
            failures={**(failures or {}), **verdict.failures}, **extra,  # type: ignore[arg-type]
        )  # fmt: skip

    def with_rows(self, rows: Mapping[laying.Key, tuple[FloatArray, IntArray]]) -> ReturnsPanel:
        """Return the panel with one further row of returns for each new key.

        The values and spans of the new rows have one number per session in `sessions`. The new rows
        have no price limits.
        """
        new = {key: row for key, row in rows.items() if key not in self.keys}
        if not new:
            return self
        values = np.vstack([self.values, *(row[0] for row in new.values())])
        spans = np.vstack([self.spans, *(row[1].astype(self.spans.dtype) for row in new.values())])
        limits = None if self.limits is None else np.pad(self.limits, ((0, len(new)), (0, 0)))
        return replace(self, keys=(*self.keys, *new), values=values, spans=spans, limits=limits)

    def with_factors(self, frame: pd.DataFrame, prefix: str) -> ReturnsPanel:
        """Return the panel with a row for each factor of a table on each calendar.

        A factor is compounded over the sessions of the calendar. If the market of the factor was
        closed on some sessions of the calendar, the next value of the factor spans all sessions
        since its last value.

        Parameters
        ----------
        frame : DataFrame
            Decimal returns of the factors, with dates as index and one column per factor.
        prefix : str
            Text that the symbol of each factor begins with.

        Returns
        -------
        ReturnsPanel
        """
        rows, T = {}, len(self.sessions)
        for calendar, columns in self.calendars.items():
            laid = laying.factor_rows(frame, self.sessions[columns], self.kind)
            for name, (values, spans) in laid.items():
                row = rows[f"{prefix}{name}", calendar] = np.full(T, np.nan), np.zeros(T, np.int64)
                row[0][columns], row[1][columns] = values, spans
        return self.with_rows(rows)

    def with_portfolios(self, keys: Iterable[laying.Key]) -> ReturnsPanel:
        """Return the panel with a portfolio row for each key whose symbol has the form ``A;B;C``.

        The portfolio gives equal weights to its members. The return of the portfolio is the mean
        return of the members that have a row and a return over one session.
        """
        rows = {}
        for text, calendar in dict.fromkeys(key for key in keys if ";" in key[0]):
            members = np.array([self.row(symbol.strip(), calendar) for symbol in text.split(";")])
            members = members[members >= 0]
            if len(members):
                values = np.where(self.spans[members] == 1, self.values[members], np.nan)
                rows[text, calendar] = laying.equal_weight(values, self.kind)
        return self.with_rows(rows)
