"""``eventstudy robustness``: the answer of a study under other choices, without a run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import STUDY_OPTIONS, StudyCommand, options
from .shared import EXIT_CODES, PATH, print_json, progress

if TYPE_CHECKING:
    from ..study.robustness import RobustnessResults

# Options that are about what a run folder has besides the answer.
OF_RUNS = (
    "--name", "--size", "--test", "--placebo", "--regress", "--regress-cov", "--event-pages",
    "--interactive", "--figures", "--strict", "--max-loss",
)  # fmt: skip


@click.command(cls=StudyCommand, epilog=EXIT_CODES)
@click.argument("events", required=False, type=PATH)
@options(
    ("--grid", "NAME=CHOICES ...",
     "Choices of model, estimation, car, sample (one where-expression) or halt; may be repeated."),
    *(row for row in STUDY_OPTIONS if row[0].split()[0] not in OF_RUNS),
)  # fmt: skip
def robustness(
    events: Path | None,
    config_file: Path | None,
    as_json: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Show the answer for EVENTS under all combinations of other choices.

    Prints a table, and writes specifications.csv and the curve into --out.
    """
    from ..runs.preflight import refuse
    from ..study.robustness import robustness_of
    from ..utility.csv_text import to_csv
    from .request import read_order

    order = read_order(config_file, events, settings)
    inputs, _ = order.origin.read()
    refuse(inputs)
    with progress(quiet or as_json, "prices") as advance:
        results = robustness_of(inputs, progress=advance)
    order.out.mkdir(parents=True, exist_ok=True)
    files = {"specifications.csv": to_csv(results.table)} | _figures(results)
    for name, content in files.items():
        (order.out / name).write_bytes(content)
    if as_json:
        print_json({"specifications": results.table.to_dict("records"), "sentence": str(results)})
    elif not quiet:
        from ..report.formats.terminal import specifications_text
        from ..utility.catalogue import say

        where = ", ".join(str(order.out / name) for name in files)
        text = specifications_text(results.table, order.origin.config.measure)
        click.echo(f"{text}\n\n{say('specifications.wrote', files=where)}")


def _figures(results: RobustnessResults) -> dict[str, bytes]:
    """Return the curve as files by name: SVG, and PNG where matplotlib is there."""
    from ..report.formats.templating import curve_file

    if not len(results.decided):
        return {}
    figures = {"specifications.svg": curve_file(results.table).encode()}
    if find_spec("matplotlib"):
        from ..report.figures.plots import png_of

        figures["specifications.png"] = png_of(results.plot())
    return figures
