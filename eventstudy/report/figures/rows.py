"""Rows of a dot and its interval: what could change the answer, and each of a few events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ...analysis.interval import Interval
from ...utility.catalogue import say
from .svg_canvas import Panel, Scale, number, picture, return_scale, text, text_width

# Shares of an axis: how far an interval may go on beyond the inner ones before it is cut.
CUT = 1.5
LINE, HEAD = 19.5, 22.0
# Pixels from tick to tick at least.
APART = 38.0
# A diamond about its middle.
DIAMOND = "m-6.5 0 6.5-6.5 6.5 6.5-6.5 6.5z"


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One row.

    Attributes
    ----------
    name : str
    effect : Interval
        Without an estimate it is a test alone.
    label : str
        At the right end.
    is_clear : bool
        Whether it is filled: p below 0.05.
    is_main : bool
    kind : str
        A hairline parts rows of different kinds.
    """

    name: str
    effect: Interval
    label: str
    is_clear: bool
    is_main: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Pixels: width, where marks begin and end, height of a row; the mark of the main row."""

    width: int
    start: float
    stop: float
    line: float
    kind: str
    has_diamond: bool = False


def draw_rows(
    rows: Sequence[MarkRow], layout: Layout, *, title: str, desc: str, head: str = ""
) -> Markup:
    """Return a row for each mark: name, dot with interval, label.

    Parameters
    ----------
    rows : sequence of MarkRow
    layout : Layout
    title, desc : str
        Name and description of the picture.
    head : str
        Above the labels; with it the axis stands above the rows.
    """
    top = HEAD if head else 4.0
    foot = top + layout.line * len(rows)
    x = _axis(rows, layout)
    panel = Panel(x, Scale(0, len(rows), top, foot))
    ticks = x.ticks(max(3, int((layout.stop - layout.start) / APART)))
    posts = [panel.post(at, "z" if not round(at, 12) else "g") for at, _ in ticks]
    y = HEAD - 8 if head else foot + 16
    names = [text(x(at), y, label, "m c") for at, label in ticks]
    marks = [*_shades(rows, panel, layout), *posts, *names, text(layout.width - 2, y, head, "m e")]
    for at, row in enumerate(rows):
        marks += _row(row, panel, at + 0.5, layout)
    height = int(foot + (4 if head else 22))
    return picture(layout.width, height, marks, title=title, desc=desc, kind=layout.kind)


def _axis(rows: Sequence[MarkRow], layout: Layout) -> Scale:
    """Return the scale that holds all estimates, and intervals that are not far wider."""
    ends = np.array([[r.effect.estimate, r.effect.ci_low, r.effect.ci_high] for r in rows])
    estimates, half = ends[:, 0], np.abs(ends[:, 2] - ends[:, 0])
    if not np.isfinite(estimates).any():
        return return_scale([np.array([-0.01, 0.01])], 6, layout.stop, layout.start)
    usual = CUT * np.nanmedian(half) if np.isfinite(half).any() else 0.0
    reach = np.fmin(half, max(usual, 0.0)) if usual else half
    drawn = [estimates, estimates - reach, estimates + reach]
    return return_scale(drawn, 5, layout.stop, layout.start)


def _shades(rows: Sequence[MarkRow], panel: Panel, layout: Layout) -> Iterator[str]:
    """Yield the ground of the main row, and hairlines between rows of different kinds."""
    for at, row in enumerate(rows):
        if at and row.kind != rows[at - 1].kind:
            yield f'<path class="g" d="M0 {number(panel.y(at))}H{layout.width}"/>'
        if row.is_main and len(rows) > 1:
            size = f'width="{layout.width}" height="{number(layout.line - 1)}"'
            yield f'<rect class="win" x="0" y="{number(panel.y(at))}" {size}/>'


def _row(row: MarkRow, panel: Panel, at: float, layout: Layout) -> Iterator[str]:
    y, x, main = panel.y(at), panel.x, " s" * row.is_main
    name = _fitted(row.name, layout.start - 12, is_bold=row.is_main)
    yield text(4, y + 4, name, f"halo{main}")
    strong = " s" if row.is_clear or row.is_main else " m"
    yield text(layout.width - 2, y + 4, row.label, f"e{strong}")
    effect = row.effect
    if not np.isfinite(effect.estimate):
        yield text(x(0) - 8, y + 4, say("checks.test_only"), "m e small")
        return
    kinds = ("b", "check full") if row.is_clear else ("whisker", "check")
    ends = [effect.ci_low, effect.ci_high]
    low, high = (min(max(end, x.low), x.high) for end in ends)
    if np.isfinite(low + high):
        yield panel.line(np.array([low, high]), np.full(2, at), kinds[0])
        for end, side, is_cut in ((x.start, 1, ends[0] < x.low), (x.stop, -1, ends[1] > x.high)):
            if is_cut:
                tip = f"M{number(end + 6 * side)} {number(y - 4)}L{number(end)} {number(y)}"
                yield f'<path class="{kinds[0]}" d="{tip}l{6 * side} 4"/>'
    at_x = number(x(effect.estimate))
    if row.is_main and layout.has_diamond:
        yield f'<path class="mean" d="M{at_x} {number(y)}{DIAMOND}"/>'
    else:
        yield f'<circle class="{kinds[1]}" cx="{at_x}" cy="{number(y)}" r="4.2"/>'


def _fitted(label: str, width: float, *, is_bold: bool = False) -> str:
    """Return a label cut to what fits into some pixels."""
    if text_width(label, is_bold=is_bold) <= width:
        return label
    fits = (n for n in range(len(label), 0, -1) if text_width(label[:n] + "…") <= width)
    return label[: next(fits, 1)].rstrip(" ,(") + "…"


def checks_layout(names: Sequence[str], *, wide: bool) -> Layout:
    """Return the layout of the checks beside the answer.

    Parameters
    ----------
    names : sequence of str
        Of the rows.
    wide : bool
        Whether for a wide page.
    """
    width, most = (420, 254.0) if wide else (358, 204.0)
    longest = max((text_width(name, is_bold=not i) for i, name in enumerate(names)), default=0)
    start = min(longest + 18, most)
    return Layout(width, start, width - 56.0, LINE, "wide" if wide else "narrow")
