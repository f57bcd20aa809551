"""Refresh a study night after night over a hostile stand-in for Yahoo, and judge every night.

    python benchmarks/nights.py [--nights 200] [--seed 1]

Each night one more session has prices. On every second one a symbol is at fault, now and then all
are; on every third the refresh is ended by SIGKILL at a random moment; the command of --on-change
fails in one night of seven. There are a split that is seen two nights late, a dividend and a firm
that is delisted. The last six nights are calm.

After each night the run folder must be sound. Where a refresh ended with 0 or 3, each CAR must be
that of a regression on the true prices, or the program must have said of its event, firm or index
that something is wrong or waits. One symbol at fault must not end a night with 75, no message may
be lost, and at the end all must be healed. The exit code is 1 if anything of this failed.

Prices are real HTTP through the real yfinance. Each refresh is a process forked from a warm one,
whose clock a few lines of C move to the night (LD_PRELOAD, so that it needs Linux and `cc`).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from yahoo_standin import (
    Row,
    Series,
    Yahoo,
    gone,
    half,
    in_another_currency,
    of_another_firm,
    of_another_name,
    of_the_wire,
    second_half,
    with_a_blank,
    without_a_day,
)

from eventstudy.calendars import Sessions
from eventstudy.runs import Record, verify_run

BEGIN = date(2023, 1, 3)
FIRMS, INDEX = ("QAAA", "QBBB", "QCCC", "QDDD"), "^GSPC"
SPLIT, PAID, DELISTED = FIRMS[0], FIRMS[1], FIRMS[3]
# Sessions before the first night; of the regression; nights between two announcements of a firm.
HISTORY, LENGTH, GAP, EVERY = 260, 90, 11, 16
CALM = 6
# Flags of an event with which the program says that its prices are not as they should be.
FLAGS = {"suspect_price", "suspect_move", "multi_day_return", "missing_days", "quarantined"}
# One night of so many: all symbols are at fault; the command of --on-change fails.
OUTAGE, BROKEN = 16, 7
WIRE = ("429", "500", "consent", "junk", "empty", "drop", "hang", "cut")
OPTIONS = (
    "--estimation", f"-{LENGTH + GAP - 1}:-{GAP}", "--event-window", "-2:5", "--draws", "99",
    "--repeat", "keep-all", "--event-pages", "0", "--json",
)  # fmt: skip
HOOK = """\
[ -e broken ] && exit 1
{ tr -d '\\n' < "$EVENTSTUDY_ENTRY"; echo; } >> delivered
"""
# The clock of a process goes as many seconds later as NIGHTS_SHIFT says.
CLOCK = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t) {
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  char *shift = getenv("NIGHTS_SHIFT");
  int code = real(id, t);
  if (shift && id == CLOCK_REALTIME) t->tv_sec += atol(shift);
  return code;
}
time_t time(time_t *at) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (at) *at = t.tv_sec;
  return t.tv_sec;
}
int gettimeofday(struct timeval *v, void *zone) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  v->tv_sec = t.tv_sec;
  v->tv_usec = t.tv_nsec / 1000;
  return 0;
}
"""
# Imported once for all nights.
WARM = (
    "yfinance", "curl_cffi.requests", "pandas", "scipy.stats", "statsmodels.api", "jinja2",
    "eventstudy.cli.refresh", "eventstudy.cli.request", "eventstudy.runs.refresh",
    "eventstudy.prices.auto", "eventstudy.prices.yahoo", "eventstudy.studies",
    "eventstudy.analysis.compute", "eventstudy.significance", "eventstudy.models",
    "eventstudy.findings.finished_run", "eventstudy.report.formats.pages",
)  # fmt: skip


def revised(yahoo: Yahoo, series: Series) -> None:
    """Have one close 2% off, which is taken back later."""
    day, opened, high, low, close, volume = series.rows[-4]
    series.rows[-4] = (day, opened, high, low, round(close * 1.02, 4), volume)


FAULTS = {
    fault.__name__: fault
    for fault in (
        *(gone, of_another_name, of_another_firm, half, second_half, without_a_day),
        *(with_a_blank, in_another_currency, revised, *map(of_the_wire, WIRE)),
    )
}


class World:
    """The true prices of each night, and what a regression on them says."""

    def __init__(self, nights: int, draw: np.random.Generator) -> None:
        days = [day for day in Sessions.of("XNYS").dates.tolist() if day >= BEGIN]
        self.days: list[date] = days[: HISTORY + nights]
        market = draw.normal(0.0003, 0.01, len(self.days))
        self.closes = {INDEX: market}
        for firm in FIRMS:
            self.closes[firm] = market + draw.normal(0, 0.015, len(self.days))
        self.closes = {s: 100 * np.exp(np.cumsum(r)) for s, r in self.closes.items()}
        middle = HISTORY + nights // 2
        self.split, self.paid, self.delisted = middle - 7, middle, middle + 9
        self.events = [
            (f"e{position:03d}-{firm}", firm, position)
            for k, firm in enumerate(FIRMS)
            for position in range(HISTORY - 8 + 4 * k, len(self.days) - CALM, EVERY)
            if firm != DELISTED or position < self.delisted + 2
        ]

    def series(self, symbol: str, night: int, *, is_late: bool = False) -> Series:
        """Return what a sound source has of a symbol; `is_late`, without the split."""
        close, count = self.closes[symbol].copy(), HISTORY + night
        is_split = symbol == SPLIT and count > self.split and not is_late
        if symbol == SPLIT:
            close[self.split if not is_split else 0 :] /= 4
        if symbol == DELISTED:
            count = min(count, self.delisted)
        rows: list[Row] = []
        for day, price in zip(self.days[:count], close[:count].tolist(), strict=True):
            rows.append((day, price, price * 1.004, price * 0.996, price, 10**6))
        made = Series(symbol, rows)
        if is_split:
            made.splits[self.days[self.split]] = (4, 1)
        if symbol == PAID and count > self.paid:
            made.dividends[self.days[self.paid]] = 1.5
        return made

    def serve(self, yahoo: Yahoo, night: int) -> None:
        """Have the true prices of a night; the split is two nights late, and one firm ends."""
        is_late = HISTORY + night <= self.split + 2
        yahoo.series = {s: self.series(s, night, is_late=is_late) for s in (*FIRMS, INDEX)}
        if HISTORY + night > self.delisted + 2:
            del yahoo.series[DELISTED]

    def clock(self, night: int) -> float:
        """Return the time of a night: six hours after its last session has closed in New York."""
        day = self.days[HISTORY + night - 1] + timedelta(days=1)
        return datetime(day.year, day.month, day.day, 3, tzinfo=UTC).timestamp()

    def announce(self, file: Path, night: int) -> None:
        """Write the events that have been announced."""
        lines = ["event_id,ticker,announced_at"]
        for event, firm, position in self.events:
            if position < HISTORY + night:
                lines.append(f"{event},{firm},{self.days[position]}")
        file.write_text("\n".join([*lines, ""]))

    def cars(self, night: int) -> dict[str, float]:
        """Return the CAR [0, +1] of each event whose two days are over, by least squares."""
        found = {}
        for event, firm, position in self.events:
            returns = {}
            for symbol in (firm, INDEX):
                closes = np.array(self.series(symbol, night).adjusted())
                returns[symbol] = closes[1:] / closes[:-1] - 1
            if position < len(returns[firm]):
                past = slice(position - LENGTH - GAP, position - GAP)
                days = slice(position - 1, position + 1)
                slope, level = np.polyfit(returns[INDEX][past], returns[firm][past], 1)
                found[event] = float(
                    (returns[firm][days] - level - slope * returns[INDEX][days]).sum()
                )
        return found


def refresh(folder: Path, env: dict[str, str]) -> None:
    """Refresh in this process; stdout and stderr go to files."""
    os.environ.update(env)
    os.chdir(folder)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    from eventstudy.cli.main import main as program

    hook = ("--on-change", "/bin/sh hook.sh")
    program(["refresh", "events.csv", *OPTIONS, *hook], prog_name="eventstudy")


class Nights:
    """A study, its source, and what was found of its nights."""

    def __init__(self, folder: Path, yahoo: Yahoo, nights: int, seed: int) -> None:
        self.folder, self.yahoo, self.nights = folder, yahoo, nights
        self.run = folder / "reports" / "events"
        self.draw = random.Random(seed)
        self.world = World(nights, np.random.default_rng(seed))
        self.env = {
            **yahoo.env(),
            "EVENTSTUDY_STORE": str(folder / "store.sqlite"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_DATA_HOME": str(folder / "data"),
        }
        (folder / "hook.sh").write_text(HOOK)
        (folder / "clock.c").write_text(CLOCK)
        library = str(folder / "clock.so")
        command = ["cc", "-shared", "-fPIC", "-o", library, str(folder / "clock.c"), "-ldl"]
        subprocess.run(command, check=True)
        os.environ.update({**self.env, "LD_PRELOAD": library})
        self.workers = multiprocessing.get_context("forkserver")
        self.workers.set_forkserver_preload([*WARM])
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.changes: set[str] = set()
        self.last_kill, self.seconds = 0, 5.0

    def fail(self, night: int, text: str) -> None:
        """Keep what must not happen."""
        self.failures.append(f"night {night}: {text}")

    def pass_all(self, report: Callable[[str], object] = print) -> None:
        """Let all nights pass."""
        for night in range(1, self.nights + 1):
            self.world.serve(self.yahoo, night)
            self.world.announce(self.folder / "events.csv", night)
            self.env["NIGHTS_SHIFT"] = f"{self.world.clock(night) - time.time():.0f}"
            is_calm = night > self.nights - CALM or night == 1
            victim, fault = "", ""
            if night % 2 == 0 and not is_calm:
                victim, fault = self.spoil()
            is_broken = not is_calm and self.draw.randrange(BROKEN) == 0
            (self.folder / "broken").unlink(missing_ok=True)
            if is_broken:
                (self.folder / "broken").touch()
            is_killed = night % 3 == 0 and not is_calm
            code = self.refresh(self.draw.uniform(0, 1.1 * self.seconds) if is_killed else 0)
            self.judge(night, code, victim, is_broken)
            word = f"{code} {victim} {fault}{' broken hook' if is_broken else ''}"
            report(f"night {night}: {word}; {dict(self.counts)}")
        self.judge_messages()
        self.judge_end()

    def spoil(self) -> tuple[str, str]:
        """Put a fault on one symbol, or on all; return the symbol or "all", and the fault."""
        if self.draw.randrange(OUTAGE) == 0:
            fault = self.draw.choice([f"wire_{name}" for name in WIRE])
            for series in [*self.yahoo.series.values()]:
                FAULTS[fault](self.yahoo, series)
            return "all", fault
        fault = self.draw.choice([*FAULTS])
        victim = self.draw.choice([*self.yahoo.series])
        FAULTS[fault](self.yahoo, self.yahoo.series[victim])
        self.counts["nights with a fault"] += 1
        return victim, fault

    def refresh(self, seconds: float) -> int:
        """Return the exit code of a refresh; after `seconds`, if given, it is killed."""
        begin = time.perf_counter()
        child = self.workers.Process(target=refresh, args=(self.folder, self.env))
        child.start()
        child.join(seconds or 300)
        if child.exitcode is None:
            child.kill()
            child.join()
        elif not seconds:
            self.seconds = time.perf_counter() - begin
        return int(child.exitcode or 0)

    def judge(self, night: int, code: int, victim: str, is_broken: bool) -> None:
        """Look at a run after a night."""
        self.counts[f"exit code {code}"] += 1
        if (self.run / "manifest.json").is_file():
            found = verify_run(self.run)
            if not found.ok:
                self.fail(night, f"a damaged run: {found}")
            changes = json.loads((self.run / "changes.json").read_text())["changes"]
            self.changes |= {change["id"] for change in changes}
        if code == -9:
            self.counts["kills"] += 1
            self.last_kill = night
            return
        if code not in (0, 3, 75):
            self.fail(night, f"exit code {code}: {self.said('stderr')}")
        if code == 75 and victim != "all" and not is_broken:
            self.fail(night, f"blocked by {victim or 'nothing'}: {self.said('stderr')}")
        if victim == "all" and code != 75:
            self.fail(night, f"an outage ended with {code}")
        if code in (0, 3):
            self.judge_results(night)

    def said(self, stream: str) -> str:
        """Return what the last refresh wrote to a stream."""
        return (self.folder / stream).read_text()

    def judge_results(self, night: int) -> None:
        """Compare each CAR with that of the true prices."""
        record = Record.read(self.run)
        events = record.cells("events.csv").set_index("event_id")
        cars = record.cells("tables/car.csv")
        main = cars[(cars["start"] == "0") & (cars["stop"] == "1")].set_index("event_id")["car"]
        document = json.loads(self.said("stdout"))
        news = [why for why in document["why"] if " until " not in why]
        words = " ".join([*news, self.said("stderr")])
        true = self.world.cars(night)
        for event, firm, position in self.world.events:
            if position >= HISTORY + night:
                continue
            given = float(main.get(event) or "nan")
            expected = true.get(event, float("nan"))
            if np.isclose(given, expected, rtol=1e-9, atol=1e-9, equal_nan=True):
                self.counts["results right"] += 1
            elif {firm, INDEX} & {*document["held_back"]}:
                self.counts["results that wait"] += 1
            elif any(f"{symbol}:" in words or f"of {symbol}" in words for symbol in (firm, INDEX)):
                self.counts["results with a word on their prices"] += 1
            elif FLAGS & {*events.loc[event, "flags"].split(";")}:
                self.counts["results with a flag"] += 1
            elif np.isnan(given) and events.loc[event, "reason"]:
                self.counts["results missing with a reason"] += 1
            else:
                facts = events.loc[event, ["status", "flags", "reason", "nobs"]].to_dict()
                self.fail(night, f"{event}: {given} instead of {expected}, {facts}")

    def judge_messages(self) -> None:
        """Compare the changes of the run with those that the command was run for."""
        lines = (self.folder / "delivered").read_text().splitlines()
        ids = Counter(json.loads(line)["id"] for line in lines)
        self.counts |= {"changes": len(self.changes), "delivered": len(ids)}
        self.counts["delivered again"] = sum(ids.values()) - len(ids)
        if lost := self.changes - ids.keys():
            self.fail(self.nights, f"changes lost: {sorted(lost)}")
        if odd := ids.keys() - self.changes:
            self.counts["delivered, and in no log that was looked at"] = len(odd)
        if self.counts["delivered again"] > self.counts["kills"]:
            self.fail(self.nights, f"delivered again: {self.counts['delivered again']}")

    def judge_end(self) -> None:
        """Require that all has healed but for the firm that is gone."""
        before = Counter(self.counts)
        self.judge_results(self.nights)
        late = {name for name in self.counts if self.counts[name] > before[name]}
        if late - {"results right"}:
            self.fail(self.nights, f"not healed: {late}")
        left = [path.name for path in self.run.parent.iterdir() if path.suffix in (".new", ".old")]
        if left:
            self.fail(self.nights, f"left behind: {left}")


def pass_nights(nights: int, seed: int, report: Callable[[str], object] = print) -> Nights:
    """Return what was found of a number of nights.

    Parameters
    ----------
    nights, seed : int
    report : callable
        Takes a line a night.
    """
    before = dict(os.environ)
    try:
        with tempfile.TemporaryDirectory() as place, Yahoo() as yahoo:
            found = Nights(Path(place), yahoo, nights, seed)
            found.pass_all(report)
            return found
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> Any:
    """Print what was found; return 1 if anything failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nights", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    begin = time.perf_counter()
    found = pass_nights(asked.nights, asked.seed, lambda line: print(line, flush=True))
    for name, count in sorted(found.counts.items()):
        print(f"{count:6d} {name}")
    print(*found.failures, sep="\n")
    print(f"{len(found.failures)} failures, {time.perf_counter() - begin:.0f} s")
    return int(bool(found.failures))


if __name__ == "__main__":
    sys.exit(main())
