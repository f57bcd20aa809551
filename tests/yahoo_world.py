"""What Yahoo has of the symbols of events.csv: its ranges, holes and odd rows, on seeded paths.

Dates and holes are those of recorded downloads; no price is. A symbol that is not here is one that
Yahoo does not know any more: all of Moscow (``*.ME``), and firms that were taken over, such as
ACIA.
"""

from __future__ import annotations

import csv
import zlib
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
from conftest import ROOT
from yahoo_standin import Row, Series

from eventstudy.calendars import Sessions, Symbol
from eventstudy.calendars.exchanges import EXCHANGES

START, END = "2011-01-03", "2026-06-30"
# First close of what begins later, or earlier, than the others.
FIRST = {
    "000300.SS": "2021-03-11", "399001.SZ": "1997-08-22", "000001.SS": "1997-07-02",
    "ASHR": "2013-11-06",
    "300188.SZ": "2011-03-16", "601800.SS": "2012-03-09", "603019.SS": "2014-11-06",
    "300676.SZ": "2017-07-14", "603260.SS": "2017-10-30", "603259.SS": "2018-05-08",
    "300750.SZ": "2018-06-11", "603236.SS": "2019-07-16", "688012.SS": "2019-07-22",
    "688981.SS": "2020-07-16", "688072.SS": "2022-04-20", "688047.SS": "2022-06-24",
    "301269.SZ": "2022-07-29", "688041.SS": "2022-08-12", "1810.HK": "2018-07-09",
    "2359.HK": "2018-12-13",
    "2269.HK": "2017-06-13", "META": "2012-05-18", "AMBA": "2012-10-10", "BABA": "2014-09-19",
    "QRVO": "2015-01-02", "LITE": "2015-07-23", "9988.HK": "2019-11-26", "MP": "2020-11-18", "HSAI": "2023-02-09",
}  # fmt: skip
INDICES = {
    "^GSPC": "", "^HSI": "HK", "^TWII": "TW", "^FTSE": "L", "^KS11": "KS", "^AEX": "AS",
    "XU100.IS": "IS",
    "^NSEI": "NS", "^FCHI": "PA", "^ATX": "VI", "^OMXC25": "CO", "^N225": "T",
    "000300.SS": "SS", "399001.SZ": "SZ", "000001.SS": "SS",
}  # fmt: skip
FUNDS = ("ASHR", "SPY", "2800.HK")
GONE = ("ACIA",)
# Suspended: each session has a row with the last close and no volume.
SUSPENDED = {
    "0763.HK": [("2016-03-07", "2016-04-06"), ("2018-04-17", "2018-06-12")],
    "000063.SZ": [
        ("2016-03-07", "2016-04-06"), ("2017-03-08", "2017-03-15"), ("2017-04-20", "2017-04-24"),
        ("2018-04-17", "2018-06-12"),
    ],
}  # fmt: skip
# Suspended, and without a row.
ABSENT = dict.fromkeys(("002415.SZ", "002236.SZ"), ("2019-10-08", "2019-10-09"))
# Hong Kong was shut by a typhoon: rows of its shares are copied from the day before.
TYPHOONS = ("2016-08-02", "2016-10-21", "2017-08-23")
# These indices lack a close on some 170 days: on these, and (where is not recorded) on others
# before 2016.
WITH_BLANKS = ("399001.SZ", "000001.SS")
BLANK, BLANKS = ("2017-08-28", "2017-09-04", "2019-04-29", "2019-04-30"), 170
SPLITS = {
    "AAPL": {date(2020, 8, 31): (4, 1)}, "AMZN": {date(2022, 6, 6): (20, 1)},
    "GOOG": {date(2022, 7, 18): (20, 1)}, "NVDA": {date(2021, 7, 20): (4, 1)},
}  # fmt: skip


def world() -> list[Series]:
    """Return every symbol that events.csv needs and Yahoo has, and what can stand in for an
    index."""
    with (ROOT / "events.csv").open(encoding="utf-8") as file:
        firms = {row["ticker"] for row in csv.DictReader(file)}
    names = sorted({*firms, *INDICES, *FUNDS} - set(GONE))
    return [series(name) for name in names if Symbol(name).suffix != "ME"]


def series(symbol: str) -> Series:
    """Return one symbol: the path of its market and noise of its own, the same for the same
    symbol."""
    home = INDICES.get(symbol, Symbol(symbol).suffix)
    market, draw = _market(EXCHANGES[home].calendar or ""), _draws(symbol)
    market = market[FIRST.get(symbol, START) : END]
    wide = symbol in INDICES or symbol in FUNDS
    noise = draw.normal(0, 0.002 if wide else 0.018, len(market))
    close = (40 * np.exp((market * (1 if wide else 1.1) + noise).cumsum())).round(4)
    table = pd.DataFrame({"close": close, "volume": draw.integers(10**5, 10**7, len(market))})
    table = _without_trade(symbol, table)
    if home == "HK" and not wide:
        table = _of_hong_kong(table)
    if symbol in WITH_BLANKS:
        early = table.index[table.index < "2016"]
        table.loc[draw.choice(early, BLANKS - len(BLANK), replace=False), "close"] = np.nan
        table.loc[list(BLANK), "close"] = np.nan
    kind = "INDEX" if symbol in INDICES else "EQUITY"
    return Series(symbol, _rows(table), splits=SPLITS.get(symbol, {}), instrument=kind, home=home)


def _draws(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


@cache
def _market(calendar: str) -> pd.Series[float]:
    """Return the returns that the shares of a market have in common, on all its sessions."""
    days = pd.DatetimeIndex(Sessions.of(calendar).dates)
    return pd.Series(_draws(calendar).normal(0.0002, 0.011, len(days)), days)


def _without_trade(symbol: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with those of suspensions flat, or gone."""
    for first, last in SUSPENDED.get(symbol, ()):
        before = table["close"][:first].iloc[-2]
        table.loc[first:last] = before, 0
    absent = table.loc[slice(*ABSENT[symbol])].index if symbol in ABSENT else []
    return table.drop(absent)


def _of_hong_kong(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with copies on days of typhoons, and no volume on half days, which have
    closes."""
    shut = pd.DatetimeIndex([day for day in TYPHOONS if table.index[0] < pd.Timestamp(day)])
    table = table.reindex(table.index.union(shut)).ffill()
    half = (table.index.month == 12) & table.index.day.isin([24, 31])
    table.loc[half | table.index.isin(shut), "volume"] = 0
    return table


def _rows(table: pd.DataFrame) -> list[Row]:
    """Return the rows with a high and a low; one without a close is blank, one without trade is
    flat."""
    out: list[Row] = []
    days = [stamp.date() for stamp in table.index]
    for day, close, volume in zip(
        days, table["close"].tolist(), table["volume"].tolist(), strict=True
    ):
        if close != close:
            out.append((day, None, None, None, None, None))  # type: ignore[arg-type]
        else:
            edge = round(close * 0.01, 4) if volume else 0.0
            out.append((day, close, close + edge, close - edge, close, int(volume)))
    return out
