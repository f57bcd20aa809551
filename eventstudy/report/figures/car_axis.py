"""The small pictures in the rows of tables of CARs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ...findings.types import EventCar
from ...utility.numbers import signed
from ...utility.units import words

# Share of interval ends that an axis must hold, which cuts those that go further; of few it holds
# all.
ENDS_SHOWN, FEW = 0.95, 10


@dataclass(frozen=True, slots=True)
class CarAxis:
    """An axis from -`bound` to `bound` (decimal), as wide as the cell that it stands in.

    Without values it has no ticks.
    """

    bound: float
    has_values: bool

    @classmethod
    def of(cls, cars: Iterable[EventCar]) -> CarAxis:
        """Return the axis that holds all CARs, and most intervals."""
        car, half = np.array([(car.car, car.half) for car in cars]).reshape(-1, 2).T
        ends = np.abs([car - half, car + half])
        share = ENDS_SHOWN if len(car) > FEW else 1.0
        widest = np.nan if np.isnan(ends).all() else np.nanquantile(ends, share)
        return cls(1.06 * float(np.nanmax([*np.abs(car), widest, 1e-4])), np.isfinite(car).any())

    @property
    def ticks(self) -> tuple[tuple[str, str], ...]:
        """Place and label of round values on either side of zero, and of zero."""
        if not self.has_values:
            return ()
        scale = words().scale
        largest = scale * self.bound * 0.8
        power = 10.0 ** math.floor(math.log10(largest))
        step = max(m * power for m in (1, 2, 5) if m * power <= largest)
        decimals = max(0, -math.floor(math.log10(step)))
        return tuple(
            (self._place(t / scale), signed(t, decimals) if t else "0") for t in (-step, 0.0, step)
        )

    def mark(self, value: float, low: float, high: float, *, is_filled: bool = False) -> Markup:
        """Return a value with its interval as a picture; "" for a missing value.

        Parameters
        ----------
        value, low, high : float
            Decimal; without an interval NaN.
        is_filled : bool
            Whether it is significant.
        """
        if not np.isfinite(value):
            return Markup("")
        dot = f'<circle class="sb{" full" * is_filled}" cx="{self._place(value)}" cy="11" r="4"/>'
        return Markup(f'<svg aria-hidden="true">{self._line("sb", low, high)}{dot}</svg>')  # noqa: S704

    def _line(self, kind: str, low: float, high: float) -> str:
        """Return the interval, with an arrow at each end that lies beyond the axis."""
        if not np.isfinite(low + high):
            return ""
        ends = [self._place(min(max(end, -self.bound), self.bound)) for end in (low, high)]
        line = f'<line class="{kind}" x1="{ends[0]}" x2="{ends[1]}" y1="11" y2="11"/>'
        arrow_left = f'<path class="{kind} cut" d="M7 6 1 11 7 16"/>' * (low < -self.bound)
        arrow = f'<svg x="100%" class="{kind} cut"><path d="M-7 6-1 11-7 16"/></svg>'
        return line + arrow_left + arrow * (high > self.bound)

    def _place(self, value: float) -> str:
        return f"{50 + 50 * value / self.bound:.2f}%"
