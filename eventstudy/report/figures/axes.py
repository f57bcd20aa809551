"""What the figures of an event page share: their widths, the axis of days, and days as columns."""

from __future__ import annotations

from collections.abc import Iterator

from ...calendars.window import Window
from ...utility.numbers import day
from ...utility.typing import DateArray, FloatArray, IntArray
from ...utility.units import words
from .svg_canvas import Panel, Scale

WIDE, NARROW = 1000, 360
# Where names of lines begin that go on to the last day; width of a bold letter at most, in pixels.
BESIDE, LETTER = 873.0, 8.4


def day_scale(days: IntArray, width: int) -> Scale:
    ends = (52.0, 865.0) if width == WIDE else (44.0, 354.0)
    return Scale(float(days[0]) - 0.5, float(days[-1]) + 0.5, *ends)


def shade(panel: Panel, window: Window) -> str:
    return panel.stripe(
        max(window.start - 0.5, panel.x.low), min(window.stop + 0.5, panel.x.high), "win"
    )


def beside(panel: Panel, last: float) -> float:
    """Return where the name of a line begins whose last point is on a day."""
    return min(float(panel.x(last + 0.5)) + 8, BESIDE)


def over(panel: Panel, window: Window, name: str) -> float:
    """Return the middle of a name above a window, which keeps within the panel."""
    half = LETTER * len(name) / 2
    middle = float(panel.x((window.start + window.stop) / 2))
    return min(max(middle, panel.x.start + half), panel.x.stop - half)


def day_ticks(days: IntArray, most: int) -> list[tuple[float, str]]:
    """Return round days, at most `most` of them, day 0 among them."""
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if len(days) / s <= most), 200)
    return [(float(t), "day 0" if t == 0 else day(int(t))) for t in days if t % step == 0]


def with_unit(at: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return the ticks with the unit on the last one."""
    if not at or words().unit != "%":
        return at
    return [*at[:-1], (at[-1][0], f"{at[-1][1]}%")]


def rows(*columns: IntArray | DateArray | FloatArray) -> Iterator[tuple[float, ...]]:
    """Return arrays of equal length day by day."""
    return zip(*columns, strict=True)
