"""Shared dates on which single events moved more than usual: is that spread the firms' own?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import WeightedSums
from ...errors import InapplicableError
from ...significance import FULL_SAMPLE, STATISTICS
from ...words import LEVEL
from ..interval import Interval

# N r and kappa above which the answer has a second reading.
SHARED_SUM, RAISED = 1.0, 1.5
# p of the test of ranks below which single events moved more than usual.
SURE = 0.01
# Moves to one side: so many times as many as chance makes significant, and so many at least.
TIMES, FEWEST = 2.0, 2


@dataclass(frozen=True, slots=True)
class UnequalReactions:
    """The main result under the assumption that each firm reacts to the news in its own way.

    Attributes
    ----------
    kappa : float
        Variance of the standardised CARs (SCAR) across events, divided by its value without news:
        var(SCAR) / (1 - r). Here r is the mean correlation between the events.
    effect : Interval
        The effect of the answer, with the standard error that follows from this assumption.
    pvalue : float
        p-value of `effect`.
    rank_statistic, rank_pvalue : float
        Result of the test ``rank_variance``: whether single events moved more than on other days.
        NaN for more than 5,000 events.
    rose, fell : int
        Number of events whose own CAR is significantly positive, and significantly negative.
    n_events : int
    """

    kappa: float
    effect: Interval
    pvalue: float
    rank_statistic: float
    rank_pvalue: float
    rose: int
    fell: int
    n_events: int

    @property
    def is_sure(self) -> bool:
        """Whether single events moved more than usual beyond doubt."""
        return self.rank_statistic > 0 and self.rank_pvalue < SURE

    @property
    def swing(self) -> float:
        """How many times as far as usual single events moved, beside their average."""
        return float(np.sqrt(self.kappa))

    @property
    def is_both_ways(self) -> bool:
        """Whether to each side more than twice as many moved as chance makes significant."""
        by_chance = self.n_events * LEVEL / 2
        return min(self.rose, self.fell) >= max(FEWEST, TIMES * by_chance)


def measure_unequal(
    sample: AbnormalReturns, window: Window, estimate: float
) -> UnequalReactions | None:
    """Return the answer if extra spread is the firms' own; None where the question does not arise.

    Parameters
    ----------
    sample : AbnormalReturns
        N events that the main test takes.
    window : Window
    estimate : float
        Of the answer (decimal).

    Returns
    -------
    UnequalReactions or None
        None for fewer than five events, and unless N r > 1 and kappa > 1.5.
    """
    n = len(sample)
    if n < FULL_SAMPLE:
        return None
    try:
        r = WeightedSums(sample, window).factor[0]
    except InapplicableError:
        return None
    kappa = float(sample.scar(window).var(ddof=1)) / (1 - r) if r < 1 else np.nan
    if not (n * r > SHARED_SUM and kappa > RAISED):
        return None
    effect = added_interval(sample, window, estimate)
    statistic, p = np.nan, np.nan
    if not sample.is_of_many:
        ranks = STATISTICS[STATISTICS.for_role("raised variance")](sample, window)
        statistic, p = ranks.statistic, ranks.pvalue
    car = sample.car(window)
    is_significant = sample.car_pvalues(window, sample.recent_variance(window)) < LEVEL
    rose = int((is_significant & (car > 0)).sum())
    fell = int((is_significant & (car < 0)).sum())
    return UnequalReactions(kappa, effect, effect.pvalue, statistic, p, rose, fell, n)


def added_interval(sample: AbnormalReturns, window: Window, estimate: float) -> Interval:
    r"""Return the estimate with the error that adds the usual shared part to the firms' own spread.

    Parameters
    ----------
    sample : AbnormalReturns
        N events that the main test takes.
    window : Window
    estimate : float
        Of the answer (decimal).

    Returns
    -------
    Interval

    Notes
    -----
    The main test multiplies the whole spread s of the SCARs by (1 + (N-1) r) / (1 - r), as if the
    firms shared what is beyond the usual. If it is their own, only the usual shared part is to be
    added. The standard error of the mean SCAR is then

    .. math:: \sqrt{(s^2 + N \max(r, 0)) / N}

    with t(N-1). Where the shared variance rises, this test rejects too often.
    """
    n = len(sample)
    r = WeightedSums(sample, window).factor[0]
    error = np.sqrt((sample.scar(window).var(ddof=1) + n * max(r, 0.0)) / n)
    precision = float((1 / np.sqrt(sample.var_car(window))).mean())
    return Interval.of(estimate, error / precision, n - 1.0)
