"""Market values of events before each day of their windows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..prices.sizes import Sizes
from ..utility.typing import BoolArray, FloatArray, IntArray, ObjectArray


@dataclass(frozen=True, eq=False)
class MarketValues:
    """Market values of n events before each of the L2 days of their event windows.

    Attributes
    ----------
    values : (n, L2) float array
        At the last close before each day, in units of `currency`; NaN where not known.
    start : int
        First day of the event window.
    currency : str
    reasons : (n,) object array
        Why an event has none; "" for those that have.
    origin : Sizes
        What they were taken from.
    """

    values: FloatArray
    start: int
    currency: str
    reasons: ObjectArray
    origin: Sizes

    def before(self, day: int) -> FloatArray:
        """Return the market values (n,) before a day of the event window."""
        return self.values[:, day - self.start]

    def take(self, rows: IntArray | BoolArray) -> MarketValues:
        """Return those of some events."""
        return replace(self, values=self.values[rows], reasons=self.reasons[rows])
