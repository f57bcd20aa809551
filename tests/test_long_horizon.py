"""Buy-and-hold abnormal returns against reference numbers, and by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from eventstudy.analysis import abhar, say_too_early
from eventstudy.analysis.over_time.long_horizon import bhar, overlapping
from eventstudy.errors import ConfigError, InapplicableError
from eventstudy.events import Events
from eventstudy.returns import ReturnsPanel
from eventstudy.significance.means import (
    SHARE,
    hall_t,
    johnson_statistic,
    johnson_t,
    resample_johnson,
)
from eventstudy.studies import EventStudy, EventStudyResults
from eventstudy.words import say

HERE = Path(__file__).parent / "reference"
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


def read(name: str) -> dict[str, Any]:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def study(frame: pd.DataFrame, tickers: Any, day0: Any, **options: Any) -> EventStudyResults:
    table = pd.DataFrame({
        "event_id": tickers, "ticker": tickers, "announced_at": "", "tz": "", "exchange": "",
        "benchmark": "mkt", "day0": day0, "flags": "",
    })  # fmt: skip
    events = Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))
    return EventStudy(events, ReturnsPanel.from_frame(frame), **options).fit()


@pytest.fixture(scope="module")
def large() -> EventStudyResults:
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    frame = long.pivot_table(index="date", columns="firm", values="ret")
    frame["mkt"] = long.drop_duplicates("date").set_index("date")["mkt"]
    first = long.drop_duplicates("firm")
    return study(
        frame, list(first["firm"]), list(first["event_date"]), estimation=(-130, -11), event=(-5, 5)
    )


def test_large_example(large: EventStudyResults) -> None:
    ref = read("large_example.json")["bhar_[-5,5]"]
    own = large.abhar(
        (-5, 5), seed=ref["bootstrap"]["seed"], draws=ref["bootstrap"]["B"]
    ).set_index("test")
    assert_allclose(own["estimate"], ref["abhar_market"], **CLOSE)
    for ours, theirs in (("t", "t_market"), ("hall", "hall"), ("johnson", "johnson")):
        assert_allclose(own.loc[ours, ["statistic", "pvalue"]].astype(float),
                        [ref[theirs]["stat"], ref[theirs]["p"]], **CLOSE)  # fmt: skip
        assert own.loc[ours, "distribution"] == "t(39)"
        assert own.loc[ours, "critical_high"] == pytest.approx(stats.t.ppf(0.975, 39), rel=1e-9)
    boot = ref["bootstrap"]
    cells = ["statistic", "pvalue", "critical_low", "critical_high"]
    expected = [boot["stat"], boot["p"], boot["crit_2_5"], boot["crit_97_5"]]
    assert_allclose(own.loc["johnson_bootstrap", cells].astype(float), expected, **CLOSE)
    assert own.loc["johnson_bootstrap", "distribution"] == "999 resamples of 10"
    model = abhar(large, (-5, 5), "model")
    assert_allclose(model["estimate"], ref["abhar_model"], **CLOSE)


def test_while_windows_wait_for_days_it_is_too_early_as_for_the_answer() -> None:
    """A portfolio takes each event on the days that it has, so it has p, and says so."""
    market = Market(12)
    last = market.table["day0"].sort_values().iloc[-3]
    open_windows = market.fit(market.frame.loc[:last])
    window = open_windows.main
    answer = open_windows.answer(group="")
    assert (answer.verdict, answer.n_short) == ("provisional", 0)
    table = open_windows.abhar(window)
    assert table["pvalue"].isna().all()
    assert table[["statistic", "critical_low", "critical_high"]].isna().all(axis=None)
    assert table["estimate"].notna().all()
    assert (table["n_events"] == answer.n_events).all()
    first = say_too_early(answer.n_events, len(open_windows.events), window)
    assert table["note"].str.startswith(first.removesuffix(".")).all()
    assert " ".join(str(answer).split()).startswith(first)
    portfolio = open_windows.calendar_portfolio((-5, 5))
    assert portfolio["pvalue"].notna().all()
    assert portfolio["note"].str.contains(say("reason.days_to_come")).all()

    day0 = market.table["day0"][0]
    young = market.frame["F00"].where(market.frame.index > day0 - pd.Timedelta(days=75))
    short = market.fit(market.frame.assign(F00=young).loc[:last], min_estimation=20)
    assert short.answer(group="").n_short == 1
    both = say_too_early(answer.n_events, len(open_windows.events), window)
    assert " ".join(str(short.answer(group="")).split()).startswith(both)
    assert short.abhar(window)["note"].str.startswith(both.removesuffix(".")).all()

    over = open_windows.subset((open_windows.events["day0"] < last).to_numpy())
    assert over.answer(group="").verdict != "provisional"
    assert over.abhar(window)["pvalue"].notna().any()
    assert not over.abhar(window)["note"].str.contains(first.partition(":")[0]).any()


@pytest.mark.parametrize("text", ["[0,0]", "[0,1]", "[-5,5]"])
def test_bootstrap_of_cars(text: str) -> None:
    ref = read("large_example.json")["windows"][text]
    boot = ref["johnson_bootstrap"]
    cars = np.array(ref["aggregate"]["CAR"])
    own, ends = resample_johnson(cars, draws=boot["B"], seed=boot["seed"])
    expected = [boot["stat"], boot["p"], boot["crit_2_5"], boot["crit_97_5"]]
    assert_allclose([own.statistic, own.pvalue("two-sided"), *ends], expected, **CLOSE)
    assert len(cars) // SHARE == boot["n_b"]


def test_worked_example() -> None:
    tiny = read("worked_example.json")
    returns = np.hstack([tiny["estimation"]["ret"], tiny["event"]["ret"]]).T
    # The day between the windows is in the data and in neither.
    frame = pd.DataFrame(np.insert(returns, 8, np.nan, axis=0), columns=tiny["firms"],
                         index=pd.bdate_range("2024-01-01", periods=12))  # fmt: skip
    frame["mkt"] = np.insert(np.r_[tiny["estimation"]["mkt"], tiny["event"]["mkt"]], 8, 0.5)
    results = study(
        frame, tiny["firms"], [frame.index[10]] * 3, estimation=(-10, -3), event=(-1, 1)
    )
    ref = tiny["bhar"]
    assert_allclose(bhar(results, (-1, 1)), ref["vs_market"], **CLOSE)
    assert_allclose(bhar(results, (-1, 1), "model"), ref["vs_model"], **CLOSE)
    own = abhar(results, (-1, 1)).set_index("test")
    for name in ("t", "hall", "johnson"):
        assert_allclose(own.loc[name, ["statistic", "pvalue"]].astype(float),
                        [ref[name]["stat"], ref[name]["p"]], **CLOSE)  # fmt: skip
    assert own["note"]["johnson_bootstrap"].startswith("3 events, at least 12 are needed")
    assert np.isnan(own["pvalue"]["johnson_bootstrap"])
    assert own["note"]["t"] == (
        "3 events, 20 needed to rely on it; the windows of 100.0% of the pairs of events overlap: "
        "their returns are dependent, which these tests ignore"
    )


def test_log_returns_are_compounded_as_simple_ones() -> None:
    market = Market()
    simple = market.fit(engine="batch")
    from eventstudy.studies import EventStudy as Study

    events = Events(
        table=market.table, source="frame", sha256="", columns_in=tuple(market.table.columns)
    )
    panel = ReturnsPanel.from_frame(np.log1p(market.frame), kind="log")
    logs = Study(events, panel, estimation=(-120, -11), event=(-5, 5)).fit()
    assert_allclose(bhar(logs, (-3, 3)), bhar(simple, (-3, 3)), **CLOSE)


def test_the_benchmark_is_held_whatever_the_model_is() -> None:
    market = Market()
    expected = bhar(market.fit(engine="batch"), (0, 5))
    assert_allclose(bhar(market.fit(model="constant_mean"), (0, 5)), expected, **CLOSE)


def test_events_that_lack_days_of_their_own_or_of_the_benchmark() -> None:
    market = Market()
    at = [int(np.flatnonzero(market.frame.index == day)[0]) for day in market.table["day0"]]
    market.frame.iloc[at[3], 3] = np.nan
    market.frame.iloc[at[7], market.frame.columns.get_loc("MKT")] = np.nan
    own = abhar(market.fit(model="constant_mean"), (0, 1))
    values = bhar(market.fit(model="constant_mean"), (0, 1))
    gone = [i for i, day in enumerate(at) if i == 3 or day in (at[7], at[7] - 1)]
    assert list(np.flatnonzero(np.isnan(values))) == gone
    assert set(own["n_events"]) == {12 - len(gone)}
    assert all(f"{len(gone)} events lack days" in note for note in own["note"])


def test_a_closure_of_the_exchange_hides_no_day_of_share_or_benchmark() -> None:
    days = pd.bdate_range("2020-01-01", "2021-12-31")
    days = days[(days < "2021-06-01") | (days >= "2021-06-22")]
    frame = pd.DataFrame(np.random.default_rng(5).normal(0, 0.01, (len(days), 2)), days, ["A", "M"])
    table = pd.DataFrame({"ticker": ["A"], "announced_at": ["2021-06-22"], "benchmark": ["M"]})
    results = EventStudy(table, frame).fit()
    held = (1 + frame.loc["2021-06-22":"2021-06-23"]).prod()
    assert results.abnormal.length.max() == 16, "15 weekdays without trade"
    assert_allclose(bhar(results, (0, 1)), held["A"] - held["M"], **CLOSE)


def test_errors_of_use(market: Market) -> None:
    results = market.fit()
    with pytest.raises(ConfigError, match="market or model"):
        abhar(results, (0, 1), "index")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="beyond the event window"):
        abhar(results, (0, 60))
    with pytest.raises(ConfigError, match="unknown convention"):
        abhar(results, (0, 1), sead=3)


def test_the_seed_decides(market: Market) -> None:
    results = market.fit()
    one, two, other = (abhar(results, (0, 1), seed=s)["critical_low"].iloc[-1] for s in (1, 1, 2))
    assert one == two != other


def test_overlap_of_windows() -> None:
    windows = np.array([[0, 1, 2], [2, 3, 4], [5, 6, 7], [6, 7, 8]])
    assert overlapping(windows) == pytest.approx(2 / 6)
    assert overlapping(windows[:1]) == 0.0
    assert overlapping(windows[[0, 2]]) == 0.0


def test_a_resample_without_variance_lies_at_infinity() -> None:
    rows = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0], [0.5, 0.5, 0.5]])
    assert list(johnson_statistic(rows, 0.5)) == [np.inf, -np.inf, 0.0]
    values = np.r_[np.zeros(11), 1.0]
    assert 0 < resample_johnson(values, draws=99, seed=1)[0].pvalue("two-sided") <= 1
    with pytest.raises(InapplicableError, match="same value"):
        resample_johnson(np.ones(40), draws=9, seed=1)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
def test_scale_and_sign(seed: int, scale: float) -> None:
    values = np.random.default_rng(seed).standard_normal(24) + 0.3
    for statistic in (hall_t, johnson_t):
        t = statistic(values).statistic
        assert statistic(scale * values).statistic == pytest.approx(t, rel=1e-9)
        assert statistic(-values).statistic == pytest.approx(-t, rel=1e-9)
    one, (low, _) = resample_johnson(values, draws=50, seed=3)
    mirrored, (_, high) = resample_johnson(-values, draws=50, seed=3)
    assert (one.lower, one.upper) == (mirrored.upper, mirrored.lower)
    assert low == pytest.approx(-high)
