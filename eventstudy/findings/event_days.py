"""The numbers of one event by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..calendars.window import Window
from ..errors import ConfigError
from ..utility.registry import did_you_mean
from ..utility.typing import FloatArray
from .events import Days

if TYPE_CHECKING:
    from ..abnormal.abnormal_returns import AbnormalReturns
    from ..fitting.fitted import FittedStudy


def row_of(results: FittedStudy, event_id: str) -> int:
    """Return the row of a used event.

    Parameters
    ----------
    results : FittedStudy
    event_id : str

    Returns
    -------
    int

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


def days_of(results: FittedStudy, i: int) -> Days:
    """Return the returns of one event by day, with AR, CAR and their 95% intervals.

    Parameters
    ----------
    results : FittedStudy
    i : int
        Row of the event.

    Returns
    -------
    Days
        Decimal returns, each array (L,); NaN on days without a return.
    """
    a = results.abnormal
    car, half = cars_since(a, a.event.start)
    q = _quantile(float(a.df_resid[i]))
    return Days(
        days=a.event.days, dates=a.windows.dates[i], ret=a.expected[i] + a.ar[i],
        expected=a.expected[i],
        ar=a.ar[i], car=car[i], ar_half=q * np.sqrt(a.var_ar[i]), car_half=half[i],
    )  # fmt: skip


def cars_since(a: AbnormalReturns, first: int) -> tuple[FloatArray, FloatArray]:
    """Return the CAR from one day up to each later day, and half its 95% interval.

    A day that closes at a price limit is not extended.

    Parameters
    ----------
    a : AbnormalReturns
        Of n events.
    first : int
        Event day on which each CAR begins.

    Returns
    -------
    car, half : (n, L) float arrays
        Decimal returns for the L days from `first` on; NaN where the CAR is missing.
    """
    a = a.unextended
    key = ("since", first)
    if key not in a.memo:
        windows = [Window(first, int(t)) for t in a.event.days if t >= first]
        q = np.array([_quantile(float(df)) for df in a.df_resid])[:, None]
        car, variance = (np.stack([f(w) for w in windows], axis=1) for f in (a.car, a.var_car))
        a.memo[key] = car, q * np.sqrt(variance)
    sums: tuple[FloatArray, FloatArray] = a.memo[key]
    return sums


def _quantile(df: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.975))
