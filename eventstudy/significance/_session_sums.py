"""Mean cross-correlation of many events from sums over sessions: no array of pairs of events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.chunks import chunks
from ..utility.lazy_records import Pieces
from ..utility.typing import FloatArray, IntArray
from ..windows.event_windows import EventWindows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Sums of shared days below this share of the events are none.
ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class Sums:
    """Standardised residuals, added up over events that have all sessions in common.

    Attributes
    ----------
    group : (n,) int array
        From 0 to G-1.
    z, q : (G, T) sparse arrays
        Sums over the events of a group of e_i / |e_i|, centred, and of 1 / sqrt(M_i), on the
        sessions of the estimation window.
    sessions : int
        T, of the panel.
    """

    group: IntArray
    z: csr_array
    q: csr_array
    sessions: int

    @classmethod
    def of(cls, sample: AbnormalReturns, alone: Iterable[int]) -> Sums:
        """Return the sums of a sample; events `alone` are groups of their own."""
        return _grouped(sample, np.fromiter(alone, np.int64)).laid(sample)

    def over(
        self, weights: csr_array, which: IntArray | slice = slice(None)
    ) -> tuple[csr_array, csr_array]:
        """Return for each session the sums (T, T) of z and q of the events there.

        Parameters
        ----------
        weights : (T, G) sparse array
            What an event of each group counts on each session.
        which : int array, optional
            Groups that are counted; by default all.
        """
        chosen = weights[:, which]
        return chosen @ self.z[which], chosen @ self.q[which]

    def count(self, weights: csr_array) -> FloatArray:
        """Return the number of events on each session, each counted by its weight, (T,)."""
        found: FloatArray = weights @ np.bincount(self.group, minlength=self.z.shape[0]).astype(
            float
        )
        return found


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

    def laid(self, sample: AbnormalReturns) -> Sums:
        """Return the sums on sessions."""
        T = len(sample.windows.sessions)
        z, q = (_spread(total, self.at, T) for total in self.sums)
        return Sums(self.group, z, q, T)


def _grouped(sample: AbnormalReturns, alone: IntArray) -> Grouped:
    """Return the sums of a sample by group; those of most of many events are all less those of the
    rest."""
    larger = sample.larger
    if larger is None and not len(alone):
        return _of_all(sample)
    if larger is None or len(alone):
        return _added(sample, alone)
    whole, left = larger
    every, rest = _of_all(whole), whole.take(left)
    kept = np.ones(len(whole), dtype=bool)
    kept[left] = False
    sums = every.sums - _summed(rest, every.group[left], every.sums.shape[1])
    used, group = np.unique(every.group[kept], return_inverse=True)
    return Grouped(group.ravel().astype(np.int64), sums[:, used], every.at[used])


def _of_all(whole: AbnormalReturns) -> Grouped:
    """Return the sums of events of which samples are taken, computed once."""
    if "grouped" not in whole.memo:
        none = np.empty(0, np.int64)
        whole.memo["grouped"] = (
            _added(whole, none) if whole.larger is None else _grouped(whole, none)
        )
    return whole.memo["grouped"]  # type: ignore[no-any-return]


def _added(sample: AbnormalReturns, alone: IntArray) -> Grouped:
    group, first = _alike(sample.windows, alone)
    at = sample.windows.take(first).estimation_positions
    return Grouped(group, _summed(sample, group, len(first)), at)


def _summed(sample: AbnormalReturns, group: IntArray, groups: int) -> FloatArray:
    """Return the sums of z and q of each group, (2, groups, L1)."""
    sums = np.zeros((2, groups, len(sample.windows.estimation)))
    parts = zip(chunks(len(group)), sample.map(lambda events: _standard(events.resid)), strict=True)
    for part, found in parts:
        there, own = np.unique(group[part], return_inverse=True)
        indicator = _sparse(
            np.ones(own.size), own.ravel(), np.arange(own.size), (len(there), own.size)
        )
        for total, values in zip(sums, found, strict=True):
            total[there] += indicator @ values
    return sums


def mean_rho(sums: Sums, weights: csr_array) -> float:
    """Return the mean of rho_ij over all pairs as a ratio of sums over sessions (docs/methods.md,
    4).

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
    n for the pairs of an event with itself; q in place of z gives what it would be if every rho
    were 1.
    """
    n = len(sums.group)
    cross, shared = (float((own.data**2).sum()) - n for own in sums.over(weights))
    return cross / shared if shared > ROUNDING * n else 0.0


def same_date_mean(sums: Sums, weights: csr_array) -> float:
    """Return the mean of rho_ij 1[same date] over all pairs, from the `weights` of
    :func:`on_day0`."""
    n = len(sums.group)
    pairs = float((sums.count(weights) ** 2).sum()) - n
    return mean_rho(sums, weights) * pairs / (n * (n - 1))


def next_session_rho(
    sums: Sums,
    weights: csr_array,
    sides: tuple[IntArray, IntArray],
    pairs: tuple[IntArray, IntArray],
) -> float:
    """Return the mean of rho_ij of two groups of events where news reaches one a session after the
    other.

    Parameters
    ----------
    sums, weights
        As for :func:`mean_rho`; on a single row all sessions count alike.
    sides : two int arrays
        Events of either side.
    pairs : two int arrays
        Sessions of the one and of the other side that belong together.
    """
    n, found = len(sums.group), []
    for events, at in zip(sides, pairs, strict=True):
        z, q = sums.over(weights, np.unique(sums.group[events]))
        rows = at if weights.shape[0] > 1 else slice(None)
        found.append((z[rows][:, at], q[rows][:, at]))
    (z, q), (z2, q2) = found
    cross, shared = z.multiply(z2).sum(), q.multiply(q2).sum()
    return float(cross / shared) if shared > ROUNDING * n else 0.0


def covering(
    sample: AbnormalReturns, window: Window, sums: Sums, hidden: Iterable[tuple[int, IntArray]]
) -> csr_array:
    """Return 1 / sqrt(n_i) on the n_i sessions that the CARs of each group cover, (T, G) sparse.

    These are the days of the window, and `hidden` ones beside them.
    """
    first = _first(sums.group)
    at = sample.windows.event_positions[first][:, sample.columns(window)]
    group, day = np.nonzero(at >= 0)
    extra = [(sums.group[i], np.setdiff1d(own, at[sums.group[i]])) for i, own in hidden]
    rows = np.concatenate([at[group, day], *(own for _, own in extra)])
    columns = np.concatenate([group, *(np.full(len(own), g) for g, own in extra)])
    size = np.bincount(columns, minlength=len(first))
    return _sparse(1 / np.sqrt(size[columns]), rows, columns, (sums.sessions, len(first)))


def everywhere(sums: Sums) -> csr_array:
    """Return 1 for each group, (1, G) sparse."""
    groups = sums.z.shape[0]
    return _sparse(np.ones(groups), np.zeros(groups, np.int64), np.arange(groups), (1, groups))


def on_day0(sample: AbnormalReturns, sums: Sums) -> csr_array:
    """Return 1 on day 0 of each group, (T, G) sparse."""
    day0 = sample.windows.day0[_first(sums.group)]
    columns = np.flatnonzero(day0 >= 0)
    return _sparse(np.ones(len(columns)), day0[columns], columns, (sums.sessions, len(day0)))


def _standard(resid: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return e / |e|, centred, and 1 / sqrt(M) of each event, two (n, L1) arrays; 0 where there is
    none."""
    known = np.isfinite(resid)
    days = np.maximum(known.sum(axis=1, keepdims=True), 1)
    e = np.where(known, resid, 0.0)
    e = np.where(known, e - e.sum(axis=1, keepdims=True) / days, 0.0)
    norm = np.sqrt(np.einsum("nl,nl->n", e, e))[:, None]
    return np.divide(e, norm, out=e, where=norm > 0), known / np.sqrt(days)


def _alike(windows: EventWindows, alone: IntArray) -> tuple[IntArray, IntArray]:
    """Return the group of each event, those on the same sessions and hours sharing one, and its
    first."""
    hours = np.unique(windows.hours, axis=0, return_inverse=True)[1].ravel()
    days = len(windows.estimation) + len(windows.event)
    draws = np.random.default_rng(0).integers(1, 2**62, days + 1)
    number = hours * draws[0]
    for part, piece in zip(chunks(len(hours)), Pieces(windows), strict=True):
        number[part] += piece.positions @ draws[1:]
    _, first, group = np.unique(number, return_index=True, return_inverse=True)
    group = group.ravel().astype(np.int64)
    # Sums that are equal by chance, and events that are to be alone.
    same = hours == hours[first[group]]
    for part, piece in zip(chunks(len(group)), Pieces(windows), strict=True):
        there, which = np.unique(first[group[part]], return_inverse=True)
        same[part] &= (piece.positions == windows.take(there).positions[which]).all(axis=1)
    other = np.flatnonzero(~same)
    own = np.union1d(other, alone).astype(np.int64)
    group[own] = len(first) + np.arange(len(own))
    _, group = np.unique(group, return_inverse=True)
    group = group.ravel().astype(np.int64)
    return group, _first(group)


def _first(group: IntArray) -> IntArray:
    first: IntArray = np.unique(group, return_index=True)[1]
    return first


def _spread(values: FloatArray, at: IntArray, T: int) -> csr_array:
    """Lay values (G, L1) on their sessions, (G, T) sparse."""
    from scipy.sparse import csr_array

    if (at >= 0).all():
        return csr_array(
            (values.ravel(), at.ravel(), np.arange(0, at.size + 1, at.shape[1])), (len(at), T)
        )
    row, day = np.nonzero(at >= 0)
    return _sparse(values[row, day], row, at[row, day], (len(values), T))


def _sparse(
    values: FloatArray, rows: IntArray, columns: IntArray, shape: tuple[int, int]
) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((values, (rows, columns)), shape=shape)
