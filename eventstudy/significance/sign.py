"""Sign test."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._ranks import DECIMALS


@statistic(
    "sign",
    label="Sign",
    minimum=10,
    robust=("no", "no", "yes", "no"),
    null="CARs are positive and negative with equal chance",
    reference="N(0,1)",
    source="Brown and Warner (1980)",
    about_mean=False,
    skewed=(0.122, 0.496),
)
def sign(sample: AbnormalReturns, window: Window) -> Value:
    """Return (n+ - N/2) / (sqrt(N)/2); skewed returns are not positive half the time (Cowan
    1992)."""
    n = len(sample)
    positive = int((np.round(sample.car(window), DECIMALS) > 0).sum())
    return Value(float((positive - n / 2) / (np.sqrt(n) / 2)), np.inf)
