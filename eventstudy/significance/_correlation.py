"""Mean cross-correlation of standardised CARs, weighted by how far their windows overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import BoolArray, FloatArray, IntArray
from ..windows.event_windows import EventWindows
from ._base import InapplicableError
from ._loadings import LoadingSums, cosines, loadings_on, neighbours, overlaps
from ._session_sums import (
    Sums,
    covering,
    everywhere,
    mean_rho,
    next_session_rho,
    on_day0,
    same_date_mean,
)

# Pairs with fewer common estimation sessions take the mean correlation of the other pairs. A
# shorter estimation window lowers the bar to its own length.
MIN_COMMON = 30
# Above this number of events the mean comes from sums over sessions, without any n x n array.
PAIRWISE_LIMIT = 2000
# A variance factor this small means that the benchmark holds the treated firms themselves.
SMALLEST_FACTOR, SMALL_FACTOR = 0.1, 0.5
# Where no pair has a rho, r is 0 if 1 + (N-1) r could be at most this much above 1, with rho 1 for
# all.
NEGLIGIBLE = 0.05
# A negative mean correlation of pairs that share fewer sessions than this is taken as chance.
SHORT_HISTORY = 60
NO_PAIR = (
    "no two events that overlap, estimation windows included, have enough common estimation days"
)


@dataclass(frozen=True, slots=True)
class Correlation:
    """Mean correlation over all pairs of events.

    Attributes
    ----------
    rbar : float
        Mean of rho_ij o_ij; NaN if windows overlap and no pair has enough common sessions, unless
        the o_ij are too small for that to matter.
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
    """Estimation residuals on calendar columns, 0 where there is none, and where they are; each (n,
    T)."""

    values: FloatArray
    mask: FloatArray

    def at(self, columns: IntArray) -> Residuals:
        """Return some of the columns, in that order."""
        return Residuals(self.values[:, columns], self.mask[:, columns])

    def first(self, count: int) -> Residuals:
        """Return those of the first events."""
        return Residuals(self.values[:count], self.mask[:count])


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

    r is that of :func:`mean_correlation`, but zero where :func:`is_unreliable`.

    Raises
    ------
    InapplicableError
        If r cannot be estimated, or the factor is not clearly positive.
    """
    r = mean_correlation(sample, window).rbar if len(sample) > 1 else 0.0
    if not np.isfinite(r):
        raise InapplicableError(NO_PAIR)
    r = 0.0 if is_unreliable(sample, r) else r
    factor = 1 + (len(sample) - 1) * r
    if factor <= SMALLEST_FACTOR:
        raise InapplicableError(
            f"1+(N-1)r is {factor:.2f}: residuals cancel, as if the benchmark were made of the "
            "firms"
        )
    return r, factor


def is_unreliable(sample: AbnormalReturns, rbar: float) -> bool:
    """Return whether a mean correlation is negative and rests on fewer than 60 common sessions a
    pair."""
    return bool(rbar < 0) and mean_common_sessions(sample) < SHORT_HISTORY


def mean_common_sessions(sample: AbnormalReturns) -> float:
    """Return the mean number of common estimation sessions of the pairs of events that have any."""
    if "mean_common_sessions" not in sample.memo:
        counts, first, last = zip(*sample.map(_presence), strict=True)
        present = np.sum(counts, axis=0)
        reached = np.searchsorted(
            np.sort(np.concatenate(first)), np.concatenate(last), side="right"
        )
        pairs = int(reached.sum()) - len(sample) * (len(sample) + 1) // 2
        common = float((present * (present - 1)).sum() / 2 / pairs) if pairs else 0.0
        sample.memo["mean_common_sessions"] = common
    return sample.memo["mean_common_sessions"]  # type: ignore[no-any-return]


def _presence(events: AbnormalReturns) -> tuple[IntArray, IntArray, IntArray]:
    """Return how many events have each session for their estimation, and the first and last of each
    event."""
    T = len(events.windows.sessions)
    at = np.where(np.isfinite(events.resid), events.windows.estimation_positions, -1)
    first = np.where(at >= 0, at, T).min(axis=1)
    return np.bincount(at[at >= 0], minlength=T), first, at.max(axis=1)


def car_correlations(
    sample: AbnormalReturns, window: Window, *, min_common: int | None = None
) -> FloatArray:
    """Return the correlations rho_ij o_ij of the CARs of all pairs, shape (n, n), 1 on the
    diagonal.

    Their mean off the diagonal is that of :func:`mean_correlation` by pairs; a pair with too few
    common sessions has the mean rho of the others.

    Raises
    ------
    InapplicableError
        If windows overlap and no pair has enough common sessions, unless the overlap is negligible.
    """
    need = min(MIN_COMMON, len(sample.windows.estimation)) if min_common is None else min_common
    cosine = np.zeros((len(sample), len(sample)))
    for rows, near, overlap in overlaps(sample, window):
        cosine[np.ix_(rows, near)] = overlap
        cosine[np.ix_(near, rows)] = overlap.T
    out = _products(correlations(sample, need), cosine, ~np.eye(len(sample), dtype=bool))
    if np.isnan(out).any():
        raise InapplicableError(NO_PAIR)
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
    return (
        f"1+(N-1)r is {factor:.2f}: does the benchmark hold the firms?"
        if factor < SMALL_FACTOR
        else ""
    )


def by_pair(sample: AbnormalReturns, window: Window, need: int) -> Correlation:
    """Exact form: all pairs, from cross-products over the calendar, in blocks of neighbours."""
    whole, own = _in_the_study(sample)
    rho = correlations(whole, need)
    all_pairs, same_date = PairSum(), PairSum()
    for rows, near, overlap in overlaps(sample, window):
        later = np.triu(np.ones(overlap.shape, dtype=bool), 1)
        known = rho[np.ix_(own[rows], own[near])][later]
        together = np.equal.outer(sample.windows.day0[rows], sample.windows.day0[near])
        all_pairs.add(known, overlap[later])
        same_date.add(known, together[later].astype(float))
    total, same = all_pairs.total, same_date.total
    filled = all_pairs.missing
    if np.isnan(total) and _negligible(all_pairs.overlap, len(sample)):
        total, filled = 0.0, 0
    for pair in _apart(sample):
        total += sum(_lagged(sample, window, need, pair, lag) for lag in (-1, 1))
    pairs = len(sample) * (len(sample) - 1) // 2
    return Correlation(total / pairs, max(0.0, same / pairs) if np.isfinite(same) else 0.0, filled)


def _negligible(overlap: float, n: int) -> bool:
    """Tell whether correlations of n events cannot matter, given the sum of |o_ij| over the pairs i
    < j."""
    return 2 * overlap / n <= NEGLIGIBLE


@dataclass(slots=True)
class PairSum:
    """Sum of rho * weight over pairs, a missing rho being the mean of the others."""

    products: float = 0.0
    rho: float = 0.0
    known: int = 0
    weight_missing: float = 0.0
    overlap: float = 0.0
    missing: int = 0

    def add(self, rho: FloatArray, weight: FloatArray) -> None:
        """Add pairs, one-dimensional arrays; those of no weight do not count."""
        matters = weight != 0
        known = matters & np.isfinite(rho)
        self.products += float((rho[known] * weight[known]).sum())
        self.rho += float(rho[known].sum())
        self.known += int(known.sum())
        self.weight_missing += float(weight[matters & ~known].sum())
        self.overlap += float(np.abs(weight).sum())
        self.missing += int((matters & ~known).sum())

    @property
    def total(self) -> float:
        """The sum; NaN if all that matter are missing."""
        if not self.missing:
            return self.products
        return self.products + self.rho / self.known * self.weight_missing if self.known else np.nan


def by_session(sample: AbnormalReturns, window: Window) -> Correlation:
    """Ratio estimator of the same mean, from sums over sessions (docs/methods.md, 4).

    The o_ij are summed exactly; those of common sessions of two CARs have the mean rho of such
    pairs, and what estimation windows add has that of all pairs, each a ratio of sums.
    """
    n, hidden = len(sample), sample.hidden(window)
    sums, loadings = Sums.of(sample, [i for i, _ in hidden]), LoadingSums.of(sample, window)
    near, every = covering(sample, window, sums, hidden), everywhere(sums)
    own, rest = loadings.pairs()
    total = mean_rho(sums, near) * own + mean_rho(sums, every) * rest
    for pair in _apart(sample):
        sides = (pair.rows, pair.columns)
        one, other = (LoadingSums.of(sample.take(events), window) for events in sides)
        for left, right in (pair.adjacent(lag) for lag in (-1, 1)):
            at = (pair.one[left], pair.other[right])
            own, rest = one.pairs_with(other, at)
            rho, rho_all = (next_session_rho(sums, weights, sides, at) for weights in (near, every))
            total += 2 * (rho * own + rho_all * rest)
    same = same_date_mean(sums, on_day0(sample, sums))
    return Correlation(total / (n * (n - 1)), max(0.0, same), 0)


def residuals_on(sample: AbnormalReturns, axis: IntArray) -> Residuals:
    """Move the estimation residuals of n events to calendar columns `axis` (T,)."""
    positions = sample.windows.estimation_positions
    known = np.isfinite(sample.resid)
    return Residuals(
        _spread(np.nan_to_num(sample.resid), positions, axis), _spread(known, positions, axis)
    )


def residual_correlation(a: Residuals, b: Residuals, need: int) -> FloatArray:
    """Centred Pearson correlations on common sessions, shape (n_a, n_b); NaN below `need`
    sessions."""
    n = a.mask @ b.mask.T
    sum_a, sum_b = a.values @ b.mask.T, a.mask @ b.values.T
    square_a, square_b = a.values**2 @ b.mask.T, a.mask @ (b.values**2).T
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = a.values @ b.values.T - sum_a * sum_b / n
        rho = cross / np.sqrt((square_a - sum_a**2 / n) * (square_b - sum_b**2 / n))
    return np.where(n >= need, rho, np.nan)


def correlations(sample: AbnormalReturns, need: int, lag: int = 0) -> FloatArray:
    """Correlations of the residuals of all pairs, shape (n, n).

    They depend on no window and on no other event, and are computed once for the whole study. At
    lag -1 or 1 only pairs of exchanges that are never open together have one.
    """
    whole, own = _in_the_study(sample)
    if whole is not sample:
        return correlations(whole, need, lag)[np.ix_(own, own)]
    key = ("correlations", need, lag)
    if key not in sample.memo:
        sample.memo[key] = _correlations(sample, need) if lag == 0 else _at_lag(sample, need, lag)
    return sample.memo[key]  # type: ignore[no-any-return]


def _in_the_study(sample: AbnormalReturns) -> tuple[AbnormalReturns, IntArray]:
    """Return the sample that has the correlations of `sample`, and the places of its events
    there."""
    whole = sample.parent
    if whole is not None and sample.rows is not None and len(whole) <= PAIRWISE_LIMIT:
        return whole, sample.rows
    return sample, np.arange(len(sample))


def _correlations(sample: AbnormalReturns, need: int) -> FloatArray:
    """Correlations of all pairs in blocks of neighbours: estimation windows far apart share no
    session."""
    at = sample.windows.estimation_positions
    first = np.where(at >= 0, at, len(sample.windows.sessions)).min(axis=1)
    out = np.full((len(sample), len(sample)), np.nan)
    for rows, near in neighbours(first, at.max(axis=1)):
        other = residuals_on(sample.take(near), np.unique(at[rows]))
        block = residual_correlation(other.first(len(rows)), other, need)
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


def _products(rho: FloatArray, weight: FloatArray, counted: BoolArray) -> FloatArray:
    """Return rho * weight, a missing rho being the mean of the others that are `counted`; NaN
    without any."""
    matters = counted & (weight != 0)
    known = matters & np.isfinite(rho)
    if (
        matters.any()
        and not known.any()
        and not _negligible(float(np.abs(weight[matters]).sum()) / 2, len(rho))
    ):
        return np.full(rho.shape, np.nan)
    mean = rho[known].mean() if known.any() else 0.0
    product: FloatArray = np.where(np.isfinite(rho), rho, mean) * weight
    return product


def _spread(values: FloatArray | BoolArray, positions: IntArray, axis: IntArray) -> FloatArray:
    """Lay values (n, L) at `positions` out on the columns `axis` (T,), 0 elsewhere."""
    out = np.zeros((len(values), len(axis)))
    column = np.minimum(np.searchsorted(axis, positions), len(axis) - 1)
    row, day = np.nonzero((axis[column] == positions) & (positions >= 0))
    np.add.at(out, (row, column[row, day]), values[row, day])
    return out


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
        """Return the places in `one` and in `other` of P pairs of sessions, of which the second is
        next.

        At lag 1 each session of `one` has the first one of `other` after it, at -1 the reverse;
        while an exchange is shut, all sessions of the other one lead to that on which it opens.
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
    return np.unique(
        np.concatenate([windows.calendars[c] for c in np.unique(windows.calendar[events])])
    )


def _lagged(sample: AbnormalReturns, window: Window, need: int, pair: Apart, lag: int) -> float:
    """Sum of rho o over the pairs of events, each session of one group against the next of the
    other."""
    rho, overlap = _lagged_pairs(sample, window, need, pair, lag)
    pairs = PairSum()
    pairs.add(rho.ravel(), overlap.ravel())
    return pairs.total if np.isfinite(pairs.total) else 0.0


def _lagged_pairs(
    sample: AbnormalReturns, window: Window, need: int, pair: Apart, lag: int
) -> tuple[FloatArray, FloatArray]:
    """Return rho and o of the pairs rows x columns at a lag, each (rows, columns)."""
    left, right = pair.adjacent(lag)
    one = loadings_on(sample.take(pair.rows), window, pair.one)
    other = loadings_on(sample.take(pair.columns), window, pair.other)
    rho = correlations(sample, need, lag)[np.ix_(pair.rows, pair.columns)]
    squares = [(side**2).sum(axis=1) for side in (one, other)]
    return rho, cosines(one[:, left] @ other[:, right].T, *squares)


def apart(sample: AbnormalReturns) -> bool:
    """Tell whether some exchanges of the events are never open together: news is a session apart
    there."""
    return bool(_never_together(np.unique(sample.windows.hours, axis=0)).any())


def near_sessions_apart(sample: AbnormalReturns, window: Window) -> bool:
    """Return whether windows of exchanges that are never open together share sessions or adjoin."""
    day0, reach = sample.windows.day0, len(window)
    for pair in _apart(sample):
        one, other = day0[pair.rows], np.sort(day0[pair.columns])
        first, last = (
            np.searchsorted(other, one - reach),
            np.searchsorted(other, one + reach, side="right"),
        )
        if (first < last).any():
            return True
    return False


def _never_together(hours: FloatArray) -> BoolArray:
    """Tell which pairs of exchanges are never open at one time, shape (n, n)."""
    opens, closes = hours[:, 0], hours[:, 1]
    return np.greater_equal.outer(opens, closes) | np.less_equal.outer(closes, opens)
