"""Calibration: a study and all its tests on other dates of its own firms."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import Market
from scipy import stats
from situations import noisy

import eventstudy as es
from eventstudy.analysis import Answer, Calibrated, calibrate, calibrated
from eventstudy.analysis.answer.diagnosis import Opinion, with_rate
from eventstudy.analysis.interval import detectable
from eventstudy.analysis.placebos import shifted_dates
from eventstudy.analysis.placebos.calibrated import shared_movement
from eventstudy.analysis.placebos.shifted_dates import (
    Shifts,
    _find_effects,
    _spread,
    draw,
    shifts_of,
)
from eventstudy.analysis.robustness.calibration import rank_of
from eventstudy.calendars import Window
from eventstudy.cli.main import main
from eventstudy.dependence import WeightedSums
from eventstudy.errors import ConfigError
from eventstudy.findings import FinishedRun
from eventstudy.report.formats.pages import markdown
from eventstudy.report.sentences.answer import compare_spread, write_other_dates
from eventstudy.report.sentences.top import _by_chance
from eventstudy.settings import StudyConfig
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudyResults
from eventstudy.utility import Workers
from eventstudy.words import Reason

W = Window(0, 1)
TESTS = [
    "bmp_kp", "bmp", "patell_kp", "cross_sectional", "date_clustered", "corrado",
    "generalized_sign", "calendar_time",
]  # fmt: skip
SHARED = Path(__file__).parents[1].parent / "shared"
FROZEN = SHARED / "reference" / "frozen-list" / "events.csv"


def market(**options: object) -> Market:
    return Market(**{"n": 12, "seed": 4, "days": 800, "dates": 5, "rho": 0.2, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def results() -> EventStudyResults:
    return market().fit(engine="batch")


@pytest.mark.slow
def test_a_draw_is_the_study_refitted_by_hand_on_the_shifted_dates() -> None:
    """The real events stand beside the moved ones, so that their windows are masked as in a
    study."""
    by_hand = market()
    study = by_hand.fit(engine="batch")
    shifts = shifts_of(study, W, 10_000)
    drawn = draw(study, [W], TESTS, shifts)
    table, index = by_hand.table, by_hand.frame.index
    at = index.get_indexer(table["day0"])
    # Among the sessions with 120 days before and 5 after; the first has a return.
    first, last = 120, len(index) - 1 - 5
    assert len(shifts) == last - first + 1 - 2 * 11 + 1
    for k in (0, 200, len(shifts) - 1):
        moved = first + (at - first + shifts.moves[k, 0]) % (last - first + 1)
        twice = pd.concat([table.assign(day0=index[moved]), table], ignore_index=True)
        by_hand.table = twice.assign(event_id=[f"e{i}" for i in range(len(twice))])
        again = by_hand.fit(engine="batch")
        near = np.abs(moved - at) < 7
        moved_only = again.subset(np.r_[~near, np.zeros(len(table), bool)])
        values = [moved_only.test(name, W) for name in TESTS]
        assert drawn.n_events[k, 0] == (~near).sum()
        for got, name in ((drawn.pvalue, "pvalue"), (drawn.statistic, "statistic")):
            expected = [getattr(value, name) for value in values]
            np.testing.assert_allclose(got[k, 0], expected, rtol=1e-12, atol=1e-12)


def thinned() -> EventStudyResults:
    """Some firms of the market do not trade on each fourth day, the return comes on the next."""
    by_hand = market()
    for name in ("F01", "F04", "F09"):
        returns = by_hand.frame[name].to_numpy().copy()
        returns[1::4] += returns[0::4][: len(returns[1::4])]
        returns[0::4] = 0.0
        by_hand.frame[name] = returns
    return by_hand.fit(engine="batch")


@pytest.mark.parametrize("stands_still", [False, True])
def test_correlations_of_all_draws_at_once_are_those_of_each(
    results: EventStudyResults, monkeypatch: pytest.MonkeyPatch, stands_still: bool
) -> None:
    results = thinned() if stands_still else results
    shifts = shifts_of(results, W, 60)
    together = draw(results, [W, Window(0, 4)], ["bmp_kp", "corrado"], shifts)
    days = shifted_dates.days_of(results)
    at = np.searchsorted(shifts.sessions, days)
    assert set(np.unique(shifts.places(days) > at)) == {False, True}, "some go around"
    monkeypatch.setattr(shifted_dates, "MOST_TOGETHER", 0)
    alone = draw(results, [W, Window(0, 4)], ["bmp_kp", "corrado"], shifts)
    np.testing.assert_allclose(together.statistic, alone.statistic, rtol=0, atol=1e-12)


def two_clocks(results: EventStudyResults, *, apart: bool) -> EventStudyResults:
    """Every second event is of an exchange that is shut on each eleventh session.

    Where the two are `apart`, they are never open together.
    """
    assert results.layout is not None
    layout, panel = results.layout, results.layout.panel
    own = next(iter(panel.calendars))
    columns = panel.calendars[own]
    shut = np.arange(len(columns)) % 11 != 3
    names = tuple("B" if i % 2 else own for i in range(len(layout.calendars)))
    hours = {own: (14.5, 21.0), "B": (1.5, 7.0)} if apart else {}
    panel = replace(panel, calendars={**panel.calendars, "B": columns[shut]}, hours=hours)
    return replace(results, layout=replace(layout, panel=panel, calendars=names))


@pytest.mark.parametrize("stands_still", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_exchanges_with_other_holidays_keep_their_dates_together(
    results: EventStudyResults, monkeypatch: pytest.MonkeyPatch, apart: bool, stands_still: bool
) -> None:
    study = two_clocks(thinned() if stands_still else results, apart=apart)
    shifts = shifts_of(study, W, 40)
    together = draw(study, [W], ["bmp_kp"], shifts)
    assert np.isfinite(together.statistic).all()
    monkeypatch.setattr(shifted_dates, "MOST_TOGETHER", 0)
    alone = draw(study, [W], ["bmp_kp"], shifts)
    np.testing.assert_allclose(together.statistic, alone.statistic, rtol=0, atol=1e-12)
    assert shifts.are_common
    assert np.ptp(shifts.places(shifted_dates.days_of(study)) - shifts.moves, axis=0).max() > 0


def test_shifts_are_all_at_least_a_window_and_each_once(results: EventStudyResults) -> None:
    shifts = shifts_of(results, W, 10_000)
    moves = shifts.moves[:, 0]
    assert moves.min() == len(results.abnormal.event) == 11
    assert moves.max() == shifts.count - 11
    assert len(np.unique(moves)) == len(moves)
    fewer = shifts_of(results, W, 100).moves[:, 0]
    assert len(fewer) == 100
    assert set(fewer) < set(moves)
    gaps = np.diff(fewer)
    assert len(set(gaps)) <= 3, "spread out: three gaps at most"
    assert gaps.max() <= 3 * gaps.min()
    more = shifts_of(results, W, 200).moves[:, 0]
    assert set(fewer) < set(more), "fewer draws are among more"


def test_part_of_the_shifts_is_a_sample_of_all() -> None:
    """Over the seeds each shift is as often among the draws as any other."""
    chosen = np.zeros(97)
    for seed in range(970):
        chosen[_spread(97, 30, seed)] += 1
    assert abs(chosen - 300).max() < 5 * np.sqrt(300)
    assert _spread(0, 5, 1).size == 0


def test_draws_that_share_days_are_worth_less() -> None:
    days = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")
    one, alone = np.zeros(1, np.int64), np.ones((1, 1))
    apart = Shifts(days, 0, 60, one, np.array([[10], [12], [14], [16]]))
    assert apart.effective(days[:1], alone, W) == 4
    # Correlation one half for the pairs of neighbours, squared: 16 / (4 + 2 * 3 * 0.25).
    row = replace(apart, moves=np.array([[10], [11], [12], [13]]))
    assert row.effective(days[:1], alone, W) == pytest.approx(16 / 5.5)
    # Two dates 10 sessions apart: draws 10 apart put one of them where the other was.
    pair, rho = replace(apart, moves=np.array([[10], [20]])), np.array([[1.0, 0.4], [0.4, 1.0]])
    assert pair.effective(days[[0, 10]], rho, W) == pytest.approx(4 / (2 + 2 * (0.4 / 2) ** 2))
    assert pair.effective(days[[0, 11]], rho, W) == pytest.approx(4 / (2 + 2 * (0.2 / 2) ** 2))
    assert pair.effective(days[[0, 13]], rho, W) == 2
    assert replace(apart, moves=np.empty((0, 1), int)).effective(days[:1], alone, W) == 0


@pytest.mark.parametrize("clusters", [1, 4])
def test_effective_draws_are_those_of_all_pairs(clusters: int) -> None:
    """Each pair of draws by hand, from the places of its events."""
    rng, n, count = np.random.default_rng(4), 8, 900
    days = np.arange(
        np.datetime64("2020-01-01"), np.datetime64("2020-01-01") + np.timedelta64(1000, "D")
    )
    at = np.sort(rng.choice(np.arange(40, 880, 5), n, replace=False))
    rho = np.full((n, n), 0.3) + 0.7 * np.eye(n)
    moves = rng.permutation(np.arange(21, count - 21))[: 60 * clusters].reshape(60, clusters)
    starts = at[:: n // clusters]
    shifts = Shifts(days, 20, count, starts, moves)
    places, total = shifts.places(days[at]), 0.0
    window = Window(0, 9)
    usual = sum(
        rho[i, j] * max(0, 1 - abs(int(at[i] - at[j])) / 10)
        for i in range(n) for j in range(n)
        if clusters == 1 or i // (n // clusters) == j // (n // clusters)
    )  # fmt: skip
    for a in range(len(places)):
        for b in range(len(places)):
            gap = np.abs(places[a][:, None] - places[b])
            gap = np.minimum(gap, count - gap)
            shared = (rho * np.clip(1 - gap / 10, 0, None)).sum() / usual
            total += 1.0 if a == b else shared**2
    expected = len(places) ** 2 / total
    close = 1e-9 if clusters == 1 else 0.1
    assert shifts.effective(days[at], rho, window) == pytest.approx(expected, rel=close)


def test_dates_at_regular_gaps_have_fewer_effective_draws() -> None:
    days = np.arange(
        np.datetime64("2010-01-01"), np.datetime64("2010-01-01") + np.timedelta64(2000, "D")
    )
    moves = np.arange(21, 1900)[::2][:, None]
    shifts = Shifts(days, 0, 1950, np.zeros(1, np.int64), moves)
    firm = np.repeat(np.arange(10), 5)
    rho = np.full((50, 50), 0.3) + 0.7 * np.eye(50)
    regular = 300 + 30 * firm
    irregular = np.sort(np.random.default_rng(1).choice(np.arange(300, 1700), 10, False))[firm]
    worth = [shifts.effective(days[at], rho, W) for at in (regular, irregular)]
    assert worth[0] < 0.5 * worth[1]
    assert worth[1] <= len(shifts)


def test_monte_carlo_error_stands_beside_each_share(results: EventStudyResults) -> None:
    numbers = Calibrated(0.02, 499, 400.0, 0.08)
    assert numbers.error == pytest.approx(np.sqrt(0.02 * 0.98 / 400))
    assert numbers.rate_error == pytest.approx(np.sqrt(0.08 * 0.92 / 400))
    assert Calibrated(0.002, 499, 499.0, 0.0).rate_error > 0.001, "no share is sure"
    assert numbers.contradicts(0.003)
    assert numbers.contradicts(0.02), "8% are more than 5%"
    assert not Calibrated(0.02, 499, 400.0, 0.055).contradicts(0.03)
    drawn = calibrate(results, W, draws=99, tests=(), power=False)
    assert f"±{drawn.brief.error:.3f}" in str(drawn)
    assert drawn.sizes["error"].iloc[0] == drawn.brief.error


@pytest.mark.slow
def test_a_run_and_calibrate_have_the_same_p(tmp_path: Path) -> None:
    study = market(effect=-0.02).fit(engine="batch")
    config = StudyConfig(event="-5:5", estimation="-120:-11", calibrate=99)
    shown = FinishedRun.of(study, config).findings.sample.answer.calibrated
    # The run draws fewer tests in one matrix product: equal but for rounding.
    brief = calibrate(study, draws=99).brief
    for field in fields(Calibrated):
        expected = getattr(brief, field.name)
        alike = (
            expected if field.name == "reason" else pytest.approx(expected, rel=1e-9, nan_ok=True)
        )
        assert getattr(shown, field.name) == alike, field.name


def test_measured_rates_replace_formulas_but_for_raised_variance() -> None:
    formula = Opinion("patell", "valid with care", 0.11, (Reason("more_variable", times=1.3),), 0.1)
    kept = with_rate(formula, 0.08, 0.01, 499)
    assert (kept.false_alarms, kept.trust) == (0.11, "valid with care")
    assert [r.code for r in kept.reasons] == ["more_variable", "measured_quiet"]
    skewed = replace(formula, reasons=(Reason("skewed", skewness=1.0),))
    drawn = with_rate(skewed, 0.06, 0.01, 499)
    assert (drawn.false_alarms, drawn.trust) == (0.06, "valid")
    assert drawn.reasons[-1].code == "measured"
    assert with_rate(formula, np.nan, np.nan, 0) is formula


@pytest.mark.slow
def test_the_class_is_that_of_the_report_or_the_worse_of_the_two() -> None:
    """The events are twice as variable: quiet dates do not show it, and the report does."""
    quiet = market()
    study = quiet.fit(noisy(quiet, 2.0), engine="batch")
    config = StudyConfig(event="-5:5", estimation="-120:-11", calibrate=99)
    shown = {t.test: t for t in FinishedRun.of(study, config).findings.sample.main.tests}
    sizes = calibrate(study, W, draws=99, power=False).sizes
    order = ["valid", "valid with care", "not valid"]
    assert sizes.loc["patell", "size_5"] < 0.12
    assert sizes.loc["patell", "trust"] == shown["patell"].trust == "not valid"
    for name, row in sizes[sizes["draws"] > 0].iterrows():
        rate = row["size_5"]
        measured = order[int(rate > 0.07) + int(rate > 0.12)]
        worse = max(measured, shown[str(name)].trust, key=order.index)
        assert row["trust"] == worse, name


def test_few_events_that_other_dates_contradict_say_so() -> None:
    few = replace(market(n=3, dates=3, effect=-0.06).fit().answer(W), pvalue=0.003)
    answer = Answer(**{f.name: getattr(few, f.name) for f in fields(Answer)})
    plain = replace(answer, calibrated=Calibrated(0.004, 499, 499.0, 0.05))
    off = replace(answer, calibrated=Calibrated(0.02, 499, 499.0, 0.08))
    assert plain.doubtful_rate is None
    assert write_other_dates(plain) == []
    assert "8% of the time" in write_other_dates(off)[0]
    assert "calibrated p = 0.020 ±0.006" in write_other_dates(off)[0]
    assert _by_chance(off)[0] == "2 in 100 studies"
    assert _by_chance(plain)[0] == "3 in 1,000 studies"
    # The terminal, the notebook and the card say the p of the key figure, and by what it is judged.
    assert "2 in 100 studies would show as much, judged by other dates" in compare_spread(off)[0]
    assert "3 in 1,000 studies would show as much, judged by the usual" in compare_spread(plain)[0]
    assert replace(off, n_events=5).doubtful_rate is None


@pytest.mark.slow
def test_few_sessions_give_each_cluster_of_dates_a_shift_of_its_own() -> None:
    study = market(days=400).fit(engine="batch")
    shifts = shifts_of(study, W, 499)
    assert not shifts.are_common
    assert shifts.moves.shape == (499, len(shifts.starts))
    assert (shifts.moves == shifts_of(study, W, 499).moves).all(), "seeded"
    # Events of a date stay together.
    places, day0 = shifts.places(shifted_dates.days_of(study)), study.events["day0"]
    for _, rows in day0.groupby(day0).groups.items():
        assert (np.ptp(places[:, rows], axis=1) == 0).all()
    result = calibrate(study, W, draws=99, tests=())
    assert result.draws == 99
    few = calibrate(study, W, draws=499, tests=(), power=False)
    assert not few.are_common
    assert "each cluster of dates moved by itself" in str(few)
    config = StudyConfig(event="-5:5", estimation="-120:-11", windows=[W], calibrate=499)
    page = markdown(FinishedRun.of(study, config).findings)
    assert "each such cluster by a number of sessions of its own" in page
    assert "All dates move together" not in page


def test_events_near_news_of_their_firm_leave_a_draw() -> None:
    made = market(n=6)
    second = made.table.assign(
        day0=made.frame.index[made.frame.index.get_indexer(made.table["day0"]) + 60],
        event_id=[f"s{i}" for i in range(6)],
    )
    made.table = pd.concat([made.table, second], ignore_index=True)
    study = made.fit(engine="batch")
    shifts = shifts_of(study, W, 10_000)
    drawn = draw(study, [W], ["bmp"], shifts)
    at = {int(move): k for k, move in enumerate(shifts.moves[:, 0])}
    # By 60 sessions half of the events come to lie on real ones, too many for a draw.
    assert 60 not in at
    assert drawn.n_events[at[100], 0] == 12


@pytest.mark.slow
def test_repeated_firms_over_years_have_five_hundred_draws() -> None:
    """44 events of 20 firms over eight years."""
    rng = np.random.default_rng(8)
    made = Market(n=20, seed=8, days=2080, dates=20)
    days = made.frame.index[np.sort(rng.integers(260, 2050, 44))]
    tickers = rng.permutation([*made.tickers, *made.tickers, *made.tickers[:4]])
    made.table = pd.DataFrame({
        "event_id": [f"e{i}" for i in range(44)], "ticker": tickers, "announced_at": "", "tz": "",
        "exchange": "", "benchmark": "MKT", "day0": days, "flags": "",
    })  # fmt: skip
    study = made.fit(engine="batch", estimation=(-250, -31), event=(-10, 10))
    result = calibrate(study, draws=600, tests=(), power=False)
    assert result.draws >= 500
    assert 400 <= result.effective_draws <= result.draws
    assert 0.02 < result.sizes.loc["bmp_kp", "size_5"] < 0.09


def test_an_effect_has_the_smallest_p_and_no_effect_does_not(results: EventStudyResults) -> None:
    hit = calibrate(market(effect=-0.09).fit(engine="batch"), W, draws=199, tests=())
    assert hit.pvalue == 1 / 200
    assert hit.share == pytest.approx(0, abs=1e-12)
    quiet = calibrate(results, W, draws=199, tests=["bmp"])
    assert quiet.pvalue == rank_of(quiet.nominal_pvalue, quiet.placebos["pvalue"].to_numpy())
    assert list(quiet.sizes.index) == ["bmp_kp", "bmp"]
    np.testing.assert_allclose(
        quiet.sizes.loc["bmp_kp", "size_10"], (quiet.placebos["pvalue"] < 0.10).mean()
    )
    assert "calibrated p" in str(quiet)
    assert "199 other dates" in str(quiet)


def test_rank_counts_what_is_at_most_p() -> None:
    draws = np.r_[0.01, 0.02, 0.05, np.full(36, 0.5)]
    assert rank_of(0.02, draws) == (1 + 2) / 40
    assert np.isnan(rank_of(np.nan, draws))
    assert np.isnan(rank_of(0.02, draws[:38])), "too few"


def test_power_adds_an_effect_to_the_cars_of_the_same_draws(results: EventStudyResults) -> None:
    result = calibrate(results, W, draws=99, tests=())
    power = result.power["power"].to_numpy()
    assert power[0] == result.sizes.loc["bmp_kp", "size_5"]
    assert (np.diff(power) >= -0.02).all()
    assert power[-1] > 0.95
    effects = result.power["effect"].to_numpy()
    assert effects[0] < result.smallest_effect < effects[-1]
    assert np.interp(result.smallest_effect, effects, power) == pytest.approx(0.8)
    axes = results.calibrate(W, draws=99, tests=()).plot()
    assert np.array_equal(axes.lines[0].get_ydata(), power)


@pytest.mark.parametrize(("n", "test"), [(12, "bmp_kp"), (3, "patell_kp"), (1, "event_t")])
def test_effects_are_found_as_by_the_test_of_altered_cars(n: int, test: str) -> None:
    """Each effect with each sign is added to every CAR, and the main test computed again."""
    sample = Market(n, dates=min(n, 6), rho=0.3, seed=3).fit().abnormal.tested(W)
    effects, last = np.linspace(0, 0.08, 30), sample.columns(W).stop - 1
    share = np.zeros(len(effects))
    for k, effect in enumerate(effects):
        for signed in (effect, -effect):
            ar = sample.ar.copy()
            ar[:, last] += signed
            altered = sample.as_study(ar=ar)
            share[k] += (STATISTICS[test](altered, W).pvalue < 0.05) / 2
    assert 0 < share.mean() < 1
    np.testing.assert_array_equal(
        _find_effects(sample, W, effects, STATISTICS[test](sample, W)), share
    )


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 8, 25])
def test_the_smallest_effect_is_that_of_the_interval_also_beside_other_dates(n: int) -> None:
    study = Market(n, seed=2, days=700).fit(engine="batch")
    config = StudyConfig(event="-5:5", estimation="-120:-11", calibrate=80)
    shown = FinishedRun.of(study, config).findings.sample.answer
    assert shown.calibrated is not None
    assert shown.overturn.smallest_effect == detectable(shown.effect.se, shown.effect.df)


def test_too_few_dates_and_no_answer_are_reasons(results: EventStudyResults) -> None:
    short = calibrate(Market(n=12, seed=2).fit(estimation=(-145, -11)), W)
    assert "at least 39 are needed" in short.reason
    assert np.isnan(short.pvalue)
    assert short.reason in str(short)
    empty = calibrate(results.subset(np.zeros(12, dtype=bool)), W)
    assert empty.reason
    with pytest.raises(ConfigError, match="where their returns came from"):
        calibrate(replace(results, layout=None), W)


def test_settings_are_compared_on_the_same_dates(results: EventStudyResults) -> None:
    """The seam of the specification curve: one shift, several studies."""
    other = market().fit(engine="batch", model="constant_mean", estimation=(-100, -11))
    shifts = shifts_of(results, W, 50)
    a, b = (draw(study, [W], ["bmp"], shifts).pvalue for study in (results, other))
    assert a.shape == b.shape == (50, 1, 1)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.3


@pytest.mark.slow
def test_processes_give_the_bits_of_one(results: EventStudyResults) -> None:
    shifts, done = shifts_of(results, W, 90), list[int]()
    one = draw(results, [W], TESTS, shifts, progress=lambda n, total: done.append(n))
    with Workers(2):
        two = draw(results, [W], TESTS, shifts)
    assert one.pvalue.tobytes() == two.pvalue.tobytes()
    assert one.statistic.tobytes() == two.statistic.tobytes()
    assert done[-1] == 90


@pytest.mark.slow
def test_a_run_calibrates_the_answer_of_the_headline() -> None:
    study = market(effect=-0.02).fit(engine="batch")
    config = StudyConfig(event="-5:5", estimation="-120:-11", calibrate=99)
    findings = FinishedRun.of(study, config).findings
    answer = findings.sample.answer
    assert answer.calibrated is not None
    assert answer.calibrated.draws == 99
    assert answer.to_dict()["calibrated"]["pvalue"] == answer.calibrated.pvalue
    text = markdown(findings)
    assert "On 99 shifted calendars" in text
    off = FinishedRun.of(study, replace(config, calibrate=0)).findings
    assert off.sample.answer.calibrated is None
    assert off.sample.answer.to_dict()["calibrated"] is None
    with pytest.raises(ConfigError, match="too few shifted calendars"):
        StudyConfig(calibrate=20)


def test_many_events_are_not_drawn_in_a_run(
    results: EventStudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(es.Conventions, "MOST_CALIBRATED", 11)
    numbers = calibrated(results, W, 99)
    assert numbers.draws == 0
    assert "12 events" in numbers.reason
    assert np.isnan(Calibrated(reason="x").share)


def test_a_model_fitted_by_search_is_drawn_up_to_a_number_of_fits() -> None:
    """499 draws of GARCH for 50 events would take a run many minutes."""
    study = market().fit(model="theil_sen")
    assert "so at most 5,000 times for this, not 5,988" in calibrated(study, W, 499).reason
    assert not calibrated(study, W, 40).reason


def test_the_command_prints_tests_and_power(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    rows = "\n".join(f"{t},2020-0{m}-1{m}" for t in ("NVDA", "AMD", "MSFT") for m in (3, 6, 9))
    events.write_text(f"ticker,announced_at\n{rows}\n")
    command = ["calibrate", str(events), "--prices", "sample", "--offline", "--draws", "60"]
    text = CliRunner().invoke(main, [*command, "--test", "bmp"])
    assert text.exit_code == 0, text.output
    assert "60 other dates" in text.output
    assert "BMP-KP" in text.output
    assert "share found" in text.output
    document = json.loads(CliRunner().invoke(main, [*command, "--test", "bmp", "--json"]).stdout)
    assert document["draws"] == 60
    assert [row["test"] for row in document["sizes"]] == ["bmp_kp", "bmp"]
    assert len(document["power"]) == 9


@pytest.mark.slow
@pytest.mark.skipif(not FROZEN.is_file(), reason="the list of reference is not here")
def test_the_reference_list_has_the_rates_of_an_independent_computation() -> None:
    """Sizes 4.5, 8.5 and 5.0 and a calibrated p of .020 over 1,962 shifts, standard error .7."""
    from eventstudy import run_study

    study = run_study(str(FROZEN), StudyConfig(prices="sample"), offline=True)
    result = calibrate(
        study.groups("direction")["adverse"], W, draws=10_000, tests=["patell", "cross_sectional"],
        power=False,
    )  # fmt: skip
    assert result.draws == 1962
    assert result.pvalue == pytest.approx(0.020, abs=0.002)
    sizes = 100 * result.sizes["size_5"]
    assert sizes["bmp_kp"] == pytest.approx(4.5, abs=1.4)
    assert sizes["patell"] == pytest.approx(8.5, abs=1.4)
    assert sizes["cross_sectional"] == pytest.approx(5.0, abs=1.4)
    # Neighbours of one date alone: 1,962 / (1 + 2 / 4); that dates share days as well makes it less.
    assert 970 < result.effective_draws < 1308


def test_shared_movement_by_hand() -> None:
    """Six firms on each of two dates far apart: plain numpy, from the standardised CARs."""
    study = Market(12, dates=2, rho=0.6, seed=5).fit()
    sample, window = study.abnormal, Window(0, 1)
    z, r = sample.scar(window), WeightedSums(sample, window).correlation.rbar
    z = z - z.mean()
    days = sample.windows.day0
    groups = [z[days == day] for day in np.unique(days)]
    pairs = sum((g.sum() ** 2 - (g**2).sum()) / 2 for g in groups)
    expected = pairs / (r * 12 * 11 / 2) * (1 - r) / z.var(ddof=1)
    assert shared_movement(sample, window) == pytest.approx(expected, rel=1e-12)
    few = Market(4, dates=2, rho=0.6, seed=5).fit()
    assert np.isnan(shared_movement(few.abnormal, window)), "too few pairs"
    one_date = Market(12, dates=1, rho=0.6, seed=5).fit()
    assert np.isnan(shared_movement(one_date.abnormal, window)), "the mean has the shock"


def test_a_shared_shock_is_the_caveat_where_other_dates_show_less() -> None:
    answer = Answer.of(Market(12, dates=2, effect=-0.1, rho=0.2, seed=3).fit())
    assert answer.verdict == Answer.DIFFERENT
    needed = answer.overturn.shared_shock
    for times, share, code in (
        (needed + 1, 0.002, True),
        (needed - 1, 0.002, False),
        (99, 0.02, False),
    ):
        numbers = Calibrated(0.001, 499, 499.0, 0.05, shared_movement=times, shared_share=share)
        caveat = replace(answer, calibrated=numbers, influence=None).find_caveat()
        assert (caveat.code == "shared_shock" if caveat else False) == code


@pytest.mark.parametrize("n", [1, 3, 12])
def test_power_is_the_share_that_a_simulated_test_finds(n: int) -> None:
    """Against draws of t (or z) around the effect, and 80 % at the smallest effect."""
    results = Market(n, dates=min(n, 12), seed=4).fit()
    power, answer = results.power(), results.answer()
    table = power.frame().set_index("effect")["power"]
    assert table[0.0] == pytest.approx(0.05, abs=1e-9)
    assert table[power.smallest_effect] == pytest.approx(0.8, abs=1e-3)
    rng, df = np.random.default_rng(0), answer.effect.df
    se = answer.effect.se
    z = rng.standard_normal(200_000)
    scale = np.sqrt(rng.chisquare(df, z.size) / df) if np.isfinite(df) else 1.0
    critical = stats.norm.ppf(0.975) if np.isinf(df) else stats.t.ppf(0.975, df)
    for effect, expected in table.items():
        share = (np.abs((z + effect / se) / scale) > critical).mean()
        assert share == pytest.approx(expected, abs=0.005)
    assert "80%" in str(power)
    assert power.plot().get_title().startswith("Share of studies")


def test_the_table_of_the_terminal_fits_and_has_no_nan(tmp_path: Path) -> None:
    events = tmp_path / "three.csv"
    rows = "NVDA,2022-09-01\nAAPL,2019-08-01\nXOM,2018-02-28\n"
    events.write_text("ticker,announced_at\n" + rows, encoding="utf-8")
    command = ["calibrate", str(events), "--prices", "sample", "--offline", "--draws", "60"]
    output = CliRunner().invoke(main, command).stdout
    assert "Calendar time" in output
    assert "nan" not in output
    assert max(map(len, output.splitlines())) <= 79


def test_all_results_give_a_frame_by_a_call() -> None:
    results = Market(8, dates=4, seed=2).fit()
    drawn = results.calibrate(draws=40, tests=())
    for made in (results.answer(), results.power(), results.influence(), drawn):
        assert isinstance(made.frame(), pd.DataFrame)


def test_prices_are_loaded_for_all_years_unless_told_otherwise() -> None:
    frame = pd.DataFrame({"ticker": ["AMD", "NVDA"], "announced_at": ["2017-03-01", "2022-10-07"]})
    events = es.events_from_frame(frame)
    wide = es.load_returns(events, "sample").requested
    narrow = es.load_returns(events, "sample", calibrate=False).requested
    assert wide["AMD"] == wide["NVDA"] == wide["^GSPC"]
    assert narrow["AMD"] != narrow["NVDA"]
