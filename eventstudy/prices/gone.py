"""Symbols that are gone: renamed, merged, struck off or suspended, and what took their place."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import date
from functools import cache

from ..calendars import bundled_rows
from ..errors import NoPricesError, PriceError, UnknownSymbolError
from ..words import say

FILE = "renamed.csv"


@cache
def _gone() -> Mapping[str, dict[str, str]]:
    return {row["old"]: row for row in bundled_rows(FILE)}


def explain_gone(symbol: str) -> str:
    """Return what became of a symbol, and the one that took its place; "" where nothing is known.

    Parameters
    ----------
    symbol : str

    Examples
    --------
    >>> explain_gone("FB").replace("\\xa0", " ")
    'since 9 Jun 2022 FB is META, whose prices go on from before'
    """
    row = _gone().get(symbol)
    if row is None:
        return ""
    code = row["kind"] if row["new"] else f"{row['kind']}_alone"
    day = date.fromisoformat(row["date"])
    return say(f"gone.{code}", old=symbol, new=row["new"], day=day, exchange=row["exchange"])


def has_successor(symbol: str) -> bool:
    """Return whether another symbol took the place of one."""
    return bool(_gone().get(symbol, {}).get("new"))


def with_successors(failures: Mapping[str, PriceError]) -> dict[str, PriceError]:
    """Return failures, those of symbols that are gone with what took their place.

    Parameters
    ----------
    failures : mapping of str to PriceError
        Only those of symbols that a source does not know, or has on other days, are changed.
    """
    out = dict(failures)
    for symbol, error in failures.items():
        is_answer = isinstance(error, UnknownSymbolError | NoPricesError)
        why = explain_gone(symbol) if is_answer else ""
        if why and why not in error.remedy:
            out[symbol] = copy(error)
            out[symbol].remedy = f"{why}; {error.remedy}" if error.remedy else why
    return out
