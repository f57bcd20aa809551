"""Johnson's modified t-statistic for skewness."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns
from ..windows import Window
from ._base import Value, statistic
from ._mean import t_of_mean


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
    car = sample.car(window)
    t, df = t_of_mean(car)[:2]
    n = len(car)
    g = float(((car - car.mean()) ** 3).sum() / (n * car.std(ddof=1) ** 3))
    return Value(t + g * (2 * t**2 + 1) / (6 * np.sqrt(n)), df)
