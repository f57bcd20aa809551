"""Where names stand in a figure: free of each other and of marks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from ...utility import FloatArray
from .svg_canvas import text_width

# Height of letters, and names in a figure at most.
LETTERS, MOST = 12.0, 8


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

    def holds(self, points: tuple[FloatArray, FloatArray]) -> int:
        """Return how many points, given as (xs, ys), lie within."""
        x, y = points
        inside = (self.start < x) & (x < self.stop) & (self.top < y) & (y < self.foot)
        return int(inside.sum())


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
