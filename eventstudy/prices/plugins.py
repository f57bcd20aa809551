"""Price sources of other packages, found by the entry points that those declare.

A package names its source under the group `GROUP`::

    [project.entry-points."eventstudy.prices"]
    moex = "moex_prices:MoexProvider"

The object is called with the text after the colon of ``--prices moex:TEXT`` (empty without one) and
with ``offline``, and returns a `PriceProvider`. Its attribute ``summary``, or the first line of its
docstring, is shown by ``eventstudy list prices``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ..errors import ConfigError, DataError, EventStudyError
from ._base import COLUMNS, PriceProvider, Prices, Progress

GROUP = "eventstudy.prices"
NAME = re.compile(r"[a-z][a-z0-9_-]+")


def split(spec: str) -> tuple[str, str] | None:
    """Return name and argument of ``name`` or ``name:argument``; None if it cannot be a name
    (``C:\\x``)."""
    name, _, argument = spec.partition(":")
    return (name, argument) if NAME.fullmatch(name) else None


def find(name: str) -> EntryPoint | None:
    """Return the entry point of a name; None if no package declares it.

    Raises
    ------
    ConfigError
        When several packages do.
    """
    found = list(entry_points(group=GROUP, name=name))
    makers = sorted({_package(entry) for entry in found})
    if len(makers) > 1:
        what = "several packages have a price source of that name"
        raise ConfigError(what, value=name, remedy=f"uninstall all but one of {', '.join(makers)}")
    return found[0] if found else None


def make(entry: EntryPoint, argument: str, offline: bool) -> PriceProvider:
    """Return the provider of an entry point.

    Raises
    ------
    ConfigError
        When it cannot be loaded, fails, or is no provider.
    """
    factory = _load(entry)
    try:
        provider = factory(argument, offline=offline)
    except EventStudyError:
        raise
    except Exception as error:
        raise _broken(entry, error) from error
    if not isinstance(provider, PriceProvider):
        raise ConfigError(
            f"the price source {entry.name} of {_package(entry)} has no fetch or no name",
            value=type(provider).__name__,
        )
    return _Guarded(provider, entry)


def listing(built_in: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield name and one line for each source of another package, also for those that cannot be
    used."""
    for entry in sorted(entry_points(group=GROUP), key=lambda each: (each.name, _package(each))):
        if entry.name in built_in:
            yield (
                entry.name,
                f"ignored: {_package(entry)} cannot take the name of a built-in source",
            )
        elif not NAME.fullmatch(entry.name):
            yield entry.name, f"ignored: {_package(entry)} has to name it in lower-case letters"
        else:
            yield entry.name, _summary(entry)


def _summary(entry: EntryPoint) -> str:
    try:
        find(entry.name)
        factory = _load(entry)
    except ConfigError as error:
        return f"cannot be used: {error}"
    text = getattr(factory, "summary", "") or (factory.__doc__ or "").strip().partition("\n")[0]
    return f"{text or 'no summary'} ({_package(entry)})"


def _load(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:
        raise _broken(entry, error) from error


def _broken(entry: EntryPoint, error: Exception) -> ConfigError:
    reason = str(error).partition("\n")[0]
    return ConfigError(
        f"the price source {entry.name} of {_package(entry)} is broken ({type(error).__name__}: "
        f"{reason})",
        remedy="mend or uninstall that package",
    )


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


class _Guarded:
    """A provider of another package, whose faults are told as its own."""

    def __init__(self, provider: PriceProvider, entry: EntryPoint) -> None:
        self.name, self._provider, self._entry = entry.name, provider, entry

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Return what the other package gives, if it has the shape of prices."""
        try:
            prices = self._provider.fetch(symbols, start, end, progress=progress)
        except EventStudyError:
            raise
        except Exception as error:
            raise self._fault(
                f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            ) from error
        if not isinstance(prices, Prices) or tuple(prices.table) != COLUMNS:
            raise self._fault("what it gives back is not prices")
        lost = {*symbols} - {*prices.provenance} - {*prices.failures}
        if lost:
            raise self._fault(f"neither prices nor a failure for {', '.join(sorted(lost)[:5])}")
        return prices

    def _fault(self, reason: str) -> DataError:
        return DataError(
            f"the price source failed ({reason})", where=f"{self.name} of {_package(self._entry)}"
        )
