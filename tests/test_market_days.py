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
from eventstudy.calendars.sessions import sessions
from eventstudy.calendars.window import Window
from eventstudy.findings.finished_run import findings_of
from eventstudy.report.sections.answer import split_answer
from eventstudy.studies import EventStudyResults

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
    dates = sessions(calendar).dates
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
