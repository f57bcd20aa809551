"""Tables of any library as a frame, with dates as a column, and the rows of a workbook."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import IO, Any

from ..errors import ConfigError, DataError, how_to_install
from ..utility import pd


def frame_of(table: Any, name: str, remedy: str = "give a DataFrame") -> pd.DataFrame:
    """Return a table of pandas, or of polars or another library that narwhals knows, as a frame.

    Parameters
    ----------
    table : DataFrame
    name : str
        What it is, for the error.
    remedy : str
        What else can be given.

    Returns
    -------
    DataFrame

    Raises
    ------
    ConfigError
        If it is no table, or narwhals is not installed.
    """
    if isinstance(table, pd.DataFrame):
        return table
    if find_spec("narwhals"):
        import narwhals

        foreign = narwhals.from_native(table, eager_only=True, pass_through=True)
        if isinstance(foreign, narwhals.DataFrame):
            # Lists keep time zones, and need no further library.
            return pd.DataFrame({cells.name: cells.to_list() for cells in foreign.iter_columns()})
    elif hasattr(table, "columns"):
        remedy = f"give table.to_pandas(), or: {how_to_install('narwhals')}"
    raise ConfigError(f"not {name}", where=name, value=type(table).__name__, remedy=remedy)


def with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its index as columns if it has names or dates, which become ``date``.

    Of two levels without names the other one becomes ``symbol``.

    Parameters
    ----------
    frame : DataFrame
    """
    index: Any = frame.index
    if index.nlevels == 2 and None in index.names:
        dated = [isinstance(level, pd.DatetimeIndex) for level in index.levels]
        if sum(dated) == 1:
            frame = frame.rename_axis(["date" if is_date else "symbol" for is_date in dated])
    names = [name for name in frame.index.names if name is not None]
    if not names and isinstance(frame.index, pd.DatetimeIndex):
        frame = frame.rename_axis(index="date")
        names = ["date"]
    if frame.columns.nlevels > 1:
        return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    columns = {str(name).strip().lower() for name in frame.columns}
    levels = {str(name).strip().lower() for name in names}
    return frame.reset_index() if levels and not levels & columns else frame


MAGIC = b"PK\x03\x04"
# What openpyxl and its libraries raise for a damaged file, some only when a sheet is read.
NOT_EXCEL = (
    OSError, EOFError, ValueError, LookupError, SyntaxError, RuntimeError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip


def sheets_of_workbook(
    source: IO[bytes], name: str
) -> Iterator[tuple[str, list[tuple[int, list[Any]]]]]:
    """Yield the sheets that hold something: their names, and their rows that are not blank.

    Parameters
    ----------
    source : binary stream
    name : str
        The file, for errors.

    Yields
    ------
    title : str
    rows : list of (int, list)
        Each with its line. Numbers, dates and texts as such; None where a cell is blank.

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
        for sheet in book.worksheets:
            rows = enumerate(sheet.iter_rows(values_only=True), 1)
            filled = [(line, list(row)) for line, row in rows if set(row) - {None, ""}]
            if filled:
                ends = (k for _, row in filled for k, cell in enumerate(row, 1) if cell is not None)
                width = max(ends)
                yield sheet.title, [(n, [*row, *[None] * width][:width]) for n, row in filled]
    except NOT_EXCEL as error:
        reason = str(error).partition("\n")[0]
        raise DataError("cannot be read as Excel", where=name, remedy=reason) from None


def names_beside(columns: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Return the names of a user's columns beside others, where no name may stand twice.

    Parameters
    ----------
    columns : iterable of str
        Distinct names of the user.
    others : iterable of str
        Names that the table has already.

    Returns
    -------
    dict of str to str
        The new name of each column: with ``own_`` in front if it is one of the others.
    """
    given = list(columns)
    before = set(others)
    taken = {*given, *before}
    names = {}
    for column in given:
        name = column
        if column in before:
            while name in taken:
                name = f"own_{name}"
            taken.add(name)
        names[column] = name
    return names


def with_numbers(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of texts as numbers if each that is not blank is one; codes such as 007 stay.

    Numbers of more than 15 digits are codes too. Blank cells of numbers are NaN.

    Parameters
    ----------
    cells : Series
    """
    texts = cells.astype(str).str.strip()
    filled = texts[texts != ""]
    is_code = filled.str.match(r"[+-]?(0\d|\d{16})").any()
    if filled.empty or is_code or pd.to_numeric(filled, errors="coerce").isna().any():
        return cells
    return pd.to_numeric(texts.where(texts != ""))
