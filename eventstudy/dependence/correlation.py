"""Mean cross-correlation of standardised CARs, weighted by how far their windows overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TypeAlias

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..utility import FloatArray, IntArray, chunks
from ..words import Reason
from .loadings import loadings_on
from .pair_sums import Block, PairSum, Sum, cannot_matter
from .pairs import (
    PAIRWISE_LIMIT,
    ROUNDING,
    Apart,
    correlations,
    cosines,
    groups_apart,
    keep_overlaps,
    overlaps,
)
from .requirements import require
from .session_sums import Correlation, by_session

# Pairs with fewer common estimation sessions take the mean correlation of the other pairs. A
# shorter estimation window lowers the bar to its own length.
MIN_COMMON = 30
# A variance factor this small means that the benchmark holds the treated firms themselves.
SMALLEST_FACTOR, SMALL_FACTOR = 0.1, 0.5
# A negative mean correlation of pairs that share fewer sessions than this is taken as chance.
SHORT_HISTORY = 60
# rho and o of all pairs (n, n), and the lag of the sessions that are paired.
Layer: TypeAlias = tuple[FloatArray, FloatArray, int]


def mean_correlation(sample: AbnormalReturns, window: Window) -> Correlation:
    r"""Return the mean correlation of standardised CARs over all pairs of events.

    Parameters
    ----------
    sample : AbnormalReturns
        n >= 2 events, all valid for `window`.
    window : Window

    Notes
    -----
    .. math::

        \bar r = \frac{2}{N (N - 1)} \sum_{i<j} \rho_{ij} o_{ij}, \quad
        o_{ij} = \frac{a_i' a_j}{|a_i| |a_j|}

    :math:`\rho_{ij}` is the correlation of the estimation residuals on common *calendar* sessions.
    :math:`o_{ij}` is the correlation that the two CARs would have if it were 1, the cosine of their
    loadings a on the daily errors. Events of exchanges that are never open together are paired at
    lags -1, 0 and 1. Where a price stands still on many days, :math:`\rho_{ij}` itself is a sum
    over these lags (:func:`~eventstudy.dependence.pairs.correlations`), which goes beyond Kolari
    and Pynnönen. Above :data:`PAIRWISE_LIMIT` events the ratio estimator of
    docs/methods/tests.md is used. Missing data: a pair with too few common sessions takes the mean
    of the other pairs.

    References
    ----------
    Kolari, J. W. and Pynnönen, S. (2010), Event study testing with cross-sectional correlation of
    abnormal returns, Review of Financial Studies 23, 3996-4025, for one date and equal histories.
    """
    need = least_common(sample)
    key = ("mean_correlation", window, need)
    if len(sample) > PAIRWISE_LIMIT:
        return sample.cached(key, lambda: by_session(sample, window))
    return sample.cached(key, lambda: by_pair(sample, window, need))


def preset(sample: AbnormalReturns, window: Window, correlation: Correlation) -> None:
    """Let :func:`mean_correlation` of a sample return what was computed elsewhere.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    correlation : Correlation
    """
    key = ("mean_correlation", window, least_common(sample))
    sample.facts[*key, sample.conventions] = correlation


def least_common(sample: AbnormalReturns) -> int:
    """Return the fewest common sessions of a pair: 30, or L1 if that is shorter."""
    return min(MIN_COMMON, len(sample.windows.estimation))


def variance_factor(sample: AbnormalReturns, window: Window) -> tuple[float, float]:
    """Return r and 1 + (N - 1) r, by which correlation multiplies the variance of the mean SCAR.

    Parameters
    ----------
    sample : AbnormalReturns
        N events.
    window : Window

    Returns
    -------
    r : float
        The :func:`mean_correlation`, but zero where it :func:`is_unreliable`, and for one event.
    factor : float

    Raises
    ------
    InapplicableError
        If r cannot be estimated, or the factor is not clearly positive.
    """
    r = mean_correlation(sample, window).rbar if len(sample) > 1 else 0.0
    require(np.isfinite(r), "no_common_days")
    r = 0.0 if is_unreliable(sample, r) else r
    factor = 1 + (len(sample) - 1) * r
    require(factor > SMALLEST_FACTOR, "small_factor", factor=factor)
    return r, factor


def is_unreliable(sample: AbnormalReturns, rbar: float) -> bool:
    """Return whether a mean correlation is negative and rests on fewer than 60 sessions a pair.

    Parameters
    ----------
    sample : AbnormalReturns
    rbar : float
        The mean correlation.
    """
    return bool(rbar < 0) and mean_common_sessions(sample) < SHORT_HISTORY


def mean_common_sessions(sample: AbnormalReturns) -> float:
    """Return the mean number of common estimation sessions of the pairs of events that have any."""
    key = ("mean_common_sessions",)
    return sample.cached(key, lambda: _common_sessions(sample), any_convention=True)


def _common_sessions(sample: AbnormalReturns) -> float:
    counts, first, last = zip(*sample.by_chunk(_presence), strict=True)
    present, begins = np.sum(counts, axis=0), np.sort(np.concatenate(first))
    reached = int(np.searchsorted(begins, np.concatenate(last), side="right").sum())
    pairs = reached - len(sample) * (len(sample) + 1) // 2
    return float((present * (present - 1)).sum() / 2 / pairs) if pairs else 0.0


def _presence(events: AbnormalReturns) -> tuple[IntArray, IntArray, IntArray]:
    """Return the events with each session (T,), and the first and last session of each event."""
    T = len(events.windows.sessions)
    at = np.where(np.isfinite(events.resid), events.windows.estimation_positions, -1)
    first = np.where(at >= 0, at, T).min(axis=1)
    return np.bincount(at[at >= 0], minlength=T), first, at.max(axis=1)


def quadratic(sample: AbnormalReturns, window: Window, weights: FloatArray) -> FloatArray:
    """Return sum_ij w_i w_j rho_ij o_ij over all i and j, the variance of a sum of unit variables.

    Parameters
    ----------
    sample : AbnormalReturns
        n events, all valid for `window`.
    window : Window
    weights : (n,) or (n, q) float array
        Of one sum, or of q sums in columns.

    Returns
    -------
    () or (q, q) float array
        The variance of the sum, or the covariances of the q sums.

    Raises
    ------
    InapplicableError
        If windows overlap and no pair has enough common sessions, unless the overlap is negligible.

    Notes
    -----
    The rho_ij o_ij are those of :func:`mean_correlation`; above :data:`PAIRWISE_LIMIT` events, in
    one sum every pair has their mean, and those of several are added up piece by piece.
    """
    squares, n = weights.T @ weights, len(sample)
    if n > PAIRWISE_LIMIT and weights.ndim == 1:
        r = mean_correlation(sample, window).rbar
        return np.asarray(squares + r * (weights.sum() ** 2 - squares))
    if n > PAIRWISE_LIMIT:
        pairs, later = _in_pieces(sample, window, weights)
    else:
        keep_overlaps(sample, window)
        need = least_common(sample)
        pairs = _pairs(sample, window, need, weights)[0]
        later = sum(_lagged_sums(sample, window, need, weights))
    total = np.asarray(0.0 if pairs.is_negligible(n) else pairs.total) + later
    require(bool(np.isfinite(total).all()), "no_common_days")
    return np.asarray(squares + total + total.T)


def _in_pieces(sample: AbnormalReturns, window: Window, weights: FloatArray) -> tuple[PairSum, Sum]:
    """Return the sums over the pairs of very many events, and over those at a lag.

    Each two pieces of the events are a sample of their own, so that no array of all pairs is made.
    A piece is in as many of these as there are other pieces, and is taken off as often but once.
    """
    pieces = [np.arange(len(sample))[piece] for piece in chunks(len(sample), PAIRWISE_LIMIT // 2)]
    both = [(np.concatenate(two), 1) for two in combinations(pieces, 2)]
    pairs, later = PairSum(), np.zeros(())
    for rows, times in [*both, *((piece, 2 - len(pieces)) for piece in pieces)]:
        piece, of_piece = sample.take(rows).as_study(), weights[rows]
        need = least_common(piece)
        pairs.merge(_pairs(piece, window, need, of_piece)[0], times)
        later = later + times * sum(_lagged_sums(piece, window, need, of_piece))
    return pairs, later


def join(parts: Iterable[Layer]) -> FloatArray:
    """Return the correlations rho_ij o_ij of all pairs of CARs (n, n) from their :func:`layers`.

    A pair with too few common sessions has the mean rho of the others; the diagonal is 1.
    """
    products = (
        np.nan_to_num(product) if lag else product
        for product, lag in ((_products(rho, overlap), lag) for rho, overlap, lag in parts)
    )
    out: FloatArray = sum(products, start=np.zeros(()))
    require(not np.isnan(out).any(), "no_common_days")
    np.fill_diagonal(out, 1.0)
    return out


def layers(sample: AbnormalReturns, window: Window) -> Iterator[Layer]:
    """Yield rho and o of all pairs (n, n) and their lag: 0, then those of exchanges apart.

    Parameters
    ----------
    sample : AbnormalReturns
        n events, all valid for `window`.
    window : Window

    Yields
    ------
    rho, overlap : (n, n) float arrays
        A rho is NaN for a pair with too few common sessions; the overlap is 0 on the diagonal and
        for pairs that have none at this lag.
    lag : int
    """
    need = least_common(sample)
    cosine = np.zeros((len(sample), len(sample)))
    for rows, near, overlap in overlaps(sample, window):
        overlap = np.where(np.abs(overlap) > ROUNDING, overlap, 0.0)
        cosine[np.ix_(rows, near)] = overlap
        cosine[np.ix_(near, rows)] = overlap.T
    np.fill_diagonal(cosine, 0.0)
    yield correlations(sample, need), cosine, 0
    for pair in groups_apart(sample):
        for lag in (-1, 1):
            both = np.zeros((2, *cosine.shape))
            for k, block in enumerate(_lagged(sample, window, need, pair, lag)):
                both[k][np.ix_(pair.rows, pair.columns)] = block
                both[k][np.ix_(pair.columns, pair.rows)] = block.T
            yield both[0], both[1], lag


def cancelling(factor: float) -> str:
    """Return a caution if the residuals of the events cancel more than they should."""
    return Reason("cancelling", factor=float(factor)) if factor < SMALL_FACTOR else ""


def by_pair(sample: AbnormalReturns, window: Window, need: int) -> Correlation:
    """Return the mean correlation from all pairs, in blocks of neighbours: the exact form.

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    window : Window
    need : int
        Fewest common sessions of a pair.
    """
    all_pairs, same_date = _pairs(sample, window, need)
    lagged = sum(_lagged_sums(sample, window, need))
    return summed_up(all_pairs, same_date, len(sample), lagged)


def _pairs(
    sample: AbnormalReturns, window: Window, need: int, weights: FloatArray | None = None
) -> tuple[PairSum, PairSum]:
    """Return the sums over all pairs, weighted by the overlap, and over those of one date."""
    all_pairs, same_date = PairSum(), PairSum()
    for rows, near, overlap in overlaps(sample, window):
        block = Block.of(sample, need, rows, near)
        sides = None if weights is None else (weights[rows], weights[near])
        block.add_to(all_pairs, overlap, sides)
        same_date.merge(block.same_date)
    return all_pairs, same_date


def summed_up(all_pairs: PairSum, same_date: PairSum, n: int, lagged: Sum = 0.0) -> Correlation:
    """Return the mean correlation of n events from the sums over their pairs.

    Parameters
    ----------
    all_pairs, same_date : PairSum
        Weighted by the overlap, and by whether the date is the same.
    n : int
    lagged : float
        The sum over pairs of exchanges that are never open together.
    """
    total, same, filled = float(all_pairs.total), float(same_date.total), all_pairs.missing
    if all_pairs.is_negligible(n):
        total, filled = 0.0, 0
    pairs = max(n * (n - 1) // 2, 1)
    mean = max(0.0, same / pairs) if np.isfinite(same) else 0.0
    return Correlation((total + float(lagged)) / pairs, mean, filled)


def _lagged_sums(
    sample: AbnormalReturns, window: Window, need: int, weights: FloatArray | None = None
) -> Iterator[Sum]:
    """Yield the sums of rho o over the pairs of two groups at a lag, 0 where one is unknown."""
    for pair in groups_apart(sample):
        sides = None if weights is None else (weights[pair.rows], weights[pair.columns])
        for lag in (-1, 1):
            pairs = PairSum()
            pairs.add(*_lagged(sample, window, need, pair, lag), sides)
            yield np.nan_to_num(pairs.total)


def _products(rho: FloatArray, weight: FloatArray) -> FloatArray:
    """Return rho * weight, a missing rho being the mean of those that count; NaN without any."""
    matters = weight != 0
    finite = matters & np.isfinite(rho)
    overlap = float(np.abs(weight).sum()) / 2
    if matters.any() and not finite.any() and not cannot_matter(overlap, len(rho)):
        return np.full(rho.shape, np.nan)
    mean = rho[finite].mean() if finite.any() else 0.0
    return np.where(np.isfinite(rho), rho, mean) * weight


def _lagged(
    sample: AbnormalReturns, window: Window, need: int, pair: Apart, lag: int
) -> tuple[FloatArray, FloatArray]:
    """Return rho and o of the pairs rows x columns at a lag, each (rows, columns).

    Each session of a group stands against the next of the second group.
    """
    rho = correlations(sample, need, lag)[np.ix_(pair.rows, pair.columns)]
    a = loadings_on(sample.take(pair.rows), window, pair.row_sessions)
    b = loadings_on(sample.take(pair.columns), window, pair.column_sessions)
    left, right = pair.adjacent(lag)
    squares = [(side**2).sum(axis=1) for side in (a, b)]
    return rho, cosines(a[:, left] @ b[:, right].T, *squares)
