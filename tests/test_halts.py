"""Halts, price limits, missing days and several events of one firm: what they do to windows and
variances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED, Market
from hypothesis import given
from hypothesis import strategies as st
from pages import findings

from eventstudy.abnormal import AbnormalReturns
from eventstudy.analysis import ClockAnswers
from eventstudy.analysis.over_time.long_horizon import bhar
from eventstudy.calendars import Window
from eventstudy.dependence.loadings import loadings_on
from eventstudy.events import events_from_frame
from eventstudy.report import Terminal
from eventstudy.report.sentences.caveats import headline
from eventstudy.returns import ReturnsPanel, load_returns
from eventstudy.studies import EventStudy, EventStudyResults
from eventstudy.words import words

DAY, W = Window(0, 0), Window(0, 1)
RESID = np.array([-1, -3, 5, -4, 9, 4, -2, -8]) / 1000
MKT = np.array([1, -1, 2, 0, -2, 1, -1, 0, 1, -2, 1, 0.5]) / 100


def firm_a(ret: list[float], spans: list[int], limits: list[int] | None = None) -> ReturnsPanel:
    """Firm A of the worked example: alpha .001, beta 1.2, s .006 on the first eight of twelve
    sessions."""
    own = np.r_[0.001 + 1.2 * MKT[:8] + RESID, ret]
    sessions = pd.bdate_range("2024-01-01", periods=12).to_numpy().astype("datetime64[D]")
    codes = np.zeros((2, 12), np.int64)
    codes[0, 8:] = limits or 0
    return ReturnsPanel(
        keys=(("A", "data"), ("M", "data")), values=np.vstack([own, MKT]),
        spans=np.vstack([np.r_[np.ones(8, np.int64), spans], np.ones(12, np.int64)]),
        sessions=sessions, calendars={"data": np.arange(12)}, limits=codes,
    )  # fmt: skip


def fitted(panel: ReturnsPanel, **options: object) -> EventStudyResults:
    """Event on session 9 (a Friday); estimation on the first eight sessions."""
    table = pd.DataFrame({"ticker": ["A"], "announced_at": ["2024-01-12"], "benchmark": ["M"]})
    events = events_from_frame(table, calendar="data")
    return EventStudy(events, panel, estimation=(-9, -2), event=(-1, 1), **options).fit()  # type: ignore[arg-type]


HALT: tuple[list[float], list[int]] = ([0.0155, np.nan, -0.0445 + 0.0065, 0.002], [1, 0, 2, 1])


def test_a_halt_on_day_0_by_hand() -> None:
    """Two sessions: x* = (2, -.01), leverage .5833333, V = 9.3e-5, AR = -.028, SAR = -2.9034647."""
    running, moved = fitted(firm_a(*HALT)), fitted(firm_a(*HALT), halt="shift")
    assert not running.abnormal.valid(DAY)[0], "the window ends in the halt"
    assert running.abnormal.car(W)[0] == pytest.approx(-0.028)
    assert moved.abnormal.car(DAY)[0] == pytest.approx(-0.028)
    assert moved.abnormal.var_car(DAY)[0] == pytest.approx(9.3e-5)
    assert moved.abnormal.scar(DAY)[0] == pytest.approx(-2.9034647, abs=1e-7)
    assert moved.abnormal.length[0].tolist() == [1, 2, 1]
    assert np.isnan(bhar(moved, DAY)[0]), "the benchmark moved on the day of the halt as well"
    assert np.isfinite(bhar(moved, Window(-1, -1))[0])
    assert moved.abnormal.ar[0, 0] == pytest.approx(running.abnormal.ar[0, 0]), (
        "tau = -1 is the last session traded"
    )
    assert moved.abnormal.ar[0, 2] == pytest.approx(0.002 - 0.001 - 1.2 * 0.005), (
        "tau = 1 comes after it"
    )
    assert "halt_shifted" in moved.events["flags"][0]
    assert "halt_shifted" not in running.events["flags"][0]


def test_alpha_after_a_halt_is_counted_for_as_many_sessions_as_asked() -> None:
    """x* = (1, -.01), leverage .2083333, V = 7.95e-5, AR = -.038 - .001 + .012 = -.027."""
    once = fitted(firm_a(*HALT), halt="shift", halt_drift=1).abnormal
    assert once.car(DAY)[0] == pytest.approx(-0.027)
    assert once.var_car(DAY)[0] == pytest.approx(7.95e-5)
    assert (loadings_on(once, DAY) ** 2).sum() * once.sigma2[0] == pytest.approx(7.95e-5)
    none = fitted(firm_a(*HALT), halt="shift", halt_drift=0).abnormal
    assert none.car(DAY)[0] == pytest.approx(-0.026)
    assert none.ar[0, [0, 2]] == pytest.approx(once.ar[0, [0, 2]]), "other days have their alpha"
    running = [fitted(firm_a(*HALT), halt_drift=n).abnormal for n in (0, 5)]
    np.testing.assert_array_equal(running[0].ar, running[1].ar)
    np.testing.assert_array_equal(running[0].var_ar, running[1].var_ar)


def test_two_events_in_one_halt_are_one_return_which_counts_once() -> None:
    """Halted on sessions 9 and 10: both events move to session 11, and the second one leaves the
    study."""
    panel = firm_a([0.0155, np.nan, np.nan, -0.04], [1, 0, 0, 3])
    table = pd.DataFrame({
        "event_id": ["first", "second"], "ticker": "A",
        "announced_at": ["2024-01-12", "2024-01-15"],
        "benchmark": "M",
    })  # fmt: skip
    events = events_from_frame(table, calendar="data")
    for repeat in ("mask", "first", "keep-all"):
        around = {"estimation": (-9, -2), "event": (-1, 0)}
        results = EventStudy(events, panel, halt="shift", repeat=repeat, **around).fit()
        assert results.events["status"].tolist() == ["ok", "dropped"]
        assert results.events["reason"][1] == (
            "part of event first: both are counted from the session on which trading resumed"
        )
        assert len(results) == 1
        days = results.events["day0"].dt.strftime("%F").tolist()
        assert days == ["2024-01-16", "2024-01-15"], "a dropped event keeps the day of the list"
    alone = EventStudy(replace(events, table=events.table[:1]), panel, halt="shift", **around).fit()
    np.testing.assert_array_equal(results.abnormal.ar[0], alone.abnormal.ar[0])


def test_a_clock_without_halts_is_the_calendar() -> None:
    market = Market(n=6, seed=2)
    one, other = market.fit().abnormal, market.fit(halt="shift").abnormal
    np.testing.assert_array_equal(one.ar, other.ar)


LIMIT: tuple[list[float], list[int], list[int]] = (
    [0.01, -0.10, -0.10, -0.03],
    [1, 1, 1, 1],
    [0, -1, -2, 0],
)


def test_a_close_at_a_limit_is_joined_with_the_sessions_until_a_free_one() -> None:
    """Three sessions as one return: compounded firm, summed market, n = 3 in mean and variance."""
    a = fitted(firm_a(*LIMIT)).abnormal
    total, market = 0.9 * 0.9 * 0.97 - 1, MKT[9:12].sum()
    car = total - 3 * 0.001 - 1.2 * market
    x = np.array([3, market])
    variance = 3.6e-5 * (3 + x @ np.diag([1 / 8, 1 / 12e-4]) @ x)
    assert a.car(DAY)[0] == pytest.approx(car)
    assert a.var_car(DAY)[0] == pytest.approx(variance)
    assert a.car(W)[0] == a.car(DAY)[0], "the same sessions are the same return"
    assert a.var_car(W)[0] == a.var_car(DAY)[0]
    assert a.car(Window(1, 1))[0] == pytest.approx(
        0.9 * 0.97 - 1 - 2 * 0.001 - 1.2 * MKT[10:12].sum()
    )
    assert a.car(Window(-1, -1))[0] == a.ar[0, 0], "a window that closes freely is left alone"
    plain = a.under(limits="none")
    assert plain.car(DAY)[0] == a.ar[0, 1] == pytest.approx(-0.10 - 0.001 + 1.2 * 0.02)
    assert plain.var_car(DAY)[0] < a.var_car(DAY)[0]
    assert not a.under(limits="drop").valid(DAY)[0]
    assert a.under(limits="drop").valid(Window(-1, -1))[0]


DAY_OF_A_RUN = st.tuples(
    st.sampled_from([-0.2, -0.1, 0.0, 0.04, 0.1]), st.sampled_from([0, 0, -1, 1, -2]), st.booleans()
)


def paths_by_hand(
    returns: list[float], at_limit: list[bool], start: int, stop: int
) -> tuple[list[int], float] | None:
    """Return the sessions that a window covers, and its return, by a walk from day to day; None
    where the data end before a close off the limit. A session without trade has a NaN."""
    sessions, total, t = list[int](), 0.0, start
    while t <= stop:
        grown, is_open = 1.0, True
        while is_open:
            if t == len(returns):
                return None
            sessions.append(t)
            is_traded = np.isfinite(returns[t])
            grown *= 1 + (returns[t] if is_traded else 0.0)
            is_open = at_limit[t] or not is_traded
            t += 1
        total += grown - 1
    return sessions, total


@pytest.mark.slow
@given(st.lists(DAY_OF_A_RUN, min_size=12, max_size=12))
def test_windows_that_cover_the_same_sessions_give_the_same_number(
    days: list[tuple[float, int, bool]],
) -> None:
    """Limit days, free days and days without trade in any order, from day 0 on."""
    returns, spans, codes = list[float](), list[int](), list[int]()
    closed = 0
    for k, (move, code, is_halted) in enumerate(days):
        # A halt begins after a trade, so that each return lies within the windows from day 0 on.
        is_closed = is_halted and k > 0 and closed < 3
        closed = closed + 1 if is_closed else 0
        returns.append(np.nan if is_closed else move)
        spans.append(0 if is_closed else 1)
        codes.append(0 if is_closed else code)
    for k, span in enumerate(spans):
        back = 0
        while span and k - back - 1 >= 0 and spans[k - back - 1] == 0:
            back += 1
        spans[k] = span + back if span else 0
    market = np.r_[MKT, MKT[::-1]]
    frame = np.r_[0.001 + 1.2 * MKT[:8] + RESID, returns]
    sessions = pd.bdate_range("2024-01-01", periods=20).to_numpy().astype("datetime64[D]")
    limits = np.zeros((2, 20), np.int64)
    limits[0, 8:] = codes
    panel = ReturnsPanel(
        keys=(("A", "data"), ("M", "data")), values=np.vstack([frame, market[:20]]),
        spans=np.vstack([np.r_[np.ones(8, np.int64), spans], np.ones(20, np.int64)]),
        sessions=sessions, calendars={"data": np.arange(20)}, limits=limits,
    )  # fmt: skip
    table = pd.DataFrame({"ticker": ["A"], "announced_at": ["2024-01-11"], "benchmark": ["M"]})
    events = events_from_frame(table, calendar="data")
    a = EventStudy(events, panel, estimation=(-8, -1), event=(0, 4)).fit().abnormal
    seen: dict[tuple[int, ...], tuple[float, float]] = {}
    for start in range(5):
        for stop in range(start, 5):
            window = Window(start, stop)
            found = paths_by_hand(returns, [code != 0 for code in codes], start, stop)
            if not a.valid(window)[0]:
                continue
            assert found is not None
            covered, total = found
            expected = len(covered) * 0.001 + 1.2 * market[[8 + t for t in covered]].sum()
            assert a.car(window)[0] == pytest.approx(total - expected, abs=1e-12)
            assert a.sessions_of(window)[0][0] == len(covered)
            numbers = a.car(window)[0], a.var_car(window)[0]
            assert seen.setdefault(tuple(covered), numbers) == numbers


def test_without_a_close_off_the_limit_the_event_leaves_the_window() -> None:
    returns, spans, _ = LIMIT
    results = fitted(firm_a(returns, spans, [0, -1, -1, -1]))
    assert not results.abnormal.valid(DAY)[0]
    assert results.abnormal.valid(Window(-1, -1))[0]
    assert "price_limit" in results.events["flags"][0]


@pytest.mark.parametrize("case", ["halt", "limit", "rescale"])
def test_loadings_have_the_length_of_the_variance(case: str) -> None:
    """|a|^2 s2 = Var(CAR) also where the CAR covers sessions beside the days of the window."""
    if case == "limit":
        a = fitted(firm_a(*LIMIT)).abnormal
        assert a.hidden(DAY)[0][1].tolist() == [10, 11]
    else:
        a = fitted(firm_a(*HALT), halt="shift" if case == "halt" else "calendar").abnormal
        a = a if case == "halt" else a.under(missing="zero")
    window = DAY if case != "rescale" else Window(-1, 0)
    loading = loadings_on(a, window)
    if case == "halt":
        # The compounded return is one draw of variance n s2: n sessions of weight 1.
        assert a.hidden(DAY)[0][1].tolist() == [9]
    assert (loading**2).sum() * a.sigma2[0] == pytest.approx(a.var_car(window)[0], rel=1e-10)


def test_missing_days_are_rescaled_or_left_out_and_never_filled() -> None:
    a = fitted(firm_a(*HALT)).abnormal
    window = Window(-1, 0)
    assert np.isnan(a.car(window)[0])
    zero, rescaled = a.under(missing="zero"), a.under(missing="rescale")
    assert zero.car(window)[0] == a.ar[0, 0]
    assert rescaled.car(window)[0] == pytest.approx(2 * a.ar[0, 0])
    assert rescaled.var_car(window)[0] == pytest.approx(4 * zero.var_car(window)[0])
    assert rescaled.scar(window)[0] == pytest.approx(zero.scar(window)[0])
    assert np.isnan(a.under(missing="zero").car(DAY)[0]), "nothing to go by"


def test_other_events_of_the_firm_are_masked_from_the_estimation_window() -> None:
    """The second event is estimated as if the first one's window were missing from the data."""
    market = Market(n=2, seed=4, days=400, dates=2)
    index = market.frame.index
    market.table = market.table.assign(
        ticker="F00", day0=index[[220, 300]], announced_at=index[[220, 300]].strftime("%F")
    )
    masked, kept = market.fit(), market.fit(repeat="keep-all")
    assert masked.events["nobs"].tolist() == [110, 110 - 11]
    assert kept.events["nobs"].tolist() == [110, 110]
    assert masked.events["flags"].str.contains("masked_days").tolist() == [False, True]
    frame = market.frame.copy()
    frame.iloc[215:226, 0] = np.nan
    market.table = market.table.iloc[[1]].reset_index(drop=True)
    np.testing.assert_allclose(masked.abnormal.ar[1], market.fit(frame).abnormal.ar[0], rtol=1e-12)


def test_overlapping_events_of_a_firm_are_told_and_the_first_can_be_kept() -> None:
    market = Market(n=3, seed=4, days=400, dates=3)
    index = market.frame.index
    at = [220, 226, 300]
    market.table = market.table.assign(
        ticker="F00", day0=index[at], announced_at=index[at].strftime("%F")
    )
    flags = market.fit().events["flags"]
    assert flags.str.contains("overlapping_event").tolist() == [False, True, False]
    first = market.fit(repeat="first").events
    assert first["status"].tolist() == ["ok", "dropped", "ok"]
    assert first["reason"][1] == "within the event window of event e0 of the same firm"


def test_bmp_kp_over_windows_that_are_extended() -> None:
    """All firms of one date locked on day 0: the correlation is that of windows that cover day 1 as
    well."""
    market = Market(n=10, seed=7, dates=1, rho=0.4)
    events = market.fit().events
    frame, panel = market.frame, ReturnsPanel.from_frame(market.frame)
    at = frame.index.get_loc(events["day0"][0])
    codes = np.zeros(panel.values.shape, np.int64)
    codes[:10, at] = -1
    extended = EventStudy(
        events_from_frame(market.table.assign(announced_at=market.table["announced_at"]), calendar="data"),
        replace(panel, limits=codes), estimation=(-120, -11), event=(-5, 5),
    ).fit()  # fmt: skip
    plain = market.fit()
    for window, longer in ((DAY, W), (Window(-1, 0), Window(-1, 1))):
        np.testing.assert_allclose(
            extended.abnormal.var_car(window), plain.abnormal.var_car(longer), rtol=1e-12
        )
        one, other = extended.test("patell_kp", window), plain.test("patell_kp", longer)
        # The compounded return is the sum but for products of returns.
        assert one.statistic == pytest.approx(other.statistic, rel=0.05)
    assert extended.test("cda", DAY).statistic == pytest.approx(plain.test("cda", DAY).statistic)
    assert extended.test("corrado", DAY).statistic == pytest.approx(
        plain.test("corrado", DAY).statistic
    )


@pytest.mark.skipif(not (SHARED / "market-data").is_dir(), reason="no market data")
def test_the_suspension_of_zte_in_hong_kong() -> None:
    """57 days recorded as flat rows without volume: CAR[-1,1] is far below zero, not +0.9 %.

    -54.8 % in log returns with the intercept counted once.
    """
    table = pd.DataFrame(
        {"ticker": ["0763.HK"], "announced_at": ["2018-04-17"], "benchmark": ["^HSI"]}
    )
    events = events_from_frame(table)
    panel = load_returns(
        events, SHARED / "market-data" / "prices", estimation=(-250, -11), kind="log"
    )
    study = EventStudy(events, panel, estimation=(-250, -11), halt="shift", halt_drift=1)
    a = study.fit().abnormal
    sessions = int(a.length[0, 10])
    assert sessions > 30
    once = a.car(Window(-1, 1))[0]
    assert once == pytest.approx(-0.548, abs=0.002)
    full = replace(study, halt_drift=sessions).fit().abnormal.car(Window(-1, 1))[0]
    assert full == pytest.approx(once - (sessions - 1) * a.params[0, 0])
    running = EventStudy(events, panel, estimation=(-250, -11)).fit()
    assert not running.abnormal.valid(Window(-1, 1))[0]


@pytest.mark.skipif(not (SHARED / "market-data").is_dir(), reason="no market data")
@pytest.mark.parametrize("folder", ["prices", "prices-as-recorded"])
def test_eight_limit_days_of_zte_are_one_return_in_every_window(folder: str) -> None:
    """Resumed on 2018-06-13, at the limit to 06-25, free on 06-26: 31.31 yuan became 12.65."""
    closes = pd.read_csv(SHARED / "market-data" / folder / "000063.SZ.csv")
    index = pd.read_csv(SHARED / "market-data" / "prices" / "399001.SZ.csv")
    frames = [closes.assign(symbol="000063.SZ"), index.assign(symbol="399001.SZ")]
    prices = pd.concat(frames)
    table = pd.DataFrame(
        {"ticker": ["000063.SZ"], "announced_at": ["2018-04-17"], "benchmark": ["399001.SZ"]}
    )
    events = events_from_frame(table)
    study = EventStudy(events, load_returns(events, prices), halt="shift").fit()
    a = study.abnormal
    cars = {(a.car(Window(0, t))[0], a.var_car(Window(0, t))[0]) for t in range(8)}
    assert len(cars) == 1
    before, after = (
        closes.set_index("date")["adj_close"][day] for day in ("2018-04-16", "2018-06-26")
    )
    assert a.car(DAY)[0] + _expected(a) == pytest.approx(after / before - 1, abs=1e-9)


def _expected(a: AbnormalReturns) -> float:
    """Return the normal return of the run that begins on day 0."""
    assert a.runs is not None
    x = a.runs.x[0, -a.event.start]
    return float(x @ a.params[0])


def test_an_overlap_with_an_event_that_was_left_out_does_not_count() -> None:
    """Events at 200, 208 and 216 with windows of five days: the third is clear of the first."""
    market = Market(n=3, seed=4, days=400, dates=3)
    days = market.frame.index[[200, 208, 216]]
    market.table = market.table.assign(ticker="F00", day0=days, announced_at=days.strftime("%F"))
    assert market.fit(repeat="first").events["status"].tolist() == ["ok", "dropped", "ok"]


def test_a_left_out_event_was_news_all_the_same() -> None:
    market = Market(n=3, seed=4, days=400, dates=3)
    days = market.frame.index[[200, 208, 260]]
    market.table = market.table.assign(ticker="F00", day0=days, announced_at=days.strftime("%F"))
    first, mask = market.fit(repeat="first").abnormal, market.fit(repeat="mask").abnormal
    assert first.sigma2[2] == mask.sigma2[2]


def test_a_halt_within_a_run_is_bridged() -> None:
    """Limit down, two sessions halted, a free close: one return over four sessions."""
    returns, spans = [-0.10, np.nan, np.nan, -0.08], [1, 0, 0, 3]
    table = pd.DataFrame({"ticker": ["A"], "announced_at": ["2024-01-11"], "benchmark": ["M"]})
    panel = firm_a(returns, spans, [-1, 0, 0, 0])
    a = EventStudy(
        events_from_frame(table, calendar="data"), panel, estimation=(-8, -1), event=(0, 1)
    ).fit().abnormal  # fmt: skip
    car = 0.9 * 0.92 - 1 - 4 * 0.001 - 1.2 * MKT[8:12].sum()
    assert a.car(DAY)[0] == pytest.approx(car)
    loading = loadings_on(a, DAY)
    assert (loading**2).sum() * a.sigma2[0] == pytest.approx(a.var_car(DAY)[0], rel=1e-10)


def test_masks_hold_for_runs_as_well() -> None:
    market = Market(n=2, seed=4, days=400, dates=2)
    days = market.frame.index[[220, 300]]
    market.table = market.table.assign(ticker="F00", day0=days, announced_at=days.strftime("%F"))
    panel = ReturnsPanel.from_frame(market.frame)
    codes = np.zeros(panel.values.shape, np.int64)
    codes[panel.row("F00", "data"), 300] = -1
    events = events_from_frame(
        market.table[["ticker", "announced_at", "benchmark"]], calendar="data"
    )
    a = (
        EventStudy(events, replace(panel, limits=codes), estimation=(-120, -11), event=(-5, 5))
        .fit()
        .abnormal
    )
    assert a.windows.masked[1] > 0
    assert a.runs is not None
    assert a.runs.noise[1, 5] / a.sigma2[1] == pytest.approx(2.0)


@pytest.mark.slow
def test_long_halts_do_not_make_tests_of_levels_reject() -> None:
    """Half the firms were halted for ten sessions before day 0: under the null few of 40 studies
    reject."""
    rejected = dict.fromkeys(("cda", "placebo_windows"), 0)
    for seed in range(40):
        market = Market(n=12, seed=seed, dates=12)
        frame = market.frame.copy()
        for i in range(6):
            at = frame.index.get_loc(market.table["day0"][i])
            closes = (1 + frame.iloc[:, i]).cumprod()
            closes.iloc[at - 10 : at] = np.nan
            frame.iloc[:, i] = closes.ffill().pct_change().where(closes.notna())
        panel = ReturnsPanel.from_frame(frame)
        spans = panel.spans.copy()
        for i in range(6):
            spans[i, frame.index.get_loc(market.table["day0"][i])] = 11
        events = events_from_frame(
            market.table[["ticker", "announced_at", "benchmark"]], calendar="data"
        )
        study = EventStudy(
            events, replace(panel, spans=spans), estimation=(-120, -11), event=(-5, 5), halt="shift"
        ).fit()
        for name in rejected:
            rejected[name] += study.test(name, DAY).pvalue < 0.05
    assert max(rejected.values()) <= 7, rejected


def suspended(
    n: int = 8, halts: int = 2, length: int = 10, history: int = 120, **options: object
) -> EventStudyResults:
    """Return a study whose first firms are suspended from day 0 on for some sessions.

    They have prices of `history` sessions before it.
    """
    market = Market(n=n, seed=5, dates=n, effect=-0.04)
    frame, at = market.frame.copy(), []
    for i in range(halts):
        day = frame.index.get_loc(market.table["day0"][i])
        closes = (1 + frame.iloc[:, i]).cumprod()
        closes.iloc[day : day + length] = np.nan
        closes.iloc[: max(day - history, 0)] = np.nan
        frame.iloc[:, i] = closes.ffill().pct_change().where(closes.notna())
        at.append(day + length)
    panel = ReturnsPanel.from_frame(frame)
    spans = panel.spans.copy()
    spans[np.arange(halts), at] = length + 1
    events = events_from_frame(
        market.table[["event_id", "ticker", "announced_at", "benchmark"]], calendar="data"
    )
    around = {"estimation": (-120, -11), "event": (-5, 5), **options}
    return EventStudy(events, replace(panel, spans=spans), **around).fit()  # type: ignore[arg-type]


def test_both_clocks_stand_in_the_answer_where_trading_was_suspended() -> None:
    running, moved = suspended(), suspended(halt="shift")
    assert (running.answer(W).n_events, moved.answer(W).n_events) == (6, 8)
    for study in (running, moved):
        both = ClockAnswers.of(study, W)
        assert both is not None
        assert both.n_suspended == 2
        assert repr(both.calendar.to_dict()) == repr(running.answer(W).to_dict())
        assert repr(both.shift.to_dict()) == repr(moved.answer(W).to_dict())
    part = ClockAnswers.of(running.subset([0, 3, 4]), W)
    assert part is not None
    assert repr(part.shift.to_dict()) == repr(moved.subset([0, 3, 4]).answer(W).to_dict())
    assert ClockAnswers.of(running.subset([3, 4]), W) is None
    assert ClockAnswers.of(suspended(halts=0), W) is None


@pytest.mark.slow
def test_the_report_has_both_clocks_in_a_sentence() -> None:
    document = findings(suspended())
    text, halts = headline(document), document.sample.halts
    assert halts is not None
    assert "If the clock of the 2 suspended events starts when trading resumes" in text
    assert f"{words().rough(halts.shift.effect.estimate)} (8 events" in text
    assert "trading resumes" in str(Terminal(document).text(verbose=True))
    assert "suspended" not in headline(findings(suspended(halts=0)))
    short = findings(suspended(history=60))
    halts = short.sample.halts
    assert halts is not None
    assert (halts.n_suspended, halts.n_short) == (2, 2)
    assert "2 suspended events have too few complete estimation days" in headline(short)
    assert "0 suspended" not in headline(short)


@pytest.mark.slow
def test_the_page_of_an_event_says_how_much_alpha_is_left_out() -> None:
    study = suspended(halt="shift")
    detail = findings(study, event_pages=9).events[0].detail
    assert detail is not None
    facts = detail.halt_drift.facts
    assert (facts["counted"], facts["n"]) == (5, 6)
    assert facts["value"] == pytest.approx(6 * study.models()["alpha"][0])
    full = suspended(halt="shift", halt_drift=11)
    assert full.abnormal.car(DAY)[0] == pytest.approx(study.abnormal.car(DAY)[0] - facts["value"])
    assert not findings(full, event_pages=9).events[0].detail.halt_drift  # type: ignore[union-attr]
