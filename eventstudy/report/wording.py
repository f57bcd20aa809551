"""Number formats and sentences, made by rule; plain text, the same for terminal and page."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..significance import STATISTICS
from ..windows import Window
from .facts import Cell, cells, crowding, interval
from .measures import in_its_words, words

if TYPE_CHECKING:
    from ..models import LinearModel
    from ..results import EventStudyResults

MISSING = "–"
MINUS = "\u2212"
NBSP = "\u00a0"
LONGEST_CELL = 240
LEVEL = 0.05
FEW_EVENTS = 10
MANY_DROPPED = 0.1
LISTED_NOTES = 5
# A flag that nearly every event carries is said once instead of beside each event.
NEARLY_ALL = 0.8
# Indices of these forms leave dividends out, save the ones that are known to reinvest them.
_PRICE_INDEX = re.compile(r"\^.+|000\d{3}\.SS|399\d{3}\.SZ|.+\.ME")
_TOTAL_RETURN = {"^GDAXI", "^MDAXI", "^TECDAX", "^SDAXI", "^SP500TR", "^BVSP", "MCFTR.ME"}
_WORDS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_REMEDIES = {
    "no price data": "Check the tickers, or choose another source of prices.",
    "no volume data": "Choose a source of prices that has volumes.",
    "no turnover data": "Give volumes and shares outstanding.",
    "no volatility data": "Choose a source of prices that has highs and lows.",
    "no benchmark": "Give a benchmark, in the events file or as a setting.",
    "days in the estimation window": "Use prices that begin earlier, or a shorter estimation window.",
    "no variance": "Check that these are prices of traded shares, and not the benchmark itself.",
}
FLAGS = {
    "time_unknown": "the announcement has a date but no time",
    "day0_given": "day 0 comes from the events file",
    "short_estimation": "fewer complete estimation days than asked for",
    "multi_day_return": "a return in the event window spans several sessions",
    "incomplete_window": "the event window reaches beyond the last price",
    "missing_days": "days of the event window have no price",
}

# Flags that say how day 0 was found and point at no fault of the data.
NEUTRAL_FLAGS = {"day0_given", "time_unknown"}
_GREEK = {"alpha": "α", "beta": "β", "mu": "μ", "gamma": "γ", "sigma": "σ"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text in parts, each with whether it is emphasised."""

    parts: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.parts)


def signed(value: float, decimals: int = 2, *, sign: bool = True) -> str:
    """Format a number with a true minus and, unless it is zero, a sign: ``+0.30``, ``−1.02``, ``0.00``."""
    if not np.isfinite(value):
        return MISSING
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def percent(value: float, *, sign: bool = True, unit: bool = True) -> str:
    """Format a decimal return in percent: ``−1.02%``, or ``−1.02`` without the unit; else in log points."""
    text = signed(words().scale * value, sign=sign)
    return text + words().unit if unit and text != MISSING else text


def span(low: float, high: float, *, unit: bool = True) -> str:
    """Format an interval of returns: ``−2.04% to +0.01%``."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return MISSING
    return f"{percent(low, unit=unit and words().unit == '%')} to {percent(high, unit=unit)}"


def pvalue(p: float) -> str:
    """Format a p-value: ``0.061``, ``<0.001``."""
    if not np.isfinite(p):
        return MISSING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def p_is(p: float) -> str:
    """Write out a p-value: ``p = 0.061``, ``p < 0.001``."""
    text = pvalue(p)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def stars(p: float) -> str:
    """Return the stars of text output: ``***`` below 0.01, ``**`` below 0.05, ``*`` below 0.1."""
    return "*" * sum(p < level for level in (0.01, 0.05, 0.1))


def day(tau: int) -> str:
    """Format an event day: ``−1``, ``0``, ``+1``."""
    return signed(tau, 0)


def window_text(window: Window) -> str:
    """Format a window: ``[−1, 1]``."""
    start, stop = (signed(v, 0, sign=False) for v in (window.start, window.stop))
    return f"[{start},{NBSP}{stop}]"


def date_iso(value: object) -> str:
    """Format a date for a table: ``2022-09-01``."""
    date = _date(value)
    return date.isoformat() if date else MISSING


def date_prose(value: object) -> str:
    """Format a date for a sentence: ``1 Sep 2022``."""
    date = _date(value)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{date.day}{NBSP}{months[date.month - 1]}{NBSP}{date.year}" if date else MISSING


def _date(value: object) -> dt.date | None:
    stamp = np.datetime64(value, "D")  # type: ignore[call-overload]
    return None if np.isnat(stamp) else stamp.astype(dt.date)


def count(n: int, noun: str) -> str:
    """Return ``1 event``, ``2 events``."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


def number_word(n: int, *, capital: bool = False) -> str:
    """Return a small number in words, a large one in digits."""
    word = _WORDS[n] if n < len(_WORDS) else f"{n:,}"
    return word.capitalize() if capital else word


def listed(items: Iterable[str]) -> str:
    """Join with commas and a last "and"."""
    *head, last = list(items)
    return f"{', '.join(head)} and {last}" if head else last


def level_text(level: float) -> str:
    """Format a level of significance: ``5%``."""
    return f"{100 * level:g}%"


def clipped(value: object, length: int = LONGEST_CELL) -> str:
    """Return a cell of the events file as one line of bounded length."""
    text = " ".join(str(value).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def subject_of(group: str, column: str) -> str:
    """Return what the events of a group are called: ``adverse announcements``."""
    if group in ("", "(blank)"):
        return "announcements"
    name = clipped(group, 60)
    if column in ("", "direction"):
        return f"{name} announcements"
    return f"announcements with {clipped(column, 60)} {name}"


def leading(groups: Mapping[str, EventStudyResults], window: Window) -> str:
    """Return the group that the answer is about: the largest that can be tested, else the largest.

    Parameters
    ----------
    groups : mapping of str to EventStudyResults
        Largest first. Without any the answer is "".
    window : Window
        The main window.
    """

    def rank(name: str) -> tuple[bool, int]:
        test = groups[name].test(groups[name].recommended, window)
        return bool(np.isfinite(test.pvalue)) and not test.reason, len(groups[name])

    return max(groups, key=rank, default="")


def of_number(n: int, subject: str) -> str:
    """Return ``3 adverse announcements`` or ``1 adverse announcement``."""
    return f"{n:,} {subject.replace('announcements', 'announcement', 1) if n == 1 else subject}"


def parameter_letter(text: str) -> str:
    """Write the names of Greek letters as letters."""
    return re.sub(r"[a-z]{2,}", lambda m: _GREEK.get(m[0], m[0]), text)


def reason_text(reason: str) -> str:
    """Return why a test is not relied on, in short: ``1 event, 5 needed``."""
    return re.sub(r"^1 events\b", "1 event", reason).replace(" to rely on it", "")


def reason_general(reason: str) -> str:
    """Return a reason without the number of one window: ``fewer than 5 events``."""
    few = re.match(r"\d+ ([\w ]+?)s?, (?:at least )?(\d+) (?:are )?needed(.*)", reason)
    if not few:
        return reason
    noun, least, purpose = few.groups()
    return f"fewer than {count(int(least), noun)}{purpose.removesuffix(' to rely on it')}"


def reason_head(reason: str) -> str:
    """Return the part of a reason that many events share, without the detail of one event."""
    return re.sub(r"^\d+ ", "too few ", reason.split(":", 1)[0].split(",", 1)[0])


def reasons(results: EventStudyResults) -> list[tuple[str, int]]:
    """Return the reasons for which events were dropped, most frequent first."""
    dropped = results.events.loc[~results.ok, "reason"]
    return Counter(reason_head(str(reason)) for reason in dropped).most_common()


def flag_words(flag: str) -> str:
    """Return a flag as words."""
    return flag.replace("_", " ").strip()


def flags_of(cell: object) -> list[str]:
    """Return the flags of one event."""
    return [f.strip() for f in str(cell).split(";") if f.strip()]


def flag_counts(results: EventStudyResults) -> Counter[str]:
    """Count the flags of the events used."""
    used = results.events.loc[results.ok, "flags"]
    return Counter(flag for cell in used for flag in dict.fromkeys(flags_of(cell)))


def is_provisional(results: EventStudyResults, window: Window) -> bool:
    """Tell whether events lack days of `window` because those days are yet to come."""
    open_end = np.array(["incomplete_window" in flags_of(f) for f in results.events["flags"]], dtype=bool)
    return bool((results.ok & open_end & ~results.abnormal.valid(window)).any())


@in_its_words
def headline(
    results: EventStudyResults, window: Window, *, subject: str = "announcements", level: float = LEVEL
) -> str:
    """Return the answer of a study and what must be said with it, as plain text."""
    said = [str(answer(results, window, subject=subject, level=level))]
    return " ".join(said + asides(results, window, level=level))


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
    if results.test(results.recommended, window).n_events == 0:
        return _no_complete_window(results, window)
    if is_provisional(results, window):
        return _provisional(results, window)
    if len(results) == 1:
        return _one_event(results, window, level)
    return _many_events(results, window, subject, level)


@in_its_words
def asides(results: EventStudyResults, window: Window, *, level: float = LEVEL) -> list[str]:
    """Return the sentences that qualify the answer."""
    if len(results) == 0:
        return []
    if len(results) == 1:
        return ["One event cannot separate the announcement from other news on the same days."]
    crowd = crowding(results, window)
    if crowd.events < 2 or is_provisional(results, window):
        return []
    out = [_missing_days(results, crowd.events)]
    tests = cells(results, window)
    out += [_interval_differs(results, window, tests[results.recommended], level)]
    out += _dissent(results.recommended, tests, level)
    if crowd.dates == 1:
        out.append("All events share one date: one effective observation of any common shock.")
    return [sentence for sentence in out if sentence]


@in_its_words
def brief(
    results: EventStudyResults, window: Window, *, subject: str = "announcements", level: float = LEVEL
) -> Sentence:
    """Return the answer for one more group, in short."""
    n = results.test(results.recommended, window).n_events
    if n == 0 or len(results) < 2 or is_provisional(results, window):
        return answer(results, window, subject=subject, level=level)
    effect = _effect(results, window)
    verdict, evidence = _verdict(results, window, level)
    return Sentence((
        (f"The {of_number(n, subject)}: ", False), (percent(effect.estimate), True),
        (f"{_meant(effect.estimate, window)}{_on_average(n, effect)}, ", False), (verdict, True),
        (f" ({evidence}).", False),
    ))  # fmt: skip


@in_its_words
def limitations(
    results: EventStudyResults, window: Window, *, sample: EventStudyResults | None = None
) -> list[str]:
    """Return what limits the study, most serious first, each with what it does and how to remove it.

    Parameters
    ----------
    results : EventStudyResults
        All events.
    window : Window
        The main window.
    sample : EventStudyResults, optional
        The group that the answer is about; by default all events.
    """
    if len(results) == 0:
        return list(results.panel.notices)
    answered = results if sample is None else sample
    found = [
        _open_windows(results),
        _small_sample(answered, window),
        _pooled_directions(answered),
        _dropped_share(results),
        _price_index(results),
        _unknown_times(results),
        *results.panel.notices,
        *_put_aside(results),
        _batch_engine(results),
    ]
    return [sentence for sentence in found if sentence]


def detectable(se: float, level: float = LEVEL, power: float = 0.8) -> float:
    """Return the smallest effect (decimal) that a test with this standard error finds with `power`."""
    from scipy.special import ndtri

    return float(ndtri(1 - level / 2) + ndtri(power)) * se


@dataclass(frozen=True, slots=True)
class _Effect:
    estimate: float
    low: float
    high: float


def _effect(results: EventStudyResults, window: Window) -> _Effect:
    """The mean CAR; its interval only where the test is not under its minimum of events."""
    found = interval(results, window)
    if results.test(results.recommended, window).reason:
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
    most = f"Most frequent reason: {reason} ({n:,} of {total:,})."
    remedy = next((r for key, r in _REMEDIES.items() if key in reason), "The reason of each event is listed.")
    text = f" none of {of_number(total, subject)} could be used. {most} {remedy}"
    return Sentence((("No result:", True), (text, False)))


def _no_complete_window(results: EventStudyResults, window: Window) -> Sentence:
    lacking = f" none of {count(len(results), 'usable event')} has all days of {window_text(window)}."
    if is_provisional(results, window):
        return Sentence((("Provisional:", True), (lacking, False)))
    return Sentence((("No result:", True), (lacking, False)))


def _provisional(results: EventStudyResults, window: Window) -> Sentence:
    effect = _effect(results, window)
    n = results.test(results.recommended, window).n_events
    has, they = ("has a complete window", "it") if n == 1 else ("have complete windows", "they")
    head = (
        f" {n:,} of {count(len(results), 'event')} {has}. "
        f"Over {window_text(window)} {they} moved {words().moved} by "
    )
    said = f"{_meant(effect.estimate, window)}{_on_average(n, effect)}"
    tail = f"{said}; there is no verdict before the others are complete."
    return Sentence((
        ("Provisional:", True), (head, False), (percent(effect.estimate), True), (tail, False),
    ))  # fmt: skip


def _one_event(results: EventStudyResults, window: Window, level: float) -> Sentence:
    found, test = interval(results, window), results.test(results.recommended, window)
    event = results.events[results.ok].iloc[0]
    firm = str(event.get("company") or event["ticker"])
    who = f"{words().moved} of {firm}" if words().quantity else firm
    expected = f" against what the {results.model.label} expected{_ci(found.low, found.high)}: "
    return Sentence((
        (f"Over {window_text(window)} {who} moved ", False), (percent(found.estimate), True),
        (_meant(found.estimate, window) + expected, False),
        (_different(test.pvalue, level), True),
        (f" at the {level_text(level)} level (exact t {p_is(test.pvalue)}).", False),
    ))  # fmt: skip


def _many_events(results: EventStudyResults, window: Window, subject: str, level: float) -> Sentence:
    effect, n = _effect(results, window), results.test(results.recommended, window).n_events
    verdict, evidence = _verdict(results, window, level)
    at_level = "" if verdict == "not tested" else f" at the {level_text(level)} level"
    head = f"Over {window_text(window)} the {of_number(n, subject)} moved {words().moved} by "
    return Sentence((
        (head, False), (percent(effect.estimate), True),
        (f"{_meant(effect.estimate, window)}{_on_average(n, effect)}: ", False), (verdict, True),
        (f"{at_level} ({evidence}).", False),
    ))  # fmt: skip


def _verdict(results: EventStudyResults, window: Window, level: float) -> tuple[str, str]:
    """Return the verdict and the evidence for it."""
    tests = cells(results, window)
    main = tests[results.recommended].result
    if main.reason:
        return "not tested", reason_text(main.reason)
    dates = count(crowding(results, window).dates, "date")
    rivals = [c.result for c in _dissenters(results.recommended, tests, level) if c.valid and _of_mean(c)]
    if rivals:
        each = ", ".join(f"{STATISTICS[t.name].label} {p_is(t.pvalue)}" for t in [main, *rivals])
        return "depends on the test", f"{each}, {dates}"
    label = STATISTICS[main.name].label
    return _different(main.pvalue, level), f"{label} {p_is(main.pvalue)}, {dates}"


def _different(p: float, level: float) -> str:
    return "different from zero" if p < level else "not distinguishable from zero"


def _of_mean(cell: Cell) -> bool:
    return STATISTICS[cell.result.name].about_mean


def _dissenters(recommended: str, tests: dict[str, Cell], level: float) -> list[Cell]:
    """Return the tests whose verdict differs from that of the recommended one."""
    main = tests[recommended].result
    if main.reason:
        return []
    return [
        cell
        for name, cell in tests.items()
        if name != recommended
        and not cell.result.reason
        and (cell.result.pvalue < level) != (main.pvalue < level)
    ]


def _dissent(recommended: str, tests: dict[str, Cell], level: float) -> list[str]:
    others = _dissenters(recommended, tests, level)
    invalid = [c for c in others if not c.valid]
    elsewhere = [c for c in others if c.valid and not _of_mean(c)]
    out = []
    if invalid:
        side = "≥" if tests[recommended].result.pvalue < level else "<"
        able = sum(not c.result.reason for c in tests.values())
        many = f"{number_word(len(invalid), capital=True)} of the {number_word(able)} tests"
        verb = "gives" if len(invalid) == 1 else "give"
        out.append(
            f"{many} {verb} p {side} {level:g} for this window ({_named(invalid)}) and "
            f"{'is' if len(invalid) == 1 else 'are'} not valid here: {_why(invalid)}."
        )
    if elsewhere:
        names = listed(f"{STATISTICS[c.result.name].label} ({p_is(c.result.pvalue)})" for c in elsewhere)
        nulls = "; ".join(dict.fromkeys(words().say(STATISTICS[c.result.name].null) for c in elsewhere))
        one = len(elsewhere) == 1
        out.append(
            f"{names} {'disagrees' if one else 'disagree'}; {'it is' if one else 'they are'} valid here "
            f"but {'tests' if one else 'test'} another hypothesis: {nulls}."
        )
    return out


def _named(group: list[Cell]) -> str:
    return ", ".join(f"{STATISTICS[c.result.name].label} {pvalue(c.result.pvalue)}" for c in group)


def _why(group: list[Cell]) -> str:
    """Say which tests ignore what; tests with the same fault are named together."""
    by_fault: dict[tuple[str, ...], list[str]] = {}
    for cell in group:
        by_fault.setdefault(cell.ignores, []).append(STATISTICS[cell.result.name].label)
    if len(by_fault) == 1:
        (faults,) = by_fault
        return f"{'it ignores' if len(group) == 1 else 'they ignore'} {listed(faults)}"
    return "; ".join(
        f"{listed(names)} {'ignores' if len(names) == 1 else 'ignore'} {listed(faults)}"
        for faults, names in by_fault.items()
    )


def _missing_days(results: EventStudyResults, complete: int) -> str:
    lacking = len(results) - complete
    if not lacking:
        return ""
    verbs = ("lacks", "is") if lacking == 1 else ("lack", "are")
    events = count(len(results), "usable event")
    return f"{lacking:,} of {events} {verbs[0]} days of this window and {verbs[1]} not in the mean."


def _interval_differs(results: EventStudyResults, window: Window, main: Cell, level: float) -> str:
    if main.result.reason:
        return ""
    found, rejects = interval(results, window), main.result.pvalue < level
    includes = found.low <= 0 <= found.high
    if rejects and main.result.statistic * found.estimate < 0:
        return "The mean standardised CAR, on which the test rests, has the opposite sign."
    if rejects != includes or level != LEVEL:
        return ""
    verb = "includes" if includes else "excludes"
    return f"The interval for the mean, which is not standardised, {verb} zero."


def _open_windows(results: EventStudyResults) -> str:
    n = flag_counts(results)["incomplete_window"]
    if not n:
        return ""
    return (
        f"Provisional: the event window of {n:,} of {count(len(results), 'event')} reaches beyond the last "
        f"{words().datum}. Windows that need the missing days leave these events out; run again later."
    )


def _small_sample(results: EventStudyResults, window: Window) -> str:
    n = crowding(results, window).events
    if len(results) < 2 or n >= FEW_EVENTS:
        return ""
    few = "Only one event has" if n == 1 else f"Only {n} events have"
    return (
        f"{few} all days of {window_text(window)}: intervals are wide, one event can carry the mean, "
        "and tests of ranks and signs are not reliable."
    )


def _pooled_directions(results: EventStudyResults) -> str:
    if "direction" not in results.events:
        return ""
    values = results.events.loc[results.ok, "direction"].astype(str).str.strip()
    kinds = sorted(set(values) - {""})
    if len(kinds) < 2:
        return ""
    shown = listed(kinds[:4]) if len(kinds) <= 4 else f"{len(kinds)} directions"
    return (
        f"Events of different direction ({shown}) are pooled: opposite reactions cancel in the mean. "
        "Split the events by direction."
    )


def _dropped_share(results: EventStudyResults) -> str:
    total, dropped = len(results.events), len(results.events) - len(results)
    if dropped < MANY_DROPPED * total or not dropped:
        return ""
    (reason, n), *_ = reasons(results)
    return (
        f"{dropped:,} of {count(total, 'announcement')} could not be used; most frequent reason: {reason} "
        f"({n:,}). If the events lost differ from the others, the mean speaks only of those kept."
    )


def variance_of_car(model: LinearModel) -> str:
    """Return what the variance of a CAR consists of, without the full stop."""
    shared = "the error of the estimated parameters, which the days of one event share"
    papers = "(Salinger 1992; Mikkelson and Partch 1988)"
    if not model.parameters:
        return "The variance of a CAR is that of the deviations on the estimation days"
    if model.forecasts_variance:
        return (
            "The variance of a CAR is the sum of the variances forecast for its days from the end of the "
            f"estimation window, plus {shared} {papers}; events without a stationary optimum are estimated "
            "by least squares (flag fallback_model)"
        )
    if not model.exact:
        return (
            "The variance of a CAR is, as an approximation, that of least squares around these estimates and "
            f"includes {shared} {papers}"
        )
    robust = "" if model.cov_type == "nonrobust" else f", by the covariance {model.cov_type}"
    return f"The variance of a CAR includes {shared} {papers}{robust}"


def is_price_index(symbol: str) -> bool:
    """Tell whether an index is known to leave out dividends."""
    return bool(_PRICE_INDEX.fullmatch(symbol)) and symbol not in _TOTAL_RETURN


def _price_index(results: EventStudyResults) -> str:
    if not any(f.name == "market" for f in results.model.factors) or words().quantity:
        return ""
    used = dict.fromkeys(str(b) for b in results.events.loc[results.ok, "benchmark"])
    indices = [b for b in used if is_price_index(b)]
    if not indices:
        return ""
    what = f"{listed(indices)} {'is a price index' if len(indices) == 1 else 'are price indices'}"
    effect = (
        "The estimated intercept absorbs most of the difference"
        if "alpha" in results.model.parameters
        else "The difference stays in the abnormal returns"
    )
    remedy = "use a total-return index to remove it"
    return f"{what} while the shares are adjusted for dividends. {effect}; {remedy}."


def _unknown_times(results: EventStudyResults) -> str:
    n, total = flag_counts(results)["time_unknown"], len(results)
    if not n:
        return ""
    who = "Every announcement has" if n == total else f"{n:,} of {count(total, 'announcement')} have"
    return (
        f"{who} a date but no time, so that the first reaction can fall on day 0 or day +1. "
        "Judge by a window that covers both, or add the times."
    )


def _put_aside(results: EventStudyResults) -> list[str]:
    notes = [f"{note}." for note in results.panel.notes]
    left = len(notes) - LISTED_NOTES
    return notes if left <= 0 else [*notes[:LISTED_NOTES], f"{count(left, 'similar note')} not listed."]


def _batch_engine(results: EventStudyResults) -> str:
    if results.engine != "batch":
        return ""
    return "Estimated for all events at once (engine batch); the numbers agree with the default to rounding."
