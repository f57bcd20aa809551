"""The market value of each firm before each day of its event window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError, DataError
from ..events.decimals import SIZE, unread
from ..fitting.market_values import MarketValues
from ..prices.sizes import COLUMNS, OLDEST_COUNT, RECORD, Sizes, as_of
from ..returns.currency import LOCAL, currency_of, dollars_per, rate_symbol, rates_of, unit_of
from ..utility.typing import BoolArray, DateArray, FloatArray, ObjectArray

if TYPE_CHECKING:
    import pandas as pd

    from ..fitting.fitted import FittedStudy
    from ..returns import ReturnsPanel

YAHOO = "yahoo"
# Days that a close stays in use: a share may be halted before its event.
HALTED = 100
# So many events without a market value are named, the others counted.
NAMED = 5


def with_market_values(
    results: FittedStudy, source: str | Path, *, currency: str = LOCAL, offline: bool = False
) -> FittedStudy:
    """Return the results with market values for weights and for losses in money.

    Parameters
    ----------
    results : FittedStudy
    source : str or Path
        ``yahoo``, or a file with ticker, date, and mcap or shares (:func:`read_sizes`).
    currency : str
        An ISO code, or ``local``, which is enough if all firms are quoted in one currency.
    offline : bool
        Never use the network.

    Raises
    ------
    NetworkError
        If Yahoo cannot be reached.
    """
    days = results.abnormal.windows.dates
    tickers = results.events["ticker"].to_numpy(object)
    asked = results.ok
    if not asked.any():
        return results
    known = days[asked][~np.isnat(days[asked])]
    if str(source) == YAHOO:
        found = _from_yahoo(list(dict.fromkeys(tickers[asked])), known.min(), known.max(), offline)
    else:
        found = read_sizes(source, results.panel)
    start = results.abnormal.event.start
    sizes = _before_events(found, tickers, days, results.panel, currency, start)
    ids = results.events["event_id"].to_numpy(object)
    lacking = asked & (sizes.reasons != "")
    said = [f"size: {text}" for text in unvalued(ids, sizes.reasons, lacking)]
    panel = replace(results.panel, notices=(*results.panel.notices, *said))
    return replace(results, sizes=sizes, panel=panel)


def unvalued(
    ids: ObjectArray, reasons: ObjectArray, lacking: BoolArray, column: str = "mcap"
) -> list[str]:
    """Say which events have no market value that can be used, those with the same reason
    together."""
    out = []
    for why in dict.fromkeys(reasons[lacking]):
        own = [str(i) for i in ids[lacking & (reasons == why)]]
        more = f" and {len(own) - NAMED} more" if len(own) > NAMED else ""
        head = f"no usable market value ({why})" if why else f"no positive {column}"
        out.append(f"{head}: {', '.join(own[:NAMED])}{more}")
    return out


def no_numbers(cells: pd.Series[Any], column: str) -> ObjectArray:
    """Say of each market value that is neither a number nor blank that it is none; "" of all
    others."""
    odd = unread(SIZE, cells.dropna().astype(str).unique().tolist())
    why = f"{column} is not a number, such as {odd[0]!r}" if odd else ""
    return np.where(cells.isin(odd).to_numpy(bool), why, "").astype(object)


def require_network(offline: bool) -> None:
    """Refuse market values from Yahoo where the network is not to be used."""
    if offline:
        remedy = "give --size a file: the tables/sizes.csv of an earlier run will do"
        raise ConfigError(
            "shares outstanding from Yahoo need the network", value=YAHOO, remedy=remedy
        )


def _from_yahoo(
    tickers: list[str], first: np.datetime64, last: np.datetime64, offline: bool
) -> Sizes:
    from ..prices.yahoo import YahooProvider

    require_network(offline)
    start = (first - np.timedelta64(HALTED, "D")).astype(object)
    return YahooProvider().sizes(tickers, start, last.astype(object))


def read_sizes(path: str | Path, panel: ReturnsPanel) -> Sizes:
    """Return the market values in a file with the columns ticker, date, and mcap or shares.

    Each number holds from its date on, for 370 days at most. Market values are in the column
    ``currency`` of the file, or the currency of the ticker. Shares are multiplied with the closes
    of the study, so they must be in the unit of these: restated for later splits where the closes
    are.

    Raises
    ------
    DataError
        On a missing column, or a cell that is no date or no positive number.
    """
    import pandas as pd

    from ..returns.returns_files import read_table

    given = read_table(path, text=("mcap", "shares", "close"))
    table = given.rename(columns={c: str(c).strip().lower() for c in given.columns})
    table = table.rename(columns={"symbol": "ticker"})
    value = next((c for c in ("mcap", "shares") if c in table), "")
    lacking = [c for c in ("ticker", "date") if c not in table] + ["mcap or shares"] * (not value)
    name = Path(path).name
    if lacking:
        raise DataError("a column is missing", where=name, value=", ".join(lacking))
    table["date"] = pd.to_datetime(table["date"], errors="coerce", format="ISO8601")
    numbers = table[value].map(_number).astype(float)
    failures, blank = {}, np.zeros(len(table), dtype=bool)
    recorded = set(RECORD) <= set(table.columns)
    if recorded:
        blank = table[value].isna().to_numpy()
        failed = blank & table["note"].notna().to_numpy()
        failures = dict(
            zip(table["ticker"][failed], table["note"][failed].astype(str), strict=True)
        )
        table, numbers, blank = table[~failed], numbers[~failed], blank[~failed]
    bad = np.flatnonzero(table["date"].isna() | ~blank & (~(numbers > 0) | ~np.isfinite(numbers)))
    if len(bad):
        row = table.index[bad[0]]
        cells = ", ".join(map(str, given.loc[row]))
        raise DataError(
            "not a date and a positive number", where=f"{name}: row {row + 2}", value=cells
        )
    table = table.assign(**{value: numbers}).sort_values(["ticker", "date"], kind="stable")
    table = table.assign(currency=table.get("currency", ""))
    if value == "shares":
        table = _times_closes(table, panel)
    origin = str(table["source"].iloc[0]) if recorded and len(table) else name
    return Sizes(table.reindex(columns=[*COLUMNS]).reset_index(drop=True), failures, origin)


def _number(cell: object) -> float:
    """Return a cell as a number, exact to the last bit; NaN where it is none."""
    try:
        return float(str(cell))
    except ValueError:
        return float("nan")


def _times_closes(table: pd.DataFrame, panel: ReturnsPanel) -> pd.DataFrame:
    """Return close x shares on every day that a firm of the panel has a close and a count."""
    import pandas as pd

    parts = []
    for ticker, own in table.groupby("ticker", sort=False):
        closes = _rows(panel.prices, str(ticker))
        if closes is None:
            continue
        days = closes["date"].to_numpy().astype("datetime64[D]")
        dates = own["date"].to_numpy().astype("datetime64[D]")
        shares = as_of(dates, own["shares"].to_numpy(float), days, OLDEST_COUNT)
        close = closes["close"].to_numpy(float)
        given = str(panel.provenance.get(str(ticker), {}).get("currency") or "")
        part = pd.DataFrame({"date": closes["date"].to_numpy(), "close": close, "shares": shares})
        parts.append(part.assign(ticker=ticker, mcap=close * shares, currency=given))
    return pd.concat(parts, ignore_index=True) if parts else table.iloc[:0]


def _rows(prices: pd.DataFrame | None, symbol: str) -> pd.DataFrame | None:
    if prices is None or "close" not in prices:
        return None
    part = prices[(prices["symbol"] == symbol) & (prices["close"] > 0)]
    return part.sort_values("date") if len(part) else None


def _before_events(
    found: Sizes,
    tickers: ObjectArray,
    days: DateArray,
    panel: ReturnsPanel,
    currency: str,
    start: int,
) -> MarketValues:
    """Return the market values before each day (n, L2), in one currency."""
    values, reasons = np.full(days.shape, np.nan), np.full(len(days), "", dtype=object)
    parts = {str(ticker): part for ticker, part in found.table.groupby("ticker", sort=False)}
    spelled = {ticker: str(part["currency"].fillna("").iloc[0]) for ticker, part in parts.items()}
    own = sorted({currency_of(t, spelled[t]) for t in tickers if t in parts})
    wanted = own[0] if currency == LOCAL and len(own) == 1 else currency
    for i, ticker in enumerate(tickers):
        if ticker not in parts:
            reasons[i] = found.failures.get(ticker, f"not in {found.source}")
            continue
        if wanted == LOCAL:
            reasons[i] = f"market values are in {', '.join(own)}: use --currency USD"
            continue
        dates = parts[ticker]["date"].to_numpy().astype("datetime64[D]")
        mcap = parts[ticker]["mcap"].to_numpy(float) * _rate(
            spelled[ticker], ticker, wanted, panel, dates
        )
        # At the last close before each day; a day beyond the data has none.
        daily = parts[ticker]["close"].notna().any()
        values[i] = as_of(dates, mcap, days[i] - 1, HALTED if daily else OLDEST_COUNT)
        if not np.isfinite(values[i]).any():
            reasons[i] = "no market value before the event, or no exchange rate"
    return MarketValues(values, start, wanted, reasons, found)


def _rate(given: str, ticker: str, wanted: str, panel: ReturnsPanel, days: DateArray) -> FloatArray:
    """Return units of the wanted currency per unit that the source counts in, on `days`."""
    own, unit = currency_of(ticker, given), unit_of(given)
    if own == wanted:
        return np.full(len(days), unit)
    symbols = [s for s in map(rate_symbol, (own, wanted)) if s]
    rates = rates_of(panel.prices, symbols) if panel.prices is not None else {}
    if not own or any(s not in rates for s in symbols):
        return np.full(len(days), np.nan)
    return unit * dollars_per(own, rates, days) / dollars_per(wanted, rates, days)
