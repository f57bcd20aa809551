"""Shares against the market implied: each gap is a number of the table, and bands mean what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from pages import CONFIG
from scipy import stats
from violent import k_by_hand

import eventstudy as es
from eventstudy.analysis import Answer, ImpliedPath, Surroundings
from eventstudy.analysis.answer.answer import decide
from eventstudy.calendars import Sessions, Window
from eventstudy.report.figures.answer_figures import draw_implied, place_number, points_along
from eventstudy.report.figures.svg_canvas import NARROW, WIDE, Panel, Scale
from eventstudy.report.page.folds import list_folds


@pytest.mark.parametrize("n", [1, 3, 8])
@pytest.mark.parametrize("effect", [0.0, -0.03])
def test_each_gap_is_the_effect_of_its_window(n: int, effect: float) -> None:
    study = Market(n, dates=2 if n > 1 else 1, effect=effect, seed=n).fit()
    path = ImpliedPath.of(study)
    assert path is not None
    at = {int(day): k for k, day in enumerate(path.days)}
    assert (path.base, path.end) == (-1, 1)
    assert (path.shares[at[-1]], path.implied[at[-1]]) == pytest.approx((100, 100), abs=1e-12)
    for first, last in ((0, 0), (0, 1), (0, 5), (-4, -1), (-1, -1)):
        effect_of = decide(study.abnormal, Window(first, last)).effect
        day, sign = (last, 1) if first == 0 else (first - 1, -1)
        assert path.gap[at[day]] / 100 == pytest.approx(sign * effect_of.estimate, abs=1e-12)
        assert path.half[at[day]] / 100 == pytest.approx(
            effect_of.ci_high - effect_of.estimate, abs=1e-12
        )
    answer = Answer.of(study)
    assert path.gap[at[1]] / 100 == pytest.approx(answer.effect.estimate, abs=1e-12)
    assert bool(abs(path.gap[at[1]]) > path.half[at[1]]) == (answer.verdict == Answer.DIFFERENT)


def test_the_implied_level_by_hand() -> None:
    """Least squares in plain numpy: 100 (1 + sum of weighted expected returns), both ways."""
    market = Market(3, dates=1, seed=4)
    study = market.fit()
    path = ImpliedPath.of(study)
    assert path is not None
    x, weights, expected = market.frame["MKT"].to_numpy(), [], []
    a = study.abnormal
    for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
        on, y = market.frame.index.get_loc(day), market.frame[ticker].to_numpy()
        past = slice(on + a.windows.estimation.start, on + a.windows.estimation.stop + 1)
        X = np.column_stack([np.ones(len(x[past])), x[past]])
        beta, ssr, *_ = np.linalg.lstsq(X, y[past], rcond=None)
        sums = np.array([2.0, x[on : on + 2].sum()])
        var = ssr[0] / (len(X) - 2) * (2 + sums @ np.linalg.inv(X.T @ X) @ sums)
        k = k_by_hand(X, y, x, beta, ssr[0] / (len(X) - 2), on)
        weights.append(1 / np.sqrt(k * var))
        now = slice(on + int(path.days[0]), on + int(path.days[-1]) + 1)
        expected.append(beta[0] + beta[1] * x[now])
    daily = np.average(expected, axis=0, weights=weights)
    base = int(np.flatnonzero(path.days == -1)[0])
    forward = 100 * (1 + np.cumsum(daily[base + 1 :]))
    backward = 100 * (1 - np.cumsum(daily[base:0:-1]))[::-1]
    np.testing.assert_allclose(path.implied[base + 1 :], forward, atol=1e-10)
    np.testing.assert_allclose(path.implied[:base], backward, atol=1e-10)


def spread(n: int, seed: int) -> Market:
    """Return a market whose events are eleven sessions apart."""
    market = Market(n, seed=seed, days=160 + 12 * n)
    market.table["day0"] = market.frame.index[150 + 11 * np.arange(n)]
    return market


@pytest.mark.slow
def test_run_up_and_drift_of_a_planted_path() -> None:
    """-2 % on days -3 to -1 each, -4 % on day 0, 1.5 % back on days 3 and 4 each."""
    market = spread(40, seed=2)
    firms = market.frame[market.tickers]
    market.frame[market.tickers] = firms.mul(0.2).add(0.8 * market.frame["MKT"], axis=0)
    for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
        on = market.frame.index.get_loc(day)
        for offset, move in (
            (-3, -0.02),
            (-2, -0.02),
            (-1, -0.02),
            (0, -0.04),
            (3, 0.015),
            (4, 0.015),
        ):
            market.frame.iloc[on + offset, market.frame.columns.get_loc(ticker)] += move
    study = market.fit()
    around = Surroundings.of(study)
    assert around is not None
    share, low, high = around.run_up_share
    assert low < 0.6 < high
    assert high - low < 0.15
    assert share == pytest.approx(0.6, abs=0.05)
    assert around.first_day == -3
    assert around.first_day_pvalue < 0.01
    back, low, high = around.drift_share
    assert low < -0.75 < high < 0
    assert back == pytest.approx(-0.75, abs=0.12)
    (days,) = (fold for fold in list_folds(study.findings(config=CONFIG)) if fold.code == "days")
    assert str(days.blocks[2]).startswith(f"The run-up before is {share:.0%} of the whole move")
    assert f"Afterwards {-back:.0%} of the move is taken back" in str(days.blocks[2])


@pytest.mark.watch
def test_without_a_run_up_no_day_stands_out() -> None:
    """The p of the day is that of the largest of all days: 5 % of null samples have 5 % or less."""
    pvalues = []
    for seed in range(120):
        around = Surroundings.of(spread(16, seed).fit())
        assert around is not None
        pvalues.append(around.first_day_pvalue)
    assert stats.binomtest(int(np.sum(np.array(pvalues) <= 0.05)), 120, 0.05).pvalue > 0.001
    assert stats.kstest(pvalues, "uniform").pvalue > 0.001


@pytest.mark.watch
def test_the_band_of_all_days_is_left_in_one_of_twenty_studies() -> None:
    left_pointwise, left_all, n = 0, 0, 400
    for seed in range(n):
        path = ImpliedPath.of(spread(20, seed).fit())
        assert path is not None
        gap = np.abs(path.gap)
        left_all += bool((gap > path.path_half + 1e-9).any())
        left_pointwise += bool((gap > path.half + 1e-9).any())
    assert stats.binomtest(left_all, n, 0.05).pvalue > 0.001
    assert left_pointwise > 3 * left_all


@pytest.mark.parametrize("effect", [-0.03, 0.0, 0.03])
def test_the_number_of_the_bracket_covers_no_line(effect: float) -> None:
    study = Market(8, dates=4, effect=effect, seed=3).fit()
    path = ImpliedPath.of(study)
    assert path is not None
    y = Scale(float(path.shares.min()) - 3, float(path.shares.max()) + 3, 330, 20)
    panel = Panel(Scale(path.days[0] - 0.5, path.days[-1] + 0.5, 52, 865), y)
    lines = points_along(panel, path, (path.shares, path.implied))
    x, foot, _ = place_number(panel, path, lines, 72.0)
    fine = np.linspace(path.days[0], path.days[-1], 2000)
    for ys in (path.shares, path.implied):
        at = panel.x.places(fine), panel.y.places(np.interp(fine, path.days, ys))
        inside = (x < at[0]) & (at[0] < x + 72) & (foot - 18 < at[1]) & (at[1] < foot)
        assert not inside.any()


def test_the_figure_names_its_lines_clear_of_each_other() -> None:
    study = Market(8, dates=4, seed=3).fit()
    path = ImpliedPath.of(study)
    assert path is not None
    for width in (WIDE, NARROW):
        figure = draw_implied(path, width=width, title="Path")
        assert figure.count("Shares") >= 1
        assert "bracket" in figure
        ends = [
            float(part.split('y="')[1].split('"')[0])
            for part in figure.split("<text ")
            if part.endswith(("Shares</text>", "plied</text>"))
            or ">Shares<" in part
            or "mplied<" in part
        ]
        assert abs(ends[0] - ends[1]) >= 32


def test_a_day_at_a_price_limit_is_one_number_in_path_windows_and_table() -> None:
    """Day 0 closes at the limit of Shanghai, day 1 free: both days are one return."""
    days = pd.DatetimeIndex(Sessions.of("XSHG").dates, name="date")
    days = days[days >= "2021-01-04"][:260]
    rng = np.random.default_rng(12)
    index = rng.normal(0, 0.01, len(days))
    share = index + rng.normal(0, 0.012, len(days))
    at = 230
    share[at] = 0.10
    prices = pd.DataFrame(
        {"600000.SS": np.cumprod(1 + share) * 10, "000300.SS": np.cumprod(1 + index) * 4000}, days
    )
    prices.loc[days[at], "600000.SS"] = round(prices["600000.SS"].iloc[at - 1] * 1.1, 2)
    prices["600000.SS"] = prices["600000.SS"].round(2)
    prices.iloc[at + 1 :, 0] = (
        prices["600000.SS"].iloc[at] * np.cumprod(1 + share[at + 1 :])
    ).round(2)
    events = pd.DataFrame({"event_id": ["a"], "ticker": ["600000.SS"], "announced_at": [days[at]]})
    table = prices.melt(var_name="symbol", value_name="close", ignore_index=False).reset_index()
    table["adj_close"] = table["close"]
    study = es.study(events, prices=table, benchmark="000300.SS", estimation="-200:-21")
    table = study.car([(0, 0), (0, 1)])
    assert table["car"].nunique() == 1
    assert table["variance_multiple"].nunique() == table["pvalue_regime"].nunique() == 1
    returns = prices["600000.SS"].pct_change().iloc[at : at + 2].to_numpy()
    expected = study.abnormal_returns().set_index("tau").loc[[0, 1], "expected"].to_numpy()
    by_hand = np.prod(1 + returns) - 1 - expected.sum()
    assert table["car"].iloc[0] == pytest.approx(by_hand, rel=1e-12)
    path = ImpliedPath.of(study)
    assert path is not None
    gap = dict(zip(path.days.tolist(), (path.gap / 100).tolist(), strict=True))
    assert gap[1] == pytest.approx(by_hand, rel=1e-9)
    assert gap[0] == pytest.approx(returns[0] - expected[0], rel=1e-9), "at the limit"
