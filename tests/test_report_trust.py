"""One rule says which test counts: the page, the table of windows and the summaries follow the diagnosis."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest
from conftest import Market
from pages import CONFIG, MAIN, cells_of, page, section, with_columns
from situations import CLOSE, DISPERSED, GROUPS, ONE, noisy, placed

from eventstudy import pvalues
from eventstudy.config import StudyConfig
from eventstudy.report import wording
from eventstudy.report.facts import cells, shown_tests
from eventstudy.results import EventStudyResults
from eventstudy.significance import STATISTICS
from eventstudy.tables import study_tables
from eventstudy.windows import Window

STUDIES = {
    "one": lambda: placed([160]).fit(),
    "two": lambda: placed([150, 160], seed=43).fit(),
    "one date": lambda: placed(ONE, rho=0.3, seed=33).fit(),
    "dispersed": lambda: placed(DISPERSED, seed=35).fit(),
    "groups": lambda: placed(GROUPS, rho=0.3, seed=36).fit(),
    "close": lambda: placed(CLOSE, rho=0.4, seed=37).fit(),
    "loud": lambda: (m := placed(GROUPS, seed=39)).fit(noisy(m, 3)),
}


@pytest.fixture(scope="module", params=list(STUDIES))
def study(request: pytest.FixtureRequest) -> EventStudyResults:
    """Studies of every kind, one with raised variance."""
    return STUDIES[request.param]()


@pytest.fixture(scope="module")
def text(study: EventStudyResults) -> str:
    return unescape(page(study))


def test_every_cell_is_marked_as_its_window_is_diagnosed(study: EventStudyResults, text: str) -> None:
    rows = dict(re.findall(r'<tr data-test="(\w+)"[^>]*>(.*?)</tr>', section(text, "tests"), re.DOTALL))
    assert list(rows)[: len(study.diagnose(MAIN).recommended)] == list(study.diagnose(MAIN).recommended)
    assert set(rows) == set(shown_tests(study, MAIN))
    for name, row in rows.items():
        for window, cell in zip(CONFIG.tested, re.findall(r"<td (.*?)</td>", row), strict=True):
            css, trust, p, statistic = re.match(
                r'class="(.*?)" data-trust="(.*?)">(.*?)<span class="sub">(.*?)</span>', cell
            ).groups()
            verdict = next(v for v in study.diagnose(window).verdicts if v.test == name)
            test = study.test(name, window)
            assert (trust, p.strip("()")) == (verdict.trust, pvalues.pvalue(test.pvalue))
            assert statistic == wording.signed(test.statistic)
            relied = verdict.usable and not test.reason
            assert p.startswith("(") is (not relied and bool(np.isfinite(test.pvalue)))
            assert ("sig" in css) is (relied and test.pvalue < 0.05)


def test_one_row_leads_and_it_is_that_of_the_headline(study: EventStudyResults, text: str) -> None:
    lead, leads = study.recommended_for(MAIN), study.diagnose(MAIN).recommended[:1]
    assert re.findall(r'<tr data-test="(\w+)" class="rec">', text) == [*leads]
    if not leads:
        assert "not tested" in text.partition('class="answer">')[2].partition("</p>")[0]
        return
    assert (
        pvalues.p_is(study.test(lead, MAIN).pvalue)
        in text.partition('class="answer">')[2].partition("</p>")[0]
    )


def test_the_section_has_every_sentence_and_every_verdict(study: EventStudyResults, text: str) -> None:
    own, found = section(text, "diagnosis"), study.diagnose(MAIN)
    assert all(wording.in_type(sentence) in own for sentence in found.text)
    rows = dict(re.findall(r'<tr data-verdict="(\w+)"[^>]*>(.*?)</tr>', own, re.DOTALL))
    assert set(rows) == {v.test for v in found.verdicts}
    for v in found.verdicts:
        entry, (p, trust, reason, *grades) = STATISTICS[v.test], cells_of(rows[v.test])
        assert (p.strip("()"), trust) == (pvalues.pvalue(v.pvalue), v.trust)
        assert reason[1:] == wording.in_type(v.reason)[1:]
        assert grades == [entry.clustering, entry.overlap, entry.variance, entry.skewness]


def titles(text: str) -> dict[str, str]:
    """Return the heading under which the page has each test."""
    found = {}
    for body in text.split('<tr class="grp">')[1:]:
        title = re.search(r'<span class="stay">(.*?)</span>', body)[1]
        found |= dict.fromkeys(re.findall(r'<tr data-test="(\w+)"', body), title)
    return found


def test_headings_hold_for_every_window(study: EventStudyResults, text: str) -> None:
    by_window = [cells(study, w, shown_tests(study, MAIN)) for w in CONFIG.tested]
    for name, title in titles(text).items():
        valid = [c[name].valid for c in by_window if np.isfinite(c[name].result.pvalue)]
        recommended = name in study.diagnose(MAIN).recommended
        everywhere, somewhere = bool(valid) and all(valid), any(valid)
        assert title.startswith("Recommended") is recommended
        assert title.startswith("Usable in every") is (everywhere and not recommended)
        assert title.startswith("Usable in some") is (somewhere and not everywhere and not recommended)


def test_dates_shared_in_one_window_only_count_there() -> None:
    at = [150, 150, 160, 160, 170, 170, *range(172, 186, 2)]
    market = placed(at, seed=5)
    frame = market.frame.copy()
    for i in (0, 2, 4):
        frame.iloc[at[i] + 2, i] = np.nan
    results = market.fit(frame)
    shared, apart = (cells(results, w, ["bmp"])["bmp"] for w in (Window(0, 1), Window(-1, 2)))
    assert "events share dates" in " ".join(shared.faults)
    assert "events share dates" not in " ".join(apart.faults)


def test_the_recommended_test_depends_on_the_window() -> None:
    market = placed(DISPERSED, seed=35)
    frame = market.frame.copy()
    for i, day in enumerate(DISPERSED[:8]):
        frame.iloc[day + 3, i] = np.nan
    results = market.fit(frame)
    assert results.recommended == results.recommended_for((0, 1)) == "bmp_kp"
    assert results.diagnose((0, 5)).recommended == (), "two events are too few for any"
    assert results.diagnose((0, 5)) is results.diagnose("[0,5]"), "the page asks often"


def test_without_a_recommended_test_there_is_still_a_name() -> None:
    market = Market(3)
    nothing = market.fit(market.frame.drop(columns=market.tickers))
    assert nothing.diagnose().recommended == ()
    assert nothing.recommended == "bmp_kp"


def test_the_summary_leads_with_it_and_marks_the_others() -> None:
    results = placed(ONE, rho=0.3, seed=33).fit()
    summary = results.summary()
    assert next(iter(summary.frame.columns[2:])) == results.recommended == results.default_tests[0]
    p = f"{results.test('bmp', MAIN).pvalue:.4f}"
    for shown in (str(summary), summary._repr_html_(), results._repr_html_()):
        assert f"({p})" in shown
        assert f"({results.test('bmp_kp', MAIN).pvalue:.4f})" not in shown
        assert "BMP-KP leads" in shown
    assert summary.frame.loc["[0,1]", "bmp"] == results.test("bmp", MAIN).pvalue


def test_the_verdicts_of_a_run_are_those_of_the_page() -> None:
    results = with_columns(placed(GROUPS, rho=0.3, seed=36).fit(), direction=["a"] * 12 + ["b"] * 9)
    tables = study_tables(results, StudyConfig(estimation=CONFIG.estimation, event=CONFIG.event))
    own = section(unescape(page(results, "direction", tables=tables)), "diagnosis")
    table = tables["choosing_by_group"]
    first = table[table["direction"] == "a"].set_index("test")["trust"]
    rows = dict(re.findall(r'<tr data-verdict="(\w+)"[^>]*>(.*?)</tr>', own, re.DOTALL))
    assert {name: cells_of(row)[1] for name, row in rows.items()} == first.to_dict()
