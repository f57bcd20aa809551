"""Time and memory against the number of events, beside the least work that gives the same numbers.

.venv/bin/python benchmarks/speed.py --events 100,1000,10000,100000 --plot speed.svg

Each measurement is a process of its own on one core, in alternation: user and system CPU seconds of
the work without imports and data, and peak memory. On a loaded machine only the ratios mean
something.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from floor import Drawn

    from eventstudy.abnormal import AbnormalReturns
    from eventstudy.returns import ReturnsPanel

ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
WINDOW = (-1, 1)
WARM_UP = 20
TESTS = ("patell", "bmp")


def floor_work(events: int) -> Callable[[], object]:
    """Return the least work."""
    import floor

    drawn = floor.draw(events)
    return lambda: floor.floor(drawn, WINDOW)


def library_work(
    events: int, engine: str = "batch", tests: Sequence[str] = TESTS
) -> Callable[[], object]:
    """Return windows, fit and tests of the library on the same data."""
    import floor
    import scipy.sparse
    import scipy.special  # noqa: F401 - not part of the work

    from eventstudy.calendars import Window
    from eventstudy.significance import STATISTICS

    drawn = floor.draw(events)
    panel, names = drawn.panel, tests or [name for name, own in STATISTICS.items() if own.core]

    def work() -> object:
        fit = fitted(drawn, panel, engine)
        return [
            STATISTICS[n](fit, Window(*WINDOW)).statistic
            for n in names
            if not STATISTICS[n].per_event
        ]

    return work


def fitted(drawn: Drawn, panel: ReturnsPanel, engine: str) -> AbnormalReturns:
    """Return windows and fit of the library."""
    import floor
    import numpy as np

    from eventstudy.calendars import Window
    from eventstudy.models import MODELS
    from eventstudy.utility import KEPT
    from eventstudy.windows import build_windows

    n = len(drawn.firm)
    windows = build_windows(
        panel, calendars=["data"] * n, day0=panel.sessions[drawn.day0], rows=drawn.firm,
        factor_rows=np.full((n, 1), len(panel.values) - 1), estimation=Window(*floor.ESTIMATION),
        event=Window(*floor.EVENT), keep_days=n <= KEPT,
    )  # fmt: skip
    return MODELS["market"]().fit(windows, engine=engine)


def battery_work(events: int) -> Callable[[], object]:
    """Return the same with all core tests, correlation and ranks included."""
    return library_work(events, tests=())


def single_work(events: int) -> Callable[[], object]:
    """Return the same event by event, as ordinary runs do it."""
    return library_work(events, engine="statsmodels")


PROGRAMS = {
    "floor": floor_work,
    "library": library_work,
    "battery": battery_work,
    "one by one": single_work,
}
# More events than this take minutes and tell nothing new.
MOST = {"one by one": 10_000}


def measure(program: str, events: int) -> dict[str, float]:
    """Return CPU seconds and peak memory (MB) of one program; this process runs nothing else."""
    # Loads what the program loads when it is first used.
    PROGRAMS[program](WARM_UP)()
    work = PROGRAMS[program](events)
    before = cpu()
    work()
    taken = cpu() - before
    return {"seconds": taken, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def cpu() -> float:
    """Return the user and system seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def alternating(sizes: Sequence[int], rounds: int) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Yield (program, events, measurement), each program in turn, for every round."""
    for _ in range(rounds):
        for events in sizes:
            for program in PROGRAMS:
                if events <= MOST.get(program, events):
                    order = [sys.executable, __file__, "--one", program, str(events)]
                    done = subprocess.run(
                        order, env={**os.environ, **ONE_CORE}, check=True, capture_output=True
                    )
                    yield program, events, json.loads(done.stdout)


def table(found: dict[tuple[str, int], list[dict[str, float]]]) -> str:
    """Return the medians as text: seconds, times the floor of the same round, peak memory."""
    lines = [f"{'events':>8}  {'program':12}{'CPU s':>9}{'x floor':>9}{'MB':>7}"]
    for (program, events), own in sorted(found.items(), key=lambda item: item[0][1]):
        pairs = zip(own, found["floor", events], strict=False)
        ratio = statistics.median(a["seconds"] / b["seconds"] for a, b in pairs)
        seconds, memory = (statistics.median(o[key] for o in own) for key in ("seconds", "memory"))
        lines.append(f"{events:8d}  {program:12}{seconds:9.3f}{ratio:9.1f}{memory:7.0f}")
    return "\n".join([*lines, *slopes(found)])


def slopes(found: dict[tuple[str, int], list[dict[str, float]]]) -> list[str]:
    """Say by which power of the number of events time grows, between the two largest sizes."""
    import math

    out = []
    for program in dict.fromkeys(name for name, _ in found):
        at = sorted(events for name, events in found if name == program)[-2:]
        if len(at) == 2:
            low, high = (statistics.median(o["seconds"] for o in found[program, e]) for e in at)
            power = math.log(high / low) / math.log(at[1] / at[0])
            out.append(
                f"{program}: time grows with events to the power {power:.2f} from {at[0]} to "
                f"{at[1]}"
            )
    return out


def plot(found: dict[tuple[str, int], list[dict[str, float]]], file: Path) -> None:
    """Draw time and memory against events on logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, key, label in zip(
        figure.subplots(1, 2),
        ("seconds", "memory"),
        ("CPU seconds", "peak memory, MB"),
        strict=True,
    ):
        for program in dict.fromkeys(name for name, _ in found):
            at = sorted(events for name, events in found if name == program)
            values = [
                statistics.median(own[key] for own in found[program, events]) for events in at
            ]
            axes.loglog(at, values, marker="o", label=program)
        axes.set(xlabel="events", ylabel=label)
        axes.grid(visible=True, alpha=0.3)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right center")
    figure.savefig(file)


def main() -> None:
    """Measure, print the table, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", default="100,1000,10000,100000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--one", nargs=2)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], int(options.one[1]))))
        return
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for program, events, own in alternating(
        [int(e) for e in options.events.split(",")], options.rounds
    ):
        found.setdefault((program, events), []).append(own)
        print(f"{program} {events}: {own['seconds']:.3f} s", file=sys.stderr)
    print(table(found))
    if options.plot:
        plot(found, options.plot)


if __name__ == "__main__":
    main()
