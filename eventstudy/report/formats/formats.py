"""The formats a finished run can be had in, and where each is written."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ...analysis import NO_RESULT
from ...calendars import Window
from ...errors import DataError
from ...files import parquet_modules, replacing
from ...findings import FinishedRun
from ...words import say
from ..tables.methods import write_bibtex
from .excel import workbook
from .figure_files import card
from .latex import latex_tables
from .pages import event_pages, list_event_pages, markdown, pdf, render_report

BIBLIOGRAPHY = "tables/references.bib"
Files = Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a run is shown: windows and tests of the LaTeX table, and whether a PDF is whole."""

    windows: tuple[Window, ...] = ()
    tests: tuple[str, ...] = ()
    full: bool = False


ALL = Choice()


def _pages(run: FinishedRun, choice: Choice) -> Files:
    pages = dict(event_pages(run.findings))
    index = {"events/index.html": list_event_pages(run.findings)} if pages else {}
    return {"report.html": render_report(run.findings), **index, **pages}


def _tex(run: FinishedRun, choice: Choice) -> Files:
    tables = latex_tables(run.findings, choice.windows, choice.tests)
    files = {f"tables/{name}.tex": text for name, text in tables.items()}
    return {**files, BIBLIOGRAPHY: write_bibtex(run.findings, choice.tests)} if files else {}


def _card(run: FinishedRun, choice: Choice) -> Files:
    if run.findings.sample.answer.verdict == NO_RESULT:
        raise DataError(say("answer.no_card"), where=run.findings.name)
    return card(run.findings)


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


# By name: the files of a run, by their paths below a folder.
FORMATS: Mapping[str, Callable[[FinishedRun, Choice], Files]] = {
    "html": _pages,
    "card": _card,
    "pdf": lambda run, choice: {"report.pdf": pdf(run.findings, full=choice.full)},
    "tex": _tex,
    "xlsx": lambda run, choice: {"report.xlsx": workbook(run)},
    "md": lambda run, choice: {"report.md": markdown(run.findings)},
    "json": lambda run, choice: {run.DOCUMENT.file: run.text},
    "parquet": lambda run, choice: {"abnormal_returns.parquet": parquet_bytes(run)},
}
# What every run folder holds.
HELD = ("html", "json", "md", "tex")


def exported(
    run: FinishedRun, kind: str, folder: Path, *, missing: bool = False, choice: Choice = ALL
) -> list[Path]:
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
    choice : Choice
        By default everything.

    Returns
    -------
    list of Path
        The files written.
    """
    contents = {folder / path: content for path, content in FORMATS[kind](run, choice).items()}
    return [write_file(p, c) for p, c in contents.items() if not (missing and p.exists())]


def export_file(run: FinishedRun, kind: str, path: Path, *, choice: Choice = ALL) -> Path:
    """Write a run in one format as one file; LaTeX has its references beside it (``.bib``).

    Parameters
    ----------
    run : FinishedRun
    kind : str
        Name in :data:`FORMATS`.
    path : Path
        Of the file; pages of single events are left out. Of a card its ending says which picture.
    choice : Choice
        By default everything.
    """
    contents = FORMATS[kind](run, choice)
    if kind == "tex":
        write_file(path.with_suffix(".bib"), contents[BIBLIOGRAPHY])
        tables = (str(text) for name, text in contents.items() if name != BIBLIOGRAPHY)
        return write_file(path, "\n".join(tables))
    alike = [content for name, content in contents.items() if name.endswith(path.suffix)]
    return write_file(path, next(iter(alike or contents.values())))


def export_beside(run: FinishedRun, kind: str, path: Path, *, choice: Choice = ALL) -> list[Path]:
    """Write the files of a format under the name of a run, each with its own ending.

    Parameters
    ----------
    run : FinishedRun
    kind : str
        Name in :data:`FORMATS`.
    path : Path
        Of the run folder.
    choice : Choice
        By default everything.
    """
    if kind == "tex":
        tables = export_file(run, kind, path.with_name(f"{path.name}.tex"), choice=choice)
        return [tables, tables.with_suffix(".bib")]
    contents = FORMATS[kind](run, choice).items()
    return [write_file(path.with_name(path.name + Path(name).suffix), c) for name, c in contents]


def write_file(path: Path, content: str | bytes) -> Path:
    """Write a file at once, as everybody may read it, and return its path.

    Parameters
    ----------
    path : Path
    content : str or bytes
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(0o644)
    return path
