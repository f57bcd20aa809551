"""Trade-to-trade returns, by hand and by weighted least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import Market

from eventstudy.calendars import Window
from eventstudy.models import MODELS
from eventstudy.returns import ReturnsPanel
from eventstudy.windows import build_windows

W = Window(-1, 1)


def thin(seed: int = 31) -> tuple[Any, Any, np.ndarray, np.ndarray, np.ndarray]:
    """Return both fits of one thin firm, and its returns, spans and market sums."""
    rng = np.random.default_rng(seed)
    mkt = rng.standard_normal(90) * 0.01
    daily = 0.001 + 1.3 * mkt + rng.standard_normal(90) * 0.02
    traded = rng.random(90) < 0.6
    traded[[0, 78, 79, 85]] = True
    traded[[80, 81]] = False
    ret, sums, spans = np.full(90, np.nan), np.full(90, np.nan), np.zeros(90, np.int64)
    last = -1
    for t in np.flatnonzero(traded):
        ret[t], sums[t], spans[t] = (
            np.expm1(np.log1p(daily[last + 1 : t + 1]).sum()),
            mkt[last + 1 : t + 1].sum(),
            t - last,
        )
        last = t
    sessions = pd.bdate_range("2024-01-01", periods=90).to_numpy().astype("datetime64[D]")
    panel = ReturnsPanel(
        keys=(("A", "data"), ("M", "data")), values=np.vstack([ret, mkt]),
        spans=np.vstack([spans, np.ones(90, int)]), sessions=sessions,
        calendars={"data": np.arange(90)},
    )  # fmt: skip
    model = MODELS["trade_to_trade"]()
    windows = build_windows(
        panel, calendars=["data"], day0=sessions[[80]], rows=np.array([0]),
        factor_rows=np.array([[1]]),
        estimation=Window(-80, -3), event=Window(-1, 5), keep_spans=model.keep_spans,
    )  # fmt: skip
    return model.fit(windows), model.fit(windows, engine="batch"), ret, spans, sums


def test_trade_to_trade_is_weighted_least_squares() -> None:
    """Returns over n sessions on (n, sum of the market) with weights 1/n, gaps in both windows."""
    fit, batch, ret, spans, sums = thin()
    days = np.flatnonzero(spans[:78] > 0)
    assert (spans[days] > 1).sum() > 10
    X = np.column_stack([spans[days], sums[days]])
    wls = sm.WLS(ret[days], X, weights=1 / spans[days]).fit()
    for own in (fit, batch):
        np.testing.assert_allclose(own.params[0], wls.params, rtol=1e-9)
        np.testing.assert_allclose(own.cov_params[0], wls.cov_params(), rtol=1e-9)
        assert own.sigma2[0] == pytest.approx(wls.scale, rel=1e-9)
        assert own.nobs[0] == len(days)
    for t in np.flatnonzero(spans[79:86] > 0):
        # A span that began before the event window belongs to no window.
        if spans[79 + t] > t + 1:
            continue
        x = np.array([spans[79 + t], sums[79 + t]])
        assert fit.ar[0, t] == pytest.approx(ret[79 + t] - x @ wls.params, rel=1e-9)
        assert fit.var_ar[0, t] == pytest.approx(
            spans[79 + t] * wls.scale + x @ wls.cov_params() @ x, rel=1e-9
        )
    assert (fit.spans[0] > 1).any()
    assert fit.valid(Window(0, 5))[0]
    assert not fit.valid(Window(1, 5))[0]


def test_trade_to_trade_without_gaps_is_the_market_model(market: Market) -> None:
    one, other = market.fit().abnormal, market.fit(model="trade_to_trade").abnormal
    np.testing.assert_allclose(one.ar, other.ar, rtol=1e-12)
    np.testing.assert_allclose(one.var_car(W), other.var_car(W), rtol=1e-12)


def test_worked_example_with_a_halt() -> None:
    """docs/methods/missing-days.md: without a gap in the estimation window the example of the market model
    holds."""
    resid = np.array([-1, -3, 5, -4, 9, 4, -2, -8]) / 1000
    mkt = np.array([1, -1, 2, 0, -2, 1, -1, 0, 1, -2, 1]) / 100
    ret = np.r_[0.001 + 1.2 * mkt[:8] + resid, 0.0155, np.nan, -0.0445 + 0.0065]
    sessions = pd.bdate_range("2024-01-01", periods=11).to_numpy().astype("datetime64[D]")
    panel = ReturnsPanel(
        keys=(("A", "data"), ("M", "data")), values=np.vstack([ret, mkt]),
        spans=np.vstack([np.r_[np.ones(9), 0, 2].astype(np.int64), np.ones(11, int)]),
        sessions=sessions, calendars={"data": np.arange(11)},
    )  # fmt: skip
    model = MODELS["trade_to_trade"]()
    windows = build_windows(
        panel, calendars=["data"], day0=sessions[[9]], rows=np.array([0]),
        factor_rows=np.array([[1]]),
        estimation=Window(-9, -2), event=Window(-1, 1), keep_spans=model.keep_spans,
    )  # fmt: skip
    fit = model.fit(windows)
    np.testing.assert_allclose(fit.x_event[0, 2], [2, -0.01])
    assert fit.ar[0, 2] == pytest.approx(-0.028)
    assert fit.var_ar[0, 2] == pytest.approx(9.3e-5)
    assert fit.sar[0, 2] == pytest.approx(-2.9034647, abs=1e-7)
