"""One event of a study: its results alone, its row of the list, and its CAR over each window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ....significance._base import pvalue as tail
from ...content.window_reach import until
from ...figures.price_path import Quoted

if TYPE_CHECKING:
    from ....calendars.window import Window
    from ....fitting.config import StudyConfig
    from ....fitting.fitted import FittedStudy


@dataclass(frozen=True, eq=False)
class OneEvent:
    """What a page is about: row `row` of a study.

    Attributes
    ----------
    results : FittedStudy
        All events.
    row : int
    config : StudyConfig
    quotes : mapping
        Closes by symbol, see :func:`~eventstudy.report.figures.price_path.quotes_of`.
    """

    results: FittedStudy
    row: int
    config: StudyConfig
    quotes: Mapping[str, Quoted]

    @cached_property
    def one(self) -> FittedStudy:
        """The results of this event alone."""
        return self.results.subset(np.array([self.row]))

    @cached_property
    def cells(self) -> dict[str, Any]:
        """The row of the event list."""
        return self.results.records[self.row]

    @property
    def used(self) -> bool:
        """Whether the event was used."""
        return bool(self.results.ok[self.row])

    @property
    def main(self) -> Window:
        """The main window."""
        return self.config.main

    @cached_property
    def cars(self) -> dict[Window, Car]:
        """The CAR over each window tested."""
        return {w: self._car(w) for w in self.config.tested}

    def _car(self, window: Window) -> Car:
        """Return the CAR over `window` with its t-test and SQ, its rank among estimation days."""
        car, se, half, t, p, extended = _each(self.results, window)[self.row]
        sq, a = self.one.test("sq", window), self.one.abnormal
        end = until(a, 0, a.sessions_of(window)[1][0]) if extended else ""
        return Car(car, se, half, t, p, sq.pvalue, sq.reason, end)


@dataclass(frozen=True, slots=True)
class Car:
    """CAR, its standard error, half its 95% interval, t, its p, p of SQ and what limits that.

    `until` is the last session of a CAR that runs on beyond its window to the first close off a
    price limit.
    """

    car: float
    se: float
    half: float
    t: float
    p: float
    sq: float
    remark: str
    until: str


def _each(results: FittedStudy, window: Window) -> list[tuple[float, ...]]:
    """Return CAR, standard error, half the interval, t, its p and whether it is extended of each
    event."""
    a = results.abnormal
    key = ("cars", window)
    if key not in a.memo:
        t, half = a.car_t(window), results.abnormal.car_half_widths(window)
        p = [tail(x, df) if np.isfinite(x) else np.nan for x, df in zip(t, a.df_resid, strict=True)]
        columns = (
            a.car(window),
            np.sqrt(a.var_car(window)),
            half,
            t,
            np.array(p),
            a.extended(window),
        )
        a.memo[key] = list(zip(*(column.tolist() for column in columns), strict=True))
    return a.memo[key]  # type: ignore[no-any-return]
