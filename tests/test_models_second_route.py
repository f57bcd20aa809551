"""Models of normal returns against statsmodels and scipy on the same data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import Market
from scipy import stats
from test_models import one_event

from eventstudy.calendars import Window
from eventstudy.errors import ConfigError
from eventstudy.models import MODELS
from eventstudy.returns import ReturnsPanel
from eventstudy.studies import EventStudy

W = Window(-1, 1)


LEAST_SQUARES = [
    "market",
    "constant_mean",
    "capm",
    "ff3",
    "carhart",
    "ff5",
    "factors",
    "two_index",
    "industry",
    "dimson",
]


def regressors(market: Market, name: str) -> tuple[pd.DataFrame, pd.Series[float] | float]:
    """Return the regressors of a model from the data, not from our design, and what is taken off
    returns."""
    wide = market.wide.assign(const=1.0)
    factors = {
        "capm": ["mkt_rf"], "ff3": ["mkt_rf", "smb", "hml"],
        "carhart": ["mkt_rf", "smb", "hml", "mom"],
        "ff5": ["mkt_rf", "smb", "hml", "rmw", "cma"],
        "factors": ["mkt_rf", "smb", "hml", "rmw", "cma", "mom"],
    }  # fmt: skip
    if name in factors:
        return wide[["const", *factors[name]]], wide["rf"]
    if name == "dimson":
        m = wide["MKT"]
        return pd.DataFrame({"const": 1.0, "lag": m.shift(1), "mkt": m, "lead": m.shift(-1)}), 0.0
    second = {
        "market": ["MKT"],
        "constant_mean": [],
        "two_index": ["MKT", "WORLD"],
        "industry": ["MKT", "IND"],
    }
    return wide[["const", *second[name]]], 0.0


@pytest.mark.parametrize("name", LEAST_SQUARES)
def test_one_regression_with_event_dummies(name: str) -> None:
    """A dummy for each event day gives AR, and the covariance of the dummies is V."""
    market = Market(n=3, seed=21)
    results = market.fit(model=name, series={"world": "WORLD"})
    X, off = regressors(market, name)
    fit = results.abnormal
    for i, at in enumerate(market.frame.index.get_indexer(market.table["day0"])):
        days = np.r_[at - 120 : at - 10, at - 5 : at + 6]
        Z = np.hstack([X.to_numpy()[days], np.vstack([np.zeros((110, 11)), np.eye(11)])])
        one = sm.OLS((market.frame[f"F{i:02d}"] - off).to_numpy()[days], Z).fit()
        np.testing.assert_allclose(fit.params[i], one.params[: X.shape[1]], rtol=1e-7, atol=1e-12)
        np.testing.assert_allclose(fit.ar[i], one.params[X.shape[1] :], rtol=1e-8, atol=1e-13)
        c = np.r_[np.zeros(X.shape[1]), np.isin(fit.event.days, W.days)]
        assert fit.var_car(W)[i] == pytest.approx(c @ one.cov_params() @ c, rel=1e-8)
        assert fit.sigma2[i] == pytest.approx(one.scale, rel=1e-8)


@pytest.mark.parametrize("cov_type", ["HC0", "HC1", "HC2", "HC3", "HAC"])
@pytest.mark.parametrize("name", ["market", "ff3"])
def test_robust_covariance_enters_the_forecast_error(name: str, cov_type: str) -> None:
    """The mean's part of the error from statsmodels' get_prediction, and s2 for the day itself."""
    market = Market(n=3, seed=22)
    fit = market.fit(model=MODELS.make(name, cov_type=cov_type)).abnormal  # type: ignore[arg-type]
    plain = market.fit(model=name).abnormal
    X, off = regressors(market, name)
    lags = {"maxlags": 4} if cov_type == "HAC" else None
    for i, at in enumerate(market.frame.index.get_indexer(market.table["day0"])):
        y, past = (market.frame[f"F{i:02d}"] - off).to_numpy(), slice(at - 120, at - 10)
        ols = sm.OLS(y[past], X.to_numpy()[past]).fit(cov_type=cov_type, cov_kwds=lags)
        np.testing.assert_allclose(fit.cov_params[i], ols.cov_params(), rtol=1e-9)
        mean = ols.get_prediction(X.to_numpy()[at - 5 : at + 6]).var_pred_mean
        np.testing.assert_allclose(fit.var_ar[i], mean + ols.mse_resid, rtol=1e-9)
    np.testing.assert_allclose(fit.ar, plain.ar, rtol=1e-12)
    assert (np.abs(fit.var_car(W) / plain.var_car(W) - 1) > 1e-6).all()


def test_robust_covariance_needs_statsmodels() -> None:
    with pytest.raises(ConfigError, match="needs the engine statsmodels"):
        Market(n=2).fit(model=MODELS.make("market", cov_type="HC3"), engine="batch")


@pytest.mark.parametrize("name", ["two_index", "industry"])
def test_orthogonalising_a_regressor_changes_nothing(name: str) -> None:
    market = Market(n=5, seed=23)
    plain = market.fit(model=name, series={"world": "WORLD"}).abnormal
    wide, column = market.wide, {"two_index": "WORLD", "industry": "IND"}[name]
    # Net of the market by any line, the spanned space is the same.
    wide[column] = wide[column] - 0.001 - 0.7 * wide["MKT"]
    other = market.fit(wide, model=name, series={"world": "WORLD"}).abnormal
    np.testing.assert_allclose(other.ar, plain.ar, rtol=1e-8, atol=1e-13)
    np.testing.assert_allclose(other.var_car(W), plain.var_car(W), rtol=1e-9)
    assert (np.abs(other.params[:, 1] - plain.params[:, 1]) > 1e-3).all()


@pytest.mark.parametrize("name", ["theil_sen", "huber"])
def test_robust_lines_with_holes(name: str) -> None:
    market = Market(n=5, seed=24)
    frame = market.frame.mask(np.random.default_rng(24).random(market.frame.shape) < 0.05)
    fit = market.fit(frame, model=name).abnormal
    for i, at in enumerate(frame.index.get_indexer(market.table["day0"])):
        past = frame[[f"F{i:02d}", "MKT"]].iloc[at - 120 : at - 10].dropna()
        y, x = past.to_numpy().T
        X = sm.add_constant(x)
        if name == "theil_sen":
            pairs = [(y[b] - y[a]) / (x[b] - x[a]) for a in range(len(x)) for b in range(a)]
            beta = float(np.median(pairs))
            expected = [float(np.median(y - beta * x)), beta]
        else:
            rlm = sm.RLM(y, X, M=sm.robust.norms.HuberT(1.345)).fit(maxiter=500, tol=1e-13)
            e = y - X @ rlm.params
            scale = np.median(np.abs(e)) / stats.norm.ppf(0.75)
            # The estimating equation of Huber (1964) at our own estimates.
            np.testing.assert_allclose(
                X.T @ np.clip(e / scale, -1.345, 1.345) / len(y), 0, atol=1e-6
            )
            expected = list(rlm.params)
        np.testing.assert_allclose(fit.params[i], expected, rtol=1e-7, atol=1e-10)
        e = y - X @ fit.params[i]
        assert fit.sigma2[i] == pytest.approx(e @ e / (len(y) - 2), rel=1e-10)
        assert not type(MODELS[name]()).exact


def test_robust_lines_are_not_moved_by_outliers() -> None:
    market = Market(n=6, seed=25)
    frame = market.frame.copy()
    for i, at in enumerate(frame.index.get_indexer(market.table["day0"])):
        frame.iloc[at - 60 : at - 57, i] += 0.4 * np.sign(frame["MKT"].iloc[at - 60 : at - 57])
    moved = {
        name: np.abs(
            market.fit(frame, model=name).abnormal.params - market.fit(model=name).abnormal.params
        )[:, 1]
        for name in ("market", "theil_sen", "huber")
    }
    assert (moved["theil_sen"] < moved["market"] / 3).all()
    assert (moved["huber"] < moved["market"] / 3).all()


def test_dimson_with_lags_and_leads() -> None:
    market = Market(n=3, seed=26)
    fit = market.fit(model=MODELS.make("dimson", ["lags=2", "leads=0"])).abnormal
    assert fit.parameters == ("alpha", "beta-2", "beta-1", "beta")
    m = market.frame["MKT"]
    X = pd.DataFrame({"c": 1.0, "b2": m.shift(2), "b1": m.shift(1), "b": m}).to_numpy()
    for i, at in enumerate(market.frame.index.get_indexer(market.table["day0"])):
        past = slice(at - 120, at - 10)
        ols = sm.OLS(market.frame[f"F{i:02d}"].to_numpy()[past], X[past]).fit()
        np.testing.assert_allclose(fit.params[i], ols.params, rtol=1e-9)
    none = market.fit(model=MODELS.make("dimson", ["lags=0", "leads=0"])).abnormal
    np.testing.assert_allclose(none.ar, market.fit().abnormal.ar, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "options", "what", "remedy"),
    [
        ("dimson", ["lag=2"], "no such option", "did you mean 'lags'"),
        ("dimson", ["lags=two"], "not a value of the kind int", ""),
        ("dimson", ["lags=-1"], "lags and leads are counts", ""),
        ("market", ["lags=2"], "no such option", "market has: zero_alpha"),
        ("market_adjusted", ["centred=maybe"], "not true or false", ""),
        ("ff33", [], "unknown model", "did you mean 'ff3'"),
        ("Fama-French", [], "unknown model", "did you mean 'ff3'"),
        ("market_model", [], "unknown model", "did you mean 'market'"),
    ],
)
def test_wrong_options(name: str, options: list[str], what: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=what) as error:
        MODELS.make(name, options)
    assert remedy in str(error.value)


def test_a_series_that_is_not_there(market: Market) -> None:
    with pytest.raises(ConfigError, match="series that is not there") as error:
        EventStudy(
            one_event("F00", market.table["day0"][0], "MKT"),
            ReturnsPanel.from_frame(market.frame),
            "industry",
        ).fit()
    assert "industry" in str(error.value)
    assert "--series industry=TICKER" in str(error.value)


def test_a_blank_cell_drops_the_event_alone() -> None:
    market = Market(n=4, seed=27)
    market.table["industry"] = ["IND", "", "NONE", "IND"]
    results = market.fit(market.wide, model="industry")
    assert results.events["status"].tolist() == ["ok", "dropped", "dropped", "ok"]
    assert results.events["reason"][1] == "the column industry is blank, and the model needs it"
    assert results.events["reason"][2] == "no price data for industry: NONE is not in the data"
