"""Returns on the sessions of exchanges: from closes, tables and factors to rows of a panel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..calendars import CalendarChoice, Exchange, Sessions, Symbol
from ..quality import Gate, LimitRule, Market, Quotes, ReturnKind, SeriesDates, Verdict
from ..utility import BoolArray, DateArray, FloatArray, IntArray, pd
from ..words import Reason

Key = tuple[str, str]
DaysOf = Callable[[str], tuple[DateArray, BoolArray]]
DATA_CALENDAR = "data"
# What the gate saw in a frame of factors is in its `attrs` by this name, as JSON: Parquet keeps it.
GATE = "eventstudy.gate"
# The calendar that each exchange keeps: Shenzhen's is Shanghai's.
CLOCKS = {e.code: e.calendar for e in Exchange.all() if e.calendar}
# Symbols that prove together that an exchange was closed.
SEVERAL = 3
NO_DAYS: DateArray = np.empty(0, "datetime64[D]")
# Time zone of sessions whose exchange is not known.
NO_ZONE = "UTC"


def build_sessions(
    keys: list[tuple[str, str]], available: Collection[str], days_of: DaysOf,
    calendar: CalendarChoice, benchmarks: set[str],
) -> dict[str, Sessions]:  # fmt: skip
    """Return the sessions of each calendar: those of the exchange, or the dates of its symbols.

    Beyond the sessions that an exchange has published, the dates of its symbols are its sessions as
    far as they go.

    Parameters
    ----------
    keys : list of (symbol, calendar)
    available : collection of str
        Symbols that have data.
    days_of : callable
        Gives the days with data of a symbol, (n,), and on which of them nothing changed.
    calendar : {"exchange", "data"}
    benchmarks : set of str
        Symbols whose days are sessions.
    """
    out = {}
    for name in dict.fromkeys(c for _, c in keys):
        usual = Sessions.of(CLOCKS[name]) if name in CLOCKS else None
        symbols = [symbol for symbol, c in keys if c == name and symbol in available]
        if usual is not None and calendar == "exchange":
            symbols = [symbol for symbol in symbols if _is_at_home(symbol, name)]
            reached = [days_of(symbol)[0] for symbol in symbols]
            is_outlasted = any(usual.is_assumed(days[[0, -1]]).any() for days in reached)
            days = _market_days(days_of, symbols, benchmarks) if is_outlasted else NO_DAYS
            out[name] = usual.observed(days)
        elif len(days := _market_days(days_of, symbols, benchmarks)):
            zone = usual.tz if usual else NO_ZONE
            out[name] = Sessions.of_days(name, zone, days, usual)
    return out


def _market_days(days_of: DaysOf, symbols: list[str], benchmarks: set[str]) -> DateArray:
    """Return the days on which a market was open, judged by the prices of its symbols.

    With a benchmark: its days, and those on which more than half of the firms that are listed have
    a price. A stray price on a Sunday is no session. Without one: all days. A day on which all of
    several symbols repeat the day before is a holiday that was filled in.
    """
    ends = [listing[[0, -1]] for s in symbols if len(listing := days_of(s)[0])]
    if not ends:
        return NO_DAYS
    first = np.min(ends)
    days: DateArray = np.arange(first, np.max(ends) + np.timedelta64(1, "D"))
    index = np.zeros(len(days), dtype=bool)
    present = np.zeros(len(days), np.int64)
    listed = np.zeros(len(days) + 1, np.int64)
    with_row = np.zeros(len(days), np.int64)
    repeated = np.zeros(len(days), np.int64)
    for symbol in symbols:
        dates, is_same = days_of(symbol)
        at = (dates - first).astype(np.int64)
        with_row[at] += 1
        repeated[at[is_same]] += 1
        if symbol in benchmarks:
            index[at] = True
        elif len(at):
            present[at] += 1
            listed[at[[0, -1]] + (0, 1)] += (1, -1)
    is_open = present > 0
    if any(symbol in benchmarks for symbol in symbols):
        is_open = index | (present > np.cumsum(listed)[:-1] / 2)
    return days[is_open & ((with_row < SEVERAL) | (repeated < with_row))]


def days_of_prices(table: pd.DataFrame) -> DaysOf:
    """Return what gives the days of the rows of a symbol, and on which of them nothing changed.

    Parameters
    ----------
    table : DataFrame
        Columns symbol, date, close, adj_close and volume; the dates of a symbol ascend.
    """
    rows_of = table.groupby("symbol").indices

    def days(symbol: str) -> tuple[DateArray, BoolArray]:
        rows = table.iloc[rows_of[symbol]]
        values = rows[["close", "adj_close", "volume"]].to_numpy()
        has_price = np.isfinite(values[:, :2]).any(axis=1)
        changes = np.diff(np.nan_to_num(values[has_price]), axis=0, prepend=np.nan)
        is_same = np.ones(len(rows), dtype=bool)
        is_same[has_price] = (changes == 0).all(axis=1)
        return rows["date"].to_numpy().astype("datetime64[D]"), is_same

    return days


def note_closes(quotes: Quotes) -> list[str]:
    """Return notes on the closes of one symbol that are used.

    Unadjusted closes are used if there is no adjusted one at all. Prices that are not positive are
    missing, and so is a close that repeats the last one on a day without volume, if the symbol has
    volume on other days: nothing was traded, the price is stale (docs/methods/missing-days.md). So
    is a price far off the others for some days (docs/faults.md).
    """
    symbol, notes = quotes.symbol, list[str]()
    if not quotes.adjusted and np.isfinite(quotes.close).any():
        notes.append(Reason("unadjusted", symbol=symbol))
    elif blank := int((np.isfinite(quotes.close) & ~np.isfinite(quotes.adj_close)).sum()):
        notes.append(Reason("blank_adjusted", symbol=symbol, n=blank))
    if count := int(quotes.stale.sum()):
        notes.append(Reason("no_trade", symbol=symbol, n=count))
    return notes


def returns_of(price: FloatArray, *, kind: ReturnKind = "simple") -> tuple[FloatArray, IntArray]:
    """Return the returns of one price series and the sessions that each spans.

    Parameters
    ----------
    price : (T,) float array
        Closes on consecutive sessions; NaN = no trade.
    kind : {"simple", "log"}

    Returns
    -------
    values : (T,) float array
        Return since the last observed price; NaN where there is no price or none before.
    spans : (T,) int array
        Sessions since the last observed price; 0 where the return is missing.
    """
    traded = np.flatnonzero(np.isfinite(price))
    values = np.full(len(price), np.nan)
    spans = np.zeros(len(price), dtype=np.int64)
    ratio = price[traded[1:]] / price[traded[:-1]]
    values[traded[1:]] = ratio - 1 if kind == "simple" else np.log(ratio)
    spans[traded[1:]] = np.diff(traded)
    return values, spans


def moved_prices(quotes: Quotes) -> FloatArray:
    """Return the prices, shape (T,), NaN where a row has none or repeats the one before."""
    price = quotes.price.copy()
    priced = np.flatnonzero(np.isfinite(price))
    price[priced[1:][np.diff(price[priced]) == 0]] = np.nan
    return price


def usual_hours(sessions: Sessions) -> tuple[float, float]:
    """Return the median opening and closing of an exchange in UTC hours of the session's date.

    A calendar made of the dates of the data knows no hours, and is open together with every other.
    """
    if sessions.tz == NO_ZONE:
        return 0.0, 24.0
    midnight = sessions.dates.astype("datetime64[s]")
    opens = sessions.opens - midnight
    closes = sessions.closes - midnight
    hour = np.timedelta64(1, "h")
    return float(np.median(opens / hour)), float(np.median(closes / hour))


def compounded(
    dates: DateArray, values: FloatArray, sessions: DateArray, kind: ReturnKind
) -> tuple[FloatArray, int]:
    """Return `values` compounded over the days since the session before, and how many were strays.

    A session without a value is NaN.

    Parameters
    ----------
    dates : (m,) datetime64 array
        Ascending.
    values : (m,) float array
        Decimal returns; NaN = missing.
    sessions : (T,) datetime64 array
    kind : {"simple", "log"}

    Returns
    -------
    values : (T,) float array
    outside : int
        Returns that fell on days without a session; each is in the return of the next session that
        has a value.
    """
    present = np.isfinite(values)
    dates = dates[present]
    values = values[present]
    # A return of -100 % stays one: its logarithm is kept finite.
    growth = values if kind == "log" else np.log1p(np.maximum(values, -1 + 1e-15))
    at, is_session = located(dates, sessions)
    if is_session.all():
        return on_sessions(dates, values, sessions)
    has_value = np.zeros(len(sessions), dtype=bool)
    has_value[at[is_session]] = True
    # A stray waits for the next session with a value: none is lost on one without.
    priced = np.append(np.flatnonzero(has_value), len(sessions))
    at = priced[np.searchsorted(priced, at)]
    inside = at < len(sessions)
    total = np.bincount(at[inside], weights=growth[inside], minlength=len(sessions))
    out = np.where(has_value, total if kind == "log" else np.expm1(total), np.nan)
    single = np.bincount(at[inside], minlength=len(sessions)) == 1
    exact, _ = on_sessions(dates, values, sessions)
    return np.where(single & has_value, exact, out), int((~is_session).sum())


def located(dates: DateArray, sessions: DateArray) -> tuple[IntArray, BoolArray]:
    """Return the place of each date among the sessions, and whether it is one, both (n,).

    Parameters
    ----------
    dates : (n,) datetime64[D] array
    sessions : (S,) datetime64[D] array
        Ascending. A date that is none has the place of the next session, or S.
    """
    at = np.searchsorted(sessions, dates)
    is_session = at < len(sessions)
    is_session[is_session] = sessions[at[is_session]] == dates[is_session]
    return at, is_session


def between(dates: DateArray, first: np.datetime64, last: np.datetime64) -> DateArray:
    """Return the dates from `first` to `last`.

    Parameters
    ----------
    dates : (m,) datetime64 array
    first, last : datetime64
        Both included.
    """
    return dates[(dates >= first) & (dates <= last)]


def on_sessions(
    dates: DateArray, values: FloatArray, sessions: DateArray, absent: float = np.nan
) -> tuple[FloatArray, int]:
    """Return `values` on `sessions` (`absent` elsewhere) and how many fell on other days.

    Parameters
    ----------
    dates : (m,) datetime64 array
    values : (m,) float array
    sessions : (T,) datetime64 array
        Ascending.
    absent : float
        The value of sessions that are not among `dates`.

    Returns
    -------
    values : (T,) float array
    outside : int
    """
    if len(dates) == len(sessions) and (dates == sessions).all():
        return values, 0
    out = np.full(len(sessions), absent)
    (at, hit) = located(dates, sessions)
    out[at[hit]] = values[hit]
    return out, int((~hit & np.isfinite(values)).sum())


def lay_row(
    series: tuple[DateArray, FloatArray], quotes: Quotes, days: DateArray, kind: ReturnKind | None
) -> tuple[FloatArray, IntArray, FloatArray, int]:
    """Return values, spans and states at limits on sessions, and the values on other days.

    Parameters
    ----------
    series : (n,) dates and closes, or values of a measure
    quotes : Quotes
    days : (S,) datetime64[D] array
    kind : {"simple", "log"}, optional
        Of the returns; without one the values are the measure itself.
    """
    values, outside = on_sessions(*series, days)
    spans = np.isfinite(values).astype(np.int64)
    if kind:
        values, spans = returns_of(values, kind=kind)
        # The first return from then on compares what differs in unit.
        for day in quotes.broken:
            later = np.flatnonzero((spans > 0) & (days >= day))[:1]
            values[later], spans[later] = np.nan, 0
        for fill in quotes.fills:
            if np.isin(fill.dates[[0, -1]], days).all():
                moves, lengths = returns_of(on_sessions(*fill[1:], days)[0], kind=kind)
                is_filled = lengths > 0
                values[is_filled], spans[is_filled] = moves[is_filled], lengths[is_filled]
    states = np.zeros(len(days))
    if quotes.limits.state.any():
        states, _ = on_sessions(quotes.dates, quotes.limits.state.astype(float), days, 0.0)
    return values, spans, states, outside


class Clock(NamedTuple):
    """The T sessions of a panel; by calendar, the dates of its sessions and their columns."""

    sessions: DateArray
    dates: Mapping[str, DateArray]
    columns: Mapping[str, IntArray]

    @classmethod
    def of(cls, dates: Mapping[str, DateArray], keys: Iterable[Key]) -> Clock:
        """Return the clock of calendars, each with its sessions, ascending.

        A calendar of `keys` that is not among them has no sessions.
        """
        union = np.unique(np.concatenate(list(dates.values())))
        columns = {name: np.empty(0, np.int64) for _, name in keys}
        columns |= {name: np.searchsorted(union, days) for name, days in dates.items()}
        return cls(union, dates, columns)

    def dates_of(self, name: str) -> DateArray:
        """Return the dates of the sessions of a calendar; none where it is not known."""
        return self.dates.get(name, np.empty(0, "datetime64[D]"))


class ReturnsTable(Protocol):
    """Returns of many symbols on the same dates.

    Attributes
    ----------
    dates : (T,) datetime64[D] array
        Ascending.
    symbols : collection of str
    """

    @property
    def dates(self) -> DateArray: ...
    @property
    def symbols(self) -> Collection[str]: ...

    def blocks(self, symbols: Sequence[str]) -> Iterator[tuple[list[str], FloatArray]]:
        """Yield the returns of some symbols, (m, T) for m of them at a time; NaN = missing."""
        ...


def lay_table(
    table: ReturnsTable, keys: list[Key], clock: Clock, kind: ReturnKind, where: str
) -> tuple[FloatArray, IntArray, Verdict]:
    """Return the rows of a panel from a table of returns.

    Columns with values that do not simply pass the gate are read again when all have been looked
    at.

    Parameters
    ----------
    table : ReturnsTable
    keys : sequence of n (symbol, calendar)
    clock : Clock
    kind : {"simple", "log"}
    where : str
        The file, for what is said.

    Returns
    -------
    values : (n, T) float array
    outside : (n,) int array
        Returns on days without a session.
    verdict : Verdict
        Of the gate; symbols with returns on too many days without a session are failures too.
    """
    rows: dict[str, list[int]] = {}
    for i, (symbol, _) in enumerate(keys):
        rows.setdefault(symbol, []).append(i)
    values = np.full((len(keys), len(clock.sessions)), np.nan)
    outside = np.zeros(len(keys), np.int64)
    homes = home_calendars(keys)
    refused = dict[str, str]()
    places = {}
    for name, days in clock.dates.items():
        at, hit = located(table.dates, days)
        places[name] = np.flatnonzero(hit), clock.columns[name][at[hit]], np.flatnonzero(~hit)

    def lay(symbol: str, returns: FloatArray) -> None:
        for i in rows[symbol]:
            name = keys[i][1]
            inside, columns, closed = places[name]
            if np.isfinite(returns[closed]).any():
                row, outside[i] = compounded(table.dates, returns, clock.dates[name], kind)
                values[i, clock.columns[name]] = row
                moves = np.where(returns == 0, np.nan, returns)
                why = SeriesDates(table.dates, clock.dates[name]).explain_closed(moves, name)
                if why and homes.get(symbol) == name:
                    refused[symbol] = why
            else:
                values[i, columns] = returns[inside]

    gate = Gate(table.dates, list(rows), kind, where)
    for symbols, block in table.blocks(list(rows)):
        for k in np.flatnonzero(~gate.look(symbols, block)):
            lay(symbols[k], block[k])
    verdict = gate.verdict()
    for symbols, block in table.blocks(verdict.symbols) if verdict.symbols else ():
        for symbol, returns in zip(symbols, verdict.cleaned(symbols, block), strict=True):
            lay(symbol, returns)
    verdict.failures |= refused
    return values, outside, verdict


def factor_rows(
    frame: pd.DataFrame, sessions: DateArray, kind: ReturnKind
) -> dict[str, tuple[FloatArray, IntArray]]:
    """Return the returns of factors on the sessions of a calendar, and the sessions they cover.

    Parameters
    ----------
    frame : DataFrame
        Decimal returns, dates as index. No value spans those that the gate took out.
    sessions : (T,) datetime64 array
    kind : {"simple", "log"}
        Of the returns that are given back.

    Returns
    -------
    dict of str to (values, spans)
        Each of shape (T,); NaN and 0 where the market of the factor was closed.
    """
    dates, rows = frame.index.to_numpy().astype("datetime64[D]"), {}
    taken_out = frame.attrs.get(GATE, {}).get("missing", [])
    for name in frame.columns:
        simple = frame[name].to_numpy(float)
        values, _ = compounded(dates, np.log1p(simple) if kind == "log" else simple, sessions, kind)
        lacking = _places_of([day for factor, day in taken_out if factor == name], sessions)
        values[lacking] = np.nan
        stops = np.union1d(np.flatnonzero(np.isfinite(values)), lacking)
        spans = np.zeros(len(sessions), np.int64)
        spans[stops] = np.diff(stops, prepend=stops[:1] - 1)
        spans[lacking] = 0
        rows[str(name)] = (values, spans)
    return rows


def _places_of(days: Sequence[str], sessions: DateArray) -> IntArray:
    """Return the session of each day within the sessions, or the next one."""
    dates = np.array(days, dtype="datetime64[D]")
    at = np.searchsorted(sessions, dates)
    inside = (at > 0) | np.isin(dates, sessions[:1])
    return at[inside & (at < len(sessions))]


def clock_of(
    prices: Sequence[Quotes], sessions: Mapping[str, Sessions], keys: Iterable[Key]
) -> Clock:
    """Return the sessions from the first to the last day of any price.

    Parameters
    ----------
    prices : sequence of Quotes
    sessions : mapping of calendar name to Sessions
    keys : iterable of (symbol, calendar)
    """
    first = min(q.dates[0] for q in prices)
    last = max(q.dates[-1] for q in prices)
    return Clock.of({name: between(s.dates, first, last) for name, s in sessions.items()}, keys)


def equal_weight(values: FloatArray, kind: ReturnKind) -> tuple[FloatArray, IntArray]:
    """Return the returns of an equal-weight portfolio, and where a member has one.

    Parameters
    ----------
    values : (m, T) float array
        Returns of its members; NaN = missing.
    kind : {"simple", "log"}
        Of the returns; the mean is that of simple ones.
    """
    simple = np.expm1(values) if kind == "log" else values
    count = np.isfinite(simple).sum(axis=0)
    mean = np.where(count > 0, np.nansum(simple, axis=0) / np.maximum(count, 1), np.nan)
    return (np.log1p(mean) if kind == "log" else mean), (count > 0).astype(np.int64)


def span_type(longest: int) -> type[np.signedinteger[Any]]:
    """Return the type of the spans of a panel with so many sessions."""
    return np.int16 if longest <= np.iinfo(np.int16).max else np.int32


def home_calendars(keys: Iterable[Key]) -> dict[str, str]:
    """Return the calendar of each symbol's exchange, or of the data; absent without one."""
    return {symbol: calendar for symbol, calendar in keys if _is_at_home(symbol, calendar)}


def _is_at_home(symbol: str, calendar: str) -> bool:
    """Return whether a symbol trades on the exchange of a calendar, or this is of the data."""
    home = Symbol(symbol).home
    is_listed = home is not None and home.calendar == CLOCKS.get(calendar, "")
    return calendar == DATA_CALENDAR or is_listed


def indices_of(code: str) -> Sequence[str]:
    """Return the indices of an exchange, best first; none where there is no such exchange."""
    exchange = Exchange.of_code(code)
    return exchange.indices if exchange else ()


def with_markets(
    series: Sequence[Quotes], keys: Iterable[Key], clock: Clock, *, st: Collection[str],
    limits: Sequence[LimitRule],
) -> dict[str, Quotes]:  # fmt: skip
    """Return series by symbol, each with the sessions, limits and other series of its exchange.

    Parameters
    ----------
    series : sequence of Quotes
    keys : iterable of (symbol, calendar)
        A symbol without its own exchange among them is of no market.
    clock : Clock
    st : collection of str
        Symbols under special treatment.
    limits : sequence of LimitRule
    """
    keys = list(keys)
    homes = home_calendars(keys)
    groups = dict[str, list[Quotes]]()
    twins = Quotes.find_twins(series)
    for quotes in series:
        groups.setdefault(homes.get(quotes.symbol, ""), []).append(quotes)
    groups.pop("", None)
    markets = {home: Market(members, clock.dates_of(home)) for home, members in groups.items()}
    lags = dict[str, int]()
    for home, market in markets.items():
        indices = indices_of(home)
        guests = list[Quotes]()
        if not indices and home != DATA_CALENDAR:
            # A market without an index of its own is judged by one that its events name.
            indices = tuple(s for s, name in keys if name == home and Symbol(s).kind == "index")
            guests = [quotes for quotes in series if quotes.symbol in indices]
        lags |= market.find_lags(indices, guests)
    out = {}
    for quotes in series:
        symbol, home = quotes.symbol, homes.get(quotes.symbol, "")
        out[symbol] = replace(
            quotes, sessions=clock.dates_of(home), market=markets.get(home),
            rules=LimitRule.of(symbol, limits, st=symbol in st), twin=twins.get(symbol, ""),
            lag=lags.get(symbol, 0),
        )  # fmt: skip
    return out
