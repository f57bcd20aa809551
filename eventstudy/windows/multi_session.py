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
    """The days of n events cut behind every joint day: the first and last of each run, in flat
    order."""

    first: IntArray
    last: IntArray

    def covered(self, spans: IntArray) -> BoolArray:
        """Tell which runs the returns of a series (n, L) span exactly."""
        flat = spans.ravel()
        begins = np.where(flat > 0, np.arange(flat.size) - flat + 1, flat.size)
        exact = np.add.reduceat(flat, self.first) == self.last - self.first + 1
        covered: BoolArray = exact & (np.minimum.reduceat(begins, self.first) >= self.first)
        return covered


def jointly(given: Joint, factor_spans: IntArray, *, log: bool) -> Joint:
    """Return the returns and factors of n events over the days on which all series of an event have
    a price.

    Where the firm or a factor lacks a session, the next day that all have spans the sessions since
    the last such day: the firm's return is compounded over them, factors are summed. What began
    before the first day can enter no window and is missing.

    Parameters
    ----------
    given : Joint
        Each series by itself.
    factor_spans : (n, L, f) int array
    log : bool
        Whether returns are summed instead.
    """
    seen, seen_factors = given.spans > 0, factor_spans > 0
    joint = seen & seen_factors.all(axis=2)
    runs = _runs(joint)
    whole = runs.covered(given.spans)
    for own in np.moveaxis(factor_spans, 2, 0):
        whole &= runs.covered(own)
    # A day on which all returns span one session stands for itself, whatever lies before it.
    alone = ((given.spans == 1) & (factor_spans == 1).all(axis=2)).ravel()[runs.last]
    kept = joint.ravel()[runs.last] & (alone | whole)
    growth = np.where(
        seen, given.returns if log else 1 + given.returns, 0.0 if log else 1.0
    ).ravel()
    total = (
        np.add.reduceat(growth, runs.first) if log else np.multiply.reduceat(growth, runs.first) - 1
    )
    parts = np.where(seen_factors, given.factors, 0.0).reshape(seen.size, factor_spans.shape[2])
    joined = (
        total,
        runs.last - runs.first + 1,
        np.add.reduceat(given.length.ravel(), runs.first),
        np.add.reduceat(parts, runs.first, axis=0),
    )
    singles = (given.returns, given.spans, given.length, given.factors)
    return Joint(
        *(_placed(own, runs.last, kept, alone, s) for own, s in zip(joined, singles, strict=True))
    )


def covers(spans: IntArray) -> bool:
    """Tell whether the returns of a run of days span exactly these days."""
    seen = np.flatnonzero(spans > 0)
    return bool((seen - spans[seen] + 1 >= 0).all() and spans.sum() == len(spans))


def _runs(joint: BoolArray) -> Runs:
    begins = np.ones(joint.shape, dtype=bool)
    begins[:, 1:] = joint[:, :-1]
    first = np.flatnonzero(begins)
    return Runs(first, np.append(first[1:], joint.size) - 1)


def _placed(
    values: AnyArray,
    last: IntArray,
    kept: BoolArray,
    alone: BoolArray,
    single: AnyArray,
) -> AnyArray:
    """Lay the values of the runs that are kept on their last days; those of days alone are
    `single`."""
    out = np.full_like(single, np.nan if single.dtype.kind == "f" else 0)
    shape = (single.shape[0] * single.shape[1], *single.shape[2:])
    flat, own = out.reshape(shape), single.reshape(shape)
    flat[last[kept]] = values[kept]
    flat[last[kept & alone]] = own[last[kept & alone]]
    return out
