"""Sums over pairs of events; a pair with too few common sessions has no correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from ..abnormal import AbnormalReturns
from ..utility import BoolArray, FloatArray, IntArray
from .pairs import ROUNDING, correlations, study_of

# A sum of q weightings is a (q, q) array; of one it is a number.
Sum: TypeAlias = float | FloatArray
# Weights of the events of both sides of pairs, each (n,) or (n, q).
Sides: TypeAlias = tuple[FloatArray, FloatArray]
# Where no pair has a rho, r is 0 if 1 + (N-1) r would be at most this much above 1 with rho = 1.
NEGLIGIBLE = 0.05


def cannot_matter(overlap: float, n: int) -> bool:
    """Return whether correlations of n events cannot matter.

    Parameters
    ----------
    overlap : float
        Sum of ``|o_ij|`` over pairs.
    n : int
    """
    return 2 * overlap / n <= NEGLIGIBLE


@dataclass(slots=True)
class PairSum:
    """Sum of rho * weight over pairs, a missing rho being the mean of the other pairs.

    Attributes
    ----------
    products : float or (q, q) float array
        Sum of rho * weight over the pairs that have a rho; of q weightings of the events an array.
    rho : float
        Sum of rho over these pairs.
    counted, missing : int
        Pairs with and without a rho.
    weight_missing : float or (q, q) float array
        Sum of the weights over the pairs without.
    overlap : float
        Sum of the sizes of their overlaps.
    """

    products: Sum = 0.0
    rho: float = 0.0
    counted: int = 0
    weight_missing: Sum = 0.0
    overlap: float = 0.0
    missing: int = 0

    def add(self, rho: FloatArray, overlap: FloatArray, sides: Sides | None = None) -> None:
        """Add pairs of rows with columns; those without overlap do not count.

        Parameters
        ----------
        rho, overlap : (rows, columns) float array
            A rho is NaN where a pair has too few common sessions.
        sides : two (n,) or (n, q) float arrays, optional
            Weights of the events of both sides; by default 1.
        """
        known, matters = np.isfinite(rho), overlap != 0
        missing = matters & ~known
        self.products += _over_pairs(np.where(matters & known, rho * overlap, 0.0), sides)
        self.rho += float(rho[matters & known].sum())
        self.counted += int((matters & known).sum())
        self.weight_missing += _over_pairs(np.where(missing, overlap, 0.0), sides)
        self.overlap += float(np.abs(overlap[missing]).sum())
        self.missing += int(missing.sum())

    def is_negligible(self, n: int) -> bool:
        """Return whether no pair of n events has a rho, and their overlap is too small to matter.

        Parameters
        ----------
        n : int
        """
        return bool(self.missing and not self.counted) and cannot_matter(self.overlap, n)

    def merge(self, pairs: PairSum, times: int = 1) -> None:
        """Add the pairs of another sum, so many times."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + times * getattr(pairs, name))

    @property
    def total(self) -> Sum:
        """The sum; NaN if all that matter are missing."""
        if not self.missing:
            return self.products
        if not self.counted:
            return np.nan
        return self.products + self.rho / self.counted * self.weight_missing


def _over_pairs(values: FloatArray, sides: Sides | None) -> Sum:
    """Return the sum of values (rows, columns) times the weights of both sides."""
    if sides is None:
        return float(values.sum())
    first, second = sides
    weighted: FloatArray = first.T @ values @ second
    return weighted


class Block(NamedTuple):
    """Pairs of some events and their neighbours, each pair once, whatever the window.

    `rho` is (rows, near), 0 where a pair has none; `present` says which have one, `total` and
    `pairs` are their sum and number; `missing` are the places of those with too few common days.
    """

    rho: FloatArray
    present: BoolArray
    missing: tuple[IntArray, ...]
    same_date: PairSum
    total: float
    pairs: int

    @classmethod
    def of(cls, sample: AbnormalReturns, need: int, rows: IntArray, near: IntArray) -> Block:
        """Return a block of a sample, computed once.

        Parameters
        ----------
        sample : AbnormalReturns
        need : int
            Fewest common sessions of a pair.
        rows, near : int arrays
            Events, and those with their later neighbours.
        """
        key = ("block", need, rows.tobytes(), near.tobytes())
        return sample.cached(key, lambda: cls._of(sample, need, rows, near), any_convention=True)

    @classmethod
    def _of(cls, sample: AbnormalReturns, need: int, rows: IntArray, near: IntArray) -> Block:
        study, there = study_of(sample)
        rho = correlations(study, need)[there[rows, None], there[near]]
        later, known = np.arange(len(near)) > np.arange(len(rows))[:, None], np.isfinite(rho)
        present, day0 = later & known, sample.windows.day0
        missing, rho[~present] = np.nonzero(later & ~known), 0.0
        same = np.equal.outer(day0[rows], day0[near])
        total, lacking = float(np.vdot(rho, same)), int(np.count_nonzero(same[missing]))
        count = int(np.count_nonzero(present & same))
        same_date = PairSum(total, total, count, lacking, lacking, lacking)
        pairs = int(np.count_nonzero(present))
        return cls(rho, present, missing, same_date, float(rho.sum()), pairs)

    def add_to(self, pairs: PairSum, overlap: FloatArray, sides: Sides | None) -> None:
        """Add rho times the overlap.

        Parameters
        ----------
        pairs : PairSum
        overlap : (rows, near) float array
        sides : two (n,) or (n, q) float arrays, or None
            Weights of the events of both sides.
        """
        i, j = self.missing
        lacking = overlap[i, j]
        matters = np.abs(lacking) > ROUNDING
        lacking = lacking[matters]
        pairs.overlap += float(np.abs(lacking).sum())
        pairs.missing += len(lacking)
        if sides is None:
            pairs.products += float(np.vdot(self.rho, overlap))
            pairs.weight_missing += float(lacking.sum())
        else:
            first, second = sides
            pairs.products += first.T @ (self.rho * overlap) @ second
            pairs.weight_missing += (first[i[matters]].T * lacking) @ second[j[matters]]
        apart = np.abs(overlap) <= ROUNDING
        apart &= self.present
        pairs.rho += self.total - float(self.rho[apart].sum())
        pairs.counted += self.pairs - int(np.count_nonzero(apart))
