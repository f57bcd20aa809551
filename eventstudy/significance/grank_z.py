"""Generalized rank test against a normal law."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from .grank_t import grank


@statistic(
    "grank_z",
    label="GRANK-Z",
    minimum=10,
    robust=("no", "no", "yes", "no"),
    null="the CAR of the window ranks like any estimation day",
    reference="N(0,1)",
    source="Kolari and Pynnonen (2011)",
    about_mean=False,
    skewed=(0.064, 0.198),
    uses_residuals=True,
)
def grank_z(sample: AbnormalReturns, window: Window) -> Value:
    """Return sum_i U_i0 / sqrt(sum_i (T_i - 1) / (12 (T_i + 1))), the events taken as
    independent."""
    found = grank(sample, window)
    return Value(float(found.event / np.sqrt(found.variance)), np.inf)
