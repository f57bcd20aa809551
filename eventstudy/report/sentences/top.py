"""Key figures, set-up line and what limits a study."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...analysis import Answer, Missing
from ...calendars import Symbol
from ...findings import Findings, Sample
from ...utility import Flag
from ...words import MISSING, Reason, capitalised, clipped, say, words
from . import answer as sentences

MOST_INDICES = 4
# Factors of a model that are a market: the index of each event, and a column of factor files.
INDEX, MARKET_FACTOR = "market", "mkt_rf"
FEW_EVENTS = 10
MANY = 0.1
# Column of the events that says how they came to be on the list.
SELECTION = "selection"
# The cell of an event from a list all of whose shares were decided on (eventstudy events accept).
_CENSUS = re.compile(r"([^;:]+): (\d+) named, (\d+) with a share")
LISTED_NOTES, LISTED_DIRECTIONS = 5, 4
# Indices of these forms leave dividends out, save those that are known to reinvest them.
_PRICE_INDEX = re.compile(r"\^.+|000\d{3}\.SS|399\d{3}\.SZ|.+\.ME")
_TOTAL_RETURN = {"^GDAXI", "^MDAXI", "^TECDAX", "^SDAXI", "^SP500TR", "^BVSP", "MCFTR.ME"}


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One key figure: its label, its value, and a remark."""

    label: str
    value: str
    remark: str


def key_figures(findings: Findings) -> Iterator[KeyFigure]:
    """Yield four figures, which repeat the headline in other words; none without a result.

    Parameters
    ----------
    findings : Findings
    """
    result = findings.sample.answer
    if result.n_events == 0 or not np.isfinite(result.effect.estimate):
        return
    code = "measure" if words().what else "effect" if result.n_events > 1 else "car"
    label = say(f"key.{code}", measure=words().what)
    effect = result.effect
    yield KeyFigure(label, words().percent(effect.estimate), sentences.write_full_interval(effect))
    yield KeyFigure(say("key.chance"), *_by_chance(result))
    if sentences.has_two_ways(result):
        spread = result.overturn.spread_pvalue
        remark = say("key.by_spread", n=result.n_events, p=spread)
        yield KeyFigure(
            say("key.chance"),
            sentences.write_chance(spread, sentences.name_repetition(result), is_brief=True),
            remark,
        )
        yield _swings(result) or _moved(findings.sample)
        return
    if result.n_events > 1:
        yield _moved(findings.sample)
    elif findings.sample.extended:
        yield _used(findings)
    elif earlier := _earlier(findings):
        yield earlier
    yield _needed(result) or _used(findings)


def _by_chance(result: Answer) -> tuple[str, str]:
    """Return how many of a hundred studies would show as much, and p; or why nobody knows."""
    if result.verdict == Answer.PROVISIONAL:
        return MISSING, say("key.provisional")
    if result.verdict not in (Answer.DIFFERENT, Answer.NOT_DIFFERENT):
        return MISSING, str(result.reason)
    p, basis = sentences.find_chance(result)
    share = sentences.write_chance(p, sentences.name_repetition(result), is_brief=True)
    if sentences.has_two_ways(result):
        return share, say("key.by", basis=basis, p=p)
    if numbers := result.doubtful_rate:
        return share, say("key.as_much_calibrated", p=p, error=numbers.error)
    return share, say("key.as_much", p=p)


def _moved(sample: Sample) -> KeyFigure:
    """Return how many CARs have the sign of the average, and how many would on quiet days."""
    main, remark = sample.main, say("key.median", value=sample.main.median)
    if np.isfinite(main.moved_by_chance):
        remark = say("key.expected", number=words().expected(main.moved_by_chance))
    fell = main.answer.plain_average.estimate < 0
    label = words().below if fell else words().above
    return KeyFigure(label, f"{main.moved:,} of {main.answer.n_events:,}", remark)


def _earlier(findings: Findings) -> KeyFigure | None:
    """Return how many earlier windows moved as far as the only event; None if nobody knows."""
    result = findings.sample.answer
    single = result.overturn.one_event
    if single is None or not single.earlier:
        return None
    side = "falls" if result.effect.estimate < 0 else "rises"
    label = say(f"key.{side}", n=len(findings.setup.main))
    share = f"{single.as_far:,} of {single.earlier:,}"
    return KeyFigure(label, share, say("key.rank", p=single.rank_pvalue))


def _needed(result: Answer) -> KeyFigure | None:
    """Return what it would take to explain the answer of one event or date; None of several."""
    overturn, times = result.overturn, result.overturn.variance_multiple
    if swings := _swings(result):
        return swings
    if result.n_dates != 1 or result.verdict != Answer.DIFFERENT:
        return None
    if np.isfinite(shock := overturn.shared_shock):
        return KeyFigure(say("key.shock"), f"{shock:.1f}×", say("key.shock_remark"))
    if not times >= sentences.EDGE:
        return None
    around = overturn.firm_variance
    code = "key.swing_had" if around > 0 else "key.swing_usual"
    remark = say(code, n=result.n_events, around=np.sqrt(around))
    return KeyFigure(say("key.swing"), f"{np.sqrt(times):.1f}×", remark)


def _swings(result: Answer) -> KeyFigure | None:
    """Return how much few shares moved on such days; None if hardly more than usual."""
    swing = sentences.find_swing(result)
    if not swing:
        return None
    label = say("key.swings")
    value = say("key.swings_value", swing=sentences.write_swing(swing))
    return KeyFigure(label, value, say("key.swings_remark"))


def _used(findings: Findings) -> KeyFigure:
    sample, result = findings.sample, findings.sample.answer
    kind = say("key.events_of", group=clipped(sample.group, 24)) if sample.group else ""
    label = kind or say("key.events" if result.n_events > 1 else "key.event")
    used = f"{result.n_events:,} of {sample.n_events:,}"
    firms = findings.count_firms(sample)
    code = "key.dates" if firms < 2 else "key.dates_firms"
    return KeyFigure(capitalised(label), used, say(code, n=result.n_dates, firms=firms))


def describe_setup(findings: Findings) -> str:
    """Return model, windows, events and dates of the study in one line."""
    setup = findings.setup
    used = "used" if setup.n_used else "unused"
    first = setup.settings.get("calendar", "exchange")
    period = " to ".join(map(words().date, dict.fromkeys(filter(None, (setup.first, setup.last)))))
    facts = {"n": findings.pooled.answer.n_events, "total": setup.n_events, "firms": setup.n_firms}
    pieces = [
        capitalised(setup.model.label) + say_on_market(findings),
        say("setup.windows", estimation=setup.estimation, event=setup.event),
        words().what or say("setup.returns", kind=setup.kind),
        say(f"setup.events_{used}", period=period, **facts),
        say(f"setup.day0_{first}") if setup.n_used else "",
        say("setup.batch") if setup.engine == "batch" else "",
    ]
    return " · ".join(filter(None, pieces)) + "."


def name_market(findings: Findings) -> str:
    """Return what the model takes as the market; "" for a model without a market.

    It is the indices by name, or the market factor of factor files, which takes the place of any
    index.

    Parameters
    ----------
    findings : Findings
    """
    setup = findings.setup
    if MARKET_FACTOR in setup.model.factors:
        files = [Path(str(file)).name for file in setup.settings.get("factors") or ()]
        return say("setup.factor" if files else "setup.factor_given", files=files)
    if INDEX not in setup.model.factors or not setup.benchmarks:
        return ""
    names = list(dict.fromkeys(Symbol(index).index_name for index in setup.benchmarks))
    code = "setup.indices" if len(names) <= MOST_INDICES else "setup.indices_many"
    return say(code, indices=names, n=len(names))


def say_on_market(findings: Findings) -> str:
    """Return what follows the name of the model, such as `` on S&P 500``; "" without a market.

    Parameters
    ----------
    findings : Findings
    """
    market = name_market(findings)
    return say("setup.on", market=market) if market else ""


def say_against_market(findings: Findings) -> str:
    """Return what shares are measured against; "" without a market or a used event.

    Parameters
    ----------
    findings : Findings
    """
    market = name_market(findings) if findings.setup.n_used else ""
    return say("setup.against", market=market) if market else ""


def find_limitations(findings: Findings) -> list[Reason]:
    """Return what limits the study, each with what it does and how to remove it.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    list of Reason
        Sentences with their codes; of a study without a used event the notices on its data.
    """
    warnings = [note for note in findings.notes if note.is_warning]
    serious = [_sentence(note.text) for note in warnings if note.is_serious]
    notices = [_sentence(n.text) for n in warnings if n.is_notice and not n.is_serious]
    if not findings.setup.n_used:
        return [*serious, *notices]
    notes = [_sentence(note.text) for note in warnings if not note.is_notice]
    more = len(notes) - LISTED_NOTES
    return [
        *serious, *_limits(findings), *notices, *notes[:LISTED_NOTES],
        *([Reason("limit_more_notes", n=more)] if more > 0 else []),
    ]  # fmt: skip


def data_notes(findings: Findings) -> list[str]:
    """Return the notes on data that change no reading of the answer, as sentences."""
    return [_sentence(note.text) for note in findings.notes if not note.is_warning]


def is_price_index(symbol: str) -> bool:
    """Return whether an index is known to leave out dividends."""
    return bool(_PRICE_INDEX.fullmatch(symbol)) and symbol not in _TOTAL_RETURN


def _sentence(text: str) -> Reason:
    return Reason.of(f"{capitalised(text).removesuffix('.')}.")


def _limits(findings: Findings) -> Iterator[Reason]:
    pooled, sample, total = findings.pooled, findings.sample, findings.setup.n_used
    flags, n, main = Counter(pooled.flags), sample.answer.n_events, findings.setup.main
    if k := flags[Flag.INCOMPLETE_WINDOW]:
        yield Reason("limit_open_windows", n=k, total=total, datum=words().datum)
    if sample.n_used > 1 and 0 < n < FEW_EVENTS:
        code = "limit_one_event" if n == 1 else "limit_few_events"
        yield Reason(code, n=n, window=[main.start, main.stop])
    yield from _directions(findings)
    if (k := flags[Flag.SHORT_ESTIMATION]) > MANY * total:
        shortest = pooled.shortest_estimation
        yield Reason("limit_short_estimations", n=k, total=total, shortest=shortest)
    if diagnosis := sample.diagnosis:
        yield from map(Reason.of, filter(None, (diagnosis.late, diagnosis.still)))
    for maker in (_dropped, _chosen_by_press, _of_a_census, _price_index):
        yield from maker(findings)
    if k := flags[Flag.TIME_UNKNOWN]:
        yield Reason("limit_no_times" if k == total else "limit_some_times", n=k, total=total)


def _directions(findings: Findings) -> Iterator[Reason]:
    """Yield a warning where the events of the answer have several directions."""
    kinds = list(findings.setup.directions)
    events = findings.of_group(findings.sample.group)
    if findings.setup.group_column:
        kinds = sorted({str(e.cells.get("direction", "")).strip() for e in events} - {""})
    if len(kinds) > LISTED_DIRECTIONS:
        yield Reason("limit_many_directions", n=len(kinds))
    elif len(kinds) > 1:
        yield Reason("limit_directions", directions=kinds)


def _dropped(findings: Findings) -> Iterator[Reason]:
    """Yield a warning where many events were dropped; of most it is the caveat of the answer."""
    total = findings.setup.n_events
    reasons = [(reason, n) for reason, n in findings.dropped if reason.code not in Missing.TWINS]
    lost = sum(n for _, n in reasons)
    if lost and lost >= MANY * total:
        reason, n = reasons[0]
        code = "limit_dropped" if lost <= total / 2 else "limit_most_dropped"
        yield Reason(code, lost=lost, total=total, reason=reason.head, n=n)


def _chosen_by_press(findings: Findings) -> Iterator[Reason]:
    """Yield a warning where the column ``selection`` of used events says ``press``."""
    used = findings.used
    if n := sum(str(event.cells.get(SELECTION, "")).strip() == "press" for event in used):
        yield Reason("limit_press", n=n, total=len(used))


def _of_a_census(findings: Findings) -> Iterator[Reason]:
    """Yield how many of the companies of an official list are here, for each list."""
    here = defaultdict(set)
    companies = findings.firms
    for event in findings.used:
        for match in _CENSUS.finditer(str(event.cells.get("census", ""))):
            here[match.groups()].add(companies[event.cells["event_id"]])
    for (action, named, shares), firms in here.items():
        yield Reason("census", action=action, named=named, shares=int(shares), n=len(firms))


def name_press(findings: Findings) -> str:
    """Return in short how many announcements were found in the press; "" for none."""
    for reason in _chosen_by_press(findings):
        n = reason.facts["n"]
        total = reason.facts["total"]
        kind = "some" if n < total else "all" if n > 1 else "one"
        return say(f"caveat.press_{kind}", n=n, total=total)
    return ""


def _price_index(findings: Findings) -> Iterator[Reason]:
    setup = findings.setup
    indices = [symbol for symbol in setup.benchmarks if is_price_index(symbol)]
    notes = [note.text for note in findings.notes if note.text.code == "unadjusted"]
    shares = {event.cells["ticker"] for event in findings.used}
    is_adjusted = not shares <= {str(note.facts["symbol"]) for note in notes}
    if is_adjusted and INDEX in setup.model.factors and indices and not words().quantity:
        absorbed = "alpha" in setup.model.parameters
        code = "limit_price_index" if absorbed else "limit_price_index_left"
        yield Reason(code, n=len(indices), indices=words().listed(indices))
