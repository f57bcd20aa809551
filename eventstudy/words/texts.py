"""Texts: shortened, capitalised, safe for a terminal, and those that a notebook shows."""

from __future__ import annotations

import json
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


# Controls but tab and line feed; marks of direction, unseen marks, separators; half surrogates.
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
# What a console may lack, with its likeness in ASCII.
_ASCII = str.maketrans({
    MINUS: "-", NBSP: " ", MISSING: "-", "≥": ">=", "≤": "<=", "×": "x", "…": "...", "²": "2",
    "±": "+-",
})  # fmt: skip


def make_visible(text: str) -> str:
    r"""Return text with controls and marks of direction written out, as JSON escapes.

    What is JSON stays the same JSON.

    Examples
    --------
    >>> print(make_visible("\x1b[31mred\u202e"))
    \u001b[31mred\u202e
    """
    return _UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def ascii_text(text: str) -> str:
    """Return text with signs that any console can show; letters of names stay."""
    return text.translate(_ASCII)
