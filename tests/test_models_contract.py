"""What holds for every model of normal returns, and for both engines."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import Market
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstudy.calendars import Window
from eventstudy.dependence.loadings import loadings_on
from eventstudy.models import MODELS

W = Window(-1, 1)
# Fitted by a numerical search: agreement goes as far as the optimum is found, and samples are
# small.
SEARCHED = {"garch", "gjr", "egarch"}
# Good and bad news move their variance differently, so that a mirror image has other estimates.
ASYMMETRIC = {"gjr", "egarch"}
# Their estimates are no least squares, so the errors of the CAR are not s2 times the loadings.
OWN_VARIANCE = {"garch", "gjr", "egarch"}


def test_engines_agree_with_holes_in_the_data(model_name: str) -> None:
    market = Market(n=4 if model_name in SEARCHED else 25, seed=5)
    frame = market.wide.mask(np.random.default_rng(5).random(market.wide.shape) < 0.05)
    a, b = (
        market.fit(frame, model=model_name, engine=e).abnormal for e in ("statsmodels", "batch")
    )
    assert (a.nobs < 110).any(), "the holes must bite"
    assert (a.problem == "").any()
    for name in ("ar", "resid", "sigma2", "params", "cov_params", "bread", "r2", "noise", "var_ar"):
        np.testing.assert_allclose(
            getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-15, err_msg=name
        )
    np.testing.assert_allclose(a.var_car(W), b.var_car(W), rtol=1e-9)
    np.testing.assert_array_equal(a.nobs, b.nobs)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MODELS))
@settings(max_examples=4)
@given(scale=st.floats(0.01, 8))
def test_scale(name: str, scale: float) -> None:
    """Multiplying all returns scales AR and leaves what is standardised alone."""
    market = Market(n=2 if name in SEARCHED else 6, seed=2)
    one, many = (
        market.fit(model=name).abnormal,
        market.fit(market.wide * scale, model=name).abnormal,
    )
    rtol, atol = (1e-2, 1e-4) if name in SEARCHED else (1e-8, 1e-11)
    np.testing.assert_allclose(many.ar, one.ar * scale, rtol=rtol, atol=atol * scale)
    np.testing.assert_allclose(many.scar(W), one.scar(W), rtol=rtol, atol=atol)


@pytest.mark.parametrize("model_name", sorted(set(MODELS) - ASYMMETRIC))
def test_sign_flip(model_name: str) -> None:
    """Not of models that treat good and bad news differently by design."""
    market = Market(n=6, seed=4)
    one, other = (
        market.fit(model=model_name).abnormal,
        market.fit(-market.wide, model=model_name).abnormal,
    )
    np.testing.assert_allclose(
        other.ar, -one.ar, rtol=1e-12, atol=1e-5 if model_name in SEARCHED else 1e-15
    )


def test_missing_is_never_zero(model_name: str) -> None:
    market = Market(n=4, seed=6)
    day = market.table["day0"][0]
    frame = market.frame.copy()
    frame.loc[day, "F00"] = np.nan
    fit = market.fit(frame, model=model_name).abnormal
    zero = market.fit(frame.fillna(0.0), model=model_name).abnormal
    at = -fit.event.start
    assert np.isnan(fit.ar[0, at])
    assert np.isfinite(zero.ar[0, at])
    assert np.isnan(fit.car(W)[0])
    assert np.isnan(fit.bhar(W)[0])
    assert np.isfinite(fit.car(Window(1, 2))[0])
    assert np.isfinite(fit.car(W)[1:]).all()


def test_estimation_uses_only_complete_days(model_name: str) -> None:
    market = Market(n=4, seed=7)
    frame = market.frame.copy()
    frame.iloc[60:70, 0] = np.nan
    full, cut = market.fit(model=model_name).abnormal, market.fit(frame, model=model_name).abnormal
    assert cut.nobs[0] == full.nobs[0] - 10
    assert (cut.nobs[1:] == full.nobs[1:]).all()
    np.testing.assert_array_equal(cut.ar[1:], full.ar[1:])


def test_variance_of_car_is_the_quadratic_form(model_name: str) -> None:
    """c'Vc without V equals c'Vc with V = diag(s2, or the forecast variances) + X* Cov(theta)
    X*'."""
    fit = Market(n=5, seed=8).fit(model=model_name).abnormal
    c = np.isin(fit.event.days, W.days).astype(float)
    for i in range(len(fit)):
        own = (
            np.diag(fit.noise[i]) if model_name in OWN_VARIANCE else fit.sigma2[i] * np.eye(len(c))
        )
        V = own + fit.x_event[i] @ fit.cov_params[i] @ fit.x_event[i].T
        assert fit.var_car(W)[i] == pytest.approx(c @ V @ c, rel=1e-12)
        if model_name in OWN_VARIANCE:
            continue
        loading = loadings_on(fit, W)[i]
        assert loading @ loading * fit.sigma2[i] == pytest.approx(fit.var_car(W)[i], rel=1e-10)


def test_variance_of_car_equals_that_of_event_dummies() -> None:
    """One regression on both windows with a dummy a day gives the same AR and the same variance."""
    import statsmodels.api as sm

    results = Market(n=3, seed=9).fit()
    a, windows = results.abnormal, results.abnormal.windows
    L1, L2 = len(windows.estimation), len(windows.event)
    for i in range(3):
        dummies = np.vstack([np.zeros((L1, L2)), np.eye(L2)])
        X = np.column_stack([np.ones(L1 + L2), windows.factors[i, :, 0], dummies])
        one = sm.OLS(windows.returns[i], X).fit()
        np.testing.assert_allclose(one.params[2:], a.ar[i], rtol=1e-8, atol=1e-14)
        c = np.r_[0, 0, np.isin(windows.event.days, W.days)]
        assert a.var_car(W)[i] == pytest.approx(c @ one.cov_params() @ c, rel=1e-8)


def itself(market: Market, name: str) -> object:
    """Return what a model explains without an error; a price that stands still if there is none."""
    wide, factors = market.wide, ("capm", "ff3", "carhart", "ff5", "factors")
    if name in factors:
        return wide["mkt_rf"] + wide["rf"]
    if name in ("matched", "synthetic_control"):
        return wide["D0"]
    # The beta of Scholes and Williams is estimated from other days than the residuals.
    return 0.0 if name in ("constant_mean", "scholes_williams") else wide["MKT"]


def test_a_price_that_does_not_move_is_dropped_with_a_reason(model_name: str) -> None:
    market = Market(n=4, seed=1)
    for frame in (
        market.frame.assign(F00=itself(market, model_name)),
        market.frame.assign(F00=0.0),
    ):
        results = market.fit(frame, model=model_name)
        assert results.events["status"].tolist() == ["dropped", "ok", "ok", "ok"]
        assert "no variance" in results.events["reason"][0]


def test_a_benchmark_that_does_not_move() -> None:
    market = Market(n=3)
    results = market.fit(market.frame.assign(MKT=0.001))
    assert (results.events["status"] == "dropped").all()
    assert results.events["reason"].str.contains("does not vary").all()


def test_too_short_a_history(model_name: str) -> None:
    market = Market(n=3, seed=1)
    frame = market.frame.copy()
    frame.loc[frame.index < market.table["day0"][0] - np.timedelta64(20, "D"), "F00"] = np.nan
    events = market.fit(frame, model=model_name).events
    assert events["status"][0] == "dropped"
    assert "complete days in the estimation window" in events["reason"][0]
    assert events["nobs"][0] < 7


def test_return_over_several_sessions() -> None:
    """docs/methods/missing-days.md by hand: firm A of the worked example without day 0, its return added to
    day 1."""
    import pandas as pd

    from eventstudy.returns import ReturnsPanel
    from eventstudy.windows import build_windows

    resid = np.array([-1, -3, 5, -4, 9, 4, -2, -8]) / 1000
    mkt = np.array([1, -1, 2, 0, -2, 1, -1, 0, 1, -2, 1]) / 100
    ret = np.r_[0.001 + 1.2 * mkt[:8] + resid, 0.0155, np.nan, -0.0445 + 0.0065]
    sessions = pd.bdate_range("2024-01-01", periods=11).to_numpy().astype("datetime64[D]")
    spans = np.r_[np.ones(9), 0, 2].astype(np.int64)
    panel = ReturnsPanel(
        keys=(("A", "data"), ("M", "data")), values=np.vstack([ret, mkt]),
        spans=np.vstack([spans, np.ones(11, int)]),
        sessions=sessions, calendars={"data": np.arange(11)},
    )  # fmt: skip
    windows = build_windows(
        panel, calendars=["data"], day0=sessions[[9]], rows=np.array([0]),
        factor_rows=np.array([[1]]),
        estimation=Window(-9, -2), event=Window(-1, 1),
    )  # fmt: skip
    for engine in ("statsmodels", "batch"):
        fit = MODELS["market"]().fit(windows, engine=engine)
        np.testing.assert_allclose(fit.x_event[0, 2], [2, -0.01])
        assert fit.ar[0, 2] == pytest.approx(-0.028)
        assert fit.var_ar[0, 2] == pytest.approx(9.3e-5)
        assert fit.sar[0, 2] == pytest.approx(-2.9034647, abs=1e-7)
        assert fit.valid(Window(0, 1))[0]
        assert not fit.valid(Window(1, 1))[0], "the return began before the window"
        assert not fit.valid(Window(-1, 0))[0], "the window ends in the halt"
        assert fit.car(Window(0, 1))[0] == pytest.approx(-0.028)
