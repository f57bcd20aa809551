"""Kill `eventstudy refresh`, again and again, and look whether a report was ever broken or mixed.

    .venv/bin/python benchmarks/refresh_kill.py --kills 300

The events of a small study alternate between two lists. Each time a refresh is started and ended at a random
moment by SIGKILL or SIGTERM, the moments drawn so that many fall into the writing. Then every file of the run
folder must be as its manifest says, and all of them those of one list. In the end a refresh
must go through, and leave nothing behind.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy import verify_run
from eventstudy.runs import Record

DAYS = pd.bdate_range("2020-01-01", periods=120)
LISTS = (("AAA", "BBB"), ("AAA", "CCC"))
# Share of the time of a whole refresh before which half of the kills fall.
EARLY = 0.4


def made(folder: Path) -> list[str]:
    """Write prices, and return the command of a refresh."""
    draw = np.random.default_rng(3)
    market = draw.standard_normal(len(DAYS)) * 0.01
    for name in ("MKT", "AAA", "BBB", "CCC"):
        own = market + (name != "MKT") * draw.standard_normal(len(DAYS)) * 0.015
        close = 50 * np.exp(np.cumsum(own))
        (folder / "px").mkdir(exist_ok=True)
        pd.DataFrame({"date": DAYS.strftime("%Y-%m-%d"), "close": close}).to_csv(
            folder / "px" / f"{name}.csv", index=False
        )
    options = "--calendar data --estimation -60:-11 --window -5:5 --draws 99 --prices px"
    return [sys.executable, "-m", "eventstudy", "refresh", "events.csv", *options.split()]


def announce(folder: Path, names: tuple[str, ...]) -> None:
    """Write one of the lists of events."""
    rows = [f"{name},{name},{DAYS[90 + k]:%Y-%m-%d},MKT" for k, name in enumerate(names)]
    (folder / "events.csv").write_text("\n".join(["event_id,ticker,announced_at,benchmark", *rows, ""]))


def check(run: Path) -> tuple[str, ...]:
    """Return which list the run is of; AssertionError if it is broken, or of both."""
    found = verify_run(run)
    assert found.ok, str(found)
    record = Record.read(run)
    names = tuple(record.cells("events.csv")["ticker"])
    assert names in LISTS, names
    assert set(record.cells("tables/car.csv")["ticker"]) == set(names)
    kept = (run / "data" / "events.csv").read_text()
    assert [line.split(",")[0] for line in kept.split()[1:]] == list(names)
    return names


def main() -> None:
    """Kill as often as asked, and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    draw, began = random.Random(asked.seed), time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run, command = folder / "reports" / "events", made(folder)
        quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        announce(folder, LISTS[0])
        subprocess.run(command, check=True, **quiet)
        announce(folder, LISTS[1])
        start = time.perf_counter()
        subprocess.run(command, check=True, **quiet)
        whole, current = time.perf_counter() - start, 1
        counts = dict.fromkeys(("amid the writing", "written before", "ended by itself"), 0)
        for done in range(asked.kills):
            if done and done % 25 == 0:
                print(f"{done} kills, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
            current = 1 - LISTS.index(check(run))
            announce(folder, LISTS[current])
            child = subprocess.Popen(command, env=dict(os.environ), **quiet)
            late = draw.random() > EARLY
            if late:
                while child.poll() is None and not (run.parent / ".events.new").exists():
                    time.sleep(0.001)
            time.sleep(draw.uniform(0, whole * (1 - EARLY if late else EARLY)))
            amid = (run.parent / ".events.new").exists()
            child.send_signal(draw.choice((signal.SIGKILL, signal.SIGTERM)))
            child.communicate()
            now = LISTS.index(check(run))
            counts["amid the writing"] += amid
            counts["written before"] += now == current
            counts["ended by itself"] += child.returncode == 0
        announce(folder, LISTS[1 - LISTS.index(check(run))])
        subprocess.run(command, check=True, **quiet)
        check(run)
        left = [p.name for p in run.parent.iterdir() if p.suffix in (".new", ".old", ".lock")]
        assert not left, left
    said = ", ".join(f"{count} {what}" for what, count in counts.items())
    print(f"{asked.kills} kills: {said}; 0 broken, 0 mixed, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
