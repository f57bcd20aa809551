"""The tests of significance beyond the core: other programs' numbers, and a second route to
each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import PLAIN, Market
from scipy import stats
from statsmodels.multivariate.multivariate_ols import _MultivariateOLS
from test_reference import CLOSE, large_windows, read, tiny, tiny_windows

from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Window
from eventstudy.dependence import WeightedSums
from eventstudy.dependence.loadings import loadings_on
from eventstudy.dependence.pair_sums import by_pair
from eventstudy.dependence.session_sums import by_session
from eventstudy.errors import ConfigError
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS, SignificanceTest, block_sums
from eventstudy.significance.means import SHARE, resample_johnson
from eventstudy.significance.multivariate import common_system, left_out
from eventstudy.significance.variances import standardise
from eventstudy.windows import EventWindows

__all__ = ["tiny", "tiny_windows"]
WINDOWS = ["[0,0]", "[1,1]", "[0,1]", "[-1,1]", "[-5,-1]", "[-5,5]"]
BATTERY = (
    "event_f", "sq", "placebo_windows", "sign_exact", "grank_z_kp", "johnson_bootstrap", "mvrm",
    "mvrm_wilks",
    "rank_variance", "brown_forsythe",
)  # fmt: skip
REFUSED = (
    "the model forecasts a variance of its own for each event",
    "the events differ in benchmark or days",
    "the residuals of the events are linearly dependent",
)  # fmt: skip
ALTERNATIVES = ("two-sided", "less", "greater")
ONE_TAIL = ("event_f", "mvrm", "mvrm_wilks")


@pytest.fixture(scope="module")
def small(tiny_windows: EventWindows) -> AbnormalReturns:
    return MODELS["market"]().fit(tiny_windows)


@pytest.fixture(scope="module")
def large() -> AbnormalReturns:
    return MODELS["market"]().fit(large_windows(), engine="batch")


@pytest.fixture(scope="module")
def one_date() -> AbnormalReturns:
    return Market(n=6, seed=31, dates=1, rho=0.3, effect=-0.02).fit().abnormal


def only(fit: AbnormalReturns, i: int) -> AbnormalReturns:
    return fit.take(np.array([i]))


def compare(result: SignificanceTest, ref: dict[str, Any]) -> None:
    np.testing.assert_allclose(list(result), [ref["stat"], ref["p"]], err_msg=result.name, **CLOSE)


def compare_rank(test: str, fit: AbnormalReturns, window: Window, ref: dict[str, Any]) -> None:
    """A rank among placebo windows: CAR over their sd, and all three p-values."""
    results = [STATISTICS[test](fit, window, alternative=a) for a in ALTERNATIVES]
    assert results[0].statistic * ref["placebo_sd"] == pytest.approx(ref["stat"], rel=1e-9)
    np.testing.assert_allclose(
        [r.pvalue for r in results], [ref["p"], ref["p_lower"], ref["p_upper"]], rtol=1e-12
    )
    few = f"{ref['n']} placebo windows, 40 needed for p below 0.05" if ref["n"] < 40 else ""
    assert (results[0].reason, results[0].distribution) == (few, "placebo windows")


# Numbers of other programs


def test_tiny_single_events(tiny: dict[str, Any], small: AbnormalReturns) -> None:
    for text, ref in tiny["windows"].items():
        for i in range(3):
            chow = ref["chow_F"][i]
            result = STATISTICS["event_f"](only(small, i), Window.of(text))
            compare(result, chow)
            assert result.distribution == f"F({chow['df']:g},{chow['df2']:g})"
            compare_rank(
                "sq", only(small, i), Window.of(text), ref["placebo_block_deleted"]["single"][i]
            )


def test_tiny_samples(tiny: dict[str, Any], small: AbnormalReturns) -> None:
    for text, ref in tiny["windows"].items():
        window = Window.of(text)
        compare_rank("placebo_windows", small, window, ref["placebo_block_deleted"]["caar"])
        sign = ref["tests"]["sign"]
        compare(
            STATISTICS["sign_exact"](small, window), {"stat": sign["stat"], "p": sign["p_exact"]}
        )
        check_multivariate(small, window, ref["mvrm"])


def check_multivariate(fit: AbnormalReturns, window: Window, ref: dict[str, Any]) -> None:
    F = STATISTICS["mvrm"](fit, window)
    assert F.statistic == pytest.approx(ref["F"]["stat"], rel=1e-9)
    if len(window) > 1:
        compare(F, ref["F"])
    else:
        # For one day lambda is the F of the CARs, whose law the reference takes; ours ranks T2.
        assert F.distribution == "placebo days"
        compare(STATISTICS["mvrm_wilks"](fit, window), ref["F"])
    if window == fit.event:
        # The reference tests all days of the event window under every contrast.
        compare(STATISTICS["mvrm_wilks"](fit, window), ref["wilks"])


@pytest.mark.parametrize("text", WINDOWS)
def test_large_samples(large: AbnormalReturns, text: str) -> None:
    ref, window = read("large_example.json")["windows"][text], Window.of(text)
    compare_rank("placebo_windows", large, window, ref["placebo_block_deleted"])
    sign = ref["tests"]["sign"]
    compare(STATISTICS["sign_exact"](large, window), {"stat": sign["stat"], "p": sign["p_exact"]})


def test_large_first_date(large: AbnormalReturns) -> None:
    first = large.take(large.windows.day0 == large.windows.day0[0])
    for text, ref in read("large_example.json")["mvrm_first_date"].items():
        check_multivariate(first, Window.of(text), ref)


def test_large_single_event(large: AbnormalReturns) -> None:
    """The reference counts *in-sample* sums here (its 5 % quantile shows it); the ranks are the
    same."""
    ref = read("large_example.json")["single_event_F00_[0,1]"]
    event, window = only(large, 0), Window(0, 1)
    in_sample = np.convolve(event.resid[0], np.ones(2), "valid")
    assert np.quantile(in_sample, 0.05, method="inverted_cdf") == pytest.approx(
        ref["sq"]["crit_lower_5pct"], rel=1e-9
    )
    assert not np.allclose(block_sums(event, 2)[0], in_sample, rtol=1e-3)
    for alternative, p in (("two-sided", "p_two"), ("less", "p_lower"), ("greater", "p_upper")):
        result = STATISTICS["sq"](event, window, alternative=alternative)
        assert result.pvalue == pytest.approx(ref["sq"][p], rel=1e-12)
    compare(STATISTICS["event_t"](event, window), ref["exact"])


@pytest.mark.parametrize("text", WINDOWS)
def test_large_johnson_bootstrap(large: AbnormalReturns, text: str) -> None:
    """The draws of the reference, from the CARs in the order of the events; the test draws by
    size."""
    ref, window = read("large_example.json")["windows"][text]["johnson_bootstrap"], Window.of(text)
    core, ends = resample_johnson(large.car(window), draws=ref["B"], seed=ref["seed"])
    ours = [core.statistic, *ends, core.pvalue("two-sided"), len(large) // SHARE]
    theirs = [ref["stat"], ref["crit_2_5"], ref["crit_97_5"], ref["p"], ref["n_b"]]
    np.testing.assert_allclose(ours, theirs, **CLOSE)
    result = STATISTICS["johnson_bootstrap"](large.under(seed=11, draws=4999), window)
    assert result.statistic == pytest.approx(ref["stat"], rel=1e-9)
    assert result.pvalue == pytest.approx(ref["p"], abs=0.03)


@pytest.mark.parametrize("text", WINDOWS)
def test_conventions(large: AbnormalReturns, text: str) -> None:
    """SCAR as a sum of SARs, and ranks as a finite population."""
    ref, window = read("large_example.json")["windows"][text]["tests"], Window.of(text)
    for name in ("patell", "patell_kp", "bmp", "bmp_kp"):
        compare(STATISTICS[name](large.under(scar="sum"), window), ref[f"{name}_sumSAR"])
    compare(STATISTICS["corrado"](large.under(fpc=True), window), ref["corrado_fpc"])
    L, T = len(window), 131
    for name in ("corrado_zivney", "corrado_zivney_sign"):
        plain, finite = (STATISTICS[name](fit, window) for fit in (large, large.under(fpc=True)))
        assert finite.statistic == pytest.approx(
            plain.statistic / np.sqrt((T - L) / (T - 1)), rel=1e-12
        )


def test_tiny_conventions(tiny: dict[str, Any], small: AbnormalReturns) -> None:
    for text, ref in tiny["windows"].items():
        for name in ("patell", "patell_kp", "bmp", "bmp_kp"):
            compare(
                STATISTICS[name](small.under(scar="sum"), Window.of(text)),
                ref["tests"][f"{name}_sumSAR"],
            )
        compare(
            STATISTICS["corrado"](small.under(fpc=True), Window.of(text)),
            ref["tests"]["corrado_fpc"],
        )


# Second routes


def both_windows(fit: AbnormalReturns, i: int, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Returns and [regressors, dummies of `window`] on the estimation days and those of
    `window`."""
    days, L1, L = fit.columns(window), fit.resid.shape[1], len(window)
    returns = fit.windows.returns[i]
    y = np.r_[returns[:L1], returns[L1:][days]]
    x = np.vstack([fit.x_estimation[i], fit.x_event[i, days]])
    return y, np.column_stack([x, np.vstack([np.zeros((L1, L)), np.eye(L)])])


@pytest.mark.parametrize("window", [Window(0, 0), Window(-1, 1), Window(-5, 5)], ids=str)
def test_event_f_is_that_of_event_day_dummies(one_date: AbnormalReturns, window: Window) -> None:
    y, Z = both_windows(one_date, 2, window)
    L, k = len(window), one_date.k
    ols = sm.OLS(y, Z).fit()
    theirs = ols.f_test(np.eye(L, k + L, k))
    event = only(one_date, 2)
    result = STATISTICS["event_f"](event, window)
    assert tuple(result) == pytest.approx((float(theirs.fvalue), float(theirs.pvalue)), rel=1e-8)
    np.testing.assert_allclose(ols.bse[k:] ** 2, event.var_ar[0, event.columns(window)], rtol=1e-8)
    if L == 1:
        t = STATISTICS["event_t"](event, window)
        assert tuple(result) == pytest.approx((t.statistic**2, t.pvalue), rel=1e-9)


@pytest.mark.parametrize("window", [Window(0, 0), Window(0, 1), Window(-5, 5)], ids=str)
def test_multivariate_regression_is_that_of_statsmodels(
    one_date: AbnormalReturns, window: Window
) -> None:
    parts = [both_windows(one_date, i, window) for i in range(6)]
    Z, L = parts[0][1], len(window)
    mv = _MultivariateOLS(np.column_stack([y for y, _ in parts]), Z).fit()
    days = np.eye(L, 2 + L, 2)
    tests = mv.mv_test([("sum", days.sum(axis=0, keepdims=True)), ("all", days)])
    for name, hypothesis in (("mvrm", "sum"), ("mvrm_wilks", "all")):
        theirs = tests[hypothesis]["stat"].loc["Wilks' lambda"].astype(float)
        result = STATISTICS[name](one_date, window)
        assert result.statistic == pytest.approx(theirs["F Value"], rel=1e-8)
        if result.distribution != "placebo days":
            assert result.pvalue == pytest.approx(theirs["Pr > F"], rel=1e-8)


def test_rank_of_t2_among_days_predicted_without_themselves(one_date: AbnormalReturns) -> None:
    window, M = Window(0, 0), one_date.resid.shape[1]
    days = left_out(common_system(one_date, window))
    Y, X = one_date.windows.returns[:, :M].T, one_date.x_estimation[0]
    refit = []
    for s in range(0, M, 10):
        rest = np.arange(M) != s
        fits = [sm.OLS(y, X[rest]).fit() for y in Y[rest].T]
        E = np.column_stack([f.resid for f in fits])
        error = Y[s] - np.array([f.predict(X[s])[0] for f in fits])
        d = 1 + X[s] @ np.linalg.inv(X[rest].T @ X[rest]) @ X[s]
        refit.append(error @ np.linalg.inv(E.T @ E) @ error / d)
    np.testing.assert_allclose(days[::10], refit, rtol=1e-9)
    N, nu = 6, one_date.df_resid[0]
    result = STATISTICS["mvrm"](one_date, window)
    observed = result.statistic * N / (nu - N + 1)
    assert result.pvalue == (1 + (days >= observed).sum()) / (M + 1)


def test_placebo_sums_are_those_of_refits() -> None:
    """Blocks left out, the rest refitted; a block with a gap is none."""
    market = Market(n=1, seed=8)
    frame = market.frame.copy()
    frame.loc[frame.index[60], "F00"] = np.nan
    event = market.fit(frame).abnormal
    L, resid = 4, event.resid[0]
    sums = block_sums(event, L)[0]
    gaps = np.flatnonzero(np.isnan(resid))
    assert len(gaps) == 1
    lost = [s for s in range(len(sums)) if np.isin(gaps, np.arange(s, s + L)).any()]
    assert np.flatnonzero(np.isnan(sums)).tolist() == lost
    y, x = event.windows.returns[0, : len(resid)], event.x_estimation[0]
    for s in np.flatnonzero(np.isfinite(sums))[::15]:
        rest = np.isfinite(resid) & ~np.isin(np.arange(len(resid)), np.arange(s, s + L))
        forecast = sm.OLS(y[rest], x[rest]).fit().predict(x[s : s + L])
        assert sums[s] == pytest.approx((y[s : s + L] - forecast).sum(), rel=1e-8, abs=1e-14)
    result = STATISTICS["sq"](event, Window(0, 3), alternative="less")
    known = sums[np.isfinite(sums)]
    car = event.car(Window(0, 3))[0]
    assert result.pvalue == (1 + (known <= car).sum()) / (len(known) + 1)


def test_placebo_windows_of_one_event_are_its_sample_quantile_test() -> None:
    fit = Market(n=3, seed=9).fit().abnormal
    for i in range(3):
        one, other = (STATISTICS[n](only(fit, i), Window(-1, 1)) for n in ("sq", "placebo_windows"))
        assert tuple(one) == pytest.approx(tuple(other), rel=1e-12)


def test_standardised_days_are_those_of_statsmodels(large: AbnormalReturns) -> None:
    y, x = large.windows.returns[3, :120], large.x_estimation[3]
    influence = sm.OLS(y, x).fit().get_influence()
    np.testing.assert_allclose(
        standardise(large)[3, :120], influence.resid_studentized_external, rtol=1e-8
    )
    np.testing.assert_allclose(standardise(large)[:, 120:], large.sar, rtol=1e-12)


@pytest.mark.parametrize("window", [Window(0, 0), Window(-5, 5)], ids=str)
def test_brown_forsythe_is_levenes_test_around_medians(
    large: AbnormalReturns, window: Window
) -> None:
    values = standardise(large)
    event = values[:, 120:][:, large.columns(window)]
    F, p = stats.levene(event.ravel(), values[:, :120].ravel(), center="median")
    result = STATISTICS["brown_forsythe"](large, window)
    assert (result.statistic**2, result.pvalue) == pytest.approx((F, p), rel=1e-9)
    assert result.df == 40 * (120 + len(window)) - 2
    assert np.sign(result.statistic) == np.sign(event.std() - values[:, :120].std())


def test_rank_of_absolute_returns_by_hand(large: AbnormalReturns) -> None:
    """Equal histories: mean ranks by day over their root mean square."""
    ranks = pd.DataFrame(np.abs(standardise(large))).rank(axis=1).to_numpy() / 132 - 0.5
    g = ranks.mean(axis=0)
    z = g[120 + 5 : 120 + 7].sum() / np.sqrt(2 * (g**2).mean())
    compare(
        STATISTICS["rank_variance"](large, Window(0, 1)),
        {"stat": z, "p": 2 * stats.norm.sf(abs(z))},
    )


def test_event_variance_is_seen_and_its_fall_too() -> None:
    market = Market(n=30, seed=21, dates=30)
    for factor, sign in ((4.0, 1), (0.2, -1)):
        frame = market.frame.copy()
        for ticker, day0 in zip(market.table["ticker"], market.table["day0"], strict=True):
            frame.loc[day0, ticker] *= factor
        fit = market.fit(frame)
        for name in ("rank_variance", "brown_forsythe"):
            result = fit.test(name, (0, 0))
            assert np.sign(result.statistic) == sign
            assert result.pvalue < 0.01
            one_sided = fit.test(name, (0, 0), alternative="greater" if sign > 0 else "less")
            assert one_sided.pvalue == pytest.approx(result.pvalue / 2)


def test_exact_sign_test_is_the_binomial_one() -> None:
    fit = Market(n=15, seed=11, effect=-0.01).fit()
    car = fit.abnormal.car(Window(0, 1))
    positive = int((car > 0).sum())
    for alternative in ALTERNATIVES:
        p = stats.binomtest(positive, 15, 0.5, alternative=alternative).pvalue
        assert fit.test("sign_exact", (0, 1), alternative=alternative).pvalue == pytest.approx(
            p, rel=1e-12
        )


def test_grank_z_is_adjusted_as_by_kolari_and_pynnonen(one_date: AbnormalReturns) -> None:
    r = np.corrcoef(one_date.resid)[np.triu_indices(6, 1)].mean()
    plain, adjusted = (
        STATISTICS[name](one_date, Window(0, 0)) for name in ("grank_z", "grank_z_kp")
    )
    assert adjusted.statistic == pytest.approx(plain.statistic / np.sqrt(1 + 5 * r), rel=1e-9)
    assert adjusted.distribution == "N(0,1)"


def test_portfolio_is_the_average_of_the_multivariate_regression(one_date: AbnormalReturns) -> None:
    system = common_system(one_date, Window(0, 1))
    S = system.residuals.T @ system.residuals / system.nu
    w = np.full(6, 1 / 6)
    t = w @ system.gamma.sum(axis=0) / np.sqrt(system.V.sum() * (w @ S @ w))
    assert STATISTICS["portfolio"](one_date, Window(0, 1)).statistic == pytest.approx(t, rel=1e-9)


def bridged(fit: AbnormalReturns, rows: list[int]) -> AbnormalReturns:
    """Return `fit` as if some events had no price on day 0: day 1 has the sum of both."""
    ar, x, spans, noise = fit.ar.copy(), fit.x_event.copy(), fit.spans.copy(), fit.noise.copy()
    for values in (ar, x, spans, noise):
        values[rows, 6] += values[rows, 5]
    ar[rows, 5], spans[rows, 5], noise[rows, 5] = np.nan, 0, 0.0
    return fit.as_study(ar=ar, x_event=x, spans=spans, length=spans, noise=noise)


def test_a_return_over_two_sessions_is_one_day_of_the_tests_of_dummies(
    one_date: AbnormalReturns,
) -> None:
    window = Window(0, 1)
    event = bridged(only(one_date, 0), [0])
    t, F = STATISTICS["event_t"](only(one_date, 0), window), STATISTICS["event_f"](event, window)
    assert tuple(F) == pytest.approx((t.statistic**2, t.pvalue), rel=1e-9)
    assert F.distribution == "F(1,108)"
    whole = bridged(one_date, list(range(6)))
    plain = STATISTICS["mvrm"](one_date, window)
    for name in ("mvrm", "mvrm_wilks"):
        assert tuple(STATISTICS[name](whole, window)) == pytest.approx(tuple(plain), rel=1e-9)
        some = STATISTICS[name](bridged(one_date, [2]), window)
        assert some.reason == "the events differ in benchmark or days"


# Overlap by share


def test_share_of_common_sessions_by_hand() -> None:
    """Windows of three sessions, two of them in common: o = 2/3, on one date 1."""
    fit = Market(n=2, seed=3).fit().abnormal.under(overlap="share")
    windows = fit.windows
    A = np.arange(len(windows.sessions))
    for gap, share in ((0, 1.0), (1, 2 / 3), (2, 1 / 3), (3, 0.0)):
        fit.windows.positions[1] = fit.windows.positions[0] + gap
        one, other = loadings_on(fit, Window(-1, 1), A)
        assert one @ other / np.sqrt((one @ one) * (other @ other)) == pytest.approx(share)


def test_sums_over_sessions_are_the_share_form() -> None:
    fit = Market(n=60, seed=16, dates=6, rho=0.3, days=220).fit().abnormal.under(overlap="share")
    window = Window(-2, 2)
    exact, fast = by_pair(fit, window), by_session(fit, window)
    factors = [1 + 59 * c.rbar for c in (exact, fast)]
    assert factors[1] == pytest.approx(factors[0], rel=2e-3)
    assert WeightedSums(fit.under(overlap="exact"), window).correlation.rbar != pytest.approx(
        exact.rbar, rel=1e-3
    )


def test_clusters_on_one_date_overlap_wholly_either_way(one_date: AbnormalReturns) -> None:
    share = one_date.under(overlap="share")
    assert STATISTICS["bmp_kp"](share, Window(0, 1)).statistic == pytest.approx(
        STATISTICS["bmp_kp"](one_date, Window(0, 1)).statistic, rel=1e-9
    )


# What cannot be computed, and laws without direction


def test_tests_of_single_events_refuse_samples() -> None:
    fit = Market(n=3).fit()
    for name in ("event_f", "sq"):
        refused = fit.test(name, (0, 0))
        assert np.isnan(refused.statistic)
        assert refused.reason


def differing(market: Market) -> pd.DataFrame:
    return market.frame.assign(F02=market.frame["F02"].where(np.arange(200) != 100))


def collinear(market: Market) -> pd.DataFrame:
    return market.frame.assign(F02=2 * market.frame["F01"])


@pytest.mark.parametrize(
    ("options", "change", "reason"),
    [
        ({"n": 4, "dates": 2}, None, "the events are not on one date"),
        ({"n": 4, "dates": 1}, differing, "the events differ in benchmark or days"),
        ({"n": 4, "dates": 1}, collinear, "the residuals of the events are linearly dependent"),
        (
            {"n": 40, "dates": 1},
            None,
            "40 events on one date, and there must be fewer than the 28 degrees of freedom",
        ),
    ],
    ids=["dates", "days", "dependent", "many"],
)
def test_the_multivariate_regression_needs_one_design(
    options: dict[str, int], change: Callable[[Market], pd.DataFrame] | None, reason: str
) -> None:
    market = Market(**options)  # type: ignore[arg-type]
    window = {"estimation": (-40, -11)} if options["n"] == 40 else {}
    fit = market.fit(change(market) if change else None, **window)  # type: ignore[arg-type]
    for name in ("mvrm", "mvrm_wilks"):
        result = fit.test(name, (0, 1))
        assert result.reason == reason
        assert np.isnan(result.statistic)


def test_an_f_has_one_tail_for_every_alternative(one_date: AbnormalReturns) -> None:
    for name in ONE_TAIL:
        fit = only(one_date, 0) if name == "event_f" else one_date
        results = [STATISTICS[name](fit, Window(-1, 1), alternative=a) for a in ALTERNATIVES]
        assert len({r.pvalue for r in results}) == 1
        assert np.isnan(results[0].confidence_interval()).all()
        with pytest.raises(ConfigError, match="unknown alternative"):
            STATISTICS[name](fit, Window(-1, 1), alternative="both")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["event_f", "sq"])
def test_single_events_in_other_units_and_with_other_signs(name: str) -> None:
    market = Market(n=1, seed=5, effect=0.03)
    one = market.fit().test(name, (0, 2))
    other = market.fit(market.frame * -0.1).test(name, (0, 2))
    sign = 1 if name in ONE_TAIL else -1
    assert other.statistic == pytest.approx(sign * one.statistic, rel=1e-8)
    assert other.pvalue == pytest.approx(one.pvalue, rel=1e-8)


@pytest.mark.parametrize("name", ["mvrm", "mvrm_wilks"])
@pytest.mark.parametrize("window", [(0, 0), (-1, 1)])
def test_order_of_events_on_one_date_does_not_matter(
    one_date: AbnormalReturns, name: str, window: tuple[int, int]
) -> None:
    shuffled = one_date.take(np.array([3, 0, 5, 1, 4, 2]))
    one, other = (STATISTICS[name](fit, Window.of(window)) for fit in (one_date, shuffled))
    assert tuple(one) == pytest.approx(tuple(other), rel=1e-9)


def test_a_long_window_leaves_too_few_placebos() -> None:
    event = Market(n=1).fit(estimation=(-40, -11)).abnormal
    result = STATISTICS["sq"](event, Window(-5, 5))
    assert result.reason == "20 placebo windows, 40 needed for p below 0.05"
    assert np.isfinite(result.pvalue)
    none = STATISTICS["sq"](
        Market(n=1).fit(estimation=(-20, -11), event=(-10, 10)).abnormal, Window(-10, 10)
    )
    assert none.reason == "the window is longer than the estimation window"


def test_every_model_has_a_number_or_a_reason(model_name: str) -> None:
    one, clustered, spread = (
        Market(n=n, seed=2, dates=dates).fit(model=model_name, engine="batch").abnormal
        for n, dates in ((1, 1), (12, 1), (12, 12))
    )
    for name in BATTERY:
        fit = (
            one if STATISTICS[name].per_event else clustered if name.startswith("mvrm") else spread
        )
        for window in (Window(0, 0), Window(-2, 2)):
            result = STATISTICS[name](fit, window)
            if result.reason in REFUSED:
                assert name.startswith("mvrm"), result
                assert model_name not in PLAIN
            else:
                assert np.isfinite(result.statistic), result
                assert 0 < result.pvalue <= 1
