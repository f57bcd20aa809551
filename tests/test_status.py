"""`eventstudy status`: what a monitor asks of a folder of runs, and the index's last check."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from run_folders import AT, DAYS, FIRMS, Project, invoke

from eventstudy.cli.main import main


@pytest.fixture
def project(studied: Project, tmp_path: Path) -> Project:
    return studied.copied(tmp_path)


def states(project: Project, *more: object, code: int = 0) -> list[dict[str, str]]:
    document: list[dict[str, str]] = json.loads(
        invoke("status", project.out, "--json", *more, code=code)
    )
    return document


def test_a_check_that_finds_nothing_new_is_the_newest(project: Project) -> None:
    (first,) = states(project)
    assert (first["run"], first["state"]) == ("events", "good")
    assert first["checked"] == first["written"]
    assert first["data_to"] == f"{DAYS[project.until - 1]:%Y-%m-%d}"
    stamp = json.loads((project.run / "manifest.json").read_text(encoding="utf-8"))["written_at"]
    assert datetime.fromisoformat(first["written"]) == datetime.fromisoformat(stamp)
    invoke("refresh", *project.options)  # this folder is another one: it may be written anew
    ago = datetime.now(UTC) - timedelta(days=3)
    check = project.out / ".events.checked.json"
    assert "nothing new" in invoke("refresh", *project.options[:-1])
    assert json.loads(check.read_text(encoding="utf-8"))["name"] == "events"
    page = (project.out / "index.html").read_text(encoding="utf-8")
    assert "; prices used until " in page
    assert "stale" not in invoke("status", project.out, "--max-age", "1")
    assert states(project)[0]["checked"] > ago.isoformat()
    assert states(project, "--max-age", "0", code=3)[0]["state"] == "stale"
    with project.events.open("a") as file:
        file.write(f"e-ZZZ,ZZZ,{DAYS[150]:%Y-%m-%d},MKT\n")
    invoke("refresh", *project.options, "--strict", code=3)
    check.unlink()
    assert "nothing new" in invoke("refresh", *project.options[:-1], "--strict", code=3)
    assert check.is_file(), "prices were checked, though the study is not complete"
    assert states(project, "--max-age", "0", code=3)[0]["why"] == "its last check is too long ago"
    assert states(project, "--data-age", "1")[0]["state"] == "good", "no new price can change it"


def test_a_run_that_waits_for_prices_may_have_old_ones(tmp_path: Path) -> None:
    made = Project(tmp_path, until=max(AT) + 2)
    made.study()
    old = (date.today() - DAYS[made.until - 1].date()).days  # noqa: DTZ011
    [stale] = states(made, "--data-age", str(old - 2), code=3)
    assert (stale["state"], stale["why"]) == ("stale", "its newest price is too old")
    assert states(made, "--data-age", str(old + 2))[0]["state"] == "good"


@pytest.mark.slow
def test_failures_damage_and_what_waits(project: Project) -> None:
    (project.prices / "AAA.csv").unlink()
    invoke("refresh", *project.options, code=3)
    (failed,) = states(project, code=3)
    assert (failed["state"], "AAA" in failed["why"]) == ("failed", True)
    assert "events: failed" in invoke("status", project.run, "--quiet", code=3)
    # A run that is written ends a failure, by whatever clock: both may bear the same second.
    failure = project.out / ".events.failed.json"
    late = json.loads(failure.read_text(encoding="utf-8")) | {"at": "2999-01-01T00:00:00+00:00"}
    failure.write_text(json.dumps(late), encoding="utf-8")
    project.write("AAA")
    project.announce(("AAA", "BBB"))
    invoke("refresh", *project.options, "--on-change", "false", code=75)
    assert states(project, code=3)[0]["state"] == "undelivered"
    invoke("refresh", *project.options, "--on-change", "true")
    assert invoke("status", project.out, "--quiet") == ""
    page, cars = project.run / "report.html", project.run / "tables" / "car.csv"
    page.write_text(page.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    cars.unlink()
    (damaged,) = states(project, code=3)
    assert damaged["state"] == "damaged"
    assert damaged["why"].startswith("tables/car.csv, report.html missing or not as written")
    (project.run / "manifest.json").write_text("{")
    assert states(project, code=3)[0]["state"] == "unreadable"
    (project.run / "manifest.json").unlink()
    for place in (project.out, project.run):
        assert "events: unreadable" in invoke("status", place, code=3)


def test_a_list_with_problems_is_told_with_the_first(project: Project) -> None:
    text = project.events.read_text(encoding="utf-8")
    project.events.write_text(f"{text}last,CCC,2026-31-10,MKT\n", encoding="utf-8")
    invoke("refresh", *project.options, code=1)
    (failed,) = states(project, code=3)
    line = text.count("\n") + 1
    assert f"; line {line}: announced_at: there is no such day" in failed["why"]


@pytest.mark.parametrize("other", ["settings", "forced", "events", "no events", "refused"])
def test_a_failed_run_of_another_study_leaves_the_state(project: Project, other: str) -> None:
    """Of the same name, but with other settings or events; one of the same study counts."""
    more = {
        "settings": ("--model", "market_adjusted"), "refused": ("--factors", "none.csv"),
        "forced": ("--model", "market_adjusted", "--force"),
    }  # fmt: skip
    invoke("refresh", *project.options)
    (project.prices / "MKT.csv").unlink()
    if other == "events":
        project.announce(("AAA", "BBB"))
    if other == "no events":
        project.events.unlink()
    said = CliRunner().invoke(
        main, [str(a) for a in ("run", *project.options, *more.get(other, ()))]
    )
    assert said.exit_code in (1, 2), said.output
    assert states(project)[0]["state"] == "good"
    project.announce(FIRMS)
    invoke("run", *project.options, code=1)
    assert states(project, code=3)[0]["state"] == "failed"


def test_no_run_is_said(tmp_path: Path) -> None:
    assert "there is no run" in invoke("status", tmp_path, code=1)
