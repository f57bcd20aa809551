"""Effects and coefficients on one axis: rows of a dot and its interval, and dots with names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from ...analysis import Interval
from ...utility import FloatArray
from ...words import say, words
from .labels import LETTERS, Box, lead_names
from .svg_canvas import (
    WIDE,
    Panel,
    Scale,
    linked,
    number,
    picture,
    rect,
    return_scale,
    text,
    text_width,
)

if TYPE_CHECKING:
    from ..tables.regressions import RegressionTable

# Radii of dots, the largest that fits counts; pixels between two dots.
RADII = (4.2, 3.4, 2.6, 2.0, 1.5, 1.1, 0.8)
GAP = 0.6
# Below this radius a line as thick as that of other rings would fill them.
TINY = 2.5
# Names at either end that come first; names on a wide page and on a narrow one at most.
FIRST = 2
NAMED = {"wide": 6, "narrow": 2}
# Pixels of the strip of dots: feet of names, middle of the dots, the average, the axis, the end.
FEET = (12.0, 28.0)
MIDDLE, MEAN, AXIS, TALL = 64.0, 117.0, 126.0, 146
# Up to so many events have a row each.
FEW = 12
# Shares of an axis: how far an interval may go on beyond the inner ones before it is cut.
CUT = 1.5
LINE, HEAD = 19.5, 22.0
# Pixels from tick to tick at least.
APART = 38.0
# A diamond about its middle.
DIAMOND = "m-6.5 0 6.5-6.5 6.5 6.5-6.5 6.5z"


@dataclass(frozen=True, slots=True)
class StripMark:
    """One announcement: its name in two lengths, its effect with the interval, whether p < 0.05.

    The link leads to its row below.
    """

    name: str
    brief: str
    effect: Interval
    is_clear: bool
    link: str = ""

    def label(self, width: int) -> str:
        """Return the name that a page of a width has room for."""
        return self.name if width == WIDE else self.brief


@dataclass(frozen=True, eq=False, slots=True)
class Strip:
    """What the strip shows.

    Attributes
    ----------
    title, about : str
    marks : tuple of StripMark
        The announcements, from the lowest effect on.
    average : Interval
        Of all announcements.
    moves : FloatArray
        Of one announcement: moves as long as the window on other days (decimal).
    """

    title: str
    about: str
    marks: tuple[StripMark, ...]
    average: Interval
    moves: FloatArray


def draw_strip(strip: Strip, *, width: int) -> Markup:
    """Return the strip: days of one announcement, rows of a few, dots of many.

    Parameters
    ----------
    strip : Strip
    width : int
        WIDE or NARROW.
    """
    if len(strip.marks) == 1:
        return _draw_moves(strip, width)
    return _draw_rows(strip, width) if len(strip.marks) <= FEW else _draw_dots(strip, width)


def strip_height(strip: Strip) -> float:
    """Return the pixels of height of a strip on a wide page."""
    n = len(strip.marks)
    if n == 1:
        return 130.0
    return 26 + (n + 1) * _line(n) if n <= FEW else float(TALL)


def _line(n: int) -> float:
    return min(26.0, max(14.0, 112.0 / (n + 1)))


def _frame(width: int) -> tuple[int, float, str]:
    return (660, 640.0, "wide") if width == WIDE else (358, 346.0, "narrow")


def stack(xs: FloatArray, radius: float, room: float = np.inf) -> FloatArray:
    """Return how far each dot is moved from the middle line so that no two of them touch.

    Parameters
    ----------
    xs : (n,) float array
        Places of the dots in pixels.
    radius : float
    room : float, optional
        The search ends with the first dot that is as far away, in pixels.

    Returns
    -------
    (n,) float array
        Of the places that touch a neighbour the nearest one to the line, by a fixed search from
        the left.
    """
    apart = 2 * radius + GAP
    ys = np.zeros(len(xs))
    order = np.argsort(xs, kind="stable")
    reach = np.searchsorted(xs[order], xs[order] - apart, side="right")
    for k, i in enumerate(order):
        near = order[reach[k] : k]
        offsets = np.sqrt(np.maximum(apart**2 - (xs[i] - xs[near]) ** 2, 0))
        tried = np.concatenate([[0.0], ys[near] + offsets, ys[near] - offsets])
        away = (xs[i] - xs[near]) ** 2 + (tried[:, None] - ys[near]) ** 2
        free = tried[(away >= apart**2 - 1e-6).all(axis=1)]
        ys[i] = free[np.argmin(np.abs(free))]
        if abs(ys[i]) >= room:
            break
    return ys


def _by_importance(effects: Sequence[Interval]) -> list[int]:
    """Return the places of ascending effects: both ends first, then by size of their own t."""
    n = len(effects)
    ends = [at for k in range(min(FIRST, n)) for at in (k, n - 1 - k)]
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.abs([effect.estimate / np.float64(effect.se) for effect in effects])
    inner = np.argsort(-np.nan_to_num(t), kind="stable").tolist()
    return list(dict.fromkeys([*ends, *inner]))


def _draw_dots(strip: Strip, width: int) -> Markup:
    """Return all announcements as dots, and below them the average."""
    pixels, stop, kind = _frame(width)
    values = np.array([mark.effect.estimate for mark in strip.marks])
    axis = return_scale([values], 9 if width == WIDE else 7, stop, 16)
    xs = axis.places(values)
    for radius in RADII:
        room = 28 - radius if radius != RADII[-1] else np.inf
        offsets = stack(xs, radius, room)
        if np.abs(offsets).max() < room:
            break
    ys = MIDDLE + offsets
    panel = Panel(axis, Scale(0, 1, AXIS, FEET[-1] + 6))
    marks = [*_grid(panel, 9 if width == WIDE else 7)]
    ends = np.stack([xs - radius, xs + radius, ys - radius, ys + radius], axis=1)
    dots = [Box(*row) for row in ends.tolist()]
    order = _by_importance([mark.effect for mark in strip.marks])[: 4 * NAMED[kind]]
    names = [(strip.marks[i].name, float(xs[i]), float(ys[i] - radius)) for i in order]
    for i, x, y, _, line in lead_names(names, dots, FEET, pixels, NAMED[kind]):
        start, foot, end, top = map(number, line)
        marks.append(f'<path class="lead" d="M{start} {foot}L{end} {top}"/>')
        marks.append(text(x, y, names[i][0], "small"))
    for x, y, mark in zip(xs, ys, strip.marks, strict=True):
        place = f'cx="{number(x)}" cy="{number(y)}" r="{radius}"'
        kind_of = "check full" if mark.is_clear else "ring tiny" if radius < TINY else "ring"
        tip = say("strip.tip", name=mark.name, value=mark.effect.estimate)
        dot = f'<circle class="{kind_of}" {place}/>'
        marks.append(linked(dot, mark.link, tip, is_stop=False))
    marks += _average(panel, strip.average, MEAN)
    desc = say("strip.desc", n=len(xs), low=values.min(), high=values.max())
    return picture(pixels, TALL, marks, title=say("strip.title"), desc=desc, kind=kind)


def _grid(panel: Panel, n_max: int) -> Iterator[str]:
    for at, label in panel.x.ticks(n_max):
        yield panel.post(at, "g" if round(at, 12) else "z")
        yield text(panel.x(at), panel.y.start + 16, label, "m c")


def _average(panel: Panel, average: Interval, y: float) -> Iterator[str]:
    """Yield the diamond of the average with its interval and name."""
    if not np.isfinite(average.estimate):
        return
    x, name = panel.x, say("strip.average")
    low, high = (min(max(end, x.low), x.high) for end in (average.ci_low, average.ci_high))
    right = x.start
    if np.isfinite(low + high):
        yield f'<path class="bracket" d="M{number(x(low))} {number(y)}H{number(x(high))}"/>'
        right = x(high)
    place = x(average.estimate)
    yield f'<path class="mean" d="M{number(place)} {number(y)}{DIAMOND}"/>'
    right = max(right, place + 7) + 8
    length = text_width(name, size=LETTERS, is_bold=True)
    fits = right + length < x.stop + 20
    start = right if fits else min(x(low) if np.isfinite(low) else place, place) - 14 - length
    yield text(max(start, 0), y + 4, name, "small halo s")


def _draw_rows(strip: Strip, width: int) -> Markup:
    """Return a row for each of a few announcements, and one for the average."""
    pixels, _, kind = _frame(width)
    average, name = strip.average, say("strip.average_row")
    mean = StripMark(name, name, average, average.ci_low * average.ci_high > 0)
    rows = []
    for m in (*strip.marks, mean):
        size = words().rough(m.effect.estimate)
        rows.append(MarkRow(m.label(width), m.effect, size, m.is_clear, m is mean, link=m.link))
    wide = max(text_width(row.name) for row in rows)
    start = min(wide, 210.0 if width == WIDE else 130.0) + 18
    layout = Layout(pixels, start, pixels - 76.0, _line(len(strip.marks)), kind, True)
    desc = say("strip.desc_rows", n=len(strip.marks))
    return draw_rows(rows, layout, title=say("strip.title"), desc=desc)


def _draw_moves(strip: Strip, width: int) -> Markup:
    """Return moves as long as the window on other days as columns of dots, and the announcement."""
    pixels, stop, kind = _frame(width)
    mark = strip.marks[0]
    values = np.append(strip.moves, mark.effect.estimate)
    axis = return_scale([values], 9 if width == WIDE else 6, stop, 16)
    foot, radius = 104.0, _column_radius(axis.places(strip.moves))
    panel = Panel(axis, Scale(0, 1, 110, 4))
    arc = f"a{radius} {radius} 0 1 0"
    ring = f"m-{radius} 0{arc} {2 * radius} 0{arc} -{2 * radius} 0"
    pixel = Scale(0.0, 1.0, 0.0, 1.0)
    places = _columns(axis.places(strip.moves), radius, foot)
    dots = [Panel(pixel, pixel).dots(*places, "ring off", ring)]
    x = axis(mark.effect.estimate)
    half = text_width(mark.name, is_bold=True) / 2
    middle = min(max(x, half), pixels - half)
    # Above the dots that it would lie on.
    below = np.append(places[1][np.abs(places[0] - middle) < half + radius], foot - 12).min() - 6
    below = max(below, 28.0)
    lines = ((16, mark.name), (0, words().rough(mark.effect.estimate)))
    names = [text(middle, below - above, line, "bt c halo") for above, line in lines]
    diamond = f'<path class="event" d="M{number(x)} {number(foot)}{DIAMOND}"/>'
    marks = [*_grid(panel, 9 if width == WIDE else 6), *dots, diamond, *names]
    desc = say("strip.desc_moves", n=len(strip.moves))
    return picture(pixels, 130, marks, title=say("strip.title"), desc=desc, kind=kind)


def _columns(xs: FloatArray, radius: float, foot: float) -> tuple[FloatArray, FloatArray]:
    """Return the middle of each dot, in columns that stand on the foot, (n,) each."""
    step = 2 * radius + 1
    columns = np.round(np.sort(xs) / step)
    below = np.arange(len(columns)) - np.searchsorted(columns, columns)
    return columns * step, foot - step * below.astype(np.float64)


def _column_radius(xs: FloatArray) -> float:
    for radius in RADII[1:]:
        tallest = np.unique(np.round(xs / (2 * radius + 1)), return_counts=True)[1].max(initial=0)
        if tallest * (2 * radius + 1) < 68:
            return radius
    return RADII[-1]


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One row.

    Attributes
    ----------
    name : str
    effect : Interval
        Without an estimate it is a test alone.
    label : str
        At the right end.
    is_clear : bool
        Whether it is filled: p below 0.05.
    is_main : bool
    kind : str
        A hairline parts rows of different kinds.
    is_muted : bool
        Whether its name is grey.
    link : str
        What of the page it leads to.
    """

    name: str
    effect: Interval
    label: str
    is_clear: bool
    is_main: bool = False
    kind: str = ""
    is_muted: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Pixels: width, where marks begin and end, height of a row; the mark of the main row."""

    width: int
    start: float
    stop: float
    line: float
    kind: str
    has_diamond: bool = False


def draw_rows(
    rows: Sequence[MarkRow], layout: Layout, *, title: str, desc: str, head: str = "",
    cut: float = CUT,
) -> Markup:  # fmt: skip
    """Return a row for each mark: name, dot with interval, label.

    Parameters
    ----------
    rows : sequence of MarkRow
    layout : Layout
    title, desc : str
        Name and description of the picture.
    head : str
        Above the labels; with it the axis stands above the rows.
    cut : float
        Intervals that are so many times as wide as the median one are cut.
    """
    top = HEAD if head else 4.0
    foot = top + layout.line * len(rows)
    x = _axis(rows, layout, cut)
    panel = Panel(x, Scale(0, len(rows), top, foot))
    ticks = x.ticks(max(3, int((layout.stop - layout.start) / APART)))
    posts = [panel.post(at, "z" if not round(at, 12) else "g") for at, _ in ticks]
    y = HEAD - 8 if head else foot + 16
    names = [text(x(at), y, label, "m c") for at, label in ticks]
    marks = [*_shades(rows, panel, layout), *posts, *names, text(layout.width - 2, y, head, "m e")]
    for at, row in enumerate(rows):
        drawn = "".join(_row(row, panel, at + 0.5, layout))
        field = rect(0, panel.y(at), layout.width, layout.line - 1, "hit")
        marks.append(linked(field + drawn, row.link, row.name) if row.link else drawn)
    height = int(foot + (4 if head else 22))
    return picture(layout.width, height, marks, title=title, desc=desc, kind=layout.kind)


def _axis(rows: Sequence[MarkRow], layout: Layout, cut: float) -> Scale:
    """Return the scale that holds all estimates, and intervals that are not far wider."""
    ends = np.array([[r.effect.estimate, r.effect.ci_low, r.effect.ci_high] for r in rows])
    estimates = ends[:, 0]
    half = np.abs(ends[:, 2] - ends[:, 0])
    if not np.isfinite(estimates).any():
        return return_scale([np.array([-0.01, 0.01])], 6, layout.stop, layout.start)
    usual = cut * np.nanmedian(half) if np.isfinite(half).any() else 0.0
    reach = np.fmin(half, max(usual, 0.0)) if usual else half
    drawn = [estimates, estimates - reach, estimates + reach]
    return return_scale(drawn, 5, layout.stop, layout.start)


def _shades(rows: Sequence[MarkRow], panel: Panel, layout: Layout) -> Iterator[str]:
    """Yield the ground of the main row, and hairlines between rows of different kinds."""
    for at, row in enumerate(rows):
        if at and row.kind != rows[at - 1].kind:
            yield f'<path class="g" d="M0 {number(panel.y(at))}H{layout.width}"/>'
        if row.is_main and len(rows) > 1:
            size = f'width="{layout.width}" height="{number(layout.line - 1)}"'
            yield f'<rect class="win" x="0" y="{number(panel.y(at))}" {size}/>'


def _row(row: MarkRow, panel: Panel, at: float, layout: Layout) -> Iterator[str]:
    y = panel.y(at)
    x = panel.x
    main = " s" * row.is_main
    name = _fitted(row.name, layout.start - 12, is_bold=row.is_main)
    yield text(4, y + 4, name, f"halo{main}{' m' * row.is_muted}")
    strong = " s" if row.is_clear or row.is_main else " m"
    yield text(layout.width - 2, y + 4, row.label, f"halo e{strong}")
    effect = row.effect
    if not np.isfinite(effect.estimate):
        before_label = layout.width - 10 - text_width(row.label)
        yield text(min(x(0) - 8, before_label), y + 4, say("checks.test_only"), "m e small")
        return
    kinds = ("b", "check full") if row.is_clear else ("whisker", "check")
    ends = [effect.ci_low, effect.ci_high]
    low, high = (min(max(end, x.low), x.high) for end in ends)
    if np.isfinite(low + high):
        yield panel.line(np.array([low, high]), np.full(2, at), kinds[0])
        for end, side, is_cut in ((x.start, 1, ends[0] < x.low), (x.stop, -1, ends[1] > x.high)):
            if is_cut:
                tip = f"M{number(end + 6 * side)} {number(y - 4)}L{number(end)} {number(y)}"
                yield f'<path class="{kinds[0]}" d="{tip}l{6 * side} 4"/>'
    at_x = number(x(effect.estimate))
    if row.is_main and layout.has_diamond:
        yield f'<path class="mean" d="M{at_x} {number(y)}{DIAMOND}"/>'
    else:
        yield f'<circle class="{kinds[1]}" cx="{at_x}" cy="{number(y)}" r="4.2"/>'


def _fitted(label: str, width: float, *, is_bold: bool = False) -> str:
    """Return a label cut to what fits into some pixels."""
    if text_width(label, is_bold=is_bold) <= width:
        return label
    fits = (n for n in range(len(label), 0, -1) if text_width(label[:n] + "…") <= width)
    return label[: next(fits, 1)].rstrip(" ,(") + "…"


def checks_layout(names: Sequence[str], *, wide: bool) -> Layout:
    """Return the layout of the checks beside the answer.

    Parameters
    ----------
    names : sequence of str
        Of the rows.
    wide : bool
        Whether for a wide page.
    """
    width, most = (420, 254.0) if wide else (358, 204.0)
    longest = max((text_width(name, is_bold=not i) for i, name in enumerate(names)), default=0)
    start = min(longest + 18, most)
    return Layout(width, start, width - 56.0, LINE, "wide" if wide else "narrow")


def draw_coefficients(table: RegressionTable, *, width: int) -> Markup:
    """Return the slopes of the last regression, or its constant alone, by both kinds of errors.

    Parameters
    ----------
    table : RegressionTable
    width : int
        WIDE or NARROW.
    """
    rows = list(_rows(table))
    pixels, widest, kind = (560, 230.0, "wide") if width == WIDE else (358, 190.0, "narrow")
    longest = max((text_width(row.name) for row in rows), default=0.0)
    layout = Layout(pixels, min(longest + 18, widest), pixels - 56.0, LINE, kind)
    desc = say("regression.picture_about")
    return draw_rows(rows, layout, title=table.headline, desc=desc, head="p", cut=np.inf)


def _rows(table: RegressionTable) -> Iterator[MarkRow]:
    slopes = [row for row in table.rows if not row.is_constant]
    for row in slopes or table.rows:
        cell = row.cells[-1]
        if cell:
            p, kind = words().pvalue(cell.pvalue), row.label
            yield MarkRow(row.label, cell.effect, p, cell.is_clear, kind=kind)
            compared = cell.compared_effect, cell.compared
            yield MarkRow(table.compared, *compared, is_clear=False, kind=kind, is_muted=True)
