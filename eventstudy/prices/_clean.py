"""One symbol's rows brought into the common shape, with a note on everything that was changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ._base import DATE_DTYPE, NUMBER_COLUMNS, unique

if TYPE_CHECKING:
    import pandas as pd

# Two rows of one date agree up to this share of the price.
SAME_PRICE = 1e-6


def clean(table: pd.DataFrame, symbol: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return one symbol's rows in the common shape, and a note on everything that was changed.

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
        Empty when nothing was changed. Of several rows of one date the last is kept; rows without a
        date are left out; prices that are not positive and finite, and volumes that are negative or
        infinite, become NaN. Rows whose prices are all missing stay.
    """
    import pandas as pd

    rows = pd.DataFrame(
        {"symbol": symbol, "date": pd.to_datetime(table["date"])}, index=table.index
    )
    for column in NUMBER_COLUMNS:
        rows[column] = table[column].astype("float64") if column in table else float("nan")
    rows["date"] = rows["date"].astype(DATE_DTYPE)
    rows["symbol"] = rows["symbol"].astype("str")
    rows, notes = _one_row_a_date(rows.reset_index(drop=True))
    notes += _blank_impossible(rows)
    return rows, tuple(notes)


def _rows(which: pd.Series[bool]) -> str:
    n = int(which.sum())
    return f"{n:,} row{'s' * (n != 1)}"


def _one_row_a_date(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    notes = []
    undated = rows["date"].isna()
    if undated.any():
        notes.append(f"{_rows(undated)} without a date left out")
        rows = rows[~undated]
    if not rows["date"].is_monotonic_increasing:
        notes.append("rows were not in order of date: sorted")
        rows = rows.sort_values("date", kind="stable")
    repeated = rows["date"].duplicated(keep="last")
    if repeated.any():
        days = name_some(f"{day:%Y-%m-%d}" for day in rows.loc[repeated, "date"])
        notes.append(
            f"{_rows(repeated)} of a date that occurs again left out, the last kept ({days})"
        )
        rows, disputed = _without_disputed(rows, repeated)
        notes += disputed
    return rows.reset_index(drop=True), notes


def _without_disputed(
    rows: pd.DataFrame, repeated: pd.Series[bool]
) -> tuple[pd.DataFrame, list[str]]:
    """Keep the last row of each date, without prices where the rows of the date differ in a
    close."""
    closes = rows[["close", "adj_close"]]
    priced = closes.where(closes > 0).groupby(rows["date"])
    apart = (priced.max() > priced.min() * (1 + SAME_PRICE)).any(axis=1)
    disputed = apart.index[apart]
    rows = rows[~repeated].copy()
    if disputed.empty:
        return rows, []
    rows.loc[rows["date"].isin(disputed), list(NUMBER_COLUMNS)] = float("nan")
    days = name_some(f"{day:%Y-%m-%d}" for day in disputed)
    return rows, [f"{len(disputed)} dates with two different closes taken as missing ({days})"]


def _blank_impossible(rows: pd.DataFrame) -> list[str]:
    """Set impossible numbers of `rows` to NaN in place and say so."""
    notes = []
    for column in NUMBER_COLUMNS:
        values = rows[column]
        wrong = values.notna() & ~are_possible(column, values)
        if wrong.any():
            days = name_some(f"{day:%Y-%m-%d}" for day in rows.loc[wrong, "date"])
            notes.append(
                f"{int(wrong.sum())} impossible values of {column} set to missing ({days})"
            )
            rows.loc[wrong, column] = float("nan")
    return notes


def are_possible(column: str, values: pd.Series[float]) -> pd.Series[bool]:
    """Return whether each value can be a price or, in the column volume, a volume."""
    low = values >= 0 if column == "volume" else values > 0
    return low & (values < float("inf"))


def name_some(words: Iterable[str], limit: int = 3) -> str:
    """Return the first of the words, each once, and dots where there are more."""
    listed = unique(words)
    return ", ".join(listed[:limit]) + (", ..." if len(listed) > limit else "")
