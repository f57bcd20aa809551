"""The formats a finished run can be had in, and where each is written."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from ...analysis import Answer
from ...calendars import Window
from ...errors import DataError
from ...files import names_beside, parquet_modules, replacing, with_numbers
from ...findings import FinishedRun
from ...words import clipped, has, say
from ..tables.methods import write_bibtex
from .excel import workbook
from .figure_files import card
from .latex import latex_table, latex_tables
from .pages import event_pages, list_event_pages, markdown, pdf, render_report
from .word import NO_TIME, word

BIBLIOGRAPHY = "tables/references.bib"
# Letters of a label of Stata, and of a text that it keeps in place.
LONGEST_LABEL, LONGEST_TEXT = 80, 244
# What names an event in each table.
IDENTITY = ("event_id", "ticker")
Files = Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Export:
    """A finished run that is written in other formats.

    Attributes
    ----------
    run : FinishedRun
    windows, tests : tuple
        Of the LaTeX table of windows; by default those that fit.
    full : bool
        Whether a PDF is the whole report.
    """

    run: FinishedRun
    windows: tuple[Window, ...] = ()
    tests: tuple[str, ...] = ()
    full: bool = False

    # What every run folder holds.
    HELD: ClassVar = ("html", "json", "md", "tex")

    def files(self, kind: str) -> Files:
        """Return the files of a format by their paths below a folder.

        Parameters
        ----------
        kind : str
            Name in :data:`FORMATS`.
        """
        return FORMATS[kind](self)

    def say_renamed(self) -> str:
        """Return which columns of the events have another name in a file of Stata; "" for none."""
        names = names_in_stata(map(str, _cars_with_events(self.run)))
        own = _in_the_file(self.run)
        pairs = [(own.get(column, column), name) for column, name in names.items()]
        renamed = [f"{column} becomes {name}" for column, name in pairs if name != column]
        return say("stata.renamed", names=renamed) if renamed else ""

    def latex(self, name: str) -> str:
        """Return one of the LaTeX tables; ConfigError if there is none of that name.

        Parameters
        ----------
        name : {"caar", "robustness", "events", "regression"}
        """
        return latex_table(self.run.findings, name)

    def write(self, kind: str, folder: Path, *, missing: bool = False) -> list[Path]:
        """Write a format below a folder, under the names of a run folder.

        Parameters
        ----------
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
        contents = {folder / path: content for path, content in self.files(kind).items()}
        return [write_file(p, c) for p, c in contents.items() if not (missing and p.exists())]

    def write_file(self, kind: str, path: Path) -> Path:
        """Write a format as one file; LaTeX has its references beside it (``.bib``).

        Parameters
        ----------
        kind : str
            Name in :data:`FORMATS`.
        path : Path
            Of the file; pages of single events are left out. Of a card its ending says which
            picture.
        """
        contents = self.files(kind)
        if kind == "tex":
            write_file(path.with_suffix(".bib"), contents[BIBLIOGRAPHY])
            tables = (str(text) for name, text in contents.items() if name != BIBLIOGRAPHY)
            return write_file(path, "\n".join(tables))
        alike = [content for name, content in contents.items() if name.endswith(path.suffix)]
        return write_file(path, next(iter(alike or contents.values())))

    def write_beside(self, kind: str, path: Path) -> list[Path]:
        """Write the files of a format under the name of a run, each with its own ending.

        Parameters
        ----------
        kind : str
            Name in :data:`FORMATS`.
        path : Path
            Of the run folder.
        """
        if kind == "tex":
            tables = self.write_file(kind, path.with_name(f"{path.name}.tex"))
            return [tables, tables.with_suffix(".bib")]
        named = {path.with_name(path.name + Path(n).suffix): c for n, c in self.files(kind).items()}
        return [write_file(place, content) for place, content in named.items()]


def _pages(export: Export) -> Files:
    findings = export.run.findings
    pages = dict(event_pages(findings))
    index = {"events/index.html": list_event_pages(findings)} if pages else {}
    return {"report.html": render_report(findings), **index, **pages}


def _tex(export: Export) -> Files:
    findings = export.run.findings
    tables = latex_tables(findings, export.windows, export.tests)
    files = {f"tables/{name}.tex": text for name, text in tables.items()}
    return {**files, BIBLIOGRAPHY: write_bibtex(findings, export.tests)} if files else {}


def _card(export: Export) -> Files:
    findings = export.run.findings
    if findings.sample.answer.verdict == Answer.NO_RESULT:
        raise DataError(say("answer.no_card"), where=findings.name)
    return card(findings)


def long_table(run: FinishedRun) -> pd.DataFrame:
    """Return ``tables/abnormal_returns.csv``; with groups, that of each event is in front."""
    table, column = run.tables["abnormal_returns"], run.findings.setup.group_column
    if not column or column in IDENTITY:
        return table
    groups = {event.cells["event_id"]: event.cells[column] for event in run.findings.used}
    names = table["event_id"].astype(str).map(groups)
    name = names_beside([column], table.columns)[column]
    return table.assign(**{name: names})[[name, *table.columns]]


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


def _cars_with_events(run: FinishedRun) -> pd.DataFrame:
    """Return the CARs of all events and windows, with the columns of the events behind."""
    car = run.tables["car"]
    rows = [{**event.cells, "day0": event.day0} for event in run.findings.used]
    if not rows:
        raise DataError(say("stata.none"), where=run.findings.name)
    names = {column: name for name, column in _in_the_file(run).items()}
    events = pd.DataFrame(rows).drop(columns="ticker").rename(columns=names)
    own = list(names.values())
    events[own] = events[own].apply(with_numbers)
    return car.merge(events, on="event_id", how="left")


def _in_the_file(run: FinishedRun) -> dict[str, str]:
    """Return the columns of the events file by their names beside those of the CARs."""
    cells = run.findings.used[0].cells if run.findings.used else {}
    own = [column for column in cells if column not in (*IDENTITY, "day0")]
    names = names_beside(own, [*run.tables["car"], "day0"])
    return {name: column for column, name in names.items()}


def stata_bytes(run: FinishedRun) -> bytes:
    """Return the CARs of all events and windows, with the columns of the events, for Stata."""
    table = _cars_with_events(run)
    names, labels = names_in_stata(map(str, table)), {}
    own = _in_the_file(run)
    for column, name in names.items():
        code = f"stata.column.{column}"
        label = say(code) if has(code) else own.get(column, column)
        labels[name] = clipped(label, LONGEST_LABEL)
    table = table.rename(columns=names)
    dates: Any = {"last_session": "td", "day0": "td"}
    table = table.astype(dict.fromkeys(dates, "datetime64[ns]"))
    texts = table.select_dtypes(exclude=["number", "datetime", "bool"]).columns
    table[texts] = table[texts].fillna("").astype(str)
    long = [name for name in texts if table[name].str.len().max() > LONGEST_TEXT]
    file = io.BytesIO()
    table.to_stata(
        file, write_index=False, version=118, convert_dates=dates, time_stamp=NO_TIME,
        data_label=say("stata.label", window=run.findings.setup.main), convert_strl=long,
        variable_labels=labels,
    )  # fmt: skip
    return file.getvalue()


def names_in_stata(columns: Iterable[str]) -> dict[str, str]:
    """Return the names that columns have in a file of Stata, where not every name can be.

    Parameters
    ----------
    columns : iterable of str
    """
    file, given = io.BytesIO(), list(columns)
    with warnings.catch_warnings(action="ignore"):
        row = pd.DataFrame([[0] * len(given)], columns=given)
        row.to_stata(file, write_index=False, version=118)
    return dict(zip(given, map(str, pd.read_stata(io.BytesIO(file.getvalue()))), strict=True))


# By name: the files of a run, by their paths below a folder.
FORMATS: Mapping[str, Callable[[Export], Files]] = {
    "html": _pages,
    "card": _card,
    "pdf": lambda export: {"report.pdf": pdf(export.run.findings, full=export.full)},
    "tex": _tex,
    "xlsx": lambda export: {"report.xlsx": workbook(export.run)},
    "md": lambda export: {"report.md": markdown(export.run.findings)},
    "json": lambda export: {export.run.DOCUMENT.file: export.run.text},
    "docx": lambda export: {"report.docx": word(export.run.findings)},
    "dta": lambda export: {"car.dta": stata_bytes(export.run)},
    "parquet": lambda export: {"abnormal_returns.parquet": parquet_bytes(export.run)},
}


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
