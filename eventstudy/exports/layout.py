"""The two tables of a paper, windows by tests and events, before they are set in a format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..canonical import BLANK
from ..report.wording import clipped, date_iso, firm_name
from ..significance import STATISTICS
from ..windows import Window
from .finished import Finished

LONGEST_NAME, LONGEST_GROUP = 60, 40


@dataclass(frozen=True, slots=True)
class Cell:
    """One test over one window; NaN where it does not apply."""

    name: str
    statistic: float
    pvalue: float
    valid: bool
    reason: str


@dataclass(frozen=True, slots=True)
class WindowRow:
    """The mean CAR over one window (decimal), and its tests."""

    window: Window
    n_events: int
    caar: float
    se: float
    low: float
    high: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One group of events over all windows; `group` is "" for all events, `lead` the leading test."""

    group: str
    n_events: int
    lead: str
    tests: tuple[str, ...]
    rows: tuple[WindowRow, ...]

    def leads(self, main: Window) -> bool:
        """Tell whether the leading test may be relied on over the main window."""
        own = (cell for row in self.rows if row.window == main for cell in row.cells)
        return any(cell.valid for cell in own if cell.name == self.lead)


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
    """Return windows by tests of the first `most` groups and of all events, and how many groups are left.

    The columns are those of the group of the answer, the first `tests` of them, after the tests that lead in
    some group; a group that none of these speaks of, such as one event among groups of several, has its own.
    """
    *groups, whole = [s for s in run.document["samples"] if s["windows"]] or [None]
    samples = [*groups[:most], whole] if whole else []
    found = []
    for sample in samples:
        alike = [other for other in samples if _alike(sample, other)]
        shown = [*(other["shown"][0] for other in alike), *alike[0]["shown"]]
        names = tuple(dict.fromkeys(shown))[:tests]
        rows = _rows(sample, names, *(_of(run, name, sample["group"]) for name in ("caar", "tests")))
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


def _rows(
    sample: Mapping[str, Any], names: tuple[str, ...], means: pd.DataFrame, tests: pd.DataFrame
) -> tuple[WindowRow, ...]:
    by_key = {(t["test"], t["start"], t["stop"]): t for t in tests.to_dict("records")}
    rows = []
    for said, m in zip(sample["windows"], means.to_dict("records"), strict=True):
        window = Window(m["start"], m["stop"])
        cells = tuple(
            _cell(name, by_key.get((name, window.start, window.stop)), said["not_relied_on"])
            for name in names
        )
        numbers = (m["caar"], m["se"], m["ci_low"], m["ci_high"])
        rows.append(WindowRow(window, m["n_events"], *numbers, cells))
    return tuple(rows)


def _cell(name: str, test: Mapping[Any, Any] | None, weak: list[str]) -> Cell:
    if test is None:
        return Cell(name, np.nan, np.nan, valid=False, reason="not computed")
    valid = name not in weak and not test["reason"] and bool(np.isfinite(test["pvalue"]))
    return Cell(name, test["statistic"], test["pvalue"], valid, test["reason"])


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
