"""From the stamp of an announcement to day 0, the first session that could react."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any

import numpy as np

from ..calendars import Sessions
from ..errors import DataError
from ..utility import did_you_mean
from ..words import make_error

ASSUMED_TIME = dt.time(12)
FIRST_YEAR, LAST_YEAR = 1950, 2100
HOURS_OF_DAY = 24
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_STAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?)"
    r" ?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)
MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?$")
# Hours from 1 to 12 with their half of the day, and a zone beside the time, as people write them.
_HALF_DAY = re.compile(r"[T ](1[0-2]|0?[1-9]):([0-5]\d) ?([ap])\.?m\.?$", re.ASCII | re.IGNORECASE)
_ZONE_BESIDE = re.compile(
    r"[T ]\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)? (\w+(?:/[\w/]+)?)$", re.ASCII | re.IGNORECASE
)
# Abbreviations that mean one zone, in summer and winter.
ZONES = {
    "ET": "America/New_York", "CT": "America/Chicago", "PT": "America/Los_Angeles", "UTC": "UTC",
    "GMT": "UTC", "MSK": "Europe/Moscow", "HKT": "Asia/Hong_Kong", "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
}  # fmt: skip
# What a column beside a date may tell: a time, though not midnight, or a part of the trading day.
_CLOCK = re.compile(
    r"(\d{4}-\d\d-\d\d[T ])?(?!00:00)\d{1,2}([:h]\d\d(:\d\d(\.\d+)?)?| ?[ap]\.?m\.?)"
    r"( ?[ap]\.?m\.?)? ?([+-][\d:]+|[a-z_/]+)?",
    re.ASCII | re.IGNORECASE,
)
_PART = re.compile(
    r"\b(bmo|dmh|amc|intraday|in[\W_]session)\b"
    r"|\b(before|after|pre|post|during)([\W_].*)?(market|open|close|session|hours|trading|bell)",
    re.IGNORECASE,
)
# Names of winter time that people write all year, and where clocks change.
_WINTER_TIME = {"EST": "America/New_York", "MST": "America/Denver"}
_OTHER_DATE = re.compile(r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})(?:[T ].*)?", re.ASCII)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)
ONE_DAY = dt.timedelta(days=1)


class When(StrEnum):
    """The part of the trading day of the ticker's exchange in which the news came out."""

    BEFORE_OPEN = auto()
    IN_SESSION = auto()
    AFTER_CLOSE = auto()


# As databases of earnings write it: before market open, during market hours, after market close.
_ABBREVIATIONS = {
    "bmo": When.BEFORE_OPEN, "dmh": When.IN_SESSION, "amc": When.AFTER_CLOSE,
}  # fmt: skip
# Words for them that are written beside a date.
_PARTS = {
    "after": When.AFTER_CLOSE, "post": When.AFTER_CLOSE, "amc": When.AFTER_CLOSE,
    "before": When.BEFORE_OPEN, "pre": When.BEFORE_OPEN, "bmo": When.BEFORE_OPEN,
    "during": When.IN_SESSION, "dmh": When.IN_SESSION,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Announcement:
    """When the news came out: an instant where the time is known, otherwise a date.

    Attributes
    ----------
    date : date or None
        The date, for a stamp without a time.
    instant : datetime or None
        The instant in UTC, for a stamp with a time.
    tz : str or None
        Time zone the stamp was given in; None for a bare date, or a time with its own offset.
    when : When or None
        Part of the trading day, where only that is known beside the date.
    """

    date: dt.date | None = None
    instant: dt.datetime | None = None
    tz: str | None = None
    when: When | None = None


def parse_when(text: str) -> When | None:
    """Read a cell of the column ``when``; None for a blank one.

    Parameters
    ----------
    text : str
        ``before_open``, ``in_session`` or ``after_close``; BMO, DMH and AMC mean the same.

    Raises
    ------
    DataError
        For another word.
    """
    word = re.sub(r"[\s-]+", "_", text.casefold())
    if word in ("", *_ABBREVIATIONS):
        return _ABBREVIATIONS.get(word)
    try:
        return When(word)
    except ValueError:
        facts: Any = {"remedy": did_you_mean(word, list(When)), "parts": When}
        raise make_error(DataError, "stamp.no_part", value=text, **facts) from None


def told_time(text: str) -> str:
    """Return whether a cell beside a date tells the ``time``, a ``part`` of the day, or "".

    Parameters
    ----------
    text : str
    """
    return "time" if _CLOCK.fullmatch(text) else "part" if _PART.search(text) else ""


def parse_announcement(text: str, tz: str = "", *, dates_only: bool = False) -> Announcement:
    """Read a stamp: ``YYYY-MM-DD``, or an ISO 8601 timestamp with an offset or a zone.

    Parameters
    ----------
    text : str
        The stamp.
    tz : str
        IANA zone, ``""`` for none. With an offset in `text` the two must agree.
    dates_only : bool
        Whether all stamps beside this one are at midnight: the message says then that these are
        dates.

    Raises
    ------
    DataError
        The stamp is unreadable, before 1950, needs a zone, contradicts it, names a time which the
        clocks of the zone skipped or showed twice, or is of summer in a zone of winter time (EST).
    """
    stamp = _STAMP.fullmatch(text)
    if not stamp:
        return Announcement(date=parse_date(text), tz=tz or None)
    day, time, offset = stamp.groups()
    parse_date(day)
    wall = dt.datetime.fromisoformat(f"{day}T{time}")
    if offset:
        return Announcement(instant=_with_offset(wall, offset, tz), tz=tz or None)
    if not tz:
        at_midnight = "midnights" if dates_only else "midnight"
        raise _fault(at_midnight if MIDNIGHT.search(text) else "no_zone", text, day=day)
    instant = to_instant(wall, tz)
    if (place := _WINTER_TIME.get(tz)) and instant.astimezone(zoneinfo.ZoneInfo(place)).dst():
        raise _fault("winter_time", text, tz=tz, place=place)
    return Announcement(instant=instant, tz=tz)


def day0_position(
    announcement: Announcement, sessions: Sessions, *, cutoff_minutes: float = 0
) -> int:
    """Return the index of day 0, the first session whose close can reflect the news.

    A time before the close (less `cutoff_minutes`) belongs to that session, later ones to the next.
    A date with a time zone is taken as noon there; a date without one is that session, or the next
    when the market is shut. Where `when` of the announcement excludes this session, day 0 is the
    nearest of :func:`candidate_positions`.

    Parameters
    ----------
    announcement : Announcement
    sessions : Sessions
    cutoff_minutes : float
        News so near the close belong to the next session.

    Raises
    ------
    DataError
        The announcement lies outside the sessions known.
    """
    if announcement.instant is not None:
        return sessions.first_after(announcement.instant + dt.timedelta(minutes=cutoff_minutes))
    if announcement.date is None:
        raise DataError("an announcement needs a date or an instant", value=announcement)
    if announcement.tz is None:
        position = sessions.position(announcement.date)
    else:
        noon = dt.datetime.combine(announcement.date, ASSUMED_TIME)
        position = sessions.first_after(to_instant(noon, announcement.tz))
    if announcement.when is None:
        return position
    candidates = candidate_positions(announcement, sessions, cutoff_minutes=cutoff_minutes)
    return min(max(position, candidates[0]), candidates[-1])


def candidate_positions(
    announcement: Announcement, sessions: Sessions, *, cutoff_minutes: float = 0
) -> range:
    """Return the indices of the sessions that could be day 0; one where the time is known.

    Parameters
    ----------
    announcement : Announcement
    sessions : Sessions
    cutoff_minutes : float
        News so near the close belong to the next session.

    Raises
    ------
    DataError
        The announcement lies outside the sessions known.

    Notes
    -----
    The news of a date came out between two midnights of its time zone, or of the exchange if it has
    none. A session is a candidate if its interval [last close, this close) meets that day. `when`
    is about the exchange of the ticker, whatever the time zone. ``before_open`` leaves the first
    candidate that opens after the day has begun, ``in_session`` those that open before it ends, and
    ``after_close`` the last one. A day on which the exchange is closed has one candidate.
    """
    if announcement.instant is not None or announcement.date is None:
        only = day0_position(announcement, sessions, cutoff_minutes=cutoff_minutes)
        return range(only, only + 1)
    zone = announcement.tz or sessions.tz
    shift = dt.timedelta(minutes=cutoff_minutes)
    midnights = (_midnight(announcement.date + days, zone) for days in (0 * ONE_DAY, ONE_DAY))
    start, end = (_in_utc(midnight + shift) for midnight in midnights)
    first = int(np.searchsorted(sessions.closes, start, side="right"))
    last = min(int(np.searchsorted(sessions.closes, end)), len(sessions) - 1)
    if announcement.when is When.BEFORE_OPEN:
        opening = int(np.searchsorted(sessions.opens, start, side="right"))
        first = last = min(max(first, opening), last)
    elif announcement.when is When.IN_SESSION:
        last = max(first, min(last, int(np.searchsorted(sessions.opens, end)) - 1))
    elif announcement.when is When.AFTER_CLOSE:
        first = last
    return range(first, last + 1)


def parts_of_day(instant: dt.datetime, sessions: Sessions) -> tuple[When, ...]:
    """Return what may be said of an instant in the column ``when``.

    Parameters
    ----------
    instant : datetime
        With a time zone.
    sessions : Sessions

    Returns
    -------
    tuple of When
        Both words but ``in_session`` on a day without a session.

    Raises
    ------
    DataError
        The instant lies outside the sessions known.
    """
    position = sessions.first_after(instant)
    if sessions.opens[position] <= _in_utc(instant):
        return (When.IN_SESSION,)
    day = np.datetime64(instant.astimezone(zoneinfo.ZoneInfo(sessions.tz)).date())
    if sessions.dates[position] == day:
        return (When.BEFORE_OPEN,)
    is_past = position > 0 and sessions.dates[position - 1] == day
    return (When.AFTER_CLOSE,) if is_past else (When.BEFORE_OPEN, When.AFTER_CLOSE)


def _midnight(day: dt.date, tz: str) -> dt.datetime:
    """Return the start of a day: its first moment where the clocks skip or repeat midnight."""
    return dt.datetime.combine(day, dt.time(), zoneinfo.ZoneInfo(tz)).astimezone(dt.UTC)


def _in_utc(instant: dt.datetime) -> np.datetime64[dt.datetime]:
    return np.datetime64(instant.astimezone(dt.UTC).replace(tzinfo=None), "s")


def to_instant(wall: dt.datetime, tz: str) -> dt.datetime:
    """Return a wall-clock time of a zone in UTC.

    Parameters
    ----------
    wall : datetime
        Without a zone.
    tz : str
        IANA zone.

    Raises
    ------
    DataError
        The clocks of `tz` skipped that time, or showed it twice.
    """
    zone = zoneinfo.ZoneInfo(tz)
    earlier, later = (wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if earlier == later:
        return earlier
    is_twice = earlier.astimezone(zone).replace(tzinfo=None) == wall
    raise _fault("twice" if is_twice else "skipped", str(wall), tz=tz)


def _with_offset(wall: dt.datetime, offset: str, tz: str) -> dt.datetime:
    shift = "+00:00" if offset in "Zz" else f"{offset[:3]}:{offset[-2:]}"
    try:
        stamp = dt.datetime.fromisoformat(f"{wall.isoformat()}{shift}")
    except ValueError:
        raise _fault("no_offset", offset) from None
    if tz:
        local = stamp.astimezone(zoneinfo.ZoneInfo(tz))
        if local.replace(tzinfo=None) != wall:
            raise _fault("two_zones", f"{wall}{offset}", tz=tz, offset=f"{local:%z}")
    return stamp.astimezone(dt.UTC)


def parse_date(text: str) -> dt.date:
    """Return an ISO date within the years accepted."""
    if not _DATE.fullmatch(text):
        raise _unreadable(text)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise _fault("no_day", text) from None
    if day.year < FIRST_YEAR:
        raise DataError(f"is before {FIRST_YEAR}", value=text)
    if day.year > LAST_YEAR:
        raise DataError("is in the future", value=text)
    return day


def _fault(code: str, value: str, **facts: Any) -> DataError:
    return make_error(DataError, f"stamp.{code}", value=value, **facts)


def _unreadable(text: str) -> DataError:
    """Return the error for a text that is no ISO date, with the date it may be."""
    if serial := _SERIAL.fullmatch(text):
        day = dt.date(1899, 12, 30) + dt.timedelta(days=int(serial[1]))
        return _fault("day_number", text, day=day)
    if date := _OTHER_DATE.fullmatch(text):
        return _from_readings(text, sorted(_readings(*date.groups())))
    if re.fullmatch(r"\d{8}", text, re.ASCII):
        return _from_readings(text, sorted(_readings(text[:4], text[4:6], text[6:])))
    return _fault("no_date", text)


def _from_readings(text: str, readings: list[dt.date]) -> DataError:
    if not readings:
        return _fault("no_day", text)
    if len(readings) > 1:
        either = " or ".join(f"{day} ({day.day} {day:%B})" for day in readings)
        hour = re.search(r"[T ,](\d\d):", text, re.ASCII)
        if hour and int(hour[1]) >= HOURS_OF_DAY:
            return _fault("ambiguous_and_no_hour", text, either=either, hour=hour[1])
        return _fault("ambiguous", text, either=either)
    if part := next((part for word, part in _PARTS.items() if word in text.casefold()), None):
        return _fault("part_of_day", text, day=readings[0], part=part)
    stamp, zone = text, ""
    if beside := _ZONE_BESIDE.search(text):
        zone = beside[1] if "/" in beside[1] else ZONES.get(beside[1].upper(), "")
        stamp = text[: beside.start(1)].strip() if zone else text
    if half := _HALF_DAY.search(stamp):
        at = dt.time(int(half[1]) % 12 + 12 * (half[3] in "pP"), int(half[2]))
        facts = {"time": f"{at:%H:%M}", "zone": zone or "its zone"}
        return _fault("half_day", text, day=readings[0], **facts)
    if zone:
        return _fault("zone_beside", text, stamp=stamp, zone=zone)
    if text.startswith(str(readings[0])):
        return _fault("no_time", text)
    return _fault("other_form", text, day=readings[0])


def _readings(first: str, second: str, third: str) -> set[dt.date]:
    """Return the days that three numbers can mean."""
    orders = [(third, second, first), (third, first, second)]
    if len(first) == 4:
        orders = [(first, second, third)]
    days = set()
    for year, month, day in orders:
        century = {2: 2000, 4: 0}.get(len(year), -9999)
        with contextlib.suppress(ValueError):
            days.add(dt.date(century + int(year), int(month), int(day)))
    return days
