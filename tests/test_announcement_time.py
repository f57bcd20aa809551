"""The part of the day of an announcement, the sessions that it could reach, and what hangs on it."""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import Market
from hypothesis import assume, given
from hypothesis import strategies as st
from pages import findings, with_columns

import eventstudy as es
from eventstudy.analysis.over_time.announcement_time import depend_on_time, find_shifts, shift_cars
from eventstudy.calendars import Sessions
from eventstudy.calendars.exchanges import EXCHANGES
from eventstudy.cli.main import main
from eventstudy.errors import DataError
from eventstudy.events.announcements import (
    Announcement,
    When,
    candidate_positions,
    day0_position,
    parse_when,
    parts_of_day,
)
from eventstudy.report.tables.robustness import robustness
from eventstudy.studies import EventStudyResults
from eventstudy.utility import Flag
from eventstudy.words import say, words

TODAY = dt.date(2026, 6, 30)
CALENDARS = sorted({e.calendar for e in EXCHANGES.values() if e.calendar})
# Futures exchanges, whose sessions open on the evening before.
OVERNIGHT = {"CMES", "IEPA"}
ZONES = sorted(zoneinfo.available_timezones())
DAYS = st.dates(dt.date(1995, 1, 1), dt.date(2026, 6, 1))
NEW_YORK, TOKYO, SHANGHAI = "America/New_York", "Asia/Tokyo", "Asia/Shanghai"


def reached(calendar: str, day: str, tz: str = "", when: str = "") -> tuple[str, list[str]]:
    """Return day 0 and the candidates of a date."""
    announcement = Announcement(dt.date.fromisoformat(day), tz=tz or None, when=parse_when(when))
    known = Sessions.of(calendar)
    candidates = candidate_positions(announcement, known)
    dates = [str(known.dates[i]) for i in candidates]
    return str(known.dates[day0_position(announcement, known)]), dates


def test_a_part_of_the_day_that_is_misspelt_gets_the_word_to_write() -> None:
    with pytest.raises(DataError) as refusal:
        parse_when("after_closing")
    assert refusal.value.remedy.startswith("did you mean 'after_close'?")


@pytest.mark.parametrize(
    ("calendar", "day", "tz", "when", "day0", "candidates"),
    [
        # Wednesday 22 May 2019 in the zone of the exchange, or in none
        ("XNYS", "2019-05-22", "", "", "2019-05-22", ["2019-05-22", "2019-05-23"]),
        ("XNYS", "2019-05-22", NEW_YORK, "before_open", "2019-05-22", ["2019-05-22"]),
        ("XNYS", "2019-05-22", NEW_YORK, "in_session", "2019-05-22", ["2019-05-22"]),
        ("XNYS", "2019-05-22", NEW_YORK, "after_close", "2019-05-23", ["2019-05-23"]),
        ("XNYS", "2019-05-22", "", "AMC", "2019-05-23", ["2019-05-23"]),
        # over Memorial Day: a Friday, and the Saturday after it
        ("XNYS", "2019-05-24", NEW_YORK, "after_close", "2019-05-28", ["2019-05-28"]),
        ("XNYS", "2019-05-25", NEW_YORK, "", "2019-05-28", ["2019-05-28"]),
        ("XNYS", "2019-05-25", NEW_YORK, "after_close", "2019-05-28", ["2019-05-28"]),
        ("XNYS", "2019-05-25", "", "in_session", "2019-05-28", ["2019-05-28"]),
        # Hong Kong closes at noon on 24 December: noon is after the close, the session is not
        ("XHKG", "2018-12-24", "", "in_session", "2018-12-24", ["2018-12-24"]),
        # a day of New York is noon to noon in Shanghai (summer): it holds the close at 03:00 and the
        # next open at 21:30
        ("XSHG", "2018-04-16", NEW_YORK, "", "2018-04-17", ["2018-04-16", "2018-04-17"]),
        ("XSHG", "2018-04-16", NEW_YORK, "before_open", "2018-04-17", ["2018-04-17"]),
        ("XSHG", "2018-04-16", NEW_YORK, "after_close", "2018-04-17", ["2018-04-17"]),
        ("XSHG", "2018-04-16", NEW_YORK, "in_session", "2018-04-17", ["2018-04-16", "2018-04-17"]),
        # ... of a Friday the close in Tokyo at 02:00 and no further open
        ("XTKS", "2018-04-13", NEW_YORK, "in_session", "2018-04-13", ["2018-04-13"]),
        ("XTKS", "2018-04-13", NEW_YORK, "before_open", "2018-04-16", ["2018-04-16"]),
        # a day of Shanghai begins with the last hours of yesterday's session in New York
        ("XNYS", "2019-05-22", SHANGHAI, "", "2019-05-22", ["2019-05-21", "2019-05-22"]),
        ("XNYS", "2019-05-22", SHANGHAI, "after_close", "2019-05-22", ["2019-05-22"]),
        # clocks of Cairo skip midnight on 26 April 2024
        ("XLON", "2024-04-26", "Africa/Cairo", "", "2024-04-26", ["2024-04-26", "2024-04-29"]),
    ],
)
def test_the_session_of_a_date(
    calendar: str, day: str, tz: str, when: str, day0: str, candidates: list[str]
) -> None:
    assert reached(calendar, day, tz, when) == (day0, candidates)


@given(st.sampled_from(CALENDARS), st.sampled_from(["own", ""]) | st.sampled_from(ZONES), DAYS)
def test_day_0_is_a_candidate_in_any_zone_on_any_exchange(
    calendar: str, zone: str, day: dt.date
) -> None:
    known = Sessions.of(calendar)
    tz = known.tz if zone == "own" else zone or None
    ruled, possible, by_word = {}, {}, {}
    for when in (None, *When):
        announcement = Announcement(day, tz=tz, when=when)
        try:
            ruled[when] = day0_position(announcement, known)
        except DataError:  # clocks skipped noon of that day, or the exchange is younger
            assume(False)
        possible[when] = candidate_positions(announcement, known)
        assert ruled[when] in possible[when]
        assert set(possible[when]) <= set(possible[None])
        by_word[when] = ruled[when]
    assert ruled[None] == day0_position(Announcement(day, tz=tz), known), "the rule has not changed"
    assert max(by_word.values()) == by_word[When.AFTER_CLOSE]
    if tz in (None, known.tz) and calendar not in OVERNIGHT:
        assert by_word[When.BEFORE_OPEN] == by_word[When.IN_SESSION] == known.position(day)
        is_open = known.dates[known.position(day)] == np.datetime64(day)
        assert by_word[When.AFTER_CLOSE] == known.position(day) + is_open
    if len(possible[None]) == 1:
        assert len(set(by_word.values())) == 1


@given(st.sampled_from(CALENDARS), st.sampled_from(ZONES), DAYS, st.integers(0, 24 * 60 - 1))
def test_every_minute_of_the_day_reaches_a_candidate(
    calendar: str, tz: str, day: dt.date, minute: int
) -> None:
    """The minute, as an instant, is judged by the clock alone; its own words keep its session."""
    known = Sessions.of(calendar)
    wall = dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
    instant = wall.replace(tzinfo=zoneinfo.ZoneInfo(tz)).astimezone(dt.UTC)
    assume(instant.astimezone(zoneinfo.ZoneInfo(tz)).date() == day)
    assume(known.dates[0] < np.datetime64(day) - np.timedelta64(2, "D"))
    position = known.first_after(instant)
    assert position in candidate_positions(Announcement(day, tz=tz), known)
    local = instant.astimezone(zoneinfo.ZoneInfo(known.tz)).date()
    for when in parts_of_day(instant, known) if calendar not in OVERNIGHT else ():
        assert day0_position(Announcement(local, when=when), known) == position
    if When.IN_SESSION in parts_of_day(instant, known):
        dated = Announcement(day, tz=tz, when=When.IN_SESSION)
        assert position in candidate_positions(dated, known)


def read(tmp_path: Path, rows: list[str], **options: object) -> tuple[es.Events | None, list]:
    path = tmp_path / "events.csv"
    path.write_text("\n".join(["ticker,announced_at,tz,When,note", *rows, ""]), encoding="utf-8")
    return es.check_events(path, today=TODAY, **options)


def test_what_is_not_known_is_flagged_and_nothing_else(tmp_path: Path) -> None:
    rows = [
        "AAPL,2019-05-22,America/New_York,,a",
        "MSFT,2019-05-22,America/New_York,After close,b",
        "IBM,2019-05-22,,BMO,c",
        "INTC,2019-05-25,,,d",
        "AMD,2019-05-22T16:30,America/New_York,after_close,e",
        "HPQ,2019-05-25T12:00-04:00,,before_open,f",
        "600000.SS,2018-04-16,America/New_York,dmh,g",
    ]
    events, problems = read(tmp_path, rows)
    assert (events is not None, problems) == (True, [])
    assert events
    table = events.table
    days = ["22", "23", "22", "28", "23", "28"]
    assert table["day0"].astype(str).tolist() == [*(f"2019-05-{d}" for d in days), "2018-04-17"]
    uncertain = ["2019-05-22;2019-05-23", *[""] * 5, "2018-04-16;2018-04-17"]
    assert table["day0_candidates"].tolist() == uncertain
    assert table["flags"].tolist() == ["time_unknown" if cell else "" for cell in uncertain]
    assert table["when"].tolist()[1:3] == ["After close", "BMO"], "as in the file"
    assert "day0_candidates" not in es.events_from_frame(table.loc[1:5, ["ticker", "announced_at"]]
        .assign(tz=table["tz"], when=table["when"]), today=TODAY).table  # fmt: skip


def test_all_faults_of_the_column_at_once(tmp_path: Path) -> None:
    rows = [
        "AAPL,2019-05-22,,evening,a",
        "MSFT,2019-05-22,,befor_open,b",
        "IBM,2019-05-22T16:30-04:00,,in_session,c",
        "AMD,2019-05-22T10:00-04:00,,amc,d",
        "INTC,2019-05-25T12:00-04:00,,in_session,e",
        "HPQ,2019-13-22,,noon,f",
        "ORCL,2019-05-22,,,g",
    ]
    events, problems = read(tmp_path, rows)
    assert [(p.line, p.column) for p in problems] == [
        *((line, "when") for line in range(2, 7)), (7, "when"), (7, "announced_at"),
    ]  # fmt: skip
    remedies = [p.remedy for p in problems]
    assert "before_open, in_session, after_close" in remedies[0]
    assert "before_open" in remedies[1]
    assert remedies[2].startswith("write after_close")
    assert remedies[3].startswith("write in_session")
    assert remedies[4].startswith("write before_open or after_close")
    assert events
    assert len(events) == 1


def test_dates_of_the_data_have_no_hours(tmp_path: Path) -> None:
    rows = ["X,2019-05-22,,,a", "X,2019-05-24,,after_close,b", "Y,2019-05-24,,bmo,c"]
    events, problems = read(tmp_path, rows, calendar="data")
    assert not problems
    assert events
    assert events.table["day0"].astype(str).tolist() == ["2019-05-22", "2019-05-25", "2019-05-24"]
    assert events.table["flags"].tolist() == ["time_unknown", "", ""]
    assert events.table["day0_candidates"].tolist() == ["2019-05-22;2019-05-23", "", ""]


def test_a_given_day_0_decides_unless_the_row_says_that_nobody_knows() -> None:
    table = pd.DataFrame({
        "ticker": ["AAPL", "MSFT"], "announced_at": "2019-05-22", "day0": "2019-05-22",
        "flags": ["", "time_unknown"],
    })  # fmt: skip
    read_again = es.events_from_frame(table, today=TODAY).table
    assert read_again["day0_candidates"].tolist() == ["", "2019-05-22;2019-05-23"]
    assert read_again["flags"].tolist() == ["", "time_unknown"]


def test_check_shows_words_and_candidates(tmp_path: Path) -> None:
    read(tmp_path, ["AAPL,2019-05-22,,,a", "MSFT,2019-05-22,,after_close,b"])
    path = str(tmp_path / "events.csv")
    lines = CliRunner().invoke(main, ["check", path]).stdout.splitlines()
    assert lines[:2] == [
        "2019-05-22  AAPL         AAPL-2019-05-22  (time_unknown, or 2019-05-23)",
        "2019-05-23  MSFT         MSFT-2019-05-23  after_close",
    ]
    found = json.loads(CliRunner().invoke(main, ["check", path, "--json"]).stdout)["events"]
    assert [row["when"] for row in found] == ["", "after_close"]
    assert [row["day0_candidates"] for row in found] == [["2019-05-22", "2019-05-23"], []]


@pytest.fixture(scope="module")
def results() -> EventStudyResults:
    """Eight events: one may be a session later, one a session earlier, one lacks the later one."""
    market = Market(8, seed=5)
    days = market.frame.index
    at = days.get_indexer(market.table["day0"])
    steps = {0: (0, 1), 1: (-1, 0), 2: (0, 1), 3: (0, 1)}
    cells = ["" if i not in steps else ";".join(f"{days[at[i] + s]:%Y-%m-%d}" for s in steps[i])
             for i in range(8)]  # fmt: skip
    market.table = market.table.assign(direction=["adverse"] * 5 + ["relief"] * 3)
    gap = np.arange(len(days)) == at[2] + 1
    fitted = market.fit(market.frame.assign(F02=market.frame["F02"].mask(gap)))
    flags = ["time_unknown" * bool(cell) for cell in cells]
    flags[3] += f";{Flag.HALT_SHIFTED}"
    return with_columns(fitted, day0_candidates=cells, flags=flags)


def test_uncertain_events_move_to_their_other_session(results: EventStudyResults) -> None:
    study = results
    assert find_shifts(study).tolist() == [1, -1, 1, *[0] * 5]
    ar = study.abnormal.ar[:, study.abnormal.columns(es.Window(0, 0))][:, 0]
    later, earlier = (study.abnormal.ar[:, 5 + step] for step in (1, -1))
    expected = np.array([later[0], earlier[1], *ar[3:]])
    dated, moved = depend_on_time(study).to_dict("records")
    assert (dated["n_events"], dated["n_uncertain"]) == (8, 3)
    assert dated["caar"] == pytest.approx(ar.mean(), rel=1e-12)
    assert (moved["n_events"], moved["n_uncertain"]) == (7, 2), "one has no such session"
    assert moved["caar"] == pytest.approx(expected.mean(), rel=1e-12)
    assert np.isnan(shift_cars(study, es.Window(0, 0), find_shifts(study))[2])
    assert depend_on_time(study, (5, 5))["n_events"].tolist() == [8, 6], (
        "two leave the event window"
    )


@pytest.mark.slow
def test_the_report_says_it_for_the_group_of_the_answer(results: EventStudyResults) -> None:
    study = findings(results, by="direction")
    (analysis,) = (a for a in robustness(study) if a.name == "announcement_time")
    table = study.tables["announcement_time_by_group"]
    assert table["direction"].tolist() == ["adverse"] * 2, "no other is uncertain"
    assert analysis.table
    assert [analysis.table.write_cells(row)[1] for row in analysis.table.rows] == ["5", "4"]
    dated, moved = (words().percent(value) for value in table["caar"])
    facts = {"n": 3, "total": 5, "window": [0, 0], "dated": dated, "moved": moved}
    assert analysis.lede == say("robustness.announcement_time.lede", **facts)
    assert analysis.files == ("announcement_time_by_group.csv",)


def test_nothing_is_said_where_every_time_is_known() -> None:
    study = Market(8, seed=5).fit()
    assert depend_on_time(study).empty
    assert "announcement_time" not in findings(study).tables
