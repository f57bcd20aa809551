"""Run folders made of real parts, for the tests of what is done with them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner
from conftest import ROOT

from eventstudy.cli.main import main

FIRMS = ("AAA", "BBB", "CCC", "DDD", "EEE")
DAYS = pd.bdate_range("2020-01-01", periods=200)
# Session of the event of each firm.
AT = (150, 160, 170, 155, 165)
# The answer alone: neither other dates nor pages of events.
QUICK = ("--calibrate", "0", "--event-pages", "0")
SHORT = (
    "--calendar", "data", "--estimation", "-100:-11", "--event-window", "-5:5", "--draws", "99",
    *QUICK, "--quiet",
)  # fmt: skip


def invoke(*args: object, code: int = 0) -> str:
    """Run a command in this process; return what it said on both streams."""
    result = CliRunner().invoke(main, [str(a) for a in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result.output


def started(*args: object, cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
    """Start a command in a process of its own, which Ctrl-C ends even where tests run in the
    background."""
    full = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    command = [sys.executable, "-m", "eventstudy", *map(str, args)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=cwd, env=full, stdout=pipe, stderr=pipe, text=True, encoding="utf-8",
        preexec_fn=None if os.name == "nt" else _heed_interrupts,
    )  # fmt: skip


def _heed_interrupts() -> None:
    """Undo what a shell does to its background processes, and these hand on: to ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def contents(folder: Path, *, without: str = "manifest.json") -> dict[str, bytes]:
    """Return all files of a folder but one, by path."""
    files = {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }
    return {name: data for name, data in files.items() if name != without}


def left_in(folder: Path) -> list[str]:
    """Return what a process left behind among the runs: locks, stages and old runs."""
    return [
        p.name
        for p in folder.iterdir()
        if p.name.startswith(".") and p.suffix in (".new", ".old", ".lock")
    ]


class Project:
    """A folder with events and one file of prices a ticker, and the study of them."""

    def __init__(self, folder: Path, *, until: int = 200) -> None:
        self.folder, self.until = folder, until
        self.prices, self.events, self.out = folder / "px", folder / "events.csv", folder / "out"
        self.run = self.out / "events"
        self.prices.mkdir(parents=True)
        rng = np.random.default_rng(5)
        market = rng.standard_normal(len(DAYS)) * 0.01
        self.closes = {"MKT": 100 * np.exp(np.cumsum(market))}
        for k, name in enumerate(FIRMS):
            own = market * (0.8 + 0.1 * k) + rng.standard_normal(len(DAYS)) * 0.015
            own[AT[k]] -= 0.04
            self.closes[name] = 50 * np.exp(np.cumsum(own))
        for name in self.closes:
            self.write(name)
        self.announce(FIRMS)

    def write(self, name: str) -> None:
        """Write the prices of a ticker, as far as they are known."""
        days, close = DAYS[: self.until].strftime("%Y-%m-%d"), self.closes[name][: self.until]
        pd.DataFrame({"date": days, "close": close}).to_csv(
            self.prices / f"{name}.csv", index=False
        )

    def announce(self, firms: tuple[str, ...], **shifted: int) -> None:
        """Write the events of some firms, those that are named so many sessions later."""
        rows = [
            f"e-{name},{name},{DAYS[AT[FIRMS.index(name)] + shifted.get(name, 0)]:%Y-%m-%d},MKT"
            for name in firms
        ]
        text = "\n".join(["event_id,ticker,announced_at,benchmark", *rows, ""])
        self.events.write_text(text, encoding="utf-8")

    @property
    def options(self) -> list[object]:
        """Events and options of the study."""
        return [self.events, "--prices", self.prices, "--out", self.out, *SHORT]

    def copied(self, folder: Path) -> Project:
        """Return the same project, with its runs, in another folder."""
        made = Project(folder, until=self.until)
        shutil.copytree(self.out, made.out)
        return made

    def refresh(self, *more: object, code: int = 0) -> str:
        """Refresh the run; return what was said."""
        return invoke("refresh", *self.options[:-1], *more, code=code)

    def study(self, *more: object) -> Path:
        """Run the study; return its folder."""
        invoke("run", *self.options, *more)
        return self.run
