"""What was dropped and what was flagged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..listing import LISTED, many
from ..pvalues import pvalue
from ..significance import STATISTICS
from ..windows import Window
from .events import event_name
from .extent import extended, lacking, lacking_count, remedies
from .measures import words
from .page import Page
from .wording import (
    FLAGS,
    MISSING,
    clipped,
    common_flags,
    count,
    date_iso,
    flag_counts,
    flag_words,
    flags_of,
    percent,
    reason_head,
    reasons,
    window_text,
)

if TYPE_CHECKING:
    from ..results import EventStudyResults

OPEN_LIST = 6

LISTED_FLAGS = 8


@dataclass(frozen=True, slots=True)
class Dropped:
    """Events dropped for one kind of reason: how many, and those that are listed by what was said of them.

    `parts` are texts with the events that have them, each as session, name, ticker and id.
    """

    reason: str
    n: int
    parts: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...]

    @property
    def listed(self) -> int:
        """How many events are listed."""
        return sum(len(events) for _, events in self.parts)


def dropped(results: EventStudyResults) -> tuple[Dropped, ...]:
    """Return the dropped events by kind of reason, most frequent first; equal reasons are said once."""
    kinds: dict[str, dict[str, list[tuple[str, str, str, str]]]] = {}
    lost = results.events[~results.ok]
    for event in (lost.iloc[:LISTED] if many(results) else lost).to_dict("records"):
        line = {str(k): v for k, v in event.items()}
        alike = kinds.setdefault(reason_head(str(line["reason"])), {})
        alike.setdefault(clipped(line["reason"], 400), []).append((
            date_iso(line["day0"]), event_name(line), clipped(line["ticker"]), clipped(line["event_id"]),
        ))  # fmt: skip
    return tuple(
        Dropped(clipped(reason), n, tuple((said, tuple(of)) for said, of in kinds.get(reason, {}).items()))
        for reason, n in reasons(results)
    )


def flagged(results: EventStudyResults, window: Window) -> list[tuple[str, str, str, str, str, str]]:
    """Return flag, meaning, events flagged, events left, and CAAR and p without the flagged ones; all first.

    The test stays that of all events, so that the flagged ones alone make the difference.
    """
    common = common_flags(results)
    telling = [item for item in flag_counts(results).most_common() if item[0] not in common]
    rows = [_without("All events used", "", "", results, results.recommended_for(window), window)]
    for flag, n in telling[:LISTED_FLAGS]:
        has = np.array([flag in flags_of(cell) for cell in results.events["flags"]], dtype=bool)
        rest = results.subset(results.ok & ~has)
        name = clipped(flag_words(flag), 60).capitalize()
        lead = results.recommended_for(window)
        rows.append(_without(name, _flag_meaning(flag), f"{n:,}", rest, lead, window))
    return rows if telling else []


def _without(
    name: str, meaning: str, n: str, rest: EventStudyResults, lead: str, window: Window
) -> tuple[str, str, str, str, str, str]:
    """Return one line: what was left out, and CAAR and p of the events left."""
    test = rest.test(lead, window) if len(rest) else None
    return (
        name, meaning, n, f"{len(rest):,}", percent(test.estimate, unit=False) if test else MISSING,
        pvalue(test.pvalue) if test and not test.reason else MISSING,
    )  # fmt: skip


def _flag_meaning(flag: str) -> str:
    return words().say(FLAGS.get(flag, ""))


def without(results: EventStudyResults, window: Window) -> str:
    """Say how many of the used events have no CAR over `window`, and how many one that runs on beyond it."""
    lost, on = lacking_count(results, window), len(extended(results, window))
    said = [f"{lost:,} {'has' if lost == 1 else 'have'} no CAR"] * (lost > 0)
    said += [f"{on:,} {'runs' if on == 1 else 'run'} on to the first close off a price limit"] * (on > 0)
    return f"Over {window_text(window)} {' and '.join(said)}." if said else ""


def ledger(page: Page) -> dict[str, Any]:
    """Return what was dropped, what was flagged, and the sentence above."""
    results, sample = page.results, page.sample
    total, used = len(results.events), len(results)
    lost = f"{total - used:,} dropped, each with its reason" if total > used else "none dropped"
    return {
        "dropped": dropped(results),
        "lacking": lacking(results, page.main),
        "remedies": remedies(lacking(results, page.main)),
        "extended": extended(results, page.main),
        "open_list": OPEN_LIST,
        "flagged": flagged(sample, page.main) if len(sample) > 1 and not many(results) else [],
        "flagged_about": f"{page.subject}, {window_text(page.main)}; "
        f"p: {STATISTICS[sample.recommended_for(page.main)].label}",
        "ledger_lede": f"{count(total, 'announcement')} read: {used:,} used, {lost}. "
        f"{without(results, page.main)}".strip(),
    }
