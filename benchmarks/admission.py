"""How often a true revision of prices is held back, and how many false answers are admitted.

    python benchmarks/admission.py --real FOLDER --nights 1000

FOLDER holds recorded prices, one CSV a ticker (date, close, adj_close, volume); files in its
neighbour ``prices-as-recorded`` are other downloads of the same series. A night is a ticker, a
day up to which it is stored, and the answer of a later day. Clean nights change what a source truly
changes; false ones are what it gave by mistake. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.prices import Prices, Provenance, clean
from eventstudy.prices._base import NUMBER_COLUMNS, stamp
from eventstudy.prices._database import Held
from eventstudy.prices._prices import Answer
from eventstudy.prices.revisions import merge

Series = dict[str, pd.DataFrame]
Change = Callable[[pd.DataFrame, pd.DataFrame, np.random.Generator], pd.DataFrame]
CLOSES = ["close", "adj_close"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Days of history, and sessions between the two answers.
LENGTHS, GAPS = (60, 250, 750, 1500), (1, 1, 1, 2, 5, 20)


def read_series(folder: Path) -> Series:
    """Return the recorded prices of a folder, the days with a price."""
    tables = {path.stem: pd.read_csv(path, parse_dates=["date"]) for path in folder.glob("*.csv")}
    return {name: table[table["close"] > 0] for name, table in sorted(tables.items())}


def held(rows: pd.DataFrame, asked_last: pd.Timestamp, on: str, currency: str = "") -> Held:
    """Return an answer for all days of `rows`, asked until `asked_last`."""
    cleaned, _ = clean(rows[["date", *(c for c in NUMBER_COLUMNS if c in rows)]], "X")
    source = Provenance("yahoo", retrieved_at=f"{on}T22:00:00+00:00", currency=currency)
    prices = Prices.of({"X": Answer(cleaned, stamp(source, cleaned))}, {})
    days = rows["date"].min().date(), asked_last.date()
    return Held.all_of(prices, days, NOW)[0]


def nothing(old: pd.DataFrame, new: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the answer as it is; the last digit of a float32 moves."""
    wobble = 1 + rng.uniform(-1e-6, 1e-6, len(new))
    return new.assign(close=new["close"] * wobble, adj_close=new["adj_close"] * wobble)


def dividend(old: pd.DataFrame, new: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return adjusted closes after a dividend since the last answer: all earlier ones are lower."""
    early, factor = new["date"] <= old["date"].iloc[-1], rng.uniform(0.9, 0.999)
    return new.assign(adj_close=new["adj_close"].where(~early, new["adj_close"] * factor))


def rounded(old: pd.DataFrame, new: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return adjusted closes after a dividend, hundreds of them rounded to other digits."""
    paid = dividend(old, new, rng)
    return paid.assign(adj_close=paid["adj_close"].round(3))


def late_split(old: pd.DataFrame, new: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Split the share some days ago; the answer of before did not know, and did since."""
    ratio, back = rng.choice([1.5, 2, 3, 4, 10, 0.1]), rng.integers(1, 30)
    early = new["date"] < old["date"].iloc[-min(back, len(old))]
    parts = {name: new[name].where(~early, new[name] / ratio) for name in CLOSES}
    return new.assign(**parts)


def correction(old: pd.DataFrame, new: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Correct one to three days, by a little or by a factor of 100."""
    out = new.copy()
    for at in rng.integers(0, len(old), rng.integers(1, 4)):
        out.loc[out.index[at], CLOSES] *= rng.choice([0.01, 100, 1.3, 0.99, 1.002])
    return out


def days_come_and_go(
    old: pd.DataFrame, new: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Leave out up to three of the stored days, none of them the last."""
    return new.drop(index=new.index[rng.integers(0, len(old) - 1, rng.integers(1, 4))])


def half(old: pd.DataFrame, new: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give the first half only."""
    return new.iloc[: len(old) // 2]


def late_dates(old: pd.DataFrame, new: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Date each close a session late."""
    return new.assign(**{name: new[name].shift(1).bfill() for name in CLOSES})


CLEAN: dict[str, Change] = {
    "nothing": nothing, "a dividend": dividend, "a dividend, rounded anew": rounded,
    "a split seen late": late_split, "one to three days corrected": correction,
    "days left out": days_come_and_go,
}  # fmt: skip
FALSE: dict[str, Change] = {"half of the days": half, "dates a session late": late_dates}


def night(series: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what is stored on a random day, and what is there some sessions later."""
    gap, length = rng.choice(GAPS), int(min(rng.choice(LENGTHS), len(series) - 25))
    at = rng.integers(length, len(series) - gap)
    new = series.iloc[at - length : at + gap].reset_index(drop=True)
    return new.iloc[:length], new


def outcome_of(old: pd.DataFrame, new: pd.DataFrame, asked_last: pd.Timestamp) -> str:
    """Return what becomes of an answer."""
    return merge(
        held(old, old["date"].iloc[-1], "2025-01-01"), held(new, asked_last, "2025-02-01")
    ).outcome


def main() -> None:
    """Print how often each kind of night is held back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--nights", type=int, default=1000)
    asked = parser.parse_args()
    series, rng = read_series(asked.real), np.random.default_rng(33)
    names, counts, total = list(series), Counter[str](), Counter[str]()
    for number in range(asked.nights):
        kind = list(CLEAN)[number % len(CLEAN)]
        old, new = night(series[str(rng.choice(names))], rng)
        total[kind] += 1
        counts[kind] += (
            outcome_of(old, CLEAN[kind](old, new, rng), new["date"].iloc[-1]) == "held_back"
        )
    for number in range(asked.nights):
        kind = [*FALSE, "another firm"][number % (len(FALSE) + 1)]
        first, second = (str(name) for name in rng.choice(names, 2, replace=False))
        old, new = night(series[first], rng)
        answer = FALSE[kind](old, new, rng) if kind in FALSE else series[second]
        if kind not in FALSE:
            answer = answer[answer["date"].between(new["date"].iloc[0], new["date"].iloc[-1])]
        if answer.empty:
            continue
        total[kind] += 1
        counts[kind] += outcome_of(old, answer, new["date"].iloc[-1]) == "held_back"
    for name, table in read_series(asked.real.parent / "prices-as-recorded").items():
        both = [table, series[name.removesuffix(".dump2020")]]
        first = max(each["date"].iloc[0] for each in both)
        last = min(each["date"].iloc[-1] for each in both)
        downloads = [each[each["date"].between(first, last)] for each in both]
        for old, new in (downloads, downloads[::-1]):
            total["another download"] += 1
            counts["another download"] += outcome_of(old, new, last) == "held_back"
    print("| night | answers | held back |\n|---|---|---|")
    for kind, n in total.items():
        print(f"| {kind} | {n} | {counts[kind]} ({counts[kind] / n:.1%}) |")
    clean_nights, held_back = sum(total[k] for k in CLEAN), sum(counts[k] for k in CLEAN)
    print(f"\n{held_back} of {clean_nights} clean nights held back")


if __name__ == "__main__":
    main()
