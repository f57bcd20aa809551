"""The figures of price and volume."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...calendars.window import Window
from ...utility.numbers import MISSING, date_iso, day
from .axes import WIDE, beside, day_scale, day_ticks, over, rows, shade
from .price_path import PricePath
from .svg_canvas import Panel, Scale, picture, roomy, text, ticks


def price_figure(
    path: PricePath, window: Window, *, width: int, tips: list[str], name: str = "", unit: str = ""
) -> str:
    """Return the close as a line, the model's path with its 95% band, and the window shaded.

    `tips` are the words of :func:`price_tips`; `name` stands above the window, `unit` above the
    ticks.
    """
    wide = width == WIDE
    low, high = roomy([path.actual, path.low, path.high], zero=False)
    panel = Panel(day_scale(path.days, width), Scale(low, high, 270 if wide else 232, 26))
    at = ticks(low, high, 6 if wide else 5, lambda v, d: f"{v:,.{d}f}")
    parts = [
        shade(panel, window), panel.y_ticks(at),
        panel.band(path.days, path.low, path.high, "band"), panel.post(0, "d"),
        panel.line(path.days, path.expected, "b dashed"), panel.line(path.days, path.actual, "i"),
        panel.dots(path.days, np.where(path.days == path.base, path.actual, np.nan), "i dot"),
        panel.x_ticks(day_ticks(path.days, 9 if wide else 5)),
        panel.fields(path.days, tips),
    ]  # fmt: skip
    parts += _ends(panel, path) if wide else _keyed(panel, path)
    parts += [text(over(panel, window, name), 18, name, "s c")] if name else []
    parts += [text(panel.x.start - 6, 12, unit, "m e")] if unit else []
    desc = (
        "Line of closes; dashed line of the closes that the model expected, with 95% band. "
        "Values below."
    )
    return picture(
        width, 300, parts, title=f"{path.what} against the model", desc=desc,
        kind="wide" if wide else "narrow",
    )  # fmt: skip


def volume_figure(path: PricePath, window: Window, *, width: int, tips: list[str]) -> str:
    """Return the volume of each day as bars, 1 being the median of the estimation window."""
    wide, known = width == WIDE, path.volume[np.isfinite(path.volume)]
    high = max(2.0, 1.05 * float(known.max(initial=0)))
    panel = Panel(day_scale(path.days, width), Scale(0, high, 110, 14))
    parts = [
        shade(panel, window), panel.y_ticks(ticks(0, high, 4, lambda v, d: f"{v:.{d}f}×")),
        panel.bars(path.days, path.volume, 0.66, "vol"), panel.rule(0, "z"),
        panel.rule(1, "d"), panel.post(0, "d"),
        panel.x_ticks(day_ticks(path.days, 9 if wide else 5)),
        panel.fields(path.days, tips),
    ]  # fmt: skip
    desc = "Bars of each day; the level line at 1 is the median of the estimation window."
    return picture(width, 140, parts, title="Volume", desc=desc, kind="wide" if wide else "narrow")


def price_tips(path: PricePath) -> list[str]:
    """Return the numbers of each day in words."""
    out = []
    for t, date, actual, expected, low, high in rows(
        path.days, path.dates, path.actual, path.expected, path.low, path.high
    ):
        said = f"Day {day(int(t))}, {date_iso(date)}: "
        said += f"close {money(actual)}" if np.isfinite(actual) else "no close"
        if t > path.base and np.isfinite(expected):
            said += f", model {money(expected)} (95% {money(low)} to {money(high)})"
        out.append(said)
    return out


def volume_tips(path: PricePath) -> list[str]:
    """Return the volume of each day in words."""
    return [
        f"Day {day(int(t))}: {v:.2f} times the median"
        if np.isfinite(v)
        else f"Day {day(int(t))}: no volume"
        for t, v in zip(path.days, path.volume, strict=True)
    ]


def money(value: float) -> str:
    """Return a price with as many digits as its size needs: ``1,234.50``, ``0.0123``."""
    decimals = 2 if abs(value) >= 1 else 4
    return f"{value:,.{decimals}f}" if np.isfinite(value) else MISSING


def _ends(panel: Panel, path: PricePath) -> Iterator[str]:
    """Yield the names of the two paths beside their last points, clear of each other."""
    ends = []
    for values, name, kind in ((path.expected, "Model", "bt"), (path.actual, "Actual", "s")):
        known = np.flatnonzero(np.isfinite(values))
        if known.size and (name == "Actual" or path.days[known[-1]] > path.base):
            x = beside(panel, float(path.days[known[-1]]))
            ends.append(
                (float(panel.y(values[known[-1]])), f"{name} {money(values[known[-1]])}", kind, x)
            )
    ends.sort()
    if len(ends) == 2 and ends[1][0] - ends[0][0] < 34 and abs(ends[1][3] - ends[0][3]) < 120:
        middle = (ends[0][0] + ends[1][0]) / 2
        ends = [(middle + shift, *end[1:]) for shift, end in zip((-17, 17), ends, strict=True)]
    for y, name, kind, x in ends:
        yield text(x, y + 2, name, kind)
        if kind == "bt":
            yield text(x, y + 18, "95% band", "bt thin")


def _keyed(panel: Panel, path: PricePath) -> list[str]:
    """Return what the lines of a narrow figure are, below its days and clear of the lines."""
    y = panel.y.start + 44
    model = [text(panel.x.start, y + 18, "dashed: model, 95% band", "bt")]
    return [
        text(panel.x.start, y, "line: close", "s"),
        *(model if np.isfinite(path.expected).any() else []),
    ]
