"""Figures of one event with matplotlib: methods of the results, which follow rcParams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from ...analysis.regressions import find_event
from ...errors import ConfigError
from ...findings.event_series import days_of, price_path
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


@in_its_words
def plot_price(
    results: FittedStudy, event_id: str, window: WindowLike | None = None, ax: Axes | None = None,
    **look: Unpack[Look],
) -> Axes:  # fmt: skip
    """Draw the close, and the close that the model expected with its 95% forecast interval.

    Parameters
    ----------
    results : FittedStudy
    event_id : str
    window : window, optional
        The expected path starts on the day before it; by default the main window.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    **look : str or color
        `title`, `color` and `label` of the close.

    Returns
    -------
    Axes

    Raises
    ------
    ConfigError
        For an unknown or dropped event, one without prices, and a study of another measure than
        returns.
    """
    main, row = window_of(results, window), find_event(results, event_id)
    path = price_path(results, row, main)
    if path is None:
        raise ConfigError("there is no price to draw", value=event_id)
    axes = shaded_axes(ax, main, zero=False)
    axes.fill_between(path.days, path.low, path.high, color=ink(axes), alpha=BAND, linewidth=0,
                      zorder=1, label=say("figure.band"))  # fmt: skip
    axes.plot(path.days, path.expected, color=ink(axes), alpha=0.65, linewidth=1.6,
              linestyle=(0, (4, 2.2)), zorder=3, label=say("figure.model"))  # fmt: skip
    axes.plot(path.days, path.actual, color=look.get("color", "C0"), linewidth=2, zorder=4,
              label=look.get("label", path.label))  # fmt: skip
    axes.set_ylabel(path.label)
    facts = {"event": name_events(results)[row], "label": path.label.lower()}
    return titled(name_days(axes), "plot.price", look, **facts)
