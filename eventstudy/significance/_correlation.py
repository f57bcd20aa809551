"""Mean cross-correlation of standardised CARs, weighted by how far their windows overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..abnormal import AbnormalReturns
from ..typing import BoolArray, FloatArray, IntArray
from ..windows import Window

# Pairs with fewer common estimation sessions take the mean correlation of the other pairs. A shorter
# estimation window lowers the bar to its own length.
MIN_COMMON = 30
# Above this number of events the mean comes from sums over sessions, without any n x n array.
PAIRWISE_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Correlation:
    """Mean correlation over all pairs of events.

    Attributes
    ----------
    rbar : float
        Mean of rho_ij o_ij; NaN if windows overlap and no pair has enough common sessions.
    same_date : float
        Mean over all pairs of rho_ij 1[same date], not below 0 (docs/methods.md, 4: r0).
    filled : int
        Pairs with too few common sessions that took the mean of the others.
    """

    rbar: float
    same_date: float
    filled: int


@dataclass(frozen=True, eq=False)
class Calendar:
    """Estimation residuals, their mask and the CAR's loadings on calendar sessions, each (n, T)."""

    residuals: FloatArray
    mask: FloatArray
    loadings: FloatArray


def mean_correlation(
    sample: AbnormalReturns, window: Window, *, min_common: int | None = None
) -> Correlation:
    """Return the mean of rho_ij o_ij over all pairs of events.

    rho_ij is the correlation of the estimation residuals on common *calendar* sessions; o_ij is the
    correlation that the two CARs would have if rho_ij were 1, the cosine of their loadings on the
    daily errors. Events of exchanges that are never open together are paired at lags -1, 0 and 1.

    Parameters
    ----------
    sample : AbnormalReturns
        n >= 2 events, all valid for `window`.
    min_common : int, optional
        Fewest common sessions of a pair; by default 30, or L1 if that is shorter.

    Notes
    -----
    For one date and equal histories this is Kolari and Pynnonen (2010). Above
    :data:`PAIRWISE_LIMIT` events the ratio estimator of docs/methods.md, 4 is used, which takes all
    exchanges as open together.
    """
    need = min(MIN_COMMON, len(sample.windows.estimation)) if min_common is None else min_common
    key = ("mean_correlation", window, need)
    if key not in sample.memo:
        by = by_session if len(sample) > PAIRWISE_LIMIT else by_pair
        sample.memo[key] = by(sample, window, need)
    return sample.memo[key]  # type: ignore[no-any-return]


def by_pair(sample: AbnormalReturns, window: Window, need: int) -> Correlation:
    """Exact form: all pairs, from cross-products over the calendar."""
    upper = np.triu_indices(len(sample), 1)
    cal = on_calendar(sample, window)
    day0 = sample.windows.day0
    rho = residual_correlation(cal, cal, need)[upper]
    total, filled = _weighted_sum(rho, _cosine(cal, cal)[upper])
    apart = _never_together(sample.windows.hours)[upper]
    for lag in (-1, 1) if apart.any() else ():
        later = _shifted(cal, lag)
        rho_lag = residual_correlation(cal, later, need)[upper][apart]
        more, _ = _weighted_sum(rho_lag, _cosine(cal, later)[upper][apart])
        total += more
    same, _ = _weighted_sum(rho, (day0[:, None] == day0[None, :])[upper].astype(float))
    pairs = len(rho)
    return Correlation(total / pairs, max(0.0, same / pairs) if np.isfinite(same) else 0.0, filled)


def by_session(sample: AbnormalReturns, window: Window, need: int) -> Correlation:
    """Ratio estimator of the same mean, in O(n L T): o_ij is the share of common sessions."""
    del need
    cal = on_calendar(sample, window, loadings=False)
    _, covered = sample.loadings(window)
    L2 = len(sample.event)
    positions = np.where(covered > 0, sample.windows.positions[:, -L2:], -1)
    rbar = _ratio(cal, positions, len(window))
    same = _ratio(cal, sample.windows.day0[:, None], 1)
    return Correlation(rbar, max(0.0, same), 0)


def on_calendar(sample: AbnormalReturns, window: Window, *, loadings: bool = True) -> Calendar:
    """Move residuals and loadings of n events from event time to the sessions they fell on."""
    estimation, event = sample.loadings(window)
    positions = sample.windows.positions
    used, column = np.unique(positions, return_inverse=True)
    column = column.reshape(positions.shape)
    L1, shape = len(sample.windows.estimation), (len(sample), len(used))
    rows = np.arange(len(sample))[:, None]
    residuals, mask, weights = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    known = np.isfinite(sample.resid)
    residuals[rows, column[:, :L1]] = np.where(known, sample.resid, 0.0)
    mask[rows, column[:, :L1]] = known
    if loadings:
        weights[rows, column[:, :L1]] = estimation
        weights[rows, column[:, L1:]] += event
    beyond = used < 0
    for array in (residuals, mask, weights):
        array[:, beyond] = 0.0
    return Calendar(residuals, mask, weights)


def residual_correlation(a: Calendar, b: Calendar, need: int) -> FloatArray:
    """Centred Pearson correlations on common sessions, shape (n, n); NaN below `need` sessions."""
    n = a.mask @ b.mask.T
    sum_a, sum_b = a.residuals @ b.mask.T, a.mask @ b.residuals.T
    square_a, square_b = a.residuals**2 @ b.mask.T, a.mask @ (b.residuals**2).T
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = a.residuals @ b.residuals.T - sum_a * sum_b / n
        rho = cross / np.sqrt((square_a - sum_a**2 / n) * (square_b - sum_b**2 / n))
    return np.where(n >= need, rho, np.nan)


def _cosine(a: Calendar, b: Calendar) -> FloatArray:
    norm_a, norm_b = (np.sqrt((c.loadings**2).sum(axis=1)) for c in (a, b))
    return a.loadings @ b.loadings.T / np.outer(norm_a, norm_b)


def _weighted_sum(rho: FloatArray, weight: FloatArray) -> tuple[float, int]:
    """Sum of rho * weight, a missing rho being the mean of the others; and how many were missing."""
    known, matters = np.isfinite(rho), weight != 0
    missing = int((~known & matters).sum())
    if not matters.any():
        return 0.0, 0
    if not (known & matters).any():
        return np.nan, missing
    return float((np.where(known, rho, rho[known & matters].mean()) * weight).sum()), missing


def _shifted(cal: Calendar, lag: int) -> Calendar:
    """Move the columns so that session s of the result is session s + lag of `cal`."""

    def move(array: FloatArray) -> FloatArray:
        out = np.zeros_like(array)
        if lag > 0:
            out[:, :-lag] = array[:, lag:]
        else:
            out[:, -lag:] = array[:, :lag]
        return out

    return Calendar(move(cal.residuals), move(cal.mask), move(cal.loadings))


def _never_together(hours: FloatArray) -> BoolArray:
    """Tell which pairs of events are on exchanges that are never open at one time, shape (n, n)."""
    opens, closes = hours[:, 0], hours[:, 1]
    return (opens[:, None] >= closes[None, :]) | (opens[None, :] >= closes[:, None])


def _ratio(cal: Calendar, positions: IntArray, length: int) -> float:
    """Mean of rho times the share of common sessions, as a ratio of sums over sessions."""
    n = len(cal.residuals)
    days = cal.mask.sum(axis=1, keepdims=True)
    centred = cal.residuals - cal.mask * cal.residuals.sum(axis=1, keepdims=True) / days
    z = centred / np.sqrt((centred**2).sum(axis=1, keepdims=True))
    q = cal.mask / np.sqrt(days)
    cross = shared = pairs = 0.0
    for session in np.unique(positions[positions >= 0]):
        there = (positions == session).any(axis=1)
        cross += float((z[there].sum(axis=0) ** 2).sum())
        shared += float((q[there].sum(axis=0) ** 2).sum())
        pairs += float(there.sum()) ** 2
    cross, shared, pairs = (total / length - n for total in (cross, shared, pairs))
    return (cross / shared) * pairs / (n * (n - 1)) if shared > 1e-9 * n else 0.0
