"""A replication package: what it holds, and that it is the same twice."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from eventstudy.cli.main import main
from eventstudy.runs.record import OWN_HASH, hash_manifest, seal

LIST = "event_id,ticker,announced_at\na,AMD,2022-10-07\nb,NVDA,2022-08-31\n"
SHORT = ["--prices", "sample", "--event-pages", "0", "--calibrate", "0"]


def call(*words: object, code: int = 0) -> Result:
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    events = folder / "chips.csv"
    events.write_text(LIST, encoding="utf-8")
    call("plan", events, *SHORT)
    call("run", events, *SHORT, "--out", folder / "reports")
    return folder / "reports" / "chips"


@pytest.fixture
def unpacked(run: Path, tmp_path: Path) -> Path:
    call("archive", run, "--to", tmp_path / "package.zip")
    with zipfile.ZipFile(tmp_path / "package.zip") as package:
        package.extractall(tmp_path)
    return tmp_path / "chips"


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    call("archive", run, "--to", first)
    copy = tmp_path / "elsewhere" / "chips"
    shutil.copytree(run, copy)
    call("archive", copy, "--to", second)
    assert first.read_bytes() == second.read_bytes()


def test_every_file_has_its_hash(unpacked: Path) -> None:
    hashes = {}
    for line in (unpacked / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ", 1)
        hashes[name] = digest
    files = {p.relative_to(unpacked).as_posix(): p for p in unpacked.rglob("*") if p.is_file()}
    files.pop("SHA256SUMS")
    assert set(hashes) == set(files)
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == hashes[name]


@pytest.mark.slow
def test_the_package_stands_alone(unpacked: Path) -> None:
    call("verify", unpacked / "run")
    call("reproduce", unpacked / "run")
    command = [sys.executable, "-I", str(unpacked / "proof" / "check.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "numbers agree" in done.stdout


def test_the_readme_says_where_the_data_are_from(unpacked: Path) -> None:
    text = (unpacked / "README.md").read_text(encoding="utf-8")
    assert "event study chips" in text
    assert "2 announcements" in text
    assert "**sample**: 3 series from " in text
    [kept] = (unpacked / "run" / "data").glob("*.plan.json")
    assert f"`run/data/{kept.name}` is its plan" in text
    assert "@" not in text
    for heading in (
        "Overview", "Data availability", "Computational requirements",
        "Instructions to replicators", "List of tables", "References",
    ):  # fmt: skip
        assert f"## {heading}" in text
    needed = (unpacked / "requirements.txt").read_text(encoding="utf-8")
    assert "statsmodels==" in needed
    assert "@article" in (unpacked / "references.bib").read_text(encoding="utf-8")


def test_a_file_that_is_there_is_not_written_over(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "package.zip"
    target.write_text("mine", encoding="utf-8")
    assert "there is a file already" in call("archive", run, "--to", target, code=1).output
    assert target.read_text(encoding="utf-8") == "mine"
    call("archive", run, "--to", target, "--force")
    assert zipfile.is_zipfile(target)


def test_a_run_that_was_changed_is_refused(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "chips"
    shutil.copytree(run, copy)
    table = copy / "tables" / "car.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("AMD", "AMZ"), encoding="utf-8")
    call("archive", copy, code=4)
    assert not (tmp_path / "chips.zip").exists()


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ("python", "3.11\n--index-url http://127.0.0.1:9/evil"),
        ("eventstudy", "1\nevil==1"),
        ("numpy", "2.4.6 --extra-index-url=http://127.0.0.1:9/evil"),
        ("pandas", "3.1.1 @ http://127.0.0.1:9/x.whl"),
        ("scipy", "1;os_name"),
        ("scipy", ""),
        ("scipy", "-r/etc/passwd"),
        ("x\n--index-url http://127.0.0.1:9/evil", "1"),
    ],
)
def test_a_manifest_of_somebody_else_writes_no_line_for_pip(
    package: str, version: str, run: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "chips"))
    place = copy / "manifest.json"
    facts = json.loads(place.read_text(encoding="utf-8"))
    facts["versions"][package] = version
    facts[OWN_HASH] = hash_manifest(facts)
    place.write_text(json.dumps(facts), encoding="utf-8")
    said = call("archive", copy, code=1).output
    assert "versions" in said
    assert repr(version)[1:20] in said
    assert not (tmp_path / "chips.zip").exists()


@pytest.mark.slow
def test_factors_that_only_the_grid_uses_are_no_obstacle(tmp_path: Path) -> None:
    days = pd.bdate_range("2020-01-01", "2022-12-30", name="date")
    draw = np.random.default_rng(1).normal(0, 0.01, len(days))
    pd.DataFrame({"mkt_rf": draw, "rf": 0.0001}, days).to_csv(tmp_path / "ff.csv")
    (tmp_path / "events.csv").write_text(f"{LIST}c,INTC,2021-03-03\n", encoding="utf-8")
    study = 'name = "study"\nevents = "events.csv"\nfactors = "ff.csv"\nseries = "world=AAPL"\n'
    grid = '[grid]\nmodel = ["market", "capm", "two_index"]\n'
    (tmp_path / "study.toml").write_text(study + grid, encoding="utf-8")
    call("run", tmp_path / "study.toml", *SHORT, "--out", tmp_path / "reports")
    run = tmp_path / "reports" / "study"
    call("explain", run, "--on", "1")
    call("archive", run)
    with zipfile.ZipFile(run.with_name("study.zip")) as package:
        names = package.namelist()
    assert "study/proof/settings.json" in names
    assert "study/run/data/factors/1/ff.csv" in names


@pytest.mark.slow
def test_a_study_without_a_proof_says_why(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text(LIST, encoding="utf-8")
    reports = tmp_path / "reports"
    call("run", events, *SHORT, "--model", "scholes_williams", "--out", reports)
    said = call("archive", reports / "events").output
    assert "without a proof" in said
    with zipfile.ZipFile(reports / "events.zip") as package:
        names = package.namelist()
        text = package.read("events/README.md").decode()
    assert not any(name.startswith("events/proof/") for name in names)
    assert "There is no `proof/`" in text
    assert "proof/check" not in text


@pytest.mark.slow
def test_a_run_whose_proof_does_not_agree_is_refused(run: Path, tmp_path: Path) -> None:
    """The run is sealed anew with another number, so that every hash is right."""
    copy = tmp_path / "chips"
    shutil.copytree(run, copy)
    table = copy / "tables" / "car.csv"
    cells = pd.read_csv(table, dtype=str)
    cells.loc[0, "car"] = str(float(cells.loc[0, "car"]) * 1.000001)
    cells.to_csv(table, index=False)
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    (copy / "manifest.json").unlink()
    seal(copy, {k: v for k, v in manifest.items() if k not in ("files", OWN_HASH)}, copy)
    said = call("archive", copy, code=4).output
    assert "numbers of its proof do not agree with the run" in said
    assert not (tmp_path / "chips.zip").exists()
