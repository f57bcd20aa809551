"""``eventstudy report``: a finished run in every format, without computing it again."""

from __future__ import annotations

import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ..errors import ConfigError
from .shared import DIFFERENT, PATH, debug_option, reading_codes, tell

if TYPE_CHECKING:
    from ..findings.run_files import FinishedRun
    from ..runs.verify import Verification

KINDS = ("html", "tex", "xlsx", "md", "json", "parquet", "interactive")
# Files of the formats that every run folder holds, the one to open first.
HELD = {
    "html": ("report.html", "events/*.html"),
    "md": ("report.md",),
    "json": ("results.json",),
    "tex": ("tables/*.tex",),
}
# Files that one message names.
NAMED = 5
# What files are called where that is not the format.
ENDINGS = {"interactive": "interactive.html"}


@click.command(epilog=reading_codes("written", "4 the run is not as it was written, "))
@click.argument("run", type=PATH)
@click.option(
    "--format", "kinds", type=click.Choice(KINDS), multiple=True, help="May be repeated.  [html]"
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="A file for one file, a folder for several."
)
@debug_option
def report(run: Path, kinds: tuple[str, ...], out: Path | None) -> None:
    """Write the finished RUN in other formats, and print where they are.

    RUN is a folder of ``eventstudy run``. Nothing is computed anew: every format is made from
    results.json and the tables of RUN. Without --out the files that RUN holds (html, tex, md, json)
    stay as they are, and are written again where they are missing; xlsx, parquet and interactive,
    the page to explore, are written next to RUN, under its name. Exits with 4 if a file of RUN is
    not as it was written, and writes nothing if that is results.json.
    """
    from ..findings.run_files import RESULTS, read_run
    from ..runs import verify_run

    finished, kinds = read_run(run), tuple(dict.fromkeys(kinds or ["html"]))
    state = verify_run(run)
    if RESULTS in state.changed:
        _end(run, state, "no format is made from it: ")
    if out is not None and not out.is_dir():
        _check_ending(kinds, out)
    for kind in kinds:
        paths = _written(finished, run, kind, out, state.missing, is_file=len(kinds) == 1)
        click.echo("\n".join(map(str, paths)))
    state = verify_run(run)
    if state.missing or state.changed:
        _end(run, state)


def _check_ending(kinds: tuple[str, ...], out: Path) -> None:
    """Raise ConfigError where a new `out` is called as a file of another format."""
    endings = [f".{ENDINGS.get(kind, kind)}" for kind in KINDS]
    wanted = [f".{ENDINGS.get(kind, kind)}" for kind in kinds]
    if out.suffix in endings and (len(kinds) > 1 or out.suffix not in wanted[0]):
        remedy = "give a folder" if len(kinds) > 1 else f"give a folder or a name on {wanted[0]}"
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
    tell("altered", text, message=f"eventstudy: {text}", exit_code=DIFFERENT)
    sys.exit(DIFFERENT)


def _written(
    finished: FinishedRun,
    run: Path,
    kind: str,
    out: Path | None,
    missing: tuple[str, ...],
    *,
    is_file: bool,
) -> list[Path]:
    """Return the files of one format, written to `out`; without it those of the run.

    `missing` are the files that the run lacks.
    """
    from ..report.formats.formats import export_file, exported

    ending = ENDINGS.get(kind, kind)
    if out is not None:
        if is_file and out.name.endswith(f".{ending.rpartition('.')[2]}"):
            return [export_file(finished, kind, out)]
        return exported(finished, kind, out)
    if kind in HELD:
        if any(fnmatch(file, pattern) for file in missing for pattern in HELD[kind]):
            exported(finished, kind, run, missing=True)
        return sorted(run.glob(HELD[kind][0]))
    run = run.resolve()
    return [export_file(finished, kind, run.with_name(f"{run.name}.{ending}"))]
