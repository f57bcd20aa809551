"""The real Yahoo, asked for six symbols: only with ``pytest -m live``, on a machine with a network."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from eventstudy.errors import UnreachableError
from eventstudy.prices import Prices, resolve

FIRST, LAST = date(2019, 5, 6), date(2019, 6, 5)
SYMBOLS = ["002415.SZ", "399001.SZ", "000063.SZ", "0763.HK", "NVDA", "^GSPC"]


@pytest.fixture(scope="module")
def answer() -> Prices:
    try:
        return resolve("yahoo").fetch(SYMBOLS, FIRST, LAST)
    except UnreachableError as error:
        pytest.skip(f"no network: {error}")


@pytest.mark.live
def test_every_symbol_has_closes(answer: Prices) -> None:
    assert not answer.failures
    for symbol in SYMBOLS:
        rows = answer.table[answer.table["symbol"] == symbol]
        assert 20 <= len(rows) <= 23, symbol
        assert (rows["close"] > 0).all(), symbol


@pytest.mark.live
def test_the_first_case_fell_by_what_the_press_printed(answer: Prices) -> None:
    """Hikvision lost 5.5% on 22 May 2019 (press reports of the day)."""
    rows = answer.table[answer.table["symbol"] == "002415.SZ"].set_index("date")
    days = rows.index.to_numpy().astype("datetime64[D]")
    day = int(np.flatnonzero(days == np.datetime64("2019-05-22"))[0])
    close = rows["adj_close"].to_numpy(float)
    assert close[day] / close[day - 1] - 1 == pytest.approx(-0.055, abs=0.002)
