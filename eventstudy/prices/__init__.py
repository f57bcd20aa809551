"""Price sources: Yahoo, the user's files, the price cache, the bundled sample, other packages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..utility.registry import did_you_mean
from ..utility.frames import frame_of
from ._base import COLUMNS, Action, Provenance, clean
from ._prices import PriceProvider, Prices, collect

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "COLUMNS", "PROVIDERS", "Action", "PriceProvider", "Prices", "Provenance", "clean",
    "collect", "is_name", "listing", "resolve",
]  # fmt: skip

# The price sources of this package, each with one line for their list.
PROVIDERS = {
    "auto": "the price cache, then Yahoo, then the bundled sample when there is no network",
    "yahoo": "Yahoo Finance through yfinance, downloaded anew",
    "store": "only what earlier downloads left in the price cache",
    "sample": "the bundled sample, adjusted closes",
    "files": "your own files: give a path, a folder of <ticker>.csv or one table",
}


def _make(name: str, store: str | Path | None, offline: bool) -> PriceProvider:
    from .auto import AutoProvider
    from .sample import SampleProvider
    from .store import StoreProvider
    from .yahoo import YahooProvider

    if name == "files":
        remedy = "give the path of a folder or a table of prices"
        raise ConfigError("files is not a source by itself", value=name, remedy=remedy)
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


def is_name(spec: str) -> bool:
    """Return whether `spec` names a price source, built in or of another package, not a path."""
    from .plugins import find_source

    return spec in PROVIDERS or find_source(spec, PROVIDERS) is not None


def listing() -> Iterator[tuple[str, str]]:
    """Yield name and summary of every price source, those of other packages last."""
    from .plugins import PLUGINS, summarise
    from .sample import CONTENTS

    for name, summary in PROVIDERS.items():
        yield name, summary + f" ({CONTENTS})" * (name == "sample")
    yield from PLUGINS.listing(PROVIDERS, summarise)


def resolve(
    spec: str | Path | PriceProvider | pd.DataFrame,
    *,
    offline: bool = False,
    store: str | Path | None = None,
    vintage: str | date | None = None,
) -> PriceProvider:
    """Return the price source that `spec` names.

    Parameters
    ----------
    spec : str, Path, PriceProvider or DataFrame
        A name in `PROVIDERS` or of another package's source; the path of a folder or table of
        prices, or of a run, for its frozen prices; a provider, which is returned unchanged; or a
        table of prices. A name wins over a path: write ``./sample`` for a folder called ``sample``.
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
        if not isinstance(spec, str) or spec not in ("auto", "store"):
            remedy = "leave --prices out, or give --prices store"
            raise ConfigError("only the price cache has vintages", value=str(spec), remedy=remedy)
        from .store import StoreProvider

        return StoreProvider(store, vintage=vintage)
    from .files import FilesProvider, FrameProvider

    if isinstance(spec, PriceProvider):
        return spec
    if not isinstance(spec, str | Path):
        remedy = "give a DataFrame, a name, the path of a folder or table, or an object with fetch"
        return FrameProvider(frame_of(spec, "prices", remedy))
    if isinstance(spec, str) and spec in PROVIDERS:
        return _make(spec, store, offline)
    from .frozen import FrozenProvider, is_run
    from .plugins import find_source, make

    if isinstance(spec, str) and (source := find_source(spec, PROVIDERS)):
        return make(*source, offline)
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
