"""The report of a study: one HTML page that needs nothing else and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .answer import Sentence
from .events import EventTable, event_table
from .grid import grids
from .groups import group_section
from .ledger import ledger
from .measures import in_its_words, words
from .methods import methods, provenance_of
from .page import Page, page_of
from .path_section import path_section
from .robustness import robustness
from .top import top
from .trust import trust_section
from .wording import window_text

if TYPE_CHECKING:
    import pandas as pd

    from ..config import StudyConfig
    from ..results import EventStudyResults

TEMPLATES = Path(__file__).parent / "templates"


@in_its_words
def render_report(
    results: EventStudyResults,
    *,
    config: StudyConfig,
    name: str,
    groups: Mapping[str, EventStudyResults],
    provenance: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> str:
    """Return the page; equal inputs give equal bytes.

    Parameters
    ----------
    results : EventStudyResults
        All events.
    config : StudyConfig
    name : str
        Name of the study.
    groups : mapping of str to EventStudyResults
        Parts of the events, largest first; the answer is about the leading one. Empty = no groups.
    provenance : mapping
        ``events_source``, ``events_sha256``, ``versions`` (by package), ``command``, ``prices`` (by symbol:
        source, detail, first, last, rows). What is missing is left out.
    tables : mapping of str to DataFrame, optional
        ``eventstudy.tables.study_tables`` of the study; sections whose table is missing are left out.
    """
    page = page_of(results, config, groups, tables or {})
    context = {
        **top(page),
        **(_exhibits(page) if len(results) else {}),
        **ledger(page),
        **methods(page),
        "words": words(),
        "name": name,
        "used": len(results),
        "main": window_text(config.main),
        "provenance": provenance_of(config, provenance),
    }
    css = _css(context.get("events"))
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    template = _environment().get_template("report.html.j2")
    return template.render(context, css=Markup(css), style_hash=digest) + "\n"  # noqa: S704


def _exhibits(page: Page) -> dict[str, Any]:
    """Return the sections of a study that has events, in the order of the page."""
    return {
        "path": path_section(page),
        "tests": grids(page),
        "events": event_table(page.results, page.main, page.groups, page.column),
        "groups": group_section(page),
        "robustness": robustness(page),
        "trust": trust_section(page),
        "single": len(page.sample) == 1,
    }


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = _emphasised
    return environment


def _emphasised(sentence: Sentence) -> Markup:
    parts = (
        f"<strong>{html.escape(t)}</strong>" if strong else html.escape(t) for t, strong in sentence.parts
    )
    unbroken = re.sub(r"(exact )?\S+ p (=|&lt;) [\d.]+", r'<span class="nw">\g<0></span>', "".join(parts))
    return Markup(unbroken)  # noqa: S704


def _css(events: EventTable | None) -> str:
    """Return the style sheet, with the grid of the events table at the ticks of its axis."""
    text = (TEMPLATES / "report.css").read_text(encoding="utf-8").strip()
    if events is None:
        return text
    colors = ("--grid", "--muted", "--grid")
    lines = ",".join(f"linear-gradient(var({c}),var({c}))" for c in colors)
    places = ",".join(f"{place} 0" for place, _ in events.ticks)
    return f"{text}\ntd.fx{{background-image:{lines};background-position:{places}}}"
