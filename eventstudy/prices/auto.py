"""The default source: what was downloaded before, then Yahoo, then the bundled sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from ..errors import NetworkError, NoPricesError, PriceError
from ._base import PriceProvider, Prices, Progress, unique
from .store import StoreProvider


class AutoProvider:
    """The local store, brought up to date from Yahoo; the bundled sample when Yahoo is out of
    reach.

    Parameters
    ----------
    store : StoreProvider
        Asked first; what Yahoo gives is put into it. Prices of another source, such as imported
        files, are used as they are and never replaced.
    yahoo : PriceProvider
        Asked for what the store does not cover. What it says about a symbol is final: the sample
        stands in for a network that fails, never for a symbol that Yahoo does not have.
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

        Returns
        -------
        Prices
            ``notices`` say when the sample was used, when the source revised prices, when a symbol
            is stored for a part of the range and no more could be had, and when the store could not
            be written; ``stale`` has the symbols that Yahoo was asked for in vain and that the
            store has.

        Raises
        ------
        NetworkError
            When no symbol has prices because Yahoo is out of reach, or `offline`.
        """
        wanted = unique(symbols)
        stored = self._store.fetch(wanted, start, end)
        missing = [symbol for symbol in wanted if symbol in stored.failures]
        theirs = [
            symbol
            for symbol in self._store.of_others(missing, self._yahoo.name)
            if symbol in missing
        ]
        if theirs:
            stored = stored.select(stored.symbols).merge(self._parts(theirs, start, end))
            missing = [symbol for symbol in missing if symbol not in theirs]
        if not missing:
            return stored
        if self._offline:
            fetched = self._stand_in(missing, start, end, "no network with --offline")
        else:
            try:
                fetched = self._download(missing, start, end, progress)
            except NetworkError as error:
                fetched = self._stand_in(missing, start, end, "Yahoo cannot be reached")
                held = [
                    s for s in fetched.symbols if fetched.provenance[s].source != self._sample.name
                ]
                told = (str(error), *fetched.notices)
                fetched = replace(fetched, notices=told, stale=dict.fromkeys(held, error))
        prices = stored.select([*stored.symbols, *theirs]).merge(fetched)
        if not prices.symbols and all(
            isinstance(e, NetworkError) for e in prices.failures.values()
        ):
            raise _nothing(list(prices.failures.values()))
        return prices

    def _download(
        self, symbols: list[str], start: date, end: date, progress: Progress | None
    ) -> Prices:
        """Download what is missing; a stored part stands in for what Yahoo does not give any
        more."""
        from .sync import update

        fetched = update(self._store, self._yahoo, symbols, start, end, progress=progress)
        part = self._parts(list(fetched.failures), start, end)
        why = {symbol: fetched.failures[symbol].what for symbol in part.symbols}
        notices = [
            f"{symbol}: stored prices used as they are: {what}" for symbol, what in why.items()
        ]
        if not part.symbols:
            return fetched
        stale = {symbol: fetched.failures[symbol] for symbol in part.symbols}
        told = (*fetched.notices, *part.notices, *notices)
        return replace(fetched.merge(part), notices=told, stale=stale)

    def _parts(self, symbols: list[str], start: date, end: date) -> Prices:
        """Return what the store has of the range, be it a part."""
        return StoreProvider(self._store.path, partial=True).fetch(symbols, start, end)

    def _stand_in(self, symbols: list[str], start: date, end: date, why: str) -> Prices:
        """Return stored parts, else what the bundled sample has; the other symbols fail by the
        network."""
        part = self._parts(symbols, start, end)
        part = part.select(part.symbols)
        found = self._sample.fetch([s for s in symbols if s not in part.provenance], start, end)
        failures = {
            symbol: _no_network(symbol, why, error) for symbol, error in found.failures.items()
        }
        count, names = len(found.symbols), ", ".join(found.symbols)
        used = f"{why}: bundled sample used for {count} symbol{'s' * (count != 1)} ({names})"
        return part.merge(replace(found, failures=failures, notices=(used,) if count else ()))


def _no_network(symbol: str, why: str, sample_says: PriceError) -> PriceError:
    if isinstance(sample_says, NoPricesError):
        return NetworkError(
            f"no price data: {why} and the bundled sample has none in the range",
            where=symbol,
            remedy=sample_says.remedy,
        )
    return NetworkError(f"no price data: {why} and not in the bundled sample", where=symbol)


def _nothing(failures: list[PriceError]) -> NetworkError:
    """Return the error for a fetch that got nothing, of which every symbol failed by the
    network."""
    names = ", ".join(error.where for error in failures[:5]) + (
        ", ..." if len(failures) > 5 else ""
    )
    return NetworkError(
        failures[0].what,
        where=names,
        remedy="try again with a network, give your own files, or try the bundled sample's tickers",
    )
