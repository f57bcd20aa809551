"""Rows of prices in the common shape, where they came from, and corporate actions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..utility import np, pd
from ..words import say, words

if TYPE_CHECKING:
    from ..utility import FloatArray

COLUMNS = ("symbol", "date", "open", "high", "low", "close", "adj_close", "volume")
PRICE_COLUMNS = ("open", "high", "low", "close", "adj_close")
NUMBER_COLUMNS = (*PRICE_COLUMNS, "volume")
DATE_DTYPE: Literal["datetime64[ns]"] = "datetime64[ns]"

# Prices are below it, and above its inverse.
HIGHEST = 1e30
# Two rows of one date agree up to this share of the price.
SAME_PRICE = 1e-6
FIRST_DAY = date(1800, 1, 1)
LAST_DAY = date(2200, 1, 1)


@dataclass(frozen=True, slots=True, order=True)
class Action:
    """A dividend, split or distribution of capital gains, as the source gives it.

    Parameters
    ----------
    date : str
        ISO date of the first session without it.
    kind : str
        ``dividend``, ``split`` or ``capital_gain``.
    value : float
        Amount for a share in the currency of the prices; new shares for an old one if a split.
    """

    date: str
    kind: str
    value: float


@dataclass(frozen=True)
class Provenance:
    """Where the rows of one symbol came from.

    Parameters
    ----------
    source : str
        Name of the price source, as in `SOURCES`.
    detail : str
        File name without its folder, or the host asked.
    retrieved_at : str
        ISO 8601 time in UTC at which the source last gave or repeated the rows; empty for data
        that were not retrieved.
    library : str
        Library and version that did the retrieval.
    currency : str
        Currency of the prices as the source spells it (``GBp`` is pence); empty when unknown.
    first, last : str
        ISO dates of the first and the last row; empty without rows.
    rows : int
        Number of rows.
    sha256 : str
        Hash of `canonical_bytes` of the rows.
    note : str
        Changes and observations, in words, separated by ``"; "``.
    instrument : str
        Kind of instrument in the source's words, e.g. ``EQUITY`` or ``INDEX``.
    timezone : str
        IANA time zone of the exchange.
    """

    # What later versions add to it is passed over.
    is_open: ClassVar = True
    source: str
    detail: str = ""
    retrieved_at: str = ""
    library: str = ""
    currency: str = ""
    first: str = ""
    last: str = ""
    rows: int = 0
    sha256: str = ""
    note: str = ""
    instrument: str = ""
    timezone: str = ""

    @staticmethod
    def confirmed_on(times: Iterable[str]) -> str:
        """Return the day on which the source had given or repeated all prices.

        Parameters
        ----------
        times : iterable of str
            `retrieved_at` of each series.

        Returns
        -------
        str
            ISO date, the earliest of them; "" if none was retrieved.
        """
        return min((time[:10] for time in times if time), default="")


def unique(symbols: Iterable[str]) -> list[str]:
    """Return the symbols without repetitions, in the order given."""
    return list(dict.fromkeys(symbols))


def make_empty_table() -> pd.DataFrame:
    """Return a price table without rows, with the right columns and dtypes."""
    numbers = {name: pd.Series(dtype="float64") for name in NUMBER_COLUMNS}
    symbol = pd.Series(dtype="str")
    return pd.DataFrame({"symbol": symbol, "date": pd.Series(dtype=DATE_DTYPE), **numbers})


def in_range(rows: pd.DataFrame, start: date | None, end: date | None) -> pd.DataFrame:
    """Return the rows of a range of days, without blank ones before the first and after the last.

    A table with a column for each ticker has rows before and after the prices of most.

    Parameters
    ----------
    rows : DataFrame
        Columns `COLUMNS`.
    start, end : date or None
        Both inclusive; None leaves a side open.

    Returns
    -------
    DataFrame
        `rows` itself where none is left out.
    """
    keep = rows["date"].between(str(start or FIRST_DAY), str(end or LAST_DAY)).to_numpy()
    filled = np.flatnonzero(keep & (rows[[*NUMBER_COLUMNS]].to_numpy() > 0).any(axis=1))
    first, last = (filled[0], filled[-1] + 1) if len(filled) else (0, 0)
    return rows if last - first == len(rows) else rows[first:last].reset_index(drop=True)


def canonical_bytes(symbol: str, matrix: FloatArray) -> bytes:
    """Return the bytes that identify the rows of a symbol.

    Parameters
    ----------
    symbol : str
    matrix : (7, n_rows) float array
        As `matrix_of` returns it.

    Returns
    -------
    bytes
        The symbol in UTF-8, a line feed, the array as little-endian float64, row by row; every
        missing value is the same NaN.
    """
    numbers = np.where(np.isnan(matrix), np.nan, matrix).astype("<f8")
    return symbol.encode() + b"\n" + numbers.tobytes()


def matrix_of(rows: pd.DataFrame) -> FloatArray:
    """Return an array of shape (7, n_rows): days since 1970-01-01, then the numbers."""
    days = rows["date"].to_numpy().astype("datetime64[D]").astype("int64")
    return np.vstack([days, *(rows[column].to_numpy() for column in NUMBER_COLUMNS)])


def stamp(provenance: Provenance, rows: pd.DataFrame) -> Provenance:
    """Return a provenance with the extent and the hash of rows.

    Parameters
    ----------
    provenance : Provenance
    rows : DataFrame
        One symbol's, columns `COLUMNS`.

    Returns
    -------
    Provenance
    """
    return stamped(provenance, "" if rows.empty else str(rows["symbol"].iloc[0]), matrix_of(rows))


def stamped(provenance: Provenance, symbol: str, matrix: FloatArray) -> Provenance:
    """Return a provenance with the extent and the hash of rows, without a frame, for speed.

    Parameters
    ----------
    provenance : Provenance
    symbol : str
    matrix : (7, n_rows) float array
        As `matrix_of` returns it.

    Returns
    -------
    Provenance
    """
    digest = hashlib.sha256(canonical_bytes(symbol, matrix)).hexdigest()
    first = last = ""
    if matrix.size:
        days = matrix[0, [0, -1]].astype("int64").astype("datetime64[D]")
        first, last = map(str, days)
    return replace(provenance, first=first, last=last, rows=matrix.shape[1], sha256=digest)


def clean(table: pd.DataFrame, symbol: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return one symbol's rows in the common shape, and a note on every change.

    Parameters
    ----------
    table : DataFrame, shape (n_rows, any)
        A column ``date`` and any of the number columns; a missing column becomes NaN. The index is
        ignored.
    symbol : str
        Ticker to write in the first column.

    Returns
    -------
    rows : DataFrame
        Columns `COLUMNS`, sorted by date, one row a date.
    notes : tuple of str
        Empty when nothing was changed. Of several rows of one date the last with a price is kept;
        rows without a date are left out; values that are not possible (`are_possible`) become NaN.
        A row without prices stays if it is alone of its date.
    """
    numbers = {
        column: table[column].astype("float64") if column in table else float("nan")
        for column in NUMBER_COLUMNS
    }
    dates = pd.to_datetime(table["date"]).astype(DATE_DTYPE)
    columns = {"symbol": pd.Series(symbol, table.index, "str"), "date": dates, **numbers}
    rows = pd.DataFrame(columns, index=table.index)
    rows, notes = _one_row_a_date(rows.reset_index(drop=True))
    notes += _blank_impossible(rows)
    return rows, tuple(notes)


def _one_row_a_date(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    notes = []
    undated = rows["date"].isna()
    if undated.any():
        notes.append(say("price_rows.undated", n=int(undated.sum())))
        rows = rows[~undated]
    if not rows["date"].is_monotonic_increasing:
        notes.append(say("price_rows.unsorted"))
        rows = rows.sort_values("date", kind="stable")
    # A table of several exchanges has blank rows where another one has a price.
    blank = rows[[*PRICE_COLUMNS]].isna().all(axis=1)
    rows = rows[~(blank & rows["date"].duplicated(keep=False))]
    repeated = rows["date"].duplicated(keep="last")
    if repeated.any():
        days = _name_days(rows.loc[repeated, "date"])
        notes.append(say("price_rows.repeated", n=int(repeated.sum()), days=days))
        rows, disputed = _without_disputed(rows, repeated)
        notes += disputed
    return rows.reset_index(drop=True), notes


def _without_disputed(rows: pd.DataFrame, again: pd.Series[bool]) -> tuple[pd.DataFrame, list[str]]:
    """Return the last row of each date, without prices where its rows differ in a close."""
    closes = rows[["close", "adj_close"]]
    priced = closes.where(closes > 0).groupby(rows["date"])
    apart = (priced.max() > priced.min() * (1 + SAME_PRICE)).any(axis=1)
    disputed = apart.index[apart]
    rows = rows[~again].copy()
    if disputed.empty:
        return rows, []
    rows.loc[rows["date"].isin(disputed), list(NUMBER_COLUMNS)] = float("nan")
    return rows, [say("price_rows.disputed", n=len(disputed), days=_name_days(disputed))]


def _blank_impossible(rows: pd.DataFrame) -> list[str]:
    """Set impossible numbers of `rows` to NaN in place and say so."""
    notes = []
    for column in NUMBER_COLUMNS:
        values = rows[column].to_numpy()
        wrong = (values == values) & ~are_possible(column, values)
        if wrong.any():
            facts = {"column": column, "days": _name_days(rows.loc[wrong, "date"])}
            notes.append(say("price_rows.impossible", n=int(wrong.sum()), **facts))
            rows.loc[wrong, column] = float("nan")
    return notes


def are_possible(column: str, values: Any) -> Any:
    """Return which values are possible: positive and below 1e30, volumes also 0.

    No price of hyperinflation or of many reverse splits comes near the ends. Beyond them sums and
    products of prices overflow.

    Parameters
    ----------
    column : str
        Name of a number column.
    values : Series or array of float

    Returns
    -------
    Series or array of bool
    """
    low = values >= 0 if column == "volume" else values > 1 / HIGHEST
    return low & (values < HIGHEST)


def _name_days(days: Iterable[pd.Timestamp]) -> str:
    return words().some(f"{day:%Y-%m-%d}" for day in dict.fromkeys(days))
