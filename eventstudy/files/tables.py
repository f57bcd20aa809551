"""One reader of tables: dialects and encodings of CSV files, decimal commas, and Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import stat
import struct
import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

from ..errors import ConfigError, DataError, EventStudyError, Problem, how_to_install
from ..utility import did_you_mean, pd
from ..words import make_error, say
from .csv_text import read_numbers
from .frames import sheets_of_workbook
from .identifiers import TICKERS, WRITTEN

PARQUET_MAGIC = b"PAR1"
# What pandas raises for a file of Stata that is none.
UNREADABLE = (
    OSError, ValueError, LookupError, OverflowError, StopIteration, AttributeError, TypeError,
    AssertionError, MemoryError, struct.error,
)  # fmt: skip
# A compressed file holds at most so many times its own bytes, and so many in all.
INFLATED = 100
LARGEST = 4_000_000_000
# Bytes of a cell at least, once it is in memory.
CELL = 8
STATA = ".dta"
STATA_MAGIC = b"<stata_dta>"
SEPARATORS = ",;\t|"
_ZERO_WIDTH = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
SAVE_AS = "save it as 'CSV UTF-8'"
_SIGNATURES = {
    b"PK\x03\x04": "a spreadsheet (.xlsx)",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (.xls)",
    b"\x1f\x8b": "compressed (.gz)",
    b"%PDF": "a PDF",
    b"\xff\xfe": "encoded as UTF-16",
    b"\xfe\xff": "encoded as UTF-16",
}
_COMMA = re.compile(r"\s*[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
BLANK_WORDS = ("", "-", "na", "n/a", "nan", "none", "null")
# Lines among which a last number with the fewest decimals is hardly a chance, and so many of the
# last ones that are compared.
FEWEST_LINES, MOST_LINES = 100, 1000
_DECIMALS = re.compile(r"[.,](\d*)(?:\D*|[eE][+-]?\d+)$")


def strip(cell: str) -> str:
    """Return a cell without the white space around it, the invisible kinds included."""
    return cell.strip().strip(_ZERO_WIDTH).strip()


def why_not_text(raw: bytes) -> Problem | None:
    """Return why bytes are no text in UTF-8, with the line and the byte; None where they are."""
    for signature, kind in _SIGNATURES.items():
        if raw.startswith(signature):
            return Problem(1, "", f"the file is {kind}", remedy=SAVE_AS)
    if raw.count(0) > len(raw) / 4:
        return Problem(1, "", "the file is encoded as UTF-16, or not text", remedy=SAVE_AS)
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", raw[: error.start])) + 1
        return Problem(line, "", say("sheet.no_utf8"), f"0x{raw[error.start]:02x}", SAVE_AS)
    return None


def separator_of(header: str, columns: Collection[str] = ()) -> str:
    """Return the separator of the cells of a CSV file.

    Parameters
    ----------
    header : str
        Its first line.
    columns : collection of str, optional
        Lower-case names that the header should have.

    Returns
    -------
    str
        The separator that makes most of `columns` readable, then the one that cuts the header into
        most cells.
    """
    cuts = {mark: [strip(n).strip('"').lower() for n in header.split(mark)] for mark in SEPARATORS}
    return max(cuts, key=lambda mark: (len(set(columns) & set(cuts[mark])), len(cuts[mark])))


def numbered_rows(
    lines: Iterable[str], separator: str, *, strict: bool = False
) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield the rows of CSV text that are not blank, each with its first line.

    Parameters
    ----------
    lines : iterable of str
    separator : str
    strict : bool
        Whether quotes that do not pair up are an error.

    Yields
    ------
    line : int
        Counted from 1.
    cells : list of str or csv.Error
        Why the row cannot be read; the rows after it follow.
    """
    reader = csv.reader(lines, delimiter=separator, strict=strict)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error
        else:
            if any(map(strip, cells)):
                yield line, cells


def read_stata(source: Path | IO[bytes]) -> pd.DataFrame:
    """Return the table of a Stata file; labels of values are not put in their place.

    Parameters
    ----------
    source : Path or binary stream

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        return pd.read_stata(source, convert_categoricals=False)
    except UNREADABLE as error:
        raise _unreadable(Path(str(source)).name, error) from None


def commas_in(texts: Iterable[str]) -> list[str]:
    """Return the texts that are numbers with a decimal comma."""
    return [text for text in texts if "," in text and _COMMA.fullmatch(text)]


def is_number(text: str) -> bool:
    """Return whether a cell holds a number, or nothing."""
    if text.strip().lower() in BLANK_WORDS:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def number_of(cell: object) -> float:
    """Return a cell as a number, exact to the last bit; NaN where it is none."""
    try:
        return float(str(cell))
    except ValueError:
        return float("nan")


def point_of(text: str) -> str:
    """Return a number with a decimal point in place of its comma; any other text as it is."""
    return text.replace(",", ".") if _COMMA.fullmatch(text) else text


def misread_numbers(texts: Sequence[str], *, has_numbers: bool) -> list[str]:
    """Return those distinct texts of a column that are meant as numbers and are none.

    Parameters
    ----------
    texts : sequence of str
    has_numbers : bool
        Whether each text is meant as one; else these are decimal commas, if there is no other text.
    """
    commas = commas_in(texts)
    if not commas and not has_numbers:
        return []
    odd = [text for text in texts if not is_number(text)]
    return odd if has_numbers or len(odd) == len(commas) else []


def has_decimal_commas(texts: Sequence[str]) -> bool:
    """Return whether the texts of a column are all numbers or blank, some with decimal commas."""
    return bool(commas_in(texts)) and all(is_number(point_of(text)) for text in texts)


def is_cut_off(cells: Sequence[str]) -> bool:
    """Return whether the last number of a CSV that no end of a line follows seems to lack digits.

    It has fewer decimals than all others; blanks and zeros have none that count.

    Parameters
    ----------
    cells : sequence of str
        The last cell of each line.
    """
    if len(cells) <= FEWEST_LINES or cells[-1] in cells[:-1]:
        return False
    *others, last = cells
    numbers = [cell for cell in others if cell.strip("-+0., ")]
    return _count_decimals(last) < min(map(_count_decimals, numbers), default=0)


def _count_decimals(cell: str) -> int:
    match = _DECIMALS.search(cell)
    return len(match[1]) if match else 0


def parquet_modules(where: str = "") -> tuple[Any, Any]:
    """Return the modules ``pyarrow`` and ``pyarrow.parquet``.

    Raises
    ------
    ConfigError
        If they are not installed; `where` is the file that needs them.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        remedy = how_to_install("pyarrow")
        raise ConfigError("Parquet files need pyarrow", where=where, remedy=remedy) from None
    return pyarrow, pyarrow.parquet


@contextmanager
def reading_parquet(name: str = "") -> Iterator[tuple[Any, Any]]:
    """Yield the modules ``pyarrow`` and ``pyarrow.parquet`` to read a file with.

    Parameters
    ----------
    name : str
        The file, for errors.

    Raises
    ------
    ConfigError
        pyarrow is not installed.
    DataError
        The file cannot be read as Parquet; ``remedy`` is the reason.
    """
    pa, pq = parquet_modules(name)
    try:
        yield pa, pq
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _unreadable(name, error) from None


class InputFile:
    """A file that somebody gave: a table, or text.

    Parameters
    ----------
    path : path
    """

    # Rows of a large table that are held at a time.
    PIECE = 100_000

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.suffix = self.path.suffix.lower()

    def require(self) -> None:
        """Refuse what would be read without end, or fill the memory: asked of every input.

        A compressed file is decompressed piece by piece, and no further than it may be. A folder
        passes: its readers say what they want instead.

        Raises
        ------
        OSError
            If there is no such file.
        DataError
            If it is a pipe, a device or a socket; or if the content of a ``.gz`` or Parquet file is
            more than 100 times its size, that of a ``.gz`` also if it is more than 4 GB.
        """
        status = self.path.stat()
        if stat.S_ISDIR(status.st_mode):
            return
        if not stat.S_ISREG(status.st_mode):
            raise make_error(DataError, "wrong.irregular", where=str(self.path))
        allowed = INFLATED * status.st_size + (1 << 20)
        size = 0
        if self.suffix == ".parquet":
            # What is no Parquet file has readers who say so.
            with suppress(EventStudyError), self.parquet() as (_, parquet):
                facts = parquet.ParquetFile(self.path).metadata
                size = CELL * facts.num_rows * facts.num_columns
        elif self.suffix == ".gz":
            allowed = min(allowed, LARGEST)
            with suppress(OSError, EOFError, zlib.error), gzip.open(self.path) as file:
                while size <= allowed and (piece := file.read(1 << 20)):
                    size += len(piece)
        if size > allowed:
            raise make_error(DataError, "wrong.inflated", where=self.path.name, allowed=allowed)

    def content(self) -> bytes:
        """Return the bytes of the file.

        Raises
        ------
        EventStudyError
            There is no such file, it is a folder, or it cannot be read.
        """
        path = self.path
        try:
            self.require()
            return path.read_bytes()
        except FileNotFoundError:
            files = [file.name for file in path.parent.glob("*") if file.is_file()]
            remedy = did_you_mean(path.name, files)
            if path.name == "events.csv" and not remedy:
                remedy = "eventstudy example . writes the example list"
            raise EventStudyError("there is no such file", where=str(path), remedy=remedy) from None
        except IsADirectoryError:
            raise EventStudyError("is a folder, not a file", where=str(path)) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise EventStudyError(f"cannot be read ({reason})", where=str(path)) from None

    def parquet(self) -> AbstractContextManager[tuple[Any, Any]]:
        """Return the context in which the file is read with pyarrow: see `reading_parquet`."""
        return reading_parquet(self.path.name)

    @staticmethod
    def columns_of(source: Any) -> list[str]:
        """Return the columns of a frame or file; none where it cannot be read, as others say."""
        if isinstance(source, str | os.PathLike):
            return InputFile(source).columns()
        index = getattr(getattr(source, "index", None), "names", ())
        return list(map(str, (*getattr(source, "columns", ()), *index)))

    def columns(self) -> list[str]:
        """Return the columns of a table; none where it cannot be read, which others say."""
        try:
            self.require()
            if self.suffix == STATA:
                with pd.read_stata(self.path, iterator=True) as reader:
                    return list(reader.variable_labels())
            if self.suffix == ".parquet":
                with self.parquet() as (_, pq):
                    return list(pq.read_schema(self.path).names)
            with self.path.open(encoding="utf-8-sig") as file:
                header = next((line for line in file if line.strip()), "")
        except (*UNREADABLE, EventStudyError):
            return []
        return [strip(cell).strip('"') for cell in header.split(separator_of(header))]

    def table(self, text: Iterable[str] = ()) -> pd.DataFrame:
        """Return the columns of a CSV, Parquet or Stata file as a frame.

        Parameters
        ----------
        text : iterable of str
            Columns that stay text in a CSV, besides tickers and identifiers such as ``permno``.

        Returns
        -------
        DataFrame
            Numbers are exact to the last bit. Where the separator is no comma, columns of numbers
            with decimal commas are numbers too.

        Raises
        ------
        ConfigError
            There is no such file, or pyarrow is not installed.
        DataError
            The file cannot be read as a table.
        """
        if self.path.exists():
            self.require()
        if not self.path.is_file():
            raise ConfigError("no such file", value=str(self.path))
        if self.suffix == ".parquet":
            with self.parquet():
                return pd.read_parquet(self.path)
        if self.suffix == STATA:
            return read_stata(self.path)
        with self.path.open("rb") as file:
            return _frame_of_csv(file, self.path.name, text)

    def refuse_cut_off(self) -> None:
        """Raise DataError if it is a CSV that ends within its last line, half copied."""
        if self.suffix in (".parquet", STATA) or self._ends_a_line():
            return
        with self.path.open(encoding="utf-8-sig", errors="replace") as file:
            header = file.readline()
            separator = separator_of(header)
            numbered = deque(numbered_rows(file, separator), maxlen=MOST_LINES)
        rows = [(line, cells) for line, cells in numbered if isinstance(cells, list)]
        if not rows:
            return
        line, last = rows[-1]
        where = f"line {line + 1}"
        wanted = len(header.split(separator))
        if len(last) < wanted:
            fault = say("sheet.cells", n=len(last), wanted=wanted)
            raise DataError(fault, where=where, remedy=say("wrong.cut_off.remedy"))
        if is_cut_off([cells[-1] for _, cells in rows]):
            raise make_error(DataError, "wrong.cut_off", where=where, value=last[-1])

    def _ends_a_line(self) -> bool:
        """Return whether the file ends with a line or a quoted cell."""
        with self.path.open("rb") as file:
            file.seek(max(self.path.stat().st_size - 1, 0))
            return file.read() in (b"\n", b"\r", b'"', b"")

    def csv(self, raw: bytes) -> pd.DataFrame:
        """Return a CSV that was found in the file as `table` does."""
        return _frame_of_csv(io.BytesIO(raw), self.path.name)

    def part(
        self, is_column: Callable[[Any], bool], rows_of: Callable[[pd.DataFrame], pd.Series[bool]]
    ) -> pd.DataFrame:
        """Return some columns and rows of a large table, which is read piece by piece.

        Its cells are those of `table`.

        Parameters
        ----------
        is_column : callable
            Tells whether a column of this name is wanted.
        rows_of : callable
            Returns a mask of the rows that are wanted of a piece; cells of a CSV are text there.
        """
        names = [name for name in self.columns() if is_column(name)]
        if self.suffix == ".parquet":
            with self.parquet() as (_, pq), pq.ParquetFile(self.path) as file:
                batches = file.iter_batches(columns=names, batch_size=self.PIECE)
                pieces: Iterable[pd.DataFrame] = (batch.to_pandas() for batch in batches)
                return pd.concat([piece[rows_of(piece)] for piece in pieces])
        options: Any = {"chunksize": self.PIECE}
        try:
            if self.suffix == STATA:
                options |= {"columns": names, "convert_categoricals": False}
                with pd.read_stata(self.path, **options) as pieces:
                    return pd.concat([piece[rows_of(piece)] for piece in pieces])
            with self.path.open(encoding="utf-8-sig") as file:
                separator = separator_of(file.readline())
            options |= {"dtype": str, "keep_default_na": False, "encoding": "utf-8-sig"}
            options |= {"sep": separator, "usecols": lambda name: is_column(name)}
            with pd.read_csv(self.path, **options) as pieces:
                texts = pd.concat([piece[rows_of(piece)] for piece in pieces])
        except UNREADABLE as error:
            raise _unreadable(self.path.name, error) from None
        return self.csv(texts.to_csv(index=False, sep=separator).encode())

    def sheets(self) -> list[str]:
        """Return the names of the sheets of a workbook that can be read, in their order."""
        from openpyxl import load_workbook

        with self.path.open("rb") as file:
            return list(load_workbook(file, read_only=True).sheetnames)

    def sheet(self) -> pd.DataFrame:
        """Return the first sheet of a workbook that holds something; the index holds its lines.

        Raises
        ------
        ConfigError, DataError
            As of `sheets_of_workbook`; a sheet without rows is no table, and one of several sheets
            with the same columns is not all of it.
        """
        with self.path.open("rb") as file:
            sheets = dict(sheets_of_workbook(file, self.path.name))
        if not sheets:
            raise DataError("the file is empty", where=self.path.name)
        (_, names), *filled = next(iter(sheets.values()))
        alike = [repr(title) for title, ((_, head), *_) in sheets.items() if head == names]
        if len(alike) > 1:
            fault, remedy = say("sheet.several", titles=alike), say("sheet.several.remedy")
            raise DataError(fault, where=self.path.name, remedy=remedy)
        lines = [line for line, _ in filled]
        table = pd.DataFrame([row for _, row in filled], lines, dtype=object)
        header = ["" if name is None else str(name) for name in names]
        return table.set_axis(header, axis=1).infer_objects()


def _frame_of_csv(file: IO[bytes], name: str, text: Iterable[str] = ()) -> pd.DataFrame:
    try:
        header = file.readline()
        if fault := why_not_text(header):
            raise DataError(fault.what, where=name, value=fault.value, remedy=fault.remedy)
        separator = separator_of(header.decode("utf-8-sig"))
        read: Any = partial(
            read_numbers, file, sep=separator, encoding="utf-8-sig", low_memory=False
        )
        file.seek(0)
        try:
            frame: pd.DataFrame = read(dtype=dict.fromkeys((*TICKERS, *WRITTEN, *text), str))
        except OverflowError:
            # A whole number of more than 300 digits: as text it is infinite.
            file.seek(0)
            frame = read(dtype=str)
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise make_error(DataError, "wrong.long_row", where=f"{name}: row 2")
    return frame if separator == "," else frame.apply(_with_points)


def _with_points(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of a CSV, as numbers where these have decimal commas."""
    texts = [text for text in cells.dropna().unique() if isinstance(text, str)]
    if not has_decimal_commas(texts):
        return cells
    # Of more than 300 digits is no number that pandas can hold, but a text that is infinite.
    numbers = cells.map(lambda cell: point_of(str(cell)), na_action="ignore")
    is_blank = numbers.str.strip().str.lower().isin(BLANK_WORDS)
    return numbers.mask(is_blank).astype(float)


def _unreadable(name: str, error: Exception) -> DataError:
    """Return the error for a file that is no table, with the first line of the reason."""
    reason = str(error).partition("\n")[0]
    return DataError("the file cannot be read as a table", where=name, remedy=reason)
