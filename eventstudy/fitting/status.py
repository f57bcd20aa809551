"""What becomes of each event: its status, the reason if it cannot be used, and flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..prices._base import THERE
from ..prices.quality.fault_kinds import Fault
from ..prices.quality.return_faults import RETURN_FAULTS, RETURN_FLAGS
from ..returns import ReturnsPanel
from ..returns.benchmarks import members, others
from ..returns.load import FACTOR
from ..utility.typing import BoolArray, DateArray, IntArray, ObjectArray
from ..windows.alignment import TRADED
from ..windows.event_windows import EventWindows
from .price_limits import at_limit
from .series_rows import Layout

if TYPE_CHECKING:
    import pandas as pd

# Of a symbol that has data, but none on the days of the event.
ON_DAY0 = " on day 0"

STUDY_FLAGS = (
    "short_estimation", "multi_day_return", "incomplete_window", "missing_days", "fallback_model",
    "halt_shifted", "price_limit", "masked_days", "overlapping_event", "suspect_price",
    *RETURN_FLAGS,
)  # fmt: skip

# Faults of prices that may have made a return; the others are gaps, which have flags of their own.
IN_DOUBT = (
    "spike", "unit_change", "suspect_split", "suspect_jump", "duplicate_date",
    "beyond_limit", "stale_price", "outside_range",
)  # fmt: skip


def with_status(
    table: pd.DataFrame,
    abnormal: AbnormalReturns,
    layout: Layout,
    *,
    minimum: int,
    left_out: ObjectArray,
    overlap: IntArray,
) -> pd.DataFrame:
    """Add status (ok or dropped), reason, flags and nobs; every event ends with one status.

    Parameters
    ----------
    left_out : (n,) object array
        Why an event was left out before anything was estimated; "" otherwise.
    overlap : (n,) int array
        An earlier event of the firm whose event window overlaps that of each event; -1 if there is
        none.
    """
    usable = (abnormal.problem == "") & (abnormal.spans > 0).any(axis=1)
    marks = _flags(table, abnormal, layout, minimum) | {
        "masked_days": abnormal.windows.masked > 0,
        "overlapping_event": overlap >= 0,
    }
    reasons, raised = left_out.tolist(), np.zeros(len(table), np.int64)
    lost = np.flatnonzero(~usable & (left_out == ""))
    for i, row in zip(lost, table.iloc[lost].itertuples(index=False), strict=True):
        own = {name: symbols[i] for name, symbols in layout.symbols.items()}
        reasons[i] = _reason(int(i), row, abnormal, layout.panel, own)
    for bit, name in enumerate(STUDY_FLAGS):
        seen = marks[name] if name in RETURN_FLAGS else usable & marks[name]
        raised |= seen.astype(np.int64) << bit
    flags = list(map(_flagged, table["flags"].tolist(), raised.tolist()))
    return table.assign(
        status=np.where(usable, "ok", "dropped"),
        reason=reasons,
        flags=flags,
        nobs=abnormal.nobs.astype(int),
    )


@lru_cache(1024)
def _flagged(text: str, raised: int) -> str:
    """Return the flags of an event, given those of its row and a bit for each of this study.

    An events.csv that a run wrote has the flags of that run: those of this one replace them.
    """
    kept = [word for word in text.split(";") if word and word not in STUDY_FLAGS]
    return ";".join(kept + [name for bit, name in enumerate(STUDY_FLAGS) if raised >> bit & 1])


def repeats_of(table: pd.DataFrame) -> ObjectArray:
    """Say which events are on the listing and session of an earlier one; "" for all others."""
    first: dict[tuple[str, int], int] = {}
    out, ids = np.full(len(table), "", dtype=object), table["event_id"].to_numpy()
    days = dates_of(table["day0"]).astype(np.int64).tolist()
    for i, key in enumerate(zip(table["ticker"].tolist(), days, strict=True)):
        if first.setdefault(key, i) != i:
            out[i] = f"same listing and session as event {ids[first[key]]}"
    return out


def repeated_by_shift(table: pd.DataFrame, left_out: ObjectArray) -> ObjectArray:
    """Return why each event is left out, those too that the resumption of trading put on one
    session.

    Parameters
    ----------
    table : DataFrame
        With day 0 on the clock of sessions traded.
    left_out : (n,) object array
        Why an event was left out before; "" otherwise.
    """
    out, kept = left_out.copy(), np.flatnonzero(left_out == "")
    again = repeats_of(table.iloc[kept])
    why = ": both are counted from the session on which trading resumed"
    out[kept] = [text and f"{text}{why}" for text in again]
    return out


def dates_of(days: pd.Series[pd.Timestamp]) -> DateArray:
    """Return days as civil dates."""
    return days.to_numpy().astype("datetime64[D]")


def _flags(
    table: pd.DataFrame, abnormal: AbnormalReturns, layout: Layout, minimum: int
) -> dict[str, BoolArray]:
    """Return what a reader should know of the events, each (n,)."""
    panel = layout.panel
    keys = list(zip(table["ticker"].tolist(), table["exchange"].tolist(), strict=True))
    ends = {(t, e): panel.last_session(t, panel.calendar_of(e)) for t, e in dict.fromkeys(keys)}
    last = np.array([ends[key] for key in keys], dtype="datetime64[D]")
    final = abnormal.windows.dates[:, -1]
    provisional = np.isnat(final) | (final > last)
    return {
        "short_estimation": abnormal.nobs < minimum,
        "multi_day_return": (abnormal.length > 1).any(axis=1),
        "incomplete_window": provisional,
        "missing_days": ~provisional & (abnormal.covered(abnormal.event) < len(abnormal.event)),
        "fallback_model": abnormal.remark != "",
        "halt_shifted": np.array([TRADED in name for name in layout.calendars], dtype=bool),
        **_faulty(table, abnormal, layout),
        "price_limit": at_limit(layout, abnormal.windows.event_positions).any(axis=1),
    }


def _faulty(table: pd.DataFrame, abnormal: AbnormalReturns, layout: Layout) -> dict[str, BoolArray]:
    """Tell which events have a fault in a window that has a flag, of the firm or of a series of the
    model."""
    out = {name: np.zeros(len(table), dtype=bool) for name in ("suspect_price", *RETURN_FLAGS)}
    for i, near in enumerate(faults_of_events(table, abnormal.windows, layout)):
        for kind in {fault.kind for fault in near}:
            names = (
                RETURN_FAULTS[kind].flags
                if kind in RETURN_FAULTS
                else ("suspect_price",) * (kind in IN_DOUBT)
            )
            for name in names:
                out[name][i] = True
    return out


def faults_of_events(
    table: pd.DataFrame, windows: EventWindows, layout: Layout
) -> Iterator[list[Fault]]:
    """Yield the faults in the windows of each event, of the firm or of a series of the model."""
    panel = layout.panel
    if not panel.faults:
        return
    for i, (ticker, reach) in enumerate(zip(table["ticker"], windows.reach, strict=True)):
        symbols = [ticker, *(s for series in layout.symbols.values() for s in members(series[i]))]
        yield [
            fault
            for symbol in (symbols if reach[0] >= 0 else ())
            for fault in panel.faults_near(symbol, *panel.sessions[reach])
        ]


def _reason(
    i: int, event: Any, abnormal: AbnormalReturns, panel: ReturnsPanel, needs: Mapping[str, str]
) -> str:
    """Say why event i cannot be used; the first of several causes is the one to mend first."""
    calendar = panel.calendar_of(event.exchange)
    if needs.get("market", "none") == "":
        return (
            "no benchmark: give one in the column benchmark or with --benchmark "
            "(a portfolio of peers needs firms that are not in the list)"
        )
    blank = next((name for name, text in needs.items() if not text), "")
    if blank:
        return f"the column {blank} is blank, and the model needs it"
    data = "price" if panel.measure == "return" else panel.measure
    symbols = {event.ticker: f"no {data} data"}
    for name, text in needs.items():
        words = "the benchmark" if name == "market" else name
        for symbol in [text] if panel.row(text, calendar) >= 0 else members(text):
            symbols.setdefault(symbol, f"no {data} data for {words}")
    for symbol, lack in symbols.items():
        rest = others(symbol, event.exchange, panel) if symbol == needs.get("market") else ""
        if panel.row(symbol, calendar) < 0:
            why = panel.failures.get(symbol, f"{symbol} is not in the data")
            return f"{lack}{ON_DAY0 * (THERE in why)}: {why}{rest}"
        beyond = _beyond(panel, panel.row(symbol, calendar), event.day0)
        if beyond and symbol.startswith(FACTOR):
            return f"the factor {symbol.removeprefix(FACTOR)} {beyond.replace('prices', 'values')}"
        if beyond:
            return f"{lack}{ON_DAY0}: {symbol} {beyond}{rest}"
    if abnormal.problem[i]:
        return str(abnormal.problem[i])
    return "no abnormal return in the event window: trading was halted, or prices are missing"


def _beyond(panel: ReturnsPanel, row: int, day0: pd.Timestamp) -> str:
    seen = np.flatnonzero(panel.spans[row] > 0)
    if len(seen) == 0:
        return "has no two prices on sessions of the exchange"
    first, last = panel.sessions[seen[[0, -1]]]
    if np.datetime64(day0, "D") > last:
        return f"ends {last}, day 0 is {day0.date()}"
    if np.datetime64(day0, "D") < first:
        return f"begins {first}, day 0 is {day0.date()}"
    return ""
