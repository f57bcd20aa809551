"""The figures of the page of one event: price, volume, estimation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from ...calendars import Window
from ...findings import Fit, PricePath
from ...utility import BoolArray, FloatArray, IntArray
from ...words import say, words
from . import svg_canvas as svg
from .labels import Box, place_names

# Days of a window that have their names.
MOST_NAMED = 3


def draw_price(path: PricePath, window: Window, *, unit: str = "") -> Markup:
    """Return the close as a line, and in grey the days without trade.

    Parameters
    ----------
    path : PricePath
    window : Window
        Shaded.
    unit : str
        Stands above the ticks.
    """
    priced = np.flatnonzero(np.isfinite(path.close))
    pairs = pairwise(path.days[priced].tolist())
    idle = [Window(last + 1, first - 1) for last, first in pairs if first - last > 1]

    def draw(width: int) -> Markup:
        low, high = svg.roomy([path.close, path.implied], zero=False)
        axis = _days_below_the_path(path.days, width)
        panel = svg.Panel(axis, svg.Scale(low, high, 220, 26))
        marks = [
            panel.y_ticks(svg.ticks(low, high, 5, lambda v, d: f"{v:,.{d}f}")),
            *(panel.stripe(gap, "range") for gap in idle),
            panel.stripe(window),
            panel.line(path.days, path.implied, "i dashed"),
            *_name_implied(panel, path),
            panel.line(path.days[priced], path.close[priced], "dotted"),
            panel.line(path.days, path.close, "b"),
            panel.dots(path.days, path.close, "b dot"),
            panel.x_ticks(svg.day_ticks(path.days, 7 if width == svg.WIDE else 5)),
            svg.text(panel.x.start - 6, 12, unit, "m") if unit else "",
        ]
        facts = {"title": say("figure.price", label=path.label), "desc": say("figure.price_desc")}
        return _picture(width, 250, marks, **facts)

    return svg.pair(draw)


def _name_implied(panel: svg.Panel, path: PricePath) -> Iterator[str]:
    """Yield the name of the line of the market, where it is farthest from the closes to come."""
    shown = np.flatnonzero(np.isfinite(path.implied))
    if not shown.size:
        return
    name = say("figure.implied_market")
    last = path.close[np.isfinite(path.close)][-1]
    is_above = bool(last < path.implied[shown[-1]])
    levels = path.implied[shown]
    at = shown[np.argmax(levels) if is_above else np.argmin(levels)]
    half = svg.text_width(name) / 2
    x = min(max(panel.x(path.days[at]), panel.x.start + half), panel.x.stop - half)
    y = panel.y(float(path.implied[at])) + (-8 if is_above else 18)
    yield svg.text(x, y, name, "m c halo")


def draw_volume(path: PricePath, window: Window, days: IntArray) -> Markup:
    """Return the volume of each day as bars, 1 being the median of the estimation window.

    Parameters
    ----------
    path : PricePath
    window : Window
        Its bars stand out.
    days : (n,) int array
        Event days that are shown.
    """
    shown = np.isin(path.days, days)
    at = path.days[shown]
    volume = path.volume[shown]
    high = max(2.0, 1.05 * float(np.nanmax(volume, initial=0)))
    inside = (at >= window.start) & (at <= window.stop)

    def draw(width: int) -> Markup:
        panel = svg.Panel(_days_below_the_path(at, width), svg.Scale(0, high, 100, 10))
        marks = [
            panel.y_ticks(svg.ticks(0, high, 4, lambda v, d: f"{v:.{d}f}×")),
            panel.bars(at[~inside], volume[~inside], 0.66, "vol"),
            panel.bars(at[inside], volume[inside], 0.66, "bar"),
            panel.rule(0, "z"),
            panel.rule(1, "d"),
            panel.x_ticks(svg.day_ticks(at, 6)),
        ]
        facts = {"title": say("figure.volume"), "desc": say("figure.volume_desc")}
        return _picture(width, 126, marks, **facts)

    return svg.pair(draw)


def _days_below_the_path(days: IntArray, width: int) -> svg.Scale:
    """Return the scale of days of a figure that stands below the path, or in its place."""
    ends = (40.0, 532.0) if width == svg.WIDE else (34.0, 350.0)
    return svg.Scale(float(days[0]) - 0.5, float(days[-1]) + 0.5, *ends)


def _picture(width: int, height: int, marks: list[str], *, title: str, desc: str) -> Markup:
    """Return a figure as wide as the path."""
    wide = width == svg.WIDE
    kind = "wide" if wide else "narrow"
    return svg.picture(660 if wide else 358, height, marks, title=title, desc=desc, kind=kind)


def draw_fit(fit: Fit, days: IntArray, window: Window) -> Markup:
    """Return the estimation days as grey points, the model's line, and the days of `window` marked.

    Parameters
    ----------
    fit : Fit
    days : (L2,) int array
        Event days.
    window : Window
    """
    inside = (days >= window.start) & (days <= window.stop)
    ys = svg.roomy([fit.y, fit.y_event[inside]], zero=False)
    xs = svg.roomy([fit.x, fit.x_event[inside]], zero=False)
    panel = svg.Panel(svg.Scale(*xs, 58, 488), svg.Scale(*ys, 286, 16))
    by_day = fit.against == "day"
    ends = np.array(xs)
    marks = [
        panel.y_ticks(panel.y.ticks(6)),
        panel.rule(0, "z") if ys[0] < 0 < ys[1] else "",
        panel.post(0, "z") if xs[0] < 0 < xs[1] and not by_day else "",
        panel.dots(fit.x, fit.y, "cloud"),
        _clipped_line(panel, ends, fit.intercept + fit.slope * ends),
        panel.x_ticks(svg.ticks(*xs, 5, svg.signed_label, scale=1.0 if by_day else words().scale)),
        svg.text(488, 324, say(f"figure.axis_{fit.against}", axis=words().axis), "m e"),
        *_marked_days(panel, fit, days, inside),
    ]
    desc = say("figure.fit_desc", n=len(fit.y), window=window)
    return svg.picture(svg.HALF, 332, marks, title=say("figure.fit"), desc=desc)


def _clipped_line(panel: svg.Panel, xs: FloatArray, ys: FloatArray) -> str:
    """Return the stretch of a straight line that lies within the panel."""
    slope = (ys[1] - ys[0]) / (xs[1] - xs[0])
    if slope == 0:
        return panel.line(xs, ys, "b")
    crossed = np.sort(xs[0] + (np.array([panel.y.low, panel.y.high]) - ys[0]) / slope)
    ends = np.array([max(xs[0], crossed[0]), min(xs[1], crossed[1])])
    return panel.line(ends, ys[0] + slope * (ends - xs[0]), "b") if ends[0] < ends[1] else ""


def _marked_days(panel: svg.Panel, fit: Fit, days: IntArray, inside: BoolArray) -> Iterator[str]:
    """Yield the days of the window as points with their names, as long as these do not crowd."""
    rows = np.flatnonzero(inside & fit.is_marked)
    at = [(panel.x(fit.x_event[k]), panel.y(fit.y_event[k])) for k in rows]
    for k, (x, y) in zip(rows, at, strict=True):
        kind = "mark full" if days[k] == 0 else "mark"
        tip = say("figure.fit_day", day=int(days[k]), ret=fit.y_event[k])
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5">'
        yield f"<title>{tip}</title></circle>"
    if inside.sum() > MOST_NAMED:
        return
    names = []
    for k, (x, y) in zip(rows, at, strict=True):
        names.append((f"day\N{NO-BREAK SPACE}{words().day(int(days[k]))}", x, y))
    dots = [Box(x - 7, x + 7, y - 7, y + 7) for x, y in at]
    edge = Box(panel.x.start, panel.x.stop, panel.y.stop, panel.y.start)
    for i, x, y in place_names(names, dots, edge):
        yield svg.text(x, y, names[i][0], "ot halo")
