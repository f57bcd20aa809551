"""Rearranging the labels of two groups of events, and Welch's t of each arrangement."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from math import comb, prod
from typing import TypeAlias

import numpy as np

from ..utility.typing import BoolArray, FloatArray, IntArray

# All arrangements are taken up to this number of them.
ENUMERATE_UP_TO = 4096
# What may be exchanged: units (an event, or all events of a date), and how many are of the first
# group.
Stratum: TypeAlias = tuple[list[IntArray], int]


def count(strata: list[Stratum]) -> int:
    """Return the number of arrangements."""
    return prod(comb(len(units), chosen) for units, chosen in strata)


def strata_of(first: BoolArray, date: IntArray) -> list[Stratum]:
    """Return the strata: events of a date that has both groups, and the dates that have one group
    only."""
    strata: list[Stratum] = []
    whole: tuple[list[IntArray], list[IntArray]] = ([], [])
    for day in np.unique(date):
        one, other = np.flatnonzero((date == day) & first), np.flatnonzero((date == day) & ~first)
        if len(one) and len(other):
            strata.append(([np.array([i]) for i in (*one, *other)], len(one)))
        else:
            whole[0 if len(one) else 1].append(np.concatenate([one, other]))
    return [*strata, ([*whole[0], *whole[1]], len(whole[0]))]


def arrangements(strata: list[Stratum], n: int) -> BoolArray:
    """Return all labellings, shape (count, n)."""

    def of_stratum(units: list[IntArray], chosen: int) -> Iterator[IntArray]:
        for picked in combinations(units, chosen):
            yield np.concatenate(picked) if picked else np.empty(0, dtype=np.int64)

    rows = [np.concatenate(parts) for parts in product(*(list(of_stratum(*s)) for s in strata))]
    out = np.zeros((len(rows), n), dtype=np.bool_)
    for labels, events in zip(out, rows, strict=True):
        labels[events] = True
    return out


def draws(strata: list[Stratum], n: int, *, number: int, seed: int) -> BoolArray:
    """Return seeded labellings, shape (number, n)."""
    rng = np.random.default_rng(seed)
    out = np.zeros((number, n), dtype=np.bool_)
    for units, chosen in strata:
        label = rng.permuted(np.tile(np.arange(len(units)) < chosen, (number, 1)), axis=1)
        for unit, column in zip(units, label.T, strict=True):
            out[:, unit] = column[:, None]
    return out


def welch_t(values: FloatArray, labels: BoolArray) -> FloatArray:
    """Return Welch's t of each labelling (B, n); infinite where a group has one event or nothing
    varies."""
    y = values - values.mean()
    n = np.stack([labels.sum(axis=1), (~labels).sum(axis=1)]).astype(float)
    total = np.stack([labels @ y, ~labels @ y])
    square = np.stack([labels @ y**2, ~labels @ y**2])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        variance = (square - n * mean**2) / (n - 1) / n
        t = (mean[0] - mean[1]) / np.sqrt(variance.sum(axis=0))
    return np.where(np.isfinite(t), t, np.inf)
