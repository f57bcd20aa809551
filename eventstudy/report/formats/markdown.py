"""Markdown: the report for a reader of plain text, with the sections of the page."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from ...findings.types import Findings
from ...utility.units import speaking_of, words
from ..sections.checks import checks_table
from ..sections.first_screen import first_screen
from ..sections.folds import fold_analysis, list_folds
from ..sections.robustness import robustness
from ..sections.windows import list_tests, tests_finding
from .templating import environment as html_environment
from .templating import new_environment, visible_line

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
        first, folds = first_screen(findings), list_folds(findings)
        # What the page has in tables alone.
        more = [fold_analysis(findings, a) for a in robustness(findings) if a.name == "weights"]
        at = [fold.code for fold in folds].index("data")
        context = {
            "first": first,
            "checks": checks_table(first.checks) if first.checks else None,
            "tests": list_tests(findings) if findings.sample.answer.n_events else [],
            "tests_finding": tests_finding(findings) if findings.sample.answer.n_events else "",
            "folds": [*folds[:at], *more, *folds[at:]],
            "words": words(),
        }
        text = environment().get_template("report.md.j2").render(context)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def environment() -> Environment:
    """Return templates in which every text is shown by Markdown as it is."""
    templates = new_environment(inert)
    templates.globals |= html_environment().globals
    templates.filters |= html_environment().filters
    templates.filters |= {"block": block}
    return templates


def inert(text: object) -> str:
    """Return text that Markdown shows as it is; right-to-left text does not move its neighbours."""
    visible = visible_line(text)
    safe = _MARKUP.sub(r"\\\g<0>", visible)
    return f"\u2068{safe}\u2069" if _RTL.search(visible) else safe


def block(text: object) -> Markup:
    """Return inert text that may begin a paragraph or an item."""
    return Markup(_START.sub(lambda match: (match[1] or "") + "\\", inert(text)))  # noqa: S704
