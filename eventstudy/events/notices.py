"""What a reader is told of events that have no fault: what may not mean what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ..utility.csv_text import OUTCOME
from ..utility.typing import CalendarChoice
from .cells import Column
from .decimals import unread

# Columns that split events into groups where they are there; no cell of them has white space around
# it.
GROUPS = ("group", "direction")
# What a run writes in their place; day0 and flags of the user are heeded.
REPLACED = ("exchange", "benchmark_named", "status", "reason", "nobs")
NAMED = 3
# A pair such as BTC-USD or EURUSD=X, or a future such as GC=F: New York does not trade it.
_NO_SHARE = re.compile(r"[A-Z0-9]+-(USD|USDT|USDC|EUR|GBP|JPY|CNY|KRW|AUD|CAD|BTC|ETH)|.+=[XF]")


def notices_of(cells: Mapping[str, Column], calendar: CalendarChoice) -> tuple[str, ...]:
    """Return what is to be said of the good rows of a file, given its columns by name."""
    out = []
    if not set(OUTCOME) <= set(cells) and (own := [name for name in REPLACED if name in cells]):
        out.append(f"the events.csv of a run has columns of its own in place of {', '.join(own)}")
    if calendar == "exchange" and (
        odd := [t for t in cells["ticker"].texts if _NO_SHARE.fullmatch(t)]
    ):
        what = "taken to trade on the sessions of New York, as there is no market suffix"
        out.append(f"{_some(odd)}: {what}; --calendar data takes the days that have prices")
    for name, column in cells.items():
        if odd := unread(name, column.texts):
            remedy = "write 1234.5, without thousands separators"
            out.append(f"{name}: text and no numbers: {_some(map(repr, odd))}; {remedy}")
    for name in GROUPS:
        if name in cells:
            out += alike(name, cells[name].texts)
    return tuple(out)


def alike(column: str, texts: Iterable[str]) -> Iterator[str]:
    """Yield a notice for each set of groups whose names differ in nothing but case and white
    space."""
    spellings: dict[str, list[str]] = {}
    for text in texts:
        spellings.setdefault(" ".join(text.split()).casefold(), []).append(text)
    for own in spellings.values():
        if len(own) > 1:
            yield (
                f"{column}: {', '.join(map(repr, own))} are different groups; spell them alike to "
                "join them"
            )


def _some(texts: Iterable[str]) -> str:
    shown = list(texts)
    return ", ".join(shown[:NAMED]) + f" and {len(shown) - NAMED} more" * (len(shown) > NAMED)
