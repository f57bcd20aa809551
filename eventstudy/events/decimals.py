"""Numbers in the cells of an events file: decimal commas, and what is meant as a number and is
none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .cells import Column

# Of a market value, which is a number whatever else the column holds.
SIZE = "mcap"
_BLANK = ("", "-", "na", "n/a", "nan", "none", "null")
_COMMA = re.compile(r"\s*[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)


def with_points(name: str, column: Column) -> tuple[Column, list[str]]:
    """Return a column of numbers with decimal points, and a notice where it had decimal commas.

    For files whose cells are not separated by commas: there 1,5 is a number. A column that holds
    any text stays as it is.
    """
    found = _with_commas(column.texts)
    if not found or not all(map(_is_number, map(_point, column.texts))):
        return column, []
    said = (
        f"{name}: commas are read as decimal points, {found[0].strip()!r} as "
        f"{_point(found[0]).strip()}"
    )
    return column.changed(_point), [said]


def unread(name: str, texts: Sequence[str]) -> list[str]:
    """Return those texts of a column that are meant as numbers and are none.

    Of a column other than the market value these are decimal commas, if it holds no other text.
    """
    found = _with_commas(texts)
    if not found and name != SIZE:
        return []
    odd = [text for text in texts if not _is_number(text)]
    return odd if name == SIZE or len(odd) == len(found) else []


def _with_commas(texts: Sequence[str]) -> list[str]:
    return [text for text in texts if "," in text and _COMMA.fullmatch(text)]


def _point(text: str) -> str:
    return text.replace(",", ".") if _COMMA.fullmatch(text) else text


def _is_number(text: str) -> bool:
    """Tell whether a cell holds a number, or nothing."""
    if text.strip().lower() in _BLANK:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True
