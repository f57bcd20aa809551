"""Placebo firms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import Market

from eventstudy.analysis import placebo_firms, study_tables
from eventstudy.analysis.placebos.placebo import _blocks, _drawn, rank_pvalue
from eventstudy.calendars import Window
from eventstudy.errors import ConfigError
from eventstudy.settings import StudyConfig
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


@pytest.mark.slow
def test_a_run_has_other_firms_where_the_events_name_peers() -> None:
    """A blank column is none; without other dates there are no other firms either."""
    for cell, draws, has_firms in ((" ", 39, False), ("F05", 39, True), ("F05", 0, False)):
        market = Market(n=6)
        market.table = market.table.head(5).assign(peers=["", "", "", "", cell])
        config = StudyConfig(calibrate=draws, windows=(Window(0, 1),))
        assert ("placebo" in study_tables(market.fit(), config)) == has_firms


def test_no_column_of_peers(long: EventStudyResults) -> None:
    with pytest.raises(ConfigError, match="no column of peers"):
        placebo_firms(long, W)
