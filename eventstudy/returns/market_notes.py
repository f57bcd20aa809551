"""What the prices of a market say about its price limits and its calendar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..calendars import Sessions, Symbol
from ..errors import DataError
from ..quality import Market, Quotes, SeriesDates, SeriesFault, SeriesFaults
from ..utility import BoolArray, DateArray, FloatArray, IntArray
from ..words import Reason, make_error, words
from .sessions import CLOCKS, Clock, Key, home_calendars, indices_of, located

# Logarithms of an index are no higher, and half of their moves are smaller.
HIGHEST_LOG, LOG_MOVE, FEWEST_MOVES = 13.0, 0.002, 60
# Days and symbols that are named.
NAMED = 3
# So long before the sessions known end a note says it.
SOON = np.timedelta64(60, "D")
# More values than these on closed days are no accident.
SEVERAL, LARGE_SHARE = 10, 0.05


def note_markets(
    quotes_of: Mapping[str, Quotes], keys: Iterable[Key], calendars: Mapping[str, Sessions],
    sources: Mapping[str, str],
) -> list[str]:  # fmt: skip
    """Return notes on price limits, and on calendars that prices contradict.

    Parameters
    ----------
    quotes_of : mapping of str to Quotes
        By symbol.
    keys : iterable of (symbol, calendar)
        The rows of the panel.
    calendars : mapping of calendar name to Sessions
    sources : mapping of symbol to str
        Where its prices are from, as far as it is known.
    """
    keys = list(keys)
    members = defaultdict(list)
    for symbol, name in home_calendars(keys).items():
        if symbol in quotes_of and _is_of_exchange(name, calendars):
            members[CLOCKS[name]].append(quotes_of[symbol])
    notes = _note_limits(quotes_of, keys)
    for name, quotes in members.items():
        notes += _note_doubts(name, quotes)
        notes += _note_lost(quotes, sources)
    return notes


def note_closed_days(symbol: str, calendar: str, outside: int, n: int) -> list[str]:
    """Return a note on values of a symbol that fell on days without a session.

    Parameters
    ----------
    symbol, calendar : str
    outside, n : int
        Their number, and that of all values.
    """
    facts = {"symbol": symbol, "n": outside, "calendar": calendar}
    if outside >= SEVERAL and outside > LARGE_SHARE * n:
        return [Reason("closed_share", share=outside / n, **facts)]
    return [Reason("closed_days", **facts)] * (outside > 0)


def refuse_dates(dates: DateArray, clock: Clock, where: str) -> None:
    """Raise DataError if the dates of a file cannot be those of any calendar.

    Parameters
    ----------
    dates : (n,) datetime64[D] array
    clock : Clock
    where : str
        Name of the file.
    """
    for name, days in clock.dates.items():
        if why := SeriesDates(dates, days).explain_swapped():
            raise DataError(str(why), where=where, value=f"calendar {name}")


def refuse_logarithms(prices: Iterable[Quotes]) -> None:
    """Raise DataError if an index moves as the logarithms of its prices do.

    Parameters
    ----------
    prices : iterable of Quotes
        Of the indices.
    """
    for quotes in prices:
        price = quotes.price[np.isfinite(quotes.price)]
        moves = np.abs(np.diff(price) / price[:-1])
        moves = moves[moves > 0]
        is_rate = Symbol(quotes.symbol).kind == "rate"
        if len(moves) < FEWEST_MOVES or price.max() > HIGHEST_LOG or is_rate:
            continue
        if (median := float(np.median(moves))) < LOG_MOVE:
            facts: dict[str, Any] = {"n": len(price), "highest": price.max(), "median": median}
            raise make_error(DataError, "wrong.log_index", where=quotes.symbol, **facts)


def find_odd_rows(values: FloatArray, keys: Sequence[Key], clock: Clock) -> SeriesFaults:
    """Return the rows of returns whose dates look shifted, and those that are of another symbol.

    Parameters
    ----------
    values : (n, T) float array
    keys : sequence of n (symbol, calendar)
    clock : Clock

    Returns
    -------
    SeriesFaults
    """
    homes = home_calendars(keys)
    rows_of = defaultdict(list)
    faults = list[SeriesFault]()
    for row, (symbol, name) in enumerate(keys):
        if homes.get(symbol) == name:
            rows_of[name].append(row)
    for name, rows in rows_of.items():
        last = clock.columns[name][-SeriesFaults.RECENT :]
        moves = {keys[row][0]: values[row, last] for row in rows}
        faults += SeriesFaults.of_returns(moves, clock.dates[name], indices_of(name))
    return SeriesFaults(faults)


def note_ends(
    keys: Iterable[Key], spans: IntArray, days: DateArray, calendars: Mapping[str, Sessions]
) -> list[str]:
    """Return notes on the calendars of exchanges that data outlast, or will outlast soon.

    Parameters
    ----------
    keys : iterable of n (symbol, calendar)
    spans : (n, T) int array
        Sessions that each return covers; 0 where there is none.
    days : (T,) datetime64[D] array
    calendars : mapping of calendar name to Sessions
    """
    last_days = dict[str, np.datetime64]()
    for (symbol, name), own in zip(keys, spans, strict=True):
        if not _is_of_exchange(name, calendars) or symbol not in home_calendars([(symbol, name)]):
            continue
        if days[-1] > calendars[name].known[1] - SOON and own.any():
            last = days[np.flatnonzero(own)[-1]]
            last_days[CLOCKS[name]] = max(last, last_days.get(CLOCKS[name], last))
    notes = list[str]()
    for name, last in last_days.items():
        end = Sessions.of(name).known[1]
        facts = {"calendar": name, "end": str(end)}
        if last > end:
            notes.append(Reason("calendar_ends", last=str(last), **facts))
        elif last > end - SOON:
            notes.append(Reason("calendar_ends_soon", **facts))
    return notes


def _is_of_exchange(name: str, calendars: Mapping[str, Sessions]) -> bool:
    """Return whether sessions are those of the exchange, not the days of the data."""
    return name in CLOCKS and name in calendars and not np.isnat(calendars[name].known[0])


def _note_limits(quotes_of: Mapping[str, Quotes], keys: Iterable[Key]) -> list[str]:
    """Return notes on the symbols whose limits were judged from returns, or found in them."""
    symbols = dict.fromkeys(symbol for symbol, _ in keys)
    approx = list[str]()
    piled = list[str]()
    for symbol in symbols:
        limits = quotes_of[symbol].limits
        if limits.piles:
            piled.append(symbol)
        elif limits.approx.any():
            approx.append(symbol)
    notes = list[str]()
    for code, names in (("limits_from_returns", approx), ("limits_found", piled)):
        if names:
            notes.append(Reason(code, names=words().some(names)))
    return notes


def _note_doubts(name: str, quotes: Sequence[Quotes]) -> list[str]:
    """Return a note on the days between sessions on which several symbols traded."""
    schedule = Sessions.of(name)
    traders = defaultdict(list)
    for q in quotes:
        is_closed = ~schedule.is_assumed(q.dates) & ~located(q.dates, schedule.dates)[1]
        for day in q.dates[_traded(q) & is_closed]:
            traders[str(day)].append(q.symbol)
    needed = Market.enough_of(len(quotes))
    days = sorted(day for day, symbols in traders.items() if len(symbols) >= needed)
    if not days:
        return []
    symbols = list(dict.fromkeys(symbol for day in days for symbol in traders[day]))
    facts = {"n": len(days), "days": days[:NAMED], "symbols": symbols[:NAMED]}
    return [Reason("calendar_doubted", calendar=name, **facts)]


def _note_lost(quotes: Sequence[Quotes], sources: Mapping[str, str]) -> list[str]:
    """Return a note on the sessions on which no symbol has a price: a hole, or a holiday."""
    days = list(map(str, quotes[0].market.lost)) if quotes[0].market else []
    if not days:
        return []
    named = sorted({sources.get(q.symbol, "a table") for q in quotes})
    places = sorted({home.name for q in quotes if (home := Symbol(q.symbol).home)})
    facts = {"n": len(days), "days": days[:NAMED], "sources": named, "total": len(quotes)}
    return [Reason("sessions_lost", places=places, **facts)]


def _traded(quotes: Quotes) -> BoolArray:
    """Return on which rows there is volume and another close than on the row before, (T,)."""
    has_moved = np.diff(quotes.close, prepend=np.nan) != 0
    return np.asarray(np.isfinite(quotes.close) & (quotes.volume > 0) & has_moved)
