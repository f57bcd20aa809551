"""The numbers that decide how correlations are estimated, and the error where none is."""

from __future__ import annotations

from typing import Any

from ..errors import InapplicableError
from ..words import Reason


class Limits:
    """Limits of the estimators of correlation (docs/methods/tests.md).

    Attributes
    ----------
    PAIRWISE : int
        Above this number of events the mean correlation comes from sums over sessions, without any
        array of pairs.
    COMMON : int
        Pairs with fewer common estimation sessions take the mean correlation of the other pairs
        with an overlap. A shorter estimation window lowers the bar to its own length.
    SHORT_HISTORY : int
        A negative mean correlation of pairs that share fewer sessions than this is taken as chance.
    SMALLEST_FACTOR, SMALL_FACTOR : float
        A variance factor below the first means that the benchmark holds the treated firms
        themselves, and there is no result; below the second a caution says so.
    NEGLIGIBLE : float
        Where no pair has a rho: if even a rho of 1 would raise the variance factor by no more than
        this, r is 0.
    STANDSTILL : float
        Share of zero returns above which the moves of a firm may come a session late.
    ROUNDING : float
        An overlap below it is none; sums of shared days below this share of the events are none.
    BLOCK, LARGE_BLOCK : int
        Events of a block of pairs; the larger where each block is visited only once.
    SUMS_KEPT : int
        Sums of so many samples are kept, some 10 MB each.
    FEWEST_WINDOWS : int
        Fewer windows of a sample are computed one by one.
    """

    PAIRWISE = 2000
    COMMON = 30
    SHORT_HISTORY = 60
    SMALLEST_FACTOR = 0.1
    SMALL_FACTOR = 0.5
    NEGLIGIBLE = 0.05
    STANDSTILL = 0.1
    ROUNDING = 1e-10
    BLOCK = 100
    LARGE_BLOCK = 200
    SUMS_KEPT = 8
    FEWEST_WINDOWS = 4


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
