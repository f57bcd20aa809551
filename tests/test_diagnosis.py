"""Which tests are trusted in which situation, and in what words."""

from __future__ import annotations

import numpy as np
import pytest
from eventstudy.analysis.verdicts import Verdict, disagreement, percent, size
from scipy import stats
from situations import CLOSE, DISPERSED, GROUPS, ONE, noisy, placed, reason, trust

from eventstudy.analysis.diagnosis import Diagnosis
from eventstudy.analysis.situation import MATERIAL_FACTOR
from eventstudy.models import MODELS
from eventstudy.pvalues import p_is
from eventstudy.significance import STATISTICS
from eventstudy.windows import Window


def test_size_by_published_closed_forms() -> None:
    """Rejections of unadjusted tests under equicorrelation (N = 30, 50) and raised variance, in percent."""
    rho = np.array([0.02, 0.05, 0.10])
    for n, percents in ((30, [12.3, 22.2, 34.6]), (50, [16.8, 30.4, 44.4])):
        sizes = [100 * size((1 + (n - 1) * r) / (1 - r)) for r in rho]
        np.testing.assert_allclose(sizes, percents, atol=0.06)
    np.testing.assert_allclose(
        [100 * size(f) for f in (1, 1.5, 2, 3, 4)], [5, 11, 16.6, 25.8, 32.7], atol=0.06
    )
    assert size(0.0) == 0
    assert [percent(x) for x in (1, 0.344, 0.051, 0.0012, 0)] == ["100%", "34%", "5%", "0.1%", "0%"]


def test_one_date() -> None:
    found = placed(ONE, rho=0.3, seed=33).fit().diagnose()
    judged = trust(found)
    assert found.recommended[:2] == ("bmp_kp", "grank_t")
    for name in ("bmp", "patell", "cross_sectional", "sign", "wilcoxon", "hall", "grank_z"):
        assert judged[name] == "not here", name
        assert "100% of pairs" in reason(found, name)
    told = f"rejects about {percent(size(found.factor / (1 - found.rbar)))} of true nulls"
    assert told in reason(found, "bmp")
    assert judged["corrado"] == judged["patell_kp"] == "usable"
    assert judged["portfolio"] == "usable", "n/a for overlap condemns nothing"
    text = " ".join(found.text)
    assert "one effective observation of any common shock" in text
    assert "placebo dates" in text
    assert f"r = {found.rbar:.3f}" in text


def test_unrelated_firms_on_one_date_leave_doubt_only() -> None:
    found = placed(ONE, seed=34).fit().diagnose()
    assert 0.5 < found.factor < 1.5
    assert trust(found)["bmp"] == "doubtful"


def test_dispersed() -> None:
    found = placed(DISPERSED, seed=35).fit().diagnose()
    assert found.recommended == ("bmp_kp", "bmp", "grank_t", "cross_sectional")
    assert "windows [0,1] of different dates share no session" in found.text[0]
    assert trust(found)["hall"] == "doubtful"
    assert reason(found, "hall") == "10 events, 20 needed to rely on it"


def test_groups_of_dates() -> None:
    found = placed(GROUPS, rho=0.3, seed=36).fit().diagnose()
    assert found.recommended == ("bmp_kp", "grank_t", "wild_bootstrap")
    # Three firms a date double the variance at most: doubt, with the number.
    assert trust(found)["bmp"] == "doubtful"
    told = f"rejects about {percent(size(found.factor / (1 - found.rbar)))} of true nulls"
    assert told in reason(found, "bmp")
    few = placed([150 + 10 * (i % 4) for i in range(16)], rho=0.3, seed=36).fit().diagnose()
    assert few.recommended == ("bmp_kp", "grank_t", "date_clustered")
    assert trust(few)["wild_bootstrap"] == "not here"
    assert "4 clusters of dates, at least 6 are needed" in reason(few, "wild_bootstrap")


def test_overlapping_windows() -> None:
    results = placed(CLOSE, rho=0.4, seed=37).fit()
    found = results.diagnose((-2, 2))
    judged = trust(found)
    assert found.recommended == ("bmp_kp", "calendar_time")
    for name in ("date_clustered", "corrado", "corrado_zivney", "grank_t", "cda"):
        assert judged[name] in ("doubtful", "not here")
        assert f"windows of different dates overlap: {percent(found.overlapping_pairs)}" in reason(
            found, name
        )
    assert judged["grank_t"] == judged["bmp"] == "not here"
    rest = found.factor / (1 + 23 * found.same_date_r)
    assert f"rejects about {percent(size(rest))} of true nulls" in reason(found, "grank_t")
    assert found.overlapping_pairs > 0.3


def test_a_rare_overlap_is_said_and_condemns_nothing() -> None:
    found = placed([150, 151, *range(155, 185, 2)]).fit().diagnose()
    assert found.kind == "dispersed"
    assert "few windows [0,1] of different dates share sessions: 0.7% of the pairs" in str(found)
    assert 0 < 16 * found.overlapping_pairs < 0.25
    assert trust(found)["grank_t"] == "recommended"


def test_merged_dates_by_a_t_of_cluster_means() -> None:
    """With equal clusters CR2 is the t of the cluster means, and Satterthwaite's df are G - 1."""
    results = placed([150 + 10 * (i % 3) + i // 3 for i in range(9)], seed=38).fit()
    found = results.diagnose((0, 1))
    car = results.abnormal.car(Window(0, 1))
    means = [car[g::3].mean() for g in range(3)]
    assert (found.kind, found.n_clusters) == ("close_dates", 3)
    assert found.merged_p == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    assert np.isnan(placed(CLOSE).fit().diagnose((0, 1)).merged_p), "one cluster"
    assert np.isnan(placed(DISPERSED).fit().diagnose((0, 1)).merged_p)


def test_where_the_headline_rejects_and_calendar_time_does_not() -> None:
    seen = set()
    for seed in range(12, 16):
        results = placed([150 + i // 2 for i in range(40)], rho=0.3, seed=seed, effect=0.005).fit()
        found = results.diagnose()
        p, other = results.test("bmp_kp", (0, 1)).pvalue, results.test("calendar_time", (0, 1)).pvalue
        split = p < 0.05 <= other
        both = f"BMP-KP rejects ({p_is(p)}) and the calendar-time test does not ({p_is(other)})"
        assert (both in " ".join(found.text)) == (both in reason(found, "bmp_kp")) == split
        seen.add(split)
    assert seen == {True, False}, "the design must have both"


def test_disagreement_needs_both() -> None:
    one, other = (Verdict(name, "usable", "", p) for name, p in (("bmp_kp", 0.01), ("calendar_time", 0.2)))
    assert "p = 0.01" in disagreement({"bmp_kp": one, "calendar_time": other})
    assert disagreement({"bmp_kp": one}) == ""
    assert disagreement({"bmp_kp": other, "calendar_time": one}) == ""


def test_raised_variance() -> None:
    market = placed(DISPERSED + [151 + 4 * i for i in range(10)], seed=39)
    quiet, loud = market.fit().diagnose((0, 0)), market.fit(noisy(market, 3)).diagnose((0, 0))
    assert not quiet.variance_raised
    assert loud.variance_raised
    assert trust(quiet)["patell_kp"] == "usable"
    for name in ("patell", "patell_kp", "cda"):
        assert trust(loud)[name] == "not here", name
        assert f"{min(loud.variance_ratio, loud.kappa):.1f} times that before" in reason(loud, name)
    assert trust(loud)["corrado"] == "doubtful"
    assert loud.recommended[0] == "bmp_kp"
    assert any("vary more in the window" in s for s in loud.text)


def test_a_mean_effect_is_not_taken_for_variance() -> None:
    market = placed(DISPERSED, seed=40)
    frame = market.frame.copy()
    for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
        frame.loc[day, ticker] += 4 * (frame[ticker] - frame["MKT"]).std()
    found = market.fit(frame).diagnose((0, 0))
    assert found.variance_ratio > 8
    assert not found.variance_raised
    assert trust(found)["patell"] == "usable"


def test_skewness() -> None:
    market = placed([150 + i for i in range(30)], seed=41)
    noise = np.random.default_rng(41).exponential(1, market.frame.shape) - 1
    frame = market.frame.assign(
        **{t: 0.02 * noise[:, j] + market.frame["MKT"] for j, t in enumerate(market.tickers)}
    )
    found = market.fit(frame).diagnose((0, 0))
    assert found.skewed
    assert found.residual_skewness > 1.5
    for name in ("grank_t", "corrado_zivney", "sign", "wilcoxon"):
        assert trust(found)[name] == "doubtful"
        assert "skewed" in reason(found, name)
    assert found.recommended == ("bmp_kp", "bmp", "cross_sectional", "corrado", "corrado_zivney_sign")
    assert any("Returns are skewed" in s for s in found.text)
    long = market.fit(frame).diagnose((-5, 5))
    assert long.implied_skewness == pytest.approx(long.residual_skewness / np.sqrt(11))
    few = market.fit(frame).subset(np.arange(2)).diagnose((0, 0))
    assert any("Returns are skewed (estimation residuals +" in s for s in few.text)
    assert not placed(DISPERSED, seed=35).fit().diagnose().skewed


def test_skewness_and_raised_variance_leave_no_test_about_the_median() -> None:
    """Exponential errors, twice the deviation around the events: their median has moved."""
    market = placed([150 + i for i in range(30)], seed=36)
    rng = np.random.default_rng(3)
    for name in market.tickers:
        market.frame[name] = market.frame["MKT"] + 0.02 * (rng.exponential(size=len(market.frame)) - 1)
    calm = market.fit().diagnose((0, 0))
    assert calm.skewed
    assert {"corrado", "corrado_zivney_sign"} <= set(calm.recommended)
    found = market.fit(noisy(market, 2)).diagnose((0, 0))
    assert found.skewed
    assert found.variance_raised
    assert not {"corrado", "corrado_zivney_sign"} & set(found.recommended)
    assert "another median" in reason(found, "corrado_zivney_sign")
    assert "rejects up to 9% of true nulls" in " ".join(found.text)


def test_one_rate_for_all_that_a_test_does_not_allow_for() -> None:
    market = placed(ONE, rho=0.3, seed=33)
    found = market.fit(noisy(market, 2)).diagnose((0, 0))
    told = reason(found, "patell")
    assert found.variance_raised
    assert told.count("of true nulls") == 1
    both = found.factor * min(found.variance_ratio, found.kappa)
    assert f"rejects about {percent(size(both))} of true nulls" in told
    assert "sees of every single event" in reason(found, "mvrm")
    assert "of true nulls" not in reason(found, "mvrm")


def test_signs_on_one_date_count_where_they_can_reach_a_tail() -> None:
    few = placed(ONE, rho=0.9, seed=33).fit().diagnose((0, 0))
    assert 15 / (1 + 14 * few.same_date_r) < 1.96**2
    assert "would not reach 5%" in reason(few, "corrado_zivney_sign")
    many = placed([170] * 40, rho=0.1, seed=33).fit().diagnose((0, 0))
    assert trust(many)["corrado_zivney_sign"] == "recommended"


def test_benchmark_made_of_the_firms() -> None:
    market = placed(ONE, seed=42)
    frame = market.frame.assign(MKT=market.frame[market.tickers].mean(axis=1))
    found = market.fit(frame, model="market_adjusted").diagnose()
    assert found.factor < 0.1
    assert found.recommended == (), "the mean is zero by construction"
    assert "as if the benchmark were made of the firms" in reason(found, "grank_t")
    assert any("does the benchmark hold the firms?" in s for s in found.text)


@pytest.mark.parametrize(("at", "told"), [([160, 160], "portfolio"), ([150, 160], "patell_kp")])
def test_two_events_are_not_tested_and_told_what_holds_if_variance_stays(at: list[int], told: str) -> None:
    found = placed(at, seed=43).fit().diagnose()
    assert found.variance_ratio > 1.5, "which says nothing about two events"
    assert not found.variance_raised
    assert found.recommended == ()
    assert not any(v.usable for v in found.verdicts if STATISTICS[v.test].about_mean)
    p = next(v.pvalue for v in found.verdicts if v.test == told)
    assert (
        found.text[-1]
        == found.caution
        == (
            "With 2 events an effect cannot be told from a rise in variance; if it did not rise, "
            f"{STATISTICS[told].label} gives {p_is(p)}."
        )
    )
    assert "2 events cannot tell an effect from a rise in variance" in reason(found, told)


def test_one_event() -> None:
    found = placed([160]).fit().diagnose()
    assert found.recommended == ("event_t", "sq")
    assert {v.test for v in found.verdicts} == {n for n, t in STATISTICS.items() if t.per_event}
    assert (found.rbar, found.factor, found.effective_n) == (0, 1, 1)
    assert np.isnan(found.kappa)
    assert not found.variance_raised


@pytest.mark.parametrize("at", [[160], ONE, DISPERSED, GROUPS, CLOSE], ids=str)
def test_every_test_has_one_verdict_in_words(at: list[int]) -> None:
    results = placed(at, rho=0.2).fit()
    found = results.diagnose()
    assert [v.test for v in found.verdicts] == results.all_tests
    assert {v.trust for v in found.verdicts} <= {"recommended", "usable", "doubtful", "not here"}
    assert all(v.reason for v in found.verdicts)
    assert {v.test for v in found.verdicts if v.trust == "recommended"} == set(found.recommended)
    table = found.table
    assert list(table.columns) == ["test", "trust", "reason"]
    assert list(table["test"][: len(found.recommended)]) == list(found.recommended)
    for v in found.verdicts:
        assert v.pvalue == pytest.approx(results.test(v.test, (0, 1)).pvalue, nan_ok=True)
    assert all(s.endswith((".", "?")) and "nan" not in s for s in found.text)
    assert all(s in str(found) for s in found.text)
    assert found._repr_html_().count("<p>") == len(found.text)


def test_every_model(model_name: str) -> None:
    results = placed(GROUPS, seed=46).fit(model=MODELS[model_name]())
    found = results.diagnose()
    assert found.n_events == len(results)
    assert found.recommended[0] == "bmp_kp"


def scattered(seed: int) -> Diagnosis:
    """Return 150 independent events on random sessions of a long panel, few of whose windows overlap."""
    n, days = 150, 1400
    at = np.random.default_rng(seed).integers(130, days - 10, n)
    return placed(at.tolist(), days=days, seed=seed).fit().diagnose((-1, 1))


def test_overlap_counts_by_what_it_does_to_the_variance() -> None:
    """A few windows that overlap speak against no test where the factor is known to be near 1."""
    loose = scattered(1)
    assert loose.kind == "close_dates"
    assert loose.overlapping
    assert max(1, loose.factor) + loose.factor_error <= MATERIAL_FACTOR
    for name in ("bmp", "patell", "cross_sectional", "grank_t"):
        assert trust(loose)[name] == "usable", reason(loose, name)
    tight = placed(CLOSE, rho=0.4, seed=37).fit().diagnose((-1, 1))
    assert tight.factor > MATERIAL_FACTOR
    assert trust(tight)["bmp"] in ("doubtful", "not here")
    assert "windows of different dates overlap" in reason(tight, "bmp")


@pytest.mark.parametrize("at", [ONE, GROUPS, CLOSE], ids=str)
def test_on_few_dates_the_factor_is_never_known_well_enough(at: list[int]) -> None:
    """Independent firms: the dates are shared all the same, and r is measured on too few pairs."""
    for seed in range(5):
        found = placed(at, rho=0.0, seed=seed).fit().diagnose((0, 1))
        assert 1 + found.factor_error > MATERIAL_FACTOR
        assert trust(found)["bmp"] != "usable"


def test_the_error_of_the_factor_is_what_simulation_gives() -> None:
    """Twice the standard deviation of 1+(N-1)r among independent firms."""
    found = [placed(GROUPS, rho=0.0, seed=seed).fit().diagnose((0, 1)) for seed in range(150)]
    spread = 2 * np.std([d.factor for d in found])
    assert found[0].factor_error == pytest.approx(spread, rel=0.25)
