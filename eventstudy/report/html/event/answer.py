"""What an event page says first: its subject, the answer, and other news."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....analysis.answer import NO_RESULT, answer_of
from ....utility.numbers import cell_text, clipped, window_text
from ...content.answer import Sentence, answer
from ...content.window_reach import lacking, remedies

if TYPE_CHECKING:
    from ....calendars.window import Window
    from ....fitting.fitted import FittedStudy

# Columns that describe the announcement, the best first.
SUBJECTS = ("description", "headline", "title", "instrument", "action", "source_title")


def about(event: Mapping[str, Any]) -> str:
    """Return what was announced, in short; "" if the list does not say."""
    return clipped(next((event[c] for c in SUBJECTS if cell_text(event.get(c))), ""), 160)


def said(one: FittedStudy, window: Window) -> Sentence:
    """Return the answer of a study of this event alone."""
    if answer_of(one, window).verdict != NO_RESULT:
        return answer(one, window)
    found = lacking(one, window)[0]
    remedy = f" {remedies([found])}" if found.remedy else ""
    return Sentence(
        (("No result.", True), (f" Over {window_text(window)}: {found.said}.{remedy}", False))
    )
