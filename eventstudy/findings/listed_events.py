"""The listed events: their numbers, and what the page of each shows beyond its row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from ..analysis import Fall
from ..calendars import Exchange, Window
from ..files import OUTCOME
from ..fitting import FittedStudy, merged_into
from ..returns import Benchmarks, Coverage
from ..settings import StudyConfig
from ..utility import AnyArray, Flag, step
from ..words import Reason
from .event_series import Estimation, Fault, fit_of, price_path
from .sampling import explain_lacking_cars, find_last_session, news_in, of_one_event
from .types import Event, EventCar, EventDetail

FOLDER = "events"
SLUG = 60
MOST_FAULTS, MOST_NAMES, MOST_DATES = 5, 3, 6


def list_events(study: FittedStudy, config: StudyConfig) -> Iterator[Event]:
    """Yield the listed events in the order of the file.

    Parameters
    ----------
    study : FittedStudy
    config : StudyConfig

    Yields
    ------
    Event
    """
    listed_study = study.listed(config.main)
    rows = study.listed_rows(config.main)
    a, used = listed_study.abnormal, listed_study.ok.tolist()
    windows = tuple(dict.fromkeys((config.main, *config.tested)))
    cars = list(zip(*(_cars(listed_study, w) for w in windows), strict=True))
    pages = pages_of(listed_study, config)
    ids = study.events["event_id"].tolist()
    merged = merged_into(study.events["reason"])
    for i, event in enumerate(listed_study.records):
        if i in pages:
            step("event pages", list(pages).index(i), len(pages))
        yield Event(
            cells={k: _cell(v) for k, v in event.items() if k not in {*OUTCOME, "exchange"}},
            is_used=used[i],
            day0=_cell(event["day0"]),
            reason=Reason.of(event["reason"]),
            flags=tuple(Flag.of(event["flags"])),
            params=tuple(a.params[i].tolist()) if used[i] else (),
            r2=float(a.r2[i]),
            sigma=float(np.sqrt(a.sigma2[i])),
            nobs=int(a.nobs[i]),
            cars=cars[i] if used[i] else (),
            page=pages.get(i, ""),
            detail=detail_of(listed_study, i, config, study, int(rows[i])) if i in pages else None,
            merged=tuple(str(ids[k]) for k in merged.get(str(event["event_id"]), ())),
        )


def _cell(value: Any) -> Any:
    """Return a cell of the events file as text; "" for what is missing."""
    if value is None or value != value:
        return ""
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)


def _cars(study: FittedStudy, window: Window) -> Iterator[EventCar]:
    """Return the CAR of each event over a window, shape (n,)."""
    a = study.abnormal
    missing = dict(explain_lacking_cars(study, window))
    ends = a.sessions_of(window)[1]
    is_extended = a.extended(window) & study.ok
    k = a.recent_variance(window)
    tests = (a.car_t(window) / np.sqrt(k), a.car_pvalues(window, k), a.bhar(window))
    columns = (a.car(window), np.sqrt(a.var_car(window)), a.car_half_widths(window, k), *tests)
    names = ("car", "se", "half", "statistic", "pvalue", "bhar")
    for i, row in enumerate(np.stack(columns, axis=1).tolist()):
        numbers = dict(zip(names, row, strict=True))
        until, day = find_last_session(a, i, ends[i]) if is_extended[i] else ("", None)
        reason = missing.get(i, Reason.NONE)
        yield EventCar(window, **numbers, reason=reason, until=until, until_day=day)


def pages_of(study: FittedStudy, config: StudyConfig) -> dict[int, str]:
    """Return the addresses of the pages of events by their place among the listed ones.

    Pages are for the events that moved most, at most ``config.event_pages``; of the dropped events
    only those with prices have one. Names are ``events/0001-slug.html``: the row of the event in
    ``events.csv`` of the run, and what is left of its id in a-z and 0-9.

    Parameters
    ----------
    study : FittedStudy
        The listed events.
    config : StudyConfig
    """
    if not config.event_pages:
        return {}
    car, ok = study.abnormal.car(config.main), study.ok
    order = np.argsort(np.where(np.isfinite(car), -np.abs(car), np.inf), kind="stable")
    priced = (i for i in order.tolist() if ok[i] or price_path(study, i, config.main) is not None)
    ids = study.events["event_id"].astype(str)
    return {i: page_name(ids.iloc[i], i) for i in sorted(islice(priced, config.event_pages))}


def page_name(event_id: str, row: int) -> str:
    """Return the address of the page of an event: its row makes it unique, its id readable.

    Parameters
    ----------
    event_id : str
    row : int
        Row of the event in the run, from 0.

    Returns
    -------
    str
        Such as ``events/0001-nvda.html``.
    """
    ascii_id = unicodedata.normalize("NFKD", event_id[:500]).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_id.lower()).strip("-")[:SLUG].strip("-")
    return f"{FOLDER}/{row + 1:04d}-{slug or 'event'}.html"


def detail_of(
    study: FittedStudy, i: int, config: StudyConfig, everyone: FittedStudy, row: int
) -> EventDetail:
    """Return the content of the page of one event; without estimates if it was dropped.

    Parameters
    ----------
    study : FittedStudy
    i : int
        Row of the event.
    config : StudyConfig
    everyone : FittedStudy
        The study with all events that it is compared with.
    row : int
        Its row there.

    Returns
    -------
    EventDetail
    """
    used = bool(study.ok[i])
    has_car = used and np.isfinite(study.abnormal.car(config.main)[i])
    fall = None if has_car else Fall.of(study, i, config.main)
    until = fall.last if fall and fall.lack == "suspended" else ""
    neighbours = _same_session(everyone, row)
    dates = _other_dates(everyone, row)
    entry = study.panel.provenance.get(str(study.records[i]["ticker"]), {})
    return EventDetail(
        sample=of_one_event(study, i, config) if used else None,
        price=price_path(study, i, config.main, until),
        fit=fit_of(study, i) if used else None,
        estimation=_estimation(study, i) if used else None,
        remark=str(study.abnormal.remark[i]),
        stand_in=_stand_in(study, i),
        same_session=tuple(Event.firm_of(everyone.records[k]) for k in neighbours[:MOST_NAMES]),
        n_same_session=len(neighbours),
        other_dates=dates[:MOST_DATES],
        n_other_dates=len(dates),
        faults=_faults(study, i),
        news=news_in(study.records[i]),
        currency=str(entry.get("currency") or ""),
        halt_drift=_halt_drift(study, i) if used else Reason.NONE,
        fall=fall,
    )


def _estimation(study: FittedStudy, i: int) -> Estimation:
    """Return what was estimated for one event."""
    a = study.abnormal
    resid = a.resid[i]
    at = np.flatnonzero(np.isfinite(resid))
    dates = a.windows.sessions[a.windows.positions[i, : len(resid)][at]]
    e = resid[at]
    z = (e - e.mean()) / e.std()
    steps = np.diff(e)[np.diff(at) == 1]
    ahead = a.var_ar[i, -a.event.start] / a.sigma2[i] if 0 in a.event else np.nan
    return Estimation(
        first=str(dates[0]),
        last=str(dates[-1]),
        n_days=len(at),
        n_window=len(resid),
        params=tuple(a.params[i].tolist()),
        bse=tuple(np.sqrt(np.diag(a.cov_params[i])).tolist()),
        skewness=float((z**3).mean()),
        kurtosis=float((z**4).mean()),
        durbin_watson=float((steps**2).sum() / (e**2).sum()),
        forecast_ratio=float(ahead),
        df_resid=float(a.df_resid[i]),
    )


def _stand_in(study: FittedStudy, i: int) -> Reason:
    """Return which index is used, and what the one in whose place it is lacks."""
    cells, panel, windows = study.records[i], study.panel, study.abnormal.windows
    if Flag.BENCHMARK_FALLBACK not in Flag.of(cells["flags"]):
        return Reason.of("")
    exchange = Exchange.of_code(cells["exchange"])
    first = str(cells.get(Benchmarks.NAMED) or (exchange.benchmark if exchange else ""))
    at = np.split(windows.positions[i], [len(windows.estimation)])
    inside = (positions[positions >= 0] for positions in at)
    why = Coverage(panel).explain(first, panel.calendar_of(cells["exchange"]), *inside)
    return Reason("stand_in", index=cells["benchmark"], first=first, why=why)


def _halt_drift(study: FittedStudy, i: int) -> Reason:
    """Return how many sessions of alpha the expected return over a halt leaves out."""
    a = study.abnormal
    if "alpha" not in a.parameters:
        return Reason.NONE
    intercept = a.x_event[i, :, a.parameters.index("alpha")]
    halted = (a.length[i] > a.spans[i]) & (a.length[i] > intercept)
    n = int((a.length[i] - intercept)[halted].sum())
    # With zero_alpha the normal return has no alpha that could be left out.
    if not n or (intercept[halted] != a.windows.halt_drift).any():
        return Reason.NONE
    alpha = float(a.params[i, a.parameters.index("alpha")])
    return Reason("halt_drift", n=n, counted=a.windows.halt_drift, value=n * alpha)


def _same_session(study: FittedStudy, i: int) -> list[int]:
    """Return the other used events of the day 0 of event i."""
    days, _ = _days_and_tickers(study)
    return [k for k in np.flatnonzero((days == days[i]) & study.ok).tolist() if k != i]


def _other_dates(study: FittedStudy, i: int) -> tuple[str, ...]:
    """Return day 0 of the other events of the listing of event i."""
    days, tickers = _days_and_tickers(study)
    rows = np.flatnonzero((tickers == tickers[i]) & (days != days[i]))
    return tuple(str(np.datetime64(days[k], "D")) for k in rows)


def _days_and_tickers(study: FittedStudy) -> list[AnyArray]:
    """Return day 0 and ticker of each event, (n,) each, converted once for all pages."""
    names = ("day0", "ticker")
    columns = [study.events[name] for name in names]
    return study.remember("days and tickers", lambda: [cells.to_numpy() for cells in columns])


def _faults(study: FittedStudy, i: int) -> tuple[Fault, ...]:
    """Return the issues of the firm's prices within the windows of event i."""
    windows = study.abnormal.windows
    inside = windows.positions[i][windows.positions[i] >= 0]
    if not inside.size:
        return ()
    first = windows.sessions[inside.min()]
    last = windows.sessions[inside.max()]
    near = study.panel.faults_near(str(study.records[i]["ticker"]), first, last)
    return tuple(Fault(f.kind, f.date, f.detail, f.action) for f in near[:MOST_FAULTS])
