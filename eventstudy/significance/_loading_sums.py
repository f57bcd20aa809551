"""Sums of the loadings of very many events by session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..abnormal.abnormal_returns import AbnormalReturns
from ..calendars.window import Window
from ..utility.typing import FloatArray, IntArray
from ._pairs import Loadings


@dataclass(frozen=True, eq=False)
class LoadingSums:
    """Loadings over their length, l_i / |l_i|, added up over events, on T sessions.

    Attributes
    ----------
    all, inside : (T,) float arrays
        Sums of all loadings, and of those of the days of the CARs only.
    squares : (2,) float array
        Sums over events of the squared lengths of these.
    """

    all: FloatArray
    inside: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, sample: AbnormalReturns, window: Window) -> LoadingSums:
        """Return the sums over the events of a sample, chunk by chunk.

        Parameters
        ----------
        sample : AbnormalReturns
        window : Window
        """
        return sample.remember(("loading_sums", window), lambda: cls._summed(sample, window))

    @classmethod
    def _summed(cls, sample: AbnormalReturns, window: Window) -> LoadingSums:
        T = len(sample.windows.sessions)
        total, squares = np.zeros((2, T)), np.zeros(2)
        for sums, lengths in sample.map(lambda events: _added(events, window, T)):
            total += sums
            squares += lengths
        return cls(total[0], total[1], squares)

    def pairs(self) -> tuple[float, float]:
        """Return the sum of o_ij over all pairs i != j, in the days of the CARs and elsewhere."""
        every = self.all @ self.all - self.squares[0]
        inside = self.inside @ self.inside - self.squares[1]
        return float(inside), float(every - inside)

    def pairs_with(self, sums: LoadingSums, at: tuple[IntArray, IntArray]) -> tuple[float, float]:
        """Return the sums of o_ij over the pairs of one event each, as in :meth:`pairs`.

        Parameters
        ----------
        sums : LoadingSums
            Of the second group of events.
        at : two int arrays
            Sessions of either group that belong together.
        """
        a, b = at
        every, inside = self.all[a] @ sums.all[b], self.inside[a] @ sums.inside[b]
        return float(inside), float(every - inside)


def _added(sample: AbnormalReturns, window: Window, T: int) -> tuple[FloatArray, FloatArray]:
    """Return the sums of LoadingSums, (2, T) and (2,), of a chunk of events."""
    loadings = Loadings.of(sample, window)
    length = np.sqrt(loadings.squares)[:, None]
    unit = np.divide(loadings.values, length, out=np.zeros(loadings.values.shape), where=length > 0)
    unit[loadings.positions < 0] = 0.0
    at = np.maximum(loadings.positions, 0)
    sums, squares = np.zeros((2, T)), np.zeros(2)
    for k, days in enumerate((slice(None), slice(loadings.before, None))):
        values = unit[:, days].ravel()
        sums[k], squares[k] = np.bincount(at[:, days].ravel(), values, T), values @ values
    for i, sessions in loadings.hidden:
        sums[:, sessions] += 1 / length[i]
        squares += len(sessions) / length[i] ** 2
    return sums, squares
