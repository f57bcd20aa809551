"""One rule says which test counts: page, grid, tables and summaries follow answer and diagnosis."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import Market
from pages import CONFIG, MAIN, findings
from situations import CLOSE, DISPERSED, GROUPS, ONE, noisy, opinion, placed

from eventstudy.analysis.answer.answer import default_tests
from eventstudy.calendars import Window
from eventstudy.report.tables.windows import windows_table
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudyResults
from eventstudy.words import words

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


def test_the_blocks_have_the_answer_of_each_window(study: EventStudyResults) -> None:
    rows = windows_table(findings(study)).blocks[0].rows
    for window, row in zip(CONFIG.tested, rows, strict=True):
        answer = study.answer(window)
        effect = answer.effect
        assert (row.remark, row.is_main) == (words().window(window), window == MAIN)
        numbers = (row.values["effect"], *row.values["interval"], row.values["pvalue"])
        expected = (effect.estimate, effect.ci_low, effect.ci_high, answer.pvalue)
        np.testing.assert_array_equal(numbers, expected)
        assert (effect.ci_low * effect.ci_high > 0) == (answer.verdict == "different")


def test_other_tests_stand_by_how_far_to_trust_them(study: EventStudyResults) -> None:
    """Those that are not valid are left out; each line has p and the rate of false alarms."""
    document = findings(study)
    opinions = {v.test: v for v in study.diagnose(MAIN).opinions}
    trust = {"valid": "valid", "with_care": "valid with care"}
    listed = set()
    for block in windows_table(document).blocks[1:]:
        for row in block.rows:
            if row.key not in STATISTICS:
                continue
            opinion = opinions[row.key]
            listed.add(opinion.test)
            assert opinion.trust == trust[block.key]
            assert row.name == STATISTICS[row.key].label
            numbers = (row.values["pvalue"], row.values["false_alarms"])
            np.testing.assert_array_equal(numbers, (opinion.pvalue, opinion.false_alarms))
    trusted = {n for n in document.sample.shown[1:] if opinions[n].trust != "not valid"}
    assert listed == trusted


def test_a_test_of_the_settings_is_there_with_its_reason() -> None:
    """The t of single CARs is no test of several events: it is named and not left out."""
    study = findings(placed(GROUPS, rho=0.3, seed=36).fit(), tests=("bmp", "event_t"))
    assert study.sample.shown == ("bmp_kp", "bmp", "event_t")
    asked = study.sample.main.test("event_t")
    assert asked is not None
    assert np.isnan(asked.pvalue)
    assert asked.trust == "not valid"
    assert asked.reasons
    reasons = {row.name: row.values["allows"] for row in windows_table(study).blocks[-1].rows}
    assert reasons[STATISTICS["event_t"].label] == str(asked.reasons[0])


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
    assert results.main_test((0, 5)) == results.diagnose((0, 5)).main_test == "patell_kp_regime"
    assert results.answer((0, 5)).n_events == 2
    assert results.diagnose((0, 5)) is results.diagnose("[0,5]"), "the page asks often"


def test_without_usable_events_there_is_no_result() -> None:
    market = Market(3)
    nothing = market.fit(market.frame.drop(columns=market.tickers))
    assert nothing.answer().verdict == "no_result"
    assert nothing.main_test() == nothing.diagnose().main_test


@pytest.mark.slow
def test_the_summary_begins_with_the_main_test() -> None:
    results = placed(ONE, rho=0.3, seed=33).fit()
    summary = results.summary()
    assert results.main_test() == default_tests(results)[0] == "bmp_kp"
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
