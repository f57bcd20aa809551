"""An estimate with its 95% interval, and the effect that its test finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..significance._base import pvalue
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

    @property
    def pvalue(self) -> float:
        """Two-sided p of no effect; NaN without a standard error."""
        return pvalue(self.estimate / self.se, self.df) if self.se > 0 else np.nan


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
