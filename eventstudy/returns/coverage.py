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
from .panel import ReturnsPanel

# Share of the estimation window that an index must have; it must have all of the event window.
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
        cls, panel: ReturnsPanel, calendar: str, day0: np.datetime64, windows: Sequence[Window]
    ) -> Need:
        """Return the sessions of the windows around a day 0; those beyond the data are left out.

        Parameters
        ----------
        panel : ReturnsPanel
        calendar : str
        day0 : datetime64
        windows : (estimation, event)
        """
        columns = panel.calendars[calendar]
        zero = np.searchsorted(
            panel.sessions[columns], panel.sessions_of([calendar], np.array([day0]))[0]
        )
        at = [zero + window.days for window in windows]
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
        """Return whether an index has all of the event window and 95% of the estimation window.

        Parameters
        ----------
        symbol : str
        need : Need
        """
        estimation, event = self._lacks(symbol, need)
        return event == 0 and estimation <= (1 - LEAST_COVERED) * len(need.estimation)

    def kind(self, symbol: str, need: Need) -> str:
        """Return where an index has a gap: ``before`` or ``after`` its prices, or ``within``.

        A gap in the event window counts first. It is ``""`` for an index without any price.

        Parameters
        ----------
        symbol : str
        need : Need
        """
        present = self._seen(symbol, need.calendar)
        if not len(present):
            return ""
        lacking = self.lacking(symbol, need.calendar)
        gaps = need.event[lacking[need.event]]
        gaps = gaps if len(gaps) else need.estimation[lacking[need.estimation]]
        before, after = int((gaps < present[0]).sum()), int((gaps > present[-1]).sum())
        within = len(gaps) - before - after
        if within >= max(before, after):
            return "within"
        return "before" if before >= after else "after"

    def why(self, symbol: str, kind: str, needs: Sequence[Need]) -> str:
        """Return what an index lacks in words, such as ``has no prices before 11 March 2021``.

        Parameters
        ----------
        symbol : str
        kind : str
            As :meth:`kind` gives it.
        needs : sequence of Need
        """
        if kind == "within":
            missing, total = self._counts(symbol, needs)
            return f"lacks {missing:,} of {total:,} sessions" if missing else "lacks sessions"
        if kind == "" and self.panel.measure == "return" and symbol in self.panel.provenance:
            return "cannot be converted into the currency of the firm"
        if kind == "":
            return f"has no {self._word} on these days"
        day = self._ends(symbol, needs[0].calendar)[kind == "after"]
        return f"has no {self._word} {kind} {day.day} {day:%B %Y}"

    def _best(self, chain: Sequence[str], need: Need) -> str:
        """Return the first index that covers the windows, else the one with the fewest gaps."""
        covering = next((symbol for symbol in chain if self.covers(symbol, need)), "")
        return covering or min(chain, key=lambda symbol: sum(self._lacks(symbol, need)))

    def _lacks(self, symbol: str, need: Need) -> tuple[int, int]:
        """Return how many sessions of the two windows an index lacks."""
        lacking = self.lacking(symbol, need.calendar)
        return int(lacking[need.estimation].sum()), int(lacking[need.event].sum())

    def _lacking(self, symbol: str, calendar: str) -> BoolArray:
        """Return which sessions of the panel an index lacks, (T,)."""
        present, days = self._seen(symbol, calendar), self.panel.sessions
        if not len(present):
            return np.ones(len(days), dtype=bool)
        out = ~_shut(symbol, calendar, days)
        out[present] = False
        late = self.panel.calendars[calendar][-LATE:]
        out[late[late > present[-1]]] = False
        return out

    def _seen(self, symbol: str, calendar: str) -> IntArray:
        """Return the sessions, as columns of the panel, on which an index has a return."""
        row = self.panel.row(symbol, calendar)
        return np.flatnonzero(self.panel.spans[row] > 0) if row >= 0 else np.empty(0, np.int64)

    def _counts(self, symbol: str, needs: Sequence[Need]) -> tuple[int, int]:
        """Return how many sessions of several events an index lacks, and how many there are."""
        missing, total = 0, 0
        for calendar in dict.fromkeys(need.calendar for need in needs):
            local = [need for need in dict.fromkeys(needs) if need.calendar == calendar]
            columns = [days for need in local for days in (need.estimation, need.event)]
            days = np.unique(np.concatenate(columns))
            missing += int(self.lacking(symbol, calendar)[days].sum())
            total += len(days)
        return missing, total

    def _ends(self, symbol: str, calendar: str) -> tuple[date, date]:
        """Return the first and the last day of an index; its first return is that of two prices."""
        panel, present = self.panel, self._seen(symbol, calendar)
        columns: IntArray = panel.calendars[calendar]
        first = np.searchsorted(columns, present[0])
        if self._word == "prices":
            first -= panel.spans[panel.row(symbol, calendar), present[0]]
        days = panel.sessions[[columns[first], present[-1]]].astype(date)
        return days[0], days[1]

    @property
    def _word(self) -> str:
        if self.panel.measure != "return":
            return self.panel.measure
        return "returns" if self.panel.prices is None else "prices"


def _shut(symbol: str, calendar: str, days: DateArray) -> BoolArray:
    """Return on which days the market of an index of another country was shut."""
    home, local = home_of(symbol), BY_CODE.get(calendar)
    if not (home and local and home.calendar) or home.calendar == local.calendar:
        return np.zeros(len(days), dtype=bool)
    return ~np.isin(days, sessions(home.calendar).dates)
