"""What becomes of each event: its status, the reason if it cannot be used, and flags.

Over windows of many days abnormal returns may be below -100 %, and alpha counts on every day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from ..abnormal import AbnormalReturns
from ..calendars import Exchange, Symbol, Window
from ..errors import NetworkError, OtherDaysError
from ..models import LinearModel
from ..quality import ReturnFault, SeriesFault
from ..returns import Benchmarks, Factor, ReturnsPanel
from ..utility import BoolArray, DateArray, Flag, IntArray, ObjectArray
from ..windows import TRADED, EventWindows
from ..words import Reason, say
from .fitted import TO_COME
from .layout import Layout, at_limit
from .market_days import judge_markets

# A main window of more days than this has a word on alpha.
LONG = 60
# A firm without a price for so long, while others have them, is delisted or as good as that.
GONE = np.timedelta64(30, "D")
# A day 0 so near the last prices of all series of its event is waited for.
SOON = np.timedelta64(7, "D")


def below_total_loss(abnormal: AbnormalReturns) -> BoolArray:
    """Return which events have a CAR or BHAR below -100 % over some window of event days, (n,)."""
    below = np.zeros(len(abnormal), dtype=bool)
    if abnormal.windows.measure != "return":
        return below
    ar = np.nan_to_num(abnormal.ar)
    normal = np.nan_to_num(abnormal.expected)
    is_log = abnormal.windows.kind == "log"
    held, held_normal = (np.exp(r) if is_log else 1 + r for r in (normal + ar, normal))
    # No window has a smaller sum than all losses, nor a smaller difference than this.
    least = np.minimum(held, 1).prod(axis=1) - np.maximum(held_normal, 1).prod(axis=1)
    rows = np.flatnonzero((np.minimum(ar, 0).sum(axis=1) < -1) | (least < -1))
    for day in range(ar.shape[1]):
        car = ar[rows, day:].cumsum(axis=1)
        bhar = held[rows, day:].cumprod(axis=1) - held_normal[rows, day:].cumprod(axis=1)
        below[rows] |= (np.minimum(car, bhar) < -1).any(axis=1)
    return below


def note_long_windows(
    abnormal: AbnormalReturns, flags: pd.Series[str], main: Window, model: LinearModel
) -> Iterator[Reason]:
    """Yield what is to be said of events below -100 %, else of a long main window.

    Parameters
    ----------
    abnormal : AbnormalReturns
    flags : Series
        Of the n events.
    main : Window
    model : LinearModel
    """
    below = flags.str.contains(Flag.BELOW_TOTAL_LOSS).to_numpy(bool)
    n = int(below.sum())
    has_alpha = "alpha" in model.parameters and not model.zero_alpha
    if n and not has_alpha:
        yield Reason("below_total_loss", n=n)
    elif n or (has_alpha and len(main) > LONG and abnormal.windows.measure == "return"):
        days = len(abnormal.windows.event) if n else len(main)
        alpha = abnormal.params[below if n else abnormal.problem == "", 0]
        a = float(np.mean(alpha)) if len(alpha) else 0.0
        code = "below_with_alpha" if n else "long_alpha"
        yield Reason(code, n=n, alpha=a, days=days, total=a * days)


# Codes of the reasons of announcements that are part of another event.
MERGED = ("same_session", "same_session_resumed")
# The other flags are raised before a study is fitted, or for other news.
EARLIER = (
    Flag.TIME_UNKNOWN, Flag.DAY0_GIVEN, Flag.ASSUMED_SESSION, Flag.BENCHMARK_FALLBACK,
    Flag.CONFOUNDED,
)  # fmt: skip
STUDY_FLAGS = tuple(flag for flag in Flag if flag not in EARLIER)

# Faults of prices that may have made a return. The others are gaps, which have flags of their own,
# and falls that may be dividends: more of these are news (benchmarks/dividends.py).
IN_DOUBT = (
    "spike", "suspect_split", "suspect_jump", "suspect_reversal", "suspect_adjustment",
    "adjusted_above", "suspect_limit", "stale_price", "outside_range", "shifted_dates",
    "same_prices",
)  # fmt: skip
# Kept moves that may be faults: where they are in the main window, the answer says so; those of the
# benchmark too, as moves in doubt.
MOVES = (
    "suspect_jump", "suspect_limit", "suspect_return", "suspect_reversal", "suspect_adjustment",
    "shifted_dates", "same_prices",
)  # fmt: skip
# What several sources say has the same flag for a firm and for its benchmark.
SEVERAL = {"filled": Flag.FILLED, "sources_differ": Flag.SOURCES_DIFFER}
SUSPECT = {"suspect_split": Flag.SUSPECT_SPLIT, **SEVERAL} | dict.fromkeys(MOVES, Flag.SUSPECT_MOVE)


def with_status(
    table: pd.DataFrame, abnormal: AbnormalReturns, layout: Layout, *, minimum: int, main: Window,
    left_out: ObjectArray, overlap: IntArray,
) -> pd.DataFrame:  # fmt: skip
    """Return the table of events with status (ok or dropped), reason, flags and nobs.

    Every event ends with one status.

    Parameters
    ----------
    table : DataFrame
        The n events.
    abnormal : AbnormalReturns
        Of the same events.
    layout : Layout
        Series of each event.
    minimum : int
        Fewest days of estimation without a flag.
    main : Window
        Its kept moves that may be faults have flags of their own.
    left_out : (n,) object array
        Why an event was left out before anything was estimated; "" otherwise.
    overlap : (n,) int array
        An earlier event of the firm whose event window overlaps that of each event; -1 if there is
        none.

    Returns
    -------
    DataFrame
    """
    usable = (abnormal.problem == "") & (abnormal.spans > 0).any(axis=1)
    marks = {
        **_flags(table, abnormal, layout, minimum),
        **_faulty(table, abnormal, layout, main),
        Flag.MASKED_DAYS: abnormal.windows.masked > 0,
        Flag.OVERLAPPING_EVENT: overlap >= 0,
        Flag.MERGED: np.isin(table["event_id"].to_numpy(str), list(merged_into(left_out))),
        Flag.BELOW_TOTAL_LOSS: below_total_loss(abnormal),
        Flag.MARKET_UNUSABLE: judge_markets(layout, abnormal.windows, main) != "",
    }
    reasons = left_out.tolist()
    raised = np.zeros(len(table), np.int64)
    dropped = np.flatnonzero(~usable & (left_out == ""))
    for i, row in zip(dropped, table.iloc[dropped].itertuples(index=False), strict=True):
        symbols_of = {name: symbols[i] for name, symbols in layout.symbols.items()}
        reasons[i] = _reason(int(i), row, abnormal, layout.panel, symbols_of)
    for bit, name in enumerate(STUDY_FLAGS):
        is_raised = marks[name] if name in ReturnFault.all_flags() else usable & marks[name]
        raised |= is_raised.astype(np.int64) << bit
    flags = list(map(_flagged, table["flags"].tolist(), raised.tolist()))
    # Of the type object: reasons keep their codes.
    reason = pd.Series(reasons, index=table.index, dtype=object)
    status = np.where(usable, "ok", "dropped")
    nobs = abnormal.nobs.astype(int)
    return table.assign(status=status, reason=reason, flags=flags, nobs=nobs)


@lru_cache(1024)
def _flagged(text: str, raised: int) -> str:
    """Return the flags of an event, given those of its row and a bit for each of this study.

    An events.csv that a run wrote has the flags of that run: those of this one replace them.
    """
    words = [word for word in text.split(";") if word and word not in STUDY_FLAGS]
    return ";".join(words + [name for bit, name in enumerate(STUDY_FLAGS) if raised >> bit & 1])


def repeats_of(table: pd.DataFrame) -> ObjectArray:
    """Say which events are on the listing and session of an earlier one; "" for all others."""
    first: dict[tuple[str, int], int] = {}
    out = np.full(len(table), "", dtype=object)
    ids = table["event_id"].to_numpy()
    days = dates_of(table["day0"]).astype(np.int64).tolist()
    for i, key in enumerate(zip(table["ticker"].tolist(), days, strict=True)):
        if first.setdefault(key, i) != i:
            out[i] = Reason("same_session", event=str(ids[first[key]]))
    return out


def merged_into(reasons: Iterable[str]) -> dict[str, list[int]]:
    """Return the events that other announcements are part of, each with the rows of these.

    Parameters
    ----------
    reasons : iterable of n str
        Why each event was left out.
    """
    rows: dict[str, list[int]] = {}
    for i, reason in enumerate(reasons):
        if isinstance(reason, Reason) and reason.code in MERGED:
            rows.setdefault(reason.facts["event"], []).append(i)
    return rows


def repeated_by_shift(table: pd.DataFrame, left_out: ObjectArray) -> ObjectArray:
    """Return why each event is left out, those too that share a session once trading resumes.

    Parameters
    ----------
    table : DataFrame
        With day 0 on the clock of sessions traded.
    left_out : (n,) object array
        Why an event was left out before; "" otherwise.
    """
    out = left_out.copy()
    rows = np.flatnonzero(left_out == "")
    again = repeats_of(table.iloc[rows])
    out[rows] = [why and Reason("same_session_resumed", **why.facts) for why in again]
    return out


def dates_of(days: pd.Series[pd.Timestamp]) -> DateArray:
    """Return days as civil dates."""
    return days.to_numpy().astype("datetime64[D]")


def _flags(
    table: pd.DataFrame, abnormal: AbnormalReturns, layout: Layout, minimum: int
) -> dict[str, BoolArray]:
    """Return what a reader should know of the events, each (n,)."""
    panel, windows = layout.panel, abnormal.windows
    keys = list(zip(table["ticker"].tolist(), table["exchange"].tolist(), strict=True))
    ends = {(t, e): panel.last_session(t, panel.calendar_of(e)) for t, e in dict.fromkeys(keys)}
    last = np.array([ends[key] for key in keys], dtype="datetime64[D]")
    final = abnormal.windows.dates[:, -1]
    limited = at_limit(layout, windows.event_positions)
    provisional = (np.isnat(final) | (final > last)) & ~(panel.sessions[-1] - last >= GONE)
    return {
        Flag.SHORT_ESTIMATION: abnormal.nobs < minimum,
        Flag.SHORT_HISTORY: ~abnormal.has_history,
        Flag.MULTI_DAY_RETURN: np.asarray((abnormal.length > 1).any(axis=1)),
        Flag.INCOMPLETE_WINDOW: provisional,
        Flag.MISSING_DAYS: ~provisional & (abnormal.covered(abnormal.event) < len(abnormal.event)),
        Flag.FALLBACK_MODEL: abnormal.remark != "",
        Flag.HALT_SHIFTED: np.array([TRADED in name for name in layout.calendars], dtype=bool),
        Flag.PRICE_LIMIT: np.asarray(limited.any(axis=1)),
    }


def _faulty(
    table: pd.DataFrame, abnormal: AbnormalReturns, layout: Layout, main: Window
) -> dict[str, BoolArray]:
    """Return which events have a fault with a flag, of the firm or a series, in a window."""
    flags: list[str] = [Flag.SUSPECT_PRICE, *ReturnFault.all_flags(), *SUSPECT.values()]
    out: dict[str, BoolArray] = {name: np.zeros(len(table), dtype=bool) for name in flags}
    tickers = table["ticker"].tolist()
    days = abnormal.windows.dates[:, abnormal.columns(main)]
    for i, near in enumerate(faults_of_events(table, abnormal.windows, layout)):
        for fault in near:
            for name in _flags_of(fault):
                out[name][i] = True
            if fault.kind in SUSPECT:
                is_own = fault.symbol == tickers[i] or fault.kind in SEVERAL
                flag = SUSPECT[fault.kind] if is_own else Flag.SUSPECT_MOVE
                first, last = (np.datetime64(day, "D") for day in (fault.date, fault.last))
                out[flag][i] |= ((days[i] >= first) & (days[i] <= last)).any()
    return out


def _flags_of(fault: SeriesFault) -> Iterable[Flag]:
    """Return the flags of the events that a fault touches."""
    return fault.flags + (Flag.SUSPECT_PRICE,) * (fault.kind in IN_DOUBT)


def faults_of_events(
    table: pd.DataFrame, windows: EventWindows, layout: Layout
) -> Iterator[list[SeriesFault]]:
    """Yield the faults in the windows of each event, of the firm or of a series of the model.

    Parameters
    ----------
    table : DataFrame
        The events.
    windows : EventWindows
    layout : Layout
    """
    panel = layout.panel
    if not panel.faults:
        return
    for i, (ticker, reach) in enumerate(zip(table["ticker"], windows.reach, strict=True)):
        symbols = [ticker, *layout.series_of_event(i)] if reach[0] >= 0 else []
        near = [panel.faults_near(symbol, *panel.sessions[reach]) for symbol in symbols]
        yield [fault for faults in near for fault in faults]


def _reason(
    i: int, event: Any, abnormal: AbnormalReturns, panel: ReturnsPanel, needs: Mapping[str, str]
) -> Reason:
    """Return why event i cannot be used; the first of several causes is the one to mend first."""
    calendar = panel.calendar_of(event.exchange)
    if needs.get("market", "none") == "":
        kind = Symbol(str(event.ticker)).kind
        if kind != "share":
            return Reason(f"no_market_of_{kind}", symbol=str(event.ticker))
        return Reason("no_benchmark")
    blank = next((name for name, text in needs.items() if not text), "")
    if blank:
        return Reason("blank_column", column=blank)
    symbols = {event.ticker: ""}
    for name, text in needs.items():
        series = "the benchmark" if name == "market" else name
        for symbol in [text] if panel.row(text, calendar) >= 0 else Benchmarks.members(text):
            symbols.setdefault(symbol, series)
    datum = "price" if panel.measure == "return" else panel.measure
    rows = [panel.row(symbol, calendar) for symbol in symbols]
    if last := _end_before(panel, rows, np.datetime64(event.day0, "D")):
        return Reason(TO_COME, datum=datum, last=last, day0=str(event.day0.date()))
    for symbol, series in symbols.items():
        row, why = panel.row(symbol, calendar), ""
        facts = dict[str, bool]()
        if row < 0:
            why = panel.failures.get(symbol, f"{symbol} is not in the data")
            error = panel.fetched.failures.get(symbol) if panel.fetched else None
            lack = "no_data_on_day0" if isinstance(error, OtherDaysError) else "no_data"
            facts = {"unreached": True} if isinstance(error, NetworkError) else {}
            if unconverted := panel.failures_on.get((symbol, calendar)):
                return Reason("not_converted", why=unconverted)
        elif beyond := _beyond(panel, row, event.day0):
            if symbol.startswith(Factor.PREFIX):
                factor = symbol.removeprefix(Factor.PREFIX)
                return Reason(f"factor_{beyond.code}", factor=factor, **beyond.facts)
            lack, why = "no_data_on_day0", f"{symbol} {beyond}"
        if why:
            is_index = symbol == needs.get("market")
            why += _other_indices(symbol, event.exchange, panel) if is_index else ""
            return Reason(
                f"{lack}_for" if series else lack, datum=datum, series=series, why=why, **facts
            )
    if panel.measure != "return" and not abnormal.problem[i]:
        return Reason("no_abnormal_value", datum=panel.measure)
    return Reason.of(abnormal.problem[i] or Reason("no_abnormal_return"))


def _other_indices(symbol: str, exchange: str, panel: ReturnsPanel) -> str:
    """Return the end of a reason: what an index is called, or other indices of the exchange.

    Yahoo has all of them; of another source only those that it gave are known to be there.

    Parameters
    ----------
    symbol : str
        The index that is not named.
    exchange : str
        Market identifier code.
    panel : ReturnsPanel
    """
    if (meant := Symbol.of_index(symbol)) not in ("", symbol):
        return say("benchmark.meant", name=Symbol(meant).index_name, symbol=meant)
    market = Exchange.of_code(exchange)
    chain = market.chain if market else ()
    yahoo = any(entry.get("source") == "yahoo" for entry in panel.provenance.values())
    calendar = panel.calendar_of(exchange)
    untried = [index for index in chain if index != symbol and index not in panel.failures]
    available = [index for index in untried if yahoo or panel.row(index, calendar) >= 0]
    return say("benchmark.others", symbols=available) if available else ""


def _end_before(panel: ReturnsPanel, rows: list[int], day0: np.datetime64) -> str:
    """Return the last day with a value if all series end shortly before day 0; else ""."""
    seen = [np.flatnonzero(panel.spans[row] > 0) for row in rows if row >= 0]
    ends = [days[-1] for days in seen if len(days)]
    if len(ends) < len(rows):
        return ""
    first, last = panel.sessions[[min(ends), max(ends)]]
    return str(last) if last < day0 <= first + SOON else ""


def _beyond(panel: ReturnsPanel, row: int, day0: pd.Timestamp) -> Reason | None:
    """Return why a series has no value on day 0; None if it may have one."""
    seen = np.flatnonzero(panel.spans[row] > 0)
    if len(seen) == 0:
        return Reason("no_two_values")
    first, last = panel.sessions[seen[[0, -1]]]
    if np.datetime64(day0, "D") > last:
        return Reason("ends", last=str(last), day0=str(day0.date()))
    if np.datetime64(day0, "D") < first:
        return Reason("begins", first=str(first), day0=str(day0.date()))
    return None
