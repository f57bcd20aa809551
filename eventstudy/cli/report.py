"""``eventstudy report``: a finished run in every format, without computing it again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ..errors import ConfigError
from .options import SWITCH, options
from .shared import DIFFERENT, PATH, display, reading_codes, tell

if TYPE_CHECKING:
    from ..findings.finished_run import FinishedRun
    from ..report.formats.formats import Choice
    from ..runs.verify import Verification

KINDS = ("html", "card", "pdf", "tex", "xlsx", "md", "json", "parquet")
# The files to open of the formats that every run folder holds.
HELD = {"html": "report.html", "md": "report.md", "json": "results.json", "tex": "tables/*.tex"}
# Files that one message names.
NAMED = 5


@click.command(epilog=reading_codes("written", "4 the run is not as it was written, "))
@click.argument("run", type=PATH)
@options(
    ("-f --format kinds", {"type": click.Choice(KINDS), "multiple": True},
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

    RUN is a folder of ``eventstudy run``. Nothing is computed anew: every format is made from
    results.json and the tables of RUN. Without --out the files that RUN holds (html, tex, md, json)
    stay as they are, and are written again where they are missing. The others are written next to
    RUN, under its name: card, a picture to forward (PNG and SVG); pdf, printed by an installed
    browser; xlsx; parquet; and tex with chosen windows or tests. Exits with 4 if a file of RUN is
    not as it was written, and writes nothing if that is results.json.
    """
    from ..calendars.window import Window
    from ..findings.finished_run import RESULTS, read_run
    from ..report.formats.formats import Choice, export_file, exported
    from ..runs import verify_run

    finished, kinds = read_run(run), tuple(dict.fromkeys(kinds or ["html"]))
    choice = Choice(tuple(map(Window.of, windows)), tests, full)
    _check_choice(kinds, choice)
    state = verify_run(run)
    if RESULTS in state.changed:
        _end(run, state, "no format is made from it: ")
    if out is not None and not out.is_dir():
        _check_ending(kinds, out)
    for kind in kinds:
        if out is None:
            paths = _beside(finished, run, kind, choice, is_missing=bool(state.missing))
        elif len(kinds) == 1 and out.suffix in _endings(kind):
            paths = [export_file(finished, kind, out, choice=choice)]
            paths += [out.with_suffix(".bib")] * (kind == "tex")
        else:
            paths = exported(finished, kind, out, choice=choice)
        display("\n".join(map(str, paths)))
    state = verify_run(run)
    if state.missing or state.changed:
        _end(run, state)


@click.command(epilog=reading_codes("written", "4 the run is not as it was written, "))
@click.argument("run", type=PATH)
@options(("-o --out", (click.Path(path_type=Path), ""), "A .png or .svg file, or a folder."))
@click.pass_context
def card(ctx: click.Context, run: Path, out: Path | None) -> None:
    """Draw the answer of a finished RUN as a picture to forward (PNG and SVG)."""
    ctx.invoke(report, run=run, kinds=("card",), out=out, full=False, windows=(), tests=())


@click.command(epilog=reading_codes("printed"))
@click.argument("run", type=PATH, required=False)
@options()
def cite(run: Path | None) -> None:
    """Print how to cite eventstudy as BibTeX; with a RUN also its model, its tests and the rest."""
    from ..findings.finished_run import read_run
    from ..report.sections.methods import write_bibtex

    display(write_bibtex(read_run(run).findings if run else None), nl=False)


def _check_choice(kinds: tuple[str, ...], choice: Choice) -> None:
    """Raise ConfigError for an option that no format asked for has."""
    options = (("--full", "pdf", choice.full), ("--car", "tex", choice.windows))
    for option, kind, is_set in (*options, ("--test", "tex", choice.tests)):
        if is_set and kind not in kinds:
            raise ConfigError("is for another format", where=option, remedy=f"add --format {kind}")


def _check_ending(kinds: tuple[str, ...], out: Path) -> None:
    """Raise ConfigError where a new `out` is called as a file of another format."""
    endings, is_several = _endings(kinds[0]), len(kinds) > 1
    is_one = out.suffix[1:] in KINDS or out.suffix in _endings("card")
    if is_one and (is_several or out.suffix not in endings):
        name = " or ".join(endings)
        remedy = "give a folder" if is_several else f"give a folder or a name on {name}"
        raise ConfigError(
            "the ending belongs to another format", where="--out", value=str(out), remedy=remedy
        )


def _end(run: Path, state: Verification, more: str = "") -> NoReturn:
    """Say which files of a run are not as they were written, and exit."""
    files = [f"missing: {f}" for f in state.missing] + [f"changed: {f}" for f in state.changed]
    rest = f", and {len(files) - NAMED} more" if len(files) > NAMED else ""
    text = (
        f"{run} is not as it was written ({', '.join(files[:NAMED])}{rest}); {more}"
        "restore it, or run the study again"
    )
    tell("altered", text, exit_code=DIFFERENT)
    sys.exit(DIFFERENT)


def _beside(
    finished: FinishedRun, run: Path, kind: str, choice: Choice, *, is_missing: bool
) -> list[Path]:
    """Return the files of one format: those that the run holds, or one next to it.

    Parameters
    ----------
    finished : FinishedRun
    run : Path
        Its folder.
    kind : str
    choice : Choice
        A table of chosen windows or tests is none that the run holds.
    is_missing : bool
        Whether the run lacks files, which are written again.

    Returns
    -------
    list of Path
    """
    from ..report.formats.formats import export_beside, exported

    if kind not in HELD or (kind == "tex" and (choice.windows or choice.tests)):
        return export_beside(finished, kind, run.resolve(), choice=choice)
    if is_missing:
        exported(finished, kind, run, missing=True)
    return sorted(run.glob(HELD[kind]))


def _endings(kind: str) -> tuple[str, ...]:
    return (".png", ".svg") if kind == "card" else (f".{kind}",)
