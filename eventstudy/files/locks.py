"""Locks that end with their process."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import BusyError, EventStudyError

# Seconds between two attempts to lock, and to wait for a process that only writes its folder.
PAUSE, LOCK_WAIT = 0.1, 60.0
# The byte that is locked on Windows, where a locked byte cannot be read: behind the text.
_FAR = 1 << 20


@contextmanager
def locked(
    target: Path, *, wait: float = LOCK_WAIT, notify: Callable[[str], None] | None = None,
    what: str = "this list", busy: type[EventStudyError] = BusyError,
) -> Iterator[None]:  # fmt: skip
    """Hold the lock of a folder or file, the file ``.NAME.lock`` in its parent.

    Parameters
    ----------
    target : Path
        It need not exist, its parent must.
    wait : float
        Seconds to wait for another process.
    notify : callable, optional
        Called once with a text if there is another process, or if the last one was killed.
    what : str
        What is written, in words.
    busy : type of EventStudyError

    Yields
    ------
    None

    Raises
    ------
    EventStudyError
        Of the type `busy`, if another process holds the lock for longer.

    Notes
    -----
    The lock is an open file (flock, or LockFile on Windows): it ends with its process, however that
    ends. A file that was left behind is therefore free, and tells that its owner was killed.
    """
    lock = Lock(target.with_name(f".{target.name}.lock"), what, busy)
    try:
        lock.wait_for(time.monotonic() + wait, notify or (lambda _: None))
        yield
    finally:
        lock.release()


class Lock:
    """A lock file, which may be released at any moment: SIGTERM raises at any line.

    Parameters
    ----------
    path : Path
    what : str
        What is written while it is held, in words.
    busy : type of EventStudyError
        Raised if another process holds it.
    """

    def __init__(
        self, path: Path, what: str = "this list", busy: type[EventStudyError] = BusyError
    ) -> None:
        self.path = path
        self._what, self._busy = what, busy
        self.handle: int | None = None
        self.held = False

    def wait_for(self, until: float, notify: Callable[[str], None]) -> None:
        """Hold the lock, or raise after the time.

        Parameters
        ----------
        until : float
            In seconds of ``time.monotonic``.
        notify : callable
            Takes a text.

        Raises
        ------
        EventStudyError
            If another process holds the lock for longer.
        """
        waited = False
        while True:
            self.handle = handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            if _take(handle) and _is_still(handle, self.path):
                before = os.read(handle, 200).decode("utf-8", "replace").strip()
                if before and not waited:
                    notify(
                        f"the {before} was ended while it wrote {self._what}; it is written anew"
                    )
                self.held = True
                _sign(handle)
                return
            owner = os.read(handle, 200).decode("utf-8", "replace").strip() or "another process"
            self.handle = None
            os.close(handle)
            if time.monotonic() >= until:
                problem = f"{owner} writes {self._what}"
                raise self._busy(problem, where=self.path.name, remedy="try again later")
            if not waited:
                notify(f"waiting for {owner}, which writes {self._what}")
            waited = True
            time.sleep(PAUSE)

    def release(self) -> None:
        """Remove the file, unless another process has it; a signal may follow its creation."""
        if self.handle is None:
            with suppress(OSError):
                self.handle = os.open(self.path, os.O_RDWR)
        if self.handle is None:
            return
        if self.held or (_take(self.handle) and _is_still(self.handle, self.path)):
            if sys.platform == "win32":  # an open file cannot be removed there
                os.ftruncate(self.handle, 0)
            else:
                self.path.unlink(missing_ok=True)
        os.close(self.handle)


def _sign(handle: int) -> None:
    """Write who holds the lock; on a full disk it holds without that."""
    os.lseek(handle, 0, os.SEEK_SET)
    os.ftruncate(handle, 0)
    with suppress(OSError):
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())


def _take(handle: int) -> bool:
    """Lock an open file if it is free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _FAR, os.SEEK_SET)
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            finally:  # whoever could not lock it reads who did
                os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_still(handle: int, path: Path) -> bool:
    """Return whether the file is still there: its last owner may have removed it meanwhile."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
