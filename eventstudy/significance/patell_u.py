"""Patell's test of event-induced variance."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import InapplicableError, Value, statistic


@statistic(
    "patell_u",
    label="Patell U (variance)",
    minimum=5,
    robust=("no", "no", "n/a", "no"),
    null="standardised abnormal returns have the variance that the estimation window implies",
    reference="N(0,1)",
    source="Patell (1976)",
    about_mean=False,
)
def patell_u(sample: AbnormalReturns, window: Window) -> Value:
    """Return sum[SAR^2 (nu-2)/nu - 1] / sqrt(sum 2 (nu-1)/(nu-4)) over events and days of the
    window.

    The law holds for normal returns only; real ones reject far too often, so never the headline.
    """
    nu = sample.df_resid
    if (nu <= 4).any():
        raise InapplicableError(f"{int((nu <= 4).sum())} events have 4 or fewer degrees of freedom")
    square = sample.sar_over(window) ** 2
    seen = np.isfinite(square) & sample.inside(window)
    excess = np.where(seen, square * ((nu - 2) / nu)[:, None] - 1, 0.0).sum()
    spread = (seen * (2 * (nu - 1) / (nu - 4))[:, None]).sum()
    return Value(float(excess / np.sqrt(spread)), np.inf)
