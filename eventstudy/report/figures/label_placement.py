"""Where the names of points stand in a scatter: clear of each other, of lines, and of the edge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...utility.typing import FloatArray

# Points nearer than this share a name; pixels, as all here.
TOGETHER = 9.0
LETTER, HEIGHT = 7.9, 15.0
# From a point to the start, end or middle of the line of text that names it, the best place first.
PLACES = (
    (10, 4, ""), (-10, 4, "e"), (0, -11, "c"), (0, 21, "c"),
    (9, -9, ""), (-9, -9, "e"), (9, 18, ""), (-9, 18, "e"),
)  # fmt: skip
# What it costs to go beyond the edge, to cover a point or a line, and each point of a cloud.
OUTSIDE, ON_POINT, ON_LINE, ON_CLOUD = 100.0, 20.0, 6.0, 0.3


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


class Label(NamedTuple):
    """A text, where it begins, ends or has its middle, and which of these ("", "e", "c")."""

    text: str
    x: float
    y: float
    anchor: str

    @property
    def box(self) -> Box:
        """The room that the text takes."""
        width = LETTER * len(self.text)
        start = self.x - {"": 0.0, "e": width, "c": width / 2}[self.anchor]
        return Box(start, start + width, self.y - HEIGHT + 3, self.y + 3)


def together(points: Sequence[tuple[float, float]]) -> list[list[int]]:
    """Return the points that share a name, by their positions."""
    groups: list[list[int]] = []
    for i, point in enumerate(points):
        near = (group for group in groups if math.dist(points[group[0]], point) < TOGETHER)
        group = next(near, None)
        if group is None:
            groups.append([i])
        else:
            group.append(i)
    return groups


def placed(
    names: Sequence[str],
    points: Sequence[tuple[float, float]],
    edge: Box,
    *,
    marks: Iterable[tuple[float, float]],
    lines: Sequence[tuple[FloatArray, FloatArray]],
    cloud: tuple[FloatArray, FloatArray],
) -> list[Label]:
    """Return the label of each point where it covers least.

    Parameters
    ----------
    names : sequence of str
    points : sequence of (x, y)
    edge : Box
        What no label goes beyond.
    marks : iterable of (x, y)
        Marks that no label covers.
    lines : sequence of (xs, ys)
        Lines as points close to each other.
    cloud : (xs, ys)
        Small points.
    """
    boxes = [Box(x - 7, x + 7, y - 7, y + 7) for x, y in marks]

    def cost(label: Label) -> float:
        box = label.box
        is_inside = edge.start <= box.start and box.stop <= edge.stop
        is_inside &= edge.top <= box.top and box.foot <= edge.foot
        return (
            OUTSIDE * (not is_inside)
            + ON_POINT * sum(box.meets(mark) for mark in boxes)
            + ON_LINE * sum(box.holds(line) > 0 for line in lines)
            + ON_CLOUD * box.holds(cloud)
        )

    labels: list[Label] = []
    for name, (x, y) in zip(names, points, strict=True):
        best = min((Label(name, x + dx, y + dy, anchor) for dx, dy, anchor in PLACES), key=cost)
        boxes.append(best.box)
        labels.append(best)
    return labels
