"""Faults of prices: what each looks like, how it is seen, what is done about it
(docs/faults.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from . import detectors
from .quotes import Quotes, Seen

if TYPE_CHECKING:
    import pandas as pd

# More faults of one kind and symbol than these become one; a note names as many days as this.
MANY, NAMED = 50, 3


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the prices of one symbol; every field is text.

    Attributes
    ----------
    symbol : str
    date, last : str
        First and last day, YYYY-MM-DD.
    kind : str
        Name in `FAULTS`.
    detail : str
        What was seen.
    action : str
        What was done about it.
    """

    symbol: str
    date: str
    last: str
    kind: str
    detail: str
    action: str


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Attributes
    ----------
    looks : str
        What it looks like in the data.
    rule : str
        How it is seen.
    action : str
        What is done.
    find : callable
        Returns the days of a symbol's rows.
    noted : bool
        Whether it is among the notes of a panel.
    """

    looks: str
    rule: str
    action: str
    find: Callable[[Quotes], list[Seen]]
    noted: bool = False


MISSING, FLAGGED, SPANNED = "missing", "flagged, unaltered", "missing; the next return spans it"
FAULTS: Mapping[str, FaultKind] = {
    "suspension": FaultKind(
        "a halted share keeps its last close with volume 0",
        "two rows or more without volume (0 or blank) and range whose close repeats the last; "
        "at the start of the data from the first row on",
        SPANNED, detectors.suspension,
    ),
    "no_trade": FaultKind(
        "one row of that kind: a typhoon, a share that nobody traded",
        "volume 0, no range, the last close again; the symbol has volume on most days",
        SPANNED, detectors.no_trade,
    ),
    "missing_session": FaultKind(
        "the exchange was open and there is no row", "the calendar has sessions between two rows",
        SPANNED, detectors.missing_session,
    ),
    "no_price": FaultKind(
        "a row without a close", "close and adjusted close are blank", SPANNED, detectors.no_price
    ),
    "closed_day": FaultKind(
        "a price on a weekend or holiday", "a date between the sessions of the calendar",
        "put aside", detectors.closed_day,
    ),
    "duplicate_date": FaultKind(
        "two rows of one date", "two dates are equal",
        "refused (files and sources keep the last, and no price where the closes differ, adjusted "
        "or not)",
        detectors.duplicate_date,
    ),
    "not_positive": FaultKind(
        "a price of 0, below 0 or infinite", "not in (0, inf)", SPANNED, detectors.not_positive
    ),
    "no_adjusted": FaultKind(
        "adjusted closes are blank throughout", "no adjusted close at all",
        "closes are used: dividends and splits count as returns", detectors.no_adjusted,
    ),
    "adjusted_gap": FaultKind(
        "some adjusted closes are blank", "a close without one", SPANNED, detectors.adjusted_gap
    ),
    "spike": FaultKind(
        "a price 100 times too high or low, for some days",
        "more than 5 times or less than 1/5 of the last price, and within 20 % of it again "
        "after 5 prices at most",
        SPANNED, detectors.spike, noted=True,
    ),
    "unit_change": FaultKind(
        "pence become pounds", "more than 20 times the last price, or less than 1/60 of it, and "
            "no spike",
        "the return of the day is missing", detectors.unit_change, noted=True,
    ),
    "suspect_split": FaultKind(
        "a split that was not applied",
        "a factor within 1.5 % of 2, 3, 4, 5, 7, 8, 10, 15, 20, 25, 30, 50 or the inverse, to the "
        "close "
        "or to the open; the day's range and the next 5 prices lie on one side, the 5 before on "
        "the other",
        FLAGGED, detectors.suspect_split, noted=True,
    ),
    "suspect_jump": FaultKind(
        "a price that no news explains", "more than 2.9 times the last price, no change of unit "
            "and no split",
        FLAGGED, detectors.suspect_jump, noted=True,
    ),
    "beyond_limit": FaultKind(
        "a close further from the last one than the exchange allows",
        "outside the limit price, no session unseen in between, not in the first sessions after a "
        "listing",
        FLAGGED, detectors.beyond_limit, noted=True,
    ),
    "stale_price": FaultKind(
        "a close that does not change although there is volume",
        "5 equal closes in a row or more without a range of their own",
        FLAGGED, detectors.stale_price,
    ),
    "outside_range": FaultKind(
        "a close above the high or below the low of its day", "by more than 0.5 %",
        FLAGGED, detectors.outside_range,
    ),
    "late_start": FaultKind(
        "a listing, or a source that begins late",
        "first row more than 5 sessions after the data begin",
        "no return before", detectors.late_start,
    ),
    "ended": FaultKind(
        "a delisting, a halt that goes on, a source that ends early",
        "last price more than 5 sessions before the data end", "no return after", detectors.ended,
    ),
    "short_history": FaultKind(
        "too few prices to estimate from", "fewer than 100 prices in all", FLAGGED,
        detectors.short_history
    ),
}  # fmt: skip
# What one fault, and several, of a kind are called in a sentence.
SPOKEN: Mapping[str, tuple[str, str]] = {
    "suspension": ("suspension", "suspensions"),
    "no_trade": ("day without trade", "days without trade"),
    "missing_session": ("missing session", "missing sessions"),
    "no_price": ("day without a price", "days without a price"),
    "closed_day": ("price on a closed day", "prices on closed days"),
    "duplicate_date": ("duplicate date", "duplicate dates"),
    "not_positive": ("price that is not positive", "prices that are not positive"),
    "no_adjusted": ("series without adjusted closes", "series without adjusted closes"),
    "adjusted_gap": ("gap in adjusted closes", "gaps in adjusted closes"),
    "spike": ("spike", "spikes"),
    "unit_change": ("change of unit", "changes of unit"),
    "suspect_split": ("suspected split", "suspected splits"),
    "suspect_jump": ("suspect jump", "suspect jumps"),
    "beyond_limit": ("move beyond a price limit", "moves beyond price limits"),
    "stale_price": ("stale price", "stale prices"),
    "outside_range": ("close outside its range", "closes outside their range"),
    "late_start": ("series that begins late", "series that begin late"),
    "ended": ("series that ended", "series that ended"),
    "short_history": ("short history", "short histories"),
}


def faults_of(quotes: Quotes) -> tuple[Fault, ...]:
    """Return all faults of one symbol, kind by kind in the order of `FAULTS`."""
    return tuple(
        Fault(quotes.symbol, str(seen.first), str(seen.last), name, seen.detail, kind.action)
        for name, kind in FAULTS.items()
        for seen in few(kind.find(quotes))
    )


def few(seen: list[Seen]) -> list[Seen]:
    """Return what was seen, the last of very many as one."""
    if len(seen) <= MANY:
        return seen
    later = seen[MANY - 1 :]
    return [
        *seen[: MANY - 1],
        Seen(later[0].first, later[-1].last, f"{len(later)} of them, the first: {later[0].detail}"),
    ]


def notes_of(faults: Iterable[Fault]) -> list[str]:
    """Return what is to be said of faults, one note a symbol and kind."""
    found: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        if FAULTS[fault.kind].noted:
            found.setdefault((fault.symbol, fault.kind), []).append(fault)
    return [_note(kind.replace("_", " "), own) for (_, kind), own in found.items()]


def _note(kind: str, faults: list[Fault]) -> str:
    days = "; ".join(f"{f.date} {f.detail}" for f in faults[:NAMED]) + "; ..." * (
        len(faults) > NAMED
    )
    return f"{faults[0].symbol}: {kind} ({days}): {faults[0].action}"


def near(faults: Iterable[Fault], first: object, last: object) -> tuple[Fault, ...]:
    """Return the faults that touch the days from `first` to `last` (dates or text YYYY-MM-DD)."""
    start, stop = (str(np.datetime64(day, "D")) for day in (first, last))  # type: ignore[call-overload]
    return tuple(f for f in faults if f.date <= stop and f.last >= start)


def table_of(faults: Iterable[Fault]) -> pd.DataFrame:
    """Return faults as a table, one row a fault."""
    import pandas as pd

    return pd.DataFrame([asdict(f) for f in faults], columns=[f.name for f in fields(Fault)])
