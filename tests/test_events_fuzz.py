"""Whatever the bytes: events, or an error made on purpose."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from seeds import seed

from eventstudy.errors import EventsFileError, EventStudyError, Problem
from eventstudy.events import Events, check_events, events_from_frame, read_events

TODAY = dt.date(2026, 6, 30)
GOOD = (
    "event_id,ticker,announced_at,tz,benchmark,day0,note\n"
    'a,002415.SZ,2019-05-22T02:11,Pacific/Auckland,000300.SS,,"one, two"\n'
    "b,AAPL,2019-05-22,America/New_York,^GSPC,,é\n"
    'c,VOD.L,2019-05-22T10:00:00Z,,^FTSE,2019-05-23,"a ""quoted"" word"\n'
    'd,0700.HK,2019-05-22,,^HSI,,"two\nlines"\n'
).encode()
CELLS = [
    *(
        "",
        " ",
        "\u00a0",
        "AAPL",
        "aapl",
        "725",
        "X.QQ",
        "^GSPC",
        "\u0410APL",
        "BRK B",
        "0700.HK",
        "A" * 300,
    ),
    *(
        "2019-05-22",
        "2019-02-30",
        "05/06/2019",
        "43607",
        "99999",
        "2019-05-22T10:00",
        "2019-05-22T10:00+99:99",
    ),
    *(
        "9999-12-31T23:59-14:00",
        "0000-00-00",
        "1950-01-01T00:00+14:00",
        "2100-12-31",
        "America/New_York",
    ),
    *(
        "Mars/Phobos",
        "../../etc",
        "UTC",
        "=1+1",
        '"',
        '""',
        "a\0b",
        "\x1b[0m",
        "\ud7ff",
        "-1e309",
        "NaN",
        "\u202e",
    ),
    *("2019-03-10T02:30", "2019-11-03T01:30", "2011-12-30", "24:00", "\n", "\r", "\u2028"),
]


def survives(path: Path, content: bytes) -> None:
    """Check both calendars: problems are complete and the two readers agree."""
    path.write_bytes(content)
    for calendar in ("exchange", "data"):
        found, problems = check_events(path, calendar=calendar, today=TODAY)
        assert found is not None or problems
        for problem in problems:
            assert isinstance(problem, Problem)
            assert 1 <= problem.line <= content.count(b"\n") + content.count(b"\r") + 1
            assert problem.what
            assert len(str(problem)) < 1000
        if found is not None:
            assert isinstance(found, Events)
            assert len(found) >= 1
            assert found.table["day0"].notna().all()
            assert found.table["event_id"].is_unique
            merged = found.table.duplicated(["ticker", "day0"]).any()
            assert merged == any("part of its event" in text for text in found.notices)
            assert found._repr_html_()
        if problems:
            with pytest.raises(EventsFileError) as caught:
                read_events(path, calendar=calendar, today=TODAY)
            assert str(caught.value).encode("utf-8", "backslashreplace")
        else:
            assert len(read_events(path, calendar=calendar, today=TODAY)) == len(found)


def flip(rng: random.Random) -> bytes:
    raw = bytearray(GOOD)
    for _ in range(rng.randint(1, 8)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw)


def cut(rng: random.Random) -> bytes:
    start, stop = sorted(rng.randrange(len(GOOD) + 1) for _ in range(2))
    return rng.choice([GOOD[:stop], GOOD[start:], GOOD[:start] + GOOD[stop:]])


def separators(rng: random.Random) -> bytes:
    marks = [b",", b";", b"\t", b"|", b"::", b" ", b",,", b'","']
    return b"".join(rng.choice(marks) if part == b"," else part for part in bytewise(GOOD))


def bytewise(raw: bytes) -> list[bytes]:
    return [raw[i : i + 1] for i in range(len(raw))]


def cells(rng: random.Random) -> bytes:
    rows = [[rng.choice(CELLS) for _ in range(rng.randint(1, 9))] for _ in range(rng.randint(1, 6))]
    quote = rng.choice([str, lambda cell: '"' + cell.replace('"', '""') + '"'])
    lines = [rng.choice([",", ",", ";"]).join(map(quote, row)) for row in rows]
    return (GOOD.decode().splitlines()[0] + "\n" + "\n".join(lines)).encode()


def right_number_of_cells(rng: random.Random) -> bytes:
    rows = [
        [rng.choice(CELLS).replace('"', "") for _ in range(7)] for _ in range(rng.randint(1, 6))
    ]
    lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
    return (GOOD.decode().splitlines()[0] + "\n" + "\n".join(lines)).encode()


def huge(rng: random.Random) -> bytes:
    filler = rng.choice([b"a", b"9", b'"', b",", b"\n", "é".encode(), b"\0"]) * rng.choice(
        [70_000, 140_000]
    )
    at = rng.randrange(len(GOOD))
    return GOOD[:at] + filler + GOOD[at:]


def controls(rng: random.Random) -> bytes:
    raw = GOOD
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(raw))
        raw = raw[:at] + bytes([rng.randrange(32)]) + raw[at:]
    return raw


def encodings(rng: random.Random) -> bytes:
    return GOOD.decode().encode(
        rng.choice(["latin-1", "utf-16", "utf-16-be", "utf-32", "utf-7", "cp1252", "utf-8-sig"])
    )


def shuffled_header(rng: random.Random) -> bytes:
    head, _, rest = GOOD.decode().partition("\n")
    names = head.split(",")
    for _ in range(3):
        names[rng.randrange(7)] = rng.choice(
            ["ticker", "Symbol", "", "date", "ticker ", "TZ", "flags", "exchange", "\ufeff"]
        )
    return (",".join(names) + "\n" + rest).encode()


def noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(400))


KINDS = [
    flip,
    cut,
    separators,
    cells,
    right_number_of_cells,
    controls,
    encodings,
    shuffled_header,
    noise,
]


@pytest.mark.parametrize("kind", KINDS)
def test_thirty_damaged_files(kind, tmp_path: Path) -> None:
    for k in range(30):
        survives(tmp_path / "events.csv", kind(random.Random(seed(k))))


@pytest.mark.slow
def test_huge_cells(tmp_path: Path) -> None:
    for k in range(12):
        survives(tmp_path / "events.csv", huge(random.Random(seed(k))))


@pytest.mark.parametrize("content", [GOOD[:n] for n in range(0, 60, 3)])
def test_cut_anywhere_in_the_header(content: bytes, tmp_path: Path) -> None:
    survives(tmp_path / "events.csv", content)


QUIET = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@example(b"<stata_dta>")
@example(b"PAR1")
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    survives(tmp_path / "events.csv", content)


@pytest.mark.slow
@QUIET
@given(
    st.lists(
        st.lists(st.one_of(st.sampled_from(CELLS), st.text(max_size=12)), min_size=3, max_size=3),
        max_size=4,
    )
)
def test_any_cells(tmp_path: Path, rows: list[list[str]]) -> None:
    lines = [
        "ticker,announced_at,tz",
        *(",".join('"' + c.replace('"', '""') + '"' for c in row) for row in rows),
    ]
    survives(tmp_path / "events.csv", "\n".join(lines).encode("utf-8", "replace"))


@QUIET
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from(CELLS), st.text(max_size=8), st.integers(), st.floats(), st.none()
            ),
            st.one_of(st.sampled_from(CELLS), st.datetimes(), st.dates(), st.floats(), st.none()),
        ),
        max_size=4,
    )
)
def test_any_frame(rows: list[tuple[object, object]]) -> None:
    frame = pd.DataFrame(rows, columns=["ticker", "announced_at"], dtype=object)
    with contextlib.suppress(EventStudyError):
        assert len(events_from_frame(frame, today=TODAY)) >= 1
