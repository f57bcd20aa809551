"""The commands that compute without a run: ``explain``, ``robustness`` and ``calibrate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from .options import JSON, QUIET, SWITCH, WORKERS, StudyCommand, WholeNumber, options, without
from .shared import (
    EVENTS,
    PATH,
    RUN_FOLDER,
    display,
    notify,
    print_json,
    progress,
    reading_codes,
    writing,
)

# Options that are about what a run folder has besides the answer.
OF_RUNS = (
    "--name", "--size", "--regress", "--regress-cov", "--event-pages", "--figures", "--title",
    "--strict", "--max-loss",
)  # fmt: skip


@click.command(epilog=reading_codes("estimated", "75 no network (derived numbers),\n"))
@click.argument("folder", metavar="RUN", type=RUN_FOLDER)
@options(
    ("--on", "FORMULA ...",
     'Columns of the events, such as "size + C(sector) + direction:leverage"; may be repeated.'),
    ("--cluster", "COLUMN ...",
     "Column to cluster the compared errors by, or date for day 0; at most two."),
    ("--cov", ["HC3", "HC0", "HC1", "HC2", "nonrobust"],
     "Errors to compare with those that decide, where there are no clusters. [default: HC3]"),
    ("--weights", ["equal", "precision"],
     "Weights of the events; precision is 1/Var(CAR). [default: equal]"),
    ("--label", "COLUMN=WORDS ...", 'Words for a column, such as vol="Volatility, per 1% a day".'),
    ("--rank", SWITCH, "Also rank the coefficients among those of other days."),
    ("--car", "START:STOP", "Window of the CAR. [default: the main one of the run]"),
    ("--format form", ["text", "latex", "html"], "Form of the table. [default: text]"),
    ("--plot", (PATH, "FILE"), "Draw the coefficients as FILE.svg, .png or .pdf."),
    JSON,
)  # fmt: skip
def explain(
    folder: Path, on: tuple[str, ...], car: str | None, form: str | None, plot: Path | None,
    label: tuple[str, ...], as_json: bool, **choices: Any,
) -> None:  # fmt: skip
    """Regress the CARs of RUN on a formula of columns of its events.

    Nothing is fetched: the study is fitted again from what its folder keeps. Several formulas stand
    side by side.
    """
    from .. import analysis, calendars, errors, report, runs

    if not on:
        raise errors.ConfigError("name a formula", remedy='such as --on "size + C(sector)"')
    record = runs.Record.read(folder)
    record.refuse_altered()
    inputs, _ = record.frozen.read()
    study = analysis.compute_study(inputs.without_grid())
    window = calendars.Window.of(car) if car else inputs.config.main
    chosen = {name: option for name, option in choices.items() if option}
    labels = dict(map(_read_label, label))
    fits = {text: analysis.explain(study, text, window, labels=labels, **chosen) for text in on}
    regressions = report.Regressions(fits)
    if plot:
        regressions.draw(plot)
    if as_json:
        rows = {text: fit.table.to_json(orient="records") for text, fit in fits.items()}
        print_json({text: json.loads(table) for text, table in rows.items()})
    elif form == "latex":
        display(regressions.latex(record.facts.name).rstrip())
    elif form == "html":
        display(regressions.page(inputs.config.title or folder.name))
    else:
        display(report.Regressions(fits if len(fits) > 1 else {"": fits[on[0]]}).text())


def _read_label(text: str) -> tuple[str, str]:
    """Return the column and the words of ``--label``."""
    from ..errors import ConfigError

    column, sign, words = text.rpartition("=")
    if not (column and sign and words):
        raise ConfigError("COLUMN=WORDS is needed", where="--label", value=text)
    return column, words


@click.command(cls=StudyCommand)
@click.argument("events", required=False, type=EVENTS)
@options(
    ("--grid", "NAME=CHOICES ...",
     "Choices of model, estimation, car, sample (one where-expression) or halt; may be repeated."),
    *without(*OF_RUNS, "--test"),
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
    from .. import report, studies
    from ..utility import Workers
    from ..words import say
    from .request import read_order

    order = read_order(config_file, events, settings)
    inputs, _ = order.origin.checked()
    with Workers(workers, cluster) as crew, writing(quiet), progress(quiet, "prices") as advance:
        results = studies.robustness_of(inputs, progress=advance)
    if crew.lost:
        notify(say("workers.lost", why=crew.lost))
    files = list(map(str, results.save(order.out)))
    if as_json:
        rows = {"specifications": results.table, "by_choice": results.by_choice()}
        cells = {name: json.loads(table.to_json(orient="records")) for name, table in rows.items()}
        print_json({"sentence": str(results), **cells})
    elif not quiet:
        display(report.grid_text(results.table, order.origin.config.measure) + "\n")
        display(say("specifications.wrote", files=files))


@click.command(cls=StudyCommand)
@click.argument("events", type=EVENTS)
@options(
    *without(*OF_RUNS, "--calibrate", "--draws", "--out", "--quiet"),
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
    from .. import abnormal, analysis, findings, report, utility
    from .request import locked_order, read_order

    is_run = events.is_dir()
    study = config_file, None if is_run else events, settings
    order = locked_order(events, *study) if is_run else read_order(*study)
    config, silent = order.origin.config, quiet or as_json
    with utility.Workers(workers), progress(silent, "prices") as advance:
        inputs, _ = order.origin.read()
        results = analysis.compute_study(inputs, progress=advance)
        notify(*results.panel.notices)
        group, first = findings.find_group(results)
        with progress(silent, "other dates") as advance:
            numbers = analysis.calibrate(
                first, config.main, tests=config.tests or None,
                draws=draws or config.calibrate or abnormal.Conventions.CALIBRATE, progress=advance,
            )  # fmt: skip
    if as_json:
        print_json({"group": group, **numbers.to_dict()})
    else:
        display(report.calibration_text(numbers, group))
    sys.exit(int(bool(numbers.reason)))
