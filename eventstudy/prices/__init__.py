"""Where prices come from: Yahoo, the user's files, the local store, the bundled sample, other
packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..errors import ConfigError
from ..utility.registry import Registry, did_you_mean
from ._actions import Action
from ._base import COLUMNS, PriceProvider, Prices, Provenance, collect
from ._clean import clean

__all__ = [
    "COLUMNS", "PROVIDERS", "Action", "PriceProvider", "Prices", "Provenance", "Source", "clean",
    "collect",
    "is_name", "listing", "resolve",
]  # fmt: skip


@dataclass(frozen=True)
class Source:
    """An entry of `PROVIDERS`.

    Parameters
    ----------
    summary : str
        One line for the list of price sources.
    make : callable
        Takes the path of the store (None for the default one) and whether the network is forbidden,
        and returns the provider.
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
            "prices from Yahoo need the network",
            value="yahoo",
            remedy="use auto, store, sample or a path",
        )
    return YahooProvider()


def _store(store: Path | None, offline: bool) -> PriceProvider:
    from .store import StoreProvider

    return StoreProvider(store, partial=True)


def _sample(store: Path | None, offline: bool) -> PriceProvider:
    from .sample import SampleProvider

    return SampleProvider()


def _files(store: Path | None, offline: bool) -> PriceProvider:
    raise ConfigError(
        "which files?", value="files", remedy="give the path of a folder or a table of prices"
    )


_SOURCES = {
    "auto": Source(
        "the local store, then Yahoo, then the bundled sample when there is no network", _auto
    ),
    "yahoo": Source("Yahoo Finance through yfinance, downloaded anew", _yahoo),
    "store": Source("only what earlier downloads left in the local store", _store),
    "sample": Source("the bundled sample, adjusted closes", _sample),
    "files": Source("your own files: give a path, a folder of <ticker>.csv or one table", _files),
}
for _name, _source in _SOURCES.items():
    PROVIDERS.register(_name)(_source)


def is_name(spec: str) -> bool:
    """Return whether `spec` names a price source, built in or of another package, and not a
    path."""
    return spec in PROVIDERS or _other(spec) is not None


def listing() -> Iterator[tuple[str, str]]:
    """Yield name and summary of every price source, those of other packages last."""
    from .plugins import listing as others

    from .sample import contents

    for name, entry in PROVIDERS.items():
        yield name, entry.summary + f" ({contents()})" * (name == "sample")
    yield from others(PROVIDERS)


def _other(spec: str) -> Callable[[bool], PriceProvider] | None:
    """Return a maker of the source of another package that `spec` names."""
    from .plugins import find, make, split

    named = split(spec)
    entry = find(named[0]) if named and named[0] not in PROVIDERS else None
    if named is None or entry is None:
        return None
    return lambda offline: make(entry, named[1], offline)


def resolve(
    spec: str | Path | PriceProvider,
    *,
    offline: bool = False,
    store: str | Path | None = None,
    vintage: str | date | None = None,
) -> PriceProvider:
    """Return the price source that `spec` names.

    Parameters
    ----------
    spec : str, Path or PriceProvider
        A name in `PROVIDERS` or of another package's source, the path of a folder or table of
        prices, that of a run, whose frozen prices are meant, or a provider, which is returned as it
        is. A name wins over a path: write ``./sample`` for a folder called ``sample``.
    offline : bool
        Never use the network.
    store : str or Path, optional
        File or folder of the local store, for ``auto`` and ``store``; the default location when
        omitted.
    vintage : str or date, optional
        Prices as the store had them then, for ``auto`` and ``store``; nothing else is asked.

    Raises
    ------
    ConfigError
        When `spec` is neither a name nor an existing path, or a vintage of it cannot be had.
    """
    if vintage is not None:
        if spec not in ("auto", "store"):
            remedy = "leave --prices out, or give --prices store"
            raise ConfigError("only the store has vintages", value=str(spec), remedy=remedy)
        from .store import StoreProvider

        return StoreProvider(store, vintage=vintage)
    if not isinstance(spec, str | Path):
        return spec
    if isinstance(spec, str) and spec in PROVIDERS:
        return PROVIDERS[spec].make(None if store is None else Path(store), offline)
    if isinstance(spec, str) and (other := _other(spec)):
        return other(offline)
    from .files import FilesProvider
    from .frozen import FrozenProvider, is_run

    try:
        if str(spec) and Path(spec).exists():
            return FrozenProvider(spec) if is_run(spec) else FilesProvider(spec)
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=str(spec)) from None
    hint = did_you_mean(str(spec), PROVIDERS)
    known = f"give one of {', '.join(PROVIDERS)}, or the path of a folder or table of prices"
    raise ConfigError(
        "no such price source or path", value=str(spec), remedy=f"{hint} {known}".strip()
    )
