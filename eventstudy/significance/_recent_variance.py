"""How much more than usual returns varied just before an event and on its days."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ..abnormal import AbnormalReturns, RecentDays
from ..calendars import Window
from ..utility import KEPT, BoolArray, FloatArray, IntArray
from ._base import FULL_SAMPLE

# The weight of a session, over that of the next.
DECAY = 0.94
# A single day counts at most as so many times the variance of its time: news is no volatility.
MOST = 6.0
# The day before the event may hold a leak, so the firm's own errors end the day before that.
LAST_OWN_DAY = -2


def recent_variance(sample: AbnormalReturns, window: Window) -> FloatArray:
    r"""Return how many times the variance of its estimation window a firm has around an event.

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    window : Window
        [a, b].

    Returns
    -------
    (n,) float array
        k, at least 1. It is 1 for models that forecast a variance of their own.

    Notes
    -----
    With E_s[z] the mean of the days up to s, each day with .94 of the weight of the next, the
    squared returns of the market :math:`q_t` and errors of the firm :math:`u_t^2` in units of
    their variance in the estimation window, and m = min(-2, a-1):

    .. math::

        k_0 = E_{a-1}[q], \quad k_m = E_b[q'], \quad
        k_u = E_m[\min(u^2, 6 \max(1, k_m))], \quad k = \max(1, \sqrt{k_u k_m})

    where q' is q, but on the days of the window at most 6 max(1, k_0). A model without a market
    takes the index of the event; without any, k = max(1, k_u). The two limits keep news from
    passing as volatility: a leak, an earlier announcement, or one that moves the index itself.
    The window of an event that a price limit extends ends on its last day.
    Missing data: days without a return are left out of the means; k is 1 for an event without any.

    References
    ----------
    The weights are those of J. P. Morgan/Reuters (1996), RiskMetrics technical document, 4th
    edition.
    """
    key = ("recent variance", window)
    ratios = partial(_ratios, window)
    if len(sample.all_events) <= KEPT:
        return sample.of_each_event(key, ratios)
    if len(sample) < FULL_SAMPLE:
        return sample.cached(key, lambda: ratios(sample))
    return sample.of_each_event(key, lambda study: np.concatenate(list(study.by_chunk(ratios))))


def _ratios(window: Window, sample: AbnormalReturns) -> FloatArray:
    recent = sample.study.recent
    if recent is None:
        return np.ones(len(sample))
    days = days_before(sample)
    squares = days.errors**2 / sample.sigma2[:, None]
    k = variance_ratio(squares, days.days, market_variance(days, window), window)
    for stop, rows in _later_stops(sample, window):
        longer = Window(window.start, stop)
        ratios = variance_ratio(squares, days.days, market_variance(days, longer), longer)
        k[rows] = ratios[rows]
    return k


def _later_stops(sample: AbnormalReturns, window: Window) -> Iterator[tuple[int, BoolArray]]:
    """Yield the event days on which windows end that a price limit extends, and their events."""
    runs_on = sample.extended(window)
    if not runs_on.any():
        return
    last = sample.sessions_of(window)[1][:, None]
    dates = sample.windows.dates[:, sample.columns(sample.event)]
    stops = sample.event.start + (dates <= last).sum(axis=1) - 1
    for stop in np.unique(stops[runs_on]).tolist():
        yield stop, runs_on & (stops == stop)


def days_before(sample: AbnormalReturns) -> RecentDays:
    """Return the recent days of a sample whose model has no variance of its own, made once."""
    recent = sample.study.recent
    assert recent is not None  # noqa: S101
    return sample.cached(("recent days",), lambda: recent(sample), any_convention=True)


def market_variance(recent: RecentDays, window: Window) -> FloatArray:
    """Return the recent variance of the market of each event, k_m, (n,); NaN without a market.

    Parameters
    ----------
    recent : RecentDays
        Of n events.
    window : Window
    """
    days, market = recent.days, recent.market**2
    before = days < window.start
    inside = (days >= window.start) & (days <= window.stop)
    usual = _mean_before(market, days, before)
    market[:, inside] = np.minimum(market[:, inside], _limit(usual)[:, None])
    return _mean_before(market, days, before | inside)


def variance_ratio(
    squares: FloatArray, days: IntArray, market: FloatArray, window: Window
) -> FloatArray:
    """Return k of errors with these squares, (n,); see :func:`recent_variance`.

    Parameters
    ----------
    squares : (n, L) float array
        Squared errors in units of their variance in the estimation window; NaN where missing.
    days : (L,) int array
        Event time.
    market : (n,) float array
        Of :func:`market_variance`.
    window : Window
    """
    has_market = np.isfinite(market)
    market = np.where(has_market, market, 1.0)
    own = np.minimum(squares, np.where(has_market, _limit(market), np.inf)[:, None])
    of_firm = _mean_before(own, days, (days < window.start) & (days <= LAST_OWN_DAY))
    k = np.where(has_market, np.sqrt(of_firm * market), of_firm)
    return np.fmax(k, 1.0)


def _limit(variance: FloatArray) -> FloatArray:
    """Return the most that a single day counts beside such a variance."""
    return MOST * np.fmax(variance, 1.0)


def _mean_before(values: FloatArray, days: IntArray, chosen: BoolArray) -> FloatArray:
    """Return the weighted mean of the `chosen` days, (n,), recent days first; NaN without any."""
    values = values[:, chosen]
    weights = DECAY ** (days[chosen].max(initial=0) - days[chosen])
    there = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(there, values, 0.0) @ weights / (there @ weights))
