"""Exact sign test."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._ranks import DECIMALS
from .sign import sign


@statistic(
    "sign_exact",
    label="Sign (exact)",
    minimum=6,
    robust=("no", "no", "yes", "no"),
    null="CARs are positive and negative with equal chance",
    reference="binomial(N,1/2)",
    source="Dixon and Mood (1946)",
    about_mean=False,
    skewed=(0.122, 0.496),
)
def sign_exact(sample: AbnormalReturns, window: Window) -> Value:
    """Return the z of the sign test, with the tails of n+ under the binomial law in place of the
    normal.

    Two-sided p is twice the smaller tail. Below 6 events it cannot fall to 0.05.
    """
    from scipy.special import bdtr, bdtrc

    n = len(sample)
    positive = int((np.round(sample.car(window), DECIMALS) > 0).sum())
    upper = float(bdtrc(positive - 1, n, 0.5)) if positive else 1.0
    return Value(
        sign(sample, window).statistic, np.nan, "exact", float(bdtr(positive, n, 0.5)), upper
    )
