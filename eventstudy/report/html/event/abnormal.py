"""The section of an event page on its abnormal returns."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from ....utility.numbers import date_iso, day, percent, span, window_text
from ...figures.abnormal_figure import abnormal_figure, abnormal_tips
from ...figures.axes import NARROW, WIDE
from ...figures.event_path import episode
from .one_event import OneEvent


def abnormal(event: OneEvent) -> dict[str, Any]:
    """Return the figure of the AR of each day and the CAR up to it, and their values."""
    found = episode(event.results, event.row)
    columns = (
        found.days, found.dates, found.ret, found.expected, found.ar, found.car,
        found.car - found.car_half, found.car + found.car_half,
    )  # fmt: skip
    tips = abnormal_tips(found)
    figures = [abnormal_figure(found, event.main, width=w, tips=tips) for w in (WIDE, NARROW)]
    return {
        "figures": [Markup(figure) for figure in figures],  # noqa: S704
        "first": day(int(found.days[0])),
        "note": _limit_note(event),
        "rows": [
            (
                day(int(t)),
                date_iso(date),
                *(percent(v, unit=False) for v in values),
                span(*ends, unit=False),
            )
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
