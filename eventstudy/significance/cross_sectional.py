"""Cross-sectional t-test."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns
from ..typing import FloatArray
from ..windows import Window
from ._base import InapplicableError, Value, statistic

# Values that differ by less than this share of their size are equal but for rounding.
EQUAL = 1e-12


@statistic(
    "cross_sectional",
    label="Cross-sectional t",
    minimum=5,
    robust=("no", "no", "yes", "fair"),
    null="the mean CAR is zero",
    reference="t(N-1)",
    source="Brown and Warner (1980)",
)
def cross_sectional(sample: AbnormalReturns, window: Window) -> Value:
    """Return CAAR / (sd(CAR) / sqrt(N)), sd with divisor N-1."""
    return t_of_mean(sample.car(window))


def t_of_mean(values: FloatArray) -> Value:
    """Return the t-statistic of the mean of N values, and N-1."""
    n = len(values)
    if n < 2:
        raise InapplicableError(f"{n} event, at least 2 are needed for a variance across events")
    sd = values.std(ddof=1)
    if sd <= EQUAL * np.abs(values).max():
        raise InapplicableError("all events have the same value: there is no variance across events")
    return float(values.mean() / (sd / np.sqrt(n))), float(n - 1)
