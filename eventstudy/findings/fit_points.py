"""The estimation window of one event as a plane, with the line of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..utility.typing import FloatArray
from .events import Fit

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy

FITTED, DAY = "expected by the model", "event day"
# Fitted values that differ by less than this are one value.
NO_RANGE = 1e-12


def fit_of(results: FittedStudy, i: int) -> Fit:
    """Return the estimation days of one event as points, with the line of the model.

    The horizontal axis is the benchmark if the model is a line in it, the event day if the model is
    a constant, and the fitted value otherwise.

    Parameters
    ----------
    results : FittedStudy
    i : int
        Row of the event.

    Returns
    -------
    Fit
        Decimal returns; estimation days that the model does not use are left out.
    """
    a, windows = results.abnormal, results.abnormal.windows
    length, used = len(windows.estimation), np.isfinite(a.resid[i])
    fitted = (windows.returns[i, :length] - a.resid[i])[used]
    days = np.concatenate([windows.estimation.days, a.event.days]).astype(float)
    line, x, axis = (
        (0.0, 1.0),
        np.concatenate([windows.returns[i, :length] - a.resid[i], a.expected[i]]),
        FITTED,
    )
    factor = windows.factors[i, :, 0] if windows.factors.shape[2] else np.full(len(days), np.nan)
    if fitted_line := _line(factor[:length][used], fitted):
        line, x, axis = fitted_line, factor, str(results.events["benchmark"].iloc[i])
    elif _constant(fitted):
        line, x, axis = (float(fitted.mean()), 0.0), days, DAY
    y = windows.returns[i]
    return Fit(x[:length][used], y[:length][used], x[length:], y[length:], *line, axis)


def _line(x: FloatArray, fitted: FloatArray) -> tuple[float, float] | None:
    """Return intercept and slope if the fitted values are a line in x, None otherwise."""
    if not np.isfinite(x).all() or _constant(x) or _constant(fitted):
        return None
    slope, intercept = np.polyfit(x, fitted, 1)
    exact = np.allclose(intercept + slope * x, fitted, rtol=0, atol=1e-9)
    return (float(intercept), float(slope)) if exact else None


def _constant(values: FloatArray) -> bool:
    return values.size == 0 or float(np.ptp(values)) < NO_RANGE
