"""What is studied beside returns: trading volume, turnover and volatility of each session."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError, DataError
from ..utility.typing import DateArray, FloatArray, Measure

if TYPE_CHECKING:
    import pandas as pd

    from ..events.table import Events

# Keeps the logarithm of a session without trade finite (Campbell and Wasley 1996; docs/methods.md,
# 1.8).
SMALL_TURNOVER = 0.000255
SHARES = "shares_outstanding"


def measured(
    part: pd.DataFrame, measure: Measure, shares: float = np.nan
) -> tuple[DateArray, FloatArray]:
    """Return the dates of one symbol and its measure on each, in logarithms; NaN where it has none.

    Parameters
    ----------
    part : DataFrame
        Rows of one symbol with the columns date, high, low and volume.
    measure : {"volume", "turnover", "volatility"}
        log(volume), a session without trade being missing; log(100 volume / shares + 0.000255); log
        of the range-based variance log(high/low)^2 / (4 log 2) of Parkinson (1980), a session
        without a range (high not above low) being missing. A column that is absent is missing on
        every day.
    shares : float
        Shares outstanding, for the turnover.
    """
    part = part.sort_values("date")
    dates = part["date"].to_numpy().astype("datetime64[D]")
    with np.errstate(divide="ignore", invalid="ignore"):
        values = MEASURES[measure](part, shares)
    return dates, np.where(np.isfinite(values), values, np.nan)


def shares_of(events: Events) -> Mapping[str, float]:
    """Return the shares outstanding of each ticker from the column ``shares_outstanding`` of the
    events.

    A blank cell is not known. Each ticker has one number on all days, the first of its events in
    order of day 0: it cancels out of the abnormal turnover, save for the constant of sessions
    without trade, and a number that changed from one day to the next would be an abnormal turnover
    of that day.

    Raises
    ------
    DataError
        If there is no such column, or a cell is not a positive number.
    """
    import pandas as pd

    table = events.table
    if SHARES not in table:
        remedy = f"add a column {SHARES} to the events file"
        raise DataError("the turnover needs the shares outstanding", remedy=remedy)
    numbers = pd.to_numeric(table[SHARES], errors="coerce")
    blank = table[SHARES].isna() | (table[SHARES].astype(str).str.strip() == "")
    bad = ~((numbers > 0) & np.isfinite(numbers)) & ~blank
    if bad.any():
        row = table[bad].iloc[0]
        raise DataError(
            "not a positive number", where=f"event {row['event_id']}: {SHARES}", value=row[SHARES]
        )
    known = numbers[~blank]
    first = (
        known.loc[table["day0"][~blank].sort_values(kind="stable").index]
        .groupby(table["ticker"])
        .first()
    )
    return {str(ticker): float(n) for ticker, n in first.items()}


def several_shares(events: Events) -> list[str]:
    """Say which tickers have several numbers of shares outstanding, of which the first counts."""
    import pandas as pd

    table = events.table
    numbers = pd.to_numeric(table[SHARES], errors="coerce").groupby(table["ticker"]).nunique()
    names = ", ".join(str(ticker) for ticker in numbers.index[numbers > 1])
    what = (
        "several numbers of shares outstanding: the first is used on all days, as it cancels out "
        "of the"
    )
    return [f"{names}: {what} abnormal turnover"] if names else []


def lack(part: pd.DataFrame, measure: Measure, shares: float = np.nan) -> str:
    """Say why a symbol has no value of a measure on any day, and what to do."""
    needs = ("high", "low") if measure == "volatility" else ("volume",)
    absent = [name for name in needs if name not in part or part[name].isna().all()]
    if absent:
        what = f"the source gives no {' and no '.join(absent)}"
        return (
            f"{what}; use files with the column{'s' * (len(absent) > 1)} {' and '.join(absent)}, "
            "or yahoo"
        )
    if measure == "turnover" and not np.isfinite(shares):
        return f"its shares outstanding are not known; give them in the column {SHARES}"
    return "high equals low every day" if measure == "volatility" else "the volume is 0 every day"


def require_intercept(parameters: Collection[str], measure: Measure, model: str) -> None:
    """Raise ConfigError if a model without an intercept is to explain a level.

    A log volume differs from another by the size of the firm: only returns may be compared as they
    are.
    """
    if measure != "return" and "alpha" not in parameters:
        raise ConfigError(
            f"the {measure} is a level and needs a model with an intercept", where="model",
            value=model,
            remedy="use constant_mean, or market",
        )  # fmt: skip


def require_prices(limits: str, measure: Measure) -> None:
    """Raise ConfigError if price limits are to leave out or bound days of what is no price.

    A close at a limit is not yet the price; the volume of that day is the volume.
    """
    if measure != "return" and limits in ("drop", "censored"):
        raise ConfigError(
            f"price limits delay returns, not the {measure}", where="limits", value=limits,
            remedy="leave it out: events at a limit have the flag price_limit",
        )  # fmt: skip


def _volume(part: pd.DataFrame, shares: float) -> FloatArray:
    del shares
    values: FloatArray = np.log(_column(part, "volume"))
    return values


def _turnover(part: pd.DataFrame, shares: float) -> FloatArray:
    values: FloatArray = np.log(100 * _column(part, "volume") / shares + SMALL_TURNOVER)
    return values


def _volatility(part: pd.DataFrame, shares: float) -> FloatArray:
    del shares
    spread = np.log(_column(part, "high") / _column(part, "low"))
    values: FloatArray = np.log(np.where(spread > 0, spread, np.nan) ** 2 / (4 * np.log(2)))
    return values


def _column(part: pd.DataFrame, name: str) -> FloatArray:
    return part[name].to_numpy(float) if name in part else np.full(len(part), np.nan)


MEASURES: Mapping[str, Callable[[pd.DataFrame, float], FloatArray]] = {
    "volume": _volume,
    "turnover": _turnover,
    "volatility": _volatility,
}
