"""The censored market model: an independent likelihood, known parameters, which days are bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from eventstudy.abnormal.conventions import Conventions
from eventstudy.errors import ConfigError
from eventstudy.events.table import events_from_frame
from eventstudy.models.market import CensoredMarket, tobit
from eventstudy.returns import ReturnsPanel
from eventstudy.studies.event_study import EventStudy
from eventstudy.utility.typing import FloatArray, IntArray

ALPHA, BETA, SIGMA, LIMIT = 0.001, 1.6, 0.025, 0.05


def draws(seed: int, days: int = 240) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what the market wanted, the market, and the return that a limit of 5 % lets
    through."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0, 0.02, days)
    wanted = ALPHA + BETA * market + rng.normal(0, SIGMA, days)
    return wanted, market, np.clip(wanted, -LIMIT, LIMIT)


def split(
    seen: FloatArray, market: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    X = np.column_stack([np.ones_like(market), market])
    hit = np.abs(seen) == LIMIT
    return seen[~hit], X[~hit], seen[hit], X[hit]


def fitted(seed: int) -> tuple[FloatArray, FloatArray, float]:
    _, market, seen = draws(seed)
    y, X, bound, Z = split(seen, market)
    found = tobit(y, X, bound, Z, np.linalg.lstsq(X, y, rcond=None)[0])
    assert found is not None
    return found


def loglike(p: FloatArray, y: FloatArray, X: FloatArray, bound: FloatArray, Z: FloatArray) -> float:
    """The censored likelihood in (alpha, beta, s) by scipy's distributions, with nothing of the
    model's."""
    b, s = p[:2], p[2]
    upper = bound > 0
    return float(
        stats.norm.logpdf(y, X @ b, s).sum()
        + stats.norm.logsf(bound[upper], Z[upper] @ b, s).sum()
        + stats.norm.logcdf(bound[~upper], Z[~upper] @ b, s).sum()
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_against_an_independent_likelihood(seed: int) -> None:
    """Maximum by a search without derivatives; covariance from second differences in (alpha, beta,
    s)."""
    from statsmodels.tools.numdiff import approx_hess

    _, market, seen = draws(seed)
    data = split(seen, market)
    params, cov, sigma2 = fitted(seed)
    few = 240 / 238
    own = np.array([*params, np.sqrt(sigma2 / few)])
    search = optimize.minimize(
        lambda p: -loglike(p, *data) if p[2] > 0 else np.inf, own * [0.5, 0.9, 1.1],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000},
    )  # fmt: skip
    assert loglike(own, *data) >= -search.fun - 1e-9
    np.testing.assert_allclose(own, search.x, rtol=1e-5, atol=1e-8)
    hessian = approx_hess(own, lambda p: -loglike(p, *data))
    np.testing.assert_allclose(cov / few, np.linalg.inv(hessian)[:2, :2], rtol=2e-3)


def test_without_days_at_a_limit_it_is_least_squares() -> None:
    wanted, market, _ = draws(4)
    X = np.column_stack([np.ones_like(market), market])
    b = np.linalg.lstsq(X, wanted, rcond=None)[0]
    found = tobit(wanted, X, np.empty(0), np.empty((0, 2)), b * 0.7)
    assert found is not None
    e = wanted - X @ b
    np.testing.assert_allclose(found[0], b, rtol=1e-7)
    assert found[2] == pytest.approx(e @ e / 238, rel=1e-7)
    np.testing.assert_allclose(found[1], found[2] * np.linalg.inv(X.T @ X), rtol=1e-6)


def test_least_squares_is_biased_and_tobit_is_not() -> None:
    tobits, all_days, free_days = [], [], []
    for seed in range(100, 160):
        _, market, seen = draws(seed)
        y, X, _, _ = split(seen, market)
        tobits.append([*fitted(seed)[0], fitted(seed)[2]])
        all_days.append(np.polyfit(market, seen, 1)[0])
        free_days.append(np.polyfit(X[:, 1], y, 1)[0])
    mean, error = np.mean(tobits, axis=0), np.std(tobits, axis=0, ddof=1) / np.sqrt(60)
    assert np.all(np.abs(mean - [ALPHA, BETA, SIGMA**2]) < 3 * error)
    for biased in (all_days, free_days):
        assert np.mean(biased) < BETA - 10 * np.std(biased, ddof=1) / np.sqrt(60)


def study_of(limits: str, model: str = "market") -> EventStudy:
    wanted, market, _ = draws(5, 300)
    # the share closes at the limit, and the next day carries the rest
    days = pd.bdate_range("2018-01-01", periods=300)
    values, state, left = np.zeros(300), np.zeros(300, np.int64), 0.0
    for t in range(300):
        values[t] = np.clip(wanted[t] + left, -LIMIT, LIMIT)
        left += wanted[t] - values[t]
        state[t] = np.sign(values[t]) * (abs(values[t]) == LIMIT)
    state[280:] = 0
    frame = pd.DataFrame({"A": values, "M": market}, index=days)
    panel = ReturnsPanel.from_frame(frame)
    rows = np.zeros(panel.values.shape, np.int64)
    rows[panel.row("A", "data")] = state
    table = pd.DataFrame(
        {"ticker": ["A"], "announced_at": [f"{days[290]:%Y-%m-%d}"], "benchmark": ["M"]}
    )
    events = events_from_frame(table, calendar="data")
    own = Conventions(limits=limits)  # type: ignore[arg-type]
    around = {"estimation": (-285, -11), "event": (-2, 2)}
    return EventStudy(events, replace(panel, limits=rows), model=model, conventions=own, **around)  # type: ignore[arg-type]


def states(study: EventStudy) -> IntArray:
    assert study.returns.limits is not None
    return study.returns.limits[study.returns.row("A", "data")]


def test_a_study_takes_the_first_day_of_a_run_for_a_bound() -> None:
    study = study_of("censored")
    results = study.fit()
    window, hit = results.abnormal.windows, states(study)[5:280] != 0
    follows = np.r_[states(study)[4] != 0, hit[:-1]]
    np.testing.assert_array_equal(np.isfinite(window.bounds[0]), hit & ~follows)
    np.testing.assert_array_equal(np.isnan(window.returns[0, :275]), hit | follows)
    assert results.models()["nobs"].tolist() == [int((~hit & ~follows).sum())]
    assert isinstance(results.model, CensoredMarket)
    y = study.returns.values[study.returns.row("A", "data"), 5:280]
    X = np.column_stack([np.ones(275), study.returns.values[study.returns.row("M", "data"), 5:280]])
    free, bound = ~hit & ~follows, hit & ~follows
    best = optimize.minimize(
        lambda p: -loglike(p, y[free], X[free], y[bound], X[bound]), [0.0, 1.0, 0.03],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000},
    )  # fmt: skip
    np.testing.assert_allclose(results.abnormal.params[0], best.x[:2], rtol=1e-5, atol=1e-7)
    least = study_of("extend").fit().abnormal.params[0, 1]
    assert least < results.abnormal.params[0, 1]
    batch = replace(study, engine="batch").fit().abnormal
    np.testing.assert_allclose(batch.params, results.abnormal.params, rtol=1e-7)


def test_only_the_market_model_can_be_censored() -> None:
    with pytest.raises(ConfigError, match="market model only"):
        study_of("censored", model="constant_mean").fit()
