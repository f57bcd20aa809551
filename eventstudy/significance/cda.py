"""Crude-dependence-adjusted t-test."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import InapplicableError, Value, statistic
from ._correlation import mean_correlation
from ._ranks import Totals


@statistic(
    "cda",
    label="CDA t",
    minimum=1,
    robust=("yes", "no", "no", "yes"),
    null="the mean CAR is zero",
    reference="t(M-1)",
    source="Brown and Warner (1985)",
    uses_residuals=True,
)
def cda(sample: AbnormalReturns, window: Window) -> Value:
    """Return CAAR / (sd(AAR of the estimation days) sqrt(L)).

    Days with fewer events are scaled to the variance of the others (docs/methods.md, 4), which
    changes nothing where all events have all days.
    """
    n = len(sample)
    same_date = mean_correlation(sample, window).same_date if n > 1 else 0.0
    y = Totals.once(sample, "cda", lambda events: events.resid).scaled(same_date)
    y = y[np.isfinite(y)]
    if len(y) < 2 or y.std() == 0:
        raise InapplicableError("the mean residual does not vary over the estimation days")
    total = sample.unextended.level_car(window).sum() / np.sqrt(n * (1 + (n - 1) * same_date))
    return Value(float(total / (y.std(ddof=1) * np.sqrt(len(window)))), float(len(y) - 1))
