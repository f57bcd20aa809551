"""Event portfolio t-test."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import InapplicableError, Value, statistic
from ._multivariate import common_system


@statistic(
    "portfolio",
    label="Portfolio t",
    minimum=1,
    robust=("yes", "n/a", "no", "yes"),
    null="the CAR of the equal-weight portfolio of the events is zero",
    reference="t(M-k)",
    source="Jaffe (1974); Mandelker (1974)",
)
def portfolio(sample: AbnormalReturns, window: Window) -> Value:
    """Return the single-event t of the equal-weight portfolio of events on one date.

    With regressors in common the portfolio's residual is the mean residual, so that nothing is
    estimated anew: the mean of the multivariate regression.
    """
    system = common_system(sample.unextended, window, ranked=False)
    s2 = (system.residuals.mean(axis=1) ** 2).sum() / system.nu
    if s2 == 0:
        raise InapplicableError("the portfolio has no residual variance")
    return Value(
        float(system.gamma.sum(axis=0).mean() / np.sqrt(s2 * system.V.sum())), float(system.nu)
    )
