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
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..utility import BoolArray, DateArray, IntArray, did_you_mean
from ..words import make_error
from .exchanges import bundled_rows

CalendarChoice = Literal["exchange", "data"]

DATA = files("eventstudy") / "data"
SESSIONS = DATA / "sessions.txt.gz"
OVERRIDES = DATA / "session_overrides.csv"
CLOSED = ord(".")
FIRST_HOURS = ord("a")
# Markets without an exchange, and the weekdays that are none of their days.
WEEKDAYS, DAILY = "weekdays", "daily"
DAYS_OFF = ("01-01", "12-25")
# Every calendar has days from the first of these dates to the day before the second one.
ALL_DAYS = ("1950-01-01", "2050-01-01")
# The days beyond the sessions known follow those of the ten years next to them. A day of the year
# that was on five of their weekdays or more and never a session is a holiday of a fixed date.
PATTERN, FEWEST_WEEKDAYS = 3653, 5
# No holiday has closed an exchange for more weekdays than this (docs/methods/missing-days.md).
LONGEST_HOLIDAY = 10


def read_sessions(name: str) -> tuple[str, DateArray, DateArray, DateArray]:
    """Return time zone, dates, opens and closes (UTC) of a calendar, without any override.

    Raises
    ------
    DataError
        There is no such calendar.
    """
    line = _Line.of(name)
    return line.tz, *line.sessions


class _Line(NamedTuple):
    """A line of the snapshot: the letter of each day from the first, and the hours (L, 2)."""

    tz: str
    first: np.datetime64
    minutes: IntArray
    letters: NDArray[np.uint8]

    @classmethod
    def of(cls, name: str) -> _Line:
        """Return the line of a calendar."""
        _, lines = _snapshot()
        if name not in lines:
            hint = did_you_mean(name, lines)
            raise DataError("there is no such trading calendar", value=name, remedy=hint)
        tz, first, hours, letters = lines[name].split(" ")
        minutes = np.array([pair.split(":") for pair in hours.split(",")], dtype=np.int64)
        days = np.frombuffer(letters.encode("ascii"), np.uint8)
        return cls(tz, np.datetime64(first, "D"), minutes, days)

    @property
    def days(self) -> DateArray:
        """Its days, shape (n,)."""
        return self.first + np.arange(len(self.letters)).astype("timedelta64[D]")

    @property
    def sessions(self) -> tuple[DateArray, DateArray, DateArray]:
        """Dates, opens and closes (UTC) of its sessions."""
        is_open = self.letters != CLOSED
        dates = self.days[is_open]
        clock = self.minutes[self.letters[is_open] - FIRST_HOURS].astype("timedelta64[m]")
        opens, closes = to_utc(dates + clock.T, self.tz)
        return dates, opens, closes

    def continued(self) -> _Line:
        """Return the line from the first to the last of all days; beyond its own as is usual."""
        start, end = (np.datetime64(day, "D") for day in ALL_DAYS)
        before: DateArray = np.arange(start, self.first)
        after: DateArray = np.arange(self.days[-1] + np.timedelta64(1, "D"), end)
        letters = [
            self._usual(before, slice(PATTERN)),
            self.letters,
            self._usual(after, slice(-PATTERN, None)),
        ]
        return self._replace(first=min(start, self.first), letters=np.concatenate(letters))

    def _usual(self, days: DateArray, near: slice) -> NDArray[np.uint8]:
        """Return the letters of days beyond the line, from those of the days `near` them.

        A day is a session if its weekday usually is one, unless it is a holiday of a fixed date.
        The hours are the most frequent ones.
        """
        letters = self.letters[near]
        is_open = letters != CLOSED
        weekday = _weekdays(self.days[near])
        is_usual = np.bincount(weekday, is_open, 7) * 2 > np.bincount(weekday, minlength=7)
        of_year = _days_of_year(self.days[near])
        on_weekdays = np.bincount(of_year, is_usual[weekday], DAYS_OF_YEAR)
        is_closed = np.bincount(of_year, is_open, DAYS_OF_YEAR) == 0
        is_holiday = is_closed & (on_weekdays >= FEWEST_WEEKDAYS)
        is_session = is_usual[_weekdays(days)] & ~is_holiday[_days_of_year(days)]
        usual_hours = np.bincount(letters[is_open]).argmax()
        return np.where(is_session, usual_hours, CLOSED).astype(np.uint8)


def _weekdays(days: DateArray) -> IntArray:
    """Return 0 for a Thursday to 6 for a Wednesday."""
    return np.asarray(days.astype(np.int64) % 7)


# The 29th of February counts as one.
DAYS_OF_YEAR = 12 * 31


def _days_of_year(days: DateArray) -> IntArray:
    """Return the month (from 0) times 31 plus the day of the month (from 0)."""
    months = days.astype("datetime64[M]")
    return np.asarray(months.astype(np.int64) % 12 * 31 + (days - months).astype(np.int64))


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


# What is known of the sessions of an exchange where they are days of the data.
NOT_PUBLISHED = (np.datetime64("NaT", "D"), np.datetime64("NaT", "D"))
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
    known : tuple of two datetime64[D]
        The first and the last session that the exchange has published. Before and after them the
        sessions are assumed: the usual weekdays without holidays of a fixed date. Both are NaT
        where the sessions are days of the data.
    """

    code: str
    tz: str
    dates: DateArray
    opens: DateArray
    closes: DateArray
    known: tuple[np.datetime64, np.datetime64] = NOT_PUBLISHED

    def __len__(self) -> int:
        return len(self.dates)

    def position(self, date: dt.date | np.datetime64) -> int:
        """Return the index of the first session on or after `date`.

        Raises
        ------
        DataError
            `date` is before the first or after the last day of all calendars.
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
            `instant` is before the day of the first session, or not before the last close.
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
        """Return all sessions of a calendar, past and future.

        They are those of the snapshot of exchange_calendars, before and after them those assumed
        (`known`), corrected by each row of ``data/session_overrides.csv`` in its order.

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
        line = _Line.of(calendar)
        known = line.days[0], line.days[-1]
        schedule = Sessions.fixed(calendar, line.tz, *line.continued().sessions, known=known)
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
    def fixed(
        cls, code: str, tz: str, *arrays: DateArray,
        known: tuple[np.datetime64, np.datetime64] = NOT_PUBLISHED,
    ) -> Sessions:  # fmt: skip
        """Return sessions whose arrays cannot be written to.

        Parameters
        ----------
        code, tz : str
        *arrays : ndarray of datetime64
            Dates, opens and closes.
        known : tuple of two datetime64
        """
        for array in arrays:
            array.flags.writeable = False
        dates, opens, closes = arrays
        return cls(code, tz, dates, opens, closes, known)

    @staticmethod
    def version() -> str:
        """Return the version of exchange_calendars, and a hash of its sessions and ours."""
        head, _ = _snapshot()
        content = str(head["sha256"]).encode() + OVERRIDES.read_bytes()
        return f"{head['exchange_calendars']}+{hashlib.sha256(content).hexdigest()[:12]}"

    def having(self, *arrays: DateArray) -> Sessions:
        """Return the sessions of the same market with other dates, opens and closes."""
        return Sessions.fixed(self.code, self.tz, *arrays, known=self.known)

    def is_assumed(self, days: DateArray) -> BoolArray:
        """Return which days are before the first or after the last session known, shape (n,)."""
        first, last = self.known
        return np.asarray((days < first) | (days > last))

    def observed(self, days: DateArray) -> Sessions:
        """Return the sessions with days of the data in the place of those that are assumed.

        Parameters
        ----------
        days : (n,) datetime64[D] array
            Days on which the market was open, ascending. From the first to the last of them no
            other day beyond the sessions known is one.
        """
        seen = days[self.is_assumed(days)]
        if len(seen) == 0:
            return self
        schedule = _opened(self, seen)
        dates = schedule.dates
        is_covered = (dates >= days[0]) & (dates <= days[-1]) & self.is_assumed(dates)
        keep = ~is_covered | np.isin(dates, seen)
        return schedule.having(*(array[keep] for array in schedule.arrays))

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
    arrays = schedule.dates, schedule.opens, ends
    return Sessions.fixed(name, schedule.tz, *arrays, known=schedule.known)


def _around_the_clock(name: str, base: str, time: str, tz: str) -> Sessions:
    """Return days of 24 hours, each of which ends at a time of a zone."""
    days: DateArray = np.arange(*ALL_DAYS, dtype="datetime64[D]")
    if base == WEEKDAYS:
        days = days[np.is_busday(days)]
        days = days[~np.isin([str(day)[5:] for day in days], DAYS_OFF)]
    ends = _at(days, time, tz)
    begins = ends - np.timedelta64(1, "D")
    return Sessions.fixed(name, tz, days, begins, ends, known=(days[0], days[-1]))


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
