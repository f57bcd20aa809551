"""CSV text as a sheet that has each distinct text of a column once, every row with its line."""

from __future__ import annotations

import csv
import io
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import Problem
from .csv_text import OUTCOME, unquoted
from .tables import (
    commas_in,
    has_decimal_commas,
    numbered_rows,
    point_of,
    separator_of,
    strip,
    why_not_text,
)
from .typing import IntArray

WHOLE_ROW = ""


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

    def take(self, rows: IntArray) -> TextColumn:
        """Return the column of some rows, without the texts that none of them holds."""
        first, codes = number_combinations(self.codes[rows])
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

    def odd_rows(self) -> list[Problem]:
        """Return a fault for each row with another number of cells than the header."""
        out, wanted = [], len(self.names)
        for line, count in self.odd:
            hint = "a text that holds the separator needs double quotes" if count > wanted else ""
            fault = f"{count} cell{'s' * (count != 1)} where the header has {wanted}"
            out.append(Problem(line, WHOLE_ROW, fault, remedy=hint))
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
    codes, lines, odd = [array("q") for _ in names], array("q"), []
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


def _counter() -> defaultdict[str, int]:
    """Return a mapping that numbers its keys in the order in which they are asked for."""
    number: defaultdict[str, int] = defaultdict()
    number.default_factory = number.__len__
    return number


def number_combinations(*codes: IntArray) -> tuple[IntArray, IntArray]:
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


def _numbered(codes: IntArray) -> tuple[IntArray, IntArray]:
    _, first, number = np.unique(codes, return_index=True, return_inverse=True)
    return first, number


def sheet_of_csv(
    raw: bytes, required: Sequence[str], *, has_points: bool = False
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
    if fault := why_not_text(raw):
        return None, [fault]
    problems: list[Problem] = []
    header = next((line for line in _lines(raw) if line.strip()), "")
    separator = separator_of(header, required)
    sheet = collect_rows(_rows(_lines(raw), separator, problems))
    if sheet and separator != "," and not has_points:
        sheet = _with_points(sheet)
    if sheet and set(OUTCOME) <= set(sheet.names):
        sheet = _of_a_run(sheet)
    if sheet is None and not problems:
        *head, last = required
        remedy = f"the first line names the columns, among them {', '.join(head)} and {last}"
        problems.append(Problem(1, WHOLE_ROW, "the file is empty", remedy=remedy))
    return sheet, problems


def _with_points(sheet: Sheet) -> Sheet:
    """Return the sheet with decimal points in columns of numbers with decimal commas."""
    columns, notices = list(sheet.columns), []
    for k, (name, column) in enumerate(zip(sheet.names, columns, strict=True)):
        if has_decimal_commas(column.texts):
            example = commas_in(column.texts)[0]
            columns[k] = column.changed(point_of)
            reading = f"{example.strip()!r} as {point_of(example).strip()}"
            notices.append(f"{strip(name)}: commas are read as decimal points, {reading}")
    return replace(sheet, columns=columns, notices=notices)


def _of_a_run(sheet: Sheet) -> Sheet:
    """Return the sheet of a run's ``events.csv`` with the cells it was written from."""
    columns = [column.changed(unquoted) for column in sheet.columns]
    return replace(sheet, names=[unquoted(name) for name in sheet.names], columns=columns)


def _rows(
    lines: Iterable[str], separator: str, problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that can be read, each with its first line; add the others to `problems`."""
    for line, cells in numbered_rows(lines, separator, strict=True):
        if isinstance(cells, csv.Error):
            problems.append(_broken_row(line, str(cells)))
        else:
            yield line, cells


def _broken_row(line: int, error: str) -> Problem:
    reason = "the quotes of this row do not pair up"
    remedy = "a quote inside a quoted cell is written twice"
    if "field limit" in error:
        reason = f"a cell is longer than {csv.field_size_limit():,} characters"
        remedy = "is a quote missing at the end of a cell?"
    elif "end of data" in error:
        reason = "a quote that opens in this row is never closed"
        remedy = "the rows after it are lost in the cell"
    return Problem(line, WHOLE_ROW, reason, remedy=remedy)


def _lines(raw: bytes) -> Iterable[str]:
    return io.TextIOWrapper(io.BytesIO(raw), "utf-8-sig", newline="")
