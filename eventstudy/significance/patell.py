"""Patell's test of standardised abnormal returns."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import InapplicableError, Value, statistic


@statistic(
    "patell",
    label="Patell Z",
    minimum=1,
    robust=("no", "no", "no", "fair"),
    null="the mean standardised CAR is zero",
    reference="N(0,1)",
    source="Patell (1976)",
    core=True,
)
def patell(sample: AbnormalReturns, window: Window) -> Value:
    """Return sum(SCAR) / sqrt(sum(nu / (nu - 2))), nu = M - k, with the exact SCAR."""
    return Value(float(sample.scar(window).sum() / np.sqrt(scar_variance(sample).sum())), np.inf)


def scar_variance(sample: AbnormalReturns) -> FloatArray:
    """Return nu / (nu - 2), the variance of the standardised CAR of each event, shape (n,).

    Raises
    ------
    InapplicableError
        If an event has two degrees of freedom or fewer.
    """
    nu = sample.df_resid
    if (nu <= 2).any():
        raise InapplicableError(f"{int((nu <= 2).sum())} events have 2 or fewer degrees of freedom")
    variance: FloatArray = nu / (nu - 2)
    return variance
