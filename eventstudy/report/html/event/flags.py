"""What a reader should know of one event: its flags, its neighbours, and the faults of its
prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....calendars.exchanges import BY_CODE
from ....returns.benchmarks import FALLBACK, NAMED
from ....returns.coverage import Coverage, Need
from ....utility.numbers import MISSING, clipped, count, date_prose, listed
from ....utility.units import words
from ...content.window_reach import extended
from ...content.wording import FLAGS, flag_words, flags_of
from ..events import event_name

if TYPE_CHECKING:
    from ....fitting.fitted import FittedStudy
    from .one_event import OneEvent

MOST_FAULTS, MOST_NAMES = 5, 3
LIMIT = "Price limit"


def flags_in_words(event: OneEvent) -> list[tuple[str, str]]:
    """Return what a reader should know of one event: head and text."""
    results, i = event.results, event.row
    ends = extended(event.one, event.main) if event.used else []
    found = flags_of(event.cells["flags"])
    meant = FLAGS | ({FALLBACK: _stand_in(event)} if FALLBACK in found else {})
    rows = [(clipped(flag_words(f), 60).capitalize(), words().say(meant.get(f, ""))) for f in found]
    remark = str(results.abnormal.remark[i])
    rows += [("Estimation", clipped(remark, 300))] if remark else []
    rows = [
        (head, f"{text}: {ends[0].said}" if ends and head == LIMIT else text) for head, text in rows
    ]
    return [*rows, *_same_session(results, i), *_same_firm(results, i), *_faults(results, i)]


def _stand_in(event: OneEvent) -> str:
    """Say which index is used, and what the one in whose place it is lacks."""
    cells, panel, windows = event.cells, event.results.panel, event.results.abnormal.windows
    usual = BY_CODE[cells["exchange"]].benchmark if cells["exchange"] in BY_CODE else ""
    first = str(cells.get(NAMED) or usual)
    at = np.split(windows.positions[event.row], [len(windows.estimation)])
    need = Need(panel.calendar_of(cells["exchange"]), *(part[part >= 0] for part in at))
    cover = Coverage(panel)
    return (
        f"{cells['benchmark']} is used because {first} "
        f"{cover.why(first, cover.kind(first, need), [need])}"
    )


def _same_session(results: FittedStudy, i: int) -> list[tuple[str, str]]:
    days = results.events["day0"].to_numpy()
    others = np.flatnonzero((days == days[i]) & results.ok)
    others = others[others != i]
    if not others.size:
        return []
    names = [clipped(_name(results, int(k)), 60) for k in others[:MOST_NAMES]]
    more = [f"{others.size - MOST_NAMES:,} more"] if others.size > MOST_NAMES else []
    verb = "has" if others.size == 1 else "have"
    text = (
        f"{count(int(others.size), 'other event')} used {verb} this day 0 "
        f"({listed([*names, *more])})."
    )
    return [("Same session", text)]


def _same_firm(results: FittedStudy, i: int) -> list[tuple[str, str]]:
    days, tickers = (results.events[name].to_numpy() for name in ("day0", "ticker"))
    own = np.flatnonzero(tickers == tickers[i])
    own = own[own != i]
    if not own.size:
        return []
    told = [date_prose(days[k]) for k in own[:6]]
    more = [f"{own.size - 6:,} more"] if own.size > 6 else []
    times = "once" if own.size == 1 else f"{own.size:,} times"
    return [
        (
            "Other own events",
            f"The listing appears {times} more in the list: {listed([*told, *more])}.",
        )
    ]


def _faults(results: FittedStudy, i: int) -> list[tuple[str, str]]:
    """Return the faults of the firm's prices within its windows."""
    windows = results.abnormal.windows
    known = windows.positions[i][windows.positions[i] >= 0]
    if not known.size:
        return []
    first, last = windows.sessions[known.min()], windows.sessions[known.max()]
    found = results.panel.faults_near(str(results.events["ticker"].iloc[i]), first, last)
    return [
        (f"{flag_words(f.kind).capitalize()}, {f.date}", f"{clipped(f.detail, 200)}: {f.action}.")
        for f in found[:MOST_FAULTS]
    ]


def _name(results: FittedStudy, i: int) -> str:
    return event_name(results.records[i]) or MISSING
