"""One event of a study: its results alone, its row of the list, and its CAR over each window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...significance._base import pvalue as tail
from ..extent import until
from ..plots import own_half_widths
from .price_path import Quoted

if TYPE_CHECKING:
    from ...config import StudyConfig
    from ...results import EventStudyResults
    from ...windows import Window


@dataclass(frozen=True, eq=False)
class OneEvent:
    """What a page is about: row `row` of a study.

    Attributes
    ----------
    results : EventStudyResults
        All events.
    row : int
    config : StudyConfig
    quotes : mapping
        Closes by symbol, see :func:`~eventstudy.report.event.price_path.quotes_of`.
    """

    results: EventStudyResults
    row: int
    config: StudyConfig
    quotes: Mapping[str, Quoted]

    @cached_property
    def one(self) -> EventStudyResults:
        """The results of this event alone."""
        return self.results.subset(np.array([self.row]))

    @cached_property
    def cells(self) -> dict[str, Any]:
        """The row of the event list."""
        return self.results.records[self.row]

    @property
    def used(self) -> bool:
        """Whether the event was used."""
        return bool(self.one.ok[0])

    @property
    def main(self) -> Window:
        """The main window."""
        return self.config.main

    @cached_property
    def cars(self) -> dict[Window, Car]:
        """The CAR over each window tested."""
        return {w: self._car(w) for w in self.config.tested}

    def _car(self, window: Window) -> Car:
        """Return the CAR over `window` with its exact t-test and the rank among placebo windows."""
        a = self.one.abnormal
        t, df = float(a.scar(window)[0]), float(a.df_resid[0])
        placebo = self.one.test("placebo_windows", window)
        return Car(
            float(a.car(window)[0]), float(np.sqrt(a.var_car(window)[0])),
            float(own_half_widths(self.one, window)[0]), t, tail(t, df) if np.isfinite(t) else np.nan,
            placebo.pvalue, placebo.reason, self._until(window),
        )  # fmt: skip

    def _until(self, window: Window) -> str:
        """Return the last session of a CAR that runs on beyond `window`, "" if it does not."""
        a = self.one.abnormal
        return until(a, 0, a.sessions_of(window)[1][0]) if a.extended(window)[0] else ""


@dataclass(frozen=True, slots=True)
class Car:
    """CAR, its standard error, half its 95% interval, t, exact p, placebo p and what limits that.

    `until` is the last session of a CAR that runs on beyond its window to the first close off a price limit.
    """

    car: float
    se: float
    half: float
    t: float
    p: float
    placebo: float
    remark: str
    until: str
