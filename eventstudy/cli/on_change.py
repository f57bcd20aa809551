"""The command of ``refresh --on-change``: run for each change in the outbox, until it has
succeeded."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import click

from ..errors import EventStudyError
from .shared import say, tell

# Seconds that it may take.
LONGEST = 300


def split_command(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """Refuse a command that no shell could read before any work is done."""
    try:
        if value is not None and not arguments_of(value):
            raise click.BadParameter("the command is empty")
    except ValueError as error:
        raise click.BadParameter(f"{error} in {value!r}") from None
    return value


def arguments_of(command: str) -> list[str] | str:
    """Return what starts a command; on Windows its own text, in which backslashes are parts of
    paths."""
    return command.strip() if sys.platform == "win32" else shlex.split(command)


@contextmanager
def delivering(command: str | None, run: Path) -> Iterator[list[str]]:
    """Run a command for each entry in the outbox of `run` once the block has ended, also if that
    failed.

    What an earlier refresh left is delivered even if this one finds no prices, or cannot print.
    Gives a list: after the block it holds how the command failed, if it did.
    """
    from ..runs.lock import RunBusyError

    failures: list[str] = []
    try:
        yield failures
    except RunBusyError:  # the process that writes the run delivers
        raise
    except Exception:
        with suppress(EventStudyError):
            say(_delivered(command, run))
        raise
    failures += _delivered(command, run)


def _delivered(command: str | None, run: Path) -> list[str]:
    """Deliver what waits in the outbox of a run; return how that failed."""
    from ..runs.folder import clear_errors
    from ..runs.outbox import deliver, waiting

    if command is None:
        return []
    bad = [path for path, entry in waiting(run).items() if entry is None]
    say(
        [
            f"{path} is damaged, so nothing runs for it: read changes.md, then remove it"
            for path in bad
        ]
    )
    with clear_errors(run):
        failure = deliver(run, lambda path, entry: _failure(command, path, entry.id))
    return [failure] * bool(failure)


def _failure(command: str, entry: Path, key: str) -> str:
    """Run a command without a shell for an entry; return how it failed, or ""."""
    entry = entry.absolute()
    run = entry.parent.parent
    facts = {"RUN": run, "CHANGES": run / "changes.json", "ENTRY": entry, "ID": key}
    env = os.environ | {f"EVENTSTUDY_{name}": str(fact) for name, fact in facts.items()}
    try:
        code = _run(arguments_of(command), env)
    except (OSError, ValueError) as error:
        return (
            "the command of --on-change cannot be run "
            f"({getattr(error, 'strerror', None) or error})"
        )
    except subprocess.TimeoutExpired:
        return f"the command of --on-change took longer than {LONGEST} s and was ended"
    return f"the command of --on-change failed with exit code {code}" if code else ""


def _run(arguments: list[str] | str, env: dict[str, str]) -> int:
    """Return the exit code of a command, then repeat what it printed, which a closed stderr must
    not stop."""
    with (
        tempfile.TemporaryFile() as printed
    ):  # a pipe would stay open for what the command leaves behind
        try:
            return _waited(arguments, env, printed)
        finally:
            printed.seek(0)
            for line in printed.read().decode("utf-8", "replace").splitlines():
                tell("message", line, level="info", logger="on-change")


def _waited(arguments: list[str] | str, env: dict[str, str], out: IO[bytes]) -> int:
    """Wait for a command; end it, and what it has started, after the time or with this process."""
    child = subprocess.Popen(  # noqa: S603 - the user's own
        arguments, env=env, stdout=out, stderr=out, start_new_session=sys.platform != "win32"
    )
    try:
        return child.wait(LONGEST)
    except BaseException:
        if sys.platform == "win32":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
