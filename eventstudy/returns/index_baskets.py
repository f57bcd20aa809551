"""Prices of many symbols, each fetched for the days that its own events need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ..calendars.window import Window
from ..errors import NoPricesError, PriceError, UnknownSymbolError
from ..utility.catalogue import Reason

if TYPE_CHECKING:
    from ..prices import PriceProvider, Prices

# Called with (symbols done, symbols in all).
Progress = Callable[[int, int], None] | None
Range = tuple[date, date]
# Calendar days for one session, holidays and weekends included, with room to spare.
DAYS_PER_SESSION = 1.6
MARGIN_DAYS = 20
# Prices after the last window tell a halt that goes on from data that end.
DAYS_AFTER = 120
# Each call may have to find out anew that a source cannot be reached.
MOST_CALLS = 4


def range_around(
    day0: Sequence[date],
    estimation: Window,
    event: Window,
    *,
    further: int = 0,
    today: date | None = None,
) -> Range:
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
    before, after = days_around(estimation, event, further=further)
    last = max(day0) + timedelta(days=after)
    return min(day0) - timedelta(days=before), min(last, today or date.today())  # noqa: DTZ011 - a civil date


def days_around(estimation: Window, event: Window, *, further: int = 0) -> tuple[int, int]:
    """Return how many calendar days before and after day 0 the windows can need prices of.

    Parameters
    ----------
    estimation, event : Window
    further : int
        Sessions that are needed before the estimation window.
    """
    before = int((further - estimation.start) * DAYS_PER_SESSION) + MARGIN_DAYS
    return before, int(max(event.stop, 0) * DAYS_PER_SESSION) + DAYS_AFTER


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


@dataclass(eq=False)
class Basket:
    """What was fetched from one source so far, in `prices`.

    Parameters
    ----------
    source : PriceProvider
    progress : callable, optional
        Called with (symbols done, symbols in all) during the first fetch.
    ranges, calls : dict of str to (first, last)
        What each symbol needed, and the range of the last call that it was in.
    """

    source: PriceProvider
    progress: Progress = None
    ranges: dict[str, Range] = field(default_factory=dict)
    calls: dict[str, Range] = field(default_factory=dict)
    prices: Prices = field(init=False)

    def fetch(self, ranges: Mapping[str, Range]) -> None:
        """Fetch what was not asked for before; a call that fails is a failure of its symbols."""
        wider = {s: self._wider(s, days) for s, days in ranges.items()}
        new = {s: days for s, days in wider.items() if days != self.ranges.get(s)}
        done, progress = 0, None if self.ranges else self.progress
        for symbols, (first, last) in calls_of(new):
            answer = self._call(symbols, first, last, _shifted(progress, done, len(new)))
            self.prices = _merged(answer, self.prices) if self.ranges else answer
            self.ranges |= {s: new[s] for s in symbols}
            self.calls |= dict.fromkeys(symbols, (first, last))
            done += len(symbols)

    def _wider(self, symbol: str, days: Range) -> Range:
        first, last = self.ranges.get(symbol, days)
        return min(first, days[0]), max(last, days[1])

    def _call(self, symbols: list[str], first: date, last: date, progress: Progress) -> Prices:
        from ..prices import Prices

        try:
            return self.source.fetch(symbols, first, last, progress=progress)
        except PriceError as error:
            return Prices.of({}, dict.fromkeys(symbols, error), {})

    @property
    def unanswered(self) -> frozenset[str]:
        """Symbols of which the source did not say that it has no prices: nobody knows."""
        answers, failures = (NoPricesError, UnknownSymbolError), self.prices.failures
        return frozenset(s for s, error in failures.items() if not isinstance(error, answers))


def _merged(prices: Prices, earlier: Prices) -> Prices:
    """Return the prices of two calls; notices that differ in their symbols only become one."""
    merged, joined = prices.merge(earlier), dict[str, str]()
    for notice in merged.notices:
        key = str(notice)
        if isinstance(notice, Reason) and "symbols" in notice.facts:
            shared = {k: fact for k, fact in notice.facts.items() if k not in ("n", "symbols")}
            key = f"{notice.code} {shared}"
            if isinstance(before := joined.get(key), Reason):
                names = sorted({*before.facts["symbols"], *notice.facts["symbols"]})
                notice = Reason(notice.code, **shared, n=len(names), symbols=names)
        joined[key] = notice
    return replace(merged, notices=tuple(joined.values()))


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    return None if progress is None else lambda done, _: progress(before + done, total)
