"""Cross-sectional t-test with events clustered by date."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray, IntArray
from ._base import InapplicableError, Value, statistic

MIN_DATES = 3


@statistic(
    "date_clustered",
    label="Date-clustered t",
    minimum=5,
    robust=("yes", "no", "yes", "fair"),
    null="the mean CAR is zero",
    reference="t(Satterthwaite)",
    source="Bell and McCaffrey (2002): CR2 for a mean",
)
def date_clustered(sample: AbnormalReturns, window: Window) -> Value:
    """Return N CAAR / sqrt(sum_g S_g^2 / (1 - n_g/N)), S_g the sum of deviations on date g.

    With n_g = 1 throughout this is the cross-sectional t; with CR1 and t(G-1) unequal dates
    over-reject.
    """
    return clustered_t(sample.car(window), dates_of(sample))


def dates_of(sample: AbnormalReturns) -> IntArray:
    """Return the date of each event as a number from 0 to G-1, shape (n,)."""
    return np.unique(sample.windows.day0, return_inverse=True)[1].ravel()


def clustered_t(values: FloatArray, cluster: IntArray) -> Value:
    """Return the CR2 t-statistic of a mean and its Satterthwaite degrees of freedom.

    Parameters
    ----------
    values : (n,) float array
    cluster : (n,) int array
        From 0 to G-1.
    """
    size = np.bincount(cluster).astype(float)
    n, G = len(values), len(size)
    if G < MIN_DATES:
        raise InapplicableError(f"{G} dates, at least {MIN_DATES} are needed")
    total = np.bincount(cluster, weights=values - values.mean())
    variance = (total**2 / (1 - size / n)).sum()
    if variance <= 0 or not np.isfinite(variance):
        raise InapplicableError("all events have the same value: there is no variance across dates")
    # The sum over pairs of dates of n_g^2 n_h^2 / ((N - n_g) (N - n_h)), without an array of pairs.
    share = size**2 / (n - size)
    df = n**2 / ((size**2).sum() + share.sum() ** 2 - (share**2).sum())
    return Value(float(n * values.mean() / np.sqrt(variance)), float(df))
