"""The real yfinance against a stand-in for Yahoo on loopback."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from conftest import SHARED
from yahoo_standin import FAULTS, Series, Yahoo, connections, proxy_env, synthetic

from eventstudy.errors import NetworkError, PriceError
from eventstudy.prices import COLUMNS, Action, YahooProvider
from eventstudy.prices._wire import RETRIES, yfinance_quiet

FIRST, LAST = date(2019, 1, 1), date(2019, 12, 31)
ROOT = Path(__file__).parents[1]
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(autouse=True, scope="module")
def _caches_of_yfinance(tmp_path_factory: pytest.TempPathFactory) -> None:
    import yfinance

    yfinance.set_tz_cache_location(str(tmp_path_factory.mktemp("yfinance")))


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch, *series: Series) -> Iterator[Yahoo]:
    with Yahoo(*series) as yahoo:
        for name, value in yahoo.env().items():
            monkeypatch.setenv(name, value)
        yield yahoo


def quick(**options: object) -> YahooProvider:
    return YahooProvider(sleep=lambda seconds: None, **options)  # type: ignore[arg-type]


def test_prices_are_those_that_yahoo_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    series = synthetic("DIV", dividends={date(2019, 2, 8): 2.0}, splits={date(2019, 8, 30): (4, 1)})
    with serving(monkeypatch, series, synthetic("0700.HK"), synthetic("VOD.L"), synthetic("^IX")):
        done: list[tuple[int, int]] = []
        prices = quick().fetch(
            ["DIV", "VOD.L", "0700.HK", "^IX", "DIV"],
            FIRST,
            LAST,
            progress=lambda *n: done.append(n),
        )
    assert not prices.failures
    assert tuple(prices.table) == COLUMNS
    assert prices.symbols == ("0700.HK", "DIV", "VOD.L", "^IX")
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    wanted = [(row, adjusted) for row, adjusted in zip(series.rows, series.adjusted(), strict=True)]
    wanted = [(row, adjusted) for row, adjusted in wanted if FIRST <= row[0] <= LAST]
    rows = prices.by_symbol()["DIV"]
    assert [day.date() for day in rows["date"]] == [row[0] for row, _ in wanted]
    for position, column in enumerate(("open", "high", "low", "close"), 1):
        assert rows[column].tolist() == [row[position] for row, _ in wanted]
    assert rows["volume"].tolist() == [row[5] for row, _ in wanted]
    np.testing.assert_allclose(rows["adj_close"], [adjusted for _, adjusted in wanted], rtol=1e-12)
    assert rows["adj_close"].iloc[0] < rows["close"].iloc[0]


def test_provenance_names_the_market(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, synthetic("BP.L"), synthetic("^SPX", instrument="INDEX")):
        prices = quick().fetch(["BP.L", "^SPX"], FIRST, LAST)
    pence, index = prices.provenance["BP.L"], prices.provenance["^SPX"]
    assert (pence.currency, pence.timezone, pence.source) == ("GBp", "Europe/London", "yahoo")
    assert (index.currency, index.instrument, index.detail) == (
        "USD",
        "INDEX",
        "query2.finance.yahoo.com",
    )
    assert (index.first, index.last, index.rows) == ("2019-01-01", "2019-12-31", 261)
    assert index.library.startswith("yfinance 1.")
    assert datetime.fromisoformat(index.retrieved_at).tzinfo is not None


KINDS = {
    "429": "rate_limited",
    "500": "bad_answer",
    "500-chart": "bad_answer",
    "consent": "bad_answer",
    "down": "bad_answer",
    "junk": "bad_answer",
    "empty": "bad_answer",
    "drop": "network",
    "hang": "network",
    "cut": "network",
    "trickle": "network",
}


def test_every_fault_has_a_kind() -> None:
    assert set(FAULTS) | {"drop", "hang", "cut", "trickle"} == set(KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_failures_say_what_happened(known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both for a symbol whose time zone yfinance has to ask first, and for one that it knows."""
    prefix = "K" if known else "N"
    faulty = {fault: synthetic(prefix + fault.replace("-", "").upper()) for fault in KINDS}
    names = {series.symbol: fault for fault, series in faulty.items()}
    gone, good = synthetic(prefix + "GONE"), synthetic(prefix + "GOOD")
    with serving(monkeypatch, good, gone, *faulty.values()) as yahoo:
        if known:
            assert not quick().fetch([*names, gone.symbol], FIRST, LAST).failures
        for fault, series in faulty.items():
            series.fault = fault
        del yahoo.series[gone.symbol]
        yahoo.log.clear()
        wanted = [good.symbol, gone.symbol, *names]
        prices = quick(timeout=2.0).fetch(wanted, FIRST, LAST)
    assert prices.symbols == (good.symbol,)
    kinds = {
        names[symbol]: error.kind for symbol, error in prices.failures.items() if symbol in names
    }
    # without a result Yahoo has told the time zone of nothing, or says that there are no prices
    assert kinds == ({**KINDS, "empty": "no_prices"} if known else KINDS)
    assert prices.failures[gone.symbol].kind == "unknown_symbol"
    assert all(error.where == symbol and error.remedy for symbol, error in prices.failures.items())
    assert len(yahoo.charts(faulty["junk"].symbol)) == RETRIES + 1
    # libcurl itself asks once more when a connection that was kept open turns out dead
    assert len(yahoo.charts(faulty["drop"].symbol)) <= 2


def test_no_prices_in_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, synthetic("YOUNG")):
        error = quick().fetch(["YOUNG"], date(1999, 1, 1), date(1999, 6, 1)).failures["YOUNG"]
    assert error.kind == "no_prices"
    assert "Data doesn't exist" in str(error)


@pytest.mark.parametrize("fault", ["429", "500", "junk"])
def test_a_passing_fault_is_tried_again(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    # yfinance itself asks again once after a 429
    times = 4 if fault == "429" else 2
    series = synthetic(f"PASS{fault.upper()}", fault=fault, fault_times=times)
    with serving(monkeypatch, series):
        prices = YahooProvider(sleep=pauses.append).fetch([series.symbol], FIRST, LAST)
    assert not prices.failures
    assert len(pauses) == 2
    assert 0.5 <= pauses[0] <= 1.0 <= pauses[1] <= 2.0


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["429", "drop"])
def test_gives_up_after_three_in_a_row(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [synthetic(f"ROW{fault.upper()}{n}", fault=fault) for n in range(6)]
    good = synthetic(f"ROW{fault.upper()}")
    with serving(monkeypatch, good, *bad) as yahoo:
        symbols = [good.symbol, *(series.symbol for series in bad)]
        prices = quick(workers=1).fetch(symbols, FIRST, LAST)
    assert prices.symbols == (good.symbol,)
    assert {error.kind for error in prices.failures.values()} == {KINDS[fault]}
    assert sum("not asked" in str(error) for error in prices.failures.values()) == 3
    assert not yahoo.charts(bad[-1].symbol)


@pytest.mark.parametrize("fault", ["429", "drop"])
def test_a_first_symbol_at_fault_does_not_stop_the_others(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"FIRST{fault.upper()}{n}" for n in range(4)]
    bad, *good = map(synthetic, names)
    bad.fault = fault
    with serving(monkeypatch, bad, *good):
        prices = quick().fetch(names, FIRST, LAST)
    assert prices.symbols == tuple(names[1:])
    assert prices.failures[names[0]].kind == KINDS[fault]


def test_all_symbols_failing_by_the_network_is_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        serving(monkeypatch, synthetic("ALLDROP", fault="drop")),
        pytest.raises(NetworkError, match="cannot be reached") as caught,
    ):
        quick().fetch(["ALLDROP"], FIRST, LAST)
    assert caught.value.exit_code == 75


def test_a_later_fetch_sees_later_data(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, synthetic("LATER", price=10.0)) as yahoo:
        before = quick().fetch(["LATER"], FIRST, LAST)
        yahoo.series["LATER"] = synthetic("LATER", price=20.0)
        after = quick().fetch(["LATER"], FIRST, LAST)
    ratio = after.table["close"] / before.table["close"]
    np.testing.assert_allclose(ratio, 2.0, rtol=1e-4)


@pytest.mark.parametrize(
    ("at", "kept"),
    [("12:00", False), ("16:10", False), ("16:31", True), ("23:00", True)],
    ids=["open", "just closed", "settled", "night"],
)
def test_the_row_of_an_unfinished_session(
    at: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = date(2020, 12, 30)
    now = datetime.fromisoformat(f"{today}T{at}").replace(tzinfo=NEW_YORK)
    with serving(monkeypatch, synthetic("TODAY", end=today)):
        prices = quick(now=lambda: now).fetch(["TODAY"], date(2020, 12, 1), date(2021, 1, 31))
    last = prices.provenance["TODAY"].last
    assert last == ("2020-12-30" if kept else "2020-12-29")
    assert ("had not ended" in prices.provenance["TODAY"].note) is not kept


def test_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for name, value in proxy_env(port).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NetworkError):
        quick().fetch(["AAPL"], FIRST, LAST)


@pytest.mark.slow
def test_a_silent_network_is_noticed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for name, value in proxy_env(silent.getsockname()[1]).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(NetworkError):
            quick().fetch([f"S{n}" for n in range(50)], FIRST, LAST)
        assert connections(silent) < 10, "symbol by symbol"


def test_the_settings_of_the_caller_come_back(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import yfinance

    logger = logging.getLogger("yfinance")
    before = logger.level, yfinance.config.debug.hide_exceptions, yfinance.config.network.retries
    with serving(monkeypatch, synthetic("QUIET")):
        quick().fetch(["QUIET", "NOBODY"], FIRST, LAST)
    after = logger.level, yfinance.config.debug.hide_exceptions, yfinance.config.network.retries
    assert before == after
    assert capfd.readouterr() == ("", "")


def test_no_symbols_need_no_network() -> None:
    assert YahooProvider().fetch([], FIRST, LAST).table.empty


PROGRAM = """
from datetime import date
from eventstudy.prices import resolve
prices = resolve("yahoo").fetch(["AAPL", "000725.SZ", "NOPE"], date(2019, 5, 20), date(2019, 5, 24))
print(prices.table.groupby("symbol")["close"].sum().round(2).to_dict(), sorted(prices.failures))
"""


@pytest.mark.slow
def test_a_program_needs_only_the_environment(tmp_path: Path) -> None:
    series = synthetic("AAPL"), synthetic("000725.SZ")
    with Yahoo(*series) as yahoo:
        names = ("HTTPS_PROXY", "CURL_CA_BUNDLE")
        inherited = {
            name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ
        }
        env = {
            **inherited,
            **{name: yahoo.env()[name] for name in names},
            "XDG_CACHE_HOME": str(tmp_path),
        }
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
    days = {date(2019, 5, day) for day in range(20, 25)}
    sums = {
        each.symbol: round(sum(row[4] for row in each.rows if row[0] in days), 2) for each in series
    }
    assert run.stderr == ""
    assert run.stdout.strip() == f"{dict(sorted(sums.items()))} ['NOPE']"
    assert (tmp_path / "py-yfinance" / "tkr-tz.db").exists()


def test_every_failure_is_a_price_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, synthetic("SANE")):
        prices = quick().fetch(["SANE", "", "A B", "../../etc"], FIRST, LAST)
    assert set(prices.failures) == {"", "A B", "../../etc"}
    assert all(isinstance(error, PriceError) for error in prices.failures.values())


def test_dividends_and_splits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    dividends = {date(2019, 2, 8): 2.0, date(2018, 2, 8): 1.5}
    series = synthetic("ACTS", dividends=dividends, splits={date(2019, 8, 30): (4, 1)})
    with serving(monkeypatch, series, synthetic("NOACTS")):
        prices = quick().fetch(["ACTS", "NOACTS"], FIRST, LAST)
    assert prices.actions == {
        "ACTS": (Action("2019-02-08", "dividend", 2.0), Action("2019-08-30", "split", 4.0))
    }


def test_holes_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    series = synthetic("HOLES")
    at = [position for position, row in enumerate(series.rows) if row[0].year == 2019][10:14]
    for position in at:
        series.rows[position] = (series.rows[position][0], *[None] * 5)  # type: ignore[assignment]
    days = [series.rows[position][0].isoformat() for position in at]
    with serving(monkeypatch, series, synthetic("WHOLE")):
        prices = quick().fetch(["HOLES", "WHOLE"], FIRST, LAST)
    assert (
        prices.provenance["HOLES"].note
        == f"4 sessions without a close ({', '.join(days[:3])}, ...)"
    )
    assert prices.provenance["WHOLE"].note == ""
    rows = prices.by_symbol()["HOLES"].set_index("date")
    assert rows.loc[days, "close"].isna().all()
    assert len(rows) == 261, "a hole stays a row, and is no price of 0"


def test_a_delisted_stock_ends_where_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, synthetic("ENDED", end=date(2019, 6, 28))):
        prices = quick().fetch(["ENDED"], FIRST, LAST)
    assert prices.provenance["ENDED"].last == "2019-06-28"


WIRE = SHARED / "market-data" / "yahoo-wire"


@pytest.mark.skipif(not WIRE.is_dir(), reason="recorded answers are not here")
@pytest.mark.parametrize(
    ("name", "symbol", "first", "last", "currency", "actions"),
    [
        (
            "chart-AAPL-2020-08-31-to-2020-11-07",
            "AAPL",
            "2020-08-31",
            "2020-11-06",
            "USD",
            ["dividend", "split"],
        ),
        (
            "historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv",
            "NVDA",
            "2021-02-01",
            "2022-01-28",
            "USD",
            ["split"],
        ),
        ("chart-OCDO.L-2020-01-01-to-2020-01-03", "OCDO.L", "2020-01-02", "2020-01-02", "GBp", []),
    ],
)
def test_recorded_answers(
    name: str,
    symbol: str,
    first: str,
    last: str,
    currency: str,
    actions: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))["response"]["bodyJson"]
    with serving(monkeypatch) as yahoo:
        yahoo.recorded[symbol] = body
        prices = quick().fetch([symbol], date(2020, 1, 1), date(2022, 1, 31))
    assert not prices.failures
    given = prices.provenance[symbol]
    assert (given.first, given.last, given.currency) == (first, last, currency)
    quote = body["chart"]["result"][0]["indicators"]
    np.testing.assert_array_equal(prices.table["close"], quote["quote"][0]["close"][: given.rows])
    assert sorted({action.kind for action in prices.actions.get(symbol, ())}) == actions


@pytest.mark.parametrize("kind", [DeprecationWarning, FutureWarning])
def test_no_warning_of_yfinance_is_shown(kind: type[Warning]) -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.resetwarnings()
        warnings.simplefilter("ignore", DeprecationWarning)  # as Python does
        warnings.filterwarnings("default", category=DeprecationWarning, module="^yfinance")
        with yfinance_quiet():
            warnings.warn_explicit("inplace", kind, "utils.py", 568, module="yfinance.utils")
    assert shown == []


def test_the_filter_that_yfinance_sets_at_import_is_gone() -> None:
    """Threads that change the filters can make Python pass over ours, and find the next one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=DeprecationWarning, module="^yfinance")
        with yfinance_quiet():
            asked = {f[0] for f in warnings.filters if "yfinance" in getattr(f[3], "pattern", "")}
    assert asked == {"ignore"}
