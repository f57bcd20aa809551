"""The registry of price sources: each says its name and what it needs, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..errors import ConfigError, DataError, EventStudyError, NetworkError, hide_secrets
from ..utility import Plugins, Registry, did_you_mean
from ..wire import LateError, Worker
from ..words import make_error
from ._base import COLUMNS, Provenance
from ._prices import Names, PriceProvider, Prices, Progress

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# Seconds that a source of another package may take for one fetch.
LONGEST_FETCH = 3600.0
# The source that a path names: a file, a folder or a run.
FILES = "files"
ORDER = ("auto", "yahoo", "moex", "tiingo", "eodhd", "store", "sample", FILES, "duckdb", "sql")


@dataclass(frozen=True)
class Place:
    """Where a source is opened.

    Attributes
    ----------
    offline : bool
        Whether the network may not be used.
    store : str or Path, optional
        File or folder of the price cache; None for the default one.
    """

    offline: bool = False
    store: str | Path | None = None


# Takes the text after the colon, empty without one.
Opener: TypeAlias = Callable[[str, Place], PriceProvider]
Opens = TypeVar("Opens", bound=Opener)


@dataclass(frozen=True)
class Source:
    """A source of prices that is chosen by name.

    Attributes
    ----------
    name, summary : str
        What people type, and a line for the list of sources.
    open : callable
        Returns the provider of a text and a `Place`.
    needs_network : bool
        Whether it asks a server: it is refused offline, and left alone for as long as that asks.
    takes_text : bool
        Whether a colon and a text may follow the name.
    is_query : bool
        Whether that text may have commas: of several sources it is the last.
    """

    name: str
    summary: str
    open: Opener
    needs_network: bool = False
    takes_text: bool = False
    is_query: bool = False


class Sources(Registry[Source]):
    """Price sources by name: of this package, and of others, which are loaded when named."""

    def parse(self, spec: str) -> tuple[str, str]:
        """Return name and text of the source that a text names; a path is the text of ``files``.

        Parameters
        ----------
        spec : str
            A name, ``name:text``, or a path, such as ``C:\\x``.
        """
        name, _, text = spec.partition(":")
        is_known = self._here(name) is not None
        if not is_known and self.plugins is not None:
            is_known = self.plugins.find(name) is not None
        return (name, text) if is_known else (FILES, spec)

    def is_query(self, spec: str) -> bool:
        """Return whether a text is a query after the name of its source and a colon.

        Parameters
        ----------
        spec : str
        """
        name, colon, _ = spec.partition(":")
        source = self._here(name)
        return bool(colon) and source is not None and source.is_query

    def no_source(self, spec: str) -> ConfigError:
        """Return the error of a text that names neither a source nor a path that is there.

        Parameters
        ----------
        spec : str
        """
        names = [name for name in self if name != FILES]
        hint = did_you_mean(spec, self)
        return make_error(ConfigError, "wrong.no_source", value=spec, hint=hint, names=names)

    def _here(self, name: str) -> Source | None:
        """Return the source of a name that is registered; no plug-in is looked up."""
        return self._entries.get(name) or self._further.get(name)

    def _adopt(self, point: EntryPoint, plugins: Plugins) -> None:
        """Register the source of another package, whose errors then name that package."""
        factory = plugins.load(point)
        source = self._further.get(point.name) or _described(point.name, factory)

        def open_plugin(text: str, place: Place) -> PriceProvider:
            worker = Worker()
            try:
                provider = worker.do(LONGEST_FETCH, partial(source.open, text, place))
            except EventStudyError:
                raise
            except Exception as error:
                raise plugins.broken(point, error) from error
            if not isinstance(provider, PriceProvider):
                facts = {"name": point.name, "package": Plugins.package_of(point)}
                value = type(provider).__name__
                raise make_error(ConfigError, "wrong.plug_in", value=value, **facts)
            return _Guarded(provider, point, worker)

        self._further[point.name] = replace(source, open=open_plugin)


def _described(name: str, factory: Callable[..., PriceProvider]) -> Source:
    """Return the source of another package that does not use `price_source`."""
    text = getattr(factory, "summary", "") or (factory.__doc__ or "").strip().partition("\n")[0]

    def opener(text: str, place: Place) -> PriceProvider:
        return factory(text, offline=place.offline)

    return Source(name, text or "no summary", opener, takes_text=True)


REGISTERED = Sources("price source", "eventstudy.prices", ORDER)


def price_source(
    name: str, summary: str, *, needs_network: bool = False, takes_text: bool = False,
    is_query: bool = False,
) -> Callable[[Opens], Opens]:  # fmt: skip
    """Return a decorator that registers what opens a source of prices.

    Parameters
    ----------
    name, summary, needs_network, takes_text, is_query
        As for :class:`Source`. What is decorated is a function of the text and the `Place`, or a
        class that is made of them.

    Examples
    --------
    >>> from eventstudy.prices import SOURCES
    >>> SOURCES["moex"].needs_network, SOURCES["sample"].needs_network
    (True, False)
    """

    def register(opener: Opens) -> Opens:
        source = Source(name, summary, opener, needs_network, takes_text, is_query)
        REGISTERED.register(name, opener.__module__)(source)
        return opener

    return register


def _without_secrets(entry: Provenance) -> Provenance:
    detail = hide_secrets(entry.detail)
    return replace(entry, detail=detail, note=hide_secrets(entry.note))


class _Guarded:
    """A provider of another package, whose errors name that package; it works in its own thread.

    Attributes
    ----------
    longest : float
        Seconds until the deadline of a fetch.
    """

    longest = LONGEST_FETCH

    def __init__(self, provider: PriceProvider, entry: EntryPoint, worker: Worker) -> None:
        self.name, self._provider, self._entry = entry.name, provider, entry
        self._worker = worker

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
        NetworkError
            If it does not answer within an hour.
        """
        fetch = partial(self._provider.fetch, symbols, start, end, progress=progress)
        try:
            prices = self._worker.do(self.longest, fetch)
        except EventStudyError:
            raise
        except LateError:
            late: dict[str, Any] = {"where": self._where, "minutes": self.longest / 60}
            raise make_error(NetworkError, "source.late", **late) from None
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

    @property
    def _where(self) -> str:
        return f"{self.name} of {Plugins.package_of(self._entry)}"

    def _fault(self, reason: str) -> DataError:
        return DataError(f"the price source failed ({reason})", where=self._where)
