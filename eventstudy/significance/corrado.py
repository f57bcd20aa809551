"""Corrado's rank test."""

from __future__ import annotations

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import Value, statistic
from ._ranks import Totals, all_days, rank_z, scaled_ranks


@statistic(
    "corrado",
    label="Corrado rank",
    minimum=5,
    robust=("yes", "no", "weak", "yes"),
    null="abnormal returns of the window rank like those of other days",
    reference="N(0,1)",
    source="Corrado (1989); Cowan (1992) for windows",
    about_mean=False,
    core=True,
    uses_residuals=True,
    for_skewness=True,
)
def corrado(sample: AbnormalReturns, window: Window) -> Value:
    """Return sum_W(g) / (sqrt(L) S), S^2 the mean of g^2 over all T days.

    Ranks run over the estimation and the *whole* event window; a return over m sessions enters
    divided by sqrt(m); missing days have no rank and the day sums allow for it.
    """
    return rank_z(sample, window, Totals.once(sample, "corrado", ranks))


def ranks(sample: AbnormalReturns) -> FloatArray:
    """Return the centred ranks of all days, shape (n, L1+L2)."""
    return scaled_ranks(all_days(sample))
