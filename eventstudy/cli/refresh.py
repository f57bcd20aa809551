"""``eventstudy refresh``: bring a run up to date and say what changed; made for schedulers."""

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
    INCOMPLETE,
    LATER,
    PATH,
    ascii_text,
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
    from ..fitting.config import StudyConfig
    from ..runs.origin import Origin
    from ..runs.refresh import Refreshed
    from .request import Order


@click.command(epilog=EXIT_CODES)
@click.argument("what", metavar="[RUN|CONFIG|EVENTS]", required=False, type=PATH)
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
    what: Path | None,
    config_file: Path | None,
    on_change: str | None,
    recheck: bool,
    accept_loss: bool,
    wait: float,
    moved: float,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Bring a run up to date: a RUN folder, or that of a study file or of EVENTS.

    Does nothing, with exit code 0, if nothing is new. Otherwise the study is computed anew, and
    changes.json and changes.md in the run folder say what changed.
    """
    from ..runs.refresh import refresh_run

    order, origin, shown = _asked(what, config_file, options)
    remember(order.out, order.name)
    if order.keeps_prices:
        say_home()
    silent = quiet or as_json
    run = order.out / order.name
    with delivering(on_change, run) as failures:  # before stdout, which may be full or closed
        with progress(silent, "prices") as advance, writing(silent):
            done = refresh_run(
                origin, run, config=shown, command=command_line(), moved=moved, wait=wait,
                recheck=recheck,
                accept_loss=accept_loss, outbox=bool(on_change), progress=advance,
                told=lambda t: say([t]),
            )  # fmt: skip
        say(done.notices)
        _log(done)
    for failure in failures:
        text = (
            f"eventstudy: {failure}; the report is written, and the next refresh runs the command "
            "again"
        )
        tell("on_change_failed", failure, said=text, exit_code=LATER)
    if as_json:
        print_json(_plain(done))
    elif not quiet:
        click.echo(_as_text(done))
    if failures:
        sys.exit(LATER)
    if said := _lost(done, order):
        tell("incomplete", said, said=f"eventstudy: {said}", exit_code=INCOMPLETE)
        sys.exit(INCOMPLETE)


def _asked(
    what: Path | None, config_file: Path | None, options: dict[str, Any]
) -> tuple[Order, Origin, StudyConfig | None]:
    """Return the order, its origin, and the settings as they are shown if that is not how they are
    used."""
    from ..runs.origin import Origin
    from .request import read_order

    if what is None and config_file is None and Path("study.toml").is_file():
        what = Path("study.toml")
    if what is not None and what.is_dir():
        return _of_run(what, config_file, options)
    order = read_order(config_file, what, options)
    return (
        order,
        Origin(order.events, order.config, order.offline, order.store, order.vintage),
        None,
    )


def _of_run(
    folder: Path, config_file: Path | None, options: dict[str, Any]
) -> tuple[Order, Origin, StudyConfig | None]:
    """Return what a run folder was asked for, with the options that were given in the place of its
    own."""
    from dataclasses import replace

    from ..errors import ConfigError
    from ..runs.atomic_swap import followed
    from ..runs.origin import Origin
    from ..runs.record import Record
    from .request import read_order

    fixed = [name for name in ("out", "name") if options.get(name)]
    if config_file or fixed:
        named = f"--{fixed[0]}" if fixed else "--config"
        raise ConfigError(
            "a run folder has a study and a place already", where=named, value=str(folder)
        )
    folder = followed(Path(os.path.normpath(folder)))
    record = Record.read(folder)
    origin = record.origin
    if not origin.events.is_file() and (folder / origin.place).is_file():
        say([f"{origin.events} is not there: the run's own copy of the events is used"])
        origin = replace(origin, events=folder / origin.place)
    given = {name: value for name, value in options.items() if value not in (None, ())}
    own = origin.settings()
    run = {"store": origin.store, "vintage": origin.vintage, "offline": origin.offline}
    whole = folder if folder.name else folder.absolute()
    place = {"out": whole.parent, "name": whole.name}
    order = read_order(
        None, origin.events, {**own, **{k: v for k, v in run.items() if v}, **place, **given}
    )
    asked = Origin(order.events, order.config, order.offline, order.store, order.vintage)
    return order, asked, None if given else record.config


def _log(done: Refreshed) -> None:
    """Log what was done, in the words of ``run`` where a run was written."""
    from ..utility.log import note

    if done.results is None:
        note("nothing_new", folder=str(done.folder))
        return
    note(
        "run_written",
        folder=str(done.folder),
        events=len(done.results.events),
        used=len(done.results),
    )
    if done.changed:
        counts: dict[str, Any] = done.comparison.counts if done.comparison else {}
        note("changed", why=list(done.why), **counts)


def _lost(done: Refreshed, order: Order) -> str:
    """Return which events have no result in the run that is there now, if these are more than
    allowed."""
    from ..runs.record import Record
    from .terminal import excess

    record = Record.read(done.folder)
    return excess(
        record.without_result, record.config.main, strict=order.strict, max_loss=order.max_loss
    )


def _as_text(done: Refreshed) -> str:
    from ..runs.record import Record

    if done.results is None:
        return f"nothing new: {done.folder} is up to date"
    provisional = int(done.results.events["flags"].str.contains("incomplete_window").sum())
    found = done.comparison
    same = ["no event, CAR or answer differs"] if found and found.same else []
    said = [f"refreshed: {'; '.join(done.why)}", *(same or [str(found)] * bool(found))]
    if provisional:
        said.append(
            f"{provisional} event{'s' * (provisional != 1)} provisional: the window is not over yet"
        )
    said += [answer["text"] for answer in Record.read(done.folder).manifest["answers"]]
    return ascii_text("\n".join([*said, f"Report: {done.folder / 'report.html'}"]))


def _plain(done: Refreshed) -> dict[str, Any]:
    found = done.comparison.to_dict() if done.comparison else None
    return {
        "run": str(done.folder), "written": done.results is not None, "changed": done.changed,
        "why": list(done.why), "changes": found,
    }  # fmt: skip
