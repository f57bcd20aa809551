"""Other news near an announcement: which events it touches, and the study without them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..calendars.window import Window
from ..errors import DataError, EventsFileError, Problem
from ..events.announcements import parse_date
from ..events.sheets import sheet_of_csv
from ..utility.catalogue import Reason
from ..utility.flags import Flag
from ..utility.tables import read_bytes, strip
from ..utility.typing import ObjectArray

if TYPE_CHECKING:
    from .fitted import FittedStudy

REQUIRED = ("ticker", "date", "what")
EVERY_FIRM = "*"
FLAG, COLUMN, TEXT = Flag.CONFOUNDED, "confounders", "confounder"
# What a cell of the column says where nothing is known.
_NONE = {"", "-", "0", "no", "none", "none known", "n/a", "nan"}


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
    sheet, problems = sheet_of_csv(read_bytes(path), REQUIRED)
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


def confounded_by(
    results: FittedStudy, news: Sequence[Confounder], window: Window, *, days: int = 1
) -> ObjectArray:
    """Return what confounds each event, shape (n,); "" where nothing is known.

    News of the firm (or of all) from `days` sessions before the window to `days` after it, on the
    clock of its exchange; news on a day without trade count for the next session. The text of a
    column ``confounders`` counts whatever its date.

    Parameters
    ----------
    results : FittedStudy
    news : sequence of Confounder
    window : Window
    days : int
        Sessions before and after the window that count as well.
    """
    panel, table = results.panel, results.events
    out = np.full(len(table), "", dtype=object)
    cells = table[COLUMN].astype(str) if COLUMN in table else [""] * len(table)
    rows = zip(table["ticker"], table["exchange"], table["day0"], cells, strict=True)
    for i, (ticker, code, day0, cell) in enumerate(rows):
        sessions = panel.sessions[panel.calendars.get(panel.calendar_of(code), slice(None))]
        zero = int(np.searchsorted(sessions, np.datetime64(day0, "D")))
        near = [
            f"{item.text} ({item.date})"
            for item in news
            if item.ticker in (ticker, EVERY_FIRM)
            and (at := int(np.searchsorted(sessions, np.datetime64(item.date)))) < len(sessions)
            and window.start - days <= at - zero <= window.stop + days
        ]
        note = cell.strip()
        out[i] = "; ".join([*near, *([note] if note.lower() not in _NONE else [])])
    return out


def with_confounders(results: FittedStudy, texts: ObjectArray) -> FittedStudy:
    """Return the results with the flag ``confounded`` and the column ``confounder``.

    Parameters
    ----------
    results : FittedStudy
    texts : (n,) object array
        What confounds each event; "" for nothing.
    """
    words = [[w for w in text.split(";") if w and w != FLAG] for text in results.events["flags"]]
    pairs = zip(words, texts, strict=True)
    flags = [";".join([*flagged, FLAG] if text else flagged) for flagged, text in pairs]
    return replace(results, events=results.events.assign(flags=flags, **{TEXT: list(texts)}))


def reasons_of(texts: ObjectArray) -> list[str]:
    """Return why each confounded event is left out, "" for the others."""
    return [Reason("confounded", news=text) if text else "" for text in texts]
