"""Price files as people have them: each comes in with its numbers, or is refused by what it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED

from eventstudy.errors import PriceError
from eventstudy.files import DateOrder
from eventstudy.prices import Prices
from eventstudy.prices.files import FilesProvider, FrameProvider

FIRST, LAST = date(1900, 1, 1), date(2100, 1, 1)
REAL = SHARED / "market-data" / "doors" / "files"

# Of each real file: ticker, rows, and date, close or adjusted close, and volume of its first and
# last day, read off the file by eye.
KINDS = {
    "coingecko": ("coingecko", 59, "2015-08-06 2.83162 90622", "2015-10-04 0.6282550742429386 -"),
    "date_close_volume": (
        "date_close_volume", 59, "2000-01-04 33.649898529052734 200662336736", "2000-03-24 - -",
    ),
    "day_first": ("day_first", 59, "2016-01-04 30.183439 8369499", "2016-03-24 30.343128 6160784"),
    "interactive_brokers": ("interactive_brokers", 59, "2015-04-09 29.9 12972", "2015-07-01 - -"),
    "investing_com_french": (
        "investing_com_french", 59, "2020-03-09 19.66 4590000", "2020-06-02 21.69 3040000",
    ),
    "moex_iss": ("moex_iss", 59, "2013-03-25 98.79 593680", "2013-06-18 96.36 9357570"),
    "month_first_adjusted_only": (
        "month_first_adjusted_only", 59, "2018-09-17 53361.25 nan", "2018-12-07 40675.22266 nan",
    ),
    "tushare": ("600498.SS", 59, "2022-12-19 13.33 41311.16", "2023-03-17 17.28 171914"),
    "yf_download_many": ("NVDA", 67, "2014-01-02 3.741051 1000000", "2014-04-08 - -"),
    "yf_download_many_unnamed_levels": ("^GSPC", 67, "2014-01-02 1831.98 1000000", "2014-04-08 - -"),
    "yf_download_one_ticker": (
        "HALKB.IS", 57, "2021-08-05 4.690000057220459 32963101", "2021-10-25 - 47916088",
    ),
    "yf_history_with_offset": (
        "yf_history_with_offset", 59, "2020-01-02 46.73477554321289 14629077", "2020-03-26 - -",
    ),
}  # fmt: skip


def read(path: Path, symbol: str) -> tuple[pd.DataFrame, str]:
    prices = FilesProvider(path).fetch([symbol], FIRST, LAST)
    for error in prices.failures.values():
        raise error
    return prices.table, prices.provenance[symbol].note


def assert_is(row: pd.Series, text: str) -> None:  # type: ignore[type-arg]
    """Compare a row with date, price and volume; a dash is not compared."""
    day, price, volume = text.split()
    close = row["adj_close"] if np.isfinite(row["adj_close"]) else row["close"]
    assert str(row["date"].date()) == day
    for given, wanted in ((close, price), (row["volume"], volume)):
        assert wanted == "-" or given == pytest.approx(float(wanted), rel=1e-15, nan_ok=True)


@pytest.mark.skipif(not REAL.exists(), reason="the real files are not part of the project")
@pytest.mark.parametrize("kind", KINDS)
def test_a_real_file(kind: str, tmp_path: Path) -> None:
    symbol, n, first, last = KINDS[kind]
    path = REAL / f"{kind}.csv"
    rows, note = read(path, symbol)
    assert len(rows) == n
    assert_is(rows.iloc[0], first)
    assert_is(rows.iloc[-1], last)
    folder = tmp_path / "prices"
    folder.mkdir()
    shutil.copy(path, folder / f"{symbol}.csv")
    again, same = read(folder, symbol)
    pd.testing.assert_frame_equal(again, rows, check_exact=True)
    assert same == note
    changed = tmp_path / path.name
    text = pd.read_csv(path, header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    if "two lines" not in note:
        turned = text.iloc[:, ::-1]
        turned.to_csv(changed, header=False, index=False)
        pd.testing.assert_frame_equal(read(changed, symbol)[0], rows, check_exact=True)
    text.assign(more=["remark", *["odd, text"] * (len(text) - 1)]).to_csv(
        changed, header=False, index=False
    )
    if "two lines" not in note:
        pd.testing.assert_frame_equal(read(changed, symbol)[0], rows, check_exact=True)
    text.iloc[:, :-1].to_csv(changed, header=False, index=False)
    if "adjusted_only" not in kind:
        fewer = read(changed, symbol)[0]
        pd.testing.assert_series_equal(fewer["close"], rows["close"], check_exact=True)


@pytest.mark.skipif(not REAL.exists(), reason="the real files are not part of the project")
def test_minutes_are_named() -> None:
    with pytest.raises(Exception, match="390 rows a day: intraday bars; keep the last of each day"):
        read(REAL / "minutes.csv", "minutes")


DAYS = pd.bdate_range("2021-01-04", periods=300)
CLOSE = np.round(50 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.01, 300))), 2)
ISO = [str(day.date()) for day in DAYS]


def made(header: str, row: Callable[[pd.Timestamp, float], str], n: int = 300) -> str:
    lines = [row(day, close) for day, close in zip(DAYS[:n], CLOSE[:n], strict=True)]
    return "\n".join([header, *lines]) + "\n"


def comma(number: float) -> str:
    return f"{number:.2f}".replace(".", ",")


# Made up in the layout of programs; all hold DAYS and CLOSE.
LAYOUTS = {
    "price": made("date,price", lambda d, c: f"{d:%Y-%m-%d},{c}"),
    "last": made("Date,Last", lambda d, c: f"{d:%Y-%m-%d},{c}"),
    "prc": made("date,prc", lambda d, c: f"{d:%Y%m%d},{-c}"),
    "px_last": made("Dates,PX_LAST,PX_VOLUME".replace("Dates", "Date"), lambda d, c: f"{d:%m/%d/%Y},{c},5"),
    "close before last": made("last,date,close", lambda d, c: f"1,{d:%Y-%m-%d},{c}"),
    "Google Finance": made("Date,Close", lambda d, c: f"{d:%m/%d/%Y} 16:00:00,{c}"),
    "Google Finance, day first": made("Date,Close", lambda d, c: f"{d:%d/%m/%Y} 16:35:00,{c}"),
    "Nasdaq": made("Date,Close/Last,Volume,Open", lambda d, c: f"{d:%m/%d/%Y},${c},77,$1.5"),
    "Refinitiv": made("Instrument,Date,Price Close,Volume", lambda d, c: f"AAA,{d:%Y-%m-%d}T00:00:00Z,{c},5"),
    "German": made("Datum;Zuletzt;Hoch;Vol.", lambda d, c: f"{d:%d.%m.%Y};{comma(c)};1.234,5;1,5K"),
    "thousands": made('Date,Price,Open', lambda d, c: f'"{d:%b %d, %Y}",{c},"1,234.56"'),
    "month named": made("date,close", lambda d, c: f"{d:%d-%b-%Y},{c}"),
    "year first": made("date,close", lambda d, c: f"{d:%Y/%m/%d},{c}"),
    "index without a name": made(",close", lambda d, c: f"{d:%Y-%m-%d},{c}"),
    "two headers": "Price,Close,Volume\nTicker,AAA,AAA\nDate,,\n"
    + made("", lambda d, c: f"{d:%Y-%m-%d},{c},5").lstrip("\n"),
    "two headers, tickers first": "Ticker,AAA,AAA\nPrice,Close,Volume\nDate,,\n"
    + made("", lambda d, c: f"{d:%Y-%m-%d},{c},5").lstrip("\n"),
    "two headers, no name of the index": ",Close,Volume\n,AAA,AAA\n"
    + made("", lambda d, c: f"{d:%Y-%m-%d},{c},5").lstrip("\n"),
    "names joined": made("Date,Close_AAA,Volume_AAA", lambda d, c: f"{d:%Y-%m-%d},{c},5"),
    "names joined, ticker first": made("Date,AAA_Close,AAA_Volume", lambda d, c: f"{d:%Y-%m-%d},{c},5"),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "AAA.csv"
    path.write_text(LAYOUTS[layout], encoding="utf-8")
    for door in (path, tmp_path):
        rows, _ = read(door, "AAA")
        assert [str(day.date()) for day in rows["date"]] == ISO
        assert rows["close"].tolist() == CLOSE.tolist()
    few = tmp_path / "few.csv"
    few.write_text("".join(LAYOUTS[layout].splitlines(keepends=True)[:13]), encoding="utf-8")
    symbols = FilesProvider(few).symbols() if "/%m/" not in layout else ()
    for symbol in symbols:
        assert read(few, symbol)[0]["close"].tolist()[:10] == CLOSE[:10].tolist()
    cells = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
    if "header" not in layout and "joined" not in layout:
        frame = FrameProvider(cells.assign(symbol="AAA").rename(columns={"Unnamed: 0": ""}))
        assert frame.fetch(["AAA"], FIRST, LAST).table["close"].tolist() == CLOSE.tolist()


@pytest.mark.parametrize(
    ("cells", "closes"),
    [
        (["991", "1.005", "", "-", "999"], [991.0, 1005.0, np.nan, np.nan, 999.0]),
        (["999.991", "1.000.005", "1.000.011"], [999_991.0, 1_000_005.0, 1_000_011.0]),
        (["12", "12.125", "12.5"], [12.0, 12.125, 12.5]),
        (["0.998", "1", "1.005"], [0.998, 1.0, 1.005]),
        (["1.005", "-", "1.010"], [1.005, np.nan, 1.01]),
    ],
)
def test_points_that_part_thousands(cells: list[str], closes: list[float], tmp_path: Path) -> None:
    lines = [f"{day:%Y-%m-%d};{cell};1.5" for day, cell in zip(DAYS, cells, strict=False)]
    (tmp_path / "AAA.csv").write_text("\n".join(["date;close;open", *lines, ""]))
    rows, note = read(tmp_path, "AAA")
    np.testing.assert_array_equal(rows["close"], closes)
    assert rows["open"].tolist() == [1.5] * len(cells)
    assert ("points in numbers read as separators of thousands" in note) == (max(closes[:2]) > 99)


@pytest.mark.parametrize(
    ("layout", "ends", "is_cut"),
    [
        ("price", "47.12", False),
        ("price", "47.", True),
        ("price", "", True),
        ("price", "47\n", False),
        ("German", "1,5K", False),
        ("German", "1", True),
    ],
)
def test_a_file_that_ends_within_its_last_number(
    layout: str, ends: str, *, is_cut: bool, tmp_path: Path
) -> None:
    lines = LAYOUTS[layout].rstrip("\n")
    mark = ";" if ";" in lines else ","
    (tmp_path / "AAA.csv").write_text(f"{lines.rpartition(mark)[0]}{mark}{ends}")
    if not is_cut:
        assert len(read(tmp_path, "AAA")[0]) == len(DAYS)
        return
    with pytest.raises(Exception, match=r"AAA.csv:301: .* the file seems cut off"):
        read(tmp_path, "AAA")


def test_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "AAA.xlsx"
    book = pd.DataFrame({"Date": DAYS, "Last Price": CLOSE, "Volume": 5})
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame().to_excel(writer, sheet_name="empty", index=False)
        book.to_excel(writer, sheet_name="prices", index=False, startrow=2)
    for door in (path, tmp_path):
        rows, note = read(door, "AAA")
        assert [str(day.date()) for day in rows["date"]] == ISO
        assert rows["close"].tolist() == CLOSE.tolist()
        assert "'Last Price' as close" in note
    levels = pd.MultiIndex.from_product([["Close", "Volume"], ["AAA", "BBB"]])
    wide = pd.DataFrame(np.c_[CLOSE, CLOSE, CLOSE, CLOSE], DAYS, levels)
    both = tmp_path / "both.xlsx"
    wide.to_excel(both)
    assert read(both, "BBB")[0]["close"].tolist() == CLOSE.tolist()
    both.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(Exception, match="cannot be read as Excel"):
        read(both, "AAA")


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        (pd.date_range("2021-01-04", periods=80, freq="h"), "24 rows a day: intraday bars"),
        (pd.date_range("2021-01-04", periods=80, freq="12h"), "2 rows a day: intraday bars"),
        (pd.date_range("2021-01-08", periods=60, freq="W-FRI"), "one price in 5 sessions: weekly"),
        (pd.date_range("2015-01-31", periods=60, freq="BME"), "one price in 21 sessions: monthly"),
        (pd.date_range("2011-01-31", periods=20, freq="QE"), "one price in 63 sessions: quarterly"),
    ],
)
def test_prices_that_are_not_daily_are_named(
    dates: pd.DatetimeIndex, words: str, tmp_path: Path
) -> None:
    table = pd.DataFrame({"date": dates, "close": CLOSE[: len(dates)]})
    table.to_csv(tmp_path / "AAA.csv", index=False)
    with pytest.raises(Exception, match=words):
        read(tmp_path, "AAA")
    answer: Prices = FrameProvider(table.assign(symbol="AAA")).fetch(["AAA"], FIRST, LAST)
    assert words in str(answer.failures["AAA"])


def test_a_share_that_trades_rarely_is_no_weekly_one(tmp_path: Path) -> None:
    at = np.sort(np.random.default_rng(1).choice(len(DAYS), 60, replace=False))
    pd.DataFrame({"date": DAYS[at], "close": CLOSE[at]}).to_csv(tmp_path / "AAA.csv", index=False)
    assert len(read(tmp_path, "AAA")[0]) == 60


def test_a_column_for_each_ticker_may_be_of_lowes_and_opendoor() -> None:
    wide = pd.DataFrame({"LOW": CLOSE, "OPEN": CLOSE + 1}, DAYS)
    prices = FrameProvider(wide).fetch(["LOW", "OPEN"], FIRST, LAST)
    assert prices.symbols == ("LOW", "OPEN")


def test_which_number_is_the_day() -> None:
    assert DateOrder.of(["04/01/2016", "2016-10-31", "31/10/2016 16:00"]).first == "day"
    assert DateOrder.of(["1.2.2016", "1.31.2016"]).first == "month"
    assert (
        DateOrder.of(["31/10/2016", "10/31/2016"]).first == DateOrder.of(["4/1/2016"]).first == ""
    )
    assert DateOrder.of(["28.07.2022", "07/08/2022"]).first == "", "dots say nothing of slashes"
    assert DateOrder.of(["28.07.2022", "28/07/2022", "07/08/2022"]).first == "day"
    assert DateOrder("month").iso("1/2/2016 16:00:00") == "2016-01-02 16:00:00"
    assert (
        DateOrder("").iso("2016.1.2")
        == DateOrder("").iso("2 January 2016")
        == DateOrder("").iso("Jan 2, 2016")
        == "2016-01-02"
    )
    for text in ("2016-01-02", "20160102", "1/2/16", "2 Foo 2016", "1/2-2016", "soon"):
        assert DateOrder("day").iso(text) == text


@pytest.mark.slow
def test_two_hundred_thousand_rows(tmp_path: Path) -> None:
    days = pd.bdate_range("2000-01-03", periods=2000)
    names = [f"T{k:03d}" for k in range(100)]
    table = pd.DataFrame(
        {
            "Ticker": np.repeat(names, len(days)),
            "Date": np.tile(days.strftime("%d/%m/%Y").to_numpy(), len(names)),
            "Last": np.arange(1, len(days) * len(names) + 1) / 4,
        }
    )
    table["Last"] = table["Last"].astype(str).str.replace(".", ",")
    table.to_csv(tmp_path / "all.csv", index=False)
    prices = FilesProvider(tmp_path / "all.csv").fetch(names, FIRST, LAST)
    assert not prices.failures
    assert len(prices.table) == 200_000
    assert prices.table["close"].tolist() == (np.arange(1, 200_001) / 4).tolist()
    assert prices.table["date"].iloc[:2000].tolist() == days.tolist()


DAILY = pd.DataFrame({"AAA": CLOSE, "BBB": CLOSE + 1}, pd.Index(DAYS, name="Date"))
YAHOO = pd.concat({"Close": DAILY, "High": DAILY + 2}, axis=1, names=["Price", "Ticker"])
STACKED = DAILY.rename_axis(columns="symbol").stack()
FRAMES = {
    "series by date and symbol": STACKED,
    "series without names": STACKED.rename_axis([None, None]),
    "frame by levels without names": STACKED.rename_axis([None, None]).to_frame("Adj Close"),
    "frame by symbol and date": STACKED.to_frame("Adj Close").swaplevel(),
    "mapping of series": dict(DAILY.items()),
    "mapping of frames": {name: DAILY[[name]].set_axis(["Adj Close"], axis=1) for name in DAILY},
    "Sharadar": STACKED.rename_axis(["date", "ticker"])
    .rename("closeadj")
    .reset_index()
    .assign(close=lambda t: t["closeadj"] * 2),
    "mapping of two zones": {
        "AAA": DAILY["AAA"].tz_localize("America/New_York"),
        "BBB": DAILY["BBB"].tz_localize("Europe/London"),
    },
    "yfinance": YAHOO,
    "yfinance by ticker": YAHOO.swaplevel(axis=1).sort_index(axis=1),
    "yfinance, dates as a column": YAHOO.reset_index(),
    "yfinance, ticker by ticker": {name: YAHOO.xs(name, axis=1, level=1) for name in DAILY},
}


@pytest.mark.parametrize("shape", list(FRAMES))
def test_tables_in_memory(shape: str) -> None:
    prices = FrameProvider(FRAMES[shape]).fetch(["AAA", "BBB", "CCC"], FIRST, LAST)
    for name, rows in prices.by_symbol().items():
        assert rows["date"].tolist() == list(DAYS)
        assert rows["adj_close"].tolist() == DAILY[name].tolist()
        is_yahoo = shape.startswith("yfinance")
        assert ("closes taken as adjusted" in prices.provenance[name].note) == is_yahoo
    assert prices.symbols == ("AAA", "BBB")
    assert str(prices.failures["CCC"]) == "CCC: no CCC in frame (2 tickers)"


def test_the_file_of_a_download_has_its_closes_adjusted(tmp_path: Path) -> None:
    YAHOO.to_csv(tmp_path / "p.csv")
    YAHOO.to_parquet(tmp_path / "p.parquet")
    for path in (tmp_path / "p.csv", tmp_path / "p.parquet"):
        rows, note = read(path, "BBB")
        assert rows["adj_close"].tolist() == DAILY["BBB"].tolist()
        assert "closes taken as adjusted" in note
    nameless = YAHOO.rename_axis(columns=[None, None])
    raw = pd.concat([YAHOO, pd.concat({"Adj Close": DAILY / 2}, axis=1)], axis=1)
    for frame, adjusted in ((nameless, False), (raw, True)):
        prices = FrameProvider(frame).fetch(["AAA"], FIRST, LAST)
        assert prices.table["close"].tolist() == DAILY["AAA"].tolist()
        assert prices.table["adj_close"].notna().all() == adjusted
        assert "taken as adjusted" not in prices.provenance["AAA"].note


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        (YAHOO[["High"]], "no close or adj_close column"),
        (DAILY.to_numpy(), "not prices, got 'ndarray'; give a DataFrame"),
        ({"AAA": CLOSE}, "not prices, got 'ndarray'; give a DataFrame"),
        ({"AAA": DAILY}, "frame:1: no close or adj_close column, got 'date, AAA, BBB'"),
        (DAILY["AAA"].rename("close"), "prices of one ticker without its name; add"),
    ],
)
def test_what_is_no_table_of_prices_is_refused(prices: object, words: str) -> None:
    with pytest.raises(Exception, match=words):
        raise FrameProvider(prices).fetch(["AAA"], FIRST, LAST).failures["AAA"]


@pytest.mark.parametrize("times", [1, 100])
def test_returns_are_no_prices(times: int, tmp_path: Path) -> None:
    returns = times * DAILY.sample(frac=1, random_state=1).set_axis(DAYS).pct_change().dropna()
    returns.rename_axis("date").to_csv(tmp_path / "r.csv")
    with pytest.raises(
        Exception, match=r"of AAA are below zero.*: these are returns; give the file"
    ):
        read(tmp_path / "r.csv", "AAA")


@pytest.mark.parametrize("times", [1, 100])
@pytest.mark.parametrize("seed", range(5))
def test_cumulative_returns_are_no_prices(times: int, seed: int, tmp_path: Path) -> None:
    draws = np.random.default_rng(seed).normal(0.0005, 0.01, 500)
    days = pd.bdate_range("2020-01-01", periods=500, name="date")
    growth = np.exp(np.cumsum(draws)) / np.exp(draws[0])
    for wrong in (times * (growth - 1), times * np.cumsum(draws)):
        pd.DataFrame({"AAA": wrong}, days).to_csv(tmp_path / "c.csv")
        with pytest.raises(PriceError, match="these are cumulative returns"):
            read(tmp_path / "c.csv", "AAA")
    pd.DataFrame({"AAA": 100 * growth}, days).to_csv(tmp_path / "c.csv")
    assert len(read(tmp_path / "c.csv", "AAA")[0]) == 500


def test_prices_that_fall_below_zero_are_prices() -> None:
    closes = np.where(np.arange(len(DAYS)) % 20 == 3, -37.63, CLOSE)
    prices = FrameProvider(pd.DataFrame({"CL=F": closes}, DAYS)).fetch(["CL=F"], FIRST, LAST)
    assert not prices.failures


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="needs the recorded market data")
def test_no_recorded_series_is_taken_for_returns() -> None:
    folders = [SHARED / "market-data" / name for name in ("prices", "doors/prices")]
    for folder in folders:
        provider = FilesProvider(folder)
        failures = provider.fetch(provider.symbols(), FIRST, LAST).failures
        assert not [f for f in failures.values() if "returns" in str(f)]


@pytest.mark.parametrize("columns", ["Open,High,Low", "Volume", "Ouv.,Plus Haut,Plus Bas"])
def test_prices_without_closes_are_no_table_of_tickers(columns: str, tmp_path: Path) -> None:
    cells = ",".join("9" for _ in columns.split(","))
    (tmp_path / "AAA.csv").write_text(f"Date,{columns}\n2021-01-04,{cells}\n", encoding="utf-8")
    with pytest.raises(Exception, match="no close or adj_close column, got 'Date, "):
        read(tmp_path / "AAA.csv", "AAA")
