"""What came just before an event: the errors of its firm, and the moves of its market."""

from __future__ import annotations

from dataclasses import dataclass

from ..utility import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class RecentDays:
    """Errors and market moves of n events from the first estimation day to the last event day.

    Attributes
    ----------
    days : (L,) int array
        Event time, without a gap.
    errors : (n, L) float array
        Residuals on estimation days. After them forecast errors, scaled to the variance of the
        error of one estimation day. NaN on missing days, and on those in the event window of
        another event of the firm.
    market : (n, L) float array
        Returns of the market in standard deviations of its estimation days, for a model without a
        market those of the event's index; NaN where missing.
    """

    days: IntArray
    errors: FloatArray
    market: FloatArray
