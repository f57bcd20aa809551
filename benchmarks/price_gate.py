"""How many unadjusted splits are seen, and how often clean prices are taken for one.

    python benchmarks/price_gate.py --real FOLDER --times 40

FOLDER holds prices, one CSV a ticker (date, open, high, low, close, adj_close, volume); without it
simulated shares stand in. Splits are planted one at a time: prices before a day are multiplied by
the ratio, and volumes divided by it or left as they are. Then shares are simulated with one day of
news. Prints three Markdown tables: planted splits and false alarms whose return is taken as missing
or that are flagged and kept.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.calendars import Sessions, Symbol
from eventstudy.quality import LimitRule, Market, Quotes
from eventstudy.quality.fault_kinds import FAULTS
from eventstudy.quality.faults import BROKEN
from eventstudy.quality.quotes import NO_DATES
from eventstudy.utility import IntArray

FIRST, SIZE = pd.Timestamp("2012-01-02"), 1500
BROKEN_KINDS = tuple(name for name, kind in FAULTS.items() if kind.action == BROKEN)
# What becomes of a move: its return is missing, or it is kept as a suspect split or suspect jump.
OUTCOMES = {
    "missing": (*BROKEN_KINDS, "spike"), "suspect split": ("suspect_split",),
    "suspect move": ("suspect_jump", "suspect_limit"),
}  # fmt: skip
HEAD = "| {} | times | missing | suspect split | suspect move | not seen |"
RATIOS = (1.1, 1.2, 1.25, 1.5, 1.8, 2, 3, 4, 5, 7, 8, 10, 20, 50, 1 / 4, 1 / 8, 1 / 10, 1 / 15)
# The ratios of 35 splits in New York as they are usual, one of 3 for 2 in March 2020 among them.
REAL = (
    1.5, 4, 5, 20, 20, 4, 10, 4, 2, 1 / 8, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 6, 7, 10, 10,
    15, 20, 1 / 4, 1 / 5, 1 / 10, 2, 3,
)  # fmt: skip
INDICES = ("^", "000300", "399001", "IMOEX")
PRICES = ("open", "high", "low", "close", "adj_close")


@dataclass(frozen=True)
class News:
    """One day of news: the range of its return, of its multiple of volume, and the next days.

    `wild` multiplies the size of the next moves, fading over 10 days; `calm` all later ones. Volume
    falls back over `fades` days.
    """

    low: float
    high: float
    volume: tuple[float, float]
    wild: float = 1.0
    calm: float = 1.0
    fades: float = 8.0
    inside: float = 0.5


DESIGNS = {
    "a crash: -40 % to -95 %, volume x 5 to 20, wild afterwards": News(
        -0.95, -0.4, (5, 20), wild=5
    ),
    "the same with ordinary days afterwards": News(-0.95, -0.4, (5, 20), wild=1.5),
    "the same, all of it at the open": News(-0.95, -0.4, (5, 20), wild=3, inside=0.05),
    "a bid: +30 % to +150 %, volume x 8 to 40, calm afterwards": News(
        0.3, 1.5, (8, 40), calm=0.15, fades=25, inside=0.05
    ),
    "a bid, volume x 2 to 8": News(0.3, 1.5, (2, 8), calm=0.3, fades=25, inside=0.05),
    "a rally: +50 % to +400 %, volume x 10 to 60, wild afterwards": News(
        0.5, 4.0, (10, 60), wild=5
    ),
    "a rally, volume x 3 to 10": News(0.5, 4.0, (3, 10), wild=2),
    "one day of ±10 % to ±40 %": News(-0.4, 0.4, (2, 6), wild=1.5),
}


def share(rng: np.random.Generator, news: News | None = None) -> tuple[pd.DataFrame, int]:
    """Return the prices of a share with GARCH t4 returns, and the row of its news, if any."""
    shocks, moves, variance = rng.standard_t(4, SIZE) / np.sqrt(2), np.empty(SIZE), 1.0
    for t in range(SIZE):
        moves[t] = np.sqrt(variance) * shocks[t]
        variance = min(0.05 + 0.1 * moves[t] ** 2 + 0.85 * variance, 25.0)
    scale = rng.uniform(0.006, 0.03)
    moves = np.clip(moves * scale, -0.5, 0.5)
    volume = np.cumsum(rng.normal(0, 0.03, SIZE)) + rng.normal(0, 0.35, SIZE) + 12 * abs(moves)
    day, jump = int(rng.integers(100, SIZE - 40)), 0.0
    within = np.abs(moves) * rng.uniform(0.2, 1, SIZE) + scale * rng.uniform(0.4, 1.5, SIZE)
    if news:
        jump = float(np.log1p(rng.uniform(news.low, news.high)))
        ages = np.arange(SIZE - day - 1)
        factor = news.calm * (1 + (news.wild - 1) * np.exp(-ages / 10))
        moves[day + 1 :] *= factor
        within[day + 1 :] *= factor
        moves[day] = jump
        within[day] = news.inside * abs(jump) * rng.uniform(0.3, 1) + news.wild * within[day]
        times = np.log(rng.uniform(*news.volume))
        fading = np.exp(-np.arange(SIZE - day) / news.fades) * rng.uniform(0.5, 1)
        volume[day:] += times * np.r_[1, fading[1:]]
    close = 50 * np.exp(np.cumsum(moves))
    start = close * np.exp(rng.uniform(-0.5, 0.5, SIZE) * within)
    low, high = (extreme(start, close) for extreme in (np.minimum, np.maximum))
    spare = np.maximum(within - np.log(high / low), 0)
    low, high = low * np.exp(-spare * 0.5), high * np.exp(spare * 0.5)
    table = pd.DataFrame({
        "date": pd.bdate_range(FIRST, periods=SIZE), "open": start, "high": high, "low": low,
        "close": close, "adj_close": close, "volume": np.round(1e6 * np.exp(volume)),
    })  # fmt: skip
    return table, day


def simulated(rng: np.random.Generator, count: int) -> Iterator[Quotes]:
    """Yield clean shares of one market."""
    tables = [share(rng)[0].assign(symbol=f"S{k}") for k in range(count)]
    yield from in_markets([quotes for quotes, _ in Quotes.by_symbol(pd.concat(tables))])


def real(folder: Path) -> list[Quotes]:
    """Return the series of a folder, those without adjusted closes at their closes."""
    tables = [
        pd.read_csv(path, parse_dates=["date"]).assign(symbol=path.stem)
        for path in sorted(folder.glob("*.csv"))
    ]
    return in_markets([quotes for quotes, _ in Quotes.by_symbol(pd.concat(tables))])


def in_markets(series: list[Quotes]) -> list[Quotes]:
    """Return series with the others and the sessions of their exchange, and the limits of their
    board."""
    groups: dict[str, list[Quotes]] = {}
    for q in series:
        groups.setdefault(exchange_of(q), []).append(q)
    days = {name: Sessions.of(name).dates if name else NO_DATES for name in groups}
    out = []
    for q in series:
        name = exchange_of(q)
        among = (days[name] >= q.dates[0]) & (days[name] <= q.dates[-1])
        traits: dict[str, Any] = {"sessions": days[name][among], "rules": LimitRule.of(q.symbol)}
        out.append(replace(q, market=Market(groups[name]), **traits))
    return out


def exchange_of(q: Quotes) -> str:
    """Return the calendar of a symbol; a simulated one has none."""
    home = Symbol(q.symbol).home
    return str(home.calendar) if home else ""


def outcome(q: Quotes, row: int) -> str:
    """Return what becomes of the return of a row; "" if nothing does."""
    day = q.dates[row]
    for name, kinds in OUTCOMES.items():
        if any(s.first <= day <= s.last for kind in kinds for s in FAULTS[kind].find(q)):
            return name
    return ""


def undone(q: Quotes, row: int, ratio: float, *, volume: bool) -> Quotes:
    """Return a series with a split on a row that was not applied to the rows before it."""
    factor = np.where(np.arange(len(q.dates)) < row, ratio, 1.0)
    prices = {name: getattr(q, name) * factor for name in PRICES}
    return replace(q, volume=q.volume / factor if volume else q.volume, **prices)


def days_of(q: Quotes, kind: str) -> IntArray:
    """Return the rows on which a split can be planted, by kind of day."""
    rows = np.flatnonzero(np.isfinite(q.price))[80:-30]
    rows = rows[np.isfinite(q.price[rows - 1])]
    moves = np.abs(np.log(q.price[rows] / q.price[rows - 1]))
    if kind == "March 2020":
        return rows[
            (q.dates[rows] >= np.datetime64("2020-02-24"))
            & (q.dates[rows] <= np.datetime64("2020-04-09"))
        ]
    return rows[moves >= 0.05] if kind == "own move of 5 % or more" else rows


def planted(
    series: list[Quotes], kind: str, ratio: float, times: int, *, volume: bool = True
) -> Counter[str]:
    """Count what becomes of splits on days of a kind."""
    count: Counter[str] = Counter()
    for k, q in enumerate(series):
        rng = np.random.default_rng([k, round(1000 * ratio)])
        days = days_of(q, kind)
        for row in rng.choice(days, min(times, len(days)), replace=False) if len(days) else ():
            count[outcome(undone(q, int(row), ratio, volume=volume), int(row))] += 1
    return count


def portfolios(series: list[Quotes], times: int) -> list[int]:
    """Return how many of the 35 ratios are seen, each at a random share and day, `times` times."""
    found = []
    american = [q for q in series if "." not in q.symbol]
    for number in range(times):
        rng, count = np.random.default_rng([number, 35]), 0
        for ratio in REAL:
            q = american[rng.integers(len(american))]
            days = days_of(q, "March 2020" if 1 < ratio < 2 else "")
            row = int(rng.choice(days if len(days) else days_of(q, "")))
            count += bool(outcome(undone(q, row, ratio, volume=True), row))
        found.append(count)
    return found


def row_of(name: str, count: Counter[str]) -> str:
    """Return a row on outcomes."""
    total = max(sum(count.values()), 1)
    cells = " | ".join(f"{count[outcome] / total:.1%}" for outcome in (*OUTCOMES, ""))
    return f"| {name} | {total:,} | {cells} |"


def alarms(name: str, series: list[Quotes]) -> str:
    """Return a row on clean series: symbol-days, moves above 8 %, and days by outcome."""
    prices = [q.price[np.isfinite(q.price)] for q in series]
    moves = sum(int((np.abs(np.diff(np.log(p))) > np.log(1.08)).sum()) for p in prices)
    counts = [
        sum(len(FAULTS[kind].find(q)) for q in series for kind in kinds)
        for kinds in OUTCOMES.values()
    ]
    numbers = (len(series), sum(map(len, prices)), moves, *counts)
    return f"| {name} | {' | '.join(f'{n:,}' for n in numbers)} |"


def of_splits(series: list[Quotes], times: int) -> Iterator[str]:
    """Yield the rows on planted splits."""
    kinds = [("", RATIOS, True)]
    kinds += [(k, (1.5, 2, 4, 20, 1 / 8), True) for k in ("March 2020", "own move of 5 % or more")]
    kinds += [("", (2, 4, 20, 1 / 8), False)]
    for kind, ratios, volume in kinds:
        for ratio in ratios:
            name = f"{ratio:.3g}:1" if ratio > 1 else f"1:{1 / ratio:.3g}"
            name += f", {kind}" * bool(kind) + ", volume adjusted" * (not volume)
            yield row_of(name, planted(series, kind, ratio, times, volume=volume))


def of_news(news: News, rng: np.random.Generator, count: int) -> Counter[str]:
    """Count what becomes of one day of news."""
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        table, row = share(rng, news)
        outcomes[outcome(next(Quotes.by_symbol(table.assign(symbol="N")))[0], row)] += 1
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--shares", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    held = real(options.real) if options.real and options.real.is_dir() else []
    clean = list(simulated(rng, 60))
    traded = [q for q in held if not q.symbol.startswith(INDICES)] or clean
    print(f"{HEAD.format('planted split')}\n|---|---:|---:|---:|---:|---:|")
    for row in of_splits(traded, options.times):
        print(row, flush=True)
    found = np.array(portfolios(traded, options.times))
    print(
        f"\nOf 35: {found.mean():.1f} seen on average, at least {found.min()}; 34 or more in "
        f"{(found >= 34).mean():.0%} of {options.times}"
    )
    head = "| clean prices | symbols | symbol-days | moves above 8 % | missing | suspect split |"
    print(f"\n{head} suspect move |\n|---|---:|---:|---:|---:|---:|---:|")
    for name, series in (("real", held), ("GARCH, t4", clean)):
        print(alarms(name, series), flush=True)
    print(f"\n{HEAD.format('one day of news')}\n|---|---:|---:|---:|---:|---:|")
    for name, news in DESIGNS.items():
        print(row_of(name, of_news(news, rng, options.shares)), flush=True)


if __name__ == "__main__":
    main()
