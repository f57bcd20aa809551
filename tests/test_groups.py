"""Differences between groups: brute-force CR2, scipy, by hand, properties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import Market
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eventstudy.analysis import study_tables
from eventstudy.analysis.all_tables import STACKED
from eventstudy.analysis.cross_section.groups import Pair, clustered, differences, welch
from eventstudy.errors import ConfigError, InapplicableError
from eventstudy.settings import StudyConfig
from eventstudy.significance import DateClusters


def brute_force(pair: Pair) -> tuple[float, float, float]:
    """Estimate, CR2 standard error and Satterthwaite df with every matrix written out."""
    n = len(pair.car)
    X = np.column_stack([np.ones(n), pair.first])
    bread = np.linalg.inv(X.T @ X)
    H = X @ bread @ X.T
    theta = bread @ X.T @ pair.car
    residual = pair.car - X @ theta
    variance, q = 0.0, []
    for g in np.unique(pair.date):
        rows = np.flatnonzero(pair.date == g)
        values, vectors = np.linalg.eigh(np.eye(len(rows)) - H[np.ix_(rows, rows)])
        A = vectors @ np.diag(values**-0.5) @ vectors.T
        w = A @ X[rows] @ bread @ np.array([0.0, 1.0])
        variance += float(w @ residual[rows]) ** 2
        q.append((np.eye(n) - H)[:, rows] @ w)
    gram = np.array(q) @ np.array(q).T
    return float(theta[1]), float(np.sqrt(variance)), float(np.trace(gram) ** 2 / (gram**2).sum())


def random_pair(seed: int, n: int = 30, dates: int = 7) -> Pair:
    rng = np.random.default_rng(seed)
    first = rng.permutation(np.arange(n) < n // 3)
    date = np.unique(rng.integers(0, dates, n), return_inverse=True)[1]
    return Pair(rng.standard_normal(n) * 0.02 + 0.01 * rng.standard_normal(n)[date], first, date)


@pytest.mark.parametrize("seed", range(12))
def test_clustered_is_bell_mccaffrey(seed: int) -> None:
    pair = random_pair(seed)
    gap, se, df = brute_force(pair)
    value = clustered(pair)
    assert (value.se, value.df) == pytest.approx((se, df), rel=1e-10)
    assert value.statistic == pytest.approx(gap / se, rel=1e-10)
    assert value.pvalue == pytest.approx(2 * stats.t.sf(abs(gap / se), df), rel=1e-9)
    assert value.quantile == pytest.approx(stats.t.ppf(0.975, df))


def test_clustered_by_hand() -> None:
    """Groups (2, 4 | 6) and (1 | 3 | 5) on dates 0 | 1 and 0 | 1 | 2: means 4 and 3.

    S_0: -2, S_1: 2 of three, S'_0: -2, S'_1: 0, S'_2: 2 of three; factors sqrt(1/3), sqrt(2/3).
    """
    pair = Pair(
        np.array([2.0, 4.0, 6.0, 1.0, 3.0, 5.0]),
        np.array([True] * 3 + [False] * 3),
        np.array([0, 0, 1, 0, 1, 2]),
    )
    third, two_thirds = np.sqrt(1 / 3), np.sqrt(2 / 3)
    T = [-2 / third / 3 + 2 / two_thirds / 3, 2 / two_thirds / 3, -2 / two_thirds / 3]
    assert clustered(pair).se == pytest.approx(np.linalg.norm(T))


def test_one_event_a_date_has_the_standard_error_of_welch() -> None:
    pair = random_pair(3)._replace(date=np.arange(30))
    assert clustered(pair).se == pytest.approx(welch(pair).se, rel=1e-12)


def test_groups_on_dates_of_their_own_have_the_variances_of_two_means() -> None:
    """Without a common date the variance is the sum of those of the one-sample test."""
    pair = random_pair(5, n=40, dates=10)
    pair = pair._replace(first=pair.date < 4)
    variance = 0.0
    for own in (pair.first, ~pair.first):
        values = pair.car[own]
        t = DateClusters.of(pair.date[own]).t(values)
        variance += (values.mean() / t.statistic) ** 2
    assert clustered(pair).se ** 2 == pytest.approx(variance, rel=1e-10)


def test_what_both_groups_share_on_a_date_cancels() -> None:
    """Ten events of each group on each date and a large common shock: Welch drowns in it."""
    rng = np.random.default_rng(2)
    date, first = np.repeat(np.arange(8), 20), np.tile(np.repeat([True, False], 10), 8)
    car = 0.1 * rng.standard_normal(8)[date] + 0.01 * rng.standard_normal(160) + 0.01 * first
    pair = Pair(car, first, date)
    assert clustered(pair).pvalue < 0.01 < 0.3 < welch(pair).pvalue


def test_welch_is_that_of_scipy() -> None:
    pair = random_pair(1)
    value, ref = (
        welch(pair),
        stats.ttest_ind(pair.car[pair.first], pair.car[~pair.first], equal_var=False),
    )
    assert value[1:4] == pytest.approx((ref.statistic, ref.df, ref.pvalue))
    interval = ref.confidence_interval(0.95)
    gap = pair.car[pair.first].mean() - pair.car[~pair.first].mean()
    assert gap - value.quantile * value.se == pytest.approx(interval.low)


@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), shift=st.floats(-1, 1))
@settings(max_examples=25)
def test_scale_shift_and_exchange_of_the_groups(seed: int, scale: float, shift: float) -> None:
    pair = random_pair(seed, n=20, dates=20)
    try:
        values = [compare(pair) for compare in (welch, clustered)]
    except InapplicableError:
        return
    other = pair._replace(car=scale * (pair.car + shift), first=~pair.first)
    for value, compare in zip(values, (welch, clustered), strict=True):
        moved = compare(other)
        assert moved.statistic == pytest.approx(-value.statistic, rel=1e-6)
        assert (moved.se, moved.df) == pytest.approx((scale * value.se, value.df), rel=1e-6)


@pytest.mark.parametrize(
    ("compare", "car", "first", "date", "reason"),
    [
        (clustered, [1, 2, 3, 4], [1, 0, 1, 0], [0, 0, 1, 1], "2 dates, at least 3"),
        (
            clustered,
            [1, 2, 3, 4],
            [1, 1, 0, 0],
            [0, 0, 1, 2],
            "all events of a group are on one date",
        ),
        (clustered, [1, 1, 2, 2], [1, 1, 0, 0], [0, 1, 2, 3], "do not vary across dates"),
        (welch, [1, 2, 3], [1, 0, 0], [0, 1, 2], "each group needs two events"),
        (welch, [1, 1, 2, 2], [1, 1, 0, 0], [0, 1, 2, 3], "neither group"),
    ],
)
def test_inapplicable(compare: Any, car: Any, first: Any, date: Any, reason: str) -> None:
    pair = Pair(np.array(car, dtype=float), np.array(first, dtype=bool), np.array(date))
    with pytest.raises(InapplicableError, match=reason):
        compare(pair)


def grouped(dates: int = 12, groups: str = "ab", **options: Any) -> Any:
    market = Market(24, dates=dates, **options)
    market.table["kind"] = [groups[(i // 2) % len(groups)] for i in range(24)]
    return market.fit()


def test_difference_of_results() -> None:
    results = grouped(seed=3)
    d = results.difference("kind", "b", "a", window=(0, 0))
    groups = results.groups("kind")
    means = [groups[g].car([(0, 0)])["car"].mean() for g in ("b", "a")]
    assert (d.mean_one, d.mean_other) == pytest.approx(means)
    assert d.difference == pytest.approx(means[0] - means[1])
    assert (d.one, d.other, d.n_one, d.n_other, d.method, d.reason) == (
        "b",
        "a",
        12,
        12,
        "date_clustered",
        "",
    )
    assert d.ci_low < d.difference < d.ci_high
    assert d.pvalue == pytest.approx(2 * stats.t.sf(abs(d.statistic), d.df))
    mirrored = results.difference("kind", "a", window=(0, 0))
    assert (mirrored.other, mirrored.statistic) == ("b", pytest.approx(-d.statistic))
    assert str(d).startswith("b - a, CAR[0,0]: ")
    assert "date_clustered t = " in d._repr_html_()


def test_overlapping_windows_of_different_dates_are_said() -> None:
    assert "overlap" in grouped().difference("kind", window=(-3, 3)).reason


def test_without_enough_dates_it_falls_back_and_says_so() -> None:
    results = grouped(dates=2)
    d = results.difference("kind")
    assert d.method == "welch"
    assert d.reason == "2 dates, at least 3 are needed: events taken as independent"
    assert np.isfinite(d.pvalue)
    asked = results.difference("kind", method="date_clustered")
    assert (asked.method, asked.reason) == ("date_clustered", "2 dates, at least 3 are needed")
    assert np.isnan([asked.pvalue, asked.se, asked.ci_low]).all()


def test_a_group_without_valid_events_has_a_reason() -> None:
    market = Market(4, dates=4)
    market.table["kind"] = list("aaab")
    market.frame.loc[market.table["day0"].iloc[3], "F03"] = np.nan
    d = market.fit().difference("kind", window=(0, 0))
    assert "a group has no event with all days of the window" in d.reason
    assert (d.n_one, d.n_other) == (3, 0)
    assert str(d) == f"a - b, CAR[0,0]; {d.reason}"


def test_table_of_all_pairs_and_methods() -> None:
    table = differences(grouped(groups="abc"), "kind", (0, 0))
    assert len(table) == 6
    assert list(table["method"][:2]) == ["date_clustered", "welch"]
    assert table.groupby(["one", "other"])["difference"].nunique().eq(1).all()
    assert differences(grouped(groups="a"), "kind").empty


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("kind",), {}, "between two groups"),
        (("kind", "a"), {}, "between two groups"),
        (("kind", "a", "a"), {}, "between two groups"),
        (("kind", "a", "d"), {}, "no such group"),
        (("kin",), {}, "did you mean 'kind'"),
        (("kind", "a", "b"), {"method": "welsh"}, "did you mean 'welch'"),
        (("kind", "a", "b"), {"method": "permutation"}, "known: date_clustered, welch"),
    ],
)
def test_errors_of_use(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        grouped(groups="abc").difference(*arguments, **options)


@pytest.mark.slow
def test_a_group_column_cannot_be_named_like_one_of_the_tables() -> None:
    """The names that are refused are those of the tables that stand below each other by group."""
    market = Market(n=12, dates=6)
    names = ["adverse", "relief"]
    market.table = market.table.assign(
        mcap="2", side=names * 6, kind=names * 6, tau=names * 6, draws=names * 6
    )
    market.table["flags"] = ["confounded", "", ""] * 4
    days = (market.table["day0"] + np.timedelta64(w, "W") for w in (0, 1))
    first, later = (day.dt.strftime("%Y-%m-%d") for day in days)
    market.table["day0_candidates"] = first + ";" + later
    results = market.fit()
    plain = StudyConfig(event="-5:5", estimation="-120:-11", by="side", calibrate=40)
    tables = study_tables(results, plain)
    own = [set(table) - {"side"} for name, table in tables.items() if name.endswith("_by_group")]
    assert set().union(*own) | {"draw", "draws", "mean_car"} == STACKED
    assert set(study_tables(results, replace(plain, by="kind"))["tests_by_group"]["kind"]) == set(
        names
    )
    for config in (
        replace(plain, by="draws"),
        replace(plain, by="tau"),
        replace(plain, by="exchange"),
    ):
        with pytest.raises(ConfigError, match="rename it in the events file") as caught:
            study_tables(results, config)
        assert caught.value.value == config.by


def test_blank_cells_and_their_name_are_one_group() -> None:
    market = Market(n=8)
    market.table["kind"] = ["", "", "(blank)", "(blank)", *"xxxx"]
    groups = market.fit().groups("kind")
    assert {name: len(own) for name, own in groups.items()} == {"(blank)": 4, "x": 4}
