"""A table of a section as text, for every format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...analysis import Interval
from ...words import has, percent, say, span

# Kinds of columns by letter; a capital letter is a column that narrow pages leave out.
KINDS = {"t": "text", "n": "number", "d": "date"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, whether it is "text", "number" or "date", and needs a wide page."""

    head: str
    kind: str
    is_wide: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells, of which the first is its name, and a remark beneath the name.

    That of the main window is marked.
    """

    cells: tuple[str, ...]
    remark: str = ""
    is_main: bool = False

    @property
    def name(self) -> str:
        """The first cell."""
        return self.cells[0]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption, and a remark behind the caption."""

    caption: str
    about: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def effect_cells(effect: Interval) -> tuple[str, str]:
    """Return an estimate and its 95% interval, whose unit stands in the head of the column."""
    return percent(effect.estimate, unit=False), span(effect.ci_low, effect.ci_high, unit=False)


def interval_in(row: Mapping[Any, Any]) -> Interval:
    """Return the estimate in the row of a table, with its 95% interval."""
    return Interval(row["estimate"], row.get("se", np.nan), row["ci_low"], row["ci_high"])


def make_table(code: str, kinds: str, rows: Iterable[Row], **facts: Any) -> Table:
    """Return a table with the words of the catalogue.

    Parameters
    ----------
    code : str
        Section of the catalogue that has ``caption``, ``columns`` (heads with "|" between them),
        and perhaps ``about``.
    kinds : str
        One letter of `KINDS` for each column.
    rows : iterable of Row
    **facts
        What these sentences name.
    """
    heads = say(f"{code}.columns", **facts).split("|")
    columns = zip(heads, kinds, strict=True)
    return Table(
        caption=say(f"{code}.caption", **facts),
        about=say(f"{code}.about", **facts) if has(f"{code}.about") else "",
        columns=tuple(Column(head, KINDS[k.lower()], k.isupper()) for head, k in columns),
        rows=tuple(rows),
    )
