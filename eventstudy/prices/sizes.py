"""Market values of firms by day: closes times shares outstanding, in one unit of shares.

Their faults, and those of share counts, are treated as docs/faults.md says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import ClassVar

import numpy as np
import pandas as pd

from ..errors import BadAnswerError, NoPricesError, PriceError
from ..quality import SeriesFault, judge_sizes
from ..utility import DateArray, FloatArray
from ..words import make_error

# The faults and notices of one firm are in the `attrs` of its table by this name.
REMARKS = "remarks"
Splits = Mapping[np.datetime64, float]
# Days after a split in which a share count may still be the old one.
LAGGING = 120
# Stock dividends below this size are within the noise of the counts (log ratio).
SMALL_SPLIT = 0.05


@dataclass(frozen=True, eq=False)
class Sizes:
    """Market values of several firms.

    Attributes
    ----------
    table : DataFrame
        Columns `Sizes.COLUMNS`, a row a firm and session; ``mcap`` in units of ``currency``, as the
        source spells it (``GBp`` is pence).
    failures : mapping of str to str
        Why a firm has none.
    source : str
    unanswered : tuple of str
        Firms for which the source did not answer.
    faults : tuple of SeriesFault
    notices : tuple of str
        What the gate saw in the numbers.
    """

    # Columns of a table, and of a record, in which a firm without values has a note.
    COLUMNS: ClassVar = ("ticker", "date", "close", "shares", "mcap", "currency")
    RECORD: ClassVar = (*COLUMNS, "source", "note")
    # Days that a share count stays in use.
    OLDEST_COUNT: ClassVar[int] = 370

    table: pd.DataFrame
    failures: Mapping[str, str]
    source: str
    unanswered: tuple[str, ...] = ()
    faults: tuple[SeriesFault, ...] = ()
    notices: tuple[str, ...] = ()

    def record(self) -> pd.DataFrame:
        """Return values and failures as one table with the columns `RECORD`."""
        failed = pd.DataFrame({"ticker": [*self.failures], "note": [*self.failures.values()]})
        rows = pd.concat([self.table, failed]) if len(failed) else self.table.assign(note="")
        rows = rows.assign(source=self.source).sort_values(["ticker", "date"], kind="stable")
        return rows.reset_index(drop=True)[[*self.RECORD]]

    @classmethod
    def of(cls, outcomes: Mapping[str, pd.DataFrame | PriceError], source: str) -> Sizes:
        """Return market values from the outcome of each firm.

        Parameters
        ----------
        outcomes : mapping of str to DataFrame or PriceError
            By firm, as `market_values` returns or raises them.
        source : str

        Returns
        -------
        Sizes
        """
        errors = {s: error for s, error in outcomes.items() if isinstance(error, PriceError)}
        tables = [table for table in outcomes.values() if not isinstance(table, PriceError)]
        remarks = [table.attrs.pop(REMARKS, ((), ())) for table in tables]
        table = pd.DataFrame(columns=[*cls.COLUMNS])
        if tables:
            table = pd.concat(tables, ignore_index=True)
        unanswered = (s for s, error in errors.items() if error.is_transient)
        failures = {symbol: error.what for symbol, error in errors.items()}
        faults, notices = (tuple(chain.from_iterable(s[i] for s in remarks)) for i in (0, 1))
        return cls(table, failures, source, tuple(unanswered), faults, notices)


def market_values(
    symbol: str, history: pd.DataFrame, counts: pd.Series[float] | None, currency: str, start: date,
    end: date,
) -> pd.DataFrame:  # fmt: skip
    """Return the market values of one firm on its sessions from `start` to `end`.

    Parameters
    ----------
    symbol, currency : str
    history : DataFrame
        Rows by exchange midnight until today, ``Close`` restated for every split until today, and
        ``Stock Splits`` (new shares for an old one, 0 on other days), as yfinance returns it.
    counts : Series
        Shares outstanding by time, each in the unit of its day.
    start, end : date
        Inclusive.

    Returns
    -------
    DataFrame
        Columns `Sizes.COLUMNS`. ``shares`` is the last count of at most 370 days before, times the
        splits since it: it has the unit of ``close``; NaN where there is none.

    Raises
    ------
    NoPricesError
        If there is no count, or none that fits.
    BadAnswerError
        If the counts do not move with a split: they are not in the unit of their day.

    Notes
    -----
    .. math:: M_t = P_t N_s \\prod_{s < u} q_u

    with the close P restated for splits, the last count N at s <= t, and the ratios q of later
    splits.
    """
    if counts is None or counts.empty:
        raise NoPricesError("no shares outstanding from this source", where=symbol)
    days = np.array([at.date() for at in counts.index], dtype="datetime64[D]")
    by_day = pd.Series(counts.to_numpy(float), index=days).groupby(level=0).last()
    by_day = by_day[by_day > 0]
    sessions = np.array([at.date() for at in history.index], dtype="datetime64[D]")
    close = history["Close"].to_numpy(float)
    ratio = history["Stock Splits"].to_numpy(float)
    splits = {sessions[i]: float(ratio[i]) for i in np.flatnonzero(ratio > 0)}
    dates = by_day.index.to_numpy().astype("datetime64[D]")
    dates, current = checked(dates, np.asarray(by_day, dtype=np.float64), splits, symbol)
    current = restated(dates, current, splits)
    texts = {"ticker": symbol, "text": current.astype(str)}
    judged = pd.DataFrame({"date": dates.astype("datetime64[s]"), "shares": current, **texts})
    stays, *remarks = judge_sizes(judged, "shares", "yahoo")
    shares = as_of(dates[stays], current[stays], sessions, Sizes.OLDEST_COUNT)
    first, last = (np.datetime64(day, "D") for day in (start, end))
    keep = (sessions >= first) & (sessions <= last) & np.isfinite(close)
    if not np.isfinite(shares[keep]).any():
        raise NoPricesError(f"no shares outstanding of {start} to {end}", where=symbol)
    cells = {"date": sessions.astype("datetime64[s]"), "close": close, "shares": shares}
    table = pd.DataFrame({name: values[keep] for name, values in cells.items()})
    table = table.assign(ticker=symbol, mcap=table["close"] * table["shares"], currency=currency)
    table.attrs[REMARKS] = remarks
    return table[[*Sizes.COLUMNS]]


def checked(
    dates: DateArray, counts: FloatArray, splits: Splits, symbol: str
) -> tuple[DateArray, FloatArray]:
    """Return the counts without those that a split has not reached yet.

    Parameters
    ----------
    dates : (n,) datetime64[D] array
        Ascending.
    counts : (n,) float array
        Shares outstanding.
    splits : mapping of datetime64 to float
        New shares for an old one, by day.
    symbol : str

    Returns
    -------
    dates, counts : (m,) arrays

    Raises
    ------
    BadAnswerError
        Where all counts of the 120 days after a split are old, and the next one too: their unit is
        not known.

    Notes
    -----
    A count after a split is old unless it is nearer to the last one before the split times the
    ratio than to that one. Splits of less than 5 % are within the noise.
    """
    keep = np.ones(len(dates), dtype=bool)
    for day, ratio in splits.items():
        after = dates >= day
        if after.all() or abs(np.log(ratio)) < SMALL_SPLIT:
            continue
        last = counts[~after][-1]
        old = np.abs(np.log(counts / last)) < np.abs(np.log(counts / (last * ratio)))
        soon = after & (dates <= day + np.timedelta64(LAGGING, "D"))
        judged = soon.copy()
        judged[np.flatnonzero(after & ~soon)[:1]] = True
        if not (judged & ~old).any():
            raise make_error(BadAnswerError, "wrong.shares_of_split", where=symbol, day=day)
        keep &= ~(soon & old)
    return dates[keep], counts[keep]


def restated(dates: DateArray, counts: FloatArray, splits: Splits) -> FloatArray:
    """Return each count times the ratios of all splits after its day.

    Parameters
    ----------
    dates, counts, splits
        As for `checked`.

    Returns
    -------
    (n,) float array
    """
    out = counts.copy()
    for day, ratio in splits.items():
        out[dates < day] *= ratio
    return out


def as_of(dates: DateArray, values: FloatArray, days: DateArray, oldest: int) -> FloatArray:
    """Return the last value on or before each day.

    Parameters
    ----------
    dates, values : (n,) arrays
        Ascending dates, and their values.
    days : (m,) datetime64[D] array
    oldest : int
        Calendar days after which a value is out of date.

    Returns
    -------
    (m,) float array
        NaN where there is no value, or only one that is out of date.
    """
    out = np.full(len(days), np.nan)
    at = np.searchsorted(dates, days, side="right") - 1
    fresh = at >= 0
    fresh[fresh] = days[fresh] - dates[at[fresh]] <= np.timedelta64(oldest, "D")
    out[fresh] = values[at[fresh]]
    return out
