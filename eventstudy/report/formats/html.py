"""The report of a study: one HTML page that needs nothing else, and a page for each event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...findings.types import Findings
from ...utility.catalogue import say
from ...utility.numbers import clipped
from ...utility.progress import step
from ...utility.units import speaking_of, words
from ..figures import study_figures as figures
from ..figures.svg_canvas import NARROW, WIDE
from ..sections.event_page import render_context
from ..sections.events import dropped_section, events_table
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
    with speaking_of(findings.setup.measure):
        context = {
            "findings": findings,
            "setup": findings.setup,
            "name": findings.name,
            "used": findings.setup.n_used,
            "main": findings.setup.main,
            "words": words(),
            "top": top(findings),
            "dropped": dropped_section(findings),
            "methods": methods(findings),
            "provenance": provenance(findings),
            "interactive": findings.setup.settings.get("interactive") and findings.setup.n_used,
            **(_exhibits(findings) if findings.setup.n_used else {}),
        }
        events = context.get("events")
        sheets = style("report.css", ticks=events.ticks if events else ())
        page = environment().get_template("report.html.j2")
        return page.render(context, **sheets, **script("report.js")) + "\n"


def _exhibits(findings: Findings) -> dict[str, Any]:
    """Return the sections of a study that has events, in the order of the page."""
    path, groups = path_section(findings), group_section(findings)
    return {
        "path": path,
        "path_figures": _path_figures(findings, path) if path else (),
        "windows": windows_table(findings),
        "windows_lede": windows_lede(findings),
        "events": events_table(findings),
        "groups": groups,
        "panels": _panels(findings, groups) if groups else (),
        "robustness": robustness(findings),
        "trust": trust(findings),
    }


def _path_figures(findings: Findings, section: PathSection) -> tuple[str, str]:
    """Return the figure of the path, wide and narrow."""
    label = path_name(findings, findings.sample)
    wide, narrow = (
        figures.draw_path(
            section.path,
            findings.setup.main,
            n_events=section.n_events,
            width=width,
            label=label,
        )
        for width in (WIDE, NARROW)
    )
    return wide, narrow


def _panels(findings: Findings, groups: Groups) -> list[tuple[str, str]]:
    """Return caption and figure of the paths of the first groups, on one scale."""
    limits = figures.shared_limits([panel.path for panel in groups.panels])
    main = findings.setup.main
    return [
        (
            panel.caption,
            figures.draw_group_path(
                panel.path, main, limits, place=i, label=say("groups.panel", caption=panel.caption)
            ),
        )
        for i, panel in enumerate(groups.panels)
    ]


def event_pages(findings: Findings) -> Iterator[tuple[str, str]]:
    """Yield address and text of the page of each event that has one."""
    template = environment().get_template("event.html.j2")
    events = [event for event in findings.events if event.page]
    with speaking_of(findings.setup.measure):
        for i, event in enumerate(events):
            step("event pages", i, len(events))
            context = render_context(findings, event)
            sheets = style("report.css", "pages.css", ticks=context["ticks"])
            study = clipped(findings.name, 100)
            yield event.page, template.render(context, study=study, **sheets) + "\n"
