"""The folded parts of a report: each has its finding in the closed line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup

from ...analysis.answer import DIFFERENT, NOT_DIFFERENT
from ...analysis.implied_path import BASE
from ...analysis.interval import Power
from ...findings.types import Event, Findings, Sample
from ...utility.catalogue import say
from ...utility.numbers import (
    MISSING,
    capitalised,
    clipped,
    day,
    percent,
    pvalue,
    size_text,
    span,
)
from ...utility.units import words
from ..figures.answer_figures import name_lines
from ..figures.specification_curve import SpecificationCurve, draw_curve
from ..figures.svg_canvas import pair
from .answer import brief, count_subject, name_sample
from .caveats import asides, write_caveat_of
from .events import common_notes, dropped_section, events_table
from .first_screen import events_of, short_name
from .kept_cases import case_sections
from .methods import Methods, Paragraph, methods, provenance
from .path import find_differences, group_lede
from .robustness import Analysis, robustness
from .table import Row, Table, make_table
from .top import describe_setup, find_limitations, name_press
from .windows import list_tests, trust

# What the glossary explains, in its order.
GLOSSARY = (
    "abnormal_return", "day_0", "market_implied", "effect", "interval", "p", "main_test",
    "false_alarms", "shifted_calendars", "car",
)  # fmt: skip
OF_RETURNS = ("abnormal_return", "market_implied")
# Analyses with a part of their own; others stand elsewhere on the page, or in tables alone.
ELSEWHERE = ("overturn", "calibration", "weights")
CHOICES = ("specifications", "choices")
NAMED = 6
Block = str | Paragraph | Table | Markup


@dataclass(frozen=True, slots=True)
class Fold:
    """One folded part.

    Attributes
    ----------
    code : str
        Its anchor on the page.
    title, finding : str
        The closed line.
    blocks : tuple of str, Paragraph, Table or Markup
        Paragraphs, formulas, tables and figures.
    is_open : bool
    """

    code: str
    title: str
    finding: str
    blocks: tuple[Block, ...] = field(default=())
    is_open: bool = False


def list_folds(findings: Findings) -> list[Fold]:
    """Return the folded parts of a report, in their order."""
    used = (_announcements, _days, _choices, _groups, _shared_shock, _power, _analyses_left)
    makers = (*(used if findings.setup.n_used else ()), _cases, _data, _method, _words, _files)
    return [fold for maker in makers for fold in maker(findings)]


def _announcements(findings: Findings) -> Iterator[Fold]:
    table, main = events_table(findings), findings.setup.main
    events, sample = events_of(findings, findings.sample), findings.sample
    named = bool(table.groups)
    rows = []
    for row in table.rows:
        flags = ", ".join(flag for flag, _ in row.tags)
        remark = " · ".join(filter(None, [row.about, flags]))
        numbers = (
            percent(row.car, unit=False),
            span(*row.interval, unit=False),
            pvalue(row.pvalue),
        )
        group = (row.group,) if named else ()
        name = short_name(row.name)
        rows.append(Row((name, row.date, *group, *numbers, row.page.rpartition("/")[2]), remark))
    code = "folds.announcements"
    kinds, columns = ("tdTnNnT", "by_group") if named else ("tdnNnT", "plain")
    facts = {"unit": words().head, "window": main}
    finding = ""
    if len(events) > 1:
        ends = [
            say(
                "folds.end", value=event.car(main).car, name=short_name(event.name), date=event.day0
            )
            for event in (events[0], events[-1])
        ]
        who = count_subject(len(events), name_sample(findings, sample))
        finding = say(f"{code}.finding", who=who, low=ends[0], high=ends[1])
        influence = sample.answer.influence
        if influence and influence.half and sample.answer.verdict == DIFFERENT:
            finding += " " + say(f"{code}.half", n=influence.half)
    notes = [table.lede, *common_notes(findings)]
    if any(row.page for row in table.rows):
        notes.append(say(f"{code}.pages"))
    if findings.setup.is_sampled:
        notes.append(say("events.sampled", n=len(rows), total=findings.setup.n_used))
    finding = finding or say(f"{code}.{'one' if len(rows) == 1 else 'each'}")
    title = say(f"{code}.{'title' if len(rows) > 1 else 'title_one'}", n=len(rows))
    table_of = make_table(f"{code}.{columns}", kinds, rows, **facts)
    yield Fold("announcements", title, finding, (*filter(None, notes), table_of))


def _days(findings: Findings) -> Iterator[Fold]:
    """Yield the path day by day, with the band of the day and that of all days at once."""
    path = findings.sample.implied
    if path is None:
        return
    code = "folds.days.whole" if np.isfinite(path.critical) else "folds.days.each"
    gap, rows = path.gap / BASE, []
    for at, tau in enumerate(path.days.tolist()):
        bands = [half[at] / BASE for half in (path.half, path.path_half)]
        ends = [span(gap[at] - half, gap[at] + half, unit=False) for half in bands]
        levels = (f"{path.shares[at]:.1f}", f"{path.implied[at]:.1f}")
        cells = (day(tau), f"{path.counts[at]:,}", *levels, percent(gap[at], unit=False), *ends)
        rows.append(Row(cells if code.endswith("whole") else cells[:-1]))
    kinds = "tNnNnNN" if code.endswith("whole") else "tNnNnN"
    facts: dict[str, Any] = {
        "first": int(path.days[0]),
        "last": int(path.days[-1]),
        "value": gap[-1],
    }
    facts |= name_lines()
    table = make_table(code, kinds, rows, unit=words().head, **facts)
    note = say("path.implied_note", base=path.base, end=path.end)
    yield Fold("days", say("folds.days.title"), say("folds.days.finding", **facts), (note, table))


def _choices(findings: Findings) -> Iterator[Fold]:
    listed = {analysis.name: analysis for analysis in _analyses(findings)}
    if "specifications" in listed:
        title = say("folds.choices", n=len(findings.tables["specifications"]))
        blocks = [block for name in CHOICES if name in listed for block in _blocks(listed[name])]
        yield Fold("choices", title, listed["specifications"].lede, tuple(blocks))


def _analyses(findings: Findings) -> tuple[Analysis, ...]:
    section = robustness(findings)
    return section.analyses if section else ()


def _blocks(analysis: Analysis) -> Iterator[Block]:
    """Yield what an analysis has: its figure or table, and its note."""
    if analysis.curve:
        yield _curve(analysis.curve)
    elif analysis.table:
        yield analysis.table
    if analysis.note:
        yield analysis.note
    if analysis.files:
        yield say("folds.numbers", files=[f"tables/{name}" for name in analysis.files])


def _curve(curve: SpecificationCurve) -> Markup:
    label = say("robustness.curve.title")
    return pair(lambda width: draw_curve(curve, width=width, label=label))


def _groups(findings: Findings) -> Iterator[Fold]:
    compared = findings.groups[1:]
    if not compared:
        return
    several = len(compared) > 1
    title = say("folds.groups") if several else capitalised(name_sample(findings, compared[0]))
    finding = group_lede(findings) if several else capitalised(_brief(findings, compared[0]))
    blocks: list[Block] = [_group_table(findings)]
    differences = find_differences(findings)
    if differences:
        rows = [
            Row((
                row["pair"], percent(row["difference"], unit=False),
                span(row["ci_low"], row["ci_high"], unit=False),
                *(pvalue(row["pvalues"].get(m, np.nan)) for m in ("date_clustered", "welch")),
            ))
            for row in differences
        ]  # fmt: skip
        blocks.append(make_table("folds.differences", "tnNnN", rows, unit=words().head))
    blocks += [_tests_table(findings, sample) for sample in compared if sample.n_used]
    blocks.append(str(brief(findings, findings.pooled)))
    yield Fold("groups", title, finding, tuple(blocks))


def _brief(findings: Findings, sample: Sample) -> str:
    return str(brief(findings, sample)).partition(": ")[2]


def _group_table(findings: Findings) -> Table:
    rows = []
    for sample in findings.groups:
        result = sample.answer
        effect = result.effect
        is_early = result.verdict not in (DIFFERENT, NOT_DIFFERENT)
        rows.append(
            Row((
                clipped(sample.group, 60), f"{result.n_events:,}", f"{result.n_dates:,}",
                percent(effect.estimate, unit=False),
                span(effect.ci_low, effect.ci_high, unit=False), pvalue(result.pvalue),
            ), capitalised(str(result.reason)) if is_early else "")
        )  # fmt: skip
    facts = {"unit": words().head, "window": findings.setup.main}
    return make_table("folds.by_group", "tnNnNn", rows, **facts)


def _tests_table(findings: Findings, sample: Sample) -> Table:
    """Return the windows and tests of another group as a plain table."""
    rows = [
        Row((
            " ".join(filter(None, [line.name, line.remark])),
            percent(line.estimate, unit=False), span(line.low, line.high, unit=False),
            pvalue(line.pvalue), _rate(line.false_alarms),
        ))
        for block in list_tests(findings, sample)
        for line in block.lines
    ]  # fmt: skip
    group = capitalised(name_sample(findings, sample))
    return make_table("folds.tests", "tnNnN", rows, unit=words().head, group=group)


def _rate(rate: float) -> str:
    return f"{rate:.1%}" if np.isfinite(rate) else MISSING


def _shared_shock(findings: Findings) -> Iterator[Fold]:
    judged, answer = trust(findings), findings.sample.answer
    if judged is None or answer.n_events < 2 or findings.sample.firm:
        return
    numbers, needed = answer.calibrated, answer.overturn.shared_shock
    facts = {"needed": needed, "times": numbers.shared_movement if numbers else np.nan}
    code = "unlikely"
    if np.isfinite(needed):
        could = np.isfinite(facts["times"]) and facts["times"] > needed
        code = "could" if could else "needed_more" if np.isfinite(facts["times"]) else "needed"
    elif answer.n_dates == 1:
        code = "one_date"
    finding = say(f"folds.shock.{code}", **facts)
    calibration = [a.lede for a in _analyses(findings) if a.name == "calibration"]
    note = [say("robustness.calibration.note")] if calibration and numbers else []
    blocks = (" ".join(judged.text), *calibration, *note)
    yield Fold("shock", say("folds.shock.title"), finding, blocks)


def _power(findings: Findings) -> Iterator[Fold]:
    answer = findings.sample.answer
    least = answer.overturn.smallest_effect
    if not np.isfinite(least):
        return
    power = Power.of(findings.setup.main, answer.test, least, answer.effect)
    rows = [
        Row((size_text(effect), f"{share:.0%}")) for effect, share in power.table.to_numpy()[1:]
    ]
    code = "one" if answer.n_events == 1 else "several"
    finding = say(f"folds.power.{code}", least=least)
    blocks = (say("folds.power.note"), make_table("folds.power.table", "tn", rows))
    yield Fold("power", say("folds.power.title"), finding, blocks)


def _analyses_left(findings: Findings) -> Iterator[Fold]:
    """Yield a part for each further analysis that the run has."""
    for analysis in _analyses(findings):
        if analysis.name in (*CHOICES, *ELSEWHERE):
            continue
        finding = analysis.lede or analysis.note
        finding = finding.removeprefix(f"{say('robustness.pooled', n=findings.setup.n_used)} ")
        blocks = [block for block in _blocks(analysis) if block not in ("", finding)]
        head, _, tail = finding.partition(". ")
        finding = f"{head}." if tail else finding
        blocks = [*([tail] if tail else []), *blocks]
        yield Fold(analysis.name, analysis.title, finding, tuple(blocks))


def _cases(findings: Findings) -> Iterator[Fold]:
    for i, case in enumerate(case_sections(findings)):
        head = f"{case['lede'].split('. ')[-2]}."
        blocks: tuple[Block, ...] = (
            case["lede"], case["origin"], case["figure"], say("case.grey"), case["windows"],
            case["days"], *case["notes"],
        )  # fmt: skip
        yield Fold(f"case{i + 1}" if i else "case", case["title"], head, blocks)


def _data(findings: Findings) -> Iterator[Fold]:
    """Yield what was used, dropped and flagged, with the notes on data."""
    section, setup = dropped_section(findings), findings.setup
    finding = section.lede
    if findings.dropped:
        reason, n = findings.dropped[0]
        finding += " " + say("folds.data.reason", reason=clipped(reason.head), n=n)
    finding = f"{finding} {name_press(findings)}".strip()
    caveat = write_caveat_of(findings, findings.sample) if setup.n_used else ""
    remarks = [note for note in asides(findings) if note != caveat]
    notes = [str(text) for text in (*remarks, *find_limitations(findings))]
    notes += provenance(findings).notes
    rows = [
        Row((clipped(reason, 240), f"{len(events):,}", "; ".join(map(_named, events))))
        for kind in section.kinds
        for reason, events in kind.reasons.items()
    ]
    rows += [
        Row((clipped(remark.reason, 240), "1", f"{short_name(remark.name)} ({remark.event_id})"),
            part["title"])
        for part in section.remarks
        for remark in part["remarks"]
    ]  # fmt: skip
    tables = [make_table("folds.dropped", "tnt", rows)] if rows else []
    tables += [table for table in (section.flags, section.left_out) if table]
    remedies = list(dict.fromkeys(kind.remedy for kind in section.kinds if kind.remedy))
    blocks: tuple[Block, ...] = (*notes, *remedies, *tables)
    title = say("folds.data.title")
    yield Fold("data", title, finding, blocks, is_open=not setup.n_used)


def _named(event: Event) -> str:
    """Return a dropped event: company, day 0 and id."""
    day0 = f"{event.day0}, " if event.day0 else ""
    return f"{short_name(event.name)} ({day0}{clipped(event.cells['event_id'], 60)})"


def _method(findings: Findings) -> Iterator[Fold]:
    done = methods(findings)
    setup = findings.setup
    indices = setup.benchmarks if setup.model.factors else ()
    facts = {
        "model": capitalised(setup.model.label),
        "on": say("folds.method.on", indices=list(indices)) if 0 < len(indices) <= 2 else "",
        "first": setup.estimation.start,
        "last": setup.estimation.stop,
    }
    blocks = (describe_setup(findings), *_paragraphs(done))
    yield Fold("method", say("folds.method.title"), say("folds.method.finding", **facts), blocks)


def _paragraphs(done: Methods) -> Iterator[Block]:
    yield from filter(None, [done.lede])
    yield from done.paragraphs
    rows = [Row((str(reference),)) for reference in done.references]
    yield make_table("folds.references", "t", rows)


def _words(findings: Findings) -> Iterator[Fold]:
    codes = [code for code in GLOSSARY if not (words().what and code in OF_RETURNS)]
    rows = [Row((say(f"glossary.{c}.term"), words().say(say(f"glossary.{c}")))) for c in codes]
    finding = say("folds.words.finding", terms=[row.name.lower() for row in rows[:NAMED]])
    table = make_table("folds.words", "tt", rows)
    yield Fold("words", say("folds.words.title"), capitalised(finding), (table,))


def _files(findings: Findings) -> Iterator[Fold]:
    source = provenance(findings)
    software = findings.provenance.get("versions") or {}
    facts = {
        "events": source.events, "sha256": source.sha256, "prices_label": source.prices,
        "settings": source.settings, "software": source.software, "command": source.command,
    }  # fmt: skip
    texts = [f"{say(f'provenance.{code}')}: {text}" for code, text in facts.items() if text]
    cite = say("folds.files.cite", version=software.get("eventstudy", ""))
    again = [f"{say('provenance.alone')} eventstudy reproduce {findings.name}"]
    blocks: list[Block] = [say("folds.files.names"), cite, *texts]
    blocks += again if source.sha256 else []
    blocks += [source.symbols] if source.symbols else []
    yield Fold("files", say("folds.files.title"), say("folds.files.finding"), tuple(blocks))
