"""Which exchange, which session: the cases are facts of the exchanges, not outputs of the code."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import gzip
import hashlib
import json
import runpy
import subprocess
import sys
import tomllib
import zoneinfo
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from eventstudy.calendars import Exchange, Sessions
from eventstudy.calendars.exchanges import EXCHANGES
from eventstudy.calendars.schedule import OVERRIDES, SESSIONS, _corrected, read_sessions, to_utc
from eventstudy.errors import DataError
from eventstudy.events import parse_announcement
from eventstudy.events.announcements import Announcement, day0_position, to_instant
from eventstudy.returns import ReturnsPanel
from eventstudy.returns.market_notes import note_ends
from eventstudy.words import Reason

ROOT = Path(__file__).parents[1]
CALENDARS = sorted({e.calendar for e in EXCHANGES.values() if e.calendar})
FACTS = list(csv.DictReader(OVERRIDES.read_text(encoding="utf-8").splitlines()))


def day0(ticker: str, stamp: str, tz: str = "", cutoff_minutes: float = 0) -> str:
    exchange = Exchange.of(ticker)
    assert exchange is not None
    assert exchange.calendar is not None
    known = Sessions.of(exchange.calendar)
    at = day0_position(parse_announcement(stamp, tz), known, cutoff_minutes=cutoff_minutes)
    return str(known.dates[at])


@pytest.mark.parametrize(
    ("ticker", "stamp", "tz", "expected"),
    [
        # one report, two days: 14:11 UTC is after the close in Shenzhen and during the session in
        # New York
        ("002415.SZ", "2019-05-22T02:11", "Pacific/Auckland", "2019-05-22"),
        ("0700.HK", "2019-05-22T02:11", "Pacific/Auckland", "2019-05-22"),
        ("AMBA", "2019-05-22T02:11", "Pacific/Auckland", "2019-05-21"),
        # published minutes before the London close of 6 August 2012
        ("STAN.L", "2012-08-06", "Europe/London", "2012-08-06"),
        ("2888.HK", "2012-08-06", "Europe/London", "2012-08-07"),
        ("2888.HK", "2012-08-06", "America/New_York", "2012-08-07"),
        # noon in New York is 17:00 in London, after the close at 16:30
        ("STAN.L", "2012-08-06", "America/New_York", "2012-08-07"),
        ("0763.HK", "2018-04-16", "America/New_York", "2018-04-17"),
        ("LITE", "2018-04-16", "America/New_York", "2018-04-16"),
        # Shanghai: before, at and after the close; lunch; night
        ("600000.SS", "2019-05-21T14:59:59", "Asia/Shanghai", "2019-05-21"),
        ("600000.SS", "2019-05-21T14:59:59.999", "Asia/Shanghai", "2019-05-21"),
        ("600000.SS", "2019-05-21T15:00:00", "Asia/Shanghai", "2019-05-22"),
        ("600000.SS", "2019-05-21T12:15", "Asia/Shanghai", "2019-05-21"),
        ("600000.SS", "2019-05-21T03:00", "Asia/Shanghai", "2019-05-21"),
        # holidays: National Day, new year of 2020 (prolonged to 2 February), a Saturday
        ("600000.SS", "2019-09-30T16:00", "Asia/Shanghai", "2019-10-08"),
        ("000001.SZ", "2020-01-23T15:30", "Asia/Shanghai", "2020-02-03"),
        ("0700.HK", "2020-01-24T11:00", "Asia/Hong_Kong", "2020-01-24"),
        ("0700.HK", "2020-01-24T13:00", "Asia/Hong_Kong", "2020-01-29"),
        ("600000.SS", "2019-05-18T10:00", "Asia/Shanghai", "2019-05-20"),
        # the day after Thanksgiving closes at 13:00
        ("AAPL", "2019-11-29T12:30", "America/New_York", "2019-11-29"),
        ("AAPL", "2019-11-29T13:30", "America/New_York", "2019-12-02"),
        # New York is five hours behind London in some weeks and four in others
        ("AAPL", "2019-03-15T19:59Z", "", "2019-03-15"),
        ("AAPL", "2019-03-15T20:00Z", "", "2019-03-18"),
        ("AAPL", "2019-03-08T20:30Z", "", "2019-03-08"),
        ("AAPL", "2001-09-11T10:00", "America/New_York", "2001-09-17"),
        ("SBER.ME", "2022-03-01T10:00", "Europe/Moscow", "2022-03-24"),
        ("SBER.ME", "2022-03-01", "", "2022-03-24"),
        ("SBER.ME", "2022-02-25T20:00", "Europe/Moscow", "2022-03-24"),
        # Tokyo closes half an hour later since 5 November 2024
        ("7203.T", "2024-11-01T15:10", "Asia/Tokyo", "2024-11-05"),
        ("7203.T", "2024-11-05T15:10", "Asia/Tokyo", "2024-11-05"),
        ("7203.T", "2024-11-05T15:30", "Asia/Tokyo", "2024-11-06"),
        # Sao Paulo closes with New York: at 17:00 in its summer, at 18:00 in its winter (B3,
        # October 2019)
        ("PETR4.SA", "2023-06-14T16:59", "America/Sao_Paulo", "2023-06-14"),
        ("PETR4.SA", "2023-06-14T17:30", "America/Sao_Paulo", "2023-06-15"),
        ("PETR4.SA", "2022-03-11T17:30", "America/Sao_Paulo", "2022-03-11"),
        ("PETR4.SA", "2022-03-14T17:30", "America/Sao_Paulo", "2022-03-15"),
        ("PETR4.SA", "2024-11-01T17:30", "America/Sao_Paulo", "2024-11-04"),
        ("PETR4.SA", "2024-11-04T17:54", "America/Sao_Paulo", "2024-11-04"),
        ("PETR4.SA", "2024-11-04T18:00", "America/Sao_Paulo", "2024-11-05"),
        ("AAPL", "1962-05-28T15:00", "America/New_York", "1962-05-28"),
        # a bare date is that session, or the next
        ("AAPL", "2019-05-22", "", "2019-05-22"),
        ("AAPL", "2019-05-25", "", "2019-05-28"),
    ],
)
def test_day0(ticker: str, stamp: str, tz: str, expected: str) -> None:
    assert day0(ticker, stamp, tz) == expected


def test_cutoff_moves_late_news_to_the_next_session_but_not_dates() -> None:
    assert day0("AAPL", "2019-05-21T15:50", "America/New_York", 15) == "2019-05-22"
    assert day0("AAPL", "2019-05-21T15:44", "America/New_York", 15) == "2019-05-21"
    assert day0("AAPL", "2019-05-21", "America/New_York", 300) == "2019-05-21"


@pytest.mark.parametrize(
    ("wall", "zone", "word"),
    [
        ("2019-03-10T02:30", "America/New_York", "did not exist"),
        ("2019-11-03T01:30", "America/New_York", "twice"),
        ("2019-03-31T01:30", "Europe/London", "did not exist"),
        ("2011-12-30T12:00", "Pacific/Apia", "did not exist"),
    ],
)
def test_clock_changes_are_errors(wall: str, zone: str, word: str) -> None:
    with pytest.raises(DataError, match=word) as caught:
        to_instant(dt.datetime.fromisoformat(wall), zone)
    assert zone in str(caught.value)


def test_to_instant_is_utc() -> None:
    noon = to_instant(dt.datetime(2019, 7, 1, 12), "Asia/Tokyo")  # noqa: DTZ001
    assert noon == dt.datetime(2019, 7, 1, 3, tzinfo=dt.UTC)
    assert noon.tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("ticker", "code", "benchmark"),
    [
        ("AAPL", "XNYS", "^GSPC"),
        ("BRK-B", "XNYS", "^GSPC"),
        ("002415.SZ", "XSHE", "000300.SS"),
        ("600000.SS", "XSHG", "000300.SS"),
        ("CARL-B.CO", "XCSE", "^OMXC25"),
        ("SBER.ME", "MISX", "IMOEX.ME"),
        ("^GSPC", "XNYS", "^GSPC"),
        ("^HSI", "XHKG", "^HSI"),
        ("^FTSE", "XLON", "^FTSE"),
        ("^GDAXI", "XETR", "^GDAXI"),
        ("^TA125.TA", "XTAE", "^TA125.TA"),
    ],
)
def test_exchange_of(ticker: str, code: str, benchmark: str) -> None:
    exchange = Exchange.of(ticker)
    assert exchange is not None
    assert (exchange.code, exchange.benchmark) == (code, benchmark)


def test_an_index_may_have_no_known_home() -> None:
    assert Exchange.of("^NOWHERE") is None


@pytest.mark.parametrize(
    ("ticker", "hint"),
    [
        ("002415.sz", "'002415.SZ'"),
        ("600000.SH", "'600000.SS'"),
        ("700.HKG", "'0700.HK'"),
        ("BRK.B", "'BRK-B'"),
        ("RDS.A", "'RDS-A'"),
        ("AAPL.US", "no suffix: write 'AAPL'"),
        ("NVDA.OQ", "'NVDA'"),
        ("VOD.LN", "'VOD.L'"),
        ("SAP.XETR", "'SAP.DE'"),
        ("7203.TYO", "'7203.T'"),
        ("SAP.DEE", "'SAP.DE'"),
        ("SAP.XYZ", ".DE"),
    ],
)
def test_unknown_suffix_has_the_ticker_as_it_should_be_written(ticker: str, hint: str) -> None:
    with pytest.raises(DataError, match="unknown market suffix") as caught:
        Exchange.of(ticker)
    assert hint in caught.value.remedy


@pytest.mark.parametrize("suffix", ["CA", "HA", "KW", "QA", "AE", "CR", "VN"])
def test_markets_without_a_calendar_say_what_to_do(suffix: str) -> None:
    with pytest.raises(DataError, match="no trading calendar") as caught:
        Exchange.of(f"X.{suffix}")
    assert "day0" in str(caught.value)
    assert 'calendar = "data"' in str(caught.value)


def test_every_benchmark_belongs_to_a_known_exchange() -> None:
    for exchange in EXCHANGES.values():
        if exchange.benchmark and exchange.calendar:
            home = Exchange.of(exchange.benchmark)
            assert home is not None, exchange
            assert home.calendar == exchange.calendar or home.benchmark in (
                "^FTSE",
                "^GDAXI",
                "^GSPTSE",
            )


@pytest.mark.parametrize("name", CALENDARS)
def test_sessions_are_sound(name: str) -> None:
    known = Sessions.of(name)
    assert known is Sessions.of(name)
    assert known.code == name
    assert [a.dtype.str for a in (known.dates, known.opens, known.closes)] == [
        "<M8[D]",
        "<M8[s]",
        "<M8[s]",
    ]
    assert (np.diff(known.dates).astype(int) > 0).all()
    assert (known.opens < known.closes).all()
    assert (known.opens[1:] >= known.closes[:-1]).all()
    assert not known.closes.flags.writeable
    assert known.tz in zoneinfo.available_timezones()


def test_known_numbers_of_sessions() -> None:
    def count(name: str, year: int) -> int:
        return int(
            (Sessions.of(name).dates.astype("datetime64[Y]") == np.datetime64(str(year))).sum()
        )

    assert [count("XNYS", year) for year in (2018, 2019, 2020, 2021)] == [251, 252, 253, 252]
    assert [count("XSHG", year) for year in (2018, 2019, 2020)] == [243, 244, 243]
    assert count("XLON", 2019) == 253


def test_out_of_bounds_names_calendar_value_and_bound() -> None:
    shanghai = Sessions.of("XSHG")
    bounds = {1949: ("before", "1950-01-"), 2299: ("after", "2049-12-31")}
    for year, words in bounds.items():
        with pytest.raises(DataError) as caught:
            shanghai.position(dt.date(year, 5, 5))
        assert all(word in str(caught.value) for word in ("XSHG", f"{year}-05-05", *words))
        assert 'calendar = "data"' in caught.value.remedy
        with pytest.raises(DataError, match="XSHG"):
            shanghai.first_after(dt.datetime(year, 1, 1, tzinfo=dt.UTC))


def test_first_day_of_a_calendar_counts() -> None:
    shanghai = Sessions.of("XSHG")
    early = dt.datetime.combine(
        shanghai.dates[0].item(), dt.time(1), zoneinfo.ZoneInfo("Asia/Shanghai")
    )
    assert shanghai.first_after(early) == 0


def test_unknown_calendar() -> None:
    with pytest.raises(DataError, match="no such trading calendar"):
        Sessions.of("XNIS")


def test_announcement_without_anything_is_an_error() -> None:
    with pytest.raises(DataError, match="date or an instant"):
        day0_position(Announcement(), Sessions.of("XNYS"))


@functools.cache
def maker() -> SimpleNamespace:
    """Return the tool that writes the snapshot, where exchange_calendars gives right sessions."""
    pytest.importorskip("exchange_calendars", reason="compared with the lowest pandas, in .ci/run")
    tool = SimpleNamespace(**runpy.run_path(str(ROOT / "tools" / "make_sessions.py")))
    if tool.leaves_out_weekends():
        pytest.skip("under this pandas exchange_calendars leaves out sessions")
    return tool


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == "XBOM" else pytest.mark.slow) for n in CALENDARS]
)
def test_the_snapshot_is_what_exchange_calendars_gives(name: str) -> None:
    """A later version that differs asks for the snapshot to be made again."""
    tz, *theirs = maker().scheduled(name)
    ours_tz, *ours = read_sessions(name)
    assert ours_tz == tz
    for column, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert np.array_equal(a, b), (column, np.setdiff1d(a, b)[:5], np.setdiff1d(b, a)[:5])


def test_the_snapshot_has_all_calendars_and_the_hash_of_its_lines() -> None:
    head, lines = gzip.decompress(SESSIONS.read_bytes()).split(b"\n", 1)
    about = json.loads(head)
    assert about["sha256"] == hashlib.sha256(lines).hexdigest()
    assert {"exchange_calendars", "pandas", "numpy", "tzdata"} <= set(about)
    assert [line.split()[0].decode() for line in lines.splitlines()] == CALENDARS
    assert Sessions.version().startswith(f"{about['exchange_calendars']}+")


def differing(name: str) -> set[str]:
    """Return the days on which our sessions are not those of the snapshot."""
    ours, (_, *theirs) = Sessions.of(name), read_sessions(name)
    assert ours.known == (theirs[0][0], theirs[0][-1])
    published = [array[~ours.is_assumed(ours.dates)] for array in ours.arrays]
    rows = (zip(*(a.astype(str) for a in arrays), strict=True) for arrays in (published, theirs))
    return {day for day, *_ in set.symmetric_difference(*map(set, rows))}


@pytest.mark.parametrize("name", CALENDARS)
def test_only_days_with_a_source_differ_from_the_snapshot(name: str) -> None:
    spans = [(fact["first"], fact["last"]) for fact in FACTS if fact["calendar"] == name]
    assert not [d for d in differing(name) if not any(a <= d <= b for a, b in spans)]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact['calendar']}-{fact['first']}")
def test_each_override_holds(fact: dict[str, str]) -> None:
    assert fact["source"]
    ours = Sessions.of(fact["calendar"])
    within = (ours.dates.astype(str) >= fact["first"]) & (ours.dates.astype(str) <= fact["last"])
    expected = {"closed": [0], "open": [1], "closes_by": range(1, 10000)}[fact["state"]]
    assert within.sum() in expected
    for column, array in (("opens", ours.opens), ("closes", ours.closes)):
        time, _, zone = fact[column].partition(" ")
        walls = [
            at.replace(tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(zone or ours.tz))
            for at in array[within].tolist()
        ]
        if time:
            assert max(f"{wall:%H:%M}" for wall in walls) == time


@pytest.mark.parametrize(
    ("calendar", "day", "is_open"),
    [
        ("XBOM", "2024-01-20", True),
        ("XBOM", "2024-01-22", False),
        ("XBOM", "2024-05-18", True),
        ("XMOS", "2022-03-23", False),
        ("XMOS", "2024-12-28", True),
        ("XMOS", "2025-03-10", True),
        ("XKRX", "1998-12-05", True),
        ("XKRX", "1998-12-12", False),
        ("XKRX", "2026-06-03", False),
        ("XJSE", "2021-11-01", False),
        ("XJSE", "2024-05-29", False),
        ("XHKG", "2023-09-08", False),
        ("XTAI", "2024-10-31", False),
    ],
)
def test_known_days(calendar: str, day: str, is_open: bool) -> None:
    assert bool(np.isin(np.datetime64(day), Sessions.of(calendar).dates)) == is_open


def test_an_opened_day_has_the_usual_hours() -> None:
    moscow = Sessions.of("XMOS")
    at = moscow.position(dt.date(2025, 2, 24))
    assert moscow.dates[at].item() == dt.date(2025, 2, 24)
    assert (str(moscow.opens[at]), str(moscow.closes[at])) == (
        "2025-02-24T07:00:00",
        "2025-02-24T15:45:00",
    )
    assert day0("SBER.ME", "2025-02-24T12:00", "Europe/Moscow") == "2025-02-24"


def test_a_latest_close_leaves_half_days_as_they_are() -> None:
    row = {
        "first": "2019-11-27",
        "last": "2019-11-29",
        "state": "closes_by",
        "opens": "",
        "closes": "15:00",
    }
    changed = _corrected(Sessions.of("XNYS"), row)
    at = changed.position(dt.date(2019, 11, 27))
    assert changed.closes[at : at + 3].astype(str).tolist() == [
        "2019-11-27T20:00:00",
        "2019-11-29T18:00:00",
        "2019-12-02T21:00:00",
    ]


def test_mumbai_closes_early_on_special_saturdays() -> None:
    assert day0("RELIANCE.NS", "2024-03-02T12:29", "Asia/Kolkata") == "2024-03-02"
    assert day0("RELIANCE.NS", "2024-03-02T12:30", "Asia/Kolkata") == "2024-03-04"


@pytest.mark.parametrize(
    "zone",
    ["America/New_York", "Europe/London", "Asia/Shanghai", "America/Sao_Paulo", "Asia/Tehran"],
)
def test_to_utc_is_what_the_time_zone_says(zone: str) -> None:
    walls = np.arange("1950-01-01T01:30", "2036-01-01", 7 * 60 + 1, dtype="datetime64[m]")[::7]
    expected = [
        wall.replace(tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(dt.UTC).replace(tzinfo=None)
        for wall in walls.tolist()
    ]
    assert to_utc(walls, zone).tolist() == expected


def test_sessions_need_no_library_of_calendars() -> None:
    code = (
        "import sys; sys.modules.update(exchange_calendars=None, pandas=None)\n"
        "from eventstudy.calendars import Sessions; print(len(Sessions.of('XTAI')))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout, run.stderr) == (f"{len(Sessions.of('XTAI'))}\n", "")
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [line for line in about["dependencies"] if line.startswith("exchange_calendars")]
    assert "pandas>=2.2.2" in about["dependencies"]


def test_data_sessions_take_hours_from_the_calendar() -> None:
    like = Sessions.of("XNYS")
    dates = np.array(
        ["2019-11-29", "2019-11-28", "2019-11-27", "2019-07-04"], dtype="datetime64[D]"
    )
    made = Sessions.of_days("XNYS", like.tz, dates, like)
    assert made.dates.astype(str).tolist() == [
        "2019-07-04",
        "2019-11-27",
        "2019-11-28",
        "2019-11-29",
    ]
    # 4 July takes the hours of 3 July, a half-day; Thanksgiving takes those of the day before
    assert made.closes.astype(str).tolist() == [
        "2019-07-04T17:00:00",
        "2019-11-27T21:00:00",
        "2019-11-28T21:00:00",
        "2019-11-29T18:00:00",
    ]


def test_data_sessions_keep_local_time_across_a_clock_change() -> None:
    like = Sessions.of("XNYS")
    cut = Sessions(like.code, like.tz, like.dates[:1], like.opens[:1], like.closes[:1])
    made = Sessions.of_days(
        "X", like.tz, np.array(["2019-01-15", "2019-07-15"], dtype="datetime64[D]"), cut
    )
    assert [str(c)[11:16] for c in made.closes] == ["21:00", "20:00"]


def test_data_sessions_without_a_calendar() -> None:
    made = Sessions.of_days(
        "CASE", "Africa/Cairo", np.array(["2019-01-06"], dtype="datetime64[D]"), None
    )
    assert str(made.opens[0]) == "2019-01-06T07:30:00"
    assert str(made.closes[0]) == "2019-01-06T14:00:00"


def test_import_is_light() -> None:
    heavy = "{'pandas', 'exchange_calendars'}"
    code = f"import sys, eventstudy.calendars.schedule; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def traded_on(days: list[str], symbols: list[str], calendar: str) -> ReturnsPanel:
    """Return a panel of prices that move on each day, with volume."""
    rows = [
        (s, pd.Timestamp(d), 10.0 + i, 10.0 + i, 1000.0)
        for s in symbols
        for i, d in enumerate(days)
    ]
    table = pd.DataFrame(rows, columns=["symbol", "date", "close", "adj_close", "volume"])
    table = table.assign(**dict.fromkeys(("open", "high", "low"), table["close"]))
    keys = [(symbol, exchange.code) for symbol in symbols if (exchange := Exchange.of(symbol))]
    sessions = {code: Sessions.of(calendar) for _, code in keys}
    return ReturnsPanel.from_prices(table, keys=keys, sessions=sessions)


def codes(panel: ReturnsPanel) -> dict[str, Reason]:
    return {note.code: note for note in panel.notes if isinstance(note, Reason)}


# Moscow was closed on 12 June 2024; it is taken as if it had been open.
AROUND = ["2024-06-10", "2024-06-11", "2024-06-12", "2024-06-13", "2024-06-14"]


@pytest.mark.parametrize(
    ("symbols", "is_doubted"),
    [
        (["SBER.ME"], False),
        (["SBER.ME", "LKOH.ME"], True),
        (["SBER.ME", "LKOH.ME", "ROSN.ME", "VTBR.ME"], True),
    ],
)
def test_a_calendar_that_several_symbols_contradict_is_doubted(
    symbols: list[str], is_doubted: bool
) -> None:
    notes = codes(traded_on(AROUND, symbols, "XMOS"))
    assert ("calendar_doubted" in notes) == is_doubted
    if is_doubted:
        facts = notes["calendar_doubted"].facts
        assert facts == {"calendar": "XMOS", "n": 1, "days": ["2024-06-12"], "symbols": symbols[:3]}


def test_three_of_many_symbols_are_enough() -> None:
    closed = traded_on(AROUND, ["SBER.ME", "LKOH.ME", "ROSN.ME"], "XMOS").prices
    days = [day for day in AROUND if day != "2024-06-12"]
    others = traded_on(days, [f"{letter}.ME" for letter in "ABCDEFGH"], "XMOS").prices
    table = pd.concat([others, closed], ignore_index=True)
    keys = [(symbol, "MISX") for symbol in table["symbol"].unique()]
    panel = ReturnsPanel.from_prices(table, keys=keys, sessions={"MISX": Sessions.of("XMOS")})
    assert codes(panel)["calendar_doubted"].facts["symbols"] == ["SBER.ME", "LKOH.ME", "ROSN.ME"]


def test_a_stray_price_doubts_no_calendar() -> None:
    """One price moves with volume, two have the close of the day before, two have no volume."""
    rows = [
        (s, d, 10.0 + i, 5.0) for s in "ABCDE" for i, d in enumerate(AROUND) if d != "2024-06-12"
    ]
    closed = {
        "A": (99.0, 5.0),
        "B": (11.0, 5.0),
        "C": (11.0, 5.0),
        "D": (99.0, 0.0),
        "E": (99.0, np.nan),
    }
    rows += [(symbol, "2024-06-12", *cells) for symbol, cells in closed.items()]
    table = pd.DataFrame(sorted(rows), columns=["symbol", "date", "close", "volume"])
    table["symbol"], table["date"] = table["symbol"] + ".ME", pd.to_datetime(table["date"])
    table = table.assign(**dict.fromkeys(("open", "high", "low", "adj_close"), table["close"]))
    keys = [(symbol, "MISX") for symbol in table["symbol"].unique()]
    panel = ReturnsPanel.from_prices(table, keys=keys, sessions={"MISX": Sessions.of("XMOS")})
    assert "calendar_doubted" not in codes(panel)
    assert "closed_days" in codes(panel)


@pytest.mark.parametrize(
    ("symbols", "lacking", "is_doubted"),
    [
        (["SBER.ME"], ["SBER.ME"], False),
        (["SBER.ME", "LKOH.ME"], ["SBER.ME", "LKOH.ME"], True),
        (["SBER.ME", "LKOH.ME", "ROSN.ME"], ["SBER.ME", "LKOH.ME"], False),
        (["SBER.ME", "LKOH.ME", "ROSN.ME"], ["SBER.ME", "LKOH.ME", "ROSN.ME"], True),
    ],
)
@pytest.mark.parametrize("is_blank", [False, True])
def test_a_session_without_a_price_of_the_whole_exchange_is_named_once(
    symbols: list[str], lacking: list[str], is_doubted: bool, is_blank: bool
) -> None:
    days = [day for day in AROUND if day != "2024-06-12"]
    table = traded_on(days, symbols, "XMOS").prices
    away = table["symbol"].isin(lacking) & (table["date"] == "2024-06-13")
    prices = ["open", "high", "low", "close", "adj_close"]
    table = table.assign(**{c: table[c].mask(away) for c in prices}) if is_blank else table[~away]
    keys = [(symbol, "MISX") for symbol in symbols]
    panel = ReturnsPanel.from_prices(table, keys=keys, sessions={"MISX": Sessions.of("XMOS")})
    kinds = {f.symbol: f.kind for f in panel.faults if f.date == "2024-06-13"}
    own = "no_price" if is_blank else "missing_session"
    assert kinds == dict.fromkeys(lacking, "lost_session" if is_doubted else own)
    assert ("sessions_lost" in codes(panel)) == is_doubted
    if is_doubted:
        text = str(codes(panel)["sessions_lost"])
        assert text.startswith(
            f"Moscow: none of {len(symbols)} symbols has a price on 1 session (2024-06-13; from a table)"
        )
    # Nothing else changes: the day is a session, and the next return spans two.
    row = panel.keys.index((lacking[0], "MISX"))
    assert panel.spans[row].tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize(
    ("suffix", "places"), [(["KS"], ["Korea"]), (["KS", "KQ"], ["Korea", "Korea (KOSDAQ)"])]
)
def test_a_lost_session_is_of_the_exchanges_of_its_symbols(
    suffix: list[str], places: list[str]
) -> None:
    symbols = [f"00593{i}.{suffix[i % len(suffix)]}" for i in range(4)]
    days = [f"2024-07-{day}" for day in ("08", "09", "11", "12")]
    lost = codes(traded_on(days, symbols, "XKRX"))["sessions_lost"]
    assert lost.facts["places"] == places


def test_sessions_before_and_after_all_prices_are_not_lost() -> None:
    first = traded_on(AROUND[:2], ["SBER.ME", "LKOH.ME"], "XMOS").prices
    later = traded_on(AROUND[3:], ["ROSN.ME", "VTBR.ME"], "XMOS").prices
    table = pd.concat([first, later], ignore_index=True)
    keys = [(symbol, "MISX") for symbol in table["symbol"].unique()]
    days = {"MISX": Sessions.of("XMOS")}
    assert "sessions_lost" not in codes(ReturnsPanel.from_prices(table, keys=keys, sessions=days))


def test_data_that_outlast_a_calendar_are_said() -> None:
    sessions = {"XSHG": Sessions.of("XSHG")}
    end = sessions["XSHG"].known[1]

    def said(*after: int) -> dict[str, dict[str, object]]:
        days = [str(day) for day in end + np.array(after)]
        priced = traded_on(days, ["600519.SS", "600000.SS"], "XSHG")
        assert "calendar_doubted" not in codes(priced)
        frame = pd.DataFrame({"600519.SS": 0.01}, index=pd.DatetimeIndex(days))
        returns = ReturnsPanel.from_frame(frame, keys=[("600519.SS", "XSHG")], sessions=sessions)
        notes = [
            note_ends(panel.keys, panel.spans, panel.sessions, sessions)
            for panel in (priced, returns)
        ]
        assert notes[0] == notes[1]
        return {note.code: dict(note.facts) for note in notes[0] if isinstance(note, Reason)}

    facts = {"calendar": "XSHG", "end": str(end)}
    last = np.busday_offset(end, 2)
    after = said(-2, -1, *(np.busday_offset(end, [1, 2]) - end).astype(int))
    assert after == {"calendar_ends": facts | {"last": str(last)}}
    assert said(-2, -1, 0) == {"calendar_ends_soon": facts}
    earlier = sessions["XSHG"].dates
    assert said(*(earlier[earlier < end - 60][-3:] - end).astype(int)) == {}


def test_the_days_of_the_data_are_doubted_by_nothing() -> None:
    days = np.array([day for day in AROUND if day != "2024-06-12"], dtype="datetime64[D]")
    panel = ReturnsPanel.from_prices(
        traded_on(AROUND, ["SBER.ME", "LKOH.ME"], "XMOS").prices,
        keys=[("SBER.ME", "MISX"), ("LKOH.ME", "MISX")],
        sessions={"MISX": Sessions.of_days("MISX", "Europe/Moscow", days, None)},
    )
    assert "calendar_doubted" not in codes(panel)
