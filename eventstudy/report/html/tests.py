"""The table of windows and tests: the answer by window, then the other tests by how far to trust
them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.answer import answer_of, main_test_of
from ...analysis.diagnosis import diagnose
from ...analysis.opinions import NOT_VALID, VALID, WITH_CARE
from ...calendars.window import Window
from ...significance import STATISTICS
from ...utility.numbers import (
    LEVEL,
    MISSING,
    bound,
    capitalised,
    percent,
    pvalue,
    signed,
    window_text,
)
from ...utility.units import words
from ..content.shown_tests import Cell, cells, rate_text, shown_tests
from ..content.subject import Page
from ..content.wording import in_type, short_reason

if TYPE_CHECKING:
    from ...analysis.answer import Interval
    from ...fitting.fitted import FittedStudy

MAIN_TITLE = "Main test"
_TITLES = {
    VALID: "Other tests, valid here",
    WITH_CARE: "Valid with care: more false alarms than 5%, or an assumption that cannot be "
    "checked",
}


@dataclass(frozen=True, slots=True)
class GridCell:
    """Text of one test over one window."""

    pvalue: str
    statistic: str
    significant: bool
    main: bool


@dataclass(frozen=True, slots=True)
class GridRow:
    """One test over all windows."""

    name: str
    label: str
    about: str
    is_main: bool
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Windows by tests of one sample, the tests grouped by how far to trust them over the main
    window."""

    windows: tuple[tuple[str, str, bool], ...]
    events: tuple[str, ...]
    effect: tuple[str, ...]
    intervals: tuple[tuple[str, str], ...]
    average: tuple[str, ...]
    average_intervals: tuple[tuple[str, str], ...]
    positive: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, tuple[GridRow, ...]], ...]
    left_out: str


def grids(page: Page) -> dict[str, Any]:
    """Return the table of the events of the answer, its caption and the sentence above."""
    config, subject = page.config, page.subject
    return {
        "table": significance_grid(page.sample, config.tested, page.main, config.tests),
        "caption": capitalised(subject),
        "lede": _lede(page),
    }


def _lede(page: Page) -> str:
    """Say which test decides, and where the main window is from."""
    diagnosis = diagnose(page.sample, page.main)
    label = STATISTICS[diagnosis.main_test].label
    chosen = "comes from the settings" if page.config.windows else "is the default"
    return (
        f"{in_type(diagnosis.text[0])} {label} is the main test for this number of events. The "
        "main window "
        f"{window_text(page.main)} {chosen}; the other windows are for context and are not "
        "corrected for "
        "multiple looks."
    )


def significance_grid(
    results: FittedStudy, windows: Iterable[Window], main: Window, names: Iterable[str] | None
) -> Grid:
    """Return windows by tests; `main` is the window of the headline."""
    shown = list(windows)
    tests = shown_tests(results, main, names)
    by_window = {w: cells(results, w, tests) for w in shown}
    answers = [answer_of(results, w) for w in shown]
    hidden = [
        STATISTICS[n].label
        for n, cell in by_window[main].items()
        if _is_hidden(results, main, cell)
    ]
    return Grid(
        windows=tuple((window_text(w), window_role(w, main), w == main) for w in shown),
        events=tuple(f"{int(results.abnormal.valid(w).sum()):,}" for w in shown),
        effect=tuple(percent(a.effect.estimate, unit=False) for a in answers),
        intervals=tuple(_ends(a.effect) for a in answers),
        average=tuple(percent(a.plain_average.estimate, unit=False) for a in answers),
        average_intervals=tuple(_ends(a.plain_average) for a in answers),
        positive=tuple(_positive(results, w) for w in shown),
        groups=_grouped(results, by_window, main),
        left_out=", ".join(hidden),
    )


def _is_hidden(results: FittedStudy, main: Window, cell: Cell) -> bool:
    return cell.trust == NOT_VALID and cell.result.name != main_test_of(results, main)


def _ends(interval: Interval) -> tuple[str, str]:
    """Return the ends of an interval, missing where there is none."""
    if not np.isfinite(interval.ci_low):
        return MISSING, ""
    return bound(interval.ci_low, unit=False), bound(interval.ci_high, unit=False)


def window_role(window: Window, main: Window) -> str:
    """Return what a window is for: main, leakage before or drift after the event, or nothing."""
    if window == main:
        return "main"
    return "leakage" if window.stop < 0 else "drift" if window.start > 0 else ""


def _positive(results: FittedStudy, window: Window) -> tuple[str, str]:
    car = results.abnormal.sample(window).car(window)
    if len(car) == 0:
        return MISSING, ""
    return f"{int((car > 0).sum()):,}", percent(float(np.median(car)), unit=False)


def _grouped(
    results: FittedStudy, by_window: Mapping[Window, Mapping[str, Cell]], main: Window
) -> tuple[tuple[str, tuple[GridRow, ...]], ...]:
    """Group the tests by how far to trust them over the main window; those not valid are left
    out."""
    first = main_test_of(results, main)
    kinds: dict[str, list[GridRow]] = {MAIN_TITLE: [], **{title: [] for title in _TITLES.values()}}
    for name, cell in by_window[main].items():
        title = MAIN_TITLE if name == first else _TITLES.get(cell.trust)
        if title:
            texts = (
                _answer_cell(results, w, main)
                if name == first
                else _grid_cell(tests[name], main=w == main)
                for w, tests in by_window.items()
            )
            row = GridRow(
                name, STATISTICS[name].label, _about(name, cell), name == first, tuple(texts)
            )
            kinds[title].append(row)
    return tuple((title, tuple(rows)) for title, rows in kinds.items() if rows)


def _about(name: str, cell: Cell) -> str:
    """Return the false-alarm rate of a test here with its cause, or its null hypothesis."""
    null = words().say(f"Null: {STATISTICS[name].null}.")
    if not cell.reason:
        return null
    rate, why = rate_text(cell), in_type(short_reason(cell.reason))
    return f"False alarms {rate} instead of 5%: {why}." if rate else f"{capitalised(why)}."


def _grid_cell(cell: Cell, *, main: bool) -> GridCell:
    p = cell.result.pvalue
    return GridCell(pvalue(p), signed(cell.result.statistic), bool(p < LEVEL), main)


def _answer_cell(results: FittedStudy, window: Window, main: Window) -> GridCell:
    """Return the p-value of the answer, and its test where fewer events than in `main` have another
    one."""
    found = answer_of(results, window)
    other = f"{STATISTICS[found.test].label} " * (found.test != main_test_of(results, main))
    statistic = results.test(found.test, window).statistic if np.isfinite(found.pvalue) else np.nan
    beneath = f"{other}{signed(statistic)}"
    return GridCell(pvalue(found.pvalue), beneath, bool(found.pvalue < LEVEL), window == main)
