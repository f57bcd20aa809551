"""Pairs of events: overlaps of their CARs, correlations of their residuals, and their mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..utility import BoolArray, FloatArray, IntArray, chunks
from .limits import Limits
from .loadings import Loadings, ends_of


def overlaps(
    sample: AbnormalReturns, window: Window
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Yield blocks of events, their neighbours with themselves first, and the overlaps o_ij.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window

    Notes
    -----
    Each pair comes once in the upper triangle of one block; pairs that come in none have no common
    session. An overlap is 0 up to :data:`Limits.ROUNDING`.
    """
    kept_for, blocks = sample.kept(("overlaps",)) or (None, ())
    yield from blocks if kept_for == window else _overlaps(sample, window)


def keep_overlaps(sample: AbnormalReturns, window: Window) -> None:
    """Keep the overlaps of one window, for several sums over the pairs.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    """
    kept_for, _ = sample.kept(("overlaps",)) or (None, ())
    if kept_for != window:
        sample.keep(("overlaps",), (window, list(_overlaps(sample, window))))


def _overlaps(
    sample: AbnormalReturns, window: Window
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    loadings = Loadings.of(sample, window)
    length, (first, last) = np.sqrt(loadings.squares), loadings.ends
    for rows, near in neighbours(first, last):
        columns = range(int(first[rows].min()), int(last[rows].max()) + 1)
        laid = loadings.on(columns, near)
        laid /= np.where(length > 0, length, 1.0)[near, None]
        yield rows, near, laid[: len(rows)] @ laid.T


def neighbours(
    first: IntArray, last: IntArray, size: int | None = None
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield blocks of events, and the events that may share a session with one of them.

    Parameters
    ----------
    first, last : (n,) int arrays
        Ends of each event's sessions. The block itself comes first, then later events.
    size : int, optional
        Events of a block; by default :data:`Limits.BLOCK`.
    """
    order = np.argsort(first, kind="stable")
    for block in chunks(len(first), size or Limits.BLOCK):
        rows = order[block]
        reach = int(np.searchsorted(first[order], last[rows].max(), side="right"))
        yield rows, order[block.start : max(reach, block.start + len(rows))]


def cosines(product: FloatArray, square_a: FloatArray, square_b: FloatArray) -> FloatArray:
    """Return the cosines of vectors, shape (n_a, n_b), 0 where a vector has no length.

    Parameters
    ----------
    product : (n_a, n_b) float array
        Inner products.
    square_a, square_b : (n_a,) and (n_b,) float arrays
        Squared lengths.
    """
    return cosines_of(product, np.outer(np.sqrt(square_a), np.sqrt(square_b)))


def cosines_of(product: FloatArray, norm: FloatArray) -> FloatArray:
    """Return inner products over the products of lengths, 0 where a vector has no length.

    Parameters
    ----------
    product, norm : float arrays of one shape
    """
    with np.errstate(invalid="ignore"):
        cosine: FloatArray = product / norm
    # Loadings are orthogonal to the regressors: a zero by construction comes out as 1e-17.
    np.copyto(cosine, 0.0, where=~(np.abs(cosine) > Limits.ROUNDING))
    return cosine


class Apart(NamedTuple):
    """Two groups of events whose sessions are paired with the next ones.

    Attributes
    ----------
    rows, columns : int arrays
        Events of either group.
    row_sessions, column_sessions : int arrays
        Sessions of either group, columns of the calendar.
    """

    rows: IntArray
    columns: IntArray
    row_sessions: IntArray
    column_sessions: IntArray

    def adjacent(self, lag: int) -> tuple[IntArray, IntArray]:
        """Return the places in both groups' sessions of P pairs, of which the second is next.

        At lag 1 each session of the rows has the first one of the columns after it, at -1 the
        reverse. While an exchange is shut, all sessions of the second one lead to its reopening.
        """
        first, then = self.row_sessions, self.column_sessions
        if lag < 0:
            first, then = then, first
        place = np.searchsorted(then, first, side="right")
        paired = np.flatnonzero(place < len(then))
        return (paired, place[paired]) if lag > 0 else (place[paired], paired)


def groups_apart(sample: AbnormalReturns) -> Iterator[Apart]:
    """Yield the events of each two exchanges that are never open together."""
    windows = sample.windows
    if not apart(sample):
        return
    keys = np.column_stack([windows.calendar, windows.hours])
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    for pair in np.argwhere(np.triu(never_together(windows.hours[first]))):
        rows, columns = (np.flatnonzero(group.ravel() == g) for g in pair)
        sessions = (windows.calendars[windows.calendar[first[g]]] for g in pair)
        yield Apart(rows, columns, *sessions)


def groups_together(sample: AbnormalReturns) -> Iterator[Apart]:
    """Yield the events of each two exchanges, in both orders, on the sessions of both of them.

    Each exchange comes with itself as well. Sessions of a third exchange are none of the pair: what
    is correlated with the next session depends on no other event.
    """
    windows = sample.windows
    for pair in product(np.unique(windows.calendar), repeat=2):
        rows, columns = (np.flatnonzero(windows.calendar == c) for c in pair)
        sessions = np.union1d(*(windows.calendars[c] for c in pair))
        yield Apart(rows, columns, sessions, sessions)


def apart(sample: AbnormalReturns) -> bool:
    """Return whether some exchanges of the events are never open together."""
    hours = sample.windows.hours
    is_one = bool((hours == hours[:1]).all())
    return not is_one and bool(never_together(np.unique(hours, axis=0)).any())


def near_sessions_apart(sample: AbnormalReturns, window: Window) -> bool:
    """Return whether windows of exchanges that are never open together share sessions or adjoin.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    """
    day0, reach = sample.windows.day0, len(window)
    for pair in groups_apart(sample):
        events = day0[pair.rows]
        days = np.sort(day0[pair.columns])
        first = np.searchsorted(days, events - reach)
        last = np.searchsorted(days, events + reach, side="right")
        if (first < last).any():
            return True
    return False


def never_together(hours: FloatArray) -> BoolArray:
    """Return which pairs of exchanges are never open at one time, shape (n, n)."""
    opens = hours[:, 0]
    closes = hours[:, 1]
    return np.greater_equal.outer(opens, closes) | np.less_equal.outer(closes, opens)


def residuals_on(sample: AbnormalReturns, axis: IntArray) -> FloatArray:
    """Return estimation residuals of n events on calendar columns, and which exist, (2, n, T).

    Parameters
    ----------
    sample : AbnormalReturns
    axis : (T,) int array
        Columns, ascending.

    Returns
    -------
    (2, n, T) float array
        The residuals (decimal), 0 where there is none; and 1 where there is one, else 0.
    """
    positions, used = sample.windows.estimation_positions, np.isfinite(sample.resid)
    column = np.minimum(np.searchsorted(axis, positions), len(axis) - 1)
    row, day = np.nonzero((axis[column] == positions) & (positions >= 0))
    out = np.zeros((2, len(sample), len(axis)))
    out[:, row, column[row, day]] = np.nan_to_num(sample.resid)[row, day], used[row, day]
    return out


def residual_correlation(a: FloatArray, b: FloatArray, need: int) -> FloatArray:
    """Return centred Pearson correlations on common sessions, shape (n_a, n_b).

    Parameters
    ----------
    a, b : (2, n, T) float arrays
        Of :func:`residuals_on`, on the same columns.
    need : int
        A pair with fewer common sessions is NaN.
    """
    (x, in_x), (y, in_y) = a, b
    sums = (x @ in_y.T, in_x @ y.T)
    squares = (x**2 @ in_y.T, in_x @ (y**2).T)
    return pearson(x @ y.T, in_x @ in_y.T, sums, squares, need)


def pearson(
    cross: FloatArray, n: FloatArray, sums: tuple[FloatArray, FloatArray],
    squares: tuple[FloatArray, FloatArray], need: int,
) -> FloatArray:  # fmt: skip
    """Return centred correlations of pairs from their sums over n common sessions.

    Parameters
    ----------
    cross : float array
        Sums of products.
    n : float array
    sums, squares : two float arrays
        Sums of either side, and of its squares.
    need : int
        A pair with fewer common sessions is NaN.
    """
    (sum_x, sum_y), (square_x, square_y) = sums, squares
    with np.errstate(invalid="ignore", divide="ignore"):
        variances = (square_x - sum_x**2 / n) * (square_y - sum_y**2 / n)
        rho = (cross - sum_x * sum_y / n) / np.sqrt(variances)
    return np.where(n >= need, rho, np.nan)


def least_common(sample: AbnormalReturns) -> int:
    """Return the fewest common sessions of a pair: 30, or L1 if that is shorter."""
    return min(Limits.COMMON, len(sample.windows.estimation))


def mean_common_sessions(sample: AbnormalReturns) -> float:
    """Return the mean number of common estimation sessions of the pairs of events that have any."""
    key = ("mean_common_sessions",)
    return sample.cached(key, lambda: _common_sessions(sample), any_convention=True)


def _common_sessions(sample: AbnormalReturns) -> float:
    counts, first, last = zip(*sample.by_chunk(_presence), strict=True)
    present = np.sum(counts, axis=0)
    begins = np.sort(np.concatenate(first))
    reached = int(np.searchsorted(begins, np.concatenate(last), side="right").sum())
    pairs = reached - len(sample) * (len(sample) + 1) // 2
    return float((present * (present - 1)).sum() / 2 / pairs) if pairs else 0.0


def _presence(events: AbnormalReturns) -> tuple[IntArray, IntArray, IntArray]:
    """Return the events with each session (T,), and the first and last session of each event."""
    T = len(events.windows.sessions)
    at = np.where(np.isfinite(events.resid), events.windows.estimation_positions, -1)
    first = np.where(at >= 0, at, T).min(axis=1)
    return np.bincount(at[at >= 0], minlength=T), first, at.max(axis=1)


def correlations(sample: AbnormalReturns, need: int, lag: int = 0) -> FloatArray:
    r"""Return the correlations of the residuals of all pairs, shape (n, n).

    Where the price of one of the two firms :func:`stands_still`, its moves come with the next trade
    and :math:`\rho_{ij}` is the sum of those at lags -1, 0 and 1, at most 1 in size. (Exchanges
    that are never open together have these lags anyway, each with its own overlap.)

    Parameters
    ----------
    sample : AbnormalReturns
        n events. Correlations depend on no window and on no other event, and are computed once for
        the study that the events were taken from.
    need : int
        A pair with fewer common sessions is NaN.
    lag : {-1, 0, 1}
        At -1 or 1 only pairs of exchanges that are never open together have one.

    References
    ----------
    Scholes, M. and Williams, J. (1977), Estimating betas from nonsynchronous data, Journal of
    Financial Economics 5, 309-327, for the sum over lags.
    """
    study, rows = study_of(sample)
    if study is not sample:
        return correlations(study, need, lag)[np.ix_(rows, rows)]
    key = ("correlations", need, lag)

    def compute() -> FloatArray:
        return _at_lag(sample, need, lag) if lag else _correlations(sample, need)

    return sample.cached(key, compute, any_convention=True)


def study_of(sample: AbnormalReturns) -> tuple[AbnormalReturns, IntArray]:
    """Return the sample that has the correlations of `sample`, and the rows of its events there."""
    study = sample.all_events
    if len(study) <= Limits.PAIRWISE:
        return study, sample.positions
    return sample, np.arange(len(sample))


def _correlations(sample: AbnormalReturns, need: int) -> FloatArray:
    """Return the correlations of all pairs, in blocks of events with near estimation windows."""
    at, out = sample.windows.estimation_positions, np.full((len(sample), len(sample)), np.nan)
    for rows, near in neighbours(*ends_of(at), Limits.LARGE_BLOCK):
        residuals = residuals_on(sample.take(near), np.unique(at[rows]))
        block = residual_correlation(residuals[:, : len(rows)], residuals, need)
        out[rows[:, None], near] = block
        out[near[:, None], rows] = block.T
    still = stands_still(sample)
    if not still.any():
        return out
    late = _next_session(sample, need)
    either = (still[:, None] | still) & ~never_together(sample.windows.hours)
    return with_late_moves(out, either, late, late.T)


def stands_still(sample: AbnormalReturns) -> BoolArray:
    """Return for which of n events the price repeats on more than a tenth of estimation days."""
    return still_days(sample) > Limits.STANDSTILL


def still_days(sample: AbnormalReturns) -> FloatArray:
    """Return the share of the used estimation days (n,) on which the price stood still."""
    return np.concatenate(list(sample.by_chunk(_zero_returns))) / np.maximum(sample.nobs, 1)


def _zero_returns(events: AbnormalReturns) -> IntArray:
    """Return the number of estimation days (n,) whose return is zero."""
    # The return itself: less an index or a riskless rate it is never zero.
    returns = events.windows.before.returns[:, : events.resid.shape[1]]
    is_zero = (np.abs(returns) < Limits.ROUNDING) & np.isfinite(events.resid)
    return np.asarray(is_zero.sum(axis=1))


def with_late_moves(rho: FloatArray, still: BoolArray, *late: FloatArray) -> FloatArray:
    """Return correlations of one session; where a price stands still those at other lags are added.

    Parameters
    ----------
    rho : float array
    still : bool array
        Pairs to which they are added.
    *late : float arrays
        Correlations at other lags, NaN where they are unknown.
    """
    total = np.clip(rho + sum(map(np.nan_to_num, late)), -1.0, 1.0)
    return np.where(still, total, rho)


def _next_session(sample: AbnormalReturns, need: int) -> FloatArray:
    """Return the correlations of each session of event i with the next one of event j, (n, n)."""
    out = np.full((len(sample), len(sample)), np.nan)
    first, last = ends_of(sample.windows.estimation_positions)
    for pair in groups_together(sample):
        in_order = pair.rows[np.argsort(first[pair.rows], kind="stable")]
        for block in chunks(len(in_order), Limits.LARGE_BLOCK):
            rows = in_order[block]
            begin, end = np.searchsorted(pair.row_sessions, [first[rows].min(), last[rows].max()])
            days = pair.row_sessions[begin : end + 2]
            if len(days) == 0:  # all of their dates are outside of the data
                continue
            is_near = (first[pair.columns] <= days[-1]) & (last[pair.columns] >= days[0])
            near = pair.columns[is_near]
            today = residuals_on(sample.take(rows), days[:-1])
            following = residuals_on(sample.take(near), days[1:])
            out[np.ix_(rows, near)] = residual_correlation(today, following, need)
    return out


def _at_lag(sample: AbnormalReturns, need: int, lag: int) -> FloatArray:
    """Return the correlations of sessions of event i with the adjacent ones of event j, (n, n)."""
    out = np.full((len(sample), len(sample)), np.nan)
    for pair in groups_apart(sample):
        left, right = pair.adjacent(lag)
        a = residuals_on(sample.take(pair.rows), pair.row_sessions)[:, :, left]
        b = residuals_on(sample.take(pair.columns), pair.column_sessions)[:, :, right]
        out[np.ix_(pair.rows, pair.columns)] = residual_correlation(a, b, need)
    return out


@dataclass(frozen=True, slots=True)
class Correlation:
    """Mean correlation over all pairs of events.

    Attributes
    ----------
    rbar : float
        Mean of rho_ij o_ij; NaN if windows overlap and no pair has enough common sessions, unless
        the o_ij are too small for that to matter.
    same_date : float
        Mean over all pairs of rho_ij 1[same date], not below 0 (docs/methods/tests.md, r0).
    filled : int
        Pairs with too few common sessions that took the mean of the others.
    """

    rbar: float
    same_date: float
    filled: int

    def keep(self, sample: AbnormalReturns, window: Window) -> None:
        """Let a sample know its mean correlation over a window.

        Parameters
        ----------
        sample : AbnormalReturns
        window : Window
        """
        sample.keep(key_of(sample, window), self)


def key_of(sample: AbnormalReturns, window: Window) -> tuple[str, Window, int]:
    """Return under which key a sample knows its mean correlation.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    """
    return "mean_correlation", window, least_common(sample)
