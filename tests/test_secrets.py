"""No secret stands in what is written: a canary in every option and variable that can hold one."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT
from run_folders import FIRMS, SHORT, Project, started

from eventstudy.errors import ConfigError, hide_secrets
from eventstudy.words import Reason

# That of the variables is another one: its value is known, and hidden wherever it stands.
CANARY, NAMED = "c4nary-OF-the-m1ne", "an0ther-b1rd"
SOURCE = f'''
import os
from dataclasses import replace

from eventstudy.errors import UnknownSymbolError
from eventstudy.prices.files import FilesProvider


class Source:
    """prices of an API with a key"""

    name = "keyed"

    def __init__(self, argument, *, offline):
        assert "{CANARY}" in argument
        self.files = FilesProvider(os.environ["PRICES"])

    def fetch(self, symbols, start, end, *, progress=None):
        if os.environ.get("BROKEN"):
            raise OSError(os.environ["BROKEN"])
        prices = self.files.fetch(symbols, start, end)
        for symbol, entry in prices.provenance.items():
            detail = "https://me:{CANARY}@api.example.org/prices?key={CANARY}"
            prices.provenance[symbol] = replace(entry, detail=detail)
        text = "X-Api-Key: {CANARY} is refused, as is " + os.environ["SHOP_API_KEY"]
        prices.failures["EEE"] = UnknownSymbolError(text, value="Authorization: Bearer {CANARY}")
        prices.provenance.pop("EEE", None)
        table = prices.table[prices.table["symbol"] != "EEE"]
        return replace(prices, table=table, notices=("see https://x.example.org/?t={CANARY}",))
'''
TITLE = f"News of https://me:{CANARY}@h.example.org/a?token={CANARY}"
PRICES = f"keyed:https://me:{CANARY}@api.example.org/v1?token={CANARY}"


class Safe(Project):
    """A project with a source of prices that has a key; all that its commands say is searched."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.site = folder / "site"
        info = self.site / "keyed-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keyed\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[eventstudy.prices]\nkeyed = keyed:Source\n")
        (self.site / "keyed.py").write_text(SOURCE)

    def call(self, *args: object, code: int = 0, **env: str) -> str:
        """Run a command with a canary in its environment; return what it said."""
        env |= {
            "SHOP_API_KEY": NAMED, "SLACK_WEBHOOK": f"https://hooks.example.org/{NAMED}",
            "HTTPS_PROXY": f"http://me:{CANARY}@127.0.0.1:9",
            "EVENTSTUDY_FACTOR_LIBRARY": f"http://me:{CANARY}@127.0.0.1:9/x?key={CANARY}",
            "PRICES": str(self.prices), "XDG_DATA_HOME": str(self.folder / "home"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(self.site)]),
        }  # fmt: skip
        process = started(*args, **env)
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, out + err
        assert CANARY not in out + err, out + err
        assert NAMED not in out + err, out + err
        return out + err


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Safe:
    made = Safe(tmp_path_factory.mktemp("secrets"))
    made.announce(FIRMS)
    return made


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Safe:
    """Return a run of a secret source that was refreshed with a command."""
    made = Safe(tmp_path_factory.mktemp("kept"))
    made.announce(FIRMS)
    options = [made.events, "--prices", PRICES, "--out", made.out, *SHORT[:-1]]
    made.call("run", *options)
    made.announce(FIRMS[:4])
    hook = f"{shlex.quote(sys.executable)} -c '1/0'"
    made.call("refresh", *options, f"--on_change={hook}", code=75)
    return made


def places_of_canary(folder: Path) -> list[str]:
    """Return the files below a folder that have a canary."""
    files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [p for p, data in files.items() if CANARY.encode() in data or NAMED.encode() in data]


@pytest.mark.slow
def test_no_canary_is_written(safe: Safe) -> None:
    options = [safe.events, "--prices", PRICES, "--out", safe.out, *SHORT[:-1], "--title", TITLE]
    logs = ["--log-format", "json", "--debug"]
    store = ["--store", safe.folder / "store"]
    hook = f"{shlex.quote(sys.executable)} -c 'print(\"https://h.example.org/{CANARY}\"); 1/0'"
    safe.call("run", *options, *store)
    safe.call("run", *options, *logs, "--force")
    safe.announce(FIRMS[:4])
    said = safe.call("refresh", *options, *logs, *store, "--on-change", hook, code=75)
    started_with = json.loads(said[said.index('{"time"') :].partition("\n")[0])
    assert started_with["left_out"] == ["--store", "--on-change"]
    assert '"text": "***", "logger": "on-change"' in said
    safe.call("refresh", *options, f"--on_change={hook}", code=75)
    assert places_of_canary(safe.out) == []
    safe.call("run", *options, "--format", "x", code=2)
    safe.call("run", *options, *logs, code=1, BROKEN=f"no route to ftp://me:{CANARY}@example.org")
    safe.call("run", *options, *logs, "--cluster", f"tcp://me:{CANARY}@127.0.0.1:9", code=2)
    safe.call("run", *options, *logs, "--factors", "ff3:daily", "--model", "ff3", code=75)
    safe.call("run", safe.events, "--prices", "yahoo", *logs, "--out", safe.out, code=75)
    safe.call("prices", "fetch", "AAA", "--source", PRICES, *logs, *store)
    safe.call("status", safe.out, *logs, code=3)
    safe.call("verify", safe.run, *logs)
    assert places_of_canary(safe.out) == []
    assert places_of_canary(safe.folder / "store") == []


def write_source(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.slow
def test_no_canary_of_a_query_or_an_address_is_written(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    pytest.importorskip("sqlalchemy")
    made = Safe(tmp_path)
    frames = [pd.read_csv(f).assign(symbol=f.stem) for f in sorted(made.prices.glob("*.csv"))]
    table = pd.concat(frames)
    table.to_csv(tmp_path / "all.csv", index=False)
    with closing(sqlite3.connect(tmp_path / "all.db")) as connection:
        table.to_sql("t", connection, index=False)
    condition = f"'{CANARY}' = '{CANARY}'"
    duck = f"duckdb:SELECT symbol, date, close FROM '{tmp_path / 'all.csv'}' WHERE {condition}"
    lite = f"SELECT symbol, date, close FROM t WHERE symbol IN :symbols AND {condition}"
    filed = write_source(
        tmp_path, "lite", f'kind = "sql"\nurl = "sqlite:///all.db"\nquery = "{lite}"\n'
    )
    far = write_source(
        tmp_path,
        "far",
        f'kind = "sql"\nurl = "postgresql+psycopg2://me:{CANARY}@127.0.0.1:9/desk?sslmode=disable'
        f'&application_name={CANARY}"\nquery = "{lite}"\n',
    )
    vendor = write_source(
        tmp_path,
        "vendor",
        f'kind = "url"\nurl = "https://v.example/{{symbol}}?token={CANARY}&k={{env:SHOP_API_KEY}}"\n'
        f'headers = {{ X-Api-Key = "{CANARY}" }}\n',
    )
    broken = write_source(tmp_path, "broken", f'kind = "duckdb"\nquery = "SELECT {CANARY}"\n')
    cut = write_source(tmp_path, "cut", f'kind = "sql"\nurl = "{CANARY}\n')
    odd = write_source(tmp_path, "odd", f'kind = "sql"\nurl = "{CANARY}://"\nquery = "{lite}"\n')
    options: list[object] = [made.events, "--out", made.out, *SHORT[:-1]]
    address = f"sqlite:///{tmp_path / 'all.db'}?password={CANARY}"
    for form in ("json", "text"):
        logs = ["--log-format", form, "--debug", "--force"]
        for source in (duck, filed, f"sql:LITE:{lite}"):
            made.call("run", *options, *logs, "--prices", source, LITE=address)
            assert places_of_canary(made.out) == []
        made.call("run", *options, *logs, f"--prices={duck}", "-v")
        for source, code in (
            (duck.replace("SELECT symbol", f"SELECT {CANARY}"), 1), (broken, 1),
            (f"sql:LITE:SELECT {CANARY} FROM t WHERE symbol IN :symbols", 1),
            (far, 75), (vendor, 75), (cut, 2), (odd, 2), (f"sql:{CANARY}", 2),
            (f"sql:LITE:DROP TABLE {CANARY}", 2),
        ):  # fmt: skip
            made.call("run", *options, *logs, "--prices", source, code=code, LITE=address)
    store = ["--store", tmp_path / "store"]
    made.call("prices", "fetch", "AAA", "--source", duck, "--debug", *store)
    made.call("refresh", *options, "--prices", duck, "--debug")
    assert "give --prices again" in made.call("refresh", made.run, code=2)
    made.call("report", made.run, "--format", "html")
    assert places_of_canary(made.out) == []
    assert places_of_canary(tmp_path / "store") == []
    command = json.loads((made.run / "manifest.json").read_text())["command"]
    assert "'--prices=duckdb:***'" in command


@pytest.mark.slow
def test_a_run_says_what_its_command_left_out(kept: Safe) -> None:
    command = json.loads((kept.run / "manifest.json").read_text())["command"]
    line, _, comment = command.partition("  # ")
    assert comment == "without --on-change"
    assert "--on" not in line
    assert "--prices 'keyed:https://***@api.example.org/v1?***'" in line
    assert "--on-change" in (kept.run / "report.md").read_text()


@pytest.mark.slow
def test_a_secret_that_was_not_kept_is_asked_for(kept: Safe) -> None:
    said = kept.call("refresh", kept.run, code=2)
    assert "does not keep the secrets of its price source" in said
    assert "give --prices again" in said
    kept.call("refresh", kept.run, "--prices", PRICES)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tcp://me:pa/ss@host:8786", "tcp://***@host:8786"),
        ("no way to ftp://a:b@example.org", "no way to ftp://***@example.org"),
        ("invalid address 'me:pass@host:8786'", "invalid address '***@host:8786'"),
        ("see https://a.org/b?c=d#e, please", "see https://a.org/b?***, please"),
        ('{"url": "https://a.org/?k=v", "n": 1}', '{"url": "https://a.org/?***", "n": 1}'),
        ("moex:api_key=abc,board=TQBR", "moex:api_key=***,board=TQBR"),
        ("X-Api-Key: abc", "X-Api-Key: ***"),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("Basic Resources: no token was given", "Basic Resources: no token was given"),
        ("https://a.org/b/c.csv", "https://a.org/b/c.csv"),
        ("yahoo,sql:X:SELECT a", "yahoo,sql:***"),
        ("--prices=duckdb:SELECT 'a' FROM \"b\"\nWHERE c", "--prices=duckdb:***"),
        ('{"a": ["sql:X:SELECT \\"d\\" FROM t", "--out"]}', '{"a": ["sql:***", "--out"]}'),
        ("eventstudy run --prices 'sql:***' --quiet", "eventstudy run --prices 'sql:***' --quiet"),
        ("postgresql:5432 and mysql:3306", "postgresql:5432 and mysql:3306"),
    ],
)  # fmt: skip
def test_what_is_hidden(text: str, shown: str) -> None:
    assert hide_secrets(text) == shown
    assert str(ConfigError(text)) == shown


def test_a_reason_without_a_secret_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head of a report, and a quiet refresh, look at its code."""
    monkeypatch.setenv("VENDOR_API_KEY", "abcdefgh")
    reason = Reason("stored_used", symbol="AAA", why="no answer")
    assert hide_secrets(reason) is reason
