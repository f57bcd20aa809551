"""The conformance suite: programs that are right pass, planted faults are found by the numbers that they touch."""

from __future__ import annotations

import importlib
import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT

SUITE = ROOT / "benchmarks" / "conformance"
OURS, LOOP = SUITE / "adapters" / "ours.py", SUITE / "adapters" / "statsmodels_loop.py"
Verdicts = dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def suite() -> SimpleNamespace:
    """Return the modules of the suite."""
    sys.path.insert(0, str(SUITE))
    modules = {name: importlib.import_module(name) for name in ("cases", "run")}
    sys.path.remove(str(SUITE))
    return SimpleNamespace(**modules)


def run(adapter: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Put an adapter through the suite."""
    command = shlex.join([sys.executable, str(adapter)])
    order = [sys.executable, str(SUITE / "run.py"), "--adapter", command, *options]
    return subprocess.run(order, capture_output=True, text=True, check=False, timeout=500)


def verdicts(done: subprocess.CompletedProcess[str], title: str) -> Verdicts:
    """Return how often each verdict was given, by the rows of a table of the output."""
    lines = done.stdout.split(f"| {title} |")[1].split("\n\n")[0].splitlines()
    heads, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {name: dict(zip(heads, map(int, counts), strict=True)) for name, *counts in rows}


def disagreeing(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the quantities with a number that disagrees."""
    return {name for name, row in verdicts(done, "number").items() if row["disagree"]} - {"all"}


def with_fault(tmp_path: Path, right: str, wrong: str) -> Path:
    """Return the loop with one place changed, which stands in it once."""
    source = LOOP.read_text(encoding="utf-8")
    assert source.count(right) == 1
    source = source.replace(right, wrong)
    faulty = tmp_path / "faulty.py"
    faulty.write_text(source, encoding="utf-8")
    return faulty


def test_ours_has_every_number() -> None:
    done = run(OURS)
    assert (done.returncode, done.stderr) == (0, "")
    everything = verdicts(done, "case")
    assert everything.pop("all") == {
        "agree": 4882, "other convention": 0, "disagree": 0, "not answered": 0
    }  # fmt: skip
    assert len(everything) == 9


def test_the_textbook_loop_has_what_it_computes() -> None:
    """Without our package: models, CARs, and tests from Patell to BMP with overlapping windows."""
    done = run(LOOP, "--cases", "worked_example", "eight_dates", "one_date", "missing")
    assert (done.returncode, done.stderr) == (0, "")
    found = verdicts(done, "number")
    assert found["all"]["disagree"] == found["all"]["other convention"] == 0
    for name in (
        "alpha",
        "beta",
        "sigma",
        "car",
        "se_car",
        "caar",
        "patell",
        "bmp",
        "bmp_kp",
        "sign",
    ):
        assert found[name]["agree"] > 0
        assert found[name]["not answered"] == 0, name
    assert found["grank_t"]["agree"] == 0


WITH_CAR = {
    "caar",
    "cross_sectional",
    "patell",
    "bmp",
    "patell_kp",
    "bmp_kp",
    "sign",
    "car",
    "se_car",
}
KP = {"patell_kp", "bmp_kp"}


@pytest.mark.parametrize(
    ("right", "wrong", "touched"),
    [
        # BMP divides by its own spread: a factor that all events share cancels.
        ("fit.ssr / fit.df_resid", "fit.ssr / fit.nobs", {"sigma", "se_car", "patell", "patell_kp"}),
        ("day0 + np.arange(first, last + 1)", "day0 + 1 + np.arange(first, last + 1)", WITH_CAR),
        # As if all events were on one date, and as if none shared a day with another.
        ("= unit @ unit.T", "= np.ones((len(unit), len(unit)))", KP),
        pytest.param("= unit @ unit.T", "= np.eye(len(unit))", KP, marks=pytest.mark.slow),
        pytest.param(
            '"] = cars.mean() / (cars.std(ddof=1)', '"] = cars.mean() / (cars.std(ddof=0)',
            {"cross_sectional"}, marks=pytest.mark.slow,
        ),
        pytest.param(
            "day0 + before[day0 + before >= 0]", "1 + day0 + before[day0 + before >= 0]",
            WITH_CAR | {"alpha", "beta", "sigma"}, marks=pytest.mark.slow,
        ),
    ],
    ids=["residual ddof", "window", "one date", "no overlap", "CAR ddof", "estimation"],
)  # fmt: skip
def test_planted_faults_are_found(
    tmp_path: Path, right: str, wrong: str, touched: set[str]
) -> None:
    """Each by the numbers that it touches, and by no other."""
    done = run(with_fault(tmp_path, right, wrong), "--cases", "eight_dates")
    assert done.returncode == 1
    assert disagreeing(done) == touched
    assert "Disagrees: eight_dates " in done.stdout


def test_a_known_convention_is_named_and_is_no_fault(tmp_path: Path) -> None:
    """A sigma over M-1, as R's estudy2 gives it."""
    change = ("= np.sqrt(s2)", "= np.sqrt(fit.ssr / (fit.nobs - 1))")
    done = run(with_fault(tmp_path, *change), "--cases", "one_date")
    assert done.returncode == 0
    assert verdicts(done, "number")["sigma"]["other convention"] == 25
    assert "25 x sigma: residual variance over M-1 (R estudy2, Stata estudy)" in done.stdout


def test_conventions_are_those_of_the_programs_named(
    suite: SimpleNamespace, tmp_path: Path
) -> None:
    """What we make of base R's estimates is what R's estudy2 and EventStudy wrote."""
    expected = suite.cases.write_case("dispersed", tmp_path / "case")
    items = {item["name"]: item for item in expected}
    folder = ROOT / "tests" / "reference" / "r" / "a_normal_dispersed"
    theirs = {}
    for row in suite.cases.rows(folder / "estudy2__model.csv"):
        theirs[f"sigma/{row['event_id']}"] = float(row["sd_resid_nminus1"])
    for row in suite.cases.rows(folder / "EventStudy__windows.csv"):
        if row["test"] in ("bmp", "patell_z"):
            theirs[f"{row['test'].removesuffix('_z')}/{row['window']}"] = float(row["statistic"])
    judged = {name: suite.run.judge(items[name], value) for name, value in theirs.items()}
    assert len(judged) == 30 + 8 + 8
    # Of one day the sum of standardised days is the standardised CAR.
    assert judged.pop("patell/[0,0]") == ("agree", "")
    assert {verdict for verdict, _ in judged.values()} == {"other convention"}
    for name, (_, why) in judged.items():
        assert ("estudy2" if name.startswith("sigma") else "R EventStudy") in why


def test_what_is_no_number_is_not_answered(suite: SimpleNamespace) -> None:
    item = {"value": 1.0, "tolerance": 1e-9, "others": [{"value": 2.0, "why": "twice"}]}
    answers = [None, "1.0", float("nan"), 1.0, 1 + 2e-9, 2.0]
    assert [suite.run.judge(item, answer)[0] for answer in answers] == [
        "not answered", "not answered", "not answered", "agree", "disagree", "other convention"
    ]  # fmt: skip


def test_an_adapter_that_ends_early_or_misnames_its_numbers(tmp_path: Path) -> None:
    """One answer by a name that no case has, then an error."""
    adapter = tmp_path / "adapter.py"
    adapter.write_text(
        "import pathlib, sys\n"
        "(pathlib.Path(sys.argv[1]) / 'answers.json').write_text('{\"BMP/[0,1]\": 1.5}')\n"
        "sys.exit(3)\n"
    )
    done = run(adapter, "--cases", "one_event", "repeated")
    assert done.returncode == 1
    assert "ended with exit code 3" in done.stderr
    assert "No case asks for BMP/[0,1]" in done.stdout
    row = verdicts(done, "case")["all"]
    assert sum(row.values()) == row["not answered"] > 700
    done = run(adapter, "--sizes", "1")
    assert done.returncode == 1
    assert "ended with exit code 3" in done.stderr


def test_cases_as_files_without_packages(tmp_path: Path) -> None:
    """The runner writes them by Python alone, which -S leaves without its packages."""
    order = [sys.executable, "-S", str(SUITE / "run.py"), "--write", str(tmp_path)]
    done = subprocess.run(order, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "missing"
    assert {path.name for path in folder.iterdir()} == {
        "case.json", "events.csv", "expected.json", "returns.csv"
    }  # fmt: skip
    expected = json.loads((folder / "expected.json").read_text())
    assert {item["computed_by"] for item in expected} == {"base R"}
    assert len((folder / "returns.csv").read_text().splitlines()) > 271
    assert len(list(tmp_path.iterdir())) == 9


@pytest.mark.watch
@pytest.mark.parametrize("adapter", [OURS, LOOP], ids=["ours", "loop"])
def test_sizes(adapter: Path) -> None:
    done = run(adapter, "--sizes", "60")
    assert (done.returncode, done.stderr) == (0, "")
    assert "disagree" not in done.stdout
    assert "| C0 | [0,0] | bmp_kp | 60 |" in done.stdout


@pytest.mark.watch
def test_sizes_of_a_program_that_ignores_overlap(tmp_path: Path) -> None:
    """It takes 50 events of one date for independent: the rates of BMP-KP are those of BMP."""
    change = ("overlap = unit @ unit.T", "overlap = np.eye(len(unit))")
    done = run(with_fault(tmp_path, *change), "--sizes", "60")
    assert done.returncode == 1
    wrong = [line.split(" | ")[:3] for line in done.stdout.splitlines() if "disagree" in line]
    assert {(design.strip("| "), test) for design, _, test in wrong} == {
        ("C0", "patell_kp"), ("C0", "bmp_kp")
    }  # fmt: skip


@pytest.mark.watch
def test_samples_are_those_of_the_published_sizes(suite: SimpleNamespace) -> None:
    """The same seeds as benchmarks/size.py, through files and the door of users."""
    sys.path.insert(0, str(SUITE.parent))
    size = importlib.import_module("size")
    sys.path.remove(str(SUITE.parent))
    adapter = shlex.join([sys.executable, str(OURS)])
    rejected, answered = suite.run.rejections(adapter, "C0", 30)
    names = ("bmp", "patell", "grank_t")
    for window, rates in size.rejections("C0", 30, names=names).items():
        for test, counts in rates.items():
            name = f"p.{test}/{window}"
            assert (rejected[name], answered[name]) == counts
