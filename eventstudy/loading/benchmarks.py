"""The index of each event: the one that is named, else its exchange's, else what stands in for that."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError
from ..exchanges import EXCHANGES
from ..returns import ReturnsPanel
from ..typing import DateArray, IntArray
from ..windows import Window

if TYPE_CHECKING:
    import pandas as pd

    from ..events.table import Events

# Column with untreated firms for each event.
PEERS = "peers"
FALLBACK = "benchmark_fallback"
# Share of the estimation window that an index must have; of the event window it must have every session.
LEAST_COVERED = 0.95


def members(cell: str, without: Collection[str] = ()) -> list[str]:
    """Return the tickers of a cell ``A;B;C``, less those in `without`."""
    return [t.strip() for t in cell.split(";") if t.strip() and t.strip() not in without]


def named_benchmarks(events: Events, benchmark: str = "") -> list[str]:
    """Return the benchmark that is named for each event, by `benchmark` or its column; "" for none.

    ``peers`` is the column of that name. The text ``A;B;C`` is an equal-weight portfolio.
    """
    table = events.table
    if benchmark == PEERS and PEERS not in table:
        raise ConfigError("the events have no column peers", where="benchmark", value=benchmark)
    column = PEERS if benchmark == PEERS else "benchmark"
    return [benchmark if benchmark and benchmark != PEERS else str(cell) for cell in table[column].tolist()]


def chains_of(events: Events, benchmark: str = "") -> list[tuple[str, ...]]:
    """Return the indices that each event may use, best first: the one that is named, or its exchange's chain.

    Firms of the list of events are left out of portfolios: their own reaction is no benchmark.
    """
    by_code = {e.code: e.chain for e in EXCHANGES.values()}
    firms = set(events.table["ticker"].tolist())
    peers = benchmark == PEERS

    @cache
    def chain(named: str, code: str) -> tuple[str, ...]:
        if ";" in named or (peers and named):
            return (";".join(members(named, firms)),)
        return (named,) if named or peers else by_code.get(code) or ("",)

    return list(map(chain, named_benchmarks(events, benchmark), events.table["exchange"].tolist()))


def benchmarks_of(events: Events, benchmark: str = "") -> list[str]:
    """Return each event's benchmark: the one given, else its column, else its exchange's index."""
    return [chain[0] for chain in chains_of(events, benchmark)]


def left_out(events: Events, benchmark: str = "") -> list[str]:
    """Return a note on firms of the list of events that portfolios leave out."""
    firms = set(events.table["ticker"].tolist())
    cells = [cell for cell in named_benchmarks(events, benchmark) if ";" in cell or benchmark == PEERS]
    lost = dict.fromkeys(ticker for cell in cells for ticker in members(cell) if ticker in firms)
    what = "benchmark: left out of the portfolios because they are firms of the list of events"
    return [f"{what}: {', '.join(lost)}"] if lost else []


@dataclass(frozen=True, eq=False)
class _Need:
    """The sessions of one event's windows, as columns of the panel."""

    calendar: str
    estimation: IntArray
    event: IntArray

    def lacks(self, panel: ReturnsPanel, symbol: str) -> tuple[int, int]:
        """Return how many sessions of the two windows a symbol has no return on."""
        row = panel.row(symbol, self.calendar)
        if row < 0:
            return len(self.estimation), len(self.event)
        seen = panel.spans[row] > 0
        return int((~seen[self.estimation]).sum()), int((~seen[self.event]).sum())

    def covered(self, panel: ReturnsPanel, symbol: str) -> bool:
        estimation, event = self.lacks(panel, symbol)
        return event == 0 and estimation <= (1 - LEAST_COVERED) * len(self.estimation)

    def best(self, panel: ReturnsPanel, chain: Sequence[str]) -> str:
        """Return the first index that covers the windows, or else the one that lacks the fewest sessions."""
        whole = next((symbol for symbol in chain if self.covered(panel, symbol)), "")
        return whole or min(chain, key=lambda symbol: sum(self.lacks(panel, symbol)))


def _needs(
    events: Events, panel: ReturnsPanel, benchmark: str, estimation: Window, event: Window
) -> dict[int, tuple[_Need, tuple[str, ...]]]:
    """Return windows and chain of the events that have a firm and a choice, by position.

    Events of one day and calendar share their windows.
    """
    out = {}
    chains, known = chains_of(events, benchmark), dict[tuple[str, np.datetime64], _Need]()
    choice = [i for i, chain in enumerate(chains) if len(chain) > 1]
    chosen = events.table.iloc[choice]
    days = chosen["day0"].to_numpy().astype("datetime64[D]")
    rows = zip(choice, chosen["ticker"].tolist(), chosen["exchange"].tolist(), days, strict=True)
    for i, ticker, code, day0 in rows:
        calendar = panel.calendar_of(code)
        if panel.row(ticker, calendar) >= 0:
            if (calendar, day0) not in known:
                day = panel.session_of(calendar, day0)
                pair = (_columns(panel, calendar, day, window) for window in (estimation, event))
                known[calendar, day0] = _Need(calendar, *pair)
            need = known[calendar, day0]
            if len(need.estimation) and len(need.event):
                out[i] = need, chains[i]
    return out


def _columns(panel: ReturnsPanel, calendar: str, day0: np.datetime64, window: Window) -> IntArray:
    own = panel.calendars[calendar]
    dates: DateArray = panel.sessions[own]
    at = np.searchsorted(dates, day0) + window.days
    columns: IntArray = own[at[(at >= 0) & (at < len(own))]]
    return columns


def wanted_next(
    events: Events,
    panel: ReturnsPanel,
    tried: Collection[tuple[str, int]],
    *,
    unreachable: Collection[str] = (),
    benchmark: str,
    estimation: Window,
    event: Window,
) -> list[tuple[str, int]]:
    """Return (index, event) to ask for next, where those that were tried do not cover an event.

    An event one of whose indices is `unreachable` waits for it: the network must not decide on the index.
    """

    @cache
    def covered(need: _Need, chain: Sequence[str]) -> bool:
        return any(need.covered(panel, symbol) for symbol in chain)

    out = []
    for i, (need, chain) in _needs(events, panel, benchmark, estimation, event).items():
        further = [symbol for symbol in chain if (symbol, i) not in tried]
        if further and not covered(need, chain) and set(chain).isdisjoint(unreachable):
            out.append((further[0], i))
    return out


def settled(
    events: Events, panel: ReturnsPanel, *, benchmark: str, estimation: Window, event: Window
) -> tuple[pd.DataFrame, ReturnsPanel]:
    """Return the table of the events with the benchmark of each, and the panel with notices on stand-ins.

    The first index of the exchange's chain that has at least 95 % of the sessions of the estimation window
    and all of the event window is used, and flagged ``benchmark_fallback`` if it is not the first of all. One
    that is named is never replaced.
    """
    table, chosen = events.table, benchmarks_of(events, benchmark)
    flags = list(map(_other_flags, table["flags"].tolist()))
    instead: dict[tuple[str, str], list[_Need]] = {}
    best = cache(lambda need, chain: need.best(panel, chain))
    for i, (need, chain) in _needs(events, panel, benchmark, estimation, event).items():
        chosen[i] = best(need, chain)
        if chosen[i] != chain[0]:
            flags[i] = ";".join(filter(None, (flags[i], FALLBACK)))
            instead.setdefault((chain[0], chosen[i]), []).append(need)
    said = [_said(panel, first, used, needs) for (first, used), needs in instead.items()]
    notes = (*left_out(events, benchmark), *panel.notes)
    return (
        table.assign(benchmark=chosen, flags=flags),
        replace(panel, notices=(*panel.notices, *said), notes=notes),
    )


@lru_cache(1024)
def _other_flags(text: str) -> str:
    return ";".join(word for word in text.split(";") if word and word != FALLBACK)


def _said(panel: ReturnsPanel, first: str, used: str, needs: list[_Need]) -> str:
    """Say which index stands in for which, why, and for how many events."""
    lacking, total = 0, 0
    for calendar in dict.fromkeys(need.calendar for need in needs):
        own = [need for need in dict.fromkeys(needs) if need.calendar == calendar]
        days = np.unique(np.concatenate([part for need in own for part in (need.estimation, need.event)]))
        total += len(days)
        lacking += _Need(calendar, days, days[:0]).lacks(panel, first)[0]
    events = "1 event uses" if len(needs) == 1 else f"{len(needs)} events use"
    return f"{first} lacks {lacking} of {total} sessions: {events} {used}"


def others(symbol: str, exchange: str, panel: ReturnsPanel) -> str:
    """Return the other indices of an exchange as the end of a reason, "" where there are none.

    Yahoo has all of them; of another source only those that it gave are known to be there.
    """
    chain = next((e.chain for e in EXCHANGES.values() if e.code == exchange), ())
    yahoo = any(entry.get("source") == "yahoo" for entry in panel.provenance.values())
    calendar = panel.calendar_of(exchange)
    rest = [other for other in chain if other != symbol and (yahoo or panel.row(other, calendar) >= 0)]
    return f"; other indices of the exchange: {', '.join(rest)}" if rest else ""
