"""The events file: every row checked, every fault of every row told at once, then one table of
events."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import html
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, EventsFileError, Problem
from ..utility.typing import BoolArray, CalendarChoice, IntArray
from .cells import BLOCK, Column, Sheet
from .checks import Checked, check_sheet
from .csvfile import read_bytes, sheet_of_csv, strip
from .parquetfile import MAGIC, cell_text, sheet_of_parquet
from .rows import REQUIRED, Rules

if TYPE_CHECKING:
    import pandas as pd

FIXED = ("event_id", "ticker", "announced_at", "tz", "exchange", "benchmark", "day0", "flags")
# Columns that a notebook shows.
SHOWN = (
    "event_id",
    "ticker",
    "company",
    "group",
    "direction",
    "announced_at",
    "day0",
    "benchmark",
    "flags",
)


@dataclass(frozen=True, eq=False)
class Events:
    """Events in the order of the file; the row position is the only key.

    Attributes
    ----------
    table : DataFrame, shape (n_events, ...)
        One row per announcement and listing, index 0, 1, 2 ... Columns: ``event_id``, ``ticker``,
        ``announced_at`` (as in the file), ``tz``, ``exchange`` (market identifier code),
        ``benchmark``, ``day0`` (session date without a zone, ``datetime64[s]``), ``flags`` (words
        joined by ``;``), then every other column of the file as text. An empty cell is ``""``.
    source : str
        File name, or ``"frame"``.
    sha256 : str
        Hash of the file's bytes, or of the frame written as CSV.
    columns_in : tuple of str
        Columns of the input in their order.
    calendar : {"exchange", "data"}
        Whose sessions they were read for; their returns are laid on the same by default.
    notices : tuple of str
        What may not mean what was meant, though it is no fault.

    Notes
    -----
    Flags: ``time_unknown``, the stamp is a date without an hour; ``day0_given``, the
    file's day 0 differs from the one the clock gives. Words of an input column ``flags`` are kept.
    """

    table: pd.DataFrame
    source: str
    sha256: str
    columns_in: tuple[str, ...] = ()
    calendar: CalendarChoice = "exchange"
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Events({len(self)} events, {len(self.symbols)} tickers, source={self.source!r})"

    def _repr_html_(self) -> str:
        shown = [c for c in SHOWN if c in self.table and (self.table[c] != "").any()]
        body: str = self.table[shown].to_html(max_rows=20, escape=True, border=0)
        more = [c for c in self.table if c not in SHOWN]
        others = f"<p>Further columns: {html.escape(', '.join(map(str, more)))}</p>" if more else ""
        return f"<p>{html.escape(repr(self))}</p>\n{body}{others}"

    @property
    def symbols(self) -> list[str]:
        """Tickers, each once, in order of first appearance."""
        return list(dict.fromkeys(self.table["ticker"]))

    def take(self, rows: BoolArray | IntArray | Sequence[bool] | Sequence[int]) -> Events:
        """Return the events at `rows`, numbered anew from 0.

        Parameters
        ----------
        rows : array, shape (n_events,) of bool or (m,) of int
            Mask, or positions in the order wanted.

        Raises
        ------
        DataError
            A mask of another length, or a position out of range.
        """
        wanted = np.asarray(rows)
        if wanted.dtype == bool:
            if wanted.shape != (len(self),):
                raise DataError(f"a mask of {len(self)} events is needed", value=wanted.shape)
            wanted = np.flatnonzero(wanted)
        wanted = wanted.astype(np.int64)
        if wanted.size and not (-len(self) <= wanted.min() and wanted.max() < len(self)):
            raise DataError(f"there are {len(self)} events", value=int(wanted.max()))
        return replace(self, table=self.table.iloc[wanted].reset_index(drop=True))


def read_events(
    path: str | os.PathLike[str],
    *,
    calendar: CalendarChoice = "exchange",
    today: dt.date | None = None,
    cutoff_minutes: float = 0,
) -> Events:
    """Read an events file and find day 0 of each event.

    Parameters
    ----------
    path : path
        Text in UTF-8, a header line, cells separated by comma, semicolon, tab or ``|``; or Parquet
        (extra ``parquet``), each cell of which is read as it would stand in a CSV. Needed columns:
        ``ticker`` and ``announced_at`` (a date, a timestamp with its offset, or one with a zone in
        ``tz``). Optional: ``event_id``, ``tz``, ``benchmark``, ``day0``. All other columns are kept
        as they are, but for white space around ``group`` and ``direction``, and for columns of
        numbers with decimal commas where the separator is no comma, which get points.
    calendar : {"exchange", "data"}
        ``"exchange"``: day 0 is a session of the ticker's exchange, told by its suffix. ``"data"``:
        any name is a ticker, and day 0 is the date itself until price data say which dates are
        sessions.
    today : date or datetime, optional
        Announcements after it are faults; default now.
    cutoff_minutes : float
        News in the last `cutoff_minutes` before a close belong to the next session.

    Raises
    ------
    EventsFileError
        The file has faults; all are listed.
    EventStudyError
        The file cannot be read.
    """
    found, problems = check_events(
        path, calendar=calendar, today=today, cutoff_minutes=cutoff_minutes
    )
    return _all_or_nothing(str(path), found, problems)


def check_events(
    path: str | os.PathLike[str],
    *,
    calendar: CalendarChoice = "exchange",
    today: dt.date | None = None,
    cutoff_minutes: float = 0,
) -> tuple[Events | None, list[Problem]]:
    """Read an events file as far as it can be read.

    Parameters are those of `read_events`.

    Returns
    -------
    events : Events or None
        The rows without faults; None where there are none, or the header is faulty.
    problems : list of Problem
        Every fault, by line.

    Raises
    ------
    EventStudyError
        The file cannot be read.
    """
    found, problems, sha256 = check_file(
        path, calendar=calendar, today=today, cutoff_minutes=cutoff_minutes
    )
    return events_of(found, Path(path).name, sha256, calendar), problems


def check_file(
    path: str | os.PathLike[str],
    *,
    calendar: CalendarChoice = "exchange",
    today: dt.date | None = None,
    cutoff_minutes: float = 0,
) -> tuple[Checked | None, list[Problem], str]:
    """Return the good rows of an events file, every fault by line, and the hash of its bytes.

    Parameters and errors are those of `check_events`.
    """
    rules = Rules.of(calendar, today, cutoff_minutes)
    raw = read_bytes(path)
    if raw.startswith(MAGIC) or Path(path).suffix.lower() == ".parquet":
        sheet, problems = sheet_of_parquet(raw)
    else:
        sheet, problems = sheet_of_csv(raw, REQUIRED)
    found, more = (None, []) if sheet is None else check_sheet(sheet, rules)
    return found, sorted([*problems, *more], key=lambda p: p.line), hashlib.sha256(raw).hexdigest()


def events_from_frame(
    frame: pd.DataFrame,
    *,
    calendar: CalendarChoice = "exchange",
    today: dt.date | None = None,
    cutoff_minutes: float = 0,
) -> Events:
    """Return the events of a DataFrame, checked as in `read_events`.

    Missing values are empty cells; a date-time at midnight without a zone is a date. The line of a
    problem is the row's position + 2, its line in a CSV of the frame.

    Raises
    ------
    EventsFileError
        The frame has faults; all are listed.
    """
    rules = Rules.of(calendar, today, cutoff_minutes)
    sheet = _sheet_of_frame(frame)
    found, problems = check_sheet(sheet, rules)
    return _all_or_nothing("frame", events_of(found, "frame", _hash(sheet), calendar), problems)


def _sheet_of_frame(frame: pd.DataFrame) -> Sheet:
    names = [strip(str(name)) for name in frame.columns]
    columns = [_frame_column(frame.iloc[:, k]) for k in range(len(names))]
    return Sheet(1, names, np.arange(len(frame)) + 2, columns)


def _frame_column(cells: pd.Series[Any]) -> Column:
    """Return a column as text; values of a type without look-alikes (1, 1.0, True) are written
    once."""
    if cells.dtype.kind not in "biufM":
        return Column.of(map(cell_text, cells))
    codes, values = cells.factorize()
    written = Column.of([*map(cell_text, values.tolist()), ""])
    return Column(written.codes[codes], written.texts)


def _hash(sheet: Sheet) -> str:
    """Return the SHA-256 of a sheet written as CSV."""
    text, digest = io.StringIO(), hashlib.sha256()
    write = csv.writer(text, lineterminator="\n").writerows
    rows = chain([sheet.names], sheet.rows())
    while block := list(islice(rows, BLOCK)):
        write(block)
        digest.update(text.getvalue().encode("utf-8", "surrogatepass"))
        text.seek(0)
        text.truncate()
    return digest.hexdigest()


def _all_or_nothing(path: str, found: Events | None, problems: list[Problem]) -> Events:
    if problems or found is None:
        raise EventsFileError(path, problems)
    return found


def events_of(
    found: Checked | None, source: str, sha256: str, calendar: CalendarChoice = "exchange"
) -> Events | None:
    """Return the good rows of a file of events as a table; None where there are none."""
    if found is None:
        return None
    import pandas as pd

    table: dict[str, pd.Series[Any]] = {}
    for name in dict.fromkeys((*FIXED, *found.columns_in)):
        column = found.column(name)
        table[name] = pd.Series(pd.Series(column.texts, dtype=str).array.take(column.codes))
    table["day0"] = pd.Series(found.day0.astype("datetime64[s]"))
    return Events(
        pd.DataFrame(table), source, sha256, tuple(found.columns_in), calendar, found.notices
    )
