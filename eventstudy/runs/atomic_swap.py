"""A folder that one process at a time writes, and that takes its place in one step.

A lock is released when its owner dies, and what a killed process left is removed before the
next one writes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from ..errors import RunFolderError
from ..files import LOCK_WAIT as WAIT
from ..files import flush, flush_names
from ..files import locked as lock_file
from .manifest import MANIFEST

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
# The kernel or the file system does not know how.
_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


def follow_link(target: Path) -> Path:
    """Return the folder that a link leads to, which a swap of the link would leave as it is."""
    return target.resolve() if target.is_symlink() else target


@contextmanager
def as_run_folder_errors(target: Path) -> Iterator[None]:
    """Turn an error of the operating system about a folder into a RunFolderError."""
    try:
        yield
    except OSError as error:
        problem, place = f"cannot write the run folder: {error.strerror}", error.filename or target
        remedy = "the earlier run is unchanged" if (target / MANIFEST).is_file() else ""
        raise RunFolderError(problem, value=str(place), remedy=remedy) from error


def stage_of(target: Path) -> Path:
    """Return where a run is written before it takes its place."""
    return target.with_name(f".{target.name}.new")


def clear_remains(target: Path) -> None:
    """Restore a run lost between two renames, and remove what else a killed process left."""
    old = _old(target)
    if not target.exists() and old.exists():
        old.rename(target)
    remove(old, loud=True)
    remove(stage_of(target), loud=True)


def require_removable(target: Path) -> None:
    """Raise if a run could be exchanged but not removed: its remains would bar the next one."""
    for folder in [p for p in (target, *target.rglob("*")) if p.is_dir() and not p.is_symlink()]:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Give an empty folder to write to, and put it in the place of `target` if all went well.

    The lock of `target` must be held.
    """
    require_removable(target)
    stage = stage_of(target)
    try:
        stage.mkdir()
        yield stage
        sync_to_disk(stage)
        swap(stage, target)
        flush_names(target.parent)
    finally:
        remove(stage)


def swap(stage: Path, target: Path) -> None:
    """Put `stage` in the place of `target`, whose folder is removed.

    Where the system can exchange two folders (Linux, macOS) there is no moment without the one or
    the other; elsewhere there is one between two renames, which :func:`clear_remains` mends.

    Parameters
    ----------
    stage : Path
        The new folder.
    target : Path
    """
    if not target.exists():
        stage.rename(target)
    elif exchange(stage, target):
        flush_names(target.parent)  # the names first: what is removed is the run before
        remove(stage)
    else:
        target.rename(_old(target))
        stage.rename(target)
        flush_names(target.parent)
        remove(_old(target))


def exchange(source: Path, target: Path) -> bool:
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
    a = os.fsencode(source)
    b = os.fsencode(target)
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
    """Flush all of a folder to the disk: a rename must not outlive the files that it names.

    On Windows, where only a file that may be written can be flushed, those that may not are left
    out.
    """
    windows = sys.platform == "win32"
    for path in [p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()]:
        with suppress(PermissionError) if windows else nullcontext():
            flush(path, os.O_RDWR if windows else os.O_RDONLY)
    for path in [folder, *(p for p in folder.rglob("*") if p.is_dir() and not p.is_symlink())]:
        flush_names(path)


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


class RunBusyError(RunFolderError):
    """Another process writes this run: try again later."""

    exit_code = 75


def locked(
    target: Path, *, wait: float = WAIT, notify: Callable[[str], None] | None = None
) -> AbstractContextManager[None]:
    """Hold the lock of a run folder, the file ``.NAME.lock`` in its parent.

    Parameters
    ----------
    target : Path
        The run folder; it need not exist, its parent must.
    wait : float
        Seconds to wait for another process.
    notify : callable, optional
        Called once with a text if there is another process, or if the last one was killed.

    Raises
    ------
    RunBusyError
        If another process holds the lock for longer.
    """
    return lock_file(target, wait=wait, notify=notify, what="this run", busy=RunBusyError)
