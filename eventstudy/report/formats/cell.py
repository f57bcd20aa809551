"""The answer as a notebook shows it: two sentences, the path beside five windows, details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from markupsafe import Markup

from ...findings import Findings
from ...words import say, speaking_of, words
from ..figures.answer_figures import draw_implied
from ..figures.svg_canvas import NARROW
from ..page.first_screen import FirstScreen, first_screen
from ..page.folds import list_folds
from ..sentences.answer import compare_spread
from ..tables.checks import count_other_verdicts
from ..tables.columns import EFFECT, NAME, PVALUE, Column, Kind
from ..tables.table import Table, make_table
from ..tables.windows import find_role, windows_table
from .templating import environment, read_template

# Folded parts of the page that a cell has as well.
FOLDS = ("announcements", "data")
# Windows shown beside the path: that of the answer, so many around day 0, one before, one after.
NEAR = 2
# Announcements above which a cell leaves their table to the report.
MOST_EVENTS = 50
# How notebooks say that their theme is dark or light, whatever the system says.
DARK = '[data-jp-theme-light="false"] .eventstudy,.vscode-dark .eventstudy'
LIGHT = '[data-jp-theme-light="true"] .eventstudy,.vscode-light .eventstudy'


def render_cell(findings: Findings, notes: Sequence[str] = ()) -> str:
    """Return the answer as HTML for the output of a notebook cell.

    Parameters
    ----------
    findings : Findings
    notes : sequence of str
        What was read otherwise than it is written.

    Returns
    -------
    str
        At most 920 pixels wide; without a script, and with a style of its own class.
    """
    with speaking_of(findings.setup.measure):
        first, answer = first_screen(findings), findings.sample.answer
        left_out = {"announcements"} if findings.setup.n_used > MOST_EVENTS else set()
        folds = [f for f in list_folds(findings) if f.code in FOLDS and f.code not in left_out]
        near = _near_windows(findings) if first.chart else None
        return environment().get_template("cell.html.j2").render(
            first=first, path=_path(first), windows=near,
            two_ways=compare_spread(answer), folds=folds, notes=[*notes], foot=_foot(first),
            css=_style(), words=words(),
        )  # fmt: skip


def _path(first: FirstScreen) -> Markup | None:
    chart = first.chart
    if chart is None:
        return None
    return draw_implied(
        chart.path, width=NARROW, title=chart.title, who=chart.who, is_early=chart.is_early,
        is_late=chart.is_late,
    )  # fmt: skip


def _near_windows(findings: Findings) -> Table:
    """Return the windows beside the path in their order."""
    rows = windows_table(findings).blocks[0].rows
    shown, room = [], {"main": 1, "": NEAR, "leakage": 1, "drift": 1}
    for row, finding in zip(rows, findings.sample.windows, strict=True):
        role = find_role(finding.window, findings.setup.main)
        if room[role]:
            shown.append(replace(row, remark=""))
            room[role] -= 1
    interval = Column("interval", Kind.INTERVAL)
    return make_table("cell.windows", (NAME, EFFECT, interval, PVALUE), shown)


def _foot(first: FirstScreen) -> str:
    """Return indices, last day of the prices, and in how many checks the verdict holds."""
    counts = count_other_verdicts(first.checks)
    held = say("cell.holds", k=counts["n"] - counts["k"], n=counts["n"]) if counts["n"] else ""
    return " · ".join(filter(None, [first.as_of, held]))


@cache
def _style() -> Markup:
    """Return the style of a cell: colours and lines of the page, for one class alone."""
    page = read_template("answer.css").splitlines()
    light = page[0].removeprefix(":root{").split("color-scheme")[0]
    dark = page[1].partition(":root{")[2].removesuffix("}}")
    rules = [f".eventstudy{{{light}}}"]
    rules.append(f"@media screen and (prefers-color-scheme:dark){{.eventstudy{{{dark}}}}}")
    rules += [f"{DARK}{{{dark}}}", f"{LIGHT}{{{light}}}", read_template("cell.css")]
    lines = [line for line in page if line.startswith("svg.own")]
    rules += [line.replace("svg.own", ".eventstudy svg.own") for line in lines]
    return Markup("\n".join(rules))  # noqa: S704
