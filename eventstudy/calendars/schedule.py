"""The sessions of every market, from exchange_calendars or from the dates of the data.

Those of exchange_calendars are data, which ``tools/make_sessions.py`` writes.
``data/sessions.txt.gz`` has one line a calendar behind its head (JSON: the versions that made it,
and the SHA-256 of all lines): name, time zone, first day, hours, and a letter for each day. A dot
is a day without a session, ``a`` one with the first hours, ``b`` with the second ones. Hours are
minutes after midnight of that day in local time, ``open:close``.
"""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import hashlib
import json
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from ..errors import DataError
from ..utility import DateArray, IntArray, did_you_mean
from ..words import make_error
from .exchanges import bundled_rows

CalendarChoice = Literal["exchange", "data"]

DATA = files("eventstudy") / "data"
SESSIONS = DATA / "sessions.txt.gz"
OVERRIDES = DATA / "session_overrides.csv"
CLOSED = ord(".")
FIRST_HOURS = ord("a")
# Markets without an exchange: their days, and the weekdays that are none.
WEEKDAYS, DAILY = "weekdays", "daily"
ALL_DAYS = ("1990-01-01", "2036-01-01")
DAYS_OFF = ("01-01", "12-25")
# No holiday has closed an exchange for more weekdays than this (docs/methods/missing-days.md).
LONGEST_HOLIDAY = 10


def read_sessions(name: str) -> tuple[str, DateArray, DateArray, DateArray]:
    """Return time zone, dates, opens and closes (UTC) of a calendar, without any override.

    Raises
    ------
    DataError
        There is no such calendar.
    """
    _, lines = _snapshot()
    if name not in lines:
        hint = did_you_mean(name, lines)
        raise DataError("there is no such trading calendar", value=name, remedy=hint)
    tz, first, hours, letters = lines[name].split(" ")
    days = np.frombuffer(letters.encode("ascii"), np.uint8)
    at = np.flatnonzero(days != CLOSED)
    dates: DateArray = np.datetime64(first, "D") + at.astype("timedelta64[D]")
    minutes = np.array([pair.split(":") for pair in hours.split(",")], dtype=np.int64)
    clock = minutes[days[at] - FIRST_HOURS].astype("timedelta64[m]")
    opens, closes = to_utc(dates + clock.T, tz)
    return tz, dates, opens, closes


def to_utc(walls: DateArray, tz: str) -> DateArray:
    """Return the instants in UTC, ``datetime64[s]``, of local times.

    Parameters
    ----------
    walls : datetime64 array
        Of any shape, not empty.
    tz : str
        IANA name of their time zone.

    Notes
    -----
    The offset is looked up once a week, and for each time in weeks at whose ends it differs.
    """
    zone = zoneinfo.ZoneInfo(tz)
    walls = walls.astype("datetime64[s]")
    weeks = walls.astype("datetime64[W]")
    edges: DateArray = np.arange(weeks.min(), weeks.max() + np.timedelta64(2, "W"))
    at = (weeks - edges[0]).astype(np.int64)
    offsets = _offsets(edges, zone)
    out = offsets[at]
    changing = out != offsets[at + 1]
    out[changing] = _offsets(walls[changing], zone)
    return np.asarray(walls - out)


def _offsets(walls: DateArray, zone: zoneinfo.ZoneInfo) -> DateArray:
    times = walls.astype("datetime64[s]").tolist()
    seconds = [zone.utcoffset(time).total_seconds() for time in times]  # type: ignore[union-attr]
    return np.array(seconds).astype("timedelta64[s]")


@functools.cache
def _snapshot() -> tuple[dict[str, str], Mapping[str, str]]:
    """Return the head, and the line of each calendar behind its name."""
    head, *lines = gzip.decompress(SESSIONS.read_bytes()).decode("ascii").splitlines()
    named = (line.partition(" ") for line in lines)
    return json.loads(head), {name: line for name, _, line in named}


# Hours of sessions whose exchange is not known.
NO_HOURS = "09:30", "16:00"


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
            raise self._out_of_bounds("before", day, self.dates[0])
        if day > self.dates[-1]:
            raise self._out_of_bounds("after", day, self.dates[-1])
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
            raise self._out_of_bounds("before", instant.isoformat(), self.dates[0])
        index = int(np.searchsorted(self.closes, moment, side="right"))
        if index == len(self.closes):
            raise self._out_of_bounds("after", instant.isoformat(), self.dates[-1])
        return index

    @property
    def arrays(self) -> tuple[DateArray, DateArray, DateArray]:
        """Dates, opens and closes."""
        return self.dates, self.opens, self.closes

    @staticmethod
    @functools.cache
    def of(calendar: str) -> Sessions:
        """Return all sessions of a calendar that are known, past and future.

        They are those of the snapshot of exchange_calendars, corrected by each row of
        ``data/session_overrides.csv`` in its order.

        Parameters
        ----------
        calendar : str
            Name in exchange_calendars, e.g. ``"XSHG"``, or ``weekdays`` or ``daily``; behind it the
            hour at which its days end, and the time zone of that hour: `Exchange.calendar`.

        Raises
        ------
        DataError
            There is no such calendar.
        """
        base, _, end = calendar.partition(" ")
        if base in (WEEKDAYS, DAILY):
            return _around_the_clock(calendar, base, *end.split(" "))
        if end:
            return _ending_at(Sessions.of(base), calendar, end)
        schedule = Sessions.fixed(calendar, *read_sessions(calendar))
        for override in _overrides():
            if override["calendar"] == calendar:
                schedule = _corrected(schedule, override)
        return schedule

    @classmethod
    def of_days(cls, code: str, tz: str, dates: DateArray, like: Sessions | None) -> Sessions:
        """Return sessions taken from the dates found in price data.

        Parameters
        ----------
        code, tz : str
            Name for messages and IANA time zone of the market.
        dates : DateArray, shape (n_sessions,)
            Dates with prices; sorted and made unique here.
        like : Sessions or None
            Calendar of the exchange. Its hours hold on its sessions, and on other dates the local
            hours of its nearest earlier session. Without it the hours are 09:30 to 16:00.
        """
        days = np.unique(dates.astype("datetime64[D]"))
        if like is None:
            opens, closes = (_at(days, time, tz) for time in NO_HOURS)
        else:
            opens, closes = (_hours(days, like, instants) for instants in (like.opens, like.closes))
        return cls.fixed(code, tz, days, opens, closes)

    @classmethod
    def fixed(cls, code: str, tz: str, *arrays: DateArray) -> Sessions:
        """Return sessions whose arrays cannot be written to.

        Parameters
        ----------
        code, tz : str
        *arrays : ndarray of datetime64
            Dates, opens and closes.
        """
        for array in arrays:
            array.flags.writeable = False
        return cls(code, tz, *arrays)

    @staticmethod
    def version() -> str:
        """Return the version of exchange_calendars, and a hash of its sessions and ours."""
        head, _ = _snapshot()
        content = str(head["sha256"]).encode() + OVERRIDES.read_bytes()
        return f"{head['exchange_calendars']}+{hashlib.sha256(content).hexdigest()[:12]}"

    def having(self, *arrays: DateArray) -> Sessions:
        """Return the sessions of the same market with other dates, opens and closes."""
        return Sessions.fixed(self.code, self.tz, *arrays)

    def _out_of_bounds(self, side: str, value: object, bound: np.datetime64) -> DataError:
        facts: Any = {"calendar": self.code, "day": value, "bound": bound}
        return make_error(DataError, f"sessions.{side}", **facts)


def _ending_at(schedule: Sessions, name: str, time: str) -> Sessions:
    """Return the sessions with another end, a time of the market: that of a settlement.

    An end before the usual close is no later than the close of a short session.
    """
    ends = _at(schedule.dates, time, schedule.tz)
    if np.median(ends - schedule.closes) < np.timedelta64(0, "s"):
        ends = np.minimum(ends, schedule.closes)
    return Sessions.fixed(name, schedule.tz, schedule.dates, schedule.opens, ends)


def _around_the_clock(name: str, base: str, time: str, tz: str) -> Sessions:
    """Return days of 24 hours, each of which ends at a time of a zone."""
    days: DateArray = np.arange(*ALL_DAYS, dtype="datetime64[D]")
    if base == WEEKDAYS:
        days = days[np.is_busday(days)]
        days = days[~np.isin([str(day)[5:] for day in days], DAYS_OFF)]
    ends = _at(days, time, tz)
    return Sessions.fixed(name, tz, days, ends - np.timedelta64(1, "D"), ends)


@functools.cache
def _overrides() -> list[dict[str, str]]:
    """Return the rows of the file of overrides.

    ``closed`` is a range of days without a session, ``open`` one of sessions, with hours of their
    own or the usual ones; ``closes_by`` ends its sessions at a time at the latest. A time is that
    of the market, or of the zone behind it.
    """
    return bundled_rows(OVERRIDES.name)


def _corrected(schedule: Sessions, override: dict[str, str]) -> Sessions:
    first, last = (np.datetime64(override[name], "D") for name in ("first", "last"))
    if override["state"] == "open":
        schedule = _opened(schedule, np.arange(first, last + np.timedelta64(1, "D")))
    within = (schedule.dates >= first) & (schedule.dates <= last)
    if override["state"] == "closed":
        return schedule.having(*(array[~within] for array in schedule.arrays))
    dates, *hours = schedule.arrays
    for i, time in enumerate((override["opens"], override["closes"])):
        if time:
            clock, _, zone = time.partition(" ")
            instants = _at(dates[within], clock, zone or schedule.tz)
            hours[i] = hours[i].copy()
            is_limit = override["state"] == "closes_by"
            hours[i][within] = np.minimum(instants, hours[i][within]) if is_limit else instants
    return schedule.having(dates, *hours)


def _opened(schedule: Sessions, days: DateArray) -> Sessions:
    """Return the sessions with those of `days` that are not among them, at the usual hours."""
    at = np.searchsorted(schedule.dates, days)
    is_new = schedule.dates[at] != days
    days = days[is_new]
    at = at[is_new]
    fresh = days, *(_hours(days, schedule, array) for array in schedule.arrays[1:])
    pairs = zip(schedule.arrays, fresh, strict=True)
    return schedule.having(*(np.insert(array, at, new) for array, new in pairs))


def weekdays_closed(dates: DateArray) -> IntArray:
    """Return for how many weekdays the market was closed before each session, shape (T,).

    Parameters
    ----------
    dates : (T,) datetime64[D] array
        Its sessions, ascending.

    Returns
    -------
    (T,) int array
        0 where it was closed for a holiday or less: for up to ten times the usual distance.

    Examples
    --------
    >>> moscow = Sessions.of("XMOS").dates
    >>> closed = weekdays_closed(moscow)
    >>> [(str(day), int(n)) for day, n in zip(moscow[closed > 0], closed[closed > 0])]
    [('2022-03-24', 18)]
    """
    if len(dates) < 2:
        return np.zeros(len(dates), np.int64)
    distance = np.busday_count(dates[:-1], dates[1:])
    is_long = distance - 1 > LONGEST_HOLIDAY * max(np.median(distance), 1)
    return np.concatenate([[0], np.where(is_long, distance - 1, 0)]).astype(np.int64)


def _hours(days: DateArray, like: Sessions, instants: DateArray) -> DateArray:
    """Return the instants (UTC) of `days` at the local time of those of `like`."""
    at = np.clip(np.searchsorted(like.dates, days, side="right") - 1, 0, None)
    out = instants[at].copy()
    zone = zoneinfo.ZoneInfo(like.tz)
    for i in np.flatnonzero(like.dates[at] != days):
        local = out[i].item().replace(tzinfo=dt.UTC).astimezone(zone)
        out[i : i + 1] = _at(days[i : i + 1], f"{local:%H:%M:%S}", like.tz)
    return out


def _at(days: DateArray, time: str, tz: str) -> DateArray:
    """Return the instants (UTC) at which it is `time` in a time zone; 24:00 ends a day."""
    hours, minutes, *seconds = map(int, time.split(":"))
    return to_utc(days + np.timedelta64(hours * 3600 + minutes * 60 + sum(seconds), "s"), tz)
