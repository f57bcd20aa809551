"""Folders for caches and prices where there is no home folder: in a container or a service."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

# Where libraries and the store look, and what they take without it.
FOLDERS = {
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
}


def settle() -> str:
    """Point caches and the store to a temporary folder if they have none to write to.

    Returns
    -------
    str
        A notice for the user; "" if nothing was changed, or no prices are kept there.

    Notes
    -----
    Without a home yfinance does not import, and matplotlib makes its fonts anew in every process.
    This is done for the process of a command only; a program that imports the library keeps its
    environment.
    """
    if os.name == "nt":
        return ""
    has_store = bool(os.environ.get("EVENTSTUDY_STORE"))
    lacking = [name for name in FOLDERS if not _writable(name)]
    if not lacking or (has_store and lacking == ["XDG_DATA_HOME"]):
        return ""
    scratch = _scratch()
    for name in lacking:
        os.environ[name] = str(scratch / FOLDERS[name])
    os.environ.setdefault("MPLCONFIGDIR", str(scratch / "matplotlib"))
    if has_store or "XDG_DATA_HOME" not in lacking:
        return ""
    elsewhere = "set EVENTSTUDY_STORE for another place"
    return f"no home folder to write to: prices are kept in {scratch}; {elsewhere}"


def _writable(name: str) -> bool:
    """Return whether a folder can be written, or made."""
    try:
        folder = Path(os.environ.get(name) or Path.home() / FOLDERS[name])
    except RuntimeError:
        return False
    existing = next((p for p in (folder, *folder.parents) if os.path.lexists(p)), Path("/"))
    return folder.is_absolute() and existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _scratch() -> Path:
    """Return a folder that nobody else can write to, the same in every run if possible."""
    folder = Path(tempfile.gettempdir()) / f"eventstudy-{os.getuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        is_private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        if is_private and status.st_uid == os.getuid():
            return folder
    return Path(tempfile.mkdtemp(prefix="eventstudy-"))
