"""Faults of prices: their detection and treatment (docs/faults.md).

The function of a kind takes the rows of one symbol and returns the days on which it sees its fault;
its docstring has the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property, partial

import numpy as np

from ..utility import BoolArray, DateArray, FloatArray, pd
from ..words import Reason
from . import comparison, whole_series
from .corporate_actions import row_medians
from .faults import BROKEN, FLAGGED, NAMED, SPANNED, SeriesFault, Span, as_faults
from .quotes import NO_DATES, Quotes, runs

# Equal closes in a row.
EQUAL = 5
# Closes lie outside the range of their day by rounding up to this share.
RANGE = 0.005
FILLED = "returns of a second source"
UNADJUSTED = "closes are used: dividends and splits count as returns"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What is done about one kind of fault.

    Attributes
    ----------
    find : callable
        Returns the days of a symbol's rows on which it is seen.
    action : str
        What is done.
    is_noted : bool
        Whether it is among the notes of a panel.
    """

    find: Callable[[Quotes], list[Span]]
    action: str
    is_noted: bool = False


def suspension(q: Quotes) -> list[Span]:
    """Return the halts whose sessions repeat the last close.

    High and low are equal or blank in each of these rows, and a blank volume counts as 0. A series
    without any volume has no such rows.

    Two or more rows in succession repeat the last close without volume.
    """
    return q.spans(
        ((a, b) for a, b in runs(q.stale) if b > a),
        lambda a, b: f"{b - a + 1} rows repeat a close without volume",
        n=1,
    )


def no_trade(q: Quotes) -> list[Span]:
    """Return single rows that repeat the last close.

    High and low are equal or blank, and the series has volume on most days.

    A single row repeats the last close with volume 0.
    """
    return q.spans(
        ((a, b) for a, b in runs(q.stale) if b == a),
        lambda a, b: f"close {q.close[a]:g} repeated without volume",
    )


def missing_session(q: Quotes) -> list[Span]:
    """Return the sessions between two rows.

    The calendar of the exchange has a session between two rows of the file.
    """
    known = np.r_[q.dates, _lost(q), q.filled]
    return [] if q.complete else _gaps(q, ~np.isin(q.sessions, known), "row")


def lost_session(q: Quotes) -> list[Span]:
    """Return the sessions between two rows on which the whole exchange has no price.

    At least three symbols of the exchange have prices before and after the session (two, if the
    data have at most three).

    No symbol of the exchange has a usable price on this session.
    """
    lost = np.setdiff1d(_lost(q), q.filled)
    return _gaps(q, np.isin(q.sessions, lost), "price") if len(lost) else []


def _lost(q: Quotes) -> DateArray:
    return NO_DATES if q.market is None else q.market.lost


def _gaps(q: Quotes, is_missing: BoolArray, what: str) -> list[Span]:
    inside = (q.sessions > q.dates[0]) & (q.sessions < q.dates[-1])
    gaps = runs(inside & is_missing)
    counts = [b - a + 1 for a, b in gaps]
    return [
        Span(q.sessions[a], q.sessions[b], f"{n} session{'s' * (n > 1)} without a {what}", n)
        for (a, b), n in zip(gaps, counts, strict=True)
    ]


def filled(q: Quotes) -> list[Span]:
    """Return the sessions whose returns, and the one after them, are those of another source.

    In between, the second source does not only repeat its last close, and none of its prices is
    more than 2.9 times the price before it, or less than 1/5 of it.

    Over the missing sessions, the returns of both sources differ by at most 5 basis points.
    """
    return [
        Span(fill.dates[1], fill.dates[-1], f"{len(fill.dates) - 1} returns from {fill.source}")
        for fill in q.fills
    ]


def sources_differ(q: Quotes) -> list[Span]:
    """Return the days whose returns in two sources differ.

    The returns of two sources on one day differ by more than 0.25 percentage points.
    """
    out = []
    for source, _, other in q.others:
        _, days, ours, theirs = q.differing(other)
        for day, own, move in zip(days, ours, theirs, strict=True):
            out.append(Span(day, day, f"return {own:+.2%} is used, {source} has {move:+.2%}"))
    return sorted(out)


def no_price(q: Quotes) -> list[Span]:
    """Return rows without a usable close, or rows that contradict each other.

    Close and adjusted close are both blank or impossible, or one of them differs between two rows
    of the day.
    """
    blank = np.isnan(q.close) & np.isnan(q.adj_close)
    blank &= ~np.isin(q.dates, np.r_[_lost(q), q.filled])
    detail = "a row without a usable close, or rows that contradict each other"
    return q.spans(runs(blank), lambda a, b: detail)


def closed_day(q: Quotes) -> list[Span]:
    """Return prices on days that are no session.

    The exchange was closed on the date of the row.
    """
    if q.complete:
        return []
    inside = (q.dates >= q.sessions[0]) & (q.dates <= q.sessions[-1]) & np.isfinite(q.raw)
    return q.spans(
        runs(inside & ~np.isin(q.dates, q.sessions)),
        lambda a, b: f"close {q.close[b]:g}, no session",
    )


def not_positive(q: Quotes) -> list[Span]:
    """Return prices that are not in (0, inf).

    Sources blank such prices, so that only tables of other origin have them.

    The price is 0, below 0 or infinite.
    """
    price = q.adj_close if q.adjusted else q.close
    return q.spans(runs(np.isnan(q.raw) & ~np.isnan(price)), lambda a, b: f"price {price[a]:g}")


def spike(q: Quotes) -> list[Span]:
    """Return prices that are soon taken back.

    The price is more than 5 times the last price or less than 1/5 of it, and within five prices
    back within 20 %.
    """
    return q.spans(runs(q.spikes), partial(_move_to, q), n=1)


def unit_change(q: Quotes) -> list[Span]:
    """Return changes of the unit, and other moves that no share makes.

    The price is more than 20 times the last price, or less than 1/60 of it, and it is not a spike.
    """
    return _jumps(q, q.jumps[0][q.units])


def unadjusted_split(q: Quotes) -> list[Span]:
    """Return splits that were not applied to the prices before them.

    The move fits a split ratio of 1.9 or more, with log-odds of 4 or more.
    """
    return _splits(q, q.actions.proven)


def suspect_split(q: Quotes) -> list[Span]:
    """Return moves that may be a split that was not applied.

    Without volume, the log-odds are 2.5 or more. Volume, range and later moves together add more
    than -4, or the close is beyond a price limit.

    The move fits a split ratio of 1.1 or more, with log-odds of 0.5 or more.
    """
    return _splits(q, ~q.actions.proven)


def suspect_dividend(q: Quotes) -> list[Span]:
    """Return falls at the open that may be a dividend, of shares without adjusted closes.

    The gap from the last close to the open is at least 7 times the usual gap: the median gap of the
    60 days before / 0.6745, 0.5 % at least. The market falls by less than a third of the gap. At
    the close, the share is still down by at least half of the gap. Volume and range are closer to
    those of other days than to those of news. The share has no adjusted closes, and the fall is
    neither a split nor at a price limit.

    The share opens 3 % or more below the last close, with usual volume and range.
    """
    priced = np.flatnonzero(np.isfinite(q.price))

    def detail(row: int, _: int) -> str:
        before = q.raw[priced[np.searchsorted(priced, row) - 1]]
        return f"opened at {q.open[row]:g} after {before:g}"

    return q.spans(((row, row) for row in q.dividends), detail)


def suspect_jump(q: Quotes) -> list[Span]:
    """Return moves that no other kind explains and news does not make.

    A move of more than 8 % relative to the market exceeds three usual moves and stays at the new
    level, and volume, range and the next 10 moves alone give log-odds of 3 or more (no sign of
    news). The move is no change of unit, no split, no suspected dividend and not beyond a price
    limit.

    The price changes by a factor above 2.9 or below 1/5, or by more than 8 % without a sign of
    news.
    """
    rows = np.union1d(q.jumps[0][~q.units], q.steps[0])
    explained = np.isin(rows, np.r_[q.actions.rows, q.dividends])
    explained |= np.isfinite(q.limits.beyond)[rows]
    return _jumps(q, rows[~explained & ~np.isin(rows, q.jumps[0][q.units])])


def suspect_reversal(q: Quotes) -> list[Span]:
    """Return moves of one day that the next one takes back, with usual volume and range.

    The move is larger than 8 % relative to the market too, and than 5 usual moves; what the next
    price leaves of it is less than 3 of them. The volume is at most twice the usual volume (the
    median of the 20 days before), and the range at most half of the move; one of them is enough
    where the other is unknown. The close is not at a price limit.

    The price moves by more than 8 %, and the next price takes back at least three quarters of the
    move.
    """
    return _jumps(q, q.steps[1])


def beyond_limit(q: Quotes) -> list[Span]:
    """Return closes that the exchange did not allow.

    The share is of mainland China and not under special treatment (ST). Its closes are on the tick,
    and it was traded in the session before. The day is not among the first sessions of the series,
    because a new listing may have no limit in these sessions. The move is not a split.

    The close is outside a price limit that is certain.
    """
    return _beyond(q, proven=True)


def suspect_limit(q: Quotes) -> list[Span]:
    """Return closes outside price limits that are not known well enough for a proof.

    The close does not meet all conditions of `beyond_limit`. No session is missing directly before
    the close, the day is not among the first sessions after a listing, and the move is not a split.

    The close is outside a price limit that is not certain.
    """
    return _beyond(q, proven=False)


def stale_price(q: Quotes) -> list[Span]:
    """Return runs of equal closes that are no halt.

    5 or more equal closes in a row, each with a high and low that are equal, blank or unchanged.
    """
    high, low = q.high, q.low
    # a range, and another than the one before: the close is a chance
    ranges = (high > low)[1:] & ((high[1:] != high[:-1]) | (low[1:] != low[:-1]))
    same = np.zeros(len(q.dates), dtype=bool)
    same[1:] = (q.quoted[1:] == q.quoted[:-1]) & ~q.stale[1:] & ~ranges
    repeats = ((a - 1, b) for a, b in runs(same) if b - a + 2 >= EQUAL)
    return q.spans(repeats, lambda a, b: f"{b - a + 1} equal closes of {q.quoted[a]:g}")


def outside_range(q: Quotes) -> list[Span]:
    """Return closes outside the range of their day.

    The close is outside the range of its day by more than 0.5 %.
    """
    outside = (q.close > q.high * (1 + RANGE)) | (q.close < q.low * (1 - RANGE))
    text = "close {:g}, range {:g} to {:g}".format
    return q.spans(runs(outside), lambda a, b: text(q.close[a], q.low[a], q.high[a]))


def _jumps(q: Quotes, rows: Iterable[int]) -> list[Span]:
    return q.spans(((row, row) for row in rows), partial(_move_to, q))


def _move_to(q: Quotes, row: int, _: int) -> str:
    """Return the price of a row, and the last one before it."""
    before = q.raw[:row][np.isfinite(q.price[:row])][-1]
    return f"price {q.raw[row]:g} after {before:g}"


def _splits(q: Quotes, chosen: BoolArray) -> list[Span]:
    """Return actions, each with its prices and nearest ratio."""
    ratios = dict(zip(q.actions.rows, q.actions.ratios, strict=True))
    rows = ((row, row) for row in q.actions.rows[chosen])
    return q.spans(rows, lambda a, b: f"{_move_to(q, a, b)}, near {_ratio(ratios[a])}")


def _ratio(ratio: float) -> str:
    """Return a ratio of shares, as 2:1."""
    return f"{ratio:.3g}:1" if ratio > 1 else f"1:{1 / ratio:.3g}"


def _beyond(q: Quotes, *, proven: bool) -> list[Span]:
    """Return closes outside the limits that no other kind explains."""
    if not q.rules:
        return []
    over, at = q.limits.beyond, np.isfinite(q.limits.beyond) & (q.limits.proven == proven)
    explained = np.r_[q.actions.rows, q.jumps[0][q.units], q.adjustments.lone_rows]
    rows = np.setdiff1d(np.flatnonzero(at), explained)
    return q.spans(zip(rows, rows, strict=True), lambda a, b: f"{over[a]:+.1%} in one session")


# In the order of docs/faults.md; the sentences of the catalogue have their names.
FAULTS: Mapping[str, FaultKind] = {
    "suspension": FaultKind(suspension, SPANNED),
    "no_trade": FaultKind(no_trade, SPANNED),
    "missing_session": FaultKind(missing_session, SPANNED),
    "lost_session": FaultKind(lost_session, SPANNED),
    "no_price": FaultKind(no_price, SPANNED),
    "filled": FaultKind(filled, FILLED, is_noted=True),
    "sources_differ": FaultKind(sources_differ, FLAGGED, is_noted=True),
    "closed_day": FaultKind(closed_day, "put aside"),
    "not_positive": FaultKind(not_positive, SPANNED),
    "no_adjusted": FaultKind(whole_series.no_adjusted, UNADJUSTED),
    "adjusted_gap": FaultKind(whole_series.adjusted_gap, SPANNED),
    "adjusted_jump": FaultKind(whole_series.adjusted_jump, BROKEN, is_noted=True),
    "suspect_adjustment": FaultKind(whole_series.suspect_adjustment, FLAGGED, is_noted=True),
    "adjusted_above": FaultKind(whole_series.adjusted_above, FLAGGED, is_noted=True),
    "spike": FaultKind(spike, SPANNED, is_noted=True),
    "unit_change": FaultKind(unit_change, BROKEN, is_noted=True),
    "unadjusted_split": FaultKind(unadjusted_split, BROKEN, is_noted=True),
    "suspect_split": FaultKind(suspect_split, FLAGGED, is_noted=True),
    "suspect_dividend": FaultKind(suspect_dividend, FLAGGED),
    "suspect_jump": FaultKind(suspect_jump, FLAGGED, is_noted=True),
    "suspect_reversal": FaultKind(suspect_reversal, FLAGGED, is_noted=True),
    "beyond_limit": FaultKind(beyond_limit, BROKEN, is_noted=True),
    "suspect_limit": FaultKind(suspect_limit, FLAGGED, is_noted=True),
    "stale_price": FaultKind(stale_price, FLAGGED),
    "outside_range": FaultKind(outside_range, FLAGGED),
    "shifted_dates": FaultKind(whole_series.shifted_dates, FLAGGED, is_noted=True),
    "same_prices": FaultKind(whole_series.same_prices, FLAGGED, is_noted=True),
    "late_start": FaultKind(whole_series.late_start, "no return before"),
    "ended": FaultKind(whole_series.ended, "no return after"),
    "short_history": FaultKind(whole_series.short_history, FLAGGED),
}


class SeriesFaults(tuple[SeriesFault, ...]):
    """Faults of one or several series."""

    # The last returns of a series that its dates are judged by.
    RECENT = comparison.MOVES

    @classmethod
    def of(cls, quotes: Quotes) -> SeriesFaults:
        """Return all faults of one symbol, kind by kind in the order of `FAULTS`."""
        faults = list[SeriesFault]()
        for name, kind in FAULTS.items():
            faults += as_faults(quotes.symbol, name, kind.action, kind.find(quotes))
        return cls(faults)

    @classmethod
    def of_returns(
        cls, moves: Mapping[str, FloatArray], dates: DateArray, indices: Sequence[str]
    ) -> SeriesFaults:
        """Return the returns of a calendar that look shifted, or are those of another symbol.

        Parameters
        ----------
        moves : mapping of str to (m,) float array
            The last returns by symbol, `RECENT` at most; NaN = missing.
        dates : (T,) datetime64[D] array
            All sessions of the calendar.
        indices : sequence of str
            Of its exchange, best first.

        Returns
        -------
        SeriesFaults
            The market is the median of the other rows of the calendar, of 11 of them at most.
        """
        recent = dates[-cls.RECENT :]
        twins = comparison.find_twins((symbol, recent, moves[symbol]) for symbol in moves)

        def compare(symbol: str, peers: Sequence[str]) -> int | None:
            market = row_medians(np.array([moves[peer] for peer in peers]).T)
            return comparison.lag_of(moves[symbol], market)

        lags = comparison.judge_dates(list(moves), indices, compare)
        faults = list[SeriesFault]()
        for symbol in moves:
            shifted = whole_series.spans_of_lag(dates, lags.get(symbol, 0))
            same = whole_series.same_as(dates, twins.get(symbol, ""))
            faults += as_faults(symbol, "shifted_dates", FLAGGED, shifted)
            faults += as_faults(symbol, "same_prices", FLAGGED, same)
        return cls(faults)

    def notes(self) -> list[str]:
        """Return the notes on them, one for each symbol and kind that is noted."""
        groups: dict[tuple[str, str], list[SeriesFault]] = {}
        for fault in self:
            if FAULTS[fault.kind].is_noted:
                groups.setdefault((fault.symbol, fault.kind), []).append(fault)
        return [_note(kind.replace("_", " "), group) for (_, kind), group in groups.items()]

    def near(self, symbol: str, first: object, last: object) -> tuple[SeriesFault, ...]:
        """Return the faults of a symbol that touch a range of days.

        Parameters
        ----------
        symbol : str
        first, last : date, datetime64 or str
            Both inclusive; text is YYYY-MM-DD.
        """
        start, stop = (str(np.datetime64(day, "D")) for day in (first, last))  # type: ignore[call-overload]
        faults = self._by_symbol.get(symbol, ())
        return tuple(f for f in faults if f.date <= stop and f.last >= start)

    @cached_property
    def _by_symbol(self) -> dict[str, list[SeriesFault]]:
        faults: dict[str, list[SeriesFault]] = {}
        for fault in self:
            faults.setdefault(fault.symbol, []).append(fault)
        return faults

    def table(self) -> pd.DataFrame:
        """Return them as a table, one row a fault."""
        names = [field.name for field in fields(SeriesFault) if field.name != "n"]
        return pd.DataFrame(list(map(asdict, self)), columns=names)


def _note(kind: str, faults: list[SeriesFault]) -> str:
    days = "; ".join(f"{f.date} {f.detail}" for f in faults[:NAMED])
    more = "; ..." * (len(faults) > NAMED)
    text = f"{kind} ({days}{more}): {faults[0].action}"
    return Reason("of_symbol", symbol=faults[0].symbol, text=text)
