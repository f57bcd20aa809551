"""Bring the store up to date: ask a source for what is missing, and for all of what it has
changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from ..errors import BadAnswerError, NetworkError, PriceError, RateLimitedError
from ._actions import between
from ._base import PriceProvider, Prices, Progress, collect, unique
from ._store_coverage import Held
from .store import Kept, StoreProvider

# Symbols asked at once; what came before a failure, or the end of the program, is in the store.
CHUNK = 20
# Calendar days asked again, to see whether the source still says the same.
OVERLAP = timedelta(days=45)

Range = tuple[date, date]


@dataclass
class _Found:
    held: dict[str, Held] = field(default_factory=dict)
    failures: dict[str, PriceError] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)

    def take(self, prices: Prices, kept: Kept) -> None:
        self.held |= kept.held
        self.failures |= prices.failures
        self.notices += [*prices.notices, *kept.notices]
        self.outcomes |= {symbol: merged.outcome for symbol, merged in kept.outcomes.items()}
        self.unwritten |= kept.unwritten


def update(
    store: StoreProvider,
    source: PriceProvider,
    symbols: Iterable[str],
    start: date,
    end: date,
    *,
    refresh: bool = False,
    progress: Progress | None = None,
    outcomes: dict[str, str] | None = None,
    unwritten: dict[str, str] | None = None,
) -> Prices:
    """Ask `source` for what the store lacks of the range, store it, and return the prices.

    Parameters
    ----------
    store : StoreProvider
    source : PriceProvider
        The same as that of the stored rows, or they are replaced.
    symbols : iterable of str
    start, end : date
        Inclusive.
    refresh : bool
        Download again what is stored as well, to find revisions in all of it.
    progress : callable, optional
    outcomes : dict, optional
        Filled with what became of each symbol, as in `Merged`.
    unwritten : dict, optional
        Filled with the symbols that could not be written, and why; when omitted a notice says so.

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
    Of a stored symbol the missing end is asked, with 45 days before it. Where these differ from
    what is stored the whole range is asked, and takes the place of the stored rows.
    """
    wanted = unique(symbols)
    ranges = _missing(store, source.name, wanted, (start, end), refresh)
    stored = store.fetch([symbol for symbol in wanted if symbol not in ranges], start, end)
    damaged = [
        symbol for symbol, error in stored.failures.items() if isinstance(error, BadAnswerError)
    ]
    ranges |= _missing(store, source.name, damaged, (start, end), True)
    found, told = _Found(), _teller(progress, len(ranges))
    refused = _ask(store, source, ranges, found, told, append_only=True)
    if refused:
        whole = _missing(store, source.name, refused, (start, end), True)
        _ask(store, source, whole, found, told, append_only=False)
    if outcomes is not None:
        outcomes |= found.outcomes
    if unwritten is not None:
        unwritten |= found.unwritten
    else:
        found.notices[:0] = store.unwritten_notice(found.unwritten)
    rest = [symbol for symbol in wanted if symbol not in ranges]
    return _gathered(found, list(ranges), start, end).merge(stored.select(rest))


def _missing(
    store: StoreProvider, source: str, symbols: list[str], wanted: Range, whole: bool
) -> dict[str, Range]:
    """Return the range to ask for each symbol that has to be asked."""
    ranges = {}
    with store.database.reading() as connection:
        for symbol in symbols:
            row = (
                connection.execute(EXTENT, (symbol,)).fetchone() if connection is not None else None
            )
            needed = wanted if row is None else _range(row, source, wanted, whole)
            if needed is not None:
                ranges[symbol] = needed
    return ranges


EXTENT = """SELECT asked_first, asked_last, json_extract(provenance, '$.source'),
    json_extract(provenance, '$.first'), json_extract(provenance, '$.last')
    FROM prices WHERE symbol = ?"""


def _range(row: tuple[str, ...], source: str, wanted: Range, whole: bool) -> Range | None:
    """Return what to ask, given what is stored; None if that is all."""
    first, last = date.fromisoformat(row[0]), date.fromisoformat(row[1])
    early, late = wanted[0] < first, wanted[1] > last
    if not whole and row[2] == source and not (early or late):
        return None
    if whole or row[2] != source or (early and late) or not (row[3] and row[4]):
        return min(wanted[0], first), max(wanted[1], last)
    if early:
        return wanted[0], max(first, date.fromisoformat(row[3])) + OVERLAP
    return max(first, min(last, date.fromisoformat(row[4])) - OVERLAP), wanted[1]


def _ask(
    store: StoreProvider,
    source: PriceProvider,
    ranges: Mapping[str, Range],
    found: _Found,
    told: Callable[[int], Progress],
    *,
    append_only: bool,
) -> list[str]:
    """Ask for each range, chunk by chunk, and store every answer at once; return what was
    refused."""
    groups: dict[Range, list[str]] = {}
    for symbol, asked in ranges.items():
        groups.setdefault(asked, []).append(symbol)
    chunks = [
        (asked, group[k : k + CHUNK])
        for asked, group in groups.items()
        for k in range(0, len(group), CHUNK)
    ]
    refused: list[str] = []
    for number, (asked, chunk) in enumerate(chunks):
        try:
            prices = source.fetch(chunk, *asked, progress=told(len(chunk)))
        except NetworkError as error:
            if number == 0 and append_only:
                raise
            prices = Prices.of({}, dict.fromkeys(chunk, error), {})
        kept = store.add(prices, asked, append_only=append_only)
        found.take(prices, kept)
        refused += kept.refused
        if not prices.symbols and (why := _no_use(prices)):
            rest = [symbol for _, each in chunks[number + 1 :] for symbol in each]
            found.failures |= {
                symbol: type(why)(f"not asked: {why.what}", where=symbol) for symbol in rest
            }
            break
    return refused


def _no_use(prices: Prices) -> PriceError | None:
    """Return why the next symbols need not be asked either."""
    errors = list(prices.failures.values())
    gone = [error for error in errors if isinstance(error, (NetworkError, RateLimitedError))]
    return (
        gone[-1]
        if errors and len(gone) == len(errors) and (len(errors) > 1 or _final(gone[-1]))
        else None
    )


def _final(error: PriceError) -> bool:
    return isinstance(error, NetworkError) and "cannot be reached" in error.what


def _teller(progress: Progress | None, total: int) -> Callable[[int], Progress]:
    """Return a maker of the progress of one chunk, which counts on from the chunks before."""
    before = 0

    def chunk(size: int) -> Progress:
        nonlocal before
        base, before = before, before + size

        def tell(done: int, _: int) -> None:
            if progress:
                progress(min(base + done, total), total)

        return tell

    return chunk


def _gathered(found: _Found, symbols: list[str], start: date, end: date) -> Prices:
    def read(symbol: str) -> tuple[object, object]:
        if symbol not in found.held:
            raise found.failures[symbol]
        return found.held[symbol].rows, found.held[symbol].provenance

    prices = collect(symbols, start, end, read)  # type: ignore[arg-type]
    actions = {symbol: between(held.actions, start, end) for symbol, held in found.held.items()}
    told = tuple(dict.fromkeys(found.notices))
    return replace(
        prices, notices=told, actions={s: actions[s] for s in prices.symbols if actions[s]}
    )
