"""Names that may become files, paths that stay inside a folder, and files written whole."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from ..errors import ConfigError, RunFolderError
from ..words import make_error

# Bytes of a name: the files beside a run (``.NAME.on-change.lock``) are in the 255 of file systems.
LONGEST_NAME = 200
# Names that open a device on Windows, with whatever after a dot.
RESERVED = r"con|prn|aux|nul|(com|lpt)[1-9¹²³]"


def checked_name(name: str) -> str:
    """Return `name` if it is safe as the name of a folder on every system.

    Raises
    ------
    ConfigError
        Otherwise.
    """
    if not re.fullmatch(r"\w[\w\-. ]{0,99}", name) or name.endswith((".", " ")):
        code = "no_name"
    elif len(name.encode()) > LONGEST_NAME:
        code = "long_name"
    elif re.fullmatch(RESERVED, name.partition(".")[0].rstrip(), re.IGNORECASE):
        code = "device"
    elif name.lower() == "index.html":
        code = "index_page"
    else:
        return name
    raise make_error(ConfigError, f"setting.{code}", value=name, longest=LONGEST_NAME)


def is_place(text: str) -> bool:
    """Return whether a text names a file in a folder: no absolute path, no ``..``, no drive."""
    path = PurePosixPath(text)
    drive = PureWindowsPath(text).drive
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
