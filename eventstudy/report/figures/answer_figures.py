"""The figure of the answer: the shares against what the market implied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from ...analysis.implied_path import BASE, ImpliedPath
from ...utility.catalogue import say
from ...utility.numbers import percent
from ...utility.typing import FloatArray
from .event_figures import Box
from .svg_canvas import (
    WIDE,
    Panel,
    Scale,
    day_scale,
    day_ticks,
    picture,
    rect,
    roomy,
    text,
    ticks,
)

# Pixels between the names of two lines, and the size of the letters of the effect.
APART, LARGE = 36.0, 12.0
# Ticks of the levels at most.
LEVELS = 6


def draw_implied(path: ImpliedPath, *, width: int, label: str) -> Markup:
    """Return shares and market implied with its 95% band; a bracket shows the effect.

    Parameters
    ----------
    path : ImpliedPath
    width : int
        WIDE or NARROW.
    label : str
        Name of the picture.
    """
    wide, days = width == WIDE, path.days
    low, high = path.implied - path.half, path.implied + path.half
    scale = roomy([path.shares, path.implied, low, high], zero=False)
    across = day_scale(days, width) if wide else Scale(days[0] - 0.5, days[-1] + 0.5, 40, 296)
    panel = Panel(across, Scale(*scale, 330.0 if wide else 270.0, 20.0))
    start, stop = panel.x(max(path.base, days[0])), panel.x(path.end)
    marks = [
        rect(start, panel.y.stop, stop - start, panel.y.start - panel.y.stop, "win"),
        panel.y_ticks(ticks(*scale, LEVELS, lambda value, n: f"{value:.{n}f}")),
        panel.band(days, low, high, "range"),
        panel.rule(BASE, "z"),
        panel.line(days, path.implied, "i dashed"),
        panel.line(days, path.shares, "b"),
        panel.dots(days, path.shares, "b dot"),
        panel.x_ticks(day_ticks(days, 11 if wide else 6)),
        *_bracket(panel, path),
        *_ends(panel, path, wide=wide),
        panel.fields(days, _tips(path)),
    ]
    facts = {"shares": _last(path.shares), "implied": _last(path.implied), "end": path.end}
    desc = say("figure.implied_desc", **facts, gap=_gap(path))
    return picture(width, 360 if wide else 300, marks, title=label, desc=desc)


def _last(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else np.nan


def _gap(path: ImpliedPath) -> float:
    """Return the effect of the main window (decimal)."""
    return float(path.gap[path.days == path.end].sum()) / BASE


def _bracket(panel: Panel, path: ImpliedPath) -> Iterator[str]:
    """Yield the bracket between the lines on the last day of the main window, and its number."""
    at = np.flatnonzero(path.days == path.end)
    if not len(at) or not np.isfinite(path.gap[at[0]]):
        return
    ends = (float(path.implied[at[0]]), float(path.shares[at[0]]))
    yield panel.whiskers(path.days[at], np.array([min(ends)]), np.array([max(ends)]), "bracket")
    name = percent(_gap(path))
    x, y = place_number(panel, path, LARGE * len(name))
    yield text(x, y, name, "large")


def place_number(panel: Panel, path: ImpliedPath, width: float) -> tuple[float, float]:
    """Return where the number of the bracket begins: where it covers least of the lines.

    Parameters
    ----------
    panel : Panel
    path : ImpliedPath
    width : float
        Of the number, in pixels.

    Returns
    -------
    tuple of float
        x and y of its foot: right or left of the bracket, above, below or between its ends.
    """
    at, fine = path.end, np.linspace(path.days[0], path.days[-1], 400)
    lines = [
        (panel.x.places(fine), panel.y.places(np.interp(fine, path.days, ys)))
        for ys in (path.shares, path.implied)
    ]
    here = [float(np.interp(at, path.days, ys)) for ys in (path.shares, path.implied)]
    top, foot = sorted(panel.y(value) for value in here)
    x = panel.x(at)
    places = [
        (left, y)
        for y in (foot + 26, top - 12, (top + foot) / 2 + 7, foot + 52, top - 38)
        for left in (x + 10, x - 10 - width)
    ]

    def cost(place: tuple[float, float]) -> float:
        box = Box(place[0] - 4, place[0] + width + 4, place[1] - 20, place[1] + 4)
        inside = panel.y.stop <= box.top and box.foot <= panel.y.start
        inside &= panel.x.start <= box.start and box.stop <= panel.x.stop
        return 1e6 * (not inside) + sum(box.holds(line) for line in lines)

    return min(places, key=cost)


def _ends(panel: Panel, path: ImpliedPath, *, wide: bool) -> Iterator[str]:
    """Yield the names of the lines and their last levels, clear of each other."""
    values = {"implied": _last(path.implied), "shares": _last(path.shares)}
    short = "" if wide else "_short"
    if not all(np.isfinite(list(values.values()))):
        return
    ys = {name: panel.y(value) for name, value in values.items()}
    middle, spread = sum(ys.values()) / 2, abs(ys["implied"] - ys["shares"])
    if spread < APART:
        upper = min(ys, key=lambda name: (ys[name], name))
        ys = {name: middle + (-1 if name == upper else 1) * APART / 2 for name in ys}
    for name, kind in (("implied", "m"), ("shares", "bt")):
        yield text(panel.x.stop + 8, ys[name], say(f"figure.{name}{short}"), kind)
        yield text(panel.x.stop + 8, ys[name] + 16, f"{values[name]:.1f}", kind)


def _tips(path: ImpliedPath) -> Iterator[str]:
    """Yield the numbers of each day in words."""
    for day, shares, implied, half in zip(
        path.days, path.shares, path.implied, path.half, strict=True
    ):
        facts = {"shares": shares, "implied": implied, "gap": (shares - implied) / BASE}
        yield say("figure.implied_day", day=int(day), half=half / BASE, **facts)
