"""Closes of a symbol, returns made of them, and both moved onto the sessions of an exchange."""

from __future__ import annotations

import numpy as np

from ..calendars.sessions import Sessions
from ..prices.quality.quotes import Quotes
from ..utility.catalogue import Reason
from ..utility.typing import BoolArray, DateArray, FloatArray, IntArray, ReturnKind

# Time zone of sessions whose exchange is not known.
NO_ZONE = "UTC"


def usable_closes(quotes: Quotes) -> tuple[tuple[DateArray, FloatArray], list[str]]:
    """Return the closes of one symbol that returns are made of, with their dates, and notes.

    Parameters
    ----------
    quotes : Quotes

    Returns
    -------
    (dates, closes) : (T,) arrays
        One for each row, NaN where there is no usable close.
    notes : list of str
        On closes that are not adjusted or not used.

    Notes
    -----
    Adjusted closes; unadjusted ones if the symbol has no adjusted close at all. Missing are

    - prices that are not positive;
    - a close that repeats the last one on a day without volume, if the symbol has volume on other
      days: nothing was traded (docs/methods.md, 1.5);
    - prices far off the others for some days (docs/faults.md).
    """
    symbol, notes = quotes.symbol, list[str]()
    if not quotes.adjusted and np.isfinite(quotes.close).any():
        text = "no adjusted closes, so that dividends and splits count as returns"
        notes.append(Reason("of_symbol", symbol=symbol, text=text))
    elif blank := int((np.isfinite(quotes.close) & ~np.isfinite(quotes.adj_close)).sum()):
        text = f"{blank} closes without an adjusted close were taken as missing"
        notes.append(Reason("of_symbol", symbol=symbol, text=text))
    if count := int(quotes.stale.sum()):
        notes.append(Reason("no_trade", symbol=symbol, n=count))
    return (quotes.dates, quotes.price), notes


def returns_of(price: FloatArray, *, kind: ReturnKind = "simple") -> tuple[FloatArray, IntArray]:
    """Return the returns of one price series and the sessions that each spans.

    Parameters
    ----------
    price : (T,) float array
        Closes on consecutive sessions; NaN = no trade.
    kind : {"simple", "log"}

    Returns
    -------
    values : (T,) float array
        Return since the last observed price; NaN where there is no price or none before.
    spans : (T,) int array
        Sessions since the last observed price; 0 where the return is missing.
    """
    traded = np.flatnonzero(np.isfinite(price))
    values, spans = np.full(len(price), np.nan), np.zeros(len(price), dtype=np.int64)
    ratio = price[traded[1:]] / price[traded[:-1]]
    values[traded[1:]] = ratio - 1 if kind == "simple" else np.log(ratio)
    spans[traded[1:]] = np.diff(traded)
    return values, spans


def usual_hours(sessions: Sessions) -> tuple[float, float]:
    """Return the median opening and closing of an exchange in UTC hours of the session's date.

    A calendar made of the dates of the data knows no hours, and is open together with every other.
    """
    if sessions.tz == NO_ZONE:
        return 0.0, 24.0
    midnight = sessions.dates.astype("datetime64[s]")
    opens, closes = sessions.opens - midnight, sessions.closes - midnight
    hour = np.timedelta64(1, "h")
    return float(np.median(opens / hour)), float(np.median(closes / hour))


def compounded(
    dates: DateArray, values: FloatArray, sessions: DateArray, kind: ReturnKind
) -> tuple[FloatArray, int]:
    """Return `values` compounded over the days since the session before, and how many were strays.

    A session without a value is NaN.

    Parameters
    ----------
    dates : (m,) datetime64 array
        Ascending.
    values : (m,) float array
        Decimal returns; NaN = missing.
    sessions : (T,) datetime64 array
    kind : {"simple", "log"}

    Returns
    -------
    values : (T,) float array
    outside : int
        Returns that fell on days without a session; each is in the return of the next session, and
        is lost where that has no value.
    """
    present = np.isfinite(values)
    dates, values = dates[present], values[present]
    # A return of -100 % stays one: its logarithm is kept finite.
    growth = values if kind == "log" else np.log1p(np.maximum(values, -1 + 1e-15))
    at, is_session = located(dates, sessions)
    inside = at < len(sessions)
    if is_session.all():
        return on_sessions(dates, values, sessions)
    total = np.bincount(at[inside], weights=growth[inside], minlength=len(sessions))
    has_value = np.zeros(len(sessions), dtype=bool)
    has_value[at[is_session]] = True
    out = np.where(has_value, total if kind == "log" else np.expm1(total), np.nan)
    single = np.bincount(at[inside], minlength=len(sessions)) == 1
    exact, _ = on_sessions(dates, values, sessions)
    return np.where(single & has_value, exact, out), int((~is_session).sum())


def located(dates: DateArray, sessions: DateArray) -> tuple[IntArray, BoolArray]:
    """Return the place of each date among the sessions, and whether it is one, both (n,).

    Parameters
    ----------
    dates : (n,) datetime64[D] array
    sessions : (S,) datetime64[D] array
        Ascending. A date that is none has the place of the next session, or S.
    """
    at = np.searchsorted(sessions, dates)
    is_session = at < len(sessions)
    is_session[is_session] = sessions[at[is_session]] == dates[is_session]
    return at, is_session


def between(dates: DateArray, first: np.datetime64, last: np.datetime64) -> DateArray:
    """Return the dates from `first` to `last`.

    Parameters
    ----------
    dates : (m,) datetime64 array
    first, last : datetime64
        Both included.
    """
    return dates[(dates >= first) & (dates <= last)]


def on_sessions(
    dates: DateArray, values: FloatArray, sessions: DateArray, absent: float = np.nan
) -> tuple[FloatArray, int]:
    """Return `values` on `sessions` (`absent` elsewhere) and how many fell on other days.

    Parameters
    ----------
    dates : (m,) datetime64 array
    values : (m,) float array
    sessions : (T,) datetime64 array
        Ascending.
    absent : float
        The value of sessions that are not among `dates`.

    Returns
    -------
    values : (T,) float array
    outside : int
    """
    if len(dates) == len(sessions) and (dates == sessions).all():
        return values, 0
    out, (at, hit) = np.full(len(sessions), absent), located(dates, sessions)
    out[at[hit]] = values[hit]
    return out, int((~hit & np.isfinite(values)).sum())


def break_at(values: FloatArray, spans: IntArray, sessions: DateArray, days: DateArray) -> None:
    """Take out, in place, the first return on or after each day: it compares what differs in unit.

    Parameters
    ----------
    values, spans : (T,) arrays
    sessions : (T,) datetime64 array
    days : datetime64 array
    """
    for day in days:
        later = np.flatnonzero((spans > 0) & (sessions >= day))[:1]
        values[later], spans[later] = np.nan, 0


def row_of(
    series: tuple[DateArray, FloatArray], quotes: Quotes, days: DateArray, kind: ReturnKind | None
) -> tuple[FloatArray, IntArray, FloatArray, int]:
    """Return values, spans and states at limits on sessions, and the values on other days.

    Parameters
    ----------
    series : (n,) dates and closes, or values of a measure
    quotes : Quotes
    days : (S,) datetime64[D] array
    kind : {"simple", "log"}, optional
        Of the returns; without one the values are the measure itself.
    """
    values, outside = on_sessions(*series, days)
    spans = np.isfinite(values).astype(np.int64)
    if kind:
        values, spans = returns_of(values, kind=kind)
        break_at(values, spans, days, quotes.broken)
    states = np.zeros(len(days))
    if quotes.rules:
        states, _ = on_sessions(quotes.dates, quotes.limits.state.astype(float), days, 0.0)
    return values, spans, states, outside
