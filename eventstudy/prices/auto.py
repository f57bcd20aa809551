"""The default source: the price cache, then Yahoo, then the bundled sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from ..errors import NetworkError, NoPricesError, PriceError
from ._base import name_some, unique
from ._prices import PriceProvider, Prices, Progress
from .store import StoreProvider

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
        self,
        store: StoreProvider,
        yahoo: PriceProvider,
        sample: PriceProvider,
        offline: bool = False,
    ) -> None:
        self._store, self._yahoo, self._sample, self._offline = store, yahoo, sample, offline

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
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
        wanted = unique(symbols)
        stored = self._store.fetch(wanted, start, end)
        missing = [symbol for symbol in wanted if symbol in stored.failures]
        extents = self._store.extents(missing).items()
        imported = [s for s, (_, _, source, *_) in extents if source != self._yahoo.name]
        if imported:
            stored = stored.select(stored.symbols).merge(self._stored(imported, start, end))
            missing = [symbol for symbol in missing if symbol not in imported]
        if not missing:
            return stored
        if self._offline:
            fetched = self._stand_in(missing, start, end, "no network with --offline")
            for failure in fetched.failures.values():
                failure.is_transient = False
        else:
            try:
                fetched = self._download(missing, start, end, progress)
            except NetworkError as silence:
                fetched = self._stand_in(missing, start, end, "Yahoo cannot be reached")
                sources = fetched.provenance.items()
                cached = [s for s, p in sources if p.source != self._sample.name]
                stale: dict[str, PriceError] = dict.fromkeys(cached, silence)
                notices = (str(silence), *fetched.notices)
                fetched = replace(fetched, notices=notices, stale=stale)
        prices = stored.select([*stored.symbols, *imported]).merge(fetched)
        errors = list(prices.failures.values())
        if not prices.symbols and all(isinstance(error, NetworkError) for error in errors):
            names = name_some((error.where for error in errors), 5)
            error = NetworkError(f"no price data: {errors[0].what}", where=names, remedy=REMEDY)
            error.is_transient = not self._offline
            raise error
        return prices

    def _download(
        self, symbols: list[str], start: date, end: date, progress: Progress | None
    ) -> Prices:
        """Download what is missing; where Yahoo fails, stored days take its place."""
        from ..utility.catalogue import say
        from .sync import update

        fetched = update(self._store, self._yahoo, symbols, start, end, progress=progress)
        stored = self._stored(list(fetched.failures), start, end)
        if not stored.symbols:
            return fetched
        stale = {symbol: fetched.failures[symbol] for symbol in stored.symbols}
        reasons = [say("price_cache.stale", symbol=s, why=e.what) for s, e in stale.items()]
        notices = (*fetched.notices, *stored.notices, *reasons)
        return replace(fetched.merge(stored), notices=notices, stale=stale)

    def _stored(self, symbols: Sequence[str], start: date, end: date) -> Prices:
        """Return the stored days of the range, be it a part."""
        return StoreProvider(self._store.path, partial=True).fetch(symbols, start, end)

    def _stand_in(self, symbols: list[str], start: date, end: date, why: str) -> Prices:
        """Return stored days, else the bundled sample; all other symbols fail by the network."""
        from ..utility.catalogue import Reason

        stored = self._stored(symbols, start, end)
        stored = stored.select(stored.symbols)
        missing = [symbol for symbol in symbols if symbol not in stored.provenance]
        sample = self._sample.fetch(missing, start, end)
        failures = {s: _no_network(s, why, error) for s, error in sample.failures.items()}
        names = sample.symbols
        used = Reason("sample_used", why=why, n=len(names), symbols=list(names))
        return stored.merge(replace(sample, failures=failures, notices=(used,) if names else ()))


def _no_network(symbol: str, why: str, error: PriceError) -> PriceError:
    """Return the failure of a symbol that the sample lacks too, with `error`."""
    if isinstance(error, NoPricesError):
        message = f"{why} and the bundled sample has none in the range"
        return NetworkError(message, where=symbol, remedy=error.remedy)
    return NetworkError(f"{why} and not in the bundled sample", where=symbol)
