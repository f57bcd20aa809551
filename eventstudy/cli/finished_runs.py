"""The commands on finished runs: other formats, whether they are as they were, how they differ."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..errors import ConfigError, RunFolderError
from .options import JSON, MOVED, QUIET, SWITCH, Number, options
from .shared import (
    DIFFERENT,
    INCOMPLETE,
    PATH,
    RUN_FOLDER,
    display,
    notify,
    print_json,
    reading_codes,
    tell,
)

if TYPE_CHECKING:
    from ..report import Export

# Letters of a line of a proof; its README and settings.json have all of it.
LONGEST = 160
KINDS = ("html", "card", "pdf", "tex", "xlsx", "md", "docx", "json", "dta", "parquet")
# What people call a format.
MEANT = {"latex": "tex", "word": "docx", "excel": "xlsx", "markdown": "md", "stata": "dta"}
# The files to open of the formats that every run folder holds.
HELD = {"html": "report.html", "md": "report.md", "json": "results.json", "tex": "tables/*.tex"}
# Files that one message names.
NAMED = 5
NOTHING = ("-q --quiet", SWITCH, "Print nothing, only exit with 0 or 4.")


class Kind(click.Choice[str]):
    """A format by its ending, or by the name of the program that reads it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the ending of a format."""
        return super().convert(MEANT.get(str(value).lower(), value), param, ctx)


@click.command(epilog=reading_codes("written", "4 the run is not as it was written, "))
@click.argument("run", type=RUN_FOLDER)
@options(
    ("-f --format kinds", {"type": Kind(KINDS), "multiple": True},
     "May be repeated.  [html]"),
    ("--full", SWITCH, "pdf: the whole report, not the summary."),
    ("-w --car windows", {"metavar": "START:STOP", "multiple": True},
     "tex: a window of the table; may be repeated."),
    ("-t --test tests", {"metavar": "NAME", "multiple": True},
     "tex: a test of the table; may be repeated."),
    ("-o --out", (click.Path(path_type=Path), ""), "A file for one format, a folder for several."),
)  # fmt: skip
def report(
    run: Path, kinds: tuple[str, ...], out: Path | None, full: bool, windows: Sequence[str],
    tests: tuple[str, ...],
) -> None:  # fmt: skip
    """Write the finished RUN in other formats, and print where they are.

    RUN is a folder of ``eventstudy run``. Nothing is computed again: every format is made from
    results.json and the tables of RUN. Without --out the files that RUN holds (html, tex, md, json)
    stay as they are, and are written again where they are missing. The others are written next to
    RUN, under its name: card, a picture to forward (PNG and SVG); pdf, printed by an installed
    browser; xlsx; parquet; and tex with chosen windows or tests. Exits with 4 if a file of RUN is
    not as it was written, and writes nothing if that is results.json.
    """
    from .. import calendars, findings, report, runs

    finished = findings.FinishedRun.read(run)
    kinds = tuple(dict.fromkeys(kinds or ["html"]))
    export = report.Export(finished, tuple(map(calendars.Window.of, windows)), tuple(tests), full)
    _check_choice(kinds, export)
    state = runs.verify_run(run)
    if findings.FinishedRun.DOCUMENT.file in state.changed:
        _refuse(run, state.lost, "no format is made from it: ")
    if out is not None and not out.is_dir():
        _check_ending(kinds, out)
    for kind in kinds:
        with _drawing(run):
            if out is None:
                paths = _beside(export, run, kind, is_missing=bool(state.missing))
            elif len(kinds) == 1 and out.suffix in _endings(kind):
                paths = [export.write_file(kind, out)]
                paths += [out.with_suffix(".bib")] * (kind == "tex")
            else:
                paths = export.write(kind, out)
        display("\n".join(map(str, paths)))
        if kind == "dta" and (renamed := export.say_renamed()):
            notify(renamed)
    state = runs.verify_run(run)
    if state.missing or state.changed:
        _refuse(run, state.lost)


@contextmanager
def _drawing(run: Path) -> Iterator[None]:
    """Say of the run of somebody else that it cannot be drawn, where one's own shows a bug."""
    from .. import findings, runs
    from ..words import make_error

    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        if runs.Record.read(run).is_written_here:
            raise
        why = f"{type(error).__name__}: {error}"[:200]
        where = str(run / findings.FinishedRun.DOCUMENT.file)
        raise make_error(RunFolderError, "wrong.not_drawn", where=where, why=why) from error


@click.command(epilog=reading_codes("written", "4 the run is not as it was written, "))
@click.argument("run", type=RUN_FOLDER)
@options(("-o --out", (click.Path(path_type=Path), ""), "A .png or .svg file, or a folder."))
@click.pass_context
def card(ctx: click.Context, run: Path, out: Path | None) -> None:
    """Draw the answer of a finished RUN as a picture to forward (PNG and SVG)."""
    ctx.invoke(report, run=run, kinds=("card",), out=out, full=False, windows=(), tests=())


@click.command(epilog=reading_codes("printed"))
@click.argument("run", type=RUN_FOLDER, required=False)
@options()
def cite(run: Path | None) -> None:
    """Print how to cite eventstudy as BibTeX; with a RUN also its model, its tests and the rest."""
    from .. import findings, report

    display(report.write_bibtex(findings.FinishedRun.read(run).findings if run else None), nl=False)


def _check_choice(kinds: tuple[str, ...], export: Export) -> None:
    """Raise ConfigError for an option of a format that was not asked for."""
    options = (("--full", "pdf", export.full), ("--car", "tex", export.windows))
    for option, kind, is_set in (*options, ("--test", "tex", export.tests)):
        if is_set and kind not in kinds:
            raise ConfigError("is for another format", where=option, remedy=f"add --format {kind}")


def _check_ending(kinds: tuple[str, ...], out: Path) -> None:
    """Raise ConfigError where a new `out` is called as a file of another format."""
    endings = _endings(kinds[0])
    has_ending = out.suffix[1:] in KINDS or out.suffix in _endings("card")
    if has_ending and (len(kinds) > 1 or out.suffix not in endings):
        name = " or ".join(endings)
        remedy = "give a folder" if len(kinds) > 1 else f"give a folder or a name on {name}"
        problem = "the ending belongs to another format"
        raise ConfigError(problem, where="--out", value=str(out), remedy=remedy)


def _refuse(run: Path, files: Sequence[str], more: str = "") -> NoReturn:
    """Say which files of a run are not as they were written, and exit."""
    rest = f", and {len(files) - NAMED} more" if len(files) > NAMED else ""
    problem = f"{run} is not as it was written ({', '.join(files[:NAMED])}{rest})"
    text = f"{problem}; {more}restore it, or run the study again"
    tell("altered", text, exit_code=DIFFERENT)
    sys.exit(DIFFERENT)


def _beside(export: Export, run: Path, kind: str, *, is_missing: bool) -> list[Path]:
    """Return the files of one format: those that the run holds, or one next to it.

    Parameters
    ----------
    export : Export
        A table of chosen windows or tests is none that the run holds.
    run : Path
        Its folder.
    kind : str
    is_missing : bool
        Whether the run lacks files, which are written again.

    Returns
    -------
    list of Path
    """
    if kind not in HELD or (kind == "tex" and (export.windows or export.tests)):
        return export.write_beside(kind, run.resolve())
    if is_missing:
        export.write(kind, run, missing=True)
    return sorted(run.glob(HELD[kind]))


def _endings(kind: str) -> tuple[str, ...]:
    return (".png", ".svg") if kind == "card" else (f".{kind}",)


@click.command(epilog=reading_codes("all is as it was written", "4 some is not, "))
@click.argument("folder", metavar="RUN", type=RUN_FOLDER)
@options(JSON, NOTHING)
def verify(folder: Path, as_json: bool, quiet: bool) -> None:
    """Compare every file of a run folder with its hash.

    Exits with 4 if one is missing, changed or extra.
    """
    from ..runs import verify_run

    verification = verify_run(folder)
    document = {"ok": verification.ok, **asdict(verification)}
    _show(str(verification), document, as_json=as_json, quiet=quiet, ok=verification.ok)


@click.command(
    epilog=reading_codes(
        "reproduced", "4 numbers or inputs differ, 75 no network (derived numbers),\n"
    )
)
@click.argument("folder", metavar="RUN", type=RUN_FOLDER)
@options(
    ("--tolerance", (Number(0), ""), "Largest difference that counts as rounding. [default: 1e-9]"),
    JSON,
    NOTHING,
)
def reproduce(folder: Path, tolerance: float | None, as_json: bool, quiet: bool) -> None:
    """Compute a run again from its own folder, offline, and compare tables.

    A run of derived numbers, such as hikvision-2019, keeps no prices: these are fetched from Yahoo
    Finance, and returns may differ by 0.001. Exits with 4 if any differs by more.

    A folder of `eventstudy proof` is computed by our own check program, not by the one in it.
    """
    from ..runs import reproduce_run

    result = reproduce_run(folder, tolerance=tolerance)
    _show(str(result), result.to_dict(), as_json=as_json, quiet=quiet, ok=result.ok)


@click.command(
    epilog=reading_codes("written and all numbers agree", "4 numbers or inputs differ, ")
)
@click.argument("folder", metavar="RUN", type=RUN_FOLDER)
@options(
    ("--to target", (click.Path(path_type=Path), "DIR"), "The new folder. [default: RUN-proof]"),
    ("--force", SWITCH, "Replace the proof that is there."),
)
def proof(folder: Path, target: Path | None, force: bool) -> None:
    """Write a folder that proves a RUN to somebody who does not have this program.

    It has prices, events and settings as plain files, and a short program, check.py,
    that compute the numbers of the run again and import nothing of eventstudy. check.py is run at
    once. Exits with 4 if a number does not agree.
    """
    from ..runs import write_proof
    from ..words import clipped

    done = write_proof(folder, target, force=force)
    for line in done.text.splitlines():
        display(clipped(line, LONGEST))
    display(str(done.folder))
    if not done.ok:
        sys.exit(DIFFERENT)


@click.command(epilog=reading_codes("written", "4 the run is not as it was written, "))
@click.argument("folder", metavar="RUN", type=RUN_FOLDER)
@options(
    ("--to target", (click.Path(path_type=Path), "FILE"), "The zip. [default: RUN.zip]"),
    ("--force", SWITCH, "Write it in the place of a file that is there."),
)  # fmt: skip
def archive(folder: Path, target: Path | None, force: bool) -> None:
    """Write a RUN as a replication package: one zip as data editors of journals ask for it.

    It has the run, its proof and plan, the versions of all packages, where the data are from and
    whose they are, the literature, and the hash of each file. The same run gives the same bytes.
    """
    from ..runs import write_archive

    done = write_archive(folder, target, force=force)
    if done.no_proof:
        notify(f"without a proof: {done.no_proof}")
    display(f"{done.n_files} files in {done.path}")


@click.command(epilog=reading_codes("compared", "4 a run is not as it was written, "))
@click.argument("first", metavar="RUN_A", type=RUN_FOLDER)
@click.argument("second", metavar="RUN_B", type=RUN_FOLDER)
@options(MOVED, JSON)
def compare(first: Path, second: Path, threshold: float, as_json: bool) -> None:
    """List the differences of RUN_B from RUN_A, with the reasons.

    Compares events, their status, CARs and why they moved, verdicts and settings. Exits with 4,
    and names the file, if a file of either run is not as it was written.
    """
    from ..runs import compare_runs
    from ..words import ascii_text

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
    ("--data-age", (Number(0), "DAYS"), "A run is stale if it needs newer prices than that."),
    ("--json as_json", SWITCH, "Print the states as JSON."),
    QUIET,
)
def status(
    folder: Path, max_age: float | None, data_age: float | None, as_json: bool, quiet: bool
) -> None:
    """Show the newest check and the newest data of each run in REPORTS.

    Exits with 3 if the last refresh of a run failed, if a change waits for --on-change, if a run
    cannot be read or its files are not as they were written, or if its last check is older than
    --max-age, or its newest price than --data-age.
    """
    from ..records import list_waiting
    from ..runs import list_states
    from ..words import say

    if not as_json:
        for record, waiting in list_waiting(folder.absolute().parent):
            if waiting:
                display(say("status.record", record=record.name, n=waiting))
    ages = (None if age is None else timedelta(days=age) for age in (max_age, data_age))
    states = list_states(folder, *ages)
    if as_json:
        print_json(list(map(asdict, states)))
    for each in [] if as_json else states:
        if not (quiet and each.is_good):
            facts = {name: text or "-" for name, text in asdict(each).items()}
            facts |= {"state": say(f"status.{each.state}"), "why": f": {each.why}" * bool(each.why)}
            day = each.confirmed
            facts["confirmed"] = say("status.confirmed", day=day) if day else ""
            display(say("status.line", **facts))
    if any(not each.is_good for each in states):
        sys.exit(INCOMPLETE)
