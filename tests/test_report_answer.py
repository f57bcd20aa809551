"""Sentences: the answer, what must be said with it, and what limits a study."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from eventstudy.report.dissent import dissent
from pages import CONFIG, MAIN, page, section, with_columns
from situations import placed

from eventstudy import pvalues
from eventstudy.cli.terminal import summary_text
from eventstudy.config import StudyConfig
from eventstudy.events.table import read_events
from eventstudy.exports import finished
from eventstudy.exports.layout import panels
from eventstudy.report import answer, facts, limits, wording
from eventstudy.results import EventStudyResults
from eventstudy.study import run_study
from eventstudy.windows import Window


@pytest.fixture(scope="module")
def fallen() -> EventStudyResults:
    """Twenty events on seven dates that lowered the shares."""
    return Market(20, dates=7, effect=-0.04, seed=3).fit()


@pytest.fixture(scope="module")
def quiet() -> EventStudyResults:
    """Twelve events without an effect."""
    return Market(12, seed=5).fit()


@pytest.fixture(scope="module")
def split(fallen: EventStudyResults) -> EventStudyResults:
    """The events in two groups of unequal size."""
    return with_columns(fallen, direction=["adverse"] * 12 + ["relief"] * 8)


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.01024, "−1.02%"), (0.003, "+0.30%"), (0.0, "0.00%"), (-0.00001, "0.00%"), (np.nan, "–")],
)
def test_percent_has_a_true_minus_and_no_sign_at_zero(value: float, text: str) -> None:
    assert wording.percent(value) == text


@pytest.mark.parametrize(
    ("p", "text", "stars"),
    [
        (0.0612, "p = 0.061", "*"),
        (0.00099, "p < 0.001", "***"),
        (1.0, "p = 1.000", ""),
        (0.02, "p = 0.020", "**"),
        (0.0497, "p = 0.0497", "**"),
        (0.04996, "p = 0.04996", "**"),
        (0.0503, "p = 0.050", "*"),
        (0.05, "p = 0.050", "*"),
        (0.0998, "p = 0.100", "*"),
    ],
)
def test_p_is_never_written_as_zero(p: float, text: str, stars: str) -> None:
    assert (pvalues.p_is(p), pvalues.stars(p)) == (text, stars)


def test_other_formats() -> None:
    assert wording.window_text(Window(-10, 2)) == "[−10,\u00a02]"
    assert [wording.day(t) for t in (-1, 0, 1)] == ["−1", "0", "+1"]
    assert wording.date_prose("2022-09-01").replace("\u00a0", " ") == "1 Sep 2022"
    assert wording.date_iso(pd.Timestamp("2022-09-01")) == "2022-09-01"
    assert wording.span(-0.0204, 0.0001) == "−2.04% to +0.01%"
    assert wording.span(-0.0346, -0.00003) == "−3.46% to −0.003%"
    assert wording.span(0.0, 0.000004, unit=False) == "0.00 to +0.0004"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.reason_head("4 usable days in the estimation window, at least 7 are needed") == (
        "too few usable days in the estimation window"
    )


@pytest.mark.parametrize(
    ("reason", "short", "general"),
    [("1 events, 5 needed to rely on it", "1 event, 5 needed", "fewer than 5 events"),
     ("3 sessions, at least 10 are needed", "3 sessions, at least 10 are needed", "fewer than 10 sessions"),
     ("1 event, at least 2 are needed for a variance", "1 event, at least 2 are needed for a variance",
      "fewer than 2 events for a variance"),
     ("all ranks are tied", "all ranks are tied", "all ranks are tied")],
)  # fmt: skip
def test_reasons_in_short(reason: str, short: str, general: str) -> None:
    assert (wording.reason_text(reason), wording.reason_general(reason)) == (short, general)


@pytest.mark.parametrize("sample", ["fallen", "quiet"])
def test_headline_is_made_of_the_results(sample: str, request: pytest.FixtureRequest) -> None:
    results: EventStudyResults = request.getfixturevalue(sample)
    test, found = results.test("bmp_kp", MAIN), facts.interval(results, MAIN)
    dates = results.events["day0"].nunique()
    verdict = "different from zero" if test.pvalue < 0.05 else "not distinguishable from zero"
    expected = (
        f"Over [0, 1] the abnormal return of the {len(results)} adverse announcements was "
        f"{100 * test.estimate:+.2f}% on average "
        f"(95% CI {100 * found.low:+.2f}% to {100 * found.high:+.2f}%): "
        f"{verdict} at the 5% level (BMP-KP {pvalues.p_is(test.pvalue)}, {dates} dates)."
    )
    said = answer.answer(results, MAIN, subject="adverse announcements")
    assert str(said).replace("\u00a0", " ").replace("−", "-") == expected
    assert [text for text, strong in said.parts if strong][1] == verdict


def test_the_two_samples_have_the_two_verdicts(fallen: EventStudyResults, quiet: EventStudyResults) -> None:
    assert ": different from zero" in answer.headline(fallen, MAIN)
    assert "not distinguishable from zero" in answer.headline(quiet, MAIN)


def test_one_event_is_compared_with_its_model(fallen: EventStudyResults) -> None:
    one = fallen.subset(np.arange(len(fallen)) == 0)
    said = answer.headline(one, MAIN)
    tests = {"Single-event t": "event_t", "SQ (sample quantile)": "sq"}
    each = "; ".join(f"{label} {pvalues.p_is(one.test(n, MAIN).pvalue)}" for label, n in tests.items())
    assert said.startswith("Over [0,\u00a01] F00 moved ")
    assert f"against what the market model expected (95%\u00a0CI {wording.span(*_car_interval(one))})" in said
    assert f": not distinguishable from zero at the 5% level ({each})." in said
    assert said.endswith("One event cannot separate the announcement from other news on the same days.")


def test_one_car_left_of_several_events_is_told_as_that_of_one_event() -> None:
    market = Market(3, dates=3, effect=-0.05)
    alone = market.fit().subset(np.array([False, True, False]))
    frame = market.frame.copy()
    for k in (0, 2):
        frame.iloc[frame.index.get_loc(market.table["day0"][k]) + 1, k] = np.nan
    left = market.fit(frame)
    assert str(answer.answer(left, MAIN)) == str(answer.answer(alone, MAIN))
    assert answer.verdict(left, MAIN) == answer.verdict(alone, MAIN)
    said = answer.headline(left, MAIN)
    assert "2 of 3 usable events lack days of this window and are left out: F00" in said
    group = str(answer.brief(left, MAIN, subject="adverse announcements"))
    assert group.startswith(
        "The 3 adverse announcements, of which one has a CAR: over [0,\u00a01] F01 moved "
    )
    assert facts.interval_known(left, MAIN)
    found = finished(left, config=CONFIG)
    (mean,) = found.over_main("caar").to_dict("records")
    assert (mean["ci_low"], mean["ci_high"]) == pytest.approx(_car_interval(alone))
    own = found.over_main("tests").set_index("test")["pvalue"]
    for name in ("event_t", "sq"):
        assert own[name] == pytest.approx(alone.test(name, MAIN).pvalue)
    (panel,), _ = panels(found, 6)
    (row,) = (row for row in panel.rows if row.window == MAIN)
    assert {cell.name for cell in row.cells if cell.valid} == {"event_t", "sq"}
    assert re.search(r"\[0,1\] +1 .*\(0", summary_text(left, CONFIG)), "tests of several are in brackets"
    assert "there is no interval" not in " ".join(limits.limitations(left, MAIN))


def test_an_interval_that_holds_zero_beside_a_verdict_of_ranks_is_explained(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(
        "ticker,announced_at\nPFE,2022-02-08T10:00-05:00\n", encoding="utf-8"
    )
    results = run_study(read_events(tmp_path / "events.csv"), StudyConfig(prices="sample"))
    assert results.recommended == "sq", "its residuals are not normal"
    found = facts.interval(results, MAIN)
    assert results.test("sq", MAIN).pvalue < 0.05
    assert found.low < 0 < found.high
    said = answer.asides(results, MAIN)
    assert "The interval, which takes the errors as normal, includes zero." in said
    assert not any("interval" in text for text in answer.asides(results, MAIN, level=0.1))


def test_the_two_tests_of_one_event_that_disagree_leave_no_verdict() -> None:
    market = Market(30, effect=-0.035, seed=8)
    ones = [market.fit().subset(np.arange(30) == i) for i in range(30)]
    p = [[one.test(name, MAIN).pvalue < 0.05 for name in ("event_t", "sq")] for one in ones]
    split = [one for one, (t, sq) in zip(ones, p, strict=True) if t != sq]
    assert split
    for one in split:
        assert ": whether it differs from zero depends on the test at the 5% level (Single-event t p" in (
            answer.headline(one, MAIN)
        )


def _car_interval(one: EventStudyResults) -> tuple[float, float]:
    from scipy import stats

    row = one.car([MAIN]).iloc[0]
    half = stats.t.ppf(0.975, one.abnormal.df_resid[0]) * row["se"]
    return row["car"] - half, row["car"] + half


def test_one_date_is_one_observation_of_a_common_shock() -> None:
    said = answer.headline(Market(8, dates=1).fit(), MAIN)
    assert "1 date)" in said
    assert said.endswith("All events share one date: one effective observation of any common shock.")


def test_nothing_usable_says_why_and_what_to_do() -> None:
    market = Market(6)
    said = answer.headline(market.fit(market.frame.drop(columns=market.tickers)), MAIN)
    assert said == (
        "No result: none of 6 announcements could be used. Most frequent reason: no price data (6 of 6). "
        "Check the tickers, or choose another source of prices."
    )


def test_open_windows_make_the_answer_provisional() -> None:
    market = Market(12)
    last = market.table["day0"].sort_values().iloc[-3]
    results = market.fit(market.frame.loc[:last])
    said = answer.headline(results, MAIN)
    n = results.test("bmp_kp", MAIN).n_events
    assert 0 < n < len(results)
    assert said.startswith(f"Provisional: {n} of {len(results)} events have complete windows.")
    assert "zero" not in said
    assert limits.limitations(results, MAIN)[0].startswith("Provisional:")


def test_valid_tests_of_the_mean_that_disagree_leave_no_verdict() -> None:
    fitted = [Market(16, dates=16, effect=-0.009, seed=seed).fit() for seed in range(40)]
    day = Window(0, 0)
    p = [[r.test(name, day).pvalue for name in ("bmp_kp", "cross_sectional")] for r in fitted]
    cases = [(r, t) for r, (kp, t) in zip(fitted, p, strict=True) if (kp < 0.05) != (t < 0.05)]
    assert cases
    for results, other in cases:
        said = answer.headline(results, day)
        assert "depends on the test at the 5% level" in said
        assert f"Cross-sectional t {pvalues.p_is(other)}" in said


def test_limitations_come_most_serious_first(split: EventStudyResults) -> None:
    results = with_columns(split, benchmark="^GSPC", flags="time_unknown")
    found = limits.limitations(results, MAIN)
    assert [text.split()[0] for text in found] == ["Events", "^GSPC", "Every"]
    assert "pooled" in found[0]
    assert not limits.limitations(with_columns(split, direction="adverse", benchmark="^GDAXI"), MAIN)


@pytest.mark.parametrize(
    ("symbol", "price"),
    [("^GSPC", True), ("000300.SS", True), ("399001.SZ", True), ("IMOEX.ME", True), ("SPY", False),
     ("510300.SS", False), ("^GDAXI", False), ("MCFTR.ME", False)],
)  # fmt: skip
def test_price_indices(symbol: str, price: bool) -> None:
    assert limits.is_price_index(symbol) is price


def test_interval_is_the_cross_sectional_one_corrected_as_in_bmp_kp(fallen: EventStudyResults) -> None:
    from scipy import stats

    car = fallen.abnormal.car(MAIN)
    factor = fallen.test("bmp", MAIN).statistic / fallen.test("bmp_kp", MAIN).statistic
    half = stats.t.ppf(0.975, 19) * car.std(ddof=1) / np.sqrt(20) * factor
    found = facts.interval(fallen, MAIN)
    assert found.corrected
    np.testing.assert_allclose([found.low, found.high], car.mean() + np.array([-half, half]), rtol=1e-12)


def test_the_first_group_that_can_be_tested_leads(fallen: EventStudyResults) -> None:
    direction = ["a"] * 8 + ["b"] * 6 + ["c"] * 6
    groups = with_columns(fallen, direction=direction).groups("direction")
    assert answer.leading(groups, MAIN) == "a"
    assert answer.leading({k: v.subset(np.arange(4)) for k, v in groups.items()}, MAIN) == "a"
    groups["a"] = groups["a"].subset(np.arange(4))
    assert answer.leading(groups, MAIN) == "b"
    groups["b"] = groups["b"].subset(np.arange(5))
    assert answer.leading(groups, MAIN) == "b", "c has more events left"
    assert answer.leading({}, MAIN) == ""


def test_few_notes_are_listed_and_many_counted(fallen: EventStudyResults) -> None:
    def listed(n: int) -> list[str]:
        panel = replace(fallen.panel, notes=tuple(f"note {i}" for i in range(n)))
        return limits.limitations(replace(fallen, panel=panel), MAIN)

    assert listed(5)[-5:] == [f"Note {i}." for i in range(5)]
    assert listed(7)[-2:] == ["Note 4.", "2 similar notes not listed."]


def test_notes_that_change_no_reading_stand_with_the_provenance(fallen: EventStudyResults) -> None:
    routine, foreign = "F01: 4 closes without volume and without change taken as no trade", "ZZZ: odd prices"
    own = "F01: no adjusted closes, so that dividends and splits count as returns"
    told = {**fallen.panel.provenance, "F01": {}, "ZZZ": {}}
    panel = replace(fallen.panel, notes=(routine, foreign, own), provenance=told)
    results = replace(fallen, panel=panel)
    assert [text for text in limits.limitations(results, MAIN) if "F01" in text or "ZZZ" in text] == [
        f"{own}."
    ]
    assert limits.data_notes(results) == [f"{routine}.", f"{foreign}."]
    assert f"<li>{foreign}.</li>" in section(page(results), "provenance")


def test_a_benchmark_made_of_the_firms_leaves_nothing_to_test() -> None:
    market = Market(15, dates=1, seed=42)
    frame = market.frame.assign(MKT=market.frame[market.tickers].mean(axis=1))
    results = market.fit(frame, model="market_adjusted")
    assert results.diagnose(MAIN).recommended == ()
    said = answer.answer(results, MAIN)
    assert [text for text, strong in said.parts if strong][1] == "not tested"
    assert "as if the benchmark were made of the firms" in str(said)


def test_tests_that_disagree_are_named_with_what_speaks_against_them() -> None:
    fitted = [Market(20, dates=4, rho=0.3, effect=-0.012, seed=seed).fit() for seed in range(30)]
    cases = [r for r in fitted if r.test("bmp_kp", MAIN).pvalue > 0.05 > r.test("bmp", MAIN).pvalue]
    cases = [r for r in cases if r.recommended_for(MAIN) == "bmp_kp"]
    assert cases
    for results in cases:
        said = answer.headline(results, MAIN)
        assert f"BMP {pvalues.pvalue(results.test('bmp', MAIN).pvalue)}" in said
        assert "not to be relied on here" in said
        assert "events share dates" in said


def test_tests_beside_the_first_are_named_with_what_they_find(fallen: EventStudyResults) -> None:
    shown = facts.cells(fallen, MAIN, ["bmp_kp", "patell", "grank_t"])

    def cell(name: str, p: float, trust: str, reason: str = "") -> facts.Cell:
        return facts.Cell(replace(shown[name].result, pvalue=p), trust, reason)

    lead, usable = cell("bmp_kp", 0.02, "recommended"), cell("patell", 0.07, "usable")
    one = "The one test in brackets gives p ≥ 0.05 for this window"
    weak = cell("grank_t", 0.3, "doubtful", "windows overlap")
    assert dissent("bmp_kp", {"bmp_kp": lead, "patell": usable, "grank_t": weak}, 0.05, []) == [
        f"{one} (GRANK-T 0.300); it is not to be relied on here: windows overlap.",
        "Patell Z (p = 0.070) is usable here too and finds no difference from zero.",
    ]
    other = cell("bmp_kp", 0.2, "recommended")
    usable = cell("patell", 0.01, "usable")
    assert dissent("bmp_kp", {"bmp_kp": other, "patell": usable}, 0.05, []) == [
        "Patell Z (p = 0.010) is usable here too and finds a difference from zero."
    ]


def test_a_group_of_one_event_keeps_its_name(fallen: EventStudyResults) -> None:
    one = str(answer.brief(fallen.subset([0]), MAIN, subject="announcements with sector oil"))
    assert one.replace("\u00a0", " ").startswith("The 1 announcement with sector oil: over [0, 1] F00 moved ")


def test_where_only_bmp_kp_rejects_on_close_dates_both_p_are_named() -> None:
    seen = set()
    for seed in range(12, 16):
        results = placed([150 + i // 2 for i in range(40)], rho=0.3, seed=seed, effect=0.005).fit()
        p, other = (results.test(name, MAIN).pvalue for name in ("bmp_kp", "calendar_time"))
        said = answer.headline(results, MAIN)
        split = p < 0.05 <= other
        assert ("depends on the test" in said) >= split
        assert (results.diagnose(MAIN).disagreement != "") == split
        if split:
            assert f"BMP-KP {pvalues.p_is(p)}, Calendar time {pvalues.p_is(other)}" in said
            assert "only the second holds its size" in said
        seen.add(split)
    assert seen == {True, False}, "the design must have both"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p = 0.025 over [-1,1].", "p = 0.025 over [−1,\u00a01]."),
        ("skewed (-1.2), date-clustered", "skewed (−1.2), date-clustered"),
    ],
)
def test_sentences_of_analyses_are_set_like_the_page(text: str, shown: str) -> None:
    assert wording.in_type(text) == shown
