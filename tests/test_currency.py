"""Returns in another currency: by hand, by properties, and never two currencies in one
regression."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.calendars import Sessions
from eventstudy.calendars.exchanges import EXCHANGES
from eventstudy.errors import ConfigError
from eventstudy.fitting.fit import note_currency
from eventstudy.returns import Quotation, Rates, ReturnsPanel
from eventstudy.returns.currency import converted, major, rate_symbol
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults, run_study
from eventstudy.utility import FloatArray

WINDOWS = {"estimation": (-60, -11), "event": (-5, 5)}
DAYS = pd.bdate_range("2019-01-01", "2020-02-28")


def walk(seed: int, scale: float = 0.01) -> FloatArray:
    return np.exp(np.cumsum(np.random.default_rng(seed).normal(0, scale, len(DAYS))))


SERIES = {
    "0700.HK": 300 * walk(1), "^HSI": 26000 * walk(2), "AAPL": 50 * walk(3),
    "^GSPC": 2900 * walk(4),
    "HKD=X": 7.8 * walk(5, 0.002), "EURUSD=X": 1.1 * walk(6, 0.004),
}  # fmt: skip


def write(folder: Path, *without: str, **more: FloatArray) -> Path:
    for symbol, close in {**SERIES, **more}.items():
        if symbol not in without:
            table = pd.DataFrame({"date": DAYS, "close": close, "adj_close": close})
            table[np.isfinite(table["close"])].to_csv(folder / f"{symbol}.csv", index=False)
    return folder


def listed(*tickers: str, **columns: object) -> es.Events:
    return es.events_from_frame(
        pd.DataFrame({"ticker": list(tickers), "announced_at": "2019-10-22", **columns})
    )


def panel_of(events: es.Events, folder: Path, currency: str, **options: object) -> ReturnsPanel:
    return es.load_returns(events, folder, currency=currency, **WINDOWS, **options)  # type: ignore[arg-type]


def fitted(events: es.Events, folder: Path, currency: str, **options: object) -> EventStudyResults:
    panel = panel_of(events, folder, currency, **options)
    return es.EventStudy(events, panel, **WINDOWS).fit()  # type: ignore[arg-type]


def row(panel: ReturnsPanel, symbol: str, calendar: str) -> pd.Series:
    return pd.Series(
        panel.values[panel.row(symbol, calendar)], pd.DatetimeIndex(panel.sessions)
    ).dropna()


class TestByHand:
    def test_one_return(self) -> None:
        """+10 % in Hong Kong while the dollar goes from 7.80 to 7.85: 1.1 x 7.80 / 7.85 - 1 =
        +9.2994 %."""
        rate = 1 / np.array([7.80, 7.85])
        values, spans = converted(np.array([np.nan, 0.1]), np.array([0, 1]), rate)
        assert values[1] == pytest.approx(0.0929936306, abs=1e-10)
        assert spans.tolist() == [0, 1]
        log, _ = converted(np.array([np.nan, np.log(1.1)]), np.array([0, 1]), rate, log=True)
        assert log[1] == pytest.approx(np.log(1.0929936306), abs=1e-10)

    def test_a_return_over_a_halt_takes_the_rates_at_its_ends(self) -> None:
        values, spans = converted(
            np.array([np.nan, np.nan, np.nan, 0.2]),
            np.array([0, 0, 0, 3]),
            np.array([2.0, 9.0, 9.0, 3.0]),
        )
        assert values[3] == pytest.approx(1.2 * 3 / 2 - 1)
        assert spans.tolist() == [0, 0, 0, 3]

    def test_a_rate_that_is_missing_takes_both_returns(self) -> None:
        values, spans = converted(
            np.array([np.nan, 0.1, 0.1, 0.1]), np.array([0, 1, 1, 1]), np.array([1, np.nan, 1, 1])
        )
        assert np.isnan(values).tolist() == [True, True, True, False]
        assert spans.tolist() == [0, 0, 0, 1], "a missing return is not one of zero"

    def test_rates_stay_in_use_for_five_calendar_days(self) -> None:
        dates = np.array(["2024-03-01", "2024-03-04"], dtype="datetime64[D]")
        days = np.arange("2024-02-29", "2024-03-12", dtype="datetime64[D]")
        rates = Rates({"EUR": (dates, np.array([1.0, 2.0]))})
        found = rates.dollars_per("EUR", days)
        np.testing.assert_array_equal(found, [np.nan, *[1.0] * 3, *[2.0] * 6, *[np.nan] * 2])

    def test_rates_are_quoted_both_ways(self) -> None:
        day = np.array(["2024-03-01"], dtype="datetime64[D]")
        rates = Rates({"EUR": (day, np.array([1.25])), "CNY": (day, np.array([8.0]))})
        assert rates.dollars_per("EUR", day)[0] == 1.25
        assert rates.dollars_per("CNY", day)[0] == 0.125
        assert rates.dollars_per("USD", day)[0] == 1


class TestCurrencies:
    @pytest.mark.parametrize(
        ("symbol", "given_by_source", "currency"),
        [
            ("BP.L", "GBp", "GBP"), ("BP.L", "USD", "USD"), ("BP.L", "", "GBP"),
            ("TEVA.TA", "ILA", "ILS"),
            ("SOL.JO", "ZAc", "ZAR"), ("002415.SZ", "", "CNY"), ("^HSI", "", "HKD"),
            ("AAPL", "", "USD"),
            ("^NOBODYS", "", ""), ("X.XD", "", ""),
        ],
    )  # fmt: skip
    def test_of_symbols(self, symbol: str, given_by_source: str, currency: str) -> None:
        assert Quotation(symbol, given_by_source).currency == currency

    def test_every_exchange_has_one(self) -> None:
        assert [suffix for suffix, e in EXCHANGES.items() if not e.currency] == ["XD"]
        assert all(
            len(e.currency) == 3 == len(major(e.currency)) for e in EXCHANGES.values() if e.currency
        )

    def test_symbols_of_rates(self) -> None:
        assert [rate_symbol(c) for c in ("USD", "EUR", "GBP", "CNY")] == [
            "",
            "EURUSD=X",
            "GBPUSD=X",
            "CNY=X",
        ]

    @pytest.mark.parametrize("text", ["usd", "US", "dollar", ""])
    def test_the_setting_is_checked(self, text: str) -> None:
        with pytest.raises(ConfigError, match="not a currency"):
            StudyConfig().with_options({"currency": text})


@settings(max_examples=60)
@given(
    returns=st.lists(st.floats(-0.5, 1), min_size=3, max_size=20),
    seed=st.integers(0, 2**32 - 1),
    log=st.booleans(),
)
def test_there_and_back_is_where_one_was(returns: list[float], seed: int, log: bool) -> None:
    rng = np.random.default_rng(seed)
    seen = np.r_[True, rng.random(len(returns)) < 0.7]
    at = np.flatnonzero(seen)
    spans = np.zeros(len(seen), dtype=np.int64)
    spans[at[1:]] = np.diff(at)
    values = np.where(spans > 0, np.r_[np.nan, returns], np.nan)
    rate = rng.uniform(0.1, 10, len(seen))
    there, kept = converted(values, spans, rate, log=log)
    back, kept = converted(there, kept, 1 / rate, log=log)
    np.testing.assert_allclose(back, values, atol=1e-12)
    np.testing.assert_array_equal(kept, spans)


class TestStudies:
    def test_firm_and_index_are_both_converted(self, tmp_path: Path) -> None:
        """In dollars: the returns of prices divided by the dollar's price, computed by pandas."""
        panel = panel_of(listed("0700.HK"), write(tmp_path), "USD")
        open_days = pd.DatetimeIndex(Sessions.of("XHKG").dates)
        for symbol in ("0700.HK", "^HSI"):
            dollars = pd.Series(SERIES[symbol] / SERIES["HKD=X"], DAYS)
            expected = dollars[dollars.index.isin(open_days)].pct_change()
            got = row(panel, symbol, "XHKG")
            np.testing.assert_allclose(got, expected[got.index], atol=1e-14)
            assert len(got) > 100
        assert panel.notices == ("all returns are in USD: converted 2 symbols from HKD (HKD=X)",)
        assert "HKD=X" in set(panel.prices["symbol"]), (
            "what was used can be fetched from the run again"
        )

    def test_cross_rates_go_through_the_dollar(self, tmp_path: Path) -> None:
        panel = panel_of(listed("0700.HK"), write(tmp_path), "EUR")
        euros = pd.Series(SERIES["^HSI"] / SERIES["HKD=X"] / SERIES["EURUSD=X"], DAYS)
        got = row(panel, "^HSI", "XHKG")
        expected = euros[euros.index.isin(pd.DatetimeIndex(Sessions.of("XHKG").dates))].pct_change()
        np.testing.assert_allclose(got, expected[got.index], atol=1e-14)
        assert panel.notices == (
            "all returns are in EUR: converted 2 symbols from HKD (HKD=X, EURUSD=X)",
        )

    def test_a_firm_of_new_york_in_dollars_is_unchanged(self, tmp_path: Path) -> None:
        write(tmp_path, "HKD=X", "EURUSD=X")
        local, dollars = (fitted(listed("AAPL"), tmp_path, c) for c in ("local", "USD"))
        np.testing.assert_array_equal(local.abnormal.ar, dollars.abnormal.ar)
        assert dollars.panel.notices == ()

    def test_market_adjusted_returns_differ_by_the_rate_times_their_own(
        self, tmp_path: Path
    ) -> None:
        """(R_i - R_m) S_t / S_t-1: the rate cancels to first order."""
        events, folder = listed("0700.HK"), write(tmp_path)
        own = []
        for currency in ("local", "USD"):
            panel = panel_of(events, folder, currency)
            own.append(es.EventStudy(events, panel, model="market_adjusted", **WINDOWS).fit())  # type: ignore[arg-type]
        dates = pd.DatetimeIndex(own[0].abnormal_returns()["date"])
        days = pd.DatetimeIndex(own[0].panel.sessions[own[0].panel.calendars["XHKG"]])
        rate = pd.Series(1 / SERIES["HKD=X"], DAYS).reindex(days)
        growth = (rate / rate.shift())[dates].to_numpy()
        np.testing.assert_allclose(
            own[1].abnormal.ar[0], own[0].abnormal.ar[0] * growth, atol=1e-14
        )
        assert np.abs(growth - 1).max() > 1e-4

    def test_a_benchmark_of_another_currency_is_converted_into_the_firms(
        self, tmp_path: Path
    ) -> None:
        panel = panel_of(listed("0700.HK", "AAPL", benchmark="^GSPC"), write(tmp_path), "local")
        honkong = pd.Series(SERIES["^GSPC"] * SERIES["HKD=X"], DAYS)
        got = row(panel, "^GSPC", "XHKG")
        expected = honkong[
            honkong.index.isin(pd.DatetimeIndex(Sessions.of("XHKG").dates))
        ].pct_change()
        np.testing.assert_allclose(got, expected[got.index], atol=1e-14)
        home = row(panel, "^GSPC", "XNYS")
        plain = pd.Series(SERIES["^GSPC"], DAYS)
        plain = plain[plain.index.isin(pd.DatetimeIndex(Sessions.of("XNYS").dates))].pct_change()
        np.testing.assert_allclose(home, plain[home.index], atol=1e-14)
        assert panel.notices == ("^GSPC converted from USD to HKD",)

    def test_without_rates_there_is_a_reason_and_no_local_currency(self, tmp_path: Path) -> None:
        write(tmp_path, "HKD=X")
        results = fitted(listed("0700.HK", "AAPL"), tmp_path, "USD")
        assert results.events["status"].tolist() == ["dropped", "ok"]
        assert results.events["reason"][0].startswith(
            "no exchange rate from HKD to USD: HKD=X: no HKD=X.csv"
        )
        foreign = listed("0700.HK", benchmark="^GSPC")
        panel = panel_of(foreign, tmp_path, "local", benchmark_policy="strict")
        mixed = es.EventStudy(foreign, panel, benchmark_policy="strict", **WINDOWS).fit()  # type: ignore[arg-type]
        assert mixed.events["reason"][0].startswith("no exchange rate from USD")

    def test_an_index_of_two_exchanges_has_the_reason_of_each(self, tmp_path: Path) -> None:
        """Wanted in yuan and in Hong Kong dollars: each event is told of its pair."""
        write(tmp_path, "CNY=X", "HKD=X")
        for order in (("0700.HK", "600000.SS"), ("600000.SS", "0700.HK")):
            table = pd.DataFrame(
                {"ticker": order, "announced_at": "2019-07-22", "benchmark": "^GSPC"}
            )
            prices = SERIES["0700.HK"]
            frame = {"date": DAYS, "close": prices, "adj_close": prices}
            pd.DataFrame(frame).to_csv(tmp_path / "600000.SS.csv", index=False)
            events = es.events_from_frame(table)
            panel = panel_of(events, tmp_path, "local", benchmark_policy="strict")
            study = es.EventStudy(events, panel, benchmark_policy="strict", **WINDOWS).fit()  # type: ignore[arg-type]
            reasons = dict(zip(order, study.events["reason"], strict=True))
            assert "from USD to HKD: HKD=X" in reasons["0700.HK"]
            assert "from USD to CNY: CNY=X" in reasons["600000.SS"]

    def test_holes_in_the_rates_are_said(self, tmp_path: Path) -> None:
        rates = SERIES["HKD=X"].copy()
        rates[(DAYS >= "2019-08-01") & (DAYS <= "2019-08-16")] = np.nan
        panel = panel_of(listed("0700.HK"), write(tmp_path, **{"HKD=X": rates}), "USD")
        lost = [note for note in panel.notes if "without an exchange rate" in note]
        # The rate of 31 July serves until 5 August; 6 to 16 August have none, and 19 August no
        # beginning.
        assert lost == [
            f"{s}: 10 returns without an exchange rate from HKD to USD" for s in ("0700.HK", "^HSI")
        ]

    def test_the_name_of_an_own_index_is_taken_as_local_and_as_dollars(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, MINE=SERIES["^HSI"])
        events = listed("0700.HK", benchmark="MINE")
        own = row(panel_of(events, tmp_path, "local"), "MINE", "XHKG")
        np.testing.assert_allclose(
            own, row(panel_of(listed("0700.HK"), tmp_path, "local"), "^HSI", "XHKG")
        )
        said = panel_of(events, tmp_path, "USD").notices
        assert any(
            text.startswith("MINE: no market suffix, so taken to be in USD") for text in said
        )

    def test_factors_of_another_currency_are_said(self) -> None:
        assert note_currency("local", ["XNYS"]) == []
        assert note_currency("USD", ["XHKG"]) == []
        assert "returns here are in HKD" in note_currency("local", ["XNYS", "XHKG"])[0]
        assert "returns here are in EUR" in note_currency("EUR", ["XNYS"])[0]

    def test_returns_and_other_measures_have_no_currency(self, tmp_path: Path) -> None:
        events = listed("0700.HK")
        with pytest.raises(ConfigError, match="no exchange rates"):
            run_study(events, StudyConfig(returns="r.csv", currency="USD"))
        with pytest.raises(ConfigError, match="only returns have a currency"):
            run_study(events, StudyConfig(prices=str(tmp_path), measure="volume", currency="USD"))

    def test_a_fund_abroad_stands_in_converted(self, tmp_path: Path) -> None:
        """ASHR trades in New York in dollars; against firms of Shenzhen it is taken in yuan."""
        write(
            tmp_path,
            **{"000001.SZ": 10 * walk(7), "ASHR": 30 * walk(8), "CNY=X": 7 * walk(9, 0.002)},
        )
        results = fitted(listed("000001.SZ"), tmp_path, "local")
        assert results.events["benchmark"][0] == "ASHR"
        got = row(results.panel, "ASHR", "XSHE")
        yuan = pd.Series(30 * walk(8) * 7 * walk(9, 0.002), DAYS)
        expected = yuan[yuan.index.isin(pd.DatetimeIndex(Sessions.of("XSHG").dates))].pct_change()
        np.testing.assert_allclose(got, expected[got.index], atol=1e-14)


def test_a_jump_of_the_rate_is_other_news(tmp_path: Path) -> None:
    jump = np.where(pd.Index(DAYS) >= "2019-10-23", 1.05, 1.0)
    write(tmp_path, **{"HKD=X": SERIES["HKD=X"] * jump})
    news = pd.DataFrame({"ticker": ["0700.HK"], "announced_at": "2019-10-22"})
    options: dict[str, Any] = {"estimation": "-60:-11", "event": "-5:5", "car": "0:1"}
    options |= {"currency": "USD", "find_confounders": True}
    said = es.study(news, tmp_path, **options).events["confounder"][0]
    assert re.fullmatch(r"HKD in USD moved by −[45]\.\d\d% \(2019-10-23\)", said)


@pytest.mark.parametrize("day", ["2012-08-06", "2024-03-01"])
def test_a_dropped_event_keeps_the_day_0_of_the_list(tmp_path: Path, day: str) -> None:
    """Prices begin in 2019 and end in 2020."""
    table = pd.DataFrame({"ticker": ["0700.HK", "0700.HK"], "announced_at": ["2019-10-22", day]})
    events, folder = es.events_from_frame(table), write(tmp_path)
    results = fitted(events, folder, "local")
    assert results.events["status"].tolist() == ["ok", "dropped"]
    assert results.events["day0"].tolist() == events.table["day0"].tolist()
    assert f"day 0 is {day}" in results.events["reason"][1]
