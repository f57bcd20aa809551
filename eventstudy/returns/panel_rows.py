"""Rows of a panel of returns: their sessions, factors and portfolios, and notes on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..calendars.exchanges import EXCHANGES, exchange_of
from ..errors import DataError
from ..prices.quality.quotes import Quotes
from ..utility.catalogue import Reason
from ..utility.typing import DateArray, FloatArray, IntArray, ReturnKind
from .sessions import between, compounded
from .table import Clock, Key

if TYPE_CHECKING:
    import pandas as pd

    from ..calendars.sessions import Sessions


DATA_CALENDAR = "data"
# The calendar that each exchange keeps: Shenzhen's is Shanghai's.
CLOCKS = {e.code: e.calendar for e in EXCHANGES.values() if e.calendar}


def factor_rows(
    frame: pd.DataFrame, sessions: DateArray, kind: ReturnKind
) -> dict[str, tuple[FloatArray, IntArray]]:
    """Return the returns of factors on the sessions of a calendar, and the sessions they cover.

    Parameters
    ----------
    frame : DataFrame
        Decimal returns, dates as index.
    sessions : (T,) datetime64 array
    kind : {"simple", "log"}
        Of the returns that are given back.

    Returns
    -------
    dict of str to (values, spans)
        Each of shape (T,); NaN and 0 where the market of the factor was closed.
    """
    dates, rows = frame.index.to_numpy().astype("datetime64[D]"), {}
    for name in frame.columns:
        simple = frame[name].to_numpy(float)
        returns = np.log1p(simple) if kind == "log" else simple
        values, _ = compounded(dates, returns, sessions, kind)
        present = np.flatnonzero(np.isfinite(values))
        spans = np.zeros(len(sessions), np.int64)
        spans[present] = np.diff(present, prepend=present[:1] - 1)
        rows[str(name)] = (values, spans)
    return rows


def clock_of(prices: Sequence[Quotes], sessions: Mapping[str, Sessions]) -> Clock:
    """Return the sessions from the first to the last day of any price."""
    first, last = min(q.dates[0] for q in prices), max(q.dates[-1] for q in prices)
    return Clock.of({name: between(s.dates, first, last) for name, s in sessions.items()})


def equal_weight(values: FloatArray, kind: ReturnKind) -> tuple[FloatArray, IntArray]:
    """Return the mean of simple returns (m, T) over the members present, and where there is one."""
    count = np.isfinite(values).sum(axis=0)
    mean = np.where(count > 0, np.nansum(values, axis=0) / np.maximum(count, 1), np.nan)
    return (np.log1p(mean) if kind == "log" else mean), (count > 0).astype(np.int64)


def span_type(longest: int) -> type[np.signedinteger[Any]]:
    """Return the type of the spans of a panel with so many sessions."""
    return np.int16 if longest <= np.iinfo(np.int16).max else np.int32


def calendar_of_symbol(symbol: str) -> str | None:
    try:
        exchange = exchange_of(symbol)
    except DataError:
        return None
    return exchange.calendar if exchange else None


def judged_limits(
    quotes_of: Mapping[str, tuple[Quotes, IntArray]], keys: Iterable[Key]
) -> list[str]:
    """Say for which symbols price limits were judged from returns."""
    symbols = dict.fromkeys(symbol for symbol, _ in keys)
    approx = [s for s in symbols if quotes_of[s][0].rules and quotes_of[s][0].limits.approx.any()]
    if not approx:
        return []
    names = ", ".join(approx[:3]) + ", ..." * (len(approx) > 3)
    return [Reason("limits_from_returns", names=names)]


def put_aside(symbol: str, calendar: str, outside: int) -> list[str]:
    return [Reason("closed_days", symbol=symbol, n=outside, calendar=calendar)] * (outside > 0)


def home_calendars(keys: Iterable[Key]) -> dict[str, str]:
    """Return the calendar of each symbol's exchange, or of the data; absent without one."""

    def is_home(symbol: str, calendar: str) -> bool:
        on_clock = "=" not in symbol and calendar_of_symbol(symbol) == CLOCKS.get(calendar, "")
        return on_clock or calendar == DATA_CALENDAR

    return {symbol: calendar for symbol, calendar in keys if is_home(symbol, calendar)}
