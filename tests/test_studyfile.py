"""A study file: every fault with its line, and the same settings as the options of the command
line."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.abnormal import Conventions
from eventstudy.calendars import Window
from eventstudy.cli.basics import DATA, EVENTS, SCHEMA
from eventstudy.cli.main import main
from eventstudy.cli.request import read_order
from eventstudy.errors import ConfigError
from eventstudy.settings import Setting, StudyConfig, StudyFile, StudyFileError, read_config
from eventstudy.settings.study_file import RunSettings

FAULTY = """# a study
events = "e.csv"
modle = "market"
windows = [
  "0:1",
  "1:x",
]
engine = "bach"
max-loss = 0.2
seed = -1
tests = ["bmpp"]
min_estimation = "many"
name = "../x"
by = \"\"\"a
[grid.none]
modle = 3\"\"\"

[grid]
model = "markt"
halt = "stop"
cor = "-40:10"

[variants.adjusted]
kind = "log"
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return tmp_path / "study.toml"


def faults(path: Path, text: str) -> list[tuple[int, str]]:
    """Return line and place of every fault that a text has."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        StudyFile.read(path)
    assert str(caught.value).splitlines() == [f"{path}:{p}" for p in caught.value.problems]
    return [(p.line, p.column) for p in caught.value.problems]


def test_all_faults_are_said_at_once_each_with_its_line(study: Path) -> None:
    assert faults(study, FAULTY) == [
        (3, "modle"), (4, "windows"), (8, "engine"), (9, "max-loss"), (10, "seed"), (11, "tests"),
        (12, "min_estimation"), (13, "name"), (19, "grid.model"), (20, "grid.halt"), (21, "grid.cor"),
        (23, "variants"),
    ]  # fmt: skip


def test_closest_names_are_shown(study: Path) -> None:
    study.write_text(FAULTY, encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        StudyFile.read(study)
    said = str(caught.value)
    for name in ("model", "batch", "max_loss", "bmp", "market"):
        assert f"did you mean '{name}'?" in said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a = 1\nb = [1,\n\n", (2, "end of the file")),
        ("kind = simple\n", (1, "column 8")),
        ('by = "a"\nby = "b"\n', (2, "column 9")),
        ("variants = 3", (1, "variants")),
        ('[variants.a]\nmodel = "market"', (1, "variants")),
        ("placebo = 0", (1, "placebo")),
        ("[grid]\nx = 3", (2, "grid.x")),
        ('grid = { modle = "market" }', (1, "grid.modle")),
        ('grid.halt = "shift"\ngrid.model = 3', (2, "grid.model")),
        ('\r\n"model" = "markt"\r\n', (2, "model")),
        ('event = "-40:10"', (1, "event")),
        ('event = "-5:5"\nestimation = "-30:-3"', (2, "estimation")),
        ('prices = "sample"\nreturns = "r.csv"', (2, "returns")),
        ('returns = "r.csv"\n\nvintage = 2024-03-01', (3, "vintage")),
        ('vintage = "yesterday"', (1, "vintage")),
        ("max_loss = nan", (1, "max_loss")),
        ("strict = 1", (1, "strict")),
        ("draws = 0", (1, "draws")),
        ("placebo = 20", (1, "placebo")),
        ("calibrate = 20001", (1, "calibrate")),
        ("confounder_days = 20001", (1, "confounder_days")),
        ('estimation = "-20001:-31"', (1, "estimation")),
        ("windows = [[0, 20001]]", (1, "windows")),
        ('currency = "usd"', (1, "currency")),
        ('model = "dimson"\nmodel_options = ["lag=2"]', (2, "model_options")),
        ('model = "theil_sen"\ncov_type = "HC3"', (2, "cov_type")),
    ],
)
def test_one_fault(text: str, found: tuple[int, str], study: Path) -> None:
    assert faults(study, text) == [found]


@given(
    st.lists(
        st.sampled_from(["# c", "", 'by = "x"', 'name = """a\n\nb"""', "draws = [\n1]", "[grid]"])
    )
)
def test_lines_are_those_of_the_text(parts: list[str]) -> None:
    """Whatever stands before it, a fault in the last line is of the last line."""
    from eventstudy.settings.study_file import _places

    unique = list(dict.fromkeys(parts))
    text = "\n".join([*unique, "last = 1"])
    found = [(keys, line) for keys, line in _places(text).values() if keys[-1] == "last"]
    assert found[0][1] == text.count("\n") + 1
    tree = tomllib.loads(text)
    for key in found[0][0]:
        tree = tree[key]
    assert tree == 1


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    study = tmp_path / "in" / "study.toml"
    study.write_text(
        'events = "e.csv"\nfactors = ["f.csv", "/g.csv"]\nprices = "px"\n', encoding="utf-8"
    )
    order = read_order(None, study, {})
    below = tmp_path / "in"
    assert (order.origin.events, order.out, order.name) == (below / "e.csv", below / "reports", "e")
    assert order.origin.config.factors == (str(below / "f.csv"), "/g.csv")
    assert order.origin.config.prices == str(below / "px")
    study.write_text('events = "e.csv"\nprices = "sample"\n', encoding="utf-8")
    assert read_order(study, None, {}).origin.config.prices == "sample"


def test_options_win(study: Path) -> None:
    study.write_text('events = "e.csv"\nengine = "batch"\nmodel = "market"\n', encoding="utf-8")
    order = read_order(
        study, Path("other.csv"), {"model": "constant_mean", "tests": ("bmp",), "by": None}
    )
    assert order.origin.events == Path("other.csv")
    config = order.origin.config
    assert (config.model, config.engine, config.tests) == ("constant_mean", "batch", ("bmp",))


def test_check_is_of_the_file_and_of_its_events(study: Path) -> None:
    (study.parent / "e.csv").write_text("ticker,announced_at\nNVDA,2022-08-31\n", encoding="utf-8")
    study.write_text('events = "e.csv"\n', encoding="utf-8")
    done = CliRunner().invoke(main, ["check", str(study)])
    assert (done.exit_code, done.stdout.split()[:2]) == (0, ["2022-08-31", "NVDA"])
    study.write_text('events = "e.csv"\nmodle = "market"\n', encoding="utf-8")
    done = CliRunner().invoke(main, ["check", str(study)])
    assert (done.exit_code, done.stdout.split()[:2]) == (2, ["2022-08-31", "NVDA"]), (
        "the events are shown all the same"
    )
    assert f"{study}:2: modle: unknown setting" in done.stderr
    assert "1 event is good, 1 problem found" in done.stderr


REFUSED = """events = "e.csv"
by = "sectr"
regress = ["sector", "directon"]
tests = ["bmpp"]
modle = "market"
model = "ff3"
prices = "yaho"
confounders = "news.csv"
benchmark = "peers"
size = "sizes.csv"

[grid]
sample = "direcion == 'adverse'"
model = "markt"
"""


def test_check_says_all_that_a_run_refuses_at_once(study: Path) -> None:
    """Settings, the files and columns they name, and the rows of the events, each with its line."""
    (study.parent / "e.csv").write_text(
        "ticker,announced_at,sector,direction\nNVDA,2022-08-31,chips,adverse\nNVDA,2022-13-31,chips,relief\n"
    )
    study.write_text(REFUSED, encoding="utf-8")
    done = CliRunner().invoke(main, ["check", str(study)])
    assert done.exit_code == 2
    told = [line.removeprefix(f"{study}:").split(": ")[:2] for line in done.stderr.splitlines()]
    assert told[:-2] == [
        ["2", "by"], ["3", "regress"], ["4", "tests"], ["5", "modle"], ["6", "model"],
        ["7", "prices"],
        ["8", str(study.parent / "news.csv")], ["9", "benchmark"], ["10", "size"],
        ["13", "grid.sample"],
        ["14", "grid.model"],
    ]  # fmt: skip
    assert f"{study.parent / 'e.csv'}:3: announced_at" in done.stderr
    assert "did you mean 'sector'?" in done.stderr
    assert "1 event is good, 12 problems found" in done.stderr
    plain = json.loads(CliRunner().invoke(main, ["check", str(study), "--json"]).stdout)
    assert [p["line"] for p in plain["settings"]] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14]
    assert [p["line"] for p in plain["problems"]] == [3]


@pytest.mark.parametrize("line", REFUSED.splitlines()[1:])
def test_check_refuses_what_a_run_refuses(line: str, study: Path) -> None:
    """Each fault alone: nothing passes the check that stops the run, and the words are the same."""
    if " = " not in line:
        return
    rows = [
        "ticker,announced_at,sector,direction",
        "NVDA,2022-08-31,chips,adverse",
        "AAPL,2020-08-31,chips,relief",
    ]
    (study.parent / "e.csv").write_text("\n".join(rows))
    head = 'events = "e.csv"\n' + 'prices = "sample"\n' * ("prices" not in line)
    inner = "[grid]\n" * (line in REFUSED.partition("[grid]\n")[2].splitlines())
    study.write_text(f"{head}{inner}{line}\n", encoding="utf-8")
    checked = CliRunner().invoke(main, ["check", str(study)])
    ran = CliRunner().invoke(main, ["run", str(study), "--quiet"])
    assert checked.exit_code == 2, checked.output
    assert ran.exit_code in (1, 2), ran.output
    [fault] = [part for part in checked.stderr.splitlines() if "problem found" not in part]
    value = re.search(r"got ('[^']*')|news.csv", fault)
    assert value is None or value[0] in ran.stderr


@pytest.mark.parametrize(
    ("line", "code"), [('by = "kind"', 0), ('by = "draws"', 2), ('by = "tau"', 2)]
)
def test_a_column_of_the_tables_cannot_split_events(line: str, code: int, study: Path) -> None:
    (study.parent / "e.csv").write_text(
        "ticker,announced_at,kind,tau,draws\nNVDA,2022-08-31,a,b,c\n"
    )
    study.write_text(f'events = "e.csv"\nprices = "sample"\n{line}\n', encoding="utf-8")
    done = CliRunner().invoke(main, ["check", str(study)])
    assert done.exit_code == code
    assert ("3: by: the tables of groups use this name" in done.stderr) == bool(code)


def test_check_without_events_says_so(study: Path) -> None:
    for text, told in (
        ("", "1: events: the study file names no events"),
        ('events = "none.csv"\n', "there is no such file"),
    ):
        study.write_text(f"{text}by = 5\n", encoding="utf-8")
        done = CliRunner().invoke(main, ["check", str(study)])
        assert (done.exit_code, done.stdout) == (2, "")
        assert told in done.stderr
        assert "by: not a text" in done.stderr


def test_a_study_has_one_list_of_events(study: Path) -> None:
    study.write_text('events = ["a.csv", "b.csv"]\n', encoding="utf-8")
    done = CliRunner().invoke(main, ["check", str(study)])
    assert done.exit_code == 2
    assert "one study has one list; write one study file per list" in done.stderr


def test_two_study_files_are_refused(study: Path) -> None:
    with pytest.raises(ConfigError, match="two study files"):
        read_order(study, study, {})


def test_from_toml_and_back(study: Path) -> None:
    study.write_text('windows = ["0:1"]\n[grid]\ncar = "0:3"\n', encoding="utf-8")
    config = es.read_config(study)
    assert config.choices.car == (Window(0, 3),)
    plain = json.loads(json.dumps(config.to_dict()))
    assert StudyConfig().with_options(plain) == config


def test_examples_of_the_document_are_good(study: Path) -> None:
    text = (ROOT / "docs" / "study-file.md").read_text(encoding="utf-8")
    example, *further = re.findall(r"^```toml\n(.*?)^```", text, re.S | re.M)
    study.write_text(example, encoding="utf-8")
    assert read_order(study, None, {}).origin.config.grid
    for text in (example, *further):
        assert _validator().is_valid(tomllib.loads(text))
    study.write_text("\n".join(further), encoding="utf-8")
    assert read_config(study).grid["halt"] == ["calendar", "shift"]


def test_every_setting_says_what_it_means() -> None:
    for record in (RunSettings, StudyConfig, Conventions):
        assert all(setting.about.endswith(".") for setting in Setting.of(record).values()), record
    names = [f.name for f in fields(StudyConfig)]
    assert list(StudyFile.settings()) == names
    document = (ROOT / "docs" / "study-file.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in document for name in Setting.of(RunSettings))


class TestInit:
    def test_the_file_shows_every_setting_with_its_default(self, study: Path) -> None:
        text = StudyFile.template()
        bare = text.partition("# ---- A grid")[0]
        study.write_text(re.sub(r"^#(?=\w+ = )", "", bare, flags=re.M), encoding="utf-8")
        assert set(tomllib.loads(study.read_text(encoding="utf-8"))) | {"grid"} == {
            *Setting.of(RunSettings), *Setting.of(StudyConfig),
        }  # fmt: skip
        assert read_config(study) == StudyConfig()
        assert read_order(study, None, {}).out == study.parent / "reports"

    def test_the_grid_that_it_suggests_is_good(self, study: Path) -> None:
        study.write_text(
            re.sub(r"^#(?=\[|\w+ = )", "", StudyFile.template(), flags=re.M), encoding="utf-8"
        )
        assert set(read_config(study).grid) == {"model", "sample"}

    def test_rows_are_those_of_the_list_of_the_project(self) -> None:
        listed = {(r["ticker"], str(r["announced_at"])) for r in _rows(ROOT / "events.csv")}
        rows = (DATA / "init" / EVENTS).read_text(encoding="utf-8")
        assert {(r["ticker"], str(r["announced_at"])) for r in _rows(rows)} <= listed
        assert rows.splitlines()[1].split(",")[1:3] == ["002415.SZ", "2019-05-22"]

    @pytest.mark.slow
    def test_it_writes_what_runs_and_names_the_next_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        made = CliRunner().invoke(main, ["init", "my study"])
        assert made.exit_code == 0, made.output
        assert made.output.endswith("\n  eventstudy run 'my study/study.toml'\n")
        folder = tmp_path / "my study"
        assert {p.name for p in folder.iterdir()} == {
            "study.toml",
            "events.csv",
            "study.schema.json",
        }
        done = CliRunner().invoke(main, ["run", "my study/study.toml", "--offline"])
        assert done.exit_code == 0, done.output
        assert (folder / "reports" / "events" / "report.html").is_file()

    @pytest.mark.parametrize("name", ["study.toml", "events.csv", "study.schema.json"])
    def test_it_overwrites_nothing(self, name: str, tmp_path: Path) -> None:
        (tmp_path / name).write_text("mine", encoding="utf-8")
        done = CliRunner().invoke(main, ["init", str(tmp_path)])
        assert done.exit_code == 2
        assert f"holds {name} already; nothing was written" in done.stderr
        assert [p.read_text(encoding="utf-8") for p in tmp_path.iterdir()] == ["mine"]


class TestSchema:
    def test_it_is_in_step(self) -> None:
        published = (DATA / SCHEMA).read_text(encoding="utf-8")
        made = json.dumps(StudyFile.schema(), indent=1, ensure_ascii=False) + "\n"
        assert published == made, "run eventstudy schema study > eventstudy/data/study.schema.json"

    @pytest.mark.parametrize(
        "text",
        [
            'events = "e.csv"\nwindows = ["0:1", [-1, 1], "[0,5]"]\nestimation = [-200, -21]',
            'tests = "bmp"\nmodel = "ff3"\nmax_loss = 0.2\nfpc = true',
            '[grid]\nmodel = "market_adjusted"\ncar = ["0:1", [0, 5]]',
            'vintage = "2024-03-01"',
            'estimation = "-20000:-31"\nevent = [-5, 20000]\ncalibrate = 20000',
        ],
    )
    def test_it_takes_what_the_program_takes(self, text: str, study: Path) -> None:
        study.write_text(text, encoding="utf-8")
        StudyFile.read(study)
        _validator().validate(tomllib.loads(text))

    @pytest.mark.parametrize(
        "text",
        [
            "modle = 3", 'engine = "bach"', "draws = 0", "max_loss = 2", 'tests = ["bmpp"]',
            'event = "5"',
            '[grid]\nprices = "sample"', '[variants.main]\nkind = "log"', 'strict = "no"',
            "placebo = 99", "windows = 5", 'model = "markt"',
            "calibrate = 20001", "estimation = [-20001, -31]", 'event = "-5:20001"',
            'event = "-5:100000"',
        ],
    )  # fmt: skip
    def test_it_refuses_what_the_program_refuses(self, text: str, study: Path) -> None:
        assert faults(study, text)
        assert not _validator().is_valid(tomllib.loads(text))


def _validator():  # type: ignore[no-untyped-def]
    jsonschema = pytest.importorskip("jsonschema")
    found = StudyFile.schema()
    jsonschema.Draft7Validator.check_schema(found)
    return jsonschema.Draft7Validator(found)


def _rows(source: Path | str) -> list[dict[str, str]]:
    import csv
    import io

    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
    return list(csv.DictReader(io.StringIO(text)))
