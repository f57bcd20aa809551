"""Files that are replaced in one step."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a new file in the same folder, which takes the place of `path` after the body.

    A reader sees all of it or nothing; nothing is replaced if the body fails. Who may read a file
    that is there may do so afterwards.
    """
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    os.close(handle)
    try:
        yield Path(name)
        with suppress(FileNotFoundError):
            Path(name).chmod(stat.S_IMODE(path.stat().st_mode))
        with Path(name).open("r+b") as file:
            os.fsync(file.fileno())  # its name must not last longer than its content
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def flush_names(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system and the file system can."""
    with suppress(OSError):
        flush(folder)


def flush(path: Path, flags: int = os.O_RDONLY) -> None:
    """Flush a file, or the names in a folder, to the disk.

    Parameters
    ----------
    path : Path
    flags : int
        How it is opened.
    """
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
