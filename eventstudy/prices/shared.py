"""One source for several studies: each symbol is asked for once, for the days that any of them
needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ._base import PriceProvider, Prices, Progress, unique


@dataclass(eq=False)
class SharedSource:
    """A source that remembers what it was asked for.

    Parameters
    ----------
    source : PriceProvider
    before, after : int
        Calendar days that are asked for beyond each range, for the studies still to come.

    Attributes
    ----------
    name : str
        That of the source.
    prices : Prices or None
        All that was fetched so far.
    regrown : bool
        Whether rows that were handed out have been replaced by those of a longer range.

    Notes
    -----
    A symbol is answered with all its rows, whatever the range: all studies see the same prices, and
    those are what a run keeps. Rows of two answers are never mixed.
    """

    source: PriceProvider
    before: int = 0
    after: int = 0
    prices: Prices | None = field(init=False, default=None)
    regrown: bool = field(init=False, default=False)
    name: str = field(init=False)
    _asked: dict[str, tuple[date, date]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.source.name

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Return the prices of `symbols`; only what nobody asked for before is fetched."""
        wanted = unique(symbols)
        new = [s for s in wanted if s not in self._asked or not self._covers(s, start, end)]
        if new:
            self._ask(new, start, end, progress)
        assert self.prices is not None  # noqa: S101 - every symbol is new at first
        return self.prices.select(wanted)

    def _covers(self, symbol: str, start: date, end: date) -> bool:
        first, last = self._asked[symbol]
        return first <= start and end <= last

    def _ask(self, symbols: list[str], start: date, end: date, progress: Progress | None) -> None:
        known = [self._asked[s] for s in symbols if s in self._asked]
        self.regrown = self.regrown or bool(known)
        today = date.today()  # noqa: DTZ011 - a civil date
        first = min([start - timedelta(days=self.before), *(a for a, _ in known)])
        last = max([end, min(end + timedelta(days=self.after), today), *(b for _, b in known)])
        found = self.source.fetch(symbols, first, last, progress=progress)
        self.prices = found if self.prices is None else found.merge(self.prices)
        self._asked |= dict.fromkeys(symbols, (first, last))
