"""Each model of normal returns against numbers or programs that are not ours."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from test_reference import CLOSE, HERE, check_test

from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Window
from eventstudy.events import Events
from eventstudy.models import MODELS, LinearModel, convex_weights
from eventstudy.models._engines import ENGINES
from eventstudy.models.robust import thin_beta
from eventstudy.returns import ReturnsPanel
from eventstudy.significance import STATISTICS
from eventstudy.studies import EventStudy

W = Window(-1, 1)


def reference(name: str, part: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))[part]


def large(model: str | LinearModel, estimation: tuple[int, int] = (-130, -11)) -> AbnormalReturns:
    """Fit the large reference example; its second index is the world."""
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    frame = long.pivot_table(index="date", columns="firm", values="ret")
    common = long.drop_duplicates("date").set_index("date")
    events = long.drop_duplicates("firm")
    table = pd.DataFrame({
        "event_id": events["firm"], "ticker": events["firm"], "announced_at": "", "tz": "",
        "exchange": "",
        "benchmark": "mkt", "day0": events["event_date"], "flags": "",
    }).reset_index(drop=True)  # fmt: skip
    listed = Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))
    panel = ReturnsPanel.from_frame(frame.assign(mkt=common["mkt"], ind=common["ind"]))
    study = EventStudy(
        listed, panel, model=model, estimation=estimation, event=(-5, 5), series={"world": "ind"},
        factors=common[["rf"]],
    )  # fmt: skip
    return study.fit().abnormal


@pytest.mark.parametrize("name", ["two_index", "capm", "constant_mean"])
def test_large_example(name: str) -> None:
    ref, fit, window = (
        reference("large_example.json", "other_models_[0,1]")[name],
        large(name),
        Window(0, 1),
    )
    np.testing.assert_allclose(fit.car(window).mean(), ref["CAAR"], **CLOSE)
    np.testing.assert_allclose(fit.sigma2[0], ref["s2_F00"], **CLOSE)
    np.testing.assert_allclose(fit.var_car(window)[0], ref["var_CAR_F00"], **CLOSE)
    for test in ("patell", "bmp", "bmp_kp", "grank_t"):
        check_test(STATISTICS[test](fit, window), ref[test])


@pytest.fixture(scope="module")
def one_firm() -> Any:
    return reference("large_example.json", "F00_estimators")


def test_theil_sen(one_firm: Any) -> None:
    ref = one_firm["theil_sen"]
    np.testing.assert_allclose(large("theil_sen").params[0], [ref["alpha"], ref["beta"]], **CLOSE)


def test_huber(one_firm: Any) -> None:
    np.testing.assert_allclose(large("huber").params[0], one_firm["huber"]["theta"], rtol=1e-8)


def test_scholes_williams(one_firm: Any) -> None:
    ref = one_firm["scholes_williams"]
    np.testing.assert_allclose(
        large("scholes_williams").params[0], [ref["alpha"], ref["beta"]], **CLOSE
    )


def test_dimson(one_firm: Any) -> None:
    """The reference knows no market outside [-130,-11]; ours does, so a day is left out at either
    end."""
    ref, fit = one_firm["dimson_1_1"], large("dimson", (-129, -12))
    np.testing.assert_allclose(fit.params[0], ref["theta"], **CLOSE)
    np.testing.assert_allclose(fit.sigma2[0], ref["s2"], **CLOSE)
    assert fit.nobs[0] == 118
    assert large("dimson").nobs[0] == 120


def test_synthetic_control(one_firm: Any) -> None:
    """The reference's donors are firms of the list, which the model leaves out: here by weights
    alone."""
    ref = one_firm["synthetic_control"]
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    frame = long.pivot_table(index="date", columns="firm", values="ret")
    at = frame.index.get_loc(long["event_date"].iloc[0])
    part = frame.iloc[at - 130 : at - 10]
    weights = convex_weights(part["F00"].to_numpy(), part[ref["donors"]].to_numpy())
    np.testing.assert_allclose(weights, ref["weights"], atol=1e-7)
    sse = ((part["F00"] - part[ref["donors"]] @ weights) ** 2).sum()
    np.testing.assert_allclose(sse, ref["sse"], **CLOSE)
    assert weights.sum() == pytest.approx(1, abs=1e-12)


def test_synthetic_control_in_a_study() -> None:
    """AR = R - Zw, s2 = SSE / (M - positive weights + 1), Var(CAR) = L s2; a donor too few is
    said."""
    market = Market(n=3, seed=28)
    market.table["donors"] = ["D0;D1;D2;D3;D4", "D0;D1;F01", "D0;F02"]
    results = market.fit(model="synthetic_control")
    fit, model = results.abnormal, MODELS["synthetic_control"]()
    w = model.weights(fit.windows)  # type: ignore[attr-defined]
    np.testing.assert_allclose(w[:2].sum(axis=1), 1, rtol=1e-12)
    assert (w[1, 2:] == 0).all()
    for i, at in enumerate(market.frame.index.get_indexer(market.table["day0"])[:2]):
        gap = market.frame[f"F{i:02d}"] - market.others[["D0", "D1", "D2", "D3", "D4"]] @ w[i]
        past = gap.iloc[at - 120 : at - 10]
        assert fit.sigma2[i] == pytest.approx(
            (past**2).sum() / (110 - (w[i] > 0).sum() + 1), rel=1e-10
        )
        np.testing.assert_allclose(fit.ar[i], gap.iloc[at - 5 : at + 6], rtol=1e-9, atol=1e-15)
        assert fit.var_car(W)[i] == pytest.approx(3 * fit.sigma2[i], rel=1e-12)
    assert results.events["status"].tolist() == ["ok", "ok", "dropped"]
    assert results.events["reason"][2] == (
        "1 donor with prices and without news of their own, at least 2 are needed"
    )
    assert not results.panel.notes


def test_weights_satisfy_the_conditions_of_the_optimum() -> None:
    """Karush, Kuhn and Tucker: equal slopes where a weight is positive, no smaller one where it is
    zero."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        Z = rng.standard_normal((60, 6)) * 0.02
        y = Z @ rng.dirichlet(np.ones(6)) + rng.standard_normal(60) * 0.02
        w = convex_weights(y, Z)
        slopes = Z.T @ (Z @ w - y)
        at = slopes[w > 0].mean()
        np.testing.assert_allclose(slopes[w > 0], at, rtol=1e-8)
        assert (slopes >= at - 1e-10).all()


def test_tiny_scholes_williams_is_not_defined() -> None:
    tiny = json.loads((HERE / "worked_example.json").read_text(encoding="utf-8"))
    market = np.array(tiny["estimation"]["mkt"])
    for y, ref in zip(
        tiny["estimation"]["ret"], tiny["alternative_models"]["scholes_williams"], strict=True
    ):
        alpha, beta, divisor = thin_beta(np.array(y), market, np.ones(8, bool))
        np.testing.assert_allclose(
            [beta, (divisor - 1) / 2], [ref["beta_raw"], ref["rho_m"]], **CLOSE
        )
        assert np.isfinite(alpha)
    # The same market over and over gives the model a history that is long enough, and as undefined.
    frame = pd.DataFrame({"A": np.tile(tiny["estimation"]["ret"][0], 5), "M": np.tile(market, 5)})
    frame.index = pd.bdate_range("2024-01-01", periods=40)
    events = one_event("A", frame.index[35], "M")
    results = EventStudy(
        events, ReturnsPanel.from_frame(frame), "scholes_williams", (-30, -2), (-1, 1)
    ).fit()
    assert results.events["status"][0] == "dropped"
    assert "Scholes-Williams beta is not defined" in results.events["reason"][0]


def test_scholes_williams_of_a_firm_that_never_trades_on_adjacent_days_says_so() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.standard_normal((60, 2)) * 0.01, columns=["A", "M"])
    frame.index = pd.bdate_range("2024-01-01", periods=60)
    frame.iloc[:50:2, 0] = np.nan
    events = one_event("A", frame.index[55], "M")
    panel = ReturnsPanel.from_frame(frame)
    results = EventStudy(events, panel, "scholes_williams", (-50, -6), (0, 1)).fit()
    assert results.events["status"][0] == "dropped"
    assert (
        "fewer than 3 estimation days have both the day before and the day after"
        in results.events["reason"][0]
    )


def test_tiny_dimson() -> None:
    """Six days for four parameters: too few for a study, enough to compare the regression."""
    tiny = json.loads((HERE / "worked_example.json").read_text(encoding="utf-8"))
    market = np.array(tiny["estimation"]["mkt"])
    X = np.column_stack([np.ones(6), market[:-2], market[1:-1], market[2:]])
    y = np.array(tiny["estimation"]["ret"])[:, 1:-1]
    for engine in ENGINES.values():
        fit = engine(y, np.stack([X] * 3), np.ones((3, 6), bool), "nonrobust")
        for i, ref in enumerate(tiny["alternative_models"]["dimson_1_1"]):
            np.testing.assert_allclose(fit.params[i], ref["theta"], **CLOSE)
            np.testing.assert_allclose(fit.params[i, 1:].sum(), ref["beta"], **CLOSE)
            np.testing.assert_allclose(fit.sigma2[i], ref["s2"], **CLOSE)


def test_tiny_market_adjusted_around_zero() -> None:
    tiny = json.loads((HERE / "worked_example.json").read_text(encoding="utf-8"))
    ref = tiny["alternative_models"]["market_adjusted"]
    returns = np.hstack([tiny["estimation"]["ret"], tiny["event"]["ret"]]).T
    mkt = np.r_[tiny["estimation"]["mkt"], tiny["event"]["mkt"]]
    frame = pd.DataFrame(returns, columns=list("ABC")).assign(M=mkt)
    frame.index = pd.bdate_range("2024-01-01", periods=11)
    model = MODELS.make("market_adjusted", ["centred=false"])
    for i, ticker in enumerate("ABC"):
        events = one_event(ticker, frame.index[9], "M")
        fit = (
            EventStudy(events, ReturnsPanel.from_frame(frame), model, (-9, -2), (-1, 1))
            .fit()
            .abnormal
        )
        assert fit.sigma2[0] == pytest.approx(ref["s2_uncentred"][i], rel=1e-9)
        assert fit.df_resid[0] == ref["df_uncentred"]
        assert fit.scar(W)[0] == pytest.approx(ref["t_uncentred"][i], rel=1e-9)


def one_event(ticker: str, day0: pd.Timestamp, benchmark: str, **columns: str) -> Events:
    table = pd.DataFrame({
        "event_id": ["e0"], "ticker": ticker, "announced_at": "", "tz": "", "exchange": "",
        "benchmark": benchmark, "day0": [day0], "flags": "", **columns,
    })  # fmt: skip
    return Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))


def test_dimson_with_its_slopes_in_one() -> None:
    """sum_beta=True by numpy: slopes of the full regression summed, the mean residual zero."""
    market = Market(n=3, seed=6)
    models = [MODELS.make("dimson", [f"sum_beta={value}"]) for value in ("false", "true")]
    full, one = (market.fit(model=model).abnormal for model in models)
    assert [model.exact for model in models] == [True, False]
    beta = full.params[:, 1:].sum(axis=1)
    np.testing.assert_allclose(one.params[:, 2], beta, rtol=1e-12)
    np.testing.assert_allclose(np.nanmean(one.resid, axis=1), 0, atol=1e-15)
    R, R_m = one.windows.returns[:, -11:], one.windows.factors[:, -11:, 1]
    np.testing.assert_allclose(one.ar, R - one.params[:, :1] - beta[:, None] * R_m, atol=1e-14)
    np.testing.assert_allclose(
        one.sigma2, np.nansum(one.resid**2, axis=1) / (one.nobs - 4), rtol=1e-12
    )


def test_a_series_of_several_tickers_has_all_of_them_however_it_is_spaced() -> None:
    market = Market(n=3, seed=5)
    bare, spaced, one = (
        market.fit(model="two_index", series={"world": text}).abnormal.ar
        for text in ("WORLD;IND", " WORLD ; IND ", "WORLD")
    )
    np.testing.assert_array_equal(spaced, bare)
    assert not np.array_equal(spaced, one)
