"""Pages of studies, and their parts."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

from eventstudy.calendars import Window
from eventstudy.findings import Findings
from eventstudy.findings.document import read_json, to_json
from eventstudy.findings.finished_run import findings_of
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults

MAIN = Window(0, 1)
CONFIG = StudyConfig(estimation=Window(-120, -11), event=Window(-5, 5), event_pages=0, calibrate=0)
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


def findings(results: EventStudyResults, name: str = "a study", **settings: Any) -> Findings:
    """Return the findings of results, as they are read back from their JSON."""
    config = replace(CONFIG, **settings)
    return read_json(to_json(findings_of(results, config, name=name, provenance=PROVENANCE)))


def page(results: EventStudyResults, by: str = "", name: str = "a study", **settings: Any) -> str:
    from eventstudy.report.formats.pages import render_report

    return render_report(findings(results, name, by=by, **settings))


def with_columns(results: EventStudyResults, **columns: object) -> EventStudyResults:
    return replace(results, events=results.events.assign(**columns))


def cells_of(row: str) -> list[str]:
    """Return the text of the cells of a table row, without what stands beneath."""
    plain = (re.sub(r"<span.*", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row))
    return [re.sub(r"<[^>]+>", "", cell) for cell in plain]


def section(text: str, name: str) -> str:
    return loose(text.partition(f'<section id="{name}"')[2].partition("</section>")[0])


def plain(text: str) -> str:
    """Return the text of a page without its tags."""
    return unescape(re.sub(r"<[^>]+>", "", text))


def loose(text: str) -> str:
    """Return a page whose "p = 0.050", "day 0" and "t(N − 1)" may be broken, as they are in plain
    text."""
    kept = r"\bp\u00a0(?:=|<|&lt;|≥)\u00a0|\b[Dd]ay\u00a00|\bt\(N\u00a0−\u00a01"
    return re.sub(kept, lambda m: m[0].replace("\u00a0", " "), text)
