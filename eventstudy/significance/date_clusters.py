"""Events by the dates that they share: errors clustered by date, and flips of whole dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..abnormal import AbnormalReturns
from ..calendars import Window
from ..dependence import WeightedSums, require
from ..utility import FloatArray, IntArray, chunks
from ._base import Value

# Signs that are drawn at a time.
BLOCK = 1 << 20


@dataclass(frozen=True, eq=False)
class DateClusters:
    """Which of n events share a date.

    Attributes
    ----------
    number : (n,) int array
        The cluster of each event, from 0 to G-1.
    FEWEST, FEWEST_TO_FLIP : int
        Clusters that a variance across them needs, and flips of their signs.
    ENUMERATED : int
        Of up to so many clusters all flips of their signs are taken.
    TIE : float
        |t*| that equals |t| but for rounding counts as at least as large.
    """

    number: IntArray
    FEWEST: ClassVar[int] = 3
    FEWEST_TO_FLIP: ClassVar[int] = 6
    ENUMERATED: ClassVar[int] = 12
    TIE: ClassVar[float] = 1e-9

    @classmethod
    def by_date(cls, sample: AbnormalReturns) -> DateClusters:
        """Return the events of a sample by their day 0."""
        return cls.of(sample.windows.day0)

    @classmethod
    def of(cls, labels: IntArray) -> DateClusters:
        """Return clusters from any labels of n events."""
        return cls(np.unique(labels, return_inverse=True)[1].ravel())

    @classmethod
    def merged(cls, sample: AbnormalReturns, window: Window) -> DateClusters:
        """Return clusters in which all events are whose CARs share a session.

        Parameters
        ----------
        sample : AbnormalReturns
            n events.
        window : Window
            L days.

        Notes
        -----
        On one calendar these are dates fewer than L sessions apart. Events of exchanges that are
        never open together share a cluster if their windows are within a session of each other.
        """
        first, last = WeightedSums(sample, window).session_ends
        order = np.argsort(first, kind="stable")
        reach = np.maximum.accumulate(last[order])
        number: IntArray = np.empty(len(order), np.int64)
        number[order] = np.r_[0, np.cumsum(first[order][1:] > reach[:-1])]
        return cls(number)

    @property
    def count(self) -> int:
        """G, the number of clusters."""
        return int(self.number.max(initial=-1)) + 1

    @property
    def sizes(self) -> FloatArray:
        """Events of each cluster, (G,)."""
        return np.bincount(self.number).astype(float)

    def require_flips(self) -> None:
        """Raise InapplicableError for fewer clusters than sign flips need."""
        needed = self.FEWEST_TO_FLIP
        require(self.count >= needed, "clusters_needed", n=self.count, needed=needed)

    def t(self, values: FloatArray) -> Value:
        """Return the CR2 t-statistic of a mean and its Satterthwaite degrees of freedom.

        Parameters
        ----------
        values : (n,) float array

        Raises
        ------
        InapplicableError
            For fewer than three clusters, or no variance across them.

        Examples
        --------
        >>> values = np.array([0.02, 0.01, 0.03, -0.01, 0.0, 0.04, 0.02])
        >>> value = DateClusters(np.array([0, 0, 0, 1, 1, 2, 3])).t(values)
        >>> round(value.statistic, 7), round(value.df, 7)
        (1.8860222, 2.3684211)
        """
        size, n = self.sizes, len(values)
        require(len(size) >= self.FEWEST, "dates_needed", n=len(size), needed=self.FEWEST)
        total = np.bincount(self.number, weights=values - values.mean())
        variance = (total**2 / (1 - size / n)).sum()
        require(variance > 0 and np.isfinite(variance), "same_value_of_dates")
        # The sum over pairs of dates of n_g^2 n_h^2 / ((N - n_g) (N - n_h)).
        share = size**2 / (n - size)
        df = n**2 / ((size**2).sum() + share.sum() ** 2 - (share**2).sum())
        return Value(float(n * values.mean() / np.sqrt(variance)), float(df))

    def flipped_t(self, values: FloatArray, signs: FloatArray) -> FloatArray:
        """Return the CR2 t of the mean of the flipped values, shape (draws,).

        Parameters
        ----------
        values : (n,) float array
        signs : (draws, G) float array
            The sign of each cluster in each draw.
        """
        size, n = self.sizes, len(values)
        total = np.bincount(self.number, weights=values)
        mean = signs @ total / n
        deviation = signs * total - size * mean[:, None]
        variance = (deviation**2 / (1 - size / n)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(variance > 0, n * mean / np.sqrt(variance), np.sign(mean) * np.inf)

    def t_of_flips(self, values: FloatArray, *, draws: int, seed: int) -> FloatArray:
        """Return the t-statistics under sign flips of whole clusters, shape (2^G,) or (draws,).

        Parameters
        ----------
        values : (n,) float array
        draws, seed : int
            Of more than 12 clusters: seeded draws and their mirrors, which make the p-value
            independent of the sign of the effect.
        """
        G = self.count
        if G <= self.ENUMERATED:
            return self.flipped_t(values, self.all_signs(G))
        rng = np.random.default_rng(seed)
        half = (draws + 1) // 2
        stars = np.concatenate([
            self.flipped_t(values, rng.choice([-1.0, 1.0], size=(block.stop - block.start, G)))
            for block in chunks(half, max(1, BLOCK // G))
        ])  # fmt: skip
        return np.concatenate([stars, -stars])[:draws]

    @staticmethod
    def all_signs(G: int) -> FloatArray:
        """Return the 2^G rows of G signs, the identity first."""
        bits = (np.arange(2**G)[:, None] >> np.arange(G)) & 1
        return np.where(bits == 0, 1.0, -1.0)

    @classmethod
    def draw_signs(cls, G: int, draws: int, seed: int) -> tuple[FloatArray, bool]:
        """Return signs (B, G), and whether they are all 2^G of them: of up to 12 clusters.

        Parameters
        ----------
        G : int
            Number of clusters.
        draws : int
        seed : int

        Returns
        -------
        (B, G) float array, bool
        """
        if G <= cls.ENUMERATED:
            return cls.all_signs(G), True
        return np.random.default_rng(seed).choice([-1.0, 1.0], size=(draws, G)), False
