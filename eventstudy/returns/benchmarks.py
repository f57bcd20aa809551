"""The index of each event: the first that has its sessions of the one named and those of its
exchange."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from ..calendars.exchanges import BY_CODE
from ..calendars.window import Window
from ..errors import ConfigError
from ..utility.typing import BenchmarkPolicy
from . import ReturnsPanel
from .coverage import Coverage, Need

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ..events.table import Events

# Column with untreated firms for each event.
PEERS = "peers"
FALLBACK = "benchmark_fallback"
# What the events file names, in the table of a run where another index replaces one of these.
NAMED = "benchmark_named"


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
    return [
        benchmark if benchmark and benchmark != PEERS else str(cell)
        for cell in table[column].tolist()
    ]


def chains_of(
    events: Events, benchmark: str = "", policy: BenchmarkPolicy = "fallback"
) -> list[tuple[str, ...]]:
    """Return the indices that each event may use, best first.

    The chain of its exchange follows the index that the events file names, unless `policy` is
    ``strict``. Nothing follows `benchmark` or a portfolio. Firms of the list of events are left out
    of portfolios: their own reaction is no benchmark.
    """
    firms = set(events.table["ticker"].tolist())
    peers = benchmark == PEERS

    @cache
    def chain(named: str, code: str) -> tuple[str, ...]:
        if ";" in named or (peers and named):
            return (";".join(members(named, firms)),)
        usual = BY_CODE[code].chain if code in BY_CODE else ()
        if named and not benchmark and policy == "fallback":
            return tuple(dict.fromkeys((named, *usual)))
        return (named,) if named or peers else usual or ("",)

    return list(map(chain, named_benchmarks(events, benchmark), events.table["exchange"].tolist()))


def benchmarks_of(events: Events, benchmark: str = "") -> list[str]:
    """Return each event's benchmark: the one given, else its column, else its exchange's index."""
    return [chain[0] for chain in chains_of(events, benchmark)]


def left_out(events: Events, benchmark: str = "") -> list[str]:
    """Return a note on firms of the list of events that portfolios leave out."""
    firms = set(events.table["ticker"].tolist())
    cells = [
        cell for cell in named_benchmarks(events, benchmark) if ";" in cell or benchmark == PEERS
    ]
    lost = dict.fromkeys(ticker for cell in cells for ticker in members(cell) if ticker in firms)
    what = "benchmark: left out of the portfolios because they are firms of the list of events"
    return [f"{what}: {', '.join(lost)}"] if lost else []


def _needs(
    events: Events,
    panel: ReturnsPanel,
    chains: Sequence[tuple[str, ...]],
    estimation: Window,
    event: Window,
) -> dict[int, Need]:
    """Return the windows of the events that have a firm and a choice, by position.

    Events of one day and calendar share their windows.
    """
    out = dict[int, Need]()
    known: dict[tuple[str, np.datetime64], Need] = {}
    choice = [i for i, chain in enumerate(chains) if len(chain) > 1]
    chosen = events.table.iloc[choice]
    days = chosen["day0"].to_numpy().astype("datetime64[D]")
    rows = zip(choice, chosen["ticker"].tolist(), chosen["exchange"].tolist(), days, strict=True)
    for i, ticker, code, day0 in rows:
        calendar = panel.calendar_of(code)
        if panel.row(ticker, calendar) >= 0:
            if (calendar, day0) not in known:
                known[calendar, day0] = Need.around(panel, calendar, day0, estimation, event)
            need = known[calendar, day0]
            if len(need.estimation) and len(need.event):
                out[i] = need
    return out


def _answered(chains: Sequence[tuple[str, ...]], panel: ReturnsPanel) -> list[tuple[str, ...]]:
    """Return the chains up to the first index that the source did not answer for: no network
    decides."""

    @cache
    def before(chain: tuple[str, ...]) -> tuple[str, ...]:
        at = next((k for k, symbol in enumerate(chain) if symbol in panel.unanswered), len(chain))
        return chain[:at] or chain[:1]

    return list(map(before, chains))


def wanted_next(
    events: Events,
    panel: ReturnsPanel,
    tried: Collection[tuple[str, int]],
    *,
    benchmark: str,
    policy: BenchmarkPolicy,
    estimation: Window,
    event: Window,
) -> list[tuple[str, int]]:
    """Return (index, event) to ask for next, where those that were tried do not cover an event."""
    chains, cover = _answered(chains_of(events, benchmark, policy), panel), Coverage(panel)
    covered = cache(lambda need, chain: any(cover.covers(symbol, need) for symbol in chain))
    out = []
    for i, need in _needs(events, panel, chains, estimation, event).items():
        further = [symbol for symbol in chains[i] if (symbol, i) not in tried]
        if further and not covered(need, chains[i]):
            out.append((further[0], i))
    return out


def settled(
    events: Events,
    panel: ReturnsPanel,
    *,
    benchmark: str,
    policy: BenchmarkPolicy,
    estimation: Window,
    event: Window,
) -> tuple[pd.DataFrame, ReturnsPanel]:
    """Return the table of the events with the benchmark of each, and the panel with a notice on
    stand-ins.

    The first index of an event's chain that has at least 95 % of the sessions of the estimation
    window and all of the event window is used, and flagged ``benchmark_fallback`` if it is not the
    first of all. Where one that the events file names is replaced, the column ``benchmark_named``
    has what it names.
    """
    table, cover = events.table, Coverage(panel)
    chains = _answered(chains_of(events, benchmark, policy), panel)
    chosen, flags = [chain[0] for chain in chains], list(map(_other_flags, table["flags"].tolist()))
    instead: dict[tuple[str, str], list[tuple[str, Need]]] = {}
    for i, need in _needs(events, panel, chains, estimation, event).items():
        first, chosen[i] = chains[i][0], cover.best(chains[i], need)
        if chosen[i] != first:
            flags[i] = ";".join(filter(None, (flags[i], FALLBACK)))
            instead.setdefault((first, cover.kind(first, need)), []).append((chosen[i], need))
    line = [_said(cover, instead, len(table))] if instead else []
    notes = (*left_out(events, benchmark), *panel.notes)
    named = _named(table, {first for first, _ in instead})
    return (
        table.assign(**named, benchmark=chosen, flags=flags),
        replace(panel, notices=(*panel.notices, *line), notes=notes),
    )


def _named(table: pd.DataFrame, replaced: Collection[str]) -> dict[str, pd.Series[str]]:
    """Return the column with the indices that the events file names, where one of them is
    replaced."""
    file = table["benchmark"]
    return {NAMED: file} if NAMED in table or file.isin(replaced).any() else {}


@lru_cache(1024)
def _other_flags(text: str) -> str:
    return ";".join(word for word in text.split(";") if word and word != FALLBACK)


def _said(
    cover: Coverage, instead: Mapping[tuple[str, str], Sequence[tuple[str, Need]]], total: int
) -> str:
    """Say in one line how many events use which index in place of which, and why."""
    parts = []
    for (first, kind), events in instead.items():
        counts = Counter(used for used, _ in events).most_common()
        who = [f"{n:,} use{'s' * (n == 1)} {used}" for used, n in counts]
        parts.append(
            f"{' and '.join(who)} because {first} {cover.why(first, kind, [n for _, n in events])}"
        )
    n, space, rest = "; ".join(parts).partition(" ")
    return f"Benchmark: {n} of {total:,} event{'s' * (total != 1)}{space}{rest}"


def others(symbol: str, exchange: str, panel: ReturnsPanel) -> str:
    """Return the other indices of an exchange as the end of a reason, "" where there are none.

    Yahoo has all of them; of another source only those that it gave are known to be there.
    """
    chain = BY_CODE[exchange].chain if exchange in BY_CODE else ()
    yahoo = any(entry.get("source") == "yahoo" for entry in panel.provenance.values())
    calendar = panel.calendar_of(exchange)
    untried = [other for other in chain if other != symbol and other not in panel.failures]
    rest = [other for other in untried if yahoo or panel.row(other, calendar) >= 0]
    return f"; other indices of the exchange: {', '.join(rest)}" if rest else ""
