"""What holds for every test of significance."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import Market
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eventstudy.calendars import Window
from eventstudy.dependence import Limits, WeightedSums
from eventstudy.dependence.pair_sums import by_pair
from eventstudy.dependence.pairs import mean_common_sessions
from eventstudy.dependence.session_sums import by_session
from eventstudy.errors import ConfigError
from eventstudy.significance import STATISTICS, SignificanceTest, pvalue
from eventstudy.studies import EventStudyResults

SAMPLE_TESTS = [name for name, entry in STATISTICS.items() if not entry.per_event]
WINDOWS = [Window(0, 0), Window(-1, 1), Window(-5, 5)]
ONE_DATE = {"portfolio", "mvrm", "mvrm_wilks"}
# Statistics that a change of all signs leaves as they are.
OF_VARIANCE = {"patell_u", "rank_variance", "brown_forsythe", "mvrm", "mvrm_wilks"}
# Ranks among the 110 estimation days: two-sided p cannot fall below 2/111.
SMALLEST_P = {"placebo_windows": 2 / 111}
# Resamples hold a quarter of the events: some of 3 events hold one event three times.
SIZE = {"johnson_bootstrap": 40}


def dates_for(name: str) -> int:
    return 1 if name in ONE_DATE else 12


@cache
def fitted(sign: int = 1, gone: tuple[str, ...] = (), **options: Any) -> EventStudyResults:
    """Fit a market, its returns times a sign and without those of the firms that are gone."""
    market = Market(**options)
    return market.fit(sign * market.frame.assign(**dict.fromkeys(gone, np.nan)))


@cache
def holed() -> EventStudyResults:
    """Return the results without the day 0 of one event and without any return of another."""
    market = Market(n=15, seed=11, dates=5, rho=0.2, effect=-0.01)
    frame = market.frame.assign(F04=np.nan)
    frame.loc[market.table["day0"][3], "F03"] = np.nan
    return market.fit(frame)


def same(one: SignificanceTest, other: SignificanceTest, rel: float) -> None:
    """Equal, or both missing for one reason."""
    assert (one.n_events, one.reason) == (other.n_events, other.reason)
    assert other.statistic == pytest.approx(one.statistic, rel=rel, nan_ok=True)
    assert other.pvalue == pytest.approx(one.pvalue, rel=1e-6, nan_ok=True)


@pytest.fixture(scope="module")
def results() -> EventStudyResults:
    return fitted(n=15, seed=11, dates=5, rho=0.2, effect=-0.01)


@pytest.fixture(params=SAMPLE_TESTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_names_are_the_canonical_ones() -> None:
    assert set(STATISTICS) == {
        "event_t_regime", "event_t", "cross_sectional", "date_clustered", "cda", "portfolio", "patell", "patell_kp",
        "patell_kp_regime",
        "bmp",
        "bmp_kp", "corrado", "corrado_zivney", "grank_t", "grank_z", "sign", "generalized_sign",
        "corrado_zivney_sign", "wilcoxon", "hall", "johnson", "calendar_time", "jackknife",
        "wild_bootstrap", "patell_u", "event_f", "sq", "placebo_windows", "sign_exact",
        "grank_z_kp",
        "johnson_bootstrap", "mvrm", "mvrm_wilks", "rank_variance", "brown_forsythe",
        "placebo_in_space",
    }  # fmt: skip
    with pytest.raises(ConfigError, match="did you mean 'bmp_kp'"):
        STATISTICS["bmpkp"]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_order_of_events_does_not_matter(
    results: EventStudyResults, name: str, window: Window
) -> None:
    order = np.random.default_rng(0).permutation(len(results.events))
    same(results.test(name, window), results.subset(order).test(name, window), 1e-10)


@pytest.mark.slow
@settings(max_examples=6)
@given(scale=st.floats(0.05, 8))
def test_units_do_not_matter(scale: float) -> None:
    market = Market(n=12, seed=12, dates=4, rho=0.3)
    one, other = market.fit(), market.fit(market.frame * scale)
    for name in SAMPLE_TESTS:
        same(one.test(name, (0, 1)), other.test(name, (0, 1)), 1e-6)


def test_sign_flips_with_the_returns(name: str) -> None:
    one, other = (
        fitted(sign, n=12, seed=13, effect=0.01, dates=dates_for(name)).test(name, (0, 1))
        for sign in (1, -1)
    )
    assert np.isfinite(one.statistic)
    sign = 1 if name in OF_VARIANCE else -1
    assert other.statistic == pytest.approx(sign * one.statistic, rel=1e-9)
    assert other.pvalue == pytest.approx(one.pvalue, rel=1e-7)


def test_a_large_effect_is_found_in_its_direction(name: str) -> None:
    for effect in (-0.2, 0.2):
        n = SIZE.get(name, 15)
        result = fitted(n=n, seed=14, effect=effect, dates=dates_for(name)).test(name, (0, 0))
        assert np.sign(result.statistic) == (1 if name in OF_VARIANCE else np.sign(effect))
        assert result.pvalue < 0.01 or result.pvalue == pytest.approx(SMALLEST_P.get(name, 0.0))


def test_dropped_events_and_missing_days_leave_the_sample(
    results: EventStudyResults, name: str
) -> None:
    """An event without the day, and one without a price, give what a study without them gives."""
    keep = np.array([i not in (3, 4) for i in range(15)])
    without = results.subset(keep).test(name, (0, 1))
    same(without, holed().test(name, (0, 1)), 1e-10)
    assert without.n_events == 13


def test_no_event_is_a_result_with_a_reason(name: str) -> None:
    result = fitted(gone=("F00", "F01", "F02"), n=3).test(name, (0, 1))
    assert np.isnan(result.statistic)
    assert np.isnan(result.pvalue)
    assert result.n_events == 0
    assert result.distribution == ""
    assert result.reason == "no event has all days of the window"


def test_one_event_is_never_silently_missing(name: str) -> None:
    result = fitted(n=1).test(name, (0, 1))
    assert result.reason or np.isfinite(result.statistic)
    assert result.reason or STATISTICS[name].minimum == 1
    assert result.n_events == 1
    statistic, p = result
    assert np.isnan(statistic) == np.isnan(p)


def test_few_events_are_said_to_be_few(name: str) -> None:
    entry = STATISTICS[name]
    result = fitted(n=4).test(name, (0, 1))
    few = "" if entry.minimum <= 4 else f"4 events, {entry.minimum} needed to rely on it"
    assert result.reason if np.isnan(result.statistic) else result.reason == few


def test_equal_values_have_no_variance() -> None:
    fit = Market(n=4).fit().abnormal
    same = fit.take(np.array([0, 0, 0, 0]))
    for name in ("cross_sectional", "bmp", "bmp_kp", "grank_t"):
        result = STATISTICS[name](same, Window(0, 0))
        assert np.isnan(result.statistic)
        assert "no variance" in result.reason


def test_window_outside_the_event_window() -> None:
    with pytest.raises(ConfigError, match=r"\[0,9\].*\[-5,5\]"):
        Market(n=2).fit().test("bmp", (0, 9))


def test_pvalues_are_those_of_scipy() -> None:
    for df in (3.0, 39.0, np.inf):
        law = stats.norm if np.isinf(df) else stats.t(df)
        for x in (-40.0, -2.5, 0.0, 1.7, 12.0):
            assert pvalue(x, df) == pytest.approx(2 * law.sf(abs(x)), rel=1e-9)
            assert pvalue(x, df, "greater") == pytest.approx(law.sf(x), rel=1e-9)
            assert pvalue(x, df, "less") == pytest.approx(law.cdf(x), rel=1e-9)
    with pytest.raises(ConfigError, match="two-sided"):
        pvalue(1.0, 3.0, "both")  # type: ignore[arg-type]


def test_cross_sectional_and_its_interval_are_those_of_scipy(results: EventStudyResults) -> None:
    cars = results.abnormal.car(Window(-1, 1))
    ref = stats.ttest_1samp(cars, 0)
    ours = results.test("cross_sectional", (-1, 1))
    assert tuple(ours) == pytest.approx((ref.statistic, ref.pvalue), rel=1e-12)
    low, high = ref.confidence_interval(0.95)
    assert ours.confidence_interval() == pytest.approx((low, high), rel=1e-10)


def test_identities(results: EventStudyResults) -> None:
    """Jackknife of a mean, and clusters of one event each, are the cross-sectional t."""
    plain = results.test("cross_sectional", (-1, 1))
    assert tuple(results.test("jackknife", (-1, 1))) == pytest.approx(tuple(plain), rel=1e-9)
    spread = Market(n=10, seed=3, dates=10).fit()
    clustered, single = (
        spread.test("date_clustered", (0, 1)),
        spread.test("cross_sectional", (0, 1)),
    )
    assert (clustered.statistic, clustered.df) == pytest.approx(
        (single.statistic, single.df), rel=1e-9
    )


def test_exact_laws_are_those_of_scipy(results: EventStudyResults) -> None:
    car = results.abnormal.car(Window(-1, 1))
    ours = results.test("wilcoxon", (-1, 1))
    assert ours.pvalue == pytest.approx(stats.wilcoxon(car).pvalue, rel=1e-12)
    less = results.test("wilcoxon", (-1, 1), alternative="less")
    assert less.pvalue == pytest.approx(stats.wilcoxon(car, alternative="less").pvalue, rel=1e-12)


def test_sign_flips_are_a_permutation_test() -> None:
    """One event a date: the share of all 2^N sign patterns whose |t| reaches the observed one."""
    results = Market(n=8, seed=4, dates=8, effect=0.01).fit()
    car = results.abnormal.car(Window(0, 0))
    signs = np.array(np.meshgrid(*[[1, -1]] * 8)).reshape(8, -1).T
    flipped = signs * car
    t = flipped.mean(axis=1) / (flipped.std(axis=1, ddof=1) / np.sqrt(8))
    share = (np.abs(t) >= abs(stats.ttest_1samp(car, 0).statistic) - 1e-9).mean()
    assert results.test("wild_bootstrap", (0, 0)).pvalue == pytest.approx(share, rel=1e-12)


def test_dates_closer_than_the_window_flip_together() -> None:
    from eventstudy.significance import DateClusters

    fit = Market(n=12, seed=5).fit().abnormal
    day0 = np.unique(fit.windows.day0)
    assert DateClusters.merged(fit, Window(0, 0)).count == len(day0)
    gaps = np.diff(day0)
    assert DateClusters.merged(fit, Window(0, 4)).number.max() == (gaps >= 5).sum()


def test_calendar_time_of_one_event_a_session_by_hand() -> None:
    """[0,0] on twelve dates: the mean of twelve daily means, with the parameters' error."""
    fit = Market(n=12, seed=6).fit()
    car = fit.abnormal.car(Window(0, 0))
    dates = fit.abnormal.windows.day0
    daily = np.array([car[dates == d].mean() for d in np.unique(dates)])
    runs = 1 + (np.diff(np.unique(dates)) > 1).sum()
    plain = stats.ttest_1samp(daily, 0).statistic
    ours = fit.test("calendar_time", (0, 0))
    assert ours.statistic == pytest.approx(plain / np.sqrt(1 + len(daily) / runs / 110), rel=1e-12)
    assert ours.df == len(daily) - 1


def test_grank_is_the_ols_t_of_mean_ranks_on_a_dummy(results: EventStudyResults) -> None:
    import statsmodels.api as sm
    from scipy.stats import rankdata

    fit, window = results.abnormal, Window(-1, 1)
    scar = fit.scar(window)
    series = np.column_stack([fit.resid / np.sqrt(fit.sigma2)[:, None], scar / scar.std(ddof=1)])
    mean_rank = (rankdata(series, axis=1) / (series.shape[1] + 1) - 0.5).mean(axis=0)
    dummy = np.zeros(len(mean_rank))
    dummy[-1] = 1
    # U is centred by construction, so that the constant is not needed for S but is for the OLS t.
    ols = sm.OLS(mean_rank, sm.add_constant(dummy)).fit()
    ours = results.test("grank_t", window)
    assert ours.statistic == pytest.approx(ols.tvalues[1], rel=1e-9)
    assert ours.df == ols.df_resid


def test_adjustment_is_that_of_kolari_and_pynnonen_on_one_date() -> None:
    """One date, equal histories: r is the mean of the plain correlations of the residuals."""
    fit = Market(n=10, seed=15, dates=1, rho=0.4).fit()
    rho = np.corrcoef(fit.abnormal.resid)
    r = rho[np.triu_indices(10, 1)].mean()
    assert WeightedSums(fit.abnormal, Window(0, 0)).correlation.rbar == pytest.approx(r, rel=1e-9)
    assert WeightedSums(fit.abnormal, Window(0, 0)).correlation.same_date == pytest.approx(
        r, rel=1e-9
    )
    bmp, adjusted = fit.test("bmp", (0, 0)), fit.test("bmp_kp", (0, 0))
    assert adjusted.statistic == pytest.approx(
        bmp.statistic * np.sqrt((1 - r) / (1 + 9 * r)), rel=1e-9
    )


def test_overlap_of_two_events_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Constant mean, M=4, L=2, a session apart: a_i'a_j = 1.25, norms^2 = 3, o = .4167."""
    import pandas as pd

    from eventstudy.dependence.loadings import loadings_on
    from eventstudy.models import MODELS
    from eventstudy.returns import ReturnsPanel
    from eventstudy.windows import build_windows

    monkeypatch.setattr("eventstudy.models._base.SPARE_DAYS", 1)
    values = np.random.default_rng(1).standard_normal((8, 2)) * 0.01
    frame = pd.DataFrame(values, columns=["i", "j"], index=pd.bdate_range("2024-01-01", periods=8))
    panel = ReturnsPanel.from_frame(frame)
    windows = build_windows(
        panel, calendars=["data"] * 2, day0=panel.sessions[[4, 5]], rows=np.array([0, 1]),
        factor_rows=np.empty((2, 0), dtype=int), estimation=Window(-4, -1), event=Window(0, 1),
    )  # fmt: skip
    fit = MODELS["constant_mean"]().fit(windows)
    A = loadings_on(fit, Window(0, 1), np.arange(8))
    assert (A[0] ** 2).sum() == pytest.approx(3.0)
    assert A[0] @ A[1] == pytest.approx(1.25)


def test_common_sessions_are_those_of_the_pairs_that_have_any() -> None:
    market = Market(n=9, seed=2, dates=9)
    market.table["day0"] = market.frame.index[130 + 7 * np.arange(9)]
    holes = np.random.default_rng(2).random(market.frame.shape) < 0.1
    holes[:, -1] = False
    fit = market.fit(market.frame.mask(holes), estimation=(-60, -20)).abnormal
    at = fit.windows.estimation_positions
    own = [set(days[known]) for days, known in zip(at, np.isfinite(fit.resid), strict=True)]
    common = [
        len(one & other) for i, one in enumerate(own) for other in own[:i] if min(one) <= max(other)
    ]
    assert len(common) < 36, "some pairs are too far apart"
    assert mean_common_sessions(fit) == pytest.approx(np.mean(common), rel=1e-12)


def test_sums_over_sessions_agree_with_all_pairs() -> None:
    """The estimator for many events, against the exact form it approximates."""
    fit = Market(n=60, seed=16, dates=6, rho=0.3, days=220).fit().abnormal
    window = Window(-2, 2)
    exact, fast = by_pair(fit, window), by_session(fit, window)
    assert fast.same_date == pytest.approx(exact.same_date, rel=0.02)
    factor = [1 + 59 * c.rbar for c in (exact, fast)]
    assert factor[1] == pytest.approx(factor[0], rel=0.02)


@pytest.mark.slow
def test_estimation_windows_count_in_sums_over_sessions() -> None:
    """Dispersed dates: each window lies within the estimation windows of others, which cancels most
    of r."""
    market = Market(n=300, seed=1, dates=1, rho=0.3, days=600)
    market.table["day0"] = market.frame.index[150 + 4 * (np.arange(300) % 100)]
    fit, window = market.fit().abnormal, Window(-5, 5)
    exact, fast, share = (
        1 + 299 * r.rbar
        for r in (
            by_pair(fit, window),
            by_session(fit, window),
            by_session(fit.under(overlap="share"), window),
        )
    )
    assert fast == pytest.approx(exact, rel=0.03)
    assert share > 1.5 * exact


def test_never_open_together_pairs_across_days() -> None:
    """One shock seen in Shanghai a session after New York: only the lagged pairs show it."""
    market = Market(n=8, seed=17, dates=1, rho=0.6, days=200)
    late = [f"F{i:02d}" for i in range(4, 8)]
    market.frame[late] = market.frame[late].shift(1)
    market.frame["MKT"] = np.random.default_rng(3).standard_normal(200) * 0.01
    fit = market.fit().abnormal
    window = Window(0, 1)
    hours = np.array([[14.5, 21.0]] * 4 + [[1.5, 7.0]] * 4)
    apart = fit.as_study(windows=fit.windows.altered(hours=hours))
    r = by_pair(apart, window).rbar
    assert r > by_pair(fit, window).rbar + 0.05
    # A third market that is open on more days does not stand between the sessions of the other two.
    columns = apart.windows.positions
    wide = apart.windows.altered(
        positions=np.where(columns >= 0, 2 * columns, -1),
        day0=2 * apart.windows.day0,
        calendars=(2 * apart.windows.calendars[0], np.arange(2 * len(apart.windows.sessions))),
    )  # fmt: skip
    assert by_pair(apart.as_study(windows=wide), window).rbar == pytest.approx(r, rel=1e-12)


def test_moves_that_come_with_the_next_trade_count_at_lags_of_a_session() -> None:
    """One firm does not trade on every third day: its pairs sum three plain correlations."""
    market = Market(n=5, seed=15, dates=1, rho=0.5)
    late = market.frame["F00"].where(np.arange(len(market.frame)) % 3 > 0, 0.0)
    late[late == 0] = 0.0
    late[1::3] += market.frame["F00"].to_numpy()[0::3][: len(late[1::3])]
    market.frame["F00"] = late
    fit = market.fit().abnormal
    e = fit.resid
    rho = np.corrcoef(e)
    ahead = np.corrcoef(e[:, :-1], e[:, 1:])[:5, 5:]
    rho[0, 1:] += (ahead + ahead.T)[0, 1:]
    r = (rho[0, 1:].sum() + rho[1:, 1:][np.triu_indices(4, 1)].sum()) / 10
    assert WeightedSums(fit, Window(0, 0)).correlation.rbar == pytest.approx(r, rel=1e-9)
    assert abs(rho[0, 1:].mean() - np.corrcoef(e)[0, 1:].mean()) > 0.05


def test_one_event_of_each_of_two_exchanges_is_not_lost_among_many() -> None:
    """Above the limit of pairs the lags are still there."""
    market = Market(n=8, seed=17, dates=1, rho=0.6)
    fit = market.fit().abnormal
    hours = np.array([[14.5, 21.0]] * 4 + [[1.5, 7.0]] * 4)
    apart = fit.as_study(windows=fit.windows.altered(hours=hours))
    exact = by_pair(apart, Window(0, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Limits, "PAIRWISE", 4)
        many = WeightedSums(apart, Window(0, 1)).correlation
        assert 1 + 7 * many.rbar == pytest.approx(1 + 7 * exact.rbar, rel=0.1)
        assert abs(many.rbar - by_session(fit.as_study(), Window(0, 1)).rbar) > 0.01
        together = fit.as_study()
        assert WeightedSums(together, Window(0, 1)).correlation == by_session(
            together, Window(0, 1)
        )


def test_news_of_a_shut_week_meets_the_session_on_which_the_other_exchange_opens() -> None:
    """New York trades through a week in which Shanghai is shut: every pair of neighbours, one by
    one."""
    from eventstudy.dependence.loadings import loadings_on

    fit = Market(n=6, seed=18, dates=1, rho=0.5, days=200).fit().abnormal
    far, T = np.arange(3, 6), len(fit.windows.sessions)
    day0 = int(fit.windows.day0[0])
    # Shanghai's sessions up to the day before day 0 stay, those from day 0 on come five sessions
    # later.
    later = np.r_[np.arange(day0), np.arange(day0 + 5, T + 5)]
    positions = fit.windows.positions.copy()
    positions[far] = later[positions[far]]
    windows = fit.windows.altered(
        positions=positions, hours=np.array([[14.5, 21.0]] * 3 + [[1.5, 7.0]] * 3),
        calendar=np.array([0, 0, 0, 1, 1, 1]), calendars=(np.arange(T + 5), later),
        sessions=np.arange(T + 5).astype("datetime64[D]"),
        day0=np.where(np.arange(6) < 3, day0, later[day0]),
    )  # fmt: skip
    apart, window = fit.as_study(windows=windows), Window(0, 0)
    A = loadings_on(apart, window, np.arange(T + 5))
    norm = np.sqrt((A**2).sum(axis=1))
    residuals = np.full((6, T + 5), np.nan)
    for i in range(6):
        residuals[i, positions[i, : fit.resid.shape[1]]] = fit.resid[i]

    def rho_o(i: int, j: int, pairs: list[tuple[int, int]]) -> float:
        o = sum(A[i, s] * A[j, u] for s, u in pairs) / norm[i] / norm[j]
        known = [(s, u) for s, u in pairs if np.isfinite(residuals[i, s] + residuals[j, u])]
        x, y = (
            np.array(v)
            for v in zip(*[(residuals[i, s], residuals[j, u]) for s, u in known], strict=True)
        )
        return float(np.corrcoef(x, y)[0, 1] * o)

    here, there = list(range(T + 5)), [int(s) for s in later]
    after = [(s, min(u for u in there if u > s)) for s in here if s < there[-1]]
    before = [(min(s for s in here if s > u), u) for u in there if u < here[-1]]
    same = [(s, s) for s in here]
    total = sum(rho_o(i, j, same) for i in range(6) for j in range(i + 1, 6))
    total += sum(
        rho_o(i, j, pairs) for i in range(3) for j in range(3, 6) for pairs in (after, before)
    )
    assert by_pair(apart, window).rbar == pytest.approx(total / 15, rel=1e-9)
    assert (day0, int(later[day0])) in after, "the reopening follows day 0 in New York"


@pytest.mark.parametrize("name", [[(0, 1)], None, 3])
def test_what_is_no_name_is_named_as_such(name: object) -> None:
    with pytest.raises(ConfigError, match="unknown test"):
        STATISTICS[name]  # type: ignore[index]
