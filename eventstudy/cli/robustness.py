"""``eventstudy robustness``: the answer of a study under other choices, without a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .options import WORKERS, StudyCommand, options, study_options_without
from .shared import EVENTS, display, notify, print_json, progress, writing

# Options that are about what a run folder has besides the answer.
OF_RUNS = (
    "--name", "--size", "--test", "--regress", "--regress-cov", "--event-pages",
    "--figures", "--title", "--strict", "--max-loss",
)  # fmt: skip


@click.command(cls=StudyCommand)
@click.argument("events", required=False, type=EVENTS)
@options(
    ("--grid", "NAME=CHOICES ...",
     "Choices of model, estimation, car, sample (one where-expression) or halt; may be repeated."),
    *study_options_without(*OF_RUNS),
    ("More", "", ""),
    *WORKERS,
)  # fmt: skip
def robustness(
    events: Path | None, config_file: Path | None, workers: int, cluster: str, as_json: bool,
    quiet: bool, **settings: Any,
) -> None:  # fmt: skip
    """Show the answer for EVENTS under all combinations of other choices.

    Prints a table, and writes specifications.csv and the curve into --out. Without --grid or a
    [grid] in the study file: three models, two estimation windows and four windows of the effect.
    """
    from ..report.formats.terminal import analysis_text
    from ..report.sections.robustness import analysis_by_choice, analysis_of_grid
    from ..runs.preflight import refuse
    from ..studies.robustness import robustness_of
    from ..utility.catalogue import say
    from ..utility.units import speaking_of
    from ..utility.workers import Workers
    from .request import read_order

    order = read_order(config_file, events, settings)
    inputs, _ = order.origin.read()
    refuse(inputs)
    with Workers(workers, cluster) as crew, writing(quiet), progress(quiet, "prices") as advance:
        results = robustness_of(inputs, progress=advance)
    notify([say("workers.lost", why=crew.lost)] * bool(crew.lost))
    files = list(map(str, results.save(order.out)))
    if as_json:
        rows = {"specifications": results.table, "by_choice": results.by_choice()}
        cells = {name: json.loads(table.to_json(orient="records")) for name, table in rows.items()}
        print_json({"sentence": str(results), **cells})
    elif not quiet:
        with speaking_of(order.origin.config.measure):
            for analysis in (analysis_of_grid, analysis_by_choice):
                display(analysis_text(analysis(results.table)) + "\n")
        display(say("specifications.wrote", files=files))
