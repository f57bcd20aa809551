"""Ranks rounded before ties, and day sums of scores over events of unequal histories."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import WeightedSums, require
from ..utility import FloatArray, IntArray
from ._base import Value

# docs/methods/tests.md: without rounding, noise of 1e-17 would break ties.
DECIMALS = 12
# Day sums below this are the rounding of sums that cancel.
TIED = 1e-9

# Scores of events, (n, T).
Scores = Callable[[AbnormalReturns], FloatArray]


class Totals(NamedTuple):
    """Sums of the scores of each day, and the number of scores, each (T,)."""

    total: FloatArray
    days: IntArray

    @classmethod
    def of(cls, scores: FloatArray) -> Totals:
        """Return the totals of scores (n, T); NaN = no score."""
        scored = np.isfinite(scores)
        return cls(np.where(scored, scores, 0.0).sum(axis=0), scored.sum(axis=0))

    @classmethod
    def over(cls, sample: AbnormalReturns, scores: Scores) -> Totals:
        """Return the totals of scores that are computed chunk by chunk.

        Parameters
        ----------
        sample : AbnormalReturns
        scores : callable
            Takes events and returns their scores, (n, T).
        """
        totals = list(sample.by_chunk(lambda events: cls.of(scores(events))))
        return cls(*(np.sum(arrays, axis=0) for arrays in zip(*totals, strict=True)))

    @classmethod
    def once(cls, sample: AbnormalReturns, name: str, scores: Scores) -> Totals:
        """Return the totals of scores of each event by itself, kept under `name`.

        Parameters
        ----------
        sample : AbnormalReturns
            Of a sample of most of many events the totals are those of all less those of the rest.
        name : str
        scores : callable
            As in :meth:`over`.
        """
        key = ("totals", name)
        return sample.cached(key, lambda: cls._added(sample, name, scores), any_convention=True)

    @classmethod
    def _added(cls, sample: AbnormalReturns, name: str, scores: Scores) -> Totals:
        """Return the totals from others that are known, or over all events.

        A group does not take its totals from those of all, which are the sum over the groups.
        """
        left_out, whole = sample.left_out, sample.taken_from
        if left_out is not None and whole is not None and not sample.is_group:
            every = cls.once(whole, name, scores)
            minus = cls.over(whole.take(left_out), scores)
            return cls(every.total - minus.total, every.days - minus.days)
        if groups := sample.groups:
            totals = [cls.once(group, name, scores) for group in groups]
            return cls(*(sum(arrays) for arrays in zip(*totals, strict=True)))
        return cls.over(sample, scores)

    def scaled(self, same_date: float) -> FloatArray:
        r"""Return the sums scaled to equal variance across days, shape (T,); NaN without scores.

        Notes
        -----
        With :math:`N_t` scores on day t and the mean same-date correlation :math:`r_0`:

        .. math:: g_t = \sum_i U_{it} / \sqrt{N_t (1 + (N_t - 1) r_0)}
        """
        scale = np.sqrt(self.days * (1 + (self.days - 1) * same_date))
        return np.where(self.days > 0, self.total / np.where(self.days > 0, scale, 1.0), np.nan)


def scaled_ranks(values: FloatArray) -> FloatArray:
    """Return the centred ranks K/(T_i+1) - 1/2 of each row, shape (n, T); NaN without a value.

    Examples
    --------
    >>> scaled_ranks(np.array([[0.03, -0.01, np.nan, 0.03]]))
    array([[ 0.125, -0.25 ,    nan,  0.125]])
    """
    values = np.round(values, DECIMALS)
    return np.asarray(_ranked(values) / (np.isfinite(values).sum(axis=1, keepdims=True) + 1) - 0.5)


def _ranked(values: FloatArray) -> FloatArray:
    """Rank each row from 1; rows with ties, which are rare, by scipy."""
    order = np.argsort(values, axis=1)
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, values.shape[1] + 1)[None], axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if tied.any():
        from scipy.stats import rankdata

        ranks[tied] = rankdata(values[tied], axis=1, nan_policy="omit")
    ranks[np.isnan(values)] = np.nan
    return ranks


def day_sums(scores: FloatArray, same_date: float) -> FloatArray:
    """Return the day sums of scores, scaled to equal variance across days, shape (T,).

    Parameters
    ----------
    scores : (n, T) float array
        NaN = no score; a day without any is NaN.
    same_date : float
        Mean same-date correlation r0 (docs/methods/tests.md, unequal histories).
    """
    return Totals.of(scores).scaled(same_date)


def same_date_mean(sample: AbnormalReturns, window: Window) -> float:
    """Return r0, the mean same-date correlation of the events; 0 for one event.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    """
    return WeightedSums(sample, window).correlation.same_date if len(sample) > 1 else 0.0


def scaled_total(sample: AbnormalReturns, window: Window, same_date: float) -> float:
    """Return the sum of the CARs over sqrt(N (1 + (N-1) r0)), with windows that end where they end.

    Parameters
    ----------
    sample : AbnormalReturns
        N events.
    window : Window
    same_date : float
        r0.
    """
    n = len(sample)
    total = sample.unextended.level_car(window).sum() / np.sqrt(n * (1 + (n - 1) * same_date))
    return float(total)


def all_days(sample: AbnormalReturns) -> FloatArray:
    """Return residuals and abnormal returns side by side, shape (n, L1+L2); see event_days."""
    return np.hstack([sample.resid, event_days(sample)])


def event_days(sample: AbnormalReturns) -> FloatArray:
    """Return the abnormal returns (n, L2); one over m sessions is divided by sqrt(m)."""
    return sample.ar / np.sqrt(np.maximum(sample.length, 1))


def positive_cars(sample: AbnormalReturns, window: Window) -> int:
    """Return the number of CARs above 0 after rounding.

    Parameters
    ----------
    sample : AbnormalReturns
    window : Window
    """
    return int((np.round(sample.car(window), DECIMALS) > 0).sum())


def rank_z(sample: AbnormalReturns, window: Window, totals: Totals) -> Value:
    r"""Return the standardised sum of the day sums of scores over the window.

    Parameters
    ----------
    sample : AbnormalReturns
        N events.
    window : Window
        L days.
    totals : Totals
        Of the scores of all T = L1+L2 days.

    Returns
    -------
    Value
        The statistic, to be compared with N(0,1).

    Raises
    ------
    InapplicableError
        If all scores are tied, or no event has a return of a day of the window.

    Notes
    -----
    .. math:: Z = \frac{\sum_{t \in W} g_t}{\sqrt L \, S}, \quad
        S^2 = \frac1T \sum_t g_t^2

    g are the scaled day sums (:meth:`Totals.scaled`). By convention ``fpc`` Z is divided by
    sqrt((T-L)/(T-1)) as well: the sum is that of L draws without replacement. Days without any
    score count neither in L nor in T.
    """
    g = totals.scaled(same_date_mean(sample, window))
    scored = np.isfinite(g)
    S = np.sqrt((g[scored] ** 2).mean())
    require(not S < TIED, "tied_ranks")
    inside = g[-len(sample.event) :][sample.columns(window)]
    days = np.isfinite(inside).sum()
    require(days > 0, "no_single_session")
    T = scored.sum()
    finite = np.sqrt((T - days) / (T - 1)) if sample.conventions.fpc else 1.0
    return Value(float(np.nansum(inside) / (np.sqrt(days) * S * finite)), np.inf)
