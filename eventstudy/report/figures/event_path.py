"""The numbers of one event by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...calendars.window import Window
from ...errors import ConfigError
from ...utility.registry import did_you_mean
from ...utility.typing import DateArray, FloatArray, IntArray

if TYPE_CHECKING:
    from ...abnormal.abnormal_returns import AbnormalReturns
    from ...fitting.fitted import FittedStudy


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
        Half the width of the 95% forecast interval of `ar` and `car`.
    """

    days: IntArray
    dates: DateArray
    ret: FloatArray
    expected: FloatArray
    ar: FloatArray
    car: FloatArray
    ar_half: FloatArray
    car_half: FloatArray


def row_of(results: FittedStudy, event_id: str) -> int:
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
        raise ConfigError(
            f"the event was dropped: {results.events['reason'].iloc[row]}", value=event_id
        )
    return row


def episode(results: FittedStudy, i: int) -> Episode:
    """Return the numbers of event `i` by day."""
    a = results.abnormal
    car, half = since(a, a.event.start)
    q = _quantile(float(a.df_resid[i]))
    return Episode(
        days=a.event.days, dates=a.windows.dates[i], ret=a.expected[i] + a.ar[i],
        expected=a.expected[i],
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


def _quantile(df: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.975))
