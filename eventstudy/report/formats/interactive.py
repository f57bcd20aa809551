"""The page to explore a run with, made by Plotly: hover, a legend, a choice of windows."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from ...analysis.caar_path import Path95
from ...calendars.window import Window
from ...errors import ConfigError, how_to_install
from ...findings.types import Event, EventCar, Findings, Sample
from ...utility.catalogue import say
from ...utility.csv_text import BLANK
from ...utility.numbers import LEVEL, clipped, span, window_text
from ...utility.units import speaking_of, words
from ..sections.answer import answer
from .templating import digest, environment, script, style

# Of the groups in their order; colours are variables of the page, told apart by colour-blind
# readers too.
COLORS = ("blue", "orange", "ink", "green", "sky", "ochre", "plum", "rose")
SYMBOLS = (
    "circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "star", "hourglass",
)  # fmt: skip
LONGEST_GROUP, LONGEST_NAME = 60, 40


@dataclass(frozen=True)
class Group:
    """A sample with its used events, and how its marks look; names are as Plotly shows them."""

    place: int
    name: str
    sample: Sample
    events: Sequence[Event]

    @property
    def color(self) -> str:
        """The variable of the page that has the colour."""
        return f"var(--{COLORS[self.place % len(COLORS)]})"

    @property
    def symbol(self) -> str:
        """The mark; colours that come again have another one."""
        lap, place = divmod(self.place, len(COLORS))
        return SYMBOLS[(place + lap) % len(SYMBOLS)]

    @property
    def shared(self) -> dict[str, Any]:
        """What all traces of the group have."""
        return {"legendgroup": f"g{self.place}"}


def plotly_js() -> str:
    """Return the script of Plotly.

    Raises
    ------
    ConfigError
        If the extra ``interactive`` is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise ConfigError(
            "the interactive page needs the package plotly, which is not installed",
            remedy=how_to_install("interactive"),
        ) from None
    return str(get_plotlyjs())


def home_of(run: Path | None, folder: Path) -> str:
    """Return the address of a run as seen from a page in a folder, with a slash behind it.

    Parameters
    ----------
    run : Path, optional
    folder : Path
        Of the page; in the run itself, and without a run, the address is "".
    """
    if run is None:
        return ""
    try:
        relative = Path(os.path.relpath(run.resolve(), folder.resolve())).as_posix()
    except ValueError:
        # Another drive.
        return f"{run.resolve().as_uri()}/"
    return "" if relative == "." else f"{quote(relative)}/"


def interactive_page(findings: Findings, home: str = "") -> str:
    """Return the page: it holds all that it needs, and asks nothing of any network.

    Parameters
    ----------
    findings : Findings
    home : str
        Address of the run folder, with a slash behind it; "" for a page within it.

    Notes
    -----
    The policy of the page lets in two scripts by their hashes; Plotly places its marks by inline
    styles, which are let in.
    """
    setup, library = findings.setup, plotly_js()
    with speaking_of(setup.measure):
        groups = _groups(findings)
        figures = {
            "paths": _paths(groups, split=bool(setup.group_column)),
            "forest": [_forest(groups, window) for window in setup.tested],
        }
        context = {
            "name": findings.name,
            "answer": str(answer(findings)),
            "windows": [window_text(w) for w in setup.tested],
            "main": setup.tested.index(setup.main),
            "axis": words().axis,
            "unit": "%" if words().unit == "%" else "",
            "one": setup.n_used == 1,
            "home": home,
            "paths_table": "path_by_group" if setup.group_column else "path",
            "data": Markup(_inert(figures)),  # noqa: S704
            "library": Markup(library),  # noqa: S704
            "library_hash": digest(library),
            **style("report.css", "interactive.css"),
            **script("interactive.js"),
        }
        return environment().get_template("interactive.html.j2").render(context) + "\n"


def _inert(figures: Mapping[str, Any]) -> str:
    """Return JSON that no cell can break out of, as it stands in a script element."""
    return json.dumps(figures, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _text(cell: object, length: int = LONGEST_GROUP) -> str:
    """Return a cell as Plotly shows it: markup is text; it does not know of quotes."""
    return escape(clipped(cell, length), quote=False)


def _name(event: Event) -> str:
    """Return company and session of an event."""
    return f"{_text(event.name, LONGEST_NAME)} {event.day0}"


def _numbers(values: Any) -> list[float | None]:
    scale = words().scale
    return [round(float(v) * scale, 6) if np.isfinite(v) else None for v in values]


def _groups(findings: Findings) -> list[Group]:
    """Return the groups with their listed events, that of the answer first; else all events."""
    column = findings.setup.group_column
    if not column:
        return [Group(0, say("interactive.all"), findings.pooled, findings.used)]
    return [
        Group(
            i, _text(sample.group), sample,
            [e for e in findings.used if (e.cells[column] or BLANK) == sample.group],
        )
        for i, sample in enumerate(findings.groups)
    ]  # fmt: skip


def _paths(groups: list[Group], *, split: bool) -> list[dict[str, Any]]:
    """Return the bands, the means, and the single events, which are hidden at first."""
    bands: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    for group in groups:
        if group.sample.path is not None:
            path = group.sample.path.beside_others() if split else group.sample.path
            bands += _band(group, path)
            means.append(_mean(group, path))
    return [*bands, *means, *map(_single_paths, groups)]


def _band(group: Group, path: Path95) -> list[dict[str, Any]]:
    edge = {
        **group.shared, "x": path.days.tolist(), "mode": "lines", "line": {"width": 0},
        "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    fill = {"fill": "tonexty", "fillcolor": f"{group.color}33"}
    return [
        {**edge, "y": _numbers(path.caar - path.caar_half)},
        {**edge, **fill, "y": _numbers(path.caar + path.caar_half)},
    ]


def _mean(group: Group, path: Path95) -> dict[str, Any]:
    fewest, largest = int(path.counts.min()), int(path.counts.max())
    code = "one" if group.sample.n_used == 1 else "mean" if fewest == largest else "mean_of_some"
    return {
        **group.shared, "x": path.days.tolist(), "y": _numbers(path.caar),
        "name": say(f"interactive.{code}", name=group.name, fewest=fewest, most=largest),
        "text": [_day_tip(path, i) for i in range(len(path.days))],
        "hovertemplate": "%{text}<extra></extra>", "mode": "lines+markers",
        "line": {"color": group.color, "width": 2.25},
        "marker": {"symbol": group.symbol, "size": 6},
    }  # fmt: skip


def _day_tip(path: Path95, i: int) -> str:
    caar, half = path.caar[i], path.caar_half[i]
    facts = {"day": int(path.days[i]), "aar": path.aar[i], "caar": caar, "n": int(path.counts[i])}
    if not np.isfinite(half):
        return say("interactive.day", **facts)
    return say("interactive.day_with_interval", interval=span(caar - half, caar + half), **facts)


def _single_paths(group: Group) -> dict[str, Any]:
    """Return the paths of single events as one line with gaps between them."""
    days = group.sample.path.days.tolist() if group.sample.path else []
    tips: list[str] = []
    for e in group.events:
        points = zip(days, e.path, strict=True)
        tips += [say("interactive.single_day", name=_name(e), day=t, car=c) for t, c in points]
        tips.append("")
    return {
        "x": [*days, None] * len(group.events),
        "y": [y for e in group.events for y in (*_numbers(e.path), None)],
        "text": tips, "mode": "lines", "visible": "legendonly",
        "hovertemplate": "%{text}<extra></extra>",
        "name": say("interactive.single", name=group.name),
        "line": {"color": f"{group.color}77", "width": 1},
    }  # fmt: skip


def _forest(groups: list[Group], window: Window) -> dict[str, Any]:
    """Return the names of the events by CAR, and of each group its key and its marks."""
    rows = [(group, e, e.car(window)) for group in groups for e in group.events]
    rows = sorted((row for row in rows if np.isfinite(row[2].car)), key=lambda row: row[2].car)
    traces: list[dict[str, Any]] = []
    for group in groups:
        marks = [(i, e, car) for i, (owner, e, car) in enumerate(rows) if owner is group]
        shared = {**group.shared, "name": group.name, "mode": "markers"}
        # Plotly's key is the first mark of a trace, whose filling would speak of that event's p.
        key = {"symbol": group.symbol, "size": 8, "color": group.color}
        traces.append({**shared, "x": [None], "y": [None], "marker": key})
        traces.append({**shared, "showlegend": False, **_marks(group, marks)})
    return {"labels": [_name(event) for _, event, _ in rows], "traces": traces}


def _marks(group: Group, marks: list[tuple[int, Event, EventCar]]) -> dict[str, Any]:
    cars = [car for _, _, car in marks]
    return {
        "x": _numbers(c.car for c in cars), "y": [i for i, _, _ in marks],
        "text": [_event_tip(event, car) for _, event, car in marks],
        "hovertemplate": "%{text}<extra></extra>",
        "error_x": {
            "type": "data", "array": _numbers(c.half for c in cars), "thickness": 1.5,
            "width": 0, "color": group.color,
        },
        "marker": {
            "symbol": [f"{group.symbol}{'-open' * (not c.pvalue < LEVEL)}" for c in cars],
            "size": 8, "color": group.color,
        },
    }  # fmt: skip


def _event_tip(event: Event, car: EventCar) -> str:
    interval = span(car.car - car.half, car.car + car.half)
    return say("interactive.event", name=_name(event), car=car.car, interval=interval, p=car.pvalue)
