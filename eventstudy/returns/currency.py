"""Returns in another currency, and benchmarks in that of their firms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..calendars.exchanges import EXCHANGES, Exchange, quoted_in, suffix_of
from ..utility.typing import DateArray, FloatArray, IntArray
from . import Key, ReturnsPanel

if TYPE_CHECKING:
    import pandas as pd

LOCAL, USD = "local", "USD"
# Calendar days that an exchange rate stays in use.
OLDEST_RATE = 5
# Hundredths (fils: thousandths), as price sources spell them.
_MINOR = {"GBp": "GBP", "GBX": "GBP", "ILA": "ILS", "ZAc": "ZAR", "ZAC": "ZAR", "KWF": "KWD"}
# Quoted in dollars per unit; the others in units per dollar.
_IN_DOLLARS = {"EUR", "GBP", "AUD", "NZD"}
Rates = Mapping[str, tuple[DateArray, FloatArray]]


def major(currency: str) -> str:
    """Return the currency that a source means, pounds for pence: a return is the same in both."""
    return _MINOR.get(currency, currency.upper())


def unit_of(currency: str) -> float:
    """Return what part of a currency prices are counted in: 0.01 for pence."""
    return 1.0 if currency not in _MINOR else 0.001 if currency == "KWF" else 0.01


def currency_of(symbol: str, given: str = "") -> str:
    """Return the currency of a symbol: the one its source gives, else its exchange's; "" if not
    known."""
    return major(given) if given else quoted_in(symbol)


def rate_symbol(currency: str) -> str:
    """Return Yahoo's symbol of a currency against the dollar; "" for the dollar.

    ``EURUSD=X`` is dollars per euro, ``CNY=X`` yuan per dollar.
    """
    if currency == USD:
        return ""
    return f"{currency}USD=X" if currency in _IN_DOLLARS else f"{currency}=X"


def dollars_per(currency: str, rates: Rates, days: DateArray) -> FloatArray:
    """Return dollars per unit of a currency on `days`, shape (T,): the last rate of at most five
    days before.

    NaN where there is none.
    """
    if currency == USD:
        return np.ones(len(days))
    dates, quoted = rates[rate_symbol(currency)]
    carried = last_known(dates, quoted, days)
    return carried if currency in _IN_DOLLARS else 1 / carried


def last_known(dates: DateArray, values: FloatArray, days: DateArray) -> FloatArray:
    """Return on `days` the last value of at most `OLDEST_RATE` calendar days before, else NaN."""
    dates, values = dates[np.isfinite(values)], values[np.isfinite(values)]
    out = np.full(len(days), np.nan)
    at = np.searchsorted(dates, days, side="right") - 1
    fresh = at >= 0
    fresh[fresh] = days[fresh] - dates[at[fresh]] <= np.timedelta64(OLDEST_RATE, "D")
    out[fresh] = values[at[fresh]]
    return out


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
    out, left = np.full(len(values), np.nan), np.zeros(len(spans), dtype=np.int64)
    out[at] = values[at] + np.log(change) if log else (1 + values[at]) * change - 1
    left[at] = np.where(np.isfinite(out[at]), spans[at], 0)
    return out, left


def in_currency(
    panel: ReturnsPanel,
    currency: str,
    fetch: Callable[[list[str]], tuple[Rates, Mapping[str, str]]],
) -> ReturnsPanel:
    """Return the panel with all returns of a calendar in one currency, by the rates of each
    session's date.

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
        A symbol whose currency or rate is not known has no row, and the reason in ``failures``.
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
        own = panel.calendars[calendar]
        rate = _cross(old, new, rates, panel.sessions[own])
        before = int((spans[i, own] > 0).sum())
        values[i, own], spans[i, own] = converted(
            values[i, own], spans[i, own], rate, log=panel.kind == "log"
        )
        notes += _lost(symbol, before - int((spans[i, own] > 0).sum()), (old, new))
    done = {key: pairs[key] for key in panel.keys if key in pairs}
    guessed = [] if currency == LOCAL else _guessed(panel)
    said = [*_said(done, currency), *guessed]
    return replace(
        panel,
        values=values,
        spans=spans,
        notes=(*panel.notes, *notes),
        notices=(*panel.notices, *said),
    )


def factor_currency(currency: str, exchanges: Iterable[str]) -> list[str]:
    """Return a notice if the returns are not in dollars, which factors from files usually are."""
    by_code = {e.code: e.currency for e in EXCHANGES.values()}
    own = {currency} if currency != LOCAL else {by_code.get(code, "") for code in exchanges}
    other = sorted(own - {USD, ""})
    if not other:
        return []
    what = f"factors from files are usually in {USD}, and returns here are in {', '.join(other)}"
    return [f"{what}: use factors of the same currency, or --currency USD"]


def _exchange(calendar: str) -> Exchange | None:
    return next((e for e in EXCHANGES.values() if e.code == calendar), None)


def _pair(panel: ReturnsPanel, key: Key, currency: str) -> tuple[str, str]:
    """Return the currency of a series and the one it is wanted in, equal where nothing is to be
    done."""
    symbol, calendar = key
    given = str(panel.provenance.get(symbol, {}).get("currency", ""))
    own, exchange = currency_of(symbol, given), _exchange(calendar)
    if currency != LOCAL:
        return own, currency
    home = exchange.currency if exchange else ""
    # The name of a user's own file need not be a ticker of New York.
    if not (own and home) or (_plain(panel, symbol) and exchange and symbol not in exchange.chain):
        return home, home
    return own, home


def _lacking(pair: tuple[str, str], missing: Mapping[str, str]) -> str:
    """Say why a pair of currencies cannot be converted, "" if it can."""
    if not pair[0]:
        return f"its currency is not known, and {pair[1]} is wanted"
    lost = next((s for c in pair if (s := rate_symbol(c)) in missing), "")
    return f"no exchange rate from {pair[0]} to {pair[1]}: {lost}: {missing[lost]}" if lost else ""


def _without(panel: ReturnsPanel, reasons: Mapping[Key, str]) -> ReturnsPanel:
    """Return the panel without some rows; the reasons are those of their symbols."""
    keep = np.array([key not in reasons for key in panel.keys], dtype=bool)
    return replace(
        panel,
        keys=tuple(key for key in panel.keys if key not in reasons),
        values=panel.values[keep],
        spans=panel.spans[keep],
        limits=None if panel.limits is None else panel.limits[keep],
        failures={**panel.failures, **{symbol: why for (symbol, _), why in reasons.items()}},
    )


def _cross(old: str, new: str, rates: Rates, days: DateArray) -> FloatArray:
    return dollars_per(old, rates, days) / dollars_per(new, rates, days)


def _lost(symbol: str, count: int, pair: tuple[str, str]) -> list[str]:
    returns = "1 return" if count == 1 else f"{count} returns"
    return (
        [f"{symbol}: {returns} without an exchange rate from {pair[0]} to {pair[1]}"]
        if count
        else []
    )


def _guessed(panel: ReturnsPanel) -> list[str]:
    """Return a notice on names without a suffix, taken to be in dollars on exchanges of other
    currencies."""
    names = dict.fromkeys(
        symbol
        for symbol, calendar in panel.keys
        if _plain(panel, symbol)
        and (exchange := _exchange(calendar))
        and exchange.currency != USD and symbol not in exchange.chain
    )  # fmt: skip
    what = (
        "no market suffix, so taken to be in USD; a column currency in the file of prices "
        "overrules that"
    )
    return [f"{', '.join(names)}: {what}"] if names else []


def _plain(panel: ReturnsPanel, symbol: str) -> bool:
    """Tell whether nothing but the lack of a suffix says what currency a symbol is in."""
    given = panel.provenance.get(symbol, {}).get("currency")
    return not (given or suffix_of(symbol) or symbol.startswith("^"))


def _said(pairs: Mapping[Key, tuple[str, str]], currency: str) -> list[str]:
    """Say what was converted."""
    groups: dict[tuple[str, str], dict[str, None]] = {}
    for (symbol, _), pair in pairs.items():
        groups.setdefault(pair, {})[symbol] = None
    if currency == LOCAL:
        return [f"{', '.join(own)} converted from {a} to {b}" for (a, b), own in groups.items()]
    parts = []
    for pair, own in groups.items():
        by = ", ".join(rate_symbol(c) for c in pair if c != USD)
        parts.append(f"{len(own)} symbol{'s' * (len(own) != 1)} from {pair[0]} ({by})")
    return [f"all returns are in {currency}: converted {', '.join(parts)}"] if parts else []


def rates_of(
    table: pd.DataFrame, symbols: Iterable[str]
) -> dict[str, tuple[DateArray, FloatArray]]:
    """Return dates and closes of exchange rates in a long table of prices."""
    out = {}
    for symbol in symbols:
        part = table[table["symbol"] == symbol].sort_values("date")
        if len(part):
            close = part["close"].fillna(part["adj_close"]).to_numpy(float)
            dates = part["date"].to_numpy().astype("datetime64[D]")
            out[symbol] = dates, np.where(close > 0, close, np.nan)
    return out
