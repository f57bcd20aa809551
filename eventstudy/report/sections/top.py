"""The top of a report: answer, other groups, key figures, set-up line and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...analysis.answer import DIFFERENT, NOT_DIFFERENT, PROVISIONAL, Answer
from ...findings.samples import Sample
from ...findings.types import Findings
from ...utility.catalogue import say
from ...utility.numbers import (
    MISSING,
    capitalised,
    clipped,
    date_prose,
    expected,
    listed,
    percent,
)
from ...utility.units import words
from .answer import Sentence, answer, asides, brief, full_interval
from .limitations import limitations

# Groups that have a line below the answer, and a panel among the figures.
SHOWN_GROUPS = 6
MOST_INDICES = 4


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One key figure: its label, its value, and a remark."""

    label: str
    value: str
    remark: str


@dataclass(frozen=True, slots=True)
class Top:
    """What stands above the first section.

    Attributes
    ----------
    answer : Sentence
    asides : list of str
        The caveat, and which events leave the window.
    others : list of Sentence
        The answers of other groups, and of all events together.
    keys : list of KeyFigure
    setup : str
        Model, windows, events and dates in one line.
    warnings : list of str
        Most serious first.
    """

    answer: Sentence
    asides: list[str]
    others: list[Sentence]
    pooled: Sentence | None
    keys: list[KeyFigure]
    setup: str
    warnings: Sequence[str]


def top(findings: Findings) -> Top:
    """Return answer, key figures, set-up line and warnings."""
    groups = findings.groups
    others = [brief(findings, sample) for sample in groups[1:SHOWN_GROUPS]]
    if len(groups) > SHOWN_GROUPS:
        more = say("top.more_groups", n=len(groups) - SHOWN_GROUPS)
        others.append(Sentence(((more, False),)))
    return Top(
        answer=answer(findings),
        asides=asides(findings),
        others=others,
        pooled=brief(findings, findings.pooled) if others else None,
        keys=list(_keys(findings)),
        setup=setup_line(findings),
        warnings=limitations(findings),
    )


def _keys(findings: Findings) -> Iterator[KeyFigure]:
    sample, main = findings.sample, findings.setup.main
    result = sample.answer
    if result.n_events == 0:
        return
    several = result.n_events > 1
    if np.isfinite(result.effect.estimate):
        code = "measure" if words().what else "effect" if several else "car"
        label = say(f"key.{code}", measure=words().what, window=main)
        yield KeyFigure(label, percent(result.effect.estimate), full_interval(result.effect))
    yield KeyFigure(say("key.chance"), *_by_chance(result))
    if several:
        average = result.plain_average
        has_interval = np.isfinite(average.ci_low)
        interval = full_interval(average) if has_interval else say("key.no_interval")
        yield KeyFigure(say("key.plain_average"), percent(average.estimate), interval)
        yield _moved(sample)
    kind = say("key.events_of", group=clipped(sample.group, 24)) if sample.group else ""
    label = kind or say("key.events" if several else "key.event")
    used = f"{result.n_events:,} of {sample.n_events:,}"
    yield KeyFigure(capitalised(label), used, say("key.dates", n=result.n_dates))


def _by_chance(result: Answer) -> tuple[str, str]:
    """Return how many of a hundred studies would show as much, and p; or why nobody knows."""
    if result.verdict == PROVISIONAL:
        return MISSING, say("key.provisional")
    if result.verdict not in (DIFFERENT, NOT_DIFFERENT):
        return MISSING, str(result.reason)
    studies = 100 if result.pvalue >= 0.005 else 1000
    if result.pvalue < 0.0005:
        share = say("key.hardly_any")
    else:
        share = say("key.share", n=round(studies * result.pvalue), studies=studies)
    return share, say("key.as_much", p=result.pvalue)


def _moved(sample: Sample) -> KeyFigure:
    """Return how many CARs have the sign of the average, and how many would on quiet days."""
    main = sample.main
    chance = main.moved_by_chance
    if np.isfinite(chance):
        remark = say("key.expected", number=expected(chance))
    else:
        remark = say("key.median", value=main.median)
    fell = main.answer.plain_average.estimate < 0
    label = words().below if fell else words().above
    return KeyFigure(label, f"{main.moved:,} of {main.answer.n_events:,}", remark)


def setup_line(findings: Findings) -> str:
    """Return model, windows, events and dates of the study in one line."""
    setup = findings.setup
    used = "used" if setup.n_used else "unused"
    first = setup.settings.get("calendar", "exchange")
    pieces = [
        capitalised(setup.model.label) + _indices(findings),
        say("setup.windows", estimation=setup.estimation, event=setup.event),
        words().what or say("setup.returns", kind=setup.kind),
        say(
            f"setup.events_{used}",
            n=findings.pooled.answer.n_events,
            total=setup.n_events,
            firms=setup.n_firms,
            period=period(findings),
        ),
        say(f"setup.day0_{first}") if setup.n_used else "",
        say("setup.batch") if setup.engine == "batch" else "",
    ]
    return " · ".join(filter(None, pieces)) + "."


def _indices(findings: Findings) -> str:
    setup = findings.setup
    indices = setup.benchmarks if setup.model.factors else ()
    if not indices:
        return ""
    if len(indices) <= MOST_INDICES:
        return say("setup.on", indices=listed(indices))
    return say("setup.on_many", n=len(indices))


def period(findings: Findings) -> str:
    """Return the first and last day 0 in words."""
    first, last = findings.setup.first, findings.setup.last
    if not first:
        return ""
    if first == last:
        return date_prose(first)
    return f"{date_prose(first)} to {date_prose(last)}"
