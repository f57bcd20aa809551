"""Where the names of points stand in a scatter: clear of each other, of lines, and of the edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...utility.typing import FloatArray

# Points nearer than this share a name; pixels, as all here.
TOGETHER = 9.0
LETTER, HEIGHT = 7.9, 15.0
# From a point to the start, end or middle of the line of text that names it, the best place first.
PLACES = (
    (10, 4, ""), (-10, 4, "e"), (0, -11, "c"), (0, 21, "c"),
    (9, -9, ""), (-9, -9, "e"), (9, 18, ""), (-9, 18, "e"),
)  # fmt: skip
OUTSIDE, ON_POINT, ON_LINE, ON_CLOUD = 100.0, 20.0, 6.0, 0.3


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, `top` above `foot`."""

    left: float
    right: float
    top: float
    foot: float

    def meets(self, other: Box) -> bool:
        """Tell whether two rectangles overlap."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.foot and other.top < self.foot


@dataclass(frozen=True, slots=True)
class Label:
    """A text, where it begins, ends or has its middle, and which of these ("", "e", "c")."""

    text: str
    x: float
    y: float
    anchor: str

    @property
    def box(self) -> Box:
        """The room that the text takes."""
        width = LETTER * len(self.text)
        left = self.x - {"": 0.0, "e": width, "c": width / 2}[self.anchor]
        return Box(left, left + width, self.y - HEIGHT + 3, self.y + 3)


def together(points: Sequence[tuple[float, float]]) -> list[list[int]]:
    """Return the points that share a name, by their positions."""
    found: list[list[int]] = []
    for i, (x, y) in enumerate(points):
        near = (g for g in found if np.hypot(points[g[0]][0] - x, points[g[0]][1] - y) < TOGETHER)
        group = next(near, None)
        if group is None:
            found.append([i])
        else:
            group.append(i)
    return found


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
    taken = [Box(x - 7, x + 7, y - 7, y + 7) for x, y in marks]
    found: list[Label] = []
    for name, (x, y) in zip(names, points, strict=True):
        tried = [Label(name, x + dx, y + dy, anchor) for dx, dy, anchor in PLACES]
        best = min(tried, key=lambda label: _cost(label.box, edge, taken, lines, cloud))
        taken.append(best.box)
        found.append(best)
    return found


def _cost(
    box: Box,
    edge: Box,
    taken: Sequence[Box],
    lines: Sequence[tuple[FloatArray, FloatArray]],
    cloud: tuple[FloatArray, FloatArray],
) -> float:
    beyond = (
        box.left < edge.left or box.right > edge.right or box.top < edge.top or box.foot > edge.foot
    )
    return (
        OUTSIDE * beyond
        + ON_POINT * sum(box.meets(other) for other in taken)
        + ON_LINE * sum(bool(_within(box, line).any()) for line in lines)
        + ON_CLOUD * int(_within(box, cloud).sum())
    )


def _within(
    box: Box, points: tuple[FloatArray, FloatArray]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool]]:
    x, y = points
    return (box.left < x) & (x < box.right) & (box.top < y) & (y < box.foot)
