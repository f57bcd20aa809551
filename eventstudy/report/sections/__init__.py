"""The parts of a report, each a function of the findings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from ...findings.types import Findings

T = TypeVar("T")


def made_once(make: Callable[[Findings], T]) -> Callable[[Findings], T]:
    """Return a maker that makes a part once, as long as it is asked for the same findings.

    Page, text and terminal have many parts in common.
    """
    latest: list[tuple[Findings, T]] = []

    @wraps(make)
    def remembering(findings: Findings) -> T:
        if not latest or latest[0][0] is not findings:
            latest[:] = [(findings, make(findings))]
        return latest[0][1]

    return remembering
