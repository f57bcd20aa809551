"""Days on which the market cannot tell what a share should have done, made and recorded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED

import eventstudy as es
from eventstudy.calendars import Exchange, Sessions, Symbol, Window, weekdays_closed
from eventstudy.errors import NoUsableEventsError
from eventstudy.findings.finished_run import findings_of
from eventstudy.fitting.market_days import IndexDays, other_session_of
from eventstudy.report.sentences.answer import split_answer
from eventstudy.report.sentences.caveats import headline
from eventstudy.report.tables.checks import list_checks
from eventstudy.studies import EventStudyResults
from eventstudy.utility import Flag

DOORS = SHARED / "market-data" / "doors" / "prices"
needs_doors = pytest.mark.skipif(not DOORS.is_dir(), reason="no market data")


def closes_of(returns: np.ndarray, first: float = 100.0) -> np.ndarray:
    """Return the closes that made returns come from; a NaN is a day without a price."""
    closes = first * np.cumprod(1 + np.nan_to_num(returns))
    return np.where(np.isfinite(returns), closes, np.nan)


def made(
    calendar: str, start: str, days: int, *, seed: int = 1, beta: float = 1.2, own: float = 0.01
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sessions of an exchange, and the returns of an index and of a share on them."""
    rng = np.random.default_rng(seed)
    dates = Sessions.of(calendar).dates
    dates = dates[dates >= np.datetime64(start)][:days]
    index = rng.normal(0, 0.01, days)
    return dates, index, 0.0002 + beta * index + rng.normal(0, own, days)


def table_of(dates: np.ndarray, **returns: np.ndarray) -> pd.DataFrame:
    """Return a long table of closes; names of columns stand for symbols."""
    rows = [
        pd.DataFrame({"symbol": symbol, "date": dates, "close": closes_of(values)}).dropna()
        for symbol, values in returns.items()
    ]
    return pd.concat(rows, ignore_index=True)


def studied(
    prices: pd.DataFrame | Path, ticker: str, day: object, **settings: Any
) -> EventStudyResults:
    news = pd.DataFrame({"ticker": [ticker], "announced_at": [str(day)]})
    return es.study(news, prices, calibrate=0, **settings)


def sentences_of(results: EventStudyResults) -> tuple[str, str]:
    """Return headline and supporting sentence, with plain spaces."""
    head, sentence = split_answer(findings_of(results, results.settings))
    return head.replace("\u00a0", " "), sentence.replace("\u00a0", " ")


# --- the index chain ---


def test_an_index_with_the_event_days_goes_before_one_with_more_estimation_days() -> None:
    """The usual index begins late, its stand-in ends on day 0."""
    dates, index, share = made("XSHG", "2015-01-05", 320)
    late, ended = index.copy(), index + 0.0001
    late[:120], ended[281:] = np.nan, np.nan
    symbols = {"600487.SS": share, "000300.SS": late, "000001.SS": ended}
    results = studied(table_of(dates, **symbols), "600487.SS", dates[280])
    row = results.events.iloc[0]
    assert (row["benchmark"], row["status"], row["nobs"]) == ("000300.SS", "ok", 129)
    assert np.isfinite(results.abnormal.car(Window(0, 1))[0])


def test_an_index_with_few_estimation_days_does_not_go_before() -> None:
    dates, index, share = made("XSHG", "2015-01-05", 320)
    late, holed = index.copy(), index + 0.0001
    late[:200], holed[289] = np.nan, np.nan
    symbols = {"600487.SS": share, "000300.SS": late, "000001.SS": holed}
    results = studied(table_of(dates, **symbols), "600487.SS", dates[280])
    assert results.events["benchmark"].iloc[0] == "000001.SS"


def test_the_reason_names_the_index_that_ends_and_not_the_share() -> None:
    dates, index, share = made("XSHG", "2015-01-05", 320)
    index[281:] = np.nan
    prices = table_of(dates, **{"600487.SS": share, "000300.SS": index})
    head, remedy = sentences_of(studied(prices, "600487.SS", dates[280]))
    day = pd.Timestamp(dates[280])
    until = f"{day.day} {day:%b} {day.year}"
    assert head == f"No result over [0, 1]: 000300.SS has no price after {until}."
    assert remedy.startswith("Give another benchmark")


@needs_doors
def test_fiberhome_is_measured_against_the_index_that_has_its_days(tmp_path: Path) -> None:
    """One index begins in March 2021 and has every event day, the other ends on day 0."""
    for symbol in ("600487.SS", "000001.SS"):
        shutil.copy(DOORS / f"{symbol}.csv", tmp_path)
    shutil.copy(SHARED / "market-data" / "prices-as-recorded" / "000300.SS.csv", tmp_path)
    results = studied(tmp_path, "600487.SS", "2021-12-16T10:00-05:00")
    assert results.events["benchmark"].iloc[0] == "000300.SS"
    shares, index = (
        pd.read_csv(tmp_path / f"{name}.csv", index_col="date")["close"]
        for name in ("600487.SS", "000300.SS")
    )
    closes = pd.concat({"share": shares, "index": index}, axis=1, join="inner")
    returns = closes.pct_change(fill_method=None).dropna()
    zero = returns.index.get_loc("2021-12-17")
    past, event = returns.iloc[zero - 250 : zero - 30], returns.iloc[zero : zero + 2]
    past = returns.iloc[: zero - 30] if zero < 250 else past
    slope, level = np.polyfit(past["index"], past["share"], 1)
    expected = (event["share"] - level - slope * event["index"]).sum()
    assert results.abnormal.car(Window(0, 1))[0] == pytest.approx(expected, rel=1e-9)


# --- a closed exchange ---


def moscow(seed: int = 3) -> tuple[pd.DataFrame, int]:
    """Return made closes around the days on which Moscow was closed, and the place of the first
    session after them."""
    dates, index, share = made("XMOS", "2021-01-04", 420, seed=seed)
    after = int(np.searchsorted(dates, np.datetime64("2022-03-24")))
    return table_of(dates, **{"GAZP.ME": share, "IMOEX.ME": index}), after


def test_only_long_closures_of_an_exchange_count() -> None:
    """Of the 55 calendars three have one since 1990: holidays take ten weekdays at most."""
    closures = {}
    for name in sorted({e.calendar for e in Exchange.all() if e.calendar}):
        dates = Sessions.of(name).dates
        closed = weekdays_closed(dates)
        for day in np.flatnonzero(closed):
            closures[name, str(dates[day])] = int(closed[day])
    assert closures == {
        ("ASEX", "2015-08-03"): 25,
        ("XMOS", "2022-03-24"): 18,
        ("XSHG", "1999-03-01"): 13,
    }


def test_months_are_no_closures() -> None:
    months = np.arange("2000-01", "2005-01", dtype="datetime64[M]").astype("datetime64[D]")
    assert not weekdays_closed(months).any()


def test_the_return_after_a_closure_has_the_variance_of_its_weekdays() -> None:
    """18 weekdays and the session itself; the intercept counts for five, as after a halt."""
    prices, _ = moscow()
    a = studied(prices, "GAZP.ME", "2022-03-24").abnormal
    at = -a.event.start
    assert a.length[0, at - 1 : at + 2].tolist() == [1, 19, 1]
    assert a.spans[0, at] == 1
    x = np.array([5.0, a.windows.factors[0, len(a.windows.estimation) + at, 0]])
    expected = a.sigma2[0] * (19 + x @ a.bread[0] @ x)
    assert a.var_ar[0, at] == pytest.approx(expected, rel=1e-12)
    assert a.sessions_of(Window(-1, 1))[0][0] == 3, "three sessions, whatever lies between them"
    assert a.hidden(Window(-1, 1)) == []
    assert a.covered(Window(-1, 1))[0] == 3


def test_estimation_days_have_no_return_over_a_closure() -> None:
    prices, after = moscow()
    day = Sessions.of("XMOS").dates
    day = day[day >= np.datetime64("2021-01-04")][after + 60]
    a = studied(prices, "GAZP.ME", day).abnormal
    assert a.nobs[0] == len(a.windows.estimation) - 1
    kept = studied(prices, "GAZP.ME", day, model="trade_to_trade").abnormal
    assert kept.nobs[0] == len(a.windows.estimation)
    assert kept.windows.length[0].max() == 19


def test_a_halt_over_a_closure_counts_both() -> None:
    """A share without a price in the first two sessions after it."""
    prices, after = moscow()
    dates = prices["date"].unique()
    gone = (prices["symbol"] == "GAZP.ME") & prices["date"].isin(dates[after : after + 2])
    a = studied(prices[~gone], "GAZP.ME", "2022-03-24", halt="shift").abnormal
    assert a.length[0, -a.event.start] == 18 + 3
    assert len(a.hidden(Window(0, 1))[0][1]) == 2


# --- what is no share ---


def test_kinds_of_symbols() -> None:
    kinds = {
        "share": "AMD BRK-B 600487.SS 0050.TW SBER.ME BAC-PL",
        "index": "^GSPC ^TWII 000300.SS 399001.SZ IMOEX.ME XU100.IS FTSEMIB.MI",
        "future": "CL=F ES=F CLF20.NYM",
        "rate": "RUB=X EURUSD=X",
        "coin": "BTC-USD ETH-BTC",
    }
    for kind, symbols in kinds.items():
        assert {Symbol(symbol).kind for symbol in symbols.split()} == {kind}


@pytest.mark.parametrize(
    ("ticker", "stamp", "day"),
    [
        # Oil settles at 14:30 in New York, gold at 13:30, wheat at 13:15 in Chicago.
        ("CL=F", "2019-01-28T14:29-05:00", "2019-01-28"),
        ("CL=F", "2019-01-28T15:47-05:00", "2019-01-29"),
        ("GC=F", "2019-01-28T13:29-05:00", "2019-01-28"),
        ("GC=F", "2019-01-28T13:30-05:00", "2019-01-29"),
        ("ZW=F", "2019-01-28T13:14-06:00", "2019-01-28"),
        ("ZW=F", "2019-01-28T13:15-06:00", "2019-01-29"),
        ("RUB=X", "2018-04-06T16:59-04:00", "2018-04-06"),
        ("RUB=X", "2018-04-06T17:00-04:00", "2018-04-09"),
        ("RUB=X", "2018-12-24T18:00-05:00", "2018-12-26"),
        ("BTC-USD", "2021-09-25T23:59Z", "2021-09-25"),
        ("BTC-USD", "2021-09-26T00:00Z", "2021-09-26"),
        # A half day of New York ends before the settlement.
        ("CL=F", "2019-11-29T13:30-05:00", "2019-12-02"),
        ("ES=F", "2019-01-28T16:30-05:00", "2019-01-28"),
    ],
)
def test_day_0_follows_the_hours_of_the_market(ticker: str, stamp: str, day: str) -> None:
    news = pd.DataFrame({"ticker": [ticker], "announced_at": [stamp]})
    for calendar in ("exchange", "data"):
        events = es.read_events(news, calendar=calendar)
        assert str(events.table["day0"].iloc[0].date()) == day


def test_what_is_no_share_has_no_verdict_by_default() -> None:
    """A future, a rate, a coin and an index: each reason names what can be done."""
    dates, index, share = made("XNYS", "2018-01-02", 330)
    for symbol, kind in {"CL=F": "a future", "^TWII": "an index"}.items():
        calendar = "XTAI" if symbol == "^TWII" else "XNYS"
        dates, index, share = made(calendar, "2018-01-02", 330)
        prices = table_of(dates, **{symbol: share, "^GSPC": index})
        with pytest.raises(NoUsableEventsError) as error:
            studied(prices, symbol, dates[300])
        said = str(error.value)
        assert f"{symbol} is {kind}, so no index is its market" in said
        assert "--model constant_mean" in said
        assert "--benchmark" in said


@pytest.mark.parametrize("settings", [{"benchmark": "^GSPC"}, {"model": "constant_mean"}])
def test_what_is_no_share_is_measured_as_one_asks(settings: dict[str, str]) -> None:
    dates, index, share = made("XNYS", "2018-01-02", 330)
    prices = table_of(dates, **{"CL=F": share, "^GSPC": index})
    results = studied(prices, "CL=F", dates[300], **settings)
    assert results.events["status"].iloc[0] == "ok"
    assert results.abnormal.nobs[0] == 220


@needs_doors
def test_oil_and_the_sanctions_on_venezuela() -> None:
    """28 January 2019, 15:47 in New York: after the settlement, so the reaction is that of the
    29th."""
    results = studied(DOORS, "CL=F", "2019-01-28T15:47-05:00", model="constant_mean")
    assert str(results.events["day0"].iloc[0].date()) == "2019-01-29"
    closes = pd.read_csv(DOORS / "CL=F.csv", index_col="date")["close"]
    returns = closes.pct_change(fill_method=None)
    zero = returns.index.get_loc("2019-01-29")
    expected = returns.iloc[zero : zero + 2].sum() - 2 * returns.iloc[zero - 250 : zero - 30].mean()
    assert results.abnormal.car(Window(0, 1))[0] == pytest.approx(expected, rel=1e-9)


# --- an index that is not free ---


def taiwan(*, share: float, index: float, later: float = 0.0) -> tuple[pd.DataFrame, np.datetime64]:
    """Return made closes of a share and its index, and a day 0 on which they move so; the index
    moves by `later` on the day after."""
    dates, market, firm = made("XTAI", "2022-01-03", 330, beta=1.5, own=0.008)
    firm[300], market[300] = share, index
    firm[301], market[301] = 0.3 * later, later
    return table_of(dates, **{"2317.TW": firm, "^TWII": market}), dates[300]


def test_one_event_is_measured_against_an_index_at_its_limit() -> None:
    """Both fell by their limit: by beta 1.5 that would be 5 % better than the market implied."""
    prices, day = taiwan(share=-0.0995, index=-0.097)
    results = studied(prices, "2317.TW", day)
    assert results.model.name == "market_adjusted"
    assert Flag.MARKET_UNUSABLE in results.events["flags"].iloc[0].split(";")
    head, sentence = sentences_of(results)
    assert "its index, at its price limit" in head
    assert sentence.startswith("One announcement, share minus index:")
    closes = prices.pivot_table(index="date", columns="symbol", values="close")
    returns = closes.pct_change(fill_method=None).loc[pd.Timestamp(day) :].iloc[:2]
    run = (1 + returns["2317.TW"]).prod() - 1 - returns["^TWII"].sum()
    assert results.abnormal.car(Window(0, 0))[0] == pytest.approx(run, rel=1e-9)
    assert results.abnormal.car(Window(0, 1))[0] == pytest.approx(run, rel=1e-9)


def test_a_window_runs_on_until_share_and_index_are_free() -> None:
    """The share is free on day 0; the index is at its limit on days 0 and 1."""
    prices, day = taiwan(share=-0.03, index=-0.095, later=0.096)
    results = studied(prices, "2317.TW", day, car="0:1")
    sessions_in, last = results.abnormal.sessions_of(Window(0, 1))
    dates = Sessions.of("XTAI").dates
    assert sessions_in[0] == 3
    assert last[0] == dates[np.searchsorted(dates, day) + 2]
    head, _ = sentences_of(results)
    until = pd.Timestamp(last[0])
    assert f"until both closed free on {until.day} {until:%b} {until.year}" in head


@pytest.mark.parametrize(("index", "is_cut"), [(-0.0899, False), (-0.0901, True), (0.0901, True)])
def test_nine_tenths_of_the_limit_of_the_day(index: float, is_cut: bool) -> None:
    prices, day = taiwan(share=-0.03, index=index)
    results = studied(prices, "2317.TW", day)
    assert (results.model.name == "market_adjusted") == is_cut


def test_an_exchange_without_a_limit_has_no_index_at_one() -> None:
    dates, index, share = made("XLON", "2022-01-03", 330)
    index[300], share[300] = -0.095, -0.12
    prices = table_of(dates, **{"AZN.L": share, "^FTSE": index})
    results = studied(prices, "AZN.L", dates[300], estimation=(-120, -31))
    assert results.model.name == "market"


@pytest.mark.slow
def test_the_model_of_several_events_stays_and_the_answer_says_it() -> None:
    prices, day = taiwan(share=-0.0995, index=-0.097)
    dates = Sessions.of("XTAI").dates
    at = int(np.searchsorted(dates, day))
    days = [str(dates[at - k]) for k in (0, 12, 25)]
    news = pd.DataFrame({"ticker": ["2317.TW"] * 3, "announced_at": days})
    results = es.study(news, prices, calibrate=0)
    assert results.model.name == "market"
    marked = results.events["flags"].str.contains(Flag.MARKET_UNUSABLE).tolist()
    assert marked == [True, False, False]
    text = headline(findings_of(results, results.settings))
    assert "the index itself jumped, was at a price limit or had stopped (2317.TW); without" in text


def crash(*days: str) -> str:
    """Return the answer and its caveats of a share, announced on days around 16 March 2020."""
    news = pd.DataFrame({"ticker": ["NVDA"] * len(days), "announced_at": list(days)})
    results = es.study(news, "sample", calibrate=0)
    return headline(findings_of(results, results.settings))


def test_no_sentence_points_to_a_table_that_there_is_not() -> None:
    text = crash("2020-03-16", "2019-06-03")
    assert "On the days of 1 of 2 announcements the index itself jumped" in text
    assert "faults.csv" not in text


@pytest.mark.slow
def test_an_answer_of_one_event_has_the_flags_of_that_event_alone() -> None:
    """The other event lies where the index has no price any more."""
    assert "the index itself" not in crash("2022-12-28", "2022-08-31")
    assert "On these days the index itself jumped" in crash("2022-12-28", "2020-03-16")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("constant_mean", "constant_mean"),
        ("market_adjusted", "market_adjusted"),
        ("dimson", "market_adjusted"),
    ],
)
def test_models_beside_the_market_model(model: str, expected: str) -> None:
    """The mean of the share needs no index; others are measured against the index as well."""
    prices, day = taiwan(share=-0.0995, index=-0.097)
    results = studied(prices, "2317.TW", day, model=model)
    assert results.model.name == expected
    has_flag = Flag.MARKET_UNUSABLE in results.events["flags"].iloc[0].split(";")
    assert has_flag == (expected != "constant_mean")


def test_a_day_of_the_market_itself_is_said_and_changes_no_model() -> None:
    dates, index, share = made("XNYS", "2018-01-02", 330)
    index[300], share[300] = -0.13, -0.2
    prices = table_of(dates, AMD=share, **{"^GSPC": index})
    results = studied(prices, "AMD", dates[300])
    assert results.model.name == "market"
    assert Flag.MARKET_UNUSABLE in results.events["flags"].iloc[0].split(";")
    text = headline(findings_of(results, results.settings)).replace("\u00a0", " ")
    assert "Its index ^GSPC itself moved −13.0%" in text
    assert "is no measure of an ordinary day" in text


def test_an_index_that_ends_within_the_main_window_is_flagged() -> None:
    dates, index, share = made("XSHG", "2015-01-05", 320)
    index[281:] = np.nan
    prices = table_of(dates, **{"600487.SS": share, "000300.SS": index})
    results = studied(prices, "600487.SS", dates[280])
    assert Flag.MARKET_UNUSABLE in results.events["flags"].iloc[0].split(";")
    assert results.model.name == "market"


def test_days_on_which_an_exchange_ended_trade_early() -> None:
    """7 January 2016: the circuit breaker of the CSI 300 at 7 %, below any share's limit."""
    dates, index, share = made("XSHG", "2015-01-05", 300)
    at = int(np.searchsorted(dates, np.datetime64("2016-01-07")))
    index[at], share[at] = -0.0693, -0.08
    prices = table_of(dates, **{"600487.SS": share, "000300.SS": index})
    results = studied(prices, "600487.SS", "2016-01-07", estimation=(-200, -31))
    assert results.model.name == "market_adjusted"
    head, _ = sentences_of(results)
    assert "its index did until its exchange stopped" in head


@needs_doors
def test_taiwan_semiconductor_and_its_index_fell_by_their_limit() -> None:
    results = studied(DOORS, "2330.TW", "2025-04-02T16:10-04:00")
    head, _ = sentences_of(results)
    assert "better" not in head
    assert "at its price limit" in head
    share, index = (
        pd.read_csv(DOORS / f"{name}.csv", index_col="date")["adj_close"].fillna(
            pd.read_csv(DOORS / f"{name}.csv", index_col="date")["close"]
        )
        for name in ("2330.TW", "^TWII")
    )
    days = ["2025-04-07", "2025-04-08"]
    moves = [series.pct_change(fill_method=None).loc[days] for series in (share, index)]
    expected = (1 + moves[0]).prod() - 1 - moves[1].sum()
    assert results.abnormal.car(Window(0, 1))[0] == pytest.approx(expected, rel=1e-9)
    assert abs(expected) < 0.01


@needs_doors
@pytest.mark.parametrize(
    ("folder", "index", "days"),
    [
        ("doors/prices", "^TWII", ["2025-04-07", "2025-04-10"]),
        ("doors/prices", "XU100.IS", ["2023-02-15"]),
        ("doors/prices", "000001.SS", []),
        ("prices", "^GSPC", []),
        ("prices", "^HSI", []),
        ("prices", "000300.SS", ["2016-01-04", "2016-01-07"]),
    ],
)
def test_days_of_recorded_indices_that_were_not_free(
    folder: str, index: str, days: list[str]
) -> None:
    home = Symbol(index).home
    assert home is not None
    table = pd.read_csv(SHARED / "market-data" / folder / f"{index}.csv", parse_dates=["date"])
    table = table.assign(symbol=index)
    key = {"keys": [(index, home.code)], "sessions": {home.code: Sessions.of(str(home.calendar))}}
    of_index = IndexDays.of(es.ReturnsPanel.from_prices(table, **key), index, home.code)
    assert of_index.days[of_index.is_cut].astype(str).tolist() == days


# --- hours and kinds ---


def late(share: np.ndarray, market: np.ndarray, portion: float) -> np.ndarray:
    """Return a share that has by its close a portion of what the index does a session later."""
    out = share.copy()
    out[:-1] += portion * market[1:]
    out[1:] -= portion * market[1:]
    return out


@pytest.mark.slow
def test_a_share_that_closes_later_than_its_index_is_named() -> None:
    dates, index, share = made("XMOS", "2018-01-03", 330, own=0.006)
    names = {"SBER.ME": late(share, index, 0.4), "IMOEX.ME": index}
    results = studied(table_of(dates, **names), "SBER.ME", dates[300])
    [note] = [n for n in results.panel.notices if "may close later than" in n]
    assert note.startswith("SBER.ME may close later than IMOEX.ME: the next day of the index")
    checks = list_checks(findings_of(results, results.settings))
    assert "Index of nearby days too" in [check.name for check in checks]
    same = studied(table_of(dates, **{**names, "SBER.ME": share}), "SBER.ME", dates[300])
    assert not [n for n in same.panel.notices if "may close" in n]
    named = [check.name for check in list_checks(findings_of(same, same.settings))]
    assert "Index of nearby days too" not in named


@pytest.mark.parametrize("sign", [1, -1])
def test_a_slope_against_the_others_is_a_reversal(sign: int) -> None:
    """An index that the share takes back a day later closes at the same hour; a rate that falls
    where shares rise has all slopes below 0."""
    _, index, share = made("XNYS", "2018-01-02", 330, own=0.004)
    days = np.arange(20, 240)
    back, more = share.copy(), share.copy()
    back[1:] -= 0.4 * index[:-1]
    more[1:] += 0.4 * index[:-1]
    assert other_session_of(sign * back, index, days)[0] == ""
    side, slope, t = other_session_of(sign * more, index, days)
    assert side == "last"
    assert slope == pytest.approx(0.4, abs=0.1)
    assert t > 4


def test_slopes_and_t_are_those_of_least_squares() -> None:
    import statsmodels.api as sm

    _, index, share = made("XNYS", "2018-01-02", 330, own=0.004)
    share, days = late(share, index, 0.4), np.arange(20, 240)
    bounds = [6 * np.median(np.abs(x[days])) for x in (share, index)]
    y, m = (np.clip(x, -b, b) for x, b in zip((share, index), bounds, strict=True))
    X = sm.add_constant(np.column_stack([m[days], m[days + 1], m[days - 1]]))
    fit = sm.OLS(y[days], X).fit()
    side, slope, t = other_session_of(share, index, days)
    assert side == "next"
    assert (slope, t) == pytest.approx((fit.params[2], fit.tvalues[2]), rel=1e-9)


def test_a_price_that_mostly_stands_still_shows_no_other_hours() -> None:
    _, index, share = made("XNYS", "2018-01-02", 330, own=0.004)
    share[np.arange(len(share)) % 3 > 0] = 0.0
    assert other_session_of(share, index, np.arange(20, 240))[0] == ""


@needs_doors
def test_sberbank_closes_with_the_evening_session_since_2024() -> None:
    before, after = (
        [str(n) for n in studied(DOORS, "SBER.ME", day).panel.notices if "may close later" in n]
        for day in ("2019-06-20", "2025-06-20")
    )
    assert (len(before), len(after)) == (0, 1)


def test_a_benchmark_of_another_kind_is_named() -> None:
    dates, index, share = made("XNYS", "2018-01-02", 330)
    prices = table_of(dates, AMD=share, **{"CL=F": index, "^GSPC": index})
    notes = {
        benchmark: [n for n in studied(prices, "AMD", dates[300], benchmark=benchmark).panel.notices
                    if "of another kind" in n]
        for benchmark in ("CL=F", "^GSPC")
    }  # fmt: skip
    assert len(notes["CL=F"]) == 1
    assert notes["^GSPC"] == []
