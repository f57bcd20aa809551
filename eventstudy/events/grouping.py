"""Groups of events that differ in nothing but white space are one group."""

from __future__ import annotations

from dataclasses import replace

from .csvfile import strip
from .notices import GROUPS, alike
from .table import Events


def grouped(events: Events, column: str) -> Events:
    """Return events whose cells of a column that splits them have no white space around them."""
    if column not in events.table or column in GROUPS:
        return events
    cells = events.table[column]
    bare = cells.map(lambda cell: strip(cell) if isinstance(cell, str) else cell)
    said = alike(column, [text for text in bare.unique() if isinstance(text, str)])
    table = events.table.assign(**{column: bare})
    return replace(events, table=table, notices=tuple(dict.fromkeys([*events.notices, *said])))
