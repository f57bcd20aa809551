"""The dates of a series beside the sessions of its exchange."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..utility import DateArray, FloatArray
from ..words import Reason

# Day and month are swapped where this share of the days that could be, and so many, are no
# sessions, and nearly all would be the other way round.
CLOSED, SEVERAL, RIGHT = 0.1, 5, 0.02
# One value on a closed day is an accident, whatever its share.
ACCIDENT = 1


class SeriesDates(NamedTuple):
    """The dates of a series, and the sessions of its exchange.

    Attributes
    ----------
    dates : (n,) datetime64[D] array
    sessions : (S,) datetime64[D] array
        At least from the first to the last date; empty = not known.
    """

    dates: DateArray
    sessions: DateArray

    def explain_swapped(self) -> Reason | None:
        """Return why the dates cannot be meant; None if they can.

        Returns
        -------
        Reason or None
            With the number of days that are no sessions, and an example.
        """
        if not len(self.sessions):
            return None
        month, day = self.dates.astype("datetime64[M]"), self.dates.astype(int)
        months, days = month.astype(int) % 12, day - month.astype("datetime64[D]").astype(int)
        can = (days < 12) & (days != months)
        years = month[can].astype("datetime64[Y]").astype("datetime64[M]")
        turned = (years + days[can]).astype("datetime64[D]") + months[can]
        closed = ~np.isin(self.dates[can], self.sessions)
        if closed.sum() < max(SEVERAL, CLOSED * can.sum()):
            return None
        inside = (turned >= self.sessions[0]) & (turned <= self.sessions[-1])
        if (~np.isin(turned[inside], self.sessions)).sum() > RIGHT * inside.sum():
            return None
        example, meant = self.dates[can][closed][0], turned[closed][0]
        return Reason("swapped_dates", n=int(closed.sum()), day=str(example), meant=str(meant))

    def explain_closed(self, values: FloatArray, calendar: str) -> Reason | None:
        """Return why a series is not used of which too much happened while its exchange was closed.

        Parameters
        ----------
        values : (n,) float array
            Prices that are not those of the row before, or returns that are not zero; NaN =
            missing.
        calendar : str
            Name of the sessions.

        Returns
        -------
        Reason or None
            If more than 10 % of the values, and more than one, are between sessions.
        """
        if not len(self.sessions):
            return None
        has_value = np.isfinite(values)
        inside = (self.dates > self.sessions[0]) & (self.dates < self.sessions[-1])
        place = np.searchsorted(self.sessions, self.dates)
        next_session = self.sessions[np.minimum(place, len(self.sessions) - 1)]
        strays = np.flatnonzero(has_value & inside & (next_session != self.dates))
        n = int(has_value.sum())
        if len(strays) <= max(ACCIDENT, CLOSED * n):
            return None
        day = str(self.dates[strays[0]])
        facts = {"n": len(strays), "total": n, "calendar": calendar, "day": day}
        return Reason("mostly_closed", share=len(strays) / n, **facts)
