"""The top of the page: answer, key figures, set-up line and warnings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...abnormal.abnormal_returns import AbnormalReturns
from ...analysis.answer import DIFFERENT, NOT_DIFFERENT, PROVISIONAL, Answer, answer_of
from ...fitting.config import StudyConfig
from ...significance._placebo import consecutive_sums
from ...utility.numbers import (
    MISSING,
    capitalised,
    clipped,
    count,
    date_prose,
    expected,
    listed,
    p_prose,
    percent,
    window_text,
)
from ...utility.typing import FloatArray
from ...utility.units import words
from ..content.answer import Sentence, answer, asides, brief, full_interval
from ..content.data_notes import limitations
from ..content.subject import Page
from ..content.wording import reason_text, subject_of
from .groups import SHOWN_PANELS

if TYPE_CHECKING:
    from ...calendars.window import Window
    from ...fitting.fitted import FittedStudy


def top(page: Page) -> dict[str, Any]:
    """Return answer, key figures, set-up line and warnings."""
    sample, main = page.sample, page.main
    others = [
        brief(part, main, subject=subject_of(other, page.column))
        for other, part in list(page.groups.items())[1:SHOWN_PANELS]
    ]
    pooled = brief(page.results, main, subject="announcements together") if others else None
    left = len(page.groups) - SHOWN_PANELS
    if left > 0:
        others.append(
            Sentence(((f"{count(left, 'more group')} in the table of groups below.", False),))
        )
    return {
        "answer": answer(sample, main, subject=page.subject),
        "asides": asides(sample, main),
        "others": others,
        "pooled": pooled,
        "keys": list(_keys(sample, page.group, main)),
        "setup": _setup(page.results, page.config, main),
        "warnings": limitations(page.results, main, sample=sample),
    }


def _keys(sample: FittedStudy, group: str, window: Window) -> Iterator[tuple[str, str, str]]:
    """Yield label, value and remark of each key figure."""
    found = answer_of(sample, window)
    if found.n_events == 0:
        return
    several = found.n_events > 1
    label = f"{'Effect' if several else 'CAR'} over {window_text(window)}"
    if words().what:
        label = f"Abnormal {words().what}, {window_text(window)}"
    if np.isfinite(found.effect.estimate):
        yield label, percent(found.effect.estimate), full_interval(found.effect)
    yield ("If the news did nothing", *_by_chance(found))
    if several:
        yield "Plain average", percent(found.plain_average.estimate), _plain_interval(found)
        yield _moved(sample, window)
    kind = f"{clipped(group, 24)} events" if group else "events" if several else "event"
    used = f"{found.n_events:,} of {len(sample.events):,}"
    yield capitalised(f"{kind} used"), used, f"on {count(found.n_dates, 'date')}"


def _by_chance(found: Answer) -> tuple[str, str]:
    """Return how many of a hundred studies would show as much, and p; or why nobody knows."""
    if found.verdict == PROVISIONAL:
        return MISSING, "no verdict before all windows are complete"
    if found.verdict not in (DIFFERENT, NOT_DIFFERENT):
        return MISSING, reason_text(found.reason)
    studies = 100 if found.pvalue >= 0.005 else 1000
    share = (
        f"{studies * found.pvalue:.0f} in {studies:,}"
        if found.pvalue >= 0.0005
        else "under 1 in 1,000"
    )
    return share, f"studies would show as much ({p_prose(found.pvalue)})"


def _plain_interval(found: Answer) -> str:
    average = found.plain_average
    return full_interval(average) if np.isfinite(average.ci_low) else "no interval"


def _moved(sample: FittedStudy, window: Window) -> tuple[str, str, str]:
    """Return how many shares moved in the direction of the mean, and how many would on quiet
    days."""
    valid = sample.abnormal.sample(window)
    car = valid.car(window)
    fell = bool(car.mean() < 0)
    moved = int(((car < 0) if fell else (car > 0)).sum())
    rate = valid.once(("moved", len(window), fell), partial(_rates, length=len(window), fell=fell))
    if not rate.size or np.isnan(rate).any():
        remark = f"median CAR {percent(float(np.median(car)))}"
    else:
        remark = f"{expected(rate.sum())} expected on quiet days"
    return words().below if fell else words().above, f"{moved:,} of {len(car):,}", remark


def _rates(study: AbnormalReturns, *, length: int, fell: bool) -> FloatArray:
    return np.concatenate(list(study.map(lambda events: _rate(events.resid, length, fell))))


def _rate(resid: FloatArray, length: int, fell: bool) -> FloatArray:
    """Share of sums of `length` consecutive residuals that moved the same way, (n,); NaN without a
    sum."""
    if length > resid.shape[1]:
        return np.full(len(resid), np.nan)
    sums = consecutive_sums(resid, length)
    counted = np.isfinite(sums).sum(axis=1)
    moved = ((sums < 0) if fell else (sums > 0)).sum(axis=1)
    rate: FloatArray = np.divide(moved, counted, out=np.full(len(resid), np.nan), where=counted > 0)
    return rate


def _setup(results: FittedStudy, config: StudyConfig, main: Window) -> str:
    model = results.model.label[:1].upper() + results.model.label[1:]
    windows = results.abnormal.windows
    estimation, event = (window_text(w) for w in (windows.estimation, windows.event))
    used = results.events[results.ok]
    indices = (
        list(dict.fromkeys(str(b) for b in used["benchmark"])) if results.model.factors else []
    )
    on = (
        f" on {listed(indices)}"
        if 0 < len(indices) <= 4
        else f" on {len(indices)} indices"
        if indices
        else ""
    )
    parts = [
        model + on,
        f"estimation {estimation}, event window {event}",
        words().what or f"{windows.kind} returns",
        f"{_complete(results, main):,} of {count(len(results.events), 'announcement')}",
    ]
    if len(results):
        firms = used["ticker"].nunique()
        parts[-1] += f", {count(firms, 'firm')}, {period(results)}"
        data = "day with data from the announcement on"
        first = "session that could react" if config.calendar == "exchange" else data
        parts.append(f"day 0 is the first {first}")
    if results.engine == "batch":
        parts.append("all events estimated at once (engine batch)")
    return " · ".join(parts) + "."


def _complete(results: FittedStudy, window: Window) -> int:
    """Return how many events have all days of the window, which the key figures count as well."""
    return int(results.abnormal.valid(window).sum()) if len(results) else 0


def period(results: FittedStudy) -> str:
    """Return the first and last day 0 in words."""
    days = results.events.loc[results.ok, "day0"]
    first, last = date_prose(days.min()), date_prose(days.max())
    return first if first == last else f"{first} to {last}"
