"""The sections of an event page: key figures, price, abnormal returns, windows and estimation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from ..significance._base import pvalue as tail
from ..typing import IntArray
from .episode import episode
from .event_figures import NARROW, WIDE, abnormal_figure, money, price_figure, volume_figure
from .events import axis_bound, axis_ticks, mark_of
from .extent import until
from .measures import words
from .plots import own_half_widths
from .price_path import INDEX, PricePath, Quoted, price_path
from .wording import (
    LEVEL,
    NBSP,
    clipped,
    date_iso,
    date_prose,
    day,
    p_is,
    percent,
    pvalue,
    signed,
    span,
    window_text,
)

if TYPE_CHECKING:
    from ..config import StudyConfig
    from ..results import EventStudyResults
    from ..windows import Window


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
        Closes by symbol, see :func:`~eventstudy.report.price_path.quotes_of`.
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


def keys(event: OneEvent) -> Iterator[tuple[str, str, str]]:
    """Yield label, value and remark of each key figure."""
    a, main, found = event.one.abnormal, event.main, event.cars[event.main]
    if np.isfinite(found.car):
        ends = span(found.car - found.half, found.car + found.half)
        on = f", to {found.until}" * bool(found.until)
        yield f"CAR over {window_text(main)}{on}", percent(found.car), f"95% CI {ends}"
    if 0 in a.event and np.isfinite(ar := a.ar[0, -a.event.start]):
        expected = a.expected[0, -a.event.start]
        said = f"share {percent(ar + expected)}, model {percent(expected)}"
        said = f"value {percent(ar + expected)}, model {percent(expected)}" if words().what else said
        yield f"AR on day 0, {date_prose(event.cells['day0'])}", percent(ar), said
    if np.isfinite(found.p):
        t = f"t({int(a.df_resid[0])}) = {signed(found.t)}".replace(" ", NBSP)
        yield "Exact t test", p_is(found.p), t
    if np.isfinite(found.placebo):
        rank = f"rank among windows of {len(main)} estimation day{'s' * (len(main) > 1)}"
        yield "Against placebo windows", p_is(found.placebo), found.remark or rank
    yield _model(event)


def _model(event: OneEvent) -> tuple[str, str, str]:
    """Return the slope of the model with its fit, or the residual standard deviation if it has none."""
    a, model = event.one.abnormal, event.one.model.label
    sd = percent(float(np.sqrt(a.sigma2[0])), sign=False)
    label = f"{model[:1].upper()}{model[1:]}"
    if "beta" not in a.parameters:
        return label, sd, "residual standard deviation a day"
    beta = signed(a.params[0, a.parameters.index("beta")], sign=False)
    r2 = signed(a.r2[0], sign=False)
    return label, f"β = {beta}".replace(" ", NBSP), f"R²{NBSP}{r2}, residual sd {sd} a day"


def price(event: OneEvent) -> dict[str, Any] | None:
    """Return the figure of the price and the model's path, and its values; None without prices."""
    main, path = event.main, price_path(event.results, event.row, event.main, event.quotes)
    if path is None:
        return None
    own = event.cars[main] if event.used else None
    on = f" to {own.until.rpartition(', ')[2]}" if own and own.until else ""
    name = f"CAR {window_text(main)}{on} {percent(own.car)}" if own and np.isfinite(own.car) else ""
    figures = [price_figure(path, main, width=w, name=name) for w in (WIDE, NARROW)]
    columns = (path.days, path.dates, path.actual, path.expected, path.low, path.high, path.volume)
    return {
        "figures": [Markup(figure) for figure in figures],  # noqa: S704 - its texts are escaped
        "what": _quoted(event, path),
        "base": day(path.base),
        "volume": _volumes(path, main),
        "note": _price_note(path, main, own),
        "rows": [
            (day(int(t)), date_iso(date), *map(money, values), signed(volume, sign=False))
            for t, date, *values, volume in zip(*columns, strict=True)
        ],
    }


def _volumes(path: PricePath, window: Window) -> list[Markup]:
    if not np.isfinite(path.volume).any():
        return []
    return [Markup(volume_figure(path, window, width=w)) for w in (WIDE, NARROW)]  # noqa: S704


def _quoted(event: OneEvent, path: PricePath) -> str:
    """Return what the price is, and in which currency where the source says it."""
    if path.what == INDEX:
        return f"Index, close of day {day(path.base)} = 100"
    entry = event.results.panel.provenance.get(str(event.cells["ticker"]), {})
    currency = clipped(entry.get("currency") or "", 12)
    return f"{path.what}, {currency}" if currency else path.what


def _price_note(path: PricePath, window: Window, own: Car | None) -> str:
    """Say where the share stood at the end of the window, and of the CAR, and where the model had it."""
    said = [_stood(path, np.flatnonzero(path.days == window.stop), f"of day {day(window.stop)}")]
    if own and own.until:
        at = np.flatnonzero([date_prose(date) == own.until.partition(",")[0] for date in path.dates])
        on = f"The window closes at a price limit, and its CAR runs on to {own.until}."
        said += [on, _stood(path, at, "of that day")]
    return " ".join(filter(None, said))


def _stood(path: PricePath, at: IntArray, when: str) -> str:
    """Say where the share stood at the close of a day, and where the model had it; "" if unknown."""
    actual, expected = (values[at] for values in (path.actual, path.expected))
    if not (at.size and np.isfinite(actual[0]) and np.isfinite(expected[0])):
        return ""
    stood = f"At the close {when} the share stood at {money(actual[0])}"
    return f"{stood}, against {money(expected[0])} expected."


def abnormal(event: OneEvent) -> dict[str, Any]:
    """Return the figure of the AR of each day and the CAR up to it, and their values."""
    found = episode(event.results, event.row)
    columns = (
        found.days, found.dates, found.ret, found.expected, found.ar, found.car,
        found.car - found.car_half, found.car + found.car_half,
    )  # fmt: skip
    figures = [abnormal_figure(found, event.main, width=w) for w in (WIDE, NARROW)]
    return {
        "figures": [Markup(figure) for figure in figures],  # noqa: S704
        "first": day(int(found.days[0])),
        "note": _limit_note(event),
        "rows": [
            (day(int(t)), date_iso(date), *(percent(v, unit=False) for v in values), span(*ends, unit=False))
            for t, date, *values, low, high in zip(*columns, strict=True)
            for ends in [(low, high)]
        ],
    }


def _limit_note(event: OneEvent) -> str:
    """Say that the CAR over the main window runs on beyond it, and the line does not."""
    on = event.cars[event.main].until
    if not on:
        return ""
    return (
        "Each day ends at its own close here, at a price limit or not; the CAR over "
        f"{window_text(event.main)} runs on to {on}, the first close off the limit."
    )


def window_table(event: OneEvent) -> dict[str, Any]:
    """Return the CAR over each window with its interval and p-values, and the axis that they share."""
    car, half = (np.array([getattr(c, name) for c in event.cars.values()]) for name in ("car", "half"))
    bound = axis_bound(car, half) if np.isfinite(car).any() else 0.01
    rows = [_window_row(w, own, event.main, bound) for w, own in event.cars.items()]
    return {"rows": rows, "ticks": axis_ticks(bound), "df": int(event.one.abnormal.df_resid[0])}


def _window_row(window: Window, own: Car, main: Window, bound: float) -> dict[str, Any]:
    role = "leakage" if window.stop < 0 else "drift" if window.start > 0 else ""
    return {
        "window": window_text(window), "role": "main" if window == main else role, "main": window == main,
        "until": own.until,
        "car": percent(own.car, unit=False), "se": percent(own.se, unit=False, sign=False),
        "interval": span(own.car - own.half, own.car + own.half, unit=False),
        "t": signed(own.t), "p": pvalue(own.p), "placebo": pvalue(own.placebo),
        "mark": mark_of(own.car, own.half, bound, 0, filled=bool(own.p < LEVEL)),
    }  # fmt: skip
