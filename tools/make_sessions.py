"""Write the snapshot of all sessions of the calendars that data/exchanges.csv names.

    pip install exchange_calendars==4.13.2 pandas==3.0.6
    python tools/make_sessions.py [OUTPUT]

The same versions give the same lines. pandas 3.1 makes exchange_calendars leave out sessions at
weekends (Bombay, Moscow, Seoul): it is refused.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import json
import sys
import warnings
import zoneinfo
from pathlib import Path

import exchange_calendars as xc
import numpy as np

from eventstudy.calendars.exchanges import EXCHANGES
from eventstudy.calendars.schedule import CLOSED, FIRST_HOURS

OUTPUT = Path(__file__).resolve().parents[1] / "eventstudy" / "data" / "sessions.txt.gz"
FIRST_DAY, LAST_DAY = "1990-01-01", "2035-12-31"
EARLIER_FIRST_DAY = {"XNYS": "1950-01-03"}
NAMES = sorted({e.calendar for e in EXCHANGES.values() if e.calendar})
# exchange_calendars, and that of which it makes schedules.
LIBRARIES = (
    "exchange_calendars", "korean_lunar_calendar", "numpy", "pandas", "pyluach", "tzdata"
)  # fmt: skip


def scheduled(name: str) -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
    """Return time zone, dates, opens and closes (UTC) of a calendar by exchange_calendars."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # the bounds are known to the class only, and every calendar covers this short range
        kind = type(xc.get_calendar(name, start="2022-01-03", end="2022-12-28"))
        first = max(EARLIER_FIRST_DAY.get(name, FIRST_DAY), str(kind.bound_min() or "")[:10])
        calendar = kind(start=first, end=min(LAST_DAY, str(kind.bound_max() or LAST_DAY)[:10]))
    table = calendar.schedule
    opens, closes = (
        table[c].dt.tz_convert(None).to_numpy().astype("datetime64[s]") for c in ("open", "close")
    )
    return str(calendar.tz), table.index.to_numpy().astype("datetime64[D]"), opens, closes


def leaves_out_weekends() -> bool:
    """Return whether this pandas makes wrong calendars: Bombay was open on Saturday 2024-01-20."""
    try:
        return np.datetime64("2024-01-20") not in scheduled("XBOM")[1]
    except ValueError:
        return True


def written(name: str) -> str:
    """Return the line of a calendar."""
    tz, dates, opens, closes = scheduled(name)
    hours = np.stack([local_minutes(dates, instants, tz) for instants in (opens, closes)], axis=1)
    kinds, kind = np.unique(hours, axis=0, return_inverse=True)
    days = np.full((dates[-1] - dates[0]).astype(int) + 1, CLOSED, np.uint8)
    days[(dates - dates[0]).astype(int)] = FIRST_HOURS + kind.ravel()
    hours_text = ",".join(f"{a}:{b}" for a, b in kinds)
    return f"{name} {tz} {dates[0]} {hours_text} {days.tobytes().decode('ascii')}\n"


def local_minutes(dates: np.ndarray, instants: np.ndarray, tz: str) -> np.ndarray:
    """Return the local time of `instants` in minutes after midnight of `dates`."""
    zone, utc = zoneinfo.ZoneInfo(tz), zoneinfo.ZoneInfo("UTC")
    walls = [i.replace(tzinfo=utc).astimezone(zone).replace(tzinfo=None) for i in instants.tolist()]
    return (np.array(walls, "datetime64[m]") - dates.astype("datetime64[m]")).astype(int)


def main(output: Path) -> None:
    """Write the file."""
    if leaves_out_weekends():
        sys.exit("this pandas makes exchange_calendars leave out sessions: install pandas<3.1")
    lines = "".join(map(written, NAMES)).encode("ascii")
    head = {library: importlib.metadata.version(library) for library in LIBRARIES}
    head["sha256"] = hashlib.sha256(lines).hexdigest()
    output.write_bytes(gzip.compress(json.dumps(head).encode() + b"\n" + lines, 9, mtime=0))
    print(f"{output}: {len(NAMES)} calendars, {output.stat().st_size} bytes, {head}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)
