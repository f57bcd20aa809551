"""Write the tutorials of docs/tutorials as notebooks, without outputs.

    python tools/make_notebooks.py examples

Cells of code and programs become cells of code, commands lines that begin with `!`, and files
are written by `%%writefile`. Run a notebook in an environment that has eventstudy and ipykernel.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TUTORIALS = ROOT / "docs" / "tutorials"
# What stands for the site alone: its settings, and the words of its index.
HEAD = re.compile(r"\A---\n.*?\n---\n|^<!-- search: .*? -->\n+", re.S | re.M)
BLOCK = re.compile(r"^```\{(code-cell|console|file|run|note)\}(.*?)\n(.*?)^```\n", re.S | re.M)
OPTION = re.compile(r"^:\w+:.*\n+", re.M)
LINK = re.compile(r"\]\((?!https?:|#)([^)\s#]+)")
SETUP = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook_of(page: str) -> str:
    """Return a page of Markdown as a notebook, in JSON.

    Parameters
    ----------
    page : str
    """
    cells = [
        {"cell_type": kind, "id": f"cell-{i}", "metadata": {}, "source": text.splitlines(True)}
        | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        for i, (kind, text) in enumerate(cells_of(HEAD.sub("", page)))
    ]
    notebook: dict[str, Any] = {
        "cells": cells,
        "metadata": SETUP,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def cells_of(page: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each cell."""
    end = 0
    for match in BLOCK.finditer(page):
        if words := page[end : match.start()].strip():
            yield "markdown", relink(words)
        end = match.end()
        body = OPTION.sub("", match[3]).strip("\n")
        yield from cell_of(match[1], match[2].strip(), body)
    if words := page[end:].strip():
        yield "markdown", relink(words)


def cell_of(kind: str, name: str, body: str) -> Iterator[tuple[str, str]]:
    """Yield the cell of a block."""
    if kind == "console":
        yield "code", "\n".join(f"!{line[2:]}" for line in body.splitlines())
    elif kind == "file":
        yield "code", f"%%writefile {name}\n{body}"
    elif kind == "note":
        yield "markdown", "\n".join(f"> {line}" for line in body.splitlines())
    else:
        yield "code", body


def relink(text: str) -> str:
    """Return Markdown of docs/tutorials with links that hold in examples."""
    return LINK.sub(lambda m: f"]({os.path.normpath(f'../docs/tutorials/{m[1]}')}", text)


if __name__ == "__main__":
    for path in sorted(TUTORIALS.glob("*.md")):
        made = notebook_of(path.read_text(encoding="utf-8"))
        (Path(sys.argv[1]) / f"{path.stem}.ipynb").write_text(made, encoding="utf-8")
