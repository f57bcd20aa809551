"""Two to four events have a verdict, and every surface gives the same one with its caveat."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from conftest import Market
from pages import CONFIG, MAIN, findings, page, section

from eventstudy.findings.finished_run import read_run
from eventstudy.report.formats.latex import latex_tables
from eventstudy.report.formats.terminal import p_text, terminal_text
from eventstudy.report.sections.windows import windows_table
from eventstudy.runs.index import render_index
from eventstudy.study import EventStudyResults
from eventstudy.utility import numbers


@pytest.fixture(scope="module", params=[2, 3, 4])
def few(request: pytest.FixtureRequest) -> EventStudyResults:
    """The first events of a study with an effect that twenty show."""
    fallen = Market(20, dates=7, effect=-0.06, seed=3).fit()
    return fallen.subset(np.arange(len(fallen)) < request.param)


def test_the_page_has_verdict_and_caveat(few: EventStudyResults) -> None:
    text, decided = unescape(page(few)), few.answer(MAIN)
    assert (decided.verdict, decided.test) == ("different", "patell_kp")
    top = text.partition('class="answer">')[2].partition("<section")[0]
    assert numbers.p_prose(decided.pvalue) in top
    assert f"{decided.overturn.variance_multiple:.1f} times as variable as usual" in top
    assert re.findall(r'<tr data-test="(\w+)" class="rec">', text) == ["patell_kp"]
    mean = text.partition('<tbody class="sum">')[2].partition("</tbody>")[0]
    assert f"Patell-KP {numbers.p_is(decided.pvalue)}" in mean


def test_other_tests_of_few_events_are_second_opinions(few: EventStudyResults) -> None:
    """BMP-KP is valid of two events; tests of ranks and signs are to be taken with care."""
    table = windows_table(findings(few))
    trust = {row.name: row.trust for row in (table.main, *table.others)}
    assert trust["patell_kp"] == "main"
    assert (trust["bmp_kp"], trust["generalized_sign"]) == ("valid", "valid with care")
    shown = re.findall(r'data-test="(\w+)"', section(page(few), "tests"))
    assert shown == list(trust), "in the order of trust"


def test_a_band_of_all_days_needs_clusters_of_dates(few: EventStudyResults) -> None:
    assert "all days at once" not in section(unescape(page(few)), "path")
    market = Market(20, days=420, seed=3)
    market.table["day0"] = market.frame.index[150 + 13 * np.arange(20)]
    assert "all days at once" in section(unescape(page(market.fit())), "path")


def test_every_output_of_a_run_has_the_same_answer(few: EventStudyResults, tmp_path: Path) -> None:
    folder = few.save(tmp_path, "run", config=replace(CONFIG, event_pages=0))
    decided, shown = few.answer(MAIN), numbers.pvalue(few.answer(MAIN).pvalue)
    (listed,) = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["answers"]
    assert (listed["verdict"], listed["test"], listed["pvalue"]) == (
        "different",
        "patell_kp",
        decided.pvalue,
    )
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))["answer"]["pooled"]
    assert document["overturn"]["variance_multiple"] == decided.overturn.variance_multiple
    assert len(document["overturn"]["leave_one_out"]) == len(few)
    row = re.search(r"\[0,1\] main .*", terminal_text(findings(few)))[0]  # type: ignore[index]
    assert p_text(decided.pvalue) in row.split()
    assert f"{100 * decided.effect.estimate:+.2f}%" in row
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    assert f"{decided.overturn.variance_multiple:.1f} times as variable as usual" in markdown
    assert "Patell-KP" in latex_tables(read_run(folder).findings)["caar"]
    index = render_index(tmp_path)
    assert shown in unescape(index)
    assert "Patell-KP" in index


def incomplete(*events: int) -> EventStudyResults:
    """Return six events of which some have no price from day 0 on."""
    market = Market(6, dates=6, seed=2)
    frame = market.frame.copy()
    for i in events:
        frame.iloc[frame.index.get_loc(market.table["day0"][i]) :, i] = np.nan
    return market.fit(frame)


def test_all_counts_of_a_page_are_of_the_main_window() -> None:
    text = unescape(page(incomplete(0)))
    assert '<dd class="v">5 of 6</dd>' in text
    assert " · 5 of 6 announcements, " in text


def test_without_the_main_window_nothing_empty_is_shown() -> None:
    text = unescape(page(incomplete(*range(6))))
    assert 'id="diagnosis"' not in text
    assert "#diagnosis" not in text
    assert "Effect of 0 events" not in text
    assert "Only 0 events" not in text
    head = section(text, "events").partition("<thead>")[2].partition("</thead>")[0]
    assert "<text" not in head, "no axis without a value"
    assert section(text, "events").count("the window reaches beyond its last price") == 6
