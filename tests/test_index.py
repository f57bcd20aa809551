"""The page over all runs: true, newest first, and not to be broken by what lies in the folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import Market
from pages import CONFIG
from run_folders import QUICK

from eventstudy.cli.main import main
from eventstudy.runs import show_end, write_run
from eventstudy.runs.atomic_swap import locked
from eventstudy.runs.index import write_index
from eventstudy.settings import StudyConfig


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs, one of them of one event."""
    out = tmp_path_factory.mktemp("reports")
    market = Market(8, dates=4, effect=-0.04, seed=3)
    market.table["direction"] = ["adverse"] * 6 + ["<b>relief"] * 2
    write_run(market.fit(), out, "several 制裁", config=CONFIG)
    write_run(Market(1, dates=1).fit(), out, "one", config=CONFIG)
    return out


def rows(out: Path) -> dict[str, str]:
    """Return the rows of the index by name of the run, in their order."""
    write_index(out)
    text = (out / "index.html").read_text(encoding="utf-8")
    found = re.findall(r"<tr><th scope=\"row\">.*?</tr>", text, re.S)
    return {unescape(re.search(r"<bdi>(.*?)</bdi>", row)[1]): row for row in found}


# The least that a manifest says.
BARE: dict[str, object] = {
    "schema": "eventstudy-run/2", "name": "run", "written_at": "2024-01-01T00:00:00+00:00",
    "asked_on": "", "answers": [], "events": {"ok": 0},
    **{name: {} for name in ("asked", "config", "failures", "files", "origin", "prices")},
    "versions": {},
}  # fmt: skip


def run(out: Path, name: str, manifest: object) -> None:
    (out / name).mkdir()
    data = manifest if isinstance(manifest, bytes | str) else json.dumps(manifest)
    (out / name / "manifest.json").write_bytes(data if isinstance(data, bytes) else data.encode())


@pytest.mark.slow
def test_each_run_has_its_headline_and_numbers(reports: Path) -> None:
    found = rows(reports)
    assert set(found) == {"several 制裁", "one"}
    told = json.loads((reports / "several 制裁" / "manifest.json").read_text(encoding="utf-8"))
    row = unescape(re.sub(r"</?(strong|span)[^>]*>", "", found["several 制裁"]))
    assert told["answers"][0]["text"] in row
    assert f"{100 * abs(told['answers'][0]['estimate']):.2f}" in row
    assert "8 of 8" in row
    assert "<b>relief" not in found["several 制裁"]
    assert 'href="several%20%E5%88%B6%E8%A3%81/report.html"' in found["several 制裁"]
    assert 'class="own spark"' in found["one"]


def test_runs_of_one_list_are_told_apart_in_a_line(tmp_path: Path) -> None:
    """By what is not as by default; and how many events have no CAR, of which the page has the
    rest."""
    answer = dict.fromkeys(("group", "verdict", "text"), "") | {"estimate": 0.1, "pvalue": 0.2}
    more = {"answers": [{**answer, "n_lacking": 3, "n_used": 50}]}
    settings = {
        "plain": ({}, "model: market; estimation: -250:-31"),
        "volume": ({"measure": "volume"}, ("model: constant_mean; estimation: -250:-31; measure: "
            "volume")),
        "other": (
            {
                "model": "ff3", "estimation": "-120:-11", "factors": ["/home/x/ff.csv"],
                "halt": "shift",
                "grid": {"model": ["b"]}, "prices": "/home/x/px", "fpc": True,
            },
            ("model: ff3; estimation: -120:-11; factors: ff.csv; halt: shift; fpc: yes"),
        ),
        "odd": (
            {"model": [1], "windows": 3, "halt": {"<b>": None}, "by": None},
            "model: 1; estimation: -250:-31; windows: 3; halt: &lt;b&gt; = None",
        ),
    }  # fmt: skip
    for name, (config, _) in settings.items():
        told = {**StudyConfig().to_dict(), **config}
        run(tmp_path, name, {**BARE, "config": told, **more})
    found = rows(tmp_path)
    for name, (_, line) in settings.items():
        assert f'<span class="remark"><bdi>{line}</bdi></span>' in found[name]
        assert "<bdi>3 of 50 used events without a CAR</bdi>" in found[name]


def test_provisional_means_that_the_answer_waits(tmp_path: Path) -> None:
    """A wider window that is not over yet is named by other words, beside a verdict with its p."""
    facts = {"group": "", "text": "t", "estimate": 0.01, "pvalue": 0.01, "n_events": 4}
    for verdict in ("provisional", "different"):
        told = {"answers": [{**facts, "verdict": verdict}], "events": {"ok": 4, "provisional": 1}}
        run(tmp_path, verdict, {**BARE, **told})
        (tmp_path / verdict / "report.html").write_text("")
    found = rows(tmp_path)
    assert '<td class="l">provisional</td>' in found["provisional"]
    assert '<td class="l">1 event window is not over yet</td>' in found["different"]


def test_paths_of_each_measure_have_a_scale_of_their_own(reports: Path, tmp_path: Path) -> None:
    shutil.copytree(reports, tmp_path, dirs_exist_ok=True)
    alone = rows(tmp_path)["several 制裁"]
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    scale = re.search(r"They share one scale, ±([\d.]+)%\.", text)[1]
    shutil.copytree(tmp_path / "several 制裁", tmp_path / "louder")
    table, told = tmp_path / "louder/tables/path_by_group.csv", tmp_path / "louder/manifest.json"
    path = pd.read_csv(table)
    numbers = ["gap", "gap_low", "gap_high"]
    path[numbers] = 40 * path[numbers]
    path.to_csv(table, index=False)
    manifest = json.loads(told.read_text(encoding="utf-8"))
    manifest["config"]["measure"] = "volume"
    told.write_text(json.dumps(manifest), encoding="utf-8")
    found = rows(tmp_path)
    assert found["several 制裁"] == alone
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    (said,) = re.findall(r"Those of one measure share a scale: ([^<]*?)\. A path", text)
    assert f"returns ±{scale}%" in said
    most = path.loc[path.iloc[:, 0] == "adverse", numbers].abs().max(axis=None)
    assert f"log volume ±{most:.1f} log points" in said
    assert "log points</td>" in found["louder"]
    assert "%</td>" in alone


def test_writing_a_run_renews_the_index(reports: Path) -> None:
    text = (reports / "index.html").read_text(encoding="utf-8")
    assert "several%20%E5%88%B6%E8%A3%81/report.html" in text
    assert "one/report.html" in text
    page = (reports / "one" / "report.html").read_text(encoding="utf-8")
    assert "index.html" not in page, "a page that is mailed has no dead link"


def test_equal_folders_give_equal_bytes(reports: Path) -> None:
    write_index(reports)
    first = (reports / "index.html").read_bytes()
    write_index(reports)
    assert (reports / "index.html").read_bytes() == first
    assert not list(reports.glob(".index.html-*"))


def test_newest_run_first_by_the_time_of_its_manifest(tmp_path: Path) -> None:
    for name, at in [
        ("a", "2024-01-01T00:00:00+00:00"),
        ("b", "2025-01-01T01:00:00+02:00"),
        ("c", "2025-01-01T00:00:00Z"),
    ]:
        run(tmp_path, name, {**BARE, "written_at": at})
    assert list(rows(tmp_path)) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("{", "cut short"),
        ("[" * 100_000, "cut short"),
        (b"\xff\xfe{", "cut short"),
        ("[]", "is not the manifest of a run"),
        ({"schema": "other/1"}, "is not the manifest of a run"),
        ({}, "is not the manifest of a run"),
        ({**BARE, "schema": "eventstudy-run/1"}, "is a run of another version"),
        ({**BARE, "name": "\ud800"}, "cut short"),
        ('{"schema": "eventstudy-run/2", "events": ' + "1" * 5000 + "}", "cut short"),
        ({**BARE, "events": 3}, "no usable events"),
        ({**BARE, "answers": [{"text": 5, "verdict": [1], "estimate": "x"}]}, "no usable answers"),
        ({**BARE, "written_at": "yesterday"}, "no usable written_at"),
    ],
)
def test_what_is_no_run_is_named(tmp_path: Path, manifest: object, why: str) -> None:
    run(tmp_path, "odd", manifest)
    (tmp_path / "<i>thesis").mkdir()
    assert rows(tmp_path) == {}
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    listed = re.findall(r"<li><b><bdi>(.*?)</bdi></b> <span class=\"soft\">(.*?)</span>", text)
    assert listed[0] == ("&lt;i&gt;thesis", "is not a run folder")
    assert listed[1][0] == "odd"
    assert why in listed[1][1]


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"config": {"measure": [1], "windows": {"a": 1}, "returns": 3}},
        {"answers": [{"group": "", "text": "", "verdict": "", "estimate": 1e400, "pvalue": None}]},
        {"written_at": "9999-12-31T23:59:59-01:00"},
        {"written_at": "0001-01-01T00:00:00+01:00"},
    ],
)  # fmt: skip
def test_odd_manifests_have_a_row(tmp_path: Path, extra: dict[str, object]) -> None:
    run(tmp_path, "odd", {**BARE, **extra})
    (row,) = rows(tmp_path).values()
    assert "its report is missing" in row


def test_a_path_that_cannot_be_read_is_left_out(reports: Path, tmp_path: Path) -> None:
    head = "tau,caar,caar_low,caar_high\n"
    tables = [f"{head}0,x,,\n", "a,b\n1,2\n", "", f"{head}0,inf,,\n", f"{head}1,2,,\n1,3,,\n"]
    for i, text in enumerate(tables):
        run(tmp_path, f"r{i}", BARE)
        (tmp_path / f"r{i}" / "tables").mkdir()
        (tmp_path / f"r{i}" / "tables" / "path.csv").write_text(text)
    assert all("nothing to draw" in row for row in rows(tmp_path).values())


def test_a_failed_refresh_is_shown_until_one_succeeds(tmp_path: Path) -> None:
    run(
        tmp_path,
        "nightly",
        BARE,
    )
    show_end(tmp_path, "nightly", "Yahoo is down <b>now</b>")
    show_end(tmp_path, "mistyped", "no such file")
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "last run failed" in text
    assert "Yahoo is down &lt;b&gt;now&lt;/b&gt;" in text
    assert "mistyped" not in text
    show_end(tmp_path, "nightly", "")
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "last refresh" not in text


def test_a_newer_run_outdates_a_failure(tmp_path: Path) -> None:
    written = {**BARE, "written_at": "2999-01-01T00:00:00+00:00"}
    run(tmp_path, "nightly", written)
    show_end(tmp_path, "nightly", "down")
    (row,) = rows(tmp_path).values()
    assert "failed" not in row


def test_an_index_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>My site</h1>")
    assert write_index(tmp_path) is None
    assert (tmp_path / "index.html").read_text() == "<h1>My site</h1>"


def test_failures_of_the_index_are_not_those_of_the_run(tmp_path: Path) -> None:
    show_end(tmp_path / "missing", "x", "trouble")
    assert not (tmp_path / "missing").exists()


@pytest.mark.slow
def test_what_lies_beside_a_run_is_no_error_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A neighbour with a name of no letters, and an index that cannot be written."""
    if sys.platform != "win32":
        (tmp_path / os.fsdecode(b"odd\xff")).mkdir()
    run(tmp_path, "late", {**BARE, "written_at": "9999-12-31T23:59:59-01:00"})
    results = Market(3).fit()
    assert write_run(results, tmp_path, "one", config=CONFIG).is_dir()
    assert {"one", "late"} == set(rows(tmp_path))
    (tmp_path / "index.html").unlink()
    (tmp_path / ".index.html.lock").mkdir()
    assert write_run(results, tmp_path, "two", config=CONFIG).is_dir()
    assert not (tmp_path / "index.html").exists()
    assert [r.getMessage() for r in caplog.records][-1:] == ["index_not_written"]


@pytest.mark.slow
def test_runs_that_end_together_are_all_in_the_index(tmp_path: Path) -> None:
    """Who writes it looks at the folder while nobody else does."""
    for name in ("one", "other"):
        with locked(tmp_path / "index.html"):
            writer = threading.Thread(target=write_index, args=[tmp_path])
            writer.start()
            writer.join(0.5)
            run(tmp_path, name, BARE)
        writer.join()
        assert f"<bdi>{name}</bdi>" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_command_shows_a_run_that_could_not_be_refreshed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    events = "event_id,ticker,announced_at\nx,{},2020-06-15\n"
    asked = ["run", "e.csv", "--offline", "--quiet", *QUICK]
    (tmp_path / "e.csv").write_text(events.format("AAPL"))
    assert CliRunner().invoke(main, asked).exit_code == 0
    (tmp_path / "e.csv").write_text(events.format("NOSUCH"))
    assert CliRunner().invoke(main, ["refresh", *asked[1:]]).exit_code == 1
    (row,) = rows(tmp_path / "reports").values()
    assert "last run failed" in row
    assert "the one event could not be used" in row
    assert 'href="e/report.html"' in row
    (tmp_path / "e.csv").write_text(events.format("AAPL"))
    assert CliRunner().invoke(main, asked).exit_code == 0
    (row,) = rows(tmp_path / "reports").values()
    assert "failed" not in row
    assert not list((tmp_path / "reports").glob(".*.failed.json"))
