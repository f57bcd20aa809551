"""Intervals and smallest detectable effects of mean CARs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..significance import FULL_SAMPLE, STATISTICS, InapplicableError, main_test
from ..significance._correlation import variance_factor
from ..utility.numbers import LEVEL

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its standard error and 95% interval (decimal); NaN where there is none.

    Attributes
    ----------
    estimate, se, ci_low, ci_high : float
    df : float
        Degrees of freedom of Student's t; infinite for normal quantiles.
    """

    estimate: float = np.nan
    se: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    df: float = np.nan

    @classmethod
    def of(cls, estimate: float, se: float, df: float) -> Interval:
        """Return estimate -+ the 97.5% quantile times the standard error.

        Parameters
        ----------
        estimate : float
            Decimal.
        se : float
        df : float
            Degrees of freedom of Student's t; infinite for normal quantiles.

        Returns
        -------
        Interval
        """
        half = quantile(df) * se
        return cls(*map(float, (estimate, se, estimate - half, estimate + half, df)))


def quantile(df: float) -> float:
    """Return the 97.5% quantile of Student's t, or of the normal where `df` is infinite."""
    from scipy.special import ndtri, stdtrit

    upper = 1 - LEVEL / 2
    return float(ndtri(upper) if np.isinf(df) else stdtrit(df, upper))


def detectable(se: float, df: float = np.inf, power: float = POWER) -> float:
    """Return the smallest effect (decimal) that a 5% t-test finds with the given power.

    Parameters
    ----------
    se : float
        Standard error of the estimate.
    df : float
        Degrees of freedom; where it is not finite the test is normal.
    power : float
        From 0 to 1.

    Returns
    -------
    float

    Notes
    -----
    It is the effect whose noncentral t exceeds the critical value with probability `power`.
    """
    from scipy.special import nctdtrinc, ndtri

    if not np.isfinite(df):
        return (quantile(np.inf) + float(ndtri(power))) * se
    return float(nctdtrinc(df, 1 - power, quantile(df))) * se


def inflation(sample: AbnormalReturns, window: Window) -> float:
    """Return f = sqrt((1 + (N-1) r) / (1 - r)), by which correlation widens a standard error.

    Parameters
    ----------
    sample : AbnormalReturns
        N events that are valid for the window.
    window : Window

    Returns
    -------
    float
        NaN where r cannot be estimated.
    """
    try:
        r, factor = variance_factor(sample, window)
    except InapplicableError:
        return np.nan
    return float(np.sqrt(factor / (1 - r))) if r < 1 else np.nan


def plain_average(abnormal: AbnormalReturns, window: Window) -> Interval:
    """Return the mean CAR of equal weights with its 95% interval.

    Parameters
    ----------
    abnormal : AbnormalReturns
    window : Window

    Returns
    -------
    Interval
        NaN where the correlation cannot be estimated, or cancels.

    Notes
    -----
    The error of several events is f sd(CAR) / sqrt(N), f of :func:`inflation`, with t(N-1).
    Dividing the mean CAR by the statistic of BMP-KP instead would give no width at all
    where the mean CAR is near zero and the mean standardised CAR is not.
    """
    sample = abnormal.sample(window)
    car, n = sample.car(window), len(sample)
    if n == 0:
        return Interval()
    if n == 1:
        return Interval.of(car[0], np.sqrt(sample.var_car(window)[0]), float(sample.df_resid[0]))
    factor = inflation(sample, window)
    if not np.isfinite(factor) or STATISTICS[main_test(FULL_SAMPLE)](sample, window).reason:
        return Interval(float(car.mean()))
    return Interval.of(car.mean(), factor * car.std(ddof=1) / np.sqrt(n), n - 1.0)
