"""The short answer for a terminal, in plain ASCII that any console and log can show."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ...analysis.answer import PROVISIONAL
from ...analysis.caar_path import Path95
from ...analysis.calibrated import draws_error
from ...analysis.calibration import Calibration
from ...analysis.diagnosis import VALID, WITH_CARE
from ...findings.types import Findings, Sample, TestFinding, WindowFinding
from ...prices.quality.return_faults import RETURN_FAULTS
from ...significance import STATISTICS
from ...utility.catalogue import say
from ...utility.numbers import LEVELS, ascii_text, pvalue
from ...utility.units import speaking_of, words
from ..sections.answer import brief
from ..sections.caveats import headline, lacking_lines, remedies
from ..sections.events import dropped_section
from ..sections.kept_cases import case_sections
from ..sections.robustness import Analysis, robustness
from ..sections.top import SHOWN_GROUPS
from ..sections.windows import WindowValue, windows_table

SKETCH_ROWS = 7
HEAD_WIDTH = 9
# Analyses that were asked for, beside the answer.
ANALYSES = ("variants", "specifications", "dates", "firms", "regression")
DROPPED_SHOWN = 8
TEXT_WIDTH = 79


def terminal_text(findings: Findings, *, sketched: bool = False) -> str:
    """Return the answer, the windows of each group, other analyses, and what was lost.

    Parameters
    ----------
    findings : Findings
    sketched : bool
        Whether the path of each group is drawn.
    """
    with speaking_of(findings.setup.measure):
        samples = findings.groups or (findings.pooled,)
        blocks = [answers(findings)]
        for sample in samples:
            blocks += [
                _title(findings, sample) + summary(findings, sample),
                sketch(sample.path) if sketched and sample.path else "",
            ]
        blocks += [*_analyses(findings), losses(findings), cases(findings), issues(findings)]
        return ascii_text("\n\n".join(filter(None, blocks)))


def answers(findings: Findings) -> str:
    """Return the answer with its caveat, and that of the other groups in short."""
    groups = findings.groups
    with speaking_of(findings.setup.measure):
        lines = [headline(findings), *(str(brief(findings, s)) for s in groups[1:SHOWN_GROUPS])]
        if len(groups) > SHOWN_GROUPS:
            lines.append(say("terminal.more_groups", n=len(groups) - SHOWN_GROUPS))
        return "\n".join(map(_wrapped, lines))


def _title(findings: Findings, sample: Sample) -> str:
    column = findings.setup.group_column
    if not column:
        return ""
    return say("terminal.group", column=column, group=sample.group, n=sample.n_used) + "\n"


def summary(findings: Findings, sample: Sample) -> str:
    """Return the windows with effect, interval and p, then the other tests of the main window.

    Parameters
    ----------
    findings : Findings
    sample : Sample
        One of ``findings.samples``.
    """
    table = windows_table(findings, sample)
    values = table.values("text")
    at = table.n_effect_values("text")
    labels = [value.label("terminal") for value in values]
    head = ["days", *labels[:at], "p", *labels[at:]]
    main = findings.setup.main
    rows = [_row(w, values, at, is_main=w.window == main) for w in sample.windows]
    unit = say("terminal.unit", measure=words().what, axis=words().axis) if words().what else ""
    note = f"{unit} {say('terminal.deciding', tests=', '.join(_deciding(sample)))}".strip()
    return "\n".join([_grid(head, rows), _wrapped(note), *_other_tests(sample)])


def _row(
    finding: WindowFinding, values: Iterable[WindowValue], at: int, *, is_main: bool
) -> list[str]:
    """Return the cells of a window, with the p-value behind the first `at` values."""
    numbers = [_numbers(value, finding) for value in values]
    window = f"{finding.window}{' main' * is_main}"
    return [window, *numbers[:at], p_text(finding.answer.pvalue), *numbers[at:]]


def _numbers(value: WindowValue, finding: WindowFinding) -> str:
    numbers = value.numbers(finding)
    if value.kind == "count":
        return f"{int(numbers[0]):,}"
    texts = list(map(percent_text, numbers))
    return texts[0] if "-" in texts else " to ".join(texts)


def calibration_text(numbers: Calibration, group: str = "") -> str:
    """Return a calibration as its sentence, a table of tests, and a table of effects.

    Parameters
    ----------
    numbers : Calibration
    group : str
        Of the events; "" = all.
    """
    sentence = _wrapped(f"{f'{group}: ' * bool(group)}{numbers}")
    if numbers.reason:
        return sentence
    tests = [
        [STATISTICS[str(row["test"])].label, p_text(row["pvalue"]), _calibrated(row),
         *(_share(row[f"size_{level}"]) for level in (1, 5, 10)),
         str(row["trust"]).removeprefix("valid ") or "-"]
        for row in numbers.sizes.reset_index().to_dict("records")
    ]  # fmt: skip
    effects = [
        [percent_text(row["effect"]), f"{row['power']:.1%}"]
        for row in numbers.power.to_dict("records")
    ]
    tables = (("table", tests), ("powers", effects))
    grids = [_grid(say(f"calibration.{code}").split("|"), rows) for code, rows in tables]
    errors = {f"at{100 * at:.0f}": draws_error(at, numbers.effective_draws) for at in LEVELS}
    grids[0] += "\n" + _wrapped(say("calibration.errors", **errors))
    return "\n\n".join([sentence, *grids[: 1 + bool(effects)]])


def _calibrated(row: Mapping[Any, Any]) -> str:
    """Return a calibrated p with its Monte Carlo error."""
    p, error = row["calibrated"], row["error"]
    return f"{p_text(p)} +-{error:.3f}" if np.isfinite(p) else p_text(p)


def _share(value: float) -> str:
    return f"{value:.1%}" if np.isfinite(value) else "-"


def percent_text(value: float) -> str:
    """Return a decimal as ``+1.23%``, or ``-`` if it is missing; log points without their unit."""
    unit = "%" if words().unit == "%" else ""
    return f"{round(words().scale * value, 2) + 0.0:+.2f}{unit}" if np.isfinite(value) else "-"


def p_text(value: float) -> str:
    """Return a p-value with the digits that tell its stars."""
    return ascii_text(pvalue(value, levels=LEVELS))


def _deciding(sample: Sample) -> Iterator[str]:
    """Yield the main test, and the windows of fewer events in which another one decides."""
    main = sample.answer.test
    yield say("terminal.main_test", test=STATISTICS[main].label)
    for finding in sample.windows:
        if finding.answer.test != main:
            label = STATISTICS[finding.answer.test].label
            yield say("terminal.other_test", test=label, window=str(finding.window))


def _other_tests(sample: Sample) -> Iterator[str]:
    """Yield the other tests of the main window that are valid, or valid with care, in this order.

    None while the answer is provisional: no p-value goes before it.
    """
    if sample.answer.verdict == PROVISIONAL:
        return
    tests = [test for name in sample.shown[1:] if (test := sample.main.test(name))]
    for trust in (VALID, WITH_CARE):
        shown = ", ".join(_test(test) for test in tests if test.trust == trust)
        if shown:
            facts = {"window": str(sample.main.window), "trust": trust, "tests": shown}
            yield _wrapped(say("terminal.other_tests", **facts))


def _test(test: TestFinding) -> str:
    rated = test.trust == WITH_CARE and np.isfinite(test.false_alarms)
    facts = {
        "test": STATISTICS[test.test].label,
        "p": p_text(test.pvalue),
        "rate": test.false_alarms,
    }
    return say("terminal.rated" if rated else "terminal.test", **facts)


def _analyses(findings: Findings) -> Iterator[str]:
    """Yield variants, shifted calendars and a regression, each with its title."""
    section = robustness(findings)
    for analysis in section.analyses if section else ():
        if analysis.name in ANALYSES:
            yield analysis_text(analysis)


def analysis_text(analysis: Analysis) -> str:
    """Return one analysis with its title, sentence and table."""
    lines = [analysis.title, _wrapped(analysis.lede) if analysis.lede else ""]
    if analysis.table:
        rows = [list(map(ascii_text, row.cells)) for row in analysis.table.rows]
        lines.append(_grid(analysis.table.heads, rows))
        remarks = [
            _wrapped(f"{row.name}: {row.remark}") for row in analysis.table.rows if row.remark
        ]
        lines += remarks
    return "\n".join(filter(None, lines))


def _grid(head: list[str], rows: list[list[str]]) -> str:
    """Align cells to the right under a head that is wrapped to short lines."""
    wrapped = [textwrap.wrap(text, HEAD_WIDTH, break_long_words=False) for text in head]
    height = max(map(len, wrapped))
    above = [[([""] * (height - len(w)) + w)[k] for w in wrapped] for k in range(height)]
    widths = [max(len(row[j]) for row in [*above, *rows]) for j in range(len(head))]
    lines = [
        "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in [*above, *rows]
    ]
    return "\n".join([*lines[:height], "-" * max(map(len, lines)), *lines[height:]])


def sketch(path: Path95) -> str:
    """Return the CAAR path as a small drawing in text, event days from left to right."""
    caar, days = path.caar, path.days
    low, high = (float(f(caar, initial=0.0, where=np.isfinite(caar))) for f in (np.min, np.max))
    if high == low:
        return ""
    step = (high - low) / (SKETCH_ROWS - 1)
    zero, at_0 = round(-low / step), 2 * int(-days[0])
    canvas = [[" -"[row == zero]] * (2 * len(days) - 1) for row in range(SKETCH_ROWS)]
    for row, line in enumerate(canvas):
        if 0 <= at_0 < len(line):
            line[at_0] = "+" if row == zero else "|"
    for column, value in enumerate(caar):
        if np.isfinite(value):
            canvas[round((value - low) / step)][2 * column] = "o"
    labels = {0: percent_text(low), SKETCH_ROWS - 1: percent_text(high), zero: "0"}
    lines = [
        f"{labels.get(row, ''):>8} {''.join(canvas[row])}".rstrip()
        for row in reversed(range(SKETCH_ROWS))
    ]
    axis = [" "] * (2 * len(days) + 3)
    for day, column in ((days[0], 0), (0, at_0), (days[-1], 2 * len(days) - 2)):
        text = f"{day:+d}" if day else "0"
        if 0 <= column < 2 * len(days):
            axis[column : column + len(text)] = text
    return "\n".join([say("terminal.sketch"), *lines, " " * 9 + "".join(axis).rstrip()])


def losses(findings: Findings, *, written: bool = True) -> str:
    """Return the dropped events by reason, and the events that lack the main window.

    Parameters
    ----------
    findings : Findings
    written : bool
        Whether there is a run to be named that lists all of them.
    """
    setup, lines_lost = findings.setup, _without_car(findings)
    n = setup.n_events - setup.n_used
    if not n:
        return lines_lost or say("terminal.none_dropped")
    lines = [say("terminal.dropped", n=n, total=setup.n_events)]
    for kind in dropped_section(findings).kinds[:DROPPED_SHOWN]:
        event = next(iter(kind.reasons.values()))[0]
        why = event.reason.example
        code = "terminal.dropped_kind_why" if why else "terminal.dropped_kind"
        example = say(code, kind=kind.reason, event=event.cells["event_id"], why=why)
        lines.append(f"  {kind.n:4,}  {example}")
    if written:
        place = "long/events.parquet" if setup.is_sampled else "events.csv"
        lines.append(f"  {say('terminal.dropped_place', place=place)}")
    return ascii_text("\n".join([*lines, *filter(None, [lines_lost])]))


def _without_car(findings: Findings) -> str:
    """Return the used events without a CAR over the main window, with the reasons and remedies."""
    sample, main = findings.pooled, str(findings.setup.main)
    n = sample.n_lacking
    if not n:
        return ""
    remarks = sample.lacking[:DROPPED_SHOWN]
    lines = [say("terminal.without_car", window=main, n=n, total=sample.n_used)]
    lines += [say("terminal.item", name=name, why=why) for name, why in lacking_lines(remarks)]
    if n > len(remarks):
        lines.append(say("terminal.more_without_car", n=n - len(remarks)))
    lines += textwrap.wrap(remedies(sample.lacking), TEXT_WIDTH, break_on_hyphens=False)
    return "\n  ".join(lines)


def cases(findings: Findings) -> str:
    """Return the events without prices whose numbers another run has, each with that origin."""
    lines = (
        line for c in case_sections(findings) for line in (c["title"], f"{c['lede']} {c['origin']}")
    )
    return "\n".join(map(_wrapped, lines))


def issues(findings: Findings) -> str:
    """Return how many price-data issues touch windows of used events, by kind; "" without any.

    For an event that was dropped the reason says it.
    """
    kinds = findings.setup.issues
    if not kinds:
        return ""
    each = ", ".join(say(f"fault.{kind}", n=n) for kind, n in kinds.items())
    data = "return" if kinds.keys() <= RETURN_FAULTS.keys() else "price"
    return _wrapped(say(f"terminal.{data}_issues", n=sum(kinds.values()), kinds=each))


def _wrapped(text: str) -> str:
    return textwrap.fill(ascii_text(text), TEXT_WIDTH, break_on_hyphens=False)
