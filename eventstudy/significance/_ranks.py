"""What rank and sign tests share: rounding before ties, and sums over days of unequal histories."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray, IntArray
from ._base import InapplicableError, Value
from ._correlation import mean_correlation

# docs/methods.md, 4: without rounding, noise of 1e-17 would break ties.
DECIMALS = 12
# Day sums below this are the rounding of sums that cancel.
TIED = 1e-9


class Totals(NamedTuple):
    """Sums of the scores of each day, and how many there are, each (T,)."""

    total: FloatArray
    days: IntArray

    @classmethod
    def of(cls, scores: FloatArray) -> Totals:
        """Return those of scores (n, T); NaN = no score."""
        known = np.isfinite(scores)
        return cls(np.where(known, scores, 0.0).sum(axis=0), known.sum(axis=0))

    @classmethod
    def over(
        cls, sample: AbnormalReturns, scores: Callable[[AbnormalReturns], FloatArray]
    ) -> Totals:
        """Return those of the scores (n, T) that a function gives for events, taken in chunks."""
        parts = list(sample.map(lambda events: cls.of(scores(events))))
        return cls(*(np.sum(own, axis=0) for own in zip(*parts, strict=True)))

    @classmethod
    def once(
        cls, sample: AbnormalReturns, name: str, scores: Callable[[AbnormalReturns], FloatArray]
    ) -> Totals:
        """Return those of scores of each event by itself, kept under `name`.

        Those of most of many events are the sums of all less those of the rest.
        """
        if ("totals", name) not in sample.memo:
            larger = sample.larger
            if larger is None:
                sample.memo["totals", name] = cls.over(sample, scores)
            else:
                whole, left = larger
                every, rest = cls.once(whole, name, scores), cls.over(whole.take(left), scores)
                sample.memo["totals", name] = cls(every.total - rest.total, every.days - rest.days)
        return sample.memo["totals", name]  # type: ignore[no-any-return]

    def scaled(self, same_date: float) -> FloatArray:
        """Return sum_i U_it / sqrt(N_t (1 + (N_t - 1) r0)), shape (T,); NaN on days without a
        score."""
        scale = np.sqrt(self.days * (1 + (self.days - 1) * same_date))
        return np.where(self.days > 0, self.total / np.where(self.days > 0, scale, 1.0), np.nan)


def scaled_ranks(values: FloatArray) -> FloatArray:
    """Rank each row (ties averaged, NaN left out) and centre it: K/(T_i+1) - 1/2."""
    own = np.round(values, DECIMALS)
    ranks: FloatArray = _ranked(own) / (np.isfinite(own).sum(axis=1, keepdims=True) + 1) - 0.5
    return ranks


def _ranked(values: FloatArray) -> FloatArray:
    """Rank each row from 1; rows with ties, which are few, by scipy."""
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
    """Sum the scores (n, T) of each day, scaled to equal variance across days with N_t scores.

    Parameters
    ----------
    scores : (n, T) float array
        NaN = no score.
    same_date : float
        Mean same-date correlation r0 (docs/methods.md, 4, unequal histories).

    Returns
    -------
    (T,) float array
        sum_i U_it / sqrt(N_t (1 + (N_t - 1) r0)); NaN on days without a score.
    """
    return Totals.of(scores).scaled(same_date)


def all_days(sample: AbnormalReturns) -> FloatArray:
    """Residuals and abnormal returns side by side, (n, L1+L2); one over m sessions is divided by
    sqrt(m)."""
    return np.hstack([sample.resid, event_days(sample)])


def event_days(sample: AbnormalReturns) -> FloatArray:
    """Return the abnormal returns (n, L2); one over m sessions is divided by sqrt(m)."""
    scaled: FloatArray = sample.ar / np.sqrt(np.maximum(sample.length, 1))
    return scaled


def rank_z(sample: AbnormalReturns, window: Window, totals: Totals) -> Value:
    """Return sum_W(g) / (sqrt(L) S), g the day sums of scores of L1+L2 days, S^2 the mean of g^2.

    By convention `fpc` over sqrt((T-L)/(T-1)) as well: the sum is that of L draws without
    replacement.
    """
    same_date = mean_correlation(sample, window).same_date if len(sample) > 1 else 0.0
    g = totals.scaled(same_date)
    known = np.isfinite(g)
    S = np.sqrt((g[known] ** 2).mean())
    if S < TIED:
        raise InapplicableError("all ranks are tied")
    inside = g[-len(sample.event) :][sample.columns(window)]
    days = np.isfinite(inside).sum()
    if days == 0:
        raise InapplicableError("no event has a return that spans one session only")
    T = known.sum()
    finite = np.sqrt((T - days) / (T - 1)) if sample.conventions.fpc else 1.0
    return Value(float(np.nansum(inside) / (np.sqrt(days) * S * finite)), np.inf)
