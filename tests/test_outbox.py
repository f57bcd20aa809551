"""The outbox: a change has its command run, whatever ends the refresh, and whatever cannot be
printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from run_folders import FIRMS, Project, contents, invoke
from seeds import seed
from test_runs_refresh import refresh

from eventstudy.runs import Record, refresh_run, verify_run
from eventstudy.runs.compare import read_changes
from eventstudy.runs.outbox import LARGEST, waiting

HOOK = """{ tr -d '\\n' < "$EVENTSTUDY_ENTRY"; echo; } >> %s; test -f "$EVENTSTUDY_CHANGES" || exit 1\n"""


class Watched(Project):
    """A project, with a command that writes a line for each entry."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.log, self.hook = folder / "delivered", folder / "hook.sh"
        self.hook.write_text(HOOK % self.log)

    @property
    def told(self) -> list[object]:
        return ["--on-change", f"/bin/sh {self.hook}"]

    @property
    def delivered(self) -> list[dict[str, Any]]:
        """The entries that the command was run for, in order."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines]

    def process(self, *start: object, **streams: Any) -> subprocess.Popen[bytes]:
        """Start a refresh with the command in a process of its own."""
        command = [sys.executable, *map(str, [*start, "refresh", *self.options[:-1], *self.told])]
        return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, **streams)


@pytest.fixture
def watched(settled: Project, tmp_path: Path) -> Watched:
    """One whose run is up to date."""
    made = Watched(tmp_path)
    shutil.copytree(settled.out, made.out)
    return made


def closed() -> int:
    """Return the end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [full, closed])
def test_what_cannot_be_printed_stops_no_command(
    stream: Callable[[], int], watched: Watched
) -> None:
    """Nor a command that prints itself, nor a notice on a lock that was left before there is a new
    run."""
    watched.hook.write_text(f"set -e; echo one; echo two >&2; {HOOK % watched.log}")
    (watched.out / ".events.lock").write_text("process 4242 on elsewhere\n")
    watched.announce(FIRMS[:4])
    nowhere = stream()
    try:
        assert (
            watched.process("-m", "eventstudy", stdout=nowhere, stderr=nowhere).wait(timeout=300)
            == 1
        )
    finally:
        os.close(nowhere)
    assert len(watched.delivered) == 1
    assert Record.read(watched.run).manifest["events"]["ok"] == 4
    assert list(watched.out.glob(".*")) == [], (
        "no lock, and no sign in the index that the run failed"
    )
    assert not waiting(watched.run)
    assert refresh(watched, *watched.told).startswith("nothing new")
    assert len(watched.delivered) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("event", "text", "times", "new"),
    [
        ("ctypes.dlsym", "rename", 1, False),
        ("shutil.rmtree", ".events.new", 1, True),
        pytest.param("os.remove", "outbox", 2, True, marks=pytest.mark.slow),
        pytest.param("os.rmdir", "outbox", 1, True, marks=pytest.mark.slow),
    ],
    ids=["before the swap", "after the swap", "after the command", "acknowledged"],
)
def test_a_kill_loses_no_command(
    event: str, text: str, times: int, new: bool, watched: Watched
) -> None:
    """It is run by the next refresh, again if it had run, with the same id."""
    watched.announce(FIRMS[:4])
    child = watched.process(ROOT / "tests" / "deaths.py", event, text)
    assert child.wait(timeout=300) == -signal.SIGKILL
    assert Record.read(watched.run).manifest["events"]["ok"] == (4 if new else 5)
    assert verify_run(watched.run).ok
    said = refresh(watched, *watched.told)
    assert ("nothing new" in said) == new
    assert len(watched.delivered) == times
    assert {entry["id"] for entry in watched.delivered} == {read_changes(watched.run)[0]["id"]}
    assert not waiting(watched.run)


@pytest.mark.watch
def test_kills_around_the_swap() -> None:
    """A short version of the benchmark."""
    command = [sys.executable, ROOT / "benchmarks" / "refresh_kill.py", "--swaps", "10"]
    command += ["--seed", str(seed(7))]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts = {kind: int(n) for n, kind in re.findall(r"(\d+) ([a-z ]+?)(?=[,;])", done.stdout)}
    assert counts["after the swap"] >= 3
    assert counts["changes"] >= 3


@pytest.mark.slow
def test_changes_pile_up_and_are_delivered_in_order(watched: Watched) -> None:
    """Whatever the run goes through in the meantime; the run is as it was written all the while."""
    for firms in (FIRMS[:4], FIRMS[:3]):
        watched.announce(firms)
        refresh(watched, "--on-change", f"{sys.executable} -c 1/0", code=75)
    watched.announce(FIRMS[:2])
    assert "refreshed" in refresh(watched), "without a command nothing is added"
    watched.study("--model", "constant_mean")
    refresh(watched)
    assert verify_run(watched.run).ok
    ids = [change["id"] for change in read_changes(watched.run)]
    assert [entry.id for entry in waiting(watched.run).values() if entry] == ids[::-1][1:3]
    assert refresh(watched, *watched.told).startswith("nothing new")
    assert [entry["id"] for entry in watched.delivered] == ids[::-1][1:3]
    assert not (watched.run / "outbox").exists()
    assert verify_run(watched.run).ok


@pytest.mark.slow
def test_what_an_entry_says(watched: Watched) -> None:
    watched.announce(FIRMS[:4])
    refresh(watched, *watched.told)
    (entry,) = watched.delivered
    change = read_changes(watched.run)[0]
    assert (entry.pop("id"), entry.pop("at"), entry.pop("text")) == (
        change["id"],
        change["at"],
        change["text"],
    )
    assert entry == {
        "schema": "eventstudy-outbox/1", "run": "events", "kind": "changed",
        "why": ["events.csv changed"],
        "counts": {"removed": 1, "answers": 1, "sources": 1, "flips": 1},
    }  # fmt: skip
    invoke("refresh", *watched.options, "--name", "other", *watched.told)
    assert {name: watched.delivered[1][name] for name in ("run", "kind", "counts")} == {
        "run": "other", "kind": "first_run", "counts": {},
    }  # fmt: skip


@pytest.mark.slow
def test_a_command_that_dies_is_run_again(watched: Watched) -> None:
    watched.announce(FIRMS[:4])
    assert "exit code -9" in refresh(watched, "--on-change", "/bin/sh -c 'kill -9 $$'", code=75)
    assert len(waiting(watched.run)) == 1
    refresh(watched, *watched.told)
    assert len(watched.delivered) == 1


@pytest.mark.slow
def test_a_refresh_that_fails_delivers_what_waits(watched: Watched) -> None:
    """Its prices are lost, or its events are damaged: the earlier change is as true as before."""
    watched.announce(FIRMS[:4])
    refresh(watched, "--on-change", f"{sys.executable} -c 1/0", code=75)
    before = contents(watched.run, without="")
    watched.prices.rename(watched.folder / "away")
    said = refresh(watched, "--on-change", f"{sys.executable} -c 1/0", code=75)
    assert "the command of --on-change failed" in said
    assert "the last report is unchanged" in said.splitlines()[-1]
    assert contents(watched.run, without="") == before
    refresh(watched, *watched.told, code=75)
    assert [entry["counts"]["removed"] for entry in watched.delivered] == [1]
    assert not waiting(watched.run)


@pytest.mark.slow
def test_a_refresh_without_a_change_makes_no_entry(watched: Watched) -> None:
    """Rows in another order are computed again, and nothing differs."""
    rows = watched.events.read_text().splitlines()
    watched.events.write_text("\n".join([rows[0], *rows[:0:-1], ""]))
    assert "no event, CAR or answer differs" in refresh(watched, *watched.told)
    assert watched.delivered == []


@pytest.mark.slow
def test_a_library_call_leaves_its_change(watched: Watched) -> None:
    record = Record.read(watched.run)
    watched.announce(FIRMS[:4])
    assert refresh_run(record.origin, watched.run, outbox=True).changed
    assert len(waiting(watched.run)) == 1
    refresh(watched, *watched.told)
    assert len(watched.delivered) == 1


def entry_of(**facts: object) -> dict[str, object]:
    """Return an entry, with some facts in the place of sound ones."""
    sound: dict[str, object] = {
        "schema": "eventstudy-outbox/1", "id": "a" * 32, "at": "2026-01-01T00:00:00+00:00",
        "run": "r",
        "kind": "changed", "why": ["w"], "counts": {"moves": 1}, "text": "t",
    }  # fmt: skip
    return sound | facts


BAD = {
    "empty": "",
    "no JSON": "{",
    "no object": "[]",
    "deep": "[" * 100_000,
    "no letters": b"\xff\xfe",
    "too large": json.dumps(entry_of(text="x" * LARGEST)),
    "another id": json.dumps(entry_of(id="b" * 32)),
    "another version": json.dumps(entry_of(schema="eventstudy-outbox/2")),
    **{
        f"a wrong {name}": json.dumps(entry_of(**{name: 1}))
        for name in ("id", "run", "why", "counts", "text")
    },
    "a wrong reason": json.dumps(entry_of(why=[None])),
    "a wrong count": json.dumps(entry_of(counts={"moves": "1"})),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_no_entry_is_extra(text: str | bytes, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    path = outbox / f"000001-{'a' * 32}.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert waiting(tmp_path) == {path: None}
    path.write_text(json.dumps(entry_of(added="by a later version")))
    assert waiting(tmp_path)[path] is not None


def test_no_entry_of_a_stranger_runs_anything_or_hides(watched: Watched) -> None:
    """Links, pipes and other names are no entries; one that is sound is data for the user's
    command."""
    outbox = watched.run / "outbox"
    outbox.mkdir()
    name = "00000{}-{}.json".format
    (outbox / name(1, "a" * 32)).write_text(
        json.dumps(entry_of(command=f"touch {watched.folder / 'spoofed'}"))
    )
    (outbox / name(2, "b" * 32)).write_text("damaged")
    (outbox / name(3, "c" * 32)).symlink_to(watched.events)
    os.mkfifo(outbox / name(4, "d" * 32))
    (outbox / "hidden.txt").write_text("x")
    assert set(verify_run(watched.run).extra) == {
        f"outbox/{file}" for file in (name(2, "b" * 32), name(3, "c" * 32), "hidden.txt")
    }
    said = refresh(watched, *watched.told)
    assert [name(n, c * 32) in said for n, c in ((1, "a"), (2, "b"), (3, "c"), (4, "d"))] == [
        False,
        True,
        True,
        True,
    ]
    assert [entry["id"] for entry in watched.delivered] == ["a" * 32]
    assert not (watched.folder / "spoofed").exists()
    assert watched.events.exists()


def test_a_linked_outbox_is_none(watched: Watched, tmp_path: Path) -> None:
    """Else a run of a stranger would deliver and remove what waits in another run."""
    outbox = tmp_path / "elsewhere"
    outbox.mkdir()
    file = outbox / f"000001-{'a' * 32}.json"
    file.write_text(json.dumps(entry_of()))
    (watched.run / "outbox").symlink_to(outbox)
    refresh(watched, *watched.told)
    assert watched.delivered == []
    assert file.exists()


@pytest.mark.watch
def test_power_cuts() -> None:
    """A short version of the benchmark: every eighth step of a first run and of a refresh."""
    command = [sys.executable, ROOT / "benchmarks" / "power_cuts.py", "--every", "8"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    first, refreshed = done.stdout.splitlines()
    assert "no run" in first
    assert "new run" in first
    assert "old run" in refreshed
    assert "new run" in refreshed
