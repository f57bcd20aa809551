"""The path of each CAR as a small picture, for the rows of the table of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ...utility.catalogue import say
from ...utility.typing import FloatArray, IntArray
from .svg_canvas import Panel, Scale, number

WIDTH, HEIGHT = 72, 44
# A row of the table has 3 kB.
MOST_POINTS = 60
# Share of the paths that the scale must hold; those that go further are cut.
PATHS_SHOWN, FEW_PATHS = 0.9, 10
COLORS = ("b", "o", "i")


@dataclass(frozen=True, eq=False, slots=True)
class Sparklines:
    """The scale that small paths share.

    Attributes
    ----------
    days : IntArray
        Event days, shape (L2,).
    reach : float
        Distance from zero that the scale holds.
    n_cut : int
        Paths that go beyond it.
    """

    days: IntArray
    reach: float
    n_cut: int

    @classmethod
    def of(cls, days: IntArray, paths: Sequence[FloatArray]) -> Sparklines:
        """Return the scale of some paths.

        Parameters
        ----------
        days : (L2,) int array
            Event days.
        paths : sequence of (L2,) arrays
            CARs by day; NaN where missing.
        """
        sizes = np.array([np.nanmax(np.abs(path), initial=0.0) for path in paths])
        share = PATHS_SHOWN if len(sizes) > FEW_PATHS else 1.0
        reach = max(float(np.quantile(sizes, share)), 1e-4)
        return cls(days, reach, int((sizes > reach).sum()))

    def draw(self, path: FloatArray, group: int = 0) -> Markup:
        """Return one path with its numbers in words; "" if it has none.

        Parameters
        ----------
        path : (L2,) array
        group : int
            Place of the group, which decides its colour.
        """
        at = np.flatnonzero(np.isfinite(path))
        if not at.size:
            return Markup("")
        days = self.days
        panel = Panel(
            Scale(float(days[0]), float(days[-1]), 2, WIDTH - 2),
            Scale(-self.reach, self.reach, HEIGHT - 2, 2),
        )
        points = np.linspace(0, len(days) - 1, min(len(days), MOST_POINTS)).round().astype(int)
        line = panel.line(days[points], path[points], f"s{COLORS[min(group, 2)]}")
        post = f"M{number(panel.x(0))} 2V{HEIGHT - 2}" if days[0] < 0 < days[-1] else ""
        axes = f'<path d="M2 {number(HEIGHT / 2)}H{WIDTH - 2}{post}"/>'
        tip = self._tip(path, int(at[-1]))
        return Markup(  # noqa: S704 - numbers only
            f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}"><title>{tip}</title>{axes}{line}</svg>'
        )

    def _tip(self, path: FloatArray, last: int) -> str:
        """Return where the path stands before day 0 and at its end."""
        before = np.flatnonzero((self.days == -1) & np.isfinite(path))
        code = "path_before" if before.size and before[0] < last else "path_end"
        facts = {"end": path[last], "day": int(self.days[last])}
        return say(f"spark.{code}", before=path[before].sum(), **facts)
