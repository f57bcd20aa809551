"""What stands beside the answer: its caveat, and the events that its mean lacks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...analysis import Answer, Caveat, Interval, Missing
from ...calendars import Window
from ...findings import CarRemark, Findings, Sample
from ...utility import Flag
from ...words import LEVEL, capitalised, clipped, say, speaking_of, words
from ..tables.checks import count_checks, list_checks, say_fragility
from . import answer as sentences

# Events named in a sentence; the list below has all of them.
NAMED = 3
# Codes of caveats on announcements that are not in the answer.
MISSING = ("fall_missing", "many_missing")
# Larger numbers of announcements are written in figures, as the numbers beside them.
MOST_IN_WORDS = 12
# Shorter suspensions are told in trading days; others in the longest unit that fits so often.
FORTNIGHT = 14
LENGTHS, FEWEST_UNITS = {"years": 365.25, "months": 30.44, "weeks": 7.0}, 1.5
# Larger falls are told in whole percent.
LARGE = 0.095
# No caveat says that nothing changes the answer where more of the checks come to another verdict.
MOST_OTHER = 0.25
# Flags of moves that may be faults, and are in the mean.
KEPT_MOVES = (
    Flag.SUSPECT_SPLIT, Flag.SUSPECT_MOVE, Flag.SOURCES_DIFFER, Flag.FILLED, Flag.MARKET_UNUSABLE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """The answer of a sample in words.

    Attributes
    ----------
    headline, text : str
        The verdict; it with the supporting sentence.
    caveat : str
        The one thing to say whenever the headline is quoted; "" for nothing.
    fragility : str
        In how many checks the verdict holds; "" for another group than that of the answer.
    """

    headline: str
    text: str
    caveat: str
    fragility: str = ""

    @classmethod
    def of(cls, findings: Findings, sample: Sample | None = None) -> Statement:
        """Return the statement of a sample, by default that of the answer.

        Parameters
        ----------
        findings : Findings
        sample : Sample, optional
        """
        with speaking_of(findings.setup.measure):
            text = sentences.answer(findings, sample)
            is_first = sample is None or sample is findings.sample
            fragility = say_fragility(findings, list_checks(findings)) if is_first else ""
            return cls(text.pieces[0][0], str(text), second_sentence(findings, sample), fragility)


def headline(findings: Findings) -> str:
    """Return the answer of a study and its caveats as plain text."""
    return " ".join([str(sentences.answer(findings)), *asides(findings)])


def asides(findings: Findings, sample: Sample | None = None) -> list[str]:
    """Return caveats and doubts, and the events that leave the window or run on beyond it.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        By default that of the answer.

    Returns
    -------
    list of str
        Sentences; empty if no event was used.
    """
    sample = sample or findings.sample
    if sample.n_used == 0:
        return []
    listings = next((n for why, n in findings.dropped if why.code == "other_listing"), 0)
    notes = [
        *list_caveats(findings, sample),
        *doubts(findings, sample),
        _halts_note(findings, sample),
        _lacking_note(sample) if sample.n_used > 1 else "",
        _once_note(sample),
        write_short_note(sample),
        _extended_note(sample, findings.setup.main),
        say("answer.listings", n=listings) if listings else "",
        _plan_note(findings),
    ]
    return list(filter(None, notes))


def lacking_lines(remarks: Iterable[CarRemark]) -> list[tuple[str, str]]:
    """Return name (with the id where that differs) and reason of events with a remark."""
    return [(_named(remark), remark.reason) for remark in remarks]


def _named(remark: CarRemark) -> str:
    name = clipped(remark.name, sentences.LONGEST_FIRM)
    event_id = clipped(remark.event_id, sentences.LONGEST_FIRM)
    return name if name == event_id else f"{name} ({event_id})"


def find_caveat(sample: Sample) -> Caveat | None:
    """Return the caveat of a sample, by the rules of today where it was computed before them.

    Parameters
    ----------
    sample : Sample
    """
    result, n_missing = sample.answer, sample.n_events - sample.answer.n_events
    if result.missing is None and n_missing:
        result = replace(result, missing=Missing(sample.n_events, {"other": n_missing}))
    return result.find_caveat()


def second_sentence(findings: Findings, sample: Sample | None = None) -> str:
    """Return the one thing to say whenever the headline is quoted; "" for nothing.

    Page, card, terminal, notebook, workbook, index and messages have it from here: what may make
    all numbers wrong; announcements that are missing; moves that may be faults; else the caveat.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        One of ``findings.samples``, by default that of the answer.

    Returns
    -------
    str
    """
    return next(iter(list_caveats(findings, sample)), "")


def list_caveats(findings: Findings, sample: Sample | None = None) -> list[str]:
    """Return all that must be said with the headline, the second sentence first.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        One of ``findings.samples``, by default that of the answer.

    Returns
    -------
    list of str
        Sentences.
    """
    sample = sample or findings.sample
    caveat = find_caveat(sample)
    text = _write_caveat(findings, sample, caveat) if caveat else ""
    suspects = [_suspects(findings, sample, flag) for flag in KEPT_MOVES]
    texts = [*suspects, text]
    if caveat and caveat.code in MISSING:
        alone = Caveat("one_event", {})
        other_news = _write_caveat(findings, sample, alone) if sample.answer.n_events == 1 else ""
        texts = [text, *suspects, other_news]
    return list(filter(None, [*_serious_notes(findings), *texts]))


def doubts(findings: Findings, sample: Sample | None = None) -> list[str]:
    """Return what else limits the answer of one to four announcements; [] of more.

    Parameters
    ----------
    findings : Findings
    sample : Sample, optional
        One of ``findings.samples``, by default that of the answer.

    Returns
    -------
    list of str
        Sentences.
    """
    sample = sample or findings.sample
    result, caveat = sample.answer, find_caveat(sample)
    has_swing = caveat is not None and caveat.code == "few"
    texts = [] if has_swing else sentences.doubt_variance(result)
    texts += [
        *sentences.compare_spread(result),
        *sentences.write_other_days(result),
        *sentences.write_other_dates(result),
    ]
    return texts + (sentences.describe_one_event(result) if result.n_events == 1 else [])


def _serious_notes(findings: Findings) -> list[str]:
    """Return what may make all numbers wrong."""
    notes = [note.text for note in findings.notes if note.is_serious and note.is_warning]
    return [f"{capitalised(note).removesuffix('.')}." for note in notes[:1]]


def _write_caveat(findings: Findings, sample: Sample, caveat: Caveat) -> str:
    """Return the sentence of a caveat."""
    result, code = sample.answer, caveat.code
    n = result.n_events
    if code in MISSING:
        return _write_missing(code, caveat.facts, sentences.name_sample(findings, sample))
    if code == "one_event":
        news = "; ".join(clipped(cell, 600).rstrip(".;") for cell in sample.news)
        return say(f"caveat.{'one_event_news' if news else code}", news=news)
    if code == "one_date":
        return say("caveat.one_date", n=n, length=len(findings.setup.main))
    if code == "few":
        return _write_few(result)
    if code in ("stands", "moved") and sample is findings.sample:
        counts = count_checks(list_checks(findings))
        if counts["n"] - counts["k"] > MOST_OTHER * counts["n"]:
            return say("caveat.checks", **counts)
    drawn = sentences.calibration_facts(result.calibrated) if result.calibrated else {}
    return caveat.sentence(**drawn)


def _write_few(result: Answer) -> str:
    """Return by how much two to four shares would have had to swing, or what they could show."""
    n, times = result.n_events, result.overturn.variance_multiple
    if result.verdict != Answer.DIFFERENT:
        least = result.overturn.smallest_effect
        return say("caveat.few_power", n=n, least=least) if np.isfinite(least) else ""
    # Where the events differ so much that their own spread explains it, the deck says so.
    by_spread = sentences.say_spread(result) if result.overturn.spread_pvalue >= LEVEL else []
    if times < sentences.EDGE:
        return " ".join([say("caveat.few_edge", n=n), *by_spread])
    further = "_further" if sentences.find_swing(result) else ""
    facts = {"n": n, "swing": np.sqrt(times), "what": sentences.name_swinging(result)}
    return " ".join([say(f"caveat.few{further}", **facts), *by_spread])


def _write_missing(code: str, facts: Mapping[str, Any], subject: str) -> str:
    """Return which announcements of a sample, called `subject`, are not in its answer."""
    used = facts["used"]
    total = facts["total"]
    lack = facts["lack"]
    form = "share" if total > MOST_IN_WORDS else "share_in_words"
    share = say(f"caveat.lack.{form}", used=used, total=total, subject=subject)
    counts: dict[str, Any] = {"share": share, "used": used}
    if code == "fall_missing":
        firm = sentences.short_name(facts["firm"])
        firm = firm if facts["is_only"] else f"{firm} ({words().date(facts['day0'])})"
        return say("caveat.fall_missing", firm=firm, lack=_write_fall(facts), **counts)
    n = facts["n"]
    n_missing = total - used
    form = "of_others" if n < n_missing else "others" if n > 1 else "other_one"
    lack = say(f"caveat.lack.{lack}", n=n)
    lack = say(f"caveat.lack.{form}", others=n_missing, n=n, lack=lack)
    text = say("caveat.many_missing", lack=lack, **counts)
    place = facts.get("place")
    if place:
        code = "none" if place["n_used"] == 0 else "few"
        text += " " + say(f"caveat.place.{code}", n_others=n_missing, **place)
    return text


def _write_fall(facts: Mapping[str, Any]) -> str:
    """Return what a firm lacked, and by how much its price fell."""
    fall = -facts["change"]
    lack = facts["lack"]
    size = words().share(fall) if fall >= LARGE else words().size(fall)
    if lack == "ended":
        return say("caveat.lack.ended_then", last=facts["last"], size=size)
    if lack != "suspended":
        return say("caveat.lack.fell", lack=say(f"caveat.lack.{lack}", n=1), size=size)
    stopped, resumed = (dt.date.fromisoformat(facts[end]) for end in ("stopped", "resumed"))
    time = _write_time((resumed - stopped).days, facts["n_idle"])
    return say("caveat.lack.suspended_then", time=time, size=size)


def _write_time(days: int, sessions: int) -> str:
    """Return how long a suspension was, in the unit in which one would say it."""
    if days < FORTNIGHT:
        return say("caveat.time.days", n=sessions)
    unit = next(unit for unit in LENGTHS if days >= FEWEST_UNITS * LENGTHS[unit])
    return say(f"caveat.time.{unit}", n=round(days / LENGTHS[unit]))


def _suspects(findings: Findings, sample: Sample, flag: Flag) -> str:
    """Return how many moves in the mean may be faults, and the effect without them; "" if none."""
    result, n = sample.answer, sample.flags.get(flag, 0)
    if flag is Flag.MARKET_UNUSABLE and sample.n_used == 1:
        return _write_market(findings, sample)
    if not n or not result.n_events:
        return ""
    if result.n_events == 1:
        is_its_own = sample.n_used == 1 or _is_flagged(findings, sample, flag)
        return _name_suspects(flag, say(f"answer.{flag}_one")) if is_its_own else ""
    table = findings.over_main(findings.beside("without_flagged", sample))
    rows = [
        row for row in table.to_dict("records")
        if (row["left_out"], row["test"]) == (flag, result.test)
    ]  # fmt: skip
    n = result.n_events - int(rows[0]["n_events"]) if rows else n
    suspects = say(f"answer.{flag}", n=n, total=result.n_events)
    suspects += _names_of(findings, sample, flag)
    if not (rows and n):
        return _name_suspects(flag, suspects) if n else ""
    value, low, high = (rows[0][f"weighted_{name}"] for name in ("caar", "low", "high"))
    effect = Interval(value, ci_low=low, ci_high=high)
    code = f"answer.without_them{'_interval' * bool(np.isfinite(effect.ci_low))}"
    facts = {"suspects": suspects, "n": n, "value": effect.estimate}
    return say(code, **facts, interval=sentences.write_interval(effect))


def _is_flagged(findings: Findings, sample: Sample, flag: Flag) -> bool:
    """Return whether the one event of an answer has a flag; the others used have no CAR."""
    main = findings.setup.main
    events = findings.of_group(sample.group)
    return any(flag in event.flags for event in events if np.isfinite(event.car(main).car))


def _name_suspects(flag: Flag, suspects: str) -> str:
    """Return the sentence on doubtful moves, with the table of faults where they stand there."""
    code = "suspects" if flag is Flag.MARKET_UNUSABLE else "check_them"
    return say(f"answer.{code}", suspects=suspects)


def _write_market(findings: Findings, sample: Sample) -> str:
    """Return why the market model cannot be used on the days of one event; "" if it can."""
    texts = []
    if sample.market and not sentences.is_against_index(findings):
        texts.append(say(f"answer.{sample.market.code}", **sample.market.facts))
    if sample.weekdays_closed:
        texts.append(say("answer.weekdays_closed", n=sample.weekdays_closed))
    return " ".join(texts)


def _names_of(findings: Findings, sample: Sample, flag: Flag) -> str:
    """Return the firms of the listed events of a sample with a flag, in brackets."""
    flagged = (event for event in findings.of_group(sample.group) if flag in event.flags)
    names = list(dict.fromkeys(clipped(event.name, sentences.LONGEST_FIRM) for event in flagged))
    more = ", ..." * (len(names) > NAMED)
    return f" ({', '.join(names[:NAMED])}{more})" if names else ""


def _plan_note(findings: Findings) -> str:
    """Return that the study is as it was planned, or what differs; "" without a plan."""
    plan = findings.provenance.get("plan")
    if not plan:
        return ""
    day = dt.date.fromisoformat(plan["written_at"][:10])
    differences = plan["differs"]
    if not differences:
        return say("plan.as_planned", day=day)
    text = "; ".join(differences)
    return say("plan.not_as_planned", day=day, n=len(differences), differences=text)


def _extended_note(sample: Sample, main: Window) -> str:
    """Return which CARs run on beyond the main window, and how far; "" if none does."""
    ends = sample.extended
    if not ends:
        return ""
    if sample.n_used == 1:
        return say("answer.extended_one", reason=ends[0].reason)
    until = [
        say(f"answer.until_{end.reason.code}", name=_named(end), **end.reason.facts) for end in ends
    ]
    facts = {"n": len(ends), "total": sample.answer.n_events, "window": main}
    return say("answer.extended", events=_some(until, len(until)), **facts)


def _lacking_note(sample: Sample) -> str:
    """Return which events are not in the mean, why, and what to do; "" if all are."""
    n = sample.n_lacking
    if not sample.lacking:
        return ""
    events = [f"{_named(remark)}, {remark.reason}" for remark in sample.lacking]
    code = "answer.lacking_one" if sample.n_used - n == 1 else "answer.lacking"
    note = say(code, n=n, total=sample.n_used, events=_some(events, n))
    remedies = dict.fromkeys(remark.reason.remedy for remark in sample.lacking)
    return " ".join(filter(None, [note, *remedies]))


def _halts_note(findings: Findings, sample: Sample) -> str:
    """Return the answer by the other clock where trading was suspended, or by both; "" for none."""
    halts = sample.halts
    if halts is None or not np.isfinite(halts.shift.pvalue):
        return ""
    if halts.n_short == halts.n_suspended:
        return say("answer.halts_all_short", n=halts.n_short)
    both = {"shift": halts.shift, "calendar": halts.calendar}
    texts = {
        clock: say(
            "answer.of_clock", value=result.effect.estimate, n=result.n_events, p=result.pvalue,
            interval=sentences.write_interval(result.effect),
        )
        for clock, result in both.items()
    }  # fmt: skip
    if findings.setup.settings.get("halt") == "shift":
        both = np.isfinite(halts.calendar.pvalue)
        return say("answer.halts_without", n=halts.n_suspended, **texts) if both else ""
    code = "answer.halts" if np.isfinite(halts.calendar.pvalue) else "answer.halts_alone"
    note = say(code, n=halts.n_suspended - halts.n_short, **texts)
    return f"{note} {say('answer.halts_short', n=halts.n_short)}" if halts.n_short else note


def _once_note(sample: Sample) -> str:
    """Return which announcements count more than once, and the effect with firms counted once."""
    if sample.once is None:
        return ""
    once, result = sample.once, sample.once.answer
    facts = {"n": once.n, "tickers": once.tickers, "column": once.column}
    return say("answer.once", value=result.effect.estimate, p=result.pvalue, **facts)


def write_short_note(sample: Sample) -> str:
    """Return which events only the plain average has, for their short history; "" if none.

    Parameters
    ----------
    sample : Sample
    """
    n, average = sample.answer.n_short, sample.answer.plain_average.estimate
    if not sample.short:
        return ""
    days = [(_named(remark), remark.reason.facts["n"]) for remark in sample.short]
    events = [say("answer.short_event", name=name, n=nobs) for name, nobs in days]
    needed = sample.short[0].reason.facts["needed"]
    return say("answer.short", n=n, needed=needed, value=average, events=_some(events, n))


def _some(texts: list[str], n: int) -> str:
    """Join the first texts, and say how many of `n` are not named."""
    more = [say("answer.more_events", n=n - NAMED)] if n > NAMED else []
    return "; ".join([*texts[:NAMED], *more])
