"""An estimate with its 95% interval, the effect that its test finds, and robust means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import WeightedSums
from ..errors import InapplicableError
from ..significance import FULL_SAMPLE, STATISTICS, pvalue
from ..utility import FloatArray
from ..words import LEVEL, say

POWER = 0.8
# Effects of a power curve, in units of the one that is found with 80% power.
MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
# Share of the CARs that is trimmed, or pulled in, at each end.
TRIMMED = 0.1
ROBUST = ("median", "trimmed", "winsorised")


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its standard error and 95% interval, as decimals; NaN if there is none.

    Attributes
    ----------
    estimate, se, ci_low, ci_high : float
        The estimate, its standard error, and the ends of its 95% interval.
    df : float
        Degrees of freedom of the t distribution that gives the interval; infinite for the normal
        distribution.
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
        half = Interval.quantile(df) * se
        return cls(*map(float, (estimate, se, estimate - half, estimate + half, df)))

    @property
    def pvalue(self) -> float:
        """Two-sided p-value of a zero effect; NaN without a standard error."""
        return pvalue(self.estimate / self.se, self.df) if self.se > 0 else np.nan

    @staticmethod
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
        return (Interval.quantile(np.inf) + float(ndtri(power))) * se
    return float(nctdtrinc(df, 1 - power, Interval.quantile(df))) * se


def robust_means(car: FloatArray, factor: float) -> tuple[Interval, Interval, Interval]:
    """Return median, 10% trimmed and winsorised mean of CARs with their 95% intervals.

    Parameters
    ----------
    car : (n,) float array
        n >= 5.
    factor : float
        f, by which correlation widens a standard error.

    Returns
    -------
    tuple of Interval

    References
    ----------
    Yuen, K. K. (1974), The two-sample trimmed t for unequal population variances, Biometrika 61,
    165-170. Dixon, W. J. and Tukey, J. W. (1968), Approximate behavior of the distribution of
    winsorized t, Technometrics 10, 83-98. McKean, J. W. and Schrader, R. M. (1984), A comparison of
    methods for studentizing the sample median, Communications in Statistics B 13, 751-773.
    """
    x = np.sort(car)
    n = len(car)
    g = int(TRIMMED * n)
    pulled = np.clip(x, x[g], x[n - g - 1])
    se = factor * pulled.std(ddof=1) / np.sqrt(n)
    df = n - 2.0 * g - 1
    # The order statistics that a 95% interval of a binomial of n and one half leaves out.
    k = max(1, round((n + 1) / 2 - Interval.quantile(np.inf) * np.sqrt(n / 4)))
    error = factor * (x[n - k] - x[k - 1]) / (2 * Interval.quantile(np.inf))
    return (
        Interval.of(float(np.median(x)), error, np.inf),
        Interval.of(x[g : n - g].mean(), se * n / (n - 2 * g), df),
        Interval.of(pulled.mean(), se * (n - 1) / df, df),
    )


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
        r, factor = WeightedSums(sample, window).factor
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
    The error of several events is f sd(CAR) / sqrt(N), f of :func:`inflation`, with t(N-1). All
    three are of the events that are valid for the window, also of those with too short a history
    for BMP-KP. Where BMP-KP has no result or a caution there is no interval.
    Dividing the mean CAR by the statistic of BMP-KP instead would give no width at all
    where the mean CAR is near zero and the mean standardised CAR is not.
    """
    sample = abnormal.sample(window)
    car = sample.car(window)
    n = len(sample)
    if n == 0:
        return Interval()
    if n == 1:
        return Interval.of(car[0], np.sqrt(sample.var_car(window)[0]), float(sample.df_resid[0]))
    factor = inflation(sample, window)
    if not np.isfinite(factor) or STATISTICS[STATISTICS.main(FULL_SAMPLE)](abnormal, window).reason:
        return Interval(float(car.mean()))
    return Interval.of(car.mean(), factor * car.std(ddof=1) / np.sqrt(n), n - 1.0)


def power_of(effects: FloatArray, se: float, df: float) -> FloatArray:
    """Return how often a two-sided 5% t-test finds effects, shape (n,).

    Parameters
    ----------
    effects : (n,) float array
        Decimal.
    se, df : float
        Standard error of the estimate and its degrees of freedom, infinite for the normal test.

    Notes
    -----
    It is the chance that a noncentral t is beyond the critical value on either side.
    """
    from scipy.special import nctdtr, ndtr

    shift = np.abs(effects) / se
    critical = Interval.quantile(df)
    if not np.isfinite(df):
        return np.asarray(ndtr(shift - critical) + ndtr(-shift - critical))
    return np.asarray(1 - nctdtr(df, shift, critical) + nctdtr(df, shift, -critical))


@dataclass(frozen=True, eq=False)
class Power:
    """The power of the main test: how likely it is to find an effect of a given size.

    Attributes
    ----------
    window : Window
    test : str
        Name of the main test.
    smallest_effect : float
        The effect that the test finds with a probability of 80%, as a decimal; NaN if the study has
        no result.
    table : DataFrame
        The column effect has sizes of the effect as decimals, and power the power for each of them.
    """

    # How often the smallest effect is found.
    FOUND: ClassVar[float] = POWER

    window: Window
    test: str
    smallest_effect: float
    table: pd.DataFrame

    @classmethod
    def of(cls, window: Window, test: str, smallest: float, df: float) -> Self:
        """Return the power at multiples of the smallest effect.

        Parameters
        ----------
        window : Window
        test : str
        smallest : float
            Found with 80% power (decimal); NaN for none.
        df : float
            Degrees of freedom of the test, infinite for the normal one.
        """
        if not np.isfinite(smallest):
            return cls(window, test, smallest, pd.DataFrame({"effect": [], "power": []}))
        effects = np.array(MULTIPLES) * smallest
        power = power_of(effects, smallest / detectable(1.0, df), df)
        return cls(window, test, smallest, pd.DataFrame({"effect": effects, "power": power}))

    def frame(self) -> pd.DataFrame:
        """Return the table of effects and their power, one row per effect."""
        return self.table.copy()

    def __str__(self) -> str:
        if not np.isfinite(self.smallest_effect):
            return say("power.none", window=self.window)
        return say("power.sentence", window=self.window, effect=self.smallest_effect)


def plain_values(value: Any) -> Any:
    """Return a value of plain containers with lists for tuples and None for NaN."""
    if isinstance(value, dict):
        return {name: plain_values(inner) for name, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return list(map(plain_values, value))
    return None if isinstance(value, float) and not np.isfinite(value) else value


def write_estimate(
    head: str, estimate: float, ends: tuple[float, float], test: str, reason: str,
    show: Callable[[float], str],
) -> str:  # fmt: skip
    """Return a result in one line.

    Parameters
    ----------
    head : str
    estimate : float
        Left out if it is NaN.
    ends : (float, float)
        The 95% interval.
    test : str
        "" if there is none; then there is no interval either.
    reason : str
    show : callable
        Formats a number.

    Returns
    -------
    str
    """
    size = f": {show(estimate)}" if np.isfinite(estimate) else ""
    interval = f" (95% {show(ends[0])} to {show(ends[1])}), {test}" if test else ""
    return "; ".join(filter(None, (head + size + interval, reason)))
