"""The formats a finished run can be had in, and where each is written."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from ...findings.finished_run import RESULTS, FinishedRun, results_text
from ...utility.tables import parquet_modules
from .excel import workbook
from .latex import latex_tables
from .markdown import markdown

Files = Mapping[str, str | bytes]


def _pages(run: FinishedRun, folder: Path) -> Files:
    from .html import event_pages, list_event_pages, render_report

    pages = dict(event_pages(run.findings))
    index = {"events/index.html": list_event_pages(run.findings)} if pages else {}
    return {"report.html": render_report(run.findings), **index, **pages}


def _tex(run: FinishedRun, folder: Path) -> Files:
    return {f"tables/{name}.tex": text for name, text in latex_tables(run.findings).items()}


def long_table(run: FinishedRun) -> pd.DataFrame:
    """Return ``tables/abnormal_returns.csv``; with groups, that of each event is in front."""
    table, column = run.tables["abnormal_returns"], run.findings.setup.group_column
    if not column or column in table:
        return table
    groups = {event.cells["event_id"]: event.cells[column] for event in run.findings.used}
    names = table["event_id"].astype(str).map(groups)
    return table.assign(**{column: names})[[column, *table.columns]]


def parquet_bytes(run: FinishedRun) -> bytes:
    """Return the file of the long table.

    Raises
    ------
    ConfigError
        If the extra ``parquet`` is not installed.
    """
    pa, parquet = parquet_modules("abnormal_returns.parquet")
    table = pa.Table.from_pandas(long_table(run), preserve_index=False)
    date = table.schema.get_field_index("date")
    table = table.set_column(date, "date", table["date"].cast(pa.date32()))
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


# By name: the files of a run in a folder, by their paths below it.
FORMATS: Mapping[str, Callable[[FinishedRun, Path], Files]] = {
    "html": _pages,
    "tex": _tex,
    "xlsx": lambda run, folder: {"report.xlsx": workbook(run)},
    "md": lambda run, folder: {"report.md": markdown(run.findings)},
    "json": lambda run, folder: {RESULTS: results_text(run.findings)},
    "parquet": lambda run, folder: {"abnormal_returns.parquet": parquet_bytes(run)},
}
# What every run folder holds.
HELD = ("html", "json", "md", "tex")


def exported(run: FinishedRun, kind: str, folder: Path, *, missing: bool = False) -> list[Path]:
    """Write a run in one format below a folder, under the names of a run folder.

    Parameters
    ----------
    run : FinishedRun
    kind : str
        Name in :data:`FORMATS`.
    folder : Path
        Created if it is missing.
    missing : bool
        Write only the files that are not there.

    Returns
    -------
    list of Path
        The files written.
    """
    contents = {folder / path: content for path, content in FORMATS[kind](run, folder).items()}
    return [_write(p, c) for p, c in contents.items() if not (missing and p.exists())]


def export_file(run: FinishedRun, kind: str, path: Path) -> Path:
    """Write a run in one format as one file; the tables of LaTeX stand below each other.

    Parameters
    ----------
    run : FinishedRun
    kind : str
        Name in :data:`FORMATS`.
    path : Path
        Of the file; pages of single events are left out.
    """
    contents = FORMATS[kind](run, path.parent).values()
    return _write(path, "\n".join(map(str, contents)) if kind == "tex" else next(iter(contents)))


def _write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
