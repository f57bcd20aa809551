"""What the page of one event shows beyond its row: days, price, fit, neighbours, data issues."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ..calendars.exchanges import BY_CODE
from ..returns.benchmarks import FALLBACK, NAMED, Coverage, Need
from ..utility.catalogue import Reason
from ..utility.flags import flags_of
from ..utility.typing import FloatArray, IntArray
from .event_days import days_of
from .events import Estimation, EventDetail, Fault, firm_name
from .fit_points import fit_of
from .price_path import Quoted, price_path, quotes_of
from .sampling import news_in, of_one_event

if TYPE_CHECKING:
    from ..fitting.config import StudyConfig
    from ..fitting.fitted import FittedStudy

FOLDER = "events"
SLUG = 60
MOST_FAULTS, MOST_NAMES, MOST_DATES = 5, 3, 6


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
    quotes = _quotes(study)
    priced = (
        i for i in order.tolist() if ok[i] or price_path(study, i, config.main, quotes) is not None
    )
    ids = study.events["event_id"].astype(str)
    shown = sorted(islice(priced, config.event_pages))
    return {i: page_name(ids.iloc[i], i) for i in shown}


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


def _quotes(study: FittedStudy) -> Mapping[str, Quoted]:
    if "quotes" not in study.memo:
        study.memo["quotes"] = quotes_of(study.panel)
    return study.memo["quotes"]  # type: ignore[no-any-return]


def detail_of(
    study: FittedStudy, i: int, config: StudyConfig, among: tuple[FittedStudy, int] | None = None
) -> EventDetail:
    """Return the content of the page of one event; without estimates if it was dropped.

    Parameters
    ----------
    study : FittedStudy
    i : int
        Row of the event.
    config : StudyConfig
    among : (FittedStudy, int), optional
        The study with all events that it is compared with, and its row there; by default `study`.

    Returns
    -------
    EventDetail
    """
    used = bool(study.ok[i])
    single = study.subset(np.array([i])) if used else None
    tests = [single.test("sq", w) for w in config.tested] if single else []
    everyone, row = among or (study, i)
    neighbours = _same_session(everyone, row)
    dates = _other_dates(everyone, row)
    entry = study.panel.provenance.get(str(study.events["ticker"].iloc[i]), {})
    return EventDetail(
        sample=of_one_event(single, config) if single else None,
        days=days_of(study, i) if used else None,
        price=price_path(study, i, config.main, _quotes(study)),
        fit=fit_of(study, i) if used else None,
        estimation=_estimation(single) if single else None,
        sq=tuple(test.pvalue for test in tests),
        sq_reasons=tuple(Reason.of(test.reason) for test in tests),
        remark=str(study.abnormal.remark[i]),
        stand_in=_stand_in(study, i),
        same_session=tuple(
            firm_name(everyone.events.iloc[k]) for k in neighbours[:MOST_NAMES].tolist()
        ),
        n_same_session=len(neighbours),
        other_dates=dates[:MOST_DATES],
        n_other_dates=len(dates),
        faults=_faults(study, i),
        news=news_in(study.records[i]),
        currency=str(entry.get("currency") or ""),
    )


def _estimation(one: FittedStudy) -> Estimation:
    a = one.abnormal
    resid = a.resid[0]
    at = np.flatnonzero(np.isfinite(resid))
    dates = a.windows.sessions[a.windows.positions[0, : len(resid)][at]]
    e = resid[at]
    z = (e - e.mean()) / e.std()
    steps = np.diff(e)[np.diff(at) == 1]
    ahead = a.var_ar[0, -a.event.start] / a.sigma2[0] if 0 in a.event else np.nan
    return Estimation(
        first=str(dates[0]),
        last=str(dates[-1]),
        n_days=len(at),
        n_window=len(resid),
        params=tuple(a.params[0].tolist()),
        bse=tuple(np.sqrt(np.diag(a.cov_params[0])).tolist()),
        skewness=float((z**3).mean()),
        kurtosis=float((z**4).mean()),
        durbin_watson=_ratio(steps, e),
        forecast_ratio=float(ahead),
        df_resid=float(a.df_resid[0]),
    )


def _ratio(steps: FloatArray, e: FloatArray) -> float:
    return float((steps**2).sum() / (e**2).sum())


def _stand_in(study: FittedStudy, i: int) -> Reason:
    """Return which index is used, and what the one in whose place it is lacks."""
    cells, panel, windows = study.records[i], study.panel, study.abnormal.windows
    if FALLBACK not in flags_of(cells["flags"]):
        return Reason.of("")
    exchange = BY_CODE.get(cells["exchange"])
    first = str(cells.get(NAMED) or (exchange.benchmark if exchange else ""))
    at = np.split(windows.positions[i], [len(windows.estimation)])
    need = Need(
        panel.calendar_of(cells["exchange"]), *(positions[positions >= 0] for positions in at)
    )
    cover = Coverage(panel)
    why = cover.why(first, cover.kind(first, need), [need])
    return Reason("stand_in", index=cells["benchmark"], first=first, why=why)


def _same_session(study: FittedStudy, i: int) -> IntArray:
    """Return the other used events of the day 0 of event i."""
    days = study.events["day0"].to_numpy()
    is_other = np.arange(len(days)) != i
    rows: IntArray = np.flatnonzero((days == days[i]) & study.ok & is_other)
    return rows


def _other_dates(study: FittedStudy, i: int) -> tuple[str, ...]:
    """Return day 0 of the other events of the listing of event i."""
    days, tickers = (study.events[name].to_numpy() for name in ("day0", "ticker"))
    rows = np.flatnonzero(tickers == tickers[i])
    return tuple(str(np.datetime64(days[k], "D")) for k in rows[rows != i])


def _faults(study: FittedStudy, i: int) -> tuple[Fault, ...]:
    """Return the issues of the firm's prices within the windows of event i."""
    windows = study.abnormal.windows
    inside = windows.positions[i][windows.positions[i] >= 0]
    if not inside.size:
        return ()
    first, last = windows.sessions[inside.min()], windows.sessions[inside.max()]
    near = study.panel.faults_near(str(study.events["ticker"].iloc[i]), first, last)
    return tuple(Fault(f.kind, f.date, f.detail, f.action) for f in near[:MOST_FAULTS])
