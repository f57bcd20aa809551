"""Price sources: Yahoo, the user's files, the price cache, the bundled sample, other packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from ..errors import ConfigError
from ..utility.registry import Registry, did_you_mean
from ._base import Action
from ._base import COLUMNS, Provenance
from ._prices import PriceProvider, Prices, collect
from ._base import clean

__all__ = [
    "COLUMNS", "PROVIDERS", "Action", "PriceProvider", "Prices", "Provenance", "Source", "clean",
    "collect", "is_name", "listing", "resolve",
]  # fmt: skip


@dataclass(frozen=True)
class Source:
    """An entry of `PROVIDERS`.

    Parameters
    ----------
    summary : str
        One line for the list of price sources.
    make : callable
        Takes the path of the cache (None for the default one) and whether the network is forbidden,
        and returns the provider.
    """

    summary: str
    make: Callable[[Path | None, bool], PriceProvider]


PROVIDERS: Registry[Source] = Registry("price source")


def _make(name: str, store: Path | None, offline: bool) -> PriceProvider:
    from .auto import AutoProvider
    from .sample import SampleProvider
    from .store import StoreProvider
    from .yahoo import YahooProvider

    if name == "files":
        remedy = "give the path of a folder or a table of prices"
        raise ConfigError("files is no source by itself", value=name, remedy=remedy)
    if name == "yahoo" and offline:
        remedy = "use auto, store, sample or a path"
        raise ConfigError("prices from Yahoo need the network", value=name, remedy=remedy)
    if name == "yahoo":
        return YahooProvider()
    if name == "sample":
        return SampleProvider()
    if name == "store":
        return StoreProvider(store, partial=True)
    return AutoProvider(StoreProvider(store), YahooProvider(), SampleProvider(), offline=offline)


for _name, _summary in {
    "auto": "the price cache, then Yahoo, then the bundled sample when there is no network",
    "yahoo": "Yahoo Finance through yfinance, downloaded anew",
    "store": "only what earlier downloads left in the price cache",
    "sample": "the bundled sample, adjusted closes",
    "files": "your own files: give a path, a folder of <ticker>.csv or one table",
}.items():
    PROVIDERS.register(_name)(Source(_summary, partial(_make, _name)))


def is_name(spec: str) -> bool:
    """Return whether `spec` names a price source, built in or of another package, not a path."""
    return spec in PROVIDERS or _external(spec) is not None


def listing() -> Iterator[tuple[str, str]]:
    """Yield name and summary of every price source, those of other packages last."""
    from .plugins import listing as external
    from .sample import contents

    for name, entry in PROVIDERS.items():
        yield name, entry.summary + f" ({contents()})" * (name == "sample")
    yield from external(PROVIDERS)


def _external(spec: str) -> Callable[[bool], PriceProvider] | None:
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
        A name in `PROVIDERS` or of another package's source; the path of a folder or table of
        prices, or of a run, for its frozen prices; or a provider, which is returned unchanged. A
        name wins over a path: write ``./sample`` for a folder called ``sample``.
    offline : bool
        Never use the network.
    store : str or Path, optional
        File or folder of the price cache, for ``auto`` and ``store``; the default location when
        omitted.
    vintage : str or date, optional
        Prices as the cache had them then, for ``auto`` and ``store``; only the cache is asked.

    Returns
    -------
    PriceProvider

    Raises
    ------
    ConfigError
        When `spec` is neither a name nor an existing path, or a vintage of it cannot be had.
    """
    if vintage is not None:
        if spec not in ("auto", "store"):
            remedy = "leave --prices out, or give --prices store"
            raise ConfigError("only the price cache has vintages", value=str(spec), remedy=remedy)
        from .store import StoreProvider

        return StoreProvider(store, vintage=vintage)
    if not isinstance(spec, str | Path):
        return spec
    if isinstance(spec, str) and spec in PROVIDERS:
        return PROVIDERS[spec].make(None if store is None else Path(store), offline)
    if isinstance(spec, str) and (maker := _external(spec)):
        return maker(offline)
    from .files import FilesProvider
    from .frozen import FrozenProvider, is_run

    try:
        if str(spec) and Path(spec).exists():
            return FrozenProvider(spec) if is_run(spec) else FilesProvider(spec)
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=str(spec)) from None
    hint = did_you_mean(str(spec), PROVIDERS)
    names = ", ".join(name for name in PROVIDERS if name != "files")
    choices = f"give one of {names}, or the path of a folder or table of prices"
    remedy = f"{hint} {choices}".strip()
    raise ConfigError("no such price source or path", value=str(spec), remedy=remedy)
