"""t-statistics of a mean, adjusted for skewness."""

from __future__ import annotations

import numpy as np

from ..utility.typing import FloatArray
from ._base import InapplicableError, Value
from ._mean import EQUAL, t_of_mean

MIN_VALUES = 3


def hall_t(values: FloatArray) -> Value:
    """Return t + g (t^2/3 + 1/6) / sqrt(N) + g^2 t^3 / (27 N), g the unbiased skewness (Hall
    1992)."""
    from scipy.stats import skew

    t, df = t_of_mean(values)[:2]
    n = len(values)
    if n < MIN_VALUES:
        raise InapplicableError(f"{n} events, at least {MIN_VALUES} are needed for a skewness")
    g = float(skew(values, bias=False))
    return Value(t + g * (t**2 / 3 + 1 / 6) / np.sqrt(n) + g**2 * t**3 / (27 * n), df)


def johnson_t(values: FloatArray) -> Value:
    """Return t + g (2 t^2 + 1) / (6 sqrt(N)), g = sum (x - mean)^3 / (N s^3) (Johnson 1978)."""
    df = t_of_mean(values).df
    return Value(float(johnson_statistic(values[None])[0]), df)


def johnson_statistic(rows: FloatArray, centre: float = 0.0) -> FloatArray:
    """Return Johnson's statistic of H0: mean = `centre` for each row of values, shape (B,).

    Parameters
    ----------
    rows : (B, m) float array
        A row without variance has an infinite statistic with the sign of its deviation.
    """
    m = rows.shape[1]
    deviation = rows - rows.mean(axis=1, keepdims=True)
    s, gap = rows.std(axis=1, ddof=1), rows.mean(axis=1) - centre
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.sqrt(m) * gap / s
        g = (deviation**3).sum(axis=1) / (m * s**3)
        adjusted = t + g * (2 * t**2 + 1) / (6 * np.sqrt(m))
    varies = s > EQUAL * np.abs(rows).max(axis=1)
    return np.where(varies, adjusted, np.where(gap == 0, 0.0, np.copysign(np.inf, gap)))
