"""Announcements that a list has once for each of several listings of one firm."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from ..calendars import Window
from ..errors import DataError
from ..events import parse_announcement
from ..words import Reason
from .firms import identify_firms
from .fitted import FittedStudy

# Columns that name the firm unless another is named; each event has the second.
FIRM, TICKER = "company", "ticker"


def firm_column(table: pd.DataFrame) -> str:
    """Return the column of events that names their firms where the settings name none."""
    return FIRM if FIRM in table else TICKER


def find_other_listings(study: FittedStudy, column: str, window: Window) -> list[str]:
    """Return why used events count with another listing of the firm, n texts; "" for the others.

    Of the used listings of one firm and one announcement the first of the list that has a CAR over
    the window stands for all.

    Parameters
    ----------
    study : FittedStudy
    column : str
        Names the firm, as :func:`identify_firms` takes its cells.
    window : Window
    """
    table, out = study.events, [""] * len(study.events)
    tickers = table["ticker"].tolist()
    ids = table["event_id"].tolist()
    firms = identify_firms(study.column(column).tolist(), tickers)
    of_firm: dict[str, set[str]] = {}
    for firm, ticker in zip(firms, tickers, strict=True):
        of_firm.setdefault(firm, set()).add(ticker)
    stamps = list(zip(table["announced_at"], table["tz"], strict=True))
    first: dict[Any, int] = {}
    n_before = Counter[Any]()
    has_car = study.abnormal.valid(window)
    for i in [*np.flatnonzero(study.ok & has_car), *np.flatnonzero(study.ok & ~has_car)]:
        if not firms[i] or len(of_firm[firms[i]]) == 1:
            continue
        news = firms[i], _time_of(*stamps[i])
        # Of several announcements at one time the first of a listing is the first of the others.
        n = n_before[news, tickers[i]]
        n_before[news, tickers[i]] += 1
        same = first.setdefault((news, n), i)
        if same != i:
            out[i] = Reason("other_listing", event=str(ids[same]))
    return out


def _time_of(stamp: str, tz: str) -> object:
    """Return when an announcement was made: the instant where the time is known, else the date."""
    try:
        announcement = parse_announcement(str(stamp), str(tz))
    except DataError:
        return stamp, tz
    return announcement.instant or announcement.date
