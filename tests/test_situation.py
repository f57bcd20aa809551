"""What kind of study it is, and with which numbers."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations

import numpy as np
import pytest
from conftest import Market
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from situations import CLOSE, DISPERSED, GROUPS, ONE, placed, trust

from eventstudy.analysis import Diagnosis, diagnose
from eventstudy.analysis.answer.situation import Situation, _normality_of
from eventstudy.calendars import Window
from eventstudy.errors import ConfigError
from eventstudy.studies import EventStudyResults
from eventstudy.words import say, words


@pytest.mark.parametrize(
    ("at", "window", "kind", "clusters"),
    [
        ([160], (0, 1), "single", 1),
        (ONE, (0, 1), "one_date", 1),
        (DISPERSED, (0, 1), "dispersed", 10),
        (DISPERSED, (-1, 2), "dispersed", 10),
        (DISPERSED, (-2, 2), "close_dates", 1),
        (GROUPS, (-2, 2), "same_date_groups", 7),
        (GROUPS, (-3, 2), "close_dates", 1),
        (CLOSE, (0, 0), "same_date_groups", 8),
        (CLOSE, (0, 1), "close_dates", 1),
        ([150, 151, 160, 160], (0, 1), "close_dates", 2),
    ],
)
def test_kind(at: list[int], window: tuple[int, int], kind: str, clusters: int) -> None:
    found = placed(at).fit().diagnose(window)
    assert (found.kind, found.n_clusters) == (kind, clusters)
    assert (found.n_events, found.n_dates) == (len(at), len(set(at)))


@pytest.mark.parametrize("at", [DISPERSED, GROUPS, CLOSE, [150, 150, 152, 153, 153, 158]], ids=str)
def test_pairs_by_counting(at: list[int]) -> None:
    for L in (1, 2, 4, 9):
        found = (
            placed(at).fit().diagnose((0, L - 1)) if L <= 6 else placed(at).fit().diagnose((-4, 4))
        )
        gaps = np.array([abs(a - b) for a, b in combinations(at, 2)])
        assert found.same_date_pairs == pytest.approx((gaps == 0).mean())
        assert found.overlapping_pairs == pytest.approx(((gaps > 0) & (gaps < L)).mean())


def test_numbers_by_pandas() -> None:
    market = placed([*ONE, 150, 150, 155], seed=31, rho=0.2)
    market.table.loc[:1, "flags"] = "time_unknown"
    market.table.loc[17, "ticker"] = "F00"
    frame = market.frame.mask(np.random.default_rng(31).random(market.frame.shape) < 0.01)
    results = market.fit(frame)
    window = Window(-1, 1)
    found = results.diagnose(window)
    car = results.car([window]).dropna(subset=["car"])
    daily = results.abnormal_returns().query("-1 <= tau <= 1 and event_id in @car.event_id")
    assert 12 < len(car) < 18, "the holes must bite"
    assert found.n_events == len(car)
    day0 = market.table.set_index("event_id")["day0"].loc[car["event_id"]]
    count = day0.value_counts()
    assert found.events_per_date == (count.min(), count.median(), count.max())
    assert found.largest_date == pytest.approx(count.max() / len(car))
    nu = results.models().set_index("event_id")["nobs"] - 2
    scaled = daily["sar"] ** 2 * (1 - 2 / daily["event_id"].map(nu))
    assert found.variance_ratio == pytest.approx(scaled.mean())
    assert found.kappa == pytest.approx(car["scar"].var() / (1 - found.rbar))
    assert found.factor == pytest.approx(1 + (len(car) - 1) * found.rbar)
    assert found.effective_n == pytest.approx(len(car) / found.factor)
    assert found.skewness == pytest.approx(car["car"].skew())
    assert found.normality_p == pytest.approx(stats.jarque_bera(car["car"]).pvalue)
    own = results.diagnostics().set_index("event_id").loc[car["event_id"]]
    assert found.missing_days == pytest.approx(own["missing"].mean())
    assert found.shortest_estimation == own["nobs"].min()
    resid = [r[np.isfinite(r)] for r in results.abnormal.sample(window).resid]
    assert found.residual_skewness == pytest.approx(np.mean([stats.skew(r) for r in resid]))
    assert found.non_normal == pytest.approx(
        np.mean([stats.jarque_bera(r).pvalue < 0.05 for r in resid])
    )
    flags = market.table.set_index("event_id").loc[car["event_id"]]
    assert found.time_unknown == pytest.approx((flags["flags"] == "time_unknown").mean())
    assert found.time_unknown > 0
    assert found.repeated_firms == int(flags["ticker"].duplicated().sum()) == 1
    assert say("diagnosis.repeated_firms", n=1) in found.text


def test_correlation_on_one_date_is_the_mean_of_the_matrix() -> None:
    """Equal histories and one factor: loadings are equal, so that r is that of Kolari and
    Pynnonen."""
    results = placed(ONE, seed=32, rho=0.3).fit()
    found = results.diagnose()
    matrix = np.corrcoef(results.abnormal.resid)
    mean = matrix[np.triu_indices(15, 1)].mean()
    assert found.rbar == pytest.approx(mean)
    assert found.same_date_r == pytest.approx(mean)
    assert found.factor == pytest.approx(matrix.sum() / 15)


def test_returns_over_several_sessions_are_counted() -> None:
    results = placed(DISPERSED).fit()
    spans, ar = results.abnormal.spans.copy(), results.abnormal.ar.copy()
    spans[0, 5:7], ar[0, 5] = (0, 2), np.nan
    longer = results.abnormal.as_study(spans=spans, length=spans, ar=ar)
    found = diagnose(replace(results, abnormal=longer))
    assert found.n_events == 10
    assert found.multi_day == pytest.approx(1 / (10 * 11 - 1))
    assert any(
        "0.9% of the returns in the event window span several sessions" in s for s in found.text
    )


def test_default_window() -> None:
    market = placed(DISPERSED)
    assert market.fit().diagnose().window == Window(0, 1)
    assert market.fit(event=(2, 10)).diagnose().window == Window(2, 10)
    with pytest.raises(ConfigError, match="beyond the event window"):
        market.fit().diagnose((0, 9))


def same(one: Diagnosis, other: Diagnosis) -> None:
    for f in fields(Situation):
        value, twin = getattr(one, f.name), getattr(other, f.name)
        assert twin == (
            pytest.approx(value, rel=1e-6, nan_ok=True) if isinstance(value, float) else value
        )
    assert (other.main_test, trust(other)) == (one.main_test, trust(one))


@pytest.mark.slow
@settings(max_examples=8)
@given(scale=st.floats(0.05, 8))
def test_units_do_not_matter(scale: float) -> None:
    market = placed(GROUPS, seed=44, rho=0.2)
    same(market.fit().diagnose(), market.fit(market.frame * scale).diagnose())


def test_order_of_events_does_not_matter() -> None:
    results = placed(CLOSE, seed=45, rho=0.2).fit()
    order = np.random.default_rng(45).permutation(24)
    same(results.diagnose(), results.subset(order).diagnose())


def test_subset_is_diagnosed_by_its_own_rows() -> None:
    market = placed([*ONE, *DISPERSED], seed=47)
    market.table.loc[15:, "flags"] = "time_unknown"
    results: EventStudyResults = market.fit()
    part = results.subset(np.arange(25) >= 15).diagnose()
    assert (part.kind, part.n_events, part.time_unknown) == ("dispersed", 10, 1.0)
    assert any(s.startswith("None of the announcements has a time of day") for s in part.text)


def test_thin_trading_is_said() -> None:
    market = placed(DISPERSED, seed=48)
    frame = market.frame.copy()
    frame.iloc[:100:5, :10] = np.nan
    found = market.fit(frame).diagnose()
    days = market.fit(frame).events["nobs"]
    assert found.missing_days > 0.05
    told = f"{words().share(1 - days.mean() / 110)} of the estimation days have no return; the shortest"
    assert any(f"{told} estimation has {days.min()} days" in s for s in found.text)


def test_prices_that_stand_still_are_said_where_events_share_sessions() -> None:
    market = placed(ONE, seed=49)
    frame = market.frame.copy()
    assert market.fit().diagnose().still == ""
    firms = [name for name in frame if name != "MKT"]
    frame.loc[frame.index[::4], firms] = 0.0
    found = market.fit(frame).diagnose()
    assert found.still_days == pytest.approx(0.25, abs=0.01)
    assert found.still in found.text
    assert "25% of the estimation days have a return of exactly zero" in found.still
    adjusted = market.fit(frame, model="market_adjusted").diagnose()
    assert adjusted.still_days == found.still_days, "a return less the index is never zero"
    apart = placed(DISPERSED, seed=49)
    frame = apart.frame.copy()
    frame.loc[frame.index[::4], [name for name in frame if name != "MKT"]] = 0.0
    assert apart.fit(frame).diagnose().still == ""


def test_prices_that_begin_late_are_not_thin_trading() -> None:
    market = placed(DISPERSED, seed=48)
    frame = market.frame.copy()
    frame.iloc[:80, :10] = np.nan
    results = market.fit(frame)
    found, days = results.diagnose(), results.events["nobs"]
    assert (found.missing_days, found.late_events, found.estimation_length) == (0, 10, 110)
    assert f"As few as {days.min()} of its 110 days were used" in found.late
    assert found.late in found.text
    assert not any("Trading is thin" in s for s in found.text)
    assert market.fit().diagnose().late == ""


def test_a_large_date_is_named() -> None:
    found = placed([150] * 8 + [160, 170, 180], seed=49).fit().diagnose()
    assert any("73%" in s for s in found.text)
    assert not any("10%" in s for s in placed(DISPERSED).fit().diagnose().text)


@pytest.mark.parametrize("lost", ["days", "prices"])
def test_no_event(lost: str) -> None:
    market = placed(DISPERSED)
    frame = market.frame.copy()
    if lost == "prices":
        frame[market.tickers] = np.nan
    for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
        frame.loc[day, ticker] = np.nan
    found = market.fit(frame).diagnose()
    assert (found.kind, found.n_events, found.n_dates, found.n_clusters) == ("none", 0, 0, 0)
    assert found.main_test == ("bmp_kp" if lost == "days" else "event_t_regime")
    assert set(trust(found).values()) == {"not valid"}
    assert found.text == [say("diagnosis.none", window=Window(0, 1))]
    assert "no event has all days of the window" in str(found)


def spread_out(gap: int, length: int, effect: float = 0.0) -> EventStudyResults:
    """Eight events so far apart that they share estimation days with a neighbour's window at
    most."""
    first = length + 20
    market = placed([first + gap * i for i in range(8)], days=max(200, first + gap * 8), seed=4)
    for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
        market.frame.loc[day, ticker] += effect
    return market.fit(estimation=(-length - 10, -11))


def test_a_correlation_that_cannot_matter_needs_no_common_days() -> None:
    """Of windows that lie in the estimation window of another event only, o is next to nothing."""
    results = spread_out(gap=80, length=100)
    bmp, kp = (results.test(name, (0, 1)) for name in ("bmp", "bmp_kp"))
    assert (kp.statistic, kp.pvalue, kp.reason) == (bmp.statistic, bmp.pvalue, "")
    assert trust(results.diagnose((0, 1)))["bmp_kp"] == "valid"
    assert np.isfinite(results.weighted((0, 1)).se)
    # Where it may matter it is asked for.
    near = spread_out(gap=15, length=40)
    assert "overlap" in near.test("bmp_kp", (0, 1)).reason
    assert np.isnan(near.diagnose((0, 1)).kappa)


def test_a_mean_effect_is_no_rise_in_variance_where_the_correlation_is_unknown() -> None:
    found = spread_out(gap=15, length=40, effect=-0.2).diagnose((0, 1))
    assert found.variance_ratio > 1.5
    assert np.isnan(found.kappa)
    assert not found.variance_raised
    assert "nan" not in " ".join(found.text)


def test_events_are_worth_no_more_than_their_number() -> None:
    results = [placed(ONE, seed=seed).fit().diagnose((0, 1)) for seed in range(6)]
    assert any(found.rbar < 0 for found in results)
    assert all(found.effective_n <= found.n_events for found in results)


def test_shape_of_residuals_is_that_of_statsmodels() -> None:
    """Row by row, with days missing."""
    from statsmodels.stats.stattools import jarque_bera

    market = Market(n=12, seed=5, days=220)
    holes = np.random.default_rng(5).random(market.frame.shape) < 0.1
    market.frame = market.frame.mask(holes)
    fit = market.fit().abnormal
    found = _normality_of(fit).T
    for i, row in enumerate(fit.resid):
        _, p, skewness, _ = jarque_bera(row[np.isfinite(row)])
        np.testing.assert_allclose([own[i] for own in found], [p, skewness], rtol=1e-9)
