"""The closes of one symbol that returns are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..prices.quality.quotes import Quotes, by_symbol
from ..utility.typing import DateArray, FloatArray

if TYPE_CHECKING:
    import pandas as pd


def closes_of(symbol: str, part: pd.DataFrame) -> tuple[tuple[DateArray, FloatArray], list[str]]:
    """Return the dates and adjusted closes of one symbol, and what was put aside.

    Unadjusted closes are used if there is no adjusted one at all. Prices that are not positive are
    missing, and so is a close that repeats the last one on a day without volume, if the symbol has
    volume on other days: nothing was traded, the price is stale (docs/methods.md, 1.5). So is a
    price far off the others for some days (docs/faults.md).

    Raises
    ------
    DataError
        On a date that occurs twice.
    """
    _, quotes, _ = next(by_symbol(part.assign(symbol=symbol)))
    return usable_closes(quotes)


def usable_closes(quotes: Quotes) -> tuple[tuple[DateArray, FloatArray], list[str]]:
    """Return dates and closes to be used, and what to know of them."""
    symbol, notes = quotes.symbol, []
    if not quotes.adjusted and np.isfinite(quotes.close).any():
        notes.append(f"{symbol}: no adjusted closes, so that dividends and splits count as returns")
    elif blank := int((np.isfinite(quotes.close) & ~np.isfinite(quotes.adj_close)).sum()):
        notes.append(f"{symbol}: {blank} closes without an adjusted close were taken as missing")
    if count := int(quotes.stale.sum()):
        days = "close" if count == 1 else "closes"
        notes.append(
            f"{symbol}: {count} {days} without volume and without change taken as no trade"
        )
    return (quotes.dates, quotes.price), notes
