"""The events file: every row checked, every fault of every row told at once, then one table of events."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import html
import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError, EventsFileError, Problem
from ..typing import BoolArray, CalendarChoice, IntArray
from .csvfile import Lines, read_bytes, split_bytes, strip
from .rows import REQUIRED, Row, Rules, check_rows

if TYPE_CHECKING:
    import pandas as pd

FIXED = ("event_id", "ticker", "announced_at", "tz", "exchange", "benchmark", "day0", "flags")
# Columns that a notebook shows.
SHOWN = ("event_id", "ticker", "company", "group", "direction", "announced_at", "day0", "benchmark", "flags")


@dataclass(frozen=True, eq=False)
class Events:
    """Events in the order of the file; the row position is the only key.

    Attributes
    ----------
    table : DataFrame, shape (n_events, ...)
        One row per announcement and listing, index 0, 1, 2 ... Columns: ``event_id``, ``ticker``,
        ``announced_at`` (as in the file), ``tz``, ``exchange`` (market identifier code), ``benchmark``,
        ``day0`` (session date without a zone, ``datetime64[s]``), ``flags`` (words joined by ``;``), then
        every other column of the file as text. An empty cell is ``""``.
    source : str
        File name, or ``"frame"``.
    sha256 : str
        Hash of the file's bytes, or of the frame written as CSV.
    columns_in : tuple of str
        Columns of the input in their order.

    Notes
    -----
    Flags: ``time_unknown``, the stamp is a date without an hour; ``day0_given``, the
    file's day 0 differs from the one the clock gives. Words of an input column ``flags`` are kept.
    """

    table: pd.DataFrame
    source: str
    sha256: str
    columns_in: tuple[str, ...] = ()

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
        Text in UTF-8, a header line, cells separated by comma, semicolon, tab or ``|``. Needed columns:
        ``ticker`` and ``announced_at`` (a date, a timestamp with its offset, or one with a zone in ``tz``).
        Optional: ``event_id``, ``tz``, ``benchmark``, ``day0``. All other columns are kept as they are.
    calendar : {"exchange", "data"}
        ``"exchange"``: day 0 is a session of the ticker's exchange, told by its suffix. ``"data"``: any
        name is a ticker, and day 0 is the date itself until price data say which dates are sessions.
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
    found, problems = check_events(path, calendar=calendar, today=today, cutoff_minutes=cutoff_minutes)
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
    rules = Rules.of(calendar, today, cutoff_minutes)
    raw = read_bytes(path)
    rows, problems = split_bytes(raw, REQUIRED)
    found, more = _events_of(rows, rules, source=Path(path).name, sha256=hashlib.sha256(raw).hexdigest())
    return found, sorted([*problems, *more], key=lambda p: p.line)


def events_from_frame(
    frame: pd.DataFrame,
    *,
    calendar: CalendarChoice = "exchange",
    today: dt.date | None = None,
    cutoff_minutes: float = 0,
) -> Events:
    """Return the events of a DataFrame, checked as in `read_events`.

    Missing values are empty cells; a date-time at midnight without a zone is a date. The line of a problem
    is the row's position + 2, its line in a CSV of the frame.

    Raises
    ------
    EventsFileError
        The frame has faults; all are listed.
    """
    rules = Rules.of(calendar, today, cutoff_minutes)
    cells = [[strip(str(name)) for name in frame.columns]]
    cells += [[_cell_text(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(cells)
    sha256 = hashlib.sha256(text.getvalue().encode("utf-8", "surrogatepass")).hexdigest()
    found, problems = _events_of(list(enumerate(cells, 1)), rules, source="frame", sha256=sha256)
    return _all_or_nothing("frame", found, problems)


def _events_of(
    lines: Lines, rules: Rules, *, source: str, sha256: str
) -> tuple[Events | None, list[Problem]]:
    good, columns, problems = check_rows(lines, rules)
    found = Events(_table(good, columns), source, sha256, tuple(columns)) if good else None
    return found, problems


def _all_or_nothing(path: str, found: Events | None, problems: list[Problem]) -> Events:
    if problems or found is None:
        raise EventsFileError(path, problems)
    return found


def _table(rows: list[Row], columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    found: dict[str, pd.Series] = {}
    for column in dict.fromkeys((*FIXED, *columns)):
        found[column] = pd.Series([row[column] for row in rows], dtype=str)
    found["exchange"] = pd.Series([row.exchange.code if row.exchange else "" for row in rows], dtype=str)
    found["flags"] = pd.Series([_join_flags(row) for row in rows], dtype=str)
    found["day0"] = pd.Series(np.array([row.day0 for row in rows], dtype="datetime64[s]"))
    return pd.DataFrame(found)


def _join_flags(row: Row) -> str:
    words = [word.strip() for word in row["flags"].split(";")]
    return ";".join(dict.fromkeys(word for word in (*words, *row.flags) if word))


def _cell_text(value: object) -> str:
    """Return a cell of a frame as it would stand in a CSV file."""
    if isinstance(value, str):
        return value
    if value is None or str(value) in ("NaT", "<NA>") or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, dt.datetime):
        bare = value.tzinfo is None and value.time() == dt.time()
        return value.date().isoformat() if bare else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
