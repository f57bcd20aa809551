"""Weighted means and dollar losses: reference numbers, hand computation, properties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from scipy import stats
from test_reference import CLOSE, HERE, large_windows, read, windows_of

from eventstudy.analysis import dollar_loss, weighted_caar
from eventstudy.analysis.over_time.weights import aggregates
from eventstudy.calendars import Window
from eventstudy.dependence import Limits, WeightedSums
from eventstudy.dependence.pair_sums import join, layers
from eventstudy.errors import ConfigError
from eventstudy.models import MODELS
from eventstudy.returns import ReturnsPanel
from eventstudy.studies import EventStudyResults

W = Window(-1, 1)


def results_of(abnormal: Any, mcap: Any, frame: pd.DataFrame) -> EventStudyResults:
    ids = [f"e{i}" for i in range(len(abnormal))]
    events = pd.DataFrame({"event_id": ids, "ticker": ids, "status": "ok", "mcap": mcap})
    return EventStudyResults(
        abnormal, events, ReturnsPanel.from_frame(frame), MODELS["market"](), "batch"
    )


@pytest.fixture(scope="module")
def tiny() -> dict[str, Any]:
    return read("worked_example.json")


def tiny_results(tiny: dict[str, Any], mcap: Any) -> EventStudyResults:
    returns = np.insert(
        np.hstack([tiny["estimation"]["ret"], tiny["event"]["ret"]]).T, 8, np.nan, axis=0
    )
    index = pd.bdate_range("2024-01-01", periods=12)
    mkt = np.insert(np.r_[tiny["estimation"]["mkt"], tiny["event"]["mkt"]], 8, 0.5)
    frame = pd.DataFrame(returns, columns=tiny["firms"], index=index).assign(mkt=mkt)
    windows = windows_of(frame, tiny["firms"], [index[10]] * 3, Window(-10, -3), Window(-1, 1))
    return results_of(MODELS["market"]().fit(windows), mcap, frame)


@pytest.fixture(scope="module")
def large() -> EventStudyResults:
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    frame = long.pivot_table(index="date", columns="firm", values="ret")
    mcap = long.drop_duplicates("firm")["mcap"].to_numpy()
    return results_of(MODELS["market"]().fit(large_windows()), mcap, frame)


def check(results: EventStudyResults, window: Window, ref: dict[str, Any]) -> None:
    equal, value, precision = (
        weighted_caar(results, window, w) for w in ("equal", "value", "precision")
    )
    loss = dollar_loss(results, window)
    np.testing.assert_allclose(
        equal.estimate / equal.se_independent, ref["mackinlay_J1"]["stat"], **CLOSE
    )
    np.testing.assert_allclose(value.estimate, ref["CAAR_value_weighted"], **CLOSE)
    np.testing.assert_allclose(precision.estimate, ref["CAAR_precision_weighted"], **CLOSE)
    np.testing.assert_allclose(
        precision.estimate / precision.se_independent, ref["z_precision_weighted"], **CLOSE
    )
    np.testing.assert_allclose(loss.events["adl"], ref["dollar"], **CLOSE)
    np.testing.assert_allclose(loss.total, ref["dollar_total"], **CLOSE)
    np.testing.assert_allclose(loss.se_independent, ref["dollar_se_independent"], **CLOSE)


@pytest.mark.parametrize("text", ["[-1,-1]", "[0,0]", "[1,1]", "[0,1]", "[-1,1]"])
def test_tiny_reference(tiny: dict[str, Any], text: str) -> None:
    check(tiny_results(tiny, tiny["mcap"]), Window.of(text), tiny["windows"][text]["aggregate"])


@pytest.mark.parametrize("text", ["[0,0]", "[1,1]", "[0,1]", "[-1,1]", "[-5,-1]", "[-5,5]"])
def test_large_reference(large: EventStudyResults, text: str) -> None:
    check(large, Window.of(text), read("large_example.json")["windows"][text]["aggregate"])


def test_tiny_correlated_errors_by_hand(tiny: dict[str, Any]) -> None:
    """Printed numbers: kappa .673 counts as 1, so that it does not shrink the standard error."""
    results = tiny_results(tiny, [100.0, 200.0, 300.0])
    loss, mean = results.dollar_loss((-1, 1)), results.weighted((-1, 1), "value")
    assert (loss.total, loss.se, loss.se_independent) == pytest.approx(
        (-15.7, 6.5066312, 5.773214), abs=5e-8
    )
    assert loss.kappa == pytest.approx(0.673, abs=5e-4)
    assert (mean.estimate, mean.se) == pytest.approx((-0.0261667, 0.0108444), abs=5e-8)
    assert loss.ci_high - loss.total == pytest.approx(1.959963985 * loss.se)
    assert mean.ci_low == pytest.approx(loss.ci_low / 600)


def test_correlated_errors_by_a_second_route(large: EventStudyResults) -> None:
    """Om from pandas correlations of residuals by date and loadings from a pseudo-inverse; kappa >
    1."""
    a, window = large.abnormal, Window(0, 0)
    residuals, loadings = [], []
    for i, x0 in enumerate(a.x_event[:, 5]):
        index = a.windows.positions[i]
        estimation = pd.Series(-x0 @ np.linalg.pinv(a.x_estimation[i]), index=index[:120])
        loadings.append(pd.concat([estimation, pd.Series([1.0], index=[a.windows.day0[i]])]))
        residuals.append(pd.Series(a.resid[i], index=index[:120]))
    rho = pd.concat(residuals, axis=1).corr(min_periods=30)
    load = pd.concat(loadings, axis=1).fillna(0.0).to_numpy()
    cosine = load.T @ load / np.outer(np.linalg.norm(load, axis=0), np.linalg.norm(load, axis=0))
    filled = rho.fillna(
        rho.where(~np.eye(40, dtype=bool) & (np.abs(cosine) > 1e-10)).stack().mean()
    )
    product = filled.to_numpy() * cosine
    sd = np.linalg.norm(load, axis=0) * np.sqrt(a.sigma2)
    mean = weighted_caar(large, window)
    kappa = (a.car(window) / sd).var(ddof=1) / (1 - product[np.triu_indices(40, 1)].mean())
    assert kappa > 1
    assert mean.kappa == pytest.approx(kappa, rel=1e-9)
    assert mean.se == pytest.approx(
        np.sqrt(kappa * (np.outer(sd, sd) * product).sum()) / 40, rel=1e-9
    )


@pytest.mark.parametrize("text", ["[0,0]", "[-5,5]"])
def test_matrix_of_correlations_has_the_mean_of_the_tests(
    large: EventStudyResults, text: str
) -> None:
    ref = read("large_example.json")["windows"][text]["rbar"]
    matrix = join(layers(large.abnormal, Window.of(text)))
    n = len(matrix)
    np.testing.assert_array_equal(matrix.diagonal(), 1.0)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-15)
    assert (matrix.sum() - n) / (n * (n - 1)) == pytest.approx(ref, rel=1e-9)


def test_matrix_fills_pairs_with_too_few_common_days(
    large: EventStudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More common days asked for than dispersed dates have: those pairs take the mean of the
    others."""
    monkeypatch.setattr(Limits, "COMMON", 110)
    matrix = join(layers(large.abnormal, Window(-5, 5)))
    r = WeightedSums(large.abnormal, Window(-5, 5)).correlation
    n = len(matrix)
    assert r.filled > 0
    assert (matrix.sum() - n) / (n * (n - 1)) == pytest.approx(r.rbar, rel=1e-9)


def test_matrix_pairs_exchanges_that_are_never_open_together_at_lags() -> None:

    a = Market(8, rho=0.4, dates=2).fit().abnormal
    hours = np.where(np.arange(8)[:, None] < 4, (1.0, 7.0), (14.0, 20.0))
    apart = a.as_study(windows=a.windows.altered(hours=hours))
    matrix = join(layers(apart, Window(-3, 3)))
    assert (matrix.sum() - 8) / 56 == pytest.approx(
        WeightedSums(apart, Window(-3, 3)).correlation.rbar
    )
    assert not np.allclose(matrix, join(layers(a, Window(-3, 3))))


def test_above_the_limit_every_pair_has_the_mean(
    large: EventStudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = weighted_caar(large, W).se
    monkeypatch.setattr(Limits, "PAIRWISE", 10)
    assert weighted_caar(large, W).se == pytest.approx(exact, rel=0.01)
    assert weighted_caar(large, W).se != exact


def market_results(mcap: Any) -> EventStudyResults:
    market = Market(12, rho=0.2, dates=6)
    market.table["mcap"] = mcap
    return market.fit()


def test_events_without_a_market_value_are_named() -> None:
    full = market_results([str(100 + i) for i in range(12)])
    some = market_results(
        [*map(str, range(100, 105)), "", "n/a", "0", "-3", *map(str, range(109, 112))]
    )
    mean = some.weighted((0, 1), "value")
    assert mean.n_events == 8
    assert mean.reason == "no positive mcap: e5, e6, e7, e8"
    rest = full.subset(np.r_[0:5, 9:12]).weighted((0, 1), "value")
    assert (mean.estimate, mean.se) == pytest.approx((rest.estimate, rest.se), rel=1e-6)
    none = market_results([""] * 12).dollar_loss((0, 1))
    assert np.isnan(none.total)
    assert none.reason == "no positive mcap: e0, e1, e2, e3, e4 and 7 more"
    assert str(none) == f"abnormal change of market value[0,1] of 0; {none.reason}"


def test_events_that_lack_days_of_the_window_have_no_weight() -> None:
    market = Market(12, dates=6)
    market.table["mcap"] = "10"
    market.frame.loc[market.table["day0"].iloc[3], "F03"] = np.nan
    results = market.fit()
    assert results.weighted((0, 0), "value").n_events == 11
    assert "e3" not in set(results.dollar_loss((0, 0)).events["event_id"])
    assert results.weighted((0, 0), "value").reason == ""


def test_scale_of_returns_and_of_money() -> None:
    small = market_results(np.arange(1.0, 13.0))
    market = Market(12, rho=0.2, dates=6)
    market.table["mcap"] = np.arange(1.0, 13.0) * 1000
    twice = market.fit(market.frame / 2)
    for name in ("equal", "value", "precision"):
        one, other = small.weighted((0, 1), name), twice.weighted((0, 1), name)
        assert other.statistic == pytest.approx(one.statistic)
        assert other.estimate == pytest.approx(one.estimate / 2)
    assert twice.dollar_loss((0, 1)).se == pytest.approx(500 * small.dollar_loss((0, 1)).se)


def test_order_of_events_is_irrelevant() -> None:
    results = market_results(np.arange(1.0, 13.0))
    order = np.random.default_rng(5).permutation(12)
    for name in ("equal", "value", "precision"):
        one, other = results.weighted((0, 1), name), results.subset(order).weighted((0, 1), name)
        assert (one.estimate, one.se) == pytest.approx((other.estimate, other.se))


def test_no_event_has_a_reason() -> None:
    results = Market(4).fit()
    nobody = results.subset(np.zeros(4, dtype=bool)).weighted((0, 1), "precision")
    assert str(nobody) == "precision-weighted CAAR[0,1] of 0; no event has all days of the window"
    assert np.isnan([nobody.estimate, nobody.se, nobody.se_independent]).all()


def test_one_event_is_the_single_event_t() -> None:
    single = market_results(np.full(12, 7.0)).subset(np.array([2]))
    mean, car = single.weighted((0, 1), "value"), single.car([(0, 1)])
    assert (mean.estimate, mean.se) == pytest.approx((car["car"][0], car["se"][0]))
    assert np.isnan(mean.kappa)
    assert "), t = " in str(mean)
    law = stats.t(single.abnormal.df_resid[0])
    assert mean.pvalue == pytest.approx(2 * law.sf(abs(mean.statistic)))


def test_law_of_an_estimated_variance() -> None:
    """A variance that is taken from N events has N - 1 degrees of freedom; one of estimation days
    many."""
    rng, laws = np.random.default_rng(2), set()
    for factor in (0.2, 1.0, 4.0):
        market = Market(n=6, seed=int(rng.integers(99)))
        for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
            own = market.frame.loc[day, ticker] - market.frame.loc[day, "MKT"]
            market.frame.loc[day, ticker] = market.frame.loc[day, "MKT"] + factor * own
        found = market.fit().weighted((0, 0))
        law = stats.t(5) if found.kappa > 1 else stats.norm()
        laws.add(found.kappa > 1)
        assert f"{'t' if found.kappa > 1 else 'z'} = " in str(found)
        assert found.pvalue == pytest.approx(2 * law.sf(abs(found.statistic)), rel=1e-9)
        half = law.ppf(0.975) * found.se
        assert (found.ci_low, found.ci_high) == pytest.approx(
            (found.estimate - half, found.estimate + half)
        )
    assert laws == {True, False}


def test_contradicting_correlations_have_a_reason() -> None:
    """Two firms with opposite residuals: their sum has no variance."""
    market = Market(2, dates=1)
    beta = 1.0
    noise = market.frame["F00"] - beta * market.frame["MKT"]
    market.frame["F01"] = beta * market.frame["MKT"] - noise
    market.table["mcap"] = 1.0
    results = market.fit()
    mean = results.weighted((0, 0))
    assert np.isnan(mean.se)
    assert mean.reason.startswith("w'Om w is not positive")
    assert np.isfinite([mean.estimate, mean.se_independent]).all()


def test_wishes_that_cannot_be_met() -> None:
    results = market_results(np.ones(12))
    with pytest.raises(ConfigError, match="did you mean 'precision'"):
        results.weighted((0, 1), "precison")
    with pytest.raises(ConfigError, match="did you mean 'mcap'"):
        results.dollar_loss((0, 1), "mcapp")


def test_table_of_a_run() -> None:
    with_value = aggregates(market_results(np.ones(12)), [(0, 0), (0, 1)])
    assert list(with_value["weights"]) == ["equal", "value", "precision"] * 2
    assert list(with_value.columns[:4]) == ["start", "stop", "weights", "n_events"]
    equal, value = with_value.iloc[0, 3:], with_value.iloc[1, 3:]
    np.testing.assert_allclose(equal[:-1].astype(float), value[:-1].astype(float))
    assert set(aggregates(Market(12).fit())["weights"]) == {"equal", "precision"}


def test_covariances_of_several_sums_are_those_of_the_matrix_of_all_pairs(
    large: EventStudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of few events all at once, of very many piece by piece; and one sum is a column of them."""
    window, n = Window(-5, 5), len(large.abnormal)
    weights = np.random.default_rng(4).normal(size=(n, 3))
    expected = weights.T @ join(layers(large.abnormal, window)) @ weights
    np.testing.assert_allclose(
        WeightedSums(large.abnormal, window).variance(weights), expected, rtol=1e-12
    )
    alone = WeightedSums(large.abnormal, window).variance(weights[:, 1])
    assert float(alone) == pytest.approx(expected[1, 1], rel=1e-12)
    monkeypatch.setattr(Limits, "PAIRWISE", 16)
    many = large.abnormal.take(slice(None)).as_study()
    np.testing.assert_allclose(WeightedSums(many, window).variance(weights), expected, rtol=1e-12)
