"""One source for several studies, which fetches each symbol once for the days of them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ._base import unique
from ._prices import PriceProvider, Prices, Progress


@dataclass(eq=False)
class SharedSource:
    """A source that fetches nothing twice.

    Parameters
    ----------
    source : PriceProvider
    before, after : int
        Calendar days fetched beyond each range, for later studies.

    Attributes
    ----------
    name : str
        Name of the source.
    prices : Prices or None
        All that was fetched so far.
    regrown : bool
        Whether rows of a longer range have replaced rows that a study already has.

    Notes
    -----
    A fetch returns all rows of a symbol, whatever the range: all studies see the same prices, and a
    run keeps these. Rows of two answers are never mixed.
    """

    source: PriceProvider
    before: int = 0
    after: int = 0
    prices: Prices | None = field(init=False, default=None)
    regrown: bool = field(init=False, default=False)
    name: str = field(init=False)
    _ranges: dict[str, tuple[date, date]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.name = self.source.name

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: Progress | None = None
    ) -> Prices:
        """Return the prices of `symbols`, fetching only what is new.

        Parameters
        ----------
        symbols, start, end, progress
            As for `PriceProvider.fetch`.

        Returns
        -------
        Prices
        """
        wanted = unique(symbols)
        ranges = self._ranges.items()
        covered = {s for s, (first, last) in ranges if first <= start and end <= last}
        new = [symbol for symbol in wanted if symbol not in covered]
        if new:
            self._ask(new, start, end, progress)
        assert self.prices is not None  # noqa: S101 - every symbol is new at first
        return self.prices.select(wanted)

    def _ask(self, symbols: list[str], start: date, end: date, progress: Progress | None) -> None:
        earlier = [self._ranges[s] for s in symbols if s in self._ranges]
        self.regrown = self.regrown or bool(earlier)
        today = date.today()  # noqa: DTZ011 - a civil date
        first = min([start - timedelta(days=self.before), *(a for a, _ in earlier)])
        last = max([end, min(end + timedelta(days=self.after), today), *(b for _, b in earlier)])
        fetched = self.source.fetch(symbols, first, last, progress=progress)
        self.prices = fetched if self.prices is None else fetched.merge(self.prices)
        self._ranges |= dict.fromkeys(symbols, (first, last))
