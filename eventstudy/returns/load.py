"""Which series a list of events needs, and the panel that holds them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..calendars.window import ESTIMATION, EVENT, Window
from ..errors import ConfigError, DataError, PriceError
from ..utility.typing import BenchmarkPolicy, CalendarChoice, Measure, ReturnKind
from . import DATA_CALENDAR, Key, ReturnsPanel
from .benchmarks import PEERS, benchmarks_of, members, wanted_next
from .currency import LOCAL, OLDEST_RATE, Rates, in_currency, rates_of
from .index_baskets import Basket, Range, range_around
from .market_days import indices_of, sessions_of
from .measures import several_shares, shares_of

if TYPE_CHECKING:
    from ..events.table import Events
    from ..prices import PriceProvider
    from .series import Factor, NeedsSeries

# Begins the symbol of a series from a factor file; no ticker has a colon.
FACTOR = "factor:"


def series_of(
    factor: Factor,
    events: Events,
    *,
    benchmarks: Sequence[str],
    series: Mapping[str, str],
    columns: Collection[str],
) -> list[str]:
    """Return the symbol of a factor for each event: ``A;B`` for several, ``factor:NAME`` from
    factor files.

    One that `series` names for all events goes before a column of the events, as a benchmark for
    all does.

    Raises
    ------
    ConfigError
        If the name is neither a column of the events, nor in `series`, nor in the factor files.
    """
    table, name = events.table, factor.name
    if name == "market":
        return list(benchmarks)
    if name in series:
        return [";".join(members(series[name]))] * len(table)
    if name in table:
        return [
            ";".join(members(str(cell), set(table["ticker"]) if factor.several else ()))
            for cell in table[name]
        ]
    if name in columns:
        return [FACTOR + name] * len(table)
    raise ConfigError(
        "the model needs a series that is not there", value=name,
        remedy=f"add a column {name} to the events file or to a file of --factors, or --series "
            f"{name}=TICKER",
    )  # fmt: skip


def needed(
    events: Events,
    benchmark: str = "",
    model: NeedsSeries | None = None,
    series: Mapping[str, str] | None = None,
    *,
    peers: bool = False,
) -> dict[Key, list[int]]:
    """Return the (symbol, calendar) pairs that events and model need, firms first, each with its
    events.

    With `peers` also those in the column ``peers``, for placebo firms.
    """
    own, table, benchmarks = series or {}, events.table, benchmarks_of(events, benchmark)
    named = [f for f in (model.factors if model else ()) if f.name in table or f.name in own]
    rows = [
        list(table["ticker"]),
        benchmarks,
        *(series_of(f, events, benchmarks=benchmarks, series=own, columns=()) for f in named),
        *([[str(cell) for cell in table[PEERS]]] if peers and PEERS in table else []),
    ]
    out: dict[Key, list[int]] = {}
    symbols = cache(members)
    for row in rows:
        for i, (cell, code) in enumerate(zip(row, table["exchange"], strict=True)):
            for symbol in symbols(cell):
                out.setdefault((symbol, code or DATA_CALENDAR), []).append(i)
    return out


def needed_keys(
    events: Events,
    benchmark: str = "",
    model: NeedsSeries | None = None,
    series: Mapping[str, str] | None = None,
    *,
    peers: bool = False,
) -> list[Key]:
    """Return the keys of :func:`needed`."""
    return list(needed(events, benchmark, model, series, peers=peers))


def needed_range(events: Events, estimation: Window, event: Window) -> Range:
    """Return the first and last day whose prices the windows of any event can need."""
    return range_around([day.date() for day in events.table["day0"]], estimation, event)


def load_returns(
    events: Events,
    provider: str | Path | PriceProvider = "auto",
    *,
    benchmark: str = "",
    benchmark_policy: BenchmarkPolicy = "fallback",
    estimation: Window | tuple[int, int] = ESTIMATION,
    event: Window | tuple[int, int] = EVENT,
    model: NeedsSeries | None = None,
    series: Mapping[str, str] | None = None,
    calendar: CalendarChoice | None = None,
    kind: ReturnKind = "simple",
    measure: Measure = "return",
    currency: str = LOCAL,
    placebo: int = 0,
    offline: bool = False,
    store: str | Path = "",
    vintage: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> ReturnsPanel:
    """Fetch the prices that the events need and turn them into returns.

    Parameters
    ----------
    events : Events
    provider : str, Path or PriceProvider
        ``auto``, ``yahoo``, ``sample``, ``store``, a path, or any object with ``fetch``.
    benchmark : str
        One index for all events; by default the events' own or their exchanges'.
    benchmark_policy : {"fallback", "strict"}
        Whether an index of the exchange replaces one that the events file names where this lacks
        prices.
    estimation, event : Window
        How far back and ahead prices are needed.
    model : LinearModel, optional
        Whose further series (an industry index, donors ...) are fetched as well.
    series : mapping of str to ticker, optional
        Series of the model that are the same for all events.
    calendar : {"exchange", "data"}, optional
        Sessions of the exchanges, or the dates of the data; by default what the events were read
        for.
    measure : {"return", "volume", "turnover", "volatility"}
        What the panel holds (docs/methods.md, 1.8).
    currency : str
        What returns are converted to: an ISO code, or ``local``, the currency of each exchange.
    placebo : int
        Placebo dates that will be wanted: as many sessions further back are fetched, and the firms
        in the column ``peers``.
    offline : bool
        Never use the network.
    store : str or Path
        File or folder of the store of prices; by default ``$EVENTSTUDY_STORE``, or the user's.
    vintage : str
        ISO date or time: only what the store had then.
    progress : callable, optional
        Called with (symbols done, symbols in all).

    Returns
    -------
    ReturnsPanel
        Symbols without prices are in ``failures`` with the reason.
    """
    from ..prices import resolve

    if len(events) == 0:
        raise DataError("there are no events")
    around: Any = {"estimation": Window.of(estimation), "event": Window.of(event)}
    days = [day.date() for day in events.table["day0"]]
    further = placebo + len(around["event"]) * bool(placebo)
    codes = [code or DATA_CALENDAR for code in events.table["exchange"]]
    keys = needed(events, benchmark, model, series, peers=bool(placebo))
    source = resolve(provider, offline=offline, store=store or None, vintage=vintage or None)
    basket = Basket(source, progress)
    while True:
        at = {s: [days[i] for i in rows] for s, rows in _by_symbol(keys).items()}
        basket.fetch({s: range_around(own, **around, further=further) for s, own in at.items()})
        indices = indices_of(events, benchmark, benchmark_policy)
        panel = _panel(
            events, basket, list(keys), indices, calendar or events.calendar, kind, measure
        )
        if measure == "return":
            panel = _in_currency(panel, currency, basket)
        panel = replace(panel, unanswered=frozenset() if offline else _unanswered(panel, basket))
        tried = {(symbol, i) for (symbol, _), rows in keys.items() for i in rows}
        more = wanted_next(
            events, panel, tried, benchmark=benchmark, policy=benchmark_policy, **around
        )
        if not more:
            return panel
        for symbol, i in more:
            keys.setdefault((symbol, codes[i]), []).append(i)


def _unanswered(panel: ReturnsPanel, basket: Basket) -> frozenset[str]:
    """Return the symbols that the source did not answer for; with a rate those too that lack it."""
    found = basket.unanswered
    rates = any(symbol.endswith("=X") for symbol in found)
    return found | {symbol for symbol in panel.failures if rates and symbol in panel.provenance}


def _by_symbol(keys: Mapping[Key, list[int]]) -> dict[str, list[int]]:
    out: dict[str, list[int]] = {}
    for (symbol, _), rows in keys.items():
        out.setdefault(symbol, []).extend(rows)
    return out


def _panel(
    events: Events,
    basket: Basket,
    keys: list[Key],
    indices: set[str],
    calendar: CalendarChoice,
    kind: ReturnKind,
    measure: Measure,
) -> ReturnsPanel:
    """Return the panel of what was fetched so far."""
    fetched = basket.prices
    failures = {symbol: _cause(symbol, error) for symbol, error in fetched.failures.items()}
    if fetched.table.empty:
        raise next(iter(fetched.failures.values()), DataError("there is no price at all"))
    dates = {
        str(s): part.to_numpy().astype("datetime64[D]")
        for s, part in fetched.table.groupby("symbol")["date"]
    }
    panel = ReturnsPanel.from_prices(
        fetched.table,
        keys=keys,
        sessions=sessions_of(keys, dates, calendar, indices),
        kind=kind,
        measure=measure,
        shares=shares_of(events) if measure == "turnover" else {},
        st=special_treatment(events),
        failures=failures,
        notices=(*fetched.notices, *(several_shares(events) if measure == "turnover" else ())),
        provenance={symbol: vars(p) for symbol, p in fetched.provenance.items()},
        fetched=fetched,
        asked=dict(basket.calls),
    )
    # What the bundled sample says of itself holds for all its symbols, and is a notice already.
    sources = {
        s: p for s, p in fetched.provenance.items() if p.source != "sample" and s not in failures
    }
    changed = [f"{symbol}: {p.note}" for symbol, p in sources.items() if p.note]
    return replace(panel, notes=(*changed, *panel.notes))


def _in_currency(panel: ReturnsPanel, currency: str, basket: Basket) -> ReturnsPanel:
    """Return the panel in a currency; the exchange rates are fetched, and are among its prices."""
    first, last = (day.astype(date) for day in panel.sessions[[0, -1]])
    before = first - timedelta(days=2 * OLDEST_RATE)

    def fetch(symbols: list[str]) -> tuple[Rates, Mapping[str, str]]:
        basket.fetch(dict.fromkeys(symbols, (before, last)))
        prices = basket.prices
        lost = {s: _cause(s, prices.failures[s]) for s in symbols if s in prices.failures}
        return rates_of(prices.table, symbols), lost

    said = panel.notices
    panel, prices = in_currency(panel, currency, fetch), basket.prices
    provenance = {symbol: vars(p) for symbol, p in prices.provenance.items()}
    fetched = replace(prices, notices=said)
    asked = dict(basket.calls)
    return replace(panel, prices=prices.table, provenance=provenance, fetched=fetched, asked=asked)


def _cause(symbol: str, error: PriceError) -> str:
    """Return what a provider says of one symbol, as the end of "no price data: ..."."""
    what = error.what.removeprefix("no price data: ")
    if error.where and error.where != symbol:
        what = f"{error.where}: {what}"
    if error.value is not None:
        what += f", got {error.value!r}"
    return f"{what}; {error.remedy}" if error.remedy else what


def special_treatment(events: Events) -> frozenset[str]:
    """Return the tickers under special treatment.

    Their column ``st`` says yes, or their ``company`` begins with ST or *ST. A ticker with one such
    event counts as such throughout.
    """
    table, found = events.table, set()
    if "st" in table:
        words = table["st"].astype(str).str.strip().str.lower()
        found |= set(table["ticker"][words.isin(("yes", "y", "true", "1"))])
    if "company" in table:
        names = table["company"].astype(str).str.strip()
        found |= set(table["ticker"][names.str.match(r"S?\*?ST(?![A-Za-z])")])
    return frozenset(map(str, found))
