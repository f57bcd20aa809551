"""The folded parts of a report: each has its finding in the closed line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from markupsafe import Markup

from ...analysis import Answer, Calibrated, ImpliedPath, Power
from ...calendars import Window
from ...findings import Case, Event, Findings, Sample, TestFinding
from ...significance import FULL_SAMPLE, STATISTICS
from ...words import LEVEL, capitalised, clipped, say, words
from ..figures.answer_figures import name_lines
from ..figures.specification_curve import draw_curve
from ..figures.stacked_bars import draw_stacks
from ..figures.svg_canvas import pair
from ..sentences.answer import brief, count_subject, name_sample, say_smallest_effect, short_name
from ..sentences.caveats import asides, list_caveats
from ..sentences.top import (
    data_notes,
    describe_setup,
    find_limitations,
    name_press,
    say_on_market,
)
from ..tables import events as event_tables
from ..tables.checks import checks_table, list_checks
from ..tables.columns import EFFECT, ESTIMATE, EVENTS, INTERVAL, NAME, Column, Kind
from ..tables.kept_cases import case_blocks, describe_case
from ..tables.methods import Paragraph, methods, provenance, symbols_table
from ..tables.robustness import Analysis, robustness
from ..tables.table import Row, Table, effect_values, make_table
from ..tables.windows import (
    say_open,
    split_tables,
    tests_finding,
    windows_finding,
    windows_table,
    write_tests_note,
)
from .first_screen import events_of

# What the glossary explains, in its order.
GLOSSARY = (
    "abnormal_return", "day_0", "market_implied", "effect", "interval", "p", "main_test",
    "false_alarms", "shifted_calendars", "car",
)  # fmt: skip
OF_RETURNS = ("abnormal_return", "market_implied")
# Analyses that stand in other parts of the page.
ELSEWHERE = ("calibration",)
# The part that has in numbers what the first screen draws.
IN_NUMBERS = "checks_table"
CHOICES = ("specifications", "choices")
NAMED = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of the page, and the table that says the same where there are no pictures."""

    picture: Markup
    table: Table | None = None


Block = str | Paragraph | Table | Figure


@dataclass(frozen=True, slots=True)
class Fold:
    """One folded part.

    Attributes
    ----------
    code : str
        Its anchor on the page.
    title, finding : str
        The closed line.
    blocks : tuple of str, Paragraph, Table or Figure
        Paragraphs, formulas, tables and figures.
    is_open : bool
    """

    code: str
    title: str
    finding: str
    blocks: tuple[Block, ...] = field(default=())
    is_open: bool = False


@lru_cache(maxsize=1)
def list_folds(findings: Findings) -> list[Fold]:
    """Return the folded parts of a report, in their order."""
    used = (
        _announcements, list_days, _checks, _choices, _groups, _shared_shock, _power,
        _analyses_left,
    )  # fmt: skip
    makers = (*(used if findings.setup.n_used else ()), _cases, _data, _method, _words, _files)
    return [fold for maker in makers for fold in maker(findings)]


@lru_cache(maxsize=1)
def list_sections(findings: Findings) -> list[Fold]:
    """Return the parts of a report that are never folded: windows, tests, what is missing."""
    if not findings.sample.answer.n_events:
        return []
    windows, tests = split_tables(findings)
    sections = [Fold("windows", say("windows.title"), windows_finding(findings), (windows,))]
    if findings.sample.answer.verdict != Answer.PROVISIONAL:
        blocks = (tests, write_tests_note(findings))
        sections.append(Fold("tests", say("tests.title"), tests_finding(findings), blocks))
    if table := event_tables.missing_table(findings):
        title = say("missing.title")
        picture = pair(lambda width: draw_stacks(table, width=width, title=title))
        figure = Figure(picture, replace(table, caption=""))
        sections.append(Fold("missing", title, table.caption, (figure,)))
    return sections


def _announcements(findings: Findings) -> Iterator[Fold]:
    table, code = event_tables.events_table(findings), "folds.announcements"
    n = len(table.rows)
    notes = [event_tables.count_significant(findings), *event_tables.common_notes(findings)]
    if any(event.page for event in findings.used):
        notes.append(say(f"{code}.pages"))
    if findings.setup.is_sampled:
        notes.append(say("events.sampled", n=n, total=findings.setup.n_used))
    finding = _extremes(findings) or say(f"{code}.{'one' if n == 1 else 'each'}")
    title = say(f"{code}.{'title' if n > 1 else 'title_one'}", n=n)
    yield Fold("announcements", title, finding, (*filter(None, notes), table))


def _extremes(findings: Findings) -> str:
    """Return between which events the answer is, and how many make half of it; "" for one event."""
    sample, main, code = findings.sample, findings.setup.main, "folds.announcements"
    events = events_of(findings, sample)
    if len(events) < 2:
        return ""
    low, high = (
        say("folds.end", value=event.car(main).car, name=short_name(event.name), date=event.day0)
        for event in (events[0], events[-1])
    )
    who = count_subject(len(events), name_sample(findings, sample))
    finding = say(f"{code}.finding", who=who, low=low, high=high)
    influence = sample.answer.influence
    if influence and influence.half and sample.answer.verdict == Answer.DIFFERENT:
        return f"{finding} {say(f'{code}.half', n=influence.half)}"
    return finding


def list_days(findings: Findings) -> Iterator[Fold]:
    """Yield the path day by day, with the band of the day and that of all days at once.

    Parameters
    ----------
    findings : Findings
    """
    path = findings.sample.implied
    if path is None:
        return
    code, is_whole = "folds.days", bool(np.isfinite(path.critical))
    gap = path.gap / ImpliedPath.BASE
    halves = (path.half / ImpliedPath.BASE, path.path_half / ImpliedPath.BASE)
    rows = []
    for at, tau in enumerate(path.days.tolist()):
        interval, band = ((gap[at] - half[at], gap[at] + half[at]) for half in halves)
        shares = path.shares[at] if path.counts[at] else None
        values = {"name": words().day(tau), "events": path.counts[at], "line": shares}
        values |= {"against": path.implied[at], "effect": gap[at]}
        rows.append(Row({**values, "interval": interval, "band": band}))
    columns = [
        NAME, EVENTS, Column("line", Kind.LEVEL), Column("against", Kind.LEVEL, is_wide=True),
        EFFECT, INTERVAL,
    ]  # fmt: skip
    if is_whole:
        columns.append(Column("band", Kind.INTERVAL, is_wide=True))
    end = int(np.flatnonzero(np.isfinite(gap))[-1])
    facts: dict[str, Any] = {"first": int(path.days[0]), "last": int(path.days[end])}
    facts |= {"value": gap[end], **name_lines(path)}
    table = make_table(code, columns, rows, **facts)
    notes = [say("path.implied_note", base=path.base, end=path.end)]
    if is_whole:
        notes.append(say("folds.days.bands"))
    notes += filter(None, [" ".join(_describe_around(findings.sample))])
    yield Fold("days", say("folds.days.title"), say("folds.days.finding", **facts), (*notes, table))


def _describe_around(sample: Sample) -> Iterator[str]:
    """Yield which share of the move came before, and what became of it, where that is known."""
    around = sample.around
    if around is None or sample.answer.verdict != Answer.DIFFERENT:
        return
    share, low, high = around.run_up_share
    if np.isfinite(low) and low > 0:
        yield say("path.run_up", share=share, low=low, high=high)
        if around.first_day_pvalue < LEVEL:
            yield say("path.run_up_from", first=around.first_day, p=around.first_day_pvalue)
    share, low, high = around.drift_share
    if np.isfinite(low) and (high < 0 or low > 0):
        ends = sorted((abs(low), abs(high)))
        code = "path.reversal" if share < 0 else "path.drift"
        yield say(code, share=abs(share), low=ends[0], high=ends[1])


def _checks(findings: Findings) -> Iterator[Fold]:
    """Yield the effects and intervals of what could change the answer, which are drawn above."""
    checks = list_checks(findings)
    if checks:
        table = checks_table(findings)
        finding = f"{table.about}." if table.about else table.caption
        blocks = (say("checks.table.note"), replace(table, about=""))
        yield Fold(IN_NUMBERS, say("checks.table.title"), finding, blocks)


def _choices(findings: Findings) -> Iterator[Fold]:
    listed = {analysis.name: analysis for analysis in robustness(findings)}
    if "specifications" in listed:
        title = say("folds.choices", n=len(findings.tables["specifications"]))
        blocks = [block for name in CHOICES if name in listed for block in _blocks(listed[name])]
        yield Fold("choices", title, listed["specifications"].lede, tuple(blocks))


def _blocks(analysis: Analysis) -> Iterator[Block]:
    """Yield what an analysis has: its figure or table, and its note."""
    if analysis.curve:
        curve, label = analysis.curve, say("robustness.curve.title")
        draw = lambda width: draw_curve(curve, width=width, label=label)  # noqa: E731
        yield Figure(pair(draw), analysis.table)
    elif analysis.table:
        yield analysis.table
    if analysis.note:
        yield analysis.note
    if analysis.files:
        yield say("folds.numbers", files=[f"tables/{name}" for name in analysis.files])


def _groups(findings: Findings) -> Iterator[Fold]:
    compared = findings.groups[1:]
    if not compared:
        return
    several = len(compared) > 1
    title = say("folds.groups") if several else capitalised(name_sample(findings, compared[0]))
    only = str(brief(findings, compared[0])).partition(": ")[2]
    finding = event_tables.group_lede(findings) if several else capitalised(only)
    blocks: list[Block] = [_group_table(findings)]
    if differences := event_tables.differences_table(findings):
        reasons = dict.fromkeys(findings.tables["differences"]["reason"])
        blocks += [differences, *(f"{capitalised(why).removesuffix('.')}." for why in reasons)]
    for sample in compared:
        if sample.n_used:
            texts = filter(None, [say_open(sample.windows)])
            blocks += [_tests_table(findings, sample), *texts]
    blocks.append(str(brief(findings, findings.pooled)))
    yield Fold("groups", title, finding, tuple(blocks))


def _group_table(findings: Findings) -> Table:
    rows = []
    for sample in findings.groups:
        result, name = sample.answer, clipped(sample.group, 60)
        values = {"name": name, "events": result.n_events, "dates": result.n_dates}
        values |= {**effect_values(result.effect), "pvalue": result.pvalue}
        is_early = result.verdict not in (Answer.DIFFERENT, Answer.NOT_DIFFERENT)
        why = result.reason or say("reason.days_to_come")
        remark = capitalised(str(why)) if is_early else ""
        rows.append(Row(values, remark))
    events = Column("events", Kind.COUNT)
    dates = Column("dates", Kind.COUNT, is_wide=True)
    columns = (NAME, events, dates, *ESTIMATE)
    return make_table("folds.by_group", columns, rows, window=findings.setup.main)


def _tests_table(findings: Findings, sample: Sample) -> Table:
    """Return the windows and tests of another group as a plain table."""
    rows = [Row({**row.values, "name": row.label}) for row in windows_table(findings, sample).rows]
    group = capitalised(name_sample(findings, sample))
    columns = (NAME, *ESTIMATE, Column("false_alarms", Kind.RATE, is_wide=True))
    return make_table("folds.tests", columns, rows, group=group)


def _shared_shock(findings: Findings) -> Iterator[Fold]:
    judged, answer = findings.sample.diagnosis, findings.sample.answer
    is_early = answer.verdict == Answer.PROVISIONAL
    if judged is None or answer.n_events < 2 or findings.sample.firm or is_early:
        return
    code = _shock_code(answer)
    tests = list(_doubting_tests(findings.sample))
    code = "disputed" if code == "unlikely" and tests else code
    facts = {"n": len(tests), "total": len(list(_allowing_tests(findings.sample)))}
    finding = say(f"folds.shock.{code}", tests=tests, **facts, **_shock_facts(answer))
    blocks = [" ".join(judged.text)]
    for analysis in robustness(findings):
        if analysis.name == "calibration":
            blocks += filter(None, (analysis.lede, analysis.note))
    yield Fold("shock", say("folds.shock.title"), finding, tuple(blocks))


def _doubting_tests(sample: Sample) -> Iterator[str]:
    """Yield the tests that allow for shared movement and are not clear, each with its p."""
    for test in _allowing_tests(sample):
        if test.pvalue >= LEVEL:
            yield f"{STATISTICS[test.test].label} ({words().p(test.pvalue)})"


def _allowing_tests(sample: Sample) -> Iterator[TestFinding]:
    """Yield the tests of the page that allow for shared movement."""
    for test in sample.main.tests:
        is_shown = test.test in sample.shown and test.trust != "not valid"
        if is_shown and STATISTICS[test.test].clustering == "yes" and np.isfinite(test.pvalue):
            yield test


def _shock_facts(answer: Answer) -> dict[str, float]:
    """Return how much shared movement it takes, how much there was, and on how many other dates."""
    numbers = answer.calibrated or Calibrated()
    drawn = {"times": numbers.shared_movement, "share": numbers.shared_share}
    return {"needed": answer.overturn.shared_shock, **drawn}


def _shock_code(answer: Answer) -> str:
    facts = _shock_facts(answer)
    is_one = answer.n_dates == 1
    if not np.isfinite(facts["needed"]):
        return "one_date" if is_one else "unlikely"
    if is_one:
        return "needed_one_date"
    if not np.isfinite([facts["times"], facts["share"]]).all():
        return "needed"
    if facts["times"] <= 1:
        return "needed_usual"
    return "could" if facts["times"] > facts["needed"] else "needed_more"


def _power(findings: Findings) -> Iterator[Fold]:
    answer = findings.sample.answer
    least = answer.overturn.smallest_effect
    if not np.isfinite(least):
        return
    power = Power.of(findings.setup.main, answer.test, least, answer.effect.df)
    pairs = power.table.to_numpy()[1:]
    rows = [Row({"name": words().size(effect), "share": share}) for effect, share in pairs]
    finding = say_smallest_effect("folds.power", answer)
    note = say(f"folds.power.note_{'few' if answer.n_events < FULL_SAMPLE else 'own'}")
    columns = (NAME, Column("share", Kind.SHARE))
    blocks = (note, make_table("folds.power.table", columns, rows))
    yield Fold("power", say("folds.power.title"), finding, blocks)


def _analyses_left(findings: Findings) -> Iterator[Fold]:
    """Yield a part for each further analysis that the run has."""
    for analysis in robustness(findings):
        if analysis.name not in (*CHOICES, *ELSEWHERE):
            yield _fold_analysis(findings, analysis)


def _fold_analysis(findings: Findings, analysis: Analysis) -> Fold:
    """Return an analysis, of whose sentence the first is its finding."""
    finding = analysis.lede or analysis.note
    finding = finding.removeprefix(f"{say('robustness.pooled', n=findings.setup.n_used)} ")
    blocks = [block for block in _blocks(analysis) if block not in ("", finding)]
    head, _, tail = finding.partition(". ")
    finding = f"{head}." if tail else finding
    return Fold(analysis.name, analysis.title, finding, (*([tail] if tail else []), *blocks))


def _cases(findings: Findings) -> Iterator[Fold]:
    for i, case in enumerate(Case.without_prices(findings)):
        title = say("case.title", name=case.event["company"], day0=case.day0)
        blocks = tuple(Figure(b) if isinstance(b, Markup) else b for b in case_blocks(case))
        head = describe_case(case, Window.MAIN)
        yield Fold(f"case{i + 1}" if i else "case", title, head, blocks)


def _data(findings: Findings) -> Iterator[Fold]:
    """Yield what was used, dropped and flagged, with the notes on data."""
    setup, sample, kinds = findings.setup, findings.pooled, event_tables.dropped_kinds(findings)
    finding = event_tables.dropped_lede(findings)
    if findings.dropped:
        reason, n = findings.dropped[0]
        finding += " " + say("folds.data.reason", reason=clipped(reason.head), n=n)
    finding = f"{finding} {name_press(findings)}".strip()
    said = list_caveats(findings)
    remarks = [note for note in asides(findings) if note not in said]
    notes = list(map(str, (*remarks, *find_limitations(findings))))
    notes += data_notes(findings)
    rows = []
    for kind in kinds:
        for why, events in kind.reasons.items():
            values = {"name": clipped(why, 240), "n": len(events)}
            rows.append(Row(values, "; ".join(map(_named, events))))
    for code, affected in (("lacking", sample.lacking), ("extended", sample.extended)):
        for remark in affected:
            named = f"{short_name(remark.name)} ({remark.event_id})"
            values = {"name": clipped(remark.reason, 240), "n": 1}
            rows.append(Row(values, f"{say(f'dropped.{code}', window=setup.main)}: {named}"))
    columns = (NAME, Column("n", Kind.COUNT))
    tables = [make_table("folds.dropped", columns, rows)] if rows else []
    more = (event_tables.flags_table(findings), event_tables.left_out_table(findings))
    tables += filter(None, more)
    remedies = list(dict.fromkeys(kind.remedy for kind in kinds if kind.remedy))
    blocks: tuple[Block, ...] = (*notes, *remedies, *tables)
    yield Fold("data", say("folds.data.title"), finding, blocks, is_open=not setup.n_used)


def _named(event: Event) -> str:
    """Return a dropped event: company, day 0 and id."""
    day0 = f"{event.day0}, " if event.day0 else ""
    return f"{short_name(event.name)} ({day0}{clipped(event.cells['event_id'], 60)})"


def _method(findings: Findings) -> Iterator[Fold]:
    done, setup = methods(findings), findings.setup
    facts = {
        "model": capitalised(setup.model.label),
        "on": say_on_market(findings),
        "first": setup.estimation.start,
        "last": setup.estimation.stop,
    }
    rows = [Row({"name": str(reference)}) for reference in done.references]
    cited = make_table("folds.references", [NAME], rows)
    blocks: tuple[Block, ...] = (describe_setup(findings), *done.paragraphs, cited)
    yield Fold("method", say("folds.method.title"), say("folds.method.finding", **facts), blocks)


def _words(findings: Findings) -> Iterator[Fold]:
    by = ImpliedPath.name_source(findings.setup.model.factors, findings.setup.measure)
    codes = []
    for code in GLOSSARY:
        if code not in OF_RETURNS or by == "market":
            codes.append(f"glossary.{code}")
        elif by != "normal":
            codes.append(f"glossary_{by}.{code}")
    rows = [
        Row({"name": say(f"{code}.term"), "meaning": words().adapt(say(code))}) for code in codes
    ]
    terms = [row.name.lower() for row in rows[:NAMED]]
    finding = say("folds.words.finding", terms=terms)
    table = make_table("folds.words", (NAME, Column("meaning", Kind.TEXT)), rows)
    yield Fold("words", say("folds.words.title"), capitalised(finding), (table,))


def _files(findings: Findings) -> Iterator[Fold]:
    sources = provenance(findings)
    symbols = symbols_table(findings)
    software = findings.provenance.get("versions") or {}
    texts = [f"{say(f'provenance.{code}')}: {text}" for code, text in sources.items() if text]
    cite = say("folds.files.cite", version=software.get("eventstudy", ""))
    again = [f"{say('provenance.alone')} eventstudy reproduce {findings.name}"]
    blocks: list[Block] = [say("folds.files.names"), cite, *texts]
    blocks += again if sources["sha256"] else []
    blocks += [symbols] if symbols else []
    yield Fold("files", say("folds.files.title"), say("folds.files.finding"), tuple(blocks))
