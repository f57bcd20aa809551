"""Correlation of the CARs of the events that remain when some are left out, for many such sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..errors import InapplicableError
from ..utility import FloatArray
from .correlation import SHORT_HISTORY, join, layers, mean_common_sessions, variance_factor
from .pair_sums import NEGLIGIBLE
from .pairs import PAIRWISE_LIMIT

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def correlation_without(
    sample: AbnormalReturns, window: Window, sets: csr_array
) -> tuple[FloatArray, FloatArray]:
    """Return the mean correlation of the events without each set, estimated anew.

    Parameters
    ----------
    sample : AbnormalReturns
        n events, all valid for `window`.
    window : Window
    sets : (G, n) sparse array
        1 for the events of each set.

    Returns
    -------
    r : (G,) float array
        Mean correlation of the remaining events; NaN where it cannot be estimated. Whether a
        negative one counts as zero is decided by the histories of all events.
    contrast : (G,) float array
        c'(I + C)c, C the correlations of all pairs of CARs, c = 1/n_g on the set and -1/n_rest
        elsewhere.

    Notes
    -----
    The correlations of all pairs are computed once. Their sum over the pairs that remain is the sum
    of all, less twice the rows of the set, plus the pairs within it. Above 2,000 events r is that
    of all of them, without an array of pairs.
    """
    n, size = sets.shape[1], sets.sum(axis=1)
    remaining = n - size
    try:
        if n > PAIRWISE_LIMIT:
            r = np.full(len(size), variance_factor(sample, window)[0])
            return r, (1 - r) * (1 / size + 1 / remaining)
        pairs = list(layers(sample, window))
        r = np.sum([_layer_sums(sets, *layer) for layer in pairs], axis=0)
        matrix = join(pairs)
    except InapplicableError:
        return np.full(len(size), np.nan), np.full(len(size), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(remaining > 1, r / (remaining * (remaining - 1)), 0.0)
    if mean_common_sessions(sample) < SHORT_HISTORY:
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
    matters, present = weight != 0, np.isfinite(rho)
    finite, missing = matters & present, matters & ~present
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
    small = (next(_sums(sets, np.abs(weight))) / remaining <= NEGLIGIBLE) | (lag != 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(present_pairs > 0.5, scale / present_pairs, np.where(small, 0.0, np.nan))
    return np.where(absent > 0.5, total + mean * filled, total)
