"""The sessions of every market, from exchange_calendars or from the dates of the data."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import importlib
import warnings
import zoneinfo
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np

from ..errors import ConfigError, DataError
from ..utility.registry import did_you_mean
from ..utility.typing import BoolArray, CalendarChoice, DateArray
from . import schedule_cache
from .exchanges import BY_CODE, NO_CALENDAR

FIRST_DAY, LAST_DAY = "1990-01-01", "2035-12-31"
EARLIER_FIRST_DAY = {"XNYS": "1950-01-03"}
# Time zone of sessions whose exchange is not known.
NO_ZONE = "UTC"
# As in pyproject.toml; pandas 3.1 no longer calls the code that makes sessions at weekends.
PANDAS = "pandas>=2.2.2,<3.1"

# Days that exchange_calendars lists as sessions. Moscow: Bank of Russia, notices of 28 February and
# 23 March 2022. Hong Kong: typhoon Saola and the rainstorm of 8 September 2023. Taipei: typhoon
# Kong-rey. Manila: closed by the lockdown of March 2020.
CLOSURES = {
    "XMOS": (("2022-02-28", "2022-03-23"),),
    "XHKG": (("2023-09-01", "2023-09-01"), ("2023-09-08", "2023-09-08")),
    "XTAI": (("2024-10-31", "2024-10-31"),),
    "XPHS": (("2020-03-17", "2020-03-18"),),
}
# First day from which a market closes at 16:00 of New York, whatever its local time: Sao Paulo at
# 17:00 or 18:00 (B3, notices of October 2019, 10 February and 29 September 2022);
# exchange_calendars has 18:00 all year.
WITH_NEW_YORK = {"BVMF": "2019-11-04"}
# Days that a calendar must know, and whether the exchange was open. Bombay: notices of BSE of 5
# January 2024 (Saturday 20, in place of Monday 22 January) and on the budget of 2025. Moscow:
# notices a4187 and n64121 of Moscow Exchange. Korea: the last session on a Saturday.
FACTS = {
    "XBOM": {"2024-01-20": True, "2024-01-22": False, "2024-01-26": False, "2025-02-01": True},
    "XMOS": {"2018-04-28": True, "2018-06-12": False, "2024-06-12": False, "2024-12-28": True},
    "XKRX": {"1998-12-05": True, "1998-12-12": False},
}


@dataclass(frozen=True, eq=False, slots=True)
class Sessions:
    """The sessions of one market in order.

    Attributes
    ----------
    code : str
        Name of the calendar, used in messages.
    tz : str
        Time zone of the market (IANA name).
    dates : DateArray, shape (n_sessions,)
        Session dates, ``datetime64[D]``, ascending.
    opens, closes : DateArray, shape (n_sessions,)
        First and last minute of each session in UTC, ``datetime64[s]``.
    """

    code: str
    tz: str
    dates: DateArray
    opens: DateArray
    closes: DateArray

    def __len__(self) -> int:
        return len(self.dates)

    def position(self, date: dt.date | np.datetime64) -> int:
        """Return the index of the first session on or after `date`.

        Raises
        ------
        DataError
            `date` is before the first or after the last session known.
        """
        day = np.array(date).astype("datetime64[D]")[()]
        if day < self.dates[0]:
            raise self._out_of_bounds(day, "before the first", self.dates[0])
        if day > self.dates[-1]:
            raise self._out_of_bounds(day, "after the last", self.dates[-1])
        return int(np.searchsorted(self.dates, day))

    def first_after(self, instant: dt.datetime) -> int:
        """Return the index of the first session that closes strictly later than `instant`.

        An announcement at the closing second belongs to the next session.

        Parameters
        ----------
        instant : datetime
            With a time zone.

        Raises
        ------
        DataError
            `instant` is before the day of the first session, or not before the last close known.
        """
        moment = np.datetime64(instant.astimezone(dt.UTC).replace(tzinfo=None), "s")
        if instant.astimezone(zoneinfo.ZoneInfo(self.tz)).date() < self.dates[0].item():
            raise self._out_of_bounds(instant.isoformat(), "before the first", self.dates[0])
        index = int(np.searchsorted(self.closes, moment, side="right"))
        if index == len(self.closes):
            raise self._out_of_bounds(instant.isoformat(), "after the last", self.dates[-1])
        return index

    def _out_of_bounds(self, value: object, side: str, bound: np.datetime64) -> DataError:
        message = f"calendar {self.code}: {value} is {side} session known, {bound}"
        return DataError(message, remedy=NO_CALENDAR)


@functools.cache
def sessions(calendar_name: str) -> Sessions:
    """Return all sessions of a calendar that are known, past and future.

    exchange_calendars makes the schedule once, `schedule_cache` stores it without our corrections:
    days in `CLOSURES` are removed, and closes by `WITH_NEW_YORK` set, at each call.

    Parameters
    ----------
    calendar_name : str
        Name in exchange_calendars, e.g. ``"XSHG"``: `Exchange.calendar`.

    Returns
    -------
    Sessions

    Raises
    ------
    DataError
        There is no such calendar.
    ConfigError
        The installed pandas makes wrong calendars.
    """
    schedule = _cached(calendar_name)
    if schedule is None:
        schedule = _build(calendar_name)
        _store(schedule)
    return _freeze(_closed_with_new_york(_without_closures(schedule)))


def data_sessions(code: str, tz: str, dates: DateArray, like: Sessions | None) -> Sessions:
    """Return sessions taken from the dates found in price data.

    Parameters
    ----------
    code, tz : str
        Name for messages and IANA time zone of the market.
    dates : DateArray, shape (n_sessions,)
        Dates with prices; sorted and made unique here.
    like : Sessions or None
        Calendar of the exchange. Its hours hold on its sessions, and on other dates the local hours
        of its nearest earlier session. Without it the hours are 09:30 to 16:00.

    Returns
    -------
    Sessions

    Raises
    ------
    DataError
        `dates` is empty.
    """
    days = np.unique(dates.astype("datetime64[D]"))
    if not len(days):
        raise DataError("has no sessions", where=code)
    if like is None:
        opens, closes = (
            np.array([_local(day, time, tz) for day in days], dtype="datetime64[s]")
            for time in (dt.time(9, 30), dt.time(16))
        )
    else:
        opens, closes = (_hours(days, like, instants) for instants in (like.opens, like.closes))
    return _freeze(Sessions(code, tz, days, opens, closes))


def build_sessions(
    keys: list[tuple[str, str]],
    available: Collection[str],
    days_of: Callable[[str], DateArray],
    calendar: CalendarChoice,
    benchmarks: set[str],
) -> dict[str, Sessions]:
    """Return the sessions of each calendar: those of the exchange, or the dates of its symbols.

    Parameters
    ----------
    keys : list of (symbol, calendar)
    available : collection of str
        Symbols that have data.
    days_of : callable
        Gives the days with data of a symbol.
    calendar : {"exchange", "data"}
    benchmarks : set of str
        Symbols whose days are sessions.
    """
    out = {}
    for name in dict.fromkeys(c for _, c in keys):
        exchange = BY_CODE.get(name)
        known_sessions = sessions(exchange.calendar) if exchange and exchange.calendar else None
        if known_sessions is None or calendar == "data":
            symbols = [symbol for symbol, c in keys if c == name and symbol in available]
            days = _market_days(days_of, symbols, benchmarks)
            if len(days) == 0:
                continue
            zone = known_sessions.tz if known_sessions else NO_ZONE
            known_sessions = data_sessions(name, zone, days, known_sessions)
        out[name] = known_sessions
    return out


def _market_days(
    days_of: Callable[[str], DateArray], symbols: list[str], benchmarks: set[str]
) -> DateArray:
    """Return the days on which a market was open, judged by the prices of its symbols.

    With a benchmark: its days, and those on which more than half of the firms that are listed have
    a price. A stray price on a Sunday is no session. Without one: all days.
    """
    ends = [listing[[0, -1]] for s in symbols if len(listing := days_of(s))]
    if not ends:
        return np.empty(0, "datetime64[D]")
    first, last = np.min(ends), np.max(ends)
    days: DateArray = np.arange(first, last + np.timedelta64(1, "D"))
    index = np.zeros(len(days), dtype=bool)
    present, listed = np.zeros(len(days), np.int64), np.zeros(len(days) + 1, np.int64)
    for symbol in symbols:
        at = (days_of(symbol) - first).astype(np.int64)
        if symbol in benchmarks:
            index[at] = True
        elif len(at):
            present[at] += 1
            listed[at[[0, -1]] + (0, 1)] += (1, -1)
    if not any(symbol in benchmarks for symbol in symbols):
        return days[present > 0]
    return days[index | (present > np.cumsum(listed)[:-1] / 2)]


def _hours(days: DateArray, like: Sessions, instants: DateArray) -> DateArray:
    """Return the instants (UTC) of `days` at the local time of those of `like`."""
    at = np.clip(np.searchsorted(like.dates, days, side="right") - 1, 0, None)
    out, zone = instants[at].copy(), zoneinfo.ZoneInfo(like.tz)
    for i in np.flatnonzero(like.dates[at] != days):
        utc = out[i].item().replace(tzinfo=dt.UTC)
        out[i] = _local(days[i], utc.astimezone(zone).time(), like.tz)
    return out


def _local(day: np.datetime64[dt.date], time: dt.time, tz: str) -> dt.datetime:
    wall = dt.datetime.combine(day.item(), time, zoneinfo.ZoneInfo(tz))
    return wall.astimezone(dt.UTC).replace(tzinfo=None)


@functools.cache
def known_zones() -> frozenset[str]:
    """Return the names of all IANA time zones."""
    return frozenset(zoneinfo.available_timezones())


def _build(name: str) -> Sessions:
    """Return a schedule made by exchange_calendars; it must agree with `FACTS`.

    Raises
    ------
    DataError
        There is no such calendar.
    ConfigError
        The installed versions make wrong calendars, or none.
    """
    _check_libraries()
    built = _computed(name, _first_day(name), LAST_DAY)
    _check_facts(built)
    return built


@functools.cache
def _check_libraries() -> None:
    """Refuse versions that make Bombay wrong: their other calendars are wrong in silence."""
    _check_facts(_computed("XBOM", "2024-01-02", "2025-02-28"))


def _check_facts(built: Sessions) -> None:
    for day, is_open in FACTS.get(built.code, {}).items():
        if bool(np.isin(np.datetime64(day), built.dates)) != is_open:
            state = "open" if is_open else "closed"
            raise _refusal(f"give wrong sessions: {built.code} was {state} on {day}")


def _computed(name: str, first: str, last: str) -> Sessions:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _scheduled(name, first, last)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # the library uses private parts of pandas: any error is possible
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:80]}"
        raise _refusal(f"cannot make the calendar {name} ({reason})") from error


def _scheduled(name: str, first: str, last: str) -> Sessions:
    import exchange_calendars as xc

    # the bounds are known to the class only, and every calendar covers this short range
    try:
        kind = type(xc.get_calendar(name, start="2022-01-03", end="2022-12-28"))
    except xc.errors.InvalidCalendarName:
        hint = did_you_mean(name, xc.get_calendar_names())
        raise DataError("there is no such trading calendar", value=name, remedy=hint) from None
    start = max(first, str(kind.bound_min() or first)[:10])
    calendar = kind(start=start, end=min(last, str(kind.bound_max() or last)[:10]))
    table = calendar.schedule
    opens, closes = (
        table[c].dt.tz_convert(None).to_numpy().astype("datetime64[s]") for c in ("open", "close")
    )
    dates = table.index.to_numpy().astype("datetime64[D]")
    return Sessions(name, str(calendar.tz), dates, opens, closes)


def _refusal(fault: str) -> ConfigError:
    pair = " and ".join(f"{name} {_version(name)}" for name in ("pandas", "exchange_calendars"))
    remedy = f"install the pandas that this program needs: pip install '{PANDAS}'"
    return ConfigError(f"{pair} {fault}", remedy=remedy)


def _version(library: str) -> str:
    """Return the version of what is imported, else of what is installed."""
    with contextlib.suppress(ImportError):
        return str(importlib.import_module(library).__version__)
    return "(not installed)"


def _first_day(name: str) -> str:
    return EARLIER_FIRST_DAY.get(name, FIRST_DAY)


def _cached(name: str) -> Sessions | None:
    """Return the schedule in the cache, if it is valid."""
    if (stored := schedule_cache.load(name, _first_day(name), LAST_DAY)) is None:
        return None
    tz, (days, opens, closes) = stored
    seconds = opens.astype("datetime64[s]"), closes.astype("datetime64[s]")
    schedule = Sessions(name, tz, days.astype("datetime64[D]"), *seconds)
    ascending = all(bool(np.all(array[1:] > array[:-1])) for array in _arrays(schedule))
    return schedule if len(schedule) and ascending else None


def _store(schedule: Sessions) -> None:
    numbers = np.stack([array.astype("int64") for array in _arrays(schedule)])
    schedule_cache.keep(schedule.code, _first_day(schedule.code), LAST_DAY, schedule.tz, numbers)


def _without_closures(schedule: Sessions) -> Sessions:
    shut: BoolArray = np.zeros(len(schedule), dtype=np.bool_)
    for first, last in CLOSURES.get(schedule.code, ()):
        shut |= (schedule.dates >= np.datetime64(first)) & (schedule.dates <= np.datetime64(last))
    return Sessions(schedule.code, schedule.tz, *(array[~shut] for array in _arrays(schedule)))


def _closed_with_new_york(schedule: Sessions) -> Sessions:
    if schedule.code not in WITH_NEW_YORK:
        return schedule
    closes = schedule.closes.copy()
    late = np.flatnonzero(schedule.dates >= np.datetime64(WITH_NEW_YORK[schedule.code]))
    new_york = [_local(day, dt.time(16), "America/New_York") for day in schedule.dates[late]]
    closes[late] = np.minimum(closes[late], np.array(new_york, dtype="datetime64[s]"))
    return replace(schedule, closes=closes)


def _freeze(schedule: Sessions) -> Sessions:
    for array in _arrays(schedule):
        array.flags.writeable = False
    return schedule


def _arrays(schedule: Sessions) -> tuple[DateArray, DateArray, DateArray]:
    return schedule.dates, schedule.opens, schedule.closes
