"""Other news that a study finds: of donors, and actions, further events and jumps of a firm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..calendars import Window
from ..returns import Quotation, Rates
from ..settings import StudyConfig
from ..utility import Flag, FloatArray, IntArray, ObjectArray
from ..windows import EMPTY, EventWindows
from ..words import say
from .fitted import FittedStudy
from .layout import Layout
from .press import CONFOUNDER, EVERY_FIRM, NEWS_COLUMN, NO_NEWS, Confounder


def without_announcing_donors(layout: Layout, windows: EventWindows, firms: ObjectArray) -> Layout:
    """Return the layout without donors that have news of their own in the windows of an event.

    A donor leaves the pool of an event if a session of the event window of one of its own
    announcements is in the estimation or the event window of this event. In the first its reaction
    would shape the weights, in the second it would be subtracted from that of the event. Sessions
    between the windows enter neither: news there cost no donor. All announcements of the list
    count, used or not.

    Parameters
    ----------
    layout : Layout
    windows : EventWindows
    firms : (n,) object array
        Whose announcements these are; "" where one is a repetition.
    """
    rows, panel, event = layout.factor_rows.copy(), layout.panel, windows.event_positions
    names = np.array([symbol for symbol, _ in panel.keys], dtype=object)
    symbols = np.where(rows >= 0, names[np.maximum(rows, 0)], "")
    at = {firm: event[firms == firm] for firm in set(firms) & set(symbols[:, layout.donors].flat)}
    is_used = (rows >= 0) & layout.donors & (layout.rows >= 0)[:, None]
    for i in np.flatnonzero((is_used & np.isin(symbols, list(at))).any(axis=1)):
        days = windows.take(np.array([i])).positions
        days = days[days >= 0]
        busy = [symbol for symbol in set(symbols[i]) & at.keys() if np.isin(days, at[symbol]).any()]
        rows[i, is_used[i] & np.isin(symbols[i], busy)] = EMPTY
    counts = Counter(symbols[rows != layout.factor_rows])
    if not counts:
        return layout
    total = int((layout.rows >= 0).sum())
    texts = [say("donors.of_events", symbol=s, n=n, total=total) for s, n in counts.most_common()]
    note = say("donors.announcing", donors=texts)
    return replace(layout, factor_rows=rows, panel=replace(panel, notes=(note, *panel.notes)))


# A return this many robust standard deviations from the median of the estimation window is a jump.
JUMP = 5.0
# Of a normal law the standard deviation is so many median absolute deviations.
MAD = 1.4826


class Near(NamedTuple):
    """Columns of the panel near an event, and those of its estimation window."""

    days: IntArray
    estimation: IntArray


def find_news(study: FittedStudy, config: StudyConfig) -> ObjectArray:
    """Return other news near each used event, shape (n,); "" where there are none.

    Near is from ``confounder_days`` sessions before the main window to as many after it. News are a
    dividend, split or distribution of the firm on its first session without it; another event of
    the firm in the list; and a jump of the event's index, or of an exchange rate by which its
    returns are converted.

    Parameters
    ----------
    study : FittedStudy
    config : StudyConfig

    Notes
    -----
    A return r of a day is a jump if :math:`|r - m| > 5 \\cdot 1.4826 \\, MAD`, with the median m
    and the median absolute deviation of the estimation window. Unlike a standard deviation this is
    not raised by earlier jumps. Missing days are left out.
    """
    out, panel = np.full(len(study.events), "", dtype=object), study.panel
    listed = dict(iter(study.events.groupby("ticker")))
    for i in np.flatnonzero(study.ok):
        event = study.events.iloc[i]
        code = study.events["exchange"].iloc[i]
        columns = panel.calendars[panel.calendar_of(code)]
        zero = np.searchsorted(panel.sessions[columns], np.datetime64(event["day0"], "D"))
        main, reach = config.main, config.confounder_days
        around = np.arange(main.start - reach, main.stop + reach + 1)
        spans = [zero + around, zero + config.estimation.days]
        near = Near(*(columns[at[(at >= 0) & (at < len(columns))]] for at in spans))
        texts = [
            *_of_firm(study, listed[event["ticker"]], event, near),
            *_jumps(study, event, near, config),
        ]
        out[i] = "; ".join(dict.fromkeys(texts))
    return out


def _of_firm(study: FittedStudy, listed: pd.DataFrame, event: Any, near: Near) -> Iterator[str]:
    """Yield the actions of a firm, and its other events in the list."""
    first, last = study.panel.sessions[near.days[[0, -1]]].astype(str)
    fetched = study.panel.fetched
    for action in fetched.actions.get(event["ticker"], ()) if fetched else ():
        if first <= action.date <= last:
            yield say("news.action", kind=action.kind.replace("_", " "), day=action.date)
    for name, day in zip(listed["event_id"], listed["day0"].astype(str).str[:10], strict=True):
        if name != event["event_id"] and first <= day <= last:
            yield say("news.event", name=name, day=day)


def _jumps(study: FittedStudy, event: Any, near: Near, config: StudyConfig) -> Iterator[str]:
    """Yield the jumps of the index of an event, and of the rates of its currency."""
    panel, series = study.panel, dict[str, FloatArray]()
    row = panel.row(event["benchmark"], panel.calendar_of(event["exchange"]))
    if row >= 0:
        series[event["benchmark"]] = panel.values[row]
    if config.currency != Rates.LOCAL:
        quoted = str(panel.provenance.get(event["ticker"], {}).get("currency", ""))
        codes = {Quotation(event["ticker"], quoted).currency, config.currency}
        rates = Rates.of(panel.prices, codes)
        for code in sorted(rates.quoted):
            rate = rates.dollars_per(code, panel.sessions)
            series[f"{code} in USD"] = np.r_[np.nan, rate[1:] / rate[:-1] - 1]
    for symbol, values in series.items():
        past = values[near.estimation]
        past = past[np.isfinite(past)]
        if len(past) < 2:
            continue
        centre = np.median(past)
        scale = MAD * np.median(np.abs(past - centre))
        for day in near.days[np.abs(values[near.days] - centre) > JUMP * scale]:
            yield say("news.jump", symbol=symbol, move=values[day], day=str(panel.sessions[day]))


def confounded_by(
    study: FittedStudy, news: Sequence[Confounder], window: Window, *, days: int = 1
) -> ObjectArray:
    """Return what confounds each event, shape (n,); "" where nothing is known.

    News of the firm (or of all) from `days` sessions before the window to `days` after it, on the
    clock of its exchange; news on a day without trade count for the next session. The text of a
    column ``confounders`` counts whatever its date.

    Parameters
    ----------
    study : FittedStudy
    news : sequence of Confounder
    window : Window
    days : int
        Sessions before and after the window that count as well.
    """
    panel, table = study.panel, study.events
    out = np.full(len(table), "", dtype=object)
    cells = table[NEWS_COLUMN].astype(str) if NEWS_COLUMN in table else [""] * len(table)
    rows = zip(table["ticker"], table["exchange"], table["day0"], cells, strict=True)
    for i, (ticker, code, day0, cell) in enumerate(rows):
        items = [item for item in news if item.ticker in (ticker, EVERY_FIRM)]
        near = list[str]()
        if items:
            sessions = panel.sessions[panel.calendars.get(panel.calendar_of(code), slice(None))]
            zero = int(np.searchsorted(sessions, np.datetime64(day0, "D")))
        for item in items:
            at = int(np.searchsorted(sessions, np.datetime64(item.date)))
            is_near = window.start - days <= at - zero <= window.stop + days
            if at < len(sessions) and is_near:
                near.append(f"{item.text} ({item.date})")
        is_named = cell.strip().lower() not in NO_NEWS
        out[i] = "; ".join([*near, cell.strip()] if is_named else near)
    return out


def with_confounders(study: FittedStudy, texts: ObjectArray) -> FittedStudy:
    """Return the study with the flag ``confounded`` and the column ``confounder``.

    Parameters
    ----------
    study : FittedStudy
    texts : (n,) object array
        What confounds each event; "" for nothing.
    """
    cells = zip(study.events["flags"], texts, strict=True)
    pairs = [([f for f in Flag.of(cell) if f != Flag.CONFOUNDED], text) for cell, text in cells]
    flags = [";".join([*flagged, Flag.CONFOUNDED] if text else flagged) for flagged, text in pairs]
    return replace(study, events=study.events.assign(flags=flags, **{CONFOUNDER: list(texts)}))
