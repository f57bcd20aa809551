"""The file of other news: what else the press said of a firm, and when."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DataError, EventsFileError, Problem
from ..events import parse_date
from ..files import InputFile, Sheet, strip

# Columns of a file of other news, and the firm of a row that is about all.
REQUIRED, EVERY_FIRM = ("ticker", "date", "what"), "*"


# The column of the events that names other news, that of all news near an event, and what their
# cells say where nothing is known.
NEWS_COLUMN, CONFOUNDER = "confounders", "confounder"


NO_NEWS = {"", "-", "0", "no", "none", "none known", "n/a", "nan"}


class ConfoundersFileError(EventsFileError):
    """The file of confounders has faults; ``problems`` lists all of them, in file order."""

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        super().__init__(path, problems)
        self.what = self.what.replace("the events file", "the file of confounders")


@dataclass(frozen=True, slots=True)
class Confounder:
    """One piece of other news: of one listing, or of all (``*``)."""

    ticker: str
    date: dt.date
    text: str


def read_confounders(path: str | os.PathLike[str]) -> list[Confounder]:
    """Read a CSV with the columns ticker (``*`` for all), date (YYYY-MM-DD) and what.

    Raises
    ------
    ConfoundersFileError
        The file has faults; all are listed.
    EventStudyError
        The file cannot be read.
    """
    sheet, problems = Sheet.of_csv(InputFile(path).content(), REQUIRED)
    news: list[Confounder] = []
    if sheet:
        columns = [strip(name).strip('"').lower() for name in sheet.names]
        lacking = [name for name in REQUIRED if name not in columns]
        remedy = f"the first line names {', '.join(REQUIRED)}"
        for name in lacking:
            problems.append(Problem(sheet.header, name, "column is missing", remedy=remedy))
        problems += sheet.odd_rows() if not lacking else []
        lines = zip(sheet.lines.tolist(), sheet.rows(), strict=True) if not lacking else ()
        for line, cells in lines:
            row, faults = _row(line, cells, columns)
            problems += faults
            news += row
    if problems:
        raise ConfoundersFileError(str(path), sorted(problems, key=lambda p: p.line))
    return news


def _row(
    line: int, cells: Sequence[str], columns: list[str]
) -> tuple[list[Confounder], list[Problem]]:
    row = {name: strip(cell) for name, cell in zip(columns, cells, strict=True)}
    faults = [Problem(line, name, "is empty") for name in REQUIRED if not row[name]]
    day = None
    if row["date"]:
        try:
            day = parse_date(row["date"])
        except DataError as error:
            faults.append(Problem(line, "date", error.what, row["date"], error.remedy))
    return ([Confounder(row["ticker"], day, row["what"])] if day and not faults else []), faults
