"""The answer in words: a headline, and one sentence with the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from ...analysis import (
    Answer,
    Calibrated,
    ImpliedPath,
    Interval,
    UnequalReactions,
    say_too_early,
)
from ...calendars import Window
from ...files import BLANK
from ...findings import Findings, ModelFacts, Sample
from ...fitting import CUT_CODES
from ...significance import FULL_SAMPLE
from ...words import Reason, capitalised, clipped, say, words

# A name in the headline is cut after so many letters, and one in a list of events.
LONGEST_FIRM = 60
# Letters of a short name.
SHORT = 26
# What the legal form of a company adds to its name.
_FORM = re.compile(
    r"[,\s]+(?:inc|incorporated|corp|corporation|co|company|companies|ltd|limited|plc|llc|lp|ag|se"
    r"|sa|s\.a|nv|n\.v|spa|s\.p\.a|ab|asa|oyj|a/s|gmbh|kgaa|group|holdings?|& co|pjsc|ojsc|pao|kk"
    r"|bhd|pte|tbk|class [a-c]|the)\.?$",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\s*\([^()]*\)\s*$")
# Tickers that a remedy names.
NAMED = 5
# Multiples of the usual variance whose swing is written as none, and those that are large.
EDGE, LARGE = 1.05**2, 3.95
# From this multiple on the sentence says how much more than usual few shares moved.
VIOLENT = 1.5


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text in parts, each with whether it is emphasised."""

    pieces: tuple[tuple[str, bool], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces)


def answer(findings: Findings, sample: Sample | None = None) -> Sentence:
    """Return headline (emphasised) and supporting sentence.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        By default that of the answer.
    """
    head, sentence = split_answer(findings, sample)
    return Sentence(((head, True), (f" {sentence}", False)))


def split_answer(findings: Findings, sample: Sample | None = None) -> tuple[str, str]:
    """Return headline and supporting sentence apart.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        By default that of the answer.
    """
    sample = sample or findings.sample
    result = sample.answer
    if sample.n_used == 0:
        return _nothing_usable(findings, sample)
    makers = {
        Answer.PROVISIONAL: _provisional,
        Answer.NO_RESULT: _undecided,
        Answer.NOT_DIFFERENT: _no_move,
    }
    if maker := makers.get(result.verdict):
        return maker(findings, sample)
    head = capitalised(_moved(findings, sample, _who(sample)))
    sentence = f"{_sample_text(findings, sample)} ({_evidence(result)})."
    return f"{head}.", " ".join([sentence, *describe_violence(result)])


def brief(findings: Findings, sample: Sample) -> Sentence:
    """Return the answer for one more group, in short.

    Parameters
    ----------
    findings : Findings
    sample : Sample
        Of the group.

    Returns
    -------
    Sentence
    """
    result, n = sample.answer, sample.answer.n_events or sample.n_events
    name = name_sample(findings, sample) if sample.group else say("answer.pooled")
    who = say("answer.who", n=n, subject=count_subject(n, name).partition(" ")[2])
    if result.verdict == Answer.DIFFERENT:
        caveats = doubt_variance(result) if result.n_events < FULL_SAMPLE else []
        caveats += [*say_spread(result), *describe_one_event(result)]
        head = _moved(findings, sample, say("answer.shares"))
        texts = [say("answer.brief_p", p=result.pvalue), *describe_violence(result), *caveats]
        tail = " ".join(texts)
    elif result.verdict == Answer.NOT_DIFFERENT:
        head = say(f"answer.brief_no_move{'_average' * (result.unequal is not None)}")
        tail = say("answer.brief_value", value=result.effect.estimate, p=result.pvalue)
        tail = " ".join([tail, *describe_violence(result)])
    else:
        head, sentence = split_answer(findings, sample)
        head, tail = head[:1].lower() + head[1:], f" {sentence}"
    return Sentence(((who, False), (head, True), (tail, False)))


def short_name(name: str) -> str:
    """Return the name of a company without its legal form.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Of 26 letters at most.

    Examples
    --------
    >>> short_name("Best Buy Co., Inc."), short_name("Meta Platforms (Facebook)")
    ('Best Buy', 'Meta Platforms')
    """
    text = " ".join(name.split())
    text = _NOTE.sub("", text) or text
    while (shorter := _FORM.sub("", text)) != text and shorter.strip():
        text = shorter.rstrip(" ,&")
    return clipped(text, SHORT)


def name_news(cells: Iterable[str]) -> list[str]:
    """Return a sentence that names the other news that the event list knows."""
    named = "; ".join(clipped(cell, 600).rstrip(".;") for cell in cells)
    return [say("answer.news", news=named)] if named else []


def name_group(group: str, column: str) -> str:
    """Return what the events of a group are called: ``adverse announcements``.

    Parameters
    ----------
    group : str
        Value of the column; "" for all events.
    column : str
        Column that splits the events.
    """
    if not group:
        return "announcements"
    if group == BLANK:
        name = clipped(column or "group", 60)
        return f"announcements without {'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
    name = clipped(group, 60)
    if column in ("", "direction"):
        return f"{name} announcements"
    return f"announcements with {clipped(column, 60)} {name}"


def count_subject(n: int, subject: str) -> str:
    """Return ``3 adverse announcements`` or ``1 adverse announcement``.

    Parameters
    ----------
    n : int
    subject : str
        Name of the events in the plural.

    Returns
    -------
    str
    """
    return f"{n:,} {subject.replace('announcements', 'announcement', 1) if n == 1 else subject}"


def name_sample(findings: Findings, sample: Sample | None = None) -> str:
    """Return the name of the events of a sample.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        By default that of the answer.

    Returns
    -------
    str
        Such as ``adverse announcements``.
    """
    sample = sample or findings.sample
    return name_group(sample.group, findings.setup.group_column)


def write_days(window: Window, *, is_late: bool = False) -> str:
    """Return a window in words: ``on the announcement day and the day after``.

    Parameters
    ----------
    window : Window
    is_late : bool
        Whether day 0 is after the announcement (:func:`is_day_later`).
    """
    if window in (Window(0, 0), Window(0, 1)):
        return say(f"days.{'late_' * is_late}{window.start}_{window.stop}")
    code = "days.one" if window.start == window.stop else "days.several"
    return say(code, first=window.start, last=window.stop)


def name_remedy(findings: Findings, reason: Reason) -> str:
    """Return what to do about dropped events, with the tickers that have no prices.

    Parameters
    ----------
    findings : Findings
    reason : Reason
    """
    if reason.code != "no_data":
        return reason.remedy
    events = [event for event in findings.events if event.reason.code == reason.code]
    tickers = list(dict.fromkeys(str(event.cells["ticker"]) for event in events))
    names = tickers[:NAMED] + ["..."] * (len(tickers) > NAMED)
    facts = {"n": len(tickers), "tickers": names, "datum": words().datum}
    if tickers and all(event.reason.facts.get("unreached") for event in events):
        return say("answer.unreached")
    return say("answer.check_tickers", **facts) if tickers else reason.remedy


def write_main_days(findings: Findings) -> str:
    """Return the days of the main window of a study in words.

    Parameters
    ----------
    findings : Findings
    """
    return write_days(findings.setup.main, is_late=is_day_later(findings))


def is_day_later(findings: Findings) -> bool:
    """Return whether all events of a study have their day 0 after the day of their announcement.

    Parameters
    ----------
    findings : Findings
    """
    for event in findings.used:
        day0 = str(event.day0)
        if day0[:10] <= str(event.cells.get("announced_at") or day0)[:10]:
            return False
    return findings.setup.n_used > 0


def write_interval(effect: Interval, *, sizes: bool = False) -> str:
    """Return the 95% interval in the digits of a sentence.

    Parameters
    ----------
    effect : Interval
        Decimal returns.
    sizes : bool
        Whether to write the ends without signs, the smaller first, as after "fell 7.8%".

    Returns
    -------
    str
    """
    ends = [effect.ci_low, effect.ci_high]
    if sizes:
        texts = [words().size(end) for end in sorted(ends, key=abs)]
    else:
        texts = [words().rough(end) for end in ends]
    if words().quantity:
        texts[0] = texts[0].removesuffix(words().unit)
    return say("answer.interval", low=texts[0], high=texts[1])


def write_full_interval(effect: Interval) -> str:
    """Return the 95% interval in the digits of a key figure."""
    return f"95%\N{NO-BREAK SPACE}interval {words().span(effect.ci_low, effect.ci_high)}"


def doubt_variance(result: Answer) -> list[str]:
    """Return by how much returns would have to swing more to undo the answer; [] if not known.

    Parameters
    ----------
    result : Answer
    """
    times = result.overturn.variance_multiple
    if result.verdict != Answer.DIFFERENT or not np.isfinite(times):
        return []
    size = "edge" if times < EDGE else "small" if times < LARGE else "large"
    further = "_further" if find_swing(result) and size != "edge" else ""
    facts = {"swing": np.sqrt(times), "what": name_swinging(result)}
    return [say(f"answer.variance_{size}{further}", **facts)]


def write_other_days(result: Answer) -> list[str]:
    """Return how much few shares swung on the other days around their events; [] if not known.

    Parameters
    ----------
    result : Answer
    """
    around = result.overturn.firm_variance
    if result.verdict != Answer.DIFFERENT or not around > 0:
        return []
    code = "answer.other_days_one" if result.n_events == 1 else "answer.other_days"
    return [say(code, swing=np.sqrt(around), what=name_swinging(result))]


def compare_spread(result: Answer) -> list[str]:
    """Return the p of two to four events beside that by how far they differ; [] of others.

    Parameters
    ----------
    result : Answer
    """
    if not has_two_ways(result):
        return []
    (usual, basis), spread = find_chance(result), result.overturn.spread_pvalue
    kind, facts = name_repetition(result), {"n": result.n_events, "basis": basis}
    facts |= {"usual": write_chance(usual, kind), "usual_p": usual}
    facts |= {"spread": write_chance(spread, kind), "spread_p": spread}
    # Where the frequency is by other dates, it is not what decides.
    code = "main_decides" if result.doubtful_rate else "first_decides"
    return [say("answer.two_ways", **facts, decides=say(f"answer.{code}", p=result.pvalue))]


def find_chance(result: Answer) -> tuple[float, str]:
    """Return the p of few events, and what it is judged by.

    It is that of other dates where these contradict the p of the main test.

    Parameters
    ----------
    result : Answer
    """
    if numbers := result.doubtful_rate:
        return numbers.pvalue, say("chance.other_dates")
    code = "chance.such_days" if find_swing(result) else "chance.usual"
    return result.pvalue, say(code, what=name_swinging(result))


def name_swinging(result: Answer) -> str:
    """Return what swings: these shares, or the measure of a study of another one."""
    n, quantity = result.n_events, words().quantity
    if quantity:
        return say("chance.quantity", n=n, quantity=quantity)
    return say("chance.share" if n == 1 else "chance.shares")


def say_spread(result: Answer) -> list[str]:
    """Return the p of two to four events by how far they differ, in short; [] of others.

    Parameters
    ----------
    result : Answer
    """
    if not has_two_ways(result):
        return []
    return [say("answer.by_spread", n=result.n_events, p=result.overturn.spread_pvalue)]


def has_two_ways(result: Answer) -> bool:
    """Return whether an answer is judged in two ways: of two to four events that have both p."""
    is_decided = result.verdict in (Answer.DIFFERENT, Answer.NOT_DIFFERENT)
    return is_decided and 1 < result.n_events < FULL_SAMPLE and result.overturn.spread_pvalue >= 0


def write_chance(p: float, kind: str, *, is_brief: bool = False) -> str:
    """Return a p as a frequency: ``3 in 100 studies``.

    Parameters
    ----------
    p : float
    kind : {"studies", "dates", "days"}
    is_brief : bool
        Whether the smallest leave out what is counted, for which a narrow page has no room.
    """
    whole = 100 if p >= 0.0095 else 1000 if p >= 0.0005 else 0
    code = "key.share" if whole else "key.hardly" if is_brief else "key.hardly_any"
    return say(code, n=round(whole * p), whole=whole, kind=kind)


def name_repetition(result: Answer) -> str:
    """Return what is thought to be repeated: studies, or the days of one date or one event."""
    if result.n_events == 1:
        return "days"
    return "dates" if result.n_dates == 1 else "studies"


def find_swing(result: Answer) -> float:
    """Return how many times as much as usual few shares moved on such days; 0 if hardly more.

    Parameters
    ----------
    result : Answer

    Returns
    -------
    float
        The root of the mean k of up to four events, where k is at least 1.5.
    """
    k = result.overturn.recent_variance
    mean = sum(k) / len(k) if k else 0.0
    return float(np.sqrt(mean)) if mean >= VIOLENT else 0.0


def describe_violence(result: Answer) -> list[str]:
    """Return that few shares moved more than usual around their events; [] if hardly more."""
    swing = find_swing(result)
    if not swing:
        return []
    code = "answer.violent_one" if result.n_events == 1 else "answer.violent"
    return [say(code, swing=write_swing(swing))]


def write_swing(swing: float) -> str:
    """Return a multiple of the usual swing: tenths below 2, halves below 3, then whole numbers."""
    if swing < 2:
        return f"{swing:.1f}"
    return f"{round(2 * swing) / 2:g}" if swing < 3 else f"{swing:.0f}"


def say_smallest_effect(code: str, result: Answer) -> str:
    """Return which effect the study finds with 80% power.

    Parameters
    ----------
    code : {"answer.power", "folds.power"}
        Of its sentences.
    result : Answer

    Returns
    -------
    str
        "" where no effect is found.
    """
    least, n = result.overturn.smallest_effect, result.n_events
    if not np.isfinite(least):
        return ""
    return say(f"{code}.{'one' if n == 1 else 'average'}", least=least)


def describe_one_event(result: Answer) -> list[str]:
    """Return how one event compares with earlier windows and peers; [] if unknown."""
    event = result.overturn.one_event
    if event is None:
        return []
    facts = {field.name: getattr(event, field.name) for field in fields(event)}
    codes = ("earlier", "peers")
    return [say(f"answer.{code}", **facts) for code in codes if facts[code] > 0]


def describe_swings(unequal: UnequalReactions | None) -> list[str]:
    """Return by how much single shares moved more than usual; [] unless that is beyond doubt."""
    if unequal is None or not unequal.is_sure or words().quantity:
        return []
    code = f"answer.swings{'_both_ways' * unequal.is_both_ways}"
    return [say(code, swing=unequal.swing)]


def write_other_dates(result: Answer) -> list[str]:
    """Return how often the test of up to four events is wrong on other dates; [] where it is not.

    Parameters
    ----------
    result : Answer
    """
    numbers = result.doubtful_rate
    return [say("answer.other_dates", **calibration_facts(numbers))] if numbers else []


def calibration_facts(numbers: Calibrated) -> dict[str, float]:
    """Return p and false-alarm rate on other dates, their errors, and the number of dates."""
    rates = {"size": numbers.false_alarms, "rate_error": numbers.rate_error}
    return {"p": numbers.pvalue, "error": numbers.error, "n": numbers.draws, **rates}


def has_exact_law(model: ModelFacts) -> bool:
    """Return whether the t of a single CAR is exact under normality.

    It is if the variance of the CAR is that of the estimator, with classical errors.
    """
    return model.exact and model.cov_type == "nonrobust"


def _evidence(result: Answer) -> str:
    sizes = result.verdict == Answer.DIFFERENT and not words().quantity
    interval = write_interval(result.effect, sizes=sizes)
    return say("answer.evidence", interval=interval, p=result.pvalue)


def _sample_text(findings: Findings, sample: Sample) -> str:
    """Return what the estimate is of: ``Average of 50 adverse announcements on 43 dates``."""
    n, dates = sample.answer.n_events, sample.answer.n_dates
    name = name_sample(findings, sample)
    if n == 1:
        code = "answer.one_event_cut" if is_against_index(findings) else "answer.one_event"
        return say(code, subject=name.replace("announcements", "announcement", 1))
    facts = {"n": n, "subject": name, "dates": dates}
    return say("answer.average_one_date" if dates == 1 else "answer.average", **facts)


def _name(sample: Sample) -> str:
    """Return the company where all events are of one, else "shares"."""
    return clipped(sample.firm, LONGEST_FIRM) or say("answer.shares")


def _who(sample: Sample) -> str:
    """Return the company, or "shares"; of one event with the days at its price limit."""
    if not sample.limit_days or sample.extended:
        return _name(sample)
    days = [words().date(day) for day in sample.limit_days]
    return say("answer.at_limit", who=_name(sample), days=days)


def _when(findings: Findings, sample: Sample) -> str:
    """Return the days of the effect; of one event until it closed off its price limit."""
    main = findings.setup.main
    if sample.n_used == 1 and sample.extended:
        facts = {"first": main.start, **sample.extended[0].reason.facts}
        return say(f"days.extended{'_both' if is_against_index(findings) else ''}", **facts)
    return write_main_days(findings)


def _moved(findings: Findings, sample: Sample, who: str) -> str:
    """Return what happened: ``shares fell 7.8% more than the market implied on ...``."""
    result = sample.answer
    effect, main, when = result.effect.estimate, findings.setup.main, _when(findings, sample)
    facts = {"who": who, "when": when, "implied": _implied_by(findings, sample), "size": effect}
    if words().quantity:
        meaning = words().meaning(effect, len(main)).removeprefix(words().quantity).strip()
        return say("answer.quantity", quantity=words().quantity, meaning=meaning, **facts)
    together = "more" if result.market_implied * effect > 0 else "otherwise"
    return say(f"answer.{'fell' if effect < 0 else 'rose'}_{together}", **facts)


def is_against_index(findings: Findings) -> bool:
    """Return whether the one event is measured against its index itself, which was not free."""
    return findings.setup.model.instead_of != ""


def _implied_by(findings: Findings, sample: Sample) -> str:
    if is_against_index(findings):
        kind = "stopped" if sample.market.code == "market_stopped" else "cut"
        return say(f"answer.implied_{kind}")
    if sample.market.code in CUT_CODES:
        return say("answer.implied_limited")
    by = ImpliedPath.name_source(findings.setup.model.factors)
    return say(f"answer.implied_{by}", n=sample.answer.n_events)


def _no_move(findings: Findings, sample: Sample) -> tuple[str, str]:
    result, when = sample.answer, _when(findings, sample)
    facts = {"who": _who(sample), "when": when, "implied": _implied_by(findings, sample)}
    code = "answer.no_change" if words().quantity else "answer.no_move"
    code += "_average" * (result.unequal is not None)
    head = say(code, quantity=words().quantity, **facts)
    estimate = words().rough(result.effect.estimate)
    sentence = f"{_sample_text(findings, sample)}: {estimate} ({_evidence(result)})."
    sentence = " ".join([sentence, *describe_violence(result)])
    if result.overturn.largest_t <= Interval.quantile(result.effect.df):
        average, interval = result.plain_average.estimate, write_interval(result.plain_average)
        remark = say("answer.unequal_firms", value=average, interval=interval)
    else:
        remark = say_smallest_effect("answer.power", result)
    caveat = result.find_caveat()
    if caveat is not None and caveat.code == "few":
        # The sentence that travels with the headline says it.
        remark = ""
    texts = [*describe_swings(result.unequal), sentence, remark]
    return head, " ".join(filter(None, texts))


def _provisional(findings: Findings, sample: Sample) -> tuple[str, str]:
    result = sample.answer
    total = sample.n_used + sample.n_to_come
    head = say_too_early(result.n_averaged, total, findings.setup.main)
    if not result.n_events:
        return head, say("answer.run_again")
    facts = {"value": result.effect.estimate, "interval": write_interval(result.effect)}
    return head, say("answer.so_far" if result.n_events > 1 else "answer.so_far_one", **facts)


def _undecided(findings: Findings, sample: Sample) -> tuple[str, str]:
    result, main = sample.answer, findings.setup.main
    if result.n_averaged == 0:
        if sample.n_used == 1 and sample.lacking:
            reason = sample.lacking[0].reason
            return say("answer.none_complete_one", window=main, reason=reason), reason.remedy
        return say("answer.none_complete", n=sample.n_used, window=main), say("answer.each_listed")
    facts = {"reason": capitalised(result.reason), "value": result.plain_average.estimate}
    return say("answer.undecided"), say("answer.undecided_reason", **facts)


def _nothing_usable(findings: Findings, sample: Sample) -> tuple[str, str]:
    total = sample.n_events
    if total == 0:
        return say("answer.no_events"), say("answer.add_row")
    reason, n = findings.dropped[0]
    who = count_subject(total, name_sample(findings, sample)).removeprefix("1 ")
    head = say("answer.none_usable" if total > 1 else "answer.one_unusable", who=who)
    facts = {"reason": reason.head, "n": n, "total": total}
    reason_text = say("answer.most_frequent" if total > 1 else "answer.the_reason", **facts)
    return head, f"{reason_text} {name_remedy(findings, reason) or say('answer.reason_listed')}"
