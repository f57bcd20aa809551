"""The gate for returns: values pass, are taken as missing or are refused, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...errors import DataError
from ...utility.typing import BoolArray, DateArray, FloatArray, IntArray, ReturnKind
from .fault_kinds import NAMED
from .gate_report import Marked, Verdict
from .return_columns import LARGE_MEDIAN, LONE, LOSS, SUSPECT, Column, not_returns

# How many returns the median size is taken from at most, and some; cells that are looked at
# together.
SAMPLE, CELLS = 2**20, 2**22
# Values from this size on are looked at one column at a time: the smallest log return that doubles
# a price.
EXTREME = np.log(2)
# A day is the market's if this share of the other columns moves by 30 % to 100 %.
MOVED, MARKET = 0.3, 0.2
# A file is refused if more than this share of its returns is below -100 %, or of its columns is no
# decimals.
FEW_LOSSES, MOST_COLUMNS = 0.01, 0.5


class Gate:
    """Looks at returns while they are read.

    Parameters
    ----------
    dates : (T,) datetime64[D] array
    symbols : sequence of n str
        Which will be looked at, each once, in any order.
    kind : {"simple", "log"}
    where : str
        The file, for what is said.
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
        self._present, self._moved = np.zeros(len(dates), np.int64), np.zeros(len(dates), np.int64)
        self._columns: dict[str, Marked] = {}

    def look(self, symbols: Sequence[str], values: FloatArray) -> BoolArray:
        """Look at the returns (m, T) of m symbols, and tell which are to wait for the verdict,
        (m,)."""
        waits = np.zeros(len(symbols), dtype=bool)
        step = max(1, CELLS // max(len(self._dates), 1))
        for start in range(0, len(symbols), step):
            doubtful = np.flatnonzero(self._doubtful(values[start : start + step]))
            for k in (doubtful + start).tolist():
                waits[k] = self._judge(symbols[k], values[k])
        return waits

    def _doubtful(self, values: FloatArray) -> BoolArray:
        """Count what moves on each day, and tell which rows (m,) are to be looked at one by one."""
        sizes, present = np.abs(values), np.isfinite(values)
        rows, days = np.nonzero(sizes >= LARGE_MEDIAN)
        large = sizes[rows, days]
        self._present += present.sum(axis=0)
        moved = days[(large >= MOVED) & (large < 1)]
        self._moved += np.bincount(moved, minlength=len(self._dates))
        many = 2 * np.bincount(rows, minlength=len(values)) > present.sum(axis=1)
        many[rows[large >= EXTREME]] = True
        at = np.arange(0, sizes.size, self._step)
        at = at[~many[at // max(len(self._dates), 1)]]
        self._sizes.append(_finite(sizes.reshape(-1)[at]))
        self._negative = self._negative or bool((values[~many] < 0).any())
        return np.asarray(many)

    def _judge(self, symbol: str, values: FloatArray) -> bool:
        """Keep what is to be said of one column, and tell whether it is to wait for the verdict."""
        column = Column(values, self._kind)
        numbers, marks = column.numbers, column.marks
        large = column.median > LARGE_MEDIAN
        sizes = self._of_wrong if column.not_decimal else self._of_large if large else self._sizes
        sizes.append(np.abs(numbers[:: self._step]))
        self._negative = self._negative or bool((numbers < 0).any())
        if not (large or marks.any()):
            return False
        marked = Marked(marks, values[marks > 0], column.median, not_decimal=column.not_decimal)
        self._columns[symbol] = marked
        return marked.not_decimal or bool(marked.out.any())

    def verdict(self) -> Verdict:
        """Return what becomes of the returns.

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
        remedy = (
            "0.01 is 1 %: divide percent by 100; prices go to --prices, or to pct_change() first"
        )
        if not_returns(median, negative=self._negative):
            value = f"a median size of {median:.4g}"
            raise DataError(
                "these are no decimal returns", where="returns", value=value, remedy=remedy
            )
        wrong = [symbol for symbol, column in self._columns.items() if column.not_decimal]
        if len(wrong) > MOST_COLUMNS * len(self._place):
            more = ", ..." * (len(wrong) > NAMED)
            value = f"{len(wrong)} of {len(self._place)} columns: {', '.join(wrong[:NAMED])}{more}"
            raise DataError(
                "these are no decimal returns", where="returns", value=value, remedy=remedy
            )
        losses = sorted(self._losses())
        if len(losses) > FEW_LOSSES * self._present.sum():
            t, _, symbol, value_ = losses[0]
            remedy = "returns are decimals: 0.01 is one percent; log returns need kind = log"
            where = f"{symbol} on {self._dates[t]}"
            raise DataError(
                "a simple return below -100 %", where=where, value=value_, remedy=remedy
            )

    def _losses(self) -> Iterator[tuple[int, int, str, float]]:
        """Yield day, place, symbol and value of the returns below -100 % in columns of decimals."""
        for symbol, column in self._columns.items():
            mine = column.marks == LOSS
            if not column.not_decimal and mine.any():
                values = column.values[mine[column.marks > 0]].tolist()
                for t, value in zip(np.flatnonzero(mine).tolist(), values, strict=True):
                    yield t, self._place[symbol], symbol, value

    def _spare_market_days(self) -> None:
        """Keep lone returns on days that moved the other columns too, none of them impossibly."""
        decimals = [column for column in self._columns.values() if not column.not_decimal]
        wrong: IntArray = sum(
            (c.marks == LOSS for c in decimals), np.zeros(len(self._dates), np.int64)
        )
        others = np.maximum(self._present - 1, 1)
        market = (self._moved >= MARKET * others) & (self._moved > 0) & (wrong <= 1)
        for column in decimals:
            column.marks[(column.marks == LONE) & market] = SUSPECT


def _median(sizes: list[FloatArray], none: float) -> float:
    joined = np.concatenate([np.empty(0), *sizes])
    return float(np.median(joined)) if len(joined) else none


def _finite(sizes: FloatArray) -> FloatArray:
    return sizes[np.isfinite(sizes)]
