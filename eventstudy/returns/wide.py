"""Tables of returns: wide or long in, wide out, and whether they are percent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError
from ..typing import ReturnKind

if TYPE_CHECKING:
    import pandas as pd

# Daily returns of indices are below this share on most days, in percent they are above it.
LARGE_MEDIAN = 0.1
# No market has it that half of all daily returns are larger than this: percent of volatile shares, or prices.
LARGEST_MEDIAN = 1.0
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
    else:
        wide = frame
    # The civil date as written: a time zone must not move it to another day.
    days = pd.Series(wide.index.astype(str)).str.slice(0, 10)
    dates = pd.to_datetime(days, errors="coerce", format="ISO8601")
    if dates.isna().any():
        at = int(np.flatnonzero(dates.isna())[0])
        raise DataError(
            "a date that cannot be read", where="returns", value=str(wide.index[at]), remedy="use YYYY-MM-DD"
        )
    numbers = wide.apply(pd.to_numeric, errors="coerce")
    bad = numbers.isna() & wide.notna()
    if bad.to_numpy().any():
        r, c = np.argwhere(bad.to_numpy())[0]
        raise DataError(
            "a return that is no number",
            where=f"{wide.columns[c]} on {wide.index[r]}",
            value=str(wide.iloc[r, c]),
        )
    numbers.index = pd.DatetimeIndex(dates)
    numbers.columns = pd.Index([str(c).strip() for c in numbers.columns])
    if numbers.index.has_duplicates:
        raise DataError("a date occurs twice", value=str(numbers.index[numbers.index.duplicated()][0].date()))
    ordered: pd.DataFrame = numbers.sort_index()
    return ordered


def unit_notices(wide: pd.DataFrame, kind: ReturnKind) -> list[str]:
    """Return a notice if returns look like percent; refuse what no daily returns can be.

    Raises
    ------
    DataError
        On a simple return below -100 %, a median size above 100 %, or large numbers none of them negative.
    """
    values = wide.to_numpy(float)
    known = values[np.isfinite(values)]
    median = float(np.median(np.abs(known))) if len(known) else 0.0
    if median > LARGEST_MEDIAN or (median > LARGE_MEDIAN and not (known < 0).any()):
        raise DataError(
            "these are no decimal returns", where="returns", value=f"a median size of {median:.4g}",
            remedy="0.01 is 1 %: divide percent by 100; prices go to --prices, or to pct_change() first",
        )  # fmt: skip
    if kind == "simple" and (values < -1).any():
        r, c = np.argwhere(values < -1)[0]
        where = f"{wide.columns[c]} on {wide.index[r].date()}"
        remedy = "returns are decimals: 0.01 is one percent; log returns need kind = log"
        raise DataError("a simple return below -100 %", where=where, value=float(values[r, c]), remedy=remedy)
    percent = f"{LIKE_PERCENT} (median size {median:.2g}): 0.01 is 1 %, all results are too large if so"
    return [percent] if median > LARGE_MEDIAN else []
