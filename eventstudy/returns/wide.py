"""Tables of returns: wide or long in, wide out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    import pandas as pd

# So many columns of a table without dates are named.
NAMED = 8
NO_LETTERS: Mapping[str, float] = MappingProxyType({})


def wide_returns(frame: pd.DataFrame, letters: Mapping[str, float] = NO_LETTERS) -> pd.DataFrame:
    """Return a wide frame of returns (dates ascending x symbols) from a wide or a long one.

    Parameters
    ----------
    frame : DataFrame
    letters : mapping of str to float, optional
        The codes that stand for cells which are such letters.

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
                "a long table of returns needs the columns date, ticker and ret",
                value=list(frame.columns),
            )
        cells = frame[[named["date"], ticker, named.get("ret", named.get("return"))]].copy()
        cells.columns = pd.Index(["date", "ticker", "ret"])
        twice = cells.duplicated(["date", "ticker"])
        if twice.any():
            row = cells[twice].iloc[0]
            raise DataError(
                "two returns for one ticker and day", value=f"{row['ticker']} {row['date']}"
            )
        wide = cells.set_index(["date", "ticker"])["ret"].unstack("ticker")  # noqa: PD010 - no aggregation wanted
    elif "date" in named:
        wide = frame.set_index(named["date"])
    elif isinstance(frame.index, pd.RangeIndex) and not frame.empty:
        columns = ", ".join(map(str, frame.columns[:NAMED])) + ", ..." * (
            len(frame.columns) > NAMED
        )
        raise DataError(
            "no date column", value=columns, remedy="name the column of the dates 'date'"
        )
    else:
        wide = frame
    dates = civil_dates(wide.index)
    numbers = _numbers(wide, letters)
    numbers.index = dates
    numbers.columns = pd.Index([str(c).strip() for c in numbers.columns])
    if numbers.index.has_duplicates:
        raise DataError(
            "a date occurs twice", value=str(numbers.index[numbers.index.duplicated()][0].date())
        )
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

    dates = pd.to_datetime(
        pd.Series(written.astype(str)).str.slice(0, 10), errors="coerce", format="ISO8601"
    )
    if dates.isna().any():
        at = int(np.flatnonzero(dates.isna())[0])
        raise DataError(
            "a date that cannot be read",
            where="returns",
            value=str(written[at]),
            remedy="use YYYY-MM-DD",
        )
    return pd.DatetimeIndex(dates)


def _numbers(wide: pd.DataFrame, letters: Mapping[str, float]) -> pd.DataFrame:
    """Return the frame with all columns as numbers."""
    import pandas as pd

    plain = np.array([pd.api.types.is_numeric_dtype(kind) for kind in wide.dtypes], dtype=bool)
    if plain.all():
        return wide.copy(deep=False)
    numbers: pd.DataFrame = wide.apply(numbers_of, letters=letters)
    bad = numbers.isna() & wide.notna()
    if bad.to_numpy().any():
        r, c = np.argwhere(bad.to_numpy())[0]
        raise DataError(
            "a return that is no number",
            where=f"{wide.columns[c]} on {wide.index[r]}",
            value=str(wide.iloc[r, c]),
        )
    return numbers


def numbers_of(
    cells: pd.Series[Any], letters: Mapping[str, float] = NO_LETTERS
) -> pd.Series[float]:
    """Return cells as numbers, the code of each letter in its place; NaN for any other text."""
    import pandas as pd

    numbers: pd.Series[float] = pd.to_numeric(cells, errors="coerce")
    texts = (numbers.isna() & cells.notna()).to_numpy(bool)
    if not (letters and texts.any()):
        return numbers
    values = numbers.to_numpy(float, copy=True)
    values[texts] = cells[texts].astype(str).str.strip().map(letters).to_numpy(float)
    return pd.Series(values, cells.index, name=cells.name)
