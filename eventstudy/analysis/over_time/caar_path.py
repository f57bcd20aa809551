"""The path of the mean abnormal return with its pointwise 95% band."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ...calendars import Window
from ...dependence import WeightedSums
from ...fitting import FittedStudy
from ...utility import FloatArray, IntArray
from ..interval import plain_average

# Intervals of fewer events are so wide as to flatten everything else.
BAND_EVENTS = 5


@dataclass(frozen=True, eq=False)
class Path95:
    """Mean abnormal returns by day with pointwise 95% intervals (decimal), each of shape (L2,).

    Attributes
    ----------
    days : IntArray
        Event days.
    aar, caar : FloatArray
        Mean AR of the events whose return is of the day alone, and mean CAR from the first day up
        to it, of the events that have all of it; NaN where none has. Days that close at a price
        limit are not extended.
    aar_half, caar_half : FloatArray
        Half the width of the interval; NaN where fewer than five events of a sample enter.
    aar_counts, counts : IntArray
        Events in each point of `aar` and `caar`.
    """

    days: IntArray
    aar: FloatArray
    caar: FloatArray
    aar_half: FloatArray
    caar_half: FloatArray
    aar_counts: IntArray
    counts: IntArray

    @property
    def has_band(self) -> bool:
        """Whether some point has an interval."""
        return bool(np.isfinite(self.caar_half).any())

    def beside_others(self) -> Path95:
        """Return the path for a scale that it shares: without the band of a single event."""
        return replace(self, caar_half=np.where(self.counts < BAND_EVENTS, np.nan, self.caar_half))

    @classmethod
    def of(cls, study: FittedStudy) -> Path95:
        """Return the path of a study, with half the width of each day's interval."""
        return study.remember(("path",), lambda: _path(study))


def _path(study: FittedStudy) -> Path95:
    prepare_windows(study)
    a = study.abnormal.unextended
    unextended = replace(study, abnormal=a)
    windows = by_day(a.event), up_to_day(a.event)
    aar_half, caar_half = (np.array([_half(unextended, w) for w in ws]) for ws in windows)
    return Path95(a.event.days, a.aar, a.caar, aar_half, caar_half, a.in_aar, a.complete)


def by_day(event: Window) -> list[Window]:
    """Return each event day as a window."""
    return [Window(int(t), int(t)) for t in event.days]


def up_to_day(event: Window) -> list[Window]:
    """Return the windows from the first event day to each of them."""
    return [Window(event.start, int(t)) for t in event.days]


def from_main(event: Window, start: int) -> list[Window | None]:
    """Return for each event day the window from the day before the main window, or back to it.

    Parameters
    ----------
    event : Window
    start : int
        First day of the main window. For the day before it there is none.
    """
    days = (int(t) for t in event.days)
    return [
        None if t == start - 1 else Window(start, t) if t >= start else Window(t + 1, start - 1)
        for t in days
    ]


def prepare_windows(study: FittedStudy) -> None:
    """Compute the correlations of all windows of tables and pictures at once, on the first call."""
    study.remember(("prepared",), lambda: _prepared(study))


def _prepared(study: FittedStudy) -> bool:
    a, main = study.abnormal, study.main
    column = study.group_column(study.settings.by) if study.is_large else ""
    if column and a.taken_from is None:
        groups = list(study.groups(column).values())
        for group in groups:
            prepare_windows(group)
        a.made_up_of([group.abnormal for group in groups])
    paths = [*by_day(a.event), *up_to_day(a.event)]
    windows = [*study.settings.tested, *filter(None, from_main(a.event, main.start))]
    WeightedSums.prepare(a, windows + paths * (a.unextended is a), main)
    if a.unextended is not a:
        WeightedSums.prepare(a.unextended, paths, main)
    return True


def _half(study: FittedStudy, window: Window) -> float:
    """Return half the width of the interval of the mean CAR."""
    n = int(study.abnormal.valid(window).sum())
    if n < BAND_EVENTS and len(study) > 1:
        return math.nan
    average = plain_average(study.abnormal, window)
    return average.ci_high - average.estimate
