"""Markdown as such: text that stays text, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# What Markdown or HTML would read as more than a letter: inside a line, and where a block begins.
_MARKUP = re.compile(
    r"[\\`*|~$]|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])|&(?=[#\w])|\](?=[(\[])|(?<=[A-Za-z]):(?=//)"
    r"|(?i:(?<=www))\.|@"
)
# The last of them is the definition of a link, which only a beginning can be.
_START = re.compile(r"^(?:(?=[#>+\-=])|(\d+)(?=[.)])|(?=\[[^]]*\]:))")


def inert(text: object) -> str:
    """Return text that Markdown shows as it is; right-to-left text does not move its neighbours."""
    plain = _UNSEEN.sub("", " ".join(str(text).split()))
    safe = _MARKUP.sub(r"\\\g<0>", plain)
    return f"\u2068{safe}\u2069" if _RTL.search(plain) else safe


def block(text: object) -> str:
    """Return inert text that may begin a paragraph or an item."""
    return _START.sub(lambda found: (found[1] or "") + "\\", inert(text))


def items(lines: Iterable[object]) -> str:
    """Return a list, one line each; "" for none."""
    return "\n".join(f"- {block(line)}" for line in lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Return a table, its first `left` columns of text, the others of numbers."""
    rules = [":--"] * left + ["--:"] * (len(head) - left)
    lines = [[inert(c) for c in head], rules, *([inert(c) for c in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
