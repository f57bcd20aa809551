"""A page to explore a run with: hover, a legend that hides and shows, a choice of windows; made by
Plotly."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from markupsafe import Markup

from ...analysis.caar_path import BAND_EVENTS
from ...calendars.window import Window
from ...errors import ConfigError, how_to_install
from ...utility.csv_text import BLANK
from ...utility.numbers import LEVEL, clipped, count, p_is, percent, span, window_text
from ...utility.units import WORDS, speaking_of
from ..content.finished_run import Finished
from ..html.templating import digest, environment, script, style

# Of the groups in their order; colours are variables of the page, told apart by colour-blind
# readers too.
COLORS = ("blue", "orange", "ink", "green", "sky", "ochre", "plum", "rose")
SYMBOLS = (
    "circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "star", "hourglass",
)  # fmt: skip


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
            "the interactive page needs a package that is not installed", value="plotly",
            remedy=how_to_install("interactive"),
        ) from None  # fmt: skip
    return str(get_plotlyjs())


def write_interactive(run: Finished, path: Path) -> None:
    """Write the page; its links lead to the report and tables of the run, from wherever it is."""
    page = interactive_page(run, _home(run, path))
    path.write_text(page, encoding="utf-8", newline="\n")


def _home(run: Finished, path: Path) -> str:
    """Return the address of the run folder as seen from a page; "" for a page within it."""
    if run.folder is None:
        return ""
    folder, here = run.folder.resolve(), path.parent.resolve()
    try:
        relative = Path(os.path.relpath(folder, here)).as_posix()
    except ValueError:
        # Another drive.
        return f"{folder.as_uri()}/"
    return "" if relative == "." else f"{quote(relative)}/"


def interactive_page(run: Finished, home: str = "") -> str:
    """Return the page: it holds all that it needs, and asks nothing of any network.

    `home` is the address of the run folder, with a slash behind it; "" for a page within it.

    The policy of the page lets in two scripts by their hashes; Plotly places its marks by inline
    styles, which are let in.
    """
    library, parts = (
        plotly_js(),
        {**style("report.css", "interactive.css"), **script("interactive.js")},
    )
    with speaking_of(run.measure):
        figures = {"paths": _paths(run), "forest": _forest(run)}
        context = {
            "name": run.document["name"],
            "answer": run.document["text"]["answer"],
            "windows": [window_text(w) for w in _windows(run)],
            "main": _windows(run).index(run.main),
            "axis": WORDS[run.measure].axis,
            "unit": "%" if WORDS[run.measure].unit == "%" else "",
            "one": int((run.events["status"] == "ok").sum()) == 1,
            "home": home,
            "paths_table": "path_by_group" if run.document["group_column"] else "path",
            "data": Markup(_inert(figures)),  # noqa: S704
            "library": Markup(library),  # noqa: S704
            "library_hash": digest(library),
        }
        return environment().get_template("interactive.html.j2").render(context, **parts) + "\n"


def _inert(figures: Mapping[str, Any]) -> str:
    """Return JSON that no cell can break out of, as it stands in a script element."""
    return json.dumps(figures, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _color(name: str) -> str:
    return f"var(--{name})"


def _said(text: object, length: int = 60) -> str:
    """Return a cell as Plotly shows it: what looks like markup is text; it does not know of
    quotes."""
    return escape(clipped(text, length), quote=False)


def _numbers(values: Any, scale: float) -> list[float | None]:
    return [round(float(v) * scale, 6) if np.isfinite(v) else None for v in values]


def _windows(run: Finished) -> list[Window]:
    pairs = run.tables["car"][["start", "stop"]].drop_duplicates()
    return [Window(int(a), int(b)) for a, b in pairs.itertuples(index=False)]


def _groups(run: Finished) -> dict[str, pd.Series[bool]]:
    """Return which events are in which group, that of the answer first; without groups all of
    them."""
    column, used = run.document["group_column"], run.events["status"] == "ok"
    if not column:
        return {"all events": used}
    values = run.events[column].where(run.events[column] != "", BLANK)
    names = [s["group"] for s in run.document["samples"] if s["group"]]
    return {name: used & (values == name) for name in names}


def _styled(run: Finished) -> Iterator[tuple[str, pd.Series[bool], str, str]]:
    """Return name, events, colour and symbol of each group; colours that come again have another
    symbol."""
    for i, (name, members) in enumerate(_groups(run).items()):
        lap, place = divmod(i, len(COLORS))
        yield name, members, COLORS[place], SYMBOLS[(place + lap) % len(SYMBOLS)]


def _paths(run: Finished) -> list[dict[str, Any]]:
    """Return the traces of the paths: the bands, the means, and the single events, hidden at
    first."""
    bands: list[dict[str, Any]] = []
    means: list[dict[str, Any]] = []
    singles: list[dict[str, Any]] = []
    scale = WORDS[run.measure].scale
    for i, (name, members, color, symbol) in enumerate(_styled(run)):
        path = _path(run, name)
        shared = {"legendgroup": f"g{i}", "x": path["tau"].tolist()}
        edge = {
            **shared,
            "mode": "lines",
            "line": {"width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        fill = {"fill": "tonexty", "fillcolor": f"{_color(color)}33"}
        bands += [
            {**edge, "y": _numbers(path["caar_low"], scale)},
            {**edge, **fill, "y": _numbers(path["caar_high"], scale)},
        ]
        means.append({
            **shared, "y": _numbers(path["caar"], scale),
            "name": _said(name) if members.sum() == 1 else f"{_said(name)} (mean of "
                f"{_between(path)})",
            "text": [_day_tip(row) for row in path.to_dict("records")],
            "hovertemplate": "%{text}<extra></extra>", "mode": "lines+markers",
            "line": {"color": _color(color), "width": 2.25},
            "marker": {"symbol": symbol, "size": 6},
        })  # fmt: skip
        singles.append({
            **_single_paths(run, members, scale), "name": f"{_said(name)}: single events",
            "line": {"color": f"{_color(color)}77", "width": 1},
        })  # fmt: skip
    return [*bands, *means, *singles]


def _path(run: Finished, group: str) -> pd.DataFrame:
    """Return the path of a group, without intervals where few events enter, as on the page."""
    column, table = run.document["group_column"], run.tables["path"]
    if column:
        table = run.tables["path_by_group"]
        table = table[table[table.columns[0]] == group]
    if not column and (run.events["status"] == "ok").sum() == 1:
        return table
    ends = ["caar_low", "caar_high"]
    return table.assign(
        **{end: table[end].where(table["n_complete"] >= BAND_EVENTS) for end in ends}
    )


def _between(path: pd.DataFrame) -> str:
    """Return how many events enter the means of a path, the fewest and the most."""
    fewest, most = (f"{n:,}" for n in (path["n_complete"].min(), path["n_complete"].max()))
    return most if fewest == most else f"{fewest} to {most}"


def _day_tip(row: Mapping[Any, Any]) -> str:
    text = f"Day {row['tau']}: AAR {percent(row['aar'])}, CAAR {percent(row['caar'])}"
    if np.isfinite(row["caar_low"]):
        text += f"<br>95% CI {span(row['caar_low'], row['caar_high'])}"
    return f"{text}<br>{count(row['n_complete'], 'event')}"


def _single_paths(run: Finished, members: pd.Series[bool], scale: float) -> dict[str, Any]:
    """Return the paths of single events as one line with gaps between them."""
    names = _names(run)
    table = run.tables["abnormal_returns"]
    own = table[table["event_id"].isin(run.events.loc[members, "event_id"])]
    x: list[int | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for event, part in own.groupby("event_id", sort=False):
        car = part["ar"].cumsum(skipna=False)
        x += [*part["tau"].tolist(), None]
        y += [*_numbers(car, scale), None]
        text += [
            f"{names[str(event)]}<br>day {t}: CAR {percent(c)}"
            for t, c in zip(part["tau"], car, strict=True)
        ]
        text.append("")
    return {
        "x": x, "y": y, "text": text, "mode": "lines", "visible": "legendonly",
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip


def _names(run: Finished) -> dict[str, str]:
    """Return what an event is called, by its id: company and session."""
    companies = run.events["company"] if "company" in run.events else run.events["ticker"]
    named = companies.where(companies.str.strip() != "", run.events["ticker"])
    days = run.events["day0"].dt.strftime("%Y-%m-%d").fillna("")
    return {
        e: f"{_said(n, 40)} {d}"
        for e, n, d in zip(run.events["event_id"], named, days, strict=True)
    }


def _forest(run: Finished) -> list[dict[str, Any]]:
    """Return, for each window, the names of the events by CAR, and of each group its key and its
    marks."""
    return [_forest_over(run, window) for window in _windows(run)]


def _forest_over(run: Finished, window: Window) -> dict[str, Any]:
    car, scale = run.tables["car"], WORDS[run.measure].scale
    rows = car[(car["start"] == window.start) & (car["stop"] == window.stop) & car["car"].notna()]
    rows = rows.sort_values("car", kind="stable").reset_index(drop=True)
    names = _names(run)
    labels = [names[e] for e in rows["event_id"]]
    tips = [
        f"{label}<br>CAR {percent(r['car'])} (95% CI {span(r['ci_low'], r['ci_high'])})<br>"
        f"{p_is(r['pvalue'])}"
        for label, r in zip(labels, rows.to_dict("records"), strict=True)
    ]
    traces: list[dict[str, Any]] = []
    for i, (name, members, color, symbol) in enumerate(_styled(run)):
        own = rows["event_id"].isin(run.events.loc[members, "event_id"]).to_numpy()
        part = rows[own]
        shared = {"legendgroup": f"g{i}", "name": _said(name), "mode": "markers"}
        # Plotly's key is the first mark of a trace, whose filling would speak of that event's p.
        key = {"symbol": symbol, "size": 8, "color": _color(color)}
        traces.append({**shared, "x": [None], "y": [None], "marker": key})
        traces.append({
            **shared, "showlegend": False, "x": _numbers(part["car"], scale),
            "y": part.index.tolist(), "text": [t for t, o in zip(tips, own, strict=True) if o],
            "hovertemplate": "%{text}<extra></extra>",
            "error_x": {
                "type": "data", "array": _numbers(part["ci_high"] - part["car"], scale),
                "thickness": 1.5,
                "width": 0, "color": _color(color),
            },
            "marker": {
                "symbol": [symbol if p < LEVEL else f"{symbol}-open" for p in part["pvalue"]],
                "size": 8,
                "color": _color(color),
            },
        })  # fmt: skip
    return {"labels": labels, "traces": traces}
