"""Reports as HTML, Markdown, PDF, pages of events, the cell of a notebook, the index of runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from ...errors import ConfigError
from ...findings import Findings
from ...utility import step
from ...words import clipped, say, speaking_of, words
from ..figures.answer_figures import draw_implied
from ..figures.strip import MarkRow, checks_layout, draw_rows, draw_strip, strip_height
from ..figures.svg_canvas import NARROW, WIDE, Panel, Scale, pair, picture
from ..page.event_page import render_context
from ..page.first_screen import FirstScreen, first_screen, title_of
from ..page.folds import IN_NUMBERS, list_folds, list_sections
from ..sentences.answer import compare_spread
from ..tables.checks import Check, checks_table
from ..tables.columns import EFFECT, NAME, PVALUE, Column, Kind
from ..tables.events import in_order
from ..tables.methods import settings_text
from ..tables.table import Table, make_table
from ..tables.windows import find_role, windows_table
from .templating import environment, new_environment, read_template, style, visible_line

# Pixels of the strip for which the path has its full height on the first screen.
STRIP = 130.0
_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
# What Markdown or HTML would read as more than a letter: inside a line, and where a block begins.
_MARKUP = re.compile(
    r"[\\`*|~$]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=[#\w])|\](?=[(\[])|(?<=[A-Za-z]):(?=//)"
    r"|(?i:(?<=www))\.|@"
)
# The last of them is the definition of a link, which only a beginning can be.
_START = re.compile(r"^(?:(?=[#>+\-=])|(\d+)(?=[.)])|(?=\[[^]]*\]:))")
# Commands and places of the browsers that print by themselves.
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
    "microsoft-edge", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)  # fmt: skip
# Of $BROWSER, those that cannot.
_OTHERS = re.compile(r"firefox|safari|lynx|w3m|links", re.IGNORECASE)
# No network, no traces.
OPTIONS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
SECONDS = 120
REMEDY = "set BROWSER to Chrome, Chromium or Edge, or print report.html from any browser"
# Links to other files of the run, which a PDF does not have beside it.
_NEAR = re.compile(r' href="(?!#|https?:)[^"]*"')


def render_report(findings: Findings) -> str:
    """Return the page; equal findings give equal bytes.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    str
        HTML that asks nothing of any network, without a script and without a link to another file;
        its policy lets in its own style alone.
    """
    with speaking_of(findings.setup.measure):
        context = _shared_context(findings)
        figures = _figures(context["first"])
        page = environment().get_template("report.html.j2")
        return page.render(context, **figures, **style("answer.css")) + "\n"


def _shared_context(findings: Findings) -> dict[str, Any]:
    """Return what HTML and Markdown show alike."""
    return {
        "first": first_screen(findings),
        "sections": list_sections(findings),
        "folds": list_folds(findings),
        "words": words(),
    }


def _figures(first: FirstScreen) -> dict[str, Markup]:
    """Return the three figures of the first screen, each wide and narrow."""
    chart, strip, figures = first.chart, first.strip, {}
    if chart:
        look: Any = {name: getattr(chart, name) for name in ("title", "who", "is_early", "is_late")}
        look["shorter"] = min(60, max(0.0, strip_height(strip) - STRIP)) if strip else 0.0
        figures["path_figures"] = pair(lambda w: draw_implied(chart.path, width=w, **look))
    if strip:
        figures["strip_figures"] = pair(lambda w: draw_strip(strip, width=w))
    if first.checks:
        figures["check_figures"] = pair(lambda w: _draw_checks(first.checks, width=w))
    return figures


def _draw_checks(checks: tuple[Check, ...], *, width: int) -> Markup:
    """Return what could change the answer, a row each."""
    rows = [
        MarkRow(c.name, c.effect, c.p_text, c.is_clear, not i, kind=c.kind, link=c.link)
        for i, c in enumerate(checks)
    ]
    layout = checks_layout([row.name for row in rows], wide=width == WIDE)
    title = say("checks.title")
    return draw_rows(rows, layout, title=title, desc=say("checks.desc", n=len(rows)), head="p")


def list_event_pages(findings: Findings) -> str:
    """Return the page that links to the pages of the events, beside them."""
    main, pages = findings.setup.main, []
    with speaking_of(findings.setup.measure):
        for event in in_order(findings):
            if event.page:
                car = event.car(main).car if event.is_used else np.nan
                pages.append((event, words().percent(car) if np.isfinite(car) else ""))
        facts = {"title": first_screen(findings).title, "main": main, "pages": pages}
        template = environment().get_template("events.html.j2")
        return template.render(facts, **style("answer.css", "index.css"))


def event_pages(findings: Findings) -> Iterator[tuple[str, str]]:
    """Yield address and text of the page of each event that has one."""
    template = environment().get_template("event.html.j2")
    events = [event for event in findings.events if event.page]
    pages = [event for event in in_order(findings) if event.page]
    sheets = style("answer.css")
    with speaking_of(findings.setup.measure):
        title = title_of(findings)
        for i, event in enumerate(events):
            step("event pages", i, len(events))
            context = render_context(findings, event, pages) | {"study": title}
            context |= {"sections": (), "main": findings.setup.main, **_figures(context["first"])}
            yield event.page, template.render(context, **sheets) + "\n"


def markdown(findings: Findings) -> str:
    """Return ``report.md``; equal findings give equal text."""
    with speaking_of(findings.setup.measure):
        context = markdown_context(findings)
        text = _markdown_environment().get_template("report.md.j2").render(context)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def markdown_context(findings: Findings) -> dict[str, Any]:
    """Return what Markdown and Word show: the page, and what that has in pictures, as tables."""
    context = _shared_context(findings)
    # It stands in the place of the picture.
    context["folds"] = [fold for fold in context["folds"] if fold.code != IN_NUMBERS]
    context["checks"] = checks_table(findings) if context["first"].checks else None
    return context


@cache
def _markdown_environment() -> Environment:
    """Return templates in which every text is shown by Markdown as it is."""
    templates = new_environment(inert)
    templates.globals |= environment().globals
    templates.filters |= {**environment().filters, "block": block, "table": markdown_table}
    return templates


def inert(text: object) -> str:
    """Return text that Markdown shows as it is; right-to-left text does not move its neighbours."""
    visible = visible_line(text)
    safe = _MARKUP.sub(r"\\\g<0>", visible)
    return f"\u2068{safe}\u2069" if _RTL.search(visible) else safe


def markdown_table(table: Table) -> Markup:
    """Return a table in Markdown, behind its caption or with the title of each block.

    Parameters
    ----------
    table : Table
    """
    about = f". {inert(table.about)}" if table.about else ""
    heads = [inert(column.page_head) for column in table.columns]
    rules = ["--:" if column.is_number else ":--" for column in table.columns]
    lines = []
    for part in table.blocks:
        title = f"### {inert(part.title)}" if part.title else f"{block(table.caption)}{about}:"
        title = title.removeprefix(":")
        cells = [heads, rules, *([*map(inert, table.write_text(row))] for row in part.rows)]
        lines += [title, "", *(f"| {' | '.join(row)} |" for row in cells), ""]
    return Markup("\n".join(lines))  # noqa: S704


def block(text: object) -> Markup:
    """Return inert text that may begin a paragraph or an item."""
    return Markup(_START.sub(lambda match: (match[1] or "") + "\\", inert(text)))  # noqa: S704


def pdf(findings: Findings, *, full: bool = False) -> bytes:
    """Return the page as PDF (A4); the bytes are those of the browser, and differ each time.

    Parameters
    ----------
    findings : Findings
    full : bool
        Whether everything that the page folds is printed too; else it is a summary.

    Returns
    -------
    bytes

    Raises
    ------
    ConfigError
        If there is no browser that prints, or it wrote nothing.
    """
    browser = find_browser()
    page = _NEAR.sub("", render_report(findings))
    reason = ""
    if full:
        page = page.replace("<details ", "<details open ")
    with tempfile.TemporaryDirectory(prefix="eventstudy-", ignore_cleanup_errors=True) as folder:
        source = Path(folder, "report.html")
        target = Path(folder, "report.pdf")
        source.write_text(page, encoding="utf-8")
        # The sandbox of Chromium does not start for root, as in a container.
        root = ["--no-sandbox"] * (getattr(os, "geteuid", lambda: 1)() == 0)
        places = (f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}")
        command = [browser, *OPTIONS, *root, *places, source.as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = f" ({type(error).__name__})"
        if not target.exists():
            raise ConfigError(f"the browser wrote no PDF{reason}", value=browser, remedy=REMEDY)
        return target.read_bytes()


def find_browser() -> str:
    """Return the path of a browser that prints: that of $BROWSER, or one of this machine.

    Raises
    ------
    ConfigError
        If there is none.
    """
    named = os.environ.get("BROWSER", "")
    names = [named] * bool(named and not _OTHERS.search(named)) + list(BROWSERS)
    if path := next(filter(None, map(shutil.which, names)), None):
        return path
    raise ConfigError("a PDF needs Chrome, Chromium or Edge, and none is here", remedy=REMEDY)


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
    return " · ".join(filter(None, [first.as_of, first.fragility]))


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


# Letters of the settings of a run.
LONGEST = 160


def draw_states(folder: str, runs: Sequence[Any], foreign: Sequence[tuple[str, str]]) -> str:
    """Return the page over some runs, in their order; equal runs give equal bytes.

    Parameters
    ----------
    folder : str
        What they are in.
    runs : sequence
        Rows with what the template prints, and with ``measure``, ``path`` ((m, 4): event day,
        effect, ends of its interval), ``several`` (whether that is a mean of several events),
        ``setup`` (the settings shown) and ``study`` (what tells it from others of the same name).
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
    return template.render(facts, **style("answer.css", "index.css")) + "\n"


def _spark(run: Any, reach: Mapping[str, float]) -> Markup | str:
    """Return the path as a small picture; a mean of several on the scale of its measure."""
    days, line, low, high = run.path.T
    if len(days) < 2 or np.ptp(days) == 0:
        return ""
    height = (reach[run.measure] if run.several else _reach(run)) or 0.01
    panel = Panel(Scale(days.min(), days.max(), 3, 147), Scale(-height, height, 45, 3))
    name = f"{run.name}: day {words().day(int(days[0]))} to {words().day(int(days[-1]))}"
    zero = panel.post(0, "z") if days[0] <= 0 <= days[-1] else ""
    last = np.where(np.arange(len(days)) == len(days) - 1, line, np.nan)
    elements = (
        panel.band(days, low, high, "range"), panel.rule(0, "g"), zero, panel.line(days, line, "b"),
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
