"""The command of ``refresh --on-change``: run for each change in the outbox until it succeeds."""

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
from typing import TYPE_CHECKING

import click

from ..errors import EventStudyError
from .shared import LATER, notify, tell

if TYPE_CHECKING:
    from ..runs.outbox import Entry

# Seconds that it may take.
LONGEST = 300
# Seconds that an ended command has to be gone.
ENDING = 5


def split_command(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """Return a command, or raise at once if no shell could read it.

    Parameters
    ----------
    context : click.Context
    parameter : click.Parameter
    value : str or None

    Returns
    -------
    str or None

    Raises
    ------
    click.BadParameter
        If the command is empty or cannot be split.
    """
    try:
        if value is not None and not arguments_of(value):
            raise click.BadParameter("the command is empty")
    except ValueError as error:
        raise click.BadParameter(f"{error} in {value!r}") from None
    return value


def arguments_of(command: str) -> list[str] | str:
    """Return the arguments of a command; on Windows its text, in which paths have backslashes."""
    return command.strip() if sys.platform == "win32" else shlex.split(command)


@contextmanager
def delivering(command: str | None, run: Path) -> Iterator[list[str]]:
    """Run a command for each entry in the outbox of `run` once the block has ended, or failed.

    The entries of an earlier refresh are delivered even if this one finds no prices, or cannot
    print.

    Parameters
    ----------
    command : str or None
    run : Path

    Yields
    ------
    list of str
        Empty; after the block it holds how the command failed, if it did.
    """
    from ..runs.atomic_swap import RunBusyError

    failures: list[str] = []
    try:
        yield failures
    except RunBusyError:  # the process that writes the run delivers
        raise
    except Exception:
        with suppress(EventStudyError):
            notify(_delivered(command, run))
        raise
    failures += _delivered(command, run)
    for failure in failures:
        again = "the report is written, and the next refresh runs the command again"
        tell("on_change_failed", f"{failure}; {again}", exit_code=LATER)


def _delivered(command: str | None, run: Path) -> list[str]:
    """Deliver what waits in the outbox of a run; return how that failed."""
    from ..runs.folder import clear_errors
    from ..runs.outbox import deliver, waiting

    if command is None:
        return []
    bad = [path for path, entry in waiting(run).items() if entry is None]
    advice = "so nothing runs for it: read changes.md, then remove it"
    notify([f"{path} is damaged, {advice}" for path in bad])
    with clear_errors(run):
        failure = deliver(run, lambda path, entry: _failure(command, path, entry))
    return [failure] * bool(failure)


def _failure(command: str, file: Path, entry: Entry) -> str:
    """Run a command without a shell for an entry; return how it failed, or ""."""
    file = file.absolute()
    run = file.parent.parent
    facts = {"RUN": run, "CHANGES": run / "changes.json", "ENTRY": file, "ID": entry.id}
    facts["SUMMARY"] = entry.summary
    env = os.environ | {f"EVENTSTUDY_{name}": str(fact) for name, fact in facts.items()}
    try:
        code = _run(arguments_of(command), env)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return f"the command of --on-change cannot be run ({reason})"
    except subprocess.TimeoutExpired:
        return f"the command of --on-change took longer than {LONGEST} s and was ended"
    return f"the command of --on-change failed with exit code {code}" if code else ""


def _run(arguments: list[str] | str, env: dict[str, str]) -> int:
    """Return the exit code of a command, and repeat its output, even if stderr is closed.

    The command, and what it has started, ends after the time or with this process.
    """
    # A pipe would stay open for the processes that the command leaves behind.
    with tempfile.TemporaryFile() as out:
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
            # A signal amid `wait` may leave its lock behind, so that another one never ends.
            with suppress(subprocess.TimeoutExpired):
                child.wait(ENDING)
            raise
        finally:
            out.seek(0)
            for line in out.read().decode("utf-8", "replace").splitlines():
                tell("message", line, level="info", logger="on-change")
