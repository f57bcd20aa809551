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
