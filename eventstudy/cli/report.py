"""``eventstudy report``: a finished run in other formats, without computing it again."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .shared import DIFFERENT, PATH, debug_option, reading_codes, tell

if TYPE_CHECKING:
    from ..report.formats import Finished

# What every run folder holds, by format; the others are written on demand.
HELD = {"html": "report.html", "md": "report.md", "json": "results.json", "tex": "tables/*.tex"}
KINDS = ("html", "tex", "xlsx", "md", "json", "parquet", "interactive")
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
    """Give the finished RUN in other formats, and print where they are.

    RUN is a folder of ``eventstudy run``. Nothing is computed anew. Without --out what the folder
    holds (html, tex, md, json) stays as it is; xlsx, parquet and interactive, the page to explore,
    are written beside the folder, under its name. Exits with 4 if a file of RUN is not as it was
    written.
    """
    from ..report.formats import read_run
    from ..runs import verify_run

    finished = read_run(run)
    found = verify_run(run)
    for kind in dict.fromkeys(kinds or ["html"]):
        paths = _written(finished, run, kind, out, alone=len(set(kinds)) < 2)
        click.echo("\n".join(map(str, paths)))
    if altered := [
        f"{word}: {file}" for word in ("missing", "changed") for file in getattr(found, word)
    ]:
        said = (
            f"{run} is not as it was written ({', '.join(altered)}); restore it, or run the study "
            "again"
        )
        tell("altered", said, said=f"eventstudy: {said}", exit_code=DIFFERENT)
        sys.exit(DIFFERENT)


def _written(
    finished: Finished, run: Path, kind: str, out: Path | None, *, alone: bool
) -> list[Path]:
    """Return the files of one format, written to `out`; without it those that the run has,
    untouched."""
    from ..report.formats import export_file, exported

    if out is None:
        if kind in HELD:
            return sorted(run.glob(HELD[kind]))
        beside = run.resolve()
        ending = ENDINGS.get(kind, kind)
        return [export_file(finished, kind, beside.with_name(f"{beside.name}.{ending}"))]
    as_file = alone and out.name.endswith(f".{ENDINGS.get(kind, kind).rpartition('.')[2]}")
    if kind == "html":
        page = out if as_file else out / HELD[kind]
        page.parent.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copyfile(run / HELD[kind], page))]
    return [export_file(finished, kind, out)] if as_file else exported(finished, kind, out)
