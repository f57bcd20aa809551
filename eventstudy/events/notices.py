"""What a reader is told of events that have no fault: what may not mean what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..utility.csv_text import OUTCOME
from ..utility.tables import commas_in, is_number
from ..utility.typing import CalendarChoice
from .cells import Column

# Columns that split events into groups where they are there; no cell of them has white space around
# it.
GROUPS = ("group", "direction")
# What a run writes in their place; day0 and flags of the user are heeded.
REPLACED = ("exchange", "benchmark_named", "status", "reason", "nobs")
NAMED = 3
# Of a market value, which is a number whatever else the column holds.
SIZE = "mcap"
# A pair such as BTC-USD or EURUSD=X, or a future such as GC=F: New York does not trade it.
_NO_SHARE = re.compile(r"[A-Z0-9]+-(USD|USDT|USDC|EUR|GBP|JPY|CNY|KRW|AUD|CAD|BTC|ETH)|.+=[XF]")


def notices_of(cells: Mapping[str, Column], calendar: CalendarChoice) -> tuple[str, ...]:
    """Return what is to be said of the good rows of a file, given its columns by name.

    Parameters
    ----------
    cells : mapping of str to Column
    calendar : {"exchange", "data"}
    """
    out = []
    if not set(OUTCOME) <= set(cells) and (
        replaced := [name for name in REPLACED if name in cells]
    ):
        out.append(
            f"the events.csv of a run has columns of its own in place of {', '.join(replaced)}"
        )
    if calendar == "exchange" and (
        odd := [t for t in cells["ticker"].texts if _NO_SHARE.fullmatch(t)]
    ):
        reason = "taken to trade on the sessions of New York, as there is no market suffix"
        out.append(f"{_some(odd)}: {reason}; --calendar data takes the days that have prices")
    for name, column in cells.items():
        if odd := unread(name, column.texts):
            remedy = "write 1234.5, without thousands separators"
            out.append(f"{name}: text and no numbers: {_some(map(repr, odd))}; {remedy}")
    for name in GROUPS:
        if name in cells:
            out += alike(name, cells[name].texts)
    return tuple(out)


def unread(name: str, texts: Sequence[str]) -> list[str]:
    """Return those texts of a column that are meant as numbers and are none.

    Of a column other than the market value these are decimal commas, if it holds no other text.

    Parameters
    ----------
    name : str
        The column.
    texts : sequence of str
        Its distinct cells.
    """
    commas = commas_in(texts)
    if not commas and name != SIZE:
        return []
    odd = [text for text in texts if not is_number(text)]
    return odd if name == SIZE or len(odd) == len(commas) else []


def alike(column: str, texts: Iterable[str]) -> Iterator[str]:
    """Yield a notice for each set of groups whose names differ in case and white space only.

    Parameters
    ----------
    column : str
    texts : iterable of str
        Its distinct cells.
    """
    spellings: dict[str, list[str]] = {}
    for text in texts:
        spellings.setdefault(" ".join(text.split()).casefold(), []).append(text)
    for names in spellings.values():
        if len(names) > 1:
            groups = f"{column}: {', '.join(map(repr, names))} are different groups"
            yield f"{groups}; spell them alike to join them"


def _some(texts: Iterable[str]) -> str:
    items = list(texts)
    return ", ".join(items[:NAMED]) + f" and {len(items) - NAMED} more" * (len(items) > NAMED)
