"""The canvas that all figures of pages are drawn on: scales, panels, axes of days, as plain SVG."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from html import escape

import numpy as np
from markupsafe import Markup

from ...calendars import Window
from ...utility import FloatArray, IntArray
from ...words import words

WIDE, NARROW, HALF = 1000, 360, 500
KINDS = {WIDE: "wide", NARROW: "narrow", HALF: "half"}
# Shares of an axis: a side of zero that has a tick, what is added for it at most, and at the ends.
REACHED, LENGTHENED, ROOM = 0.08, 0.3, 0.04


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from `low`..`high` to the pixels `start`..`stop`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Return the place of a value in pixels."""
        share = (float(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def places(self, values: FloatArray | IntArray) -> FloatArray:
        """Return the places of values (n,) in pixels."""
        share = (np.asarray(values, dtype=float) - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def step(self, width: float = 1.0) -> float:
        """Return the pixels of a distance."""
        return abs(width / (self.high - self.low) * (self.stop - self.start))

    def ticks(self, n_max: int) -> list[tuple[float, str]]:
        """Return round returns on the scale with their labels; in percent the last has the unit."""
        at = ticks(self.low, self.high, n_max, signed_label, scale=words().scale)
        unit = "%" if words().unit == "%" else ""
        return [*at[:-1], *((value, label + unit) for value, label in at[-1:])]


@dataclass(frozen=True, slots=True)
class Panel:
    """The plane that a figure is drawn in; classes of its marks stand in ``answer.css``."""

    x: Scale
    y: Scale

    def line(self, xs: FloatArray | IntArray, ys: FloatArray, kind: str) -> str:
        """Return a path, with gaps where `ys` is missing.

        Parameters
        ----------
        xs, ys : (n,) arrays
        kind : str
            Class of its style.
        """
        return _path(["L".join(self._points(xs[run], ys[run])) for run in _runs(ys)], kind)

    def dots(self, xs: FloatArray | IntArray, ys: FloatArray, kind: str, shape: str = "h0") -> str:
        """Return marks as one path.

        Parameters
        ----------
        xs, ys : (n,) arrays
            Points; none where one is missing.
        kind : str
            Class of its style.
        shape : str
            Path about the point; by default none, as the ends of a line are its form.
        """
        at = np.flatnonzero(np.isfinite(np.asarray(xs, dtype=float)) & np.isfinite(ys))
        return _path([point + shape for point in self._points(xs[at], ys[at])], kind)

    def band(
        self, xs: FloatArray | IntArray, low: FloatArray, high: FloatArray, kind: str,
        edge: str = "",
    ) -> str:  # fmt: skip
        """Return the area between two paths, with gaps where one is missing.

        Parameters
        ----------
        xs, low, high : (n,) arrays
        kind : str
            Class of its style.
        edge : str
            Class of the style of the two paths; "" draws none.
        """
        areas, edges = [], []
        for run in _runs(low + high):
            above = self._points(xs[run], high[run])
            below = self._points(xs[run], low[run])
            areas.append("L".join([*above, *below[::-1]]) + "Z")
            edges += ["L".join(above), "L".join(below)]
        return _path(areas, kind) + (_path(edges, edge) if edge else "")

    def whiskers(self, xs: IntArray, low: FloatArray, high: FloatArray, kind: str) -> str:
        """Return an upright line for each interval; none where one is missing.

        Parameters
        ----------
        xs, low, high : (n,) arrays
        kind : str
            Class of its style.
        """
        at = np.flatnonzero(np.isfinite(low + high))
        ends = zip(self._points(xs[at], low[at]), self.y.places(high[at]), strict=True)
        return _path([f"{point}V{number(top)}" for point, top in ends], kind)

    def _points(self, xs: FloatArray | IntArray, ys: FloatArray) -> list[str]:
        # The texts of number(), all at once.
        flat = np.stack([self.x.places(xs), self.y.places(ys)], axis=1).ravel().tolist()
        points = "%.1f %.1f\n" * len(xs) % tuple(flat)
        return re.sub(r"\.0(?=\s)|-(?=0\.0\s)", "", points).split("\n")[:-1]

    def bars(self, xs: FloatArray | IntArray, ys: FloatArray, width: float, kind: str) -> str:
        """Return a bar from zero to each value; none where it is missing.

        Parameters
        ----------
        xs, ys : (n,) arrays
        width : float
            In units of `xs`.
        kind : str
            Class of its style.
        """
        at = np.flatnonzero(np.isfinite(ys))
        zero = self.y(0)
        pixels = self.x.step(width)
        places = zip(self.x.places(xs[at]).tolist(), self.y.places(ys[at]).tolist(), strict=True)
        bars = ((x - pixels / 2, min(y, zero), pixels, abs(y - zero)) for x, y in places)
        return "".join(rect(*bar, kind) for bar in bars)

    def stripe(self, window: Window, kind: str = "win") -> str:
        """Return the full height of the panel over the days of a window.

        Parameters
        ----------
        window : Window
        kind : str
            Class of its style.
        """
        start = self.x(max(window.start - 0.5, self.x.low))
        stop = self.x(min(window.stop + 0.5, self.x.high))
        return rect(start, self.y.stop, stop - start, self.y.start - self.y.stop, kind)

    def fields(self, days: IntArray, tips: Iterable[str]) -> str:
        """Return an invisible field over each day that shows its tip.

        Parameters
        ----------
        days : (n,) int array
        tips : iterable of str
            Their texts.
        """
        y = self.y.stop
        height = self.y.start - self.y.stop
        width = self.x.step()
        starts = self.x.places(days.astype(float) - 0.5).tolist()
        places = zip(starts, tips, strict=True)
        return "".join(rect(x, y, width, height, "hit", tip) for x, tip in places)

    def bracket(self, x: float, low: float, high: float, kind: str) -> str:
        """Return an upright line between two values with a stroke across each end.

        Parameters
        ----------
        x, low, high : float
        kind : str
            Class of its style.
        """
        middle = self.x(x)
        left, right = number(middle - 4), number(middle + 4)
        foot, top = number(self.y(low)), number(self.y(high))
        upright = f"{number(middle)} {foot}V{top}"
        return _path([upright, f"{left} {foot}H{right}", f"{left} {top}H{right}"], kind)

    def rule(self, y: float, kind: str) -> str:
        """Return a level line across the panel.

        Parameters
        ----------
        y : float
        kind : str
            Class of its style.
        """
        return _path([f"{number(self.x.start)} {number(self.y(y))}H{number(self.x.stop)}"], kind)

    def post(self, x: float, kind: str) -> str:
        """Return an upright line through the panel.

        Parameters
        ----------
        x : float
        kind : str
            Class of its style.
        """
        return _path([f"{number(self.x(x))} {number(self.y.start)}V{number(self.y.stop)}"], kind)

    def y_ticks(self, at: Iterable[tuple[float, str]]) -> str:
        """Return level lines with their labels to the left."""
        x = self.x.start - 6
        return "".join(self.rule(y, "g") + text(x, self.y(y) + 4, label, "m e") for y, label in at)

    def x_ticks(self, at: Iterable[tuple[float, str]]) -> str:
        """Return labels below the panel; that of day 0 stands out."""
        foot = self.y.start + 20
        return "".join(text(self.x(x), foot, label, "s c" if x == 0 else "m c") for x, label in at)


def return_scale(values: Iterable[FloatArray], n_max: int, top: float, foot: float) -> Scale:
    """Return a scale of returns that holds values and zero.

    Parameters
    ----------
    values : iterable of arrays
        Decimal; missing ones are passed over.
    n_max : int
        Number of ticks at most; each side that values reach well into has one.
    top, foot : float
        Pixels.
    """
    return Scale(*sided(*roomy(values), n_max, scale=words().scale), foot, top)


def day_ticks(days: IntArray, n_max: int) -> list[tuple[float, str]]:
    """Return round days with their labels, day 0 among them.

    Parameters
    ----------
    days : (n,) int array
    n_max : int
        Number of labels at most.
    """
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if len(days) / s <= n_max), 200)
    return [(float(t), "day 0" if t == 0 else words().day(int(t))) for t in days if t % step == 0]


def number(value: float) -> str:
    """Return a coordinate with one decimal at most."""
    digits = f"{value:.1f}".removesuffix(".0")
    return "0" if digits == "-0" else digits


@lru_cache(maxsize=1000)
def text_width(label: str, *, size: float = 13.0, is_bold: bool = False) -> float:
    """Return the pixels that a label takes at most, by its letters in a wide font (DejaVu Sans).

    Parameters
    ----------
    label : str
    size : float
        Of the letters, in pixels.
    is_bold : bool
    """
    narrow = sum(letter in " .,:;|'!()[]fijltI" for letter in label)
    broad = sum(letter.isupper() or letter in "mw%−" for letter in label)
    units = 0.33 * narrow + 0.78 * broad + 0.57 * (len(label) - narrow - broad)
    return size * units * (1.2 if is_bold else 1.0)


def rect(x: float, y: float, width: float, height: float, kind: str, tip: str = "") -> str:
    """Return a rectangle.

    Parameters
    ----------
    x, y, width, height : float
        Pixels.
    kind : str
        Class of its style.
    tip : str
        For those who point at it.
    """
    size = f'width="{number(width)}" height="{number(max(height, 0.0))}"'
    end = f"><title>{escape(tip)}</title></rect>" if tip else "/>"
    return f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" {size}{end}'


def text(x: float, y: float, label: str, kind: str, then: str = "") -> str:
    """Return a label.

    Parameters
    ----------
    x, y : float
        Pixels.
    label : str
    kind : str
        Classes: m, s for muted, strong; e, c for one that ends, is centred at x.
    then : str
        Smaller words that follow the label, however wide the font of the reader is.
    """
    smaller = f'<tspan dx="8">{escape(then)}</tspan>' if then else ""
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}">{escape(label)}{smaller}</text>'


def linked(mark: str, address: str, name: str, *, is_stop: bool = True) -> str:
    """Return marks that lead to another part of the page, or marks that show their name.

    Parameters
    ----------
    mark : str
        SVG elements, whose texts are escaped.
    address : str
        Such as ``#e12``; "" for none.
    name : str
        Of the link, for those who point at it or have it read out.
    is_stop : bool
        Whether the Tab key stops at it; of many marks, the rows that they lead to are enough.
    """
    named = f"<title>{escape(name)}</title>{mark}"
    if not address:
        return f"<g>{named}</g>"
    stop = "" if is_stop else ' tabindex="-1"'
    return f'<a href="{escape(address)}"{stop}>{named}</a>'


def picture(
    width: int, height: int, marks: Iterable[str], *, title: str, desc: str, kind: str = ""
) -> Markup:
    """Return an SVG with name and description for those who cannot see it.

    Parameters
    ----------
    width, height : int
        Pixels of the view box.
    marks : iterable of str
        SVG elements, whose texts are escaped.
    title, desc : str
    kind : str
        Classes of the picture beside that of its width.
    """
    body = "".join(marks)
    kind = f"own {KINDS.get(width, '')} {kind}"
    salt = hashlib.sha256(f"{title}|{kind}|{body}".encode()).hexdigest()[:8]
    names = f'aria-labelledby="t{salt} d{salt}"'
    # A screen reader skips the links within an image.
    names = f'role="{"group" if "<a " in body else "img"}" {names}'
    head = (
        f'<svg class="{" ".join(kind.split())}" viewBox="0 0 {width} {height}" {names}>'
        f'<title id="t{salt}">{escape(title)}</title><desc id="d{salt}">{escape(desc)}</desc>'
    )
    return Markup(head + body + "</svg>")  # noqa: S704 - texts are escaped


def pair(draw: Callable[[int], Markup]) -> Markup:
    """Return a figure as it is drawn for wide pages and for narrow ones."""
    return Markup("\n").join(map(draw, (WIDE, NARROW)))


def ticks(
    low: float, high: float, n_max: int, label: Callable[[float, int], str], *, scale: float = 1.0
) -> list[tuple[float, str]]:
    """Return as many round values within an axis as fit into `n_max`, each with its label.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    n_max : int
    label : callable
        ``label(value, decimals)`` of a value in units of 1/`scale`.
    scale : float
        Shown is the value times this.
    """
    step, first, last = _step(scale * low, scale * high, n_max)
    at = [float(k * step) + 0.0 for k in range(first, last + 1)]
    exact = (d for d in range(5) if all(abs(t - round(t, d)) < 1e-9 * max(1, abs(t)) for t in at))
    decimals = next(exact, 5)
    return [(t / scale, label(t, decimals)) for t in at]


def _step(low: float, high: float, n_max: int) -> tuple[float, int, int]:
    """Return the smallest round step with at most `n_max` multiples on an axis, and their ends."""
    power = 10.0 ** np.floor(np.log10((high - low) / n_max))
    steps = [float(m * power) for m in (1, 2, 2.5, 5, 10)]
    ends = [(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)) for step in steps]
    tried = [(step, int(a), int(b)) for step, (a, b) in zip(steps, ends, strict=True)]
    fits = [k for k, (_, first, last) in enumerate(tried) if last - first < n_max]
    chosen = fits[0]
    _, first, last = tried[chosen + 1] if chosen + 1 < len(tried) else tried[chosen]
    if chosen == 2 and last - first >= 2:
        # 2.5 has one more digit than 5: only where fives are too few.
        chosen = 3
    return tried[chosen]


def sided(low: float, high: float, n_max: int, *, scale: float = 1.0) -> tuple[float, float]:
    """Return an axis made longer for a tick on each side of zero that its values reach well into.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    n_max : int
        Number of ticks at most.
    scale : float
        Shown is the value times this.
    """
    step, first, last = _step(scale * low, scale * high, n_max)
    step = step / scale
    length = high - low
    ends = [-low, high]
    for side, (reach, is_bare) in enumerate(zip(ends, (first >= 0, last <= 0), strict=True)):
        if is_bare and REACHED * length < reach and step - reach < LENGTHENED * length:
            ends[side] = 1.02 * step
    return -ends[0], ends[1]


def signed_label(value: float, decimals: int) -> str:
    """Return a tick label with its sign; zero has no decimals.

    Parameters
    ----------
    value : float
    decimals : int
    """
    return words().signed(value, decimals) if round(value, 9) else "0"


def roomy(values: Iterable[FloatArray], *, zero: bool = True) -> tuple[float, float]:
    """Return the ends of an axis that holds all values.

    Parameters
    ----------
    values : iterable of arrays
        Missing ones are passed over.
    zero : bool
        Whether it holds zero too.
    """
    finite = np.concatenate([np.ravel(v) for v in values] + [[0.0]] * zero)
    finite = finite[np.isfinite(finite)]
    if finite.size == 0:
        return -0.01, 0.01
    low = float(finite.min())
    high = float(finite.max())
    spare = ROOM * ((high - low) or abs(high) or 0.02)
    return low - spare, high + spare


def _path(runs: Iterable[str], kind: str) -> str:
    d = "M".join(runs)
    return f'<path class="{kind}" d="M{d}"/>' if d else ""


def _runs(values: FloatArray) -> list[IntArray]:
    """Return the positions of each unbroken run of finite values."""
    at = np.flatnonzero(np.isfinite(values))
    return [run for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if run.size]
