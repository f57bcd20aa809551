"""Figures: the path of the mean abnormal return, and the CAR of each event."""

from __future__ import annotations

import hashlib
import io
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np

from ..config import MAIN_WINDOW
from ..typing import FloatArray, IntArray
from ..windows import Window
from .facts import interval
from .measures import in_its_words, words
from .wording import clipped, count, day, percent, signed, span, window_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from ..results import EventStudyResults

INK, MUTED, GRID, SHADE, PAPER = "#1a1e22", "#565c63", "#e4dfd4", "#efeadd", "#fcfbf8"
# (line, band, marker) of the first group, the second, and all others.
PALETTE = (("#0b5394", "#cbdff1", "o"), ("#a63e00", "#f3d9c4", "s"), (INK, "#cfc9bc", "^"))
FOREST_ROWS = 60
MEAN_ROW = -1.5
POINTS_PER_INCH = 72
# Intervals of fewer events are so wide as to flatten everything else; no test is relied on there either.
BAND_EVENTS = 5
WIDE, NARROW = 1000, 360
TEXT = 13
_TITLE = "title: "
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_RC: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": TEXT,
    "path.simplify": False,
}


@dataclass(frozen=True, eq=False)
class Path95:
    """Mean abnormal returns by day with pointwise 95% intervals (decimal), each of shape (L2,).

    Attributes
    ----------
    days : IntArray
        Event days.
    aar, caar : FloatArray
        Mean AR of the day, and mean CAR from the first day up to it, of the events that have all of it;
        NaN where none has.
    aar_half, caar_half : FloatArray
        Half the width of the interval; NaN where fewer than five events of a sample enter.
    counts : IntArray
        Events in each point of `caar`.
    """

    days: IntArray
    aar: FloatArray
    caar: FloatArray
    aar_half: FloatArray
    caar_half: FloatArray
    counts: IntArray

    @property
    def last(self) -> int | None:
        """Position of the last point, None if there is none."""
        drawn = np.flatnonzero(self.counts)
        return int(drawn[-1]) if drawn.size else None

    @property
    def end(self) -> float:
        """Mean CAR at the last point, NaN if there is none."""
        return math.nan if self.last is None else float(self.caar[self.last])

    def beside_others(self) -> Path95:
        """Return the path for a scale that it shares: without the band of a single event."""
        return replace(self, caar_half=np.where(self.counts < BAND_EVENTS, np.nan, self.caar_half))

    @property
    def highest(self) -> float:
        """Largest value of the path or its band."""
        return float(np.nanmax(np.fmax(self.caar, self.caar + self.caar_half), initial=0.0))

    @property
    def lowest(self) -> float:
        """Smallest value of the path or its band."""
        return float(np.nanmin(np.fmin(self.caar, self.caar - self.caar_half), initial=0.0))


def path_of(results: EventStudyResults) -> Path95:
    """Return the path of a study, with half the width of each day's interval."""
    event = results.abnormal.event
    each_day = np.array([_mean(results, Window(int(t), int(t))) for t in event.days])
    from_start = np.array([_mean(results, Window(event.start, int(t))) for t in event.days])
    (aar, aar_half, _), (caar, caar_half, counts) = each_day.T, from_start.T
    return Path95(event.days, aar, caar, aar_half, caar_half, counts.astype(int))


def _mean(results: EventStudyResults, window: Window) -> tuple[float, float, int]:
    """Return mean CAR, half the width of its interval, and the events that enter."""
    found, n = interval(results, window), int(results.abnormal.valid(window).sum())
    few = n < BAND_EVENTS and len(results) > 1
    return found.estimate, math.nan if few else found.high - found.estimate, n


@in_its_words
def plot_caar(results: EventStudyResults, ax: Axes | None = None, *, window: Window | None = None) -> Axes:
    """Draw the CAAR path with its pointwise 95% band.

    Parameters
    ----------
    results : EventStudyResults
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    window : Window, optional
        Main window, shaded; by default [0, 1] if the event window holds it.
    """
    main = window or (MAIN_WINDOW if MAIN_WINDOW in results.abnormal.event else results.abnormal.event)
    axes = _new_axes(WIDE, 420) if ax is None else ax
    path = path_of(results)
    _draw_path(axes, path, main, PALETTE[0])
    _percent_axis(axes.yaxis, path.lowest, path.highest)
    _day_axis(axes, path.days, ticks=11)
    what = "CAR of one event" if len(results) == 1 else f"CAAR of {count(len(results), 'event')}"
    axes.set_title(f"{what}{_of()}, pointwise 95% band", loc="left", fontsize=TEXT, fontweight="bold")
    return axes


@in_its_words
def plot_car_forest(results: EventStudyResults, window: Window, ax: Axes | None = None) -> Axes:
    """Draw the CAR over `window` of each event with its 95% interval, sorted, and the mean as a diamond.

    Events whose own p is below 0.05 are filled. Of more than 60 events the ends of the order are drawn.
    """
    marks = _forest_marks(results, window)
    left_out = max(0, len(marks) - FOREST_ROWS)
    if left_out:
        marks = marks[: FOREST_ROWS // 2] + marks[-(FOREST_ROWS // 2) :]
    axes = _new_axes(WIDE, 90 + 20 * (len(marks) + 1)) if ax is None else ax
    color, _, marker = PALETTE[0]
    for y, mark in enumerate(marks):
        _draw_mark(axes, y, mark, color, marker)
    mean = interval(results, window)
    half = mean.high - mean.estimate
    _draw_mark(axes, MEAN_ROW, _Mark("Mean", mean.estimate, half, filled=True), INK, "D")
    _frame(axes)
    labels = ["Mean", *(clipped(mark.name, 32) for mark in marks)]
    axes.set_yticks([MEAN_ROW, *range(len(marks))], labels, fontsize=12, parse_math=False)
    axes.set_ylim(len(marks) - 0.3, MEAN_ROW - 0.8)
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    _percent_axis(axes.xaxis, *axes.get_xlim())
    verb = "is" if left_out == 1 else "are"
    note = f"; {count(left_out, 'event')} in the middle {verb} left out" if left_out else ""
    title = f"CAR{_of()} over {window_text(window)} with 95% interval{note}"
    axes.set_title(title, loc="left", fontsize=TEXT, fontweight="bold")
    return axes


def path_figure(path: Path95, window: Window, *, n_events: int, width: int = WIDE, group: int = 0) -> Figure:
    """Return the figure of the report: the CAAR path above, the AAR of each day below."""
    wide = width >= WIDE
    height = 440 if wide else 390
    figure = _figure(width, height)
    right = 0.865 if wide else 0.985
    upper, lower = figure.subplots(
        2, 1, sharex=True,
        gridspec_kw={
            "height_ratios": [3.6, 1.15], "hspace": 0.14 if wide else 0.24,
            "left": 0.052 if wide else 0.13, "right": right, "top": 0.94, "bottom": 0.075,
        },
    )  # fmt: skip
    style = PALETTE[min(group, 2)]
    _draw_path(upper, path, window, style)
    _draw_bars(lower, path, window, style[0])
    _percent_axis(upper.yaxis, path.lowest, path.highest)
    half = np.nan_to_num(path.aar_half)
    low, high = np.nanmin(path.aar - half, initial=0.0), np.nanmax(path.aar + half, initial=0.0)
    _percent_axis(lower.yaxis, float(low), float(high), ticks=3)
    _day_axis(lower, path.days, ticks=11 if wide else 6)
    average = "AR" if n_events == 1 else "AAR"
    _label_path(upper, lower, path, style[0], average=average, beside=wide)
    _label_window(upper, path, window, wide=wide)
    _hit_areas(upper, path, average)
    return figure


def group_figure(path: Path95, window: Window, limits: tuple[float, float], *, group: int) -> Figure:
    """Return the path of one group as a small panel; `limits` is the scale that the panels share."""
    figure = _figure(500, 260)
    axes = figure.subplots(gridspec_kw={"left": 0.1, "right": 0.985, "top": 0.95, "bottom": 0.12})
    style = PALETTE[min(group, 2)]
    _draw_path(axes, path, window, style)
    _percent_axis(axes.yaxis, *limits)
    _day_axis(axes, path.days, ticks=6)
    return figure


@in_its_words
def write_figures(results: EventStudyResults, folder: Path, *, window: Window) -> None:
    """Write ``caar`` and ``car`` as SVG and PNG into `folder`; nothing if no event was usable."""
    if len(results) == 0:
        return
    drawn = {
        "caar": (plot_caar(results, window=window), "CAAR path with its pointwise 95% band."),
        "car": (plot_car_forest(results, window), "CAR of each event with its 95% interval."),
    }
    for name, (axes, description) in drawn.items():
        figure = axes.get_figure(root=True)
        if figure is None:
            continue
        text = svg(figure, axes.get_title(loc="left"), description)
        (folder / f"{name}.svg").write_text(text + "\n", encoding="utf-8", newline="\n")
        with _any_script():
            figure.savefig(
                folder / f"{name}.png", dpi=2 * POINTS_PER_INCH, facecolor=PAPER, metadata={"Software": None}
            )


def svg(figure: Figure, title: str, desc: str, *, css_class: str = "") -> str:
    """Return a figure as SVG that stands in HTML under a strict policy: the same bytes each time.

    Parameters
    ----------
    figure : Figure
    title, desc : str
        Name of the picture and what it shows, for those who cannot see it.
    css_class : str
        Class of the svg element.

    Notes
    -----
    Styles become presentation attributes, whose colours a page may override; group ids that begin with
    ``title:`` become native tooltips.
    """
    import matplotlib as mpl

    salt = hashlib.sha256(f"{title}|{desc}|{css_class}".encode()).hexdigest()[:8]
    raw = io.BytesIO()
    with mpl.rc_context({**_RC, "svg.hashsalt": salt}), _any_script():
        figure.savefig(raw, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    # The markup is matplotlib's own, made one line above.
    root = ET.fromstring(raw.getvalue())  # noqa: S314
    for tag in ("metadata", "style"):
        _remove(root, f"{{{_SVG}}}{tag}")
    _plain_attributes(root)
    _unique_ids(root, salt)
    _head(root, salt, title, desc, css_class)
    ET.register_namespace("", _SVG)
    text = ET.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", text).strip()


@contextmanager
def _any_script() -> Iterator[None]:
    """Let names in scripts that matplotlib's font lacks pass: a browser has the glyphs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _remove(root: ET.Element, tag: str) -> None:
    for parent in list(root.iter()):
        for child in [c for c in parent if c.tag == tag]:
            parent.remove(child)


def _plain_attributes(root: ET.Element) -> None:
    for element in root.iter():
        for declaration in element.attrib.pop("style", "").split(";"):
            name, _, value = (part.strip() for part in declaration.partition(":"))
            if name == "font":
                element.attrib |= _font(value)
            elif name:
                element.set(name, value)
        element.attrib.pop("clip-path", None)
        element.attrib.pop("font-family", None)
        if "font-weight" in element.attrib:
            element.set("font-weight", "600")
        if element.get("transform", "").startswith("rotate(-0 "):
            element.attrib.pop("transform")
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
    _remove(root, f"{{{_SVG}}}clipPath")
    _remove_empty_groups(root)


def _remove_empty_groups(parent: ET.Element) -> None:
    for child in list(parent):
        _remove_empty_groups(child)
        if child.tag in (f"{{{_SVG}}}g", f"{{{_SVG}}}defs") and not len(child):
            parent.remove(child)


def _font(value: str) -> dict[str, str]:
    """Split the shorthand ``700 13px 'DejaVu Sans'``; the family is the page's."""
    size = re.search(r"([\d.]+)px", value)
    weight = {"font-weight": "600"} if re.match(r"(bold|[6-9]00)\b", value) else {}
    return {"font-size": size[1] if size else "13", **weight}


def _unique_ids(root: ET.Element, salt: str) -> None:
    used = {e.attrib["href"][1:] for e in root.iter() if "href" in e.attrib}
    names = {name: f"m{salt}{i}" for i, name in enumerate(sorted(used))}
    for element in root.iter():
        own = element.attrib.pop("id", "")
        if own in names:
            element.set("id", names[own])
        elif own.startswith(_TITLE):
            element.set("pointer-events", "all")
            tip = ET.Element(f"{{{_SVG}}}title")
            tip.text = own.removeprefix(_TITLE)
            element.insert(0, tip)
        if "href" in element.attrib:
            element.set("href", f"#{names[element.attrib['href'][1:]]}")


def _head(root: ET.Element, salt: str, title: str, desc: str, css_class: str) -> None:
    _, _, width, height = root.attrib["viewBox"].split()
    box = {"viewBox": f"0 0 {float(width):g} {float(height):g}", "role": "img"}
    named = {"aria-labelledby": f"t{salt} d{salt}", "font-family": "sans-serif"}
    lines = {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    root.attrib.clear()
    root.attrib |= ({"class": css_class} if css_class else {}) | box | named | lines
    for i, (tag, text) in enumerate((("title", title), ("desc", desc))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{tag[0]}{salt}"})
        element.text = text
        root.insert(i, element)


def _figure(width: int, height: int) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH), dpi=POINTS_PER_INCH)


def _of() -> str:
    """Say in a title what is cumulated and its unit, unless these are returns."""
    return f" of {words().what} ({words().axis})" if words().what else ""


def _new_axes(width: int, height: int) -> Axes:
    figure = _figure(width, height)
    figure.set_layout_engine("constrained")
    return figure.subplots()


def _frame(axes: Axes) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelcolor=MUTED, labelsize=TEXT)
    axes.set_facecolor("none")


def _draw_path(axes: Axes, path: Path95, window: Window, style: tuple[str, str, str]) -> None:
    color, band, marker = style
    _frame(axes)
    _time_marks(axes, window)
    low, high = path.caar - path.caar_half, path.caar + path.caar_half
    axes.fill_between(path.days, low, high, color=band, linewidth=0, zorder=1)
    axes.axhline(0, color=INK, linewidth=1, zorder=2)
    axes.plot(
        path.days, path.caar, color=color, linewidth=2.25, marker=marker, markersize=5,
        markeredgewidth=0, zorder=3,
    )  # fmt: skip


def _draw_bars(axes: Axes, path: Path95, window: Window, color: str) -> None:
    _frame(axes)
    _time_marks(axes, window)
    axes.bar(path.days, path.aar, width=0.66, color=color, zorder=2)
    axes.vlines(
        path.days, path.aar - path.aar_half, path.aar + path.aar_half, color=MUTED, linewidth=1.25, zorder=3
    )
    axes.axhline(0, color=INK, linewidth=1, zorder=4)


def _time_marks(axes: Axes, window: Window) -> None:
    axes.axvspan(window.start - 0.5, window.stop + 0.5, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (3, 3)), zorder=2.5)


def _percent_axis(axis: Axis, low: float, high: float, *, ticks: int = 6) -> None:
    """Give the axis round ticks around the data; in percent the unit is on the last one only."""
    from matplotlib.ticker import MaxNLocator

    room = 0.04 * ((high - low) or 0.02)
    low, high = low - room, high + room
    axis.set_view_interval(low, high, ignore=True)
    locator = MaxNLocator(nbins=ticks - 1, steps=[1, 2, 2.5, 5, 10])
    scale = words().scale
    at = [t for t in locator.tick_values(scale * low, scale * high) if scale * low <= t <= scale * high]
    decimals = next((d for d in range(4) if all(abs(t - round(t, d)) < 1e-9 for t in at)), 4)
    labels = [signed(t, decimals) if t else "0" for t in at]
    if labels and words().unit == "%":
        labels[-1] += "%"
    axis.set_ticks([t / scale for t in at], labels)
    axis.grid(visible=True, color=GRID, linewidth=1, zorder=0.5)
    axis.set_tick_params(length=0, labelcolor=MUTED)
    axis.axes.set_axisbelow(True)


def _day_axis(axes: Axes, days: IntArray, *, ticks: int) -> None:
    """Mark round days and day 0; the middles of the days lie half a day inside the frame."""
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if len(days) / s <= ticks), 200)
    at = [int(t) for t in days if t % step == 0]
    if 0 in days and 0 not in at:
        at = sorted([*at, 0])
    axes.set_xlim(days[0] - 0.5, days[-1] + 0.5)
    axes.set_xticks(at, ["day 0" if t == 0 else day(t) for t in at])
    axes.tick_params(axis="x", length=0, pad=6)
    for label, t in zip(axes.get_xticklabels(), at, strict=True):
        label.set_color(INK if t == 0 else MUTED)
        label.set_fontweight("bold" if t == 0 else "normal")


def _label_path(upper: Axes, lower: Axes, path: Path95, color: str, *, average: str, beside: bool) -> None:
    if not beside:
        for axes, text in ((upper, f"C{average}, 95% band"), (lower, f"{average} each day, 95% CI")):
            axes.set_title(text, loc="left", fontsize=TEXT, fontweight="bold", color=color, pad=5)
        return
    beside_end: Any = {"textcoords": "offset points", "va": "center", "fontsize": TEXT}
    end = percent(path.end, unit=words().unit == "%")
    _label_end(upper, path, f"C{average} {end}", {**beside_end, "color": color})
    beside_end["xycoords"] = ("axes fraction", "data")
    lower.annotate(f"{average} each day", (1, 0), (6, 0), color=color, fontweight="bold", **beside_end)
    lower.annotate("with 95% CI", (1, 0), (6, -16), color=MUTED, **beside_end)


def _label_end(axes: Axes, path: Path95, text: str, style: Mapping[str, Any]) -> None:
    """Name the path and its band beside the last point."""
    if path.last is None:
        return
    x, value, half = path.days[path.last] + 0.5, path.caar[path.last], path.caar_half[path.last]
    axes.annotate(text, (x, value), (6, 0), fontweight="bold", **style)
    if np.isfinite(half):
        low, high = axes.get_ylim()
        edge = min(value + max(half, 0.16 * (high - low)), high)
        axes.annotate("95% band,\nday by day", (x, edge), (6, -10), **style)


def _label_window(axes: Axes, path: Path95, window: Window, *, wide: bool) -> None:
    """Name the shaded window beside its upper end, on a narrow figure above it."""
    name = f"main window {window_text(window)}" if wide else window_text(window)
    right = window.stop + 0.5 < path.days.mean() + 0.3 * len(path.days)
    edge, side = (window.stop + 0.6, "left") if right else (window.start - 0.6, "right")
    if not wide:
        edge, side = (window.start + window.stop) / 2, "center"
    axes.annotate(
        name, (edge, 1), (0, 5), ha=side, va="bottom", xycoords=("data", "axes fraction"),
        textcoords="offset points", fontsize=TEXT, fontweight="bold", color=INK,
    )  # fmt: skip


def _hit_areas(axes: Axes, path: Path95, average: str) -> None:
    """Lay an invisible field with the numbers of the day over each day."""
    columns = (path.days, path.aar, path.caar, path.caar_half, path.counts)
    for t, aar, caar, half, n in zip(*columns, strict=True):
        text = f"Day {day(int(t))}: {average} {percent(aar)}, C{average} {percent(caar)}"
        if np.isfinite(half):
            text += f" (95% CI {span(caar - half, caar + half)})"
        patch = axes.axvspan(t - 0.5, t + 0.5, facecolor="none", edgecolor="none", linewidth=0, zorder=9)
        patch.set_gid(f"{_TITLE}{text}, {count(int(n), 'event')}")


@dataclass(frozen=True, slots=True)
class _Mark:
    """One row of the forest: a value with half the width of its interval."""

    name: str
    car: float
    half: float
    filled: bool

    @property
    def tip(self) -> str:
        return f"{self.name}: {percent(self.car)} ({span(self.car - self.half, self.car + self.half)})"


def _forest_marks(results: EventStudyResults, window: Window) -> list[_Mark]:
    """Return one mark for each event that has the window, by CAR."""
    car, half = results.abnormal.car(window), own_half_widths(results, window)
    names = results.events["event_id"].astype(str)
    marks = [
        _Mark(name, float(x), float(h), filled=bool(abs(x) > h))
        for name, x, h in zip(names, car, half, strict=True)
        if np.isfinite(x)
    ]
    return sorted(marks, key=lambda mark: (mark.car, mark.name))


def _draw_mark(axes: Axes, y: float, mark: _Mark, color: str, shape: str) -> None:
    axes.hlines(y, mark.car - mark.half, mark.car + mark.half, color=color, linewidth=2, zorder=2)
    (point,) = axes.plot(
        [mark.car], [y], marker=shape, markersize=7, color=color, linestyle="none",
        markerfacecolor=color if mark.filled else PAPER, markeredgewidth=1.75, zorder=3,
    )  # fmt: skip
    point.set_gid(_TITLE + mark.tip)


def own_half_widths(results: EventStudyResults, window: Window) -> FloatArray:
    """Return half the width of each event's exact 95% interval, shape (n,); NaN where it has no CAR."""
    from scipy.special import stdtrit

    a = results.abnormal
    with np.errstate(invalid="ignore"):
        return np.asarray(stdtrit(a.df_resid, 0.975) * np.sqrt(a.var_car(window)), dtype=float)


def shared_limits(paths: Mapping[str, Path95]) -> tuple[float, float]:
    """Return the scale that holds all paths with the bands that they have."""
    return min(p.lowest for p in paths.values()), max(p.highest for p in paths.values())
