"""The index of each event: the first of its choices that has the sessions it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property, lru_cache, partial
from itertools import takewhile
from typing import ClassVar, Literal

import numpy as np

from ..calendars import Exchange, Sessions, Symbol, Window
from ..errors import ConfigError
from ..events import Events
from ..utility import BoolArray, DateArray, Flag, IntArray, pd
from ..words import say
from .panel import ReturnsPanel

BenchmarkPolicy = Literal["fallback", "strict"]

FALLBACK = Flag.BENCHMARK_FALLBACK
# Share of the estimation window that an index must have; it must have all of the event window.
LEAST_COVERED = 0.95
# Where no index has as much, estimation days that one must have which has all of the event window;
# half of a shorter estimation window.
LEAST_DAYS = 100
# The last sessions of the data, which an index may be late with before another one takes its place.
LATE = 5


@dataclass(frozen=True, eq=False)
class Benchmarks:
    """The indices of a list of events: what is asked for, and what may stand in for it.

    Attributes
    ----------
    events : Events
    benchmark : str
        One benchmark for all events; "" = the column ``benchmark``, ``peers`` the column of that
        name. The text ``A;B;C`` is an equal-weight portfolio.
    policy : {"fallback", "strict"}
        Whether the indices of the exchange may replace the one that the events file names.
    """

    events: Events
    benchmark: str = ""
    policy: BenchmarkPolicy = "fallback"

    # Column with untreated firms for each event, and that of what the events file names, in the
    # table of a run where another index replaces one of these.
    PEERS: ClassVar[str] = "peers"
    NAMED: ClassVar[str] = "benchmark_named"

    @staticmethod
    def members(cell: str, without: Collection[str] = ()) -> list[str]:
        """Return the tickers of a cell ``A;B;C``, less those in `without`.

        Parameters
        ----------
        cell : str
        without : collection of str
            Tickers that are left out.
        """
        return [t.strip() for t in cell.split(";") if t.strip() and t.strip() not in without]

    @cached_property
    def named(self) -> list[str]:
        """The benchmark named for each event; "" where none is.

        Raises
        ------
        ConfigError
            If `benchmark` is ``peers`` and the events have no such column.
        """
        table = self.events.table
        if self._are_peers and self.PEERS not in table:
            problem = "the events have no column peers"
            raise ConfigError(problem, where="benchmark", value=self.benchmark)
        if self.benchmark and not self._are_peers:
            return [self.benchmark] * len(table)
        return list(map(str, table[self.benchmark or "benchmark"].tolist()))

    @cached_property
    def chains(self) -> list[tuple[str, ...]]:
        """The indices that each event may use, best first.

        The chain of its exchange follows the index that the events file names, unless `policy` is
        ``strict``. Nothing follows `benchmark` or a portfolio, and what is no share has no chain.
        Firms of the list of events are left out of portfolios: their own reaction is no benchmark.
        """
        firms, peers = self._firms, self._are_peers

        @cache
        def chain(named: str, code: str, kind: str) -> tuple[str, ...]:
            """Return the indices for one event, best first.

            Parameters
            ----------
            named : str
                Index or portfolio of the events file; "" for none.
            code : str
                Of the exchange.
            kind : str
                Of what is traded.
            """
            if ";" in named or (peers and named):
                return (";".join(self.members(named, firms)),)
            exchange = Exchange.of_code(code)
            usual = exchange.chain if exchange and kind == "share" else ()
            if named and not self.benchmark and self.policy == "fallback":
                return tuple(dict.fromkeys((named, *usual)))
            return (named,) if named or peers else usual or ("",)

        codes = self.events.table["exchange"].tolist()
        kinds = (Symbol(ticker).kind for ticker in self.events.table["ticker"].tolist())
        return list(map(chain, self.named, codes, kinds))

    @property
    def first(self) -> list[str]:
        """Each event's benchmark: `benchmark`, else its column, else its exchange's index."""
        return [chain[0] for chain in self.chains]

    @property
    def indices(self) -> set[str]:
        """The benchmarks whose days are sessions: no fund on an exchange of another country."""
        symbols = {symbol for chain in self.chains for symbol in chain}
        return {*self.first, *(s for s in symbols if Symbol(s).suffix or s.startswith("^"))}

    def find_next(
        self, panel: ReturnsPanel, tried: Collection[tuple[str, int]], windows: Sequence[Window]
    ) -> list[tuple[str, int]]:
        """Return (index, event) to fetch next, for events that the indices fetched do not cover.

        Parameters
        ----------
        panel : ReturnsPanel
        tried : collection of (symbol, event)
            What was fetched before.
        windows : (estimation, event)
        """
        chains = self._answered(panel)
        cover = Coverage(panel)
        covered = cache(lambda need, chain: any(cover.covers(symbol, need) for symbol in chain))
        out = []
        for i, need in self._needs(panel, chains, windows).items():
            further = [symbol for symbol in chains[i] if (symbol, i) not in tried]
            if further and not covered(need, chains[i]):
                out.append((further[0], i))
        return out

    def settle(
        self, panel: ReturnsPanel, windows: Sequence[Window]
    ) -> tuple[pd.DataFrame, ReturnsPanel]:
        """Return the events with the benchmark of each, and the panel with a notice on stand-ins.

        The first index of an event's chain that has at least 95 % of the sessions of the estimation
        window and all of the event window is used; without one, that with most estimation days
        among those with all of the event window. It is flagged ``benchmark_fallback`` if it is not
        the first of all. Where one that the events file names is replaced, the column
        ``benchmark_named`` has what it names.

        Parameters
        ----------
        panel : ReturnsPanel
        windows : (estimation, event)
        """
        table, cover = self.events.table, Coverage(panel)
        chains = self._answered(panel)
        chosen = [chain[0] for chain in chains]
        flags = list(map(_other_flags, table["flags"].tolist()))
        instead: dict[tuple[str, str], list[tuple[str, Need]]] = {}
        for i, need in self._needs(panel, chains, windows).items():
            first = chains[i][0]
            chosen[i] = cover.best(chains[i], need)
            if chosen[i] != first:
                flags[i] = ";".join(filter(None, (flags[i], FALLBACK)))
                instead.setdefault((first, cover.kind(first, need)), []).append((chosen[i], need))
        line = [_say_replaced(cover, instead, len(table))] if instead else []
        notes = (*self._note_left_out(), *panel.notes)
        panel = replace(panel, notices=(*panel.notices, *line), notes=notes)
        file = table["benchmark"]
        is_replaced = self.NAMED in table or file.isin({first for first, _ in instead}).any()
        named = {self.NAMED: file} if is_replaced else {}
        return table.assign(**named, benchmark=chosen, flags=flags), panel

    def _needs(
        self, panel: ReturnsPanel, chains: Sequence[tuple[str, ...]], windows: Sequence[Window]
    ) -> dict[int, Need]:
        """Return the windows of the events that have a firm and a choice, by position.

        Events of one day and calendar share their windows.
        """
        out = dict[int, Need]()
        several = [i for i, chain in enumerate(chains) if len(chain) > 1]
        table = self.events.table.iloc[several]
        days = table["day0"].to_numpy().astype("datetime64[D]")
        need_of = cache(partial(Need.around, panel, windows=windows))
        rows = zip(several, table["ticker"].tolist(), table["exchange"].tolist(), days, strict=True)
        for i, ticker, code, day0 in rows:
            calendar = panel.calendar_of(code)
            if panel.row(ticker, calendar) >= 0:
                need = need_of(calendar, day0)
                if len(need.estimation) and len(need.event):
                    out[i] = need
        return out

    def _answered(self, panel: ReturnsPanel) -> list[tuple[str, ...]]:
        """Return the chains up to the first index that the source did not answer for."""
        if not panel.unanswered:
            return self.chains
        out = []
        for chain in self.chains:
            answered = tuple(takewhile(lambda symbol: symbol not in panel.unanswered, chain))
            out.append(answered or chain[:1])
        return out

    @property
    def _are_peers(self) -> bool:
        return self.benchmark == self.PEERS

    @cached_property
    def _firms(self) -> set[str]:
        return set(self.events.table["ticker"].tolist())

    def _note_left_out(self) -> list[str]:
        """Return a note on firms of the list of events that portfolios leave out."""
        portfolios = (cell for cell in self.named if ";" in cell or self._are_peers)
        tickers = [ticker for cell in portfolios for ticker in self.members(cell)]
        excluded = dict.fromkeys(ticker for ticker in tickers if ticker in self._firms)
        return [say("benchmark.left_out", symbols=excluded)] if excluded else []


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
        first = panel.sessions_of([calendar], np.array([day0]))[0]
        zero = np.searchsorted(panel.sessions[columns], first)
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
        before = int((gaps < present[0]).sum())
        after = int((gaps > present[-1]).sum())
        within = len(gaps) - before - after
        if within >= max(before, after):
            return "within"
        return "before" if before >= after else "after"

    def explain(self, symbol: str, calendar: str, estimation: IntArray, event: IntArray) -> str:
        """Return what an index lacks of the windows of one event, in words.

        Parameters
        ----------
        symbol, calendar : str
        estimation, event : int arrays
            The sessions of the windows, as columns of the panel.
        """
        need = Need(calendar, estimation, event)
        return self.why(symbol, self.kind(symbol, need), [need])

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
            code = "coverage.within" if missing else "coverage.somewhere"
            return say(code, n=missing, total=total)
        if kind == "":
            is_return = self.panel.measure == "return" and symbol in self.panel.provenance
            code = "coverage.no_rate" if is_return else "coverage.none"
            return say(code, values=self._values)
        day = self._ends(symbol, needs[0].calendar)[kind == "after"]
        return say("coverage.beyond", values=self._values, side=kind, date=f"{day.day} {day:%B %Y}")

    def _best(self, chain: Sequence[str], need: Need) -> str:
        """Return the first index that covers the windows, else the one that comes nearest.

        That is the one with most estimation days among those with all of the event window; without
        such an index the one with the fewest gaps.
        """
        covering = next((symbol for symbol in chain if self.covers(symbol, need)), "")
        if covering:
            return covering
        gaps = {symbol: self._lacks(symbol, need) for symbol in chain}
        length = len(need.estimation)
        allowed = length - min(LEAST_DAYS, length // 2)
        complete = [s for s, (before, event) in gaps.items() if event == 0 and before <= allowed]
        return min(complete or chain, key=lambda symbol: sum(gaps[symbol]))

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
        if self._values == "prices":
            first -= panel.spans[panel.row(symbol, calendar), present[0]]
        days = panel.sessions[[columns[first], present[-1]]].astype(date)
        return days[0], days[1]

    @property
    def _values(self) -> str:
        """What the rows of the panel are made of."""
        if self.panel.measure != "return":
            return self.panel.measure
        return "returns" if self.panel.prices is None else "prices"


def _shut(symbol: str, calendar: str, days: DateArray) -> BoolArray:
    """Return on which days the market of an index of another country was shut."""
    home = Symbol(symbol).home
    local = Exchange.of_code(calendar)
    if not (home and local and home.calendar) or home.calendar == local.calendar:
        return np.zeros(len(days), dtype=bool)
    return ~np.isin(days, Sessions.of(home.calendar).dates)


@lru_cache(1024)
def _other_flags(text: str) -> str:
    return ";".join(flag for flag in Flag.of(text) if flag != FALLBACK)


def _say_replaced(
    cover: Coverage, instead: Mapping[tuple[str, str], Sequence[tuple[str, Need]]], total: int
) -> str:
    """Say in one line how many events use which index in place of which, and why."""
    clauses, code = [], "benchmark.first_use"
    for (first, kind), events in instead.items():
        uses = []
        for symbol, n in Counter(symbol for symbol, _ in events).most_common():
            uses.append(say(code, n=n, symbol=symbol, total=total))
            code = "benchmark.use"
        lack = cover.why(first, kind, [need for _, need in events])
        clauses.append(say("benchmark.because", uses=" and ".join(uses), symbol=first, lack=lack))
    return say("benchmark.replaced", clauses="; ".join(clauses))
