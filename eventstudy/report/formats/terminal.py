"""The answer for a terminal, in plain ASCII that any console and log can show."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...analysis import Calibrated, Calibration
from ...calendars import Symbol, Window
from ...findings import Case, Findings, Sample
from ...quality import ReturnFault
from ...significance import STATISTICS
from ...words import LEVEL, ascii_text, make_visible, say, speaking_of, uncapitalised, words
from ..page.first_screen import days_outside
from ..sentences import caveats
from ..sentences.answer import Sentence, answer, brief
from ..sentences.top import describe_setup, name_press, say_against_market
from ..tables.checks import checks_table, name_fragile
from ..tables.columns import NAME, PVALUE, Column, Kind, Outlet
from ..tables.events import differences_table, dropped_kinds
from ..tables.kept_cases import describe_case
from ..tables.methods import name_prices
from ..tables.robustness import Analysis, analysis_by_choice, analysis_of_grid, robustness
from ..tables.table import LEVELS, WRITERS, Row, Table, Writers, join_remark, make_table
from ..tables.windows import (
    AROUND,
    find_role,
    name_days,
    say_open,
    windows_around,
    windows_table,
)

TEXT_WIDTH, MOST_LINES = 79, 25
HEAD_WIDTH = 9
# Of the names of rows, where a table is too wide whatever becomes of them.
NARROWEST = 9
# Analyses that were asked for, beside the answer.
ANALYSES = ("specifications", "choices", "firms", "regression")
DROPPED_SHOWN = 8
# As many dropped events are named.
FEW_DROPPED = 3
# Groups that have a line below the answer.
SHOWN_GROUPS = 6


@dataclass(frozen=True, slots=True)
class Terminal:
    """The findings of a study in plain text, for any console and log.

    Attributes
    ----------
    findings : Findings
    """

    findings: Findings

    def text(self, page: str = "", *, verbose: bool = False) -> Sentence:
        """Return the answer on one screen, or all windows, tests, checks and data.

        Parameters
        ----------
        page : str
            Where the report is.
        verbose : bool
            Without it there are at most 25 lines.

        Returns
        -------
        Sentence
            The headline is emphasised. Lines have at most 79 letters; a long `page` stays whole.
        """
        with speaking_of(self.findings.setup.measure):
            text = "\n".join(self._long(page) if verbose else self._short(page))
            n = len(plain(answer(self.findings).pieces[0][0]))
        return Sentence(((text[:n], True), (text[n:], False)))

    def answers(self) -> str:
        """Return the answer, its caveat and all notes, and in short those of the other groups."""
        findings = self.findings
        with speaking_of(findings.setup.measure):
            return "\n".join(map(wrapped, [caveats.headline(findings), *_other_answers(findings)]))

    def answer(self, sample: Sample) -> str:
        """Return the answer of one group in words, with the sentence that travels with it.

        Parameters
        ----------
        sample : Sample
            One of ``findings.samples``.
        """
        findings = self.findings
        with speaking_of(findings.setup.measure):
            second = caveats.second_sentence(findings, sample)
            return wrapped(f"{answer(findings, sample)} {second}".strip())

    def cases(self) -> list[str]:
        """Return the events without prices whose numbers another run has, a sentence each."""
        lines = []
        for case in Case.without_prices(self.findings):
            facts = {**case.over(Window.MAIN), "name": case.event["company"], "day0": case.day0}
            lines.append(wrapped(say("terminal.case", window=_days(Window.MAIN), **facts)))
        return lines

    def losses(self, *, written: bool = True) -> str:
        """Return the dropped events by reason.

        Parameters
        ----------
        written : bool
            Whether there is a run to be named that lists all of them.
        """
        setup = self.findings.setup
        n = setup.n_events - setup.n_used
        code = "terminal.dropped" if n else "terminal.none_dropped"
        lines = [say(code, n=n, total=setup.n_events)]
        for kind in dropped_kinds(self.findings)[:DROPPED_SHOWN]:
            event = next(iter(kind.reasons.values()))[0]
            why = event.reason.example
            code = "terminal.dropped_kind_why" if why else "terminal.dropped_kind"
            example = say(code, kind=kind.reason, event=event.cells["event_id"], why=why)
            lines.append(wrapped(f"{kind.n:6,}  {example}", " " * 8))
            if kind.remedy and not setup.n_used:
                lines.append(wrapped(" " * 8 + kind.remedy, " " * 8))
        if n and written:
            place = "long/events.parquet" if setup.is_sampled else "events.csv"
            lines.append(f"  {say('terminal.dropped_place', place=place)}")
        return plain("\n".join(lines))

    def _short(self, page: str) -> list[str]:
        """Return at most 25 lines: what finds no room there is in the long answer."""
        findings = self.findings
        head = _lines(str(answer(findings)))
        end = _end(findings, page)
        table = [""]
        if findings.sample.n_used:
            table += summary(findings, findings.sample, is_short=True).split("\n")
        second, *others = caveats.list_caveats(findings) or [""]
        others += caveats.doubts(findings)
        about_data = [text for text in caveats.asides(findings) if text not in (second, *others)]
        head += _lines(second)
        room = MOST_LINES - len(head) - len(table) - len(end)
        # Lines in their order, each with its rank: the first find room first.
        notes = [(1, text) for text in others]
        notes.append((3, _around(findings)))
        notes += [(4, text) for text in _other_answers(findings)]
        notes += [(2, text) for text in about_data]
        notes += [(1, name_press(findings)), (2, name_fragile(findings))]
        notes.append((5 if _says_how_many(findings) else 0, _used(findings)))
        notes.append((6, issues(findings)))
        notes += [(2, text) for text in self.cases()]
        blocks = [(rank, k, _lines(text)) for k, (rank, text) in enumerate(notes)]
        fitting = {}
        for _, k, lines in sorted(blocks):
            if len(lines) <= room:
                fitting[k] = lines
                room -= len(lines)
        gap = [""] * (room > 0 and findings.sample.n_used > 0)
        return [*head, *table, *gap, *(line for k in sorted(fitting) for line in fitting[k]), *end]

    def _long(self, page: str) -> Iterator[str]:
        """Yield blocks with all that is known, a blank line before each but the first."""
        findings = self.findings
        samples = [s for s in findings.groups or (findings.pooled,) if s.n_used]
        blocks = [self.answers()]
        for sample in samples:
            blocks += [summary(findings, sample), _battery(findings, sample)]
        setup = describe_setup(findings).replace(" · ", "; ")
        texts = map(wrapped, filter(None, [setup, issues(findings), *self.cases()]))
        data = [say("terminal.data"), *texts, self.losses()]
        end = plain(say("terminal.report", page=page))
        blocks += [_checks(findings), *_analyses(findings), "\n".join(data), end]
        yield "\n\n".join(filter(None, blocks))


def _says_how_many(findings: Findings) -> bool:
    """Return whether the second sentence says already how many of many events were used."""
    caveat, setup = caveats.find_caveat(findings.sample), findings.setup
    is_about_losses = caveat is not None and caveat.code in caveats.MISSING
    return is_about_losses and setup.n_events - setup.n_used > FEW_DROPPED


def _days(window: Window) -> str:
    return ascii_text(name_days(window))


def _around(findings: Findings) -> str:
    """Return what the windows before and after the event show; "" where nobody knows yet."""
    pvalues, texts = dict[str, float](), []
    for side, move in windows_around(findings).items():
        p = pvalues[side] = move.pvalue
        facts = {"window": _days(move.window), "value": move.value}
        texts.append(say(f"terminal.{'moved' if p < LEVEL else 'quiet'}_{side}", p=p, **facts))
    is_quiet = len(pvalues) == len(AROUND) and min(pvalues.values()) >= LEVEL
    path = findings.sample.implied
    days = days_outside(path) if path is not None else ""
    code = f"terminal.{'outside' if days else 'quiet'}_around"
    return say(code, days=days, **pvalues) if is_quiet else " ".join(texts)


def _other_answers(findings: Findings) -> list[str]:
    """Return the answers of the other groups in short, and how many are not among them."""
    groups = findings.groups
    lines = [str(brief(findings, sample)) for sample in groups[1:SHOWN_GROUPS]]
    table = differences_table(findings)
    if table and len(table.rows) == 1:
        (row,) = table.rows
        facts = {"pair": row.name, "effect": row.values["effect"], "p": row.values["pvalue"]}
        if not pd.isna(facts["p"]):
            lines.append(say("terminal.difference", **facts))
    if len(groups) > SHOWN_GROUPS:
        lines.append(say("terminal.more_groups", n=len(groups) - SHOWN_GROUPS))
    return lines


def _used(findings: Findings) -> str:
    """Return how many events were used, and why others were dropped; "" if none was."""
    setup = findings.setup
    if setup.n_used == setup.n_events:
        return ""
    why = ", ".join(say("terminal.lost", n=n, reason=r.head) for r, n in findings.dropped)
    tickers = [str(event.cells["ticker"]) for event in findings.events if not event.is_used]
    who = f" ({', '.join(tickers)})" if len(tickers) <= FEW_DROPPED else ""
    return say("terminal.used", n=setup.n_used, total=setup.n_events, why=why, who=who)


def case_text(case: Case) -> str:
    """Return the numbers of a kept case, which stand in for those of an event without prices.

    Parameters
    ----------
    case : Case
    """
    index = Symbol(case.benchmark).index_name
    facts = {"name": case.event["company"], "run": case.name, "index": index}
    texts = [say("case.stored", **facts), describe_case(case), say("case.again", run=case.name)]
    return wrapped(" ".join(texts))


def _end(findings: Findings, page: str) -> list[str]:
    """Return the date of the prices and where more is; a path stays whole, as it is copied."""
    _, last = name_prices(findings)
    prices = say("terminal.prices_to", last=last) if last else ""
    if market := say_against_market(findings):
        prices = f"{market}. {prices}"
    more = plain(say("terminal.more", page=page)) if page else ""
    line = plain(f"{prices} {more}".strip())
    return [line] if len(line) <= TEXT_WIDTH else [*_lines(prices), more]


def summary(findings: Findings, sample: Sample, *, is_short: bool = False) -> str:
    """Return windows with effect, interval and p, with a title and the false alarms of the test.

    Parameters
    ----------
    findings : Findings
    sample : Sample
        One of ``findings.samples``, with a used event.
    is_short : bool
        Whether only the main window and two more with day 0 are shown, without these.
    """
    table = windows_table(findings, sample).shown(Outlet.TERMINAL)
    windows = [finding.window for finding in sample.windows]
    rows = table.blocks[0].rows
    if is_short:
        main = findings.setup.main
        nearest = [main, *[window for window in windows if not find_role(window, main)][:2]]
        rows = tuple(rows[k] for k, window in enumerate(windows) if window in nearest)
        table = table.only("days", "role", "effect", "interval", "pvalue")
    title, column = "", findings.setup.group_column
    if not is_short:
        tests = [STATISTICS[sample.answer.test].label]
        # Windows of fewer events may have another main test.
        tests += [
            say("terminal.other_test", test=label, window=_days(w.window))
            for w in sample.windows for label in [STATISTICS[w.answer.test].label]
            if w.answer.test != sample.answer.test
        ]  # fmt: skip
        facts = {"tests": ", ".join(tests), "n": sample.n_used, "group": sample.group}
        title = say(f"terminal.{'group' if column else 'windows'}", column=column, **facts)
    unit = say("terminal.unit", measure=words().what, axis=words().axis) if words().what else ""
    remark = wrapped(say_open(w for w in sample.windows if not is_short or w.window in nearest))
    return "\n".join(filter(None, [wrapped(title), unit, text_table(table, rows), remark]))


def _battery(findings: Findings, sample: Sample) -> str:
    """Return the other tests of the main window that are valid, or valid with care; "" for none."""
    average = sample.answer.plain_average.estimate
    names = {
        "plain_average": say("terminal.plain_average", value=average),
        "calibrated": say("terminal.calibrated"),
    }
    rows, remarks = [], []
    for block in windows_table(findings, sample).blocks[1:]:
        for row in block.rows:
            p = row.values.get("pvalue", np.nan)
            name = names.get(row.key, row.name)
            if block.key == "not_valid":
                why = row.values["allows"]
                remarks.append(wrapped(say("terminal.not_valid", test=name, p=p, why=why)))
            elif np.isfinite(p):
                verdict = "different" if p < LEVEL else "not_different"
                care = "_care" if block.key == "with_care" else ""
                values = {**row.values, "name": name, "verdict": say(f"terminal.{verdict}{care}")}
                rows.append(Row(values))
    if not (rows or remarks):
        return ""
    title = say("terminal.battery", window=_days(sample.main.window))
    columns = (NAME, PVALUE, Column("false_alarms", Kind.RATE), Column("verdict", Kind.TEXT))
    grid = [text_table(make_table("terminal.tests", columns, rows))] if rows else []
    return "\n".join([title, *grid, *remarks])


def _checks(findings: Findings) -> str:
    """Return what could change the answer, a line each; "" for nothing."""
    table = checks_table(findings)
    if not table.rows:
        return ""
    title = ". ".join(filter(None, [say("terminal.checks"), table.about]))
    return f"{title}\n{text_table(table.only('name', 'effect', 'pvalue'))}"


def calibration_text(numbers: Calibration, group: str = "") -> str:
    """Return a calibration as its sentence, a table of tests, and a table of effects.

    Parameters
    ----------
    numbers : Calibration
    group : str
        Of the events; "" = all.
    """
    sentence = wrapped(f"{f'{group}: ' * bool(group)}{numbers}")
    if numbers.reason:
        return sentence
    rows = []
    for row in numbers.sizes.reset_index().to_dict("records"):
        p = p_text(row["calibrated"])
        if row["calibrated"] >= 0:
            p += f" +-{row['error']:.3f}"
        trust = str(row["trust"]).removeprefix("valid ") or "-"
        name = STATISTICS[str(row["test"])].label
        rows.append(Row({**row, "name": name, "calibrated": p, "trust": trust}))
    rates = [Column(f"size_{level}", Kind.RATE) for level in (1, 5, 10)]
    columns = [NAME, PVALUE, Column("calibrated", Kind.PVALUE), *rates, Column("trust", Kind.TEXT)]
    texts = [sentence, text_table(make_table("calibration.tests", columns, rows))]
    draws = numbers.effective_draws
    errors = {f"at{100 * at:.0f}": Calibrated.draws_error(at, draws) for at in LEVELS}
    texts[-1] += "\n" + wrapped(say("calibration.errors", **errors))
    powers = numbers.power[["effect", "power"]].to_dict("records")
    if powers:
        rows = [Row({**row, "name": percent_text(row["effect"])}) for row in powers]
        columns = [NAME, Column("power", Kind.RATE)]
        texts.append(text_table(make_table("calibration.powers", columns, rows)))
    return "\n\n".join(texts)


def percent_text(value: float) -> str:
    """Return a decimal as ``+1.23%``, or ``-`` if it is missing; log points without their unit."""
    unit = "%" if words().unit == "%" else ""
    return f"{round(words().scale * value, 2) + 0.0:+.2f}{unit}" if np.isfinite(value) else "-"


def p_text(value: float) -> str:
    """Return a p-value with the digits that tell its stars."""
    return ascii_text(words().pvalue(value, levels=LEVELS))


def _analyses(findings: Findings) -> Iterator[str]:
    """Yield the grid that the settings name, other firms and a regression, each with its title."""
    names = ANALYSES if findings.setup.settings.get("grid") else ANALYSES[2:]
    for analysis in robustness(findings):
        if analysis.name in names:
            yield analysis_text(analysis)


def grid_text(table: pd.DataFrame, measure: str) -> str:
    """Return what the specifications of a grid say, by window and model, and by choice.

    Parameters
    ----------
    table : DataFrame
        See :func:`~eventstudy.analysis.robustness.specifications.specifications_table`.
    measure : str
    """
    with speaking_of(measure):
        return "\n\n".join(map(analysis_text, (analysis_of_grid(table), analysis_by_choice(table))))


def analysis_text(analysis: Analysis) -> str:
    """Return one analysis with its title, sentence and table."""
    lines = [analysis.title, wrapped(analysis.lede) if analysis.lede else ""]
    if analysis.table:
        table = analysis.table
        lines.append(text_table(table, writers=WRITERS))
        remarked = (row for row in table.rows if row.remark)
        lines += [wrapped(join_remark(row.name, row.remark, "; ")) for row in remarked]
    return "\n".join(filter(None, lines))


# How a terminal writes values: their unit stands in the cells.
TEXT_WRITERS: Writers = {
    **WRITERS,
    Kind.EFFECT: percent_text,
    Kind.ERROR: lambda value: words().percent(value, sign=False, unit=words().unit == "%"),
    Kind.INTERVAL: lambda ends: words().span(*ends, unit=words().unit == "%"),
    Kind.PVALUE: p_text,
}


def text_table(
    table: Table, rows: Sequence[Row] | None = None, writers: Writers = TEXT_WRITERS
) -> str:
    """Return rows of a table as text, by default all of them.

    Parameters
    ----------
    table : Table
    rows : sequence of Row, optional
    writers : mapping of Kind to callable
        Those of pages leave the unit to the head.
    """
    rows = table.rows if rows is None else rows
    heads = [uncapitalised(column.head) for column in table.columns]
    if writers is WRITERS:
        heads = [column.page_head for column in table.columns]
    is_left = [not column.is_number for column in table.columns]
    return align(heads, [table.write_cells(row, writers) for row in rows], is_left)


def align(head: Sequence[str], rows: list[list[str]], is_left: Sequence[bool] = ()) -> str:
    """Align cells under a head that is wrapped to short lines where the table would be too wide.

    Parameters
    ----------
    head : sequence of str
    rows : list of list of str
    is_left : sequence of bool
        Whether a column is aligned to the left; by default the first alone.

    Returns
    -------
    str
    """
    rows = [list(map(plain, row)) for row in rows]
    for head_width in (TEXT_WIDTH, HEAD_WIDTH):
        wrapped = [textwrap.wrap(plain(text), head_width, break_long_words=False) for text in head]
        height = max(map(len, wrapped))
        above = [[([""] * (height - len(w)) + w)[k] for w in wrapped] for k in range(height)]
        widths = [max(len(row[j]) for row in [*above, *rows]) for j in range(len(head))]
        spare = TEXT_WIDTH - sum(widths) - 2 * len(head)
        if spare >= 0:
            break
    if (beyond := -spare - 2) > 0:
        widths[0] = max(widths[0] - beyond, NARROWEST)
        rows = _with_short_names(rows, widths[0])
    is_left = is_left or [j == 0 for j in range(len(head))]
    return "\n".join(
        ("  " * (spare >= 0) + "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, is_left, strict=True)
        )).rstrip()
        for row in [*above, *rows]
    )  # fmt: skip


def _with_short_names(rows: list[list[str]], width: int) -> list[list[str]]:
    """Return rows whose names go on in lines below where they are longer than a width."""
    out = []
    for name, *cells in rows:
        first, *more = textwrap.wrap(name, width, subsequent_indent="  ")
        out += [[first, *cells], *([line, *[""] * len(cells)] for line in more)]
    return out


def issues(findings: Findings) -> str:
    """Return how many price-data issues touch windows of used events, by kind; "" without any.

    For an event that was dropped the reason says it.
    """
    kinds = findings.setup.issues
    if not kinds:
        return ""
    each = ", ".join(say(f"fault.{kind}", n=n) for kind, n in kinds.items())
    data = "return" if kinds.keys() <= set(ReturnFault) else "price"
    text = say(f"terminal.{data}_issues", n=sum(kinds.values()), kinds=each)
    lost = [str(n.text) for n in findings.notes if getattr(n.text, "code", "") == "sessions_lost"]
    return ". ".join([text, *lost]) if "lost_session" in kinds else text


def plain(text: str) -> str:
    """Return text in letters that any terminal shows."""
    return make_visible(ascii_text(text))


def _lines(text: str, indent: str = "") -> list[str]:
    """Return text in lines; `indent` stands before each but the first."""
    unbreakable = "\N{NO-BREAK SPACE}"
    unbroken = unbreakable.join(map(plain, text.split(unbreakable)))
    lines = textwrap.wrap(unbroken, TEXT_WIDTH, break_on_hyphens=False, subsequent_indent=indent)
    return [line.replace(unbreakable, " ") for line in lines]


def wrapped(text: str, indent: str = "") -> str:
    """Return text in lines of the width of a terminal, the others after `indent`."""
    return "\n".join(_lines(text, indent=indent))
