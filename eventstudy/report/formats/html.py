"""The report of a study: one HTML page that needs nothing else, and a page for each event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from ...findings.types import Findings
from ...utility.catalogue import say
from ...utility.numbers import clipped
from ...utility.progress import step
from ...utility.units import speaking_of, words
from ..figures.answer_figures import draw_implied
from ..figures.study_figures import draw_group_path, draw_path, shared_limits
from ..figures.svg_canvas import pair
from ..sections.event_page import render_context
from ..sections.events import dropped_section, events_table, in_order
from ..sections.kept_cases import case_sections
from ..sections.methods import methods, provenance
from ..sections.path import Groups, PathSection, group_section, path_name, path_section
from ..sections.robustness import robustness
from ..sections.top import top
from ..sections.windows import trust, windows_lede, windows_table
from .templating import environment, script, style


def render_report(findings: Findings) -> str:
    """Return the page; equal findings give equal bytes.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    str
        HTML that asks nothing of any network, with a policy that lets in its own style and script.
    """
    setup = findings.setup
    with speaking_of(setup.measure):
        context = report_context(findings)
        if setup.n_used:
            groups = context["groups"]
            context |= {
                "path_figures": _path_figures(findings, context["path"]),
                "windows": windows_table(findings),
                "panels": _panels(findings, groups) if groups else (),
            }
        sheets = style("report.css", ticks=context["events"].ticks if setup.n_used else ())
        page = environment().get_template("report.html.j2")
        return page.render(context, **sheets, **script("report.js")) + "\n"


def report_context(findings: Findings) -> dict[str, Any]:
    """Return the sections of the report by name, of Markdown too.

    Those about events are there if one was used.
    """
    context = {
        "findings": findings,
        "setup": findings.setup,
        "words": words(),
        "top": top(findings),
        "dropped": dropped_section(findings),
        "cases": case_sections(findings),
        "methods": methods(findings),
        "provenance": provenance(findings),
    }
    if findings.setup.n_used:
        context |= {
            "path": path_section(findings),
            "windows_lede": windows_lede(findings),
            "events": events_table(findings),
            "groups": group_section(findings),
            "robustness": robustness(findings),
            "trust": trust(findings),
        }
    return context


def _path_figures(findings: Findings, section: PathSection) -> Markup:
    """Return the figure of the path, wide and narrow."""
    main, n, label = findings.setup.main, section.n_events, path_name(findings, findings.sample)
    implied = section.implied
    if implied is not None:
        return pair(lambda w: draw_implied(implied, width=w, label=section.caption))
    return pair(lambda w: draw_path(section.path, main, n_events=n, width=w, label=label))


def _panels(findings: Findings, groups: Groups) -> list[tuple[str, Markup]]:
    """Return caption and figure of the paths of the first groups, on one scale."""
    limits = shared_limits([panel.path for panel in groups.panels])
    main = findings.setup.main
    panels = []
    for place, panel in enumerate(groups.panels):
        label = say("groups.panel", caption=panel.caption)
        figure = draw_group_path(panel.path, main, limits, place=place, label=label)
        panels.append((panel.caption, figure))
    return panels


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
