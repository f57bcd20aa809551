"""Bootstrap of Johnson's skewness-adjusted t."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..utility.chunks import chunks
from ..utility.typing import FloatArray
from ._base import InapplicableError
from ._skewness import MIN_VALUES, johnson_statistic, johnson_t

# Resamples are a quarter of the sample (Lyon, Barber and Tsai 1999).
SHARE = 4
QUANTILES = (0.025, 0.975)
# Values that are drawn at a time.
BLOCK = 1 << 20


class Bootstrap(NamedTuple):
    """A statistic and where it lies among its resamples.

    Attributes
    ----------
    statistic : float
    lower, upper : float
        (1 + #{t* <= t}) / (1 + B) and (1 + #{t* >= t}) / (1 + B).
    critical_low, critical_high : float
        Quantiles 2.5 % and 97.5 % of the resamples: outside of them H0 is rejected at 5 %.
    size : int
        Values in a resample.
    """

    statistic: float
    lower: float
    upper: float
    critical_low: float
    critical_high: float
    size: int

    @property
    def pvalue(self) -> float:
        """Two-sided: twice the smaller tail, at most 1."""
        return min(1.0, 2 * min(self.lower, self.upper))


def johnson_bootstrap(values: FloatArray, *, draws: int, seed: int) -> Bootstrap:
    """Return Johnson's t of a mean and its place among resamples of size floor(N/4).

    H0: the mean is zero. Resamples, drawn with replacement, are centred at the sample mean (Lyon,
    Barber and Tsai 1999).

    Parameters
    ----------
    values : (N,) float array
    draws, seed : int
        B, and the seed of the generator.

    Raises
    ------
    InapplicableError
        If a resample would hold fewer than 3 values, or the values do not differ.
    """
    n = len(values)
    size = n // SHARE
    observed = johnson_t(values).statistic
    if size < MIN_VALUES:
        raise InapplicableError(
            f"{n} events, at least {SHARE * MIN_VALUES} are needed to resample a quarter"
        )
    rng, mean = np.random.default_rng(seed), float(values.mean())
    parts = chunks(draws, max(1, BLOCK // size))
    drawn = (rng.integers(0, n, (part.stop - part.start, size)) for part in parts)
    stars = np.concatenate([johnson_statistic(values[own], mean) for own in drawn])
    lower, upper = (
        (1 + int(r.sum())) / (1 + draws) for r in (stars <= observed, stars >= observed)
    )
    # Between finite and infinite neighbours there is nothing to interpolate.
    finite = np.isfinite(stars).all()
    low, high = np.quantile(stars, QUANTILES, method="linear" if finite else "nearest")
    return Bootstrap(observed, lower, upper, float(low), float(high), size)
