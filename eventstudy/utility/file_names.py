"""Names that may become files, and paths that stay inside a folder."""

from __future__ import annotations

import gzip
import re
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from ..errors import ConfigError, DataError, RunFolderError
from .tables import reading_parquet

# Bytes of a name: the files beside a run (``.NAME.on-change.lock``) are in the 255 of file systems.
LONGEST_NAME = 200
# Names that open a device on Windows, with whatever after a dot.
RESERVED = r"con|prn|aux|nul|(com|lpt)[1-9¹²³]"

# A compressed file holds at most so many times its own bytes, and so many in all.
INFLATED, LARGEST = 100, 4_000_000_000


def checked_name(name: str) -> str:
    """Return `name` if it is safe as the name of a folder on every system.

    Raises
    ------
    ConfigError
        Otherwise.
    """
    if not re.fullmatch(r"\w[\w\-. ]{0,99}", name) or name.endswith((".", " ")):
        fault = "not a name for a study"
        remedy = "use letters, digits, '-', '_' and '.', and no path"
    elif len(name.encode()) > LONGEST_NAME:
        fault = "too long for the name of a study"
        remedy = f"use {LONGEST_NAME} bytes of UTF-8 at most"
    elif re.fullmatch(RESERVED, name.partition(".")[0].rstrip(), re.IGNORECASE):
        fault, remedy = "Windows keeps this name for a device", "choose another --name"
    elif name.lower() == "index.html":
        fault, remedy = "that is the page over all runs", "choose another --name"
    else:
        return name
    raise ConfigError(fault, value=name, remedy=remedy)


def is_place(text: str) -> bool:
    """Return whether a text names a file in a folder: no absolute path, no ``..``, no drive."""
    path, drive = PurePosixPath(text), PureWindowsPath(text).drive
    return bool(path.name) and not (
        path.is_absolute() or drive or {"..", "\0"} & {*path.parts, *text}
    )


def inside(folder: Path, place: str, largest: int = 0) -> Path:
    """Return the path of a file of a run, whatever links are in the folder.

    Parameters
    ----------
    folder : Path
    place : str
        Its path from there.
    largest : int
        Bytes of the largest file that is taken; 0 = any.

    Raises
    ------
    RunFolderError
        If the path leads out of the folder, or to too large a file.
    """
    path = folder / place
    try:
        is_inside = is_place(place) and path.resolve().is_relative_to(folder.resolve())
        size = path.stat().st_size if is_inside and largest and path.exists() else 0
    except (OSError, RuntimeError, ValueError):
        is_inside, size = False, 0
    if not is_inside:
        raise RunFolderError("leads out of the run folder, and is not read", where=str(path))
    if size > largest > 0:
        raise RunFolderError(f"is larger than {largest:,} bytes, and is not read", where=str(path))
    return path


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
        raise DataError(problem, where=path.name, remedy="no table is compressed so far")
