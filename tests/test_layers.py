"""The house: entries at the top, imports that only go downwards, and no circle of modules."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from conftest import ROOT

PACKAGE = ROOT / "eventstudy"
# From the ground up: a module imports only from its own layer and from those before it.
LAYERS = (
    "errors", "utility", "calendars", "prices", "events", "returns", "windows", "abnormal",
    "models",
    "significance", "fitting", "analysis", "findings", "report", "runs", "studies", "cli",
)  # fmt: skip
# What hands names on, or starts the command line.
DOORS = ("eventstudy", "eventstudy.__main__")


def module_name(path: Path) -> str:
    """Return the dotted name of a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(name: str, path: Path) -> Iterator[str]:
    """Yield the modules of the package that a module imports: at load, in functions, for types
    alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                around = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
                around = around[: len(around) - node.level + 1]
                base = ".".join([*around, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                if full in modules() or base in modules():
                    yield full if full in modules() else base


@cache
def arrows() -> frozenset[tuple[str, str]]:
    return frozenset((a, b) for a, path in modules().items() for b in imported(a, path) if a != b)


def layer(name: str) -> int:
    return LAYERS.index(name.split(".")[1])


def test_entries_at_the_top() -> None:
    entries = {
        path.stem for path in PACKAGE.iterdir()
        if not path.name.startswith("__") and (path.suffix == ".py" or any(path.glob("*.py")))
    }  # fmt: skip
    assert entries <= set(LAYERS)
    assert len(entries) <= 17


def test_imports_go_downwards() -> None:
    back = sorted(
        f"{a} imports {b}"
        for a, b in arrows()
        if a not in DOORS and (b in DOORS or layer(b) > layer(a))
    )
    assert back == []


def test_modules_form_no_circle() -> None:
    """Modules without imports are taken away until none is left; a package's face only hands names
    on."""
    faces = {name for name, path in modules().items() if path.name == "__init__.py"}
    needs: dict[str, set[str]] = defaultdict(set)
    for a, b in arrows():
        if a not in faces and b not in faces:
            needs[a].add(b)
    while free := {b for own in needs.values() for b in own if not needs.get(b)}:
        needs = {a: own - free for a, own in needs.items() if own - free}
    assert {a: sorted(own) for a, own in needs.items()} == {}
