"""Figures for papers and notebooks with matplotlib: the ``plot_*`` methods, and ``figures/``."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.answer import DIFFERENT, answer_of
from ...analysis.caar_path import Path95, path_of
from ...analysis.regressions import find_event
from ...calendars.window import MAIN_WINDOW, Window
from ...errors import ConfigError
from ...findings.event_series import DAY, FITTED, days_of, fit_of, price_path
from ...utility.catalogue import say
from ...utility.numbers import clipped, day, percent
from ...utility.typing import FloatArray, IntArray
from ...utility.units import in_its_words, words
from .svg_canvas import day_ticks, return_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from ...fitting.fitted import FittedStudy, WindowLike

INK, MUTED, GRID, SHADE = "#1a1e22", "#565c63", "#e4dfd4", "#efeadd"
RANGE = "#e0dfdc"
# (line, band, marker) of the first group, the second, and all others.
PALETTE = (("#0b5394", "#cbdff1", "o"), ("#a63e00", "#f3d9c4", "s"), (INK, "#cfc9bc", "^"))
BLUE, PALE, _ = PALETTE[0]
POINTS_PER_INCH, TEXT, WIDTH = 72, 13, 1000
FOREST_ROWS, NAMED_ROWS = 60, 60
MEAN_ROW = -1.5
# Share of the abnormal returns that the colours of the heatmap tell apart; those beyond have full
# colour.
COLOURED = 0.98
# Texts stay texts, and equal figures have equal bytes.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "eventstudy", "font.family": "sans-serif",
    "path.simplify": False,
}  # fmt: skip
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None},
}


@in_its_words
def plot_caar(
    results: FittedStudy, window: WindowLike | None, by: str | None, ax: Axes | None
) -> Axes:
    """Draw the CAAR path with its pointwise 95% band.

    Parameters
    ----------
    results : FittedStudy
    window : window, optional
        Main window, shaded; by default [0, 1] if the event window holds it.
    by : str, optional
        Column of the events: one path for each of the first three groups, named at its end.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        If the events have no column `by`.
    """
    groups = results.groups(by) if by is not None else {}
    paths = {name: path_of(group) for name, group in list(groups.items())[: len(PALETTE)]}
    drawn = {name: path.beside_others() for name, path in paths.items()} or {"": path_of(results)}
    axes, days = _shaded(ax, _window(results, window), height=420), next(iter(drawn.values())).days
    for style, (name, path) in zip(PALETTE, drawn.items(), strict=False):
        _draw_path(axes, path, style, name, alpha=0.6 if by is not None else 1.0)
    draw_return_axis(axes.yaxis, [np.array([(p.lowest, p.highest) for p in drawn.values()])])
    _day_axis(axes, days)
    band, n_more = "_band" * any(path.has_band for path in drawn.values()), len(groups) - len(drawn)
    if by is not None:
        code = f"plot.caar_by{band}{'_more' * (n_more > 0)}"
        return titled(axes, code, by=clipped(by, 40), more=n_more)
    return titled(axes, f"plot.{'car' if len(results) == 1 else 'caar'}{band}", n=len(results))


def _draw_path(
    axes: Axes, path: Path95, style: tuple[str, str, str], name: str, *, alpha: float
) -> None:
    """Draw one path with its band, and its name at its end."""
    color, band, marker = style
    low, high = path.caar - path.caar_half, path.caar + path.caar_half
    axes.fill_between(path.days, low, high, color=band, linewidth=0, zorder=1, alpha=alpha)
    axes.plot(path.days, path.caar, color=color, linewidth=2.25, marker=marker, markersize=5,
              markeredgewidth=0, zorder=3)  # fmt: skip
    if name and path.last is not None:
        place = (path.days[path.last] + 0.3, path.caar[path.last])
        axes.annotate(f"{clipped(name, 24)} {percent(path.end)}", place, va="center", color=color,
                      fontsize=TEXT, fontweight="bold", parse_math=False,
                      annotation_clip=False)  # fmt: skip


@in_its_words
def plot_car_forest(results: FittedStudy, window: WindowLike, ax: Axes | None) -> Axes:
    """Draw the CAR over `window` of each event with its 95% interval, and the effect as a diamond.

    What has p below 0.05 is filled, the effect by the main test. Of more than 60 events the ends of
    the order are drawn.

    Parameters
    ----------
    results : FittedStudy
    window : window
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    window = Window.of(window)
    car, half = results.abnormal.car(window), results.abnormal.car_half_widths(window)
    names, ends = results.events["event_id"].astype(str).tolist(), FOREST_ROWS // 2
    rows = sorted(np.flatnonzero(np.isfinite(car)).tolist(), key=lambda i: (car[i], names[i]))
    n_hidden = max(0, len(rows) - FOREST_ROWS)
    rows = [*rows[:ends], *rows[-ends:]] if n_hidden else rows
    axes = framed(ax, 90 + 20 * (len(rows) + 1))
    for y, i in enumerate(rows):
        is_significant = bool(abs(car[i]) > half[i])
        draw_point(axes, y, car[i], half[i], BLUE, "o", is_filled=is_significant)
    answer = answer_of(results, window)
    estimate, reach = answer.effect.estimate, answer.effect.ci_high - answer.effect.estimate
    draw_point(axes, MEAN_ROW, estimate, reach, INK, "D", is_filled=answer.verdict == DIFFERENT)
    labels = ["Effect", *(clipped(names[i], 32) for i in rows)]
    axes.set_yticks([MEAN_ROW, *range(len(rows))], labels, fontsize=12, parse_math=False)
    axes.set_ylim(len(rows) - 0.3, MEAN_ROW - 0.8)
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    draw_return_axis(axes.xaxis, [np.array(axes.get_xlim())])
    code = "plot.forest_more" if n_hidden else "plot.forest"
    return titled(axes, code, window=window, more=n_hidden)


def draw_point(
    axes: Axes, y: float, x: float, half: float, color: str, marker: str, *, is_filled: bool
) -> None:
    """Draw a point on a row, with its interval.

    Parameters
    ----------
    axes : Axes
    y, x, half : float
        Row, value, and half the width of the interval.
    color, marker : str
    is_filled : bool
    """
    axes.hlines(y, x - half, x + half, color=color, linewidth=2, zorder=2)
    axes.plot([x], [y], marker=marker, markersize=7, color=color, linestyle="none", zorder=3,
              markerfacecolor=color if is_filled else "white", markeredgewidth=1.75)  # fmt: skip


@in_its_words
def plot_event(
    results: FittedStudy, event_id: str, window: WindowLike | None, ax: Axes | None
) -> Axes:
    """Draw AR as bars and CAR as a line, over the 95% range of the CAR without an event.

    Parameters
    ----------
    results : FittedStudy
    event_id : str
    window : window, optional
        Shaded; by default the main window.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        For an unknown or dropped event.
    """
    row, main = find_event(results, event_id), _window(results, window)
    event, axes = days_of(results, row), _shaded(ax, main)
    half = event.car_half
    axes.fill_between(event.days, -half, half, color=RANGE, linewidth=0, zorder=0.8)
    axes.bar(event.days, event.ar, width=0.66, color=PALE, edgecolor=BLUE, zorder=2)
    axes.plot(event.days, event.car, color=BLUE, linewidth=2.25, marker="o", markersize=5, zorder=3)
    draw_return_axis(axes.yaxis, [event.ar, event.car, half, -half])
    _day_axis(axes, event.days)
    car = float(results.abnormal.car(main)[row])
    return titled(axes, "plot.event", event=clipped(event_id, 60), window=main, car=car)


@in_its_words
def plot_price(
    results: FittedStudy, event_id: str, window: WindowLike | None, ax: Axes | None
) -> Axes:
    """Draw the close, and the close that the model expected with its 95% forecast interval.

    Parameters
    ----------
    results : FittedStudy
    event_id : str
    window : window, optional
        The expected path starts on the day before it; by default the main window.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        For an unknown or dropped event, one without prices, and a study of another measure than
        returns.
    """
    main = _window(results, window)
    path = price_path(results, find_event(results, event_id), main)
    if path is None:
        raise ConfigError("there is no price to draw", value=event_id)
    axes = _shaded(ax, main, zero=False)
    axes.fill_between(path.days, path.low, path.high, color=PALE, linewidth=0, zorder=1)
    axes.plot(path.days, path.expected, color=BLUE, linewidth=2, linestyle=(0, (4, 2)), zorder=3)
    axes.plot(path.days, path.actual, color=INK, linewidth=1.75, zorder=4)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=1, zorder=0.5)
    _day_axis(axes, path.days)
    return titled(axes, "plot.price", event=clipped(event_id, 60), label=path.label.lower())


@in_its_words
def plot_estimation(
    results: FittedStudy, event_id: str, window: WindowLike | None, ax: Axes | None
) -> Axes:
    """Draw the estimation days against the benchmark, with the line of the model.

    Models of several series are drawn against what they fit, a constant mean against the event day.

    Parameters
    ----------
    results : FittedStudy
    event_id : str
    window : window, optional
        Its days are drawn as well; by default the main window.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        For an unknown or dropped event.
    """
    main = _window(results, window)
    fit = fit_of(results, find_event(results, event_id))
    axes = framed(ax, 460, width=560)
    axes.plot(fit.x, fit.y, "o", markersize=3.5, color=MUTED, alpha=0.55, zorder=2)
    inside, orange = results.abnormal.columns(main), PALETTE[1][0]
    x, y = fit.x_event[inside], fit.y_event[inside]
    axes.plot(x, y, "o", markersize=8, color=orange, zorder=4)
    for k in np.flatnonzero(np.isfinite(x + y)):
        axes.annotate(f"day {day(int(main.days[k]))}", (x[k], y[k]), (8, -4), fontsize=TEXT,
                      textcoords="offset points", color=orange)  # fmt: skip
    ends = np.array(axes.get_xlim())
    axes.plot(ends, fit.intercept + fit.slope * ends, color=BLUE, linewidth=2, zorder=3)
    axes.axhline(0, color=INK, linewidth=1, zorder=1.5)
    draw_return_axis(axes.yaxis, [fit.y, y])
    if fit.axis != DAY:
        draw_return_axis(axes.xaxis, [fit.x, x])
    is_named = fit.axis in (DAY, FITTED)
    axis = fit.axis if is_named else say("plot.benchmark", name=clipped(fit.axis, 40))
    axes.set_xlabel(axis, color=MUTED, fontsize=TEXT, parse_math=False)
    return titled(axes, "plot.estimation", event=clipped(event_id, 60), n=len(fit.y))


@in_its_words
def plot_ar_heatmap(results: FittedStudy, window: WindowLike | None, ax: Axes | None) -> Axes:
    """Draw the abnormal returns as colours, one row an event and one column a day.

    Blue is below zero, orange above; the largest 2% have full colour. Missing days stay blank.

    Parameters
    ----------
    results : FittedStudy
    window : window, optional
        Events are in the order of their CAR over it; by default the main window.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Raises
    ------
    ConfigError
        If no event was used.
    """
    from matplotlib.colors import LinearSegmentedColormap

    main, used, a = _window(results, window), np.flatnonzero(results.ok), results.abnormal
    if not used.size:
        raise ConfigError("there is no usable event to draw")
    used = used[np.argsort(a.car(main)[used], kind="stable")]
    values, n = a.ar[used], len(used)
    full = float(np.nanquantile(np.abs(values), COLOURED)) or 0.01
    axes = framed(ax, 110 + min(20 * n, 900))
    ends = [BLUE, "#ffffff", PALETTE[1][0]]
    colours = LinearSegmentedColormap.from_list("ar", ends).with_extremes(bad=GRID)
    axes.imshow(
        np.ma.masked_invalid(values), cmap=colours, vmin=-full, vmax=full, aspect="auto",
        interpolation="nearest", extent=(a.event.start - 0.5, a.event.stop + 0.5, n - 0.5, -0.5),
    )  # fmt: skip
    for edge in (main.start - 0.5, main.stop + 0.5):
        axes.axvline(edge, color=INK, linewidth=1, zorder=3)
    rows = range(n) if n <= NAMED_ROWS else []
    names = [clipped(results.events["event_id"].iloc[used[k]], 32) for k in rows]
    axes.set_yticks(rows, names, fontsize=11, parse_math=False)
    axes.set_ylim(n - 0.5, -0.5)
    _day_axis(axes, a.event.days)
    return titled(axes, "plot.heatmap", full=percent(full, sign=False))


@in_its_words
def write_figures(results: FittedStudy, folder: Path, *, window: Window) -> None:
    """Write ``caar``, ``car`` and ``ar_heatmap`` as SVG, PDF and PNG, if an event was used.

    Parameters
    ----------
    results : FittedStudy
        Equal results give equal bytes.
    folder : Path
        One that is there.
    window : Window
        The main window.
    """
    import matplotlib as mpl

    if len(results) == 0:
        return
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # A reader of SVG or PDF has the glyphs of scripts that the font of matplotlib lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        drawn = {
            "caar": plot_caar(results, window, None, None),
            "car": plot_car_forest(results, window, None),
            "ar_heatmap": plot_ar_heatmap(results, window, None),
        }
        for name, axes in drawn.items():
            figure: Any = axes.figure
            for kind, metadata in METADATA.items():
                file = folder / f"{name}.{kind}"
                figure.savefig(file, dpi=2 * POINTS_PER_INCH, metadata=metadata)


def _window(results: FittedStudy, window: WindowLike | None) -> Window:
    """Return a window, by default [0, 1], or the event window if that does not hold it."""
    event = results.abnormal.event
    main = MAIN_WINDOW if MAIN_WINDOW in event else event
    return main if window is None else Window.of(window)


def framed(ax: Axes | None, height: int, width: int = WIDTH) -> Axes:
    """Return axes without a frame, by default those of a new figure.

    Parameters
    ----------
    ax : Axes, optional
    height, width : int
        Points of a new figure.
    """
    from matplotlib.figure import Figure

    size = (width / POINTS_PER_INCH, height / POINTS_PER_INCH)
    axes = ax or Figure(size, dpi=POINTS_PER_INCH, layout="constrained").subplots()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelcolor=MUTED, labelsize=TEXT)
    axes.set_facecolor("none")
    return axes


def _shaded(ax: Axes | None, window: Window, *, height: int = 400, zero: bool = True) -> Axes:
    """Return axes with the window shaded, and day 0 and the level 0 marked."""
    axes = framed(ax, height)
    axes.axvspan(window.start - 0.5, window.stop + 0.5, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (3, 3)), zorder=2.5)
    if zero:
        axes.axhline(0, color=INK, linewidth=1, zorder=2.2)
    return axes


def draw_return_axis(axis: Axis, values: Iterable[FloatArray]) -> None:
    """Give an axis round ticks that hold the values; in percent the unit is on the last one.

    Parameters
    ----------
    axis : Axis
    values : iterable of arrays
        Decimal.
    """
    scale = return_scale(values, 6, 0.0, 1.0)
    axis.set_view_interval(scale.low, scale.high, ignore=True)
    axis.set_ticks(*zip(*scale.ticks(6), strict=True))
    axis.grid(visible=True, color=GRID, linewidth=1, zorder=0.5)
    axis.axes.set_axisbelow(True)


def _day_axis(axes: Axes, days: IntArray) -> None:
    """Mark round days and day 0; the middles of the days lie half a day inside the frame."""
    axes.set_xlim(days[0] - 0.5, days[-1] + 0.5)
    axes.set_xticks(*zip(*day_ticks(days, 11), strict=True))
    axes.tick_params(axis="x", pad=6)
    for label in axes.get_xticklabels():
        is_day0 = label.get_text() == "day 0"
        label.set(color=INK if is_day0 else MUTED, fontweight="bold" if is_day0 else "normal")


def titled(axes: Axes, code: str, **facts: Any) -> Axes:
    """Set the title, with what is cumulated unless these are returns.

    Parameters
    ----------
    axes : Axes
    code : str
        Of the sentence in the catalogue.
    **facts
        What the sentence says.
    """
    subject = say("plot.of", subject=words().what, axis=words().axis) if words().what else ""
    title = say(code, of=subject, **facts)
    axes.set_title(title, loc="left", fontsize=TEXT, fontweight="bold", parse_math=False)
    return axes
