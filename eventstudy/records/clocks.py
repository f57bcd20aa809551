"""Two clocks of an action: what its source claims, and when an answer first had it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from .types import Action

# A claim that is older than this at the first look that finds it, though an earlier look did not.
LATE = dt.timedelta(hours=24)


class TimeBasis(StrEnum):
    """On what the first public time of an action rests.

    Attributes
    ----------
    CLAIMED
        The minute that the source gives.
    SCHEDULED
        The same, a round one behind the time of the last change: it was set beforehand.
    SEEN
        Our own first look: the source gives no time.
    PRINTED_DATE
        A day that the source prints, without an hour.
    CONTRADICTED
        Our own first look: the time that the source gives cannot be true.
    """

    CLAIMED = "claimed"
    SCHEDULED = "scheduled"
    SEEN = "seen"
    PRINTED_DATE = "printed date"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Clock:
    """When an action was public at the latest.

    Attributes
    ----------
    public_by : datetime, date or None
        An upper bound: news may have come out before. None where nothing is known.
    basis : TimeBasis
    """

    public_by: dt.datetime | dt.date | None
    basis: TimeBasis

    @property
    def cell(self) -> str:
        """The bound as a cell of an events file; "" where nothing is known."""
        if isinstance(self.public_by, dt.datetime):
            return self.public_by.isoformat(timespec="seconds")
        return self.public_by.isoformat() if self.public_by else ""

    @classmethod
    def of(cls, action: Action) -> Clock:
        """Return what two clocks say of an action.

        A time is contradicted if an answer had the action before, or if it was looked for more than
        a day after that time and was not there. A bare date is all of its day: no hour is added.
        """
        claimed, before = action.claimed, action.looked_before
        home = ZoneInfo(action.tz)
        seen = action.seen and action.seen.astimezone(home)
        if claimed is None:
            return cls(seen, TimeBasis.SEEN)
        if isinstance(claimed, dt.datetime):
            first = last = claimed
        else:
            first = dt.datetime.combine(claimed, dt.time(), home)
            last = dt.datetime.combine(claimed + dt.timedelta(days=1), dt.time(), home)
        is_ahead = seen is not None and seen < first
        is_missing = before is not None and before - last > LATE
        if is_ahead or is_missing:
            return cls(seen, TimeBasis.CONTRADICTED)
        if not isinstance(claimed, dt.datetime):
            return cls(claimed, TimeBasis.PRINTED_DATE)
        is_round = claimed.second == 0 and claimed.microsecond == 0
        is_set = is_round and action.modified is not None and action.modified < claimed
        return cls(claimed, TimeBasis.SCHEDULED if is_set else TimeBasis.CLAIMED)
