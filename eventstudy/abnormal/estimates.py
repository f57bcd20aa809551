"""What a model estimates of the events of a study, a row each, and of the days before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..calendars import Window
from ..utility import BoolArray, FloatArray, IntArray, ObjectArray
from ..windows import EventWindows

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


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates and abnormal returns of n events; those that a sample has are its rows of them.

    Attributes
    ----------
    x_estimation : (n, L1, k) float array, optional
        Regressors of the estimation days; None where they are too many to keep.
    runs : Runs, optional
        For each day the return until the first close off a price limit, where limits are known.
    regressors : callable, optional
        Makes the regressors of the estimation days of some events from their windows.
    recent : callable, optional
        Makes the :class:`RecentDays` of some events; None for a model with a variance of its own,
        and for windows that do not know the days before them.

    The other arrays are those of :class:`AbnormalReturns`.
    """

    model: str
    parameters: tuple[str, ...]
    windows: EventWindows
    ar: FloatArray
    resid: FloatArray
    expected: FloatArray
    spans: IntArray
    length: IntArray
    x_event: FloatArray
    nobs: IntArray
    df_resid: IntArray
    sigma2: FloatArray
    noise: FloatArray
    params: FloatArray
    cov_params: FloatArray
    bread: FloatArray
    r2: FloatArray
    problem: ObjectArray
    remark: ObjectArray
    x_estimation: FloatArray | None = None
    runs: Runs | None = None
    regressors: Callable[[EventWindows], FloatArray] | None = None
    recent: Callable[..., RecentDays] | None = None

    def take(self, rows: IntArray | slice) -> Estimates:
        """Return copies of the rows of some events."""
        arrays: dict[str, Any] = {}
        for name, array in vars(self).items():
            if isinstance(array, np.ndarray):
                arrays[name] = array[rows]
        runs = None if self.runs is None else self.runs.take(rows)
        return replace(self, windows=self.windows.take(rows), runs=runs, **arrays)


# The fields of Runs that replace those of single days.
RUN = {"ar": "ar", "noise": "noise", "x_event": "x"}


@dataclass(frozen=True, eq=False)
class Runs:
    """Each event day joined with the sessions after it until the first close off a price limit.

    Attributes
    ----------
    at_limit : (n, L2) bool array
        Whether the day closes at a limit; elsewhere the run is the day itself.
    ar, noise : (n, L2) float arrays
        Abnormal return of the run, compounded, and the variance of its error; NaN if no close off
        the limit was found.
    actual, expected : (n, L2) float arrays
        Return and normal return of the run, compounded.
    length : (n, L2) int array
        Sessions of the run.
    x : (n, L2, k) float array
        Regressors, summed over the run.
    """

    at_limit: BoolArray
    ar: FloatArray
    noise: FloatArray
    actual: FloatArray
    expected: FloatArray
    length: IntArray
    x: FloatArray

    def joined(self, cols: slice, inside: BoolArray) -> tuple[BoolArray, BoolArray]:
        """Return the days of a window on which a run begins, and the later days that it covers.

        A run begins on its first limit day in the window, so windows that cover the same sessions
        have the same run.

        Parameters
        ----------
        cols : slice
            The columns of the window.
        inside : (n, L) bool array
            Whether the return of a day begins and ends inside the window.

        Returns
        -------
        begins, covered : (n, L) bool arrays
            A run without a later close off the limit is not joined.
        """
        at_limit = self.at_limit[:, cols] & inside
        can_begin = at_limit & np.isfinite(self.ar[:, cols])
        begins = np.zeros_like(at_limit)
        covered = np.zeros_like(at_limit)
        is_open = np.zeros(len(at_limit), dtype=bool)
        for t in range(at_limit.shape[1]):
            covered[:, t] = is_open
            begins[:, t] = can_begin[:, t] & ~is_open
            is_open = (is_open | begins[:, t]) & (at_limit[:, t] | ~inside[:, t])
        return begins, covered

    def take(self, rows: IntArray | BoolArray | slice) -> Runs:
        """Return the runs of some events."""
        return Runs(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})
