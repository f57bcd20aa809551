"""The sessions of every market, from exchange_calendars or from the dates of the data."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import importlib.metadata
import io
import os
import re
import sys
import tempfile
import warnings
import zoneinfo
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .errors import DataError
from .exchanges import NO_CALENDAR
from .registry import did_you_mean
from .typing import BoolArray, DateArray

FIRST_DAY, LAST_DAY = "1990-01-01", "2035-12-31"
EARLIER_FIRST_DAY = {"XNYS": "1950-01-03"}
CACHE_FORMAT = 1


# Days that exchange_calendars lists as sessions. Moscow: Bank of Russia, notices of 28 February and 23
# March 2022. Hong Kong: typhoon Saola and the rainstorm of 8 September 2023. Taipei: typhoon Kong-rey.
# Manila: closed by the lockdown of March 2020.
CLOSURES = {
    "XMOS": (("2022-02-28", "2022-03-23"),),
    "XHKG": (("2023-09-01", "2023-09-01"), ("2023-09-08", "2023-09-08")),
    "XTAI": (("2024-10-31", "2024-10-31"),),
    "XPHS": (("2020-03-17", "2020-03-18"),),
}
# Since when a market closes at 16:00 of New York, whatever its own clock says: Sao Paulo at 17:00 or 18:00
# (B3, notices of October 2019, 10 February and 29 September 2022); exchange_calendars has 18:00 all year.
WITH_NEW_YORK = {"BVMF": "2019-11-04"}


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
        what = f"calendar {self.code}: {value} is {side} session known, {bound}"
        return DataError(what, remedy=NO_CALENDAR)


@functools.cache
def sessions(calendar_name: str) -> Sessions:
    """Return every session of a calendar, as far back and ahead as is known.

    The schedule is built once by exchange_calendars and then kept in `cache_dir`; a cache that cannot be
    read or written is ignored. Days in `CLOSURES` are taken out, closes by `WITH_NEW_YORK` are put right.

    Parameters
    ----------
    calendar_name : str
        Name in exchange_calendars, e.g. ``"XSHG"``: `Exchange.calendar`.

    Raises
    ------
    DataError
        There is no such calendar.
    """
    path = _cache_path(calendar_name)
    schedule = _read_cache(path, calendar_name)
    if schedule is None:
        schedule = _build(calendar_name)
        _write_cache(path, schedule)
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
        Calendar of the exchange. Its hours are used on the dates it knows, and on other dates the local
        hours of its nearest earlier session. Without it the hours are 09:30 to 16:00.

    Raises
    ------
    DataError
        `dates` is empty.
    """
    days = np.unique(dates.astype("datetime64[D]"))
    if not len(days):
        raise DataError("has no sessions", where=code)
    opens = _hours(days, tz, like, "opens", dt.time(9, 30))
    closes = _hours(days, tz, like, "closes", dt.time(16))
    return _freeze(Sessions(code, tz, days, opens, closes))


def _hours(days: DateArray, tz: str, like: Sessions | None, which: str, usual: dt.time) -> DateArray:
    """Return the opening or closing instants (UTC) of `days`."""
    if like is None:
        return np.array([_local(day, usual, tz) for day in days], dtype="datetime64[s]")
    known: DateArray = getattr(like, which)
    at = np.clip(np.searchsorted(like.dates, days, side="right") - 1, 0, None)
    out = known[at].copy()
    for i in np.flatnonzero(like.dates[at] != days):
        out[i] = _local(days[i], _local_time(known[at[i]], like.tz), like.tz)
    return out


def _local_time(instant: np.datetime64, tz: str) -> dt.time:
    utc: dt.datetime = instant.astype("datetime64[s]").item()
    return utc.replace(tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(tz)).time()


def _local(day: np.datetime64[dt.date], time: dt.time, tz: str) -> dt.datetime:
    wall = dt.datetime.combine(day.item(), time, zoneinfo.ZoneInfo(tz))
    return wall.astimezone(dt.UTC).replace(tzinfo=None)


@functools.cache
def known_zones() -> frozenset[str]:
    """Return the names of all IANA time zones."""
    return frozenset(zoneinfo.available_timezones())


def cache_dir() -> Path:
    """Return the per-user folder of things that can be made again; it need not exist.

    Raises
    ------
    RuntimeError
        The home folder cannot be told.
    """
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "eventstudy"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "eventstudy" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "eventstudy"
    return Path.home() / ".cache" / "eventstudy"


def _cache_path(name: str) -> Path | None:
    if not re.fullmatch(r"\w+", name):
        return None
    try:
        return cache_dir() / f"calendar-{name}-{_library_version()}-{CACHE_FORMAT}.npz"
    except RuntimeError:
        return None


@functools.cache
def _library_version() -> str:
    return importlib.metadata.version("exchange_calendars")


def _read_cache(path: Path | None, name: str) -> Sessions | None:
    if path is None:
        return None
    # a damaged file fails in many ways (zlib, struct, zipfile, numpy), none of them worth a message
    with contextlib.suppress(Exception), np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
        found = Sessions(name, str(kept["tz"]), kept["dates"], kept["opens"], kept["closes"])
        return found if _is_sound(found) else None
    return None


def _is_sound(found: Sessions) -> bool:
    shapes = {found.dates.shape, found.opens.shape, found.closes.shape}
    kinds = [a.dtype == np.dtype(f"datetime64[{u}]") for a, u in zip(_arrays(found), "Dss", strict=True)]
    ascending = all(bool(np.all(a[1:] > a[:-1])) for a in _arrays(found))
    return len(shapes) == 1 and all(kinds) and len(found) > 0 and ascending and found.tz in known_zones()


def _write_cache(path: Path | None, schedule: Sessions) -> None:
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                dates, opens, closes = _arrays(schedule)
                np.savez_compressed(file, tz=np.array(schedule.tz), dates=dates, opens=opens, closes=closes)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)


def _build(name: str) -> Sessions:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars as xc

        # the bounds are known to the class only, and every calendar covers this short range
        try:
            kind = type(xc.get_calendar(name, start="2022-01-03", end="2022-12-28"))
        except xc.errors.InvalidCalendarName:
            hint = did_you_mean(name, xc.get_calendar_names())
            raise DataError("there is no such trading calendar", value=name, remedy=hint) from None
        first, last = _later(_first_day(name), kind.bound_min()), _earlier(kind.bound_max())
        calendar = kind(start=first, end=last)
    table = calendar.schedule
    opens, closes = (
        table[c].dt.tz_convert(None).to_numpy().astype("datetime64[s]") for c in ("open", "close")
    )
    return Sessions(name, str(calendar.tz), table.index.to_numpy().astype("datetime64[D]"), opens, closes)


def _first_day(name: str) -> str:
    return EARLIER_FIRST_DAY.get(name, FIRST_DAY)


def _later(day: str, bound: Any) -> str:
    return day if bound is None else max(day, f"{bound:%Y-%m-%d}")


def _earlier(bound: Any) -> str:
    return LAST_DAY if bound is None else min(LAST_DAY, f"{bound:%Y-%m-%d}")


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
    there = [_local(day, dt.time(16), "America/New_York") for day in schedule.dates[late]]
    closes[late] = np.minimum(closes[late], np.array(there, dtype="datetime64[s]"))
    return replace(schedule, closes=closes)


def _freeze(schedule: Sessions) -> Sessions:
    for array in _arrays(schedule):
        array.flags.writeable = False
    return schedule


def _arrays(schedule: Sessions) -> tuple[DateArray, DateArray, DateArray]:
    return schedule.dates, schedule.opens, schedule.closes
