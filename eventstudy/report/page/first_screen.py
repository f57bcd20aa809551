"""The first screen: title, headline, caveat, path, key figures, single announcements, checks."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from ...analysis import Answer, ImpliedPath, Interval
from ...findings import STAND_INS, Event, Findings, Sample
from ...words import LEVEL, capitalised, clipped, say, words
from ..figures.strip import FEW, Strip, StripMark
from ..sentences import answer as sentences
from ..sentences.caveats import list_caveats
from ..sentences.top import KeyFigure, key_figures, say_against_market
from ..tables.checks import Check, list_checks, say_fragility
from ..tables.events import name_anchors
from ..tables.methods import name_prices
from ..tables.robustness import file_of
from ..tables.windows import Move, windows_around

# Letters of a name in a figure.
LABEL = 18


@dataclass(frozen=True, slots=True)
class Chart:
    """The path of the shares with its words."""

    path: ImpliedPath
    title: str
    about: str
    who: str
    note: str
    is_early: bool
    is_late: bool


@dataclass(frozen=True, slots=True)
class Use:
    """What a figure can be taken as: for what, the file or command, and the address of a file."""

    what: str
    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """What stands on the first screen.

    Attributes
    ----------
    title, as_of, headline, sentence : str
    caveat : tuple of str
        What is emphasised, and what follows it.
    chart : Chart, optional
        None without a result.
    keys : tuple of KeyFigure
    strip : Strip, optional
    checks : tuple of Check
    fragility : str
        In how many of them the verdict holds.
    uses : dict of str to tuple of Use
        What to take the figures as, by ``chart``, ``strip``, ``checks`` and ``missing``.
    """

    title: str
    as_of: str
    headline: str
    sentence: str
    caveat: tuple[str, str]
    chart: Chart | None
    keys: tuple[KeyFigure, ...]
    strip: Strip | None
    checks: tuple[Check, ...]
    fragility: str = ""
    uses: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)

    @property
    def deck(self) -> str:
        """What stands below the headline, as text: the caveat first."""
        fragility = f"{self.fragility}." if self.fragility else ""
        texts = (self.caveat[0], self.sentence, self.caveat[1], fragility)
        return " ".join(filter(None, map(str, texts)))


@lru_cache(maxsize=1)
def first_screen(findings: Findings) -> FirstScreen:
    """Return the first screen of a report."""
    answer = findings.sample.answer
    decided = answer.n_events > 0 and answer.verdict != Answer.NO_RESULT
    screen = screen_without_checks(findings, list_checks(findings) if decided else ())
    return replace(screen, uses=_name_uses(findings)) if decided else screen


def _name_uses(findings: Findings) -> dict[str, tuple[Use, ...]]:
    """Return the files of the run, and the command, that have what each figure shows."""
    influence = findings.sample.answer.influence
    is_listed = not findings.setup.is_sampled
    numbers = {"chart": [f"tables/{file_of(findings, 'path')}"], "strip": ["tables/car.csv"]}
    numbers |= {"checks": [], "missing": ["events.csv"] * is_listed}
    if influence and influence.leave_outs and is_listed:
        numbers["checks"].append(f"tables/{file_of(findings, 'influence')}")
    if "specifications" in findings.tables:
        numbers["checks"].append("tables/specifications.csv")
    uses = {part: [_use("numbers", file) for file in files] for part, files in numbers.items()}
    for part, name in (("strip", "car"), ("chart", "path")):
        is_drawn = findings.setup.settings.get("figures")
        rerun = Use(say("use.paper"), say("use.rerun"))
        uses[part].insert(0, _use("paper", f"figures/{name}.pdf") if is_drawn else rerun)
    slide = Use(say("use.slide"), f"eventstudy card {shlex.quote(findings.name)}")
    uses["chart"].insert(0, slide)
    if findings.sample.answer.n_events == 1:
        # The dots are moves of other days, which no file has.
        uses["strip"] = []
    return {part: tuple(listed) for part, listed in uses.items()}


def _use(code: str, address: str) -> Use:
    return Use(say(f"use.{code}"), address.rpartition("/")[2], address)


def screen_without_checks(findings: Findings, checks: tuple[Check, ...] = ()) -> FirstScreen:
    """Return the first screen of the page of one event.

    Parameters
    ----------
    findings : Findings
    checks : tuple of Check
        What else stands on that of a report.
    """
    headline, sentence = sentences.split_answer(findings)
    answer = findings.sample.answer
    decided = answer.n_events > 0 and answer.verdict != Answer.NO_RESULT
    return FirstScreen(
        title=title_of(findings),
        as_of=_as_of(findings),
        headline=headline.removesuffix("."),
        sentence=sentence,
        caveat=_caveat(findings),
        chart=_chart(findings) if decided else None,
        keys=tuple(key_figures(findings)),
        strip=_strip(findings) if decided else None,
        checks=checks,
        fragility=say_fragility(findings, checks),
    )


def _caveat(findings: Findings) -> tuple[str, str]:
    """Return the second sentence, and what follows it; the key figures have other doubts."""
    first, *more = list_caveats(findings) or [""]
    result = findings.sample.answer
    if sentences.has_two_ways(result):
        code = "main_decides" if result.doubtful_rate else "which_decides"
        more += [say(f"answer.{code}", p=result.pvalue), *sentences.write_other_dates(result)]
    return first, " ".join(more)


def title_of(findings: Findings) -> str:
    """Return the title of a study: that of its settings, or what it is about.

    Parameters
    ----------
    findings : Findings
    """
    setup, sample = findings.setup, findings.sample
    if title := str(setup.settings.get("title") or ""):
        return clipped(title, 120)
    events = events_of(findings, sample)
    if len(events) == 1:
        return say("title.one", name=sentences.short_name(events[0].name), date=events[0].day0)
    n = sample.answer.n_events or sample.n_events
    who = sentences.count_subject(n, sentences.name_sample(findings, sample))
    facts = {"who": capitalised(who)}
    if not setup.first:
        return say("title.unused", **facts)
    first = setup.first[:4]
    last = setup.last[:4]
    period = words().date(setup.first) if setup.first == setup.last else first
    firms = findings.count_firms(sample)
    code = "title.several" if firms else "title.sampled"
    return say(code, firms=firms, period=f"{first}–{last}" if last > first else period, **facts)


def events_of(findings: Findings, sample: Sample) -> list[Event]:
    """Return the listed events of a sample that have a CAR over the main window, the lowest first.

    Parameters
    ----------
    findings : Findings
    sample : Sample
    """
    main, events = findings.setup.main, findings.of_group(sample.group)
    complete = [event for event in events if np.isfinite(event.car(main).car)]
    return sorted(complete, key=lambda event: event.car(main).car)


def _as_of(findings: Findings) -> str:
    """Return until when prices go, and whether they are not from the source asked for."""
    _, last = name_prices(findings)
    texts = [say_against_market(findings)]
    texts += [say("title.prices", last=last)] if last else []
    warnings = (note.text.code for note in findings.notes if note.is_warning)
    if not STAND_INS.isdisjoint(warnings):
        texts.append(say("title.stored"))
    return " · ".join(filter(None, texts))


def _chart(findings: Findings) -> Chart | None:
    sample = findings.sample
    path, n = sample.implied, sample.answer.n_events
    if path is None:
        return None
    firm = sentences.short_name(sample.firm) if sample.firm and n == 1 else ""
    what = words().quantity
    if what:
        title = say("chart.title_value", quantity=what)
    else:
        implied = say(f"answer.implied_{path.by}", n=n)
        title = say("chart.title_one" if firm else "chart.title", firm=firm, implied=implied)
    is_late = sentences.is_day_later(findings)
    when = sentences.write_days(findings.setup.main, is_late=is_late).removeprefix("on ")
    several = sentences.count_subject(n, "announcements")
    average = "" if n == 1 else say("chart.average", who=several) + " "
    about = capitalised(average + say(f"chart.about{'_value' * bool(what)}", when=when))
    who = capitalised(what) or clipped(firm, LABEL)
    about = say("chart.about_run") if path.is_price else about
    is_early = sample.answer.verdict == Answer.PROVISIONAL or path.is_price
    return Chart(path, title, about, who, _around(findings, path), is_early, is_late)


def _around(findings: Findings, path: ImpliedPath) -> str:
    """Return what came before and after the main window."""
    outside, by_verdict = days_outside(path), dict[bool, list[str]]()
    for side, move in windows_around(findings).items():
        text = f"{say(f'chart.{side}')} ({_move(move)})"
        by_verdict.setdefault(move.pvalue < LEVEL, []).append(text)
    quiet, moved = by_verdict.get(False, []), by_verdict.get(True, [])
    if quiet and not moved:
        code = f"chart.quiet{'_outside' * bool(outside)}"
        return say(code, sides=" or ".join(quiet), days=outside)
    texts = [say("chart.moved", sides=" and ".join(moved))] * bool(moved)
    texts += [say("chart.quiet", sides=" or ".join(quiet))] * bool(quiet)
    return " ".join([*texts, *([say("chart.outside", days=outside)] if outside else [])])


def _move(move: Move) -> str:
    facts = {"first": move.window.start, "last": move.window.stop, "value": move.value}
    return say("chart.move", p=move.pvalue, **facts)


def days_outside(path: ImpliedPath) -> str:
    """Return the days beyond the main window on which the shares lie outside the band."""
    if path.is_price:
        # The band is that of added returns, and these lines are compounded.
        return ""
    with np.errstate(invalid="ignore"):
        leaves = np.abs(path.gap) > path.half
        leaves_path = np.abs(path.gap) > path.critical * path.se
    beyond = (path.days < path.base) | (path.days > path.end)
    if np.isfinite(path.critical) and not (leaves_path & beyond).any():
        # Single days outside the band are expected then.
        return ""
    days = path.days[leaves & beyond & (np.abs(path.days) <= 10)]
    runs = np.split(days, np.flatnonzero(np.diff(days) > 1) + 1) if len(days) else []
    spans = []
    for run in runs:
        ends = [words().day(int(tau)) for tau in dict.fromkeys(run[[0, -1]])]
        spans.append(" to ".join(ends))
    return say("chart.outside_days", n=len(days), days=spans) if spans else ""


def _strip(findings: Findings) -> Strip | None:
    """Return the announcements of the answer, each with its effect."""
    sample, main = findings.sample, findings.setup.main
    events = events_of(findings, sample)
    if not events:
        return None
    n, one_event = len(events), sample.answer.overturn.one_event
    anchors = name_anchors(findings)
    marks = tuple(_mark(findings, event, anchors) for event in events)
    when = sentences.write_main_days(findings)
    moves = np.array(one_event.moves if one_event else ())
    if n == 1 and not len(moves):
        return None
    dots = "sampled" if findings.setup.is_sampled else "many"
    kind = "one" if n == 1 else "few" if n <= FEW else dots
    facts = {"when": when, "n": n, "length": len(main), "total": len(moves)}
    title = say("strip.title_one" if n == 1 else "strip.title")
    return Strip(title, say(f"strip.about_{kind}", **facts), marks, sample.answer.effect, moves)


def _mark(findings: Findings, event: Event, anchors: Mapping[str, str]) -> StripMark:
    car = event.car(findings.setup.main)
    name = sentences.short_name(event.name)
    date = words().date(event.day0).split("\u00a0", 1)[-1].replace("\u00a0", " ")
    effect = Interval(car.car, car.error, *car.interval)
    is_single = findings.sample.answer.n_events == 1
    full = words().date(event.day0) if is_single else f"{name}, {date}"
    brief = full if is_single else clipped(name, 14)
    link = "" if is_single else f"#{anchors[event.cells['event_id']]}"
    return StripMark(full, brief, effect, car.pvalue < LEVEL, link)
