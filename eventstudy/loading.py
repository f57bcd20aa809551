"""Which series a list of events needs, and the panel that holds them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .calendars import Sessions, data_sessions, sessions
from .config import ESTIMATION, EVENT
from .errors import ConfigError, DataError, PriceError
from .exchanges import EXCHANGES
from .measures import shares_of
from .returns import DATA_CALENDAR, NO_ZONE, Key, ReturnsPanel
from .typing import CalendarChoice, DateArray, Measure, ReturnKind
from .windows import Window

if TYPE_CHECKING:
    import pandas as pd

    from .events import Events
    from .models import Factor, LinearModel
    from .prices import PriceProvider

# Begins the symbol of a series from a factor file; no ticker has a colon.
FACTOR = "factor:"
# Column with untreated firms for each event.
PEERS = "peers"
# Calendar days for one session, holidays and weekends included, with room to spare.
DAYS_PER_SESSION = 1.6
MARGIN_DAYS = 20
# Prices after the last window tell a halt that goes on from data that end.
DAYS_AFTER = 120


def benchmarks_of(events: Events, benchmark: str = "") -> list[str]:
    """Return each event's benchmark: the one given, else its column, else its exchange's index."""
    defaults = {e.code: e.benchmark or "" for e in EXCHANGES.values()}
    table = events.table
    return [
        benchmark or own or defaults.get(code, "")
        for own, code in zip(table["benchmark"], table["exchange"], strict=True)
    ]


def series_of(
    factor: Factor,
    events: Events,
    *,
    benchmark: str = "",
    series: Mapping[str, str],
    columns: Collection[str],
) -> list[str]:
    """Return the symbol of a factor for each event: ``A;B`` for several, ``factor:NAME`` from factor files.

    Raises
    ------
    ConfigError
        If the name is neither a column of the events, nor in `series`, nor in the factor files.
    """
    table, name = events.table, factor.name
    if name == "market":
        return benchmarks_of(events, benchmark)
    if name in table:
        return [
            ";".join(members(str(cell), set(table["ticker"]) if factor.several else ()))
            for cell in table[name]
        ]
    if name in series or name in columns:
        return [series.get(name, FACTOR + name)] * len(table)
    raise ConfigError(
        "the model needs a series that is not there", value=name,
        remedy=f"add a column {name} to the events file or to a file of --factors, or --series {name}=TICKER",
    )  # fmt: skip


def members(cell: str, without: Collection[str] = ()) -> list[str]:
    """Return the tickers of a cell ``A;B;C``, less those in `without`."""
    return [t.strip() for t in cell.split(";") if t.strip() and t.strip() not in without]


def needed_keys(
    events: Events,
    benchmark: str = "",
    model: LinearModel | None = None,
    series: Mapping[str, str] | None = None,
    *,
    peers: bool = False,
) -> list[Key]:
    """Return the (symbol, calendar) pairs that the events and the model need, firms first.

    With `peers` also those in the column ``peers``, for placebo firms.
    """
    calendars = [code or DATA_CALENDAR for code in events.table["exchange"]]
    firms = list(zip(events.table["ticker"], calendars, strict=True))
    own, table = series or {}, events.table
    named = [f for f in (model.factors if model else ()) if f.name in table or f.name in own]
    wanted = [
        benchmarks_of(events, benchmark),
        *(series_of(f, events, series=own, columns=()) for f in named),
        *([[str(cell) for cell in table[PEERS]]] if peers and PEERS in table else []),
    ]
    others = [(s, c) for row in wanted for cell, c in zip(row, calendars, strict=True) for s in members(cell)]
    return list(dict.fromkeys(firms + others))


def needed_range(
    events: Events, estimation: Window, event: Window, *, further: int = 0, today: date | None = None
) -> tuple[date, date]:
    """Return the first and last day whose prices the windows can need, and `further` sessions before."""
    day0 = events.table["day0"]
    before = int((further - estimation.start) * DAYS_PER_SESSION) + MARGIN_DAYS
    after = int(max(event.stop, 0) * DAYS_PER_SESSION) + DAYS_AFTER
    last = day0.max().date() + timedelta(days=after)
    return day0.min().date() - timedelta(days=before), min(last, today or date.today())  # noqa: DTZ011 - a civil date


def load_returns(
    events: Events,
    provider: str | Path | PriceProvider = "auto",
    *,
    benchmark: str = "",
    estimation: Window | tuple[int, int] = ESTIMATION,
    event: Window | tuple[int, int] = EVENT,
    model: LinearModel | None = None,
    series: Mapping[str, str] | None = None,
    calendar: CalendarChoice = "exchange",
    kind: ReturnKind = "simple",
    measure: Measure = "return",
    placebo: int = 0,
    offline: bool = False,
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
    estimation, event : Window
        How far back and ahead prices are needed.
    model : LinearModel, optional
        Whose further series (an industry index, donors ...) are fetched as well.
    series : mapping of str to ticker, optional
        Series of the model that are the same for all events.
    calendar : {"exchange", "data"}
        Sessions of the exchanges, or the dates of the data.
    measure : {"return", "volume", "turnover", "volatility"}
        What the panel holds (docs/methods.md, 1.6).
    placebo : int
        Placebo dates that will be wanted: as many sessions further back are fetched, and the firms in the
        column ``peers``.
    offline : bool
        Never use the network.
    progress : callable, optional
        Called with (symbols done, symbols in all).

    Returns
    -------
    ReturnsPanel
        Symbols without prices are in ``failures`` with the reason.
    """
    from .prices import resolve

    if len(events) == 0:
        raise DataError("there are no events")
    estimation, event = Window.of(estimation), Window.of(event)
    first, last = needed_range(events, estimation, event, further=placebo + len(event) * bool(placebo))
    keys = needed_keys(events, benchmark, model, series, peers=bool(placebo))
    symbols = list(dict.fromkeys(symbol for symbol, _ in keys))
    fetched = resolve(provider, offline=offline).fetch(symbols, first, last, progress=progress)
    failures = {symbol: _cause(symbol, error) for symbol, error in fetched.failures.items()}
    if fetched.table.empty:
        raise next(iter(fetched.failures.values()), DataError("there is no price at all"))
    dates = {
        str(s): part.to_numpy().astype("datetime64[D]") for s, part in fetched.table.groupby("symbol")["date"]
    }
    panel = ReturnsPanel.from_prices(
        fetched.table,
        keys=keys,
        sessions=_sessions(keys, dates, calendar, set(benchmarks_of(events, benchmark))),
        kind=kind,
        measure=measure,
        shares=shares_of(events) if measure == "turnover" else {},
        failures=failures,
        notices=fetched.notices,
        provenance={symbol: vars(p) for symbol, p in fetched.provenance.items()},
    )
    # What the bundled sample says of itself holds for all its symbols, and is a notice already.
    sources = {s: p for s, p in fetched.provenance.items() if p.source != "sample" and s not in failures}
    changed = [f"{symbol}: {p.note}" for symbol, p in sources.items() if p.note]
    return replace(panel, notes=(*changed, *panel.notes))


def read_returns(
    path: str | Path,
    events: Events,
    *,
    benchmark: str = "",
    model: LinearModel | None = None,
    series: Mapping[str, str] | None = None,
    calendar: CalendarChoice = "exchange",
    kind: ReturnKind = "simple",
) -> ReturnsPanel:
    """Read a file of returns (CSV or Parquet; wide, or long with date, ticker, ret) for the events.

    Raises
    ------
    DataError
        If the file cannot be read as such, or holds none of the symbols.
    """
    frame = read_table(path)
    keys = needed_keys(events, benchmark, model, series, peers=True)
    from .returns import wide_returns

    wide = wide_returns(frame)
    have = set(wide.columns)
    missing = {s: f"{Path(path).name} has no column or rows for it" for s, _ in keys if s not in have}
    if not any(s in have for s, _ in keys):
        raise DataError(
            "the file has none of the tickers", where=Path(path).name, value=", ".join(list(missing)[:5])
        )
    index = wide.index.to_numpy().astype("datetime64[D]")
    dates = {s: index[wide[s].notna().to_numpy()] for s, _ in keys if s in have}
    return ReturnsPanel.from_frame(
        wide,
        kind=kind,
        keys=keys,
        sessions=_sessions(keys, dates, calendar, set(benchmarks_of(events, benchmark))),
        failures=missing,
        provenance={
            s: {"source": "returns file", "detail": Path(path).name} for s in have & {s for s, _ in keys}
        },
    )


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV or Parquet file into a frame of plain columns."""
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise ConfigError("no such file", value=str(path))
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(
            path, sep=None, engine="python", dtype={"ticker": str, "symbol": str}, encoding="utf-8-sig"
        )
    except ImportError:
        raise ConfigError(
            "reading Parquet needs pyarrow", where=path.name, remedy="pip install eventstudy-kit[parquet]"
        ) from None
    except Exception as error:
        raise DataError(
            "the file cannot be read as a table", where=path.name, remedy=str(error).splitlines()[0]
        ) from None


def _cause(symbol: str, error: PriceError) -> str:
    """Return what a provider says of one symbol, as the end of "no price data: ..."."""
    what = error.what.removeprefix("no price data: ")
    if error.where and error.where != symbol:
        what = f"{error.where}: {what}"
    if error.value is not None:
        what += f", got {error.value!r}"
    return f"{what}; {error.remedy}" if error.remedy else what


def _sessions(
    keys: list[Key], dates: Mapping[str, DateArray], calendar: CalendarChoice, benchmarks: set[str]
) -> dict[str, Sessions]:
    """Return the sessions of each calendar in `keys`: the exchange's, or the dates of its symbols."""
    exchanges = {e.code: e for e in EXCHANGES.values()}
    out = {}
    for name in dict.fromkeys(c for _, c in keys):
        exchange = exchanges.get(name)
        own = sessions(exchange.calendar) if exchange and exchange.calendar else None
        if own is None or calendar == "data":
            symbols = [s for s, c in keys if c == name and s in dates]
            days = _market_days({s: dates[s] for s in symbols}, benchmarks)
            if len(days) == 0:
                continue
            own = data_sessions(name, own.tz if own else NO_ZONE, days, own)
        out[name] = own
    return out


def _market_days(dates: Mapping[str, DateArray], benchmarks: set[str]) -> DateArray:
    """Return the days on which a market was open, judged by its prices.

    With a benchmark: its days, and those on which more than half of the firms that are listed have a
    price. A stray price on a Sunday is no session. Without one: all days.
    """
    if not dates:
        return np.empty(0, "datetime64[D]")
    days = np.unique(np.concatenate(list(dates.values())))
    known = [own for symbol, own in dates.items() if symbol in benchmarks]
    if not known:
        return days
    present, listed = np.zeros(len(days)), np.zeros(len(days))
    for own in (own for symbol, own in dates.items() if symbol not in benchmarks and len(own)):
        present += np.isin(days, own)
        listed += (days >= own[0]) & (days <= own[-1])
    open_days: DateArray = days[np.isin(days, np.concatenate(known)) | (present > listed / 2)]
    return open_days
