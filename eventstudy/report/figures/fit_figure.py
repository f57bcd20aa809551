"""The figure of the estimation window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...calendars.window import Window
from ...utility.numbers import NBSP, day, listed, percent, window_text
from ...utility.typing import BoolArray, FloatArray, IntArray
from ...utility.units import words
from .axes import with_unit
from .label_placement import Box, placed, together
from .regression_points import DAY, Fit
from .svg_canvas import Panel, Scale, picture, roomy, signed_label, text, ticks


def fit_figure(fit: Fit, days: IntArray, window: Window) -> str:
    """Return the estimation days as grey points, the model's line, and the days of `window`
    marked."""
    scale, kind = words().scale, words().axis
    inside = (days >= window.start) & (days <= window.stop)
    ys = roomy([fit.y, fit.y_event[inside]], zero=False)
    xs = roomy([fit.x, fit.x_event[inside]], zero=False, room=0.04)
    panel = Panel(Scale(*xs, 58, 488), Scale(*ys, 286, 16))
    across = ticks(*xs, 5, signed_label, scale=1.0 if fit.axis == DAY else scale)
    ends = np.array(xs)
    parts = [
        panel.y_ticks(with_unit(ticks(*ys, 6, signed_label, scale=scale))),
        panel.rule(0, "z") if ys[0] < 0 < ys[1] else "",
        panel.post(0, "z") if xs[0] < 0 < xs[1] and fit.axis != DAY else "",
        panel.dots(fit.x, fit.y, "cloud"),
        _clipped_line(panel, ends, fit.intercept + fit.slope * ends),
        panel.x_ticks(across),
        text(488, 324, DAY if fit.axis == DAY else f"{_axis_name(fit.axis)}, {kind}", "m e"),
        *_marked(panel, fit, days, inside),
    ]  # fmt: skip
    desc = (
        f"{len(fit.y)} estimation days in grey, the line of the model, {window_text(window)} "
        "marked."
    )
    return picture(500, 332, parts, title="Estimation window", desc=desc, kind="half")


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
    shown = np.flatnonzero(inside & marked(fit))
    at = [(float(panel.x(fit.x_event[k])), float(panel.y(fit.y_event[k]))) for k in shown]
    for k, (x, y) in zip(shown, at, strict=True):
        kind = "o full" if days[k] == 0 else "o"
        tip = f"Day {day(int(days[k]))}: return {percent(fit.y_event[k])}"
        yield (
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{tip}</title></circle>'
        )
    if inside.sum() > 3:
        return
    groups = together(at)
    names = [f"day{NBSP}{listed(day(int(days[shown[i]])) for i in group)}" for group in groups]
    edge = Box(panel.x.start, panel.x.stop, panel.y.stop, panel.y.start)
    cloud = tuple(
        np.array(scale.places(values), dtype=float)
        for scale, values in ((panel.x, fit.x), (panel.y, fit.y))
    )
    spots = [at[group[0]] for group in groups]
    for label in placed(
        names, spots, edge, marks=at, lines=_lines(panel, fit), cloud=(cloud[0], cloud[1])
    ):
        yield text(label.x, label.y, label.text, f"ot {label.anchor}".strip())


def marked(fit: Fit) -> BoolArray:
    """Tell which event days have a point."""
    return np.isfinite(fit.x_event) & np.isfinite(fit.y_event)


def _lines(panel: Panel, fit: Fit) -> list[tuple[FloatArray, FloatArray]]:
    """Return the line of the model and the two through zero as points, in pixels."""
    xs, ys = (np.linspace(scale.low, scale.high, 400) for scale in (panel.x, panel.y))
    none = np.zeros(400)
    lines = (
        (xs, fit.intercept + fit.slope * xs),
        (xs, none),
        *([] if fit.axis == DAY else [(none, ys)]),
    )
    return [
        (np.array(panel.x.places(x), dtype=float), np.array(panel.y.places(y), dtype=float))
        for x, y in lines
    ]


def _axis_name(axis: str) -> str:
    return axis if axis.startswith("expected") else "benchmark return"
