"""The exact engine: sums over pairs of events, in blocks of neighbours, and without some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..utility import BoolArray, FloatArray, IntArray, chunks
from .limits import Limits, require
from .loadings import loadings_on
from .pairs import (
    Apart,
    Correlation,
    correlations,
    cosines,
    groups_apart,
    keep_overlaps,
    least_common,
    mean_common_sessions,
    overlaps,
    study_of,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# A sum of q weightings is a (q, q) array; of one it is a number.
Sum: TypeAlias = float | FloatArray
# rho and o of all pairs (n, n), and the lag of the sessions that are paired.
Layer: TypeAlias = tuple[FloatArray, FloatArray, int]
# Weights of the events of both sides of pairs, each (n,) or (n, q).
Sides: TypeAlias = tuple[FloatArray, FloatArray]


def cannot_matter(overlap: float, n: int) -> bool:
    """Return whether correlations of n events cannot matter.

    Parameters
    ----------
    overlap : float
        Sum of ``|o_ij|`` over pairs.
    n : int
    """
    return 2 * overlap / n <= Limits.NEGLIGIBLE


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
        known = np.isfinite(rho)
        matters = overlap != 0
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
        later = np.arange(len(near)) > np.arange(len(rows))[:, None]
        known = np.isfinite(rho)
        present, day0 = later & known, sample.windows.day0
        missing, rho[~present] = np.nonzero(later & ~known), 0.0
        same = np.equal.outer(day0[rows], day0[near])
        total = float(np.vdot(rho, same))
        lacking = int(np.count_nonzero(same[missing]))
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
        matters = np.abs(lacking) > Limits.ROUNDING
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
        apart = np.abs(overlap) <= Limits.ROUNDING
        apart &= self.present
        pairs.rho += self.total - float(self.rho[apart].sum())
        pairs.counted += self.pairs - int(np.count_nonzero(apart))


def by_pair(sample: AbnormalReturns, window: Window) -> Correlation:
    """Return the mean correlation from all pairs, in blocks of neighbours: the exact form.

    Parameters
    ----------
    sample : AbnormalReturns
        n events.
    window : Window
    """
    all_pairs, same_date = _pairs(sample, window)
    return summed_up(all_pairs, same_date, len(sample), sum(_lagged_sums(sample, window)))


def _pairs(
    sample: AbnormalReturns, window: Window, weights: FloatArray | None = None
) -> tuple[PairSum, PairSum]:
    """Return the sums over all pairs, weighted by the overlap, and over those of one date."""
    all_pairs = PairSum()
    same_date = PairSum()
    need = least_common(sample)
    for rows, near, overlap in overlaps(sample, window):
        block = Block.of(sample, need, rows, near)
        sides = None if weights is None else (weights[rows], weights[near])
        block.add_to(all_pairs, overlap, sides)
        same_date.merge(block.same_date)
    return all_pairs, same_date


def summed_up(all_pairs: PairSum, same_date: PairSum, n: int, lagged: Sum = 0.0) -> Correlation:
    """Return the mean correlation of n events from the sums over their pairs.

    Parameters
    ----------
    all_pairs, same_date : PairSum
        Weighted by the overlap, and by whether the date is the same.
    n : int
    lagged : float
        The sum over pairs of exchanges that are never open together.
    """
    total = float(all_pairs.total)
    same = float(same_date.total)
    filled = all_pairs.missing
    if all_pairs.is_negligible(n):
        total, filled = 0.0, 0
    pairs = max(n * (n - 1) // 2, 1)
    mean = max(0.0, same / pairs) if np.isfinite(same) else 0.0
    return Correlation((total + float(lagged)) / pairs, mean, filled)


def weighted(sample: AbnormalReturns, window: Window, weights: FloatArray) -> FloatArray:
    """Return sum_i<j w_i w_j rho_ij o_ij, a number or (q, q); NaN if all that matter are missing.

    Parameters
    ----------
    sample : AbnormalReturns
        n events, all valid for `window`.
    window : Window
    weights : (n,) or (n, q) float array
        Of one sum, or of q sums in columns.
    """
    if len(sample) > Limits.PAIRWISE:
        pairs, later = _in_pieces(sample, window, weights)
    else:
        keep_overlaps(sample, window)
        pairs = _pairs(sample, window, weights)[0]
        later = sum(_lagged_sums(sample, window, weights))
    return np.asarray(0.0 if pairs.is_negligible(len(sample)) else pairs.total) + later


def _in_pieces(sample: AbnormalReturns, window: Window, weights: FloatArray) -> tuple[PairSum, Sum]:
    """Return the sums over the pairs of very many events, and over those at a lag.

    Each two pieces of the events are a sample of their own, so that no array of all pairs is made.
    A piece is in as many of these as there are other pieces, and is taken off as often but once.
    """
    pieces = [np.arange(len(sample))[piece] for piece in chunks(len(sample), Limits.PAIRWISE // 2)]
    both = [(np.concatenate(two), 1) for two in combinations(pieces, 2)]
    pairs = PairSum()
    later = np.zeros(())
    for rows, times in [*both, *((piece, 2 - len(pieces)) for piece in pieces)]:
        piece = sample.take(rows).as_study()
        pairs.merge(_pairs(piece, window, weights[rows])[0], times)
        later = later + times * sum(_lagged_sums(piece, window, weights[rows]))
    return pairs, later


def layers(sample: AbnormalReturns, window: Window) -> Iterator[Layer]:
    """Yield rho and o of all pairs (n, n) and their lag: 0, then those of exchanges apart.

    Parameters
    ----------
    sample : AbnormalReturns
        n events, all valid for `window`.
    window : Window

    Yields
    ------
    rho, overlap : (n, n) float arrays
        A rho is NaN for a pair with too few common sessions; the overlap is 0 on the diagonal and
        for pairs that have none at this lag.
    lag : int
    """
    cosine = np.zeros((len(sample), len(sample)))
    for rows, near, overlap in overlaps(sample, window):
        overlap = np.where(np.abs(overlap) > Limits.ROUNDING, overlap, 0.0)
        cosine[np.ix_(rows, near)] = overlap
        cosine[np.ix_(near, rows)] = overlap.T
    np.fill_diagonal(cosine, 0.0)
    yield correlations(sample, least_common(sample)), cosine, 0
    for pair in groups_apart(sample):
        for lag in (-1, 1):
            both = np.zeros((2, *cosine.shape))
            for k, block in enumerate(_lagged(sample, window, pair, lag)):
                both[k][np.ix_(pair.rows, pair.columns)] = block
                both[k][np.ix_(pair.columns, pair.rows)] = block.T
            yield both[0], both[1], lag


def join(parts: Iterable[Layer]) -> FloatArray:
    """Return the correlations rho_ij o_ij of all pairs of CARs (n, n) from their :func:`layers`.

    A pair with too few common sessions has the mean rho of the others with an overlap; the diagonal
    is 1.
    """
    products = (
        np.nan_to_num(product) if lag else product
        for product, lag in ((_products(rho, overlap), lag) for rho, overlap, lag in parts)
    )
    out: FloatArray = sum(products, start=np.zeros(()))
    require(not np.isnan(out).any(), "no_common_days")
    np.fill_diagonal(out, 1.0)
    return out


def _lagged_sums(
    sample: AbnormalReturns, window: Window, weights: FloatArray | None = None
) -> Iterator[Sum]:
    """Yield the sums of rho o over the pairs of two groups at a lag, 0 where one is unknown."""
    for pair in groups_apart(sample):
        sides = None if weights is None else (weights[pair.rows], weights[pair.columns])
        for lag in (-1, 1):
            pairs = PairSum()
            pairs.add(*_lagged(sample, window, pair, lag), sides)
            yield np.nan_to_num(pairs.total)


def _products(rho: FloatArray, weight: FloatArray) -> FloatArray:
    """Return rho * weight, a missing rho being the mean of those that count; NaN without any."""
    matters = weight != 0
    finite = matters & np.isfinite(rho)
    overlap = float(np.abs(weight).sum()) / 2
    if matters.any() and not finite.any() and not cannot_matter(overlap, len(rho)):
        return np.full(rho.shape, np.nan)
    mean = rho[finite].mean() if finite.any() else 0.0
    return np.where(np.isfinite(rho), rho, mean) * weight


def _lagged(
    sample: AbnormalReturns, window: Window, pair: Apart, lag: int
) -> tuple[FloatArray, FloatArray]:
    """Return rho and o of the pairs rows x columns at a lag, each (rows, columns).

    Each session of a group stands against the next of the second group.
    """
    rho = correlations(sample, least_common(sample), lag)[np.ix_(pair.rows, pair.columns)]
    a = loadings_on(sample.take(pair.rows), window, pair.row_sessions)
    b = loadings_on(sample.take(pair.columns), window, pair.column_sessions)
    left, right = pair.adjacent(lag)
    squares = [(side**2).sum(axis=1) for side in (a, b)]
    return rho, cosines(a[:, left] @ b[:, right].T, *squares)


def correlation_without(
    sample: AbnormalReturns, window: Window, sets: csr_array
) -> tuple[FloatArray, FloatArray]:
    """Return the mean correlation of the events without each set, and the variance of contrasts.

    Parameters
    ----------
    sample : AbnormalReturns
        n events, all valid for `window`.
    window : Window
    sets : (G, n) sparse array
        1 for the events of each set.

    Raises
    ------
    InapplicableError
        If windows overlap and no pair has enough common sessions.

    Notes
    -----
    The correlations of all pairs are computed once. Their sum over the pairs that remain is the sum
    of all, less twice the rows of the set, plus the pairs within it.
    """
    size = sets.sum(axis=1)
    remaining = sets.shape[1] - size
    pairs = list(layers(sample, window))
    r = np.sum([_layer_sums(sets, *layer) for layer in pairs], axis=0)
    matrix = join(pairs)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(remaining > 1, r / (remaining * (remaining - 1)), 0.0)
    if mean_common_sessions(sample) < Limits.SHORT_HISTORY:
        r = np.maximum(r, 0.0)
    rest, within, all_of_set = _sums(sets, matrix)
    across = (all_of_set - within) / size / remaining
    return r, within / size**2 + rest / remaining**2 - 2 * across


def _sums(sets: csr_array, matrix: FloatArray) -> Iterator[FloatArray]:
    """Yield the sums of a matrix (n, n) over the rest, over each set, and over its rows, (G,)."""
    within = np.asarray(sets.multiply(sets @ matrix).sum(axis=1))
    rows, columns = (sets @ matrix.sum(axis=axis) for axis in (1, 0))
    yield matrix.sum() - rows - columns + within
    yield within
    yield rows


def _layer_sums(sets: csr_array, rho: FloatArray, weight: FloatArray, lag: int) -> FloatArray:
    """Return the sum of rho * weight over the remaining pairs (i, j) and (j, i), (G,).

    A missing rho is the mean of the remaining ones; at a lag the sum is 0 without any.
    """
    matters = weight != 0
    present = np.isfinite(rho)
    finite = matters & present
    missing = matters & ~present
    total = next(_sums(sets, np.where(finite, rho, 0.0) * weight))
    if not missing.any():
        return total
    filled, absent, present_pairs, scale = (
        next(_sums(sets, values))
        for values in (
            np.where(missing, weight, 0.0), missing.astype(float), finite.astype(float),
            np.where(finite, rho, 0.0),
        )
    )  # fmt: skip
    remaining = sets.shape[1] - sets.sum(axis=1)
    small = (next(_sums(sets, np.abs(weight))) / remaining <= Limits.NEGLIGIBLE) | (lag != 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(present_pairs > 0.5, scale / present_pairs, np.where(small, 0.0, np.nan))
    return np.where(absent > 0.5, total + mean * filled, total)
