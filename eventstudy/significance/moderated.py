"""The variance of sums of standardised CARs: their own spread, blended with the usual variance.

Pure functions of arrays. For N events they take the standardised CARs z, the degrees of freedom nu
of each event, and the mean correlation r.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from ..utility import FloatArray

# The usual variance counts as much as so many further events.
PRIOR = 3.0
# Correlated so closely, two events are one: their gap is divided by no less than this.
SMALLEST_OWN = 1e-9

Shared = Literal["root", "own", "alike"]


class Spread(NamedTuple):
    """What the variance takes from N events, numbers or (G,) float arrays of G sets of events.

    Attributes
    ----------
    n : float
        Number of events.
    squares : float
        Sum of the squared deviations of z from its mean.
    ratio : float
        Sum of nu / (nu - 2).
    nu : float
        Sum of the degrees of freedom.
    """

    n: Any
    squares: Any
    ratio: Any
    nu: Any

    @classmethod
    def of(cls, z: FloatArray, nu: FloatArray) -> Spread:
        """Return the spread of N events.

        Parameters
        ----------
        z : (..., N) float array
        nu : (N,) float array
            Above 2, unless it is of one event.
        """
        squares = ((z - z.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
        with np.errstate(divide="ignore"):
            ratio = (nu / (nu - 2)).sum()
        return cls(z.shape[-1], squares, ratio, nu.sum())


@dataclass(frozen=True, slots=True)
class Scale:
    """The variance of N correlated standardised CARs, in parts; numbers or (G,) float arrays.

    Attributes
    ----------
    n : float
        Number of events.
    r : float
        Mean correlation of the CARs.
    usual : float
        Variance of a standardised CAR on usual days, v0.
    spread : float
        Variance of the standardised CARs across the events, S; NaN for one event.
    theta : float
        Variance of a standardised CAR on these days: `usual` and `spread` blended.
    nu : float
        Sum of the degrees of freedom of the events.
    df : float
        Degrees of freedom of theta.
    shared : {"root", "own", "alike"}
        What the part that events share does when theta rises: it rises by the root ("root"), stays
        as usual ("own"), or rises as theta does ("alike").
    """

    n: Any
    r: Any
    usual: Any
    spread: Any
    theta: Any
    nu: Any
    df: Any
    shared: Shared = "root"

    @property
    def whole(self) -> Any:
        """Variance of a standardised CAR, w: r parts of it as usual, 1 - r parts theta."""
        shared = np.maximum(self.r, 0.0)
        return shared * self.usual + (1 - shared) * self.theta

    def variance(self, squares: Any, total: Any) -> tuple[Any, Any]:
        """Return the variance of a sum a'z and its degrees of freedom.

        Parameters
        ----------
        squares : float
            a'a.
        total : float
            a'Ca, C the correlations of the CARs.
        """
        own = (1 - self.r) * squares
        common = total - own
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.shared == "own":
                variance = self.theta * own + self.usual * common
                uncertain = own
            else:
                variance = self.theta * own + np.sqrt(self.usual * self.whole) * common
                uncertain = own + (1 - np.maximum(self.r, 0.0)) * common / 2
            df = np.minimum(self.nu, self.df * (total / uncertain) ** 2)
        alike = (common <= 0) | (self.shared == "alike")
        return (
            np.where(alike, self.theta * total, variance)[()],
            np.where(alike, self.df, df)[()],
        )

    def of_sum(self) -> tuple[Any, Any]:
        """Return the variance of the sum of all N standardised CARs and its degrees of freedom."""
        return self.variance(self.n, self.n * self.factor)

    @property
    def factor(self) -> Any:
        """By how much correlation multiplies the variance of a sum, 1 + (N-1) r."""
        return 1 + (self.n - 1) * self.r

    def as_if(self, shared: Shared) -> Scale:
        """Return a copy in which the shared part behaves otherwise."""
        return replace(self, shared=shared)

    def usual_times(self, times: float) -> Scale:
        """Return a copy whose usual variance is so many times as large, in all of its parts."""
        usual = times * self.usual
        return replace(self, usual=usual, theta=_blend(usual, self.spread, self.n))


def moderate(spread: Spread, r: Any) -> Scale:
    r"""Return the moderated variance of N standardised CARs.

    Parameters
    ----------
    spread : Spread
    r : float or (G,) float array
        Mean correlation.

    Notes
    -----
    .. math::

        v_0 = \frac 1N \sum_i \frac{\nu_i}{\nu_i-2} \, \frac{\nu-2}{\nu}, \quad
        S = \frac{\sum_i (z_i - \bar z)^2}{(N-1) (1-r)}, \quad
        \theta = \frac{3 v_0 + (N-1) S}{N + 2}

    with nu the sum of all :math:`\nu_i`, and

    .. math:: \frac 1{df} = \frac{N-1}{(N+2) (N+5)} + \frac 9{\nu (N+2)^2} .

    References
    ----------
    Smyth, G. K. (2004), Linear models and empirical Bayes methods for assessing differential
    expression in microarray experiments, Statistical Applications in Genetics and Molecular Biology
    3(1), article 3. Satterthwaite, F. E. (1946), An approximate distribution of estimates of
    variance components, Biometrics Bulletin 2, 110-114.
    """
    n, squares, ratio, nu = spread
    usual = np.where(n > 1, ratio / n * (nu - 2) / nu, 1.0)[()]
    across = _across(n, squares, r)
    more = n - 1
    df = 1 / (more / ((PRIOR + more) * (2 * PRIOR + more)) + PRIOR**2 / (nu * (PRIOR + more) ** 2))
    return Scale(n, r, usual, across, _blend(usual, across, n), nu, df)


def usual_multiple(scale: Scale, t: float, critical: float) -> float:
    """Return how many times the usual variance brings |t| to its critical value; NaN if below.

    Parameters
    ----------
    scale : Scale
        Of the events, numbers.
    t, critical : float
    """
    from scipy.optimize import brentq

    needed = (t / critical) ** 2
    if scale.n == 1:
        return float(needed)
    if not needed > 1:
        return np.nan
    now = scale.of_sum()[0]

    def beyond(times: float) -> float:
        return float(scale.usual_times(times).of_sum()[0] / now - needed)

    most = 2.0
    while beyond(most) < 0:
        most *= 2
    return float(brentq(beyond, 1.0, most, xtol=1e-12))


def _across(n: Any, squares: Any, r: Any) -> Any:
    """Return the variance of standardised CARs across the events, S; NaN for one event."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.divide(squares, (n - 1) * np.maximum(1 - r, SMALLEST_OWN))[()]


def _blend(usual: Any, across: Any, n: Any) -> Any:
    """Return the mean of two variances that count for three and for n - 1 events."""
    return (PRIOR * usual + np.where(n > 1, (n - 1) * across, 0.0)[()]) / (PRIOR + n - 1)
