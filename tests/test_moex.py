"""The Moscow exchange over real HTTP and TLS on loopback, in the form that its server is known by."""

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

import numpy as np
import pytest
from conftest import ROOT, SHARED
from servers_standin import CHALLENGE, Authorities, Reply

from eventstudy.calendars import Sessions
from eventstudy.errors import ConfigError, NetworkError
from eventstudy.prices import Action, MoexProvider, Prices, StoreProvider, resolve
from eventstudy.prices.auto import update

ISS = "https://iss.moex.com/iss"
# The columns of 2025, in another order than the server's.
COLUMNS = [
    "TRADE_SESSION_DATE", "CLOSE", "SECID", "LEGALCLOSEPRICE", "TRADEDATE", "BOARDID", "NUMTRADES",
    "VOLUME", "OPEN", "LOW", "HIGH", "SHORTNAME", "VALUE", "WAPRICE", "MARKETPRICE2",
    "MARKETPRICE3", "ADMITTEDQUOTE", "MP2VALTRD", "MARKETPRICE3TRADESVALUE", "ADMITTEDVALUE",
    "WAVAL", "TRADINGSESSION", "CURRENCYID", "TRENDCLSPR",
]  # fmt: skip
Row = dict[str, Any]


def block(columns: list[str], rows: list[Row]) -> dict[str, Any]:
    return {"columns": columns, "data": [[row.get(name) for name in columns] for row in rows]}


def day(at: str, close: float | None, evening: float | None = None, **more: Any) -> Row:
    numbers = {"OPEN": close, "LOW": close, "HIGH": close, "NUMTRADES": 9, "VOLUME": 1000}
    late = evening if evening is not None else close
    kinds = {"LEGALCLOSEPRICE": close, "CLOSE": late, "CURRENCYID": "SUR", "BOARDID": "TQBR"}
    return {"TRADEDATE": at, "SECID": "SBER", "WAPRICE": 1.0, **numbers, **kinds, **more}


class Exchange(Authorities):
    """The server of the exchange with one security, SBER."""

    def __init__(self, rows: list[Row], board: str = "TQBR") -> None:
        super().__init__()
        self.rows = rows
        self.board = board
        self.columns = COLUMNS
        self.page = 100
        market = {"TQBR": "shares", "SNDX": "index"}.get(board, "bonds")
        self.history = (
            f"{ISS}/history/engines/stock/markets/{market}/boards/{board}/securities/SBER.json"
        )
        self.security = f"{ISS}/securities/SBER.json"
        self.dividends = f"{ISS}/securities/SBER/dividends.json"
        self.splits = f"{ISS}/statistics/engines/stock/splits.json"
        self.answers[self.history] = self.days
        columns = ["secid", "boardid", "title", "history_from", "history_till", "is_primary"]
        row = dict(zip(columns, ["SBER", board, "T+", "2013-03-25", "2025-06-30", 1], strict=True))
        self.answers[self.security] = Reply(
            json.dumps({"description": block([], []), "boards": block(columns, [row])})
        )
        self.answers[f"{ISS}/securities/NONE.json"] = Reply(
            json.dumps({"description": block([], []), "boards": block(columns, [])})
        )
        self.acts()

    def acts(
        self, splits: list[list[Any]] | None = None, dividends: list[list[Any]] | None = None
    ) -> None:
        columns = ["tradedate", "secid", "before", "after"]
        body = {"splits": {"columns": columns, "data": splits or []}}
        self.answers[self.splits] = Reply(json.dumps(body))
        columns = ["secid", "isin", "registryclosedate", "value", "currencyid"]
        data = [["SBER", "RU0009029540", *row] for row in dividends or []]
        body = {"dividends": {"columns": columns, "data": data}}
        self.answers[self.dividends] = Reply(json.dumps(body))

    def days(self, url: str) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        rows = [row for row in self.rows if query["from"] <= row["TRADEDATE"] <= query["till"]]
        start = int(query["start"])
        place = {"columns": ["INDEX", "TOTAL", "PAGESIZE"], "data": [[start, len(rows), self.page]]}
        part = block(self.columns, rows[start : start + self.page])
        return Reply(json.dumps({"history": part, "history.cursor": place}))


WEEK = [
    day("2024-07-08", 324.0, 324.07), day("2024-07-09", 320.0, 319.99),
    day("2024-07-10", 317.0, 316.68), day("2024-07-11", 296.0, 295.87),
    day("2024-07-12", 292.0, 292.21),
]  # fmt: skip


@pytest.fixture
def moscow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    with Exchange(list(WEEK)) as standin:
        for name, value in standin.env.items():
            monkeypatch.setenv(name, value)
        yield standin


def fetch(
    *symbols: str, start: str = "2024-07-08", end: str = "2024-07-12", now: str = "2025-07-01"
) -> Prices:
    moment = datetime.fromisoformat(f"{now}T09:00").replace(tzinfo=UTC)
    provider = MoexProvider(pause=0.01, timeout=2.5, now=lambda: moment)
    days = date.fromisoformat(start), date.fromisoformat(end)
    return provider.fetch(symbols or ("SBER.ME",), *days)


def test_the_close_of_a_share_is_that_of_the_main_session(moscow: Exchange) -> None:
    prices = fetch()
    assert prices.table["close"].tolist() == [324.0, 320.0, 317.0, 296.0, 292.0]
    assert prices.table["adj_close"].tolist() == prices.table["close"].tolist()
    assert prices.table["volume"].tolist() == [1000.0] * 5
    entry = prices.provenance["SBER.ME"]
    assert (entry.source, entry.detail, entry.currency) == ("moex", "iss.moex.com", "RUB")
    assert (entry.instrument, entry.timezone) == ("EQUITY", "Europe/Moscow")
    assert "LEGALCLOSEPRICE" in entry.note
    assert "shape, not recorded" in entry.note
    assert "incomplete" in " ".join(prices.notices)
    assert moscow.log[0][1]["user-agent"].startswith("eventstudy/")
    assert "(" not in moscow.log[0][1]["user-agent"]


def test_the_close_of_an_index_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [day("2023-10-16", None, 3234.78, BOARDID="SNDX", CURRENCYID="RUB", VOLUME=None)]
    with Exchange(rows, "SNDX") as standin:
        for name, value in standin.env.items():
            monkeypatch.setenv(name, value)
        standin.columns = [name for name in COLUMNS if name not in ("LEGALCLOSEPRICE", "NUMTRADES")]
        prices = fetch(start="2023-10-16", end="2023-10-20")
        assert prices.table["close"].tolist() == [3234.78]
        assert prices.provenance["SBER.ME"].instrument == "INDEX"
        assert prices.notices == ()
        assert len(standin.urls) == 3


def test_pages(moscow: Exchange) -> None:
    sessions = Sessions.of("XMOS")
    first = sessions.position(date(2023, 9, 1))
    days = [str(at) for at in sessions.dates[first : first + 250]]
    moscow.rows = [day(at, 100.0 + k) for k, at in enumerate(days)]
    prices = fetch(start="2023-09-01", end=days[-1])
    assert prices.table["date"].dt.strftime("%Y-%m-%d").tolist() == days
    assert prices.table["close"].tolist() == [100.0 + k for k in range(250)]
    starts = [parse_qs(urlsplit(u).query)["start"] for u in moscow.urls if "/history/" in u]
    assert starts == [["0"], ["100"], ["200"], ["250"]]


def test_a_day_without_a_main_session_has_no_close(moscow: Exchange) -> None:
    moscow.rows[1] = day("2024-07-09", None, 319.99)
    moscow.rows[2] = day("2024-07-10", 317.0, 316.68, NUMTRADES=0)
    closes = fetch().table["close"]
    assert closes.isna().tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("seed", range(8))
def test_no_return_joins_two_kinds_of_close(moscow: Exchange, seed: int) -> None:
    """Whatever is missing: the two kinds have no value in common here."""
    draw = random.Random(seed)
    sessions = Sessions.of("XMOS")
    first = sessions.position(date(2021, 1, 4))
    moscow.rows = [
        day(str(at), draw.choice([None, 100.0 + draw.random()]), 500.0 + draw.random(),
            NUMTRADES=draw.choice([0, 7, 7, 7]))
        for at in sessions.dates[first : first + 60]
    ]  # fmt: skip
    moscow.page = draw.choice([7, 20, 100])
    table = fetch(start="2021-01-04", end="2021-06-30").table
    main = {row["TRADEDATE"]: row["LEGALCLOSEPRICE"] for row in moscow.rows if row["NUMTRADES"]}
    wanted = [main.get(f"{at:%Y-%m-%d}") for at in table["date"]]
    given = [None if value != value else value for value in table["close"]]
    assert given == wanted
    assert table["close"].dropna().between(100, 101).all()


def test_a_split(moscow: Exchange) -> None:
    """VTB of 15 July 2024, 5,000 to one, and Transneft of 21 February 2024, one to a hundred."""
    moscow.rows = [day("2024-07-12", 0.02, VOLUME=5000), day("2024-07-15", 101.0, VOLUME=3)]
    moscow.acts(splits=[["2024-07-15", "SBER", 5000, 1], ["2024-07-15", "FIXSBER", 1, 7]])
    prices = fetch(end="2024-07-15")
    assert prices.table["close"].tolist() == pytest.approx([100.0, 101.0])
    assert prices.table["open"].tolist() == pytest.approx([100.0, 101.0])
    assert prices.table["volume"].tolist() == pytest.approx([1.0, 3.0])
    assert prices.actions["SBER.ME"] == (Action("2024-07-15", "split", 1 / 5000),)
    moscow.rows = [day("2024-02-20", 150000.0, VOLUME=3), day("2024-02-21", 1510.0, VOLUME=250)]
    moscow.acts(splits=[["2024-02-21", "SBER", 1, 100]])
    prices = fetch(start="2024-02-20", end="2024-02-21")
    assert prices.table["adj_close"].tolist() == pytest.approx([1500.0, 1510.0])
    assert prices.table["volume"].tolist() == [300.0, 250.0]
    # A range that ends before the split has the same prices.
    assert fetch(start="2024-02-20", end="2024-02-20").table["close"].tolist() == [1500.0]
    # A split that is to come has not happened.
    early = fetch(start="2024-02-20", end="2024-02-20", now="2024-02-21")
    assert early.table["close"].tolist() == [150000.0]


@pytest.mark.parametrize(
    ("record_date", "ex_date"),
    [
        # Sberbank fell by its dividend at the open of these days.
        ("2024-07-11", "2024-07-11"), ("2025-07-18", "2025-07-18"),
        ("2021-05-12", "2021-05-11"), ("2020-10-05", "2020-10-02"),
        # A Saturday: its books are those of Friday evening.
        ("2019-07-20", "2019-07-18"), ("2024-07-20", "2024-07-19"),
    ],
)  # fmt: skip
def test_ex_dates(moscow: Exchange, record_date: str, ex_date: str) -> None:
    sessions = Sessions.of("XMOS")
    at = sessions.position(date.fromisoformat(ex_date))
    around = [str(each) for each in sessions.dates[at - 2 : at + 3]]
    moscow.rows = [day(each, 100.0) for each in around]
    moscow.acts(dividends=[[record_date, 10, "RUB"], [record_date, 3, "USD"]])
    prices = fetch(start=around[0], end=around[-1], now="2026-01-05")
    assert prices.actions["SBER.ME"] == (Action(ex_date, "dividend", 10.0),)
    assert prices.table["adj_close"].tolist() == pytest.approx([90, 90, 100, 100, 100])
    assert prices.table["close"].tolist() == [100.0] * 5
    assert "1 dividend" in prices.provenance["SBER.ME"].note


def test_a_dividend_before_a_split_is_in_its_unit(moscow: Exchange) -> None:
    moscow.rows = [day("2024-07-08", 1000.0), day("2024-07-09", 900.0), day("2024-07-10", 9.0)]
    moscow.acts(splits=[["2024-07-10", "SBER", 1, 100]], dividends=[["2024-07-09", 100, "SUR"]])
    prices = fetch()
    assert prices.table["adj_close"].tolist() == pytest.approx([9.0, 9.0, 9.0])
    assert prices.actions["SBER.ME"][0] == Action("2024-07-09", "dividend", 1.0)


def test_a_dividend_after_the_range_adjusts_it(moscow: Exchange) -> None:
    """So that two ranges have the same adjusted closes on their common days."""
    moscow.acts(dividends=[["2024-07-11", 31.7, "RUB"]])
    early = fetch(end="2024-07-09").table["adj_close"].tolist()
    assert early == pytest.approx([324.0 * 0.9, 320.0 * 0.9])
    assert fetch().table["adj_close"].tolist()[:2] == early
    # One that is to come does not.
    early = fetch(now="2024-07-11")
    assert early.table["adj_close"].tolist() == [324.0, 320.0, 317.0]
    assert early.actions == {}


def test_a_day_that_is_not_over_is_left_out(moscow: Exchange) -> None:
    assert fetch(now="2024-07-12").table["date"].dt.day.tolist() == [8, 9, 10, 11]


@pytest.mark.parametrize("symbol", ["SBER", "^GSPC", "sber.ME", "../SBER.ME", "SBER/X.ME", ".ME"])
def test_symbols_of_other_exchanges_are_not_asked(moscow: Exchange, symbol: str) -> None:
    error = fetch(symbol).failures[symbol]
    assert (error.kind, error.exit_code, moscow.urls) == ("unknown_symbol", 1, [])


def test_unknown_symbols_and_empty_ranges_are_told_apart(moscow: Exchange) -> None:
    failures = fetch("NONE.ME", "SBER.ME", start="2012-01-03", end="2012-02-01").failures
    assert [failures[name].kind for name in sorted(failures)] == ["unknown_symbol", "no_prices"]
    assert [failures[name].exit_code for name in failures] == [1, 1]
    assert "2013-03-25" in failures["SBER.ME"].remedy
    assert "2025-06-30" in failures["SBER.ME"].remedy


def test_a_security_of_other_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    with Exchange([], "TQCB") as standin:
        for name, value in standin.env.items():
            monkeypatch.setenv(name, value)
        error = fetch().failures["SBER.ME"]
        assert error.kind == "unknown_symbol"
        assert "TQCB" in str(error)


def answer(columns: list[str], data: list[Any], place: list[int] | None = None) -> Reply:
    cursor = {"columns": ["INDEX", "TOTAL", "PAGESIZE"], "data": [place or [0, len(data), 100]]}
    table = {"columns": columns, "data": data}
    return Reply(json.dumps({"history": table, "history.cursor": cursor}))


NAMES = ["SECID", "BOARDID", "TRADEDATE", "LEGALCLOSEPRICE", "NUMTRADES", "CURRENCYID"]
GOOD = ["SBER", "TQBR", "2024-07-08", 324.0, 5, "SUR"]
NEXT = ["SBER", "TQBR", "2024-07-09", 320.0, 5, "SUR"]
BAD_ANSWERS: dict[str, Reply | list[Reply]] = {
    "another security": answer(NAMES, [["SBERP", *GOOD[1:]]]),
    "another board": answer(NAMES, [["SBER", "SMAL", *GOOD[2:]]]),
    "another currency": answer(NAMES, [[*GOOD[:5], "USD"]]),
    "no main close": answer(["CLOSE" if n == "LEGALCLOSEPRICE" else n for n in NAMES], [GOOD]),
    "another page": answer(NAMES, [GOOD], [100, 1, 100]),
    "the same page for ever": Reply(
        json.dumps({"history": {"columns": NAMES, "data": [GOOD, NEXT]}})
    ),
    "fewer rows than are counted": [
        answer(NAMES, [GOOD], [0, 250, 100]),
        answer(NAMES, [], [1, 250, 100]),
    ],
    "a row too short": answer(NAMES, [GOOD[:4]]),
    "no date": answer(NAMES, [["SBER", "TQBR", "8 July", 324.0, 5, "SUR"]]),
    "no number": answer(NAMES, [["SBER", "TQBR", "2024-07-08", "high", 5, "SUR"]]),
    "other form": Reply(json.dumps([{"charsetinfo": {"name": "utf-8"}}, {"history": []}])),
    "no block": Reply("{}"),
    "nothing found": Reply("{}", status=404),
    "a page": CHALLENGE,
    "no access": Reply("<html>", "text/html", 403),
    "at fault": Reply("busy", "text/plain", 503),
}


@pytest.mark.parametrize("fault", BAD_ANSWERS)
def test_answers_that_are_no_prices_may_pass(moscow: Exchange, fault: str) -> None:
    reply = BAD_ANSWERS[fault]
    # But for the fault, the answer would be whole.
    end = answer(NAMES, [], [1, 1, 100])
    is_once = isinstance(reply, Reply) and reply.status == 200 and "for ever" not in fault
    moscow.answers[moscow.history] = [reply, end] if is_once else reply
    error = fetch().failures["SBER.ME"]
    assert (error.kind, error.exit_code) == ("bad_answer", 75)
    assert error.where == "SBER.ME"


@pytest.mark.parametrize("part", ["security", "dividends", "splits"])
def test_no_part_reads_as_nothing(moscow: Exchange, part: str) -> None:
    """A page in the place of splits is not "no splits", one in that of the boards no unknown
    symbol."""
    for reply in (CHALLENGE, Reply("{}"), Reply('{"boards": {"columns": [], "data": []}}')):
        moscow.answers[getattr(moscow, part)] = reply
        error = fetch().failures["SBER.ME"]
        assert (error.kind, error.exit_code) == ("bad_answer", 75)


def test_a_rate_limit(moscow: Exchange) -> None:
    moscow.answers[moscow.history] = Reply("", status=429)
    error = fetch().failures["SBER.ME"]
    assert (error.kind, error.exit_code) == ("rate_limited", 75)


def test_a_connection_that_breaks(moscow: Exchange) -> None:
    good: Any = moscow.days
    moscow.answers[moscow.history] = [Reply(fault="drop"), Reply(fault="drop"), good]
    assert len(fetch().table) == 5
    moscow.answers[moscow.history] = Reply(fault="drop")
    with pytest.raises(NetworkError) as caught:
        fetch()
    assert caught.value.exit_code == 75
    assert {e.kind for e in fetch("NONE.ME", "SBER.ME").failures.values()} == {
        "unknown_symbol", "network",
    }  # fmt: skip


def test_ranges_of_the_cache_fit_together(moscow: Exchange, tmp_path: Path) -> None:
    """Later and earlier days are added; a dividend or a split since is one ratio, no revision."""
    sessions = Sessions.of("XMOS")
    first = sessions.position(date(2024, 1, 9))
    days = [str(at) for at in sessions.dates[first : first + 120]]
    draw = random.Random(1)
    moscow.rows = [day(at, round(100 + draw.random() * 20, 2)) for at in days]
    moscow.acts(dividends=[["2024-05-15", 9.0, "RUB"]])
    store = StoreProvider(tmp_path / "prices.sqlite")

    def ask(start: str, end: str, now: str) -> Prices:
        moment = datetime.fromisoformat(f"{now}T09:00").replace(tzinfo=UTC)
        source = MoexProvider(pause=0.01, now=lambda: moment)
        wanted = date.fromisoformat(start), date.fromisoformat(end)
        return update(store, source, ["SBER.ME"], *wanted)

    ask("2024-02-01", "2024-03-29", now="2024-05-01")
    # The dividend has been paid since, and then the share was split.
    ask("2024-02-01", "2024-04-10", now="2024-05-20")
    ask("2024-01-15", "2024-04-10", now="2024-05-20")
    late = [row for row in moscow.rows if row["TRADEDATE"] >= "2024-06-03"]
    for row in late:
        row["LEGALCLOSEPRICE"] /= 10
    moscow.acts(splits=[["2024-06-03", "SBER", 1, 10]], dividends=[["2024-05-15", 9.0, "RUB"]])
    prices = ask("2024-01-15", "2024-06-20", now="2024-06-25")
    outcomes = [fetch["outcome"] for fetch in store.history("SBER.ME")["fetches"]]
    assert outcomes == ["new", "rebase", "append", "rebase"]
    whole = fetch(start="2024-01-15", end="2024-06-20", now="2024-06-25")
    assert prices.table["adj_close"].tolist() == whole.table["adj_close"].tolist()
    assert not [text for text in prices.notices if "revised" in text]


def test_the_source_by_its_name() -> None:
    assert isinstance(resolve("moex").source, MoexProvider)  # type: ignore[attr-defined]
    with pytest.raises(ConfigError) as caught:
        resolve("moex", offline=True)
    assert caught.value.exit_code == 2


def test_the_command_keeps_its_prices(moscow: Exchange, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "eventstudy", "prices", "fetch", "--source", "moex"]
    store = ["--store", tmp_path / "store", "--start", "2024-07-08", "--end", "2024-07-12"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "SBER.ME", *store], env=env, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:6] == ["SBER.ME", "new", "2024-07-08", "2024-07-12", "5", "RUB"]
    moscow.answers[moscow.security] = CHALLENGE
    done = subprocess.run(
        [*command, "SBER.ME", *store, "--refresh"], env=env, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 75, done.stderr


SAMPLES = SHARED / "source-samples" / "moex-iss"
recorded = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no recorded answers")


@recorded
@pytest.mark.parametrize("file", ["history_moex_2014_page1_first12", "history_moex_2014_page3"])
def test_recorded_pages(moscow: Exchange, file: str) -> None:
    sample = json.loads((SAMPLES / f"{file}.json").read_text("utf-8"))["history"]
    moscow.columns = sample["columns"]
    rows = [dict(zip(sample["columns"], row, strict=True)) for row in sample["data"]]
    moscow.rows = [{**row, "SECID": "SBER"} for row in rows]
    table = fetch(start="2014-01-01", end="2014-12-31").table
    assert table["close"].tolist() == [row["LEGALCLOSEPRICE"] for row in rows]
    assert table["volume"].tolist() == [row["VOLUME"] for row in rows]
    if "page1" in file:
        assert table["close"].tolist() != [row["CLOSE"] for row in rows]


@recorded
def test_the_recorded_close_is_that_of_18_50(moscow: Exchange) -> None:
    """The last trade of the hour candle of 18:00, not of the last of the evening."""
    lines = (SAMPLES / "history_two_closes_2024-01.csv").read_text("utf-8").splitlines()
    header = lines[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in lines[1:]]
    rows = [row for row in rows if row["SECID"] == "SBER"]
    moscow.rows = [
        day(row["TRADEDATE"], float(row["LEGALCLOSEPRICE"]), float(row["CLOSE"])) for row in rows
    ]
    closes = fetch(start="2024-01-03", end="2024-01-09").table["close"].tolist()
    assert closes == [float(row["hour_candle_18_close"]) for row in rows]
    assert closes != [float(row["hour_candle_last_close"]) for row in rows]


@recorded
def test_shapes_of_splits_dividends_and_nothing(moscow: Exchange) -> None:
    for part, file in ((moscow.splits, "splits"), (moscow.dividends, "dividends")):
        moscow.answers[part] = Reply((SAMPLES / f"{file}_shape.json").read_text("utf-8"))
    prices = fetch(now="2025-07-30")
    assert prices.actions["SBER.ME"] == (Action("2024-07-11", "dividend", 33.3),)
    moscow.answers[moscow.history] = Reply((SAMPLES / "empty_shape.json").read_text("utf-8"))
    assert fetch().failures["SBER.ME"].kind == "no_prices"


@recorded
def test_the_recorded_index(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (SAMPLES / "history_imoex_sndx_2023-10.json").read_text("utf-8")
    with Exchange([], "SNDX") as standin:
        for name, value in standin.env.items():
            monkeypatch.setenv(name, value)
        page = Reply(text.replace('"IMOEX"', '"SBER"'))
        empty = json.loads(text)
        empty["history"]["data"] = []
        standin.answers[standin.history] = [page, Reply(json.dumps(empty))]
        table = fetch(start="2023-10-16", end="2023-10-17").table
        assert table["close"].tolist() == [3234.78, 3247.15]
        assert table["volume"].isna().all()


def test_the_index_of_tomorrow_explains_nothing_of_today(moscow: Exchange) -> None:
    """Trades of the evening move the last price of a share today, and its index tomorrow."""
    rng = np.random.default_rng(11)
    sessions = Sessions.of("XMOS")
    first = sessions.position(date(2023, 9, 1))
    days = sessions.dates[first : first + 300]
    in_session, in_evening = rng.normal(0, 0.01, (2, 300))
    index = np.append(0, in_evening[:-1]) + in_session
    late, on_time = [], []
    for _ in range(6):
        beta = rng.uniform(0.8, 1.2)
        own = rng.normal(0, 0.008, 300)
        legal = 100 * np.exp(np.cumsum(beta * index + own))
        last = legal * np.exp(beta * in_evening)
        moscow.rows = [day(str(at), *closes) for at, *closes in zip(days, legal, last, strict=True)]
        rows = fetch(start=str(days[0]), end=str(days[-1])).table
        for closes, found in ((rows["close"].to_numpy(), on_time), (last, late)):
            returns = np.diff(np.log(closes))[1:-1]
            x = np.column_stack([np.ones(297), index[1:-2], index[2:-1], index[3:]])
            found.append(np.linalg.lstsq(x, returns, rcond=None)[0][3])
    assert abs(np.mean(on_time)) < 0.1
    assert np.mean(late) > 0.3, "with the last trade of the day it would"
