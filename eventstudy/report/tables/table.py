"""A table of values, from which each format makes its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np

from ...analysis import Interval
from ...words import LEVEL, MISSING, has, say, words
from .columns import Column, Kind, Outlet

# Levels of the stars.
LEVELS = (0.01, LEVEL, 0.1)
# What pages draw at a rate of false alarms that was measured, and at one from a formula.
MEASURED, DERIVED = "●", "○"
Writers = Mapping[Kind, Callable[[Any], str]]
# How pages write values.
WRITERS: Writers = {
    Kind.NAME: str,
    Kind.TEXT: str,
    Kind.DATE: lambda day: words().iso(day),
    Kind.COUNT: "{:,}".format,
    Kind.EFFECT: lambda value: words().percent(value, unit=False),
    Kind.ERROR: lambda value: words().percent(value, sign=False, unit=False),
    Kind.INTERVAL: lambda ends: words().span(*ends, unit=False),
    Kind.PVALUE: lambda p: words().pvalue(p),
    Kind.SHARE: lambda share: words().share(share),
    Kind.RATE: "{:.1%}".format,
    Kind.LEVEL: "{:.1f}".format,
    Kind.NUMBER: lambda number: words().signed(number),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values by the keys of the columns, and a remark at its name.

    A value that is a text is shown as it is; None and NaN are missing. That of the main window is
    marked. The key says which row it is, where somebody asks for it. On a page, a row with an
    anchor can be linked to, and one with a link leads to another page of the run.
    """

    values: Mapping[Any, Any]
    remark: str = ""
    is_main: bool = False
    key: str = ""
    anchor: str = ""
    link: str = ""

    @property
    def name(self) -> str:
        """The value of the first column."""
        return str(self.values["name"])

    @property
    def label(self) -> str:
        """The name and the remark where there is text alone."""
        return join_remark(self.name, self.remark)


@dataclass(frozen=True, slots=True)
class Block:
    """Rows below a title of their own; "" for none."""

    key: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption, and a remark behind the caption."""

    caption: str
    about: str
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all blocks."""
        return tuple(row for block in self.blocks for row in block.rows)

    def shown(self, outlet: Outlet) -> Table:
        """Return the table with the columns that an outlet shows."""
        shown = [column for column in self.columns if not column.only or outlet in column.only]
        return replace(self, columns=tuple(shown))

    def only(self, *keys: str) -> Table:
        """Return the table with some columns, by their keys."""
        chosen = [column for column in self.columns if column.key in keys]
        return replace(self, columns=tuple(chosen))

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
            value = row.values.get(column.key)
            if value is None or value != value:
                value = MISSING
            cells.append(value if isinstance(value, str) else writers[column.kind](value))
        return cells

    def write_text(self, row: Row) -> list[str]:
        """Return the cells of a row where there is text alone: with its remark, and marked rates.

        Parameters
        ----------
        row : Row
        """
        cells = [row.label, *self.write_cells(row)[1:]]
        for k, column in enumerate(self.columns):
            if column.kind is Kind.RATE and is_number(row.values.get(column.key)):
                cells[k] += f" {MEASURED if row.values.get('is_measured') else DERIVED}"
        return cells


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a decimal that is not missing."""
    return isinstance(value, float) and value == value


def join_remark(name: str, remark: str, between: str = " · ") -> str:
    """Return a name and its remark in one line; a remark in brackets needs no sign before it.

    Parameters
    ----------
    name, remark : str
    between : str
        Another sign where a terminal does not show this one.
    """
    return f"{name}{' ' if remark.startswith('[') else between}{remark}" if remark else name


def effect_values(effect: Interval) -> dict[str, Any]:
    """Return an estimate and its 95% interval as values, its ends apart as well."""
    low, high = effect.ci_low, effect.ci_high
    return {"effect": effect.estimate, "interval": (low, high), "ci_low": low, "ci_high": high}


def interval_in(row: Mapping[Any, Any]) -> Interval:
    """Return the estimate in the row of a table, with its 95% interval."""
    return Interval(row["estimate"], row.get("se", np.nan), row["ci_low"], row["ci_high"])


def make_table(
    code: str, columns: Sequence[Column], rows: Iterable[Row | Block], **facts: Any
) -> Table:
    """Return a table with the words of the catalogue.

    Parameters
    ----------
    code : str
        Section of the catalogue that has perhaps ``caption``, ``about`` and ``column``: heads by
        the keys of columns, for those that are not called as in ``[column]``.
    columns : sequence of Column
    rows : iterable of Row, or of Block
    **facts
        What these sentences name.
    """
    headed = []
    for column in columns:
        own = f"{code}.column.{column.key}"
        head = column.head or say(own if has(own) else f"column.{column.key}", **facts)
        headed.append(replace(column, head=head))
    over = {}
    for part in ("caption", "about"):
        over[part] = say(f"{code}.{part}", **facts) if has(f"{code}.{part}") else ""
    parts = tuple(rows)
    blocks = tuple(part for part in parts if isinstance(part, Block))
    alone = tuple(part for part in parts if isinstance(part, Row))
    return Table(over["caption"], over["about"], tuple(headed), blocks or (Block("", "", alone),))


def stars(p: float) -> str:
    """Return the stars of text output: ``***`` below 0.01, ``**`` below 0.05, ``*`` below 0.1."""
    return "*" * sum(p < level for level in LEVELS)
