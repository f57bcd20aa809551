"""Generalized rank test adjusted for cross-correlation and for overlapping windows."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._correlation import cancelling, variance_factor
from .grank_z import grank_z


@statistic(
    "grank_z_kp",
    label="GRANK-Z-KP",
    minimum=10,
    robust=("yes", "yes", "yes", "no"),
    null="the CAR of the window ranks like any estimation day",
    reference="N(0,1)",
    source="Kolari and Pynnonen (2010, 2011), combined here",
    about_mean=False,
    skewed=(0.064, 0.198),
    pairs_next_session=True,
    uses_residuals=True,
)
def grank_z_kp(sample: AbnormalReturns, window: Window) -> Value:
    """Return GRANK-Z / sqrt(1 + (N - 1) r), r the overlap-weighted mean correlation of BMP-KP.

    An extension of ours, for windows of different dates that overlap, where GRANK-T fails; like
    BMP-KP it is conservative where the event adds idiosyncratic variance.
    """
    _, factor = variance_factor(sample, window)
    z = grank_z(sample, window).statistic / np.sqrt(factor)
    return Value(float(z), np.inf, caution=cancelling(factor))
