"""How to cite the record behind an event, with what was seen when."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from ..words import say
from .candidates import Candidate
from .clocks import TimeBasis
from .review import Row
from .types import HOME, Action, Named


def cite(event: Mapping[str, str], rows: Sequence[Row]) -> str:
    """Return the citation of an event in a sentence.

    Parameters
    ----------
    event : mapping of str to str
        Cells of the list.
    rows : sequence of Row
        Its candidates; none where it did not come from the record.

    Examples
    --------
    >>> event = {"source": "A report", "source_url": "https://example.org/a"}
    >>> event["announced_at"] = "2019-05-22"
    >>> cite(event, [])
    'A report, published 2019-05-22, https://example.org/a.'
    """
    if not rows:
        return say("cite_event.plain", **_plain(event))
    parts = []
    for row in rows:
        candidate = row.candidate
        parts.append(_cite_entry(candidate.proof, _when(candidate)))
        if candidate.proof is not candidate.named:
            parts.append(_cite_entry(candidate.named, ""))
    return "; ".join(dict.fromkeys(parts)) + "."


def cite_bibtex(event: Mapping[str, str], rows: Sequence[Row]) -> str:
    """Return the citation of an event as an entry of BibTeX.

    Parameters
    ----------
    event : mapping of str to str
    rows : sequence of Row
        As for :func:`cite`.
    """
    facts = _plain(event)
    fields = {
        "author": rows[0].candidate.proof.action.authority if rows else event.get("authority", ""),
        "title": facts["title"], "year": facts["year"], "howpublished": facts["url"],
        "note": _note(rows[0]) if rows else "",
    }  # fmt: skip
    key = re.sub(r"[^A-Za-z0-9-]", "-", event.get("event_id", "")) or "event"
    lines = [f"@misc{{{key},"]
    for name, text in fields.items():
        safe = re.sub(r"[{}\\%]", " ", text)
        if name == "howpublished":
            safe = rf"\url{{{safe}}}"
        if text:
            lines.append(f"  {name} = {{{safe}}},")
    return "\n".join([*lines, "}", ""])


def _note(row: Row) -> str:
    candidate = row.candidate
    seen = say("cite_event.seen", **_seen(candidate.proof))
    return "; ".join(filter(None, (_when(candidate), seen)))


def _when(candidate: Candidate) -> str:
    """Return when a document was published, or first seen by us; "" where neither is known."""
    if not candidate.announced_at:
        return ""
    is_ours = candidate.clock.basis in (TimeBasis.SEEN, TimeBasis.CONTRADICTED)
    verb = "first seen by us" if is_ours else "published"
    return f"{verb} {_moment(candidate.announced_at)}"


def _plain(event: Mapping[str, str]) -> dict[str, str]:
    at = event.get("announced_at", "")
    return {
        "title": event.get("source", ""), "url": event.get("source_url", ""), "at": at,
        "year": at[:4],
    }  # fmt: skip


def _seen(entry: Named) -> dict[str, str]:
    at = entry.retrieved_at
    shown = f"{at.day} {at:%B %Y %H:%M} UTC" if at else "unknown"
    return {"retrieved": shown, "sha256": entry.sha256}


def _cite_entry(entry: Named, when: str) -> str:
    action = entry.action
    facts = {"document": _document(action), "url": action.url, **_seen(entry)}
    facts["published"] = f", {when}" if when else ""
    text = say("cite_event.entry", **facts)
    return f'{text}, "{" ".join(entry.excerpt.split())}"'


def _document(action: Action) -> str:
    parts = [action.authority, action.title, action.citation]
    if action.document_number:
        parts.append(f"Doc. {action.document_number}")
    return ", ".join(filter(None, parts))


def _moment(text: str) -> str:
    if len(text) == len("2021-06-03"):
        return text
    moment = dt.datetime.fromisoformat(text).astimezone(ZoneInfo(HOME))
    return f"{moment.day} {moment:%B %Y, %H:%M:%S} (New York)"
