"""The page of one event: answer, figures with their values, flags, announcement, neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...analysis.answer import NO_RESULT
from ...findings.event_series import INDEX, PricePath
from ...findings.types import Event, EventCar, EventDetail, Findings
from ...utility.catalogue import has, say
from ...utility.flags import Flag
from ...utility.numbers import (
    LEVEL,
    capitalised,
    cell_text,
    clipped,
    date_iso,
    date_prose,
    day,
    p_is,
    parameter_letter,
    percent,
)  # fmt: skip
from ...utility.units import words
from ..figures import event_figures as figures
from .answer import Sentence, answer, has_exact_law, name_news
from .caveats import asides
from .events import describe_event, explain_flag, safe_url, write_flag
from .windows import find_role

# Columns that the page shows elsewhere.
ELSEWHERE = ("status", "benchmark")
LONGEST = 6000
# Parameters in the unit of the returns; the others are slopes.
LEVELS = ("alpha", "mu")


def render_context(findings: Findings, event: Event, pages: Sequence[Event]) -> dict[str, Any]:
    """Return what ``event.html.j2`` shows of an event.

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
    car = event.car(findings.setup.main) if event.is_used else None
    name, windows = clipped(event.name), _windows(findings, event, detail) if car else None
    title = dict.fromkeys(filter(None, (name, clipped(describe_event(event), 160))))
    return {
        "event": event,
        "main": findings.setup.main,
        "words": words(),
        "title": ": ".join(title),
        "name": name,
        "ticker": clipped(event.cells["ticker"], 60),
        "answer": _answer(findings, detail),
        "asides": _asides(findings, detail),
        "keys": list(_keys(findings, event, detail, car)) if car else [],
        "price": _price(findings, detail, car),
        "abnormal": _abnormal(findings, detail, car) if car else None,
        "windows": windows,
        "fit": _estimation(findings, event, detail) if car else None,
        "flags": list(_flags(event, detail)),
        "announcement": list(_announcement(event)),
        "neighbours": _neighbours(pages, event),
        "ticks": windows["axis"].ticks if windows else (),
    }


def _answer(findings: Findings, detail: EventDetail) -> Sentence | None:
    """Return the answer of a study of this event alone; None for a dropped event."""
    sample = detail.sample
    if sample is None or sample.answer.verdict != NO_RESULT:
        return answer(findings, sample) if sample else None
    reason = sample.lacking[0].reason
    facts = {"window": findings.setup.main, "reason": reason, "remedy": reason.remedy}
    text = say("event_page.no_result_why", **facts).strip()
    return Sentence(((say("event_page.no_result"), True), (f" {text}", False)))


def _asides(findings: Findings, detail: EventDetail) -> list[str]:
    """Return what must be said with the answer, other news included."""
    if detail.sample is None:
        return name_news(detail.news)
    news = [] if detail.sample.answer.n_events else name_news(detail.news)
    return [*asides(findings, detail.sample), *news]


def _keys(
    findings: Findings, event: Event, detail: EventDetail, car: EventCar
) -> Iterator[tuple[str, str, str]]:
    """Yield label, value and remark of each key figure."""
    setup, estimation, days = findings.setup, detail.estimation, detail.days
    if np.isfinite(car.car):
        code = "car_until" if car.until else "car"
        label = _key(code, window=setup.main, until=_until(car))
        yield label, percent(car.car), _key("car_remark", ends=car.interval)
    if 0 in setup.event and days and np.isfinite(days.ar[-setup.event.start]):
        ar, ret, model = (v[-setup.event.start] for v in (days.ar, days.ret, days.expected))
        code = "day0_remark_value" if words().what else "day0_remark"
        yield _key("day0", date=event.day0), percent(ar), _key(code, ret=ret, model=model)
    if np.isfinite(car.pvalue) and estimation:
        facts = {"df": int(estimation.df_resid), "t": car.statistic}
        yield _key("t"), p_is(car.pvalue), _key("t_remark", **facts)
    if setup.main in setup.tested:
        at = setup.tested.index(setup.main)
        if np.isfinite(p := detail.sq[at]):
            remark = str(detail.sq_reasons[at]) or _key("sq_remark", n=len(setup.main))
            yield _key("sq"), p_is(p), remark
    label, sd = capitalised(setup.model.label), percent(event.sigma, sign=False)
    if "beta" in setup.model.parameters:
        beta = event.params[setup.model.parameters.index("beta")]
        yield label, _key("beta", beta=beta), _key("beta_remark", r2=event.r2, sd=sd)
    else:
        yield label, sd, _key("sd_remark")


def _key(code: str, **facts: Any) -> str:
    return say(f"event_page.key.{code}", **facts)


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
        dates = _some([date_prose(date) for date in detail.other_dates], n)
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
    yield _label("day0"), date_iso(event.day0 or "NaT"), ""
    for column, value in event.cells.items():
        if column not in ELSEWHERE and cell_text(value):
            yield _label(column), clipped(value, LONGEST), safe_url(value)


def _neighbours(pages: Sequence[Event], event: Event) -> list[tuple[str, str, str, str]]:
    """Return relation, address, name and day of the pages next to that of an event."""
    at = [listed.page for listed in pages].index(event.page)
    links = {"prev": pages[max(at - 1, 0) : at], "next": pages[at + 1 : at + 2]}
    return [
        (rel, next_to.page.rpartition("/")[2], clipped(next_to.name, 40), date_prose(next_to.day0))
        for rel, events in links.items()
        for next_to in events
    ]


def _price(findings: Findings, detail: EventDetail, car: EventCar | None) -> dict[str, Any] | None:
    """Return the figures of price and volume, and their values; None without prices.

    Parameters
    ----------
    findings : Findings
    detail : EventDetail
    car : EventCar, optional
        Over the main window; None for a dropped event.
    """
    path, main = detail.price, findings.setup.main
    if path is None:
        return None
    if path.label == INDEX:
        title, unit = say("event_page.index", base=path.base), ""
    else:
        unit = clipped(detail.currency, 12)
        title = ", ".join(filter(None, (path.label, unit)))
    columns = (path.days, path.dates, path.actual, path.expected, path.low, path.high)
    return {
        "figure": figures.draw_price(path, main, name=_price_name(car), unit=unit),
        "title": title,
        "base": path.base,
        "is_modelled": bool(np.isfinite(path.expected).any()),
        "volume": figures.draw_volume(path, main) if np.isfinite(path.volume).any() else "",
        "note": " ".join(filter(None, _price_notes(findings, path, car))),
        "rows": list(zip(*(c.tolist() for c in (*columns, path.volume)), strict=True)),
    }


def _price_name(car: EventCar | None) -> str:
    """Return what stands above the window: its CAR, and until when that runs; "" without one."""
    if car is None or not np.isfinite(car.car):
        return ""
    end = _until(car) if car.until_day is None else f"day {day(car.until_day)}"
    code = "event_page.price_name_until" if car.until else "event_page.price_name"
    return say(code, window=car.window, until=end, car=car.car)


def _price_notes(findings: Findings, path: PricePath, car: EventCar | None) -> Iterator[str]:
    """Yield where the share and the model stood at the ends of the window and of the CAR."""
    yield _stood(path, findings.setup.main.stop)
    if car and car.until:
        yield say("event_page.stood_then", until=_until(car))
        yield "" if car.until_day is None else _stood(path, car.until_day)


def _stood(path: PricePath, tau: int) -> str:
    """Return close and expected close of a day; "" for a day that has not both."""
    at = path.at(tau)
    if not (0 <= at < len(path.days) and np.isfinite(path.actual[at] + path.expected[at])):
        return ""
    facts = {"actual": path.actual[at], "expected": path.expected[at]}
    return say("event_page.stood", day=tau, **facts)


def _abnormal(findings: Findings, detail: EventDetail, car: EventCar) -> dict[str, Any] | None:
    """Return the figure of the AR of each day and the CAR up to it, and their values."""
    days, main = detail.days, findings.setup.main
    if days is None:
        return None
    columns = (days.days, days.dates, days.ret, days.expected, days.ar, days.car, days.car_half)
    note = say("event_page.path_and_car", window=main, until=_until(car)) if car.until else ""
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {"figure": figures.draw_abnormal_returns(days, main), "note": note, "rows": list(rows)}


def _windows(findings: Findings, event: Event, detail: EventDetail) -> dict[str, Any]:
    """Return the CAR over each tested window, its role and p of SQ, and the axis of all."""
    setup = findings.setup
    cars = [event.car(window) for window in setup.tested]
    axis = figures.CarAxis.of(cars)
    return {
        "axis": axis,
        "df": int(detail.estimation.df_resid) if detail.estimation else 0,
        "law": say(f"event_page.law_{'exact' if has_exact_law(setup.model) else 'rough'}"),
        "rows": [
            {
                "car": car, "sq": sq, "until": _until(car),
                "role": find_role(car.window, setup.main),
                "mark": axis.mark(car.car, *car.interval, is_filled=car.pvalue < LEVEL),
            }
            for car, sq in zip(cars, detail.sq, strict=True)
        ],
    }  # fmt: skip


def _estimation(findings: Findings, event: Event, detail: EventDetail) -> dict[str, Any] | None:
    """Return the scatter of the estimation days, and what was estimated from them.

    Parameters are in the unit of the page where they are returns, and as they are where they are
    slopes.
    """
    fit, estimation, setup = detail.fit, detail.estimation, findings.setup
    if fit is None or estimation is None:
        return None
    subject, axis = words().what or say("event_page.returns"), clipped(fit.axis, 60)
    days, model = setup.event.days, setup.model
    scales = [words().scale if name in LEVELS else 1.0 for name in model.parameters]
    columns = (model.parameters, scales, estimation.params, estimation.bse)
    inside = (days >= setup.main.start) & (days <= setup.main.stop)
    return {
        "figure": figures.draw_fit(fit, days, setup.main),
        "against": say(f"event_page.against_{figures.name_axis(fit)}", kind=subject, axis=axis),
        "is_marked": bool(fit.is_marked[inside].any()),
        "benchmark": clipped(event.cells["benchmark"], 60) if "market" in model.factors else "",
        "parameters": [
            (parameter_letter(name), scale * value, scale * se, name in LEVELS)
            for name, scale, value, se in zip(*columns, strict=True)
        ],
        "estimation": estimation,
    }


def _until(car: EventCar) -> str:
    """Return the last session of a CAR that runs on beyond its window; "" if it does not."""
    if not car.until:
        return ""
    code = "event_page.until" if car.until_day is None else "event_page.until_day"
    return say(code, date=car.until, day=car.until_day)


def _label(column: str) -> str:
    """Return what a column of the event list is called on its page."""
    code = f"event_page.label.{column}"
    return say(code) if has(code) else capitalised(write_flag(column))
