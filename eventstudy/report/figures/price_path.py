"""The price of an event beside what the model expected of it, and the volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...calendars.window import Window
from ...utility.typing import DateArray, FloatArray, IntArray
from ...windows.event_windows import EventWindows
from .event_path import since

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy
    from ...returns import ReturnsPanel

# Dates of a symbol, its closes by what they are called, and its volumes (empty if it has none).
Quoted = tuple[DateArray, dict[str, FloatArray], FloatArray]
# Sessions before the event window that the price is shown for.
LEAD = 10
# An event window as wide as this shows what came before by itself.
WIDE_LEAD = 40
INDEX = "Index"
CLOSES = {"adj_close": "Adjusted close", "close": "Close"}


@dataclass(frozen=True, eq=False)
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
    what : str
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
    what: str
    volume: FloatArray

    def at(self, day: int) -> int:
        """Return the position of an event day."""
        return int(day - self.days[0])


def quotes_of(panel: ReturnsPanel) -> dict[str, Quoted]:
    """Return the dates of each symbol with its closes, adjusted ones first, and its volumes."""
    if panel.prices is None:
        return {}
    named = {CLOSES[c]: c for c in CLOSES if c in panel.prices}
    return {
        str(symbol): (
            part["date"].to_numpy().astype("datetime64[D]"),
            {name: part[column].to_numpy(float) for name, column in named.items()},
            part["volume"].to_numpy(float) if "volume" in part else np.empty(0),
        )
        for symbol, part in panel.prices.groupby("symbol", sort=False)
    }


def price_path(
    results: FittedStudy, i: int, window: Window, quotes: Mapping[str, Quoted] | None = None
) -> PricePath | None:
    """Return the closes of event `i`, and what the model expected from the day before `window` on.

    The band is the expected close times 1 ± the 95% forecast interval of the CAR from the base on
    (exp of it for log returns). None where there is no price around the event, and for other
    measures. `quotes` are those of :func:`quotes_of`, for callers that draw many events.
    """
    windows, panel = results.abnormal.windows, results.panel
    symbol, exchange = (str(results.events[name].iloc[i]) for name in ("ticker", "exchange"))
    row = panel.row(symbol, panel.calendar_of(exchange))
    columns, days = _columns(windows, i)
    if panel.measure != "return" or row < 0 or columns.size == 0:
        return None
    base = max(window.start - 1, int(days[0]))
    own = windows.calendars[windows.calendar[i]]
    at = np.searchsorted(own, columns)
    growth = np.exp(panel.values[row, own]) if panel.kind == "log" else 1 + panel.values[row, own]
    level = _levels(growth, panel.spans[row, own], at, int(at[base - days[0]]))
    if np.isfinite(level).sum() < 2:
        return None
    quotes = quotes_of(panel) if quotes is None else quotes
    what, scale = _scale(quotes.get(symbol), panel.sessions[columns], level)
    expected, half = _expected(results, i, days, base)
    band = np.exp if panel.kind == "log" else (lambda x: 1 + x)
    path = scale * expected
    before = windows.positions[i, : len(windows.estimation)]
    typical, sessions = panel.sessions[before[before >= 0]], panel.sessions[columns]
    return PricePath(
        days, sessions, scale * level, path, path * band(-half), path * band(half), base, what,
        _volume(quotes.get(symbol), sessions, typical),
    )  # fmt: skip


def _columns(windows: EventWindows, i: int) -> tuple[IntArray, IntArray]:
    """Return the columns of the sessions to be shown, and their event days; none beyond the
    data."""
    inside = windows.positions[i, len(windows.estimation) :]
    known = inside >= 0
    columns, days = inside[known], windows.event.days[known]
    if not known.any():
        return columns, days
    own = windows.calendars[windows.calendar[i]]
    first = int(np.searchsorted(own, columns[0]))
    lead = min(first, LEAD if len(days) < WIDE_LEAD else 1)
    before = np.arange(-lead, 0)
    return np.concatenate([own[first + before], columns]), np.concatenate([days[0] + before, days])


def _levels(growth: FloatArray, spans: IntArray, at: IntArray, base: int) -> FloatArray:
    """Return price relatives at the sessions `at`, 1 at the last price up to `base`; NaN past a
    break.

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
    """Return what the levels are and what one is worth: a price if they move exactly like it, else
    100."""
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
    own, usual = (
        np.where(dates[at] == days, volume[at], np.nan)
        for days in (sessions, typical)
        for at in [np.minimum(np.searchsorted(dates, days), len(dates) - 1)]
    )
    usual = usual[usual > 0]
    return own / np.median(usual) if usual.size else np.full(len(sessions), np.nan)


def _expected(
    results: FittedStudy, i: int, days: IntArray, base: int
) -> tuple[FloatArray, FloatArray]:
    """Return the expected relatives since `base`, 1 there, and half the interval of the CAR
    since."""
    a, first = results.abnormal, base + 1
    out, half = np.full(len(days), np.nan), np.full(len(days), np.nan)
    if not results.ok[i] or base not in days or first not in a.event:
        return out, half
    cars, halves = since(a, first)
    daily = np.nan_to_num(a.expected[i, first - a.event.start :])
    grown = np.exp(np.cumsum(daily)) if results.panel.kind == "log" else np.cumprod(1 + daily)
    # Days up to the base, then as many of those after it as lie within the data.
    later = np.flatnonzero(days > base)
    known = np.isfinite(cars[i])
    if not known.any():
        return out, half
    grown, width = np.where(known, grown, np.nan), np.where(known, halves[i], np.nan)
    out[later], half[later] = grown[: len(later)], width[: len(later)]
    out[days == base], half[days == base] = 1.0, 0.0
    return out, half
