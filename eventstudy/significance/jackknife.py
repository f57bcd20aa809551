"""Delete-one jackknife of the mean."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._mean import t_of_mean


@statistic(
    "jackknife",
    label="Jackknife",
    minimum=2,
    robust=("no", "no", "yes", "fair"),
    null="the mean CAR is zero",
    reference="t(N-1)",
    source="Tukey (1958); Giaccotto and Sfiridis (1996)",
)
def jackknife(sample: AbnormalReturns, window: Window) -> Value:
    """Return the t of the pseudo-values N CAAR - (N-1) CAAR without i; for a mean the
    cross-sectional t."""
    car = sample.car(window)
    n = len(car)
    without = (car.sum() - car) / (n - 1) if n > 1 else np.zeros(n)
    return t_of_mean(n * car.mean() - (n - 1) * without)
