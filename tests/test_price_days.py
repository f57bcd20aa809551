"""Stamps of prices with a time: the day is that of the exchange, in tables and in files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import Sessions
from eventstudy.prices.files import FilesProvider, FrameProvider

FIRST, LAST = date(2021, 11, 1), date(2022, 12, 30)
# Share, index, calendar and time zone; Tel Aviv and Riyadh trade on Sundays.
MARKETS = {
    "Hong Kong": ("0700.HK", "^HSI", "XHKG", "Asia/Hong_Kong"),
    "Frankfurt": ("SAP.DE", "^GDAXI", "XFRA", "Europe/Berlin"),
    "London": ("BARC.L", "^FTSE", "XLON", "Europe/London"),
    "New York": ("NVDA", "^GSPC", "XNYS", "America/New_York"),
    "Tel Aviv": ("TEVA.TA", "^TA125.TA", "XTAE", "Asia/Tel_Aviv"),
    "Riyadh": ("2222.SR", "^TASI.SR", "XSAU", "Asia/Riyadh"),
    "Wellington": ("FPH.NZ", "^NZ50", "XNZE", "Pacific/Auckland"),
}


def market(name: str) -> tuple[pd.DataFrame, str, str]:
    """Return closes by the day of the exchange, the day of a fall by 20 %, and the time zone."""
    share, index, calendar, zone = MARKETS[name]
    days = Sessions.of(calendar).dates
    days = days[(days >= np.datetime64(FIRST)) & (days <= np.datetime64(LAST))]
    draws = np.random.default_rng(7).normal(0, 0.01, (2, len(days)))
    fall = len(days) - 20
    draws[1, fall] -= 0.2
    closes = np.exp(np.cumsum([draws[0], draws[0] + draws[1]], axis=1)).T * 50
    table = pd.DataFrame(closes, pd.DatetimeIndex(days.astype("datetime64[ns]")), [index, share])
    return table.rename_axis("date"), str(days[fall]), zone


def shapes_of(table: pd.DataFrame, zone: str) -> dict[str, pd.DataFrame]:
    utc = table.tz_localize(zone).tz_convert("UTC")
    at_close = table.set_axis(table.index + pd.Timedelta(hours=16))
    return {
        "zone of the exchange": table.tz_localize(zone),
        "UTC": utc,
        "UTC without a zone": utc.tz_localize(None),
        "UTC at midnight": table.tz_localize("UTC"),
        "close in UTC": at_close.tz_localize(zone).tz_convert("UTC"),
        "close without a zone": at_close,
        "last first": utc.iloc[::-1],
        "ten rows": utc.tz_localize(None).iloc[-10:],
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", MARKETS)
def test_a_stamp_has_the_day_of_the_exchange(name: str, tmp_path: Path) -> None:
    table, _, zone = market(name)
    symbols = list(table)
    wanted = FrameProvider(table).fetch(symbols, FIRST, LAST)
    for shape, frame in shapes_of(table, zone).items():
        path = tmp_path / f"{shape}.csv"
        frame.to_csv(path, index_label="Date")
        rows = {s: w.tail(len(frame)).reset_index(drop=True) for s, w in wanted.by_symbol().items()}
        for provider in (FrameProvider(frame), FilesProvider(path)):
            prices = provider.fetch(symbols, FIRST, LAST)
            for symbol, given in prices.by_symbol().items():
                pd.testing.assert_frame_equal(given, rows[symbol], check_exact=True, obj=shape)
            notes = {p.note for p in prices.provenance.values()}
            is_said = any(zone in note for note in notes)
            written = frame.index.tz_localize(None).normalize().sort_values()
            assert is_said == (written != table.tail(len(frame)).index).any(), shape


@pytest.mark.parametrize("name", ["Hong Kong", "Frankfurt", "New York"])
def test_the_effect_is_the_same_in_utc(name: str) -> None:
    table, day, zone = market(name)
    news = pd.DataFrame({"ticker": [table.columns[1]], "announced_at": [day]})

    def effect(prices: pd.DataFrame) -> float:
        answer = es.study(news, prices=prices, benchmark=str(table.columns[0]), calibrate=0)
        return float(answer.answer().effect.estimate)

    there = effect(table)
    assert -0.25 < there < -0.15
    utc = table.tz_localize(zone).tz_convert("UTC")
    assert effect(utc) == pytest.approx(there, abs=1e-12)
    assert effect(utc.tz_localize(None)) == pytest.approx(there, abs=1e-12)


def test_one_table_of_several_exchanges_in_utc() -> None:
    tables = {name: market(name) for name in ("Hong Kong", "London", "New York")}
    stamped = [table.tz_localize(zone).tz_convert("UTC") for table, _, zone in tables.values()]
    together = pd.concat(stamped, axis=1, sort=True)
    for table, _, _ in tables.values():
        given = FrameProvider(together).fetch(list(table), FIRST, LAST).by_symbol()
        for symbol, rows in (
            FrameProvider(table).fetch(list(table), FIRST, LAST).by_symbol().items()
        ):
            priced = given[symbol].dropna(subset="adj_close").reset_index(drop=True)
            pd.testing.assert_frame_equal(priced, rows, check_exact=True)


@pytest.mark.parametrize("last", ["Hong Kong", "New York"])
def test_a_union_of_two_zones_keeps_the_prices_of_both(last: str) -> None:
    """pandas joins stamps of two zones in UTC: a day of New York has a blank row of Hong Kong."""
    names = sorted(("Hong Kong", "New York"), key=last.__eq__)
    tables = {name: market(name) for name in names}
    together = pd.concat([t.tz_localize(zone) for t, _, zone in tables.values()], axis=1, sort=True)
    for table, _, _ in tables.values():
        given = FrameProvider(together).fetch(list(table), FIRST, LAST)
        wanted = FrameProvider(table).fetch(list(table), FIRST, LAST).by_symbol()
        for symbol, rows in given.by_symbol().items():
            priced = rows.dropna(subset="adj_close").reset_index(drop=True)
            pd.testing.assert_frame_equal(priced, wanted[symbol], check_exact=True)
            assert "occurs again" not in given.provenance[symbol].note


def test_coins_and_rates_keep_their_days() -> None:
    days = pd.date_range("2022-01-01", "2022-03-31", name="date")
    coin = pd.DataFrame({"BTC-USD": np.arange(1.0, len(days) + 1)}, days)
    for frame in (coin.tz_localize("UTC"), coin.set_axis(days + pd.Timedelta("23:59:00"))):
        rows = FrameProvider(frame).fetch(["BTC-USD"], FIRST, LAST).table
        assert rows["date"].tolist() == days.tolist()
    # Yahoo stamps rates at midnight of London; 23:00 UTC in summer is the next day's.
    summer = pd.date_range("2022-06-01", "2022-06-30", freq="B", name="date")
    rate = pd.DataFrame({"EURUSD=X": np.arange(1.0, len(summer) + 1)}, summer)
    for frame in (
        rate.tz_localize("Europe/London"),
        rate.tz_localize("Europe/London").tz_convert("UTC"),
    ):
        rows = FrameProvider(frame).fetch(["EURUSD=X"], FIRST, LAST).table
        assert rows["date"].tolist() == summer.tolist()


def test_stamps_that_no_zone_explains_are_refused() -> None:
    table, day, _ = market("Hong Kong")
    early = table.set_axis(table.index - pd.Timedelta(days=1))
    news = pd.DataFrame({"ticker": ["0700.HK"], "announced_at": [day]})
    panel = es.load_returns(es.events_from_frame(news), early, benchmark="^HSI")
    assert {reason.code for reason in panel.failures.values()} == {"mostly_closed"}
    assert "XHKG" in panel.failures["0700.HK"]
