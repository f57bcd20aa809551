"""Price limits: the limit price by hand, the board of a symbol, closes at a limit, what a panel
keeps."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st

from eventstudy.calendars import Exchange, Sessions, Symbol
from eventstudy.events import events_from_frame
from eventstudy.prices.files import FrameProvider
from eventstudy.quality import LimitRule, ReturnKind
from eventstudy.quality.price_limits import daily_limits, find_piles, limit_price
from eventstudy.returns import ReturnsPanel
from eventstudy.returns.load import read_returns, special_treatment
from eventstudy.utility import FloatArray, IntArray

KOREA, TAIWAN = (LimitRule.of(symbol)[-1].ticks for symbol in ("005930.KS", "2330.TW"))
# ZTE-A, 2018-04-16 to 2018-06-25: closes that the exchange quoted, eight of them at the lower
# limit.
ZTE = np.array([31.31, 28.18, 25.36, 22.82, 20.54, 18.49, 16.64, 14.98, 13.48])


def test_limit_prices_that_were_quoted() -> None:
    np.testing.assert_allclose(limit_price(ZTE[:-1], -0.1), ZTE[1:], atol=1e-9)
    single = ZTE.astype(np.float32).astype(float)
    np.testing.assert_allclose(limit_price(single[:-1], -0.1), ZTE[1:], atol=1e-9)


@pytest.mark.parametrize(
    ("last", "move", "ticks", "inward", "limit"),
    [
        (10.05, 0.1, None, False, 11.06),  # 11.055 half up
        (10.05, -0.1, None, False, 9.05),  # 9.045
        (4.37, 0.05, None, False, 4.59),  # 4.5885
        (4.37, -0.05, None, False, 4.15),  # 4.1515
        (498, 0.1, TAIWAN, True, 547),  # 547.8, tick 1
        (498, -0.1, TAIWAN, True, 448.5),  # 448.2, tick 0.5
        (9.95, 0.1, TAIWAN, True, 10.90),  # 10.945, tick 0.05
        (71500, 0.3, KOREA, True, 92900),  # 92950, tick 100
        (71500, -0.3, KOREA, True, 50100),  # 50050, tick 100
    ],
)
def test_limit_prices_by_hand(
    last: float, move: float, ticks: object, inward: bool, limit: float
) -> None:
    own = {} if ticks is None else {"ticks": ticks}
    found = limit_price(np.array([last]), move, inward=inward, **own)  # type: ignore[arg-type]
    assert found[0] == pytest.approx(limit, abs=1e-9)


@given(st.integers(200, 300_000), st.sampled_from([0.05, 0.1, 0.2, 0.3]))
def test_half_up_in_whole_cents(cents: int, percent: float) -> None:
    """Against integer arithmetic: (2 * cents * (100 +- p) + 100) // 200."""
    p = round(100 * percent)
    up, down = (limit_price(np.array([cents / 100]), s * percent)[0] for s in (1, -1))
    assert round(up * 100) == (2 * cents * (100 + p) + 100) // 200
    assert round(down * 100) == (2 * cents * (100 - p) + 100) // 200


@pytest.mark.parametrize(
    ("symbol", "day", "special", "percent"),
    [
        ("002415.SZ", "2019-05-22", False, 0.10),
        ("600000.SS", "2019-05-22", False, 0.10),
        ("600000.SS", "2026-07-03", True, 0.05),
        ("600000.SS", "2026-07-06", True, 0.10),
        ("688981.SS", "2020-12-04", False, 0.20),
        ("688981.SS", "2020-12-04", True, 0.20),
        ("300750.SZ", "2020-08-21", False, 0.10),
        ("300750.SZ", "2020-08-24", False, 0.20),
        ("301236.SZ", "2022-10-10", False, 0.20),
        ("430047.BJ", "2022-10-10", False, 0.30),
        ("2330.TW", "2015-05-29", False, 0.07),
        ("2330.TW", "2015-06-01", False, 0.10),
        ("005930.KS", "2015-06-12", False, 0.15),
        ("005930.KS", "2015-06-15", False, 0.30),
        ("247540.KQ", "2023-06-15", False, 0.30),
        ("900948.SS", "2019-05-22", False, 0.10),
        ("200725.SZ", "2019-05-22", True, 0.05),
    ],
)
def test_the_limit_of_a_board_on_a_day(
    symbol: str, day: str, special: bool, percent: float
) -> None:
    last = np.array([10_000.0, 10_000.0])
    dates = np.datetime64(day) - np.array([1, 0], "timedelta64[D]")
    rules = LimitRule.of(symbol, st=special)
    for move in (percent, -percent):
        closed, beyond, inside = (
            daily_limits(dates, last * [1, 1 + own], rules)
            for own in (move, move * 1.05, move * 0.95)
        )
        assert closed.state[1] == np.sign(move)
        assert np.isfinite(beyond.beyond[1])
        assert beyond.state[1] == 0
        assert inside.state[1] == 0
        assert np.isnan(inside.beyond[1])


@pytest.mark.parametrize(
    "symbol",
    ["000300.SS", "000001.SS", "399001.SZ", "399006.SZ", "899050.BJ", "^HSI", "^GSPC", "AAPL", "0763.HK",
     "STAN.L", "1321.T", "2044.T", "CNY=X", "RUAL.ME", "0050.TW", "factor:mkt_rf"],
)  # fmt: skip
def test_what_has_no_limit(symbol: str) -> None:
    assert LimitRule.of(symbol) == ()


@pytest.mark.parametrize(
    ("symbol", "exchange", "day", "limit"),
    [
        ("2330.TW", "XTAI", "2015-05-29", 0.07),
        ("2330.TW", "XTAI", "2025-04-07", 0.10),
        ("^TWII", "XTAI", "2025-04-07", 0.10),  # an index moves no further than its shares
        ("^TWOII", "ROCO", "2025-04-07", 0.10),
        ("000300.SS", "XSHG", "2020-02-03", 0.10),
        ("300750.SZ", "XSHE", "2020-08-24", 0.20),
        ("HALKB.IS", "XIST", "2019-10-15", 0.20),
        ("HALKB.IS", "XIST", "2023-04-19", 0.10),
        ("XU100.IS", "XIST", "2023-04-19", 0.10),
        ("2222.SR", "XSAU", "2020-03-09", 0.10),
        ("^TASI.SR", "XSAU", "2020-03-09", 0.10),
        ("PTT.BK", "XBKK", "2020-03-17", 0.30),
        ("PTT.BK", "XBKK", "2020-03-18", 0.15),
        ("1155.KL", "XKLS", "2022-01-03", 0.30),
        ("000001.SS", "XSHG", "1995-01-03", None),  # before the first rule
        ("HALKB.IS", "XIST", "2017-01-03", None),
        ("BBCA.JK", "XIDX", "2024-01-03", None),  # by price, and other falls than rises
        ("7203.T", "XTKS", "2024-01-03", None),
        ("0005.HK", "XHKG", "2024-01-03", None),
        ("^GSPC", "XNYS", "2024-01-03", None),
        ("RELIANCE.NS", "XNSE", "2024-01-03", None),
    ],
)
def test_the_limit_of_a_board_is_a_share_or_not_known(
    symbol: str, exchange: str, day: str, limit: float | None
) -> None:
    assert LimitRule.largest_move(symbol, exchange, day) == limit
    assert LimitRule.largest_move(symbol, exchange, np.datetime64(day)) == limit


def test_exchanges_with_a_limit_are_exchanges_that_are_known() -> None:
    codes = {code for rule in LimitRule.ALL for code in rule.exchanges.split()}
    assert codes <= {exchange.code for exchange in Exchange.all()}


@pytest.mark.parametrize(
    ("day", "last", "close", "state"),
    [
        ("2019-06-03", 180.0, 243.0, 1),  # 35 % to 200 rupiah
        ("2019-06-03", 4000.0, 5000.0, 1),  # 25 % from 201 to 5,000
        ("2019-06-03", 6000.0, 7200.0, 1),
        ("2019-06-03", 6000.0, 7000.0, 0),
        ("2021-06-03", 4000.0, 3720.0, -1),  # 7 % down, 25 % up
        ("2021-06-03", 4000.0, 4280.0, 0),
        ("2023-07-03", 4000.0, 3400.0, -1),  # 15 % down
        ("2023-10-02", 4000.0, 3000.0, -1),  # 25 % down
        ("2019-06-03", 40.0, 54.0, 0),  # below 50 rupiah no limit is known
    ],
)
def test_jakarta_limits_by_price_and_falls_otherwise_than_rises(
    day: str, last: float, close: float, state: int
) -> None:
    dates = np.datetime64(day) - np.array([1, 0], "timedelta64[D]")
    found = daily_limits(dates, np.array([last, close]), LimitRule.of("BBCA.JK"))
    assert found.state[1] == state
    assert not found.proven.any()


def test_a_fall_whose_limit_is_not_known_is_none() -> None:
    """15 % for members of Kuala Lumpur's index, 30 % for others, in 2020-21; 30 % up for all."""
    dates = np.array(["2021-03-01", "2021-03-02"], dtype="datetime64[D]")
    rules = LimitRule.of("1155.KL")
    fallen, risen = (
        daily_limits(dates, np.array([8.0, 8.0 * (1 + move)]), rules) for move in (-0.3, 0.3)
    )
    assert fallen.state.tolist() == [0, 0]
    assert np.isnan(fallen.beyond).all()
    assert risen.state.tolist() == [0, 1]


def test_korean_limits_are_those_of_the_exchange_s_own_examples() -> None:
    """KRX prints 9,980 -> 12,970 and 6,990 (today's ticks), and 9,940 -> 12,900 and 6,960."""
    for last, up, down, rule in (
        (9980.0, 12970, 6990, LimitRule.of("005930.KS")[-1]),
        (9940.0, 12900, 6960, LimitRule.of("005930.KQ")[-2]),
    ):
        prices = [
            limit_price(np.array([last]), sign * 0.3, rule.ticks, inward=True)[0]
            for sign in (1, -1)
        ]
        assert prices == pytest.approx([up, down])


@pytest.mark.parametrize(
    ("last", "yen", "up", "down"),
    [
        (99, 30, 129, 69),
        (100, 50, 150, 50),
        (617, 100, 717, 517),
        (1117, 300, 1417, 817),
        (3310, 700, 4010, 2610),
        (7870, 1500, 9370, 6370),
        (19170, 4000, 23170, 15170),
        (2999, 500, 3495, 2499),  # 3499 is not on the tick of 5 yen above 3000
        (1_600_000, 400_000, 2_000_000, 1_200_000),
    ],
)
def test_limits_in_yen(last: float, yen: float, up: float, down: float) -> None:
    """Amounts that the exchange published; four of the base prices are those of its notices."""
    (rule,) = LimitRule.of("3350.T")
    assert rule.share(np.array([last]), np.ones(1))[0] * last == pytest.approx(yen)
    days = np.array(["2023-02-14", "2023-02-15"], "datetime64[D]")
    for close, state in ((up, 1), (down, -1), (up - (10 if up < 1e5 else 10_000), 0)):
        found = daily_limits(days, np.array([last, close], float), (rule,))
        assert found.state[1] == state
        assert not found.approx.any()
    # the exchange widens the limit after two days at it: nothing is beyond
    wide = daily_limits(days, np.array([last, last + 4 * yen], float), (rule,))
    assert wide.state[1] == 0
    assert np.isnan(wide.beyond[1])


@pytest.mark.parametrize(
    ("symbol", "has"),
    [("7203.T", True), ("285A.T", True), ("130A.T", True), ("1306.T", False), ("1570.T", False)],
)
def test_shares_of_tokyo_and_not_its_funds(symbol: str, has: bool) -> None:
    assert bool(LimitRule.of(symbol)) == has


def test_b_shares_have_a_tick_of_their_own() -> None:
    """Shanghai quotes them in thousandths of a dollar: 0.655 x 1.1 = 0.7205, half up 0.721."""
    (rule,) = LimitRule.of("900901.SS")
    found = daily_limits(
        np.array(["2019-05-21", "2019-05-22"], "datetime64[D]"), np.array([0.655, 0.721]), [rule]
    )
    assert found.state[1] == 1
    assert not found.approx.any()
    (rule,) = LimitRule.of("200725.SZ")
    found = daily_limits(
        np.array(["2019-05-21", "2019-05-22"], "datetime64[D]"), np.array([2.95, 2.66]), [rule]
    )
    assert found.state[1] == -1
    assert Symbol("900901.SS").currency == "USD"
    assert Symbol("200725.SZ").currency == "HKD"
    assert Symbol("600000.SS").currency == Symbol("000300.SS").currency == "CNY"


def test_before_the_first_rule_no_limit_is_known() -> None:
    dates = np.array(["1995-05-18", "1995-05-19"], "datetime64[D]")
    days = daily_limits(dates, np.array([10.0, 13.0]), LimitRule.of("600000.SS"))
    assert not days.state.any()
    assert np.isnan(days.beyond).all()


DAYS = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")[:8]


def days_of(close: list[float], symbol: str = "600000.SS", **more: object) -> list[int]:
    return daily_limits(
        DAYS[: len(close)], np.array(close), LimitRule.of(symbol), **more
    ).state.tolist()  # type: ignore[arg-type]


def test_locked_days_have_one_price() -> None:
    close = np.array([10.0, 11.0, 12.1, 10.89])
    same, low = close.copy(), close - [0.1, 0, 0.5, 0]
    assert days_of([*close], ohl=(same, same, low)) == [0, 2, 1, -2]
    assert days_of([*close]) == [0, 1, 1, -1], (
        "without open, high and low no day is known to be locked"
    )


def test_the_first_sessions_after_a_listing_are_free() -> None:
    close = [10.0, 12.0, 14.4, 17.28, 20.74, 24.89, 29.87]
    assert days_of(close, "688111.SS") == [0, 1, 1, 1, 1, 1, 1], (
        "the listing may be before the data"
    )
    assert days_of(close, "688111.SS", listed=True) == [0, 0, 0, 0, 0, 1, 1]


def test_a_halt_does_not_count_and_an_unseen_gap_is_no_move_of_one_day() -> None:
    assert days_of([10.0, np.nan, np.nan, 9.0]) == [0, 0, 0, -1]
    far = np.array([10.0, 13.0])
    unseen = np.array([False, True])
    assert np.isfinite(daily_limits(DAYS[:2], far, LimitRule.of("600000.SS")).beyond[1])
    assert np.isnan(
        daily_limits(DAYS[:2], far, LimitRule.of("600000.SS"), unseen=unseen).beyond
    ).all()


def test_on_the_day_of_a_dividend_the_last_close_is_without_it() -> None:
    close = np.array([20.0, 20.0, 20.9])  # ex 1.00 on the last day: reference 19.00, limit 20.90
    adjusted = np.array([19.0, 19.0, 20.9])
    days = daily_limits(DAYS[:3], close, LimitRule.of("600000.SS"), adjusted=adjusted)
    assert days.state.tolist() == [0, 0, 1]
    assert days.approx.tolist() == [False, False, True]


def test_adjusted_closes_are_judged_from_returns() -> None:
    adjusted = np.round(np.r_[ZTE, 13.4] * 0.97643, 4)
    days = daily_limits(
        np.arange("2018-06-01", "2018-06-11", dtype="datetime64[D]"),
        adjusted,
        LimitRule.of("000063.SZ"),
    )
    assert days.state.tolist() == [0, *[-1] * 8, 0]
    assert days.approx.tolist() == [False, *[True] * 8, False]
    assert days.at_limit.tolist() == days.state.tolist()
    assert np.abs(days.state).max() == 1, "never locked"


@pytest.mark.parametrize("kind", ["simple", "log"])
def test_a_file_of_returns_shows_limits_too(kind: ReturnKind) -> None:
    closes = np.r_[20.0, 20.2, ZTE, 13.4]
    returns = closes[1:] / closes[:-1] - 1
    days = pd.Index(pd.bdate_range("2018-06-04", periods=len(returns)), name="date")
    share = pd.Series(np.log1p(returns) if kind == "log" else returns, index=days)
    table = pd.DataFrame({"000063.SZ": share, "AMD": share, "8035.T": share, "I": share})
    news = pd.DataFrame({"ticker": table.columns[:3], "announced_at": "2018-06-06"})
    events = events_from_frame(news.assign(benchmark="I"))
    panel = read_returns(table, events, kind=kind, calendar="data")
    row = [symbol for symbol, _ in panel.keys].index("000063.SZ")
    assert states(panel)[row].tolist() == [0, 0, *[-1] * 8, 0]
    others = np.delete(states(panel), row, axis=0)
    assert not others.any(), "New York has no limit, that of Tokyo depends on the price"
    assert any("000063.SZ" in note and "limits" in note for note in panel.notes)


@given(st.integers(300, 20_000), st.floats(0.3, 1.0))
def test_adjusted_and_quoted_closes_agree(cents: int, factor: float) -> None:
    """A close one tick inside the limit is none in either, where a tick is more than the
    tolerance."""
    last = cents / 100
    limit = limit_price(np.array([last]), 0.1)[0]
    for close, hit in (
        (limit, True),
        (limit - 0.03 if last < 25 else limit - 0.0015 * last, False),
    ):
        pair = np.array([last, close])
        quoted = daily_limits(DAYS[:2], np.round(pair, 2), LimitRule.of("600000.SS"))
        moved = daily_limits(DAYS[:2], np.round(pair * factor, 4), LimitRule.of("600000.SS"))
        if hit:
            assert quoted.state[1] == 1
            assert moved.state[1] == 1 or last * factor * 0.1 < 0.3
        elif last * factor > 5:
            assert quoted.state[1] == moved.state[1] == 0


def test_own_rules_go_before() -> None:
    own = LimitRule("mine", r"ABC\.XX", "2000-01-01", 0.25)
    assert LimitRule.of("ABC.XX", (own, *LimitRule.ALL)) == (own,)
    wider = LimitRule("my main", r"600000\.SS", "2000-01-01", 0.25)
    assert LimitRule.of("600000.SS", (wider, *LimitRule.ALL)) == (wider,)
    assert LimitRule.of("600001.SS", (wider, *LimitRule.ALL))[0].percent == 0.1


def test_special_treatment_is_read_from_the_events() -> None:
    frame = pd.DataFrame({
        "ticker": ["600001.SS", "600002.SS", "600003.SS", "600004.SS", "600005.SS"],
        "announced_at": "2024-01-15", "st": ["yes", "no", "", "no", ""],
        "company": ["Plain", "*ST Two", "ST Three", "STAR Four", "STMicro"],
    })  # fmt: skip
    events = events_from_frame(frame, calendar="data")
    assert special_treatment(events) == {"600001.SS", "600002.SS", "600003.SS"}
    assert (
        special_treatment(events_from_frame(frame.drop(columns=["st", "company"]), calendar="data"))
        == set()
    )


def panel_of(columns: dict[str, FloatArray], **options: object) -> ReturnsPanel:
    days = pd.bdate_range("2024-01-01", periods=len(next(iter(columns.values()))))
    table = pd.concat([
        pd.DataFrame({"symbol": s, "date": days, "open": p, "high": p, "low": p, "close": p, "adj_close": p,
                      "volume": 100.0})
        for s, p in columns.items()
    ])  # fmt: skip
    midnight = days.to_numpy().astype("datetime64[s]")
    own = Sessions("XSHG", "UTC", midnight.astype("datetime64[D]"), midnight, midnight)
    return ReturnsPanel.from_prices(
        table,
        keys=[(s, "XSHG") for s in columns],
        sessions={"XSHG": own},
        **options,  # type: ignore[arg-type]
    )


def states(panel: ReturnsPanel) -> IntArray:
    assert panel.limits is not None
    return panel.limits


def test_a_panel_holds_the_limits_and_keeps_them_in_step() -> None:
    p = panel_of(
        {"600000.SS": np.array([10.0, 11.0, 11.2]), "000300.SS": np.array([10.0, 11.0, 11.2])}
    )
    assert states(p).tolist() == [[0, 2, 0], [0, 0, 0]]
    factors = pd.DataFrame({"mkt_rf": [0.01, 0.02]}, index=pd.bdate_range("2024-01-01", periods=2))
    longer = p.with_factors(factors, "factor:").with_portfolios([("600000.SS;000300.SS", "XSHG")])
    assert states(longer).shape == longer.values.shape
    assert states(longer).tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    none = panel_of({"0763.HK": np.array([10.0, 11.0, 11.2])})
    assert none.limits is None
    assert none.with_factors(factors, "factor:").limits is None
    assert p.notes == ()


def test_a_panel_takes_special_treatment_and_own_rules() -> None:
    closes = {"600000.SS": np.array([10.0, 10.5, 10.6])}
    ceiling = LimitRule("mine", r".*\.SS", "2000-01-01", 0.05)
    special, own = panel_of(closes, st=["600000.SS"]), panel_of(closes, limits=[ceiling])
    assert not states(panel_of(closes)).any()
    assert states(special).tolist() == states(own).tolist() == [[0, 2, 0]]


def walk(n: int, cut: float, seed: int, sigma: float = 0.03) -> FloatArray:
    """Return t-distributed moves that a limit cuts off."""
    rng = np.random.default_rng(seed)
    return np.clip(sigma * rng.standard_t(4, n) / np.sqrt(2), -cut, cut)


@given(st.sampled_from([0.05, 0.07, 0.1, 0.15, 0.2]), st.integers(0, 10_000))
def test_closes_that_pile_up_are_a_limit(cut: float, seed: int) -> None:
    moves = walk(2500, cut, seed, sigma=0.4 * cut)
    at, limits = find_piles(moves)
    assert at.tolist() == np.flatnonzero(np.abs(moves) > cut - 0.003).tolist()
    assert set(limits.tolist()) == {cut}


def test_a_limit_that_was_changed_is_found_on_either_side() -> None:
    moves = np.r_[walk(1000, 0.07, 1, 0.04), walk(1000, 0.1, 2, 0.04)]
    at, limits = find_piles(moves)
    assert set(limits[at < 1000]) == {0.07}
    assert set(limits[at >= 1000]) == {0.1}
    assert (np.abs(np.abs(moves[at]) - limits) < 0.003).all()


@pytest.mark.parametrize("sigma", [0.01, 0.02, 0.04, 0.06])
def test_moves_without_a_limit_do_not_pile_up(sigma: float) -> None:
    assert not any(len(find_piles(walk(2500, 0.9, seed, sigma))[0]) for seed in range(200))


def test_a_limit_that_no_table_names_is_in_the_panel_with_a_note() -> None:
    """Hong Kong stands for an exchange whose rule is not known; a pile of one sort is no proof."""
    moves = walk(1500, 0.1, 5)
    p = panel_of(
        {"0763.HK": 50 * np.cumprod(1 + moves), "0981.HK": 50 * np.cumprod(1 + walk(1500, 0.9, 6))}
    )
    at = np.flatnonzero(np.abs(moves[1:]) > 0.097) + 1
    assert len(at) > 7
    assert np.flatnonzero(states(p)[0]).tolist() == at.tolist()
    assert (np.sign(states(p)[0][at]) == np.sign(moves[at])).all()
    assert not states(p)[1].any()
    assert p.notes[-1].code == "limits_found"
    assert "0763.HK" in p.notes[-1]
    assert "0981.HK" not in p.notes[-1]


def test_a_move_over_days_without_trade_is_in_no_pile() -> None:
    moves = np.tile([0.1, -0.02, 0.1, -0.03], 10)
    close = 50 * np.cumprod(1 + moves)
    days = np.arange("2024-01-01", "2024-12-31", dtype="datetime64[D]")[: len(close)]
    assert np.count_nonzero(daily_limits(days, close, ()).state) == 20 - 1
    unseen = np.zeros(len(close), dtype=bool)
    unseen[10:] = True
    assert not daily_limits(days, close, (), unseen=unseen).state.any()


def recorded(
    folder: str, symbol: str, code: str = "XSHE", calendar: str = "XSHG", **options: object
) -> ReturnsPanel:
    path = SHARED / "market-data" / folder / f"{symbol}.csv"
    if not path.exists():
        pytest.skip("no recorded prices here")
    table = pd.read_csv(path, parse_dates=["date"]).assign(symbol=symbol)
    return ReturnsPanel.from_prices(
        table,
        keys=[(symbol, code)],
        sessions={code: Sessions.of(calendar)},
        **options,  # type: ignore[arg-type]
    )


def hits(panel: ReturnsPanel, first: str, last: str) -> dict[str, int]:
    assert panel.limits is not None
    days = zip(panel.sessions.astype(str), panel.limits[0].tolist(), strict=True)
    return {day: state for day, state in days if state and first <= day <= last}


@pytest.mark.parametrize("folder", ["prices", "prices-as-recorded"])
def test_seven_locked_days_after_the_halt_of_2018(folder: str) -> None:
    found = hits(recorded(folder, "000063.SZ"), "2018-04-01", "2018-06-30")
    assert list(found) == ["2018-06-13", "2018-06-14", "2018-06-15", "2018-06-19", "2018-06-20", "2018-06-21",
                           "2018-06-22", "2018-06-25"]  # fmt: skip
    assert list(found.values()) == [-2] * 7 + [-1], "the eighth day traded above its limit"


def test_adjusted_and_recorded_closes_give_the_same_days() -> None:
    one, other = (
        hits(recorded(folder, "000063.SZ"), "2016-01-01", "2019-04-26")
        for folder in ("prices", "prices-as-recorded")
    )
    assert one == other
    assert len(one) == 20


def test_a_table_of_one_price_a_day_shows_the_same_limits() -> None:
    """As vendors export it: the price may be the close, or an adjusted one."""
    path = SHARED / "market-data" / "prices" / "000063.SZ.csv"
    if not path.exists():
        pytest.skip("no recorded prices here")
    table = pd.read_csv(path, parse_dates=["date"], index_col="date")
    limits = hits(recorded("prices", "000063.SZ"), "2016-01-01", "2019-04-26")
    for prices in (table["close"], table["adj_close"], 0.731 * table["adj_close"]):
        wide = FrameProvider(prices.to_frame("000063.SZ"))
        rows = wide.fetch(["000063.SZ"], date(2016, 1, 1), date(2019, 4, 26)).table
        found = hits(
            ReturnsPanel.from_prices(
                rows, keys=[("000063.SZ", "XSHE")], sessions={"XSHE": Sessions.of("XSHG")}
            ),
            "2016-01-01",
            "2019-04-26",
        )
        assert found == {day: np.sign(state) for day, state in limits.items()}


def test_one_price_a_day_shows_no_limit_that_no_rule_names() -> None:
    """The moves of a price of few ticks pile up, and no high or low tells them from a limit."""
    days = pd.bdate_range("2024-01-01", periods=200)
    wide = pd.DataFrame({"AMD": np.tile([0.20, 0.21], 100)}, index=days)
    rows = FrameProvider(wide).fetch(["AMD"], days[0].date(), days[-1].date()).table
    panel = ReturnsPanel.from_prices(
        rows, keys=[("AMD", "XNYS")], sessions={"XNYS": Sessions.of("XNYS")}
    )
    assert panel.limits is None


def test_a_limit_that_opened_is_not_locked() -> None:
    found = hits(recorded("prices", "002415.SZ"), "2022-05-01", "2022-05-31")
    assert found == {"2022-05-05": -1}, "the day after it fell by 9 %"


@pytest.mark.parametrize("limits", [LimitRule.ALL, ()])
def test_the_limit_of_istanbul_is_found_with_a_table_and_without_one(
    limits: tuple[LimitRule, ...],
) -> None:
    """HALKB.IS closed at +-10 % on the days of two sanctions events."""
    panel = recorded("doors/prices", "HALKB.IS", "XIST", "XIST", limits=limits)
    found = hits(panel, "2021-08-05", "2026-07-10")
    assert found["2025-10-06"] < 0 < found["2023-04-19"]
    assert 36 <= len(found) <= 41
    moves = panel.values[0][np.isin(panel.sessions.astype(str), list(found))]
    assert ((np.abs(moves) > 0.0975) & (np.abs(moves) < 0.1006)).all()


@pytest.mark.parametrize("symbol", ["000063.SZ", "002236.SZ", "002415.SZ"])
def test_piles_find_what_the_table_of_the_mainland_says(symbol: str) -> None:
    """From 2016 to 2023, without the rule: no day that is none, at least nine of ten that are."""
    by_rule = hits(recorded("prices", symbol), "2016-01-01", "2023-12-31")
    found = hits(recorded("prices", symbol, limits=()), "2016-01-01", "2023-12-31")
    missed = set(by_rule) - set(found)
    assert set(found) <= set(by_rule)
    assert len(missed) <= 0.1 * len(by_rule) + 1


def test_no_pile_in_prices_without_a_limit() -> None:
    for symbol in ("0763.HK", "0981.HK", "AMD", "AVGO", "GAZP.ME", "LITE", "MU", "NVDA", "QCOM",
                   "QRVO", "RUAL.ME", "SWKS", "^GSPC", "^HSI"):  # fmt: skip
        panel = recorded("prices", symbol, "data", "XNYS", limits=())
        assert panel.limits is None, symbol
