"""Which series are fetched, for which days, and which index each event is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, SHARED
from hypothesis import given, settings
from hypothesis import strategies as st
from yahoo_standin import Yahoo, synthetic

import eventstudy as es
from eventstudy.calendars import Sessions, Symbol, Window, bundled_rows
from eventstudy.calendars.exchanges import EXCHANGES
from eventstudy.errors import ConfigError, DataError, NetworkError, PriceError, RateLimitedError
from eventstudy.prices import Prices
from eventstudy.prices.files import FilesProvider
from eventstudy.prices.sample import SampleProvider
from eventstudy.returns import read_factors
from eventstudy.returns.load import Basket
from eventstudy.returns.series import MOST_CALLS, calls_of, range_around
from eventstudy.runs.contents import list_outcomes
from eventstudy.settings import StudyConfig
from eventstudy.studies import EventStudyResults
from eventstudy.utility import Flag, FloatArray
from eventstudy.words import Reason

WINDOWS = {"estimation": (-60, -11), "event": (-5, 5)}
_OPEN = Sessions.of("XSHG").dates
CHINA = _OPEN[
    slice(*np.searchsorted(_OPEN, np.array(["2018-06-01", "2020-07-01"], dtype="datetime64[D]")))
]


@dataclass
class Recording:
    """Prices of a folder, with a record of what was asked; some symbols fail by the network."""

    folder: Path
    unreachable: Sequence[str] = ()
    kind: type[PriceError] = NetworkError
    calls: list[tuple[list[str], date, date]] = field(default_factory=list)
    name = "files"

    def fetch(
        self, symbols: Sequence[str], start: date, end: date, *, progress: object = None
    ) -> Prices:
        self.calls.append((list(symbols), start, end))
        own = FilesProvider(self.folder).fetch(
            [s for s in symbols if s not in self.unreachable], start, end
        )
        lost = {s: self.kind("time-out", where=s) for s in symbols if s in self.unreachable}
        return own.merge(Prices.of({}, lost))


def closes(seed: int) -> FloatArray:
    steps = np.random.default_rng(seed).normal(0, 0.01, len(CHINA))
    return 100 * np.exp(np.cumsum(steps))


def write(folder: Path, **holes: Sequence[str]) -> None:
    """Write prices of two firms and three indices; `holes` are sessions without a price, by
    name."""
    names = {"000001.SZ": "firm", "600000.SS": "other", "000300.SS": "first", "399001.SZ": "second",
             "000001.SS": "third"}  # fmt: skip
    for seed, (symbol, name) in enumerate(names.items()):
        table = pd.DataFrame({"date": CHINA, "close": closes(seed)}).assign(
            adj_close=lambda t: t["close"]
        )
        gone = table["date"].isin(pd.to_datetime(list(holes.get(name, ()))))
        if not gone.all():
            table[~gone].to_csv(folder / f"{symbol}.csv", index=False)


def listed(*rows: tuple[str, str], **columns: object) -> es.Events:
    ticker, day = zip(*rows, strict=True)
    return es.events_from_frame(pd.DataFrame({"ticker": ticker, "announced_at": day, **columns}))


def fitted(
    events: es.Events, source: object, *, calibrate: bool = True, **options: object
) -> EventStudyResults:
    around: dict[str, object] = {**WINDOWS, **options, "calibrate": calibrate}
    panel = es.load_returns(events, source, **around)  # type: ignore[arg-type]
    return es.EventStudy(events, panel, **WINDOWS, **options).fit()  # type: ignore[arg-type]


def days(first: str, last: str) -> list[str]:
    return [str(d) for d in CHINA if np.datetime64(first) <= d <= np.datetime64(last)]


EARLY, LATE = ("000001.SZ", "2018-12-03"), ("000001.SZ", "2019-12-03")


class TestStandIns:
    def test_an_event_without_its_index_uses_the_next_one(self, tmp_path: Path) -> None:
        write(tmp_path, first=days("2018-06-01", "2019-05-31"))
        source = Recording(tmp_path)
        results = fitted(listed(EARLY, LATE), source, calibrate=False)
        assert results.events["benchmark"].tolist() == ["399001.SZ", "000300.SS"]
        assert [Flag.BENCHMARK_FALLBACK in flags for flags in results.events["flags"]] == [
            True,
            False,
        ]
        assert results.panel.notices == (
            (
                "Benchmark: 1 of 2 events uses 399001.SZ because 000300.SS has no prices before 3 "
                "June 2019"
            ),
        )
        assert [symbols for symbols, *_ in source.calls[-1:]] == [["399001.SZ"]], (
            "asked for alone, and last"
        )
        assert source.calls[-1][2] < date(2019, 12, 3), (
            "only for the days of the event that needs it"
        )
        named = fitted(listed(EARLY, LATE, benchmark=["399001.SZ", "000300.SS"]), tmp_path)
        np.testing.assert_array_equal(results.abnormal.ar, named.abnormal.ar)

    def test_nothing_further_is_asked_for_without_need(self, tmp_path: Path) -> None:
        write(tmp_path)
        source = Recording(tmp_path)
        results = fitted(listed(EARLY, LATE), source)
        assert {s for symbols, *_ in source.calls for s in symbols} == {"000001.SZ", "000300.SS"}
        assert results.panel.notices == ()

    @pytest.mark.parametrize(("lost", "used"), [(2, "000300.SS"), (3, "399001.SZ")])
    def test_a_twentieth_of_the_estimation_window_may_be_missing(
        self, tmp_path: Path, lost: int, used: str
    ) -> None:
        zero = int(np.searchsorted(CHINA, np.datetime64("2019-12-03")))
        write(tmp_path, first=[str(d) for d in CHINA[zero - 40 : zero - 40 + lost]])
        assert fitted(listed(LATE), tmp_path).events["benchmark"][0] == used

    def test_every_session_of_the_event_window_is_needed(self, tmp_path: Path) -> None:
        write(tmp_path, first=["2019-12-05"])
        results = fitted(listed(EARLY, LATE), tmp_path)
        assert results.events["benchmark"].tolist() == ["000300.SS", "399001.SZ"]
        assert results.panel.notices == (
            "Benchmark: 1 of 2 events uses 399001.SZ because 000300.SS lacks 1 of 61 sessions",
        )

    def test_events_of_one_date_and_exchange_share_an_index(self, tmp_path: Path) -> None:
        write(tmp_path, first=["2019-12-05"])
        twin = pd.read_csv(tmp_path / "000001.SZ.csv")
        twin.to_csv(tmp_path / "000002.SZ.csv", index=False)
        events = listed(LATE, ("000002.SZ", "2019-12-03"), ("600000.SS", "2019-12-03"))
        assert fitted(events, tmp_path).events["benchmark"].tolist() == [
            *["399001.SZ"] * 2,
            "000001.SS",
        ]

    def test_where_none_covers_the_event_the_fullest_is_used(self, tmp_path: Path) -> None:
        write(
            tmp_path, first=days("2019-12-02", "2019-12-06"),
            second=days("2019-12-02", "2019-12-04"),
            third=days("2019-12-02", "2019-12-05"),
        )  # fmt: skip
        assert fitted(listed(LATE), tmp_path).events["benchmark"][0] == "399001.SZ"
        write(tmp_path, **{name: ["2019-12-05"] for name in ("first", "second", "third")})
        assert fitted(listed(LATE), tmp_path).events["benchmark"][0] == "000300.SS", (
            "the first of equals"
        )

    def test_where_none_has_prices_the_first_is_missed(self, tmp_path: Path) -> None:
        """A fund of another country would lack fewer sessions, as it has other holidays."""
        write(
            tmp_path,
            **dict.fromkeys(("first", "second", "third"), days("2018-06-01", "2020-06-30")),
        )
        for events in (listed(LATE), listed(LATE, benchmark=["000300.SS"])):
            results = fitted(events, tmp_path)
            assert results.events["benchmark"][0] == "000300.SS"
            assert results.events["reason"][0].startswith(
                "no price data for the benchmark: no 000300.SS.csv"
            )

    def test_an_index_that_the_file_names_is_a_wish(self, tmp_path: Path) -> None:
        """It goes before the chain of the exchange; what is used, and what was named, stand at each
        event."""
        write(tmp_path, first=days("2018-06-01", "2019-05-31"))
        events = listed(
            EARLY, LATE, (*LATE[:1], "2019-09-03"), benchmark=["000300.SS", "000300.SS", ""]
        )
        source = Recording(tmp_path)
        results = fitted(events, source)
        assert results.events["benchmark"].tolist() == ["399001.SZ", "000300.SS", "000300.SS"]
        assert results.events["benchmark_named"].tolist() == ["000300.SS", "000300.SS", ""]
        assert [Flag.BENCHMARK_FALLBACK in flags for flags in results.events["flags"]] == [
            True,
            False,
            False,
        ]
        assert [symbols for symbols, *_ in source.calls[1:]] == [["399001.SZ"]], (
            "nothing beyond need"
        )
        named = fitted(listed(EARLY, benchmark=["399001.SZ"]), tmp_path)
        np.testing.assert_array_equal(results.abnormal.ar[0], named.abnormal.ar[0])
        assert "benchmark_named" not in named.events

    def test_another_index_of_the_exchange_may_be_named(self, tmp_path: Path) -> None:
        """The exchange's own chain follows it, best first; a fund of another name is as good a
        wish."""
        write(tmp_path, third=days("2018-06-01", "2020-06-30"))
        results = fitted(listed(LATE, EARLY, benchmark=["000001.SS", "NONE"]), tmp_path)
        assert results.events["benchmark"].tolist() == ["000300.SS"] * 2
        (line,) = results.panel.notices
        assert line.count("has no prices on these days") == 2
        assert line.startswith("Benchmark: 1 of 2 events uses 000300.SS because 000001.SS ")

    def test_the_events_of_a_run_name_what_it_used(self, tmp_path: Path) -> None:
        write(tmp_path, first=days("2018-06-01", "2019-05-31"))
        results = fitted(listed(EARLY, LATE, benchmark="000300.SS"), tmp_path)
        again = fitted(es.events_from_frame(list_outcomes(results)), tmp_path)
        assert again.events["benchmark"].tolist() == again.events["benchmark_named"].tolist()
        np.testing.assert_array_equal(again.abnormal.ar, results.abnormal.ar)
        assert again.panel.notices == ()

    @pytest.mark.parametrize("day", ["2019-10-25", "2019-11-26"])
    def test_holidays_at_home_are_not_held_against_an_index(self, tmp_path: Path, day: str) -> None:
        """A mainland firm against an index of New York, where 28 November 2019 was a holiday."""
        write(tmp_path)
        table = pd.DataFrame({"date": CHINA, "close": closes(9)}).assign(
            adj_close=lambda t: t["close"]
        )
        table.assign(close=7.0, adj_close=7.0).to_csv(tmp_path / "CNY=X.csv", index=False)
        events = listed(("000001.SZ", day), benchmark=["^GSPC"])

        def used(*shut: str) -> str:
            gone = table["date"].isin(pd.to_datetime(shut))
            table[~gone].to_csv(tmp_path / "^GSPC.csv", index=False)
            return str(fitted(events, tmp_path).events["benchmark"][0])

        assert used("2019-11-28") == "^GSPC"
        assert used("2019-11-28", "2019-10-28", "2019-11-29") == "000300.SS", "New York was open"

    def test_an_index_that_cannot_be_converted_is_replaced_unless_the_network_failed(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path)
        (tmp_path / "000300.SS.csv").rename(tmp_path / "^GSPC.csv")
        events = listed(LATE, benchmark=["^GSPC"])
        results = fitted(events, tmp_path)
        assert results.events["benchmark"][0] == "399001.SZ"
        (line,) = results.panel.notices
        assert line.endswith("because ^GSPC cannot be converted into the currency of the firm")
        results = fitted(events, Recording(tmp_path, unreachable=["CNY=X"]))
        assert results.events["benchmark"][0] == "^GSPC"
        assert "time-out" in results.events["reason"][0]

    @pytest.mark.parametrize(("late", "used"), [(5, "000300.SS"), (6, "399001.SZ")])
    def test_an_index_that_is_some_days_late_is_waited_for(
        self, tmp_path: Path, late: int, used: str
    ) -> None:
        """The last sessions of the data: a study that is refreshed must not go to another index and
        back."""
        write(tmp_path, first=[str(d) for d in CHINA[-late:]])
        assert (
            fitted(listed(("000001.SZ", str(CHINA[-8]))), tmp_path).events["benchmark"][0] == used
        )

    def test_where_an_index_ends_is_said(self, tmp_path: Path) -> None:
        write(tmp_path, first=days("2018-12-04", "2020-06-30"))
        (line,) = fitted(listed(EARLY, LATE), tmp_path).panel.notices
        assert line == (
            "Benchmark: 2 of 2 events use 399001.SZ because 000300.SS has no prices after 3 "
            "December 2018"
        )

    def test_a_strict_policy_and_an_option_replace_nothing(self, tmp_path: Path) -> None:
        write(tmp_path, first=days("2018-06-01", "2020-06-30"))
        for results in (
            fitted(listed(LATE, benchmark=["000300.SS"]), tmp_path, benchmark_policy="strict"),
            fitted(listed(LATE), tmp_path, benchmark="000300.SS"),
        ):
            assert results.panel.notices == ()
            assert "benchmark_named" not in results.events
            assert results.events["status"][0] == "dropped"
            assert results.events["reason"][0].startswith(
                "no price data for the benchmark: no 000300.SS.csv"
            )
            assert "other indices" not in results.events["reason"][0], "the folder gave none"
            assert Flag.BENCHMARK_FALLBACK not in results.events["flags"][0]

    def test_a_hint_names_only_indices_that_the_source_has(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of the exchange's other indices those that are there; with Yahoo, which has them, all."""
        whole = days("2018-06-01", "2020-06-30")
        write(tmp_path, first=whole, third=whole)
        two = listed(LATE, EARLY, benchmark=["000300.SS", "399001.SZ"])
        reason = fitted(two, tmp_path, benchmark_policy="strict").events["reason"][0]
        assert reason.endswith("; other indices of the exchange: 399001.SZ")
        late = listed(("NVDA", "2023-06-01"), ("AAPL", "2022-06-01"), benchmark="^GSPC")
        reason = fitted(late, "sample").events["reason"][0]
        assert (
            reason == "no price data for the benchmark on day 0: ^GSPC ends 2022-12-28, day 0 is "
            "2023-06-01"
        )
        there = [
            synthetic(s, start=date(2018, 1, 1), end=date(2020, 6, 30))
            for s in ("000001.SZ", "399001.SZ")
        ]
        with Yahoo(*there) as yahoo:
            for name, value in yahoo.env().items():
                monkeypatch.setenv(name, value)
            reason = fitted(two, "yahoo", benchmark_policy="strict").events["reason"][0]
        assert reason.endswith("; other indices of the exchange: 399001.SZ, 000001.SS, ASHR")

    @pytest.mark.parametrize("kind", [NetworkError, RateLimitedError, PriceError])
    def test_the_network_does_not_decide_on_the_index(
        self, tmp_path: Path, kind: type[PriceError]
    ) -> None:
        """Not even where another event has fetched what could stand in."""
        write(tmp_path)
        source = Recording(tmp_path, unreachable=["000300.SS"], kind=kind)
        results = fitted(listed(LATE, EARLY, benchmark=["000300.SS", "399001.SZ"]), source)
        assert results.events["benchmark"].tolist() == ["000300.SS", "399001.SZ"]
        assert "time-out" in results.events["reason"][0]
        assert results.panel.notices == ()

    def test_a_flag_of_an_earlier_run_does_not_stay(self, tmp_path: Path) -> None:
        write(tmp_path)
        results = fitted(listed(LATE, flags=[f"{Flag.BENCHMARK_FALLBACK};mine"]), tmp_path)
        assert results.events["flags"][0].split(";")[0] == "mine"
        assert Flag.BENCHMARK_FALLBACK not in results.events["flags"][0]

    def test_returns_from_a_file_fall_back_as_well(self, tmp_path: Path) -> None:
        wide = pd.DataFrame({s: pd.Series(closes(i), CHINA).pct_change() for i, s in
                             enumerate(("000001.SZ", "399001.SZ"))}).iloc[1:]  # fmt: skip
        wide.rename_axis("date").to_csv(tmp_path / "returns.csv")
        events = listed(LATE)
        panel = es.read_returns(tmp_path / "returns.csv", events)
        results = es.EventStudy(events, panel, **WINDOWS).fit()  # type: ignore[arg-type]
        assert results.events["benchmark"][0] == "399001.SZ"
        assert results.ok.all()
        late = wide.assign(
            **{"000300.SS": wide["399001.SZ"].where(wide.index > pd.Timestamp(CHINA[400]))}
        )
        late.rename_axis("date").to_csv(tmp_path / "returns.csv")
        events = listed(EARLY, benchmark="000300.SS")
        panel = es.read_returns(tmp_path / "returns.csv", events)
        (line,) = es.EventStudy(events, panel, **WINDOWS).fit().panel.notices  # type: ignore[arg-type]
        begins = CHINA[401].astype(date)
        assert line.endswith(f"000300.SS has no returns before {begins.day} {begins:%B %Y}")

    def test_the_sample_has_no_further_index(self) -> None:
        results = fitted(listed(("AAPL", "2020-08-06")), SampleProvider())
        assert results.events["benchmark"][0] == "^GSPC"
        assert results.ok.all()

    def test_chains_begin_with_the_usual_index_and_name_known_symbols(self) -> None:
        for exchange in EXCHANGES.values():
            assert exchange.chain[:1] == ((exchange.benchmark,) if exchange.benchmark else ())
            assert len(set(exchange.chain)) == len(exchange.chain)
            assert all(Symbol(symbol).home for symbol in exchange.chain[1:])


class TestPortfolios:
    def test_the_mean_of_the_members(self, tmp_path: Path) -> None:
        write(tmp_path)
        results = fitted(listed(LATE), tmp_path, benchmark="600000.SS;000300.SS")
        panel = results.panel
        pair = [panel.row(s, "XSHE") for s in ("600000.SS", "000300.SS")]
        own = panel.values[panel.row("600000.SS;000300.SS", "XSHE")]
        np.testing.assert_allclose(own, panel.values[pair].mean(axis=0), atol=1e-15)
        assert results.ok.all()

    def test_treated_firms_are_left_out(self, tmp_path: Path) -> None:
        write(tmp_path)
        events = listed(LATE, ("600000.SS", "2019-09-03"))
        results = fitted(events, tmp_path, benchmark="600000.SS;000300.SS;399001.SZ")
        assert results.events["benchmark"].unique().tolist() == ["000300.SS;399001.SZ"]
        said = (
            "benchmark: these firms of the list of events are left out of the portfolios: 600000.SS"
        )
        assert said in results.panel.notes

    def test_a_column_of_peers(self, tmp_path: Path) -> None:
        write(tmp_path)
        events = listed(LATE, EARLY, peers=["600000.SS;000001.SZ;399001.SZ", "600000.SS"])
        results = fitted(events, tmp_path, benchmark="peers")
        assert results.events["benchmark"].tolist() == ["600000.SS;399001.SZ", "600000.SS"]
        assert results.ok.all()

    def test_a_portfolio_of_treated_firms_only_is_none(self, tmp_path: Path) -> None:
        write(tmp_path)
        events = listed(LATE, ("600000.SS", "2019-09-03"), benchmark=["600000.SS;000001.SZ", ""])
        assert fitted(events, tmp_path).events["reason"][0].startswith("no benchmark")

    def test_peers_need_their_column(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no column peers"):
            es.load_returns(listed(LATE), tmp_path, benchmark="peers")


class TestRanges:
    def test_each_symbol_for_the_days_of_its_own_events(self, tmp_path: Path) -> None:
        write(tmp_path)
        source = Recording(tmp_path)
        es.load_returns(
            listed(EARLY, ("600000.SS", "2019-12-03")), source, calibrate=False, **WINDOWS
        )  # type: ignore[arg-type]
        of = {s: (first, last) for symbols, first, last in source.calls for s in symbols}
        span = {"estimation": Window(-60, -11), "event": Window(-5, 5)}
        early, late = (range_around([date(y, 12, 3)], **span) for y in (2018, 2019))
        assert of == {"000001.SZ": early, "600000.SS": late, "000300.SS": (early[0], late[1])}

    @settings(max_examples=60)
    @given(st.dictionaries(
        st.text("ABCDEF", min_size=1, max_size=3),
        st.tuples(st.dates(date(1990, 1, 1), date(2025, 1, 1)), st.integers(1, 4000)), max_size=30,
    ))  # fmt: skip
    def test_few_calls_cover_every_range(self, drawn: Mapping[str, tuple[date, int]]) -> None:
        ranges = {s: (first, first + timedelta(days=n)) for s, (first, n) in drawn.items()}
        calls = calls_of(ranges)
        assert len(calls) <= MOST_CALLS
        assert sorted(s for own, _ in calls for s in own) == sorted(ranges)
        for own, (first, last) in calls:
            assert all(first <= ranges[s][0] and ranges[s][1] <= last for s in own)

    def test_a_wider_range_is_fetched_anew_and_a_narrower_one_is_not(self, tmp_path: Path) -> None:
        write(tmp_path)
        source = Recording(tmp_path)
        basket = Basket(source)
        basket.fetch({"000001.SZ": (date(2019, 1, 1), date(2019, 6, 30))})
        basket.fetch({"000001.SZ": (date(2019, 2, 1), date(2019, 3, 1))})
        assert len(source.calls) == 1
        basket.fetch({"000001.SZ": (date(2018, 9, 1), date(2019, 3, 1))})
        assert source.calls[1] == (["000001.SZ"], date(2018, 9, 1), date(2019, 6, 30))
        table = basket.prices.table
        assert len(table) == len(days("2018-09-01", "2019-06-30"))

    def test_notices_of_several_calls_are_joined(self) -> None:
        def use(*symbols: str) -> Reason:
            why = "Yahoo cannot be reached"
            return Reason("sample_used", why=why, n=len(symbols), symbols=symbols)

        class Source:
            name = "sample"

            def fetch(self, symbols: Sequence[str], *_: object, progress: object = None) -> Prices:
                return Prices.of({}, {}, [use(symbols[0]), "other"])

        basket = Basket(Source())  # type: ignore[arg-type]
        basket.fetch({s: (date(y, 1, 1), date(y, 2, 1)) for s, y in (("A", 2010), ("B", 2020))})
        assert basket.prices.notices == (use("A", "B"), "other")
        assert use("A", "B").endswith("bundled sample used for 2 symbols (A, B)")


@pytest.mark.skipif(not SHARED.is_dir(), reason="real prices are not part of the project")
def test_hikvision_without_the_csi_300_before_2021(tmp_path: Path) -> None:
    """The first event of events.csv, on recorded prices: the numbers are those of a regression by
    hand."""
    data = SHARED / "market-data"
    for path in (
        "prices/002415.SZ.csv",
        "prices/399001.SZ.csv",
        "prices-as-recorded/000300.SS.csv",
    ):
        (tmp_path / Path(path).name).write_bytes((data / path).read_bytes())
    events = es.read_events(ROOT / "events.csv")
    rows = events.table[events.table["ticker"] == "002415.SZ"].reset_index(drop=True)
    events = replace(events, table=rows)
    results = es.run_study(events, StudyConfig(prices=str(tmp_path)))
    first = int(np.flatnonzero(results.events["event_id"] == "hikvision-2019-05-22-report")[0])
    assert results.ok.all()
    used = ["399001.SZ"] * 4 + ["000300.SS"] * 2
    assert results.events["benchmark"].tolist() == used
    assert set(results.events["benchmark_named"]) == {"000300.SS"}
    assert results.panel.notices == (
        (
            "Benchmark: 4 of 6 events use 399001.SZ because 000300.SS has no prices before 11 March "
            "2021"
        ),
    )
    day = Window(0, 0)
    assert f"{100 * results.abnormal.car(day)[first]:.2f}" == "-4.92"
    assert f"{results.abnormal.car_t(day)[first]:.2f}" == "-2.59"


def test_returns_are_laid_on_the_sessions_that_the_events_were_read_for(tmp_path: Path) -> None:
    """Prices on all weekdays, holidays of New York too: with calendar="data" these are sessions."""
    days = pd.bdate_range("2019-01-01", "2020-12-31")
    rng = np.random.default_rng(3)
    for name in ("AAA", "IDX"):
        closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
        frame = pd.DataFrame({"date": days, "close": closes, "adj_close": closes})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    listed = pd.DataFrame({"ticker": ["AAA"], "announced_at": ["2020-06-15"], "benchmark": ["IDX"]})
    own = es.load_returns(es.events_from_frame(listed, calendar="data"), tmp_path)
    assert np.datetime64("2020-01-01") in own.sessions
    exchange = es.load_returns(es.events_from_frame(listed), tmp_path)
    assert np.datetime64("2020-01-01") not in exchange.sessions
    told = es.load_returns(es.events_from_frame(listed), tmp_path, calendar="data")
    assert np.array_equal(told.sessions, own.sessions)


@pytest.mark.parametrize("returns", [False, True])
def test_days_of_the_data_of_an_exchange_without_prices(returns: bool) -> None:
    """Nothing of Tel Aviv has a price, so it has no sessions; its event is dropped for that."""
    days = pd.bdate_range("2021-01-01", "2022-12-30", name="date")
    rng = np.random.default_rng(4)
    moves = rng.normal(0, 0.01, (len(days), 2))
    table = pd.DataFrame(100 * np.exp(np.cumsum(moves, axis=0)), days, ["AAA", "^GSPC"])
    listed = pd.DataFrame({"ticker": ["AAA", "GONE.TA"], "announced_at": "2022-06-01"})
    events = es.events_from_frame(listed, calendar="data")
    if returns:
        panel = es.read_returns(table.pct_change().iloc[1:], events)
    else:
        panel = es.load_returns(events, table)
    fitted = es.EventStudy(events, panel).fit()
    assert fitted.events["status"].tolist() == ["ok", "dropped"]
    assert fitted.events["reason"][1].startswith("no price data")


@pytest.mark.parametrize(("n", "is_session"), [(3, False), (2, True)])
@pytest.mark.parametrize("returns", [False, True])
def test_a_day_on_which_all_symbols_repeat_their_close_is_no_session(
    n: int, is_session: bool, returns: bool
) -> None:
    """Datastream fills in Labor Day; the news of that day moves prices on the next one."""
    days = pd.bdate_range("2021-01-01", "2022-12-30", name="date")
    rng = np.random.default_rng(4)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (len(days), n)), axis=0))
    table = pd.DataFrame(closes, days, ["IDX", "AAA", "BBB"][:n])
    table.loc["2022-09-05"] = table.loc["2022-09-02"]
    table.iloc[300, 1] = table.iloc[299, 1]
    listed = pd.DataFrame({"ticker": ["AAA", "BBB"], "announced_at": ["2022-09-05", "2022-06-01"]})
    events = es.events_from_frame(listed[: n - 1].assign(benchmark="IDX"), calendar="data")
    if returns:
        panel = es.read_returns(table.pct_change().iloc[1:], events)
    else:
        panel = es.load_returns(events, table)
    assert (np.datetime64("2022-09-05") in panel.sessions) == is_session
    assert days[300].to_datetime64() in panel.sessions
    around = {"estimation": (-120, -11), "event": (-1, 1)}
    fitted = es.EventStudy(events, panel, **around).fit()  # type: ignore[arg-type]
    day0 = fitted.abnormal_returns().query("ticker == 'AAA' and tau == 0")["date"]
    assert [str(day.date()) for day in day0] == ["2022-09-05" if is_session else "2022-09-06"]


def test_an_index_of_logarithms_is_refused() -> None:
    days = pd.bdate_range("2021-01-01", "2022-12-30", name="date")
    draws = np.random.default_rng(4).normal(0, 0.012, (len(days), 2))
    table = pd.DataFrame(4000 * np.exp(np.cumsum(draws, axis=0)), days, ["^GSPC", "NVDA"])
    listed = pd.DataFrame({"ticker": ["NVDA"], "announced_at": ["2022-10-07"]})
    events = es.events_from_frame(listed)
    for sound in (table, table / 4000):
        assert not es.load_returns(events, sound).failures
    with pytest.raises(DataError) as caught:
        es.load_returns(events, pd.DataFrame(np.log(table)))
    assert caught.value.where == "^GSPC"
    assert "logarithms" in str(caught.value)


def test_a_table_without_dates_says_so_and_names_its_columns(tmp_path: Path) -> None:
    events = es.events_from_frame(pd.DataFrame({"ticker": ["AAPL"], "announced_at": "2019-05-22"}))
    file = tmp_path / "own.csv"
    file.write_text("AAPL,MSFT\n0.01,0.02\n0.02,0.01\n")
    for read in (lambda: es.read_returns(file, events), lambda: read_factors(file)):
        with pytest.raises(DataError) as caught:
            read()
        assert str(caught.value) == (
            "own.csv: no date column, got 'AAPL, MSFT'; name the column of the dates 'date'"
        )


def test_the_case_of_a_suffix_does_not_matter(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    days = pd.bdate_range("2019-05-01", periods=5, name="date")
    pd.DataFrame({"date": days, "smb": np.arange(5) / 100}).to_parquet(tmp_path / "OWN.PARQUET")
    assert read_factors(tmp_path / "OWN.PARQUET")["smb"].tolist() == [0, 0.01, 0.02, 0.03, 0.04]


@pytest.mark.parametrize("word", ["SPX", "S&P 500", "^SPX"])
def test_an_index_by_another_name_is_called_by_its_symbol(word: str) -> None:
    news = pd.DataFrame({"ticker": ["NVDA"], "announced_at": ["2022-10-07"]})
    with pytest.raises(DataError, match=r"the symbol of S&P 500 is \^GSPC"):
        es.study(news, prices="sample", benchmark=word)


def test_no_index_is_called_like_another() -> None:
    rows = bundled_rows("index_names.csv")
    codes = [code for row in rows for code in row["codes"].split()]
    assert len(codes) == len(set(codes))
    for row in rows:
        if not row["name"].endswith(")"):
            assert Symbol.of_index(row["symbol"]) in ("", row["symbol"])
