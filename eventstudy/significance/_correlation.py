"""Mean cross-correlation of standardised CARs, weighted by how far their windows overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..abnormal import AbnormalReturns
from ..chunks import chunks
from ..typing import BoolArray, FloatArray, IntArray
from ..windows import EventWindows, Window
from ._base import InapplicableError
from ._session_sums import Sums, covering, next_session_mean, on_day0, session_mean

# Pairs with fewer common estimation sessions take the mean correlation of the other pairs. A shorter
# estimation window lowers the bar to its own length.
MIN_COMMON = 30
# Above this number of events the mean comes from sums over sessions, without any n x n array.
PAIRWISE_LIMIT = 2000
# Events of a block of pairs.
BLOCK = 200
# A variance factor this small means that the benchmark holds the treated firms themselves.
SMALLEST_FACTOR, SMALL_FACTOR = 0.1, 0.5
ROUNDING = 1e-10


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
class Residuals:
    """Estimation residuals on calendar columns, 0 where there is none, and where they are; each (n, T)."""

    values: FloatArray
    mask: FloatArray

    def at(self, columns: IntArray) -> Residuals:
        """Return some of the columns, in that order."""
        return Residuals(self.values[:, columns], self.mask[:, columns])


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
    :data:`PAIRWISE_LIMIT` events the ratio estimator of docs/methods.md, 4 is used.
    """
    need = min(MIN_COMMON, len(sample.windows.estimation)) if min_common is None else min_common
    key = ("mean_correlation", window, need)
    if key not in sample.memo:
        many = len(sample) > PAIRWISE_LIMIT
        sample.memo[key] = by_session(sample, window) if many else by_pair(sample, window, need)
    return sample.memo[key]  # type: ignore[no-any-return]


def variance_factor(sample: AbnormalReturns, window: Window) -> tuple[float, float]:
    """Return r and 1 + (N - 1) r, by which correlation multiplies the variance of the mean SCAR.

    Raises
    ------
    InapplicableError
        If r cannot be estimated, or the factor is not clearly positive.
    """
    r = mean_correlation(sample, window).rbar if len(sample) > 1 else 0.0
    if not np.isfinite(r):
        raise InapplicableError(
            "no pair of events with overlapping windows has enough common estimation days"
        )
    factor = 1 + (len(sample) - 1) * r
    if factor <= SMALLEST_FACTOR:
        raise InapplicableError(
            f"1+(N-1)r is {factor:.2f}: residuals cancel, as if the benchmark were made of the firms"
        )
    return r, factor


def car_correlations(sample: AbnormalReturns, window: Window, *, min_common: int | None = None) -> FloatArray:
    """Return the correlations rho_ij o_ij of the CARs of all pairs, shape (n, n), 1 on the diagonal.

    Their mean off the diagonal is that of :func:`mean_correlation` by pairs; a pair with too few common
    sessions has the mean rho of the others.

    Raises
    ------
    InapplicableError
        If windows overlap and no pair has enough common sessions.
    """
    need = min(MIN_COMMON, len(sample.windows.estimation)) if min_common is None else min_common
    loadings = loadings_on(sample, window, sessions_of(sample, window))
    out = _products(correlations(sample, need), _cosine(loadings, loadings), ~np.eye(len(sample), dtype=bool))
    if np.isnan(out).any():
        raise InapplicableError(
            "no pair of events with overlapping windows has enough common estimation days"
        )
    for pair in _apart(sample):
        for lag in (-1, 1):
            rho, overlap = _lagged_pairs(sample, window, need, pair, lag)
            block = np.nan_to_num(_products(rho, overlap, np.ones(rho.shape, dtype=bool)))
            out[np.ix_(pair.rows, pair.columns)] += block
            out[np.ix_(pair.columns, pair.rows)] += block.T
    np.fill_diagonal(out, 1.0)
    return out


def cancelling(factor: float) -> str:
    """Return a caution if the residuals of the events cancel more than they should."""
    return f"1+(N-1)r is {factor:.2f}: does the benchmark hold the firms?" if factor < SMALL_FACTOR else ""


def by_pair(sample: AbnormalReturns, window: Window, need: int) -> Correlation:
    """Exact form: all pairs, from cross-products over the calendar."""
    upper = np.triu_indices(len(sample), 1)
    rho = correlations(sample, need)[upper]
    loadings = loadings_on(sample, window, sessions_of(sample, window))
    total, filled = _weighted_sum(rho, _cosine(loadings, loadings)[upper])
    for pair in _apart(sample):
        total += sum(_lagged(sample, window, need, pair, lag) for lag in (-1, 1))
    same, _ = _weighted_sum(
        rho, np.equal.outer(sample.windows.day0, sample.windows.day0)[upper].astype(float)
    )
    pairs = len(rho)
    return Correlation(total / pairs, max(0.0, same / pairs) if np.isfinite(same) else 0.0, filled)


def by_session(sample: AbnormalReturns, window: Window) -> Correlation:
    """Ratio estimator of the same mean, from sums over sessions: o_ij is the share of common sessions."""
    hidden = sample.hidden(window)
    sums = Sums.of(sample, [i for i, _ in hidden])
    weights = covering(sample, window, sums, hidden)
    rbar, same = session_mean(sums, weights), session_mean(sums, on_day0(sample, sums))
    for pair in _apart(sample):
        for left, right in (pair.adjacent(lag) for lag in (-1, 1)):
            sides, at = (pair.rows, pair.columns), (pair.one[left], pair.other[right])
            rbar += next_session_mean(sums, weights, sides, at)
    return Correlation(rbar, max(0.0, same), 0)


def residuals_on(sample: AbnormalReturns, axis: IntArray) -> Residuals:
    """Move the estimation residuals of n events to calendar columns `axis` (T,)."""
    positions = sample.windows.before.positions[:, : len(sample.windows.estimation)]
    known = np.isfinite(sample.resid)
    return Residuals(_spread(np.nan_to_num(sample.resid), positions, axis), _spread(known, positions, axis))


def loadings_on(sample: AbnormalReturns, window: Window, axis: IntArray) -> FloatArray:
    """Move the loadings of n CARs to calendar columns `axis`, shape (n, T).

    By convention ``overlap="share"`` 1 on the sessions that the window covers and 0 elsewhere, the limit
    for long estimation windows: their cosine is the share of common sessions.
    """
    if sample.conventions.overlap == "share":
        covered = sample.windows.over("event_positions", sample.columns(window))
        out = _spread(np.ones(covered.shape), covered, axis)
    else:
        out = _spread(np.hstack(sample.loadings(window)), sample.windows.positions, axis)
    for i, hidden in sample.hidden(window):
        out[i, np.flatnonzero(np.isin(axis, hidden))] = 1.0
    return out


def sessions_of(sample: AbnormalReturns, window: Window) -> IntArray:
    """Return all sessions that an error of some CAR over `window` falls on."""
    return np.unique(
        np.concatenate([sample.windows.positions.ravel(), *(s for _, s in sample.hidden(window))])
    )


def residual_correlation(a: Residuals, b: Residuals, need: int) -> FloatArray:
    """Centred Pearson correlations on common sessions, shape (n_a, n_b); NaN below `need` sessions."""
    n = a.mask @ b.mask.T
    sum_a, sum_b = a.values @ b.mask.T, a.mask @ b.values.T
    square_a, square_b = a.values**2 @ b.mask.T, a.mask @ (b.values**2).T
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = a.values @ b.values.T - sum_a * sum_b / n
        rho = cross / np.sqrt((square_a - sum_a**2 / n) * (square_b - sum_b**2 / n))
    return np.where(n >= need, rho, np.nan)


def correlations(sample: AbnormalReturns, need: int, lag: int = 0) -> FloatArray:
    """Correlations of the residuals of all pairs, shape (n, n).

    They depend on no window and on no other event, and are computed once for the whole study. At lag
    -1 or 1 only pairs of exchanges that are never open together have one.
    """
    whole = sample.parent
    if whole is not None and sample.rows is not None and len(whole) <= PAIRWISE_LIMIT:
        return correlations(whole, need, lag)[np.ix_(sample.rows, sample.rows)]
    key = ("correlations", need, lag)
    if key not in sample.memo:
        sample.memo[key] = _correlations(sample, need) if lag == 0 else _at_lag(sample, need, lag)
    return sample.memo[key]  # type: ignore[no-any-return]


def _correlations(sample: AbnormalReturns, need: int) -> FloatArray:
    """Correlations of all pairs in blocks of neighbours: estimation windows far apart share no session."""
    at = sample.windows.before.positions[:, : len(sample.windows.estimation)]
    first = np.where(at >= 0, at, len(sample.windows.sessions)).min(axis=1)
    order, last = np.argsort(first, kind="stable"), at.max(axis=1)
    out = np.full((len(sample), len(sample)), np.nan)
    for part in chunks(len(sample), BLOCK):
        rows = order[part]
        reach = int(np.searchsorted(first[order], last[rows].max(), side="right"))
        near, axis = order[part.start : reach], np.unique(at[rows])
        one, other = (residuals_on(sample.take(events), axis) for events in (rows, near))
        block = residual_correlation(one, other, need)
        out[np.ix_(rows, near)] = block
        out[np.ix_(near, rows)] = block.T
    return out


def _at_lag(sample: AbnormalReturns, need: int, lag: int) -> FloatArray:
    """Correlation of the sessions of event i with those of event j that are next to them."""
    out = np.full((len(sample), len(sample)), np.nan)
    for pair in _apart(sample):
        left, right = pair.adjacent(lag)
        one = residuals_on(sample.take(pair.rows), pair.one).at(left)
        other = residuals_on(sample.take(pair.columns), pair.other).at(right)
        out[np.ix_(pair.rows, pair.columns)] = residual_correlation(one, other, need)
    return out


def _spread(values: FloatArray | BoolArray, positions: IntArray, axis: IntArray) -> FloatArray:
    """Lay values (n, L) at `positions` out on the columns `axis` (T,), 0 elsewhere."""
    out = np.zeros((len(values), len(axis)))
    column = np.minimum(np.searchsorted(axis, positions), len(axis) - 1)
    row, day = np.nonzero((axis[column] == positions) & (positions >= 0))
    np.add.at(out, (row, column[row, day]), values[row, day])
    return out


def _cosine(a: FloatArray, b: FloatArray) -> FloatArray:
    return _over(a @ b.T, a, b)


def _over(product: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return inner products (n_a, n_b) over the norms of the rows, 0 where there is no norm."""
    norm = np.outer(np.sqrt((a**2).sum(axis=1)), np.sqrt((b**2).sum(axis=1)))
    cosine: FloatArray = np.divide(product, norm, out=np.zeros(norm.shape), where=norm > 0)
    # Loadings are orthogonal to the regressors: what is zero by construction comes out as 1e-17.
    return np.where(np.abs(cosine) > ROUNDING, cosine, 0.0)


def _weighted_sum(rho: FloatArray, weight: FloatArray) -> tuple[float, int]:
    """Sum of rho * weight, a missing rho being the mean of the others; and how many were missing."""
    known, matters = np.isfinite(rho), weight != 0
    missing = int((~known & matters).sum())
    if not matters.any():
        return 0.0, 0
    if not (known & matters).any():
        return np.nan, missing
    return float((np.where(known, rho, rho[known & matters].mean()) * weight).sum()), missing


def _products(rho: FloatArray, weight: FloatArray, counted: BoolArray) -> FloatArray:
    """Return rho * weight, a missing rho being the mean of the others that are `counted`; NaN without any."""
    matters = counted & (weight != 0)
    known = matters & np.isfinite(rho)
    if matters.any() and not known.any():
        return np.full(rho.shape, np.nan)
    mean = rho[known].mean() if known.any() else 0.0
    product: FloatArray = np.where(np.isfinite(rho), rho, mean) * weight
    return product


class Apart(NamedTuple):
    """Two groups of events whose exchanges are never open together.

    Attributes
    ----------
    rows, columns : int arrays
        Events of either group.
    one, other : int arrays
        Sessions of either group.
    """

    rows: IntArray
    columns: IntArray
    one: IntArray
    other: IntArray

    def adjacent(self, lag: int) -> tuple[IntArray, IntArray]:
        """Return the places in `one` and in `other` of P pairs of sessions, of which the second is next.

        At lag 1 each session of `one` has the first one of `other` after it, at -1 the reverse; while an
        exchange is shut, all sessions of the other one lead to that on which it opens.
        """
        first, then = (self.one, self.other) if lag > 0 else (self.other, self.one)
        place = np.searchsorted(then, first, side="right")
        known = np.flatnonzero(place < len(then))
        return (known, place[known]) if lag > 0 else (place[known], known)


def _apart(sample: AbnormalReturns) -> Iterator[Apart]:
    """Yield each two groups of events whose exchanges are never open together."""
    windows = sample.windows
    hours, group = np.unique(windows.hours, axis=0, return_inverse=True)
    group = group.ravel()
    for g, h in np.argwhere(np.triu(_never_together(hours))):
        sides = np.flatnonzero(group == g), np.flatnonzero(group == h)
        yield Apart(*sides, *(_sessions(windows, events) for events in sides))


def _sessions(windows: EventWindows, events: IntArray) -> IntArray:
    """Return all sessions of the exchanges of some events."""
    return np.unique(np.concatenate([windows.calendars[c] for c in np.unique(windows.calendar[events])]))


def _lagged(sample: AbnormalReturns, window: Window, need: int, pair: Apart, lag: int) -> float:
    """Sum of rho o over the pairs of events, each session of one group against the next of the other."""
    rho, overlap = _lagged_pairs(sample, window, need, pair, lag)
    total, _ = _weighted_sum(rho.ravel(), overlap.ravel())
    return total if np.isfinite(total) else 0.0


def _lagged_pairs(
    sample: AbnormalReturns, window: Window, need: int, pair: Apart, lag: int
) -> tuple[FloatArray, FloatArray]:
    """Return rho and o of the pairs rows x columns at a lag, each (rows, columns)."""
    left, right = pair.adjacent(lag)
    one = loadings_on(sample.take(pair.rows), window, pair.one)
    other = loadings_on(sample.take(pair.columns), window, pair.other)
    rho = correlations(sample, need, lag)[np.ix_(pair.rows, pair.columns)]
    return rho, _over(one[:, left] @ other[:, right].T, one, other)


def apart(sample: AbnormalReturns) -> bool:
    """Tell whether some exchanges of the events are never open together: news is a session apart there."""
    return bool(_never_together(np.unique(sample.windows.hours, axis=0)).any())


def _never_together(hours: FloatArray) -> BoolArray:
    """Tell which pairs of exchanges are never open at one time, shape (n, n)."""
    opens, closes = hours[:, 0], hours[:, 1]
    return np.greater_equal.outer(opens, closes) | np.less_equal.outer(closes, opens)
