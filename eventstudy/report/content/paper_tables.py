"""The two tables of a paper, windows by tests and events, before they are set in a format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...calendars.window import Window
from ...significance import STATISTICS
from ...utility.csv_text import BLANK
from ...utility.numbers import clipped, date_iso
from .finished_run import Finished
from .wording import firm_name

LONGEST_NAME, LONGEST_GROUP = 60, 40
# Where the numbers of a WindowRow stand in caar.csv.
OF_A_WINDOW = {
    "n_events": "n_events", "effect": "weighted_caar", "se": "weighted_se", "low": "weighted_low",
    "high": "weighted_high", "pvalue": "pvalue", "caar": "caar", "main": "main_test",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One test over one window; NaN where it does not apply."""

    name: str
    statistic: float
    pvalue: float


@dataclass(frozen=True, slots=True)
class WindowRow:
    """The effect over one window with interval and p-value of its main test, plain average and
    tests."""

    window: Window
    main: str
    n_events: int
    effect: float
    se: float
    low: float
    high: float
    pvalue: float
    caar: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One group of events over all windows; `group` is "" for all events, `main` the main test."""

    group: str
    n_events: int
    main: str
    tests: tuple[str, ...]
    rows: tuple[WindowRow, ...]


@dataclass(frozen=True, slots=True)
class EventRow:
    """One used event over the main window (decimal)."""

    event_id: str
    date: str
    name: str
    group: str
    car: float
    se: float
    statistic: float
    pvalue: float
    flags: str


def panels(run: Finished, most: int, tests: int | None = None) -> tuple[list[Panel], int]:
    """Return windows by tests of the first `most` groups and of all events, and how many groups are
    left.

    The columns are those of the group of the answer, the first `tests` of them, after the main
    tests of the groups; a group that none of these speaks of, such as one event among groups of
    several, has its own. Tests that are not valid over the main window are left out.
    """
    *groups, whole = [s for s in run.document["samples"] if s["windows"]] or [None]
    samples = [*groups[:most], whole] if whole else []
    found = []
    for sample in samples:
        alike = [other for other in samples if _alike(sample, other)]
        shown = [*(other["shown"][0] for other in alike), *alike[0]["shown"]]
        names = tuple(name for name in dict.fromkeys(shown) if _is_shown(run, alike, name))[:tests]
        rows = _rows(names, *(_of(run, name, sample["group"]) for name in ("caar", "tests")))
        found.append(Panel(sample["group"], sample["n_events"], sample["shown"][0], names, rows))
    return found, max(0, len(groups) - most)


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether the same tests speak of two samples: those of one CAR, or those of several."""
    single, others = (STATISTICS[sample["shown"][0]].per_event for sample in (one, other))
    return single is others


def _of(run: Finished, name: str, group: str) -> pd.DataFrame:
    """Return the rows of a group; "" for all events."""
    if not group:
        return run.tables[name]
    table, column = run.tables[f"{name}_by_group"], str(run.document["group_column"])
    return table[table[column] == group]


def _is_shown(run: Finished, samples: list[Mapping[str, Any]], name: str) -> bool:
    """Return whether a test is the main test of a sample, or valid over the main window in one of
    them."""
    main = [run.main.start, run.main.stop]
    windows = (
        row
        for sample in samples
        for row in sample["windows"]
        if [row["start"], row["stop"]] == main
    )
    return any(sample["shown"][0] == name for sample in samples) or any(
        name not in row["not_valid"] for row in windows
    )


def _rows(
    names: tuple[str, ...], means: pd.DataFrame, tests: pd.DataFrame
) -> tuple[WindowRow, ...]:
    by_key = {(t["test"], t["start"], t["stop"]): t for t in tests.to_dict("records")}
    rows = []
    for m in means.to_dict("records"):
        window = Window(m["start"], m["stop"])
        cells = tuple(_cell(name, by_key.get((name, window.start, window.stop))) for name in names)
        numbers = {field: m[column] for field, column in OF_A_WINDOW.items()}
        rows.append(WindowRow(window=window, cells=cells, **numbers))
    return tuple(rows)


def _cell(name: str, test: Mapping[Any, Any] | None) -> Cell:
    if test is None:
        return Cell(name, np.nan, np.nan)
    return Cell(name, test["statistic"], test["pvalue"])


def event_rows(run: Finished) -> list[EventRow]:
    """Return the used events by CAR over the main window, those without one last."""
    used = run.events[run.events["status"] == "ok"].to_dict("records")
    column = run.document["group_column"]
    rows = [
        EventRow(
            e["event_id"], date_iso(e["day0"]), firm_name(e, LONGEST_NAME),
            (clipped(e[column], LONGEST_GROUP) or BLANK) if column else "",
            c["car"], c["se"], c["statistic"], c["pvalue"], e["flags"],
        )
        for e, c in zip(used, run.over_main("car").to_dict("records"), strict=True)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (np.isnan(row.car), row.car))


def labels(names: tuple[str, ...]) -> list[str]:
    """Return the labels of tests."""
    return [STATISTICS[name].label for name in names]
