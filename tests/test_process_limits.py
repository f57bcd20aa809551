"""Limits of the system, by real processes: a run that cannot be made leaves the one before."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import date
from pathlib import Path
from sqlite3 import connect

import pytest
from conftest import ROOT
from run_folders import FIRMS, SHORT, Project, contents, left_in, started
from yahoo_standin import Yahoo, synthetic

from eventstudy.runs import list_states, verify_run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits of another system")
# What the interpreter of a child does first.
LIMIT = "import resource; resource.setrlimit(resource.{}, ({}, {}))\n"


@pytest.fixture
def project(studied: Project, tmp_path: Path) -> Project:
    return studied.copied(tmp_path)


def refreshed(project: Project, first: str = "") -> tuple[int, str]:
    """Refresh in a process that does something first; return its exit code and what it said."""
    begin = project.folder / "begin"
    begin.mkdir(exist_ok=True)
    (begin / "sitecustomize.py").write_text(first)
    env = {"PYTHONPATH": os.pathsep.join([str(begin), str(ROOT)])}
    child = started("refresh", *project.options[:-1], **env)
    said = "".join(child.communicate(timeout=300))
    return child.returncode, said


def test_without_enough_addresses_a_study_ends_before_it_begins(project: Project) -> None:
    """OpenBLAS, loaded within less, tries to get its memory without end."""
    project.announce(FIRMS[:3])
    before, few = contents(project.run, without=""), 700 << 20
    code, said = refreshed(project, LIMIT.format("RLIMIT_AS", few, few))
    assert (code, len(said.splitlines())) == (1, 1), said
    assert "there is not enough memory" in said
    assert contents(project.run, without="") == before
    assert left_in(project.out) == []


@pytest.mark.slow
def test_few_open_files_are_enough(project: Project) -> None:
    project.announce(FIRMS[:3])
    assert refreshed(project, LIMIT.format("RLIMIT_NOFILE", 12, 12))[0] == 0
    assert verify_run(project.run).ok


@pytest.mark.slow
def test_several_refreshes_at_once_over_the_wire(tmp_path: Path) -> None:
    """With one price cache: each run is whole, and the cache has each price once."""
    firms = ("AAPL", "NVDA", "AMD")
    series = [
        synthetic(s, start=date(2019, 1, 2), end=date(2021, 3, 31)) for s in (*firms, "^GSPC")
    ]
    for k in range(4):
        rows = [f"e{k},{firms[k % 3]},2020-0{k + 5}-05", f"f{k},{firms[(k + 1) % 3]},2020-06-01"]
        text = "\n".join(["event_id,ticker,announced_at", *rows, ""])
        (tmp_path / f"events{k}.csv").write_text(text)
    with Yahoo(*series) as yahoo:
        env = {**yahoo.env(), "EVENTSTUDY_STORE": str(tmp_path / "store.sqlite")}
        options = ["--out", tmp_path / "out", *SHORT[2:-1]]
        crew = [
            started("refresh", tmp_path / f"events{k}.csv", *options, **env)
            for k in (0, 1, 2, 3, 0)
        ]
        said = [child.communicate(timeout=600) for child in crew]
        assert [child.returncode for child in crew] == [0] * 5, said
        asked = len(yahoo.log)
        again = started("refresh", tmp_path / "events0.csv", *options, **env)
        assert "nothing new" in again.communicate(timeout=300)[0]
        assert len(yahoo.log) == asked
    assert all(verify_run(tmp_path / "out" / f"events{k}").ok for k in range(4))
    assert len(list_states(tmp_path / "out")) == 4
    assert left_in(tmp_path / "out") == []
    with closing(connect(env["EVENTSTUDY_STORE"])) as cache:
        assert cache.execute("PRAGMA integrity_check").fetchone() == ("ok",)
