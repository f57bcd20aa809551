"""Figures of what could change an answer, with matplotlib."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ...analysis.answer import Answer
from ...analysis.calibration import Calibration
from ...analysis.influence import Influence
from ...analysis.interval import POWER, Interval, Power
from ...utility.catalogue import say
from ...utility.numbers import LEVEL, clipped
from .plots import (
    BLUE,
    GRID,
    INK,
    METADATA,
    MUTED,
    PALETTE,
    POINTS_PER_INCH,
    draw_point,
    draw_return_axis,
    framed,
    titled,
)
from .specification_curve import SpecificationCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_influence(influence: Influence, ax: Axes | None) -> Axes:
    """Draw the effect of all events, and without each of the sets that change p most.

    What has p below 0.05 is filled.

    Parameters
    ----------
    influence : Influence
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    nearest = influence.brief().leave_outs
    rows = [(say("caveat.main"), influence.effect, influence.pvalue)]
    rows += [(clipped(s, 60), s.effect, s.pvalue) for s in nearest]
    return titled(_forest(rows, ax), "plot.influence", window=influence.window)


def plot_answer(answer: Answer, ax: Axes | None) -> Axes:
    """Draw the effect and the plain average with their 95% intervals; filled where p < 0.05.

    Parameters
    ----------
    answer : Answer
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    average = answer.plain_average
    clear = 0.0 if average.ci_low * average.ci_high > 0 else 1.0
    rows = [
        (say("plot.effect"), answer.effect, answer.pvalue),
        (say("checks.plain_average"), average, clear),
    ]
    return titled(_forest(rows, ax), "plot.answer", n=answer.n_events)


def _forest(rows: list[tuple[str, Interval, float]], ax: Axes | None) -> Axes:
    """Draw named effects with their intervals below each other, the first one in ink."""
    axes = framed(ax, 90 + 30 * len(rows))
    for y, (_, effect, p) in enumerate(rows):
        color, marker = (BLUE, "o") if y else (INK, "D")
        half = effect.ci_high - effect.estimate
        draw_point(axes, y, effect.estimate, half, color, marker, is_filled=p < LEVEL)
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows], fontsize=12, parse_math=False)
    axes.set_ylim(len(rows) - 0.3, -0.8)
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    draw_return_axis(axes.xaxis, [np.array(axes.get_xlim())])
    return axes


def plot_specifications(curve: SpecificationCurve, ax: Axes | None = None) -> Axes:
    """Draw the effects of all specifications with their 95% intervals, by size.

    Parameters
    ----------
    curve : SpecificationCurve
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    axes, half = framed(ax, 360), (curve.high - curve.low) / 2
    for x, (main, filled) in enumerate(zip(curve.is_main, curve.is_significant, strict=True)):
        color = PALETTE[1][0] if main else BLUE if filled else MUTED
        axes.errorbar(x, curve.estimate[x], half[x], color=color, marker="o", markersize=4,
                      markerfacecolor=color if filled else "white", ecolor=GRID)  # fmt: skip
    axes.axhline(0, color=INK, linewidth=1, zorder=1)
    axes.set_xticks([])
    draw_return_axis(axes.yaxis, [curve.low, curve.high])
    return titled(axes, "plot.curve", n=len(half))


def plot_power(numbers: Calibration | Power, ax: Axes | None) -> Axes:
    """Draw how often the main test finds an effect: on other dates, or by the closed form.

    Parameters
    ----------
    numbers : Calibration or Power
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes
    """
    axes = framed(ax, 420)
    table = numbers.table if isinstance(numbers, Power) else numbers.power
    effects, power = (table[name].to_numpy() for name in ("effect", "power"))
    axes.plot(effects, power, color=BLUE, linewidth=2.25, marker="o", markersize=5, zorder=3)
    axes.axhline(POWER, color=MUTED, linewidth=1, zorder=1.5)
    draw_return_axis(axes.xaxis, [effects])
    axes.set_ylim(0, 1.02)
    if isinstance(numbers, Power):
        return titled(axes, "plot.power_closed")
    return titled(axes, "plot.power", n=numbers.draws)


def png_of(axes: Axes) -> bytes:
    """Return the figure of axes as the bytes of a PNG file."""
    file, figure = BytesIO(), cast("Any", axes.figure)
    figure.savefig(file, format="png", dpi=2 * POINTS_PER_INCH, metadata=METADATA["png"])
    return file.getvalue()
