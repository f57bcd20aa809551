"""Events beside the documents that they cite: whether both have the same day 0."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np

from ..calendars import Exchange, Sessions
from ..errors import DataError
from ..files import TextColumn
from ..utility import DateArray
from ..words import say
from .announcements import day0_position, parse_announcement

# When the document of an event was public at the latest.
PUBLIC = "public_no_later_than"


def note_documents(
    cells: Mapping[str, TextColumn], day0: DateArray, ids: Sequence[str]
) -> tuple[str, ...]:
    """Return a notice for each event whose day 0 does not go with its document.

    The column ``public_no_later_than`` says when that was public at the latest. A day 0 behind it
    is late. One before it is too early only for a bare date, that of the document: there may be an
    earlier report of other events.

    Parameters
    ----------
    cells : mapping of str to TextColumn
    day0 : (n,) datetime64[D] array
    ids : sequence of str
    """
    if PUBLIC not in cells:
        return ()
    notices = []
    columns = zip(ids, day0, cells["ticker"], cells["announced_at"], cells[PUBLIC], strict=True)
    for event_id, day, ticker, stamp, public in columns:
        by_document = _day0_of(ticker, public)
        if by_document is None or by_document == day:
            continue
        facts = {"event": event_id, "public": public, "day": str(day), "other": str(by_document)}
        if day > by_document:
            notices.append(say("events.after_document", **facts))
        elif stamp == public[: len(stamp)]:
            notices.append(say("events.date_only", **facts))
    return tuple(notices)


def _day0_of(ticker: str, stamp: str) -> np.datetime64[dt.date] | None:
    """Return the day 0 of a share by a time; None where that is no time, or no session is known."""
    try:
        announcement = parse_announcement(stamp)
        exchange = Exchange.of(ticker)
        if announcement.instant is None or exchange is None or exchange.calendar is None:
            return None
        sessions = Sessions.of(exchange.calendar)
        day: np.datetime64[dt.date] = sessions.dates[day0_position(announcement, sessions)]
    except DataError:
        return None
    return day
