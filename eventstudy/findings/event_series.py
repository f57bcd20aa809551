"""One event as series: its price and volume, and its estimation window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..calendars import Window
from ..fitting import FittedStudy
from ..returns import ReturnsPanel
from ..utility import BoolArray, DateArray, Day, FloatArray, IntArray
from ..windows import EventWindows

# Dates of a symbol, its closes by what they are called, and its volumes (empty if it has none).
Quoted = tuple[DateArray, dict[str, FloatArray], FloatArray]
# Sessions before the event window that the price is shown for.
LEAD = 10
# Sessions that are shown from the first free close of a suspended share on: it, and seven more.
AFTER = 8
# An event window as wide as this shows what came before by itself.
WIDE_LEAD = 40
INDEX = "Index"
CLOSES = {"adj_close": "Adjusted close", "close": "Close"}
FITTED, DAY = "expected by the model", "event day"
# Fitted values that differ by less than this are one value.
NO_RANGE = 1e-12


@dataclass(frozen=True, eq=False, slots=True)
class PricePath:
    """Closes and volumes of one event, each array of shape (m,).

    Attributes
    ----------
    days : IntArray
        Event days, from some before the event window on. Of a share that was suspended they go on
        to some after its first free close.
    dates : DateArray
        Their sessions.
    close : FloatArray
        NaN where there is no price.
    base : int
        Event day whose close is 100 where the label is "Index".
    label : str
        "Adjusted close", "Close", or "Index" where the returns are not those of one price
        (converted, or given as returns).
    volume : FloatArray
        Volume over its median in the estimation window; NaN where unknown.
    implied : FloatArray
        What the market implied, from the close of the day `base` on: the expected returns of each
        session compounded, those of the halt too. NaN before, for a share that was not suspended,
        and for a model that is no line in the return of the benchmark.
    """

    days: IntArray
    dates: DateArray
    close: FloatArray
    base: int
    label: str
    volume: FloatArray
    implied: FloatArray

    @property
    def is_index(self) -> bool:
        """Whether the closes are levels of an index, and none of a price."""
        return self.label == INDEX

    def implied_change(self, first: Day, last: Day) -> float:
        """Return what the market implied from a day to another (decimal); NaN if unknown.

        Parameters
        ----------
        first, last : str
            ISO dates.
        """
        levels = dict(zip(self.dates.astype(str).tolist(), self.implied.tolist(), strict=True))
        return float(levels.get(last, np.nan) / levels.get(first, np.nan) - 1)


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
    def against(self) -> str:
        """What `x` is: "day", "fitted" or "benchmark"."""
        return {DAY: "day", FITTED: "fitted"}.get(self.axis, "benchmark")

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


def price_path(study: FittedStudy, i: int, window: Window, until: Day = "") -> PricePath | None:
    """Return the closes around one event.

    Parameters
    ----------
    study : FittedStudy
    i : int
        Row of the event.
    window : Window
    until : str
        ISO date of a close that is shown with the days after it, though beyond the event window.

    Returns
    -------
    PricePath or None
        None without prices around the event, and for measures other than returns.
    """
    windows, panel = study.abnormal.windows, study.panel
    symbol, exchange = (str(study.records[i][name]) for name in ("ticker", "exchange"))
    row = panel.row(symbol, panel.calendar_of(exchange))
    calendar = windows.calendars[windows.calendar[i]]
    columns, days = _columns(windows, i)
    if panel.measure != "return" or row < 0 or columns.size == 0:
        return None
    if until:
        end = int(np.searchsorted(panel.sessions[calendar], np.datetime64(until, "D")))
        first = int(np.searchsorted(calendar, columns[0]))
        columns = calendar[first : max(end + AFTER, first + len(columns))]
        days = days[0] + np.arange(len(columns))
    base = max(window.start - 1, int(days[0]))
    at = np.searchsorted(calendar, columns)
    returns = panel.values[row, calendar]
    growth = np.exp(returns) if panel.kind == "log" else 1 + returns
    level = _levels(growth, panel.spans[row, calendar], at, int(at[base - days[0]]))
    if np.isfinite(level).sum() < 2:
        return None
    quotes = study.remember("quotes", lambda: _quotes(panel))
    label, scale = _scale(quotes.get(symbol), panel.sessions[columns], level)
    before = windows.positions[i, : len(windows.estimation)]
    typical = panel.sessions[before[before >= 0]]
    sessions = panel.sessions[columns]
    volume = _volume(quotes.get(symbol), sessions, typical)
    implied = np.full(len(days), np.nan)
    if until:
        start = level[days == base]
        implied[days == base] = start
        implied[days > base] = start * _expected_growth(study, i, columns[days > base])
    return PricePath(days, sessions, scale * level, base, label, volume, scale * implied)


def _expected_growth(study: FittedStudy, i: int, columns: IntArray) -> FloatArray:
    """Return the product of one plus the expected returns of some sessions, up to each of them.

    NaN if the model of the event is no line in its benchmark.
    """
    panel = study.panel
    record = study.records[i]
    fit = fit_of(study, i)
    row = panel.row(str(record["benchmark"]), panel.calendar_of(str(record["exchange"])))
    if row < 0 or fit.axis != str(record["benchmark"]):
        return np.full(len(columns), np.nan)
    expected = fit.intercept + fit.slope * panel.values[row, columns]
    growth = np.exp(expected) if panel.kind == "log" else 1 + expected
    return np.asarray(np.cumprod(growth))


def _columns(windows: EventWindows, i: int) -> tuple[IntArray, IntArray]:
    """Return the columns and event days of the sessions to show, as far as the data go."""
    inside = windows.positions[i, len(windows.estimation) :]
    has_session = inside >= 0
    columns = inside[has_session]
    days = windows.event.days[has_session]
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
    length = len(windows.estimation)
    used = np.isfinite(a.resid[i])
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
