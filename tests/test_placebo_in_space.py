"""The rank of one event among its donors."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import Market
from scipy.optimize import minimize

from eventstudy.abnormal import AbnormalReturns
from eventstudy.calendars import Window
from eventstudy.significance import STATISTICS, SignificanceTest

W = Window(-1, 1)


def with_donors(J: int, *, seed: int = 41, effect: float = 0.0, n: int = 1) -> Market:
    """Return a market whose events have J donors of their own, as noisy as the firms."""
    market = Market(n=n, seed=seed, effect=effect)
    rng = np.random.default_rng(seed)
    for j in range(J):
        noise = rng.standard_normal(len(market.frame)) * 0.02
        market.frame[f"P{j:02d}"] = market.frame["MKT"] * rng.normal(1, 0.3) + noise
    market.table["donors"] = ";".join(f"P{j:02d}" for j in range(J))
    return market


def placebo(fit: AbnormalReturns, window: Window = W) -> SignificanceTest:
    return STATISTICS["placebo_in_space"](fit, window)


def slsqp(y: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """Return the weights by a general optimiser."""
    J = Z.shape[1]
    found = minimize(
        lambda w: 1e4 * ((y - Z @ w) ** 2).sum(), np.full(J, 1 / J), bounds=[(0, 1)] * J,
        method="SLSQP",
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"maxiter": 500, "ftol": 1e-13},
    )  # fmt: skip
    return np.asarray(found.x)


@pytest.mark.parametrize("window", [Window(0, 0), W, Window(-5, 5)], ids=str)
def test_rank_from_the_data_by_another_optimiser(window: Window) -> None:
    market = with_donors(6)
    result = placebo(market.fit(model="synthetic_control").abnormal, window)
    frame = market.frame
    at = frame.index.get_loc(market.table["day0"][0])
    past, days = slice(at - 120, at - 10), slice(at + window.start, at + window.stop + 1)
    names = [f"P{j:02d}" for j in range(6)]
    ratios = []
    for name in ["F00", *names]:
        others = [d for d in names if d != name]
        w = slsqp(frame[name].to_numpy()[past], frame[others].to_numpy()[past])
        gap = frame[name].to_numpy() - frame[others].to_numpy() @ w
        ratios.append(abs(gap[days].sum()) / np.sqrt((gap[past] ** 2).mean()))
    assert result.statistic == pytest.approx(ratios[0], rel=1e-4)
    assert result.pvalue == pytest.approx((1 + sum(r >= ratios[0] for r in ratios[1:])) / 7)
    assert result.distribution == "donors"
    assert result.reason == "6 donors, 20 needed for p below 0.05"


def test_an_effect_leads_the_rank() -> None:
    result = placebo(with_donors(20, effect=-0.3).fit(model="synthetic_control").abnormal)
    assert result.pvalue == pytest.approx(1 / 21)
    assert result.reason == ""
    assert all(np.isnan(result.confidence_interval()))


@pytest.mark.slow
def test_without_an_effect_every_rank_is_as_likely() -> None:
    """70 events and 9 exchangeable donors each: p is uniform on 1/10..1."""
    ranks = []
    for seed in range(70):
        market = with_donors(9, seed=100 + seed)
        # The event is a draw like its donors.
        own = np.random.default_rng(seed)
        market.frame["F00"] = (
            market.frame["MKT"] * own.normal(1, 0.3) + own.standard_normal(200) * 0.02
        )
        ranks.append(placebo(market.fit(model="synthetic_control").abnormal, Window(0, 0)).pvalue)
    assert np.mean(ranks) == pytest.approx(0.55, abs=4 * 0.2872 / np.sqrt(70))
    assert np.mean(np.array(ranks) <= 0.1 + 1e-9) == pytest.approx(0.1, abs=4 * 0.3 / np.sqrt(70))


def test_scale_and_sign_do_not_matter() -> None:
    market = with_donors(6)
    one = placebo(market.fit(model="synthetic_control").abnormal)
    for scale in (0.01, -1.0, 3.0):
        other = placebo(market.fit(market.frame * scale, model="synthetic_control").abnormal)
        assert other.statistic == pytest.approx(one.statistic, rel=1e-8)
        assert other.pvalue == one.pvalue


def test_donors_of_an_event_that_has_fewer() -> None:
    """Places left empty beside an event with more donors are no donors."""
    market = with_donors(6, n=2)
    alone = market.fit(model="synthetic_control")
    market.table.loc[1, "donors"] = "P00;P01;P02"
    both = market.fit(model="synthetic_control")
    fit = both.abnormal
    assert placebo(fit.take(np.array([1]))).reason.startswith("3 donors")
    assert (
        placebo(fit.take(np.array([0]))).pvalue
        == placebo(alone.abnormal.take(np.array([0]))).pvalue
    )


@pytest.mark.parametrize(
    ("days", "is_donor"),
    [(0, False), (10, False), (11, True), (-10, False), (-11, True), (-15, True), (-16, False),
     (-65, False), (-66, True)],
)  # fmt: skip
def test_a_donor_leaves_for_news_in_the_windows_of_the_event(days: int, is_donor: bool) -> None:
    """Windows are [-60,-21] and [-5,5]: event windows that touch neither cost no donor."""
    market = with_donors(3, n=2)
    market.table["donors"] = "P00;P01;F00;F01"
    at = market.frame.index.get_loc(market.table["day0"][0]) + days
    moved = market.frame.index[at]
    market.table.loc[1, ["announced_at", "day0"]] = [str(moved.date()), moved]
    fit = market.fit(model="synthetic_control", estimation=(-60, -21))
    windows = fit.abnormal.windows
    assert windows.factors[0].any(axis=0).sum() == 2 + is_donor
    assert ("F01 (1 of 2 events)" in " ".join(fit.panel.notes)) is not is_donor


def test_what_it_does_not_apply_to(market: Market) -> None:
    sample = placebo(market.fit(model="synthetic_control").abnormal)
    one = placebo(market.fit().abnormal.take(np.array([0])))
    assert np.isnan([sample.statistic, one.statistic]).all()
    assert sample.reason.startswith("tests one event at a time, not the mean of 12")
    assert "synthetic_control" in one.reason
