"""What a run is writing at the moment, for a listener that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
# Takes what is being written, how many of it are done, and how many there are; 0 where that is not
# known.
Listener = Callable[[str, int, int], None]

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)
_LABEL: ContextVar[str] = ContextVar("label", default="")


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
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


def stepping(label: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator: what a function does is the step `label`, then the step before again."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def observed(*args: P.args, **kwargs: P.kwargs) -> T:
            before = _LABEL.get()
            step(label)
            result = function(*args, **kwargs)
            step(before)
            return result

        return observed

    return decorate
