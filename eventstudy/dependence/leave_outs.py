"""Correlation of the CARs of the events that remain when some are left out, for many such sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..utility import FloatArray
from .limits import Limits
from .pair_sums import join, layers
from .pairs import mean_common_sessions

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def correlation_without(
    sample: AbnormalReturns, window: Window, sets: csr_array
) -> tuple[FloatArray, FloatArray]:
    """Return the mean correlation of the events without each set, and the variance of contrasts.

    Parameters
    ----------
    sample : AbnormalReturns
        n events, all valid for `window`.
    window : Window
    sets : (G, n) sparse array
        1 for the events of each set.

    Raises
    ------
    InapplicableError
        If windows overlap and no pair has enough common sessions.

    Notes
    -----
    The correlations of all pairs are computed once. Their sum over the pairs that remain is the sum
    of all, less twice the rows of the set, plus the pairs within it.
    """
    size = sets.sum(axis=1)
    remaining = sets.shape[1] - size
    pairs = list(layers(sample, window))
    r = np.sum([_layer_sums(sets, *layer) for layer in pairs], axis=0)
    matrix = join(pairs)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(remaining > 1, r / (remaining * (remaining - 1)), 0.0)
    if mean_common_sessions(sample) < Limits.SHORT_HISTORY:
        r = np.maximum(r, 0.0)
    rest, within, all_of_set = _sums(sets, matrix)
    across = (all_of_set - within) / size / remaining
    return r, within / size**2 + rest / remaining**2 - 2 * across


def _sums(sets: csr_array, matrix: FloatArray) -> Iterator[FloatArray]:
    """Yield the sums of a matrix (n, n) over the rest, over each set, and over its rows, (G,)."""
    within = np.asarray(sets.multiply(sets @ matrix).sum(axis=1))
    rows, columns = (sets @ matrix.sum(axis=axis) for axis in (1, 0))
    yield matrix.sum() - rows - columns + within
    yield within
    yield rows


def _layer_sums(sets: csr_array, rho: FloatArray, weight: FloatArray, lag: int) -> FloatArray:
    """Return the sum of rho * weight over the remaining pairs (i, j) and (j, i), (G,).

    A missing rho is the mean of the remaining ones; at a lag the sum is 0 without any.
    """
    matters = weight != 0
    present = np.isfinite(rho)
    finite = matters & present
    missing = matters & ~present
    total = next(_sums(sets, np.where(finite, rho, 0.0) * weight))
    if not missing.any():
        return total
    filled, absent, present_pairs, scale = (
        next(_sums(sets, values))
        for values in (
            np.where(missing, weight, 0.0), missing.astype(float), finite.astype(float),
            np.where(finite, rho, 0.0),
        )
    )  # fmt: skip
    remaining = sets.shape[1] - sets.sum(axis=1)
    small = (next(_sums(sets, np.abs(weight))) / remaining <= Limits.NEGLIGIBLE) | (lag != 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(present_pairs > 0.5, scale / present_pairs, np.where(small, 0.0, np.nan))
    return np.where(absent > 0.5, total + mean * filled, total)
