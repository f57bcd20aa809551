"""What the page of an event says in words: its flags, other news, and the announcement as it was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .answer import Sentence, answer, is_provisional
from .events import event_name, safe_url
from .extent import extended, lacking, remedies
from .measures import words
from .wording import (
    FLAGS,
    MISSING,
    clipped,
    count,
    date_iso,
    date_prose,
    flag_words,
    flags_of,
    listed,
    window_text,
)

if TYPE_CHECKING:
    from ..results import EventStudyResults
    from ..windows import Window

# Columns that name other news, and those that describe the announcement, the best first.
NEWS = ("confounder", "confounders", "context")
SUBJECTS = ("description", "headline", "title", "instrument", "action", "source_title")
NOTHING = {"", "-", "0", "no", "none", "none known", "n/a", "nan"}
# Columns that the study adds, or that the page shows elsewhere.
ELSEWHERE = ("status", "reason", "flags", "nobs", "day0")
LABELS = {
    "event_id": "Event id", "announced_at": "Announced", "tz": "Time zone", "source_url": "Link",
    "source_title": "Source title",
}  # fmt: skip
LONGEST, LONGEST_LABEL = 6000, 60
MOST_FAULTS, MOST_NAMES = 5, 3
LIMIT = "Price limit"


def about(event: Mapping[str, Any]) -> str:
    """Return what was announced, in short; "" if the list does not say."""
    return clipped(next((event[c] for c in SUBJECTS if _text(event.get(c))), ""), 160)


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
    found = [clipped(event[c], 600).rstrip(".;") for c in NEWS if _text(event.get(c)).lower() not in NOTHING]
    named = "; ".join(dict.fromkeys(found))
    return [f"The event list names: {named}."] if named else []


def announcement(event: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return label, text and address ("" if it is no link) of each column of the event list."""
    rows = [("Session (day 0)", date_iso(event["day0"]), "")]
    for column, value in event.items():
        if column in ELSEWHERE or not _text(value):
            continue
        label = LABELS.get(column, clipped(flag_words(column), LONGEST_LABEL).capitalize())
        rows.append((label, clipped(value, LONGEST), safe_url(value)))
    return rows


def flags_in_words(results: EventStudyResults, i: int, window: Window) -> list[tuple[str, str]]:
    """Return what a reader should know of one event: head and text."""
    event = results.records[i]
    ends = extended(results.subset(np.array([i])), window) if results.ok[i] else []
    rows = [
        (clipped(flag_words(f), 60).capitalize(), words().say(FLAGS.get(f, "")))
        for f in flags_of(event["flags"])
    ]
    remark = str(results.abnormal.remark[i])
    rows += [("Estimation", clipped(remark, 300))] if remark else []
    rows = [(head, f"{text}: {ends[0].said}" if ends and head == LIMIT else text) for head, text in rows]
    return [*rows, *_same_session(results, i), *_same_firm(results, i), *_faults(results, i)]


def _text(value: object) -> str:
    """Return a cell as text; "" for what is blank or missing."""
    return "" if value is None or value != value else str(value).strip()


def _same_session(results: EventStudyResults, i: int) -> list[tuple[str, str]]:
    events, zero = results.events, results.events["day0"].iloc[i]
    others = np.flatnonzero(((events["day0"] == zero) & results.ok).to_numpy())
    others = others[others != i]
    if not others.size:
        return []
    names = [clipped(_name(results, int(k)), 60) for k in others[:MOST_NAMES]]
    more = [f"{others.size - MOST_NAMES:,} more"] if others.size > MOST_NAMES else []
    verb = "has" if others.size == 1 else "have"
    text = f"{count(int(others.size), 'other event')} used {verb} this day 0 ({listed([*names, *more])})."
    return [("Same session", text)]


def _same_firm(results: EventStudyResults, i: int) -> list[tuple[str, str]]:
    events = results.events
    own = np.flatnonzero((events["ticker"] == events["ticker"].iloc[i]).to_numpy())
    own = own[own != i]
    if not own.size:
        return []
    days = [date_prose(events["day0"].iloc[k]) for k in own[:6]]
    more = [f"{own.size - 6:,} more"] if own.size > 6 else []
    times = "once" if own.size == 1 else f"{own.size:,} times"
    return [("Other own events", f"The listing appears {times} more in the list: {listed([*days, *more])}.")]


def _faults(results: EventStudyResults, i: int) -> list[tuple[str, str]]:
    """Return the faults of the firm's prices within its windows."""
    windows = results.abnormal.windows
    known = windows.positions[i][windows.positions[i] >= 0]
    if not known.size:
        return []
    first, last = windows.sessions[known.min()], windows.sessions[known.max()]
    found = results.panel.faults_near(str(results.events["ticker"].iloc[i]), first, last)
    return [
        (f"{flag_words(f.kind).capitalize()}, {f.date}", f"{clipped(f.detail, 200)}: {f.action}.")
        for f in found[:MOST_FAULTS]
    ]


def _name(results: EventStudyResults, i: int) -> str:
    return event_name(results.records[i]) or MISSING
