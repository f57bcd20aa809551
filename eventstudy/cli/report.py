"""``eventstudy report``: a finished run in every format, without computing it again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ..errors import ConfigError
from .options import options
from .shared import DIFFERENT, PATH, display, reading_codes, tell

if TYPE_CHECKING:
    from ..findings.finished_run import FinishedRun
    from ..runs.verify import Verification

KINDS = ("html", "tex", "xlsx", "md", "json", "parquet", "interactive")
# The files to open of the formats that every run folder holds.
HELD = {"html": "report.html", "md": "report.md", "json": "results.json", "tex": "tables/*.tex"}
# Files that one message names.
NAMED = 5


@click.command(epilog=reading_codes("written", "4 the run is not as it was written, "))
@click.argument("run", type=PATH)
@options(
    ("-f --format kinds", {"type": click.Choice(KINDS), "multiple": True},
     "May be repeated.  [html]"),
    ("-o --out", (click.Path(path_type=Path), ""), "A file for one file, a folder for several."),
)  # fmt: skip
def report(run: Path, kinds: tuple[str, ...], out: Path | None) -> None:
    """Write the finished RUN in other formats, and print where they are.

    RUN is a folder of ``eventstudy run``. Nothing is computed anew: every format is made from
    results.json and the tables of RUN. Without --out the files that RUN holds (html, tex, md, json)
    stay as they are, and are written again where they are missing; xlsx, parquet and interactive,
    the page to explore, are written next to RUN, under its name. Exits with 4 if a file of RUN is
    not as it was written, and writes nothing if that is results.json.
    """
    from ..findings.finished_run import RESULTS, read_run
    from ..report.formats.formats import export_file, exported
    from ..runs import verify_run

    finished, kinds = read_run(run), tuple(dict.fromkeys(kinds or ["html"]))
    state = verify_run(run)
    if RESULTS in state.changed:
        _end(run, state, "no format is made from it: ")
    if out is not None and not out.is_dir():
        _check_ending(kinds, out)
    for kind in kinds:
        if out is None:
            paths = _beside(finished, run, kind, is_missing=bool(state.missing))
        elif len(kinds) == 1 and out.suffix and _ending(kind).endswith(out.suffix):
            paths = [export_file(finished, kind, out)]
        else:
            paths = exported(finished, kind, out)
        display("\n".join(map(str, paths)))
    state = verify_run(run)
    if state.missing or state.changed:
        _end(run, state)


def _check_ending(kinds: tuple[str, ...], out: Path) -> None:
    """Raise ConfigError where a new `out` is called as a file of another format."""
    ending, is_several = _ending(kinds[0]), len(kinds) > 1
    if out.suffix[1:] in KINDS and (is_several or not ending.endswith(out.suffix)):
        remedy = "give a folder" if is_several else f"give a folder or a name on {ending}"
        raise ConfigError(
            "the ending is that of another format", where="--out", value=str(out), remedy=remedy
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


def _beside(finished: FinishedRun, run: Path, kind: str, *, is_missing: bool) -> list[Path]:
    """Return the files of one format: those that the run holds, or one next to it.

    Parameters
    ----------
    finished : FinishedRun
    run : Path
        Its folder.
    kind : str
    is_missing : bool
        Whether the run lacks files, which are written again.

    Returns
    -------
    list of Path
    """
    from ..report.formats.formats import export_file, exported

    if kind not in HELD:
        run = run.resolve()
        return [export_file(finished, kind, run.with_name(run.name + _ending(kind)))]
    if is_missing:
        exported(finished, kind, run, missing=True)
    return sorted(run.glob(HELD[kind]))


def _ending(kind: str) -> str:
    return ".interactive.html" if kind == "interactive" else f".{kind}"
