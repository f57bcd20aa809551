"""Wilks' lambda of all events on one date and all days of the window."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import Value, statistic
from ._fisher import f_value
from ._multivariate import common_system


@statistic(
    "mvrm_wilks",
    label="MVRM Wilks F",
    minimum=1,
    robust=("yes", "n/a", "no", "no"),
    null="every abnormal return of every event in the window is zero",
    reference="F(N L,Rao), exact under normality for N or L up to 2",
    source="Wilks (1932); Rao (1951); Schipper and Thompson (1983)",
    about_mean=False,
    of_every_event=True,
)
def mvrm_wilks(sample: AbnormalReturns, window: Window) -> Value:
    """Return Rao's F of lambda = |E'E| / |E'E + G'V^-1 G|, G the (L, N) abnormal returns of one
    date.

    (1 - lambda^(1/s)) / lambda^(1/s) df2 / (N L), s^2 = (N^2 L^2 - 4) / (N^2 + L^2 - 5) and df2 = s
    (nu + L - (N + L + 1)/2) - N L/2 + 1; over one day it is the F of the CARs. Fat tails and
    skewness make it reject too often (9 to 15 % instead of 5).
    """
    system = common_system(sample, window)
    E, (L, n) = system.residuals.T @ system.residuals, system.gamma.shape
    G = system.gamma.T @ np.linalg.solve(system.V, system.gamma)
    log = np.linalg.slogdet(E)[1] - np.linalg.slogdet(E + G)[1]
    s = np.sqrt((n**2 * L**2 - 4) / (n**2 + L**2 - 5)) if n**2 + L**2 > 5 else 1.0
    df2 = s * (system.nu + L - (n + L + 1) / 2) - n * L / 2 + 1
    return f_value(np.expm1(-log / s) * df2 / (n * L), n * L, df2)
