"""What a refresh must not lose or hide: prices that are gone, files of others, a notice, a
verdict."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import signal
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT
from run_folders import AT, DAYS, FIRMS, SHORT, Project, contents, invoke, left_in, started
from servers_standin import Authorities, Reply
from test_runs_refresh import refresh
from yahoo_standin import Yahoo, synthetic

from eventstudy.errors import NetworkError, PriceError
from eventstudy.runs import Record, compare_runs, verify_run
from eventstudy.runs.compare import read_changes
from eventstudy.runs.staleness import describe_losses


@pytest.fixture
def project(settled: Project, tmp_path: Path) -> Project:
    return settled.copied(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["folder", "empty", "file", "emptied", "cut"])
def test_lost_files_leave_the_report(way: str, project: Project) -> None:
    """One exit code for a folder that is not mounted, a file that is gone, and one that lost its
    end."""
    before = contents(project.run, without="")
    file = project.prices / "BBB.csv"
    lines = file.read_text().splitlines(keepends=True)
    if way == "folder":
        project.prices.rename(project.folder / "away")
    elif way == "empty":
        shutil.rmtree(project.prices)
        project.prices.mkdir()
    elif way == "file":
        file.unlink()
    else:
        file.write_text("" if way == "emptied" else "".join(lines[:-20]))
    is_one = way in ("file", "emptied", "cut")
    said = refresh(project, code=3 if is_one else 75)
    assert is_one or "the last report is unchanged" in said
    assert contents(project.run, without="") == before
    if is_one:
        assert "BBB" in said
        assert "is given up" in refresh(project, "--accept-loss")
        assert refresh(project).startswith("nothing new"), "it is remembered"


def test_a_table_loses_prices_as_files_do(tmp_path: Path) -> None:
    """A column that goes blank is a share that ends, and one code is that of a table that ends,
    however early."""
    made = Project(tmp_path)
    table = pd.DataFrame(made.closes, index=DAYS.rename("date"))
    made.prices = tmp_path / "prices.csv"
    table.to_csv(made.prices)
    refresh(made)
    before = contents(made.run, without="")
    table.assign(BBB=table["BBB"].iloc[:-20]).to_csv(made.prices)
    assert f"BBB: prices end on {DAYS[-21]:%Y-%m-%d}, in the run on" in refresh(made, code=3)
    for n in (5, 20, 45):
        table.iloc[:-n].to_csv(made.prices)
        assert "the last report is unchanged" in refresh(made, code=75)
    for part, fault in (("", "1: the file is empty"), (table.to_csv()[:-150], "200: 6 cells")):
        made.prices.write_text(part)
        assert f"prices.csv:{fault}" in refresh(made, code=75)
    made.prices.unlink()
    text = made.events.read_text(encoding="utf-8")
    for more in ("", f"new,BBB,{DAYS[150]:%Y-%m-%d},MKT\n"):
        made.events.write_text(text + more, encoding="utf-8")
        assert "mount or restore the prices" in refresh(made, code=75)
    made.events.write_text(text, encoding="utf-8")
    table.to_csv(made.prices)
    assert refresh(made).startswith("nothing new")
    assert contents(made.run, without="") == before


@pytest.mark.slow
def test_a_file_of_returns_loses_no_more_than_prices(tmp_path: Path) -> None:
    """Half a file, an old one, one that begins late or lacks a firm leave the report as it is."""
    made = Project(tmp_path)
    file = tmp_path / "wide.csv"
    table = pd.DataFrame(made.closes, index=DAYS.rename("date")).pct_change().iloc[1:]

    def renew(new: pd.DataFrame | str, *more: object, code: int = 75) -> str:
        """Refresh with these returns in the file; return what was said."""
        file.write_text(new if isinstance(new, str) else new.to_csv())
        options = ["--returns", file, "--out", made.out, *SHORT[:-1]]
        return invoke("refresh", made.events, *options, *more, code=code)

    renew(table, code=0)
    before = contents(made.run, without="")
    assert f"data to {DAYS[-1]:%Y-%m-%d}" in invoke("status", made.out)
    text = table.to_csv()
    for new, what in (
        (table.iloc[:-45], f"returns end on {DAYS[-46]:%Y-%m-%d}, in the run on"),
        (table.iloc[-100:], f"returns start on {DAYS[-100]:%Y-%m-%d}, in the run on"),
        (table.assign(BBB=table["BBB"].iloc[:-20]), "BBB: returns end on"),
        (table.assign(BBB=float("nan")), "BBB: it has no return any more"),
        (table.drop(columns="BBB"), "BBB: wide.csv has no column or rows for it"),
        (text[: len(text) // 2], "wide.csv, line"),
        (text.rpartition(",")[0], "wide.csv, line 200: 6 cells where the header has 7"),
        ("", "wide.csv: the file cannot be read"),
    ):
        said = renew(new)
        assert what in said
        assert "the last report is unchanged" in said
        assert contents(made.run, without="") == before
    file.unlink()
    for options in ((), ("--accept-loss",)):
        said = invoke("refresh", made.run, *options, code=75)
        assert "wide.csv: no such file; the last report is unchanged" in said
    renew(table.drop(columns="BBB"), "--accept-loss", code=0)
    assert renew(table.drop(columns="BBB"), code=0).startswith("nothing new"), "it is remembered"
    assert "e-BBB: dropped" in renew(table.iloc[1:], code=0), "an early day that no window needs"


@pytest.mark.parametrize("name", ["BBB", "MKT"])
def test_a_wait_counts_from_the_last_price_of_the_run(name: str, tmp_path: Path) -> None:
    """A file that is cut far back is waited for like one that lost a week, an index too, until
    the others are 30 days further."""
    made = Project(tmp_path, until=175)
    refresh(made)
    whole = (made.prices / f"{name}.csv").read_text(encoding="utf-8")
    for until, lines, code in ((175, 101, 3), (194, 101, 3), (194, 171, 3), (198, 101, 0)):
        made.until = until
        for other in made.closes:
            made.write(other)
        cut = "".join(whole.splitlines(keepends=True)[:lines])
        (made.prices / f"{name}.csv").write_text(cut, encoding="utf-8")
        said = refresh(made, code=code)
        ends = f"prices end on {DAYS[lines - 2]:%Y-%m-%d}, in the run on {DAYS[174]:%Y-%m-%d}"
        assert name in said
        assert ends in said
        entry = Record.read(made.run).facts.prices[name]
        assert entry.last == f"{DAYS[174]:%Y-%m-%d}"


def test_another_source_may_have_less(project: Project) -> None:
    few = project.folder / "few"
    shutil.copytree(project.prices, few)
    (few / "BBB.csv").unlink()
    assert "refreshed: setting" in invoke(
        "refresh", project.events, "--prices", few, *SHORT[:-1], "--out", project.out
    )


def test_each_reason_is_told_once_with_its_symbols() -> None:
    reasons = {"A": "a page", "B": "half an answer", "C": "a page", "D": "no rows", "E": "a limit"}
    errors = {symbol: PriceError(what) for symbol, what in reasons.items()}
    what, where, remedy = describe_losses(errors)
    assert where == "A, C"
    assert what == "a page; B: half an answer; D: no rows; and 1 more for other reasons"
    assert remedy == "--accept-loss goes on without"
    silent = {"A": PriceError("gone"), "B": NetworkError("no answer")}
    assert describe_losses(silent)[2] == "--accept-loss goes on without; try again later"
    refused = {"A": PriceError("refused", remedy="look at the key")}
    assert describe_losses(refused, may_accept=False)[2] == "look at the key"


@pytest.mark.slow
def test_a_loss_that_leaves_no_event_is_not_to_be_accepted(project: Project) -> None:
    """Neither that of the only index, nor that of all prices."""
    (project.prices / "BBB.csv").unlink()
    assert "--accept-loss" in refresh(project, code=3)
    (project.prices / "MKT.csv").unlink()
    assert "--accept-loss" not in refresh(project, code=3)
    before = contents(project.run, without="")
    for file in project.prices.iterdir():
        file.rename(file.with_name(f"OLD-{file.name}"))
    for more in ([], ["--accept-loss"]):
        said = refresh(project, *more, code=75)
        assert "the last report is unchanged" in said
        assert "--accept-loss" not in said
    assert contents(project.run, without="") == before


@pytest.mark.slow
def test_losses_of_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A share that was given up has no prices to keep; a server that refuses all gives up none."""
    made, host = Project(tmp_path), "https://api.vendor.example"
    source = tmp_path / "vendor.toml"
    address = f'kind = "url"\nurl = "{host}/{{symbol}}"\npause = 0.0\n'
    source.write_text(address, encoding="utf-8")
    files = {file.stem: file.read_text(encoding="utf-8") for file in made.prices.iterdir()}
    good = {f"{host}/{name}": Reply(text, "text/csv") for name, text in files.items()}
    options = [made.events, "--prices", source, "--out", made.out, *SHORT]
    with Authorities(dict(good)) as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        invoke("refresh", *options)
        before = contents(made.run, without="")
        server.answers |= dict.fromkeys(good, Reply("{}", status=401))
        for more in ([], ["--accept-loss"]):
            said = invoke("refresh", *options, *more, code=75)
            assert "look at the key and at the plan" in said
            assert "--accept-loss" not in said
        assert contents(made.run, without="") == before
        server.answers = {**good, f"{host}/BBB": Reply("{}", status=404)}
        assert "--accept-loss goes on without" in invoke("refresh", *options, code=3)
        assert invoke("refresh", *options, "--accept-loss") == ""
        server.answers |= {f"{host}/BBB": Reply("", status=500)}
        assert invoke("refresh", *options) == ""
        server.answers |= {f"{host}/AAA": Reply("", status=500)}
        said = invoke("refresh", *options, code=3)
        assert "AAA: " in said
        assert "BBB" not in said


@pytest.mark.slow
def test_a_silent_source_of_another_name_is_told_apart(project: Project, tmp_path: Path) -> None:
    """The remedy is the option that was forgotten."""
    env = {"EVENTSTUDY_STORE": str(tmp_path / "store.sqlite"), "HTTPS_PROXY": "http://127.0.0.1:9"}
    done = started("refresh", project.events, *SHORT[2:-1], "--out", project.out, **env)
    said = done.communicate(timeout=300)[1]
    assert done.returncode == 75, said
    assert re.search(r"or give --prices \S+/px, with which it was made", said), said


@pytest.mark.parametrize(
    "fault",
    [
        *(pytest.param(fault, marks=pytest.mark.slow) for fault in ("500", "gone")),
        *(pytest.param(fault, marks=pytest.mark.watch) for fault in ("429", "consent", "cut")),
    ],
)
def test_a_dead_source_is_not_nothing_new(fault: str, tmp_path: Path) -> None:
    """Stored prices are there, but an event waits for days that could not be asked for."""
    events, run = tmp_path / "events.csv", tmp_path / "out" / "events"
    # Some session has closed since, whatever day and hour it is.
    end = date.today() - timedelta(days=6)  # noqa: DTZ011
    rows = [
        "event_id,ticker,announced_at",
        "a,AAPL,2025-08-06",
        f"n,NVDA,{end - timedelta(days=4)}",
        "",
    ]
    events.write_text("\n".join(rows))
    options = [events, "--out", tmp_path / "out", *SHORT[2:-1]]
    series = {s: synthetic(s, start=date(2024, 1, 2), end=end) for s in ("AAPL", "NVDA", "^GSPC")}
    with Yahoo(*series.values()) as yahoo:
        env = {**yahoo.env(), "EVENTSTUDY_STORE": str(tmp_path / "store.sqlite")}

        def ask(*more: str) -> tuple[int, str, str]:
            done = started("refresh", *options, *more, **env)
            out, err = done.communicate(timeout=300)
            return done.returncode, out, err

        assert ask()[0] == 0
        assert Record.read(run).manifest["events"]["open"] == 1
        before = contents(run, without="")
        kept = dict(yahoo.series)
        yahoo.series.pop("AAPL")
        assert ask()[0] == 0, "a firm whose event is complete is not asked for"
        yahoo.series.update(kept)
        if fault == "gone":
            yahoo.series.clear()
        for own in yahoo.series.values():
            own.fault = fault
        code, out, err = ask()
        assert (code, out) == (75, ""), err
        assert err.count("\n") == 1
        assert "the last report is unchanged" in err or "cannot be reached" in err
        assert contents(run, without="") == before


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    """A manifest.json makes no run."""
    made = Project(tmp_path)
    made.run.mkdir(parents=True)
    (made.run / "manifest.json").write_text('{"name": "My app", "note": "eventstudy-run/2"}')
    (made.run / "precious.txt").write_text("mine")
    for command in ("run", "refresh"):
        assert "the folder exists and is not a run" in invoke(command, *made.options, code=1)
    assert (made.run / "precious.txt").read_text() == "mine"


@pytest.mark.slow
def test_a_file_of_the_user_survives(project: Project) -> None:
    notes = project.run / "notes" / "mine.md"
    notes.parent.mkdir()
    notes.write_text("do not lose")
    project.announce(FIRMS[:4])
    assert "refreshed" in refresh(project)
    project.study("--model", "constant_mean")
    assert notes.read_text() == "do not lose"
    assert verify_run(project.run).extra == ("notes/mine.md",)
    assert not verify_run(project.run).changed


@pytest.mark.slow
def test_tampered_prices_are_not_computed_from(project: Project) -> None:
    frozen = project.run / "data" / "prices.csv.gz"
    honest = Record.read(project.run).manifest["prices"]["BBB"]["sha256"]
    invoke("run", "--from-lock", project.run, "--quiet")
    again = project.out / "events-again"
    assert Record.read(again).manifest["prices"]["BBB"]["sha256"] == honest
    lines = gzip.decompress(frozen.read_bytes()).decode().splitlines(keepends=True)
    at = next(k for k, line in enumerate(lines) if line.startswith(f"BBB,{DAYS[AT[1]]:%Y-%m-%d}"))
    cells = lines[at].split(",")
    cells[5] = str(1.1 * float(cells[5]))
    frozen.write_bytes(
        gzip.compress(("".join([*lines[:at], ",".join(cells), *lines[at + 1 :]])).encode())
    )
    said = invoke("run", "--from-lock", project.run, "--quiet", "--name", "other", code=4)
    assert "prices.csv.gz was changed since it was written" in said
    assert not (project.out / "other").exists()
    found = compare_runs(project.run, again)
    assert found.altered == (f"{project.run}: changed data/prices.csv.gz",)
    assert str(found).startswith("Not as it was written:")
    invoke(
        "run",
        project.events,
        "--prices",
        project.run,
        *SHORT,
        "--out",
        project.out,
        "--name",
        "third",
    )
    assert Record.read(project.out / "third").manifest["prices"]["BBB"]["sha256"] != honest


@pytest.mark.slow
def test_strict_rings_every_night(project: Project) -> None:
    text = project.events.read_text()
    project.events.write_text(f"{text}none,ZZZ,2020-08-06,MKT\n")
    first = refresh(project, "--strict", code=3)
    again = refresh(project, "--strict", code=3)
    assert again.startswith("nothing new")
    assert first[first.index("eventstudy:") :] == again[again.index("eventstudy:") :]
    assert refresh(project, "--max-loss", "0.2").startswith("nothing new")


@pytest.mark.slow
def test_a_failed_hook_is_called_again(project: Project) -> None:
    told = project.folder / "told"
    hook = project.folder / "hook.py"
    hook.write_text(f"import pathlib\nprint('hook')\npathlib.Path({str(told)!r}).touch()\n")
    project.announce(FIRMS[:4])
    assert "runs the command again" in refresh(
        project, "--on-change", f"{sys.executable} -c 1/0", code=75
    )
    done = started(
        "refresh", *project.options[:-1], "--json", "--on-change", f"{sys.executable} {hook}"
    )
    out, err = done.communicate(timeout=300)
    assert json.loads(out)["written"] is False
    assert (done.returncode, err) == (0, "hook\n")
    assert told.exists()
    told.unlink()
    refresh(project, "--on-change", f"{sys.executable} {hook}")
    assert not told.exists()


@pytest.mark.slow
def test_a_hook_that_hangs_is_ended_with_what_it_started(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it prints does not break the form of the logs."""
    hook, late = project.folder / "hook.sh", project.folder / "late"
    hook.write_text(f"echo one; echo two >&2; (sleep 20; touch {late}) & wait\n")
    monkeypatch.setattr("eventstudy.cli.refresh.LONGEST", 8)
    project.announce(FIRMS[:4])
    said = refresh(
        project, "--quiet", "--log-format", "json", "--on-change", f"/bin/sh {hook}", code=75
    )
    entries = [json.loads(line) for line in said.splitlines()]
    assert [e["text"] for e in entries if e.get("logger") == "on-change"] == ["one", "two"]
    assert [e["event"] for e in entries[-2:]] == ["on_change_failed", "ended"]
    assert "8 s" in entries[-2]["text"]
    time.sleep(20)
    assert not late.exists()
    assert not [p.name for p in project.out.iterdir() if p.name.startswith(".")]
    assert len(list((project.run / "outbox").iterdir())) == 1, "it is due"


@pytest.mark.watch
def test_two_refreshes_call_a_hook_once(project: Project) -> None:
    calls, hook = project.folder / "calls", project.folder / "hook.sh"
    hook.write_text(f"sleep 3; echo called >> {calls}\n")
    project.announce(FIRMS[:4])
    both = [
        started("refresh", *project.options, "--on-change", f"/bin/sh {hook}") for _ in range(2)
    ]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    for process in both:
        process.communicate()
    assert calls.read_text() == "called\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sh -c 'x", "No closing quotation"),
        ("", "the command is empty"),
        ("  ", "the command is empty"),
        ("./typo.sh now", "there is no program './typo.sh' that can be run"),
        (f"{Path(sys.executable).parent}/pyton x", "did you mean 'python'?"),
        (f"{ROOT}/pyproject.toml", "make it executable: chmod +x"),
    ],
)
def test_a_hook_that_is_no_command_is_refused_at_once(
    command: str, words: str, project: Project
) -> None:
    before = contents(project.run, without="")
    project.announce(FIRMS[:4])
    said = refresh(project, "--on-change", command, code=2)
    assert "Invalid value for '--on-change'" in said
    assert words in said
    assert contents(project.run, without="") == before


@pytest.mark.slow
def test_what_was_done_is_logged(project: Project) -> None:
    def logged() -> list[dict[str, object]]:
        said = invoke("refresh", *project.options, "--log-format", "json")
        return [json.loads(line) for line in said.splitlines()]

    assert [e["event"] for e in logged()] == ["started", "nothing_new", "ended"]
    project.closes["BBB"][AT[1]] *= 1.02
    project.write("BBB")
    found = {str(e["event"]): e for e in logged()}
    assert found["run_written"]["used"] == len(FIRMS)
    assert found["changed"]["prices"] == 1


@pytest.mark.slow
def test_changes_are_in_the_units_of_the_measure(tmp_path: Path) -> None:
    made = Project(tmp_path)
    for k, name in enumerate(made.closes):
        table = (made.prices / f"{name}.csv").read_text().splitlines()
        rows = [f"{line},{1000 + 37 * ((i * (k + 3)) % 17)}" for i, line in enumerate(table[1:])]
        (made.prices / f"{name}.csv").write_text("\n".join([f"{table[0]},volume", *rows, ""]))
    refresh(made, "--measure", "volume")
    file = made.prices / "BBB.csv"
    day = f"{DAYS[AT[1]]:%Y-%m-%d}"
    lines = file.read_text().splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith(day))
    lines[at] = f"{lines[at].rpartition(',')[0]},5000"
    file.write_text("\n".join([*lines, ""]))
    said = refresh(made, "--measure", "volume")
    moves = [line for line in said.splitlines() if "prices of BBB revised" in line and "->" in line]
    assert moves
    assert all("log points" in line and "%" not in line for line in moves), moves
    move = next(m for m in read_changes(made.run)[0]["moves"] if m["window"] == "[0,0]")
    assert any("[0,0]" in line and f"{move['after']:+.2f} log points" in line for line in moves)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.watch),
    ],
)
def test_an_end_while_the_command_runs_says_what_is_true(
    number: signal.Signals, settled: Project, tmp_path: Path
) -> None:
    """The new run is in its place already, and the command is due."""
    made = settled.copied(tmp_path)
    made.announce(FIRMS[:4])
    began = tmp_path / "began"
    hook = tmp_path / "hook.sh"
    hook.write_text(f"touch {began}\nsleep 60\n")
    child = started("refresh", *made.options, "--on-change", f"/bin/sh {hook}")
    until = time.monotonic() + 300
    while not began.exists():
        assert time.monotonic() < until
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(number)
    out, err = child.communicate(timeout=300)
    word, code = ("terminated", 143) if number == signal.SIGTERM else ("interrupted", 130)
    assert (child.returncode, out) == (code, "")
    last = err.splitlines()[-1]
    told = "the new report is written, and the next refresh runs the command of --on-change"
    assert last == f"eventstudy: {word}, {told}"
    assert read_changes(made.run)[0]["removed"] == ["e-EEE"]
    hook.write_text("exit 0\n")
    refresh(made, "--on-change", f"/bin/sh {hook}")
    assert left_in(made.out) == []


def test_a_run_in_which_no_event_has_a_result_is_no_success(tmp_path: Path) -> None:
    """It is written, as other windows have results, but a job must not take it for an answer."""
    project = Project(tmp_path / "hole")
    project.announce(("AAA",))
    file = project.prices / "AAA.csv"
    day = f"{DAYS[AT[0] + 1]:%Y-%m-%d}"
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(row for row in rows if not row.startswith(day)), encoding="utf-8")
    said = invoke("run", *project.options, code=3)
    assert "no event has a result for [0,1]\n  e-AAA (AAA): no price on 1 of its 2 days" in said
    assert (project.run / "report.html").is_file()
    assert "no event has a result" in invoke("refresh", *project.options, code=3)


def test_prices_that_come_late_are_read(tmp_path: Path) -> None:
    """Of a share that was short of days, though no window waits for prices any more."""
    made = Project(tmp_path)
    whole = (made.prices / "EEE.csv").read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    (made.prices / "EEE.csv").write_text("".join(lines[: AT[4] - 3]), encoding="utf-8")
    assert "Average of four announcements" in refresh(made)
    assert refresh(made).startswith("nothing new")
    (made.prices / "EEE.csv").write_text(whole, encoding="utf-8")
    said = refresh(made)
    assert f"refreshed: prices of EEE until {DAYS[-1]:%Y-%m-%d}" in said
    assert "Average of five announcements" in " ".join(said.split())
