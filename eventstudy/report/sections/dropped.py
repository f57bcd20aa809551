"""What was dropped, what was flagged, and the answer without the events of each flag."""

from __future__ import annotations

from dataclasses import dataclass

from ...findings.events import Event
from ...findings.samples import CarRemark
from ...findings.types import Findings
from ...significance import STATISTICS
from ...utility.catalogue import say
from ...utility.flags import Flag
from ...utility.numbers import capitalised, clipped, percent, pvalue
from ...utility.units import words
from .answer import remedies, subject
from .events import flag_meaning, flag_words
from .table import Row, Table, table_of

# A list is open from the start if it is no longer.
OPEN = 6


@dataclass(frozen=True, slots=True)
class DroppedKind:
    """Events dropped for one kind of reason.

    Attributes
    ----------
    reason, remedy : str
        What the events have in common, and what to do about it; "" where nothing is known to help.
    n : int
    reasons : dict of str to list of Event
        Each reason in full with the events that are listed of it.
    is_open : bool
    """

    reason: str
    remedy: str
    n: int
    reasons: dict[str, list[Event]]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Remarks:
    """Used events whose CAR over the main window is missing, or runs on beyond it."""

    title: str
    n: int
    remarks: tuple[CarRemark, ...]
    remedy: str

    @property
    def is_open(self) -> bool:
        """Whether the list is open from the start."""
        return self.n <= OPEN


@dataclass(frozen=True, slots=True)
class DroppedSection:
    """What became of the events that are not simply used.

    Attributes
    ----------
    lede : str
    kinds : list of DroppedKind
        The most frequent first.
    remarks : list of Remarks
    left_out : Table, optional
        The answer without the events of each flag.
    file : str
        CSV file behind that table.
    flags : Table, optional
        Each flag with its meaning and number of used events.
    """

    lede: str
    kinds: list[DroppedKind]
    remarks: list[Remarks]
    left_out: Table | None
    file: str
    flags: Table | None


def dropped_section(findings: Findings) -> DroppedSection:
    """Return what was dropped and flagged, with the sentence above."""
    sample, main = findings.pooled, findings.setup.main
    lacking = Remarks(
        say("dropped.lacking", window=main), sample.n_lacking, sample.lacking,
        remedies(sample.lacking),
    )  # fmt: skip
    extended = Remarks(
        say("dropped.extended", window=main), len(sample.extended), sample.extended, ""
    )
    return DroppedSection(
        lede=_lede(findings),
        kinds=_kinds(findings),
        remarks=[remarks for remarks in (lacking, extended) if remarks.n],
        left_out=_left_out(findings),
        file=f"without_flagged{'_by_group' * bool(findings.groups)}.csv",
        flags=_flags(findings),
    )


def _lede(findings: Findings) -> str:
    """Return how many events were dropped, have no CAR, and run on beyond the window."""
    setup, sample = findings.setup, findings.pooled
    lost = setup.n_events - setup.n_used
    facts = {"n": setup.n_events, "used": setup.n_used, "lost": lost, "window": setup.main}
    numbers = {"no_car": sample.n_lacking, "run_on": len(sample.extended)}
    codes = ["some" if lost else "none", *(code for code, n in numbers.items() if n)]
    return " ".join(say(f"dropped.lede_{code}", **facts, **numbers) for code in codes)


def _kinds(findings: Findings) -> list[DroppedKind]:
    """Return the dropped events by kind of reason; equal reasons are said once."""
    reasons: dict[str, dict[str, list[Event]]] = {}
    for event in findings.events:
        if not event.is_used:
            alike = reasons.setdefault(event.reason.head, {})
            alike.setdefault(clipped(event.reason, 400), []).append(event)
    kinds = []
    for reason, n in findings.dropped:
        alike = reasons.get(reason.head, {})
        is_open = sum(map(len, alike.values())) <= OPEN or not findings.setup.n_used
        kinds.append(DroppedKind(clipped(reason.head), reason.remedy, n, alike, is_open))
    return kinds


def _left_out(findings: Findings) -> Table | None:
    """Return the answer of the sample without the events of each flag, all events first.

    The test stays that of all events, so the events left out alone make the difference.
    """
    table, sample = findings.beside("without_flagged"), findings.sample
    if table is None:
        return None
    answer = sample.answer
    rows = [
        _row(say("dropped.all"), "", "", answer.n_events, answer.effect.estimate, answer.pvalue)
    ]
    without = findings.over_main(table)
    for row in without[without["test"] == answer.test].to_dict("records"):
        name = str(row["left_out"])
        n = sample.flags.get(name, answer.n_events - row["n_events"])
        meaning = flag_meaning(name) if name in list(Flag) else say("dropped.date")
        numbers = (row["n_events"], row["weighted_caar"], row["pvalue"])
        rows.append(_row(capitalised(clipped(flag_words(name), 60)), meaning, f"{n:,}", *numbers))
    facts = {"subject": subject(findings), "window": findings.setup.main}
    test = STATISTICS[answer.test].label
    return table_of("dropped.left_out", "tNNnn", rows, **facts, test=test, unit=words().head)


def _row(name: str, meaning: str, n: str, left: int, effect: float, p: float) -> Row:
    return Row((name, n, f"{left:,}", percent(effect, unit=False), pvalue(p)), meaning)


def _flags(findings: Findings) -> Table | None:
    """Return the flags of used events with what they mean, the most frequent first."""
    counts = sorted(findings.pooled.flags.items(), key=lambda item: (-item[1], item[0]))
    rows = [Row((clipped(flag_words(f), 60), flag_meaning(f), f"{n:,}")) for f, n in counts]
    return table_of("dropped.flags", "ttn", rows) if rows else None
