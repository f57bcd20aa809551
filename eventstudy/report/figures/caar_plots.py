"""Figures: the path of the mean abnormal return, the CAR of each event, and placebo studies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.answer import DIFFERENT, answer_of
from ...analysis.caar_path import Path95, path_of
from ...calendars.window import MAIN_WINDOW, Window
from ...utility.numbers import clipped, count, percent, signed, window_text
from ...utility.typing import FloatArray
from ...utility.units import in_its_words, words
from .matplotlib_svg import TEXT, any_script, svg
from .style import (
    GRID,
    INK,
    PALETTE,
    PAPER,
    POINTS_PER_INCH,
    Point,
    blank,
    day_axis,
    draw_bars,
    draw_path,
    draw_point,
    frame,
    hit_areas,
    label_path,
    label_window,
    new_axes,
    percent_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...fitting.fitted import FittedStudy

FOREST_ROWS = 60
MEAN_ROW = -1.5
WIDE, NARROW = 1000, 360


@in_its_words
def plot_caar(
    results: FittedStudy,
    window: Window | None = None,
    by: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the CAAR path with its pointwise 95% band.

    Parameters
    ----------
    results : FittedStudy
    window : Window, optional
        Main window, shaded; by default [0, 1] if the event window holds it.
    by : str, optional
        Column of the events: one path for each of the first three groups, named at its end.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Raises
    ------
    ConfigError
        If the events have no column `by`.
    """
    main = window or (
        MAIN_WINDOW if MAIN_WINDOW in results.abnormal.event else results.abnormal.event
    )
    axes = new_axes(WIDE, 420) if ax is None else ax
    if by is not None:
        return _grouped(axes, results, main, by)
    path = path_of(results)
    draw_path(axes, path, main, PALETTE[0])
    percent_axis(axes.yaxis, path.lowest, path.highest)
    day_axis(axes, path.days, most=11)
    what = "CAR of one event" if len(results) == 1 else f"CAAR of {count(len(results), 'event')}"
    band = ", pointwise 95% band" * path.has_band
    axes.set_title(f"{what}{_of()}{band}", loc="left", fontsize=TEXT, fontweight="bold")
    return axes


@in_its_words
def plot_car_forest(results: FittedStudy, window: Window, ax: Axes | None = None) -> Axes:
    """Draw the CAR over `window` of each event with its 95% interval, sorted, and the effect as a
    diamond.

    What has p below 0.05 is filled, the effect by the main test. Of more than 60 events the ends of
    the order are drawn.
    """
    marks = _forest_marks(results, window)
    left_out = max(0, len(marks) - FOREST_ROWS)
    if left_out:
        marks = marks[: FOREST_ROWS // 2] + marks[-(FOREST_ROWS // 2) :]
    axes = new_axes(WIDE, 90 + 20 * (len(marks) + 1)) if ax is None else ax
    color, _, marker = PALETTE[0]
    for y, mark in enumerate(marks):
        draw_point(axes, y, mark, color, marker)
    draw_point(axes, MEAN_ROW, _mean_mark(results, window), INK, "D")
    frame(axes)
    labels = ["Effect", *(clipped(mark.name, 32) for mark in marks)]
    axes.set_yticks([MEAN_ROW, *range(len(marks))], labels, fontsize=12, parse_math=False)
    axes.set_ylim(len(marks) - 0.3, MEAN_ROW - 0.8)
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    percent_axis(axes.xaxis, *axes.get_xlim())
    verb = "is" if left_out == 1 else "are"
    note = f"; {count(left_out, 'event')} in the middle {verb} left out" if left_out else ""
    title = f"CAR{_of()} over {window_text(window)} with 95% interval{note}"
    axes.set_title(title, loc="left", fontsize=TEXT, fontweight="bold")
    return axes


def _grouped(axes: Axes, results: FittedStudy, window: Window, by: str) -> Axes:
    """Draw the paths of the first groups on one scale; those of few events without their bands."""
    groups = results.groups(by)
    shown = {
        name: path_of(part).beside_others() for name, part in list(groups.items())[: len(PALETTE)]
    }
    for style, (name, path) in zip(PALETTE, shown.items(), strict=False):
        draw_path(axes, path, window, style)
        if path.last is not None:
            place = (path.days[path.last] + 0.3, path.caar[path.last])
            axes.annotate(
                f"{clipped(name, 24)} {percent(path.end)}", place, va="center", fontsize=TEXT,
                fontweight="bold", color=style[0], parse_math=False, annotation_clip=False,
            )  # fmt: skip
    for band in axes.collections:
        band.set_alpha(0.6)
    first = next(iter(shown.values()), path_of(results))
    percent_axis(axes.yaxis, *shared_limits(shown or {"": first}))
    day_axis(axes, first.days, most=11)
    rest = len(groups) - len(shown)
    more = f"; {count(rest, 'more group')} not drawn" if rest else ""
    bands = ", pointwise 95% bands" * any(path.has_band for path in shown.values())
    title = f"CAAR by {clipped(by, 40)}{_of()}{bands}{more}"
    axes.set_title(title, loc="left", fontsize=TEXT, fontweight="bold", parse_math=False)
    return axes


def path_figure(
    path: Path95, window: Window, *, n_events: int, width: int = WIDE, group: int = 0
) -> Figure:
    """Return the figure of the report: the CAAR path above, the AAR of each day below."""
    wide = width >= WIDE
    height = 440 if wide else 390
    figure = blank(width, height)
    right = 0.865 if wide else 0.985
    upper, lower = figure.subplots(
        2, 1, sharex=True,
        gridspec_kw={
            "height_ratios": [3.6, 1.15], "hspace": 0.14 if wide else 0.24,
            "left": 0.052 if wide else 0.13, "right": right, "top": 0.94, "bottom": 0.075,
        },
    )  # fmt: skip
    style = PALETTE[min(group, 2)]
    draw_path(upper, path, window, style)
    draw_bars(lower, path, window, style[0])
    percent_axis(upper.yaxis, path.lowest, path.highest)
    half = np.nan_to_num(path.aar_half)
    low, high = np.nanmin(path.aar - half, initial=0.0), np.nanmax(path.aar + half, initial=0.0)
    percent_axis(lower.yaxis, float(low), float(high), most=5)
    day_axis(lower, path.days, most=11 if wide else 6)
    average = "AR" if n_events == 1 else "AAR"
    label_path(upper, lower, path, style[0], average=average, beside=wide)
    label_window(upper, path, window, wide=wide)
    hit_areas(upper, path, average)
    return figure


def group_figure(
    path: Path95, window: Window, limits: tuple[float, float], *, group: int
) -> Figure:
    """Return the path of one group as a small panel; `limits` is the scale that the panels
    share."""
    figure = blank(500, 260)
    axes = figure.subplots(gridspec_kw={"left": 0.12, "right": 0.985, "top": 0.95, "bottom": 0.12})
    style = PALETTE[min(group, 2)]
    draw_path(axes, path, window, style)
    percent_axis(axes.yaxis, *limits)
    day_axis(axes, path.days, most=6)
    return figure


@in_its_words
def write_figures(results: FittedStudy, folder: Path, *, window: Window) -> None:
    """Write ``caar``, ``car`` and ``ar_heatmap`` as SVG, PDF and PNG, if an event was usable."""
    from .event_plots import plot_ar_heatmap

    if len(results) == 0:
        return
    drawn = {
        "caar": (plot_caar(results, window=window), "CAAR path by event day."),
        "car": (plot_car_forest(results, window), "CAR of each event with its 95% interval."),
        "ar_heatmap": (
            plot_ar_heatmap(results, window),
            "Abnormal return of each event and day as a colour.",
        ),
    }
    for name, (axes, description) in drawn.items():
        figure = axes.get_figure(root=True)
        if figure is None:
            continue
        text = svg(figure, axes.get_title(loc="left"), description)
        (folder / f"{name}.svg").write_text(text + "\n", encoding="utf-8", newline="\n")
        with any_script():
            figure.savefig(
                folder / f"{name}.png",
                dpi=2 * POINTS_PER_INCH,
                facecolor=PAPER,
                metadata={"Software": None},
            )
            figure.savefig(
                folder / f"{name}.pdf", metadata={"CreationDate": None, "Producer": None}
            )


def placebo_figure(statistic: float, draws: FloatArray, *, width: int = WIDE) -> Figure:
    """Return the histogram of placebo statistics (B,), with the study's own marked."""
    from matplotlib.ticker import MaxNLocator

    wide = width >= WIDE
    figure = blank(width, 240 if wide else 220)
    axes = figure.subplots(
        gridspec_kw={
            "left": 0.052 if wide else 0.1, "right": 0.985, "top": 0.88,
            "bottom": 0.14 if wide else 0.16
        }
    )  # fmt: skip
    frame(axes)
    reach = 1.08 * max(abs(statistic), float(np.abs(draws).max()))
    edges = np.linspace(-reach, reach, 2 * min(20, 5 + len(draws) // 20) + 2)
    color, band, _ = PALETTE[0]
    axes.hist(draws, bins=list(edges), color=band, edgecolor=PAPER, linewidth=1, zorder=2)
    axes.axhline(0, color=INK, linewidth=1, zorder=3)
    axes.axvline(statistic, color=color, linewidth=2.25, zorder=4)
    axes.set_xlim(-reach, reach)
    at = [t for t in axes.get_xticks() if abs(t) <= reach]
    axes.set_xticks(at, [signed(t, 0 if t == int(t) else 1) if t else "0" for t in at])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.grid(visible=True, axis="y", color=GRID, linewidth=1, zorder=0.5)
    axes.tick_params(axis="x", pad=6)
    axes.annotate(
        f"the study {signed(statistic)}", (statistic, 1), (0, 5),
        ha="center" if abs(statistic) < 0.6 * reach
        else "left" if statistic < 0 else "right", va="bottom", xycoords=("data", "axes fraction"),
        textcoords="offset points", fontsize=TEXT, fontweight="bold", color=color,
    )  # fmt: skip
    return figure


def _of() -> str:
    """Say in a title what is cumulated and its unit, unless these are returns."""
    return f" of {words().what} ({words().axis})" if words().what else ""


def _forest_marks(results: FittedStudy, window: Window) -> list[Point]:
    """Return one mark for each event that has the window, by CAR."""
    car, half = results.abnormal.car(window), results.abnormal.car_half_widths(window)
    names = results.events["event_id"].astype(str)
    marks = [
        Point(name, float(x), float(h), filled=bool(abs(x) > h))
        for name, x, h in zip(names, car, half, strict=True)
        if np.isfinite(x)
    ]
    return sorted(marks, key=lambda mark: (mark.car, mark.name))


def _mean_mark(results: FittedStudy, window: Window) -> Point:
    """Return the mark of the answer: filled where its verdict is ``different``."""
    found = answer_of(results, window)
    half = found.effect.ci_high - found.effect.estimate
    return Point("Effect", found.effect.estimate, half, filled=found.verdict == DIFFERENT)


def shared_limits(paths: Mapping[str, Path95]) -> tuple[float, float]:
    """Return the scale that holds all paths with the bands that they have."""
    return min(p.lowest for p in paths.values()), max(p.highest for p in paths.values())
