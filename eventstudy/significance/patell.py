"""Patell's test of standardised abnormal returns."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns
from ..windows import Window
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
    nu = sample.df_resid
    if (nu <= 2).any():
        raise InapplicableError(f"{int((nu <= 2).sum())} events have 2 or fewer degrees of freedom")
    return Value(float(sample.scar(window).sum() / np.sqrt((nu / (nu - 2)).sum())), np.inf)
