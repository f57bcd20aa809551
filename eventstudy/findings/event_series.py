"""One event as series: its numbers by day, its price and volume, and its estimation window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..fitting.fitted import FittedStudy
from ..returns import ReturnsPanel
from ..significance import recent_variance
from ..utility.typing import BoolArray, DateArray, Day, FloatArray, IntArray
from ..windows.event_windows import EventWindows

# Dates of a symbol, its closes by what they are called, and its volumes (empty if it has none).
Quoted = tuple[DateArray, dict[str, FloatArray], FloatArray]
# Sessions before the event window that the price is shown for.
LEAD = 10
# An event window as wide as this shows what came before by itself.
WIDE_LEAD = 40
INDEX = "Index"
CLOSES = {"adj_close": "Adjusted close", "close": "Close"}
FITTED, DAY = "expected by the model", "event day"
# Fitted values that differ by less than this are one value.
NO_RANGE = 1e-12


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

    first: Day
    last: Day
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
class Fault:
    """One price-data issue in the windows of an event."""

    kind: str
    date: Day
    detail: str
    action: str


def days_of(study: FittedStudy, i: int) -> Days:
    """Return the returns of one event by day, with AR, CAR and their 95% intervals.

    Parameters
    ----------
    study : FittedStudy
    i : int
        Row of the event.

    Returns
    -------
    Days
        Decimal returns, each array (L,); NaN on days without a return.
    """
    from scipy.special import stdtrit

    a = study.abnormal
    car, half = cars_since(a, a.event.start)
    ar_half = stdtrit(a.df_resid[i], 0.975) * np.sqrt(a.var_ar[i])
    ret, expected = a.expected[i] + a.ar[i], a.expected[i]
    dates = a.windows.dates[i]
    return Days(a.event.days, dates, ret, expected, a.ar[i], car[i], ar_half, half[i])


def cars_since(a: AbnormalReturns, first: int) -> tuple[FloatArray, FloatArray]:
    """Return the CAR from one day up to each later day, and half its 95% interval.

    The interval is that of the main test of one event. A day that closes at a price limit is not
    extended.

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
        cars = [a.car(w) for w in windows]
        halves = [a.car_half_widths(w, recent_variance(a, w)) for w in windows]
        a.memo[key] = np.stack(cars, axis=1), np.stack(halves, axis=1)
    sums: tuple[FloatArray, FloatArray] = a.memo[key]
    return sums


def _quotes(panel: ReturnsPanel) -> dict[str, Quoted]:
    """Return the dates of each symbol with its closes, adjusted ones first, and its volumes."""
    if panel.prices is None:
        return {}
    named = {CLOSES[c]: c for c in CLOSES if c in panel.prices}
    return {
        str(symbol): (
            rows["date"].to_numpy().astype("datetime64[D]"),
            {name: rows[column].to_numpy(float) for name, column in named.items()},
            rows["volume"].to_numpy(float) if "volume" in rows else np.empty(0),
        )
        for symbol, rows in panel.prices.groupby("symbol", sort=False)
    }


def price_path(study: FittedStudy, i: int, window: Window) -> PricePath | None:
    """Return the closes of one event, and the closes that the model expected.

    The expected path starts on the day before `window`. Its band is the expected close times 1 ±
    the 95% forecast interval of the CAR since then (exp of it for log returns).

    Parameters
    ----------
    study : FittedStudy
    i : int
        Row of the event.
    window : Window

    Returns
    -------
    PricePath or None
        None without prices around the event, and for measures other than returns.
    """
    windows, panel = study.abnormal.windows, study.panel
    symbol, exchange = (str(study.records[i][name]) for name in ("ticker", "exchange"))
    row = panel.row(symbol, panel.calendar_of(exchange))
    columns, days = _columns(windows, i)
    if panel.measure != "return" or row < 0 or columns.size == 0:
        return None
    base = max(window.start - 1, int(days[0]))
    calendar = windows.calendars[windows.calendar[i]]
    at = np.searchsorted(calendar, columns)
    grow = np.exp if panel.kind == "log" else (lambda x: 1 + x)
    growth = grow(panel.values[row, calendar])
    level = _levels(growth, panel.spans[row, calendar], at, int(at[base - days[0]]))
    if np.isfinite(level).sum() < 2:
        return None
    quotes = study.remember("quotes", lambda: _quotes(panel))
    label, scale = _scale(quotes.get(symbol), panel.sessions[columns], level)
    expected, half = _expected(study, i, days, base)
    path = scale * expected
    before = windows.positions[i, : len(windows.estimation)]
    typical, sessions = panel.sessions[before[before >= 0]], panel.sessions[columns]
    return PricePath(
        days, sessions, scale * level, path, path * grow(-half), path * grow(half), base, label,
        _volume(quotes.get(symbol), sessions, typical),
    )  # fmt: skip


def _columns(windows: EventWindows, i: int) -> tuple[IntArray, IntArray]:
    """Return the columns and event days of the sessions to show, as far as the data go."""
    inside = windows.positions[i, len(windows.estimation) :]
    has_session = inside >= 0
    columns, days = inside[has_session], windows.event.days[has_session]
    if not has_session.any():
        return columns, days
    calendar = windows.calendars[windows.calendar[i]]
    first = int(np.searchsorted(calendar, columns[0]))
    lead = min(first, LEAD if len(days) < WIDE_LEAD else 1)
    before = np.arange(-lead, 0)
    every_day = np.concatenate([days[0] + before, days])
    return np.concatenate([calendar[first + before], columns]), every_day


def _levels(growth: FloatArray, spans: IntArray, at: IntArray, base: int) -> FloatArray:
    """Return the price relatives at `at`: 1 at the last price up to `base`, NaN past a break.

    `growth` and `spans` (T,) are those of all sessions of the calendar.
    """
    out = np.full(int(at[-1]) + 1, np.nan)
    priced = np.flatnonzero(spans[: base + 1] > 0)
    if priced.size == 0:
        return np.full(len(at), np.nan)
    start = last = int(priced[-1])
    out[start] = 1.0
    for k in range(start + 1, len(out)):
        if spans[k] > 0 and k - spans[k] != last:
            break
        if spans[k] > 0:
            out[k], last = out[last] * growth[k], k
    while spans[start] > 0 and start > at[0] and start - spans[start] >= 0:
        before = start - int(spans[start])
        out[before], start = out[start] / growth[start], before
    return out[at]


def _scale(quotes: Quoted | None, sessions: DateArray, level: FloatArray) -> tuple[str, float]:
    """Return the name and unit of the levels: a close if one moves exactly like them, else 100."""
    dates, columns, _ = quotes or (sessions[:0], {}, np.empty(0))
    for name, closes in columns.items():
        ratio = _on_days(sessions, dates, closes) / level
        ratio = ratio[np.isfinite(ratio)]
        if ratio.size and np.allclose(ratio, ratio[0], rtol=1e-6):
            return name, float(ratio[0])
    return INDEX, 100.0


def _volume(quotes: Quoted | None, sessions: DateArray, typical: DateArray) -> FloatArray:
    """Return the volume of `sessions` over the median of that of the sessions `typical`."""
    dates, _, volume = quotes or (sessions[:0], {}, np.empty(0))
    if not volume.size:
        return np.full(len(sessions), np.nan)
    traded, usual = (_on_days(days, dates, volume) for days in (sessions, typical))
    usual = usual[usual > 0]
    return traded / np.median(usual) if usual.size else np.full(len(sessions), np.nan)


def _on_days(days: DateArray, dates: DateArray, values: FloatArray) -> FloatArray:
    """Return the values of some days; NaN where there is none."""
    at = np.minimum(np.searchsorted(dates, days), len(dates) - 1)
    return np.where(dates[at] == days, values[at], np.nan)


def _expected(
    study: FittedStudy, i: int, days: IntArray, base: int
) -> tuple[FloatArray, FloatArray]:
    """Return the expected relatives since `base` (1 there), and half the interval of the CAR."""
    a, first = study.abnormal, base + 1
    out, half = np.full(len(days), np.nan), np.full(len(days), np.nan)
    if not study.ok[i] or base not in days or first not in a.event:
        return out, half
    cars, halves = cars_since(a, first)
    daily = np.nan_to_num(a.expected[i, first - a.event.start :])
    grown = np.exp(np.cumsum(daily)) if study.panel.kind == "log" else np.cumprod(1 + daily)
    # Days up to the base, then as many of those after it as lie within the data.
    later = np.flatnonzero(days > base)
    has_car = np.isfinite(cars[i])
    if not has_car.any():
        return out, half
    grown, width = np.where(has_car, grown, np.nan), np.where(has_car, halves[i], np.nan)
    out[later], half[later] = grown[: len(later)], width[: len(later)]
    out[days == base], half[days == base] = 1.0, 0.0
    return out, half


def fit_of(study: FittedStudy, i: int) -> Fit:
    """Return the estimation days of one event as points, with the line of the model.

    The horizontal axis is the benchmark if the model is a line in it, the event day if the model is
    a constant, and the fitted value otherwise.

    Parameters
    ----------
    study : FittedStudy
    i : int
        Row of the event.

    Returns
    -------
    Fit
        Decimal returns; estimation days that the model does not use are left out.
    """
    a, windows = study.abnormal, study.abnormal.windows
    length, used = len(windows.estimation), np.isfinite(a.resid[i])
    explained = windows.returns[i, :length] - a.resid[i]
    fitted = explained[used]
    days = np.concatenate([windows.estimation.days, a.event.days]).astype(float)
    line, x, axis = (0.0, 1.0), np.concatenate([explained, a.expected[i]]), FITTED
    factor = windows.factors[i, :, 0] if windows.factors.shape[2] else np.full(len(days), np.nan)
    if fitted_line := _line(factor[:length][used], fitted):
        line, x, axis = fitted_line, factor, str(study.records[i]["benchmark"])
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
