"""The figures of samples: the path by day, small paths of groups, placebo studies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from markupsafe import Markup

from ...analysis.caar_path import Path95
from ...calendars.window import Window
from ...utility.catalogue import say
from ...utility.numbers import percent, window_text
from ...utility.typing import FloatArray
from ...utility.units import words
from .svg_canvas import (
    COLORS,
    HALF,
    WIDE,
    Panel,
    Scale,
    day_scale,
    day_ticks,
    picture,
    return_scale,
    signed_label,
    text,
    ticks,
)

# Marks of paths: the ends of a line without length, and for the third group a triangle.
POINT, TRIANGLE = "h0", "m0-4.5 4.5 8h-9z"


def path_figure(path: Path95, window: Window, *, n_events: int, width: int, label: str) -> Markup:
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


def group_figure(
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


def placebo_figure(statistic: float, draws: FloatArray, *, width: int, label: str) -> Markup:
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
    side = "c" if abs(statistic) < 0.6 * reach else "" if statistic < 0 else "e"
    marks = [
        panel.y_ticks((n, label) for n, label in levels if n % 1 == 0),
        panel.bars(middle, heights, edges[1] - edges[0], "bin"),
        panel.rule(0, "z"),
        panel.post(statistic, "b"),
        panel.x_ticks(ticks(-reach, reach, 9 if wide else 5, signed_label)),
        text(
            panel.x(statistic), 20, say("figure.study", statistic=statistic), f"bt {side}".strip()
        ),
    ]
    desc = say("figure.placebo_desc", n=len(draws), statistic=statistic)
    return picture(width, 240 if wide else 216, marks, title=label, desc=desc)


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
