"""Patell's test adjusted for cross-correlation and for overlapping windows."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._correlation import cancelling, variance_factor
from .patell import patell

# Of fewer events the variance of the event days is unknown, and this is the main test.
FULL_SAMPLE = 5


@statistic(
    "patell_kp",
    label="Patell-KP",
    minimum=1,
    robust=("yes", "yes", "no", "fair"),
    null="the mean standardised CAR is zero",
    reference="N(0,1)",
    source="Kolari and Pynnonen (2010), with the correlation weighted by the overlap of the "
    "windows",
    pairs_next_session=True,
)
def patell_kp(sample: AbnormalReturns, window: Window) -> Value:
    """Return Z_Patell / sqrt(1 + (N - 1) r); no factor (1 - r), since s is not estimated across
    events.

    Of fewer than five events a negative r counts as zero: it is the main test there, and so few
    correlations are no evidence that errors cancel.
    """
    _, factor = variance_factor(sample, window)
    if len(sample) < FULL_SAMPLE:
        factor = max(factor, 1.0)
    z = patell(sample, window).statistic / np.sqrt(factor)
    return Value(float(z), np.inf, caution=cancelling(factor))
