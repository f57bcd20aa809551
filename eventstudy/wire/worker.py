"""Work that is waited for until a deadline, and left behind where it hangs."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Pieces: TypeAlias = "SimpleQueue[Callable[[], None] | None]"
# Seconds that a request to stop may take, and the work then until it ends.
SECONDS_TO_STOP = 2.0
# Seconds of one wait. A signal does not end it on Windows before Python 3.14, nor where another
# thread gets the signal, as in a notebook: it is heeded between two waits.
AT_A_STRETCH = 1.0


class LateError(TimeoutError):
    """Work was not done by its deadline."""


class Worker:
    """A thread of its own for work that may hang, one piece after the other.

    Who waits for it heeds signals, which code outside Python puts off until it is done. A thread
    that hangs is left behind, and ends with the process; the next piece is done by another one.
    """

    def __init__(self) -> None:
        self._pieces: Pieces | None = None

    def do(self, seconds: float, work: Callable[[], T], stop: Callable[[], Any] | None = None) -> T:
        """Return what `work` returns.

        Parameters
        ----------
        seconds : float
        work : callable
            Without arguments.
        stop : callable, optional
            Asks the work to end, from another thread. It is called at the deadline, and when
            waiting is interrupted.

        Raises
        ------
        LateError
            If it takes longer, wherever it hangs.
        """
        future: Future[T] = Future()
        context = copy_context()

        def run() -> None:
            try:
                future.set_result(context.run(work))
            except BaseException as error:
                future.set_exception(error)

        until = time.monotonic() + seconds
        self._pieces = self._pieces or self._begin()
        self._pieces.put(run)
        try:
            while not future.done():
                left = until - time.monotonic()
                if left <= 0:
                    raise LateError
                wait([future], min(left, AT_A_STRETCH))
            return future.result()
        except BaseException:
            if not future.done():
                if stop:
                    with suppress(Exception):
                        Worker().do(SECONDS_TO_STOP, stop)
                    wait([future], SECONDS_TO_STOP)
                if not future.done():
                    self._pieces = None
            raise

    def _begin(self) -> Pieces:
        pieces: Pieces = SimpleQueue()
        threading.Thread(target=_work_off, args=(pieces,), daemon=True).start()
        weakref.finalize(self, pieces.put, None)
        return pieces


def _work_off(pieces: Pieces) -> None:
    while piece := pieces.get():
        piece()
        # What it returned is not kept until the next piece comes.
        del piece
