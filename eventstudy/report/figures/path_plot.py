"""The figure of the answer with matplotlib: the shares against what the market implied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...analysis.implied_path import BASE, ImpliedPath
from ...utility.catalogue import say
from ...utility.numbers import rough_percent
from .answer_figures import LEVELS, effect_of, place_number
from .svg_canvas import Panel, Scale, roomy, ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Opacity of the band and of the main window.
BAND, WINDOW = 0.14, 0.10


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
    ink, days, figure = axes.title.get_color(), path.days, cast("Figure", axes.figure)
    low, high = path.implied - path.half, path.implied + path.half
    scale = roomy([path.shares, path.implied, low, high], zero=False)
    axes.set(xlim=(days[0] - 0.5, days[-1] + 0.5), ylim=scale)
    axes.set_yticks(*zip(*ticks(*scale, LEVELS, lambda v, n: f"{v:.{n}f}"), strict=True))
    shade: Any = {"color": window} if window else {"color": ink, "alpha": WINDOW}
    axes.axvspan(max(path.base, days[0]), path.end, linewidth=0, zorder=0.4, **shade)
    fill: Any = {"color": band} if band else {"color": ink, "alpha": BAND}
    axes.fill_between(days, low, high, linewidth=0, zorder=0.6, label=say("figure.band"), **fill)
    axes.axhline(BASE, color=ink, linewidth=0.8, alpha=0.8, zorder=1)
    axes.plot(days, path.implied, color=ink, alpha=0.65, linestyle=(0, (4, 2.2)), linewidth=1.6,
              zorder=2, label=say("figure.implied"))  # fmt: skip
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
    if not (ends.size and np.isfinite(ends).all()):
        return
    middle, reach, name = ends.mean(), np.ptp(ends) / 2, rough_percent(effect_of(path))
    axes.errorbar([path.end], [middle], yerr=reach, color=axes.title.get_color(),
                  linewidth=1.8, capsize=4, capthick=1.8, zorder=4)  # fmt: skip
    x, y, _ = place_number(panel, path, 0.62 * size * len(name))
    offset = (x - panel.x(path.end), panel.y(middle) - y)
    around = withStroke(linewidth=5, foreground=axes.figure.get_facecolor())
    axes.annotate(name, (path.end, middle), offset, textcoords="offset points", fontsize=size,
                  fontweight="bold", zorder=5, path_effects=[around])  # fmt: skip
