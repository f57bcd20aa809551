"""The store brought up to date over the real wire: what is asked, what is kept, and what a failure
leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from yahoo_standin import Series, Yahoo, proxy_env, synthetic

from eventstudy.errors import NetworkError
from eventstudy.prices import Action, AutoProvider, PriceCache, Prices, StoreProvider, YahooProvider
from eventstudy.prices.auto import CHUNK, OVERLAP, update
from eventstudy.prices.sample import SampleProvider

ROOT = Path(__file__).parents[1]
FIRST, HALF, LAST = date(2019, 1, 1), date(2019, 6, 28), date(2019, 12, 31)
Update = Callable[..., Prices]


@pytest.fixture
def store(tmp_path: Path) -> StoreProvider:
    return StoreProvider(tmp_path / "prices.sqlite")


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: StoreProvider) -> Update:
    """Return `update` of the store from a stand-in, each call a day after the one before."""
    import yfinance

    yfinance.set_tz_cache_location(str(tmp_path / "yfinance"))
    clock = [datetime(2024, 3, 1, 12, tzinfo=UTC)]

    def asked(
        yahoo: Yahoo, symbols: list[str], start: date, end: date, **options: object
    ) -> Prices:
        for name, value in yahoo.env().items():
            monkeypatch.setenv(name, value)
        clock[0] += timedelta(days=1)
        source = YahooProvider(sleep=lambda seconds: None, now=lambda: clock[0], timeout=2.0)
        return update(store, source, symbols, start, end, **options)  # type: ignore[arg-type]

    return asked


def asked_from(yahoo: Yahoo, symbol: str) -> list[date]:
    """Return the first days that were asked of a symbol, request by request."""
    stamps = [int(c["query"]["period1"]) for c in yahoo.charts(symbol) if "period1" in c["query"]]
    return [datetime.fromtimestamp(stamp + 12 * 3600, UTC).date() for stamp in stamps]


def whole(series: Series, upto: date = LAST) -> tuple[list[float], list[float]]:
    """Return closes and adjusted closes as the source has them now."""
    pairs = zip(series.rows, series.adjusted(), strict=True)
    kept = [(row[4], adjusted) for row, adjusted in pairs if FIRST <= row[0] <= upto]
    return [close for close, _ in kept], [adjusted for _, adjusted in kept]


def outcomes(store: StoreProvider, symbol: str) -> list[str]:
    return [fetch["outcome"] for fetch in store.history(symbol)["fetches"]]


def test_only_the_missing_end_is_asked_and_appended(ask: Update, store: StoreProvider) -> None:
    series = synthetic("TAIL")
    with Yahoo(series) as yahoo:
        ask(yahoo, ["TAIL"], FIRST, HALF)
        later = ask(yahoo, ["TAIL"], FIRST, LAST)
        earlier = ask(yahoo, ["TAIL"], date(2018, 6, 1), LAST)
        days = asked_from(yahoo, "TAIL")
    assert days == [FIRST, HALF - OVERLAP, date(2018, 6, 1)]
    assert outcomes(store, "TAIL") == ["new", "append", "append"]
    assert later.table["close"].tolist() == whole(series)[0]
    np.testing.assert_allclose(later.table["adj_close"], whole(series)[1], rtol=1e-12)
    assert earlier.table["close"].tolist() == [
        r[4] for r in series.rows if date(2018, 6, 1) <= r[0] <= LAST
    ]
    assert store.extents(["TAIL"])["TAIL"][:2] == ("2018-06-01", LAST.isoformat())


def test_a_dividend_since_is_a_rebase_and_no_splice(ask: Update, store: StoreProvider) -> None:
    series = synthetic("PAYS", end=HALF)
    with Yahoo(series) as yahoo:
        ask(yahoo, ["PAYS"], FIRST, HALF)
        yahoo.series["PAYS"] = series = synthetic("PAYS", dividends={date(2019, 7, 10): 2.0})
        found = ask(yahoo, ["PAYS"], FIRST, LAST)
        assert asked_from(yahoo, "PAYS") == [FIRST, HALF - OVERLAP, FIRST]
    assert outcomes(store, "PAYS") == ["new", "rebase"]
    assert found.notices == ()
    np.testing.assert_allclose(found.table["adj_close"], whole(series)[1], rtol=1e-12)
    assert found.actions == {"PAYS": (Action("2019-07-10", "dividend", 2.0),)}


def test_a_split_since_is_a_rebase(ask: Update, store: StoreProvider) -> None:
    series, day = synthetic("SPLITS"), date(2019, 7, 15)
    early = [replace_prices(row, 4.0) if row[0] < day else row for row in series.rows]
    with Yahoo(Series("SPLITS", early)) as yahoo:
        ask(yahoo, ["SPLITS"], FIRST, HALF)
        yahoo.series["SPLITS"] = replace(series, splits={day: (4, 1)})
        found = ask(yahoo, ["SPLITS"], FIRST, LAST)
    assert outcomes(store, "SPLITS") == ["new", "rebase"]
    assert found.table["close"].tolist() == whole(series)[0]


def replace_prices(row: tuple[object, ...], factor: float) -> tuple[object, ...]:
    day, *prices, volume = row
    return (day, *(price * factor for price in prices), round(volume / factor))  # type: ignore[operator, arg-type]


def test_a_rewritten_price_is_said_and_the_earlier_prices_stay(
    ask: Update, store: StoreProvider
) -> None:
    series = synthetic("WRONG")
    spot = next(k for k, row in enumerate(series.rows) if row[0] == date(2019, 6, 13))
    before = [series.rows[spot][4], *series.rows[spot][:1]]
    with Yahoo(series, synthetic("FINE")) as yahoo:
        first = ask(yahoo, ["WRONG", "FINE"], FIRST, HALF)
        day, opened, high, low, close, volume = series.rows[spot]
        series.rows[spot] = (day, opened, high, low, close * 100, volume)
        found = ask(yahoo, ["WRONG", "FINE"], FIRST, LAST)
    (notice,) = found.notices
    assert notice.startswith(
        "WRONG: revised by the source since 2024-03-02: 1 close changed (2019-06-13"
    )
    assert "9900.00%" in notice
    assert "revised by the source" in found.provenance["WRONG"].note
    assert outcomes(store, "WRONG") == ["new", "revision"]
    assert outcomes(store, "FINE") == ["new", "append"]
    pinned = StoreProvider(store.path, vintage="2024-03-02").fetch(["WRONG", "FINE"], FIRST, HALF)
    pd.testing.assert_frame_equal(pinned.table, first.table, check_exact=True)
    assert before[0] in pinned.table["close"].tolist()


def test_a_change_before_the_overlap_is_found_by_a_refresh(
    ask: Update, store: StoreProvider
) -> None:
    series = synthetic("EARLY")
    with Yahoo(series) as yahoo:
        ask(yahoo, ["EARLY"], FIRST, HALF)
        spot = next(k for k, row in enumerate(series.rows) if row[0] == date(2019, 2, 1))
        day, opened, high, low, close, volume = series.rows[spot]
        series.rows[spot] = (day, opened, high, low, close * 1.01, volume)
        assert ask(yahoo, ["EARLY"], FIRST, LAST).notices == ()
        assert (
            "1 close changed (2019-02-01"
            in ask(yahoo, ["EARLY"], FIRST, LAST, refresh=True).notices[0]
        )
        assert ask(yahoo, ["EARLY"], FIRST, LAST, refresh=True).notices == ()
    assert outcomes(store, "EARLY") == ["new", "append", "revision", "same"]


def test_damaged_prices_are_downloaded_again(ask: Update, store: StoreProvider) -> None:
    with Yahoo(synthetic("HURT")) as yahoo:
        ask(yahoo, ["HURT"], FIRST, LAST)
        connection = sqlite3.connect(store.path)
        with connection:
            connection.execute("UPDATE prices SET blob = x'00'")
        connection.close()
        assert ask(yahoo, ["HURT"], date(2019, 2, 1), HALF).symbols == ("HURT",)
    assert store.fetch(["HURT"], FIRST, LAST).symbols == ("HURT",)


def test_a_store_that_cannot_be_written_still_gives_the_whole_range(
    ask: Update, store: StoreProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The appended rows are put together in memory."""
    series = synthetic("KEPTNOT")
    with Yahoo(series) as yahoo:
        ask(yahoo, ["KEPTNOT"], FIRST, HALF)
        monkeypatch.setattr("eventstudy.prices._database.TIMEOUT", 0.05)
        blocker = sqlite3.connect(store.path)
        blocker.execute("BEGIN IMMEDIATE")
        found = ask(yahoo, ["KEPTNOT"], FIRST, LAST)
        blocker.close()
    assert "cannot be written (database is locked)" in found.notices[0]
    assert found.table["close"].tolist() == whole(series)[0]


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["429", "drop"])
def test_after_a_failure_only_the_rest_is_asked(
    fault: str, ask: Update, store: StoreProvider
) -> None:
    every = [synthetic(f"{'R' if fault == '429' else 'D'}{n:03d}") for n in range(2 * CHUNK + 5)]
    names, good = [series.symbol for series in every], CHUNK + 3
    with Yahoo(*every) as yahoo:
        for series in every[good:]:
            series.fault = fault
        first = ask(yahoo, names, FIRST, LAST)
        assert set(first.symbols) == set(store.symbols()) == set(names[:good])
        assert {error.kind for error in first.failures.values()} == {
            "rate_limited" if fault == "429" else "network"
        }
        assert any("not asked" in str(error) for error in first.failures.values())
        for series in every:
            series.fault = ""
        yahoo.log.clear()
        again = ask(yahoo, names, FIRST, LAST)
        assert not any(yahoo.charts(name) for name in names[:good])
    assert set(again.symbols) == set(names)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["429", "drop"])
def test_a_symbol_at_fault_with_a_range_of_its_own_does_not_stop_the_others(
    fault: str, ask: Update
) -> None:
    """It has fallen behind, so that it is asked for alone, and before the others."""
    names = [f"OWN{fault.upper()}{n}" for n in range(3)]
    behind, *others = map(synthetic, names)
    with Yahoo(behind, *others) as yahoo:
        ask(yahoo, names[1:], FIRST, HALF)
        behind.fault = fault
        found = ask(yahoo, names, FIRST, LAST)
    assert set(found.symbols) == set(names[1:])
    assert [*found.failures] == names[:1]


@pytest.mark.slow
def test_what_came_before_the_end_of_the_program_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [synthetic(f"E{n:03d}") for n in range(2 * CHUNK)]
    names = [series.symbol for series in every]
    every[CHUNK + 4].fault = "hang"
    store = StoreProvider(tmp_path / "mine" / "prices.sqlite")
    with Yahoo(*every) as yahoo:
        command = [
            "-m",
            "eventstudy",
            "prices",
            "fetch",
            *names,
            "--start",
            "2019-01-01",
            "--end",
            "2019-12-31",
        ]
        env = {
            **os.environ,
            **yahoo.env(),
            "XDG_CACHE_HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
        }
        program = subprocess.Popen(
            [sys.executable, *command, "--store", str(tmp_path / "mine")], env=env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 300
        while len(store.symbols()) < CHUNK and time.monotonic() < until:
            time.sleep(0.02)
        program.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        program.wait()
        kept = store.symbols()
        assert CHUNK <= len(kept) < len(names)
        every[CHUNK + 4].fault = ""
        yahoo.log.clear()
        source = YahooProvider(sleep=lambda seconds: None)
        for name, value in yahoo.env().items():
            monkeypatch.setenv(name, value)
        found = update(store, source, names, FIRST, LAST)
        assert not any(yahoo.charts(name) for name in kept)
    assert set(found.symbols) == set(names)


def test_no_network_at_all_is_raised(
    ask: Update, store: StoreProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Yahoo(synthetic("SEEN")) as yahoo:
        ask(yahoo, ["SEEN"], FIRST, HALF)
    for name, value in proxy_env(1).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NetworkError, match="cannot be reached"):
        update(store, YahooProvider(), ["SEEN"], FIRST, LAST)
    auto = AutoProvider(store, YahooProvider(), SampleProvider())
    found = auto.fetch(["SEEN", "AAPL", "NONE"], FIRST, LAST)
    assert found.symbols == ("AAPL", "SEEN")
    assert found.provenance["SEEN"].last == "2019-06-28"
    assert any(
        "has only part of 2019-01-01 to 2019-12-31 for 1 symbol (SEEN" in text
        for text in found.notices
    )


def test_a_symbol_that_yahoo_has_lost_lives_on_in_the_store(
    ask: Update, store: StoreProvider
) -> None:
    with Yahoo(synthetic("GONE"), synthetic("STAYS")) as yahoo:
        ask(yahoo, ["GONE"], FIRST, HALF)
        del yahoo.series["GONE"]
        auto = AutoProvider(store, YahooProvider(sleep=lambda seconds: None), SampleProvider())
        found = auto.fetch(["GONE", "STAYS", "NEVER"], FIRST, LAST)
    assert found.symbols == ("GONE", "STAYS")
    assert list(found.failures) == ["NEVER"]
    assert any(text.startswith("GONE: stored prices used as they are: ") for text in found.notices)


def test_imported_prices_are_used_and_never_replaced(
    ask: Update, store: StoreProvider, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "MINE.csv").write_text(
        "date,close\n2019-03-01,10\n2019-03-04,11\n", encoding="utf-8"
    )
    _, prices = PriceCache(store.path).import_files(tmp_path / "files")
    assert prices.notices == ()
    with Yahoo(synthetic("MINE"), synthetic("THEIRS")) as yahoo:
        ask(yahoo, ["THEIRS"], FIRST, HALF)
        auto = AutoProvider(store, YahooProvider(), SampleProvider())
        found = auto.fetch(["MINE", "THEIRS"], FIRST, HALF)
        assert not yahoo.charts("MINE")
        assert found.by_symbol()["MINE"]["close"].tolist() == [10, 11]
        replaced = ask(yahoo, ["MINE"], FIRST, HALF)
    assert replaced.notices == ("MINE: prices of files replaced by prices of yahoo",)
    assert len(store.history("MINE")["vintages"]) == 1
