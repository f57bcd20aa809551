"""The price cache as a person keeps it: fetch, import, read back, export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import BadAnswerError, ConfigError, DataError
from ..files import parquet_modules, replacing
from ..utility import __version__, np, pd
from ..words import Reason, make_error, say, words
from . import _base as base
from ._base import FIRST_DAY, LAST_DAY
from ._prices import PriceProvider, Prices, Progress
from .auto import update
from .files import FilesProvider, OnRead
from .gone import with_successors
from .store import Stored, StoreProvider


@dataclass(frozen=True)
class ReadBack:
    """One symbol as the price cache has it, and what it lacks.

    Parameters
    ----------
    symbol : str
    outcome : str
        An outcome of `Merged`; ``stored`` when nothing had to be asked; ``not-kept`` when the price
        cache could not be written; ``failed`` when there were no prices to keep.
    first, last, rows, currency : str or int
        Of all that the price cache has of the symbol.
    notes : tuple of str
        Changes to the rows.
    unkept, remedy : str
        The difference from the prices that were to be stored, and what to do; empty without one.
    """

    symbol: str
    outcome: str
    first: str = ""
    last: str = ""
    rows: int = 0
    currency: str = ""
    notes: tuple[str, ...] = ()
    unkept: str = ""
    remedy: str = ""


class PriceCache(StoreProvider):
    """The price cache as a person keeps it: ways in and out, each read back.

    It answers for a part of a range, and otherwise as :class:`StoreProvider`.
    """

    def __init__(
        self, path: str | Path | None = None, *, vintage: str | date | None = None
    ) -> None:
        super().__init__(path, vintage=vintage, partial=True)

    def fetch_from(
        self, source: PriceProvider, symbols: Iterable[str], start: date, end: date, *,
        refresh: bool = False, progress: Progress = None,
    ) -> tuple[list[ReadBack], Prices]:  # fmt: skip
        """Fetch what is missing of a range, store it, and read it back.

        Parameters
        ----------
        source : PriceProvider
        symbols : iterable of str
        start, end : date
            Inclusive.
        refresh : bool
            Download stored days again, to find all revisions.
        progress : callable, optional

        Returns
        -------
        answers : list of ReadBack
            What the cache has of each symbol now.
        prices : Prices
            Those of the range, with failures and notices.

        Raises
        ------
        BadAnswerError
            For a symbol that is blank, not printable, or starts a formula.
        NetworkError
            If the source cannot be reached for any symbol.
        """
        wanted = list(map(_check_symbol, symbols))
        stored = Stored()
        prices = update(
            self, source, wanted, start, end, refresh=refresh, progress=progress, stored=stored
        )
        prices = replace(prices, failures=with_successors(prices.failures))
        return self.read_back(prices, stored), prices

    def import_files(
        self, paths: Path | Sequence[Path], progress: Progress = None
    ) -> tuple[list[ReadBack], Prices]:
        """Store all prices of folders and tables, and read them back.

        Parameters
        ----------
        paths : Path or sequence of Path
            A table that cannot be read is among the failures, and the others are stored.
        progress : callable, optional

        Returns
        -------
        answers : list of ReadBack
            What the cache has of each symbol now.
        prices : Prices
            The prices of the files, with failures and notices.

        Raises
        ------
        DataError
            If a symbol is in two of the paths.
        """
        repeats: dict[str, list[str]] = {}

        def _compare(symbol: str, cells: pd.DataFrame, rows: pd.DataFrame) -> None:
            _check_symbol(symbol)
            if days := days_unlike(cells, rows, base.SAME_PRICE):
                repeats[symbol] = days

        each = [paths] if isinstance(paths, Path) else [*dict.fromkeys(paths)]
        portions = [_read_files(path, _compare, progress) for path in each]
        names = Counter(symbol for portion in portions for symbol in portion.symbols)
        if twice := [symbol for symbol, n in names.items() if n > 1]:
            raise DataError("in two files", where=twice[0], remedy="import one of them")
        parts = {s: answer for portion in portions for s, answer in portion.answers().items()}
        failures = {s: error for portion in portions for s, error in portion.failures.items()}
        prices = _stamped(Prices.of(parts, failures))
        before = self.extents(prices.symbols)
        stored = self.add(prices, exact=True)
        answers = self.read_back(prices, stored, repeats)
        notices = (*stored.notices, *_notice_ends(answers, prices, before))
        return answers, replace(prices, notices=notices)

    def read_back(
        self, prices: Prices, kept: Stored,
        repeats: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> list[ReadBack]:  # fmt: skip
        """Compare the price cache with the prices that were to be stored.

        Parameters
        ----------
        prices : Prices
            The prices to be stored, and the failures.
        kept : Stored
            The results of storing them.
        repeats : dict of str to sequence of str, optional
            Days for which the file of a symbol has several rows that differ.

        Returns
        -------
        list of ReadBack
            One for each symbol, failures last.
        """
        days = FIRST_DAY, LAST_DAY
        again = PriceCache(self.path).fetch(prices.symbols, *days)
        stored, outcomes = again.by_symbol(), kept.outcomes
        answers = []
        for symbol, rows in prices.by_symbol().items():
            why = _difference(symbol, rows, prices, again, stored.get(symbol))
            outcome: str = outcomes[symbol].outcome if symbol in outcomes else "stored"
            if why and symbol in kept.unwritten:
                why, outcome = Reason("cache_unwritten", cause=kept.unwritten[symbol]), "not-kept"
            elif not why and repeats.get(symbol):
                why = Reason("file_repeats_dates", days=words().some(repeats[symbol]))
            answers.append(_row(symbol, outcome, prices, again, why))
        for symbol, error in prices.failures.items():
            answers.append(ReadBack(symbol, "failed", unkept=error.what, remedy=error.remedy))
        return answers

    def export(
        self, path: Path, symbols: Sequence[str] = (), start: date = FIRST_DAY, end: date = LAST_DAY
    ) -> Prices:
        """Write prices as one long table, CSV or Parquet by the suffix.

        Parameters
        ----------
        path : Path
            Not written if no symbol has prices.
        symbols : sequence of str
            Empty = all.
        start, end : date
            Inclusive.

        Returns
        -------
        Prices
            Those that were written, with failures.

        Raises
        ------
        ConfigError
            For another suffix, or a Parquet file without pyarrow.
        BadAnswerError
            For a symbol that a spreadsheet would take for a formula.
        """
        if path.suffix.lower() not in (".csv", ".parquet"):
            raise make_error(ConfigError, "wrong.kind_of_file", value=path.name)
        prices = self.fetch(symbols or self.symbols(), start, end)
        if not prices.symbols:
            return prices
        for symbol in prices.symbols:
            _check_symbol(symbol)
        currencies = {symbol: source.currency for symbol, source in prices.provenance.items()}
        table = prices.table.assign(currency=prices.table["symbol"].map(currencies).fillna(""))
        with replacing(path) as file:
            if path.suffix.lower() == ".csv":
                table.to_csv(file, index=False, date_format="%Y-%m-%d", lineterminator="\n")
            else:
                parquet_modules(path.name)
                table.to_parquet(file, engine="pyarrow", index=False)
            file.chmod(0o644)
        return prices


def _difference(
    symbol: str, rows: pd.DataFrame, prices: Prices, again: Prices, stored: pd.DataFrame | None
) -> Reason | None:
    """Return what the price cache lacks of a symbol; None if nothing."""
    if stored is None:
        return Reason("not_cached", text=again.failures[symbol].what)
    wanted = prices.provenance[symbol].currency
    cached = again.provenance[symbol].currency
    if wanted and wanted != cached:
        return Reason("cached_currency", cached=cached or "unknown", wanted=wanted)
    if days := days_unlike(rows, stored):
        return Reason("cached_values", n=len(days), days=words().some(days))
    return None


def _row(symbol: str, outcome: str, prices: Prices, again: Prices, why: Reason | None) -> ReadBack:
    note = prices.provenance[symbol].note
    cached = again.provenance.get(symbol)
    notes = tuple(note.split("; ")) if note else ()
    if cached and not cached.currency:
        notes += ("currency unknown",)
    source = cached or base.Provenance("")
    extent = source.first, source.last, source.rows, source.currency
    return ReadBack(symbol, outcome, *extent, notes, str(why or ""), why.remedy if why else "")


def days_unlike(wanted: pd.DataFrame, held: pd.DataFrame, tolerance: float = 0) -> list[str]:
    """Return the days, as ISO dates, for which `held` lacks a possible value of `wanted`.

    Parameters
    ----------
    wanted, held : DataFrame
        A column ``date`` and number columns; a column that `wanted` lacks has no values. `held` has
        one row a date, in order.
    tolerance : float
        Relative; smaller differences are none.

    Returns
    -------
    list of str
    """
    dates = wanted["date"].to_numpy()
    stored = held["date"].to_numpy()
    at = np.clip(np.searchsorted(stored, dates), 0, len(stored) - 1)
    wrong = np.zeros(len(dates), dtype=np.bool_)
    for column in (name for name in base.NUMBER_COLUMNS if name in wanted):
        values = wanted[column].where(base.are_possible(column, wanted[column])).to_numpy()
        off = np.abs(held[column].to_numpy()[at] - values)
        wrong |= ~np.isnan(values) & ~((stored[at] == dates) & (off <= tolerance * values))
    return sorted({str(day) for day in dates[wrong].astype("datetime64[D]")})


def _read_files(path: Path, on_read: OnRead, progress: Progress) -> Prices:
    """Return the prices of a folder or table; a table that cannot be read is a failure."""

    files = FilesProvider(path, on_read)
    try:
        return files.fetch(files.symbols(), FIRST_DAY, LAST_DAY, progress=progress)
    except DataError as error:
        facts: Any = {"where": error.where, "value": error.value, "remedy": error.remedy}
        return Prices.of({}, {path.name: BadAnswerError(error.what, **facts)})


def _stamped(prices: Prices) -> Prices:
    """Return prices whose symbols can be stored, with the present time."""
    now, library = datetime.now(UTC).isoformat(timespec="seconds"), f"eventstudy-kit {__version__}"
    provenance = {
        symbol: replace(source, retrieved_at=now, library=library)
        for symbol, source in prices.provenance.items()
    }
    return replace(prices, provenance=provenance)


def _notice_ends(
    answers: list[ReadBack], prices: Prices, before: dict[str, tuple[str, ...]]
) -> Iterator[str]:
    """Yield a notice on each symbol that is stored for other days than its file has."""
    for row in answers:
        if row.outcome in ("failed", "not-kept"):
            continue
        *_, first, last, _ = before.get(row.symbol, (row.first, row.last, ""))
        file_ends = prices.provenance[row.symbol].last
        if first < row.first or last > row.last:
            days = {"first": row.first, "last": row.last, "earlier": f"{first} to {last}"}
            yield say("price_cache.shorter", symbol=row.symbol, **days)
        elif file_ends < row.last:
            yield say("price_cache.longer", symbol=row.symbol, end=file_ends, last=row.last)


def _check_symbol(symbol: str) -> str:
    """Return `symbol`; BadAnswerError if it is blank, not printable, or starts a formula."""
    if not symbol.strip() or not symbol.isprintable() or symbol.startswith(("=", "+", "-", "@")):
        raise make_error(BadAnswerError, "wrong.symbol", value=symbol)
    return symbol
