"""Prices from a real PostgreSQL server, which is started for the tests as an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import ROOT
from run_folders import started

from eventstudy.errors import DataError, NetworkError
from eventstudy.prices import Prices, resolve

PASSWORD = "c4nary/OF@the:m1ne"
SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
INITDB = str(SERVERS[-1]) if SERVERS else shutil.which("initdb") or ""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(INITDB).is_file(), reason="there is no server of PostgreSQL"),
]
SCHEMA = """
CREATE TABLE daily (permno INTEGER, ticker TEXT, stamp TIMESTAMPTZ, "Px" NUMERIC(12, 4));
INSERT INTO daily VALUES
  (1, 'NVDA', '2024-01-02 16:00-05', 48.1680), (1, 'NVDA', '2024-01-03 16:00-05', 47.5690),
  (1, 'NVDA', '2024-01-03 23:30-05', NULL), (1, 'NVDA', '2024-01-04 16:00-05', NULL),
  (2, 'BHP.AX', '2024-01-03 16:10+11', 50.10), (2, 'BHP.AX', '2024-01-04 10:05+11', 49.90),
  (3, 'O''B; --', '2024-01-02 16:00-05', 5);
SET TIME ZONE 'UTC';
"""
QUERY = (
    'SELECT ticker AS symbol, stamp AS date, "Px" AS close FROM daily '
    "WHERE ticker IN :symbols AND stamp::date BETWEEN :start AND :end ORDER BY 2"
)


@dataclass
class Server:
    """A server on a socket of loopback with a password."""

    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg2://desk:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/desk"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    bins = Path(INITDB).parent
    with tempfile.TemporaryDirectory(prefix="pg-") as place:
        folder = Path(place)
        as_user: dict[str, int] = {}
        if os.getuid() == 0:
            # The server refuses to run as root.
            user = pwd.getpwnam("nobody")
            as_user = {"user": user.pw_uid, "group": user.pw_gid}
            os.chown(folder, user.pw_uid, user.pw_gid)
        port = 20_000 + os.getpid() % 20_000
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)

        def call(*command: object, **more: str) -> None:
            env = {**os.environ, "HOME": place, **more}
            words = list(map(str, command))
            subprocess.run(words, check=True, cwd=place, env=env, capture_output=True, **as_user)

        data = folder / "data"
        call(INITDB, "-D", data, "-U", "desk", "-A", "scram-sha-256", "-E", "UTF8",
             "--pwfile", folder / "password", "-N")  # fmt: skip
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        call(bins / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
        try:
            psql = [bins / "psql", "-h", "127.0.0.1", "-p", port, "-U", "desk", "-q", "-v"]
            psql.append("ON_ERROR_STOP=1")
            call(*psql, "-d", "postgres", "-c", "CREATE DATABASE desk", PGPASSWORD=PASSWORD)
            call(*psql, "-d", "desk", "-c", SCHEMA, PGPASSWORD=PASSWORD)
            yield Server(port)
        finally:
            call(bins / "pg_ctl", "-D", data, "-m", "fast", "-w", "stop")


@pytest.fixture
def given(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("DESK_DATABASE", server.url)
    return server


def fetch(*symbols: str, query: str = QUERY) -> Prices:
    days = date(2024, 1, 2), date(2024, 1, 4)
    return resolve(f"sql:DESK_DATABASE:{query}").fetch(symbols, *days)


def test_types_days_and_symbols(given: Server) -> None:
    """NUMERIC is a number, and a stamp has the day of its exchange, not that of UTC."""
    prices = fetch("NVDA", "BHP.AX", "O'B; --", "NONE")
    assert list(prices.failures) == ["NONE"]
    table = prices.table.set_index("symbol")
    assert table.loc["NVDA", "close"].dropna().tolist() == [48.168, 47.569]
    # 10:05 in Sydney is 23:05 of the day before in UTC.
    assert table.loc["BHP.AX", "date"].dt.day.tolist() == [3, 4]
    assert table.loc["O'B; --", "close"] == 5.0
    entry = prices.provenance["BHP.AX"]
    assert (entry.source, entry.detail) == ("sql", "postgresql desk")
    assert entry.retrieved_at


def test_a_password_in_a_source_file(
    given: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DESK_PASSWORD", PASSWORD)
    address = f"postgresql+psycopg2://desk:{{env:DESK_PASSWORD}}@127.0.0.1:{given.port}/desk"
    path = tmp_path / "desk.toml"
    path.write_text(f"kind = 'sql'\nurl = '{address}'\nquery = '''{QUERY}'''\n")
    prices = resolve(path).fetch(["NVDA"], date(2024, 1, 2), date(2024, 1, 4))
    assert prices.provenance["NVDA"].detail == "desk.toml (postgresql desk)"


def test_a_number_that_is_bound_as_text(given: Server) -> None:
    query = 'SELECT permno, stamp AS date, "Px" AS close FROM daily WHERE permno IN (:symbols)'
    assert fetch("1", "3", query=query).symbols == ("1", "3")
    one = 'SELECT stamp AS date, "Px" AS close FROM daily WHERE ticker = :symbol'
    assert fetch("NVDA", "BHP.AX", query=one).symbols == ("BHP.AX", "NVDA")


def test_nothing_is_written(given: Server) -> None:
    query = "WITH gone AS (DELETE FROM daily RETURNING *) SELECT * FROM gone WHERE ticker = :symbol"
    before = fetch("NVDA").table
    assert before["close"].tolist() == [48.168, 47.569]
    assert "query fails (InternalError: " in _fault(query)
    assert fetch("NVDA").table.equals(before)


def _fault(query: str) -> str:
    with pytest.raises(DataError) as raised:
        fetch("NVDA", query=query)
    assert raised.value.__suppress_context__
    return str(raised.value)


def test_faults_say_nothing_of_query_and_address(given: Server) -> None:
    said = _fault("SELECT hush_hush FROM daily WHERE ticker IN :symbols")
    assert "query fails (ProgrammingError: " in said
    assert "hush" not in said


def test_a_wrong_password_and_a_server_that_is_not_there(
    given: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in (
        given.url.replace(quote(PASSWORD, safe=""), "an0ther-b1rd"),
        given.url.replace(str(given.port), "9"),
    ):
        monkeypatch.setenv("DESK_DATABASE", url)
        with pytest.raises(NetworkError) as raised:
            fetch("NVDA")
        said = str(raised.value)
        assert "postgresql desk: the database cannot be reached" in said
        assert "an0ther" not in said
        assert PASSWORD not in said


def test_no_password_is_asked_for(given: Server, tmp_path: Path) -> None:
    """A nightly run ends where a password is missing; it has a terminal that it could ask on."""
    program = f"""
        from datetime import date
        from eventstudy.prices import resolve
        from eventstudy.errors import NetworkError
        try:
            resolve({f"sql:DESK_DATABASE:{QUERY}"!r}).fetch(["NVDA"], date(2024, 1, 2), date(2024, 1, 4))
        except NetworkError as error:
            print(error)
    """
    url = given.url.replace(":" + quote(PASSWORD, safe=""), "")
    env = {
        **os.environ, "DESK_DATABASE": url, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path),
        "PGPASSFILE": str(tmp_path / "none"),
    }  # fmt: skip
    leader, follower = os.openpty()
    try:
        process = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], env=env, stdin=follower,
            capture_output=True, text=True, timeout=60, start_new_session=True, check=True,
        )  # fmt: skip
    finally:
        os.close(leader)
        os.close(follower)
    assert "lets nobody in" in process.stdout


def test_a_signal_ends_a_query_that_hangs(given: Server, tmp_path: Path) -> None:
    """The server is told as well: it works on no query that nobody waits for."""
    sa = pytest.importorskip("sqlalchemy")
    # Each look at the activity is a transaction of its own, as within one it stays the same.
    alone = {"poolclass": sa.pool.NullPool, "isolation_level": "AUTOCOMMIT"}
    engine = sa.create_engine(given.url, **alone)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"

    def waiting(n: int) -> None:
        """Wait until so many queries sleep."""
        until = time.monotonic() + 60
        with engine.connect() as connection:
            while connection.execute(sa.text(asleep)).scalar() != n:
                assert time.monotonic() < until
                time.sleep(0.1)

    query = f"SELECT pg_sleep(600), q.* FROM ({QUERY}) AS q"
    child = started(
        "prices", "fetch", "NVDA", "--source", f"sql:DESK_DATABASE:{query}", "--start",
        "2024-01-02", "--end", "2024-01-04", "--store", tmp_path / "store.sqlite",
    )  # fmt: skip
    waiting(1)
    child.send_signal(signal.SIGTERM)
    try:
        said = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 143, said
    waiting(0)
