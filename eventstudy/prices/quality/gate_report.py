"""What becomes of the returns that a gate has looked at, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ...utility.typing import BoolArray, DateArray, FloatArray, SmallIntArray
from .fault_kinds import NAMED, Fault, few
from .quotes import Seen
from .return_columns import LARGE_MEDIAN, LETTERS, LONE, LOSS, SUSPECT, runs_of
from .return_faults import MARKS, RETURN_FAULTS, TAKEN_OUT

# Begins the notice on a file in percent, which goes before all others.
LIKE_PERCENT = "the returns look like percent"
# A column may be in percent if its median size is so many times that of the others.
OTHERS = 10
CRSP = {value: letter for letter, value in LETTERS.items()}


@dataclass(eq=False, slots=True)
class Marked:
    """One column of which something is to be said: its marks (T,), the values there, its median
    size."""

    marks: SmallIntArray
    values: FloatArray
    median: float
    not_decimal: bool

    @property
    def out(self) -> BoolArray:
        """Which values are missing."""
        return np.asarray((self.marks > 0) & (self.marks != SUSPECT))


class Verdict:
    """What becomes of returns.

    Attributes
    ----------
    faults : tuple of Fault
    failures : mapping of str to str
        Why columns are missing as a whole.
    notices : list of str
    symbols : list of str
        Those whose returns are to be cleaned before they are used.
    """

    def __init__(
        self,
        dates: DateArray,
        where: str,
        columns: Mapping[str, Marked],
        *,
        median: float,
        typical: float,
    ) -> None:
        self._dates, self._where, self._columns, self._typical = dates, where, columns, typical
        units = {symbol: self._unit(column) for symbol, column in columns.items()}
        self.failures = {s: self._failure(s) for s, column in columns.items() if column.not_decimal}
        self.symbols = [s for s, c in columns.items() if not c.not_decimal and c.out.any()]
        self.faults = tuple(
            fault for s, unit in units.items() for fault in self._faults_of(s, unit)
        )
        self.notices = [*_of_file(median), *self._of_columns(units), *self._of_cells()]

    def cleaned(self, symbols: Sequence[str], values: FloatArray) -> FloatArray:
        """Return the returns (m, T) of m symbols, NaN where they are taken as missing."""
        out = values.copy()
        for k, symbol in enumerate(symbols):
            out[k, self._columns[symbol].out] = np.nan
        return out

    def _failure(self, symbol: str) -> str:
        column = f"the column {symbol} of {self._where}"
        return (
            f"{column} is not in decimals ({self._size(symbol)}): divide it by 100 if it is in "
            "percent"
        )

    def _unit(self, column: Marked) -> str:
        """Return the kind of fault that a column as a whole is, "" if it is none."""
        if column.not_decimal:
            return "percent_column"
        large = column.median > max(LARGE_MEDIAN, OTHERS * self._typical)
        return "suspect_column" if large else ""

    def _size(self, symbol: str) -> str:
        """Say what speaks against a column: its median size, and how many of its returns are
        impossible."""
        column = self._columns[symbol]
        others = f", {self._typical:.2g} in the other columns" if np.isfinite(self._typical) else ""
        wrong = int(np.isin(column.marks, (LOSS, LONE)).sum())
        more = f"; {wrong:,} impossible returns" if wrong else ""
        return f"median size {column.median:.2g}{others}{more}"

    def _faults_of(self, symbol: str, unit: str) -> Iterator[Fault]:
        column = self._columns[symbol]
        if unit:
            seen = Seen(self._dates[0], self._dates[-1], f"{self._where}: {self._size(symbol)}")
            yield self._fault(symbol, unit, seen)
        if column.not_decimal:
            return
        for mark, kind in MARKS.items():
            yield from (self._fault(symbol, kind, seen) for seen in few(self._seen(column, mark)))

    def _seen(self, column: Marked, mark: int) -> list[Seen]:
        marks = np.where(column.marks == mark, column.marks, 0)
        values = np.full(len(marks), np.nan)
        values[column.marks > 0] = column.values
        return [
            Seen(self._dates[a], self._dates[b], f"{self._where}: {_written(float(values[a]))}")
            for a, b in runs_of(marks, values)
        ]

    def _fault(self, symbol: str, kind: str, seen: Seen) -> Fault:
        action = RETURN_FAULTS[kind].action
        return Fault(symbol, str(seen.first), str(seen.last), kind, seen.detail, action)

    def _of_columns(self, units: Mapping[str, str]) -> Iterator[str]:
        for kind in ("percent_column", "suspect_column"):
            mine = [symbol for symbol, unit in units.items() if unit == kind]
            if mine:
                yield self._notice(
                    kind, len(mine), [f"{s} ({self._size(s)})" for s in mine[:NAMED]]
                )

    def _of_cells(self) -> Iterator[str]:
        """Yield a notice for each kind of cell, with how many there are and the first of them."""
        decimals = {s: column for s, column in self._columns.items() if not column.not_decimal}
        for mark, kind in MARKS.items():
            count = sum(int(np.count_nonzero(c.marks == mark)) for c in decimals.values())
            if count:
                cells = (text for s, c in decimals.items() for text in self._cells(s, c, mark))
                yield self._notice(kind, count, list(islice(cells, NAMED)))

    def _cells(self, symbol: str, column: Marked, mark: int) -> Iterator[str]:
        values = column.values[column.marks[column.marks > 0] == mark]
        for t, value in zip(np.flatnonzero(column.marks == mark), values, strict=True):
            yield f"{symbol} on {self._dates[t]} is {_written(float(value))}"

    def _notice(self, kind: str, count: int, named: list[str]) -> str:
        reason = RETURN_FAULTS[kind]
        done = (
            f"{'were' if count > 1 else 'was'} "
            f"{'taken as missing' if kind in TAKEN_OUT else 'kept'}"
        )
        shown = ", ".join(named) + f" and {count - len(named):,} more" * (count > len(named))
        return (
            f"{self._where}: {count:,} {reason.spoken[count > 1]} {done}: {shown}. {reason.remedy}"
        )


def _of_file(median: float) -> list[str]:
    percent = (
        f"{LIKE_PERCENT} (median size {median:.2g}): 0.01 is 1 %, all results are too large if so"
    )
    return [percent] if median > LARGE_MEDIAN else []


def _written(value: float) -> str:
    """Return a value as it may be in the file, with the letter that CRSP has for a code."""
    letter = f" ({CRSP[value]})" if value in CRSP else ""
    return f"{value:.10g}{letter}"
