"""The commands on finished runs: whether they are as they were, differ, and are up to date."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from .options import JSON, MOVED, QUIET, SWITCH, Number, options
from .shared import DIFFERENT, INCOMPLETE, PATH, display, print_json, reading_codes

NOTHING = ("-q --quiet", SWITCH, "Print nothing, only exit with 0 or 4.")


@click.command(epilog=reading_codes("all is as it was written", "4 some is not, "))
@click.argument("folder", metavar="RUN", type=PATH)
@options(JSON, NOTHING)
def verify(folder: Path, as_json: bool, quiet: bool) -> None:
    """Compare every file of a run folder with its hash.

    Exits with 4 if one is missing, changed or extra.
    """
    from ..runs.kept_case import is_case, verify_case
    from ..runs.verify import verify_run

    verification = (verify_case if is_case(folder) else verify_run)(folder)
    document = {"ok": verification.ok, **asdict(verification)}
    _show(str(verification), document, as_json=as_json, quiet=quiet, ok=verification.ok)


@click.command(
    epilog=reading_codes(
        "reproduced", "4 numbers or inputs differ, 75 no network (derived numbers),\n"
    )
)
@click.argument("folder", metavar="RUN", type=PATH)
@options(
    ("--tolerance", (Number(0), ""), "Largest difference that counts as rounding. [default: 1e-9]"),
    JSON,
    NOTHING,
)
def reproduce(folder: Path, tolerance: float | None, as_json: bool, quiet: bool) -> None:
    """Compute a run again from its own folder, offline, and compare tables.

    A run of derived numbers, such as hikvision-2019, keeps no prices: these are fetched from Yahoo
    Finance, and returns may differ by 0.001. Exits with 4 if any differs by more.
    """
    from ..runs.kept_case import LIMIT, is_case, reproduce_case
    from ..runs.verify import TOLERANCE, reproduce_run

    if is_case(folder):
        case = reproduce_case(folder, limit=LIMIT if tolerance is None else tolerance)
        _show(str(case), case.to_dict(), as_json=as_json, quiet=quiet, ok=case.ok)
        return
    result = reproduce_run(folder, tolerance=TOLERANCE if tolerance is None else tolerance)
    document = {"ok": result.ok, "exact": result.exact, **asdict(result)}
    _show(str(result), document, as_json=as_json, quiet=quiet, ok=result.ok)


@click.command(epilog=reading_codes("compared", "4 a run is not as it was written, "))
@click.argument("first", metavar="RUN_A", type=PATH)
@click.argument("second", metavar="RUN_B", type=PATH)
@options(MOVED, JSON)
def compare(first: Path, second: Path, threshold: float, as_json: bool) -> None:
    """List the differences of RUN_B from RUN_A, with the reasons.

    Compares events, their status, CARs and why they moved, verdicts and settings. Exits with 4,
    and names the file, if a file of either run is not as it was written.
    """
    from ..runs.compare import compare_runs
    from ..utility.numbers import ascii_text

    comparison = compare_runs(first, second, moved=threshold)
    text = ascii_text(str(comparison))
    _show(text, comparison.to_dict(), as_json=as_json, ok=not comparison.altered)


def _show(text: str, document: object, *, as_json: bool, ok: bool, quiet: bool = False) -> None:
    """Print an outcome, and exit with 4 unless it is good."""
    if as_json:
        print_json(document)
    elif not quiet:
        display(text)
    if not ok:
        sys.exit(DIFFERENT)


@click.command(epilog=reading_codes("all runs are good", "3 some are not, "))
@click.argument("folder", metavar="REPORTS", default="reports", type=PATH)
@options(
    ("--max-age", (Number(0), "DAYS"), "A run whose last check is longer ago is stale."),
    ("--data-age", (Number(0), "DAYS"), "A run whose newest price is older is stale."),
    ("--json as_json", SWITCH, "Print the states as JSON."),
    QUIET,
)
def status(
    folder: Path, max_age: float | None, data_age: float | None, as_json: bool, quiet: bool
) -> None:
    """Show the newest check and the newest data of each run in REPORTS.

    Exits with 3 if the last refresh of a run failed, if a change waits for --on-change, if a run
    cannot be read, or if its last check is older than --max-age, or its newest price than
    --data-age.
    """
    from ..runs.rows import GOOD, list_states
    from ..utility.catalogue import say

    ages = (None if age is None else timedelta(days=age) for age in (max_age, data_age))
    states = list_states(folder, *ages)
    if as_json:
        print_json(list(map(asdict, states)))
    for each in [] if as_json else states:
        if not (quiet and each.state == GOOD):
            facts = {name: text or "-" for name, text in asdict(each).items()}
            facts |= {"state": say(f"status.{each.state}"), "why": f": {each.why}" * bool(each.why)}
            display(say("status.line", **facts))
    if any(each.state != GOOD for each in states):
        sys.exit(INCOMPLETE)
