"""Prices of many symbols, each fetched for the days that its own events need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from re import fullmatch
from typing import TYPE_CHECKING

from ..calendars.window import Window
from ..errors import NoPricesError, PriceError, UnknownSymbolError

if TYPE_CHECKING:
    from ..prices import PriceProvider, Prices

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
    """Return the first and last day whose prices the windows can need, and `further` sessions
    before."""
    before, after = days_around(estimation, event, further=further)
    last = max(day0) + timedelta(days=after)
    return min(day0) - timedelta(days=before), min(last, today or date.today())  # noqa: DTZ011 - a civil date


def days_around(estimation: Window, event: Window, *, further: int = 0) -> tuple[int, int]:
    """Return how many calendar days before and after day 0 have prices that the windows can
    need."""
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
    return [
        (own, (min(ranges[s][0] for s in own), max(ranges[s][1] for s in own)))
        for own in calls.values()
    ]


@dataclass(eq=False)
class Basket:
    """What was fetched from one source so far, in `prices`.

    Parameters
    ----------
    source : PriceProvider
    progress : callable, optional
        Called with (symbols done, symbols in all) during the first fetch.
    asked, calls : dict of str to (first, last)
        What each symbol needed, and the range of the last call that it was in.
    """

    source: PriceProvider
    progress: Callable[[int, int], None] | None = None
    asked: dict[str, Range] = field(default_factory=dict)
    calls: dict[str, Range] = field(default_factory=dict)
    prices: Prices = field(init=False)

    def fetch(self, ranges: Mapping[str, Range]) -> None:
        """Fetch what was not asked for before; a call that fails is a failure of its symbols."""
        new = {
            s: own
            for s, asked in ranges.items()
            if (own := self._wider(s, asked)) != self.asked.get(s)
        }
        done, progress = 0, None if self.asked else self.progress
        for symbols, (first, last) in calls_of(new):
            part = self._call(symbols, first, last, _shifted(progress, done, len(new)))
            self.prices = _said_once(part.merge(self.prices)) if self.asked else part
            self.asked |= {s: new[s] for s in symbols}
            self.calls |= dict.fromkeys(symbols, (first, last))
            done += len(symbols)

    def _wider(self, symbol: str, asked: Range) -> Range:
        first, last = self.asked.get(symbol, asked)
        return min(first, asked[0]), max(last, asked[1])

    def _call(
        self,
        symbols: list[str],
        first: date,
        last: date,
        progress: Callable[[int, int], None] | None,
    ) -> Prices:
        from ..prices import Prices

        try:
            return self.source.fetch(symbols, first, last, progress=progress)
        except PriceError as error:
            return Prices.of({}, dict.fromkeys(symbols, error), {})

    @property
    def unanswered(self) -> frozenset[str]:
        """Symbols of which the source did not say that it has no prices: nobody knows."""
        said = (NoPricesError, UnknownSymbolError)
        return frozenset(
            s for s, error in self.prices.failures.items() if not isinstance(error, said)
        )


def _said_once(prices: Prices) -> Prices:
    return replace(prices, notices=_joined(prices.notices))


def _shifted(
    progress: Callable[[int, int], None] | None, before: int, total: int
) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, _: progress(before + done, total)


def _joined(notices: Sequence[str]) -> tuple[str, ...]:
    """Return the notices, those that say the same of other symbols ("... for 2 symbols (A, B)") in
    one."""
    out: dict[str, list[str] | None] = {}
    for text in notices:
        found = fullmatch(r"(.* for) \d+ symbols? \((.*)\)", text)
        if found is None:
            out[text] = None
        else:
            out[found[1]] = [*(out.get(found[1]) or []), *found[2].split(", ")]
    return tuple(
        head
        if names is None
        else f"{head} {len(names)} symbol{'s' * (len(names) != 1)} ({', '.join(names)})"
        for head, names in ((h, None if n is None else sorted(set(n))) for h, n in out.items())
    )
