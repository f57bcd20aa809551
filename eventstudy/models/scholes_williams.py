"""Market model for thinly traded firms: Scholes and Williams."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..utility.typing import BoolArray, Engine, FloatArray
from ..windows.event_windows import EventWindows
from ._base import MODELS, LinearModel
from ._engines import Fit, around

# Below this 1 + 2 rho the sum of the three slopes is divided by next to nothing.
SMALLEST_DIVISOR = 0.25
FEWEST = 3


@MODELS.register("scholes_williams")
@dataclass(frozen=True)
class ScholesWilliams(LinearModel):
    """beta = (b_-1 + b_0 + b_+1) / (1 + 2 rho_m), each slope from a regression of its own.

    Slopes and means run over days whose neighbours are in the estimation window too; rho_m is the
    first autocorrelation of the market there. The variance is that of the market model
    (approximate).
    """

    name = "scholes_williams"
    label = "Scholes-Williams model"
    formula = "E[R_it] = alpha_i + beta_SW,i R_mt"
    source = "Scholes and Williams (1977)"
    exact = False

    def estimate(
        self,
        y: FloatArray,
        X: FloatArray,
        complete: BoolArray,
        windows: EventWindows,
        *,
        engine: Engine,
    ) -> Fit:
        """Return the estimates; events whose market is too negatively autocorrelated have a
        problem."""
        del windows, engine
        n = len(y)
        params, problem = np.full((n, 2), np.nan), np.full(n, "", dtype=object)
        for i in range(n):
            alpha, beta, divisor = thin_beta(y[i], X[i, :, 1], complete[i])
            params[i] = alpha, beta
            if np.isnan(divisor):
                problem[i] = f"fewer than {FEWEST} estimation days have both their neighbours"
            elif divisor < SMALLEST_DIVISOR:
                problem[i] = (
                    f"1 + 2 rho_m is {divisor:.2f}: the Scholes-Williams beta is not defined"
                )
        return replace(around(params, y, X, complete), problem=problem)


def thin_beta(y: FloatArray, market: FloatArray, complete: BoolArray) -> tuple[float, float, float]:
    """Return alpha, beta and 1 + 2 rho_m of one event; alpha and beta are "raw" where the last is
    small.

    Parameters
    ----------
    y, market : (L1,) float arrays
    complete : (L1,) bool array
        Days that have both; a day enters with both its neighbours only.
    """
    inner = np.flatnonzero(complete[1:-1] & complete[:-2] & complete[2:]) + 1
    pairs = np.flatnonzero(complete[1:] & complete[:-1]) + 1
    if len(inner) < FEWEST:
        return np.nan, np.nan, np.nan
    divisor = 1 + 2 * float(np.corrcoef(market[pairs], market[pairs - 1])[0, 1])
    beta = sum(_slope(y[inner], market[inner + lag]) for lag in (-1, 0, 1)) / divisor
    return float(y[inner].mean() - beta * market[inner].mean()), beta, divisor


def _slope(y: FloatArray, x: FloatArray) -> float:
    deviation = x - x.mean()
    return float(deviation @ y / (deviation @ deviation))
