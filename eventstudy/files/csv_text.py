"""The CSVs of a run: equal tables give equal bytes, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ..utility import pd

# Name of the group of events whose cell is blank.
BLANK = "(blank)"
# What events.csv has behind the columns that were given.
OUTCOME = ["day0", "status", "reason", "flags", "nobs"]
_SIGN = r"[=+\-@＝＋－＠]"
_NUMBER = r"[+-](?:\d[\d.,]*|\.\d+)(?:[eE][+-]?\d+)?\s*%?\s*"
# Where a spreadsheet would begin a formula, behind the apostrophes there: at the start of a cell,
# and at each semicolon, which separates the cells wherever the comma is that of decimals.
_STARTS = re.compile(
    rf"^'*(?=\s*(?!{_NUMBER}\Z){_SIGN}.*\w)|(?<=;)'*(?=(?!{_NUMBER}(?:;|\Z)){_SIGN}[^;]*\w)",
    re.DOTALL,
)

# The ends of rows, and what is quoted, in which there are none.
_ENDS = re.compile(r'"[^"]*"|\r\n')


def quoted(text: str) -> str:
    """Return `text` with an apostrophe before what a spreadsheet would take for a formula.

    Text that is none, and a number such as ``-1.5`` or ``+3%``, stays as it is; `unquoted` gives
    back all.
    """
    return _STARTS.sub(lambda match: f"'{match[0]}", text)


def unquoted(text: str) -> str:
    """Return the text of which `quoted` made this."""
    return _STARTS.sub(lambda match: match[0][1:], text)


def to_csv(table: pd.DataFrame) -> bytes:
    """Return the canonical CSV: UTF-8, LF, shortest exact digits, dates without a time.

    A text that a spreadsheet would take for a formula begins with an apostrophe; see `quoted`.
    """
    rows: list[Any] = [[quoted(str(name)) for name in table.columns]]
    rows += zip(*(_cells(table[name]) for name in table.columns), strict=True)
    text = _written(rows, "\n")
    if "\r" in text:
        # Cells are quoted for what ends a row, and readers take a bare CR for that as well.
        ends = _ENDS.sub
        text = ends(lambda end: end[0] if end[0][0] == '"' else "\n", _written(rows, "\r\n"))
    return text.encode()


def _written(rows: list[Any], end: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end).writerows(rows)
    return buffer.getvalue()


def _cells(column: pd.Series[Any]) -> list[Any]:
    """Return the cells as they are written; "" where nothing is."""
    if column.dtype.kind == "M":
        column = column.dt.strftime("%Y-%m-%d")
    cells = ["" if cell is None or cell != cell else cell for cell in column.tolist()]
    if column.dtype.kind in "fiub":
        return cells
    safe = {cell: quoted(cell) for cell in set(cells) if isinstance(cell, str)}
    return [safe.get(cell, cell) for cell in cells]


def read_numbers(source: Path | IO[bytes], **options: Any) -> pd.DataFrame:
    """Return a CSV as pandas reads it, each number exact to the last bit.

    Parameters
    ----------
    source : Path or binary file
    **options
        Options of :func:`pandas.read_csv`.
    """
    major, minor = pd.__version__.split(".")[:2]
    # Since 3.1 pandas reads numbers exactly, and warns of the option with which it did before.
    if (int(major), int(minor)) < (3, 1):
        options["float_precision"] = "round_trip"
    table: pd.DataFrame = pd.read_csv(source, **options)
    return table


def read_csv(source: Path | IO[bytes], **options: Any) -> pd.DataFrame:
    """Return a table that `to_csv` wrote, its texts and numbers as they were.

    Parameters
    ----------
    source : Path or binary file
    **options
        Options of :func:`pandas.read_csv`.
    """
    if isinstance(options.get("dtype"), Mapping):
        options["dtype"] = {quoted(name): kind for name, kind in options["dtype"].items()}
    table = read_numbers(source, **options)
    changed = {}
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column):
            texts = [text for text in column.unique() if isinstance(text, str)]
            replaced = {text: new for text in texts if (new := unquoted(text)) != text}
            if replaced:
                changed[name] = column.map(lambda text, replaced=replaced: replaced.get(text, text))
    return table.assign(**changed).rename(columns=lambda name: unquoted(str(name)))
