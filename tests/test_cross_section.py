"""Regressions of CARs against reference numbers, statsmodels, and a brute-force CR2 and wild
bootstrap."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import Market
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from eventstudy.analysis import regress_car
from eventstudy.analysis.cross_section._car_errors import (
    bootstrap_pvalues,
    satterthwaite,
    score_weights,
    sum_scores,
)
from eventstudy.calendars import Window
from eventstudy.errors import ConfigError
from eventstudy.events import Events
from eventstudy.returns import ReturnsPanel
from eventstudy.significance import STATISTICS, DateClusters
from eventstudy.studies import EventStudy, EventStudyResults
from eventstudy.words import say

HERE = Path(__file__).parent / "reference"
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


def large_results() -> EventStudyResults:
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    frame = long.pivot_table(index="date", columns="firm", values="ret")
    frame["mkt"] = long.drop_duplicates("date").set_index("date")["mkt"]
    first = long.drop_duplicates("firm").reset_index(drop=True)
    table = pd.DataFrame({
        "event_id": first["firm"], "ticker": first["firm"], "announced_at": "", "tz": "",
        "exchange": "",
        "benchmark": "mkt", "day0": first["event_date"], "flags": "",
        "x1": first["x1"].astype(str), "x2": first["x2"].astype(str),
    })  # fmt: skip
    events = Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))
    panel = ReturnsPanel.from_frame(frame)
    return EventStudy(events, panel, estimation=(-130, -11), event=(-5, 5)).fit()


@pytest.fixture(scope="module")
def large() -> EventStudyResults:
    return large_results()


@pytest.fixture(scope="module")
def ref() -> dict[str, Any]:
    text = (HERE / "large_example.json").read_text(encoding="utf-8")
    return json.loads(text)["cross_section_CAR[0,1]"]


def with_columns(results: EventStudyResults, **columns: object) -> EventStudyResults:
    from dataclasses import replace

    return replace(results, events=results.events.assign(**columns))


def fitted(n: int = 12, dates: int = 12, **columns: object) -> EventStudyResults:
    return with_columns(Market(n, dates=dates).fit(engine="batch"), **columns)


@pytest.mark.parametrize(
    ("cov", "se", "key"),
    [("nonrobust", "CR2", "se_ols"), ("HC0", "CR2", "se_hc0"), ("HC1", "CR2", "se_hc1"),
     ("HC3", "CR2", "se_hc3"), ("date", "CR1", "se_cluster")],
)  # fmt: skip
def test_ordinary_least_squares(
    large: EventStudyResults, ref: dict[str, Any], cov: Any, se: Any, key: str
) -> None:
    own = regress_car(large, ["x1", "x2"], (0, 1), cov=cov, se=se)
    assert list(own.table["term"]) == ["const", "x1", "x2"]
    assert own.cov == "portfolio"
    assert own.compared == (se if cov == "date" else cov)
    beside = own.by(own.compared)
    assert_allclose(own.table["estimate"], ref["ols"]["b"], **CLOSE)
    assert_allclose(beside["se"], ref["ols"][key], **CLOSE)
    df = ref["ols"]["G"] - 1 if cov == "date" else ref["ols"]["df"]
    b, s = np.array(ref["ols"]["b"]), np.array(ref["ols"][key])
    assert_allclose(beside["df"], df)
    assert_allclose(beside["pvalue"], 2 * stats.t.sf(np.abs(b / s), df), **CLOSE)
    assert_allclose(beside["ci_high"], b + stats.t.ppf(0.975, df) * s, **CLOSE)
    assert_allclose(beside["ci_low"], b - stats.t.ppf(0.975, df) * s, **CLOSE)
    assert_allclose(own.table["compared_se"], s, **CLOSE)
    p = beside["wild_pvalue" if "wild_pvalue" in beside else "pvalue"]
    assert_allclose(own.table["compared_pvalue"], p, **CLOSE)
    assert_allclose(own.fit.bse, ref["ols"]["se_ols"], **CLOSE)
    assert (own.n_events, own.n_dates, own.dropped) == (40, 8, {})


def test_precision_weights(large: EventStudyResults, ref: dict[str, Any]) -> None:
    own = regress_car(large, ["x1", "x2"], weights="precision", cov="nonrobust")
    assert_allclose(own.table["estimate"], ref["wls"]["b"], **CLOSE)
    beside = own.by("nonrobust")
    assert_allclose(beside["se"], ref["wls"]["se_scaled"], **CLOSE)
    mean = ref["wls"]["s2"] * ref["ols"]["df"] / own.n_events
    assert say("regression.scale", value=mean) in own.notes
    assert_allclose(beside["df"], 37)


def test_precision_weights_have_hc3_errors_beside_by_default(large: EventStudyResults) -> None:
    own = large.regress(["x1", "x2"], weights="precision")
    a, window = large.abnormal, Window(0, 1)
    X = sm.add_constant(large.events[["x1", "x2"]].astype(float).to_numpy())
    fit = sm.WLS(a.car(window), X, weights=1 / a.var_car(window)).fit(cov_type="HC3", use_t=True)
    assert own.compared == "HC3"
    assert_allclose(own.table["compared_se"], fit.bse, **CLOSE)
    assert_allclose(own.table["compared_pvalue"], fit.pvalues, **CLOSE)
    assert own.r2 == pytest.approx(fit.rsquared, rel=1e-9)


def brute_cr2(X: np.ndarray, e: np.ndarray, cluster: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """N x N matrices throughout: Bell and McCaffrey (2002), sections 3 and 4."""
    N, k = X.shape
    B = np.linalg.inv(X.T @ X)
    rest = np.eye(N) - X @ B @ X.T
    parts = []
    for g in np.unique(cluster):
        own = cluster == g
        root, vector = np.linalg.eigh(rest[np.ix_(own, own)])
        A = sum(
            np.outer(v, v) / np.sqrt(r) for r, v in zip(root, vector.T, strict=True) if r > 1e-10
        )
        full = np.zeros((N, k))
        full[own] = A @ X[own] @ B
        parts.append(full)
    V = sum(np.outer(p.T @ e, p.T @ e) for p in parts)
    df = []
    for j in range(k):
        P = np.column_stack([rest @ p[:, j] for p in parts])
        roots = np.linalg.eigvalsh(P.T @ P)
        df.append(roots.sum() ** 2 / (roots**2).sum())
    return np.sqrt(np.diag(V)), np.array(df)


@pytest.mark.parametrize("weights", ["equal", "precision"])
def test_cr2_by_brute_force(weights: Any) -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal(23)
    results = fitted(23, 9, x=x, sector=np.array(["a", "b", "c"])[np.arange(23) % 3])
    own = regress_car(results, ["x", "sector"], (-1, 1), weights=weights, cov="date")
    a, window = results.abnormal, Window(-1, 1)
    root = 1 / np.sqrt(a.var_car(window)) if weights == "precision" else np.ones(23)
    d = [(results.events["sector"] == s).to_numpy(float) for s in "bc"]
    X = np.column_stack([np.ones(23), x, *d]) * root[:, None]
    y = a.car(window) * root
    e = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    se, df = brute_cr2(X, e, DateClusters.by_date(a).number)
    label = own.compared if own.compared != "HC3" else "CR2"
    beside = own.by(label)
    assert_allclose(beside["se"], se, **CLOSE)
    assert_allclose(beside["df"], df, **CLOSE)
    p = 2 * stats.t.sf(np.abs(own.table["estimate"] / se), df)
    assert_allclose(beside["pvalue"], p, **CLOSE)
    assert label.startswith("CR2")


def test_cr2_of_a_mean_is_the_date_clustered_test() -> None:
    results = fitted(23, 9)
    own = regress_car(results, [], (0, 1), cov="date").by("CR2").iloc[0]
    test = STATISTICS["date_clustered"](results.abnormal, Window(0, 1))
    assert_allclose([own["statistic"], own["pvalue"], own["df"]], [*test, test.df], **CLOSE)


def test_cr2_published_example_of_unequal_dates() -> None:
    """docs/methods/regressions.md: seven values on four dates: t 1.8860222, df 2.3684211."""
    y, g = np.array([0.02, 0.01, 0.03, -0.01, 0.00, 0.04, 0.02]), np.array([0, 0, 0, 1, 1, 2, 3])
    X = np.ones((7, 1))
    A = score_weights(X, g, "CR2")
    se = np.sqrt((sum_scores(A, y - y.mean(), g) ** 2).sum())
    assert (y.mean() / se, satterthwaite(X, A, g)[0]) == pytest.approx(
        (1.8860222, 2.3684211), abs=5e-8
    )


def test_cr2_of_single_events_is_hc2() -> None:
    rng = np.random.default_rng(5)
    X, y = sm.add_constant(rng.standard_normal((20, 2))), rng.standard_normal(20)
    fit = sm.OLS(y, X).fit(cov_type="HC2")
    g = np.arange(20)
    A = score_weights(X, g, "CR2")
    assert_allclose(np.sqrt((sum_scores(A, fit.resid, g) ** 2).sum(axis=0)), fit.bse, **CLOSE)


def test_cr2_where_one_date_determines_a_coefficient() -> None:
    """I - H_gg is singular there: the root is that of its pseudo-inverse."""
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(6), 4)
    x, y = rng.standard_normal(24), rng.standard_normal(24)
    X = np.column_stack([np.ones(24), x, g == 5])
    A = score_weights(X, g, "CR2")
    e = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    se, df = brute_cr2(X, e, g)
    assert_allclose(np.sqrt((sum_scores(A, e, g) ** 2).sum(axis=0)), se, **CLOSE)
    assert_allclose(satterthwaite(X, A, g), df, **CLOSE)


def brute_wild(X: np.ndarray, y: np.ndarray, g: np.ndarray, j: int) -> float:
    """CR1-studentised sign flips, one statsmodels fit each."""

    def t(values: np.ndarray) -> float:
        fit = sm.OLS(values, X).fit(cov_type="cluster", cov_kwds={"groups": g})
        return float(abs(fit.tvalues[j]))

    restricted = sm.OLS(y, np.delete(X, j, axis=1)).fit()
    observed = t(y)
    flips = itertools.product([1.0, -1.0], repeat=int(g.max()) + 1)
    stars = [t(restricted.fittedvalues + np.array(v)[g] * restricted.resid) for v in flips]
    return float(np.mean(np.array(stars) >= observed - 1e-9))


def test_wild_bootstrap_by_brute_force(large: EventStudyResults) -> None:
    X = sm.add_constant(large.events[["x1", "x2"]].astype(float).to_numpy())
    y, g = large.abnormal.car(Window(0, 1)), DateClusters.by_date(large.abnormal).number
    own = regress_car(large, ["x1", "x2"], cov="date", se="CR1").by("CR1")
    assert_allclose(own["wild_pvalue"], [brute_wild(X, y, g, j) for j in range(3)], rtol=1e-12)


def test_wild_bootstrap_of_a_mean_is_the_sign_flip_test(large: EventStudyResults) -> None:
    own = regress_car(large, [], (0, 1), cov="date").by("CR2")["wild_pvalue"].iloc[0]
    text = (HERE / "large_example.json").read_text(encoding="utf-8")
    assert own == pytest.approx(json.loads(text)["windows"]["[0,1]"]["wild_cluster"]["p"], rel=1e-9)


def test_wild_bootstrap_only_with_few_dates() -> None:
    many = regress_car(fitted(24, 12), [], cov="date")
    assert "wild_pvalue" not in many.by("CR2")
    few = regress_car(fitted(24, 4), [], cov="date")
    assert any("cannot fall below 0.125" in note for note in few.notes)
    assert few.table["compared_pvalue"].iloc[0] >= 0.125


def test_text_becomes_dummies_and_says_its_base() -> None:
    sector = np.array(["tech", "banks", "oil"])[np.arange(12) % 3]
    own = regress_car(fitted(sector=sector), "sector")
    assert list(own.table["term"]) == [
        "const",
        "sector[T.oil]",
        "sector[T.tech]",
    ]
    assert list(own.table["label"]) == ["", "sector: oil", "sector: tech"]
    assert list(own.table["base"]) == ["", "sector: banks", "sector: banks"]
    assert list(own.table["count"]) == [12, 4, 4]
    car = fitted().abnormal.car(Window(0, 1))
    means = [car[sector == s].mean() for s in ("banks", "oil", "tech")]
    assert_allclose(
        own.table["estimate"], [means[0], means[1] - means[0], means[2] - means[0]], **CLOSE
    )


def test_missing_values_drop_the_event_and_are_counted() -> None:
    size = ["1.5", "", "2", "NA", *map(str, range(8))]
    results = fitted(size=size, group=["a", "b", "", *"abcabcabc"])
    own = regress_car(results, ["size", "group"])
    assert own.dropped == {
        "e1": "no value of size",
        "e3": "no value of size",
        "e2": "no value of group",
    }
    assert own.n_events == 9
    assert "2 left out: no value of size" in own.notes
    kept = results.subset(np.array([0, *range(4, 12)]))
    assert_allclose(
        own.table["estimate"], regress_car(kept, ["size", "group"]).table["estimate"], **CLOSE
    )


def test_events_without_all_days_leave_the_regression() -> None:
    market = Market()
    day = int(np.flatnonzero(market.frame.index == market.table["day0"][3])[0])
    market.frame.iloc[day, 3] = np.nan
    own = regress_car(with_columns(market.fit(), x=np.arange(12.0)), "x")
    assert own.dropped == {"e3": "lacks days of [0,1]"}


@pytest.mark.parametrize(
    ("columns", "names", "told"),
    [
        ({"x": np.arange(12.0), "z": 2 * np.arange(12.0) + 3}, ["x", "z"], "collinear (x, z)"),
        ({"x": np.full(12, 4.0)}, ["x"], "x: a column with one value explains nothing (4)"),
        ({"x": np.arange(12.0), "w": np.arange(12.0) ** 2}, ["x", "w", "x"], "collinear (x)"),
        ({"g": ["a"] * 12}, ["g"], "one value"),
        ({"g": ["1", "2x", *"1234567890"]}, ["g"], "mixes numbers and text (2x)"),
        ({"sector": ["a"] * 12}, ["sectr"], "did you mean 'sector'"),
        ({"g": list("abcdefghijkl")}, ["g"], "12 events cannot determine 12"),
    ],
)
def test_errors_of_use(columns: dict[str, Any], names: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        regress_car(fitted(**columns), names)
    assert told in str(error.value)


def test_collinearity_spares_columns_that_take_no_part() -> None:
    x, rng = np.arange(12.0), np.random.default_rng(1)
    results = fitted(x=x, y=x + 1, free=rng.standard_normal(12), sector=list("abcabcabcabc"))
    with pytest.raises(ConfigError, match=r"\(x, y\)"):
        regress_car(results, ["free", "x", "sector", "y"])


def test_more_errors_of_use() -> None:
    results = fitted(x=np.arange(12.0))
    with pytest.raises(ConfigError, match="beyond the event window"):
        regress_car(results, "x", (0, 6))
    with pytest.raises(ConfigError, match="unknown choice"):
        regress_car(results, "x", cov="HC4")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no such errors"):
        regress_car(results, "x").by("HC1")
    with pytest.raises(ConfigError, match="no such term, got 'y'"):
        regress_car(results, "x").joint(["y"])
    with pytest.raises(ConfigError, match="ids occur twice"):
        regress_car(with_columns(results, event_id=["e0", *results.events["event_id"][:-1]]), "x")


def test_columns_that_tell_dates_apart() -> None:
    market = Market(24, dates=4)
    results = market.fit(engine="batch")
    day = results.events["day0"].astype(str)
    apart = regress_car(with_columns(results, day=day), "day", cov="date")
    assert any("separate every date from the others" in note for note in apart.notes)
    assert apart.table["compared_pvalue"].isna().all()
    assert apart.table["pvalue"].notna().all()
    one = with_columns(results, first=(day == day[0]).astype(float))
    assert any("1 date determines" in note for note in regress_car(one, "first", cov="date").notes)


def test_no_event_is_left() -> None:
    with pytest.raises(ConfigError, match="12 left out: no value of x"):
        regress_car(fitted(x=[""] * 12), "x")


def test_numbers_of_any_kind() -> None:
    expected = regress_car(fitted(x=[1.0, 2.0, np.nan, *range(9)]), "x").table
    whole = pd.array([1, 2, pd.NA, *range(9)], dtype="Int64")
    pd.testing.assert_frame_equal(regress_car(fitted(x=whole), "x").table, expected)
    text = regress_car(fitted(x=["1", " 2.0", "n/a", *map(str, range(9))]), "x").table
    pd.testing.assert_frame_equal(text, expected)
    flags = np.arange(12) % 2 == 0
    own = regress_car(fitted(x=flags), "x").table
    pd.testing.assert_frame_equal(own, regress_car(fitted(x=flags.astype(float)), "x").table)


def test_dependence_is_said() -> None:
    assert regress_car(fitted(24, 4, x=np.arange(24.0)), "x").is_published
    assert regress_car(fitted(x=np.arange(12.0)), "x", (-5, 5)).is_published
    apart = Market(3, dates=3, seed=2)
    apart.table["day0"] = apart.frame.index[[150, 160, 170]]
    assert not regress_car(apart.fit(), [], (0, 0)).is_published


def test_text_and_notebook() -> None:
    own = fitted(sector=list("<b<b<b<b<b<b")).regress("sector")
    html = own._repr_html_()
    assert "6 of 12 announcements, against &lt;" in html
    assert "[T." not in html + str(own)
    assert "const<" not in html


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-3, 3))
def test_a_change_of_units_changes_no_t(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    g = np.r_[np.arange(5), rng.integers(0, 5, 15)]
    x, y = rng.standard_normal(20), rng.standard_normal(20)

    def slope(x: np.ndarray, y: np.ndarray, g: np.ndarray) -> list[float]:
        X = np.column_stack([np.ones(20), x])
        A = score_weights(X, g, "CR2")
        b = np.linalg.lstsq(X, y, rcond=None)[0]
        se = np.sqrt((sum_scores(A, y - X @ b, g) ** 2).sum(axis=0))
        return [(b / se)[1], satterthwaite(X, A, g)[1], bootstrap_pvalues(X, y, g, A)[1]]

    expected = slope(x, y, g)
    assert_allclose(slope(scale * x + shift, scale * y, g), expected, rtol=1e-6)
    order = rng.permutation(20)
    assert_allclose(slope(x[order], y[order], g[order]), expected, rtol=1e-6)
    flipped = slope(x, -y, g)
    assert_allclose([-flipped[0], *flipped[1:]], expected, rtol=1e-6)
