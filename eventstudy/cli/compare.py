"""``eventstudy compare``: what is not the same in two runs, and why."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .json_output import print_json
from .shared import DIFFERENT, PATH, ascii_text, debug_option, reading_codes

moved_option = click.option(
    "--moved", type=click.FloatRange(0), default=0.0001, show_default=True, metavar="SHARE",
    help="Tell of CARs that moved by more than this.",
)  # fmt: skip


@click.command(
    epilog=reading_codes("compared, whatever differs", "4 a run is not as it was written, ")
)
@click.argument("one", metavar="RUN_A", type=PATH)
@click.argument("other", metavar="RUN_B", type=PATH)
@moved_option
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@debug_option
def compare(one: Path, other: Path, moved: float, as_json: bool) -> None:
    """Say what differs in RUN_B from RUN_A: events, status, CARs and why they moved, verdicts,
    settings.

    Exit with 4 if a file of either run is not as it was written, and name it: what differs may be
    its doing.
    """
    from ..runs.compare import compare_runs

    found = compare_runs(one, other, moved=moved)
    if as_json:
        print_json(found.to_dict())
    else:
        click.echo(ascii_text(str(found)))
    if found.altered:
        sys.exit(DIFFERENT)
