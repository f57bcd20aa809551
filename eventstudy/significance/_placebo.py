"""Placebo windows: sums of prediction errors over blocks of estimation days, and ranks among
them."""

from __future__ import annotations

from functools import partial
from itertools import combinations_with_replacement

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..utility.typing import FloatArray
from ._base import InapplicableError, Value
from ._ranks import DECIMALS

# With fewer placebo windows the two-sided p cannot fall below 0.05.
ENOUGH = 40


def block_sums(sample: AbnormalReturns, length: int) -> FloatArray:
    """Sum the block-deleted prediction errors of every block of `length` consecutive estimation
    days.

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    length : int
        L days.

    Returns
    -------
    (n, L1-L+1) float array
        1'(I - H_BB)^-1 e_B, the sum of the errors of a forecast that does not know the block; NaN
        where the block has a gap, or too few days remain to estimate from.

    Notes
    -----
    (I - H_BB)^-1 = I + X_B (X'X - X_B'X_B)^-1 X_B', so that no (L, L) matrix is built.
    """
    if length > len(sample.windows.estimation):
        raise InapplicableError("the window is longer than the estimation window")
    return np.concatenate(list(sample.map(partial(_block_sums, length=length))))


def _block_sums(sample: AbnormalReturns, length: int) -> FloatArray:
    e, k = sample.resid, sample.k
    known = np.isfinite(e)
    x = [np.where(known, sample.x_estimation[:, :, j], 0.0) for j in range(k)]
    y = np.where(known, e, 0.0)
    sums = consecutive_sums(np.where(sample.windows.length[:, : e.shape[1]] > 1, np.nan, e), length)
    rest, cross = np.empty((*sums.shape, k, k)), np.empty((*sums.shape, k))
    for a, b in combinations_with_replacement(range(k), 2):
        product = x[a] * x[b]
        rest[:, :, a, b] = product.sum(axis=1, keepdims=True) - consecutive_sums(product, length)
        rest[:, :, b, a] = rest[:, :, a, b]
    for a in range(k):
        cross[:, :, a] = consecutive_sums(x[a] * y, length)
    enough = sample.nobs - length > k
    rest[~enough] = np.eye(k)
    try:
        change = np.linalg.solve(rest, cross[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise InapplicableError(
            "the regressors do not vary once a block of days is left out"
        ) from None
    for a in range(k):
        sums += consecutive_sums(x[a], length) * change[:, :, a]
    return np.where(enough[:, None], sums, np.nan)


def placebo_rank(observed: float, placebo: FloatArray) -> Value:
    """Return observed / sd(placebo), and as tails the ranks (1 + #{placebo <= observed}) / (n + 1).

    Parameters
    ----------
    placebo : (n,) float array
        NaN are left out.
    """
    placebo = placebo[np.isfinite(placebo)]
    n, excess = len(placebo), np.round(placebo - observed, DECIMALS)
    if n < 2 or np.ptp(placebo) == 0:
        raise InapplicableError(f"{n} placebo windows, at least 2 that differ are needed")
    lower, upper = (float((1 + tail.sum()) / (n + 1)) for tail in (excess <= 0, excess >= 0))
    few = f"{n} placebo windows, {ENOUGH} needed for p below 0.05" if n < ENOUGH else ""
    return Value(
        float(observed / placebo.std(ddof=1)), np.nan, "placebo windows", lower, upper, few
    )


def consecutive_sums(values: FloatArray, length: int) -> FloatArray:
    """Sum each `length` consecutive days of (n, L1); NaN where one is missing."""
    count = values.shape[1] - length + 1
    sums = values[:, :count].copy()
    for first in range(1, length):
        sums += values[:, first : first + count]
    return sums
