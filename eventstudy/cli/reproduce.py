"""``eventstudy reproduce``: a run computed again from its own folder and compared cell by cell."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .json_output import print_json
from .shared import DIFFERENT, PATH, debug_option, reading_codes


@click.command(epilog=reading_codes("reproduced", "4 not, or inputs altered, "))
@click.argument("folder", metavar="RUN", type=PATH)
@click.option(
    "--tolerance", type=click.FloatRange(0), default=1e-9, show_default=True,
    help="Largest relative difference that counts as rounding.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing, only exit with 0 or 4.")
@debug_option
def reproduce(folder: Path, tolerance: float, as_json: bool, quiet: bool) -> None:
    """Compute a run again from its own folder, offline, and compare tables.

    Exits with 4 if any differs.
    """
    from ..runs.verify import reproduce_run

    result = reproduce_run(folder, tolerance=tolerance)
    if as_json:
        from dataclasses import asdict

        print_json({"ok": result.ok, "exact": result.exact, **asdict(result)})
    elif not quiet:
        click.echo(str(result))
    if not result.ok:
        sys.exit(DIFFERENT)
