"""Market values of firms by day: closes times shares outstanding, in one unit of shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadAnswerError, NetworkError, NoPricesError, PriceError, RateLimitedError

if TYPE_CHECKING:
    import pandas as pd

    from ..utility.typing import DateArray, FloatArray

COLUMNS = ("ticker", "date", "close", "shares", "mcap", "currency")
# Those of a record, in which a firm without any has a note.
RECORD = (*COLUMNS, "source", "note")
# Days that a share count stays in use, and days after a split in which it may still be the old one.
OLDEST_COUNT, LAGGING = 370, 120
# Stock dividends of this size cannot be told from other changes of a count.
SMALL_SPLIT = 0.05


@dataclass(frozen=True, eq=False)
class Sizes:
    """Market values of several firms.

    Attributes
    ----------
    table : DataFrame
        Columns `COLUMNS`, a row a firm and session; ``mcap`` in units of ``currency``, as the
        source spells it (``GBp`` is pence).
    failures : mapping of str to str
        Why a firm has none.
    source : str
    unanswered : tuple of str
        Firms of which the source did not say what it has.
    """

    table: pd.DataFrame
    failures: Mapping[str, str]
    source: str
    unanswered: tuple[str, ...] = ()

    def record(self) -> pd.DataFrame:
        """Return all of it as one table, which reads back as it is."""
        import pandas as pd

        failed = pd.DataFrame({"ticker": [*self.failures], "note": [*self.failures.values()]})
        rows = pd.concat([self.table, failed]) if len(failed) else self.table.assign(note="")
        rows = rows.assign(source=self.source).sort_values(["ticker", "date"], kind="stable")
        return rows.reset_index(drop=True)[[*RECORD]]

    @classmethod
    def of(cls, outcomes: Mapping[str, pd.DataFrame | PriceError], source: str) -> Sizes:
        """Return what is known of each firm, and why nothing is known of the others."""
        import pandas as pd

        known = [found for found in outcomes.values() if not isinstance(found, PriceError)]
        failed = {s: found.what for s, found in outcomes.items() if isinstance(found, PriceError)}
        table = pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=[*COLUMNS])
        silent = (
            s
            for s, found in outcomes.items()
            if isinstance(found, (NetworkError, RateLimitedError))
        )
        return cls(table, failed, source, tuple(silent))


def market_values(
    symbol: str,
    history: pd.DataFrame,
    counts: pd.Series[float] | None,
    currency: str,
    start: date,
    end: date,
) -> pd.DataFrame:
    """Return close x shares outstanding of one firm on its sessions from `start` to `end`.

    Parameters
    ----------
    symbol, currency : str
    history : DataFrame
        Rows by exchange midnight until today, ``Close`` restated for every split until today, and
        ``Stock Splits`` (new shares for an old one, 0 on other days): what yfinance returns.
    counts : Series
        Shares outstanding by time, each in the unit of its own day.
    start, end : date
        Inclusive.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. ``shares`` is the last count of at most 370 days before, times the splits
        since it, so that it has the unit of ``close``; NaN where there is none.

    Raises
    ------
    NoPricesError
        If there is no count, or none that fits.
    BadAnswerError
        If the counts do not move with a split: they are not in the unit of their own day.
    """
    import pandas as pd

    if counts is None or counts.empty:
        raise NoPricesError("no shares outstanding from this source", where=symbol)
    days = np.array([at.date() for at in counts.index], dtype="datetime64[D]")
    by_day = pd.Series(counts.to_numpy(float), index=days).groupby(level=0).last()
    by_day = by_day[by_day > 0]
    sessions = np.array([at.date() for at in history.index], dtype="datetime64[D]")
    close, ratio = history["Close"].to_numpy(float), history["Stock Splits"].to_numpy(float)
    splits = {sessions[i]: float(ratio[i]) for i in np.flatnonzero(ratio > 0)}
    dates, own = checked(
        by_day.index.to_numpy().astype("datetime64[D]"),
        np.asarray(by_day, dtype=np.float64),
        splits,
        symbol,
    )
    shares = as_of(dates, restated(dates, own, splits), sessions, OLDEST_COUNT)
    first, last = (np.datetime64(day, "D") for day in (start, end))
    keep = (sessions >= first) & (sessions <= last) & np.isfinite(close)
    if not np.isfinite(shares[keep]).any():
        raise NoPricesError(f"no shares outstanding of {start} to {end}", where=symbol)
    cells = zip(
        ("date", "close", "shares"), (sessions.astype("datetime64[s]"), close, shares), strict=True
    )
    table = pd.DataFrame({name: values[keep] for name, values in cells})
    table = table.assign(ticker=symbol, mcap=table["close"] * table["shares"], currency=currency)
    return table[[*COLUMNS]]


def checked(
    dates: DateArray, counts: FloatArray, splits: Mapping[np.datetime64, float], symbol: str
) -> tuple[DateArray, FloatArray]:
    """Return the counts without those that a split has not reached yet.

    A count after a split is nearer to the last one before it times the ratio, or it is an old one.
    Where all counts of the 120 days after a split are old, and the next one too, the unit of the
    counts is not known: BadAnswerError. Splits of less than 5 % are within the noise.
    """
    keep = np.ones(len(dates), dtype=bool)
    for day, ratio in splits.items():
        after = dates >= day
        if after.all() or abs(np.log(ratio)) < SMALL_SPLIT:
            continue
        last = counts[~after][-1]
        old = np.abs(np.log(counts / last)) < np.abs(np.log(counts / (last * ratio)))
        soon = after & (dates <= day + np.timedelta64(LAGGING, "D"))
        asked = soon.copy()
        asked[np.flatnonzero(after & ~soon)[:1]] = True
        if not (asked & ~old).any():
            what = f"the shares outstanding do not move with the split of {day}"
            raise BadAnswerError(what, where=symbol)
        keep &= ~(soon & old)
    return dates[keep], counts[keep]


def restated(
    dates: DateArray, counts: FloatArray, splits: Mapping[np.datetime64, float]
) -> FloatArray:
    """Return each count times the ratios of all splits after its day."""
    out = counts.copy()
    for day, ratio in splits.items():
        out[dates < day] *= ratio
    return out


def as_of(dates: DateArray, values: FloatArray, days: DateArray, oldest: int) -> FloatArray:
    """Return on `days` the last value of at most `oldest` calendar days before or on that day, else
    NaN."""
    out = np.full(len(days), np.nan)
    at = np.searchsorted(dates, days, side="right") - 1
    fresh = at >= 0
    fresh[fresh] = days[fresh] - dates[at[fresh]] <= np.timedelta64(oldest, "D")
    out[fresh] = values[at[fresh]]
    return out
