"""Where the time of an ordinary run goes: 120 events, prices of a stand-in for Yahoo, the page and
all files.

    python benchmarks/ordinary.py [--events 120] [--rounds 3]

The command runs as its users run it, in processes of its own, once with an empty store of prices
and once with a full one. A sampling profiler (py-spy, `pip install py-spy`) looks a hundred times a
second at what its main thread does; the table has the median seconds of each step, waiting
included.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from yahoo_standin import Yahoo, synthetic  # noqa: E402

RATE = 100
# Steps by the innermost frame that has one of these (function, file); "" is any.
STEPS = {
    "import": [("<module>", ""), ("_find_and_load", "")],
    "events file": [("read_events", ""), ("read_rows", "")],
    "prices: Yahoo": [("ask_all", "_wire.py")],
    "prices: all else": [("load_returns", "load.py")],
    "windows and fits": [("fitted", "fit.py")],
    "tables and tests": [("write_tables", "contents.py")],
    "draws on other dates": [("draw", "shifted_dates.py")],
    "figures": [("write_figures", "figure_files.py")],
    "event pages": [("event_pages", "pages.py"), ("list_events", "listed_events.py")],
    "page": [("render_report", "pages.py")],
    "other formats": [
        ("markdown", "pages.py"),
        ("latex_tables", "latex.py"),
        ("text", "finished_run.py"),
    ],
    "kept prices": [("freeze_series", "contents.py"), ("compress", "contents.py")],
    "manifest, index": [
        ("manifest_of", ""),
        ("seal", ""),
        ("show", "index.py"),
        ("swap", "atomic_swap.py"),
    ],
    "terminal": [("_show", "run.py")],
}


def written(events: int, file: Path) -> list[str]:
    """Write an events file of firms with one event each, and return all tickers that it needs."""
    draw = random.Random(1)
    rows = []
    for i in range(events):
        day = date(2019, 3, 1) + timedelta(days=draw.randrange(1200))
        direction = draw.choice(["adverse", "relief"])
        rows.append(
            [f"e{i}", f"FIRM{i:03d}", day.isoformat(), f"Firm {i}", direction, f"Announcement {i}"]
        )
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["event_id", "ticker", "announced_at", "company", "direction", "source"])
        writer.writerows(rows)
    return [row[1] for row in rows] + ["^GSPC"]


def profiled(order: list[str], env: dict[str, str], out: Path) -> dict[str, float]:
    """Return the seconds of each step of a command, and of all of it."""
    spy = [
        "py-spy",
        "record",
        "--threads",
        "--idle",
        "-f",
        "raw",
        "-r",
        str(RATE),
        "-o",
        str(out),
        "--",
    ]
    whole = [*spy, sys.executable, "-m", "eventstudy", *order]
    subprocess.run(whole, env=env, check=True, capture_output=True)
    return steps(out.read_text(encoding="utf-8").splitlines())


def steps(lines: Iterable[str]) -> dict[str, float]:
    """Return the seconds of each step from the stacks of the profiler."""
    found: dict[str, float] = defaultdict(float)
    for line in lines:
        stack, _, count = line.rpartition(" ")
        _, *frames = stack.split(";")
        if frames and frames[0].startswith("_run_module_as_main"):
            found[step_of(frames)] += int(count) / RATE
    return dict(found)


def step_of(stack: list[str]) -> str:
    """Return the step that the innermost of the frames ``function (file:line)`` belongs to."""
    for frame in reversed(stack):
        function, _, place = frame.partition(" (")
        for step, marks in STEPS.items():
            named = any(
                function.rpartition(".")[2] == name and file in place for name, file in marks
            )
            if named and "eventstudy/__main__.py" not in place:
                return step
    return "other"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    wall: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        tickers = written(asked.events, at / "events.csv")
        series = [synthetic(t, start=date(2017, 6, 1), end=date(2022, 12, 30)) for t in tickers]
        for i in range(asked.rounds):
            with Yahoo(*series) as yahoo:
                env = {
                    **os.environ,
                    **yahoo.env(),
                    "EVENTSTUDY_STORE": str(at / f"store{i}.sqlite"),
                }
                for state in ("empty store", "full store"):
                    order = ["run", str(at / "events.csv"), "--prices", "auto", "--quiet"]
                    begun = time.perf_counter()
                    found[state].append(
                        profiled([*order, "--out", str(at / state / str(i))], env, at / "spy.txt")
                    )
                    wall[state].append(time.perf_counter() - begun)
    print(f"{'step':24}" + "".join(f"{state:>14}" for state in found))
    for step in [*STEPS, "other"]:
        seconds = [
            statistics.median(own.get(step, 0.0) for own in rounds) for rounds in found.values()
        ]
        print(f"{step:24}" + "".join(f"{s:14.2f}" for s in seconds))
    print(f"{'wall':24}" + "".join(f"{statistics.median(own):14.2f}" for own in wall.values()))


if __name__ == "__main__":
    main()
