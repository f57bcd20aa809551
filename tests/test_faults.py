"""Every kind of fault of prices, written into a clean series: it is seen, and nothing else is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, SHARED
from hypothesis import given, settings
from hypothesis import strategies as st

import eventstudy as es
from eventstudy.calendars import Exchange, Sessions, Symbol
from eventstudy.errors import DataError
from eventstudy.fitting import SUSPECT
from eventstudy.quality import ReturnFault, SeriesFault, SeriesFaults
from eventstudy.quality.fault_kinds import FAULTS
from eventstudy.quality.faults import BROKEN
from eventstudy.quality.quotes import no_trade, spikes
from eventstudy.quality.sizes import SIZE_FAULTS
from eventstudy.returns import ReturnsPanel
from eventstudy.returns.sessions import returns_of
from eventstudy.words import has

SIZE = 160
DAYS = pd.bdate_range("2024-01-01", periods=SIZE)
PRICES = ["open", "high", "low", "close", "adj_close"]
NAN = np.nan


def clean(symbol: str = "A", seed: int = 3) -> pd.DataFrame:
    """A share that trades every day at prices of two decimals."""
    rng = np.random.default_rng(seed)
    close = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.015, SIZE))), 2)
    start = np.round(np.r_[50.0, close[:-1]] * np.exp(rng.normal(0, 0.004, SIZE)), 2)
    return pd.DataFrame({
        "symbol": symbol, "date": DAYS, "open": start, "high": np.maximum(start, close) + 0.1,
        "low": np.minimum(start, close) - 0.1, "close": close,
        "adj_close": np.round(0.9 * close, 4),
        "volume": rng.integers(1000, 9000, SIZE).astype(float),
    })  # fmt: skip


def panel_of(table: pd.DataFrame, calendar: str = "XNYS", **options: object) -> ReturnsPanel:
    own = DAYS.to_numpy().astype("datetime64[s]")
    open_days = {calendar: Sessions(calendar, "UTC", own.astype("datetime64[D]"), own, own)}
    keys = [(symbol, calendar) for symbol in dict.fromkeys(table["symbol"])]
    return ReturnsPanel.from_prices(table, keys=keys, sessions=open_days, **options)  # type: ignore[arg-type]


def day(row: int) -> str:
    return str(DAYS[row].date())


def flat(table: pd.DataFrame, first: int, last: int, volume: float = 0.0) -> pd.DataFrame:
    """Repeat the close before rows `first` to `last` throughout them."""
    table = table.copy()
    before = max(first - 1, 0)
    table.loc[first:last, ["open", "high", "low", "close"]] = table.loc[before, "close"]
    table.loc[first:last, "adj_close"] = table.loc[before, "adj_close"]
    table.loc[first:last, "volume"] = volume
    return table


def scaled(table: pd.DataFrame, rows: slice, by: float) -> pd.DataFrame:
    table = table.copy()
    table.loc[rows, PRICES] *= by
    return table


def split(table: pd.DataFrame, by: float, row: int = 50) -> pd.DataFrame:
    """A split of `by` for 1 that the source did not apply to the rows before it."""
    table = scaled(table, slice(row, None), 1 / by)
    table.loc[row:, "volume"] *= by
    return table


def put(table: pd.DataFrame, rows: slice, column: str | list[str], value: float) -> pd.DataFrame:
    table = table.copy()
    table.loc[rows, column] = value
    return table


def on_saturday(table: pd.DataFrame) -> pd.DataFrame:
    extra = table.loc[[54]].assign(date=pd.Timestamp(DAYS[54]) + pd.Timedelta(days=1))
    assert DAYS[54].day_name() == "Friday"
    return pd.concat([table, extra], ignore_index=True)


def constant(table: pd.DataFrame) -> pd.DataFrame:
    table = table.copy()
    table.loc[50:56, PRICES] = table.loc[50, PRICES].to_numpy(float)
    return table


def wild(table: pd.DataFrame, row: int = 50) -> pd.DataFrame:
    """News on a row: a wide range and 20 times the volume."""
    table = table.copy()
    table.loc[row, "high"] *= 1.2
    table.loc[row, "volume"] *= 20
    return table


def on_tick(table: pd.DataFrame) -> pd.DataFrame:
    table = table.copy()
    table[["open", "high", "low", "close"]] = table[["open", "high", "low", "close"]].round(2)
    table["adj_close"] = table["close"]
    return table


def without_dividend(table: pd.DataFrame, share: float, row: int = 50) -> pd.DataFrame:
    """Take a dividend from the prices of a row and those after it, and the adjusted closes away."""
    return put(scaled(table, slice(row, None), 1 - share), slice(None), "adj_close", NAN)


# kind: how it is written into the clean series; first and last day seen; rows that returns must
# pass over
CASES: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], tuple[str, str], list[int]]] = {
    "suspension": (lambda t: flat(t, 50, 56), (day(50), day(56)), [*range(50, 57)]),
    "no_trade": (lambda t: flat(t, 50, 50), (day(50), day(50)), [50]),
    "missing_session": (lambda t: t.drop(index=[50, 51]), (day(50), day(51)), [50, 51]),
    "no_price": (lambda t: put(t, slice(50, 50), PRICES, NAN), (day(50), day(50)), [50]),
    "closed_day": (on_saturday, (str(DAYS[54].date() + pd.Timedelta(days=1)),) * 2, []),
    "not_positive": (
        lambda t: put(t, slice(50, 51), "adj_close", 0.0),
        (day(50), day(51)),
        [50, 51],
    ),
    "no_adjusted": (lambda t: put(t, slice(None), "adj_close", NAN), (day(0), day(SIZE - 1)), []),
    "adjusted_gap": (
        lambda t: put(t, slice(50, 52), "adj_close", NAN),
        (day(50), day(52)),
        [50, 51, 52],
    ),
    "adjusted_jump": (
        lambda t: put(t, slice(50, None), "adj_close", t["adj_close"][50:] * 1.3),
        (day(50), day(50)),
        [],
    ),
    "suspect_adjustment": (
        lambda t: put(t, slice(50, None), "adj_close", t["adj_close"][50:] * 1.11),
        (day(50), day(50)),
        [],
    ),
    "adjusted_above": (
        lambda t: put(t, slice(None), "adj_close", t["close"] * 1.02),
        (day(0), day(SIZE - 1)),
        [],
    ),
    "spike": (lambda t: scaled(t, slice(50, 52), 100), (day(50), day(52)), [50, 51, 52]),
    "unit_change": (lambda t: scaled(t, slice(50, None), 0.01), (day(50), day(50)), []),
    "unadjusted_split": (lambda t: split(t, 2), (day(50), day(50)), []),
    "suspect_split": (lambda t: split(t, 1.5), (day(50), day(50)), []),
    "suspect_dividend": (lambda t: without_dividend(t, 0.06), (day(50), day(50)), []),
    "suspect_jump": (lambda t: wild(scaled(t, slice(50, None), 6.3)), (day(50), day(50)), []),
    "suspect_reversal": (lambda t: scaled(t, slice(50, 50), 1.5), (day(50), day(50)), []),
    "beyond_limit": (
        lambda t: on_tick(wild(scaled(t, slice(50, None), 1.17))),
        (day(50), day(50)),
        [],
    ),
    "suspect_limit": (lambda t: wild(scaled(t, slice(50, None), 1.17)), (day(50), day(50)), []),
    "stale_price": (constant, (day(50), day(56)), []),
    "outside_range": (lambda t: put(t, slice(50, 50), "high", 1.0), (day(50), day(50)), []),
    "late_start": (lambda t: t.drop(index=range(30)), (day(0), day(29)), []),
    "ended": (lambda t: t.drop(index=range(130, SIZE)), (day(130), day(SIZE - 1)), []),
    "short_history": (lambda t: t.loc[:79], (day(0), day(79)), []),
}


def test_every_kind_has_a_fixture() -> None:
    alone = {"shifted_dates", "same_prices", "lost_session", "filled", "sources_differ"}
    assert set(FAULTS) - alone == set(CASES), "those of several series have tests of their own"
    assert len(FAULTS) >= 15


# Seen with another series beside it.
IN_A_MARKET = ("late_start", "ended", "suspect_dividend")


@pytest.mark.parametrize("kind", CASES)
def test_a_fault_is_seen_and_nothing_else(kind: str) -> None:
    write, days, missing = CASES[kind]
    symbol, calendar = ("600000.SS", "XSHG") if "limit" in kind else ("A", "XNYS")
    table = write(clean(symbol))
    others = [clean("B", seed=4).assign(symbol="B")] if kind in IN_A_MARKET else []
    panel = panel_of(pd.concat([table, *others]), calendar)
    own = [f for f in panel.faults if f.symbol == symbol]
    if kind == "suspect_dividend":
        assert own.pop(0).kind == "no_adjusted"
    assert [(f.kind, f.date, f.last) for f in own] == [(kind, *days)]
    assert own[0].action == FAULTS[kind].action
    assert own[0].detail
    values, spans = panel.values[0], panel.spans[0]
    assert (spans[missing] == 0).all()
    without = panel_of(pd.concat([table[~table["date"].isin(DAYS[missing])], *others]), calendar)
    np.testing.assert_array_equal(values, without.values[0])
    np.testing.assert_array_equal(spans, without.spans[0])


def test_a_clean_series_has_no_fault_and_no_note() -> None:
    panel = panel_of(
        pd.concat([clean(symbol, seed) for symbol, seed in (("A", 1), ("B", 2), ("C", 3))])
    )
    assert panel.faults == ()
    assert panel.notes == ()


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([1e-3, 0.1, 1.0, 7.3, 1e4]))
def test_no_unit_of_prices_makes_a_fault(seed: int, unit: float) -> None:
    assert panel_of(scaled(clean(seed=seed), slice(None), unit)).faults == ()


@pytest.mark.parametrize(
    "kind",
    [
        "spike", "unit_change", "unadjusted_split", "suspect_split", "suspect_jump", "beyond_limit",
        "suspect_limit",
    ],
)  # fmt: skip
def test_what_may_change_a_result_is_noted_with_its_date(kind: str) -> None:
    symbol, calendar = ("600000.SS", "XSHG") if "limit" in kind else ("A", "XNYS")
    notes = panel_of(CASES[kind][0](clean(symbol)), calendar).notes
    assert any(
        kind.replace("_", " ") in n and day(50) in n and FAULTS[kind].action in n for n in notes
    )


def market_of(n: int = 500, shares: int = 4, seed: int = 1) -> pd.DataFrame:
    """Shares that move with one market, on business days, with volume."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, 0.01, (n, 1)) + rng.normal(0, 0.012, (n, shares))
    close = 50 * np.exp(np.cumsum(moves, axis=0))
    dates = pd.bdate_range("2024-01-01", periods=n)
    frames = [
        pd.DataFrame({
            "symbol": name, "date": dates, "open": c, "high": c * 1.01, "low": c * 0.99, "close": c,
            "adj_close": c, "volume": rng.integers(1000, 9000, n).astype(float),
        })
        for name, c in zip("ABCDEFGH", close.T, strict=False)
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def days_of(table: pd.DataFrame) -> Sessions:
    own = pd.bdate_range("2023-12-01", table["date"].max()).to_numpy().astype("datetime64[s]")
    return Sessions("XNYS", "UTC", own.astype("datetime64[D]"), own, own)


def market_panel(table: pd.DataFrame) -> ReturnsPanel:
    keys = [(symbol, "XNYS") for symbol in dict.fromkeys(table["symbol"])]
    return ReturnsPanel.from_prices(table, keys=keys, sessions={"XNYS": days_of(table)})


@pytest.mark.parametrize(("sessions_late", "when"), [(1, "late"), (-1, "early")])
def test_dates_one_session_off_are_seen_by_the_market(sessions_late: int, when: str) -> None:
    table = market_of()
    mine = table["symbol"] == "B"
    table.loc[mine, "date"] = table.loc[mine, "date"] + sessions_late * pd.offsets.BDay()
    faults = [f for f in market_panel(table).faults if f.kind == "shifted_dates"]
    assert [f.symbol for f in faults] == ["B"]
    assert faults[0].detail == f"dates look one session {when}"
    wide = table.pivot(index="date", columns="symbol", values="close").pct_change()
    keys = [(name, "XNYS") for name in wide]
    panel = ReturnsPanel.from_frame(wide, keys=keys, sessions={"XNYS": days_of(table)})
    assert [(f.symbol, f.kind) for f in panel.faults] == [("B", "shifted_dates")]


def blamed(table: pd.DataFrame) -> dict[str, str]:
    """Return the series whose dates look shifted, by prices and by returns alike."""
    by_prices = {
        f.symbol: f.detail.split()[-1]
        for f in market_panel(table).faults
        if f.kind == "shifted_dates"
    }
    wide = table.pivot(index="date", columns="symbol", values="close").pct_change()
    keys = [(name, "XNYS") for name in wide]
    panel = ReturnsPanel.from_frame(wide, keys=keys, sessions={"XNYS": days_of(table)})
    by_returns = {f.symbol: f.detail.split()[-1] for f in panel.faults if f.kind == "shifted_dates"}
    assert by_prices == by_returns
    return by_prices


def shift(table: pd.DataFrame, symbols: str) -> pd.DataFrame:
    """Return prices with some symbols dated a session late."""
    is_late = table["symbol"].isin(list(symbols))
    later = table["date"] + pd.offsets.BDay()
    return table.assign(date=table["date"].where(~is_late, later))


@pytest.mark.parametrize(
    ("late", "index", "wrong"),
    [
        ("B", "A", {"B": "late"}),
        ("BC", "A", {"B": "late", "C": "late"}),  # two of four: the index decides
        ("BCD", "A", {"A": "early"}),  # the index is alone
        ("BC", "", {"B": "late", "C": "late", "A": "early", "D": "early"}),  # nobody decides
        ("A", "A", {"A": "late"}),
        ("AB", "A", {"C": "early", "D": "early"}),
    ],
)
def test_a_series_that_is_off_makes_no_other_one_suspect(
    late: str, index: str, wrong: dict[str, str]
) -> None:
    """Four series of New York, one of them its index or none."""
    table = shift(market_of(seed=4), late)
    name = {index: "^GSPC"}
    table["symbol"] = table["symbol"].replace(name)
    assert blamed(table) == {name.get(symbol, symbol): when for symbol, when in wrong.items()}


def test_a_series_that_is_hardly_the_index_s_is_judged_by_those_in_step() -> None:
    """Two coins move together, and little with the index; one carries the close of the day before."""
    rng = np.random.default_rng(3)
    table = market_of(n=700, shares=3, seed=8)
    own = rng.normal(0, 0.03, 700)
    index = np.log(table.loc[table["symbol"] == "A", "close"]).diff().fillna(0.0).to_numpy()
    for name in "BC":
        coin = 50 * np.exp(np.cumsum(0.6 * index + own + rng.normal(0, 0.01, 700)))
        for column in PRICES:
            table.loc[table["symbol"] == name, column] = coin
    table["symbol"] = table["symbol"].replace({"A": "^GSPC"})
    assert blamed(table) == {}
    assert blamed(shift(table, "C")) == {"C": "late"}


def test_a_market_in_step_has_no_shift_and_no_twin() -> None:
    for seed in range(10):
        assert market_panel(market_of(seed=seed)).faults == ()
    alone = market_of(shares=1)
    assert market_panel(alone).faults == (), "nothing to compare with"


def test_dates_stamped_on_the_next_day_are_refused_over_weekends() -> None:
    table = market_of(shares=9)
    mine = table["symbol"] == "C"
    table.loc[mine, "date"] += pd.Timedelta(days=1)
    reason = market_panel(table).failures["C"]
    assert reason.code == "mostly_closed"
    assert "(20%)" in reason
    table.loc[mine, "close"] = 7.0
    table.loc[mine, "adj_close"] = 7.0
    assert "C" not in market_panel(table).failures, "prices that stand still may be carried forward"


def test_returns_on_closed_days_are_refused() -> None:
    closes = market_of(shares=4).pivot(index="date", columns="symbol", values="close")
    moves = closes.pct_change().iloc[1:]
    days = pd.date_range(moves.index[0], moves.index[-1])
    late = moves["C"].set_axis(moves.index + pd.Timedelta(days=1)).reindex(days)
    wide = moves.reindex(days).fillna(0.0).assign(C=late)
    keys = [(symbol, "XNYS") for symbol in wide]
    panel = ReturnsPanel.from_frame(wide, keys=keys, sessions={"XNYS": Sessions.of("XNYS")})
    assert {s: r.code for s, r in panel.failures.items()} == {"C": "mostly_closed"}
    assert len(panel.keys) == 3, "returns of zero on closed days are no moves"


def test_the_file_of_another_firm_is_seen_where_that_firm_is_there_too() -> None:
    table = market_of()
    mine, other = table["symbol"] == "B", table["symbol"] == "A"
    table.loc[mine, [*PRICES, "volume"]] = table.loc[other, [*PRICES, "volume"]].to_numpy()
    table.loc[mine, PRICES] *= 2
    faults = [f for f in market_panel(table).faults if f.kind == "same_prices"]
    assert [(f.symbol, f.detail) for f in faults] == [
        ("A", "the prices of B"), ("B", "the prices of A"),
    ]  # fmt: skip


def swapped(days: pd.Series) -> pd.Series:  # type: ignore[type-arg]
    return days.map(lambda d: d.replace(month=d.day, day=d.month) if d.day <= 12 else d)


def test_a_series_whose_days_and_months_are_swapped_is_refused() -> None:
    table = market_of()
    mine = table["symbol"] == "B"
    table.loc[mine, "date"] = swapped(table.loc[mine, "date"])
    table = table.sort_values(["symbol", "date"]).drop_duplicates(["symbol", "date"])
    panel = market_panel(table)
    assert panel.failures["B"].code == "swapped_dates"
    assert [symbol for symbol, _ in panel.keys] == ["A", "C", "D"]
    assert not [f for f in panel.faults if f.symbol == "B"]
    wide = market_of().pivot(index="date", columns="symbol", values="close").pct_change()
    wide.index = pd.DatetimeIndex(swapped(wide.index.to_series()))
    wide = wide[~wide.index.duplicated()].sort_index()
    with pytest.raises(DataError, match="day and month look swapped"):
        ReturnsPanel.from_frame(
            wide, keys=[("A", "XNYS")], sessions={"XNYS": days_of(market_of(n=900))}
        )


def test_a_reverse_split_in_the_close_explains_adjusted_closes_above_it() -> None:
    table = market_of(shares=2)
    mine = (table["symbol"] == "A") & (table.index < 200)
    table.loc[mine, ["open", "high", "low", "close"]] /= 8
    assert market_panel(table).faults == ()


def test_a_large_dividend_is_no_fault() -> None:
    table = market_of(shares=2)
    before = (table["symbol"] == "A") & (table.index < 200)
    table.loc[before, "close"] *= 1.2
    table.loc[before, "high"] *= 1.2
    assert market_panel(table).faults == ()


@pytest.mark.slow
def test_a_step_on_a_day_like_any_other_is_suspect() -> None:
    """A change of currency by 17 % leaves volume and range as they were; news does not."""
    quiet, news = [], []
    for seed in range(20):
        stepped = scaled(clean(seed=seed), slice(50, None), 1.17)
        others = [clean(name, seed + k).assign(symbol=name) for k, name in enumerate("BCD", 30)]
        for table, kinds in ((stepped, quiet), (wild(stepped), news)):
            faults = panel_of(pd.concat([table, *others])).faults
            kinds.append({f.kind for f in faults if f.symbol == "A"})
    assert sum(bool(kinds & {"suspect_jump", "suspect_split"}) for kinds in quiet) >= 15
    assert not any(news)


def test_a_change_of_the_unit_costs_one_return() -> None:
    plain = panel_of(clean())
    panel = panel_of(scaled(clean(), slice(50, None), 0.01))
    assert np.isnan(panel.values[0, 50])
    assert panel.spans[0, 50] == 0, "no later return spans it either"
    kept = np.arange(SIZE) != 50
    np.testing.assert_allclose(panel.values[0, kept], plain.values[0, kept], atol=1e-12)
    np.testing.assert_array_equal(panel.spans[0, kept], plain.spans[0, kept])


def test_a_change_of_the_unit_during_a_halt_costs_the_return_after_it() -> None:
    table = scaled(clean(), slice(50, None), 0.01).drop(index=[50, 51])
    panel = panel_of(table)
    assert panel.spans[0, 49:54].tolist() == [1, 0, 0, 0, 1]


def test_a_move_over_sessions_that_were_not_seen_is_within_their_limits() -> None:
    table = scaled(clean("600000.SS"), slice(51, None), 1.15).drop(index=[50])
    assert [f.kind for f in panel_of(table, "XSHG").faults] == ["missing_session"]


def test_the_first_sessions_of_a_listing_may_move_further() -> None:
    """STAR: 30 % on the fifth session; the sixth has a limit. With nothing before it, a series may
    be old."""
    other = clean("600000.SS", seed=4)
    for at, kinds in ((34, ["late_start"]), (35, ["beyond_limit", "late_start"])):
        table = on_tick(scaled(clean("688111.SS"), slice(at, None), 1.3)).drop(index=range(30))
        panel = panel_of(pd.concat([table, other]), "XSHG")
        assert [f.kind for f in panel.faults if f.symbol == "688111.SS"] == kinds
    early = on_tick(scaled(clean("688111.SS"), slice(4, None), 1.3))
    assert [f.kind for f in panel_of(early, "XSHG").faults] == ["suspect_limit"]


def test_equal_closes_of_days_with_different_ranges_are_a_chance() -> None:
    table = clean()
    table.loc[50:56, ["close", "adj_close"]] = table.loc[50, ["close", "adj_close"]].to_numpy(float)
    table.loc[50:56, "high"] = table.loc[50, "close"] + np.linspace(0.1, 0.9, 7)
    table.loc[50:56, "low"] = table.loc[50, "close"] - 0.2
    assert panel_of(table).faults == ()


def test_equal_prices_of_a_table_with_one_price_a_day_are_seen() -> None:
    wide = constant(clean())[["symbol", "date", "adj_close"]]
    faults = [(f.kind, f.date, f.last, f.detail) for f in panel_of(wide).faults]
    equal = f"7 equal closes of {wide['adj_close'][50]:g}"
    assert faults == [("stale_price", day(50), day(56), equal)]


@pytest.mark.parametrize("by", [5.0, 10.0, 0.1])
@pytest.mark.parametrize("closed", ["blank", "no rows"])
def test_a_round_ratio_after_days_without_a_price_is_in_no_number(by: float, closed: str) -> None:
    """The day of the split is wild, as in Moscow, which alone would be against a split."""
    table = split(clean(), by, 103)
    table.loc[103, "high"] *= 1.06
    table.loc[103, "low"] *= 0.94
    at_once = [f.kind for f in panel_of(table).faults if f.date == day(103)]
    halted = put(table, slice(100, 102), [*PRICES], np.nan)
    if closed == "no rows":
        halted = table.drop(index=[100, 101, 102])
    panel = panel_of(halted)
    assert [f.kind for f in panel.faults if f.date == day(103)] == ["unadjusted_split"]
    assert "unadjusted_split" not in at_once
    at = panel.sessions == np.datetime64(day(103))
    assert np.isnan(panel.values[0, at]).all()
    assert (panel.spans[0, at] == 0).all()


def test_what_is_flagged_stays_as_it_is() -> None:
    for kind in ("suspect_split", "stale_price", "outside_range"):
        table = CASES[kind][0](clean())
        expected, spans = returns_of(table["adj_close"].to_numpy())
        panel = panel_of(table)
        np.testing.assert_array_equal(panel.values[0], expected)
        np.testing.assert_array_equal(panel.spans[0], spans)


def test_two_rows_of_one_date_are_refused() -> None:
    table = clean()
    twice = pd.concat([table, table.loc[[50]]])
    with pytest.raises(DataError, match=f"A: two prices on one date.*{day(50)}"):
        panel_of(twice)


def test_a_crash_that_traded_its_way_down_is_no_split() -> None:
    """Half the price, but from a high near the last close; and half at the open, but back two days
    later."""
    table = scaled(clean(), slice(50, None), 0.5)
    table.loc[50, "high"] = table.loc[49, "close"]
    assert panel_of(table).faults == ()
    table = scaled(clean(), slice(50, 51), 0.5)
    assert panel_of(table).faults == ()


def test_a_split_is_seen_at_the_open_where_the_day_moved_the_close() -> None:
    table = scaled(clean(), slice(50, None), 0.5)
    table.loc[50, "open"] = table.loc[49, "close"] / 2
    table.loc[50:, ["close", "adj_close"]] *= 1.04
    table.loc[50:, "high"] *= 1.05
    assert [f.kind for f in panel_of(table).faults] == ["suspect_split"]


@pytest.mark.parametrize("by", [0.1, 1 / 3, 0.5, 2.0, 3.0, 4.0, 10.0, 20.0, 50.0])
def test_splits_of_either_direction(by: float) -> None:
    panel = panel_of(split(clean(), by))
    assert [f.kind for f in panel.faults] == ["unadjusted_split"]
    assert panel.faults[0].detail.endswith(f"near {by:g}:1" if by > 1 else f"near 1:{1 / by:.3g}")
    assert np.isnan(panel.values[0, 50])
    assert panel.spans[0, 50] == 0


@pytest.mark.parametrize("by", [1.25, 1.3, 1.5, 1.8, 1 / 1.5])
def test_small_ratios_are_no_proof(by: float) -> None:
    panel = panel_of(split(clean(), by))
    assert [f.kind for f in panel.faults] == ["suspect_split"]
    assert panel.values[0, 50] == pytest.approx(1 / by - 1, abs=0.05)


@pytest.mark.parametrize(("symbol", "by"), [("300750.SZ", 1.8), ("603259.SS", 1.2)])
def test_a_bonus_issue_beyond_the_limit_is_proven(symbol: str, by: float) -> None:
    """1.8 for 1 on a board of 20 %, 1.2 for 1 on one of 10 %: on the tick, and off it."""
    table = split(clean(symbol), by)
    for prices in (on_tick(table), scaled(table, slice(None), 0.98765)):
        panel = panel_of(prices, "XSHE" if symbol.endswith("SZ") else "XSHG")
        assert [f.kind for f in panel.faults] == ["unadjusted_split"]


@pytest.mark.parametrize("by", [0.55, 0.75, 1.5, 2.6])
def test_news_moves_volume_and_range(by: float) -> None:
    assert panel_of(wild(scaled(clean(), slice(50, None), by))).faults == ()


@pytest.mark.parametrize("row", [10, 155])
def test_without_history_or_days_afterwards_nothing_is_proven(row: int) -> None:
    kinds = [f.kind for f in panel_of(split(clean(), 2, row)).faults]
    assert kinds == (["suspect_split"] if row > 20 else [])


def test_prices_without_volume_prove_no_split() -> None:
    table = put(split(clean(), 4), slice(None), "volume", NAN)
    assert [f.kind for f in panel_of(table).faults] == ["suspect_split"]


def test_a_fall_of_the_market_is_no_split() -> None:
    """The same fall of all shares, and of one alone."""
    crash = [split(clean(name, k), 1.5).assign(symbol=name) for k, name in enumerate("ABCDE")]
    assert panel_of(pd.concat(crash)).faults == ()
    one = [clean(name, k).assign(symbol=name) for k, name in enumerate("BCDE", 1)]
    alone = panel_of(pd.concat([crash[0], *one]))
    assert [(f.symbol, f.kind) for f in alone.faults] == [("A", "suspect_split")]


@pytest.mark.slow
@settings(max_examples=30)
@given(
    st.integers(0, 10_000), st.sampled_from([0.2, 0.5, 0.8, 1.3, 2.0, 5.0]),
    st.sampled_from([1e-3, 0.1, 7.3, 1e4]), st.sampled_from([1e-2, 3.0, 1e6]),
)  # fmt: skip
def test_no_unit_of_prices_or_volumes_changes_a_split(
    seed: int, by: float, unit: float, lot: float
) -> None:
    table = split(clean(seed=seed), by)
    other = scaled(table, slice(None), unit)
    other["volume"] *= lot
    kinds, others = ([(f.kind, f.date) for f in panel_of(t).faults] for t in (table, other))
    assert kinds == others


@pytest.mark.parametrize(
    ("by", "kind"), [(6.3, "suspect_jump"), (86.0, "unit_change"), (1000.0, "unit_change")]
)
def test_jumps_that_no_news_explains(by: float, kind: str) -> None:
    """A factor of 100 times the return of the day itself, or any factor that no share makes."""
    panel = panel_of(wild(scaled(clean(), slice(50, None), by)))
    assert [f.kind for f in panel.faults] == [kind]
    assert np.nanmax(np.abs(panel.values[0])) < 1 or kind == "suspect_jump"


def test_a_move_that_is_not_taken_back_is_no_spike() -> None:
    assert spikes(np.array([10, 10, 1.5, 1.6, 1.7, 1.4, 1.5, 1.5, 1.6])).sum() == 0
    assert spikes(np.array([10, 10, 1.5, 1.6, 10.5, 10])).nonzero()[0].tolist() == [2, 3]
    six = np.array([10, 10, *[1000.0] * 6, 10, 10])
    assert spikes(six).sum() == 0, "back after six days only"
    assert spikes(six[1:-3]).sum() == 0
    assert spikes(np.array([10, 1000, 10, 1000, 10.0])).nonzero()[0].tolist() == [1, 3]


def stale(close: list[float], volume: list[float], **ranges: list[float]) -> list[int]:
    price = np.array(close, float)
    high, low = (np.array(ranges.get(name, [NAN] * len(close)), float) for name in ("high", "low"))
    return np.flatnonzero(no_trade(price, price, high, low, np.array(volume, float))).tolist()


def test_when_a_repeated_close_is_no_trade() -> None:
    volume = [5, 5, 0, 0, 5, 5.0]
    assert stale([10, 11, 11, 11, 12, 13], volume) == [2, 3]
    assert stale([10, 11, 12, 13, 12, 13], volume) == [], "half days: a close of their own"
    assert (
        stale([10, 11, 11, 11, 12, 13], volume, high=[11, 12, 11, 12, 12, 13], low=[10] * 6) == []
    ), "a range"
    assert stale([10, 11, 11, 11, 12, 13], [0] * 6) == [], "an index has no volume"
    assert stale([10, 11, 11, 11, 12, 13], [NAN] * 6) == [], "a source without volume"
    assert stale([10, 11, 11, 11, 12, 13], [5, 5, NAN, NAN, 5, 5]) == [2, 3], (
        "a halt with blank volume"
    )
    assert stale([10, 11, 11, 12, 12, 13], [5, 5, NAN, 5, 5, 5]) == [], "one blank says nothing"
    assert stale([10, 10, 10, 12, 12, 13], [0, 0, 0, 5, 5, 5]) == [0, 1, 2], (
        "halted when the data begin"
    )
    assert stale([10, 10, 10, 10, 10, 13], [5, 0, 0, 0, 0, 5]) == [1, 2, 3, 4], (
        "halted most of the time"
    )
    assert stale([10, 11, 11, 12, 13, 14, 15], [0, 0, 0, 0, 5, 0, 0]) == [], (
        "volume is mostly unknown"
    )


def test_after_a_halt_at_the_start_there_is_no_return() -> None:
    """The last close before the data is not known to be that of the session before."""
    panel = panel_of(flat(clean(), 0, 9))
    assert (panel.spans[0, :11] == 0).all()
    assert (panel.spans[0, 11:] == 1).all()
    assert [(f.kind, f.date, f.last) for f in panel.faults] == [("suspension", day(0), day(9))]


def test_a_dividend_or_split_during_a_halt_is_still_a_halt() -> None:
    table = flat(clean(), 50, 56)
    table.loc[53:56, "adj_close"] *= 1.01
    assert (panel_of(table).spans[0, 50:57] == 0).all()


def test_another_exchange_closes_without_a_fault() -> None:
    """An index of another market has no row on some sessions: that is no fault of its prices."""
    table = pd.concat([clean("A"), clean("^HSI", seed=4).drop(index=[50, 51, 90])])
    assert panel_of(table).faults == ()


def test_an_index_has_the_sessions_of_every_exchange_of_its_country() -> None:
    panel = panel_of(clean("000300.SS").drop(index=[50, 51]), "XSHE")
    assert [(f.kind, f.date, f.last) for f in panel.faults] == [
        ("missing_session", day(50), day(51))
    ]


CELLS = st.sampled_from(
    [NAN, 0.0, -1.0, np.inf, 1e-9, 0.1, 9.9, 10.0, 10.0, 10.0, 11.0, 20.0, 1000.0]
)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.lists(st.tuples(*[CELLS] * 6), min_size=1, max_size=25),
    st.sampled_from(["A", "600000.SS", "^HSI"]),
)
def test_no_table_of_numbers_is_too_faulty(rows: list[tuple[float, ...]], symbol: str) -> None:
    """Whatever the numbers: no error, no warning, and every price that is used is positive."""
    table = pd.DataFrame(rows, columns=[*PRICES, "volume"]).assign(
        symbol=symbol, date=DAYS[: len(rows)]
    )
    panel = panel_of(table, "XSHG")
    assert ((panel.values > -1) | np.isnan(panel.values)).all()
    assert ((panel.spans > 0) == np.isfinite(panel.values)).all()
    assert {f.kind for f in panel.faults} <= set(FAULTS)


def test_many_faults_of_one_kind_end_in_one() -> None:
    table = clean()
    rows = np.arange(2, SIZE, 2)
    table = table.drop(index=rows[rows < SIZE - 1])
    own = [f for f in panel_of(table).faults if f.kind == "missing_session"]
    assert len(own) == 50
    assert own[-1].detail.startswith(f"{SIZE // 2 - 1 - 49} of them")
    assert sum(fault.n for fault in own) == SIZE // 2 - 1
    assert (own[-1].date, own[-1].last) == (day(100), day(SIZE - 2))


def test_faults_near_an_event_and_as_a_table() -> None:
    panel = panel_of(pd.concat([flat(clean("A"), 50, 56), split(clean("B", 4), 1.5, 90)]))
    assert [f.kind for f in panel.faults_near("A", day(56), day(70))] == ["suspension"]
    assert [
        f.kind for f in panel.faults_near("A", np.datetime64(day(40)), np.datetime64(day(50)))
    ] == ["suspension"]
    assert panel.faults_near("A", day(57), day(70)) == ()
    assert panel.faults_near("B", day(50), day(56)) == ()
    assert panel.faults_near("C", day(0), day(99)) == ()
    table = SeriesFaults(panel.faults).table()
    assert list(table.columns) == [f.name for f in dataclasses.fields(SeriesFault)][:-1]
    assert [fault.n for fault in panel.faults] == [1, 1], "a suspension is one, however long"
    assert table["kind"].tolist() == ["suspension", "suspect_split"]
    assert SeriesFaults().table().empty


def test_the_document_says_what_is_done() -> None:
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.M))
    actions = {name: cells.split(" | ")[-1] for name, cells in rows.items()}
    kinds = {name: kind.action for name, kind in FAULTS.items()}
    kinds |= {str(kind): kind.action for kind in ReturnFault}
    assert list(actions.items()) == [*kinds.items(), *SIZE_FAULTS.items()]
    for name, kind in FAULTS.items():
        rule = rows[name].split(" | ")[1]
        docstring = " ".join((kind.find.__doc__ or "").split())
        assert docstring.endswith(f" {rule[0].upper()}{rule[1:]}."), name


def test_every_kind_has_its_words() -> None:
    others = [*ReturnFault, *SIZE_FAULTS]
    assert [kind for kind in (*FAULTS, *others) if not has(f"fault.{kind}")] == []
    assert [kind for kind in others if not has(f"fault.remedy.{kind}")] == []


# Recorded prices


def recorded(name: str, symbol: str = "", folder: str = "prices") -> ReturnsPanel:
    path = SHARED / "market-data" / folder / f"{name}.csv"
    if not path.exists():
        pytest.skip("no recorded prices here")
    symbol = symbol or name
    exchange = Exchange.of(symbol)
    assert exchange is not None
    assert exchange.calendar is not None
    return ReturnsPanel.from_prices(
        pd.read_csv(path, parse_dates=["date"]).assign(symbol=symbol),
        keys=[(symbol, exchange.code)], sessions={exchange.code: Sessions.of(exchange.calendar)},
    )  # fmt: skip


def between(panel: ReturnsPanel, first: str, last: str) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    own = (panel.sessions >= np.datetime64(first)) & (panel.sessions <= np.datetime64(last))
    return panel.values[0, own], panel.spans[0, own]


@pytest.mark.parametrize(
    "name",
    ["AMD", "AVGO", "LITE", "MU", "NVDA", "QCOM", "QRVO", "SWKS", "^GSPC", "^HSI", "000300.SS"],
)
def test_no_false_alarm_in_eight_years(name: str) -> None:
    """March 2020 with its moves of 10 % and more is in them."""
    panel = recorded(name)
    assert len(panel.sessions) > 1900
    assert panel.faults == ()
    assert panel.notes == ()


def test_a_halt_of_57_days_as_flat_rows_or_as_none() -> None:
    """000063.SZ, 2018-04-17 to 2018-06-12: one source repeats the close, the other has no rows."""
    flat_rows, without = recorded("000063.SZ", folder="prices-as-recorded"), recorded("000063.SZ")
    (values, spans), (others, same) = (
        between(p, "2018-01-05", "2018-12-28") for p in (flat_rows, without)
    )
    np.testing.assert_array_equal(spans, same)
    np.testing.assert_allclose(values, others, atol=2e-5)  # four decimals of about 10
    assert spans.max() == 40
    assert [f.kind for f in flat_rows.faults_near("000063.SZ", "2018-04-10", "2018-06-30")] == [
        "suspension"
    ]
    assert [f.kind for f in without.faults_near("000063.SZ", "2018-04-10", "2018-06-30")] == [
        "missing_session"
    ]


def test_the_halt_in_hong_kong_but_not_the_half_days() -> None:
    panel = recorded("0763.HK")
    values, spans = between(panel, "2018-04-16", "2018-06-13")
    assert (spans[1:-1] == 0).all()
    assert spans[-1] == len(spans) - 1
    assert values[-1] == pytest.approx(-0.4156, abs=5e-4)
    for half in ("2020-12-24", "2020-12-31"):
        assert between(panel, half, half)[1].tolist() == [1], "volume 0, and a close of its own"
    typhoon = panel.faults_near("0763.HK", "2017-08-23", "2017-08-23")
    assert [f.kind for f in typhoon] == ["no_trade", "closed_day"]
    assert np.datetime64("2017-08-23") not in panel.sessions


def test_sessions_that_mainland_series_lack() -> None:
    assert between(recorded("399001.SZ"), "2019-05-06", "2019-05-06")[1].tolist() == [3]
    holes = recorded("000300.SS.dump2020", "000300.SS", folder="prices-as-recorded")
    longest = max(holes.faults, key=lambda f: np.datetime64(f.last) - np.datetime64(f.date))
    assert (longest.kind, longest.date, longest.last) == (
        "missing_session",
        "2017-03-02",
        "2020-11-10",
    )


@pytest.mark.parametrize("name", ["002415.SZ", "002236.SZ"])
def test_two_sessions_without_trade_after_the_entity_list(name: str) -> None:
    panel = recorded(name)
    seen = [(f.kind, f.date, f.last) for f in panel.faults]
    assert seen == [("missing_session", "2019-10-08", "2019-10-09")]
    assert between(panel, "2019-10-10", "2019-10-10")[1].tolist() == [3]


def test_a_crash_by_sanctions_is_no_fault() -> None:
    panel = recorded("RUAL.ME")
    assert {f.kind for f in panel.faults} == {"missing_session", "no_adjusted"}
    assert between(panel, "2018-04-09", "2018-04-09")[0][0] == pytest.approx(22.55 / 28.31 - 1)


def test_a_close_that_no_rule_allows() -> None:
    """000063.SZ on 2011-03-18: +18 % on the main board, a fault of the source (adjusted closes)."""
    panel = recorded("000063.SZ", folder="prices-as-recorded")
    assert [(f.kind, f.date) for f in panel.faults if f.kind in SUSPECT or f.action == BROKEN] == [
        ("unadjusted_split", "2011-03-18")
    ]


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in Path(SHARED, "market-data", "prices").glob("*.csv"))
)
def test_no_real_move_is_quarantined(name: str) -> None:
    """ZTE's -42 % (a gap of 1/1.6) and SMIC's -23 % (near 6:5) among them: size is no proof."""
    faults = recorded(name).faults
    assert not [f for f in faults if f.kind in SUSPECT or f.action == BROKEN]


def test_files_are_where_the_tests_look() -> None:
    if not SHARED.exists():
        pytest.skip("no recorded prices here")
    assert {p.stem for p in Path(SHARED, "market-data", "prices").glob("*.csv")} >= {
        "AMD",
        "RUAL.ME",
        "0763.HK",
    }


def test_one_coin_of_the_day_before_makes_neither_the_other_nor_the_index_suspect() -> None:
    """ETH-USD carries the close of the day before; BTC-USD and ^GSPC are right."""
    files = {"BTC-USD": "doors/prices", "ETH-USD": "doors/prices", "^GSPC": "prices"}
    frames = []
    for symbol, folder in files.items():
        path = SHARED / "market-data" / folder / f"{symbol}.csv"
        if not path.exists():
            pytest.skip("no recorded prices here")
        frames.append(pd.read_csv(path, parse_dates=["date"]).assign(symbol=symbol))
    home = Symbol("BTC-USD").home
    assert home is not None
    assert home.calendar is not None
    keys = [(symbol, home.code) for symbol in files]
    panel = ReturnsPanel.from_prices(
        pd.concat(frames), keys=keys, sessions={home.code: Sessions.of(home.calendar)}
    )
    shifted = [(f.symbol, f.detail) for f in panel.faults if f.kind == "shifted_dates"]
    assert shifted == [("ETH-USD", "dates look one session late")]


@pytest.mark.slow
@pytest.mark.parametrize("halt", ["calendar", "shift"])
@pytest.mark.parametrize("announced", ["2025-03-24", "2025-03-27", "2025-03-28"])
def test_the_split_of_polyus_is_in_no_number(tmp_path: Path, announced: str, halt: str) -> None:
    """PLZL.ME, 10:1 on 2025-03-27 after three days without trade: 19,017 roubles became 1,867.6."""
    folder = SHARED / "market-data" / "doors" / "prices"
    if not folder.is_dir():
        pytest.skip("no recorded prices here")
    news = pd.DataFrame({
        "ticker": ["PLZL.ME", "SBER.ME", "SBER.ME"],
        "announced_at": [announced, "2025-03-28", "2025-05-27"],
    })  # fmt: skip
    results = es.run_study(
        news, es.StudyConfig(prices=str(folder), halt=halt, calibrate=0, event_pages=0)
    )
    folder = results.save(tmp_path) / "tables"
    compared = 0
    for path in folder.glob("*.csv"):
        table = pd.read_csv(path)
        if path.name in ("faults.csv", "choosing.csv") or table.empty:
            continue
        numbers = table.select_dtypes("number")
        named = [c for c in numbers if c in ("ar", "car", "ret", "expected", "aar", "caar", "effect",
                                             "estimate", "bhar", "low", "high")]  # fmt: skip
        compared += len(named)
        assert not (numbers[named].abs() > 0.6).any(axis=None), path.name
    assert compared > 10
    daily = pd.read_csv(folder / "abnormal_returns.csv")
    of_split = daily[(daily["date"] == "2025-03-27") & (daily["ticker"] == "PLZL.ME")]
    assert of_split["ar"].isna().all()
