"""The announcement of an event, as it was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....utility.numbers import capitalised, cell_text, clipped, date_iso
from ...content.wording import flag_words
from ..events import safe_url

# Columns that the study adds, or that the page shows elsewhere.
ELSEWHERE = ("status", "reason", "flags", "nobs", "day0", "benchmark")
LABELS = {
    "event_id": "Event id", "announced_at": "Announced", "tz": "Time zone", "source_url": "Link",
    "source_title": "Source title", "benchmark_named": "Benchmark",
}  # fmt: skip
LONGEST, LONGEST_LABEL = 6000, 60


def announcement(event: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return label, text and address ("" if it is no link) of each column of the event list."""
    rows = [("Session (day 0)", date_iso(event["day0"]), "")]
    for column, value in event.items():
        if column in ELSEWHERE or not cell_text(value):
            continue
        label = LABELS.get(column, capitalised(clipped(flag_words(column), LONGEST_LABEL)))
        rows.append((label, clipped(value, LONGEST), safe_url(value)))
    return rows
