"""Coefficients as portfolios: against numbers of another program, the forecast of the portfolio
itself, and counts by hand."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import Market
from numpy.testing import assert_allclose
from scipy import stats
from test_cross_section import HERE, large_results, with_columns

from eventstudy.analysis import CarRegression, explain
from eventstudy.analysis.cross_section._portfolio_errors import (
    dispersion,
    measured_before,
    recent_variances,
)
from eventstudy.analysis.placebos.shifted_dates import days_of, draw_cars, shifts_of
from eventstudy.calendars import Window
from eventstudy.dependence import WeightedSums
from eventstudy.events import Events
from eventstudy.returns import ReturnsPanel
from eventstudy.studies import EventStudy, EventStudyResults
from eventstudy.words import say

CLOSE: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-15}
DAY01 = Window(0, 1)
CASES = json.loads((HERE / "portfolio_errors.json").read_text(encoding="utf-8"))["cases"]


def study_of(case: str) -> EventStudyResults:
    """Return the large example, or its events on one date after violent days."""
    if case != "one_date":
        return large_results()
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    frame = long.pivot_table(index="date", columns="firm", values="ret")
    frame["mkt"] = long.drop_duplicates("date").set_index("date")["mkt"]
    first = long.drop_duplicates("firm").reset_index(drop=True)
    day = first["event_date"].max()
    at = frame.index.get_loc(day)
    frame.iloc[at - 25 : at - 1] *= 3
    table = pd.DataFrame({
        "event_id": first["firm"], "ticker": first["firm"], "announced_at": "", "tz": "",
        "exchange": "", "benchmark": "mkt", "day0": day, "flags": "", "x1": first["x1"],
        "x2": first["x2"],
    })  # fmt: skip
    events = Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))
    panel = ReturnsPanel.from_frame(frame)
    return EventStudy(events, panel, estimation=(-130, -11), event=(-5, 5)).fit()


def weights_of(study: EventStudyResults, X: np.ndarray, weights: str, window: Window) -> np.ndarray:
    """Return (X'WX)^-1 X'W, (k, N)."""
    w = 1 / study.abnormal.var_car(window) if weights == "precision" else np.ones(len(X))
    return np.asarray(np.linalg.solve(X.T @ (w[:, None] * X), X.T * w))


@pytest.mark.parametrize("case", CASES)
def test_numbers_of_another_program(case: str) -> None:
    expected, study = CASES[case], study_of(case)
    window, a = Window(*expected["window"]), study.abnormal
    own = explain(study, "x1 + x2", window, weights=expected["weights"])
    assert own.cov == CarRegression.BY_PORTFOLIO
    assert_allclose(own.params, expected["b"], **CLOSE)
    X = np.column_stack([np.ones(len(a)), study.events[["x1", "x2"]].astype(float)])
    A = weights_of(study, X, expected["weights"], window)
    V = WeightedSums(a, window).variance(A.T * np.sqrt(a.var_car(window))[:, None])
    assert_allclose(V, expected["V"], **CLOSE)
    assert_allclose(recent_variances(a, window, A), expected["k"], **CLOSE)
    assert_allclose(dispersion(a, window, X, A), expected["x"], **CLOSE)
    assert_allclose(own.errors[1].V, expected["cov"], **CLOSE)
    assert_allclose(own.bse, expected["se"], **CLOSE)
    assert_allclose(own.pvalues, expected["p"], **CLOSE)
    assert (own.table["df"] == expected["nu"]).all()
    joint = own.joint()
    assert_allclose([joint.statistic, joint.df1, joint.df2], expected["joint"], **CLOSE)
    assert joint.pvalue == pytest.approx(stats.f.sf(*expected["joint"]), rel=1e-9)


@pytest.mark.parametrize("weights", ["equal", "precision"])
def test_one_date_is_the_forecast_of_the_portfolio_itself(weights: str) -> None:
    """With the same days for all, V is the variance of a forecast of the portfolio's return."""
    market, rng = Market(12, dates=1, seed=7, rho=0.4), np.random.default_rng(7)
    x = rng.standard_normal(12)
    study = with_columns(market.fit(), x=x)
    own = explain(study, "x", (0, 1), weights=weights)  # type: ignore[arg-type]
    X = np.column_stack([np.ones(12), x])
    A = weights_of(study, X, weights, DAY01)
    returns = market.frame[market.tickers].to_numpy() @ A.T
    day = int(np.flatnonzero(market.frame.index == market.table["day0"][0])[0])
    before, after = slice(day - 120, day - 10), slice(day, day + 2)
    regressors = sm.add_constant(market.frame["MKT"].to_numpy())
    a = study.abnormal
    V = WeightedSums(a, DAY01).variance(A.T * np.sqrt(a.var_car(DAY01))[:, None])
    for j in range(2):
        fit = sm.OLS(returns[before, j], regressors[before]).fit()
        total = regressors[after].sum(axis=0)
        car = returns[after, j].sum() - total @ fit.params
        assert own.params.iloc[j] == pytest.approx(car, rel=1e-9)
        variance = 2 * fit.mse_resid + total @ fit.cov_params() @ total
        assert V[j, j] == pytest.approx(variance, rel=1e-9)


def spread_out(dates: int) -> EventStudyResults:
    """Return 60 events on dates that are four sessions apart."""
    market = Market(60, dates=1, days=400, seed=5)
    at = 200 + 4 * (np.arange(60) % dates)
    market.table["day0"] = market.frame.index[at]
    return with_columns(market.fit(), x=np.random.default_rng(5).standard_normal(60))


@pytest.mark.parametrize(
    ("dates", "label"),
    [(1, CarRegression.BY_PORTFOLIO), (5, CarRegression.BY_PORTFOLIO), (40, "CR2")],
)
def test_the_design_alone_decides_which_errors_decide(dates: int, label: str) -> None:
    study = spread_out(dates)
    own = explain(study, "x")
    assert own.cov == label
    assert own.is_published == (dates < 60)
    if dates > 2:
        assert (own.by("CR2")["df"].iloc[1] >= 10) == (label == "CR2")
    # Windows of seven days share sessions from each date to the next: they count as one date.
    assert explain(study, "x", (-3, 3)).cov == CarRegression.BY_PORTFOLIO


def test_a_joint_test_by_date_has_the_smallest_degrees_of_freedom() -> None:
    study = spread_out(40)
    own = explain(with_columns(study, z=np.arange(60.0) % 7), "x + z")
    assert own.cov == "CR2"
    b, df = own.params.to_numpy()[1:], own.by("CR2")["df"].iloc[1:].min()
    V = own.errors[0].V[1:, 1:]
    statistic = b @ np.linalg.inv(V) @ b * (df - 1) / (2 * df)
    assert own.joint().statistic == pytest.approx(statistic, rel=1e-9)
    assert own.joint().pvalue == pytest.approx(stats.f.sf(statistic, 2, df - 1), rel=1e-9)


def test_a_rank_on_one_date_is_among_the_windows_of_the_estimation_days() -> None:
    market = Market(12, dates=1, seed=7)
    x = np.random.default_rng(7).standard_normal(12)
    study = with_columns(market.fit(), x=x)
    own = explain(study, "x", (0, 1), rank=True)
    sums = study.abnormal.resid[:, :-1] + study.abnormal.resid[:, 1:]
    slopes = [np.polyfit(x, day, 1)[0] for day in sums.T]
    larger = sum(abs(slope) >= abs(own.params["x"]) for slope in slopes)
    assert len(slopes) == 109
    assert own.table["rank_pvalue"].iloc[1] == pytest.approx((1 + larger) / 110, rel=1e-12)


def test_a_rank_on_several_dates_is_among_shifted_calendars() -> None:
    market = Market(12, dates=4, days=500, seed=3)
    market.table["day0"] = market.frame.index[[300, 310, 320, 330] * 3]
    study = with_columns(market.fit(), x=np.random.default_rng(3).standard_normal(12))
    cars = draw_cars(study, DAY01, 60)
    shifts = shifts_of(study, DAY01, 60)
    places = shifts.places(days_of(study))
    assert cars.shape == places.shape
    # Before the events, so that none of their days is left out of an estimation window.
    early = int(np.flatnonzero((places < 290).all(axis=1))[0])
    market.table["day0"] = shifts.sessions[places[early]].astype("datetime64[ns]")
    drawn = np.isfinite(cars[early])
    assert drawn.mean() >= 0.8
    assert_allclose(cars[early][drawn], market.fit().abnormal.car(DAY01)[drawn], rtol=1e-9)
    own = explain(study, "x", (0, 1), rank=True)
    assert 0 < own.table["rank_pvalue"].iloc[1] <= 1
    assert say("regression.ranked", n=len(draw_cars(study, DAY01, 499))) in own.notes


def test_characteristics_of_the_estimation_days_are_named() -> None:
    study = Market(20, dates=1, seed=2).fit()
    a = study.abnormal
    named = with_columns(study, beta=a.params[:, 1], x=np.arange(20.0) % 7)
    own = explain(named, "beta + x", (0, 1))
    assert say("regression.measured", names=["Beta"], n=1) in own.notes
    design = {"names": [term.label for term in own.terms]}
    assert design["names"][1:] == ["beta", "x"]


def test_independent_characteristics_are_seldom_taken_for_measured_ones() -> None:
    a = Market(8, dates=1, seed=2).fit().abnormal
    from eventstudy.analysis.cross_section._regressors import Design, Term

    rng, named = np.random.default_rng(1), 0
    for _ in range(200):
        x = rng.standard_normal(8)
        term = Term("x", ("x",), "x", "number", "", 8, 8)
        named += bool(measured_before(a, Design(x[:, None], (term,))))
    assert named <= 4


def test_words_and_steps_of_the_user() -> None:
    rng = np.random.default_rng(1)
    study = with_columns(
        Market(30, dates=6).fit(), vol=rng.uniform(0.01, 0.03, 30), size=rng.lognormal(20, 1, 30),
        chip=np.arange(30) % 3 == 0, sector=np.array(["a", "b:c"])[np.arange(30) % 2],
    )  # fmt: skip
    labels = {"vol": "Volatility before, per 1% a day", "sector=b:c": "Banks", "const": "All else"}
    table = explain(study, "vol + np.log(size) + chip + sector", labels=labels).table
    rows = table.set_index("label")
    assert rows.loc["Volatility before", "step"] == 0.01
    assert rows.loc["Volatility before", "per"] == "per 1% a day"
    assert rows.loc["log of size", ["step", "per"]].tolist() == [1.0, "per 1"]
    assert rows.loc["chip", ["kind", "count", "smallest"]].tolist() == ["class", 10, 10]
    assert rows.loc["Banks", "base"] == "sector: a"
    assert rows.loc["All else", "kind"] == "constant"


def test_models_without_a_market_or_with_a_variance_of_their_own() -> None:
    market = Market(12, dates=1, seed=7)
    x = np.random.default_rng(7).standard_normal(12)
    plain = explain(with_columns(market.fit(model="constant_mean"), x=x), "x")
    assert np.isfinite(plain.pvalues).all()
    from dataclasses import replace

    study = market.fit()
    without = replace(study, abnormal=study.abnormal.as_study(recent=None))
    A = np.linalg.pinv(np.column_stack([np.ones(12), x]))
    assert (recent_variances(without.abnormal, DAY01, A) == 1).all()


@pytest.mark.parametrize(
    ("n", "head"),
    [(1, "Formula"), (2, "Formula"), (6, "Formula"), (2, "Semiconductors"), (5, "Semiconductors")],
)
def test_a_table_of_latex_fits_a_default_article(n: int, head: str, tmp_path: Path) -> None:
    if not (compiler := shutil.which("pdflatex")):
        pytest.skip("no pdflatex")
    rng = np.random.default_rng(1)
    study = with_columns(
        Market(30, dates=6).fit(), leverage_before_the_news=rng.uniform(0, 1, 30),
        sector=np.array(["banks & <insurers>", "SEMICONDUCTOR EQUIPMENT"])[np.arange(30) % 2],
    )  # fmt: skip
    formulas = ["leverage_before_the_news + sector", "sector", "1", "sector + 0"]
    heads = [f"{head} {k}" for k in range(n)]
    named = {head: formulas[k % 4] for k, head in enumerate(heads)}
    text = study.explain(named).to_latex()
    document = (
        "\\documentclass{article}\\usepackage{booktabs,array,longtable}\\begin{document}\n"
        f"{text}\\end{{document}}\n"
    )
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    command = [compiler, "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-800:]
    log = (tmp_path / "t.log").read_text(encoding="utf-8", errors="replace")
    assert "Overfull" not in log
