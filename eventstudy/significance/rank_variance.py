"""Rank test of absolute abnormal returns."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns, form
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import Value, statistic
from ._ranks import Totals, rank_z, scaled_ranks


@statistic(
    "rank_variance",
    label="Rank of |SAR| (variance)",
    minimum=5,
    robust=("yes", "no", "n/a", "yes"),
    null="absolute abnormal returns of the window rank like those of other days",
    reference="N(0,1)",
    source="Corrado (1989), of absolute values",
    about_mean=False,
    uses_residuals=True,
)
def rank_variance(sample: AbnormalReturns, window: Window) -> Value:
    """Return Corrado's sum_W(g) / (sqrt(L) S) of the ranks of |SAR|; positive where they are
    larger.

    A mean effect makes |SAR| larger as well as a variance does; Brown and Forsythe's test tells
    them apart, this one holds for events on one date and for heavy tails.
    """
    return rank_z(sample, window, Totals.once(sample, "rank_variance", ranks))


def ranks(sample: AbnormalReturns) -> FloatArray:
    """Return the centred ranks of |SAR|, shape (n, L1+L2)."""
    return scaled_ranks(np.abs(standardised(sample)))


def standardised(sample: AbnormalReturns) -> FloatArray:
    """Standardise every day as if it were the event day, shape (n, L1+L2).

    On estimation days e / (s_t sqrt(1 - h)) with s_t estimated without day t, on event days the
    SAR: both follow t. With one s for all, residuals are bounded and event days look more variable
    than they are.
    """
    x, nu = np.nan_to_num(sample.x_estimation), sample.df_resid[:, None]
    free = 1 - form(x, sample.bread)
    rest = nu * sample.sigma2[:, None] * free - sample.resid**2
    spread = np.sqrt(np.where(rest > 0, rest, np.nan) / (nu - 1))
    return np.hstack([sample.resid / spread, sample.sar])
