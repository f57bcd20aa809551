"""Events in Parquet: the rules, the lines and the messages of a CSV, and a run that keeps the
file."""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Market
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_folders import QUICK, invoke

from eventstudy.errors import EventsFileError
from eventstudy.events import check_events, events_from_frame, read_events
from eventstudy.runs import compare_runs, reproduce_run, verify_run

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
TODAY = dt.date(2026, 6, 30)
HEADER = ["ticker", "announced_at", "tz", "day0", "benchmark", "event_id", "flags", "note"]
WORDS = st.sampled_from(
    [
        *(
            "",
            " ",
            "AAPL",
            "AAPL ",
            "MSFT",
            "VOD.L",
            "725",
            "aapl",
            "X.QQ",
            "2019-05-22",
            "2019-05-25",
            "x;y",
        ),
        *(
            "2019-05-22T10:00",
            "2019-05-22T10:00Z",
            "2019-02-30",
            "2027-01-01",
            "America/New_York",
            "Mars/X",
        ),
        *("^GSPC", "^FTSE", "AAPL-2019-05-22", "a\x1bb", "time_unknown", "é, \n"),
    ]
)


def as_parquet(path: Path, rows: list[list[str]], **options: object) -> Path:
    columns = zip(*rows, strict=True) if rows else [[] for _ in HEADER]
    cells = {
        name: pa.array(list(own), pa.string()) for name, own in zip(HEADER, columns, strict=True)
    }
    pq.write_table(pa.table(cells), path, **options)
    return path


def as_csv(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])
    return path


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(WORDS, min_size=len(HEADER), max_size=len(HEADER)), max_size=12),
    calendar=st.sampled_from(["exchange", "data"]),
)
def test_the_same_events_and_the_same_problems_as_of_a_csv(
    tmp_path: Path, rows: list[list[str]], calendar: str
) -> None:
    # a cell over several lines moves the lines of a CSV, not the rows of a table
    one_line = [[cell.replace("\n", " ") for cell in row] for row in rows]
    known = {"calendar": calendar, "today": TODAY}
    events, problems = check_events(as_csv(tmp_path / "e.csv", one_line), **known)
    same, found = check_events(
        as_parquet(tmp_path / "e.parquet", one_line, row_group_size=3), **known
    )
    assert found == problems
    assert (same is None) == (events is None)
    if events is not None and same is not None:
        pd.testing.assert_frame_equal(same.table, events.table)
        assert same.columns_in == events.columns_in


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.lists(WORDS, min_size=len(HEADER), max_size=len(HEADER)), min_size=1, max_size=12
    ),
    again=st.permutations(range(12)),
)
def test_a_row_is_judged_as_if_it_stood_alone(
    tmp_path: Path, rows: list[list[str]], again: list[int]
) -> None:
    """What is judged once for many rows is what each row says, whatever stands around it."""
    numbers = [i for i in again if i < len(rows)]
    of_all = check_events(
        as_parquet(tmp_path / "e.parquet", [rows[i] for i in numbers]), today=TODAY
    )[1]
    together = {i: [p for p in of_all if p.line == place + 2] for place, i in enumerate(numbers)}
    for i, row in enumerate(rows):
        alone = check_events(as_parquet(tmp_path / "one.parquet", [row]), today=TODAY)[1]
        own = {(p.column, p.what, p.value, p.remedy) for p in alone if p.column != ""}
        others = {
            (p.column, p.what, p.value, p.remedy) for p in together[i] if "line" not in p.what
        }
        assert others == own


def test_dates_and_timestamps_may_have_types(tmp_path: Path) -> None:
    at = pd.Timestamp(2019, 5, 22, 14, 30)
    zoned = pa.array([at, at, at], pa.timestamp("ns", "UTC"))
    for kind, stamps, written in [
        ("date", pa.array([d.date() for d in (at, at, at)]), "2019-05-22"),
        ("midnight", pa.array([at.normalize()] * 3, pa.timestamp("us")), "2019-05-22"),
        ("zoned", zoned, "2019-05-22T14:30:00+00:00"),
        ("dictionary", pa.array(["2019-05-22"] * 3).dictionary_encode(), "2019-05-22"),
    ]:
        table = pa.table({
            "ticker": ["AAPL", "VOD.L", "0700.HK"], "announced_at": stamps,
            "size": pa.array([1.0, None, 2.5]), "code": pa.array([1, 2, None], pa.int32()),
            "listed": pa.array([True, None, False]), "words": pa.array([["a"], None, []]),
        })  # fmt: skip
        pq.write_table(table, tmp_path / "e.parquet")
        found = read_events(tmp_path / "e.parquet", today=TODAY).table
        assert set(found["announced_at"]) == {written}, kind
        assert found["size"].tolist() == ["1", "", "2.5"]
        assert found["code"].tolist() == ["1", "2", ""]
        assert found["listed"].tolist() == ["True", "", "False"]
        assert found["words"].tolist() == ["['a']", "", "[]"]
        frame = events_from_frame(
            pq.read_table(tmp_path / "e.parquet").to_pandas(), today=TODAY
        ).table
        own = ["ticker", "announced_at", "day0", "flags"]
        pd.testing.assert_frame_equal(found[own], frame[own])


def test_a_time_without_a_zone_is_a_problem_of_its_row(tmp_path: Path) -> None:
    stamps = pa.array(
        [pd.Timestamp("2019-05-22"), pd.Timestamp("2019-05-22T09:00")], pa.timestamp("ms")
    )
    pq.write_table(
        pa.table({"ticker": ["AAPL", "MSFT"], "announced_at": stamps}), tmp_path / "e.parquet"
    )
    with pytest.raises(EventsFileError) as caught:
        read_events(tmp_path / "e.parquet", today=TODAY)
    assert "e.parquet:3: announced_at: a time needs a time zone" in str(caught.value)


def test_the_index_of_a_frame_is_no_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"ticker": ["AAPL"], "announced_at": ["2019-05-22"]}, index=[7])
    frame.to_parquet(tmp_path / "e.parquet")
    assert read_events(tmp_path / "e.parquet", today=TODAY).columns_in == ("ticker", "announced_at")


def test_a_file_that_is_no_parquet_is_said_to_be_none(tmp_path: Path) -> None:
    good = as_parquet(tmp_path / "e.parquet", [["AAPL", "2019-05-22", *[""] * 6]]).read_bytes()
    for content in (
        b"ticker,announced_at\nAAPL,2019-05-22\n",
        good[:-9],
        b"",
        good[:40] + good[60:],
    ):
        (tmp_path / "e.parquet").write_bytes(content)
        found, (problem,) = check_events(tmp_path / "e.parquet", today=TODAY)
        assert found is None
        assert "cannot be read as Parquet" in problem.what
    (tmp_path / "e.csv").write_bytes(good)
    assert len(read_events(tmp_path / "e.csv", today=TODAY)) == 1


@pytest.mark.slow
def test_a_run_of_parquet_events_is_kept_verified_and_computed_again(tmp_path: Path) -> None:
    market = Market(n=4)
    market.wide.to_csv(tmp_path / "ret.csv", index_label="date")
    own = market.table[["event_id", "ticker", "announced_at", "benchmark"]]
    own.to_csv(tmp_path / "e.csv", index=False)
    days = pd.to_datetime(own["announced_at"]).dt.date
    own.assign(announced_at=days).to_parquet(tmp_path / "p.parquet", index=False)
    for name in ("e.csv", "p.parquet"):
        invoke(
            "run", tmp_path / name, "--returns", tmp_path / "ret.csv", "--calendar", "data",
            "--estimation", "-100:-11", "--event-window", "-5:5", "--out", tmp_path / "out", "--quiet", *QUICK, *QUICK,
        )  # fmt: skip
    run = tmp_path / "out" / "p"
    assert (run / "data" / "events.parquet").read_bytes() == (tmp_path / "p.parquet").read_bytes()
    assert not (run / "data" / "events.csv").exists()
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["origin"]["files"]["data/events.parquet"] == "../../p.parquet"
    assert manifest["events"]["sha256"] == manifest["files"]["data/events.parquet"]
    assert (run / "tables" / "car.csv").read_bytes() == (
        tmp_path / "out/e/tables/car.csv"
    ).read_bytes()
    assert verify_run(run).ok
    assert reproduce_run(run).exact
    assert not compare_runs(tmp_path / "out" / "e", run).moves
    invoke("run", "--from-lock", run, "--name", "again", "--quiet")
    assert (run.parent / "again" / "data" / "events.parquet").is_file()
    (tmp_path / "p.parquet").unlink()
    assert "the run's own copy of the events is used" in invoke("refresh", run)
    (run / "data" / "events.parquet").write_bytes(b"PAR1")
    assert not verify_run(run).ok


@pytest.mark.slow
def test_check_reads_both_and_needs_no_pandas_for_a_csv(tmp_path: Path) -> None:
    rows = [["AAPL", "2019-05-22", *[""] * 6], ["VOD.L", "2019-13-22", *[""] * 6]]
    script = (
        "import sys\nfrom eventstudy.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print('pandas' in sys.modules)\n"
    )
    for write, name, loaded in ((as_parquet, "e.parquet", ""), (as_csv, "e.csv", "False")):
        path = write(tmp_path / name, rows)
        done = subprocess.run(
            [sys.executable, "-c", script, "check", path], capture_output=True, text=True
        )
        shown, heavy = done.stdout.splitlines()
        assert done.returncode == 1
        assert shown == "2019-05-22  AAPL         AAPL-2019-05-22  (time_unknown, or 2019-05-23)"
        assert heavy == loaded or not loaded
        assert f"{path}:3: announced_at: there is no such day" in done.stderr


def test_work_grows_with_what_is_distinct(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 rows of 40 tickers and 50 days: dates are read once for each day and exchange."""
    import eventstudy.events.announcements as news

    calls = []
    read = news.parse_announcement
    monkeypatch.setattr(
        news, "parse_announcement", lambda *a, **b: calls.append(a) or read(*a, **b)
    )
    tickers = [f"T{k:02d}" + (".L" if k % 2 else "") for k in range(40)]
    days = np.arange("2019-01-02", "2019-02-21", dtype="datetime64[D]").astype(str)
    both = [(t, d) for t in tickers for d in days] * 10
    frame = pd.DataFrame(both, columns=["ticker", "announced_at"])
    frame.to_csv(tmp_path / "e.csv", index=False)
    problems = check_events(tmp_path / "e.csv", today=TODAY)[1]
    assert not problems, "rows of one listing and day 0 are one event"
    assert len(calls) == 2 * len(days)
