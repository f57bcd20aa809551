"""The page of one event: the first screen of a study of it alone, and what folds beneath."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...analysis import Fall, ImpliedPath
from ...calendars import Symbol, Window
from ...findings import Event, EventDetail, Findings, PricePath
from ...utility import Flag
from ...words import capitalised, cell_text, clipped, has, say, words
from ..figures import event_figures as figures
from ..sentences.answer import is_day_later, name_news, short_name, split_answer
from ..sentences.caveats import asides, list_caveats
from ..sentences.top import KeyFigure
from ..tables.columns import EFFECT, NAME, PVALUE, Column, Kind
from ..tables.events import describe_event, explain_flag, safe_url, write_flag
from ..tables.methods import parameter_letter
from ..tables.table import Row, Table, make_table
from ..tables.windows import name_window
from .first_screen import FirstScreen, Use, screen_without_checks
from .folds import Figure, Fold, list_days

# Columns that the page shows elsewhere.
ELSEWHERE = ("status", "benchmark")
LONGEST = 6000
# Parameters in the unit of the returns; the others are slopes.
LEVELS = ("alpha", "mu")


def render_context(findings: Findings, event: Event, pages: Sequence[Event]) -> dict[str, Any]:
    """Return what ``event.html.j2`` shows of an event; the title of the study is added to it.

    Parameters
    ----------
    findings : Findings
    event : Event
        One that has a page.
    pages : sequence of Event
        All that have one, :func:`in_order`.

    Raises
    ------
    ValueError
        If the event has no page.
    """
    detail = event.detail
    if detail is None:
        raise ValueError(f"{event.cells['event_id']} has no page")
    own = findings.of_event(event) if detail.sample else None
    has_path = detail.sample is not None and detail.sample.implied is not None
    if own and (has_path or not own.sample.lacking):
        numbers = Use(say("use.numbers"), "abnormal_returns.csv", "../tables/abnormal_returns.csv")
        first = replace(screen_without_checks(own), uses={"chart": (numbers,)})
    else:
        first = _screen_of_price(own, event, detail)
    folds = [*list_days(own), *_model(own, event, detail)] if own else []
    return {
        "event": event,
        "words": words(),
        "first": first,
        "n_events": findings.setup.n_events,
        "name": clipped(event.name),
        "ticker": clipped(event.cells["ticker"], 60),
        "about": clipped(describe_event(event), 160),
        "windows": _windows(own, event) if own and has_path else None,
        "price": None if has_path else _price(findings, detail),
        "volume": _volume(findings.setup.main, detail.price, first) if has_path else None,
        "folds": [*folds, *_notes(own, event, detail)],
        "announcement": list(_announcement(event)),
        "neighbours": _neighbours(pages, event),
    }


def _screen_of_price(own: Findings | None, event: Event, detail: EventDetail) -> FirstScreen:
    """Return the first screen of an event without an answer: what became of its price."""
    fall, name, reason, remedy = detail.fall, short_name(event.name), event.reason, ""
    if own:
        reason = own.sample.lacking[0].reason
        remedy = split_answer(own)[1]
    facts = {"name": name, "reason": clipped(reason, 600).removesuffix(".")}
    headline, sentence = say("event_page.dropped", **facts), ""
    is_suspended = fall is not None and fall.lack == "suspended"
    if fall and is_suspended:
        code = "event_page.fell" if fall.change < 0 else "event_page.rose"
        size = words().share(abs(fall.change))
        headline = say(code, name=name, size=size, days=_idle_days(fall))
        dates = {"resumed": fall.resumed, "last": fall.last, "first": fall.first}
        sentence = f"{say('event_page.resumed', **dates)} {say('event_page.why', **facts)}"
    more = " ".join(filter(None, [sentence, remedy, *name_news(detail.news)]))
    return FirstScreen(
        title=name, as_of="", headline=headline, sentence="",
        caveat=(say("event_page.dropped_caveat", name=name), more), chart=None,
        keys=tuple(_keys_of_fall(fall, detail.price)) if fall and is_suspended else (),
        strip=None, checks=(),
    )  # fmt: skip


def _idle_days(fall: Fall) -> int:
    """Return the days of the calendar without trade between the last close and the next."""
    stopped, resumed = (dt.date.fromisoformat(end) for end in (fall.stopped, fall.resumed))
    return (resumed - stopped).days - 1


def _keys_of_fall(fall: Fall, path: PricePath | None) -> Iterator[KeyFigure]:
    """Yield what became of the price of a share that was suspended, beside its market."""
    key = "event_page.key"
    remark = say(f"{key}.change_remark", first=fall.first, last=fall.last)
    yield KeyFigure(say(f"{key}.change"), words().percent(fall.change, decimals=1), remark)
    implied = np.nan if path is None else path.implied_change(fall.first, fall.last)
    if np.isfinite(implied):
        yield KeyFigure(say("figure.implied_market"), words().percent(implied, decimals=1), remark)
    remark = say(f"{key}.idle_remark", stopped=fall.stopped, resumed=fall.resumed)
    yield KeyFigure(say(f"{key}.idle"), say(f"{key}.days", n=_idle_days(fall)), remark)


def _windows(own: Findings, event: Event) -> Table:
    """Return the effect over each tested window."""
    is_late, rows = is_day_later(own), []
    for window in own.setup.tested:
        car = event.car(window)
        remark = say("event_page.until", date=car.until) if car.until else str(car.reason)
        name = name_window(window, is_late=is_late)
        values = {"name": name, "effect": car.car, "interval": car.interval, "pvalue": car.pvalue}
        rows.append(Row(values, remark, window == own.setup.main))
    columns = (NAME, EFFECT, Column("interval", Kind.INTERVAL), PVALUE)
    return make_table("event_page.windows", columns, rows)


def _price(findings: Findings, detail: EventDetail) -> dict[str, Any] | None:
    """Return the figure of the price of an event without an answer; None without prices."""
    path = detail.price
    if path is None:
        return None
    unit = "" if path.is_index else clipped(detail.currency, 12)
    title = ", ".join(filter(None, (path.label, unit)))
    if path.is_index:
        title = say("event_page.index", base=path.base)
    return {"title": title, "picture": figures.draw_price(path, findings.setup.main, unit=unit)}


def _volume(main: Window, path: PricePath | None, first: FirstScreen) -> Any:
    """Return the figure of the shares traded, on the days of the path; None without volumes."""
    if path is None or not np.isfinite(path.volume).any():
        return None
    days = first.chart.path.days if first.chart else path.days
    return figures.draw_volume(path, main, days)


def _model(own: Findings, event: Event, detail: EventDetail) -> Iterator[Fold]:
    """Yield the scatter of the estimation days, and what was estimated from them.

    Parameters are in the unit of the page where they are returns, and as they are where they are
    slopes.
    """
    fit, estimation, setup = detail.fit, detail.estimation, own.setup
    if fit is None or estimation is None:
        return
    model, code = setup.model, "event_page.model"
    subject = words().what or say("event_page.returns")
    axis = clipped(fit.axis, 60)
    about = say(f"event_page.against_{fit.against}", kind=subject, axis=axis)
    texts = {}
    if "market" in model.factors:
        symbol = clipped(event.cells["benchmark"], 60)
        name = Symbol(symbol).index_name
        texts[say(f"{code}.index")] = symbol if name == symbol else f"{name} ({symbol})"
    span_facts = {n: getattr(estimation, n) for n in ("first", "last", "n_days", "n_window")}
    texts[say(f"{code}.days")] = say(f"{code}.span", **span_facts)
    columns = (model.parameters, estimation.params, estimation.bse)
    for name, value, se in zip(*columns, strict=True):
        is_level = name in LEVELS
        scale = words().scale if is_level else 1.0
        head = parameter_letter(name) + (f", {words().head} a day" if is_level else "")
        number = words().signed(scale * value, 3, sign=is_level)
        texts[head] = f"{number} (SE {words().signed(scale * se, 3, sign=False)})"
    sd = words().percent(event.sigma, sign=False)
    facts: dict[str, Any] = {"sd": sd, "r2": event.r2, "n": estimation.n_days}
    kurtosis = words().signed(estimation.kurtosis, sign=False)
    texts[say(f"{code}.r2")] = words().signed(event.r2, 3, sign=False)
    texts[say(f"{code}.sd")] = sd
    texts[say(f"{code}.shape")] = f"{words().signed(estimation.skewness)}, {kurtosis}"
    texts[say(f"{code}.durbin_watson")] = words().signed(estimation.durbin_watson, sign=False)
    if np.isfinite(ratio := estimation.forecast_ratio):
        texts[say(f"{code}.forecast")] = words().signed(ratio, 3, sign=False)
    finding = say(f"{code}.finding", model=capitalised(model.label), **facts)
    if tuple(model.parameters) == ("alpha", "beta") and not words().what:
        beta = event.params[model.parameters.index("beta")]
        finding = say(f"{code}.finding_beta", beta=beta, name=short_name(event.name), **facts)
    picture = Figure(figures.draw_fit(fit, setup.event.days, setup.main))
    rows = [Row({"name": head, "estimate": text}) for head, text in texts.items()]
    table = make_table(f"{code}.table", (NAME, Column("estimate", Kind.TEXT)), rows)
    implied = say(f"answer.implied_{ImpliedPath.name_source(model.factors)}", n=1)
    title = say(f"{code}.title_value" if words().what else f"{code}.title", implied=implied)
    yield Fold("estimation", title, finding, (about, picture, table))


def _notes(own: Findings | None, event: Event, detail: EventDetail) -> Iterator[Fold]:
    """Yield what else a reader should know of one event."""
    said = [] if own is None else list_caveats(own)
    texts = [] if own is None else [note for note in asides(own) if note not in said]
    if own and not own.sample.answer.n_events:
        texts += name_news(detail.news)
    for head, text in _flags(event, detail):
        sentence = f"{head}. {capitalised(text)}" if text else head
        texts.append(f"{sentence.removesuffix('.')}.")
    if texts:
        title = say("event_page.notes")
        yield Fold("flags", title, say("event_page.notes_finding", n=len(texts)), tuple(texts))


def _flags(event: Event, detail: EventDetail) -> Iterator[tuple[str, str]]:
    """Yield what a reader should know of one event, each with its head."""
    for flag in event.flags:
        text = explain_flag(flag)
        if flag == Flag.BENCHMARK_FALLBACK and detail.stand_in:
            text = str(detail.stand_in)
        if flag == Flag.MERGED and event.merged:
            text = say("event_page.merged", events=[clipped(name, 60) for name in event.merged])
        if flag == Flag.PRICE_LIMIT and detail.sample and detail.sample.extended:
            text = f"{text}: {detail.sample.extended[0].reason}"
        if flag == Flag.HALT_SHIFTED and detail.halt_drift:
            text = f"{text}; {detail.halt_drift}"
        yield write_flag(flag).capitalize(), text
    if detail.remark:
        yield _label("estimation"), clipped(detail.remark, 300)
    if n := detail.n_same_session:
        names = _some([clipped(name, 60) for name in detail.same_session], n)
        yield _label("same_session"), say("event_page.same_session", n=n, names=names)
    if n := detail.n_other_dates:
        dates = _some([words().date(date) for date in detail.other_dates], n)
        code = "event_page.other_dates" if n > 1 else "event_page.other_dates_once"
        yield _label("other_dates"), say(code, n=n, dates=dates)
    for fault in detail.faults:
        facts = {"detail": clipped(fault.detail, 200), "action": fault.action}
        head = f"{write_flag(fault.kind).capitalize()}, {fault.date}"
        yield head, say("event_page.issue", **facts)


def _some(texts: list[str], n: int) -> list[str]:
    """Return the texts, and how many of `n` are not among them."""
    return [*texts, say("event_page.more", n=n - len(texts))] if n > len(texts) else texts


def _announcement(event: Event) -> Iterator[tuple[str, str, str]]:
    """Yield label, text and address ("" if it is no link) of each column of the event list."""
    yield _label("day0"), words().iso(event.day0 or "NaT"), ""
    for column, value in event.cells.items():
        if column not in ELSEWHERE and cell_text(value):
            yield _label(column), clipped(value, LONGEST), safe_url(value)


def _neighbours(pages: Sequence[Event], event: Event) -> list[tuple[str, str, str, str]]:
    """Return relation, address, name and day of the pages next to that of an event."""
    at = [listed.page for listed in pages].index(event.page)
    links = {"prev": pages[max(at - 1, 0) : at], "next": pages[at + 1 : at + 2]}
    found = []
    for relation, events in links.items():
        for event in events:
            address = event.page.rpartition("/")[2]
            found.append((relation, address, clipped(event.name, 40), words().date(event.day0)))
    return found


def _label(column: str) -> str:
    """Return what a column of the event list is called on its page."""
    code = f"event_page.label.{column}"
    return say(code) if has(code) else capitalised(write_flag(column))
