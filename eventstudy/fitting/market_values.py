"""Market values of firms before their events: of a file, of events.csv, or of Yahoo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ConfigError, DataError
from ..files import InputFile, SecurityColumns, misread_numbers, number_of
from ..prices import Prices, Sizes, as_of
from ..quality import MissingCodes, judge_sizes
from ..returns import Quotation, Rates, ReturnsPanel, read_market_values
from ..utility import BoolArray, DateArray, FloatArray, ObjectArray
from ..words import make_error, say
from .fitted import FittedStudy, MarketValues

# The source of market values that is no file.
YAHOO = "yahoo"


class SizesFile(Sizes):
    """The numbers of a file of market values.

    Attributes
    ----------
    table : DataFrame
        Columns ticker, date, currency, and mcap or shares, in order of ticker and date.
    failures : mapping of str to str
        Why a firm has none.
    source : str
        Where the numbers are from.
    """


def read_sizes(path: str | Path, firms: Sequence[str] = ()) -> SizesFile:
    """Return the market values in a file with the columns ticker, date, and mcap or shares.

    Of a daily file of CRSP they are price times shares, for `firms`.

    Each number holds from its date on, for 370 days at most. Market values are in the column
    ``currency`` of the file, or the currency of the ticker. Shares will be multiplied with the
    closes of the study, so they must be in the unit of these: restated for later splits where the
    closes are. Codes for missing values, and values that cannot be meant, are left out
    (docs/faults.md, files of market values).

    Raises
    ------
    DataError
        On a missing column, a cell that is no date or no number, or if most are not positive.
    """
    if SecurityColumns(InputFile.columns_of(path)).is_crsp:
        table = read_market_values(path, firms)
    else:
        table = InputFile(path).table(text=("mcap", "shares", "close")).reset_index(drop=True)
    table = table.rename(columns={c: str(c).strip().lower() for c in table.columns})
    table = table.rename(columns={"symbol": "ticker"})
    value = next((c for c in ("mcap", "shares") if c in table), "")
    name = Path(path).name
    missing = [c for c in ("ticker", "date") if c not in table] + ["mcap or shares"] * (not value)
    if missing:
        raise DataError("a column is missing", where=name, value=", ".join(missing))
    is_record = set(Sizes.RECORD) <= set(table.columns)
    failures = dict[str, str]()
    if is_record:
        noted = table[table[value].isna() & table["note"].notna()]
        failures |= zip(noted["ticker"], noted["note"].astype(str), strict=True)
        table = table.drop(index=noted.index)
    texts = table[value].fillna("").astype(str).str.strip()
    dates = pd.to_datetime(table["date"].astype(str).str[:10], errors="coerce", format="ISO8601")
    dates = dates.where(dates.between(str(Prices.FIRST_DAY), str(Prices.LAST_DAY)))
    numbers = texts.map(number_of).astype(float)
    codes = MissingCodes.NUMBERS
    is_code = texts.isin(["", *MissingCodes.TEXTS]) | numbers.isin(codes[codes < 0])
    _refuse_cells(table["ticker"], table["ticker"].isna(), name)
    _refuse_cells(table["date"], dates.isna(), name)
    _refuse_cells(table[value], numbers.isna() & ~is_code, name)
    tickers = table["ticker"].astype(str).str.strip()
    table = table.assign(ticker=tickers, date=dates, text=texts.str[:40].replace("", "blank"))
    table[value] = numbers.mask(is_code)
    table = table.sort_values(["ticker", "date"], kind="stable")
    source = str(table["source"].iloc[0]) if is_record and len(table) else name
    # The record of a run has blank cells on days before the first share count.
    judged = table[table["text"].ne("blank") | (not is_record)]
    stays, faults, notices = judge_sizes(judged, value, name)
    usable = table.drop(index=judged.index[~stays], columns="text")
    lacking = sorted(set(table["ticker"]) - set(usable["ticker"]))
    failures |= dict.fromkeys(lacking, say("size_cell.none", where=name))
    usable = usable.assign(currency=usable.get("currency", ""))
    return SizesFile(usable, failures, source, faults=faults, notices=notices)


def _refuse_cells(cells: pd.Series[Any], bad: pd.Series[bool], name: str) -> None:
    """Raise DataError for the first bad cell of a column of market values."""
    for row in cells.index[bad][:1]:
        place: Any = {"where": f"{name}: row {row + 2}, {cells.name}", "value": str(cells[row])}
        raise make_error(DataError, f"size_cell.{cells.name}", **place)


# So many events without a market value are named, the others counted.
NAMED = 5


def unvalued(
    ids: ObjectArray, reasons: ObjectArray, lacking: BoolArray, column: str = "mcap"
) -> list[str]:
    """Return which events have no usable market value, those with the same reason together.

    Parameters
    ----------
    ids : (n,) object array
        Names of the events.
    reasons : (n,) object array
        Why each has none; "" if no reason was recorded.
    lacking : (n,) bool array
    column : str
        The column of market values.

    Returns
    -------
    list of str
    """
    out = []
    for why in dict.fromkeys(reasons[lacking]):
        names = list(map(str, ids[lacking & (reasons == why)]))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        head = f"no usable market value ({why})" if why else f"no positive {column}"
        out.append(f"{head}: {', '.join(names[:NAMED])}{more}")
    return out


def no_numbers(cells: pd.Series[Any], column: str) -> ObjectArray:
    """Return a reason for each market value that is neither a number nor blank; "" elsewhere.

    Parameters
    ----------
    cells : Series
    column : str

    Returns
    -------
    (n,) object array
    """
    odd = misread_numbers(cells.dropna().astype(str).unique().tolist(), has_numbers=True)
    why = f"{column} is not a number, such as {odd[0]!r}" if odd else ""
    return np.where(cells.isin(odd).to_numpy(bool), why, "").astype(object)


# Days that a close stays in use: a share may be halted before its event.
HALTED = 100


def with_market_values(
    study: FittedStudy, source: str | Path | SizesFile, *, currency: str = Rates.LOCAL,
    offline: bool = False,
) -> FittedStudy:  # fmt: skip
    """Return a study with market values for weights and for losses in money.

    Parameters
    ----------
    study : FittedStudy
    source : str, Path or SizesFile
        ``yahoo``, or a file with ticker, date, and mcap or shares (:func:`read_sizes`).
    currency : str
        An ISO code, or ``local``, which is enough if all firms are quoted in one currency.
    offline : bool
        Never use the network.

    Returns
    -------
    FittedStudy

    Raises
    ------
    NetworkError
        If Yahoo cannot be reached.
    """
    days = study.abnormal.windows.dates
    tickers = study.events["ticker"].to_numpy(object)
    usable = study.ok
    if not usable.any():
        return study
    dates = days[usable][~np.isnat(days[usable])]
    if str(source) == YAHOO:
        symbols = list(dict.fromkeys(tickers[usable]))
        record = _from_yahoo(symbols, dates, offline)
    else:
        file = source if isinstance(source, SizesFile) else read_sizes(source)
        record = _sizes_of(file, study.panel)
    start = study.abnormal.event.start
    sizes = _before_events(record, tickers, days, study.panel, currency, start)
    ids = study.events["event_id"].to_numpy(object)
    lacking = usable & (sizes.reasons != "")
    notices = [f"size: {text}" for text in unvalued(ids, sizes.reasons, lacking)]
    panel = replace(
        study.panel,
        notices=(*study.panel.notices, *record.notices, *notices),
        faults=(*study.panel.faults, *record.faults),
    )
    return replace(study, sizes=sizes, panel=panel)


def require_network(source: str, offline: bool) -> None:
    """Raise ConfigError for market values from Yahoo if the network is not to be used.

    Parameters
    ----------
    source : str
        Where market values come from.
    offline : bool
    """
    if source == YAHOO and offline:
        raise make_error(ConfigError, "wrong.shares_offline", value=YAHOO)


def _from_yahoo(tickers: list[str], dates: DateArray, offline: bool) -> Sizes:
    from ..prices import YahooProvider

    require_network(YAHOO, offline)
    start = (dates.min() - np.timedelta64(HALTED, "D")).astype(object)
    return YahooProvider().sizes(tickers, start, dates.max().astype(object))


def _sizes_of(file: Sizes, panel: ReturnsPanel) -> Sizes:
    """Return the market values of a file; shares are multiplied with the closes of the panel."""
    table = file.table if "mcap" in file.table else _times_closes(file.table, panel)
    rows = table.reindex(columns=[*Sizes.COLUMNS]).reset_index(drop=True)
    return replace(file, table=rows)


def _times_closes(table: pd.DataFrame, panel: ReturnsPanel) -> pd.DataFrame:
    """Return close x shares on every day that a firm of the panel has a close and a count."""
    tables = []
    for ticker, counts in table.groupby("ticker", sort=False):
        closes = _closes(panel.prices, str(ticker))
        if closes is None:
            continue
        days = closes["date"].to_numpy().astype("datetime64[D]")
        dates = counts["date"].to_numpy().astype("datetime64[D]")
        shares = as_of(dates, counts["shares"].to_numpy(float), days, Sizes.OLDEST_COUNT)
        close = closes["close"].to_numpy(float)
        currency = str(panel.provenance.get(str(ticker), {}).get("currency") or "")
        table_ = pd.DataFrame({"date": closes["date"].to_numpy(), "close": close, "shares": shares})
        tables.append(table_.assign(ticker=ticker, mcap=close * shares, currency=currency))
    return pd.concat(tables, ignore_index=True) if tables else table.iloc[:0]


def _closes(prices: pd.DataFrame | None, symbol: str) -> pd.DataFrame | None:
    if prices is None or "close" not in prices:
        return None
    rows = prices[(prices["symbol"] == symbol) & (prices["close"] > 0)]
    return rows.sort_values("date") if len(rows) else None


def _before_events(
    sizes: Sizes, tickers: ObjectArray, days: DateArray, panel: ReturnsPanel, code: str, start: int
) -> MarketValues:
    """Return the market values before each day (n, L2), in one currency."""
    values = np.full(days.shape, np.nan)
    reasons = np.full(len(days), "", dtype=object)
    by_ticker = {str(ticker): rows for ticker, rows in sizes.table.groupby("ticker", sort=False)}
    spelled = {t: str(rows["currency"].fillna("").iloc[0]) for t, rows in by_ticker.items()}
    quotations = {t: Quotation(t, text) for t, text in spelled.items()}
    currencies = sorted({quotations[t].currency for t in tickers if t in by_ticker})
    wanted = currencies[0] if code == Rates.LOCAL and len(currencies) == 1 else code
    for i, ticker in enumerate(tickers):
        if ticker not in by_ticker:
            reasons[i] = sizes.failures.get(ticker, f"not in {sizes.source}")
            continue
        if wanted == Rates.LOCAL:
            reasons[i] = f"market values are in {', '.join(currencies)}: use --currency USD"
            continue
        rows = by_ticker[ticker]
        dates = rows["date"].to_numpy().astype("datetime64[D]")
        mcap = rows["mcap"].to_numpy(float) * _rate(quotations[ticker], wanted, panel, dates)
        # At the last close before each day; a day beyond the data has none.
        oldest = HALTED if rows["close"].notna().any() else Sizes.OLDEST_COUNT
        values[i] = as_of(dates, mcap, days[i] - np.timedelta64(1, "D"), oldest)
        if not np.isfinite(values[i]).any():
            reasons[i] = "no market value before the event, or no exchange rate"
    return MarketValues(values, start, wanted, reasons, sizes)


def _rate(quotation: Quotation, into: str, panel: ReturnsPanel, days: DateArray) -> FloatArray:
    """Return units of the into currency per unit that the source counts in, on `days`."""
    if quotation.currency == into:
        return np.full(len(days), quotation.unit)
    rates = Rates.of(panel.prices, (quotation.currency, into))
    return quotation.unit * rates.between(quotation.currency, into, days)
