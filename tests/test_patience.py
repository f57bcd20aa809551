"""A source that asks us to wait is left alone, and what it had given before is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import ROOT
from yahoo_standin import Yahoo, synthetic

from eventstudy.cli.main import main
from eventstudy.errors import NetworkError, PriceError, RateLimitedError, UnknownSymbolError
from eventstudy.prices import PatientProvider, Prices, SourceStates, StoreProvider, resolve

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAYS = date(2020, 1, 2), date(2020, 6, 30)


class Source:
    """A source that fails as it is told, and counts what it is asked."""

    name = "vendor"

    def __init__(self) -> None:
        self.failures: dict[str, PriceError] = {}
        self.down: NetworkError | None = None
        self.asked = 0

    def fetch(self, symbols: Sequence[str], start: date, end: date, **_: Any) -> Prices:
        self.asked += 1
        if self.down:
            raise self.down
        sample = resolve("sample").fetch([s for s in symbols if s not in self.failures], start, end)
        failed = {s: error for s, error in self.failures.items() if s in symbols}
        return Prices.of(sample.answers(), {**sample.failures, **failed})


class Desk:
    """A vendor behind a patient provider, with a clock."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "prices.sqlite"
        self.vendor = Source()
        self.now = NOON

    def ask(self, *symbols: str) -> Prices:
        states = SourceStates(self.store)
        return PatientProvider(self.vendor, states, lambda: self.now).fetch(symbols, *DAYS)

    def limit(self, *symbols: str, until: datetime | None = None) -> None:
        for symbol in symbols:
            error = RateLimitedError("too many requests", where=symbol)
            error.until = until
            self.vendor.failures[symbol] = error


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_limit_is_kept_for_an_hour_by_every_program(desk: Desk) -> None:
    desk.limit("AMD", "AAPL")
    first = desk.ask("AMD", "AAPL", "MSFT")
    assert first.symbols == ("MSFT",), "what came is used"
    assert "vendor is not asked before 2026-11-30 13:00 UTC" in str(first.failures["AMD"])
    desk.vendor.failures.clear()
    desk.now += timedelta(minutes=59)
    again = desk.ask("AMD", "NVDA")
    assert desk.vendor.asked == 1
    assert {error.kind for error in again.failures.values()} == {"rate_limited"}
    assert all(error.exit_code == 75 for error in again.failures.values())
    desk.now += timedelta(minutes=1)
    assert desk.ask("AMD", "NVDA").symbols == ("AMD", "NVDA")
    assert SourceStates(desk.store).read()["vendor"].until == ""


def test_a_source_that_says_how_long_is_left_alone_so_long(desk: Desk) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    desk.limit("AMD", "AAPL", until=midnight)
    assert "before 2026-12-01 00:00 UTC" in str(desk.ask("AMD", "AAPL").failures["AMD"])
    desk.now = midnight - timedelta(seconds=1)
    desk.ask("AMD")
    assert desk.vendor.asked == 1


def test_a_wait_noted_by_a_clock_that_was_ahead_is_none(desk: Desk) -> None:
    desk.limit("AMD", "AAPL")
    desk.now += timedelta(days=700)
    desk.ask("AMD", "AAPL")
    desk.now = NOON
    desk.vendor.failures.clear()
    assert desk.ask("AMD").symbols == ("AMD",)
    assert SourceStates(desk.store).read()["vendor"].until == ""


def test_a_limit_of_one_symbol_does_not_stop_the_others(desk: Desk) -> None:
    desk.limit("AMD")
    desk.ask("AMD", "AAPL")
    assert desk.ask("AAPL").symbols == ("AAPL",)
    assert desk.ask("AMD").symbols == (), "asked for alone: it may be the symbol"
    assert desk.vendor.asked == 3
    desk.ask("AMD")
    desk.ask("AMD")
    assert desk.vendor.asked == 4, "the second in a row is a limit of the source"


def test_a_network_that_fails_is_no_limit(desk: Desk) -> None:
    desk.vendor.down = NetworkError("no answer")
    for _ in range(2):
        with pytest.raises(NetworkError):
            desk.ask("AMD")
    state = SourceStates(desk.store).read()["vendor"]
    assert (desk.vendor.asked, state.fault, state.until) == (2, "no answer", "")


def test_nothing_is_written_for_a_source_that_answers(desk: Desk) -> None:
    desk.ask("AMD")
    assert not desk.store.exists()
    desk.vendor.failures["ZZZ"] = UnknownSymbolError("not known")
    desk.ask("ZZZ")
    assert not desk.store.exists()


def test_the_state_of_each_source(desk: Desk) -> None:
    desk.limit("AMD", "AAPL")
    desk.ask("AMD", "AAPL", "MSFT")
    store = ["--store", str(desk.store)]
    shown = CliRunner().invoke(main, ["prices", "status", *store])
    assert shown.exit_code == 0, shown.output
    lines = {line.split()[0]: line for line in shown.output.splitlines()}
    assert lines["yahoo"].endswith("never asked")
    assert "too many requests; not asked before 2026-11-30T13:00:00+00:00" in lines["vendor"]
    forgotten = CliRunner().invoke(main, ["prices", "status", "--ask-again", "--json", *store])
    states = {row["name"]: row for row in json.loads(forgotten.stdout)}
    assert states["vendor"]["until"] == ""
    assert "vendor may be asked again" in forgotten.stderr
    desk.vendor.failures.clear()
    assert desk.ask("AMD").symbols == ("AMD",)


def test_a_store_of_before_has_no_states(tmp_path: Path) -> None:
    store = StoreProvider(tmp_path / "prices.sqlite")
    store.add(resolve("sample").fetch(["AMD"], *DAYS))
    assert SourceStates(store.path).read() == {}
    shown = CliRunner().invoke(main, ["prices", "status", "--store", str(store.path)])
    assert shown.exit_code == 0, shown.output


@pytest.mark.slow
def test_a_night_that_is_blocked_takes_what_came_and_goes_on_later(tmp_path: Path) -> None:
    names = [f"B{n:02d}" for n in range(25)]
    every = [synthetic(name, start=date(2019, 1, 2), end=date(2021, 12, 31)) for name in names]
    index = synthetic("^GSPC", start=date(2019, 1, 2), end=date(2021, 12, 31))
    events = tmp_path / "events.csv"
    rows = [f"{name},2020-{1 + n % 12:02d}-15" for n, name in enumerate(names)]
    events.write_text("\n".join(["ticker,announced_at", *rows]), encoding="utf-8")
    with Yahoo(*every, index) as yahoo:
        env = {
            **os.environ, **yahoo.env(), "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path),
            "EVENTSTUDY_STORE": str(tmp_path / "prices.sqlite"),
        }  # fmt: skip

        def night(*more: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "eventstudy", *more]
            return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)

        for series in every[20:]:
            series.fault = "429"
        fetch = ["prices", "fetch", "--events", str(events)]
        first = night(*fetch)
        assert first.returncode == 3, first.stderr
        assert "yahoo is not asked before" in first.stderr
        kept = set(StoreProvider(tmp_path / "prices.sqlite").symbols())
        assert len(kept) == 20
        for series in every:
            series.fault = ""
        yahoo.log.clear()
        assert night(*fetch).returncode == 3
        assert not yahoo.charts(), "never asked again in the same hour"
        assert night("prices", "status", "--ask-again").returncode == 0
        assert night(*fetch).returncode == 0
        assert not any(yahoo.charts(name) for name in kept)


def test_a_cache_that_cannot_be_read_is_no_reason_not_to_ask(desk: Desk) -> None:
    desk.store.write_bytes(b"this is no database, and a long text" * 100)
    before = desk.store.read_bytes()
    assert desk.ask("AMD").symbols == ("AMD",)
    desk.limit("AMD", "AAPL")
    assert desk.ask("AMD", "AAPL").failures["AMD"].kind == "rate_limited"
    assert desk.store.read_bytes() == before


def test_a_limit_behind_a_fault_of_the_network_is_the_first(desk: Desk) -> None:
    desk.vendor.down = NetworkError("no answer")
    with pytest.raises(NetworkError):
        desk.ask("AMD")
    desk.vendor.down = None
    desk.limit("AMD")
    desk.ask("AMD")
    assert SourceStates(desk.store).read()["vendor"].until == ""


@pytest.mark.slow
def test_a_night_with_a_second_source_online(tmp_path: Path) -> None:
    """Windows are over, so that the cache could answer alone; the second source is asked."""
    span: Any = {"start": date(2019, 1, 2), "end": date(2021, 12, 31)}
    events = tmp_path / "events.csv"
    events.write_text("ticker,announced_at\nAAA,2020-06-15\n", encoding="utf-8")
    with Yahoo(synthetic("AAA", **span), synthetic("^GSPC", **span)) as yahoo:
        env = {
            **os.environ, **yahoo.env(), "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path),
            "EVENTSTUDY_STORE": str(tmp_path / "prices.sqlite"),
        }  # fmt: skip
        command = [sys.executable, "-m", "eventstudy", "refresh", str(events), "--fill", "yahoo"]
        command += ["--event-pages", "0"]
        for said in ("refreshed: first run", "nothing new"):
            done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            assert said in done.stdout
