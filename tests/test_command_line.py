"""Help, names, completion and ways to name a study on the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from conftest import ROOT

from eventstudy.cli.main import main
from eventstudy.cli.options import Option, StudyCommand
from eventstudy.models import MODELS
from eventstudy.settings import Setting, StudyFile
from eventstudy.settings.settings import COMMAND_NAMES
from eventstudy.settings.study_file import RunSettings
from eventstudy.significance import STATISTICS

ROWS = "event_id,ticker,announced_at\na,AAPL,2020-08-06\nn,NVDA,2022-08-31\n"
OPTIONS = ["--prices", "sample", "--offline", "--calibrate", "0", "--event-pages", "0"]
STUDIES = [name for name, c in main.commands.items() if isinstance(c, StudyCommand)]


def invoke(*args: object, text: str | None = None, env: dict[str, str] | None = None) -> object:
    return CliRunner().invoke(main, [str(a) for a in args], input=text, env=env)


def first_commands() -> list[list[str]]:
    """Return what the program alone says to do first."""
    done = invoke()
    assert done.exit_code == 0
    return [re.split(r"\s{2,}", line)[0].split() for line in done.output.splitlines()]


def test_alone_it_names_commands_that_there_are() -> None:
    commands = first_commands()
    assert [command[0] for command in commands] == ["eventstudy"] * 4
    assert {command[1] for command in commands} <= {"--help", *main.commands}


@pytest.mark.slow
def test_alone_it_says_what_to_do_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in first_commands():
        done = invoke(*command[1:])
        assert done.exit_code == 0, done.output
    assert (tmp_path / "reports" / "events" / "report.html").is_file()


@pytest.mark.parametrize("name", STUDIES)
def test_help_is_short_and_help_all_has_every_option_in_a_group(name: str) -> None:
    brief, every = (invoke(name, option) for option in ("--help", "--help-all"))
    assert (brief.exit_code, every.exit_code) == (0, 0)
    assert f"{name} --help-all" in brief.output
    assert brief.output.count("\n") < 70 < every.output.count("\n")
    assert all(len(line) <= 80 for line in brief.output.splitlines())
    options = [o for o in main.commands[name].params if isinstance(o, click.Option)]
    for option in options:
        assert isinstance(option, Option)
        assert max(option.opts, key=len) in every.output
        letter = next((o for o in option.opts if len(o) == 2), "")
        assert (f"\n  {letter}, " in brief.output) == option.is_common == bool(letter)
    assert 8 <= sum(option.is_common for option in options) <= 15
    for group in ("Study", "Prices", "Windows", "Events", "Tests", "Output"):
        assert f"\n{group}:\n" in every.output
    assert "Exit codes: " in every.output


def test_help_names_the_choices_that_there_are() -> None:
    text = " ".join(invoke("run", "--help-all").output.split())
    assert f"One of {', '.join(MODELS)}, or" in text
    assert f"One of {', '.join(STATISTICS)}, or" in text
    for name, setting in StudyFile.settings().items():
        if 0 < len(setting.choices) <= 8:
            words = filter(None, setting.choices)
            assert f"[{'|'.join(words)}]" in text, name


def test_every_setting_of_a_study_file_is_an_option_of_its_name_with_its_default() -> None:
    settings = {**Setting.of(RunSettings), **StudyFile.settings()}
    by_name = {o.name: o for o in main.commands["run"].params}
    for name, setting in settings.items():
        if name in ("variants", "grid", "events"):
            continue
        option = by_name[name]
        assert f"--{name.replace('_', '-')}" in option.opts, name
        assert option.multiple == setting.several
        assert option.is_flag == (setting.kind is bool)
        if isinstance(setting.default, str | int | float) and setting.default not in ("", False):
            assert f"[default: {setting.default}]" in option.help, name
    for name, setting in COMMAND_NAMES.items():
        assert name == "csv" or f"--{name.replace('_', '-')}" in by_name[setting].opts


def test_names_of_a_study_file_are_options(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(ROWS, encoding="utf-8")
    done = invoke(
        "run", tmp_path / "e.csv", *OPTIONS, "-o", tmp_path, "--event", "-5:5", "--windows", "0:2",
        "--tests", "bmp", "--cov_type", "HC1", "--min_estimation", "90", "-m", "capm", "--title",
        "Two", "-n", "x", "-j", "--model", "market",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    settings = json.loads(done.stdout)["setup"]["settings"]
    assert settings["event"] == "-5:5"
    assert settings["windows"] == ["0:2"]
    assert settings["tests"] == ["bmp"]
    assert (settings["cov_type"], settings["min_estimation"]) == ("HC1", 90)
    assert (settings["model"], settings["title"]) == ("market", "Two")


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["rnu"], "did you mean 'run'?"),
        (["run", "e.csv", "--modle", "x"], "did you mean '--model'?"),
        (["run", "e.csv", "--model", "markte"], "did you mean 'market'?"),
        (["run", "e.csv", "--test", "bmp_kpp"], "did you mean 'bmp_kp'?"),
        (["run", "e.csv", "--halt", "shft"], "did you mean 'shift'?"),
        (["run", "e.csv", "--prices", "smaple"], "did you mean 'sample'?"),
        (["run", "e.csv", "--prices", "sample", "--by", "secotr"], "did you mean 'sector'?"),
        (["run", "s.toml"], "did you mean 'estimation'?"),
        (["prices", "ftech"], "did you mean 'fetch'?"),
    ],
)
def test_the_closest_name_is_proposed(
    args: list[str], hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = ROWS.replace("\n", ",chips\n").replace("at,chips", "at,sector", 1)
    Path("e.csv").write_text(rows, encoding="utf-8")
    Path("s.toml").write_text('events = "e.csv"\nestimaton = "-250:-31"\n', encoding="utf-8")
    done = invoke(*args)
    assert done.exit_code == 2
    assert hint in done.stderr
    assert done.stderr.startswith(("eventstudy: ", "s.toml"))


@pytest.mark.slow
def test_events_can_come_from_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("run", "-", *OPTIONS, text=ROWS)
    assert done.exit_code == 0, done.output
    run = tmp_path / "reports" / "stdin"
    assert (run / "data" / "events.csv").read_text(encoding="utf-8") == ROWS
    assert invoke("verify", run).exit_code == 0
    # By its name, as the page prints it, from where the study was run, and from beside the run.
    assert invoke("verify", "stdin").exit_code == 0
    monkeypatch.chdir(run.parent)
    assert invoke("verify", "stdin").exit_code == 0
    monkeypatch.chdir(tmp_path)
    assert "other: is not a run folder" in invoke("verify", "other").stderr
    assert invoke("reproduce", run).exit_code == 0
    assert invoke("refresh", run).exit_code == 0, "the run has its own copy"
    assert "2 events are good" in invoke("check", "-", text=ROWS).output
    done = invoke("run", "-", text=ROWS.replace("2022-08-31", "soon"))
    assert done.exit_code == 1
    assert "stdin.csv:3: announced_at" in done.stderr


@pytest.mark.slow
def test_without_a_file_the_study_of_the_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("events.csv").write_text(ROWS, encoding="utf-8")
    done = invoke("run", *OPTIONS)
    assert (done.exit_code, done.stderr) == (0, "Reading events.csv.\n")
    Path("study.toml").write_text('events = "events.csv"\nname = "mine"\n', encoding="utf-8")
    done = invoke("run", *OPTIONS)
    assert (done.exit_code, done.stderr) == (0, "Reading study.toml.\n")
    assert Path("reports", "mine", "report.html").is_file()
    assert invoke("run", *OPTIONS, "-q").output == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script_of_a_shell(shell: str) -> None:
    done = invoke("completion", shell)
    assert done.exit_code == 0
    assert "_EVENTSTUDY_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ca", {"calibrate", "card"}),
        ("run e.csv --mod", {"--model", "--model-option", "--model-options"}),
        ("run e.csv --model mark", {"market", "market_adjusted"}),
        ("run e.csv --model market,mark", {"market,market", "market,market_adjusted"}),
        ("run e.csv --test bmp", {"bmp", "bmp_kp"}),
        ("run e.csv --measure v", {"volume", "volatility"}),
        ("run e.csv --calendar ", {"exchange", "data"}),
        ("run e.csv -p s", {"sample", "store", "s"}),
        ("report r --format x", {"xlsx"}),
    ],
)
def test_names_and_values_are_completed(words: str, expected: set[str]) -> None:
    line = f"eventstudy {words}".split(" ")
    env = {
        **os.environ, "PYTHONPATH": str(ROOT), "_EVENTSTUDY_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(line), "COMP_CWORD": str(len(line) - 1),
    }  # fmt: skip
    code = "from eventstudy.cli.main import main; main(prog_name='eventstudy')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False
    )
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == expected, done.stderr
