"""What the price cache holds after a command has written it, read from its file again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._base import NUMBER_COLUMNS, Prices
from ._clean import are_possible, name_some

if TYPE_CHECKING:
    import pandas as pd

    from .store import StoreProvider

AGAIN = "run the command again when the file can be written, or name another one with --store"
DIFFERS = "run the command again, and look at it with: eventstudy prices show"
REPEATS = "keep one row for each date in the file, then import it again"


@dataclass(frozen=True)
class ReadBack:
    """One symbol as the price cache has it, and why it lacks something that a command was to keep.

    Parameters
    ----------
    symbol, outcome : str
        What became of it: an outcome of `Merged`; ``stored`` when nothing had to be asked;
        ``not-kept`` when the price cache could not be written; ``failed`` when there were no prices
        to keep.
    first, last, rows, currency : str or int
        Of all that the price cache has of the symbol.
    notes : tuple of str
        What was changed on the way.
    unkept, remedy : str
        What is not in the price cache as it was given, and what to do; empty when all is.
    """

    symbol: str
    outcome: str
    first: str = ""
    last: str = ""
    rows: int = 0
    currency: str = ""
    notes: tuple[str, ...] = ()
    unkept: str = ""
    remedy: str = ""


def read_back(
    store: StoreProvider,
    prices: Prices,
    outcomes: Mapping[str, str],
    unwritten: Mapping[str, str],
    repeats: Mapping[str, Sequence[str]] | None = None,
) -> list[ReadBack]:
    """Ask the price cache for the symbols of `prices`, and compare the answer with them.

    Parameters
    ----------
    store : StoreProvider
    prices : Prices
        What was to be kept, and the failures.
    outcomes, unwritten : dict of str to str
        What became of each symbol; which ones could not be written, and why.
    repeats : dict of str to sequence of str, optional
        Days for which the file of a symbol has several rows that differ.
    """
    from ._base import FIRST_DAY, LAST_DAY
    from .store import StoreProvider

    again = StoreProvider(store.path, partial=True).fetch(prices.symbols, FIRST_DAY, LAST_DAY)
    stored, repeats = again.parts(), repeats or {}
    answers = []
    for symbol, rows in prices.parts().items():
        lacks, remedy = _lacks(symbol, rows, prices, again, stored.get(symbol))
        if lacks and symbol in unwritten:
            lacks, remedy = f"the price cache cannot be written ({unwritten[symbol]})", AGAIN
        elif not lacks and repeats.get(symbol):
            lacks, remedy = (
                f"rows of one date differ in the file ({name_some(repeats[symbol])})",
                REPEATS,
            )
        outcome = "not-kept" if lacks and symbol in unwritten else outcomes.get(symbol, "stored")
        answers.append(_described(symbol, outcome, prices, again, lacks, remedy))
    failed = [
        ReadBack(s, "failed", unkept=e.what, remedy=e.remedy) for s, e in prices.failures.items()
    ]
    return [*answers, *failed]


def _lacks(
    symbol: str, rows: pd.DataFrame, prices: Prices, again: Prices, stored: pd.DataFrame | None
) -> tuple[str, str]:
    """Return what the price cache lacks of a symbol, and what to do; blanks if it has all."""
    if stored is None:
        return again.failures[symbol].what, AGAIN
    wanted, there = prices.provenance[symbol].currency, again.provenance[symbol].currency
    if wanted and wanted != there:
        return (
            f"the price cache has the currency {there or 'unknown'} in place of {wanted}",
            DIFFERS,
        )
    if days := days_unlike(rows, stored):
        number = f"{len(days)} day{'s' * (len(days) != 1)}"
        return f"the price cache has other values on {number} ({name_some(days)})", DIFFERS
    return "", ""


def _described(
    symbol: str, outcome: str, prices: Prices, again: Prices, lacks: str, remedy: str
) -> ReadBack:
    note = prices.provenance[symbol].note
    notes = tuple(note.split("; ")) if note else ()
    if (there := again.provenance.get(symbol)) is None:
        return ReadBack(symbol, outcome, notes=notes, unkept=lacks, remedy=remedy)
    notes += ("currency unknown",) if not there.currency else ()
    extent = (there.first, there.last, there.rows, there.currency)
    return ReadBack(symbol, outcome, *extent, notes, lacks, remedy)


def days_unlike(given: pd.DataFrame, held: pd.DataFrame, tolerance: float = 0) -> list[str]:
    """Return the days, as ISO dates, of which `held` lacks a value that is possible and stands in
    `given`.

    Parameters
    ----------
    given, held : DataFrame
        A column ``date`` and number columns; a column that `given` lacks has no values. `held` has
        one row a date, in order.
    tolerance : float
        Relative; smaller differences are none.
    """
    import numpy as np

    dates, there = given["date"].to_numpy(), held["date"].to_numpy()
    at = np.clip(np.searchsorted(there, dates), 0, len(there) - 1)
    wrong = np.zeros(len(dates), dtype=np.bool_)
    for column in (name for name in NUMBER_COLUMNS if name in given):
        values = given[column].where(are_possible(column, given[column])).to_numpy()
        off = np.abs(held[column].to_numpy()[at] - values)
        wrong |= ~np.isnan(values) & ~((there[at] == dates) & (off <= tolerance * values))
    return sorted({str(day) for day in dates[wrong].astype("datetime64[D]")})
