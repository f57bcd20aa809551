"""``eventstudy explain``: the CARs of a finished run, explained by a formula of its events."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from .options import JSON, options
from .shared import PATH, display, print_json, reading_codes


@click.command(epilog=reading_codes("estimated", "75 no network (derived numbers),\n"))
@click.argument("folder", metavar="RUN", type=PATH)
@options(
    ("--on", "FORMULA ...",
     'Columns of the events, such as "size + C(sector) + direction:leverage"; may be repeated.'),
    ("--cluster", "COLUMN ...", "Column to cluster the errors by, or date for day 0; at most two."),
    ("--cov", ["HC3", "HC0", "HC1", "HC2", "nonrobust"],
     "Standard errors where there are no clusters. [default: HC3]"),
    ("--weights", ["equal", "precision"],
     "Weights of the events; precision is 1/Var(CAR). [default: equal]"),
    ("--car", "START:STOP", "Window of the CAR. [default: the main one of the run]"),
    ("--format form", ["text", "latex", "html"], "Form of the table. [default: text]"),
    ("--plot", (PATH, "FILE"), "Draw the coefficients as FILE.svg, .png or .pdf."),
    JSON,
)  # fmt: skip
def explain(
    folder: Path, on: tuple[str, ...], cluster: tuple[str, ...], cov: str | None,
    weights: str | None, car: str | None, form: str | None, plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Regress the CARs of RUN on a formula of columns of its events.

    Nothing is fetched: the study is fitted again from what its folder keeps. Several formulas stand
    side by side.
    """
    from ..analysis.computed import compute_study
    from ..analysis.explain import SideBySide
    from ..analysis.explain import explain as regress
    from ..calendars.window import Window
    from ..errors import ConfigError
    from ..report.formats.latex import regressions_as
    from ..runs import Record
    from ..runs.verify import refuse_altered

    if not on:
        raise ConfigError("name a formula", remedy='such as --on "size + C(sector)"')
    refuse_altered(record := Record.read(folder))
    inputs, _ = record.frozen.read()
    config = inputs.config.with_options({"grid": {}})
    study = compute_study(replace(inputs, config=config))
    window = Window.of(car) if car else config.main
    chosen = {"cov": cov, "weights": weights, "cluster": cluster}
    typed: Any = {name: option for name, option in chosen.items() if option}
    fits = {text: regress(study, text, window, **typed) for text in on}
    if plot:
        from ..report.figures.robustness_plots import plot_coefficients
        from ..report.formats.figure_files import save_figure

        save_figure(plot_coefficients(fits), plot)
    if as_json:
        rows = {text: fit.table.to_json(orient="records") for text, fit in fits.items()}
        print_json({text: json.loads(table) for text, table in rows.items()})
    elif form in ("latex", "html"):
        display(regressions_as(form, fits).rstrip())
    else:
        display(str(SideBySide(fits) if len(fits) > 1 else fits[on[0]]))
