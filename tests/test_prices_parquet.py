"""Prices in one Parquet file: those of a CSV, and of many tickers only those that are asked for."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import DataError
from eventstudy.prices import Prices
from eventstudy.prices.files import FilesProvider

pq = pytest.importorskip("pyarrow.parquet")
FIRST, LAST = date(1900, 1, 1), date(2100, 1, 1)
ASKED = ["C", "A", "^X", "NONE"]


def long(names: tuple[str, ...] = ("A", "B", "C", "^X", "D")) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    days = pd.bdate_range("2019-01-01", periods=40)
    table = pd.MultiIndex.from_product([days, names], names=["date", "symbol"]).to_frame(
        index=False
    )
    return table.assign(close=rng.uniform(5, 9, len(table)).round(2), volume=1000.0)


def fetch(path: Path, symbols: list[str] = ASKED) -> Prices:
    return FilesProvider(path).fetch(symbols, FIRST, LAST)


def assert_same(one: Prices, other: Prices) -> None:
    pd.testing.assert_frame_equal(one.table, other.table)
    assert list(one.failures) == list(other.failures) == ["NONE"]
    texts = [str(p.failures["NONE"]).replace(".parquet", ".csv") for p in (one, other)]
    assert texts[0] == texts[1]
    notes = [p.note for p in (*one.provenance.values(), *other.provenance.values())]
    assert not [note for note in notes if note and "header of two lines" not in note]


def shapes() -> dict[str, pd.DataFrame]:
    table = long()
    return {
        "by date": table,
        "by ticker": table.sort_values(["symbol", "date"]),
        "category": table.astype({"symbol": "category"}),
        "Ticker, Date": table.rename(columns={"symbol": "Ticker", "date": "Date"}),
        "text": table.astype({"date": str, "close": str}),
        "indexed": table.set_index(["symbol", "date"]),
        "blanks around": table.assign(symbol=" " + table["symbol"]),
        "fields by ticker": table.set_index(["date", "symbol"]).unstack("symbol"),
    }


@pytest.mark.parametrize("shape", list(shapes()))
def test_the_prices_of_a_csv_whatever_the_order_and_the_row_groups(
    shape: str, tmp_path: Path
) -> None:
    long().to_csv(tmp_path / "p.csv", index=False)
    shapes()[shape].to_parquet(tmp_path / "p.parquet", row_group_size=17)
    assert_same(fetch(tmp_path / "p.parquet"), fetch(tmp_path / "p.csv"))
    provider = FilesProvider(tmp_path / "p.parquet")
    assert provider.symbols() == ("A", "B", "C", "D", "^X")
    # In two calls, as an index that is needed later.
    assert provider.fetch(["A", "C"], FIRST, LAST).symbols == ("A", "C")
    assert_same(provider.fetch(ASKED, FIRST, LAST), fetch(tmp_path / "p.csv"))


@pytest.mark.parametrize("shape", ["index", "column"])
def test_columns_of_a_wide_table(shape: str, tmp_path: Path) -> None:
    wide = long().pivot(index="date", columns="symbol", values="close")
    wide.to_csv(tmp_path / "p.csv")
    wide = wide if shape == "index" else wide.reset_index().rename(columns={"date": "Datetime"})
    wide.to_parquet(tmp_path / "p.parquet")
    assert_same(fetch(tmp_path / "p.parquet"), fetch(tmp_path / "p.csv"))
    assert FilesProvider(tmp_path / "p.parquet").symbols() == ("A", "B", "C", "D", "^X")


@pytest.mark.parametrize("kind", ["int64", "float64", "str"])
def test_securities_by_number(kind: str, tmp_path: Path) -> None:
    table = long().assign(symbol=lambda t: t["symbol"].map({"A": 10107, "C": 14593}))
    table = table.dropna().rename(columns={"symbol": "PERMNO"})
    numbers = table["PERMNO"].astype("int64").astype(kind)
    table.assign(PERMNO=numbers).to_parquet(tmp_path / "p.parquet", index=False)
    prices = fetch(tmp_path / "p.parquet", ["14593"])
    expected = table.loc[table["PERMNO"] == 14593, "close"].tolist()
    assert prices.table["close"].tolist() == expected


def test_a_fault_has_the_row_of_the_file_and_those_of_others_are_not_met(tmp_path: Path) -> None:
    table = long().astype({"close": object})
    table.loc[100, "close"] = "much"
    assert table.loc[100, "symbol"] == "A"
    table.astype({"close": str}).to_parquet(tmp_path / "p.parquet", row_group_size=33)
    prices = fetch(tmp_path / "p.parquet")
    fault = str(prices.failures["A"])
    assert fault.startswith("p.parquet:101: close: not a number, got 'much'")
    assert prices.symbols == ("C", "^X")


def test_a_row_without_a_ticker_is_a_fault_of_the_table(tmp_path: Path) -> None:
    table = long()
    table.loc[7, "symbol"] = None
    table.to_parquet(tmp_path / "p.parquet")
    with pytest.raises(DataError, match=r"p\.parquet:8: symbol: no ticker"):
        fetch(tmp_path / "p.parquet")


CHILD = """
import re, sys
from datetime import date
from pathlib import Path
from eventstudy.prices.files import FilesProvider
import pandas, pyarrow.parquet
def megabytes():
    return int(re.search("VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
before = megabytes()
prices = FilesProvider(sys.argv[1]).fetch(["S007", "S599"], date(1990, 1, 1), date(2100, 1, 1))
assert prices.symbols == ("S007", "S599") and len(prices.table) == 6000
print(megabytes() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("layout", ["by ticker", "by date", "wide"])
def test_two_of_600_tickers_take_the_memory_of_a_part(layout: str, tmp_path: Path) -> None:
    days, names = pd.bdate_range("2010-01-01", periods=3000), [f"S{i:03}" for i in range(600)]
    closes = np.random.default_rng(1).uniform(5, 9, (len(days), len(names))).round(2)
    if layout == "wide":
        table = pd.DataFrame(closes, pd.Index(days, name="date"), names)
    else:
        symbols = pd.Categorical(np.tile(names, len(days)))
        table = pd.DataFrame({"symbol": symbols, "date": np.repeat(days, len(names))})
        table = table.assign(close=closes.ravel(), adj_close=closes.ravel(), volume=1e6)
    if layout == "by ticker":
        table = table.sort_values(["symbol", "date"])
    table.to_parquet(tmp_path / "p.parquet", index=layout == "wide")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "p.parquet")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # Read whole, the long ones took 330 and 390 MB, the wide one 67.
    assert float(done.stdout) < (40 if layout == "wide" else 130)
