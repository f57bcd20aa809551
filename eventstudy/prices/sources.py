"""The price sources by name, by path, in memory, and those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import HIDDEN, ConfigError, DataError, EventStudyError, hide_secrets
from ..utility import Plugins, did_you_mean, pd
from ..words import make_error
from ._base import COLUMNS, Provenance
from ._databases import DuckdbProvider
from ._online import OnlineProvider
from ._prices import Names, PriceProvider, Prices, Progress
from ._url import UrlProvider
from .auto import AutoProvider
from .chain import ChainProvider
from .described import SHORT, SUFFIX, is_partitioned, read_short_form, read_source_file
from .eodhd import EodhdProvider
from .files import FilesProvider, FrameProvider
from .frozen import FrozenProvider, is_run
from .moex import MoexProvider
from .patience import PatientProvider, SourceStates
from .sample import CONTENTS, SampleProvider
from .store import StoreProvider
from .tiingo import TiingoProvider
from .yahoo import YahooProvider

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PricesLike: TypeAlias = (
    "str | Path | PriceProvider | pd.DataFrame | pd.Series[Any] | Mapping[str, Any]"
)
# The price sources of this package, each with one line for their list.
PROVIDERS = {
    "auto": "the price cache, then Yahoo, then the bundled sample when there is no network",
    "yahoo": "Yahoo Finance through yfinance, downloaded anew",
    "moex": "closes of the main session of the Moscow exchange, from its server: SBER.ME, IMOEX.ME",
    "tiingo": "US shares and funds from Tiingo, by the key in TIINGO_API_KEY",
    "eodhd": "some 30 exchanges from EODHD, by the key in EODHD_API_TOKEN",
    "store": "only what earlier downloads left in the price cache",
    "sample": "the bundled sample, adjusted closes",
    "files": "your own files: give a path, a folder of <ticker>.csv or one table",
    "duckdb": "a query over your files or a database: duckdb:SELECT ...",
    "sql": "a query of a database whose address is in a variable: sql:NAME:SELECT ...",
}
ONLINE: dict[str, type[YahooProvider | OnlineProvider]] = {
    "yahoo": YahooProvider, "moex": MoexProvider, "tiingo": TiingoProvider, "eodhd": EodhdProvider,
}  # fmt: skip
PLUGINS = Plugins("eventstudy.prices", "price source")
# Before the path of a source among several.
FILES = "files:"


def _make(name: str, store: str | Path | None, offline: bool) -> PriceProvider:
    if name == "files":
        raise make_error(ConfigError, "wrong.files_alone", value=name)
    if name in SHORT:
        raise make_error(ConfigError, "asked.short", where="prices")
    if name in ONLINE:
        if offline:
            raise make_error(ConfigError, "wrong.needs_network", value=name)
        return PatientProvider(ONLINE[name](), SourceStates(store))
    if name == "sample":
        return SampleProvider()
    if name == "store":
        return StoreProvider(store, partial=True)
    yahoo = PatientProvider(YahooProvider(), SourceStates(store))
    return AutoProvider(StoreProvider(store), yahoo, SampleProvider(), offline=offline)


def is_name(spec: str) -> bool:
    """Return whether `spec` names a price source, built in or of another package, not a path."""
    return spec in PROVIDERS or is_short_form(spec) or find_source(spec) is not None


def is_short_form(spec: str) -> bool:
    """Return whether `spec` is a query after the name of its source and a colon."""
    return spec.partition(":")[0] in SHORT and ":" in spec


def split_chain(spec: str) -> list[str]:
    """Return the sources that a text names, first choice first: ``yahoo,files:backup``.

    Only a comma before a name or ``files:`` parts them: paths and texts have commas of their own.
    All behind the name of a query is its text.
    """
    pieces: list[str] = []
    for piece in spec.split(","):
        name = piece.strip()
        if pieces and is_short_form(pieces[-1]):
            pieces[-1] += f",{piece}"
        elif not pieces or name.startswith(FILES) or is_name(name):
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
            prefix = FILES if piece.startswith(FILES) else ""
            pieces[k] = prefix + change(piece.removeprefix(FILES))
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
    for name, summary in PROVIDERS.items():
        yield name, summary + f" ({CONTENTS})" * (name == "sample")
    yield from PLUGINS.listing(PROVIDERS, _summarise)


def resolve(
    spec: PricesLike, *, offline: bool = False, store: str | Path | None = None,
    vintage: str | date | None = None, fill: str = "",
) -> PriceProvider:  # fmt: skip
    """Return the price source that `spec` names.

    Parameters
    ----------
    spec : str, Path, PriceProvider, DataFrame, Series or mapping
        A name in `PROVIDERS` or of another package's source; ``duckdb:SELECT ...`` or
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
    if isinstance(spec, str) and spec in PROVIDERS:
        return _make(spec, store, offline)

    if isinstance(spec, str) and is_short_form(spec):
        return read_short_form(spec, offline)
    if isinstance(spec, str) and (source := find_source(spec)):
        return _make_foreign(*source, offline)
    if isinstance(spec, str):
        spec = spec.removeprefix(FILES)
    try:
        if str(spec) and Path(spec).exists():
            return _open(Path(spec), store, offline)
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=str(spec)) from None
    names = [n for n in PROVIDERS if n != "files"]
    hint = did_you_mean(str(spec), PROVIDERS)
    raise make_error(ConfigError, "wrong.no_source", value=str(spec), hint=hint, names=names)


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
    return f"{FILES}{Path(text.removeprefix(FILES)).name}"


def _open(path: Path, store: str | Path | None, offline: bool) -> PriceProvider:
    """Return the source that a path is."""
    if path.is_file() and path.suffix.lower() == SUFFIX:
        source = read_source_file(path, offline)
        is_online = isinstance(source, UrlProvider)
        return PatientProvider(source, SourceStates(store)) if is_online else source
    if is_run(path):
        return FrozenProvider(path)
    if path.is_dir() and is_partitioned(path):
        return DuckdbProvider.of_parquet(path)
    return FilesProvider(path)


def find_source(spec: str) -> tuple[EntryPoint, str] | None:
    """Return the source of another package that a name names, and the text after its colon.

    None for a path (``C:\\x``) and for a name that is not known.
    """
    name, _, argument = spec.partition(":")
    entry = PLUGINS.find(name) if name not in PROVIDERS else None
    return (entry, argument) if entry else None


def _make_foreign(entry: EntryPoint, argument: str, offline: bool) -> PriceProvider:
    """Return the provider of an entry point; ConfigError if it fails or is no provider."""
    if HIDDEN in argument:
        value = f"{entry.name}:{argument}"
        raise make_error(ConfigError, "wrong.hidden", where="prices", value=value)
    factory = PLUGINS.load(entry)
    try:
        provider = factory(argument, offline=offline)
    except EventStudyError:
        raise
    except Exception as error:
        raise PLUGINS.broken(entry, error) from error
    if not isinstance(provider, PriceProvider):
        facts = {"name": entry.name, "package": Plugins.package_of(entry)}
        raise make_error(ConfigError, "wrong.plug_in", value=type(provider).__name__, **facts)
    return _Guarded(provider, entry)


def _summarise(entry: EntryPoint) -> str:
    """Return the line of a source of another package; ConfigError if it cannot be loaded."""
    factory = PLUGINS.load(entry)
    text = getattr(factory, "summary", "") or (factory.__doc__ or "").strip().partition("\n")[0]
    return f"{text or 'no summary'} ({Plugins.package_of(entry)})"


def _without_secrets(entry: Provenance) -> Provenance:
    detail = hide_secrets(entry.detail)
    return replace(entry, detail=detail, note=hide_secrets(entry.note))


class _Guarded:
    """A provider of another package, whose errors name that package."""

    def __init__(self, provider: PriceProvider, entry: EntryPoint) -> None:
        self.name, self._provider, self._entry = entry.name, provider, entry

    def fetch(self, symbols: Names, start: date, end: date, *, progress: Progress = None) -> Prices:
        """Return the prices of the other package.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices

        Raises
        ------
        DataError
            If the other package fails, or answers for some symbols with neither prices
            nor a failure.
        """
        try:
            prices = self._provider.fetch(symbols, start, end, progress=progress)
        except EventStudyError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            raise self._fault(reason) from error
        if not isinstance(prices, Prices) or tuple(prices.table) != COLUMNS:
            raise self._fault("its answer is not prices")
        missing = {*symbols} - {*prices.provenance} - {*prices.failures}
        if missing:
            raise self._fault(f"neither prices nor a failure for {', '.join(sorted(missing)[:5])}")
        notices = tuple(map(hide_secrets, prices.notices))
        provenance = {name: _without_secrets(entry) for name, entry in prices.provenance.items()}
        return replace(prices, notices=notices, provenance=provenance)

    def _fault(self, reason: str) -> DataError:
        where = f"{self.name} of {Plugins.package_of(self._entry)}"
        return DataError(f"the price source failed ({reason})", where=where)
