"""Windows in event time, and the layout of returns on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstudy.calendars import Sessions, Window
from eventstudy.errors import ConfigError, DataError
from eventstudy.quality import ReturnKind
from eventstudy.returns import ReturnsPanel
from eventstudy.returns.sessions import returns_of
from eventstudy.windows import EventWindows, build_windows

HOUR = np.timedelta64(3600, "s")


@given(st.integers(-999, 999), st.integers(0, 999))
def test_text_and_back(start: int, length: int) -> None:
    window = Window(start, start + length)
    assert Window.of(str(window)) == window
    assert Window.of(f"{window.start}:{window.stop}") == window
    assert len(window) == len(window.days) == length + 1
    assert window in Window(start - 1, start + length)


@pytest.mark.parametrize(
    "value",
    ["", "1", "a:b", "3:1", "1:2:3", "1.5:2", (1,), (1, 2, 3), (2, 1), (0.5, 1), "0:99999999"],
)
def test_what_is_no_window(value: object) -> None:
    with pytest.raises(ConfigError):
        Window.of(value)  # type: ignore[arg-type]


def panel(
    prices: dict[str, list[float]], start: str = "2024-01-01", **kwargs: object
) -> ReturnsPanel:
    days = pd.bdate_range(start, periods=len(next(iter(prices.values()))))
    table = pd.concat([
        pd.DataFrame({"symbol": s, "date": days, "close": p, "adj_close": p}) for s,
        p in prices.items()
    ])  # fmt: skip
    midnight = days.to_numpy().astype("datetime64[s]")
    sessions = Sessions(
        "T", "UTC", midnight.astype("datetime64[D]"), midnight + 9 * HOUR, midnight + 17 * HOUR
    )
    return ReturnsPanel.from_prices(
        table, keys=[(s, "T") for s in prices], sessions={"T": sessions}, **kwargs
    )


def test_simple_and_log_returns() -> None:
    price = np.array([100.0, 110.0, 99.0])
    simple, spans = returns_of(price)
    np.testing.assert_allclose(simple, [np.nan, 0.1, -0.1])
    np.testing.assert_array_equal(spans, [0, 1, 1])
    np.testing.assert_allclose(returns_of(price, kind="log")[0], [np.nan, np.log(1.1), np.log(0.9)])


def test_return_after_a_gap_spans_it() -> None:
    values, spans = returns_of(np.array([np.nan, 100.0, np.nan, np.nan, 130.0, 143.0]))
    np.testing.assert_allclose(values, [np.nan] * 4 + [0.3, 0.1])
    np.testing.assert_array_equal(spans, [0, 0, 0, 0, 3, 1])


def test_panel_falls_back_on_close_when_adjusted_is_blank() -> None:
    p = panel({"A": [10.0, 11.0]})
    table = p.prices.assign(adj_close=np.nan)  # type: ignore[union-attr]
    days = table["date"].to_numpy().astype("datetime64[D]")
    midnight = days.astype("datetime64[s]")
    again = ReturnsPanel.from_prices(
        table,
        keys=[("A", "T")],
        sessions={"T": Sessions("T", "UTC", days, midnight, midnight + HOUR)},
    )
    assert again.values[0, 1] == pytest.approx(0.1)


def test_prices_on_closed_days_are_put_aside_and_said() -> None:
    days = pd.to_datetime(["2024-01-04", "2024-01-05", "2024-01-06", "2024-01-08"])
    table = pd.DataFrame(
        {
            "symbol": "A",
            "date": days,
            "close": [1.0, 2.0, 5.0, 3.0],
            "adj_close": [1.0, 2.0, 5.0, 3.0],
        }
    )
    open_days = days[[0, 1, 3]].to_numpy().astype("datetime64[D]")
    midnight = open_days.astype("datetime64[s]")
    p = ReturnsPanel.from_prices(
        table,
        keys=[("A", "T")],
        sessions={"T": Sessions("T", "UTC", open_days, midnight, midnight + HOUR)},
    )
    np.testing.assert_allclose(p.values[0], [np.nan, 1.0, 0.5])
    assert "A: 1 value on days that T was closed" in p.notes[0]


def test_windows_beyond_the_data_are_missing() -> None:
    p = panel({"A": [100.0 + i for i in range(12)]})
    w = build_windows(
        p, calendars=["T", "T"], day0=p.sessions[[3, 11]], rows=np.array([0, -1]),
        factor_rows=np.array([[0], [0]]), estimation=Window(-5, -2), event=Window(-1, 1),
    )  # fmt: skip
    assert (w.positions[0, :2] == -1).all()
    assert np.isnan(w.returns[0, :3]).all(), (
        "two days before the data, one without a price before it"
    )
    assert np.isfinite(w.returns[0, 3:]).all()
    assert np.isnan(w.returns[1]).all(), "no row: no return"
    assert np.isnat(w.dates[1, -1])
    assert w.day0.tolist() == [3, 11]


def test_windows_must_not_overlap() -> None:
    p = panel({"A": [1.0, 2.0, 3.0]})
    with pytest.raises(ConfigError, match="must end before"):
        build_windows(
            p, calendars=["T"], day0=p.sessions[[1]], rows=np.array([0]),
            factor_rows=np.array([[0]]),
            estimation=Window(-2, -1), event=Window(-1, 1),
        )  # fmt: skip


def test_an_index_is_compounded_over_the_sessions_of_the_firm() -> None:
    """The benchmark trades on a day that the firm's exchange is shut: its return there is not
    lost."""
    days = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
    table = pd.DataFrame({
        "symbol": ["F", "F", "I", "I", "I"], "date": [days[0], days[2], *days],
        "close": [10.0, 11.0, 100.0, 110.0, 121.0], "adj_close": [10.0, 11.0, 100.0, 110.0, 121.0],
    })  # fmt: skip

    def sessions(which: list[int]) -> Sessions:
        own = days[which].to_numpy().astype("datetime64[D]")
        return Sessions(
            "x", "UTC", own, own.astype("datetime64[s]"), own.astype("datetime64[s]") + HOUR
        )

    p = ReturnsPanel.from_prices(
        table,
        keys=[("F", "A"), ("I", "A"), ("I", "B")],
        sessions={"A": sessions([0, 2]), "B": sessions([0, 1, 2])},
    )
    np.testing.assert_allclose(p.values[p.row("I", "A")], [np.nan, np.nan, 0.21])
    np.testing.assert_array_equal(p.spans[p.row("I", "A")], [0, 0, 1])
    np.testing.assert_allclose(p.values[p.row("I", "B")], [np.nan, 0.1, 0.1])


def test_wide_and_long_returns_are_the_same() -> None:
    wide = pd.DataFrame(
        {"date": ["2024-01-02", "2024-01-03"], "A": [0.01, None], "B": [0.02, -0.01]}
    )
    long = wide.melt("date", var_name="ticker", value_name="ret")
    one, other = ReturnsPanel.from_frame(wide), ReturnsPanel.from_frame(long)
    np.testing.assert_array_equal(one.values, other.values)
    assert one.keys == other.keys == (("A", "data"), ("B", "data"))
    assert one.spans.tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"date": ["2024-01-02", "03/04/2024"], "A": [0.1, 0.2]}, "date that cannot be read"),
        ({"date": ["2024-01-02", "2024-01-02"], "A": [0.1, 0.2]}, "occurs twice"),
        ({"date": ["2024-01-02"], "A": ["1.5%"]}, "no number"),
        ({"date": ["2024-01-02"] * 2, "ticker": ["A", "A"], "ret": [0.1, 0.2]}, "two returns"),
        ({"day": ["2024-01-02"], "ret": [0.1]}, "needs the columns"),
    ],
)
def test_bad_tables_of_returns(frame: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ReturnsPanel.from_frame(pd.DataFrame(frame))


def laid_out(firm: list[float], index: list[float], event: Window, day0: int) -> EventWindows:
    p = panel({"F": firm, "I": index})
    return build_windows(
        p, calendars=["T"], day0=p.sessions[[day0]], rows=np.array([0]),
        factor_rows=np.array([[1]]),
        estimation=Window(event.start - 2, event.start - 1), event=event,
    )  # fmt: skip


def test_a_session_that_both_lack_is_bridged_by_both() -> None:
    nan = np.nan
    w = laid_out([10, 10, 10, 10, nan, 12, 12], [5, 5, 5, 5, nan, 5.5, 5.5], Window(-1, 2), 4)
    np.testing.assert_array_equal(w.spans[0, 2:], [1, 0, 2, 1])
    np.testing.assert_allclose(w.returns[0, 2:], [0, nan, 0.2, 0])
    np.testing.assert_allclose(w.factors[0, 2:, 0], [0, nan, 0.1, 0])


def test_a_session_that_only_the_index_lacks_is_compounded_for_the_firm() -> None:
    nan = np.nan
    w = laid_out([10, 10, 10, 10, 11, 12.1, 12.1], [5, 5, 5, 5, nan, 5.5, 5.5], Window(-1, 2), 4)
    np.testing.assert_array_equal(w.spans[0, 2:], [1, 0, 2, 1])
    np.testing.assert_allclose(w.returns[0, 2:], [0, nan, 0.21, 0])
    np.testing.assert_allclose(w.factors[0, 2:, 0], [0, nan, 0.1, 0])


def test_a_return_from_before_the_window_cannot_stand_for_a_day_inside() -> None:
    """Halted before day 0, the index missing on day 1: the spans 3 and 1 sum to 4, and yet two days
    lack."""
    from eventstudy.models import MODELS

    rng = np.random.default_rng(2)
    firm, index = (100 * np.exp(np.cumsum(rng.normal(0, 0.01, 40))) for _ in range(2))
    firm[[28, 29]] = np.nan
    index[31] = np.nan
    p = panel({"F": list(firm), "I": list(index)})
    w = build_windows(
        p, calendars=["T"], day0=p.sessions[[30]], rows=np.array([0]), factor_rows=np.array([[1]]),
        estimation=Window(-25, -6), event=Window(-5, 5),
    )  # fmt: skip
    fit = MODELS["market"]().fit(w)
    assert not fit.valid(Window(0, 3))[0]
    assert not fit.valid(Window(0, 2))[0]
    assert fit.valid(Window(-2, 2))[0]
    assert fit.spans[0].tolist() == [1, 1, 1, 0, 0, 3, 0, 2, 1, 1, 1]


def test_returns_of_an_index_are_compounded_over_the_sessions_of_the_firm() -> None:
    """From a file of returns: what the index did on the firm's holiday is part of its next
    session."""
    days = pd.bdate_range("2024-01-01", periods=5)
    frame = pd.DataFrame(
        {"F": [0.01, np.nan, 0.02, np.nan, 0.01], "I": [0.1, 0.1, 0.1, np.nan, 0.1]}, index=days
    )
    own = days[[0, 2, 3, 4]].to_numpy().astype("datetime64[D]")
    sessions = {
        "A": Sessions(
            "A",
            "Europe/London",
            own,
            own.astype("datetime64[s]"),
            own.astype("datetime64[s]") + HOUR,
        )
    }
    p = ReturnsPanel.from_frame(frame, keys=[("F", "A"), ("I", "A")], sessions=sessions)
    np.testing.assert_allclose(p.values, [[0.01, 0.02, np.nan, 0.01], [0.1, 0.21, np.nan, 0.1]])
    assert p.notes == ("I: 1 value on days that A was closed",)


def test_time_zones_do_not_move_dates() -> None:
    frame = pd.DataFrame(
        {"A": [0.01, 0.02]}, index=pd.date_range("2024-01-02", periods=2, tz="Asia/Shanghai")
    )
    assert ReturnsPanel.from_frame(frame).sessions.astype(str).tolist() == [
        "2024-01-02",
        "2024-01-03",
    ]


def test_impossible_returns_and_percent() -> None:
    with pytest.raises(DataError, match="B on 2024-01-03: a simple return below -100 %"):
        ReturnsPanel.from_frame(
            pd.DataFrame({"date": ["2024-01-02", "2024-01-03"], "B": [0.1, -1.5]})
        )
    p = ReturnsPanel.from_frame(
        pd.DataFrame({"date": ["2024-01-02", "2024-01-03"], "B": [0.9, -0.7]})
    )
    assert "look like percent" in p.notices[0]


@pytest.mark.parametrize("kind", ["simple", "log"])
@pytest.mark.parametrize("values", [[1.6, -4.1, 2.2], [7.9, 8.0, 8.1], [0.31, 0.32, 0.33]])
def test_percent_of_volatile_shares_and_prices_are_no_returns(
    values: list[float], kind: ReturnKind
) -> None:
    frame = pd.DataFrame({"A": values}, index=pd.bdate_range("2024-01-02", periods=3))
    with pytest.raises(
        DataError, match=r"not decimal returns.*divide percent by 100; prices go to --prices"
    ):
        ReturnsPanel.from_frame(frame, kind=kind)


def test_prices_are_sorted_and_cleaned_and_stale_ones_are_missing() -> None:
    from eventstudy.quality import Quotes
    from eventstudy.returns.sessions import note_closes

    def closes_of(symbol: str, rows: pd.DataFrame) -> Any:
        quotes = next(Quotes.by_symbol(rows.assign(symbol=symbol)))[0]
        return (quotes.dates, quotes.price), note_closes(quotes)

    days = pd.bdate_range("2024-01-01", periods=6)
    part = pd.DataFrame({
        "date": days, "close": [10.0, 11, 11, 11, 0, 12], "adj_close": [10.0, 11, 11, 11, 0, 12],
        "volume": [5.0, 5, 0, 0, 5, 5],
    })  # fmt: skip
    (dates, price), notes = closes_of("A", part.iloc[::-1])
    assert (np.diff(dates) > np.timedelta64(0, "D")).all()
    np.testing.assert_array_equal(price, [10, 11, np.nan, np.nan, np.nan, 12])
    assert notes == ["A: 2 closes without volume and without change taken as no trade"]
    changed = part.assign(close=[10.0, 11, 12, 11, 10, 12], adj_close=[10.0, 11, 12, 11, 10, 12])
    assert np.isfinite(closes_of("A", changed)[0][1]).all(), "a half day has a close of its own"
    index = part.assign(volume=0.0)
    assert np.isfinite(closes_of("I", index)[0][1][:4]).all(), "an index has no volume"
    with pytest.raises(DataError, match="two prices on one date"):
        closes_of("A", pd.concat([part, part.iloc[:1]]))


@given(st.data())
def test_days_taken_in_blocks_are_those_taken_one_by_one(data: st.DataObject) -> None:
    """Whatever calendars leave out, wherever day 0 is, with and without days between the two
    windows."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    T, n, apart = 40, 12, data.draw(st.integers(0, 3))
    sessions = np.arange("2020-01-01", "2020-02-10", dtype="datetime64[D]")
    calendars = {
        "all": np.arange(T), "late": np.arange(11, T), "holed": np.flatnonzero(rng.random(T) < 0.9),
        "none": np.empty(0, np.int64),
    }  # fmt: skip
    named = data.draw(
        st.lists(st.sampled_from(list(calendars)), min_size=1, max_size=4, unique=True)
    )
    names = [named[i] for i in rng.integers(0, len(named), n)]
    values, spans = rng.normal(0, 0.1, (3, T)), np.ones((3, T), np.int16)
    panel = ReturnsPanel(
        keys=tuple((row, "all") for row in "ABC"), values=values, spans=spans, sessions=sessions,
        calendars=calendars,
    )  # fmt: skip
    rows, day0 = rng.integers(-1, 3, n), sessions[rng.integers(0, T, n)]
    windows = build_windows(
        panel, calendars=names, day0=day0, rows=rows, factor_rows=np.full((n, 1), 2),
        estimation=Window(-5 - apart, -3 - apart), event=Window(-2, 2),
    )  # fmt: skip
    days = [*range(-5 - apart, -2 - apart), *range(-2, 3)]
    for i, name in enumerate(names):
        own = calendars[name]
        zero = np.searchsorted(sessions[own], day0[i])
        for j, day in enumerate(days):
            inside = zero < len(own) and day0[i] >= sessions[own[0]] and 0 <= zero + day < len(own)
            column = own[zero + day] if inside else -1
            firm = values[rows[i], column] if inside and rows[i] >= 0 else np.nan
            index = values[2, column] if inside else np.nan
            if np.isnan(firm) or np.isnan(index):
                firm = np.nan
            np.testing.assert_array_equal(windows.returns[i, j], firm)
            if np.isfinite(firm):
                assert windows.factors[i, j, 0] == index
                assert windows.positions[i, j] == column
