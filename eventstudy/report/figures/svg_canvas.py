"""Small figures written as SVG directly, as a plotting library would take minutes for the pages of
a run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

import numpy as np

from ...utility.numbers import signed
from ...utility.typing import BoolArray, FloatArray, IntArray

# Shares of an axis: from where on a side of zero has a tick, and how much is added for it at most.
REACHED, LENGTHENED = 0.08, 0.3


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from `low`..`high` to the pixels `start`..`stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> str:
        """Return the place of a value in pixels."""
        share = (float(value) - self.low) / (self.high - self.low)
        return number(self.start + share * (self.stop - self.start))

    def places(self, values: FloatArray | IntArray) -> list[str]:
        """Return the places of many values in pixels."""
        share = (values - self.low) / (self.high - self.low)
        return [number(place) for place in (self.start + share * (self.stop - self.start)).tolist()]

    def step(self, width: float = 1.0) -> float:
        """Return the pixels of a distance."""
        return abs(width / (self.high - self.low) * (self.stop - self.start))


@dataclass(frozen=True, slots=True)
class Panel:
    """The plane that a figure is drawn in."""

    x: Scale
    y: Scale

    def line(self, xs: FloatArray | IntArray, ys: FloatArray, kind: str) -> str:
        """Return a path, with gaps where `ys` is missing; a lone point becomes a dot."""
        runs = ["L".join(self._points(xs[run], ys[run])) for run in _runs(np.isfinite(ys))]
        return f'<path class="{kind}" d="M{"M".join(runs)}"/>' if runs else ""

    def dots(self, xs: FloatArray | IntArray, ys: FloatArray, kind: str) -> str:
        """Return round marks as one path of points."""
        known = np.flatnonzero(np.isfinite(np.asarray(xs, dtype=float)) & np.isfinite(ys))
        path = "".join(f"M{point}h0" for point in self._points(xs[known], ys[known]))
        return f'<path class="{kind}" d="{path}"/>' if path else ""

    def band(self, xs: FloatArray | IntArray, low: FloatArray, high: FloatArray, kind: str) -> str:
        """Return the area between two paths."""
        out = []
        for run in _runs(np.isfinite(low) & np.isfinite(high)):
            there, back = (
                self._points(xs[run], high[run]),
                self._points(xs[run[::-1]], low[run[::-1]]),
            )
            out.append("L".join(there + back))
        return f'<path class="{kind}" d="M{"ZM".join(out)}Z"/>' if out else ""

    def _points(self, xs: FloatArray | IntArray, ys: FloatArray) -> list[str]:
        return [f"{x} {y}" for x, y in zip(self.x.places(xs), self.y.places(ys), strict=True)]

    def bars(self, xs: IntArray, ys: FloatArray, width: float, kind: str) -> str:
        """Return a bar from zero to each value that is known."""
        known = np.flatnonzero(np.isfinite(ys))
        half, zero = self.x.step(width) / 2, float(self.y(0))
        out = []
        for x, y in zip(self.x.places(xs[known]), self.y.places(ys[known]), strict=True):
            top, foot = sorted((float(y), zero))
            out.append(rect(float(x) - half, top, 2 * half, foot - top, kind))
        return "".join(out)

    def stripe(self, low: float, high: float, kind: str) -> str:
        """Return the full height of the panel from `low` to `high`."""
        left, right = float(self.x(low)), float(self.x(high))
        return rect(left, self.y.stop, right - left, self.y.start - self.y.stop, kind)

    def fields(self, days: IntArray, tips: Iterable[str]) -> str:
        """Return an invisible field over each day that tells its tip."""
        y, height = number(self.y.stop), number(self.y.start - self.y.stop)
        ends = zip(
            *(self.x.places((days + side).astype(float)) for side in (-0.5, 0.5)), tips, strict=True
        )
        return "".join(
            f'<rect class="hit" x="{x}" y="{y}" width="{number(float(right) - float(x))}" '
            f'height="{height}"><title>{escape(tip)}</title></rect>'
            for x, right, tip in ends
        )

    def rule(self, y: float, kind: str) -> str:
        """Return a level line across the panel."""
        at = self.y(y)
        return f'<path class="{kind}" d="M{number(self.x.start)} {at}H{number(self.x.stop)}"/>'

    def post(self, x: float, kind: str) -> str:
        """Return an upright line through the panel."""
        return (
            f'<path class="{kind}" d="M{self.x(x)} {number(self.y.start)}V{number(self.y.stop)}"/>'
        )

    def y_ticks(self, at: Iterable[tuple[float, str]]) -> str:
        """Return level lines with their labels to the left."""
        return "".join(
            self.rule(value, "g") + text(self.x.start - 6, float(self.y(value)) + 4, label, "m e")
            for value, label in at
        )

    def x_ticks(self, at: Iterable[tuple[float, str]]) -> str:
        """Return labels below the panel; that of day 0 stands out."""
        foot = self.y.start + 20
        return "".join(
            text(float(self.x(v)), foot, label, "s c" if label == "day 0" else "m c")
            for v, label in at
        )


def number(value: float) -> str:
    """Return a coordinate with one decimal at most."""
    found = f"{value:.1f}".removesuffix(".0")
    return "0" if found == "-0" else found


def rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a rectangle."""
    size = f'width="{number(width)}" height="{number(max(height, 0.0))}"'
    return f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" {size}/>'


def text(x: float, y: float, words: str, kind: str) -> str:
    """Return a label; classes m, s: muted, strong; e, c: ends, is centred at x."""
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}">{escape(words)}</text>'


def picture(
    width: int, height: int, parts: Iterable[str], *, title: str, desc: str, kind: str
) -> str:
    """Return an SVG with name and description for those who cannot see it."""
    salt = hashlib.sha256(f"{title}|{kind}".encode()).hexdigest()[:6]
    names = f'aria-labelledby="t{salt} d{salt}"'
    head = (
        f'<svg class="own {kind}" viewBox="0 0 {width} {height}" role="img" {names}>'
        f'<title id="t{salt}">{escape(title)}</title><desc id="d{salt}">{escape(desc)}</desc>'
    )
    return head + "".join(parts) + "</svg>"


def ticks(
    low: float, high: float, most: int, label: Callable[[float, int], str], *, scale: float = 1.0
) -> list[tuple[float, str]]:
    """Return round values within an axis, and `label(value, decimals)` of each in units of
    1/`scale`.

    As many as fit into `most`.
    """
    step, first, last = _step(scale * low, scale * high, most)
    at = [float(k * step) + 0.0 for k in range(first, last + 1)]
    decimals = next(
        (d for d in range(5) if all(abs(t - round(t, d)) < 1e-9 * max(1, abs(t)) for t in at)), 5
    )
    return [(t / scale, label(t, decimals)) for t in at]


def _step(low: float, high: float, most: int) -> tuple[float, int, int]:
    """Return the smallest round step with at most so many multiples within an axis, and the ends of
    these."""
    power = 10.0 ** np.floor(np.log10((high - low) / most))
    steps = [float(m * power) for m in (1, 2, 2.5, 5, 10)]
    found = [
        (step, int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))) for step in steps
    ]
    fits = [k for k, (_, first, last) in enumerate(found) if last - first < most]
    # Halves have one more digit: only where fives are too few.
    halves = fits[0] == 2 and found[3][2] - found[3][1] >= 2
    return found[fits[0] + halves]


def sided(low: float, high: float, most: int, *, scale: float = 1.0) -> tuple[float, float]:
    """Return an axis made longer for a tick on each side of zero that its values reach well
    into."""
    step, first, last = _step(scale * low, scale * high, most)
    step, span = step / scale, high - low
    ends = [-low, high]
    for side, (far, bare) in enumerate(zip(ends, (first >= 0, last <= 0), strict=True)):
        if bare and REACHED * span < far and step - far < LENGTHENED * span:
            ends[side] = 1.02 * step
    return -ends[0], ends[1]


def signed_label(value: float, decimals: int) -> str:
    """Return a tick label with its sign, 0 without decimals."""
    return signed(value, decimals) if round(value, 9) else "0"


def roomy(
    values: Iterable[FloatArray], *, zero: bool = True, room: float = 0.05
) -> tuple[float, float]:
    """Return an axis that holds all values, and 0 if asked for, with some room."""
    known = np.concatenate(
        [np.asarray(v, dtype=float).ravel() for v in values] + ([[0.0]] if zero else [])
    )
    known = known[np.isfinite(known)]
    if known.size == 0:
        return -0.01, 0.01
    low, high = float(known.min()), float(known.max())
    spare = room * ((high - low) or abs(high) or 0.02)
    return low - spare, high + spare


def _runs(known: BoolArray) -> list[IntArray]:
    """Return the positions of each unbroken run of known values."""
    at = np.flatnonzero(known)
    return [run for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if run.size]
