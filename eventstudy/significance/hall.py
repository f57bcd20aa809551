"""Hall's transformation of the t-statistic for skewness."""

from __future__ import annotations

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._skewness import hall_t


@statistic(
    "hall",
    label="Skewness-adjusted t (Hall)",
    minimum=20,
    robust=("no", "no", "yes", "yes"),
    null="the mean CAR is zero",
    reference="t(N-1)",
    source="Hall (1992)",
)
def hall(sample: AbnormalReturns, window: Window) -> Value:
    """Return t + g (t^2/3 + 1/6) / sqrt(N) + g^2 t^3 / (27 N), g the unbiased skewness of the
    CARs."""
    return hall_t(sample.car(window))
