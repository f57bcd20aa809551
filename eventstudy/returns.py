"""Prices (or returns that the user holds already) on the sessions of each exchange."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .errors import DataError
from .typing import DateArray, FloatArray, IntArray, ReturnKind

if TYPE_CHECKING:
    import pandas as pd

    from .calendars import Sessions

DATA_CALENDAR = "data"
Key = tuple[str, str]


@dataclass(frozen=True, eq=False)
class ReturnsPanel:
    """Decimal returns of every symbol on the union of all sessions, symbol-major.

    Attributes
    ----------
    keys : tuple of (symbol, calendar)
        What each row holds. One symbol has a row for each calendar that it is needed on: an index
        that serves two exchanges is compounded over the sessions of each.
    values : (n_rows, T) float array
        Decimal returns; the return stamped t runs from the last observed close to the close of t.
        NaN = missing, never 0.
    spans : (n_rows, T) int array
        Sessions that each return spans: 1 normally, h+1 after h missing sessions, 0 where missing.
    sessions : (T,) datetime64[D] array
    calendars : mapping of str to int array
        Columns of `sessions` on which each calendar is open.
    hours : mapping of str to (open, close)
        Usual opening hours in UTC, for exchanges that are never open together.
    kind : {"simple", "log"}
    failures : mapping of str to str
        Why a symbol that was asked for has no row.
    notes : tuple of str
        What was put aside while the panel was built.
    """

    keys: tuple[Key, ...]
    values: FloatArray
    spans: IntArray
    sessions: DateArray
    calendars: Mapping[str, IntArray]
    hours: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    kind: ReturnKind = "simple"
    failures: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    prices: pd.DataFrame | None = None
    provenance: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", {key: i for i, key in enumerate(self.keys)})

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that have a row, in order of first appearance."""
        return tuple(dict.fromkeys(symbol for symbol, _ in self.keys))

    def row(self, symbol: str, calendar: str) -> int:
        """Return the row of `symbol` on `calendar`, or -1."""
        rows: dict[Key, int] = self.__dict__["_rows"]
        return rows.get((symbol, calendar), -1)

    def last_session(self, symbol: str, calendar: str) -> np.datetime64:
        """Return the last session on which `symbol` has a return, or NaT."""
        row = self.row(symbol, calendar)
        seen = np.flatnonzero(self.spans[row] > 0) if row >= 0 else np.empty(0, np.intp)
        return np.datetime64(self.sessions[seen[-1]] if len(seen) else "NaT", "D")

    def calendar_of(self, exchange: str) -> str:
        """Return the calendar that events of `exchange` run on: its own, or the data's."""
        return exchange if exchange in self.calendars else DATA_CALENDAR

    @classmethod
    def from_prices(
        cls,
        table: pd.DataFrame,
        *,
        keys: Iterable[Key],
        sessions: Mapping[str, Sessions],
        kind: ReturnKind = "simple",
        **extra: object,
    ) -> ReturnsPanel:
        """Build the panel from a long table of prices.

        Parameters
        ----------
        table : DataFrame
            Columns symbol, date, close, adj_close; NaN = no price. A symbol whose adj_close is blank
            throughout is used at its close.
        keys : iterable of (symbol, calendar)
            The rows wanted; symbols absent from `table` get none.
        sessions : mapping of calendar name to Sessions
        kind : {"simple", "log"}
        """
        if table.empty:
            raise DataError("there is no price at all", remedy="see the reason of each ticker")
        series = {str(s): _series(part) for s, part in table.groupby("symbol", sort=False)}
        first = min(dates[0] for dates, _ in series.values())
        last = max(dates[-1] for dates, _ in series.values())
        dates_of = {name: _between(s.dates, first, last) for name, s in sessions.items()}
        union = np.unique(np.concatenate(list(dates_of.values())))
        calendars = {name: np.searchsorted(union, dates) for name, dates in dates_of.items()}
        wanted = [key for key in dict.fromkeys(keys) if key[0] in series]
        values = np.full((len(wanted), len(union)), np.nan)
        spans = np.zeros((len(wanted), len(union)), dtype=np.int64)
        notes = []
        for i, (symbol, calendar) in enumerate(wanted):
            own = dates_of[calendar]
            price, outside = _on_sessions(*series[symbol], own)
            values[i, calendars[calendar]], spans[i, calendars[calendar]] = returns_of(price, kind=kind)
            if outside:
                notes.append(f"{symbol}: {outside} prices on days that {calendar} was closed were put aside")
        return cls(
            keys=tuple(wanted), values=values, spans=spans, sessions=union, calendars=calendars,
            hours={name: usual_hours(s) for name, s in sessions.items()}, kind=kind,
            notes=tuple(notes), prices=table, **extra,  # type: ignore[arg-type]
        )  # fmt: skip

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        kind: ReturnKind = "simple",
        keys: Iterable[Key] | None = None,
        sessions: Mapping[str, Sessions] | None = None,
        **extra: object,
    ) -> ReturnsPanel:
        """Build the panel from returns that the user holds already (CRSP, Datastream ...).

        Parameters
        ----------
        frame : DataFrame
            Wide (dates as index or first column, one column a symbol) or long (date, ticker, ret);
            decimal returns, NaN = missing. Every return is taken to span one session.
        kind : {"simple", "log"}
            What the returns are; they are not converted.
        keys, sessions : optional
            As in :meth:`from_prices`. Without them the sessions are the dates of the data.
        """
        wide = wide_returns(frame)
        dates = wide.index.to_numpy().astype("datetime64[D]")
        if sessions is None:
            dates_of = {DATA_CALENDAR: dates}
        else:
            dates_of = {name: _between(s.dates, dates[0], dates[-1]) for name, s in sessions.items()}
        if keys is None:
            keys = [(str(symbol), name) for name in dates_of for symbol in wide.columns]
        union = np.unique(np.concatenate(list(dates_of.values())))
        calendars = {name: np.searchsorted(union, own) for name, own in dates_of.items()}
        wanted = [key for key in dict.fromkeys(keys) if key[0] in wide.columns]
        values = np.full((len(wanted), len(union)), np.nan)
        for i, (symbol, calendar) in enumerate(wanted):
            values[i, calendars[calendar]] = _on_sessions(
                dates, wide[symbol].to_numpy(float), dates_of[calendar]
            )[0]
        hours = {name: usual_hours(s) for name, s in (sessions or {}).items()}
        return cls(
            keys=tuple(wanted), values=values, spans=np.isfinite(values).astype(np.int64), sessions=union,
            calendars=calendars, hours=hours, kind=kind, **extra,  # type: ignore[arg-type]
        )  # fmt: skip


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
    """Return the median opening and closing of an exchange in UTC hours of the session's date."""
    midnight = sessions.dates.astype("datetime64[s]")
    opens, closes = ((at - midnight) / np.timedelta64(1, "h") for at in (sessions.opens, sessions.closes))
    return float(np.median(opens)), float(np.median(closes))


def wide_returns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a wide frame of returns (dates ascending x symbols) from a wide or a long one.

    Raises
    ------
    DataError
        On a missing column, a date that cannot be read, a cell that is no number, or a day that
        occurs twice for one symbol.
    """
    import pandas as pd

    named = {str(c).strip().lower(): c for c in frame.columns}
    if "ret" in named or "return" in named:
        ticker = named.get("ticker", named.get("symbol"))
        if ticker is None or "date" not in named:
            raise DataError(
                "a long table of returns needs the columns date, ticker and ret", value=list(frame.columns)
            )
        cells = frame[[named["date"], ticker, named.get("ret", named.get("return"))]].copy()
        cells.columns = pd.Index(["date", "ticker", "ret"])
        twice = cells.duplicated(["date", "ticker"])
        if twice.any():
            row = cells[twice].iloc[0]
            raise DataError("two returns for one ticker and day", value=f"{row['ticker']} {row['date']}")
        wide = cells.set_index(["date", "ticker"])["ret"].unstack("ticker")  # noqa: PD010 - no aggregation wanted
    elif "date" in named:
        wide = frame.set_index(named["date"])
    else:
        wide = frame
    dates = pd.to_datetime(pd.Series(wide.index.astype(str)), errors="coerce", format="ISO8601")
    if dates.isna().any():
        at = int(np.flatnonzero(dates.isna())[0])
        raise DataError(
            "a date that cannot be read", where="returns", value=str(wide.index[at]), remedy="use YYYY-MM-DD"
        )
    numbers = wide.apply(pd.to_numeric, errors="coerce")
    bad = numbers.isna() & wide.notna()
    if bad.to_numpy().any():
        r, c = np.argwhere(bad.to_numpy())[0]
        raise DataError(
            "a return that is no number",
            where=f"{wide.columns[c]} on {wide.index[r]}",
            value=str(wide.iloc[r, c]),
        )
    numbers.index = pd.DatetimeIndex(dates)
    numbers.columns = pd.Index([str(c).strip() for c in numbers.columns])
    if numbers.index.has_duplicates:
        raise DataError("a date occurs twice", value=str(numbers.index[numbers.index.duplicated()][0].date()))
    ordered: pd.DataFrame = numbers.sort_index()
    return ordered


def _series(part: pd.DataFrame) -> tuple[DateArray, FloatArray]:
    price = part["adj_close"].to_numpy(float)
    if not np.isfinite(price).any():
        price = part["close"].to_numpy(float)
    return part["date"].to_numpy().astype("datetime64[D]"), price


def _between(dates: DateArray, first: np.datetime64, last: np.datetime64) -> DateArray:
    return dates[(dates >= first) & (dates <= last)]


def _on_sessions(dates: DateArray, values: FloatArray, sessions: DateArray) -> tuple[FloatArray, int]:
    """Return `values` on `sessions` (NaN where absent) and how many fell on other days."""
    out = np.full(len(sessions), np.nan)
    at = np.searchsorted(sessions, dates)
    hit = np.zeros(len(dates), dtype=bool)
    inside = at < len(sessions)
    hit[inside] = sessions[at[inside]] == dates[inside]
    out[at[hit]] = values[hit]
    return out, int((~hit & np.isfinite(values)).sum())
