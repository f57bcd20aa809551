"""The one table of events, by CAR over the main window; and what was dropped and flagged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...analysis.answer import DIFFERENT, PROVISIONAL
from ...findings.types import Event, Findings, Sample
from ...significance import STATISTICS
from ...utility.catalogue import NO_REASON, Reason, has, say
from ...utility.csv_text import BLANK
from ...utility.flags import NEUTRAL
from ...utility.numbers import (
    LEVEL,
    capitalised,
    clipped,
    date_iso,
    parameter_letter,
    percent,
    pvalue,
    span,
)
from ...utility.typing import FloatArray
from ...utility.units import words
from ..figures.study_figures import CarAxis, Sparklines
from .answer import name_sample
from .caveats import remedies
from .table import Row, Table, make_table

# A flag that nearly every event carries is said once instead of at each event.
NEARLY_ALL = 0.8
# Classes of a column of groups, the widest first, by the letters that a word must have.
WIDTHS = {"wide": 11, "middle": 8}
# Columns that describe the announcement, the best first.
DESCRIPTIONS = ("instrument", "headline", "title", "action", "description", "source_title")
SHAPES = ("circle", "square", "triangle")
# A list of dropped events is open from the start if it is no longer.
OPEN = 6


@dataclass(frozen=True, eq=False, slots=True)
class EventRow:
    """One event, or the effect of a sample; numbers in decimal, NaN where missing.

    Attributes
    ----------
    name, subtitle, group : str
        Company and announcement, or the sample and its main test; group "" for one sample.
    place : int
        Place of the group among the groups.
    car, se : float
        CAR and its standard error; of a sample the effect, without the error.
    interval : tuple of float
        95% interval.
    pvalue : float
        Of the t-test of the event, or of the main test.
    bhar : float
    is_significant, is_mean : bool
    path : FloatArray, optional
        CAR by event day, shape (L2,).
    event_id, date, ticker : str
        "" for a sample, as all below; the date is day 0 (ISO).
    tags : tuple of (str, bool)
        Flags in words, each with whether it points at an issue of the data, but for those that
        nearly every event carries.
    fit : str
        Slopes, R² and days of the estimation.
    url, page : str
        Address of the source, and of the page of the event.
    reason : Reason
        Why there is no CAR.
    """

    name: str
    subtitle: str
    group: str
    place: int
    car: float
    se: float
    interval: tuple[float, float]
    pvalue: float
    bhar: float
    is_significant: bool
    is_mean: bool
    path: FloatArray | None
    event_id: str = ""
    date: str = ""
    ticker: str = ""
    tags: tuple[tuple[str, bool], ...] = ()
    fit: str = ""
    url: str = ""
    page: str = ""
    reason: Reason = NO_REASON

    @property
    def tip(self) -> str:
        """The numbers of the mark."""
        code = "events.tip_interval" if np.isfinite(self.interval[0]) else "events.tip"
        ends = span(*self.interval, unit=False)
        return say(code, car=self.car, ends=ends, p=self.pvalue)


@dataclass(frozen=True, eq=False, slots=True)
class EventsTable:
    """The used events by CAR, those without one last, with the effects of the groups on top.

    Attributes
    ----------
    means, rows : tuple of EventRow
        No means for a single event.
    groups : tuple of str
        Names of the groups; empty for one sample.
    axis : CarAxis
        Of the marks.
    sparks : Sparklines, optional
        Scale of the small paths; None for an event window of one day.
    lede : str
        How many are significant on their own.
    notes : tuple of str
    """

    means: tuple[EventRow, ...]
    rows: tuple[EventRow, ...]
    groups: tuple[str, ...]
    axis: CarAxis
    sparks: Sparklines | None
    lede: str
    notes: tuple[str, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of the rows in words."""
        return tuple(sorted({flag for row in self.rows for flag, _ in row.tags}))

    @property
    def ticks(self) -> tuple[tuple[str, str], ...]:
        """Place and label of the ticks of the axis."""
        return self.axis.ticks

    @property
    def key(self) -> str:
        """Which shape stands for which group; "" for one sample."""
        names = [clipped(name, 40) for name in self.groups]
        names = [*names[:2], say("events.other_groups")] if len(names) > 3 else names
        return "".join(
            say("events.key", shape=say(f"events.{shape}"), group=name)
            for shape, name in zip(SHAPES, names if len(names) > 1 else (), strict=False)
        )

    @property
    def width(self) -> str:
        """Class of the column of groups by the letters of their longest word."""
        longest = max((len(word) for name in self.groups for word in name.split()), default=0)
        return next((kind for kind, least in WIDTHS.items() if longest >= least), "")


def events_table(findings: Findings) -> EventsTable:
    """Return the used events that are listed, and the effects of the samples.

    Parameters
    ----------
    findings : Findings
        With a used event.
    """
    main, samples = findings.setup.main, findings.groups or (findings.sample,)
    places = {sample.group: i for i, sample in enumerate(samples)}
    rows = [_event_row(findings, event, places) for event in in_order(findings) if event.is_used]
    means = [_mean_row(sample, i) for i, sample in enumerate(samples) if sample.answer.n_events]
    axis = CarAxis.of(event.car(main) for event in findings.used)
    days = findings.setup.event.days
    sparks = Sparklines.of(days, [event.path for event in findings.used]) if len(days) > 1 else None
    return EventsTable(
        means=tuple(means) if findings.setup.n_used > 1 else (),
        rows=tuple(rows),
        groups=tuple(clipped(sample.group) for sample in findings.groups),
        axis=axis,
        sparks=sparks,
        lede=_lede(findings),
        notes=tuple(_notes(findings, rows, axis, sparks)),
    )


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


def _event_row(findings: Findings, event: Event, places: Mapping[str, int]) -> EventRow:
    car, cells, column = event.car(findings.setup.main), event.cells, findings.setup.group_column
    group, common = (cells.get(column) or BLANK) if column else "", find_common_flags(findings)
    flags = (flag for flag in event.flags if flag not in common)
    return EventRow(
        name=clipped(event.name), subtitle=clipped(describe_event(event) or cells["event_id"]),
        group=clipped(group), place=places.get(group, 0), car=car.car, se=car.se,
        interval=car.interval, pvalue=car.pvalue, bhar=np.nan if words().quantity else car.bhar,
        is_significant=car.pvalue < LEVEL, is_mean=False, path=event.path,
        event_id=str(cells["event_id"]), date=date_iso(event.day0),
        ticker=clipped(cells["ticker"]),
        tags=tuple((write_flag(flag)[:40], flag not in NEUTRAL) for flag in flags),
        fit=_fit(findings, event), url=safe_url(cells.get("source_url", "")), page=event.page,
        reason=car.reason,
    )  # fmt: skip


def _mean_row(sample: Sample, place: int) -> EventRow:
    answer, n = sample.answer, sample.answer.n_events
    code = "events.mean_of" if sample.group else "events.mean"
    is_early = answer.verdict == PROVISIONAL
    tested = say("events.provisional") if is_early else str(answer.reason)
    if np.isfinite(answer.pvalue):
        tested = say("events.tested", test=STATISTICS[answer.test].label, p=answer.pvalue)
    return EventRow(
        name=say(code, n=n, group=clipped(sample.group, 60)), subtitle=tested,
        group=clipped(sample.group), place=place, car=answer.effect.estimate, se=np.nan,
        interval=(answer.effect.ci_low, answer.effect.ci_high), pvalue=answer.pvalue,
        bhar=np.nan if words().quantity else sample.main.bhar,
        is_significant=answer.verdict == DIFFERENT, is_mean=True,
        path=sample.path.caar if sample.path else None,
    )  # fmt: skip


def _fit(findings: Findings, event: Event) -> str:
    """Return slopes, fit and days of the estimation: ``β 1.33, R² 0.54, 220 days``."""
    estimates = zip(findings.setup.model.parameters, event.params, strict=True)
    slopes = "".join(
        say("events.fit_slope", letter=parameter_letter(name), value=value)
        for name, value in estimates
        if name != "alpha"
    )
    code = "events.fit" if slopes else "events.fit_days"
    return slopes + say(code, r2=event.r2, n=event.nobs).replace(" day", "\u00a0day")


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


def _notes(
    findings: Findings,
    rows: list[EventRow],
    axis: CarAxis,
    sparks: Sparklines | None,
) -> Iterator[str]:
    setup = findings.setup
    if setup.is_sampled:
        yield say("events.sampled", n=len(rows), total=setup.n_used)
    yield say("events.note_p" if words().quantity else "events.note")
    if n_cut := axis.n_cut(row.interval for row in rows):
        yield say("events.cut", n=n_cut)
    n_lacking = sum(bool(np.isnan(row.car)) for row in rows)
    if n_lacking and not setup.is_sampled:
        yield say("events.lacking", n=n_lacking, window=setup.main)
    yield from common_notes(findings)
    if sparks:
        reach, days = percent(sparks.reach, sign=False), sparks.days
        yield say("spark.note", first=int(days[0]), reach=reach)
        if sparks.n_cut:
            yield say("spark.cut", n=sparks.n_cut)


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
