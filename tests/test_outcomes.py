"""Faults of a source on the wire: the exit code of each command follows from the fault alone, as
the table in docs/operations.md has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT
from run_folders import SHORT
from yahoo_standin import FAULTS, Yahoo, proxy_env, synthetic

from eventstudy.cli.main import main

EVENTS = "ticker,announced_at\nAAPL,2020-08-06\nNVDA,2020-02-14\n"
STUDY = SHORT[2:-1]
COMMANDS = ("run", "run --strict", "refresh", "prices fetch")
SYMBOLS = ("AAPL", "NVDA", "^GSPC")
WIRE = ("drop", "hang", "cut", "trickle", "refused")


def documented() -> dict[str, list[int]]:
    """Return the exit codes of the table in docs/operations.md, by fault."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    lines = text.partition("| fault on the wire |")[2].partition("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {re.search("`(.+)`", row[0])[1]: [*map(int, row[-len(COMMANDS) :])] for row in rows}


@contextmanager
def faulty(fault: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yahoo]:
    """Lead all requests to a stand-in that has one fault for every symbol."""
    series = [synthetic(s, start=date(2019, 1, 2)) for s in SYMBOLS]
    with Yahoo(*series) as yahoo:
        env = proxy_env(9) if fault == "refused" else yahoo.env()
        for name, setting in env.items():
            monkeypatch.setenv(name, setting)
        if fault == "unknown":
            yahoo.series.clear()
        for own in yahoo.series.values():
            own.fault = fault
        yield yahoo


def exit_code(*args: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [str(a) for a in args])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVENTSTUDY_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.chdir(tmp_path)
    # The waits between the questions take no time.
    monkeypatch.setattr("random.uniform", lambda low, high: 0.0)
    (tmp_path / "events.csv").write_text(EVENTS)
    return tmp_path


def codes_of(fault: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return what each command ends with, where every symbol has the fault."""
    with faulty("", monkeypatch):
        assert exit_code("refresh", "events.csv", "--out", "good", *STUDY)[0] == 0
    (folder / "store.sqlite").unlink()
    codes = []
    with faulty(fault, monkeypatch) as yahoo:
        for command in ("run", "run --strict"):
            code, text = exit_code(*command.split(), "events.csv", "--out", command, *STUDY)
            assert (code == 0) == ("Yahoo Finance did not answer" in text and code != 3)
            codes.append(code)
        before = (folder / "good" / "events" / "manifest.json").read_bytes()
        codes.append(exit_code("refresh", "events.csv", "--out", "good", *STUDY)[0])
        assert (folder / "good" / "events" / "manifest.json").read_bytes() == before
        yahoo.log.clear()
        codes.append(exit_code("prices", "fetch", *SYMBOLS)[0])
        if fault == "429":
            assert not yahoo.charts(), "the source is left alone for an hour"
            assert exit_code("prices", "status", "--ask-again")[0] == 0
            assert exit_code("prices", "fetch", *SYMBOLS)[0] == codes[-1]
            asked = {call["path"].rpartition("/")[2] for call in yahoo.charts()}
            assert asked == {*SYMBOLS[:2]}, "two answers say it for all"
    return codes


def test_the_table_has_every_fault() -> None:
    assert set(documented()) == {*FAULTS, *WIRE, "unknown"}
    assert len(documented()) == 13


# One of each row of codes of the table; those of the watch wait for seconds or differ by a body.
SLOW_ONES = ("429", "500", "cut", "refused", "unknown")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=pytest.mark.slow if fault in SLOW_ONES else pytest.mark.watch)
        for fault in sorted({*FAULTS, *WIRE, "unknown"})
    ],
)
def test_codes_are_those_of_the_table(
    fault: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert codes_of(fault, folder, monkeypatch) == documented()[fault]


@pytest.mark.slow
def test_a_part_is_a_part(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One symbol at fault: the study is written without its event, and prices are incomplete."""
    with faulty("", monkeypatch) as yahoo:
        yahoo.series["AAPL"].fault = "500"
        assert exit_code("run", "events.csv", "--out", "a", *STUDY)[0] == 0
        assert exit_code("run", "events.csv", "--out", "b", "--strict", *STUDY)[0] == 3
        assert exit_code("prices", "fetch", *SYMBOLS)[0] == 3
