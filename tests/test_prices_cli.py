"""`eventstudy prices`: what it prints, where, and with which exit code; every option is
documented."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT
from run_folders import QUICK
from yahoo_standin import Yahoo, connections, proxy_env, synthetic

from eventstudy.cli.main import main
from eventstudy.prices import StoreProvider

CSV = """symbol,date,close,adj_close,volume,currency
AAA,2019-01-02,10,9.5,100,GBp
AAA,2019-01-03,11.123456789012344,10.5,200,GBp
^BB,2019-01-02,1000,,,
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a folder with a store of two imported symbols."""
    table = tmp_path / "table.csv"
    table.write_text(CSV, encoding="utf-8")
    code, out, err = invoke("import", table, "--store", tmp_path / "s")
    assert (code, err) == (0, "2 symbols, 3 rows read back from the price cache: all as given\n")
    assert [line.split() for line in out.splitlines()] == [
        ["AAA", "new", "2019-01-02", "2019-01-03", "2", "GBp", "as", "given"],
        ["^BB", "new", "2019-01-02", "2019-01-02", "1", "-", "as", "given;", "currency", "unknown"],
    ]
    return tmp_path / "s"


def invoke(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["prices", *(str(a) for a in args)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Yahoo:
    import yfinance

    yfinance.set_tz_cache_location(str(tmp_path / "yfinance"))
    with Yahoo(synthetic("AAPL"), synthetic("^GSPC")) as running:
        for name, value in running.env().items():
            monkeypatch.setenv(name, value)
        yield running  # type: ignore[misc]


def test_list(store: Path) -> None:
    code, out, err = invoke("list", "--store", store)
    assert code == 0
    assert out.splitlines()[0].startswith("AAA          2019-01-02 2019-01-03      2 GBp  files ")
    assert err.startswith("2 symbols")
    rows = json.loads(invoke("list", "--json", "--store", store)[1])
    assert [row["symbol"] for row in rows] == ["AAA", "^BB"]
    assert set(rows[0]) == {
        "symbol", "first", "last", "rows", "currency", "source", "fetched", "vintages",
    }  # fmt: skip
    assert json.loads(invoke("list", "--json", "--store", store / "none")[1]) == []


def test_show(store: Path) -> None:
    code, out, _ = invoke("show", "AAA", "--rows", "1", "--store", store)
    assert code == 0
    assert "2019-01-03" in out
    assert "2019-01-02 " not in out.splitlines()[1]
    assert "source       files" in out
    assert re.search(r"fetch +\S+ files: new", out)
    shown = json.loads(invoke("show", "AAA", "--json", "--store", store)[1])
    assert shown["rows"][1]["close"] == 11.123456789012344
    assert shown["provenance"]["currency"] == "GBp"
    assert shown["fetches"][0]["library"].startswith("eventstudy-kit ")
    code, out, err = invoke("show", "ZZZ", "--store", store)
    assert (code, out, err) == (1, "", "eventstudy: ZZZ: not in the price cache\n")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_exported_can_be_imported(suffix: str, store: Path, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    code, out, err = invoke("export", path, "--store", store)
    assert (code, err) == (0, "")
    assert out.split()[1] == "exported"
    assert not list(tmp_path.glob(".out*"))
    assert invoke("import", path, "--store", tmp_path / "again", "--quiet") == (0, "", "")
    span = pd.Timestamp("2019-01-01").date(), pd.Timestamp("2019-12-31").date()
    before, after = (
        StoreProvider(folder, partial=True).fetch(["AAA", "^BB"], *span)
        for folder in (store, tmp_path / "again")
    )
    pd.testing.assert_frame_equal(before.table, after.table, check_exact=True)
    assert after.provenance["AAA"].currency == "GBp"


def test_export_of_a_part(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "part.csv"
    assert invoke("export", path, "--symbol", "AAA", "--start", "2019-01-03", "--end", "2020-01-01",
                  "--quiet", "--store", store) == (0, "", "")  # fmt: skip
    assert path.read_text(encoding="utf-8").splitlines() == [
        "symbol,date,open,high,low,close,adj_close,volume,currency",
        "AAA,2019-01-03,,,,11.123456789012344,10.5,200.0,GBp",
    ]
    assert invoke("export", tmp_path / "x.xlsx", "--store", store)[0] == 2
    assert invoke("export", path, "--symbol", "AAA", "--symbol", "Z", "--store", store)[0] == 3
    assert invoke("export", path, "--symbol", "Z", "--store", store)[0] == 1
    assert invoke("export", path, "--vintage", "2001-01-01", "--store", store)[0] == 1


def test_a_symbol_that_is_a_formula_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text('symbol,date,close\n"=HYPERLINK(1)",2019-01-02,1\n', encoding="utf-8")
    code, out, err = invoke("import", table, "--store", tmp_path / "s")
    assert (code, out) == (1, "")
    assert "not a symbol" in err
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_fetch(yahoo: Yahoo, tmp_path: Path) -> None:
    span = ("--start", "2019-01-01", "--end", "2019-06-28", "--store", tmp_path / "s")
    code, out, err = invoke("fetch", "AAPL", "AAPL", *span)
    assert (code, err) == (0, "1 symbol, 129 rows read back from the price cache: all as given\n")
    assert out.split()[:5] == ["AAPL", "new", "2019-01-01", "2019-06-28", "129"]
    assert invoke("fetch", "AAPL", *span)[1].split()[1] == "stored"
    assert invoke("fetch", "AAPL", "--refresh", *span)[1].split()[1] == "same"
    code, out, err = invoke("fetch", "AAPL", "NOPE", "--quiet", *span)
    assert (code, out) == (3, "")
    assert "NOPE: Yahoo does not know the symbol" in err
    assert invoke("fetch", "NOPE", *span)[0] == 1


@pytest.mark.slow
def test_fetch_for_events(yahoo: Yahoo, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("ticker,announced_at\nAAPL,2020-06-04\n", encoding="utf-8")
    code, out, err = invoke("fetch", "--events", events, "--store", tmp_path / "s")
    assert (code, err.count("\n"), err.endswith("all as given\n")) == (0, 1, True)
    assert [line.split()[:2] for line in out.splitlines()] == [["AAPL", "new"], ["^GSPC", "new"]]
    asked = len(yahoo.log)
    common = [
        "run",
        str(events),
        "--store",
        str(tmp_path / "s"),
        "--out",
        str(tmp_path / "r"),
        "--quiet",
        *QUICK,
    ]
    result = CliRunner().invoke(main, common)
    assert (result.exit_code, result.stderr) == (0, "")
    pinned = CliRunner().invoke(main, [*common, "--vintage", "2100-01-01"])
    assert (pinned.exit_code, len(yahoo.log)) == (0, asked)
    for more, code, words in [
        (["--vintage", "2001-01-01"], 1, "the price cache has no vintage of 2001-01-01"),
        (["--vintage", "soon"], 2, "not a date or time"),
        (["--vintage", "2100-01-01", "--prices", "yahoo"], 2, "only the price cache has vintages"),
    ]:
        result = CliRunner().invoke(main, [*common, *more])
        told = " ".join(result.stderr.split())
        assert (result.exit_code, words in told) == (code, True), result.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["fetch"], "nothing to fetch"),
        (
            ["fetch", "A", "--start", "2020-01-02", "--end", "2020-01-01"],
            "the first day is after the last",
        ),
        (["fetch", "A", "--source", "sample"], "not a source to download from"),
        (["fetch", "A", "--source", "yaho"], "did you mean 'yahoo'"),
        (["fetch", "A", "--start", "2.1.2020"], "does not match the format"),
        (["show", "A", "--vintage", "x"], "not a date or time"),
        (["import", "no/such/folder"], "no such file or folder"),
    ],
)
def test_wrong_usage(args: list[str], words: str) -> None:
    code, out, err = invoke(*args)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.slow
@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
def test_no_network_is_noticed_at_once(
    silent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if silent:
            listener.listen()
        for name, value in proxy_env(listener.getsockname()[1]).items():
            monkeypatch.setenv(name, value)
        code, out, err = invoke("fetch", *(f"S{n}" for n in range(60)), "--store", tmp_path / "s")
        assert not silent or connections(listener) < 10, "symbol by symbol"
    assert (code, out) == (75, "")
    assert "cannot be reached" in err


def test_every_option_of_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "prices.md").read_text(encoding="utf-8")
    common, first = text.split("## Commands")[1].split("\n- `", 1)
    sections = dict(
        part.split("`", 1) for part in f"\n- `{first}".split("## ")[0].split("\n- `")[1:]
    )
    named = {title.split()[2]: body for title, body in sections.items()}
    group = main.commands["prices"]
    assert named.keys() == group.commands.keys()  # type: ignore[attr-defined]
    for command in group.commands.values():  # type: ignore[attr-defined]
        for option in (
            name for each in command.params for name in each.opts if name.startswith("--")
        ):
            known = f"`{option}" in named[command.name] or f"`{option}" in common
            assert known, (command.name, option)


def test_the_tree_of_help_loads_no_pandas() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from eventstudy.cli.main import main; "
        "print({'pandas', 'numpy', 'sqlite3'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"
