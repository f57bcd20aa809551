"""Prices that differ, with the days; no file is read here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

# Returns that differ by less are those of prices rounded in another way.
SAME_RETURN = 1e-6
# Days, and symbols, that are named.
SHOWN, NAMED = 20, 3


@dataclass(frozen=True, slots=True)
class Revision:
    """A change of the prices of one symbol.

    Attributes
    ----------
    days : tuple of str
        Dates whose return (or other measure) differs, or that only one run has.
    first : tuple of (date, before, after)
        The first of them with its price in both runs; NaN where there is none.
    before, after : str
        Last day in either run; "" where it has none.
    values : int
        Number of prices (or other values) that differ: one close makes two returns.
    """

    days: tuple[str, ...]
    first: tuple[str, float, float] | None
    before: str
    after: str
    values: int = 0

    def touches(self, day0: str, before: int, after: int) -> bool:
        """Return whether a day that differs is in the windows of an event.

        Parameters
        ----------
        day0 : str
            ISO date.
        before, after : int
            Sessions that the windows reach before and after day 0.

        Returns
        -------
        bool
        """
        middle = date.fromisoformat(day0)
        start = str(middle - timedelta(days=int(1.6 * before) + 20))
        stop = str(middle + timedelta(days=int(1.6 * after) + 20))
        return any(start <= day <= stop for day in self.days)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        ends = {"until_before": self.before, "until_after": self.after}
        count = {"n_days": len(self.days), "n_values": self.values}
        return {**count, "days": list(self.days[:SHOWN]), **ends, "what": str(self)}

    def __str__(self) -> str:
        if not self.days or self.first is None:
            return f"prices until {self.after or 'none'}, {self.before or 'none'} before"
        day, old, new = self.first
        first = day if self.values == 1 else f"{self.values} days, first on {day}"
        return f"revised on {first} ({old:.10g} before, {new:.10g} now)"


def name_some(symbols: Sequence[str], total: int = 0) -> str:
    """Return the first symbols, and the number of the remaining ones.

    Parameters
    ----------
    symbols : sequence of str
    total : int
        Number of symbols in all, if more than these.

    Returns
    -------
    str
    """
    more = max(total, len(symbols)) - len(symbols[:NAMED])
    return ", ".join(symbols[:NAMED]) + (f" and {more} more" if more else "")


def price_revision(old: pd.DataFrame, new: pd.DataFrame, measure: str) -> Revision | None:
    """Return the difference of the prices of one symbol, in what a measure is made of.

    Parameters
    ----------
    old, new : DataFrame
        Rows of a table of prices.
    measure : str

    Returns
    -------
    Revision or None
        None if they are the same.
    """
    columns = {"return": ["price"], "volatility": ["high", "low"]}.get(measure, ["volume"])
    old, new = _dated(old), _dated(new)
    first, last = max(old.index[0], new.index[0]), min(old.index[-1], new.index[-1])
    a, b = old.loc[first:last, columns], new.loc[first:last, columns]
    dates = a.index.union(b.index)
    a, b = a.reindex(dates), b.reindex(dates)
    different = np.zeros(len(dates), dtype=bool)
    for name in columns:
        x, y = a[name].to_numpy(float), b[name].to_numpy(float)
        different |= _differ(x, y, name == "price")
    days = tuple(f"{day:%Y-%m-%d}" for day in dates[different])
    ends = f"{old.index[-1]:%Y-%m-%d}", f"{new.index[-1]:%Y-%m-%d}"
    if not days and ends[0] == ends[1]:
        return None
    x, y = (table[columns[0]].to_numpy(float) for table in (a, b))
    at = int(different.argmax())
    first_day = (days[0], float(x[at]), float(y[at])) if days else None
    n = _values(x, y) if columns == ["price"] else 0
    return Revision(days, first_day, *ends, min(n or len(days), len(days)))


def _dated(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one symbol by date, with the price that returns are made of."""
    dated = rows.set_index("date")
    return dated.assign(price=dated["close" if dated["adj_close"].isna().all() else "adj_close"])


def _values(a: Any, b: Any) -> int:
    """Return the number of prices that differ by another factor than most, that of a new base."""
    ratio = b / a
    base = np.nanmedian(ratio) if np.isfinite(ratio).any() else 1.0
    return int(((np.abs(ratio / base - 1) > SAME_RETURN) | (np.isnan(a) != np.isnan(b))).sum())


def _differ(a: Any, b: Any, price: bool) -> Any:
    """Return the days on which two series differ; prices by returns: a new base is no revision."""
    one_sided = np.isnan(a) != np.isnan(b)
    if price:
        a, b = (np.append(np.nan, x[1:] / pd.Series(x).ffill()[:-1] - 1) for x in (a, b))
    apart = np.abs(a - b) > SAME_RETURN * (1 if price else np.abs(a))
    return one_sided | apart
