"""What an answer is among the same study on other dates, and how much its events moved together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import WeightedSums
from ...errors import InapplicableError
from ...words import LEVEL

# Pairs of events that share a session, and the correlation that they have in all, from which on
# their common movement is measured.
PAIRS, SHARED_SUM = 10, 1.0


@dataclass(frozen=True)
class Calibrated:
    """The p-value of a study among repetitions on other dates (docs/methods/calibration.md).

    Attributes
    ----------
    pvalue : float
        (1 + k) / (1 + draws). Here k counts the repetitions whose p-value is not larger than that
        of the study. NaN if `reason` is not empty.
    draws : int
        Number of repetitions.
    effective_draws : float
        Number of independent repetitions that would be as informative.
    false_alarms : float
        Proportion of the repetitions with p below 5%.
    critical : float
        The value of |t| that 5% of the repetitions exceed.
    shared_movement, shared_share : float
        How many times as much the events moved together as in the estimation windows
        (:func:`shared_movement`), and the proportion of the repetitions that moved together at
        least as much. NaN if this is not measured.
    reason : str
        Why there is no p-value; "" if there is one.
    are_common : bool
        Whether all dates moved by the same number of sessions. If not, each cluster of dates moved
        by its own.
    """

    pvalue: float = np.nan
    draws: int = 0
    effective_draws: float = np.nan
    false_alarms: float = np.nan
    reason: str = ""
    shared_movement: float = np.nan
    shared_share: float = np.nan
    critical: float = np.nan
    are_common: bool = True

    @property
    def error(self) -> float:
        """Monte Carlo standard error of `pvalue`."""
        return Calibrated.draws_error(self.pvalue, self.effective_draws)

    @property
    def rate_error(self) -> float:
        """Monte Carlo standard error of `false_alarms`."""
        return Calibrated.draws_error(self.false_alarms, self.effective_draws)

    def contradicts(self, pvalue: float) -> bool:
        """Return whether a nominal p, or its 5%, is off by more than twice the Monte Carlo error.

        Parameters
        ----------
        pvalue : float
        """
        off = abs(self.pvalue - pvalue) > 2 * self.error
        return off or abs(self.false_alarms - LEVEL) > 2 * self.rate_error

    def overturns(self, pvalue: float) -> bool:
        """Return whether the calibrated p is on the other side of 5% by more than twice its error.

        Parameters
        ----------
        pvalue : float
            The nominal one.
        """
        is_beyond = abs(self.pvalue - LEVEL) > 2 * self.error
        return is_beyond and (self.pvalue < LEVEL) != (pvalue < LEVEL)

    @property
    def share(self) -> float:
        """Proportion of the repetitions whose p-value is not larger than that of the study."""
        return (self.pvalue * (1 + self.draws) - 1) / self.draws if self.draws else np.nan

    @staticmethod
    def draws_error(share: float, draws: float) -> float:
        """Return the Monte Carlo standard error of a share; of none as if it were one of the draws.

        Parameters
        ----------
        share : float
            From 0 to 1.
        draws : float
            Effective number of draws; NaN for none.
        """
        if not draws > 0:
            return np.nan
        share = max(share, 1 / draws)
        return float(np.sqrt(share * (1 - share) / draws))


def shared_movement(sample: AbnormalReturns, window: Window) -> float:
    r"""Return how many times as much as before the events of shared days moved together.

    Parameters
    ----------
    sample : AbnormalReturns
        N events that are valid for the window.
    window : Window

    Returns
    -------
    float
        NaN where r is not positive, fewer than 10 pairs share a session, or the correlations of all
        pairs add up to less than 1; and where all pairs share one, as on one date: there the mean
        has the shared shock.

    Notes
    -----
    With z the standardised CARs less their mean, over the pairs that share a session of the window,

    .. math:: \frac{\sum_{i<j} z_i z_j}{\sum_{i<j} \rho_{ij} o_{ij}} \, \frac{1 - r}{var(z)} .
    """
    n = len(sample)
    try:
        r = WeightedSums(sample, window).factor[0]
    except InapplicableError:
        return np.nan
    if r * n * (n - 1) / 2 < SHARED_SUM:
        return np.nan
    z = sample.scar(window)
    z = z - z.mean()
    at = sample.positions_over(window)
    first = at.min(axis=1)
    last = at.max(axis=1)
    meets = np.less_equal.outer(first, last) & np.greater_equal.outer(last, first)
    i, j = np.nonzero(np.triu(meets, 1))
    together = float(z[i] @ z[j]) / (r * n * (n - 1) / 2)
    is_measured = PAIRS <= len(i) < n * (n - 1) // 2
    return together * (1 - r) / float(z.var(ddof=1)) if is_measured else np.nan
