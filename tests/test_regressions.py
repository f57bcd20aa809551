"""The regression of one event, and diagnostics of all: statsmodels by another route, and R."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import r_cases
from conftest import Market
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.diagnostic import (
    acorr_ljungbox,
    breaks_cusumolsresid,
    het_arch,
    het_breuschpagan,
)
from statsmodels.stats.stattools import durbin_watson

from eventstudy.analysis import diagnostics, regression
from eventstudy.analysis.cross_section.regressions import COLUMNS
from eventstudy.errors import ConfigError
from eventstudy.events import Events
from eventstudy.models import MODELS
from eventstudy.returns import ReturnsPanel
from eventstudy.studies import EventStudy, EventStudyResults

EXACT = {"rtol": 1e-12, "atol": 1e-15}


def holed(market: Market) -> pd.DataFrame:
    """Return the market with one return in twenty missing, the index included."""
    return market.frame.mask(np.random.default_rng(5).random(market.frame.shape) < 0.05)


@pytest.fixture(scope="module")
def results() -> EventStudyResults:
    market = Market(n=8, seed=21)
    return market.fit(holed(market))


def estimation_data(results: EventStudyResults, i: int) -> pd.DataFrame:
    """Return the complete estimation days of event i, straight from the panel's dates."""
    market = Market(n=8, seed=21)
    frame = holed(market)
    at = frame.index.get_loc(market.table["day0"][i])
    return frame.iloc[at - 120 : at - 10][[market.tickers[i], "MKT"]].dropna()


@pytest.mark.parametrize("model", ["market", "constant_mean", "carhart", "dimson"])
@pytest.mark.parametrize("cov_type", ["nonrobust", "HC1", "HAC"])
def test_regression_is_that_of_the_study(model: str, cov_type: str) -> None:
    market = Market(n=4, seed=22)
    results = market.fit(holed(market), model=MODELS[model](cov_type=cov_type))
    for i, event_id in enumerate(results.events["event_id"]):
        fit = results.regression(event_id)
        a = results.abnormal
        np.testing.assert_allclose(fit.params, a.params[i], **EXACT)
        np.testing.assert_allclose(fit.cov_params(), a.cov_params[i], **EXACT)
        assert (fit.nobs, fit.df_resid) == (a.nobs[i], a.df_resid[i])
        assert fit.rsquared == pytest.approx(a.r2[i], abs=1e-12)
        assert list(fit.params.index) == list(a.parameters)


def test_regression_carries_dates_and_names(results: EventStudyResults) -> None:
    data = estimation_data(results, 3)
    fit = results.regression("e3")
    assert len(data) < 110, "the holes must bite"
    np.testing.assert_array_equal(fit.resid.index, data.index)
    np.testing.assert_allclose(fit.model.endog, data["F03"], rtol=1e-12)
    np.testing.assert_allclose(fit.model.exog[:, 1], data["MKT"], rtol=1e-12)
    summary = str(fit.summary())
    assert "F03" in summary
    assert "alpha" in summary


@pytest.mark.parametrize("model", ["huber", "theil_sen", "scholes_williams"])
def test_regression_of_other_estimators_is_least_squares(model: str) -> None:
    market = Market(n=3, seed=23)
    other, plain = market.fit(model=model), market.fit()
    assert abs(other.abnormal.params[0] - plain.abnormal.params[0]).max() > 1e-4
    np.testing.assert_allclose(
        other.regression("e0").params, plain.regression("e0").params, rtol=1e-10
    )


def test_errors_say_what_is_wrong(results: EventStudyResults) -> None:
    with pytest.raises(ConfigError, match=r"no such event, got 'e33'; did you mean 'e3'\?"):
        regression(results, "e33")
    market = Market(n=3)
    with pytest.raises(ConfigError, match="was dropped: no price data"):
        market.fit(market.frame.assign(F01=np.nan)).regression("e1")
    with pytest.raises(ConfigError, match="market-adjusted model estimates no regression"):
        market.fit(model="market_adjusted").regression("e1")
    with pytest.raises(ConfigError, match="synthetic control estimates no regression"):
        market.fit(model="synthetic_control").regression("e1")


def test_diagnostics_by_statsmodels(results: EventStudyResults) -> None:
    found = results.diagnostics()
    assert list(found.columns) == ["event_id", "ticker", "nobs", *COLUMNS]
    for i, row in enumerate(found.itertuples(index=False)):
        data = estimation_data(results, i)
        X = np.column_stack([np.ones(len(data)), data["MKT"]])
        fit = OLS(data.iloc[:, 0].to_numpy(), X).fit()
        e = fit.resid
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            arch = het_arch(e, nlags=5)
        middle = results.abnormal.windows.sessions[results.abnormal.windows.positions[i, 55]]
        late = (data.index.to_numpy().astype("datetime64[D]") >= middle).astype(float)
        both = OLS(data.iloc[:, 0].to_numpy(), np.hstack([X, X * late[:, None]])).fit()
        chow = both.f_test(np.eye(4)[2:])
        ljung = acorr_ljungbox(e, lags=[5])
        expected = (
            f"e{i}", data.columns[0], len(data), 1 - len(data) / 110, fit.rsquared,
            fit.rsquared_adj,
            durbin_watson(e), e[1:] @ e[:-1] / (e @ e), ljung["lb_pvalue"].iloc[0], arch[1],
            stats.jarque_bera(e).pvalue, stats.skew(e), stats.kurtosis(e, fisher=False),
            het_breuschpagan(e, X)[1], chow.fvalue, chow.pvalue, breaks_cusumolsresid(e, ddof=2)[1],
            np.linalg.cond(X / np.linalg.norm(X, axis=0)),
        )  # fmt: skip
        assert tuple(row)[:3] == expected[:3]
        np.testing.assert_allclose(
            np.array(row[3:], float), np.array(expected[3:], float), rtol=1e-9
        )


@pytest.mark.parametrize("case", [r_cases.DISPERSED, r_cases.MISSING])
def test_diagnostics_by_r(case: str) -> None:
    """R's EventStudy 0.50.0, whose Ljung-Box test has 10 lags; missing days are left out there as
    well."""
    events = r_cases.events(case)
    table = pd.DataFrame({
        "event_id": events["event_id"].astype(str), "ticker": events["ticker"],
        "announced_at": events["date"],
        "tz": "", "exchange": "", "benchmark": "MKT", "day0": pd.to_datetime(events["date"]),
        "flags": "",
    })  # fmt: skip
    study = EventStudy(
        Events(table=table, source="frame", sha256=""),
        ReturnsPanel.from_frame(r_cases.returns(case)),
        estimation=r_cases.ESTIMATION, event=r_cases.EVENT,
    )  # fmt: skip
    results = study.fit()
    ours, theirs = diagnostics(results, lags=10), r_cases.table(case, "EventStudy__diagnostics")
    theirs = theirs.set_index(theirs["event_id"].astype(str)).loc[ours["event_id"]]
    assert len(ours) >= 15
    if case == r_cases.MISSING:
        assert (ours["missing"] > 0).any(), "the holes must bite"
    for own, other in {
        "durbin_watson": "dw_stat", "autocorrelation": "acf1", "ljung_box_p": "ljung_box_p",
        "r2": "r2",
    }.items():  # fmt: skip
        r_cases.close(ours[own], theirs[other], own)


@pytest.mark.parametrize("model", ["market_adjusted", "synthetic_control"])
def test_without_regressors_only_residuals_are_diagnosed(model: str) -> None:
    found = Market(n=3).fit(model=model).diagnostics().iloc[0]
    assert found[["breusch_pagan_p", "chow_f", "chow_p", "condition"]].isna().all()
    assert (
        found[["durbin_watson", "ljung_box_p", "arch_p", "jarque_bera_p", "cusum_p"]].notna().all()
    )


def test_a_constant_alone_has_no_breusch_pagan_test() -> None:
    found = Market(n=3).fit(model="constant_mean").diagnostics().iloc[0]
    assert np.isnan(found["breusch_pagan_p"])
    assert found["condition"] == pytest.approx(1)
    assert found.drop(["event_id", "ticker", "breusch_pagan_p"]).notna().all()


def test_too_few_days_are_missing_values() -> None:
    found = Market(n=3).fit(estimation=(-24, -11)).diagnostics()
    assert found[["ljung_box_p", "arch_p"]].isna().all(axis=None)
    assert found[["durbin_watson", "chow_p", "jarque_bera_p"]].notna().all(axis=None)
    half = Market(n=1)
    frame = half.frame.copy()
    at = frame.index.get_loc(half.table["day0"][0])
    frame.iloc[at - 120 : at - 66, 0] = np.nan
    assert np.isnan(half.fit(frame).diagnostics()["chow_p"][0]), "one day in the first half"


def test_faults_are_found() -> None:
    """Autocorrelation, ARCH, a break and fat tails, each made in one firm, show in its row."""
    market = Market(n=5, seed=24, days=400)
    market.table["day0"] = market.frame.index[390]
    rng, frame = np.random.default_rng(240), market.frame.copy()
    noise = rng.standard_normal(400)
    frame["F00"] = 0.02 * np.convolve(noise, [1, 0.6], "same")
    frame["F01"] = 0.02 * noise * np.repeat([0.3, 3.0], 50)[np.arange(400) % 100]
    frame["F02"] = frame["MKT"] * np.where(np.arange(400) < 240, -1, 3) + 0.005 * noise
    frame["F03"] = 0.01 * rng.standard_t(3, 400)
    frame["F04"] = frame["MKT"] + 0.02 * noise
    found = market.fit(frame, estimation=(-300, -11), event=(-5, 5)).diagnostics()
    columns = ["ljung_box_p", "arch_p", "chow_p", "jarque_bera_p"]
    assert (np.diag(found[columns].iloc[:4]) < 1e-4).all()
    assert (found[columns].iloc[4] > 0.01).all()


def test_dropped_events_have_no_row() -> None:
    market = Market(n=3)
    one = market.fit(market.frame.assign(F01=np.nan)).diagnostics()
    assert list(one["event_id"]) == ["e0", "e2"]
    pd.testing.assert_frame_equal(one, market.fit().subset(np.array([0, 2])).diagnostics())
    none = market.fit(market.frame.assign(F00=np.nan, F01=np.nan, F02=np.nan)).diagnostics()
    assert list(none.columns) == list(one.columns)
    assert len(none) == 0


@settings(max_examples=10)
@given(scale=st.floats(0.01, 8))
def test_units_do_not_matter(scale: float) -> None:
    market = Market(n=3, seed=25)
    one, other = market.fit().diagnostics(), market.fit(market.frame * scale).diagnostics()
    # Unit-length regressors: the condition number does not depend on units either.
    pd.testing.assert_frame_equal(one, other, rtol=1e-7)
