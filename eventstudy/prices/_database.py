"""The price cache on disk: its SQLite file, and the stored form of a symbol."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadAnswerError, DataError
from ..utility import np, pd, sqlite3
from ..words import make_error
from . import _base as base
from ._prices import Prices

if TYPE_CHECKING:
    from ..utility import FloatArray

SCHEMA_VERSION = 2
TIMEOUT = 30.0

RECORD = "asked_first, asked_last, fetched_at, provenance, actions, sha256, blob"
FETCH = "fetched_at, outcome, asked_first, asked_last, source, library, sha256, note"


def _texts(columns: str) -> str:
    return ", ".join(f"{name} TEXT NOT NULL" for name in columns.split(", "))


_HELD = _texts(RECORD.removesuffix(", blob"))
_NUMBERED = "symbol TEXT NOT NULL, number INTEGER NOT NULL"
_KEY = "PRIMARY KEY (symbol, number)"
# Blobs come last: a look at the other columns need not walk over their pages. A vintage without a
# blob is a part, by its first and last day, of the next one that has a blob.
TABLES = (
    f"CREATE TABLE prices (symbol TEXT PRIMARY KEY, {_HELD}, blob BLOB NOT NULL) WITHOUT ROWID",
    f"CREATE TABLE vintages ({_NUMBERED}, {_HELD}, blob BLOB, {_KEY}) WITHOUT ROWID",
    f"CREATE TABLE fetches ({_NUMBERED}, {_texts(FETCH)}, {_KEY}) WITHOUT ROWID",
)


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
        if not self.path.is_file():
            yield None
            return
        try:
            with closing(_connect_to_read(self.path)) as connection:
                is_filled = self._version(connection) == SCHEMA_VERSION
                if is_filled:
                    connection.execute("BEGIN")
                yield connection if is_filled else None
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection to a present store; sqlite3.OperationalError if it is read-only."""
        try:
            with closing(_connect(self.path, "mode=rwc")) as connection:
                if self._version(connection) < SCHEMA_VERSION:
                    _create(connection)
                _use_write_ahead_log(connection)
                yield connection
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the schema version, 0 for an empty file; refuse other and foreign databases."""
        # in this order: another process may create the store between the two statements
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version not in (0, SCHEMA_VERSION):
            facts: Any = {"version": version, "ours": SCHEMA_VERSION}
            raise make_error(DataError, "wrong.cache_version", where=str(self.path), **facts)
        if version == 0 and tables:
            raise self._unusable("a database of another program")
        return version

    def _unusable(self, reason: object) -> DataError:
        return make_error(DataError, "wrong.cache", where=str(self.path), reason=reason)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the only right to write while the body runs; all its changes are stored, or none."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


def _connect(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=TIMEOUT)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Return a connection that also reads a store in a folder where nothing can be written."""
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
    """Make the tables of an empty file."""
    with transaction(connection):
        if int(connection.execute("PRAGMA user_version").fetchone()[0]) == SCHEMA_VERSION:
            return
        for statement in TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
    # the switch needs the file for itself; without it a second writer only waits longer
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")


@dataclass(frozen=True, eq=False)
class Held:
    """The rows of one symbol with their provenance.

    Parameters
    ----------
    symbol : str
    rows : DataFrame
        Columns `COLUMNS`, sorted by date.
    provenance : Provenance
    actions : tuple of Action
    coverage : (str, str)
        ISO dates of the range that need not be asked again, inclusive.
    fetched_at : str
        ISO 8601 time in UTC, to the second.
    """

    symbol: str
    rows: pd.DataFrame
    provenance: base.Provenance
    actions: tuple[base.Action, ...]
    coverage: tuple[str, str]
    fetched_at: str

    @classmethod
    def all_of(cls, prices: Prices, days: tuple[date, date] | None, now: datetime) -> list[Held]:
        """Return the stored form of each symbol of a fetch.

        Parameters
        ----------
        prices : Prices
        days : (date, date) or None
            The range that was asked of the source; None for the extent of the rows.
        now : datetime
            Time of a symbol that was not retrieved.

        Returns
        -------
        list of Held
        """
        fetched = []
        for symbol, rows in prices.by_symbol().items():
            source = prices.provenance[symbol]
            actions = prices.actions.get(symbol, ())
            moment = to_utc(source.retrieved_at or now.isoformat())
            fetched.append(cls(symbol, rows, source, actions, _settled(source, days), moment))
        return fetched

    def covers(self, start: date | str, end: date | str) -> bool:
        """Return whether all of a range was asked.

        Parameters
        ----------
        start, end : date or str
            Both inclusive; text is YYYY-MM-DD.

        Returns
        -------
        bool
        """
        return self.coverage[0] <= str(start) and str(end) <= self.coverage[1]

    def packed(self) -> tuple[str, str, str, str, str, str, bytes]:
        """Return the columns `RECORD` of the database."""
        raw = base.matrix_of(self.rows).astype("<f8").tobytes()
        about = json.dumps(asdict(self.provenance), sort_keys=True)
        texts = (*self.coverage, self.fetched_at, about, to_json(self.actions))
        return *texts, _seal(self.symbol, texts, raw), zlib.compress(raw, 1)


def _seal(symbol: str, texts: Iterable[str], raw: bytes) -> str:
    """Return the hash of a record: its symbol, all its texts, and the bytes of its array."""
    head = "\n".join([symbol, *texts, ""])
    return hashlib.sha256(head.encode() + raw).hexdigest()


def to_utc(text: str) -> str:
    """Return an ISO time as UTC to the second; one without an offset is UTC already."""
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="seconds")


def _settled(provenance: base.Provenance, requested: tuple[date, date] | None) -> tuple[str, str]:
    """Return the range that need not be asked again: of the day of retrieval only its rows."""
    if requested is None:
        return provenance.first, provenance.last
    first = requested[0].isoformat()
    last = requested[1].isoformat()
    if provenance.retrieved_at:
        day = datetime.fromisoformat(provenance.retrieved_at).date() - timedelta(days=1)
        last = min(last, max(day.isoformat(), provenance.last))
    return first, last


def to_json(actions: Iterable[base.Action]) -> str:
    """Return the actions as a JSON list of [date, kind, value]."""
    return json.dumps(list(map(astuple, sorted(actions))))


def unpack(symbol: str, record: tuple[Any, ...], donor: tuple[Any, ...] | None = None) -> Held:
    """Return the stored form of a symbol from a record.

    Parameters
    ----------
    symbol, record, donor
        As for `verify_record`.

    Returns
    -------
    Held

    Raises
    ------
    BadAnswerError
        As for `verify_record`.
    """
    matrix, provenance, actions = verify_record(symbol, record, donor)
    rows = frame({symbol: matrix})
    coverage = (record[0], record[1])
    return Held(symbol, rows, provenance, actions, coverage, record[2])


def verify_record(
    symbol: str, record: tuple[Any, ...], donor: tuple[Any, ...] | None = None
) -> tuple[FloatArray, base.Provenance, tuple[base.Action, ...]]:
    """Return the array of a record, shape (7, n_rows), with provenance and actions.

    Parameters
    ----------
    symbol : str
    record : tuple
        In the order of `RECORD`.
    donor : tuple, optional
        The later record whose blob holds the rows of one without a blob.

    Raises
    ------
    BadAnswerError
        When anything of the record has changed since it was written, or it is of another symbol.
    """
    *texts, digest, blob = record
    try:
        raw = zlib.decompress(blob if donor is None else donor[-1])
        provenance = base.Provenance(**json.loads(texts[-2]))
        acts = tuple(base.Action(*fields) for fields in json.loads(texts[-1]))
        matrix = np.frombuffer(raw, dtype="<f8").reshape(len(base.NUMBER_COLUMNS) + 1, -1)
        if donor is not None:
            matrix = cut_days(matrix, provenance.first, provenance.last)
            raw = matrix.tobytes()
        is_sound = digest == _seal(symbol, texts, raw)
    except (zlib.error, ValueError, TypeError, AttributeError, RecursionError):
        raise damaged(symbol) from None
    if not is_sound and digest == hashlib.sha256(raw).hexdigest():
        # Written before the hash held more than the array.
        is_sound = provenance.sha256 == base.stamped(provenance, symbol, matrix).sha256
    if not is_sound:
        raise damaged(symbol)
    return matrix, provenance, acts


def cut_days(matrix: FloatArray, start: date | str, end: date | str) -> FloatArray:
    """Return the days of an array in a range.

    Parameters
    ----------
    matrix : (7, n_rows) float array
        As `matrix_of` returns it.
    start, end : date or str
        Both inclusive; text is YYYY-MM-DD.

    Returns
    -------
    (7, n) float array
    """
    first, last = (np.datetime64(str(day), "D").astype("int64") for day in (start, end))
    low = np.searchsorted(matrix[0], first)
    high = np.searchsorted(matrix[0], last, side="right")
    return matrix[:, low:high]


def has_closes(matrix: FloatArray) -> bool:
    """Return whether an array, shape (7, n_rows), has any close, adjusted or not."""
    closes = [1 + base.NUMBER_COLUMNS.index(name) for name in ("close", "adj_close")]
    return not np.isnan(matrix[closes]).all()


def frame(matrices: Mapping[str, FloatArray]) -> pd.DataFrame:
    """Return the rows of symbols in the common shape and in their order, in one go for speed."""
    if not matrices:
        return base.make_empty_table()
    lengths = [matrix.shape[1] for matrix in matrices.values()]
    days, *numbers = np.concatenate([*matrices.values()], axis=1).astype("float64")
    dates = days.astype("int64").astype("datetime64[D]").astype(base.DATE_DTYPE)
    symbols = pd.Series([*matrices], dtype="str").repeat(lengths).reset_index(drop=True)
    columns = dict(zip(base.NUMBER_COLUMNS, numbers, strict=True))
    return pd.DataFrame({"symbol": symbols, "date": dates, **columns})


def damaged(symbol: str) -> BadAnswerError:
    """Return the error for a symbol whose record is not as it was written."""
    return BadAnswerError("the stored prices are damaged", where=symbol, remedy="download them")
