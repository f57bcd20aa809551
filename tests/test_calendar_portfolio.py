"""Calendar-time portfolios against reference numbers, by hand, and by a plain second route."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import Market
from numpy.testing import assert_allclose

from eventstudy.analysis import calendar_portfolio
from eventstudy.analysis.over_time.calendar_portfolio import Portfolio, portfolio, regressions
from eventstudy.errors import ConfigError
from eventstudy.events import Events
from eventstudy.returns import ReturnsPanel
from eventstudy.studies import EventStudy, EventStudyResults

HERE = Path(__file__).parent / "reference"
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


def large(excess: bool = True) -> EventStudyResults:
    """The large example; its calendar-time regression is in excess of the riskless rate."""
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    rf = long["rf"] if excess else 0.0
    long["ret"], long["mkt"] = long["ret"] - rf, long["mkt"] - rf
    frame = long.pivot_table(index="date", columns="firm", values="ret")
    frame["mkt"] = long.drop_duplicates("date").set_index("date")["mkt"]
    first = long.drop_duplicates("firm").reset_index(drop=True)
    return fit(frame, first["firm"], first["event_date"], mcap=first["mcap"].astype(str))


def fit(frame: pd.DataFrame, tickers: Any, day0: Any, **columns: Any) -> EventStudyResults:
    table = pd.DataFrame({
        "event_id": [f"e{i}" for i in range(len(tickers))], "ticker": tickers, "announced_at": "",
        "tz": "",
        "exchange": "", "benchmark": "mkt", "day0": day0, "flags": "", **columns,
    })  # fmt: skip
    events = Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))
    panel = ReturnsPanel.from_frame(frame)
    return EventStudy(events, panel, estimation=(-130, -11), event=(-5, 5), engine="batch").fit()


def test_large_example() -> None:
    text = (HERE / "large_example.json").read_text(encoding="utf-8")
    ref = json.loads(text)["calendar_time_[-5,5]"]
    own = large().calendar_portfolio((-5, 5), lags=5).set_index("method")
    assert_allclose(own.loc["ols", ["alpha", "beta", "t", "pvalue", "df"]].astype(float),
                    [ref["alpha"], ref["beta"], ref["t_ols"]["stat"], ref["t_ols"]["p"], ref["t_ols"]["df"]],
                    **CLOSE)  # fmt: skip
    assert_allclose(own.loc[["hc1", "newey_west"], "t"], [ref["t_hc1"], ref["t_nw5"]], **CLOSE)
    assert_allclose(own.loc["wls", ["alpha", "t", "pvalue"]].astype(float),
                    [ref["alpha_wls"], ref["t_wls"]["stat"], ref["t_wls"]["p"]],
                    **CLOSE)  # fmt: skip
    assert_allclose(own["sessions"], ref["T"])
    assert_allclose(own["mean_firms"], ref["mean_firms"], **CLOSE)
    assert_allclose(own["alpha"] / own["se"], own["t"], **CLOSE)


def test_by_hand() -> None:
    """docs/methods/long-horizon.md: alpha -.0036 and beta 1.32 minimise sum N_t e_t^2."""
    book = Portfolio(
        np.arange("2024-01-01", "2024-01-05", dtype="datetime64[D]"),
        np.array([0.01, -0.02, 0.005, 0.03]),
        np.array([[0.01], [0.0], [-0.01], [0.02]]),
        ("market",),
        np.array([1, 4, 2, 3]),
        (),
    )
    own = {row["method"]: row for row in regressions(book, 1)}
    assert (own["wls"]["alpha"], own["wls"]["beta"]) == pytest.approx((-0.0036, 1.32), rel=1e-12)


def test_lags_of_newey_and_west_follow_the_window() -> None:
    results = large()
    book = portfolio(results, (-5, 5))
    expected = sm.OLS(book.returns, sm.add_constant(book.factors)).fit(
        cov_type="HAC", cov_kwds={"maxlags": 10}, use_t=True
    )
    own = calendar_portfolio(results, (-5, 5)).set_index("method")
    assert own.loc["newey_west", "se"] == pytest.approx(expected.bse[0], rel=1e-9)


@pytest.mark.parametrize("weights", ["equal", "value"])
def test_portfolio_by_a_second_route(weights: Any) -> None:
    long = pd.read_csv(HERE / "large_example_inputs.csv.gz", parse_dates=["date", "event_date"])
    days = long[long["tau"].between(-2, 3)]
    w = days["mcap"] if weights == "value" else pd.Series(1.0, index=days.index)
    sums = pd.DataFrame({"date": days["date"], "w": w, "wr": w * days["ret"]}).groupby("date").sum()
    book = portfolio(large(excess=False), (-2, 3), weights=weights)
    assert_allclose(book.returns, sums["wr"] / sums["w"], **CLOSE)
    assert_allclose(book.factors[:, 0], days.groupby("date")["mkt"].first(), **CLOSE)
    assert_allclose(book.firms, days.groupby("date").size())
    assert (book.sessions == sums.index.to_numpy().astype("datetime64[D]")).all()


def test_log_returns_are_turned_into_simple_ones() -> None:
    market = Market()
    simple = portfolio(market.fit(engine="batch"), (-3, 3))
    events = Events(
        table=market.table, source="frame", sha256="", columns_in=tuple(market.table.columns)
    )
    panel = ReturnsPanel.from_frame(np.log1p(market.frame), kind="log")
    logs = portfolio(
        EventStudy(events, panel, estimation=(-120, -11), event=(-5, 5)).fit(), (-3, 3)
    )
    assert_allclose(logs.returns, simple.returns, **CLOSE)
    assert_allclose(logs.factors, simple.factors, **CLOSE)


def test_too_few_sessions() -> None:
    own = calendar_portfolio(Market(12, dates=4).fit(engine="batch"), (0, 0))
    assert own["alpha"].isna().all()
    assert own["t"].isna().all()
    assert all(note.startswith("4 sessions, at least 10 are needed") for note in own["note"])


def test_a_firm_with_two_events_counts_once_per_session() -> None:
    market = Market(12)
    frame = market.frame.rename(columns={"MKT": "mkt"})
    at = 150
    tickers, day0 = ["F00", "F00", "F01"], [frame.index[at], frame.index[at + 2], frame.index[at]]
    book = portfolio(fit(frame, tickers, day0), (0, 3))
    assert list(book.firms) == [2, 2, 2, 2, 1, 1]
    assert book.notes == ("2 firm-days of a firm with two events on one session counted once",)
    both = frame[["F00", "F01"]].iloc[at : at + 4].mean(axis=1)
    assert_allclose(book.returns[:4], both, **CLOSE)
    assert_allclose(book.returns[4:], frame["F00"].iloc[at + 4 : at + 6], **CLOSE)


def test_an_event_is_in_on_the_days_that_it_has() -> None:
    market = Market(12, dates=1)
    at = int(np.flatnonzero(market.frame.index == market.table["day0"][0])[0])
    market.frame.iloc[at + 2 :, 3] = np.nan
    book = portfolio(market.fit(engine="batch"), (0, 4))
    assert list(book.firms) == [12, 12, 11, 11, 11]
    assert_allclose(book.returns, market.frame.iloc[at : at + 5, :12].mean(axis=1), **CLOSE)


def test_the_benchmark_is_there_whatever_the_model_is() -> None:
    market = Market()
    expected = calendar_portfolio(market.fit(engine="batch"), (-3, 3))
    for model in ("constant_mean", "market_adjusted"):
        own = calendar_portfolio(market.fit(model=model), (-3, 3))
        pd.testing.assert_frame_equal(own, expected)


def test_a_return_over_two_sessions_is_on_neither() -> None:
    market = Market(12, dates=1)
    at = int(np.flatnonzero(market.frame.index == market.table["day0"][0])[0])
    market.frame.iloc[at + 1, 3] = np.nan
    panel = ReturnsPanel.from_frame(market.frame)
    spans = panel.spans.copy()
    spans[panel.row("F03", "data"), at + 2] = 2
    events = Events(
        table=market.table, source="frame", sha256="", columns_in=tuple(market.table.columns)
    )
    results = EventStudy(
        events, replace(panel, spans=spans), estimation=(-120, -11), event=(-5, 5)
    ).fit()
    assert results.abnormal.spans[3, 7] == 2
    book = portfolio(results, (0, 4))
    assert list(book.firms) == [12, 11, 11, 12, 12]
    assert book.notes == (
        "1 firm-day with a return over several sessions, or without a factor, left out",
    )
    others = [c for c in market.frame.columns if c not in ("F03", "MKT")]
    assert_allclose(book.returns[2], market.frame[others].iloc[at + 2].mean(), **CLOSE)


@pytest.mark.parametrize("model", ["matched", "synthetic_control"])
def test_series_of_single_events_are_no_factors(model: str) -> None:
    from eventstudy.models import MODELS

    base = Market().fit(engine="batch")
    own = portfolio(replace(base, model=MODELS[model]()), (-3, 3))
    assert own.names == ("market",)
    assert_allclose(own.factors, portfolio(base, (-3, 3)).factors, **CLOSE)


def test_firms_of_two_exchanges_meet_on_the_days_that_both_are_open() -> None:
    rng = np.random.default_rng(3)
    T, sessions = 220, pd.bdate_range("2020-01-01", periods=220).to_numpy().astype("datetime64[D]")
    open_on = {
        "XA": np.flatnonzero(np.arange(T) % 7 != 2),
        "XB": np.flatnonzero(np.arange(T) % 5 != 1),
    }
    keys = [(symbol, c) for c in open_on for symbol in (f"F{c}", "mkt")]
    values = np.full((4, T), np.nan)
    for i, (_, calendar) in enumerate(keys):
        values[i, open_on[calendar]] = 0.01 * rng.standard_normal(len(open_on[calendar]))
    panel = ReturnsPanel(
        tuple(keys), values, np.isfinite(values).astype(np.int64), sessions, open_on
    )
    day0 = sessions[[185, 188]]
    table = pd.DataFrame({
        "event_id": ["a", "b"], "ticker": ["FXA", "FXB"], "announced_at": "", "tz": "",
        "exchange": list(open_on), "benchmark": "mkt", "day0": day0.astype("datetime64[s]"),
        "flags": "",
    })  # fmt: skip
    events = Events(table=table, source="frame", sha256="", columns_in=tuple(table.columns))
    book = portfolio(
        EventStudy(events, panel, estimation=(-130, -11), event=(-5, 5)).fit(), (-3, 4)
    )
    days: dict[int, list[int]] = {}
    for row, calendar, at in ((0, "XA", 185), (2, "XB", 188)):
        zero = int(np.searchsorted(open_on[calendar], at))
        for column in open_on[calendar][zero - 3 : zero + 5]:
            days.setdefault(int(column), []).append(row)
    order = sorted(days)
    assert (book.sessions == sessions[order]).all()
    assert list(book.firms) == [len(days[t]) for t in order]
    assert set(book.firms) == {1, 2}
    assert_allclose(book.returns, [values[days[t], t].mean() for t in order], **CLOSE)
    assert_allclose(
        book.factors[:, 0], [values[np.array(days[t]) + 1, t].mean() for t in order], **CLOSE
    )


@pytest.mark.parametrize("model", ["capm", "ff3"])
def test_excess_returns_and_further_factors(model: str) -> None:
    rng = np.random.default_rng(9)
    market = Market()
    index = market.frame.index
    extra = pd.DataFrame(
        rng.standard_normal((len(index), 3)) * 0.005, index=index, columns=["rf", "smb", "hml"]
    )
    names = ["market"] if model == "capm" else ["market", "smb", "hml"]
    base = market.fit(engine="batch")
    results = replace(base, **with_factors(base, extra, model))
    book = portfolio(results, (-3, 3))
    assert book.names == tuple(names)
    plain = portfolio(base, (-3, 3))
    dates = pd.DatetimeIndex(plain.sessions)
    rf = extra.loc[dates, "rf"].to_numpy()
    assert_allclose(book.returns, plain.returns - rf, **CLOSE)
    assert_allclose(book.factors[:, 0], plain.factors[:, 0] - rf, **CLOSE)
    for j, name in enumerate(names[1:], 1):
        assert_allclose(book.factors[:, j], extra.loc[dates, name], **CLOSE)
    own = calendar_portfolio(results, (-3, 3))
    X = sm.add_constant(book.factors)
    fitted = sm.OLS(book.returns, X).fit()
    columns = ["alpha", "beta", *(f"beta_{n}" for n in names[1:])]
    assert_allclose(own[columns].iloc[0].astype(float), fitted.params, **CLOSE)


def with_factors(base: EventStudyResults, extra: pd.DataFrame, name: str) -> dict[str, Any]:
    """Lay factor series on the days of the events and fit the model to them."""
    from eventstudy.models import MODELS

    model = MODELS[name]().bound(list(extra.columns))
    windows = base.abnormal.windows
    at = windows.positions
    series = [
        windows.factors[:, :, 0] if f.name == "market" else extra[f.name].to_numpy()[at]
        for f in model.factors
    ]
    windows = windows.altered(factors=np.stack(series, axis=2))
    return {"abnormal": model.fit(windows, engine="batch"), "model": model}


def test_errors_of_use() -> None:
    results = Market().fit(engine="batch")
    with pytest.raises(ConfigError, match="equal or value"):
        calendar_portfolio(results, (0, 1), weights="cap")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="beyond the event window"):
        calendar_portfolio(results, (0, 99))
    with pytest.raises(ConfigError, match="'mcap'"):
        calendar_portfolio(results, (0, 1), weights="value")


def test_a_study_of_volume_is_held_by_nobody() -> None:
    results = Market().fit(engine="batch")
    windows = results.abnormal.windows.altered(measure="volume")
    volume = replace(results, abnormal=results.abnormal.as_study(windows=windows))
    for call in (volume.calendar_portfolio, volume.abhar):
        with pytest.raises(ConfigError, match="study of returns"):
            call((0, 1))


@pytest.mark.parametrize("cell", ["", "-3", "0", "big"])
def test_events_without_a_market_value_are_left_out(cell: str) -> None:
    results = Market().fit(engine="batch")
    results = replace(results, events=results.events.assign(mcap=["1"] * 11 + [cell]))
    own = portfolio(results, (-5, 5), weights="value")
    whole = portfolio(results.subset(np.arange(11)), (-5, 5))
    assert_allclose(own.returns, whole.returns, **CLOSE)
    (note,) = own.notes
    assert "e11" in note
    assert note.endswith("left out")


def test_scale_and_order() -> None:
    market = Market()
    base = calendar_portfolio(market.fit(engine="batch"), (-3, 3))
    scaled = calendar_portfolio(market.fit(market.frame / 10, engine="batch"), (-3, 3))
    assert_allclose(scaled["t"], base["t"], rtol=1e-7)
    assert_allclose(scaled["beta"], base["beta"], rtol=1e-7)
    flipped = calendar_portfolio(market.fit(-market.frame, engine="batch"), (-3, 3))
    assert_allclose(flipped["t"], -base["t"], rtol=1e-7)
    results = market.fit(engine="batch")
    order = np.random.default_rng(2).permutation(12)
    assert_allclose(calendar_portfolio(results.subset(order), (-3, 3))["t"], base["t"], rtol=1e-9)
