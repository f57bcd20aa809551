"""Market models that outliers in the estimation window do not move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..utility.typing import BoolArray, Engine, FloatArray
from ..windows.event_windows import EventWindows
from ._base import MODELS, LinearModel
from ._engines import Fit, around


@dataclass(frozen=True)
class _Robust(LinearModel):
    """Estimates of its own, the variance of least squares around them."""

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
        """Fit event by event; either engine comes to the same."""
        del windows, engine
        params = np.full((len(y), 2), np.nan)
        for i in np.flatnonzero(complete.sum(axis=1) > 2):
            own, market = y[i, complete[i]], X[i, complete[i], 1]
            if np.ptp(own) > 0 and np.ptp(market) > 0:
                params[i] = self.line(own, market)
        return around(params, y, X, complete)

    def line(self, y: FloatArray, x: FloatArray) -> tuple[float, float]:
        """Return intercept and slope of y on x, both (M,)."""
        raise NotImplementedError


@MODELS.register("theil_sen")
@dataclass(frozen=True)
class TheilSen(_Robust):
    """The median of all pairwise slopes, and the median of y - beta x."""

    name = "theil_sen"
    label = "Theil-Sen market model"
    formula = "E[R_it] = alpha_i + beta_i R_mt, beta_i the median slope of all pairs of days"
    source = "Theil (1950); Sen (1968); Dombrow, Rodriguez and Sirmans (2000)"

    def line(self, y: FloatArray, x: FloatArray) -> tuple[float, float]:
        """Return intercept and slope by ``scipy.stats.theilslopes``."""
        from scipy.stats import theilslopes

        fit = theilslopes(y, x, method="joint")
        return float(fit.intercept), float(fit.slope)


@MODELS.register("huber")
@dataclass(frozen=True)
class Huber(_Robust):
    """Huber's M-estimator, c = 1.345, scale from the median absolute residual."""

    name = "huber"
    label = "Huber market model"
    formula = "E[R_it] = alpha_i + beta_i R_mt by Huber's M-estimator"
    source = "Huber (1964, 1973)"

    def line(self, y: FloatArray, x: FloatArray) -> tuple[float, float]:
        """Return intercept and slope by ``statsmodels.RLM``."""
        from statsmodels.robust.norms import HuberT
        from statsmodels.robust.robust_linear_model import RLM

        fit = RLM(y, np.column_stack([np.ones_like(x), x]), M=HuberT(1.345)).fit(
            maxiter=200, tol=1e-12
        )
        return float(fit.params[0]), float(fit.params[1])
