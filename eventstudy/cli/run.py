"""``eventstudy run`` and ``one``: a study, of a file or of one announcement, and its run folder."""

from __future__ import annotations

import csv
import gc
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from . import shared
from .options import STUDY_OPTIONS, SWITCH, WORKERS, Row, StudyCommand, options, without

if TYPE_CHECKING:
    from ..findings import Findings
    from ..fitting import FittedStudy
    from ..settings import StudyConfig


RUN_OPTIONS: tuple[Row, ...] = (
    *STUDY_OPTIONS,
    ("-v --verbose", SWITCH, "Print all windows, tests and checks."),
    ("More", "", ""),
    *WORKERS,
    ("--force", SWITCH, "Replace the run of that name, even if its settings or events differ."),
)  # fmt: skip
# Where a fault of the row of `one` stands on the command line.
ARGUMENTS = {"ticker": "TICKER", "announced_at": "DATE"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@click.command(cls=StudyCommand)
@click.argument("events", required=False, type=shared.EVENTS)
@options(
    *RUN_OPTIONS,
    ("--from-lock", (shared.PATH, "RUN"),
     "Use the prices that a run has kept; also its settings and events unless others are given."),
)  # fmt: skip
def run(
    events: Path | None, config_file: Path | None, from_lock: Path | None, workers: int,
    cluster: str, force: bool, as_json: bool, quiet: bool, verbose: bool, **settings: Any,
) -> None:  # fmt: skip
    """Run a study of EVENTS and write its report.

    EVENTS is a CSV, Parquet or Stata file with the columns ticker (or permno, cusip, isin ...) and
    announced_at, a study file (.toml) that names one, or - for a CSV from stdin. Without it:
    study.toml, or events.csv, of this folder.

    \b
      eventstudy run events.csv
      eventstudy run events.csv -p sample -m market_adjusted -w 0:1 -w -1:1
      eventstudy run study.toml -v
    """
    from .. import analysis, runs, utility
    from .request import locked_order, read_order

    study = config_file, events, settings
    order = locked_order(from_lock, *study) if from_lock else read_order(*study)
    order.begin()
    config = order.origin.config
    inputs, origin = order.origin.checked()
    n = len(inputs.events)
    shared.notify(*_faster(config, n))
    silent = quiet or as_json
    record: Any = {"config": config, "origin": origin, "command": shared.command_line()}
    named = runs.RunFolder(order.folder)
    with named.claim(origin, n, force=force, notify=shared.notify) as place:
        folder = place.path
        # No sooner: a run of other settings or events that fails says nothing of the one there.
        is_another = force and bool(place.differences(origin))
        shared.remember(folder.parent, folder.name, is_another=is_another)
        with utility.Workers(workers, cluster) as crew:
            with shared.writing(silent), shared.progress(silent, "prices") as advance:
                results = analysis.compute_study(inputs, progress=advance)
            # statsmodels looks for garbage at each family of p-values: what is there by now stays.
            gc.freeze()
            shared.notify(*_new_notices(results, from_lock, crew.lost))
            if len(results) == 0:
                failed, error = place.fail(results, is_shown=folder == named.path, **record)
                if failed and as_json:
                    shared.print_json(_json_document(failed))
                raise error
            with shared.writing(silent):
                place.write(results, **record)
            findings = results.memo["findings"]
            if as_json:
                shared.print_json(_json_document(folder))
            elif not quiet:
                _show(order.stand_ins(findings), findings, folder, verbose)
    utility.note("run_written", folder=str(folder), events=len(results.events), used=len(results))
    order.end_if_incomplete(findings)


def _show(stand_ins: str, findings: Findings, folder: Path, verbose: bool) -> None:
    from ..report import Terminal

    shared.display(stand_ins, nl=False)
    shared.display(Terminal(findings).text(str(folder / "report.html"), verbose=verbose))


def _new_notices(results: FittedStudy, lock: Path | None, lost: str) -> list[str]:
    """Return notices of a lost cluster, and of prices but those of the run that keeps them."""
    from ..runs import Record
    from ..words import say

    old = Record.read(lock).manifest.get("notices", []) if lock else []
    new = [text for text in results.panel.notices if text not in old]
    return [say("workers.lost", why=lost)] * bool(lost) + new


def _faster(config: StudyConfig, n: int) -> list[str]:
    """Propose to fit all events at once where there are many and the model allows it."""
    from ..abnormal import AbnormalReturns
    from ..models import MODELS

    if n <= AbnormalReturns.MANY or config.engine == "batch" or config.cov_type != "nonrobust":
        return []
    if not MODELS.make(config.normal_model, config.model_options).least_squares:
        return []
    return [f"{n} events: --engine batch fits them all at once; the numbers agree to rounding"]


def _json_document(folder: Path) -> dict[str, Any]:
    """Return ``results.json`` of a run, with where the run is."""
    places: dict[str, Any] = {"report": str(folder / "report.html"), "run": str(folder)}
    return {**places, **json.loads((folder / "results.json").read_text(encoding="utf-8"))}


@click.command(cls=StudyCommand)
@click.argument("ticker")
@click.argument("date")
@options(*without("--ticker", "--date", rows=RUN_OPTIONS))
def one(ticker: str, date: str, **settings: Any) -> None:
    """Study one announcement: TICKER as Yahoo spells it, DATE as YYYY-MM-DD.

    DATE may have a time and its zone. The run is named after both and keeps them as an events file
    of one row (data/events.csv), to which other announcements can be added. Where the prices of
    002415.SZ 2019-05-22 cannot be had, the numbers of its committed run are shown (with --json as
    kept_case). No study is written then, and the exit code is that of the missing prices.

    \b
      eventstudy one 002415.SZ 2019-05-22
      eventstudy one NVDA 2022-08-31T16:30-04:00 -p sample --offline
    \f

    Parameters
    ----------
    ticker, date : str
    **settings
        As the options of `run` have them.
    """
    from .. import errors, findings, report
    from ..words import make_error

    if _DAY.match(ticker) and not _DAY.match(date):
        raise make_error(errors.ConfigError, "wrong.swapped", value=f"{ticker} {date}")
    context = click.get_current_context()
    path = Path(context.with_resource(TemporaryDirectory()), "events.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([ARGUMENTS, (ticker, date)])
    name = re.sub(r"[^\w.-]+", "-", f"{ticker}-{date[:10]}").strip("-.")
    settings["name"] = settings["name"] or name
    try:
        context.invoke(run, events=path, from_lock=None, **settings)
    except errors.EventsFileError as error:
        faults = [
            errors.ConfigError(
                p.what, where=ARGUMENTS.get(p.column, ""), value=p.value, remedy=p.remedy
            )
            for p in error.problems
        ]
        raise errors.ConfigFaultsError(faults) from None
    except errors.PriceError:
        # No study was made: the exit code stays that of the missing prices.
        if kept := findings.Case.find(ticker, date) if _is_usual(context) else None:
            if settings["as_json"]:
                shared.print_json({"kept_case": json.loads(kept.text)})
            elif not settings["quiet"]:
                shared.display(report.case_text(kept))
        raise


def _is_usual(context: click.Context) -> bool:
    """Return whether no option was given that a kept case cannot follow."""
    usual = click.core.ParameterSource.DEFAULT
    given = {name for name in context.params if context.get_parameter_source(name) is not usual}
    return given <= {"ticker", "date", "offline", "out", "name", "quiet", "as_json"}
