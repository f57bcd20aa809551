"""What was found in the record, in words."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from ..words import clipped, say
from .candidates import Match
from .names import fold
from .review import Row
from .types import HOME, Action, Named

# Verbs of actions that are counted, in the order in which they are told.
COUNTED = ("added", "relisted", "revised", "corrected", "withdrawn", "removed", "unclear")
_PARTS = {
    "before_open": "before the open", "in_session": "during the session",
    "after_close": "after the close", "closed day": "on a day without a session",
}  # fmt: skip
# Letters that are shown of earlier and of new words.
LONGEST_WORDS = 600
# Actions whose days are told one by one.
MOST_ACTIONS = 4


def describe_found(
    sources: Sequence[str], named: Sequence[Named], rows: Sequence[Row]
) -> Iterator[str]:
    """Yield the lines of what was found: who was named, with which shares, and since when.

    Parameters
    ----------
    sources : sequence of str
        That were read.
    named : sequence of Named
    rows : sequence of Row
    """
    by_source = defaultdict(list)
    for entry in named:
        by_source[entry.action.source].append(entry)
    for source in sources:
        counts = _counts(by_source[source]) if source in by_source else [say("found.nobody")]
        yield f"{source}: {', '.join(counts)}"
    if not rows:
        return
    yield _shares(named, rows)
    yield from _times(rows)
    known = sum(bool(row.facts.get("already") or row.facts.get("earlier")) for row in rows)
    if known:
        yield say("found.known", n=known)
    if stale := sum(row.state == "stale" for row in rows):
        yield say("found.stale", n=stale)


def _counts(entries: Iterable[Named]) -> Iterator[str]:
    by_verb = defaultdict(Counter)  # type: ignore[var-annotated]
    for entry in entries:
        by_verb[entry.action.verb][_day_of(entry.action)] += 1
    for verb in COUNTED:
        actions = by_verb[verb]
        if not actions:
            continue
        facts = {"n": sum(actions.values()), "verb": verb, "actions": len(actions)}
        days = ""
        if len(actions) <= MOST_ACTIONS:
            days = f" ({', '.join(f'{day}: {n}' for day, n in sorted(actions.items()))})"
        yield say("found.named", **facts) + days


def _day_of(action: Action) -> str:
    """Return the day of an action; that of the first look at it where it says none."""
    at = action.claimed or action.seen
    return f"{at:%Y-%m-%d}" if at else "unknown"


def _shares(named: Sequence[Named], rows: Sequence[Row]) -> str:
    by_match = Counter(row.candidate.match for row in rows)
    firms = {fold(row.candidate.named.name) for row in rows if row.candidate.ticker}
    facts = {
        "firms": len(firms), "printed": by_match[Match.IDENTIFIER], "same": by_match[Match.SAME],
        "similar": by_match[Match.SIMILAR],
        "others": len(named) - len({fold(row.candidate.named.name) for row in rows
                                    if row.candidate.match is not Match.NONE}),
    }  # fmt: skip
    parts = [say("found.printed", **facts)]
    parts += [say("found.same", **facts)] * bool(facts["same"])
    parts += [say("found.similar", **facts)] * bool(facts["similar"])
    return f"{' '.join(parts)} {say('found.others', **facts)}"


def _times(rows: Iterable[Row]) -> Iterator[str]:
    """Yield since when the entries were public, those of one minute together."""
    by_minute: dict[tuple[dt.datetime, str], set[str]] = defaultdict(set)
    dates: set[tuple[str, str]] = set()
    undated: dict[str, str] = {}
    for row in rows:
        candidate = row.candidate
        name, moment = candidate.firm, candidate.clock.public_by
        if isinstance(moment, dt.datetime):
            place = candidate.proof.action.url.split("/")[2]
            by_minute[moment, place].add(name)
        elif moment is None:
            undated[name] = candidate.named.name
        else:
            dates.add((candidate.action.key, name))
    for (moment, place), names in sorted(by_minute.items()):
        local = f"{moment.astimezone(ZoneInfo(HOME)):%Y-%m-%d %H:%M:%S}"
        yield say("found.minute", n=len(names), at=local, where=place)
    if dates:
        yield say("found.date", n=len(dates))
    if undated:
        yield say("found.undated", n=len(undated), names=undated.values())


def describe_row(row: Row) -> Iterator[str]:
    """Yield the lines of one candidate: the share, the time, the evidence, and what is near it.

    Parameters
    ----------
    row : Row
    """
    cells = row.cells()
    candidate = row.candidate
    printed = ""
    if candidate.match is Match.IDENTIFIER:
        numbers = candidate.named.identifiers.get("ticker", ())
        printed = f": {' '.join(', '.join(numbers).split())}" if numbers else ""
    share = {**cells, "ticker": cells["ticker"] or "no share"}
    yield say("candidate.share", **share, printed=printed)
    seen = candidate.action.seen
    yield say(
        "candidate.time", **cells, where=candidate.proof.action.url.split("/")[2],
        seen=f"{seen:%Y-%m-%d %H:%M} UTC" if seen else "",
    )  # fmt: skip
    if cells.get("day0"):
        part = _PARTS.get(cells["session_then"], "at an hour that is not known")
        yield say("candidate.day0", **{**cells, "session_then": part})
    yield f'"{" ".join(candidate.proof.excerpt.split())}"'
    before, now = candidate.named.change
    if before:
        yield say("candidate.before", text=clipped(before, LONGEST_WORDS))
        yield say("candidate.now", text=clipped(now, LONGEST_WORDS))
    yield say("candidate.evidence", **cells)
    for name in ("also_named", "alternatives", "not_listed_then", "same_day", "already", "earlier"):
        if cells.get(name):
            kind = "elsewhere" if name == "alternatives" and candidate.ticker else name
            yield say(f"candidate.{kind}", **cells)
    yield say("candidate.bound")
    if row.decision:
        yield say("candidate.decided", by=row.decision.decided_by, **cells)
