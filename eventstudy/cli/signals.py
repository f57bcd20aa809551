"""SIGTERM ends a command as an error does: files are cleared away, and one line is printed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(BaseException):
    """The process was asked to end."""


@contextmanager
def terminable() -> Iterator[None]:
    """Raise :class:`Terminated` in the main thread when SIGTERM comes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    requested = False

    def end(number: int, frame: object) -> None:
        """Handle the signal.

        Parameters
        ----------
        number : int
            Of the signal.
        frame : frame or None
            Where the program was interrupted.

        Raises
        ------
        Terminated
            Always.
        """
        nonlocal requested
        requested = True
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except Exception:
        # Compiled code that is being imported turns what is raised amid it into an error of its
        # own.
        if requested:
            raise Terminated from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
