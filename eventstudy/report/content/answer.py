"""The answer in words: a headline, one sentence with the numbers, one caveat; the same for all
outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.answer import (
    DIFFERENT,
    NO_RESULT,
    NOT_DIFFERENT,
    PROVISIONAL,
    Answer,
    Interval,
    answer_of,
    quantile,
)
from ...calendars.window import Window
from ...significance.patell_kp import FULL_SAMPLE
from ...utility.numbers import (
    LEVEL,
    NBSP,
    capitalised,
    cell_text,
    clipped,
    count,
    number_word,
    p_prose,
    percent,
    signed,
    span,
    window_text,
)
from ...utility.units import in_its_words, words
from .window_reach import extended_note, lacking_note
from .wording import firm_name, of_number, reason_text, reasons

if TYPE_CHECKING:
    from ...fitting.fitted import FittedStudy

_REMEDIES = {
    "on day 0": "Use prices that reach these days.",
    "no price data": "Check the tickers, or choose another source of prices.",
    "no volume data": "Choose a source of prices that has volumes.",
    "no turnover data": "Give volumes and shares outstanding.",
    "no volatility data": "Choose a source of prices that has highs and lows.",
    "no benchmark": "Give a benchmark, in the events file or as a setting.",
    "days in the estimation window": "Use prices that begin earlier, or a shorter estimation "
    "window.",
    "no variance": "Check that these are prices of traded shares, and not the benchmark itself.",
}

# A name in the headline is cut after so many letters.
LONGEST_FIRM = 60
# Columns of the events file that name other news, and cells that name none.
NEWS = ("confounder", "confounders", "context")
NOTHING = {"", "-", "0", "no", "none", "none known", "n/a", "nan"}
# With a smaller share of a group's announcements the caveat is that.
REPRESENTATIVE = 0.5


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text in parts, each with whether it is emphasised."""

    parts: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.parts)


def leading(groups: Mapping[str, FittedStudy], window: Window) -> str:
    """Return the group that the answer is about: the first that has a verdict, else the first.

    Parameters
    ----------
    groups : mapping of str to FittedStudy
        That with most rows in the file first. Without any the answer is "".
    window : Window
        The main window.
    """
    decided = (name for name in groups if answer_of(groups[name], window).verdict != NO_RESULT)
    return next(decided, next(iter(groups), ""))


@in_its_words
def headline(results: FittedStudy, window: Window, *, subject: str = "announcements") -> str:
    """Return the answer of a study and what must be said with it, as plain text."""
    return " ".join([str(answer(results, window, subject=subject)), *asides(results, window)])


@in_its_words
def answer(results: FittedStudy, window: Window, *, subject: str = "announcements") -> Sentence:
    """Return headline (emphasised) and supporting sentence.

    Parameters
    ----------
    results : FittedStudy
    window : Window
        The main window.
    subject : str
        What the events are, in the plural, such as "adverse announcements".
    """
    head, sentence = _parts(results, window, subject)
    return Sentence(((head, True), (f" {sentence}", False)))


@in_its_words
def asides(results: FittedStudy, window: Window) -> list[str]:
    """Return the caveat of the answer, and which events leave the window or run on beyond it."""
    if len(results) == 0:
        return []
    lost = lacking_note(results, window) if len(results) > 1 else ""
    return [
        text for text in (_caveat(results, window), lost, extended_note(results, window)) if text
    ]


@in_its_words
def brief(results: FittedStudy, window: Window, *, subject: str = "announcements") -> Sentence:
    """Return the answer for one more group, in short."""
    found = answer_of(results, window)
    n = found.n_events or len(results.events)
    who = f"The {_number(n)} {of_number(n, subject).partition(' ')[2]}: "
    if found.verdict not in (DIFFERENT, NOT_DIFFERENT):
        head, sentence = _parts(results, window, subject)
        return Sentence(
            ((who, False), (f"{head[:1].lower()}{head[1:]}", True), (f" {sentence}", False))
        )
    value, p = (
        percent(found.effect.estimate, decimals=_decimals(found.effect.estimate)),
        p_prose(found.pvalue),
    )
    if found.verdict == NOT_DIFFERENT:
        return Sentence(((who, False), ("no significant move", True), (f", {value} ({p}).", False)))
    moved = _moved(results, found, window, "shares")
    few = _variance_multiple(found) if found.n_events < FULL_SAMPLE else []
    return Sentence(((who, False), (moved, True), (" ".join([f" ({p}).", *few]), False)))


def other_news(event: Mapping[str, Any]) -> list[str]:
    """Return a sentence that names the other news that the event list knows."""
    cells = [
        clipped(event[c], 600).rstrip(".;")
        for c in NEWS
        if cell_text(event.get(c)).lower() not in NOTHING
    ]
    named = "; ".join(dict.fromkeys(cells))
    return [f"The event list names: {named}."] if named else []


def days_text(window: Window) -> str:
    """Return a window in words: ``on the announcement day and the day after``."""
    if (window.start, window.stop) == (0, 0):
        return "on the announcement day"
    if (window.start, window.stop) == (0, 1):
        return "on the announcement day and the day after"
    first, last = (signed(day, 0) for day in (window.start, window.stop))
    return f"on day {first}" if first == last else f"from day {first} to day {last}"


def size_text(value: float) -> str:
    """Return the size of an effect with one decimal, more where that would be zero: ``7.8%``."""
    return percent(abs(value), sign=False, decimals=_decimals(value))


def interval_text(effect: Interval, *, sizes: bool = False) -> str:
    """Return the 95% interval in the digits of a sentence, as sizes behind one such as "fell
    7.8%"."""
    ends = [effect.ci_low, effect.ci_high]
    if sizes:
        shown = [size_text(end) for end in sorted(ends, key=abs)]
    else:
        shown = [percent(end, decimals=_decimals(end)) for end in ends]
    if words().quantity:
        shown[0] = shown[0].removesuffix(words().unit)
    return f"95%{NBSP}interval {shown[0]} to {shown[1]}"


def full_interval(effect: Interval) -> str:
    """Return the 95% interval in the digits of a key figure: ``95% interval −1.46% to −0.11%``."""
    return f"95%{NBSP}interval {span(effect.ci_low, effect.ci_high)}"


def _decimals(value: float) -> int:
    shown = abs(words().scale * value)
    least = 1 if words().unit == "%" else 2
    return next((d for d in range(least, 7) if round(shown, d)), least)


def _parts(results: FittedStudy, window: Window, subject: str) -> tuple[str, str]:
    """Return headline and sentence."""
    found = answer_of(results, window)
    if len(results) == 0:
        return _nothing_usable(results, subject)
    if found.verdict == PROVISIONAL:
        return _provisional(results, window, found)
    if found.verdict == NO_RESULT:
        return _undecided(results, window, found)
    if found.verdict == NOT_DIFFERENT:
        return _no_move(results, window, found, subject)
    head = capitalised(_moved(results, found, window, _who(results, window)))
    return f"{head}.", f"{_sample_text(found, subject)} ({_evidence(found)})."


def _evidence(found: Answer) -> str:
    sizes = found.verdict == DIFFERENT and not words().quantity
    return f"{interval_text(found.effect, sizes=sizes)}; {p_prose(found.pvalue)}"


def _sample_text(found: Answer, subject: str) -> str:
    """Return what the estimate is of: ``Average of 50 adverse announcements on 43 dates``."""
    n, G = found.n_events, found.n_dates
    if n == 1:
        return f"One {subject.replace('announcements', 'announcement', 1)}"
    dates = "one date" if G == 1 else f"{number_word(G) if n < FULL_SAMPLE else f'{G:,}'} dates"
    return f"Average of {_number(n)} {subject} on {dates}"


def _number(n: int) -> str:
    """Return how many events there are: few in words."""
    return number_word(n) if n < FULL_SAMPLE else f"{n:,}"


def _who(results: FittedStudy, window: Window) -> str:
    """Return the company where all events are of one, else "shares"."""
    used = np.flatnonzero(results.abnormal.valid(window))
    if results.events["ticker"].iloc[used].nunique() > 1:
        return "shares"
    return firm_name(dict(results.events.iloc[int(used[0])]), LONGEST_FIRM)


def _moved(results: FittedStudy, found: Answer, window: Window, who: str) -> str:
    """Return what happened: ``shares fell 7.8% more than the market implied on ...``."""
    d, when, implied = found.effect.estimate, days_text(window), _implied_by(results)
    if words().quantity:
        size = words().meaning(d, len(window)).removeprefix(words().quantity)
        return f"{words().quantity} of {who} was{size}, {when}"
    if found.market_implied * d > 0:
        verb = f"{'fell' if d < 0 else 'rose'} {size_text(d)} more"
    else:
        verb = f"did {size_text(d)} {'worse' if d < 0 else 'better'}"
    return f"{who} {verb} than {implied} {when}"


def _implied_by(results: FittedStudy) -> str:
    factors = [factor.name for factor in results.model.factors]
    if "market" in factors:
        return "the market implied"
    return "the model implied" if factors else "their own average implied"


def _no_move(results: FittedStudy, window: Window, found: Answer, subject: str) -> tuple[str, str]:
    who, when = _who(results, window), days_text(window)
    head = f"No clear move: {who} stayed within chance of what {_implied_by(results)} {when}."
    if words().quantity:
        head = (
            f"No clear change: {words().quantity} of {who} stayed within chance of normal {when}."
        )
    value = percent(found.effect.estimate, decimals=_decimals(found.effect.estimate))
    sentence = f"{_sample_text(found, subject)}: {value} ({_evidence(found)})."
    if found.overturn.largest_t <= quantile(found.effect.df):
        average = found.plain_average
        plain = percent(average.estimate, decimals=_decimals(average.estimate))
        return head, (
            f"{sentence} These firms differ too much in volatility for this test: see the plain "
            "average, "
            f"{plain} ({interval_text(average)})."
        )
    return (
        head,
        (
            f"{sentence} The study could have seen {size_text(found.overturn.smallest_effect)} or "
            "more."
        ),
    )


def _provisional(results: FittedStudy, window: Window, found: Answer) -> tuple[str, str]:
    days = {1: "that day", 2: "both days"}.get(len(window), f"all {len(window)} days")
    total, has = len(results), "has" if found.n_events == 1 else "have"
    head = (
        f"Too early to say: {found.n_events:,} of {count(total, 'announcement')} {has} {days} so "
        "far."
    )
    if not found.n_events:
        return head, "Run again when the days are there."
    value = percent(found.effect.estimate, decimals=_decimals(found.effect.estimate))
    average = "The move" if found.n_events == 1 else "The average"
    return head, f"{average} so far is {value} ({interval_text(found.effect)})."


def _undecided(results: FittedStudy, window: Window, found: Answer) -> tuple[str, str]:
    if found.n_events == 0:
        lacking = (
            f"none of {count(len(results), 'usable event')} has all days of {window_text(window)}."
        )
        return f"No result: {lacking}", "Each event is listed with its reason."
    average = found.plain_average.estimate
    value = percent(average, decimals=_decimals(average))
    reason = f"{capitalised(reason_text(found.reason))}."
    return "No result: the main test cannot be computed.", f"{reason} The plain average is {value}."


def _nothing_usable(results: FittedStudy, subject: str) -> tuple[str, str]:
    total = len(results.events)
    if total == 0:
        return "No result: there are no events.", "Add a row to the events file."
    (reason, n), *_ = reasons(results)
    most = (
        f"Most frequent reason: {reason} ({n:,} of {total:,})."
        if total > 1
        else f"Reason: {reason}."
    )
    remedy = next(
        (r for key, r in _REMEDIES.items() if key in reason), "The reason of each event is listed."
    )
    one = of_number(1, subject).removeprefix("1 ")
    who = (
        f"none of the {of_number(total, subject)} could"
        if total > 1
        else f"the one {one} could not"
    )
    return f"No result: {who} be used.", f"{most} {remedy}"


def _caveat(results: FittedStudy, window: Window) -> str:
    """Return the one caveat that travels with the headline: the first that holds."""
    found = answer_of(results, window)
    if found.verdict == NO_RESULT:
        return ""
    variance = _variance_multiple(found)
    if found.n_events == 1:
        event = dict(results.events.iloc[int(np.argmax(results.abnormal.valid(window)))])
        news = other_news(event) or ["Check the news of these days."]
        return " ".join(["It cannot be told from other news of the same days.", *news, *variance])
    if found.n_dates == 1:
        return " ".join(["One date cannot be told from any other shock to these firms.", *variance])
    if variance:
        return variance[0]
    used, total = found.n_events, len(results.events)
    if found.verdict != PROVISIONAL and used < REPRESENTATIVE * total:
        return (
            f"Only {used:,} of {count(total, 'announcement')} could be used. If the dropped "
            "events differ "
            "from the rest, this average is not representative."
        )
    return ""


def _variance_multiple(found: Answer) -> list[str]:
    times = found.overturn.variance_multiple
    if found.verdict != DIFFERENT or not np.isfinite(times):
        return []
    caveat = (
        f"Returns would have to have been {times:.1f} times as variable as usual to explain this."
    )
    if not found.overturn.spread_pvalue >= LEVEL:
        return [caveat]
    spread = p_prose(found.overturn.spread_pvalue)
    return [
        (
            f"{caveat} Judged by how much these events differ from each other, it could be chance "
            f"({spread})."
        )
    ]
