"""The figures of the page of one event: price, volume, abnormal returns, CARs, estimation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from ...calendars.window import Window
from ...findings.event_series import DAY, FITTED, Days, Fit, PricePath
from ...findings.types import EventCar
from ...utility.catalogue import say
from ...utility.numbers import NBSP, day, percent, price, signed
from ...utility.typing import BoolArray, FloatArray, IntArray
from ...utility.units import words
from . import svg_canvas as svg
from .labels import Box, place_names

# Days of a window that have their names.
MOST_NAMED = 3
# Share of interval ends that an axis must hold, which cuts those that go further; of few it holds
# all.
ENDS_SHOWN, FEW = 0.95, 10


def draw_price(path: PricePath, window: Window, *, name: str = "", unit: str = "") -> Markup:
    """Return the close as a line, the model's path with its 95% band, and the window shaded.

    Parameters
    ----------
    path : PricePath
    window : Window
    name : str
        Stands above the window.
    unit : str
        Stands above the ticks.
    """

    def draw(width: int) -> Markup:
        wide = width == svg.WIDE
        low, high = svg.roomy([path.actual, path.low, path.high], zero=False)
        levels = svg.Scale(low, high, 270 if wide else 232, 26)
        panel = svg.Panel(svg.day_scale(path.days, width), levels)
        at_base = np.where(path.days == path.base, path.actual, np.nan)
        marks = [
            panel.stripe(window),
            panel.y_ticks(svg.ticks(low, high, 6 if wide else 5, lambda v, d: f"{v:,.{d}f}")),
            panel.band(path.days, path.low, path.high, "band"),
            panel.post(0, "d"),
            panel.line(path.days, path.expected, "b dashed"),
            panel.line(path.days, path.actual, "i"),
            panel.dots(path.days, at_base, "i dot"),
            panel.x_ticks(svg.day_ticks(path.days, 9 if wide else 5)),
            *(_price_ends(panel, path) if wide else _price_key(panel, path)),
            panel.over(window, name) if name else "",
            svg.text(panel.x.start - 6, 12, unit, "m e") if unit else "",
        ]
        title = say("figure.price", label=path.label)
        return svg.picture(width, 300, marks, title=title, desc=say("figure.price_desc"))

    return svg.pair(draw)


def draw_volume(path: PricePath, window: Window) -> Markup:
    """Return the volume of each day as bars, 1 being the median of the estimation window.

    Parameters
    ----------
    path : PricePath
    window : Window
        Shaded.
    """
    high = max(2.0, 1.05 * float(np.nanmax(path.volume, initial=0)))

    def draw(width: int) -> Markup:
        panel = svg.Panel(svg.day_scale(path.days, width), svg.Scale(0, high, 110, 14))
        marks = [
            panel.stripe(window),
            panel.y_ticks(svg.ticks(0, high, 4, lambda v, d: f"{v:.{d}f}×")),
            panel.bars(path.days, path.volume, 0.66, "vol"),
            panel.rule(0, "z"),
            panel.rule(1, "d"),
            panel.post(0, "d"),
            panel.x_ticks(svg.day_ticks(path.days, 9 if width == svg.WIDE else 5)),
        ]
        title, desc = say("figure.volume"), say("figure.volume_desc")
        return svg.picture(width, 140, marks, title=title, desc=desc)

    return svg.pair(draw)


def _price_ends(panel: svg.Panel, path: PricePath) -> Iterator[str]:
    """Yield the names of the two paths at their last points, clear of each other."""
    ends = []
    for values, code, kind in ((path.expected, "model", "bt"), (path.actual, "actual", "s")):
        at = np.flatnonzero(np.isfinite(values))
        if at.size and (code == "actual" or path.days[at[-1]] > path.base):
            last = values[at[-1]]
            x = panel.label_x(float(path.days[at[-1]]))
            ends.append((panel.y(last), x, f"{say(f'figure.{code}')} {price(last)}", kind))
    ends.sort()
    if len(ends) == 2 and ends[1][0] - ends[0][0] < 34 and abs(ends[1][1] - ends[0][1]) < 120:
        middle = (ends[0][0] + ends[1][0]) / 2
        ends = [(middle + shift, *end[1:]) for shift, end in zip((-17, 17), ends, strict=True)]
    for y, x, name, kind in ends:
        yield svg.text(x, y + 2, name, kind)
        if kind == "bt":
            yield svg.text(x, y + 18, say("figure.band"), "bt thin")


def _price_key(panel: svg.Panel, path: PricePath) -> Iterator[str]:
    """Yield what the lines of a narrow figure are, below its days and clear of the lines."""
    y = panel.y.start + 44
    yield svg.text(panel.x.start, y, say("figure.key_close"), "s")
    if np.isfinite(path.expected).any():
        yield svg.text(panel.x.start, y + 18, say("figure.key_model"), "bt")


def draw_abnormal_returns(event: Days, window: Window) -> Markup:
    """Return the AR of each day as bars above, the CAR below.

    Parameters
    ----------
    event : Days
        Each value is drawn on its 95% range without an event.
    window : Window
        Shaded.
    """
    days = event.days

    def draw(width: int) -> Markup:
        wide, marks, axis = width == svg.WIDE, [], svg.day_scale(days, width)
        rows = ((16, 170, event.ar, event.ar_half), (206, 372, event.car, event.car_half))
        for top, foot, values, half in rows:
            panel = svg.Panel(axis, svg.return_scale([values, half, -half], 5, top, foot))
            sums = values is event.car
            any_value = np.isfinite(values).any()
            marks += [
                panel.stripe(window),
                panel.y_ticks(panel.y.ticks(5)) if any_value else "",
                panel.band(days, -half, half, "range") if any_value else "",
                "" if sums else panel.bars(days, values, 0.66, "bar"),
                panel.rule(0, "z"),
                panel.post(0, "d"),
                panel.line(days, values, "b") if sums else "",
                panel.dots(days, values, "b dot") if sums else "",
                panel.x_ticks(svg.day_ticks(days, 11 if wide else 5)) if sums else "",
                *_abnormal_names(panel, days, values, sums=sums, wide=wide),
            ]
        title = say("figure.abnormal", window=window, data=words().what or "returns")
        desc = say("figure.abnormal_desc", datum=words().what or "return")
        return svg.picture(width, 402, marks, title=title, desc=desc)

    return svg.pair(draw)


def _abnormal_names(
    panel: svg.Panel, days: IntArray, values: FloatArray, *, sums: bool, wide: bool
) -> Iterator[str]:
    """Yield the name of a panel: at the end of its line, on a narrow figure above it."""
    at, first, top = np.flatnonzero(np.isfinite(values)), int(days[0]), panel.y.stop
    if at.size == 0:
        code = "figure.no_car" if sums else "figure.no_ar"
        name = say(code, day=first, datum=words().what or "return")
        yield svg.text(panel.x.start + 8, (panel.y.start + top) / 2 - 8, name, "m")
        return
    last = values[at[-1]] if sums else 0.0
    end = say("figure.car", end=percent(last, unit=words().unit == "%"))
    name, since = (end, say("figure.since", day=first)) if sums else (say("figure.ar"), "")
    if not wide:
        yield svg.text(panel.x.start, top - 5, f"{name} {since}".strip(), "bt")
        return
    x, y = panel.label_x(float(days[at[-1]] if sums else days[-1])), panel.y(last)
    yield svg.text(x, y, name, "bt")
    yield svg.text(x, y + 16, since or say("figure.range"), "m halo")
    if not sums:
        yield svg.text(x, y + 32, say("figure.range_of"), "m")


def name_axis(fit: Fit) -> str:
    """Return what the axis of a fit is: "day", "fitted" or "benchmark"."""
    return {DAY: "day", FITTED: "fitted"}.get(fit.axis, "benchmark")


def draw_fit(fit: Fit, days: IntArray, window: Window) -> Markup:
    """Return the estimation days as grey points, the model's line, and the days of `window` marked.

    Parameters
    ----------
    fit : Fit
    days : (L2,) int array
        Event days.
    window : Window
    """
    inside = (days >= window.start) & (days <= window.stop)
    ys = svg.roomy([fit.y, fit.y_event[inside]], zero=False)
    xs = svg.roomy([fit.x, fit.x_event[inside]], zero=False)
    panel, by_day = svg.Panel(svg.Scale(*xs, 58, 488), svg.Scale(*ys, 286, 16)), fit.axis == DAY
    ends = np.array(xs)
    marks = [
        panel.y_ticks(panel.y.ticks(6)),
        panel.rule(0, "z") if ys[0] < 0 < ys[1] else "",
        panel.post(0, "z") if xs[0] < 0 < xs[1] and not by_day else "",
        panel.dots(fit.x, fit.y, "cloud"),
        _clipped_line(panel, ends, fit.intercept + fit.slope * ends),
        panel.x_ticks(svg.ticks(*xs, 5, svg.signed_label, scale=1.0 if by_day else words().scale)),
        svg.text(488, 324, say(f"figure.axis_{name_axis(fit)}", axis=words().axis), "m e"),
        *_marked_days(panel, fit, days, inside),
    ]
    desc = say("figure.fit_desc", n=len(fit.y), window=window)
    return svg.picture(svg.HALF, 332, marks, title=say("figure.fit"), desc=desc)


def _clipped_line(panel: svg.Panel, xs: FloatArray, ys: FloatArray) -> str:
    """Return the stretch of a straight line that lies within the panel."""
    slope = (ys[1] - ys[0]) / (xs[1] - xs[0])
    if slope == 0:
        return panel.line(xs, ys, "b")
    crossed = np.sort(xs[0] + (np.array([panel.y.low, panel.y.high]) - ys[0]) / slope)
    ends = np.array([max(xs[0], crossed[0]), min(xs[1], crossed[1])])
    return panel.line(ends, ys[0] + slope * (ends - xs[0]), "b") if ends[0] < ends[1] else ""


def _marked_days(panel: svg.Panel, fit: Fit, days: IntArray, inside: BoolArray) -> Iterator[str]:
    """Yield the days of the window as points with their names, as long as these do not crowd."""
    rows = np.flatnonzero(inside & fit.is_marked)
    at = [(panel.x(fit.x_event[k]), panel.y(fit.y_event[k])) for k in rows]
    for k, (x, y) in zip(rows, at, strict=True):
        kind = "mark full" if days[k] == 0 else "mark"
        tip = say("figure.fit_day", day=int(days[k]), ret=fit.y_event[k])
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5">'
        yield f"<title>{tip}</title></circle>"
    if inside.sum() > MOST_NAMED:
        return
    names = [(f"day{NBSP}{day(int(days[k]))}", x, y) for k, (x, y) in zip(rows, at, strict=True)]
    dots = [Box(x - 7, x + 7, y - 7, y + 7) for x, y in at]
    edge = Box(panel.x.start, panel.x.stop, panel.y.stop, panel.y.start)
    for i, x, y in place_names(names, dots, edge):
        yield svg.text(x, y, names[i][0], "ot halo")


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
        labels = {t: signed(t, decimals) if t else "0" for t in (-step, 0.0, step)}
        return tuple((self._place(t / scale), label) for t, label in labels.items())

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
