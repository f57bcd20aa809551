"""The house: entries at the top, imports that only go downwards, and no circle of modules."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "eventstudy"
# From the ground up: a module imports only from its own layer and from those before it.
LAYERS = (
    "errors", "words", "utility", "files", "wire", "calendars", "quality", "prices", "events",
    "records", "returns", "windows", "abnormal", "models", "dependence", "significance", "settings", "fitting",
    "analysis", "findings", "report", "runs", "studies", "cli",
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


@pytest.mark.slow
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


def test_rooms_are_entered_by_their_faces() -> None:
    """A module takes from another room only what its face hands on."""
    inside = sorted(
        f"{a} imports {b}"
        for a, b in arrows()
        if a not in DOORS and layer(a) != layer(b) and b.count(".") > 1
    )
    assert inside == []


def test_registries_are_whole_in_a_fresh_process() -> None:
    """Whoever reads a registry first has all of its families."""
    code = "from eventstudy.{} import {name}; print(len({name}))"
    registries = (
        ("models", "MODELS", 20),
        ("significance", "STATISTICS", 36),
        ("prices", "SOURCES", 10),
    )
    for room, name, n in registries:
        command = [sys.executable, "-c", code.format(room, name=name)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert int(done.stdout) == n


@pytest.mark.watch
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_each_module_is_imported_alone() -> None:
    """In a process that has the libraries, but nothing of this project."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *modules()], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


# Imports each of its arguments in a process of its own, and prints those that fail.
ALONE = """
import importlib, os, sys
import matplotlib.pyplot, pandas, scipy.stats, statsmodels.api
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(name, repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    os.waitpid(child, 0)
"""
