"""A study of 50 announcements with prices from a lake: 10,000 symbols, 20 years, sorted by symbol.

python benchmarks/lake.py

Makes the lake (50 million rows, about 900 MB, once for each folder), runs `eventstudy run` as a
process of its own for each way to read it, and prints CPU seconds and peak memory. The exit code is
1 if one of them is above 10 CPU seconds or 500 MB.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

SYMBOLS = 10_000
EVENTS = 50
# Symbols that are held in memory while the lake is written, and rows of a row group.
PIECE = 100
ROW_GROUP = 250_000
MOST_MEGABYTES = 500
MOST_SECONDS = 10
COLUMNS = ("symbol", "date", "close", "volume")


def make(file: Path) -> None:
    """Write the lake: random walks, in row groups of 50 symbols."""
    days = pd.bdate_range("2003-01-01", "2022-12-30")
    schema = pa.schema(
        {"symbol": pa.string(), "date": pa.date32(), "close": pa.float64(), "volume": pa.int64()}
    )
    rng = np.random.default_rng(1)
    names = ["^GSPC", *(f"S{number:05}" for number in range(1, SYMBOLS))]
    names.sort()
    dates = pa.array(days.date)
    with pq.ParquetWriter(file, schema) as writer:
        for first in range(0, SYMBOLS, PIECE):
            piece = names[first : first + PIECE]
            moves = rng.normal(0, 0.01, (len(piece), len(days)))
            closes = np.exp(4 + moves.cumsum(axis=1)).round(4)
            volumes = rng.integers(1_000, 1_000_000, closes.size)
            columns = [
                pa.array(np.repeat(piece, len(days))), pa.concat_arrays([dates] * len(piece)),
                pa.array(closes.ravel()), pa.array(volumes),
            ]  # fmt: skip
            writer.write_table(pa.table(columns, schema=schema), ROW_GROUP)


def announce(file: Path) -> None:
    """Write announcements of shares from all over the lake."""
    days = pd.bdate_range("2010-01-04", "2022-06-30")[:: 3200 // EVENTS][:EVENTS].date
    shares = [f"S{number:05}" for number in np.linspace(1, SYMBOLS - 1, EVENTS).astype(int)]
    table = pd.DataFrame({"ticker": shares, "announced_at": days, "benchmark": "^GSPC"})
    table.assign(exchange="XNYS").to_csv(file, index=False)


def measure(prices: str, events: Path, out: Path) -> tuple[float, float]:
    """Return CPU seconds and peak memory in MB of a run, the only child of this process."""
    command = [sys.executable, "-m", "eventstudy", "run", events, "--prices", prices, "--out", out]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "--quiet", "--force"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep the lake here and use it again")
    parser.add_argument("--prices", help="one way alone, with {lake} in the place of the file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lake-") as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        lake = folder / "lake.parquet"
        if not lake.exists():
            make(lake)
        if given.prices:
            announce(folder / "events.csv")
            one = given.prices.format(lake=lake)
            print(*measure(one, folder / "events.csv", folder / "reports"))
            return
        ways = ["{lake}", f"duckdb:SELECT {', '.join(COLUMNS)} FROM '{{lake}}'"]
        is_slow = False
        for way in ways:
            # The peak of children is the largest so far, so each way has a process of its own.
            command = [sys.executable, __file__, "--folder", folder, "--prices", way]
            said = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, megabytes = map(float, said.stdout.split())
            print(f"{way:60} {seconds:6.1f} CPU seconds {megabytes:6.0f} MB")
            is_slow |= seconds > MOST_SECONDS or megabytes > MOST_MEGABYTES
    sys.exit(is_slow)


if __name__ == "__main__":
    main()
