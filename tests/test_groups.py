"""Differences between groups: by hand, by the regression on the group, and by simulation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import Market
from scipy import stats

from eventstudy.analysis import study_tables
from eventstudy.analysis.all_tables import STACKED
from eventstudy.analysis.cross_section.groups import differences
from eventstudy.errors import ConfigError
from eventstudy.settings import StudyConfig


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
    assert (d.one, d.other, d.n_one, d.n_other) == ("b", "a", 12, 12)
    assert d.ci_low < d.difference < d.ci_high
    assert d.pvalue == pytest.approx(2 * stats.t.sf(abs(d.statistic), d.df))
    mirrored = results.difference("kind", "a", window=(0, 0))
    assert (mirrored.other, mirrored.statistic) == ("b", pytest.approx(-d.statistic))
    assert str(d).startswith("b - a, CAR[0,0]: ")
    assert f"{d.method} t = " in d._repr_html_()


@pytest.mark.parametrize(("dates", "method"), [(1, "portfolio"), (2, "portfolio"), (24, "CR2")])
def test_the_p_is_that_of_the_regression_on_the_group(dates: int, method: str) -> None:
    results = grouped(dates=dates, seed=4)
    d = results.difference("kind", "b", "a", window=(0, 0))
    regression = results.explain("kind", (0, 0))
    (slope,) = regression.table.to_dict("records")[1:]
    assert (d.method, regression.cov) == (method, method)
    numbers = slope["estimate"], slope["se"], slope["pvalue"], slope["ci_low"]
    assert (d.difference, d.se, d.pvalue, d.ci_low) == pytest.approx(numbers, rel=1e-9)
    assert d.reason in " ".join(regression.notes)
    config = StudyConfig(
        event="-5:5", estimation="-120:-11", windows="0:0", by="kind", calibrate=0, regress="kind"
    )
    tables = study_tables(results, config)
    assert tables["differences"]["pvalue"].tolist() == [pytest.approx(d.pvalue)]
    assert tables["regression"]["pvalue"].iloc[1] == pytest.approx(d.pvalue)


def test_of_three_groups_each_p_is_that_of_the_regression_on_all() -> None:
    market = Market(26, dates=13)
    market.table["kind"] = [*"abc" * 8, "", ""]
    results = market.fit()
    slopes = results.explain("kind", results.main).pvalues
    for group in "bc":
        d = results.difference("kind", group, "a")
        assert d.pvalue == pytest.approx(slopes[f"kind[T.{group}]"], rel=1e-9)
    assert np.isfinite(results.difference("kind", "(blank)", "a").pvalue)


@pytest.mark.slow
@pytest.mark.parametrize("dates", [1, 2])
def test_shocks_that_a_group_shares_on_few_dates_are_no_difference(dates: int) -> None:
    """Each group has a factor of its own on every day; Welch's t calls 29 and 18 of 60 different."""
    market, n_alarms = Market(20, dates=dates), 0
    market.table["kind"] = np.repeat(["a", "b"], 10)
    for seed in range(60):
        factors = 0.02 * np.random.default_rng(seed).standard_normal((len(market.frame), 2))
        noise = Market(20, dates=dates, seed=seed).frame
        noise[market.tickers] += np.repeat(factors, 10, axis=1)
        n_alarms += market.fit(noise).difference("kind").pvalue < 0.05
    assert n_alarms <= 6


def test_a_group_without_valid_events_has_a_reason() -> None:
    market = Market(4, dates=4)
    market.table["kind"] = list("aaab")
    market.frame.loc[market.table["day0"].iloc[3], "F03"] = np.nan
    d = market.fit().difference("kind", window=(0, 0))
    assert "a group has no event with all days of the window" in d.reason
    assert (d.n_one, d.n_other) == (3, 0)
    assert str(d) == f"a - b, CAR[0,0]; {d.reason}"


def test_two_single_events_have_no_test() -> None:
    market = Market(2, dates=2)
    market.table["kind"] = list("ab")
    d = market.fit().difference("kind")
    assert (d.method, str(d)) == ("", f"a - b, CAR[0,1]: {100 * d.difference:+.2f}%; {d.reason}")
    assert np.isnan([d.pvalue, d.se, d.ci_low]).all()


def test_table_of_all_pairs() -> None:
    table = differences(grouped(groups="abc"), "kind", (0, 0))
    assert list(table["one"] + table["other"]) == ["ab", "ac", "bc"]
    assert table["pvalue"].between(0, 1).all()
    assert differences(grouped(groups="a"), "kind").empty


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kind",), "between two groups"),
        (("kind", "a"), "between two groups"),
        (("kind", "a", "a"), "between two groups"),
        (("kind", "a", "d"), "no such group"),
        (("kin",), "did you mean 'kind'"),
    ],
)
def test_errors_of_use(arguments: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        grouped(groups="abc").difference(*arguments)


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
