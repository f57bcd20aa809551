"""Announcements before and after the sessions that an exchange has published."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.calendars import Exchange, Sessions
from eventstudy.calendars.schedule import CLOSED, _Line
from eventstudy.utility import Flag

CALENDARS = sorted({e.calendar for e in Exchange.all() if e.kind == "share" and e.calendar})
# Ten years and one more are needed: what is cut off is known.
CUTS = [f"{year}-12-31" for year in range(2004, 2026, 3)]
# Riyadh and Shanghai end at different days; after each the weekdays of the exchange go on.
ENDS = {name: Sessions.of(name).known[1] for name in ("XSHG", "XSES", "XBOM", "XSAU")}


def days_from(first: str | np.datetime64, n: int) -> np.ndarray:
    return np.datetime64(first, "D") + np.arange(n)


def test_assumed_sessions_are_nearly_all_sessions() -> None:
    """The rule is tried on years that are known: each calendar cut at eight ends of a year."""
    assumed = right = real = 0
    for name in CALENDARS:
        line = _Line.of(name)
        for cut in map(np.datetime64, CUTS):
            n = int((cut - line.first).astype(int)) + 1
            if n < 3653:
                continue
            truth = line.letters[n : n + 365] != CLOSED
            shorter = line._replace(letters=line.letters[:n])
            found = shorter._usual(days_from(cut + 1, len(truth)), slice(-3653, None)) != CLOSED
            assumed += found.sum()
            right += (found & truth).sum()
            real += truth.sum()
    assert right / assumed > 0.975
    assert right / real > 0.999


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        # New year, Labour Day, National Day; Republic and Independence Day; national days
        ("XSHG", ["2027-01-01", "2029-05-01", "2031-10-01", "2031-10-02"]),
        ("XBOM", ["2027-01-26", "2028-08-15", "2029-10-02"]),
        ("XSES", ["2027-01-01", "2028-05-01", "2027-08-09"]),
        ("XSAU", ["2031-09-23", "2030-02-22", "2030-01-04"]),
        ("XNYS", ["2037-07-03", "2036-07-04", "2036-12-25"][1:]),
    ],
)
def test_fixed_holidays_and_weekends_stay_closed(name: str, closed: list[str]) -> None:
    sessions = Sessions.of(name)
    days = np.array(closed, "datetime64[D]")
    assert sessions.is_assumed(days).all()
    assert not np.isin(days, sessions.dates).any()


def test_the_hours_are_the_usual_ones_also_after_a_half_day() -> None:
    singapore = Sessions.of("XSES")
    at = np.searchsorted(singapore.dates, ENDS["XSES"] + 1)
    usual = singapore.closes[at - 30 : at - 20] - singapore.dates[at - 30 : at - 20]
    assert (singapore.closes[at] - singapore.dates[at]) == np.median(usual)


def test_a_leap_day_is_a_day_as_others() -> None:
    assert np.datetime64("2028-02-29") in Sessions.of("XSHG").dates


def test_days_of_the_data_take_the_place_of_assumed_ones() -> None:
    shanghai = Sessions.of("XSHG")
    end = shanghai.known[1]
    assumed = shanghai.dates[shanghai.dates > end][:20]
    holiday = assumed[5:10]
    saturday = np.busday_offset(end, 3, roll="forward", weekmask="Sat")
    seen = np.sort(np.append(np.setdiff1d(assumed, holiday), saturday))
    mine = shanghai.observed(np.append(end, seen))
    later = mine.dates[mine.dates > end]
    np.testing.assert_array_equal(later[: len(seen)], seen)
    np.testing.assert_array_equal(later[len(seen) :], shanghai.dates[shanghai.dates > assumed[-1]])
    assert mine.known == shanghai.known
    assert shanghai.observed(shanghai.dates[~shanghai.is_assumed(shanghai.dates)]) is shanghai


# Riyadh has published sessions from 2021 on; in 2020 it was closed for Eid al-Adha.
EID = np.arange("2020-07-30", "2020-08-09", dtype="datetime64[D]")
SERIES = {
    "2222.SR": "XSAU", "^TASI.SR": "XSAU", "AAPL": "XNYS", "NVDA": "XNYS", "^GSPC": "XNYS",
}  # fmt: skip


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Prices of 2019 to 2021; none of Riyadh during Eid."""
    rng = np.random.default_rng(7)
    rows = []
    for symbol, calendar in SERIES.items():
        dates = Sessions.of(calendar).dates
        dates = dates[(dates > np.datetime64("2019-01-01")) & (dates < np.datetime64("2021-06-01"))]
        if calendar == "XSAU":
            dates = np.setdiff1d(dates, EID)
        closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(dates))))
        rows.append(pd.DataFrame({"date": dates, "symbol": symbol, "close": closes}))
    file = tmp_path_factory.mktemp("beyond") / "prices.csv"
    pd.concat(rows).to_csv(file, index=False)
    return str(file)


@pytest.mark.parametrize(
    ("day", "day0"), [("2020-06-02", "2020-06-02"), ("2020-08-03", "2020-08-09")]
)
def test_an_event_beyond_its_calendar_stops_no_other(prices: str, day: str, day0: str) -> None:
    table = pd.DataFrame({
        "ticker": ["2222.SR", "AAPL", "NVDA"], "announced_at": [day, "2020-06-03", "2021-02-03"],
    })  # fmt: skip
    results = es.study(es.events_from_frame(table), prices=prices)
    assert results.events["status"].to_list() == ["ok"] * 3
    flags = results.events["flags"].map(Flag.of).to_list()
    assert [Flag.ASSUMED_SESSION in own for own in flags] == [True, False, False]
    assert str(results.events["day0"].iloc[0].date()) == day0
    sessions = results.panel.sessions[results.panel.calendars["XSAU"]]
    assert not np.isin(EID, sessions).any()


def test_an_event_without_prices_has_a_status_and_a_flag(prices: str) -> None:
    table = pd.DataFrame({
        "ticker": ["600000.SS", "AAPL"], "announced_at": ["1985-05-06", "2020-06-03"],
    })  # fmt: skip
    results = es.study(es.events_from_frame(table), prices=prices)
    assert results.events["status"].to_list() == ["dropped", "ok"]
    assert results.events["reason"].iloc[0]
    assert Flag.ASSUMED_SESSION in Flag.of(results.events["flags"].iloc[0])


def test_a_day_0_that_the_file_gives_is_taken_where_no_session_is_known() -> None:
    saturday = np.busday_offset(ENDS["XSHG"], 2, roll="forward", weekmask="Sat")
    table = pd.DataFrame({
        "ticker": ["600000.SS"], "announced_at": [str(saturday)], "day0": [str(saturday)],
    })  # fmt: skip
    events = es.events_from_frame(table, today=(saturday + 1).item())
    assert str(events.table["day0"].iloc[0].date()) == str(saturday)
