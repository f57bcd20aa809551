"""What is done otherwise of very many events: they are not listed, and not all tests are
computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, overload

if TYPE_CHECKING:
    import pandas as pd

    from ..abnormal.abnormal_returns import AbnormalReturns

# Nobody reads a table of more events; pages, lists and files of text have the LISTED most unusual
# ones.
MANY = 5000
LISTED = 500


class HasEvents(Protocol):
    """A study, as far as its number of events goes."""

    @property
    def events(self) -> pd.DataFrame:
        """The events."""
        ...


def many(results: HasEvents) -> bool:
    """Tell whether the events are too many to be listed one by one."""
    return len(results.events) > MANY


def part_of_many(abnormal: AbnormalReturns) -> bool:
    """Tell whether events are so many, or some of so many, that only the usual tests are
    computed."""
    return len(abnormal if abnormal.parent is None else abnormal.parent) > MANY


class Rows(Sequence["dict[str, Any]"]):
    """The rows of a table, each a cell by column, made when they are asked for."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    def __len__(self) -> int:
        return len(self.table)

    @overload
    def __getitem__(self, i: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, i: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, i: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(i, slice):
            return [self[j] for j in range(*i.indices(len(self)))]
        return {str(name): self.table[name].iloc[i] for name in self.table.columns}
