"""Rearranging the labels of two groups of events, and Welch's t of each arrangement."""

from __future__ import annotations

from itertools import chain, combinations, product
from math import comb, prod
from typing import TypeAlias

import numpy as np

from ..utility.typing import BoolArray, FloatArray, IntArray

# All arrangements are taken up to this number of them.
ENUMERATE_UP_TO = 4096
# Units that may be exchanged, an event or all of a date; and how many are of the first group.
Stratum: TypeAlias = tuple[list[IntArray], int]


def count(strata: list[Stratum]) -> int:
    """Return the number of arrangements."""
    return prod(comb(len(units), chosen) for units, chosen in strata)


def strata_of(first: BoolArray, date: IntArray) -> list[Stratum]:
    """Return the strata: dates with both groups, and the dates of one group together.

    Parameters
    ----------
    first : (n,) bool array
        Whether an event is of the first group.
    date : (n,) int array

    Returns
    -------
    list of Stratum
    """
    strata: list[Stratum] = []
    single_group: tuple[list[IntArray], list[IntArray]] = ([], [])
    for day in np.unique(date):
        of_first, of_second = (np.flatnonzero((date == day) & g) for g in (first, ~first))
        if len(of_first) and len(of_second):
            strata.append(([np.array([i]) for i in (*of_first, *of_second)], len(of_first)))
        else:
            single_group[0 if len(of_first) else 1].append(np.concatenate([of_first, of_second]))
    return [*strata, ([*single_group[0], *single_group[1]], len(single_group[0]))]


def arrangements(strata: list[Stratum], n: int) -> BoolArray:
    """Return all labellings, shape (count, n).

    Parameters
    ----------
    strata : list of Stratum
    n : int
        Number of events.

    Returns
    -------
    (count, n) bool array
    """

    none = np.empty(0, dtype=np.int64)
    picks = product(*(combinations(units, chosen) for units, chosen in strata))
    rows = [np.concatenate([none, *chain.from_iterable(units)]) for units in picks]
    out = np.zeros((len(rows), n), dtype=np.bool_)
    for labels, events in zip(out, rows, strict=True):
        labels[events] = True
    return out


def draws(strata: list[Stratum], n: int, *, number: int, seed: int) -> BoolArray:
    """Return seeded labellings, shape (number, n).

    Parameters
    ----------
    strata : list of Stratum
    n : int
        Number of events.
    number : int
        Number of draws.
    seed : int

    Returns
    -------
    (number, n) bool array
    """
    rng = np.random.default_rng(seed)
    out = np.zeros((number, n), dtype=np.bool_)
    for units, chosen in strata:
        label = rng.permuted(np.tile(np.arange(len(units)) < chosen, (number, 1)), axis=1)
        for unit, column in zip(units, label.T, strict=True):
            out[:, unit] = column[:, None]
    return out


def welch_t(values: FloatArray, labels: BoolArray) -> FloatArray:
    """Return Welch's t of each labelling, shape (B,).

    Parameters
    ----------
    values : (n,) float array
        CARs (decimal).
    labels : (B, n) bool array

    Returns
    -------
    (B,) float array
        Infinite where a group has one event or nothing varies.
    """
    y = values - values.mean()
    n = np.stack([labels.sum(axis=1), (~labels).sum(axis=1)]).astype(float)
    total = np.stack([labels @ y, ~labels @ y])
    square = np.stack([labels @ y**2, ~labels @ y**2])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        variance = (square - n * mean**2) / (n - 1) / n
        t = (mean[0] - mean[1]) / np.sqrt(variance.sum(axis=0))
    return np.where(np.isfinite(t), t, np.inf)
