"""Securities by identifiers that are no tickers: PERMNO, CUSIP, ISIN, RIC and others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Columns that name the series of an event or a row, best first.
IDENTIFIERS = (
    "permno", "lpermno", "cusip", "ncusip", "isin", "ric", "sedol", "figi", "gvkey", "secid",
)  # fmt: skip
TICKERS = ("ticker", "symbol")
# The same as they may be written in a file: cells of these stay text.
WRITTEN = (*IDENTIFIERS, *map(str.upper, (*IDENTIFIERS, *TICKERS)))


def bare(name: object) -> str:
    """Return the name of a column in small letters, without spaces, hyphens and underscores."""
    return str(name).strip().strip('"').lower().translate(dict.fromkeys(map(ord, " _-")))


def identifiers_in(names: Iterable[Any]) -> list[Any]:
    """Return those names of columns that are identifiers, best first."""
    named = {bare(name): name for name in names}
    return [named[name] for name in IDENTIFIERS if name in named]


def identifier_for(names: Iterable[Any]) -> str:
    """Return the column that names series in place of a ticker; "" where there is a ticker."""
    listed = list(names)
    has_ticker = any(bare(name) in TICKERS for name in listed)
    return "" if has_ticker else str(next(iter(identifiers_in(listed)), ""))


def is_crsp(names: Iterable[Any]) -> bool:
    """Return whether columns are those of a daily file of CRSP."""
    columns = set(map(bare, names))
    is_dated = bool(columns & {"date", "caldt", "dlycaldt"})
    return is_dated and "permno" in columns and bool(columns & {"ret", "dlyret"})


def as_text(cells: pd.Series[Any]) -> pd.Series[str]:
    """Return identifiers as text: a PERMNO that a file holds as 10107.0 is 10107."""
    if cells.dtype.kind == "f":
        cells = cells.astype("Int64")
    return cells.astype("string").fillna("").str.strip().astype(object)
