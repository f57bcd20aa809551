"""Names say what they hold: words that say nothing are rare among arguments and variables."""

from __future__ import annotations

import ast

from conftest import ROOT

# In percent of all bound names.
LIMIT = 0.5
EMPTY = frozenset(
    [
        "own", "found", "given", "said", "told", "what", "which", "whole", "part", "parts", "here",
        "there", "then", "far", "one", "other", "others", "alone", "beside", "moved", "made",
        "taken", "kept", "lost", "seen", "left", "known", "shown", "few", "many", "most", "asked",
        "plain", "rest",
    ]
)  # fmt: skip


def bound_names() -> list[str]:
    """Return the names of all arguments, and of all variables where they are set."""
    names = []
    for path in (ROOT / "eventstudy").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.arg):
                names.append(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.append(node.id)
    return names


def test_few_names_are_empty() -> None:
    names = bound_names()
    empty = [name for name in names if name in EMPTY]
    assert 100 * len(empty) / len(names) <= LIMIT, sorted(set(empty))
