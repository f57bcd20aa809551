"""The local store: what it answers, and what other processes and faults do to it."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs
import pytest
from platformdirs import windows
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows
from seeds import seed

from eventstudy.calendars import Sessions
from eventstudy.errors import DataError
from eventstudy.prices import Prices, Provenance, StoreProvider, collect, store_file
from eventstudy.prices._base import clean, matrix_of, stamp
from eventstudy.prices._prices import Answer

ROOT = Path(__file__).parents[1]
FIRST, LAST = date(2019, 1, 1), date(2019, 12, 31)


def made(*symbols: str, first: str = "2019-01-02", rows: int = 250, scale: float = 1.0) -> Prices:
    parts, provenance = {}, {}
    for number, symbol in enumerate(symbols, 1):
        days = pd.bdate_range(first, periods=rows)
        close = scale * (number + np.arange(rows) / 7)
        table = pd.DataFrame({"date": days, "close": close, "adj_close": close / 3})
        parts[symbol], _ = clean(table, symbol)
        given = Provenance("yahoo", "host", "2024-03-01T10:00:00+00:00", "yfinance 1.7.0", "CNY")
        provenance[symbol] = stamp(given, parts[symbol])
    return Prices.of({s: Answer(parts[s], provenance[s]) for s in parts}, {})


def asked_days(store: StoreProvider, *symbols: str) -> dict[str, tuple[date, ...]]:
    return {s: (*map(date.fromisoformat, row[:2]),) for s, row in store.extents(symbols).items()}


@pytest.fixture
def store(tmp_path: Path) -> StoreProvider:
    return StoreProvider(tmp_path / "deep" / "er" / "prices.sqlite")


def test_gives_back_exactly_what_was_put(store: StoreProvider) -> None:
    prices = made("AAA", "^BBB", "000300.SS")
    stored = store.add(prices, (FIRST, LAST))
    assert (stored.notices, stored.unwritten) == ([], {})
    found = store.fetch(["^BBB", "AAA", "000300.SS"], FIRST, LAST)
    pd.testing.assert_frame_equal(found.table, prices.table, check_exact=True)
    assert found.provenance == prices.provenance
    assert not found.failures
    assert store.symbols() == ("000300.SS", "AAA", "^BBB")


def test_a_part_of_the_range_has_its_own_hash(store: StoreProvider) -> None:
    prices = made("AAA")
    store.add(prices, (FIRST, LAST))
    found = store.fetch(["AAA"], date(2019, 2, 1), date(2019, 2, 28))
    days = date(2019, 2, 1), date(2019, 2, 28)
    part = collect(["AAA"], *days, prices.answers().__getitem__)
    assert found.provenance["AAA"] == part.provenance["AAA"]
    assert found.provenance["AAA"].rows == 20


def test_answers_only_what_it_covers(store: StoreProvider) -> None:
    store.add(made("AAA"), (date(2018, 1, 1), LAST))
    found = store.fetch(["AAA", "ZZZ"], date(2018, 1, 1), LAST)
    assert found.symbols == ("AAA",)
    assert found.failures["ZZZ"].kind == "unknown_symbol"
    for start, end in [(date(2017, 12, 31), LAST), (FIRST, date(2020, 1, 1))]:
        error = store.fetch(["AAA"], start, end).failures["AAA"]
        assert error.kind == "no_prices"
        assert "2018-01-01 to 2019-12-31" in str(error)
    assert (
        store.fetch(["AAA"], date(2018, 2, 1), date(2018, 3, 1)).failures["AAA"].kind == "no_prices"
    )


@pytest.mark.parametrize(("n", "end"), [(4, "S3"), (6, "S5"), (7, "S4")])
def test_all_of_few_that_are_short_are_named_and_the_shortest_first(
    store: StoreProvider, n: int, end: str
) -> None:
    for i in range(n):
        store.add(made(f"S{i}", rows=20 * (i + 1)), (date(2019, 1, 2), date(2019, 3, i + 1)))
    names = [f"S{i}" for i in reversed(range(n))]
    partial = StoreProvider(store.path, partial=True)
    [said] = partial.fetch(names, date(2019, 1, 2), date(2019, 12, 31)).notices
    assert f"for {n} symbols (S0 2019-01-02 to 2019-03-01, S1 " in said
    assert said.endswith("and 2 more)") == (n > 6)
    assert re.findall(r"S\d", said)[-1] == end


def test_a_session_that_is_not_over_is_not_lacking(store: StoreProvider) -> None:
    """A cache that was filled last night is told of only once the next session has closed."""
    schedule = Sessions.of("XNYS")
    over = schedule.dates[schedule.closes < np.datetime64("now")].astype(object)
    first, last, earlier = over[-250], over[-1], over[-2]
    ends = {"AAA": last, "BBB": earlier}
    for symbol, end in ends.items():
        table = pd.DataFrame({"date": over[-250:], "close": np.arange(250.0) + 9})
        rows, _ = clean(table[table["date"] <= end], symbol)
        answer = Answer(rows, stamp(Provenance("files", "host", "", "", "USD"), rows))
        store.add(Prices.of({symbol: answer}, {}))
    partial = StoreProvider(store.path, partial=True)
    tonight = date.today()  # noqa: DTZ011
    assert partial.fetch(["AAA"], first, tonight).notices == ()
    [said] = partial.fetch(["AAA", "BBB"], first, tonight).notices
    assert f"for 1 symbol (BBB {first} to {earlier})" in said


def test_the_future_was_not_asked(store: StoreProvider) -> None:
    """What was downloaded on 2024-03-01 is no answer about that day or a later one."""
    store.add(made("AAA"), (FIRST, date(2030, 1, 1)))
    assert asked_days(store, "AAA", "ZZZ") == {"AAA": (FIRST, date(2024, 2, 29))}


def test_rows_are_replaced_whole(store: StoreProvider) -> None:
    store.add(made("AAA", "BBB"), (FIRST, LAST))
    again = made("AAA", first="2019-06-03", rows=20, scale=0.5)
    store.add(again, exact=True)
    assert store.fetch(["AAA"], FIRST, LAST).failures
    found = store.fetch(["AAA"], date(2019, 6, 3), date(2019, 6, 28))
    pd.testing.assert_frame_equal(found.table, again.table)
    assert store.fetch(["BBB"], FIRST, LAST).symbols == ("BBB",)


def test_nothing_there_yet(store: StoreProvider) -> None:
    assert store.symbols() == ()
    assert store.fetch(["AAA"], FIRST, LAST).failures["AAA"].kind == "unknown_symbol"
    stored = store.add(Prices.of({}, {}))
    assert (stored.notices, stored.unwritten) == ([], {})
    assert not store.path.exists()


def test_damaged_prices_are_not_given_out(store: StoreProvider) -> None:
    store.add(made("AAA", "BBB"), (FIRST, LAST))
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute(
            "UPDATE prices SET blob = (SELECT blob FROM prices WHERE symbol = 'BBB')"
        )
    connection.close()
    found = store.fetch(["AAA", "BBB"], FIRST, LAST)
    assert found.symbols == ("BBB",)
    assert found.failures["AAA"].kind == "bad_answer"


def corrupt(path: Path) -> None:
    path.write_bytes(b"no database at all, only some text" * 100)


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:8192])


def of_tomorrow(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def of_the_first_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1")
    connection.close()


def of_another_program(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (corrupt, "not a database"),
        (tear, "malformed"),
        (of_tomorrow, "version 99"),
        (of_the_first_version, "version 1, this program reads 2; move the file away"),
        (of_another_program, "another program"),
    ],
)
def test_a_file_that_is_no_store_is_refused(store: StoreProvider, harm: object, words: str) -> None:
    store.add(made(*(f"S{n}" for n in range(30))), (FIRST, LAST))
    harm(store.path)  # type: ignore[operator]
    before = store.path.read_bytes()
    for use in (lambda: store.fetch(["S1", "S29"], FIRST, LAST), lambda: store.add(made("S1"))):
        with pytest.raises(DataError, match=words) as caught:
            use()
        assert caught.value.where == str(store.path)
        assert "EVENTSTUDY_STORE" in caught.value.remedy
    assert store.path.read_bytes() == before


def test_a_place_that_cannot_be_written_gives_a_notice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    store = StoreProvider(tmp_path / "file" / "prices.sqlite")
    (notice,) = store.unwritten_notice(store.add(made("AAA")).unwritten)
    assert "cannot be written" in notice
    assert str(tmp_path) not in notice


READ_ONLY = """
import os, sys
from datetime import date
from eventstudy.prices.store import StoreProvider
store = StoreProvider(sys.argv[1])
span = date(2019, 1, 1), date(2019, 12, 31)
store.fetch(["AAA"], *span)  # loads all modules while they can be read
if os.getuid() == 0:
    os.setuid(65534)
assert not os.access(os.path.dirname(sys.argv[1]), os.W_OK)
print(store.fetch(["AAA"], *span).symbols)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits")
def test_a_folder_that_cannot_be_written_can_be_read() -> None:
    """Also where the tests run as root, who may write everywhere: the reader becomes nobody."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store" / "prices.sqlite"
        StoreProvider(path).add(made("AAA"), (FIRST, LAST))
        Path(folder).chmod(0o755)
        path.parent.chmod(0o555)
        try:
            output, complaints = python(READ_ONLY, path).communicate(timeout=300)
            assert (output.strip(), complaints) == ("('AAA',)", "")
        finally:
            path.parent.chmod(0o755)


def test_the_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", Unix)
    monkeypatch.delenv("EVENTSTUDY_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store_file() == tmp_path / "eventstudy" / "prices.sqlite"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert store_file() == Path.home() / ".local" / "share" / "eventstudy" / "prices.sqlite"
    monkeypatch.setattr(platformdirs, "PlatformDirs", MacOS)
    assert store_file().parts[-4:] == (
        "Library",
        "Application Support",
        "eventstudy",
        "prices.sqlite",
    )
    monkeypatch.setattr(platformdirs, "PlatformDirs", Windows)
    monkeypatch.setattr(windows, "get_win_folder", lambda name: str(tmp_path / "local"))
    assert store_file() == tmp_path / "local" / "eventstudy" / "prices.sqlite"
    monkeypatch.setenv("EVENTSTUDY_STORE", str(tmp_path / "mine.sqlite"))
    assert store_file() == tmp_path / "mine.sqlite"
    assert StoreProvider().path == tmp_path / "mine.sqlite"


WRITER = """
import sys
sys.path.insert(0, sys.argv[3])
from test_prices_store import made
from eventstudy.prices.store import StoreProvider
store = StoreProvider(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for round in range(5):
    names = [f"{sys.argv[2]}{n}" for n in range(20)]
    stored = store.add(made(*names, "BOTH", rows=200 + 10 * round))
    assert not stored.notices and not stored.unwritten, (stored.notices, stored.unwritten)
"""


def python(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            program,
            *map(str, arguments),
            str(Path(__file__).parent),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_programs_write_at_once(store: StoreProvider) -> None:
    writers = [python(WRITER, store.path, name) for name in "XY"]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        assert writer.communicate(timeout=300)[1] == ""
        assert writer.returncode == 0
    assert len(store.symbols()) == 41
    found = store.fetch(store.symbols(), date(2019, 1, 2), date(2019, 11, 5))
    assert not found.failures
    assert {given.rows for given in found.provenance.values()} == {220}
    assert store.held("BOTH").provenance.rows == 240
    assert (
        store.fetch(store.symbols(), date(2019, 1, 2), date(2019, 12, 3)).failures.keys() == set()
    )


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_killed_while_writing() -> None:
    """After every kill each symbol is whole, and what was reported as stored is there, with its
    vintage."""
    program = ROOT / "benchmarks" / "store_kill.py"
    run = subprocess.run(
        [sys.executable, "-W", "error", program, "--kills", "15", "--seed", str(seed(11))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    found = re.fullmatch(
        r"15 kills, (\d+) versions written, (\d+) in the middle of a write, 0 lost, .*\n",
        run.stdout,
    )
    assert found, run.stdout
    # each kill waits for a write that has begun, so that it can only miss one that ends before
    assert int(found[1]) >= 16 + 15
    assert int(found[2]) > 0, "no kill came in the middle of a write"


def test_provenance_of_the_download_is_kept(store: StoreProvider) -> None:
    prices = made("AAA")
    noted = {"AAA": replace(prices.provenance["AAA"], note="ä; 3 rows", instrument="INDEX")}
    store.add(replace(prices, provenance=noted), (FIRST, LAST))
    assert store.fetch(["AAA"], FIRST, LAST).provenance == noted


def test_reading_some_symbols_never_looks_at_all(store: StoreProvider) -> None:
    """Every statement that names a symbol finds it by the primary key, however large the store."""
    from eventstudy.prices import store as statements

    store.add(made("AAA"))
    texts = [
        statements.GET,
        statements.EXTENT,
        statements.VINTAGE,
        statements.DONOR,
    ]
    texts += [statements.FETCHES, statements.VINTAGES]
    for text in texts:
        values = ("AAA", "9999")[: text.count("?")]
        plans = [row[-1] for row in store.query("EXPLAIN QUERY PLAN " + text, values)]
        assert plans
        assert all(plan.startswith("SEARCH") and "PRIMARY KEY" in plan for plan in plans), (
            text,
            plans,
        )


@pytest.mark.slow
def test_the_work_of_a_read_is_that_of_its_symbols(store: StoreProvider) -> None:
    """Steps of SQLite's machine for three symbols: the same beside 10 others and beside 200."""
    steps = []
    for count in (10, 200):
        store.add(made(*(f"S{n}" for n in range(count)), rows=20))
        with store.database.reading() as connection:
            assert connection is not None
            done = 0

            def tick() -> None:
                nonlocal done
                done += 1

            connection.set_progress_handler(tick, 1)
            for symbol in ("S1", "S5", "S9"):
                record, donor = store._find(connection, symbol)
                assert (len(record), donor) == (7, None)
        steps.append(done)
    assert steps[0] == steps[1] > 0


def test_a_folder_names_its_file(tmp_path: Path) -> None:
    assert store_file(tmp_path) == tmp_path / "prices.sqlite"
    assert store_file(tmp_path / "new") == tmp_path / "new" / "prices.sqlite"
    assert store_file(tmp_path / "mine.db") == tmp_path / "mine.db"
    (tmp_path / "odd").touch()
    assert store_file(tmp_path / "odd") == tmp_path / "odd"


def edited(store: StoreProvider, statement: str) -> None:
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        "asked_last = '20x2'",
        "asked_first = '2018-01-01'",
        "fetched_at = '2024-03-02T10:00:00+00:00'",
        "provenance = replace(provenance, 'CNY', 'USD')",
        'actions = \'[["2019-03-01", "split", 2.0]]\'',
        f"actions = '{'[' * 3000}{']' * 3000}'",
        "provenance = '[1]'",
    ],
)
def test_a_record_that_was_edited_is_named(store: StoreProvider, change: str) -> None:
    """The hash holds its texts too; a download mends it, and the other symbol is as it was."""
    store.add(made("AAA", "BBB"), (FIRST, LAST))
    edited(store, f"UPDATE prices SET {change} WHERE symbol = 'AAA'")
    found = store.fetch(["AAA", "BBB"], FIRST, LAST)
    assert found.symbols == ("BBB",)
    assert found.failures["AAA"].kind == "bad_answer"
    assert "damaged" in str(found.failures["AAA"])
    store.add(made("AAA"), (FIRST, LAST))
    assert store.fetch(["AAA"], FIRST, LAST).symbols == ("AAA",)


SWAP = (
    "UPDATE prices SET symbol = CASE symbol WHEN 'AAA' THEN 'x' ELSE 'AAA' END",
    "UPDATE prices SET symbol = 'BBB' WHERE symbol = 'x'",
)


@pytest.mark.parametrize("is_old", [False, True])
def test_rows_exchanged_between_symbols_are_seen(store: StoreProvider, is_old: bool) -> None:
    """Also those of an earlier version, whose hash is that of the array alone."""
    prices = made("AAA", "BBB")
    store.add(prices, (FIRST, LAST))
    for symbol, rows in prices.by_symbol().items() if is_old else []:
        digest = hashlib.sha256(matrix_of(rows).astype("<f8").tobytes()).hexdigest()
        edited(store, f"UPDATE prices SET sha256 = '{digest}' WHERE symbol = '{symbol}'")
    assert store.fetch(["AAA", "BBB"], FIRST, LAST).provenance == prices.provenance
    for statement in SWAP:
        edited(store, statement)
    assert list(store.fetch(["AAA", "BBB"], FIRST, LAST).failures) == ["AAA", "BBB"]


@pytest.mark.slow
def test_a_log_that_a_power_cut_ends_anywhere_leaves_whole_symbols(
    store: StoreProvider, tmp_path: Path
) -> None:
    """What the log lacks was never stored; nothing is there in part, and it can be stored again."""
    batches = [made("AAA"), made("BBB", rows=200), made("CCC", "DDD", rows=150)]
    store.add(batches[0], (FIRST, LAST))
    with closing(sqlite3.connect(store.path)) as reader:
        # An open reader keeps the log from being merged.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        for batch in batches[1:]:
            store.add(batch, (FIRST, LAST))
        whole = store.path.read_bytes()
        log = store.path.with_name(f"{store.path.name}-wal").read_bytes()
    seen = set[tuple[str, ...]]()
    for k, end in enumerate(np.linspace(0, len(log), 24).astype(int).tolist()):
        path = tmp_path / f"{k}" / "prices.sqlite"
        path.parent.mkdir()
        path.write_bytes(whole)
        path.with_name("prices.sqlite-wal").write_bytes(log[:end])
        left = StoreProvider(path)
        symbols = left.symbols()
        found = left.fetch(symbols, FIRST, LAST)
        for batch in batches:
            for symbol in set(batch.symbols) & set(symbols):
                pd.testing.assert_frame_equal(
                    found.table[found.table["symbol"] == symbol].reset_index(drop=True),
                    batch.table[batch.table["symbol"] == symbol].reset_index(drop=True),
                )
        left.add(batches[1], (FIRST, LAST))
        assert "BBB" in left.symbols()
        seen.add(symbols)
    assert {("AAA",), ("AAA", "BBB"), ("AAA", "BBB", "CCC", "DDD")} <= seen
