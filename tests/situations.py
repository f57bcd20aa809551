"""Studies with events on given sessions, and what a diagnosis says of one test."""

from __future__ import annotations

import pandas as pd
from conftest import Market

from eventstudy.analysis import Diagnosis
from eventstudy.analysis.answer.diagnosis import Opinion

DISPERSED = [150 + 4 * i for i in range(10)]
GROUPS = [150 + 5 * (i % 7) for i in range(21)]
CLOSE = [150 + i // 3 for i in range(24)]
ONE = [170] * 15


def placed(at: list[int], **options: float) -> Market:
    """Return a market with event i on session at[i]."""
    market = Market(n=len(at), **options)  # type: ignore[arg-type]
    market.table["day0"] = market.frame.index[at]
    return market


def noisy(market: Market, factor: float) -> pd.DataFrame:
    """Return the market with abnormal returns `factor` times as large around the events."""
    frame = market.frame.copy()
    for ticker, day in zip(market.table["ticker"], market.table["day0"], strict=True):
        at = frame.index.get_loc(day)
        rows = frame.index[at - 5 : at + 6]
        frame.loc[rows, ticker] = frame.loc[rows, "MKT"] + factor * (
            frame.loc[rows, ticker] - frame.loc[rows, "MKT"]
        )
    return frame


def trust(diagnosis: Diagnosis) -> dict[str, str]:
    return {v.test: v.trust for v in diagnosis.opinions}


def opinion(diagnosis: Diagnosis, test: str) -> Opinion:
    return next(v for v in diagnosis.opinions if v.test == test)
