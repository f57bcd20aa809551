"""Directive `messages`: tables of messages and of what to do, from the program's catalogue."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

WORDS = Path(__file__).parents[2] / "eventstudy" / "data" / "words.en.toml"
FIELD = re.compile(r"\{(\w+)(?::([#?]?)([^{}]*))?\}")
# What a field of a message may say, so that the message reads as the program prints it.
EXAMPLES = {
    "cached": "USD", "cause": "the disk is full", "column": "world", "date": "8 Oct 2019",
    "datum": "price", "day0": "11 Oct 2019", "days": "8 Oct 2019", "factor": "smb",
    "first": "8 Oct 2019", "kinds": "suspension", "last": "9 Oct 2019", "length": "2", "n": "2",
    "needed": "30", "series": "^GSPC", "symbol": "ABC", "wanted": "EUR",
    "why": "the source has none",
}  # fmt: skip


def plain(text: str) -> str:
    """Return a sentence of the catalogue with an example in the place of each field.

    Parameters
    ----------
    text : str
    """
    text = text.replace("{{", "(").replace("}}", ")").replace("|", "\x00")
    text = FIELD.sub(_field, text.replace("\x00", "|"))
    return text.replace("|", r"\|").replace("<", "&lt;").replace("--", r"\-\-")


def _field(match: re.Match[str]) -> str:
    name, kind, form = match[1], match[2], match[3] or ""
    first, _, several = form.partition("|")
    if kind == "#":
        number = f"*{EXAMPLES[name]}*" if name == "length" else "N"
        return f"{number} {(several or f'{first}s').replace('#', number)}"
    if kind == "?":
        return several.replace("#", "N")
    return f"*{EXAMPLES[name]}*"


def remedies(words: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield sentence and remedy of each reason that has a remedy."""
    for entry in words["reason"].values():
        has_remedy = isinstance(entry, dict) and "remedy" in entry
        if has_remedy and not FIELD.fullmatch(entry["text"]):
            yield plain(entry["text"]), capital(plain(entry["remedy"]))


def capital(text: str) -> str:
    """Return a text as a sentence: with a capital at its beginning and a point at its end."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', 'show')) else '.'}"


def table_of(kind: str) -> list[tuple[str, ...]]:
    """Return the head and the rows of a table.

    Parameters
    ----------
    kind : {"remedies", "faults", "flags"}
    """
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    if kind == "flags":
        rows = [(f"`{c}`", capital(plain(t))) for c, t in words["flag"].items()]
        return [("flag", "meaning"), *rows]
    if kind == "faults":
        todo = words["fault"]["remedy"]
        named = [(c, t) for c, t in words["fault"].items() if c != "remedy"]
        rows = [(plain(t), f"`{c}`", plain(todo.get(c, ""))) for c, t in named]
        return [("message", "code", "what to do"), *rows]
    return [("message", "what to do"), *dict.fromkeys(remedies(words))]


class Messages(SphinxDirective):
    """A table of messages, read from the catalogue when the page is built."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        head, *rows = table_of(self.arguments[0])
        lines = [head, ("---",) * len(head), *rows]
        return self.parse_text_to_nodes("\n".join(f"| {' | '.join(line)} |" for line in lines))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("messages", Messages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
