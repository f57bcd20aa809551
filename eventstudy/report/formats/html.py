"""The report of a study: one HTML page that needs nothing else, and a page for each event."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from ...findings.types import Findings
from ...utility.catalogue import say
from ...utility.numbers import clipped, pvalue
from ...utility.progress import step
from ...utility.units import speaking_of, words
from ..figures.answer_figures import draw_implied
from ..figures.rows import MarkRow, checks_layout, draw_rows
from ..figures.strip import draw_strip, strip_height
from ..figures.svg_canvas import WIDE, pair
from ..sections.checks import Check
from ..sections.event_page import render_context
from ..sections.events import in_order
from ..sections.first_screen import FirstScreen, first_screen
from ..sections.folds import list_folds
from ..sections.windows import list_tests, tests_finding
from .templating import environment, style

# Pixels of the strip for which the path has its full height on the first screen.
STRIP = 130.0


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
        first = first_screen(findings)
        has_tests = findings.sample.answer.n_events > 0
        context = {
            "first": first,
            "tests": list_tests(findings) if has_tests else [],
            "tests_finding": tests_finding(findings) if has_tests else "",
            "folds": list_folds(findings),
            "words": words(),
            **_figures(first),
        }
        page = environment().get_template("report.html.j2")
        return page.render(context, **style("answer.css")) + "\n"


def _figures(first: FirstScreen) -> dict[str, Markup]:
    """Return the three figures of the first screen, each wide and narrow."""
    chart, strip, figures = first.chart, first.strip, {}
    if chart:
        shorter = max(0.0, strip_height(strip) - STRIP) if strip else 0.0
        figures["path_figures"] = pair(
            lambda w: draw_implied(
                chart.path,
                width=w,
                label=chart.title,
                who=chart.who,
                shorter=min(shorter, 60),
                is_early=chart.is_early,
                is_late=chart.is_late,
            )
        )
    if strip:
        figures["strip_figures"] = pair(lambda w: draw_strip(strip, width=w))
    if first.checks:
        figures["check_figures"] = pair(lambda w: _draw_checks(first.checks, width=w))
    return figures


def _draw_checks(checks: tuple[Check, ...], *, width: int) -> Markup:
    """Return what could change the answer, a row each."""
    rows = [
        MarkRow(c.name, c.effect, pvalue(c.pvalue), c.is_clear, is_main=not i, kind=c.kind)
        for i, c in enumerate(checks)
    ]
    layout = checks_layout([row.name for row in rows], wide=width == WIDE)
    title, desc = say("checks.title"), say("checks.desc", n=len(rows))
    return draw_rows(rows, layout, title=title, desc=desc, head="p")


def list_event_pages(findings: Findings) -> str:
    """Return the page that links to the pages of the events, beside them."""
    pages = [event for event in in_order(findings) if event.page]
    sheets = style("report.css", "pages.css")
    title = first_screen(findings).title
    return environment().get_template("events.html.j2").render(pages=pages, title=title, **sheets)


def event_pages(findings: Findings) -> Iterator[tuple[str, str]]:
    """Yield address and text of the page of each event that has one."""
    template = environment().get_template("event.html.j2")
    events = [event for event in findings.events if event.page]
    pages = [event for event in in_order(findings) if event.page]
    with speaking_of(findings.setup.measure):
        for i, event in enumerate(events):
            step("event pages", i, len(events))
            context = render_context(findings, event, pages)
            sheets = style("report.css", "pages.css", ticks=context["ticks"])
            study = clipped(findings.name, 100)
            yield event.page, template.render(context, study=study, **sheets) + "\n"
