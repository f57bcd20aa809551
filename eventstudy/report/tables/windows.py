"""Windows and tests: the answer by window, the other tests by trust, and how far to trust each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ...analysis import VALID, WITH_CARE, Interval
from ...calendars import Window
from ...findings import Findings, Sample, TestFinding, WindowFinding
from ...significance import STATISTICS
from ...words import LEVEL, has, say, window_text
from ..sentences.answer import describe_swings, is_day_later

# Windows before and after the event by their roles, and what the sides are called.
AROUND = {"leakage": "before", "drift": "after"}
# Classes of other tests in their order; tests that are not valid have no place in the table.
TITLES = {VALID: "tests.valid", WITH_CARE: "tests.with_care"}


def windows_lede(findings: Findings) -> str:
    """Return which test decides, and where the main window is from."""
    diagnosis = findings.sample.diagnosis
    chosen = "set" if findings.setup.settings.get("windows") else "default"
    test = STATISTICS[findings.sample.shown[0]].label
    lede = say(f"windows.lede_{chosen}", test=test, main=findings.setup.main)
    return f"{diagnosis.text[0]} {lede}" if diagnosis else lede


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


@dataclass(frozen=True, slots=True)
class TestLine:
    """One line of windows and tests.

    Attributes
    ----------
    name : str
        The window or the test in words.
    pvalue, false_alarms : float
        NaN where there is none.
    rate_range : str
        In place of the false alarms where they depend on what nobody knows.
    allows : str
        What the test allows for.
    effect : Interval
        Empty where there is none.
    remark : str
        The window in brackets.
    is_main : bool
    """

    name: str
    pvalue: float
    false_alarms: float = np.nan
    allows: str = ""
    effect: Interval = field(default_factory=Interval)
    remark: str = ""
    is_main: bool = False
    rate_range: str = ""


@dataclass(frozen=True, slots=True)
class TestBlock:
    """The main test by window, the other valid tests, or those that are valid with care."""

    title: str
    lines: tuple[TestLine, ...]


def list_tests(findings: Findings, sample: Sample | None = None) -> list[TestBlock]:
    """Return windows and tests as blocks: the main test by window, then other tests by trust.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        By default that of the answer.
    """
    sample, main = sample or findings.sample, findings.setup.main
    label = STATISTICS[sample.answer.test].label
    by_window = tuple(_window_line(finding, findings) for finding in sample.windows)
    blocks = [TestBlock(say("tests.main", test=label), by_window)]
    further = (test for test in sample.main.tests if test.test in sample.shown[1:])
    opinions = [test for test in further if np.isfinite(test.pvalue)]
    for trust, title in TITLES.items():
        lines = [*_other_estimates(sample)] if trust == VALID else []
        lines += [_test_line(test) for test in opinions if test.trust == trust]
        if lines:
            blocks.append(TestBlock(say(title, window=main), tuple(lines)))
    asked = {*(findings.setup.settings.get("tests") or ())} - {sample.answer.test}
    hidden = [t for t in sample.main.tests if t.test in asked and t not in opinions]
    hidden += [t for t in opinions if t.test in asked and t.trust not in TITLES]
    lines = [replace(_test_line(t), allows="; ".join(map(str, t.reasons))) for t in hidden]
    return [*blocks, TestBlock(say("tests.not_valid"), tuple(lines))] if lines else blocks


def _window_line(finding: WindowFinding, findings: Findings) -> TestLine:
    answer, window = finding.answer, finding.window
    test, is_main = finding.test(answer.test), window == findings.setup.main
    rate = test.false_alarms if test else np.nan
    if is_main and answer.calibrated and np.isfinite(answer.calibrated.false_alarms):
        rate = answer.calibrated.false_alarms
    name = name_window(window, is_late=is_day_later(findings))
    allows = allows_for(answer.test) if is_main else ""
    place = " ".join(filter(None, [window_text(window), _until(finding, findings)]))
    rate_range = say("tests.unequal_rate") if answer.unequal else ""
    facts = (answer.effect, place, is_main, rate_range)
    return TestLine(name, answer.pvalue, rate, allows, *facts)


def _until(finding: WindowFinding, findings: Findings) -> str:
    """Return until when a price limit extends the window of the only event; "" if it does not."""
    sample, window = findings.sample, finding.window
    if not finding.is_extended or sample.n_used != 1:
        return ""
    (event,) = findings.of_group(sample.group)
    return say("event_page.until", date=event.car(window).until)


def _other_estimates(sample: Sample) -> Iterator[TestLine]:
    """Yield the plain average, and the main test judged by other dates of the same firms."""
    answer, name = sample.answer, say("tests.calibrated")
    average, numbers = answer.plain_average, answer.calibrated
    if answer.n_events > 1 and np.isfinite(average.pvalue):
        label = say("tests.average")
        yield TestLine(label, average.pvalue, allows=say("tests.alike"), effect=average)
    if numbers and np.isfinite(numbers.pvalue):
        allows = say("tests.shifted", n=numbers.draws, error=numbers.error)
        effect = Interval(answer.effect.estimate)
        yield TestLine(name, numbers.pvalue, LEVEL, allows, effect)
    elif numbers:
        yield TestLine(name, np.nan, allows=numbers.reason)


def _test_line(test: TestFinding) -> TestLine:
    label = STATISTICS[test.test].label
    return TestLine(label, test.pvalue, test.false_alarms, allows_for(test.test))


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


def tests_finding(findings: Findings) -> str:
    """Return in how many windows, and by how many other valid tests, there is an effect."""
    blocks = list_tests(findings)
    windows = [line for line in blocks[0].lines if np.isfinite(line.pvalue)]
    clear = sum(line.pvalue < LEVEL for line in windows)
    text = say("tests.finding", n=len(windows), clear=clear)
    lines = blocks[1].lines if len(blocks) > 1 and blocks[1].title != say("tests.with_care") else ()
    valid = [line for line in lines if np.isfinite(line.pvalue)]
    if not valid or not np.isfinite(findings.sample.answer.pvalue):
        return text
    agree = sum((line.pvalue < LEVEL) == (findings.sample.answer.pvalue < LEVEL) for line in valid)
    code = "tests.agree" if len(valid) > 1 else "tests.agree_one"
    return f"{text} {say(code, n=len(valid), agree=agree)}"
