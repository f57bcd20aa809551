"""Columns of cells with every distinct text once, so that what many rows say is judged once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ..errors import Problem
from ..utility.typing import IntArray

WHOLE_ROW = ""
# Rows that are turned into columns at a time.
BLOCK = 4096


@dataclass(frozen=True, eq=False, slots=True)
class Column:
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
    def of(cls, cells: Iterable[str]) -> Column:
        """Return the column that holds `cells`."""
        coder = Coder()
        coder.extend(cells)
        return coder.column()

    @classmethod
    def blank(cls, rows: int) -> Column:
        """Return a column of empty cells."""
        return cls(np.zeros(rows, np.int64), [""])

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str]:
        return map(self.texts.__getitem__, self.codes.tolist())

    def changed(self, change: Callable[[str], str]) -> Column:
        """Return the column with each text changed."""
        new = Column.of(map(change, self.texts))
        return Column(new.codes[self.codes], new.texts)

    def take(self, rows: IntArray) -> Column:
        """Return the column of some rows, without the texts that none of them holds."""
        first, codes = distinct(self.codes[rows])
        return Column(codes, [self.texts[code] for code in self.codes[rows[first]].tolist()])


class Coder:
    """Collects the cells of a column."""

    def __init__(self) -> None:
        self._codes: list[IntArray] = []
        self._number: defaultdict[str, int] = defaultdict()
        self._number.default_factory = self._number.__len__

    def extend(self, cells: Iterable[str]) -> None:
        """Append cells."""
        self._codes.append(np.fromiter(map(self._number.__getitem__, cells), np.int64))

    def column(self) -> Column:
        """Return what was collected."""
        return Column(np.concatenate([np.empty(0, np.int64), *self._codes]), list(self._number))


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
    columns : list of Column
        Their cells, a column for each name.
    odd : list of (line, number of cells)
        The other rows.
    notices : list of str
        What was changed as it was read.
    """

    header: int
    names: list[str]
    lines: IntArray
    columns: list[Column]
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


def laid_out(rows: Iterable[tuple[int, list[str]]]) -> Sheet | None:
    """Return the sheet of rows with their lines, header first; None if there is none."""
    remaining = iter(rows)
    header, names = next(remaining, (0, None))
    if names is None:
        return None
    coders = [Coder() for _ in names]
    lines: list[int] = []
    odd: list[tuple[int, int]] = []
    block: list[list[str]] = []
    for line, cells in remaining:
        if len(cells) != len(names):
            odd.append((line, len(cells)))
            continue
        lines.append(line)
        block.append(cells)
        if len(block) == BLOCK:
            _flush(block, coders)
    _flush(block, coders)
    columns = [coder.column() for coder in coders]
    return Sheet(header, names, np.array(lines, np.int64), columns, odd)


def _flush(block: list[list[str]], coders: list[Coder]) -> None:
    for coder, cells in zip(coders, zip(*block, strict=True), strict=False):
        coder.extend(cells)
    block.clear()


def distinct(*codes: IntArray) -> tuple[IntArray, IntArray]:
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
    n = len(codes)
    size = int(codes.max(initial=-1)) + 1
    if size > 4 * n:
        _, first, number = np.unique(codes, return_index=True, return_inverse=True)
        return first, number
    at = np.full(size, n)
    at[codes[::-1]] = np.arange(n)[::-1]
    used = np.flatnonzero(at < n)
    place = np.zeros(size, np.int64)
    place[used] = np.arange(len(used))
    return at[used], place[codes]
