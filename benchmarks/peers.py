"""Us, other packages and the least work on the same data: time, memory, and whether the numbers are
right.

.venv/bin/python benchmarks/peers.py --out peers

Programs are the files of benchmarks/peers, each a process in an environment of its own on one core.
They run in alternation over the numbers of events; above 10,000 events once. A program ends where
it would take more than the limits. `--out` gets table.md, measured.json and peers.svg.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from environments import EnvironmentMissingError, interpreter, own_folder, wanted
from protocol import ESTIMATION, EVENT, Sample
from speed import ONE_CORE, plot, slopes

HERE = Path(__file__).parent
PROGRAMS = {
    path.stem.removeprefix("by_").replace("_", "-"): path
    for path in sorted((HERE / "peers").glob("by_*.py"))
}
OURS, LEAST = "library", "floor"
FIRMS, SESSIONS, EFFECT = 10_000, 500, 0.01
# More rounds than one up to this number of events.
REPEATED = 10_000
TOLERANCE = 1e-6
LABELS = {
    "caar": "CAAR", "patell": "Patell", "bmp": "BMP", "cross_sectional": "cross-sectional t",
    "j1": "J1"
}  # fmt: skip
# Seconds that a process gets for one CPU second of its limit, on a loaded machine.
PATIENCE = 6


class Limits(NamedTuple):
    """What one program may take: CPU seconds of its work, MB of its process."""

    seconds: float
    megabytes: int


@dataclass
class Found:
    """Measurements by (program, events), and why programs ended."""

    measured: dict[tuple[str, int], list[dict[str, Any]]] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)

    def numbers(self, program: str, events: int) -> dict[str, float]:
        """Return the numbers of the first round."""
        found: dict[str, float] = self.measured[program, events][0]["numbers"]
        return found

    def median(self, program: str, events: int, key: str = "seconds") -> float:
        """Return the median over rounds."""
        return median(own[key] for own in self.measured[program, events])

    def ratio(self, program: str, other: str, events: int) -> float:
        """Return the median over rounds of a program's time in units of another's."""
        pairs = zip(
            self.measured[program, events], self.measured.get((other, events), ()), strict=False
        )
        ratios = [a["seconds"] / b["seconds"] for a, b in pairs if b["seconds"] > 0]
        return median(ratios) if ratios else np.nan


def draw(events: int, seed: int = 1) -> Sample:
    """Draw market-model returns of as many firms as events, at most 10,000, with an effect of 1
    %."""
    from eventstudy.calendars import Sessions

    days = Sessions.of("XNYS").dates
    dates = days[days >= np.datetime64("2018-01-02")][:SESSIONS]
    rng, firms = np.random.default_rng(seed), min(events, FIRMS)
    alpha, beta = rng.normal(0, 0.0002, (firms, 1)), rng.uniform(0.5, 1.5, (firms, 1))
    market = rng.normal(0.0003, 0.01, SESSIONS)
    returns = alpha + beta * market + rng.normal(0, 0.02, (firms, SESSIONS))
    first, last = -ESTIMATION[0], SESSIONS - EVENT[1]
    # Days of a firm differ; the first `firms` events are of different firms.
    days = first + np.argsort(rng.random((firms, last - first)), axis=1)[:, : -(-events // firms)]
    firm, day = np.tile(np.arange(firms), days.shape[1])[:events], days.T.ravel()[:events]
    returns[firm[:firms], day[:firms]] += EFFECT
    return Sample(dates, market, returns, firm, day)


def compare(
    programs: dict[str, Path], sizes: Sequence[int], *, rounds: int, cache: Path, limits: Limits
) -> Found:
    """Measure all programs in alternation on samples that are drawn once."""
    found, pythons = Found(), {}
    for name, path in programs.items():
        try:
            pythons[name] = interpreter(path, cache)
        except EnvironmentMissingError as missing:
            found.ended[name] = str(missing)
            say(f"{name}: {missing}")
    with tempfile.TemporaryDirectory() as folder:
        files = {events: Path(folder) / f"{events}.npz" for events in sizes}
        for events, file in files.items():
            draw(events).save(file)
        for turn in range(rounds):
            for events in sizes if turn == 0 else [e for e in sizes if e <= REPEATED]:
                for name, python in pythons.items():
                    order = [python, str(programs[name]), str(files[events])]
                    one_turn(found, name, events, order, limits)
    return found


def one_turn(found: Found, name: str, events: int, order: Sequence[str], limits: Limits) -> None:
    """Measure one program once, or note why it ends; where it ended it is not tried again."""
    if name in found.ended and (name, events) not in found.measured:
        return
    smaller = max(
        (e for program, e in found.measured if program == name and e < events), default=None
    )
    if smaller is not None:
        taken = found.median(name, smaller)
        if taken * events / smaller > limits.seconds:
            found.ended[name] = f"{events:,} events not tried, {taken:.0f} s for {smaller:,}"
            return
    try:
        own = measure(order, limits)
    except RuntimeError as failed:
        found.ended[name] = f"{events:,} events: {failed}"
        say(f"{name} {events}: {failed}")
        return
    found.measured.setdefault((name, events), []).append(own)
    say(f"{name} {events}: {own['seconds']:.3f} s, {own['memory']:.0f} MB")


def measure(order: Sequence[str], limits: Limits) -> dict[str, Any]:
    """Run a program of benchmarks/peers and return its line.

    Raises
    ------
    RuntimeError
        It broke a limit, or failed.
    """
    env = {**os.environ, **ONE_CORE, "PYTHONPATH": str(HERE), "MPLBACKEND": "agg"}
    order = [*order, *map(str, limits)]
    patience = PATIENCE * limits.seconds + 60
    try:
        done = subprocess.run(
            order, env=env, capture_output=True, text=True, check=False, timeout=patience
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError("out of time") from None
    if done.returncode == -signal.SIGXCPU:
        raise RuntimeError("out of time")
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise RuntimeError("out of memory" if "MemoryError" in last[0] else last[0])
    own: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return own


def table(found: Found) -> str:
    """Return the medians as a table in Markdown."""
    rows = [
        ["events", "program", "CPU s", "x floor", "x library", "MB", "agrees", "differs (ours)"],
        ["---:", "---", *["---:"] * 4, "---", "---"],
    ]
    for program, events in sorted(found.measured, key=lambda key: (key[1], found.median(*key))):
        same, other = agreement(found, program, events)
        rows.append([
            f"{events:,}", version(program), f"{found.median(program, events):.3f}",
            *(times(found.ratio(program, other, events)) for other in (LEAST, OURS)),
            f"{found.median(program, events, 'memory'):.0f}", ", ".join(same), ", ".join(other),
        ])  # fmt: skip
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def times(ratio: float) -> str:
    """Return a ratio as text, "-" where the other program has no time."""
    return f"{ratio:.1f}" if np.isfinite(ratio) else "-"


def agreement(found: Found, program: str, events: int) -> tuple[list[str], list[str]]:
    """Return the statistics of a program that agree with ours, and those that do not, with both
    numbers."""
    if program == OURS or (OURS, events) not in found.measured:
        return [], []
    own, ours = found.numbers(program, events), found.numbers(OURS, events)
    same = [k for k, value in own.items() if abs(value - ours[k]) <= TOLERANCE * abs(ours[k])]
    other = [f"{LABELS[k]} {own[k]:.4g} ({ours[k]:.4g})" for k in own if k not in same]
    return [LABELS[k] for k in same], other


def version(program: str) -> str:
    """Return the name of a program with the version that it has pinned."""
    block = wanted(PROGRAMS[program])
    return block["dependencies"][0].replace("==", " ") if block else program


def fastest_peer(found: Found, events: int) -> tuple[str, float] | None:
    """Return the fastest package that installs beside us, and its time in units of ours."""
    peers = [
        (found.median(program, size), program)
        for program, size in found.measured
        if size == events and wanted(PROGRAMS[program])
    ]
    if not peers or (OURS, events) not in found.measured:
        return None
    name = min(peers)[1]
    return name, found.ratio(name, OURS, events)


def report(found: Found, sizes: Iterable[int]) -> str:
    """Return the table and what is to be said below it."""
    lines = [
        table(found),
        "",
        *(f"{version(name)} ended: {why}" for name, why in found.ended.items()),
    ]
    for events in sizes:
        fastest = fastest_peer(found, events)
        if fastest:
            lines.append(
                f"{events:,} events: {fastest[0]}, the fastest peer, takes {fastest[1]:.0f} x ours"
            )
    return "\n".join([*lines, *slopes(found.measured)])


def say(text: str) -> None:
    """Tell how far the comparison has come."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print the table, and keep it with the numbers and the plot."""
    name = f"eventstudy-peers-{getpass.getuser()}"
    kept = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=kept)
    parser.add_argument("--events", default="100,1000,10000,100000,1000000")
    parser.add_argument(
        "--programs", default=",".join(PROGRAMS), help="by default all: %(default)s"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--limit", type=float, default=120, help="CPU seconds of one program, %(default)s"
    )
    parser.add_argument("--memory", type=int, default=6144, help="MB of one program, %(default)s")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / name, help="environments"
    )
    parser.add_argument("--out", type=Path, help="folder for table.md, measured.json and peers.svg")
    options = parser.parse_args()
    unknown = set(options.programs.split(",")) - PROGRAMS.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PROGRAMS)}")
    programs = {name: PROGRAMS[name] for name in options.programs.split(",")}
    sizes = sorted(int(events) for events in options.events.split(","))
    limits = Limits(options.limit, options.memory)
    found = compare(
        programs, sizes, rounds=options.rounds, cache=own_folder(options.cache), limits=limits
    )  # fmt: skip
    print(report(found, sizes))
    if options.out:
        keep(found, sizes, options.out)


def keep(found: Found, sizes: Iterable[int], folder: Path) -> None:
    """Write table, numbers and plot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(report(found, sizes) + "\n")
    rows = [
        {"program": program, **own} for (program, _), all_ in found.measured.items() for own in all_
    ]
    (folder / "measured.json").write_text(
        json.dumps({"measured": rows, "ended": found.ended}, indent=1)
    )
    plot(found.measured, folder / "peers.svg")


if __name__ == "__main__":
    main()
