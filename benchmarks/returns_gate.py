"""How often clean returns are taken for faults, and how many planted faults are seen.

    python benchmarks/returns_gate.py --columns 6000 --real FOLDER

Each design is a kind of share, simulated as simple returns (daily, 250, 1,250 or 2,500 of them) and
looked at in files of 50 columns, as they are and as log returns. FOLDER holds prices, one CSV a
ticker with the columns date, close and adj_close. Prints two Markdown tables: columns with a value
taken as missing, and with a value that is flagged and kept; then, of planted faults, the share
taken as missing, flagged and kept, or not seen.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.quality import Gate, ReturnKind, Verdict
from eventstudy.utility import FloatArray

LENGTHS, FILE, FIRST = (250, 1250, 2500), 50, np.datetime64("2010-01-04")
# The median of the size of Student's t.
MEDIANS = {3: 0.7649, 4: 0.7407}
KINDS: tuple[ReturnKind, ...] = ("simple", "log")
Draw = Callable[[np.random.Generator, int], FloatArray]


def student(
    rng: np.random.Generator, size: int, df: int, low: float = 0.003, high: float = 0.02
) -> FloatArray:
    """Return returns whose median size is between `low` and `high`, none below -95 %."""
    scale = np.exp(rng.uniform(np.log(low), np.log(high))) / MEDIANS[df]
    return np.maximum(scale * rng.standard_t(df, size), -0.95)


def thin(rng: np.random.Generator, size: int) -> FloatArray:
    """Return returns that are 0 on 30 % to 95 % of the days."""
    return np.where(
        rng.random(size) < rng.uniform(0.3, 0.95), 0.0, student(rng, size, 3, 0.005, 0.05)
    )


def penny(rng: np.random.Generator, size: int) -> FloatArray:
    """Return returns of median size 3 % to 8 %, with days of +50 % and -50 %, none above 300 %."""
    values = np.where(
        rng.random(size) < 0.02, rng.choice([0.5, -0.5], size), student(rng, size, 3, 0.03, 0.08)
    )
    return np.clip(values, -0.9, 3.0)


def ticks(rng: np.random.Generator, size: int) -> FloatArray:
    """Return returns of a price of one to three ticks, which mostly stays."""
    moves = np.where(rng.random(size + 1) < rng.uniform(0.1, 0.8), rng.integers(1, 4, size + 1), 0)
    moves[0] = 1
    held = np.maximum.accumulate(np.where(moves > 0, np.arange(size + 1), 0))
    price = moves[held].astype(float)
    return price[1:] / price[:-1] - 1


def clustered(rng: np.random.Generator, size: int) -> FloatArray:
    """Return returns whose variance follows a GARCH(1,1) with t4 shocks."""
    shocks, values, variance = rng.standard_t(4, size) / np.sqrt(2), np.empty(size), 1.0
    for t in range(size):
        values[t] = np.sqrt(variance) * shocks[t]
        variance = min(0.05 + 0.1 * values[t] ** 2 + 0.85 * variance, 400.0)
    return np.maximum(values * rng.uniform(0.005, 0.03), -0.95)


def with_day(low: float, high: float, after: float, *, wild: bool = False) -> Draw:
    """Return a draw with one day between `low` and `high`, and later days times `after` (fading if
    wild)."""

    def draw(rng: np.random.Generator, size: int) -> FloatArray:
        values, day = student(rng, size, 4, 0.006, 0.025), int(rng.integers(70, size - 30))
        fading = np.exp(-np.arange(size - day - 1) / 10) if wild else 1.0
        values[day] = rng.uniform(low, high)
        values[day + 1 :] = np.maximum(values[day + 1 :] * (1 + (after - 1) * fading), -0.95)
        return values

    return draw


def delisted(rng: np.random.Generator, size: int) -> FloatArray:
    """Return returns that end with -100 %."""
    values = student(rng, size, 4)
    values[-1] = -1.0
    return values


DESIGNS: dict[str, Draw] = {
    "t3, median size 0.3 % to 2 %": lambda rng, size: student(rng, size, 3),
    "t4, median size 0.3 % to 2 %": lambda rng, size: student(rng, size, 4),
    "thin trading, 30 % to 95 % zeros": thin,
    "penny shares, days of ±50 %": penny,
    "prices of 1 to 3 ticks": ticks,
    "GARCH, t4": clustered,
    "one day of -90 % to +95 %": with_day(-0.9, 0.95, 1.0),
    "a bid: +40 % to +230 %, calm afterwards": with_day(0.4, 2.3, 0.15),
    "a crash: -60 % to -99 %, wild afterwards": with_day(-0.99, -0.6, 9.0, wild=True),
    "a rally: +200 % to +1,000 %, wild afterwards": with_day(2.0, 10.0, 7.0, wild=True),
    "delisted at -100 %": delisted,
}
PLANTED: dict[str, Callable[[float], float | None]] = {
    "5, in a column of decimals": lambda value: 5.0,
    "a cell in percent": lambda value: 100 * value,
    "a cell in percent, 1 % or more": lambda value: 100 * value if abs(value) >= 0.01 else None,
    "a cell in percent, 3 % or more": lambda value: 100 * value if abs(value) >= 0.03 else None,
    "-1.3": lambda value: -1.3,
    "infinite": lambda value: np.inf,
    "-99": lambda value: -99.0,
    "999": lambda value: 999.0,
    "-0.99": lambda value: -0.99,
}


def judged(columns: list[FloatArray], kind: ReturnKind) -> Verdict:
    """Return the verdict on a file of columns of one length; symbols are their numbers."""
    names = [str(k) for k in range(len(columns))]
    gate = Gate(FIRST + np.arange(len(columns[0])), names, kind, "file")
    gate.look(names, np.array(columns))
    return gate.verdict()


def of_kind(values: FloatArray, kind: ReturnKind) -> FloatArray:
    """Return simple returns as they are, or as log returns; a share that is worth nothing has
    none."""
    return values if kind == "simple" else np.log1p(np.where(values > -1, values, np.nan))


def files(draw: Draw, count: int, seed: int) -> Iterator[list[FloatArray]]:
    """Yield columns of one length, some at a time."""
    for number in range(count // FILE):
        rng = np.random.default_rng([seed, number])
        size = LENGTHS[number % len(LENGTHS)]
        yield [draw(rng, size) for _ in range(FILE)]


def alarms(columns: list[FloatArray], kind: ReturnKind) -> Counter[str]:
    """Count the columns, returns, and columns with a value taken as missing, or flagged."""
    verdict = judged([of_kind(values, kind) for values in columns], kind)
    out = {fault.symbol for fault in verdict.faults if fault.is_impossible}
    flagged = {fault.symbol for fault in verdict.faults} - out
    size = sum(map(len, columns))
    return Counter(columns=len(columns), returns=size, out=len(out), flagged=len(flagged))


def seen(
    columns: list[FloatArray], plant: Callable[[float], float | None], kind: ReturnKind, number: int
) -> Counter[str]:
    """Count what becomes of one planted value in each column of a file; `number` decides on the
    days."""
    count: Counter[str] = Counter()
    for k, values in enumerate(columns):
        rng = np.random.default_rng([k, number])
        dirty = [of_kind(column, kind).copy() for column in columns]
        day = int(rng.choice(np.flatnonzero(np.isfinite(values))[100:-30]))
        value = plant(float(dirty[k][day]))
        if value is None:
            continue
        dirty[k][day] = value
        date = str(FIRST + day)
        faults = [f for f in judged(dirty, kind).faults if f.symbol == str(k) and f.date == date]
        if any(fault.is_impossible for fault in faults):
            count["taken"] += 1
        else:
            count["flagged" if faults else "silent"] += 1
    return count


def planted(
    samples: list[list[FloatArray]], plant: Callable[[float], float | None], kind: ReturnKind
) -> Counter[str]:
    """Add up :func:`seen` over files."""
    return sum((seen(f, plant, kind, number) for number, f in enumerate(samples)), Counter[str]())


def scaled(columns: list[FloatArray], kind: ReturnKind) -> Counter[str]:
    """Count what becomes of the first column of a file in percent."""
    count: Counter[str] = Counter()
    for k in range(0, len(columns), 5):
        dirty = [of_kind(values, kind) * (100 if i == k else 1) for i, values in enumerate(columns)]
        verdict = judged(dirty, kind)
        kinds = {fault.kind for fault in verdict.faults if fault.symbol == str(k)}
        taken = str(k) in verdict.failures
        count["taken" if taken else "flagged" if kinds else "silent"] += 1
    return count


def real(folder: Path) -> list[FloatArray]:
    """Return the simple returns of the prices in a folder, of the days that all have."""
    closes = {}
    for path in sorted(folder.glob("*.csv")):
        table = pd.read_csv(path, index_col="date")
        blank = table["adj_close"].isna().all()
        closes[path.stem] = table["close" if blank else "adj_close"].pct_change().iloc[1:]
    return [values.to_numpy(float) for _, values in pd.DataFrame(closes).items()]


def row(name: str, kind: str, count: Counter[str]) -> str:
    """Return a row on planted faults."""
    total = max(sum(count.values()), 1)
    shares = " | ".join(
        f"{count[outcome] / total:.1%}" for outcome in ("taken", "flagged", "silent")
    )
    return f"| {name} | {kind} | {total:,} | {shares} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--columns", type=int, default=6000)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("| clean returns | kind | columns | returns | taken as missing | flagged and kept |")
    print("|---|---|---:|---:|---:|---:|")
    for name, draw in DESIGNS.items():
        for kind in KINDS:
            count = sum(
                (alarms(f, kind) for f in files(draw, options.columns, options.seed)),
                Counter[str](),
            )
            cells = " | ".join(
                f"{count[key]:,}" for key in ("columns", "returns", "out", "flagged")
            )
            print(f"| {name} | {kind} | {cells} |", flush=True)
    held = real(options.real) if options.real else []
    if held:
        for kind in KINDS:
            count = alarms(held, kind)
            size = sum(int(np.isfinite(values).sum()) for values in held)
            print(
                f"| real | {kind} | {count['columns']} | {size:,} | {count['out']} | "
                f"{count['flagged']} |"
            )
    print("\n| planted fault | kind | times | taken as missing | flagged and kept | not seen |")
    print("|---|---|---:|---:|---:|---:|")
    samples = (held and [held] * 20) or list(files(clustered, 3 * FILE, options.seed))
    for name, plant in PLANTED.items():
        for kind in KINDS:
            print(row(name, kind, planted(samples, plant, kind)), flush=True)
    for kind in KINDS:
        print(
            row(
                "a column in percent", kind, sum((scaled(f, kind) for f in samples), Counter[str]())
            )
        )


if __name__ == "__main__":
    main()
