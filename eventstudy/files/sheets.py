"""Files and tables as sheets with each distinct text of a column once, every row with its line."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import os
import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import DataError, Problem
from ..utility import IntArray, pd
from ..words import say
from . import frames, tables
from .csv_text import OUTCOME, unquoted
from .frames import frame_of

# Where pandas keeps an index that has no name.
_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True, eq=False, slots=True)
class TextColumn:
    """The cells of one column.

    Attributes
    ----------
    codes : (n,) int array
        Which of `texts` each row holds.
    texts : list of str
        Each once, in order of first appearance.
    """

    codes: IntArray
    texts: list[str]

    @classmethod
    def of(cls, cells: Iterable[str]) -> TextColumn:
        """Return the column that holds `cells`."""
        number = _counter()
        return cls(np.fromiter(map(number.__getitem__, cells), np.int64), list(number))

    @classmethod
    def blank(cls, rows: int) -> TextColumn:
        """Return a column of empty cells."""
        return cls(np.zeros(rows, np.int64), [""])

    @classmethod
    def coded(cls, texts: Iterable[str], codes: IntArray) -> TextColumn:
        """Return the column of texts by their numbers; texts that are alike become one.

        Parameters
        ----------
        texts : iterable of m str
        codes : (n,) int array
            Which of `texts` each row holds.
        """
        distinct_texts = cls.of(texts)
        return cls(distinct_texts.codes[codes], distinct_texts.texts)

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str]:
        return map(self.texts.__getitem__, self.codes.tolist())

    def changed(self, change: Callable[[str], str]) -> TextColumn:
        """Return the column with each text changed."""
        return TextColumn.coded(map(change, self.texts), self.codes)

    @staticmethod
    def combine(*codes: IntArray) -> tuple[IntArray, IntArray]:
        """Number the distinct combinations of one row's codes.

        Parameters
        ----------
        *codes : (n,) int arrays
            Not negative.

        Returns
        -------
        first : (m,) int array
            The first row of each combination.
        number : (n,) int array
            The combination of each row.
        """
        first, number = _numbered(codes[0])
        for code in codes[1:]:
            first, number = _numbered(number * (code.max(initial=0) + 1) + code)
        return first, number

    def take(self, rows: IntArray) -> TextColumn:
        """Return the column of some rows, without the texts that none of them holds."""
        first, codes = TextColumn.combine(self.codes[rows])
        return TextColumn(codes, [self.texts[code] for code in self.codes[rows[first]].tolist()])


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """The rows of a file that are not empty.

    Attributes
    ----------
    header : int
        Line of the header.
    names : list of str
        Of the columns, as written.
    lines : (n,) int array
        First line of each row that has as many cells as the header.
    columns : list of TextColumn
        Their cells, a column for each name.
    odd : list of (line, number of cells)
        The other rows.
    notices : list of str
        What was changed as it was read.
    """

    header: int
    names: list[str]
    lines: IntArray
    columns: list[TextColumn]
    odd: list[tuple[int, int]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls, source: Any, required: Sequence[str],
        is_header: Callable[[list[str]], bool] | None = None,
    ) -> tuple[Sheet | None, list[Problem], str]:  # fmt: skip
        """Return the rows of a file or table, what cannot be read of them, and their hash.

        Parameters
        ----------
        source : path or DataFrame
            A CSV, Excel, Parquet or Stata file; or a table, which is hashed as the CSV
            of its cells.
        required : sequence of str
            Columns that the header of a CSV must have.
        is_header : callable, optional
            Tells by its header which sheet of a workbook is meant. Default by `required`.

        Raises
        ------
        EventStudyError
            If the file cannot be read.
        ConfigError
            If it is no table, or pyarrow is not installed.
        """
        if not isinstance(source, str | os.PathLike):
            frame = frame_of(
                source, "events", "give read_events(path), or pandas.DataFrame(...) of your rows"
            )
            sheet = _sheet_of_frame(frame)
            return sheet, [], _hash_of(sheet)
        file = tables.InputFile(source)
        raw = file.content()
        sha256 = hashlib.sha256(raw).hexdigest()
        kind = ""
        try:
            if raw.startswith(tables.STATA_MAGIC) or file.suffix == tables.STATA:
                kind = "Stata"
                return _sheet_of_frame(tables.read_stata(io.BytesIO(raw))), [], sha256
            if raw.startswith(tables.PARQUET_MAGIC) or file.suffix == ".parquet":
                kind = "Parquet"
                return _sheet_of_parquet(raw), [], sha256
            if raw.startswith(frames.MAGIC):
                kind = "a spreadsheet (.xlsx)"
                book = frames.sheets_of_workbook(io.BytesIO(raw), file.path.name)
                found, problems = _sheet_of_workbook(book, is_header or set(required).issubset)
                if found is None and not problems:
                    problems = [_empty(required)]
                return found, problems, sha256
        except DataError as error:
            reason = f"the file cannot be read as {kind} ({error.remedy})"
            return None, [Problem(1, "", reason)], sha256
        return *cls.of_csv(raw, required), sha256

    @classmethod
    def of_csv(
        cls, raw: bytes, required: Sequence[str], *, has_points: bool = False
    ) -> tuple[Sheet | None, list[Problem]]:
        """Return the rows of a CSV file that are not empty, and what cannot be read.

        Parameters
        ----------
        raw : bytes
            The file.
        required : sequence of str
            Columns that the header should name: they tell which separator is used.
        has_points : bool
            Commas in numbers are no decimal points, whatever the separator.
        """
        if fault := tables.why_not_text(raw):
            return None, [fault]
        problems: list[Problem] = []
        header = next((line for line in _lines(raw) if line.strip()), "")
        separator = tables.separator_of(header, required)
        sheet = collect_rows(_rows(_lines(raw), separator, problems))
        if sheet and separator != "," and not has_points:
            sheet = _with_points(sheet)
        if sheet and set(OUTCOME) <= set(sheet.names):
            sheet = _of_a_run(sheet)
        if sheet is None and not problems:
            problems.append(_empty(required))
        return sheet, problems

    def odd_rows(self) -> list[Problem]:
        """Return a fault for each row with another number of cells than the header."""
        out = []
        wanted = len(self.names)
        for line, count in self.odd:
            hint = say("sheet.cells.remedy") if count > wanted else ""
            fault = say("sheet.cells", n=count, wanted=wanted)
            out.append(Problem(line, "", fault, remedy=hint))
        return out

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the cells of each row."""
        return zip(*self.columns, strict=True)


def collect_rows(rows: Iterable[tuple[int, list[str]]]) -> Sheet | None:
    """Return the sheet of rows with their lines, header first; None if there is none."""
    remaining = iter(rows)
    header, names = next(remaining, (0, None))
    if names is None:
        return None
    numbers = [_counter() for _ in names]
    codes = [array("q") for _ in names]
    lines = array("q")
    odd = []
    for line, cells in remaining:
        if len(cells) != len(names):
            odd.append((line, len(cells)))
            continue
        lines.append(line)
        for number, code, cell in zip(numbers, codes, cells, strict=True):
            code.append(number[cell])
    coded = zip(codes, numbers, strict=True)
    columns = [TextColumn(np.array(code, np.int64), list(number)) for code, number in coded]
    return Sheet(header, names, np.array(lines, np.int64), columns, odd)


def _sheet_of_workbook(
    book: Iterable[tuple[str, list[tuple[int, list[Any]]]]], is_header: Callable[[list[str]], bool]
) -> tuple[Sheet | None, list[Problem]]:
    """Return the one sheet with the header that is meant, and say which; refuse several."""
    sheets = dict[str, Sheet]()
    for title, rows in book:
        if sheet := collect_rows((line, list(map(_cell_text, row))) for line, row in rows):
            sheets[title] = sheet
    meant = [title for title, sheet in sheets.items() if is_header(sheet.names)]
    if len(meant) > 1:
        fault = say("sheet.several", titles=map(repr, meant))
        return None, [Problem(1, "", fault, remedy=say("sheet.several.remedy"))]
    if len(sheets) < 2:
        return next(iter(sheets.values()), None), []
    title = (meant or list(sheets))[0]
    others = [repr(name) for name in sheets if name != title]
    said = say("sheet.read" if meant else "sheet.first", title=repr(title), others=others)
    if not meant:
        return sheets[title], [Problem(1, "", said)]
    return replace(sheets[title], notices=[said]), []


def _counter() -> defaultdict[str, int]:
    """Return a mapping that numbers its keys in the order in which they are asked for."""
    number: defaultdict[str, int] = defaultdict()
    number.default_factory = number.__len__
    return number


def _numbered(codes: IntArray) -> tuple[IntArray, IntArray]:
    _, first, number = np.unique(codes, return_index=True, return_inverse=True)
    return first, number


def _sheet_of_parquet(raw: bytes) -> Sheet:
    """Return the rows of a Parquet file that are not empty; their lines are those in a CSV."""
    with tables.reading_parquet() as (pa, pq):
        table = pq.read_table(pa.BufferReader(raw))
        named = [k for k, name in enumerate(table.column_names) if not _INDEX.fullmatch(name)]
        names = [table.column_names[k] for k in named]
        cells = (table.column(k).to_pylist() for k in named)
        columns = [TextColumn.of(map(_cell_text, column)) for column in cells]
    filled = np.zeros(table.num_rows, dtype=bool)
    for column in columns:
        has_text = np.array([tables.strip(text) != "" for text in column.texts], dtype=bool)
        filled |= has_text[column.codes]
    rows = np.flatnonzero(filled)
    if len(rows) < len(filled):
        columns = [column.take(rows) for column in columns]
    return Sheet(1, names, rows + 2, columns)


def _cell_text(value: object) -> str:
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


def _sheet_of_frame(frame: pd.DataFrame) -> Sheet:
    """Return the rows of a frame; the line of a row is its position + 2."""
    names = [tables.strip(str(name)) for name in frame.columns]
    columns = [_frame_column(frame.iloc[:, k]) for k in range(len(names))]
    return Sheet(1, names, np.arange(len(frame)) + 2, columns)


def _frame_column(cells: pd.Series[Any]) -> TextColumn:
    """Return a column as text; distinct values are written once if no two look alike."""
    if cells.dtype.kind not in "biufM":
        return TextColumn.of(map(_cell_text, cells))
    codes, values = cells.factorize()
    return TextColumn.coded([*map(_cell_text, values.tolist()), ""], codes)


def _hash_of(sheet: Sheet) -> str:
    """Return the SHA-256 of a sheet written as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([sheet.names, *sheet.rows()])
    return hashlib.sha256(text.getvalue().encode("utf-8", "surrogatepass")).hexdigest()


def _with_points(sheet: Sheet) -> Sheet:
    """Return the sheet with decimal points in columns of numbers with decimal commas."""
    columns = list(sheet.columns)
    notices = []
    for k, (name, column) in enumerate(zip(sheet.names, columns, strict=True)):
        if tables.has_decimal_commas(column.texts):
            example = tables.commas_in(column.texts)[0]
            columns[k] = column.changed(tables.point_of)
            facts = {"cell": repr(example.strip()), "number": tables.point_of(example).strip()}
            notices.append(say("sheet.commas", column=tables.strip(name), **facts))
    return replace(sheet, columns=columns, notices=notices)


def _of_a_run(sheet: Sheet) -> Sheet:
    """Return the sheet of a run's ``events.csv`` with the cells it was written from."""
    columns = [column.changed(unquoted) for column in sheet.columns]
    return replace(sheet, names=list(map(unquoted, sheet.names)), columns=columns)


def _rows(
    lines: Iterable[str], separator: str, problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that can be read, each with its first line; add the others to `problems`."""
    for line, cells in tables.numbered_rows(lines, separator, strict=True):
        if isinstance(cells, csv.Error):
            problems.append(_broken_row(line, str(cells)))
        else:
            yield line, cells


def _empty(required: Sequence[str]) -> Problem:
    return Problem(1, "", say("sheet.empty"), remedy=say("sheet.empty.remedy", columns=required))


def _broken_row(line: int, error: str) -> Problem:
    code = "long_cell" if "field limit" in error else "quotes"
    code = "open_quote" if "end of data" in error else code
    reason = say(f"sheet.{code}", longest=csv.field_size_limit())
    return Problem(line, "", reason, remedy=say(f"sheet.{code}.remedy"))


def _lines(raw: bytes) -> Iterable[str]:
    return io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", newline="")
