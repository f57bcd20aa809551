"""Returns in another currency, and benchmarks in that of their firms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from ..calendars import Exchange, Symbol
from ..prices import as_of
from ..utility import DateArray, FloatArray, IntArray
from ..words import Reason, say
from .panel import ReturnsPanel
from .sessions import Key

LOCAL, USD = "local", "USD"
# Calendar days that an exchange rate stays in use.
OLDEST_RATE = 5
# Hundredths (fils: thousandths), as price sources spell them.
_MINOR = {"GBp": "GBP", "GBX": "GBP", "ILA": "ILS", "ZAc": "ZAR", "ZAC": "ZAR", "KWF": "KWD"}
# Quoted in dollars per unit; the others in units per dollar.
_IN_DOLLARS = {"EUR", "GBP", "AUD", "NZD"}
Rates = Mapping[str, tuple[DateArray, FloatArray]]
Fetch = Callable[[list[str]], tuple[Rates, Mapping[str, str]]]


def major(currency: str) -> str:
    """Return the currency that a source means, pounds for pence: a return is the same in both."""
    return _MINOR.get(currency, currency.upper())


def unit_of(currency: str) -> float:
    """Return what part of a currency prices are counted in: 0.01 for pence."""
    return 1.0 if currency not in _MINOR else 0.001 if currency == "KWF" else 0.01


def currency_of(symbol: str, quoted: str = "") -> str:
    """Return the currency that a source gives, else that of the symbol's exchange; "" if not known.

    Parameters
    ----------
    symbol : str
    quoted : str
        The currency as the source spells it; "" = not given.
    """
    return major(quoted) if quoted else Symbol(symbol).currency


def rate_symbol(currency: str) -> str:
    """Return Yahoo's symbol of a currency against the dollar; "" for the dollar.

    ``EURUSD=X`` is dollars per euro, ``CNY=X`` yuan per dollar.
    """
    if currency == USD:
        return ""
    return f"{currency}USD=X" if currency in _IN_DOLLARS else f"{currency}=X"


def dollars_per(currency: str, rates: Rates, days: DateArray) -> FloatArray:
    """Return dollars per unit of a currency on `days`, shape (T,); NaN where there is no rate.

    Parameters
    ----------
    currency : str
    rates : mapping of str to (dates, values)
        Quoted rates by symbol.
    days : (T,) datetime64 array

    Notes
    -----
    The last rate of at most five calendar days before is used.
    """
    if currency == USD:
        return np.ones(len(days))
    dates, quoted = rates[rate_symbol(currency)]
    is_quoted = np.isfinite(quoted)
    carried = as_of(dates[is_quoted], quoted[is_quoted], days, OLDEST_RATE)
    return carried if currency in _IN_DOLLARS else 1 / carried


def converted(
    values: FloatArray, spans: IntArray, rate: FloatArray, *, log: bool = False
) -> tuple[FloatArray, IntArray]:
    """Return one series of returns in another currency: 1 + R' = (1 + R) S_t / S_{t-n}.

    Parameters
    ----------
    values : (T,) float array
        Returns on consecutive sessions, each since n = `spans` sessions before.
    spans : (T,) int array
    rate : (T,) float array
        S, units of the new currency per unit of the old one; NaN = no rate.
    log : bool
        Whether the returns are logarithms.

    Returns
    -------
    values : (T,) float array
    spans : (T,) int array
        0 where a rate is missing at either end, and the return with it.
    """
    at = np.flatnonzero((spans > 0) & (np.arange(len(spans)) >= spans))
    change = rate[at] / rate[at - spans[at]]
    out, new_spans = np.full(len(values), np.nan), np.zeros(len(spans), dtype=np.int64)
    out[at] = values[at] + np.log(change) if log else (1 + values[at]) * change - 1
    new_spans[at] = np.where(np.isfinite(out[at]), spans[at], 0)
    return out, new_spans


def in_currency(panel: ReturnsPanel, currency: str, fetch: Fetch) -> ReturnsPanel:
    """Return the panel with the returns of each calendar in one currency, by each date's rates.

    Parameters
    ----------
    panel : ReturnsPanel
    currency : str
        An ISO code, or ``local``: that of each exchange, so that a benchmark of another country is
        converted.
    fetch : callable
        Takes symbols of exchange rates; returns those it has, and why it does not have the others.

    Returns
    -------
    ReturnsPanel
        A symbol whose currency or rate is not known has no row, and the reason in ``failures``
        and, for each calendar, in ``failures_on``.
    """
    wanted = {key: _pair(panel, key, currency) for key in panel.keys}
    pairs = {key: pair for key, pair in wanted.items() if pair[0] != pair[1]}
    if not pairs:
        return panel
    symbols = dict.fromkeys(rate_symbol(c) for pair in pairs.values() for c in pair if c)
    rates, missing = fetch([s for s in symbols if s])
    panel = _without(panel, {key: why for key, p in pairs.items() if (why := _lacking(p, missing))})
    values, spans, notes = panel.values.copy(), panel.spans.copy(), []
    for i, (symbol, calendar) in enumerate(panel.keys):
        old, new = wanted[symbol, calendar]
        if old == new:
            continue
        columns = panel.calendars[calendar]
        days = panel.sessions[columns]
        rate = dollars_per(old, rates, days) / dollars_per(new, rates, days)
        before = int((spans[i, columns] > 0).sum())
        row = values[i, columns], spans[i, columns]
        values[i, columns], spans[i, columns] = converted(*row, rate, log=panel.kind == "log")
        if count := before - int((spans[i, columns] > 0).sum()):
            notes.append(Reason("no_rate", symbol=symbol, n=count, old=old, new=new))
    done = {key: pairs[key] for key in panel.keys if key in pairs}
    guessed = [] if currency == LOCAL else _guessed(panel)
    notices = [*_say_converted(done, currency), *guessed]
    panel = replace(panel, notes=(*panel.notes, *notes), notices=(*panel.notices, *notices))
    return replace(panel, values=values, spans=spans)


def factor_currency(currency: str, exchanges: Iterable[str]) -> list[str]:
    """Return a notice if the returns are not in dollars, which factors from files usually are.

    Parameters
    ----------
    currency : str
        An ISO code, or ``local``.
    exchanges : iterable of str
        Market identifier codes of the events.
    """
    homes = filter(None, map(Exchange.of_code, exchanges))
    used = {currency} if currency != LOCAL else {home.currency for home in homes}
    foreign = sorted(used - {USD, ""})
    return [say("currency.factors", currencies=foreign)] if foreign else []


def _pair(panel: ReturnsPanel, key: Key, currency: str) -> tuple[str, str]:
    """Return the currency of a series and the one that is wanted, equal for no conversion."""
    symbol, calendar = key
    quoted = str(panel.provenance.get(symbol, {}).get("currency", ""))
    source, exchange = currency_of(symbol, quoted), Exchange.of_code(calendar)
    if currency != LOCAL:
        return source, currency
    home = exchange.currency if exchange else ""
    # The name of a user's own file need not be a ticker of New York.
    own_file = _plain(panel, symbol) and exchange and symbol not in exchange.chain
    return (home if own_file or not (source and home) else source), home


def _lacking(pair: tuple[str, str], missing: Mapping[str, str]) -> str:
    """Say why a pair of currencies cannot be converted, "" if it can."""
    if not pair[0]:
        return f"its currency is not known, and {pair[1]} is wanted"
    rate = next((s for c in pair if (s := rate_symbol(c)) in missing), "")
    return f"no exchange rate from {pair[0]} to {pair[1]}: {rate}: {missing[rate]}" if rate else ""


def _without(panel: ReturnsPanel, reasons: Mapping[Key, str]) -> ReturnsPanel:
    """Return the panel without some rows; the reasons are those of their symbols."""
    failures = {**panel.failures, **{symbol: why for (symbol, _), why in reasons.items()}}
    on = {**panel.failures_on, **reasons}
    keep = np.array([key not in reasons for key in panel.keys], dtype=bool)
    keys = tuple(key for key in panel.keys if key not in reasons)
    values, spans, limits = panel.values[keep], panel.spans[keep], panel.limits
    limits = None if limits is None else limits[keep]
    return replace(
        panel, keys=keys, values=values, spans=spans, limits=limits, failures=failures,
        failures_on=on,
    )  # fmt: skip


def _guessed(panel: ReturnsPanel) -> list[str]:
    """Return a notice on names without a suffix that are taken to be in dollars abroad."""
    names = dict[str, None]()
    for symbol, code in panel.keys:
        exchange = Exchange.of_code(code)
        if exchange is None or exchange.currency == USD or not _plain(panel, symbol):
            continue
        if symbol not in exchange.chain:
            names[symbol] = None
    return [say("currency.guessed", symbols=names)] if names else []


def _plain(panel: ReturnsPanel, symbol: str) -> bool:
    """Return whether nothing but the lack of a suffix says what currency a symbol is in."""
    quoted = panel.provenance.get(symbol, {}).get("currency")
    return not (quoted or Symbol(symbol).suffix or symbol.startswith("^"))


def _say_converted(pairs: Mapping[Key, tuple[str, str]], currency: str) -> list[str]:
    """Say what was converted."""
    groups: dict[tuple[str, str], dict[str, None]] = {}
    for (symbol, _), pair in pairs.items():
        groups.setdefault(pair, {})[symbol] = None
    clauses, code = [], "currency.local" if currency == LOCAL else "currency.group"
    for (old, new), names in groups.items():
        facts = {"symbols": names, "n": len(names), "old": old, "new": new}
        clauses.append(say(code, **facts, rates=filter(None, map(rate_symbol, (old, new)))))
    if currency == LOCAL or not clauses:
        return clauses
    return [say("currency.all", currency=currency, groups=clauses)]


def rates_of(table: pd.DataFrame, symbols: Iterable[str]) -> Rates:
    """Return dates and closes of exchange rates in a long table of prices.

    Parameters
    ----------
    table : DataFrame
        Columns symbol, date, close, adj_close.
    symbols : iterable of str

    Returns
    -------
    dict of str to (dates, closes)
        NaN where a close is not positive; symbols without rows are absent.
    """
    out = {}
    for symbol in symbols:
        rows = table[table["symbol"] == symbol].sort_values("date")
        if len(rows):
            close = rows["close"].fillna(rows["adj_close"]).to_numpy(float)
            dates = rows["date"].to_numpy().astype("datetime64[D]")
            out[symbol] = dates, np.where(close > 0, close, np.nan)
    return out
