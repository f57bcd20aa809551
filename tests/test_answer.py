"""One test decides: the verdict, its estimate and its interval, for one event, a few and many."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import SHARED, Market, short_histories
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import CONFIG, findings, page, with_columns
from scipy import stats
from situations import placed
from violent import k_by_hand

from eventstudy.analysis.answer.answer import decide
from eventstudy.analysis.interval import detectable, plain_average
from eventstudy.calendars import Window
from eventstudy.cli.main import main
from eventstudy.dependence import WeightedSums
from eventstudy.report.formats.latex import latex_table
from eventstudy.report.formats.terminal import Terminal
from eventstudy.report.sentences.answer import brief
from eventstudy.report.sentences.caveats import headline
from eventstudy.significance import STATISTICS
from eventstudy.words import words

MAIN = Window(0, 1)
FROZEN = SHARED / "reference" / "frozen-list" / "events.csv"


def from_returns(market: Market) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the CARs of [0,1] and their standard errors, each (n,), by least squares, and their
    df. Of fewer than five events errors are raised by how variable returns were just before."""
    x, car, s = market.frame["MKT"].to_numpy(), [], []
    for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
        on, y = market.frame.index.get_loc(day), market.frame[ticker].to_numpy()
        past, now = slice(on - 120, on - 10), slice(on, on + 2)
        X = np.column_stack([np.ones(110), x[past]])
        beta = np.linalg.lstsq(X, y[past], rcond=None)[0]
        sums = np.array([2.0, x[now].sum()])
        sigma2 = ((y[past] - X @ beta) ** 2).sum() / 108
        car.append(y[now].sum() - sums @ beta)
        s.append(np.sqrt(sigma2 * (2 + sums @ np.linalg.inv(X.T @ X) @ sums)))
        if len(market.table) < 5:
            s[-1] *= np.sqrt(k_by_hand(X, y, x, beta, sigma2, on))
    return np.array(car), np.array(s), 108.0


def by_hand(market: Market, r: float) -> dict[str, float]:
    """Return d, its error, interval and p of docs/methods/answer.md from the returns, in plain numpy; r is
    given."""
    car, s, nu = from_returns(market)
    n, z, w = len(car), car / s, 1 / s
    d = float(z.sum() / w.sum())
    if n >= 5:
        f = np.sqrt((1 + (n - 1) * r) / (1 - r))
        se, law = f * z.std(ddof=1) / (np.sqrt(n) * w.mean()), stats.t(n - 1)
    elif n > 1:
        se = np.sqrt(n * nu / (nu - 2)) * np.sqrt(1 + (n - 1) * max(r, 0)) / w.sum()
        law = stats.norm()
    else:
        se, law = s[0], stats.t(nu)
    half = law.ppf(0.975) * se
    return {"d": d, "se": se, "low": d - half, "high": d + half, "p": 2 * law.sf(abs(d / se))}


def kp_correlation(resid: np.ndarray) -> float:
    """Return the mean correlation of the residuals of firms with one date (Kolari and Pynnonen
    2010)."""
    matrix = np.corrcoef(resid)
    return float(matrix[np.triu_indices(len(resid), 1)].mean())


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 12])
@pytest.mark.parametrize("effect", [0.0, -0.03])
@pytest.mark.parametrize("gap", [0, 1], ids=["one date", "overlapping windows"])
def test_estimate_interval_and_p_by_hand(n: int, effect: float, gap: int) -> None:
    market = Market(n, dates=1, effect=effect, rho=0.2, seed=n)
    if gap:
        at, values = 150 + np.arange(n) // 2, market.frame.to_numpy(copy=True)
        values[at, np.arange(n)] += effect
        market.frame[:], market.table["day0"] = values, market.frame.index[at]
    fit = market.fit()
    r = 0.0
    if n > 1:
        # Of several dates the tests of the contract hold it to its formula.
        r = (
            WeightedSums(fit.abnormal, MAIN).correlation.rbar
            if gap
            else kp_correlation(fit.abnormal.resid)
        )
    found, own = fit.answer(MAIN), by_hand(market, r)
    few = "event_t_regime" if n == 1 else "patell_kp_regime"
    assert found.test == (few if n < 5 else "bmp_kp")
    effect_of = found.effect
    np.testing.assert_allclose(
        [effect_of.estimate, effect_of.se, effect_of.ci_low, effect_of.ci_high, found.pvalue],
        list(own.values()),
        rtol=1e-9,
    )
    assert found.verdict == ("different" if own["p"] < 0.05 else "not_different")
    assert found.pvalue == fit.test(found.test, MAIN).pvalue


def test_the_main_test_comes_from_the_number_of_events_alone() -> None:
    assert [STATISTICS.main(n) for n in range(7)] == [
        "event_t_regime", "event_t_regime", "patell_kp_regime", "patell_kp_regime",
        "patell_kp_regime", "bmp_kp", "bmp_kp",
    ]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=40)
@given(
    n=st.integers(1, 14), seed=st.integers(0, 10**6), effect=st.floats(-0.05, 0.05),
    dates=st.integers(1, 4), rho=st.floats(0, 0.8),
)  # fmt: skip
def test_interval_and_verdict_never_contradict_each_other(
    n: int, seed: int, effect: float, dates: int, rho: float
) -> None:
    fit = Market(n, dates=min(n, dates), effect=effect, rho=rho, seed=seed).fit().abnormal
    for window in (MAIN, Window(0, 0), Window(-5, 5)):
        found = decide(fit, window)
        outside = not found.effect.ci_low <= 0 <= found.effect.ci_high
        assert found.verdict == ("different" if outside else "not_different")


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(200, marks=pytest.mark.slow),
        pytest.param(2000, marks=pytest.mark.watch),
    ],
)
def test_interval_and_verdict_are_coherent_in_many_samples(samples: int) -> None:
    verdicts = []
    for seed in range(samples):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 20))
        market = Market(n, dates=int(rng.integers(1, n + 1)), effect=rng.normal(0, 0.01), seed=seed)
        found = decide(market.fit().abnormal, MAIN)
        outside = not found.effect.ci_low <= 0 <= found.effect.ci_high
        assert (found.verdict == "different") == outside
        verdicts.append(found.verdict)
    assert set(verdicts) == {"different", "not_different"}


def test_three_firms_that_fall_by_a_third_are_different_as_one_or_five_are() -> None:
    for n in range(1, 7):
        found = Market(n, dates=n, effect=-0.3, seed=3).fit().answer(MAIN)
        assert (found.verdict, found.n_events) == ("different", n), found.test
        assert found.effect.ci_high < 0


def test_few_events_say_how_much_more_variable_returns_would_have_had_to_be() -> None:
    found = Market(3, dates=3, effect=-0.06, seed=3).fit().answer(MAIN)
    z = found.effect.estimate / found.effect.se
    assert found.overturn.variance_multiple == pytest.approx((z / stats.norm.ppf(0.975)) ** 2)
    assert [one.event_id for one in found.overturn.leave_one_out] == ["e0", "e1", "e2"]
    pair = Market(3, dates=3, effect=-0.06, seed=3).fit().subset([1, 2]).answer(MAIN)
    first = found.overturn.leave_one_out[0]
    expected = (pair.effect.estimate, pair.effect.ci_low, pair.pvalue)
    assert (first.estimate, first.ci_low, first.pvalue) == pytest.approx(expected, rel=1e-12)
    assert np.isnan(found.overturn.shared_shock)
    assert (
        found.overturn.spread_pvalue
        == Market(3, dates=3, effect=-0.06, seed=3).fit().test("bmp_kp", MAIN).pvalue
    )
    many = Market(12, dates=1, effect=-0.06, rho=0.3, seed=3).fit().answer(MAIN)
    assert np.isnan(many.overturn.variance_multiple)
    assert many.overturn.leave_one_out == ()


def test_violent_days_are_named_beside_the_p_of_one_event() -> None:
    market = Market(1, dates=1, effect=-0.2, seed=3)
    on = market.frame.index.get_loc(market.table["day0"][0])
    assert "takes into account" not in headline(findings(market.fit()))
    market.frame.iloc[on - 10 : on] *= 6
    fit = market.fit()
    (k,) = fit.answer(MAIN).overturn.recent_variance
    assert k > 6
    said = f"moves about {np.sqrt(k):.0f} times as much as usual, which the p takes into account"
    assert said in headline(findings(fit))


def test_a_shared_shock_brings_p_to_five_percent_where_it_says_so() -> None:
    """The covariance that the firms share, times lambda, brings t to its critical value."""
    market = Market(12, dates=1, effect=-0.05, rho=0.2, seed=1)
    found = market.fit().answer(MAIN)
    times = found.overturn.shared_shock
    n, a = 12, market.fit().abnormal
    z = a.car(MAIN) / np.sqrt(a.var_car(MAIN))
    r = kp_correlation(a.resid)
    # The variance across events is that of what is not shared, sigma^2 (1 - r); the mean's has
    # lambda r.
    variance = z.var(ddof=1) / (1 - r) * (1 - r + n * times * r) / n
    assert abs(z.mean()) / np.sqrt(variance) == pytest.approx(stats.t.ppf(0.975, n - 1), rel=1e-9)
    assert times > 1


def test_the_smallest_effect_is_found_in_four_of_five_studies() -> None:
    """A noncentral t by scipy.stats, and MacKinlay's (1997) formula for a known variance."""
    for df in (3, 19, 60):
        delta = detectable(1.0, df)
        critical = stats.t.ppf(0.975, df)
        assert stats.nct.sf(critical, df, delta) == pytest.approx(0.8, abs=1e-6)
    assert detectable(0.02 / np.sqrt(31)) == pytest.approx(0.010064, abs=1e-5)


def test_the_plain_average_has_its_own_interval() -> None:
    fit = Market(12, dates=1, rho=0.3, seed=5).fit()
    car, r = fit.abnormal.car(MAIN), kp_correlation(fit.abnormal.resid)
    se = car.std(ddof=1) / np.sqrt(12) * np.sqrt((1 + 11 * r) / (1 - r))
    found = plain_average(fit.abnormal, MAIN)
    half = stats.t.ppf(0.975, 11) * se
    np.testing.assert_allclose(
        [found.estimate, found.ci_low, found.ci_high],
        [car.mean(), car.mean() - half, car.mean() + half],
    )
    assert found.estimate != fit.answer(MAIN).effect.estimate


def test_equal_volatilities_make_both_averages_one() -> None:
    market = Market(8, dates=1, seed=5)
    for name in market.tickers:
        market.frame[name] = market.frame[market.tickers[0]].to_numpy()
    rng = np.random.default_rng(1)
    on = market.frame.index.get_loc(market.table["day0"][0])
    market.frame.iloc[on, : len(market.tickers)] += rng.normal(0, 0.02, len(market.tickers))
    fit = market.fit()
    car = fit.abnormal.car(MAIN)
    weights = 1 / np.sqrt(fit.abnormal.var_car(MAIN))
    assert np.ptp(weights) < 1e-9 * weights[0]
    assert (car / np.sqrt(fit.abnormal.var_car(MAIN))).sum() / weights.sum() == pytest.approx(
        car.mean()
    )


def test_without_a_main_test_there_is_no_result_but_a_plain_average() -> None:
    market = Market(15, dates=1, seed=42)
    frame = market.frame.assign(MKT=market.frame[market.tickers].mean(axis=1))
    found = market.fit(frame, model="market_adjusted").answer(MAIN)
    assert (found.verdict, found.test, found.n_events) == ("no_result", "bmp_kp", 15)
    assert np.isnan(found.pvalue)
    assert found.reason
    assert np.isfinite(found.plain_average.estimate)


def test_open_windows_have_an_estimate_and_no_verdict() -> None:
    market = Market(12)
    last = market.table["day0"].sort_values().iloc[-3]
    found = market.fit(market.frame.loc[:last]).answer(MAIN)
    assert found.verdict == "provisional"
    assert 5 <= found.n_events < 12
    assert np.isnan(found.pvalue)
    assert np.isfinite(found.effect.ci_low)


def test_a_p_is_withheld_everywhere_while_a_window_is_open() -> None:
    """All have [0,1], one lacks days of [-5,5]: tables, page, terminal and LaTeX say so."""
    market, wide, why = Market(12), Window(-5, 5), "the window of some events is not over yet"
    last = market.frame.index.get_loc(market.table["day0"].max())
    found = market.fit(market.frame.iloc[: last + 2])
    assert found.answer(MAIN).n_events == 12
    tests = found.tests([MAIN, wide]).set_index("start")
    families = found.multiple("windows", windows=[MAIN, wide]).set_index("label")
    pairs = [(w, found.weighted(w).pvalue) for w in (MAIN, wide)]
    assert np.isfinite([tests.loc[0, "pvalue"].iloc[0], families.loc["[0,1]", "pvalue"]]).all()
    assert tests.loc[-5, ["statistic", "pvalue"]].isna().all(axis=None)
    assert set(tests.loc[-5, "reason"]) == {why} == {families.loc["[-5,5]", "reason"]}
    assert families.loc["[-5,5]", ["pvalue", "holm", "romano_wolf"]].isna().all()
    assert [np.isfinite(p) for _, p in pairs] == [True, False]
    assert str(found.influence(wide)) == "The window of some events is not over yet."
    grouped = with_columns(found, side=["a", "b"] * 6)
    assert np.isfinite(grouped.difference("side").pvalue)
    open_one = grouped.difference("side", window=wide)
    assert open_one.reason == why
    assert np.isnan(open_one.pvalue)
    open_fit = grouped.explain("side", window=wide)
    assert "lacks days of [-5,5], which is not over yet" in " ".join(open_fit.notes)
    assert "not over yet" not in " ".join(grouped.explain("side").notes)
    study, said = findings(found), "Not over yet, so without a p-value: [-3, 3] and [-5, 5]"
    n = found.answer(wide).n_events
    assert n < 12
    assert f"[−5, 5], {n} announcements" in " ".join(page(found).split())
    tex = latex_table(study, "caar").replace("$-$", "-").replace("{[}", "[").replace("{]}", "]")
    for text in (page(found), str(Terminal(study).text(verbose=True)), tex):
        assert said in " ".join(text.replace("−", "-").split())
    row = next(line for line in tex.splitlines() if line.startswith(" & ($"))
    assert row.endswith(r"-- \\")


def test_a_firm_that_is_gone_leaves_nothing_open() -> None:
    """Its prices end two sessions after day 0; those of the others run on for a week, or for
    longer."""
    market = placed([*range(150, 161), 165])
    ends = market.frame["F11"].mask(np.arange(200) > 167)
    for more, verdict in ((5, "provisional"), (30, "not_different")):
        study = market.fit(market.frame.assign(F11=ends).iloc[: 168 + more])
        found = study.answer(Window(-5, 5))
        assert (found.verdict, found.n_events) == (verdict, 11)
        flags = study.events["flags"].iloc[11].split(";")
        assert ("incomplete_window" in flags) == (verdict == "provisional")
        assert ("missing_days" in flags) == (verdict != "provisional")


@pytest.mark.slow
def test_a_group_may_be_called_pooled() -> None:
    market = Market(12, seed=5)
    market.table["direction"] = ["pooled", "b"] * 6
    found = json.loads(market.fit().to_json(config=CONFIG))["answer"]
    assert [one["n_events"] for one in found.values()] == [12, 6, 6]
    assert list(found) == ["pooled", "pooled (group)", "b"]


@pytest.mark.slow
def test_a_negative_correlation_of_short_histories_counts_as_zero() -> None:
    """With 50 common sessions a pair r is chance; with 110 a negative one is used as it is."""
    for length, zero in ((50, True), (110, False)):
        fits = [
            Market(6, dates=1, seed=seed, days=200).fit(estimation=(-length - 10, -11))
            for seed in range(8)
        ]
        raw = [kp_correlation(fit.abnormal.resid) for fit in fits]
        negative = [(r, fit) for r, fit in zip(raw, fits, strict=True) if r < 0]
        assert negative
        for r, fit in negative:
            kp, bmp = (fit.test(name, MAIN).statistic for name in ("bmp_kp", "bmp"))
            expected = 1.0 if zero else np.sqrt((1 - r) / (1 + 5 * r))
            assert kp / bmp == pytest.approx(expected, rel=1e-9)
            assert fit.diagnose(MAIN).r_set_to_zero is zero


def test_a_negative_correlation_of_a_few_events_counts_as_zero() -> None:
    fits = [Market(3, dates=1, seed=seed).fit() for seed in range(12)]
    negative = [fit for fit in fits if kp_correlation(fit.abnormal.resid) < 0]
    assert negative
    for fit in negative:
        assert fit.test("patell_kp", MAIN).statistic == pytest.approx(
            fit.test("patell", MAIN).statistic
        )


@pytest.mark.slow
@pytest.mark.skipif(not FROZEN.is_file(), reason="the list of reference is not here")
def test_the_list_of_reference(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        main, ["run", str(FROZEN), "--prices", "sample", "--out", str(tmp_path), "--name", "x"]
    )
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "x" / "results.json").read_text(encoding="utf-8"))["answer"]
    own = found["adverse"]
    numbers = [own[name] for name in ("estimate", "ci_low", "ci_high")]
    np.testing.assert_allclose(numbers, [-0.007859, -0.014630, -0.001087], atol=5e-7)
    assert own["pvalue"] == pytest.approx(0.02385, abs=5e-6)
    assert own["plain_average"]["estimate"] == pytest.approx(-0.008772, abs=5e-7)
    assert (own["verdict"], own["test"], own["n_events"], own["n_dates"]) == (
        "different",
        "bmp_kp",
        50,
        43,
    )
    assert found["relief"]["verdict"] == "not_different"
    assert set(found) == {"pooled", "adverse", "relief"}


@pytest.mark.slow
def test_few_events_that_differ_wildly_say_what_a_test_of_their_spread_finds() -> None:
    """Two of four fall by a tenth and two do not move: surely not nothing, but not one effect
    either."""
    market = Market(4, dates=4, seed=3)
    for name, day in zip(market.tickers[:2], market.table["day0"][:2], strict=True):
        market.frame.loc[day, name] -= 0.15
    fit = market.fit()
    found = fit.answer(MAIN)
    assert (found.verdict, found.test) == ("different", "patell_kp_regime")
    assert found.overturn.spread_pvalue == fit.test("bmp_kp", MAIN).pvalue > 0.05
    study = findings(fit)
    for text in (headline(study), str(brief(study, study.sample))):
        assert words().p(found.overturn.spread_pvalue) in text
    alike = Market(4, dates=4, effect=-0.1, seed=3).fit()
    assert alike.answer(MAIN).overturn.spread_pvalue < 0.05
    assert words().p(alike.answer(MAIN).overturn.spread_pvalue) in headline(findings(alike))


def test_a_short_history_leaves_standardised_tests_and_not_the_plain_average() -> None:
    study, window = short_histories(), MAIN
    nobs = study.events["nobs"].tolist()
    assert nobs[:3] == [21, 59, 110]
    answer, others = study.answer(window), study.subset(np.arange(2, 12)).answer(window)
    assert (answer.n_events, answer.n_short) == (10, 2)
    assert (answer.effect, answer.pvalue) == (others.effect, others.pvalue)
    assert answer.plain_average.estimate == pytest.approx(study.abnormal.car(window).mean())
    for name, n in (("bmp_kp", 10), ("grank_t", 10), ("cross_sectional", 12), ("corrado", 12)):
        assert study.test(name, window).n_events == n, name
    assert study.test("bmp", window, min_history=0).n_events == 12
    assert study.test("bmp", window, min_history=21).n_events == 12
    flagged = study.events["flags"].str.contains("short_history")
    assert flagged.tolist() == [True, True] + [False] * 10
    assert study.test("bmp", window, min_history=110).n_events == 10, "as asked, not 82"
    assert study.test("bmp", window, min_history=111).reason


def test_short_histories_are_counted_in_the_answer() -> None:
    document = findings(short_histories())
    assert [remark.reason.facts for remark in document.sample.short] == [
        {"n": 21, "needed": 60}, {"n": 59, "needed": 60},
    ]  # fmt: skip
    assert document.sample.main.moved <= document.sample.answer.n_events == 10
    text = headline(document)
    assert "2 events with fewer than 60 complete estimation days" in text
    assert "F00 (e0), 21 days; F01 (e1), 59 days" in text


def test_the_method_counts_pairs_of_the_events_of_the_answer() -> None:
    """Event e0 has 21 days in common with others; it is in no pair of the test that decides."""
    document = findings(short_histories(short=1))
    assert document.sample.answer.n_events == 11
    assert document.sample.filled_pairs == 0


def test_where_all_histories_are_short_nothing_is_tested_but_one_event_is() -> None:
    study = short_histories(n=3, short=3)
    answer = study.answer(MAIN)
    assert answer.verdict == "no_result"
    assert answer.plain_average.estimate == pytest.approx(study.abnormal.car(MAIN).mean())
    assert study.test("patell_kp", MAIN).reason.code == "short_histories"
    assert "Add" not in headline(findings(study))
    assert np.isfinite(study.subset([0]).answer(MAIN).pvalue), "its t allows for few days"


def test_a_short_estimation_window_needs_three_quarters_of_its_days() -> None:
    study = Market(n=6).fit(estimation=(-50, -11))
    assert study.abnormal.least_history == 30
    assert study.answer(MAIN).n_events == 6


@pytest.mark.slow
def test_an_answer_has_a_row_a_figure_and_a_sentence() -> None:
    results = Market(8, dates=4, effect=-0.05, seed=2).fit()
    answer = results.answer()
    row = answer.frame().iloc[0]
    assert row["verdict"] == answer.verdict
    assert row["estimate"] == answer.effect.estimate
    assert row["plain_estimate"] == answer.plain_average.estimate
    assert f"{answer.effect.estimate:.2%}" in str(answer)
    assert "eight announcements on four dates" in str(answer)
    axes = answer.plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Effect", "Plain average"]
    nothing = results.subset([]).answer()
    assert str(nothing).startswith("No result")
    assert len(nothing.frame()) == 1
