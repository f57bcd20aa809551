"""The sessions that exchange_calendars gives, as data: ``tools/make_sessions.py`` writes them.

``data/sessions.txt.gz`` has one line a calendar behind its head (JSON: the versions that made it,
and the SHA-256 of all lines): name, time zone, first day, hours, and a letter for each day. A dot
is a day without a session, ``a`` one with the first hours, ``b`` with the second ones. Hours are
minutes after midnight of that day in local time, ``open:close``.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import zoneinfo
from collections.abc import Mapping
from importlib.resources import files

import numpy as np

from ..errors import DataError
from ..utility.registry import did_you_mean
from ..utility.typing import DateArray

DATA = files("eventstudy") / "data"
SESSIONS, OVERRIDES = DATA / "sessions.txt.gz", DATA / "session_overrides.csv"
CLOSED, FIRST_HOURS = ord("."), ord("a")


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
    zone, walls = zoneinfo.ZoneInfo(tz), walls.astype("datetime64[s]")
    weeks = walls.astype("datetime64[W]")
    edges: DateArray = np.arange(weeks.min(), weeks.max() + np.timedelta64(2, "W"))
    at, offsets = (weeks - edges[0]).astype(np.int64), _offsets(edges, zone)
    out = offsets[at]
    changing = out != offsets[at + 1]
    out[changing] = _offsets(walls[changing], zone)
    instants: DateArray = walls - out
    return instants


def _offsets(walls: DateArray, zone: zoneinfo.ZoneInfo) -> DateArray:
    times = walls.astype("datetime64[s]").tolist()
    seconds = [zone.utcoffset(time).total_seconds() for time in times]  # type: ignore[union-attr]
    return np.array(seconds).astype("timedelta64[s]")


def version() -> str:
    """Return the version of exchange_calendars, and a hash of its sessions and our overrides."""
    head, _ = _snapshot()
    content = str(head["sha256"]).encode() + OVERRIDES.read_bytes()
    return f"{head['exchange_calendars']}+{hashlib.sha256(content).hexdigest()[:12]}"


@functools.cache
def _snapshot() -> tuple[dict[str, str], Mapping[str, str]]:
    """Return the head, and the line of each calendar behind its name."""
    head, *lines = gzip.decompress(SESSIONS.read_bytes()).decode("ascii").splitlines()
    named = (line.partition(" ") for line in lines)
    return json.loads(head), {name: line for name, _, line in named}
