"""Events files of other kinds than CSV as one sheet: Parquet and frames."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, Problem
from ..utility.sheets import WHOLE_ROW, Sheet, TextColumn
from ..utility.tables import read_stata, reading_parquet, strip

if TYPE_CHECKING:
    import pandas as pd

# Where pandas keeps an index that has no name.
_INDEX = re.compile(r"__index_level_\d+__")


def sheet_of_stata(raw: bytes) -> tuple[Sheet | None, list[Problem]]:
    """Return the rows of a Stata file."""
    try:
        return sheet_of_frame(read_stata(io.BytesIO(raw))), []
    except DataError as error:
        reason = f"the file cannot be read as Stata ({error.remedy})"
        return None, [Problem(1, WHOLE_ROW, reason)]


def sheet_of_parquet(raw: bytes) -> tuple[Sheet | None, list[Problem]]:
    """Return the rows of a Parquet file that are not empty.

    The line of a row is its position + 2, its line in a CSV of the file.

    Raises
    ------
    ConfigError
        pyarrow is not installed.
    """
    try:
        with reading_parquet() as (pa, pq):
            table = pq.read_table(pa.BufferReader(raw))
            named = [k for k, name in enumerate(table.column_names) if not _INDEX.fullmatch(name)]
            names = [table.column_names[k] for k in named]
            cells = (table.column(k).to_pylist() for k in named)
            columns = [TextColumn.of(map(cell_text, column)) for column in cells]
    except DataError as error:
        reason = f"the file cannot be read as Parquet ({error.remedy})"
        return None, [Problem(1, WHOLE_ROW, reason)]
    filled = np.zeros(table.num_rows, dtype=bool)
    for column in columns:
        filled |= np.array([strip(text) != "" for text in column.texts], dtype=bool)[column.codes]
    rows = np.flatnonzero(filled)
    if len(rows) < len(filled):
        columns = [column.take(rows) for column in columns]
    return Sheet(1, names, rows + 2, columns), []


def cell_text(value: object) -> str:
    """Return a value as in a CSV: missing is empty, midnight without a zone is a date."""
    if isinstance(value, str):
        return value
    if value is None or str(value) in ("NaT", "<NA>", "nan"):
        return ""
    if isinstance(value, dt.datetime):
        bare = value.tzinfo is None and value.time() == dt.time()
        return value.date().isoformat() if bare else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def sheet_of_frame(frame: pd.DataFrame) -> Sheet:
    """Return the rows of a frame; the line of a row is its position + 2."""
    names = [strip(str(name)) for name in frame.columns]
    columns = [_frame_column(frame.iloc[:, k]) for k in range(len(names))]
    return Sheet(1, names, np.arange(len(frame)) + 2, columns)


def _frame_column(cells: pd.Series[Any]) -> TextColumn:
    """Return a column as text; distinct values are written once if no two look alike."""
    if cells.dtype.kind not in "biufM":
        return TextColumn.of(map(cell_text, cells))
    codes, values = cells.factorize()
    return TextColumn.coded([*map(cell_text, values.tolist()), ""], codes)


def hash_of(sheet: Sheet) -> str:
    """Return the SHA-256 of a sheet written as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([sheet.names, *sheet.rows()])
    return hashlib.sha256(text.getvalue().encode("utf-8", "surrogatepass")).hexdigest()
