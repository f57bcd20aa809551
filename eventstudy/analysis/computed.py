"""A study computed from its inputs, with the market values and the grid that its settings name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import ConfigError
from ..fitting.fit import fit_config
from ..fitting.fitted import FittedStudy, MarketValues
from ..fitting.inputs import YAHOO, SizesFile, StudyInputs, read_sizes
from ..fitting.settings import within
from ..prices.sizes import OLDEST_COUNT, SIZE_COLUMNS, Sizes, as_of
from ..returns import ReturnsPanel
from ..returns.currency import LOCAL, currency_of, dollars_per, rate_symbol, rates_of, unit_of
from ..returns.load import Progress
from ..utility.typing import DateArray, FloatArray, ObjectArray
from .shifted_dates import MOST_FITS
from .specifications import specifications_table
from .weights import unvalued

# Days that a close stays in use: a share may be halted before its event.
HALTED = 100


def compute_study(
    inputs: StudyInputs, *, progress: Progress = None, most_fits: float = MOST_FITS
) -> FittedStudy:
    """Return the fitted study of the inputs, with market values and a grid if they name some.

    Parameters
    ----------
    inputs : StudyInputs
    progress : callable, optional
        Called with (symbols done, symbols in all) while prices are fetched.
    most_fits : float
        As for :func:`eventstudy.analysis.specifications.specifications_table`.

    Returns
    -------
    FittedStudy
        An event without a market value has NaN there. ``specifications`` is the table of
        :func:`eventstudy.analysis.specifications.specifications_table`.

    Raises
    ------
    EventStudyError
        As :func:`fit_config` and :func:`with_market_values` do.
    """
    inputs.require_used()
    config = inputs.config
    study = fit_config(inputs, config, inputs.prices, progress=progress)
    if config.size:
        source = inputs.sizes or config.size
        study = with_market_values(study, source, currency=config.currency, offline=inputs.offline)
    if config.grid:
        with within("grid"):
            table = specifications_table(study, config, most_fits=most_fits)
            study = replace(study, specifications=table)
    return study


def with_market_values(
    study: FittedStudy,
    source: str | Path | SizesFile,
    *,
    currency: str = LOCAL,
    offline: bool = False,
) -> FittedStudy:
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


def require_network(offline: bool) -> None:
    """Raise ConfigError for market values from Yahoo if the network is not to be used."""
    if offline:
        problem = "shares outstanding from Yahoo need the network"
        remedy = "give --size a file: the tables/sizes.csv of an earlier run will do"
        raise ConfigError(problem, value=YAHOO, remedy=remedy)


def _from_yahoo(tickers: list[str], dates: DateArray, offline: bool) -> Sizes:
    from ..prices.yahoo import YahooProvider

    require_network(offline)
    start = (dates.min() - np.timedelta64(HALTED, "D")).astype(object)
    return YahooProvider().sizes(tickers, start, dates.max().astype(object))


def _sizes_of(file: Sizes, panel: ReturnsPanel) -> Sizes:
    """Return the market values of a file; shares are multiplied with the closes of the panel."""
    table = file.table if "mcap" in file.table else _times_closes(file.table, panel)
    rows = table.reindex(columns=[*SIZE_COLUMNS]).reset_index(drop=True)
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
        shares = as_of(dates, counts["shares"].to_numpy(float), days, OLDEST_COUNT)
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
    values, reasons = np.full(days.shape, np.nan), np.full(len(days), "", dtype=object)
    by_ticker = {str(ticker): rows for ticker, rows in sizes.table.groupby("ticker", sort=False)}
    spelled = {t: str(rows["currency"].fillna("").iloc[0]) for t, rows in by_ticker.items()}
    currencies = sorted({currency_of(t, spelled[t]) for t in tickers if t in by_ticker})
    wanted = currencies[0] if code == LOCAL and len(currencies) == 1 else code
    for i, ticker in enumerate(tickers):
        if ticker not in by_ticker:
            reasons[i] = sizes.failures.get(ticker, f"not in {sizes.source}")
            continue
        if wanted == LOCAL:
            reasons[i] = f"market values are in {', '.join(currencies)}: use --currency USD"
            continue
        rows = by_ticker[ticker]
        dates = rows["date"].to_numpy().astype("datetime64[D]")
        mcap = rows["mcap"].to_numpy(float) * _rate(spelled[ticker], ticker, wanted, panel, dates)
        # At the last close before each day; a day beyond the data has none.
        oldest = HALTED if rows["close"].notna().any() else OLDEST_COUNT
        values[i] = as_of(dates, mcap, days[i] - np.timedelta64(1, "D"), oldest)
        if not np.isfinite(values[i]).any():
            reasons[i] = "no market value before the event, or no exchange rate"
    return MarketValues(values, start, wanted, reasons, sizes)


def _rate(quoted: str, ticker: str, into: str, panel: ReturnsPanel, days: DateArray) -> FloatArray:
    """Return units of the into currency per unit that the source counts in, on `days`."""
    source_currency, unit = currency_of(ticker, quoted), unit_of(quoted)
    if source_currency == into:
        return np.full(len(days), unit)
    symbols = [s for s in map(rate_symbol, (source_currency, into)) if s]
    rates = rates_of(panel.prices, symbols) if panel.prices is not None else {}
    if not source_currency or any(s not in rates for s in symbols):
        return np.full(len(days), np.nan)
    return unit * dollars_per(source_currency, rates, days) / dollars_per(into, rates, days)
