"""Prices from the user's files, good and malformed."""

from __future__ import annotations

import contextlib
import gzip
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy.errors import ConfigError, DataError, EventStudyError
from eventstudy.prices.files import FilesProvider

FIRST, LAST = date(2016, 1, 1), date(2023, 12, 31)
REAL = Path(__file__).parents[2] / "shared" / "market-data" / "prices"

GOOD = """date,open,high,low,close,adj_close,volume
2019-01-02,10,11,9,10.5,5.25,1000
2019-01-03,10.5,12,10,11,5.5,2000
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def one(folder: Path, text: str, name: str = "AAA.csv") -> pd.DataFrame:
    write(folder, name, text)
    prices = FilesProvider(folder).fetch(["AAA"], FIRST, LAST)
    for error in prices.failures.values():
        raise error
    return prices.table


def message(folder: Path, text: str | bytes, name: str = "AAA.csv") -> tuple[str, str]:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    error = FilesProvider(folder).fetch(["AAA"], FIRST, LAST).failures["AAA"]
    return error.kind, str(error)


def test_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "^GSPC.csv", GOOD)
    (tmp_path / "0763.HK.csv.gz").write_bytes(gzip.compress(GOOD.encode()))
    pd.read_csv(write(tmp_path, "x.csv", GOOD)).to_parquet(tmp_path / "RUAL.ME.parquet")
    write(tmp_path, "notes.txt", "not prices")
    provider = FilesProvider(tmp_path)
    assert provider.symbols() == ("0763.HK", "RUAL.ME", "^GSPC", "x")
    prices = provider.fetch(["^GSPC", "0763.HK", "RUAL.ME"], FIRST, LAST)
    assert not prices.failures
    assert prices.provenance["^GSPC"].detail == "^GSPC.csv"
    assert str(tmp_path) not in repr(prices.provenance)
    for rows in prices.by_symbol().values():
        assert rows["adj_close"].tolist() == [5.25, 5.5]
        assert rows["volume"].tolist() == [1000, 2000]
        assert rows["date"].dt.strftime("%Y-%m-%d").tolist() == ["2019-01-02", "2019-01-03"]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("adj_close", "Adj Close").replace("date", "Date").replace("close,", "Close,"),
        "\ufeff" + GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("-", ""),
        GOOD.replace("\n2019", "\n\n2019"),
        GOOD.replace("2019-01-02", "2019-01-02 00:00:00-05:00"),
        GOOD.replace("open", "Dividends"),
    ],
    ids=[
        "Yahoo names",
        "BOM",
        "semicolons",
        "tabs",
        "CRLF",
        "YYYYMMDD",
        "blank lines",
        "times",
        "other column",
    ],
)
def test_ways_to_write_the_same(tmp_path: Path, text: str) -> None:
    rows = one(tmp_path, text)
    assert rows["adj_close"].tolist() == [5.25, 5.5]
    assert rows["date"].tolist() == [pd.Timestamp(2019, 1, 2), pd.Timestamp(2019, 1, 3)]


def test_missing_values(tmp_path: Path) -> None:
    text = "date,close,adj_close\n2019-01-02,1.5,\n2019-01-03,NA,\n2019-01-04,-,\n2019-01-07,2,\n"
    rows = one(tmp_path, text)
    assert rows["adj_close"].isna().all()
    assert rows["close"].isna().tolist() == [False, True, True, False]
    assert rows[["open", "volume"]].isna().all(axis=None)


def test_impossible_prices_are_blanked_and_noted(tmp_path: Path) -> None:
    text = "date,close,volume\n2019-01-04,inf,5\n2019-01-02,0,5\n2019-01-03,-1,5\n2019-01-03,7,5\n"
    write(tmp_path, "AAA.csv", text)
    prices = FilesProvider(tmp_path).fetch(["AAA"], FIRST, LAST)
    assert prices.table["close"].isna().tolist() == [True, False, True]
    note = prices.provenance["AAA"].note
    for words in (
        "not in order",
        "1 row of a date that occurs again",
        "2019-01-03",
        "2 impossible values of close",
    ):
        assert words in note


@pytest.mark.parametrize("price", ["1e308", "1e-308"])
def test_a_price_that_overflows_is_blanked_and_noted(price: str, tmp_path: Path) -> None:
    write(tmp_path, "AAA.csv", f"date,close\n2019-01-02,7\n2019-01-03,{price}\n")
    prices = FilesProvider(tmp_path).fetch(["AAA"], FIRST, LAST)
    assert prices.table["close"].tolist() == [7.0]
    assert "1 impossible values of close" in prices.provenance["AAA"].note


def test_a_header_without_its_line_end_has_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", GOOD.partition("\n")[0])
    with pytest.raises(DataError) as caught:
        FilesProvider(path).fetch(["AAA"], FIRST, LAST)
    assert (caught.value.where, bool(caught.value.remedy)) == ("p.csv", True)


def test_a_blank_among_texts_of_prices(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    days = pd.bdate_range("2019-01-01", periods=3)
    table = pd.DataFrame({"date": days, "close": ["1,234.5", None, "99.5"]})
    table.to_parquet(tmp_path / "AAA.parquet")
    rows = FilesProvider(tmp_path).fetch(["AAA"], FIRST, LAST).table
    assert rows["close"].dropna().tolist() == [1234.5, 99.5]


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}])
@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("column", ["symbol", "date", "close", "volume"])
def test_nested_columns_are_refused(column: str, blank: int, cell: object, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    days = pd.bdate_range("2019-01-01", periods=4)
    table = pd.DataFrame({"symbol": "AAA", "date": days, "close": 10.5, "volume": 9.0})
    table[column] = [None] * blank + [cell] * (4 - blank)
    table.to_parquet(tmp_path / "p.parquet")
    with pytest.raises(EventStudyError) as caught:
        raise FilesProvider(tmp_path / "p.parquet").fetch(["AAA"], FIRST, LAST).failures["AAA"]
    assert column == "symbol" or f": {column}: not a" in str(caught.value)


def test_a_workbook_with_a_wrong_bit_is_read_or_refused(tmp_path: Path) -> None:
    days = pd.bdate_range("2019-01-01", periods=20)
    path = tmp_path / "AAA.xlsx"
    pd.DataFrame({"date": days, "close": 10.5}).to_excel(path, index=False)
    raw, refused = path.read_bytes(), 0
    for k in range(0, len(raw), 37):
        path.write_bytes(raw[:k] + bytes([raw[k] ^ 16]) + raw[k + 1 :])
        with contextlib.suppress(DataError):
            refused -= not FilesProvider(tmp_path).fetch(["AAA"], FIRST, LAST).failures
        refused += 1
    assert refused > 10


def test_dates_in_a_column_of_prices_are_no_numbers(tmp_path: Path) -> None:
    day = pd.Timestamp("2019-01-02")
    pd.DataFrame({"date": [day], "close": [day]}).to_parquet(tmp_path / "AAA.parquet")
    prices = FilesProvider(tmp_path).fetch(["AAA"], day.date(), day.date())
    assert "AAA.parquet:1: close: not a number" in str(prices.failures["AAA"])


def test_a_file_without_the_ticker_says_what_it_was_taken_for(tmp_path: Path) -> None:
    """A table of one series is named by its file, and of a workbook one sheet is read."""
    day = pd.Timestamp("2019-01-02")
    table = pd.DataFrame({"date": [day], "close": [1.0]})
    table.to_csv(tmp_path / "coin.csv", index=False)
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        table.to_excel(book, sheet_name="ETH", index=False)
        table.assign(volume=5.0).to_excel(book, sheet_name="BTC", index=False)
    for name, said in {
        "coin.csv": "is taken for coin by its name",
        "book.xlsx": "(ETH and BTC)",
    }.items():
        prices = FilesProvider(tmp_path / name).fetch(["ETH"], day.date(), day.date())
        message = str(prices.failures["ETH"])
        assert f"no ETH in {name} (1 ticker)" in message
        assert said in message


def test_sheets_of_one_kind_are_not_read_in_part(tmp_path: Path) -> None:
    days = pd.bdate_range("2021-01-01", "2022-12-31")
    table = pd.DataFrame({"ticker": "AAA", "date": days, "close": 1.0})
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        for year, rows in table.groupby(table["date"].dt.year):
            rows.to_excel(book, sheet_name=str(year), index=False)
    with pytest.raises(DataError, match="'2021' and '2022'"):
        FilesProvider(tmp_path / "book.xlsx").fetch(["AAA"], days[0].date(), days[-1].date())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "",
            "AAA.csv:1: the file is empty; the first line names the columns, among them date and close",
        ),
        ("day,close\n2019-01-02,1\n", "AAA.csv:1: no date column, got 'day, close'"),
        ("date,worth\n2019-01-02,1\n", "AAA.csv:1: no close or adj_close column"),
        ("date,volume\n2019-01-02,1\n", "no close or adj_close column, got 'date, volume'"),
        ("date,close,Close\n2019-01-02,1,1\n", "AAA.csv:1: column occurs twice, got 'close'"),
        (
            "date,close\n2019-01-02,1\n\n02/01/2019,1\n",
            (
                "AAA.csv:4: date: no date of the file shows whether the day or the month comes first, "
                "got '02/01/2019'; write 2019-01-02 or 2019-02-01"
            ),
        ),
        (
            "date,close\n13/01/2016,1\n01/14/2016,1\n",
            "AAA.csv: date: line 2 has the day first, line 3 the month first",
        ),
        (
            "date,close\n2019-02-30,1\n",
            "AAA.csv:2: date: not a date, got '2019-02-30'; write YYYY-MM-DD",
        ),
        ("date,close\n,1\n", "AAA.csv:2: date: not a date"),
        ("date,close\n0019-02-03,1\n", "AAA.csv:2: date: not a date"),
        (
            'date,close\n2019-01-02,1\n2019-01-03,"1,234"\n',
            "AAA.csv:3: close: not a number, got '1,234'",
        ),
        ("date;close\n2019-01-02;1,5x\n", "AAA.csv:2: close: not a number, got '1,5x'"),
        ("date,close\n2019-01-02,1,2\n", "AAA.csv:2: 3 cells where the header has 2"),
        ("date,close,currency\n2019-01-02,1,USD\n2019-01-03,1,CNY\n", "several currencies"),
        (
            "date,close\n2019-01-02,1\xe9\n".encode("latin-1"),
            "AAA.csv:2: the file is not UTF-8: unreadable byte, got '0xe9'",
        ),
        (b"date,close\n\x00", "AAA.csv:2: 1 cell where the header has 2"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path: Path, text: str | bytes, words: str) -> None:
    kind, said = message(tmp_path, text)
    assert kind == "bad_answer"
    assert words in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("AAA.csv.gz", b"no gzip", "cannot be read"),
        ("AAA.csv.gz", gzip.compress(GOOD.encode() * 99)[:-20], "cannot be read"),
        ("AAA.parquet", b"no parquet", "cannot be read as Parquet"),
    ],
    ids=["no gzip", "cut short", "no parquet"],
)
def test_a_broken_file(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    kind, said = message(tmp_path, content, name)
    assert kind == "bad_answer"
    assert said.startswith(f"{name}: {words}")


def test_nothing_in_the_range(tmp_path: Path) -> None:
    write(tmp_path, "AAA.csv", GOOD)
    write(tmp_path, "NAN.csv", "date,close\n2019-01-02,\n")
    write(tmp_path, "HEAD.csv", "date,close\n")
    failures = (
        FilesProvider(tmp_path).fetch(["AAA", "NAN", "HEAD"], date(2020, 1, 1), LAST).failures
    )
    assert {error.kind for error in failures.values()} == {"no_prices"}
    assert "prices are there from 2019-01-02 to 2019-01-03" in str(failures["AAA"])


def test_an_unknown_ticker(tmp_path: Path) -> None:
    write(tmp_path, "002415.SZ.csv", GOOD)
    error = FilesProvider(tmp_path).fetch(["002415.SS"], FIRST, LAST).failures["002415.SS"]
    assert error.kind == "unknown_symbol"
    assert "did you mean '002415.SZ'?" in str(error)


@pytest.mark.parametrize(
    "ticker", ["../secret", "..\\secret", "/secret", "sub/AAA", "C:AAA", "AAA\x00", ".", "..", ""]
)
def test_a_ticker_is_no_path(tmp_path: Path, ticker: str) -> None:
    write(tmp_path, "secret.csv", GOOD)
    folder = tmp_path / "prices"
    (folder / "sub").mkdir(parents=True)
    write(folder, "AAA.csv", GOOD)
    write(folder / "sub", "AAA.csv", GOOD)
    prices = FilesProvider(folder).fetch([ticker], FIRST, LAST)
    assert prices.failures[ticker].kind == "unknown_symbol"


def test_two_files_for_one_ticker(tmp_path: Path) -> None:
    write(tmp_path, "AAA.csv.gz", "")
    kind, said = message(tmp_path, GOOD)
    assert kind == "bad_answer"
    assert "AAA.csv, AAA.csv.gz" in said


LONG = (
    "ticker,date,close,currency\nBBB,2019-01-03,4,CNY\nAAA,2019-01-02,1,USD\nBBB,2019-01-02,3,CNY\n"
)
WIDE = "date,BRK-B,^GSPC\n2019-01-02,1,3\n2019-01-03,,4\n2019-01-04,2,5\n2019-01-07,,6\n"


@pytest.mark.parametrize("name", ["all.csv", "all.csv.gz", "all.parquet"])
def test_one_long_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = pd.read_csv(write(tmp_path, "source.csv", LONG))
    if name.endswith("parquet"):
        frame.assign(date=pd.to_datetime(frame["date"])).to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    provider = FilesProvider(path)
    prices = provider.fetch(["BBB", "AAA", "CCC"], FIRST, LAST)
    assert provider.symbols() == ("AAA", "BBB")
    assert prices.table["close"].tolist() == [1, 3, 4]
    assert prices.provenance["BBB"].currency == "CNY"
    assert prices.failures["CCC"].kind == "unknown_symbol"


def test_one_wide_table_holds_adjusted_closes(tmp_path: Path) -> None:
    """A ticker ends with its last price, as in a long table."""
    prices = FilesProvider(write(tmp_path, "wide.csv", WIDE)).fetch(["^GSPC", "BRK-B"], FIRST, LAST)
    parts = prices.by_symbol()
    assert parts["^GSPC"]["adj_close"].tolist() == [3, 4, 5, 6]
    assert parts["BRK-B"]["adj_close"].isna().tolist() == [False, True, False]
    assert prices.provenance["BRK-B"].last == "2019-01-04"
    assert parts["BRK-B"]["close"].isna().all()


def test_a_parquet_table_indexed_by_date(tmp_path: Path) -> None:
    index = pd.DatetimeIndex(["2019-01-02", "2019-01-03"], tz="Asia/Shanghai", name="Date")
    pd.DataFrame({"AAA": [1.0, 2.0]}, index=index).to_parquet(tmp_path / "wide.parquet")
    rows = FilesProvider(tmp_path / "wide.parquet").fetch(["AAA"], FIRST, LAST).table
    assert rows["date"].tolist() == [pd.Timestamp(2019, 1, 2), pd.Timestamp(2019, 1, 3)]


def test_a_file_of_one_ticker(tmp_path: Path) -> None:
    prices = FilesProvider(write(tmp_path, "AAA.csv", GOOD)).fetch(["AAA", "BBB"], FIRST, LAST)
    assert prices.symbols == ("AAA",)


def test_a_fault_of_one_ticker_in_a_long_table(tmp_path: Path) -> None:
    path = write(tmp_path, "all.csv", LONG.replace(",1,", ",one,"))
    prices = FilesProvider(path).fetch(["AAA", "BBB"], FIRST, LAST)
    assert prices.symbols == ("BBB",)
    assert str(prices.failures["AAA"]).startswith("all.csv:3: close: not a number, got 'one'")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LONG.replace("date", "day"), "all.csv:1: no date column"),
        (
            LONG.replace("close", "worth"),
            "no close or adj_close column, got 'symbol, date, worth, currency'",
        ),
        (LONG.replace("AAA", " "), "all.csv:3: symbol: no ticker"),
        ("date\n2019-01-02\n", "all.csv:1: no price column"),
    ],
)
def test_a_fault_of_the_whole_table(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        FilesProvider(write(tmp_path, "all.csv", text)).fetch(["AAA"], FIRST, LAST)


@pytest.mark.parametrize("name", ["all.csv", "all.parquet"])
def test_a_file_without_rows_says_so(tmp_path: Path, name: str) -> None:
    for header in ("date,symbol,close", "date,AAA", "date,close"):
        empty = pd.read_csv(write(tmp_path, "h.csv", f"{header}\n"))
        if name.endswith(".csv"):
            empty.to_csv(tmp_path / name, index=False)
        else:
            empty.to_parquet(tmp_path / name, index=False)
        with pytest.raises(DataError, match=f"{name}: the file has no rows below its header"):
            FilesProvider(tmp_path / name).fetch(["AAA"], FIRST, LAST)
    assert "AAA.csv: the file has no rows" in message(tmp_path, "date,close\n")[1]


def test_a_path_that_is_no_price_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        FilesProvider(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="unknown kind of price file"):
        FilesProvider(write(tmp_path, "prices.xls", ""))


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "AAA.parquet").write_bytes(b"")
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install .*pyarrow$"):
        FilesProvider(tmp_path).fetch(["AAA"], FIRST, LAST)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real prices are not here")
def test_real_prices() -> None:
    provider = FilesProvider(REAL)
    prices = provider.fetch(provider.symbols(), FIRST, LAST)
    assert not prices.failures
    assert len(prices.symbols) == len(list(REAL.glob("*.csv")))
    parts = prices.by_symbol()
    assert parts["GAZP.ME"]["adj_close"].isna().all()
    assert parts["^HSI"]["close"].notna().all()
    assert parts["002415.SZ"].iloc[0][["close", "volume"]].tolist() == [12.0826, 14432817]


@pytest.mark.parametrize("ending", [".parquet", ".dta"])
def test_a_table_of_another_program_is_one_of_prices(tmp_path: Path, ending: str) -> None:
    table = pd.DataFrame(
        {"date": pd.to_datetime(["2019-01-02", "2019-01-03"]), "close": [1.0, 2.0]}
    )
    if ending == ".dta":
        table.to_stata(tmp_path / "AAA.dta", write_index=False)
    else:
        table.set_index("date").to_parquet(tmp_path / "AAA.parquet")
    prices = FilesProvider(tmp_path).fetch(["AAA"], date(2019, 1, 1), LAST)
    assert prices.table["close"].tolist() == [1.0, 2.0]


def yfinance_file(folder: Path, *, raw: bool, newest_first: bool = False) -> Path:
    """Write what yfinance writes: a dividend of 2 % each half year, closes adjusted or not."""
    rng = np.random.default_rng(11)
    n, total = 500, np.cumprod(1 + rng.normal(0, 0.01, 500))
    paid = np.zeros(n)
    close = 40 * total
    for day in (100, 220, 340, 460):
        paid[day] = 0.02 * close[day - 1]
        close[day:] *= 0.98
    adjusted = close.copy()
    for day in (100, 220, 340, 460):
        adjusted[:day] *= 0.98
    frame = pd.DataFrame({
        "Date": pd.bdate_range("2022-01-03", periods=n).strftime("%Y-%m-%d"),
        "Close": close if raw else adjusted, "Volume": 1000, "Dividends": paid, "Stock Splits": 0.0,
    })  # fmt: skip
    path = folder / f"{'RAW' if raw else 'ADJUSTED'}.csv"
    (frame[::-1] if newest_first else frame).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("raw", [False, True])
def test_dividends_beside_the_closes_say_whether_these_are_adjusted(
    tmp_path: Path, raw: bool, newest_first: bool
) -> None:
    """Either way the returns are those with dividends: by hand, total[t] / total[t-1] - 1."""
    path = yfinance_file(tmp_path, raw=raw, newest_first=newest_first)
    prices = FilesProvider(tmp_path).fetch([path.stem], date(2022, 1, 1), date(2024, 12, 31))
    rows = prices.table
    rng = np.random.default_rng(11)
    moves = rng.normal(0, 0.01, 500)[1:]
    found = rows["adj_close"].pct_change().to_numpy()[1:]
    np.testing.assert_allclose(found, moves, rtol=0, atol=1e-9)
    note = prices.provenance[path.stem].note
    assert note == ("dividends added to closes" if raw else "closes taken as adjusted")
