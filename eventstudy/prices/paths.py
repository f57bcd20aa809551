"""What a path is as a source of prices: a run, a TOML file, a folder or a table."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError
from ..words import make_error
from ._databases import DuckdbProvider
from ._prices import PriceProvider
from ._registered import FILES, REGISTERED, Place, price_source
from ._url import UrlProvider
from .described import SUFFIX, is_partitioned, read_source_file
from .files import FilesProvider
from .frozen import FrozenProvider, is_run
from .patience import PatientProvider, SourceStates


@price_source(
    FILES, "your own files: give a path, a folder of <ticker>.csv or one table", takes_text=True
)
def open_path(text: str, place: Place) -> PriceProvider:
    """Return the source that a path is.

    Parameters
    ----------
    text : str
        The path.
    place : Place

    Raises
    ------
    ConfigError
        Without one, or if nothing is there.
    """
    if not text:
        raise make_error(ConfigError, "wrong.files_alone", value=FILES)
    path = Path(text)
    try:
        if not path.exists():
            raise REGISTERED.no_source(text)
        if path.is_file() and path.suffix.lower() == SUFFIX:
            source = read_source_file(path, place.offline)
            is_online = isinstance(source, UrlProvider)
            return PatientProvider(source, SourceStates(place.store)) if is_online else source
        if is_run(path):
            return FrozenProvider(path)
        if path.is_dir() and is_partitioned(path):
            return DuckdbProvider.of_parquet(path)
        return FilesProvider(path)
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})", where=text) from None
