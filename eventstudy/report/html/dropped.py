"""What was dropped and what was flagged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...analysis.answer import answer_of, main_test_of
from ...calendars.window import Window
from ...fitting.large_samples import LISTED, many
from ...significance import STATISTICS
from ...utility.numbers import capitalised, clipped, count, date_iso, percent, pvalue, window_text
from ...utility.units import words
from ..content.subject import Page
from ..content.window_reach import extended, lacking, lacking_count, remedies
from ..content.wording import FLAGS, flag_counts, flag_words, reason_head, reasons
from .events import event_name

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy

OPEN_LIST = 6

LISTED_FLAGS = 8


@dataclass(frozen=True, slots=True)
class Dropped:
    """Events dropped for one kind of reason: how many, and those that are listed by what was said
    of them.

    `parts` are texts with the events that have them, each as session, name, ticker and id.
    """

    reason: str
    n: int
    parts: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...]

    @property
    def listed(self) -> int:
        """How many events are listed."""
        return sum(len(events) for _, events in self.parts)


def dropped(results: FittedStudy) -> tuple[Dropped, ...]:
    """Return the dropped events by kind of reason, most frequent first; equal reasons are said
    once."""
    kinds: dict[str, dict[str, list[tuple[str, str, str, str]]]] = {}
    lost = results.events[~results.ok]
    for event in (lost.iloc[:LISTED] if many(results) else lost).to_dict("records"):
        line = {str(k): v for k, v in event.items()}
        alike = kinds.setdefault(reason_head(str(line["reason"])), {})
        alike.setdefault(clipped(line["reason"], 400), []).append((
            date_iso(line["day0"]), event_name(line), clipped(line["ticker"]),
            clipped(line["event_id"]),
        ))  # fmt: skip
    return tuple(
        Dropped(
            clipped(reason),
            n,
            tuple((said, tuple(of)) for said, of in kinds.get(reason, {}).items()),
        )
        for reason, n in reasons(results)
    )


def flagged(page: Page) -> list[tuple[str, str, str, str, str, str]]:
    """Return what is left out, meaning, events left out, events left, and effect and p of these;
    all first.

    The numbers are those of ``without_flagged.csv``. The test stays that of all events, so that
    those left out alone make the difference.
    """
    table, sample = page.beside("without_flagged"), page.sample
    if table is None:
        return []
    found = answer_of(sample, page.main)
    own = table[(table["start"] == page.main.start) & (table["stop"] == page.main.stop)]
    flags = flag_counts(sample)
    rows = [_row("All events", "", "", found.n_events, found.effect.estimate, found.pvalue)]
    for row in own[own["test"] == found.test].to_dict("records"):
        left_out = str(row["left_out"])
        n = flags[left_out] if left_out in flags else found.n_events - row["n_events"]
        numbers = (row["n_events"], row["weighted_caar"], row["pvalue"])
        name = clipped(flag_words(left_out), 60)
        rows.append(_row(capitalised(name), _meaning(left_out), f"{n:,}", *numbers))
    return rows


def _row(
    name: str, meaning: str, n: str, left: int, effect: float, p: float
) -> tuple[str, str, str, str, str, str]:
    return (
        name, meaning, n, f"{left:,}", percent(effect, unit=False), pvalue(p),
    )  # fmt: skip


def _meaning(left_out: str) -> str:
    if left_out.startswith("date "):
        return "the date that has more than a third of the events"
    return words().say(FLAGS.get(left_out, ""))


def without(results: FittedStudy, window: Window) -> str:
    """Say how many of the used events have no CAR over `window`, and how many one that runs on
    beyond it."""
    lost, on = lacking_count(results, window), len(extended(results, window))
    said = [f"{lost:,} {'has' if lost == 1 else 'have'} no CAR"] * (lost > 0)
    said += [f"{on:,} {'runs' if on == 1 else 'run'} on to the first close off a price limit"] * (
        on > 0
    )
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
        "flagged": flagged(page),
        "flagged_file": f"without_flagged{'_by_group' * bool(page.group)}.csv",
        "flagged_about": f"{page.subject}, {window_text(page.main)}; "
        f"p: {STATISTICS[main_test_of(sample, page.main)].label}",
        "ledger_lede": f"{count(total, 'announcement')} read: {used:,} used, {lost}. "
        f"{without(results, page.main)}".strip(),
    }
