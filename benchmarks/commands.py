"""CPU seconds of whole commands: help, the list of the project beside the imports, many events.

    python benchmarks/commands.py [--rounds 5] [--events 2000,100000]

Each command and the imports of its libraries take turns, each in a process of its own, so that a
busy machine slows both. Printed are medians of user and system seconds, the median of the ratios to
the imports, and the peak memory. The studies of many events are of drawn returns of 500 firms
without an effect, in one round; 5,000 events and more are fitted by batch. Python keeps compiled
modules, as it does for an installed package; the first round, which makes them, does not count.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
MODULES = "pandas, statsmodels.api, scipy.stats, matplotlib.pyplot, jinja2, click"
BATCH_FROM = 5000
FIRMS, SESSIONS = 500, 2500


class Used(NamedTuple):
    """What a process took: user and system seconds, and the most memory (MB)."""

    seconds: float
    memory: float


def run(order: list[str], folder: Path) -> Used:
    """Run a command, which must succeed."""
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.execv(sys.executable, [sys.executable, *order])
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(order)}")
    return Used(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(name: str, order: list[str], folder: Path, rounds: int) -> None:
    """Print what a command takes beside the imports, which run before each round."""
    pairs = [(run(["-c", f"import {MODULES}"], folder), run(order, folder)) for _ in range(rounds)]
    seconds, memory = (statistics.median(own[k] for _, own in pairs) for k in (0, 1))
    imports = statistics.median(first.seconds for first, _ in pairs)
    times = statistics.median(own.seconds / first.seconds for first, own in pairs)
    figures = f"{seconds:8.2f} CPU s{imports:8.2f} imports{times:8.2f} times{memory:8.0f} MB"
    print(f"{name:20}{figures}", flush=True)


def draw(folder: Path, counts: list[int]) -> None:
    """Write drawn returns of many firms, and lists of events."""
    rng = np.random.default_rng(20251119)
    days = pd.bdate_range("2012-01-02", periods=SESSIONS)
    index = rng.standard_t(5, SESSIONS) * 0.008
    firms = [f"S{i:03d}" for i in range(FIRMS)]
    noise = rng.standard_t(5, (SESSIONS, FIRMS)) * rng.uniform(0.01, 0.03, FIRMS)
    returns = pd.DataFrame(index[:, None] * rng.normal(1, 0.3, FIRMS) + noise, days, firms)
    returns = returns.assign(MKT=index).rename_axis("date")
    returns.to_csv(folder / "returns.csv", float_format="%.6f")
    for n in counts:
        day, firm = np.divmod(rng.choice((SESSIONS - 320) * FIRMS, n, replace=False), FIRMS)
        pd.DataFrame({
            "event_id": [f"e{i}" for i in range(n)], "ticker": np.array(firms)[firm],
            "announced_at": days[day + 300].strftime("%Y-%m-%d"), "benchmark": "MKT",
            "direction": rng.choice(["adverse", "relief"], n),
        }).to_csv(folder / f"events{n}.csv", index=False)  # fmt: skip


def main() -> None:
    """Print the seconds."""
    keep = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=keep)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", default="2000,100000")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        folder, ours = Path(name), ["-m", "eventstudy"]
        listed = [*ours, "run", str(ROOT / "events.csv"), "--prices", "sample", "--offline"]
        listed += ["--out", "list"]
        run(listed, folder)
        compare("run of the list", listed, folder, options.rounds)
        compare("--help", [*ours, "--help"], folder, options.rounds)
        counts = [int(n) for n in options.events.split(",") if n]
        draw(folder, counts)
        for n in counts:
            how = ["--returns", "returns.csv", "--calendar", "data", "--offline", "--quiet"]
            order = [*ours, "run", f"events{n}.csv", *how, "--out", f"out{n}"]
            order += ["--engine", "batch"] * (n >= BATCH_FROM)
            compare(f"{n:,} events", order, folder, 1)


if __name__ == "__main__":
    main()
