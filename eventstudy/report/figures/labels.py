"""Where names stand in a figure: free of each other and of marks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from ...utility import FloatArray
from .svg_canvas import text_width

# Height of letters, and names in a figure at most.
LETTERS, MOST = 12.0, 8
# Points of a line from a name to its dot that are kept clear of other names.
STEPS = 12


class Box(NamedTuple):
    """A rectangle, `top` above `foot`."""

    start: float
    stop: float
    top: float
    foot: float

    def meets(self, box: Box) -> bool:
        """Return whether two rectangles overlap."""
        across = self.start < box.stop and box.start < self.stop
        return across and self.top < box.foot and box.top < self.foot

    def at(self, x: float, y: float) -> Box:
        """Return this rectangle moved by `x` and `y`."""
        return Box(self.start + x, self.stop + x, self.top + y, self.foot + y)

    def holds(self, points: tuple[FloatArray, FloatArray]) -> int:
        """Return how many points, given as (xs, ys), lie within."""
        x, y = points
        inside = (self.start < x) & (x < self.stop) & (self.top < y) & (y < self.foot)
        return int(inside.sum())


def count_covered(
    xs: FloatArray, ys: FloatArray, room: Box, points: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Return how many points a rectangle covers at each place, (len(xs), len(ys)).

    Parameters
    ----------
    xs, ys : arrays
        By how much the rectangle is moved, across and down.
    room : Box
    points : (xs, ys)
        Of which there are m.
    """
    x, y = points
    beside = (xs[:, None] + room.start < x) & (x < xs[:, None] + room.stop)
    level = (ys[:, None] + room.top < y) & (y < ys[:, None] + room.foot)
    return np.asarray(beside.astype(float) @ level.T.astype(float))


def place_names(
    names: Sequence[tuple[str, float, float]], dots: Sequence[Box], room: Box
) -> list[tuple[int, float, float]]:
    """Return which names fit without touching another one or a dot, and where they begin.

    Parameters
    ----------
    names : sequence of (str, float, float)
        Each name with the middle of its dot, the most important first.
    dots : sequence of Box
        Of all dots.
    room : Box
        Where names may stand.

    Returns
    -------
    list of (int, float, float)
        Place in `names`, x of the beginning, and y of the foot.
    """
    placed: list[tuple[int, float, float]] = []
    boxes = list(dots)
    for i, (name, x, y) in enumerate(names):
        length = text_width(name, size=LETTERS)
        heights = (y - 9, y + 18, y - 23, y + 32, y - 37)
        for foot, start in product(heights, (x - length / 2, x - 6, x - length + 6)):
            box = Box(start - 4, start + length + 4, foot - LETTERS + 1, foot + 4)
            inside = room.start <= start and start + length <= room.stop
            inside &= room.top <= box.top and box.foot <= room.foot
            if inside and not any(box.meets(used) for used in boxes):
                boxes.append(box)
                placed.append((i, start, foot))
                break
        if len(placed) == MOST:
            break
    return placed


class Lead(NamedTuple):
    """A name above the dots: its place in the list, its beginning, foot, room, and its line."""

    i: int
    start: float
    foot: float
    box: Box
    line: tuple[float, float, float, float]


def lead_names(
    names: Sequence[tuple[str, float, float]], dots: Sequence[Box], feet: Sequence[float],
    width: float, most: int,
) -> list[Lead]:  # fmt: skip
    """Return which names fit above the dots, each with a line that leads to its dot.

    Parameters
    ----------
    names : sequence of (str, float, float)
        Each name with the top of its dot, the most important first.
    dots : sequence of Box
        Of all dots.
    feet : sequence of float
        Feet of the rows of names, the best first.
    width : float
        Pixels from side to side.
    most : int
        Names at most.

    Returns
    -------
    list of Lead
        No name touches another, a dot or the line of another; no two lines cross.
    """
    placed: list[Lead] = []
    boxes = list(dots)
    for i, (name, x, y) in enumerate(names):
        length = text_width(name, size=LETTERS)
        starts = (x - length / 2, x - 6, x - length + 6, x + 14, x - length - 14)
        for foot, start in product(feet, starts):
            box = Box(start - 5, start + length + 5, foot - LETTERS + 1, foot + 4)
            middle = min(max(x, start + 4), start + length - 4)
            line = (middle, foot + 4, x, y)
            inside = start >= 0 and start + length <= width
            if inside and not any(map(box.meets, boxes)) and _is_clear(line, box, placed):
                boxes.append(box)
                placed.append(Lead(i, start, foot, box, line))
                break
        if len(placed) == most:
            break
    return placed


def _is_clear(
    line: tuple[float, float, float, float], box: Box, placed: Sequence[Lead]
) -> bool:  # fmt: skip
    """Return whether a line and its name keep clear of those that are placed."""
    for other in placed:
        crosses = (line[0] - other.line[0]) * (line[2] - other.line[2]) < 0
        if crosses or other.box.holds(_points(line)) or box.holds(_points(other.line)):
            return False
    return True


def _points(line: tuple[float, float, float, float]) -> tuple[FloatArray, FloatArray]:
    x, y, x_end, y_end = line
    return np.linspace(x, x_end, STEPS), np.linspace(y, y_end, STEPS)
