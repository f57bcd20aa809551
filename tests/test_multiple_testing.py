"""Families of hypotheses: reference numbers, hand computation, properties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from hypothesis import given, settings
from hypothesis import strategies as st
from test_reference import CLOSE, large_windows, read
from test_weights import results_of

from eventstudy.analysis import study_tables
from eventstudy.analysis.cross_section.multiple_testing import (
    ADJUSTMENTS,
    FAMILIES,
    adjusted,
    stepdown,
)
from eventstudy.calendars import Window
from eventstudy.errors import ConfigError, InapplicableError
from eventstudy.models import MODELS
from eventstudy.settings import StudyConfig
from eventstudy.significance import STATISTICS, DateClusters
from eventstudy.studies import EventStudyResults

COLUMNS = [
    "label",
    "n_events",
    "estimate",
    "statistic",
    "pvalue",
    "holm",
    "bh",
    "by",
    "romano_wolf",
    "reason",
]


@pytest.fixture(scope="module")
def large() -> EventStudyResults:
    frame = pd.DataFrame({"mkt": [0.0, 0.0]}, index=pd.bdate_range("2024-01-01", periods=2))
    return results_of(MODELS["market"]().fit(large_windows()), 1.0, frame)


def test_reference_days(large: EventStudyResults) -> None:
    ref = read("large_example.json")["multiple_testing_daily_bmp_kp"]
    table = large.multiple("days", test="bmp_kp")
    assert list(table.columns) == COLUMNS
    assert list(table["label"]) == [str(t) for t in range(-5, 6)]
    for ours, theirs in (("pvalue", "p"), ("holm", "holm"), ("bh", "bh")):
        np.testing.assert_allclose(table[ours], ref[theirs], **CLOSE)


def test_reference_events(large: EventStudyResults) -> None:
    ref = read("large_example.json")["multiple_testing_events_[0,1]"]
    table = large.multiple("events", window=(0, 1), test="event_t")
    assert [(table[c] < 0.05).sum() for c in ("pvalue", "holm", "bh")] == list(ref.values())
    assert "romano_wolf" not in table
    assert set(table["n_events"]) == {1}
    # By default with the p that the page of each event shows.
    shown = large.car([(0, 1)])
    by_default = large.multiple("events", window=(0, 1))
    np.testing.assert_array_equal(by_default["pvalue"], shown["pvalue_regime"])
    assert (shown["variance_multiple"] > 1).any()
    with pytest.raises(ConfigError, match="event_t_regime"):
        large.multiple("events", test="bmp")


def test_reference_tiny() -> None:
    ref = read("worked_example.json")["multiple_testing"]
    for method in ("holm", "bh"):
        np.testing.assert_allclose(adjusted(ref["p_raw"], method), ref[method], **CLOSE)


def test_reference_romano_wolf(large: EventStudyResults) -> None:
    """The reference draws 999 signs of its eight dates as choice of -1 and 1, and merges no dates.

    With five events on every date CR1 and CR2 are the same: n_g / N = 1 / G.
    """
    ref = read("large_example.json")["romano_wolf_windows"]
    signs = np.random.default_rng(ref["seed"]).choice([-1.0, 1.0], size=(ref["B"], 8))
    windows = [Window.of(w) for w in read("large_example.json")["windows"]]
    cluster = DateClusters.by_date(large.abnormal).number
    values = [large.abnormal.car(w) for w in windows]
    t = [abs(DateClusters(cluster).t(v).statistic) for v in values]
    np.testing.assert_allclose(t, ref["t"], **CLOSE)
    p = stepdown(values, [cluster] * 6, signs, complete=False)
    np.testing.assert_allclose(p, ref["p"], rtol=1e-12)


def test_adjustments_by_hand() -> None:
    """p = .01, .04, .03, .20: Holm 4 p and maxima; BH minima of 4 p / rank; BY times 1 + 1/2 + 1/3
    + 1/4."""
    p = [0.01, 0.04, np.nan, 0.03, 0.20]
    np.testing.assert_allclose(adjusted(p, "holm"), [0.04, 0.09, np.nan, 0.09, 0.20])
    bh = np.array([0.04, 0.16 / 3, np.nan, 0.16 / 3, 0.20])
    np.testing.assert_allclose(adjusted(p, "bh"), bh)
    np.testing.assert_allclose(adjusted(p, "by"), bh * 25 / 12)
    assert np.isnan(adjusted([np.nan, np.nan], "holm")).all()
    assert adjusted([], "by").shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.sampled_from(list(ADJUSTMENTS)))
@settings(max_examples=50)
def test_adjusted_pvalues_keep_their_order_and_never_fall(p: list[float], method: str) -> None:
    out = adjusted(p, method)
    order = np.argsort(p, kind="stable")
    assert (out >= np.array(p) * (1 - 1e-12)).all()
    assert (out <= 1).all()
    assert (np.diff(out[order]) >= -1e-12).all()


def brute_force(values: list[Any], clusters: list[Any], signs: Any, complete: bool) -> Any:
    """Return stepdown p-values draw by draw, each t* from the flipped values themselves."""
    t = [abs(DateClusters(c).t(v).statistic) for v, c in zip(values, clusters, strict=True)]
    stars = [
        [abs(DateClusters(c).t(v * s[c]).statistic) for v, c in zip(values, clusters, strict=True)]
        for s in signs
    ]
    p, last, left = np.empty(len(t)), 0.0, list(range(len(t)))
    while left:
        k = max(left, key=lambda j: t[j])
        reached = sum(max(row[j] for j in left) >= t[k] - 1e-9 for row in stars)
        last = max(last, (reached + (not complete)) / (len(signs) + (not complete)))
        p[k] = last
        left.remove(k)
    return p


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("complete", [True, False])
def test_stepdown_by_brute_force(seed: int, complete: bool) -> None:
    rng = np.random.default_rng(seed)
    clusters = [np.r_[np.arange(7), rng.integers(0, 7, n)] for n in (3, 8, 0)]
    values = [
        rng.standard_normal(len(c)) + shift
        for c, shift in zip(clusters, (1.0, 0.2, 0.0), strict=True)
    ]
    signs = (
        DateClusters.draw_signs(7, 0, 0)[0] if complete else rng.choice([-1.0, 1.0], size=(99, 7))
    )
    ours = stepdown(values, clusters, signs, complete=complete)
    np.testing.assert_allclose(ours, brute_force(values, clusters, signs, complete))


def test_hypotheses_that_miss_a_date_share_the_draws_of_the_others() -> None:
    """A copy of a hypothesis without dates 0 and 1 is the same as that hypothesis on dates numbered
    anew."""
    rng = np.random.default_rng(1)
    value, cluster = rng.standard_normal(12) + 0.5, np.tile(np.arange(2, 8), 2)
    signs, _ = DateClusters.draw_signs(8, 0, 0)
    alone = stepdown([value], [cluster - 2], DateClusters.draw_signs(6, 0, 0)[0], complete=True)
    np.testing.assert_allclose(stepdown([value], [cluster], signs, complete=True), alone)
    np.testing.assert_allclose(
        stepdown([value] * 3, [cluster] * 3, signs, complete=True), alone.repeat(3)
    )


def test_signs() -> None:
    signs, complete = DateClusters.draw_signs(6, 10, 1)
    assert complete
    assert len({tuple(row) for row in signs}) == 64
    drawn, complete = DateClusters.draw_signs(13, 500, 1)
    assert not complete
    assert drawn.shape == (500, 13)
    np.testing.assert_array_equal(drawn, DateClusters.draw_signs(13, 500, 1)[0])
    assert set(np.unique(drawn)) == {-1.0, 1.0}


def test_one_hypothesis_is_the_wild_bootstrap() -> None:
    results = Market(24, dates=8, effect=0.02).fit()
    sample, window = results.abnormal, Window(0, 0)
    wild = STATISTICS["wild_bootstrap"](sample, window)
    signs, complete = DateClusters.draw_signs(8, 0, 0)
    p = stepdown(
        [sample.car(window)], [DateClusters.by_date(sample).number], signs, complete=complete
    )
    assert p[0] == pytest.approx(wild.pvalue)


def test_a_family_of_windows_is_of_those_asked_for() -> None:
    results = Market(24, dates=8, effect=0.02).fit()
    table = results.multiple("windows", windows=[(0, 1), "-1:1"])
    assert table["label"].tolist() == ["[0,1]", "[-1,1]"]
    p = np.array([results.test(results.main_test(w), w).pvalue for w in ((0, 1), (-1, 1))])
    np.testing.assert_allclose(table["holm"].max(), max(p.max(), 2 * p.min()))
    written = study_tables(results, StudyConfig(windows=("0:1", "-1:1")))["families"]
    assert written.loc[written["family"] == "windows", "label"].tolist() == ["[0,1]", "[-1,1]"]


def test_dates_closer_than_the_longest_window_are_one_cluster() -> None:
    """Pairs of dates six sessions apart: eight clusters for single days, four for a window of
    eleven."""
    market = Market(16, days=260, dates=8)
    at = 150 + 6 * np.arange(8)[np.arange(16) % 8] + 10 * (np.arange(16) % 8 // 2)
    market.table["day0"] = market.frame.index[at]
    results = market.fit()
    days, windows = results.multiple("days"), results.multiple("windows")
    assert days["romano_wolf"].notna().all()
    assert windows["romano_wolf"].isna().all()
    assert (
        windows["reason"]
        .str.contains("Romano-Wolf: 4 clusters of dates, at least 6 are needed")
        .all()
    )


def test_windows_and_groups() -> None:
    market = Market(40, dates=10, effect=0.03)
    market.table["kind"] = ["b" if i % 3 else "a" for i in range(40)]
    market.table.loc[39, "kind"] = "c"
    results = market.fit()
    groups = results.multiple("groups", by="kind", window=(0, 0), test="date_clustered")
    assert list(groups["label"]) == ["b", "a", "c"]
    assert list(groups["n_events"]) == [26, 13, 1]
    single = groups.iloc[2]
    assert np.isnan(single[["pvalue", "holm", "romano_wolf"]].astype(float)).all()
    assert single["reason"].startswith("1 date, at least 3 are needed; Romano-Wolf: 1 cluster ")
    p = groups["pvalue"].to_numpy()[:2]
    assert groups["holm"][:2].max() <= min(1, 2 * p.max()), "the third is not counted"
    assert groups["romano_wolf"][:2].between(0, 0.05).all()
    table = results.multiple("windows", methods=["by"])
    assert list(table["label"]) == [str(w) for w in results.windows_of(None)]
    assert list(table.columns[5:]) == ["by", "reason"]


@pytest.mark.parametrize("method", ["romano_wolf", "holm"])
def test_order_of_events_scale_and_sign_are_irrelevant(method: str) -> None:
    market = Market(24, dates=8, effect=0.02)
    one = market.fit()
    ref = one.multiple("days", methods=[method])
    order = np.random.default_rng(3).permutation(24)
    pd.testing.assert_frame_equal(ref, one.subset(order).multiple("days", methods=[method]))
    turned = market.fit(-market.frame * 0.5).multiple("days", methods=[method])
    np.testing.assert_allclose(turned[method], ref[method], rtol=1e-9)


def test_events_without_the_window_are_not_counted() -> None:
    market = Market(12)
    market.frame.loc[market.table["day0"].iloc[3], "F03"] = np.nan
    results = market.fit()
    table = results.multiple("events", window=(0, 0))
    assert table["reason"].tolist()[3] == "the event lacks days of the window"
    assert np.isnan(table.loc[3, ["pvalue", "holm"]].astype(float)).all()
    rest = results.subset(np.r_[0:3, 4:12]).multiple("events", window=(0, 0))
    np.testing.assert_allclose(table["holm"].dropna(), rest["holm"])


def test_errors_of_use() -> None:
    results = Market(12).fit()
    with pytest.raises(ConfigError, match="did you mean 'windows'"):
        results.multiple("window")
    with pytest.raises(ConfigError, match="known: holm, bh, by"):
        results.multiple("days", methods=["bonferroni"])
    with pytest.raises(ConfigError, match="Romano-Wolf needs several events"):
        results.multiple("events", methods=["romano_wolf"])
    with pytest.raises(ConfigError, match="no column splits the events"):
        results.multiple("groups")
    with pytest.raises(ConfigError, match="unknown test"):
        results.multiple("days", test="nothing")
    assert list(FAMILIES) == ["events", "days", "windows", "groups"]
    with pytest.raises(InapplicableError):
        stepdown([np.ones(4)], [np.arange(4)], np.ones((1, 4)), complete=False)
