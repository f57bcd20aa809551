"""A study without a usable event: the page says why, and no result is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from run_folders import QUICK

from eventstudy.cli.main import main

GOOD = "ticker,announced_at\nAAPL,2019-09-01\nMSFT,2020-02-03\n"
BAD = "ticker,announced_at,company\nAAPL,2014-01-05,Apple\nMSFT,2014-01-06,<b>Microsoft</b>\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, text: str, *options: str) -> Result:
    (folder / "events.csv").write_text(text)
    return CliRunner().invoke(main, ["run", "events.csv", "--offline", *QUICK, *options])


def test_the_page_says_why_with_the_data_first(folder: Path) -> None:
    result = run(folder, BAD)
    page = (folder / "reports" / "events" / "report.html").read_text(encoding="utf-8")
    assert result.exit_code == 1
    assert str(Path("reports") / "events" / "report.html") in result.output
    assert "<h1>No result: none of the 2 announcements could be used</h1>" in page
    assert "Most frequent reason" in page
    assert "<section" not in page
    assert page.index('<details id="data" open>') < page.index('<details id="method"')
    assert "Apple" in page
    methods = re.sub(r"<[^>]+>", "", page.partition('<details id="method"')[2])
    methods = methods.partition("Words")[0]
    assert "Nothing was computed." in methods
    assert not re.search(r"were computed|as used|BMP|p-value", methods)
    assert "&lt;b&gt;Microsoft" in page


@pytest.mark.parametrize("options", [["--by", "company"], ["--regress", "company"]], ids=str)
def test_what_is_asked_for_beside_the_answer_needs_events(folder: Path, options: list[str]) -> None:
    result = run(folder, BAD, *options)
    assert result.exit_code == 1, result.output
    assert "none of 2 events could be used" in result.output
    assert (folder / "reports" / "events" / "report.html").is_file()


@pytest.mark.slow
def test_a_run_with_results_stays(folder: Path) -> None:
    assert run(folder, GOOD).exit_code == 0
    page = (folder / "reports" / "events" / "report.html").read_bytes()
    result = run(folder, BAD)
    assert result.exit_code == 1
    assert "report.html" not in result.output
    assert (folder / "reports" / "events" / "report.html").read_bytes() == page


@pytest.mark.slow
def test_a_failed_run_gives_way_to_the_next(folder: Path) -> None:
    run(folder, BAD)
    assert run(folder, BAD.splitlines(keepends=True)[0] + "MSFT,2014-01-06,other\n").exit_code == 1
    page = folder / "reports" / "events" / "report.html"
    assert (
        "the one announcement could not be used. Reason: too few complete days"
        in page.read_text(encoding="utf-8")
    )
    assert run(folder, GOOD).exit_code == 0
    assert "No result" not in page.read_text(encoding="utf-8")
