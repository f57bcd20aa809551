"""Returns in another currency, and benchmarks in that of their firms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd

from ..calendars import Exchange, Symbol
from ..prices import as_of
from ..utility import DateArray, FloatArray, IntArray
from ..words import Reason, say
from .panel import ReturnsPanel
from .sessions import Key

USD = "USD"
# Calendar days that an exchange rate stays in use.
OLDEST_RATE = 5
# Hundredths (fils: thousandths), as price sources spell them.
_MINOR = {"GBp": "GBP", "GBX": "GBP", "ILA": "ILS", "ZAc": "ZAR", "ZAC": "ZAR", "KWF": "KWD"}
# Quoted in dollars per unit; the others in units per dollar.
_IN_DOLLARS = {"EUR", "GBP", "AUD", "NZD"}


def major(currency: str) -> str:
    """Return the currency that a source means, pounds for pence: a return is the same in both."""
    return _MINOR.get(currency, currency.upper())


class Quotation(NamedTuple):
    """What the prices of a symbol are counted in.

    Attributes
    ----------
    symbol : str
    spelled : str
        The currency as the source spells it; "" = not given.
    """

    symbol: str
    spelled: str = ""

    @property
    def currency(self) -> str:
        """The currency that the source gives, else that of the symbol's exchange; "" if not known.

        Pounds for pence: a return is the same in both.
        """
        return major(self.spelled) if self.spelled else Symbol(self.symbol).currency

    @property
    def unit(self) -> float:
        """What part of the currency prices are counted in: 0.01 for pence."""
        return 1.0 if self.spelled not in _MINOR else 0.001 if self.spelled == "KWF" else 0.01


def rate_symbol(currency: str) -> str:
    """Return Yahoo's symbol of a currency against the dollar; "" for the dollar.

    ``EURUSD=X`` is dollars per euro, ``CNY=X`` yuan per dollar.
    """
    if currency == USD:
        return ""
    return f"{currency}USD=X" if currency in _IN_DOLLARS else f"{currency}=X"


@dataclass(frozen=True, eq=False)
class Rates:
    """Exchange rates of currencies against the dollar.

    Attributes
    ----------
    quoted : mapping of str to (dates, closes)
        By currency, in order of time; NaN where a close is not positive.
    """

    quoted: Mapping[str, tuple[DateArray, FloatArray]]

    # What returns are converted to if they stay in the currency of each exchange.
    LOCAL: ClassVar[str] = "local"

    @classmethod
    def of(cls, table: pd.DataFrame | None, currencies: Iterable[str]) -> Rates:
        """Return the exchange rates in a long table of prices.

        Parameters
        ----------
        table : DataFrame or None
            Columns symbol, date, close, adj_close.
        currencies : iterable of str
            Those without rows have no rate.
        """
        out = {}
        for currency in currencies:
            if table is None or currency in ("", USD):
                continue
            rows = table[table["symbol"] == rate_symbol(currency)].sort_values("date")
            if len(rows):
                close = rows["close"].fillna(rows["adj_close"]).to_numpy(float)
                dates = rows["date"].to_numpy().astype("datetime64[D]")
                out[currency] = dates, np.where(close > 0, close, np.nan)
        return cls(out)

    def dollars_per(self, currency: str, days: DateArray) -> FloatArray:
        """Return dollars per unit of a currency on `days`, shape (T,); NaN where there is no rate.

        Parameters
        ----------
        currency : str
        days : (T,) datetime64 array

        Notes
        -----
        The last rate of at most five calendar days before is used.
        """
        if currency == USD:
            return np.ones(len(days))
        if currency not in self.quoted:
            return np.full(len(days), np.nan)
        dates, quoted = self.quoted[currency]
        is_quoted = np.isfinite(quoted)
        carried = as_of(dates[is_quoted], quoted[is_quoted], days, OLDEST_RATE)
        return carried if currency in _IN_DOLLARS else 1 / carried

    def between(self, old: str, new: str, days: DateArray) -> FloatArray:
        """Return units of the new currency per unit of the old one on `days`, shape (T,)."""
        return self.dollars_per(old, days) / self.dollars_per(new, days)


# Takes currencies; returns their rates, and why a symbol of a rate has none.
Fetch = Callable[[list[str]], tuple[Rates, Mapping[str, str]]]


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
    out = np.full(len(values), np.nan)
    new_spans = np.zeros(len(spans), dtype=np.int64)
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
        Takes currencies; returns the rates it has, and why it does not have those of others.

    Returns
    -------
    ReturnsPanel
        A symbol whose currency or rate is not known has no row, and the reason in ``failures``
        and, for each calendar, in ``failures_on``.
    """
    pairs = conversions(panel, currency)
    if not pairs:
        return panel
    currencies = dict.fromkeys(c for pair in pairs.values() for c in pair if c not in ("", USD))
    rates, missing = fetch(list(currencies))
    panel = _without(panel, {key: why for key, p in pairs.items() if (why := _lacking(p, missing))})
    values = panel.values.copy()
    spans = panel.spans.copy()
    notes = []
    for i, (symbol, calendar) in enumerate(panel.keys):
        if (symbol, calendar) not in pairs:
            continue
        old, new = pairs[symbol, calendar]
        columns = panel.calendars[calendar]
        rate = rates.between(old, new, panel.sessions[columns])
        before = int((spans[i, columns] > 0).sum())
        row = values[i, columns], spans[i, columns]
        values[i, columns], spans[i, columns] = converted(*row, rate, log=panel.kind == "log")
        if count := before - int((spans[i, columns] > 0).sum()):
            notes.append(Reason("no_rate", symbol=symbol, n=count, old=old, new=new))
    done = {key: pairs[key] for key in panel.keys if key in pairs}
    guessed = [] if currency == Rates.LOCAL else _guessed(panel)
    notices = [*_say_converted(done, currency), *guessed]
    panel = replace(panel, notes=(*panel.notes, *notes), notices=(*panel.notices, *notices))
    return replace(panel, values=values, spans=spans)


def conversions(panel: ReturnsPanel, currency: str) -> dict[Key, tuple[str, str]]:
    """Return the currency of each series that is converted, and the one that it is converted to.

    Parameters
    ----------
    panel : ReturnsPanel
    currency : str
        As for :func:`in_currency`.

    Returns
    -------
    dict of (symbol, calendar) to (str, str)
    """
    wanted = {key: _pair(panel, key, currency) for key in panel.keys}
    return {key: pair for key, pair in wanted.items() if pair[0] != pair[1]}


def _pair(panel: ReturnsPanel, key: Key, currency: str) -> tuple[str, str]:
    """Return the currency of a series and the one that is wanted, equal for no conversion."""
    symbol, calendar = key
    quoted = str(panel.provenance.get(symbol, {}).get("currency", ""))
    source = Quotation(symbol, quoted).currency
    exchange = Exchange.of_code(calendar)
    if currency != Rates.LOCAL:
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
    values = panel.values[keep]
    spans = panel.spans[keep]
    limits = panel.limits
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
    clauses, code = [], "currency.local" if currency == Rates.LOCAL else "currency.group"
    for (old, new), names in groups.items():
        facts = {"symbols": names, "n": len(names), "old": old, "new": new}
        clauses.append(say(code, **facts, rates=filter(None, map(rate_symbol, (old, new)))))
    if currency == Rates.LOCAL or not clauses:
        return clauses
    return [say("currency.all", currency=currency, groups=clauses)]
