"""The index of each event: the first of its choices that has the sessions it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ..calendars.exchanges import BY_CODE
from ..calendars.window import Window
from ..errors import ConfigError
from ..utility.flags import Flag
from ..utility.typing import BenchmarkPolicy
from .coverage import Coverage, Need
from .panel import ReturnsPanel

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ..events.table import Events

# Column with untreated firms for each event.
PEERS = "peers"
FALLBACK = Flag.BENCHMARK_FALLBACK
# What the events file names, in the table of a run where another index replaces one of these.
NAMED = "benchmark_named"


class IndexChoice(NamedTuple):
    """The index that is asked for, what may stand in for it, and the windows it has to cover."""

    benchmark: str
    policy: BenchmarkPolicy
    estimation: Window
    event: Window


def members(cell: str, without: Collection[str] = ()) -> list[str]:
    """Return the tickers of a cell ``A;B;C``, less those in `without`.

    Parameters
    ----------
    cell : str
    without : collection of str
        Tickers that are left out.
    """
    return [t.strip() for t in cell.split(";") if t.strip() and t.strip() not in without]


def named_benchmarks(events: Events, benchmark: str = "") -> list[str]:
    """Return the benchmark named for each event, by `benchmark` or its column; "" where none is.

    ``peers`` is the column of that name. The text ``A;B;C`` is an equal-weight portfolio.

    Parameters
    ----------
    events : Events
    benchmark : str
        One benchmark for all events; "" = the column ``benchmark``.

    Raises
    ------
    ConfigError
        If `benchmark` is ``peers`` and the events have no such column.
    """
    table = events.table
    if benchmark == PEERS and PEERS not in table:
        raise ConfigError("the events have no column peers", where="benchmark", value=benchmark)
    if benchmark and benchmark != PEERS:
        return [benchmark] * len(table)
    return [str(cell) for cell in table[benchmark or "benchmark"].tolist()]


def chains_of(
    events: Events, benchmark: str = "", policy: BenchmarkPolicy = "fallback"
) -> list[tuple[str, ...]]:
    """Return the indices that each event may use, best first.

    The chain of its exchange follows the index that the events file names, unless `policy` is
    ``strict``. Nothing follows `benchmark` or a portfolio. Firms of the list of events are left out
    of portfolios: their own reaction is no benchmark.

    Parameters
    ----------
    events : Events
    benchmark : str
        One benchmark for all events; "" = the column ``benchmark``.
    policy : {"fallback", "strict"}
        Whether the indices of the exchange may replace the one that the events file names.
    """
    firms = set(events.table["ticker"].tolist())
    peers = benchmark == PEERS

    @cache
    def chain(named: str, code: str) -> tuple[str, ...]:
        """Return the indices for one event.

        Parameters
        ----------
        named : str
            Index or portfolio of the events file; "" for none.
        code : str
            Of the exchange.

        Returns
        -------
        tuple of str
            Best first.
        """
        if ";" in named or (peers and named):
            return (";".join(members(named, firms)),)
        usual = BY_CODE[code].chain if code in BY_CODE else ()
        if named and not benchmark and policy == "fallback":
            return tuple(dict.fromkeys((named, *usual)))
        return (named,) if named or peers else usual or ("",)

    return list(map(chain, named_benchmarks(events, benchmark), events.table["exchange"].tolist()))


def benchmarks_of(events: Events, benchmark: str = "") -> list[str]:
    """Return each event's benchmark: `benchmark`, else its column, else its exchange's index.

    Parameters
    ----------
    events : Events
    benchmark : str
        One benchmark for all events; "" = the column ``benchmark``.
    """
    return [chain[0] for chain in chains_of(events, benchmark)]


def left_out(events: Events, benchmark: str = "") -> list[str]:
    """Return a note on firms of the list of events that portfolios leave out.

    Parameters
    ----------
    events : Events
    benchmark : str
        One benchmark for all events; "" = the column ``benchmark``.
    """
    firms = set(events.table["ticker"].tolist())
    named, peers = named_benchmarks(events, benchmark), benchmark == PEERS
    tickers = [ticker for cell in named if ";" in cell or peers for ticker in members(cell)]
    excluded = dict.fromkeys(ticker for ticker in tickers if ticker in firms)
    reason = "benchmark: left out of the portfolios because they are firms of the list of events"
    return [f"{reason}: {', '.join(excluded)}"] if excluded else []


def _needs(
    events: Events, panel: ReturnsPanel, chains: Sequence[tuple[str, ...]], choice: IndexChoice
) -> dict[int, Need]:
    """Return the windows of the events that have a firm and a choice, by position.

    Events of one day and calendar share their windows.
    """
    out = dict[int, Need]()
    needs: dict[tuple[str, np.datetime64], Need] = {}
    several = [i for i, chain in enumerate(chains) if len(chain) > 1]
    table, windows = events.table.iloc[several], (choice.estimation, choice.event)
    days = table["day0"].to_numpy().astype("datetime64[D]")
    rows = zip(several, table["ticker"].tolist(), table["exchange"].tolist(), days, strict=True)
    for i, ticker, code, day0 in rows:
        calendar = panel.calendar_of(code)
        if panel.row(ticker, calendar) >= 0:
            if (calendar, day0) not in needs:
                needs[calendar, day0] = Need.around(panel, calendar, day0, windows)
            need = needs[calendar, day0]
            if len(need.estimation) and len(need.event):
                out[i] = need
    return out


def _answered(chains: Sequence[tuple[str, ...]], panel: ReturnsPanel) -> list[tuple[str, ...]]:
    """Return the chains up to the first index that the source did not answer for."""

    @cache
    def before(chain: tuple[str, ...]) -> tuple[str, ...]:
        at = next((k for k, symbol in enumerate(chain) if symbol in panel.unanswered), len(chain))
        return chain[:at] or chain[:1]

    return list(map(before, chains))


def wanted_next(
    events: Events, panel: ReturnsPanel, tried: Collection[tuple[str, int]], choice: IndexChoice
) -> list[tuple[str, int]]:
    """Return (index, event) to fetch next, for events that the indices fetched do not cover.

    Parameters
    ----------
    events : Events
    panel : ReturnsPanel
    tried : collection of (symbol, event)
        What was fetched before.
    choice : IndexChoice
    """
    chains, cover = _answered(chains_of(events, *choice[:2]), panel), Coverage(panel)
    covered = cache(lambda need, chain: any(cover.covers(symbol, need) for symbol in chain))
    out = []
    for i, need in _needs(events, panel, chains, choice).items():
        further = [symbol for symbol in chains[i] if (symbol, i) not in tried]
        if further and not covered(need, chains[i]):
            out.append((further[0], i))
    return out


def settled(
    events: Events, panel: ReturnsPanel, choice: IndexChoice
) -> tuple[pd.DataFrame, ReturnsPanel]:
    """Return the events with the benchmark of each, and the panel with a notice on stand-ins.

    The first index of an event's chain that has at least 95 % of the sessions of the estimation
    window and all of the event window is used, and flagged ``benchmark_fallback`` if it is not the
    first of all. Where one that the events file names is replaced, the column ``benchmark_named``
    has what it names.

    Parameters
    ----------
    events : Events
    panel : ReturnsPanel
    choice : IndexChoice
    """
    table, cover = events.table, Coverage(panel)
    chains = _answered(chains_of(events, *choice[:2]), panel)
    chosen, flags = [chain[0] for chain in chains], list(map(_other_flags, table["flags"].tolist()))
    instead: dict[tuple[str, str], list[tuple[str, Need]]] = {}
    for i, need in _needs(events, panel, chains, choice).items():
        first, chosen[i] = chains[i][0], cover.best(chains[i], need)
        if chosen[i] != first:
            flags[i] = ";".join(filter(None, (flags[i], FALLBACK)))
            instead.setdefault((first, cover.kind(first, need)), []).append((chosen[i], need))
    line = [_said(cover, instead, len(table))] if instead else []
    notes = (*left_out(events, choice.benchmark), *panel.notes)
    named = _named(table, {first for first, _ in instead})
    panel = replace(panel, notices=(*panel.notices, *line), notes=notes)
    return table.assign(**named, benchmark=chosen, flags=flags), panel


def _named(table: pd.DataFrame, replaced: Collection[str]) -> dict[str, pd.Series[str]]:
    """Return the indices that the events file names, as a column, where one is replaced."""
    file = table["benchmark"]
    return {NAMED: file} if NAMED in table or file.isin(replaced).any() else {}


@lru_cache(1024)
def _other_flags(text: str) -> str:
    return ";".join(word for word in text.split(";") if word and word != FALLBACK)


def _said(
    cover: Coverage, instead: Mapping[tuple[str, str], Sequence[tuple[str, Need]]], total: int
) -> str:
    """Say in one line how many events use which index in place of which, and why."""
    clauses = []
    for (first, kind), events in instead.items():
        counts = Counter(symbol for symbol, _ in events).most_common()
        uses = [f"{n:,} use{'s' * (n == 1)} {symbol}" for symbol, n in counts]
        reason = cover.why(first, kind, [need for _, need in events])
        clauses.append(f"{' and '.join(uses)} because {first} {reason}")
    count, space, tail = "; ".join(clauses).partition(" ")
    return f"Benchmark: {count} of {total:,} event{'s' * (total != 1)}{space}{tail}"


def other_indices(symbol: str, exchange: str, panel: ReturnsPanel) -> str:
    """Return the other indices of an exchange as the end of a reason, "" where there are none.

    Yahoo has all of them; of another source only those that it gave are known to be there.

    Parameters
    ----------
    symbol : str
        The index that is not named.
    exchange : str
        Market identifier code.
    panel : ReturnsPanel
    """
    chain = BY_CODE[exchange].chain if exchange in BY_CODE else ()
    yahoo = any(entry.get("source") == "yahoo" for entry in panel.provenance.values())
    calendar = panel.calendar_of(exchange)
    untried = [index for index in chain if index != symbol and index not in panel.failures]
    available = [index for index in untried if yahoo or panel.row(index, calendar) >= 0]
    return f"; other indices of the exchange: {', '.join(available)}" if available else ""
