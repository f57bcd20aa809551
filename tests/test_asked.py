"""Prices of source files and queries: addresses over TLS on loopback, SQLite, DuckDB, Parquet."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from run_folders import SHORT, Project, invoke
from servers_standin import CHALLENGE, Authorities, Reply

from eventstudy.errors import (
    BadAnswerError,
    ConfigError,
    DataError,
    NetworkError,
    NoPricesError,
    RateLimitedError,
    UnknownSymbolError,
    hide_secrets,
)
from eventstudy.prices import Prices, resolve
from eventstudy.runs.record import Record

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("sqlalchemy")
FIRST, LAST = date(2024, 1, 2), date(2024, 1, 9)
DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"]
CSV = "date,close\n2024-01-02,1.5\n2024-01-03,1.25\n"
HOST = "https://api.vendor.example"


def described(folder: Path, text: str) -> Path:
    path = folder / "vendor.toml"
    path.write_text(text, encoding="utf-8")
    return path


def fetch(spec: Path | str, *symbols: str, first: date = FIRST, last: date = LAST) -> Prices:
    return resolve(spec).fetch(symbols, first, last)


def closes(prices: Prices, symbol: str) -> list[float]:
    return prices.table.loc[prices.table["symbol"] == symbol, "close"].tolist()


# --- an address ---


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Authorities]:
    with Authorities({f"{HOST}/": Reply("{}")}) as standin:
        for name, value in standin.env.items():
            monkeypatch.setenv(name, value)
        yield standin


def address(folder: Path, url: str = "/{symbol}?from={start}&to={end}", more: str = "") -> Path:
    return described(folder, f'kind = "url"\nurl = "{HOST}{url}"\npause = 0.0\n{more}')


def test_an_address_is_filled_and_each_value_is_quoted(vendor: Authorities, tmp_path: Path) -> None:
    for name in ("BRK%20B", "%5EGSPC", "..%2Fx", "A%26to%3D9%23"):
        vendor.answers[f"{HOST}/{name}"] = Reply(CSV, "text/csv")
    asked = ["BRK B", "^GSPC", "../x", "A&to=9#", ".."]
    more = 'currency = "USD"\nadjusted = true'
    prices = fetch(address(tmp_path, more=more), *asked)
    assert sorted(prices.provenance) == sorted(asked[:4])
    assert closes(prices, "^GSPC") == [1.5, 1.25]
    assert prices.table["adj_close"].tolist() == [1.5, 1.25] * 4
    assert vendor.urls[0] == f"{HOST}/BRK%20B?from=2024-01-02&to=2024-01-09"
    assert len(vendor.urls) == 4
    assert isinstance(prices.failures[".."], UnknownSymbolError)
    entry = prices.provenance["BRK B"]
    assert (entry.source, entry.detail) == ("api.vendor.example", "vendor.toml")
    assert (entry.currency, entry.rows) == ("USD", 2)
    assert entry.retrieved_at
    assert "closes taken as adjusted" in entry.note


def test_keys_are_named_and_other_forms_of_a_day(
    vendor: Authorities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_CODE", "s3 cret/of-mine")
    vendor.answers[f"{HOST}/v1/AMD"] = Reply(CSV)
    more = 'headers = { Authorization = "Token {env:VENDOR_CODE}" }'
    path = address(tmp_path, "/v1/{symbol}?d={start:%Y%m%d}&key={env:VENDOR_CODE}", more)
    assert closes(fetch(path, "AMD"), "AMD") == [1.5, 1.25]
    url, headers = vendor.log[0]
    assert url == f"{HOST}/v1/AMD?d=20240102&key=s3%20cret%2Fof-mine"
    assert headers["authorization"] == "Token s3 cret/of-mine"
    # An answer that repeats the key.
    vendor.answers[f"{HOST}/v1/AMD"] = Reply("s3 cret/of-mine is odd", status=418)
    assert "***" in str(fetch(path, "AMD").failures["AMD"])
    for value in ("", "a\nb", "ключ"):
        monkeypatch.setenv("VENDOR_CODE", value)
        with pytest.raises(ConfigError, match="VENDOR_CODE"):
            fetch(path, "AMD")


JSON_FORMS: dict[str, tuple[str, Any]] = {
    "objects": ('rows = "data.prices[*]"', {"data": {"prices": [
        {"d": day, "px": 2.0 + k, "close": 9.0} for k, day in enumerate(DAYS[:2])
    ]}}),
    "lists": ('rows = "history.data"\nnames = "history.columns"', {"history": {
        "columns": ["px", "d"], "data": [[2.0, DAYS[0]], ["3.0", DAYS[1]]],
    }}),
    "columns": ('rows = "results[0]"', {"results": [{"d": DAYS[:2], "px": [2.0, 3.0]}]}),
    "a list": ("", [{"d": DAYS[0], "px": 2.0}, {"d": DAYS[1], "px": 3.0}]),
}  # fmt: skip


@pytest.mark.parametrize("form", JSON_FORMS)
def test_forms_of_json(form: str, vendor: Authorities, tmp_path: Path) -> None:
    more, document = JSON_FORMS[form]
    vendor.answers[f"{HOST}/AMD"] = Reply(json.dumps(document))
    more = f'format = "json"\n{more}\n[columns]\ndate = "d"\nclose = "px"\n'
    assert closes(fetch(address(tmp_path, more=more), "AMD"), "AMD") == [2.0, 3.0]


def test_midnight_is_that_of_a_date_whatever_the_zone(vendor: Authorities, tmp_path: Path) -> None:
    """A vendor writes New York's session of 2 January as midnight of that day in UTC."""
    vendor.answers[f"{HOST}/AMD"] = Reply(
        json.dumps([{"date": f"{day}T00:00:00.000Z", "close": 5.0} for day in DAYS])
    )
    more = 'format = "json"\nzone = "America/New_York"\n'
    table = fetch(address(tmp_path, more=more), "AMD").table
    assert table["date"].dt.strftime("%Y-%m-%d").tolist() == DAYS


def test_symbols_that_the_source_spells_otherwise(vendor: Authorities, tmp_path: Path) -> None:
    vendor.answers[f"{HOST}/SPX.INDX"] = Reply("ticker,date,close\nSPX,2024-01-03,7\n")
    path = address(tmp_path, more='[symbols]\n"^GSPC" = "SPX.INDX"\n')
    assert closes(fetch(path, "^GSPC"), "^GSPC") == [7.0]


def test_a_limit_ends_the_asking(vendor: Authorities, tmp_path: Path) -> None:
    limits = 'limit_keys = ["Note", "run over your"]'
    for body in ('{"Note": "25 a day"}', "You have run over your 500 symbol look up"):
        vendor.answers = {f"{HOST}/A": Reply(CSV), f"{HOST}/B": Reply(body)}
        vendor.log.clear()
        store = tmp_path / body[:3]
        source = resolve(address(tmp_path, more=limits), store=store)
        prices = source.fetch(["A", "B", "C"], FIRST, LAST)
        assert prices.symbols == ("A",)
        assert [type(prices.failures[s]) for s in "BC"] == [RateLimitedError] * 2
        assert len(vendor.urls) == 2
        # The next command of the night leaves it alone.
        assert source.fetch(["A"], FIRST, LAST).symbols == ()
        assert len(vendor.urls) == 2
        assert "api.vendor.example" in invoke("prices", "status", "--store", store, code=0)


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply("[]"), NoPricesError, "no rows of it"),
        (Reply("date,close\n"), NoPricesError, "no rows of it"),
        (Reply('{"detail": "not found"}', status=404), UnknownSymbolError, "compare the address"),
        (Reply("no", status=403), BadAnswerError, "refuses the key"),
        (Reply("pay", status=402), RateLimitedError, "HTTP 402"),
        (Reply("<p>please solve"), BadAnswerError, "a page"),
        (CHALLENGE, BadAnswerError, "a page"),
        (Reply("Ticker not found"), BadAnswerError, "no date column, got 'Ticker not found'"),
        (Reply("date,close\n2024-01-03,much\n"), BadAnswerError, ":2: close: not a number"),
        (Reply("date,close\n2024-01-03,1,5\n"), BadAnswerError, ":2"),
    ],
)  # fmt: skip
def test_answers_that_are_no_prices(
    reply: Reply, kind: type[Exception], said: str, vendor: Authorities, tmp_path: Path
) -> None:
    vendor.answers[f"{HOST}/AMD"] = reply
    failure = fetch(address(tmp_path), "AMD").failures["AMD"]
    assert type(failure) is kind
    assert said in str(failure)


def test_json_without_the_rows(vendor: Authorities, tmp_path: Path) -> None:
    for body in ('{"data": 5}', "half of", '{"other": []}', '{"data": [3]}'):
        vendor.answers[f"{HOST}/AMD"] = Reply(body)
        path = address(tmp_path, more='format = "json"\nrows = "data"')
        assert type(fetch(path, "AMD").failures["AMD"]) is BadAnswerError


def test_no_key_goes_to_another_host(
    vendor: Authorities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_CODE", "s3cret-of-mine")
    other = "https://other.example"
    vendor.answers[f"{other}/"] = Reply(CSV)
    vendor.answers[f"{HOST}/AMD"] = Reply(status=302, headers={"Location": f"{other}/"})
    more = 'headers = { X-Key = "{env:VENDOR_CODE}" }'
    with pytest.raises(NetworkError, match=r"sends us on to other\.example"):
        fetch(address(tmp_path, more=more), "AMD")
    assert all(url.startswith(HOST) for url in vendor.urls)


def test_a_server_that_is_not_there(vendor: Authorities, tmp_path: Path) -> None:
    vendor.answers.clear()
    with pytest.raises(NetworkError):
        fetch(address(tmp_path), "AMD")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://stooq.com/q/d/l/?s={symbol}", "Stooq gives prices to people only"),
        ("http://api.example.org/{symbol}", "https://"),
        ("https://me:pass-w0rd@api.example.org/{symbol}", "without a user"),
        ("https://{symbol}.example.org/", "a place to fill"),
        ("https://api.example.org/all.csv", "no {symbol}"),
        ("https://api.example.org/{symbol}/{ticker}", "no {symbol}"),
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        resolve(described(tmp_path, f'kind = "url"\nurl = "{url}"\n'))
    assert said in str(raised.value)
    assert "pass-w0rd" not in str(raised.value)


# --- the file ---


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "url\n', "is no TOML (at line 1"),
        (f"kind = {'[' * 2000}", "is no TOML (nested too deeply)"),
        ('events = "a.csv"\n', "begin with kind"),
        ('kind = "sql"\n', "needs url, query"),
        ('kind = "url"\nurl = "x"\ncurency = "USD"\n', "did you mean 'currency'?"),
        ('kind = "url"\nurl = ["x"]\n', "vendor.toml: url: is of another type"),
        ('kind = "parquet"\npath = "x"\nzone = "Mars/Base"\n', "unknown time zone"),
        ('kind = "parquet"\npath = "x"\n', "no Parquet file is there"),
        ('kind = "duckdb"\nquery = "SELECT 1"\ndatabase = "x.db"\n', "no such database file"),
        ('kind = "sql"\nurl = "sqlite:///x.db"\nquery = "SELECT :symbol"\n', "no such database"),
        ('kind = "sql"\nurl = "nonsense"\nquery = "SELECT :symbol"\n', "is no address"),
        ('kind = "sql"\nurl = "sqlite:///x"\nquery = "SELECT 1"\n', "does not ask for symbols"),
        ('kind = "sql"\nurl = "x"\nquery = "DROP TABLE t"\n', "not one SELECT"),
        ('kind = "sql"\nurl = "x"\nquery = "SELECT 1; DROP TABLE t"\n', "not one SELECT"),
        ('kind = "url"\nurl = "https://a.example/{symbol}"\nformat = "xml"\n', "unknown format"),
    ],
)  # fmt: skip
def test_faults_of_a_source_file(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        resolve(described(tmp_path, text))
    assert said in str(raised.value)


@pytest.mark.parametrize("spec", ["duckdb", "duckdb:", "sql", "sql:SELECT 1", "sql:A B:SELECT 1"])
def test_short_forms_that_are_none(spec: str) -> None:
    with pytest.raises(ConfigError, match="not a query as a source of prices"):
        resolve(spec)


def test_offline_asks_no_other_machine(tmp_path: Path) -> None:
    for text in (
        f'kind = "url"\nurl = "{HOST}/{{symbol}}"\n',
        'kind = "sql"\nurl = "postgresql://db.example/x"\nquery = "SELECT :symbol"\n',
    ):
        with pytest.raises(ConfigError, match="needs the network"):
            resolve(described(tmp_path, text), offline=True)


# --- databases ---

QUERY = "SELECT ticker, day AS date, px AS close FROM t WHERE ticker IN (:symbols)"


def make_sqlite(folder: Path, rows: list[tuple[Any, ...]]) -> Path:
    with closing(sqlite3.connect(folder / "prices.db")) as connection:
        connection.execute("CREATE TABLE t (ticker, day, px)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.commit()
    return folder / "prices.db"


def sql_file(folder: Path, query: str = QUERY, more: str = "") -> Path:
    text = f'kind = "sql"\nurl = "sqlite:///prices.db"\nquery = "{query}"\n{more}'
    return described(folder, text)


ROWS = [(name, day, 5.0 + k) for name in ("A", "O'B; --", "C") for k, day in enumerate(DAYS)]


@pytest.mark.parametrize(
    "query",
    [
        QUERY,
        QUERY.replace("(:symbols)", ":symbols") + " AND day BETWEEN :start AND :end ORDER BY 1",
        "-- one by one\\nSELECT day AS Date, px AS price FROM t WHERE ticker = :symbol;",
        (
            "WITH u AS (SELECT * FROM t) SELECT ticker, day AS date, px AS close FROM u "
            "WHERE ticker in ( :symbols ) AND day >= :start"
        ),
    ],
)
def test_a_database(query: str, tmp_path: Path) -> None:
    make_sqlite(tmp_path, ROWS)
    prices = fetch(sql_file(tmp_path, query), "A", "O'B; --", "NONE", first=date(2024, 1, 3))
    assert prices.symbols == ("A", "O'B; --")
    assert closes(prices, "O'B; --") == [6.0, 7.0, 8.0, 9.0, 10.0]
    entry = prices.provenance["A"]
    assert (entry.source, entry.detail) == ("sql", "vendor.toml (sqlite prices.db)")
    assert list(prices.failures) == ["NONE"]
    assert "no rows of it from vendor.toml (sqlite prices.db)" in str(prices.failures["NONE"])


def test_all_days(tmp_path: Path) -> None:
    make_sqlite(tmp_path, ROWS)
    query = QUERY + " AND day BETWEEN :start AND :end"
    prices = fetch(sql_file(tmp_path, query), "A", first=date.min, last=date.max)
    assert len(closes(prices, "A")) == 6
    LAKE.rename(columns={"px": "close", "day": "date"}).to_csv(tmp_path / "t.csv", index=False)
    path = duckdb_file(tmp_path, "SELECT * FROM 't.csv'")
    assert len(closes(fetch(path, "A", first=date.min, last=date.max), "A")) == 6


def test_more_symbols_than_one_query_takes(tmp_path: Path) -> None:
    names = [f"S{k}" for k in range(502)]
    make_sqlite(tmp_path, [(name, DAYS[0], 1.0 + k) for k, name in enumerate(names)])
    prices = fetch(sql_file(tmp_path), *names)
    assert len(prices.symbols) == 502
    assert closes(prices, "S501") == [502.0]


def test_text_in_sqlite(tmp_path: Path) -> None:
    rows = [
        ("A", f"{day} 00:00:00", text) for day, text in zip(DAYS, ["1,5", "2,25"], strict=False)
    ]
    make_sqlite(tmp_path, [*rows, ("B", "02/03/2024", 1), ("C", DAYS[0], "much")])
    query = QUERY + " AND day BETWEEN :start AND :end"
    prices = fetch(sql_file(tmp_path, query), "A", "C", last=date(2024, 1, 3))
    assert closes(prices, "A") == [1.5, 2.25]
    assert "answer of vendor.toml (sqlite prices.db):3: close: not a number, got 'much'" in str(
        prices.failures["C"]
    )
    with pytest.raises(DataError, match=r"prices\.db\):1: date: no date of the file shows"):
        fetch(sql_file(tmp_path), "B")


def test_a_query_that_fails_says_nothing_of_itself(tmp_path: Path) -> None:
    make_sqlite(tmp_path, ROWS)
    for query in (
        "SELECT hush_hush FROM t WHERE ticker IN :symbols",
        "SELECT day AS date, px AS close FROM t WHERE ticker IN :symbols AND px = :hush_hush",
    ):
        with pytest.raises(DataError, match="the query fails") as raised:
            fetch(sql_file(tmp_path, query), "A")
        assert "hush" not in str(raised.value)
        assert raised.value.__suppress_context__


def test_nothing_is_written(tmp_path: Path) -> None:
    make_sqlite(tmp_path, ROWS)
    query = "WITH a AS (SELECT 1) DELETE FROM t WHERE ticker IN :symbols RETURNING ticker"
    with pytest.raises(DataError, match=r"the query fails \(OperationalError: .*not allowed\)"):
        fetch(sql_file(tmp_path, query), "A")
    assert len(closes(fetch(sql_file(tmp_path), "A"), "A")) == 6


def test_rows_without_a_ticker_for_several(tmp_path: Path) -> None:
    make_sqlite(tmp_path, ROWS)
    query = "SELECT day AS date, px AS close FROM t WHERE ticker IN :symbols"
    with pytest.raises(DataError, match="no column that names the ticker"):
        fetch(sql_file(tmp_path, query), "A", "C")


def test_columns_by_name(tmp_path: Path) -> None:
    make_sqlite(tmp_path, ROWS)
    query = "SELECT ticker AS T, day AS D, px AS PX, 1 AS close FROM t WHERE ticker IN :symbols"
    more = '[columns]\nsymbol = "T"\ndate = "D"\nclose = "PX"\n'
    assert closes(fetch(sql_file(tmp_path, query, more), "A"), "A")[0] == 5.0
    with pytest.raises(DataError, match="no such column, got 'PRICE'; they have T, D, PX, close"):
        fetch(sql_file(tmp_path, query, more.replace('"PX"', '"PRICE"')), "A")


def test_a_daily_file_of_crsp_is_one_of_returns(tmp_path: Path) -> None:
    make_sqlite(tmp_path, ROWS)
    query = "SELECT ticker AS permno, day AS dlycaldt, px AS dlyret FROM t WHERE ticker = :symbol"
    failure = fetch(sql_file(tmp_path, query), "A").failures["A"]
    assert "give it as --returns (returns=), the rows of a query saved as a file" in str(failure)


def test_a_missing_driver_is_named(tmp_path: Path) -> None:
    text = 'kind = "sql"\nurl = "{}://db.example/x"\nquery = "SELECT :symbol"\n'
    with pytest.raises(ConfigError, match=r"needs the package \w+, which is not installed"):
        fetch(described(tmp_path, text.format("mysql+pymysql")), "A")
    with pytest.raises(ConfigError, match="no address of a database"):
        fetch(described(tmp_path, text.format("nonsense")), "A")


def test_packages_of_the_extra_are_loaded_when_they_are_needed_and_named(tmp_path: Path) -> None:
    make_sqlite(tmp_path, ROWS)
    path = sql_file(tmp_path)
    for name in ("duckdb", "sqlalchemy"):
        (tmp_path / f"{name}.py").write_text("raise ImportError")
    program = """
        import sys
        from eventstudy.errors import ConfigError
        from eventstudy.prices import resolve
        from datetime import date
        days = date(2022, 1, 3), date(2022, 1, 5)
        assert resolve("sample").fetch(["AMD"], *days).symbols == ("AMD",)
        assert not {"duckdb", "sqlalchemy", "eventstudy.wire.wire"} & {*sys.modules}
        for spec in ("duckdb:SELECT 1", sys.argv[1]):
            try:
                resolve(spec).fetch(["A"], *days)
            except ConfigError as error:
                print(error)
    """
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), path], check=True, text=True,
        capture_output=True, env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    ).stdout.splitlines()  # fmt: skip
    assert "needs the package duckdb, which is not installed" in said[0]
    assert "needs the package sqlalchemy, which is not installed" in said[1]
    assert all("the extra lake" in line for line in said)


# --- DuckDB and Parquet ---


def duckdb_file(folder: Path, query: str, more: str = "") -> Path:
    return described(folder, f"kind = 'duckdb'\nquery = '''{query}'''\n{more}")


LAKE = pd.DataFrame(ROWS, columns=["ticker", "day", "px"])


def test_a_query_over_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LAKE.to_csv(tmp_path / "lake.csv", index=False)
    query = "SELECT ticker, day AS date, px::DECIMAL(9,3) AS close FROM 'lake.csv' -- all;"
    prices = fetch(duckdb_file(tmp_path, query), "A", "O'B; --", "NONE", last=date(2024, 1, 4))
    assert closes(prices, "O'B; --") == [5.0, 6.0, 7.0]
    assert prices.provenance["A"].detail == "vendor.toml"
    assert list(prices.failures) == ["NONE"]
    monkeypatch.chdir(tmp_path)
    short = fetch("duckdb:" + query.replace(" -- all;", ";"), "A", "C")
    assert short.symbols == ("A", "C")
    assert short.provenance["A"].detail == "the DuckDB query"


def test_a_database_file_is_opened_for_reading(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as connection:
        connection.execute("CREATE TABLE t (permno INTEGER, stamp TIMESTAMPTZ, prc DECIMAL(9, 2))")
        connection.execute(
            "INSERT INTO t VALUES (10107, '2024-01-02 21:00:00+00', 3), (10107, '2024-01-04 01:30:00+00', 4)"
        )
    before = (tmp_path / "lake.duckdb").read_bytes()
    more = 'database = "lake.duckdb"\nzone = "America/New_York"\n[columns]\ndate = "stamp"\n'
    path = duckdb_file(tmp_path, "SELECT * FROM t", more)
    prices = fetch(path, "10107")
    assert closes(prices, "10107") == [3.0, 4.0]
    assert prices.table["date"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-02", "2024-01-03"]
    assert (tmp_path / "lake.duckdb").read_bytes() == before


def test_a_stamp_with_a_zone_has_the_day_of_its_exchange(tmp_path: Path) -> None:
    """The close of Tokyo is at 06:00 UTC, that of Sydney's futures was on the day before in UTC."""
    query = """
        SELECT 'BHP.AX' AS symbol, TIMESTAMPTZ '2024-01-02 23:30:00+00' AS date, 5.0 AS close
        UNION ALL SELECT 'NVDA', TIMESTAMPTZ '2024-01-04 01:00:00+00', 6.0
    """
    prices = fetch(duckdb_file(tmp_path, query), "BHP.AX", "NVDA")
    days = dict(zip(prices.table["symbol"], prices.table["date"].dt.day, strict=True))
    assert days == {"BHP.AX": 3, "NVDA": 3}


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO 'out.csv'",
        "SELECT 1; SELECT 2",
        "CREATE TABLE t AS SELECT 1",
        "INSTALL httpfs",
        "SET autoload_known_extensions = true",
    ],
)
def test_queries_that_are_no_select(query: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not one SELECT"):
        fetch(duckdb_file(tmp_path, query), "A")
    assert [p.name for p in tmp_path.iterdir()] == ["vendor.toml"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT hush_hush FROM range(3)",
        "SELEKT hush_hush",
        "SELECT * FROM 'hush_hush.parquet'",
        "SELECT * FROM 'https://hush_hush.example/a.parquet'",
        "SELECT 'A' AS symbol, DATE '2024-01-02' AS date, 'hush_hush'::DOUBLE AS close",
    ],
)
def test_faults_of_duckdb_say_nothing_of_the_query(query: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the query fails") as raised:
        fetch(duckdb_file(tmp_path, query), "A")
    assert "hush" not in str(raised.value)
    assert raised.value.__suppress_context__


def write_partitions(folder: Path, by: str) -> None:
    named = LAKE.replace({"ticker": {"A": "000001", "O'B; --": "BRK B"}})
    for value, rows in named.rename(
        columns={"ticker": "symbol", "day": "date", "px": "close"}
    ).groupby(by):
        place = folder / f"{by}={value}"
        place.mkdir(parents=True)
        rows.drop(columns=by).to_parquet(place / "part-0.parquet", index=False)


@pytest.mark.parametrize("by", ["symbol", "date"])
def test_a_folder_of_partitions(by: str, tmp_path: Path) -> None:
    folder = tmp_path / "a [la]ke's"
    write_partitions(folder, by)
    # What is not needed is not read.
    spoilt = "symbol=C" if by == "symbol" else "date=2024-01-09"
    (folder / spoilt / "part-0.parquet").write_bytes(b"PAR1 none PAR1")
    prices = fetch(folder, "000001", "BRK B", "1", last=date(2024, 1, 4))
    assert prices.symbols == ("000001", "BRK B")
    assert closes(prices, "BRK B") == [5.0, 6.0, 7.0]
    assert prices.provenance["000001"].source == "parquet"
    assert prices.provenance["000001"].detail == "a [la]ke's"
    path = described(tmp_path, f'kind = "parquet"\npath = "{folder.name}"\ncurrency = "CNY"\n')
    again = fetch(path, "000001", "BRK B", last=date(2024, 1, 4))
    pd.testing.assert_frame_equal(again.table, prices.table)
    assert again.provenance["000001"].currency == "CNY"
    with pytest.raises(ConfigError, match="currency is given"):
        fetch(_with_currency(tmp_path), "A")


def _with_currency(folder: Path) -> Path:
    rows = LAKE.rename(columns={"ticker": "symbol", "day": "date", "px": "close"})
    rows.assign(symbol="A", currency="USD").to_parquet(folder / "one.parquet")
    return described(folder, 'kind = "parquet"\npath = "one.parquet"\ncurrency = "EUR"\n')


def test_a_folder_of_files_may_have_any_folder_in_it(tmp_path: Path) -> None:
    (tmp_path / "px" / "a=b").mkdir(parents=True)
    (tmp_path / "px" / "A.csv").write_text(CSV)
    assert closes(fetch(tmp_path / "px", "A"), "A") == [1.5, 1.25]


def test_dates_of_another_form_are_not_dropped(tmp_path: Path) -> None:
    query = "SELECT * FROM (VALUES ('A', '31/01/2024', 5.0), ('A', '30/01/2024', 6.0)) t(symbol, date, close)"
    prices = fetch(duckdb_file(tmp_path, query), "A", last=date(2024, 1, 31))
    assert closes(prices, "A") == [6.0, 5.0]


def test_a_wide_table(tmp_path: Path) -> None:
    query = "SELECT DATE '2024-01-03' AS date, 5.0 AS A, 6.0 AS \"^GSPC\", 7.0 AS C"
    prices = fetch(duckdb_file(tmp_path, query), "A", "^GSPC")
    assert prices.table["adj_close"].tolist() == [5.0, 6.0]


# --- in a study ---


def test_a_study_with_a_source_file_and_one_with_a_query(tmp_path: Path) -> None:
    project = Project(tmp_path / "p")
    frames = [pd.read_csv(f).assign(symbol=f.stem) for f in sorted(project.prices.glob("*.csv"))]
    pd.concat(frames).to_parquet(tmp_path / "p" / "all.parquet")
    (tmp_path / "p" / "vendor.toml").write_text("kind = 'parquet'\npath = 'all.parquet'\n")
    study = tmp_path / "p" / "study.toml"
    study.write_text('events = "events.csv"\nprices = "vendor.toml"\nname = "filed"\n')
    invoke("run", study, "--out", project.out, *SHORT)
    files = json.loads((project.out / "filed" / "manifest.json").read_text())
    assert files["origin"]["prices"].endswith("vendor.toml")
    invoke("refresh", project.out / "filed")
    invoke("reproduce", project.out / "filed")
    query = f"SELECT symbol, date, close FROM '{tmp_path / 'p' / 'all.parquet'}'"
    invoke("run", project.events, "--prices", f"duckdb:{query}", "--out", project.out, *SHORT)
    tables = [project.out / name / "tables" / "caar.csv" for name in ("filed", "events")]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    manifest = (project.run / "manifest.json").read_text()
    assert json.loads(manifest)["origin"]["prices"] == "duckdb:***"
    assert "SELECT" not in manifest
    said = invoke("refresh", project.run, code=2)
    assert "give --prices again" in said
    invoke("reproduce", project.run)
    invoke("refresh", project.run, "--prices", f"duckdb:{query}")
    # A manifest that holds a query was written by somebody else: it is not asked.
    manifest = (project.run / "manifest.json").read_text()
    (project.run / "manifest.json").write_text(manifest.replace("duckdb:***", "duckdb:SELECT 1"))
    assert Record.read(project.run).origin.config.prices == "duckdb:***"


def test_a_query_in_a_chain_is_its_last(tmp_path: Path) -> None:
    LAKE.rename(columns={"ticker": "sample", "px": "close"}).to_csv(tmp_path / "t.csv")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "A.csv").write_text("date,close\n2024-01-02,3\n2024-01-03,3.5\n")
    query = f"duckdb:SELECT day AS date,sample,sample AS symbol, close FROM '{tmp_path / 't.csv'}'"
    days = date(2024, 1, 2), date(2024, 1, 3)
    prices = resolve(f"files:{tmp_path / 'one'},{query}").fetch(["A", "C"], *days)
    assert closes(prices, "A") == [3.0, 3.5]
    assert closes(prices, "C") == [5.0, 6.0]
    hidden = f"files:{tmp_path / 'one'},duckdb:***"
    with pytest.raises(ConfigError, match="give --prices again"):
        resolve(hidden)
    assert hide_secrets(f"files:{tmp_path / 'one'},{query}") == hidden


def test_prices_of_a_query_are_kept_in_the_cache(tmp_path: Path) -> None:
    LAKE.rename(columns={"ticker": "symbol", "day": "date"}).to_csv(tmp_path / "t.csv")
    query = f"duckdb:SELECT symbol, date, px AS close FROM '{tmp_path / 't.csv'}'"
    store = ["--store", tmp_path / "store"]
    days = ["--start", "2024-01-02", "--end", "2024-01-09"]
    invoke("prices", "fetch", "A", "--source", query, *days, *store)
    shown = json.loads(invoke("prices", "show", "A", "--json", *store))
    assert "SELECT" not in json.dumps(shown)


def test_the_benchmark_of_a_lake_is_made_as_it_says(tmp_path: Path) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("lake", ROOT / "benchmarks" / "lake.py")
    assert spec is not None
    assert spec.loader is not None
    lake = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lake)
    lake.SYMBOLS = 200
    lake.make(tmp_path / "lake.parquet")
    lake.announce(tmp_path / "events.csv")
    events = pd.read_csv(tmp_path / "events.csv")
    assert len(events) == 50
    prices = resolve(f"duckdb:SELECT * FROM '{tmp_path / 'lake.parquet'}'")
    answer = prices.fetch([*events["ticker"], "^GSPC"], date(2022, 12, 1), date(2022, 12, 30))
    assert answer.failures == {}
    assert np.isfinite(answer.table["close"]).all()
