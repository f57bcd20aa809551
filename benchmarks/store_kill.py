"""Kill a program that writes to the store of prices, again and again, and look whether anything was
lost.

    .venv/bin/python benchmarks/store_kill.py --kills 500

A child stores version after version of some symbols and reports the beginning and the end of each
write. At a random moment after a random beginning it is killed with SIGKILL. Then every symbol must
hold exactly the version last reported, or the one being written; the version before it must be
there as a vintage; no byte may be damaged.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.prices import Prices, Provenance, StoreProvider, clean
from eventstudy.prices._base import stamp
from eventstudy.prices._prices import Answer

SYMBOLS = tuple(f"S{n}" for n in range(8))
SPAN = date(2000, 1, 1), date(2010, 1, 1)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
PAUSE = 0.012  # seconds, about those of a write


def at(version: int) -> str:
    """Return the time at which a version was fetched."""
    return (BEGIN + timedelta(seconds=version)).isoformat(timespec="seconds")


@functools.cache
def made(symbol: str, version: int) -> Prices:
    """Return a version: of three, two append rows to the one before, and the third revises all of
    it."""
    block, step = divmod(version, 3)
    rows = 300 + 20 * step
    close = (1 + 0.37 * block) * (int(symbol[1:]) + 1 + np.sin(np.arange(rows)) / 3)
    days = pd.bdate_range("2005-01-03", periods=rows)
    table, _ = clean(pd.DataFrame({"date": days, "close": close, "adj_close": close / 3}), symbol)
    source = stamp(Provenance("yahoo", retrieved_at=at(version)), table)
    return Prices.of({symbol: Answer(table, source)}, {})


def order(versions: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Yield what is written next, for ever, given the versions that are stored."""
    current = dict(versions)
    while True:
        for symbol in SYMBOLS:
            current[symbol] += 1
            yield symbol, current[symbol]


def write(path: Path, versions: dict[str, int], report: int) -> None:
    """Store versions until killed; report the beginning and the end of each write with one byte."""
    store = StoreProvider(path)
    for symbol, version in order(versions):
        prices = made(symbol, version)
        os.write(report, b"<")
        store.add(prices)
        os.write(report, b">")


def kill_once(path: Path, versions: dict[str, int], draw: random.Random) -> bool:
    """Let a child write, kill it, update `versions` by its reports; return whether a write was
    under way."""
    read, report = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        write(path, versions, report)
    os.close(report)
    wanted, told = 2 * draw.randrange(1, 3 * len(SYMBOLS)) + 1, b""
    while len(told) < wanted and (more := os.read(read, 1)):
        told += more
    time.sleep(draw.uniform(0, PAUSE))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(read, 4096):
        told += more
    os.close(read)
    assert len(told) >= wanted, "the child ended by itself"
    steps = order(versions)
    for _ in range(told.count(b">")):
        symbol, version = next(steps)
        versions[symbol] = version
    symbol, version = next(steps)
    if StoreProvider(path).held(symbol).provenance.retrieved_at == at(version):
        versions[symbol] = version  # stored, but killed before the report
    return told.endswith(b"<")


def check(path: Path, versions: dict[str, int]) -> None:
    """Raise AssertionError unless the store holds exactly these versions and the ones before."""
    store = StoreProvider(path, partial=True)
    found = store.fetch(SYMBOLS, *SPAN)
    assert not found.failures, found.failures
    for symbol, version in versions.items():
        assert found.provenance[symbol].sha256 == made(symbol, version).provenance[symbol].sha256, (
            symbol
        )
        before = StoreProvider(path, vintage=at(version - 1)).fetch([symbol], *SPAN)
        wanted = made(symbol, version - 1).provenance[symbol].sha256
        assert before.provenance[symbol].sha256 == wanted, (symbol, before.failures)


def main() -> None:
    """Kill as often as asked, and print what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    draw, amid, started = random.Random(asked.seed), 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prices.sqlite"
        versions = dict.fromkeys(SYMBOLS, 2)
        for version in range(3):
            for symbol in SYMBOLS:
                StoreProvider(path).add(made(symbol, version))
        for _ in range(asked.kills):
            amid += kill_once(path, versions, draw)
            check(path, versions)
        size = path.stat().st_size
    written = sum(versions.values())
    print(
        f"{asked.kills} kills, {written} versions written, {amid} in the middle of a write, "
        f"0 lost, 0 damaged, {size / 1e6:.1f} MB, {time.perf_counter() - started:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
