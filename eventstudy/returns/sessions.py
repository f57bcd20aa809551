"""Prices and returns moved onto the sessions of an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..utility.typing import DateArray, FloatArray, IntArray, ReturnKind

if TYPE_CHECKING:
    from ..calendars.sessions import Sessions

# Time zone of sessions whose exchange is not known.
NO_ZONE = "UTC"


def returns_of(price: FloatArray, *, kind: ReturnKind = "simple") -> tuple[FloatArray, IntArray]:
    """Return the returns of one price series and the sessions that each spans.

    Parameters
    ----------
    price : (T,) float array
        Closes on consecutive sessions; NaN = no trade.

    Returns
    -------
    values : (T,) float array
        Return since the last observed price; NaN where there is no price or none before.
    spans : (T,) int array
        Sessions since the last observed price; 0 where the return is missing.
    """
    seen = np.flatnonzero(np.isfinite(price))
    values, spans = np.full(len(price), np.nan), np.zeros(len(price), dtype=np.int64)
    ratio = price[seen[1:]] / price[seen[:-1]]
    values[seen[1:]] = ratio - 1 if kind == "simple" else np.log(ratio)
    spans[seen[1:]] = np.diff(seen)
    return values, spans


def usual_hours(sessions: Sessions) -> tuple[float, float]:
    """Return the median opening and closing of an exchange in UTC hours of the session's date.

    A calendar made of the dates of the data knows no hours, and is open together with every other.
    """
    if sessions.tz == NO_ZONE:
        return 0.0, 24.0
    midnight = sessions.dates.astype("datetime64[s]")
    opens, closes = (
        (at - midnight) / np.timedelta64(1, "h") for at in (sessions.opens, sessions.closes)
    )
    return float(np.median(opens)), float(np.median(closes))


def compounded(
    dates: DateArray, values: FloatArray, sessions: DateArray, kind: ReturnKind
) -> tuple[FloatArray, int]:
    """Return `values` compounded over the days since the session before; NaN where a session has
    none.

    Also how many fell on days that are no sessions, each part of the next session's return.
    """
    known = np.isfinite(values)
    dates, values = dates[known], values[known]
    # A return of -100 % stays one: its logarithm is kept finite.
    growth = values if kind == "log" else np.log1p(np.maximum(values, -1 + 1e-15))
    at = np.searchsorted(sessions, dates)
    inside = at < len(sessions)
    own = np.zeros(len(dates), dtype=bool)
    own[inside] = sessions[at[inside]] == dates[inside]
    if own.all():
        return on_sessions(dates, values, sessions)
    total = np.bincount(at[inside], weights=growth[inside], minlength=len(sessions))
    there = np.zeros(len(sessions), dtype=bool)
    there[at[own]] = True
    out = np.where(there, total if kind == "log" else np.expm1(total), np.nan)
    single = np.bincount(at[inside], minlength=len(sessions)) == 1
    exact, _ = on_sessions(dates, values, sessions)
    return np.where(single & there, exact, out), int((~own).sum())


def between(dates: DateArray, first: np.datetime64, last: np.datetime64) -> DateArray:
    """Return the dates from `first` to `last`."""
    return dates[(dates >= first) & (dates <= last)]


def on_sessions(
    dates: DateArray, values: FloatArray, sessions: DateArray, absent: float = np.nan
) -> tuple[FloatArray, int]:
    """Return `values` on `sessions` (`absent` elsewhere) and how many fell on other days."""
    if len(dates) == len(sessions) and (dates == sessions).all():
        return values, 0
    out = np.full(len(sessions), absent)
    at = np.searchsorted(sessions, dates)
    hit = np.zeros(len(dates), dtype=bool)
    inside = at < len(sessions)
    hit[inside] = sessions[at[inside]] == dates[inside]
    out[at[hit]] = values[hit]
    return out, int((~hit & np.isfinite(values)).sum())


def break_at(values: FloatArray, spans: IntArray, sessions: DateArray, days: DateArray) -> None:
    """Take out the first return on or after each day, in place: it compares what cannot be
    compared."""
    for day in days:
        later = np.flatnonzero((spans > 0) & (sessions >= day))[:1]
        values[later], spans[later] = np.nan, 0
