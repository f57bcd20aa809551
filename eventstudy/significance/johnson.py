"""Johnson's modified t-statistic for skewness."""

from __future__ import annotations

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._skewness import johnson_t


@statistic(
    "johnson",
    label="Skewness-adjusted t (Johnson)",
    minimum=20,
    robust=("no", "no", "yes", "yes"),
    null="the mean CAR is zero",
    reference="t(N-1)",
    source="Johnson (1978); Lyon, Barber and Tsai (1999)",
)
def johnson(sample: AbnormalReturns, window: Window) -> Value:
    """Return t + g (2 t^2 + 1) / (6 sqrt(N)), g = sum (x - mean)^3 / (N s^3)."""
    return johnson_t(sample.car(window))
