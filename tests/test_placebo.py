"""Placebo dates and placebo firms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import Market

from eventstudy.analysis.placebo import (
    _blocks,
    _drawn,
    placebo_dates,
    placebo_firms,
    rank_pvalue,
)
from eventstudy.calendars.window import Window
from eventstudy.errors import ConfigError
from eventstudy.findings.tables import study_tables
from eventstudy.fitting.config import StudyConfig
from eventstudy.models import MODELS
from eventstudy.studies import EventStudyResults

W = Window(0, 1)


@pytest.fixture(scope="module")
def long() -> EventStudyResults:
    """Thirty events on five dates, with prices that reach far beyond them."""
    return Market(n=30, seed=3, days=600, dates=5, rho=0.2, effect=-0.03).fit()


def test_p_is_the_rank_with_the_study_itself_among_the_draws() -> None:
    draws = np.array([0.5, -3.0, 2.0, 1.0])
    assert rank_pvalue(-2.0, draws) == (1 + 2) / 5
    assert rank_pvalue(10.0, draws) == 1 / 5
    assert rank_pvalue(0.0, draws) == 1.0


def test_a_strong_effect_beats_every_placebo_date(long: EventStudyResults) -> None:
    placebo = placebo_dates(long, W, draws=99)
    assert len(placebo.draws) == 99
    assert placebo.pvalue == 1 / 100
    assert placebo.statistic == long.test("bmp", W).statistic
    assert placebo.n_events == 30


def test_shifts_keep_clear_of_the_events(long: EventStudyResults) -> None:
    shifts = placebo_dates(long, W, draws=99).draws["shift"]
    assert shifts.is_unique
    assert shifts.min() == len(long.abnormal.event)


@pytest.mark.slow
def test_size_of_placebo_dates() -> None:
    """Without an effect p is uniform: 40 small studies, of which few may reject at 10 %."""
    p = [
        placebo_dates(
            Market(n=8, seed=s, days=420, dates=2, rho=0.3).fit(), Window(0, 0), draws=99
        ).pvalue
        for s in range(40)
    ]
    assert 0 < (np.array(p) <= 0.10).sum() <= 10
    assert 0.3 < np.mean(p) < 0.7


def test_too_few_dates_are_a_reason() -> None:
    placebo = placebo_dates(Market(n=12, seed=2).fit(estimation=(-145, -11)), W)
    assert np.isnan(placebo.pvalue)
    assert (
        f"only {len(placebo.draws)} placebo dates are possible, at least 39 are needed"
        in placebo.reason
    )
    assert "prices must reach further back" in placebo.reason
    assert placebo.reason in str(placebo)


@pytest.mark.parametrize(
    "name", ["ff3", "dimson", "trade_to_trade", pytest.param("huber", marks=pytest.mark.slow)]
)
def test_every_kind_of_model_is_estimated_anew(name: str) -> None:
    assert name in MODELS
    results = Market(n=6, seed=1, days=330, dates=3, effect=-0.08).fit(model=name)
    assert placebo_dates(results, Window(0, 0), draws=45).pvalue <= 3 / 46


def with_peers(effect: float, shock: float) -> EventStudyResults:
    """Ten firms hit on one date, thirty peers; `shock` hits all forty."""
    market = Market(n=40, seed=5, dates=1)
    day = market.table["day0"][0]
    market.frame.loc[day, market.tickers] += shock
    market.frame.loc[day, market.tickers[:10]] += effect
    market.table = market.table.head(10).assign(peers=";".join(market.tickers[10:]))
    return market.fit()


def test_placebo_firms_tell_a_common_shock_from_an_effect() -> None:
    hit, common = with_peers(-0.06, 0.0), with_peers(0.0, -0.06)
    assert hit.test("bmp", (0, 0)).pvalue < 0.01
    assert common.test("bmp", (0, 0)).pvalue < 0.01, "without peers it looks like an effect"
    assert placebo_firms(hit, (0, 0), draws=99).pvalue == 0.01
    assert placebo_firms(common, (0, 0), draws=99).pvalue > 0.1


def test_placebo_firms_are_seeded() -> None:
    results = with_peers(-0.03, 0.0)
    one, two = placebo_firms(results, W, draws=50), placebo_firms(results, W, draws=50)
    pd.testing.assert_frame_equal(one.draws, two.draws)
    assert one.draws["statistic"].nunique() > 30


def dealt(seed: int, treated: int, peers: int) -> EventStudyResults:
    """Treated firms on one date and their peers, which move together; nothing happens."""
    market = Market(n=treated + peers, seed=seed, dates=1, rho=0.2)
    own = ";".join(market.tickers[treated:])
    market.table = market.table.head(treated).assign(peers=own)
    return market.fit(engine="batch")


@pytest.mark.slow
def test_size_with_as_many_peers_as_treated_firms() -> None:
    """Samples of the peers alone would be one sample of five: p would be 1/100 in half of these
    studies."""
    p = np.array([placebo_firms(dealt(seed, 5, 5), W, draws=99).pvalue for seed in range(60)])
    assert 0 < (p <= 0.10).sum() <= 12
    assert 0.35 < p.mean() < 0.65


def test_few_different_samples_of_firms_are_no_reference() -> None:
    placebo = placebo_firms(dealt(1, 2, 3), W, draws=200)
    assert np.isnan(placebo.pvalue)
    assert "only 10 different samples of firms are possible, at least 39" in placebo.reason
    assert "give more peers" in placebo.reason


def test_each_firm_stands_once_on_a_date_and_events_keep_to_their_own_peers() -> None:
    pools = [np.array([5, 6]), np.array([6, 5]), np.array([7]), np.array([], dtype=np.int64)]
    day0 = np.array(["2020-01-02", "2020-01-02", "2020-01-03", "2020-01-03"], dtype="datetime64[D]")
    blocks = _blocks(pools, np.arange(4), day0, np.ones(4, dtype=bool))
    rng = np.random.default_rng(1)
    drawn = np.array([_drawn(blocks, day0, rng) for _ in range(400)])
    assert set(drawn[:, 0]) == set(drawn[:, 1]) == {0, 1, 5, 6}
    assert (drawn[:, 0] != drawn[:, 1]).all()
    assert set(drawn[:, 2]) == {2, 7}
    assert set(drawn[:, 3]) == {-1}
    assert 60 < (drawn[:, 0] == 5).sum() < 140, "each of the four as often"


def test_peers_without_prices_are_a_reason() -> None:
    market = Market(n=6, seed=1)
    market.table = market.table.assign(peers="NOWHERE;" + market.tickers[0])
    placebo = placebo_firms(market.fit(), W, draws=50)
    assert np.isnan(placebo.pvalue)
    assert placebo.reason.startswith("6 events have no untreated peer with prices")


def test_a_blank_column_of_peers_is_no_column() -> None:
    """Placebos by date alone; one peer makes it a column again."""
    config = StudyConfig(placebo=39, windows=(Window(0, 1),))
    for cell, kinds in {" ": ["dates"], "F05": ["dates", "firms"]}.items():
        market = Market(n=6)
        market.table = market.table.head(5).assign(peers=["", "", "", "", cell])
        assert study_tables(market.fit(), config)["placebo"]["kind"].tolist() == kinds


def test_no_column_of_peers(long: EventStudyResults) -> None:
    with pytest.raises(ConfigError, match="no column of peers"):
        placebo_firms(long, W)
