"""Directive `messages`: tables of what the program says, and what to do, from its catalogue."""

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


def plain(text: str) -> str:
    """Return a sentence of the catalogue with the names of its fields, in the plural.

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
        return f"N {(several or f'{first}s').replace('#', 'N')}"
    if kind == "?":
        return several.replace("#", "N")
    return f"*{name.replace('_', ' ')}*"


def reasons(words: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield sentence and remedy of each reason of the catalogue."""
    for entry in words["reason"].values():
        if isinstance(entry, str):
            yield plain(entry), ""
        elif "text" in entry and entry["text"] != "{text}":
            yield plain(entry["text"]), plain(entry.get("remedy", ""))


def table_of(kind: str) -> list[tuple[str, ...]]:
    """Return the head and the rows of a table.

    Parameters
    ----------
    kind : {"remedies", "reasons", "faults", "flags"}
    """
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    if kind == "flags":
        return [("flag", "meaning"), *((f"`{c}`", plain(t)) for c, t in words["flag"].items())]
    if kind == "faults":
        remedies = words["fault"]["remedy"]
        rows = [(c, t) for c, t in words["fault"].items() if c != "remedy"]
        return [
            ("message", "code", "what to do"),
            *((plain(t), f"`{c}`", plain(remedies.get(c, ""))) for c, t in rows),
        ]
    if kind == "remedies":
        return [("message", "what to do"), *dict.fromkeys(row for row in reasons(words) if row[1])]
    return [("message",), *dict.fromkeys((text,) for text, remedy in reasons(words) if not remedy)]


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
