"""The record sources by name, and those of other packages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..utility import Plugins, did_you_mean
from ..words import make_error
from .fcc import Fcc
from .federal_register import FederalRegister
from .ofac import Ofac
from .types import RecordSource
from .uflpa import Uflpa
from .white_house import WhiteHouse

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# The sources of this package.
BUILT_IN: tuple[type[RecordSource], ...] = (Ofac, WhiteHouse, FederalRegister, Uflpa, Fcc)
SOURCES = {source.name: source for source in BUILT_IN}
PLUGINS = Plugins("eventstudy.records", "record source")


def make_source(name: str) -> RecordSource:
    """Return the source of a name, built in or of another package.

    Parameters
    ----------
    name : str

    Raises
    ------
    ConfigError
        If there is none, or that of another package is no source.
    """
    if name in SOURCES:
        return SOURCES[name]()
    point = PLUGINS.find(name)
    if point is None:
        hint = did_you_mean(name, SOURCES)
        raise make_error(ConfigError, "records.no_source", value=name, hint=hint, names=SOURCES)
    source = PLUGINS.load(point)()
    if not isinstance(source, RecordSource):
        raise PLUGINS.broken(point, TypeError("it is no record source"))
    return source


def listing() -> Iterator[tuple[str, str]]:
    """Yield name and line of every source, those of other packages last."""
    for name, source in SOURCES.items():
        yield name, _describe(source)
    yield from PLUGINS.listing(SOURCES, _describe_plugin)


def _describe(source: type[RecordSource] | RecordSource) -> str:
    return f"{source.summary}; time: {source.time}; {source.licence}"


def _describe_plugin(point: EntryPoint) -> str:
    return f"{_describe(make_source(point.name))} ({Plugins.package_of(point)})"
