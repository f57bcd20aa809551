"""The section of an event page on the price: against what the model expected of it, and the
volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from ....utility.numbers import clipped, date_iso, date_prose, day, percent, signed, window_text
from ....utility.typing import IntArray
from ...figures.axes import NARROW, WIDE
from ...figures.price_figure import money, price_figure, price_tips, volume_figure, volume_tips
from ...figures.price_path import INDEX, PricePath, price_path
from .one_event import Car, OneEvent

if TYPE_CHECKING:
    from ....calendars.window import Window


def price(event: OneEvent) -> dict[str, Any] | None:
    """Return the figure of the price and the model's path, and its values; None without prices."""
    main, path = event.main, price_path(event.results, event.row, event.main, event.quotes)
    if path is None:
        return None
    own = event.cars[main] if event.used else None
    on = f" to {own.until.rpartition(', ')[2]}" if own and own.until else ""
    name = f"CAR {window_text(main)}{on} {percent(own.car)}" if own and np.isfinite(own.car) else ""
    tips, unit = price_tips(path), "" if path.what == INDEX else _currency(event)
    figures = [
        price_figure(path, main, width=w, tips=tips, name=name, unit=unit) for w in (WIDE, NARROW)
    ]
    columns = (path.days, path.dates, path.actual, path.expected, path.low, path.high, path.volume)
    return {
        "figures": [Markup(figure) for figure in figures],  # noqa: S704 - its texts are escaped
        "what": _quoted(event, path),
        "base": day(path.base),
        "modelled": bool(np.isfinite(path.expected).any()),
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
    tips = volume_tips(path)
    figures = (volume_figure(path, window, width=w, tips=tips) for w in (WIDE, NARROW))
    return [Markup(figure) for figure in figures]  # noqa: S704


def _quoted(event: OneEvent, path: PricePath) -> str:
    """Return what the price is, and in which currency where the source says it."""
    if path.what == INDEX:
        return f"Index, close of day {day(path.base)} = 100"
    currency = _currency(event)
    return f"{path.what}, {currency}" if currency else path.what


def _currency(event: OneEvent) -> str:
    entry = event.results.panel.provenance.get(str(event.cells["ticker"]), {})
    return clipped(entry.get("currency") or "", 12)


def _price_note(path: PricePath, window: Window, own: Car | None) -> str:
    """Say where the share stood at the end of the window, and of the CAR, and where the model had
    it."""
    said = [_stood(path, np.flatnonzero(path.days == window.stop), f"of day {day(window.stop)}")]
    if own and own.until:
        at = np.flatnonzero(
            [date_prose(date) == own.until.partition(",")[0] for date in path.dates]
        )
        on = f"The window closes at a price limit, and its CAR runs on to {own.until}."
        said += [on, _stood(path, at, "of that day")]
    return " ".join(filter(None, said))


def _stood(path: PricePath, at: IntArray, when: str) -> str:
    """Say where the share stood at the close of a day, and where the model had it; "" if
    unknown."""
    actual, expected = (values[at] for values in (path.actual, path.expected))
    if not (at.size and np.isfinite(actual[0]) and np.isfinite(expected[0])):
        return ""
    stood = f"At the close {when} the share stood at {money(actual[0])}"
    return f"{stood}, against {money(expected[0])} expected."
