"""What each group of events shows, and which used events lack a CAR, each with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from .. import analysis
from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import Limits, WeightedSums
from ..fitting import (
    CONFOUNDER,
    NEWS_COLUMN,
    NO_NEWS,
    FittedStudy,
    Layout,
    day0_to_come,
    judged_markets,
    weekdays_closed_within,
)
from ..returns import Factor
from ..settings import StudyConfig
from ..significance import STATISTICS, consecutive_sums
from ..utility import BoolArray, DateArray, Flag, FloatArray
from ..words import LEVEL, Reason, words
from .types import CarRemark, Event, Sample, TestFinding, WindowFinding

# Columns of the events that name other news.
NEWS = (CONFOUNDER, NEWS_COLUMN, "context")


def sample_of(study: FittedStudy, config: StudyConfig, group: str = "") -> Sample:
    """Return the findings for a group of events.

    Parameters
    ----------
    study : FittedStudy
        With the events of the group.
    config : StudyConfig
    group : str
        Value of the column of groups; "" for all events.

    Returns
    -------
    Sample
    """
    a, main, empty = study.abnormal, config.main, len(study) == 0
    day0 = Window(0, 0)
    tests = dict.fromkeys([*study.all_tests, *(config.tests or ())])
    chosen = dict.fromkeys((main, *config.tested))
    lengths = tuple(sorted({len(w) for w in chosen}))
    a.prepare_recent(chosen)
    windows = {w: _window(study, w, tests, lengths) for w in chosen}
    usual = (name for name in study.all_tests if STATISTICS[name].core)
    path = None if empty else analysis.Path95.of(study)
    has_levels = not empty and study.panel.measure == "return"
    limited = a.runs is not None and a.conventions.limits == "extend"
    facts = _shared_facts(study, main)
    if len(study) == 1:
        facts |= _market_facts(study, int(np.flatnonzero(study.ok)[0]), main)
    return Sample(
        group=group,
        main=windows[main],
        windows=tuple(windows[w] for w in config.tested),
        day0=_window(study, day0) if day0 in a.event else None,
        shown=tuple(dict.fromkeys([analysis.main_test_of(study, main), *(config.tests or usual)])),
        path=path,
        diagnosis=None if empty else analysis.diagnose(study, main),
        at_limit=int(a.runs.at_limit.any(axis=1).sum()) if limited and a.runs else 0,
        filled_pairs=_filled(study, main),
        flags=_flag_counts(study),
        shortest_estimation=0 if empty else int(a.nobs[study.ok].min()),
        halts=None if empty else analysis.ClockAnswers.of(study, main),
        once=None if empty else analysis.CountedOnce.of(study, main),
        implied=None if empty else analysis.ImpliedPath.of(study),
        around=analysis.Surroundings.of(study) if has_levels else None,
        **facts,
    )


def of_one_event(study: FittedStudy, i: int, config: StudyConfig) -> Sample:
    """Return the findings for one used event of a study over the main window.

    Parameters
    ----------
    study : FittedStudy
    i : int
        Row of the event.
    config : StudyConfig

    Returns
    -------
    Sample
        Without other windows and diagnosis.
    """
    main, single = config.main, study.subset(np.array([i]))
    window = _window(single, main)
    path = analysis.ImpliedPath.of_event(study, i)
    facts = _shared_facts(single, main) | _market_facts(study, i, main)
    return Sample(group="", main=window, implied=path, **facts)


def _shared_facts(study: FittedStudy, main: Window) -> dict[str, Any]:
    """Return what a sample has however many events it is of."""
    return {
        "limit_days": _limit_days(study, main),
        "n_events": len(study.events),
        "n_used": len(study),
        "firm": _firm(study, main),
        "news": _news(study, main),
        "lacking": tuple(list_lacking_cars(study, main)),
        "extended": tuple(list_extended_cars(study, main)),
        "short": tuple(list_short_histories(study, main)),
        "n_to_come": int(day0_to_come(study).sum()),
        "n_lacking": int((study.ok & ~study.abnormal.valid(main)).sum()),
    }


def _market_facts(study: FittedStudy, i: int, main: Window) -> dict[str, Any]:
    """Return what the market of one event did."""
    closed = study.remember(
        ("weekdays closed", main), lambda: weekdays_closed_within(study.abnormal, main)
    )
    return {"market": Reason.of(judged_markets(study)[i]), "weekdays_closed": int(closed[i])}


def _limit_days(study: FittedStudy, main: Window) -> tuple[str, ...]:
    """Return the days on which the one used event is at a price limit; none of several events."""
    a, runs = study.abnormal, study.abnormal.runs
    if len(study) != 1 or not runs:
        return ()
    row = int(np.flatnonzero(study.ok)[0])
    cols = a.columns(main)
    dates = a.windows.dates[row, cols].astype(str)
    return tuple(dates[runs.at_limit[row, cols]].tolist())


def _window(
    study: FittedStudy, window: Window, tests: Collection[str] = (), lengths: tuple[int, ...] = ()
) -> WindowFinding:
    """Return what a sample shows over a window, with the named tests and its main test.

    `lengths` are those of all windows that have tests.
    """
    answer = analysis.Answer.of(study, window)
    sample = study.abnormal.tested(window)
    car = sample.car(window)
    bhar = sample.bhar(window)
    every = study.abnormal.sample(window)
    each = every.car_pvalues(window, every.recent_variance(window))
    fell = bool(len(car) and car.mean() < 0)
    return WindowFinding(
        window=window,
        answer=answer,
        tests=tuple(_tests(study, window, tests)) if tests and len(study) else (),
        median=float(np.median(car)) if len(car) else np.nan,
        positive=int((car > 0).sum()),
        moved=int(((car < 0) if fell else (car > 0)).sum()),
        moved_by_chance=_by_chance(sample, len(window), lengths, fell=fell) if tests else np.nan,
        significant=int((each < LEVEL).sum()),
        bhar=float(bhar.mean()) if len(bhar) else np.nan,
        is_extended=bool(study.abnormal.extended(window).any()),
    )


def _tests(study: FittedStudy, window: Window, names: Iterable[str]) -> Iterator[TestFinding]:
    opinions = {opinion.test: opinion for opinion in analysis.diagnose(study, window).opinions}
    for name in dict.fromkeys([*names, analysis.main_test_of(study, window)]):
        result = study.test(name, window)
        # A test without a p, as while events wait for days, is judged by its reason alone.
        opinion = opinions.get(name) if np.isfinite(result.pvalue) else None
        unjudged = "not_for_one_event" if result.n_events == 1 else "not_judged"
        yield TestFinding(
            test=name,
            statistic=result.statistic,
            pvalue=result.pvalue,
            distribution=result.distribution,
            n_events=result.n_events,
            trust=opinion.trust if opinion else analysis.Diagnosis.NOT_VALID,
            false_alarms=opinion.false_alarms if opinion else np.nan,
            reasons=opinion.reasons if opinion else (Reason.of(result.reason or Reason(unjudged)),),
        )


def _by_chance(
    sample: AbnormalReturns, length: int, lengths: tuple[int, ...], *, fell: bool
) -> float:
    """Return how many CARs would have the sign of the mean on quiet days; NaN where unknown."""
    measure = partial(_sign_rates, lengths=lengths)
    # The days of very many events are laid out once for all lengths.
    key = ("moved", lengths)
    every = sample.of_each_event(key, lambda events: np.concatenate(list(events.by_chunk(measure))))
    rates = every[:, lengths.index(length), int(fell)]
    return float(rates.sum()) if rates.size and not np.isnan(rates).any() else np.nan


def _sign_rates(events: AbnormalReturns, *, lengths: tuple[int, ...]) -> FloatArray:
    """Return the shares of positive and of negative sums of residuals in a row, (n, lengths, 2)."""
    resid = events.resid
    out = np.full((len(resid), len(lengths), 2), np.nan)
    for k, length in enumerate(lengths):
        if length <= resid.shape[1]:
            sums = consecutive_sums(resid, length)
            counted = np.isfinite(sums).sum(axis=1)
            for side, same_sign in enumerate((sums > 0, sums < 0)):
                count = same_sign.sum(axis=1)
                np.divide(count, counted, out=out[:, k, side], where=counted > 0)
    return out


def _firm(study: FittedStudy, window: Window) -> str:
    """Return the company if all events with a CAR are of one; else ""."""
    rows = np.flatnonzero(study.abnormal.valid(window)).tolist()
    if len(rows) == 1:
        return Event.firm_of(study.records[rows[0]])
    firms = {study.firms[i] for i in rows}
    return firms.pop() if len(firms) == 1 else ""


def _news(study: FittedStudy, window: Window) -> tuple[str, ...]:
    """Return the cells that name other news of the one event that has a CAR, or is listed."""
    rows = np.flatnonzero(study.abnormal.valid(window))
    if len(rows) != 1 and len(study.events) != 1:
        return ()
    return news_in(study.records[int(rows[0]) if len(rows) else 0])


def news_in(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the distinct cells of an event that name other news."""
    cells = (event.get(column) for column in NEWS)
    texts = ("" if cell is None or cell != cell else str(cell).strip() for cell in cells)
    return tuple(dict.fromkeys(text for text in texts if text.lower() not in NO_NEWS))


def _filled(study: FittedStudy, window: Window) -> int:
    sample = study.abnormal.tested(window)
    if not 1 < len(sample) <= Limits.PAIRWISE:
        return 0
    return WeightedSums(sample, window).correlation.filled


def _flag_counts(study: FittedStudy) -> dict[str, int]:
    """Return the number of used events with each flag."""
    cells = study.events.loc[study.ok, "flags"]
    return dict(Counter(flag for cell in cells for flag in dict.fromkeys(Flag.of(cell))))


# Prices that are missing, unlike those of a market that is closed.
WRONG = ("not_positive", "adjusted_gap", "spike")


def list_extended_cars(study: FittedStudy, window: Window) -> Iterator[CarRemark]:
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
        until, day = find_last_session(a, i, ends[i])
        code = "extended" if day is None else "extended_to_day"
        reason = Reason(code, window=[window.start, window.stop], until=until, day=day)
        yield _remark(study, i, reason)


def find_last_session(a: AbnormalReturns, i: int, session: np.datetime64) -> tuple[str, int | None]:
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


def list_short_histories(study: FittedStudy, window: Window) -> Iterator[CarRemark]:
    """Yield the events with a CAR whose short history keeps them out of the answer.

    Parameters
    ----------
    study : FittedStudy
    window : Window

    Yields
    ------
    CarRemark
        Of a large study only the first such events.
    """
    a = study.abnormal
    for i in np.flatnonzero(a.valid(window) & ~a.in_tests(window))[: FittedStudy.LISTED].tolist():
        facts = {"n": int(a.nobs[i]), "needed": a.least_history}
        yield _remark(study, i, Reason("short_history", **facts))


def explain_lacking_cars(study: FittedStudy, window: Window) -> Iterator[tuple[int, Reason]]:
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
    for i in (without[: FittedStudy.LISTED] if study.is_large else without).tolist():
        yield i, _why(study, i, window, int(covered[i]))


def list_lacking_cars(study: FittedStudy, window: Window) -> Iterator[CarRemark]:
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
    for i, reason in explain_lacking_cars(study, window):
        yield _remark(study, i, reason)


def _remark(study: FittedStudy, i: int, reason: Reason) -> CarRemark:
    event = study.events.iloc[i]
    return CarRemark(str(event["event_id"]), Event.firm_of(event), reason)


def _why(study: FittedStudy, i: int, window: Window, covered: int) -> Reason:
    """Return why event i has no CAR over a window."""
    a, cols = study.abnormal, study.abnormal.columns(window)
    flags = Flag.of(study.events["flags"].iloc[i])
    if covered == len(window):
        dropped = a.conventions.limits == "drop"
        return Reason("at_limit") if dropped else Reason("limit_run", n=Layout.LONGEST_RUN)
    datum = words(study.panel.measure).datum
    event = a.windows.take(np.array([i]))
    dates = event.dates[0, cols]
    gone = np.isnan(event.returns[0, len(event.estimation) :][cols])
    if gone[-1] and Flag.INCOMPLETE_WINDOW in flags:
        return Reason("beyond_data", datum=datum)
    shifted = "_shifted" if Flag.HALT_SHIFTED in flags else ""
    missing = dates[gone & ~_spanned(study, i, cols)]
    # By the other conventions one day is enough.
    if len(missing) and (a.conventions.missing == "drop" or len(missing) == len(window)):
        return _missing_days(study, i, missing, len(window), datum, shifted)
    blank = dates[gone if gone.any() else np.isnan(a.ar[i, cols])][:1]
    series = study.layout.series_of_event(i) if study.layout else []
    if len(blank) and (kinds := _wrong_values(study, series, blank)):
        return Reason("series_faulty", date=str(blank[0]), kinds=kinds)
    day = blank[0] if len(blank) else dates[0]
    return _short_series(study, i, day, datum) or Reason(f"spans_before{shifted}", date=str(day))


def _short_series(study: FittedStudy, i: int, day: np.datetime64, datum: str) -> Reason | None:
    """Return which series of the model lacks a day of event i; None where none does."""
    layout = study.layout
    if layout is None:
        return None
    panel = layout.panel
    column = int(np.searchsorted(panel.sessions, day))
    firm = layout.rows[i]
    for row in layout.factor_rows[i][layout.factor_rows[i] >= 0]:
        series = panel.keys[row][0].removeprefix(Factor.PREFIX)
        spans = panel.spans[row]
        present = np.flatnonzero(spans > 0)
        if len(present) and column > present[-1]:
            last = panel.sessions[present[-1]]
            return Reason("series_ends", series=series, datum=datum, date=str(last))
        if spans[column] == 0:
            return Reason("series_missing", series=series, datum=datum, date=str(day))
        if spans[column] > max(panel.spans[firm, column], 1):
            return Reason("series_spans_before", series=series, date=str(day))
    return None


def _missing_days(
    study: FittedStudy, i: int, missing: DateArray, length: int, datum: str, shifted: str
) -> Reason:
    """Return that days of the window have no value, and which price-data issue took them."""
    several = "days" if len(missing) > 1 else "one_day" if length > 1 else "day"
    kinds = _wrong_values(study, [str(study.events["ticker"].iloc[i])], missing)
    first = str(missing[0])
    last = str(missing[-1])
    facts = {"datum": datum, "n": len(missing), "length": length, "first": first, "last": last}
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


def _wrong_values(study: FittedStudy, symbols: list[str], missing: DateArray) -> list[str]:
    """Return the kinds of issues for which values of symbols were taken as missing."""
    first = missing[0]
    last = missing[-1]
    near = (f for symbol in symbols for f in study.panel.faults_near(symbol, first, last))
    wrong = (fault for fault in near if fault.is_impossible or fault.kind in WRONG)
    kinds = dict.fromkeys(fault.kind for fault in wrong)
    return [kind.replace("_", " ") for kind in kinds]
