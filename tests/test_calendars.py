"""Which exchange, which session: the cases are facts of the exchanges, not outputs of the code."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import os
import pickle
import re
import subprocess
import sys
import time
import tomllib
import zoneinfo
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs
import pytest
from platformdirs import PlatformDirs, windows
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows

from eventstudy.calendars import schedule_cache as calendar_cache
from eventstudy.calendars import sessions as calendars
from eventstudy.calendars.exchanges import EXCHANGES, exchange_of
from eventstudy.calendars.schedule_cache import cache_dir
from eventstudy.calendars.sessions import Sessions, data_sessions, sessions
from eventstudy.errors import DataError
from eventstudy.events.announcements import (
    Announcement,
    day0_position,
    parse_announcement,
    to_instant,
)

ROOT = Path(__file__).parents[1]


def day0(ticker: str, stamp: str, tz: str = "", cutoff_minutes: float = 0) -> str:
    exchange = exchange_of(ticker)
    assert exchange is not None
    assert exchange.calendar is not None
    known = sessions(exchange.calendar)
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
    exchange = exchange_of(ticker)
    assert exchange is not None
    assert (exchange.code, exchange.benchmark) == (code, benchmark)


def test_an_index_may_have_no_known_home() -> None:
    assert exchange_of("^NOWHERE") is None


@pytest.mark.parametrize(
    ("ticker", "hint"),
    [
        ("002415.sz", "002415.SZ"),
        ("600000.SH", "'.SS'"),
        ("BRK.B", "BRK-B"),
        ("AAPL.US", "no suffix"),
        ("VOD.LN", "'.L'"),
        ("SAP.DEE", "'.DE'"),
    ],
)
def test_unknown_suffix_has_a_hint(ticker: str, hint: str) -> None:
    with pytest.raises(DataError, match="unknown market suffix") as caught:
        exchange_of(ticker)
    assert hint in str(caught.value)


@pytest.mark.parametrize("suffix", ["CA", "HA", "KW", "QA", "AE", "CR", "VN"])
def test_markets_without_a_calendar_say_what_to_do(suffix: str) -> None:
    with pytest.raises(DataError, match="no trading calendar") as caught:
        exchange_of(f"X.{suffix}")
    assert "day0" in str(caught.value)
    assert 'calendar = "data"' in str(caught.value)


def test_every_benchmark_belongs_to_a_known_exchange() -> None:
    for exchange in EXCHANGES.values():
        if exchange.benchmark and exchange.calendar:
            home = exchange_of(exchange.benchmark)
            assert home is not None, exchange
            assert home.calendar == exchange.calendar or home.benchmark in (
                "^FTSE",
                "^GDAXI",
                "^GSPTSE",
            )


@pytest.mark.parametrize("name", ["XNYS", "XSHG", "XHKG", "XLON", "XTKS", "XMOS"])
def test_sessions_are_sound(name: str) -> None:
    known = sessions(name)
    assert known is sessions(name)
    assert known.code == name
    assert [a.dtype.str for a in (known.dates, known.opens, known.closes)] == [
        "<M8[D]",
        "<M8[s]",
        "<M8[s]",
    ]
    assert (np.diff(known.dates).astype(int) > 0).all()
    assert (known.opens < known.closes).all()
    assert (known.opens[1:] > known.closes[:-1]).all()
    assert not known.closes.flags.writeable
    assert known.tz in zoneinfo.available_timezones()


def test_known_numbers_of_sessions() -> None:
    def count(name: str, year: int) -> int:
        return int((sessions(name).dates.astype("datetime64[Y]") == np.datetime64(str(year))).sum())

    assert [count("XNYS", year) for year in (2018, 2019, 2020, 2021)] == [251, 252, 253, 252]
    assert [count("XSHG", year) for year in (2018, 2019, 2020)] == [243, 244, 243]
    assert count("XLON", 2019) == 253


def test_moscow_was_shut_in_march_2022() -> None:
    dates = sessions("XMOS").dates.astype(str)
    assert {"2022-02-25", "2022-03-24"} <= set(dates)
    assert not [d for d in dates if "2022-02-28" <= d <= "2022-03-23"]


def test_out_of_bounds_names_calendar_value_and_bound() -> None:
    shanghai = sessions("XSHG")
    with pytest.raises(DataError) as caught:
        shanghai.position(dt.date(1985, 5, 5))
    assert all(word in str(caught.value) for word in ("XSHG", "1985-05-05", "before", "1990-12-"))
    with pytest.raises(DataError) as caught:
        shanghai.position(np.datetime64("2299-01-01"))
    assert all(
        word in str(caught.value)
        for word in ("XSHG", "2299-01-01", "after", str(shanghai.dates[-1]))
    )
    for year in (1985, 2299):
        with pytest.raises(DataError, match="XSHG"):
            shanghai.first_after(dt.datetime(year, 1, 1, tzinfo=dt.UTC))


def test_first_day_of_a_calendar_counts() -> None:
    shanghai = sessions("XSHG")
    early = dt.datetime.combine(
        shanghai.dates[0].item(), dt.time(1), zoneinfo.ZoneInfo("Asia/Shanghai")
    )
    assert shanghai.first_after(early) == 0


def test_unknown_calendar() -> None:
    with pytest.raises(DataError, match="no such trading calendar"):
        sessions("XNIS")


def test_announcement_without_anything_is_an_error() -> None:
    with pytest.raises(DataError, match="date or an instant"):
        day0_position(Announcement(), sessions("XNYS"))


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "eventstudy"


def load(name: str = "XTAI") -> Sessions:
    return sessions.__wrapped__(name)


def same(a: Sessions, b: Sessions) -> bool:
    pairs = zip((a.dates, a.opens, a.closes), (b.dates, b.opens, b.closes), strict=True)
    return (a.code, a.tz) == (b.code, b.tz) and all(np.array_equal(x, y) for x, y in pairs)


def python(code: str, *first: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that looks for packages in `first` before all other places."""
    path = os.pathsep.join(map(str, (*first, ROOT)))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_cache_is_used(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = load()
    (file,) = fresh_cache.iterdir()
    assert file.name.startswith("calendar-XTAI-")
    monkeypatch.setattr(calendars, "_build", None)
    assert same(load(), built)


def signed(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


@pytest.mark.parametrize(
    "damage",
    [
        "empty",
        "text",
        "cut",
        "flipped",
        "pickle",
        "unsorted",
        "rules",
        "no_rules",
        "foreign",
        "other",
    ],
)
def test_damaged_cache_is_made_again(fresh_cache: Path, damage: str) -> None:
    built = load()
    (file,) = fresh_cache.iterdir()
    raw = file.read_bytes()
    _, head, numbers = raw.split(b"\n", 2)
    about = json.loads(head)
    backwards = np.frombuffer(numbers, "<i8").reshape(3, -1)[:, ::-1].tobytes()
    no_rules = {name: value for name, value in about.items() if name != "zone_rules"}
    file.write_bytes({
        "empty": b"",
        "text": b"not a schedule",
        "cut": raw[: len(raw) // 2],
        "flipped": raw[:3000] + bytes([255 - raw[3000]]) + raw[3001:],
        "pickle": signed(pickle.dumps(built.tz)),
        "unsorted": signed(head + b"\n" + backwards),
        "rules": signed(json.dumps({**about, "zone_rules": "0" * 64}).encode() + b"\n" + numbers),
        "no_rules": signed(json.dumps(no_rules).encode() + b"\n" + numbers),
        "foreign": signed(b"[]\n" + numbers),
        "other": signed(json.dumps({**about, "calendar": "XHKG"}).encode() + b"\n" + numbers),
    }[damage])  # fmt: skip
    assert same(load(), built)
    assert file.read_bytes() == raw
    assert [*fresh_cache.iterdir()] == [file]


@pytest.mark.parametrize("library", ["pandas", "numpy", "exchange_calendars", "tzdata"])
def test_other_versions_have_a_cache_of_their_own(
    fresh_cache: Path, tmp_path: Path, library: str
) -> None:
    built = load()
    folder = tmp_path / "site" / f"{library}-0.99.dist-info"
    folder.mkdir(parents=True)
    folder.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {library}\nVersion: 0.99\n"
    )
    run = python(
        "import numpy as np; from eventstudy.calendars import schedule_cache as c\n"
        "span = ('1990-01-01', '2035-12-31');"
        "assert c.load('XTAI', *span) is None; c.keep('XTAI', *span, 'Asia/Taipei', np.ones((3, "
        "1), int));"
        "assert c.load('XTAI', *span)[1].shape == (3, 1)",
        tmp_path / "site",
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert len([*fresh_cache.iterdir()]) == 2
    assert same(load(), built)


def test_the_key_has_all_that_exchange_calendars_needs() -> None:
    needed = {re.match(r"[\w-]+", line)[0] for line in importlib.metadata.requires("exchange_calendars") or ()
              if "extra ==" not in line}  # fmt: skip
    assert {"exchange_calendars", *needed} == set(calendar_cache.LIBRARIES)


def test_schedules_that_nobody_reads_are_deleted(fresh_cache: Path) -> None:
    load("XTAI")
    long_ago = time.time() - 200 * 24 * 3600
    read, *stale = (fresh_cache / name for name in (
        next(fresh_cache.iterdir()).name, "calendar-XTAI-4.13.2-1.npz", "calendar-XHKG-0.bin.tmp"
    ))  # fmt: skip
    for file in stale:
        file.write_text("")
    other = fresh_cache / "fonts.json"
    other.write_text("")
    for file in (read, other, *stale):
        os.utime(file, (long_ago, long_ago))
    load("XTAI")
    assert all(file.exists() for file in (read, other, *stale))
    load("XHKG")
    assert [file.exists() for file in (read, other, *stale)] == [True, True, False, False]


@pytest.mark.slow
def test_programs_that_make_one_calendar_at_once_leave_one_file(fresh_cache: Path) -> None:
    code = "from eventstudy.calendars.sessions import sessions; print(len(sessions('XTAI')))"
    with ThreadPoolExecutor(4) as pool:
        runs = [*pool.map(python, [code] * 4)]
    assert {(run.returncode, run.stdout, run.stderr) for run in runs} == {
        (0, f"{len(load())}\n", "")
    }
    assert len([*fresh_cache.iterdir()]) == 1


# pandas 3.1 does not call the method with which exchange_calendars makes sessions at weekends:
# without it the calendars are those of pandas 3.1.
AS_PANDAS_3_1 = """
import exchange_calendars.pandas_extensions.offsets as offsets
del offsets.CompositeCustomBusinessDay._apply
"""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sessions('XNYS')", "XBOM was open on 2024-01-20"),
        (
            "_check_facts(_computed('XMOS', '2016-01-01', '2025-12-31'))",
            "XMOS was open on 2018-04-28",
        ),
        (
            "_check_facts(_computed('XKRX', '1998-01-01', '1999-12-31'))",
            "XKRX was open on 1998-12-05",
        ),
        (
            "_computed('XTAE', '2022-01-03', '2022-12-28')",
            "cannot make the calendar XTAE (ValueError: ",
        ),
    ],
)
def test_a_pandas_that_makes_calendars_wrong_is_refused(
    fresh_cache: Path, code: str, words: str
) -> None:
    run = python(f"{AS_PANDAS_3_1}\nfrom eventstudy.calendars.sessions import *\n"
                 f"from eventstudy.calendars.sessions import _check_facts, _computed\n{code}")  # fmt: skip
    assert run.returncode == 1
    said = run.stderr.splitlines()[-1]
    assert said.startswith(
        f"eventstudy.errors.ConfigError: pandas {pd.__version__} and exchange_calendars "
    )
    assert words in said
    assert said.endswith(f"pip install '{calendars.PANDAS}'")
    assert not fresh_cache.exists()


def test_a_command_says_that_pandas_is_refused(fresh_cache: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("ticker,announced_at\nAAPL,2019-05-22\n", encoding="utf-8")
    run = python(
        f"{AS_PANDAS_3_1}\nfrom eventstudy.cli.main import main; main(['check', {str(events)!r}])"
    )
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (2, "", 1)
    assert "XBOM was open on 2024-01-20" in run.stderr


def test_the_pandas_named_is_that_of_the_package() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "dependencies"
    ]
    assert calendars.PANDAS in asked


@pytest.mark.parametrize(
    ("calendar", "day", "is_open"),
    [
        ("XBOM", "2024-01-20", True),
        ("XBOM", "2024-01-22", False),
        ("XBOM", "2025-02-01", True),
        ("XMOS", "2018-04-28", True),
        ("XMOS", "2018-06-12", False),
        ("XMOS", "2024-12-28", True),
        ("XKRX", "1998-12-05", True),
        ("XKRX", "1998-12-12", False),
    ],
)
def test_sessions_at_weekends(calendar: str, day: str, is_open: bool) -> None:
    assert bool(np.isin(np.datetime64(day), sessions(calendar).dates)) == is_open


def test_cache_folder_that_cannot_be_made_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert len(load()) > 9000
    assert blocked.read_text() == ""


def test_no_home_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert len(load()) > 9000


@pytest.mark.parametrize(
    ("folders", "end"),
    [
        (Unix, ".cache/eventstudy"),
        (MacOS, "Library/Caches/eventstudy"),
        (Windows, "/local/eventstudy/Cache"),
    ],
)
def test_cache_dir_by_platform(
    folders: type[PlatformDirs], end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", folders)
    monkeypatch.setattr(windows, "get_win_folder", lambda name: "/local")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert cache_dir().as_posix() == "/cache/eventstudy"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_dir().as_posix().endswith(end)


def test_data_sessions_take_hours_from_the_calendar() -> None:
    like = sessions("XNYS")
    dates = np.array(
        ["2019-11-29", "2019-11-28", "2019-11-27", "2019-07-04"], dtype="datetime64[D]"
    )
    made = data_sessions("XNYS", like.tz, dates, like)
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
    like = sessions("XNYS")
    cut = Sessions(like.code, like.tz, like.dates[:1], like.opens[:1], like.closes[:1])
    made = data_sessions(
        "X", like.tz, np.array(["2019-01-15", "2019-07-15"], dtype="datetime64[D]"), cut
    )
    assert [str(c)[11:16] for c in made.closes] == ["21:00", "20:00"]


def test_data_sessions_without_a_calendar() -> None:
    made = data_sessions(
        "CASE", "Africa/Cairo", np.array(["2019-01-06"], dtype="datetime64[D]"), None
    )
    assert str(made.opens[0]) == "2019-01-06T07:30:00"
    assert str(made.closes[0]) == "2019-01-06T14:00:00"
    with pytest.raises(DataError, match="CASE"):
        data_sessions("CASE", "Africa/Cairo", np.array([], dtype="datetime64[D]"), None)


def test_import_is_light() -> None:
    heavy = "{'pandas', 'exchange_calendars'}"
    code = f"import sys, eventstudy.calendars.sessions; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_building_leaks_no_warnings(fresh_cache: Path) -> None:
    code = "from eventstudy.calendars.sessions import sessions; sessions('XBUE')"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize(
    ("calendar", "day"), [("XHKG", "2023-09-01"), ("XHKG", "2023-09-08"), ("XTAI", "2024-10-31")]
)
def test_days_of_storm_are_no_sessions(calendar: str, day: str) -> None:
    assert np.datetime64(day) not in sessions(calendar).dates
