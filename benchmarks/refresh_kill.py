"""Kill `eventstudy refresh`, again and again, and look whether a report was broken or a change was
lost.

    .venv/bin/python benchmarks/refresh_kill.py --kills 300
    .venv/bin/python benchmarks/refresh_kill.py --swaps 300

The events of a small study alternate between two lists. With `--kills` a refresh is started and
ended at a random moment by SIGKILL or SIGTERM, the moments drawn so that many fall into the
writing. Then every file of the run folder must be as its manifest says, and all must belong to one
list. At the end a refresh must go through, and leave nothing behind.

With `--swaps` a refresh with `--on-change` is ended by SIGKILL after it has written its new run: at
one of the steps that Python reports (a file opened, renamed or removed, a program started), amid
its command, or at a random moment after the swap. After about every other kill a calm refresh
follows. By then the command must have run for every change that the run folder has shown, in their
order. Each refresh is a process forked from one that has imported everything, which takes half the
time of a new one.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.runs import Record, verify_run

DAYS = pd.bdate_range("2020-01-01", periods=120)
LISTS = (("AAA", "BBB"), ("AAA", "CCC"))
# Share of the time of a whole refresh before which half of the kills fall.
EARLY = 0.4
# What a process does that Python reports, and the file that it opens when a new run lacks its log
# only.
STEPS = ("open", "os", "shutil", "subprocess", "ctypes", "fcntl", "tempfile")
FIRST = ".events.new/changes.json"
# The command of --on-change writes a line for each entry; if asked to, it kills the refresh that
# waits.
HOOK = """\
[ -e before ] && rm before && kill -9 $PPID && exit 1
{ tr -d '\\n' < "$EVENTSTUDY_ENTRY"; echo; } >> delivered
[ -e after ] && rm after && kill -9 $PPID
exit 0
"""
# How a refresh is ended; changes that are there before the first kill.
WAYS = ("step", "step", "step", "before", "after", "moment", "moment")
EARLIER = 2
# Kills between two lines of progress.
OFTEN = 10


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
    options = "--calendar data --estimation -60:-11 --event-window -5:5 --draws 99 --prices px"
    return [sys.executable, "-m", "eventstudy", "refresh", "events.csv", *options.split()]


def announce(folder: Path, names: tuple[str, ...], mark: str = "") -> None:
    """Write one of the lists of events, whose ids end in `mark`."""
    rows = [f"{name}{mark},{name},{DAYS[90 + k]:%Y-%m-%d},MKT" for k, name in enumerate(names)]
    (folder / "events.csv").write_text(
        "\n".join(["event_id,ticker,announced_at,benchmark", *rows, ""])
    )


def check(run: Path) -> tuple[str, ...]:
    """Return which list the run is of; AssertionError if it is broken, or of both."""
    found = verify_run(run)
    assert found.ok, str(found)
    record = Record.read(run)
    names = tuple(record.cells("events.csv")["ticker"])
    assert names in LISTS, names
    assert set(record.cells("tables/car.csv")["ticker"]) == set(names)
    kept = (run / "data" / "events.csv").read_text()
    assert [line.split(",")[1] for line in kept.split()[1:]] == list(names)
    return names


def main() -> None:
    """Kill as often as asked, and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--swaps", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    for work, times in ((anywhere, asked.kills), (around_the_swap, asked.swaps)):
        if times:
            with tempfile.TemporaryDirectory() as place:
                print(work(Path(place), times, random.Random(asked.seed)), flush=True)


def anywhere(folder: Path, kills: int, draw: random.Random) -> str:
    """Kill a refresh at random moments; AssertionError if a report is broken or mixed."""
    began = time.perf_counter()
    run, command = folder / "reports" / "events", made(folder)
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    announce(folder, LISTS[0])
    subprocess.run(command, check=True, **quiet)
    announce(folder, LISTS[1])
    start = time.perf_counter()
    subprocess.run(command, check=True, **quiet)
    whole, current = time.perf_counter() - start, 1
    counts = dict.fromkeys(("amid the writing", "written before", "ended by itself"), 0)
    for done in range(kills):
        report_progress(done, began, counts)
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
    refuse_leftovers(run)
    said = ", ".join(f"{count} {what}" for what, count in counts.items())
    return f"{kills} kills: {said}; 0 broken, 0 mixed, {time.perf_counter() - began:.0f} s"


def around_the_swap(folder: Path, kills: int, draw: random.Random) -> str:
    """Kill a refresh about the swap of its run; AssertionError if the command never ran for a
    change."""
    began, swaps = time.perf_counter(), Swaps(folder)
    steps, counts = swaps.steps(), dict.fromkeys(("after the swap", "calm refreshes"), 0)
    for done in range(kills):
        report_progress(
            done, began, counts | {"changes": len(swaps.seen), "of them waiting": len(swaps.lost())}
        )
        last = swaps.shown()
        announce(folder, LISTS[done % 2], f"-{done + EARLIER}")
        swaps.killed(draw.choice(WAYS), draw.randint(1, steps), draw.uniform(0, 0.4))
        counts["after the swap"] += swaps.shown() != last
        if done == kills - 1 or draw.random() < 0.5:
            swaps.refresh()
            assert not swaps.lost(), swaps.lost()
            counts["calm refreshes"] += 1
    announce(folder, LISTS[kills % 2], f"-{kills + EARLIER}")
    swaps.refresh()
    refuse_leftovers(swaps.run)
    entries = swaps.delivered()
    marks, ids = [mark_of(entry) for entry in entries], {entry["id"] for entry in entries}
    assert marks == sorted(marks), marks
    assert len(ids) == len(set(marks)) == len(swaps.seen), (ids, marks, swaps.seen)
    counts |= {"changes": len(ids), "delivered again": len(entries) - len(ids)}
    listed = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"{kills} kills around the swap: {listed}; 0 lost, {time.perf_counter() - began:.0f} s"


class Swaps:
    """A study whose refreshes are killed about the swap, and what its command was run for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run, self.seen = folder, folder / "reports" / "events", set[int]()
        hook = ("--event-pages", "0", "--quiet", "--on-change", "/bin/sh hook.sh")
        self.arguments = [*made(folder)[3:], *hook]
        (folder / "hook.sh").write_text(HOOK)
        announce(folder, LISTS[0], "-0")
        self.refresh()
        for name in (folder / "modules").read_text().split():
            with suppress(Exception):
                importlib.import_module(name)

    def refresh(self) -> None:
        """Refresh without a kill."""
        child = self.begin()
        child.join()
        assert child.exitcode == 0, (self.folder / "stderr").read_text()
        self.shown()

    def begin(self, last: int = 0) -> Any:
        """Return a process that refreshes, and dies at its `last` step after the new run."""
        fork = multiprocessing.get_context("fork")
        child = fork.Process(target=refresh, args=(self.folder, self.arguments, last))
        child.start()
        return child

    def steps(self) -> int:
        """Return how many steps a refresh has from the new run to its end."""
        announce(self.folder, LISTS[1], "-1")
        self.killed("step", 10**9, 0)
        self.shown()
        return int((self.folder / "steps").read_text())

    def killed(self, way: str, step: int, delay: float) -> None:
        """Refresh, and kill at a step, amid the command, or some seconds after the swap."""
        if way in ("before", "after"):
            (self.folder / way).touch()
        before = (self.run / "manifest.json").stat().st_ino
        child = self.begin(step if way == "step" else 0)
        while way == "moment" and child.exitcode is None:
            if (self.run / "manifest.json").stat().st_ino != before:
                time.sleep(delay)
                child.kill()
                break
            time.sleep(0.001)
        child.join()
        assert child.exitcode in (0, -signal.SIGKILL), (self.folder / "stderr").read_text()
        for flag in ("before", "after"):
            (self.folder / flag).unlink(missing_ok=True)

    def shown(self) -> int:
        """Return which change the run folder shows, and remember it; AssertionError if it is
        broken."""
        check(self.run)
        mark = int(Record.read(self.run).cells("events.csv")["event_id"].iloc[0].rpartition("-")[2])
        self.seen.add(mark)
        return mark

    def delivered(self) -> list[dict[str, str]]:
        """Return the entries that the command was run for."""
        file = self.folder / "delivered"
        return [json.loads(line) for line in file.read_text().splitlines()]

    def lost(self) -> set[int]:
        """Return the changes that the run folder has shown and the command was not run for."""
        return self.seen - {mark_of(entry) for entry in self.delivered()}


def mark_of(entry: dict[str, str]) -> int:
    """Return which change an entry is of; 0 for the first run."""
    mark = re.search(r"Events added\*\*\n\n- \w+-(\d+)", entry["text"])
    return int(mark[1]) if mark else 0


def refresh(folder: Path, arguments: list[str], last: int) -> None:
    """Run the program in this process, and die at its `last` step after the new run; 0 = never.

    The files steps and modules say how many there were, and what was imported.
    """
    from eventstudy.cli.main import main as program

    os.chdir(folder)
    for number, name in ((1, os.devnull), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    steps = 0

    def watch(event: str, args: tuple[object, ...]) -> None:
        nonlocal steps
        if steps or (event == "open" and str(args[0]).replace(os.sep, "/").endswith(FIRST)):
            steps += event.partition(".")[0] in STEPS
            if steps == last:
                os.kill(os.getpid(), signal.SIGKILL)

    if last:
        sys.addaudithook(watch)
    code = program(arguments, prog_name="eventstudy", standalone_mode=False)
    Path("steps").write_text(str(steps))
    Path("modules").write_text("\n".join(sys.modules))
    sys.exit(code)


def refuse_leftovers(run: Path) -> None:
    """Raise if a killed process left something that the last one should have removed."""
    left = [p.name for p in run.parent.iterdir() if p.suffix in (".new", ".old", ".lock")]
    assert not left, left
    assert not (run / "outbox").exists()


def report_progress(done: int, began: float, counts: dict[str, int]) -> None:
    """Say now and then how far it is, and what was counted."""
    if done and done % OFTEN == 0:
        listed = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        print(f"{done} kills: {listed}, {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
