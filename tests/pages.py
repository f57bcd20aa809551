"""Pages of studies, and their parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from eventstudy.calendars.window import Window
from eventstudy.fitting.config import StudyConfig
from eventstudy.report.html.page import render_report
from eventstudy.study import EventStudyResults

MAIN = Window(0, 1)
CONFIG = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5))
PROVENANCE = {
    "events_source": "events.csv",
    "events_sha256": "ab" * 32,
    "versions": {"eventstudy": "0.1.0"},
    "command": "eventstudy run events.csv",
    "prices": {
        "F00": {
            "source": "files",
            "detail": "a.csv",
            "first": "2020-01-01",
            "last": "2020-12-31",
            "rows": 9,
        }
    },
    "notices": [],
}


def page(
    results: EventStudyResults,
    by: str = "",
    name: str = "a study",
    tables: Mapping[str, pd.DataFrame] | None = None,
    event_pages: Mapping[int, str] | None = None,
) -> str:
    groups = results.groups(by) if by else {}
    config = replace(CONFIG, by=by)
    told = {"provenance": PROVENANCE, "tables": tables, "event_pages": event_pages}
    return render_report(results, config=config, name=name, groups=groups, **told)


def with_columns(results: EventStudyResults, **columns: object) -> EventStudyResults:
    return replace(results, events=results.events.assign(**columns))


def cells_of(row: str) -> list[str]:
    """Return the text of the cells of a table row, without what stands beneath."""
    plain = (re.sub(r"<span.*", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row))
    return [re.sub(r"<[^>]+>", "", cell) for cell in plain]


def section(text: str, name: str) -> str:
    return loose(text.partition(f'<section id="{name}"')[2].partition("</section>")[0])


def loose(text: str) -> str:
    """Return a page whose "p = 0.050", "day 0" and "t(N − 1)" may be broken, as they are in plain
    text."""
    kept = r"\bp\u00a0(?:=|<|&lt;|≥)\u00a0|\b[Dd]ay\u00a00|\bt\(N\u00a0−\u00a01"
    return re.sub(kept, lambda m: m[0].replace("\u00a0", " "), text)
