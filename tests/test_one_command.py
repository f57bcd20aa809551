"""``eventstudy one``: one announcement from the command line, by the machinery of ``run``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from run_folders import QUICK

from eventstudy.cli.main import main

SAMPLE = ("--prices", "sample", "--offline", *QUICK)


def eventstudy(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eventstudy", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one announcement has been studied."""
    made = tmp_path_factory.mktemp("one")
    done = eventstudy(made, "one", "NVDA", "2022-08-31", *SAMPLE, "-w", "0:1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("NVDA fell 9.1% more than the market implied")
    return made


@pytest.mark.slow
def test_the_run_keeps_the_events_file_and_the_command(folder: Path) -> None:
    run = folder / "reports" / "NVDA-2022-08-31"
    events = (run / "data" / "events.csv").read_text(encoding="utf-8")
    assert events == "ticker,announced_at\nNVDA,2022-08-31\n"
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"].startswith("eventstudy one NVDA 2022-08-31 --prices sample")


@pytest.mark.slow
def test_it_is_the_study_of_that_file(folder: Path) -> None:
    events = Path("reports", "NVDA-2022-08-31", "data", "events.csv")
    done = eventstudy(folder, "run", str(events), *SAMPLE, "-w", "0:1", "-n", "again")
    assert done.returncode == 0, done.stderr
    tables = [folder / "reports" / name / "tables" for name in ("NVDA-2022-08-31", "again")]
    assert (tables[0] / "caar.csv").is_file()
    for path in tables[0].glob("*.csv"):
        assert path.read_bytes() == (tables[1] / path.name).read_bytes(), path.name


@pytest.mark.slow
def test_once_more_it_takes_its_own_place_and_is_up_to_date(folder: Path) -> None:
    done = eventstudy(folder, "one", "NVDA", "2022-08-31", *SAMPLE, "-w", "0:1", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (folder / "reports" / "NVDA-2022-08-31-2").exists()
    done = eventstudy(folder, "refresh", "reports/NVDA-2022-08-31")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("nothing new")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("NVDA", "2022-13-31"), "DATE: there is no such day, got '2022-13-31'"),
        (("2022-08-31", "NVDA"), "the two are swapped, got '2022-08-31 NVDA'"),
        (("NV DA", "2022-08-31"), "TICKER: has a space inside, got 'NV DA'"),
        (("", "2022-08-31"), "TICKER: is empty"),
        (("NVDA",), "Missing argument 'DATE'"),
        (("CON.DE", "2022-08-31"), "Windows reserves this name for a device"),
        (("NVDA", "2022-08-31", "--name", "a/b"), "--name: not a name for a study"),
    ],
)
def test_a_wrong_ticker_or_date_is_named(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["one", *arguments, *SAMPLE])
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_name_has_no_letter_that_a_folder_cannot_have(tmp_path: Path) -> None:
    done = eventstudy(tmp_path, "one", "M&M.NS", "2022-08-31T16:30-04:00", *SAMPLE)
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "reports" / "M-M.NS-2022-08-31" / "report.html").is_file()


@pytest.mark.slow
def test_a_kept_case_is_shown_and_is_no_study(tmp_path: Path) -> None:
    """Text and JSON have its numbers, and end as any event whose prices cannot be had."""
    command = "one", "002415.SZ", "2019-05-22", "--offline"
    text = eventstudy(tmp_path, *command)
    document = eventstudy(tmp_path, *command, "--json")
    assert (text.returncode, document.returncode) == (1, 1)
    assert text.stderr == document.stderr != ""
    assert "-4.92% (t = -2.24, p = 0.026)" in text.stdout
    kept = json.loads(document.stdout)["kept_case"]
    assert (kept["name"], kept["event"]["ticker"]) == ("hikvision-2019", "002415.SZ")
    assert not list(tmp_path.rglob("report.html"))
