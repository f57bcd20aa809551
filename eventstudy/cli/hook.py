"""The command of ``refresh --on-change``: run after a change, and again until it has succeeded."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from .parts import LOGGING

# Seconds that it may take.
LONGEST = 300


def split_command(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse a command that no shell could read before any work is done."""
    try:
        if value is not None and not arguments_of(value):
            raise click.BadParameter("the command is empty")
    except ValueError as error:
        raise click.BadParameter(f"{error} in {value!r}") from None
    return value


def arguments_of(command: str) -> list[str] | str:
    """Return what starts a command; on Windows its own text, in which backslashes are parts of paths."""
    return command.strip() if sys.platform == "win32" else shlex.split(command)


def notify(command: str, run: Path, *, changed: bool) -> str:
    """Run a command without a shell if `run` has changed since it last succeeded; say how it failed, or "".

    What it prints goes to stderr, or into the logs where these are wanted: stdout is that of the refresh. A
    file beside the run, ``.NAME.on-change``, remembers that it is due, also if this process is killed. Of two
    refreshes at once only one runs it.
    """
    from ..runs.lock import locked

    due = run.with_name(f".{run.name}.on-change")
    if changed:
        due.write_text(f"{command}\n", encoding="utf-8")
    if not due.exists():
        return ""
    with locked(run.with_name(f"{run.name}.on-change"), wait=LONGEST):
        failed = _failure(command, run.absolute()) if due.exists() else ""
        if not failed:
            due.unlink(missing_ok=True)
    return failed


def _failure(command: str, run: Path) -> str:
    told = {"EVENTSTUDY_RUN": str(run), "EVENTSTUDY_CHANGES": str(run / "changes.json")}
    try:
        code = _run(arguments_of(command), {**os.environ, **told})
    except (OSError, ValueError) as error:
        return f"the command of --on-change cannot be run ({getattr(error, 'strerror', None) or error})"
    except subprocess.TimeoutExpired:
        return f"the command of --on-change took longer than {LONGEST} s and was ended"
    return f"the command of --on-change failed with exit code {code}" if code else ""


def _run(arguments: list[str] | str, env: dict[str, str]) -> int:
    """Return the exit code of a command; logs keep their form whatever it prints."""
    if not click.get_current_context().find_root().meta.get(LOGGING):
        return _waited(arguments, env, 2)
    from ..journal import note

    with tempfile.TemporaryFile() as printed:  # a pipe would stay open for what the command leaves behind
        try:
            return _waited(arguments, env, printed)
        finally:
            printed.seek(0)
            for line in printed.read().decode("utf-8", "replace").splitlines():
                note("message", logger="on-change", text=line)


def _waited(arguments: list[str] | str, env: dict[str, str], out: Any) -> int:
    """Wait for a command; end it, and what it has started, after the time or with this process."""
    own: dict[str, Any] = {} if sys.platform == "win32" else {"start_new_session": True}
    stderr = None if out == 2 else out
    child = subprocess.Popen(arguments, env=env, stdout=out, stderr=stderr, **own)  # noqa: S603 - the user's own
    try:
        return child.wait(LONGEST)
    except BaseException:
        if sys.platform == "win32":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
