"""Columns of tables: what they hold, and where they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ...words import words


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


class Outlet(StrEnum):
    """Where a table is shown."""

    SHEET = "sheet"
    TERMINAL = "terminal"


LEFT = (Kind.NAME, Kind.TEXT, Kind.DATE)
# Their unit stands in the head of the column, so that cells are short.
WITH_UNIT = (Kind.EFFECT, Kind.ERROR)


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
    only : tuple of Outlet
        Where it is shown; () = everywhere.
    """

    key: str
    kind: Kind
    is_wide: bool = False
    head: str = ""
    only: tuple[Outlet, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether its cells are aligned to the right."""
        return self.kind not in LEFT

    @property
    def page_head(self) -> str:
        """The head on a page, with the unit of the cells."""
        return f"{self.head},\u00a0{words().head}" if self.kind in WITH_UNIT else self.head


def columns(kind: Kind, *keys: str) -> tuple[Column, ...]:
    """Return columns of one kind.

    Parameters
    ----------
    kind : Kind
    *keys : str
    """
    return tuple(Column(key, kind) for key in keys)


NAME = Column("name", Kind.NAME)
EVENTS = Column("events", Kind.COUNT, is_wide=True)
EFFECT = Column("effect", Kind.EFFECT)
INTERVAL = Column("interval", Kind.INTERVAL, is_wide=True)
PVALUE = Column("pvalue", Kind.PVALUE)
# An effect with what is said of it.
ESTIMATE = (EFFECT, INTERVAL, PVALUE)
