"""The events file: what is read, and that every fault is told with its line, column, value and
remedy."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from pathlib import Path

import pandas as pd
import pytest

from eventstudy.errors import ConfigError, EventsFileError, EventStudyError, Problem
from eventstudy.events import (
    Events,
    check_events,
    events_from_frame,
    parse_announcement,
    read_events,
)

ROOT = Path(__file__).parents[1]
SANCTIONS = ROOT.parent / "shared" / "sanctions"
TODAY = dt.date(2026, 6, 30)
HEAD = "event_id,ticker,announced_at,tz,benchmark,note\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "events.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def problems(write):
    def problems(content: str | bytes, **options) -> list[Problem]:
        return check_events(write(content), today=TODAY, **options)[1]

    return problems


@pytest.fixture
def row_problems(problems):
    """Problems of one row below the usual header."""

    def row_problems(row: str, **options) -> list[Problem]:
        found = problems(HEAD + row + "\n", **options)
        assert {p.line for p in found} <= {2}
        return found

    return row_problems


def only(found: list[Problem], column: str) -> Problem:
    assert [p.column for p in found] == [column], "\n".join(map(str, found))
    return found[0]


class TestReading:
    def test_columns_and_types(self, write) -> None:
        path = write(
            "company,Ticker , ANNOUNCED_AT,direction,tz\n"
            "Hikvision,002415.SZ,2019-05-22T02:11,adverse,Pacific/Auckland\n"
            'Apple,AAPL,2019-05-25,"=1+1, really",\n'
        )
        events = read_events(path, today=TODAY)
        assert events.columns_in == ("company", "ticker", "announced_at", "direction", "tz")
        assert list(events.table) == [
            *("event_id", "ticker", "announced_at", "tz", "exchange", "benchmark", "day0", "flags"),
            *("company", "direction"),
        ]
        first, second = events.table.to_dict("records")
        assert first == {
            "event_id": "002415.SZ-2019-05-22",
            "ticker": "002415.SZ",
            "announced_at": "2019-05-22T02:11",
            "tz": "Pacific/Auckland",
            "exchange": "XSHE",
            "benchmark": "",
            "day0": pd.Timestamp("2019-05-22"),
            "flags": "",
            "company": "Hikvision",
            "direction": "adverse",
        }
        assert (second["event_id"], second["direction"]) == ("AAPL-2019-05-28", "=1+1, really")
        assert events.table["day0"].dtype == "datetime64[s]"
        assert events.table.index.tolist() == [0, 1]
        assert events.source == "events.csv"
        assert events.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (len(events), events.symbols) == (2, ["002415.SZ", "AAPL"])

    def test_one_announcement_many_listings_and_one_firm_many_events(self, write) -> None:
        rows = "".join(
            f",{t},2019-05-1{d},,,\n" for t in ("AAPL", "MSFT", "VOD.L") for d in (3, 4, 5)
        )
        events = read_events(write(HEAD + rows), today=TODAY)
        assert len(events) == 9
        assert events.symbols == ["AAPL", "MSFT", "VOD.L"]
        assert events.table["event_id"].is_unique

    @pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("bom", ["", "\ufeff"])
    def test_separators_line_ends_and_bom(self, write, mark: str, end: str, bom: str) -> None:
        lines = [["ticker", "announced_at", "note"], ["AAPL", "2019-05-22", "é, ü; x"]]
        lines[1][2] = f'"{lines[1][2]}"'
        events = read_events(
            write(bom + end.join(mark.join(cells) for cells in lines)), today=TODAY
        )
        assert events.table.loc[0, ["ticker", "note"]].tolist() == ["AAPL", "é, ü; x"]

    def test_stray_spaces_and_empty_lines(self, write) -> None:
        text = "\n \nticker,announced_at,note\n\n\u00a0AAPL ,\u200b 2019-05-22\t, kept \n,,\n\n"
        events = read_events(write(text), today=TODAY)
        assert events.table.loc[0, ["ticker", "announced_at", "note"]].tolist() == [
            "AAPL",
            "2019-05-22",
            " kept ",
        ]

    def test_ids_are_made_unique(self, write) -> None:
        text = HEAD + "AAPL-2019-05-22,MSFT,2019-05-22,,,\n,AAPL,2019-05-22,,,\n"
        assert read_events(write(text), today=TODAY).table["event_id"].tolist() == [
            "AAPL-2019-05-22",
            "AAPL-2019-05-22-2",
        ]

    def test_flags(self, write) -> None:
        text = (
            "ticker,announced_at,tz,day0,flags\n"
            "AAPL,2019-05-22,America/New_York,,\n"
            "MSFT,2019-05-22,,,\n"
            "INTC,2019-05-22,America/New_York,2019-05-23,\n"
            "AMD,2019-05-22,,2019-05-22,limit_hit; locked\n"
            "HPQ,2019-05-22T10:00,America/New_York,,\n"
        )
        flags = read_events(write(text), today=TODAY).table["flags"].tolist()
        assert flags == ["time_unknown", "time_unknown", "day0_given", "limit_hit;locked", ""]

    def test_offset_and_zone_may_agree(self, write) -> None:
        text = (
            HEAD
            + ",AAPL,2019-05-22T17:00:00-04:00,America/New_York,,\n,MSFT,2019-05-22 21:00Z,,,\n"
        )
        days = read_events(write(text), today=TODAY).table["day0"].astype(str).tolist()
        assert days == ["2019-05-23", "2019-05-23"]

    def test_cutoff(self, write) -> None:
        path = write(HEAD + ",AAPL,2019-05-22T15:55,America/New_York,,\n")
        days = [
            str(read_events(path, today=TODAY, cutoff_minutes=m).table["day0"][0].date())
            for m in (0, 5, 6)
        ]
        assert days == ["2019-05-22", "2019-05-23", "2019-05-23"]

    def test_what_a_run_writes_can_be_read_again(self, write, tmp_path: Path) -> None:
        text = (
            HEAD
            + "a,AAPL,2019-05-22,America/New_York,^GSPC,x\nb,002415.SZ,2019-09-30T16:00,Asia/Shanghai,,\n"
        )
        first = read_events(write(text), today=TODAY)
        out = first.table.assign(status="ok", reason="", nobs="250")
        out.to_csv(tmp_path / "run.csv", index=False)
        again = read_events(tmp_path / "run.csv", today=TODAY)
        columns = list(first.table)
        pd.testing.assert_frame_equal(again.table[columns], first.table)
        assert again.table["status"].tolist() == ["ok", "ok"]

    def test_a_day0_years_away_is_a_slip(self, write) -> None:
        text = "ticker,announced_at,day0\nAAPL,2022-05-02,2019-05-02\nAAPL,2022-05-02,2022-03-01\n"
        with pytest.raises(EventsFileError) as error:
            read_events(write(text), today=TODAY)
        (problem,) = error.value.problems
        assert (problem.line, problem.column) == (2, "day0")
        assert "more than a year" in problem.what

    def test_the_bundled_file(self) -> None:
        events = read_events(ROOT / "events.csv", today=TODAY)
        first = events.table.iloc[0]
        assert (first["ticker"], str(first["day0"].date())) == ("002415.SZ", "2019-05-22")
        assert len(events) == 230
        assert events.columns_in[:6] == (
            "event_id",
            "announced_at",
            "tz",
            "company",
            "ticker",
            "benchmark",
        )
        rest = events.table.iloc[1:]
        assert rest["announced_at"].is_monotonic_increasing
        assert (
            not (events.table[["company", "source", "source_url", "direction"]] == "").any().any()
        )
        if SANCTIONS.is_dir():
            self.differences_are_settled(events)

    def differences_are_settled(self, events: Events) -> None:
        """Every day 0 that differs from the first session found by hand stands in the docs."""
        by_hand = {}
        for file in SANCTIONS.glob("*.csv"):
            with file.open(encoding="utf-8", newline="") as lines:
                by_hand |= {row["event_id"]: row["first_session"] for row in csv.DictReader(lines)}
        by_hand["hikvision-2019-05-22-report"] = by_hand["hikvision-2019-05-21-nyt"]
        settled = (ROOT / "docs" / "day0-differences.md").read_text(encoding="utf-8")
        days = events.table["day0"].dt.strftime("%Y-%m-%d")
        rows = zip(events.table["event_id"], events.table["ticker"], days, strict=True)
        differing = {
            e: f"| {e} | {t} | {day} | {by_hand[e]} |" for e, t, day in rows if day != by_hand[e]
        }
        assert not [line for line in differing.values() if line not in settled]
        late = events.table.loc[events.table["when"] == "after_close", "event_id"]
        assert len(late) == 12, "the sections of the document are these"
        assert len(set(differing) - set(late)) == 22


class TestDataCalendar:
    def test_any_name_and_any_day(self, write) -> None:
        text = (
            "ticker,announced_at,tz,day0\n10107,2019-05-25,,\nFirm A,2019-05-22T23:30,Asia/Tokyo,\n"
            "ZAIN.KW,2019-05-24,,\nAAPL,2019-05-22T17:00,America/New_York,\nB.QQ,2019-05-24,,2019-05-26\n"
        )
        table = read_events(write(text), calendar="data", today=TODAY).table
        assert table["exchange"].tolist() == ["", "", "XKUW", "XNYS", ""]
        assert table["day0"].dt.strftime("%m-%d").tolist() == [
            "05-25",
            "05-22",
            "05-24",
            "05-23",
            "05-26",
        ]

    def test_outside_the_calendar_the_local_date_is_taken(self, write) -> None:
        text = "ticker,announced_at\n600000.SS,1985-03-04T20:00Z\n"
        table = read_events(write(text), calendar="data", today=TODAY).table
        assert str(table["day0"][0].date()) == "1985-03-05"

    def test_unknown_choice(self, write) -> None:
        with pytest.raises(ConfigError, match="unknown calendar"):
            read_events(write(HEAD), calendar="exchanges")


class TestFile:
    def test_missing_file_has_a_hint(self, write) -> None:
        path = write(HEAD)
        with pytest.raises(EventStudyError, match=r"no such file.*events\.csv"):
            read_events(path.with_name("event.csv"))

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(EventStudyError, match="folder"):
            read_events(tmp_path)

    def test_impossible_path(self) -> None:
        with pytest.raises(EventStudyError, match="cannot be read"):
            read_events("a\0b")

    @pytest.mark.parametrize("content", ["", "\n\n", "  \n", "\ufeff"])
    def test_empty(self, problems, content: str) -> None:
        problem = only(problems(content), "")
        assert "empty" in problem.what
        assert "ticker and announced_at" in problem.remedy

    def test_header_only(self, problems) -> None:
        assert "no events" in only(problems(HEAD), "").what

    def test_latin1_names_line_and_byte(self, problems) -> None:
        content = (HEAD + ",AAPL,2019-05-22,,,ok\r\n,MSFT,2019-05-22,,,Z\u00fcrich\n").encode(
            "latin-1"
        )
        problem = only(problems(content), "")
        assert (problem.line, problem.value) == (3, "0xfc")
        assert "UTF-8" in problem.what

    @pytest.mark.parametrize(
        ("content", "word"),
        [
            (HEAD.encode("utf-16"), "UTF-16"),
            (HEAD.encode("utf-16-le"), "UTF-16"),
            (b"PK\x03\x04 something", "xlsx"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "xls"),
        ],
    )
    def test_other_formats(self, problems, content: bytes, word: str) -> None:
        assert word in only(problems(content), "").what

    @pytest.mark.parametrize(
        ("header", "column", "remedy"),
        [
            ("ticker,anounced_at", "announced_at", "rename 'anounced_at' to 'announced_at'"),
            ("tiker,announced_at", "ticker", "rename 'tiker' to 'ticker'"),
            ("ticker,xyz", "announced_at", "the first line must name"),
        ],
    )
    def test_missing_column(self, problems, header: str, column: str, remedy: str) -> None:
        problem = only(problems(header + "\nAAPL,2019-05-22\n"), column)
        assert problem.line == 1
        assert remedy in problem.remedy

    def test_two_missing_columns_are_both_told(self, problems) -> None:
        assert [p.column for p in problems("a,b\n1,2\n")] == ["ticker", "announced_at"]

    def test_zone_column_of_another_name_is_not_passed_over(self, problems) -> None:
        problem = only(
            problems("ticker,announced_at,timezone\nAAPL,2019-05-22,Asia/Tokyo\n"), "timezone"
        )
        assert "'tz'" in problem.remedy

    def test_header_names_twice_or_empty(self, problems) -> None:
        found = problems("ticker,announced_at,note,note,\nAAPL,2019-05-22,,,\n")
        assert [(p.line, p.column) for p in found] == [(1, "note"), (1, "")]
        assert "column 5" in found[1].what

    def test_a_faulty_header_gives_no_events(self, write) -> None:
        assert (
            check_events(write("ticker,announced_at,\nAAPL,2019-05-22,\n"), today=TODAY)[0] is None
        )


class TestCells:
    @pytest.mark.parametrize(
        ("stamp", "what", "remedy"),
        [
            ("2019-13-05", "no such day", "YYYY-MM-DD"),
            ("2019-02-29", "no such day", "YYYY-MM-DD"),
            ("05/06/2019", "ambiguous", "2019-05-06 (6 May) or 2019-06-05 (5 June)"),
            ("05/05/2019", "YYYY-MM-DD", "write 2019-05-05"),
            ("5/22/19", "YYYY-MM-DD", "write 2019-05-22"),
            ("20190522", "YYYY-MM-DD", "write 2019-05-22"),
            ("2019-05-22 after close", "column", "write 2019-05-22, and after_close in the column"),
            ("2019-05-22 BMO", "column", "write 2019-05-22, and before_open in the column"),
            ("31/31/2019", "no such day", ""),
            ("43607", "day number", "2019-05-22"),
            ("43607.5", "day number", "2019-05-22"),
            ("٢٠١٩-٠٥-٢٢", "neither a date", ""),
            ("1949-12-31", "before 1950", ""),
            ("2026-07-01", "future", ""),
            ("9999-12-31T23:59-12:00", "future", ""),
            ("0001-01-01T00:00+14:00", "before 1950", ""),
            ("2019-05-22T25:61", "no such time", "00:00 to 23:59"),
            ("2019-05-22T24:00Z", "no such time", ""),
            ("2019-05-22T10:00 EST", "no such time", "offset"),
            ("2019-05-22 4:30 PM", "form of twelve hours", "write 2019-05-22 16:30, and its zone"),
            ("2019-05-22T12:05 a.m.", "form of twelve hours", "write 2019-05-22 00:05"),
            (
                "2019-05-22 16:20 America/New_York",
                "the zone has a column of its own",
                "write 2019-05-22 16:20, and America/New_York in the column 'tz'",
            ),
            ("2019-05-22T10:00+25:00", "no such offset", ""),
            ("2019-05-22T10:00", "needs a time zone", "'tz'"),
            (
                "2019-05-22 00:00:00",
                "needs a time zone",
                "write 2019-05-22 if only the day is known",
            ),
            ("", "empty", ""),
        ],
    )
    def test_announced_at(self, row_problems, stamp: str, what: str, remedy: str) -> None:
        problem = only(row_problems(f"x,AAPL,{stamp},,,"), "announced_at")
        assert what in problem.what
        assert remedy in problem.remedy
        assert problem.value in (stamp, None, stamp[-6:], stamp[:10])

    @pytest.mark.parametrize(
        ("stamp", "zone", "what"),
        [
            ("2019-03-10T02:30", "America/New_York", "did not exist in America/New_York"),
            ("2019-11-03T01:30", "America/New_York", "twice in America/New_York"),
            ("2019-05-22T10:00-05:00", "America/New_York", "contradicts the zone America/New_York"),
            ("2019-03-10T02:30-05:00", "America/New_York", "contradicts"),
            (
                "2019-07-30T15:30",
                "EST",
                "EST is winter time, and on this day clocks in America/New_York",
            ),
            ("2019-07-30T15:30", "MST", "clocks in America/Denver showed summer time"),
        ],
    )
    def test_stamp_against_zone(self, row_problems, stamp: str, zone: str, what: str) -> None:
        assert what in only(row_problems(f"x,AAPL,{stamp},{zone},,"), "announced_at").what

    def test_the_later_of_two_equal_times_can_be_given_with_its_offset(self) -> None:
        instants = [
            parse_announcement(f"2019-11-03T01:30{o}", "America/New_York").instant
            for o in ("-04:00", "-05:00")
        ]
        assert instants[1] - instants[0] == dt.timedelta(hours=1)

    @pytest.mark.parametrize(
        ("zone", "remedy"),
        [
            ("Amercia/New_York", "'America/New_York'"),
            ("Asia/Shangai", "'Asia/Shanghai'"),
            ("../x", "IANA"),
        ],
    )
    def test_unknown_zone(self, row_problems, zone: str, remedy: str) -> None:
        problem = only(row_problems(f"x,AAPL,2019-05-22T10:00,{zone},,"), "tz")
        assert problem.value == zone
        assert remedy in problem.remedy

    @pytest.mark.parametrize(
        ("ticker", "what", "remedy"),
        [
            ("", "empty", ""),
            ("aapl", "small letters", "'AAPL'"),
            ("BRK B", "space", "'BRK-B'"),
            ("NVDA US", "space", "'NVDA'"),
            ("BRK/B US Equity", "space", "'BRK-B'"),
            ("BP/ LN", "space", "'BP.L'"),
            ("SAP GY", "space", "'SAP.DE'"),
            ("700 HK", "space", "'0700.HK'"),
            ("600519 CH", "space", "'600519.SS'"),
            ("000725 CH", "space", "'000725.SZ'"),
            ("7203 JT", "space", "'7203.T'"),
            ("MC FP Equity", "space", "'MC.PA'"),
            ("VOLVB SS", "space", "write the symbol of Yahoo"),
            ("SBER.MX2", "unknown market suffix", "'SBER.MX'"),
            ("002415.SH2", "unknown market suffix", ".SS"),
            ("725", "only a number", "000725.SZ"),
            ("725.SZ", "lost leading zeros", "'000725.SZ'"),
            ("700.HK", "lost leading zeros", "'0700.HK'"),
            ("\u0410\u0410PL", "U+0410 CYRILLIC CAPITAL LETTER A", "Latin"),
            ("AAPL!", "not a Yahoo symbol", ""),
            ("AAPL.", "not a Yahoo symbol", ""),
            ("../../etc/passwd", "not a Yahoo symbol", ""),
            ("ZAIN.KW", "no trading calendar", "day0"),
            ("^NOWHERE", "index", "data"),
        ],
    )
    def test_ticker(self, row_problems, ticker: str, what: str, remedy: str) -> None:
        problem = only(row_problems(f"x,{ticker},2019-05-22,,,"), "ticker")
        assert what in problem.what
        assert problem.value == (ticker or None)
        assert remedy in problem.remedy

    @pytest.mark.parametrize(
        ("benchmark", "what"),
        [
            ("AAPL", "the stock itself"),
            ("^GSPC.QQ", "unknown market suffix"),
            ("^gspc", "small letters"),
            ("300", "only a number"),
            ("^\u0421AC", "outside A-Z"),
        ],
    )
    def test_benchmark(self, row_problems, benchmark: str, what: str) -> None:
        assert what in only(row_problems(f"x,AAPL,2019-05-22,,{benchmark},"), "benchmark").what

    def test_control_characters(self, row_problems) -> None:
        assert "U+0000" in only(row_problems("x,AAPL,2019-05-22,,,a\0b"), "note").what
        assert "U+001B" in only(row_problems("x,AAPL,2019-05-22,,,a\x1bb"), "note").what
        assert "U+FFFE" in only(row_problems("x,AAPL,2019-05-22,,,a\ufffeb"), "note").what
        assert "U+FFFF" in only(row_problems("x,AAPL,2019-05-22,,,a\uffffb"), "note").what

    def test_number_of_cells(self, row_problems) -> None:
        assert "double quotes" in only(row_problems("x,AAPL,2019-05-22,,,one, two"), "").remedy
        assert "3 cells where the header has 6" in only(row_problems("x,AAPL,2019-05-22"), "").what
        [alone] = row_problems("x")
        assert str(alone).endswith(": 1 cell where the header has 6")
        assert ": :" not in str(alone)
        assert str(alone).count(":") == 1, "no column is named where none is at fault"

    def test_long_values_are_shortened(self, row_problems) -> None:
        problem = only(row_problems(f"x,AAPL,{'9' * 5000},,,"), "announced_at")
        assert len(problem.value) == 60

    def test_a_cell_beyond_the_limit(self, problems) -> None:
        found = problems(HEAD + f"x,AAPL,2019-05-22,,,{'a' * 140_000}\ny,aapl,2019-05-22,,,\n")
        assert [(p.line, p.column) for p in found] == [(2, ""), (3, "ticker")]
        assert "131,072" in found[0].what

    def test_all_faults_of_a_row(self, row_problems) -> None:
        found = row_problems("x,brk b.xyz,5/2/19,Mars,brk b.xyz,a\x01")
        assert [p.column for p in found] == [
            *("note", "ticker", "ticker", "ticker"),
            *("benchmark", "benchmark", "benchmark", "benchmark", "tz", "announced_at"),
        ]


class TestOtherForms:
    """What notebooks take the command takes: names of columns, dates, spreadsheets."""

    @pytest.mark.parametrize("name", ["date", "Event Date", "event_date"])
    def test_usual_names_of_columns(self, tmp_path, name: str) -> None:
        path = tmp_path / "events.csv"
        path.write_text(f"symbol,{name}\nAAPL,2019-05-22\n")
        events = read_events(path)
        assert events.symbols == ["AAPL"]
        said = " ".join(events.notices)
        assert "read as ticker" in said
        assert "read as announced_at" in said

    @pytest.mark.parametrize(
        ("header", "index", "is_said"),
        [("market", "^HSI", True), ("market", "Hong Kong", False), ("benchmark", "^HSI", False)],
    )
    def test_an_index_in_a_column_of_another_name(self, tmp_path, header, index, is_said) -> None:
        path = tmp_path / "events.csv"
        path.write_text(f"ticker,announced_at,{header}\nAAPL,2019-05-22,{index}\n")
        said = " ".join(read_events(path).notices)
        assert ("'market' of the events holds index symbols such as '^HSI'" in said) is is_said

    @pytest.mark.parametrize(
        ("dates", "is_said"),
        [
            (["22.5.2019", "3.6.2019"], True),
            (["5/22/2019", "6/3/2019"], True),
            (["2019/05/22", "2019-6-3"], False),
            (["22 May 2019", "June 3, 2019"], False),
        ],
    )
    def test_a_file_shows_which_number_is_the_day(self, tmp_path, dates, is_said) -> None:
        path = tmp_path / "events.csv"
        rows = [f'AAPL,"{date}"\n' for date in dates]
        path.write_text("ticker,announced_at\n" + "".join(rows))
        events = read_events(path)
        assert events.table["day0"].dt.strftime("%Y-%m-%d").tolist() == ["2019-05-22", "2019-06-03"]
        assert any("of the events are read" in said for said in events.notices) == is_said

    @pytest.mark.parametrize(
        ("name", "cell", "remedy"),
        [
            ("time", "16:30", "write it behind the date, as 2019-05-22T16:30"),
            ("Release Time (ET)", "4:30 PM", "write it behind the date"),
            ("hour", "16", "write it behind the date"),
            ("timing", "AMC", "name the column 'when'"),
            ("session", "time-after-hours", "name the column 'when'"),
        ],
    )
    def test_times_that_nothing_would_read_are_refused(self, problems, name, cell, remedy) -> None:
        rows = f"MSFT,2019-06-03,\nAAPL,2019-05-22,{cell}\n"
        problem = only(problems(f"ticker,announced_at,{name}\n{rows}"), name)
        assert (problem.line, problem.value) == (1, cell)
        assert problem.remedy.startswith(remedy)
        told = {"when": "after_close", "day0": "2019-05-23"}
        for column, value in told.items():
            rows = f"MSFT,2019-06-03,,\nAAPL,2019-05-22,{cell},{value}\n"
            assert problems(f"ticker,announced_at,{name},{column}\n{rows}") == []
        rows = f"AAPL,2019-05-22T16:30-04:00,{cell}\n"
        assert problems(f"ticker,announced_at,{name}\n{rows}") == []

    @pytest.mark.parametrize(
        ("name", "cell"),
        [
            ("time", "00:00:00"), ("time", "3"), ("time", "post"), ("session", "spring session"),
            ("meeting_time", "16:30"), ("hours", "8"), ("timing", "bad"),
        ],
    )  # fmt: skip
    def test_columns_of_another_meaning_are_kept(self, problems, name, cell) -> None:
        assert problems(f"ticker,announced_at,{name}\nAAPL,2019-05-22,{cell}\n") == []

    def test_dates_that_contradict_each_other_are_refused(self, problems) -> None:
        both = HEAD + ",AAPL,05/22/2019,,,\n,MSFT,22/05/2019,,,\n,AMD,05/06/2019,,,\n"
        assert [p.line for p in problems(both)] == [2, 3, 4]

    def test_a_spreadsheet(self, tmp_path) -> None:
        path = tmp_path / "events.xlsx"
        table = pd.DataFrame({
            "ticker": ["AAPL", "MSFT"], "announced_at": pd.to_datetime(["2019-05-22", "2019-06-03"]),
            "mcap": [1.5, 2.0], "remark": ["", "two, of them"],
        })  # fmt: skip
        table.to_excel(path, index=False)
        table.to_csv(tmp_path / "events.csv", index=False)
        given, wanted = read_events(path), read_events(tmp_path / "events.csv")
        pd.testing.assert_frame_equal(
            given.table.drop(columns="mcap"), wanted.table.drop(columns="mcap")
        )
        assert given.table["mcap"].tolist() == ["1.5", "2"]

    def test_a_spreadsheet_of_several_sheets(self, tmp_path) -> None:
        path = tmp_path / "events.xlsx"
        rows = pd.DataFrame({"symbol": ["AAPL", "MSFT"], "date": ["2019-05-22", "2019-06-03"]})
        remarks = pd.DataFrame({"Remarks": ["found by hand"]})

        def write(**sheets: pd.DataFrame) -> None:
            with pd.ExcelWriter(path) as writer:
                for title, sheet in sheets.items():
                    sheet.to_excel(writer, sheet_name=title, index=False)

        write(Readme=remarks, List=rows, Empty=pd.DataFrame())
        events = read_events(path)
        assert events.symbols == ["AAPL", "MSFT"]
        assert "the sheet 'List' of the workbook is read, not 'Readme'" in events.notices
        write(Empty=pd.DataFrame())
        assert [p.what for p in check_events(path)[1]] == ["the file is empty"]
        write(Y2021=rows[:1], Y2022=rows[1:])
        checked, [problem] = check_events(path)
        assert checked is None
        assert problem.what.endswith("could be meant: 'Y2021' and 'Y2022'")
        write(Readme=remarks, List=rows.rename(columns={"symbol": "firm"}))
        assert [p.what for p in check_events(path)[1]] == [
            "the sheet 'Readme' of the workbook is read, and neither it nor 'List' names the columns",
            *["column is missing"] * 2,
        ]
        named = Events.given(path, columns={"ticker": "firm"})
        assert named.symbols == ["AAPL", "MSFT"]


class TestAcrossRows:
    def test_id_used_twice(self, problems) -> None:
        problem = only(problems(HEAD + "x,AAPL,2019-05-22,,,\nx,MSFT,2019-05-22,,,\n"), "event_id")
        assert (problem.line, problem.value) == (3, "x")
        assert "line 2" in problem.what

    def test_same_listing_and_day0_are_one_event_with_a_notice(self, tmp_path) -> None:
        path = tmp_path / "events.csv"
        rows = [
            "x,AAPL,2019-05-25,adverse",
            "y,AAPL,2019-05-27T10:00Z,relief",
            "z,MSFT,2019-05-25,",
        ]
        path.write_text("\n".join(["event_id,ticker,announced_at,direction", *rows]), "utf-8")
        events = read_events(path)
        assert events.table["event_id"].tolist() == ["x", "y", "z"]
        [notice] = [text for text in events.notices if "part of its event" in text]
        assert notice.endswith("y of x, though it has direction 'relief'")

    def test_a_column_of_dates_with_midnight_is_told_for_what_it_is(self, problems) -> None:
        found = problems(HEAD + "x,AAPL,2019-05-22 00:00:00,,,\ny,MSFT,2019-05-23 00:00:00,,,\n")
        assert [p.what for p in found] == ["is a date with 00:00 behind it, as in all rows"] * 2
        assert [p.remedy for p in found] == ["write 2019-05-22", "write 2019-05-23"]
        other = problems(HEAD + "x,AAPL,2019-05-22 00:00:00,,,\ny,MSFT,2019-05-23,,,\n")
        assert "needs a time zone" in only(other, "announced_at").what

    def test_an_index_of_pandas(self, problems) -> None:
        problem = only(problems(",ticker,announced_at\n0,AAPL,2019-05-22\n"), "")
        assert problem.what == "column 1 of the header has no name"
        assert "to_csv(index=False)" in problem.remedy

    def test_line_numbers_are_an_editors(self, problems) -> None:
        text = (
            HEAD
            + '\nx,AAPL,2019-05-22,,,"one\ntwo\r\nthree"\n\ny,MSFT,2019-05,,,"a\nb"\nz,INTC,2019-06,,,\n'
        )
        assert [p.line for p in problems(text)] == [7, 9]

    def test_form_feeds_are_no_line_ends(self, problems) -> None:
        text = HEAD + "x,AAPL,2019-05-22,,,one\u2028two\x85three\ny,MSFT,2019-05,,,\n"
        assert [p.line for p in problems(text)] == [3]

    def test_unclosed_quote(self, problems) -> None:
        text = (
            HEAD
            + 'x,AAPL,2019-05-22,,,ok\ny,MSFT,2019-05-22,,,"never closed\nz,INTC,2019-05-22,,,\n'
        )
        problem = only(problems(text), "")
        assert problem.line == 3
        assert "never closed" in problem.what

    def test_unpaired_quote_does_not_hide_later_rows(self, problems) -> None:
        text = HEAD + 'x,AAPL,2019-05-22,,,"a "b" c"\ny,msft,2019-05-22,,,\n'
        assert [(p.line, p.column) for p in problems(text)] == [(2, ""), (3, "ticker")]

    def test_good_rows_are_kept_beside_bad_ones(self, write) -> None:
        path = write(HEAD + "x,AAPL,2019-05-22,,,\ny,msft,2019-05-22,,,\nz,INTC,2019-05-22,,,\n")
        events, found = check_events(path, today=TODAY)
        assert events.table["event_id"].tolist() == ["x", "z"]
        assert [p.line for p in found] == [3]
        with pytest.raises(EventsFileError) as caught:
            read_events(path, today=TODAY)
        assert caught.value.problems == tuple(found)
        assert "events.csv:3: ticker: has small letters, got 'msft'; did you mean 'MSFT'?" in str(
            caught.value
        )

    def test_problems_come_by_line(self, problems) -> None:
        text = HEAD + "x,AAPL,2019-05,,,\nx,MSFT,2019-05-22,,,\ny,msft,2019-05-22,,,\n"
        assert [p.line for p in problems(text)] == [2, 3, 4]


class TestDay0Column:
    HEAD = "ticker,announced_at,day0\n"

    @pytest.mark.parametrize("day0", ["2019-10-08", "2019-10-08 00:00:00", "2019-10-08T00:00"])
    def test_override(self, write, day0: str) -> None:
        events = read_events(write(f"{self.HEAD}600000.SS,2019-09-29,{day0}\n"), today=TODAY)
        assert str(events.table["day0"][0].date()) == "2019-10-08"

    def test_must_be_a_session(self, problems) -> None:
        problem = only(problems(self.HEAD + "600000.SS,2019-09-29,2019-10-02\n"), "day0")
        assert "2019-10-08" in problem.remedy

    @pytest.mark.parametrize("day0", ["soon", "1985-01-02", "2060-01-02", "05/06/2019"])
    def test_unusable(self, problems, day0: str) -> None:
        only(problems(f"{self.HEAD}600000.SS,2019-09-29,{day0}\n"), "day0")


class TestFuture:
    @pytest.mark.parametrize(
        ("now", "row", "future"),
        [
            # 23:30 UTC on 30 June is 1 July in Tokyo and 30 June in New York
            ("2026-06-30T23:30", "7203.T,2026-07-01,", False),
            ("2026-06-30T23:30", "AAPL,2026-07-01,", True),
            ("2026-06-30T23:30", "AAPL,2026-07-01,Asia/Tokyo", False),
            ("2026-06-30T23:30", "AAPL,2026-06-30T19:29-04:00,", False),
            ("2026-06-30T23:30", "AAPL,2026-06-30T19:31-04:00,", True),
            ("2026-06-30", "AAPL,2026-07-01,", True),
            ("2026-06-30", "AAPL,2026-06-30T23:59Z,", False),
        ],
    )
    def test_now(self, write, now: str, row: str, future: bool) -> None:
        today = dt.datetime.fromisoformat(now) if "T" in now else dt.date.fromisoformat(now)
        found = check_events(write("ticker,announced_at,tz\n" + row + "\n"), today=today)[1]
        assert bool(found) is future

    def test_default_is_now(self, write) -> None:
        tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
        assert check_events(write(f"ticker,announced_at\nAAPL,{tomorrow}\n"))[1]


class TestFrame:
    def test_same_as_the_file(self, write) -> None:
        path = write(
            HEAD + "x,AAPL,2019-05-22,,^GSPC,é\ny,MSFT,2019-05-22T10:00-04:00,America/New_York,,\n"
        )
        frame = pd.read_csv(path)
        events = events_from_frame(frame, today=TODAY)
        pd.testing.assert_frame_equal(events.table, read_events(path, today=TODAY).table)
        assert events.source == "frame"
        assert events.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_types_of_cells(self) -> None:
        frame = pd.DataFrame(
            {
                "ticker": [10107, 10108],
                "announced_at": pd.to_datetime(["2019-05-22", "2019-05-23"]),
                "size": [1.5, None],
                "n": [2.0, float("nan")],
                "day0": [dt.date(2019, 5, 23), pd.NaT],
                "big": pd.array([1, None], dtype="Int64"),
            }
        )
        table = events_from_frame(frame, calendar="data", today=TODAY).table
        assert table["ticker"].tolist() == ["10107", "10108"]
        assert table["announced_at"].tolist() == ["2019-05-22", "2019-05-23"]
        assert table["day0"].astype(str).tolist() == ["2019-05-23", "2019-05-23"]
        assert table[["size", "n", "big"]].to_numpy().tolist() == [["1.5", "2", "1"], ["", "", ""]]

    def test_stamps_with_a_zone(self) -> None:
        stamps = (
            pd.to_datetime(["2019-05-21T14:11"]).tz_localize("UTC").tz_convert("Pacific/Auckland")
        )
        events = events_from_frame(
            pd.DataFrame({"ticker": ["002415.SZ"], "announced_at": stamps}), today=TODAY
        )
        assert events.table["announced_at"][0] == "2019-05-22T02:11:00+12:00"
        assert str(events.table["day0"][0].date()) == "2019-05-22"

    def test_problems_have_the_line_of_the_csv(self) -> None:
        frame = pd.DataFrame(
            {"ticker": ["AAPL", "x\ud800"], "announced_at": ["2019-05-22", None]},
            index=[7, 9],
            dtype=object,
        )
        with pytest.raises(EventsFileError) as caught:
            events_from_frame(frame, today=TODAY)
        assert {p.line for p in caught.value.problems} == {3}
        assert str(caught.value).startswith("frame: ")

    @pytest.mark.parametrize(
        "frame", [pd.DataFrame(), pd.DataFrame({"ticker": [], "announced_at": []})]
    )
    def test_empty(self, frame: pd.DataFrame) -> None:
        with pytest.raises(EventsFileError) as caught:
            events_from_frame(frame)
        assert caught.value.problems


class TestEvents:
    @pytest.fixture
    def events(self, write) -> Events:
        rows = "".join(f"e{i},AAPL,2019-05-{13 + i},,,<b>{i}</b>\n" for i in range(5))
        return read_events(write(HEAD + rows), today=TODAY)

    def test_html_is_escaped(self, events: Events) -> None:
        events.table["event_id"] = [f"<i>{i}" for i in range(5)]
        events.table["<u>"] = "x"
        shown = events._repr_html_()
        assert "&lt;i&gt;0" in shown
        assert "&lt;u&gt;" in shown
        assert not any(tag in shown for tag in ("<b>", "<i>", "<u>"))
        assert "5 events, 1 tickers" in repr(events)
