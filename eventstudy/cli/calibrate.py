"""``eventstudy calibrate``: how often each test is wrong on other days of a study's own firms."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .options import QUIET, StudyCommand, WholeNumber, options, study_options_without
from .shared import EVENTS, display, notify, print_json, progress

# Options of a run that decide what it writes, or what it computes besides.
_OF_RUN = (
    "--size", "--calibrate", "--regress", "--regress-cov", "--draws", "--event-pages",
    "--figures", "--out", "--name", "--title", "--strict", "--max-loss", "--quiet",
)  # fmt: skip


@click.command(cls=StudyCommand)
@click.argument("events", type=EVENTS)
@options(
    *study_options_without(*_OF_RUN),
    ("--draws --calibrate", (WholeNumber(1), "N"),
     "Most other dates to use. [default: 499, as in a run]"),
    ("--workers", (WholeNumber(1), "N", 1),
     "Number of processes; the results do not depend on it."),
    QUIET,
)  # fmt: skip
def calibrate(
    events: Path, config_file: Path | None, draws: int | None, workers: int, as_json: bool,
    quiet: bool, **settings: Any,
) -> None:  # fmt: skip
    """Repeat a study on other dates of its own firms.

    EVENTS is a file of events, a study file (.toml), or the folder of a run. Prints how often each
    test is wrong there, the p-value calibrated by that, and which effects the main test finds. The
    first of several groups is calibrated, as in the headline of a run.
    """
    from ..abnormal.conventions import CALIBRATE
    from ..analysis.calibration import calibrate as repeat
    from ..analysis.computed import compute_study
    from ..findings.finished_run import studies_of
    from ..report.formats.terminal import calibration_text
    from ..utility.workers import Workers
    from .request import locked_order, read_order

    is_run = events.is_dir()
    study = config_file, None if is_run else events, settings
    order = locked_order(events, *study) if is_run else read_order(*study)
    config, silent = order.origin.config, quiet or as_json
    with Workers(workers), progress(silent, "prices") as advance:
        inputs, _ = order.origin.read()
        results = compute_study(inputs, progress=advance)
        notify(results.panel.notices)
        group, first = studies_of(results, config)[0]
        with progress(silent, "other dates") as advance:
            numbers = repeat(
                first, config.main, tests=config.tests or None,
                draws=draws or config.calibrate or CALIBRATE, progress=advance,
            )  # fmt: skip
    if as_json:
        print_json({"group": group, **numbers.to_dict()})
    else:
        display(calibration_text(numbers, group))
    sys.exit(int(bool(numbers.reason)))
