"""Nights of a scheduled job over the wire: what a fault of one symbol does, and how it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from run_folders import SHORT, contents
from seeds import seed
from test_runs_refresh import ROOT
from yahoo_standin import (
    Series,
    Yahoo,
    gone,
    half,
    in_another_currency,
    of_another_firm,
    of_another_name,
    of_the_wire,
    second_half,
    synthetic,
    with_a_blank,
    without_a_day,
)

from eventstudy.calendars import Sessions
from eventstudy.cli.main import main
from eventstudy.prices import AutoProvider, StoreProvider, YahooProvider
from eventstudy.prices.auto import CHUNK, ROTA, _is_due, update
from eventstudy.prices.sample import SampleProvider
from eventstudy.runs import Record, list_states

FIRMS = ("AAPL", "NVDA")
# Some session has closed since, whatever day and hour it is.
BEFORE_TODAY = date.today() - timedelta(days=6)  # noqa: DTZ011
NIGHTS = [day for day in Sessions.of("XNYS").dates.tolist() if day <= BEFORE_TODAY]
# An announcement whose first two days are there two sessions later, and others at the last one.
ANNOUNCED, EARLIER, LAST = NIGHTS[-5], NIGHTS[-3], NIGHTS[-1]


class Job:
    """A study with one open event of each firm, which is refreshed night after night."""

    def __init__(self, folder: Path, yahoo: Yahoo, announced: date) -> None:
        self.yahoo, self.run = yahoo, folder / "out" / "events"
        rows = [f"e-{firm},{firm},{announced}" for firm in FIRMS]
        (folder / "events.csv").write_text("\n".join(["event_id,ticker,announced_at", *rows, ""]))
        self.options = [folder / "events.csv", "--out", folder / "out", *SHORT[2:-1]]
        self.env = {**yahoo.env(), "EVENTSTUDY_STORE": str(folder / "store.sqlite")}

    def refresh(self, last: date | None = None, *more: str) -> tuple[int, str]:
        """Return exit code and stderr of a night on which prices until `last` are there."""
        if last:
            self.serve(last)
        arguments = ["refresh", *map(str, self.options), *more]
        done = CliRunner().invoke(main, arguments, env=self.env)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stderr

    def serve(self, last: date) -> None:
        """Have all prices until `last`, and no others."""
        for symbol in (*FIRMS, "^GSPC"):
            self.yahoo.series[symbol] = synthetic(symbol, start=date(2024, 1, 2), end=last)

    def ends(self) -> dict[str, str]:
        """Return the last day of each symbol in the run."""
        return {symbol: entry.last for symbol, entry in Record.read(self.run).facts.prices.items()}


FAULTS_OF_ONE = [
    *(pytest.param(fault, marks=pytest.mark.slow) for fault in (gone, of_the_wire("500"))),
    *(
        pytest.param(fault, marks=pytest.mark.watch)
        for fault in (
            *(of_another_name, of_another_firm, half),
            *map(of_the_wire, ("429", "consent", "drop", "hang", "cut")),
        )
    ),
]


@pytest.mark.parametrize("fault", FAULTS_OF_ONE)
def test_a_fault_of_one_symbol_holds_back_its_own_events(
    fault: Callable[[Yahoo, Series], None], tmp_path: Path
) -> None:
    """The others are up to date, the exit code says that something waits, and so does the
    monitor."""
    with Yahoo() as yahoo:
        job = Job(tmp_path, yahoo, ANNOUNCED)
        assert job.refresh(EARLIER)[0] == 0
        before = job.ends()
        job.serve(LAST)
        fault(yahoo, yahoo.series["NVDA"])
        for _ in range(2):  # the second one finds nothing new
            code, text = job.refresh()
            assert code == 3, text
            assert "eventstudy: NVDA: " in text
            assert "its events keep the prices that they had" in text
            after = job.ends()
            assert after["NVDA"] == before["NVDA"]
            assert after["AAPL"] == after["^GSPC"] > before["AAPL"]
        assert [state.state for state in list_states(job.run)] == ["failed"]
        cells = Record.read(job.run).cells("events.csv").set_index("event_id")
        assert (cells["status"] == "ok").all()
        assert "incomplete_window" in cells.loc["e-NVDA", "flags"]
        assert job.refresh(LAST) == (0, "")
        assert set(job.ends().values()) == {after["AAPL"]}
        assert [state.state for state in list_states(job.run)] == ["good"]


@pytest.mark.slow
def test_all_symbols_at_fault_are_a_fault_of_the_source(tmp_path: Path) -> None:
    with Yahoo() as yahoo:
        job = Job(tmp_path, yahoo, ANNOUNCED)
        assert job.refresh(EARLIER)[0] == 0
        before = contents(job.run, without="")
        for series in [*yahoo.series.values()]:
            of_another_name(yahoo, series)
        code, text = job.refresh()
        assert (code, contents(job.run, without="")) == (75, before)
        assert "the last report is unchanged" in text


@pytest.mark.slow
def test_a_firm_whose_prices_ended_long_ago_is_not_waited_for(tmp_path: Path) -> None:
    """Thirty days after the others had newer prices, which is said in a note."""
    with Yahoo() as yahoo:
        job = Job(tmp_path, yahoo, LAST - timedelta(days=45))
        assert job.refresh(LAST - timedelta(days=40))[0] == 0
        for days, expected in ((15, 3), (5, 0)):
            job.serve(LAST - timedelta(days=days))
            del yahoo.series["NVDA"]
            code, text = job.refresh()
            assert code == expected, text
            assert "NVDA: stored prices used as they are" in text


@pytest.mark.slow
def test_a_loss_that_is_accepted_is_not_waited_for(tmp_path: Path) -> None:
    with Yahoo() as yahoo:
        job = Job(tmp_path, yahoo, ANNOUNCED)
        assert job.refresh(EARLIER)[0] == 0
        job.serve(LAST)
        del yahoo.series["NVDA"]
        code, text = job.refresh(None, "--accept-loss")
        assert code == 0, text
        assert list(Record.read(job.run).facts.given_up) == ["NVDA"]
        assert job.refresh()[0] == 0


CLOSING = [
    *(pytest.param(fault, marks=pytest.mark.slow) for fault in (second_half, without_a_day)),
    *(
        pytest.param(fault, marks=pytest.mark.watch)
        for fault in (
            of_another_name, of_another_firm, half, with_a_blank, gone, in_another_currency,
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("fault", CLOSING)
def test_what_happens_on_the_last_night_of_a_window_heals(
    fault: Callable[[Yahoo, Series], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within five sessions every number is that of a study that saw no fault."""
    nights = NIGHTS[-8:]
    with Yahoo() as yahoo:
        job = Job(tmp_path, yahoo, nights[2] - timedelta(days=7))
        for name, value in job.env.items():
            monkeypatch.setenv(name, value)

        def ask(out: str, last: date, *, is_faulty: bool = False) -> int:
            job.serve(last)
            if is_faulty:
                fault(yahoo, yahoo.series["NVDA"])
            options = [job.options[0], "--out", tmp_path / out, *job.options[3:]]
            return CliRunner().invoke(main, ["refresh", *map(str, options)]).exit_code

        def numbers(out: str) -> pd.DataFrame:
            return Record.read(tmp_path / out / "events").cells("tables/car.csv")

        assert ask("out", nights[0]) == 0
        assert ask("out", nights[2], is_faulty=True) in (0, 3)
        for last in nights[3:]:
            assert ask("out", last) == 0
        monkeypatch.setenv("EVENTSTUDY_STORE", str(tmp_path / "clean.sqlite"))
        assert ask("clean", nights[-1]) == 0
        pd.testing.assert_frame_equal(numbers("out"), numbers("clean"))
        assert Record.read(job.run).facts.events.open == 0


def test_every_symbol_has_its_turn_once_in_thirty_days() -> None:
    names, begin = [f"S{n:03d}" for n in range(300)], date(2026, 1, 1)
    confirmed, doses = dict.fromkeys(names, begin), []
    for n in range(1, 3 * ROTA + 1):
        today = begin + timedelta(days=n)
        due = [name for name in names if _is_due(name, confirmed[name], today)]
        confirmed |= dict.fromkeys(due, today)
        doses.append(len(due))
    assert sum(doses) == 3 * len(names)
    assert max(doses) < 2.5 * len(names) / ROTA
    assert not any(_is_due(name, begin, begin) for name in names)


def fill(folder: Path, yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch, *names: str) -> StoreProvider:
    """Return a price cache that was filled forty days ago."""
    for name, value in yahoo.env().items():
        monkeypatch.setenv(name, value)
    then = datetime.now(UTC) - timedelta(days=40)
    source = YahooProvider(sleep=lambda seconds: None, now=lambda: then)
    store = StoreProvider(folder / "store.sqlite")
    update(store, source, names, date(2018, 1, 1), date(2021, 12, 31))
    return store


@pytest.mark.slow
def test_the_rota_asks_small_doses_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"R{n:02d}" for n in range(CHUNK + 5)]
    days = date(2019, 1, 1), date(2019, 12, 31)
    with Yahoo(*(synthetic(name) for name in names)) as yahoo:
        store = fill(tmp_path, yahoo, monkeypatch, *names)
        auto = AutoProvider(store, YahooProvider(), SampleProvider())
        for dose in (CHUNK, 5, 0):
            yahoo.log.clear()
            assert auto.confirm(names, *days) == ()
            asked = {call["path"] for call in yahoo.charts() if "period1" in call["query"]}
            assert len(asked) == dose
        assert {row[5][:10] for row in store.extents(names).values()} == {
            f"{datetime.now(UTC):%Y-%m-%d}"
        }


@pytest.mark.slow
def test_a_complete_run_is_confirmed_and_revised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And `status`, which says when, goes on though the report is not written again."""
    series = [synthetic(s, end=date(2021, 12, 31)) for s in (*FIRMS, "^GSPC")]
    with Yahoo(*series) as yahoo:
        store = fill(tmp_path, yahoo, monkeypatch, *FIRMS, "^GSPC")
        job = Job(tmp_path, yahoo, date(2020, 8, 6))
        assert job.refresh() == (0, "")
        before = date.today() - timedelta(days=40)  # noqa: DTZ011
        [state] = list_states(job.run)
        assert abs(date.fromisoformat(state.confirmed) - before) <= timedelta(days=1)
        page = (job.run / "report.html").read_text(encoding="utf-8")
        assert "prices last confirmed on" in page
        assert job.refresh() == (0, "")
        [state] = list_states(job.run)
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        assert state.confirmed == today
        command = [sys.executable, "-m", "eventstudy", "status", str(job.run), "--json"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)[0]["confirmed"] == today
        yahoo.log.clear()
        assert job.refresh() == (0, "")
        assert not yahoo.charts(), "no turn has come since"
        assert set(store.symbols()) == {*FIRMS, "^GSPC"}


@pytest.mark.watch
@pytest.mark.skipif(not (sys.platform == "linux" and shutil.which("cc")), reason="moves the clock")
def test_nights_over_a_hostile_source() -> None:
    """Faults, kills, an outage and a failing command: no result is wrong without a word, no message
    is lost, and no symbol blocks a night."""
    program = ROOT / "benchmarks" / "nights.py"
    command = [sys.executable, str(program), "--nights", "20", "--seed", str(seed(3))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "night 20: 0 " in done.stdout
