"""The figure of abnormal returns: AR by day above, CAR below."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...calendars.window import Window
from ...utility.numbers import date_iso, day, percent, span, window_text
from ...utility.typing import FloatArray, IntArray
from ...utility.units import words
from .axes import WIDE, beside, day_scale, day_ticks, rows, shade, with_unit
from .event_path import Episode
from .svg_canvas import Panel, Scale, picture, roomy, sided, signed_label, text, ticks


def abnormal_figure(found: Episode, window: Window, *, width: int, tips: list[str]) -> str:
    """Return the AR of each day as bars above, the CAR below, each on its 95% range without an
    event.

    `tips` are the words of :func:`abnormal_tips`.
    """
    wide = width == WIDE
    upper, lower = (16, 170), (206, 372)
    days, axis = found.days, day_scale(found.days, width)
    parts = []
    for (top, foot), values, half in (
        (upper, found.ar, found.ar_half), (lower, found.car, found.car_half)
    ):  # fmt: skip
        low, high = sided(*roomy([values, half, -half]), 5, scale=words().scale)
        panel = Panel(axis, Scale(low, high, foot, top))
        parts.append(shade(panel, window))
        if np.isfinite(values).any():
            at = ticks(low, high, 5, signed_label, scale=words().scale)
            parts += [panel.y_ticks(with_unit(at)), panel.band(days, -half, half, "range")]
        if values is found.ar:
            parts.append(panel.bars(days, values, 0.66, "bb"))
        parts += [panel.rule(0, "z"), panel.post(0, "d")]
        if values is found.car:
            parts += [panel.line(days, values, "b"), panel.dots(days, values, "b dot")]
            parts += [panel.x_ticks(day_ticks(days, 11 if wide else 5))]
        parts += list(_names(panel, days, values, cumulated=values is found.car, wide=wide))
    whole = Panel(axis, Scale(0, 1, lower[1], upper[0]))
    parts.append(whole.fields(days, tips))
    desc = (
        "Bars: abnormal return of each day. Line: cumulative abnormal return. In grey the range "
        "that holds "
        "95% without an event. Values below."
    )
    title = f"Abnormal returns, {window_text(window)} shaded"
    return picture(width, 402, parts, title=title, desc=desc, kind="wide" if wide else "narrow")


def abnormal_tips(found: Episode) -> list[str]:
    """Return the numbers of each day in words."""
    return [
        f"Day {day(int(t))}, {date_iso(date)}: AR {percent(ar)} ({percent(ret)}, model "
        f"{percent(model)}), "
        f"CAR {percent(car)} (95% CI {span(car - half, car + half)})"
        if np.isfinite(ar) else f"Day {day(int(t))}: no value"
        for t, date, ar, ret, model, car, half in rows(
            found.days, found.dates, found.ar, found.ret, found.expected, found.car, found.car_half
        )
    ]  # fmt: skip


def _names(
    panel: Panel, days: IntArray, values: FloatArray, *, cumulated: bool, wide: bool
) -> Iterator[str]:
    """Yield the name of a panel: beside the end of its line, on a narrow figure above it."""
    known, first = np.flatnonzero(np.isfinite(values)), int(days[0])
    if known.size == 0:
        what = (
            f"no sum from day {day(first)} on: days are missing"
            if cumulated
            else "no abnormal return"
        )
        yield text(panel.x.start + 8, (panel.y.start + panel.y.stop) / 2 - 8, what, "m")
        return
    end, name = (
        percent(values[known[-1]], unit=words().unit == "%"),
        "CAR" if cumulated else "AR each day",
    )
    top = panel.y.stop
    if not wide:
        yield text(
            panel.x.start, top - 5, f"CAR from day {day(first)}: {end}" if cumulated else name, "bt"
        )
        return
    y = float(panel.y(values[known[-1]] if cumulated else 0))
    x = beside(panel, float(days[known[-1] if cumulated else -1]))
    yield text(x, y, f"CAR {end}" if cumulated else name, "bt")
    yield text(x, y + 16, f"from day {day(first)}" if cumulated else "grey: 95% range", "m halo")
    if not cumulated:
        yield text(873, y + 32, "without an event", "m")
