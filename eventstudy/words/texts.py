"""Texts: shortened, capitalised, blank or not, and those that a notebook shows."""

from __future__ import annotations

import re
from html import escape

MISSING = "–"
MINUS = "\u2212"
NBSP = "\u00a0"
LONGEST_CELL = 240
# In a name, such as of a file, and in no other word.
_NAME = re.compile(r"[a-z0-9][./_:@=^\\][\w.]|[/_:@=^\\]|[a-z][A-Z]")


class Paragraph:
    """A result that a notebook shows as its text."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"

    def __repr__(self) -> str:
        return str(self)


def capitalised(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name such as of a file."""
    is_name = any(map(_NAME.search, text.split(maxsplit=1)[:1]))
    return text if is_name else text[:1].upper() + text[1:]


def uncapitalised(text: str) -> str:
    """Return words within a sentence: a capital before small letters is that of a beginning."""
    is_beginning = text[:1].isupper() and text[1:2].islower()
    return text[:1].lower() + text[1:] if is_beginning else text


def clipped(value: object, length: int = LONGEST_CELL) -> str:
    """Return a cell of the events file as one line of bounded length.

    Parameters
    ----------
    value : object
    length : int
        Most characters; a longer text ends in ``…``.

    Returns
    -------
    str
    """
    text = " ".join(str(value).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def cell_text(value: object) -> str:
    """Return a cell as text; "" for what is blank or missing."""
    return "" if value is None or value != value else str(value).strip()
