"""Wild cluster bootstrap: sign flips of whole dates."""

from __future__ import annotations

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.chunks import chunks
from ..utility.typing import FloatArray, IntArray
from ._base import InapplicableError, Value, statistic
from ._correlation import apart
from .date_clustered import clustered_t

MIN_CLUSTERS = 6
ENUMERATE_UP_TO = 12
# Signs that are drawn at a time.
BLOCK = 1 << 20
# |t*| that equals |t| but for rounding counts as at least as large.
EQUAL = 1e-9


@statistic(
    "wild_bootstrap",
    label="Wild bootstrap by date",
    minimum=6,
    robust=("yes", "yes", "yes", "fair"),
    null="the mean CAR is zero",
    reference="sign flips",
    source="Cameron, Gelbach and Miller (2008)",
    core=True,
)
def wild_bootstrap(sample: AbnormalReturns, window: Window) -> Value:
    """Return the date-clustered t and the share of sign flips of whole clusters that reach it.

    Dates closer than L sessions are merged, so that overlapping windows flip together. All 2^G
    flips for up to 12 clusters, else seeded draws and their mirrors; fewer than 6 clusters are
    refused.
    """
    cluster = merged_dates(sample, window)
    G = int(cluster.max()) + 1
    if G < MIN_CLUSTERS:
        raise InapplicableError(
            f"{G} cluster{'s' * (G != 1)} of dates, at least {MIN_CLUSTERS} are needed"
        )
    car = sample.car(window)
    observed = clustered_t(car, cluster)
    stars = flipped(car, cluster, draws=sample.conventions.draws, seed=sample.conventions.seed)
    enumerated = G <= ENUMERATE_UP_TO
    lower, upper = (
        (reached.sum() + (not enumerated)) / (len(stars) + (not enumerated))
        for reached in (stars <= observed.statistic + EQUAL, stars >= observed.statistic - EQUAL)
    )
    return Value(observed.statistic, np.nan, "sign flips", float(lower), float(upper))


def merged_dates(sample: AbnormalReturns, window: Window) -> IntArray:
    """Return the cluster of each event, shape (n,): events whose CARs cover a session in common
    share one.

    On one calendar these are dates fewer than L sessions apart. Events of exchanges that are never
    open together share one if their windows are within a session of each other.
    """
    at = sample.windows.over("event_positions", sample.columns(window))
    first = np.where(at >= 0, at, np.iinfo(np.int64).max).min(axis=1)
    last = at.max(axis=1)
    for i, hidden in sample.hidden(window):
        if len(hidden):
            first[i], last[i] = min(first[i], hidden.min()), max(last[i], hidden.max())
    order = np.argsort(first, kind="stable")
    reach = np.maximum.accumulate(last[order]) + apart(sample)
    number: IntArray = np.empty(len(order), np.int64)
    number[order] = np.r_[0, np.cumsum(first[order][1:] > reach[:-1])]
    return number


def flipped(values: FloatArray, cluster: IntArray, *, draws: int, seed: int) -> FloatArray:
    """Return the t-statistics under all 2^G flips of few clusters, else under seeded draws and
    their mirrors.

    Mirrors, half of the draws, make the p-value independent of the sign of the effect.
    """
    G = int(cluster.max()) + 1
    if G <= ENUMERATE_UP_TO:
        return flipped_t(values, cluster, all_signs(G))
    rng, half = np.random.default_rng(seed), (draws + 1) // 2
    parts = chunks(half, max(1, BLOCK // G))
    drawn = (rng.choice([-1.0, 1.0], size=(part.stop - part.start, G)) for part in parts)
    stars = np.concatenate([flipped_t(values, cluster, signs) for signs in drawn])
    return np.concatenate([stars, -stars])[:draws]


def all_signs(G: int) -> FloatArray:
    """Return the 2^G rows of G signs, the identity first."""
    bits = (np.arange(2**G)[:, None] >> np.arange(G)) & 1
    return np.where(bits == 0, 1.0, -1.0)


def flipped_t(values: FloatArray, cluster: IntArray, signs: FloatArray) -> FloatArray:
    """Return the CR2 t-statistic of the mean of signs[:, cluster] * values, shape (draws,)."""
    size, total = np.bincount(cluster).astype(float), np.bincount(cluster, weights=values)
    n = len(values)
    mean = signs @ total / n
    deviation = signs * total - size * mean[:, None]
    variance = (deviation**2 / (1 - size / n)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, n * mean / np.sqrt(variance), np.sign(mean) * np.inf)
