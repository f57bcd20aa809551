"""Figures of single events for papers and notebooks; those of the event pages have the same
numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...calendars.window import MAIN_WINDOW, Window
from ...errors import ConfigError
from ...utility.numbers import clipped, count, day, percent, window_text
from ...utility.units import in_its_words, words
from .event_path import episode, row_of
from .matplotlib_svg import TEXT
from .price_path import price_path
from .regression_points import DAY, FITTED, fit_of
from .style import GRID, INK, MUTED, PALETTE, SHADE, day_axis, frame, new_axes, percent_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...fitting.fitted import FittedStudy

WIDE = 1000
RANGE = "#e0dfdc"
# Share of the abnormal returns that the colours of the heatmap tell apart; those beyond have full
# colour.
COLOURED = 0.98
NAMED_ROWS = 60


@in_its_words
def plot_event(
    results: FittedStudy, event_id: str, window: Window | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the AR of each day as bars and the CAR as a line, on the CAR's 95% range without an
    event.

    Parameters
    ----------
    results : FittedStudy
    event_id : str
    window : Window, optional
        Shaded; by default the main window.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Raises
    ------
    ConfigError
        For an unknown or dropped event.
    """
    found, main = episode(results, row_of(results, event_id)), window or _main(results)
    axes = _axes(ax, main)
    color = PALETTE[0][0]
    axes.fill_between(
        found.days, -found.car_half, found.car_half, color=RANGE, linewidth=0, zorder=0.8
    )
    axes.bar(
        found.days,
        found.ar,
        width=0.66,
        color=PALETTE[0][1],
        edgecolor=color,
        linewidth=1,
        zorder=2,
    )
    axes.plot(
        found.days, found.car, color=color, linewidth=2.25, marker="o", markersize=5, zorder=3
    )
    axes.axhline(0, color=INK, linewidth=1, zorder=2.2)
    shown = np.concatenate([found.ar, found.car, found.car_half, -found.car_half])
    percent_axis(axes.yaxis, float(np.nanmin(shown, initial=0)), float(np.nanmax(shown, initial=0)))
    day_axis(axes, found.days, most=11)
    car = percent(float(results.abnormal.car(main)[row_of(results, event_id)]))
    return _titled(
        axes, f"{clipped(event_id, 60)}: AR (bars) and CAR{_of()}; {window_text(main)} {car}"
    )


@in_its_words
def plot_price(
    results: FittedStudy, event_id: str, window: Window | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the close against what the model expected from the day before `window` on, with its 95%
    band.

    Parameters as in :func:`plot_event`.

    Raises
    ------
    ConfigError
        For an unknown or dropped event, one without prices, and a study of another measure than
        returns.
    """
    main = window or _main(results)
    path = price_path(results, row_of(results, event_id), main)
    if path is None:
        raise ConfigError("there is no price to draw", value=event_id)
    axes = _axes(ax, main)
    color, band, _ = PALETTE[0]
    axes.fill_between(path.days, path.low, path.high, color=band, linewidth=0, zorder=1)
    axes.plot(path.days, path.expected, color=color, linewidth=2, linestyle=(0, (4, 2)), zorder=3)
    axes.plot(path.days, path.actual, color=INK, linewidth=1.75, zorder=4)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=1, zorder=0.5)
    day_axis(axes, path.days, most=11)
    return _titled(
        axes, f"{clipped(event_id, 60)}: {path.what.lower()}, and model (dashed, 95% band)"
    )


@in_its_words
def plot_estimation(
    results: FittedStudy, event_id: str, window: Window | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the estimation days against the benchmark, the line of the model, and the days of
    `window`.

    Models of several series are drawn against what they fit, a constant mean against the event day.
    Parameters and errors as in :func:`plot_event`.
    """
    main = window or _main(results)
    fit = fit_of(results, row_of(results, event_id))
    axes = new_axes(560, 460) if ax is None else ax
    frame(axes)
    axes.plot(
        fit.x,
        fit.y,
        linestyle="none",
        marker="o",
        markersize=3.5,
        color=MUTED,
        alpha=0.55,
        zorder=2,
    )
    inside = results.abnormal.columns(main)
    x, y = fit.x_event[inside], fit.y_event[inside]
    axes.plot(x, y, linestyle="none", marker="o", markersize=8, color=PALETTE[1][0], zorder=4)
    for at, own, tau in zip(x, y, main.days, strict=True):
        if np.isfinite(at) and np.isfinite(own):
            axes.annotate(f"day {day(int(tau))}", (at, own), (8, -4), textcoords="offset points",
                          fontsize=TEXT, color=PALETTE[1][0])  # fmt: skip
    ends = np.array(axes.get_xlim())
    axes.plot(ends, fit.intercept + fit.slope * ends, color=PALETTE[0][0], linewidth=2, zorder=3)
    axes.axhline(0, color=INK, linewidth=1, zorder=1.5)
    percent_axis(axes.yaxis, *_span(fit.y, y))
    if fit.axis == DAY:
        axes.set_xlabel("event day", color=MUTED, fontsize=TEXT)
    else:
        percent_axis(axes.xaxis, *_span(fit.x, x))
        name = fit.axis if fit.axis == FITTED else f"return of {clipped(fit.axis, 40)}"
        axes.set_xlabel(name, color=MUTED, fontsize=TEXT, parse_math=False)
    return _titled(axes, f"{clipped(event_id, 60)}: {count(len(fit.y), 'estimation day')}")


@in_its_words
def plot_ar_heatmap(
    results: FittedStudy, window: Window | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the abnormal returns as colours, one row an event and one column a day.

    Events are in the order of their CAR over `window`, by default the main one; missing days stay
    blank. Blue is below zero, orange above; the largest 2% have full colour.
    """
    from matplotlib.colors import LinearSegmentedColormap

    main, used = window or _main(results), np.flatnonzero(results.ok)
    if not used.size:
        raise ConfigError("there is no usable event to draw")
    a = results.abnormal
    car = a.car(main)[used]
    used = used[np.argsort(np.where(np.isfinite(car), car, np.inf), kind="stable")]
    values = a.ar[used]
    full = float(np.nanquantile(np.abs(values), COLOURED)) or 0.01
    axes = new_axes(WIDE, 110 + min(20 * len(used), 900)) if ax is None else ax
    frame(axes)
    ends = [PALETTE[0][0], "#ffffff", PALETTE[1][0]]
    colours = LinearSegmentedColormap.from_list("ar", ends).with_extremes(bad=GRID)
    axes.imshow(
        np.ma.masked_invalid(values), cmap=colours, vmin=-full, vmax=full, aspect="auto",
        interpolation="nearest",
        extent=(a.event.start - 0.5, a.event.stop + 0.5, len(used) - 0.5, -0.5),
    )  # fmt: skip
    for edge in (main.start - 0.5, main.stop + 0.5):
        axes.axvline(edge, color=INK, linewidth=1, zorder=3)
    names = [clipped(results.events["event_id"].iloc[i], 32) for i in used]
    few = len(used) <= NAMED_ROWS
    axes.set_yticks(
        range(len(used)) if few else [], names if few else [], fontsize=11, parse_math=False
    )
    axes.set_ylim(len(used) - 0.5, -0.5)
    day_axis(axes, a.event.days, most=11)
    title = (
        f"AR{_of()} by event and day; blue below, orange above zero, full colour at {_full(full)}"
    )
    return _titled(axes, title)


def _main(results: FittedStudy) -> Window:
    return MAIN_WINDOW if MAIN_WINDOW in results.abnormal.event else results.abnormal.event


def _axes(ax: Axes | None, window: Window) -> Axes:
    """Return axes with the window shaded and day 0 marked."""
    axes = new_axes(WIDE, 400) if ax is None else ax
    frame(axes)
    axes.axvspan(window.start - 0.5, window.stop + 0.5, color=SHADE, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=1, linestyle=(0, (3, 3)), zorder=2.5)
    return axes


def _titled(axes: Axes, title: str) -> Axes:
    axes.set_title(title, loc="left", fontsize=TEXT, fontweight="bold", parse_math=False)
    return axes


def _span(*values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    known = np.concatenate(values)
    known = known[np.isfinite(known)]
    return float(known.min(initial=0.0)), float(known.max(initial=0.0))


def _of() -> str:
    return f" of {words().what}" if words().what else ""


def _full(value: float) -> str:
    return f"±{percent(value, sign=False)}"
