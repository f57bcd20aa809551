"""The price sources by name, by path, in memory, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import HIDDEN, ConfigError
from ..utility import pd
from ..words import make_error
from ._prices import PriceProvider
from ._registered import FILES, Place
from .chain import ChainProvider
from .families import SOURCES
from .files import FrameProvider
from .patience import PatientProvider, SourceStates
from .store import StoreProvider

PricesLike: TypeAlias = (
    "str | Path | PriceProvider | pd.DataFrame | pd.Series[Any] | Mapping[str, Any]"
)
# Before the path of a source among several.
PREFIX = f"{FILES}:"


def is_name(spec: str) -> bool:
    """Return whether `spec` names a price source, built in or of another package, not a path."""
    return spec == FILES or SOURCES.parse(spec)[0] != FILES


def split_chain(spec: str) -> list[str]:
    """Return the sources that a text names, first choice first: ``yahoo,files:backup``.

    Only a comma before a name or ``files:`` parts them: paths and texts have commas of their own.
    All behind the name of a query is its text.
    """
    pieces: list[str] = []
    for piece in spec.split(","):
        name = piece.strip()
        if pieces and SOURCES.is_query(pieces[-1]):
            pieces[-1] += f",{piece}"
        elif not pieces or name.startswith(PREFIX) or is_name(name):
            pieces.append(name)
        else:
            pieces[-1] += f",{piece}"
    return pieces


def with_paths(spec: str, change: Callable[[str], str]) -> str:
    """Return a text that names sources with another path for each of those that are paths.

    Parameters
    ----------
    spec : str
        As for `resolve`.
    change : callable
        Takes a path and returns one.
    """
    pieces = split_chain(spec) if is_chain(spec) else [spec]
    for k, piece in enumerate(pieces):
        if piece and not is_name(piece):
            prefix = PREFIX if piece.startswith(PREFIX) else ""
            pieces[k] = prefix + change(piece.removeprefix(PREFIX))
    return ",".join(pieces)


def paths_of(spec: str) -> list[str]:
    """Return the paths among the sources that a text names."""
    paths: list[str] = []
    with_paths(spec, lambda path: paths.append(path) or path)  # type: ignore[func-returns-value]
    return paths


def is_chain(spec: str) -> bool:
    """Return whether a text names several sources; a path that is there is one."""
    return "," in spec and not _is_there(spec) and len(split_chain(spec)) > 1


def _is_there(spec: str) -> bool:
    try:
        return bool(spec) and Path(spec).exists()
    except (OSError, ValueError):
        return False


def listing() -> Iterator[tuple[str, str]]:
    """Yield name and summary of every price source, those of other packages last."""
    for name, source in SOURCES.items():
        yield name, source.summary
    yield from SOURCES.plugin_lines(lambda source: source.summary)


def resolve(
    spec: PricesLike, *, offline: bool = False, store: str | Path | None = None,
    vintage: str | date | None = None, fill: str = "",
) -> PriceProvider:  # fmt: skip
    """Return the price source that `spec` names.

    Parameters
    ----------
    spec : str, Path, PriceProvider, DataFrame, Series or mapping
        A name in `SOURCES` or of another package's source; ``duckdb:SELECT ...`` or
        ``sql:NAME:SELECT ...``; the path of a folder or table of prices, of a TOML file that
        describes a source, or of a run, for its frozen prices; a provider, which is returned
        unchanged; or prices in memory, as for `FrameProvider`. A name wins over a path: write
        ``./sample`` or ``files:sample`` for a folder called ``sample``. Several with commas between
        them are a chain (:class:`.chain.ChainProvider`); a query is the last of them.
    offline : bool
        Never use the network.
    store : str or Path, optional
        File or folder of the price cache, for ``auto`` and ``store``; the default location when
        omitted.
    vintage : str or date, optional
        Prices as the cache had them then, for ``auto`` and ``store``; only the cache is asked.
    fill : str
        A further source, for single sessions that the source of a symbol lacks.

    Returns
    -------
    PriceProvider

    Raises
    ------
    ConfigError
        When `spec` is neither a name nor an existing path, or a vintage of it cannot be had.
    """
    pieces: list[PricesLike] = [spec]
    if isinstance(spec, str) and is_chain(spec):
        pieces = [*split_chain(spec)]
    if fill or len(pieces) > 1:
        options: Any = {"offline": offline, "store": store}
        sources: dict[str, PriceProvider] = {}
        for piece in pieces:
            label = _label(piece)
            if label in sources:
                label += f" ({len(sources) + 1})"
            sources[label] = resolve(piece, vintage=vintage, **options)
        return ChainProvider(sources, _resolve_fill(fill, options) if fill else None)
    if vintage is not None:
        if not isinstance(spec, str) or spec not in ("auto", "store"):
            raise make_error(ConfigError, "wrong.no_vintages", value=str(spec))
        return StoreProvider(store, vintage=vintage)
    if isinstance(spec, PriceProvider):
        return spec
    if not isinstance(spec, str | Path):
        return FrameProvider(spec)
    if spec == "":
        raise SOURCES.no_source("")
    name, text = SOURCES.parse(spec) if isinstance(spec, str) else (FILES, str(spec))
    return _open(name, text, Place(offline, store))


def _open(name: str, text: str, place: Place) -> PriceProvider:
    """Return the provider of a source; ConfigError for what cannot be had there."""
    source = SOURCES[name]
    if HIDDEN in text and name != FILES:
        value = f"{name}:{HIDDEN}"
        raise make_error(ConfigError, "wrong.hidden", where="prices", value=value)
    if text and not source.takes_text:
        raise SOURCES.no_source(f"{name}:{text}")
    if not source.needs_network:
        return source.open(text, place)
    if place.offline:
        raise make_error(ConfigError, "wrong.needs_network", value=name)
    return PatientProvider(source.open(text, place), SourceStates(place.store))


def _resolve_fill(fill: str, options: Mapping[str, Any]) -> tuple[str, PriceProvider]:
    """Return the source that fills holes, with its label; its errors name the setting."""
    try:
        return _label(fill), resolve(fill, **options)
    except ConfigError as error:
        error.where = error.where or "fill"
        raise


def _label(spec: PricesLike) -> str:
    """Return what messages call a source among several."""
    if not isinstance(spec, str | Path):
        return str(getattr(spec, "name", "prices"))
    if is_name(text := str(spec)):
        return text.partition(":")[0]
    return f"{PREFIX}{Path(text.removeprefix(PREFIX)).name}"
