"""The cells of the benchmark of verdicts: designs, shocks, what is counted and its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from designs import K1, dates

from eventstudy.calendars import Window

WINDOW, LEVEL = Window(0, 1), 0.05
REAL = "bundled list, real returns"
SECTORS = "14 dates in 3 clusters"
UNEQUAL = "25 on one date"
# Neighbouring shifts of the list share most of their days: a draw is worth half a sample.
WORTH = {REAL: 0.5}
# Bounds in percent: size of a cell, size of all together, coverage; power in standard errors.
SIZES, POOLED, COVERAGE, ERRORS = (3.0, 7.0), 0.7, 93.0, 2.0


@dataclass(frozen=True, slots=True)
class Study:
    """A design and the effect on day 0 of its power."""

    dates: tuple[int, ...]
    effect: float
    more: tuple[tuple[str, Any], ...] = (("rho", 0.1),)

    @property
    def close(self) -> bool:
        """Whether windows of different events overlap."""
        apart = np.diff(np.sort(self.dates))
        return bool((apart < len(WINDOW)).any())


CLUSTERS = (("rho", 0.3), ("tail", 4.0), ("sectors", K1.sectors))
STUDIES: dict[str, Study] = {
    "40 overlapping dates": Study(dates(*[1] * 40, apart=1), 0.014),
    "10 dates x 5": Study(dates(*[5] * 10), 0.01),
    "50 dispersed": Study(dates(*[1] * 50), 0.008),
    "3 dates x 10": Study(dates(*[10] * 3), 0.025),
    "6 dates x 5": Study(dates(*[5] * 6), 0.018),
    "14 dates in 3 clusters": Study(K1.dates, 0.02, CLUSTERS),
    "27 on one date and 13": Study(dates(27, *[1] * 13), 0.02, (("rho", 0.3),)),
    "30 on one date": Study(dates(30), 0.02),
    UNEQUAL: Study(dates(25), 0.03, (("rho", 0.15),)),
    **{
        f"{n} event{'s' * (n > 1)}": Study(dates(*[1] * n), effect)
        for n, effect in ((1, 0.06), (2, 0.04), (3, 0.035), (5, 0.035), (8, 0.025))
    },
    # In place of its 54 events on 45 dates, some of them close.
    REAL: Study(tuple(range(54)), 0.006),
}
VARIANCE: dict[str, dict[str, float]] = {
    "x1": {}, "x2": {"own": 2, "common": 2}, "common x3": {"common": 3},
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    **VARIANCE, "t(3)": {"tail": 3}, "skewed": {"skew": 2}, "thin": {"thin": 0.2},
    "stale": {"thin": 0.2, "untraded": "stale"},
    "stale on day 0 too": {"thin": 0.2, "untraded": "stale_day0"},
    "sector x2": {"common": 2}, "own x3": {"own": 3}, "effects differ": {"differ": 0.04},
}  # fmt: skip
# Kinds of one design alone.
OF_ONE = {"sector x2": SECTORS, "own x3": UNEQUAL, "effects differ": UNEQUAL}


class Counts(NamedTuple):
    """How many samples there are, and in how many of them something holds.

    Attributes
    ----------
    different, covered : int
        Without an effect: the verdict is `different`; the interval holds zero.
    missing : int
        No result.
    incoherent : int
        Interval and verdict contradict each other, with or without an effect.
    power, main, held : int
        With the effect: the verdict is `different`; the main test alone rejects; the interval holds
        the effect.
    """

    samples: int = 0
    different: int = 0
    covered: int = 0
    missing: int = 0
    incoherent: int = 0
    power: int = 0
    main: int = 0
    held: int = 0

    def percent(self, name: str) -> float:
        return 100 * getattr(self, name) / self.samples


class Cell(NamedTuple):
    """A design, one kind of shocks, and what was counted."""

    design: str
    kind: str
    counts: Counts

    def error(self, percent: float = 100 * LEVEL) -> float:
        """Return the standard error of a share, in percent."""
        n = self.counts.samples * WORTH.get(self.design, 1.0)
        return float(np.sqrt(percent * (100 - percent) / n))

    @property
    def weak(self) -> str:
        """Why the cell is a known weak one; "" otherwise."""
        study = STUDIES[self.design]
        if self.kind == "sector x2":
            return "sector variance x2"
        if self.design == UNEQUAL:
            return "unequal reactions on one date"
        if len(study.dates) < 5 and self.kind in ("x2", "common x3"):
            return "up to four events with raised variance"
        if len(study.dates) <= 10 and self.kind == "skewed":
            return "skewed shocks of ten events or fewer"
        return "common variance x3 on close dates" if self._shared else ""

    @property
    def _shared(self) -> bool:
        return self.kind == "common x3" and STUDIES[self.design].close

    @property
    def faults(self) -> tuple[str, ...]:
        """Which bounds the cell misses: ``size``, ``coverage``, ``coherence``, ``power``."""
        share, error = self.counts.percent, ERRORS * self.error()
        missed = {
            "size": not SIZES[0] - error <= share("different") <= SIZES[1] + error,
            "coverage": min(share("covered"), share("held")) < COVERAGE,
            "coherence": self.counts.incoherent > 0,
            "power": share("power") < share("main") - ERRORS * self.error(share("main")),
        }
        return tuple(name for name, is_missed in missed.items() if is_missed)


def cells() -> list[tuple[str, str]]:
    """Return design and kind of all cells."""
    out = []
    for design in STUDIES:
        kinds = VARIANCE if design == REAL else KINDS
        out += [(design, kind) for kind in kinds if _is_counted(design, kind)]
    return out


def _is_counted(design: str, kind: str) -> bool:
    """Return whether there is such a cell: one design has two kinds alone."""
    return OF_ONE[kind] == design if kind in OF_ONE else design != UNEQUAL
