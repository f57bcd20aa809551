"""Commands that keep prices read them back, name what is not kept, and end with a code that says
so."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from test_prices_cli import invoke, yahoo  # noqa: F401 - a fixture
from test_prices_store import made
from yahoo_standin import Yahoo

from eventstudy.prices import PriceCache, Prices, StoreProvider
from eventstudy.prices.store import Stored
from eventstudy.prices.upkeep import days_unlike

SPAN = ("--start", "2019-01-01", "--end", "2019-06-28")
HEADER = "date,open,high,low,close,adj_close,volume"


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def states(out: str) -> dict[str, str]:
    """Return the outcome of each symbol of a JSON answer, with "!" where it is not kept as
    given."""
    return {row["symbol"]: row["outcome"] + "!" * (not row["kept"]) for row in json.loads(out)}


FULL = """
import resource, sys
from eventstudy.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))  # no file may grow beyond
main(["prices", *sys.argv[1:]])
"""


@pytest.mark.slow
def test_a_full_disk_is_named_symbol_by_symbol(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    rng = np.random.default_rng(1)
    for n in range(12):
        close = 100 * np.exp(rng.normal(0, 0.01, 3000).cumsum())
        days = pd.bdate_range("2010-01-04", periods=3000)
        (tmp_path / "files").mkdir(exist_ok=True)
        pd.DataFrame({"date": days, "close": close}).to_csv(
            tmp_path / "files" / f"S{n:02}.csv", index=False
        )
    order = [sys.executable, "-c", FULL, "import", tmp_path / "files", "--store", tmp_path / "s"]
    run = subprocess.run(order, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = {line.split()[0]: line for line in run.stdout.splitlines()}
    kept = [
        name for name, line in lines.items() if " as given" in line and "not as given" not in line
    ]
    there = [
        row["symbol"] for row in json.loads(invoke("list", "--json", "--store", tmp_path / "s")[1])
    ]
    assert (run.returncode, len(lines), kept) == (1, 12, there)
    assert 0 < len(kept) < 12
    complaints = [line for line in run.stderr.splitlines() if "not kept as given" in line]
    assert [line.split()[1].rstrip(":") for line in complaints] == sorted({*lines} - {*kept})
    assert all(
        "the price cache cannot be written (" in line and "--store" in line for line in complaints
    )


@pytest.mark.parametrize("command", ["import", "fetch"])
@pytest.mark.parametrize("trouble", ["locked", "in_the_way"])
def test_a_cache_that_cannot_be_written(
    command: str,
    trouble: str,
    yahoo: Yahoo,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "place" / "prices.sqlite"
    order = ["fetch", "AAPL", *SPAN] if command == "fetch" else ["import", tmp_path / "AAPL.csv"]
    write(tmp_path / "AAPL.csv", "2019-01-02,1,1,1,1,1,1")
    StoreProvider(path).add(made("MINE"))
    monkeypatch.setattr("eventstudy.prices._database.TIMEOUT", 0.05)
    blocker = sqlite3.connect(path)
    if trouble == "locked":
        blocker.execute("BEGIN IMMEDIATE")
    else:
        path = path / "beneath.sqlite"
    code, out, err = invoke(*order, "--json", "--store", path)
    blocker.close()
    assert (code, states(out)) == (1, {"AAPL": "not-kept!"})
    assert err.count("AAPL: not kept as given: the price cache cannot be written (") == 1
    assert ("database is locked" in err) == (trouble == "locked")
    assert "NOTE" not in err
    if trouble == "locked":
        assert invoke(*order, "--quiet", "--store", path) == (0, "", "")


def test_a_revision_that_could_not_be_written_is_no_vintage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = ("--store", tmp_path / "s")
    invoke("import", write(tmp_path / "A.csv", "2019-01-02,1,1,1,1,1,1"), *keep)
    monkeypatch.setattr("eventstudy.prices._database.TIMEOUT", 0.05)
    blocker = sqlite3.connect(tmp_path / "s" / "prices.sqlite")
    blocker.execute("BEGIN IMMEDIATE")
    code, out, err = invoke("import", write(tmp_path / "A.csv", "2019-01-02,1,1,1,1,1,2"), *keep)
    blocker.close()
    assert (code, out.split()[:5]) == (1, ["A", "not-kept", "2019-01-02", "2019-01-02", "1"])
    assert "vintage" not in err


def test_prices_that_are_there_need_no_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = (
        "import",
        write(tmp_path / "A.csv", "2019-01-02,1,1,1,1,1,1"),
        "--quiet",
        "--store",
        tmp_path / "s",
    )
    assert invoke(*order) == (0, "", "")
    monkeypatch.setattr("eventstudy.prices._database.TIMEOUT", 0.05)
    blocker = sqlite3.connect(tmp_path / "s" / "prices.sqlite")
    blocker.execute("BEGIN IMMEDIATE")
    assert invoke(*order) == (0, "", "")
    blocker.close()


def test_a_file_is_kept_to_the_last_value(tmp_path: Path) -> None:
    """Closes agree: what else the file changes is kept too, and the earlier values are a
    vintage."""
    keep = ("--store", tmp_path / "s")
    file = tmp_path / "A.csv"
    first = [
        "2019-01-02,9,11,8,10,9.5,100",
        "2019-01-03,9,11,8,10,9.5,200",
        "2019-01-04,9,11,8,10,9.5,300",
    ]
    assert invoke("import", write(file, *first), *keep)[0] == 0
    assert invoke("import", file, *keep)[1].split()[1] == "same"
    write(file, "2019-01-03,9,12,,10,9.5000001,250", first[2], "2019-01-07,9,11,8,10,9.5,400")
    code, out, err = invoke("import", file, *keep)
    assert (code, out.split()[1:5]) == (0, ["revision", "2019-01-02", "2019-01-07", "4"])
    assert "values changed on 1 day (2019-01-03)" in err
    rows = json.loads(invoke("show", "A", "--json", *keep)[1])["rows"]
    columns = ("high", "low", "adj_close", "volume")
    assert [[row[name] for name in columns] for row in rows] == [
        [11, 8, 9.5, 100], [12, 8, 9.5000001, 250], [11, 8, 9.5, 300], [11, 8, 9.5, 400],
    ]  # fmt: skip
    before = StoreProvider(tmp_path / "s").query("SELECT number, blob IS NULL FROM vintages")
    assert before == [(1, 0)]


def test_a_currency_that_comes_later_is_kept(tmp_path: Path) -> None:
    keep, header = ("--store", tmp_path / "s"), "date,close,currency"
    file = write(tmp_path / "A.csv", "2019-01-02,1,", "2019-01-03,2,", header=header)
    assert "currency unknown" in invoke("import", file, *keep)[1]
    write(file, "2019-01-02,1,GBp", "2019-01-03,2,GBp", header=header)
    code, out, err = invoke("import", file, *keep)
    assert (code, out.split()[1], out.split()[5]) == (0, "revision", "GBp")
    assert "currency GBp" in err
    write(file, "2019-01-03,2", "2019-01-04,3", header="date,close")
    assert invoke("import", file, *keep)[1].split()[1:6] == [
        "append",
        "2019-01-02",
        "2019-01-04",
        "3",
        "GBp",
    ]


@pytest.mark.parametrize(
    ("rows", "code", "kept"),
    [
        (["2019-01-02,1,1,1,1,1,1", "2019-01-02,2,2,2,2,2,1"], 1, False),
        (["2019-01-02,1,1,1,1,1,1", "2019-01-02,1,1,1,1,1,2"], 1, False),
        (["2019-01-02,1,1,1,1,1,1", "2019-01-02,1,1,1,1,1,1"], 0, True),
        (["2019-01-02,0,0,0,1,1,-1"], 0, True),
        (["2019-01-02,1,1,1,1,1," + "9" * 400], 0, True),
        (["2019-01-03,1,1,1,1,1,1", "2019-01-02,1,1,1,1,1,1"], 0, True),
    ],
)
def test_rows_that_contradict_each_other_are_not_kept(
    rows: list[str], code: int, kept: bool, tmp_path: Path
) -> None:
    """Numbers that can be no price are missing, which a note says; of two that can, one would be
    lost."""
    write(tmp_path / "files" / "A.csv", *rows, "2019-01-04,1,1,1,1,1,1")
    write(tmp_path / "files" / "B.csv", "2019-01-02,1,1,1,1,1,1")
    got, out, err = invoke("import", tmp_path / "files", "--json", "--store", tmp_path / "s")
    assert (got, [row["kept"] for row in json.loads(out)]) == (code, [kept, True])
    assert len(json.loads(out)[0]["notes"]) > 1 == len(json.loads(out)[1]["notes"])
    assert ("A: not kept as given: rows of one date differ in the file (2019-01-02)" in err) == (
        not kept
    )


def test_earlier_prices_that_left_the_cache_are_said(tmp_path: Path) -> None:
    keep, file = ("--store", tmp_path / "s"), tmp_path / "A.csv"
    invoke("import", write(file, "2019-01-02,1,1,1,1,1,1", "2019-01-03,2,2,2,2,2,1"), *keep)
    code, out, err = invoke("import", write(file, "2019-01-02,5,5,5,5,5,1"), *keep)
    assert (code, out.split()[2:5]) == (0, ["2019-01-02", "2019-01-02", "1"])
    assert "the earlier prices, 2019-01-02 to 2019-01-03, are a vintage" in err
    assert "are kept\n" not in err
    invoke("import", write(file, "2019-01-02,5,5,5,5,5,1", "2019-01-03,2,2,2,2,2,1"), *keep)
    code, out, err = invoke("import", write(file, "2019-01-02,5,5,5,5,5,1"), *keep)
    assert (code, out.split()[2:5]) == (0, ["2019-01-02", "2019-01-03", "2"])
    assert "the file ends on 2019-01-02, and the stored prices until 2019-01-03 are kept" in err


def test_symbols_without_prices_are_in_the_answer(yahoo: Yahoo, tmp_path: Path) -> None:  # noqa: F811
    code, out, err = invoke("fetch", "AAPL", "NOPE", "--json", *SPAN, "--store", tmp_path / "s")
    assert (code, states(out)) == (3, {"AAPL": "new", "NOPE": "failed!"})
    assert "NOPE: Yahoo does not know the symbol" in err
    write(tmp_path / "files" / "A.csv", "2019-01-02,1,1,1,1,1,1")
    write(tmp_path / "files" / "B.csv", "2019-01-02,1,1,1,x,1,1")
    code, out, err = invoke("import", tmp_path / "files", "--json", "--store", tmp_path / "s")
    assert (code, states(out)) == (3, {"A": "new", "B": "failed!"})
    assert "B.csv:2: close: not a number" in err


def prices_of(store: StoreProvider, **changes: object) -> list[tuple[str, bool]]:
    prices = made("AAA", "BBB")
    store.add(prices)
    table = prices.table.copy()
    for column, value in changes.items():
        table.loc[0, column] = value
    asked = Prices(table, {}, prices.provenance)
    return [
        (row.unkept, bool(row.remedy)) for row in PriceCache(store.path).read_back(asked, Stored())
    ]


def test_what_the_cache_has_instead_is_found(tmp_path: Path) -> None:
    """As after a fault of the disk, or another program that wrote in between."""
    store = StoreProvider(tmp_path / "prices.sqlite")
    assert prices_of(store) == [("", False), ("", False)]
    other = "the price cache has other values on 1 day (2019-01-02)"
    assert prices_of(store, close=5.0) == [(other, True), ("", False)]
    assert prices_of(store, volume=5.0) == [(other, True), ("", False)]
    assert prices_of(store, close=float("nan")) == [("", False), ("", False)]
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute("UPDATE prices SET sha256 = 'x' WHERE symbol = 'AAA'")
        connection.execute("DELETE FROM prices WHERE symbol = 'BBB'")
    connection.close()
    answers = PriceCache(store.path).read_back(made("AAA", "BBB"), Stored())
    assert [row.unkept for row in answers] == [
        "the stored prices are damaged",
        "not in the price cache",
    ]


def test_days_unlike() -> None:
    held = pd.DataFrame({"date": pd.to_datetime(["2019-01-02", "2019-01-04"]), "close": [1.0, 2.0]})
    held = held.assign(**dict.fromkeys(["open", "high", "low", "adj_close", "volume"], np.nan))
    days = ["2019-01-04", "2019-01-02", "2019-01-03", "2019-01-05"]
    given = pd.DataFrame({"date": pd.to_datetime(days), "close": [2.0, 1.5, 1.0, np.nan]})
    assert days_unlike(given, held) == ["2019-01-02", "2019-01-03"]
    assert days_unlike(given, held, 0.4) == ["2019-01-03"]
    assert days_unlike(given.assign(volume=[np.nan, np.nan, np.nan, 0]), held)[-1] == "2019-01-05"
    assert days_unlike(given.assign(close=[2.0, -1.0, np.inf, 0.0]), held) == []
