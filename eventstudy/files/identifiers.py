"""Securities by identifiers that are no tickers: PERMNO, CUSIP, ISIN, RIC and others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..utility import pd

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


class SecurityColumns:
    """The columns of a table, of which some name securities.

    Parameters
    ----------
    names : iterable
    """

    # Their names as `bare` writes them.
    KNOWN = (*IDENTIFIERS, *TICKERS)

    def __init__(self, names: Iterable[Any]) -> None:
        self._names = list(names)
        self._by_bare = {bare(name): name for name in self._names}

    @property
    def tickers(self) -> list[Any]:
        """Those of tickers."""
        return [name for name in self._names if bare(name) in TICKERS]

    @property
    def identifiers(self) -> list[Any]:
        """Those of other identifiers, best first."""
        return [self._by_bare[name] for name in IDENTIFIERS if name in self._by_bare]

    @property
    def in_place_of_ticker(self) -> str:
        """The column that names series in place of a ticker; "" where there is a ticker."""
        return "" if self.tickers else str(next(iter(self.identifiers), ""))

    @property
    def is_crsp(self) -> bool:
        """Whether columns are those of a daily file of CRSP."""
        dates, returns = {"date", "caldt", "dlycaldt"}, {"ret", "dlyret"}
        names = self._by_bare.keys()
        return "permno" in names and not names.isdisjoint(dates) and not names.isdisjoint(returns)


def as_text(cells: pd.Series[Any]) -> pd.Series[str]:
    """Return identifiers as text: a PERMNO that a file holds as 10107.0 is 10107."""
    if cells.dtype.kind == "f":
        cells = cells.astype("Int64")
    return cells.astype("string").fillna("").str.strip().astype(object)
