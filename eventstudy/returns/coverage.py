"""Whether an index has the sessions that an event needs, and in words which of them it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from ..calendars.exchanges import BY_CODE, home_of
from ..calendars.sessions import sessions
from ..calendars.window import Window
from ..utility.typing import BoolArray, DateArray, IntArray
from . import ReturnsPanel

# Share of the estimation window that an index must have; of the event window it must have every
# session.
LEAST_COVERED = 0.95
# The last sessions of the data, which an index may be late with before another one takes its place.
LATE = 5


@dataclass(frozen=True, eq=False)
class Need:
    """The sessions of one event's windows, as columns of the panel."""

    calendar: str
    estimation: IntArray
    event: IntArray

    @classmethod
    def around(
        cls,
        panel: ReturnsPanel,
        calendar: str,
        day0: np.datetime64,
        estimation: Window,
        event: Window,
    ) -> Need:
        """Return the sessions of the windows around a day 0; those beyond the data are left out."""
        columns = panel.calendars[calendar]
        zero = np.searchsorted(panel.sessions[columns], panel.session_of(calendar, day0))
        at = [zero + window.days for window in (estimation, event)]
        return cls(calendar, *(columns[days[(days >= 0) & (days < len(columns))]] for days in at))


class Coverage:
    """What the indices of a panel have of the sessions that events need.

    A session on which the market of an index was shut is not held against it: it is bridged. Nor
    are the last sessions of the data behind the last price of an index, which may only be late.
    """

    def __init__(self, panel: ReturnsPanel) -> None:
        self.panel = panel
        self.lacking = cache(self._lacking)
        self.best = cache(self._best)

    def covers(self, symbol: str, need: Need) -> bool:
        """Tell whether an index has all of the event window and 95% of the estimation window."""
        estimation, event = self._lacks(symbol, need)
        return event == 0 and estimation <= (1 - LEAST_COVERED) * len(need.estimation)

    def kind(self, symbol: str, need: Need) -> str:
        """Return where an index lacks what an event needs: ``before`` or ``after`` its prices, or
        ``within``.

        That of the event window counts first. It is ``""`` for an index without any price.
        """
        seen = self._seen(symbol, need.calendar)
        if not len(seen):
            return ""
        lacking = self.lacking(symbol, need.calendar)
        lost = need.event[lacking[need.event]]
        lost = lost if len(lost) else need.estimation[lacking[need.estimation]]
        before, after = int((lost < seen[0]).sum()), int((lost > seen[-1]).sum())
        within = len(lost) - before - after
        if within >= max(before, after):
            return "within"
        return "before" if before >= after else "after"

    def why(self, symbol: str, kind: str, needs: Sequence[Need]) -> str:
        """Say what an index lacks, such as ``has no prices before 11 March 2021``; `kind` as of
        `kind`."""
        if kind == "within":
            lost, total = self._counts(symbol, needs)
            return f"lacks {lost:,} of {total:,} sessions" if lost else "lacks sessions"
        if kind == "" and self.panel.measure == "return" and symbol in self.panel.provenance:
            return "cannot be converted into the currency of the firm"
        if kind == "":
            return f"has no {self._word} on these days"
        day = self._ends(symbol, needs[0].calendar)[kind == "after"]
        return f"has no {self._word} {kind} {day.day} {day:%B %Y}"

    def _best(self, chain: Sequence[str], need: Need) -> str:
        """Return the first index that covers the windows, or else the one that lacks the fewest
        sessions."""
        whole = next((symbol for symbol in chain if self.covers(symbol, need)), "")
        return whole or min(chain, key=lambda symbol: sum(self._lacks(symbol, need)))

    def _lacks(self, symbol: str, need: Need) -> tuple[int, int]:
        """Return how many sessions of the two windows an index lacks."""
        lacking = self.lacking(symbol, need.calendar)
        return int(lacking[need.estimation].sum()), int(lacking[need.event].sum())

    def _lacking(self, symbol: str, calendar: str) -> BoolArray:
        """Tell which sessions of the panel an index lacks, (T,)."""
        seen, days = self._seen(symbol, calendar), self.panel.sessions
        if not len(seen):
            return np.ones(len(days), dtype=bool)
        out = ~_shut(symbol, calendar, days)
        out[seen] = False
        late = self.panel.calendars[calendar][-LATE:]
        out[late[late > seen[-1]]] = False
        return out

    def _seen(self, symbol: str, calendar: str) -> IntArray:
        """Return the sessions, as columns of the panel, on which an index has a return."""
        row = self.panel.row(symbol, calendar)
        return np.flatnonzero(self.panel.spans[row] > 0) if row >= 0 else np.empty(0, np.int64)

    def _counts(self, symbol: str, needs: Sequence[Need]) -> tuple[int, int]:
        """Return how many sessions of the windows of some events an index lacks, and how many there
        are."""
        lost, total = 0, 0
        for calendar in dict.fromkeys(need.calendar for need in needs):
            own = [need for need in dict.fromkeys(needs) if need.calendar == calendar]
            days = np.unique(
                np.concatenate([part for need in own for part in (need.estimation, need.event)])
            )
            lost, total = lost + int(self.lacking(symbol, calendar)[days].sum()), total + len(days)
        return lost, total

    def _ends(self, symbol: str, calendar: str) -> tuple[date, date]:
        """Return the first and the last day of an index; its first return is that of two prices."""
        panel, seen = self.panel, self._seen(symbol, calendar)
        columns: IntArray = panel.calendars[calendar]
        first = np.searchsorted(columns, seen[0])
        if self._word == "prices":
            first -= panel.spans[panel.row(symbol, calendar), seen[0]]
        days = panel.sessions[[columns[first], seen[-1]]].astype(date)
        return days[0], days[1]

    @property
    def _word(self) -> str:
        if self.panel.measure != "return":
            return self.panel.measure
        return "returns" if self.panel.prices is None else "prices"


def _shut(symbol: str, calendar: str, days: DateArray) -> BoolArray:
    """Tell on which days the market of an index of another country was shut."""
    home, here = home_of(symbol), BY_CODE.get(calendar)
    if not (home and here and home.calendar) or home.calendar == here.calendar:
        return np.zeros(len(days), dtype=bool)
    return ~np.isin(days, sessions(home.calendar).dates)
