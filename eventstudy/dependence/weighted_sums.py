"""What correlation does to the variance of sums of CARs: the door of this room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..errors import InapplicableError
from ..utility import BoolArray, FloatArray, IntArray
from ..words import Reason
from . import draws, many_windows, pair_sums, pairs
from .limits import Limits, require
from .loadings import Loadings
from .pairs import Correlation, key_of
from .session_sums import by_session

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class WeightedSums:
    r"""Sums of the CARs of some events over one window, whose days lie on the calendar.

    Attributes
    ----------
    sample : AbnormalReturns
        n events, all valid for `window`.
    window : Window

    Notes
    -----
    Two engines stand behind it: sums over all pairs of events, and above ``Limits.PAIRWISE``
    events sums over sessions, without any array of pairs (docs/methods/tests.md).
    """

    sample: AbnormalReturns
    window: Window

    @property
    def correlation(self) -> Correlation:
        r"""The mean correlation of standardised CARs over all pairs of at least two events.

        Notes
        -----
        .. math::

            \bar r = \frac{2}{N (N - 1)} \sum_{i<j} \rho_{ij} o_{ij}, \quad
            o_{ij} = \frac{a_i' a_j}{|a_i| |a_j|}

        :math:`\rho_{ij}` is the correlation of the estimation residuals on common *calendar*
        sessions. :math:`o_{ij}` is the correlation that the two CARs would have if it were 1, the
        cosine of their loadings a on the daily errors. Events of exchanges that are never open
        together are paired at lags -1, 0 and 1. Where a price stands still on many days,
        :math:`\rho_{ij}` itself is a sum over these lags
        (:func:`~eventstudy.dependence.pairs.correlations`), which goes beyond Kolari and Pynnönen.
        Above ``Limits.PAIRWISE`` events it is a ratio of sums over sessions. Missing data: a pair
        with too few common sessions takes the mean of the other pairs whose :math:`o_{ij}` is not
        zero.

        References
        ----------
        Kolari, J. W. and Pynnönen, S. (2010), Event study testing with cross-sectional correlation
        of abnormal returns, Review of Financial Studies 23, 3996-4025, for one date and equal
        histories.
        """
        estimate = by_session if len(self.sample) > Limits.PAIRWISE else pair_sums.by_pair
        key = key_of(self.sample, self.window)
        return self.sample.cached(key, lambda: estimate(self.sample, self.window))

    @property
    def factor(self) -> tuple[float, float]:
        """Return r and 1 + (N - 1) r, by which correlation multiplies the variance of a mean.

        Returns
        -------
        r : float
            Mean :attr:`correlation`, but zero where it :meth:`is_unreliable`, and for one event.
        factor : float
            For the mean of the standardised CARs.

        Raises
        ------
        InapplicableError
            If r cannot be estimated, or the factor is not clearly positive.
        """
        n = len(self.sample)
        r = self.correlation.rbar if n > 1 else 0.0
        require(np.isfinite(r), "no_common_days")
        r = 0.0 if self.is_unreliable(r) else r
        factor = 1 + (n - 1) * r
        require(factor > Limits.SMALLEST_FACTOR, "small_factor", factor=factor)
        return r, factor

    def is_unreliable(self, rbar: float) -> bool:
        """Return whether a mean correlation is negative and rests on fewer than 60 sessions a pair.

        Parameters
        ----------
        rbar : float
        """
        return bool(rbar < 0) and pairs.mean_common_sessions(self.sample) < Limits.SHORT_HISTORY

    def variance(self, weights: FloatArray) -> FloatArray:
        """Return sum_ij w_i w_j rho_ij o_ij over all i and j, the variance of sums of unit CARs.

        Parameters
        ----------
        weights : (n,) or (n, q) float array
            Of one sum, or of q sums in columns.

        Returns
        -------
        () or (q, q) float array
            The variance of the sum, or the covariances of the q sums.

        Raises
        ------
        InapplicableError
            If windows overlap and no pair has enough common sessions, unless the overlap is
            negligible.

        Notes
        -----
        The rho_ij o_ij are those of :attr:`correlation`. Above ``Limits.PAIRWISE`` events, in one
        sum every pair has their mean, and those of several are added up piece by piece.
        """
        squares = weights.T @ weights
        if len(self.sample) > Limits.PAIRWISE and weights.ndim == 1:
            return np.asarray(squares + self.correlation.rbar * (weights.sum() ** 2 - squares))
        total = pair_sums.weighted(self.sample, self.window, weights)
        require(bool(np.isfinite(total).all()), "no_common_days")
        return np.asarray(squares + total + total.T)

    def without(self, sets: csr_array) -> tuple[FloatArray, FloatArray]:
        """Return the mean correlation of the events without each set, estimated anew.

        Parameters
        ----------
        sets : (G, n) sparse array
            1 for the events of each set.

        Returns
        -------
        r : (G,) float array
            Mean correlation of the remaining events; NaN where it cannot be estimated. Whether a
            negative one counts as zero is decided by the histories of all events.
        contrast : (G,) float array
            c'(I + C)c, C the correlations of all pairs of CARs, c = 1/n_g on the set and
            -1/n_rest elsewhere.

        Notes
        -----
        Above ``Limits.PAIRWISE`` events r is that of all of them, without an array of pairs.
        """
        size = sets.sum(axis=1)
        try:
            if len(self.sample) <= Limits.PAIRWISE:
                return pair_sums.correlation_without(self.sample, self.window, sets)
            r = np.full(len(size), self.factor[0])
        except InapplicableError:
            return np.full(len(size), np.nan), np.full(len(size), np.nan)
        return r, (1 - r) * (1 / size + 1 / (len(self.sample) - size))

    @property
    def is_near_elsewhere(self) -> bool:
        """Whether windows of exchanges that are never open together share sessions or adjoin."""
        return pairs.near_sessions_apart(self.sample, self.window)

    @property
    def session_ends(self) -> tuple[IntArray, IntArray]:
        """First and last session that each CAR covers, as columns of the calendar, (n,) each.

        Where some exchanges are never open together, the last is a session later: news of the one
        reaches the other then.
        """
        at = self.sample.positions_over(self.window)
        first, last = Loadings(np.ones(at.shape), at, self.sample.hidden(self.window)).ends
        return first, last + pairs.apart(self.sample)

    @staticmethod
    def caution(factor: float) -> str:
        """Return a caution if the residuals of the events cancel more than they should.

        Parameters
        ----------
        factor : float
            1 + (N - 1) r.
        """
        return Reason("cancelling", factor=float(factor)) if factor < Limits.SMALL_FACTOR else ""

    @staticmethod
    def prepare(abnormal: AbnormalReturns, windows: Iterable[Window], main: Window) -> None:
        """Compute the correlations over many windows of the same events at once.

        Parameters
        ----------
        abnormal : AbnormalReturns
        windows : iterable of Window
        main : Window
            Of few events the one that is left out, as its pairs without a rho are to be counted.
        """
        many_windows.prepare_correlations(abnormal, windows, main)

    def give_to(
        self, draws_of_events: list[AbnormalReturns], in_draw: BoolArray, place: IntArray,
        axis: IntArray,
    ) -> BoolArray:  # fmt: skip
        """Give draws with shifted dates their mean correlation, all at once.

        Parameters
        ----------
        draws_of_events : list of B AbnormalReturns
            The events of each draw; `sample` has all of them, draw by draw.
        in_draw : (B, n) bool array
        place : (B, n) int array
            Day 0 of each event on the clock in which dates were shifted.
        axis : (T,) int array
            Place on that clock of each column of the panel.

        Returns
        -------
        (B,) bool array
            False for those that have to be computed one by one.
        """
        return draws.preset_correlations(
            self.sample, self.window, draws_of_events, in_draw, place, axis
        )


def residual_correlations(sample: AbnormalReturns) -> FloatArray:
    """Return the correlations of the residuals of all pairs, (n, n); NaN without common sessions.

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    """
    return pairs.correlations(sample, pairs.least_common(sample))


def still_days(sample: AbnormalReturns) -> FloatArray:
    """Return the share of the used estimation days (n,) on which the price stood still.

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    """
    return sample.of_each_event(("still",), pairs.still_days)
