"""Schedules of exchanges on disk, valid for the library versions and time-zone rules they had."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import time
import zoneinfo
from pathlib import Path

import numpy as np

from ..utility.atomic_file import replacing
from ..utility.typing import IntArray

FORMAT = 2
# A new version of any of these may make another schedule: exchange_calendars and its dependencies.
LIBRARIES = (
    "exchange_calendars", "korean_lunar_calendar", "numpy", "pandas", "pyluach", "toolz", "tzdata"
)  # fmt: skip
# A schedule that was not read for so many days is deleted when another one is stored.
DAYS_UNREAD = 90
WEEK = 7 * 24 * 3600
# Every week from 1990 to 2035, as seconds since 1970.
WEEKS = range(631152000, 2082758400, WEEK)


def cache_dir() -> Path:
    """Return the cache folder of the user, which need not exist.

    Raises
    ------
    RuntimeError
        The home folder is not known.
    """
    from platformdirs import user_cache_path

    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "eventstudy"
    # platformdirs leaves "~" where there is no home; expanduser says so
    return user_cache_path("eventstudy", appauthor=False).expanduser()


def load(name: str, first: str, last: str) -> tuple[str, IntArray] | None:
    """Return the time zone and the numbers of a schedule that `keep` wrote, if they are valid.

    Parameters
    ----------
    name : str
        Name of the calendar.
    first, last : str
        ISO dates between which its schedule was made.

    Returns
    -------
    (str, (3, n_sessions) int array) or None

    Notes
    -----
    A file is ignored when a byte of it has changed, when another version of a library made it, or
    when the rules of its time zone have changed since. The first line is the SHA-256 of the
    following bytes, the second one describes the schedule in JSON; little-endian integers follow.
    Nothing is unpickled.
    """
    if (path := _path(name, first, last)) is None:
        return None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        digest, _, body = path.read_bytes().partition(b"\n")
        head, _, numbers = body.partition(b"\n")
        if digest.decode() != hashlib.sha256(body).hexdigest():
            return None
        about = json.loads(head)
        if about != _described(name, first, last, about["tz"]):
            return None
        schedule = np.frombuffer(numbers, "<i8").reshape(3, -1)
        with contextlib.suppress(OSError):
            os.utime(path)
        return str(about["tz"]), schedule
    return None


def keep(name: str, first: str, last: str, tz: str, schedule: IntArray) -> None:
    """Write a schedule for `load`; nothing happens where the folder cannot be written.

    Parameters
    ----------
    name, first, last : str
        As for `load`.
    tz : str
        IANA name of the time zone of the exchange.
    schedule : IntArray, shape (3, n_sessions)
    """
    if (path := _path(name, first, last)) is None:
        return
    head = json.dumps(_described(name, first, last, tz), sort_keys=True).encode()
    body = head + b"\n" + schedule.astype("<i8").tobytes()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        _delete_unread(path.parent)
        with replacing(path) as file:
            file.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def _delete_unread(folder: Path) -> None:
    before = time.time() - DAYS_UNREAD * 24 * 3600
    for file in folder.glob("*calendar-*"):
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < before:
                file.unlink()


def _path(name: str, first: str, last: str) -> Path | None:
    """Return the file of a schedule, named by a hash of its versions; None where not known."""
    if not re.fullmatch(r"\w+", name):
        return None
    try:
        key = json.dumps(_made_by(name, first, last), sort_keys=True)
        return cache_dir() / f"calendar-{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.bin"
    except (RuntimeError, importlib.metadata.PackageNotFoundError):
        return None


def _described(name: str, first: str, last: str, tz: str) -> dict[str, object]:
    return {**_made_by(name, first, last), "tz": tz, "zone_rules": _zone_rules(tz)}


def _made_by(name: str, first: str, last: str) -> dict[str, object]:
    schedule = {"format": FORMAT, "calendar": name, "first": first, "last": last}
    return {**schedule, "versions": {library: _version(library) for library in LIBRARIES}}


_version = functools.cache(importlib.metadata.version)


@functools.cache
def _zone_rules(tz: str) -> str:
    """Return a hash of the offsets from UTC in every week."""
    zone = zoneinfo.ZoneInfo(tz)
    offsets = [dt.datetime.fromtimestamp(week, zone).utcoffset() for week in WEEKS]
    return hashlib.sha256(repr(offsets).encode()).hexdigest()
