"""Multivariate regression test of all events on one date."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray
from ._base import Value, statistic
from ._fisher import f_value
from ._multivariate import System, common_system


@statistic(
    "mvrm",
    label="MVRM F",
    minimum=1,
    robust=("yes", "n/a", "no", "fair"),
    null="the CAR of every event is zero",
    reference="rank of days, F(N,nu-N+1) if L > 1",
    source="Schipper and Thompson (1983)",
    about_mean=False,
    of_every_event=True,
)
def mvrm(sample: AbnormalReturns, window: Window) -> Value:
    """Return F = (nu - N + 1) / (N nu) T2, T2 = gamma' S^-1 gamma / d, nu = M - k, events on one
    date.

    gamma are the CARs, S = E'E/nu the covariance of the residuals, d s2 = Var(CAR). F is exact for
    normal returns only (8 % instead of 5 with t(5), 12 with skewed ones); over one day p is
    therefore the rank of T2 among those of the estimation days, each predicted without itself.
    Effects of both signs count: the test has one tail.
    """
    system = common_system(sample, window)
    n, nu = system.residuals.shape[1], system.nu
    observed = quadratic(system, system.gamma.sum(axis=0)) / system.V.sum()
    F = f_value(observed * (nu - n + 1) / n, n, nu - n + 1)
    if len(window) > 1:
        return F
    days = left_out(system)
    upper = (1 + (days >= observed).sum()) / (len(days) + 1)
    return Value(F.statistic, np.nan, "placebo days", upper=float(upper))


def quadratic(system: System, values: FloatArray) -> FloatArray:
    """Return v'(E'E)^-1 v for rows of `values`, (..., N)."""
    E = system.residuals
    form: FloatArray = (values * np.linalg.solve(E.T @ E, values.T).T).sum(axis=-1)
    return form


def left_out(system: System) -> FloatArray:
    """Return T2/nu of each estimation day predicted without itself: q/(1-q/(1-h))/(1-h), shape
    (M,)."""
    q, keep = quadratic(system, system.residuals), 1 - system.hat
    return q / (1 - q / keep) / keep
