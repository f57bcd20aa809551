"""Windows and tests: the answer by window, the other tests by trust, and how far to trust each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...analysis import Answer, Diagnosis
from ...calendars import Window
from ...findings import Findings, Sample, TestFinding, WindowFinding
from ...significance import STATISTICS
from ...words import LEVEL, has, say, words
from ..sentences.answer import describe_swings, is_day_later
from .columns import ESTIMATE, NAME, PVALUE, Column, Kind, Outlet
from .table import Block, Row, Table, effect_values, make_table

# Windows before and after the event by their roles, and what the sides are called.
AROUND = {"leakage": "before", "drift": "after"}
# Blocks of other tests in their order; tests that are not valid have no place in the table.
TRUST = {Diagnosis.VALID: "valid", Diagnosis.WITH_CARE: "with_care"}


def windows_lede(findings: Findings) -> str:
    """Return which test decides, and where the main window is from."""
    diagnosis = findings.sample.diagnosis
    chosen = "set" if findings.setup.settings.get("windows") else "default"
    test = STATISTICS[findings.sample.shown[0]].label
    lede = say(f"windows.lede_{chosen}", test=test, main=findings.setup.main)
    texts = [diagnosis.text[0] if diagnosis else "", lede, say_open(findings.sample.windows)]
    return " ".join(filter(None, texts))


def say_open(windows: Iterable[WindowFinding]) -> str:
    """Return which windows have no p as events wait for their days; "" for none."""
    is_open = {w.window: w.answer.verdict == Answer.PROVISIONAL for w in windows}
    names = [words().window(window) for window, holds in is_open.items() if holds]
    return say("windows.open", names=names) if names else ""


def find_role(window: Window, main: Window) -> str:
    """Return the role of a window.

    Parameters
    ----------
    window : Window
    main : Window
        Main window of the study.

    Returns
    -------
    {"main", "leakage", "drift", ""}
        "leakage" ends before the event, "drift" begins after it; "" for any other.
    """
    if window == main:
        return "main"
    return "leakage" if window.stop < 0 else "drift" if window.start > 0 else ""


@dataclass(frozen=True, slots=True)
class Move:
    """The effect (decimal) over a window before the event or after it, and its p."""

    window: Window
    value: float
    pvalue: float


def windows_around(findings: Findings) -> dict[str, Move]:
    """Return the first window with a p-value before the event ("before"), and after it.

    Behind one event whose main window a price limit extends there is none: they would overlap.
    """
    main, sample = findings.setup.main, findings.sample
    last = main.start if sample.n_used == 1 and sample.extended else np.inf
    moves = [Move(w.window, w.answer.effect.estimate, w.answer.pvalue) for w in sample.windows]
    if not moves and len(findings.events) == 1:
        # The page of one event has the CARs of its row.
        moves = [Move(car.window, car.car, car.pvalue) for car in findings.events[0].cars]
    decided = [move for move in moves if np.isfinite(move.pvalue) and move.window.stop < last]
    by_role = {find_role(move.window, main): move for move in reversed(decided)}
    return {side: by_role[role] for role, side in AROUND.items() if role in by_role}


COLUMNS = (
    Column("name", Kind.NAME, only=(Outlet.SHEET,)),
    Column("days", Kind.NAME, only=(Outlet.TERMINAL,)),
    Column("role", Kind.TEXT, only=(Outlet.TERMINAL,)),
    Column("n_events", Kind.COUNT, only=(Outlet.TERMINAL,)), *ESTIMATE,
    Column("false_alarms", Kind.RATE),
)  # fmt: skip


def windows_table(findings: Findings, sample: Sample | None = None) -> Table:
    """Return windows and tests as blocks: the main test by window, then other tests by trust.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        By default that of the answer.

    Returns
    -------
    Table
        Blocks "main", "valid", "with_care" and "not_valid", if they have rows. Of a window the key
        is such as "0_1", of a test its name, of the others "plain_average" and "calibrated".
    """
    blocks = _blocks(findings, sample or findings.sample)
    return make_table("tests", COLUMNS, blocks, unit=words().axis)


def split_tables(findings: Findings) -> tuple[Table, Table]:
    """Return the table as two: the windows of the main test, and the tests of the main window.

    Parameters
    ----------
    findings : Findings
    """
    whole = windows_table(findings)
    columns = (NAME, *ESTIMATE)
    windows = make_table("windows.table", columns, whole.blocks[0].rows, unit=words().axis)
    label = STATISTICS[findings.sample.answer.test].label
    rows = []
    for row in whole.blocks[0].rows:
        if row.is_main:
            values = {**row.values, "name": say("tests.main_test")}
            rows.append(replace(row, values=values, remark=label, key=findings.sample.answer.test))
    blocks = []
    for block in whole.blocks[1:]:
        tests = [_in_words(row) for row in block.rows]
        if block.key == "valid":
            rows += tests
        else:
            blocks.append(Block(block.key, block.title, tuple(tests)))
    blocks.insert(0, Block("valid", "", tuple(rows)))
    rate = Column("false_alarms", Kind.RATE)
    columns = (NAME, PVALUE, rate, Column("allows", Kind.TEXT, is_wide=True))
    return windows, make_table("tests.table", columns, blocks, window=findings.setup.main)


def _in_words(row: Row) -> Row:
    """Return the row of a test with its name in words first, and its name in print behind it."""
    code = f"tests.in_words.{row.key}"
    if not has(code):
        return row
    return replace(row, values={**row.values, "name": say(code)}, remark=row.name)


def _blocks(findings: Findings, sample: Sample) -> Iterator[Block]:
    main = findings.setup.main
    label = STATISTICS[sample.answer.test].label
    windows = tuple(_window_row(finding, findings, sample) for finding in sample.windows)
    yield Block("main", say("tests.main", test=label), windows)
    if sample.answer.verdict == Answer.PROVISIONAL:
        return
    further = (test for test in sample.main.tests if test.test in sample.shown[1:])
    opinions = [test for test in further if np.isfinite(test.pvalue)]
    for trust, key in TRUST.items():
        rows = [*_other_estimates(sample)] if trust == Diagnosis.VALID else []
        rows += [_test_row(test) for test in opinions if test.trust == trust]
        if rows:
            yield Block(key, say(f"tests.{key}", window=main), tuple(rows))
    asked = {*(findings.setup.settings.get("tests") or ())} - {sample.answer.test}
    hidden = [t for t in sample.main.tests if t.test in asked and t not in opinions]
    hidden += [t for t in opinions if t.test in asked and t.trust not in TRUST]
    rows = [_test_row(test, "; ".join(map(str, test.reasons))) for test in hidden]
    if rows:
        yield Block("not_valid", say("tests.not_valid"), tuple(rows))


def _window_row(finding: WindowFinding, findings: Findings, sample: Sample) -> Row:
    answer, window = finding.answer, finding.window
    test = finding.test(answer.test)
    is_main = window == findings.setup.main
    rate: float | str = test.false_alarms if test else np.nan
    numbers = answer.calibrated
    is_measured = bool(is_main and numbers and np.isfinite(numbers.false_alarms))
    if numbers and is_measured:
        rate = numbers.false_alarms
    if answer.unequal:
        rate = say("tests.unequal_rate")
    values = {
        "name": name_window(window, is_late=is_day_later(findings)), "days": name_days(window),
        "role": say(f"terminal.role_{find_role(window, findings.setup.main)}"),
        "n_events": answer.n_events,
        **effect_values(answer.effect), "pvalue": answer.pvalue, "false_alarms": rate,
        "allows": allows_for(answer.test) if is_main else "", "is_measured": is_measured,
    }  # fmt: skip
    place = " ".join(filter(None, [words().window(window), _until(finding, findings)]))
    if answer.n_events != sample.answer.n_events:
        place = say("windows.other_number", place=place, n=answer.n_events)
    return Row(values, place, is_main, f"{window.start}_{window.stop}")


def name_days(window: Window) -> str:
    """Return a window by its first and last day, each with its sign."""
    return f"[{words().day(window.start)}, {words().day(window.stop)}]"


def _until(finding: WindowFinding, findings: Findings) -> str:
    """Return until when a price limit extends the window of the only event; "" if it does not."""
    sample, window = findings.sample, finding.window
    if not finding.is_extended or sample.n_used != 1:
        return ""
    (event,) = findings.of_group(sample.group)
    return say("event_page.until", date=event.car(window).until)


def _other_estimates(sample: Sample) -> Iterator[Row]:
    """Yield the plain average, and the main test judged by other dates of the same firms."""
    answer = sample.answer
    average, numbers = answer.plain_average, answer.calibrated
    if answer.n_events > 1 and np.isfinite(average.pvalue):
        name = say("tests.average")
        allows = say("tests.alike")
        values = {"name": name, **effect_values(average), "pvalue": average.pvalue}
        yield Row({**values, "allows": allows}, key="plain_average")
    name = say("tests.calibrated")
    if numbers and np.isfinite(numbers.pvalue):
        values = {
            "name": name, "effect": answer.effect.estimate, "pvalue": numbers.pvalue,
            "false_alarms": LEVEL,
            "allows": say("tests.shifted", n=numbers.draws, error=numbers.error),
        }  # fmt: skip
        yield Row(values, key="calibrated")
    elif numbers:
        yield Row({"name": name, "allows": numbers.reason}, key="calibrated")


def _test_row(test: TestFinding, why: str = "") -> Row:
    """Return a test with what it allows for, or why it is not valid."""
    values = {
        "name": STATISTICS[test.test].label, "pvalue": test.pvalue,
        "false_alarms": test.false_alarms, "allows": why or allows_for(test.test),
        "is_measured": test.is_measured,
    }  # fmt: skip
    return Row(values, key=test.test)


def write_tests_note(findings: Findings) -> str:
    """Return what stands below windows and tests."""
    note, unequal = say("tests.note"), findings.sample.answer.unequal
    if not unequal:
        return note
    return " ".join([note, say("tests.unequal"), *describe_swings(unequal)])


def allows_for(name: str) -> str:
    """Return what a test allows for, in words; what it does not, where it allows for nothing."""
    test = STATISTICS[name]
    grades = {code: getattr(test, code) for code in ("clustering", "overlap", "variance")}
    held = [say(f"tests.{code}") for code, grade in grades.items() if grade == "yes"]
    held += [say("tests.skewness")] * (test.skewness == "yes")
    return ", ".join(held) if held or test.per_event else say("tests.nothing")


def name_window(window: Window, *, is_late: bool = False) -> str:
    """Return a window in words, as the name of a row; `is_late` is :func:`is_day_later`."""
    first, last = window.start, window.stop
    code = f"tests.window.{'late_' * (is_late and not first)}{first}_{last}"
    if has(code):
        return say(code)
    if first == -last:
        return say("tests.window.around", n=last)
    if last < 0:
        return say("tests.window.before")
    return say("tests.window.after" if first > 0 else "tests.window.days", first=first, last=last)


def windows_finding(findings: Findings) -> str:
    """Return in how many windows the main test finds an effect."""
    main = windows_table(findings).blocks[0]
    decided = [p for row in main.rows if np.isfinite(p := row.values["pvalue"])]
    clear = sum(p < LEVEL for p in decided)
    texts = [say("windows.finding", n=len(decided), clear=clear)] * bool(decided)
    return " ".join(filter(None, [*texts, say_open(findings.sample.windows)]))


def tests_finding(findings: Findings) -> str:
    """Return how many other valid tests come to the verdict of the main test."""
    others = windows_table(findings).blocks[1:]
    rows = others[0].rows if others and others[0].key == "valid" else ()
    valid = [p for row in rows if np.isfinite(p := row.values.get("pvalue", np.nan))]
    if not valid or not np.isfinite(findings.sample.answer.pvalue):
        return say("tests.alone")
    agree = sum((p < LEVEL) == (findings.sample.answer.pvalue < LEVEL) for p in valid)
    code = "tests.agree" if len(valid) > 1 else "tests.agree_one"
    return say(code, n=len(valid), agree=agree)
