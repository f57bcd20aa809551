"""Used events whose CAR is missing over a window, or runs on beyond it, each with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..fitting.fitted import LISTED, is_large
from ..fitting.suspensions import LONGEST_RUN
from ..prices.quality.return_faults import TAKEN_OUT
from ..returns.benchmarks import members
from ..utility.catalogue import Reason
from ..utility.flags import Flag, flags_of
from ..utility.typing import BoolArray, DateArray
from ..utility.units import WORDS
from .events import firm_name
from .samples import CarRemark

if TYPE_CHECKING:
    from ..abnormal.abnormal_returns import AbnormalReturns
    from ..calendars.window import Window
    from ..fitting.fitted import FittedStudy

# Price-data issues that make a value missing, unlike a market that is closed.
WRONG = ("not_positive", "adjusted_gap", "spike", "unit_change", *TAKEN_OUT)


def extended_cars(study: FittedStudy, window: Window) -> Iterator[CarRemark]:
    """Yield the used events whose CAR runs on to the first close off a price limit.

    Parameters
    ----------
    study : FittedStudy
    window : Window

    Yields
    ------
    CarRemark
        With the session at which the CAR ends.
    """
    a = study.abnormal
    ends = a.sessions_of(window)[1]
    for i in np.flatnonzero(study.ok & a.extended(window)).tolist():
        until, day = last_session(a, i, ends[i])
        code = "extended" if day is None else "extended_to_day"
        reason = Reason(code, window=[window.start, window.stop], until=until, day=day)
        yield _remark(study, i, reason)


def last_session(a: AbnormalReturns, i: int, session: np.datetime64) -> tuple[str, int | None]:
    """Return a session as ISO date and as event day of one event.

    Parameters
    ----------
    a : AbnormalReturns
    i : int
        Row of the event.
    session : datetime64

    Returns
    -------
    date : str
    day : int or None
        None beyond the event window.
    """
    at = np.flatnonzero(a.windows.take(np.array([i])).dates[0] == session)
    return str(session.astype("datetime64[D]")), int(a.event.days[at[0]]) if at.size else None


def lacking_reasons(study: FittedStudy, window: Window) -> Iterator[tuple[int, Reason]]:
    """Yield the row of each used event without a CAR over a window, and the reason.

    Parameters
    ----------
    study : FittedStudy
    window : Window

    Yields
    ------
    row : int
    reason : Reason
        Of a large study only for the first such events.
    """
    without = np.flatnonzero(study.ok & ~study.abnormal.valid(window))
    covered = study.abnormal.covered(window)
    for i in (without[:LISTED] if is_large(study) else without).tolist():
        yield i, _why(study, i, window, int(covered[i]))


def lacking_cars(study: FittedStudy, window: Window) -> Iterator[CarRemark]:
    """Yield the used events without a CAR over a window, each with the reason.

    Parameters
    ----------
    study : FittedStudy
    window : Window

    Yields
    ------
    CarRemark
        Of a large study only the first such events.
    """
    for i, reason in lacking_reasons(study, window):
        yield _remark(study, i, reason)


def lacking_count(study: FittedStudy, window: Window) -> int:
    """Return the number of used events without a CAR over a window.

    Parameters
    ----------
    study : FittedStudy
    window : Window

    Returns
    -------
    int
    """
    return int((study.ok & ~study.abnormal.valid(window)).sum())


def _remark(study: FittedStudy, i: int, reason: Reason) -> CarRemark:
    event = study.records[i]
    return CarRemark(str(event["event_id"]), firm_name(event), reason)


def _why(study: FittedStudy, i: int, window: Window, covered: int) -> Reason:
    """Return why event i has no CAR over a window."""
    a, cols = study.abnormal, study.abnormal.columns(window)
    flags = flags_of(study.events["flags"].iloc[i])
    if covered == len(window):
        dropped = a.conventions.limits == "drop"
        return Reason("at_limit") if dropped else Reason("limit_run", n=LONGEST_RUN)
    datum = WORDS[study.panel.measure].datum
    event = a.windows.take(np.array([i]))
    dates, gone = event.dates[0, cols], np.isnan(event.returns[0, len(event.estimation) :][cols])
    if gone[-1] and Flag.INCOMPLETE_WINDOW in flags:
        return Reason("beyond_data", datum=datum)
    shifted = "_shifted" if Flag.HALT_SHIFTED in flags else ""
    missing = dates[gone & ~_spanned(study, i, cols)]
    # By the other conventions one day is enough.
    if len(missing) and (a.conventions.missing == "drop" or len(missing) == len(window)):
        return _missing_days(study, i, missing, len(window), datum, shifted)
    blank = dates[gone if gone.any() else np.isnan(a.ar[i, cols])][:1]
    kinds = _wrong_values(study, _of_model(study, i), blank) if len(blank) else []
    if kinds:
        return Reason("series_faulty", date=str(blank[0]), kinds=kinds)
    if len(blank) and not gone.any():
        return Reason("series_missing", date=str(blank[0]))
    return Reason(f"spans_before{shifted}", date=str(blank[0] if len(blank) else dates[0]))


def _missing_days(
    study: FittedStudy, i: int, missing: DateArray, length: int, datum: str, shifted: str
) -> Reason:
    """Return that days of the window have no value, and which price-data issue took them."""
    several = "days" if len(missing) > 1 else "one_day" if length > 1 else "day"
    facts = {
        "datum": datum,
        "n": len(missing),
        "length": length,
        "first": str(missing[0]),
        "last": str(missing[-1]),
    }
    kinds = _wrong_values(study, [str(study.events["ticker"].iloc[i])], missing)
    if kinds:
        return Reason(f"no_data_{several}_faulty", kinds=kinds, **facts)
    return Reason(f"no_data_{several}{shifted}", **facts)


def _spanned(study: FittedStudy, i: int, cols: slice) -> BoolArray:
    """Return on which days of a window the firm has a return of any length, shape (L,)."""
    panel, at = study.panel, study.abnormal.windows.event_positions[i, cols]
    symbol, exchange = (str(study.events[name].iloc[i]) for name in ("ticker", "exchange"))
    row = panel.row(symbol, panel.calendar_of(exchange))
    spanned: BoolArray = (at >= 0) & (row >= 0) & (panel.spans[row, at] > 0)
    return spanned


def _of_model(study: FittedStudy, i: int) -> list[str]:
    """Return the symbols of the series of the model that event i uses."""
    layout = study.layout
    if layout is None:
        return []
    return [symbol for series in layout.symbols.values() for symbol in members(series[i])]


def _wrong_values(study: FittedStudy, symbols: list[str], missing: DateArray) -> list[str]:
    """Return the kinds of issues for which values of symbols were taken as missing."""
    near = (
        f for symbol in symbols for f in study.panel.faults_near(symbol, missing[0], missing[-1])
    )
    kinds = dict.fromkeys(fault.kind for fault in near if fault.kind in WRONG)
    return [kind.replace("_", " ") for kind in kinds]
