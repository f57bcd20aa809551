"""The days whose prices the windows of events can need, and the calls that ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from ..calendars.window import Window
from ..events.table import Events

Range = tuple[date, date]
# Calendar days for one session, holidays and weekends included, with room to spare.
DAYS_PER_SESSION = 1.6
MARGIN_DAYS = 20
# Prices after the last window tell a halt that goes on from data that end.
DAYS_AFTER = 120
# Each call may have to find out anew that a source cannot be reached.
MOST_CALLS = 4


def range_around(
    day0: Sequence[date],
    estimation: Window,
    event: Window,
    *,
    further: int = 0,
    today: date | None = None,
) -> Range:
    """Return the first and last day whose prices the windows can need.

    Parameters
    ----------
    day0 : sequence of date
    estimation, event : Window
    further : int
        Sessions that are needed before the estimation window.
    today : date, optional
        No later day is needed; default today.
    """
    before, after = days_around(estimation, event, further=further)
    last = max(day0) + timedelta(days=after)
    return min(day0) - timedelta(days=before), min(last, today or date.today())  # noqa: DTZ011 - a civil date


def days_around(estimation: Window, event: Window, *, further: int = 0) -> tuple[int, int]:
    """Return how many calendar days before and after day 0 the windows can need prices of.

    Parameters
    ----------
    estimation, event : Window
    further : int
        Sessions that are needed before the estimation window.
    """
    before = int((further - estimation.start) * DAYS_PER_SESSION) + MARGIN_DAYS
    return before, int(max(event.stop, 0) * DAYS_PER_SESSION) + DAYS_AFTER


def calls_of(ranges: Mapping[str, Range]) -> list[tuple[list[str], Range]]:
    """Return the symbols in at most `MOST_CALLS` calls, those of about the same years together."""
    calls: dict[tuple[int, int], list[str]] = {}
    for years in (1, 2, 4, 8, 10_000):
        calls = {}
        for symbol, (first, last) in ranges.items():
            calls.setdefault((first.year // years, last.year // years), []).append(symbol)
        if len(calls) <= MOST_CALLS:
            break
    groups = list(calls.values())
    ends = (zip(*(ranges[symbol] for symbol in group), strict=True) for group in groups)
    days = ((min(first), max(last)) for first, last in ends)
    return list(zip(groups, days, strict=True))


def needed_range(events: Events, estimation: Window, event: Window) -> Range:
    """Return the first and last day whose prices the windows of any event can need.

    Parameters
    ----------
    events : Events
    estimation, event : Window
    """
    return range_around([day.date() for day in events.table["day0"]], estimation, event)
