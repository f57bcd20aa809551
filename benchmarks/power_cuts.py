"""Cut the power at every step of a refresh, and look what the next night makes of the disk.

    .venv/bin/python benchmarks/power_cuts.py
    .venv/bin/python benchmarks/power_cuts.py --every 10

A refresh with `--on-change` is watched: at each step that Python reports (a file opened to be
written, renamed or removed, a folder made) and at each flush, the folder of runs is copied as a
disk would have it had the power gone then. What was renamed is renamed, as file systems with a
journal keep the order of names; but of a file that was not flushed since it was written there is
nothing, or the first half, in turn. A flush makes all names before it last; a message that was sent
between a step and the next flush was sent although the step may be lost.

On each of these disks the run must be the old one or the new one, whole. Then a calm refresh
follows, after which the run must be the new one, its command have run for the change, and each time
with the same id; nothing may be left behind.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import stat
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from refresh_kill import HOOK, LISTS, announce, check, made, mark_of, refresh, refuse_leftovers

FORK = multiprocessing.get_context("fork")
# Events of Python that change files; an open one does if it is opened to be written.
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate")


class Disk:
    """What a disk has of a folder, step by step, if the power goes."""

    def __init__(self, folder: Path, images: Path, every: int) -> None:
        self.folder, self.images, self.every = folder, images, every
        self.flushed = dict[int, tuple[int, int]]()
        self.steps = list[dict[str, Any]]()
        self.is_copying = False
        self.flush = os.fsync

    def watch(self) -> None:
        """Copy the folder at each step of this process from now on; what is there has lasted."""
        for path in (self.folder / "reports").rglob("*"):
            state = path.stat()
            self.flushed[state.st_ino] = (state.st_mtime_ns, state.st_size)
        os.fsync = self._flush
        sys.addaudithook(self._step)

    def _flush(self, handle: int) -> None:
        self.flush(handle)
        state = os.fstat(handle)
        self.flushed[state.st_ino] = (state.st_mtime_ns, state.st_size)
        self.copy("flush")

    def _step(self, event: str, args: tuple[Any, ...]) -> None:
        writes = (
            event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if (writes or event in CHANGES) and "reports" in str(args[0]) and not self.is_copying:
            self.copy(event)

    def copy(self, event: str) -> None:
        """Copy what the disk has before the step that an event announces, or after a flush."""
        self.is_copying = True
        number = len(self.steps)
        image = self.images / f"{number:05d}"
        is_kept = number % self.every == 0
        if is_kept:
            self._copy(self.folder / "reports", image, halves=number % (2 * self.every) == 0)
        sent = self.folder / "delivered"
        n_sent = len(sent.read_text().splitlines()) if sent.exists() else 0
        self.steps.append({"event": event, "image": image.name if is_kept else "", "sent": n_sent})
        self.is_copying = False

    def _copy(self, source: Path, target: Path, *, halves: bool) -> None:
        target.mkdir()
        for entry in os.scandir(source):
            state = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(state.st_mode):
                self._copy(source / entry.name, target / entry.name, halves=halves)
                continue
            data = Path(entry.path).read_bytes()
            is_flushed = self.flushed.get(state.st_ino) == (state.st_mtime_ns, state.st_size)
            if not is_flushed:
                data = data[: len(data) // 2] if halves else b""
            (target / entry.name).write_bytes(data)


def watched(folder: Path, arguments: list[str], images: Path, every: int) -> None:
    """Refresh in this process, and write the steps of its disk to a file."""
    disk = Disk(folder, images, every)
    disk.watch()
    try:
        refresh(folder, arguments, 0)
    finally:
        disk.copy("end")
        (images / "steps.json").write_text(json.dumps(disk.steps))


def run_in_child(work: Any, *arguments: Any) -> None:
    """Call a function in a process of its own; AssertionError if it fails."""
    child = FORK.Process(target=work, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == 0, (arguments[0] / "stderr").read_text()


def cut(folder: Path, every: int, mark: int) -> Counter[str]:
    """Watch one refresh, and go on from each of its disks; AssertionError if one was not mended.

    Parameters
    ----------
    folder : Path
        Of a study; its `reports` have the run before, or nothing.
    every : int
        Which steps are tried.
    mark : int
        Of the events that the refresh finds new.
    """
    arguments = [
        *made(folder)[3:],
        "--event-pages",
        "0",
        "--quiet",
        "--on-change",
        "/bin/sh hook.sh",
    ]
    images, run = folder.with_name(f"images-{mark}"), folder / "reports" / "events"
    images.mkdir()
    (folder / "reports").mkdir(exist_ok=True)
    announce(folder, LISTS[mark % 2], f"-{mark}")
    run_in_child(watched, folder, arguments, images, every)
    lines = (folder / "delivered").read_text().splitlines(keepends=True)
    steps, found = json.loads((images / "steps.json").read_text()), Counter[str]()
    for number, step in enumerate(steps):
        found["steps"] += 1
        found["flushes"] += step["event"] == "flush"
        if not step["image"]:
            continue
        later = steps[number + 1 :]
        until = next((k for k, other in enumerate(later) if other["event"] == "flush"), len(later))
        sent = max([step["sent"], *(other["sent"] for other in later[:until])])
        shutil.rmtree(folder / "reports")
        shutil.copytree(images / step["image"], folder / "reports")
        (folder / "delivered").write_text("".join(lines[:sent]))
        if run.exists():
            found["old run" if check(run) != LISTS[mark % 2] else "new run"] += 1
        else:
            assert mark == 0, "the run is gone"
            found["no run"] += 1
        run_in_child(refresh, folder, arguments, 0)
        assert check(run) == LISTS[mark % 2]
        index = (folder / "reports" / "index.html").read_text()
        assert "events/report.html" in index, (number, step, "the index was not written again")
        entries = [json.loads(line) for line in (folder / "delivered").read_text().splitlines()]
        ids = [entry["id"] for entry in entries if mark_of(entry) == mark]
        assert len(set(ids)) == 1, (number, step, ids)
        found["sent again"] += len(ids) - 1
        # The lock of a finished delivery, and the outbox without its last entry: the next change
        # has its own.
        (run.parent / ".events.on-change.lock").unlink(missing_ok=True)
        with suppress(OSError):
            (run / "outbox").rmdir()
        refuse_leftovers(run)
    return found


def main() -> None:
    """Cut the power in a first run and in a refresh, and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, help="which steps are tried")
    asked, began = parser.parse_args(), time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        folder.mkdir()
        (folder / "hook.sh").write_text(HOOK)
        for mark, name in enumerate(("first run", "refresh")):
            counts = cut(folder, asked.every, mark)
            listed = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            print(f"{name}: {listed}; 0 broken, 0 lost, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
