"""What a test needs of its sample: without it there is a reason in place of a number."""

from __future__ import annotations

from typing import Any

from ..errors import InapplicableError
from ..words import Reason


def require(condition: object, code: str, **facts: Any) -> None:
    """Raise InapplicableError with a :class:`Reason` unless a condition of the test holds.

    Parameters
    ----------
    condition : bool
    code : str
        Key below ``[reason]`` in the catalogue.
    **facts
        What the sentence names.
    """
    if not condition:
        raise InapplicableError(Reason(code, **facts))


def require_count(n: int, needed: int, code: str) -> None:
    """Raise InapplicableError unless there are enough events, dates or sessions.

    Parameters
    ----------
    n : int
    needed : int
    code : str
        Key of a sentence with both numbers.
    """
    require(n >= needed, code, n=n, needed=needed)
