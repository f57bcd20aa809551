"""Sums over pairs of events; a pair with too few common sessions has no correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..utility.typing import BoolArray, FloatArray, IntArray
from ._pairs import ROUNDING, correlations, study_of

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
    products, rho : float
        Sums of rho * weight, and of rho, over the pairs that have a rho.
    counted, missing : int
        Pairs with and without a rho.
    weight_missing, overlap : float
        Sums of the weights, and of their sizes before they are scaled, over the pairs without.
    """

    products: float = 0.0
    rho: float = 0.0
    counted: int = 0
    weight_missing: float = 0.0
    overlap: float = 0.0
    missing: int = 0

    def add(self, rho: FloatArray, weight: FloatArray, scale: FloatArray | float = 1.0) -> None:
        """Add pairs; those of no weight do not count.

        Parameters
        ----------
        rho : (p,) float array
            NaN where a pair has too few common sessions.
        weight : (p,) float array
        scale : (p,) float array, optional
            Multiplies the weights.
        """
        scaled, known = weight * scale, np.isfinite(rho)
        matters = weight != 0
        finite, missing = matters & known, matters & ~known
        self.products += float((rho[finite] * scaled[finite]).sum())
        self.rho += float(rho[finite].sum())
        self.counted += int(finite.sum())
        self.weight_missing += float(scaled[missing].sum())
        self.overlap += float(np.abs(weight[missing]).sum())
        self.missing += int(missing.sum())

    def is_negligible(self, n: int) -> bool:
        """Return whether no pair of n events has a rho, and their overlap is too small to matter.

        Parameters
        ----------
        n : int
        """
        return bool(self.missing and not self.counted) and cannot_matter(self.overlap, n)

    def merge(self, pairs: PairSum) -> None:
        """Add the pairs of another sum."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(pairs, name))

    @property
    def total(self) -> float:
        """The sum; NaN if all that matter are missing."""
        if not self.missing:
            return self.products
        if not self.counted:
            return np.nan
        return self.products + self.rho / self.counted * self.weight_missing


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
        return sample.remember(key, lambda: cls._of(sample, need, rows, near))

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

    def add_to(
        self, pairs: PairSum, overlap: FloatArray, sides: tuple[FloatArray, FloatArray] | None
    ) -> None:
        """Add rho times the overlap.

        Parameters
        ----------
        pairs : PairSum
        overlap : (rows, near) float array
        sides : two float arrays or None
            Weights of the events of both sides.
        """
        i, j = self.missing
        lacking = overlap[i, j]
        matters = np.abs(lacking) > ROUNDING
        pairs.overlap += float(np.abs(lacking[matters]).sum())
        pairs.missing += int(matters.sum())
        if sides is None:
            pairs.products += float(np.vdot(self.rho, overlap))
        else:
            pairs.products += float(sides[0] @ (self.rho * overlap) @ sides[1])
            lacking = lacking * sides[0][i] * sides[1][j]
        pairs.weight_missing += float(lacking[matters].sum())
        apart = np.abs(overlap) <= ROUNDING
        apart &= self.present
        pairs.rho += self.total - float(self.rho[apart].sum())
        pairs.counted += self.pairs - int(np.count_nonzero(apart))
