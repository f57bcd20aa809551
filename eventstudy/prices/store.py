"""A local store of downloaded prices: SQLite, one compressed blob a ticker, earlier vintages beside
it."""

# ruff: noqa: S608 - statements are made of constants

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, NoPricesError, PriceError, UnknownSymbolError
from ._actions import between
from ._base import Prices, Progress, empty_table, no_rows, stamped, unique
from ._database import RECORD, Database, transaction
from ._store_coverage import Held, frame, has_closes, unpack, utc, verified, within

if TYPE_CHECKING:
    import sqlite3

    from ..utility.typing import FloatArray
    from ._actions import Action
    from ._base import Provenance
    from .revisions import Merged

FILE = "prices.sqlite"
# So many symbols of a notice are named, those with the least first.
SHOWN = 5
Found = tuple[tuple[Any, ...], tuple[Any, ...] | None]
SUFFIXES = (".sqlite", ".sqlite3", ".db")
_PLACES = ", ".join("?" * 8)
PUT = f"INSERT OR REPLACE INTO prices (symbol, {RECORD}) VALUES ({_PLACES})"
GET = f"SELECT {RECORD} FROM prices WHERE symbol = ?"
GET_RANGE = "SELECT asked_first, asked_last FROM prices WHERE symbol = ?"
GET_SOURCE = "SELECT json_extract(provenance, '$.source') FROM prices WHERE symbol = ?"
KEEP = f"""INSERT INTO vintages (symbol, number, {RECORD})
    SELECT symbol, (SELECT coalesce(max(number), 0) + 1 FROM vintages WHERE symbol = ?1),
    {RECORD.replace("blob", "CASE WHEN ?2 THEN blob END")} FROM prices WHERE symbol = ?1"""
VINTAGE = f"""SELECT number, {RECORD} FROM vintages WHERE symbol = ? AND fetched_at <= ?
    ORDER BY number DESC LIMIT 1"""
DONOR = f"""SELECT {RECORD} FROM vintages WHERE symbol = ? AND number > ? AND blob IS NOT NULL
    ORDER BY number LIMIT 1"""
NUMBERED = f"SELECT number, {RECORD} FROM vintages WHERE symbol = ? ORDER BY number"
LOG = """INSERT INTO fetches SELECT ?1,
    (SELECT coalesce(max(number), 0) + 1 FROM fetches WHERE symbol = ?1), ?, ?, ?, ?, ?, ?, ?, ?"""


def default_path() -> Path:
    """Return ``$EVENTSTUDY_STORE``, or ``eventstudy/prices.sqlite`` in the user's data folder."""
    named = os.environ.get("EVENTSTUDY_STORE")
    if named:
        return store_file(Path(named).expanduser())
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "eventstudy" / FILE


def store_file(path: str | Path) -> Path:
    """Return the file of a store named by its file or its folder; a new name without a suffix is a
    folder."""
    path = Path(path)
    if path.is_dir() or (not path.exists() and path.suffix.lower() not in SUFFIXES):
        return path / FILE
    return path


def moment(vintage: str | date) -> str:
    """Return the last second that counts as `vintage`: of a date all of the day, in UTC.

    Raises
    ------
    ConfigError
        When it is neither a date nor a time in the form of ISO 8601.
    """
    text = str(vintage).strip()
    try:
        return utc(f"{date.fromisoformat(text)}T23:59:59" if len(text) <= 10 else text)
    except ValueError:
        remedy = "write YYYY-MM-DD, or a time such as 2024-03-01T18:00:00+00:00"
        raise ConfigError(
            "not a date or time", where="vintage", value=text, remedy=remedy
        ) from None


@dataclass(frozen=True)
class Kept:
    """What became of the symbols of a fetch.

    Parameters
    ----------
    held : dict of str to Held
        What is known of each symbol now, also where it could not be written.
    outcomes : dict of str to Merged
    refused : tuple of str
        Symbols that differ from what is stored, so that only a whole download may take its place.
    notices : tuple of str
    unwritten : dict of str to str
        Symbols that could not be written, and why.
    """

    held: dict[str, Held] = field(default_factory=dict)
    outcomes: dict[str, Merged] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    unwritten: dict[str, str] = field(default_factory=dict)


class StoreProvider:
    """Prices kept from earlier downloads.

    Parameters
    ----------
    path : str or Path, optional
        The SQLite file, or its folder; `default_path` when omitted. It is made at the first `put`.
    vintage : str or date, optional
        Answer as the store would have answered then: for each symbol the newest vintage fetched at
        or before.
    partial : bool
        Answer also for a part of a range; always so with `vintage`.

    Notes
    -----
    A blob is a zlib-compressed little-endian float64 array of shape (7, n_rows): days since
    1970-01-01, then open, high, low, close, adj_close and volume. The column ``sha256`` is the hash
    of the array's bytes. The file is in write-ahead-log mode, so that several processes can use it
    at once; it should not lie on a network file system. A fetch is appended to the rows of a symbol
    only where it agrees with them, otherwise it takes their place whole, and they are kept as a
    vintage.
    """

    name = "store"

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        vintage: str | date | None = None,
        partial: bool = False,
    ) -> None:
        self.path = store_file(path) if path is not None else default_path()
        self.database = Database(self.path)
        self._as_of = "" if vintage is None else moment(vintage)
        self._partial = partial or bool(self._as_of)

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Return the stored prices of the symbols for which all of `start` to `end` was once asked.

        Returns
        -------
        Prices
            UnknownSymbolError for a symbol that is not stored, NoPricesError for one whose stored
            range does not cover `start` to `end`, BadAnswerError for one whose stored bytes are
            damaged. The provenance is that of the download. With ``partial`` a part of the range is
            an answer, of which a notice tells.

        Raises
        ------
        DataError
            When the file is not a store, is damaged, or is of a newer version of the program.
        """
        wanted, failures = unique(symbols), {}
        parts: dict[str, FloatArray] = {}
        provenance: dict[str, Provenance] = {}
        actions: dict[str, tuple[Action, ...]] = {}
        short: dict[str, tuple[date, date]] = {}
        with self.database.reading() as connection:
            for done, symbol in enumerate(wanted, 1):
                try:
                    record, donor = self._find(connection, symbol)
                    if not _covers(record, start, end):
                        short[symbol] = self._short(symbol, record, start, end)
                    whole, source, acts = verified(symbol, record, donor)
                    part = within(whole, start, end)
                    if not has_closes(part):
                        raise no_rows(symbol, frame({symbol: whole}), start, end)
                    same = part.shape[1] == source.rows
                    provenance[symbol] = source if same else stamped(source, symbol, part)
                    parts[symbol], actions[symbol] = part, between(acts, start, end)
                except PriceError as error:
                    failures[symbol] = error
                if progress:
                    progress(done, len(wanted))
        cut = {symbol: have for symbol, have in short.items() if symbol in parts}
        return Prices(
            table=frame({name: parts[name] for name in sorted(parts)}) if parts else empty_table(),
            failures=dict(sorted(failures.items())),
            provenance={name: provenance[name] for name in sorted(parts)},
            notices=_cut_short(cut, start, end),
            actions={name: actions[name] for name in sorted(parts) if actions[name]},
        )

    def _short(
        self, symbol: str, record: tuple[Any, ...], start: date, end: date
    ) -> tuple[date, date]:
        """Return what is stored of a symbol, which is not all; NoPricesError if only all will
        do."""
        if not self._partial:
            what = f"the price store has {record[0]} to {record[1]}, not all of {start} to {end}"
            raise NoPricesError(what, where=symbol)
        return date.fromisoformat(record[0]), date.fromisoformat(record[1])

    def held(self, symbol: str) -> Held:
        """Return all that is stored of a symbol; PriceError when it is not there or damaged."""
        with self.database.reading() as connection:
            return unpack(symbol, *self._find(connection, symbol))

    def put(self, prices: Prices, *, asked: tuple[date, date] | None = None) -> tuple[str, ...]:
        """Store the symbols of `prices`: appended where they agree with what was stored, else in
        its place.

        Parameters
        ----------
        prices : Prices
            Failures are not stored.
        asked : tuple of date, optional
            The range that was asked of the source, inclusive; the extent of the rows when omitted.
            The part of it that had not ended at the time of the retrieval counts as not asked.

        Returns
        -------
        tuple of str
            A notice for each symbol that the source revised, and one when the store cannot be
            written.

        Raises
        ------
        DataError
            When the file is not a store, is damaged, or is of a newer version of the program.
        """
        kept = self.add(prices, asked)
        return (*self.unwritten_notice(kept.unwritten), *kept.notices)

    def unwritten_notice(self, unwritten: Mapping[str, str]) -> tuple[str, ...]:
        """Return the notice on symbols that could not be written, if there are any."""
        if not unwritten:
            return ()
        names = ", ".join([*unwritten][:SHOWN]) + ", ..." * (len(unwritten) > SHOWN)
        reason = next(iter(unwritten.values()))
        count = f"{len(unwritten)} symbol{'s' * (len(unwritten) != 1)}"
        what = f"the price cache {self.path.name} cannot be written ({reason})"
        return (f"{what}: prices of {count} were not kept ({names})",)

    def add(
        self,
        prices: Prices,
        asked: tuple[date, date] | None = None,
        *,
        append_only: bool = False,
        exact: bool = False,
    ) -> Kept:
        """Store as `put` does and return what became of each symbol.

        Parameters
        ----------
        append_only : bool
            Refuse a symbol that would lose days because it cannot be appended.
        exact : bool
            Keep every value of `prices`, also where closes agree with what was stored.
        """
        import sqlite3

        news = Held.all_of(prices, asked, datetime.now(UTC))
        done: dict[str, Merged] = {}
        refused: list[str] = []
        unwritten: dict[str, str] = {}
        try:
            if news:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.database.writing() as connection:
                    for new in news:
                        with transaction(connection):
                            merged = _merged(connection, new, append_only, exact)
                            if merged is not None:
                                _write(connection, new, merged)
                        _note(new.symbol, merged, done, refused)
        except (OSError, sqlite3.OperationalError) as error:
            reason = str(getattr(error, "strerror", None) or error)
            with self.database.reading() as connection:
                for new in news:
                    if new.symbol not in done and new.symbol not in refused:
                        unwritten[new.symbol] = reason
                        _note(
                            new.symbol, _merged(connection, new, append_only, exact), done, refused
                        )
        notices = tuple(
            m.notice for symbol, m in done.items() if m.notice and symbol not in unwritten
        )
        held = {symbol: merged.held for symbol, merged in done.items()}
        return Kept(held, done, tuple(refused), notices, unwritten)

    def symbols(self) -> tuple[str, ...]:
        """Return the stored tickers, in alphabetical order."""
        return tuple(row[0] for row in self.query("SELECT symbol FROM prices ORDER BY symbol"))

    def asked(self, symbols: Sequence[str]) -> dict[str, tuple[date, date]]:
        """Return the stored range, both ends inclusive, of those symbols that are stored."""
        found = self._each(GET_RANGE, symbols)
        return {
            name: (date.fromisoformat(first), date.fromisoformat(last))
            for name, (first, last) in found
        }

    def of_others(self, symbols: Sequence[str], source: str) -> tuple[str, ...]:
        """Return those symbols that are stored from another source than `source`."""
        return tuple(
            name for name, (theirs,) in self._each(GET_SOURCE, symbols) if theirs != source
        )

    def _each(self, statement: str, symbols: Sequence[str]) -> list[tuple[str, tuple[Any, ...]]]:
        with self.database.reading() as connection:
            if connection is None:
                return []
            found = (
                (name, connection.execute(statement, (name,)).fetchone())
                for name in unique(symbols)
            )
            return [(name, row) for name, row in found if row is not None]

    def query(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT; nothing when there is no store yet."""
        with self.database.reading() as connection:
            return (
                []
                if connection is None
                else connection.execute(statement, tuple(values)).fetchall()
            )

    def _find(self, connection: sqlite3.Connection | None, symbol: str) -> Found:
        """Return the record that answers for a symbol, and the one that lends it its blob, if
        any."""
        record = None if connection is None else connection.execute(GET, (symbol,)).fetchone()
        if connection is None or record is None:
            raise UnknownSymbolError("not in the price store", where=symbol)
        if self._as_of and record[2] > self._as_of:
            return _vintage(connection, symbol, self._as_of, record)
        return record, None


def _vintage(
    connection: sqlite3.Connection, symbol: str, as_of: str, current: tuple[Any, ...]
) -> Found:
    """Return the newest vintage of a symbol fetched at or before `as_of`."""
    found = connection.execute(VINTAGE, (symbol, as_of)).fetchone()
    if found is None:
        oldest = connection.execute(
            "SELECT min(fetched_at) FROM vintages WHERE symbol = ?", (symbol,)
        )
        first = oldest.fetchone()[0] or current[2]
        what = f"the price store has no vintage of {as_of} or before"
        raise NoPricesError(what, where=symbol, remedy=f"the first is of {first}")
    number, *record = found
    return tuple(record), donor_of(connection, symbol, number, record[-1], current)


def donor_of(
    connection: sqlite3.Connection,
    symbol: str,
    number: int,
    blob: bytes | None,
    current: tuple[Any, ...],
) -> tuple[Any, ...] | None:
    """Return the record whose blob holds the rows of a vintage without one; None if it has its
    own."""
    if blob is not None:
        return None
    found: tuple[Any, ...] | None = connection.execute(DONOR, (symbol, number)).fetchone()
    return found or current


def _merged(
    connection: sqlite3.Connection | None, new: Held, append_only: bool, exact: bool
) -> Merged | None:
    """Return what becomes of a symbol; None when that would lose days and may not."""
    from .revisions import merge

    record = None if connection is None else connection.execute(GET, (new.symbol,)).fetchone()
    try:
        old = None if record is None else unpack(new.symbol, record)
    except PriceError:
        old = None
    merged = merge(old, new, exact=exact)
    replaces = merged.outcome not in ("same", "append", "older")
    if append_only and record is not None and replaces and not new.covers(*record[:2]):
        return None
    return (
        merged
        if old is not None or record is None
        else replace(merged, note="stored bytes were damaged")
    )


def _write(connection: sqlite3.Connection, new: Held, merged: Merged) -> None:
    if merged.outcome not in ("new", "same", "older"):
        connection.execute(KEEP, (new.symbol, merged.whole))
    if merged.changed:
        connection.execute(PUT, (new.symbol, *merged.held.packed()))
    came = new.provenance
    about = (came.source, came.library, came.sha256, merged.note)
    connection.execute(LOG, (new.symbol, new.fetched_at, merged.outcome, *new.asked, *about))


def _note(symbol: str, merged: Merged | None, done: dict[str, Merged], refused: list[str]) -> None:
    if merged is None:
        refused.append(symbol)
    else:
        done[symbol] = merged


def _covers(record: tuple[Any, ...], start: date, end: date) -> bool:
    return bool(record[0] <= start.isoformat() and end.isoformat() <= record[1])


def _cut_short(held: Mapping[str, tuple[date, date]], start: date, end: date) -> tuple[str, ...]:
    """Return a notice on symbols that are stored for a part of the range only, the smallest part
    first."""
    if not held:
        return ()
    worst = sorted(held.items(), key=lambda own: min(own[1][1], end) - max(own[1][0], start))
    named = [f"{symbol} {first} to {last}" for symbol, (first, last) in worst]
    # One more takes less room than a word on it.
    shown = named if len(named) <= SHOWN + 1 else [*named[:SHOWN], f"and {len(named) - SHOWN} more"]
    count = f"{len(held)} symbol{'s' * (len(held) != 1)}"
    return (f"the price store has a part of {start} to {end} for {count} ({', '.join(shown)})",)
