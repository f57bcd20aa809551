"""Refresh: nothing for nothing, a log of what changed, one writer at a time, and loud or not at
all."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from run_folders import AT, DAYS, FIRMS, SHORT, Project, contents, invoke, left_in, started
from yahoo_standin import Yahoo, synthetic

from eventstudy.calendars import Window
from eventstudy.cli.refresh import arguments_of
from eventstudy.files.locks import Lock
from eventstudy.runs import Origin, Record, RunBusyError, reproduce_run, verify_run, write_run
from eventstudy.runs.atomic_swap import locked
from eventstudy.runs.compare import LOG, MAX_ENTRIES, read_changes
from eventstudy.settings import StudyConfig
from eventstudy.studies import run_study


def refresh(project: Project, *more: object, code: int = 0) -> str:
    return project.refresh(*more, code=code)


@pytest.mark.slow
def test_nothing_new_is_no_work(settled: Project) -> None:
    """No byte of the run is written, whether events or run are named, and nothing is loaded that
    computes; the index alone has the time of the check."""
    before = contents(settled.run, without="")
    stamps = {p: p.stat().st_mtime_ns for p in settled.run.rglob("*")}
    program = (
        "import sys\nfrom eventstudy.cli.main import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit as end: code = end.code\n"
        "heavy = {'matplotlib', 'statsmodels', 'scipy', 'yfinance', 'exchange_calendars'}\n"
        "print(code, heavy & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "refresh", settled.run],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == f"nothing new: {settled.run} is up to date\n0 set()\n"
    assert done.stderr == ""
    assert refresh(settled) == f"nothing new: {settled.run} is up to date\n"
    assert contents(settled.run, without="") == before
    assert {p: p.stat().st_mtime_ns for p in settled.run.rglob("*")} == stamps
    assert "; checked " in (settled.out / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_quiet_leaves_out_the_notices_of_the_last_report(settled: Project, tmp_path: Path) -> None:
    project = settled.copied(tmp_path)
    text = project.events.read_text(encoding="utf-8").replace("announced_at", "date")
    project.events.write_text(text, encoding="utf-8")
    assert "is read as announced_at" in refresh(project, "--quiet"), "it is new"
    project.events.write_text(text + "\n", encoding="utf-8")
    assert refresh(project, "--quiet") == ""
    project.events.write_text(text + "\n\n", encoding="utf-8")
    assert "is read as announced_at" in refresh(project)


@pytest.mark.slow
def test_new_sessions_complete_a_window(tmp_path: Path) -> None:
    """An event near the end of the prices is provisional and fills in: it is complete with its main
    window; later sessions change no more."""
    made = Project(tmp_path, until=AT[2] + 1)
    assert "1 event window is not over yet" in refresh(made)
    status = Record.read(made.run).cells("events.csv").set_index("event_id")
    assert "incomplete_window" in status.loc["e-CCC", "flags"]

    def goes_on(until: int) -> str:
        made.until = until
        for name in made.closes:
            made.write(name)
        return refresh(made)

    made.closes["AAA"][AT[0]] *= 1.01
    said = goes_on(AT[2] + 3)
    assert "Windows that are complete now:\n  e-CCC" in said
    assert re.search(r"^refreshed: prices of AAA revised on .* now\)", said, re.M)
    assert re.search(r"prices of \w+, \w+, \w+ and 3 more until \d{4}-\d\d-\d\d$", said, re.M)
    for completed, window in ((["e-CCC"], "[0,1]"), ([], "[-5,5]")):
        change = read_changes(made.run)[0]
        assert change["completed"] == completed
        assert change["statuses"] == {event: ["provisional", "ok"] for event in completed}
        came = [move for move in change["moves"] if move["before"] is None]
        assert window in {move["window"] for move in came}
        assert all(move["why"] == ["new sessions"] for move in came)
        goes_on(AT[2] + 9)
    goes_on(len(DAYS))
    assert "nothing new" in refresh(made)
    assert verify_run(made.run).ok


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a process has one time zone there")
def test_a_run_over_midnight_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its prices end on the day on which it began; a refresh asks for those of the days since."""

    def become(zone: str) -> date:
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        return date.today()  # noqa: DTZ011

    def fetched(last: date) -> None:
        days = pd.date_range(before - timedelta(days=200), last, name="date")
        for seed, name in enumerate(("AAA", "MKT")):
            returns = np.random.default_rng(seed).normal(0, 0.01, len(days))
            closes = pd.Series(np.exp(returns.cumsum()), days, name="close")
            closes.to_csv(tmp_path / f"{name}.csv")

    later, before = become("Etc/GMT-14"), become("Etc/GMT+12")
    assert before < later
    event = f"a,AAA,{before - timedelta(days=3)},MKT"
    (tmp_path / "e.csv").write_text(f"event_id,ticker,announced_at,benchmark\n{event}\n")
    settings = StudyConfig(
        prices=str(tmp_path),
        calendar="data",
        estimation=Window(-100, -11),
        event=Window(-5, 5),
        event_pages=0,
        calibrate=0,
    )
    fetched(before)
    inputs, origin = Origin(tmp_path / "e.csv", settings).read()
    results = run_study(inputs.events, settings)
    become("Etc/GMT-14")
    run = write_run(results, tmp_path / "out", "e", config=settings, origin=origin)
    fetched(later)
    try:
        assert f"until {later}" in invoke("refresh", run)
        assert "nothing new" in invoke("refresh", run)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.slow
def test_a_revised_price_and_an_added_event_are_named(tmp_path: Path) -> None:
    """Each in a log that goes on, newest first; the command of --on-change learns where it is."""
    made = Project(tmp_path)
    made.announce(FIRMS[:4])
    hook = tmp_path / "hook.py"
    hook.write_text(
        "import os, pathlib, shutil\nrun = pathlib.Path(os.environ['EVENTSTUDY_RUN'])\n"
        f"shutil.copy(os.environ['EVENTSTUDY_CHANGES'], {str(tmp_path / 'told.json')!r})\n"
        "assert (run / 'report.html').is_file()\n"
    )
    told = ["--on-change", f"{sys.executable} {hook}"]
    refresh(made)
    assert refresh(made, *told).startswith("nothing new")
    assert not (tmp_path / "told.json").exists()
    made.closes["BBB"][AT[1]] *= 1.02
    made.write("BBB")
    said = refresh(made, *told)
    assert f"refreshed: prices of BBB revised on {DAYS[AT[1]]:%Y-%m-%d} (" in said
    assert (
        json.loads((tmp_path / "told.json").read_text())["changes"][0]["prices"]["BBB"]["n_days"]
        == 2
    )
    made.announce(FIRMS)
    assert "Events added:\n  e-EEE" in refresh(made)
    log = read_changes(made.run)
    assert [entry.get("added") for entry in log] == [["e-EEE"], [], None]
    assert {move["event_id"] for move in log[1]["moves"]} == {"e-BBB"}
    page = (made.run / "changes.md").read_text(encoding="utf-8")
    assert page.index("e-EEE") < page.index("prices of BBB revised") < page.index("First run.")
    assert verify_run(made.run).ok
    assert reproduce_run(made.run).exact


@pytest.mark.slow
def test_a_command_that_fails_leaves_the_report_written(settled: Project, tmp_path: Path) -> None:
    made = settled.copied(tmp_path)
    made.announce(FIRMS[:3])
    failed = refresh(made, "--on-change", f"{sys.executable} -c 'raise SystemExit(7)'", code=75)
    assert "--on-change failed with exit code 7; the report is written" in failed
    made.announce(FIRMS[:4])
    vanishing = tmp_path / "hook"
    vanishing.write_text("#!/bin/sh\nexit 7\n")
    vanishing.chmod(0o755)
    assert "failed with exit code 7" in refresh(made, "--on-change", str(vanishing), code=75)
    assert read_changes(made.run)[0]["added"] == ["e-DDD"]
    invoke("run", *made.options, "--model", "constant_mean", "--force")
    assert read_changes(made.run)[0]["settings"] == {"model": ["", "constant_mean"]}, (
        "a run goes on with it"
    )


def test_a_command_is_read_as_its_system_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    command = r'"C:\tools\my notify.exe" --to C:\runs '
    assert arguments_of("./notify.sh 'two words'") == ["./notify.sh", "two words"]
    assert arguments_of("  ") == []
    monkeypatch.setattr(sys, "platform", "win32")
    assert arguments_of(command) == command.strip()
    assert not arguments_of("  ")


@pytest.mark.slow
def test_what_else_makes_a_run_stale(settled: Project, tmp_path: Path) -> None:
    made = settled.copied(tmp_path)
    assert "refreshed: setting model" in refresh(made, "--model", "market_adjusted")
    assert invoke("refresh", made.run).startswith("nothing new"), (
        "a run keeps the settings it was given"
    )
    (made.run / "tables" / "car.csv").write_text("edited by hand")
    (made.run / "report.html").unlink()
    said = invoke("refresh", made.run)
    assert "refreshed: tables/car.csv was altered; report.html was missing" in said
    cars = pd.read_csv(made.run / "tables" / "car.csv", dtype="str")
    cars.assign(car="-0.123").to_csv(made.run / "tables" / "car.csv", index=False)
    invoke("refresh", made.run)
    change = read_changes(made.run)[0]["text"]
    assert change == "**Not as it was written**\n\n- changed tables/car.csv\n"
    (made.run / "events.csv").write_text("a,b\n1,2\n")
    invoke("refresh", made.run)
    change = read_changes(made.run)[0]["text"]
    assert change == "The run before was altered, and is not compared: changed events.csv.\n"
    assert verify_run(made.run).ok
    (made.run / "manifest.json").write_text('{"schema": "eventstudy-run/1"}')
    assert "the run is written anew" in refresh(made)
    made.events.unlink()
    assert "the run's own copy of the events is used" in invoke("refresh", made.run)


@pytest.mark.slow
def test_a_study_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with study.toml is refreshed without a word, from any folder."""
    Project(tmp_path)
    (tmp_path / "study.toml").write_text(
        'events = "events.csv"\nprices = "px"\ncalendar = "data"\nestimation = "-100:-11"\nevent '
        '= "-5:5"\n'
    )
    monkeypatch.chdir(tmp_path)
    assert "refreshed: first run" in invoke("refresh")
    assert "nothing new" in invoke("refresh")
    monkeypatch.chdir("/")
    assert "nothing new" in invoke("refresh", tmp_path / "study.toml")
    assert "nothing new" in invoke("refresh", tmp_path / "reports" / "events")
    assert "a place already" in invoke(
        "refresh", tmp_path / "reports" / "events", "--name", "x", code=2
    )


@pytest.mark.slow
def test_a_link_to_a_run(tmp_path: Path) -> None:
    """What the link means is refreshed, with the files that the run names; the link stays one."""
    made = Project(tmp_path)
    made.study()
    link = tmp_path / "latest"
    link.symlink_to(made.run)
    assert "nothing new" in invoke("refresh", link)
    made.announce(FIRMS[:4])
    assert "Events removed:\n  e-EEE" in invoke("refresh", link)
    assert link.is_symlink()
    assert read_changes(made.run)[0]["removed"] == ["e-EEE"]
    made.announce(FIRMS)
    invoke("run", *made.options[:-1], "--out", tmp_path, "--name", "latest", "--force")
    assert link.is_symlink()
    assert read_changes(made.run)[0]["added"] == ["e-EEE"]
    assert verify_run(link).ok


@pytest.mark.slow
def test_the_log_is_bounded(settled: Project, tmp_path: Path) -> None:
    made = settled.copied(tmp_path)
    entry = read_changes(made.run)[0]
    text = json.dumps({"schema": "eventstudy-changes/1", "changes": [entry] * (MAX_ENTRIES + 5)})
    (made.run / LOG).write_text(text)
    made.announce(FIRMS[:4])
    refresh(made)
    assert len(read_changes(made.run)) == MAX_ENTRIES


@pytest.mark.slow
def test_two_at_once_give_one_result(tmp_path: Path) -> None:
    made = Project(tmp_path)
    both = [started("refresh", *made.options[:-1]) for _ in range(2)]
    said = sorted(process.communicate(timeout=300) for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert "nothing new" in said[0][0]
    assert "refreshed: first run" in said[1][0]
    assert "waiting for process" in said[0][1]
    assert len(read_changes(made.run)) == 1
    assert verify_run(made.run).ok
    assert left_in(made.out) == []


def test_a_lock_that_is_held_and_one_that_was_left(settled: Project, tmp_path: Path) -> None:
    target = tmp_path / "run"
    with locked(target):
        assert (tmp_path / ".run.lock").read_text().startswith(f"process {os.getpid()} on ")
        with (
            pytest.raises(RunBusyError, match=f"process {os.getpid()} on .* writes this run"),
            locked(target, wait=0),
        ):
            pass
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".run.lock").write_text("process 4242 on elsewhere\n")
    said: list[str] = []
    with locked(target, wait=0, notify=said.append):
        pass
    assert said == [
        "the process 4242 on elsewhere was ended while it wrote this run; it is written anew"
    ]
    with locked(settled.run):
        assert "writes this run; try again later" in refresh(settled, "--wait", "0", code=75)


def test_a_lock_that_was_made_as_sigterm_came_is_removed(tmp_path: Path) -> None:
    """Before its handle was known; that of another process stays."""
    lock = Lock(tmp_path / ".run.lock")
    lock.path.touch()
    lock.release()
    assert not lock.path.exists()
    with locked(tmp_path / "run"):
        Lock(lock.path).release()
        assert lock.path.exists()


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, marks=pytest.mark.watch),
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_a_killed_refresh_leaves_the_last_good_report(
    number: signal.Signals, settled: Project, tmp_path: Path
) -> None:
    """At several moments, of which one is amid the writing; the next one clears away what was
    left."""
    made = settled.copied(tmp_path)
    before = contents(made.run, without="")
    made.announce(FIRMS[:4])
    for amid in (False, True, True):
        child = started("refresh", *made.options[:-1])
        until = time.monotonic() + 300
        while not (made.out / (".events.new" if amid else ".events.lock")).exists():
            assert time.monotonic() < until
            assert child.poll() is None
            time.sleep(0.002)
        child.send_signal(number)
        out, err = child.communicate(timeout=300)
        assert contents(made.run, without="") == before
        assert out == ""
        if number == signal.SIGTERM:
            assert (child.returncode, err.splitlines()[-1]) == (
                143, "eventstudy: terminated, the last report is unchanged",
            )  # fmt: skip
            assert left_in(made.out) == []
    said = refresh(made)
    assert "Events removed:\n  e-EEE" in said
    assert ("was ended while it wrote this run" in said) == (number == signal.SIGKILL)
    assert verify_run(made.run).ok
    assert left_in(made.out) == []


@pytest.mark.watch
def test_over_the_wire(tmp_path: Path) -> None:
    """Nothing is asked twice; without the network a refresh that needs it is loud and leaves the
    report."""
    firms = ("AAPL", "NVDA", "AMD")
    events = tmp_path / "events.csv"
    rows = [
        "event_id,ticker,announced_at",
        "a,AAPL,2020-08-06",
        "n,NVDA,2020-06-01",
        "x,XYZ,2020-06-01",
    ]
    events.write_text("\n".join([*rows, ""]))
    options = [events, "--out", tmp_path / "out", *SHORT[2:-1]]
    run = tmp_path / "out" / "events"
    series = [
        synthetic(s, start=date(2019, 1, 2), end=date(2021, 3, 31)) for s in (*firms, "^GSPC")
    ]
    with Yahoo(*series) as yahoo:
        env = {**yahoo.env(), "EVENTSTUDY_STORE": str(tmp_path / "store.sqlite")}
        first = started("refresh", *options, **env)
        assert "refreshed: first run" in first.communicate(timeout=300)[0]
        asked = len(yahoo.log)
        again = started("refresh", *options, **env)
        assert "nothing new" in again.communicate(timeout=300)[0]
        assert len(yahoo.log) == asked, "what is in the store is not asked for again"
        before = contents(run, without="")
        rows_of = series[0].rows
        at = next(k for k, row in enumerate(rows_of) if row[0] == date(2020, 8, 6))
        rows_of[at] = (*rows_of[at][:4], rows_of[at][4] * 1.03, rows_of[at][5])
        fetching = ("prices", "fetch", "--events", events, "--refresh", "--quiet")
        fetched = started(*fetching, **env)
        fetched.communicate(timeout=300)
        assert fetched.returncode == 3, "XYZ has no prices"
        checked = started("refresh", *options, **env)
        assert "prices of AAPL revised on 2020-08-06" in checked.communicate(timeout=300)[0]
        assert contents(run, without="") != before
    before = contents(run, without="")
    events.write_text("\n".join([*rows, "amd,AMD,2020-07-01", ""]))
    lost = started("refresh", *options, **env)
    err = lost.communicate(timeout=300)[1]
    assert lost.returncode == 75, err
    assert "Yahoo cannot be reached" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert contents(run, without="") == before
    offline = started("refresh", *options, "--offline", **env)
    assert "Events added:\n  amd" in offline.communicate(timeout=300)[0]
