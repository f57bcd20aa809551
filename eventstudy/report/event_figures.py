"""The figures of an event page: price against the model, abnormal returns, and the estimation window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..typing import BoolArray, DateArray, FloatArray, IntArray
from ..windows import Window
from .canvas import Panel, Scale, picture, roomy, signed_label, text, ticks
from .episode import DAY, Episode, Fit
from .measures import words
from .price_path import PricePath
from .wording import MISSING, date_iso, day, percent, span, window_text

WIDE, NARROW = 1000, 360


def price_figure(path: PricePath, window: Window, *, width: int, name: str = "") -> str:
    """Return the close as a line, the model's path with its 95% band, and the window shaded.

    `name` stands above the window.
    """
    wide = width == WIDE
    low, high = roomy([path.actual, path.low, path.high], zero=False)
    panel = Panel(_days(path.days, width), Scale(low, high, 270 if wide else 232, 26))
    at = ticks(low, high, 6 if wide else 5, lambda v, d: f"{v:,.{d}f}")
    parts = [
        _shade(panel, window), panel.y_ticks(at),
        panel.band(path.days, path.low, path.high, "band"), panel.post(0, "d"),
        panel.line(path.days, path.expected, "b dashed"), panel.line(path.days, path.actual, "i"),
        panel.dots(path.days, np.where(path.days == path.base, path.actual, np.nan), "i dot"),
        panel.x_ticks(_day_ticks(path.days, 9 if wide else 5)),
        *_hits(panel, path.days, price_tips(path)),
    ]  # fmt: skip
    parts += _ends(panel, path) if wide else _keyed(panel, path)
    middle = float(panel.x((window.start + window.stop) / 2))
    parts += [text(middle, 18, name, "s c")] if name else []
    desc = "Line of closes; dashed line of the closes that the model expected, with 95% band. Values below."
    return picture(
        width, 300 if wide else 262, parts, title=f"{path.what} against the model", desc=desc,
        kind="wide" if wide else "narrow",
    )  # fmt: skip


def volume_figure(path: PricePath, window: Window, *, width: int) -> str:
    """Return the volume of each day as bars, 1 being the median of the estimation window."""
    wide, known = width == WIDE, np.flatnonzero(np.isfinite(path.volume))
    high = max(2.0, 1.05 * float(path.volume[known].max(initial=0)))
    panel = Panel(_days(path.days, width), Scale(0, high, 110, 14))
    tips = [
        f"Day {day(int(t))}: {v:.2f} times the median" if np.isfinite(v) else f"Day {day(int(t))}: no volume"
        for t, v in zip(path.days, path.volume, strict=True)
    ]
    parts = [
        _shade(panel, window), panel.y_ticks(ticks(0, high, 4, lambda v, d: f"{v:.{d}f}×")),
        *(panel.bar(path.days[k], path.volume[k], 0.66, "vol") for k in known), panel.rule(0, "z"),
        panel.rule(1, "d"), panel.post(0, "d"), panel.x_ticks(_day_ticks(path.days, 9 if wide else 5)),
        *_hits(panel, path.days, tips),
    ]  # fmt: skip
    desc = "Bars of each day; the level line at 1 is the median of the estimation window."
    return picture(width, 140, parts, title="Volume", desc=desc, kind="wide" if wide else "narrow")


def abnormal_figure(found: Episode, window: Window, *, width: int) -> str:
    """Return the AR of each day as bars above, the CAR below, each on its 95% range without an event."""
    wide = width == WIDE
    upper, lower = (16, 170), (206, 372)
    days, axis = found.days, _days(found.days, width)
    parts = []
    for (top, foot), values, half in (
        (upper, found.ar, found.ar_half), (lower, found.car, found.car_half)
    ):  # fmt: skip
        low, high = roomy([values, half, -half])
        panel = Panel(axis, Scale(low, high, foot, top))
        at = ticks(low, high, 5, signed_label, scale=words().scale)
        parts += [
            _shade(panel, window),
            panel.y_ticks(_with_unit(at)),
            panel.band(days, -half, half, "range"),
        ]
        if values is found.ar:
            known = np.flatnonzero(np.isfinite(values))
            parts += [panel.bar(days[k], values[k], 0.66, "bb") for k in known]
        parts += [panel.rule(0, "z"), panel.post(0, "d")]
        if values is found.car:
            parts += [panel.line(days, values, "b"), panel.dots(days, values, "b dot")]
            parts += [panel.x_ticks(_day_ticks(days, 11 if wide else 5))]
        parts += list(_names(panel, values, cumulated=values is found.car, wide=wide, first=int(days[0])))
    whole = Panel(axis, Scale(0, 1, lower[1], upper[0]))
    parts += _hits(whole, days, abnormal_tips(found))
    desc = (
        "Bars: abnormal return of each day. Line: cumulative abnormal return. In grey the range that holds "
        "95% without an event. Values below."
    )
    title = f"Abnormal returns, {window_text(window)} shaded"
    return picture(width, 402, parts, title=title, desc=desc, kind="wide" if wide else "narrow")


def fit_figure(fit: Fit, days: IntArray, window: Window) -> str:
    """Return the estimation days as grey points, the model's line, and the days of `window` marked."""
    scale, kind = words().scale, words().axis
    inside = (days >= window.start) & (days <= window.stop)
    ys = roomy([fit.y, fit.y_event[inside]])
    xs = roomy([fit.x, fit.x_event[inside]], zero=fit.axis != DAY, room=0.04)
    panel = Panel(Scale(*xs, 52, 488), Scale(*ys, 286, 16))
    across = ticks(*xs, 5, signed_label, scale=1.0 if fit.axis == DAY else scale)
    ends = np.array(xs)
    parts = [
        panel.y_ticks(_with_unit(ticks(*ys, 6, signed_label, scale=scale))), panel.rule(0, "z"),
        panel.post(0, "z") if xs[0] < 0 < xs[1] and fit.axis != DAY else "",
        panel.dots(fit.x, fit.y, "cloud"), _clipped_line(panel, ends, fit.intercept + fit.slope * ends),
        panel.x_ticks(across),
        text(488, 324, DAY if fit.axis == DAY else f"{_axis_name(fit.axis)}, {kind}", "m e"),
        *_marked(panel, fit, days, inside),
    ]  # fmt: skip
    desc = f"{len(fit.y)} estimation days in grey, the line of the model, {window_text(window)} marked."
    return picture(500, 332, parts, title="Estimation window", desc=desc, kind="half")


def price_tips(path: PricePath) -> list[str]:
    """Return the numbers of each day in words."""
    out = []
    for t, date, actual, expected, low, high in _rows(
        path.days, path.dates, path.actual, path.expected, path.low, path.high
    ):
        said = f"Day {day(int(t))}, {date_iso(date)}: "
        said += f"close {money(actual)}" if np.isfinite(actual) else "no close"
        if t > path.base and np.isfinite(expected):
            said += f", model {money(expected)} (95% {money(low)} to {money(high)})"
        out.append(said)
    return out


def abnormal_tips(found: Episode) -> list[str]:
    """Return the numbers of each day in words."""
    return [
        f"Day {day(int(t))}, {date_iso(date)}: AR {percent(ar)} ({percent(ret)}, model {percent(model)}), "
        f"CAR {percent(car)} (95% CI {span(car - half, car + half)})"
        if np.isfinite(ar) else f"Day {day(int(t))}: no value"
        for t, date, ar, ret, model, car, half in _rows(
            found.days, found.dates, found.ar, found.ret, found.expected, found.car, found.car_half
        )
    ]  # fmt: skip


def money(value: float) -> str:
    """Return a price with as many digits as its size needs: ``1,234.50``, ``0.0123``."""
    decimals = 2 if abs(value) >= 1 else 4
    return f"{value:,.{decimals}f}" if np.isfinite(value) else MISSING


def _rows(*columns: IntArray | DateArray | FloatArray) -> Iterator[tuple[float, ...]]:
    return zip(*columns, strict=True)


def _days(days: IntArray, width: int) -> Scale:
    ends = (52.0, 865.0) if width == WIDE else (44.0, 354.0)
    return Scale(float(days[0]) - 0.5, float(days[-1]) + 0.5, *ends)


def _hits(panel: Panel, days: IntArray, tips: list[str]) -> list[str]:
    """Return an invisible field with the numbers of the day over each day."""
    return [panel.stripe(t - 0.5, t + 0.5, "hit", tip) for t, tip in zip(days, tips, strict=True)]


def _shade(panel: Panel, window: Window) -> str:
    return panel.stripe(max(window.start - 0.5, panel.x.low), min(window.stop + 0.5, panel.x.high), "win")


def _day_ticks(days: IntArray, most: int) -> list[tuple[float, str]]:
    """Return round days, at most `most` of them, day 0 among them."""
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if len(days) / s <= most), 200)
    return [(float(t), "day 0" if t == 0 else day(int(t))) for t in days if t % step == 0]


def _with_unit(at: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return the ticks with the unit on the last one."""
    if not at or words().unit != "%":
        return at
    return [*at[:-1], (at[-1][0], f"{at[-1][1]}%")]


def _ends(panel: Panel, path: PricePath) -> Iterator[str]:
    """Yield the names of the two paths beside their last points, clear of each other."""
    ends = []
    for values, name, kind in ((path.expected, "Model", "bt"), (path.actual, "Actual", "s")):
        known = np.flatnonzero(np.isfinite(values))
        if known.size and (name == "Actual" or path.days[known[-1]] > path.base):
            ends.append((float(panel.y(values[known[-1]])), f"{name} {money(values[known[-1]])}", kind))
    ends.sort()
    if len(ends) == 2 and ends[1][0] - ends[0][0] < 34:
        middle = (ends[0][0] + ends[1][0]) / 2
        ends = [(middle + shift, *end[1:]) for shift, end in zip((-17, 17), ends, strict=True)]
    for y, name, kind in ends:
        yield text(873, y + 2, name, kind)
        if kind == "bt":
            yield text(873, y + 18, "95% band", "bt thin")


def _keyed(panel: Panel, path: PricePath) -> list[str]:
    """Return what the lines of a narrow figure are, in its lower left corner."""
    y = panel.y.start - 8
    model = [text(panel.x.start + 6, y - 18, "dashed: model, 95% band", "bt")]
    return [
        *(model if np.isfinite(path.expected).any() else []),
        text(panel.x.start + 6, y, "line: close", "s"),
    ]


def _names(panel: Panel, values: FloatArray, *, cumulated: bool, wide: bool, first: int) -> Iterator[str]:
    """Yield the name of a panel: beside its end, on a narrow figure above it."""
    known = np.flatnonzero(np.isfinite(values))
    if known.size == 0:
        return
    end, name = percent(values[known[-1]], unit=words().unit == "%"), "CAR" if cumulated else "AR each day"
    top = panel.y.stop
    if not wide:
        yield text(panel.x.start, top - 5, f"CAR from day {day(first)}: {end}" if cumulated else name, "bt")
        return
    y = float(panel.y(values[known[-1]] if cumulated else 0))
    yield text(873, y, f"CAR {end}" if cumulated else name, "bt")
    yield text(873, y + 16, f"from day {day(first)}" if cumulated else "grey: 95% range", "m")
    if not cumulated:
        yield text(873, y + 32, "without an event", "m")


def _clipped_line(panel: Panel, xs: FloatArray, ys: FloatArray) -> str:
    """Return the part of a straight line that lies within the panel."""
    low, high = panel.y.low, panel.y.high
    slope = (ys[1] - ys[0]) / (xs[1] - xs[0])
    if slope == 0:
        return panel.line(xs, ys, "b")
    at = np.sort([xs[0] + (edge - ys[0]) / slope for edge in (low, high)])
    ends = np.array([max(xs[0], at[0]), min(xs[1], at[1])])
    return panel.line(ends, ys[0] + slope * (ends - xs[0]), "b") if ends[0] < ends[1] else ""


def _marked(panel: Panel, fit: Fit, days: IntArray, inside: BoolArray) -> Iterator[str]:
    """Yield the days of the window as points with their names, as long as these do not crowd."""
    shown = np.flatnonzero(inside & np.isfinite(fit.x_event) & np.isfinite(fit.y_event))
    # The name of the leftmost point stands to its left, so that two near each other keep clear.
    first = min(shown, key=lambda k: fit.x_event[k], default=-1)
    for k in shown:
        x, y = float(panel.x(fit.x_event[k])), float(panel.y(fit.y_event[k]))
        kind = "o full" if days[k] == 0 else "o"
        tip = f"Day {day(int(days[k]))}: return {percent(fit.y_event[k])}"
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{tip}</title></circle>'
        if inside.sum() <= 3:
            left = x > 420 or (k == first and x > 120)
            yield text(x - 9 if left else x + 9, y + 4, f"day {day(int(days[k]))}", "ot e" if left else "ot")


def _axis_name(axis: str) -> str:
    return axis if axis.startswith("expected") else "benchmark return"
