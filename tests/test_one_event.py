"""One event: its rank, its volatility and its peers beside its t, each by hand in plain numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Market
from pages import findings
from scipy import stats
from violent import k_by_hand

import eventstudy as es
from eventstudy.analysis.answer.one_event import OneEvent
from eventstudy.report import Terminal
from eventstudy.report.sentences.answer import describe_one_event, doubt_variance
from eventstudy.report.sentences.caveats import headline
from eventstudy.studies import EventStudyResults

W = (0, 1)


def alone(effect: float = -0.05, peers: int = 9, seed: int = 3) -> tuple[Market, EventStudyResults]:
    """One firm with an event; the further firms are its peers, and one of them falls as it does."""
    market = Market(1 + peers, dates=1, effect=0.0, seed=seed)
    on = market.frame.index.get_loc(market.table["day0"][0])
    fallen = market.tickers[: min(2, 1 + peers)]
    market.frame.loc[market.frame.index[on], fallen] += effect
    market.table = market.table.head(1).assign(peers=";".join(market.tickers[1:]))
    return market, market.fit()


def regressed(market: Market, ticker: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return X and residuals of the estimation days, and regressors and AR of days -5 to 5."""
    on = market.frame.index.get_loc(market.table["day0"][0])
    y, x = market.frame[ticker].to_numpy(), market.frame["MKT"].to_numpy()
    past, around = slice(on - 120, on - 10), slice(on - 5, on + 6)
    X = np.column_stack([np.ones(110), x[past]])
    beta = np.linalg.lstsq(X, y[past], rcond=None)[0]
    ahead = np.column_stack([np.ones(11), x[around]])
    return X, y[past] - X @ beta, ahead, y[around] - ahead @ beta


def t_by_hand(market: Market, ticker: str) -> float:
    """Return CAR over its standard error, of [0,1], raised by how violent the days were."""
    X, e, ahead, ar = regressed(market, ticker)
    total = ahead[5:7].sum(axis=0)
    variance = e @ e / 108 * (2 + total @ np.linalg.inv(X.T @ X) @ total)
    on = market.frame.index.get_loc(market.table["day0"][0])
    y, x = market.frame[ticker].to_numpy(), market.frame["MKT"].to_numpy()
    beta = np.linalg.lstsq(X, y[on - 120 : on - 10], rcond=None)[0]
    k = k_by_hand(X, y, x, beta, e @ e / 108, on)
    return float(ar[5:7].sum() / np.sqrt(k * variance))


def found_of(results: EventStudyResults) -> OneEvent:
    found = results.answer(W).overturn.one_event
    assert found is not None
    return found


@pytest.mark.parametrize("effect", [-0.05, 0.01, 0.0])
def test_rank_among_earlier_windows(effect: float) -> None:
    """Each window of two estimation days against a regression without these days."""
    market, results = alone(effect)
    X, _, _, ar = regressed(market, market.tickers[0])
    on = market.frame.index.get_loc(market.table["day0"][0])
    y, car, sums = market.frame[market.tickers[0]].to_numpy()[on - 120 : on - 10], ar[5:7].sum(), []
    for first in range(109):
        others = np.delete(np.arange(110), [first, first + 1])
        beta = np.linalg.lstsq(X[others], y[others], rcond=None)[0]
        sums.append((y - X @ beta)[first : first + 2].sum())
    as_far = sum(s <= car if car < 0 else s >= car for s in sums)
    found = found_of(results)
    assert (found.as_far, found.earlier) == (as_far, 109)
    assert found.rank_pvalue == pytest.approx(min(1, 2 * (1 + as_far) / 110))
    assert found.rank_pvalue == results.test("sq", W).pvalue


def test_variance_of_the_firm_on_the_other_days() -> None:
    market, results = alone()
    X, e, ahead, ar = regressed(market, market.tickers[0])
    spread = 1 + np.einsum("ij,jk,ik->i", ahead, np.linalg.inv(X.T @ X), ahead)
    squares = ar**2 / (e @ e / 108 * spread)
    expected = np.delete(squares, [5, 6]).mean()
    assert results.answer(W).overturn.firm_variance == pytest.approx(expected, rel=1e-10)


def test_peers_with_as_large_a_t() -> None:
    market, results = alone()
    own, *others = (abs(t_by_hand(market, ticker)) for ticker in market.tickers)
    found, answer = found_of(results), results.answer(W)
    assert own == pytest.approx(abs(answer.effect.estimate / answer.effect.se), rel=1e-10)
    assert (found.peers_as_far, found.peers) == (sum(t >= own for t in others), 9)
    assert found.peers_as_far >= 1, "one of them fell as much"


def test_a_peer_without_prices_or_with_few_days_is_none() -> None:
    market, _ = alone()
    frame = market.frame.copy()
    frame.loc[frame.index[:120], market.tickers[1]] = np.nan
    market.table = market.table.assign(peers=market.table["peers"][0] + ";NOWHERE")
    assert found_of(market.fit(frame)).peers == 8
    market.table = market.table.assign(peers="")
    assert found_of(market.fit(frame)).peers == 0


def test_of_two_events_with_a_short_history_the_other_one_is_meant() -> None:
    market = Market(2, dates=2, effect=-0.05, seed=3)
    frame = market.frame.copy()
    on = frame.index.get_loc(market.table["day0"][0])
    frame.loc[frame.index[: on - 35], market.tickers[0]] = np.nan
    results = market.fit(frame)
    decided, other = results.answer(W), results.subset([1]).answer(W)
    assert (decided.n_events, decided.n_short) == (1, 1)
    assert decided.overturn.one_event == other.overturn.one_event


def test_of_an_event_window_of_the_two_days_nothing_is_said_of_others() -> None:
    market, _ = alone()
    results = market.fit(event=W)
    answer = results.answer(W)
    assert np.isnan(answer.overturn.firm_variance)
    assert "other days" not in " ".join(doubt_variance(answer))


@pytest.mark.parametrize("effect", [-0.09, -0.03])
def test_report_and_terminal_say_it(effect: float) -> None:
    market, results = alone(effect)
    found, answer = found_of(results), results.answer(W)
    assert len(describe_one_event(answer)) == 2
    assert (answer.verdict == "different") == (effect == -0.09)
    for text in (
        headline(findings(results)),
        " ".join(str(Terminal(findings(results)).text(verbose=True)).split()),
    ):
        assert f"Of 109 earlier windows of the same length, {found.as_far} moved as far" in text
        assert f"Of 9 peers, {found.peers_as_far} moved as much on the same days." in text
        needed, had = np.sqrt([answer.overturn.variance_multiple, answer.overturn.firm_variance])
        would = (
            f"If this share swung {needed:.1f} times as much as usual, as is common on news, this "
            "could be chance. On the other days around the announcement this share swung "
            f"{had:.1f} times as much as usual."
        )
        assert (would in text) == (answer.verdict == "different")
    p = 2 * stats.t.sf(abs(t_by_hand(market, market.tickers[0])), 108)
    assert answer.pvalue == pytest.approx(p, rel=1e-8)


def test_the_sentence_of_one_event_has_no_average() -> None:
    sentence = str(alone()[1].answer(W))
    assert "average" not in sentence
    assert "One announcement: " in sentence


def test_several_events_have_none_of_it() -> None:
    results = Market(2, dates=2).fit()
    assert results.answer(W).overturn.one_event is None
    assert Market(1).fit().answer((0, 0)).overturn.one_event is None, "the main window alone"


@pytest.mark.slow
def test_placebo_firms_of_one_event_compare_its_t() -> None:
    """BMP needs two events; the t of each of 40 peers needs one."""
    market, results = alone(peers=40)
    own = t_by_hand(market, market.tickers[0])
    firms = results.placebo_firms(W)
    assert (firms.test, firms.n_events, firms.reason) == ("event_t_regime", 1, "")
    assert firms.statistic == pytest.approx(own, rel=1e-10)
    known = {round(t_by_hand(market, ticker), 8) for ticker in market.tickers}
    assert set(firms.draws["statistic"].round(8)) <= known


def test_peers_of_a_list_of_one_are_fetched(tmp_path: Path) -> None:
    row = "nvda,NVDA,2022-08-31T16:30-04:00,AAPL;MSFT;GOOG\n"
    (tmp_path / "one.csv").write_text("event_id,ticker,announced_at,peers\n" + row)
    results = es.run_study(tmp_path / "one.csv", es.StudyConfig(prices="sample", calibrate=0))
    assert found_of(results).peers == 3
