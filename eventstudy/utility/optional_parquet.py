"""Parquet by pyarrow, where the extra ``parquet`` is installed."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigError, how_to_install


def parquet_modules(where: str = "") -> tuple[Any, Any]:
    """Return the modules ``pyarrow`` and ``pyarrow.parquet``.

    Raises
    ------
    ConfigError
        If they are not installed; `where` is the file that needs them.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        remedy = how_to_install("parquet")
        raise ConfigError("Parquet files need pyarrow", where=where, remedy=remedy) from None
    return pyarrow, pyarrow.parquet
