"""The table of windows by tests, marked by how far each test is to be trusted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.verdicts import DOUBTFUL, NOT_HERE
from ..pvalues import LEVEL, pvalue
from ..significance import STATISTICS
from ..windows import Window
from .facts import Cell, cells, interval, interval_known, shown_tests
from .measures import words
from .page import Page
from .wording import (
    MISSING,
    bound,
    capitalised,
    count,
    in_type,
    listed,
    percent,
    reason_general,
    short_reason,
    signed,
    window_text,
)

if TYPE_CHECKING:
    from ..results import EventStudyResults


_TITLES = {
    "lead": "Recommended over {main}",
    "all": "Usable in every window",
    "computed": "Usable in every window that has a p-value",
    "some": "Usable in some windows, in brackets in the others",
    "few": "Not to be relied on in any window, for the reason below the table",
    "none": "Not to be relied on in any window, shown because readers expect them",
}
_TRUST = {DOUBTFUL: "Doubtful", NOT_HERE: "Not to be used"}


@dataclass(frozen=True, slots=True)
class GridCell:
    """Text of one test over one window."""

    pvalue: str
    statistic: str
    valid: bool
    trust: str
    significant: bool
    main: bool


@dataclass(frozen=True, slots=True)
class GridRow:
    """One test over all windows."""

    name: str
    label: str
    about: str
    tag: str
    cells: tuple[GridCell, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Windows by tests of one sample, the tests grouped by where they are valid."""

    windows: tuple[tuple[str, str, bool], ...]
    events: tuple[str, ...]
    caar: tuple[str, ...]
    intervals: tuple[tuple[str, str], ...]
    positive: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, tuple[GridRow, ...]], ...]
    notes: tuple[str, ...]


def grids(page: Page) -> dict[str, Any]:
    """Return the table of the events of the answer, its caption and the sentence above."""
    config, subject = page.config, page.subject
    return {
        "table": significance_grid(page.sample, config.tested, page.main, config.tests),
        "caption": capitalised(subject),
        "lede": _lede(page),
    }


def _lede(page: Page) -> str:
    """Say which test to read, and where the main window is from."""
    found = page.sample.diagnose(page.main)
    labels = [STATISTICS[name].label for name in found.recommended]
    chosen = "is the one asked for" if page.config.windows else "is the default"
    beside = f", and {listed(labels[1:])} beside it" if labels[1:] else ""
    read = f"Read {labels[0]} first{beside}. " if labels else ""
    return (
        f"{in_type(found.text[0])} {read}The main window {window_text(page.main)} {chosen}; "
        "the other windows are for context and are not corrected for multiple looks."
    )


def significance_grid(
    results: EventStudyResults, windows: Iterable[Window], main: Window, names: Iterable[str] | None
) -> Grid:
    """Return windows by tests; `main` is the window of the headline."""
    shown = list(windows)
    tests = shown_tests(results, main, names)
    by_window = {w: cells(results, w, tests) for w in shown}
    found = [interval(results, w) for w in shown]
    return Grid(
        windows=tuple((window_text(w), window_role(w, main), w == main) for w in shown),
        events=tuple(f"{int(results.abnormal.valid(w).sum()):,}" for w in shown),
        caar=tuple(percent(i.estimate, unit=False) for i in found),
        intervals=tuple(_interval_ends(results, w) for w in shown),
        positive=tuple(_positive(results, w) for w in shown),
        groups=_grouped(results, by_window, main),
        notes=_reason_notes(by_window),
    )


def _interval_ends(results: EventStudyResults, window: Window) -> tuple[str, str]:
    """Return the ends of the interval, missing where it may not be shown."""
    if not interval_known(results, window):
        return MISSING, ""
    found = interval(results, window)
    return bound(found.low, unit=False), bound(found.high, unit=False)


def window_role(window: Window, main: Window) -> str:
    """Return what a window is for: main, leakage before or drift after the event, or nothing."""
    if window == main:
        return "main"
    return "leakage" if window.stop < 0 else "drift" if window.start > 0 else ""


def _positive(results: EventStudyResults, window: Window) -> tuple[str, str]:
    car = results.abnormal.sample(window).car(window)
    if len(car) == 0:
        return MISSING, ""
    return f"{int((car > 0).sum()):,}", percent(float(np.median(car)), unit=False)


def _grouped(
    results: EventStudyResults, by_window: Mapping[Window, Mapping[str, Cell]], main: Window
) -> tuple[tuple[str, tuple[GridRow, ...]], ...]:
    """Group the tests by where they are to be relied on, each window being judged by its own events."""
    recommended = results.diagnose(main).recommended
    kinds: dict[str, list[GridRow]] = {kind: [] for kind in _TITLES}
    for name in by_window[main]:
        row = {w: tests[name] for w, tests in by_window.items()}
        kind = "lead" if name in recommended else _kind(row.values())
        tag = "" if name not in recommended else "leads" if name == recommended[0] else "beside it"
        kinds[kind].append(_grid_row(name, row, main, tag))
    return tuple(
        (_TITLES[kind].format(main=window_text(main)), tuple(rows)) for kind, rows in kinds.items() if rows
    )


def _kind(row: Iterable[Cell]) -> str:
    """Return the kind of title that holds for a test over these windows."""
    shown = list(row)
    computed = [cell for cell in shown if np.isfinite(cell.result.pvalue)]
    valid = sum(cell.valid for cell in shown)
    if valid and valid == len(computed):
        return "all" if valid == len(shown) else "computed"
    if valid:
        return "some"
    return "none" if any(cell.faults for cell in computed) else "few"


def _grid_row(name: str, row: Mapping[Window, Cell], main: Window, tag: str) -> GridRow:
    entry = STATISTICS[name]
    texts = tuple(_grid_cell(cell, main=window == main) for window, cell in row.items())
    return GridRow(name, entry.label, _faults(row) or words().say(f"Null: {entry.null}."), tag, texts)


def _faults(row: Mapping[Window, Cell]) -> str:
    """Say what speaks against a test, how much, and over which windows where not over all.

    Where no window may be relied on, those against which nothing is said here have their reason below.
    """
    computed = {w: cell for w, cell in row.items() if np.isfinite(cell.result.pvalue)}
    bare = [w for w, cell in computed.items() if not cell.valid and not cell.faults]
    judged = {w: cell for w, cell in computed.items() if w not in bare}
    base = computed if len(bare) > len(judged) else judged
    said: list[str] = []
    rest = len(judged)
    for trust in (NOT_HERE, DOUBTFUL):
        there = {w: cell for w, cell in judged.items() if cell.trust == trust and cell.faults}
        if not there:
            continue
        where = " elsewhere" if said and len(there) == rest and base is judged else _over(there, base)
        said.append(f"{_TRUST[trust]}{where}: {in_type(listed(_parts(there)))}.")
        rest -= len(there)
    if said and bare:
        where = "Elsewhere" if base is computed else f"Over {listed(window_text(w) for w in bare)}"
        said.append(f"{where} for the reason below the table.")
    return " ".join(said)


def _parts(there: Mapping[Window, Cell]) -> list[str]:
    """Return what speaks against a test over these windows, each with its own where it is not all of them."""
    found: dict[str, list[Window]] = {}
    for window, cell in there.items():
        whys = " and ".join(map(short_reason, cell.faults))
        for part in dict.fromkeys(whys.split(" and ")):
            found.setdefault(part, []).append(window)
    where = {part: _over(windows, there).strip() for part, windows in found.items()}
    return [f"{part} ({over})" if over else part for part, over in where.items()]


def _over(windows: Collection[Window], everywhere: Iterable[Window]) -> str:
    """Say over which windows something holds: nothing for all, "except over" for most."""
    others = [w for w in everywhere if w not in windows]
    if not others:
        return ""
    most = len(others) < len(windows)
    return f"{' except' if most else ''} over {listed(window_text(w) for w in (others if most else windows))}"


def _grid_cell(cell: Cell, *, main: bool) -> GridCell:
    p = pvalue(cell.result.pvalue)
    return GridCell(
        p if cell.valid or p == MISSING else f"({p})",
        signed(cell.result.statistic),
        cell.valid,
        cell.trust,
        cell.valid and cell.result.pvalue < LEVEL,
        main,
    )


def _reason_notes(by_window: Mapping[Window, Mapping[str, Cell]]) -> tuple[str, ...]:
    """Say why cells are missing or unreliable, equal reasons in one sentence."""
    alike: dict[tuple[str, tuple[Window, ...]], list[str]] = {}
    names = next(iter(by_window.values()))
    for name in names:
        row = {window: tests[name] for window, tests in by_window.items()}
        for reason, windows in _reasons_of(row, STATISTICS[name].minimum).items():
            alike.setdefault((reason, tuple(windows)), []).append(STATISTICS[name].label)
    return tuple(
        f"{'All tests' if len(labels) == len(names) > 1 else listed(labels)}{_over(windows, by_window)}: "
        f"{reason}."
        for (reason, windows), labels in alike.items()
    )


def _reasons_of(row: Mapping[Window, Cell], minimum: int) -> dict[str, list[Window]]:
    """Return the reasons of one test with their windows; too few events hold wherever they are too few."""
    few = f"fewer than {count(minimum, 'event')}"
    found: dict[str, list[Window]] = {}
    for window, cell in row.items():
        for reason in filter(None, cell.result.reason.split("; ")):
            found.setdefault(reason_general(reason), []).append(window)
    if few in found:
        found[few] = [window for window, cell in row.items() if 0 < cell.result.n_events < minimum]
    return found
