"""The default source: the price cache, then Yahoo, then the bundled sample.

The cache is brought up to date first: missing days, and whole series that the source has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from zlib import crc32

from .. import errors
from ..words import Reason, words
from ._base import unique
from ._prices import Answer, Names, PriceProvider, Prices, Progress, collect
from ._registered import Place, price_source
from .patience import PatientProvider, SourceStates
from .sample import SampleProvider
from .store import Stored, StoreProvider
from .yahoo import YahooProvider

# Symbols asked at once: earlier ones are in the store when a request fails or the program ends.
CHUNK = 20
# Calendar days asked again, to see whether the source has changed its prices.
OVERLAP = timedelta(days=45)
# Days within which each stored symbol is asked again for all of its days.
ROTA = 30

Range = tuple[date, date]


def update(
    store: StoreProvider, source: PriceProvider, symbols: Iterable[str], start: date, end: date, *,
    refresh: bool = False, progress: Progress = None, stored: Stored | None = None,
) -> Prices:  # fmt: skip
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
        When the source cannot be reached for any symbol. After two symbols in a row the rest fails
        without being asked.

    Notes
    -----
    Of a stored symbol the missing end is asked, with 45 days before it. Where these differ from the
    stored rows, the whole range is asked and replaces them.
    """
    wanted, days = unique(symbols), (start, end)
    ranges = _missing(store, source.name, wanted, days, refresh)
    kept = store.fetch([symbol for symbol in wanted if symbol not in ranges], start, end)
    damaged = [s for s, error in kept.failures.items() if isinstance(error, errors.BadAnswerError)]
    ranges |= _missing(store, source.name, damaged, days, True)
    download = _Download(store, source, progress, len(ranges), stored or Stored())
    refused = download.ask(ranges, append_only=True)
    if refused:
        download.ask(_missing(store, source.name, refused, days, True), append_only=False)
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
    try:
        first = date.fromisoformat(row[0])
        last = date.fromisoformat(row[1])
    except ValueError:  # damaged
        return wanted
    early = wanted[0] < first
    late = wanted[1] > last
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
    progress: Progress
    total: int
    stored: Stored
    failures: dict[str, errors.PriceError] = field(default_factory=dict)
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
            When the source cannot be reached for any symbol.
        """
        refused: list[str] = []
        # Failures by the network or the rate limit since the last answer: two are no fault of one.
        silent: list[errors.PriceError] = []
        for days, chunk in _chunks(ranges):
            if len(silent) > 1:
                message = f"not asked: {silent[-1].what}"
                self.failures |= {s: type(silent[-1])(message, where=s) for s in chunk}
                continue
            try:
                prices = self.source.fetch(chunk, *days, progress=self._report)
            except errors.NetworkError as error:
                prices = Prices.of({}, dict.fromkeys(chunk, error))
            self.done += len(chunk)
            stored = self.store.add(prices, days, append_only=append_only)
            self.stored.results.update(stored.results)
            self.stored.unwritten.update(stored.unwritten)
            self.failures |= prices.failures | stored.held_back
            self.notices += [*prices.notices, *stored.notices]
            refused += [symbol for symbol, merged in stored.results.items() if merged is None]
            silent = [*silent, *prices.failures.values()] if _is_silent(prices) else []
        networks = [e for e in self.failures.values() if isinstance(e, errors.NetworkError)]
        if append_only and ranges and len(networks) == len(ranges):
            raise networks[0]
        return refused

    def _report(self, done: int, _: int) -> None:
        if self.progress:
            self.progress(min(self.done + done, self.total), self.total)

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


def _is_silent(prices: Prices) -> bool:
    """Return whether the network or the rate limit failed for every symbol."""
    silence = (errors.NetworkError, errors.RateLimitedError)
    failures = prices.failures.values()
    return not prices.symbols and all(isinstance(error, silence) for error in failures)


REMEDY = "try again with a network, give your own files, or try the bundled sample's tickers"


class AutoProvider:
    """The local store, updated from Yahoo, and the bundled sample when Yahoo is out of reach.

    Parameters
    ----------
    store : StoreProvider
        Asked first, and updated with Yahoo's answers. Prices of another source, such as imported
        files, are used as they are and never replaced.
    yahoo : PriceProvider
        Asked for missing ranges. Its answer about a symbol is final: the sample takes the place of
        a network that fails, never of a symbol that Yahoo does not have.
    sample : PriceProvider
        Asked when `yahoo` raises NetworkError, or when offline, for symbols that are not stored.
    offline : bool
        Do not ask `yahoo`.
    """

    name = "auto"

    def __init__(
        self, store: StoreProvider, yahoo: PriceProvider, sample: PriceProvider,
        offline: bool = False,
    ) -> None:  # fmt: skip
        self._store, self._yahoo, self._sample, self._offline = store, yahoo, sample, offline

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the prices from `start` to `end`, both inclusive.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
            ``notices`` say when the sample was used, when the source revised prices, when a symbol
            has only a part of the range, and when the store could not be written; ``stale`` has
            the stored symbols that Yahoo was asked for in vain.

        Raises
        ------
        NetworkError
            When no symbol has prices because Yahoo is out of reach, or `offline`.
        """
        wanted, days = unique(symbols), (start, end)
        stored = self._store.fetch(wanted, *days)
        missing = [symbol for symbol in wanted if symbol in stored.failures]
        extents = self._store.extents(missing).items()
        imported = [s for s, (_, _, source, *_) in extents if source != self._yahoo.name]
        if imported:
            stored = stored.select(stored.symbols).merge(self._stored(imported, days))
            missing = [symbol for symbol in missing if symbol not in imported]
        if not missing:
            return stored
        if self._offline:
            fetched = self._stand_in(missing, days, "no network with --offline")
            for failure in fetched.failures.values():
                failure.is_transient = False
        else:
            try:
                fetched = self._download(missing, days, progress)
            except errors.NetworkError as silence:
                fetched = self._stand_in(missing, days, "Yahoo cannot be reached")
                cached = [s for s, p in fetched.provenance.items() if p.source != self._sample.name]
                stale: dict[str, errors.PriceError] = dict.fromkeys(cached, silence)
                fetched = replace(fetched, notices=(str(silence), *fetched.notices), stale=stale)
        prices = stored.select([*stored.symbols, *imported]).merge(fetched)
        failures = list(prices.failures.values())
        if not prices.symbols and all(isinstance(e, errors.NetworkError) for e in failures):
            names = words().some((e.where for e in failures), 5)
            message = "no price data: "
            error = errors.NetworkError(message + failures[0].what, where=names, remedy=REMEDY)
            error.is_transient = not self._offline
            raise error
        return prices

    def confirm(self, symbols: Names, start: date, end: date) -> tuple[str, ...]:
        """Ask Yahoo again for all days of the stored symbols whose turn it is.

        Parameters
        ----------
        symbols : sequence of str
        start, end : date
            Inclusive; all stored days are asked for besides.

        Returns
        -------
        tuple of str
            Notices: what was revised, and what was held back. A symbol that Yahoo does not answer
            for is asked on the next night.

        Notes
        -----
        The turn of a symbol comes every `ROTA` days, on a day that its name decides: a thirtieth of
        many symbols a night. Of those whose turn was missed no more than twice as many are asked.
        """
        extents, today = self._store.extents(symbols), date.today()  # noqa: DTZ011
        times = {s: row[5] for s, row in extents.items() if row[2] == self._yahoo.name and row[5]}
        due = [s for s, time in times.items() if _is_due(s, date.fromisoformat(time[:10]), today)]
        due.sort(key=times.__getitem__)
        due = due[: max(CHUNK, 2 * len(times) // ROTA)]
        try:
            found = update(self._store, self._yahoo, due, start, end, refresh=True)
        except errors.NetworkError:
            return ()
        held_back = (e for e in found.failures.values() if isinstance(e, errors.HeldBackError))
        return (*found.notices, *map(str, held_back))

    def _download(self, symbols: list[str], days: Range, progress: Progress) -> Prices:
        """Download what is missing; where Yahoo fails, stored days take its place."""

        fetched = update(self._store, self._yahoo, symbols, *days, progress=progress)
        stored = self._stored(list(fetched.failures), days)
        if not stored.symbols:
            return fetched
        stale = {symbol: fetched.failures[symbol] for symbol in stored.symbols}
        reasons = [Reason("stored_used", symbol=s, why=e.what) for s, e in stale.items()]
        notices = (*fetched.notices, *stored.notices, *reasons)
        return replace(fetched.merge(stored), notices=notices, stale=stale)

    def _stored(self, symbols: Sequence[str], days: Range) -> Prices:
        """Return the stored days of the range, be it a part."""
        return StoreProvider(self._store.path, partial=True).fetch(symbols, *days)

    def _stand_in(self, symbols: list[str], days: Range, why: str) -> Prices:
        """Return stored days, else the bundled sample; all other symbols fail by the network."""

        stored = self._stored(symbols, days)
        stored = stored.select(stored.symbols)
        missing = [symbol for symbol in symbols if symbol not in stored.provenance]
        sample = self._sample.fetch(missing, *days)
        failures = {s: _no_network(s, why, error) for s, error in sample.failures.items()}
        names = sample.symbols
        used = Reason("sample_used", why=why, n=len(names), symbols=list(names))
        return stored.merge(replace(sample, failures=failures, notices=(used,) if names else ()))


def _is_due(symbol: str, confirmed: date, today: date) -> bool:
    """Return whether the turn of a symbol has come since a day."""
    phase = crc32(symbol.encode())
    return (confirmed.toordinal() + phase) // ROTA < (today.toordinal() + phase) // ROTA


def _no_network(symbol: str, why: str, error: errors.PriceError) -> errors.PriceError:
    """Return the failure of a symbol that the sample lacks too, with `error`."""
    if isinstance(error, errors.NoPricesError):
        message = f"{why} and the bundled sample has none in the range"
        return errors.NetworkError(message, where=symbol, remedy=error.remedy)
    message = f"{why} and not in the bundled sample"
    return errors.NetworkError(message, where=symbol, remedy=error.remedy)


@price_source(
    "auto", "the price cache, then Yahoo, then the bundled sample when there is no network"
)
def _open(text: str, place: Place) -> AutoProvider:
    yahoo = PatientProvider(YahooProvider(), SourceStates(place.store))
    return AutoProvider(StoreProvider(place.store), yahoo, SampleProvider(), offline=place.offline)
