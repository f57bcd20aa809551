"""Markdown: the report for a reader of plain text, with the sections of the page."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from ...findings.types import Findings, WindowFinding
from ...utility.numbers import percent, span
from ...utility.units import speaking_of
from ..sections.events import common_notes
from ..sections.windows import WindowValue, windows_table
from .html import report_context
from .templating import environment as html_environment
from .templating import new_environment, visible_line

MOST_PANELS = 6
_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
# What Markdown or HTML would read as more than a letter: inside a line, and where a block begins.
_MARKUP = re.compile(
    r"[\\`*|~$]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=[#\w])|\](?=[(\[])|(?<=[A-Za-z]):(?=//)"
    r"|(?i:(?<=www))\.|@"
)
# The last of them is the definition of a link, which only a beginning can be.
_START = re.compile(r"^(?:(?=[#>+\-=])|(\d+)(?=[.)])|(?=\[[^]]*\]:))")


def markdown(findings: Findings) -> str:
    """Return ``report.md``; equal findings give equal text."""
    with speaking_of(findings.setup.measure):
        samples = [s for s in (*findings.groups[:MOST_PANELS], findings.pooled) if s.n_used]
        context = report_context(findings) | {
            "tables": [windows_table(findings, sample) for sample in samples],
            "common_flags": list(common_notes(findings)),
            "n_more": max(0, len(findings.groups) - MOST_PANELS),
        }
        text = environment().get_template("report.md.j2").render(context)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def environment() -> Environment:
    """Return templates in which every text is shown by Markdown as it is."""
    templates = new_environment(inert)
    templates.globals |= html_environment().globals
    templates.filters |= html_environment().filters
    templates.filters |= {"block": block, "numbers": numbers_text}
    return templates


def inert(text: object) -> str:
    """Return text that Markdown shows as it is; right-to-left text does not move its neighbours."""
    visible = visible_line(text)
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
