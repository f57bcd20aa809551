"""Tables of returns: wide or long in, wide out, and whether they are percent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError
from ..typing import DateArray, FloatArray, ReturnKind

if TYPE_CHECKING:
    import pandas as pd

# Daily returns of indices are below this share on most days, in percent they are above it.
LARGE_MEDIAN = 0.1
# No market has it that half of all daily returns are larger than this: percent of volatile shares, or prices.
LARGEST_MEDIAN = 1.0
# How many returns the median size is taken from at most, and some.
SAMPLE = 2**20
# So many columns of a table without dates are named.
NAMED = 8
# Begins the notice on it, which goes before all others.
LIKE_PERCENT = "the returns look like percent"


def wide_returns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a wide frame of returns (dates ascending x symbols) from a wide or a long one.

    Raises
    ------
    DataError
        On a missing column, a date that cannot be read, a cell that is no number, or a day that
        occurs twice for one symbol.
    """
    import pandas as pd

    named = {str(c).strip().lower(): c for c in frame.columns}
    if "ret" in named or "return" in named:
        ticker = named.get("ticker", named.get("symbol"))
        if ticker is None or "date" not in named:
            raise DataError(
                "a long table of returns needs the columns date, ticker and ret", value=list(frame.columns)
            )
        cells = frame[[named["date"], ticker, named.get("ret", named.get("return"))]].copy()
        cells.columns = pd.Index(["date", "ticker", "ret"])
        twice = cells.duplicated(["date", "ticker"])
        if twice.any():
            row = cells[twice].iloc[0]
            raise DataError("two returns for one ticker and day", value=f"{row['ticker']} {row['date']}")
        wide = cells.set_index(["date", "ticker"])["ret"].unstack("ticker")  # noqa: PD010 - no aggregation wanted
    elif "date" in named:
        wide = frame.set_index(named["date"])
    elif isinstance(frame.index, pd.RangeIndex) and not frame.empty:
        columns = ", ".join(map(str, frame.columns[:NAMED])) + ", ..." * (len(frame.columns) > NAMED)
        raise DataError("no date column", value=columns, remedy="name the column of the dates 'date'")
    else:
        wide = frame
    dates = civil_dates(wide.index)
    numbers = _numbers(wide)
    numbers.index = dates
    numbers.columns = pd.Index([str(c).strip() for c in numbers.columns])
    if numbers.index.has_duplicates:
        raise DataError("a date occurs twice", value=str(numbers.index[numbers.index.duplicated()][0].date()))
    ordered: pd.DataFrame = numbers.sort_index()
    return ordered


def civil_dates(written: pd.Index) -> pd.DatetimeIndex:
    """Return the civil dates as written: a time zone must not move one to another day.

    Raises
    ------
    DataError
        On one that cannot be read.
    """
    import pandas as pd

    dates = pd.to_datetime(pd.Series(written.astype(str)).str.slice(0, 10), errors="coerce", format="ISO8601")
    if dates.isna().any():
        at = int(np.flatnonzero(dates.isna())[0])
        raise DataError(
            "a date that cannot be read", where="returns", value=str(written[at]), remedy="use YYYY-MM-DD"
        )
    return pd.DatetimeIndex(dates)


def _numbers(wide: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with all columns as numbers."""
    import pandas as pd

    plain = np.array([pd.api.types.is_numeric_dtype(kind) for kind in wide.dtypes], dtype=bool)
    if plain.all():
        return wide.copy(deep=False)
    numbers: pd.DataFrame = wide.apply(pd.to_numeric, errors="coerce")
    bad = numbers.isna() & wide.notna()
    if bad.to_numpy().any():
        r, c = np.argwhere(bad.to_numpy())[0]
        raise DataError(
            "a return that is no number",
            where=f"{wide.columns[c]} on {wide.index[r]}",
            value=str(wide.iloc[r, c]),
        )
    return numbers


class Units:
    """Whether returns are decimals, judged while they are read.

    Parameters
    ----------
    dates : (T,) datetime64[D] array
    symbols : sequence of n str
        Which will be added, each once, in any order.
    kind : {"simple", "log"}
    """

    def __init__(self, dates: DateArray, symbols: Sequence[str], kind: ReturnKind) -> None:
        self._dates, self._kind = dates, kind
        self._place = {symbol: i for i, symbol in enumerate(symbols)}
        self._step = max(1, len(dates) * len(symbols) // SAMPLE)
        self._sizes: list[FloatArray] = []
        self._negative = False
        self._lowest: tuple[int, int, str, float] | None = None

    def add(self, symbols: Sequence[str], values: FloatArray) -> None:
        """Take notice of the returns (m, T) of m symbols."""
        known = values[np.isfinite(values)]
        self._sizes.append(np.abs(known[:: self._step]))
        self._negative |= bool((known < 0).any())
        if self._kind == "log" or not (values < -1).any():
            return
        for k, t in np.argwhere(values < -1).tolist():
            found = t, self._place[symbols[k]], symbols[k], float(values[k, t])
            self._lowest = min(found, self._lowest or found)

    def notices(self) -> list[str]:
        """Return a notice if returns look like percent; refuse what no daily returns can be.

        The median of very many returns is that of every so many of them.

        Raises
        ------
        DataError
            On a simple return below -100 %, a median size above 100 %, or large numbers none negative.
        """
        sizes = np.concatenate([np.empty(0), *self._sizes])
        median = float(np.median(sizes)) if len(sizes) else 0.0
        if median > LARGEST_MEDIAN or (median > LARGE_MEDIAN and not self._negative):
            raise DataError(
                "these are no decimal returns", where="returns", value=f"a median size of {median:.4g}",
                remedy="0.01 is 1 %: divide percent by 100; prices go to --prices, or to pct_change() first",
            )  # fmt: skip
        if self._lowest:
            t, _, symbol, value = self._lowest
            remedy = "returns are decimals: 0.01 is one percent; log returns need kind = log"
            where = f"{symbol} on {self._dates[t]}"
            raise DataError("a simple return below -100 %", where=where, value=value, remedy=remedy)
        percent = f"{LIKE_PERCENT} (median size {median:.2g}): 0.01 is 1 %, all results are too large if so"
        return [percent] if median > LARGE_MEDIAN else []
