"""Bring the store up to date: fetch missing days, and whole series that the source has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from ..errors import BadAnswerError, NetworkError, PriceError, RateLimitedError, UnreachableError
from ._base import unique
from ._prices import Answer, PriceProvider, Prices, Progress, collect
from .store import Stored, StoreProvider

# Symbols asked at once: earlier ones are in the store when a request fails or the program ends.
CHUNK = 20
# Calendar days asked again, to see whether the source has changed its prices.
OVERLAP = timedelta(days=45)

Range = tuple[date, date]


def update(
    store: StoreProvider,
    source: PriceProvider,
    symbols: Iterable[str],
    start: date,
    end: date,
    *,
    refresh: bool = False,
    progress: Progress | None = None,
    stored: Stored | None = None,
) -> Prices:
    """Fetch the missing days of a range, store them, and return the prices of the range.

    Parameters
    ----------
    store : StoreProvider
    source : PriceProvider
        Stored rows of another source are replaced.
    symbols : iterable of str
    start, end : date
        Inclusive.
    refresh : bool
        Download stored days again, to find all revisions.
    progress : callable, optional
    stored : Stored, optional
        Filled with the results; when omitted a notice says what could not be written.

    Returns
    -------
    Prices
        Every symbol is in the table or in the failures, whether or not the store could be written.

    Raises
    ------
    NetworkError
        When the source cannot be reached at the first question; later, the symbols not asked fail
        by it.

    Notes
    -----
    Of a stored symbol the missing end is asked, with 45 days before it. Where these differ from the
    stored rows, the whole range is asked and replaces them.
    """
    wanted, days = unique(symbols), (start, end)
    ranges = _missing(store, source.name, wanted, days, refresh)
    kept = store.fetch([symbol for symbol in wanted if symbol not in ranges], start, end)
    damaged = [s for s, error in kept.failures.items() if isinstance(error, BadAnswerError)]
    ranges |= _missing(store, source.name, damaged, days, True)
    download = _Download(store, source, progress, len(ranges), stored or Stored())
    refused = download.ask(ranges, append_only=True)
    if refused:
        complete = _missing(store, source.name, refused, days, True)
        download.ask(complete, append_only=False)
    if stored is None:
        download.notices[:0] = store.unwritten_notice(download.stored.unwritten)
    unasked = [symbol for symbol in wanted if symbol not in ranges]
    return download.prices(list(ranges), start, end).merge(kept.select(unasked))


def _missing(
    store: StoreProvider, source: str, symbols: list[str], wanted: Range, complete: bool
) -> dict[str, Range]:
    """Return the range to ask for each symbol that has to be asked."""
    extents = store.extents(symbols)
    ranges = {s: _range(extents.get(s), source, wanted, complete) for s in symbols}
    return {symbol: days for symbol, days in ranges.items() if days is not None}


def _range(row: tuple[str, ...] | None, source: str, wanted: Range, complete: bool) -> Range | None:
    """Return the range to ask for a stored symbol; None if nothing is missing."""
    if row is None:
        return wanted
    first, last = date.fromisoformat(row[0]), date.fromisoformat(row[1])
    early, late = wanted[0] < first, wanted[1] > last
    if not complete and row[2] == source and not (early or late):
        return None
    if complete or row[2] != source or (early and late) or not (row[3] and row[4]):
        return min(wanted[0], first), max(wanted[1], last)
    if early:
        return wanted[0], max(first, date.fromisoformat(row[3])) + OVERLAP
    return max(first, min(last, date.fromisoformat(row[4])) - OVERLAP), wanted[1]


@dataclass
class _Download:
    """The answers of a source, stored chunk by chunk; parameters as for `update`."""

    store: StoreProvider
    source: PriceProvider
    progress: Progress | None
    total: int
    stored: Stored
    failures: dict[str, PriceError] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    done: int = 0

    def ask(self, ranges: Mapping[str, Range], *, append_only: bool) -> list[str]:
        """Ask for each range, store every answer at once, and return what was refused.

        Parameters
        ----------
        ranges : mapping of str to (date, date)
        append_only : bool
            As for `StoreProvider.add`.

        Raises
        ------
        NetworkError
            When the source cannot be reached at the first question.
        """
        refused: list[str] = []
        chunks = _chunks(ranges)
        for number, (days, chunk) in enumerate(chunks):
            try:
                prices = self.source.fetch(chunk, *days, progress=self._report)
            except NetworkError as error:
                if number == 0 and append_only:
                    raise
                prices = Prices.of({}, dict.fromkeys(chunk, error), {})
            self.done += len(chunk)
            refused += self._keep(prices, days, append_only)
            if not prices.symbols and (final := _hopeless(prices)):
                message = f"not asked: {final.what}"
                later = (symbol for _, chunk in chunks[number + 1 :] for symbol in chunk)
                self.failures |= {s: type(final)(message, where=s) for s in later}
                break
        return refused

    def _report(self, done: int, _: int) -> None:
        if self.progress:
            self.progress(min(self.done + done, self.total), self.total)

    def _keep(self, prices: Prices, days: Range, append_only: bool) -> list[str]:
        """Store the answers of one chunk, and return what was refused."""
        stored = self.store.add(prices, days, append_only=append_only)
        self.stored.results.update(stored.results)
        self.stored.unwritten.update(stored.unwritten)
        self.failures |= prices.failures
        self.notices += [*prices.notices, *stored.notices]
        return stored.refused

    def prices(self, symbols: list[str], start: date, end: date) -> Prices:
        """Return the prices of a range as they are stored now.

        Parameters
        ----------
        symbols : list of str
        start, end : date
            Inclusive.

        Returns
        -------
        Prices
        """
        merged = self.stored.outcomes

        def read(symbol: str) -> Answer:
            if symbol not in merged:
                raise self.failures[symbol]
            held = merged[symbol].held
            return Answer(held.rows, held.provenance, held.actions)

        prices = collect(symbols, start, end, read)
        return replace(prices, notices=tuple(dict.fromkeys(self.notices)))


def _chunks(ranges: Mapping[str, Range]) -> list[tuple[Range, list[str]]]:
    """Return the symbols of each range, `CHUNK` at a time."""
    groups: dict[Range, list[str]] = {}
    for symbol, days in ranges.items():
        groups.setdefault(days, []).append(symbol)
    return [
        (days, group[k : k + CHUNK])
        for days, group in groups.items()
        for k in range(0, len(group), CHUNK)
    ]


def _hopeless(prices: Prices) -> PriceError | None:
    """Return the error for which the next symbols need not be asked either."""
    errors = list(prices.failures.values())
    if not errors or not all(isinstance(e, (NetworkError, RateLimitedError)) for e in errors):
        return None
    is_final = isinstance(errors[-1], UnreachableError | RateLimitedError)
    return errors[-1] if len(errors) > 1 or is_final else None
