"""Placebo windows: sums of prediction errors over blocks of estimation days, and ranks among them."""

from __future__ import annotations

import numpy as np

from ..abnormal import AbnormalReturns
from ..typing import FloatArray
from ._base import InapplicableError, Value
from ._ranks import DECIMALS

# With fewer placebo windows the two-sided p cannot fall to 0.05.
ENOUGH = 39


def block_sums(sample: AbnormalReturns, length: int) -> FloatArray:
    """Sum the block-deleted prediction errors of every block of `length` consecutive estimation days.

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    length : int
        L days.

    Returns
    -------
    (n, L1-L+1) float array
        1'(I - H_BB)^-1 e_B, the sum of the errors of a forecast that does not know the block; NaN where
        the block has a gap, or too few days remain to estimate from.

    Notes
    -----
    (I - H_BB)^-1 = I + X_B (X'X - X_B'X_B)^-1 X_B', so that no (L, L) matrix is built.
    """
    if length > sample.resid.shape[1]:
        raise InapplicableError("the window is longer than the estimation window")
    e = sample.resid
    x = np.where(np.isfinite(e)[:, :, None], sample.x_estimation, 0.0)
    xx = np.einsum("nlk,nlj->nlkj", x, x)
    enough = sample.nobs - length > sample.k
    rest = xx.sum(axis=1)[:, None] - _blocks(xx, length)
    rest[~enough] = np.eye(sample.k)
    try:
        known = np.linalg.solve(rest, _blocks(x * np.nan_to_num(e)[:, :, None], length)[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise InapplicableError("the regressors do not vary once a block of days is left out") from None
    one_day = np.where(sample.windows.length[:, : e.shape[1]] > 1, np.nan, e)
    sums = _blocks(one_day, length) + (_blocks(x, length) * known).sum(axis=-1)
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
    few = f"{n} placebo windows, {ENOUGH} needed to reach p = 0.05" if n < ENOUGH else ""
    return Value(float(observed / placebo.std(ddof=1)), np.nan, "placebo windows", lower, upper, few)


def _blocks(values: FloatArray, length: int) -> FloatArray:
    """Sum each `length` consecutive days (axis 1)."""
    sums: FloatArray = np.lib.stride_tricks.sliding_window_view(values, length, axis=1).sum(axis=-1)
    return sums
