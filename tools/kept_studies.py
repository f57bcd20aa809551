"""Run a dozen studies of all kinds into a folder, and compare two such folders to the last digit.

    python tools/kept_studies.py make FOLDER            with the package that is imported
    python tools/kept_studies.py compare BEFORE AFTER   exits with 1 if a table differs
    ... compare BEFORE AFTER --tolerance 1e-12          or if a number differs by more than that

A rebuilding of the code must leave every number as it is: make the studies before and after it,
then compare events.csv, tables/*.csv and the prices used. The inputs are seeded and made anew each
time, so a checkout of any version can make its own folder.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
SAMPLE = [str(ROOT / "events.csv"), "--prices", "sample"]
WORLD = ["world.csv", "--prices", "prices", "--calendar", "data"]
STUDIES: dict[str, list[str]] = {
    "sample": SAMPLE,
    "adjusted": [*SAMPLE, "--model", "market_adjusted", "--estimation", "-200:-21",
        "--car", "-1:1"],
    "pooled": [*SAMPLE, "--by", "none"],
    "by-sector": [*SAMPLE, "--by", "sector", "--test", "bmp_kp", "--test", "grank_t",
        "--scar", "sum"],
    "regression": [*SAMPLE, "--calibrate", "49", "--regress", "sector", "--fpc",
        "--overlap", "share"],
    "long": [*SAMPLE, "--event", "-10:60", "--car", "0:60", "--repeat", "first", "--kind", "log"],
    "limits": [*WORLD, "--limits", "extend"],
    "halts": [*WORLD, "--halt", "shift", "--limits", "drop", "--missing", "rescale"],
    "covariance": [*WORLD, "--cov", "HC3", "--limits", "none"],
    "volume": [*WORLD, "--measure", "volume"],
    "volatility": [*WORLD, "--measure", "volatility"],
    "factors": [*WORLD, "--model", "ff3", "--factors", "factors.csv", "--min-estimation", "60"],
    "thin": [*WORLD, "--model", "trade_to_trade", "--missing", "zero"],
    "confounders": [*WORLD, "--confounders", "news.csv", "--drop-confounded", "--engine", "batch"],
    "returns": ["world.csv", "--returns", "returns.csv", "--calendar", "data", "--model", "dimson"],
    "turnover": [*WORLD, "--measure", "turnover"],
    "grid": ["study.toml"],
    "many": ["many.csv", "--returns", "returns.csv", "--calendar", "data", "--engine", "batch"],
}  # fmt: skip
GRID = """events = "world.csv"
prices = "prices"
calendar = "data"

[grid]
model = ["market", "scholes_williams", "theil_sen", "constant_mean", "garch"]
car = ["0:1", "-1:1"]
sample = ["", "without flagged"]
"""


def make_world(folder: Path) -> None:
    """Write the inputs: thirty shares with limits, halts and volumes, an index, events, factors and
    news."""
    rng = np.random.default_rng(20251119)
    days = pd.bdate_range("2017-01-02", periods=900)
    index = rng.standard_t(5, len(days)) * 0.008
    tickers = [f"{code:06d}.SZ" for code in range(1, 31)]
    beta, sigma = rng.normal(1, 0.3, 30), rng.uniform(0.01, 0.03, 30)
    returns = index[:, None] * beta + rng.standard_t(5, (len(days), 30)) * sigma
    events = _events(rng, tickers, days)
    for row in events.itertuples():
        at = days.searchsorted(pd.Timestamp(row.announced_at))
        returns[at, tickers.index(row.ticker)] -= 0.06 * (row.direction == "adverse")
    returns = np.clip(returns, -0.0999, 0.0999)
    (folder / "prices").mkdir(parents=True, exist_ok=True)
    for j, name in enumerate([*tickers, "399001.SZ"]):
        path = index if name == "399001.SZ" else returns[:, j]
        _write_prices(
            folder / "prices" / f"{name}.csv", path, days, rng, halted=j % 5 == 0 and j < 30
        )
    wide = pd.DataFrame(
        np.column_stack([returns, index]), index=days, columns=[*tickers, "399001.SZ"]
    )
    wide.rename_axis("date").to_csv(folder / "returns.csv", float_format="%.8f")
    events.to_csv(folder / "world.csv", index=False)
    _many(rng, tickers, days).to_csv(folder / "many.csv", index=False)
    names = ["mkt_rf", "smb", "hml", "rf"]
    factors = pd.DataFrame(rng.normal(0, 0.006, (len(days), 4)), index=days, columns=names)
    factors.assign(mkt_rf=index, rf=0.0001).rename_axis("date").to_csv(folder / "factors.csv")
    news = events.iloc[::4][["ticker", "announced_at"]].rename(columns={"announced_at": "date"})
    news.assign(what="earnings").to_csv(folder / "news.csv", index=False)
    (folder / "study.toml").write_text(GRID, encoding="utf-8")


def _events(rng: np.random.Generator, tickers: list[str], days: pd.DatetimeIndex) -> pd.DataFrame:
    at = np.sort(rng.choice(np.arange(300, 860), 24, replace=False)).repeat(2)
    who = np.array([rng.choice(30, 2, replace=False) for _ in range(24)]).ravel()
    return pd.DataFrame({
        "event_id": [f"event-{i}" for i in range(48)], "ticker": [tickers[k] for k in who],
        "announced_at": days[at].strftime("%Y-%m-%d"), "benchmark": "399001.SZ",
        "direction": np.where(np.arange(48) % 3 == 0, "relief", "adverse"),
        "mcap": rng.uniform(1e9, 1e11, 48).round(), "peers": ";".join(tickers[:8]),
        "shares_outstanding": 1e9,
    })  # fmt: skip


def _many(rng: np.random.Generator, tickers: list[str], days: pd.DatetimeIndex) -> pd.DataFrame:
    # Each day and share once.
    at, who = np.divmod(rng.choice(560 * 30, 6000, replace=False), 30)
    at += 300
    return pd.DataFrame({
        "event_id": [f"m{i}" for i in range(6000)], "ticker": [tickers[k] for k in who],
        "announced_at": days[at].strftime("%Y-%m-%d"), "benchmark": "399001.SZ",
    })  # fmt: skip


def _write_prices(
    file: Path,
    returns: np.ndarray,
    days: pd.DatetimeIndex,
    rng: np.random.Generator,
    *,
    halted: bool,
) -> None:
    close = np.round(20 * np.cumprod(1 + returns), 2)
    spread = np.abs(rng.normal(0, 0.01, len(days)))
    table = pd.DataFrame({
        "date": days.strftime("%Y-%m-%d"), "open": close, "high": (close * (1 + spread)).round(4),
        "low": (close * (1 - spread)).round(4), "close": close, "adj_close": close,
        "volume": rng.integers(1e5, 1e7, len(days)),
    })  # fmt: skip
    if halted:
        gaps = np.concatenate([np.arange(s, s + 4) for s in range(320, 860, 90)])
        table = table.drop(index=gaps)
    table.to_csv(file, index=False)


def make(folder: Path) -> int:
    """Run every study; return how many failed."""
    inputs = folder / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    make_world(inputs)
    failed = 0
    for name, options in STUDIES.items():
        command = [sys.executable, "-m", "eventstudy", "run", *options, "--offline", "--quiet"]
        where = ["--event-pages", "0", "--out", str(folder.resolve() / "runs"), "--name", name]
        done = subprocess.run(
            [*command, *where], cwd=inputs, check=False, capture_output=True, text=True
        )
        failed += done.returncode != 0
        print(f"{name}: {'made' if done.returncode == 0 else done.stderr[-400:]}", flush=True)
    return failed


def compare(before: Path, after: Path, tolerance: float) -> int:
    """Print every table that is not the same, with its first line that differs; return how many.

    Numbers may differ by `tolerance`, absolute or relative to the larger.
    """
    names = {p.relative_to(before) for p in _files(before)} | {
        p.relative_to(after) for p in _files(after)
    }
    different = 0
    for name in sorted(names):
        sides = [_lines(folder / name) for folder in (before, after)]
        if not _same(*sides, tolerance):
            different += 1
            print(f"{name}: {_first_difference(*sides, tolerance)}")
    print(f"{len(names)} files compared, {different} differ")
    return int(different > 0)


def _files(folder: Path) -> list[Path]:
    runs = folder / "runs"
    return [
        *runs.glob("*/tables/*.csv"),
        *runs.glob("*/events.csv"),
        *runs.glob("*/data/prices.csv.gz"),
    ]


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        return []
    if file.suffix == ".gz":
        return [hashlib.sha256(gzip.decompress(file.read_bytes())).hexdigest()]
    return file.read_text(encoding="utf-8").splitlines()


def _same(before: list[str], after: list[str], tolerance: float) -> bool:
    if len(before) != len(after):
        return False
    pairs = zip(before, after, strict=True)
    return all(_same_line(a, b, tolerance) for a, b in pairs)


def _same_line(before: str, after: str, tolerance: float) -> bool:
    if before == after:
        return True
    rows = [next(csv.reader([line])) for line in (before, after)]
    if not tolerance or len(rows[0]) != len(rows[1]):
        return False
    return all(_same_cell(a, b, tolerance) for a, b in zip(*rows, strict=True))


def _same_cell(before: str, after: str, tolerance: float) -> bool:
    if before == after:
        return True
    try:
        numbers = float(before), float(after)
    except ValueError:
        return False
    return math.isclose(*numbers, rel_tol=tolerance, abs_tol=tolerance)


def _first_difference(before: list[str], after: list[str], tolerance: float) -> str:
    if not before or not after:
        return "is only " + ("after" if not before else "before")
    pairs = enumerate(zip(before, after, strict=False))
    line = next((i for i, (a, b) in pairs if not _same_line(a, b, tolerance)), None)
    if line is None:
        line = min(len(before), len(after))
    shown = [
        side[line][:100] if line < len(side) else "(no more lines)" for side in (before, after)
    ]
    return f"line {line + 1}: {shown[0]!r} -> {shown[1]!r}"


def main() -> int:
    """Make the studies, or compare two folders of them."""
    keep = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=keep)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make").add_argument("folder", type=Path)
    both = commands.add_parser("compare")
    both.add_argument("before", type=Path)
    both.add_argument("after", type=Path)
    both.add_argument(
        "--tolerance", type=float, default=0.0, help="[default: 0, to the last digit]"
    )
    options = parser.parse_args()
    if options.command == "make":
        return make(options.folder)
    return compare(options.before, options.after, options.tolerance)


if __name__ == "__main__":
    sys.exit(main())
