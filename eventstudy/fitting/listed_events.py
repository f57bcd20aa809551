"""Which events are listed one by one: all of them, or of very many the most unusual ones."""

from __future__ import annotations

import numpy as np

from ..calendars.window import Window
from ..utility.typing import IntArray
from .fitted import FittedStudy
from .large_samples import LISTED, many


def listed_rows(results: FittedStudy, window: Window) -> IntArray:
    """Return the events that are listed, ascending: all, or of more than MANY a part.

    These are the LISTED used events with the largest \\|CAR / se\\| over `window`, and the first
    LISTED that were dropped.
    """
    if not many(results):
        return np.arange(len(results.events))
    a = results.abnormal
    size = np.abs(np.nan_to_num(a.car(window) / np.sqrt(a.var_car(window))))
    used, lost = np.flatnonzero(results.ok), np.flatnonzero(~results.ok)
    largest = used[np.argsort(-size[used], kind="stable")[:LISTED]]
    rows: IntArray = np.sort(np.concatenate([largest, lost[:LISTED]]))
    return rows


def listed(results: FittedStudy, window: Window) -> FittedStudy:
    """Return the results of the events that are listed; the same if these are all."""
    if not many(results):
        return results
    kept: dict[Window, FittedStudy] = results.__dict__.setdefault("_listed", {})
    if window not in kept:
        kept[window] = results.subset(listed_rows(results, window))
    return kept[window]


def place_of_all(results: FittedStudy) -> str:
    """Return the file of a run that has all events."""
    return "long/events.parquet" if many(results) else "events.csv"


def listed_note(results: FittedStudy) -> str:
    """Say which events are listed; "" if these are all."""
    if not many(results):
        return ""
    shown = min(LISTED, len(results))
    return (
        f"{shown:,} of {len(results):,} events are listed, those with the largest CAR relative to "
        "its "
        "standard error; the folder long has all of them. Of so many events weights, families, "
        "samples "
        "without flagged events and differences of groups are not computed."
    )
