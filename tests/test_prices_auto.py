"""The common table, the names of the sources, and the order in which the default source asks
them."""

from __future__ import annotations

import hashlib
import math
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from yahoo_standin import Yahoo, proxy_env, synthetic

from eventstudy.errors import ConfigError, NetworkError, NoPricesError, UnknownSymbolError
from eventstudy.prices import (
    COLUMNS,
    SOURCES,
    AutoProvider,
    PriceProvider,
    Prices,
    Provenance,
    StoreProvider,
    YahooProvider,
    collect,
    resolve,
)
from eventstudy.prices._base import canonical_bytes, clean, matrix_of, stamp
from eventstudy.prices._prices import Answer
from eventstudy.prices.files import FilesProvider
from eventstudy.prices.sample import SampleProvider

ROOT = Path(__file__).parents[1]
FIRST, LAST = date(2019, 1, 1), date(2019, 12, 31)
Auto = Callable[..., AutoProvider]


@pytest.fixture
def auto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Auto:
    """Return a maker of the default source; without a stand-in nothing answers."""
    import yfinance

    yfinance.set_tz_cache_location(str(tmp_path / "yfinance"))
    for name, value in proxy_env(1).items():
        monkeypatch.setenv(name, value)

    def make(yahoo: Yahoo | None = None, *, offline: bool = False) -> AutoProvider:
        for name, value in (yahoo.env() if yahoo else proxy_env(1)).items():
            monkeypatch.setenv(name, value)
        online = YahooProvider(sleep=lambda seconds: None)
        store = StoreProvider(tmp_path / "prices.sqlite")
        return AutoProvider(store, online, SampleProvider(), offline=offline)

    return make


def test_what_was_downloaded_is_not_asked_again(auto: Auto) -> None:
    with Yahoo(synthetic("AAA"), synthetic("BBB")) as yahoo:
        first = auto(yahoo).fetch(["AAA"], FIRST, LAST)
        asked = len(yahoo.log)
        again = auto(yahoo).fetch(["AAA"], FIRST, LAST)
        assert len(yahoo.log) == asked
        both = auto(yahoo).fetch(["AAA", "BBB"], FIRST, LAST)
        assert not yahoo.charts("AAA")[asked:]
    pd.testing.assert_frame_equal(first.table, again.table)
    assert again.provenance == first.provenance
    assert both.symbols == ("AAA", "BBB")
    assert (first.notices, again.notices, both.notices) == ((), (), ())
    offline = auto(offline=True).fetch(["BBB"], FIRST, LAST)
    assert offline.provenance["BBB"] == both.provenance["BBB"]


def test_a_wider_range_is_downloaded_whole(auto: Auto, tmp_path: Path) -> None:
    with Yahoo(synthetic("AAA")) as yahoo:
        auto(yahoo).fetch(["AAA"], FIRST, LAST)
        later = auto(yahoo).fetch(["AAA"], date(2019, 6, 3), date(2020, 6, 30))
    assert (later.provenance["AAA"].first, later.provenance["AAA"].last) == (
        "2019-06-03",
        "2020-06-30",
    )
    asked = StoreProvider(tmp_path / "prices.sqlite").extents(["AAA"])["AAA"][:2]
    assert asked == (FIRST.isoformat(), "2020-06-30")


def test_without_a_network_the_sample_stands_in_loudly(auto: Auto) -> None:
    prices = auto().fetch(["AAPL", "^GSPC", "002415.SZ"], FIRST, LAST)
    assert prices.symbols == ("AAPL", "^GSPC")
    assert prices.provenance["AAPL"].source == "sample"
    assert prices.failures["002415.SZ"].kind == "network"
    assert "Yahoo cannot be reached and not in the bundled sample" in str(
        prices.failures["002415.SZ"]
    )
    assert any(
        "Yahoo cannot be reached: bundled sample used for 2 symbols" in n for n in prices.notices
    )


def test_the_sample_is_never_stored(auto: Auto, tmp_path: Path) -> None:
    auto().fetch(["AAPL"], FIRST, LAST)
    assert StoreProvider(tmp_path / "prices.sqlite").symbols() == ()


def test_offline_asks_nobody(auto: Auto) -> None:
    with Yahoo(synthetic("AAPL")) as yahoo:
        prices = auto(yahoo, offline=True).fetch(["AAPL", "TSLA"], FIRST, LAST)
        assert not yahoo.log
    assert prices.provenance["AAPL"].source == "sample"
    assert "--offline" in str(prices.failures["TSLA"])
    assert "--offline: bundled sample used for 1 symbol (AAPL)" in " ".join(prices.notices)


@pytest.mark.parametrize("offline", [False, True])
def test_nothing_at_all(auto: Auto, offline: bool) -> None:
    with pytest.raises(NetworkError, match="not in the bundled sample") as caught:
        auto(offline=offline).fetch(["TSLA", "002415.SZ"], FIRST, LAST)
    assert caught.value.exit_code == (1 if offline else 75), "no source was to be asked"
    with pytest.raises(NetworkError, match=r"2014-01-02 to 2022-12-28|none in the range"):
        auto(offline=offline).fetch(["AAPL"], date(2024, 1, 1), date(2024, 12, 31))


def test_the_sample_is_no_answer_to_yahoo_saying_no(auto: Auto) -> None:
    with Yahoo(synthetic("AAA")) as yahoo:
        prices = auto(yahoo).fetch(["AAPL", "AAA"], FIRST, LAST)
    assert prices.symbols == ("AAA",)
    assert prices.failures["AAPL"].kind == "unknown_symbol"
    assert not prices.notices


def test_a_store_that_cannot_be_written_is_a_notice(auto: Auto, tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("", encoding="utf-8")
    with Yahoo(synthetic("AAA")) as yahoo:
        auto(yahoo)
        store = StoreProvider(tmp_path / "in the way" / "prices.sqlite")
        prices = AutoProvider(store, YahooProvider(), SampleProvider()).fetch(["AAA"], FIRST, LAST)
    assert prices.symbols == ("AAA",)
    assert "cannot be written" in " ".join(prices.notices)


def test_the_names_of_the_sources(tmp_path: Path) -> None:
    assert list(SOURCES) == [
        "auto",
        "yahoo",
        "moex",
        "tiingo",
        "eodhd",
        "store",
        "sample",
        "files",
        "duckdb",
        "sql",
    ]
    assert all(source.summary for source in SOURCES.values())
    for name in ("auto", "yahoo", "store", "sample"):
        provider = resolve(name, store=tmp_path / "prices.sqlite")
        assert provider.name == name
        assert isinstance(provider, PriceProvider)
        assert resolve(provider) is provider
    assert isinstance(resolve(tmp_path), FilesProvider)
    assert isinstance(resolve(str(tmp_path)), FilesProvider)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("yaho", "did you mean 'yahoo'"),
        ("", "give one of auto"),
        ("no/such/folder", "no such price source or path"),
    ],
)
def test_an_unknown_source(spec: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        resolve(spec)


def test_sources_that_make_no_sense() -> None:
    with pytest.raises(ConfigError, match="needs the network"):
        resolve("yahoo", offline=True)
    with pytest.raises(ConfigError, match="give the path"):
        resolve("files")


def test_importing_costs_nothing() -> None:
    program = (
        "import sys, eventstudy.prices, eventstudy.prices.auto, eventstudy.prices.files\n"
        "import eventstudy.prices.yahoo, eventstudy.prices.store, eventstudy.prices.sample\n"
        "print(sorted({'pandas', 'numpy', 'yfinance', 'sqlite3', 'curl_cffi'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True
    )
    assert run.stdout.strip() == "[]"


def priced(symbol: str, *closes: float) -> Prices:
    days = pd.bdate_range("2019-01-02", periods=len(closes))
    rows, _ = clean(pd.DataFrame({"date": days, "close": closes}), symbol)
    answer = Answer(rows, stamp(Provenance("test"), rows))
    return Prices.of({symbol: answer}, {}, ["said once"])


def test_merge_never_mixes_rows_of_one_symbol() -> None:
    failed = Prices.of(
        {}, {"B": NoPricesError("none", where="B"), "C": UnknownSymbolError("?", where="C")}
    )
    merged = priced("A", 1, 2).merge(priced("A", 7, 8, 9)).merge(failed).merge(priced("B", 3))
    assert merged.table["close"].tolist() == [1, 2, 3]
    assert merged.provenance["A"].rows == 2
    assert list(merged.failures) == ["C"]
    assert merged.notices == ("said once",)


def test_select_puts_every_symbol_somewhere() -> None:
    prices = priced("A", 1, 2, 3).merge(priced("B", 4))
    chosen = prices.select(["A", "Z", "A"])
    assert chosen.symbols == ("A",)
    assert chosen.table["close"].tolist() == [1, 2, 3]
    assert chosen.failures["Z"].kind == "unknown_symbol"
    days = date(2019, 1, 3), date(2019, 1, 9)
    part = collect(["A", "B"], *days, prices.answers().__getitem__)
    assert part.failures["B"].kind == "no_prices"
    assert part.provenance["A"] == stamp(Provenance("test"), part.table)
    assert part.provenance["A"].sha256 != prices.provenance["A"].sha256


def test_an_empty_table_has_the_columns() -> None:
    table = Prices.of({}, {}).table
    assert tuple(table) == COLUMNS
    assert table.dtypes.equals(priced("A", 1).table.dtypes)


def test_the_canonical_bytes() -> None:
    rows, _ = clean(
        pd.DataFrame({"date": ["2019-01-02"], "close": [0.1 + 0.2], "volume": [1000]}), "^X"
    )
    written = canonical_bytes("^X", matrix_of(rows))
    nan = struct.pack("<d", math.nan)
    cells = [struct.pack("<d", value) for value in (17898.0, 0.1 + 0.2, 1000.0)]
    assert written == b"^X\n" + cells[0] + 3 * nan + cells[1] + nan + cells[2]
    assert stamp(Provenance("test"), rows).sha256 == hashlib.sha256(written).hexdigest()
    # a NaN of another sign is the same missing value
    assert (
        canonical_bytes("^X", np.where(np.isnan(matrix_of(rows)), -np.nan, matrix_of(rows)))
        == written
    )


@pytest.mark.parametrize(
    "closes",
    [
        {"close": (3.0, 4.0)},
        {"adj_close": (3.0, 4.0)},
        {"adj_close": (3.0, 3.9), "close": (3.0, 3.0)},
    ],
)
def test_two_closes_of_one_date_are_none(closes: dict[str, tuple[float, float]]) -> None:
    """Adjusted or not."""
    days = ["2019-01-02", "2019-01-02", "2019-01-03"]
    rows, notes = clean(
        pd.DataFrame({"date": days} | {name: [*two, 5.0] for name, two in closes.items()}), "A"
    )
    for name in closes:
        assert rows[name].isna().tolist() == [True, False]
    assert notes[-1] == "1 date with two different closes taken as missing (2019-01-02)"


def test_clean_says_what_it_changed() -> None:
    days = ["2019-01-03", None, "2019-01-02", "2019-01-02"]
    table = pd.DataFrame(
        {"date": days, "close": [1.0, 2.0, 3.0, -4.0], "volume": [1.0, 1.0, 1.0, 1.0]}
    )
    rows, notes = clean(table, "A")
    assert rows["date"].dt.day.tolist() == [2, 3]
    assert rows["close"].isna().tolist() == [True, False]
    assert notes == (
        "1 row without a date left out",
        "rows were not in order of date: sorted",
        "1 row of a date that occurs again left out, the last kept (2019-01-02)",
        "1 impossible values of close set to missing (2019-01-02)",
    )
    assert clean(rows, "A")[1] == ()
