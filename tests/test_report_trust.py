"""One rule says which test counts: page, grid, tables and summaries follow answer and diagnosis."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest
from conftest import Market
from pages import CONFIG, MAIN, cells_of, findings, loose, page, section, with_columns
from situations import CLOSE, DISPERSED, GROUPS, ONE, noisy, opinion, placed

from eventstudy.calendars.window import Window
from eventstudy.findings.tables import study_tables
from eventstudy.fitting.config import StudyConfig
from eventstudy.report.sections.windows import windows_table
from eventstudy.significance import STATISTICS
from eventstudy.study import EventStudyResults
from eventstudy.utility.catalogue import say
from eventstudy.utility.numbers import (
    bound,
    p_prose,
    percent,
    pvalue,
    share_text,
    signed,
    typeset,
)

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


def test_the_table_has_the_answer_of_each_window(study: EventStudyResults, text: str) -> None:
    rows = dict(re.findall(r'<tr data-row="(\w+)">(.*?)</tr>', section(text, "tests"), re.DOTALL))
    answers = [study.answer(w) for w in CONFIG.tested]
    assert cells_of(rows["events"]) == [str(a.n_events) for a in answers]
    assert cells_of(rows["effect"]) == [percent(a.effect.estimate, unit=False) for a in answers]
    if len(study) > 1:
        averages = [percent(a.plain_average.estimate, unit=False) for a in answers]
        assert cells_of(rows["caar"]) == averages
    low_ends = cells_of(rows["interval"])
    high_ends = re.findall(r'<span class="sub">(.*?)</span></td>', rows["interval"])
    for low, high, decided in zip(low_ends, high_ends, answers, strict=True):
        ends = (decided.effect.ci_low, decided.effect.ci_high)
        assert (low, high) == tuple(bound(end, unit=False) for end in ends)
        assert (low[0] == high[0]) == (decided.verdict == "different"), (
            "the interval is that of the verdict"
        )


def test_every_cell_has_p_and_statistic_of_its_window(study: EventStudyResults, text: str) -> None:
    """The main test of a window with fewer events may be another one, which is named."""
    rows = dict(
        re.findall(r'<tr data-test="(\w+)"[^>]*>(.*?)</tr>', section(text, "tests"), re.DOTALL)
    )
    assert rows
    for name, row in rows.items():
        for window, cell in zip(CONFIG.tested, re.findall(r"<td (.*?)</td>", row), strict=True):
            css, p, beneath = re.match(
                r'class="(.*?)">(.*?)<span class="sub">(.*?)</span>', cell
            ).groups()
            decides = study.main_test(window) if name == study.main_test(MAIN) else name
            test, label = study.test(decides, window), STATISTICS[decides].label
            statistic = f"{label} " * (decides != name) + signed(test.statistic)
            assert (p, beneath) == (pvalue(test.pvalue), statistic)
            assert ("sig" in css) is bool(test.pvalue < 0.05)
            assert ("main" in css) is (window == MAIN)


def test_the_main_test_stands_alone_on_top_and_in_the_headline(
    study: EventStudyResults, text: str
) -> None:
    name = study.main_test(MAIN)
    assert re.findall(r'<tr data-test="(\w+)" class="rec">', text) == [name]
    title, rows = windows_table(findings(study)).classes[0]
    assert (title, [row.name for row in rows]) == (say("windows.main"), [name])
    head = text.partition('class="answer">')[2].partition("</p>")[0]
    assert p_prose(study.test(name, MAIN).pvalue) in head


def test_other_tests_stand_by_how_far_to_trust_them(study: EventStudyResults, text: str) -> None:
    """Each under the heading of its class with its rate; what is not valid is named below the
    table."""
    document = findings(study)
    table, opinions = windows_table(document), study.diagnose(MAIN).opinions
    trusted = {v.test: v.trust for v in opinions}
    rows = {row.name: row for row in table.others}
    assert [row.trust for row in table.others] == sorted(row.trust for row in table.others)
    names = document.sample.shown
    assert names[0] == study.main_test(MAIN)
    for name in names[1:]:
        cell = document.sample.main.test(name)
        assert cell.trust == trusted.get(name, "not valid")
        assert (name not in rows) == (cell.trust == "not valid"), name
        assert (STATISTICS[name].label in table.not_valid) == (cell.trust == "not valid")
        if name in rows:
            assert rows[name].trust == cell.trust
        if name in rows and cell.reasons and np.isfinite(cell.false_alarms):
            why = "; ".join(reason.brief for reason in cell.reasons)
            remark = say("windows.false_alarms", rate=cell.false_alarms, why=why)
            assert rows[name].remark == remark
    shown = section(text, "tests")
    assert all(row.remark in shown for row in rows.values())
    assert ", ".join(table.not_valid) in shown


def test_the_section_has_every_sentence_and_every_opinion(
    study: EventStudyResults, text: str
) -> None:
    shown, decided = section(text, "diagnosis"), study.diagnose(MAIN)
    assert all(loose(sentence) in shown for sentence in decided.text)
    rows = dict(re.findall(r'<tr data-opinion="(\w+)"[^>]*>(.*?)</tr>', shown, re.DOTALL))
    assert set(rows) == {v.test for v in decided.opinions}
    for v in decided.opinions:
        entry, (p, alarms, trust, reason, *grades) = STATISTICS[v.test], cells_of(rows[v.test])
        rate = share_text(v.false_alarms) if np.isfinite(v.false_alarms) else "–"
        assert (p, alarms, trust) == (pvalue(v.pvalue), rate, v.trust)
        assert reason[1:] == typeset(v.reason)[1:]
        assert grades == [entry.clustering, entry.overlap, entry.variance, entry.skewness]


def test_a_test_of_the_settings_is_there_with_its_reason() -> None:
    """The t of single CARs is no test of several events: it is named and not left out."""
    study = findings(placed(GROUPS, rho=0.3, seed=36).fit(), tests=("bmp", "event_t"))
    assert study.sample.shown == ("bmp_kp", "bmp", "event_t")
    asked = study.sample.main.test("event_t")
    assert asked is not None
    assert np.isnan(asked.pvalue)
    assert asked.trust == "not valid"
    assert asked.reasons
    assert STATISTICS["event_t"].label in windows_table(study).not_valid


def test_dates_shared_in_one_window_only_count_there() -> None:
    at = [150, 150, 160, 160, 170, 170, *range(172, 186, 2)]
    market = placed(at, rho=0.9, seed=5)
    frame = market.frame.copy()
    for i in (0, 2, 4):
        frame.iloc[at[i] + 2, i] = np.nan
    results = market.fit(frame)
    shared, apart = (opinion(results.diagnose(w), "bmp") for w in (Window(0, 1), Window(-1, 2)))
    causes = [[c for r in v.reasons for c in r.facts.get("causes", ())] for v in (shared, apart)]
    assert ["share_dates" in codes for codes in causes] == [True, False]


def test_the_main_test_follows_the_events_of_the_window() -> None:
    market = placed(DISPERSED, seed=35)
    frame = market.frame.copy()
    for i, day in enumerate(DISPERSED[:8]):
        frame.iloc[day + 3, i] = np.nan
    results = market.fit(frame)
    assert results.main_test() == results.main_test((0, 1)) == "bmp_kp"
    assert results.main_test((0, 5)) == results.diagnose((0, 5)).main_test == "patell_kp"
    assert results.answer((0, 5)).n_events == 2
    assert results.diagnose((0, 5)) is results.diagnose("[0,5]"), "the page asks often"


def test_without_usable_events_there_is_no_result() -> None:
    market = Market(3)
    nothing = market.fit(market.frame.drop(columns=market.tickers))
    assert nothing.answer().verdict == "no_result"
    assert nothing.main_test() == nothing.diagnose().main_test


def test_the_summary_begins_with_the_main_test() -> None:
    results = placed(ONE, rho=0.3, seed=33).fit()
    summary = results.summary()
    assert results.main_test() == results.default_tests[0] == "bmp_kp"
    assert "BMP-KP" in str(summary)
    for window in ("[0,1]", "[-1,1]"):
        decided = results.answer(window)
        shown = summary.frame.loc[window, ["effect %", "low", "high", "CAAR %"]] / 100
        effect = decided.effect
        assert shown.tolist() == pytest.approx(
            [effect.estimate, effect.ci_low, effect.ci_high, decided.plain_average.estimate]
        )
        for name in ("bmp_kp", "bmp"):
            assert summary.frame.loc[window, name] == results.test(name, window).pvalue
    assert results._repr_html_()


def test_the_opinions_of_a_run_are_those_of_the_page() -> None:
    results = with_columns(placed(GROUPS, rho=0.3, seed=36).fit(), direction=["a"] * 12 + ["b"] * 9)
    tables = study_tables(results, StudyConfig(estimation=CONFIG.estimation, event=CONFIG.event))
    shown_part = section(unescape(page(results, "direction")), "diagnosis")
    table = tables["choosing_by_group"]
    first = table[table["direction"] == "a"].set_index("test")["trust"]
    rows = dict(re.findall(r'<tr data-opinion="(\w+)"[^>]*>(.*?)</tr>', shown_part, re.DOTALL))
    assert {name: cells_of(row)[2] for name, row in rows.items()} == first.to_dict()
