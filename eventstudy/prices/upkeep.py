"""What one does with a store of prices beside reading it: look, check, import, export, prune."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, DataError, PriceError
from ..utility.optional_parquet import parquet_modules
from ..utility.version import __version__
from ._base import FIRST_DAY, LAST_DAY, Prices, Progress
from ._clean import SAME_PRICE
from ._database import transaction
from ._store_coverage import unpack
from .store import GET, NUMBERED, StoreProvider, donor_of

if TYPE_CHECKING:
    import sqlite3

    import pandas as pd

    from .readback import ReadBack

LIST = """SELECT symbol, provenance, fetched_at,
    (SELECT count(*) FROM vintages WHERE vintages.symbol = prices.symbol)
    FROM prices ORDER BY symbol"""
VINTAGES = "SELECT number, fetched_at, provenance FROM vintages WHERE symbol = ? ORDER BY number"
FETCHES = """SELECT fetched_at, outcome, asked_first, asked_last, source, library, sha256, note
    FROM fetches WHERE symbol = ? ORDER BY number"""
SHOWN = ("first", "last", "rows", "currency", "source")


def listed(store: StoreProvider) -> list[dict[str, Any]]:
    """Return symbol, first, last, rows, currency, source, fetched and number of vintages of each
    symbol."""
    return [
        {"symbol": symbol, **_extent(provenance), "fetched": fetched, "vintages": vintages}
        for symbol, provenance, fetched, vintages in store.query(LIST)
    ]


def _extent(provenance: str) -> dict[str, Any]:
    described = json.loads(provenance)
    return {name: described[name] for name in SHOWN}


def history(store: StoreProvider, symbol: str) -> dict[str, list[dict[str, Any]]]:
    """Return the fetches of a symbol and its earlier vintages, oldest first."""
    names = (
        "fetched",
        "outcome",
        "asked_first",
        "asked_last",
        "source",
        "library",
        "sha256",
        "note",
    )
    fetches = [dict(zip(names, row, strict=True)) for row in store.query(FETCHES, (symbol,))]
    vintages = [
        {"number": number, "fetched": fetched, **_extent(provenance)}
        for number, fetched, provenance in store.query(VINTAGES, (symbol,))
    ]
    return {"fetches": fetches, "vintages": vintages}


def damaged(store: StoreProvider) -> Iterator[tuple[str, bool]]:
    """Yield every stored vintage by name, and whether its bytes are no longer those that were
    written."""
    names = store.symbols()
    with store.database.reading() as connection:
        if connection is None:
            return
        for symbol in names:
            current = connection.execute(GET, (symbol,)).fetchone()
            yield symbol, _is_damaged(symbol, current)
            for number, *record in connection.execute(NUMBERED, (symbol,)).fetchall():
                donor = donor_of(connection, symbol, number, record[-1], current)
                yield f"{symbol} vintage {number}", _is_damaged(symbol, tuple(record), donor)


def _is_damaged(symbol: str, record: tuple[Any, ...], donor: tuple[Any, ...] | None = None) -> bool:
    try:
        unpack(symbol, record, donor)
    except PriceError:
        return True
    return False


def prune(
    store: StoreProvider,
    *,
    keep: int | None = None,
    older_than: int | None = None,
    symbols: Sequence[str] = (),
    dry_run: bool = False,
) -> list[tuple[str, int, str]]:
    """Delete earlier vintages and return (symbol, number, fetched) of each; the newest prices
    always stay.

    Parameters
    ----------
    keep : int, optional
        Vintages of each symbol that stay beside the newest prices.
    older_than : int, optional
        Days; younger vintages stay. With `keep` a vintage goes only if both allow it.
    symbols : sequence of str
        All when empty.
    dry_run : bool
        Delete nothing.
    """
    limit = None if older_than is None else datetime.now(UTC) - timedelta(days=older_than)
    before = "" if limit is None else limit.isoformat(timespec="seconds")
    if not store.path.is_file():
        return []
    gone: list[tuple[str, int, str]] = []
    with store.database.writing() as connection:
        with transaction(connection):
            named = symbols or [
                row[0] for row in connection.execute("SELECT DISTINCT symbol FROM vintages")
            ]
            for symbol in named:
                gone += _doomed(
                    symbol, connection.execute(VINTAGES, (symbol,)).fetchall(), keep, before
                )
            for symbol, number, _ in () if dry_run else gone:
                connection.execute(
                    "DELETE FROM vintages WHERE symbol = ? AND number = ?", (symbol, number)
                )
        if gone and not dry_run:
            _shrink(connection)
    return gone


def _doomed(
    symbol: str, vintages: list[tuple[Any, ...]], keep: int | None, before: str
) -> list[tuple[str, int, str]]:
    """Return the oldest vintages that may go; only those, as one without a blob needs a later
    one."""
    old = vintages if keep is None else vintages[: max(len(vintages) - keep, 0)]
    gone = []
    for number, fetched, _ in old:
        if before and fetched >= before:
            break
        gone.append((symbol, number, fetched))
    return gone


def _shrink(connection: sqlite3.Connection) -> None:
    import sqlite3

    # needs the file for itself; otherwise the room is used again later
    with suppress(sqlite3.OperationalError):
        connection.execute("VACUUM")


def import_files(
    store: StoreProvider, path: Path, progress: Progress | None = None
) -> tuple[list[ReadBack], Prices]:
    """Store all prices of a folder or table; return what the store has of them then, and the
    prices.

    Failures and notices are those of the prices.
    """
    from .files import FilesProvider
    from .readback import days_unlike, read_back

    repeats: dict[str, list[str]] = {}

    def compare(symbol: str, cells: pd.DataFrame, rows: pd.DataFrame) -> None:
        if days := days_unlike(cells, rows, SAME_PRICE):
            repeats[symbol] = days

    files = FilesProvider(path, compare)
    prices = _stamped(files.fetch(files.symbols(), FIRST_DAY, LAST_DAY, progress=progress))
    before, kept = _ends(store), store.add(prices, exact=True)
    outcomes = {symbol: merged.outcome for symbol, merged in kept.outcomes.items()}
    answers = read_back(store, prices, outcomes, kept.unwritten, repeats)
    notices = (*kept.notices, *_notice_ends(answers, prices, before))
    return answers, replace(prices, notices=notices)


def _stamped(prices: Prices) -> Prices:
    """Return prices whose symbols can be stored, with the time of now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    provenance = {
        check_symbol(symbol): replace(
            given, retrieved_at=now, library=f"eventstudy-kit {__version__}"
        )
        for symbol, given in prices.provenance.items()
    }
    return replace(prices, provenance=provenance)


def _ends(store: StoreProvider) -> dict[str, tuple[str, str]]:
    """Return the first and the last stored day of each symbol."""
    return {row["symbol"]: (row["first"], row["last"]) for row in listed(store)}


def _notice_ends(
    answers: list[ReadBack], prices: Prices, before: dict[str, tuple[str, str]]
) -> Iterator[str]:
    """Yield a notice on each symbol that is stored for other days than its file has."""
    for row in answers:
        if row.outcome in ("failed", "not-kept"):
            continue
        first, last = before.get(row.symbol, (row.first, row.last))
        file_ends = prices.provenance[row.symbol].last
        if first < row.first or last > row.last:
            what = f"the price cache has {row.first} to {row.last}"
            yield f"{row.symbol}: {what}; the earlier prices, {first} to {last}, are a vintage"
        elif file_ends < row.last:
            what = f"the file ends on {file_ends}"
            yield f"{row.symbol}: {what}, and the stored prices until {row.last} are kept"


def export(prices: Prices, path: Path) -> None:
    """Write prices as one long table, CSV or Parquet by the suffix, in place of what was there.

    Raises
    ------
    ConfigError
        For another suffix, or a Parquet file without pyarrow.
    DataError
        For a symbol that a spreadsheet would take for a formula.
    """
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ConfigError("unknown kind of file", value=path.name, remedy="use .csv or .parquet")
    for symbol in prices.symbols:
        check_symbol(symbol)
    currencies = {symbol: given.currency for symbol, given in prices.provenance.items()}
    table = prices.table.assign(currency=prices.table["symbol"].map(currencies).fillna(""))
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    os.close(handle)
    try:
        _write(table, Path(name), path)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _write(table: pd.DataFrame, file: Path, path: Path) -> None:
    if path.suffix.lower() == ".csv":
        table.to_csv(file, index=False, date_format="%Y-%m-%d", lineterminator="\n")
        return
    parquet_modules(path.name)
    table.to_parquet(file, engine="pyarrow", index=False)


def check_symbol(symbol: str) -> str:
    """Return `symbol` unless it is blank, holds control characters, or would start a formula in a
    sheet."""
    if not symbol.strip() or not symbol.isprintable() or symbol.startswith(("=", "+", "-", "@")):
        raise DataError(
            "not a symbol", value=symbol, remedy="a symbol is printable and starts no formula"
        )
    return symbol
