"""``eventstudy verify``: whether the files of a run are those that were written."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .json_output import print_json
from .shared import DIFFERENT, PATH, debug_option, reading_codes


@click.command(epilog=reading_codes("all is as it was written", "4 it is not, "))
@click.argument("folder", metavar="RUN", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.option("--quiet", is_flag=True, help="Print nothing, only exit with 0 or 4.")
@debug_option
def verify(folder: Path, as_json: bool, quiet: bool) -> None:
    """Compare every file of a run folder with its hash.

    Exits with 4 if one is missing, changed or extra.
    """
    from ..runs.verify import verify_run

    verification = verify_run(folder)
    if as_json:
        from dataclasses import asdict

        print_json({"ok": verification.ok, **asdict(verification)})
    elif not quiet:
        click.echo(str(verification))
    if not verification.ok:
        sys.exit(DIFFERENT)
