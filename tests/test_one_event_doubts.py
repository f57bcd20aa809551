"""The first paragraph of one event: closes at a limit, and falls that may be dividends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED
from pages import findings

from eventstudy.events import events_from_frame
from eventstudy.findings import Findings
from eventstudy.report.sentences.answer import split_answer
from eventstudy.report.sentences.caveats import headline
from eventstudy.returns import load_returns
from eventstudy.studies import EventStudy

DOORS = SHARED / "market-data" / "doors" / "prices"


def of_one(ticker: str, announced: str, prices: Path | pd.DataFrame = DOORS) -> Findings:
    news = pd.DataFrame({"ticker": [ticker], "announced_at": [announced]})
    events = events_from_frame(news)
    return findings(EventStudy(events, load_returns(events, prices)).fit())


@pytest.mark.skipif(not DOORS.is_dir(), reason="no recorded prices here")
@pytest.mark.parametrize(
    ("ticker", "announced", "day"),
    [
        ("2330.TW", "2025-04-02T16:10-04:00", "2025-04-07"),
        ("HALKB.IS", "2025-10-06T09:30-04:00", "2025-10-06"),
        ("HALKB.IS", "2023-04-19T10:15-04:00", "2023-04-19"),
    ],
)
def test_a_close_at_the_limit_stands_in_the_first_sentence(
    ticker: str, announced: str, day: str
) -> None:
    found = of_one(ticker, announced)
    assert found.sample.limit_days == (day,)
    head = split_answer(found)[0].replace("\xa0", " ")
    assert f"{ticker}, at its price limit on {pd.Timestamp(day):%-d %b %Y}," in head


def a_share(fall: float, *, raw: bool, news: float = 0.0) -> pd.DataFrame:
    """A share and its index; the share opens lower on row 300."""
    rng, n = np.random.default_rng(5), 360
    market = rng.normal(0, 0.01, n)
    frames = []
    for symbol, own in (("AAA", rng.normal(0, 0.008, n)), ("^GSPC", np.zeros(n))):
        moves = market + own
        close = 100 * np.exp(np.cumsum(moves))
        start = np.r_[100.0, close[:-1]] * np.exp(rng.normal(0, 0.003, n))
        if symbol == "AAA":
            close[300:] *= 1 - fall
            start[300:] *= 1 - fall
            close[300:] *= 1 - news
        adjusted = np.full(n, np.nan) if raw and symbol == "AAA" else close
        frames.append(pd.DataFrame({
            "symbol": symbol, "date": pd.bdate_range("2023-01-02", periods=n), "open": start,
            "high": np.maximum(start, close) * 1.002, "low": np.minimum(start, close) * 0.998,
            "close": close, "adj_close": adjusted, "volume": rng.integers(1000, 9000, n),
        }))  # fmt: skip
    return pd.concat(frames)


def doubted(prices: pd.DataFrame) -> list[str]:
    """Return the days on which the share fell as by a dividend."""
    panel = load_returns(events_from_frame(pd.DataFrame(NEWS)), prices)
    return [fault.date for fault in panel.faults if fault.kind == "suspect_dividend"]


DAY = f"{pd.bdate_range('2023-01-02', periods=360)[300]:%Y-%m-%d}"
NEWS = {"ticker": ["AAA"], "announced_at": [DAY]}


@pytest.mark.parametrize(
    ("fall", "raw", "is_doubted"),
    [(0.06, True, True), (0.06, False, False), (0.01, True, False), (-0.06, True, False)],
)
def test_only_falls_at_the_open_of_closes_without_adjustment_may_be_dividends(
    fall: float, raw: bool, is_doubted: bool
) -> None:
    assert doubted(a_share(fall, raw=raw)) == ([DAY] if is_doubted else [])


def test_a_fall_within_the_session_is_no_dividend() -> None:
    assert doubted(a_share(0.0, raw=True, news=0.06)) == []


@pytest.mark.parametrize(("column", "factor"), [("volume", 8), ("high", 1.05), ("low", 0.95)])
def test_a_fall_with_the_volume_or_the_range_of_news_is_no_dividend(
    column: str, factor: float
) -> None:
    prices = a_share(0.06, raw=True).astype({"volume": float})
    prices.loc[prices["date"] == DAY, column] *= factor
    assert doubted(prices) == []


@pytest.mark.parametrize("columns", [["volume"], ["high", "low"]])
def test_without_volume_or_range_nobody_can_tell(columns: list[str]) -> None:
    assert doubted(a_share(0.06, raw=True).assign(**dict.fromkeys(columns, np.nan))) == []


def test_a_fall_that_may_be_a_dividend_stands_in_the_faults_alone() -> None:
    """Too many of them are news (benchmarks/dividends.py)."""
    found = of_one("AAA", DAY, a_share(0.06, raw=True))
    assert not [flag for flag in found.used[0].flags if flag.startswith("suspect")]
    assert "dividend" not in headline(found)
    assert "%" in split_answer(found)[0]
