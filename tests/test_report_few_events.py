"""Two to four events are not tested, and every surface says so."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from conftest import Market
from pages import CONFIG, MAIN, page, section
from situations import placed

from eventstudy import pvalues
from eventstudy.cli.terminal import summary_text
from eventstudy.exports.finished import read_run
from eventstudy.exports.latex import latex_tables
from eventstudy.report import answer, facts, plots
from eventstudy.report.grid import _faults, significance_grid
from eventstudy.report.index import render_index
from eventstudy.results import EventStudyResults
from eventstudy.significance import STATISTICS
from eventstudy.windows import Window


@pytest.fixture(scope="module", params=[2, 3, 4])
def few(request: pytest.FixtureRequest) -> EventStudyResults:
    """The first events of a study with an effect that twenty show."""
    fallen = Market(20, dates=7, effect=-0.04, seed=3).fit()
    return fallen.subset(np.arange(len(fallen)) < request.param)


def test_the_answer_has_the_p_that_holds_if_variance_stays(few: EventStudyResults) -> None:
    said, p = answer.headline(few, MAIN), pvalues.p_is(few.test("patell_kp", MAIN).pvalue)
    assert f"not tested ({len(few)} events, 5 needed). " in said
    assert f"cannot be told from a rise in variance; if it did not rise, Patell-KP gives {p}." in said
    assert "CI" not in said
    assert "interval" not in said, "the spread of so few events gives none to speak of"


def test_no_part_of_the_page_tests_them(few: EventStudyResults) -> None:
    text, n = unescape(page(few)), len(few)
    keys = dict(re.findall(r'<dt>(.*?)</dt><dd class="v">(.*?)</dd>', text))
    assert keys["Recommended test"] == "not tested"
    assert f"Only {n} events have all days of [0,\u00a01]: there is no interval" in text
    mean = text.partition('<tbody class="sum">')[2].partition("</tbody>")[0]
    assert f"not tested: {n} events, 5 needed" in mean
    assert 'class="sb"' in mean
    assert "full" not in mean, "the diamond is hollow"
    assert not plots._mean_mark(few, MAIN).filled
    tests = section(text, "tests")
    for absent in ("Recommended over", "Read ", 'class="sig', "Usable in"):
        assert absent not in tests


def test_the_path_speaks_of_no_band_and_no_test(few: EventStudyResults) -> None:
    path = section(unescape(page(few)), "path")
    for absent in ("Bands", "95% band", "with 95% CI", "-KP p"):
        assert absent not in path
    several = section(unescape(page(Market(20, dates=7, seed=3).fit())), "path")
    for there in ("Bands", "95% band", "with 95% CI", "BMP-KP p"):
        assert there in several


def test_the_terminal_has_no_stars_and_explains_none(few: EventStudyResults) -> None:
    text = summary_text(few, CONFIG)
    assert "*" not in text
    assert "stars" not in text
    assert re.search(rf"\[0,1\] +{len(few)} +\S+ +\(", text), "the first test is in brackets"


def test_run_exports_and_index(few: EventStudyResults, tmp_path: Path) -> None:
    own, n = few.save(tmp_path, "run", config=replace(CONFIG, event_pages=0)), len(few)
    (told,) = json.loads((own / "manifest.json").read_text(encoding="utf-8"))["answers"]
    assert (told["verdict"], told["pvalue"]) == ("not tested", None)
    document = json.loads((own / "results.json").read_text(encoding="utf-8"))
    assert document["samples"][0]["windows"][1]["recommended"] == []
    assert ["Recommended test", "not tested", f"{n} events, 5 needed"] in document["text"]["keys"]
    markdown = (own / "report.md").read_text(encoding="utf-8")
    assert "not tested" in markdown
    assert "(leads)" not in markdown
    caar = latex_tables(read_run(own))["caar"]
    for absent in ("(leads)", "the stars of a CAAR", "p<0.01"):
        assert absent not in caar
    assert ">not tested</td>" in render_index(tmp_path)


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
    assert "Mean of 0 events" not in text
    assert "Only 0 events" not in text
    head = section(text, "events").partition("<thead>")[2].partition("</thead>")[0]
    assert "<text" not in head, "no axis without a value"
    assert section(text, "events").count("the window reaches beyond its last price") == 6


def test_what_holds_over_some_windows_only_says_so() -> None:
    results = Market(12, seed=5).fit()
    windows = [Window(0, 0), Window(0, 1), Window(-1, 1)]
    found = facts.cells(results, MAIN, ["grank_t"])["grank_t"]
    faults = ["windows overlap", "windows overlap", "windows overlap; returns are skewed"]
    row = {w: replace(found, trust="doubtful", reason=f) for w, f in zip(windows, faults, strict=True)}
    assert _faults(row) == "Doubtful: windows overlap and returns are skewed (over [−1,\u00a01])."


def test_a_test_doubtful_everywhere_has_no_exception() -> None:
    """Four events whose windows overlap but over one of the windows: there they are too few all the same."""
    results = placed([150 + 2 * i for i in range(4)], seed=33).fit()
    config = replace(CONFIG, windows=(Window(0, 0), Window(-1, 1), Window(-2, 2), Window(-3, 3)))
    table = significance_grid(results, config.tested, Window(0, 0), None)
    (title,) = (title for title, rows in table.groups if any(row.name == "bmp" for row in rows))
    (row,) = (row for _, rows in table.groups for row in rows if row.name == "bmp")
    assert "Not to be relied on in any window" in title
    why = "windows of different dates overlap. Over [0,\u00a00] for the reason below the table."
    assert row.about == f"Doubtful: {why}"


@pytest.mark.parametrize("dates", [1, 2])
def test_the_p_that_the_answer_names_stands_in_every_table(dates: int) -> None:
    results = Market(20, dates=7, effect=-0.04, seed=3).fit().subset(np.array([0, 7 if dates == 1 else 1]))
    assert results.diagnose(MAIN).n_dates == dates
    (name,) = results.diagnose(MAIN).if_not_raised
    p, label = pvalues.pvalue(results.test(name, MAIN).pvalue), STATISTICS[name].label
    assert f"{label} gives {pvalues.p_is(results.test(name, MAIN).pvalue)}" in answer.headline(results, MAIN)
    for config in (CONFIG, CONFIG.with_options({"tests": ["sign"]})):
        row = re.search(r"\[0,1\].*", summary_text(results, config))[0]  # type: ignore[index]
        assert f"({p})" in row
        grid = significance_grid(results, config.tested, MAIN, config.tests)
        (own,) = (row for _, rows in grid.groups for row in rows if row.label == label)
        assert next(cell for cell in own.cells if cell.main).pvalue == f"({p})"
    effective = "effective number" in summary_text(results, CONFIG)
    assert effective == (dates > 1), "on one date there is one observation, and no other number is told"
    assert dates > 1 or "tell as much as" not in " ".join(results.diagnose(MAIN).text)
