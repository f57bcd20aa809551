"""The path of each CAR as a small picture, for the rows of the table of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from ...utility.numbers import count, day, percent
from .event_path import since
from .svg_canvas import Panel, Scale, number

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy
    from ...utility.typing import FloatArray, IntArray

WIDTH, HEIGHT = 72, 44
# A row of the table has 3 kB.
MOST_POINTS = 60
# Share of the paths that the scale must hold; those that go further are cut.
PATHS_SHOWN, FEW_PATHS = 0.9, 10
COLORS = ("b", "o", "i")


@dataclass(frozen=True, slots=True)
class Sparks:
    """The pictures of events by their row and of groups by name, what the head says, and a note."""

    events: Mapping[int, Markup]
    means: Mapping[str, Markup]
    head: str
    note: str


def sparks(
    results: FittedStudy, samples: Mapping[str, FittedStudy], styles: Sequence[int]
) -> Sparks:
    """Return the CAR from the first day up to each, all on one scale; nothing if there is one day
    only.

    `samples` are the groups with a mean in their order, `styles` the place among them of each
    event's. As in the figures no day is extended beyond a price limit.
    """
    a = results.abnormal
    if len(a.event) < 2:
        return Sparks({}, {}, "", "")
    shown = _thinned(a.event.days)
    paths = {int(i): since(a, a.event.start)[0][i] for i in np.flatnonzero(results.ok)}
    furthest = np.array([np.nanmax(np.abs(path), initial=0.0) for path in paths.values()])
    share = PATHS_SHOWN if len(furthest) > FEW_PATHS else 1.0
    reach = max(float(np.quantile(furthest, share)), 1e-4)
    days = a.event.days
    panel = Panel(
        Scale(float(days[0]), float(days[-1]), 2, WIDTH - 2), Scale(-reach, reach, HEIGHT - 2, 2)
    )
    means = {
        name: _drawn(panel, days, part.abnormal.caar, shown, i)
        for i, (name, part) in enumerate(samples.items())
    }
    drawn = {i: _drawn(panel, days, path, shown, styles[i]) for i, path in paths.items()}
    ends = f"{day(int(days[0]))} to {day(int(days[-1]))}"
    cut = int((furthest > reach).sum())
    note = f"Path: CAR from day {day(int(days[0]))} up to each day, all on one scale of ±"
    note += f"{percent(reach, sign=False)}; upright line: day 0."
    note += f" {count(cut, 'path')} {'goes' if cut == 1 else 'go'} beyond it." if cut else ""
    return Sparks(drawn, means, ends, note)


def _thinned(days: IntArray) -> IntArray:
    """Return the positions of at most so many days, the first and the last among them."""
    at = np.linspace(0, len(days) - 1, min(len(days), MOST_POINTS))
    return np.unique(at.round().astype(np.int64))


def _drawn(panel: Panel, days: IntArray, path: FloatArray, shown: IntArray, style: int) -> Markup:
    """Return one path with what it says in words; what goes beyond the scale lies outside of the
    picture."""
    known = np.flatnonzero(np.isfinite(path))
    if not known.size:
        return Markup("")
    line = panel.line(days[shown], path[shown], f"s{COLORS[min(style, 2)]}")
    post = f"M{panel.x(0)} 2V{HEIGHT - 2}" if days[0] < 0 < days[-1] else ""
    middle = number(HEIGHT / 2)
    axes = f'<path d="M2 {middle}H{WIDTH - 2}{post}"/>'
    said = _said(days, path, int(known[-1]))
    return Markup(  # noqa: S704 - numbers only
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}"><title>{said}</title>{axes}{line}</svg>'
    )


def _said(days: IntArray, path: FloatArray, last: int) -> str:
    """Say where the path stands before day 0 and at its end."""
    before = np.flatnonzero(days == -1)
    end = f"{percent(path[last])} by day {day(int(days[last]))}"
    if not (before.size and np.isfinite(path[before[0]]) and before[0] < last):
        return f"Path: {end}"
    return f"Path: {percent(path[before[0]])} by day {day(-1)}, {end}"
