"""The figure of the answer, as SVG and with matplotlib: the shares against the market implied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from markupsafe import Markup

from ...analysis import ImpliedPath
from ...utility import FloatArray
from ...words import has, say, words
from .labels import Box, count_covered
from .svg_canvas import WIDE, Panel, Scale, day_ticks, picture, rect, roomy, text, text_width, ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Days on either side of the event that are drawn, where the main window is among them.
DAYS = 10
# Pixels between the names of two lines; letters of the name of a line at most.
APART, LONGEST = 30.0, 18
# Where the number covers more, it stands without words behind it.
MOST_COVERED = 15.0
# Ticks of the levels at most.
LEVELS = 6
# Opacity of the band, of its edges and of the main window with matplotlib.
BAND, EDGES, WINDOW = 0.14, 0.35, 0.10


def draw_implied(
    path: ImpliedPath, *, width: int, title: str, who: str = "", shorter: float = 0.0,
    is_early: bool = False, is_late: bool = False,
) -> Markup:  # fmt: skip
    """Return shares and market implied with its 95% band; a bracket shows the effect.

    Parameters
    ----------
    path : ImpliedPath
    width : int
        WIDE or NARROW.
    title : str
        Name of the picture.
    who : str
        Name of the line; by default "Shares".
    shorter : float
        Pixels of height that a wide figure gives up.
    is_early : bool
        Whether it is too early for a verdict: then there is no bracket.
    is_late : bool
        Whether day 0 is after the announcement.
    """
    path = near_days(path)
    wide = width == WIDE
    pixels, height = (660, 280 - shorter) if wide else (358, 242)
    start, stop, foot = (40, 532, height - 40) if wide else (34, 350, 206)
    days = path.days
    low = path.implied - path.half
    high = path.implied + path.half
    scale = roomy([path.shares, path.implied, low, high], zero=False)
    panel = Panel(Scale(float(days[0]), float(days[-1]), start, stop), Scale(*scale, foot, 18.0))
    first = panel.x(max(path.base, days[0]))
    last = panel.x(path.end)
    labels = [*_ends(panel, path, who or say("figure.shares"), wide=wide)]
    marks = [
        panel.band(days, low, high, "range", edge="edge"),
        rect(first, panel.y.stop, last - first, panel.y.start - panel.y.stop, "win"),
        panel.y_ticks(ticks(*scale, LEVELS, lambda value, n: f"{value:.{n}f}")),
        panel.rule(ImpliedPath.BASE, "base"),
        panel.line(days, path.implied, "i dashed"),
        panel.line(days, path.shares, "b"),
        panel.dots(days, path.shares, "b dot"),
        "" if is_early else _bracket(panel, path),
        *_axis(panel, path, wide=wide, is_late=is_late),
        text(0, 10, say(f"figure.unit{'_value' * bool(words().what)}"), "m small"),
        *(mark for _, mark in labels),
        *_texts(panel, path, [box for box, _ in labels], wide=wide, is_early=is_early),
        # Only a mouse shows tips.
        panel.fields(days[np.isfinite(path.gap)], _tips(path)) if wide else "",
    ]
    facts: dict[str, Any] = {"shares": _last(path.shares), "implied": _last(path.implied)}
    facts |= {"end": path.end, "gap": effect_of(path), **name_lines(path)}
    desc = say("figure.implied_desc", **facts)
    kind = "wide" if wide else "narrow"
    return picture(pixels, int(height), marks, title=title, desc=desc, kind=kind)


def name_lines(path: ImpliedPath) -> dict[str, str]:
    """Return what the line is of, and what it is drawn against, in words."""
    line = words().quantity or say("figure.shares").lower()
    return {"line": line, "against": say(f"figure.implied_{path.by}").lower()}


def near_days(path: ImpliedPath) -> ImpliedPath:
    """Return the days near the event, if the main window is among them."""
    near = np.abs(path.days) <= max(DAYS, path.end, -path.base)
    names = ("days", "implied", "shares", "half", "se", "counts")
    return replace(path, **{name: getattr(path, name)[near] for name in names})


def _last(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else np.nan


def effect_of(path: ImpliedPath) -> float:
    """Return the effect of the main window (decimal), which the bracket shows."""
    return float(path.gap[path.days == path.end].sum()) / ImpliedPath.BASE


def _bracket(panel: Panel, path: ImpliedPath) -> str:
    """Return the bracket between the lines on the last day of the main window."""
    gaps = path.gap[path.days == path.end]
    if not np.isfinite(gaps).any():
        return ""
    at = int(np.flatnonzero(path.days == path.end)[0])
    return panel.bracket(path.end, float(path.implied[at]), float(path.shares[at]), "bracket")


def _axis(panel: Panel, path: ImpliedPath, *, wide: bool, is_late: bool) -> Iterator[str]:
    """Yield the days below the panel, and what they are in words."""
    foot = panel.y.start
    for at, _ in day_ticks(path.days, 6):
        yield text(panel.x(at), foot + 17, words().day(int(at)), "m c")
    if 0 in path.days:
        yield text(panel.x(0), foot + 33, say(f"figure.day0{'_late' * is_late}"), "s c")
    if wide:
        yield text(panel.x.start, foot + 33, say("figure.days_before"), "m")
        yield text(panel.x.stop, foot + 33, say("figure.days_after"), "m e")


def _ends(panel: Panel, path: ImpliedPath, who: str, *, wide: bool) -> Iterator[tuple[Box, str]]:
    """Yield room and text of the names of the lines, clear of each other."""
    values = {"implied": _last(path.implied), "shares": _last(path.shares)}
    if not all(np.isfinite(list(values.values()))):
        return
    names = {"implied": (say(f"figure.implied_{path.by}"), "m"), "shares": (who[:LONGEST], "bt")}
    ys = _apart({name: panel.y(value) for name, value in values.items()}, panel, wide=wide)
    for key, y in ys.items():
        name, kind = names[key]
        length = text_width(name, is_bold=True)
        x = panel.x.stop + 8 if wide else panel.x.stop - length
        yield Box(x - 4, x + length, y - 12, y + 5), text(x, y, name, f"{kind} halo")
        if wide:
            kind = kind.replace("bt", "bt thin")
            yield Box(x, x + 40, y, y + 19), text(x, y + 14, f"{values[key]:.1f}", kind)


def _apart(ys: dict[str, float], panel: Panel, *, wide: bool) -> dict[str, float]:
    """Return the feet of two names that do not touch: beside the lines, or above and below them."""
    upper = min(ys, key=lambda name: (ys[name], name))
    if not wide:
        ys = {name: y - 8 if name == upper else y + 18 for name, y in ys.items()}
    middle = sum(ys.values()) / 2
    spread = max(ys.values()) - min(ys.values())
    if wide and spread < APART:
        ys = {name: middle + (-1 if name == upper else 1) * APART / 2 for name in ys}
    return {name: min(max(y, panel.y.stop + 12), panel.y.start - 4) for name, y in ys.items()}


def _texts(
    panel: Panel, path: ImpliedPath, reserved: list[Box], *, wide: bool, is_early: bool
) -> Iterator[str]:
    """Yield the number of the bracket, and what the band is, where they cover least."""
    effect = effect_of(path)
    lines = points_along(panel, path, (path.shares, path.implied))
    if not is_early and np.isfinite(effect) and path.counts[path.days == path.end].any():
        name = words().rough(effect)
        after = _by_when(path.end) if wide else ""
        first = text_width(name, size=19, is_bold=True)
        length = first + (8 + text_width(after, is_bold=True)) * bool(after)
        x, y, cost = place_number(panel, path, lines, length, reserved)
        if after and cost > MOST_COVERED:
            after, length = "", first
            x, y, _ = place_number(panel, path, lines, length, reserved)
        reserved = [*reserved, Box(x - 4, x + length + 4, y - 20, y + 6)]
        yield text(x, y, name, "large", after)
    edges = points_along(panel, path, (path.implied - path.half, path.implied + path.half))
    code = "figure.band_wide" if wide else "figure.band_narrow"
    yield from _band_name(panel, say(code).split("|"), [*lines, *edges], reserved)


def _by_when(end: int) -> str:
    code = f"figure.by_{end}"
    return say(code) if has(code) else say("figure.by_day", day=end)


def points_along(
    panel: Panel, path: ImpliedPath, ys: Iterable[FloatArray]
) -> list[tuple[FloatArray, FloatArray]]:
    """Return points of curves, 1.5 pixels apart: two (m,) arrays of pixels for each."""
    xs, curves = panel.x.places(path.days), []
    for places in map(panel.y.places, ys):
        known = np.isfinite(places)
        x, y = (xs[known], places[known]) if known.any() else (xs[:1], np.zeros(1))
        length = np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))
        fine = np.arange(0.0, length[-1], 1.5) if len(x) else length
        curves.append((np.interp(fine, length, x), np.interp(fine, length, y)))
    return curves


def _band_name(
    panel: Panel, lines: list[str], curves: list[tuple[FloatArray, FloatArray]], reserved: list[Box]
) -> Iterator[str]:
    """Yield the name of the band in the corner where it covers least."""
    length = max(map(text_width, lines))
    height = 16 * len(lines)
    xs = np.linspace(panel.x.start + 8, panel.x.stop - length - 4, 9)
    ys = np.linspace(panel.y.stop + 14, panel.y.start - height + 8, 12)
    room = Box(-4.0, length + 4, -13.0, height - 10.0)
    covered = count_covered(xs, ys, room, _all_points(curves))
    # From the place that covers least to the one that covers most, the left one first; the first
    # again where none is free.
    order = np.argsort(covered, axis=None, kind="stable").tolist()
    for place in [*order, order[0]]:
        i, j = divmod(place, len(ys))
        x, y = float(xs[i]), float(ys[j])
        if not any(room.at(x, y).meets(other) for other in reserved):
            break
    for i, line in enumerate(lines):
        yield text(x, y + 16 * i, line, "m")


def place_number(
    panel: Panel, path: ImpliedPath, lines: list[tuple[FloatArray, FloatArray]], width: float,
    reserved: Iterable[Box] = (),
) -> tuple[float, float, float]:  # fmt: skip
    """Return where the number of the bracket begins: where it covers least of the lines.

    Parameters
    ----------
    panel : Panel
    path : ImpliedPath
    lines : list
        Points of the lines, of :func:`points_along`.
    width : float
        Of the number, in pixels.
    reserved : iterable of Box
        Room that other texts have.

    Returns
    -------
    tuple of float
        x and y of its foot, right or left of the bracket, above, below or between its ends, and how
        much it covers.
    """
    levels = [float(np.interp(path.end, path.days, ys)) for ys in (path.shares, path.implied)]
    top, foot = sorted(panel.y(value) for value in levels)
    middle = panel.x(path.end)
    heights = (foot + 24, (top + foot) / 2 + 7, top - 10, foot + 48, top - 34, foot + 72, top - 58)
    sides = (middle + 10, middle - 10 - width)
    room = Box(-4.0, width + 4, -18.0, 4.0)
    covered = count_covered(np.array(sides), np.array(heights), room, _all_points(lines))
    rooms = list(reserved)
    costs: list[tuple[float, float, float]] = []
    for (j, y), (i, x) in product(enumerate(heights), enumerate(sides)):
        box = room.at(x, y)
        inside = panel.y.stop <= box.top and box.foot <= panel.y.start
        inside &= panel.x.start <= box.start and box.stop <= panel.x.stop
        is_free = inside and not any(box.meets(other) for other in rooms)
        away = max(box.top - foot, top - y, 0.0)
        costs.append((x, y, 1e6 * (not is_free) + 3 * float(covered[i, j]) + away / 4))
    return min(costs, key=itemgetter(2))


def _all_points(curves: list[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    """Return the points of several curves as two arrays."""
    across, down = np.concatenate(curves, axis=1)
    return across, down


def _tips(path: ImpliedPath) -> Iterator[str]:
    """Yield the numbers of each day that has a gap in words."""
    has_gap = np.isfinite(path.gap)
    columns = (
        path.days[has_gap].tolist(),
        *(v[has_gap] for v in (path.shares, path.implied, path.half)),
    )
    names = name_lines(path)
    for tau, shares, implied, half in zip(*columns, strict=True):
        facts = {"day": tau, "shares": shares, "implied": implied, **names}
        reach = words().within(half / ImpliedPath.BASE)
        gap = (shares - implied) / ImpliedPath.BASE
        yield say("figure.implied_day", gap=gap, reach=reach, **facts)


def draw_levels(
    axes: Axes, path: ImpliedPath, *, color: Any = "C0", label: str | None = None,
    band: Any = None, window: Any = None, size: float = 0.0,
) -> Panel:  # fmt: skip
    """Draw shares and market implied with its 95% band, and a bracket that is the effect.

    Parameters
    ----------
    axes : Axes
        Their place in the figure is used to find a free place for the number of the bracket.
    path : ImpliedPath
    color : color
        Of the shares.
    label : str, optional
        Name of the shares in a legend.
    band, window : color, optional
        Of the band and of the main window; by default those of the text, faint.
    size : float
        Points of the number; 0 = somewhat larger than the other texts.

    Returns
    -------
    Panel
        Days and levels in points of the figure, from its top.
    """
    ink = axes.title.get_color()
    days = path.days
    figure = cast("Figure", axes.figure)
    low = path.implied - path.half
    high = path.implied + path.half
    scale = roomy([path.shares, path.implied, low, high], zero=False)
    axes.set(xlim=(days[0] - 0.5, days[-1] + 0.5), ylim=scale)
    axes.set_yticks(*zip(*ticks(*scale, LEVELS, lambda v, n: f"{v:.{n}f}"), strict=True))
    shade: Any = {"color": window} if window else {"color": ink, "alpha": WINDOW}
    axes.axvspan(max(path.base, days[0]), path.end, linewidth=0, zorder=0.4, **shade)
    fill: Any = {"color": band} if band else {"color": ink, "alpha": BAND}
    axes.fill_between(days, low, high, linewidth=0, zorder=0.6, label=say("figure.band"), **fill)
    axes.plot(days, np.transpose([low, high]), color=ink, alpha=EDGES, linewidth=0.8, zorder=0.7)
    axes.axhline(ImpliedPath.BASE, color=ink, linewidth=0.8, alpha=0.8, zorder=1)
    axes.plot(days, path.implied, color=ink, alpha=0.65, linestyle=(0, (4, 2.2)), linewidth=1.6,
              zorder=2, label=say(f"figure.implied_{path.by}"))  # fmt: skip
    axes.plot(days, path.shares, color=color, linewidth=2.4, marker="o", markersize=4.5,
              zorder=3, label=label or say("figure.shares"))  # fmt: skip
    # From the foot of the figure, in points; the number is placed from the top.
    (x0, y0), (x1, y1) = axes.get_position().get_points() * figure.get_size_inches() * 72
    panel = Panel(Scale(*axes.get_xlim(), x0, x1), Scale(*scale, -y0, -y1))
    _draw_bracket(axes, panel, path, size or 1.4 * float(axes.xaxis.label.get_fontsize()))
    return panel


def _draw_bracket(axes: Axes, panel: Panel, path: ImpliedPath, size: float) -> None:
    """Draw the gap on the last day of the main window, and its number where it covers least."""
    from matplotlib.patheffects import withStroke

    ends = np.array([path.implied, path.shares])[:, path.days == path.end]
    if path.is_price or not (ends.size and np.isfinite(ends).all()):
        return
    middle = ends.mean()
    reach = np.ptp(ends) / 2
    name = words().rough(effect_of(path))
    axes.errorbar([path.end], [middle], yerr=reach, color=axes.title.get_color(),
                  linewidth=1.8, capsize=4, capthick=1.8, zorder=4)  # fmt: skip
    lines = points_along(panel, path, (path.shares, path.implied))
    x, y, _ = place_number(panel, path, lines, 0.62 * size * len(name))
    offset = (x - panel.x(path.end), panel.y(middle) - y)
    around = withStroke(linewidth=5, foreground=axes.figure.get_facecolor())
    axes.annotate(name, (path.end, middle), offset, textcoords="offset points", fontsize=size,
                  fontweight="bold", zorder=5, path_effects=[around])  # fmt: skip
