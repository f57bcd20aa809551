"""From events and returns to results: statuses, reasons, flags, groups, tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED, Market
from pages import PROVENANCE

import eventstudy as es
from eventstudy.errors import ConfigError
from eventstudy.findings.finished_run import findings_of
from eventstudy.fitting.status import STUDY_FLAGS
from eventstudy.report.sentences.caveats import headline
from eventstudy.settings import StudyConfig, read_config

PRICES = SHARED / "market-data" / "prices"


def test_every_event_ends_with_a_status_and_a_reason() -> None:
    market = Market(n=6)
    frame = market.frame.drop(columns="F01")
    frame["F02"] = np.nan
    market.table.loc[3, "day0"] = pd.Timestamp("2035-01-01")
    market.table.loc[4, "benchmark"] = "NONE"
    market.table.loc[5, "benchmark"] = ""
    events = market.fit(frame).events
    assert events["status"].tolist() == ["ok"] + ["dropped"] * 5
    reasons = events["reason"].tolist()
    assert reasons[0] == ""
    assert reasons[1] == "no price data: F01 is not in the data"
    assert "F02" in reasons[2]
    assert reasons[3].startswith("no price data on day 0: F03 ends ")
    assert reasons[4] == "no price data for the benchmark: NONE is not in the data"
    assert reasons[5].startswith("no benchmark")


@pytest.mark.parametrize(
    ("after", "is_gone", "verdict"),
    [(1, False, "provisional"), (7, False, "provisional"), (8, False, None), (1, True, None)],
)
def test_a_day0_shortly_after_the_last_price_is_waited_for(after, is_gone, verdict) -> None:
    """The answer is early, as it is the day after; later days, and shares that ended, are none."""
    market = Market(n=8)
    last = market.frame.index[-1]
    market.table.loc[3, "day0"] = last + pd.Timedelta(days=after)
    frame = market.frame.copy()
    if is_gone:
        frame.loc[last - pd.Timedelta(days=8) :, "F03"] = np.nan
    results = market.fit(frame)
    answer = results.answer((0, 1))
    reason = results.events["reason"][3]
    assert answer.n_events == 7
    if verdict:
        assert (answer.verdict, np.isnan(answer.pvalue)) == (verdict, True)
        assert (
            reason
            == f"day 0 is {last + pd.Timedelta(days=after):%F}, and the last price is of {last:%F}"
        )
        assert str(results).startswith("Too early to say: 7 of 8 announcements have both days")
        assert results.subset(np.arange(8) != 3).answer((0, 1)).pvalue < 1
    else:
        assert answer.pvalue < 1
        assert reason.startswith("no price data on day 0: F03 ends ")


def test_no_benchmark_is_needed_for_the_constant_mean() -> None:
    market = Market(n=3)
    market.table["benchmark"] = ""
    assert len(market.fit(model="constant_mean")) == 3


def test_flags_say_what_a_reader_should_know() -> None:
    market = Market(n=4, seed=3)
    frame, day0 = market.frame.copy(), market.table["day0"]
    frame.loc[day0[0] + np.timedelta64(1, "D") :, "F00"] = np.nan
    frame.loc[day0[1], "F01"] = np.nan
    market.table["flags"] = ["time_unknown", "incomplete_window;mine", "", ""]
    flags = market.fit(frame, min_estimation=200).events["flags"].tolist()
    assert flags[0] == "time_unknown;short_estimation;missing_days", "the firm is gone"
    soon = market.fit(frame.loc[: day0[0] + np.timedelta64(20, "D")], min_estimation=200)
    assert soon.events["flags"][0] == "time_unknown;short_estimation;incomplete_window"
    assert flags[1] == "mine;short_estimation;missing_days", "flags of an earlier run do not stay"
    assert flags[2] == "short_estimation"
    assert set(STUDY_FLAGS).isdisjoint(market.fit(min_estimation=50).events["flags"][3].split(";"))


def test_tables_have_the_promised_columns_and_agree() -> None:
    market = Market(n=5, effect=0.05)
    results = market.fit(market.frame.drop(columns="F04"))
    ar, car = results.abnormal_returns(), results.car([(0, 1)])
    assert list(ar) == ["event_id", "ticker", "tau", "date", "ret", "expected", "ar", "se", "sar"]
    assert list(car) == [
        "event_id",
        "ticker",
        "start",
        "stop",
        "car",
        "se",
        "statistic",
        "pvalue",
        "scar",
        "bhar",
        "n_days",
        "ci_low",
        "ci_high",
        "n_sessions",
        "last_session",
        "variance_multiple",
        "pvalue_regime",
        "ci_low_regime",
        "ci_high_regime",
    ]
    errors = ["se_alpha", "se_beta"]
    table = ["event_id", "ticker", "nobs", "alpha", "beta", "sigma", "r2"]
    assert list(results.models()) == [*table, *errors]
    assert list(results.aar_table()) == ["tau", "n_events", "aar", "n_complete", "caar"]
    assert set(ar["event_id"]) == {"e0", "e1", "e2", "e3"}
    inside = ar[ar["tau"].isin([0, 1])].groupby("event_id")["ar"].sum()
    np.testing.assert_allclose(car.set_index("event_id")["car"], inside, rtol=1e-12)
    np.testing.assert_allclose(ar["ret"] - ar["expected"], ar["ar"], atol=1e-16)
    assert results.test("bmp", (0, 1)).estimate == pytest.approx(car["car"].mean())
    assert (
        ar.loc[ar["tau"] == 0, "date"].to_numpy() == results.events["day0"][results.ok].to_numpy()
    ).all()


def test_groups_partition_the_events() -> None:
    market = Market(n=9)
    market.table["direction"] = ["adverse", "relief", "adverse"] * 3
    results = market.fit()
    groups = results.groups("direction")
    assert {name: len(part) for name, part in groups.items()} == {"adverse": 6, "relief": 3}
    pooled = results.abnormal.car(es.Window(0, 1)).sum()
    assert sum(g.abnormal.car(es.Window(0, 1)).sum() for g in groups.values()) == pytest.approx(
        pooled
    )
    with pytest.raises(ConfigError, match="did you mean 'direction'"):
        results.groups("directoin")


def test_a_firm_with_many_events_is_many_units() -> None:
    market = Market(n=4, seed=5)
    market.table["ticker"] = "F00"
    results = market.fit(repeat="keep-all")
    single = Market(n=4, seed=5).fit()
    assert results.car([(0, 0)])["event_id"].tolist() == ["e0", "e1", "e2", "e3"]
    assert results.car([(0, 0)])["car"][0] == single.car([(0, 0)])["car"][0]
    assert results.car([(0, 0)])["car"].nunique() == 4


def test_weekend_announcements_of_one_firm_are_one_event() -> None:
    market = Market(n=4)
    friday = pd.Timestamp("2020-08-14")
    market.table["ticker"] = "F00"
    market.table["day0"] = [friday + pd.Timedelta(days=d) for d in (1, 2, 3, 4)]
    events = market.fit().events
    assert events["status"].tolist() == ["ok", "dropped", "dropped", "ok"]
    assert events["reason"][1] == "part of event e0: same listing and day 0"
    assert events["day0"].dt.day.tolist() == [17, 17, 17, 18]


def test_one_event_has_its_own_t() -> None:
    market = Market(n=1, effect=0.2)
    tests = market.fit().tests([(0, 0)])
    assert tests["test"].tolist() == [
        "event_t_regime",
        "event_t",
        "event_f",
        "sq",
        "placebo_in_space",
    ]
    assert tests["reason"][4] == "needs the model synthetic_control"
    assert tests["pvalue"][0] < 0.001
    car = market.fit().car([(0, 0)])
    assert car["statistic"][0] == tests["statistic"][0]


@pytest.mark.slow
def test_the_main_window_of_a_study_is_that_of_its_results() -> None:
    results = Market(n=6).fit(main=(0, 3))
    assert str(results.main) == "[0,3]"
    assert str(results.subset([0, 1]).main) == "[0,3]"
    assert results.answer() == results.answer((0, 3))
    assert str(Market(n=6).fit().main) == "[0,1]"


def test_summary_and_notebook_views() -> None:
    results = Market(n=6).fit()
    summary = results.summary(windows=[(0, 0), (-1, 1)])
    assert list(summary.frame.index) == ["[0,0]", "[-1,1]"]
    assert "CAAR %" in str(summary)
    for view in (results, summary, results.test("bmp", (0, 1))):
        assert "<table" in view._repr_html_()


@pytest.mark.slow
def test_six_lines_of_a_notebook(tmp_path: Path) -> None:
    events = es.events_from_frame(pd.DataFrame({
        "ticker": ["AAPL", "NVDA", "AMD"],
        "announced_at": ["2020-08-06", "2022-08-31T16:30-04:00", "2019-05-15"],
    }))  # fmt: skip
    returns = es.load_returns(events, provider="sample")
    study = es.EventStudy(events, returns, model="market", estimation=(-250, -31), event=(-10, 10))
    results = study.fit()
    assert str(results.summary(windows=[(0, 0), (-1, 1), (0, 5)]))
    assert results.plot_caar() is not None
    folder = results.save(tmp_path / "reports")
    assert (folder / "report.html").is_file()


def test_an_index_serves_exchanges_that_differ() -> None:
    """One index for two exchanges: each firm's windows count the sessions of its own exchange."""
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2018-06-01", "2020-03-31")
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (3, len(days))), axis=1))
    symbols = ("AAPL", "0700.HK", "^GSPC")
    table = pd.concat([
        pd.DataFrame({"symbol": s, "date": days, "close": c}) for s,
        c in zip(symbols, closes, strict=True)
    ]).assign(adj_close=np.nan)  # fmt: skip
    events = es.events_from_frame(
        pd.DataFrame(
            {"ticker": ["AAPL", "0700.HK"], "announced_at": "2019-10-02", "benchmark": "^GSPC"}
        )
    )

    from eventstudy.returns.series import needed
    from eventstudy.returns.sessions import build_sessions

    keys = list(needed(events))
    panel = es.ReturnsPanel.from_prices(
        table, keys=keys, sessions=build_sessions(keys, {}, {}.get, "exchange", set())
    )
    results = es.EventStudy(events, panel, estimation=(-100, -11), event=(-5, 5)).fit()
    dates = results.abnormal_returns().pivot_table(
        index="tau", columns="ticker", values="date", aggfunc="first"
    )
    assert str(dates.loc[0, "AAPL"].date()) == str(dates.loc[0, "0700.HK"].date()) == "2019-10-02"
    assert str(dates.loc[-1, "AAPL"].date()) == "2019-10-01"
    assert str(dates.loc[-1, "0700.HK"].date()) == "2019-09-30", (
        "1 October is a holiday in Hong Kong"
    )
    assert results.ok.all()


def test_what_a_source_changed_is_said(tmp_path: Path) -> None:
    days = pd.bdate_range("2022-01-03", periods=200)
    rng = np.random.default_rng(8)
    for symbol in ("AAPL", "^GSPC"):
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 200)))
        table = pd.DataFrame({"date": days, "close": close, "adj_close": close})
        if symbol == "AAPL":
            table = pd.concat([table, table.iloc[[150]]])
        table.to_csv(tmp_path / f"{symbol}.csv", index=False)
    events = es.events_from_frame(
        pd.DataFrame({"ticker": ["AAPL"], "announced_at": ["2022-08-15"]})
    )
    panel = es.load_returns(events, tmp_path, estimation=(-100, -11))
    assert any("AAPL: " in note and "of a date that occurs again" in note for note in panel.notes)


class TestConfig:
    def test_round_trip(self, tmp_path: Path) -> None:
        config = StudyConfig().with_options(
            {"windows": ["0:1", "-1:1"], "estimation": "-200:-21", "tests": ["bmp"]}
        )
        lines = [
            f"{k} = {str(v).lower() if isinstance(v, int) else repr(v)}"
            for k, v in config.to_dict().items()
        ]
        path = tmp_path / "study.toml"
        path.write_text("\n".join(lines).replace("'", '"'), encoding="utf-8")
        assert read_config(path) == config
        assert config.main == es.Window(0, 1)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"modle": "market"}, "did you mean 'model'"),
            ({"windows": ["-40:20"]}, "must end before"),
            ({"estimation": "-100:-5"}, "must end before"),
            ({"engine": "gpu"}, "use statsmodels, batch"),
            ({"min_estimation": "many"}, "not a whole number"),
            ({"model": 3}, "not a text"),
            ({"prices": pd.DataFrame({"AAA": [1.0]})}, "a setting is no table, got a DataFrame"),
        ],
    )
    def test_faults(self, options: dict[str, object], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            StudyConfig().with_options(options)

    def test_default_windows_fit_a_short_event_window(self) -> None:
        config = StudyConfig().with_options({"event": "-1:3"})
        assert [str(w) for w in config.tested] == ["[0,0]", "[0,1]", "[-1,1]"]
        assert str(StudyConfig().with_options({"event": "2:3"}).main) == "[2,3]"

    def test_broken_file(self, tmp_path: Path) -> None:
        path = tmp_path / "study.toml"
        path.write_text("model = market\n", encoding="utf-8")
        with pytest.raises(ConfigError, match=r"study\.toml:1: "):
            read_config(path)
        with pytest.raises(ConfigError, match="cannot read"):
            read_config(tmp_path / "none.toml")


@pytest.mark.skipif(not PRICES.is_dir(), reason="real prices are not part of the project")
class TestRealPrices:
    def study(
        self, ticker: str, day: str, benchmark: str, **options: object
    ) -> es.EventStudyResults:
        events = es.events_from_frame(
            pd.DataFrame({"ticker": [ticker], "announced_at": [day], "benchmark": [benchmark]})
        )
        panel = es.load_returns(events, PRICES, estimation=(-250, -11))
        return es.EventStudy(events, panel, estimation=(-250, -11), **options).fit()  # type: ignore[arg-type]

    @pytest.mark.parametrize("engine", ["statsmodels", "batch"])
    def test_hikvision(self, engine: str) -> None:
        """Figures that another program gave: beta 1.33, AR0 -4.85 %, t -2.59; CAR[-1,1] -7.67 %, t
        -2.35."""
        results = self.study("002415.SZ", "2019-05-22", "000300.SS", engine=engine)
        car = results.car([(0, 0), (-1, 1)])
        assert results.models()["beta"][0] == pytest.approx(1.33, abs=0.005)
        np.testing.assert_allclose(car["car"], [-0.0485, -0.0767], atol=5e-5)
        np.testing.assert_allclose(car["statistic"], [-2.59, -2.35], atol=0.005)

    def test_a_halt_is_not_a_zero_return(self) -> None:
        """Hikvision was halted on 8 and 9 October 2019: no AR there, and 10 October spans three
        sessions."""
        results = self.study("002415.SZ", "2019-10-07", "000300.SS")
        ar = results.abnormal_returns().set_index("tau")
        assert ar.loc[[0, 1], "ar"].isna().all()
        assert np.isfinite(ar.loc[2, "ar"])
        assert "multi_day_return" in results.events["flags"][0]
        car = results.car([(0, 1), (0, 2)]).set_index("stop")
        assert np.isnan(car.loc[1, "car"]), "the window ends in the halt"
        assert car.loc[2, "car"] == pytest.approx(ar.loc[2, "ar"])
        assert car.loc[2, "n_days"] == 3

    def test_a_suspension_recorded_as_flat_prices(self) -> None:
        """ZTE in Hong Kong, 17 April to 12 June 2018: 39 flat rows without volume are no
        trading."""
        results = self.study("0763.HK", "2018-04-17", "^HSI")
        car = results.car([(-1, 1), (0, 0)])
        assert car["car"].isna().all(), "with the flat rows it would be +0.9 %"
        assert results.events["flags"][0] == "time_unknown;missing_days"
        assert "closes without volume and without change" in " ".join(results.panel.notes)


def test_the_t_of_an_event_is_that_of_its_own_error_by_every_convention() -> None:
    """`scar` says how CARs are standardised for tests of the mean; t and p of an event are its
    own."""
    results = Market(n=4, seed=3).fit()
    summed = replace(results, abnormal=results.abnormal.under(scar="sum"))
    one, other = (r.car([(-5, 5)]) for r in (results, summed))
    assert (one["scar"] != other["scar"]).all()
    pd.testing.assert_frame_equal(one.drop(columns="scar"), other.drop(columns="scar"))
    np.testing.assert_allclose(other["statistic"], other["car"] / other["se"], rtol=1e-12)
    single = summed.subset(np.arange(4) == 2)
    assert single.test("event_t", (-5, 5)).statistic == pytest.approx(
        other["statistic"][2], rel=1e-12
    )


@pytest.mark.slow
def test_several_listings_of_an_announcement_are_one_observation_where_asked(
    tmp_path: Path,
) -> None:
    """A and H share of two firms: the first listing with a CAR stands for the announcement."""
    days = pd.bdate_range("2019-01-01", "2020-02-28")
    rng = np.random.default_rng(8)
    for symbol in ("A1", "H1", "A2", "H2", "U", "INDEX"):
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
        if symbol == "A2":
            close[days == "2019-10-22"] = np.nan
        table = pd.DataFrame({"date": days, "close": close, "adj_close": close}).dropna()
        table.to_csv(tmp_path / f"{symbol}.csv", index=False)
    news = pd.DataFrame({
        "ticker": ["A1", "H1", "A2", "H2", "U", "A1"], "firm": ["one", "one", "two", "two", "", "one"],
        "announced_at": ["2019-10-22"] * 5 + ["2019-12-03"], "benchmark": "INDEX",
        "event_id": ["a1", "h1", "a2", "h2", "u", "later"],
    })  # fmt: skip
    around = {"prices": str(tmp_path), "estimation": "-120:-11", "event": "-5:5"}
    config = es.StudyConfig(firm="firm", windows=["0:0"], calendar="data", **around)
    events = es.events_from_frame(news, calendar="data")
    results = es.run_study(events, config)
    assert results.events["status"].tolist() == ["ok", "dropped", "dropped", "ok", "ok", "ok"]
    reasons = results.events["reason"]
    assert [reasons[i].facts for i in (1, 2)] == [{"event": "a1"}, {"event": "h2"}]
    assert results.answer((0, 0)).n_events == 4
    text = headline(findings_of(results, config, name="x", provenance=PROVENANCE))
    assert "2 further listings in the list are left out" in text
    each = es.run_study(events, replace(config, firm=""))
    assert len(each) == 6, "where nobody asks each listing is an event"


@pytest.mark.slow
def test_a_day_that_the_source_lacks_for_all_is_in_the_answer_and_the_notes() -> None:
    news = pd.DataFrame({"ticker": ["NVDA", "AMD"], "announced_at": ["2022-10-07"] * 2})
    sample = es.study(news, prices="sample").panel.prices
    closes = sample.pivot(index="date", columns="symbol", values="adj_close")
    results = es.study(news, prices=closes.drop(index=pd.Timestamp("2022-10-10")))
    sentence = "none of 3 symbols has a price on 1 session (2022-10-10; from frame)"
    assert sum(sentence in note for note in results.notes) == 1
    text = " ".join(str(results.answer()).split())
    issue = "1 session without a price of the whole exchange; tables/faults.csv of the run."
    assert f"{issue} New York (NYSE, Nasdaq): {sentence}" in text
