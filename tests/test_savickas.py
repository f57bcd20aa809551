"""The event dummy in the mean and the variance of a GARCH model, against the package arch and by
hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_models_garch import laid_out, simulated

from eventstudy.abnormal.abnormal_returns import AbnormalReturns
from eventstudy.calendars.window import Window
from eventstudy.models import MODELS
from eventstudy.significance import STATISTICS
from eventstudy.significance.variances import (
    _climb,
    _starts,
    filter_variances,
    find_errors,
    fit_series,
    loglik,
    series_of,
)
from eventstudy.utility.blas import one_thread


def garch_fit(n: int = 6, gap: int = 0, seed: int = 5, model: str = "garch") -> AbnormalReturns:
    mkt, firms, _ = simulated(606 + gap, n=n, seed=seed)
    return MODELS[model]().fit(laid_out(mkt, firms, Window(-600 - gap, -1 - gap), Window(0, 5)))


def test_single_day_agrees_with_the_package_arch() -> None:
    """Without a gap it is arch's regression with a dummy as a second regressor."""
    from arch import arch_model

    fit = garch_fit()
    for i in range(3):
        series, _ = series_of(fit, i, Window(0, 0))
        x = pd.DataFrame({"beta": series.market, "gamma": np.arange(len(series.y)) == series.first})
        model = arch_model(pd.Series(series.y), x=x.astype(float), mean="LS", rescale=False)
        theirs = model.fit(disp="off", backcast=series.backcast, tol=1e-12)
        ours = fit_series(series)
        assert ours is not None
        assert ours[6] == 0.0
        constant = -0.5 * len(series.y) * np.log(2 * np.pi)
        assert loglik(ours, series) + constant == pytest.approx(theirs.loglikelihood, abs=1e-3)
        np.testing.assert_allclose(ours[:6], theirs.params.to_numpy(), rtol=0.02, atol=0.01)
        h = np.asarray(theirs.conditional_volatility) ** 2
        np.testing.assert_allclose(filter_variances(ours, series), h, rtol=0.02)


def by_hand(
    theta: np.ndarray, y, market, m, gap: int, first: int, backcast: float
) -> tuple[list, float]:  # type: ignore[no-untyped-def, type-arg]
    alpha, beta, gamma, w, a, b, d = theta
    h, e2, found, total = backcast, backcast, [], 0.0
    for t in range(len(y)):
        if t == first:
            for _ in range(gap):
                h = w + a * e2 + b * h
                e2 = h
        event = t >= first
        h = w + a * e2 + b * h + d * event
        e = y[t] - (alpha + gamma * event) * m[t] - beta * market[t]
        e2 = e**2 / m[t]
        found.append(h)
        total += stats.norm.logpdf(e, scale=np.sqrt(m[t] * h))
    return found, total


def test_likelihood_by_hand() -> None:
    fit = garch_fit(gap=7)
    series, scale = series_of(fit, 1, Window(1, 4))
    assert (series.gap, series.first, len(series.y)) == (8, 600, 604)
    series.sessions[-1] = 3.0
    theta = np.array([0.05, 0.9, -0.4, 0.1, 0.12, 0.8, 0.6])
    h, total = by_hand(theta, *series)
    np.testing.assert_allclose(filter_variances(theta, series), h, rtol=1e-10)
    constant = -0.5 * (len(series.y) * np.log(2 * np.pi))
    assert loglik(theta, series) + constant == pytest.approx(total, rel=1e-10)
    again = (find_errors(theta, series) + series.y * 0) * scale
    assert np.isfinite(again).all()


def test_optimum_of_a_window_is_one() -> None:
    """No step from it, in any direction that is allowed, has a higher likelihood."""
    fit = garch_fit(gap=3)
    rng = np.random.default_rng(0)
    for i in range(4):
        series, _ = series_of(fit, i, Window(0, 4))
        best = fit_series(series)
        assert best is not None
        top = loglik(best, series)
        for _ in range(200):
            other = best + rng.standard_normal(7) * np.array(
                [0.02, 0.02, 0.1, 0.02, 0.02, 0.02, 0.1]
            )
            other[3:] = np.maximum(other[3:], 1e-6)
            if other[4] + other[5] < 1:
                assert loglik(other, series) <= top + 1e-5


def test_no_start_leads_higher() -> None:
    """Every start climbed to its end, for windows whose likelihood has several hills."""
    fit = garch_fit(n=10, seed=8)
    for i in range(10):
        series, _ = series_of(fit, i, Window(0, 5))
        best = fit_series(series)
        ends = [_climb(start, series, 500) for start in _starts(series)]
        top = max(loglik(theta, series) for theta, done in ends if done)
        assert best is not None
        assert loglik(best, series) >= top - 0.02


def test_statistic_is_the_t_of_the_scaled_dummies() -> None:
    fit, window = garch_fit(n=8), Window(0, 2)
    s = []
    # On a flat top the last bits of a product decide where the climb ends.
    with one_thread():
        for i in range(8):
            series, _ = series_of(fit, i, window)
            theta = fit_series(series)
            assert theta is not None
            s.append(3 * theta[2] / np.sqrt(filter_variances(theta, series)[-3:].sum()))
    found = STATISTICS["savickas"](fit, window)
    expected = stats.ttest_1samp(s, 0.0)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert found.pvalue == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.reason == ""
    part = STATISTICS["savickas"](fit.take(np.arange(6)), window)
    assert part.statistic == pytest.approx(stats.ttest_1samp(s[:6], 0.0).statistic, rel=1e-9)


def test_other_models_give_a_reason() -> None:
    found = STATISTICS["savickas"](garch_fit(model="market"), Window(0, 0))
    assert np.isnan(found.statistic)
    assert "--model garch" in found.reason


def test_events_without_an_optimum_enter_by_least_squares_and_are_counted() -> None:
    fit = garch_fit()
    fit.remark[2] = "least squares in place of garch"
    found = STATISTICS["savickas"](fit, Window(0, 0))
    assert np.isfinite(found.statistic)
    assert found.reason.startswith("1 of 6 events were fitted by least squares")
