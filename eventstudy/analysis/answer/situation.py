"""How the events of a study lie in time and how their returns behave, for the choice of a test."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...abnormal import AbnormalReturns
from ...calendars import Window
from ...dependence import WeightedSums, still_days
from ...fitting import FittedStudy
from ...significance import FULL_SAMPLE, DateClusters
from ...utility import Flag, FloatArray, IntArray

Kind = Literal[
    "none", "single", "one_date", "close_dates", "same_date_groups", "dispersed"
]  # fmt: skip
REJECTS = 0.05
# At correlation .3 a quarter of a neighbour per event gives the mean 1.075 the variance: size 5.9%.
MATERIAL_NEIGHBOURS = 0.25
# Variance ratios up to this leave tests without a remedy below 11%
# (docs/methods/second-opinions.md).
MATERIAL_VARIANCE = 1.5
# Returns that begin after this share of the estimation window have not been traded before.
LATE = 0.05
# Fewer events tell a skewness of 1 badly from none: the standard error is sqrt(6/N).
MATERIAL_SKEWNESS, SKEWNESS_EVENTS = 1.0, 20
# Of fewer events the variance across them is known too badly to be compared with that before.
KAPPA_EVENTS = 5


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Numbers on the N events that are valid for one window; shares are from 0 to 1.

    Attributes
    ----------
    window : Window
    kind : str
        ``none``; ``single``, one event; ``one_date``, several events on one date; ``close_dates``,
        windows of different dates share sessions, for a quarter of a neighbour an event or more;
        else ``same_date_groups``, several dates of which one or more have several events; else
        ``dispersed``.
    n_events, n_dates, n_clusters : int
        Events, dates, and dates once those fewer than L sessions apart are merged.
    events_per_date : tuple
        Smallest, median and largest number.
    largest_date : float
        Share of the events on the largest date.
    same_date_pairs, overlapping_pairs : float
        Share of the pairs of events on one date, and on different dates with windows that share
        sessions.
    rbar, same_date_r, factor, effective_n : float
        r, r0, 1 + (N-1) r and N over that factor (docs/methods/tests.md).
    variance_ratio, kappa : float
        Mean of SAR^2 (nu-2)/nu over the window, and var(SCAR) / (1 - r), which a mean effect does
        not raise.
    skewness, normality_p : float
        Unbiased skewness of the CARs, and Jarque and Bera's p.
    residual_skewness, non_normal : float
        Mean skewness of the estimation residuals, and share of the events where they are not normal
        at 5%.
    session_later : bool
        Whether events on exchanges that are never open together are so near in time that the same
        news could reach one of them a session later than the other.
    r_set_to_zero : bool
        Whether a negative r of pairs with few common sessions was taken as zero.
    missing_days, multi_day : float
        Share of the estimation days without a return, and of the event-window returns over several
        sessions. Days before the first return of an event that begins late are not among them.
    late_events : int
        Events whose returns begin after a twentieth of the estimation window or later.
    estimation_length, shortest_estimation : int
        Days of the estimation window, and smallest number of them that an event has.
    time_unknown : float
        Share of the announcements without an hour.
    repeated_firms : int
        Tickers with several events.
    still_days : float
        Share of the estimation days with a return of exactly zero (models with regressors).
    recent_variance : float
        Up to four events: the mean k, how many times the variance of the estimation window the
        firms had around the events (docs/methods/answer.md). 1 for more events.
    """

    window: Window
    kind: Kind
    n_events: int
    n_dates: int
    n_clusters: int
    events_per_date: tuple[int, float, int]
    largest_date: float
    same_date_pairs: float
    overlapping_pairs: float
    rbar: float
    same_date_r: float
    factor: float
    effective_n: float
    variance_ratio: float
    kappa: float
    skewness: float
    normality_p: float
    residual_skewness: float
    non_normal: float
    session_later: bool
    r_set_to_zero: bool
    missing_days: float
    multi_day: float
    late_events: int
    estimation_length: int
    shortest_estimation: int
    time_unknown: float
    repeated_firms: int
    still_days: float = 0.0
    recent_variance: float = 1.0

    @property
    def variance_raised(self) -> bool:
        """Whether the variance ratio and kappa exceed 1.5; below five events nobody can tell."""
        return self.n_events >= KAPPA_EVENTS and self.theta > MATERIAL_VARIANCE

    @property
    def theta(self) -> float:
        """The smaller of variance ratio and kappa; NaN if one is not known."""
        return float(np.minimum(self.variance_ratio, self.kappa))

    @property
    def skewed(self) -> bool:
        """Whether the CARs of 20 events or more, or the residuals, are skewed by more than 1."""
        in_sample = self.n_events >= SKEWNESS_EVENTS and abs(self.skewness) > MATERIAL_SKEWNESS
        return in_sample or abs(self.implied_skewness) > MATERIAL_SKEWNESS

    @property
    def implied_skewness(self) -> float:
        """Skewness of a sum of L independent days with the skewness of the residuals."""
        return self.residual_skewness / float(np.sqrt(len(self.window)))


def measure(study: FittedStudy, window: Window) -> Situation:
    """Return the situation of the events of the answer over `window`.

    Parameters
    ----------
    study : FittedStudy
    window : Window

    Returns
    -------
    Situation
        NaN where a number has no meaning.
    """
    sample = study.abnormal.tested(window)
    valid = study.abnormal.in_tests(window)
    flags = study.events["flags"].to_numpy()[valid]
    firms = Counter(study.firms[i] for i in np.flatnonzero(valid).tolist())
    size = np.unique(sample.windows.day0, return_counts=True)[1]
    n = len(sample)
    n_dates = len(size)
    same, overlapping = _pairs(sample, window)
    per_date = (int(size.min()), float(np.median(size)), int(size.max())) if n else (0, np.nan, 0)
    return Situation(
        window=window, kind=_kind(n, n_dates, (n - 1) * overlapping >= MATERIAL_NEIGHBOURS),
        n_events=n, n_dates=n_dates, events_per_date=per_date, same_date_pairs=same,
        n_clusters=DateClusters.merged(sample, window).count if n else 0,
        largest_date=per_date[2] / n if n else np.nan,
        overlapping_pairs=overlapping, session_later=WeightedSums(sample, window).is_near_elsewhere,
        **_dependence(sample, window), **_shape(sample, window), **_trading(sample),
        time_unknown=float(np.mean([Flag.TIME_UNKNOWN in cell for cell in flags])) if n else np.nan,
        recent_variance=_recent(sample, window),
        repeated_firms=sum(times > 1 for times in firms.values()),
    )  # fmt: skip


def _recent(sample: AbnormalReturns, window: Window) -> float:
    """Return the mean k of few events; 1 for none and for many."""
    if not 0 < len(sample) < FULL_SAMPLE:
        return 1.0
    return float(sample.recent_variance(window).mean())


def _kind(n: int, n_dates: int, overlapping: bool) -> Kind:
    if n <= 1:
        return "single" if n else "none"
    if n_dates == 1:
        return "one_date"
    if overlapping:
        return "close_dates"
    return "same_date_groups" if n > n_dates else "dispersed"


def _pairs(sample: AbnormalReturns, window: Window) -> tuple[float, float]:
    """Return the shares of pairs on one date, and on different dates with sessions in common."""
    n = len(sample)
    if n < 2:
        return 0.0, 0.0
    at = sample.positions_over(window)
    first = at[:, 0]
    last = at[:, -1]
    pairs = n * (n - 1) / 2
    apart = int((n - np.searchsorted(np.sort(first), last, side="right")).sum())
    size = np.unique(sample.windows.day0, return_counts=True)[1]
    same = float((size * (size - 1)).sum()) / 2
    return same / pairs, max(0.0, pairs - apart - same) / pairs


def _dependence(sample: AbnormalReturns, window: Window) -> dict[str, Any]:
    n = len(sample)
    sums = WeightedSums(sample, window)
    correlation = sums.correlation if n > 1 else None
    r, same = (correlation.rbar, correlation.same_date) if correlation else (0.0, 0.0)
    unreliable = n > 1 and sums.is_unreliable(r)
    r = 0.0 if unreliable else r
    factor = 1 + (n - 1) * r if n else np.nan
    scar = sample.scar(window)
    spread = float(scar.var(ddof=1)) / (1 - r) if n > 1 and r < 1 else np.nan
    effective_n = n / max(factor, 1.0) if factor > 0 else np.nan
    facts = {"rbar": r, "same_date_r": same, "factor": factor, "effective_n": effective_n}
    return {**facts, "kappa": spread, "r_set_to_zero": unreliable}


def _shape(sample: AbnormalReturns, window: Window) -> dict[str, Any]:
    """Return the variance ratio and the shape of CARs and residuals."""
    from statsmodels.stats.stattools import jarque_bera

    nu = sample.df_resid[:, None].astype(float)
    squares = np.where(nu > 2, sample.sar_over(window) ** 2 * (nu - 2) / nu, np.nan)
    values = sample.of_each_event(
        ("normality",), lambda study: np.vstack(list(study.by_chunk(_normality_of)))
    )
    normal_p = values[:, 0]
    skewness = values[:, 1]
    car = sample.car(window)
    n = len(car)
    varies = len(car) > 2 and np.ptp(car) > 0
    moments = jarque_bera(car) if varies else (np.nan,) * 4
    return {
        "variance_ratio": _mean(squares),
        "skewness": float(moments[2]) * np.sqrt(n * (n - 1)) / (n - 2) if varies else np.nan,
        "normality_p": float(moments[1]),
        "residual_skewness": _mean(skewness),
        "non_normal": _mean(np.where(np.isfinite(normal_p), normal_p < REJECTS, np.nan)),
    }


def _normality_of(events: AbnormalReturns) -> FloatArray:
    """Return Jarque and Bera's p and the skewness of each row of residuals, shape (n, 2)."""
    has_resid = np.isfinite(events.resid)
    M = np.maximum(has_resid.sum(axis=1), 1)
    e = np.where(has_resid, events.resid, 0.0)
    e = np.where(has_resid, e - (e.sum(axis=1) / M)[:, None], 0.0)
    square = e * e
    with np.errstate(invalid="ignore", divide="ignore"):
        m2 = square.sum(axis=1) / M
        skewness = np.einsum("nl,nl->n", square, e) / M / m2**1.5
        kurtosis = np.einsum("nl,nl->n", square, square) / M / m2**2
    return np.column_stack([np.exp(-M / 12 * (skewness**2 + (kurtosis - 3) ** 2 / 4)), skewness])


def _trading(sample: AbnormalReturns) -> dict[str, Any]:
    n_returns = int((sample.spans > 0).sum())
    length = len(sample.windows.estimation)
    absent = sample.of_each_event(
        ("late",), lambda study: np.concatenate(list(study.by_chunk(_late)))
    )
    return {
        # Days masked for other events of the firm are no sign of thin trading.
        "missing_days": 1 - _mean((sample.nobs + sample.windows.masked) / (length - absent)),
        "late_events": int((absent > 0).sum()),
        "estimation_length": length,
        "multi_day": float((sample.length > 1).sum()) / n_returns if n_returns else np.nan,
        "shortest_estimation": int(sample.nobs.min()) if len(sample) else 0,
        "still_days": np.nan_to_num(_mean(still_days(sample))),
    }


def _late(sample: AbnormalReturns) -> IntArray:
    """Return the estimation days (n,) before the first return where that comes late, else 0."""
    used = np.isfinite(sample.resid)
    lead = np.where(used.any(axis=1), used.argmax(axis=1), 0)
    # Days masked for an earlier event of the firm may come first.
    late = lead > np.maximum(sample.windows.masked, LATE * used.shape[1])
    return np.where(late, lead, 0).astype(np.int64)


def _mean(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else np.nan
