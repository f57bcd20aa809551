"""The used events by CAR over the main window; and what was dropped and flagged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...findings.types import Event, Findings
from ...significance import STATISTICS
from ...utility.catalogue import has, say
from ...utility.csv_text import BLANK
from ...utility.flags import NEUTRAL
from ...utility.numbers import (
    LEVEL,
    capitalised,
    clipped,
    date_iso,
    percent,
    pvalue,
)
from ...utility.units import words
from .answer import name_remedy, name_sample
from .caveats import remedies
from .table import Row, Table, make_table

# A flag that nearly every event carries is said once instead of at each event.
NEARLY_ALL = 0.8
# Columns that describe the announcement, the best first.
DESCRIPTIONS = ("instrument", "headline", "title", "action", "description", "source_title")
# A list of dropped events is open from the start if it is no longer.
OPEN = 6


@dataclass(frozen=True, slots=True)
class EventRow:
    """One used event; numbers in decimal, NaN where missing.

    Attributes
    ----------
    name, group, event_id, date : str
        Company; group "" for one sample; the date is day 0 (ISO).
    car, se, pvalue : float
        CAR, its standard error, and p of the t-test of the event.
    interval : tuple of float
        95% interval of the CAR.
    about : str
        What was announced, in short.
    tags : tuple of (str, bool)
        Flags in words, each with whether it points at an issue of the data, but for those that
        nearly every event carries.
    page : str
        Address of the page of the event.
    """

    name: str
    group: str
    event_id: str
    date: str
    car: float
    se: float
    pvalue: float
    interval: tuple[float, float]
    about: str
    tags: tuple[tuple[str, bool], ...]
    page: str


@dataclass(frozen=True, slots=True)
class EventsTable:
    """The used events by CAR, those without one last.

    Attributes
    ----------
    rows : tuple of EventRow
    groups : tuple of str
        Names of the groups; empty for one sample.
    lede : str
        How many are significant on their own.
    """

    rows: tuple[EventRow, ...]
    groups: tuple[str, ...]
    lede: str


def events_table(findings: Findings) -> EventsTable:
    """Return the used events that are listed.

    Parameters
    ----------
    findings : Findings
        With a used event.
    """
    rows = [_event_row(findings, event) for event in in_order(findings) if event.is_used]
    groups = tuple(clipped(sample.group) for sample in findings.groups)
    return EventsTable(tuple(rows), groups, _lede(findings))


def in_order(findings: Findings) -> list[Event]:
    """Return the listed events by CAR over the main window, those without one and dropped last."""

    def key(event: Event) -> tuple[bool, bool, float]:
        car = event.car(findings.setup.main).car if event.is_used else np.nan
        return not event.is_used, bool(np.isnan(car)), 0.0 if np.isnan(car) else car

    return sorted(findings.events, key=key)


def find_common_flags(findings: Findings) -> dict[str, int]:
    """Return the flags that nearly every used event carries, with their numbers."""
    n = findings.setup.n_used
    counts = findings.pooled.flags.items()
    return {flag: k for flag, k in counts if n > 1 and k > NEARLY_ALL * n}


def common_notes(findings: Findings) -> Iterator[str]:
    """Yield a sentence on each flag that nearly every used event carries."""
    for flag, n in find_common_flags(findings).items():
        name = write_flag(flag).capitalize()
        yield say("events.common", flag=name, n=n, total=findings.setup.n_used)


def describe_event(event: Event) -> str:
    """Return what was announced, in short; "" if the events file does not say."""
    return next((text for c in DESCRIPTIONS if (text := str(event.cells.get(c, "")).strip())), "")


def write_flag(flag: str) -> str:
    """Return a flag as words, which are 60 letters at most."""
    return clipped(flag.replace("_", " "), 60)


def explain_flag(flag: str) -> str:
    """Return what a flag means; "" for one that is not of this tool."""
    return say(f"flag.{flag}", datum=words().datum) if has(f"flag.{flag}") else ""


def safe_url(value: object) -> str:
    """Return an http(s) address, or "" for anything else."""
    text = str(value).strip()
    is_web = re.fullmatch(r"https?://[^\s\x00-\x1f<>\"'`]{1,2000}", text, re.IGNORECASE)
    return text if is_web else ""


def _event_row(findings: Findings, event: Event) -> EventRow:
    car, cells, column = event.car(findings.setup.main), event.cells, findings.setup.group_column
    group, common = (cells.get(column) or BLANK) if column else "", find_common_flags(findings)
    flags = (flag for flag in event.flags if flag not in common)
    return EventRow(
        name=clipped(event.name), group=clipped(group), event_id=str(cells["event_id"]),
        date=date_iso(event.day0), car=car.car, se=car.se, pvalue=car.pvalue,
        interval=car.interval, about=clipped(describe_event(event), 90),
        tags=tuple((write_flag(flag)[:40], flag not in NEUTRAL) for flag in flags),
        page=event.page,
    )  # fmt: skip


def _lede(findings: Findings) -> str:
    """Return how many events are significant on their own, and after Holm's correction."""
    main, families = findings.pooled.main, findings.tables.get("families")
    n, total = main.significant, main.answer.n_events
    if total < 2:
        return ""
    facts = {"total": total, "chance": LEVEL * total}
    holm = ""
    if families is not None:
        adjusted = families.loc[families["family"] == "events", "holm"].dropna()
        n_holm = int((adjusted < LEVEL).sum())
        if len(adjusted):
            code = "events.holm" if n_holm else "events.holm_none"
            holm = say(code, n=n_holm, smallest=float(adjusted.min()))
    return say("events.lede" if n else "events.lede_none", n=n, holm=holm, **facts)


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
class DroppedSection:
    """What became of the events that are not simply used.

    Attributes
    ----------
    lede : str
    kinds : list of DroppedKind
        The most frequent first.
    remarks : list of dict
        Used events whose CAR over the main window is missing, or runs on beyond it: ``title``,
        ``n``, ``is_open``, ``remarks`` and ``remedy``.
    left_out : Table, optional
        The answer without the events of each flag.
    flags : Table, optional
        Each flag with its meaning and number of used events.
    """

    lede: str
    kinds: list[DroppedKind]
    remarks: list[dict[str, Any]]
    left_out: Table | None
    flags: Table | None


def dropped_section(findings: Findings) -> DroppedSection:
    """Return what was dropped and flagged, with the sentence above."""
    sample, main = findings.pooled, findings.setup.main
    lists = {"lacking": (sample.n_lacking, sample.lacking)}
    lists["extended"] = (len(sample.extended), sample.extended)
    remarks = [
        {
            "title": say(f"dropped.{code}", window=main), "n": n, "is_open": n <= OPEN,
            "remarks": remarks, "remedy": remedies(remarks),
        }
        for code, (n, remarks) in lists.items()
        if n
    ]  # fmt: skip
    lede, kinds = _dropped_lede(findings), _kinds(findings)
    return DroppedSection(lede, kinds, remarks, _left_out(findings), _flags(findings))


def _dropped_lede(findings: Findings) -> str:
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
        remedy = name_remedy(findings, reason)
        is_open = sum(map(len, alike.values())) <= OPEN or not findings.setup.n_used
        kinds.append(DroppedKind(clipped(reason.head), remedy, n, alike, is_open))
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
        _left_out_row(
            say("dropped.all"), "", "", answer.n_events, answer.effect.estimate, answer.pvalue
        )
    ]
    without = findings.over_main(table)
    for row in without[without["test"] == answer.test].to_dict("records"):
        name = str(row["left_out"])
        n = sample.flags.get(name, answer.n_events - row["n_events"])
        meaning = explain_flag(name)
        numbers = (row["n_events"], row["weighted_caar"], row["pvalue"])
        rows.append(_left_out_row(capitalised(write_flag(name)), meaning, f"{n:,}", *numbers))
    facts = {"subject": name_sample(findings), "window": findings.setup.main}
    test = STATISTICS[answer.test].label
    return make_table("dropped.left_out", "tNNnn", rows, **facts, test=test, unit=words().head)


def _left_out_row(name: str, meaning: str, n: str, left: int, effect: float, p: float) -> Row:
    return Row((name, n, f"{left:,}", percent(effect, unit=False), pvalue(p)), meaning)


def _flags(findings: Findings) -> Table | None:
    """Return the flags of used events with what they mean, the most frequent first."""
    counts = sorted(findings.pooled.flags.items(), key=lambda item: (-item[1], item[0]))
    rows = [Row((write_flag(f), explain_flag(f), f"{n:,}")) for f, n in counts]
    return make_table("dropped.flags", "ttn", rows) if rows else None
