"""What a terminal may be sent: text in which nothing moves the cursor or turns letters around."""

from __future__ import annotations

import json
import re

from .texts import MINUS, MISSING, NBSP

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
