"""What reaches a terminal: no control of its text, and bold on a terminal alone."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from run_folders import QUICK

from eventstudy.words import make_visible

COMMAND = [sys.executable, "-m", "eventstudy"]
# Clears the screen; sets the title; reverses what follows; hides; isolates; a C1 control.
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202edetsurt\u200f\u2066\x9b31m\u2028"
RAW = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
NO_WINDOWS = pytest.mark.skipif(os.name == "nt", reason="terminals of other systems")


def on_a_terminal(*args: object, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a command whose streams are a terminal; return its exit code and what that showed."""
    import pty

    ours, theirs = pty.openpty()
    full = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **(env or {})}
    full.pop("NO_COLOR", None) if not env else None
    child = subprocess.Popen(
        [*COMMAND, *map(str, args)], env=full, stdout=theirs, stderr=theirs,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
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


def piped(*args: object, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, args)], capture_output=True, text=True, encoding="utf-8", input=text,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300, check=False,
    )  # fmt: skip


def test_controls_and_marks_of_direction_are_written_out() -> None:
    shown = make_visible(f"a\tb\n{HOSTILE}\udc80\U000e0041 Ünïcode 華為 ‰")
    assert not RAW.search(shown)
    assert shown.startswith("a\tb\n\\u001b[2J\\u001b]0;owned\\u0007\\u202edetsurt")
    assert shown.endswith("\\udc80\\udb40\\udc41 Ünïcode 華為 ‰")
    assert make_visible(shown) == shown
    document = {HOSTILE: [HOSTILE]}
    assert json.loads(make_visible(json.dumps(document, ensure_ascii=False))) == document


@pytest.mark.slow
def test_one_function_prints() -> None:
    """No module but one writes to a stream; logs have their handler."""
    printing = []
    for path in sorted((ROOT / "eventstudy").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if re.fullmatch(
                r"print|(click\.)?(echo|secho|progressbar|echo_via_pager)|traceback\.print_\w+"
                r"|sys\.std(out|err)\.write",
                called,
            ):
                printing.append((path.name, called))
    assert printing == [("shared.py", "click.echo")]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A file of events whose name and cells are hostile."""
    path = tmp_path / "ev\x1b[31m\u202eents.csv"
    cell = HOSTILE.replace("\u2028", "")
    path.write_text(
        "event_id,ticker,announced_at,company,direction\n"
        f"a{cell},NVDA,2022-08-31,Nvid{cell}ia,{cell}\n"
        f"b{cell},ZZZ{cell},2022-08-31,Z,{cell}\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.slow
@NO_WINDOWS
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_hostile_file_shows_its_controls(command: str, hostile: Path, tmp_path: Path) -> None:
    options = ["--prices", "sample", "--offline", "--out", tmp_path / "o\u202eut\x1b[5m", "-v"]
    options += ["--name", "x", "--calibrate", "0", "--event-pages", "0"]
    args = [command, hostile, *(options if command == "run" else [])]
    code, shown = on_a_terminal(*args)
    assert code in (0, 1, 2)
    assert "\\u001b" in shown
    assert "\\u202e" in shown
    rest = re.sub(r"\x1b\[(1|0)m|\r", "", shown)
    assert not RAW.search(rest), ascii(rest)
    done = piped(*args)
    assert not RAW.search(done.stdout + done.stderr), ascii(done.stdout + done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    "args",
    [
        [HOSTILE], ["run", HOSTILE], ["run", "x.csv", f"--{HOSTILE}"], ["list", HOSTILE],
        ["run", "x.csv", "--model", HOSTILE], [f"--{HOSTILE}"], ["report", HOSTILE],
        ["prices", "show", HOSTILE], ["run", HOSTILE, "--log-format", "text"],
        ["run", HOSTILE, "--log-format", "json"], ["run", HOSTILE, "--debug"],
    ],
)  # fmt: skip
def test_a_hostile_argument_shows_its_controls(args: list[str]) -> None:
    done = piped(*(arg.replace("\x00", "") for arg in args))
    assert done.returncode in (1, 2)
    assert not RAW.search(done.stdout + done.stderr), ascii(done.stderr)
    assert "\\u202e" in done.stderr


@NO_WINDOWS
@pytest.mark.parametrize(
    "env",
    [
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"NO_COLOR": "1"}, marks=pytest.mark.slow),
        pytest.param({"TERM": "dumb"}, marks=pytest.mark.watch),
    ],
)
def test_the_headline_is_bold_on_a_terminal_that_shows_it(
    env: dict[str, str], tmp_path: Path
) -> None:
    events = tmp_path / "events.csv"
    events.write_text("ticker,announced_at\nNVDA,2022-08-31\n", encoding="utf-8")
    args = ["run", events, "--prices", "sample", "--offline", "--out", tmp_path, *QUICK]
    code, shown = on_a_terminal(*args, env=env)
    assert code == 0, shown
    text = shown[shown.index("N") - 4 * (not env) :]
    if env:
        assert "\x1b" not in shown
        return
    assert text.startswith("\x1b[1mN")
    head, bold, rest = text.removeprefix("\x1b[1m").partition("\x1b[0m")
    assert bold
    assert head.rstrip().endswith("the day after.") or "." in head
    assert "\x1b" not in rest
    assert rest.lstrip().startswith("One announcement")
    done = piped(*args)
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) <= 25
