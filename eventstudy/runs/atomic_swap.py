"""Exchange of one folder for another in one step, and clearing up after a killed process."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from contextlib import nullcontext, suppress
from pathlib import Path

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
# The kernel or the file system does not know how.
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


def followed(target: Path) -> Path:
    """Return the folder that a link leads to, which a swap of the link would leave as it is."""
    return target.resolve() if target.is_symlink() else target


def stage_of(target: Path) -> Path:
    """Return where a run is written before it takes its place."""
    return target.with_name(f".{target.name}.new")


def cleared(target: Path) -> None:
    """Restore a run lost between two renames, and remove what else a killed process left."""
    old = _old(target)
    if not target.exists() and old.exists():
        old.rename(target)
    remove(old, loud=True)
    remove(stage_of(target), loud=True)


def refuse_lasting(target: Path) -> None:
    """Raise if a run could be exchanged but not removed: its remains would bar the next one."""
    for folder in [p for p in (target, *target.rglob("*")) if p.is_dir() and not p.is_symlink()]:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def swap(stage: Path, target: Path) -> None:
    """Put `stage` in the place of `target`, whose folder is removed.

    Where the system can exchange two folders (Linux, macOS) there is no moment without the one or
    the other; elsewhere there is one between two renames, which :func:`cleared` mends.

    Parameters
    ----------
    stage : Path
        The new folder.
    target : Path
    """
    if not target.exists():
        stage.rename(target)
    elif exchanged(stage, target):
        remove(stage)
    else:
        target.rename(_old(target))
        stage.rename(target)
        remove(_old(target))


def exchanged(source: Path, target: Path) -> bool:
    """Exchange two paths in one step; return whether the system can do that.

    Parameters
    ----------
    source, target : Path

    Returns
    -------
    bool

    Raises
    ------
    OSError
        If the system can, and this exchange failed.
    """
    library = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    a, b = os.fsencode(source), os.fsencode(target)
    try:
        if library is None:
            return False
        if sys.platform == "darwin":
            failed = library.renamex_np(a, b, _EXCHANGE)
        else:
            failed = library.renameat2(_HERE, a, _HERE, b, _EXCHANGE)
    except AttributeError:
        return False
    number = ctypes.get_errno()
    if failed and number not in _UNSUPPORTED:
        raise OSError(number, os.strerror(number), str(target))
    return not failed


def remove(path: Path, *, loud: bool = False) -> None:
    """Remove a file, link or folder; a folder that may not be removed stays, or is an error.

    Parameters
    ----------
    path : Path
    loud : bool
        Whether a folder that may not be removed is an error.
    """
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    elif path.exists():
        if sys.platform == "win32":  # a file that may not be written cannot be removed there
            for file in [p for p in path.rglob("*") if p.is_file() and not p.is_symlink()]:
                file.chmod(0o666)
        shutil.rmtree(path, ignore_errors=not loud)


def sync_to_disk(folder: Path) -> None:
    """Flush all files of a folder to the disk: a rename must not outlive the files that it names.

    On Windows, where only a file that may be written can be flushed, those that may not are left
    out.
    """
    windows = sys.platform == "win32"
    for path in [p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()]:
        with suppress(PermissionError) if windows else nullcontext():
            handle = os.open(path, os.O_RDWR if windows else os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")
