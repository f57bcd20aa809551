"""What a run is writing at the moment, for a listener that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Takes what is being written, how many of it are done, and how many there are; 0 where that is not
# known.
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
