"""Rejection rates beside those of an independently written program, as a list or as Markdown."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from variants import VARIANTS

from eventstudy.significance import STATISTICS

PUBLISHED = Path(__file__).with_name("sizes.csv")
# Percentage points; three standard errors of 2,000 samples at 5 %.
BAND = 1.5
# Window [0,0]: rates to be met within BAND, and rates that must be too high for the samples to be
# any good.
ACCEPTANCE = {
    "bmp": ("D0", "D1"),
    "bmp_kp": ("D0", "C0", "C1", "P1", "O1"),
    "date_clustered": ("P1",),
    "grank_t": ("D0", "C0", "P1"),
    "calendar_time": ("O1",),
    "corrado_zivney_sign": ("D0", "D1", "D2", "P1"),
}
ALARMS = {("D1", "patell"): 12.0, ("C0", "bmp"): 30.0}


class Cell(NamedTuple):
    """The rate of one test in one design and window, and its standard error, in percent.

    Attributes
    ----------
    there : pair of float, optional
        Range of the rates of the other program.
    """

    design: str
    window: str
    test: str
    rate: float
    se: float
    there: tuple[float, float] | None

    @property
    def off(self) -> float:
        """Distance from the range, 0 within it; NaN without one."""
        if self.there is None:
            return np.nan
        low, high = self.there
        return max(self.rate - high, 0.0) + min(self.rate - low, 0.0)

    @property
    def mark(self) -> str:
        """A star on a rate further off than BAND and than three standard errors."""
        return "*" if abs(self.off) > max(BAND, 3 * self.se) else ""

    @property
    def accepted(self) -> bool | None:
        """Whether an acceptance cell is met; None of another cell."""
        return self.met(BAND)

    def met(self, band: float) -> bool | None:
        """Tell whether an acceptance cell is within `band`; None of another cell."""
        if self.window != "[0,0]":
            return None
        if self.design in ACCEPTANCE.get(self.test, ()):
            return abs(self.off) <= band
        alarm = ALARMS.get((self.design, self.test))
        return None if alarm is None else self.rate > alarm


def published() -> dict[tuple[str, str, str], tuple[float, float]]:
    """Return the range of the rates of the other program, percent, by design, window and test."""
    with PUBLISHED.open() as file:
        return {
            (row["design"], row["window"], row["test"]): (float(row["low"]), float(row["high"]))
            for row in csv.DictReader(file)
        }


def cells(results: dict[str, Any]) -> Iterator[Cell]:
    """Yield every cell of `results`."""
    known = published()
    for design, own in results.items():
        for window, rates in own["rates"].items():
            for test, (rejected, applied) in rates.items():
                rate = rejected / applied
                se = np.sqrt(rate * (1 - rate) / applied)
                yield Cell(
                    design, window, test, 100 * rate, 100 * se, known.get((design, window, test))
                )


def listing(results: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each cell."""
    yield f"{'':<5}{'window':<8}{'test':<28}{'%':>6}{'s.e.':>6}{'elsewhere':>11}"
    for cell in cells(results):
        there = (
            "" if cell.there is None else "-".join(dict.fromkeys(f"{x:.1f}" for x in cell.there))
        )
        verdict = {None: "", True: "ok", False: "FAILS"}[cell.accepted]
        line = f"{cell.design:<5}{cell.window:<8}{cell.test:<28}"
        line += f"{cell.rate:6.1f}{cell.se:6.2f}{there:>11}"
        yield f"{line} {cell.mark}{verdict}".rstrip()


def markdown(results: dict[str, Any], window: str) -> Iterator[str]:
    """Yield a table of the rates over one window: designs across, tests down."""
    found = {(cell.design, cell.test): cell for cell in cells(results) if cell.window == window}
    designs = [name for name in results if any(name == design for design, _ in found)]
    yield "| test | " + " | ".join(designs) + " |"
    yield "|---" * (len(designs) + 1) + "|"
    for test in [*STATISTICS, *VARIANTS]:
        row = [found.get((design, test)) for design in designs]
        if any(row):
            texts = ("-" if cell is None else f"{cell.rate:.1f}{cell.mark}" for cell in row)
            yield f"| `{test}` | " + " | ".join(texts) + " |"
