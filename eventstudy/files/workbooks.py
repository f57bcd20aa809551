"""The first sheet of a spreadsheet of Excel that holds something."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

from ..errors import ConfigError, DataError, how_to_install

MAGIC = b"PK\x03\x04"


def rows_of_workbook(source: Path | IO[bytes], name: str) -> list[tuple[int, list[Any]]]:
    """Return the rows that are not blank, each with its line.

    Parameters
    ----------
    source : Path or binary stream
    name : str
        The file, for errors.

    Returns
    -------
    list of (int, list)
        Numbers, dates and texts as such; None where a cell is blank.

    Raises
    ------
    ConfigError
        openpyxl is not installed.
    DataError
        It is no such file.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        remedy = how_to_install("openpyxl")
        raise ConfigError("Excel files need openpyxl", where=name, remedy=remedy) from None
    try:
        book = load_workbook(source, read_only=True, data_only=True)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).partition("\n")[0]
        raise DataError("cannot be read as Excel", where=name, remedy=reason) from None
    for sheet in book.worksheets:
        rows = enumerate(sheet.iter_rows(values_only=True), 1)
        filled = [(line, list(row)) for line, row in rows if set(row) - {None, ""}]
        if filled:
            width = max(k for _, row in filled for k, cell in enumerate(row, 1) if cell is not None)
            return [(line, [*row, *[None] * width][:width]) for line, row in filled]
    return []
