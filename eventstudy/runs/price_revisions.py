"""Which series of two runs differ, prices and market values, on which days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ..prices.frozen import TABLE, read_frozen
from .origin import SIZES
from .record import Record

if TYPE_CHECKING:
    import pandas as pd

# Returns that differ by less are those of prices rounded in another way.
SAME_RETURN = 1e-6
# Days that are named.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Revision:
    """What became of the prices, or the market values, of one symbol.

    Attributes
    ----------
    days : tuple of str
        Dates whose return (or other measure) is not the same, or that only one run has.
    first : tuple of (date, before, after)
        The first of them with its price in both runs; NaN where there is none.
    before, after : str
        Last day in either run; "" where it has none.
    values : int
        Prices (or other values) that are not the same: one close makes two returns.
    kind : str
        What was revised.
    """

    days: tuple[str, ...]
    first: tuple[str, float, float] | None
    before: str
    after: str
    values: int = 0
    kind: str = "prices"

    def touches(self, day0: str, before: int, after: int) -> bool:
        """Tell whether a day that differs is in the windows of an event, so many sessions long."""
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
            return f"{self.kind} until {self.after or 'none'}, {self.before or 'none'} before"
        day, old, new = self.first
        first = day if self.values == 1 else f"{self.values} days, first on {day}"
        return f"revised on {first} ({old:.10g} before, {new:.10g} now)"


def revisions(one: Record, other: Record) -> dict[str, Revision]:
    """Return what differs in the prices of the symbols that both runs have; only those that
    differ."""
    mine, theirs = one.manifest["prices"], other.manifest["prices"]
    if not ((one.folder / TABLE).is_file() and (other.folder / TABLE).is_file()):
        return {}
    names = [s for s in mine if s in theirs and mine[s].get("sha256") != theirs[s].get("sha256")]
    if not names:
        return {}
    columns = columns_of(other.config.measure)
    a, b = (read_frozen(record.folder / TABLE) for record in (one, other))
    parts = {name: [part_of(t[t["symbol"] == name]) for t in (a, b)] for name in names}
    found = {name: revision_of(old, new, columns) for name, (old, new) in parts.items()}
    return {name: revision for name, revision in found.items() if revision}


def unequal(one: Record, other: Record) -> set[str]:
    """Return the symbols of either run whose prices are not the same to the last bit."""
    mine, theirs = (
        {s: own.get("sha256") for s, own in r.manifest["prices"].items()} for r in (one, other)
    )
    return {s for s in {*mine, *theirs} if mine.get(s) is None or mine.get(s) != theirs.get(s)}


def size_revisions(one: Record, other: Record) -> dict[str, Revision]:
    """Return what differs in the market values of two runs, by firm."""
    return revised_sizes(*(record.table(SIZES) for record in (one, other)))


def revised_sizes(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, Revision]:
    """Return what differs in two tables of market values (:meth:`.Sizes.record`), by firm."""
    parts = [_valued(table) for table in (old, new)]
    found = {}
    for ticker in dict.fromkeys([*parts[0], *parts[1]]):
        a, b = (part.get(ticker) for part in parts)
        if a is not None and b is not None:
            revision = revision_of(a, b, ["mcap"])
        else:
            ends = ["" if own is None else f"{own.index[-1]:%Y-%m-%d}" for own in (a, b)]
            revision = Revision((), None, ends[0], ends[1])
        if revision:
            found[ticker] = replace(revision, kind="market values")
    return found


def _valued(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the market values of each firm that has any, by date."""
    import pandas as pd

    if table.empty:
        return {}
    known = table[table["mcap"].notna()]
    known = known.assign(date=pd.to_datetime(known["date"]), mcap=known["mcap"].astype(float))
    return {
        str(ticker): own.set_index("date") for ticker, own in known.groupby("ticker", sort=False)
    }


def columns_of(measure: str) -> list[str]:
    """Return the columns of a table of prices that a measure is made of."""
    of = {"return": ["price"], "volatility": ["high", "low"]}
    return of.get(measure, ["volume"])


def part_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one symbol by date, with the price that returns are made of."""
    own = rows.set_index("date")
    return own.assign(price=own["close" if own["adj_close"].isna().all() else "adj_close"])


def revision_of(old: pd.DataFrame, new: pd.DataFrame, columns: list[str]) -> Revision | None:
    """Return what is not the same in two series of :func:`part_of`, None if all is."""
    first, last = max(old.index[0], new.index[0]), min(old.index[-1], new.index[-1])
    a, b = old.loc[first:last, columns], new.loc[first:last, columns]
    dates = a.index.union(b.index)
    a, b = a.reindex(dates), b.reindex(dates)
    different = np.zeros(len(dates), dtype=bool)
    for column in columns:
        different |= _differ(
            a[column].to_numpy(float), b[column].to_numpy(float), column == "price"
        )
    days = tuple(f"{day:%Y-%m-%d}" for day in dates[different])
    ends = f"{old.index[-1]:%Y-%m-%d}", f"{new.index[-1]:%Y-%m-%d}"
    if not days and ends[0] == ends[1]:
        return None
    at = dates[different][0] if days else None
    price: Any = (
        None if at is None else (days[0], float(a.loc[at].iloc[0]), float(b.loc[at].iloc[0]))
    )
    n = (
        _values(a[columns[0]].to_numpy(float), b[columns[0]].to_numpy(float))
        if columns == ["price"]
        else 0
    )
    return Revision(days, price, *ends, min(n or len(days), len(days)))


def _values(a: Any, b: Any) -> int:
    """Return how many prices differ by another factor than most, which is that of another base."""
    ratio = b / a
    base = np.nanmedian(ratio) if np.isfinite(ratio).any() else 1.0
    return int(((np.abs(ratio / base - 1) > SAME_RETURN) | (np.isnan(a) != np.isnan(b))).sum())


def _differ(a: Any, b: Any, price: bool) -> Any:
    """Tell on which days two series differ; prices by their returns, so that another base is no
    revision."""
    lost = np.isnan(a) != np.isnan(b)
    if price:
        a, b = (np.append(np.nan, x[1:] / _carried(x)[:-1] - 1) for x in (a, b))
    apart = np.abs(a - b) > SAME_RETURN * (1 if price else np.abs(a))
    return lost | apart


def _carried(x: Any) -> Any:
    """Return a series with the last known value where there is none."""
    at = np.where(np.isnan(x), 0, np.arange(len(x)))
    return x[np.maximum.accumulate(at)]
