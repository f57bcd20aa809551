"""The header of the events file: its columns, and what is wrong with their names."""

from __future__ import annotations

import difflib
import re

from ..errors import Problem
from .cells import WHOLE_ROW
from .csvfile import strip
from .rows import CONTROL, KNOWN, OPTIONAL, REQUIRED, short

_ALIASES = {
    "ticker": ("symbol", "ric", "stock", "code", "permno", "security"),
    "announced_at": (
        "date", "eventdate", "announced", "announcement", "announcementdate", "timestamp",
    ),
    "tz": ("timezone", "zone"),
}  # fmt: skip


def check_header(line: int, names: list[str]) -> tuple[list[str], list[Problem]]:
    """Return the columns, known ones in lower case, and the faults of the header."""
    columns = [_canonical(name) for name in names]
    problems = []
    for i, column in enumerate(columns):
        if not column:
            remedy = "" if i else "an index of pandas? to_csv(index=False) leaves it out"
            what = f"column {i + 1} of the header has no name"
            problems.append(Problem(line, WHOLE_ROW, what, remedy=remedy))
        elif column in columns[:i]:
            problems.append(
                Problem(line, column, f"the header names this column twice (column {i + 1})")
            )
        elif CONTROL.search(column):
            problems.append(
                Problem(line, WHOLE_ROW, "the header holds a control character", short(column))
            )
    problems += [
        Problem(line, required, "column is missing", remedy=_rename(required, columns))
        for required in REQUIRED
        if required not in columns
    ]
    if "tz" not in columns and (other := _alias("tz", columns)):
        problems.append(Problem(line, other, "column is unknown", remedy="rename it to 'tz'"))
    return columns, problems


def _canonical(name: str) -> str:
    bare = strip(name).strip('"')
    return bare.lower() if bare.lower() in KNOWN else bare


def _rename(wanted: str, columns: list[str]) -> str:
    spare = [c for c in columns if c and c not in (*REQUIRED, *OPTIONAL)]
    if other := _alias(wanted, spare) or next(
        iter(difflib.get_close_matches(wanted, spare, 1)), ""
    ):
        return f"rename {other!r} to {wanted!r}"
    return "the first line must name " + " and ".join(REQUIRED)


def _alias(wanted: str, columns: list[str]) -> str:
    return next((c for c in columns if re.sub(r"[\s_-]", "", c.lower()) in _ALIASES[wanted]), "")
