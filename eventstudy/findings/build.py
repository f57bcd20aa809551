"""Build the findings of a fitted study: everything that a report shows, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..abnormal.subsamples import EXTENDING
from ..analysis.answer import NO_RESULT, answer_of
from ..calendars.window import Window
from ..fitting.fitted import group_column, is_large, listed, listed_rows
from ..models.market import CensoredMarket
from ..utility.catalogue import NO_REASON, Reason
from ..utility.csv_text import OUTCOME
from ..utility.flags import flags_of
from ..utility.progress import step
from .car_remarks import lacking_reasons, last_session
from .event_days import cars_since
from .event_detail import detail_of, pages_of
from .events import Event, EventCar
from .notes import notes_of
from .sampling import sample_of
from .tables import SHOWN_ELSEWHERE, faults_in_windows, study_tables
from .types import SCHEMA, Findings, ModelFacts, Setup

if TYPE_CHECKING:
    import pandas as pd

    from ..fitting.config import StudyConfig
    from ..fitting.fitted import FittedStudy


def findings_of(
    study: FittedStudy,
    config: StudyConfig,
    *,
    name: str = "study",
    provenance: Mapping[str, Any] | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> Findings:
    """Return the findings of a fitted study; equal inputs give equal findings.

    Parameters
    ----------
    study : FittedStudy
    config : StudyConfig
        Decides windows, tests, groups, and the pages of single events.
    name : str
        Name of the run.
    provenance : mapping, optional
        ``events_source``, ``events_sha256``, ``versions`` (by package), ``command``, ``prices`` (by
        symbol: source, detail, first, last, rows).
    tables : mapping of str to DataFrame, optional
        :func:`~eventstudy.findings.tables.study_tables` of the study, if they are there already.
    """
    tables = study_tables(study, config) if tables is None else tables
    column = group_column(study, config.by)
    groups = study.groups(column) if column else {}
    first = _leading(groups, config.main)
    ordered = sorted(groups, key=lambda group: group != first)
    studies = [*((group, groups[group]) for group in ordered), ("", study)]
    return Findings(
        schema=SCHEMA,
        name=name,
        setup=_setup(study, config, column),
        samples=tuple(sample_of(group_study, config, group) for group, group_study in studies),
        events=tuple(_events(study, config)),
        dropped=_dropped(study),
        notes=notes_of(study),
        tables={n: table for n, table in tables.items() if n not in SHOWN_ELSEWHERE},
        provenance={k: v for k, v in (provenance or {}).items() if k != "notices"},
    )


def _leading(groups: Mapping[str, FittedStudy], window: Window) -> str:
    """Return the group that the answer is about: the first that has a verdict, else the first."""
    decided = (name for name in groups if answer_of(groups[name], window).verdict != NO_RESULT)
    return next(decided, next(iter(groups), ""))


def _setup(study: FittedStudy, config: StudyConfig, column: str) -> Setup:
    a, used, sizes = study.abnormal, study.events[study.ok], study.sizes
    days = used["day0"]
    reasons = Counter(w.code for w in study.events["reason"] if isinstance(w, Reason))
    extending = a.conventions.limits in EXTENDING and config.tested
    reached = np.any([a.extended(w) for w in config.tested], axis=0).sum() if extending else 0
    return Setup(
        settings=config.to_dict() | {"model": config.normal_model},
        measure=study.panel.measure,
        kind=a.windows.kind,
        engine=study.engine,
        model=_model(study),
        main=config.main,
        estimation=a.windows.estimation,
        event=a.windows.event,
        tested=tuple(config.tested),
        conventions=asdict(a.conventions),
        group_column=column,
        n_events=len(study.events),
        n_used=len(study),
        n_firms=int(used["ticker"].nunique()),
        is_sampled=is_large(study),
        first=f"{days.min():%Y-%m-%d}" if len(days) else "",
        last=f"{days.max():%Y-%m-%d}" if len(days) else "",
        benchmarks=_distinct(used, "benchmark"),
        directions=tuple(sorted(set(_distinct(used, "direction")) - {""})),
        estimation_days=(int(used["nobs"].min()), int(used["nobs"].max())) if len(used) else (),
        has_repeats=bool(used["ticker"].duplicated().any()),
        overlapped=reasons["overlapped"],
        confounded=reasons["confounded"],
        extended=int(reached),
        issues=_issues(study),
        currency="" if sizes is None else sizes.currency,
        sizes_source="" if sizes is None else sizes.origin.source,
    )


def _issues(study: FittedStudy) -> dict[str, int]:
    """Return the number of price-data issues in the windows of used events by kind."""
    if len(study) == 0:
        return {}
    faults = faults_in_windows(study.subset(study.ok))
    return dict(Counter(fault.kind for fault in faults).most_common())


def _distinct(events: pd.DataFrame, column: str) -> tuple[str, ...]:
    """Return the distinct cells of a column, in the order of the events; none without it."""
    if column not in events:
        return ()
    return tuple(dict.fromkeys(str(cell).strip() for cell in events[column]))


def _model(study: FittedStudy) -> ModelFacts:
    model, a = study.model, study.abnormal
    return ModelFacts(
        name=model.name,
        label=model.label,
        formula=model.formula,
        source=model.source,
        factors=tuple(factor.name for factor in model.factors),
        parameters=tuple(model.parameters),
        least_squares=model.least_squares,
        exact=model.exact,
        forecasts_variance=model.forecasts_variance,
        is_censored=isinstance(model, CensoredMarket),
        cov_type=model.cov_type,
        freedom_lost=tuple(int(k) for k in np.unique((a.nobs - a.df_resid)[study.ok])),
    )


def _dropped(study: FittedStudy) -> tuple[tuple[Reason, int], ...]:
    """Return the kinds of reasons, each by an event that has it, and how many events have it."""
    first: dict[str, Reason] = {}
    counts: Counter[str] = Counter()
    for cell in study.events.loc[~study.ok, "reason"]:
        reason = Reason.of(cell)
        first.setdefault(reason.head, reason)
        counts[reason.head] += 1
    return tuple((first[head], n) for head, n in counts.most_common())


def _events(study: FittedStudy, config: StudyConfig) -> Iterator[Event]:
    """Yield the listed events in the order of the file."""
    listed_study, rows = listed(study, config.main), listed_rows(study, config.main)
    # A row of one block of objects is taken many times faster than one of a column for each type.
    listed_study = replace(listed_study, events=listed_study.events.astype(object))
    a, used = listed_study.abnormal, listed_study.ok.tolist()
    windows = tuple(dict.fromkeys((config.main, *config.tested)))
    cars = list(zip(*(_cars(listed_study, w) for w in windows), strict=True))
    paths = cars_since(a, a.event.start)[0]
    pages = pages_of(listed_study, config)
    for i, event in enumerate(listed_study.records):
        if i in pages:
            step("event pages", list(pages).index(i), len(pages))
        yield Event(
            cells={k: _cell(v) for k, v in event.items() if k not in {*OUTCOME, "exchange"}},
            is_used=used[i],
            day0="" if event["day0"] != event["day0"] else f"{event['day0']:%Y-%m-%d}",
            reason=Reason.of(event["reason"]),
            flags=tuple(flags_of(event["flags"])),
            params=tuple(a.params[i].tolist()) if used[i] else (),
            r2=float(a.r2[i]),
            sigma=float(np.sqrt(a.sigma2[i])),
            nobs=int(a.nobs[i]),
            cars=cars[i] if used[i] else (),
            path=paths[i] if used[i] else paths[i][:0],
            page=pages.get(i, ""),
            detail=detail_of(listed_study, i, config, (study, int(rows[i])))
            if i in pages
            else None,
        )


def _cell(value: Any) -> Any:
    """Return a cell of the events file as text; "" for what is missing."""
    if value is None or value != value:
        return ""
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)


def _cars(study: FittedStudy, window: Window) -> Sequence[EventCar]:
    """Return the CAR of each event over a window, shape (n,)."""
    a = study.abnormal
    missing = dict(lacking_reasons(study, window))
    lengthened = a.extended(window)
    half, var, t = a.car_half_widths(window), a.var_car(window), a.car_t(window)
    car, bhar, ends = a.car(window), a.bhar(window), a.sessions_of(window)[1]
    p = a.car_pvalues(window)
    out = []
    for i in range(len(study.events)):
        until, day = last_session(a, i, ends[i]) if lengthened[i] and study.ok[i] else ("", None)
        out.append(
            EventCar(
                window=window,
                car=float(car[i]),
                se=float(np.sqrt(var[i])),
                half=float(half[i]),
                statistic=float(t[i]),
                pvalue=float(p[i]),
                bhar=float(bhar[i]),
                reason=missing.get(i, NO_REASON),
                until=until,
                until_day=day,
            )
        )
    return out
