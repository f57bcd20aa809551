"""How long the store of prices takes to write and read many tickers.

.venv/bin/python benchmarks/store.py --tickers 2000 --years 10 --read 300
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.prices import Prices, Provenance, StoreProvider, clean
from eventstudy.prices._base import stamp
from eventstudy.prices._prices import Answer

LAST = date(2023, 12, 29)
BATCH = 100


def synthetic(symbol: str, days: pd.DatetimeIndex, rng: np.random.Generator) -> Prices:
    """Return a random walk in all columns, with the digits of real prices."""
    close = np.exp(np.cumsum(rng.normal(0, 0.02, len(days)))).astype("float32") * 50
    columns = {name: close * rng.uniform(0.98, 1.02, len(days)) for name in ("open", "high", "low")}
    volume = rng.integers(10**4, 10**7, len(days))
    table = pd.DataFrame(
        {"date": days, **columns, "close": close, "adj_close": close * 0.9, "volume": volume}
    )
    rows, _ = clean(table, symbol)
    given = Provenance("yahoo", retrieved_at="2024-01-02T00:00:00+00:00", currency="USD")
    return Prices.of({symbol: Answer(rows, stamp(given, rows))}, {})


def fill(store: StoreProvider, tickers: int, years: int, seed: int = 1) -> float:
    """Store random prices of so many tickers and years, and return the seconds that the store
    took."""
    days = pd.bdate_range(end=LAST, periods=252 * years)
    rng, taken = np.random.default_rng(seed), 0.0
    for first in range(0, tickers, BATCH):
        names = [f"T{number:05d}" for number in range(first, min(first + BATCH, tickers))]
        made = [synthetic(name, days, rng) for name in names]
        answers = {name: answer for one in made for name, answer in one.answers().items()}
        taken += seconds(lambda answers=answers: store.add(Prices.of(answers, {})))
    return taken


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Fill a store, read from it, and print the times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tickers", type=int, default=2000)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--read", type=int, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = StoreProvider(Path(folder) / "prices.sqlite", partial=True)
        wrote = fill(store, asked.tickers, asked.years)
        size = store.path.stat().st_size
        print(
            f"write {asked.tickers} tickers x {asked.years} years: {wrote:.1f} s, "
            f"{size / 1e6:.0f} MB"
        )
        names = random.Random(2).sample(store.symbols(), min(asked.read, asked.tickers))
        first = date(LAST.year - asked.years, 1, 1)
        times = sorted(seconds(lambda: store.fetch(names, first, LAST)) for _ in range(5))
        print(f"read {len(names)} tickers whole: {times[0]:.2f} s (median {times[2]:.2f} s of 5)")
        short = seconds(lambda: store.fetch(names, date(2022, 1, 1), LAST))
        print(f"read {len(names)} tickers, two years: {short:.2f} s")


if __name__ == "__main__":
    main()
