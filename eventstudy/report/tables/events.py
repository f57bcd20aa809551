"""The used events by CAR over the main window, groups of them, and what was dropped and flagged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...analysis import Answer, Interval
from ...files import BLANK
from ...findings import Event, Findings
from ...significance import STATISTICS
from ...utility import Flag
from ...words import LEVEL, capitalised, clipped, has, say, words
from ..sentences.answer import count_subject, name_remedy, name_sample, short_name
from .columns import EFFECT, ESTIMATE, EVENTS, NAME, PVALUE, Column, Kind
from .robustness import SingleEvents
from .table import Row, Table, effect_values, make_table

# A flag that nearly every event carries is said once instead of at each event.
NEARLY_ALL = 0.8
# From so many missing announcements on they are shown by exchange; exchanges and reasons at most.
FEW_MISSING, MOST_PLACES, MOST_LACKS = 5, 7, 2
# Columns that describe the announcement, the best first.
DESCRIPTIONS = ("instrument", "headline", "title", "action", "description", "source_title")


def events_table(findings: Findings) -> Table:
    """Return the used events that are listed, by CAR over the main window.

    Parameters
    ----------
    findings : Findings
        With a used event.
    """
    anchors = name_anchors(findings)
    rows = []
    for event in in_order(findings):
        if event.is_used:
            row = _event_row(findings, event)
            rows.append(replace(row, anchor=anchors[event.cells["event_id"]], link=event.page))
    group = [Column("group", Kind.TEXT, is_wide=True)] if findings.groups else []
    shown = (NAME, Column("day0", Kind.DATE), *group, *ESTIMATE)
    return make_table("folds.announcements", shown, rows, window=findings.setup.main)


def name_anchors(findings: Findings) -> dict[str, str]:
    """Return the anchor of the row of each listed event on the page, by the id of the event.

    Parameters
    ----------
    findings : Findings
    """
    ids = [event.cells["event_id"] for event in findings.events]
    return {name: f"e{at}" for at, name in enumerate(ids, 1)}


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


def _event_row(findings: Findings, event: Event) -> Row:
    car, column = event.car(findings.setup.main), findings.setup.group_column
    flags = [flag for flag in event.flags if flag not in find_common_flags(findings)]
    names = [clipped(name, 40) for name in event.merged]
    tags = [write_flag(flag)[:40] for flag in flags if flag != Flag.MERGED]
    tags += [say("event_page.with", events=names)] if names else []
    about = " · ".join(filter(None, [clipped(describe_event(event), 90), ", ".join(tags)]))
    values = {
        "name": short_name(event.name), "day0": event.day0, "effect": car.car,
        "interval": car.interval, "pvalue": car.pvalue,
        "group": clipped(event.cells.get(column) or BLANK),
    }  # fmt: skip
    return Row(values, about)


def count_significant(findings: Findings) -> str:
    """Return how many events are significant on their own, and after Holm's correction."""
    main, families = findings.pooled.main, findings.tables.get("families")
    counted = None if families is None else SingleEvents.of(families)
    n, total, holm = main.significant, main.answer.n_averaged, ""
    if counted:
        n, total = counted.raw, counted.n
        code = "events.holm" if counted.holm else "events.holm_none"
        holm = say(code, n=counted.holm, smallest=counted.smallest)
    if total < 2:
        return ""
    facts = {"n": n, "total": total, "chance": LEVEL * total, "holm": holm}
    return say("events.lede" if n else "events.lede_none", **facts)


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
    """

    reason: str
    remedy: str
    n: int
    reasons: dict[str, list[Event]]


def dropped_lede(findings: Findings) -> str:
    """Return how many events were dropped, have no CAR, and run on beyond the window."""
    setup, sample = findings.setup, findings.pooled
    lost = setup.n_events - setup.n_used
    facts = {"n": setup.n_events, "used": setup.n_used, "lost": lost, "window": setup.main}
    numbers = {"no_car": sample.n_lacking, "run_on": len(sample.extended)}
    codes = ["some" if lost else "none", *(code for code, n in numbers.items() if n)]
    return " ".join(say(f"dropped.lede_{code}", **facts, **numbers) for code in codes)


def dropped_kinds(findings: Findings) -> list[DroppedKind]:
    """Return the dropped events by kind of reason; equal reasons are said once."""
    reasons: dict[str, dict[str, list[Event]]] = {}
    for event in findings.events:
        if not event.is_used:
            alike = reasons.setdefault(event.reason.head, {})
            alike.setdefault(clipped(event.reason, 400), []).append(event)
    return [
        DroppedKind(clipped(why.head), name_remedy(findings, why), n, reasons.get(why.head, {}))
        for why, n in findings.dropped
    ]


def missing_table(findings: Findings) -> Table | None:
    """Return the announcements of the answer and those that it lacks, by exchange.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    Table or None
        A row an exchange, the one with most announcements first; the last row has all smaller ones.
        After the column of those that are used, one for each frequent reason. None for few that are
        missing, unless the caveat speaks of them.
    """
    answer = findings.sample.answer
    missing, caveat = answer.missing, answer.find_caveat()
    if missing is None or not any(missing.by_place):
        return None
    if missing.count < FEW_MISSING and not (caveat and caveat.code.endswith("_missing")):
        return None
    lacks = sum((Counter(counts) for counts in missing.by_place.values()), Counter[str]())
    del lacks["used"]
    frequent = ["used", *(code for code, _ in lacks.most_common(MOST_LACKS))]
    rows = []
    for place, counts in _merge_small(missing.by_place).items():
        values = {code: n for code, n in counts.items() if code in frequent}
        others = sum(counts.values()) - sum(values.values())
        if others:
            values["other"] = values.get("other", 0) + others
        rows.append(Row({"name": place or say("missing.nowhere"), **values}))
    codes = list(frequent)
    if len(lacks) > MOST_LACKS and "other" not in codes:
        codes.append("other")
    counted = [Column(code, Kind.COUNT, head=say(f"missing.head.{code}")) for code in codes]
    who = count_subject(missing.n_listed, name_sample(findings))
    table = make_table("missing.table", (NAME, *counted), rows, who=who)
    speaking = [place for place, counts in missing.by_place.items() if counts.get("used")]
    if len(speaking) == 1 < len(missing.by_place) and speaking[0]:
        caption = capitalised(say("missing.only", who=who, place=speaking[0]))
        table = replace(table, caption=caption)
    return table


def _merge_small(by_place: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """Return the counts of the largest exchanges, and those of all others together."""
    listed = list(by_place.items())
    if len(listed) <= MOST_PLACES + 1:
        return dict(listed)
    smaller = Counter[str]()
    for _, counts in listed[MOST_PLACES:]:
        smaller.update(counts)
    name = say("missing.smaller", n=len(listed) - MOST_PLACES)
    return {**dict(listed[:MOST_PLACES]), name: smaller}


def left_out_table(findings: Findings) -> Table | None:
    """Return the answer of the sample without the events of each flag, all events first.

    The test stays that of all events, so the events left out alone make the difference.
    """
    table, sample = findings.beside("without_flagged"), findings.sample
    if table.empty:
        return None
    answer = sample.answer
    numbers = answer.n_events, answer.effect.estimate, answer.pvalue
    rows = [_left_out_row(say("dropped.all"), "", 0, *numbers)]
    without = findings.over_main(table)
    for row in without[without["test"] == answer.test].to_dict("records"):
        name = str(row["left_out"])
        n = sample.flags.get(name, answer.n_events - row["n_events"])
        meaning = explain_flag(name)
        numbers = (row["n_events"], row["weighted_caar"], row["pvalue"])
        rows.append(_left_out_row(capitalised(write_flag(name)), meaning, n, *numbers))
    facts = {"subject": name_sample(findings), "window": findings.setup.main}
    test = STATISTICS[answer.test].label
    columns = (NAME, Column("left_out", Kind.COUNT, is_wide=True), EVENTS, EFFECT, PVALUE)
    return make_table("dropped.left_out", columns, rows, **facts, test=test)


def _left_out_row(name: str, meaning: str, n: int, n_events: int, effect: float, p: float) -> Row:
    values = {"name": name, "left_out": n or "", "events": n_events, "effect": effect, "pvalue": p}
    return Row(values, meaning)


def flags_table(findings: Findings) -> Table | None:
    """Return the flags of used events with what they mean, the most frequent first."""
    counts = sorted(findings.pooled.flags.items(), key=lambda item: (-item[1], item[0]))
    columns = (NAME, Column("meaning", Kind.TEXT), Column("events", Kind.COUNT))
    rows = [
        Row({"name": write_flag(flag), "meaning": explain_flag(flag), "events": n})
        for flag, n in counts
    ]
    return make_table("dropped.flags", columns, rows) if rows else None


def differences_table(findings: Findings) -> Table | None:
    """Return the mean difference of each pair of groups with its p; None without any."""
    table = findings.tables.get("differences")
    if table is None or table.empty:
        return None
    rows = []
    for pair in table.to_dict("records"):
        effect = Interval(pair["difference"], np.nan, pair["ci_low"], pair["ci_high"])
        name = say("groups.pair", one=clipped(pair["one"], 60), other=clipped(pair["other"], 60))
        rows.append(Row({"name": name, **effect_values(effect), "pvalue": pair["pvalue"]}))
    return make_table("folds.differences", (NAME, *ESTIMATE), rows)


def group_lede(findings: Findings) -> str:
    """Return which of the groups moved."""
    verdicts = {clipped(s.group, 60): s.answer.verdict for s in findings.groups}
    decisions = (Answer.DIFFERENT, Answer.NOT_DIFFERENT)
    decided = [name for name, verdict in verdicts.items() if verdict in decisions]
    changed = [name for name in decided if verdicts[name] == Answer.DIFFERENT]
    n, main = len(decided), findings.setup.main
    if not decided:
        kind = "early" if Answer.PROVISIONAL in verdicts.values() else "none"
        return say(f"groups.{kind}", main=main)
    several = "several" if n > 1 else "one"
    facts = {"n": n, "main": main, "name": decided[0]}
    if not changed:
        return say(f"groups.no_move_{several}", **facts)
    changes = {"k": words().word(len(changed)), "names": words().listed(changed)}
    return say(f"groups.move_{several}", **facts, **changes)
