"""How often a fall that may be a dividend of raw closes is one, and how many dividends are found.

    python benchmarks/dividends.py FOLDER ...

A folder holds prices, one CSV a ticker, gzipped or not (date, open, high, low, close, adj_close,
volume); of a ticker in several, the first counts. The adjusted closes are taken away from each
share. Where their ratio to the close rose by `PAID` or more, a dividend was paid. Shares whose
ratio never rose have a row of their own: some pay none, and of the others the closes are adjusted
already. Prints a Markdown table, and nothing where there is no folder.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from price_gate import in_markets

from eventstudy.calendars import Symbol
from eventstudy.quality import Quotes
from eventstudy.quality.fault_kinds import FAULTS
from eventstudy.utility import DateArray

# The smallest rise of the log of adjusted close to close that is no rounding, and that makes a fall
# a dividend; the rises that are to be found: the rule asks for 3 %, and larger ones are splits.
RISE, PAID, FROM, UP_TO = 0.003, 0.01, np.log(1.03), np.log(1.43)
HEAD = "| {} | shares | falls doubted | dividends among them | dividends of 3 to 30 % | found |"


@dataclass(frozen=True)
class Found:
    """Of a share: whether it pays, and the days that are doubted, of dividends, of large ones."""

    pays: bool
    doubted: DateArray
    paid: DateArray
    large: DateArray


def read(folders: list[Path]) -> list[Quotes]:
    """Return the series of the folders, each with the others of its exchange."""
    tables: dict[str, pd.DataFrame] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.csv*"))):
        symbol = path.name.removesuffix(".gz").removesuffix(".csv")
        rows = pd.read_csv(path, parse_dates=["date"]).dropna(subset="date")
        rows = rows.drop_duplicates("date", keep="last")
        tables.setdefault(symbol, rows.assign(symbol=symbol))
    if not tables:
        return []
    return in_markets([quotes for quotes, _ in Quotes.by_symbol(pd.concat(tables.values()))])


def find(q: Quotes) -> Found:
    """Return what is doubted of a share without its adjusted closes, and what was paid."""
    raw = replace(q, adj_close=np.full(len(q.dates), np.nan))
    doubted = np.array([s.first for s in FAULTS["suspect_dividend"].find(raw)], "datetime64[D]")
    both = np.flatnonzero((q.close > 0) & (q.adj_close > 0))
    rises = np.diff(np.log(q.adj_close[both] / q.close[both]))
    days = q.dates[both[1:]]
    pays = bool((rises >= RISE).any())
    return Found(pays, doubted, days[rises >= PAID], days[(rises >= FROM) & (rises <= UP_TO)])


def row_of(name: str, found: list[Found]) -> str:
    """Return a row on shares."""
    n = sum(len(one.doubted) for one in found)
    right = sum(int(np.isin(one.doubted, one.paid).sum()) for one in found)
    large = sum(len(one.large) for one in found)
    seen = sum(int(np.isin(one.large, one.doubted).sum()) for one in found)
    cells = (f"{len(found)}", f"{n}", _share(right, n), f"{large}", _share(seen, large))
    return f"| {name} | {' | '.join(cells)} |"


def _share(k: int, n: int) -> str:
    return f"{k} ({k / n:.0%})" if n else f"{k}"


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]]
    shares = [
        q for q in read([folder for folder in folders if folder.is_dir()])
        if Symbol(q.symbol).kind == "share" and q.adjusted
    ]  # fmt: skip
    if not shares:
        return
    found = list(map(find, shares))
    print(f"{HEAD.format('closes')}\n|---|---:|---:|---:|---:|---:|")
    print(row_of("of shares with dividends", [one for one in found if one.pays]))
    print(row_of("of shares without any", [one for one in found if not one.pays]))


if __name__ == "__main__":
    main()
