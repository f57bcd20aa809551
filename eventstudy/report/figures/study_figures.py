"""The figures of a study: paths, placebo studies, and small pictures in the rows of its tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from markupsafe import Markup

from ...analysis.caar_path import Path95
from ...calendars.window import Window
from ...findings.types import EventCar
from ...utility.catalogue import say
from ...utility.numbers import clipped, percent, pvalue, signed, window_text
from ...utility.typing import FloatArray, IntArray
from ...utility.units import words
from ..sections.checks import Check
from .svg_canvas import (
    COLORS,
    HALF,
    WIDE,
    Panel,
    Scale,
    day_scale,
    day_ticks,
    number,
    picture,
    return_scale,
    signed_label,
    text,
    ticks,
)

# Marks of paths: the ends of a line without length, and for the third group a triangle.
POINT, TRIANGLE = "h0", "m0-4.5 4.5 8h-9z"
# Shares of interval ends and of small paths that a scale must hold, which cuts those that go
# further; if there are few it holds all.
ENDS_SHOWN, PATHS_SHOWN, FEW = 0.95, 0.9, 10
# Of small paths: their size, and their points (a row of the table has 3 kB).
WIDTH, HEIGHT, MOST_POINTS = 72, 44, 60
MARKS = ("b", "o", "i")
# Letters of the name of a row.
LONGEST, LONGEST_NARROW = 64, 44
# By the place of the group, "" for a circle; and that of an effect.
SHAPES = ("", "M-4 7H4V15H-4Z", "M0 6 5 15H-5Z")
DIAMOND = "M0 4.5 6.5 11 0 17.5 -6.5 11Z"


def draw_path(path: Path95, window: Window, *, n_events: int, width: int, label: str) -> Markup:
    """Return the CAAR path with its pointwise 95% band above, the AAR of each day below.

    Parameters
    ----------
    path : Path95
    window : Window
        Main window, shaded.
    n_events : int
        Events of the sample: of one it is the CAR.
    width : int
        WIDE or NARROW.
    label : str
        Name of the picture.
    """
    wide, average = width == WIDE, "AR" if n_events == 1 else "AAR"
    upper, lower = ((26, 296), (321, 407)) if wide else ((26, 252), (288, 361))
    axis, low, high = day_scale(path.days, width), *_ends(path.aar, path.aar_half)
    top = Panel(axis, return_scale([path.caar, *_ends(path.caar, path.caar_half)], 6, *upper))
    foot = Panel(axis, return_scale([path.aar, low, high], 5, *lower))
    marks = [
        *_mean_path(top, path, window),
        foot.stripe(window),
        foot.y_ticks(foot.y.ticks(5)),
        foot.bars(path.days, path.aar, 0.66, "bar"),
        foot.whiskers(path.days, low, high, "whisker"),
        foot.post(0, "d"),
        foot.rule(0, "z"),
        foot.x_ticks(day_ticks(path.days, 11 if wide else 6)),
        *(_names if wide else _titles)(top, foot, path, window, average),
        Panel(axis, Scale(0, 1, lower[1], upper[0])).fields(path.days, _tips(path, average)),
    ]
    desc = say("figure.path_desc", first=path.days[0], last=path.days[-1], end=path.end)
    return picture(width, 440 if wide else 388, marks, title=label, desc=desc)


def draw_group_path(
    path: Path95, window: Window, limits: tuple[float, float], *, place: int, label: str
) -> Markup:
    """Return the path of one group as a small panel.

    Parameters
    ----------
    path : Path95
    window : Window
        Main window, shaded.
    limits : tuple of float
        The scale that the panels share, see :func:`shared_limits`.
    place : int
        Place of the group, which decides its colour.
    label : str
        Name of the picture, unlike that of any other panel.
    """
    panel = Panel(
        Scale(path.days[0] - 0.5, path.days[-1] + 0.5, 60, 492),
        return_scale([np.array(limits)], 6, 13, 229),
    )
    shape = TRIANGLE if place > 1 else POINT
    ticks_below = panel.x_ticks(day_ticks(path.days, 6))
    marks = [*_mean_path(panel, path, window, shape), ticks_below]
    color, desc = COLORS[min(place, 2)], say("figure.group_desc", end=path.end)
    return picture(HALF, 260, marks, title=label, desc=desc, kind=color)


def shared_limits(paths: Iterable[Path95]) -> tuple[float, float]:
    """Return the scale that holds all paths with the bands that they have."""
    ends = [(path.lowest, path.highest) for path in paths]
    return min(low for low, _ in ends), max(high for _, high in ends)


def draw_placebos(statistic: float, draws: FloatArray, *, width: int, label: str) -> Markup:
    """Return the histogram of placebo statistics with that of the study marked.

    Parameters
    ----------
    statistic : float
        Of the study.
    draws : (B,) array
        Statistics of placebo studies.
    width : int
        WIDE or NARROW.
    label : str
        Name of the picture.
    """
    wide = width == WIDE
    reach = 1.08 * max(abs(statistic), float(np.abs(draws).max()))
    n_bins = 2 * min(20, 5 + len(draws) // 20) + 1
    counts, edges = np.histogram(draws, n_bins, (-reach, reach))
    start, stop, foot = (52, 985, 206) if wide else (40, 354, 185)
    panel = Panel(Scale(-reach, reach, start, stop), Scale(0, 1.05 * counts.max(), foot, 28))
    middle, heights = (edges[:-1] + edges[1:]) / 2, np.where(counts, counts, np.nan)
    levels = ticks(0, counts.max(), 5, lambda n, _: f"{n:,.0f}")
    name = say("figure.study", statistic=statistic)
    side = "c" if abs(statistic) < 0.6 * reach else "" if statistic < 0 else "e"
    marks = [
        panel.y_ticks((n, label) for n, label in levels if n % 1 == 0),
        panel.bars(middle, heights, edges[1] - edges[0], "bin"),
        panel.rule(0, "z"),
        panel.post(statistic, "b"),
        panel.x_ticks(ticks(-reach, reach, 9 if wide else 5, signed_label)),
        text(panel.x(statistic), 20, name, f"bt {side}".strip()),
    ]
    desc = say("figure.placebo_desc", n=len(draws), statistic=statistic)
    return picture(width, 240 if wide else 216, marks, title=label, desc=desc)


def draw_checks(checks: Sequence[Check], *, width: int) -> Markup:
    """Return a row for each way to ask: name, effect with its interval, and p.

    Parameters
    ----------
    checks : sequence of Check
        What has p of 0.05 or more is grey and hollow; without an effect there is a word.
    width : int
        WIDE or NARROW.
    """
    wide = width == WIDE
    step, start, stop, last = (26, 455, 905, 985) if wide else (42, 12, 300, 354)
    foot, name_y = 12 + step * len(checks), 4 if wide else -10
    ends = [np.array([c.effect.ci_low, c.effect.ci_high, c.effect.estimate]) for c in checks]
    x = return_scale(ends, 7 if wide else 5, stop, start)
    panel = Panel(x, Scale(0, len(checks), 12, foot))
    ticks_below = Panel(x, Scale(0, 1, foot, 12)).x_ticks(x.ticks(7 if wide else 5))
    marks = [panel.post(0, "z"), ticks_below]
    for row, check in enumerate(checks):
        at, effect = row + (0.5 if wide else 0.7), check.effect
        y, color = panel.y(at), "" if check.is_clear else "m "
        name_x, place = (start - 14, "e") if wide else (start, "halo")
        name = clipped(check.name, LONGEST if wide else LONGEST_NARROW)
        marks.append(text(name_x, y + name_y, name, f"{color}{place}"))
        marks.append(text(last, y + 4, pvalue(check.pvalue), f"{color or 's '}e"))
        if not np.isfinite(effect.estimate):
            marks.append(text(x(0) + 10, y + 4, say("checks.test_only"), "m"))
            continue
        kinds = ("b", "check full") if check.is_clear else ("whisker", "check")
        marks.append(
            panel.line(np.array([effect.ci_low, effect.ci_high]), np.full(2, at), kinds[0])
        )
        place = f'cx="{number(x(effect.estimate))}" cy="{number(y)}"'
        marks.append(f'<circle class="{kinds[1]}" {place} r="4.5"/>')
    title, desc = say("robustness.overturn.title"), say("robustness.overturn.desc", n=len(checks))
    return picture(width, int(foot) + 28, marks, title=title, desc=desc)


def _mean_path(panel: Panel, path: Path95, window: Window, shape: str = POINT) -> Iterator[str]:
    """Yield the band and the line of a path on the shaded window."""
    low, high = _ends(path.caar, path.caar_half)
    yield panel.stripe(window)
    yield panel.y_ticks(panel.y.ticks(6))
    yield panel.band(path.days, low, high, "band")
    yield panel.rule(0, "z") + panel.post(0, "d")
    yield panel.line(path.days, path.caar, "b")
    yield panel.dots(path.days, path.caar, "b dot" if shape == POINT else "bar", shape)


def _ends(values: FloatArray, half: FloatArray) -> tuple[FloatArray, FloatArray]:
    return values - half, values + half


def _names(top: Panel, foot: Panel, path: Path95, window: Window, average: str) -> Iterator[str]:
    """Yield the names of a wide figure: at the last point, at its band, and at the bars."""
    yield top.over(window, say("figure.main", window=window))
    if path.last is not None:
        x, y = top.label_x(float(path.days[path.last])), top.y(path.end)
        end = percent(path.end, unit=words().unit == "%")
        yield text(x, y + 4, f"C{average} {end}", "bt")
        if np.isfinite(half := path.caar_half[path.last]):
            edge = max(min(top.y(path.end + half), y - 44), top.y.stop)
            yield text(x, edge + 6, say("figure.band_pointwise"), "bt thin")
            yield text(x, edge + 22, say("figure.band_by_day"), "bt thin")
    x, y = foot.x.stop + 8, foot.y(0)
    yield text(x, y + 4, say("figure.each_day", average=average), "bt")
    if np.isfinite(path.aar_half).any():
        yield text(x, y + 20, say("figure.with_interval"), "m")


def _titles(top: Panel, foot: Panel, path: Path95, window: Window, average: str) -> Iterator[str]:
    """Yield the names of a narrow figure, above its panels."""
    band = "_band" if path.has_band else ""
    title = say(f"figure.sums{band}", average=average)
    yield text(2, top.y.stop - 8, title, "bt")
    yield top.over(window, window_text(window), title)
    yield text(2, foot.y.stop - 8, say(f"figure.each_day{band}", average=average), "bt")


def _tips(path: Path95, average: str) -> Iterator[str]:
    """Yield the numbers of each day in words."""
    columns = (path.days, path.aar, path.caar, path.caar_half, path.counts)
    for t, aar, caar, half, n in zip(*columns, strict=True):
        code = "path_day_band" if np.isfinite(half) else "path_day"
        facts = {"day": int(t), "average": average, "aar": aar, "caar": caar, "n": int(n)}
        yield say(f"figure.{code}", **facts, ends=(caar - half, caar + half))


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
        share = ENDS_SHOWN if len(car) > FEW else 1.0
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
        kind, shape = f"s{MARKS[min(place, 2)]}", DIAMOND if is_mean else SHAPES[min(place, 2)]
        x, full = self._place(value), " full" * is_filled
        title = f'<title>{escape(tip)}</title><rect class="hit" width="100%" height="22"/>'
        dot = f'<circle class="{kind}{full}" cx="{x}" cy="11" r="4"/>'
        body = f'<svg x="{x}" class="{kind}{full}"><path d="{shape}"/></svg>' if shape else dot
        marks = f"{title if tip else ''}{self._line(kind, low, high)}{body}"
        return Markup(f'<svg aria-hidden="true">{marks}</svg>')  # noqa: S704 - the tip is escaped

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
        share = PATHS_SHOWN if len(sizes) > FEW else 1.0
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
        line = panel.line(days[points], path[points], f"s{MARKS[min(group, 2)]}")
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
