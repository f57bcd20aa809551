"""Every outlet says the same headline, the same number and the same caveat."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner
from conftest import ROOT, Market
from test_missing import halted

import eventstudy as es
from eventstudy.cli.main import main
from eventstudy.findings import FinishedRun
from eventstudy.report import Export
from eventstudy.report.formats.figure_files import card
from eventstudy.report.formats.latex import latex_tables
from eventstudy.report.formats.terminal import Terminal, percent_text
from eventstudy.report.page.first_screen import first_screen
from eventstudy.report.sentences.answer import split_answer
from eventstudy.report.sentences.caveats import second_sentence
from eventstudy.runs.index import render_index
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults

CONFIG = StudyConfig(estimation=(-120, -11), event=(-5, 5), calibrate=0)


def split_in_groups() -> EventStudyResults:
    """Return twelve events in two groups, the larger of which fell."""
    results = Market(12, effect=-0.06, seed=3).fit()
    direction = np.where(np.arange(12) < 8, "adverse", "relief")
    return replace(results, events=results.events.assign(direction=direction))


CASES = {
    "one event": lambda: Market(1, dates=1, effect=-0.06, seed=3).fit(),
    "three events": lambda: Market(3, dates=3, effect=-0.06, seed=3).fit(),
    "three events without a move": lambda: Market(3, dates=3, seed=3).fit(),
    "one date": lambda: Market(12, dates=1, effect=-0.06, seed=3).fit(),
    "the largest fall is missing": lambda: halted(
        Market(5, dates=5, effect=-0.05, seed=8), 2, [-0.4], 8
    ),
    "two groups": split_in_groups,
}


def plain(text: str) -> str:
    """Return text in one line and in letters of a terminal, without the marks of directions."""
    for mark, letter in (("−", "-"), ("’", "'"), ("\u2068", ""), ("\u2069", "")):
        text = text.replace(mark, letter)
    return " ".join(text.split())


@pytest.mark.slow
@pytest.mark.parametrize("case", list(CASES))
def test_every_outlet_has_the_two_sentences_and_the_number(case: str, tmp_path: Path) -> None:
    results = replace(CASES[case](), config=CONFIG)
    folder = results.save(tmp_path, "run")
    run = FinishedRun.read(folder)
    findings = run.findings
    head, second = split_answer(findings)[0].removesuffix("."), second_sentence(findings)
    assert second
    number = percent_text(findings.sample.answer.effect.estimate).removesuffix("%")
    workbook = openpyxl.load_workbook(Export(run).write_file("xlsx", tmp_path / "run.xlsx"))
    cells = [str(cell.value) for row in workbook.worksheets[0] for cell in row]
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["answers"][0]
    drawn = " ".join(ET.fromstring(card(findings)["card.svg"]).itertext())
    outlets = {
        "page": unescape((folder / "report.html").read_text(encoding="utf-8")),
        "markdown": (folder / "report.md").read_text(encoding="utf-8").replace("\\", ""),
        "card": drawn,
        "workbook": " ".join(cells),
        "index": unescape(render_index(tmp_path)),
        "manifest": f"{listed['headline']} {listed['caveat']}",
    }
    for outlet, text in outlets.items():
        assert plain(head) in plain(text), outlet
        assert plain(second).removesuffix(".") in plain(text), outlet
    assert number in plain(outlets["page"])
    fragility = first_screen(findings).fragility
    assert fragility or findings.sample.answer.n_events == 0
    outlets["terminal"] = str(Terminal(findings).text())
    outlets["all of it"] = str(Terminal(findings).text(verbose=True))
    outlets |= latex_tables(findings)
    for outlet in (*outlets.keys() - {"manifest", "events"},):
        assert plain(fragility) in plain(outlets[outlet]), outlet
    assert listed["estimate"] == findings.sample.answer.effect.estimate


@pytest.mark.slow
@pytest.mark.parametrize("case", list(CASES))
def test_a_notebook_says_what_the_command_says(case: str) -> None:
    results = replace(CASES[case](), config=CONFIG)
    findings = results.findings()
    head, second = split_answer(findings)[0].removesuffix("."), second_sentence(findings)
    outlets = {
        "repr": repr(results),
        "answer": str(results.answer()),
        "text": str(results),
        "cell": unescape(results._repr_html_()),
    }
    for outlet, text in outlets.items():
        assert plain(head) in plain(text), outlet
        assert plain(second) in plain(text), outlet
    answer = results.answer()
    assert answer.effect.estimate == findings.sample.answer.effect.estimate
    assert answer.group == findings.sample.group
    assert percent_text(answer.effect.estimate) in plain(str(answer))


@pytest.mark.slow
def test_the_bundled_list_has_one_answer_at_both_doors(tmp_path: Path) -> None:
    options = ["--prices", "sample", "--calibrate", "0", "--event-pages", "0", "--offline"]
    command = ["run", str(ROOT / "events.csv"), *options, "--out", str(tmp_path)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    results = es.study(ROOT / "events.csv", prices="sample", calibrate=0)
    answer, said = results.answer(), plain(done.output)
    assert answer.group == "adverse"
    row = next(line for line in done.output.splitlines() if " main " in line)
    assert percent_text(answer.effect.estimate) in row
    assert plain(str(answer)).partition(" More: ")[0] in said
    as_of = first_screen(FinishedRun.read(tmp_path / "events").findings).as_of
    last = as_of.rpartition("Prices used until ")[2]
    assert last
    assert f"prices used until {last}" in render_index(tmp_path)
