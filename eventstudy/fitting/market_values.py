"""Market values: the file that a study names, and those before each day of the windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError
from ..prices.sizes import RECORD, Sizes
from ..utility.tables import read_table
from ..utility.typing import BoolArray, FloatArray, IntArray, ObjectArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class MarketValues:
    """Market values of n events before each of the L2 days of their event windows.

    Attributes
    ----------
    values : (n, L2) float array
        At the last close before each day, in units of `currency`; NaN where not known.
    start : int
        First day of the event window.
    currency : str
    reasons : (n,) object array
        Why an event has none; "" for those that have.
    origin : Sizes
        What they were taken from.
    """

    values: FloatArray
    start: int
    currency: str
    reasons: ObjectArray
    origin: Sizes

    def before(self, day: int) -> FloatArray:
        """Return the market values (n,) before a day of the event window."""
        return self.values[:, day - self.start]

    def take(self, rows: IntArray | BoolArray) -> MarketValues:
        """Return those of some events."""
        return replace(self, values=self.values[rows], reasons=self.reasons[rows])


@dataclass(frozen=True, eq=False)
class SizesFile:
    """The numbers of a file of market values.

    Attributes
    ----------
    table : DataFrame
        Columns ticker, date, currency, and mcap or shares, in order of ticker and date.
    failures : mapping of str to str
        Why a firm has none, where the file is the record of a run.
    source : str
        Where the numbers are from.
    """

    table: pd.DataFrame
    failures: Mapping[str, str]
    source: str


def read_sizes(path: str | Path) -> SizesFile:
    """Return the market values in a file with the columns ticker, date, and mcap or shares.

    Each number holds from its date on, for 370 days at most. Market values are in the column
    ``currency`` of the file, or the currency of the ticker. Shares will be multiplied with the
    closes of the study, so they must be in the unit of these: restated for later splits where the
    closes are.

    Raises
    ------
    DataError
        On a missing column, or a cell that is no date or no positive number.
    """
    import pandas as pd

    cells = read_table(path, text=("mcap", "shares", "close"))
    table = cells.rename(columns={c: str(c).strip().lower() for c in cells.columns})
    table = table.rename(columns={"symbol": "ticker"})
    value, name = next((c for c in ("mcap", "shares") if c in table), ""), Path(path).name
    missing = [c for c in ("ticker", "date") if c not in table] + ["mcap or shares"] * (not value)
    if missing:
        raise DataError("a column is missing", where=name, value=", ".join(missing))
    table["date"] = pd.to_datetime(table["date"], errors="coerce", format="ISO8601")
    is_record = set(RECORD) <= set(table.columns)
    blank = table[value].isna().to_numpy() & is_record
    table = table.assign(**{value: table[value].map(_number).astype(float)})
    failed = blank & table["note"].notna().to_numpy() if is_record else blank
    notes = table["note"][failed].astype(str) if is_record else ()
    failures = dict(zip(table["ticker"][failed], notes, strict=True))
    table, blank = table[~failed], blank[~failed]
    valid = (table[value] > 0) & np.isfinite(table[value])
    bad = np.flatnonzero(table["date"].isna() | ~blank & ~valid)
    if len(bad):
        row = table.index[bad[0]]
        where, text = f"{name}: row {row + 2}", ", ".join(map(str, cells.loc[row]))
        raise DataError("not a date and a positive number", where=where, value=text)
    table = table.sort_values(["ticker", "date"], kind="stable")
    source = str(table["source"].iloc[0]) if is_record and len(table) else name
    return SizesFile(table.assign(currency=table.get("currency", "")), failures, source)


def _number(cell: object) -> float:
    """Return a cell as a number, exact to the last bit; NaN where it is none."""
    try:
        return float(str(cell))
    except ValueError:
        return float("nan")
