"""How violent the days before an event were, in plain numpy."""

from __future__ import annotations

import numpy as np


def k_by_hand(
    X: np.ndarray, y: np.ndarray, x: np.ndarray, beta: np.ndarray, sigma2: float, on: int
) -> float:
    """Return how many times the variance of days -120 to -11 returns had up to day -2."""
    past = slice(on - 120, on - 10)
    q = (x - x[past].mean()) ** 2 / x[past].var()
    rows = np.column_stack([np.ones(len(x)), x])
    ahead = sigma2 * (1 + np.einsum("ij,jk,ik->i", rows, np.linalg.inv(X.T @ X), rows))
    variance = np.where(np.arange(len(x)) < on - 10, sigma2, ahead)
    u = (y - rows @ beta) ** 2 / variance

    def mean(values: np.ndarray) -> float:
        weights = 0.94 ** np.arange(len(values))[::-1]
        return float(weights @ values / weights.sum())

    before = mean(q[on - 120 : on])
    q[on : on + 2] = np.minimum(q[on : on + 2], 6 * max(1.0, before))
    of_market = mean(q[on - 120 : on + 2])
    own = mean(np.minimum(u[on - 120 : on - 1], 6 * max(1.0, of_market)))
    return max(1.0, np.sqrt(own * of_market))
