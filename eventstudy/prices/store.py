"""The local price cache: SQLite, one compressed blob a ticker, with its earlier vintages."""

# ruff: noqa: S608 - statements are made of constants

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, HeldBackError, NoPricesError, PriceError, UnknownSymbolError
from ..utility import np, sqlite3
from ..words import Reason, make_error, say, words
from . import _database as disk
from ._base import Action, Provenance, stamped, unique
from ._prices import Names, Prices, Progress, between, gather, no_rows
from ._registered import Place, price_source

if TYPE_CHECKING:
    from ..utility import FloatArray
    from .revisions import Merged

FILE = "prices.sqlite"
# Symbols that a notice names, those with the smallest part first.
NAMED = 5
Row = tuple[Any, ...]
Records = tuple[Row, Row | None]
SUFFIXES = (".sqlite", ".sqlite3", ".db")
_PLACES = ", ".join("?" * 8)
PUT = f"INSERT OR REPLACE INTO prices (symbol, {disk.RECORD}) VALUES ({_PLACES})"
GET = f"SELECT {disk.RECORD} FROM prices WHERE symbol = ?"
EXTENT = """SELECT asked_first, asked_last, json_extract(provenance, '$.source'),
    json_extract(provenance, '$.first'), json_extract(provenance, '$.last'),
    json_extract(provenance, '$.retrieved_at')
    FROM prices WHERE symbol = ?"""
KEEP = f"""INSERT INTO vintages (symbol, number, {disk.RECORD})
    SELECT symbol, (SELECT coalesce(max(number), 0) + 1 FROM vintages WHERE symbol = ?1),
    {disk.RECORD.replace("blob", "CASE WHEN ?2 THEN blob END")} FROM prices WHERE symbol = ?1"""
# The vintage of a symbol that is held back has this number; all others were in use.
HELD_BACK = 0
HOLD_BACK = f"""INSERT OR REPLACE INTO vintages (symbol, number, {disk.RECORD})
    VALUES (?, {HELD_BACK}, {", ".join("?" * 7)})"""
GET_HELD_BACK = f"SELECT {disk.RECORD} FROM vintages WHERE symbol = ? AND number = {HELD_BACK}"
FORGET = f"DELETE FROM vintages WHERE symbol = ? AND number = {HELD_BACK}"
VINTAGE = f"""SELECT number, {disk.RECORD} FROM vintages WHERE symbol = ? AND fetched_at <= ?
    AND number > {HELD_BACK} ORDER BY number DESC LIMIT 1"""
DONOR = f"""SELECT {disk.RECORD} FROM vintages WHERE symbol = ? AND number > ? AND blob IS NOT NULL
    ORDER BY number LIMIT 1"""
LIST = """SELECT symbol, provenance, fetched_at,
    (SELECT count(*) FROM vintages WHERE vintages.symbol = prices.symbol AND number > 0)
    FROM prices ORDER BY symbol"""
VINTAGES = "SELECT number, fetched_at, provenance FROM vintages WHERE symbol = ? ORDER BY number"
FETCHES = f"SELECT {disk.FETCH} FROM fetches WHERE symbol = ? ORDER BY number"
LISTED = ("first", "last", "rows", "currency", "source")
LOG = """INSERT INTO fetches SELECT ?1,
    (SELECT coalesce(max(number), 0) + 1 FROM fetches WHERE symbol = ?1), ?, ?, ?, ?, ?, ?, ?, ?"""


def _default_path() -> Path:
    """Return ``$EVENTSTUDY_STORE``, or ``eventstudy/prices.sqlite`` in the user's data folder."""
    from platformdirs import user_data_path

    if named := os.environ.get("EVENTSTUDY_STORE"):
        return store_file(Path(named).expanduser())
    return user_data_path("eventstudy", appauthor=False).expanduser() / FILE


def store_file(path: str | Path | None = None) -> Path:
    """Return the file of a store, named by its file or folder; a new name without suffix is one.

    Parameters
    ----------
    path : str or Path, optional
        By default ``$EVENTSTUDY_STORE``, or ``eventstudy/prices.sqlite`` in the user's data folder.
    """
    if path is None:
        return _default_path()
    path = Path(path)
    if path.is_dir() or (not path.exists() and path.suffix.lower() not in SUFFIXES):
        return path / FILE
    return path


def moment(vintage: str | date) -> str:
    """Return the last second of a vintage in UTC; a date counts to the end of its day.

    Raises
    ------
    ConfigError
        When it is neither a date nor a time in the form of ISO 8601.
    """
    text = str(vintage).strip()
    try:
        return disk.to_utc(f"{date.fromisoformat(text)}T23:59:59" if len(text) <= 10 else text)
    except ValueError:
        raise make_error(ConfigError, "wrong.vintage", where="vintage", value=text) from None


@dataclass(frozen=True)
class Stored:
    """The result of storing a fetch.

    Parameters
    ----------
    results : dict of str to Merged or None
        By symbol; None where the answer differs from the stored rows: only a download of the whole
        range may replace them.
    unwritten : dict of str to str
        Symbols that could not be written, and why.
    """

    results: dict[str, Merged | None] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)

    @property
    def outcomes(self) -> dict[str, Merged]:
        """The results of the symbols that were neither refused nor held back."""
        kept = self.results.items()
        return {symbol: each for symbol, each in kept if each and each.outcome != "held_back"}

    @property
    def held_back(self) -> dict[str, PriceError]:
        """The error of each symbol whose answer does not fit the stored prices."""
        errors: dict[str, PriceError] = {}
        for symbol, each in self.results.items():
            if each and each.outcome == "held_back":
                facts = {"symbol": symbol, "why": each.note}
                errors[symbol] = make_error(HeldBackError, "wrong.held_back", where=symbol, **facts)
        return errors

    @property
    def notices(self) -> list[str]:
        """Messages on the symbols that were written."""
        written = (m.notice for s, m in self.outcomes.items() if s not in self.unwritten)
        return list(filter(None, written))


class StoreProvider:
    """Prices kept from earlier downloads.

    Parameters
    ----------
    path : str or Path, optional
        The SQLite file, or its folder; by default that of `store_file`. It is made when it is
        written.
    vintage : str or date, optional
        Answer as the store would have answered then: for each symbol the newest vintage fetched at
        or before.
    partial : bool
        Answer also for a part of a range; always so with `vintage`.

    Notes
    -----
    A blob is a zlib-compressed little-endian float64 array of shape (7, n_rows): days since
    1970-01-01, then open, high, low, close, adj_close and volume. The column ``sha256`` is the hash
    of the symbol, the columns before it (range, provenance with the currency, actions) and the
    array's bytes. The file is in write-ahead-log mode: several processes can use it
    at once; it should not lie on a network file system. A fetch is appended to the rows of a symbol
    only where it agrees with them, otherwise it takes their place whole, and they are kept as a
    vintage. An answer that does not fit them (:func:`.revisions.merge`) is held back, and kept.
    """

    name = "store"
    # A chain of sources asks it for every symbol.
    is_local = True

    def __init__(
        self, path: str | Path | None = None, *, vintage: str | date | None = None,
        partial: bool = False,
    ) -> None:  # fmt: skip
        self.path = store_file(path)
        self.database = disk.Database(self.path)
        self._as_of = "" if vintage is None else moment(vintage)
        self._partial = partial or bool(self._as_of)

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the stored prices of the symbols for which all of `start` to `end` was once asked.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
            UnknownSymbolError for a symbol that is not stored, NoPricesError for one whose stored
            range does not cover `start` to `end`, BadAnswerError for one whose stored bytes are
            damaged. The provenance describes the download. With ``partial`` a part of the range is
            an answer, and a notice says so.

        Raises
        ------
        DataError
            When the file is not a store, is damaged, or is of a newer version of the program.
        """
        short: dict[str, tuple[date, date]] = {}

        def read(symbol: str) -> tuple[FloatArray, Provenance, tuple[Action, ...]]:
            record, donor = self._find(connection, symbol)
            try:
                first, last = (date.fromisoformat(day) for day in record[:2])
            except ValueError:
                raise disk.damaged(symbol) from None
            if start < first or end > last:
                if not self._partial:
                    facts: Any = {"first": first, "last": last, "start": start, "end": end}
                    raise make_error(NoPricesError, "wrong.part_cached", where=symbol, **facts)
                if start < first or _lacks_sessions(symbol, last, end):
                    short[symbol] = first, last
            matrix, provenance, actions = disk.verify_record(symbol, record, donor)
            selected = disk.cut_days(matrix, start, end)
            if not disk.has_closes(selected):
                raise no_rows(symbol, disk.frame({symbol: matrix}), start, end)
            if selected.shape[1] != provenance.rows:
                provenance = stamped(provenance, symbol, selected)
            return selected, provenance, between(actions, start, end)

        with self.database.reading() as connection:
            answers, failures = gather(symbols, read, progress)
        names = sorted(answers)
        return Prices(
            table=disk.frame({name: answers[name][0] for name in names}),
            failures=dict(sorted(failures.items())),
            provenance={name: answers[name][1] for name in names},
            notices=_name_short({s: days for s, days in short.items() if s in answers}, start, end),
            actions={name: actions for name in names if (actions := answers[name][2])},
        )

    def held(self, symbol: str) -> disk.Held:
        """Return all that is stored of a symbol; PriceError when it is not there or damaged."""
        with self.database.reading() as connection:
            return disk.unpack(symbol, *self._find(connection, symbol))

    def unwritten_notice(self, unwritten: Mapping[str, str]) -> tuple[str, ...]:
        """Return the notice on symbols that could not be written, if there are any."""
        if not unwritten:
            return ()
        reason = next(iter(unwritten.values()))
        names = words().some(unwritten, NAMED)
        facts = {"file": self.path.name, "reason": reason, "n": len(unwritten), "names": names}
        return (say("price_cache.unwritten", **facts),)

    def add(
        self, prices: Prices, requested: tuple[date, date] | None = None, *,
        append_only: bool = False, exact: bool = False,
    ) -> Stored:  # fmt: skip
        """Store prices: a symbol is appended where it agrees with its stored rows, else replaced.

        Parameters
        ----------
        prices : Prices
            Failures are not stored.
        requested : tuple of date, optional
            The range that was asked of the source, inclusive; the extent of the rows when omitted.
            The part of it that had not ended at the time of the retrieval counts as not asked.
        append_only : bool
            Refuse a symbol that would lose days because it cannot be appended.
        exact : bool
            Keep every value of `prices`, also where closes agree with the stored rows.

        Returns
        -------
        Stored

        Raises
        ------
        DataError
            When the file is not a store, is damaged, or is of a newer version of the program.
        """
        fetched = disk.Held.all_of(prices, requested, datetime.now(UTC))
        stored = Stored()
        if not fetched:
            return stored
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.database.writing() as connection:
                for new in fetched:
                    with disk.transaction(connection):
                        merged = _merged(connection, new, append_only, exact)
                        if merged:
                            _write(connection, new, merged)
                    stored.results[new.symbol] = merged
        except (OSError, sqlite3.OperationalError) as error:
            reason = str(getattr(error, "strerror", None) or error)
            with self.database.reading() as reader:
                for new in fetched[len(stored.results) :]:
                    stored.unwritten[new.symbol] = reason
                    stored.results[new.symbol] = _merged(reader, new, append_only, exact)
        return stored

    def accept(self, symbol: str) -> Merged:
        """Take the prices of a symbol that were held back into use; the others become a vintage.

        Raises
        ------
        UnknownSymbolError
            When no prices of it are held back.
        """
        from .revisions import Merged

        held_back = self.query(GET_HELD_BACK, [symbol])
        if not held_back:
            raise make_error(UnknownSymbolError, "wrong.none_held_back", where=symbol)
        held = disk.unpack(symbol, held_back[0])
        merged = Merged("accepted", held, replaces=True)
        with self.database.writing() as connection, disk.transaction(connection):
            _write(connection, held, merged)
        return merged

    def symbols(self) -> tuple[str, ...]:
        """Return the stored tickers, in alphabetical order."""
        return tuple(row[0] for row in self.query("SELECT symbol FROM prices ORDER BY symbol"))

    def list_symbols(self) -> list[dict[str, Any]]:
        """Return symbol, first, last, rows, currency, source, fetched, vintages of each symbol."""
        return [
            {"symbol": symbol, **_extent(provenance), "fetched": fetched, "vintages": vintages}
            for symbol, provenance, fetched, vintages in self.query(LIST)
        ]

    def history(self, symbol: str) -> dict[str, list[dict[str, Any]]]:
        """Return the history of a symbol, oldest first.

        Parameters
        ----------
        symbol : str

        Returns
        -------
        dict of str to list of dict
            ``fetches``, and ``vintages``: the earlier prices.
        """
        names = ("fetched", *disk.FETCH.split(", ")[1:])
        fetches = [dict(zip(names, row, strict=True)) for row in self.query(FETCHES, (symbol,))]
        vintages = [
            {"number": number, "fetched": fetched, **_extent(provenance)}
            for number, fetched, provenance in self.query(VINTAGES, (symbol,))
        ]
        return {"fetches": fetches, "vintages": vintages}

    def extents(self, symbols: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return days asked, source, first and last row, and time of the stored symbols."""
        with self.database.reading() as connection:
            if connection is None:
                return {}
            rows = {s: connection.execute(EXTENT, (s,)).fetchone() for s in unique(symbols)}
        return {symbol: row for symbol, row in rows.items() if row is not None}

    def query(self, statement: str, values: Iterable[Any] = ()) -> list[Row]:
        """Return the rows of a SELECT; none when there is no store yet.

        Parameters
        ----------
        statement : str
        values : iterable
            One for each question mark.

        Returns
        -------
        list of tuple
        """
        with self.database.reading() as connection:
            return connection.execute(statement, tuple(values)).fetchall() if connection else []

    def _find(self, connection: sqlite3.Connection | None, symbol: str) -> Records:
        """Return the record that answers for a symbol, and the one that lends its blob, if any."""
        record = connection.execute(GET, (symbol,)).fetchone() if connection else None
        if connection is None or record is None:
            raise UnknownSymbolError("not in the price cache", where=symbol)
        if self._as_of and record[2] > self._as_of:
            return _vintage(connection, symbol, self._as_of, record)
        return record, None


def _extent(provenance: str) -> dict[str, Any]:
    described = json.loads(provenance)
    return {name: described[name] for name in LISTED}


def _vintage(connection: sqlite3.Connection, symbol: str, as_of: str, current: Row) -> Records:
    """Return the newest vintage of a symbol fetched at or before `as_of`."""
    vintage = connection.execute(VINTAGE, (symbol, as_of)).fetchone()
    if vintage is None:
        oldest = f"SELECT min(fetched_at) FROM vintages WHERE symbol = ? AND number > {HELD_BACK}"
        first = connection.execute(oldest, (symbol,)).fetchone()[0] or current[2]
        facts = {"moment": as_of, "first": first}
        raise make_error(NoPricesError, "wrong.no_vintage", where=symbol, **facts)
    number, *record = vintage
    if record[-1] is not None:
        return tuple(record), None
    # A vintage without a blob: the next one that has a blob holds its rows.
    return tuple(record), connection.execute(DONOR, (symbol, number)).fetchone() or current


def _merged(
    connection: sqlite3.Connection | None, new: disk.Held, append_only: bool, exact: bool
) -> Merged | None:
    """Return the result of storing a symbol; None where that would lose days and may not."""
    from .revisions import merge

    record = connection.execute(GET, (new.symbol,)).fetchone() if connection else None
    try:
        old = None if record is None else disk.unpack(new.symbol, record)
    except PriceError:
        old = None
    merged = merge(old, new, exact=exact)
    replaces = merged.outcome not in ("same", "append", "older")
    if append_only and record is not None and replaces and not new.covers(*record[:2]):
        return None
    is_damaged = old is None and record is not None
    return replace(merged, note="stored bytes were damaged") if is_damaged else merged


def _write(connection: sqlite3.Connection, new: disk.Held, merged: Merged) -> None:
    if merged.outcome == "held_back":
        connection.execute(HOLD_BACK, (new.symbol, *new.packed()))
    elif merged.outcome != "older":
        connection.execute(FORGET, (new.symbol,))
    if merged.outcome not in ("new", "same", "older", "held_back"):
        connection.execute(KEEP, (new.symbol, merged.replaces))
    if merged.changed:
        connection.execute(PUT, (new.symbol, *merged.held.packed()))
    source = new.provenance
    origin = (source.source, source.library, source.sha256, merged.note)
    connection.execute(LOG, (new.symbol, new.fetched_at, merged.outcome, *new.coverage, *origin))


def _lacks_sessions(symbol: str, last: date, end: date) -> bool:
    """Return whether a session after the last stored day, up to `end`, is over by now."""
    from ..calendars import Sessions, Symbol

    now = datetime.now(UTC)
    home = Symbol(symbol).home
    if home is None or home.calendar is None:
        return last < min(end, now.date() - timedelta(days=1))
    schedule = Sessions.of(home.calendar)
    days, closes = schedule.dates, schedule.closes
    is_asked = (days > np.datetime64(last)) & (days <= np.datetime64(end))
    is_over = closes < np.datetime64(now.replace(tzinfo=None))
    return bool((is_asked & is_over).any())


def _name_short(ranges: Mapping[str, tuple[date, date]], start: date, end: date) -> tuple[str, ...]:
    """Return a notice on symbols that are stored for a part of the range, the smallest first."""
    if not ranges:
        return ()
    lengths = {s: min(last, end) - max(first, start) for s, (first, last) in ranges.items()}
    ascending = sorted(ranges, key=lengths.__getitem__)
    texts = [f"{s} {ranges[s][0]} to {ranges[s][1]}" for s in ascending]
    if len(texts) > NAMED + 1:
        texts = [*texts[:NAMED], f"and {len(texts) - NAMED} more"]
    days = {"start": str(start), "end": str(end)}
    return (Reason("part_stored", **days, n=len(ranges), symbols=texts),)


@price_source("store", "only what earlier downloads left in the price cache")
def _open(text: str, place: Place) -> StoreProvider:
    return StoreProvider(place.store, partial=True)
