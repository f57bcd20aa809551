"""``eventstudy report``: what it prints, where it writes, and what it leaves alone."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT, Market
from jsonschema import Draft202012Validator
from test_exports import SCHEMA
from test_runs import contents

from eventstudy.cli.main import main
from eventstudy.findings.finished_run import read_findings
from eventstudy.report.sentences.answer import split_answer
from eventstudy.report.sentences.caveats import second_sentence
from eventstudy.runs import write_run
from eventstudy.settings import StudyConfig

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CONFIG = StudyConfig().with_options({"event": "-5:5", "estimation": "-120:-11", "calibrate": 0})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(Market(n=6).fit(), tmp_path_factory.mktemp("runs"), "study", config=CONFIG)


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "reports" / "study"))


def report(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_without_options_it_says_where_the_page_is(folder: Path) -> None:
    found = report(folder)
    assert (found.exit_code, found.output) == (0, f"{folder / 'report.html'}\n")


def test_what_the_run_holds_is_left_alone(folder: Path) -> None:
    before = contents(folder)
    found = report(
        folder, *(w for k in ("md", "json", "tex", "xlsx", "parquet") for w in ("--format", k))
    )
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    assert lines[:2] == [str(folder / "report.md"), str(folder / "results.json")]
    tables = {"caar.tex", "robustness.tex", "events.tex"}
    assert {Path(line).name for line in lines[2:5]} == tables
    assert lines[5:] == [str(folder.with_name(f"study.{k}")) for k in ("xlsx", "parquet")]
    assert all(Path(line).stat().st_size for line in lines)
    assert contents(folder) == before, "a run that was checked by its hashes still is"


def test_to_one_file(folder: Path, tmp_path: Path) -> None:
    for kind in ("html", "tex", "xlsx", "md", "json", "parquet"):
        target = tmp_path / "new folder" / f"x.{kind}"
        found = report(folder, "--format", kind, "--out", target)
        beside = f"{target.with_suffix('.bib')}\n" if kind == "tex" else ""
        assert (found.exit_code, found.output) == (0, f"{target}\n{beside}")
    both = (tmp_path / "new folder" / "x.tex").read_text(encoding="utf-8")
    assert both.count(r"\caption") == 3
    assert both.count(r"\toprule") == 5
    assert (tmp_path / "new folder" / "x.html").read_bytes() == (
        folder / "report.html"
    ).read_bytes()


def test_several_to_a_folder(folder: Path, tmp_path: Path) -> None:
    found = report(
        folder, "--format", "tex", "--format", "html", "--format", "json", "--out", tmp_path / "out"
    )
    assert found.exit_code == 0, found.output
    pages = {f"events/{i + 1:04d}-e{i}.html" for i in range(6)}
    assert set(contents(tmp_path / "out")) == {
        "tables/caar.tex", "tables/robustness.tex", "tables/events.tex", "tables/references.bib",
        "report.html", "results.json", "events/index.html", *pages,
    }  # fmt: skip


@pytest.mark.slow
def test_a_card_is_a_picture_of_a_fixed_size_with_its_caveat(folder: Path, tmp_path: Path) -> None:
    found = report(folder, "--format", "card")
    paths = [folder.with_name(f"study.{ending}") for ending in ("svg", "png")]
    assert (found.exit_code, found.output) == (0, "".join(f"{path}\n" for path in paths))
    findings = read_findings(folder)
    width, height = struct.unpack(">II", paths[1].read_bytes()[16:24])
    assert (width, height) == (1200, 675)
    text = " ".join(ET.fromstring(paths[0].read_bytes()).itertext()).split()
    for part in (*split_answer(findings), second_sentence(findings)):
        assert " ".join(part.removesuffix(".").split()) in " ".join(text)
    one = tmp_path / "one.png"
    assert report(folder, "--format", "card", "--out", one).output == f"{one}\n"
    same = tmp_path / "same.svg"
    drawn = CliRunner().invoke(main, ["card", str(folder), "--out", str(same)])
    assert (drawn.exit_code, drawn.output) == (0, f"{same}\n")
    assert same.stat().st_size
    assert one.read_bytes() == paths[1].read_bytes()


def test_latex_of_chosen_windows_and_tests_is_beside_the_run(folder: Path) -> None:
    before = contents(folder)
    options = ("--format", "tex", "--car", "0:1", "--test", "hall")
    found = report(folder, *options)
    assert found.output == "".join(f"{folder.with_name(f'study.{e}')}\n" for e in ("tex", "bib"))
    text = folder.with_name("study.tex").read_text(encoding="utf-8")
    assert r"\multicolumn{1}{c}{Event window" in text
    assert "Hall" in text
    assert "@article{hall1992," in folder.with_name("study.bib").read_text(encoding="utf-8")
    assert contents(folder) == before
    for wrong, problem in (
        (("--car", "3:4"), "the run has no such window"),
        (("--test", "nope"), "the run has no such test"),
    ):
        found = report(folder, "--format", "tex", *wrong)
        assert found.exit_code == 2
        assert problem in found.stderr


@pytest.mark.parametrize("option", [("--full",), ("--car", "0:1"), ("--test", "bmp")])
def test_options_of_another_format_are_refused(folder: Path, option: tuple[str, ...]) -> None:
    found = report(folder, *option)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "add --format" in found.stderr


def test_a_format_that_is_no_more_is_refused(folder: Path) -> None:
    found = report(folder, "--format", "interactive")
    assert found.exit_code == 2
    assert "is not one of 'html'" in found.output


def test_cite_names_the_program_and_the_methods_of_a_run(folder: Path) -> None:
    alone, of_run = (CliRunner().invoke(main, ["cite", *map(str, a)]) for a in ((), (folder,)))
    assert alone.output.count("@") == 1
    keys = set(re.findall(r"@\w+\{(\w+),", of_run.output))
    assert {"eventstudy", "kolari2010", "brown1980", "patell1976"} <= keys
    assert CliRunner().invoke(main, ["cite", str(folder / "tables")]).exit_code == 1


def test_without_a_browser_it_says_what_to_do(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("BROWSER", "firefox")
    found = report(folder, "--format", "pdf")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "set BROWSER to Chrome, Chromium or Edge" in found.stderr
    broken = tmp_path / "browser"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(broken))
    found = report(folder, "--format", "pdf")
    assert "the browser wrote no PDF" in found.stderr


@pytest.mark.slow
@pytest.mark.skipif(not (CHROMIUM and shutil.which("pdftotext")), reason="no chromium or poppler")
@pytest.mark.xdist_group("browser")
def test_a_pdf_is_a_summary_of_two_pages_or_all(folder: Path, tmp_path: Path) -> None:
    texts = {}
    for name, options in {"summary": (), "full": ("--full",)}.items():
        path = tmp_path / f"{name}.pdf"
        found = report(folder, "--format", "pdf", *options, "--out", path)
        assert (found.exit_code, found.output) == (0, f"{path}\n")
        command = ["pdftotext", "-layout", str(path), "-"]
        text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        texts[name] = text.split("\f")[:-1]
    head = split_answer(read_findings(folder))[0].removesuffix(".")
    for pages in texts.values():
        assert head in " ".join(pages[0].split())
    assert len(texts["summary"]) <= 2 < len(texts["full"])
    assert all(len(page.splitlines()) > 20 for page in texts["summary"]), "no half of a page"


@pytest.mark.slow
@pytest.mark.skipif(not (CHROMIUM and shutil.which("pdftotext")), reason="no chromium or poppler")
@pytest.mark.xdist_group("browser")
def test_the_longest_summary_has_two_pages_and_no_tiny_text(tmp_path: Path) -> None:
    """Letters of the bars of the committed run have at least 7 points."""
    path = tmp_path / "summary.pdf"
    run = ROOT / "reports" / "sanctions-sample"
    assert report(run, "--format", "pdf", "--out", path).exit_code == 0
    command = ["pdftotext", "-bbox", str(path), "-"]
    text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    assert text.count("<page ") == 2
    (low, high) = re.findall(r'yMin="([\d.]+)".*yMax="([\d.]+)">Shenzhen<', text)[0]
    assert float(high) - float(low) >= 7


def test_every_format_is_made_again_from_the_results(folder: Path) -> None:
    """Also where the page is missing, and with the same bytes."""
    before = contents(folder)
    for place in (*(p for p in before if p.endswith((".html", ".md", ".tex"))),):
        (folder / place).unlink()
    found = report(folder, *(w for kind in ("html", "md", "tex") for w in ("--format", kind)))
    assert found.exit_code == 0, found.output
    assert contents(folder) == before


def test_one_file_that_is_missing_is_written_again(folder: Path) -> None:
    before = contents(folder)
    for place, kind in (
        ("tables/caar.tex", "tex"),
        (next(p for p in before if p.startswith("events/")), "html"),
    ):
        (folder / place).unlink()
        found = report(folder, "--format", kind)
        assert found.exit_code == 0, found.output
        assert contents(folder) == before


def test_nothing_is_made_of_results_that_were_changed(folder: Path, tmp_path: Path) -> None:
    results = folder / "results.json"
    results.write_text(
        results.read_text(encoding="utf-8").replace("0.0", "0.5", 1), encoding="utf-8"
    )
    (folder / "report.html").unlink()
    before = contents(folder)
    for options in ([], ["--format", "md", "--out", tmp_path / "x.md"]):
        found = report(folder, *options)
        assert (found.exit_code, found.stdout) == (4, "")
        assert "changed: results.json); no format is made from it" in found.stderr
    assert contents(folder) == before
    assert not (tmp_path / "x.md").exists()
    results.unlink()
    found = report(folder)
    assert found.exit_code == 1
    assert "the run has no results.json; restore it" in found.stderr


def test_a_file_is_not_called_as_one_of_another_format(folder: Path, tmp_path: Path) -> None:
    found = report(folder, "--format", "html", "--out", tmp_path / "x.md")
    assert found.exit_code == 2
    assert "give a folder or a name on .html" in found.stderr
    found = report(folder, "--format", "md", "--format", "tex", "--out", tmp_path / "x.md")
    assert found.exit_code == 2
    assert list(tmp_path.glob("x*")) == []


def test_what_is_no_run_is_one_clear_line(tmp_path: Path) -> None:
    found = report(tmp_path)
    assert found.exit_code == 1
    assert "not a run" in found.output
    assert report(tmp_path, "--format", "rtf").exit_code == 2


def test_a_run_that_is_not_as_it_was_written_is_given_with_a_warning(
    folder: Path, tmp_path: Path
) -> None:
    """As `verify` judges: 4 where a file differs, 1 where the manifest cannot be read."""
    table = folder / "tables" / "tests.csv"
    table.write_bytes(table.read_bytes().replace(b"0", b"1", 1))
    (folder / "report.md").unlink()
    for kind in ("html", "xlsx"):
        found = report(folder, "--format", kind, "--out", tmp_path / f"x.{kind}")
        assert (found.exit_code, found.stdout) == (4, f"{tmp_path / f'x.{kind}'}\n")
        told = f"{folder} is not as it was written (missing: report.md, changed: tables/tests.csv)"
        assert found.stderr == f"eventstudy: {told}; restore it, or run the study again\n"
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8")[:-200], encoding="utf-8")
    found = report(folder)
    assert (found.exit_code, found.stdout) == (1, "")
    assert "manifest.json: is cut short, or is no JSON" in found.stderr


@pytest.mark.slow
def test_json_of_a_run_is_its_document(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text(
        "event_id,ticker,announced_at\na,NVDA,2022-08-31\nb,AAPL,2021-03-01\nc,AMD,2019-05-21\n"
    )
    run = ["run", str(events), "--prices", "sample", "--out", str(tmp_path / "r"), "--json"]
    found = CliRunner().invoke(main, run)
    assert found.exit_code == 0, found.stderr
    printed = json.loads(found.stdout)
    Draft202012Validator(SCHEMA).validate(printed)
    folder = Path(printed.pop("run"))
    assert printed.pop("report") == str(folder / "report.html")
    assert printed == json.loads((folder / "results.json").read_text(encoding="utf-8"))
