"""The table of windows and tests: the answer by window, then the other tests by trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...analysis.answer import Interval
from ...analysis.diagnosis import NOT_VALID, VALID, WITH_CARE
from ...calendars.window import Window
from ...findings.samples import Sample, TestFinding, WindowFinding
from ...findings.types import Findings
from ...significance import STATISTICS
from ...utility.catalogue import has, say
from ...utility.numbers import LEVEL, capitalised
from ...utility.units import words
from .subject import subject

# Classes of other tests in their order; tests that are not valid have no place in the table.
TITLES = {VALID: "windows.valid", WITH_CARE: "windows.with_care"}


@dataclass(frozen=True, slots=True)
class Column:
    """One window: what was found, and whether it is main, before, or after the event."""

    finding: WindowFinding
    role: str

    @property
    def is_main(self) -> bool:
        """Whether this is the main window."""
        return self.role == "main"


@dataclass(frozen=True, slots=True)
class Value:
    """What is shown of each window beside the tests: a row of the page, a column of other formats.

    Attributes
    ----------
    code : str
        Key of its labels below ``[windows.value]`` in the catalogue.
    kind : {"count", "return", "interval", "error", "positive"}
        How its numbers are written.
    places : str
        Where it stands: on the page, in text (Markdown and the terminal), and in papers (LaTeX).
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

    @property
    def remark(self) -> str:
        """What stands beneath its label on the page; "" for nothing."""
        code = f"windows.value.{self.code}.remark"
        return say(code, unit=words().head) if has(code) else ""


# The numbers of each window in every format; CONTRIBUTING.md says what one more of them takes.
VALUES = (
    Value("events", "count", "page text paper", lambda w: (w.answer.n_events,)),
    Value("effect", "return", "page text paper", lambda w: (w.answer.effect.estimate,)),
    Value("error", "error", "paper", lambda w: (w.answer.effect.se,)),
    Value("interval", "interval", "page text", lambda w: _ends(w.answer.effect)),
    Value(
        "caar", "return", "page text", lambda w: (w.answer.plain_average.estimate,),
        for_several=True,
    ),
    Value(
        "caar_interval", "interval", "page", lambda w: _ends(w.answer.plain_average),
        for_several=True,
    ),
    Value("positive", "positive", "page", lambda w: (w.positive, w.median), for_several=True),
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
    statistic, pvalue : float
    is_main : bool
        Whether this is the main window.
    """

    label: str
    statistic: float
    pvalue: float
    is_main: bool

    @property
    def is_significant(self) -> bool:
        """Whether p is below 0.05."""
        return bool(self.pvalue < LEVEL)


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test over all windows.

    Attributes
    ----------
    name, label : str
    trust : str
        "main", or the class of the test over the main window.
    remark : str
        False-alarm rate with its cause, or the null hypothesis.
    cells : tuple of Cell
        One for each window.
    """

    name: str
    label: str
    trust: str
    remark: str
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

    def values(self, place: str) -> tuple[Value, ...]:
        """Return what is shown of each window in a place: "page", "text" or "paper"."""
        return tuple(
            value
            for value in VALUES
            if place in value.places.split() and not (self.is_single and value.for_several)
        )

    def n_effect_values(self, place: str) -> int:
        """Return how many of the values stand before the p-value of the effect."""
        return sum(not value.for_several for value in self.values(place))

    @property
    def classes(self) -> tuple[tuple[str, tuple[TestRow, ...]], ...]:
        """Title and tests of the main test and of each class that has one."""
        rows = {
            say("windows.main"): (self.main,),
            **{
                say(code): tuple(row for row in self.others if row.trust == trust)
                for trust, code in TITLES.items()
            },
        }
        return tuple((title, tests) for title, tests in rows.items() if tests)


def windows_table(findings: Findings, sample: Sample | None = None) -> WindowsTable:
    """Return the table of a sample, by default of that of the answer.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        One of ``findings.samples`` with a used event.
    """
    sample = sample or findings.sample
    main, tested = findings.setup.main, sample.windows
    rows = [_row(sample, name, main) for name in sample.shown[1:]]
    rows.sort(key=lambda row: list(TITLES).index(row.trust) if row.trust in TITLES else 9)
    return WindowsTable(
        sample=sample,
        caption=capitalised(subject(findings, sample)),
        is_single=sample.n_used == 1,
        columns=tuple(Column(finding, role_of(finding.window, main)) for finding in tested),
        main=_main_row(sample, main),
        others=tuple(row for row in rows if row.trust in TITLES),
        not_valid=tuple(row.label for row in rows if row.trust not in TITLES),
    )


def windows_lede(findings: Findings) -> str:
    """Return which test decides, and where the main window is from."""
    diagnosis = findings.sample.diagnosis
    chosen = "set" if findings.setup.settings.get("windows") else "default"
    return " ".join([
        diagnosis.text[0] if diagnosis else "",
        say(
            f"windows.lede_{chosen}",
            test=STATISTICS[findings.sample.shown[0]].label,
            main=findings.setup.main,
        ),
    ]).strip()  # fmt: skip


def role_of(window: Window, main: Window) -> str:
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


def _row(sample: Sample, name: str, main: Window) -> TestRow:
    """Return a test over all windows, with the opinion over the main one."""
    tests = [finding.test(name) for finding in sample.windows]
    opinion = sample.main.test(name)
    cells = tuple(
        Cell(
            "",
            test.statistic if test else np.nan,
            test.pvalue if test else np.nan,
            finding.window == main,
        )
        for test, finding in zip(tests, sample.windows, strict=True)
    )
    trust = opinion.trust if opinion else NOT_VALID
    return TestRow(name, STATISTICS[name].label, trust, _remark(name, opinion), cells)


def _main_row(sample: Sample, main: Window) -> TestRow:
    """Return p of the answer by window, and its test where fewer events have another one."""
    name = sample.shown[0]
    cells = []
    for finding in sample.windows:
        answer, test = finding.answer, finding.test(finding.answer.test)
        label = "" if answer.test == name else STATISTICS[answer.test].label
        statistic = test.statistic if test and np.isfinite(answer.pvalue) else np.nan
        cells.append(Cell(label, statistic, answer.pvalue, finding.window == main))
    remark = _remark(name, sample.main.test(name))
    return TestRow(name, STATISTICS[name].label, "main", remark, tuple(cells))


def _remark(name: str, opinion: TestFinding | None) -> str:
    """Return the false-alarm rate of a test here with its cause, or its null hypothesis."""
    if opinion is None or not opinion.reasons:
        return words().say(say("windows.null", null=STATISTICS[name].null))
    why = "; ".join(reason.brief for reason in opinion.reasons)
    if not np.isfinite(opinion.false_alarms):
        return f"{capitalised(why)}."
    return say("windows.false_alarms", rate=opinion.false_alarms, why=why)
