"""Compressed files of somebody else: none is taken that fills the memory."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from pathlib import Path

from ..errors import DataError
from .tables import reading_parquet

# A compressed file holds at most so many times its own bytes, and so many in all.
INFLATED, LARGEST = 100, 4_000_000_000


def refuse_inflated(path: Path) -> None:
    """Refuse a compressed file, ``.gz`` or Parquet, that is far larger than tables can be.

    It is decompressed piece by piece, and no further than it may be.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        If its content is more than 100 times its size, or 4 GB.
    """
    allowed = min(INFLATED * path.stat().st_size + (1 << 20), LARGEST)
    size, ending = 0, path.suffix.lower()
    if ending == ".parquet":
        with reading_parquet(path.name) as (_, parquet):
            size = (facts := parquet.ParquetFile(path).metadata).num_rows * facts.num_columns
    elif ending == ".gz":
        with suppress(OSError, EOFError, zlib.error), gzip.open(path) as file:
            while size <= allowed and (piece := file.read(1 << 20)):
                size += len(piece)
    if size > allowed:
        problem = f"is refused: its content is larger than {allowed:,} bytes"
        raise DataError(problem, where=path.name, remedy="no real table is compressed that much")
