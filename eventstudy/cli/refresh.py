"""``eventstudy refresh``: bring a run up to date and report changes; made for schedulers."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import EventStudyError, RunFolderError, hide_secrets
from ..utility import did_you_mean
from . import shared
from .options import MOVED, STUDY_OPTIONS, SWITCH, Number, StudyCommand, options

if TYPE_CHECKING:
    from ..findings import Findings
    from ..runs import Refreshed


# Seconds that it may take.
LONGEST = 300
# Seconds that an ended command has to be gone.
ENDING = 5


def split_command(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    """Return a command, or raise at once if no shell could read it, or there is none such.

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
        If the command is empty, cannot be split, or names no program.
    """
    try:
        if value is not None and not arguments_of(value):
            raise click.BadParameter("the command is empty")
    except ValueError as error:
        raise click.BadParameter(f"{error}") from None
    if value is not None and sys.platform != "win32":
        _require_program(arguments_of(value)[0])
    return value


def _require_program(name: str) -> None:
    """Raise click.BadParameter if a program does not exist: at its first use it is too late."""
    if shutil.which(name):
        return
    path = Path(name)
    if path.is_file():
        is_here = "/" not in name and os.access(path, os.X_OK)
        remedy = f"write ./{name}" if is_here else f"make it executable: chmod +x {name}"
    else:
        folders = [path.parent] if "/" in name else map(Path, os.get_exec_path())
        names = {file.name for folder in folders if folder.is_dir() for file in folder.iterdir()}
        remedy = did_you_mean(path.name, sorted(names), like=0.7)
    fault = f"there is no program {hide_secrets(name)!r} that can be run"
    raise click.BadParameter("; ".join(filter(None, [fault, remedy])))


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
    from ..runs import RunBusyError

    failures: list[str] = []
    try:
        yield failures
    except RunBusyError:  # the process that writes the run delivers
        raise
    except Exception:
        with suppress(EventStudyError):
            shared.notify(*_delivered(command, run))
        raise
    failures += _delivered(command, run)
    for failure in failures:
        again = "the report is written, and the next refresh runs the command again"
        shared.tell("on_change_failed", f"{failure}; {again}", exit_code=shared.LATER)


def _delivered(command: str | None, run: Path) -> list[str]:
    """Deliver what waits in the outbox of a run; return how that failed."""
    from ..runs import Outbox

    if command is None:
        return []
    outbox = Outbox(run)
    advice = "so nothing runs for it: read changes.md, then remove it"
    shared.notify(*(f"{path} is damaged, {advice}" for path in outbox.damaged))
    failure = outbox.deliver(lambda facts: _failure(command, facts))
    return [failure] * bool(failure)


def _failure(command: str, facts: Mapping[str, str]) -> str:
    """Run a command without a shell for an entry; return how it failed, or ""."""
    env = os.environ | {f"EVENTSTUDY_{name}": fact for name, fact in facts.items()}
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
            urls = re.findall(r"\w+://[^\s'\"]+", str(arguments))
            for line in out.read().decode("utf-8", "replace").splitlines():
                text = hide_secrets(line, urls)
                shared.tell("message", text, level="info", logger="on-change")


@click.command(cls=StudyCommand)
@click.argument("target", metavar="[RUN|CONFIG|EVENTS]", required=False, type=shared.EVENTS)
@options(
    *STUDY_OPTIONS,
    ("Refresh", "", ""),
    ("--on-change", {"metavar": "COMMAND", "callback": split_command},
     ("Run a command for each change, with EVENTSTUDY_RUN, EVENTSTUDY_ENTRY and EVENTSTUDY_ID in "
      "its environment. If it fails, the next refresh runs it again.")),
    ("--accept-loss", SWITCH, "Go on without prices or returns that the source no longer has."),
    ("--trust", SWITCH, "Read files outside the folder of RUN that it names, whoever wrote it."),
    ("--wait", (Number(0), "SECONDS", 600),
     "How long to wait for another process that writes the run."),
    MOVED,
)  # fmt: skip
def refresh(
    target: Path | None, config_file: Path | None, on_change: str | None, trust: bool,
    accept_loss: bool, wait: float, threshold: float, as_json: bool, quiet: bool, **settings: Any,
) -> None:  # fmt: skip
    """Bring a run up to date: a RUN folder, or that of a study file or of EVENTS.

    Does nothing, with exit code 0, if nothing is new. Otherwise the study is computed again, and
    changes.json and changes.md in the run folder say what changed.
    """
    from ..findings import FinishedRun
    from ..runs import refresh_run
    from .request import order_of_run, read_order

    if target is not None and target.is_dir():
        order, shown_config = order_of_run(target, config_file, settings, trust=trust)
    else:
        order, shown_config = read_order(config_file, target, settings), None
    order.begin()
    shared.remember(order.out, order.name)
    silent = quiet or as_json
    before = _notices_of(order.folder) if quiet else ()
    # Before stdout, which may be full or closed.
    with delivering(on_change, order.folder) as failures:
        with shared.progress(silent, "prices") as advance, shared.writing(silent):
            done = refresh_run(
                order.origin, order.folder, config=shown_config, command=shared.command_line(),
                moved=threshold, wait=wait, accept_loss=accept_loss,
                outbox=bool(on_change), progress=advance, told=shared.notify,
            )  # fmt: skip
        shared.notify(*_list_due(done.notices, before))
        click.get_current_context().meta[shared.CONFIRMED] = done.confirmed
        _log(done)
    findings = FinishedRun.read(done.folder).findings
    if as_json:
        shared.print_json(_json_document(done))
    elif not quiet:
        shared.display(order.stand_ins(findings) + _as_text(done, findings))
    if failures:
        sys.exit(shared.LATER)
    done.raise_if_partial()
    order.end_if_incomplete(findings)


def _notices_of(folder: Path) -> tuple[str, ...]:
    """Return the notices that a run has told; none if there is no run that can be read."""
    from ..runs import Record

    try:
        facts = Record.read(folder).facts
    except RunFolderError:
        return ()
    return (*facts.notices, *facts.warnings)


def _list_due(notices: Sequence[str], before: Collection[str]) -> list[str]:
    """Return notices less those told before: only stand-ins for prices are told every night."""
    from ..findings import STAND_INS
    from ..words import Reason

    return [n for n in notices if n not in before or Reason.of(n).code in STAND_INS]


def _log(done: Refreshed) -> None:
    """Log the outcome, in the words of ``run`` where a run was written."""
    from ..utility import note

    if done.results is None:
        note("nothing_new", folder=str(done.folder))
        return
    n = len(done.results.events)
    note("run_written", folder=str(done.folder), events=n, used=len(done.results))
    if done.changed:
        differences: dict[str, Any] = done.comparison.counts if done.comparison else {}
        note("changed", why=list(done.why), **differences)


def _as_text(done: Refreshed, findings: Findings) -> str:
    from ..report import Terminal
    from ..words import ascii_text, say

    if done.results is None:
        return f"nothing new: {done.folder} is up to date"
    changes = done.comparison
    same = ["no event, CAR or answer differs"] if changes and changes.same else []
    lines = [f"refreshed: {'; '.join(done.why)}", *(same or [str(changes)] * bool(changes))]
    if n := findings.pooled.flags.get("incomplete_window", 0):
        lines.append(say("terminal.open_windows", n=n))
    lines += [Terminal(findings).answers(), f"Report: {done.folder / 'report.html'}"]
    return ascii_text("\n".join(lines))


def _json_document(done: Refreshed) -> dict[str, Any]:
    changes = done.comparison.to_dict() if done.comparison else None
    return {
        "run": str(done.folder), "written": done.results is not None, "changed": done.changed,
        "why": list(done.why), "changes": changes,
        "held_back": {symbol: error.what for symbol, error in done.held_back.items()},
    }  # fmt: skip
