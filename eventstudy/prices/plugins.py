"""Price sources of other packages, found by their entry points.

A package names its source under the group `GROUP`::

    [project.entry-points."eventstudy.prices"]
    moex = "moex_prices:MoexProvider"

The object is called with the text after the colon of ``--prices moex:TEXT`` (empty without one) and
with ``offline``, and returns a `PriceProvider`. Its attribute ``summary``, or the first line of its
docstring, is shown by ``eventstudy list prices``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from importlib.metadata import EntryPoint

from ..errors import ConfigError, DataError, EventStudyError
from ..utility.registry import PLUGIN_NAME, Plugins, package_of
from ._base import COLUMNS
from ._prices import PriceProvider, Prices, Progress

GROUP = "eventstudy.prices"
PLUGINS = Plugins(GROUP, "price source")


def find_source(spec: str, built_in: Collection[str]) -> tuple[EntryPoint, str] | None:
    """Return the source that ``name`` or ``name:argument`` names, and the argument.

    Parameters
    ----------
    spec : str
    built_in : collection of str
        Names that no other package can take.

    Returns
    -------
    (EntryPoint, str) or None
        None for a path (``C:\\x``) and for a name that is not known.
    """
    name, _, argument = spec.partition(":")
    if name in built_in or not PLUGIN_NAME.fullmatch(name):
        return None
    entry = PLUGINS.find(name)
    return (entry, argument) if entry else None


def make(entry: EntryPoint, argument: str, offline: bool) -> PriceProvider:
    """Return the provider of an entry point.

    Parameters
    ----------
    entry : EntryPoint
    argument : str
        The text after the colon of the specification.
    offline : bool

    Returns
    -------
    PriceProvider

    Raises
    ------
    ConfigError
        When it cannot be loaded, fails, or is no provider.
    """
    factory = PLUGINS.load(entry)
    try:
        provider = factory(argument, offline=offline)
    except EventStudyError:
        raise
    except Exception as error:
        raise PLUGINS.broken(entry, error) from error
    if not isinstance(provider, PriceProvider):
        message = f"the price source {entry.name} of {package_of(entry)} has no fetch or no name"
        raise ConfigError(message, value=type(provider).__name__)
    return _Guarded(provider, entry)


def summarise(entry: EntryPoint) -> str:
    """Return the line of a source of another package; ConfigError if it cannot be loaded."""
    factory = PLUGINS.load(entry)
    text = getattr(factory, "summary", "") or (factory.__doc__ or "").strip().partition("\n")[0]
    return f"{text or 'no summary'} ({package_of(entry)})"


class _Guarded:
    """A provider of another package, whose errors name that package."""

    def __init__(self, provider: PriceProvider, entry: EntryPoint) -> None:
        self.name, self._provider, self._entry = entry.name, provider, entry

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
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
        return prices

    def _fault(self, reason: str) -> DataError:
        where = f"{self.name} of {package_of(self._entry)}"
        return DataError(f"the price source failed ({reason})", where=where)
