"""``eventstudy compare``: what is not the same in two runs, and why."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .json_output import print_json
from .shared import DIFFERENT, PATH, debug_option, reading_codes

moved_option = click.option(
    "--moved", "threshold", type=click.FloatRange(0), default=0.0001, show_default=True,
    metavar="SHARE", help="Tell of CARs that moved by more than this.",
)  # fmt: skip


@click.command(
    epilog=reading_codes("compared, whatever differs", "4 a run is not as it was written, ")
)
@click.argument("first", metavar="RUN_A", type=PATH)
@click.argument("second", metavar="RUN_B", type=PATH)
@moved_option
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@debug_option
def compare(first: Path, second: Path, threshold: float, as_json: bool) -> None:
    """List the differences of RUN_B from RUN_A, with the reasons.

    Compares events, their status, CARs and why they moved, verdicts and settings. Exits with 4,
    and names the file, if a file of either run is not as it was written.
    """
    from ..runs.compare import compare_runs
    from ..utility.numbers import ascii_text

    comparison = compare_runs(first, second, moved=threshold)
    if as_json:
        print_json(comparison.to_dict())
    else:
        click.echo(ascii_text(str(comparison)))
    if comparison.altered:
        sys.exit(DIFFERENT)
