"""What a run is doing at the moment, for a listener that shows it and for the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LOGGER = logging.getLogger("eventstudy")
LOGGER.addHandler(logging.NullHandler())
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def note(event: str, level: str = "info", **facts: object) -> None:
    """Log an event: a stable name in lower case, and facts that JSON can hold.

    Parameters
    ----------
    event : str
    level : {"info", "warning", "error"}
    **facts
        What JSON can hold.
    """
    LOGGER.log(LEVELS[level], event, extra={"facts": facts})


# Takes what is being written, how many of it are done, and how many there are (0: not known).
Listener = Callable[[str, int, int], None]

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)
_LABEL: ContextVar[str] = ContextVar("label", default="")


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Have `listener` hear of every step inside."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def step(label: str, done: int = 0, total: int = 0) -> None:
    """Say what is being written.

    Parameters
    ----------
    label : str
        What is being written.
    done, total : int
        0 = not known.
    """
    _LABEL.set(label)
    if listener := _LISTENER.get():
        listener(label, done, total)


def advance(done: int, total: int) -> None:
    """Say how far the present step is.

    Parameters
    ----------
    done, total : int
    """
    if total > 1 and (listener := _LISTENER.get()):
        listener(_LABEL.get(), done, total)


@contextmanager
def stepping(label: str) -> Iterator[None]:
    """Say that the body, or a function decorated so, is the step `label`, then the step before."""
    before = _LABEL.get()
    step(label)
    yield
    step(before)
