"""Standardised cross-sectional test of Boehmer, Musumeci and Poulsen."""

from __future__ import annotations

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._mean import t_of_mean


@statistic(
    "bmp",
    label="BMP",
    minimum=2,
    robust=("no", "no", "yes", "fair"),
    null="the mean standardised CAR is zero",
    reference="t(N-1)",
    source="Boehmer, Musumeci and Poulsen (1991)",
    core=True,
)
def bmp(sample: AbnormalReturns, window: Window) -> Value:
    """Return mean(SCAR) / (sd(SCAR) / sqrt(N)): robust to variance that the event itself adds."""
    return t_of_mean(sample.scar(window))
