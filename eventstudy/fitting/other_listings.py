"""Announcements that a list has once for each of several listings of one firm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from ..calendars import Window, bundled_rows
from ..errors import DataError
from ..events import parse_announcement
from ..words import Reason, cell_text
from .fitted import FittedStudy

# Columns that name the firm unless another is named; each event has the second.
FIRM, TICKER = "company", "ticker"


@cache
def _known_firms() -> dict[str, str]:
    """Return the firms of tickers that are known to be one of several listings of it."""
    return {row["ticker"]: row["firm"] for row in bundled_rows("listings.csv")}


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
        Names the firm; a blank cell is no firm. Case and white space make no difference, and
        listings that ``data/listings.csv`` has of one firm are of one firm whatever the cells.
    window : Window
    """
    table, out = study.events, [""] * len(study.events)
    tickers = table["ticker"].tolist()
    ids = table["event_id"].tolist()
    firms = _name_firms(study.column(column).tolist(), tickers)
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


def _name_firms(cells: Sequence[object], tickers: Sequence[str]) -> list[str]:
    """Return a name of the firm of each event, given the cells that name it; "" for none."""
    names = [" ".join(cell_text(cell).casefold().split()) for cell in cells]
    known = [_known_firms().get(ticker, "") for ticker in tickers]
    # A name that a known listing has is another name of its firm.
    by_name = {name: firm for name, firm in zip(names, known, strict=True) if name and firm}
    return [firm or by_name.get(name, name) for name, firm in zip(names, known, strict=True)]


def _time_of(stamp: str, tz: str) -> object:
    """Return when an announcement was made: the instant where the time is known, else the date."""
    try:
        announcement = parse_announcement(str(stamp), str(tz))
    except DataError:
        return stamp, tz
    return announcement.instant or announcement.date
