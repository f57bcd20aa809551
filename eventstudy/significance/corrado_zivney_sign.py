"""Corrado and Zivney's sign test."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import Value, statistic
from ._ranks import DECIMALS, Totals, all_days, rank_z


@statistic(
    "corrado_zivney_sign",
    label="Corrado-Zivney sign",
    minimum=5,
    robust=("yes", "no", "yes", "yes"),
    null="abnormal returns of the window exceed the event's median as often as those of other days",
    reference="N(0,1)",
    source="Corrado and Zivney (1992)",
    about_mean=False,
    uses_residuals=True,
    for_skewness=True,
)
def corrado_zivney_sign(sample: AbnormalReturns, window: Window) -> Value:
    """Return sum_W(g) / (sqrt(L) S) with g the day sums of sign(AR - median of all days)."""
    return rank_z(sample, window, Totals.once(sample, "corrado_zivney_sign", signs))


def signs(sample: AbnormalReturns) -> FloatArray:
    """Return whether each day is above the median of the event, 1, 0 or -1, shape (n, L1+L2)."""
    values = np.round(all_days(sample), DECIMALS)
    return np.sign(np.round(values - np.nanmedian(values, axis=1, keepdims=True), DECIMALS))
