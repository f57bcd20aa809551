"""Cross-sectional t-test."""

from __future__ import annotations

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._mean import t_of_mean


@statistic(
    "cross_sectional",
    label="Cross-sectional t",
    minimum=2,
    robust=("no", "no", "yes", "fair"),
    null="the mean CAR is zero",
    reference="t(N-1)",
    source="Brown and Warner (1980)",
    core=True,
)
def cross_sectional(sample: AbnormalReturns, window: Window) -> Value:
    """Return CAAR / (sd(CAR) / sqrt(N)), sd with divisor N-1."""
    return t_of_mean(sample.car(window))
