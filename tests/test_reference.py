"""Agreement with numbers that other programs computed (tests/reference/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eventstudy.calendars import Window
from eventstudy.dependence import WeightedSums
from eventstudy.dependence.pairs import residual_correlation, residuals_on
from eventstudy.models import MODELS
from eventstudy.returns import ReturnsPanel
from eventstudy.significance import STATISTICS
from eventstudy.significance.ranks import day_sums, scaled_ranks
from eventstudy.windows import EventWindows, build_windows

HERE = Path(__file__).parent / "reference"
THEIRS = {
    "cross_sectional": "cross_sectional_t", "patell": "patell", "bmp": "bmp", "bmp_kp": "bmp_kp",
    "corrado": "corrado", "grank_t": "grank_t", "generalized_sign": "generalized_sign",
    "patell_kp": "patell_kp", "cda": "cda_t", "corrado_zivney": "corrado_zivney",
    "corrado_zivney_sign": "corrado_zivney_sign", "grank_z": "grank_z", "sign": "sign",
    "wilcoxon": "wilcoxon",
    "hall": "hall", "johnson": "johnson", "jackknife": "jackknife", "patell_u": "patell_U",
    "date_clustered": "date_clustered_t",
}  # fmt: skip
CLOSE = {"rtol": 1e-9, "atol": 1e-11}


def read(name: str) -> dict[str, Any]:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def windows_of(
    frame: pd.DataFrame, tickers: list[str], day0: Any, estimation: Window, event: Window
) -> EventWindows:
    panel = ReturnsPanel.from_frame(frame)
    return build_windows(
        panel,
        calendars=["data"] * len(tickers),
        day0=np.asarray(day0, dtype="datetime64[D]"),
        rows=np.array([panel.row(t, "data") for t in tickers]),
        factor_rows=np.array([[panel.row("mkt", "data")]] * len(tickers)),
        estimation=estimation,
        event=event,
    )


@pytest.fixture(scope="module")
def tiny() -> dict[str, Any]:
    return read("worked_example.json")


@pytest.fixture(scope="module")
def tiny_windows(tiny: dict[str, Any]) -> EventWindows:
    returns = np.hstack([tiny["estimation"]["ret"], tiny["event"]["ret"]]).T
    # Event days -10..-3 and -1..1: the day between is in the data and in no window.
    returns = np.insert(returns, 8, np.nan, axis=0)
    mkt = np.insert(np.r_[tiny["estimation"]["mkt"], tiny["event"]["mkt"]], 8, 0.5)
    frame = pd.DataFrame(
        returns, columns=tiny["firms"], index=pd.bdate_range("2024-01-01", periods=12)
    )
    day0 = [frame.index[10]] * 3
    return windows_of(frame.assign(mkt=mkt), tiny["firms"], day0, Window(-10, -3), Window(-1, 1))


@pytest.fixture(params=["statsmodels", "batch"])
def tiny_fit(request: pytest.FixtureRequest, tiny_windows: EventWindows) -> Any:
    return MODELS["market"]().fit(tiny_windows, engine=request.param)


def test_tiny_estimates(tiny: dict[str, Any], tiny_fit: Any) -> None:
    for i, ref in enumerate(tiny["model"]):
        np.testing.assert_allclose(tiny_fit.params[i], [ref["alpha"], ref["beta"]], **CLOSE)
        np.testing.assert_allclose(tiny_fit.sigma2[i], ref["s2"], **CLOSE)
        np.testing.assert_allclose(tiny_fit.bread[i], ref["XtX_inv"], **CLOSE)
        np.testing.assert_allclose(tiny_fit.resid[i], ref["resid"], **CLOSE)
        assert tiny_fit.df_resid[i] == ref["df"]


def test_tiny_abnormal_returns_and_their_variance(tiny: dict[str, Any], tiny_fit: Any) -> None:
    np.testing.assert_allclose(tiny_fit.ar, tiny["AR"], **CLOSE)
    np.testing.assert_allclose(tiny_fit.sar, tiny["SAR"], **CLOSE)
    np.testing.assert_allclose(tiny_fit.aar, tiny["AAR"], **CLOSE)
    np.testing.assert_allclose(
        tiny_fit.var_ar, np.array(tiny["V"]).diagonal(axis1=1, axis2=2), **CLOSE
    )
    np.testing.assert_allclose(
        tiny_fit.var_ar / tiny_fit.sigma2[:, None] - 1, [tiny["h"]] * 3, **CLOSE
    )


def test_tiny_correlations(tiny: dict[str, Any], tiny_fit: Any) -> None:
    residuals = residuals_on(tiny_fit, np.unique(tiny_fit.windows.positions))
    rho = residual_correlation(residuals, residuals, 3)
    ours = [rho[0, 1], rho[0, 2], rho[1, 2]]
    np.testing.assert_allclose(ours, list(tiny["residual_correlations"].values()), **CLOSE)


def test_tiny_ranks(tiny: dict[str, Any], tiny_fit: Any) -> None:
    ref = tiny["ranks"]
    scores = scaled_ranks(np.hstack([tiny_fit.resid, tiny_fit.ar]))
    np.testing.assert_allclose((scores + 0.5) * 12, ref["corrado_K"], **CLOSE)
    np.testing.assert_allclose(day_sums(scores, 0.0), ref["corrado_g"], **CLOSE)
    scar = tiny_fit.scar(Window(-1, 1))
    star = scar / scar.std(ddof=1)
    np.testing.assert_allclose(star, ref["grank[-1,1]"]["scar_star"], **CLOSE)
    standard = tiny_fit.resid / np.sqrt(tiny_fit.sigma2)[:, None]
    np.testing.assert_allclose(standard, ref["est_SAR"], **CLOSE)
    mean_rank = scaled_ranks(np.column_stack([standard, star])).mean(axis=0)
    np.testing.assert_allclose(mean_rank, ref["grank[-1,1]"]["ubar"], **CLOSE)


def test_tiny_windows(tiny: dict[str, Any], tiny_fit: Any) -> None:
    for text, ref in tiny["windows"].items():
        window = Window.of(text)
        check_window(tiny_fit, window, ref)
        for i, single in enumerate(ref["single_event"]):
            result = STATISTICS["event_t"](tiny_fit.take(np.array([i])), window)
            np.testing.assert_allclose(
                list(result), [single["exact"]["stat"], single["exact"]["p"]], **CLOSE
            )


def test_tiny_bhar(tiny: dict[str, Any], tiny_fit: Any) -> None:
    np.testing.assert_allclose(tiny_fit.bhar(Window(-1, 1)), tiny["bhar"]["vs_model"], **CLOSE)


def test_tiny_other_models(tiny: dict[str, Any], tiny_windows: EventWindows) -> None:
    ref = tiny["alternative_models"]
    mean = MODELS["constant_mean"]().fit(tiny_windows)
    np.testing.assert_allclose(mean.params[:, 0], ref["constant_mean"]["mu"], **CLOSE)
    np.testing.assert_allclose(mean.sigma2, ref["constant_mean"]["s2"], **CLOSE)
    np.testing.assert_allclose(mean.ar, ref["constant_mean"]["AR"], **CLOSE)
    np.testing.assert_allclose(
        mean.var_car(Window(-1, 1)), ref["constant_mean"]["var_CAR"], **CLOSE
    )
    for name in ("patell", "bmp"):
        check_test(STATISTICS[name](mean, Window(-1, 1)), ref["constant_mean"][name])
    adjusted = MODELS["market_adjusted"]().fit(tiny_windows)
    np.testing.assert_allclose(adjusted.ar, ref["market_adjusted"]["AR"], **CLOSE)
    np.testing.assert_allclose(adjusted.sigma2, ref["market_adjusted"]["s2_centred"], **CLOSE)
    assert set(adjusted.df_resid) == {ref["market_adjusted"]["df_centred"]}


@pytest.fixture(scope="module", params=["statsmodels", "batch"])
def large_fit(request: pytest.FixtureRequest) -> Any:
    return MODELS["market"]().fit(large_windows(), engine=request.param)


def large_windows() -> EventWindows:
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    frame = long.pivot_table(index="date", columns="firm", values="ret")
    frame["mkt"] = long.drop_duplicates("date").set_index("date")["mkt"]
    events = long.drop_duplicates("firm")
    return windows_of(
        frame, list(events["firm"]), events["event_date"], Window(-130, -11), Window(-5, 5)
    )


def test_large_estimates(large_fit: Any) -> None:
    ref = read("large_example.json")["market_model"]
    np.testing.assert_allclose(large_fit.params.T, [ref["alpha"], ref["beta"]], **CLOSE)
    np.testing.assert_allclose(large_fit.sigma2, ref["s2"], **CLOSE)
    np.testing.assert_allclose(large_fit.ar, list(ref["AR"].values()), **CLOSE)
    np.testing.assert_allclose(large_fit.aar, ref["AAR"], **CLOSE)
    np.testing.assert_allclose(large_fit.caar, ref["CAAR_path"], **CLOSE)


@pytest.mark.parametrize("text", ["[0,0]", "[1,1]", "[0,1]", "[-1,1]", "[-5,-1]", "[-5,5]"])
def test_large_windows(large_fit: Any, text: str) -> None:
    ref = read("large_example.json")["windows"][text]
    check_window(large_fit, Window.of(text), ref)
    assert WeightedSums(large_fit, Window.of(text)).correlation.rbar == pytest.approx(
        ref["rbar"], rel=1e-9
    )


def test_large_constant_mean() -> None:
    ref = read("large_example.json")["other_models_[0,1]"]["constant_mean"]
    fit = MODELS["constant_mean"]().fit(large_windows())
    assert fit.car(Window(0, 1)).mean() == pytest.approx(ref["CAAR"], rel=1e-9)
    for name in ("patell", "bmp", "bmp_kp", "grank_t"):
        check_test(STATISTICS[name](fit, Window(0, 1)), ref[name])


def test_tiny_portfolio_is_the_average_of_the_multivariate_regression(
    tiny: dict[str, Any], tiny_fit: Any
) -> None:
    for text, ref in tiny["windows"].items():
        result = STATISTICS["portfolio"](tiny_fit, Window.of(text))
        check_test(result, ref["portfolio_t"])
        np.testing.assert_allclose(
            list(result), [ref["mvrm"]["avg_t"]["stat"], ref["mvrm"]["avg_t"]["p"]], **CLOSE
        )


@pytest.mark.parametrize("text", ["[0,0]", "[1,1]", "[0,1]", "[-1,1]", "[-5,-1]"])
def test_large_sign_flips_by_date(large_fit: Any, text: str) -> None:
    """Windows shorter than the spacing of the dates; for longer ones we merge dates."""
    ref = read("large_example.json")["windows"][text]["wild_cluster"]
    result = STATISTICS["wild_bootstrap"](large_fit, Window.of(text))
    np.testing.assert_allclose(list(result), [ref["stat"], ref["p"]], **CLOSE)


def test_unequal_dates_by_hand() -> None:
    """Seven values on four dates: t = 1.8860222, df = 2.3684211, p = .1797877."""
    from eventstudy.significance import DateClusters, pvalue

    values = np.array([0.02, 0.01, 0.03, -0.01, 0.00, 0.04, 0.02])
    t, df = DateClusters(np.array([0, 0, 0, 1, 1, 2, 3])).t(values)[:2]
    assert (t, df) == pytest.approx((1.8860222, 2.3684211), abs=5e-8)
    assert pvalue(t, df) == pytest.approx(0.1797877, abs=5e-8)


def check_window(fit: Any, window: Window, ref: dict[str, Any]) -> None:
    aggregate = ref["aggregate"]
    np.testing.assert_allclose(fit.car(window), aggregate["CAR"], **CLOSE)
    np.testing.assert_allclose(fit.var_car(window), aggregate["var_CAR"], **CLOSE)
    np.testing.assert_allclose(fit.scar(window), aggregate["SCAR"], **CLOSE)
    for ours, theirs in THEIRS.items():
        result = STATISTICS[ours](fit, window)
        if theirs not in ref["tests"]:
            assert result.reason == "1 date, at least 3 are needed", "one date only"
            continue
        check_test(result, ref["tests"][theirs])
        assert result.estimate == pytest.approx(aggregate["CAAR"], rel=1e-9)


def check_test(result: Any, ref: dict[str, Any]) -> None:
    exact = result.distribution == "exact"
    expected = [ref["stat"], ref["p_exact"] if exact else ref["p"]]
    np.testing.assert_allclose(list(result), expected, err_msg=result.name, **CLOSE)
    assert exact or result.distribution == ("N(0,1)" if ref["dist"] == "N" else f"t({ref['df']:g})")
