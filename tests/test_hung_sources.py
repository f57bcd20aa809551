"""A source that does not answer ends at a signal, and at its deadline: real processes and queries.

The queries count without end in compiled code, which heeds no signal of Python.
"""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import threading
import time
from _thread import interrupt_main
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from run_folders import started

from eventstudy.errors import NetworkError
from eventstudy.prices import resolve
from eventstudy.wire import LateError, Worker

sqlalchemy = pytest.importorskip("sqlalchemy")
duckdb = pytest.importorskip("duckdb")
DAYS = date(2024, 1, 2), date(2024, 1, 9)
COUNT = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
QUERIES = {
    "sqlite": "SELECT 'AAA' AS symbol, '2024-01-02' AS date, max(x) AS close FROM n, daily "
    "WHERE 'AAA' IN :symbols",
    "duckdb": "SELECT 'AAA' AS symbol, DATE '2024-01-02' AS date, sum(hash(a.range + b.range)) "
    "AS close FROM range(10000000) a, range(10000000) b, daily",
}
PLUG_IN = f'''
import sqlite3
from pathlib import Path
from typing import Any

class Source:
    name = "hung"

    def __init__(self, argument, *, offline):
        self.began = Path(argument)
        self.database = sqlite3.connect(":memory:")

    def fetch(self, symbols, start, end, *, progress=None):
        self.began.touch()
        self.database.execute("{COUNT} SELECT max(x) FROM n").fetchall()
'''


def database(kind: str, folder: Path) -> tuple[str, Callable[[], bool]]:
    """Return a source whose query does not end, and what says whether a process is in it."""
    path, source = folder / "desk.db", folder / "desk.toml"
    connect = sqlite3.connect if kind == "sqlite" else duckdb.connect
    with closing(connect(str(path))) as made:
        made.execute("CREATE TABLE daily (day INTEGER)")
        made.execute("INSERT INTO daily VALUES (1)")
        made.commit()
    setting = f"url = 'sqlite:///{path}'" if kind == "sqlite" else "database = 'desk.db'"
    query = COUNT * (kind == "sqlite") + QUERIES[kind]
    name = "sql" if kind == "sqlite" else kind
    source.write_text(f'kind = \'{name}\'\n{setting}\nquery = """{query}"""\n')

    def is_locked() -> bool:
        fcntl = pytest.importorskip("fcntl")
        with path.open("r+b") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    return str(source), is_locked


def plug_in(folder: Path) -> tuple[str, Callable[[], bool]]:
    info = folder / "hung-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hung\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[eventstudy.prices]\nhung = hung_source:Source\n")
    (folder / "hung_source.py").write_text(PLUG_IN)
    return f"hung:{folder / 'began'}", (folder / "began").exists


def ended_by(number: signal.Signals, child: subprocess.Popen[str]) -> tuple[int, str]:
    """Send a signal; return the exit code and the last line that is said."""
    child.send_signal(number)
    try:
        _, said = child.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise
    return child.returncode, said.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
@pytest.mark.parametrize("kind", ["sqlite", "duckdb", "plug-in"])
def test_a_signal_ends_a_source_that_hangs(
    kind: str, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    source, is_asked = plug_in(tmp_path) if kind == "plug-in" else database(kind, tmp_path)
    path = [str(Path(__file__).parents[1]), str(tmp_path)]
    store = tmp_path / "store.sqlite"
    child = started(
        "prices", "fetch", "AAA", "--source", source, "--start", DAYS[0], "--end", DAYS[1],
        "--store", store, PYTHONPATH=":".join(path),
    )  # fmt: skip
    until = time.monotonic() + 120
    while not is_asked():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(0.5)
    assert ended_by(number, child)[0] == code


@pytest.mark.parametrize("kind", ["sqlite", "duckdb", "plug-in"])
def test_a_source_that_hangs_ends_at_its_deadline(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    source, _ = plug_in(tmp_path) if kind == "plug-in" else database(kind, tmp_path)
    provider = resolve(source)
    provider.longest = 1.0  # type: ignore[attr-defined]
    with pytest.raises(NetworkError) as caught:
        provider.fetch(["AAA"], *DAYS)
    assert caught.value.exit_code == 75
    assert "within 0.0166667 minutes" in str(caught.value)
    if kind != "plug-in":
        before = time.process_time()
        time.sleep(0.5)
        assert time.process_time() - before < 0.2, "a query is cancelled"


def test_a_worker_that_hangs_is_left_behind() -> None:
    worker, never = Worker(), threading.Event()
    with pytest.raises(LateError):
        worker.do(0.05, never.wait)
    assert worker.do(60, lambda: 5) == 5
    never.set()


def test_a_worker_that_stops_goes_on() -> None:
    worker, stopped = Worker(), threading.Event()
    before = worker.do(60, threading.get_ident)
    with pytest.raises(LateError):
        worker.do(0.05, lambda: stopped.wait(60), stopped.set)
    assert worker.do(60, threading.get_ident) == before
    with pytest.raises(ZeroDivisionError):
        worker.do(60, lambda: 1 / 0)


def test_a_signal_that_does_not_end_a_wait_is_heeded_soon() -> None:
    """Python's own way to interrupt from another thread, as notebooks on Windows do."""
    stopped = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    timer = threading.Timer(0.2, interrupt_main)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            Worker().do(30, lambda: stopped.wait(60), stopped.set)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert stopped.is_set()
    assert time.monotonic() - began < 15
