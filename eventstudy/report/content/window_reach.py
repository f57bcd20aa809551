"""How far the CARs of events reach: windows that run on beyond a price limit, and events that leave
one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...fitting.large_samples import LISTED, many
from ...fitting.price_limits import LONGEST_RUN
from ...prices.quality.return_faults import TAKEN_OUT
from ...returns.benchmarks import members
from ...utility.numbers import clipped, count, date_prose, day, window_text
from ...utility.typing import BoolArray, DateArray
from ...utility.units import in_its_words, words
from .wording import firm_name, flag_words, flags_of

if TYPE_CHECKING:
    from ...abnormal.abnormal_returns import AbnormalReturns
    from ...calendars.window import Window
    from ...fitting.fitted import FittedStudy

# Names in a sentence; the ledger has all of them.
NAMED = 3
# Faults of prices that are there, unlike those of a market that is closed.
WRONG = ("not_positive", "adjusted_gap", "spike", "unit_change", *TAKEN_OUT)
CHECK = "Check these data: tables/faults.csv names them"
OTHER = "Give another benchmark"
SHIFT = "Use --halt shift to count their sessions from the resumption of trade on"


@dataclass(frozen=True, slots=True)
class Reach:
    """One event, and what is to be said of its CAR over a window; `remedy` is "" where nothing
    helps."""

    name: str
    event_id: str
    said: str
    remedy: str = ""

    def __str__(self) -> str:
        own = f" ({self.event_id})" if self.event_id != self.name else ""
        return f"{self.name}{own}: {self.said}"


def extended(results: FittedStudy, window: Window) -> list[Reach]:
    """Return the used events whose CAR runs on to the first close off a price limit, and that
    session."""
    a = results.abnormal
    ends = a.sessions_of(window)[1]
    return [
        _reach(results, int(i), f"{window_text(window)} extended to {until(a, int(i), ends[i])}")
        for i in np.flatnonzero(results.ok & a.extended(window))
    ]


def until(a: AbnormalReturns, i: int, session: np.datetime64) -> str:
    """Return a session with its day on the clock of event i: ``26 Jun 2018, day +8``."""
    at = np.flatnonzero(a.windows.take(np.array([i])).dates[0] == session)
    tau = f", day {day(int(a.event.days[at[0]]))}" if at.size else ""
    return f"{date_prose(session)}{tau}"


@in_its_words
def extended_note(results: FittedStudy, window: Window) -> str:
    """Say which CARs run on beyond `window`, and how far; "" if none does."""
    found = extended(results, window)
    if not found:
        return ""
    if len(results) == 1:
        return (
            f"Price limit: {found[0].said}, its first close off the limit; the CAR is of all "
            "these days."
        )
    verb = "runs" if len(found) == 1 else "run"
    ends = [f"{r.name} {r.said.removeprefix(f'{window_text(window)} extended ')}" for r in found]
    of = f"{len(found):,} of {count(int(results.abnormal.valid(window).sum()), 'CAR')}"
    return (
        f"Price limits: {of} over {window_text(window)} {verb} on to the first close off the limit "
        f"({_some(ends)})."
    )


@in_its_words
def lacking(results: FittedStudy, window: Window) -> list[Reach]:
    """Return the used events without a CAR over `window`, each with the reason and what to do."""
    lost = np.flatnonzero(results.ok & ~results.abnormal.valid(window))
    covered = results.abnormal.covered(window)
    # Of very many events the first ones stand for all.
    lost = lost[:LISTED] if many(results) else lost
    return [_reach(results, int(i), *_why(results, int(i), window, int(covered[i]))) for i in lost]


@in_its_words
def lacking_note(results: FittedStudy, window: Window) -> str:
    """Say which events are not in the mean over `window`, why, and what to do; "" if all are."""
    found, n = lacking(results, window), lacking_count(results, window)
    if not found:
        return ""
    verbs = ("lacks", "is") if n == 1 else ("lack", "are")
    named = _some([f"{r.name}, {r.said}" for r in found], n)
    out = "left out" if int(results.abnormal.valid(window).sum()) == 1 else "not in the mean"
    return (
        f"{n:,} of {count(len(results), 'usable event')} {verbs[0]} days of this window and "
        f"{verbs[1]} {out}: {named}. {remedies(found)}"
    ).strip()


def lacking_count(results: FittedStudy, window: Window) -> int:
    """Return how many of the used events have no CAR over `window`."""
    return int((results.ok & ~results.abnormal.valid(window)).sum())


def remedies(found: list[Reach]) -> str:
    """Return what to do about events without a CAR, each remedy once, as sentences."""
    return " ".join(f"{remedy}." for remedy in dict.fromkeys(one.remedy for one in found) if remedy)


def _reach(results: FittedStudy, i: int, said: str, remedy: str = "") -> Reach:
    event = results.records[i]
    return Reach(clipped(firm_name(event), 60), clipped(event["event_id"], 60), said, remedy)


def _why(results: FittedStudy, i: int, window: Window, covered: int) -> tuple[str, str]:
    """Say why event i has no CAR over `window`, and what to do."""
    a, cols = results.abnormal, results.abnormal.columns(window)
    flags = flags_of(results.events["flags"].iloc[i])
    if covered == len(window):
        if a.conventions.limits == "drop":
            return (
                "its last day closes at a price limit",
                "Use --limits extend to keep these events",
            )
        return f"no close off the price limit within {LONGEST_RUN} sessions", ""
    own = a.windows.take(np.array([i]))
    dates, gone = own.dates[0, cols], np.isnan(own.returns[0, len(own.estimation) :][cols])
    if gone[-1] and "incomplete_window" in flags:
        return (
            f"the window reaches beyond its last {words().datum}",
            "Run again when the days are there",
        )
    remedy = "" if "halt_shifted" in flags else SHIFT
    missing = dates[gone & ~_spanned(results, i, cols)]
    # By the other conventions one day is enough.
    if len(missing) and (a.conventions.missing == "drop" or len(missing) == len(window)):
        ends = f"{date_prose(missing[0])}{f' to {date_prose(missing[-1])}' * (len(missing) > 1)}"
        part = (
            f"{len(missing)} of its {count(len(window), 'day')} ({ends})"
            if len(window) > 1
            else ends
        )
        said = f"no {words().datum} on {part}"
        kinds = _wrong_values(results, [str(results.events["ticker"].iloc[i])], missing)
        return (f"{said}: {', '.join(map(flag_words, kinds))}", CHECK) if kinds else (said, remedy)
    lost = dates[gone if gone.any() else np.isnan(a.ar[i, cols])][:1]
    kinds = _wrong_values(results, _of_model(results, i), lost) if len(lost) else []
    if kinds or (len(lost) and not gone.any()):
        said = f"a series of the model has no value on {date_prose(lost[0])}"
        return (f"{said}: {', '.join(map(flag_words, kinds))}", CHECK) if kinds else (said, OTHER)
    at = lost[0] if len(lost) else dates[0]
    return f"its return of {date_prose(at)} spans sessions before the window", remedy


def _spanned(results: FittedStudy, i: int, cols: slice) -> BoolArray:
    """Tell which days of a window the firm has a return on, whatever days that covers, shape
    (L,)."""
    panel, at = results.panel, results.abnormal.windows.event_positions[i, cols]
    symbol, exchange = (str(results.events[name].iloc[i]) for name in ("ticker", "exchange"))
    row = panel.row(symbol, panel.calendar_of(exchange))
    spanned: BoolArray = (at >= 0) & (row >= 0) & (panel.spans[row, at] > 0)
    return spanned


def _of_model(results: FittedStudy, i: int) -> list[str]:
    """Return the symbols of the series of the model that event i uses."""
    layout = results.layout
    return (
        []
        if layout is None
        else [s for series in layout.symbols.values() for s in members(series[i])]
    )


def _wrong_values(results: FittedStudy, symbols: list[str], missing: DateArray) -> list[str]:
    """Return the kinds of faults for which values of symbols were taken as missing on some days."""
    near = (
        f for symbol in symbols for f in results.panel.faults_near(symbol, missing[0], missing[-1])
    )
    return list(dict.fromkeys(fault.kind for fault in near if fault.kind in WRONG))


def _some(texts: list[str], n: int | None = None) -> str:
    """Join some texts, and tell how many of all `n` are left."""
    left = (len(texts) if n is None else n) - NAMED
    return "; ".join([*texts[:NAMED], *[f"{left:,} more, see Dropped and flagged"] * (left > 0)])
