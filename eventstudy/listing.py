"""Which events are listed one by one: all of them, or of very many the most unusual ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .typing import IntArray
from .windows import Window

if TYPE_CHECKING:
    import pandas as pd

    from .abnormal import AbnormalReturns
    from .results import EventStudyResults

# Nobody reads a table of more events; pages, lists and files of text have the LISTED most unusual ones.
MANY = 5000
LISTED = 500


def many(results: EventStudyResults) -> bool:
    """Tell whether the events are too many to be listed one by one."""
    return len(results.events) > MANY


def part_of_many(abnormal: AbnormalReturns) -> bool:
    """Tell whether events are so many, or some of so many, that only the usual tests are computed."""
    return len(abnormal if abnormal.parent is None else abnormal.parent) > MANY


def listed_rows(results: EventStudyResults, window: Window) -> IntArray:
    """Return the events that are listed, ascending: all, or of more than MANY a part.

    These are the LISTED used events with the largest \\|CAR / se\\| over `window`, and the first LISTED that
    were dropped.
    """
    if not many(results):
        return np.arange(len(results.events))
    a = results.abnormal
    size = np.abs(np.nan_to_num(a.car(window) / np.sqrt(a.var_car(window))))
    used, lost = np.flatnonzero(results.ok), np.flatnonzero(~results.ok)
    largest = used[np.argsort(-size[used], kind="stable")[:LISTED]]
    rows: IntArray = np.sort(np.concatenate([largest, lost[:LISTED]]))
    return rows


def listed(results: EventStudyResults, window: Window) -> EventStudyResults:
    """Return the results of the events that are listed; the same if these are all."""
    if not many(results):
        return results
    kept: dict[Window, EventStudyResults] = results.__dict__.setdefault("_listed", {})
    if window not in kept:
        kept[window] = results.subset(listed_rows(results, window))
    return kept[window]


def place_of_all(results: EventStudyResults) -> str:
    """Return the file of a run that has all events."""
    return "long/events.parquet" if many(results) else "events.csv"


def listed_note(results: EventStudyResults) -> str:
    """Say which events are listed; "" if these are all."""
    if not many(results):
        return ""
    shown = min(LISTED, len(results))
    return (
        f"{shown:,} of {len(results):,} events are listed, those with the largest CAR relative to its "
        "standard error; the folder long has all of them. Of so many events weights, families, samples "
        "without flagged events and differences of groups are not computed."
    )


class Rows(Sequence["dict[str, Any]"]):
    """The rows of a table, each a cell by column, made when they are asked for."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def __len__(self) -> int:
        return len(self.table)

    @overload
    def __getitem__(self, i: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, i: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, i: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        return {str(name): self.table[name].iloc[i] for name in self.table.columns}
