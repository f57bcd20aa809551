"""The rows of one symbol, and the prices among them that can be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..calendars import Symbol
from ..errors import DataError
from ..utility import BoolArray, DateArray, FloatArray, IntArray, pd
from . import comparison
from . import corporate_actions as traces
from .faults import Span
from .price_limits import LimitDays, LimitRule, daily_limits

# A spike moves by more than SPIKE and is back within BACK after at most REVERTS sessions.
SPIKE = np.log(5)
BACK = np.log(1.2)
REVERTS = 5
# Moves beyond these are looked at.
STEEP_RISE = np.log(2.9)
STEEP_FALL = -np.log(5)
# Pence and pounds are a factor of 100 apart, but for the day's own move; no share moves so far.
LARGEST_RISE = np.log(20)
LARGEST_FALL = -np.log(60)
# A hole is filled if both sources have the same return over it, but for so much.
SAME_RETURN = 5e-4
# Returns of one day in two sources differ by rounding up to this size.
DIFFERENT = 0.0025
# Of so many series of an exchange or more, each is part of the market that it is compared with.
CROWD = 8
# Series that are enough to doubt the calendar of their exchange; two at least, if they are most.
ENOUGH, FEWEST = 3, 2
# Sessions by which a series starts late.
LATE = 5
NO_DATES: DateArray = np.empty(0, dtype="datetime64[D]")
COLUMNS = ("open", "high", "low", "close", "adj_close", "volume")


class OtherQuotes(NamedTuple):
    """Rows of the same symbol from another source, on some days.

    Attributes
    ----------
    source : str
    is_fill : bool
        Whether they may take the place of sessions that are not there.
    quotes : Quotes
    """

    source: str
    is_fill: bool
    quotes: Quotes


class Differences(NamedTuple):
    """Days with another return in another source: the days before them, and both returns."""

    before: DateArray
    days: DateArray
    ours: FloatArray
    theirs: FloatArray


class Fill(NamedTuple):
    """Prices of another source from the last one before a hole to the first one after it."""

    source: str
    dates: DateArray
    price: FloatArray


@dataclass(frozen=True, eq=False)
class Quotes:
    """The rows of one symbol by date, each array of shape (T,); NaN where the source has nothing.

    Attributes
    ----------
    sessions : DateArray
        Sessions of the symbol's own exchange within the data; empty = not known.
    rules : tuple of LimitRule
        Price limits of its board; () = none known.
    market : Market, optional
        Series of the symbol's own exchange.
    twin : str
        Another symbol with the same moves; "" = none.
    lag : int
        Sessions by which its dates are late, as far as the other series of the exchange tell.
    others : tuple of OtherQuotes
        What other sources say.
    """

    symbol: str
    dates: DateArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    adj_close: FloatArray
    volume: FloatArray
    sessions: DateArray = field(default_factory=lambda: NO_DATES)
    rules: tuple[LimitRule, ...] = ()
    market: Market | None = None
    twin: str = ""
    lag: int = 0
    others: tuple[OtherQuotes, ...] = ()

    @classmethod
    def of_others(cls, table: pd.DataFrame | None) -> dict[str, tuple[OtherQuotes, ...]]:
        """Return what other sources say of each symbol.

        Parameters
        ----------
        table : DataFrame, optional
            As ``Prices.others``.
        """
        out: dict[str, tuple[OtherQuotes, ...]] = {}
        if table is None:
            return out
        for (source, is_fill), rows in table.groupby(["source", "is_fill"], sort=False):
            for quotes, _ in cls.by_symbol(rows):
                other = OtherQuotes(str(source), bool(is_fill), quotes)
                out[quotes.symbol] = (*out.get(quotes.symbol, ()), other)
        return out

    @classmethod
    def by_symbol(cls, table: pd.DataFrame) -> Iterator[tuple[Quotes, IntArray]]:
        """Yield the rows of each symbol of a long table, by date, and their places in it.

        Symbols are in order of appearance.

        Columns that the table lacks are NaN.

        Raises
        ------
        DataError
            On a date that occurs twice.
        """
        codes, names = pd.factorize(table["symbol"])
        dates = table["date"].to_numpy().astype("datetime64[D]")
        blank = np.full(len(table), np.nan)
        arrays = {c: table[c].to_numpy(float) if c in table else blank for c in COLUMNS}
        order = np.arange(len(table))
        is_later = codes[1:] > codes[:-1]
        is_same = codes[1:] == codes[:-1]
        if not (is_later | (is_same & (dates[1:] >= dates[:-1]))).all():
            order = np.lexsort((dates, codes))
            codes = codes[order]
            dates = dates[order]
            arrays = {c: values[order] for c, values in arrays.items()}
        edges = np.searchsorted(codes, np.arange(len(names) + 1))
        for name, a, b in zip(names, edges[:-1], edges[1:], strict=True):
            numbers: dict[str, Any] = {c: values[a:b] for c, values in arrays.items()}
            twice = dates[a + 1 : b][dates[a + 1 : b] == dates[a : b - 1]]
            if len(twice):
                raise DataError("two prices on one date", where=str(name), value=str(twice[0]))
            yield cls(str(name), dates[a:b], **numbers), order[a:b]

    @staticmethod
    def find_twins(series: Iterable[Quotes]) -> dict[str, str]:
        """Return the symbols whose last moves are those of another symbol, and which."""
        moves = ((q.symbol, q.bars.dates[1:], np.diff(np.log(q.bars.price))) for q in series)
        return comparison.find_twins(moves)

    @cached_property
    def adjusted(self) -> bool:
        """Whether there is any adjusted close."""
        return bool(np.isfinite(self.adj_close).any())

    @cached_property
    def raw(self) -> FloatArray:
        """Adjusted closes, or closes where there is none at all; NaN where not positive."""
        price = self.adj_close if self.adjusted else self.close
        return np.where((price > 0) & (price < np.inf), price, np.nan)

    @cached_property
    def quoted(self) -> FloatArray:
        """Closes; of a table with one price a day, which may be adjusted, that price."""
        return self.close if np.isfinite(self.close).any() else self.raw

    @cached_property
    def stale(self) -> BoolArray:
        """Rows on which nothing was traded."""
        return no_trade(self.raw, self.close, self.high, self.low, self.volume)

    @cached_property
    def spikes(self) -> BoolArray:
        """Rows whose price is not meant."""
        return spikes(np.where(self.stale, np.nan, self.raw))

    @cached_property
    def price(self) -> FloatArray:
        """The price of each row that was traded, NaN elsewhere: what returns are made of."""
        return np.where(self.stale | self.spikes, np.nan, self.raw)

    @cached_property
    def jumps(self) -> tuple[IntArray, FloatArray]:
        """Rows whose price is over 2.9 times the last or below 1/5 of it; the log of the move."""
        priced = np.flatnonzero(np.isfinite(self.price))
        moves = np.diff(np.log(self.price[priced]))
        at = np.flatnonzero((moves > STEEP_RISE) | (moves < STEEP_FALL))
        return priced[at + 1], moves[at]

    @cached_property
    def units(self) -> BoolArray:
        """Which of `jumps` no share makes: a factor near 100, the day's return in it, or more."""
        move = self.jumps[1]
        return np.asarray((move > LARGEST_RISE) | (move < LARGEST_FALL))

    @cached_property
    def bars(self) -> traces.Bars:
        """The rows that were traded."""
        at = np.flatnonzero(np.isfinite(self.price))
        return traces.Bars(*(getattr(self, name)[at] for name in traces.Bars._fields))

    def market_moves(self, rows: IntArray) -> FloatArray:
        """Return the log moves of the market to some rows of `bars` from the rows before.

        Parameters
        ----------
        rows : (k,) int array

        Returns
        -------
        (k,) float array
            0 where the market is not known.
        """
        if self.market is None:
            return np.zeros(len(rows))
        days = self.bars.dates[rows - 1], self.bars.dates[rows]
        return self.market.moves_without(self.symbol, *days)

    @cached_property
    def actions(self) -> traces.Actions:
        """Rows that look like a split that was not applied, no changes of unit among them."""
        at = np.flatnonzero(np.isfinite(self.price))
        beyond = np.isfinite(self.limits.beyond) & bool(len(self.sessions))
        limits = beyond[at], self.limits.proven[at]
        reopened = np.diff(at, prepend=-1) > 1
        if len(self.sessions):
            reopened |= np.diff(np.searchsorted(self.sessions, self.dates[at]), prepend=0) > 1
        actions = traces.find_actions(self.bars, self.market_moves, *limits, reopened)
        actions = actions._replace(rows=at[actions.rows])
        explained = np.r_[self.jumps[0][self.units], self.adjustments.lone_rows]
        return actions.take(~np.isin(actions.rows, explained))

    @cached_property
    def steps(self) -> tuple[IntArray, IntArray]:
        """Rows that move on a day like any other, for good or taken back by the next row.

        A close at a price limit is none: the limit explains the day.
        """
        at = np.flatnonzero(np.isfinite(self.price))
        limited = np.flatnonzero(self.limits.state)
        for_good, back = (at[rows] for rows in traces.find_steps(self.bars, self.market_moves))
        explained = np.r_[self.actions.rows, limited, self.adjustments.lone_rows]
        return np.setdiff1d(for_good, explained), np.setdiff1d(back, explained)

    @cached_property
    def dividends(self) -> IntArray:
        """Rows whose fall may be a dividend, of closes that nobody adjusted.

        Neither a split nor a close at a price limit; only shares pay one.
        """
        if self.adjusted or Symbol(self.symbol).kind != "share":
            return np.empty(0, np.int64)
        at = np.flatnonzero(np.isfinite(self.price))
        rows = at[traces.find_dividends(self.bars, self.market_moves)]
        limited = np.flatnonzero(self.limits.state)
        return np.setdiff1d(rows, np.r_[self.actions.rows, self.jumps[0], limited])

    @cached_property
    def adjustments(self) -> traces.Adjustments:
        """Changes of the adjusted close over the close."""
        return traces.find_adjustments(self.close, self.adj_close)

    @cached_property
    def broken(self) -> DateArray:
        """Days whose return compares prices in two units, shares or securities."""
        no_move = np.zeros(len(self.dates), dtype=bool)
        no_move[self.jumps[0][self.units]] = True
        no_move[self.actions.rows[self.actions.proven]] = True
        no_move[self.adjustments.rows[self.adjustments.lone & self.adjustments.impossible]] = True
        return self.dates[no_move | self.limits.proven]

    @cached_property
    def fills(self) -> list[Fill]:
        """Prices of other sources in place of sessions that are not there."""
        out = list[Fill]()
        for other in self.others:
            out += _find_fills(self, other) if other.is_fill and not out else []
        return out

    @cached_property
    def filled(self) -> DateArray:
        """The sessions that are not there and were filled."""
        inside = [fill.dates[1:-1] for fill in self.fills]
        return np.concatenate(inside) if inside else NO_DATES

    @cached_property
    def complete(self) -> bool:
        """Whether the rows are the sessions from the first row to the last, as far as is known."""
        if not len(self.sessions):
            return True
        a, b = np.searchsorted(self.sessions, self.dates[[0, -1]])
        return bool(np.array_equal(self.dates, self.sessions[a : b + 1]))

    @cached_property
    def begins(self) -> bool:
        """Whether the first row is well after the first session: a listing."""
        return len(self.sessions) > LATE and bool(self.dates[0] > self.sessions[LATE])

    @cached_property
    def limits(self) -> LimitDays:
        """Days at a price limit."""
        unseen = np.zeros(len(self.dates), dtype=bool)
        if not self.complete:
            unseen[1:] = np.diff(np.searchsorted(self.sessions, self.dates)) > 1
        # Of adjusted closes alone, only the limits of a known rule can be told.
        close = self.quoted if self.rules else self.close
        return daily_limits(
            self.dates, np.where(np.isfinite(self.price), close, np.nan), self.rules,
            adjusted=self.adj_close if self.adjusted and close is self.close else None,
            ohl=(self.open, self.high, self.low),
            unseen=unseen if len(self.sessions) else None, listed=self.begins,
        )  # fmt: skip

    def moved(self, first: DateArray, last: DateArray) -> FloatArray:
        """Return the log moves from the closes of some days to those of later ones.

        Parameters
        ----------
        first, last : (k,) datetime64 array

        Returns
        -------
        (k,) float array
            NaN without both closes.
        """
        a, b = (np.searchsorted(self.dates[:-1], days) for days in (first, last))
        has_both = (self.dates[a] == first) & (self.dates[b] == last)
        return np.where(has_both, np.log(self.price[b] / self.price[a]), np.nan)

    def differing(self, other: Quotes) -> Differences:
        """Return the days whose returns differ by more than `DIFFERENT` in another source."""
        shared, at, theirs_at = np.intersect1d(
            self.bars.dates, other.bars.dates, return_indices=True
        )
        ours = np.diff(self.bars.price[at]) / self.bars.price[at[:-1]]
        theirs = np.diff(other.bars.price[theirs_at]) / other.bars.price[theirs_at[:-1]]
        follows = (np.diff(at) == 1) & (np.diff(theirs_at) == 1)
        rows = np.flatnonzero(follows & (np.abs(ours - theirs) > DIFFERENT))
        return Differences(shared[rows], shared[rows + 1], ours[rows], theirs[rows])

    def spans(
        self, rows: Iterable[tuple[int, int]], text: Callable[[int, int], str], n: int = 0
    ) -> list[Span]:
        """Return runs of rows as days.

        Parameters
        ----------
        rows : iterable of (int, int)
            First and last row of each run.
        text : callable
            Takes both rows and returns the text of the span.
        n : int
            How many faults a run is; 0 = each of its rows is one.

        Returns
        -------
        list of Span
        """
        return [
            Span(self.dates[a], self.dates[b], text(a, b), int(n or b - a + 1)) for a, b in rows
        ]


def _find_fills(quotes: Quotes, other: OtherQuotes) -> list[Fill]:
    """Return the holes of a series that another source can fill.

    The other source has a price on every day that it has between the two prices around a hole, and
    on these two; its returns, compounded, are that of the series from one to the other, within
    `SAME_RETURN`. A hole is no row at all, or one without a price: a row that repeats the last
    close without volume is a halt.
    """
    priced = np.isfinite(quotes.price)
    days, prices = quotes.dates[priced], quotes.price[priced]
    not_traded = quotes.dates[~priced & np.isfinite(quotes.raw)]
    others = other.quotes
    inside = others.dates[~np.isin(others.dates, days)]
    after = np.unique(np.searchsorted(days, inside))
    out = []
    for k in after[(after > 0) & (after < len(days))] - 1:
        first, last = days[k], days[k + 1]
        at = np.flatnonzero((others.dates >= first) & (others.dates <= last))
        theirs = others.raw[at]
        is_halt = ((not_traded > first) & (not_traded < last)).any()
        has_both = len(at) > 2 and others.dates[at[0]] == first and others.dates[at[-1]] == last
        if is_halt or not has_both or not np.isfinite(theirs).all():
            continue
        moves = np.diff(np.log(theirs))
        is_possible = ((moves < STEEP_RISE) & (moves > STEEP_FALL)).all() and moves[:-1].any()
        is_same = abs(theirs[-1] / theirs[0] - prices[k + 1] / prices[k]) <= SAME_RETURN
        if is_possible and is_same and last not in quotes.broken:
            out.append(Fill(other.source, others.dates[at], theirs))
    return out


@dataclass(frozen=True, eq=False)
class Market:
    """Series of one exchange, and its sessions within the data."""

    series: Sequence[Quotes]
    sessions: DateArray = field(default_factory=lambda: NO_DATES)

    @cached_property
    def lost(self) -> DateArray:
        """Sessions without a price of any series, of `ENOUGH` at least that are priced around."""
        lost, ends = self.sessions, list[DateArray]()
        for quotes in self.series:
            priced = np.union1d(quotes.dates[np.isfinite(quotes.raw)], quotes.filled)
            lost = np.setdiff1d(lost, priced, assume_unique=True)
            ends.append(priced[[0, -1]] if len(priced) else NO_DATES)
        around = [(lost > end[0]) & (lost < end[1]) for end in ends if len(end)]
        return lost[np.sum(around, axis=0) >= self.enough_of(len(ends))] if around else NO_DATES

    @staticmethod
    def enough_of(n: int) -> int:
        """Return how many of n series of an exchange are enough to doubt its calendar."""
        return min(ENOUGH, max(FEWEST, n // 2 + 1))

    def find_lags(self, indices: Sequence[str], guests: Sequence[Quotes] = ()) -> dict[str, int]:
        """Return the sessions by which the dates of series are late (1) or early (-1).

        Parameters
        ----------
        indices : sequence of str
            Of the exchange, best first.
        guests : sequence of Quotes
            Series of other exchanges that are compared too.
        """
        quotes_of = {q.symbol: q for q in (*self.series, *guests) if len(q.bars.price) > 1}

        def compare(symbol: str, peers: Sequence[str]) -> int | None:
            """Return by how many sessions a series lags behind the median of its peers."""
            bars = quotes_of[symbol].bars
            moves = np.diff(np.log(bars.price))[-comparison.MOVES :]
            days = bars.dates[-len(moves) - 1 :]
            others = [quotes_of[peer].moved(days[:-1], days[1:]) for peer in peers]
            return comparison.lag_of(moves, traces.row_medians(np.array(others).T))

        return comparison.judge_dates(list(quotes_of), indices, compare)

    def moves_without(self, symbol: str, first: DateArray, last: DateArray) -> FloatArray:
        """Return the median log moves of the other series.

        Parameters
        ----------
        symbol : str
        first, last : (k,) datetime64 array

        Returns
        -------
        (k,) float array
            0 where there is none.
        """
        some = self.series[:: max(1, len(self.series) // comparison.MOST)]
        is_part = len(some) >= CROWD
        moves = [q.moved(first, last) for q in some if is_part or q.symbol != symbol]
        if not moves:
            return np.zeros(len(last))
        return np.nan_to_num(traces.row_medians(np.array(moves).T))


def runs(mask: BoolArray) -> list[tuple[int, int]]:
    """Return the first and last position of each run of True."""
    if not mask.any():
        return []
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def no_trade(
    price: FloatArray, close: FloatArray, high: FloatArray, low: FloatArray, volume: FloatArray
) -> BoolArray:
    """Return the rows, shape (T,), without a trade: no volume, no range, the last close again.

    Parameters
    ----------
    price, close, high, low, volume : (T,) float arrays
        `price` is the adjusted close where there is one. NaN = missing.

    Returns
    -------
    (T,) bool array

    Notes
    -----
    A half day without volume has a close that differs from the last. A symbol whose volume is never
    positive (indices, exchange rates) cannot be judged. In a series that mostly lacks volume, and
    where the volume is blank, it takes two such rows in a row. Such rows at the very start begin a
    halt with the first.
    """
    quiet = ~(volume > 0)
    stale = np.zeros(len(price), dtype=bool)
    if len(price) < 2 or not quiet.any() or quiet.all():
        return stale
    quiet &= ~(high > low * (1 + 1e-6))
    stale[1:] = quiet[1:] & (_equal(price) | _equal(close))
    sure = (volume > 0).mean() >= 0.5
    for a, b in runs(stale):
        if a == b and not (sure and volume[a] == 0):
            stale[a] = False
    stale[0] = quiet[0] and stale[1]
    return stale


def _equal(values: FloatArray) -> BoolArray:
    """Return which values but the first repeat the one before."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(values[1:] - values[:-1]) <= 1e-6 * values[:-1])


def spikes(price: FloatArray) -> BoolArray:
    """Return the rows, shape (T,), whose price jumps by more than a factor of five and reverts.

    It reverts if one of the next 5 prices is within 20 % of the one before the spike.
    """
    is_spike = np.zeros(len(price), dtype=bool)
    priced = np.flatnonzero(np.isfinite(price))
    level = np.log(price[priced])
    done = 0
    for j in np.flatnonzero(np.abs(np.diff(level)) > SPIKE) + 1:
        back = np.flatnonzero(np.abs(level[j + 1 : j + 1 + REVERTS] - level[j - 1]) < BACK)
        if j > done and len(back):
            done = j + 1 + back[0]
            is_spike[priced[j:done]] = True
    return is_spike
