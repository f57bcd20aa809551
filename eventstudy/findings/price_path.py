"""The price of an event beside what the model expected of it, and the volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..calendars.window import Window
from ..utility.typing import DateArray, FloatArray, IntArray
from ..windows.event_windows import EventWindows
from .event_days import cars_since
from .events import PricePath

if TYPE_CHECKING:
    from ..fitting.fitted import FittedStudy
    from ..returns import ReturnsPanel

# Dates of a symbol, its closes by what they are called, and its volumes (empty if it has none).
Quoted = tuple[DateArray, dict[str, FloatArray], FloatArray]
# Sessions before the event window that the price is shown for.
LEAD = 10
# An event window as wide as this shows what came before by itself.
WIDE_LEAD = 40
INDEX = "Index"
CLOSES = {"adj_close": "Adjusted close", "close": "Close"}


def quotes_of(panel: ReturnsPanel) -> dict[str, Quoted]:
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


def price_path(
    results: FittedStudy, i: int, window: Window, quotes: Mapping[str, Quoted] | None = None
) -> PricePath | None:
    """Return the closes of one event, and the closes that the model expected.

    The expected path starts on the day before `window`. Its band is the expected close times 1 ±
    the 95% forecast interval of the CAR since then (exp of it for log returns).

    Parameters
    ----------
    results : FittedStudy
    i : int
        Row of the event.
    window : Window
    quotes : mapping of str to tuple, optional
        Of :func:`quotes_of`, for callers that draw many events.

    Returns
    -------
    PricePath or None
        None without prices around the event, and for measures other than returns.
    """
    windows, panel = results.abnormal.windows, results.panel
    symbol, exchange = (str(results.events[name].iloc[i]) for name in ("ticker", "exchange"))
    row = panel.row(symbol, panel.calendar_of(exchange))
    columns, days = _columns(windows, i)
    if panel.measure != "return" or row < 0 or columns.size == 0:
        return None
    base = max(window.start - 1, int(days[0]))
    calendar = windows.calendars[windows.calendar[i]]
    at = np.searchsorted(calendar, columns)
    growth = (
        np.exp(panel.values[row, calendar])
        if panel.kind == "log"
        else 1 + panel.values[row, calendar]
    )
    level = _levels(growth, panel.spans[row, calendar], at, int(at[base - days[0]]))
    if np.isfinite(level).sum() < 2:
        return None
    quotes = quotes_of(panel) if quotes is None else quotes
    label, scale = _scale(quotes.get(symbol), panel.sessions[columns], level)
    expected, half = _expected(results, i, days, base)
    band = np.exp if panel.kind == "log" else (lambda x: 1 + x)
    path = scale * expected
    before = windows.positions[i, : len(windows.estimation)]
    typical, sessions = panel.sessions[before[before >= 0]], panel.sessions[columns]
    return PricePath(
        days, sessions, scale * level, path, path * band(-half), path * band(half), base, label,
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
    return np.concatenate([calendar[first + before], columns]), np.concatenate(
        [days[0] + before, days]
    )


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
    at = np.minimum(np.searchsorted(dates, sessions), len(dates) - 1)
    for name, closes in columns.items():
        ratio = np.where(dates[at] == sessions, closes[at], np.nan) / level
        ratio = ratio[np.isfinite(ratio)]
        if ratio.size and np.allclose(ratio, ratio[0], rtol=1e-6):
            return name, float(ratio[0])
    return INDEX, 100.0


def _volume(quotes: Quoted | None, sessions: DateArray, typical: DateArray) -> FloatArray:
    """Return the volume of `sessions` over the median of that of the sessions `typical`."""
    dates, _, volume = quotes or (sessions[:0], {}, np.empty(0))
    if not volume.size:
        return np.full(len(sessions), np.nan)
    traded, usual = (
        np.where(dates[at] == days, volume[at], np.nan)
        for days in (sessions, typical)
        for at in [np.minimum(np.searchsorted(dates, days), len(dates) - 1)]
    )
    usual = usual[usual > 0]
    return traded / np.median(usual) if usual.size else np.full(len(sessions), np.nan)


def _expected(
    results: FittedStudy, i: int, days: IntArray, base: int
) -> tuple[FloatArray, FloatArray]:
    """Return the expected relatives since `base` (1 there), and half the interval of the CAR."""
    a, first = results.abnormal, base + 1
    out, half = np.full(len(days), np.nan), np.full(len(days), np.nan)
    if not results.ok[i] or base not in days or first not in a.event:
        return out, half
    cars, halves = cars_since(a, first)
    daily = np.nan_to_num(a.expected[i, first - a.event.start :])
    grown = np.exp(np.cumsum(daily)) if results.panel.kind == "log" else np.cumprod(1 + daily)
    # Days up to the base, then as many of those after it as lie within the data.
    later = np.flatnonzero(days > base)
    has_car = np.isfinite(cars[i])
    if not has_car.any():
        return out, half
    grown, width = np.where(has_car, grown, np.nan), np.where(has_car, halves[i], np.nan)
    out[later], half[later] = grown[: len(later)], width[: len(later)]
    out[days == base], half[days == base] = 1.0, 0.0
    return out, half
