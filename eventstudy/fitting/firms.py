"""Which events are of one company."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ..calendars import bundled_rows
from ..words import cell_text


@cache
def _known_firms() -> dict[str, str]:
    """Return the firms of tickers that are known to be one of several listings of it."""
    return {row["ticker"]: row["firm"] for row in bundled_rows("listings.csv")}


def identify_firms(cells: Sequence[object], tickers: Sequence[str]) -> list[str]:
    """Return a key of the firm of each event; "" for none.

    Parameters
    ----------
    cells : sequence of n cells
        They name the firms; a blank cell is no firm. Case and white space make no difference.
    tickers : sequence of n str
        Those that ``data/listings.csv`` has of one firm are of one firm whatever the cells.
    """
    names = [" ".join(cell_text(cell).casefold().split()) for cell in cells]
    known = [_known_firms().get(ticker, "") for ticker in tickers]
    # A name that a known listing has is another name of its firm.
    by_name = {name: firm for name, firm in zip(names, known, strict=True) if name and firm}
    return [firm or by_name.get(name, name) for name, firm in zip(names, known, strict=True)]


def name_firms(companies: Sequence[object], tickers: Sequence[str]) -> list[str]:
    """Return the company of each event: one name for all events that count as one company.

    A ticker has the company of its first event that names one, else its own symbol. Tickers with
    the same company are one company, with the first of their names.

    Parameters
    ----------
    companies : sequence of n cells
    tickers : sequence of n str
    """
    first: dict[str, str] = {}
    for company, ticker in zip(companies, tickers, strict=True):
        name = cell_text(company)
        if name:
            first.setdefault(ticker, name)
    names = [first.get(ticker, ticker) for ticker in tickers]
    keys = identify_firms(names, tickers)
    shown: dict[str, str] = {}
    for key, name in zip(keys, names, strict=True):
        shown.setdefault(key, name)
    return [shown[key] for key in keys]
