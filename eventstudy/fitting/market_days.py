"""Whether an index can tell what a share should have done on the days of an event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..abnormal import AbnormalReturns
from ..calendars import Symbol, Window, bundled_rows, weekdays_closed
from ..models import LinearModel
from ..quality import LimitRule
from ..returns import Factor, ReturnsPanel
from ..utility import BoolArray, DateArray, FloatArray, IntArray, ObjectArray
from ..windows import TRADED, EventWindows
from ..words import Reason
from .fitted import FittedStudy
from .layout import Layout

# An index that moves by this share of what its members may move is at their limit.
NEAR_LIMIT = 0.9
# A move of so many standard deviations of the estimation days is an event of the market itself.
FAR = 10.0
# A slope of the index of another session above SLOPE, with a t above SURE, tells of other closing
# hours. Moves are cut off at so many times their median size; of fewer days nothing is said.
SLOPE, SURE, CUT, FEWEST_DAYS = 0.15, 4.0, 6.0, 60
# Nobody reads notes on the pairs of more events.
MOST_PAIRS = 5000
# The smallest limit of all boards.
LEAST_LIMIT = min(rule.percent for rule in LimitRule.ALL if rule.percent)
# Days on which an exchange ended trade in all shares before its close.
_STOPS = [(row["calendar"], row["day"]) for row in bundled_rows("market_stops.csv")]


@dataclass(frozen=True, eq=False)
class IndexDays:
    """The sessions of an exchange, and what an index did on them.

    Attributes
    ----------
    symbol : str
    days : (T,) datetime64[D] array
    moves : (T,) float array
        Decimal returns; NaN where there is none.
    sessions : (T,) int array
        Sessions that each return covers, weekdays of a closed exchange among them; 0 without one.
    at_limit, stopped : (T,) bool arrays
        Whether it moved by nine tenths of what its members may move, or more, and whether its
        exchange ended trade in all shares before the close.
    """

    symbol: str
    days: DateArray
    moves: FloatArray
    sessions: IntArray
    at_limit: BoolArray
    stopped: BoolArray

    @property
    def is_cut(self) -> BoolArray:
        """Whether the move of a day is not the one that the market wanted, shape (T,)."""
        return self.at_limit | self.stopped

    @classmethod
    def of(cls, panel: ReturnsPanel, symbol: str, calendar: str) -> IndexDays:
        """Return the days of a symbol that has a row on the calendar.

        Parameters
        ----------
        panel : ReturnsPanel
        symbol, calendar : str
        """
        columns = panel.calendars[calendar]
        row = panel.row(symbol, calendar)
        moves = panel.values[row, columns]
        spans = panel.spans[row, columns].astype(np.int64)
        days = panel.sessions[columns]
        sessions = spans
        if calendar in panel.closed:
            closed = panel.closed[calendar][columns]
            before = np.maximum(np.arange(len(closed)) - spans, 0)
            sessions = spans + np.where(spans > 0, closed - closed[before], 0)
        simple = np.where(sessions == 1, np.expm1(moves) if panel.kind == "log" else moves, np.nan)
        return cls(symbol, days, moves, sessions, *_cut_days(symbol, days, simple))

    def usual(self, first: IntArray, last: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of the returns of one session from day to day, (n,).

        Parameters
        ----------
        first, last : (n,) int arrays
            Places of the days, both included; beyond the data they count as the ends.
        """
        single = self.sessions == 1
        value = np.where(single, self.moves, 0.0)
        sums = np.zeros((3, len(value) + 1))
        np.cumsum(np.stack([single, value, value**2]), axis=1, out=sums[:, 1:])
        ends = (np.clip(at, 0, len(value)) for at in (first, last + 1))
        start, stop = (sums[:, at] for at in ends)
        with np.errstate(invalid="ignore", divide="ignore"):
            count, mean, square = stop - start
            mean = mean / count
            square = square / count
            return mean, np.sqrt(np.maximum(square - mean**2, 0.0))


def judge_markets(layout: Layout, windows: EventWindows, main: Window) -> ObjectArray:
    """Return why the market model cannot be used on the days of each event, (n,); "" if it can.

    Parameters
    ----------
    layout : Layout
    windows : EventWindows
        Of n events.
    main : Window
        The days that are looked at.

    Returns
    -------
    (n,) object array
        A Reason with the index, and the first of what holds: ``market_ended``, it has no return
        any more on a day of the share; ``market_stopped``, its exchange ended trade before the
        close; ``market_at_limit``, it moved by nine tenths of the price limit of its members;
        ``market_far``, by ten standard deviations of the estimation days.
        Without an index, and for measures other than returns, "".
    """
    out = np.full(len(windows), "", dtype=object)
    for index, rows in indices_of(layout):
        place = np.searchsorted(index.days, windows.sessions[windows.day0[rows]])
        rows, place = rows[windows.day0[rows] >= 0], place[windows.day0[rows] >= 0]
        first, last = windows.estimation.start, windows.estimation.stop
        mean, spread = index.usual(place + first, place + last)
        at = place[:, None] + main.days
        inside = (at >= 0) & (at < len(index.days))
        at = np.clip(at, 0, len(index.days) - 1)
        length = index.sessions[at]
        with np.errstate(invalid="ignore", divide="ignore"):
            times = np.abs(index.moves[at] - length * mean[:, None])
            times /= np.sqrt(length) * spread[:, None]
        kinds = {
            "market_stopped": inside & index.stopped[at],
            "market_at_limit": inside & index.at_limit[at],
            "market_far": inside & (times > FAR),
        }
        newest = int(np.flatnonzero(index.sessions > 0).max(initial=-1))
        is_over = (inside & (at > newest)).any(axis=1)
        unusual = np.any(list(kinds.values()), axis=0).any(axis=1)
        for k in np.flatnonzero(unusual | is_over):
            i, facts = int(rows[k]), {"index": index.symbol}
            if is_over[k] and _has_return_after(layout, windows, i, main, index.days[newest]):
                out[i] = Reason("market_ended", date=str(index.days[newest]), **facts)
            elif unusual[k]:
                code = next(code for code, days in kinds.items() if days[k].any())
                moves = np.where(kinds[code][k], index.moves[at[k]], 0.0)
                day = int(np.argmax(np.abs(moves)))
                date = str(index.days[at[k, day]])
                size = float(times[k, day])
                out[i] = Reason(code, date=date, move=float(moves[day]), times=size, **facts)
    return out


def indices_of(layout: Layout) -> Iterator[tuple[IndexDays, IntArray]]:
    """Yield each index of the events with its days, and the events that it is the market of.

    Parameters
    ----------
    layout : Layout
    """
    panel, symbols = layout.panel, layout.symbols.get(Factor.MARKET.name)
    if symbols is None or panel.measure != "return":
        return
    groups: dict[tuple[str, str], list[int]] = {}
    for i, (symbol, name) in enumerate(zip(symbols, layout.calendars, strict=True)):
        groups.setdefault((symbol, name.partition(TRADED)[0]), []).append(i)
    for (symbol, calendar), rows in groups.items():
        if panel.row(symbol, calendar) >= 0:
            yield IndexDays.of(panel, symbol, calendar), np.array(rows)


def _cut_days(symbol: str, days: DateArray, moves: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return on which days an index was at the limit of its members, or its exchange stopped."""
    home = Symbol(symbol).home
    at_limit, stopped = np.zeros((2, len(days)), dtype=bool)
    if home is None:
        return at_limit, stopped
    for t in np.flatnonzero(np.abs(moves) > NEAR_LIMIT * LEAST_LIMIT):
        limit = LimitRule.largest_move(symbol, home.code, days[t])
        at_limit[t] = limit is not None and abs(moves[t]) > NEAR_LIMIT * limit
    for calendar, day in _STOPS:
        if calendar == home.calendar:
            stopped |= days == np.datetime64(day)
    return at_limit, stopped


def _has_return_after(
    layout: Layout, windows: EventWindows, i: int, main: Window, last: np.datetime64
) -> bool:
    """Return whether the firm of event i has a return in the main window after a day."""
    days = slice(main.start - windows.event.start, main.stop - windows.event.start + 1)
    at = windows.event_positions[i, days]
    at = at[at >= 0]
    if layout.rows[i] < 0:
        return False
    spans = layout.panel.spans[layout.rows[i], at]
    return bool(((spans > 0) & (windows.sessions[at] > last)).any())


def stops_of(layout: Layout) -> BoolArray:
    """Return on which columns of the panel the move of the index of each event is cut, (n, T).

    Parameters
    ----------
    layout : Layout
    """
    panel = layout.panel
    out = np.zeros((len(layout.rows), len(panel.sessions)), dtype=bool)
    for index, rows in indices_of(layout):
        out[np.ix_(rows, np.searchsorted(panel.sessions, index.days))] = index.is_cut
    return out


# Codes of reasons for which the move of an index is not the one that the market wanted.
CUT_CODES = ("market_at_limit", "market_stopped")


def judged_markets(study: FittedStudy) -> ObjectArray:
    """Return why the market model cannot be used on the days of each event of a study, (n,).

    Parameters
    ----------
    study : FittedStudy

    Returns
    -------
    (n,) object array
        As :func:`judge_markets` over the main window; "" without a layout.
    """
    layout, windows = study.layout, study.abnormal.windows
    if layout is None:
        return np.full(len(study.events), "", dtype=object)
    return study.remember("markets", lambda: judge_markets(layout, windows, study.main))


def is_index_cut(study: FittedStudy) -> bool:
    """Return whether the only used event of a study has an index that is not free on its days.

    Parameters
    ----------
    study : FittedStudy
    """
    if len(study) != 1:
        return False
    reason = Reason.of(judged_markets(study)[study.ok][0])
    return reason.code in CUT_CODES


def note_markets(
    table: pd.DataFrame, abnormal: AbnormalReturns, layout: Layout, main: Window, model: LinearModel
) -> Iterator[Reason]:
    """Yield what is to be said of the markets of the used events: closures, kinds, closing hours.

    Parameters
    ----------
    table : DataFrame
        The n events with their status.
    abnormal : AbnormalReturns
    layout : Layout
    main : Window
    model : LinearModel
    """
    used = table["status"].to_numpy() == "ok"
    if not used.any() or layout.panel.measure != "return":
        return
    closed = weekdays_closed_within(abnormal, main)[used]
    # The answer of one event says it itself.
    if closed.any() and used.sum() > 1:
        yield Reason("exchange_closed", n=int((closed > 0).sum()), weekdays=int(closed.max()))
    symbols = layout.symbols.get(Factor.MARKET.name)
    if symbols is None:
        return
    tickers = table["ticker"].tolist()
    pairs = dict.fromkeys((tickers[i], symbols[i]) for i in np.flatnonzero(used).tolist())
    for kind, index in dict.fromkeys((_class_of(t), s) for t, s in pairs if _differ(t, s)):
        names = [t for t, s in pairs if s == index and _class_of(t) == kind and _differ(t, s)]
        yield Reason("market_of_other_kind", index=index, symbols=names)
    if len(table) <= MOST_PAIRS and all(factor.lag == 0 for factor in model.factors):
        yield from _note_hours(tickers, used, abnormal, layout)


def weekdays_closed_within(abnormal: AbnormalReturns, window: Window) -> IntArray:
    """Return for how many weekdays exchanges were closed within a window, (n,); 0 for holidays.

    Parameters
    ----------
    abnormal : AbnormalReturns
    window : Window
    """
    windows, cols = abnormal.windows, abnormal.columns(window)
    out = np.zeros(len(abnormal), np.int64)
    for k, calendar in enumerate(windows.calendars):
        closed = weekdays_closed(windows.sessions[calendar])
        if closed.any():
            rows = np.flatnonzero(windows.calendar == k)
            at = windows.event_positions[rows, cols]
            columns = np.zeros(len(windows.sessions), np.int64)
            columns[calendar] = closed
            inside = (at >= 0) & abnormal.inside(window)[rows]
            out[rows] = np.where(inside, columns[np.maximum(at, 0)], 0).sum(axis=1)
    return out


def _class_of(symbol: str) -> str:
    """Return the kind of asset behind a symbol: an index is one of shares."""
    kind = Symbol(symbol).kind
    return "share" if kind == "index" else kind


def _differ(ticker: str, index: str) -> bool:
    """Return whether a market is of another kind of asset; one of several members is of shares."""
    return ";" not in index and _class_of(ticker) != _class_of(index)


def _note_hours(
    tickers: Sequence[str], used: BoolArray, abnormal: AbnormalReturns, layout: Layout
) -> Iterator[Reason]:
    """Yield which firms close at another hour than their index, by their last events."""
    windows, panel, groups = abnormal.windows, layout.panel, dict[tuple[str, str], list[Any]]()
    for index, rows in indices_of(layout):
        last = {tickers[i]: i for i in rows[np.argsort(windows.day0[rows])].tolist() if used[i]}
        for ticker, i in last.items():
            calendar = layout.calendars[i].partition(TRADED)[0]
            row = panel.row(ticker, calendar)
            columns = panel.calendars[calendar]
            zero = int(np.searchsorted(index.days, windows.sessions[windows.day0[i]]))
            days = zero + windows.estimation.days
            single = (panel.spans[row, columns] == 1) & (index.sessions == 1)
            share = np.where(single, panel.values[row, columns], np.nan)
            market = np.where(index.sessions == 1, index.moves, np.nan)
            side, slope, t = other_session_of(share, market, days)
            if side:
                groups.setdefault((index.symbol, side), []).append((t, slope, ticker))
    for (symbol, side), pairs_of_index in groups.items():
        t, slope, _ = max(pairs_of_index)
        names = [ticker for _, _, ticker in pairs_of_index]
        yield Reason(f"other_hours_{side}", symbols=names, index=symbol, slope=slope, t=t)


def other_session_of(
    share: FloatArray, market: FloatArray, days: IntArray
) -> tuple[str, float, float]:
    r"""Return whether an index of the next or the last session explains a share, with slope and t.

    Parameters
    ----------
    share, market : (T,) float arrays
        Returns on the same sessions; NaN = missing.
    days : (M,) int array
        Places of the estimation days.

    Returns
    -------
    side : {"", "next", "last"}
        "" where neither does.
    slope, t : float
        Of the index of that session, in the direction of all slopes together.

    Notes
    -----
    Least squares of

    .. math:: R_{it} = a + b_0 R_{mt} + b_{+1} R_{m,t+1} + b_{-1} R_{m,t-1} + e_{it}

    with moves cut off at six times their median size, so that no single day decides. A share that
    closes after its index has moved by what the index does a session later. One of the outer slopes
    above 0.15 with t above 4 says so; a slope against the others is a reversal and no closing hour.

    References
    ----------
    Dimson, E. (1979), Risk measurement when shares are subject to infrequent trading, Journal of
    Financial Economics 7, 197-226.
    """
    days = days[(days >= 1) & (days < len(market) - 1)]
    share = _cut(share, days)
    market = _cut(market, days)
    X = np.column_stack([np.ones(len(days)), market[days], market[days + 1], market[days - 1]])
    y = share[days]
    complete = np.isfinite(y) & np.isfinite(X).all(axis=1)
    X = X[complete]
    y = y[complete]
    if len(y) < FEWEST_DAYS or not y.any() or np.linalg.matrix_rank(X) < X.shape[1]:
        return "", np.nan, np.nan
    inverse = np.linalg.inv(X.T @ X)
    slopes = inverse @ X.T @ y
    resid = y - X @ slopes
    errors = np.sqrt(np.diag(inverse) * (resid @ resid) / (len(y) - X.shape[1]))
    slopes *= np.sign(slopes[1:].sum())
    t = slopes / errors
    for side, k in (("next", 2), ("last", 3)):
        if slopes[k] > SLOPE and t[k] > SURE:
            return side, float(slopes[k]), float(t[k])
    return "", np.nan, np.nan


def _cut(moves: FloatArray, days: IntArray) -> FloatArray:
    """Return moves cut off at six times their median size on some days."""
    sizes = np.abs(moves[days])
    bound = CUT * np.median(sizes[np.isfinite(sizes)]) if np.isfinite(sizes).any() else np.inf
    return np.clip(moves, -bound, bound)
