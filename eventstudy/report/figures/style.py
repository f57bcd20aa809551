"""What figures are drawn with: paper and ink, axes of percent and days, paths and marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.caar_path import Path95
from ...calendars.window import Window
from ...utility.numbers import count, day, percent, span, window_text
from ...utility.units import words
from .matplotlib_svg import TEXT, TITLE
from .svg_canvas import sided, signed_label, ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from ...utility.typing import IntArray

INK, MUTED, GRID, SHADE, PAPER = "#1a1e22", "#565c63", "#e4dfd4", "#efeadd", "#fcfbf8"
# (line, band, marker) of the first group, the second, and all others.
PALETTE = (("#0b5394", "#cbdff1", "o"), ("#a63e00", "#f3d9c4", "s"), (INK, "#cfc9bc", "^"))
POINTS_PER_INCH = 72
# Width of a bold letter in pixels, at most.
LETTER = 8.4


def blank(width: int, height: int) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH), dpi=POINTS_PER_INCH)


def new_axes(width: int, height: int) -> Axes:
    figure = blank(width, height)
    figure.set_layout_engine("constrained")
    return figure.subplots()


def frame(axes: Axes) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelcolor=MUTED, labelsize=TEXT)
    axes.set_facecolor("none")


def draw_path(axes: Axes, path: Path95, window: Window, style: tuple[str, str, str]) -> None:
    color, band, marker = style
    frame(axes)
    _time_marks(axes, window)
    low, high = path.caar - path.caar_half, path.caar + path.caar_half
    axes.fill_between(path.days, low, high, color=band, linewidth=0, zorder=1)
    axes.axhline(0, color=INK, linewidth=1, zorder=2)
    axes.plot(
        path.days, path.caar, color=color, linewidth=2.25, marker=marker, markersize=5,
        markeredgewidth=0, zorder=3,
    )  # fmt: skip


def draw_bars(axes: Axes, path: Path95, window: Window, color: str) -> None:
    frame(axes)
    _time_marks(axes, window)
    axes.bar(path.days, path.aar, width=0.66, color=color, zorder=2)
    axes.vlines(
        path.days,
        path.aar - path.aar_half,
        path.aar + path.aar_half,
        color=MUTED,
        linewidth=1.25,
        zorder=3,
    )
    axes.axhline(0, color=INK, linewidth=1, zorder=4)


def _time_marks(axes: Axes, window: Window) -> None:
    axes.axvspan(window.start - 0.5, window.stop + 0.5, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (3, 3)), zorder=2.5)


def percent_axis(axis: Axis, low: float, high: float, *, most: int = 6) -> None:
    """Give the axis round ticks around the data; in percent the unit is on the last one only."""
    scale = words().scale
    room = 0.04 * ((high - low) or 0.02)
    low, high = sided(low - room, high + room, most, scale=scale)
    axis.set_view_interval(low, high, ignore=True)
    at = ticks(low, high, most, signed_label, scale=scale)
    labels = [label for _, label in at]
    if labels and words().unit == "%":
        labels[-1] += "%"
    axis.set_ticks([t for t, _ in at], labels)
    axis.grid(visible=True, color=GRID, linewidth=1, zorder=0.5)
    axis.set_tick_params(length=0, labelcolor=MUTED)
    axis.axes.set_axisbelow(True)


def day_axis(axes: Axes, days: IntArray, *, most: int) -> None:
    """Mark round days and day 0; the middles of the days lie half a day inside the frame."""
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if len(days) / s <= most), 200)
    at = [int(t) for t in days if t % step == 0]
    if 0 in days and 0 not in at:
        at = sorted([*at, 0])
    axes.set_xlim(days[0] - 0.5, days[-1] + 0.5)
    axes.set_xticks(at, ["day 0" if t == 0 else day(t) for t in at])
    axes.tick_params(axis="x", length=0, pad=6)
    for label, t in zip(axes.get_xticklabels(), at, strict=True):
        label.set_color(INK if t == 0 else MUTED)
        label.set_fontweight("bold" if t == 0 else "normal")


def label_path(
    upper: Axes, lower: Axes, path: Path95, color: str, *, average: str, beside: bool
) -> None:
    if not beside:
        drawn = (", 95% band", ", 95% CI") if path.has_band else ("", "")
        for axes, text in (
            (upper, f"C{average}{drawn[0]}"),
            (lower, f"{average} each day{drawn[1]}"),
        ):
            axes.set_title(text, loc="left", fontsize=TEXT, fontweight="bold", color=color, pad=5)
        return
    beside_end: Any = {"textcoords": "offset points", "va": "center", "fontsize": TEXT}
    end = percent(path.end, unit=words().unit == "%")
    _label_end(upper, path, f"C{average} {end}", {**beside_end, "color": color})
    beside_end["xycoords"] = ("axes fraction", "data")
    lower.annotate(
        f"{average} each day", (1, 0), (6, 0), color=color, fontweight="bold", **beside_end
    )
    if np.isfinite(path.aar_half).any():
        lower.annotate("with 95% CI", (1, 0), (6, -16), color=MUTED, **beside_end)


def _label_end(axes: Axes, path: Path95, text: str, style: Mapping[str, Any]) -> None:
    """Name the path and its band beside the last point."""
    if path.last is None:
        return
    x, value, half = path.days[path.last] + 0.5, path.caar[path.last], path.caar_half[path.last]
    # Within the figure the text stands on paper, so that no line goes through it.
    ground = (
        {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
        if path.last + 1 < len(path.days)
        else None
    )
    axes.annotate(text, (x, value), (6, 0), fontweight="bold", bbox=ground, **style)
    if np.isfinite(half):
        low, high = axes.get_ylim()
        edge = min(value + max(half, 0.16 * (high - low)), high)
        axes.annotate("95% band,\nday by day", (x, edge), (6, -10), bbox=ground, **style)


def label_window(axes: Axes, path: Path95, window: Window, *, wide: bool) -> None:
    """Name the shaded window above its middle, as far as the ends of the axis allow."""
    name = f"main window {window_text(window)}" if wide else window_text(window)
    low, high = axes.get_xlim()
    middle, side = (window.start + window.stop) / 2, "center"
    figure = axes.get_figure(root=True)
    pixels = axes.get_position().width * (
        figure.get_figwidth() * POINTS_PER_INCH if figure else 1000
    )
    half = LETTER * len(name) / 2 * (high - low) / pixels
    edge, side = (
        (low, "left")
        if middle - half < low
        else (high, "right")
        if middle + half > high
        else (middle, side)
    )
    axes.annotate(
        name, (edge, 1), (0, 5), ha=side, va="bottom", xycoords=("data", "axes fraction"),
        textcoords="offset points", fontsize=TEXT, fontweight="bold", color=INK,
    )  # fmt: skip


def hit_areas(axes: Axes, path: Path95, average: str) -> None:
    """Lay an invisible field with the numbers of the day over each day."""
    columns = (path.days, path.aar, path.caar, path.caar_half, path.counts)
    for t, aar, caar, half, n in zip(*columns, strict=True):
        text = f"Day {day(int(t))}: {average} {percent(aar)}, C{average} {percent(caar)}"
        if np.isfinite(half):
            text += f" (95% CI {span(caar - half, caar + half)})"
        patch = axes.axvspan(
            t - 0.5, t + 0.5, facecolor="none", edgecolor="none", linewidth=0, zorder=9
        )
        patch.set_gid(f"{TITLE}{text}, {count(int(n), 'event')}")


@dataclass(frozen=True, slots=True)
class Point:
    """One row of the forest: a value with half the width of its interval."""

    name: str
    car: float
    half: float
    filled: bool

    @property
    def tip(self) -> str:
        ci = (
            f" ({span(self.car - self.half, self.car + self.half)})"
            if np.isfinite(self.half)
            else ""
        )
        return f"{self.name}: {percent(self.car)}{ci}"


def draw_point(axes: Axes, y: float, mark: Point, color: str, shape: str) -> None:
    axes.hlines(y, mark.car - mark.half, mark.car + mark.half, color=color, linewidth=2, zorder=2)
    (point,) = axes.plot(
        [mark.car], [y], marker=shape, markersize=7, color=color, linestyle="none",
        markerfacecolor=color if mark.filled else PAPER, markeredgewidth=1.75, zorder=3,
    )  # fmt: skip
    point.set_gid(TITLE + mark.tip)
