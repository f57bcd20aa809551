"""Figures of what could change an answer, with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from ...analysis import Answer, Calibration, CarRegression, Influence, Interval, Power
from ...words import LEVEL, clipped, say, words
from .plots import Look, draw_point, ink, label_returns, name_rows, new_axes, shown_axes, titled
from .specification_curve import ROW, SpecificationCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY = "0.55"


def plot_influence(influence: Influence, ax: Axes | None = None) -> Axes:
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


def plot_answer(answer: Answer, ax: Axes | None = None) -> Axes:
    """Draw the effect and the plain average with their 95% intervals; filled where p < 0.05.

    Parameters
    ----------
    answer : Answer
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    average = answer.plain_average
    clear = 0.0 if average.ci_low * average.ci_high > 0 else 1.0
    rows = [(say("plot.effect"), answer.effect, answer.pvalue)]
    rows += [(say("checks.plain_average"), average, clear)]
    return titled(_forest(rows, ax), "plot.answer", n=answer.n_events)


def _forest(rows: list[tuple[str, Interval, float]], ax: Axes | None = None) -> Axes:
    """Draw named effects with their intervals below each other, the first one in ink."""
    axes = new_axes(ax, 1.5 + 0.4 * len(rows))
    for y, (_, effect, p) in enumerate(rows):
        color, marker = ("C0", "o") if y else (ink(axes), "D")
        half = effect.ci_high - effect.estimate
        draw_point(axes, y, effect.estimate, half, color, marker, is_filled=p < LEVEL)
    names = {y: name for y, (name, _, _) in enumerate(rows)}
    name_rows(axes, names, say("plot.effect_axis", axis=words().axis))
    return axes


def plot_coefficients(
    regressions: Mapping[str, CarRegression], ax: Axes | None = None, **look: Unpack[Look]
) -> Axes:  # fmt: skip
    """Draw the coefficients of regressions with their 95% intervals; filled where p < 0.05.

    The constant is left out. Those of several regressions stand below each other, with a legend.

    Parameters
    ----------
    regressions : mapping of str to CarRegression
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    **look : str or color
        `title`, and `color` of the first regression.
    """
    tables = [fit.table for fit in regressions.values()]
    labels = {row["term"]: _name_term(row) for t in tables for row in t.to_dict("records")}
    every = [term for table in tables for term in table["term"]]
    terms = [term for term in dict.fromkeys(every) if term != CarRegression.CONSTANT] or every[:1]
    axes = new_axes(ax, 1.5 + 0.28 * (len(terms) + len(every)))
    step = 0.7 / len(regressions)
    for k, (name, fit) in enumerate(regressions.items()):
        color = look.get("color", "C0") if k == 0 else f"C{k}"
        drawn = fit.table[fit.table["term"].isin(terms)]
        for row in drawn.to_dict("records"):
            y = terms.index(row["term"]) + step * (k - (len(regressions) - 1) / 2)
            b = row["step"] * row["estimate"]
            high = row["step"] * row["ci_high"]
            draw_point(axes, y, b, high - b, color, "o", is_filled=row["pvalue"] < LEVEL)
        axes.plot([], [], "o", color=color, label=clipped(name, 60))
    names = {y: clipped(labels[term], 40) for y, term in enumerate(terms)}
    name_rows(axes, names, say("plot.coefficient_axis"))
    if len(regressions) > 1:
        axes.legend(loc="best")
    window = next(iter(regressions.values())).window
    return titled(axes, "plot.coefficients", look, window=window)


def _name_term(row: Mapping[Any, Any]) -> str:
    label = row["label"] or say("regression.constant")
    return f"{label}, {row['per']}" if row["per"] else str(label)


def plot_specifications(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the effects of all specifications with their 95% intervals, by size.

    Parameters
    ----------
    table : DataFrame
        Of the specifications.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    curve = SpecificationCurve.of(table)
    if ax is None and curve.choices:
        ax = _draw_choices(curve)
    axes = new_axes(ax)
    half = (curve.high - curve.low) / 2
    xs = np.arange(len(curve.estimate))
    is_clear = curve.is_significant
    kinds = {"unclear": (~is_clear, GREY), "clear": (is_clear, "C0"), "main": (curve.is_main, "C1")}
    for code, (at, color) in kinds.items():
        marks: Any = {"color": color, "fmt": "o", "markersize": 4}
        label = say(f"figure.curve_key.{code}")
        axes.errorbar(xs[at], curve.estimate[at], half[at], label=label, **marks)
    axes.axhline(0, color=ink(axes), linewidth=1, zorder=1.5)
    axes.set_xticks([])
    label_returns(axes.yaxis, say("plot.effect_axis", axis=words().axis))
    axes.legend()
    return titled(axes, "plot.curve", n=len(half))


def _draw_choices(curve: SpecificationCurve) -> Axes:
    """Draw which specifications have each choice, a row each; return the axes above for a curve."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    (width, height) = rcParams["figure.figsize"]
    rows = ROW / 72 * len(curve.choices)
    figure = Figure((width, height + rows), layout="constrained")
    kind = {"axes_class": shown_axes()}
    above, axes = figure.subplots(2, sharex=True, height_ratios=(height, rows), subplot_kw=kind)
    for y, (_, _, has_choice) in enumerate(curve.choices):
        for is_drawn, color in ((~curve.is_significant, GREY), (curve.is_significant, "C0")):
            at = np.flatnonzero(has_choice & is_drawn)
            axes.plot(at, np.full(len(at), y), "|", color=color, markersize=8)
    names = [f"{name}: {clipped(value, 40)}" for name, value, _ in curve.choices]
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_xticks([])
    axes.set_ylim(len(names) - 0.5, -0.5)
    return above  # type: ignore[no-any-return]


def plot_power(numbers: Calibration | Power, ax: Axes | None = None) -> Axes:
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
    axes = new_axes(ax)
    table = numbers.table if isinstance(numbers, Power) else numbers.power
    effects, power = (table[name].to_numpy() for name in ("effect", "power"))
    axes.plot(effects, power, linewidth=2, marker="o", markersize=5, zorder=3)
    axes.axhline(Power.FOUND, color=GREY, linewidth=1, zorder=1.5)
    label_returns(axes.xaxis, say("plot.effect_axis", axis=words().axis))
    axes.set_ylim(0, 1.02)
    axes.set_ylabel(say("plot.power_axis"))
    if isinstance(numbers, Power):
        return titled(axes, "plot.power_closed")
    return titled(axes, "plot.power", n=numbers.draws)
