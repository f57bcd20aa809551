"""What is studied beside returns: trading volume, turnover and volatility of each session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ..errors import DataError
from ..events import Events
from ..utility import DateArray, FloatArray, pd
from ..words import make_error, say

Measure = Literal["return", "volume", "turnover", "volatility"]

# Keeps the log of a session without trade finite (Campbell and Wasley 1996).
SMALL_TURNOVER = 0.000255
SHARES = "shares_outstanding"


def compute_measure(
    rows: pd.DataFrame, measure: Measure, shares: float = np.nan
) -> tuple[DateArray, FloatArray]:
    """Return the dates of one symbol and its measure on each, in logarithms; NaN where it has none.

    Parameters
    ----------
    rows : DataFrame
        Rows of one symbol with the columns date, high, low and volume.
    measure : {"volume", "turnover", "volatility"}
        log(volume), a session without trade being missing; log(100 volume / shares + 0.000255); log
        of the range-based variance log(high/low)^2 / (4 log 2) of Parkinson (1980), a session
        without a range (high not above low) being missing. A column that is absent is missing on
        every day.
    shares : float
        Shares outstanding, for the turnover.
    """
    rows = rows.sort_values("date")
    dates = rows["date"].to_numpy().astype("datetime64[D]")
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "volatility":
            spread = np.log(_column(rows, "high") / _column(rows, "low"))
            values = np.log(np.where(spread > 0, spread, np.nan) ** 2 / (4 * np.log(2)))
        elif measure == "turnover":
            values = np.log(100 * _column(rows, "volume") / shares + SMALL_TURNOVER)
        else:
            values = np.log(_column(rows, "volume"))
    return dates, np.where(np.isfinite(values), values, np.nan)


def shares_of(events: Events) -> Mapping[str, float]:
    """Return the shares outstanding by ticker, from the column ``shares_outstanding``.

    A blank cell is not known. Each ticker has one number on all days, the first of its events in
    order of day 0: it cancels out of the abnormal turnover, save for the constant of sessions
    without trade, and a number that changed from one day to the next would be an abnormal turnover
    of that day.

    Raises
    ------
    DataError
        If there is no such column, or a cell is not a positive number.
    """
    table = events.table
    if SHARES not in table:
        raise make_error(DataError, "wrong.no_shares", column=SHARES)
    numbers = pd.to_numeric(table[SHARES], errors="coerce")
    blank = table[SHARES].isna() | (table[SHARES].astype(str).str.strip() == "")
    bad = ~((numbers > 0) & np.isfinite(numbers)) & ~blank
    if bad.any():
        row = table[bad].iloc[0]
        where = f"event {row['event_id']}: {SHARES}"
        raise DataError("not a positive number", where=where, value=row[SHARES])
    by_day = numbers[~blank].loc[table["day0"][~blank].sort_values(kind="stable").index]
    first = by_day.groupby(table["ticker"]).first()
    return {str(ticker): float(n) for ticker, n in first.items()}


def note_several_shares(events: Events) -> list[str]:
    """Say which tickers have several numbers of shares outstanding, of which the first counts."""
    table = events.table
    numbers = pd.to_numeric(table[SHARES], errors="coerce").groupby(table["ticker"]).nunique()
    tickers = list(map(str, numbers.index[numbers > 1]))
    return [say("measure.several_shares", symbols=tickers)] if tickers else []


def explain_lack(rows: pd.DataFrame, measure: Measure, shares: float = np.nan) -> str:
    """Say why a symbol has no value of a measure on any day, and what to do.

    Parameters
    ----------
    rows : DataFrame
        Rows of one symbol.
    measure : {"volume", "turnover", "volatility"}
    shares : float
        Shares outstanding, for the turnover.
    """
    needs = ("high", "low") if measure == "volatility" else ("volume",)
    absent = [name for name in needs if name not in rows or rows[name].isna().all()]
    if absent:
        columns = f"the column{'s' * (len(absent) > 1)} {' and '.join(absent)}"
        return f"the source gives no {' and no '.join(absent)}; use files with {columns}, or yahoo"
    if measure == "turnover" and not np.isfinite(shares):
        return f"its shares outstanding are not known; give them in the column {SHARES}"
    return "high equals low every day" if measure == "volatility" else "the volume is 0 every day"


def _column(rows: pd.DataFrame, name: str) -> FloatArray:
    return rows[name].to_numpy(float) if name in rows else np.full(len(rows), np.nan)
