"""The sessions of each calendar: the exchange's, or the days on which its prices say that it was
open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..calendars.exchanges import BY_CODE, suffix_of
from ..calendars.sessions import Sessions, data_sessions, sessions
from ..utility.typing import BenchmarkPolicy, CalendarChoice, DateArray
from . import NO_ZONE, Key
from .benchmarks import chains_of

if TYPE_CHECKING:
    from ..events.table import Events


def indices_of(events: Events, benchmark: str, policy: BenchmarkPolicy) -> set[str]:
    """Return the benchmarks whose days are sessions: not funds on an exchange of another
    country."""
    chains = set(chains_of(events, benchmark, policy))
    return {
        s for chain in chains for s in chain if s == chain[0] or suffix_of(s) or s.startswith("^")
    }


def sessions_of(
    keys: list[Key], dates: Mapping[str, DateArray], calendar: CalendarChoice, benchmarks: set[str]
) -> dict[str, Sessions]:
    """Return the sessions of each calendar in `keys`: the exchange's, or the dates of its
    symbols."""
    out = {}
    for name in dict.fromkeys(c for _, c in keys):
        exchange = BY_CODE.get(name)
        own = sessions(exchange.calendar) if exchange and exchange.calendar else None
        if own is None or calendar == "data":
            days = _market_days(dates, [s for s, c in keys if c == name and s in dates], benchmarks)
            if len(days) == 0:
                continue
            own = data_sessions(name, own.tz if own else NO_ZONE, days, own)
        out[name] = own
    return out


def _market_days(
    dates: Mapping[str, DateArray], symbols: list[str], benchmarks: set[str]
) -> DateArray:
    """Return the days on which a market was open, judged by the prices of its symbols.

    With a benchmark: its days, and those on which more than half of the firms that are listed have
    a price. A stray price on a Sunday is no session. Without one: all days.
    """
    ends = [own[[0, -1]] for s in symbols if len(own := dates[s])]
    if not ends:
        return np.empty(0, "datetime64[D]")
    first, last = np.min(ends), np.max(ends)
    days: DateArray = np.arange(first, last + 1)
    index = np.zeros(len(days), dtype=bool)
    present, listed = np.zeros(len(days), np.int64), np.zeros(len(days) + 1, np.int64)
    for symbol in symbols:
        at = (dates[symbol] - first).astype(np.int64)
        if symbol in benchmarks:
            index[at] = True
        elif len(at):
            present[at] += 1
            listed[at[[0, -1]] + (0, 1)] += (1, -1)
    if not any(symbol in benchmarks for symbol in symbols):
        return days[present > 0]
    return days[index | (present > np.cumsum(listed)[:-1] / 2)]
