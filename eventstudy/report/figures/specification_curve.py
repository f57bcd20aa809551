"""The specification curve: effects in order of size, and below it the choices of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from ...analysis import Specifications
from ...models import MODELS
from ...utility import BoolArray, FloatArray
from ...words import LEVEL, clipped, say
from .svg_canvas import WIDE, Panel, Scale, picture, return_scale, text, text_width

# Marks: a tick of the matrix, and the disc of the study itself.
TICK, DISC = "m0-5v10", "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0"
ROW = 17


@dataclass(frozen=True, eq=False, slots=True)
class SpecificationCurve:
    """The n specifications that have a result, by size of the effect (decimal).

    Attributes
    ----------
    estimate, low, high : (n,) float array
    is_main, is_significant : (n,) bool array
    choices : tuple of (name, value, (n,) bool array)
        Which specifications have each choice that is varied.
    """

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    is_main: BoolArray
    is_significant: BoolArray
    choices: tuple[tuple[str, str, BoolArray], ...]

    @classmethod
    def of(cls, table: pd.DataFrame) -> SpecificationCurve:
        """Return the curve of a table of specifications."""
        decided = table[table["pvalue"].notna()]
        rows = decided.sort_values("estimate", kind="stable")
        low = rows["ci_low"].to_numpy()
        high = rows["ci_high"].to_numpy()
        is_main = rows["is_main"].to_numpy()
        is_significant = (rows["pvalue"] < LEVEL).to_numpy()
        choices = tuple(
            (name, _name_choice(name, value), (rows[name] == value).to_numpy())
            for name in Specifications.CHOICES
            for value in dict.fromkeys(decided[name])
            if len(set(decided[name])) > 1
        )
        return cls(rows["estimate"].to_numpy(), low, high, is_main, is_significant, choices)


def _name_choice(name: str, value: str) -> str:
    """Return one choice in words."""
    if name == "model" and value in MODELS:
        return MODELS[value].label
    return value or say("specifications.every_event")


def draw_curve(curve: SpecificationCurve, *, width: int, label: str) -> Markup:
    """Return the curve with its intervals above, the matrix of choices below.

    Parameters
    ----------
    curve : SpecificationCurve
    width : int
        WIDE or NARROW.
    label : str
        Name of the picture.
    """
    n = len(curve.estimate)
    wide = width == WIDE
    start, stop, foot, letters = (236.0, 985.0, 270, 30) if wide else (128.0, 354.0, 220, 16)
    xs = np.arange(n)
    axis = Scale(-0.5, n - 0.5, start, stop)
    top = Panel(axis, return_scale([curve.low, curve.high], 6, 13, foot))
    marks = [
        top.y_ticks(top.y.ticks(6)),
        top.whiskers(xs, curve.low, curve.high, "whisker"),
        top.rule(0, "z"),
        top.dots(xs, np.where(curve.is_significant, np.nan, curve.estimate), "cloud"),
        top.dots(xs, np.where(curve.is_significant, curve.estimate, np.nan), "b dot"),
        top.dots(xs[curve.is_main], curve.estimate[curve.is_main], "mark full", DISC),
    ]
    y, last = float(foot) + 8, ""
    for name, value, has_choice in curve.choices:
        if name != last:
            y, last = y + 24, name
            marks.append(text(2, y, name, "s"))
        y += ROW
        marks.append(text(start - 8, y + 4, clipped(value, letters), "m e"))
        grid = Panel(axis, Scale(0, 1, 0, 1))
        for is_drawn, kind in ((~curve.is_significant, "whisker"), (curve.is_significant, "b")):
            at = xs[has_choice & is_drawn]
            marks.append(grid.dots(at, np.full(len(at), y), kind, TICK))
    y += 30
    x = start if wide else 2.0
    key = (("mark full", DISC, "main"), ("b dot", "h0", "clear"), ("cloud", "h0", "unclear"))
    pixels = Scale(0.0, 1.0, 0.0, 1.0)
    for kind, shape, code in key:
        label_of = say(f"figure.curve_key.{code}")
        marks.append(Panel(pixels, pixels).dots(np.array([x + 5]), np.array([y - 4]), kind, shape))
        marks.append(text(x + 15, y, label_of, "small"))
        x += 15 + text_width(label_of, size=12.0) + 14
    desc = say("figure.curve_desc", n=n, significant=int(curve.is_significant.sum()))
    return picture(width, int(y) + 14, marks, title=label, desc=desc)
