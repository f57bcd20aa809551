"""Corrado's rank test."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns
from ..windows import Window
from ._base import InapplicableError, Value, statistic
from ._correlation import mean_correlation
from ._ranks import day_sums, scaled_ranks


@statistic(
    "corrado",
    label="Corrado rank",
    minimum=5,
    robust=("yes", "no", "weak", "yes"),
    null="abnormal returns of the window rank like those of other days",
    reference="N(0,1)",
    source="Corrado (1989); Cowan (1992) for windows",
    about_mean=False,
)
def corrado(sample: AbnormalReturns, window: Window) -> Value:
    """Return sum_W(g) / (sqrt(L) S), S^2 the mean of g^2 over all T days.

    Ranks run over the estimation and the *whole* event window; a return over m sessions enters
    divided by sqrt(m); missing days have no rank and the day sums allow for it.
    """
    per_session = sample.ar / np.sqrt(np.maximum(sample.spans, 1))
    scores = scaled_ranks(np.hstack([sample.resid, per_session]))
    same_date = mean_correlation(sample, window).same_date if len(sample) > 1 else 0.0
    g = day_sums(scores, same_date)
    known = np.isfinite(g)
    S = np.sqrt((g[known] ** 2).sum() / known.sum())
    if S == 0:
        raise InapplicableError("all ranks are tied")
    inside = g[sample.resid.shape[1] :][sample.columns(window)]
    return float(np.nansum(inside) / (np.sqrt(len(window)) * S)), np.inf
