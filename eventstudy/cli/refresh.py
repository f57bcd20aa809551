"""``eventstudy refresh``: bring a run up to date and report changes; made for schedulers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .on_change import delivering, split_command
from .options import MOVED, STUDY_OPTIONS, SWITCH, Number, StudyCommand, options
from .shared import (
    EVENTS,
    LATER,
    command_line,
    display,
    notify,
    print_json,
    progress,
    remember,
    writing,
)

if TYPE_CHECKING:
    from ..findings.types import Findings
    from ..fitting.config import StudyConfig
    from ..runs.refresh import Refreshed
    from .request import Order


@click.command(cls=StudyCommand)
@click.argument("target", metavar="[RUN|CONFIG|EVENTS]", required=False, type=EVENTS)
@options(
    *STUDY_OPTIONS,
    ("Refresh", "", ""),
    ("--on-change", {"metavar": "COMMAND", "callback": split_command},
     ("Run a command for each change, with EVENTSTUDY_RUN, EVENTSTUDY_ENTRY and EVENTSTUDY_ID in "
      "its environment. If it fails, the next refresh runs it again.")),
    ("--accept-loss", SWITCH, "Go on without prices that the source no longer has."),
    ("--trust", SWITCH, "Read files outside the folder of RUN that it names, whoever wrote it."),
    ("--wait", (Number(0), "SECONDS", 600),
     "How long to wait for another process that writes the run."),
    MOVED,
)  # fmt: skip
def refresh(
    target: Path | None,
    config_file: Path | None,
    on_change: str | None,
    trust: bool,
    accept_loss: bool,
    wait: float,
    threshold: float,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Bring a run up to date: a RUN folder, or that of a study file or of EVENTS.

    Does nothing, with exit code 0, if nothing is new. Otherwise the study is computed anew, and
    changes.json and changes.md in the run folder say what changed.
    """
    from ..findings.finished_run import read_findings
    from ..runs.refresh import refresh_run

    order, shown_config = _order_of(target, config_file, settings, trust)
    order.begin()
    remember(order.out, order.name)
    silent = quiet or as_json
    # Before stdout, which may be full or closed.
    with delivering(on_change, order.folder) as failures:
        with progress(silent, "prices") as advance, writing(silent):
            done = refresh_run(
                order.origin, order.folder, config=shown_config, command=command_line(),
                moved=threshold, wait=wait, accept_loss=accept_loss,
                outbox=bool(on_change), progress=advance, told=lambda text: notify([text]),
            )  # fmt: skip
        notify(done.notices)
        _log(done)
    findings = read_findings(done.folder)
    if as_json:
        print_json(_json_document(done))
    elif not quiet:
        display(order.stand_ins(findings) + _as_text(done, findings))
    if failures:
        sys.exit(LATER)
    order.end_if_incomplete(findings)


def _order_of(
    target: Path | None, config_file: Path | None, settings: dict[str, Any], trust: bool
) -> tuple[Order, StudyConfig | None]:
    """Return the order, and the settings as they are shown if these differ."""
    from .request import order_of_run, read_order

    if target is not None and target.is_dir():
        return order_of_run(target, config_file, settings, trust=trust)
    return read_order(config_file, target, settings), None


def _log(done: Refreshed) -> None:
    """Log the outcome, in the words of ``run`` where a run was written."""
    from ..utility.log import note

    if done.results is None:
        note("nothing_new", folder=str(done.folder))
        return
    n, used = len(done.results.events), len(done.results)
    note("run_written", folder=str(done.folder), events=n, used=used)
    if done.changed:
        differences: dict[str, Any] = done.comparison.counts if done.comparison else {}
        note("changed", why=list(done.why), **differences)


def _as_text(done: Refreshed, findings: Findings) -> str:
    from ..report.formats.terminal import answers
    from ..utility.catalogue import say
    from ..utility.numbers import ascii_text

    if done.results is None:
        return f"nothing new: {done.folder} is up to date"
    changes = done.comparison
    same = ["no event, CAR or answer differs"] if changes and changes.same else []
    lines = [f"refreshed: {'; '.join(done.why)}", *(same or [str(changes)] * bool(changes))]
    if provisional := findings.pooled.flags.get("incomplete_window", 0):
        lines.append(say("terminal.provisional", n=provisional))
    lines += [answers(findings), f"Report: {done.folder / 'report.html'}"]
    return ascii_text("\n".join(lines))


def _json_document(done: Refreshed) -> dict[str, Any]:
    changes = done.comparison.to_dict() if done.comparison else None
    return {
        "run": str(done.folder), "written": done.results is not None, "changed": done.changed,
        "why": list(done.why), "changes": changes,
    }  # fmt: skip
