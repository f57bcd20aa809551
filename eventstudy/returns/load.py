"""The panel of the series that events need: fetched for the days of their events, or read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..calendars import CalendarChoice, Window
from ..errors import BadAnswerError, DataError, NoPricesError, PriceError, UnknownSymbolError
from ..events import Events
from ..files import InputFile
from ..prices import (
    FrozenProvider,
    PriceProvider,
    Prices,
    PricesLike,
    explain_gone,
    has_successor,
    resolve,
    with_successors,
)
from ..quality import LimitRule, Quotes, ReturnKind, limits_of_returns
from ..words import Reason, words
from .benchmarks import BenchmarkPolicy, Benchmarks
from .currency import OLDEST_RATE, Rates, in_currency, rate_symbol
from .market_notes import note_ends, refuse_logarithms
from .measures import Measure, note_several_shares, shares_of
from .panel import ReturnsPanel
from .security_files import securities_of
from .series import NeedsSeries, Range, calls_of, needed, range_around, windows_of
from .sessions import DATA_CALENDAR, Key, build_sessions, days_of_prices
from .table import of_file, present_days, table_of

# Called with (symbols done, symbols in all).
Progress = Callable[[int, int], None] | None
# Lists of up to so many events have the prices of all years fetched for each firm.
MOST_MOVED = 1000
# Symbols that are gone and named in a notice; the reasons of the events have all.
NAMED = 5


@dataclass(eq=False)
class Basket:
    """What was fetched from one source so far, in `prices`.

    Parameters
    ----------
    source : PriceProvider
    progress : callable, optional
        Called with (symbols done, symbols in all) during the first fetch.
    ranges, calls : dict of str to (first, last)
        What each symbol needed, and the range of the last call that it was in.
    """

    source: PriceProvider
    progress: Progress = None
    ranges: dict[str, Range] = field(default_factory=dict)
    calls: dict[str, Range] = field(default_factory=dict)
    prices: Prices = field(init=False)

    def fetch(self, ranges: Mapping[str, Range]) -> None:
        """Fetch what was not asked for before; a call that fails is a failure of its symbols."""
        pairs = ((s, days, self.ranges.get(s, days)) for s, days in ranges.items())
        wider = {s: (min(a[0], b[0]), max(a[1], b[1])) for s, a, b in pairs}
        new = {s: days for s, days in wider.items() if days != self.ranges.get(s)}
        done, progress = 0, None if self.ranges else self.progress
        for symbols, (first, last) in calls_of(new):
            shifted = _shifted(progress, done, len(new))
            try:
                answer = self.source.fetch(symbols, first, last, progress=shifted)
            except PriceError as error:
                answer = Prices.of({}, dict.fromkeys(symbols, error))
            if not isinstance(self.source, FrozenProvider):  # a run fails for its own reasons
                failures = with_successors(answer.failures)
                notices = (*answer.notices, *_note_failures(failures))
                answer = replace(answer, failures=failures, notices=notices)
            self.prices = _merged(answer, self.prices) if self.ranges else answer
            self.ranges |= {s: new[s] for s in symbols}
            self.calls |= dict.fromkeys(symbols, (first, last))
            done += len(symbols)

    @property
    def unanswered(self) -> frozenset[str]:
        """Symbols of which the source did not say that it has no prices: nobody knows."""
        answers, failures = (NoPricesError, UnknownSymbolError), self.prices.failures
        return frozenset(s for s, error in failures.items() if not isinstance(error, answers))


def _note_failures(failures: Mapping[str, PriceError]) -> list[str]:
    """Return notices on symbols that are gone, and on files that cannot be read."""
    bad = [e for e in failures.values() if isinstance(e, BadAnswerError) and not e.is_transient]
    notices: list[str] = [Reason("unreadable", text=str(error)) for error in bad]
    gone = [explain_gone(symbol) for symbol in failures if has_successor(symbol)]
    if gone:
        more = "; ..." * (len(gone) > NAMED)
        notices.append(Reason("gone", n=len(gone), what="; ".join(gone[:NAMED]) + more))
    return notices


def _merged(prices: Prices, earlier: Prices) -> Prices:
    """Return the prices of two calls; notices that differ in their symbols only become one.

    A fact of a notice that is a mapping is by symbol; that of the later call stands.
    """
    merged = prices.merge(earlier)
    joined = dict[str, str]()
    for notice in merged.notices:
        key = str(notice)
        if isinstance(notice, Reason) and "symbols" in notice.facts:
            facts = {k: fact for k, fact in notice.facts.items() if k not in ("n", "symbols")}
            counts = {k: facts.pop(k) for k in list(facts) if isinstance(facts[k], Mapping)}
            key = f"{notice.code} {facts}"
            if isinstance(later := joined.get(key), Reason):
                names = sorted({*later.facts["symbols"], *notice.facts["symbols"]})
                counts = {k: {**counts[k], **later.facts[k]} for k in counts}
                notice = Reason(notice.code, **facts, **counts, n=len(names), symbols=names)
        joined[key] = notice
    return replace(merged, notices=tuple(joined.values()))


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    return None if progress is None else lambda done, _: progress(before + done, total)


def load_returns(
    events: Events, provider: PricesLike = "auto", *, benchmark: str = "",
    benchmark_policy: BenchmarkPolicy = "fallback",
    estimation: Window | tuple[int, int] = Window.ESTIMATION,
    event: Window | tuple[int, int] = Window.EVENT, model: NeedsSeries | None = None,
    series: Mapping[str, str] | None = None, calendar: CalendarChoice | None = None,
    kind: ReturnKind = "simple", measure: Measure = "return", currency: str = Rates.LOCAL,
    further: int = 0, calibrate: bool | None = None, offline: bool = False, store: str | Path = "",
    vintage: str = "", fill: str = "", progress: Callable[[int, int], None] | None = None,
) -> ReturnsPanel:  # fmt: skip
    """Fetch the prices of the shares and indices of the events, and compute their returns.

    Parameters
    ----------
    events : Events
        The events, as :func:`read_events` returns them.
    provider : str, Path, PriceProvider, DataFrame, Series or mapping
        The source of the prices. It may be ``"auto"`` (the price cache, that is, the prices kept on
        your computer, updated from Yahoo), ``"store"`` (the price cache alone), ``"yahoo"``,
        ``"sample"`` (example prices in the package) or the path of a file or folder. You can name
        several sources, separated by commas. The source may also be a table of prices, or an object
        with the attribute ``name`` and the method ``fetch`` (see :class:`PriceProvider`).
    benchmark : str
        The ticker of one index for all events. By default, each event has the index in the column
        ``benchmark`` of the events, or else an index of its exchange.
    benchmark_policy : {"fallback", "strict"}
        What to do if the index in the column ``benchmark`` of the events has too few prices. With
        "fallback", the event uses an index of its exchange instead. With "strict", the event gets
        no other index.
    estimation, event : Window
        Estimation window and event window. The function fetches prices for all days of both.
    model : LinearModel, optional
        The model of the study. If the model needs further series, such as an industry index, the
        function also fetches their prices.
    series : mapping of str to ticker, optional
        The ticker of each series that `model` needs besides the share and its index, for example
        ``{"world": "URTH"}``. The ticker holds for all events. If each event has its own ticker,
        use a column of the events with the name of the series instead.
    calendar : {"exchange", "data"}, optional
        With "exchange", the trading days are those of the exchange of each share. With "data", they
        are the dates in the price data. By default, the function takes the `calendar` with which
        the events were read (see :func:`read_events`).
    kind : {"simple", "log"}
        Whether to compute simple or logarithmic returns.
    measure : {"return", "volume", "turnover", "volatility"}
        What to compute: returns, or logarithms of the daily volume, turnover or volatility.
    currency : str
        Currency of the returns: an ISO code, or ``local`` for the currency of each exchange.
    further : int
        Number of trading days before the estimation window whose prices are fetched too.
    calibrate : bool, optional
        Whether to fetch also the prices that two methods of the results need. The method
        ``calibrate()`` needs the prices of each symbol over the period of all events, not only
        around the symbol's own events. The method ``placebo_firms()`` needs the prices of the firms
        in the column ``peers``. By default, the function fetches these prices if there are at most
        1,000 events.
    offline : bool
        If true, the function never uses the network.
    store : str or Path
        The file or folder of the price cache. By default, it is the path in the environment
        variable ``EVENTSTUDY_STORE``, or else a file in the user's data folder.
    vintage : str
        A past date or time, such as "2024-03-01". The function then fetches nothing, and uses the
        prices that the price cache had at that time. `provider` must then be "auto" or "store".
    fill : str
        A second source of prices. If the main source has no price of a symbol on a trading day, the
        function takes the return of this day from the second source. It does so only if both
        sources have the same return from the last price before the gap to the first price after it.
    progress : callable, optional
        As in :func:`study`.

    Returns
    -------
    ReturnsPanel
        The returns of all symbols. Its attribute ``failures`` has the reason for each symbol
        without prices.

    Raises
    ------
    DataError
        If there are no events.
    PriceError
        If there are no prices at all, because the source does not answer.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> panel = es.load_returns(es.events_from_frame(news), "sample")
    >>> [symbol for symbol, _ in panel.keys]
    ['AMD', '^GSPC']
    """

    if len(events := Events.given(events)) == 0:
        raise DataError("there are no events")
    windows = Window.of(estimation), Window.of(event)
    benchmarks = Benchmarks(events, benchmark, benchmark_policy)
    days = [day.date() for day in events.table["day0"]]
    calibrate = len(events) <= MOST_MOVED if calibrate is None else calibrate
    codes = [code or DATA_CALENDAR for code in events.table["exchange"]]
    keys = needed(events, benchmark, model, series, peers=calibrate or len(events) == 1)
    options: Any = {"store": store or None, "vintage": vintage or None, "fill": fill}
    source = resolve(provider, offline=offline, **options)
    basket = Basket(source, progress)
    while True:
        dates: dict[str, list[date]] = {}
        for (symbol, _), rows in keys.items():
            dates.setdefault(symbol, []).extend(days[i] for i in rows)
        needs = {
            s: range_around(days if calibrate else at, *windows, further=further)
            for s, at in dates.items()
        }
        if hasattr(source, "windows"):
            spans = {(s, c): [days[i] for i in rows] for (s, c), rows in keys.items()}
            source.windows = windows_of(spans, *windows, further=further)
        basket.fetch(needs)
        indices, calendar = benchmarks.indices, calendar or events.calendar
        panel = _panel(events, basket, list(keys), indices, calendar, kind, measure)
        if measure == "return":
            panel = _in_currency(panel, currency, basket)
        panel = replace(panel, windows=getattr(source, "windows", {}))
        panel = replace(panel, unanswered=frozenset() if offline else _unanswered(panel, basket))
        tried = {(symbol, i) for (symbol, _), rows in keys.items() for i in rows}
        more = benchmarks.find_next(panel, tried, windows)
        if not more:
            return panel
        for symbol, i in more:
            keys.setdefault((symbol, codes[i]), []).append(i)


def _unanswered(panel: ReturnsPanel, basket: Basket) -> frozenset[str]:
    """Return the symbols that the source did not answer for; with a rate those too that lack it."""
    symbols = basket.unanswered
    rates = any(symbol.endswith("=X") for symbol in symbols)
    return symbols | {symbol for symbol in panel.failures if rates and symbol in panel.provenance}


def _panel(
    events: Events, basket: Basket, keys: list[Key], indices: set[str], calendar: CalendarChoice,
    kind: ReturnKind, measure: Measure,
) -> ReturnsPanel:  # fmt: skip
    """Return the panel of what was fetched so far."""
    fetched = basket.prices
    failures = {symbol: _cause(symbol, error) for symbol, error in fetched.failures.items()}
    shared: Any = {
        "kind": kind, "measure": measure, "failures": failures, "fetched": fetched,
        "requested": dict(basket.calls),
    }  # fmt: skip
    if fetched.table.empty and (basket.unanswered or not failures):
        unanswered = [e for s, e in fetched.failures.items() if s in basket.unanswered]
        raise next(iter(unanswered), DataError("there is no price at all"))
    if fetched.table.empty:
        # Every answer is that there is none: events are dropped for it, one by one.
        days = np.unique(events.table["day0"].to_numpy().astype("datetime64[D]"))
        nothing: Any = np.empty((0, len(days)))
        return ReturnsPanel(
            (), nothing, nothing.astype(np.int16), days, {DATA_CALENDAR: np.arange(len(days))},
            notices=fetched.notices, prices=fetched.table, **shared,
        )  # fmt: skip
    is_index = fetched.table["symbol"].isin(indices)
    refuse_logarithms(quotes for quotes, _ in Quotes.by_symbol(fetched.table[is_index]))
    available = fetched.table["symbol"].unique()
    sessions = build_sessions(keys, available, days_of_prices(fetched.table), calendar, indices)
    panel = ReturnsPanel.from_prices(
        fetched.table,
        keys=keys,
        sessions=sessions,
        shares=shares_of(events) if measure == "turnover" else {},
        st=special_treatment(events),
        others=fetched.others,
        notices=(*fetched.notices, *(note_several_shares(events) if measure == "turnover" else ())),
        provenance={symbol: vars(p) for symbol, p in fetched.provenance.items()},
        **shared,
    )
    # What the bundled sample says of itself holds for all its symbols, and is a notice already.
    named = [(s, p.note) for s, p in fetched.provenance.items() if p.source != "sample" and p.note]
    notes = [Reason("of_symbol", symbol=s, text=text) for s, text in named if s not in failures]
    ends = note_ends(panel.keys, panel.spans, panel.sessions, sessions)
    return replace(panel, notes=(*notes, *panel.notes), notices=(*panel.notices, *ends))


def _in_currency(panel: ReturnsPanel, currency: str, basket: Basket) -> ReturnsPanel:
    """Return the panel in a currency; the exchange rates are fetched, and are among its prices."""
    first, last = (day.astype(date) for day in panel.sessions[[0, -1]])
    before = first - timedelta(days=2 * OLDEST_RATE)

    def fetch(currencies: list[str]) -> tuple[Rates, Mapping[str, str]]:
        symbols = list(map(rate_symbol, currencies))
        basket.fetch(dict.fromkeys(symbols, (before, last)))
        prices = basket.prices
        causes = {s: _cause(s, prices.failures[s]) for s in symbols if s in prices.failures}
        return Rates.of(prices.table, currencies), causes

    notices = panel.notices
    panel, prices = in_currency(panel, currency, fetch), basket.prices
    return replace(
        panel,
        requested=dict(basket.calls),
        prices=prices.table,
        provenance={symbol: vars(p) for symbol, p in prices.provenance.items()},
        fetched=replace(prices, notices=notices),
    )


def _cause(symbol: str, error: PriceError) -> str:
    """Return what a provider says of one symbol, as the end of "no price data: ..."."""
    return str(error).removeprefix(f"{symbol}: ")


def read_returns(
    path: str | Path | pd.DataFrame, events: Events, *, benchmark: str = "",
    benchmark_policy: BenchmarkPolicy = "fallback", model: NeedsSeries | None = None,
    series: Mapping[str, str] | None = None, calendar: CalendarChoice | None = None,
    kind: ReturnKind = "simple",
) -> ReturnsPanel:  # fmt: skip
    """Read daily returns of the shares and indices of events from a file or a DataFrame.

    The file may be CSV, Parquet or Stata. The table may be wide (one column per symbol) or long
    (one row per date and symbol). The function reads a daily file of CRSP as it is, in the legacy
    or the CIZ format.

    Parameters
    ----------
    path : str, Path or DataFrame
        The file or the table of returns.
    events : Events
        The events, as :func:`read_events` returns them.
    benchmark, benchmark_policy, model, series, calendar, kind : optional
        The same as for :func:`load_returns`.

    Returns
    -------
    ReturnsPanel

    Raises
    ------
    DataError
        If the file cannot be read as returns, or if it has none of the symbols of the events.

    Examples
    --------
    >>> import pandas as pd
    >>> import eventstudy as es
    >>> days = pd.Index(["2022-10-06", "2022-10-07"], name="date")
    >>> pd.DataFrame({"AMD": [0.01, -0.1], "^GSPC": [0.0, -0.03]}, index=days).to_csv("returns.csv")
    >>> news = pd.DataFrame({"ticker": ["AMD"], "announced_at": ["2022-10-07"]})
    >>> panel = es.read_returns("returns.csv", es.events_from_frame(news))
    >>> panel.values.tolist()
    [[0.01, -0.1], [0.0, -0.03]]
    """
    name = Path(path).name if isinstance(path, str | Path) else Events.FRAME
    with of_file(name):
        keys = list(needed(events, benchmark, model, series, peers=True))
        benchmarks = Benchmarks(events, benchmark, benchmark_policy)
        chains = benchmarks.chains
        table = securities_of(path, {s for s, _ in keys}.union(*chains), name) or table_of(path)
        if isinstance(path, str | Path):
            InputFile(path).refuse_cut_off()
        codes = [code or DATA_CALENDAR for code in events.table["exchange"]]
        have = table.symbols
        missing = {s: f"{name} has no column or rows for it" for s, _ in keys if s not in have}
        if not any(s in have for s, _ in keys):
            tickers = ", ".join(list(missing)[:5])
            raise DataError("none of the tickers is there", where=name, value=tickers)
        further = [(s, k) for chain, k in zip(chains, codes, strict=True) for s in chain[1:]]
        keys = list(dict.fromkeys([*keys, *(key for key in further if key[0] in have)]))
        available = list(dict.fromkeys(s for s, _ in keys if s in have))
        days = present_days(table, available)
        indices, calendar = benchmarks.indices, calendar or events.calendar
        sessions = build_sessions(keys, available, days, calendar, indices)
        data: Any = {"keys": keys, "sessions": sessions, "failures": missing}
        panel = ReturnsPanel.from_table(table, kind=kind, where=name, **data)
        ends = _ends_of(panel)
        whence = {
            s: {"source": "returns file", "detail": name, **ends.get(s, {})} for s in available
        }
        panel = _with_limits(replace(panel, provenance=whence), special_treatment(events))
        notices = getattr(table, "notices", ())
        ended = note_ends(panel.keys, panel.spans, panel.sessions, sessions)
        return replace(panel, notices=(*notices, *panel.notices, *ended))


def _ends_of(panel: ReturnsPanel) -> dict[str, dict[str, str]]:
    """Return the first and the last day with a return of each symbol that has one."""
    ends: dict[str, dict[str, str]] = {}
    for (symbol, _), spans in zip(panel.keys, panel.spans, strict=True):
        at = np.flatnonzero(spans)
        if at.size:
            first, last = panel.sessions[at[[0, -1]]].astype(str)
            had = ends.get(symbol, {"first": first, "last": last})
            ends[symbol] = {"first": min(first, had["first"]), "last": max(last, had["last"])}
    return ends


def _with_limits(panel: ReturnsPanel, special: frozenset[str]) -> ReturnsPanel:
    """Return a panel of returns with the days on which they lie at a known price limit."""
    found = {}
    for row, (symbol, _) in enumerate(panel.keys):
        rules = LimitRule.of(symbol, st=symbol in special)
        if not rules or not panel.spans[row].any():
            continue
        at = np.flatnonzero(panel.spans[row])
        returns = panel.values[row, at]
        simple = np.expm1(returns) if panel.kind == "log" else returns
        states = limits_of_returns(panel.sessions[at], simple, rules)
        if states.any():
            found[row] = at, states
    if not found:
        return panel
    limits = np.zeros(panel.values.shape, dtype=np.int8)
    for row, (at, states) in found.items():
        limits[row, at] = states
    names = dict.fromkeys(panel.keys[row][0] for row in found)
    note = Reason("limits_of_returns", names=words().some(list(names)))
    return replace(panel, limits=limits, notes=(*panel.notes, note))


def special_treatment(events: Events) -> frozenset[str]:
    """Return the tickers under special treatment.

    Their column ``st`` says yes, or their ``company`` begins with ST or *ST. A ticker with one such
    event counts as such throughout.
    """
    table, tickers = events.table, set()
    if "st" in table:
        words = table["st"].astype(str).str.strip().str.lower()
        tickers |= set(table["ticker"][words.isin(("yes", "y", "true", "1"))])
    if "company" in table:
        names = table["company"].astype(str).str.strip()
        tickers |= set(table["ticker"][names.str.match(r"S?\*?ST(?![A-Za-z])")])
    return frozenset(map(str, tickers))
