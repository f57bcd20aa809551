"""What came just before an event: the errors of its firm, and the moves of its market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..calendars import Window
from ..utility import BoolArray, FloatArray, IntArray

# The weight of a session, over that of the next.
DECAY = 0.94
# A single day counts at most as so many times the variance of its time: news is no volatility.
MOST = 6.0
# The day before the event may hold a leak, so the firm's own errors end the day before that.
LAST_OWN_DAY = -2


@dataclass(frozen=True, eq=False)
class RecentDays:
    """Errors and market moves of n events from the first estimation day to the last event day.

    Attributes
    ----------
    days : (L,) int array
        Event time, without a gap.
    errors : (n, L) float array
        Residuals on estimation days. After them forecast errors, scaled to the variance of the
        error of one estimation day. NaN on missing days, and on those in the event window of
        another event of the firm.
    market : (n, L) float array
        Returns of the market in standard deviations of its estimation days, for a model without a
        market those of the event's index; NaN where missing.
    """

    days: IntArray
    errors: FloatArray
    market: FloatArray

    def market_variance(self, window: Window) -> FloatArray:
        """Return the recent variance of the market of each event, k_m, (n,); NaN without a market.

        Parameters
        ----------
        window : Window
        """
        market = self.market**2
        before = self.days < window.start
        inside = (self.days >= window.start) & (self.days <= window.stop)
        usual = self._mean(market, before)
        market[:, inside] = np.minimum(market[:, inside], _limit(usual)[:, None])
        return self._mean(market, before | inside)

    def ratio(self, squares: FloatArray, market: FloatArray, window: Window) -> FloatArray:
        """Return k of errors with these squares (``AbnormalReturns.recent_variance``), (m,).

        Parameters
        ----------
        squares : (m, L) float array
            Squared errors in units of their variance in the estimation window; NaN where missing.
        market : (m,) float array
            Of :meth:`market_variance`.
        window : Window
        """
        has_market = np.isfinite(market)
        market = np.where(has_market, market, 1.0)
        own = np.minimum(squares, np.where(has_market, _limit(market), np.inf)[:, None])
        of_firm = self._mean(own, (self.days < window.start) & (self.days <= LAST_OWN_DAY))
        k = np.where(has_market, np.sqrt(of_firm * market), of_firm)
        return np.fmax(k, 1.0)

    def _mean(self, values: FloatArray, chosen: BoolArray) -> FloatArray:
        """Return the weighted mean of the `chosen` days, recent days first; NaN without any."""
        values = values[:, chosen]
        days = self.days[chosen]
        weights = DECAY ** (days.max(initial=0) - days)
        there = np.isfinite(values)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(there, values, 0.0) @ weights / (there @ weights))


def _limit(variance: FloatArray) -> FloatArray:
    """Return the most that a single day counts beside such a variance."""
    return MOST * np.fmax(variance, 1.0)
