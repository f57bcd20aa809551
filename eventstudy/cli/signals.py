"""SIGTERM ends a command as an error does: what it was writing is cleared away, and one line is said."""

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
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(number: int, frame: object) -> None:
    raise Terminated
