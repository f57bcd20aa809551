"""Event portfolio t-test."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns
from ..windows import Window
from ._base import InapplicableError, Value, statistic


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
    estimated anew; days that any event lacks are left out of its variance.
    """
    if len(np.unique(sample.windows.day0)) > 1:
        raise InapplicableError("the events are not on one date")
    X, whole = sample.x_estimation, np.isfinite(sample.resid).all(axis=0)
    same = np.array_equal(X[:, whole], np.broadcast_to(X[:1, whole], X[:, whole].shape))
    if not same or (sample.nobs != whole.sum()).any():
        raise InapplicableError("the events differ in benchmark or estimation days")
    nu = float(sample.df_resid[0])
    s2 = (sample.resid[:, whole].mean(axis=0) ** 2).sum() / nu
    if s2 == 0:
        raise InapplicableError("the portfolio has no residual variance")
    scale = sample.unextended.var_car(window)[0] / sample.sigma2[0]
    return Value(float(sample.unextended.car(window).mean() / np.sqrt(s2 * scale)), nu)
