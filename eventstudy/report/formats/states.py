"""The page over all runs of a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from ...words import clipped, say, words
from ..figures.svg_canvas import Panel, Scale, picture
from ..tables.methods import settings_text
from .templating import environment, style

# Letters of the settings of a run.
LONGEST = 160


def draw_states(folder: str, runs: Sequence[Any], foreign: Sequence[tuple[str, str]]) -> str:
    """Return the page over some runs, in their order; equal runs give equal bytes.

    Parameters
    ----------
    folder : str
        What they are in.
    runs : sequence
        Rows with what the template prints, and with ``measure``, ``path`` ((m, 4): event day, CAAR,
        ends of its interval), ``several`` (whether that is a mean of several events), ``setup``
        (the settings shown) and ``study`` (what tells it from others of the same name).
    foreign : sequence of (str, str)
        Folders that are no runs, and why.
    """
    reach = _reaches(runs)
    rows = []
    for run in runs:
        setup = clipped(settings_text(run.setup), LONGEST)
        rows.append((run, _spark(run, reach), _differences(run, runs), setup))
    template = environment().get_template("index.html.j2")
    facts = {"folder": folder, "runs": rows, "others": foreign, "note": _note(runs, reach)}
    return template.render(facts, **style("index.css")) + "\n"


def _spark(run: Any, reach: Mapping[str, float]) -> Markup | str:
    """Return the path as a small picture; a mean of several on the scale of its measure."""
    days, caar, low, high = run.path.T
    if len(days) < 2 or np.ptp(days) == 0:
        return ""
    height = (reach[run.measure] if run.several else _reach(run)) or 0.01
    panel = Panel(Scale(days.min(), days.max(), 3, 147), Scale(-height, height, 45, 3))
    name = f"{run.name}: CAAR from day {words().day(int(days[0]))} to {words().day(int(days[-1]))}"
    zero = panel.post(0, "z") if days[0] <= 0 <= days[-1] else ""
    last = np.where(np.arange(len(days)) == len(days) - 1, caar, np.nan)
    elements = (
        panel.band(days, low, high, "band"), panel.rule(0, "g"), zero, panel.line(days, caar, "b"),
        panel.dots(days, last, "b dot"),
    )  # fmt: skip
    return Markup(picture(150, 48, elements, title=name, desc="Line with band.", kind="spark"))  # noqa: S704


def _differences(run: Any, runs: Sequence[Any]) -> str:
    """Return what tells a run from others of events, or of a name, as its own; "" for nothing."""
    family = [r.study for r in runs if {*r.study["family"]} & {*run.study["family"]}]
    study = {
        k: v for k, v in run.study.items() if any(f.get(k) != v and (k in f or v) for f in family)
    }
    study.pop("family", None)
    return clipped(settings_text({k: v or say("index.default") for k, v in study.items()}), LONGEST)


def _reach(run: Any) -> float:
    """Return the largest distance of the path or its band from zero."""
    return float(np.nanmax(np.abs(run.path[:, 1:]), initial=0.0))


def _reaches(runs: Sequence[Any]) -> dict[str, float]:
    """Return, by measure, the largest distance from zero of the paths that are means."""
    rows: dict[str, float] = {}
    for run in runs:
        if run.several and run.path.size:
            rows[run.measure] = max(rows.get(run.measure, 0.0), _reach(run))
    return rows


def _note(runs: Sequence[Any], reach: Mapping[str, float]) -> str:
    """Return what the small paths show, and which scale those of each measure share."""
    drawn = [run for run in runs if run.path.size]
    scales = {name: words(name).within(largest) for name, largest in reach.items() if largest}
    notes = [say("index.paths")] * bool(drawn)
    if len(scales) == 1:
        notes += [say("index.one_scale", scale=scale) for scale in scales.values()]
    elif scales:
        each = [f"{words(name).what or 'returns'} {scale}" for name, scale in scales.items()]
        notes.append(say("index.scales", scales=each))
    notes += [say("index.single")] * any(not run.several for run in drawn)
    return " ".join(notes)
