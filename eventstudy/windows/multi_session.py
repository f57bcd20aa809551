"""Returns over several sessions: the days on which a firm and its factors all have a price."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..utility.typing import AnyArray, BoolArray, IntArray


class Joint(NamedTuple):
    """Returns (n, L), the days and the sessions that each spans (n, L), and factors (n, L, f)."""

    returns: AnyArray
    spans: AnyArray
    length: AnyArray
    factors: AnyArray


class Runs(NamedTuple):
    """The days of n events cut behind every joint day: ends of each run, in flat order."""

    first: IntArray
    last: IntArray

    @classmethod
    def of(cls, joint: BoolArray) -> Runs:
        """Return the runs of events whose joint days (n, L) are marked."""
        begins = np.ones(joint.shape, dtype=bool)
        begins[:, 1:] = joint[:, :-1]
        first = np.flatnonzero(begins)
        return cls(first, np.append(first[1:], joint.size) - 1)

    def covered(self, spans: IntArray) -> BoolArray:
        """Return which runs the returns of a series (n, L) span exactly."""
        flat = spans.ravel()
        begins = np.where(flat > 0, np.arange(flat.size) - flat + 1, flat.size)
        exact = np.add.reduceat(flat, self.first) == self.last - self.first + 1
        covered: BoolArray = exact & (np.minimum.reduceat(begins, self.first) >= self.first)
        return covered


def jointly(series: Joint, factor_spans: IntArray, *, log: bool) -> Joint:
    """Return returns and factors over the days on which all series of an event have a price.

    Parameters
    ----------
    series : Joint
        The returns of n events and each factor by itself.
    factor_spans : (n, L, f) int array
        Days that each factor return spans; 0 where it is missing.
    log : bool
        Whether returns are summed instead of compounded.

    Notes
    -----
    Where the firm or a factor lacks a session, the next day that all have spans the sessions since
    the last such day: the firm's return is compounded over them, factors are summed. A return that
    began before the first day can enter no window and is missing.
    """
    priced, factor_priced = series.spans > 0, factor_spans > 0
    joint = priced & factor_priced.all(axis=2)
    runs = Runs.of(joint)
    exact = runs.covered(series.spans)
    for spans in np.moveaxis(factor_spans, 2, 0):
        exact &= runs.covered(spans)
    # A day on which all returns span one session stands for itself, whatever lies before it.
    single = ((series.spans == 1) & (factor_spans == 1).all(axis=2)).ravel()[runs.last]
    used = joint.ravel()[runs.last] & (single | exact)
    add, neutral = (np.add, 0.0) if log else (np.multiply, 1.0)
    growth = np.where(priced, series.returns + neutral, neutral).ravel()
    factors = np.where(factor_priced, series.factors, 0.0)
    factors = factors.reshape(priced.size, factor_spans.shape[2])
    sums = (
        add.reduceat(growth, runs.first) - neutral, runs.last - runs.first + 1,
        np.add.reduceat(series.length.ravel(), runs.first),
        np.add.reduceat(factors, runs.first, axis=0),
    )  # fmt: skip
    return Joint(
        *(_placed(a, runs.last, used, single, day) for a, day in zip(sums, series, strict=True))
    )


def covers(spans: IntArray) -> bool:
    """Return whether the returns of a run of days span exactly these days."""
    priced = np.flatnonzero(spans > 0)
    return bool((priced - spans[priced] + 1 >= 0).all() and spans.sum() == len(spans))


def _placed(
    sums: AnyArray, last: IntArray, used: BoolArray, single: BoolArray, days: AnyArray
) -> AnyArray:
    """Return the sums of the runs that are `used` on their last days; single days as they are."""
    out = np.full_like(days, np.nan if days.dtype.kind == "f" else 0)
    shape = (days.shape[0] * days.shape[1], *days.shape[2:])
    flat, values = out.reshape(shape), days.reshape(shape)
    flat[last[used]] = sums[used]
    flat[last[used & single]] = values[last[used & single]]
    return out
