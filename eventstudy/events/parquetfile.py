"""The rows of a Parquet file as text, cell by cell what a CSV of it would hold."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

import numpy as np

from ..errors import Problem
from ..utility.optional_parquet import parquet_modules
from .cells import WHOLE_ROW, Column, Sheet
from .csvfile import strip

MAGIC = b"PAR1"
# Where pandas keeps an index that has no name.
_INDEX = re.compile(r"__index_level_\d+__")


def sheet_of_parquet(raw: bytes) -> tuple[Sheet | None, list[Problem]]:
    """Return the rows of a Parquet file that are not empty.

    The line of a row is its position + 2, its line in a CSV of the file.

    Raises
    ------
    ConfigError
        pyarrow is not installed.
    """
    pa, pq = parquet_modules()
    try:
        table = pq.read_table(pa.BufferReader(raw))
        names = [name for name in table.column_names if not _INDEX.fullmatch(name)]
        columns = [
            _column(table.column(k)) for k, own in enumerate(table.column_names) if own in names
        ]
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        return None, [Problem(1, WHOLE_ROW, f"the file cannot be read as Parquet ({reason})")]
    filled = np.zeros(table.num_rows, dtype=bool)
    for column in columns:
        filled |= np.array([strip(text) != "" for text in column.texts], dtype=bool)[column.codes]
    rows = np.flatnonzero(filled)
    if len(rows) < len(filled):
        columns = [column.take(rows) for column in columns]
    return Sheet(1, names, rows + 2, columns), []


def _column(cells: Any) -> Column:
    """Return a column of Arrow as text; the values of a type that can be told apart are written
    once."""
    import pyarrow as pa

    try:
        encoded = cells.dictionary_encode().combine_chunks() if cells.num_chunks else None
    except pa.ArrowNotImplementedError:
        encoded = None
    if encoded is None:
        return Column.of(map(cell_text, cells.to_pylist()))
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    values = [cell_text(value) for value in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    written = Column.of([*values, ""])
    return Column(written.codes[codes], written.texts)


def cell_text(value: object) -> str:
    """Return a value as it would stand in a CSV file: a missing one is empty, midnight in no zone a
    date."""
    if isinstance(value, str):
        return value
    if (
        value is None
        or str(value) in ("NaT", "<NA>")
        or (isinstance(value, float) and math.isnan(value))
    ):
        return ""
    if isinstance(value, dt.datetime):
        bare = value.tzinfo is None and value.time() == dt.time()
        return value.date().isoformat() if bare else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
