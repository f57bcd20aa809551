"""Mean correlations over many windows of one sample at once, as the path by day needs them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..utility import BoolArray, FloatArray, IntArray
from .limits import Limits
from .loadings import LoadingSums, UnitLoadings, ends_of, laid
from .pair_sums import Block, PairSum, summed_up
from .pairs import apart, least_common, neighbours


def prepare_correlations(
    abnormal: AbnormalReturns, windows: Iterable[Window], main: Window
) -> None:
    r"""Compute at once the mean correlations of the same events over many windows.

    Parameters
    ----------
    abnormal : AbnormalReturns
    windows : iterable of Window
    main : Window
        Of few events the one that is left out, as its pairs without a rho are to be counted.

    Notes
    -----
    The loadings of an event on its estimation days are its regressors times a vector g(w), and on
    its event days they are 0 or 1. So :math:`a_i' a_j` is a form in g and these days whose matrix
    depends on no window, and sums over pairs of all windows are matrix products with it.
    """
    asked_for = [
        (window, rows)
        for window in dict.fromkeys(windows)
        for rows in _distinct(abnormal.valid(window), abnormal.in_tests(window))
    ]
    if len(abnormal) > Limits.PAIRWISE:
        LoadingSums.prepare(abnormal, asked_for)
        return
    by_sample: dict[int, tuple[AbnormalReturns, list[Window]]] = {}
    for window, rows in asked_for:
        if window != main:
            sample = abnormal.where(rows)
            by_sample.setdefault(id(sample), (sample, []))[1].append(window)
    for sample, asked in by_sample.values():
        if len(sample) > 1 and sample.conventions.overlap == "exact" and sample.params.shape[1]:
            new = [window for window in asked if not sample.hidden(window)]
            if len(new) >= Limits.FEWEST_WINDOWS and not apart(sample):
                _prepare(sample, new)


def _distinct(valid: BoolArray, tested: BoolArray) -> list[BoolArray]:
    return [valid] if np.array_equal(valid, tested) else [valid, tested]


def _prepare(sample: AbnormalReturns, windows: list[Window]) -> None:
    """Preset the mean correlations of a sample over some windows."""
    forms = _Forms.of(sample, windows)
    need = least_common(sample)
    sums = [PairSum() for _ in windows]
    same_date = PairSum()
    for rows, near in neighbours(*forms.ends):
        block = Block.of(sample, need, rows, near)
        same_date.merge(block.same_date)
        lacking = np.zeros(block.rho.shape)
        lacking[block.missing] = 1.0
        is_before = forms.event[0][near] <= forms.estimation[1][rows, None]
        if is_before.any(where=block.present | (lacking > 0)):
            # An event day of the second event lies among the estimation days of the first.
            return
        products, missing = forms.over_pairs(np.stack([block.rho, lacking]), rows, near)
        rho, none = forms.without_overlap(block, rows, near)
        first, last = forms.ends
        i = rows[block.missing[0]]
        j = near[block.missing[1]]
        sharing = int(((first[i] <= last[j]) & (first[j] <= last[i])).sum())
        for w, pairs in enumerate(sums):
            pairs.products += float(products[w])
            pairs.weight_missing += float(missing[w])
            pairs.missing += sharing
            pairs.rho += block.total - float(rho[none[:, w]].sum())
            pairs.counted += block.pairs - int(none[:, w].sum())
    for window, pairs in zip(windows, sums, strict=True):
        if pairs.counted:
            summed_up(pairs, same_date, len(sample)).keep(sample, window)


class _Forms(UnitLoadings):
    """Sums over pairs of the products of two loadings."""

    @property
    def ends(self) -> tuple[IntArray, IntArray]:
        """First and last column of each event, (n,) each."""
        return ends_of(self.events.windows.positions)

    @cached_property
    def estimation(self) -> tuple[IntArray, IntArray]:
        """First and last column of the estimation days that were used."""
        at = self.events.windows.estimation_positions
        return ends_of(np.where(np.isfinite(self.events.resid), at, -1))

    @cached_property
    def event(self) -> tuple[IntArray, IntArray]:
        """First and last column of the event days."""
        return ends_of(self.events.windows.event_positions)

    def over_pairs(self, weights: FloatArray, rows: IntArray, near: IntArray) -> FloatArray:
        """Return the sums of weights (2, rows, near) times the overlap over pairs, (2, W)."""
        (first, last), windows = self.ends, self.events.windows
        start = int(first[rows].min())
        stop = int(last[rows].max()) + 1
        x = laid(self.x[near], windows.estimation_positions[near], range(start, stop))
        estimation = self._of_estimation(weights, rows, near, x, start)
        return estimation + self._of_event_days(weights, rows, near)

    def without_overlap(
        self, block: Block, rows: IntArray, near: IntArray
    ) -> tuple[FloatArray, BoolArray]:
        """Return the rho of P pairs, and in which windows they have no overlap, (P,) and (P, W).

        Loadings are orthogonal to the regressors on their days: where those of the first lie within
        the estimation days of the second, nothing is left.
        """
        (begin, end) = self.estimation
        day = self.event[0]
        i = rows[:, None]
        within = (begin[near] <= begin[i]) & (day[i] <= end[near])
        row, column = np.nonzero(within & block.present)
        pairs = np.stack([rows[row], near[column]])
        none = np.zeros((len(row), self.pull.shape[2]), dtype=bool)
        if len(row):
            events, (first, second) = np.unique(pairs, return_inverse=True)
            at = self.events.windows.positions[events]
            columns = range(int(at[at >= 0].min()), int(at.max()) + 1)
            for w in range(none.shape[1]):
                estimation = np.einsum("nlk,nk->nl", self.x[events], self.pull[events, :, w])
                a = laid(np.hstack([estimation, self.days[events, :, w]]), at, columns)
                none[:, w] = np.abs(np.einsum("pc,pc->p", a[first], a[second])) <= Limits.ROUNDING
        return block.rho[row, column], none

    def _of_estimation(
        self, weights: FloatArray, rows: IntArray, near: IntArray, x: FloatArray, start: int
    ) -> FloatArray:
        """Return the part of the second events' estimation days, with all days of the first."""
        m, columns, k = x.shape
        of_day = x.transpose(1, 2, 0).reshape(columns, k * m)
        weights = np.tile(weights, k)
        pull = self.pull[near].transpose(1, 0, 2).reshape(k * m, -1)
        total = np.zeros((2, pull.shape[1]))
        for j in range(k):
            form = weights * (x[: len(rows), :, j] @ of_day)
            total += np.einsum("rw,srw->sw", self.pull[rows, j], form @ pull)
        for day, place in enumerate(self.events.windows.event_positions[rows].T - start):
            inside = (place >= 0) & (place < columns)
            if inside.any():
                form = weights * of_day[np.where(inside, place, 0)]
                days = np.where(inside[:, None], self.days[rows, day], 0.0)
                total += np.einsum("rw,srw->sw", days, form @ pull)
        return total

    def _of_event_days(self, weights: FloatArray, rows: IntArray, near: IntArray) -> FloatArray:
        """Return the part of the sessions that are event days of both."""
        close = np.flatnonzero(self.event[0][near] <= self.event[1][rows].max())
        at = self.events.windows.event_positions[near[close]]
        r = len(rows)
        session, events = np.unique(at[at >= 0], return_counts=True)
        shared = session[events > 1]
        if not len(shared):
            return np.zeros((2, self.days.shape[2]))
        place = np.searchsorted(shared, at)
        place = np.where(shared[np.minimum(place, len(shared) - 1)] == at, place, -1)
        days = laid(self.days[near[close]], place, range(len(shared))).transpose(1, 0, 2)
        of_first = laid(self.days[rows], place[close < r], range(len(shared))).transpose(1, 0, 2)
        sums = [np.einsum("crw,crw->w", of_first, w[:, close] @ days) for w in weights]
        return np.array(sums)
