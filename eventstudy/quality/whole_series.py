"""Faults of a whole series of prices: its length, its dates, its firm and its adjusted closes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np

from ..utility import BoolArray, DateArray, FloatArray
from ..words import Reason
from .corporate_actions import ABOVE, row_medians
from .quotes import LATE, MOST, Quotes, Span, runs

# Prices that a history needs; the last moves that two series are compared by.
HISTORY, COMPARED = 100, 60
# The last moves that are compared with the market, and the fewest. Their correlation with the
# market of the day before or after is so large, and so many standard errors above that of the day.
MOVES, FEWEST, CORRELATED, ERRORS = 750, 100, 0.15, 4.0
# Moves are cut off at so many times their usual size, so that no single one makes a correlation.
CUT = 6.0
# Day and month are swapped where this share of the days that could be, and so many, are no
# sessions, and nearly all would be the other way round.
CLOSED, SEVERAL, RIGHT = 0.1, 5, 0.02
# One value on a closed day is an accident, whatever its share.
ACCIDENT = 1


def no_adjusted(q: Quotes) -> list[Span]:
    """Return the whole span of a symbol without adjusted closes.

    No adjusted close at all.
    """
    if q.adjusted or not np.isfinite(q.close).any():
        return []
    return [Span(q.dates[0], q.dates[-1], "no adjusted close at all")]


def adjusted_gap(q: Quotes) -> list[Span]:
    """Return closes without an adjusted close, where there are others.

    A close without one.
    """
    gap = q.adjusted & np.isfinite(q.close) & np.isnan(q.adj_close)
    return q.spans(runs(gap), lambda a, b: f"close {q.close[a]:g} without an adjusted close")


def late_start(q: Quotes) -> list[Span]:
    """Return the sessions before a listing.

    First row more than 5 sessions after the data begin.
    """
    if not q.begins:
        return []
    last = q.sessions[np.searchsorted(q.sessions, q.dates[0]) - 1]
    return [Span(q.sessions[0], last, f"first price on {q.dates[0]}")]


def ended(q: Quotes) -> list[Span]:
    """Return the sessions after the last price.

    Last price more than 5 sessions before the data end.
    """
    priced = q.dates[np.isfinite(q.price)]
    if len(q.sessions) <= LATE or not len(priced) or priced[-1] >= q.sessions[-1 - LATE]:
        return []
    first = q.sessions[np.searchsorted(q.sessions, priced[-1], side="right")]
    return [Span(first, q.sessions[-1], f"last price on {priced[-1]}")]


def short_history(q: Quotes) -> list[Span]:
    """Return the whole span of a symbol with few prices.

    Fewer than 100 prices in all.
    """
    count = int(np.isfinite(q.price).sum())
    return [Span(q.dates[0], q.dates[-1], f"{count} prices in all")] if count < HISTORY else []


def adjusted_jump(q: Quotes) -> list[Span]:
    """Return moves of the adjusted close that neither the close nor an action explains.

    Adjusted close over close changes by 3 % or more (5 times the usual move) while the close moves
    by less than a third of that; and it falls, or ends above 1: no dividend or split does so.
    """
    return _adjustments(q, q.adjustments.lone & q.adjustments.impossible)


def suspect_adjustment(q: Quotes) -> list[Span]:
    """Return moves of the adjusted close alone that may be a large dividend on a day of news.

    The same where adjusted close over close rises, to 1 at most.
    """
    return _adjustments(q, q.adjustments.lone & ~q.adjustments.impossible)


def _adjustments(q: Quotes, chosen: BoolArray) -> list[Span]:
    before = dict(zip(q.adjustments.rows, q.adjustments.before, strict=True))

    def detail(a: int, _: int) -> str:
        new, old = (f"{q.adj_close[k]:g} by a close of {q.close[k]:g}" for k in (a, before[a]))
        return f"adjusted close {new} after {old}"

    return q.spans(((row, row) for row in q.adjustments.rows[chosen]), detail)


def adjusted_above(q: Quotes) -> list[Span]:
    """Return adjusted closes above the close that no reverse split explains.

    By more than 0.5 %, without a later reverse split of 1.3 or more in the close, in a series
    without a jump of the adjusted close.
    """
    steps = q.adjustments
    if steps.lone.any():
        return []
    with np.errstate(invalid="ignore", divide="ignore"):
        above = np.isfinite(q.raw) & (np.log(q.adj_close / q.close) > ABOVE)
    above[: steps.rows[steps.reverse].max(initial=0)] = False
    text = "adjusted close {:g}, close {:g}".format
    return q.spans(runs(above), lambda a, b: text(q.adj_close[a], q.close[a]))


def shifted_dates(q: Quotes) -> list[Span]:
    """Return the whole span of a series whose moves fit the market of another session better.

    The last 750 moves, 100 at least: the correlation with the index of the exchange, or with the
    series in step with it, of the session before or after is 0.15 or more, and 4 standard errors
    above that of the session itself. The index itself only if more series are off than in step.
    """
    return spans_of_lag(q.dates, q.lag)


def lag_between(q: Quotes, peers: Sequence[Quotes]) -> int | None:
    """Return by how many sessions a series lags behind the median of its peers; see `lag_of`.

    Parameters
    ----------
    q : Quotes
    peers : sequence of Quotes
        At least one.
    """
    moves = np.diff(np.log(q.bars.price))
    rows = np.arange(1, len(moves) + 1)[-MOVES:]
    first, last = q.bars.dates[rows - 1], q.bars.dates[rows]
    market = row_medians(np.array([peer.moved(first, last) for peer in peers]).T)
    return lag_of(moves[rows - 1], market)


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
    late, early, in_step = number[1], number[-1], number[0]
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


def spans_of_lag(dates: DateArray, lag: int) -> list[Span]:
    """Return the whole span of a series that lags behind its market; [] if it does not.

    Parameters
    ----------
    dates : (n,) datetime64[D] array
    lag : int
        As of `lag_of`.
    """
    when = {1: "late", -1: "early"}.get(lag)
    return [Span(dates[0], dates[-1], f"dates look one session {when}")] * bool(when)


def same_prices(q: Quotes) -> list[Span]:
    """Return the whole span of a series that moves as the one of another symbol does.

    Their last 60 moves are equal to 6 digits, on the same days.
    """
    return same_as(q.dates, q.twin)


def twins_of(series: Iterable[tuple[str, DateArray, FloatArray]]) -> dict[str, str]:
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


def same_as(dates: DateArray, twin: str) -> list[Span]:
    """Return the whole span of a series that is that of another symbol; [] without one.

    Parameters
    ----------
    dates : (n,) datetime64[D] array
    twin : str
        The other symbol; "" = none.
    """
    return [Span(dates[0], dates[-1], f"the prices of {twin}")] * bool(twin)


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
    a, b = moves[max(lag, 0) : n + min(lag, 0)], market[max(-lag, 0) : n - max(lag, 0)]
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


def explain_dates(dates: DateArray, sessions: DateArray) -> Reason | None:
    """Return why the dates of a series cannot be meant; None if they can.

    Parameters
    ----------
    dates : (n,) datetime64[D] array
    sessions : (S,) datetime64[D] array
        Of its exchange, at least from the first to the last date; empty = not known.

    Returns
    -------
    Reason or None
        With the number of days that are no sessions, and an example.
    """
    if not len(sessions):
        return None
    month, day = dates.astype("datetime64[M]"), dates.astype(int)
    months, days = month.astype(int) % 12, day - month.astype("datetime64[D]").astype(int)
    can = (days < 12) & (days != months)
    years = month[can].astype("datetime64[Y]").astype("datetime64[M]")
    turned = (years + days[can]).astype("datetime64[D]") + months[can]
    closed = ~np.isin(dates[can], sessions)
    if closed.sum() < max(SEVERAL, CLOSED * can.sum()):
        return None
    inside = (turned >= sessions[0]) & (turned <= sessions[-1])
    if (~np.isin(turned[inside], sessions)).sum() > RIGHT * inside.sum():
        return None
    example, meant = dates[can][closed][0], turned[closed][0]
    return Reason("swapped_dates", n=int(closed.sum()), day=str(example), meant=str(meant))


def explain_closed(
    dates: DateArray, values: FloatArray, sessions: DateArray, calendar: str
) -> Reason | None:
    """Return why a series is not used of which too much happened while its exchange was closed.

    Parameters
    ----------
    dates : (n,) datetime64[D] array
    values : (n,) float array
        Prices that are not those of the row before, or returns that are not zero; NaN = missing.
    sessions : (S,) datetime64[D] array
        Of its exchange; empty = not known.
    calendar : str
        Their name.

    Returns
    -------
    Reason or None
        If more than 10 % of the values, and more than one, are between sessions.
    """
    if not len(sessions):
        return None
    has_value = np.isfinite(values)
    inside = (dates > sessions[0]) & (dates < sessions[-1])
    next_session = sessions[np.minimum(np.searchsorted(sessions, dates), len(sessions) - 1)]
    strays = np.flatnonzero(has_value & inside & (next_session != dates))
    n = int(has_value.sum())
    if len(strays) <= max(ACCIDENT, CLOSED * n):
        return None
    facts = {"n": len(strays), "total": n, "calendar": calendar, "day": str(dates[strays[0]])}
    return Reason("mostly_closed", share=len(strays) / n, **facts)
