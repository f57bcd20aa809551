"""Mean cross-correlation of many events from sums over sessions: no array of pairs of events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..utility import AnyArray, FloatArray, IntArray, chunks
from ..windows import EventWindows
from .limits import Limits
from .loadings import LoadingSums
from .pairs import Correlation, groups_apart

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Rows of the events, or of the sessions, of two exchanges.
Sides = tuple[IntArray, IntArray]


def by_session(sample: AbnormalReturns, window: Window) -> Correlation:
    """Return the mean correlation from sums over sessions, the ratio estimator of many events.

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    window : Window

    Notes
    -----
    The o_ij are summed exactly. Those of common sessions of two CARs have the mean rho of such
    pairs, and what estimation windows add has that of all pairs, each a ratio of sums
    (docs/methods/tests.md).
    """
    n = len(sample)
    hidden = sample.hidden(window)
    grouped = Sums.kept(sample)
    sums = Sums.of(sample, [i for i, _ in hidden]) if hidden else grouped
    near = covering(sample, window, sums, hidden)
    every = everywhere(sums)
    inside, outside = LoadingSums.of(sample, window).pairs()
    total = mean_rho(sums, near) * inside + grouped.rho * outside
    for pair in groups_apart(sample):
        sides = (pair.rows, pair.columns)
        a, b = (LoadingSums.of(sample.take(events), window) for events in sides)
        for left, right in (pair.adjacent(lag) for lag in (-1, 1)):
            at = (pair.row_sessions[left], pair.column_sessions[right])
            inside, outside = a.pairs_with(b, at)
            rho, rho_all = (next_session_rho(sums, weights, sides, at) for weights in (near, every))
            total += 2 * (rho * inside + rho_all * outside)
    return Correlation(total / (n * (n - 1)), max(0.0, grouped.same_date), 0)


@dataclass(frozen=True, eq=False)
class Sums:
    """Standardised residuals, added up over events that have all sessions in common.

    Attributes
    ----------
    group : (n,) int array
        From 0 to G-1.
    first : (G,) int array
        First event of each group.
    zq : (G, T) sparse complex array
        Sums over the events of a group on the sessions of the estimation window: z, of e_i / |e_i|,
        centred, in the real part, and q, of 1 / sqrt(M_i), in the imaginary one. Where both are
        added up it takes half the time.
    day0 : (G,) int array
        Day 0 of each group, a session; -1 outside of the data.
    sessions : int
        T, of the panel.
    """

    group: IntArray
    first: IntArray
    zq: csr_array
    day0: IntArray
    sessions: int

    @classmethod
    def kept(cls, sample: AbnormalReturns) -> Sums:
        """Return the sums of a sample; those of the last samples of the study are kept."""
        study, rows = sample.all_events, sample.positions.tobytes()
        kept: dict[bytes, Sums] = study.cached(("session_sums",), dict, any_convention=True)
        if rows not in kept:
            kept[rows] = cls.of(sample, [])
        if len(kept) > Limits.SUMS_KEPT:
            del kept[next(iter(kept))]
        return kept[rows]

    @classmethod
    def of(cls, sample: AbnormalReturns, separate: Iterable[int]) -> Sums:
        """Return the sums of a sample.

        Parameters
        ----------
        sample : AbnormalReturns
        separate : iterable of int
            Events that are groups by themselves.
        """
        grouped = _grouped(sample, np.fromiter(separate, np.int64))
        T = len(sample.windows.sessions)
        zq = _spread(grouped.sums[0] + 1j * grouped.sums[1], grouped.at, T)
        first = _first(grouped.group)
        return cls(grouped.group, first, zq, sample.windows.day0[first], T)

    @cached_property
    def rho(self) -> float:
        """Mean of rho_ij over all pairs."""
        return mean_rho(self, everywhere(self))

    @cached_property
    def same_date(self) -> float:
        """Mean of rho_ij 1[same date] over all pairs."""
        n = len(self.group)
        at = np.flatnonzero(self.day0 >= 0)
        on_day0 = _sparse(np.ones(len(at)), (self.day0[at], at), (self.sessions, len(self.day0)))
        pairs = float((self.count(on_day0) ** 2).sum()) - n
        return mean_rho(self, on_day0) * pairs / (n * (n - 1))

    def over(self, weights: csr_array, groups: IntArray | slice = slice(None)) -> csr_array:
        """Return for each session the sums (T, T) of z and q of the events there.

        Parameters
        ----------
        weights : (T, G) sparse array
            Weight of an event of each group on each session.
        groups : int array, optional
            Groups that are counted; by default all.
        """
        return weights[:, groups] @ self.zq[groups]

    def count(self, weights: csr_array) -> FloatArray:
        """Return the number of events on each session, each counted by its weight, (T,)."""
        size = np.bincount(self.group, minlength=self.zq.shape[0]).astype(float)
        return np.asarray(weights @ size)


@dataclass(frozen=True, eq=False)
class Grouped:
    """The same sums on the days of the estimation window, before they are laid on sessions.

    Attributes
    ----------
    group : (n,) int array
        From 0 to G-1.
    sums : (2, G, L1) float array
        Of z and of q.
    at : (G, L1) int array
        The sessions of the estimation days of each group.
    """

    group: IntArray
    sums: FloatArray
    at: IntArray


def _grouped(sample: AbnormalReturns, separate: IntArray) -> Grouped:
    """Return the sums by group.

    Where a sample lacks only a few of many events, their sums are taken from those of all.
    """
    left_out, whole = sample.left_out, sample.taken_from
    if len(separate):
        return _added(sample, separate)
    if left_out is None or whole is None:
        return _of_all(sample)
    every = _of_all(whole)
    keep = np.ones(len(whole), dtype=bool)
    keep[left_out] = False
    rest = whole.take(left_out)
    sums = every.sums - _summed(rest, every.group[left_out], every.sums.shape[1])
    used, group = _numbered(every.group[keep])
    return Grouped(group, sums[:, used], every.at[used])


def _of_all(study: AbnormalReturns) -> Grouped:
    """Return the sums of events of which samples are taken, computed once."""
    make = _added if study.left_out is None else _grouped
    separate = np.empty(0, np.int64)
    return study.cached(("grouped",), lambda: make(study, separate), any_convention=True)


def _added(sample: AbnormalReturns, separate: IntArray) -> Grouped:
    group, first = _alike(sample.windows, separate)
    at = sample.windows.take(first).estimation_positions
    return Grouped(group, _summed(sample, group, len(first)), at)


def _summed(sample: AbnormalReturns, group: IntArray, groups: int) -> FloatArray:
    """Return the sums of z and q of each group, (2, groups, L1)."""
    sums = np.zeros((2, groups, len(sample.windows.estimation)))
    scores = sample.by_chunk(lambda events: _standard(events.resid))
    for rows, values in zip(chunks(len(group)), scores, strict=True):
        used, place = _numbered(group[rows])
        ones = np.ones(place.size)
        columns = np.arange(place.size)
        indicator = _sparse(ones, (place, columns), (len(used), place.size))
        for total, score in zip(sums, values, strict=True):
            total[used] += indicator @ score
    return sums


def mean_rho(sums: Sums, weights: csr_array) -> float:
    """Return the mean of rho_ij over all pairs as a ratio of sums over sessions.

    Parameters
    ----------
    sums : Sums
        n events.
    weights : (T, G) sparse array
        1 / sqrt(n_i) on the n_i sessions of an event: a pair counts by its share of common
        sessions; or 1 on a single row: a pair counts by its share of common estimation sessions.

    Notes
    -----
    sum_ij z_i'z_j o_ij is the sum of squares of the sums of z over the events of each session, less
    n for the pairs of an event with itself; q in place of z gives its value if every rho were 1
    (docs/methods/tests.md).
    """
    n = len(sums.group)
    total = sums.over(weights).data
    cross, shared = (float((part**2).sum()) - n for part in (total.real, total.imag))
    return cross / shared if shared > Limits.ROUNDING * n else 0.0


def next_session_rho(sums: Sums, weights: csr_array, sides: Sides, pairs: Sides) -> float:
    """Return the mean of rho_ij of two groups where news reaches the second a session later.

    Parameters
    ----------
    sums : Sums
    weights : (T, G) sparse array
        As for :func:`mean_rho`; on a single row all sessions count alike.
    sides : two int arrays
        Events of either side.
    pairs : two int arrays
        Sessions of either side that belong together.
    """
    n, totals = len(sums.group), []
    for events, at in zip(sides, pairs, strict=True):
        rows = at if weights.shape[0] > 1 else slice(None)
        totals.append(sums.over(weights, np.unique(sums.group[events]))[rows][:, at])
    a, b = totals
    cross = a.real.multiply(b.real).sum()
    shared = a.imag.multiply(b.imag).sum()
    return float(cross / shared) if shared > Limits.ROUNDING * n else 0.0


def covering(
    sample: AbnormalReturns, window: Window, sums: Sums, hidden: Iterable[tuple[int, IntArray]]
) -> csr_array:
    """Return 1 / sqrt(n_i) on the n_i sessions that the CARs of each group cover, (T, G) sparse.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    sums : Sums
    hidden : pairs of an event and columns
        Sessions that a CAR covers in addition to the days of the window.
    """
    first = sums.first
    at = sample.windows.event_positions[first, sample.columns(window)]
    group, day = np.nonzero(at >= 0)
    extra = [(sums.group[i], np.setdiff1d(days, at[sums.group[i]])) for i, days in hidden]
    rows = np.concatenate([at[group, day], *(days for _, days in extra)])
    columns = np.concatenate([group, *(np.full(len(days), g) for g, days in extra)])
    size = np.bincount(columns, minlength=len(first))
    return _sparse(1 / np.sqrt(size[columns]), (rows, columns), (sums.sessions, len(first)))


def everywhere(sums: Sums) -> csr_array:
    """Return 1 for each group, (1, G) sparse."""
    groups = sums.zq.shape[0]
    return _sparse(np.ones(groups), (np.zeros(groups, np.int64), np.arange(groups)), (1, groups))


def _standard(resid: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return e / |e|, centred, and 1 / sqrt(M), two (n, L1) arrays; 0 where there is none."""
    used = np.isfinite(resid)
    days = np.maximum(used.sum(axis=1, keepdims=True), 1)
    e = np.where(used, resid, 0.0)
    e = np.where(used, e - e.sum(axis=1, keepdims=True) / days, 0.0)
    norm = np.sqrt(np.einsum("nl,nl->n", e, e))[:, None]
    return np.divide(e, norm, out=e, where=norm > 0), used / np.sqrt(days)


def _alike(windows: EventWindows, separate: IntArray) -> tuple[IntArray, IntArray]:
    """Return the group of each event and the first event of each group.

    Events on the same sessions and hours share a group.
    """
    hours = np.unique(windows.hours, axis=0, return_inverse=True)[1].ravel()
    days = len(windows.estimation) + len(windows.event)
    draws = np.random.default_rng(0).integers(1, 2**62, days + 1)
    number = hours * draws[0]
    for rows in chunks(len(hours)):
        number[rows] += windows.take(rows).positions @ draws[1:]
    _, first, group = np.unique(number, return_index=True, return_inverse=True)
    group = group.ravel().astype(np.int64)
    # Sums that are equal by chance are told apart, and so are separate events.
    same = hours == hours[first[group]]
    for rows in chunks(len(group)):
        used, place = _numbered(first[group[rows]])
        positions = windows.take(rows).positions
        of_first = windows.take(used).positions
        same[rows] &= (positions == of_first[place]).all(axis=1)
    single = np.union1d(np.flatnonzero(~same), separate).astype(np.int64)
    group[single] = len(first) + np.arange(len(single))
    group = _numbered(group)[1]
    return group, _first(group)


def _numbered(values: IntArray) -> tuple[IntArray, IntArray]:
    """Return the distinct values, ascending, and the number of each value among them."""
    distinct, number = np.unique(values, return_inverse=True)
    return distinct, number.ravel().astype(np.int64)


def _first(group: IntArray) -> IntArray:
    return np.unique(group, return_index=True)[1]


def _spread(values: AnyArray, at: IntArray, T: int) -> csr_array:
    """Lay values (G, L1) on their sessions, (G, T) sparse."""
    from scipy.sparse import csr_array

    if (at >= 0).all():
        starts = np.arange(0, at.size + 1, at.shape[1])
        return csr_array((values.ravel(), at.ravel(), starts), (len(at), T))
    row, day = np.nonzero(at >= 0)
    return _sparse(values[row, day], (row, at[row, day]), (len(values), T))


def _sparse(values: AnyArray, at: Sides, shape: tuple[int, int]) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((values, at), shape=shape)
