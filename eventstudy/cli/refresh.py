"""``eventstudy refresh``: bring a run up to date and report changes; made for schedulers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .compare import moved_option
from .json_output import print_json
from .on_change import delivering, split_command
from .options import study_options
from .shared import (
    EXIT_CODES,
    LATER,
    PATH,
    command_line,
    debug_option,
    progress,
    remember,
    say,
    say_home,
    tell,
    writing,
)

if TYPE_CHECKING:
    from ..findings.types import Findings
    from ..fitting.config import StudyConfig
    from ..runs.origin import Origin
    from ..runs.refresh import Refreshed
    from .request import Order


@click.command(epilog=EXIT_CODES)
@click.argument("target", metavar="[RUN|CONFIG|EVENTS]", required=False, type=PATH)
@study_options
@click.option(
    "--on-change", metavar="COMMAND", callback=split_command,
    help="Run a command for each change, with EVENTSTUDY_RUN, EVENTSTUDY_ENTRY and EVENTSTUDY_ID "
        "in its "
    "environment; one that fails is run again by the next refresh.",
)  # fmt: skip
@click.option(
    "--accept-loss", is_flag=True, help="Go on without prices that the source has no more."
)
@click.option(
    "--recheck",
    is_flag=True,
    help="Download stored prices and market values again, to find revisions.",
)
@click.option(
    "--wait", type=click.FloatRange(0), default=600, show_default=True, metavar="SECONDS",
    help="How long to wait for another process that writes the run.",
)  # fmt: skip
@moved_option
@debug_option
def refresh(
    target: Path | None,
    config_file: Path | None,
    on_change: str | None,
    recheck: bool,
    accept_loss: bool,
    wait: float,
    threshold: float,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Bring a run up to date: a RUN folder, or that of a study file or of EVENTS.

    Does nothing, with exit code 0, if nothing is new. Otherwise the study is computed anew, and
    changes.json and changes.md in the run folder say what changed.
    """
    from ..findings.run_files import read_findings
    from ..runs.refresh import refresh_run
    from .losses import end_if_incomplete

    order, origin, shown_config = _order_of(target, config_file, options)
    remember(order.out, order.name)
    if order.keeps_prices:
        say_home()
    silent = quiet or as_json
    run = order.out / order.name
    with delivering(on_change, run) as failures:  # before stdout, which may be full or closed
        with progress(silent, "prices") as advance, writing(silent):
            done = refresh_run(
                origin, run, config=shown_config, command=command_line(), moved=threshold,
                wait=wait, recheck=recheck, accept_loss=accept_loss, outbox=bool(on_change),
                progress=advance, told=lambda text: say([text]),
            )  # fmt: skip
        say(done.notices)
        _log(done)
    for failure in failures:
        again = "the report is written, and the next refresh runs the command again"
        text = f"eventstudy: {failure}; {again}"
        tell("on_change_failed", failure, message=text, exit_code=LATER)
    findings = read_findings(done.folder)
    if as_json:
        print_json(_json_document(done))
    elif not quiet:
        click.echo(_as_text(done, findings))
    if failures:
        sys.exit(LATER)
    end_if_incomplete(findings, strict=order.strict, max_loss=order.max_loss)


def _order_of(
    target: Path | None, config_file: Path | None, options: dict[str, Any]
) -> tuple[Order, Origin, StudyConfig | None]:
    """Return the order, its origin, and the settings as they are shown if these differ."""
    from .request import read_order

    if target is None and config_file is None and Path("study.toml").is_file():
        target = Path("study.toml")
    if target is not None and target.is_dir():
        return _of_run(target, config_file, options)
    order = read_order(config_file, target, options)
    return order, order.origin(), None


def _of_run(
    folder: Path, config_file: Path | None, options: dict[str, Any]
) -> tuple[Order, Origin, StudyConfig | None]:
    """Return the order of a run folder, with the given options in the place of its own."""
    from dataclasses import replace

    from ..errors import ConfigError
    from ..runs.atomic_swap import follow_link
    from ..runs.record import Record
    from .request import read_order

    fixed = [name for name in ("out", "name") if options.get(name)]
    if config_file or fixed:
        named, problem = (
            fixed[0] if fixed else "config",
            "a run folder has a study and a place already",
        )
        raise ConfigError(problem, where=f"--{named}", value=str(folder))
    folder = follow_link(Path(os.path.normpath(folder)))
    record = Record.read(folder)
    origin = record.origin
    if not origin.events.is_file() and (folder / origin.place).is_file():
        say([f"{origin.events} is not there: the run's own copy of the events is used"])
        origin = replace(origin, events=folder / origin.place)
    chosen = {name: value for name, value in options.items() if value not in (None, ())}
    settings = origin.settings()
    run = {"store": origin.store, "vintage": origin.vintage, "offline": origin.offline}
    full = folder if folder.name else folder.absolute()
    place = {"out": full.parent, "name": full.name}
    base = {**settings, **{k: v for k, v in run.items() if v}, **place}
    order = read_order(None, origin.events, {**base, **chosen})
    return order, order.origin(), None if chosen else record.config


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
    from ..utility.catalogue import say as sentence
    from ..utility.numbers import ascii_text

    if done.results is None:
        return f"nothing new: {done.folder} is up to date"
    changes = done.comparison
    same = ["no event, CAR or answer differs"] if changes and changes.same else []
    lines = [f"refreshed: {'; '.join(done.why)}", *(same or [str(changes)] * bool(changes))]
    if provisional := findings.pooled.flags.get("incomplete_window", 0):
        lines.append(sentence("terminal.provisional", n=provisional))
    lines += [answers(findings), f"Report: {done.folder / 'report.html'}"]
    return ascii_text("\n".join(lines))


def _json_document(done: Refreshed) -> dict[str, Any]:
    changes = done.comparison.to_dict() if done.comparison else None
    return {
        "run": str(done.folder), "written": done.results is not None, "changed": done.changed,
        "why": list(done.why), "changes": changes,
    }  # fmt: skip
