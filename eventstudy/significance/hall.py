"""Hall's transformation of the t-statistic for skewness."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns
from ..windows import Window
from ._base import InapplicableError, Value, statistic
from ._mean import t_of_mean


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
    """Return t + g (t^2/3 + 1/6) / sqrt(N) + g^2 t^3 / (27 N), g the unbiased skewness of the CARs."""
    from scipy.stats import skew

    car = sample.car(window)
    t, df = t_of_mean(car)[:2]
    n = len(car)
    if n < 3:
        raise InapplicableError(f"{n} events, at least 3 are needed for a skewness")
    g = float(skew(car, bias=False))
    return Value(t + g * (t**2 / 3 + 1 / 6) / np.sqrt(n) + g**2 * t**3 / (27 * n), df)
