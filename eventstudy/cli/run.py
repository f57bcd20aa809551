"""``eventstudy run``: an order becomes a study, the study a run folder, and a summary is
printed."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .json_output import print_json
from .options import study_options
from .shared import (
    EXIT_CODES,
    INCOMPLETE,
    PATH,
    ascii_text,
    command_line,
    debug_option,
    progress,
    remember,
    say,
    say_home,
    tell,
    writing,
)

if TYPE_CHECKING:
    from ..errors import DataError
    from ..fitting.config import StudyConfig
    from ..fitting.fitted import FittedStudy
    from .request import Order


@click.command(epilog=EXIT_CODES)
@click.argument("events", required=False, type=PATH)
@study_options
@click.option(
    "--from-lock", metavar="RUN", type=PATH,
    help="Prices as a run has kept them; also its settings and events where none are given.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1), default=1, metavar="N",
    help="Processes that fit the events; the numbers do not depend on it. [default: 1]",
)  # fmt: skip
@click.option(
    "--cluster", default="", metavar="ADDRESS", help="A Dask scheduler whose workers do it instead."
)
@debug_option
def run(
    events: Path | None,
    config_file: Path | None,
    from_lock: Path | None,
    workers: int,
    cluster: str,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Run a study of EVENTS and write its report.

    EVENTS is a CSV or Parquet file with the columns ticker and announced_at, or a study file
    (.toml) that names one.
    """
    from ..runs import Origin, write_run
    from ..runs.compute import compute_study
    from ..runs.long_table import require_parquet_for
    from ..runs.ownership import other_study
    from ..runs.preflight import refuse
    from ..utility.log import note
    from ..utility.workers import Workers
    from .locked_request import locked_order
    from .request import read_order
    from .terminal import excess_loss

    if from_lock:
        order = locked_order(from_lock, config_file, events, options)
    else:
        order = read_order(config_file, events, options)
    remember(order.out, order.name)
    if order.keeps_prices:
        say_home()
    config = order.config
    origin = Origin(order.events, config, order.offline, order.store, order.vintage)
    source: Any = {"offline": order.offline, "store": order.store, "vintage": order.vintage}
    listed, origin = origin.read()
    refuse(config, listed, **source)
    require_parquet_for(len(listed))
    say(_faster(config, len(listed)))
    silent = quiet or as_json
    told: Any = {"config": config, "origin": origin, "command": command_line()}
    with Workers(workers, cluster) as crew:
        with progress(silent, "events") as crew.progress, progress(silent, "prices") as advance:
            results = compute_study(listed, config, **source, progress=advance)
        crew.progress = None
        say(_new_notices(results, from_lock))
        if len(results) == 0:
            raise _nothing_usable(results, order, as_json=as_json, **told)
        say(_unranked(results, config))
        replaced = other_study(order.out / order.name, origin)
        with writing(silent):
            folder = write_run(results, order.out, order.name, **told)
        say([replaced] * bool(replaced))
        if as_json:
            print_json(_plain(folder))
        elif not quiet:
            click.echo(_as_text(results, config, folder))
    note("run_written", folder=str(folder), events=len(results.events), used=len(results))
    if said := excess_loss(results, config.main, strict=order.strict, max_loss=order.max_loss):
        tell("incomplete", said, said=f"eventstudy: {said}", exit_code=INCOMPLETE)
        sys.exit(INCOMPLETE)


def _new_notices(results: FittedStudy, lock: Path | None) -> list[str]:
    """Return what is to be said of prices: what a run said of those that it keeps was of its own
    fetch."""
    from ..runs import Record

    old = Record.read(lock).manifest.get("notices", []) if lock else []
    return [text for text in results.panel.notices if text not in old]


def _nothing_usable(results: FittedStudy, order: Order, *, as_json: bool, **told: Any) -> DataError:
    """Write the page that says so, unless a good run would be lost, and return the error."""
    from ..runs.failed_run import nothing_usable, write_failed
    from .terminal import losses

    failed = write_failed(results, order.out, order.name, **told)
    if failed and as_json:
        print_json(_plain(failed))
    page = f"\nReport: {failed / 'report.html'}" if failed else ""
    return nothing_usable(results, losses(results, written=False) + page, offline=order.offline)


def _faster(config: StudyConfig, n: int) -> list[str]:
    """Propose to fit all events at once where there are many and the model allows it."""
    from ..fitting.large_samples import MANY
    from ..models import make_model

    if n <= MANY or config.engine == "batch" or config.cov_type != "nonrobust":
        return []
    if not make_model(config.normal_model, config.model_options).least_squares:
        return []
    return [f"{n} events: --engine batch fits them all at once; the numbers agree to rounding"]


def _unranked(results: FittedStudy, config: StudyConfig) -> list[str]:
    """Say before the report is written that placebo dates are too few for a p-value, of which
    events."""
    from ..analysis.placebo import placebo_dates
    from ..fitting.fitted import group_column

    if not config.placebo:
        return []
    column = group_column(results, config.by)
    samples = {"": results} | (results.groups(column) if column else {})
    return [
        f"--placebo {config.placebo}{f', {group}' * bool(group)}: {found.reason}"
        for group, part in samples.items()
        if len(part) > 1
        and (found := placebo_dates(part, config.main, draws=config.placebo)).reason
    ]


def _as_text(results: FittedStudy, config: StudyConfig, folder: Path) -> str:
    from ..fitting.fitted import group_column
    from ..report.content.answer import brief, headline, leading
    from ..report.content.wording import subject_of
    from ..report.html.groups import SHOWN_PANELS
    from .terminal import TEXT_WIDTH, beside, losses, seen_faults, sketch, summary_text

    column = group_column(results, config.by)
    parts = results.groups(column) if column else {"": results}
    first = leading(parts, config.main)
    parts = {first: parts[first]} | parts
    blocks = []
    for group, part in parts.items():
        title = (
            f"{column} = {group}: {len(part):,} event{'s' * (len(part) != 1)}\n" if column else ""
        )
        blocks.append(title + summary_text(part, config))
        if sys.stdout.isatty():
            blocks.append(sketch(part))
    said = [headline(parts[first], config.main, subject=subject_of(first, column))]
    for group, part in list(parts.items())[1:SHOWN_PANELS]:
        said.append(str(brief(part, config.main, subject=subject_of(group, column))))
    left = len(parts) - SHOWN_PANELS
    said += [f"{left:,} more group{'s' * (left != 1)}: see the tables below."] * (left > 0)
    lead = "\n".join(textwrap.fill(ascii_text(s), TEXT_WIDTH, break_on_hyphens=False) for s in said)
    tail = [losses(results, config.main), seen_faults(results), f"Report: {folder / 'report.html'}"]
    return "\n\n".join(filter(None, [lead, *blocks, *beside(folder, first), *tail]))


def _plain(folder: Path) -> dict[str, Any]:
    """Return ``results.json`` of a run, with where the run is."""
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    where = {"report": str(folder / "report.html"), "run": str(folder)}
    return {**where, **found}
