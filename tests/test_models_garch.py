"""Models of variance: the recursion, the forecasts, and what happens without an optimum."""

from __future__ import annotations

import functools
import json
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from test_reference import CLOSE, HERE

from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Window
from eventstudy.errors import ConfigError
from eventstudy.models import MODELS
from eventstudy.models._base import noise
from eventstudy.returns import ReturnsPanel
from eventstudy.windows import EventWindows, build_windows

VARIANCE = ["garch", "gjr", "egarch"]
OMEGA, ALPHA, BETA = 2e-5, 0.1, 0.85
LONG_RUN = OMEGA / (1 - ALPHA - BETA)


def simulated(days: int, n: int = 1, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return market (days,), firms (days, n) with GARCH(1,1) errors, and the variances (days,
    n)."""
    rng = np.random.default_rng(seed)
    h, e = np.full((days, n), LONG_RUN), np.zeros((days, n))
    z = rng.standard_normal((days, n))
    for t in range(days):
        if t:
            h[t] = OMEGA + ALPHA * e[t - 1] ** 2 + BETA * h[t - 1]
        e[t] = np.sqrt(h[t]) * z[t]
    mkt = rng.standard_normal(days) * 0.01
    return mkt, 0.0005 + 1.1 * mkt[:, None] + e, h


def laid_out(mkt: np.ndarray, firms: np.ndarray, estimation: Window, event: Window) -> EventWindows:
    """Return windows with day 0 such that the event window ends with the data."""
    n, days = firms.shape[1], len(mkt)
    sessions = np.datetime64("2000-01-03") + np.arange(days)
    values = np.vstack([firms.T, mkt])
    spans = np.zeros(values.shape, np.int64)
    for row, own in zip(values, spans, strict=True):
        seen = np.flatnonzero(np.isfinite(row))
        own[seen] = np.diff(seen, prepend=-1)
    panel = ReturnsPanel(
        keys=(*((f"F{i}", "data") for i in range(n)), ("M", "data")), values=values,
        spans=spans, sessions=sessions, calendars={"data": np.arange(days)},
    )  # fmt: skip
    return build_windows(
        panel, calendars=["data"] * n, day0=sessions[[days - 1 - event.stop] * n],
        rows=np.arange(n),
        factor_rows=np.full((n, 1), n), estimation=estimation, event=event,
    )  # fmt: skip


@functools.cache
def long_series() -> tuple[AbnormalReturns, np.ndarray]:
    mkt, firms, h = simulated(2400)
    return MODELS["garch"]().fit(laid_out(mkt, firms, Window(-2000, -1), Window(0, 399))), h[:, 0]


def test_recursion_with_given_parameters() -> None:
    """The reference starts at h_1 = mean e^2: the value before the first day is chosen to that
    end."""
    import statsmodels.api as sm
    from arch.univariate import GARCH

    ref = json.loads((HERE / "large_example.json").read_text(encoding="utf-8"))["F00_estimators"]
    ref = ref["garch_fixed_params"]
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz")
    past = long[(long["firm"] == "F00") & long["tau"].between(-130, -11)]
    fit = sm.OLS(past["ret"].to_numpy(), sm.add_constant(past["mkt"].to_numpy())).fit()
    e, a, b = fit.resid, ref["alpha"], ref["beta"]
    w = 0.05 * fit.scale
    before = ((e**2).mean() - w) / (a + b)
    h = np.empty(len(e))
    wide = np.tile([0.0, np.inf], (len(e), 1))
    GARCH(p=1, q=1).compute_variance(np.array([w, a, b]), e, h, before, wide)
    assert h[0] == pytest.approx((e**2).mean(), rel=1e-12)
    np.testing.assert_allclose(h[-1], ref["h_last"], **CLOSE)
    np.testing.assert_allclose(w + a * e[-1] ** 2 + b * h[-1], ref["h_next"], **CLOSE)
    np.testing.assert_allclose(
        -0.5 * (np.log(2 * np.pi * h) + e**2 / h).sum(), ref["loglik"], **CLOSE
    )


def test_estimates_and_forecasts_of_a_long_series() -> None:
    fit, h = long_series()
    assert fit.remark[0] == ""
    np.testing.assert_allclose(fit.params[0], [0.0005, 1.1], atol=0.1)
    assert fit.params[0, 1] == pytest.approx(1.1, abs=4 * np.sqrt(fit.cov_params[0, 1, 1]))
    assert fit.noise[0, 0] == pytest.approx(h[2000], rel=0.25)
    ahead = fit.noise[0]
    assert ahead[-1] == pytest.approx(LONG_RUN, rel=0.25), "forecasts tend to the long-run variance"
    gaps = np.diff(ahead)
    persistence = gaps[1:30] / gaps[:29]
    np.testing.assert_allclose(persistence, persistence[0], rtol=1e-6)
    assert persistence[0] == pytest.approx(ALPHA + BETA, abs=0.04)


def test_least_squares_would_be_less_precise() -> None:
    """Maximum likelihood weighs calm days more; its standard error of beta is the smaller one."""
    fit, _ = long_series()
    plain = MODELS["market"]().fit(fit.windows)
    assert fit.cov_params[0, 1, 1] < plain.cov_params[0, 1, 1]
    assert fit.params[0, 1] != plain.params[0, 1]


def test_returns_over_several_sessions_sum_the_forecasts() -> None:
    fit, _ = long_series()
    other = MODELS["garch"]().fit(laid_out(*_with_halt(), Window(-2000, -1), Window(0, 399)))
    at = 5
    np.testing.assert_array_equal(other.spans[0, at - 2 : at + 1], [0, 0, 3])
    assert other.noise[0, at] == pytest.approx(fit.noise[0, at - 2 : at + 1].sum(), rel=1e-12)
    assert other.noise[0, at - 1] == 0.0
    x = other.x_event[0, at]
    assert x[0] == 3.0
    assert other.var_ar[0, at] == pytest.approx(
        other.noise[0, at] + x @ other.cov_params[0] @ x, rel=1e-12
    )


def _with_halt() -> tuple[np.ndarray, np.ndarray]:
    """Return the long series, its firm halted on days 3 and 4 of the event window."""
    mkt, firms, _ = simulated(2400)
    halted = firms.copy()
    halted[2003:2005] = np.nan
    return mkt, halted


def test_forecasts_count_from_the_last_complete_day() -> None:
    """Days missing at the end of the estimation window lie between it and the first forecast."""
    mkt, firms, _ = simulated(700)
    gone = firms.copy()
    gone[590:600] = np.nan
    one = MODELS["garch"]().fit(laid_out(mkt, gone, Window(-500, -1), Window(0, 99)))
    other = MODELS["garch"]().fit(laid_out(mkt, firms, Window(-500, -11), Window(0, 99)))
    assert one.nobs[0] == other.nobs[0] == 490
    assert one.spans[0, 0] == 0, "the return of day 0 began before the event window"
    np.testing.assert_allclose(one.noise[0, 1:], other.noise[0, 1:], rtol=1e-9)


def test_spans_of_forecasts_by_hand() -> None:
    ols = MODELS["market"]().fit(laid_out(*simulated(120)[:2], Window(-100, -1), Window(0, 3)))
    from dataclasses import replace

    from eventstudy.models import batch

    y, X = ols.windows.returns[:, :100], ols.x_estimation
    fit = replace(batch(y, X, np.isfinite(y)), forecast=np.array([[1.0, 2.0, 4.0, 8.0]]))
    two, one = np.array([[1, 0, 2, 1]]), np.array([[1, 1, 1, 1]])
    np.testing.assert_array_equal(noise(fit, two, two), [[1, 0, 6, 8]])
    np.testing.assert_array_equal(noise(fit, one, one), [[1, 2, 4, 8]])
    # A halt of forty sessions that has left the clock is one day of it.
    np.testing.assert_array_equal(noise(fit, one, np.array([[1, 40, 1, 1]])), [[1, 80, 4, 8]])


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANCE)
def test_standardised_abnormal_returns_have_unit_variance(name: str) -> None:
    """150 events after 400 days of GARCH errors; their variances differ by a factor of four."""
    n = 150 if name == "garch" else 60
    mkt, firms, h = simulated(401, n, seed=5)
    fit = MODELS[name]().fit(laid_out(mkt, firms, Window(-400, -1), Window(0, 0)))
    assert h[400].max() / h[400].min() > 4
    kept = fit.remark == ""
    assert kept.mean() > 0.7
    assert fit.sar[kept, 0].var() == pytest.approx(1, abs=4 * np.sqrt(2 / kept.sum()))
    # A model that did not see the variance of the day would have AR/sd and h unrelated.
    own, day = fit.noise[kept, 0], h[400, kept]
    assert np.corrcoef(np.log(own), np.log(day))[0, 1] > 0.7


@pytest.mark.parametrize("name", VARIANCE)
def test_no_optimum_falls_back_to_least_squares_and_says_so(name: str) -> None:
    """Errors of constant variance leave nothing to find for some events."""
    market = Market(n=12, seed=1)
    results, plain = market.fit(model=name), market.fit()
    fit, ols = results.abnormal, plain.abnormal
    back = fit.remark != ""
    assert back.sum() > 0, "some event falls back"
    assert set(fit.remark[back]) == {f"least squares in place of {name}"}
    np.testing.assert_array_equal(results.events["flags"].str.contains("fallback_model"), back)
    np.testing.assert_allclose(fit.ar[back], ols.ar[back], rtol=1e-9)
    np.testing.assert_allclose(fit.var_ar[back], ols.var_ar[back], rtol=1e-9)


def test_simulated_forecasts_are_the_same_each_time() -> None:
    market = Market(n=4, seed=1)
    one, other = market.fit(model="egarch").abnormal, market.fit(model="egarch").abnormal
    assert (one.remark == "").any()
    np.testing.assert_array_equal(one.noise, other.noise)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(ConfigError, match=r"need the package arch; .* install .*arch$"):
        Market(n=2).fit(model="garch")
