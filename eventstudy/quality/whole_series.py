"""Faults of a whole series of prices: its length, its dates, its firm and its adjusted closes.

The last paragraph of each function is its rule as it stands in docs/faults.md, word for word.
"""

from __future__ import annotations

import numpy as np

from ..utility import BoolArray, DateArray
from .corporate_actions import ABOVE
from .faults import Span
from .quotes import LATE, Quotes, runs

# Prices that a history needs.
HISTORY = 100


def no_adjusted(q: Quotes) -> list[Span]:
    """Return the whole span of a symbol without adjusted closes.

    No adjusted close at all.
    """
    if q.adjusted or not np.isfinite(q.close).any():
        return []
    return [Span(q.dates[0], q.dates[-1], "no adjusted close at all")]


def adjusted_gap(q: Quotes) -> list[Span]:
    """Return closes without an adjusted close, where there are others.

    A row with a close and without an adjusted close.
    """
    gap = q.adjusted & np.isfinite(q.close) & np.isnan(q.adj_close)
    return q.spans(runs(gap), lambda a, b: f"close {q.close[a]:g} without an adjusted close", n=1)


def late_start(q: Quotes) -> list[Span]:
    """Return the sessions before a listing.

    The first row is more than 5 sessions after the start of the data.
    """
    if not q.begins:
        return []
    last = q.sessions[np.searchsorted(q.sessions, q.dates[0]) - 1]
    return [Span(q.sessions[0], last, f"first price on {q.dates[0]}")]


def ended(q: Quotes) -> list[Span]:
    """Return the sessions after the last price.

    The last price is more than 5 sessions before the end of the data.
    """
    priced = q.dates[np.isfinite(q.price)]
    if len(q.sessions) <= LATE or not len(priced) or priced[-1] >= q.sessions[-1 - LATE]:
        return []
    first = q.sessions[np.searchsorted(q.sessions, priced[-1], side="right")]
    return [Span(first, q.sessions[-1], f"last price on {priced[-1]}")]


def short_history(q: Quotes) -> list[Span]:
    """Return the whole span of a symbol with few prices.

    The series has fewer than 100 prices.
    """
    count = int(np.isfinite(q.price).sum())
    return [Span(q.dates[0], q.dates[-1], f"{count} prices in all")] if count < HISTORY else []


def adjusted_jump(q: Quotes) -> list[Span]:
    """Return moves of the adjusted close that neither the close nor an action explains.

    The ratio changes by at least 5 times the median move of the close, too, and the close itself by
    less than a third of this change. The ratio falls, or it ends above 1.

    The ratio of adjusted close to close changes by at least 3 %, and no dividend or split can be
    the cause.
    """
    return _adjustments(q, q.adjustments.lone & q.adjustments.impossible)


def suspect_adjustment(q: Quotes) -> list[Span]:
    """Return moves of the adjusted close alone that may be a large dividend on a day of news.

    As for `adjusted_jump`, but the ratio rises and does not end above 1.

    The ratio of adjusted close to close rises by at least 3 %, while the close hardly moves.
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

    No later reverse split in the closes (1.3 or more old shares for a new one) explains this, and
    the series has no `adjusted_jump` or `suspect_adjustment`.

    The adjusted close is more than 0.5 % above the close.
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

    The correlation of the returns with the index returns of one session earlier (or later) is 0.15
    or more, and more than 4 standard errors higher than that with the index returns of the same
    session. Of the last 750 sessions, 100 returns are needed. If the index decides nothing, the
    series in step with the index take its place.

    The returns fit the index returns of the session before or after better than those of the same
    session.
    """
    return spans_of_lag(q.dates, q.lag)


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

    The last 60 returns are those of another symbol, to 6 decimals and on the same days.
    """
    return same_as(q.dates, q.twin)


def same_as(dates: DateArray, twin: str) -> list[Span]:
    """Return the whole span of a series that is that of another symbol; [] without one.

    Parameters
    ----------
    dates : (n,) datetime64[D] array
    twin : str
        The other symbol; "" = none.
    """
    return [Span(dates[0], dates[-1], f"the prices of {twin}")] * bool(twin)
