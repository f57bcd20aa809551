"""The series that a model needs, the symbols of these for each event, and the days to ask for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import ClassVar, NamedTuple, Protocol

from ..calendars import Exchange, Sessions, Window
from ..errors import ConfigError
from ..events import Events
from ..utility import np
from ..words import make_error
from .benchmarks import Benchmarks
from .sessions import DATA_CALENDAR, Key


@dataclass(frozen=True, slots=True)
class Factor:
    """A series that a model needs beside the firm's own.

    Attributes
    ----------
    name : str
        ``market`` is the benchmark of the event. Any other name is looked for in the columns of the
        events (a ticker for each event), in the setting `series` (a ticker for all) and in the
        factor files.
    lag : int
        Sessions by which it is moved: -1 is the session before.
    several : bool
        Whether the column holds several tickers, each a series of its own.
    """

    name: str
    lag: int = 0
    several: bool = False

    # The benchmark of the event; what begins the symbol of a series from a factor file.
    MARKET: ClassVar[Factor]
    PREFIX: ClassVar[str] = "factor:"


Factor.MARKET = Factor("market")


class NeedsSeries(Protocol):
    """What loading needs to know of a model: the series that it takes."""

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The series of the model."""
        ...


class Sources(NamedTuple):
    """Where series are from: benchmarks of the events, tickers by name, columns of factor files."""

    benchmarks: Sequence[str]
    series: Mapping[str, str]
    columns: Collection[str]

    def symbols_of(self, factor: Factor, events: Events) -> list[str]:
        """Return the symbol of a factor for each event.

        ``A;B`` are several, ``factor:NAME`` is of a file. One that `series` names for all events
        goes before a column of the events, as a benchmark for all does. Of several in a column that
        of the event's own firm is none.

        Parameters
        ----------
        factor : Factor
        events : Events

        Raises
        ------
        ConfigError
            If the name is neither a column of the events, nor in `series`, nor in the factor files.
        """
        table, name = events.table, factor.name
        if name == "market":
            return list(self.benchmarks)
        if name in self.series:
            return [";".join(Benchmarks.members(self.series[name]))] * len(table)
        if name in table:
            firms = table["ticker"] if factor.several else [""] * len(table)
            cells = zip(table[name], firms, strict=True)
            return [";".join(Benchmarks.members(str(cell), [firm])) for cell, firm in cells]
        if name in self.columns:
            return [Factor.PREFIX + name] * len(table)
        raise make_error(ConfigError, "wrong.no_series", value=name, name=name)


def needed(
    events: Events, benchmark: str = "", model: NeedsSeries | None = None,
    series: Mapping[str, str] | None = None, *, peers: bool = False,
) -> dict[Key, list[int]]:  # fmt: skip
    """Return the (symbol, calendar) pairs that are needed, firms first, with the events of each.

    Parameters
    ----------
    events : Events
    benchmark : str
    model : LinearModel, optional
    series : mapping of str to ticker, optional
    peers : bool
        Whether the firms in the column ``peers`` are needed too, for placebo firms.
    """
    tickers = series or {}
    table = events.table
    benchmarks = Benchmarks(events, benchmark).first
    named = [f for f in (model.factors if model else ()) if f.name in table or f.name in tickers]
    sources = Sources(benchmarks, tickers, ())
    rows = [list(table["ticker"]), benchmarks, *(sources.symbols_of(f, events) for f in named)]
    if peers and Benchmarks.PEERS in table:
        rows.append(list(map(str, table[Benchmarks.PEERS])))
    out: dict[Key, list[int]] = {}
    symbols = cache(Benchmarks.members)
    for row in rows:
        for i, (cell, code) in enumerate(zip(row, table["exchange"], strict=True)):
            for symbol in symbols(cell):
                out.setdefault((symbol, code or DATA_CALENDAR), []).append(i)
    return out


Range = tuple[date, date]
# Calendar days for one session, holidays and weekends included, with room to spare.
DAYS_PER_SESSION = 1.6
# Calendar days for one session of a year with the usual holidays.
DAYS = 365.25 / 252
MARGIN_DAYS = 20
# Prices after the last window tell a halt that goes on from data that end.
DAYS_AFTER = 120
# Each call may have to find out anew that a source cannot be reached.
MOST_CALLS = 4


def range_around(
    day0: Sequence[date], estimation: Window, event: Window, *, further: int = 0,
    today: date | None = None,
) -> Range:  # fmt: skip
    """Return the first and last day whose prices the windows can need.

    Parameters
    ----------
    day0 : sequence of date
    estimation, event : Window
    further : int
        Sessions that are needed before the estimation window.
    today : date, optional
        No later day is needed; default today.
    """
    before = int((further - estimation.start) * DAYS_PER_SESSION) + MARGIN_DAYS
    after = int(max(event.stop, 0) * DAYS_PER_SESSION) + DAYS_AFTER
    last = max(day0) + timedelta(days=after)
    return min(day0) - timedelta(days=before), min(last, today or date.today())  # noqa: DTZ011 - a civil date


def windows_of(
    days: Mapping[Key, Sequence[date]], estimation: Window, event: Window, *, further: int = 0
) -> dict[str, list[Range]]:  # fmt: skip
    """Return the days of the windows of each symbol, with the close before their first return.

    Parameters
    ----------
    days : mapping of (symbol, calendar) to sequence of date
        Days 0 of the events that need the symbol.
    estimation, event : Window
    further : int
        Sessions that are needed before the estimation window.

    Returns
    -------
    dict of str to list of (first, last)
        Without overlaps, ascending. Where a calendar is not known a session counts as `DAYS` days.
    """
    out: dict[str, list[Range]] = {}
    for (symbol, calendar), zeros in days.items():
        exchange = Exchange.of_code(calendar)
        sessions = Sessions.of(exchange.calendar).dates if exchange and exchange.calendar else None
        for day in sorted(set(zeros)):
            first = estimation.start - further - 1
            last = event.stop
            if sessions is None:
                ends = [day + timedelta(days=round(n * DAYS)) for n in (first, last)]
            else:
                at = int(np.searchsorted(sessions, np.datetime64(day)))
                places = np.clip([at + first, at + last], 0, len(sessions) - 1)
                ends = sessions[places].tolist()
            out.setdefault(symbol, []).append((ends[0], ends[1]))
    return {symbol: _joined(ranges) for symbol, ranges in out.items()}


def _joined(ranges: list[Range]) -> list[Range]:
    """Return ranges without overlaps, ascending."""
    out: list[Range] = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], last)
        else:
            out.append((first, last))
    return out


def usual_needs(events: Events) -> tuple[list[str], date, date]:
    """Return the symbols that a study with the usual settings needs, and the days of their prices.

    Parameters
    ----------
    events : Events
    """
    days = [day.date() for day in events.table["day0"]]
    symbols = dict.fromkeys(symbol for symbol, _ in needed(events, peers=True))
    return list(symbols), *range_around(days, Window.ESTIMATION, Window.EVENT)


def calls_of(ranges: Mapping[str, Range]) -> list[tuple[list[str], Range]]:
    """Return the symbols in at most `MOST_CALLS` calls, those of about the same years together."""
    calls: dict[tuple[int, int], list[str]] = {}
    for years in (1, 2, 4, 8, 10_000):
        calls = {}
        for symbol, (first, last) in ranges.items():
            calls.setdefault((first.year // years, last.year // years), []).append(symbol)
        if len(calls) <= MOST_CALLS:
            break
    groups = list(calls.values())
    ends = (zip(*(ranges[symbol] for symbol in group), strict=True) for group in groups)
    days = ((min(first), max(last)) for first, last in ends)
    return list(zip(groups, days, strict=True))
