"""What the report says in several places, computed once: dates, intervals, and which test counts where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..significance import STATISTICS, SignificanceTest, Statistic
from ..windows import Window

if TYPE_CHECKING:
    from ..results import EventStudyResults

IGNORED = {
    "clustering": "shared dates",
    "overlap": "overlapping windows",
    "variance": "the variance that events add",
}


@dataclass(frozen=True, slots=True)
class Crowding:
    """How close the announcements of a sample lie to one another.

    Attributes
    ----------
    events, dates : int
        Events with all days of the window, and the different sessions they fall on.
    gap : int or None
        Fewest sessions between two different dates; None if there is one date.
    """

    events: int
    dates: int
    gap: int | None

    @property
    def shared(self) -> bool:
        """Whether events share a date."""
        return self.dates < self.events

    def overlaps(self, window: Window) -> bool:
        """Tell whether windows of different dates have sessions in common."""
        return self.gap is not None and self.gap < len(window)


@dataclass(frozen=True, slots=True)
class Interval:
    """Mean CAR with its 95% interval (decimal); NaN where there is none.

    Attributes
    ----------
    estimate, se, low, high, df : float
    corrected : bool
        Whether the standard error allows for the correlation of the events.
    """

    estimate: float
    se: float
    low: float
    high: float
    df: float
    corrected: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One test over one window.

    Attributes
    ----------
    result : SignificanceTest
    ignores : tuple of str
        What the test ignores although it occurs in this sample and window.
    """

    result: SignificanceTest
    ignores: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether the p-value may be relied on."""
        return bool(np.isfinite(self.result.pvalue)) and not self.ignores and not self.result.reason


def crowding(results: EventStudyResults, window: Window) -> Crowding:
    """Count the dates of the events that have all days of `window`."""
    day0 = results.abnormal.sample(window).windows.day0
    dates = np.unique(day0)
    gap = int(np.diff(dates).min()) if len(dates) > 1 else None
    return Crowding(len(day0), len(dates), gap)


def hazards(results: EventStudyResults, windows: Iterable[Window]) -> list[str]:
    """Return what troubles tests of these windows, each judged by the events that have its days."""
    crowds = [(crowding(results, window), window) for window in windows]
    found = {
        "events share dates": any(crowd.shared for crowd, _ in crowds),
        "windows overlap": any(crowd.overlaps(window) for crowd, window in crowds),
    }
    return [words for words, holds in found.items() if holds]


def interval(results: EventStudyResults, window: Window) -> Interval:
    """Return the mean CAR over `window` and its 95% interval.

    Notes
    -----
    For several events the standard error is the cross-sectional one times the factor by which BMP-KP
    divides BMP, sqrt((1 + (N-1) r) / (1 - r)). Dividing the mean CAR by the statistic of BMP-KP instead
    would give no width at all where the mean CAR is near zero and the mean standardised CAR is not.
    """
    from scipy.special import stdtrit

    sample = results.abnormal.sample(window)
    car = sample.car(window)
    if len(car) == 0:
        return Interval(np.nan, np.nan, np.nan, np.nan, np.nan, corrected=False)
    corrected = False
    if len(car) == 1:
        se, df = float(np.sqrt(sample.var_car(window)[0])), float(sample.df_resid[0])
    else:
        bmp, kp = (results.test(name, window).statistic for name in ("bmp", "bmp_kp"))
        corrected = bool(np.isfinite(bmp) and np.isfinite(kp) and kp != 0)
        se = float(car.std(ddof=1) / np.sqrt(len(car)) * (bmp / kp if corrected else 1.0))
        df = float(len(car) - 1)
    mean, half = float(car.mean()), float(stdtrit(df, 0.975)) * se
    return Interval(mean, se, mean - half, mean + half, df, corrected)


def ignored(entry: Statistic, crowd: Crowding, window: Window) -> tuple[str, ...]:
    """Return what a test ignores although it matters for these dates and this window."""
    if entry.per_event:
        return ()
    matters = {"clustering": crowd.shared, "overlap": crowd.overlaps(window), "variance": True}
    return tuple(words for name, words in IGNORED.items() if matters[name] and getattr(entry, name) == "no")


def cells(results: EventStudyResults, window: Window, names: Iterable[str] | None = None) -> dict[str, Cell]:
    """Return every test over `window`, the recommended one first, with what it ignores here."""
    crowd = crowding(results, window)
    chosen = dict.fromkeys([results.recommended, *(names or results.default_tests)])
    return {
        name: Cell(results.test(name, window), ignored(STATISTICS[name], crowd, window)) for name in chosen
    }
