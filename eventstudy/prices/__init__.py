"""Where prices come from: Yahoo, the user's files, the local store, the bundled sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError
from ..registry import Registry, did_you_mean
from ._base import COLUMNS, PriceProvider, Prices, Provenance

__all__ = ["COLUMNS", "PROVIDERS", "PriceProvider", "Prices", "Provenance", "Source", "resolve"]


@dataclass(frozen=True)
class Source:
    """An entry of `PROVIDERS`.

    Parameters
    ----------
    summary : str
        One line for the list of price sources.
    make : callable
        Takes the path of the store (None for the default one) and whether the network is forbidden, and
        returns the provider.
    """

    summary: str
    make: Callable[[Path | None, bool], PriceProvider]


PROVIDERS: Registry[Source] = Registry("price source")


def _auto(store: Path | None, offline: bool) -> PriceProvider:
    from .auto import AutoProvider
    from .sample import SampleProvider
    from .store import StoreProvider
    from .yahoo import YahooProvider

    return AutoProvider(StoreProvider(store), YahooProvider(), SampleProvider(), offline=offline)


def _yahoo(store: Path | None, offline: bool) -> PriceProvider:
    from .yahoo import YahooProvider

    if offline:
        raise ConfigError(
            "prices from Yahoo need the network", value="yahoo", remedy="use auto, store, sample or a path"
        )
    return YahooProvider()


def _store(store: Path | None, offline: bool) -> PriceProvider:
    from .store import StoreProvider

    return StoreProvider(store)


def _sample(store: Path | None, offline: bool) -> PriceProvider:
    from .sample import SampleProvider

    return SampleProvider()


def _files(store: Path | None, offline: bool) -> PriceProvider:
    raise ConfigError("which files?", value="files", remedy="give the path of a folder or a table of prices")


_SOURCES = {
    "auto": Source("the local store, then Yahoo, then the bundled sample when there is no network", _auto),
    "yahoo": Source("Yahoo Finance through yfinance, downloaded anew", _yahoo),
    "store": Source("only what earlier downloads left in the local store", _store),
    "sample": Source("the bundled sample: 25 US stocks and ^GSPC, adjusted closes from 2014 on", _sample),
    "files": Source("your own files: give a path, a folder of <ticker>.csv or one table", _files),
}
for _name, _source in _SOURCES.items():
    PROVIDERS.register(_name)(_source)


def resolve(
    spec: str | Path | PriceProvider, *, offline: bool = False, store: str | Path | None = None
) -> PriceProvider:
    """Return the price source that `spec` names.

    Parameters
    ----------
    spec : str, Path or PriceProvider
        A name in `PROVIDERS`, the path of a folder or table of prices, or a provider, which is returned as it
        is. A name wins over a path: write ``./sample`` for a folder called ``sample``.
    offline : bool
        Never use the network.
    store : str or Path, optional
        The SQLite file of the local store, for ``auto`` and ``store``; the default location when omitted.

    Raises
    ------
    ConfigError
        When `spec` is neither a name nor an existing path.
    """
    if not isinstance(spec, str | Path):
        return spec
    if isinstance(spec, str) and spec in PROVIDERS:
        return PROVIDERS[spec].make(None if store is None else Path(store), offline)
    if not str(spec) or not Path(spec).exists():
        hint = did_you_mean(str(spec), PROVIDERS)
        known = f"give one of {', '.join(PROVIDERS)}, or the path of a folder or table of prices"
        raise ConfigError("no such price source or path", value=str(spec), remedy=f"{hint} {known}".strip())
    from .files import FilesProvider

    return FilesProvider(spec)
