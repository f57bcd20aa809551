"""Size of the sessions of exchanges, and time to load them in a fresh process.

    python benchmarks/calendars.py --events events.csv

Prints, as medians of some processes: one calendar, the calendars of the events, all calendars.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

from eventstudy.calendars import Exchange
from eventstudy.calendars.exchanges import EXCHANGES
from eventstudy.calendars.schedule import OVERRIDES, SESSIONS
from eventstudy.files import read_csv

PROGRAM = """
import sys, time
from eventstudy.calendars.sessions import sessions
start = time.perf_counter()
for name in sys.argv[1:]: sessions(name)
print(time.perf_counter() - start)
"""


def seconds(names: list[str], processes: int) -> float:
    """Return the median time to load calendars."""
    command = [sys.executable, "-c", PROGRAM, *names]
    runs = [subprocess.run(command, capture_output=True, check=True) for _ in range(processes)]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", default="events.csv")
    parser.add_argument("--processes", type=int, default=9)
    options = parser.parse_args()
    homes = map(Exchange.of, read_csv(options.events)["ticker"].unique())
    cases = {
        "one calendar": ["XSHG"],
        options.events: sorted({home.calendar for home in homes if home and home.calendar}),
        "all": sorted({e.calendar for e in EXCHANGES.values() if e.calendar}),
    }
    print("| calendars | number | milliseconds |\n|---|---|---|")
    for case, names in cases.items():
        print(f"| {case} | {len(names)} | {1000 * seconds(names, options.processes):.0f} |")
    sizes = (f"{file.name} {len(file.read_bytes())} bytes" for file in (SESSIONS, OVERRIDES))
    print("\n" + ", ".join(sizes))


if __name__ == "__main__":
    main()
