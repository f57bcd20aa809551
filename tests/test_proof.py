"""A proof of a run stands alone: its program finds every number again, and every change of one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SHARED
from drawn_studies import DrawnStudy
from proof_studies import SIX, STUDIES, World, of_sample, run
from run_folders import contents, invoke
from seeds import seed

from eventstudy.runs import write_proof
from eventstudy.runs.proof import check_proof, is_proof

DATA = ("prices.csv", "events.csv", "settings.json")
QUICK_ONES = ("few_events", "halts", "odd_names")
# Each needs a part of the program that no other has.
SLOW_ONES = ("mixed_exchanges", "price_limits", "currencies", "peers")
NAMES = [
    pytest.param(
        name,
        marks=()
        if name in QUICK_ONES
        else pytest.mark.slow
        if name in SLOW_ONES
        else pytest.mark.watch,
    )
    for name in STUDIES
]
# Runs a program in whose process this package cannot be imported.
ALONE = """
import runpy, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("eventstudy", "eventstudy_kit"):
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Blocked())
"""
ONCE = 'runpy.run_path(sys.argv[1], run_name="__main__")'
EACH = """
import contextlib, io, json
said = []
for place in sys.argv[2:]:
    out, code = io.StringIO(), 0
    with contextlib.redirect_stdout(out):
        try:
            runpy.run_path(f"{place}/{sys.argv[1]}", run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
    said.append([code, out.getvalue()])
print(json.dumps(said))
"""
Proved = Callable[[str], Path]


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Proved:
    """Return the folder of the proof of a study, made once."""
    made: dict[str, Path] = {}

    def proof_of(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp("proof") / name
            made[name] = write_proof(STUDIES[name](folder), folder / "proof").folder
        return made[name]

    return proof_of


def alone(proof: Path, folder: Path) -> Path:
    """Copy the program and the three files that it reads to a new folder; return the program."""
    folder.mkdir()
    for name in ("check.py", *DATA):
        shutil.copy(proof / name, folder / name)
    return folder / "check.py"


def checked(program: Path) -> tuple[int, list[str]]:
    """Run a program of a proof in a process of its own; return exit code and lines."""
    command = [sys.executable, "-I", "-W", "error", "-c", ALONE + ONCE, str(program)]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def checked_each(program: Path, claims: list[str]) -> list[tuple[int, list[str]]]:
    """Run the program of a proof on each text of claims; return exit codes and lines.

    In one process for all, as most of the time of one is that of its imports.
    """
    places = []
    for k, text in enumerate(claims):
        places.append(Path(shutil.copytree(program.parent, program.parent.parent / f"each{k}")))
        (places[-1] / "settings.json").write_text(text, encoding="utf-8")
    command = [sys.executable, "-I", "-W", "error", "-c", ALONE + EACH, program.name, *places]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [(code, text.splitlines()) for code, text in json.loads(done.stdout)]


def all_agree(code: int, lines: list[str]) -> int:
    """Assert that every number agrees; return how many there are."""
    match = re.fullmatch(r"(\d+) of (\d+) numbers agree", lines[0])
    assert match, lines
    assert match[1] == match[2], lines[:20]
    assert code == 0
    assert int(match[1]) > 100
    return int(match[1])


@pytest.mark.parametrize("name", NAMES)
def test_python_finds_every_number_alone(name: str, proved: Proved, tmp_path: Path) -> None:
    program = alone(proved(name), tmp_path / "alone")
    code, lines = checked(program)
    assert all_agree(code, lines) == numbers_in(program.with_name("settings.json"))
    done = check_proof(proved(name))
    assert done.ok
    assert done.text.splitlines() == lines, "our own program says the same"


def numbers_in(settings: Path) -> int:
    claims = json.loads(settings.read_text(encoding="utf-8"))["claims"]
    keys = {"event_id", "start", "stop", "group", "test"}
    columns = [
        column for table in claims.values() for name, column in table.items() if name not in keys
    ]
    return sum(value is not None for column in columns for value in column)


def changed(settings: Path, table: str, column: str, change: Callable[[Any], Any]) -> None:
    """Change the last number of a column of claims."""
    content = json.loads(settings.read_text(encoding="utf-8"))
    numbers = content["claims"][table][column]
    last = max(i for i, number in enumerate(numbers) if number is not None)
    numbers[last] = change(numbers[last])
    settings.write_text(json.dumps(content), encoding="utf-8")


CHANGES = {
    ("car", "car"): lambda x: x + 1e-6, ("car", "pvalue"): lambda x: x + 1e-6,
    ("car", "se"): lambda x: x * (1 + 3e-9), ("models", "beta"): lambda x: x * (1 - 3e-9),
    ("windows", "weighted_caar"): lambda x: x - 1e-6, ("windows", "pvalue"): lambda x: x * (1 + 3e-9),
    ("windows", "weighted_high"): lambda x: x + 1e-6, ("windows", "n_events"): lambda x: x + 1,
    ("tests", "statistic"): lambda x: -x, ("day0", "day0"): lambda _: "2020-02-03",
}  # fmt: skip


def test_a_changed_number_is_found(proved: Proved, tmp_path: Path) -> None:
    path = alone(proved("few_events"), tmp_path / "alone")
    count = numbers_in(path.with_name("settings.json"))
    for (table, column), change in CHANGES.items():
        changed(path.with_name("settings.json"), table, column, change)
    code, lines = checked(path)
    assert code == 1
    assert lines[0] == f"{count - len(CHANGES)} of {count} numbers agree"
    told = lines[1 : 1 + len(CHANGES)]
    for table, column in CHANGES:
        assert any(re.match(rf"  {table} .*{column}: ", line) for line in told), (table, column)


def test_rounding_is_no_difference_and_nothing_is_no_agreement(
    proved: Proved, tmp_path: Path
) -> None:
    path = alone(proved("few_events"), tmp_path / "alone")
    settings = path.with_name("settings.json")
    changed(settings, "car", "se", lambda x: x * (1 + 3e-10))
    all_agree(*checked(path))
    content = json.loads(settings.read_text(encoding="utf-8"))
    content["claims"] = {"car": {"event_id": [], "start": [], "stop": [], "car": []}}
    count = numbers_in(proved("few_events") / "settings.json")
    settings.write_text(json.dumps(content), encoding="utf-8")
    code, lines = checked(path)
    assert (code, lines[0]) == (1, f"0 of {count} numbers agree")


NO_NUMBERS = ("Infinity", "-Infinity", "NaN", "1e400", '"nan"', '"nothing"')


def test_what_is_no_number_agrees_with_nothing(proved: Proved, tmp_path: Path) -> None:
    path = alone(proved("few_events"), tmp_path / "alone")
    count = numbers_in(path.with_name("settings.json"))
    claims = []
    for text in NO_NUMBERS:
        shutil.copy(proved("few_events") / "settings.json", path.parent)
        settings = path.with_name("settings.json")
        changed(settings, "car", "car", lambda _: "HERE")
        claims.append(settings.read_text(encoding="utf-8").replace('"HERE"', text))
    for code, lines in checked_each(path, claims):
        assert (code, lines[0]) == (1, f"{count - 1} of {count} numbers agree")


def without_table(claims: dict[str, Any]) -> None:
    del claims["windows"]


def without_column(claims: dict[str, Any]) -> None:
    del claims["windows"]["weighted_caar"]


def without_row(claims: dict[str, Any]) -> None:
    for column in claims["tests"].values():
        column.pop(0)


def without_number(claims: dict[str, Any]) -> None:
    claims["windows"]["pvalue"][0] = None


def test_what_is_taken_out_of_the_claims_is_missed(proved: Proved, tmp_path: Path) -> None:
    path = alone(proved("few_events"), tmp_path / "alone")
    settings = path.with_name("settings.json")
    text, count = settings.read_text(encoding="utf-8"), numbers_in(settings)
    claims, left = [], []
    for take_out in (without_table, without_column, without_row, without_number):
        content = json.loads(text)
        take_out(content["claims"])
        claims.append(json.dumps(content))
        settings.write_text(claims[-1], encoding="utf-8")
        left.append(numbers_in(settings))
    assert max(left) < count
    for (code, lines), n in zip(checked_each(path, claims), left, strict=True):
        assert (code, lines[0]) == (1, f"{n} of {count} numbers agree")
        assert sum(": nothing in the run, " in line for line in lines) == count - n


def test_nothing_of_a_proof_of_somebody_else_is_executed(proved: Proved, tmp_path: Path) -> None:
    theirs = Path(shutil.copytree(proved("few_events"), tmp_path / "theirs"))
    for name in ("check.py", "numpy.py", "sitecustomize.py", "json.py"):
        (theirs / name).write_text(f"open({str(tmp_path / 'executed')!r}, 'w')", encoding="utf-8")
    count = numbers_in(theirs / "settings.json")
    assert f"{count} of {count} numbers agree" in invoke("reproduce", theirs)
    document = json.loads(invoke("reproduce", "--json", theirs))
    assert document["ok"]
    changed(theirs / "settings.json", "car", "car", lambda x: x + 1e-6)
    assert f"{count - 1} of {count} numbers agree" in invoke("reproduce", theirs, code=4)
    assert not (tmp_path / "executed").exists()
    assert not [*theirs.rglob("__pycache__")]


def test_a_proof_whose_data_are_no_plain_files_is_refused(proved: Proved, tmp_path: Path) -> None:
    theirs = Path(shutil.copytree(proved("few_events"), tmp_path / "theirs"))
    (theirs / "events.csv").write_text("event_id\n", encoding="utf-8")
    assert "nothing can be computed from these data" in invoke("reproduce", theirs, code=1)
    (theirs / "events.csv").unlink()
    (theirs / "events.csv").symlink_to(proved("few_events") / "events.csv")
    assert "events.csv" in invoke("reproduce", theirs, code=1)


def test_a_run_is_no_proof_whatever_lies_in_its_folder(proved: Proved, tmp_path: Path) -> None:
    theirs = Path(shutil.copytree(proved("few_events"), tmp_path / "theirs"))
    assert is_proof(theirs)
    (theirs / "manifest.json").write_text("{}", encoding="utf-8")
    assert not is_proof(theirs)


@pytest.mark.slow
def test_tests_not_made_and_windows_not_over_need_no_number(tmp_path: Path) -> None:
    """A chosen test stands beside the main one; a window that waits has neither test nor p."""
    world = World(tmp_path / "study", seed=5)
    world.add("^GSPC", sd=0.01)
    for name, at in {"A": 400, "B": 420, "C": 440, "D": 460, "E": 480, "F": -4}.items():
        days = world.add(f"FIR{name}", index="^GSPC")
        world.announce(f"FIR{name}", days[at].date())
    proof = write_proof(world.study("--test", "bmp"))
    assert proof.ok, proof.text
    settings = json.loads((proof.folder / "settings.json").read_text(encoding="utf-8"))
    assert set(settings["tests"]["test"]) == {"bmp", "bmp_kp"}
    waits = set(zip(*settings["waits"].values(), strict=True))
    # Four sessions have passed for the last event: day 0 to 3.
    assert waits == {("", a, b) for a, b in settings["windows"] if b > 3}
    (line,) = (line for line in proof.text.splitlines() if "here alone" in line)
    # Statistic and p of four tests that were not made; those of two that wait, and the p beside.
    assert int(line.split()[0]) == 2 * 4 * len(settings["windows"]) + (2 * 2 + 1) * len(waits)


def test_a_changed_price_is_found(proved: Proved, tmp_path: Path) -> None:
    path = alone(proved("few_events"), tmp_path / "alone")
    prices = path.with_name("prices.csv")
    text = prices.read_text(encoding="utf-8")
    row = re.search(r"^AMD,2022-10-07,,([\d.]+),", text, re.M)
    assert row
    prices.write_text(
        text.replace(row[0], row[0].replace(row[1], str(float(row[1]) * (1 + 1e-6)))),
        encoding="utf-8",
    )
    code, lines = checked(path)
    assert code == 1
    assert any(line.startswith("  car AMD-2022-10-07 0 0 car: ") for line in lines)


def test_the_package_cannot_be_imported_where_programs_are_checked(tmp_path: Path) -> None:
    program = tmp_path / "check.py"
    program.write_text(
        "try:\n    import eventstudy\nexcept ImportError as error:\n    print(error)\n"
    )
    assert checked(program) == (0, ["blocked: eventstudy"])


def test_a_changed_table_of_the_run_is_found_by_the_command(tmp_path: Path) -> None:
    folder = of_sample(tmp_path / "study", SIX[:1])
    said = invoke("proof", folder, "--to", tmp_path / "good")
    assert re.match(r"(\d+) of \1 numbers agree\n", said)
    assert str(tmp_path / "good") in said
    table = folder / "tables" / "car.csv"
    text = table.read_text(encoding="utf-8")
    cell = text.splitlines()[1].split(",")[4]
    table.write_text(text.replace(cell, str(float(cell) + 1e-6), 1), encoding="utf-8")
    said = invoke("proof", folder, "--to", tmp_path / "bad", code=4)
    assert f" 0 0 car: {float(cell) + 1e-6} in the run, " in said

    before = (tmp_path / "good" / "settings.json").read_bytes()
    assert "--force" in invoke("proof", folder, "--to", tmp_path / "good", code=1)
    assert (tmp_path / "good" / "settings.json").read_bytes() == before
    invoke("proof", folder, "--to", tmp_path / "good", "--force", code=4)
    assert (tmp_path / "good" / "settings.json").read_bytes() != before

    invoke("proof", folder, "--to", folder, "--force", code=1)
    assert (folder / "report.html").is_file(), "a run is no proof, and stays"
    (folder / "data" / "prices.csv.gz").write_bytes(b"")
    assert "prices.csv.gz" in invoke("proof", folder, code=4)
    assert not folder.with_name("events-proof").exists()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--model", "theil_sen"), "Theil-Sen"),
        (("--halt", "shift", "--scar", "sum"), "halt = shift and .*scar = sum"),
    ],
)
@pytest.mark.slow
def test_a_run_that_cannot_be_proved_is_refused_with_reasons(
    options: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    folder = of_sample(tmp_path / "study", SIX[:2], *options)
    assert re.search(named, invoke("proof", folder, code=1))
    assert not folder.with_name("events-proof").exists()


def test_what_is_not_covered_is_counted(proved: Proved) -> None:
    proof = proved("few_events")
    _, lines = checked(proof / "check.py")
    settings = json.loads((proof / "settings.json").read_text(encoding="utf-8"))
    assert lines[1:] == [
        f"{n['numbers']} numbers are not covered: {n['what']}" for n in settings["not_covered"]
    ]
    assert [n["numbers"] > 0 for n in settings["not_covered"]] == [True, True]
    assert "corrado" in settings["not_covered"][0]["what"]
    assert "specifications" in settings["not_covered"][1]["what"]
    readme = (proof / "README.md").read_text(encoding="utf-8")
    assert all(n["what"] in readme for n in settings["not_covered"])
    assert "@" not in readme.replace("e@", "")


def test_the_program_has_what_its_study_needs_and_can_be_read(proved: Proved) -> None:
    text = (proved("few_events") / "check.py").read_text(encoding="utf-8")
    assert "def dollars_per" not in text
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert not [line for line in lines if line.strip().startswith(("#<", "#>"))]
    assert "import eventstudy" not in text
    program = proved("few_events") / "check.py"
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--ignore", "B019", program]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


PRICES = SHARED / "market-data" / "prices"


@pytest.mark.watch
@pytest.mark.skipif(not PRICES.is_dir(), reason="there are no real prices")
def test_real_shares_of_five_exchanges(tmp_path: Path) -> None:
    """Moscow was closed, ZTE at its limit for days, and Shanghai asleep while New York traded."""
    shutil.copy(ROOT / "events.csv", tmp_path / "events.csv")
    proof = write_proof(run(tmp_path / "events.csv", "--prices", PRICES))
    assert proof.ok, proof.text[:2000]


def test_a_seed_draws_the_same_study_again(tmp_path: Path) -> None:
    first, again = (DrawnStudy(tmp_path / name, 8) for name in ("first", "again"))
    assert first.options == again.options
    assert contents(first.folder) == contents(again.folder)


@pytest.mark.watch
def test_proofs_of_drawn_studies_agree() -> None:
    """Five studies, drawn anew for each seed; the program prints the seed of one that fails."""
    program = ROOT / "benchmarks" / "proof_fuzzer.py"
    command = [sys.executable, str(program), "--studies", "5", "--seed", str(seed(1000))]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"5 studies, [1-9]\d{2,} numbers agree, 0 failures", done.stdout), done.stdout
