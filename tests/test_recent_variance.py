"""The variance of the days before an event, and the main tests of few events that take it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from pages import CONFIG
from scipy import stats

import eventstudy as es
from eventstudy.calendars import Window
from eventstudy.report.sentences.answer import describe_violence
from eventstudy.significance import STATISTICS

REFERENCE = json.loads(
    (Path(__file__).parent / "reference" / "recent_variance.json").read_text(encoding="utf-8")
)
MAIN = Window(0, 1)
DAYS = pd.bdate_range("2015-01-01", periods=len(REFERENCE["market"]))


def returns_of(**others: list[float]) -> pd.DataFrame:
    """Return the returns of the reference, and those of others."""
    columns = {**REFERENCE["firms"], "M": REFERENCE["market"], **others}
    return pd.DataFrame(columns, index=DAYS)


def fit_of(tickers: str, *, other: bool = False, **options: object) -> es.EventStudyResults:
    """Fit events of one-letter tickers on the day of the reference."""
    day0 = REFERENCE["day0"]
    rows = [(ticker, str(DAYS[day0].date())) for ticker in tickers]
    if other:
        rows += [(ticker, str(DAYS[at].date())) for ticker, at in REFERENCE["other_event"].items()]
    events = pd.DataFrame(rows, columns=["ticker", "announced_at"])
    returns = options.pop("returns", returns_of())
    study = es.EventStudy(events, returns, benchmark="M", **options)
    return study.fit()


@pytest.mark.parametrize("case", list(REFERENCE["k"]))
@pytest.mark.parametrize("window", list(REFERENCE["k"]["market"]))
@pytest.mark.parametrize("engine", ["statsmodels", "batch"])
def test_k_is_that_of_a_program_written_apart(case: str, window: str, engine: str) -> None:
    model, _, lacks_index = case.partition(" ")
    returns = returns_of().drop(columns="M") if lacks_index else returns_of()
    results = fit_of("ABC", other=True, model=model, engine=engine, returns=returns)
    k = results.abnormal.recent_variance(Window(*map(int, window.split(","))))
    expected = REFERENCE["k"][case][window]
    got = dict(zip(results.events["ticker"][:3], k[:3], strict=True))
    assert got == pytest.approx(expected, rel=1e-11)


def test_the_sample_of_a_study_has_the_k_of_the_study() -> None:
    whole = fit_of("ABC", other=True).abnormal
    for i in range(3):
        alone = whole.take(np.array([i]))
        assert alone.recent_variance(MAIN)[0] == pytest.approx(whole.recent_variance(MAIN)[i])


def test_the_main_test_of_one_event_divides_by_the_root_of_k() -> None:
    results = fit_of("A")
    k = REFERENCE["k"]["market"]["0,1"]["A"]
    textbook, answer = results.test("event_t", MAIN), results.answer()
    assert answer.test == "event_t_regime"
    t = textbook.statistic / np.sqrt(k)
    assert results.test("event_t_regime", MAIN).statistic == pytest.approx(t)
    assert answer.pvalue == pytest.approx(2 * stats.t.sf(abs(t), 218))
    half = stats.t.ppf(0.975, 218) * np.sqrt(k * results.abnormal.var_car(MAIN)[0])
    assert answer.effect.ci_high - answer.effect.estimate == pytest.approx(half)
    assert answer.overturn.recent_variance == pytest.approx((k,))
    assert answer.overturn.variance_multiple == pytest.approx((t / stats.t.ppf(0.975, 218)) ** 2)


def test_the_table_of_cars_has_the_p_that_the_report_shows() -> None:
    study = Market(6, dates=3, seed=8).fit()
    table = study.car([Window(0, 1)])
    single = [study.subset([i]).test("event_t_regime", (0, 1)) for i in range(6)]
    np.testing.assert_allclose(table["pvalue_regime"], [test.pvalue for test in single])
    shown = [event.car(Window(0, 1)).pvalue for event in study.findings(config=CONFIG).events]
    np.testing.assert_allclose(table["pvalue_regime"], shown)
    for i, each in enumerate(single):
        interval = study.subset([i]).answer((0, 1)).effect
        ends = table.loc[i, ["ci_low_regime", "ci_high_regime"]].tolist()
        assert ends == pytest.approx([interval.ci_low, interval.ci_high], rel=1e-9), each.name
    raised = table["variance_multiple"]
    assert raised.min() >= 1
    assert raised.max() > 1
    t = table["statistic"] / np.sqrt(raised)
    np.testing.assert_allclose([test.statistic for test in single], t)


def test_the_main_test_of_three_events_weighs_them_by_the_errors_of_these_days() -> None:
    results = fit_of("ABC")
    a = results.abnormal
    k = a.recent_variance(MAIN)
    s = np.sqrt(k * a.var_car(MAIN))
    z = a.car(MAIN) / s
    r = results.test("patell_kp", MAIN).statistic / results.test("patell", MAIN).statistic
    Z = z.sum() / np.sqrt(3 * 218 / 216) * r
    answer = results.answer()
    assert answer.test == "patell_kp_regime"
    assert results.test("patell_kp_regime", MAIN).statistic == pytest.approx(Z)
    assert answer.effect.estimate == pytest.approx(z.sum() / (1 / s).sum())
    assert answer.effect.estimate / answer.effect.se == pytest.approx(Z)
    without_c = fit_of("AB").answer()
    left_out = {row.event_id: row for row in answer.overturn.leave_one_out}
    last = results.events["event_id"].iloc[2]
    assert left_out[last].estimate == pytest.approx(without_c.effect.estimate)
    assert left_out[last].pvalue == pytest.approx(without_c.pvalue)


def test_five_events_and_more_keep_their_errors() -> None:
    more = {name: np.roll(REFERENCE["firms"][name[0]], 7).tolist() for name in ("AX", "BX")}
    day = str(DAYS[REFERENCE["day0"]].date())
    events = pd.DataFrame({"ticker": ["A", "B", "C", "AX", "BX"], "announced_at": [day] * 5})
    fit = es.EventStudy(events, returns_of(**more), benchmark="M").fit()
    a, answer = fit.abnormal, fit.answer()
    assert answer.test == "bmp_kp"
    s = np.sqrt(a.var_car(MAIN))
    assert answer.effect.estimate == pytest.approx(a.scar(MAIN).sum() / (1 / s).sum(), rel=1e-12)
    # Without one of the five, the other four keep their errors and their test.
    last = next(o for o in fit.influence().leave_outs if o.name == fit.events["event_id"].iloc[4])
    assert last.effect.estimate == pytest.approx(a.scar(MAIN)[:4].sum() / (1 / s[:4]).sum())
    four = fit.subset([0, 1, 2, 3])
    assert last.pvalue == pytest.approx(four.test("bmp_kp", MAIN).pvalue)


def test_k_is_one_in_quiet_times_and_for_a_model_with_a_variance_of_its_own() -> None:
    rng = np.random.default_rng(5)
    n = len(DAYS)
    market = rng.normal(0, 0.01, n)
    calm = np.r_[rng.normal(0, 0.02, n - 120), rng.normal(0, 0.005, 120)]
    frame = pd.DataFrame({"A": market + calm, "M": market}, index=DAYS)
    quiet = fit_of("A", returns=frame)
    assert quiet.abnormal.recent_variance(MAIN) == pytest.approx([1.0])
    textbook, ours = (quiet.test(name, MAIN) for name in ("event_t", "event_t_regime"))
    assert ours.statistic == textbook.statistic
    pytest.importorskip("arch")
    assert fit_of("A", model="garch").abnormal.recent_variance(MAIN) == pytest.approx([1.0])


def test_a_jump_before_the_event_counts_as_one_day_of_six_times_the_variance() -> None:
    """A leak is news, no volatility: the cap holds k down."""
    firm = np.array(REFERENCE["firms"]["A"])
    k = {}
    for jump in (0.0, 0.3, 0.45):
        moved = firm.copy()
        moved[REFERENCE["day0"] - 3] += jump
        k[jump] = fit_of("A", returns=returns_of(A=moved)).abnormal.recent_variance(MAIN)[0]
    assert k[0.3] == pytest.approx(k[0.45])
    assert k[0.0] < k[0.3] < 1.5 * k[0.0]


def test_the_day_before_the_event_is_no_day_of_the_firm() -> None:
    firm = np.array(REFERENCE["firms"]["A"])
    firm[REFERENCE["day0"] - 1] += 0.4
    moved = fit_of("A", returns=returns_of(A=firm)).abnormal
    assert moved.recent_variance(MAIN) == pytest.approx(fit_of("A").abnormal.recent_variance(MAIN))


def test_a_share_in_a_crash_is_no_result_where_the_textbook_has_p_below_a_thousandth() -> None:
    """JNJ on 16 March 2020: t 3.38 with the variance of the year before, 1.03 with that of March."""
    events = pd.DataFrame({"ticker": ["JNJ"], "announced_at": ["2020-03-16"]})
    results = es.run_study(events, es.StudyConfig(prices="sample", calibrate=0))
    textbook, answer = results.test("event_t", MAIN), results.answer()
    assert textbook.statistic == pytest.approx(3.38, abs=0.005)
    assert textbook.pvalue < 0.001
    assert results.test("event_t_regime", MAIN).statistic == pytest.approx(1.03, abs=0.005)
    assert answer.overturn.recent_variance[0] == pytest.approx(10.7, abs=0.05)
    assert answer.verdict == "not_different"
    assert "about 3 times as much as usual" in describe_violence(answer)[0]


def test_other_dates_take_the_variance_of_their_own_days() -> None:
    """Each draw of few events has the k of the days where it falls."""
    events = pd.DataFrame({"ticker": ["JNJ", "KO"], "announced_at": ["2020-03-16", "2020-03-17"]})
    results = es.run_study(events, es.StudyConfig(prices="sample", calibrate=0))
    calibration = results.calibrate((0, 1), tests=["patell_kp_regime", "patell_kp"], draws=120)
    table = calibration.frame()
    assert table.loc["patell_kp_regime", "calibrated"] > table.loc["patell_kp", "calibrated"]


def test_the_registry_names_the_tests_that_decide() -> None:
    deciding = {s.main_from: name for name, s in STATISTICS.items() if s.main_from}
    assert deciding == {1: "event_t_regime", 2: "patell_kp_regime", 5: "bmp_kp"}
