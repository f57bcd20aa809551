"""The notebooks of examples/ are the tutorials of docs/, and run."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT

EXAMPLES = ROOT / "examples"
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebooks", ROOT / "tools" / "make_notebooks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_tutorial_is_a_notebook(maker: ModuleType) -> None:
    """`python tools/make_notebooks.py examples` writes them anew."""
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == {path.stem for path in TUTORIALS}
    for path in TUTORIALS:
        notebook = EXAMPLES / f"{path.stem}.ipynb"
        text = notebook.read_text(encoding="utf-8")
        assert text == maker.notebook_of(path.read_text(encoding="utf-8")), path.name


def test_links_of_notebooks_lead_somewhere(maker: ModuleType) -> None:
    for path in TUTORIALS:
        text = (EXAMPLES / f"{path.stem}.ipynb").read_text(encoding="utf-8")
        for link in maker.LINK.findall(text):
            made = link.startswith(("../docs/tests/", "../docs/models/", "../docs/api/"))
            assert made or (EXAMPLES / link).exists(), (path.name, link)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one-event", "your-own-list"])
def test_notebooks_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the prices of the sample and without a network; the site runs the cells of the third."""
    nbformat = pytest.importorskip("nbformat", reason="needs the extra docs")
    client = pytest.importorskip("nbclient", reason="needs the extra docs")
    command = tmp_path / "eventstudy"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m eventstudy "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("EVENTSTUDY_STORE", str(tmp_path / "prices.sqlite"))
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    resources = {"metadata": {"path": str(tmp_path)}}
    done = client.NotebookClient(notebook, timeout=300, resources=resources).execute()
    printed = [o for cell in done.cells for o in cell.get("outputs", ())]
    assert printed
    assert "Traceback" not in str(printed)
