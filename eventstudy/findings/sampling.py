"""What each group of events shows, computed from a fitted study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..abnormal.subsamples import EXTENDING
from ..analysis.answer import answer_of, main_test_of
from ..analysis.caar_path import path_of
from ..analysis.diagnosis import NOT_VALID, diagnose
from ..calendars.window import Window
from ..significance import STATISTICS
from ..significance._correlation import mean_correlation
from ..significance._pairs import PAIRWISE_LIMIT
from ..significance.placebo import consecutive_sums
from ..utility.catalogue import Reason
from ..utility.flags import flags_of
from ..utility.numbers import LEVEL
from .car_remarks import extended_cars, lacking_cars, lacking_count
from .events import firm_name
from .samples import Sample, TestFinding, WindowFinding

if TYPE_CHECKING:
    from ..abnormal.abnormal_returns import AbnormalReturns
    from ..fitting.config import StudyConfig
    from ..fitting.fitted import FittedStudy
    from ..utility.typing import FloatArray

# Columns of the events file that name other news, and cells that name none.
NEWS = ("confounder", "confounders", "context")
NO_NEWS = {"", "-", "0", "no", "none", "none known", "n/a", "nan"}


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
    windows = {w: _window(study, w, tests) for w in (main, *config.tested)}
    usual = (name for name in study.all_tests if STATISTICS[name].core)
    path = None if empty else path_of(study)
    limited = a.runs is not None and a.conventions.limits in EXTENDING
    return Sample(
        group=group,
        n_events=len(study.events),
        n_used=len(study),
        main=windows[main],
        windows=tuple(windows[w] for w in config.tested),
        day0=_window(study, day0) if day0 in a.event else None,
        shown=tuple(dict.fromkeys([main_test_of(study, main), *(config.tests or usual)])),
        firm=_firm(study, main),
        news=_news(study, main),
        path=path,
        diagnosis=None if empty else diagnose(study, main),
        at_limit=int(a.runs.at_limit.any(axis=1).sum()) if limited and a.runs else 0,
        filled_pairs=_filled(study, main),
        flags=_flag_counts(study),
        lacking=tuple(lacking_cars(study, main)),
        extended=tuple(extended_cars(study, main)),
        n_lacking=lacking_count(study, main),
        shortest_estimation=0 if empty else int(a.nobs[study.ok].min()),
    )


def of_one_event(study: FittedStudy, config: StudyConfig) -> Sample:
    """Return the findings for the one used event of a study over the main window.

    Parameters
    ----------
    study : FittedStudy
        With one event.
    config : StudyConfig

    Returns
    -------
    Sample
        Without other windows, path and diagnosis.
    """
    main = config.main
    return Sample(
        group="",
        n_events=1,
        n_used=len(study),
        main=_window(study, main),
        windows=(),
        day0=None,
        shown=(),
        firm=_firm(study, main),
        news=_news(study, main),
        path=None,
        diagnosis=None,
        at_limit=0,
        filled_pairs=0,
        flags={},
        lacking=tuple(lacking_cars(study, main)),
        extended=tuple(extended_cars(study, main)),
        n_lacking=lacking_count(study, main),
        shortest_estimation=0,
    )


def _window(study: FittedStudy, window: Window, tests: Collection[str] = ()) -> WindowFinding:
    """Return what a sample shows over a window, with the named tests and its main test."""
    answer, sample = answer_of(study, window), study.abnormal.sample(window)
    car, bhar = sample.car(window), sample.bhar(window)
    fell = bool(len(car) and car.mean() < 0)
    return WindowFinding(
        window=window,
        answer=answer,
        tests=tuple(_tests(study, window, tests)) if tests and len(study) else (),
        median=float(np.median(car)) if len(car) else np.nan,
        positive=int((car > 0).sum()),
        moved=int(((car < 0) if fell else (car > 0)).sum()),
        moved_by_chance=_by_chance(sample, len(window), fell=fell) if tests else np.nan,
        significant=int((sample.car_pvalues(window) < LEVEL).sum()),
        bhar=float(bhar.mean()) if len(bhar) else np.nan,
        is_extended=bool(study.abnormal.extended(window).any()),
    )


def _tests(study: FittedStudy, window: Window, names: Iterable[str]) -> Iterator[TestFinding]:
    opinions = {opinion.test: opinion for opinion in diagnose(study, window).opinions}
    main_test = main_test_of(study, window)
    for name in dict.fromkeys([*names, main_test]):
        result, opinion = study.test(name, window), opinions.get(name)
        unjudged = "not_for_one_event" if result.n_events == 1 else "not_judged"
        yield TestFinding(
            test=name,
            statistic=result.statistic,
            pvalue=result.pvalue,
            distribution=result.distribution,
            n_events=result.n_events,
            trust=opinion.trust if opinion else NOT_VALID,
            false_alarms=opinion.false_alarms if opinion else np.nan,
            reasons=opinion.reasons if opinion else (Reason.of(result.reason or Reason(unjudged)),),
        )


def _by_chance(sample: AbnormalReturns, length: int, *, fell: bool) -> float:
    """Return how many CARs would have the sign of the mean on quiet days; NaN where unknown."""
    measure = partial(_same_sign_rates, length=length, fell=fell)
    rates = sample.once(
        ("moved", length, fell), lambda events: np.concatenate(list(events.map(measure)))
    )
    return float(rates.sum()) if rates.size and not np.isnan(rates).any() else np.nan


def _same_sign_rates(events: AbnormalReturns, *, length: int, fell: bool) -> FloatArray:
    """Return the share of sums of `length` residuals in a row with that sign, shape (n,)."""
    resid = events.resid
    if length > resid.shape[1]:
        return np.full(len(resid), np.nan)
    sums = consecutive_sums(resid, length)
    counted = np.isfinite(sums).sum(axis=1)
    same_sign = ((sums < 0) if fell else (sums > 0)).sum(axis=1)
    rates: FloatArray = np.divide(
        same_sign, counted, out=np.full(len(resid), np.nan), where=counted > 0
    )
    return rates


def _firm(study: FittedStudy, window: Window) -> str:
    """Return the company if all events with a CAR are of one; else ""."""
    rows = np.flatnonzero(study.abnormal.valid(window))
    tickers = study.events["ticker"].iloc[rows]
    if len(set(tickers)) != 1:
        return ""
    return firm_name(study.records[int(rows[0])])


def _news(study: FittedStudy, window: Window) -> tuple[str, ...]:
    """Return the cells that name other news of the one event that has a CAR, or is listed."""
    rows = np.flatnonzero(study.abnormal.valid(window))
    if len(rows) != 1 and len(study.events) != 1:
        return ()
    event = study.records[int(rows[0]) if len(rows) else 0]
    return news_in(event)


def news_in(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the distinct cells of an event that name other news."""
    cells = (event.get(column) for column in NEWS)
    texts = ("" if cell is None or cell != cell else str(cell).strip() for cell in cells)
    return tuple(dict.fromkeys(text for text in texts if text.lower() not in NO_NEWS))


def _filled(study: FittedStudy, window: Window) -> int:
    sample = study.abnormal.sample(window)
    if not 1 < len(sample) <= PAIRWISE_LIMIT:
        return 0
    return mean_correlation(sample, window).filled


def _flag_counts(study: FittedStudy) -> dict[str, int]:
    """Return the number of used events with each flag."""
    cells = study.events.loc[study.ok, "flags"]
    return dict(Counter(flag for cell in cells for flag in dict.fromkeys(flags_of(cell))))
