"""Small pictures in the rows of tables: CARs with their intervals on one axis, and their paths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from markupsafe import Markup

from ...findings.events import EventCar
from ...utility.catalogue import say
from ...utility.numbers import signed
from ...utility.typing import FloatArray, IntArray
from ...utility.units import words
from .svg_canvas import Panel, Scale, number

# Share of interval ends that the axis must hold; longer intervals are cut.
ENDS_SHOWN, FEW_ROWS = 0.95, 10
# Of small paths: their size, points (a row of the table has 3 kB), and the share of the paths that
# the scale must hold; those that go further are cut.
WIDTH, HEIGHT, MOST_POINTS = 72, 44, 60
PATHS_SHOWN, FEW_PATHS = 0.9, 10
COLORS = ("b", "o", "i")
# By the place of the group, "" for a circle; and that of an effect.
SHAPES = ("", "M-4 7H4V15H-4Z", "M0 6 5 15H-5Z")
DIAMOND = "M0 4.5 6.5 11 0 17.5 -6.5 11Z"


@dataclass(frozen=True, slots=True)
class CarAxis:
    """An axis from -`bound` to `bound` (decimal), as wide as the cell that it stands in.

    Without values it has no ticks.
    """

    bound: float
    has_values: bool

    @classmethod
    def of(cls, cars: Iterable[EventCar]) -> CarAxis:
        """Return the axis that holds all CARs, and most intervals."""
        car, half = np.array([(car.car, car.half) for car in cars]).reshape(-1, 2).T
        ends = np.abs([car - half, car + half])
        share = ENDS_SHOWN if len(car) > FEW_ROWS else 1.0
        widest = np.nan if np.isnan(ends).all() else np.nanquantile(ends, share)
        return cls(1.06 * float(np.nanmax([*np.abs(car), widest, 1e-4])), np.isfinite(car).any())

    @property
    def ticks(self) -> tuple[tuple[str, str], ...]:
        """Place and label of round values on either side of zero, and of zero."""
        if not self.has_values:
            return ()
        scale = words().scale
        largest = scale * self.bound * 0.8
        power = 10.0 ** math.floor(math.log10(largest))
        step = max(m * power for m in (1, 2, 5) if m * power <= largest)
        decimals = max(0, -math.floor(math.log10(step)))
        return tuple(
            (self._place(t / scale), signed(t, decimals) if t else "0") for t in (-step, 0.0, step)
        )

    def n_cut(self, intervals: Iterable[tuple[float, float]]) -> int:
        """Return how many intervals go on beyond the axis."""
        return sum(low < -self.bound or high > self.bound for low, high in intervals)

    def mark(
        self,
        value: float,
        low: float,
        high: float,
        *,
        place: int = 0,
        is_filled: bool = False,
        is_mean: bool = False,
        tip: str = "",
    ) -> Markup:
        """Return a value with its interval as a picture; "" for a missing value.

        Parameters
        ----------
        value, low, high : float
            Decimal; without an interval NaN.
        place : int
            Place of the group, which decides colour and shape.
        is_filled : bool
            Whether it is significant.
        is_mean : bool
            Whether it is an effect, whose mark is a diamond.
        tip : str
            Shown to those who point at it.
        """
        if not np.isfinite(value):
            return Markup("")
        kind, shape = f"s{COLORS[min(place, 2)]}", DIAMOND if is_mean else SHAPES[min(place, 2)]
        x, full = self._place(value), " full" * is_filled
        title = f'<title>{escape(tip)}</title><rect class="hit" width="100%" height="22"/>'
        return Markup(  # noqa: S704 - numbers, and a tip that is escaped
            f'<svg aria-hidden="true">{title if tip else ""}{self._line(kind, low, high)}'
            + (
                f'<svg x="{x}" class="{kind}{full}"><path d="{shape}"/></svg></svg>'
                if shape
                else f'<circle class="{kind}{full}" cx="{x}" cy="11" r="4"/></svg>'
            )
        )

    def _line(self, kind: str, low: float, high: float) -> str:
        """Return the interval, with an arrow at each end that lies beyond the axis."""
        if not np.isfinite(low + high):
            return ""
        ends = [self._place(min(max(end, -self.bound), self.bound)) for end in (low, high)]
        line = f'<line class="{kind}" x1="{ends[0]}" x2="{ends[1]}" y1="11" y2="11"/>'
        arrow_left = f'<path class="{kind} cut" d="M7 6 1 11 7 16"/>' * (low < -self.bound)
        arrow = f'<svg x="100%" class="{kind} cut"><path d="M-7 6-1 11-7 16"/></svg>'
        return line + arrow_left + arrow * (high > self.bound)

    def _place(self, value: float) -> str:
        return f"{50 + 50 * value / self.bound:.2f}%"


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
