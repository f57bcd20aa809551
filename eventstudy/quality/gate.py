"""The gate for returns: values pass, are taken as missing or are refused, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ..errors import DataError
from ..utility import BoolArray, DateArray, FloatArray, IntArray, SmallIntArray
from ..words import Reason, make_error, say, words
from . import return_faults as rules
from .faults import NAMED, ReturnFault, SeriesFault, Span, as_faults, notice_of
from .return_faults import ReturnKind

# Returns that the median size is taken from, about at most; cells that are looked at together.
SAMPLE = 2**20
CELLS = 2**22
# Larger values are looked at one column at a time: the smallest log return that doubles a price.
EXTREME = np.log(2)
# A day is the market's if this share of the other columns moves by 30 % to 100 %.
LARGE_MOVE, MARKET = 0.3, 0.2
# A file is refused if more than this share of its returns is below -100 %, or if more than this
# share of its columns is not in decimals.
MOST_LOSSES, MOST_COLUMNS = 0.01, 0.5
# A column may be in percent if its median size is this many times that of the other columns.
TIMES_TYPICAL = 10
CRSP = {value: letter for letter, value in rules.LETTERS.items()}


@dataclass(eq=False, slots=True)
class Marked:
    """One column with marked values.

    Attributes
    ----------
    marks : (T,) int array
        0 = no mark.
    values : (n_marked,) float array
        The values that have a mark.
    median : float
        Median size of its returns.
    not_decimal : bool
        Whether the column as a whole is not in decimals.
    """

    marks: SmallIntArray
    values: FloatArray
    median: float
    not_decimal: bool

    @property
    def out(self) -> BoolArray:
        """Which values are taken as missing, shape (T,)."""
        return np.asarray((self.marks > 0) & (self.marks != rules.SUSPECT))

    def cells(self, mark: int) -> tuple[IntArray, FloatArray]:
        """Return the positions and the values that have a mark."""
        return np.flatnonzero(self.marks == mark), self.values[self.marks[self.marks > 0] == mark]


class Verdict:
    """The decision on returns.

    Attributes
    ----------
    faults : tuple of SeriesFault
    failures : mapping of str to str
        Why columns are missing as a whole.
    notices : list of str
    symbols : list of str
        Those whose returns are to be cleaned before they are used.
    """

    def __init__(
        self, dates: DateArray, where: str, columns: Mapping[str, Marked], *, median: float,
        typical: float,
    ) -> None:  # fmt: skip
        self._dates, self._where, self._columns, self._typical = dates, where, columns, typical
        units = {symbol: self._unit(column) for symbol, column in columns.items()}
        self.failures = {s: self._failure(s) for s, column in columns.items() if column.not_decimal}
        self.symbols = [s for s, c in columns.items() if not c.not_decimal and c.out.any()]
        self.faults = tuple(f for s, unit in units.items() for f in self._faults_of(s, unit))
        self.notices = [*self._of_columns(units), *self._of_cells()]
        if median > rules.LARGE_MEDIAN:
            self.notices.insert(0, Reason("like_percent", median=median))

    def cleaned(self, symbols: Sequence[str], values: FloatArray) -> FloatArray:
        """Return the returns of m symbols, NaN where they are taken as missing.

        Parameters
        ----------
        symbols : sequence of m str
        values : (m, T) float array

        Returns
        -------
        (m, T) float array
        """
        out = values.copy()
        for k, symbol in enumerate(symbols):
            out[k, self._columns[symbol].out] = np.nan
        return out

    def _failure(self, symbol: str) -> str:
        size = self._size(symbol)
        return say("returns_gate.column", symbol=symbol, where=self._where, size=size)

    def _unit(self, column: Marked) -> str:
        """Return the kind of fault of a column as a whole, or ""."""
        if column.not_decimal:
            return ReturnFault.PERCENT
        large = column.median > max(rules.LARGE_MEDIAN, TIMES_TYPICAL * self._typical)
        return ReturnFault.LARGE if large else ""

    def _size(self, symbol: str) -> str:
        """Return the evidence against a column: its median size and count of impossible returns."""
        column = self._columns[symbol]
        typical = f", {self._typical:.2g} in the other columns"
        typical *= bool(np.isfinite(self._typical))
        wrong = int(np.isin(column.marks, (rules.LOSS, rules.LONE)).sum())
        more = f"; {wrong:,} impossible returns" if wrong else ""
        return f"median size {column.median:.2g}{typical}{more}"

    def _faults_of(self, symbol: str, unit: str) -> Iterator[SeriesFault]:
        column = self._columns[symbol]
        spans = dict[str, list[Span]]()
        if unit:
            spans[unit] = [self._span(0, -1, self._size(symbol))]
        if not column.not_decimal:
            for mark, kind in rules.MARKS.items():
                runs = _runs_of(*column.cells(mark))
                spans[kind] = [self._span(a, b, _written(value), b - a + 1) for a, b, value in runs]
        for name, listed in spans.items():
            yield from as_faults(symbol, str(name), ReturnFault(name).action, listed)

    def _span(self, first: int, last: int, detail: str, n: int = 1) -> Span:
        return Span(self._dates[first], self._dates[last], f"{self._where}: {detail}", n)

    def _of_columns(self, units: Mapping[str, str]) -> Iterator[str]:
        for kind in (ReturnFault.PERCENT, ReturnFault.LARGE):
            mine = [symbol for symbol, unit in units.items() if unit == kind]
            if mine:
                sizes = [f"{s} ({self._size(s)})" for s in mine[:NAMED]]
                yield notice_of(kind, len(mine), sizes, self._where)

    def _of_cells(self) -> Iterator[str]:
        """Yield a notice for each kind of cell, with how many there are and the first of them."""
        decimals = {s: column for s, column in self._columns.items() if not column.not_decimal}
        for mark, kind in rules.MARKS.items():
            count = sum(int(np.count_nonzero(c.marks == mark)) for c in decimals.values())
            if count:
                cells = (text for s, c in decimals.items() for text in self._cells(s, c, mark))
                yield notice_of(kind, count, list(islice(cells, NAMED)), self._where)

    def _cells(self, symbol: str, column: Marked, mark: int) -> Iterator[str]:
        for t, value in zip(*column.cells(mark), strict=True):
            yield f"{symbol} on {self._dates[t]} is {_written(float(value))}"


def _written(value: float) -> str:
    """Return a value as it may be in the file, with the letter that CRSP has for a code."""
    letter = f" ({CRSP[value]})" if value in CRSP else ""
    return f"{value:.10g}{letter}"


def _runs_of(at: IntArray, values: FloatArray) -> list[tuple[int, int, float]]:
    """Return the runs of one value on consecutive positions.

    `at` are ascending positions; a run has its first and last position, and its value.
    """
    if not len(at):
        return []
    new = (np.diff(at) > 1) | (values[1:] != values[:-1])
    starts = np.flatnonzero(np.r_[True, new])
    ends = np.r_[starts[1:] - 1, len(at) - 1]
    return list(zip(at[starts].tolist(), at[ends].tolist(), values[starts].tolist(), strict=True))


class Gate:
    """Judge returns while they are read: first `look` at all, then ask for the `verdict`.

    Parameters
    ----------
    dates : (T,) datetime64[D] array
    symbols : sequence of n str
        The columns that `look` will get, each once, in any order.
    kind : {"simple", "log"}
    where : str
        Name of the file, for messages.
    """

    def __init__(
        self, dates: DateArray, symbols: Sequence[str], kind: ReturnKind, where: str
    ) -> None:
        self._dates, self._kind, self._where = dates, kind, where
        self._place = {symbol: i for i, symbol in enumerate(symbols)}
        self._step = max(1, len(dates) * len(symbols) // SAMPLE)
        self._sizes: list[FloatArray] = []
        self._of_large: list[FloatArray] = []
        self._of_wrong: list[FloatArray] = []
        self._negative = False
        self._present, self._movers = np.zeros((2, len(dates)), np.int64)
        self._columns: dict[str, Marked] = {}

    @staticmethod
    def find_percent(values: FloatArray) -> float:
        """Return the median size of numbers that look like percent; 0 for decimal returns."""
        sizes = np.abs(values[~np.isin(values, rules.CODES)])
        median = _median([sizes[sizes < rules.HUGE]], 0.0)
        return median if median > rules.LARGE_MEDIAN else 0.0

    def look(self, symbols: Sequence[str], values: FloatArray) -> BoolArray:
        """Return which of m symbols have to wait for the verdict.

        Parameters
        ----------
        symbols : sequence of m str
        values : (m, T) float array
            Decimal returns; NaN = missing.

        Returns
        -------
        (m,) bool array
        """
        waits = np.zeros(len(symbols), dtype=bool)
        step = max(1, CELLS // max(len(self._dates), 1))
        for start in range(0, len(symbols), step):
            doubtful = np.flatnonzero(self._tally(values[start : start + step]))
            for k in (doubtful + start).tolist():
                waits[k] = self._judge(symbols[k], values[k])
        return waits

    def _tally(self, values: FloatArray) -> BoolArray:
        """Count what moves on each day, and return which rows (m,) need a closer look."""
        sizes = np.abs(values)
        present = np.isfinite(values)
        rows, days = np.nonzero(sizes >= rules.LARGE_MEDIAN)
        large = sizes[rows, days]
        self._present += present.sum(axis=0)
        movers = days[(large >= LARGE_MOVE) & (large < 1)]
        self._movers += np.bincount(movers, minlength=len(self._dates))
        # More than half of a row is large: its median is.
        doubtful = 2 * np.bincount(rows, minlength=len(values)) > present.sum(axis=1)
        doubtful[rows[large >= EXTREME]] = True
        at = np.arange(0, sizes.size, self._step)
        row_of = at // max(len(self._dates), 1)
        sample = sizes.reshape(-1)[at[~doubtful[row_of]]]
        self._sizes.append(sample[np.isfinite(sample)])
        self._negative = self._negative or bool((values[~doubtful] < 0).any())
        return np.asarray(doubtful)

    def _judge(self, symbol: str, values: FloatArray) -> bool:
        """Keep the marks of one column, and return whether it has to wait for the verdict."""
        finite = np.where(np.abs(values) > rules.HUGE, np.inf, values)
        column = rules.ReturnColumn(finite, self._kind)
        numbers, marks = column.numbers, column.marks
        large = column.median > rules.LARGE_MEDIAN
        sizes = self._of_wrong if column.not_decimal else self._of_large if large else self._sizes
        sizes.append(np.abs(numbers[:: self._step]))
        self._negative = self._negative or bool((numbers < 0).any())
        if not (large or marks.any()):
            return False
        marked = Marked(marks, values[marks > 0], column.median, not_decimal=column.not_decimal)
        self._columns[symbol] = marked
        return marked.not_decimal or bool(marked.out.any())

    def verdict(self) -> Verdict:
        """Return the decision on all returns.

        Raises
        ------
        DataError
            The file as a whole cannot be decimal returns.
        """
        self._refuse(_median([*self._sizes, *self._of_large, *self._of_wrong], 0.0))
        self._spare_market_days()
        return Verdict(
            self._dates, self._where, self._columns,
            median=_median([*self._sizes, *self._of_large], 0.0),
            typical=_median(self._sizes, np.inf),
        )  # fmt: skip

    def _refuse(self, median: float) -> None:
        evidence = ""
        wrong = [symbol for symbol, column in self._columns.items() if column.not_decimal]
        if rules.not_returns(median, negative=self._negative):
            evidence = f"a median size of {median:.4g}"
        elif len(wrong) > MOST_COLUMNS * len(self._place):
            evidence = f"{len(wrong)} of {len(self._place)} columns: {words().some(wrong, NAMED)}"
        if evidence:
            raise make_error(DataError, "wrong.decimals", where="returns", value=evidence)
        losses = sorted(self._losses())
        if len(losses) > MOST_LOSSES * self._present.sum():
            t, _, symbol, loss = losses[0]
            cell = f"{symbol} on {self._dates[t]}"
            raise make_error(DataError, "wrong.loss", where=cell, value=loss)

    def _losses(self) -> Iterator[tuple[int, int, str, float]]:
        """Yield day, place, symbol and value of the returns below -100 % in columns of decimals."""
        for symbol, column in self._columns.items():
            if not column.not_decimal:
                for t, value in zip(*column.cells(rules.LOSS), strict=True):
                    yield int(t), self._place[symbol], symbol, float(value)

    def _spare_market_days(self) -> None:
        """Keep lone returns on days that moved the other columns too, at most one impossibly."""
        decimals = [column for column in self._columns.values() if not column.not_decimal]
        none = np.zeros(len(self._dates), np.int64)
        wrong: IntArray = sum((c.marks == rules.LOSS for c in decimals), none)
        shared = self._movers >= MARKET * np.maximum(self._present - 1, 1)
        market = shared & (self._movers > 0) & (wrong <= 1)
        for column in decimals:
            column.marks[(column.marks == rules.LONE) & market] = rules.SUSPECT


def _median(sizes: list[FloatArray], none: float) -> float:
    joined = np.concatenate([np.empty(0), *sizes])
    return float(np.median(joined)) if len(joined) else none
