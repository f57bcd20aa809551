"""Tiingo and EODHD over real HTTP and TLS on loopback: what they mean, and no key anywhere."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import ROOT, SHARED
from servers_standin import CHALLENGE, Reply
from vendors_standin import CANARY, Eodhd, Tiingo, Vendor, days_of, eodhd_row, tiingo_row

from eventstudy.errors import ConfigError, NetworkError, RateLimitedError
from eventstudy.prices import (
    Action,
    ChainProvider,
    EodhdProvider,
    PatientProvider,
    Prices,
    StoreProvider,
    TiingoProvider,
    resolve,
)
from eventstudy.prices.auto import update

WEEK = ["2023-02-06", "2023-02-07", "2023-02-08", "2023-02-09", "2023-02-10"]
NOW = "2023-03-01T14:20"
ELSEWHERE = "https://elsewhere.example.com/"


@pytest.fixture
def tiingo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tiingo]:
    rows = [tiingo_row(at, 100.0 + k) for k, at in enumerate(WEEK)]
    yield from serve(Tiingo({"aapl": rows}), monkeypatch)


@pytest.fixture
def eodhd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Eodhd]:
    rows = [eodhd_row(at, 100.0 + k, 90.0 + k) for k, at in enumerate(WEEK)]
    yield from serve(Eodhd({"AAPL.US": rows}), monkeypatch)


@pytest.fixture(params=["tiingo", "eodhd"])
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def serve(standin: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with standin:
        standin.answers[ELSEWHERE] = Reply("{}")
        for name, value in standin.env.items():
            monkeypatch.setenv(name, value)
        yield standin


def fetch(
    vendor: Vendor, *symbols: str, start: str = WEEK[0], end: str = WEEK[-1], now: str = NOW
) -> Prices:
    kind = TiingoProvider if isinstance(vendor, Tiingo) else EodhdProvider
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    provider = kind(pause=0.01, timeout=2.5, now=lambda: moment)
    days = date.fromisoformat(start), date.fromisoformat(end)
    return provider.fetch(symbols or ("AAPL",), *days)


def test_prices_and_where_they_are_from(vendor: Vendor) -> None:
    prices = fetch(vendor, start="2023-02-07", end="2023-02-09")
    assert prices.failures == {}
    assert prices.table["close"].tolist() == [101.0, 102.0, 103.0]
    entry = prices.provenance["AAPL"]
    assert entry.source == ("tiingo" if isinstance(vendor, Tiingo) else "eodhd")
    assert (entry.detail, entry.timezone) == (vendor.host, "America/New_York")
    assert entry.retrieved_at == "2023-03-01T14:20:00+00:00"
    assert "shape, not recorded" in entry.note
    # Tiingo has US shares, in dollars; EODHD does not say.
    assert entry.currency == ("USD" if isinstance(vendor, Tiingo) else "")
    assert len(vendor.urls) == 1


def test_the_key_is_where_the_vendor_wants_it(tiingo: Tiingo, eodhd: Eodhd) -> None:
    os.environ.update(tiingo.env)
    fetch(tiingo)
    ((url, headers),) = tiingo.log
    assert headers["authorization"] == f"Token {CANARY}"
    assert CANARY not in url
    os.environ.update(eodhd.env)
    fetch(eodhd)
    ((url, headers),) = eodhd.log
    assert parse_qs(urlsplit(url).query)["api_token"] == [CANARY]
    assert "authorization" not in headers


def test_a_split_at_tiingo(tiingo: Tiingo) -> None:
    """Its closes are raw; Yahoo's, and ours, are of the shares of today. Adjusted closes are its own."""
    tiingo.series["aapl"] = [
        tiingo_row("2023-02-06", 400.0, 98.0, divCash=4.0),
        tiingo_row("2023-02-07", 404.0, 99.0),
        tiingo_row("2023-02-08", 102.0, 100.0, splitFactor=4.0, volume=4000),
        tiingo_row("2023-02-09", 103.0, 103.0, divCash=1.0),
    ]
    prices = fetch(tiingo)
    assert prices.table["close"].tolist() == [100.0, 101.0, 102.0, 103.0]
    assert prices.table["open"].tolist() == [100.0, 101.0, 102.0, 103.0]
    assert prices.table["adj_close"].tolist() == [98.0, 99.0, 100.0, 103.0]
    assert prices.table["volume"].tolist() == [4000.0, 4000.0, 4000.0, 1000.0]
    assert prices.actions["AAPL"] == (
        Action("2023-02-06", "dividend", 1.0), Action("2023-02-08", "split", 4.0),
        Action("2023-02-09", "dividend", 1.0),
    )  # fmt: skip
    # A range that ends before the split has the same prices.
    early = fetch(tiingo, end="2023-02-07")
    assert early.table["close"].tolist() == [100.0, 101.0]
    assert early.actions["AAPL"] == (Action("2023-02-06", "dividend", 1.0),)


def test_dates_are_those_of_new_york(tiingo: Tiingo) -> None:
    """Midnight in UTC is the evening before in New York: the date part stays as it is."""
    tiingo.series["aapl"][0]["date"] = "2023-02-06T00:00:00+00:00"
    assert fetch(tiingo).table["date"].dt.strftime("%Y-%m-%d").tolist() == WEEK


def test_a_ticker_that_two_firms_had(tiingo: Tiingo) -> None:
    """One more request, only where the first row is later than asked; a holiday is not."""
    prices = fetch(tiingo, start="2023-02-04")
    assert len(tiingo.urls) == 1
    prices = fetch(tiingo, start="2022-06-01")
    assert "begins on 2023-02-06" in prices.provenance["AAPL"].note
    assert [urlsplit(url).path for url in tiingo.urls[1:]] == [
        "/tiingo/daily/aapl/prices", "/tiingo/daily/aapl",
    ]  # fmt: skip
    error = fetch(tiingo, start="2020-01-02", end="2020-06-30").failures["AAPL"]
    assert error.kind == "no_prices"
    assert "2023-02-06 to 2023-02-10" in error.remedy


def test_a_description_of_another_ticker(tiingo: Tiingo) -> None:
    good = tiingo.answer

    def answer(url: str, headers: dict[str, str]) -> Reply:
        reply = good(url, headers)
        return Reply(str(reply.body).replace('"AAPL"', '"AAPLW"'), reply.kind, reply.status)

    tiingo.answer = answer  # type: ignore[method-assign]
    error = fetch(tiingo, start="2022-06-01").failures["AAPL"]
    assert (error.kind, error.exit_code) == ("bad_answer", 75)
    assert "AAPLW" in str(error)


def test_preferred_shares(tiingo: Tiingo) -> None:
    tiingo.series = {"spg-p-j": tiingo.series["aapl"], "brk-b": tiingo.series["aapl"]}
    assert fetch(tiingo, "SPG-PJ", "BRK-B").failures == {}


@pytest.mark.parametrize(
    ("symbol", "code"),
    [
        ("BRK-B", "BRK-B.US"), ("VOD.L", "VOD.LSE"), ("0700.HK", "0700.HK"), ("SAP.DE", "SAP.XETRA"),
        ("600519.SS", "600519.SHG"), ("002415.SZ", "002415.SHE"), ("005930.KS", "005930.KO"),
        ("091990.KQ", "091990.KQ"), ("2330.TW", "2330.TW"), ("INFY.NS", "INFY.NSE"),
        ("INFY.BO", "INFY.BSE"), ("BHP.AX", "BHP.AU"), ("RCI-B.TO", "RCI-B.TO"), ("MC.PA", "MC.PA"),
        ("ENI.MI", "ENI.MI"), ("NESN.SW", "NESN.SW"), ("PETR4.SA", "PETR4.SA"),
        ("^GSPC", "GSPC.INDX"), ("^GDAXI", "GDAXI.INDX"),
    ],
)  # fmt: skip
def test_codes_of_eodhd(eodhd: Eodhd, symbol: str, code: str) -> None:
    eodhd.series = {code: eodhd.series["AAPL.US"]}
    assert fetch(eodhd, symbol).symbols == (symbol,)


NEVER = {
    "tiingo": ["^GSPC", "SBER.ME", "VOD.L", "BTC-USD", "EURUSD=X", "../aapl", "aapl", "A B", "", "A?"],
    "eodhd": ["SBER.ME", "^FTSE", "7203.T", "BTC-USD", "CL=F", "../AAPL", "vod.L", "A B.L", "", ".L"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "symbol"), [(name, symbol) for name, symbols in NEVER.items() for symbol in symbols]
)
def test_what_a_vendor_cannot_have_is_not_asked(
    name: str, symbol: str, request: pytest.FixtureRequest
) -> None:
    vendor = request.getfixturevalue(name)
    error = fetch(vendor, symbol).failures[symbol]
    assert (error.kind, error.exit_code, vendor.urls) == ("unknown_symbol", 1, [])
    assert error.remedy


def test_eodhd_keeps_its_own_adjustment(eodhd: Eodhd) -> None:
    prices = fetch(eodhd)
    assert prices.table["close"].tolist() == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert prices.table["adj_close"].tolist() == [90.0, 91.0, 92.0, 93.0, 94.0]
    note = prices.provenance["AAPL"].note
    assert "neither raw nor adjusted for splits alone" in note
    assert "four decimals" not in note
    eodhd.series["AAPL.US"][0]["adjusted_close"] = 0.25
    assert "up to 4 basis points" in fetch(eodhd).provenance["AAPL"].note


def test_days_without_trade_at_eodhd(eodhd: Eodhd) -> None:
    """One price and no volume is no session of a share; an index may have no volume at all."""
    rows = eodhd.series["AAPL.US"]
    rows[1]["volume"] = 0
    rows[2] |= {"volume": 0, "high": 150.0}
    eodhd.series["GSPC.INDX"] = [{**row, "volume": 0} for row in rows]
    prices = fetch(eodhd, "AAPL", "^GSPC")
    assert prices.by_symbol()["AAPL"]["close"].tolist() == [100.0, 102.0, 103.0, 104.0]
    assert "1 row without trade" in prices.provenance["AAPL"].note
    assert len(prices.by_symbol()["^GSPC"]) == 5
    for row in rows:
        row |= {"volume": 0, "high": row["low"]}
    assert fetch(eodhd).failures["AAPL"].kind == "no_prices"


def test_a_free_plan_of_eodhd(eodhd: Eodhd) -> None:
    """It has one year, and says so beside its rows, in a row alone, or in their place."""
    text = "Data is limited by one year as you have free subscription"
    good = json.dumps(eodhd.series["AAPL.US"])
    for body in (
        good[:-2] + f', "warning": "{text}"}}]',
        good[:-1] + f', {{"warning": "{text}"}}]',
    ):
        eodhd.fault = Reply(body)
        prices = fetch(eodhd, start="2020-01-02")
        assert len(prices.table) == 5
        assert text in prices.provenance["AAPL"].note
        assert [text in notice for notice in prices.notices] == [True]
    eodhd.fault = Reply(json.dumps([{"warning": text}]))
    error = fetch(eodhd, start="2020-01-02").failures["AAPL"]
    assert (error.kind, error.exit_code) == ("no_prices", 1)
    assert text in str(error)


def test_the_day_that_is_not_over_is_left_out(vendor: Vendor) -> None:
    """It is Thursday evening in New York."""
    assert len(fetch(vendor, now="2023-02-10T03:00").table) == 3
    assert len(fetch(vendor, now="2023-02-10T06:00").table) == 4
    error = fetch(vendor, start="2023-03-01", end="2023-03-09").failures["AAPL"]
    assert (error.kind, error.exit_code) == ("no_prices", 1)


def test_unknown_symbols_and_empty_ranges(vendor: Vendor) -> None:
    prices = fetch(vendor, "NONE", "AAPL")
    assert prices.symbols == ("AAPL",)
    assert (prices.failures["NONE"].kind, prices.failures["NONE"].exit_code) == (
        "unknown_symbol",
        1,
    )
    failures = fetch(vendor, start="2019-02-04", end="2019-02-08").failures
    assert (failures["AAPL"].kind, failures["AAPL"].exit_code) == ("no_prices", 1)


HOURLY = (
    "Error: You have run over your hourly request allocation. Please upgrade at "
    "https://api.tiingo.com/pricing to have your limits increased."
)
MONTHLY = "You have run over your 500 symbol look up for this month. Please upgrade."
LIMITS: dict[str, tuple[str, Reply, str | None]] = {
    "hour": ("tiingo", Reply(json.dumps({"detail": HOURLY}), status=429), "2023-03-01T15:00"),
    "hour with 200": ("tiingo", Reply(HOURLY, "text/plain"), "2023-03-01T15:00"),
    "day": ("tiingo", Reply(HOURLY.replace("hour", "dai"), "text/plain"), "2023-03-02T05:00"),
    "month with 200": ("tiingo", Reply(MONTHLY, "text/plain"), None),
    "month as JSON": ("tiingo", Reply(json.dumps(MONTHLY)), None),
    "month with 404": ("tiingo", Reply(json.dumps({"detail": MONTHLY}), status=404), None),
    "day at eodhd": (
        "eodhd",
        Reply("You exceeded your daily API requests limit.  Please contact us", "text/html", 402),
        "2023-03-02T00:00",
    ),
    "no words": ("eodhd", Reply("", "text/html", 402), None),
    "minute": ("eodhd", Reply("Too Many Requests", "text/html", 429), None),
}  # fmt: skip


@pytest.mark.parametrize("case", LIMITS)
def test_a_limit_is_no_absence(case: str, request: pytest.FixtureRequest) -> None:
    """And says when it ends, where that is known; after three the rest is not asked."""
    name, reply, until = LIMITS[case]
    vendor = request.getfixturevalue(name)
    vendor.fault = reply
    failures = fetch(vendor, "AAPL", "MSFT", "NVDA", "AMD", "IBM").failures
    assert {(error.kind, error.exit_code) for error in failures.values()} == {("rate_limited", 75)}
    wanted = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    for error in failures.values():
        assert isinstance(error, RateLimitedError)
        assert error.until == wanted
        assert not until or until.replace("T", " ") in error.remedy
    tries = 3 if case == "minute" else 1
    assert len(vendor.urls) == 3 * tries
    vendor.fault = None
    assert fetch(vendor).symbols == ("AAPL",)


def test_a_limit_of_so_many_seconds(vendor: Vendor) -> None:
    vendor.fault = Reply("", status=429, headers={"Retry-After": "900"})
    error = fetch(vendor).failures["AAPL"]
    assert isinstance(error, RateLimitedError)
    assert error.until is not None
    assert 800 < (error.until - datetime.now(UTC)).total_seconds() <= 900
    assert len(vendor.urls) == 1


def test_a_limit_among_several_sources(tiingo: Tiingo) -> None:
    tiingo.fault = LIMITS["hour"][1]
    now = datetime.fromisoformat(NOW).replace(tzinfo=UTC)
    limited = TiingoProvider(pause=0.01, now=lambda: now)
    both = ChainProvider({"tiingo": limited, "sample": resolve("sample")})
    prices = both.fetch(["AAPL", "NONE"], date(2020, 2, 3), date(2020, 2, 7))
    assert prices.symbols == ("AAPL",)
    error = prices.failures["NONE"]
    assert isinstance(error, RateLimitedError)
    assert error.until == now.replace(hour=15, minute=0)


REFUSED: dict[str, Reply] = {
    "403": Reply("None", "text/plain", 403),
    "403 without words": Reply("", "text/plain", 403),
    "401": Reply('{"detail":"Invalid token."}', status=401),
    "401 as a page": Reply("Unauthenticated", "text/html; charset=UTF-8", 401),
    "200": Reply("Please supply a token", "text/plain"),
    "plan": Reply("Only EOD data allowed for free users.", "text/html", 403),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_key_that_is_refused_ends_all(vendor: Vendor, case: str) -> None:
    """To try later would not help."""
    vendor.fault = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        fetch(vendor, "AAPL", "MSFT")
    assert caught.value.exit_code == 2
    assert vendor.variable in str(caught.value)
    assert len(vendor.urls) == 1


@pytest.mark.parametrize("key", ["", " ", "two words", "line\nbreak", '"quoted"', "kéy"])
def test_without_a_key_nothing_is_asked(
    vendor: Vendor, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(vendor.variable, key)
    with pytest.raises(ConfigError) as caught:
        fetch(vendor)
    assert caught.value.exit_code == 2
    assert vendor.variable in str(caught.value)
    assert not key.strip() or key.strip() not in str(caught.value)
    assert vendor.urls == []


def test_blanks_around_a_key_are_none_of_it(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(vendor.variable, f"{CANARY}\n")
    assert fetch(vendor).symbols == ("AAPL",)


GOOD = {
    "tiingo": tiingo_row(WEEK[0], 100.0),
    "eodhd": eodhd_row(WEEK[0], 100.0),
}
BAD_ANSWERS: dict[str, Reply] = {
    "page": CHALLENGE,
    "page with 403": Reply("<html>Access denied</html>", "text/html", 403),
    "page with 404": Reply("<!doctype html>", "text/html", 404),
    "at fault": Reply("busy", "text/plain", 503),
    "half": Reply(json.dumps([GOOD["tiingo"]])[:60]),
    "nothing": Reply(""),
    "null": Reply("null"),
    "empty object": Reply("{}"),
    "empty object with 404": Reply("{}", status=404),
    "another 404": Reply('{"detail": "Not found."}', status=404),
    "sentence": Reply("The service is in maintenance", "text/plain"),
    "sentence as JSON": Reply('"The service is in maintenance"'),
    "other rows": Reply('[{"a": 1}]'),
    "no rows": Reply("[1, 2]"),
    "CSV": Reply("date,close\n2023-02-06,1\n", "text/csv"),
    "no date": Reply(json.dumps([{**GOOD["tiingo"], **GOOD["eodhd"], "date": "6 February"}])),
    "no number": Reply(json.dumps([{**GOOD["tiingo"], **GOOD["eodhd"], "close": "high"}])),
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_answers_that_are_no_prices_may_pass(vendor: Vendor, case: str) -> None:
    vendor.fault = BAD_ANSWERS[case]
    error = fetch(vendor).failures["AAPL"]
    assert (error.kind, error.exit_code, error.where) == ("bad_answer", 75, "AAPL")


def test_a_split_of_nothing_may_pass(tiingo: Tiingo) -> None:
    tiingo.series["aapl"][2]["splitFactor"] = 0
    assert fetch(tiingo).failures["AAPL"].kind == "bad_answer"


@pytest.mark.parametrize("fault", ["drop", "cut", "open cut", "hang"])
def test_a_connection_that_breaks(vendor: Vendor, fault: str) -> None:
    vendor.fault = Reply(json.dumps([{**GOOD["tiingo"], **GOOD["eodhd"]}]), fault=fault)
    if fault == "open cut":
        # Nothing says how long it is, but half of a list is none.
        assert fetch(vendor).failures["AAPL"].kind == "bad_answer"
        return
    with pytest.raises(NetworkError) as caught:
        fetch(vendor)
    assert caught.value.exit_code == 75


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_key_is_not_sent_on(vendor: Vendor, status: int) -> None:
    vendor.fault = Reply(status=status, headers={"Location": f"{ELSEWHERE}?x=1"})
    with pytest.raises(NetworkError) as caught:
        fetch(vendor)
    assert {urlsplit(url).netloc for url in vendor.urls} == {vendor.host}
    assert "elsewhere.example.com" in str(caught.value)


def everything_of(error: BaseException | None) -> str:
    """Return all texts of an exception and of those behind it."""
    text = ""
    while error is not None:
        text += repr(error) + str(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return text


@pytest.mark.parametrize("case", [*BAD_ANSWERS, "drop", "hang", "redirect", "circle", "echo"])
def test_no_failure_has_the_key(vendor: Vendor, case: str) -> None:
    others = {
        "drop": Reply(fault="drop"), "hang": Reply(fault="hang"),
        "redirect": Reply(status=302, headers={"Location": f"{ELSEWHERE}?api_token={CANARY}"}),
        "circle": Reply(status=302, headers={"Location": f"https://{vendor.host}/?k={CANARY}"}),
        "echo": Reply(f"No plan of {CANARY} has this", "text/plain"),
    }  # fmt: skip
    vendor.fault = {**BAD_ANSWERS, **others}[case]
    kind = TiingoProvider if isinstance(vendor, Tiingo) else EodhdProvider
    provider = kind(pause=0.01, timeout=0.5)
    failure: BaseException
    try:
        failure = provider.fetch(["AAPL"], date(2023, 2, 6), date(2023, 2, 10)).failures["AAPL"]
    except NetworkError as error:
        failure = error
    assert CANARY not in everything_of(failure)
    assert CANARY not in repr(provider) + repr(vars(provider))


def test_ranges_of_the_cache_fit_together(vendor: Vendor, tmp_path: Path) -> None:
    """Later days are added; a dividend since is one ratio, no revision."""
    days = days_of("2023-01-03", 120)
    draw = random.Random(1)
    raw = [round(100 + draw.random() * 20, 2) for _ in days]
    is_tiingo = isinstance(vendor, Tiingo)
    row = tiingo_row if is_tiingo else eodhd_row
    code = "aapl" if is_tiingo else "AAPL.US"
    store = StoreProvider(tmp_path / "prices.sqlite")

    def ask(end: str, factor: float) -> None:
        paid = "2023-04-03"
        vendor.series[code] = [
            row(at, close, round(close * (factor if at < paid else 1), 10))
            for at, close in zip(days, raw, strict=True)
        ]
        kind = TiingoProvider if is_tiingo else EodhdProvider
        moment = datetime.fromisoformat(f"{end}T20:00").replace(tzinfo=UTC)
        source = kind(pause=0.01, now=lambda: moment)
        update(store, source, ["AAPL"], date(2023, 1, 3), date.fromisoformat(end))

    ask("2023-02-24", 1.0)
    ask("2023-03-17", 1.0)
    ask("2023-04-21", 0.98)
    outcomes = [fetch["outcome"] for fetch in store.history("AAPL")["fetches"]]
    assert outcomes == ["new", "append", "rebase"]


def test_the_sources_by_their_names() -> None:
    for name, kind in (("tiingo", TiingoProvider), ("eodhd", EodhdProvider)):
        patient = resolve(name)
        assert isinstance(patient, PatientProvider)
        assert isinstance(patient.source, kind)
    with pytest.raises(ConfigError) as caught:
        resolve("tiingo", offline=True)
    assert caught.value.exit_code == 2


SAMPLES = SHARED / "source-samples"
recorded = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no recorded answers")


@recorded
def test_recorded_rows_of_tiingo(tiingo: Tiingo) -> None:
    text = (SAMPLES / "tiingo" / "eod_aapl_2023-02_dividend_day.json").read_text("utf-8")
    tiingo.series["aapl"] = json.loads(text)
    prices = fetch(tiingo, start="2023-02-09", end="2023-02-13")
    assert prices.table["close"].tolist() == [150.87, 151.01, 153.85]
    assert prices.table["adj_close"].tolist() == [149.6405769631, 150.0075618737, 152.8287093191]
    assert prices.actions["AAPL"] == (Action("2023-02-10", "dividend", 0.23),)
    tiingo.fault = Reply((SAMPLES / "tiingo" / "eod_googl_2018.csv").read_text("utf-8"), "text/csv")
    assert fetch(tiingo).failures["AAPL"].kind == "bad_answer"


@recorded
def test_recorded_rows_of_eodhd(eodhd: Eodhd) -> None:
    path = SAMPLES / "eodhd" / "eod_bhp_au_2025-10-05_picked_rows.json"
    eodhd.series["BHP.AU"] = json.loads(path.read_text("utf-8"))
    prices = fetch(eodhd, "BHP.AX", start="1993-01-01", end="2022-12-31")
    table = prices.table
    assert table["adj_close"].tolist()[:2] == [1.3897, 1.3953]
    assert len(table) == len([r for r in eodhd.series["BHP.AU"] if r["date"] <= "2022-12-31"])
    assert prices.provenance["BHP.AX"].timezone == "Australia/Sydney"


def run(vendor: Vendor, folder: Path, *args: object, code: int) -> str:
    """Run the command line; return what it said, in which the key must not be."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(folder / "home")}
    done = subprocess.run(
        [sys.executable, "-m", "eventstudy", *map(str, args)], env=env, capture_output=True,
        text=True, timeout=300, check=False, cwd=folder,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert CANARY not in said
    assert places_of(folder, CANARY) == []
    return said


def places_of(folder: Path, text: str) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if text.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_study_by_the_command_line(vendor: Vendor, tmp_path: Path) -> None:
    """The key is in no output and no file, whatever happens; exit codes say what to do."""
    days = days_of("2022-01-03", 280)
    draw = random.Random(3)
    is_tiingo = isinstance(vendor, Tiingo)
    row = tiingo_row if is_tiingo else eodhd_row
    names = ["AAPL", "MSFT", "SPY"]
    for name in names:
        code = name.lower() if is_tiingo else f"{name}.US"
        vendor.series[code] = [row(at, 100 + 5 * draw.random()) for at in days]
    events = tmp_path / "events.csv"
    events.write_text("ticker,announced_at\nAAPL,2022-12-15\nMSFT,2022-12-06\n", "utf-8")
    name = "tiingo" if is_tiingo else "eodhd"
    options = [events, "--prices", name, "--benchmark", "SPY", "--out", tmp_path / "r", "--debug"]
    logs = ["--log-format", "json"]
    run(vendor, tmp_path, "run", *options, *logs, code=0)
    kept = next((tmp_path / "r").rglob("manifest.json")).parent
    assert name in (kept / "manifest.json").read_text("utf-8")
    vendor.fault = REFUSED["401"]
    said = run(vendor, tmp_path, "run", *options, *logs, "--force", code=2)
    assert "Traceback" in said
    assert vendor.variable in said
    for reply in (Reply(fault="drop"), CHALLENGE, LIMITS["hour"][1]):
        vendor.fault = reply
        run(vendor, tmp_path, "run", *options, *logs, "--force", code=75)
    asked = len(vendor.urls)
    run(vendor, tmp_path, "refresh", *options, *logs, code=75)
    # The limit has not ended.
    assert len(vendor.urls) == asked
    store = ["--store", tmp_path / "store", "--start", "2022-12-01", "--end", "2022-12-31"]
    vendor.fault = None
    run(vendor, tmp_path, "prices", "fetch", "AAPL", "--source", name, *store, "--debug", code=0)
    run(vendor, tmp_path, "prices", "show", "AAPL", "--store", tmp_path / "store", code=0)
    run(vendor, tmp_path, "prices", "fetch", "NONE", "--source", name, *store, "--debug", code=1)
    os.environ.pop(vendor.variable)
    said = run(vendor, tmp_path, "run", *options, "--force", *store[:2], code=2)
    assert "tiingo.com/account" in said or "eodhd.com/cp" in said
