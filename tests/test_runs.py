"""The run folder: complete, identical for identical inputs, and never half-written."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Market

from eventstudy.errors import ConfigError, RunFolderError
from eventstudy.events import read_events
from eventstudy.files import checked_name
from eventstudy.files.csv_text import read_numbers
from eventstudy.runs import write_run
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults

CONFIG = StudyConfig().with_options({"event": "-5:5", "estimation": "-120:-11", "calibrate": 0})
FILES = {
    "report.html", "manifest.json", "events.csv", "data/returns.csv.gz",
    "results.json", "report.md",
    *(f"tables/{t}.csv" for t in ("abnormal_returns", "car", "aar", "tests", "models")),
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> EventStudyResults:
    market = Market(n=6)
    market.table["company"] = ["Älpha, Inc.", '"Beta"', "=HYPERLINK(1)", "<script>", "华为", "f"]
    return market.fit(market.frame.drop(columns="F05"))


@pytest.fixture(scope="module")
def written(results: EventStudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, to be read."""
    return write_run(results, tmp_path_factory.mktemp("written"), "study", config=CONFIG)


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of the run in tmp_path, with what lies beside it."""
    shutil.copytree(written.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / "study"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.mark.slow
def test_all_files_are_there_and_hashed(folder: Path, tmp_path: Path) -> None:
    files = contents(folder)
    assert set(files) >= FILES
    assert not any(name.startswith("figures/") for name in files)
    manifest = json.loads(files["manifest.json"])
    assert manifest["schema"] == "eventstudy-run/2"
    assert manifest["files"] == {
        n: hashlib.sha256(b).hexdigest() for n, b in files.items() if n != "manifest.json"
    }
    assert (manifest["events"]["ok"], manifest["events"]["dropped"]) == (5, 1)
    assert manifest["events"]["reasons"] == {"no price data: F05 is not in the data": 1}
    assert manifest["config"]["event"] == "-5:5"
    assert {p.name for p in tmp_path.iterdir()} == {"study", "index.html"}, (
        "no temporary folder is left"
    )


@pytest.mark.slow
def test_figures_are_written_on_request(results: EventStudyResults, tmp_path: Path) -> None:
    config = replace(CONFIG, figures="plain")
    files = contents(write_run(results, tmp_path, "study", config=config))
    figures = {name for name in files if name.startswith("figures/")}
    names = ("path", "caar", "car")
    assert figures == {f"figures/{n}.{kind}" for n in names for kind in ("svg", "pdf", "png")}
    assert figures <= json.loads(files["manifest.json"])["files"].keys()
    assert b"Source: eventstudy" not in files["figures/path.svg"]


def test_same_inputs_give_the_same_bytes(
    results: EventStudyResults, written: Path, tmp_path: Path
) -> None:
    again = write_run(results, tmp_path, "study", config=CONFIG)
    one, other = contents(written), contents(again)
    del one["manifest.json"], other["manifest.json"]
    assert one == other


def test_tables_read_back_exactly(results: EventStudyResults, folder: Path) -> None:
    car = read_numbers(folder / "tables" / "car.csv")
    np.testing.assert_array_equal(car["car"], results.car(CONFIG.tested)["car"])
    tests = read_numbers(folder / "tables" / "tests.csv")
    assert list(tests) == [
        "test",
        "start",
        "stop",
        "n_events",
        "statistic",
        "pvalue",
        "distribution",
        "estimate",
        "reason",
    ]
    np.testing.assert_array_equal(tests["pvalue"], results.tests(CONFIG.tested)["pvalue"])
    events = pd.read_csv(folder / "events.csv", keep_default_na=False)
    names = results.events["company"].tolist()
    assert events["company"].tolist() == [*names[:2], f"'{names[2]}", *names[3:]]
    assert events["status"].tolist() == ["ok"] * 5 + ["dropped"]
    assert events["day0"].tolist() == results.events["day0"].dt.strftime("%Y-%m-%d").tolist()


def test_events_of_a_run_can_be_studied_again(results: EventStudyResults, folder: Path) -> None:
    again = read_events(folder / "events.csv", calendar="data")
    assert again.table["event_id"].tolist() == results.events["event_id"].tolist()
    assert (again.table["day0"] == results.events["day0"]).all()


def test_frozen_returns_are_those_used(results: EventStudyResults, folder: Path) -> None:
    text = gzip.decompress((folder / "data" / "returns.csv.gz").read_bytes())
    frozen = read_numbers(io.BytesIO(text))
    mine = frozen[frozen["ticker"] == "F00"]["ret"]
    np.testing.assert_array_equal(mine, results.panel.values[results.panel.row("F00", "data")])


def test_a_run_replaces_a_run_and_nothing_else(
    results: EventStudyResults, folder: Path, tmp_path: Path
) -> None:
    (folder / "stale.txt").write_text("old")
    write_run(results, tmp_path, "study", config=CONFIG)
    assert (folder / "stale.txt").read_text() == "old", "what somebody put there is kept"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(RunFolderError, match="not a run"):
        write_run(results, tmp_path, "mine", config=CONFIG)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_a_failure_leaves_the_old_run(
    results: EventStudyResults, folder: Path, tmp_path: Path
) -> None:
    before = contents(folder)
    with pytest.raises(ConfigError):
        write_run(
            results,
            tmp_path,
            "study",
            config=StudyConfig().with_options({"event": "-10:10", "calibrate": 0}),
        )
    assert contents(folder) == before
    assert {p.name for p in tmp_path.iterdir()} == {"study", "index.html"}


def test_a_swap_that_was_killed_half_way_is_mended(
    results: EventStudyResults, folder: Path, tmp_path: Path
) -> None:
    folder.rename(tmp_path / ".study.old")
    with pytest.raises(ConfigError):
        write_run(
            results,
            tmp_path,
            "study",
            config=StudyConfig().with_options({"event": "-10:10", "calibrate": 0}),
        )
    assert (folder / "report.html").is_file()


def test_a_file_in_the_way_is_one_clear_error(results: EventStudyResults, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(RunFolderError, match="cannot write"):
        write_run(results, tmp_path / "reports", "study", config=CONFIG)


@pytest.mark.parametrize(
    "name",
    [
        "", "..", ".hidden", "a/b", "a\\b", "/etc", "a:b", "x" * 101, "dot.", "a\0b", "a\nb",
        "制" * 67,
        "CON", "nul.2024", "Aux", "com1", "LPT9.run", "prn .x", "COM³", "index.html", "Index.HTML",
    ],
)  # fmt: skip
def test_names_that_are_not_safe_everywhere_are_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        checked_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "events",
        "sanctions 2019-2022",
        "v1.2",
        "制裁",
        "制" * 66,
        "com10",
        "console",
        "run.con",
        "index",
    ],
)
def test_names(name: str) -> None:
    assert checked_name(name) == name


def test_grouping_by_default() -> None:
    market = Market(n=4)
    assert market.fit().group_column("") == ""
    market.table["direction"] = ["adverse", "relief"] * 2
    assert market.fit().group_column("") == "direction"
    assert market.fit().group_column("none") == ""
    market.table["group"] = ["a", "b"] * 2
    assert market.fit().group_column("") == "group"
    assert market.fit().group_column("direction") == "direction"
