"""The answer of a study in one sentence, and what must be said with it; the same for terminal and page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..pvalues import LEVEL, p_is
from ..significance import STATISTICS, SignificanceTest
from ..windows import Window
from .dissent import dissent, dissenters, of_mean
from .extent import extended_note, lacking_note
from .facts import Cell, cells, interval, interval_known, one_car, shown_tests
from .measures import in_its_words, words
from .wording import (
    NBSP,
    count,
    firm_name,
    flags_of,
    in_type,
    level_text,
    of_number,
    percent,
    reason_text,
    reasons,
    span,
    window_text,
)

if TYPE_CHECKING:
    from ..results import EventStudyResults

_REMEDIES = {
    "on day 0": "Use prices that reach these days.",
    "no price data": "Check the tickers, or choose another source of prices.",
    "no volume data": "Choose a source of prices that has volumes.",
    "no turnover data": "Give volumes and shares outstanding.",
    "no volatility data": "Choose a source of prices that has highs and lows.",
    "no benchmark": "Give a benchmark, in the events file or as a setting.",
    "days in the estimation window": "Use prices that begin earlier, or a shorter estimation window.",
    "no variance": "Check that these are prices of traded shares, and not the benchmark itself.",
}

# A name in the headline is cut after so many letters.
LONGEST_FIRM = 60
DIFFERENT, DEPENDS, NOT_TESTED = "different from zero", "depends on the test", "not tested"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text in parts, each with whether it is emphasised."""

    parts: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.parts)


def leading(groups: Mapping[str, EventStudyResults], window: Window) -> str:
    """Return the group that the answer is about: the first that can be tested, else the first.

    Parameters
    ----------
    groups : mapping of str to EventStudyResults
        That with most rows in the file first. Without any the answer is "".
    window : Window
        The main window.
    """

    def tested(name: str) -> bool:
        test = groups[name].test(groups[name].recommended_for(window), window)
        return bool(np.isfinite(test.pvalue)) and not test.reason

    return next(filter(tested, groups), next(iter(groups), ""))


def is_provisional(results: EventStudyResults, window: Window) -> bool:
    """Tell whether events lack days of `window` because those days are yet to come."""
    open_end = np.array(["incomplete_window" in flags_of(f) for f in results.events["flags"]], dtype=bool)
    return bool((results.ok & open_end & ~results.abnormal.valid(window)).any())


@in_its_words
def headline(
    results: EventStudyResults,
    window: Window,
    *,
    subject: str = "announcements",
    level: float = LEVEL,
    names: Iterable[str] = (),
) -> str:
    """Return the answer of a study and what must be said with it, as plain text; `names` as in `asides`."""
    said = [str(answer(results, window, subject=subject, level=level))]
    return " ".join(said + asides(results, window, level=level, names=names))


@in_its_words
def answer(
    results: EventStudyResults, window: Window, *, subject: str = "announcements", level: float = LEVEL
) -> Sentence:
    """Return the one sentence that answers the study, with its emphasised parts.

    Parameters
    ----------
    results : EventStudyResults
    window : Window
        The main window.
    subject : str
        What the events are, in the plural, such as "adverse announcements".
    level : float
        Level of significance.
    """
    if len(results) == 0:
        return _nothing_usable(results, subject)
    if results.diagnose(window).n_events == 0:
        return _no_complete_window(results, window)
    if is_provisional(results, window):
        return _provisional(results, window)
    if one_car(results, window):
        return _one_event(results, window, level)
    return _many_events(results, window, subject, level)


@in_its_words
def asides(
    results: EventStudyResults, window: Window, *, level: float = LEVEL, names: Iterable[str] = ()
) -> list[str]:
    """Return the sentences that qualify the answer; `names` are the tests asked for, as in the tables."""
    if len(results) == 0:
        return []
    found, reach = results.diagnose(window), [extended_note(results, window)]
    if len(results) > 1:
        reach = [lacking_note(results, window), *reach]
    if found.n_events == 0 or is_provisional(results, window):
        return [text for text in reach if text]
    if found.n_events == 1:
        alone = "One event cannot separate the announcement from other news on the same days."
        return [text for text in (*reach, _own_interval_differs(results, window, level), alone) if text]
    tests = cells(results, window, shown_tests(results, window, names))
    main = results.recommended_for(window)
    out = [*reach, _interval_differs(results, window, tests[main], level)]
    out += [in_type(found.caution), f"{in_type(found.disagreement)}." if found.disagreement else ""]
    out += dissent(main, tests, level, named=["calendar_time"] if found.disagreement else [])
    if found.kind == "one_date":
        out.append("All events share one date: one effective observation of any common shock.")
    return [sentence for sentence in out if sentence]


@in_its_words
def brief(
    results: EventStudyResults, window: Window, *, subject: str = "announcements", level: float = LEVEL
) -> Sentence:
    """Return the answer for one more group, in short."""
    n = results.diagnose(window).n_events
    if n < 2 or is_provisional(results, window):
        said = answer(results, window, subject=subject, level=level)
        return _named(said, len(results), subject, alone=n == 1 < len(results))
    effect = _effect(results, window)
    verdict, evidence = _verdict(results, window, level)
    return Sentence((
        (f"The {of_number(n, subject)}: ", False), (percent(effect.estimate), True),
        (f"{_meant(effect.estimate, window)}{_on_average(n, effect)}, {_whether(verdict)}", False),
        (verdict, True),
        (f" ({evidence}).", False),
    ))  # fmt: skip


def _named(said: Sentence, n: int, subject: str, *, alone: bool) -> Sentence:
    """Return a sentence that does not name its group with the group before it; `alone`: one has a CAR."""
    (first, strong), *rest = said.parts
    named = (f"The {of_number(n, subject)}{', of which one has a CAR' * alone}: ", False)
    return Sentence((named, (first[:1].lower() + first[1:], strong), *rest))


def verdict(results: EventStudyResults, window: Window, *, level: float = LEVEL) -> str:
    """Return what the answer stresses last: ``different from zero``, ``depends on the test`` ...

    ``not tested`` also where there is no verdict yet or no event.
    """
    n = results.diagnose(window).n_events if len(results) else 0
    if n == 0 or is_provisional(results, window):
        return NOT_TESTED
    if n == 1:
        return _verdict_of_one(results, window, level)
    return _verdict(results, window, level)[0]


def detectable(se: float, df: float = np.inf, level: float = LEVEL, power: float = 0.8) -> float:
    """Return the smallest effect (decimal) that a t-test with this standard error finds with `power`.

    The effect whose noncentral t exceeds the critical value as often; normal where `df` is not finite.
    """
    from scipy.special import nctdtrinc, ndtri, stdtrit

    if not np.isfinite(df):
        return float(ndtri(1 - level / 2) + ndtri(power)) * se
    return float(nctdtrinc(df, 1 - power, stdtrit(df, 1 - level / 2))) * se


@dataclass(frozen=True, slots=True)
class _Effect:
    estimate: float
    low: float
    high: float


def _effect(results: EventStudyResults, window: Window) -> _Effect:
    """The mean CAR, and its interval where that may be shown."""
    found = interval(results, window)
    if not interval_known(results, window):
        return _Effect(found.estimate, np.nan, np.nan)
    return _Effect(found.estimate, found.low, found.high)


def _ci(low: float, high: float) -> str:
    return f" (95%{NBSP}CI {span(low, high)})" if np.isfinite(low) else ""


def _on_average(n: int, effect: _Effect) -> str:
    return f"{' on average' if n > 1 else ''}{_ci(effect.low, effect.high)}"


def _meant(estimate: float, window: Window) -> str:
    """Say in brackets what log points mean; "" for returns."""
    text = words().meaning(estimate, len(window))
    return f" ({text})" if text else ""


def _nothing_usable(results: EventStudyResults, subject: str) -> Sentence:
    total = len(results.events)
    if total == 0:
        return Sentence((("No result:", True), (" there are no events.", False)))
    (reason, n), *_ = reasons(results)
    most = f"Most frequent reason: {reason} ({n:,} of {total:,})." if total > 1 else f"Reason: {reason}."
    remedy = next((r for key, r in _REMEDIES.items() if key in reason), "The reason of each event is listed.")
    one = of_number(1, subject).removeprefix("1 ")
    who = f"none of {of_number(total, subject)} could" if total > 1 else f"the one {one} could not"
    text = f" {who} be used. {most} {remedy}"
    return Sentence((("No result:", True), (text, False)))


def _no_complete_window(results: EventStudyResults, window: Window) -> Sentence:
    lacking = f" none of {count(len(results), 'usable event')} has all days of {window_text(window)}."
    if is_provisional(results, window):
        return Sentence((("Provisional:", True), (lacking, False)))
    return Sentence((("No result:", True), (lacking, False)))


def _provisional(results: EventStudyResults, window: Window) -> Sentence:
    effect = _effect(results, window)
    n = results.diagnose(window).n_events
    has, their = ("has a complete window", "its") if n == 1 else ("have complete windows", "their")
    head = (
        f" {n:,} of {count(len(results), 'event')} {has}. "
        f"Over {window_text(window)} {their} {words().abnormal} was "
    )
    said = f"{_meant(effect.estimate, window)}{_on_average(n, effect)}"
    tail = f"{said}; there is no verdict before the others are complete."
    return Sentence((
        ("Provisional:", True), (head, False), (percent(effect.estimate), True), (tail, False),
    ))  # fmt: skip


def _one_event(results: EventStudyResults, window: Window, level: float) -> Sentence:
    found = interval(results, window)
    tests = _tests_of_one(results, window)
    verdict = _verdict_of_one(results, window, level)
    event = dict(results.events.iloc[int(np.argmax(results.abnormal.valid(window)))])
    firm = firm_name(event, LONGEST_FIRM)
    who = f"the {words().what} of {firm}" if words().what else firm
    label = results.model.label
    expected = f" against what the {label}{',' * (',' in label)} expected{_ci(found.low, found.high)}: "
    each = "; ".join(f"{STATISTICS[t.name].label} {p_is(t.pvalue)}" for t in tests)
    return Sentence((
        (f"Over {window_text(window)} {who} moved ", False), (percent(found.estimate), True),
        (_meant(found.estimate, window) + expected + _whether(verdict), False), (verdict, True),
        (f" at the {level_text(level)} level ({each}).", False),
    ))  # fmt: skip


def _tests_of_one(results: EventStudyResults, window: Window) -> list[SignificanceTest]:
    """Return the tests that the answer of a single event rests on."""
    names = dict.fromkeys([results.recommended_for(window), *results.diagnose(window).recommended])
    return [results.test(name, window) for name in names]


def _verdict_of_one(results: EventStudyResults, window: Window, level: float) -> str:
    verdicts = {_different(t.pvalue, level) for t in _tests_of_one(results, window)}
    return verdicts.pop() if len(verdicts) == 1 else DEPENDS


def _own_interval_differs(results: EventStudyResults, window: Window, level: float) -> str:
    """Say that the interval of a single event tells another story than its tests, which agree."""
    found, rejects = interval(results, window), {t.pvalue < level for t in _tests_of_one(results, window)}
    if not np.isfinite(found.low):
        return ""
    includes = found.low <= 0 <= found.high
    if level != LEVEL or rejects != {includes}:
        return ""
    return f"The interval, which takes the errors as normal, {'includes' if includes else 'excludes'} zero."


def _many_events(results: EventStudyResults, window: Window, subject: str, level: float) -> Sentence:
    effect, n = _effect(results, window), results.diagnose(window).n_events
    verdict, evidence = _verdict(results, window, level)
    at_level = "" if verdict == NOT_TESTED else f" at the {level_text(level)} level"
    head = f"Over {window_text(window)} the {words().abnormal} of the {of_number(n, subject)} was "
    return Sentence((
        (head, False), (percent(effect.estimate), True),
        (f"{_meant(effect.estimate, window)}{_on_average(n, effect)}: {_whether(verdict)}", False),
        (verdict, True), (f"{at_level} ({evidence}).", False),
    ))  # fmt: skip


def _verdict(results: EventStudyResults, window: Window, level: float) -> tuple[str, str]:
    """Return the verdict and the evidence for it."""
    found, name = results.diagnose(window), results.recommended_for(window)
    tests = cells(results, window, dict.fromkeys([name, *found.recommended]))
    main = tests[name].result
    if main.reason:
        return NOT_TESTED, reason_text(main.reason)
    rivals = [c.result for c in dissenters(name, tests, level) if of_mean(c)]
    if found.disagreement and level == LEVEL:
        rivals = [results.test("calendar_time", window), *rivals]
    each = ", ".join(f"{STATISTICS[t.name].label} {p_is(t.pvalue)}" for t in [main, *rivals])
    verdict = DEPENDS if rivals else _different(main.pvalue, level)
    return verdict, f"{each}, {count(found.n_dates, 'date')}"


def _whether(verdict: str) -> str:
    return "whether it differs from zero " if verdict == DEPENDS else ""


def _different(p: float, level: float) -> str:
    return DIFFERENT if p < level else "not distinguishable from zero"


def _interval_differs(results: EventStudyResults, window: Window, main: Cell, level: float) -> str:
    if main.result.reason:
        return ""
    found, rejects = interval(results, window), main.result.pvalue < level
    if rejects and main.result.statistic * found.estimate < 0:
        return "The mean standardised CAR, on which the test rests, has the opposite sign."
    includes = found.low <= 0 <= found.high
    if rejects != includes or level != LEVEL or not interval_known(results, window):
        return ""
    verb = "includes" if includes else "excludes"
    return f"The interval for the mean, which is not standardised, {verb} zero."
