"""The market-adjusted model."""

from __future__ import annotations

import numpy as np

from ..typing import BoolArray, Engine, FloatArray
from ..windows import EventWindows
from ._base import MODELS, LinearModel
from ._engines import Fit


@MODELS.register("market_adjusted")
class MarketAdjusted(LinearModel):
    """R = R_m + e: nothing is estimated but the variance, which is centred with M-1 degrees of freedom."""

    name = "market_adjusted"
    label = "market-adjusted model"
    parameters = ()
    formula = "E[R_it] = R_mt"
    source = "Brown and Warner (1980, 1985)"

    def design(self, windows: EventWindows) -> FloatArray:
        """Return no regressor, shape (n, L1+L2, 0)."""
        return np.empty((*windows.returns.shape, 0))

    def response(self, windows: EventWindows) -> FloatArray:
        """Return the firm's return less the market's, shape (n, L1+L2)."""
        return windows.returns - windows.factors[:, :, 0]

    def estimate(self, y: FloatArray, X: FloatArray, complete: BoolArray, *, engine: Engine) -> Fit:
        """Return the centred variance with M-1 degrees of freedom; either engine has nothing to fit."""
        del engine
        n, k = len(y), 0
        nobs = complete.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(complete, y, 0.0).sum(axis=1) / nobs
            sse = (np.where(complete, y - mean[:, None], 0.0) ** 2).sum(axis=1)
            sigma2 = np.where(nobs > 1, sse / (nobs - 1), np.nan)
        empty = np.empty((n, k, k))
        return Fit(
            params=np.empty((n, k)), cov_params=empty, bread=empty, sigma2=sigma2, r2=np.full(n, np.nan),
            nobs=nobs, df_resid=nobs - 1, collinear=np.zeros(n, bool),
        )  # fmt: skip
