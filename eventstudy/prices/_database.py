"""The SQLite file of the store: its tables, how they came about, and how the file is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError

if TYPE_CHECKING:
    import sqlite3

SCHEMA_VERSION = 2
TIMEOUT = 30.0
REMEDY = "move the file away to start a new store, or name another one in EVENTSTUDY_STORE"
RECORD = "asked_first, asked_last, fetched_at, provenance, actions, sha256, blob"
_HELD = """
    asked_first TEXT NOT NULL,
    asked_last TEXT NOT NULL,
    fetched_at TEXT NOT NULL,
    provenance TEXT NOT NULL,
    actions TEXT NOT NULL,
    sha256 TEXT NOT NULL,
"""
# Blobs come last: a look at the other columns need not walk over their pages.
TABLES = {
    "prices": f"CREATE TABLE prices (symbol TEXT PRIMARY KEY, {_HELD} blob BLOB NOT NULL) WITHOUT "
    "ROWID",
    # A vintage without a blob is a part, by its first and last day, of the next one that has a
    # blob.
    "vintages": f"""CREATE TABLE vintages (
        symbol TEXT NOT NULL, number INTEGER NOT NULL, {_HELD} blob BLOB,
        PRIMARY KEY (symbol, number)
    ) WITHOUT ROWID""",
    "fetches": """CREATE TABLE fetches (
        symbol TEXT NOT NULL,
        number INTEGER NOT NULL,
        fetched_at TEXT NOT NULL,
        outcome TEXT NOT NULL,
        asked_first TEXT NOT NULL,
        asked_last TEXT NOT NULL,
        source TEXT NOT NULL,
        library TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (symbol, number)
    ) WITHOUT ROWID""",
}
FROM_1 = """SELECT symbol, asked_first, asked_last,
    coalesce(json_extract(provenance, '$.retrieved_at'), '') AS fetched_at,
    provenance, '[]' AS actions, sha256, blob FROM """


class Database:
    """A store file, refused with a DataError when it is not one of ours.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Yield a connection that sees one state of the store; None when there is no store yet."""
        import sqlite3

        if not self.path.is_file():
            yield None
            return
        try:
            with closing(_connect_to_read(self.path)) as connection:
                version = self._version(connection)
                if version == 1:
                    _show_as_2(connection)
                if version:
                    connection.execute("BEGIN")
                yield connection if version else None
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection to a store that exists; sqlite3.OperationalError when it cannot be
        written."""
        import sqlite3

        try:
            with closing(_connect(self.path, "mode=rwc")) as connection:
                if self._version(connection) < SCHEMA_VERSION:
                    _migrate(connection)
                _use_write_ahead_log(connection)
                yield connection
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the schema version, 0 for an empty file; refuse what is newer or no store of
        ours."""
        # in this order: another process may create the store between the two statements
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise DataError(
                f"the price store has version {version}, this program reads up to {SCHEMA_VERSION}",
                where=str(self.path),
                remedy="update eventstudy-kit, or name another store in EVENTSTUDY_STORE",
            )
        if version == 0 and tables:
            raise self._unusable("a database of another program")
        return version

    def _unusable(self, reason: object) -> DataError:
        return DataError(
            f"not a usable price store ({reason})", where=str(self.path), remedy=REMEDY
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the only right to write while the body runs; all of it is kept, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


def _connect(path: Path, options: str) -> sqlite3.Connection:
    import sqlite3

    return sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=TIMEOUT)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Return a connection that also reads a store in a folder where nothing can be written."""
    import sqlite3

    connection = _connect(path, "mode=rw")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        return _connect(path, "mode=ro&immutable=1")
    return connection


def _show_as_2(connection: sqlite3.Connection) -> None:
    """Let a reader see a store of version 1 as one of version 2, without a change to the file."""
    connection.execute(f"CREATE TEMP VIEW prices AS {FROM_1} main.prices")
    for name in ("vintages", "fetches"):
        connection.execute(TABLES[name].replace("CREATE TABLE", "CREATE TEMP TABLE"))
    connection.commit()


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring an empty file or a store of version 1 to the present version, in one transaction."""
    with transaction(connection):
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version == SCHEMA_VERSION:
            return
        if version == 1:
            connection.execute("ALTER TABLE prices RENAME TO prices_1")
        for statement in TABLES.values():
            connection.execute(statement)
        if version == 1:
            connection.execute(f"INSERT INTO prices {FROM_1} prices_1")
            connection.execute("DROP TABLE prices_1")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    import sqlite3

    connection.execute("PRAGMA synchronous = NORMAL")
    # the switch needs the file for itself; without it a second writer only waits longer
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")
