"""What the findings have of each listed event, and of its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..calendars.window import Window
from ..utility.catalogue import Reason
from ..utility.typing import BoolArray, DateArray, FloatArray, IntArray
from .samples import Sample

if TYPE_CHECKING:
    import pandas as pd


def firm_name(cells: Mapping[str, Any] | pd.Series[Any]) -> str:
    """Return the company of an event, or its ticker where that is blank."""
    company = cells.get("company")
    return str(company if isinstance(company, str) and company.strip() else cells["ticker"]).strip()


@dataclass(frozen=True, slots=True)
class EventCar:
    """The CAR of one event over one window (decimal), with its t-test.

    Attributes
    ----------
    window : Window
    car, se, half : float
        CAR, its standard error, and half the width of its 95% interval; NaN without a CAR.
    statistic, pvalue, bhar : float
    reason : Reason
        Why there is no CAR; "" where there is one.
    until : str
        Last session (ISO date) of a CAR that runs on beyond its window; "" otherwise.
    until_day : int, optional
        That session as event day; None beyond the event window.
    """

    window: Window
    car: float
    se: float
    half: float
    statistic: float
    pvalue: float
    bhar: float
    reason: Reason
    until: str
    until_day: int | None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval."""
        return self.car - self.half, self.car + self.half


@dataclass(frozen=True, slots=True)
class Fault:
    """One price-data issue in the windows of an event."""

    kind: str
    date: str
    detail: str
    action: str


@dataclass(frozen=True, eq=False, slots=True)
class Days:
    """One event by day (decimal), each array of shape (L2,); NaN where missing.

    Attributes
    ----------
    days, dates : arrays
        Event days and their sessions.
    ret, expected, ar, car : FloatArray
        Return, expected return, their difference, and the CAR from the first day up to each.
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


@dataclass(frozen=True, eq=False, slots=True)
class PricePath:
    """Closes of one event beside what the model expected of them, each array of shape (m,).

    Attributes
    ----------
    days, dates : arrays
        Event days, from some before the event window on, and their sessions.
    actual, expected, low, high : FloatArray
        Close; expected close and its 95% forecast interval, from `base` on; NaN elsewhere.
    base : int
        Event day from whose close the model goes on.
    label : str
        "Adjusted close", "Close", or "Index" where the returns are not those of one price
        (converted, or given as returns): the base is then 100.
    volume : FloatArray
        Volume over its median in the estimation window; NaN where unknown.
    """

    days: IntArray
    dates: DateArray
    actual: FloatArray
    expected: FloatArray
    low: FloatArray
    high: FloatArray
    base: int
    label: str
    volume: FloatArray

    def at(self, day: int) -> int:
        """Return the position of an event day."""
        return int(day - self.days[0])


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """Returns of the estimation window against what explains them.

    Attributes
    ----------
    x, y : FloatArray
        Explaining value and return of each estimation day used, shape (M,).
    x_event, y_event : FloatArray
        The same of each event day, shape (L2,); NaN where missing.
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

    @property
    def is_marked(self) -> BoolArray:
        """Whether each event day has a point, shape (L2,)."""
        return np.isfinite(self.x_event + self.y_event)


@dataclass(frozen=True, slots=True)
class Estimation:
    """What was estimated for one event.

    Attributes
    ----------
    first, last : str
        First and last estimation day used (ISO dates).
    n_days, n_window : int
        Days used, and days of the estimation window.
    params, bse : tuple of float
        Estimates and standard errors, in the order of the model's parameters.
    skewness, kurtosis, durbin_watson : float
        Of the residuals.
    forecast_ratio : float
        Var(AR) on day 0 over the residual variance; NaN without day 0.
    df_resid : float
    """

    first: str
    last: str
    n_days: int
    n_window: int
    params: tuple[float, ...]
    bse: tuple[float, ...]
    skewness: float
    kurtosis: float
    durbin_watson: float
    forecast_ratio: float
    df_resid: float


@dataclass(frozen=True, slots=True)
class EventDetail:
    """What the page of one event shows beyond its row.

    Attributes
    ----------
    sample : Sample, optional
        The event as a study of its own, over the main window; None for a dropped event.
    days : Days, optional
    price : PricePath, optional
        None without prices around the event.
    fit : Fit, optional
    estimation : Estimation, optional
    sq : tuple of float
        p-value of the SQ test over each tested window.
    sq_reasons : tuple of Reason
    remark : str
        What happened in the estimation; "" if nothing did.
    stand_in : Reason
        Why another index is used than the one named; "" otherwise.
    same_session : tuple of str
        Names of the other used events of this day 0, a few of `n_same_session`.
    n_same_session : int
    other_dates : tuple of str
        Day 0 (ISO) of the other events of the listing, a few of `n_other_dates`.
    n_other_dates : int
    faults : tuple of Fault
    news : tuple of str
        Cells of the events file that name other news.
    currency : str
    """

    sample: Sample | None
    days: Days | None
    price: PricePath | None
    fit: Fit | None
    estimation: Estimation | None
    sq: tuple[float, ...]
    sq_reasons: tuple[Reason, ...]
    remark: str
    stand_in: Reason
    same_session: tuple[str, ...]
    n_same_session: int
    other_dates: tuple[str, ...]
    n_other_dates: int
    faults: tuple[Fault, ...]
    news: tuple[str, ...]
    currency: str


@dataclass(frozen=True, slots=True)
class Event:
    """One listed event.

    Attributes
    ----------
    cells : dict of str to str
        The row of ``events.csv`` but for its outcome.
    is_used : bool
    day0 : str
        ISO date; "" if it is unknown.
    reason : Reason
        Why it was dropped; "" if it was used.
    flags : tuple of str
        See :class:`~eventstudy.utility.flags.Flag`.
    params : tuple of float
        Estimates in the order of the model's parameters; empty for a dropped event.
    r2, sigma : float
        Fit and residual standard deviation a day (decimal).
    nobs : int
        Complete estimation days.
    cars : tuple of EventCar
        Over the main window and the windows tested.
    path : FloatArray
        CAR from the first day of the event window up to each day (decimal), shape (L2,).
    page : str
        Address of the page of the event within the run; "" if it has none.
    detail : EventDetail, optional
        What that page shows.
    """

    cells: Mapping[str, Any]
    is_used: bool
    day0: str
    reason: Reason
    flags: tuple[str, ...]
    params: tuple[float, ...]
    r2: float
    sigma: float
    nobs: int
    cars: tuple[EventCar, ...]
    path: FloatArray
    page: str
    detail: EventDetail | None

    @property
    def name(self) -> str:
        """The company, or the ticker where that is blank."""
        return firm_name(self.cells)

    def car(self, window: Window) -> EventCar:
        """Return the CAR over a window that was computed.

        Raises
        ------
        KeyError
            For another window.
        """
        for car in self.cars:
            if car.window == window:
                return car
        raise KeyError(window)
