"""Wilcoxon's signed-rank test."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ._base import InapplicableError, Value, statistic
from ._ranks import DECIMALS

EXACT_LIMIT = 60


@statistic(
    "wilcoxon",
    label="Wilcoxon",
    minimum=6,
    robust=("no", "no", "yes", "no"),
    null="CARs are symmetric about zero",
    reference="exact, N(0,1) with ties or N > 60",
    source="Wilcoxon (1945)",
    about_mean=False,
    skewed=(0.07, 0.226),
)
def wilcoxon(sample: AbnormalReturns, window: Window) -> Value:
    """Return (W+ - N(N+1)/4) / sd of the CARs, sd corrected for ties; zeros are left out."""
    from scipy.stats import rankdata
    from scipy.stats import wilcoxon as signed_rank

    car = np.round(sample.car(window), DECIMALS)
    car = car[car != 0]
    n = len(car)
    if n == 0:
        raise InapplicableError("every CAR is zero")
    ranks = rankdata(np.abs(car))
    _, ties = np.unique(ranks, return_counts=True)
    variance = n * (n + 1) * (2 * n + 1) / 24 - (ties**3 - ties).sum() / 48
    z = float((ranks[car > 0].sum() - n * (n + 1) / 4) / np.sqrt(variance))
    if n > EXACT_LIMIT or (ties > 1).any():
        return Value(z, np.inf)
    lower, upper = (
        float(signed_rank(car, alternative=side, method="exact").pvalue)
        for side in ("less", "greater")
    )
    return Value(z, np.nan, "exact", lower, upper)
