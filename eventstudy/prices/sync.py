"""Bring the store up to date: fetch missing days, and whole series that the source has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ..errors import BadAnswerError, NetworkError, PriceError, RateLimitedError, UnreachableError
from ._base import between, unique
from ._database import Held
from ._prices import PriceProvider, Prices, Progress, collect
from .store import Stored, StoreProvider

if TYPE_CHECKING:
    import pandas as pd

    from ._base import Provenance

# Symbols asked at once: earlier ones are in the store when a request fails or the program ends.
CHUNK = 20
# Calendar days asked again, to see whether the source has changed its prices.
OVERLAP = timedelta(days=45)

Range = tuple[date, date]


@dataclass
class _Answers:
    held: dict[str, Held] = field(default_factory=dict)
    failures: dict[str, PriceError] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    unwritten: dict[str, str] = field(default_factory=dict)

    def add(self, prices: Prices, stored: Stored) -> None:
        """Add the answers of one chunk, and the results of storing them.

        Parameters
        ----------
        prices : Prices
            Answer of the source.
        stored : Stored
            Results of the store.
        """
        self.held |= {symbol: merged.held for symbol, merged in stored.outcomes.items()}
        self.failures |= prices.failures
        self.notices += [*prices.notices, *stored.notices]
        self.outcomes |= {symbol: merged.outcome for symbol, merged in stored.outcomes.items()}
        self.unwritten |= stored.unwritten


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
    outcomes : dict, optional
        Filled with the outcome of each symbol, as in `Merged`.
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
    Of a stored symbol the missing end is asked, with 45 days before it. Where these differ from the
    stored rows, the whole range is asked and replaces them.
    """
    wanted, days = unique(symbols), (start, end)
    ranges = _missing(store, source.name, wanted, days, refresh)
    stored = store.fetch([symbol for symbol in wanted if symbol not in ranges], start, end)
    damaged = [s for s, error in stored.failures.items() if isinstance(error, BadAnswerError)]
    ranges |= _missing(store, source.name, damaged, days, True)
    answers, count = _Answers(), _counter(progress, len(ranges))
    refused = _ask(store, source, ranges, answers, count, append_only=True)
    if refused:
        complete = _missing(store, source.name, refused, days, True)
        _ask(store, source, complete, answers, count, append_only=False)
    if outcomes is not None:
        outcomes |= answers.outcomes
    if unwritten is not None:
        unwritten |= answers.unwritten
    else:
        answers.notices[:0] = store.unwritten_notice(answers.unwritten)
    unasked = [symbol for symbol in wanted if symbol not in ranges]
    return _prices_of(answers, list(ranges), start, end).merge(stored.select(unasked))


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


def _ask(
    store: StoreProvider,
    source: PriceProvider,
    ranges: Mapping[str, Range],
    answers: _Answers,
    count: Callable[[int], Progress],
    *,
    append_only: bool,
) -> list[str]:
    """Ask for each range, chunk by chunk, store every answer at once; return what was refused."""
    groups: dict[Range, list[str]] = {}
    for symbol, days in ranges.items():
        groups.setdefault(days, []).append(symbol)
    chunks = [
        (days, group[k : k + CHUNK])
        for days, group in groups.items()
        for k in range(0, len(group), CHUNK)
    ]
    refused: list[str] = []
    for number, (days, chunk) in enumerate(chunks):
        try:
            prices = source.fetch(chunk, *days, progress=count(len(chunk)))
        except NetworkError as error:
            if number == 0 and append_only:
                raise
            prices = Prices.of({}, dict.fromkeys(chunk, error), {})
        stored = store.add(prices, days, append_only=append_only)
        answers.add(prices, stored)
        refused += stored.refused
        if not prices.symbols and (final := _hopeless(prices)):
            for symbol in (symbol for _, later in chunks[number + 1 :] for symbol in later):
                message = f"not asked: {final.what}"
                answers.failures[symbol] = type(final)(message, where=symbol)
            break
    return refused


def _hopeless(prices: Prices) -> PriceError | None:
    """Return the error for which the next symbols need not be asked either."""
    errors = list(prices.failures.values())
    if not errors or not all(isinstance(e, (NetworkError, RateLimitedError)) for e in errors):
        return None
    is_final = isinstance(errors[-1], UnreachableError)
    return errors[-1] if len(errors) > 1 or is_final else None


def _counter(progress: Progress | None, total: int) -> Callable[[int], Progress]:
    """Return a maker of the progress of one chunk, which continues the count of earlier chunks."""
    before = 0

    def chunk(size: int) -> Progress:
        nonlocal before
        base, before = before, before + size

        def _report(done: int, _: int) -> None:
            if progress:
                progress(min(base + done, total), total)

        return _report

    return chunk


def _prices_of(answers: _Answers, symbols: list[str], start: date, end: date) -> Prices:
    def read(symbol: str) -> tuple[pd.DataFrame, Provenance]:
        if symbol not in answers.held:
            raise answers.failures[symbol]
        return answers.held[symbol].rows, answers.held[symbol].provenance

    prices = collect(symbols, start, end, read)
    actions = {s: between(answers.held[s].actions, start, end) for s in prices.symbols}
    notices = tuple(dict.fromkeys(answers.notices))
    return replace(prices, notices=notices, actions={s: a for s, a in actions.items() if a})
