"""The report of a study: one HTML page that needs nothing else and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...fitting.large_samples import many
from ...utility.numbers import window_text
from ...utility.units import in_its_words, words
from ..content.data_notes import data_notes
from ..content.subject import Page, page_of
from .diagnosis import trust_section
from .dropped import ledger
from .events import event_table
from .groups import group_section
from .key_figures import top
from .methods import methods, provenance_of
from .path import path_section
from .robustness import robustness
from .templating import environment, script, style
from .tests import grids

if TYPE_CHECKING:
    import pandas as pd

    from ...fitting.config import StudyConfig
    from ...fitting.fitted import FittedStudy


@in_its_words
def render_report(
    results: FittedStudy,
    *,
    config: StudyConfig,
    name: str,
    groups: Mapping[str, FittedStudy],
    provenance: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame] | None = None,
    event_pages: Mapping[int, str] | None = None,
) -> str:
    """Return the page; equal inputs give equal bytes.

    Parameters
    ----------
    results : FittedStudy
        All events.
    config : StudyConfig
    name : str
        Name of the study.
    groups : mapping of str to FittedStudy
        Parts of the events in the order of `groups`; the answer is about the leading one. Empty =
        no groups.
    provenance : mapping
        ``events_source``, ``events_sha256``, ``versions`` (by package), ``command``, ``prices`` (by
        symbol: source, detail, first, last, rows). What is missing is left out.
    tables : mapping of str to DataFrame, optional
        ``study_tables`` of the study; sections whose table is missing are left out.
    event_pages : mapping of int to str, optional
        Address of the page of each event by its row, see ``write_event_pages``.
    """
    page = page_of(results, config, groups, tables or {}, event_pages)
    context = {
        **top(page),
        **(_exhibits(page) if len(results) else {}),
        **ledger(page),
        **methods(page),
        "words": words(),
        "name": name,
        "used": len(results),
        "many": many(results),
        "main": window_text(config.main),
        "provenance": {**provenance_of(config, provenance), "notes": data_notes(results)},
        "interactive": config.interactive and bool(len(results)),
    }
    events = context.get("events")
    parts = {**style("report.css", ticks=events.ticks if events else ()), **script("report.js")}
    return environment().get_template("report.html.j2").render(context, **parts) + "\n"


def _exhibits(page: Page) -> dict[str, Any]:
    """Return the sections of a study that has events, in the order of the page."""
    return {
        "path": path_section(page),
        "tests": grids(page),
        "events": event_table(
            page.results,
            page.main,
            page.groups,
            page.column,
            page.tables.get("families"),
            page.event_pages,
        ),
        "groups": group_section(page),
        "robustness": robustness(page),
        "trust": trust_section(page),
        "single": len(page.sample) == 1,
    }
