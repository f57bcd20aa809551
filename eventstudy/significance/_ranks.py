"""What rank and sign tests share: rounding before ties, and sums over days of unequal histories."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns
from ..typing import FloatArray
from ..windows import Window
from ._base import InapplicableError, Value
from ._correlation import mean_correlation

# docs/methods.md, 4: without rounding, noise of 1e-17 would break ties.
DECIMALS = 12


def scaled_ranks(values: FloatArray) -> FloatArray:
    """Rank each row (ties averaged, NaN left out) and centre it: K/(T_i+1) - 1/2."""
    from scipy.stats import rankdata

    ranks = rankdata(np.round(values, DECIMALS), axis=1, nan_policy="omit")
    centred: FloatArray = ranks / (np.isfinite(values).sum(axis=1, keepdims=True) + 1) - 0.5
    return centred


def day_sums(scores: FloatArray, same_date: float) -> FloatArray:
    """Sum the scores (n, T) of each day, scaled to equal variance across days with N_t scores.

    Parameters
    ----------
    scores : (n, T) float array
        NaN = no score.
    same_date : float
        Mean same-date correlation r0 (docs/methods.md, 4, unequal histories).

    Returns
    -------
    (T,) float array
        sum_i U_it / sqrt(N_t (1 + (N_t - 1) r0)); NaN on days without a score.
    """
    count = np.isfinite(scores).sum(axis=0)
    scale = np.sqrt(count * (1 + (count - 1) * same_date))
    return np.where(count > 0, np.nansum(scores, axis=0) / np.where(count > 0, scale, 1.0), np.nan)


def all_days(sample: AbnormalReturns) -> FloatArray:
    """Residuals and abnormal returns side by side, (n, L1+L2); one over m sessions is divided by sqrt(m)."""
    return np.hstack([sample.resid, sample.ar / np.sqrt(np.maximum(sample.length, 1))])


def rank_z(sample: AbnormalReturns, window: Window, scores: FloatArray) -> Value:
    """Return sum_W(g) / (sqrt(L) S), g the day sums of `scores` (n, L1+L2), S^2 the mean of g^2.

    By convention `fpc` over sqrt((T-L)/(T-1)) as well: the sum is that of L draws without replacement.
    """
    same_date = mean_correlation(sample, window).same_date if len(sample) > 1 else 0.0
    g = day_sums(scores, same_date)
    known = np.isfinite(g)
    S = np.sqrt((g[known] ** 2).mean())
    if S == 0:
        raise InapplicableError("all ranks are tied")
    inside = g[sample.resid.shape[1] :][sample.columns(window)]
    days = np.isfinite(inside).sum()
    if days == 0:
        raise InapplicableError("no event has a return that spans one session only")
    T = known.sum()
    finite = np.sqrt((T - days) / (T - 1)) if sample.conventions.fpc else 1.0
    return Value(float(np.nansum(inside) / (np.sqrt(days) * S * finite)), np.inf)
