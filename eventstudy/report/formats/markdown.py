"""Markdown: the report for a reader of plain text, with the sections of the page."""

from __future__ import annotations

import re
from functools import cache, partial

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...findings.samples import WindowFinding
from ...findings.types import Findings
from ...utility.numbers import percent, span
from ...utility.units import speaking_of, words
from ..sections.events import common_notes, dropped_section, events_table
from ..sections.methods import methods, provenance
from ..sections.path import group_section, path_section
from ..sections.robustness import robustness
from ..sections.top import top
from ..sections.windows import WindowValue, trust, windows_lede, windows_table
from . import templating

MOST_PANELS = 6
_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# What Markdown or HTML would read as more than a letter: inside a line, and where a block begins.
_MARKUP = re.compile(
    r"[\\`*|~$]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=[#\w])|\](?=[(\[])|(?<=[A-Za-z]):(?=//)"
    r"|(?i:(?<=www))\.|@"
)
# The last of them is the definition of a link, which only a beginning can be.
_START = re.compile(r"^(?:(?=[#>+\-=])|(\d+)(?=[.)])|(?=\[[^]]*\]:))")


def markdown(findings: Findings) -> str:
    """Return ``report.md``; equal findings give equal text."""
    setup = findings.setup
    with speaking_of(setup.measure):
        context = {
            "findings": findings,
            "setup": setup,
            "words": words(),
            "top": top(findings),
            "dropped": dropped_section(findings),
            "methods": methods(findings),
            "provenance": provenance(findings),
            "n_more": max(0, len(findings.groups) - MOST_PANELS),
        }
        if setup.n_used:
            samples = [s for s in (*findings.groups[:MOST_PANELS], findings.pooled) if s.n_used]
            context |= {
                "tables": [windows_table(findings, sample) for sample in samples],
                "windows_lede": windows_lede(findings),
                "path": path_section(findings),
                "events": events_table(findings),
                "common_flags": list(common_notes(findings)),
                "groups": group_section(findings),
                "robustness": robustness(findings),
                "trust": trust(findings),
            }
        text = environment().get_template("report.md.j2").render(context)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def environment() -> Environment:
    """Return templates in which every text is shown by Markdown as it is."""
    templates = Environment(
        loader=FileSystemLoader(templating.TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_inert,
    )  # fmt: skip
    html = templating.environment()
    templates.filters |= html.filters
    templates.globals |= html.globals
    templates.filters |= {
        "block": block,
        "numbers": numbers_text,
        "magnitude": partial(percent, sign=False, unit=False),
    }
    return templates


def _inert(value: object) -> Markup:
    """Return a value of a template as Markdown; what a filter or a macro has made stays."""
    return value if isinstance(value, Markup) else Markup(inert(value))  # noqa: S704


def inert(text: object) -> str:
    """Return text that Markdown shows as it is; right-to-left text does not move its neighbours."""
    visible = _UNSEEN.sub("", " ".join(str(text).split()))
    safe = _MARKUP.sub(r"\\\g<0>", visible)
    return f"\u2068{safe}\u2069" if _RTL.search(visible) else safe


def block(text: object) -> Markup:
    """Return inert text that may begin a paragraph or an item."""
    return Markup(_START.sub(lambda match: (match[1] or "") + "\\", inert(text)))  # noqa: S704


def numbers_text(value: WindowValue, finding: WindowFinding) -> str:
    """Return a value of the table of windows for one window, without its unit.

    Parameters
    ----------
    value : WindowValue
        Column of the table.
    finding : WindowFinding
        Row of the table.

    Returns
    -------
    str
        A count, an interval or a number in percent; a dash where it is missing.
    """
    numbers = value.numbers(finding)
    if value.kind == "count":
        return f"{int(numbers[0]):,}"
    if value.kind == "interval":
        return span(numbers[0], numbers[1], unit=False)
    return percent(numbers[0], unit=False)
