"""The numbers of one event that its figures and its page show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError
from ..registry import did_you_mean
from ..typing import DateArray, FloatArray, IntArray
from ..windows import Window

if TYPE_CHECKING:
    from ..abnormal import AbnormalReturns
    from ..results import EventStudyResults


FITTED, DAY = "expected by the model", "event day"
# Fitted values that differ by less than this are one value.
NO_RANGE = 1e-12


@dataclass(frozen=True, eq=False)
class Episode:
    """One event by day (decimal), each array of shape (L2,); NaN where missing.

    Attributes
    ----------
    days, dates : arrays
        Event days, and their sessions.
    ret, expected, ar, car : FloatArray
        Return, what the model expected, the difference, and the CAR from the first day up to each.
    ar_half, car_half : FloatArray
        Half the width of the exact 95% forecast interval of `ar` and `car`.
    """

    days: IntArray
    dates: DateArray
    ret: FloatArray
    expected: FloatArray
    ar: FloatArray
    car: FloatArray
    ar_half: FloatArray
    car_half: FloatArray


@dataclass(frozen=True, eq=False)
class Fit:
    """Returns of the estimation window against what explains them.

    Attributes
    ----------
    x, y : (M,) float arrays
        Explaining value and return of each estimation day used.
    x_event, y_event : (L2,) float arrays
        The same of each event day; NaN where missing.
    intercept, slope : float
        The line of the model.
    axis : str
        What `x` is: a benchmark, "expected by the model", or "event day".
    """

    x: FloatArray
    y: FloatArray
    x_event: FloatArray
    y_event: FloatArray
    intercept: float
    slope: float
    axis: str


def row_of(results: EventStudyResults, event_id: str) -> int:
    """Return the position of a usable event.

    Raises
    ------
    ConfigError
        For an unknown event, and for a dropped one (with its reason).
    """
    ids = results.events["event_id"].astype(str).tolist()
    if str(event_id) not in ids:
        raise ConfigError("no such event", value=event_id, remedy=did_you_mean(str(event_id), ids))
    row = ids.index(str(event_id))
    if not results.ok[row]:
        raise ConfigError(f"the event was dropped: {results.events['reason'].iloc[row]}", value=event_id)
    return row


def episode(results: EventStudyResults, i: int) -> Episode:
    """Return the numbers of event `i` by day."""
    a = results.abnormal
    car, half = since(a, a.event.start)
    q = _quantile(float(a.df_resid[i]))
    return Episode(
        days=a.event.days, dates=a.windows.dates[i], ret=a.expected[i] + a.ar[i], expected=a.expected[i],
        ar=a.ar[i], car=car[i], ar_half=q * np.sqrt(a.var_ar[i]), car_half=half[i],
    )  # fmt: skip


def since(a: AbnormalReturns, first: int) -> tuple[FloatArray, FloatArray]:
    """Return the CAR from day `first` up to each later day, and half its 95% interval, each (n, L).

    A day that closes at a price limit is not extended.
    """
    a = a.unextended
    key = ("since", first)
    if key not in a.memo:
        windows = [Window(first, int(t)) for t in a.event.days if t >= first]
        q = np.array([_quantile(float(df)) for df in a.df_resid])[:, None]
        car, variance = (np.stack([f(w) for w in windows], axis=1) for f in (a.car, a.var_car))
        a.memo[key] = car, q * np.sqrt(variance)
    found: tuple[FloatArray, FloatArray] = a.memo[key]
    return found


def fit_of(results: EventStudyResults, i: int) -> Fit:
    """Return the estimation window of event `i` as a plane: against the benchmark where that is the model."""
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
    if own := _line(factor[:length][used], fitted):
        line, x, axis = own, factor, str(results.events["benchmark"].iloc[i])
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


def _quantile(df: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.975))
