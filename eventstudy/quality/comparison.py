"""Series beside their exchange: their dates, in step or a session off, the same as another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..utility import DateArray, FloatArray
from ..words import Reason

# The last moves that two series are compared by.
COMPARED = 60
# The last moves that are compared with the market, and the fewest. Their correlation with the
# market of the day before or after is so large, and so many standard errors above that of the day.
MOVES, FEWEST, CORRELATED, ERRORS = 750, 100, 0.15, 4.0
# Moves are cut off at so many times their usual size, so that no single one makes a correlation.
CUT = 6.0
# Series of an exchange that its median move is taken from.
MOST = 11
# Day and month are swapped where this share of the days that could be, and so many, are no
# sessions, and nearly all would be the other way round.
CLOSED, SEVERAL, RIGHT = 0.1, 5, 0.02
# One value on a closed day is an accident, whatever its share.
ACCIDENT = 1


def judge_dates(
    symbols: Sequence[str],
    indices: Collection[str],
    compare: Callable[[str, Sequence[str]], int | None],
) -> dict[str, int]:
    """Return the series of an exchange whose dates look a session late (1) or early (-1).

    Each is compared with the index of the exchange; if that decides nothing, with the series in
    step with the index. Without an index each is compared with the others. Who is right is decided
    by the larger camp, and by the index if they are equal: a series that is off makes no other one
    suspect.

    Parameters
    ----------
    symbols : sequence of str
        Two at least; fewer have no lag.
    indices : collection of str
        Indices of the exchange, best first.
    compare : callable
        Takes a symbol and others, and returns the lag of the one behind the median of the others,
        as `lag_of`.

    Returns
    -------
    dict of str to int
        Without series that are in step, or of which nothing is certain.
    """
    lags: dict[str, int | None] = {}
    index = next((symbol for symbol in indices if symbol in symbols), None)
    if index is None:
        for symbol in symbols:
            peers = [peer for peer in _some_of(symbols) if peer != symbol]
            lags[symbol] = compare(symbol, peers) if peers else None
    else:
        lags = {symbol: compare(symbol, [index]) for symbol in symbols if symbol != index}
        lags[index] = 0
        right = _some_of([symbol for symbol, lag in lags.items() if lag == 0])
        for symbol in [symbol for symbol, lag in lags.items() if lag is None]:
            lags[symbol] = compare(symbol, right)
    number = Counter(lags.values())
    late = number[1]
    early = number[-1]
    in_step = number[0]
    if index is not None and max(late, early) > in_step:
        sign = -1 if late > early else 1
        return {symbol: sign for symbol, lag in lags.items() if lag == 0}
    if index is None and late and early and late != early:
        smaller = 1 if late < early else -1
        return {symbol: lag for symbol, lag in lags.items() if lag == smaller}
    return {symbol: lag for symbol, lag in lags.items() if lag}


def _some_of(symbols: Sequence[str]) -> Sequence[str]:
    """Return so many of the symbols that a median can be taken of."""
    return symbols[:: max(1, len(symbols) // MOST)]


def find_twins(series: Iterable[tuple[str, DateArray, FloatArray]]) -> dict[str, str]:
    """Return the symbols whose last moves are those of another symbol, and which.

    Parameters
    ----------
    series : iterable of (symbol, dates, moves)
        Dates and moves of shape (n,); the last 60 are compared, which few zeros and no gap are
        among.
    """
    groups: dict[bytes, list[str]] = {}
    for symbol, dates, moves in series:
        last = np.round(moves[-COMPARED:], 6) + 0.0
        if len(last) == COMPARED and (np.abs(last) > 0).sum() > COMPARED // 2:
            groups.setdefault(dates[-COMPARED:].tobytes() + last.tobytes(), []).append(symbol)
    pairs = [symbols for symbols in groups.values() if len(symbols) > 1]
    return {s: symbols[s == symbols[0]] for symbols in pairs for s in symbols}


def lag_of(moves: FloatArray, market: FloatArray) -> int | None:
    """Return by how many sessions the moves of a series lag behind those of the market.

    Parameters
    ----------
    moves, market : (n,) float arrays
        On the same sessions in order; NaN = missing.

    Returns
    -------
    int or None
        1 if the series is stamped a session late, -1 if early, 0 if it is in step; None if none of
        them is certain.
    """
    fits = {lag: _correlation(moves, market, lag) for lag in (-1, 0, 1)}
    best = max(fits, key=lambda lag: fits[lag][0])
    fit, n = fits[best]
    rivals = (-1, 1) if best == 0 else (0,)
    if fit < CORRELATED or min(n, *(fits[rival][1] for rival in rivals)) < FEWEST:
        return None
    for rival in rivals:
        weaker, m = fits[rival]
        error = np.sqrt(1 / (n - 3) + 1 / (m - 3))
        if np.arctanh(fit) - np.arctanh(weaker) <= ERRORS * error:
            return None
    return best


def _correlation(moves: FloatArray, market: FloatArray, lag: int) -> tuple[float, int]:
    """Return the correlation of moves with the market `lag` sessions earlier, and the pairs."""
    n = len(moves)
    a = moves[max(lag, 0) : n + min(lag, 0)]
    b = market[max(-lag, 0) : n - max(lag, 0)]
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < FEWEST:
        return 0.0, int(both.sum())
    a, b = (_cut(values[both]) for values in (a, b))
    spread = a.std() * b.std()
    fit = float(np.mean((a - a.mean()) * (b - b.mean())) / spread) if spread > 0 else 0.0
    return min(fit, 0.9999), int(both.sum())


def _cut(values: FloatArray) -> FloatArray:
    bound = CUT * np.median(np.abs(values))
    return np.clip(values, -bound, bound)


class SeriesDates(NamedTuple):
    """The dates of a series, and the sessions of its exchange.

    Attributes
    ----------
    dates : (n,) datetime64[D] array
    sessions : (S,) datetime64[D] array
        At least from the first to the last date; empty = not known.
    """

    dates: DateArray
    sessions: DateArray

    def explain_swapped(self) -> Reason | None:
        """Return why the dates cannot be meant; None if they can.

        Returns
        -------
        Reason or None
            With the number of days that are no sessions, and an example.
        """
        if not len(self.sessions):
            return None
        month = self.dates.astype("datetime64[M]")
        day = self.dates.astype(int)
        months = month.astype(int) % 12
        days = day - month.astype("datetime64[D]").astype(int)
        can = (days < 12) & (days != months)
        years = month[can].astype("datetime64[Y]").astype("datetime64[M]")
        turned = (years + days[can]).astype("datetime64[D]") + months[can]
        closed = ~np.isin(self.dates[can], self.sessions)
        if closed.sum() < max(SEVERAL, CLOSED * can.sum()):
            return None
        inside = (turned >= self.sessions[0]) & (turned <= self.sessions[-1])
        if (~np.isin(turned[inside], self.sessions)).sum() > RIGHT * inside.sum():
            return None
        example = self.dates[can][closed][0]
        meant = turned[closed][0]
        return Reason("swapped_dates", n=int(closed.sum()), day=str(example), meant=str(meant))

    def explain_closed(self, values: FloatArray, calendar: str) -> Reason | None:
        """Return why a series is not used of which too much happened while its exchange was closed.

        Parameters
        ----------
        values : (n,) float array
            Prices that are not those of the row before, or returns that are not zero; NaN =
            missing.
        calendar : str
            Name of the sessions.

        Returns
        -------
        Reason or None
            If more than 10 % of the values, and more than one, are between sessions.
        """
        if not len(self.sessions):
            return None
        has_value = np.isfinite(values)
        inside = (self.dates > self.sessions[0]) & (self.dates < self.sessions[-1])
        place = np.searchsorted(self.sessions, self.dates)
        next_session = self.sessions[np.minimum(place, len(self.sessions) - 1)]
        strays = np.flatnonzero(has_value & inside & (next_session != self.dates))
        n = int(has_value.sum())
        if len(strays) <= max(ACCIDENT, CLOSED * n):
            return None
        day = str(self.dates[strays[0]])
        facts = {"n": len(strays), "total": n, "calendar": calendar, "day": day}
        return Reason("mostly_closed", share=len(strays) / n, **facts)
