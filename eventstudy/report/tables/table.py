"""A table of values, from which each format makes its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

import numpy as np

from ...analysis import Interval
from ...words import (
    MISSING,
    date_iso,
    has,
    percent,
    pvalue,
    say,
    share_text,
    signed,
    span,
    words,
)


class Kind(StrEnum):
    """What a column holds: it decides how values are written and aligned in every format."""

    NAME = "name"
    TEXT = "text"
    DATE = "date"
    COUNT = "count"
    # Decimal returns: an effect has a sign, an error has none.
    EFFECT = "effect"
    ERROR = "error"
    INTERVAL = "interval"
    PVALUE = "pvalue"
    # Decimals: a share in whole percent, a rate with one digit more.
    SHARE = "share"
    RATE = "rate"
    LEVEL = "level"
    NUMBER = "number"


LEFT = (Kind.NAME, Kind.TEXT, Kind.DATE)
# Their unit stands in the head of the column, so that cells are short.
WITH_UNIT = (Kind.EFFECT, Kind.ERROR)
Writers = Mapping[Kind, Callable[[Any], str]]
# How pages write values.
WRITERS: Writers = {
    Kind.NAME: str,
    Kind.TEXT: str,
    Kind.DATE: date_iso,
    Kind.COUNT: "{:,}".format,
    Kind.EFFECT: partial(percent, unit=False),
    Kind.ERROR: partial(percent, sign=False, unit=False),
    Kind.INTERVAL: lambda ends: span(*ends, unit=False),
    Kind.PVALUE: pvalue,
    Kind.SHARE: share_text,
    Kind.RATE: "{:.1%}".format,
    Kind.LEVEL: "{:.1f}".format,
    Kind.NUMBER: signed,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    key : str
        Of its values, and of its head in the catalogue.
    kind : Kind
    is_wide : bool
        Whether narrow pages leave it out.
    head : str
        By default that of the catalogue.
    """

    key: str
    kind: Kind
    is_wide: bool = False
    head: str = ""

    @property
    def is_number(self) -> bool:
        """Whether its cells are aligned to the right."""
        return self.kind not in LEFT

    @property
    def page_head(self) -> str:
        """The head on a page, with the unit of the cells."""
        return f"{self.head},\u00a0{words().head}" if self.kind in WITH_UNIT else self.head


NAME = Column("name", Kind.NAME)
EVENTS = Column("events", Kind.COUNT, is_wide=True)
EFFECT = Column("effect", Kind.EFFECT)
INTERVAL = Column("interval", Kind.INTERVAL, is_wide=True)
PVALUE = Column("pvalue", Kind.PVALUE)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values by the keys of the columns, and a remark beneath its name.

    A value that is a text is shown as it is; None and NaN are missing. That of the main window is
    marked.
    """

    values: Mapping[Any, Any]
    remark: str = ""
    is_main: bool = False

    @property
    def name(self) -> str:
        """The value of the first column."""
        return str(self.values["name"])


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption, and a remark behind the caption."""

    caption: str
    about: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def write_cells(self, row: Row, writers: Writers = WRITERS) -> list[str]:
        """Return the values of a row as text, a cell for each column.

        Parameters
        ----------
        row : Row
        writers : mapping of Kind to callable
            By default those of pages.
        """
        cells = []
        for column in self.columns:
            value = row.values[column.key]
            if value is None or value != value:
                value = MISSING
            cells.append(value if isinstance(value, str) else writers[column.kind](value))
        return cells


def effect_values(effect: Interval) -> dict[str, Any]:
    """Return an estimate and its 95% interval as values of two columns."""
    return {"effect": effect.estimate, "interval": (effect.ci_low, effect.ci_high)}


def interval_in(row: Mapping[Any, Any]) -> Interval:
    """Return the estimate in the row of a table, with its 95% interval."""
    return Interval(row["estimate"], row.get("se", np.nan), row["ci_low"], row["ci_high"])


def make_table(code: str, columns: Sequence[Column], rows: Iterable[Row], **facts: Any) -> Table:
    """Return a table with the words of the catalogue.

    Parameters
    ----------
    code : str
        Section of the catalogue that has ``caption``, and perhaps ``about`` and ``column``: heads
        by the keys of columns, for those that are not called as in ``[column]``.
    columns : sequence of Column
    rows : iterable of Row
    **facts
        What these sentences name.
    """
    headed = []
    for column in columns:
        own = f"{code}.column.{column.key}"
        head = column.head or say(own if has(own) else f"column.{column.key}", **facts)
        headed.append(replace(column, head=head))
    about = say(f"{code}.about", **facts) if has(f"{code}.about") else ""
    return Table(say(f"{code}.caption", **facts), about, tuple(headed), tuple(rows))
