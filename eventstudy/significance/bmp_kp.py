"""BMP adjusted for cross-correlation and for overlapping windows."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._correlation import cancelling, variance_factor
from ._mean import t_of_mean


@statistic(
    "bmp_kp",
    label="BMP-KP",
    minimum=2,
    robust=("yes", "yes", "yes", "fair"),
    null="the mean standardised CAR is zero",
    reference="t(N-1)",
    source="Kolari and Pynnonen (2010), with the correlation weighted by the overlap of the "
    "windows",
    core=True,
    pairs_next_session=True,
)
def bmp_kp(sample: AbnormalReturns, window: Window) -> Value:
    """Return t_BMP sqrt((1 - r) / (1 + (N - 1) r)), r the overlap-weighted mean correlation.

    Conservative where the event adds idiosyncratic variance; no test on one date is valid where it
    raises the common variance.
    """
    bmp = t_of_mean(sample.scar(window))
    r, factor = variance_factor(sample, window)
    return Value(
        float(bmp.statistic * np.sqrt((1 - r) / factor)), bmp.df, caution=cancelling(factor)
    )
