"""What a terminal shows while a study is written, by a real one; nothing of it anywhere else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from run_folders import Project

from eventstudy.utility import listening, step, stepping

COMMAND = [sys.executable, "-m", "eventstudy"]


def on_a_terminal(*args: object) -> tuple[int, str]:
    """Run a command whose stderr is a terminal; return its exit code and what that showed."""
    import pty

    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [*COMMAND, *map(str, args)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        stdin=subprocess.DEVNULL,
    )
    os.close(theirs)
    shown = b""
    # The end of a terminal is an error on Linux.
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass
    os.close(ours)
    return child.wait(timeout=300), shown.decode()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="terminals of other systems")
@pytest.mark.parametrize("command", [pytest.param("run", marks=pytest.mark.slow), "refresh"])
def test_a_terminal_shows_what_is_written(command: str, tmp_path: Path) -> None:
    made = Project(tmp_path)
    options = [*made.options[:-3], "--event-pages", "3"]
    code, shown = on_a_terminal(command, *options)
    assert code == 0, shown
    lines = [text.rstrip() for text in re.split(r"[\r\n]+", shown)]
    order = [
        "tables",
        "tables: paths",
        "findings",
        "event pages  0 of 3",
        "report (html)",
        "onto the disk",
    ]
    at = [lines.index(word) for word in order]
    assert at == sorted(at)
    assert any(re.match(r"prices  \d+ of \d+", line) for line in lines)
    last = shown.rpartition("onto the disk")[2]
    assert last.strip("\r \n") == "", "the line is gone when the report is there"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="terminals of other systems")
@pytest.mark.parametrize("command", ["run", "refresh"])
def test_nothing_of_it_where_it_was_not_asked_for_or_cannot_be_seen(
    command: str, tmp_path: Path
) -> None:
    options = [*Project(tmp_path).options[:-3], "--event-pages", "3"]
    for quiet in (["--quiet"], ["--json"], ["--log-format", "text"]):
        code, shown = on_a_terminal(command, *options, "--name", "other", *quiet)
        assert code == 0, shown
        assert not re.search("tables|event pages|findings", shown)
    piped = subprocess.run(
        [*COMMAND, command, *map(str, options), "--name", "third"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300, check=True,
    )  # fmt: skip
    assert piped.stderr == ""


def test_steps_are_heard_where_one_listens() -> None:
    heard: list[tuple[str, int, int]] = []

    @stepping("inner")
    def work(n: int) -> int:
        step("innermost", 1, n)
        return n

    assert work(2) == 2, "nobody listens, nothing happens"
    with listening(lambda *said: heard.append(said)):
        step("outer")
        assert work(3) == 3
    step("after")
    assert heard == [("outer", 0, 0), ("inner", 0, 0), ("innermost", 1, 3), ("outer", 0, 0)]
