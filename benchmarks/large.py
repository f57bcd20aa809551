"""A study of a million events: the market model and the core tests, on a panel of many symbols.

.venv/bin/python benchmarks/large.py --events 1000000 --firms 20000 --sessions 15000 --workers 2

Draws returns with a share of holes and events without effect, and prints wall and CPU seconds of
every step and the peak memory of the process, the panel included.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pandas as pd

from eventstudy.calendars import Window
from eventstudy.events import Events
from eventstudy.returns import DATA_CALENDAR, ReturnsPanel
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudy
from eventstudy.utility import Workers

Found = TypeVar("Found")
ESTIMATION, EVENT, WINDOW = (-260, -11), (-10, 10), Window(-1, 1)
MARKET = "MKT"
# Firms that are drawn at a time.
BLOCK = 500


def panel_of(firms: int, sessions: int, holes: float, rng: np.random.Generator) -> ReturnsPanel:
    """Draw a market model, some firms at a time; the last row is the market."""
    values = np.empty((firms + 1, sessions))
    spans = np.empty(values.shape, dtype=np.int16)
    values[-1] = market = rng.standard_normal(sessions) * 0.01
    for first in range(0, firms, BLOCK):
        own = values[first : min(first + BLOCK, firms)]
        n = len(own)
        own[:] = rng.standard_normal((n, sessions)) * rng.uniform(0.01, 0.03, (n, 1))
        own += 2e-4 + market * rng.normal(1, 0.3, (n, 1))
        own[rng.random((n, sessions)) < holes] = np.nan
    for first in range(0, firms + 1, BLOCK):
        np.isfinite(
            values[first : first + BLOCK], out=spans[first : first + BLOCK], casting="unsafe"
        )
    names = [*(f"S{i:05d}" for i in range(firms)), MARKET]
    return ReturnsPanel(
        keys=tuple((name, DATA_CALENDAR) for name in names), values=values, spans=spans,
        calendars={DATA_CALENDAR: np.arange(sessions)},
        sessions=np.busday_offset("1960-01-01", np.arange(sessions), roll="forward"),
    )  # fmt: skip


def events_of(panel: ReturnsPanel, events: int, rng: np.random.Generator) -> Events:
    """Draw events, each of a firm and a day with all days around it."""
    names = np.array(panel.symbols, dtype=object)
    firm = rng.integers(0, len(names) - 1, events)
    day = panel.sessions[rng.integers(-ESTIMATION[0], len(panel.sessions) - EVENT[1], events)]
    table = pd.DataFrame({
        "event_id": [f"e{i}" for i in range(events)], "ticker": names[firm],
        "announced_at": day.astype(str),
        "day0": day.astype("datetime64[s]"), "benchmark": MARKET, "exchange": "", "flags": "",
    })  # fmt: skip
    return Events(table=table, source="drawn", sha256="", columns_in=tuple(table.columns))


def timed(what: str, work: Callable[[], Found]) -> Found:
    """Do some work and print what it took."""
    wall, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    found = work()
    now = resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    wall = time.perf_counter() - wall
    print(f"{what:20}{wall:8.1f} s{cpu:8.1f} CPU s{now.ru_maxrss / 1024:8.0f} MB", flush=True)
    return found


def main() -> None:
    """Draw, fit, test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--firms", type=int, default=20_000)
    parser.add_argument("--sessions", type=int, default=15_000)
    parser.add_argument("--holes", type=float, default=0.05)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    panel = timed("draw", lambda: panel_of(options.firms, options.sessions, options.holes, rng))
    events = events_of(panel, options.events, rng)

    def study() -> None:
        fit = timed(
            "fit",
            EventStudy(events, panel, engine="batch", estimation=ESTIMATION, event=EVENT).fit,
        ).abnormal
        for name, statistic in STATISTICS.items():
            if statistic.core and not statistic.per_event:
                timed(name, lambda own=statistic: own(fit, WINDOW))  # type: ignore[misc]

    with Workers(options.workers):
        timed("all but the draw", study)


if __name__ == "__main__":
    main()
