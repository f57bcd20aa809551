"""Windows and tests: the answer by window, the other tests by trust, and how far to trust each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...analysis.diagnosis import NOT_VALID, VALID, WITH_CARE, Opinion
from ...analysis.interval import Interval
from ...calendars.window import Window
from ...findings.types import Findings, Sample, TestFinding, WindowFinding
from ...significance import STATISTICS, Statistic
from ...utility.catalogue import has, say
from ...utility.numbers import LEVEL, capitalised, window_text
from ...utility.units import words
from .answer import is_day_later, name_sample

# Classes of other tests in their order; tests that are not valid have no place in the table.
TITLES = {VALID: "tests.valid", WITH_CARE: "tests.with_care"}
ORDER = (VALID, WITH_CARE, NOT_VALID)


@dataclass(frozen=True, slots=True)
class Column:
    """One window: what was found, and whether it is main, before, or after the event."""

    finding: WindowFinding
    role: str


@dataclass(frozen=True, slots=True)
class WindowValue:
    """What is shown of each window beside the tests: a row of the page, a column of other formats.

    Attributes
    ----------
    code : str
        Key of its labels below ``[windows.value]`` in the catalogue.
    kind : {"count", "return", "interval", "error"}
        How its numbers are written.
    places : str
        Where it stands: in text (Markdown and the terminal), and in papers (LaTeX).
    numbers : callable
        Takes a window and returns one number, or two that stand beneath each other.
    for_several : bool
        Whether it has no meaning for one event.
    """

    code: str
    kind: str
    places: str
    numbers: Callable[[WindowFinding], tuple[float, ...]]
    for_several: bool = False

    def label(self, place: str, *, is_single: bool = False) -> str:
        """Return the label of the value, with its unit.

        Parameters
        ----------
        place : str
            Place of the label in the catalogue, such as "page" or "terminal".
        is_single : bool
            Whether the study has one event.

        Returns
        -------
        str
            The label of the page where the place has none.
        """
        code = f"windows.value.{self.code}.{'single' if is_single else place}"
        return say(code if has(code) else f"windows.value.{self.code}.page", unit=words().head)


# The numbers of each window in every format; CONTRIBUTING.md says what one more of them takes.
VALUES = (
    WindowValue("events", "count", "text", lambda w: (w.answer.n_events,)),
    WindowValue("effect", "return", "text", lambda w: (w.answer.effect.estimate,)),
    WindowValue("interval", "interval", "text", lambda w: _ends(w.answer.effect)),
    WindowValue(
        "caar", "return", "text", lambda w: (w.answer.plain_average.estimate,),
        for_several=True,
    ),
)  # fmt: skip


def _ends(effect: Interval) -> tuple[float, float]:
    return effect.ci_low, effect.ci_high


@dataclass(frozen=True, slots=True)
class Cell:
    """One test over one window; NaN where it does not apply.

    Attributes
    ----------
    label : str
        Name of the test where it differs from that of the row, as of too few events; else "".
    pvalue : float
    """

    label: str
    pvalue: float


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test over all windows.

    Attributes
    ----------
    name, label : str
    trust : str
        "main", or the class of the test over the main window.
    cells : tuple of Cell
        One for each window.
    """

    name: str
    label: str
    trust: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class WindowsTable:
    """Windows by tests of one sample.

    Attributes
    ----------
    sample : Sample
    caption : str
        The events of the sample, capitalised.
    is_single : bool
        Whether it is about one event, whose effect is its CAR.
    columns : tuple of Column
    main : TestRow
        The main test, by window that of the answer.
    others : tuple of TestRow
        Valid tests first, then those that are valid with care.
    not_valid : tuple of str
        Labels of the tests that are not valid over the main window.
    """

    sample: Sample
    caption: str
    is_single: bool
    columns: tuple[Column, ...]
    main: TestRow
    others: tuple[TestRow, ...]
    not_valid: tuple[str, ...]

    def values(self, place: str) -> tuple[WindowValue, ...]:
        """Return what is shown of each window in a place: "text"."""
        return tuple(
            value
            for value in VALUES
            if place in value.places.split() and not (self.is_single and value.for_several)
        )

    def n_effect_values(self, place: str) -> int:
        """Return how many of the values stand before the p-value of the effect."""
        return sum(not value.for_several for value in self.values(place))


def windows_table(findings: Findings, sample: Sample | None = None) -> WindowsTable:
    """Return the table of a sample, by default of that of the answer.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        One of ``findings.samples`` with a used event.
    """
    sample = sample or findings.sample
    main, rows = findings.setup.main, [_row(sample, name) for name in sample.shown[1:]]
    return WindowsTable(
        sample=sample,
        caption=capitalised(name_sample(findings, sample)),
        is_single=sample.n_used == 1,
        columns=tuple(Column(f, find_role(f.window, main)) for f in sample.windows),
        main=_row(sample, sample.shown[0], is_main=True),
        others=tuple(row for trust in TITLES for row in rows if row.trust == trust),
        not_valid=tuple(row.label for row in rows if row.trust not in TITLES),
    )


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


def _row(sample: Sample, name: str, *, is_main: bool = False) -> TestRow:
    """Return a test over all windows, with the opinion over the main one."""
    opinion, cell_of = sample.main.test(name), _main_cell if is_main else _cell
    cells = tuple(cell_of(finding, name) for finding in sample.windows)
    trust = "main" if is_main else opinion.trust if opinion else NOT_VALID
    return TestRow(name, STATISTICS[name].label, trust, cells)


def _cell(finding: WindowFinding, name: str) -> Cell:
    test = finding.test(name)
    return Cell("", test.pvalue if test else np.nan)


def _main_cell(finding: WindowFinding, name: str) -> Cell:
    """Return p of the answer, and its test where fewer events have another one than `name`."""
    label = "" if finding.answer.test == name else STATISTICS[finding.answer.test].label
    return Cell(label, finding.answer.pvalue)


@dataclass(frozen=True, slots=True)
class TestLine:
    """One line of windows and tests.

    Attributes
    ----------
    name, remark : str
        The window or the test in words; the window in brackets.
    estimate, low, high, pvalue, false_alarms : float
        NaN where there is none.
    allows : str
        What the test allows for.
    is_main : bool
    """

    name: str
    remark: str
    estimate: float
    low: float
    high: float
    pvalue: float
    false_alarms: float
    allows: str
    is_main: bool = False


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
    blocks = [
        TestBlock(
            say("tests.main", test=label),
            tuple(_window_line(finding, findings) for finding in sample.windows),
        )
    ]
    opinions = [
        test
        for test in sample.main.tests
        if test.test in sample.shown[1:] and np.isfinite(test.pvalue)
    ]
    for trust, title in TITLES.items():
        lines = [_test_line(test) for test in opinions if test.trust == trust]
        if trust == VALID:
            lines = [*_other_estimates(sample), *lines]
        if lines:
            blocks.append(TestBlock(say(title, window=main), tuple(lines)))
    return blocks


def _window_line(finding: WindowFinding, findings: Findings) -> TestLine:
    answer, window = finding.answer, finding.window
    test, is_main = finding.test(answer.test), window == findings.setup.main
    rate = test.false_alarms if test else np.nan
    if is_main and answer.calibrated and np.isfinite(answer.calibrated.false_alarms):
        rate = answer.calibrated.false_alarms
    ends, allows = _ends(answer.effect), allows_for(answer.test) if is_main else ""
    remark, estimate = window_text(window), answer.effect.estimate
    name = name_window(window, is_late=is_day_later(findings))
    return TestLine(name, remark, estimate, *ends, answer.pvalue, rate, allows, is_main)


def _other_estimates(sample: Sample) -> Iterator[TestLine]:
    """Yield the plain average, and the main test judged by other dates of the same firms."""
    answer = sample.answer
    average, numbers = answer.plain_average, answer.calibrated
    if answer.n_events > 1 and np.isfinite(average.pvalue):
        facts = (average.estimate, *_ends(average), average.pvalue, np.nan)
        yield TestLine(say("tests.average"), "", *facts, say("tests.alike"))
    if numbers and np.isfinite(numbers.pvalue):
        allows = say("tests.shifted", n=numbers.draws, error=numbers.error)
        name, effect = say("tests.calibrated"), (answer.effect.estimate, np.nan, np.nan)
        yield TestLine(name, "", *effect, numbers.pvalue, LEVEL, allows)
    elif numbers:
        none = np.nan
        yield TestLine(say("tests.calibrated"), "", none, none, none, none, none, numbers.reason)


def _test_line(test: TestFinding) -> TestLine:
    label, rate = STATISTICS[test.test].label, test.false_alarms
    none = np.nan
    return TestLine(label, "", none, none, none, test.pvalue, rate, allows_for(test.test))


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


@dataclass(frozen=True, slots=True)
class Trust:
    """The diagnosis.

    Attributes
    ----------
    text : list of str
    shown, others : list of (Statistic, Opinion)
        The tests with the opinion on each: those that pages show, and the others.
    main_test, subject : str
    """

    text: list[str]
    shown: list[tuple[Statistic, Opinion]]
    others: list[tuple[Statistic, Opinion]]
    main_test: str
    subject: str


def trust(findings: Findings) -> Trust | None:
    """Return the diagnosis; None where no event has the main window."""
    sample, diagnosis = findings.sample, findings.sample.diagnosis
    if diagnosis is None or diagnosis.n_events == 0:
        return None
    main_test = diagnosis.main_test
    ranked = sorted(diagnosis.opinions, key=lambda v: (v.test != main_test, ORDER.index(v.trust)))
    return Trust(
        text=diagnosis.text,
        shown=[(STATISTICS[v.test], v) for v in ranked if v.test in sample.shown],
        others=[(STATISTICS[v.test], v) for v in ranked if v.test not in sample.shown],
        main_test=main_test,
        subject=name_sample(findings),
    )
