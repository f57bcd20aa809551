"""What an event page says first: its subject, the answer, and other news."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..answer import Sentence, answer, is_provisional
from ..extent import lacking, remedies
from ..wording import cell_text, clipped, window_text

if TYPE_CHECKING:
    from ...results import EventStudyResults
    from ...windows import Window

# Columns that name other news, and those that describe the announcement, the best first.
NEWS = ("confounder", "confounders", "context")
SUBJECTS = ("description", "headline", "title", "instrument", "action", "source_title")
NOTHING = {"", "-", "0", "no", "none", "none known", "n/a", "nan"}


def about(event: Mapping[str, Any]) -> str:
    """Return what was announced, in short; "" if the list does not say."""
    return clipped(next((event[c] for c in SUBJECTS if cell_text(event.get(c))), ""), 160)


def said(one: EventStudyResults, window: Window) -> Sentence:
    """Return the answer of a study of this event alone."""
    lacks = not one.abnormal.valid(window)[0] and not is_provisional(one, window)
    if not lacks:
        return answer(one, window)
    found = lacking(one, window)[0]
    remedy = f" {remedies([found])}" if found.remedy else ""
    return Sentence((("No result:", True), (f" over {window_text(window)}, {found.said}.{remedy}", False)))


def other_news(event: Mapping[str, Any]) -> list[str]:
    """Return a sentence that names the other news that the event list knows."""
    found = [
        clipped(event[c], 600).rstrip(".;") for c in NEWS if cell_text(event.get(c)).lower() not in NOTHING
    ]
    named = "; ".join(dict.fromkeys(found))
    return [f"The event list names: {named}."] if named else []
