"""``eventstudy plan``: what a study will do, written before its prices are looked at."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from . import shared
from .options import STUDY_OPTIONS, SWITCH, StudyCommand, options


@click.command(cls=StudyCommand)
@click.argument("events", required=False, type=shared.EVENTS)
@options(
    *STUDY_OPTIONS,
    ("--rule", (str, "TEXT"), "The rule by which the list of announcements grows."),
    ("--force", SWITCH, "Write the plan in the place of one that is there."),
)  # fmt: skip
def plan(
    events: Path | None, config_file: Path | None, rule: str | None, force: bool, as_json: bool,
    quiet: bool, **settings: Any,
) -> None:  # fmt: skip
    """Write the plan of a study of EVENTS, before its prices are looked at.

    The plan is EVENTS.plan.json beside the list: all settings, all announcements with their day 0,
    the rule by which the list grows, and which event windows are still to come. Every run of the
    list says from then on that it is as planned, or what differs. No price is asked for.

    \b
      eventstudy plan events.csv -w 0:1
      eventstudy plan study.toml --rule "each new entry of the list"
    """
    from .. import runs
    from .request import read_order

    order = read_order(config_file, events, settings)
    inputs, origin = order.origin.read()
    written = runs.Plan.of(inputs, origin.events, rule=rule or "", run=order.folder)
    path = written.write(origin.events, force=force)
    if as_json:
        shared.print_json({"plan": str(path), **asdict(written)})
    elif not quiet:
        shared.display(runs.describe_seen(written))
        shared.display(f"{len(written.events)} announcements; the plan is {path}", err=True)
