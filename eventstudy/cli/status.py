"""``eventstudy status``: whether the runs of a folder are up to date; made for monitors."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from .options import QUIET, SWITCH, Number, options
from .shared import INCOMPLETE, PATH, display, print_json, reading_codes


@click.command(epilog=reading_codes("all runs are good", "3 some are not, "))
@click.argument("folder", metavar="REPORTS", default="reports", type=PATH)
@options(
    ("--max-age", (Number(0), "DAYS"), "A run whose last check is longer ago is stale."),
    ("--json as_json", SWITCH, "Print the states as JSON."),
    QUIET,
)
def status(folder: Path, max_age: float | None, as_json: bool, quiet: bool) -> None:
    """Show the newest check and the newest data of each run in REPORTS.

    Exits with 3 if the last refresh of a run failed, if a change waits for --on-change, if a run
    cannot be read, or if its last check is older than --max-age.
    """
    from ..runs.status import GOOD, list_states
    from ..utility.catalogue import say

    states = list_states(folder, None if max_age is None else timedelta(days=max_age))
    if as_json:
        print_json(list(map(asdict, states)))
    for each in [] if as_json else states:
        if not (quiet and each.state == GOOD):
            facts = {name: text or "-" for name, text in asdict(each).items()}
            facts |= {"state": say(f"status.{each.state}"), "why": f": {each.why}" * bool(each.why)}
            display(say("status.line", **facts))
    if any(each.state != GOOD for each in states):
        sys.exit(INCOMPLETE)
