"""The figure of one event with matplotlib: a method of the results, which follows rcParams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ...analysis.regressions import find_event
from ...findings.event_series import days_of
from ...utility.catalogue import say
from ...utility.units import in_its_words, words
from .path_plot import BAND
from .plots import (
    Look,
    ink,
    label_returns,
    name_days,
    name_events,
    shaded_axes,
    titled,
    window_of,
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...fitting.fitted import FittedStudy, WindowLike


@in_its_words
def plot_event(
    results: FittedStudy, event_id: str, window: WindowLike | None = None, ax: Axes | None = None,
    **look: Unpack[Look],
) -> Axes:  # fmt: skip
    """Draw AR as bars and CAR as a line, over the 95% range of the CAR without an event.

    Parameters
    ----------
    results : FittedStudy
    event_id : str
    window : window, optional
        Shaded; by default the main window.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    **look : str or color
        `title`, `color` and `label` of the CAR.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        For an unknown or dropped event.
    """
    row, main = find_event(results, event_id), window_of(results, window)
    event, axes, color = days_of(results, row), shaded_axes(ax, main), look.get("color", "C0")
    half = event.car_half
    axes.fill_between(event.days, -half, half, color=ink(axes), alpha=BAND, linewidth=0, zorder=0.8,
                      label=say("plot.range"))  # fmt: skip
    axes.bar(event.days, event.ar, width=0.66, color=color, alpha=0.35, zorder=2, label="AR")
    axes.plot(event.days, event.car, color=color, linewidth=2, marker="o", markersize=5, zorder=3,
              label=look.get("label", "CAR"))  # fmt: skip
    label_returns(axes.yaxis, say("plot.abnormal", axis=words().axis))
    car = float(results.abnormal.car(main)[row])
    facts = {"event": name_events(results)[row], "window": main, "car": car}
    return titled(name_days(axes), "plot.event", look, **facts)
