"""A local store of downloaded prices: SQLite, one compressed blob a ticker."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadAnswerError, DataError, NoPricesError, PriceError, UnknownSymbolError
from ._base import (
    DATE_DTYPE,
    NUMBER_COLUMNS,
    Prices,
    Progress,
    Provenance,
    has_prices,
    in_range,
    no_rows,
    stamp,
    unique,
)

if TYPE_CHECKING:
    import sqlite3

    import pandas as pd

SCHEMA_VERSION = 1
TIMEOUT = 30.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS prices (
    symbol TEXT PRIMARY KEY,
    asked_first TEXT NOT NULL,
    asked_last TEXT NOT NULL,
    provenance TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    blob BLOB NOT NULL
) WITHOUT ROWID
"""
PUT = "INSERT OR REPLACE INTO prices VALUES (?, ?, ?, ?, ?, ?)"
GET = "SELECT symbol, asked_first, asked_last, provenance, sha256, blob FROM prices WHERE symbol = ?"
GET_RANGE = "SELECT symbol, asked_first, asked_last FROM prices WHERE symbol = ?"
REMEDY = "move the file away to start a new store, or name another one in EVENTSTUDY_STORE"


def default_path() -> Path:
    """Return ``$EVENTSTUDY_STORE``, or ``eventstudy/prices.sqlite`` in the user's data folder."""
    named = os.environ.get("EVENTSTUDY_STORE")
    if named:
        return Path(named).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or home / ".local" / "share"
    return Path(base) / "eventstudy" / "prices.sqlite"


@dataclass(frozen=True, slots=True)
class _Record:
    symbol: str
    asked_first: str
    asked_last: str
    provenance: str
    sha256: str
    blob: bytes

    def covers(self, start: date, end: date) -> bool:
        return self.asked_first <= start.isoformat() and end.isoformat() <= self.asked_last


class StoreProvider:
    """Prices kept from earlier downloads.

    Parameters
    ----------
    path : str or Path, optional
        The SQLite file; `default_path` when omitted. It is made at the first `put`.

    Notes
    -----
    A blob is a zlib-compressed little-endian float64 array of shape (7, n_rows): days since 1970-01-01, then
    open, high, low, close, adj_close and volume. The column ``sha256`` is the hash of the array's bytes. The
    file is in write-ahead-log mode, so that several processes can use it at once; it should not lie on a
    network file system. The rows of a symbol are only ever replaced whole, since adjusted closes of two
    downloads do not fit together.
    """

    name = "store"

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path) if path is not None else default_path()

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Return the stored prices of the symbols for which all of `start` to `end` was once asked.

        Returns
        -------
        Prices
            UnknownSymbolError for a symbol that is not stored, NoPricesError for one whose stored range does
            not cover `start` to `end`, BadAnswerError for one whose stored bytes are damaged. The provenance
            is that of the download.

        Raises
        ------
        DataError
            When the file is not a store, is damaged, or is of a newer version of the program.
        """
        parts, failures, provenance = {}, {}, {}
        wanted = unique(symbols)
        found = (_Record(*row) for row in self._query(GET, [(symbol,) for symbol in wanted]))
        records = {record.symbol: record for record in found}
        for done, symbol in enumerate(wanted, 1):
            try:
                whole, described = self._answer(symbol, records.get(symbol), start, end)
                rows = in_range(whole, start, end)
                if not has_prices(rows):
                    raise no_rows(symbol, whole, start, end)
                parts[symbol] = rows
                provenance[symbol] = described if len(rows) == described.rows else stamp(described, rows)
            except PriceError as error:
                failures[symbol] = error
            if progress:
                progress(done, len(wanted))
        return Prices.of(parts, failures, provenance)

    def put(self, prices: Prices, *, asked: tuple[date, date] | None = None) -> tuple[str, ...]:
        """Store the symbols of `prices`, each in place of what was stored for it.

        Parameters
        ----------
        prices : Prices
            Failures are not stored.
        asked : tuple of date, optional
            The range that was asked of the source, inclusive; the extent of the rows when omitted. The part
            of it that had not ended at the time of the retrieval counts as not asked.

        Returns
        -------
        tuple of str
            A notice when the store cannot be written, otherwise empty.

        Raises
        ------
        DataError
            When the file is not a store, is damaged, or is of a newer version of the program.
        """
        import sqlite3

        if not prices.symbols:
            return ()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._writing() as connection:
                for symbol, rows in prices.parts().items():
                    with connection:
                        connection.execute(PUT, _pack(symbol, rows, prices.provenance[symbol], asked))
        except (OSError, sqlite3.OperationalError) as error:
            reason = getattr(error, "strerror", None) or error
            return (f"the price store {self.path.name} cannot be written ({reason}): prices were not kept",)
        return ()

    def symbols(self) -> tuple[str, ...]:
        """Return the stored tickers, in alphabetical order."""
        return tuple(row[0] for row in self._query("SELECT symbol FROM prices ORDER BY symbol"))

    def asked(self, symbols: Sequence[str]) -> dict[str, tuple[date, date]]:
        """Return the stored range, both ends inclusive, of those symbols that are stored."""
        found = self._query(GET_RANGE, [(symbol,) for symbol in unique(symbols)])
        return {name: (date.fromisoformat(first), date.fromisoformat(last)) for name, first, last in found}

    def _answer(
        self, symbol: str, record: _Record | None, start: date, end: date
    ) -> tuple[pd.DataFrame, Provenance]:
        if record is None:
            raise UnknownSymbolError("not in the price store", where=symbol)
        if not record.covers(start, end):
            have = f"{record.asked_first} to {record.asked_last}"
            raise NoPricesError(f"the price store has {have}, not all of {start} to {end}", where=symbol)
        return _unpack(record)

    def _query(self, statement: str, arguments: Iterable[tuple[str, ...]] = ((),)) -> list[tuple[Any, ...]]:
        """Return the rows of `statement` for each of `arguments`; nothing when there is no store yet."""
        import sqlite3

        if not self.path.is_file():
            return []
        try:
            with closing(_connect_to_read(self.path)) as connection:
                if self._version(connection) == 0:
                    return []
                return [row for each in arguments for row in connection.execute(statement, each)]
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection to a store that exists; sqlite3.OperationalError when it cannot be written."""
        import sqlite3

        try:
            with closing(_connect(self.path, "mode=rwc")) as connection:
                if self._version(connection) == 0:
                    _create(connection)
                _use_write_ahead_log(connection)
                yield connection
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the schema version, 0 for an empty file; refuse what is newer or no store of ours."""
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
        return DataError(f"not a usable price store ({reason})", where=str(self.path), remedy=REMEDY)


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


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        connection.execute(SCHEMA)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    import sqlite3

    connection.execute("PRAGMA synchronous = NORMAL")
    # the switch needs the file for itself; without it a second writer only waits longer
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")


def _pack(
    symbol: str, rows: pd.DataFrame, provenance: Provenance, asked: tuple[date, date] | None
) -> tuple[str, str, str, str, str, bytes]:
    """Return the row of the database for one symbol, in the order of the schema."""
    import numpy as np

    days = rows["date"].to_numpy().astype("datetime64[D]").astype("int64")
    matrix = np.vstack([days, *(rows[column].to_numpy() for column in NUMBER_COLUMNS)])
    raw = matrix.astype("<f8").tobytes()
    first, last = _asked(provenance, asked)
    described = json.dumps(asdict(provenance), sort_keys=True)
    return symbol, first, last, described, hashlib.sha256(raw).hexdigest(), zlib.compress(raw, 1)


def _asked(provenance: Provenance, asked: tuple[date, date] | None) -> tuple[str, str]:
    """Return the range that need not be asked again, as ISO dates."""
    if asked is None:
        return provenance.first, provenance.last
    first, last = asked[0].isoformat(), asked[1].isoformat()
    if provenance.retrieved_at:
        day = datetime.fromisoformat(provenance.retrieved_at).date() - timedelta(days=1)
        last = min(last, max(day.isoformat(), provenance.last))
    return first, last


def _unpack(record: _Record) -> tuple[pd.DataFrame, Provenance]:
    """Return all rows of a symbol and their provenance; BadAnswerError when the bytes have changed."""
    import numpy as np
    import pandas as pd

    try:
        raw = zlib.decompress(record.blob)
    except zlib.error:
        raw = b""
    if hashlib.sha256(raw).hexdigest() != record.sha256:
        raise BadAnswerError("the stored prices are damaged", where=record.symbol, remedy="download them")
    days, *numbers = np.frombuffer(raw, dtype="<f8").reshape(len(NUMBER_COLUMNS) + 1, -1).astype("float64")
    dates = days.astype("int64").astype("datetime64[D]").astype(DATE_DTYPE)
    columns = dict(zip(NUMBER_COLUMNS, numbers, strict=True))
    rows = pd.DataFrame({"symbol": record.symbol, "date": dates, **columns})
    return rows.astype({"symbol": "str"}), Provenance(**json.loads(record.provenance))
